//! Reading the segments of a directory while a gateway may write to it. Readers take a segment whole
//! ([`read`]) or batch by batch ([`Batches`]). Both read a closed segment to its end or fail. The open
//! segment may end with an unfinished batch.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::batch::{self, BATCH_HEADER, Batch, SEGMENT_HEADER, SegmentHeader, Span};
use super::super::disk::{RealDisk, replace};
use super::super::leaf::{Entry, Glance, Position};
use super::super::log::{LogError, Part, Parts, Verified};
use super::super::order::Order;
use super::chain::{
    Bound, Chain, End, NO_FIRST, Segment, UNKNOWN, corrupt, file_name, follows, header_bytes, name, names,
    read_head, shorter, write_head,
};
use crate::progress::made;

/// Readings of the open segment when a batch in it looks damaged and more follows: the reader may have met
/// this batch half written, and the next one whole.
const AGAIN: usize = 5;

/// A batch of a segment, and its place.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Offset in the segment.
    pub offset: u64,
    /// The batch at this place, checked.
    pub batch: Batch,
}

/// The result of reading a segment from its start.
pub(super) struct Scan {
    pub(super) batches: Vec<Placed>,
    /// Offset of the end of the valid batches.
    pub(super) end: usize,
    /// The sequence after the last entry.
    pub(super) next: u64,
}

/// A segment's bytes, all batches checked.
pub(super) struct Whole {
    pub(super) bytes: Vec<u8>,
    pub(super) scan: Scan,
}

/// Reads all batches of a segment. A bad one is corruption if a valid one comes anywhere after it; otherwise
/// it is a torn tail.
pub(super) fn scan(path: &Path, bytes: &[u8], first: u64) -> Result<Scan, LogError> {
    let mut scan = Scan {
        batches: Vec::new(),
        end: SEGMENT_HEADER,
        next: first,
    };
    while scan.end < bytes.len() {
        match batch::decode(&bytes[scan.end..]) {
            Ok(found) if found.first == scan.next => {
                let offset = scan.end as u64;
                scan.end += found.length;
                scan.next += found.spans.len() as u64;
                scan.batches.push(Placed { offset, batch: found });
            }
            Ok(_) => {
                return Err(corrupt(
                    path,
                    scan.end as u64,
                    "un blocco la cui sequenza non segue quella del precedente",
                ));
            }
            Err(error) => {
                if batch::find(&bytes[scan.end + 1..]).is_some() {
                    return Err(corrupt(
                        path,
                        scan.end as u64,
                        &format!("{error}, e dopo c'è un blocco intero"),
                    ));
                }
                break;
            }
        }
    }
    Ok(scan)
}

/// Reads the whole batches at the beginning of a segment; the rest is given up.
pub(super) fn read_whole_part(segment: &Segment) -> Result<Whole, LogError> {
    let bytes = std::fs::read(&segment.path).map_err(|error| LogError::Io {
        file: name(&segment.path),
        error,
    })?;
    let mut part = Scan {
        batches: Vec::new(),
        end: SEGMENT_HEADER,
        next: segment.first,
    };
    while let Some(Ok(found)) = bytes
        .get(part.end..)
        .filter(|rest| !rest.is_empty())
        .map(batch::decode)
    {
        if found.first != part.next {
            break;
        }
        let offset = part.end as u64;
        part.end += found.length;
        part.next += found.spans.len() as u64;
        part.batches.push(Placed { offset, batch: found });
    }
    Ok(Whole { bytes, scan: part })
}

/// Reads a segment and checks every batch; a closed one must end where its successor says.
pub(super) fn read(segment: &Segment) -> Result<Whole, LogError> {
    let io_error = |error| LogError::Io {
        file: name(&segment.path),
        error,
    };
    let mut bytes = std::fs::read(&segment.path).map_err(io_error)?;
    for _ in 0..AGAIN {
        match scan(&segment.path, &bytes, segment.first) {
            Ok(scan) => {
                check_end(segment, &bytes, &scan)?;
                return Ok(Whole { bytes, scan });
            }
            Err(error) if segment.end.is_some() => return Err(error),
            Err(error) => {
                let again = std::fs::read(&segment.path).map_err(io_error)?;
                if again.starts_with(&bytes) {
                    return Err(error);
                }
                bytes = again;
            }
        }
    }
    Err(corrupt(
        &segment.path,
        0,
        "il segmento cambia ogni volta che si legge",
    ))
}

fn check_end(segment: &Segment, bytes: &[u8], scan: &Scan) -> Result<(), LogError> {
    let Some(end) = segment.end else { return Ok(()) };
    if scan.end != bytes.len() || scan.end as u64 != end.length {
        return Err(corrupt(
            &segment.path,
            scan.end as u64,
            "il segmento è chiuso e finisce male",
        ));
    }
    follows(segment, end, scan.next)
}

/// Checks that the last segment is as long as `HEAD` says, at least.
pub(super) fn check_bound(segment: &Segment, scan: &Scan, bound: Bound) -> Result<(), LogError> {
    let reaches = (segment.first, scan.end as u64) >= (bound.segment, bound.length);
    if reaches {
        Ok(())
    } else {
        Err(shorter(&segment.path, scan.end as u64, bound))
    }
}

/// The entries of a batch of a segment, checked for ledger and sequence. `bytes` are the batch's.
pub(super) fn entries(
    segment: &Segment,
    ledger: Uuid,
    bytes: &[u8],
    placed: &Placed,
) -> Result<Vec<Entry>, LogError> {
    let mut entries = Vec::with_capacity(placed.batch.spans.len());
    for (index, span) in placed.batch.spans.iter().enumerate() {
        let part = |range: &std::ops::Range<usize>| bytes.get(range.clone()).unwrap_or_default().to_vec();
        let (leaf, sealed) = (part(&span.leaf), part(&span.sealed));
        let sequence = placed.batch.first + index as u64;
        let position = position(
            segment.first,
            placed.offset,
            span,
            sequence,
            batch::entry_checksum(&leaf, &sealed),
        );
        let entry = Entry::read(leaf, sealed.into(), position)
            .filter(|entry| entry.leaf.seq == sequence && entry.leaf.ledger == ledger)
            .ok_or_else(|| {
                corrupt(
                    &segment.path,
                    position.leaf,
                    "una foglia che non è tale, o non è questa",
                )
            })?;
        entries.push(entry);
    }
    Ok(entries)
}

impl Chain {
    /// The whole part of a log with its end given up: from the beginning to the first segment missing,
    /// damaged, or not leading to the next. The last segment of this part is open; those after it are `lost`.
    /// `HEAD` may say otherwise, or be unreadable.
    pub(super) fn whole(directory: &Path, ledger: Uuid) -> Result<Self, LogError> {
        let bound = read_head(directory).unwrap_or(Bound {
            segment: 0,
            length: 0,
            sequence: UNKNOWN,
            clean: false,
        });
        let named = names(directory)?;
        let mut chain = Self {
            ledger,
            segments: Vec::new(),
            bound,
            begun: None,
            lost: Vec::new(),
        };
        let mut expected = Some((1, 0));
        for segment in named {
            let header = header_bytes(&segment)
                .ok()
                .and_then(|(bytes, _)| SegmentHeader::decode(&bytes).ok());
            let follows = header.filter(|header| {
                header.ledger == ledger
                    && header.first == segment.first
                    && Some((header.first, header.previous_length)) == expected
            });
            if follows.is_none() {
                expected = None;
                chain.lost.push(segment.path);
                continue;
            }
            if let (Some(last), Some(header)) = (chain.segments.last_mut(), header) {
                last.end = Some(End {
                    length: header.previous_length,
                    next: header.first,
                });
            }
            let Whole { bytes, scan } = read_whole_part(&segment)?;
            expected = (scan.end == bytes.len()).then_some((scan.next, scan.end as u64));
            chain.segments.push(segment);
        }
        if chain.segments.is_empty() {
            return Err(corrupt(directory, 0, NO_FIRST));
        }
        Ok(chain)
    }

    /// The entries of a batch, in the bytes of its segment.
    fn entries(&self, segment: &Segment, bytes: &[u8], placed: &Placed) -> Result<Vec<Entry>, LogError> {
        entries(segment, self.ledger, batch_of(bytes, placed), placed)
    }
}

pub(super) fn position(segment: u64, batch: u64, span: &Span, sequence: u64, checksum: u32) -> Position {
    let small = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Position {
        segment,
        leaf: batch + span.leaf.start as u64,
        leaf_length: small(span.leaf.len()),
        sealed: batch + span.sealed.start as u64,
        sealed_length: small(span.sealed.len()),
        sequence,
        checksum,
    }
}

/// The bytes of a batch, in those of its segment.
fn batch_of<'a>(bytes: &'a [u8], placed: &Placed) -> &'a [u8] {
    let start = usize::try_from(placed.offset).unwrap_or(usize::MAX);
    bytes
        .get(start..start.saturating_add(placed.batch.length))
        .unwrap_or_default()
}

/// The batches of a closed segment, one after another and checked, without the whole of it in memory.
struct Batches<'a> {
    segment: &'a Segment,
    ledger: Uuid,
    end: End,
    file: File,
    offset: u64,
    next: u64,
}

impl<'a> Batches<'a> {
    fn open(segment: &'a Segment, ledger: Uuid, end: End) -> Result<Self, LogError> {
        let file = File::open(&segment.path).map_err(|error| LogError::Io {
            file: name(&segment.path),
            error,
        })?;
        Ok(Self {
            segment,
            ledger,
            end,
            file,
            offset: SEGMENT_HEADER as u64,
            next: segment.first,
        })
    }

    /// The entries of the next batch; None at the segment's end, as named by its successor.
    fn next(&mut self) -> Result<Option<Vec<Entry>>, LogError> {
        let path = &self.segment.path;
        let wrong = |what: &str| corrupt(path, self.offset, what);
        if self.offset == self.end.length {
            return follows(self.segment, self.end, self.next).map(|()| None);
        }
        let io_error = |error| LogError::Io {
            file: name(path),
            error,
        };
        let left = self.end.length - self.offset;
        let mut bytes = vec![0; usize::try_from(left.min(BATCH_HEADER as u64)).unwrap_or_default()];
        self.file
            .read_exact_at(&mut bytes, self.offset)
            .map_err(io_error)?;
        let length = batch::peek_length(&bytes).map_err(|error| wrong(&error.to_string()))?;
        if length as u64 > left {
            return Err(wrong("un blocco che va oltre il suo segmento"));
        }
        bytes.resize(length, 0);
        self.file
            .read_exact_at(&mut bytes, self.offset)
            .map_err(io_error)?;
        let found = batch::decode(&bytes).map_err(|error| wrong(&error.to_string()))?;
        if found.first != self.next {
            return Err(wrong("un blocco la cui sequenza non segue quella del precedente"));
        }
        let placed = Placed {
            offset: self.offset,
            batch: found,
        };
        let entries = entries(self.segment, self.ledger, &bytes, &placed)?;
        self.offset += length as u64;
        self.next += entries.len() as u64;
        Ok(Some(entries))
    }
}

/// Reads every byte of every segment and checks it, giving each entry to `each`. No entry may be recorded
/// before the preceding one; no exchange may have two entries with one ordinal. The first damage is the
/// error.
pub fn verify(directory: &Path, ledger: Uuid, each: &mut dyn FnMut(Entry)) -> Result<Verified, LogError> {
    let (verified, damage) = inspect(directory, ledger, each)?;
    damage.into_iter().next().map_or(Ok(verified), Err)
}

/// The same, with all the damage. It goes on after each damaged place.
pub fn inspect(
    directory: &Path,
    ledger: Uuid,
    each: &mut dyn FnMut(Entry),
) -> Result<(Verified, Vec<LogError>), LogError> {
    let (chain, mut damage) = Chain::lenient(directory, ledger)?;
    let (mut verified, mut order) = (Verified::default(), Order::default());
    for (index, segment) in chain.segments.iter().enumerate() {
        let is_last = index + 1 == chain.segments.len();
        let salvaged = Salvaged::of(segment, is_last, chain.bound);
        damage.extend(salvaged.damage);
        if is_last {
            verified.tail = salvaged.tail;
        }
        for placed in &salvaged.batches {
            verified.batches += 1;
            match chain.entries(segment, &salvaged.bytes, placed) {
                Ok(entries) => {
                    for entry in entries {
                        verified.entries += 1;
                        damage.extend(
                            order
                                .follow(&entry)
                                .err()
                                .map(|what| corrupt(&segment.path, entry.position.leaf, what)),
                        );
                        each(entry);
                    }
                }
                Err(error) => damage.push(error),
            }
        }
    }
    let twice = order.twice();
    if !twice.is_empty() {
        damage.push(named_twice(&chain, &twice)?);
    }
    Ok((verified, damage))
}

/// The whole batches of a segment, and its damage.
pub(super) struct Salvaged {
    bytes: Vec<u8>,
    batches: Vec<Placed>,
    damage: Vec<LogError>,
    /// Bytes after the last valid batch of the open segment.
    tail: u64,
}

impl Salvaged {
    /// Reads a segment, and goes on after each damaged place with the next valid batch.
    fn of(segment: &Segment, is_last: bool, bound: Bound) -> Self {
        match read(segment) {
            Ok(whole) => Self::whole(segment, whole, is_last, bound),
            Err(error) => Self::of_damaged(segment, error),
        }
    }

    /// A segment without a damaged batch.
    fn whole(segment: &Segment, Whole { bytes, scan }: Whole, is_last: bool, bound: Bound) -> Self {
        // A segment shorter than its header is reported with the faults of headers.
        let tail = if segment.end.is_none() {
            bytes.len().saturating_sub(scan.end) as u64
        } else {
            0
        };
        let mut damage = Vec::new();
        if is_last {
            damage.extend(check_bound(segment, &scan, bound).err());
        } else if tail > 0 {
            damage.push(corrupt(
                &segment.path,
                scan.end as u64,
                "il segmento è chiuso e non finisce con un blocco intero",
            ));
        }
        Self {
            bytes,
            batches: scan.batches,
            damage,
            tail: if is_last { tail } else { 0 },
        }
    }

    /// The whole batches of a damaged segment, and each place of damage; `error` if none is found.
    fn of_damaged(segment: &Segment, error: LogError) -> Self {
        let mut salvaged = Self {
            bytes: std::fs::read(&segment.path).unwrap_or_default(),
            batches: Vec::new(),
            damage: Vec::new(),
            tail: 0,
        };
        let (mut at, mut next) = (SEGMENT_HEADER, segment.first);
        while let Some(rest) = salvaged.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match batch::decode(rest) {
                Ok(found) if found.first >= next => {
                    if found.first > next {
                        let what = lost(next, found.first - 1);
                        salvaged.damage.push(corrupt(&segment.path, at as u64, &what));
                    }
                    next = found.first + found.spans.len() as u64;
                    let placed = Placed {
                        offset: at as u64,
                        batch: found,
                    };
                    at += placed.batch.length;
                    salvaged.batches.push(placed);
                }
                found => {
                    let what = found.map_or_else(
                        |error| error.to_string(),
                        |_| "un blocco la cui sequenza torna indietro".to_owned(),
                    );
                    let (what, following) = gap(segment, rest, next, &what);
                    salvaged.damage.push(corrupt(&segment.path, at as u64, &what));
                    let Some((offset, resumed)) = following else { break };
                    at += offset;
                    next = next.max(resumed);
                }
            }
        }
        if salvaged.damage.is_empty() {
            salvaged.damage.push(error);
        }
        salvaged
    }
}

/// What is damaged at the beginning of `rest`, and what is lost with it. Also the offset of the next whole
/// batch and its first sequence; None if no more follows.
fn gap(segment: &Segment, rest: &[u8], next: u64, what: &str) -> (String, Option<(usize, u64)>) {
    let Some(offset) = batch::find(&rest[1..]).map(|offset| 1 + offset) else {
        let end = segment.end.map(|end| format!(": {}", lost(next, end.next - 1)));
        let which = end.unwrap_or_default();
        let what = format!("{what}; fino alla fine del segmento non c'è più nulla di intero{which}");
        return (what, None);
    };
    let resumed = rest
        .get(offset..)
        .and_then(|rest| batch::decode(rest).ok())
        .map_or(next, |batch| batch.first);
    let skipped = if resumed > next {
        format!("; {}", lost(next, resumed - 1))
    } else {
        String::new()
    };
    (format!("{what}{skipped}"), Some((offset, resumed)))
}

fn lost(from: u64, to: u64) -> String {
    if from == to {
        format!("la voce {from} non si legge")
    } else {
        format!("le voci da {from} a {to} non si leggono")
    }
}

/// The error about the second of two entries with one exchange and ordinal, among entries with equal digests.
fn named_twice(chain: &Chain, twice: &[u64]) -> Result<LogError, LogError> {
    let mut seen = std::collections::HashMap::new();
    for segment in &chain.segments {
        let Whole { bytes, scan } = read(segment)?;
        for placed in &scan.batches {
            for entry in chain.entries(segment, &bytes, placed)? {
                if twice.binary_search(&Order::place_of(&entry)).is_err() {
                    continue;
                }
                if let Some(first) = seen.insert(
                    (entry.leaf.body.exchange, entry.leaf.body.ordinal()),
                    entry.leaf.seq,
                ) {
                    let what = format!(
                        "le voci {first} e {} hanno lo stesso scambio e lo stesso ordinale",
                        entry.leaf.seq
                    );
                    return Ok(corrupt(&segment.path, entry.position.leaf, &what));
                }
            }
        }
    }
    Ok(corrupt(
        Path::new("ledger"),
        0,
        "voci con lo stesso scambio e lo stesso ordinale",
    ))
}

/// Gives every entry recorded at or after an instant (RFC 3339, UTC) to `each`, segment by segment from the
/// last. It looks at few earlier entries, just enough to find the place of the instant: stamps never go back.
pub fn recorded_since(
    directory: &Path,
    ledger: Uuid,
    instant: &str,
    each: &mut dyn FnMut(&Glance<'_>),
) -> Result<(), LogError> {
    for segment in Chain::read(directory, ledger)?.segments.iter().rev() {
        let Whole {
            bytes,
            scan: Scan { batches, .. },
        } = read(segment)?;
        let glance = |placed: &Placed, index: usize| -> Result<Glance<'_>, LogError> {
            let span = placed.batch.spans.get(index);
            let leaf = span
                .and_then(|span| batch_of(&bytes, placed).get(span.leaf.clone()))
                .unwrap_or_default();
            let read = Glance::read(leaf).filter(|glance| glance.seq == placed.batch.first + index as u64);
            read.ok_or_else(|| {
                corrupt(
                    &segment.path,
                    placed.offset,
                    "una foglia che non è tale, o non è questa",
                )
            })
        };
        // The first batch whose last entry is not before the instant.
        let (mut first, mut end) = (0, batches.len());
        while first < end {
            let middle = first.midpoint(end);
            let before =
                &*glance(&batches[middle], batches[middle].batch.spans.len() - 1)?.recorded < instant;
            (first, end) = if before {
                (middle + 1, end)
            } else {
                (first, middle)
            };
        }
        let mut earlier = first > 0;
        for placed in &batches[first..] {
            for index in 0..placed.batch.spans.len() {
                let glance = glance(placed, index)?;
                if &*glance.recorded < instant {
                    earlier = true;
                } else {
                    each(&glance);
                }
            }
        }
        if earlier {
            break;
        }
    }
    Ok(())
}

/// Entries from the sequence `from` on, about `limit` bytes of them: for views and searches.
pub fn read_from(directory: &Path, ledger: Uuid, from: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
    let mut entries = Vec::new();
    scan_from(directory, ledger, from, limit, &mut |chunk| {
        entries.append(chunk);
        false
    })?;
    Ok(entries)
}

/// Gives entries from the sequence `from` on to `each`, about `limit` bytes of them at a time, until `each`
/// returns false. Every segment is read and checked once.
pub(super) fn scan_from(
    directory: &Path,
    ledger: Uuid,
    from: u64,
    limit: usize,
    each: &mut dyn FnMut(&mut Vec<Entry>) -> bool,
) -> Result<(), LogError> {
    let chain = Chain::read(directory, ledger)?;
    let start = chain
        .segments
        .partition_point(|segment| segment.first <= from)
        .saturating_sub(1);
    let (mut entries, mut taken) = (Vec::new(), 0);
    for segment in chain.segments.iter().skip(start) {
        let Whole { bytes, scan } = read(segment)?;
        for placed in &scan.batches {
            if placed.batch.first + placed.batch.spans.len() as u64 <= from {
                continue;
            }
            entries.extend(
                chain
                    .entries(segment, &bytes, placed)?
                    .into_iter()
                    .filter(|entry| entry.leaf.seq >= from),
            );
            taken += placed.batch.length;
            if taken >= limit {
                if !each(&mut entries) {
                    return Ok(());
                }
                entries.clear();
                taken = 0;
            }
        }
    }
    if !entries.is_empty() {
        each(&mut entries);
    }
    Ok(())
}

/// Copies the valid batches of all segments into a new directory, and verifies the copy. Returns the number
/// of bytes copied.
pub fn copy(from: &Path, to: &Path, ledger: Uuid) -> Result<u64, LogError> {
    let at = |path: &Path| {
        let file = name(path);
        move |error| LogError::Io { file, error }
    };
    std::fs::create_dir(to).map_err(at(to))?;
    let chain = Chain::read(from, ledger)?;
    let mut copied = 0;
    for segment in &chain.segments {
        let Whole { bytes, scan } = read(segment)?;
        if segment.end.is_none() {
            check_bound(segment, &scan, chain.bound)?;
        }
        let length = scan.end as u64;
        replace(&to.join(file_name(segment.first)), &bytes[..scan.end]).map_err(at(to))?;
        copied += length;
        made(length);
        if segment.end.is_none() {
            let bound = Bound {
                segment: segment.first,
                length,
                sequence: scan.next - 1,
                clean: true,
            };
            write_head(&RealDisk, to, bound).map_err(at(to))?;
        }
    }
    verify(to, ledger, &mut |_| ())?;
    Ok(copied)
}

/// Reads single segments, for searches and for the daily reading of the closed ones.
pub(super) struct Listing {
    directory: PathBuf,
    chain: Chain,
}

impl Listing {
    /// The segments of a directory, as it is now.
    pub(super) fn read(directory: &Path, ledger: Uuid) -> Result<Self, LogError> {
        Ok(Self {
            directory: directory.to_owned(),
            chain: Chain::read(directory, ledger)?,
        })
    }

    /// The segments of a possibly damaged directory, with the faults of `HEAD` and of the order of its
    /// segments.
    pub(super) fn lenient(directory: &Path, ledger: Uuid) -> Result<(Self, Vec<LogError>), LogError> {
        let (chain, wrong) = Chain::lenient(directory, ledger)?;
        Ok((
            Self {
                directory: directory.to_owned(),
                chain,
            },
            wrong,
        ))
    }

    fn segment(&self, part: &Part) -> Result<&Segment, LogError> {
        let found = self
            .chain
            .segments
            .iter()
            .find(|segment| segment.first == part.first);
        found.ok_or_else(|| corrupt(&self.directory, 0, "nessun segmento comincia con quella voce"))
    }
}

impl Parts for Listing {
    fn list(&self) -> Vec<Part> {
        self.chain
            .segments
            .iter()
            .map(|segment| Part {
                first: segment.first,
                closed: segment.end.is_some(),
            })
            .collect()
    }

    fn entries(&self, part: &Part) -> Result<Vec<Entry>, LogError> {
        let segment = self.segment(part)?;
        let Whole { bytes, scan } = read(segment)?;
        let mut entries = Vec::new();
        for placed in &scan.batches {
            entries.extend(self.chain.entries(segment, &bytes, placed)?);
        }
        Ok(entries)
    }

    fn salvage(&self, part: &Part) -> (Vec<Entry>, Vec<LogError>) {
        let segment = match self.segment(part) {
            Ok(segment) => segment,
            Err(error) => return (Vec::new(), vec![error]),
        };
        let is_last = self
            .chain
            .segments
            .last()
            .is_some_and(|last| last.first == part.first);
        let salvaged = Salvaged::of(segment, is_last, self.chain.bound);
        let (mut entries, mut damage) = (Vec::new(), salvaged.damage);
        for placed in &salvaged.batches {
            match self.chain.entries(segment, &salvaged.bytes, placed) {
                Ok(found) => entries.extend(found),
                Err(error) => damage.push(error),
            }
        }
        (entries, damage)
    }

    fn batches(&self, part: &Part, each: &mut dyn FnMut(Vec<Entry>) -> bool) -> Result<(), LogError> {
        let segment = self.segment(part)?;
        let Some(end) = segment.end else {
            each(self.entries(part)?);
            return Ok(());
        };
        let mut batches = Batches::open(segment, self.chain.ledger, end)?;
        while let Some(entries) = batches.next()? {
            if !each(entries) {
                break;
            }
        }
        Ok(())
    }

    fn beside(&self, part: &Part, extension: &str) -> Option<PathBuf> {
        part.closed
            .then(|| self.directory.join(format!("{:020}.{extension}", part.first)))
    }
}
