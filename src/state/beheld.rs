//! The file of the views, for a command not allowed to change it. redb writes while it opens a file left
//! open: those writes stay in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use crate::ledger::disk::{Disk, DiskFile, RealDisk};

/// A disk that opens the views' file read-only.
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
        builder.create_with_backend(Over {
            file,
            changed: Mutex::new(Changed {
                length,
                kept: length,
                written: Vec::new(),
            }),
        })
    }
}

/// A file, and the writes over it.
#[derive(Debug)]
struct Over {
    file: File,
    changed: Mutex<Changed>,
}

#[derive(Debug)]
struct Changed {
    length: u64,
    /// Up to here the file's own bytes count: beyond its shortest length so far there are none.
    kept: u64,
    /// The writes, in their order: an offset and the bytes.
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
        // Beyond the file's own bytes there are zeros.
        let own = usize::try_from(changed.kept.saturating_sub(offset))
            .unwrap_or(usize::MAX)
            .min(out.len());
        self.file.read_exact_at(&mut out[..own], offset)?;
        out[own..].fill(0);
        for (start, bytes) in &changed.written {
            let (from, to) = ((*start).max(offset), (*start + bytes.len() as u64).min(end));
            if from < to {
                // Lengths of buffers in memory: they fit.
                let (into, of) = ((from - offset) as usize, (from - start) as usize);
                let length = (to - from) as usize;
                out[into..into + length].copy_from_slice(&bytes[of..of + length]);
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut changed = self.changed();
        changed.length = length;
        changed.kept = changed.kept.min(length);
        for (start, bytes) in &mut changed.written {
            bytes.truncate(usize::try_from(length.saturating_sub(*start)).unwrap_or(usize::MAX));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_file_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, b"abcdefgh").unwrap();
        let over = Over {
            file: File::open(&path).unwrap(),
            changed: Mutex::new(Changed {
                length: 8,
                kept: 8,
                written: Vec::new(),
            }),
        };
        let read = |offset, length| {
            let mut out = vec![b'?'; length];
            over.read(offset, &mut out)
                .map(|()| String::from_utf8(out).unwrap())
        };
        over.write(2, b"XY").unwrap();
        over.write(3, b"Z").unwrap();
        assert_eq!(read(1, 4).unwrap(), "bXZe");
        assert!(read(5, 4).is_err(), "beyond the end");
        // Shortened and lengthened again: neither the file's bytes nor those written come back.
        over.set_len(3).unwrap();
        over.set_len(10).unwrap();
        assert_eq!(read(0, 10).unwrap(), "abX\0\0\0\0\0\0\0");
        over.write(9, b"!").unwrap();
        assert_eq!((read(8, 2).unwrap().as_str(), over.len().unwrap()), ("\0!", 10));
        assert_eq!(std::fs::read(&path).unwrap(), b"abcdefgh");
    }
}
