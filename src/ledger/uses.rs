//! The index of uses: the number of entries with a term, without reading any of them.
//!
//! The caller gives the terms of each entry, and none if it is no use: this room knows bytes. A closed
//! segment has one immutable file beside it, `SEQUENCE.uses`, made again whenever missing or damaged. The
//! open segment is counted in memory at each append.
//!
//! A file holds records of 20 bytes, a term (16) and a count (4), in the order of the terms, in blocks of
//! `BLOCK` bytes: magic and number of records in the first, then `RECORDS` records each and a CRC32C. Looking
//! a term up reads a few blocks.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::replace;
use super::follow::{Follower, Origin, ViewError};
use super::leaf::{Body, Entry};
use super::log::LogError;
use super::log::{Part, Parts, Reader};

/// A term to count entries under.
pub type CountedTerm = [u8; 16];

/// Gives the terms of an entry; without terms it is not counted.
pub type TermsOf = fn(&Body) -> Vec<CountedTerm>;

const MAGIC: [u8; 8] = *b"\x8dVARCOU\x01";
const BLOCK: usize = 4096;
const RECORD: usize = 20;
/// Records in a block; zeros and the checksum fill the rest.
const RECORDS: usize = (BLOCK - 4) / RECORD;

/// The index of one log. Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct Uses {
    shared: Arc<Shared>,
}

struct Shared {
    terms_of: TermsOf,
    /// The log, to read uncounted segments.
    reader: Arc<dyn Reader>,
    /// Sequence of the last entry applied. Entries before the start count as applied: their parts are read
    /// when a count needs them.
    applied: Mutex<u64>,
    /// Counts of segments without a file, by the first sequence of the segment.
    counts: Mutex<BTreeMap<u64, UseCounts>>,
    /// Held while files are made: one at a time.
    making: Mutex<()>,
    /// Whether the last file could not be written.
    unwritten: AtomicBool,
}

/// The counts of a segment.
#[derive(Clone, Debug, Default)]
struct UseCounts {
    /// Sequence of the first entry counted. Earlier entries of the segment are not counted yet.
    from: u64,
    /// Sequence of the last entry counted.
    to: u64,
    counts: HashMap<CountedTerm, u32>,
}

impl UseCounts {
    fn add(&mut self, terms: Vec<CountedTerm>) {
        for term in terms {
            let count = self.counts.entry(term).or_default();
            *count = count.saturating_add(1);
        }
    }
}

impl Follower for Uses {
    fn name(&self) -> &'static str {
        "uses"
    }

    fn applied(&self) -> u64 {
        *self.shared.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&mut self, entries: &[Entry], _: Origin) -> Result<(), ViewError> {
        let Some(last) = entries.last() else { return Ok(()) };
        self.note(entries);
        *self.shared.applied.lock().unwrap_or_else(PoisonError::into_inner) = last.leaf.seq;
        Ok(())
    }
}

impl std::fmt::Debug for Uses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Uses(..)")
    }
}

impl Uses {
    /// The index of a log with `head` as its last entry. Entries up to there are read when a count needs
    /// them.
    pub fn of(reader: Arc<dyn Reader>, head: u64, terms_of: TermsOf) -> Self {
        Self {
            shared: Arc::new(Shared {
                terms_of,
                reader,
                applied: Mutex::new(head),
                counts: Mutex::default(),
                making: Mutex::default(),
                unwritten: AtomicBool::default(),
            }),
        }
    }

    /// Counts appended entries, in their order.
    fn note(&self, entries: &[Entry]) {
        let mut counts = self.counts();
        for entry in entries {
            let counted = counts.entry(entry.position.part()).or_default();
            // Counted already: its segment was read between the append and this call.
            if entry.leaf.seq <= counted.to {
                continue;
            }
            if counted.from == 0 {
                counted.from = entry.leaf.seq;
            }
            counted.to = entry.leaf.seq;
            counted.add((self.shared.terms_of)(&entry.leaf.body));
        }
    }

    /// The number of entries counted under each term, summed over `terms`. It reads files, and the segment of
    /// a missing file: not for a serving thread.
    pub fn count(&self, terms: &[CountedTerm]) -> Result<u32, LogError> {
        self.make_missing()?;
        let parts = self.shared.reader.parts()?;
        let mut total: u32 = 0;
        for part in parts.list() {
            total = total.saturating_add(self.count_in(parts.as_ref(), &part, terms)?);
        }
        Ok(total)
    }

    /// The count in one segment: from memory, else from its file, else from the segment itself. The next
    /// count makes an unreadable file again.
    fn count_in(&self, parts: &dyn Parts, part: &Part, terms: &[CountedTerm]) -> Result<u32, LogError> {
        let path = parts.beside(part, EXTENSION);
        let mut failed = None;
        // Another thread may write the file, and forget the counts, between the two looks.
        for _ in 0..3 {
            let in_memory = self
                .counts()
                .get(&part.first)
                .map(|counted| sum(terms, |term| counted.counts.get(term).copied()));
            let path = match (in_memory, &path) {
                (Some(count), _) => return Ok(count),
                // An open part without counts has no entries.
                (None, None) => return Ok(0),
                (None, Some(path)) => path,
            };
            match look_up(path, terms) {
                Ok(count) => return Ok(count),
                Err(error) => {
                    tracing::warn!(file = name(path), %error, "an index of uses that cannot be read is made again");
                    failed = Some(error);
                    self.complete(parts, part)?;
                }
            }
        }
        let error = failed.unwrap_or_else(damaged);
        Err(LogError::Io {
            file: path.as_deref().map(name).unwrap_or_default(),
            error,
        })
    }

    /// Makes the missing files of closed segments, and counts the beginning of the open one if counting began
    /// in its middle. Once a segment has its file, its counts in memory are forgotten. They stay if the file
    /// cannot be written.
    pub fn make_missing(&self) -> Result<(), LogError> {
        let _making = self.shared.making.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = self.shared.reader.parts()?;
        for part in parts.list() {
            let path = parts.beside(&part, EXTENSION);
            let from = self.counts().get(&part.first).map(|counted| counted.from);
            if from.is_none() && path.as_deref().is_some_and(|path| Index::open(path).is_ok()) {
                continue;
            }
            if from != Some(part.first) {
                self.complete(parts.as_ref(), &part)?;
            }
            let Some(path) = path else { continue };
            let Some(counted) = self.counts().get(&part.first).cloned() else {
                continue;
            };
            match replace(&path, &encode(&counted.counts)) {
                Ok(()) => {
                    self.shared.unwritten.store(false, Ordering::Relaxed);
                    self.counts().remove(&part.first);
                }
                Err(error) => {
                    if !self.shared.unwritten.swap(true, Ordering::Relaxed) {
                        tracing::warn!(file = name(&path), %error, "an index of uses cannot be written: its part of the log is counted in memory");
                    }
                }
            }
        }
        Ok(())
    }

    /// Counts the entries of a segment before the first one counted, or all of them if none was counted.
    fn complete(&self, parts: &dyn Parts, part: &Part) -> Result<(), LogError> {
        loop {
            let until = self
                .counts()
                .get(&part.first)
                .map_or(u64::MAX, |counted| counted.from);
            let mut before = UseCounts {
                from: part.first,
                ..UseCounts::default()
            };
            // Batch by batch: the entries of a whole segment take hundreds of megabytes.
            parts.batches(part, &mut |entries| {
                for entry in entries.iter().take_while(|entry| entry.leaf.seq < until) {
                    before.add((self.shared.terms_of)(&entry.leaf.body));
                    before.to = entry.leaf.seq;
                }
                entries.last().is_some_and(|last| last.leaf.seq < until)
            })?;
            let mut counts = self.counts();
            match counts.get_mut(&part.first) {
                None => drop(counts.insert(part.first, before)),
                Some(counted) if counted.from == until => {
                    for (term, count) in before.counts {
                        let sum = counted.counts.entry(term).or_default();
                        *sum = sum.saturating_add(count);
                    }
                    counted.from = part.first;
                }
                // Counting began during the reading: its first entry is known now.
                Some(_) => continue,
            }
            return Ok(());
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<u64, UseCounts>> {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sum(terms: &[CountedTerm], of: impl Fn(&CountedTerm) -> Option<u32>) -> u32 {
    terms.iter().filter_map(of).fold(0, u32::saturating_add)
}

/// The sum of the counts of `terms` in a file.
fn look_up(path: &Path, terms: &[CountedTerm]) -> io::Result<u32> {
    let index = Index::open(path)?;
    terms.iter().try_fold(0_u32, |sum, term| {
        Ok(sum.saturating_add(index.find(term)?.unwrap_or_default()))
    })
}

/// Extension of the files of counts, each beside its closed part.
const EXTENSION: &str = "uses";

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The file of a segment's counts.
fn encode(counts: &HashMap<CountedTerm, u32>) -> Vec<u8> {
    let mut records: Vec<_> = counts.iter().collect();
    records.sort_unstable();
    let mut first = MAGIC.to_vec();
    first.extend_from_slice(&(records.len() as u64).to_le_bytes());
    let mut bytes = sealed(first);
    for block in records.chunks(RECORDS) {
        let records = block
            .iter()
            .flat_map(|(term, count)| term.iter().copied().chain(count.to_le_bytes()));
        bytes.extend(sealed(records.collect()));
    }
    bytes
}

/// A block: its content, zeros, and the checksum of both.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    block.resize(BLOCK - 4, 0);
    let checksum = crc32c::crc32c(&block);
    block.extend_from_slice(&checksum.to_le_bytes());
    block
}

/// The file of a segment's counts, for looking terms up.
struct Index {
    file: File,
    records: usize,
}

impl Index {
    fn open(path: &Path) -> io::Result<Self> {
        let mut index = Self {
            file: File::open(path)?,
            records: 0,
        };
        let head = index.block(0)?;
        let records = u64::from_le_bytes(head[8..16].try_into().unwrap_or_default());
        index.records = usize::try_from(records).unwrap_or(usize::MAX);
        let blocks = 1 + index.records.div_ceil(RECORDS);
        let whole = head[..8] == MAGIC && index.file.metadata()?.len() == blocks.saturating_mul(BLOCK) as u64;
        if whole { Ok(index) } else { Err(damaged()) }
    }

    fn block(&self, number: usize) -> io::Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.file.read_exact_at(&mut block, (number * BLOCK) as u64)?;
        let (content, checksum) = block.split_at(BLOCK - 4);
        if crc32c::crc32c(content).to_le_bytes() == checksum {
            Ok(block)
        } else {
            Err(damaged())
        }
    }

    /// The count of a term; None: the file lacks it.
    fn find(&self, term: &CountedTerm) -> io::Result<Option<u32>> {
        let (mut low, mut high) = (0, self.records.div_ceil(RECORDS));
        while low < high {
            let middle = low.midpoint(high);
            let block = self.block(1 + middle)?;
            let records = RECORDS.min(self.records - middle * RECORDS);
            let at = |index: usize| &block[index * RECORD..index * RECORD + RECORD];
            if at(0)[..16] > term[..] {
                high = middle;
            } else if at(records - 1)[..16] < term[..] {
                low = middle + 1;
            } else {
                let place = (0..records).map(at).find(|record| record[..16] == term[..]);
                return Ok(
                    place.map(|record| u32::from_le_bytes([record[16], record[17], record[18], record[19]]))
                );
            }
        }
        Ok(None)
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a damaged index of uses")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(number: u32) -> CountedTerm {
        let mut term = [7; 16];
        term[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
        term
    }

    #[test]
    fn every_count_is_found_again_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        for length in [0, 1, RECORDS, RECORDS + 1, 5000] {
            let counts: HashMap<CountedTerm, u32> = (0..u32::try_from(length).unwrap())
                .map(|number| (term(number), number + 1))
                .collect();
            let path = home.path().join(format!("{length}.uses"));
            std::fs::write(&path, encode(&counts)).unwrap();
            let index = Index::open(&path).unwrap();
            for (term, count) in &counts {
                assert_eq!(index.find(term).unwrap(), Some(*count));
            }
            for other in 100_000..100_100 {
                assert_eq!(index.find(&term(other)).unwrap(), None);
            }
        }
    }

    #[test]
    fn a_damaged_file_is_no_answer() {
        let home = tempfile::tempdir().unwrap();
        let counts: HashMap<CountedTerm, u32> = (0..700).map(|number| (term(number), number + 1)).collect();
        let (path, whole) = (home.path().join("a.uses"), encode(&counts));
        for at in (0..whole.len()).step_by(97) {
            let mut bad = whole.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, bad).unwrap();
            let wrong = |(term, count): (&CountedTerm, &u32)| {
                Index::open(&path)
                    .and_then(|index| index.find(term))
                    .is_ok_and(|found| found != Some(*count))
            };
            assert!(!counts.iter().any(wrong), "byte {at}");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(Index::open(&path).is_err());
    }
}
