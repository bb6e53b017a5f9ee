//! The ledger of a data directory, read from its segments: leaves, sealed parts, the tree over the leaves.
//!
//! Checksums are not looked at: who changes an entry can mend them. The tree covers every byte of a leaf, and
//! the fact `sigillo` of a leaf covers its sealed part.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use memchr::memmem::Finder;

use crate::note::Checkpoint;
use crate::proof::hex;
use crate::tree::{Growing, Hash, leaf_hash, sha256};

const SEGMENT: &[u8; 8] = b"\x89VARCOS\x01";
const BATCH: &[u8; 8] = b"\x8bVARCOB\x01";
/// The longest segment that is read, bytes: one is held in memory.
const LONGEST: u64 = 5 << 30;
/// Length of a segment's header.
const SEGMENT_HEADER: usize = 64;
/// Length of a batch's header.
const BATCH_HEADER: usize = 32;
/// Bytes of a sealed part that an erasure overwrites.
const SLOT: std::ops::Range<usize> = 8..72;
/// Leaves of a tile.
const TILE: usize = 256;

/// What is wrong, and where.
#[derive(Debug)]
pub enum Wrong {
    /// A file cannot be read.
    Io(PathBuf, io::Error),
    /// The files are no ledger from here on.
    Broken {
        /// Place of the first entry that is not there, from 0.
        index: u64,
        /// The file.
        file: PathBuf,
        /// Offset in it, in bytes.
        offset: usize,
        /// What was expected, in words.
        what: &'static str,
    },
}

/// A leaf and a sealed part as they stand in a segment.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// Place of the entry, from 0.
    pub index: u64,
    /// The exact bytes of the leaf.
    pub leaf: &'a [u8],
    /// The sealed part; empty: it has none.
    pub sealed: &'a [u8],
}

/// Gives every entry to `each`, in order. Returns the id of the ledger, the number of entries, and the number
/// of bytes after the last whole batch: one that was being written, or was never finished.
pub fn walk(data: &Path, each: &mut dyn FnMut(Stored<'_>)) -> Result<(String, u64, usize), Wrong> {
    let directory = data.join("ledger");
    let segments = segments(&directory).map_err(|error| Wrong::Io(directory.clone(), error))?;
    let (mut ledger, mut next, mut before, mut tail) = (None::<[u8; 16]>, 1, 0, 0);
    for (position, (first, path)) in segments.iter().enumerate() {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| Wrong::Io(path.clone(), error))?;
        if bytes.len() as u64 > LONGEST {
            let what = "è più lungo di quanto un segmento possa essere";
            return Err(Wrong::Broken {
                index: next - 1,
                file: path.clone(),
                offset: 0,
                what,
            });
        }
        let broken = |offset, what, index: u64| Wrong::Broken {
            index: index - 1,
            file: path.clone(),
            offset,
            what,
        };
        let is_last = position + 1 == segments.len();
        let known = ledger.map(|ledger| uuid(&ledger)).unwrap_or_default();
        let whole = match header(&bytes) {
            Some(whole) => whole,
            // It was being made.
            None if is_last && position > 0 && !goes_on(&bytes, &known) => {
                tail = bytes.len();
                break;
            }
            None => return Err(broken(0, "non comincia come un segmento", next)),
        };
        if *ledger.get_or_insert(whole.ledger) != whole.ledger {
            return Err(broken(8, "è di un altro registro", next));
        }
        if whole.first != next || *first != next {
            return Err(broken(24, "non comincia dove finisce il segmento prima", next));
        }
        if whole.previous != before {
            return Err(broken(32, "nomina un'altra lunghezza del segmento prima", next));
        }
        let id = uuid(&whole.ledger);
        let mut offset = SEGMENT_HEADER;
        loop {
            match batch(&bytes[offset..], &mut next, &id, each) {
                Ok(Some(length)) => offset += length,
                // Of a batch that was being written anything may be there, and nothing after it.
                Ok(None) | Err(_) if is_last && !goes_on(&bytes[offset..], &id) => break,
                Ok(None) if offset == bytes.len() => break,
                Ok(None) => return Err(broken(offset, "ha byte che non sono un blocco di voci", next)),
                Err((index, what)) => return Err(broken(offset, what, index)),
            }
        }
        tail = bytes.len() - offset;
        before = bytes.len() as u64;
    }
    let id = ledger.map(|ledger| uuid(&ledger)).unwrap_or_default();
    Ok((id, next - 1, tail))
}

/// The segments of a directory, by the sequences of their first entries.
fn segments(directory: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if let Some(first) = name.strip_suffix(".seg").filter(|digits| digits.len() == 20)
            && let Ok(first) = first.parse()
        {
            found.push((first, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The header of a segment.
struct Header {
    ledger: [u8; 16],
    first: u64,
    previous: u64,
}

fn header(bytes: &[u8]) -> Option<Header> {
    let bytes = bytes.get(..SEGMENT_HEADER)?.strip_prefix(SEGMENT)?;
    Some(Header {
        ledger: bytes.first_chunk().copied()?,
        first: long(bytes, 16)?,
        previous: long(bytes, 24)?,
    })
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}

/// Reads the batch at the beginning of `bytes`, giving its entries to `each`. Returns its length; `None`: it is
/// not whole. An error: it is no part of this ledger at this place.
fn batch(
    bytes: &[u8],
    next: &mut u64,
    ledger: &str,
    each: &mut dyn FnMut(Stored<'_>),
) -> Result<Option<usize>, (u64, &'static str)> {
    let Some(rest) = bytes.strip_prefix(BATCH) else {
        return Ok(None);
    };
    let parts = (long(rest, 0), short(rest, 8), short(rest, 12));
    let (Some(first), Some(count), Some(length)) = parts else {
        return Ok(None);
    };
    let Some(bytes) = bytes.get(..length) else {
        return Ok(None);
    };
    if first != *next {
        return Err((*next, "il blocco di voci non continua quello prima"));
    }
    let lengths = |number: usize| {
        let at = BATCH_HEADER + 8 * number;
        Some((short(bytes, at)?, short(bytes, at + 4)?))
    };
    let all: Option<Vec<(usize, usize)>> = (0..count).map(lengths).collect();
    let all = all.ok_or((*next, "il blocco di voci non ha le lunghezze delle voci"))?;
    let headers = BATCH_HEADER + 8 * count;
    let leaves: usize = all.iter().map(|(leaf, _)| leaf).sum();
    let sealed: usize = all.iter().map(|(_, sealed)| sealed).sum();
    if count == 0 || headers + leaves + sealed != length {
        return Err((*next, "le lunghezze delle voci non sono quella del blocco"));
    }
    let mut places = Vec::with_capacity(count);
    let (mut leaf_at, mut sealed_at) = (headers, headers + leaves);
    for ((leaf, sealed), number) in all.into_iter().zip(*next..) {
        let begin = format!("{{\"v\":1,\"ledger\":\"{ledger}\",\"seq\":{number},");
        if !bytes[leaf_at..].starts_with(begin.as_bytes()) || leaf < begin.len() {
            return Err((number, "la voce non è di questo registro, o ha un altro numero"));
        }
        places.push((leaf_at..leaf_at + leaf, sealed_at..sealed_at + sealed));
        (leaf_at, sealed_at) = (leaf_at + leaf, sealed_at + sealed);
    }
    for (leaf, sealed) in places {
        each(Stored {
            index: *next - 1,
            leaf: &bytes[leaf],
            sealed: &bytes[sealed],
        });
        *next += 1;
    }
    Ok(Some(length))
}

/// Beginnings of batches that are tried in what may be the end of a batch cut short. An honest ledger has none.
const TRIED: usize = 1000;

/// Whether a whole batch begins anywhere after the beginning of `bytes`, or too many seem to.
fn goes_on(bytes: &[u8], ledger: &str) -> bool {
    let after = bytes.get(1..).unwrap_or_default();
    let mut tried = 0;
    memchr::memmem::find_iter(after, BATCH).any(|at| {
        tried += 1;
        if tried > TRIED {
            return true;
        }
        let rest = &after[at..];
        let Some(mut first) = long(rest, BATCH.len()) else {
            return false;
        };
        matches!(batch(rest, &mut first, ledger, &mut |_| {}), Ok(Some(_)))
    })
}

/// An id as leaves write it.
fn uuid(bytes: &[u8; 16]) -> String {
    let digits = hex(bytes);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}

/// The result of reading a ledger.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Id of the ledger.
    pub ledger: String,
    /// Number of entries.
    pub entries: u64,
    /// Root of the tree of all of them.
    pub root: Hash,
    /// Sealed parts that do not agree with their leaf: place from 0, and what is wrong.
    pub findings: Vec<(u64, &'static str)>,
    /// Sealed parts of the first version: nothing outside them covers them.
    pub uncovered: u64,
    /// Bytes after the last whole batch.
    pub tail: usize,
    /// Of each checkpoint given: what is wrong with it.
    pub checkpoints: Vec<Option<Against>>,
}

/// Why a ledger is not the one of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// It ends before.
    Shorter,
    /// An entry is another. `Some`: the first one, as far as the tiles tell.
    Changed(Option<u64>),
}

/// Findings kept, at most.
const MOST: usize = 1000;

/// Reads a ledger, and compares it with checkpoints.
pub fn read(data: &Path, checkpoints: &[Checkpoint]) -> Result<Report, Wrong> {
    let mut report = Report::default();
    let mut tree = Growing::default();
    let mut roots: Vec<Option<Hash>> = checkpoints.iter().map(|_| None).collect();
    let mut keep = |tree: &Growing| {
        for (checkpoint, root) in checkpoints.iter().zip(&mut roots) {
            if checkpoint.size == tree.size() {
                *root = Some(tree.root());
            }
        }
    };
    keep(&tree);
    let seals = Seals::default();
    let (ledger, entries, tail) = walk(data, &mut |stored| {
        tree.add(leaf_hash(stored.leaf));
        keep(&tree);
        match seals.judge(stored) {
            Sealing::Whole => {}
            Sealing::Uncovered => report.uncovered += 1,
            Sealing::Wrong(what) if report.findings.len() < MOST => {
                report.findings.push((stored.index, what));
            }
            Sealing::Wrong(_) => {}
        }
    })?;
    report.checkpoints = checkpoints
        .iter()
        .zip(roots)
        .map(|(checkpoint, root)| match root {
            Some(root) if root == checkpoint.root => Ok(None),
            Some(_) => first_changed(data, checkpoint).map(|first| Some(Against::Changed(first))),
            None => Ok(Some(Against::Shorter)),
        })
        .collect::<Result<_, _>>()?;
    Ok(Report {
        ledger,
        entries,
        root: tree.root(),
        tail,
        ..report
    })
}

/// The judgement of a sealed part.
enum Sealing {
    /// There is none, or the leaf covers it.
    Whole,
    /// Nothing covers it.
    Uncovered,
    Wrong(&'static str),
}

/// Finds the fact `sigillo` in the bytes of a leaf. No text of JSON holds these bytes: its quotes are escaped.
struct Seals(Finder<'static>);

impl Default for Seals {
    fn default() -> Self {
        Self(Finder::new("\"sigillo\":\""))
    }
}

impl Seals {
    fn judge(&self, stored: Stored<'_>) -> Sealing {
        let said = self.0.find(stored.leaf).and_then(|at| {
            let at = at + self.0.needle().len();
            stored.leaf.get(at..at + 64)
        });
        match (said, stored.sealed.first()) {
            (None, None) => Sealing::Whole,
            (None, Some(1)) => Sealing::Uncovered,
            (None, Some(_)) => Sealing::Wrong("la voce non ha il sigillo della sua parte cifrata"),
            (Some(_), None) => Sealing::Wrong("la parte cifrata manca"),
            (Some(said), Some(_)) => {
                let (Some(before), Some(slot), Some(after)) = (
                    stored.sealed.get(..SLOT.start),
                    stored.sealed.get(SLOT),
                    stored.sealed.get(SLOT.end..),
                ) else {
                    return Sealing::Wrong("la parte cifrata è troppo corta");
                };
                if hex(&sha256(&[before, after].concat())).as_bytes() != said {
                    return Sealing::Wrong("la parte cifrata non è quella della voce");
                }
                if slot.iter().all(|byte| *byte == 0) {
                    return Sealing::Wrong(
                        "la chiave della parte cifrata è stata cancellata, e nessuna voce lo dice",
                    );
                }
                Sealing::Whole
            }
        }
    }
}

/// The first entry that is not the checkpoint's: by the tiles beside the segments, if they are of the
/// checkpoint's tree.
fn first_changed(data: &Path, checkpoint: &Checkpoint) -> Result<Option<u64>, Wrong> {
    let Some(hashes) = tiles(data, checkpoint.size) else {
        return Ok(None);
    };
    let mut tree = Growing::default();
    hashes.iter().for_each(|hash| tree.add(*hash));
    if tree.root() != checkpoint.root {
        return Ok(None);
    }
    let mut first = None;
    walk(data, &mut |stored| {
        let kept = usize::try_from(stored.index)
            .ok()
            .and_then(|index| hashes.get(index));
        if first.is_none() && kept.is_some_and(|kept| *kept != leaf_hash(stored.leaf)) {
            first = Some(stored.index);
        }
    })?;
    Ok(first)
}

/// The hashes of the first `size` leaves, as the tiles have them. `None`: not all of them are there.
fn tiles(data: &Path, size: u64) -> Option<Vec<Hash>> {
    let mut hashes = Vec::new();
    let mut left = usize::try_from(size).ok()?;
    let mut number = 0;
    while left > 0 {
        let wanted = left.min(TILE);
        let bytes = std::fs::read(data.join("ledger/tile/0").join(tile_name(number))).ok()?;
        let (found, _) = bytes.as_chunks::<32>();
        hashes.extend_from_slice(found.get(..wanted)?);
        left -= wanted;
        number += 1;
    }
    Some(hashes)
}

/// The path of a tile below its level: three digits a part, an `x` before all but the last.
pub fn tile_name(number: u64) -> PathBuf {
    let mut parts = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        parts.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    parts.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_named_as_specified() {
        assert_eq!(tile_name(0), Path::new("000"));
        assert_eq!(tile_name(999), Path::new("999"));
        assert_eq!(tile_name(1000), Path::new("x001/000"));
        assert_eq!(tile_name(1_234_067), Path::new("x001/x234/067"));
    }

    #[test]
    fn an_id_is_written_as_leaves_write_it() {
        let bytes = std::array::from_fn(|number| number as u8);
        assert_eq!(uuid(&bytes), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
