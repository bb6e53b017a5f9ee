//! The data directory: `FORMAT`, the lock, and the paths of everything in it.

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

/// The format written, and the only one read: an earlier one is upgraded first, explicitly.
///
/// 1.0: entries of kind `registry` without requests, decisions and grants. 1.1: with them. 1.2: sealed parts
/// in sections, token keys by class, views from which a sealed part opens without its leaf.
pub const FORMAT: (u32, u32) = (1, 2);

/// A data directory: its path, and the id of its ledger.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// Id of its ledger.
    pub ledger: Uuid,
}

/// The lock of a data directory. A process holds it while it may write. A second process is refused.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A file or directory cannot be read or written: its path, and the error.
    #[error("{0}: {error}", error = crate::italian::io(.1))]
    Io(String, io::Error),
    /// There is no such directory.
    #[error(
        "{0}: questa directory dei dati non c'è (varco init la crea; di una prima installazione, varco init --guidata)"
    )]
    Missing(String),
    /// A directory to be made exists and is not empty.
    #[error("{0} non è vuota: una directory dei dati si crea dove non c'è nulla")]
    NotEmpty(String),
    /// The target of a backup is another user's.
    #[error("{0} è di un altro utente: una copia si fa in una directory propria")]
    Foreign(String),
    /// Another user's: the present one must not write there.
    #[error(
        "{0} è di un altro utente: eseguire il comando come lui (per esempio sudo -u varco varco ...), o con la porta in funzione"
    )]
    Owned(String),
    /// Written in an earlier format.
    #[error("{0} è nel formato {1}.{2}, di una versione precedente: varco upgrade --data {0}")]
    Earlier(String, u32, u32),
    /// `FORMAT` is missing, unintelligible, or of a later version.
    #[error("{0} non è una directory dei dati di questa versione: {1}")]
    Format(String, String),
    /// Another process holds the lock.
    #[error("{0} è in uso da un altro processo")]
    Locked(String),
    /// The keys cannot be made or opened.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The log cannot be made, read or copied.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Directory {
    /// Makes a new data directory: keys, first segment, `FORMAT` last. Half a directory has no `FORMAT` and
    /// does not open.
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

    /// The tiles of the tree, beside the segments.
    pub fn tiles(&self) -> PathBuf {
        self.segments().join("tile")
    }

    /// What was signed of the ledger.
    pub fn evidence(&self) -> PathBuf {
        self.path.join(EVIDENCE)
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

    /// Opens a directory of the present format. An earlier one is [`DirectoryError::Earlier`].
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        match Self::open_any(path)? {
            (directory, FORMAT) => Ok(directory),
            (_, (major, minor)) => Err(DirectoryError::Earlier(path.display().to_string(), major, minor)),
        }
    }

    /// Opens a directory for reading its ledger: of the present format or of an earlier one.
    pub fn open_to_read(path: &Path) -> Result<Self, DirectoryError> {
        Self::open_any(path).map(|(directory, _)| directory)
    }

    /// Opens a directory of the present format or of an earlier one. Also returns its format.
    pub fn open_any(path: &Path) -> Result<(Self, (u32, u32)), DirectoryError> {
        let wrong = |what: &str| DirectoryError::Format(path.display().to_string(), what.to_owned());
        let text = match std::fs::read_to_string(path.join("FORMAT")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.exists() => {
                return Err(DirectoryError::Missing(path.display().to_string()));
            }
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

    /// Takes the lock, or fails at once with [`DirectoryError::Locked`].
    pub fn lock(&self) -> Result<Lock, DirectoryError> {
        let at = |error| DirectoryError::Io(self.path.display().to_string(), error);
        // Root could write here, and the gateway could not read root's files.
        if !is_own(&self.path).map_err(at)? {
            return Err(DirectoryError::Owned(self.path.display().to_string()));
        }
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

    /// Path of the directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes still available on its file system.
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

    /// Opens the log for writing, and reports the repairs of the opening. A segment of `segment_bytes` is
    /// full.
    pub fn open_log(
        &self,
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
        loss: Loss,
    ) -> Result<(SegmentLog, Recovery), LogError> {
        SegmentLog::open(&self.segments(), self.ledger, disk, segment_bytes, loss)
    }

    /// The extent of the log; with [`Loss::Accepted`], without the end given up.
    pub fn extent(&self, loss: Loss) -> Result<Extent, LogError> {
        segments::extent(&self.segments(), self.ledger, loss)
    }

    /// Directory of the segments, of `HEAD` and of the indexes.
    pub fn segments(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// Directory of the keys. They are backed up apart.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// Directory of the views. They can be made again from the log.
    pub fn views(&self) -> PathBuf {
        self.path.join("views")
    }

    /// The counts of the day, left by a clean stop: beside the views, and as little needed as they are.
    pub fn counts(&self) -> PathBuf {
        self.views().join("counts")
    }

    /// The admin socket of a running gateway.
    pub fn socket(&self) -> PathBuf {
        self.path.join("admin.sock")
    }

    /// Path of `FORMAT`: the format, the ledger's id, the version of the writer.
    pub fn format(&self) -> PathBuf {
        self.path.join("FORMAT")
    }

    /// Bytes of the log on the disk.
    pub fn log_bytes(&self) -> io::Result<u64> {
        let files = std::fs::read_dir(self.segments())?;
        files.map(|file| Ok(file?.metadata()?.len())).sum()
    }

    /// Copies the ledger to a new directory while a gateway may be writing: closed segments whole, the open
    /// one up to its last whole batch. Keys are not copied: they are backed up apart. Returns the number of
    /// bytes copied.
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
        // First what was signed, then the log: the copy contains the tree of its checkpoint.
        copy_whole(&self.path.join(EVIDENCE), &target.join(EVIDENCE))
            .map_err(at(&self.path.join(EVIDENCE)))?;
        let copied = segments::copy(&self.segments(), &target.join("ledger"), self.ledger)?;
        // Marks the directory as a copy. Whoever opens it for writing records this in the ledger.
        replace(&target.join(COPY), self.ledger.to_string().as_bytes()).map_err(at(target))?;
        // `FORMAT` comes last: a backup cut short is not taken for one. It bears the mark too, since no
        // directory opens without it.
        let mut format = std::fs::read(self.format()).map_err(at(&self.format()))?;
        format.extend_from_slice(format!("{MARK}\n").as_bytes());
        replace(&target.join("FORMAT"), &format).map_err(at(target))?;
        Ok(copied)
    }
}

/// What was signed, and is no part of the log.
const EVIDENCE: &str = "evidence";

/// Copies the files of a directory durably, if there is one.
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let files = match std::fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    create_durably(to)?;
    for file in files {
        let file = file?;
        // Read at once: its writer may be writing.
        replace(&to.join(file.file_name()), &std::fs::read(file.path())?)?;
    }
    Ok(())
}

/// A file in a copy, until the copy is opened for writing.
const COPY: &str = "COPY";
/// A line of `FORMAT` with the same meaning. Even if an operator loses the file `COPY`, no number is given
/// twice.
const MARK: &str = "copy";
/// A file present from the acceptance of a loss to its record in the ledger.
const LOSS: &str = "PERDITA";

impl Directory {
    /// Notes the coming loss of the log's end. `until` is the last entry known to have existed. The note is
    /// durable before anything changes: after an interruption the next process to open the directory records
    /// the loss.
    pub fn begin_loss(&self, until: u64) -> io::Result<()> {
        replace(&self.path.join(LOSS), format!("{until}\n").as_bytes())
    }

    /// The last entry known to have existed, of a loss not yet recorded in the ledger. None without such a
    /// loss.
    pub fn pending_loss(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.path.join(LOSS)).ok()?;
        Some(text.trim().parse().unwrap_or_default())
    }

    /// Removes the note of a loss: the ledger has recorded it.
    pub fn loss_recorded(&self) -> io::Result<()> {
        std::fs::remove_file(self.path.join(LOSS))?;
        RealDisk.sync_directory(&self.path)
    }

    /// Whether this is a copy not yet opened for writing.
    pub fn is_copy(&self) -> bool {
        let marked =
            || std::fs::read_to_string(self.format()).is_ok_and(|text| text.lines().any(|line| line == MARK));
        self.path.join(COPY).exists() || marked()
    }

    /// Removes the marks of a copy: it has been opened for writing, and the ledger has recorded this.
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

/// Makes a directory and the missing ones above it, and makes their names durable.
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
