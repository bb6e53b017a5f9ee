//! The random bytes behind an entry's commitments.

use aws_lc_rs::hmac;

use super::super::keys::{KeyError, random};
use crate::digest::{hex, sha256_of};

/// Length of the random bytes.
pub(super) const RANDOM: usize = 32;

/// The random bytes of an entry. Its commitments are made with them.
///
/// Invariant: new bytes seal one entry. Sealing takes them, and a clone seals nothing: under one key no nonce
/// comes twice.
pub struct Blinding {
    random: Random,
    /// The nonce that the data key is wrapped with. Of no use once it was.
    nonce: [u8; NONCE],
}

#[derive(Clone)]
enum Random {
    /// Of version 1: the same bytes for all commitments.
    Same([u8; RANDOM]),
    /// Of version 2: the entry's data key. The bytes for each commitment are derived from it.
    Each([u8; RANDOM]),
}

/// Length of the nonce that the data key is wrapped with.
const NONCE: usize = 12;

impl Clone for Blinding {
    fn clone(&self) -> Self {
        Self {
            random: self.random.clone(),
            nonce: [0; NONCE],
        }
    }
}

impl Blinding {
    /// New bytes from the operating system's generator.
    pub fn new() -> Result<Self, KeyError> {
        let drawn = random::<{ RANDOM + NONCE }>()?;
        let (data_key, nonce) = drawn.split_first_chunk::<RANDOM>().ok_or(KeyError::Random)?;
        Ok(Self {
            random: Random::Each(*data_key),
            nonce: nonce.try_into().map_err(|_| KeyError::Random)?,
        })
    }

    /// From the data key of an entry: for opening, for vectors and for proofs.
    pub fn from_bytes(data_key: [u8; RANDOM]) -> Self {
        Self {
            random: Random::Each(data_key),
            nonce: [0; NONCE],
        }
    }

    /// The bytes of a sealed part of version 1.
    pub fn of_version_1(bytes: [u8; RANDOM]) -> Self {
        Self {
            random: Random::Same(bytes),
            nonce: [0; NONCE],
        }
    }

    /// The key of the sealed part, and the nonce to wrap it with. None: not of a new entry.
    pub(super) fn new_key(&self) -> Option<(&[u8; RANDOM], [u8; NONCE])> {
        match &self.random {
            Random::Each(data_key) if self.nonce != [0; NONCE] => Some((data_key, self.nonce)),
            Random::Each(_) | Random::Same(_) => None,
        }
    }

    /// The random bytes of one label. `None`: of version 1, where the same bytes open every commitment.
    pub fn random_of(&self, label: &str) -> Option<[u8; RANDOM]> {
        match &self.random {
            Random::Same(_) => None,
            // The key stands last: nobody who has the bytes of one label can go on to another's.
            Random::Each(data_key) => {
                Some(sha256_of(&[b"varco blinding ", label.as_bytes(), &[0], data_key]))
            }
        }
    }

    /// The commitment to bytes, hexadecimal.
    pub fn commit(&self, label: &str, bytes: &[u8]) -> String {
        hex(&self.committed(label, bytes))
    }

    /// The commitment to bytes.
    pub(super) fn committed(&self, label: &str, bytes: &[u8]) -> [u8; 32] {
        match &self.random {
            Random::Same(random) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, random);
                let mut context = hmac::Context::with_key(&key);
                context.update(label.as_bytes());
                context.update(&[0]);
                context.update(bytes);
                let mut tag = [0; 32];
                tag.copy_from_slice(context.sign().as_ref());
                tag
            }
            Random::Each(_) => {
                let random = self.random_of(label).unwrap_or_default();
                sha256_of(&[&random, bytes])
            }
        }
    }
}
