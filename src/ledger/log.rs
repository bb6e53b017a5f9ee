//! The seam between the committer and what keeps the batches: segment files, or memory in tests, or something replicated one day.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::{Raw, entry_checksum};
use super::leaf::{Entry, Position};

/// What keeps the batches, in one order for all who append.
pub trait Log: Send {
    /// Sequence of the last entry; 0 if there is none.
    fn head(&self) -> u64;
    /// Appends a batch durably if the head still is `expected_head`; else says what came in between.
    fn append(&mut self, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError>;
    /// Entries from a sequence on, at most about that many bytes of them; none at the end.
    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<Entry>, LogError>;
    /// Gives all entries from a sequence on to `each`, checked, about that many bytes of them at a time, as long as it says true.
    fn scan(&mut self, from: u64, bytes: usize, each: &mut dyn FnMut(&[Entry]) -> bool) -> Result<(), LogError> {
        let mut next = from;
        while next <= self.head() {
            let entries = self.read(next, bytes)?;
            let Some(last) = entries.last() else { break };
            next = last.leaf.seq + 1;
            if !each(&entries) {
                break;
            }
        }
        Ok(())
    }
    /// Called once, after the last append of a clean stop.
    fn close(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}

/// Reads single entries while others append.
pub trait Reader: Send + Sync {
    /// The entry at a position.
    fn entry(&self, position: &Position) -> Result<Entry, LogError>;
}

/// What an append did.
#[derive(Debug)]
pub enum Appended {
    /// Where the entries are, in order.
    Positions(Vec<Position>),
    /// Nothing was appended: these came in between.
    Behind(Vec<Entry>),
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// May pass: no space, a short write, an I/O error. The log is as it was before.
    #[error("non scritto: {}", crate::italian::io(.0))]
    Unavailable(io::Error),
    /// Final for the process: what is on disk is not known any more.
    #[error("non si sa se è sul disco: {}", crate::italian::io(.0))]
    Fatal(io::Error),
}

/// Why a log cannot be read or opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file.
    #[error("{file}: {}", crate::italian::io(error))]
    Io {
        /// Its name.
        file: String,
        /// What went wrong.
        error: io::Error,
    },
    /// Corruption, and where.
    #[error("il registro è danneggiato: {file}, offset {offset}: {what} ({remedy})", remedy = REMEDY)]
    Corrupt {
        /// The segment's name.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A closed segment ends before its successor says: entries at its end are lost.
    #[error("{file} è più corto dei {wanted} byte che il segmento successivo attesta: mancano voci ({remedy})", remedy = REMEDY)]
    Shorter {
        /// The segment's name.
        file: String,
        /// Its length, by its successor.
        wanted: u64,
    },
    /// A segment between two others is not there.
    #[error("manca il segmento con le voci da {from} a {to} ({remedy})", remedy = REMEDY)]
    Gap {
        /// Sequence of the first entry that is missing.
        from: u64,
        /// Sequence of the last.
        to: u64,
    },
    /// `HEAD` is missing or damaged: nothing else tells a shortened log from a whole one.
    #[error("ledger/HEAD manca o è danneggiato: non si può dire se il registro è intero ({remedy})", remedy = REMEDY)]
    Head,
    /// The log ends before `HEAD` says: entries at its end are lost.
    #[error("{file}, byte {offset}: il registro finisce prima della voce {sequence}, che secondo HEAD c'era ({remedy})", remedy = REMEDY)]
    Missing {
        /// The last segment's name.
        file: String,
        /// The end of the last whole batch.
        offset: u64,
        /// Sequence of the last entry that must be there.
        sequence: u64,
    },
}

impl LogError {
    /// The damage and its place, without the remedy.
    pub fn place(&self) -> String {
        let text = self.to_string();
        text.strip_suffix(&format!(" ({REMEDY})")).unwrap_or(&text).to_owned()
    }
}

/// The way on from a log that is damaged or has lost its end.
pub const REMEDY: &str = "rimettere l'ultima copia; se la directory è stata copiata con cp mentre la porta scriveva, la copia si fa con varco \
                          backup; solo se non c'è di meglio, per continuare con le voci intere fino a lì e registrare la perdita: varco rebuild \
                          --accetta-perdita --motivo \"...\"";

/// A log in memory, which several committers may share: each has its own clone.
#[derive(Clone, Debug, Default)]
pub struct MemLog {
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl MemLog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index(sequence: u64) -> usize {
    usize::try_from(sequence).unwrap_or(usize::MAX)
}

impl Log for MemLog {
    fn head(&self) -> u64 {
        self.lock().len() as u64
    }

    fn append(&mut self, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError> {
        let mut all = self.lock();
        let head = all.len() as u64;
        if head != expected_head {
            return Ok(Appended::Behind(all.get(index(expected_head)..).unwrap_or_default().to_vec()));
        }
        let mut positions = Vec::with_capacity(entries.len());
        for raw in entries {
            // In memory the place is the sequence.
            let (sequence, checksum) = (all.len() as u64 + 1, entry_checksum(&raw.leaf, &raw.sealed));
            let position = Position { segment: 0, leaf: sequence, leaf_length: 0, sealed: 0, sealed_length: 0, sequence, checksum };
            let entry = Entry::read(raw.leaf.clone(), raw.sealed.clone(), position)
                .ok_or_else(|| AppendError::Unavailable(io::Error::other("a leaf that is none")))?;
            positions.push(position);
            all.push(entry);
        }
        Ok(Appended::Positions(positions))
    }

    fn read(&mut self, from: u64, _: usize) -> Result<Vec<Entry>, LogError> {
        Ok(self.lock().get(index(from.saturating_sub(1))..).unwrap_or_default().to_vec())
    }
}

impl Reader for MemLog {
    fn entry(&self, position: &Position) -> Result<Entry, LogError> {
        let found = self.lock().get(index(position.leaf.saturating_sub(1))).cloned();
        found.ok_or_else(|| LogError::Corrupt { file: "memory".to_owned(), offset: position.leaf, what: "no such entry".to_owned() })
    }
}
