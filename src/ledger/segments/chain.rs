//! The segments of a directory and their order: by ledger, sequence and length. `HEAD` is a lower bound of
//! the log's extent.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::batch::{self, SEGMENT_HEADER, SegmentHeader};
use super::super::disk::Disk;
use super::super::log::LogError;

const HEAD: &str = "HEAD";
const OTHER: &str = "il segmento è di un altro registro, o sotto un altro nome";
pub(super) const NO_FIRST: &str = "manca il primo segmento";

/// Bytes read first at the end of a closed segment, to find its last batch.
const TAIL: u64 = 64 << 10;

/// All segments of a directory, at a moment.
pub(super) struct Chain {
    pub(super) ledger: Uuid,
    /// In order; all but the last are closed.
    pub(super) segments: Vec<Segment>,
    /// Lower bound of the log's extent. It is read before the segments are listed: a writer may go on
    /// meanwhile.
    pub(super) bound: Bound,
    /// A begun segment without a durable header.
    pub(super) begun: Option<PathBuf>,
    /// Segments after the whole part of the log, if a loss is accepted.
    pub(super) lost: Vec<PathBuf>,
}

/// A segment's file: its beginning from its name, its end from its successor.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Sequence of its first entry.
    pub(super) first: u64,
    pub(super) path: PathBuf,
    /// Its required end, by the header of its successor. None for the last segment: it is open. A lenient
    /// reading also leaves None if the successor's header is bad or contradicts the file.
    pub(super) end: Option<End>,
}

/// The end of a closed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Length of the segment, in bytes.
    pub(super) length: u64,
    /// The sequence after its last entry.
    pub(super) next: u64,
}

impl Chain {
    /// Reads `HEAD`, then the names and headers of all segments, and checks the length of each segment
    /// against its successor's header.
    pub(super) fn read(directory: &Path, ledger: Uuid) -> Result<Self, LogError> {
        let bound = read_head(directory)?;
        let mut chain = Self {
            ledger,
            segments: names(directory)?,
            bound,
            begun: None,
            lost: Vec::new(),
        };
        let mut previous: Option<usize> = None;
        for index in 0..chain.segments.len() {
            let segment = &chain.segments[index];
            let (bytes, length) = header_bytes(segment)?;
            let header = match SegmentHeader::decode(&bytes) {
                Ok(header) => header,
                // No batch is ever written before the header is synced. `HEAD` names no segment before its
                // header is synced either.
                Err(_)
                    if index + 1 == chain.segments.len()
                        && segment.first > bound.segment
                        && length <= SEGMENT_HEADER as u64 =>
                {
                    chain.begun = chain.segments.pop().map(|segment| segment.path);
                    break;
                }
                Err(_) if length < SEGMENT_HEADER as u64 => {
                    return Err(corrupt(
                        &segment.path,
                        length,
                        "il segmento è più corto della sua intestazione",
                    ));
                }
                Err(error) => return Err(corrupt(&segment.path, 0, &error.to_string())),
            };
            if header.ledger != ledger || header.first != segment.first {
                return Err(corrupt(&segment.path, 0, OTHER));
            }
            match previous {
                None if header.first != 1 => return Err(corrupt(directory, 0, NO_FIRST)),
                None => {}
                Some(previous) => chain.closes(previous, header)?,
            }
            previous = Some(index);
        }
        let Some(last) = chain.segments.last() else {
            return Err(corrupt(directory, 0, NO_FIRST));
        };
        if last.first < bound.segment {
            let length = std::fs::metadata(&last.path)
                .map_err(|error| LogError::Io {
                    file: name(&last.path),
                    error,
                })?
                .len();
            return Err(shorter(&last.path, length, bound));
        }
        Ok(chain)
    }

    /// All segments, and their faults: of `HEAD`, of headers and lengths, missing segments. For readers going
    /// past damage.
    pub(super) fn lenient(directory: &Path, ledger: Uuid) -> Result<(Self, Vec<LogError>), LogError> {
        let mut wrong = Vec::new();
        let bound = read_head(directory).unwrap_or_else(|error| {
            wrong.push(error);
            Bound {
                segment: 0,
                length: 0,
                sequence: 0,
                clean: false,
            }
        });
        let mut chain = Self {
            ledger,
            segments: names(directory)?,
            bound,
            begun: None,
            lost: Vec::new(),
        };
        let (mut headers, mut begun) = (Vec::new(), false);
        for (index, segment) in chain.segments.iter().enumerate() {
            let header = header_bytes(segment).map(|(bytes, length)| (SegmentHeader::decode(&bytes), length));
            let is_last = index + 1 == chain.segments.len();
            headers.push(match header {
                Ok((Ok(header), _)) if header.ledger == ledger && header.first == segment.first => {
                    Some(header)
                }
                Ok((Ok(_), _)) => {
                    wrong.push(corrupt(&segment.path, 0, OTHER));
                    None
                }
                // Begun, and nothing was ever acknowledged in it.
                Ok((Err(_), length))
                    if is_last && segment.first > bound.segment && length <= SEGMENT_HEADER as u64 =>
                {
                    begun = true;
                    None
                }
                Ok((Err(error), _)) => {
                    wrong.push(corrupt(&segment.path, 0, &error.to_string()));
                    None
                }
                Err(error) => {
                    wrong.push(error);
                    None
                }
            });
        }
        if begun {
            chain.begun = chain.segments.pop().map(|segment| segment.path);
        }
        if chain.segments.first().is_none_or(|first| first.first != 1) {
            wrong.push(corrupt(directory, 0, NO_FIRST));
        }
        for index in 1..chain.segments.len() {
            match headers.get(index).copied().flatten() {
                Some(header) => wrong.extend(chain.closes(index - 1, header).err()),
                // Its name tells its beginning. The end of the one before is not known.
                None => chain.segments[index - 1].end = None,
            }
        }
        if let Some(last) = chain.segments.last().filter(|last| last.first < bound.segment) {
            let length = std::fs::metadata(&last.path)
                .map(|metadata| metadata.len())
                .unwrap_or_default();
            wrong.push(shorter(&last.path, length, bound));
        }
        Ok((chain, wrong))
    }

    /// Notes the end of a segment, by its successor's header.
    fn closes(&mut self, index: usize, successor: SegmentHeader) -> Result<(), LogError> {
        let segment = &mut self.segments[index];
        let length = std::fs::metadata(&segment.path)
            .map_err(|error| LogError::Io {
                file: name(&segment.path),
                error,
            })?
            .len();
        if length != successor.previous_length
            && let Some(next) = next_after(segment, length)?
            && next < successor.first
        {
            // This segment is whole. A segment between it and the next one in the directory is missing.
            return Err(LogError::Gap {
                from: next,
                to: successor.first - 1,
            });
        }
        if length < successor.previous_length {
            return Err(LogError::Shorter {
                file: name(&segment.path),
                wanted: successor.previous_length,
            });
        }
        if length > successor.previous_length {
            let what = "il segmento è chiuso e non è lungo quanto dice il successivo";
            return Err(corrupt(&segment.path, successor.previous_length, what));
        }
        segment.end = Some(End {
            length,
            next: successor.first,
        });
        Ok(())
    }

    /// The last segment, open for appending.
    pub(super) fn last(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// Checks the end of every closed segment: a whole batch, ending with the entry before the successor's
    /// first. Only the ends are read.
    pub(super) fn check_ends(&self) -> Result<(), LogError> {
        self.segments.iter().try_for_each(|segment| match segment.end {
            Some(end) => check_end(segment, end),
            None => Ok(()),
        })
    }
}

fn check_end(segment: &Segment, end: End) -> Result<(), LogError> {
    match next_after(segment, end.length)? {
        Some(next) => follows(segment, end, next),
        None => Err(corrupt(
            &segment.path,
            end.length,
            "il segmento è chiuso e non finisce con un blocco intero",
        )),
    }
}

/// Checks that the successor of a segment begins with `next`, the sequence after the segment's last entry. If
/// it begins later, the entries in between are missing, whatever the length of the segment.
pub(super) fn follows(segment: &Segment, end: End, next: u64) -> Result<(), LogError> {
    match next.cmp(&end.next) {
        Ordering::Equal => Ok(()),
        Ordering::Less => Err(LogError::Gap {
            from: next,
            to: end.next - 1,
        }),
        Ordering::Greater => Err(corrupt(
            &segment.path,
            end.length,
            "il segmento successivo non comincia dove questo finisce",
        )),
    }
}

/// The sequence after the last entry of a segment of `length` bytes; None: it does not end with a whole
/// batch. Only its end is read.
fn next_after(segment: &Segment, length: u64) -> Result<Option<u64>, LogError> {
    let io_error = |error| LogError::Io {
        file: name(&segment.path),
        error,
    };
    let file = File::open(&segment.path).map_err(io_error)?;
    let batches = length.saturating_sub(SEGMENT_HEADER as u64);
    let mut size = TAIL.min(batches);
    loop {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        file.read_exact_at(&mut bytes, length - size).map_err(io_error)?;
        if let Some(last) = batch::last(&bytes) {
            return Ok(Some(last.first + last.spans.len() as u64));
        }
        if size == batches {
            return Ok(None);
        }
        size = size.saturating_mul(16).min(batches);
    }
}

/// The segments of a directory by their names, in order. No header is read.
pub(super) fn names(directory: &Path) -> Result<Vec<Segment>, LogError> {
    let io_error = |error| LogError::Io {
        file: directory.display().to_string(),
        error,
    };
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let first = first.ok_or_else(|| corrupt(&path, 0, "il nome del segmento non è una sequenza"))?;
            segments.push(Segment {
                first,
                path,
                end: None,
            });
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// The bytes of a header as far as the file has them, then zeros; and the length of the file.
pub(super) fn header_bytes(segment: &Segment) -> Result<([u8; SEGMENT_HEADER], u64), LogError> {
    let io_error = |error| LogError::Io {
        file: name(&segment.path),
        error,
    };
    let file = File::open(&segment.path).map_err(io_error)?;
    let length = file.metadata().map_err(io_error)?.len();
    let mut bytes = [0; SEGMENT_HEADER];
    let there = SEGMENT_HEADER.min(usize::try_from(length).unwrap_or(SEGMENT_HEADER));
    file.read_exact_at(&mut bytes[..there], 0).map_err(io_error)?;
    Ok((bytes, length))
}

/// The sequence of an unreadable bound.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// A lower bound of the log's extent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// Sequence of the first entry of the segment open at the time.
    pub(super) segment: u64,
    /// Length of this segment, in bytes.
    pub(super) length: u64,
    /// Sequence of the last entry.
    pub(super) sequence: u64,
    /// Whether it was written at a clean stop.
    pub(super) clean: bool,
}

pub(super) fn write_head(disk: &dyn Disk, directory: &Path, bound: Bound) -> io::Result<()> {
    let Bound {
        segment,
        length,
        sequence,
        clean,
    } = bound;
    let state = if clean { "clean" } else { "open" };
    let text = format!("VARCO-HEAD 1 {segment} {length} {sequence} {state}");
    let checksum = crc32c::crc32c(text.as_bytes());
    disk.replace(
        &directory.join(HEAD),
        format!("{text} {checksum:08x}\n").as_bytes(),
    )
}

/// Reads `HEAD`. A damaged or missing one is corruption too: nothing else tells a shortened log from a whole
/// one.
pub(super) fn read_head(directory: &Path) -> Result<Bound, LogError> {
    let path = directory.join(HEAD);
    let damaged = || LogError::Head;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            return Err(damaged());
        }
        Err(error) => {
            return Err(LogError::Io {
                file: HEAD.to_owned(),
                error,
            });
        }
    };
    let (content, checksum) = text.trim_end().rsplit_once(' ').ok_or_else(damaged)?;
    let fields: Vec<&str> = content.split(' ').collect();
    let [magic, version, segment, length, sequence, state] = fields[..] else {
        return Err(damaged());
    };
    if format!("{:08x}", crc32c::crc32c(content.as_bytes())) != checksum
        || magic != "VARCO-HEAD"
        || version != "1"
    {
        return Err(damaged());
    }
    let number = |text: &str| text.parse().map_err(|_| damaged());
    Ok(Bound {
        segment: number(segment)?,
        length: number(length)?,
        sequence: number(sequence)?,
        clean: state == "clean",
    })
}

pub(in super::super) fn file_name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// A file's name, for errors: the path to it tells nothing more.
pub(in super::super) fn name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

pub(super) fn corrupt(path: &Path, offset: u64, what: &str) -> LogError {
    LogError::Corrupt {
        file: name(path),
        offset,
        what: what.to_owned(),
    }
}

/// The error of a log ending before the bound of `HEAD`.
pub(super) fn shorter(path: &Path, offset: u64, bound: Bound) -> LogError {
    LogError::Missing {
        file: name(path),
        offset,
        sequence: bound.sequence,
    }
}
