//! Tokens made once: an exchange asks for the same person's and the same protocol's more than once, and all
//! exchanges of a connection for the same address's.

use std::sync::{Mutex, PoisonError};

use crate::ledger::{KeyError, Keys, TokenKey};

/// Tokens made before, with what they stand for.
#[derive(Default)]
pub(super) struct Pseudonyms(Mutex<Vec<Pseudonym>>);

struct Pseudonym {
    key: TokenKey,
    label: &'static str,
    value: String,
    token: String,
}

/// It holds personal data.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(..)")
    }
}

impl Pseudonyms {
    /// The most kept: beyond, a token is made each time.
    const MOST: usize = 32;

    /// The token of a value.
    pub(super) fn token(
        &self,
        keys: &Keys,
        key: TokenKey,
        label: &'static str,
        value: &str,
    ) -> Result<String, KeyError> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Pseudonym| known.key == key && known.label == label && known.value == value;
        if let Some(known) = made.iter().find(same) {
            return Ok(known.token.clone());
        }
        let token = keys.token(key, label, value)?;
        if made.len() < Self::MOST {
            made.push(Pseudonym {
                key,
                label,
                value: value.to_owned(),
                token: token.clone(),
            });
        }
        Ok(token)
    }
}
