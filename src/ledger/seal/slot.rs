//! The first bytes of a sealed part: the data key, wrapped under a class key and bound to an entry.

use std::ops::Range;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use jiff::Timestamp;
use uuid::Uuid;

use super::super::keys::{KeyError, Keys, NoKey, aead};
use super::super::leaf::{Leaf, Retention};
use crate::clock::day;

/// The entry of a sealed part. Ledger, exchange and ordinal are bound by the encryption. Retention class,
/// ente and month choose the class key.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Id of the ledger.
    pub ledger: Uuid,
    /// Id of the exchange.
    pub exchange: Uuid,
    /// The entry's place among those of its exchange.
    pub ordinal: u32,
    /// Retention class of the entry.
    pub retention: Retention,
    /// Code of the ente, `-` without one.
    pub ente: &'a str,
    /// When the request was received. Its month in Rome chooses the class key.
    pub at: Timestamp,
}

impl Sealing<'_> {
    pub(super) fn luogo(&self) -> Luogo {
        Luogo {
            ledger: self.ledger,
            exchange: self.exchange,
            ordinal: self.ordinal,
        }
    }
}

/// Why a sealed part cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The entry has no sealed part.
    #[error("nessuna parte riservata")]
    Nothing,
    /// Its key was erased.
    #[error("cancellata")]
    Erased,
    /// The keyring has no such class key.
    #[error("la chiave {0} non è nel portachiavi")]
    MissingKey(u32),
    /// The record of the class key is damaged.
    #[error("la chiave {0} è danneggiata")]
    DamagedKey(u32),
    /// The bytes do not open, or do not open to a [`Secret`](super::Secret).
    #[error("danneggiata")]
    Damaged,
    /// The content contradicts the leaf's commitment.
    #[error("non corrisponde a ciò che la foglia attesta")]
    Commitment,
}

impl Unopened {
    /// Whether this is damage. An erased sealed part is none; an entry without one is none either.
    pub fn is_damage(self) -> bool {
        !matches!(self, Self::Nothing | Self::Erased)
    }
}

/// The place of an entry to which its sealed part is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Luogo {
    /// Id of the ledger.
    pub ledger: Uuid,
    /// Id of the exchange.
    pub exchange: Uuid,
    /// The entry's place among those of its exchange.
    pub ordinal: u32,
}

impl Luogo {
    /// The place of a leaf. The ordinal is the leaf's fact `ordinal`, 0 if absent.
    pub(super) fn of(leaf: &Leaf) -> Self {
        Self {
            ledger: leaf.ledger,
            exchange: leaf.body.exchange,
            ordinal: u32::try_from(leaf.body.ordinal()).unwrap_or(u32::MAX),
        }
    }

    /// The additional data of the encryptions.
    pub(super) fn additional(self) -> [u8; 36] {
        let mut aad = [0; 36];
        aad[..16].copy_from_slice(self.ledger.as_bytes());
        aad[16..32].copy_from_slice(self.exchange.as_bytes());
        aad[32..].copy_from_slice(&self.ordinal.to_le_bytes());
        aad
    }
}

/// The id of the class key.
const KEY: Range<usize> = 4..8;
/// The nonce of the wrapping.
const NONCE: Range<usize> = 8..20;
/// The data key, wrapped, with its tag.
const WRAPPED: Range<usize> = 20..68;
/// CRC32C of nonce and wrapped key.
const CHECKSUM: Range<usize> = 68..SLOT;
/// An erasure overwrites these bytes with zeros.
pub(super) const ERASED: Range<usize> = 8..SLOT;
/// Number of the first bytes.
pub(super) const SLOT: usize = 72;

/// The bytes before the sections: version and number of sections, then the data key wrapped under a class
/// key.
pub(super) fn wrapped(
    keys: &Keys,
    sealing: &Sealing<'_>,
    (data_key, nonce): (&[u8; 32], [u8; 12]),
    sections: u8,
) -> Result<[u8; SLOT], KeyError> {
    let month = day(sealing.at);
    let (id, class) = keys.class(sealing.retention, sealing.ente, month.year(), month.month())?;
    let mut wrapped = *data_key;
    let tag = class
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(sealing.luogo().additional()),
            &mut wrapped,
        )
        .map_err(|_| KeyError::Random)?;
    let mut bytes = [0; SLOT];
    bytes[..2].copy_from_slice(&[2, sections]);
    bytes[KEY].copy_from_slice(&id.to_le_bytes());
    bytes[NONCE].copy_from_slice(&nonce);
    bytes[20..52].copy_from_slice(&wrapped);
    bytes[52..68].copy_from_slice(tag.as_ref());
    let checksum = crc32c::crc32c(&bytes[8..68]);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// The data key of a sealed part, unwrapped.
pub(super) fn data_key(keys: &Keys, luogo: Luogo, sealed: &[u8]) -> Result<[u8; 32], Unopened> {
    if sealed.is_empty() {
        return Err(Unopened::Nothing);
    }
    let erasable = sealed.get(ERASED).ok_or(Unopened::Damaged)?;
    if erasable.iter().all(|byte| *byte == 0) {
        return Err(Unopened::Erased);
    }
    let id = key_id(sealed).ok_or(Unopened::Damaged)?;
    let class = keys.class_by_id(id).map_err(|why| match why {
        NoKey::Missing => Unopened::MissingKey(id),
        NoKey::Damaged => Unopened::DamagedKey(id),
        NoKey::Erased => Unopened::Erased,
    })?;
    let nonce = nonce(sealed, NONCE)?;
    let mut wrapped = [0; 48];
    wrapped.copy_from_slice(sealed.get(WRAPPED).ok_or(Unopened::Damaged)?);
    let key = class
        .open_in_place(nonce, Aad::from(luogo.additional()), &mut wrapped)
        .map_err(|_| Unopened::Damaged)?;
    (&*key).try_into().map_err(|_| Unopened::Damaged)
}

pub(super) fn nonce(sealed: &[u8], range: Range<usize>) -> Result<Nonce, Unopened> {
    let bytes = sealed.get(range).and_then(|bytes| bytes.try_into().ok());
    bytes.map(Nonce::assume_unique_for_key).ok_or(Unopened::Damaged)
}

pub(super) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, Unopened> {
    aead(key).ok_or(Unopened::Damaged)
}

/// The id of the class key of a sealed part. Erasing the part leaves the id. None without a sealed part.
pub fn key_id(sealed: &[u8]) -> Option<u32> {
    sealed.get(KEY)?.try_into().ok().map(u32::from_le_bytes)
}
