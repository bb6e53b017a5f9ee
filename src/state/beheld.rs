//! The file of the views for whoever must not change it: what redb writes while it opens a file that was left open stays in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use crate::ledger::disk::{Disk, DiskFile, RealDisk};

/// Opens the file of the views so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beheld;

impl Disk for Beheld {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path, create)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }

    fn views(&self, builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        builder.create_with_backend(Over { file, changed: Mutex::new(Changed { length, written: Vec::new() }) })
    }
}

/// A file, and what was written over it.
#[derive(Debug)]
struct Over {
    file: File,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Changed {
    length: u64,
    /// In the order in which it was written.
    written: Vec<(u64, Vec<u8>)>,
}

impl Over {
    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Over {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changed().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changed = self.changed();
        let end = offset.saturating_add(out.len() as u64);
        if end > changed.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // What lies beyond the file's own end is zero.
        let mut read = 0;
        while read < out.len() {
            match self.file.read_at(&mut out[read..], offset + read as u64)? {
                0 => break,
                more => read += more,
            }
        }
        out[read..].fill(0);
        for (start, bytes) in &changed.written {
            let (from, to) = ((*start).max(offset), (*start + bytes.len() as u64).min(end));
            if from < to {
                // Lengths in memory.
                let (into, of) = ((from - offset) as usize, (from - start) as usize);
                let length = (to - from) as usize;
                out[into..into + length].copy_from_slice(&bytes[of..of + length]);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.changed().length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changed = self.changed();
        changed.written.push((offset, data.to_vec()));
        Ok(())
    }
}
