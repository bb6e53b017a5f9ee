//! The bytes of a batch and of a segment's header (`docs/ledger.md`, "On disk"). Pure: bytes in, bytes out.

use std::ops::Range;

use bytes::Bytes;
use uuid::Uuid;

/// Length of a segment's header.
pub const SEGMENT_HEADER: usize = 64;
/// Length of a batch's header, entry headers left out.
pub const BATCH_HEADER: usize = 32;
/// Length of the header of one entry.
pub const ENTRY_HEADER: usize = 8;
/// Longest leaf, in bytes, stamp included.
pub const MAX_LEAF: usize = 16 * 1024;
/// Longest batch read or written, in bytes.
pub const MAX_BATCH: usize = 64 << 20;
/// The bytes of a sealed part overwritten with zeros to erase it: nonce, wrapped key, their checksum.
pub const SLOT: Range<usize> = 8..72;

const SEGMENT_MAGIC: [u8; 8] = *b"\x89VARCOS\x01";
const BATCH_MAGIC: [u8; 8] = *b"\x8bVARCOB\x01";

/// Why bytes are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than the header or the length says.
    #[error("blocco troncato")]
    Truncated,
    /// No magic, or lengths out of bounds or in disagreement.
    #[error("qui non comincia un blocco")]
    NoBatch,
    /// A wrong checksum. The text names the checked bytes, in Italian.
    #[error("somma di controllo sbagliata: {0}")]
    Checksum(&'static str),
}

/// A segment's header: the first 64 bytes of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Id of the segment's ledger.
    pub ledger: Uuid,
    /// Sequence of the first entry.
    pub first: u64,
    /// Length of the segment before it, in bytes; 0 for the first.
    pub previous_length: u64,
}

impl SegmentHeader {
    /// The header as written to disk, checksum included.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..24].copy_from_slice(self.ledger.as_bytes());
        bytes[24..32].copy_from_slice(&self.first.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.previous_length.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads a header at the start of `bytes`, and checks magic, zeros and checksum.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let bytes = bytes.get(..SEGMENT_HEADER).ok_or(BatchError::Truncated)?;
        if bytes[..8] != SEGMENT_MAGIC {
            return Err(BatchError::NoBatch);
        }
        if crc32c::crc32c(&bytes[..60]) != u32_at(bytes, 60) || bytes[40..60].iter().any(|byte| *byte != 0) {
            return Err(BatchError::Checksum("intestazione del segmento"));
        }
        let ledger = Uuid::from_slice(&bytes[8..24]).map_err(|_| BatchError::NoBatch)?;
        Ok(Self {
            ledger,
            first: u64_at(bytes, 24),
            previous_length: u64_at(bytes, 32),
        })
    }
}

/// A leaf and its sealed part, on their way to disk or back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The leaf's exact bytes.
    pub leaf: Vec<u8>,
    /// The sealed part, or nothing.
    pub sealed: Bytes,
}

/// The places of an entry's parts within its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Byte range of the leaf.
    pub leaf: Range<usize>,
    /// Byte range of the sealed part; empty without one.
    pub sealed: Range<usize>,
}

/// A batch, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Sequence of its first entry.
    pub first: u64,
    /// Its length in bytes.
    pub length: usize,
    /// The places of its entries.
    pub spans: Vec<Span>,
}

/// Makes the bytes of a batch. Also gives the places of the entries in them.
pub fn encode(first: u64, entries: &[Raw]) -> (Vec<u8>, Vec<Span>) {
    let leaves: usize = entries.iter().map(|entry| entry.leaf.len()).sum();
    let sealed: usize = entries.iter().map(|entry| entry.sealed.len()).sum();
    let length = BATCH_HEADER + ENTRY_HEADER * entries.len() + leaves + sealed;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&BATCH_MAGIC);
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&u32_of(entries.len()).to_le_bytes());
    bytes.extend_from_slice(&u32_of(length).to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    for entry in entries {
        bytes.extend_from_slice(&u32_of(entry.leaf.len()).to_le_bytes());
        bytes.extend_from_slice(&u32_of(entry.sealed.len()).to_le_bytes());
    }
    for entry in entries {
        bytes.extend_from_slice(&entry.leaf);
    }
    let clear = bytes.len();
    for entry in entries {
        bytes.extend_from_slice(&entry.sealed);
    }
    let spans = spans(entries.iter().map(|entry| (entry.leaf.len(), entry.sealed.len())));
    let checksum = sealed_checksum(&bytes, &spans);
    bytes[24..28].copy_from_slice(&checksum.to_le_bytes());
    let checksum = clear_checksum(&bytes[..clear]);
    bytes[28..32].copy_from_slice(&checksum.to_le_bytes());
    (bytes, spans)
}

/// The length of the batch at the start of `bytes`, if they look like a batch's header.
pub fn peek_length(bytes: &[u8]) -> Result<usize, BatchError> {
    let header = bytes.get(..BATCH_HEADER).ok_or(BatchError::Truncated)?;
    let (count, length) = (u32_at(header, 16) as usize, u32_at(header, 20) as usize);
    let plausible = header[..8] == BATCH_MAGIC
        && count > 0
        && length <= MAX_BATCH
        && length >= BATCH_HEADER + ENTRY_HEADER * count;
    if plausible {
        Ok(length)
    } else {
        Err(BatchError::NoBatch)
    }
}

/// Reads and checks the batch at the start of `bytes`: one checksum or another covers every byte of it.
pub fn decode(bytes: &[u8]) -> Result<Batch, BatchError> {
    let length = peek_length(bytes)?;
    let bytes = bytes.get(..length).ok_or(BatchError::Truncated)?;
    let count = u32_at(bytes, 16) as usize;
    let lengths = |index: usize| {
        let at = BATCH_HEADER + 8 * index;
        (u32_at(bytes, at) as usize, u32_at(bytes, at + 4) as usize)
    };
    let total: usize = (0..count).map(lengths).map(|(leaf, sealed)| leaf + sealed).sum();
    if BATCH_HEADER + ENTRY_HEADER * count + total != length
        || (0..count).any(|index| lengths(index).0 > MAX_LEAF)
    {
        return Err(BatchError::NoBatch);
    }
    let spans = spans((0..count).map(lengths));
    let clear = spans.last().map_or(length, |last| last.leaf.end);
    if clear_checksum(&bytes[..clear]) != u32_at(bytes, 28) {
        return Err(BatchError::Checksum("foglie"));
    }
    if sealed_checksum(bytes, &spans) != u32_at(bytes, 24) {
        return Err(BatchError::Checksum("parti riservate"));
    }
    if spans
        .iter()
        .any(|span| !slot_is_whole(&bytes[span.sealed.clone()]))
    {
        return Err(BatchError::Checksum("chiave della parte riservata"));
    }
    Ok(Batch {
        first: u64_at(bytes, 8),
        length,
        spans,
    })
}

/// The offset of the first valid batch anywhere in `bytes`.
pub fn find(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = bytes
        .get(at..)?
        .windows(8)
        .position(|window| window == BATCH_MAGIC)
    {
        if decode(&bytes[at + found..]).is_ok() {
            return Some(at + found);
        }
        at += found + 1;
    }
    None
}

/// The valid batch at the very end of `bytes`.
pub fn last(bytes: &[u8]) -> Option<Batch> {
    let mut end = bytes.len();
    while let Some(found) = bytes
        .get(..end)?
        .windows(8)
        .rposition(|window| window == BATCH_MAGIC)
    {
        if let Ok(batch) = decode(&bytes[found..])
            && found + batch.length == bytes.len()
        {
            return Some(batch);
        }
        end = found + 7;
    }
    None
}

fn spans(lengths: impl Iterator<Item = (usize, usize)> + Clone) -> Vec<Span> {
    let count = lengths.clone().count();
    let mut leaf = BATCH_HEADER + ENTRY_HEADER * count;
    let mut sealed = leaf + lengths.clone().map(|(leaf, _)| leaf).sum::<usize>();
    lengths
        .map(|(leaf_length, sealed_length)| {
            let span = Span {
                leaf: leaf..leaf + leaf_length,
                sealed: sealed..sealed + sealed_length,
            };
            leaf += leaf_length;
            sealed += sealed_length;
            span
        })
        .collect()
}

/// The checksum of an entry in its position: CRC32C of the leaf and of the sealed part, [`SLOT`] left out.
pub fn entry_checksum(leaf: &[u8], sealed: &[u8]) -> u32 {
    without_slot(crc32c::crc32c(leaf), sealed)
}

/// Whether the [`SLOT`] of a sealed part is as written, or erased: all zeros.
pub fn slot_is_whole(sealed: &[u8]) -> bool {
    sealed.is_empty()
        || sealed.get(SLOT).is_some_and(|slot| {
            slot.iter().all(|byte| *byte == 0) || crc32c::crc32c(&slot[..60]) == u32_at(slot, 60)
        })
}

/// Continues a checksum over a sealed part, [`SLOT`] left out.
fn without_slot(checksum: u32, sealed: &[u8]) -> u32 {
    let before = crc32c::crc32c_append(checksum, sealed.get(..SLOT.start).unwrap_or(sealed));
    crc32c::crc32c_append(before, sealed.get(SLOT.end..).unwrap_or_default())
}

fn clear_checksum(clear: &[u8]) -> u32 {
    let checksum = crc32c::crc32c(&clear[..28]);
    crc32c::crc32c_append(checksum, &clear[BATCH_HEADER..])
}

fn sealed_checksum(bytes: &[u8], spans: &[Span]) -> u32 {
    spans
        .iter()
        .filter(|span| !span.sealed.is_empty())
        .fold(0, |checksum, span| {
            without_slot(checksum, &bytes[span.sealed.clone()])
        })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// Lengths in a batch fit: the committer keeps batches far below [`MAX_BATCH`].
fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let sealed: Vec<u8> = (0..120).collect();
        let mut sealed = sealed;
        let checksum = crc32c::crc32c(&sealed[8..68]);
        sealed[68..72].copy_from_slice(&checksum.to_le_bytes());
        let entries = [
            Raw {
                leaf: b"{\"v\":1}".to_vec(),
                sealed: Bytes::new(),
            },
            Raw {
                leaf: b"{\"v\":1,\"seq\":2}".to_vec(),
                sealed: sealed.into(),
            },
        ];
        encode(7, &entries).0
    }

    #[test]
    fn a_batch_comes_back() {
        let bytes = sample();
        let batch = decode(&bytes).unwrap();
        assert_eq!(
            (batch.first, batch.length, batch.spans.len()),
            (7, bytes.len(), 2)
        );
        assert_eq!(&bytes[batch.spans[1].leaf.clone()], b"{\"v\":1,\"seq\":2}");
        assert_eq!(batch.spans[1].sealed.len(), 120);
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_seen() {
        let bytes = sample();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                assert!(decode(&bad).is_err(), "byte {at}, bit {bit}");
            }
            assert!(decode(&bytes[..at]).is_err());
        }
    }

    #[test]
    fn an_erased_key_is_no_damage() {
        let mut bytes = sample();
        let sealed = decode(&bytes).unwrap().spans[1].sealed.start;
        bytes[sealed + SLOT.start..sealed + SLOT.end].fill(0);
        assert!(decode(&bytes).is_ok());
    }

    #[test]
    fn a_batch_is_found_behind_rubbish() {
        let mut bytes = vec![0x8b, b'V', b'A', 3, 4];
        bytes.extend(sample());
        assert_eq!(find(&bytes), Some(5));
        bytes.pop();
        assert_eq!(find(&bytes), None);
    }

    #[test]
    fn the_last_batch_is_found_from_the_end() {
        let mut bytes = vec![0x8b, b'V', b'A', 3, 4];
        assert_eq!(last(&bytes), None);
        bytes.extend(sample());
        bytes.extend(
            encode(
                9,
                &[Raw {
                    leaf: b"{\"v\":1}".to_vec(),
                    sealed: Bytes::new(),
                }],
            )
            .0,
        );
        assert_eq!(last(&bytes).map(|batch| batch.first), Some(9));
        bytes.push(0);
        assert_eq!(last(&bytes), None);
    }

    #[test]
    fn an_entry_is_known_by_all_but_what_erasing_overwrites() {
        let bytes = sample();
        let span = &decode(&bytes).unwrap().spans[1];
        let (leaf, sealed) = (
            bytes[span.leaf.clone()].to_vec(),
            bytes[span.sealed.clone()].to_vec(),
        );
        let known = entry_checksum(&leaf, &sealed);
        for at in 0..leaf.len() + sealed.len() {
            let (mut leaf, mut sealed) = (leaf.clone(), sealed.clone());
            let in_sealed = at.checked_sub(leaf.len());
            *in_sealed.map_or_else(|| &mut leaf[at], |at| &mut sealed[at]) ^= 1;
            let seen = entry_checksum(&leaf, &sealed) != known;
            assert_eq!(seen, in_sealed.is_none_or(|at| !SLOT.contains(&at)), "byte {at}");
            assert_eq!(
                slot_is_whole(&sealed),
                in_sealed.is_none_or(|at| !SLOT.contains(&at)),
                "byte {at}"
            );
        }
        let mut erased = sealed;
        erased[SLOT].fill(0);
        assert!(entry_checksum(&leaf, &erased) == known && slot_is_whole(&erased));
    }
}
