//! The file of the views: opened, trusted or made again, written, read.

use std::fs::File;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase as _, TableDefinition};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::sha256;
use crate::ledger::committer::{StartError, project_versions, version_name};
use crate::ledger::disk::Disk;
use crate::ledger::{Entry, Follower, Log, LogError, Origin, Projector, ViewError, Views, Writes, seal};
use crate::progress::made;

/// Format of the views: another one means a rebuild.
const FORMAT: u32 = 10;
pub(super) const KEYS: &[u8] = b"m/chiavi";
const APPLIED: &[u8] = b"m/applied";
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("views");
/// The file's name, in the directory of the views.
const FILE: &str = "views.redb";
/// Memory for redb's cache, bytes.
const CACHE: usize = 8 << 20;
/// Batches with changes applied before a commit is made durable, if nothing else gives the occasion.
const UNDURABLE: u32 = 500;
/// Entries applied before they are made durable; most of them change nothing. A start after the death of the
/// process reads at most so many again.
const BEHIND: u64 = 20_000;

/// Readers have this time to finish before failed views are opened again. If they take longer, the next try
/// comes a second later.
const READING: Duration = Duration::from_secs(1);

/// A name and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The views, for reading. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    open: Arc<RwLock<OpenViews>>,
    /// Sequence of the last entry applied for every reader.
    reached: Arc<AtomicU64>,
}

/// The file, and the state of it that is read.
#[derive(Default)]
struct OpenViews {
    /// None after the close, and while a recovery opens the file again.
    database: Option<Arc<Database>>,
    /// The state after the last write, once somebody has read it.
    snapshot: Option<Arc<Snapshot>>,
    /// A recovery has opened the file at an earlier state than readers know: nobody reads it yet.
    behind: bool,
}

/// One state of the views. Opening one costs more than a look-up: all between two writes share it.
struct Snapshot {
    /// Behind the table, which does not keep the file open.
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    _database: Arc<Database>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(..)")
    }
}

/// The views, for the committer.
pub struct ViewWriter {
    store: Store,
    place: ViewPlace,
    projectors: Arc<[Box<dyn Projector>]>,
    identity: FileIdentity,
    applied: u64,
    /// The leaf of the last entry applied.
    leaf: Vec<u8>,
    /// The highest key id in the entries applied.
    highest_key: u64,
    /// Batches with changes, applied since the last durable commit.
    undurable: u32,
    /// Sequence of the last durable commit.
    durable: u64,
}

/// The directory of the views, and the disk for their file.
struct ViewPlace {
    path: PathBuf,
    disk: Arc<dyn Disk>,
}

impl ViewPlace {
    /// The file with the [`FileIdentity`] of the views.
    fn trust(&self) -> PathBuf {
        self.path.join("TRUST")
    }

    /// Begins new views in the place of the present ones.
    fn begin(&self, identity: &FileIdentity) -> Result<(Database, Applied), ViewError> {
        set_aside(&self.path).map_err(|error| ViewError(format!("cannot be set aside: {error}")))?;
        let begun = std::fs::create_dir_all(&self.path)
            .and_then(|()| mark(self.disk.as_ref(), &self.trust(), identity));
        begun.map_err(|error| ViewError(error.to_string()))?;
        Ok(self.open(false)?)
    }

    /// Opens the file, and checks every checksum in it unless it is `known` to the last byte. A wrong file is
    /// an error, not a panic: the views are made again.
    fn open(&self, known: bool) -> Result<(Database, Applied), NotOpened> {
        let opened = catch_unwind(AssertUnwindSafe(
            || -> Result<(Database, Applied), redb::Error> {
                let mut builder = Database::builder();
                builder.set_cache_size(CACHE).set_check_integrity_on_open(!known);
                let database = self.disk.views(&builder, &self.path.join(FILE))?;
                let begun = database.begin_write()?;
                begun.open_table(TABLE)?;
                begun.commit()?;
                let table = database.begin_read()?.open_table(TABLE)?;
                let applied = table
                    .get(APPLIED)?
                    .map(|bytes| Applied::decode(bytes.value()))
                    .unwrap_or_default();
                Ok((database, applied))
            },
        ));
        match opened {
            Ok(opened) => opened.map_err(NotOpened::from),
            Err(_) => Err(NotOpened::Damaged("redb panicked".to_owned())),
        }
    }

    /// The views found here, if they are this ledger's, and whether they are trusted.
    fn left(&self, identity: &FileIdentity) -> Result<(Option<(Database, Applied)>, Rebuilt), ViewError> {
        let trust = self.trust();
        let io_error = |error: io::Error| ViewError(error.to_string());
        let (mut found, mut rebuilt) = (None, Rebuilt::Missing);
        if self.path.exists() {
            let left = left(&trust);
            let trusted = left.as_ref().is_some_and(|left| left.counts(identity));
            let sum = left
                .as_ref()
                .filter(|left| trusted && left.clean)
                .and_then(|left| left.sum);
            // The same bytes as at the clean stop: redb need not check them page by page.
            let known = sum.is_some() && sum == sum_of(&self.path.join(FILE)).ok();
            rebuilt = if trusted { Rebuilt::No } else { Rebuilt::Untrusted };
            if trusted {
                // redb writes while it opens: the clean stop is over before.
                mark(self.disk.as_ref(), &trust, identity).map_err(io_error)?;
            }
            found = match self.open(known) {
                // They are good, and there will be room again: they are not thrown away.
                Err(NotOpened::Full(why)) if trusted => return Err(ViewError(why)),
                opened => opened
                    .ok()
                    .filter(|_| left.is_some_and(|left| left.ledger == identity.ledger)),
            };
            if trusted && found.is_none() {
                rebuilt = Rebuilt::Untrusted;
            }
        }
        Ok((found, rebuilt))
    }
}

/// Why the file of the views does not open.
#[derive(Debug)]
enum NotOpened {
    /// Its content is wrong, and stays so.
    Damaged(String),
    /// The disk failed for now.
    Failed(String),
    /// There is no room for now.
    Full(String),
}

impl From<redb::Error> for NotOpened {
    fn from(error: redb::Error) -> Self {
        match &error {
            redb::Error::Io(io)
                if matches!(
                    io.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                ) =>
            {
                Self::Full(error.to_string())
            }
            redb::Error::Io(_) | redb::Error::DatabaseAlreadyOpen | redb::Error::PreviousIo => {
                Self::Failed(error.to_string())
            }
            _ => Self::Damaged(error.to_string()),
        }
    }
}

impl From<NotOpened> for ViewError {
    fn from(unopened: NotOpened) -> Self {
        let (NotOpened::Damaged(why) | NotOpened::Failed(why) | NotOpened::Full(why)) = unopened;
        Self(why)
    }
}

/// The owner of the views, and their state at the last stop or opening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileIdentity {
    ledger: Uuid,
    format: u32,
    boot: String,
    clean: bool,
    /// At a clean stop: sequence of their last entry.
    #[serde(default)]
    applied: u64,
    /// At a clean stop: CRC-32C of the whole file, unless somebody was still reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<u32>,
}

impl FileIdentity {
    /// Of the views of a ledger, opened since this machine was started.
    fn now(ledger: Uuid) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        FileIdentity {
            ledger,
            format: FORMAT,
            boot: boot.trim().to_owned(),
            clean: false,
            applied: 0,
            sum: None,
        }
    }
}

/// Why views were made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuilt {
    /// They were trusted, and kept.
    No,
    /// The directory had none.
    Missing,
    /// They could not be trusted, and were set aside.
    Untrusted,
    /// They had applied another entry than the log has in its place, and were set aside.
    OtherHistory,
}

/// Why views do not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Their files, or redb, failed.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The log failed at the look-up of their last entry.
    #[error(transparent)]
    Log(#[from] LogError),
    /// They are ahead of the log.
    #[error(transparent)]
    Ahead(#[from] StartError),
}

/// How far views have come: the value of [`APPLIED`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Applied {
    /// Sequence of the last entry.
    sequence: u64,
    /// SHA-256 of its leaf; None in views of an earlier format.
    leaf: Option<[u8; 32]>,
    /// The highest key id in the entries so far.
    highest_key: u64,
}

impl Applied {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.sequence.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.leaf.unwrap_or_default());
        bytes.extend_from_slice(&self.highest_key.to_be_bytes());
        bytes
    }

    /// From earlier formats only the sequence is read.
    fn decode(bytes: &[u8]) -> Self {
        let part = |range: std::ops::Range<usize>| bytes.get(range).unwrap_or_default();
        Self {
            sequence: number(part(0..8)),
            leaf: part(8..40).try_into().ok(),
            highest_key: number(part(40..48)),
        }
    }
}

/// Opens the views of a ledger, or begins new ones if the old cannot be trusted.
pub fn open(
    path: &Path,
    ledger: Uuid,
    log: &mut dyn Log,
    projectors: Arc<[Box<dyn Projector>]>,
    disk: Arc<dyn Disk>,
) -> Result<(ViewWriter, Store, Rebuilt), OpenError> {
    let identity = FileIdentity::now(ledger);
    let place = ViewPlace {
        path: path.to_owned(),
        disk,
    };
    let (found, mut rebuilt) = place.left(&identity)?;
    if let Some((_, applied)) = &found {
        // Whether they can be trusted or not: no view is written before its entry is durable.
        let head = log.head()?;
        if applied.sequence > head {
            return Err(StartError::Ahead {
                views: applied.sequence,
                log: head,
            }
            .into());
        }
        if rebuilt == Rebuilt::No && !is_of(log, applied)? {
            rebuilt = Rebuilt::OtherHistory;
        }
    }
    let (database, applied) = match found.filter(|_| rebuilt == Rebuilt::No) {
        Some(found) => found,
        None => place.begin(&identity)?,
    };
    let store = Store {
        open: Arc::new(RwLock::new(OpenViews::of(database))),
        reached: Arc::new(AtomicU64::new(applied.sequence)),
    };
    let Applied {
        sequence,
        highest_key,
        ..
    } = applied;
    let leaf = leaf_of(log, sequence)?.unwrap_or_default();
    let writer = ViewWriter {
        store: store.clone(),
        place,
        projectors,
        identity,
        applied: sequence,
        leaf,
        highest_key,
        undurable: 0,
        durable: sequence,
    };
    Ok((writer, store, rebuilt))
}

/// The leaf of an entry of the log. None for sequence 0, or for an entry not found.
fn leaf_of(log: &mut dyn Log, sequence: u64) -> Result<Option<Vec<u8>>, LogError> {
    if sequence == 0 {
        return Ok(None);
    }
    Ok(log
        .read(sequence, 1)?
        .into_iter()
        .find(|entry| entry.leaf.seq == sequence)
        .map(|entry| entry.bytes))
}

/// Whether the log has the entry that views applied last.
fn is_of(log: &mut dyn Log, applied: &Applied) -> Result<bool, LogError> {
    Ok(leaf_of(log, applied.sequence)?.is_none_or(|leaf| applied.leaf == Some(sha256(&leaf))))
}

/// The last entry certainly applied by the views of a ledger. A log read afterwards has every entry up to
/// there, also beside a serving gateway; if not, entries are lost. The views are not changed. None without
/// views, with those of another ledger, or with unreadable ones.
pub fn reached(path: &Path, ledger: Uuid) -> Option<u64> {
    let left = left(&path.join("TRUST")).filter(|left| left.ledger == ledger)?;
    if left.clean {
        return Some(left.applied);
    }
    ViewPlace {
        path: path.to_owned(),
        disk: Arc::new(super::beheld::Beheld),
    }
    .open(false)
    .ok()
    .map(|(_, applied)| applied.sequence)
}

/// Sets the views aside: the next start makes them again.
pub fn discard(path: &Path) -> io::Result<()> {
    set_aside(path)
}

/// The identity of the views, from the file beside them. None if it cannot be read.
fn left(trust: &Path) -> Option<FileIdentity> {
    std::fs::read(trust)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

impl FileIdentity {
    /// Whether views left in this state count now.
    fn counts(&self, now: &Self) -> bool {
        self.ledger == now.ledger
            && self.format == now.format
            && (self.clean || (self.boot == now.boot && !now.boot.is_empty()))
    }
}

/// CRC-32C of a whole file.
fn sum_of(path: &Path) -> io::Result<u32> {
    let (mut file, mut sum) = (File::open(path)?, 0);
    let mut bytes = vec![0; 1 << 20];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(sum),
            length => sum = crc32c::crc32c_append(sum, bytes.get(..length).unwrap_or_default()),
        }
    }
}

fn mark(disk: &dyn Disk, trust: &Path, identity: &FileIdentity) -> io::Result<()> {
    let bytes = serde_json::to_vec(identity).map_err(io::Error::other)?;
    disk.replace(trust, &bytes)
}

/// Moves the views away. One earlier generation is kept, for inquiries.
fn set_aside(path: &Path) -> io::Result<()> {
    let aside = path.with_extension("aside");
    if aside.exists() {
        std::fs::remove_dir_all(&aside)?;
    }
    if path.exists() {
        std::fs::rename(path, &aside)
    } else {
        Ok(())
    }
}

fn closed() -> redb::Error {
    redb::Error::Io(io::Error::other("closed"))
}

impl OpenViews {
    fn of(database: Database) -> Self {
        Self {
            database: Some(Arc::new(database)),
            ..Self::default()
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

impl Store {
    /// The value of a name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, ViewError> {
        self.find(name.as_ref())
            .map_err(|error| ViewError(error.to_string()))
    }

    fn find(&self, name: &[u8]) -> Result<Option<Vec<u8>>, redb::Error> {
        let snapshot = self.snapshot()?;
        Ok(snapshot.table.get(name)?.map(|value| value.value().to_vec()))
    }

    fn open(&self) -> RwLockWriteGuard<'_, OpenViews> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.database.clone().ok_or_else(closed)
    }

    /// Lets the database go, and waits a moment for its present readers. Returns whether it is closed.
    fn let_go(&self) -> bool {
        let OpenViews {
            database, snapshot, ..
        } = std::mem::take(&mut *self.open());
        drop(snapshot);
        let Some(database) = database else { return true };
        let last = Arc::downgrade(&database);
        drop(database);
        let until = Instant::now() + READING;
        while last.strong_count() > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        last.strong_count() == 0
    }

    /// The present state. It is opened with the lock held: a write that ends meanwhile takes it away again.
    fn snapshot(&self) -> Result<Arc<Snapshot>, redb::Error> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &open.snapshot {
            return Ok(snapshot.clone());
        }
        drop(open);
        let mut open = self.open();
        if let Some(snapshot) = &open.snapshot {
            return Ok(snapshot.clone());
        }
        let database = open
            .database
            .clone()
            .filter(|_| !open.behind)
            .ok_or_else(closed)?;
        let table = database.begin_read()?.open_table(TABLE)?;
        let snapshot = Arc::new(Snapshot {
            table,
            _database: database,
        });
        open.snapshot = Some(snapshot.clone());
        Ok(snapshot)
    }

    fn write(
        &self,
        mut writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        applied: &Applied,
        durable: bool,
    ) -> Result<(), redb::Error> {
        // In the order of the tree, neighbours after each other; of the same name the last counts, and keeps
        // its place behind the others.
        writes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut writing = self.database()?.begin_write()?;
        if !durable {
            writing.set_durability(Durability::None)?;
        }
        {
            let mut table = writing.open_table(TABLE)?;
            for (name, value) in writes {
                match value {
                    Some(value) => drop(table.insert(name.as_slice(), value.as_slice())?),
                    None => drop(table.remove(name.as_slice())?),
                }
            }
            table.insert(APPLIED, applied.encode().as_slice())?;
        }
        writing.commit()?;
        self.open().snapshot = None;
        Ok(())
    }

    /// All names with a prefix, in order, with their values.
    pub fn scan(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<Pair>, ViewError> {
        let prefix = prefix.as_ref();
        let scan = || -> Result<Vec<Pair>, redb::Error> {
            let snapshot = self.snapshot()?;
            let mut found = Vec::new();
            for pair in snapshot.table.range(prefix..)? {
                let (name, value) = pair?;
                if !name.value().starts_with(prefix) {
                    break;
                }
                found.push((name.value().to_vec(), value.value().to_vec()));
            }
            Ok(found)
        };
        scan().map_err(|error| ViewError(error.to_string()))
    }

    /// Up to `limit` names of a prefix, in order, after a given one: a page at a time, for very many names.
    pub fn scan_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<Pair>, ViewError> {
        let scan = || -> Result<Vec<Pair>, redb::Error> {
            let snapshot = self.snapshot()?;
            let mut found = Vec::new();
            for pair in snapshot.table.range(prefix.max(after)..)? {
                let (name, value) = pair?;
                if !name.value().starts_with(prefix) || found.len() == limit {
                    break;
                }
                if name.value() != after {
                    found.push((name.value().to_vec(), value.value().to_vec()));
                }
            }
            Ok(found)
        };
        scan().map_err(|error| ViewError(error.to_string()))
    }

    /// The version of a name: the sequence of the last entry to advance it; 0: it was never advanced.
    pub fn version(&self, key: &str) -> Result<u64, ViewError> {
        Ok(self.get(version_name(key))?.map_or(0, |bytes| number(&bytes)))
    }

    /// Sequence of the last entry applied for every reading from now on. A
    /// [`Precondition`](crate::ledger::Precondition) of the reading has `seen` it.
    pub fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    /// Sequence of the last entry these views have written.
    pub fn applied(&self) -> Result<u64, ViewError> {
        Ok(self
            .get(APPLIED)?
            .map_or(0, |bytes| Applied::decode(&bytes).sequence))
    }
}

impl Views for ViewWriter {
    fn version(&self, key: &str) -> Result<u64, ViewError> {
        self.store.version(key)
    }

    fn keys(&self) -> Result<u64, ViewError> {
        Ok(self.highest_key.max(keys_seen(&self.store)?))
    }

    fn recover(&mut self, log: &mut dyn Log) -> Result<(), ViewError> {
        // After an error redb does nothing more with a file until it is opened again. Present readers finish
        // first.
        self.store.let_go();
        let (database, applied) = match self.place.open(false) {
            Err(NotOpened::Damaged(why)) => {
                tracing::error!(why, "the views are damaged: they are made again");
                self.place.begin(&self.identity)?
            }
            opened => opened?,
        };
        let leaf = leaf_of(log, applied.sequence).map_err(|error| ViewError(error.to_string()))?;
        *self.store.open() = OpenViews {
            behind: applied.sequence < self.store.reached(),
            ..OpenViews::of(database)
        };
        self.leaf = leaf.unwrap_or_default();
        (self.applied, self.durable, self.undurable) = (applied.sequence, applied.sequence, 0);
        self.highest_key = self.highest_key.max(applied.highest_key);
        Ok(())
    }

    fn distrust(&mut self) {
        // Without this file the views are not trusted, even with the same boot id.
        let _ = std::fs::remove_file(self.place.trust());
    }
}

impl Follower for ViewWriter {
    fn name(&self) -> &'static str {
        "views"
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn apply(&mut self, entries: &[Entry], _: Origin) -> Result<(), ViewError> {
        let Some(last) = entries.last() else { return Ok(()) };
        self.take(entries, last)?;
        self.reach();
        Ok(())
    }

    fn idle(&mut self) -> Result<(), ViewError> {
        if self.undurable > 0 || self.applied - self.durable >= BEHIND / 20 {
            self.write(Vec::new(), self.applied, true)
        } else {
            Ok(())
        }
    }

    fn close(&mut self) -> Result<(), ViewError> {
        self.write(Vec::new(), self.applied, true)?;
        // The present readers finish first; the last of them closes the database.
        let closed = self.store.let_go();
        let sum = closed.then(|| sum_of(&self.place.path.join(FILE)).ok()).flatten();
        let clean = FileIdentity {
            clean: true,
            applied: self.applied,
            sum,
            ..self.identity.clone()
        };
        mark(self.place.disk.as_ref(), &self.place.trust(), &clean)
            .map_err(|error| ViewError(error.to_string()))
    }
}

impl ViewWriter {
    /// Applies entries; the last one is `last`.
    fn take(&mut self, entries: &[Entry], last: &Entry) -> Result<(), ViewError> {
        made(entries.len() as u64);
        self.leaf.clone_from(&last.bytes);
        let named = entries
            .iter()
            .filter_map(|entry| seal::key_id(&entry.sealed))
            .max();
        self.highest_key = self.highest_key.max(named.unwrap_or_default().into());
        let mut writes = Writes::default();
        for entry in entries {
            project_versions(entry, &mut writes);
            self.projectors
                .iter()
                .for_each(|projector| projector.project(entry, &mut writes));
        }
        if writes.0.is_empty() {
            // Most exchanges change no view. Their sequence is written with the next change, or once they are
            // many. Until then a start applies them again, to no effect.
            self.applied = last.leaf.seq;
            return if self.applied - self.durable < BEHIND {
                Ok(())
            } else {
                self.write(Vec::new(), self.applied, true)
            };
        }
        let durable = self.undurable >= UNDURABLE || last.leaf.seq - self.durable >= BEHIND;
        self.write(writes.0, last.leaf.seq, durable)
    }

    /// Tells readers how far the views are. After a recovery they read again once the views are as far as
    /// before.
    fn reach(&self) {
        if self.applied >= self.store.reached() {
            self.store.reached.store(self.applied, Ordering::Release);
            self.store.open().behind = false;
        }
    }

    fn write(
        &mut self,
        writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        applied: u64,
        durable: bool,
    ) -> Result<(), ViewError> {
        let reached = Applied {
            sequence: applied,
            leaf: Some(sha256(&self.leaf)),
            highest_key: self.highest_key,
        };
        let written = catch_unwind(AssertUnwindSafe(|| self.store.write(writes, &reached, durable)));
        match written {
            Ok(result) => result.map_err(|error| ViewError(error.to_string()))?,
            Err(_) => return Err(ViewError("redb panicked".to_owned())),
        }
        self.applied = applied;
        if durable {
            (self.durable, self.undurable) = (applied, 0);
        } else {
            self.undurable += 1;
        }
        Ok(())
    }
}

/// The number of records in the keyring, by its last record in the ledger. With fewer, keys of entries are
/// missing, and new ones would take their ids.
fn keys_seen(store: &Store) -> Result<u64, ViewError> {
    Ok(store
        .get(KEYS)?
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_be_bytes))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ledger::batch::Raw;
    use crate::ledger::disk::RealDisk;
    use crate::ledger::log::{AppendError, Appended, BatchId};
    use crate::ledger::{Body, Kind, Leaf, Position, Retention};

    /// A log with all entries given to the views here.
    struct Endless;

    impl Log for Endless {
        fn head(&self) -> Result<u64, LogError> {
            Ok(u64::MAX)
        }

        fn settle(&mut self, _: BatchId) -> Result<Option<Vec<Position>>, LogError> {
            Ok(None)
        }

        fn append(&mut self, _: BatchId, _: &[Raw], _: u64) -> Result<Appended, AppendError> {
            Err(AppendError::Unavailable(io::Error::other("read only")))
        }

        fn read(&mut self, _: u64, _: usize) -> Result<Vec<Entry>, LogError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn what_changes_nothing_is_written_when_it_is_much() {
        let home = tempfile::tempdir().unwrap();
        let views = home.path().join("views");
        let begin = || {
            open(
                &views,
                Uuid::nil(),
                &mut Endless,
                Arc::from(Vec::new()),
                Arc::new(RealDisk),
            )
            .unwrap()
        };
        let entry = |seq| {
            let body = Body::new(
                Kind::Exchange,
                Retention::Consultazione,
                Uuid::nil(),
                Timestamp::UNIX_EPOCH,
            );
            let position = Position::nowhere(seq);
            let leaf = Leaf {
                v: 1,
                ledger: Uuid::nil(),
                seq,
                recorded: String::new(),
                body,
            };
            [Entry {
                bytes: Vec::new(),
                leaf,
                sealed: bytes::Bytes::new(),
                position,
            }]
        };
        let (mut writer, store, _) = begin();
        writer.apply(&entry(1), Origin::Here).unwrap();
        writer.idle().unwrap();
        assert_eq!((writer.applied(), store.applied().unwrap()), (1, 0));
        writer.apply(&entry(BEHIND / 20), Origin::Here).unwrap();
        writer.idle().unwrap();
        assert_eq!(store.applied().unwrap(), BEHIND / 20);
        writer.apply(&entry(2 * BEHIND), Origin::Here).unwrap();
        assert_eq!(store.applied().unwrap(), 2 * BEHIND);
        // The process dies, and comes again; then it stops.
        writer.apply(&entry(2 * BEHIND + 1), Origin::Here).unwrap();
        drop(std::mem::take(&mut *store.open()));
        let (mut writer, store, rebuilt) = begin();
        assert_eq!((writer.applied(), rebuilt), (2 * BEHIND, Rebuilt::No));
        writer.apply(&entry(2 * BEHIND + 2), Origin::Here).unwrap();
        writer.close().unwrap();
        assert!(store.applied().is_err(), "closed");
        assert_eq!(begin().0.applied(), 2 * BEHIND + 2);
    }
}
