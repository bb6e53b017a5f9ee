//! The signing key of a ledger, and its origin: `keys/firma`.
//!
//! A key signs for one epoch. It is not in a backup: a directory put back from a copy, or without the end of
//! its log, begins a new epoch with a new key.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::note::NoteKey;
use crate::ledger::disk::replace;
use crate::ledger::keys::{KeyError, Keys, Wrapped, random};

/// The first word of the file.
const FIRST: &str = "VARCO-FIRMA 1";

/// The signing key of an epoch.
#[derive(Debug)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub number: u64,
    /// The key. Its name is the origin.
    pub key: NoteKey,
}

/// Why an epoch cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The key cannot be drawn or wrapped.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The file cannot be written.
    #[error("keys/firma: {}", crate::italian::io(.0))]
    Io(#[from] io::Error),
    /// The name cannot stand in an origin.
    #[error("il nome {0:?} non può stare nell'origine di un checkpoint: niente spazi, niente +")]
    Name(String),
}

/// The origin of an epoch's checkpoints: NAME/LEDGER/EPOCH.
pub fn origin(name: &str, ledger: Uuid, number: u64) -> String {
    format!("{name}/{ledger}/{number}")
}

fn path(keys: &Path) -> PathBuf {
    keys.join("firma")
}

/// The verification key of the epoch in a directory of keys, as its file says. `None`: there is none.
pub fn verification(keys: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path(keys)).ok()?;
    let mut lines = text.lines();
    lines
        .find_map(|line| line.strip_prefix("key "))
        .map(str::to_owned)
}

impl Epoch {
    /// Begins an epoch: draws its key, and writes it durably.
    pub fn begin(keys: &Keys, directory: &Path, origin: &str, number: u64) -> Result<Self, EpochError> {
        let seed = random::<32>()?;
        let key = NoteKey::new(origin, &seed).ok_or_else(|| EpochError::Name(origin.to_owned()))?;
        let bound = format!(
            "{FIRST}\norigin {origin}\nepoch {number}\nkey {}\n",
            key.verification()
        );
        let wrapped = keys.wrap(bound.as_bytes(), &seed)?;
        let text = format!("{bound}sealed {}\n", STANDARD.encode(wrapped.bytes()));
        replace(&path(directory), text.as_bytes())?;
        Ok(Self { number, key })
    }

    /// The epoch of the signing key in a directory of keys. `None`: these keys open none.
    pub fn present(keys: &Keys, directory: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path(directory)).ok()?;
        let bound = text.get(..text.find("sealed ")?)?;
        let mut lines = bound.lines();
        (lines.next() == Some(FIRST)).then_some(())?;
        let origin = lines.next()?.strip_prefix("origin ")?;
        let number = lines.next()?.strip_prefix("epoch ")?.parse().ok()?;
        let sealed = text.get(bound.len()..)?.strip_prefix("sealed ")?.trim_end();
        let wrapped = Wrapped::of(STANDARD.decode(sealed).ok()?.as_slice())?;
        let key = NoteKey::new(origin, &keys.unwrap(bound.as_bytes(), &wrapped)?)?;
        Some(Self { number, key })
    }
}
