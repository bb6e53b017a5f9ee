//! The file operations of the ledger, and the opening of the views, behind a seam: tests make each of them
//! fail as disks do.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The mode of new files: for their owner alone.
const OWNER: u32 = 0o600;

/// Time left to an ending process to release a segment.
const ENDING: Duration = Duration::from_secs(1);

/// The disk under the ledger's files. Tests put a failing one in its place.
pub trait Disk: Send + Sync {
    /// Opens a file for reading and writing; `create` makes a new one and fails if it exists.
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>>;
    /// Writes a small file: it is there whole or not at all.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        replace(path, content)
    }
    /// Makes names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Opens the file of the views, or makes it.
    fn views(&self, builder: &redb::Builder, path: &Path) -> Result<redb::Database, redb::DatabaseError> {
        builder.create(path)
    }
}

/// An open segment, or the keyring.
pub trait DiskFile: Send {
    /// Writes all of `bytes` at `offset`, or fails after writing any part of them.
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// `fdatasync`: makes the bytes written so far durable.
    fn sync_data(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// Its length. None if it has no name any more: bytes written there are lost.
    fn length(&self) -> io::Result<Option<u64>>;
}

/// The disk of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(create)
            .mode(OWNER)
            .open(path)?;
        lock(&file)?;
        Ok(Box::new(file))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// A segment has one writer, also after somebody has removed the lock of its directory. A process about to
/// end is waited for.
fn lock(file: &File) -> io::Result<()> {
    let until = Instant::now() + ENDING;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20))
            }
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("un altro processo vi scrive")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

impl DiskFile for File {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        Self::set_len(self, length)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        let found = self.metadata()?;
        Ok((found.nlink() > 0).then_some(found.len()))
    }
}

/// Writes a small file: it is there whole or not at all. The content goes to a file beside, is synced and
/// renamed; then the directory is synced. A failed write leaves no file beside.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    let write = || -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(OWNER)
            .open(&beside)?;
        file.write_all_at(content, 0)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// The file to be renamed to `path`. Its name contains the whole name of `path`: the two indexes of a segment
/// differ in their extension alone, and two processes may write them.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indexes_of_a_segment_are_written_apart() {
        assert_ne!(beside(Path::new("1.idx")), beside(Path::new("1.uses")));
    }
}
