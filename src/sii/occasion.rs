//! The occasion of a question, and why there may be no answer on it.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::ledger::{KeyError, LogError, Position, Unopened, ViewError};

/// The occasion of a question. It holds all that decides or is recorded, so that nothing reads a clock.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The exchange that the entries belong to.
    pub exchange: Uuid,
    /// First byte of the request: the legal instant.
    pub received: Timestamp,
    /// The day, in Italy.
    pub today: Date,
    /// The place of the first entry among those of the exchange: the exchange's own is 0.
    pub ordinal: u32,
    /// Whether long work may be done now, since it keeps nobody else waiting.
    pub beside: bool,
    /// Replies to the questions of this exchange that left the process.
    pub returned: &'a [Returned],
}

/// Reading a sealed part longer than this, and answering from it, is long work; bytes. A shorter one costs at
/// most some 6 million instructions, reply included.
pub const LONG: u32 = 32 << 10;

/// Looking at more attestations of a person, or more DSU of a declarant, is long work. To rule one out costs
/// some 70 thousand instructions. Only invented DSU are so many.
pub const MANY: usize = 100;

/// Why the SII gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiiError {
    /// The ledger cannot be written, or cannot be read.
    #[error("non disponibile: {0}")]
    Unavailable(String),
    /// A mistake of ours, or a system that did not answer; the text holds no value.
    #[error("errore interno: {0}")]
    Internal(String),
    /// The answer needs long work, and the occasion does not allow it: to be asked again on one that does.
    #[error("long work")]
    Long,
}

/// No reply came: whether the other system had the question is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reply: {0}")]
pub struct Lost(pub String);

/// The end of a question that left the process.
pub struct Returned {
    /// Its name within the exchange.
    pub name: &'static str,
    /// The reply as it came.
    pub reply: Result<Bytes, Lost>,
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Returned")
            .field("name", &self.name)
            .field("came", &self.reply.is_ok())
            .finish()
    }
}

impl<'a> Occasion<'a> {
    /// How many attestations of a person, or DSU of a declarant, may be looked at now.
    pub(super) fn most(&self) -> usize {
        if self.beside { usize::MAX } else { MANY }
    }

    /// Whether an entry may be read now.
    pub(super) fn allows(&self, position: &Position) -> Result<(), SiiError> {
        if self.beside || position.sealed_length() <= LONG {
            Ok(())
        } else {
            Err(SiiError::Long)
        }
    }

    /// The reply to a question of this exchange; None if it was not asked.
    pub fn reply(&self, name: &str) -> Option<Result<&'a Bytes, SiiError>> {
        let returned = self.returned.iter().find(|returned| returned.name == name)?;
        Some(
            returned
                .reply
                .as_ref()
                .map_err(|lost| SiiError::Internal(lost.to_string())),
        )
    }
}

impl From<ViewError> for SiiError {
    fn from(error: ViewError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<KeyError> for SiiError {
    fn from(error: KeyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<LogError> for SiiError {
    fn from(error: LogError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<Unopened> for SiiError {
    fn from(error: Unopened) -> Self {
        // Damage is told like any other damage of the ledger: not as a mistake that may pass.
        if error.is_damage() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}
