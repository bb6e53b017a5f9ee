//! Segment files: the log on disk, and its recovery (`docs/ledger.md`, "On disk" and "When things go wrong").
//!
//! This file writes. `chain` lists the segments and checks their order; `read` reads them, also beside the
//! writer; `reader` reads single entries by their positions.

mod chain;
mod read;
mod reader;

pub use read::{Placed, copy, inspect, read_from, recorded_since, verify};
pub use reader::SegmentReader;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use self::chain::{Bound, Chain, Segment, UNKNOWN, corrupt, write_head};
pub(super) use self::chain::{file_name, name};
use super::batch::{self, MAX_BATCH, Raw, SEGMENT_HEADER, SegmentHeader};
use super::disk::{Disk, DiskFile, replace};
use super::leaf::Entry;
use super::leaf::Position;
use super::log::{AppendError, Appended, BatchId, Log, LogError};

const SYNC_FAILED: &str = "SYNC-FAILED";

/// The log of a data directory, open for appending.
pub struct SegmentLog {
    directory: PathBuf,
    ledger: Uuid,
    disk: Arc<dyn Disk>,
    size: u64,
    /// All segments, in order; the last is the open one.
    segments: Vec<Segment>,
    /// The batches of the open segment: the sequence of the first entry, and the offset.
    batches: Vec<(u64, u64)>,
    file: Box<dyn DiskFile>,
    /// Durable length of the open segment, in bytes.
    durable: u64,
    head: u64,
    /// Whether a failed append may have left bytes after `durable`.
    dirty: bool,
    /// Whether a failed `fdatasync` ended it.
    dead: bool,
}

/// The findings and repairs of a recovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// A torn tail, cut off: the segment's name, the offset, the number of bytes.
    pub cut: Option<(String, u64, u64)>,
    /// Whether the last run ended without a clean stop.
    pub unclean: bool,
    /// Whether the last run ended because `fdatasync` failed.
    pub sync_failed: bool,
}

/// How to open a log that has lost its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The log is refused: acknowledged entries are gone.
    Refused,
    /// The operator goes on with the whole part; the rest is set aside.
    Accepted,
}

impl SegmentLog {
    /// Makes the first segment in a new directory.
    pub fn create(directory: &Path, ledger: Uuid, disk: &dyn Disk) -> Result<(), LogError> {
        let at = |error| LogError::Io {
            file: directory.display().to_string(),
            error,
        };
        std::fs::create_dir(directory).map_err(at)?;
        let mut file = disk.open(&directory.join(file_name(1)), true).map_err(at)?;
        let header = SegmentHeader {
            ledger,
            first: 1,
            previous_length: 0,
        };
        file.write_all_at(&header.encode(), 0)
            .and_then(|()| file.sync_data())
            .map_err(at)?;
        disk.sync_directory(directory).map_err(at)?;
        write_head(
            disk,
            directory,
            Bound {
                segment: 1,
                length: SEGMENT_HEADER as u64,
                sequence: 0,
                clean: true,
            },
        )
        .map_err(at)
    }

    /// Opens the log: checks the order of the segments, reads the last one whole, cuts a torn tail, refuses
    /// corruption.
    pub fn open(
        directory: &Path,
        ledger: Uuid,
        disk: Arc<dyn Disk>,
        size: u64,
        loss: Loss,
    ) -> Result<(Self, Recovery), LogError> {
        let mut recovery = Recovery::default();
        let chain = Self::chain(directory, ledger, loss)?;
        recovery.cut = set_aside(&chain, directory, &*disk)?;
        let Some(last) = chain.last().cloned() else {
            return Err(corrupt(directory, 0, "nessun segmento"));
        };
        let io_error = |error| LogError::Io {
            file: name(&last.path),
            error,
        };
        recovery.sync_failed = directory.join(SYNC_FAILED).exists();
        if recovery.sync_failed {
            // The page cache is no evidence any more: only the bytes given back by the disk count.
            forget_cached(&last.path).map_err(io_error)?;
        }
        let read::Whole { bytes, scan } = if loss == Loss::Accepted {
            read::read_whole_part(&last)?
        } else {
            read::read(&last)?
        };
        recovery.unclean = !chain.bound.clean;
        if loss == Loss::Refused {
            read::check_bound(&last, &scan, chain.bound)?;
        }
        let mut file = disk.open(&last.path, false).map_err(io_error)?;
        if scan.end < bytes.len() {
            recovery.cut = Some(cut(directory, &last, &mut *file, &bytes, scan.end).map_err(io_error)?);
        }
        // Bytes written by a dead process, but not synced, are about to be trusted: sync them.
        if let Err(error) = file.sync_data() {
            let _ = replace(&directory.join(SYNC_FAILED), b"fdatasync failed\n");
            return Err(io_error(error));
        }
        let mut log = Self {
            directory: directory.to_owned(),
            ledger,
            disk,
            size,
            segments: chain.segments,
            batches: scan
                .batches
                .iter()
                .map(|placed| (placed.batch.first, placed.offset))
                .collect(),
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

    /// The segments to open: all of them, or the whole part of the log.
    fn chain(directory: &Path, ledger: Uuid, loss: Loss) -> Result<Chain, LogError> {
        match loss {
            Loss::Accepted => Chain::whole(directory, ledger),
            Loss::Refused => {
                let chain = Chain::read(directory, ledger)?;
                chain.check_ends()?;
                Ok(chain)
            }
        }
    }

    fn mark(&self, clean: bool) -> io::Result<()> {
        let segment = self.segments.last().map_or(1, |segment| segment.first);
        write_head(
            self.disk.as_ref(),
            &self.directory,
            Bound {
                segment,
                length: self.durable,
                sequence: self.head,
                clean,
            },
        )
    }

    /// Closes the open segment and begins the next.
    fn roll(&mut self) -> io::Result<()> {
        let first = self.head + 1;
        let path = self.directory.join(file_name(first));
        // Left behind by a failed attempt: nothing was ever acknowledged in it.
        if path.exists() {
            std::fs::remove_file(&path)?;
        }
        let header = SegmentHeader {
            ledger: self.ledger,
            first,
            previous_length: self.durable,
        };
        let mut file = self.disk.open(&path, true)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        self.disk.sync_directory(&self.directory)?;
        self.segments.push(Segment {
            first,
            path,
            end: None,
        });
        self.batches.clear();
        self.file = file;
        self.durable = SEGMENT_HEADER as u64;
        self.mark(false)
    }

    /// Entries of the open segment from the sequence `from` on, read from their places.
    fn read_open(&self, last: &Segment, from: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let io_error = |error| LogError::Io {
            file: name(&last.path),
            error,
        };
        let file = File::open(&last.path).map_err(io_error)?;
        let start = self
            .batches
            .partition_point(|(first, _)| *first <= from)
            .saturating_sub(1);
        let (mut entries, mut taken) = (Vec::new(), 0);
        for (index, (first, offset)) in self.batches.iter().enumerate().skip(start) {
            let end = self
                .batches
                .get(index + 1)
                .map_or(self.durable, |(_, next)| *next);
            let mut bytes = vec![0; usize::try_from(end - offset).unwrap_or_default()];
            file.read_exact_at(&mut bytes, *offset).map_err(io_error)?;
            let batch =
                batch::decode(&bytes).map_err(|error| corrupt(&last.path, *offset, &error.to_string()))?;
            if batch.first != *first || batch.length != bytes.len() {
                return Err(corrupt(
                    &last.path,
                    *offset,
                    "non è il blocco che era stato scritto qui",
                ));
            }
            let placed = Placed {
                offset: *offset,
                batch,
            };
            entries.extend(
                read::entries(last, self.ledger, &bytes, &placed)?
                    .into_iter()
                    .filter(|entry| entry.leaf.seq >= from),
            );
            taken += bytes.len();
            if taken >= limit {
                break;
            }
        }
        Ok(entries)
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
    fn head(&self) -> Result<u64, LogError> {
        Ok(self.head)
    }

    fn append(&mut self, _: BatchId, entries: &[Raw], expected_head: u64) -> Result<Appended, AppendError> {
        if self.dead {
            return Err(AppendError::Fatal(io::Error::other(
                "un fdatasync di prima non è riuscito",
            )));
        }
        debug_assert_eq!(expected_head, self.head, "a segment log has one writer");
        match self.file.length().map_err(AppendError::Unavailable)? {
            Some(length) if length >= self.durable => {}
            // Acknowledged entries are gone, and new ones would be lost too.
            _ => {
                self.dead = true;
                return Err(AppendError::Fatal(io::Error::other(
                    "il segmento aperto è stato tolto o accorciato da qualcun altro",
                )));
            }
        }
        self.clean_tail().map_err(AppendError::Unavailable)?;
        if self.durable >= self.size {
            self.roll().map_err(AppendError::Unavailable)?;
        }
        let (bytes, spans) = batch::encode(self.head + 1, entries);
        // Never written: a reader accepts no batch so long.
        if bytes.len() > MAX_BATCH {
            return Err(AppendError::Unavailable(io::Error::other(
                "un blocco più lungo di quanto è ammesso",
            )));
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
        let placed = spans.iter().zip(entries).zip(self.head + 1..);
        let positions = placed.map(|((span, raw), sequence)| {
            read::position(
                segment,
                self.durable,
                span,
                sequence,
                batch::entry_checksum(&raw.leaf, &raw.sealed),
            )
        });
        let positions = positions.collect();
        self.batches.push((self.head + 1, self.durable));
        self.durable += bytes.len() as u64;
        self.head += entries.len() as u64;
        Ok(Appended::Positions(positions))
    }

    fn settle(&mut self, _: BatchId) -> Result<Option<Vec<Position>>, LogError> {
        // A failed sync ends the process: no append to a file is in doubt.
        Err(corrupt(&self.directory, 0, "nessun blocco in dubbio"))
    }

    fn read(&mut self, from: u64, bytes: usize) -> Result<Vec<Entry>, LogError> {
        match self.segments.last().filter(|last| from >= last.first) {
            Some(last) => self.read_open(last, from, bytes),
            None => read_from(&self.directory, self.ledger, from, bytes),
        }
    }

    fn scan(
        &mut self,
        from: u64,
        bytes: usize,
        each: &mut dyn FnMut(&[Entry]) -> bool,
    ) -> Result<(), LogError> {
        let (mut next, mut goes_on) = (from, true);
        // Closed segments are read whole, the open one from the wanted entry on.
        if self.segments.last().is_some_and(|last| from < last.first) {
            read::scan_from(&self.directory, self.ledger, from, bytes, &mut |entries| {
                next = entries.last().map_or(next, |last| last.leaf.seq + 1);
                goes_on = each(entries);
                goes_on
            })?;
        }
        while goes_on && next <= self.head {
            let entries = self.read(next, bytes)?;
            let Some(last) = entries.last() else { break };
            next = last.leaf.seq + 1;
            goes_on = each(&entries);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), LogError> {
        if self.dead {
            return Ok(());
        }
        let file = self.directory.display().to_string();
        self.clean_tail()
            .and_then(|()| self.mark(true))
            .map_err(|error| LogError::Io { file, error })
    }
}

fn forget_cached(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).map_err(io::Error::from)
}

/// The last whole entry of a log and its last required entry, to judge a loss. Nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Sequence of the last whole entry.
    pub head: u64,
    /// Sequence of the last required entry, by `HEAD` and by the segments given up. None: `HEAD` cannot be
    /// read.
    pub bound: Option<u64>,
}

/// The extent of a directory's log; with [`Loss::Accepted`], without the end given up.
pub fn extent(directory: &Path, ledger: Uuid, loss: Loss) -> Result<Extent, LogError> {
    let chain = SegmentLog::chain(directory, ledger, loss)?;
    let Some(last) = chain.last() else {
        return Err(corrupt(directory, 0, "nessun segmento"));
    };
    let scan = match loss {
        Loss::Accepted => read::read_whole_part(last)?.scan,
        Loss::Refused => {
            let scan = read::read(last)?.scan;
            read::check_bound(last, &scan, chain.bound)?;
            scan
        }
    };
    // A segment given up had its first entry at least.
    let given_up = chain
        .lost
        .iter()
        .filter_map(|path| path.file_stem()?.to_str()?.parse::<u64>().ok())
        .max()
        .unwrap_or_default();
    let bound = Some(chain.bound.sequence)
        .filter(|sequence| *sequence != UNKNOWN)
        .map(|sequence| sequence.max(given_up));
    Ok(Extent {
        head: scan.next - 1,
        bound,
    })
}

/// The longest submission taken by a committer, in bytes: a lot of DSU. Added to a batch not yet full, it
/// stays well below [`MAX_BATCH`].
pub const LONGEST_SUBMISSION: usize = MAX_BATCH / 2;

/// A batch of this many bytes is full.
pub const FULL_BATCH: usize = MAX_BATCH / 8;

/// Part of a segment that was set aside: its file, its first byte and its length.
type Reciso = (String, u64, u64);

/// Sets aside the segments of a lost part, and a segment without a batch: a change of segment was cut short,
/// and nothing was ever acknowledged in it. They are kept beside: the directory may be a copy made file by
/// file while the log went on.
fn set_aside(chain: &Chain, directory: &Path, disk: &dyn Disk) -> Result<Option<Reciso>, LogError> {
    let renamed = |error| LogError::Io {
        file: directory.display().to_string(),
        error,
    };
    for lost in &chain.lost {
        std::fs::rename(lost, lost.with_extension("lost")).map_err(renamed)?;
    }
    if !chain.lost.is_empty() {
        disk.sync_directory(directory).map_err(renamed)?;
    }
    let Some(begun) = &chain.begun else {
        return Ok(None);
    };
    let at = |error| LogError::Io {
        file: name(begun),
        error,
    };
    let length = std::fs::metadata(begun).map_err(at)?.len();
    std::fs::rename(begun, begun.with_extension("torn-0")).map_err(at)?;
    disk.sync_directory(directory).map_err(at)?;
    Ok(Some((name(begun), 0, length)))
}

/// Cuts a segment after its last whole batch, and keeps the torn bytes beside.
fn cut(
    directory: &Path,
    last: &Segment,
    file: &mut dyn DiskFile,
    bytes: &[u8],
    end: usize,
) -> io::Result<Reciso> {
    let torn = &bytes[end..];
    let beside = directory.join(format!("{:020}.torn-{end}", last.first));
    replace(&beside, torn)?;
    file.set_len(end as u64)?;
    Ok((name(&last.path), end as u64, torn.len() as u64))
}
