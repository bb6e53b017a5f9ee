//! Single entries, read by their positions while others append.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use uuid::Uuid;

use super::super::damage::Damage;
use super::super::leaf::{Entry, Glance, Position, checked};
use super::super::log::{LogError, Parts, Reader, Verified};
use super::chain::{file_name, name};
use super::read::{Listing, inspect, recorded_since};

/// Number of segments kept open: those read last. An exchange reads few, mostly recent ones.
const OPEN: usize = 16;
/// Bytes of other entries between a leaf and its sealed part, at most, to be read along with both: copying
/// them takes less than a second read.
const BETWEEN: usize = 16 << 10;

/// Reads single entries of a directory's segments, also while others append. It checks each entry against its
/// position.
pub struct SegmentReader {
    directory: PathBuf,
    ledger: Uuid,
    damage: Damage,
    /// The segments read last, the latest at the end.
    files: Mutex<Vec<(u64, Arc<File>)>>,
}

impl SegmentReader {
    /// A reader for the segments of a directory. It notes damage in `damage`.
    pub fn new(directory: &Path, ledger: Uuid, damage: &Damage) -> Self {
        Self {
            directory: directory.to_owned(),
            ledger,
            damage: damage.clone(),
            files: Mutex::default(),
        }
    }

    fn file(&self, segment: u64) -> Result<Arc<File>, LogError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = files.iter().rposition(|(first, _)| *first == segment) {
            let found = files.remove(at);
            let file = found.1.clone();
            files.push(found);
            return Ok(file);
        }
        let path = self.directory.join(file_name(segment));
        let file = Arc::new(File::open(&path).map_err(|error| LogError::Io {
            file: name(&path),
            error,
        })?);
        if files.len() == OPEN {
            files.remove(0);
        }
        files.push((segment, file.clone()));
        Ok(file)
    }

    /// The leaf and the sealed part at a position, unchecked: in one read if little stands between them.
    fn found(&self, position: &Position) -> Result<(Bytes, Bytes), LogError> {
        let file = self.file(position.segment)?;
        let read = |from: u64, length: usize| {
            read_at(&file, from, length).map_err(|error| LogError::Io {
                file: file_name(position.segment),
                error,
            })
        };
        let (leaf, sealed) = (position.leaf_length as usize, position.sealed_length as usize);
        let ahead = position.sealed.checked_sub(position.leaf);
        match ahead.and_then(|ahead| usize::try_from(ahead).ok()) {
            Some(ahead) if sealed > 0 && (leaf..leaf + BETWEEN).contains(&ahead) => {
                let both = read(position.leaf, ahead + sealed)?;
                Ok((both.slice(..leaf), both.slice(ahead..)))
            }
            _ => Ok((read(position.leaf, leaf)?, read(position.sealed, sealed)?)),
        }
    }

    fn read(&self, position: &Position) -> Result<Entry, LogError> {
        let (leaf, sealed) = self.found(position)?;
        Entry::checked(leaf.into(), sealed, position, self.ledger).map_err(|what| corrupt(position, what))
    }

    fn read_bytes(&self, position: &Position) -> Result<(Bytes, Bytes), LogError> {
        let (leaf, sealed) = self.found(position)?;
        checked(&leaf, &sealed, position, self.ledger).map_err(|what| corrupt(position, what))?;
        Ok((leaf, sealed))
    }
}

/// So many bytes of a file. They are read into fresh memory: filling it with zeros first would cost as much.
fn read_at(file: &File, from: u64, length: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let next = from + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), next) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(length);
    Ok(bytes.into())
}

fn corrupt(position: &Position, what: &str) -> LogError {
    LogError::Corrupt {
        file: file_name(position.segment),
        offset: position.leaf,
        what: what.to_owned(),
    }
}

impl Reader for SegmentReader {
    fn entry(&self, position: &Position) -> Result<Entry, LogError> {
        self.read(position).inspect_err(|error| self.damage.found(error))
    }

    fn bytes(&self, position: &Position) -> Result<(Bytes, Bytes), LogError> {
        self.read_bytes(position)
            .inspect_err(|error| self.damage.found(error))
    }

    fn parts(&self) -> Result<Box<dyn Parts + '_>, LogError> {
        Ok(Box::new(Listing::read(&self.directory, self.ledger)?))
    }

    fn found_parts(&self) -> Result<(Box<dyn Parts + '_>, Vec<LogError>), LogError> {
        let (listing, wrong) = Listing::lenient(&self.directory, self.ledger)?;
        Ok((Box::new(listing), wrong))
    }

    fn since(&self, instant: &str, each: &mut dyn FnMut(&Glance<'_>)) -> Result<(), LogError> {
        recorded_since(&self.directory, self.ledger, instant, each)
    }

    fn verify(&self, each: &mut dyn FnMut(Entry)) -> Result<(Verified, Vec<LogError>), LogError> {
        inspect(&self.directory, self.ledger, each)
    }
}
