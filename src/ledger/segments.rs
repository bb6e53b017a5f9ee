//! Segment files: the log on disk, and its recovery (`docs/ledger.md`, "On disk" and "When things go wrong").

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;

use super::batch::{self, Batch, MAX_BATCH, Raw, SEGMENT_HEADER, SegmentHeader, Span};
use super::disk::{Disk, DiskFile, replace};
use super::leaf::{Entry, Glance, Position};
use super::log::{AppendError, Appended, Log, LogError, Reader};

const HEAD: &str = "HEAD";
const SYNC_FAILED: &str = "SYNC-FAILED";

/// The log of a data directory, open for appending.
pub struct SegmentLog {
    directory: PathBuf,
    ledger: Uuid,
    disk: Arc<dyn Disk>,
    size: u64,
    /// All segments, in order; the last is the open one.
    segments: Vec<Segment>,
    file: Box<dyn DiskFile>,
    /// Length of the open segment that is known to be durable.
    durable: u64,
    head: u64,
    /// Whether a failed append may have left bytes after `durable`.
    dirty: bool,
    /// Whether a failed `fdatasync` ended it.
    dead: bool,
}

#[derive(Clone, Debug)]
struct Segment {
    first: u64,
    path: PathBuf,
}

/// What recovery had to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// A torn tail that was cut: the segment's name, the offset, the bytes.
    pub cut: Option<(String, u64, u64)>,
    /// Whether the last run ended without a clean stop.
    pub unclean: bool,
    /// Whether the last run ended because `fdatasync` failed.
    pub sync_failed: bool,
}

impl SegmentLog {
    /// Makes the first segment in a new directory.
    pub fn create(directory: &Path, ledger: Uuid, disk: &dyn Disk) -> Result<(), LogError> {
        let at = |error| LogError::Io { file: directory.display().to_string(), error };
        std::fs::create_dir(directory).map_err(at)?;
        let mut file = disk.open(&directory.join(file_name(1)), true).map_err(at)?;
        let header = SegmentHeader { ledger, first: 1, previous_length: 0 };
        file.write_all_at(&header.encode(), 0).and_then(|()| file.sync_data()).map_err(at)?;
        disk.sync_directory(directory).map_err(at)?;
        write_head(directory, 1, SEGMENT_HEADER as u64, 0, true).map_err(at)
    }

    /// Opens the log: checks that the segments follow each other, reads the last one whole, cuts a torn tail, refuses corruption.
    pub fn open(directory: &Path, ledger: Uuid, disk: Arc<dyn Disk>, size: u64) -> Result<(Self, Recovery), LogError> {
        let mut recovery = Recovery::default();
        if let Some(begun) = begun(directory)? {
            // A change of segment that was cut short: nothing was ever acknowledged in it.
            let at = |error| LogError::Io { file: name(&begun), error };
            let length = std::fs::metadata(&begun).map_err(at)?.len();
            std::fs::rename(&begun, begun.with_extension("torn-0")).map_err(at)?;
            disk.sync_directory(directory).map_err(at)?;
            recovery.cut = Some((name(&begun), 0, length));
        }
        let segments = list(directory)?;
        check_chain(directory, &segments, ledger)?;
        let Some(last) = segments.last().cloned() else {
            return Err(corrupt(directory, 0, "no segment"));
        };
        let io_error = |error| LogError::Io { file: name(&last.path), error };
        recovery.sync_failed = directory.join(SYNC_FAILED).exists();
        if recovery.sync_failed {
            // The page cache is no evidence any more: what counts is what the disk gives back.
            forget_cached(&last.path).map_err(io_error)?;
        }
        let bytes = std::fs::read(&last.path).map_err(io_error)?;
        let scan = scan(&last.path, &bytes, last.first)?;
        let bound = read_head(directory)?;
        recovery.unclean = !bound.clean;
        let reached = (last.first, scan.end as u64);
        if reached < (bound.segment, bound.length) {
            return Err(corrupt(&last.path, scan.end as u64, "entries that were there at the last stop are missing"));
        }
        let mut file = disk.open(&last.path, false).map_err(io_error)?;
        if scan.end < bytes.len() {
            let torn = &bytes[scan.end..];
            recovery.cut = Some((name(&last.path), scan.end as u64, torn.len() as u64));
            let beside = directory.join(format!("{:020}.torn-{}", last.first, scan.end));
            replace(&beside, torn).map_err(io_error)?;
            file.set_len(scan.end as u64).map_err(io_error)?;
        }
        // What a process that died had written but not synced is about to be trusted.
        if let Err(error) = file.sync_data() {
            let _ = replace(&directory.join(SYNC_FAILED), b"fdatasync failed\n");
            return Err(io_error(error));
        }
        let mut log = Self {
            directory: directory.to_owned(),
            ledger,
            disk,
            size,
            segments,
            file,
            durable: scan.end as u64,
            head: scan.next - 1,
            dirty: false,
            dead: false,
        };
        if recovery.sync_failed && log.durable > SEGMENT_HEADER as u64 {
            log.roll().map_err(io_error)?;
        }
        if recovery.sync_failed {
            std::fs::remove_file(directory.join(SYNC_FAILED)).map_err(io_error)?;
        }
        log.mark(false).map_err(io_error)?;
        Ok((log, recovery))
    }

    /// A reader of the same segments.
    pub fn reader(&self) -> SegmentReader {
        SegmentReader::new(&self.directory)
    }

    fn mark(&self, clean: bool) -> io::Result<()> {
        let first = self.segments.last().map_or(1, |segment| segment.first);
        write_head(&self.directory, first, self.durable, self.head, clean)
    }

    /// Closes the open segment and begins the next.
    fn roll(&mut self) -> io::Result<()> {
        let first = self.head + 1;
        let path = self.directory.join(file_name(first));
        // Left behind by an attempt that failed half way: it holds nothing that was ever acknowledged.
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        let header = SegmentHeader { ledger: self.ledger, first, previous_length: self.durable };
        let mut file = self.disk.open(&path, true)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        self.disk.sync_directory(&self.directory)?;
        self.segments.push(Segment { first, path });
        self.file = file;
        self.durable = SEGMENT_HEADER as u64;
        self.mark(false)
    }

    fn clean_tail(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.set_len(self.durable)?;
            self.dirty = false;
        }
        Ok(())
    }
}

impl Log for SegmentLog {
    fn head(&self) -> u64 {
        self.head
    }

    fn append(&mut self, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError> {
        if self.dead {
            return Err(AppendError::Fatal(io::Error::other("an earlier fdatasync failed")));
        }
        debug_assert_eq!(expected_head, self.head, "a segment log has one writer");
        self.clean_tail().map_err(AppendError::Unavailable)?;
        if self.durable >= self.size {
            self.roll().map_err(AppendError::Unavailable)?;
        }
        let (bytes, spans) = batch::encode(self.head + 1, entries);
        // Never written: what is longer is not taken for a batch when it is read.
        if bytes.len() > MAX_BATCH {
            return Err(AppendError::Unavailable(io::Error::other("a batch over its greatest length")));
        }
        self.dirty = true;
        if let Err(error) = self.file.write_all_at(&bytes, self.durable) {
            // Tried again before the next append if it does not work now.
            let _ = self.clean_tail();
            return Err(AppendError::Unavailable(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.dead = true;
            // Best effort: without it the next start finds no clean stop and verifies all the same.
            let _ = replace(&self.directory.join(SYNC_FAILED), b"fdatasync failed\n");
            return Err(AppendError::Fatal(error));
        }
        self.dirty = false;
        let segment = self.segments.last().map_or(1, |segment| segment.first);
        let positions = spans.iter().map(|span| position(segment, self.durable, span)).collect();
        self.durable += bytes.len() as u64;
        self.head += entries.len() as u64;
        Ok(Appended::Positions(positions))
    }

    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<Entry>, LogError> {
        read_from(&self.directory, from, bytes)
    }

    fn replay(&mut self, from: u64, bytes: usize, each: &mut dyn FnMut(&[Entry]) -> bool) -> Result<(), LogError> {
        replay(&self.directory, from, bytes, &mut |entries| each(entries))
    }

    fn close(&mut self) -> Result<(), LogError> {
        if self.dead {
            return Ok(());
        }
        let file = self.directory.display().to_string();
        self.clean_tail().and_then(|()| self.mark(true)).map_err(|error| LogError::Io { file, error })
    }
}

/// Reads single entries of a directory's segments, whoever appends to them.
pub struct SegmentReader {
    directory: PathBuf,
    files: RwLock<HashMap<u64, Arc<File>>>,
}

impl SegmentReader {
    /// For the segments of a directory.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), files: RwLock::default() }
    }

    fn file(&self, segment: u64) -> Result<Arc<File>, LogError> {
        if let Some(file) = self.files.read().unwrap_or_else(PoisonError::into_inner).get(&segment) {
            return Ok(file.clone());
        }
        let path = self.directory.join(file_name(segment));
        let file = Arc::new(File::open(&path).map_err(|error| LogError::Io { file: name(&path), error })?);
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(segment, file.clone());
        Ok(file)
    }
}

impl Reader for SegmentReader {
    fn entry(&self, position: &Position) -> Result<Entry, LogError> {
        let file = self.file(position.segment)?;
        let io_error = |error| LogError::Io { file: file_name(position.segment), error };
        let mut leaf = vec![0; position.leaf_length as usize];
        file.read_exact_at(&mut leaf, position.leaf).map_err(io_error)?;
        let mut sealed = vec![0; position.sealed_length as usize];
        file.read_exact_at(&mut sealed, position.sealed).map_err(io_error)?;
        Entry::read(leaf, sealed, *position).ok_or_else(|| LogError::Corrupt {
            file: file_name(position.segment),
            offset: position.leaf,
            what: "no leaf at this position".to_owned(),
        })
    }
}

/// A batch of a segment: where it starts and what it holds.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Offset in the segment.
    pub offset: u64,
    /// The batch.
    pub batch: Batch,
}

/// What reading a segment from its start found.
struct Scan {
    batches: Vec<Placed>,
    /// Where the valid batches end.
    end: usize,
    /// The sequence after the last entry.
    next: u64,
}

/// Reads all batches of a segment. A bad one with a valid one anywhere after it is corruption; otherwise it is a torn tail.
fn scan(path: &Path, bytes: &[u8], first: u64) -> Result<Scan, LogError> {
    let mut scan = Scan { batches: Vec::new(), end: SEGMENT_HEADER, next: first };
    while scan.end < bytes.len() {
        match batch::decode(&bytes[scan.end..]) {
            Ok(found) if found.first == scan.next => {
                let offset = scan.end as u64;
                scan.end += found.length;
                scan.next += found.spans.len() as u64;
                scan.batches.push(Placed { offset, batch: found });
            }
            Ok(_) => return Err(corrupt(path, scan.end as u64, "a batch whose sequence does not follow")),
            Err(error) => {
                if batch::find(&bytes[scan.end + 1..]).is_some() {
                    return Err(corrupt(path, scan.end as u64, &format!("{error}, and a valid batch after it")));
                }
                break;
            }
        }
    }
    Ok(scan)
}

/// What a verification of all segments found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries read.
    pub entries: u64,
    /// Batches read.
    pub batches: u64,
    /// Bytes after the last valid batch: a torn tail that the next start cuts, or a batch being written.
    pub tail: u64,
}

/// Reads every byte of every segment and checks it, giving each entry to `each`.
pub fn verify(directory: &Path, ledger: Uuid, each: &mut dyn FnMut(Entry) -> Result<(), LogError>) -> Result<Verified, LogError> {
    let segments = list(directory)?;
    check_chain(directory, &segments, ledger)?;
    let mut verified = Verified::default();
    for (index, segment) in segments.iter().enumerate() {
        let bytes = std::fs::read(&segment.path).map_err(|error| LogError::Io { file: name(&segment.path), error })?;
        let scan = scan(&segment.path, &bytes, segment.first)?;
        let last = index + 1 == segments.len();
        if !last && scan.end != bytes.len() {
            return Err(corrupt(&segment.path, scan.end as u64, "a closed segment with a bad end"));
        }
        if last {
            verified.tail = (bytes.len() - scan.end) as u64;
            let bound = read_head(directory)?;
            if (segment.first, scan.end as u64) < (bound.segment, bound.length) {
                return Err(corrupt(&segment.path, scan.end as u64, "entries that were there at the last stop are missing"));
            }
        } else if segments[index + 1].first != scan.next {
            return Err(corrupt(&segment.path, scan.end as u64, "the next segment does not follow"));
        }
        for placed in &scan.batches {
            verified.batches += 1;
            for entry in entries_of(segment, &bytes, placed)? {
                verified.entries += 1;
                each(entry)?;
            }
        }
    }
    Ok(verified)
}

/// Gives every entry that was recorded at or after an instant (RFC 3339, UTC) to `each`, segment by segment from the last. Of those
/// before it only as many are looked at as it takes to find where it lies: stamps never go back.
pub fn recorded_since(directory: &Path, instant: &str, each: &mut dyn FnMut(&Glance<'_>)) -> Result<(), LogError> {
    for segment in list(directory)?.iter().rev() {
        let bytes = std::fs::read(&segment.path).map_err(|error| LogError::Io { file: name(&segment.path), error })?;
        let batches = scan(&segment.path, &bytes, segment.first)?.batches;
        let glance = |placed: &Placed, index: usize| -> Result<Glance<'_>, LogError> {
            let span = placed.batch.spans.get(index);
            let leaf = span.and_then(|span| batch_of(&bytes, placed).get(span.leaf.clone())).unwrap_or_default();
            let read = Glance::read(leaf).filter(|glance| glance.seq == placed.batch.first + index as u64);
            read.ok_or_else(|| corrupt(&segment.path, placed.offset, "a leaf that is none, or not this one"))
        };
        // The first batch whose last entry is not before the instant.
        let (mut first, mut end) = (0, batches.len());
        while first < end {
            let middle = first.midpoint(end);
            let before = &*glance(&batches[middle], batches[middle].batch.spans.len() - 1)?.recorded < instant;
            (first, end) = if before { (middle + 1, end) } else { (first, middle) };
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

/// Entries from a sequence on, at most about that many bytes of them: for views and searches.
pub fn read_from(directory: &Path, from: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
    let mut entries = Vec::new();
    replay(directory, from, limit, &mut |chunk| {
        entries.append(chunk);
        false
    })?;
    Ok(entries)
}

/// Gives entries from a sequence on to `each`, about that many bytes of them at a time, as long as it says true. Every segment is read and checked once.
fn replay(directory: &Path, from: u64, limit: usize, each: &mut dyn FnMut(&mut Vec<Entry>) -> bool) -> Result<(), LogError> {
    let segments = list(directory)?;
    let start = segments.partition_point(|segment| segment.first <= from).saturating_sub(1);
    let (mut entries, mut taken) = (Vec::new(), 0);
    for segment in segments.iter().skip(start) {
        let bytes = std::fs::read(&segment.path).map_err(|error| LogError::Io { file: name(&segment.path), error })?;
        for placed in &scan(&segment.path, &bytes, segment.first)?.batches {
            if placed.batch.first + placed.batch.spans.len() as u64 <= from {
                continue;
            }
            entries.extend(entries_of(segment, &bytes, placed)?.into_iter().filter(|entry| entry.leaf.seq >= from));
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

/// The bytes of a batch, in those of its segment.
fn batch_of<'a>(bytes: &'a [u8], placed: &Placed) -> &'a [u8] {
    let start = usize::try_from(placed.offset).unwrap_or(usize::MAX);
    bytes.get(start..start.saturating_add(placed.batch.length)).unwrap_or_default()
}

fn entries_of(segment: &Segment, bytes: &[u8], placed: &Placed) -> Result<Vec<Entry>, LogError> {
    let batch = batch_of(bytes, placed);
    let mut entries = Vec::with_capacity(placed.batch.spans.len());
    for (index, span) in placed.batch.spans.iter().enumerate() {
        let position = position(segment.first, placed.offset, span);
        let part = |range: &std::ops::Range<usize>| batch.get(range.clone()).unwrap_or_default().to_vec();
        let entry = Entry::read(part(&span.leaf), part(&span.sealed), position)
            .filter(|entry| entry.leaf.seq == placed.batch.first + index as u64)
            .ok_or_else(|| corrupt(&segment.path, position.leaf, "a leaf that is none, or not this one"))?;
        entries.push(entry);
    }
    Ok(entries)
}

fn position(segment: u64, batch: u64, span: &Span) -> Position {
    let small = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Position {
        segment,
        leaf: batch + span.leaf.start as u64,
        leaf_length: small(span.leaf.len()),
        sealed: batch + span.sealed.start as u64,
        sealed_length: small(span.sealed.len()),
    }
}

/// The segments of a directory, in order.
fn list(directory: &Path) -> Result<Vec<Segment>, LogError> {
    let io_error = |error| LogError::Io { file: directory.display().to_string(), error };
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let first = first.ok_or_else(|| corrupt(&path, 0, "a segment's name that is no sequence"))?;
            segments.push(Segment { first, path });
        }
    }
    segments.sort_by_key(|segment| segment.first);
    // One that was only begun is not there yet: `open` sets it aside.
    if let Some(begun) = begun(directory)? {
        segments.retain(|segment| segment.path != begun);
    }
    Ok(segments)
}

/// The file of a segment that was begun and whose header never became durable: later than the segment that `HEAD` names, and without a valid header.
/// No batch is ever written before the header is synced.
fn begun(directory: &Path) -> Result<Option<PathBuf>, LogError> {
    let bound = read_head(directory)?;
    let io_error = |error| LogError::Io { file: directory.display().to_string(), error };
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        let first: Option<u64> = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        let later = path.extension().is_some_and(|extension| extension == "seg") && first.is_some_and(|first| first > bound.segment);
        if later && std::fs::metadata(&path).map_err(io_error)?.len() <= SEGMENT_HEADER as u64 {
            let bytes = std::fs::read(&path).map_err(io_error)?;
            if SegmentHeader::decode(&bytes).is_err() {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Every segment's header, and that each names the length of the one before it.
fn check_chain(directory: &Path, segments: &[Segment], ledger: Uuid) -> Result<(), LogError> {
    if segments.first().is_none_or(|segment| segment.first != 1) {
        return Err(corrupt(directory, 0, "the first segment is missing"));
    }
    let mut previous_length = 0;
    let mut previous: Option<&Segment> = None;
    for segment in segments {
        let io_error = |error| LogError::Io { file: name(&segment.path), error };
        let file = File::open(&segment.path).map_err(io_error)?;
        let length = file.metadata().map_err(io_error)?.len();
        let mut header = [0; SEGMENT_HEADER];
        if length < SEGMENT_HEADER as u64 {
            return Err(corrupt(&segment.path, length, "a segment shorter than its header"));
        }
        file.read_exact_at(&mut header, 0).map_err(io_error)?;
        let header = SegmentHeader::decode(&header).map_err(|error| corrupt(&segment.path, 0, &error.to_string()))?;
        if header.ledger != ledger || header.first != segment.first {
            return Err(corrupt(&segment.path, 0, "a segment of another ledger, or under another name"));
        }
        if let Some(previous) = previous
            && header.previous_length != previous_length
        {
            let at = header.previous_length.min(previous_length);
            return Err(corrupt(&previous.path, at, "a closed segment whose length is not what its successor says"));
        }
        previous_length = length;
        previous = Some(segment);
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    segment: u64,
    length: u64,
    clean: bool,
}

fn write_head(directory: &Path, segment: u64, length: u64, sequence: u64, clean: bool) -> io::Result<()> {
    let state = if clean { "clean" } else { "open" };
    let text = format!("VARCO-HEAD 1 {segment} {length} {sequence} {state}");
    let checksum = crc32c::crc32c(text.as_bytes());
    replace(&directory.join(HEAD), format!("{text} {checksum:08x}\n").as_bytes())
}

/// A damaged bound is corruption too: nothing else tells a shortened log from a whole one.
fn read_head(directory: &Path) -> Result<Bound, LogError> {
    let path = directory.join(HEAD);
    let text = std::fs::read_to_string(&path).map_err(|error| LogError::Io { file: HEAD.to_owned(), error })?;
    let damaged = || corrupt(&path, 0, "not a head");
    let (content, checksum) = text.trim_end().rsplit_once(' ').ok_or_else(damaged)?;
    let fields: Vec<&str> = content.split(' ').collect();
    let [magic, version, segment, length, _, state] = fields[..] else { return Err(damaged()) };
    if format!("{:08x}", crc32c::crc32c(content.as_bytes())) != checksum || magic != "VARCO-HEAD" || version != "1" {
        return Err(damaged());
    }
    Ok(Bound { segment: segment.parse().map_err(|_| damaged())?, length: length.parse().map_err(|_| damaged())?, clean: state == "clean" })
}

fn forget_cached(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).map_err(io::Error::from)
}

fn file_name(first: u64) -> String {
    format!("{first:020}.seg")
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

fn corrupt(path: &Path, offset: u64, what: &str) -> LogError {
    LogError::Corrupt { file: name(path), offset, what: what.to_owned() }
}

/// The longest submission that a committer takes: a lot of DSU. Added to a batch that is not full, it is still well below what is read.
pub const LONGEST_SUBMISSION: usize = MAX_BATCH / 2;

/// A batch of this length is full.
pub const FULL_BATCH: usize = MAX_BATCH / 8;

/// Copies the valid batches of all segments into a new directory; how many bytes.
pub fn copy(from: &Path, to: &Path, ledger: Uuid) -> Result<u64, LogError> {
    let at = |path: &Path| {
        let file = name(path);
        move |error| LogError::Io { file, error }
    };
    std::fs::create_dir(to).map_err(at(to))?;
    let segments = list(from)?;
    check_chain(from, &segments, ledger)?;
    let mut copied = 0;
    for (index, segment) in segments.iter().enumerate() {
        let bytes = std::fs::read(&segment.path).map_err(at(&segment.path))?;
        let scan = scan(&segment.path, &bytes, segment.first)?;
        replace(&to.join(file_name(segment.first)), &bytes[..scan.end]).map_err(at(to))?;
        copied += scan.end as u64;
        if index + 1 == segments.len() {
            write_head(to, segment.first, scan.end as u64, scan.next - 1, true).map_err(at(to))?;
        }
    }
    Ok(copied)
}

/// A segment of a directory, for searches.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) first: u64,
    pub(super) closed: bool,
    path: PathBuf,
}

/// All segments, and whether each is closed.
pub(super) fn closed_and_open(directory: &Path, ledger: Uuid) -> Result<Vec<Listed>, LogError> {
    let segments = list(directory)?;
    check_chain(directory, &segments, ledger)?;
    let last = segments.len();
    let listed = |(index, segment): (usize, Segment)| Listed { first: segment.first, closed: index + 1 < last, path: segment.path };
    Ok(segments.into_iter().enumerate().map(listed).collect())
}

/// The entries of one segment.
pub(super) fn entries_of_segment(listed: &Listed) -> Result<Vec<Entry>, LogError> {
    let bytes = std::fs::read(&listed.path).map_err(|error| LogError::Io { file: name(&listed.path), error })?;
    let segment = Segment { first: listed.first, path: listed.path.clone() };
    let mut entries = Vec::new();
    for placed in &scan(&listed.path, &bytes, listed.first)?.batches {
        entries.extend(entries_of(&segment, &bytes, placed)?);
    }
    Ok(entries)
}
