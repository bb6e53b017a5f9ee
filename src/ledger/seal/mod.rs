//! Sealed parts: the personal content of an entry, encrypted under a key of its own (`docs/ledger.md`, "The
//! sealed part").
//!
//! A sealed part has sections, each encrypted and committed to by itself: a reader opens the one it needs.
//! Parts of version 1, up to format 1.1, have one piece; they stay readable for ever.

mod blinding;
mod earlier;
mod secret;
mod sections;
mod slot;

pub use blinding::Blinding;
pub use secret::Secret;
pub use sections::{Section, sigillo};
pub use slot::{Luogo, Sealing, Unopened, key_id};

use super::keys::{KeyError, Keys};
use super::leaf::Leaf;
use sections::Sections;
use slot::{data_key, wrapped};

/// Seals `secret`. Returns the sealed part's bytes and the commitment to its sections.
pub fn seal(
    keys: &Keys,
    sealing: &Sealing<'_>,
    blinding: Blinding,
    secret: &Secret,
) -> Result<(Vec<u8>, String), KeyError> {
    let (data_key, nonce) = blinding.new_key().ok_or(KeyError::Random)?;
    let sections = sections::of(secret).map_err(|_| KeyError::Random)?;
    let count = u8::try_from(sections.len()).map_err(|_| KeyError::Random)?;
    let header = wrapped(keys, sealing, (data_key, nonce), count)?;
    sections::sealed(&header, sealing.luogo(), &blinding, data_key, &sections).ok_or(KeyError::Random)
}

/// Opens an entry's sealed part, all of it, and checks it against the leaf's commitment.
pub fn open(keys: &Keys, leaf: &Leaf, sealed: &[u8]) -> Result<(Blinding, Secret), Unopened> {
    unlock_entry(keys, leaf, sealed)?.all()
}

/// Opens the data key of an entry's sealed part. Its sections open one by one.
pub(super) fn unlock_entry<'a>(keys: &Keys, leaf: &Leaf, sealed: &'a [u8]) -> Result<Unlocked<'a>, Unopened> {
    let committed = leaf
        .body
        .commit
        .as_ref()
        .and_then(|commit| commit.sealed.as_deref());
    let is_committed = |commitment: &str| committed == Some(commitment);
    unlock(keys, Luogo::of(leaf), sealed, &is_committed)
}

/// Opens the data key of a sealed part. Its sections open one by one. `is_committed`: whether the leaf has
/// this commitment.
pub fn unlock<'a>(
    keys: &Keys,
    luogo: Luogo,
    sealed: &'a [u8],
    is_committed: &dyn Fn(&str) -> bool,
) -> Result<Unlocked<'a>, Unopened> {
    let data_key = data_key(keys, luogo, sealed)?;
    match sealed.first() {
        Some(1) => earlier::open(&data_key, luogo, sealed, is_committed).map(Unlocked::Earlier),
        Some(2) => Sections::open(&data_key, luogo, sealed, is_committed).map(Unlocked::Sections),
        _ => Err(Unopened::Damaged),
    }
}

/// A sealed part whose data key is known.
pub enum Unlocked<'a> {
    /// Version 1: all of it, opened.
    Earlier(earlier::OnePiece),
    /// Version 2.
    Sections(Sections<'a>),
}

impl std::fmt::Debug for Unlocked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unlocked(..)")
    }
}

impl Unlocked<'_> {
    /// The whole content, with the bytes that blind the entry's commitments.
    pub fn all(&self) -> Result<(Blinding, Secret), Unopened> {
        match self {
            Self::Earlier(whole) => whole.all(),
            Self::Sections(sections) => sections.all(),
        }
    }
}
