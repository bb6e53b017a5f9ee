//! The seam between the ledger and its engine: segment files, or memory, or something replicated one day.
//!
//! [`Log`] is the writing side, which the committer has; [`Reader`] is the reading side, which everybody shares. No caller knows where the entries are: a
//! [`Position`] is opaque, and a log is read by its [`Part`]s.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::{Raw, entry_checksum};
use super::leaf::{Entry, Glance, Position};
use super::order::Order;

/// Names a batch: who appends it, and which of its batches it is. No two are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BatchId {
    /// The writer: random, one a committer.
    pub writer: u64,
    /// Counts its batches.
    pub number: u64,
}

/// The writing side of a log: batches in one order, for all who append.
pub trait Log: Send {
    /// Sequence of the last entry; 0 if there is none. It may fail where the log is not of this machine.
    fn head(&self) -> Result<u64, LogError>;
    /// Appends a batch durably, if the head still is `expected_head`.
    fn append(&mut self, id: BatchId, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError>;
    /// Settles an append in doubt: the batch's positions, or None if it is not there and never will be.
    fn settle(&mut self, id: BatchId) -> Result<Option<Vec<Position>>, LogError>;
    /// Entries from a sequence on, at most about that many bytes of them; none at the end.
    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<Entry>, LogError>;
    /// Gives all entries from a sequence on to `each`, checked, about that many bytes of them at a time, as long as it says true.
    fn scan(&mut self, from: u64, bytes: usize, each: &mut dyn FnMut(&[Entry]) -> bool) -> Result<(), LogError> {
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

/// A part of a log: a run of entries that is read at once. A closed part never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Sequence of its first entry.
    pub first: u64,
    /// Whether nothing is appended to it any more.
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
    /// Gives the batches of a part to `each`, checked, one after another, as long as it says true.
    fn batches(&self, part: &Part, each: &mut dyn FnMut(Vec<Entry>) -> bool) -> Result<(), LogError>;
    /// The place of a file that is derived from a closed part; None where such files are not kept.
    fn beside(&self, part: &Part, extension: &str) -> Option<PathBuf>;
}

/// The reading side of a log, while others append.
pub trait Reader: Send + Sync {
    /// The entry at a position, checked against it.
    fn entry(&self, position: &Position) -> Result<Entry, LogError>;
    /// Its parts. They follow each other without a gap.
    fn parts(&self) -> Result<Box<dyn Parts + '_>, LogError>;
    /// Its parts, as far as they can be found, and the damage of their order.
    fn found_parts(&self) -> Result<(Box<dyn Parts + '_>, Vec<LogError>), LogError>;
    /// Gives every entry that was recorded at or after an instant (RFC 3339, UTC) to `each`.
    fn since(&self, instant: &str, each: &mut dyn FnMut(&Glance<'_>)) -> Result<(), LogError>;
    /// Reads every byte and checks it, giving each entry to `each`; all the damage. It goes on after each damaged place.
    fn verify(&self, each: &mut dyn FnMut(Entry)) -> Result<(Verified, Vec<LogError>), LogError>;
}

/// The result of reading a whole log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries read.
    pub entries: u64,
    /// Batches read.
    pub batches: u64,
    /// Bytes after the last valid batch: a torn tail that the next start cuts, or a batch being written.
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

/// Why nothing was appended, as far as that is known.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// May pass: no space, a short write, an I/O error. The log is as it was before.
    #[error("non scritto: {}", crate::italian::io(.0))]
    Unavailable(io::Error),
    /// Whether the batch is there is not known yet: [`Log::settle`] tells.
    #[error("non si sa ancora se è scritto: {}", crate::italian::io(.0))]
    InDoubt(io::Error),
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

/// A log in memory, which several committers may share: each has its own clone. It can be told to behave as a replicated log may.
#[derive(Clone, Debug, Default)]
pub struct MemLog {
    shared: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    entries: Vec<Entry>,
    /// Batches: the id, and the sequence of the first entry.
    batches: Vec<(BatchId, u64)>,
    troubles: VecDeque<Trouble>,
}

/// The next call that it concerns goes so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An append is in doubt. It landed, or it did not.
    InDoubt {
        /// Whether it did.
        landed: bool,
    },
    /// An append finds others in between, though there are none.
    Behind,
    /// The head is not known.
    Head,
    /// A doubt cannot be settled.
    Settle,
}

impl MemLog {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// What happens to the next calls, in this order.
    pub fn expect(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.lock().troubles.extend(troubles);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index(sequence: u64) -> usize {
    usize::try_from(sequence).unwrap_or(usize::MAX)
}

fn unreachable() -> LogError {
    LogError::Io { file: "memory".to_owned(), error: io::Error::new(io::ErrorKind::TimedOut, "no answer") }
}

impl Memory {
    /// The next trouble, if it is one of these.
    fn trouble(&mut self, of: impl Fn(Trouble) -> bool) -> Option<Trouble> {
        if self.troubles.front().copied().is_some_and(of) { self.troubles.pop_front() } else { None }
    }

    fn push(&mut self, id: BatchId, entries: &[Raw]) -> Result<Vec<Position>, AppendError> {
        let first = self.entries.len() as u64 + 1;
        let mut positions = Vec::with_capacity(entries.len());
        for (raw, sequence) in entries.iter().zip(first..) {
            // In memory the place is the sequence.
            let checksum = entry_checksum(&raw.leaf, &raw.sealed);
            let sealed_length = u32::try_from(raw.sealed.len()).unwrap_or(u32::MAX);
            let position = Position { segment: 0, leaf: sequence, leaf_length: 0, sealed: 0, sealed_length, sequence, checksum };
            let entry = Entry::read(raw.leaf.clone(), raw.sealed.clone(), position)
                .ok_or_else(|| AppendError::Unavailable(io::Error::other("a leaf that is none")))?;
            positions.push(position);
            self.entries.push(entry);
        }
        self.batches.push((id, first));
        Ok(positions)
    }
}

impl Log for MemLog {
    fn head(&self) -> Result<u64, LogError> {
        let mut memory = self.lock();
        match memory.trouble(|trouble| trouble == Trouble::Head) {
            Some(_) => Err(unreachable()),
            None => Ok(memory.entries.len() as u64),
        }
    }

    fn append(&mut self, id: BatchId, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError> {
        let mut memory = self.lock();
        let trouble = memory.trouble(|trouble| matches!(trouble, Trouble::InDoubt { .. } | Trouble::Behind));
        if trouble == Some(Trouble::Behind) || memory.entries.len() as u64 != expected_head {
            return Ok(Appended::Behind);
        }
        match trouble {
            Some(Trouble::InDoubt { landed }) => {
                if landed {
                    memory.push(id, entries)?;
                }
                Err(AppendError::InDoubt(io::Error::new(io::ErrorKind::TimedOut, "no answer")))
            }
            _ => memory.push(id, entries).map(Appended::Positions),
        }
    }

    fn settle(&mut self, id: BatchId) -> Result<Option<Vec<Position>>, LogError> {
        let mut memory = self.lock();
        if memory.trouble(|trouble| trouble == Trouble::Settle).is_some() {
            return Err(unreachable());
        }
        let Some(at) = memory.batches.iter().position(|(known, _)| *known == id) else { return Ok(None) };
        let first = index(memory.batches[at].1 - 1);
        let end = memory.batches.get(at + 1).map_or(memory.entries.len(), |(_, next)| index(next - 1));
        Ok(Some(memory.entries[first..end].iter().map(|entry| entry.position).collect()))
    }

    fn read(&mut self, from: u64, _: usize) -> Result<Vec<Entry>, LogError> {
        Ok(self.lock().entries.get(index(from.saturating_sub(1))..).unwrap_or_default().to_vec())
    }
}

/// All of a log in memory is one open part.
struct MemParts(Vec<Entry>);

impl Parts for MemParts {
    fn list(&self) -> Vec<Part> {
        vec![Part { first: 1, closed: false }]
    }

    fn entries(&self, _: &Part) -> Result<Vec<Entry>, LogError> {
        Ok(self.0.clone())
    }

    fn salvage(&self, _: &Part) -> (Vec<Entry>, Vec<LogError>) {
        (self.0.clone(), Vec::new())
    }

    fn batches(&self, _: &Part, each: &mut dyn FnMut(Vec<Entry>) -> bool) -> Result<(), LogError> {
        each(self.0.clone());
        Ok(())
    }

    fn beside(&self, _: &Part, _: &str) -> Option<PathBuf> {
        None
    }
}

impl Reader for MemLog {
    fn entry(&self, position: &Position) -> Result<Entry, LogError> {
        let found = self.lock().entries.get(index(position.leaf.saturating_sub(1))).cloned();
        let found = found.filter(|entry| entry.position == *position);
        found.ok_or_else(|| LogError::Corrupt { file: "memory".to_owned(), offset: position.leaf, what: "no such entry".to_owned() })
    }

    fn parts(&self) -> Result<Box<dyn Parts + '_>, LogError> {
        Ok(Box::new(MemParts(self.lock().entries.clone())))
    }

    fn found_parts(&self) -> Result<(Box<dyn Parts + '_>, Vec<LogError>), LogError> {
        Ok((self.parts()?, Vec::new()))
    }

    fn since(&self, instant: &str, each: &mut dyn FnMut(&Glance<'_>)) -> Result<(), LogError> {
        let entries = self.lock().entries.clone();
        let recorded = entries.iter().filter(|entry| *entry.leaf.recorded >= *instant);
        recorded.filter_map(|entry| Glance::read(&entry.bytes)).for_each(|glance| each(&glance));
        Ok(())
    }

    fn verify(&self, each: &mut dyn FnMut(Entry)) -> Result<(Verified, Vec<LogError>), LogError> {
        let (entries, batches) = {
            let memory = self.lock();
            (memory.entries.clone(), memory.batches.len() as u64)
        };
        let (mut order, mut damage) = (Order::default(), Vec::new());
        let corrupt =
            |entry: &Entry, what: &str| LogError::Corrupt { file: "memory".to_owned(), offset: entry.leaf.seq, what: what.to_owned() };
        for entry in &entries {
            damage.extend(order.follow(entry).err().map(|what| corrupt(entry, what)));
            if entry_checksum(&entry.bytes, &entry.sealed) != entry.position.checksum {
                damage.push(corrupt(entry, "una voce cambiata"));
            }
        }
        let mut seen = std::collections::HashMap::new();
        let twice = order.twice();
        for entry in entries.iter().filter(|entry| twice.contains(&Order::place_of(entry))) {
            if seen.insert((entry.leaf.body.exchange, entry.leaf.body.ordinal()), entry.leaf.seq).is_some() {
                damage.push(corrupt(entry, "lo stesso scambio e lo stesso ordinale di un'altra voce"));
            }
        }
        let verified = Verified { entries: entries.len() as u64, batches, tail: 0 };
        entries.into_iter().for_each(each);
        Ok((verified, damage))
    }
}
