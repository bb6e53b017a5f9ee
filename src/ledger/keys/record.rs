//! A record of the keyring: the name of a key, then the key, wrapped (`docs/ledger.md`, "The keyring").

use super::vault::Wrapped;
use super::wrong::{KeyError, NoKey};
use crate::ledger::leaf::{Retention, TokenKey};

/// Length of a record of the keyring, in bytes.
pub const RECORD: usize = 128;

const MAGIC: &[u8; 4] = b"VKEY";
/// The name of the key: the wrapping binds it.
const NAME: std::ops::Range<usize> = 0..64;
const ENTE: std::ops::Range<usize> = 10..58;
/// Erasing a key overwrites these bytes with zeros.
const KEY: std::ops::Range<usize> = 64..124;
const CHECKSUM: std::ops::Range<usize> = 124..RECORD;

/// Purpose of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Tokens of a year, in entries of all classes: up to format 1.1.
    Token,
    /// Sealed parts of a class.
    Class,
    /// Permutations of all series, with one key.
    Series,
    /// Tokens of a year and a retention class. Earlier builds must refuse it, and not take it for the year's.
    ClassToken,
}

impl Use {
    const fn code(self) -> u8 {
        match self {
            Self::Token => 1,
            Self::Class => 2,
            Self::Series => 3,
            Self::ClassToken => 4,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Token, Self::Class, Self::Series, Self::ClassToken]
            .into_iter()
            .find(|used| used.code() == code)
    }
}

/// The name of a key: an ente's for a retention class and a month, a year's, or nobody's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct KeyName {
    pub(super) retention: u8,
    pub(super) ente: String,
    pub(super) year: i16,
    pub(super) month: u8,
}

impl KeyName {
    /// The name of a token key.
    pub(super) fn token(key: TokenKey) -> Self {
        Self {
            retention: key.class.map_or(0, Retention::code),
            year: key.year,
            ..Self::series()
        }
    }

    /// The name of the key of all series.
    pub(super) const fn series() -> Self {
        Self {
            retention: 0,
            ente: String::new(),
            year: 0,
            month: 0,
        }
    }

    /// The token key of this name, by its use. `None`: it is no such key, or its class is unknown.
    pub(super) fn token_key(&self, used: Use) -> Option<TokenKey> {
        let class = match (used, self.retention) {
            (Use::Token, 0) => None,
            (Use::ClassToken, code) => Some(Retention::from_code(code)?),
            _ => return None,
        };
        Some(TokenKey {
            year: self.year,
            class,
        })
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}-{:02}",
            Retention::from_code(self.retention).map_or("?", Retention::name),
            self.ente,
            self.year,
            self.month
        )
    }
}

/// A record, split into its fields.
pub(super) struct KeyRecord {
    /// `None`: the record says neither use nor name.
    pub(super) named: Option<(Use, KeyName)>,
    /// The bytes bound by the wrapping: see [`bound`].
    pub(super) bound: [u8; 64],
    pub(super) wrapped: Result<Wrapped, NoKey>,
}

/// The bytes of a key's name, its id included.
pub(super) fn bound(used: Use, name: &KeyName, id: u32) -> Result<[u8; 64], KeyError> {
    let mut bytes = [0; 64];
    bytes[..4].copy_from_slice(MAGIC);
    bytes[4] = used.code();
    bytes[5] = name.retention;
    bytes[6..8].copy_from_slice(&name.year.to_le_bytes());
    bytes[8] = name.month;
    bytes[9] = u8::try_from(name.ente.len()).map_err(|_| KeyError::Ente)?;
    bytes[ENTE]
        .get_mut(..name.ente.len())
        .ok_or(KeyError::Ente)?
        .copy_from_slice(name.ente.as_bytes());
    bytes[60..].copy_from_slice(&id.to_le_bytes());
    Ok(bytes)
}

/// Makes a record of a name and a wrapped key.
pub(super) fn write(bound: &[u8; 64], wrapped: &Wrapped) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[NAME].copy_from_slice(bound);
    record[KEY].copy_from_slice(&wrapped.0);
    let checksum = crc32c::crc32c(&record[..CHECKSUM.start]);
    record[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    record
}

/// Reads a record, as far as it can be read.
pub(super) fn read(record: &[u8; RECORD]) -> KeyRecord {
    let mut bound = [0; 64];
    bound.copy_from_slice(&record[NAME]);
    let mut wrapped = Wrapped::ERASED;
    wrapped.0.copy_from_slice(&record[KEY]);
    let whole = crc32c::crc32c(&record[..CHECKSUM.start]).to_le_bytes() == record[CHECKSUM];
    let wrapped = match (wrapped == Wrapped::ERASED, whole) {
        (true, _) => Err(NoKey::Erased),
        (false, true) => Ok(wrapped),
        (false, false) => Err(NoKey::Damaged),
    };
    KeyRecord {
        named: named(record),
        bound,
        wrapped,
    }
}

fn named(record: &[u8; RECORD]) -> Option<(Use, KeyName)> {
    (&record[..4] == MAGIC).then_some(())?;
    let ente = record.get(ENTE.start..ENTE.start + usize::from(record[9]))?;
    let name = KeyName {
        retention: record[5],
        ente: String::from_utf8(ente.to_vec()).ok()?,
        year: i16::from_le_bytes([record[6], record[7]]),
        month: record[8],
    };
    Some((Use::of(record[4])?, name))
}
