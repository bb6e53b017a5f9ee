//! Sealed parts of version 1: one piece, JSON. Read for ever, never written.

use aws_lc_rs::aead::Aad;

use super::blinding::{Blinding, RANDOM};
use super::secret::Secret;
use super::slot::{Luogo, Unopened, cipher, nonce};

const HEADER: usize = 84;

/// The content of a sealed part of version 1.
pub struct OnePiece {
    blinding: Blinding,
    json: Vec<u8>,
}

impl std::fmt::Debug for OnePiece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnePiece(..)")
    }
}

impl OnePiece {
    /// A [`Secret`] in JSON: for a caller reading only a part of it.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    pub(super) fn all(&self) -> Result<(Blinding, Secret), Unopened> {
        let secret = serde_json::from_slice(&self.json).map_err(|_| Unopened::Damaged)?;
        Ok((self.blinding.clone(), secret))
    }
}

pub(super) fn open(
    data_key: &[u8; 32],
    luogo: Luogo,
    sealed: &[u8],
    is_committed: &dyn Fn(&str) -> bool,
) -> Result<OnePiece, Unopened> {
    let mut content = sealed.get(HEADER..).ok_or(Unopened::Damaged)?.to_vec();
    let length = cipher(data_key)?
        .open_in_place(
            nonce(sealed, 72..HEADER)?,
            Aad::from(luogo.additional()),
            &mut content,
        )
        .map_err(|_| Unopened::Damaged)?
        .len();
    content.truncate(length);
    let (random, json) = content.split_at_checked(RANDOM).ok_or(Unopened::Damaged)?;
    let blinding = Blinding::of_version_1(random.try_into().map_err(|_| Unopened::Damaged)?);
    if !is_committed(&blinding.commit("sealed", json)) {
        return Err(Unopened::Commitment);
    }
    content.drain(..RANDOM);
    Ok(OnePiece {
        blinding,
        json: content,
    })
}
