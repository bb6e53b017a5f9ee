//! The last checkpoint on disk: `evidence/checkpoint`, two slots of a file of fixed length
//! (`docs/ledger.md`, "Checkpoints").
//!
//! Each checkpoint goes to the other slot than the one before. One of the two is whole at any moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::note::TreeHead;

/// Length of a slot, bytes.
const SLOT: usize = 4096;
/// The first bytes of a slot.
const MAGIC: &[u8; 8] = b"\x8bVARCOK\x01";
/// Its header: magic, number (8), length of the note (4), CRC-32C of number, length and note (4).
const HEADER: usize = 24;

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Its head.
    pub head: TreeHead,
    /// The whole note.
    pub note: String,
}

/// The slots, open for writing.
#[derive(Debug)]
pub struct Slots {
    file: File,
    /// Number of the last checkpoint written.
    number: u64,
}

/// The file of the slots, below `evidence` of a data directory.
fn path(evidence: &Path) -> PathBuf {
    evidence.join("checkpoint")
}

/// The last checkpoint; `None`: none was signed.
pub fn last(evidence: &Path) -> io::Result<Option<Signed>> {
    match std::fs::read(path(evidence)) {
        Ok(bytes) => Ok(latest(&bytes).map(|(_, signed)| signed)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole slot with the greatest number, and its number.
fn latest(bytes: &[u8]) -> Option<(u64, Signed)> {
    bytes
        .chunks(SLOT)
        .filter_map(read)
        .max_by_key(|(number, _)| *number)
}

fn read(slot: &[u8]) -> Option<(u64, Signed)> {
    let rest = slot.strip_prefix(MAGIC)?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let note = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let summed = crc32c::crc32c(&[number.as_slice(), length, note].concat());
    (summed == u32::from_le_bytes(*sum)).then_some(())?;
    let note = String::from_utf8(note.to_vec()).ok()?;
    let head = TreeHead::read(&note)?;
    Some((u64::from_le_bytes(*number), Signed { head, note }))
}

impl Slots {
    /// Opens the slots, or makes them. Returns the last checkpoint in them, too.
    pub fn open(evidence: &Path) -> io::Result<(Self, Option<Signed>)> {
        let path = path(evidence);
        std::fs::create_dir_all(evidence)?;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = options.open(&path)?;
        let mut bytes = vec![0; 2 * SLOT];
        let there = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        if there < bytes.len() {
            // Whole blocks, written once: no later write changes the file's length.
            file.read_exact_at(&mut bytes[..there], 0)?;
            file.write_all_at(&bytes, 0)?;
            file.sync_all()?;
            for directory in evidence.ancestors().take(2) {
                File::open(directory)?.sync_all()?;
            }
        } else {
            file.read_exact_at(&mut bytes, 0)?;
        }
        let last = latest(&bytes);
        let number = last.as_ref().map_or(0, |(number, _)| *number);
        Ok((Self { file, number }, last.map(|(_, signed)| signed)))
    }

    /// Writes a checkpoint durably.
    pub fn write(&mut self, note: &str) -> io::Result<()> {
        let length = u32::try_from(note.len()).unwrap_or(u32::MAX).to_le_bytes();
        let number = (self.number + 1).to_le_bytes();
        let sum = crc32c::crc32c(&[number.as_slice(), &length, note.as_bytes()].concat());
        let mut slot = [
            MAGIC.as_slice(),
            &number,
            &length,
            &sum.to_le_bytes(),
            note.as_bytes(),
        ]
        .concat();
        if note.len() + HEADER > SLOT {
            return Err(io::Error::other("a checkpoint longer than its slot"));
        }
        slot.resize(SLOT, 0);
        let place = (self.number + 1) % 2 * SLOT as u64;
        self.file.write_all_at(&slot, place)?;
        self.file.sync_data()?;
        self.number += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(size: u64) -> String {
        let head = TreeHead {
            origin: "prova/registro/1".to_owned(),
            size,
            root: [7; 32],
        };
        format!("{}\n— prova/registro/1 AAAA\n", head.text())
    }

    #[test]
    fn one_of_two_slots_is_whole_at_any_moment() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path();
        assert_eq!(last(data).unwrap(), None);
        let (mut slots, none) = Slots::open(data).unwrap();
        assert_eq!(none, None);
        let length = |()| std::fs::metadata(path(data)).unwrap().len();
        assert_eq!(length(()), 8192);
        for size in 1..=5 {
            let before = std::fs::read(path(data)).unwrap();
            slots.write(&note(size)).unwrap();
            let after = std::fs::read(path(data)).unwrap();
            assert_eq!(last(data).unwrap().unwrap().note, note(size));
            // A write cut short anywhere leaves this one or the one before.
            for cut in (0..=after.len()).step_by(7) {
                let torn = [&after[..cut], &before[cut..]].concat();
                let size_of = |bytes| latest(bytes).map_or(0, |(_, signed)| signed.head.size);
                assert!([size - 1, size].contains(&size_of(&torn)), "{size}, cut at {cut}");
            }
        }
        assert_eq!(length(()), 8192);
        drop(slots);
        let (mut slots, five) = Slots::open(data).unwrap();
        assert_eq!(five.unwrap().head.size, 5);
        slots.write(&note(6)).unwrap();
        assert_eq!(last(data).unwrap().unwrap().head.size, 6);
        assert!(slots.write(&"x".repeat(5000)).is_err());
        assert_eq!(last(data).unwrap().unwrap().head.size, 6);
    }
}
