//! A log in memory: the behaviour of a log, without a disk. It is in no binary.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::batch::{Raw, entry_checksum};
use super::leaf::{Entry, Glance, Position};
use super::log::{AppendError, Appended, BatchId, Log, LogError, Part, Parts, Reader, Verified};
use super::order::Order;

/// A log in memory. Several committers may share it, each with its own clone. A test can make it behave as a
/// replicated log may.
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

/// A trouble met by the next call of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An append is in doubt. It landed, or it did not.
    InDoubt {
        /// Whether the batch landed.
        landed: bool,
    },
    /// An append is told of other entries in between, though there are none.
    Behind,
    /// The head is not known.
    Head,
    /// A doubt cannot be settled.
    Settle,
}

impl MemLog {
    /// An empty log, without troubles.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds troubles for the next calls, in this order.
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
    LogError::Io {
        file: "memory".to_owned(),
        error: io::Error::new(io::ErrorKind::TimedOut, "no answer"),
    }
}

impl Memory {
    /// The next trouble, if it is one of these.
    fn trouble(&mut self, of: impl Fn(Trouble) -> bool) -> Option<Trouble> {
        if self.troubles.front().copied().is_some_and(of) {
            self.troubles.pop_front()
        } else {
            None
        }
    }

    fn push(&mut self, id: BatchId, entries: &[Raw]) -> Result<Vec<Position>, AppendError> {
        let first = self.entries.len() as u64 + 1;
        let mut positions = Vec::with_capacity(entries.len());
        for (raw, sequence) in entries.iter().zip(first..) {
            // In memory the place is the sequence.
            let checksum = entry_checksum(&raw.leaf, &raw.sealed);
            let sealed_length = u32::try_from(raw.sealed.len()).unwrap_or(u32::MAX);
            let position = Position {
                segment: 0,
                leaf: sequence,
                leaf_length: 0,
                sealed: 0,
                sealed_length,
                sequence,
                checksum,
            };
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
                Err(AppendError::InDoubt(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "no answer",
                )))
            }
            _ => memory.push(id, entries).map(Appended::Positions),
        }
    }

    fn settle(&mut self, id: BatchId) -> Result<Option<Vec<Position>>, LogError> {
        let mut memory = self.lock();
        if memory.trouble(|trouble| trouble == Trouble::Settle).is_some() {
            return Err(unreachable());
        }
        let Some(at) = memory.batches.iter().position(|(known, _)| *known == id) else {
            return Ok(None);
        };
        let first = index(memory.batches[at].1 - 1);
        let end = memory
            .batches
            .get(at + 1)
            .map_or(memory.entries.len(), |(_, next)| index(next - 1));
        Ok(Some(
            memory.entries[first..end]
                .iter()
                .map(|entry| entry.position)
                .collect(),
        ))
    }

    fn read(&mut self, from: u64, _: usize) -> Result<Vec<Entry>, LogError> {
        Ok(self
            .lock()
            .entries
            .get(index(from.saturating_sub(1))..)
            .unwrap_or_default()
            .to_vec())
    }
}

/// A log in memory is one open part.
struct MemParts(Vec<Entry>);

impl Parts for MemParts {
    fn list(&self) -> Vec<Part> {
        vec![Part {
            first: 1,
            closed: false,
        }]
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
        let found = self
            .lock()
            .entries
            .get(index(position.leaf.saturating_sub(1)))
            .cloned();
        let found = found.filter(|entry| entry.position == *position);
        found.ok_or_else(|| LogError::Corrupt {
            file: "memory".to_owned(),
            offset: position.leaf,
            what: "no such entry".to_owned(),
        })
    }

    fn bytes(&self, position: &Position) -> Result<(Bytes, Bytes), LogError> {
        let entry = self.entry(position)?;
        Ok((entry.bytes.into(), entry.sealed))
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
        recorded
            .filter_map(|entry| Glance::read(&entry.bytes))
            .for_each(|glance| each(&glance));
        Ok(())
    }

    fn verify(&self, each: &mut dyn FnMut(Entry)) -> Result<(Verified, Vec<LogError>), LogError> {
        let (entries, batches) = {
            let memory = self.lock();
            (memory.entries.clone(), memory.batches.len() as u64)
        };
        let (mut order, mut damage) = (Order::default(), Vec::new());
        let corrupt = |entry: &Entry, what: &str| LogError::Corrupt {
            file: "memory".to_owned(),
            offset: entry.leaf.seq,
            what: what.to_owned(),
        };
        for entry in &entries {
            damage.extend(order.follow(entry).err().map(|what| corrupt(entry, what)));
            if entry_checksum(&entry.bytes, &entry.sealed) != entry.position.checksum {
                damage.push(corrupt(entry, "una voce cambiata"));
            }
        }
        let mut seen = std::collections::HashMap::new();
        let twice = order.twice();
        for entry in entries
            .iter()
            .filter(|entry| twice.contains(&Order::place_of(entry)))
        {
            if seen
                .insert(
                    (entry.leaf.body.exchange, entry.leaf.body.ordinal()),
                    entry.leaf.seq,
                )
                .is_some()
            {
                damage.push(corrupt(
                    entry,
                    "lo stesso scambio e lo stesso ordinale di un'altra voce",
                ));
            }
        }
        let verified = Verified {
            entries: entries.len() as u64,
            batches,
            tail: 0,
        };
        entries.into_iter().for_each(each);
        Ok((verified, damage))
    }
}
