//! Single entries, read by their positions while others append.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

use super::super::damage::Damage;
use super::super::leaf::{Entry, Glance, Position, checked};
use super::super::log::{LogError, Parts, Reader, Verified};
use super::chain::{file_name, name};
use super::read::{Listing, inspect, recorded_since};

/// Number of segments kept open: those read last. An exchange reads few, mostly recent ones.
const OPEN: usize = 16;

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

    /// The bytes at a position, unchecked.
    fn found(&self, position: &Position) -> Result<(Vec<u8>, Bytes), LogError> {
        let file = self.file(position.segment)?;
        let io_error = |error| LogError::Io {
            file: file_name(position.segment),
            error,
        };
        let mut leaf = vec![0; position.leaf_length as usize];
        file.read_exact_at(&mut leaf, position.leaf).map_err(io_error)?;
        let mut sealed = vec![0; position.sealed_length as usize];
        file.read_exact_at(&mut sealed, position.sealed)
            .map_err(io_error)?;
        Ok((leaf, sealed.into()))
    }

    fn read(&self, position: &Position) -> Result<Entry, LogError> {
        let (leaf, sealed) = self.found(position)?;
        Entry::checked(leaf, sealed, position, self.ledger).map_err(|what| corrupt(position, what))
    }

    fn read_bytes(&self, position: &Position) -> Result<(Vec<u8>, Bytes), LogError> {
        let (leaf, sealed) = self.found(position)?;
        checked(&leaf, &sealed, position, self.ledger).map_err(|what| corrupt(position, what))?;
        Ok((leaf, sealed))
    }
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

    fn bytes(&self, position: &Position) -> Result<(Vec<u8>, Bytes), LogError> {
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
