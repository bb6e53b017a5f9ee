//! The data directory: `FORMAT`, the lock, and where everything is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::damage::Damage;
use super::disk::{Disk, RealDisk, replace};
use super::keys::{self, KeyError};
use super::log::LogError;
use super::segments::{self, Extent, Loss, Recovery, SegmentLog, SegmentReader};

/// Format that is written, and the only one that is read: an earlier one is upgraded first, explicitly.
///
/// 1.0: until entries of kind `registry` had requests, decisions and grants. 1.1: with them.
pub const FORMAT: (u32, u32) = (1, 1);

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
    #[error("{0}: {error}", error = crate::italian::io(.1))]
    Io(String, io::Error),
    /// It exists already.
    #[error("{0} non è vuota: una directory dei dati si crea dove non c'è nulla")]
    NotEmpty(String),
    /// It is another user's.
    #[error("{0} è di un altro utente: una copia si fa in una directory propria")]
    Foreign(String),
    /// Written in an earlier format.
    #[error("{0} è nel formato {1}.{2}, di una versione precedente: varco upgrade {0}")]
    Earlier(String, u32, u32),
    /// No `FORMAT`, or one that is not understood.
    #[error("{0} non è una directory dei dati di questa versione: {1}")]
    Format(String, String),
    /// Another process has it.
    #[error("{0} è in uso da un altro processo")]
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
        let directory = Self {
            path: path.to_owned(),
            ledger,
        };
        keys::create(&directory.keys())?;
        restrict(&directory.keys()).map_err(at)?;
        SegmentLog::create(&directory.segments(), ledger, &RealDisk)?;
        directory.write_format()?;
        RealDisk.sync_directory(path).map_err(at)?;
        Ok(directory)
    }

    /// Writes `FORMAT`: from now on the directory is in the present format.
    pub fn write_format(&self) -> Result<(), DirectoryError> {
        let text = format!(
            "varco {}.{}\nledger {}\nwriter varco {}\n",
            FORMAT.0,
            FORMAT.1,
            self.ledger,
            env!("CARGO_PKG_VERSION")
        );
        replace(&self.format(), text.as_bytes())
            .map_err(|error| DirectoryError::Io(self.path.display().to_string(), error))
    }

    /// Reads `FORMAT`.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        match Self::open_any(path)? {
            (directory, FORMAT) => Ok(directory),
            (_, (major, minor)) => Err(DirectoryError::Earlier(path.display().to_string(), major, minor)),
        }
    }

    /// Reads `FORMAT`, also an earlier one; which it is.
    pub fn open_any(path: &Path) -> Result<(Self, (u32, u32)), DirectoryError> {
        let wrong = |what: &str| DirectoryError::Format(path.display().to_string(), what.to_owned());
        let text = match std::fs::read_to_string(path.join("FORMAT")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(wrong(
                    "non c'è il file FORMAT (varco init crea una directory nuova; di una copia rimettere anche FORMAT)",
                ));
            }
            Err(error) => return Err(DirectoryError::Io(path.display().to_string(), error)),
        };
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        };
        let (major, minor) = line("varco")
            .and_then(|version| version.split_once('.'))
            .ok_or_else(|| wrong("il file FORMAT non è comprensibile"))?;
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
            return Err(wrong("il file FORMAT non è comprensibile"));
        };
        if (major, minor) > FORMAT {
            return Err(wrong("l'ha scritta una versione successiva: usare quella"));
        }
        let ledger = line("ledger")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| wrong("il file FORMAT non nomina alcun registro"))?;
        Ok((
            Self {
                path: path.to_owned(),
                ledger,
            },
            (major, minor),
        ))
    }

    /// Takes the lock.
    pub fn lock(&self) -> Result<Lock, DirectoryError> {
        let at = |error| DirectoryError::Io(self.path.display().to_string(), error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.join("lock"))
            .map_err(at)?;
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

    /// Bytes that may still be written to its file system.
    pub fn free(&self) -> io::Result<u64> {
        let found = rustix::fs::statvfs(&self.path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// The reading side of the log, also while a gateway writes it.
    pub fn reader(&self) -> SegmentReader {
        self.reader_noting(&Damage::default())
    }

    /// The same; it notes damage in `damage`.
    pub fn reader_noting(&self, damage: &Damage) -> SegmentReader {
        SegmentReader::new(&self.segments(), self.ledger, damage)
    }

    /// Opens the log for writing, and says what that had to do. A segment of that many bytes is full.
    pub fn open_log(
        &self,
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
        loss: Loss,
    ) -> Result<(SegmentLog, Recovery), LogError> {
        SegmentLog::open(&self.segments(), self.ledger, disk, segment_bytes, loss)
    }

    /// How far the log goes; with its end given up, if it is.
    pub fn extent(&self, loss: Loss) -> Result<Extent, LogError> {
        segments::extent(&self.segments(), self.ledger, loss)
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

    /// Copies the ledger to a new directory while a gateway may be writing: closed segments whole, the open
    /// one up to its last whole batch. Keys are not copied: they are backed up apart. How many bytes were
    /// copied.
    pub fn backup(&self, target: &Path) -> Result<u64, DirectoryError> {
        let at = |path: &Path| {
            let name = path.display().to_string();
            move |error| DirectoryError::Io(name, error)
        };
        create_durably(target).map_err(at(target))?;
        if std::fs::read_dir(target).map_err(at(target))?.next().is_some() {
            return Err(DirectoryError::NotEmpty(target.display().to_string()));
        }
        // The owner of a directory may replace any file in it, whatever the file's mode.
        if !is_own(target).map_err(at(target))? {
            return Err(DirectoryError::Foreign(target.display().to_string()));
        }
        restrict(target).map_err(at(target))?;
        let copied = segments::copy(&self.segments(), &target.join("ledger"), self.ledger)?;
        // Says to whoever opens it that it is a copy, so that the ledger says so too.
        replace(&target.join(COPY), self.ledger.to_string().as_bytes()).map_err(at(target))?;
        // Last, so that a backup cut short is not taken for one. It says so too, since no directory opens
        // without it.
        let mut format = std::fs::read(self.format()).map_err(at(&self.format()))?;
        format.extend_from_slice(format!("{MARK}\n").as_bytes());
        replace(&target.join("FORMAT"), &format).map_err(at(target))?;
        Ok(copied)
    }
}

/// In a copy, until it is opened for writing.
const COPY: &str = "COPY";
/// The line of `FORMAT` that says the same. An operator who loses the file `COPY` must not get numbers twice.
const MARK: &str = "copy";
/// While a loss is accepted, until the ledger says so.
const LOSS: &str = "PERDITA";

impl Directory {
    /// Notes that the end of the log is about to be given up, and the last entry that there was at least. The
    /// note is durable before anything changes: after an interruption the next process that opens the
    /// directory records the loss.
    pub fn begin_loss(&self, until: u64) -> io::Result<()> {
        replace(&self.path.join(LOSS), format!("{until}\n").as_bytes())
    }

    /// The last entry that there was at least, of a loss that the ledger has not recorded yet.
    pub fn pending_loss(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.path.join(LOSS)).ok()?;
        Some(text.trim().parse().unwrap_or_default())
    }

    /// The ledger tells of the loss.
    pub fn loss_recorded(&self) -> io::Result<()> {
        std::fs::remove_file(self.path.join(LOSS))?;
        RealDisk.sync_directory(&self.path)
    }

    /// Whether this is a copy that nobody has opened for writing yet.
    pub fn is_copy(&self) -> bool {
        let marked =
            || std::fs::read_to_string(self.format()).is_ok_and(|text| text.lines().any(|line| line == MARK));
        self.path.join(COPY).exists() || marked()
    }

    /// It has been opened for writing, and the ledger says so.
    pub fn adopted(&self) -> io::Result<()> {
        match std::fs::remove_file(self.path.join(COPY)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let text = std::fs::read_to_string(self.format())?;
        let without: String = text
            .split_inclusive('\n')
            .filter(|line| line.trim_end() != MARK)
            .collect();
        if without != text {
            replace(&self.format(), without.as_bytes())?;
        }
        RealDisk.sync_directory(&self.path)
    }
}

/// Makes a directory and those above it that are missing, and their names durable.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists())
        .collect();
    std::fs::create_dir_all(path)?;
    for made in missing {
        let parent = made
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        RealDisk.sync_directory(parent)?;
    }
    Ok(())
}

/// Whether a directory belongs to the user of this process.
fn is_own(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(std::fs::metadata(path)?.uid() == rustix::process::geteuid().as_raw())
}

fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}
