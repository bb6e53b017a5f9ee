//! The data directory: `FORMAT`, the lock, and where everything is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk::{Disk, RealDisk, replace};
use super::keys::{self, KeyError};
use super::log::LogError;
use super::segments::SegmentLog;

/// Format that is written: readers of the same major version understand it.
pub const FORMAT: (u32, u32) = (1, 0);

/// A data directory.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// Id of its ledger.
    pub ledger: Uuid,
}

/// Held while a process may write: a second one is refused.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A file.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// It exists already.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// No `FORMAT`, or one that is not understood.
    #[error("{0} is not a data directory of this version: {1}")]
    Format(String, String),
    /// Another process has it.
    #[error("{0} is in use by another process")]
    Locked(String),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Directory {
    /// Makes a new one: keys, first segment, `FORMAT` last, so that half a directory is none.
    pub fn create(path: &Path, ledger: Uuid) -> Result<Self, DirectoryError> {
        let at = |error| DirectoryError::Io(path.display().to_string(), error);
        create_durably(path).map_err(at)?;
        if std::fs::read_dir(path).map_err(at)?.next().is_some() {
            return Err(DirectoryError::NotEmpty(path.display().to_string()));
        }
        restrict(path).map_err(at)?;
        let directory = Self { path: path.to_owned(), ledger };
        keys::create(&directory.keys())?;
        restrict(&directory.keys()).map_err(at)?;
        SegmentLog::create(&directory.segments(), ledger, &RealDisk)?;
        let text = format!("varco {}.{}\nledger {ledger}\nwriter varco {}\n", FORMAT.0, FORMAT.1, env!("CARGO_PKG_VERSION"));
        replace(&directory.format(), text.as_bytes()).map_err(at)?;
        RealDisk.sync_directory(path).map_err(at)?;
        Ok(directory)
    }

    /// Reads `FORMAT`.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let wrong = |what: &str| DirectoryError::Format(path.display().to_string(), what.to_owned());
        let text = match std::fs::read_to_string(path.join("FORMAT")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(wrong("no FORMAT file (varco init makes one)")),
            Err(error) => return Err(DirectoryError::Io(path.display().to_string(), error)),
        };
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let (major, _) = line("varco").and_then(|version| version.split_once('.')).ok_or_else(|| wrong("FORMAT is not readable"))?;
        if major.parse() != Ok(FORMAT.0) {
            return Err(wrong("written by another major version"));
        }
        let ledger = line("ledger").and_then(|id| id.parse().ok()).ok_or_else(|| wrong("FORMAT names no ledger"))?;
        Ok(Self { path: path.to_owned(), ledger })
    }

    /// Takes the lock.
    pub fn lock(&self) -> Result<Lock, DirectoryError> {
        let at = |error| DirectoryError::Io(self.path.display().to_string(), error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join("lock")).map_err(at)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::Locked(self.path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(at(error)),
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The segments.
    pub fn segments(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// The keys, which are backed up apart.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The views.
    pub fn views(&self) -> PathBuf {
        self.path.join("views")
    }

    /// The admin socket of a running gateway.
    pub fn socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// The format file.
    pub fn format(&self) -> PathBuf {
        self.path.join("FORMAT")
    }

    /// Copies the ledger to a new directory while a gateway may be writing: closed segments whole, the open one up to its last whole
    /// batch. Keys are not copied: they are backed up apart. How many bytes were copied.
    pub fn backup(&self, target: &Path) -> Result<u64, DirectoryError> {
        let at = |path: &Path| {
            let name = path.display().to_string();
            move |error| DirectoryError::Io(name, error)
        };
        create_durably(target).map_err(at(target))?;
        if std::fs::read_dir(target).map_err(at(target))?.next().is_some() {
            return Err(DirectoryError::NotEmpty(target.display().to_string()));
        }
        restrict(target).map_err(at(target))?;
        let segments = target.join("ledger");
        let copied = super::segments::copy(&self.segments(), &segments, self.ledger)?;
        // Last, so that a backup cut short is not taken for one.
        let format = std::fs::read(self.format()).map_err(at(&self.format()))?;
        replace(&target.join("FORMAT"), &format).map_err(at(target))?;
        Ok(copied)
    }
}

/// Makes a directory and those above it that are missing, and their names durable.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    std::fs::create_dir_all(path)?;
    for made in missing {
        let parent = made.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        RealDisk.sync_directory(parent)?;
    }
    Ok(())
}

fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}
