//! Signing: a thread of its own signs the tree at most a second after it has grown. No reply waits for it.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::checkpoint::{Signed, Slots};
use super::epoch::Epoch;
use super::note::TreeHead;
use crate::ledger::log::REMEDY;
use crate::ledger::tree::{Compared, Differs, Tree};
use crate::ledger::{LogError, Reader};

/// Interval between two looks at the tree.
const EVERY: Duration = Duration::from_secs(1);

/// Why a ledger does not agree with its last checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum Contradiction {
    /// It is shorter.
    #[error("l'ultimo checkpoint firmato ha {signed} voci, il registro {log}: mancano le voci dalla {} ({remedy})", log + 1, remedy = REMEDY)]
    Shorter {
        /// Entries of the checkpoint.
        signed: u64,
        /// Entries of the log.
        log: u64,
    },
    /// An entry is another.
    #[error("il registro non è quello dell'ultimo checkpoint firmato, con {signed} voci: {} ({remedy})", place(*first), remedy = REMEDY)]
    Changed {
        /// Entries of the checkpoint.
        signed: u64,
        /// The first other entry, as far as the tiles tell.
        first: Option<u64>,
    },
    /// The checkpoint cannot be read.
    #[error("evidence/checkpoint: {}", crate::italian::io(.0))]
    Io(#[from] io::Error),
}

impl Contradiction {
    /// Entries of the checkpoint, if it was read.
    pub fn signed(&self) -> Option<u64> {
        match self {
            Self::Shorter { signed, .. } | Self::Changed { signed, .. } => Some(*signed),
            Self::Io(_) => None,
        }
    }
}

fn place(first: Option<u64>) -> String {
    first.map_or_else(
        || "una di loro è cambiata".to_owned(),
        |first| format!("la prima cambiata è la {first}"),
    )
}

/// Compares the tree of a log with the last checkpoint signed for it under an origin. One of another origin
/// binds nobody any more: the ledger says why a new epoch began.
pub fn agrees(evidence: &Path, origin: &str, tree: &Tree, reader: &dyn Reader) -> Result<(), Contradiction> {
    let last = super::checkpoint::last(evidence)?;
    let Some(Signed { head, .. }) = last.filter(|signed| signed.head.origin == origin) else {
        return Ok(());
    };
    let (signed, log) = (head.size, tree.head().0);
    if signed > log {
        return Err(Contradiction::Shorter { signed, log });
    }
    tree.write()?;
    let root = tree.tiles().root(signed).map_err(io::Error::other)?;
    if root == head.root {
        return Ok(());
    }
    Err(Contradiction::Changed {
        signed,
        first: first_changed(tree, reader, signed),
    })
}

/// The first leaf with another hash in the tiles.
fn first_changed(tree: &Tree, reader: &dyn Reader, signed: u64) -> Option<u64> {
    let mut compared = Compared::new(Some(tree.directory().to_owned()));
    let read: Result<_, LogError> = reader.verify(&mut |entry| compared.add(entry.leaf.seq, &entry.bytes));
    match (read, compared.differs()) {
        (Ok(_), Some(Differs::Leaf(first))) if first <= signed => Some(first),
        _ => None,
    }
}

/// Signs on a thread of its own. Dropping it signs the present tree, and ends it.
#[derive(Debug)]
pub struct Signing {
    turn: Arc<SigningTurn>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    abandoned: bool,
}

#[derive(Debug)]
struct SigningTurn {
    tree: Tree,
    epoch: Epoch,
    kept: Mutex<(Slots, Option<Signed>)>,
    /// Whether the last attempt to sign failed.
    failing: AtomicBool,
}

impl SigningTurn {
    /// Signs the tree, if it has grown.
    fn sign(&self) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, root) = self.tree.head();
        let origin = self.epoch.key.name();
        let known = kept.1.as_ref().filter(|signed| signed.head.origin == origin);
        if known.is_some_and(|signed| signed.head.size >= size) {
            return Ok(());
        }
        // Whoever has a checkpoint may ask for its tiles.
        self.tree.write()?;
        let head = TreeHead {
            origin: origin.to_owned(),
            size,
            root,
        };
        let note = self.epoch.key.sign(&head.text());
        kept.0.write(&note)?;
        kept.1 = Some(Signed { head, note });
        Ok(())
    }
}

impl Signing {
    /// Begins to sign a tree. It agrees with the last checkpoint of its origin: [`agrees`].
    pub fn start(evidence: &Path, tree: &Tree, epoch: Epoch) -> io::Result<Self> {
        let turn = Arc::new(SigningTurn {
            tree: tree.clone(),
            epoch,
            kept: Mutex::new(Slots::open(evidence)?),
            failing: AtomicBool::new(false),
        });
        let (stop, stopped) = channel();
        let own = turn.clone();
        let thread = std::thread::Builder::new()
            .name("evidence".to_owned())
            .spawn(move || {
                loop {
                    let signed = own.sign();
                    let failed = own.failing.swap(signed.is_err(), Ordering::Relaxed);
                    if let Err(error) = &signed
                        && !failed
                    {
                        tracing::error!(%error, "no checkpoint can be signed");
                    }
                    if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                }
            })?;
        Ok(Self {
            turn,
            stop: Some(stop),
            thread: Some(thread),
            abandoned: false,
        })
    }
}

/// How far a tree is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedSoFar {
    /// Entries of the last checkpoint, of whatever epoch; 0: there is none.
    pub entries: u64,
    /// Whether the last attempt to sign failed.
    pub failing: bool,
}

impl Signing {
    /// How far the tree is signed.
    pub fn so_far(&self) -> SignedSoFar {
        let kept = self.turn.kept.lock().unwrap_or_else(PoisonError::into_inner);
        SignedSoFar {
            entries: kept.1.as_ref().map_or(0, |signed| signed.head.size),
            failing: self.turn.failing.load(Ordering::Relaxed),
        }
    }

    /// Ends it: nothing more is signed under this origin.
    pub fn abandon(mut self) {
        self.abandoned = true;
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if self.abandoned {
            return;
        }
        if let Err(error) = self.turn.sign() {
            tracing::error!(%error, "no checkpoint can be signed");
        }
    }
}
