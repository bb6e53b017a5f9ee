//! Why keys cannot be had, and the needs shared by every part of the keyring.

use std::io;
use std::path::Path;

use aws_lc_rs::rand;

use crate::ledger::leaf::TokenKey;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file of the keys cannot be made, read or written.
    #[error("chiavi: {}", crate::italian::io(.0))]
    Io(#[from] io::Error),
    /// A missing or unreadable file, with the remedy.
    #[error("{0}: {1}")]
    File(String, String),
    /// The master key's file is not 64 hexadecimal digits.
    #[error("master.key non è una chiave di 32 byte: rimettere quella depositata (varco init dice dove)")]
    Master,
    /// A damaged record, or one wrapped by another master key.
    #[error(
        "il record {0} del portachiavi è danneggiato o non si apre con questa master.key: rimettere il portachiavi dell'ultima copia"
    )]
    Record(u32),
    /// The operating system gives no randomness.
    #[error("il sistema operativo non dà numeri casuali")]
    Random,
    /// A key could not be synced. The content of the file is not known, and no more keys are made.
    #[error(
        "il portachiavi non si può più scrivere: una chiave non è stata scritta sul disco; riavviare la porta"
    )]
    Lost,
    /// The ring has fewer records than it had.
    #[error(
        "il portachiavi ha meno chiavi di quante ne aveva: rimettere quello dell'ultima copia e riavviare la porta"
    )]
    Fewer,
    /// A token key was erased: its pseudonyms are made and found no more.
    #[error("la chiave degli pseudonimi {0} è stata cancellata: con essa non si cerca e non si scrive più")]
    Erased(TokenKey),
    /// The code of an ente is too long for a record.
    #[error("il codice dell'ente è troppo lungo")]
    Ente,
}

/// Why a class key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The keyring has no record with this number.
    Missing,
    /// Its record is damaged, or wrapped by another master key.
    Damaged,
    /// It was erased: nonce and wrapped key are zeros.
    Erased,
}

/// The purpose of opening a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To make keys too.
    Write,
    /// To read: nothing is changed.
    Read,
    /// To find its defects: a damaged record is no error.
    Inspect,
}

pub(super) fn unreadable(file: &Path, error: &io::Error, remedy: &str) -> KeyError {
    KeyError::File(
        file.display().to_string(),
        format!("{}; {remedy}", crate::italian::io(error)),
    )
}

/// Random bytes of the operating system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}
