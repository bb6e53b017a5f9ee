//! The place of a keyring's records.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use super::record::RECORD;
use super::wrong::{Access, KeyError, unreadable};
use crate::ledger::disk::Disk;

/// The records of a keyring, in order. It only ever grows; erasing a key leaves its record.
pub trait Ring: Send + Sync {
    /// All records ever used, in order.
    fn read(&self) -> Result<Vec<[u8; RECORD]>, KeyError>;
    /// Makes a record durable, right after the first `before` records. `false`: the ring has another record
    /// there already, and must be read again.
    ///
    /// # Errors
    /// [`KeyError::Lost`] if the record was written and could not be made durable: the content of the ring is
    /// not known any more. Any other error leaves the ring as it was.
    fn append(&self, before: u32, record: &[u8; RECORD]) -> Result<bool, KeyError>;
}

/// The ring of a data directory. Its lock keeps others from appending, so the place of a record is never
/// taken.
pub(super) struct FileRing {
    pub(super) path: PathBuf,
    pub(super) access: Access,
    pub(super) disk: Arc<dyn Disk>,
}

impl Ring for FileRing {
    fn read(&self) -> Result<Vec<[u8; RECORD]>, KeyError> {
        let mut bytes = Vec::new();
        let remedy = "rimettere il portachiavi dell'ultima copia (varco backup --chiavi)";
        let read = File::open(&self.path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&self.path, &error, remedy))?;
        let whole = used(&bytes);
        if whole != bytes.len() && self.access == Access::Write {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        let (records, _) = bytes.get(..whole).unwrap_or_default().as_chunks::<RECORD>();
        Ok(records.to_vec())
    }

    /// A failed write is cut off again.
    fn append(&self, before: u32, record: &[u8; RECORD]) -> Result<bool, KeyError> {
        let mut file = self.disk.open(&self.path, false)?;
        let end = u64::from(before) * RECORD as u64;
        if let Err(error) = file.write_all_at(record, end) {
            // If this fails too, the next attempt writes over it, and a start cuts it.
            let _ = file.set_len(end);
            return Err(error.into());
        }
        file.sync_data().map_err(|_: io::Error| KeyError::Lost)?;
        Ok(true)
    }
}

/// Length of the records ever used. A last record cut short was never synced, so never used. Nor was a last
/// record of zeros: a power cut came between the file's length and its content.
fn used(bytes: &[u8]) -> usize {
    let (records, _) = bytes.as_chunks::<RECORD>();
    let unsynced = records
        .last()
        .is_some_and(|last| last.iter().all(|byte| *byte == 0));
    (records.len() - usize::from(unsynced)) * RECORD
}
