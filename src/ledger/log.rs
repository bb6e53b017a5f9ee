//! The seam between the ledger and its engine: segment files, or memory, or something replicated one day.
//!
//! [`Log`] is the writing side, for the committer. [`Reader`] is the reading side, shared by everybody. No
//! caller knows the places of the entries: a [`Position`] is opaque, and a log is read by its [`Part`]s.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;

use super::batch::Raw;
use super::leaf::{Entry, Glance, Position};

/// The name of a batch: its writer, and its number among the writer's batches. No two are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchId {
    /// Id of the writer: random, one for each committer.
    pub writer: u64,
    /// Number of the batch among those of its writer.
    pub number: u64,
}

/// The writing side of a log: batches in one order, the same for all writers.
pub trait Log: Send {
    /// Sequence of the last entry; 0 if there is none. It may fail for a log on another machine.
    fn head(&self) -> Result<u64, LogError>;
    /// Appends a batch durably, if the head still is `expected_head`.
    fn append(&mut self, id: BatchId, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError>;
    /// Settles an append in doubt: the batch's positions, or None if it is not there and never will be.
    fn settle(&mut self, id: BatchId) -> Result<Option<Vec<Position>>, LogError>;
    /// Entries from the sequence `from` on, about `bytes` bytes of them at most; none at the end.
    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<Entry>, LogError>;
    /// Gives all entries from the sequence `from` on to `each`, checked, about `bytes` bytes of them at a
    /// time. It stops when `each` returns false.
    fn scan(
        &mut self,
        from: u64,
        bytes: usize,
        each: &mut dyn FnMut(&[Entry]) -> bool,
    ) -> Result<(), LogError> {
        let mut next = from;
        while next <= self.head()? {
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

/// A part of a log: a run of entries, read at once. A closed part never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Sequence of its first entry.
    pub first: u64,
    /// Whether it is complete: nothing is appended to it any more.
    pub closed: bool,
}

/// The parts of a log at one moment.
pub trait Parts {
    /// All of them, in order.
    fn list(&self) -> Vec<Part>;
    /// The entries of a part, checked.
    fn entries(&self, part: &Part) -> Result<Vec<Entry>, LogError>;
    /// The readable entries of a part, and its damage.
    fn salvage(&self, part: &Part) -> (Vec<Entry>, Vec<LogError>);
    /// Gives the batches of a part to `each`, checked, one after another, until `each` returns false.
    fn batches(&self, part: &Part, each: &mut dyn FnMut(Vec<Entry>) -> bool) -> Result<(), LogError>;
    /// The path of a file derived from a closed part; None: the part is open, or the log keeps no such files.
    fn beside(&self, part: &Part, extension: &str) -> Option<PathBuf>;
}

/// The reading side of a log, while others append.
pub trait Reader: Send + Sync {
    /// The entry at a position, checked against it.
    fn entry(&self, position: &Position) -> Result<Entry, LogError>;
    /// The leaf and the sealed part at a position, checked against it, unread.
    fn bytes(&self, position: &Position) -> Result<(Bytes, Bytes), LogError>;
    /// Its parts. They follow each other without a gap.
    fn parts(&self) -> Result<Box<dyn Parts + '_>, LogError>;
    /// Its parts, as far as they can be found, and the damage of their order.
    fn found_parts(&self) -> Result<(Box<dyn Parts + '_>, Vec<LogError>), LogError>;
    /// Gives every entry recorded at or after an instant (RFC 3339, UTC) to `each`.
    fn since(&self, instant: &str, each: &mut dyn FnMut(&Glance<'_>)) -> Result<(), LogError>;
    /// Reads every byte and checks it, giving each entry to `each`. Returns all the damage: it goes on after
    /// each damaged place.
    fn verify(&self, each: &mut dyn FnMut(Entry)) -> Result<(Verified, Vec<LogError>), LogError>;
}

/// The result of reading a whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Number of entries read.
    pub entries: u64,
    /// Number of batches read.
    pub batches: u64,
    /// Bytes after the last valid batch: a torn tail for the next start to cut, or a batch being written.
    pub tail: u64,
}

/// The result of an append.
#[derive(Debug)]
pub enum Appended {
    /// The places of the entries, in order.
    Positions(Vec<Position>),
    /// Nothing was appended: other entries came in between.
    Behind,
}

/// Why an append failed, or may have failed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// May pass: no space, a short write, an I/O error. The log is as it was before.
    #[error("non scritto: {}", crate::italian::io(.0))]
    Unavailable(io::Error),
    /// The batch may be there or not: [`Log::settle`] tells.
    #[error("non si sa ancora se è scritto: {}", crate::italian::io(.0))]
    InDoubt(io::Error),
    /// Final for the process: the content of the disk is not known any more.
    #[error("non si sa se è sul disco: {}", crate::italian::io(.0))]
    Fatal(io::Error),
}

/// Why a log cannot be read or opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file of the log cannot be read or written.
    #[error("{file}: {}", crate::italian::io(error))]
    Io {
        /// Name of the file or directory.
        file: String,
        /// Error of the failed operation.
        error: io::Error,
    },
    /// Corruption, and its place.
    #[error("il registro è danneggiato: {file}, offset {offset}: {what} ({remedy})", remedy = REMEDY)]
    Corrupt {
        /// Name of the damaged segment, or of the directory.
        file: String,
        /// Offset in the segment, in bytes.
        offset: u64,
        /// The defect, in words.
        what: String,
    },
    /// A closed segment ends before its successor says: entries at its end are lost.
    #[error("{file} è più corto dei {wanted} byte che il segmento successivo attesta: mancano voci ({remedy})", remedy = REMEDY)]
    Shorter {
        /// Name of the short segment.
        file: String,
        /// Its length in bytes, by the header of its successor.
        wanted: u64,
    },
    /// A segment between two others is missing.
    #[error("manca il segmento con le voci da {from} a {to} ({remedy})", remedy = REMEDY)]
    Gap {
        /// Sequence of the first missing entry.
        from: u64,
        /// Sequence of the last missing entry.
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
        /// Sequence of the last entry named by `HEAD`.
        sequence: u64,
    },
}

impl LogError {
    /// The damage and its place, without the remedy.
    pub fn place(&self) -> String {
        let text = self.to_string();
        text.strip_suffix(&format!(" ({REMEDY})"))
            .unwrap_or(&text)
            .to_owned()
    }
}

/// The way on from a damaged log, or from one without its end.
pub const REMEDY: &str = "rimettere l'ultima copia; se la directory è stata copiata con cp mentre la porta scriveva, la copia si fa con varco \
                          backup; solo se non c'è di meglio, per continuare con le voci intere fino a lì e registrare la perdita: varco rebuild \
                          --accetta-perdita --motivo \"...\"";
