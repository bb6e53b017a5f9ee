//! The view store: sled, one tree, one writer.
//!
//! Views hold what is small and current: enti, heads of DSU, idempotence keys, versions. They hold tokens and positions, never a codice fiscale, a name or a
//! DSU. They are rebuilt from the ledger at any time, so the only question is when they may be trusted:
//!
//! - after a clean stop, which syncs every file of sled's before it says so (sled's own `flush` does not fsync on Linux);
//! - after the mere death of the process (same boot id): what it had given to the kernel is there;
//! - never after anything else, nor if they are of another ledger or format, ahead of the log, or sled complains: then they are set aside and
//!   made again.
//!
//! Every batch of entries that changes anything is applied atomically, together with the sequence it reaches.

pub mod numbers;

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ledger::committer::{project_versions, version_name};
use crate::ledger::{Entry, Projector, ViewError, Views, Writes};

/// Format of the views: another one means a rebuild.
const FORMAT: u32 = 3;
const APPLIED: &[u8] = b"m/applied";
/// Memory for sled's cache, bytes.
const CACHE: u64 = 64 << 20;

/// A name and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The views, for reading. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    tree: sled::Db,
}

/// The views, for the committer.
pub struct Writer {
    store: Store,
    projectors: Arc<[Box<dyn Projector>]>,
    trust: PathBuf,
    identity: Identity,
    applied: u64,
}

/// Whose views these are, and in which state they were left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    ledger: Uuid,
    format: u32,
    boot: String,
    clean: bool,
}

/// Why views were made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuilt {
    /// They were trusted.
    No,
    /// There were none.
    Missing,
    /// They could not be trusted, and were set aside.
    Untrusted,
}

/// Opens the views of a ledger, or begins new ones where the old cannot be trusted. `head` is the log's: views ahead of it are of another moment.
pub fn open(path: &Path, ledger: Uuid, head: u64, projectors: Arc<[Box<dyn Projector>]>) -> Result<(Writer, Store, Rebuilt), ViewError> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned();
    let identity = Identity { ledger, format: FORMAT, boot, clean: false };
    let trust = path.join("TRUST");
    let mut rebuilt = Rebuilt::No;
    if !path.exists() {
        rebuilt = Rebuilt::Missing;
    } else if !trusted(&trust, &identity) {
        rebuilt = Rebuilt::Untrusted;
    }
    let io_error = |error: io::Error| ViewError(error.to_string());
    let mut opened = None;
    if rebuilt == Rebuilt::No {
        // sled writes while it opens: before it does, the clean stop is over.
        mark(&trust, &identity).map_err(io_error)?;
        opened = open_tree(path).ok();
    }
    if opened.as_ref().is_none_or(|(_, applied)| *applied > head) {
        if rebuilt == Rebuilt::No {
            rebuilt = Rebuilt::Untrusted;
        }
        opened = None;
    }
    let (store, applied) = match opened {
        Some(opened) => opened,
        None => {
            set_aside(path).map_err(|error| ViewError(format!("cannot be set aside: {error}")))?;
            std::fs::create_dir_all(path).and_then(|()| mark(&trust, &identity)).map_err(io_error)?;
            open_tree(path)?
        }
    };
    Ok((Writer { store: store.clone(), projectors, trust, identity, applied }, store, rebuilt))
}

/// Sets the views aside, so that the next start makes them again.
pub fn discard(path: &Path) -> io::Result<()> {
    set_aside(path)
}

fn trusted(trust: &Path, now: &Identity) -> bool {
    let Some(then) = std::fs::read(trust).ok().and_then(|bytes| serde_json::from_slice::<Identity>(&bytes).ok()) else { return false };
    then.ledger == now.ledger && then.format == now.format && (then.clean || (then.boot == now.boot && !now.boot.is_empty()))
}

fn mark(trust: &Path, identity: &Identity) -> io::Result<()> {
    let bytes = serde_json::to_vec(identity).map_err(io::Error::other)?;
    crate::ledger::disk::replace(trust, &bytes)
}

/// sled may panic on what it finds: that is a reason to make the views again, not to die.
fn open_tree(path: &Path) -> Result<(Store, u64), ViewError> {
    let opened = catch_unwind(AssertUnwindSafe(|| -> Result<(Store, u64), sled::Error> {
        let tree = sled::Config::new().path(path.join("sled")).cache_capacity(CACHE).open()?;
        let applied = tree.get(APPLIED)?.map_or(0, |bytes| number(&bytes));
        Ok((Store { tree }, applied))
    }));
    match opened {
        Ok(opened) => opened.map_err(|error| ViewError(error.to_string())),
        Err(_) => Err(ViewError("sled panicked".to_owned())),
    }
}

/// One earlier generation is kept, for whoever wants to know what happened.
fn set_aside(path: &Path) -> io::Result<()> {
    let aside = path.with_extension("aside");
    if aside.exists() {
        std::fs::remove_dir_all(&aside)?;
    }
    if path.exists() { std::fs::rename(path, &aside) } else { Ok(()) }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

impl Store {
    /// The value of a name.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, ViewError> {
        self.tree.get(name).map(|found| found.map(|bytes| bytes.to_vec())).map_err(|error| ViewError(error.to_string()))
    }

    /// All names with a prefix, in order, with their values.
    pub fn scan(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<Pair>, ViewError> {
        self.tree
            .scan_prefix(prefix)
            .map(|pair| pair.map(|(name, value)| (name.to_vec(), value.to_vec())).map_err(|error| ViewError(error.to_string())))
            .collect()
    }

    /// The version of a name of preconditions: 0 if it was never advanced.
    pub fn version(&self, key: &str) -> Result<u64, ViewError> {
        Ok(self.get(version_name(key))?.map_or(0, |bytes| number(&bytes)))
    }

    /// Sequence of the last entry that these views hold, as far as they have written it.
    pub fn applied(&self) -> Result<u64, ViewError> {
        Ok(self.get(APPLIED)?.map_or(0, |bytes| number(&bytes)))
    }

    /// Everything: for comparing views with a rebuild.
    pub fn dump(&self) -> Result<Vec<Pair>, ViewError> {
        self.scan(b"")
    }
}

impl Views for Writer {
    fn applied(&self) -> u64 {
        self.applied
    }

    fn version(&self, key: &str) -> Result<u64, ViewError> {
        self.store.version(key)
    }

    fn apply(&mut self, entries: &[Entry]) -> Result<(), ViewError> {
        let Some(last) = entries.last() else { return Ok(()) };
        let mut writes = Writes::default();
        for entry in entries {
            project_versions(entry, &mut writes);
            self.projectors.iter().for_each(|projector| projector.project(entry, &mut writes));
        }
        if writes.0.is_empty() {
            // Most exchanges change no view. How far they reach is written with the next that does, or at the clean stop; until then a start applies
            // them again, to no effect.
            self.applied = last.leaf.seq;
            return Ok(());
        }
        let mut batch = sled::Batch::default();
        for (name, value) in writes.0 {
            match value {
                Some(value) => batch.insert(name, value),
                None => batch.remove(name),
            }
        }
        batch.insert(APPLIED, &last.leaf.seq.to_be_bytes());
        let applied = catch_unwind(AssertUnwindSafe(|| self.store.tree.apply_batch(batch)));
        let result = match applied {
            Ok(result) => result.map_err(|error| ViewError(error.to_string())),
            Err(_) => Err(ViewError("sled panicked".to_owned())),
        };
        result?;
        self.applied = last.leaf.seq;
        Ok(())
    }

    fn distrust(&mut self) {
        // Whatever the boot id says.
        let _ = std::fs::remove_file(&self.trust);
    }

    fn close(&mut self) -> Result<(), ViewError> {
        self.store.tree.insert(APPLIED, &self.applied.to_be_bytes()).map_err(|error| ViewError(error.to_string()))?;
        self.store.tree.flush().map_err(|error| ViewError(error.to_string()))?;
        let directory = self.trust.with_file_name("sled");
        let clean = Identity { clean: true, ..self.identity.clone() };
        sync_all(&directory).and_then(|()| mark(&self.trust, &clean)).map_err(|error| ViewError(error.to_string()))
    }
}

fn sync_all(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(directory)?.sync_all()
}
