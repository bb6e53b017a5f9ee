//! The holder of the master key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::wrong::{KeyError, random};

/// Wraps keys and unwraps them. The master key never leaves it: it may be a file's, or a hardware module's.
pub trait Vault: Send + Sync {
    /// Wraps a key. It opens again only for the same `name`.
    fn wrap(&self, name: &[u8], key: &[u8; 32]) -> Result<Wrapped, KeyError>;
    /// The key; `None`: another vault wrapped it, or it was altered, or `name` is another.
    fn unwrap(&self, name: &[u8], wrapped: &Wrapped) -> Option<[u8; 32]>;
}

/// A nonce, a key under the master key, a tag. It may lie on a disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Wrapped(pub(super) [u8; Wrapped::LENGTH]);

impl Wrapped {
    /// Its bytes, for a file.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// From the bytes of a file. `None`: they have another length.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its length in bytes.
    pub const LENGTH: usize = NONCE + 32 + 16;
    /// The zeros left by an erased key.
    pub(super) const ERASED: Self = Self([0; Self::LENGTH]);
}

const NONCE: usize = 12;

/// The vault of a file: the master key in memory, AES-256-GCM.
pub(super) struct Master(LessSafeKey);

impl Master {
    /// The vault of the master key `bytes`; `None`: they are not 32.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        aead(bytes).map(Self)
    }
}

impl Vault for Master {
    fn wrap(&self, name: &[u8], key: &[u8; 32]) -> Result<Wrapped, KeyError> {
        let nonce = random::<NONCE>()?;
        let mut sealed = *key;
        let tag = self.0.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(name),
            &mut sealed,
        );
        let tag = tag.map_err(|_| KeyError::Random)?;
        let mut wrapped = [0; Wrapped::LENGTH];
        for (to, from) in wrapped
            .iter_mut()
            .zip(nonce.iter().chain(&sealed).chain(tag.as_ref()))
        {
            *to = *from;
        }
        Ok(Wrapped(wrapped))
    }

    fn unwrap(&self, name: &[u8], wrapped: &Wrapped) -> Option<[u8; 32]> {
        let (nonce, sealed) = wrapped.0.split_first_chunk::<NONCE>()?;
        let mut sealed = sealed.to_vec();
        let key = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(name), &mut sealed)
            .ok()?;
        (&*key).try_into().ok()
    }
}

/// AES-256-GCM under a key; `None`: the key has not 32 bytes.
pub(in super::super) fn aead(key: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}
