//! Files left behind by a command: new ones never over others, replaced ones whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Mode of a file for everybody to read.
pub(super) const PUBLIC: u32 = 0o644;
/// Mode of a file for the owner alone.
pub(super) const PRIVATE: u32 = 0o600;

/// Writes a new file. Fails if the path exists.
pub(super) fn create(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    write(path, content, mode).with_context(|| path.display().to_string())
}

/// Puts a file, readable by everybody, in the place of another: beside it, synced, renamed, directory synced.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    put(path, content).with_context(|| path.display().to_string())
}

fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_string_lossy();
    // The name is this process's own: another process may write beside the file, too.
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let written = write(&beside, content, PUBLIC).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
