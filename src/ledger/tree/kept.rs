//! The tree kept beside the segments: a follower of the log hashes each leaf, and a thread writes tiles.
//!
//! Tiles are derived. They are written without a sync, at most a second after their entries. A **mark** names
//! the size at their last sync, with its root: a start goes on from there, whatever happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use uuid::Uuid;

use super::growing::{Growing, TreeHash, leaf_hash};
use super::{Tiles, WIDTH, tile_path};
use crate::digest::hex;
use crate::ledger::disk::replace;
use crate::ledger::follow::{Follower, Origin, ViewError};
use crate::ledger::leaf::Entry;

/// Interval between two writings of tiles.
const EVERY: Duration = Duration::from_secs(1);
/// Leaves between two syncs of the tiles, with their marks.
const MARKED: u64 = 65_536;
/// Turns of the thread without a new leaf after which they are synced, too: then it disturbs nobody.
const QUIET: u32 = 10;
/// Leaves added before tiles are written at once: a whole log is read at the making of a tree.
const MOST: u64 = 65_536;
/// The file with the mark, among the tiles.
const MARK: &str = "mark";

/// The tree of a ledger, for reading its present size and root, and for proofs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tree {
    directory: PathBuf,
    state: Arc<Mutex<TreeState>>,
    /// Held while tiles are written: two writers would take the same hashes.
    writing: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct TreeState {
    growing: Growing,
    /// By level and number of a tile: the place of its first hash not yet written, and the hashes from there.
    unwritten: BTreeMap<(u32, u64), (u64, Vec<TreeHash>)>,
    /// Size reached by written tiles.
    written: u64,
    /// Size reached by synced ones.
    marked: u64,
    /// Tiles written since, and not synced.
    unsynced: BTreeSet<(u32, u64)>,
}

impl TreeState {
    fn add(&mut self, leaf: TreeHash) {
        let unwritten = &mut self.unwritten;
        self.growing.add(leaf, &mut |level, place, hash| {
            let tile = unwritten.entry((level, place / WIDTH));
            tile.or_insert_with(|| (place % WIDTH, Vec::new())).1.push(*hash);
        });
    }
}

/// Adds the leaves of entries to a tree, for the committer.
#[derive(Debug)]
pub struct TreeFollower {
    tree: Tree,
    ledger: Uuid,
    /// Ends the thread: dropped at the close.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tree {
    /// Opens the tiles below a directory, as far as they were marked and a log with this head has them; or
    /// begins new ones. The follower is brought up to the log by its committer.
    pub fn open(directory: &Path, ledger: Uuid, head: u64) -> io::Result<(Self, TreeFollower)> {
        let growing = match marked(directory, ledger, head) {
            Some(growing) => growing,
            None => {
                clear(directory)?;
                Growing::default()
            }
        };
        let (written, marked) = (growing.size, growing.size);
        cut(directory, &growing)?;
        let tree = Self {
            directory: directory.to_owned(),
            writing: Arc::default(),
            state: Arc::new(Mutex::new(TreeState {
                growing,
                written,
                marked,
                ..TreeState::default()
            })),
        };
        let (stop, stopped) = channel();
        let keeping = tree.clone();
        let thread = std::thread::Builder::new()
            .name("tree".to_owned())
            .spawn(move || {
                let (mut failed, mut size, mut quiet) = (false, 0, 0);
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                    let now = keeping.state().growing.size;
                    quiet = if now == size { quiet + 1 } else { 0 };
                    size = now;
                    let kept = keeping.write().and_then(|()| {
                        let unmarked = keeping.unmarked();
                        if unmarked >= MARKED || (unmarked > 0 && quiet >= QUIET) {
                            keeping.mark(ledger)
                        } else {
                            Ok(())
                        }
                    });
                    if let Err(error) = &kept
                        && !failed
                    {
                        tracing::error!(%error, "the tiles of the tree cannot be written");
                    }
                    failed = kept.is_err();
                }
            })?;
        let follower = TreeFollower {
            tree: tree.clone(),
            ledger,
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((tree, follower))
    }

    fn state(&self) -> MutexGuard<'_, TreeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory of its tiles.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Number of leaves, and the root of all of them.
    pub fn head(&self) -> (u64, TreeHash) {
        let state = self.state();
        (state.growing.size, state.growing.root())
    }

    /// Number of leaves with written tiles: proofs reach so far.
    pub fn written(&self) -> u64 {
        self.state().written
    }

    /// Leaves added since tiles were last synced.
    fn unmarked(&self) -> u64 {
        let state = self.state();
        state.written - state.marked
    }

    /// The tiles, for reading.
    pub fn tiles(&self) -> Tiles {
        Tiles::new(self.directory.clone())
    }

    /// Writes the tiles of the leaves added since the last time. After an error they wait for the next.
    pub fn write(&self) -> io::Result<()> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, tiles) = {
            let state = self.state();
            (state.growing.size, state.unwritten.clone())
        };
        for (&(level, number), (from, hashes)) in &tiles {
            let path = self.directory.join(tile_path(level, number));
            tile(&path)?.write_all_at(hashes.as_flattened(), 32 * from)?;
        }
        let mut state = self.state();
        for (key, (_, written)) in tiles {
            state.unsynced.insert(key);
            if let Some((from, hashes)) = state.unwritten.get_mut(&key) {
                // More may have come meanwhile.
                hashes.drain(..written.len());
                *from += written.len() as u64;
                if hashes.is_empty() {
                    state.unwritten.remove(&key);
                }
            }
        }
        state.written = size;
        Ok(())
    }

    /// Syncs the tiles written so far, and marks their size.
    fn mark(&self, ledger: Uuid) -> io::Result<()> {
        let (size, unsynced) = {
            let mut state = self.state();
            (state.written, std::mem::take(&mut state.unsynced))
        };
        let synced = self.sync(ledger, size, &unsynced);
        let mut state = self.state();
        match synced {
            Ok(()) => state.marked = size,
            Err(_) => state.unsynced.extend(unsynced),
        }
        synced
    }

    fn sync(&self, ledger: Uuid, size: u64, unsynced: &BTreeSet<(u32, u64)>) -> io::Result<()> {
        let mut directories = BTreeSet::from([self.directory.clone()]);
        for &(level, number) in unsynced {
            let path = self.directory.join(tile_path(level, number));
            File::open(&path)?.sync_data()?;
            let above = path.ancestors().skip(1);
            directories.extend(
                above
                    .take_while(|path| **path != self.directory)
                    .map(Path::to_owned),
            );
        }
        for directory in directories {
            File::open(directory)?.sync_all()?;
        }
        let root = self.tiles().root(size).map_err(io::Error::other)?;
        replace(&self.directory.join(MARK), line(ledger, size, &root).as_bytes())
    }
}

impl Follower for TreeFollower {
    fn name(&self) -> &'static str {
        "tree"
    }

    fn applied(&self) -> u64 {
        self.tree.state().growing.size
    }

    fn apply(&mut self, entries: &[Entry], _: Origin) -> Result<(), ViewError> {
        let hashes: Vec<TreeHash> = entries.iter().map(|entry| leaf_hash(&entry.bytes)).collect();
        self.take(&hashes).map_err(|error| ViewError(error.to_string()))
    }

    fn close(&mut self) -> Result<(), ViewError> {
        self.end();
        let closed = self.tree.write().and_then(|()| self.tree.mark(self.ledger));
        closed.map_err(|error| ViewError(error.to_string()))
    }
}

impl TreeFollower {
    pub(super) fn take(&mut self, leaves: &[TreeHash]) -> io::Result<()> {
        let waiting = {
            let mut state = self.tree.state();
            leaves.iter().for_each(|leaf| state.add(*leaf));
            state.growing.size - state.written
        };
        if waiting < MOST { Ok(()) } else { self.tree.write() }
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for TreeFollower {
    fn drop(&mut self) {
        self.end();
    }
}

/// The line of a mark.
fn line(ledger: Uuid, size: u64, root: &TreeHash) -> String {
    format!("VARCO-TREE 1 {ledger} {size} {}\n", hex(root))
}

/// The size of the mark; 0: there is none.
pub(super) fn synced(directory: &Path) -> u64 {
    let said = std::fs::read_to_string(directory.join(MARK)).unwrap_or_default();
    let size = said.split(' ').nth(3).and_then(|size| size.parse().ok());
    size.unwrap_or_default()
}

/// The tree at the size of the mark. `None`: there is no mark for this ledger, its log is shorter, or the
/// tiles are others.
fn marked(directory: &Path, ledger: Uuid, head: u64) -> Option<Growing> {
    let said = std::fs::read_to_string(directory.join(MARK)).ok()?;
    let size: u64 = said.split(' ').nth(3)?.parse().ok()?;
    if size > head {
        return None;
    }
    let mut tiles = Tiles::new(directory.to_owned());
    let (mut growing, mut hashes, mut level) = (Growing::default(), size, 0);
    growing.size = size;
    while hashes > 0 {
        let last = tiles.hashes(level, hashes / WIDTH, hashes % WIDTH);
        let partial = if hashes.is_multiple_of(WIDTH) {
            Ok([].as_slice())
        } else {
            last
        };
        growing.levels.push(partial.ok()?.to_vec());
        (hashes, level) = (hashes / WIDTH, level + 1);
    }
    (said == line(ledger, size, &growing.root())).then_some(growing)
}

/// Removes all tiles.
fn clear(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(directory)
}

/// Cuts off hashes written after the mark: a log without some entries since has others there.
fn cut(directory: &Path, growing: &Growing) -> io::Result<()> {
    for level in 0..8 {
        let width = growing.levels.get(level as usize).map_or(0, Vec::len);
        let number = WIDTH
            .checked_pow(level + 1)
            .map_or(0, |leaves| growing.size / leaves);
        let path = |number| directory.join(tile_path(level, number));
        let first = number + u64::from(width > 0);
        if width > 0 {
            let file = OpenOptions::new().write(true).open(path(number))?;
            file.set_len(32 * width as u64)?;
        }
        for later in (first..).map(path).take_while(|path| path.exists()) {
            std::fs::remove_file(later)?;
        }
    }
    Ok(())
}

/// Opens a tile for writing. It is made where it is missing, with the directories above it.
fn tile(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    match (options.open(path), path.parent()) {
        (Err(error), Some(above)) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(above)?;
            options.open(path)
        }
        (opened, _) => opened,
    }
}
