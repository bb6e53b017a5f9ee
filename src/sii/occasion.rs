//! The occasion of a question, and the reasons for no answer.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use crate::ledger::{KeyError, LogError, Position, Unopened, ViewError};

/// The occasion of a question. It holds every input of the decision and of the record: nothing reads a clock.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The exchange of the entries.
    pub exchange: Uuid,
    /// Instant of the request's first byte: the legal instant.
    pub received: Timestamp,
    /// The day, in Italy.
    pub today: Date,
    /// The place of the first entry in the exchange. The exchange's own entry has place 0.
    pub ordinal: u32,
    /// Whether long work is allowed now: nobody else waits for its end.
    pub beside: bool,
    /// Replies of other systems to this exchange's questions.
    pub returned: &'a [Returned],
}

/// Length in bytes. Reading a longer sealed part, and answering from it, is long work. A shorter one costs at
/// most some 6 million instructions, reply included.
pub const LONG: u32 = 32 << 10;

/// Number of attestations of a person, or of DSU of a declarant. Looking at more is long work: ruling one out
/// costs some 70 thousand instructions. Only invented DSU are so many.
pub const MANY: usize = 100;

/// Why the SII gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiiError {
    /// The ledger cannot be written, or cannot be read.
    #[error("non disponibile: {0}")]
    Unavailable(String),
    /// A mistake of ours, or no reply from another system. The text holds no value.
    #[error("errore interno: {0}")]
    Internal(String),
    /// The answer needs long work, and this occasion does not allow it. Ask again with [`Occasion::beside`].
    #[error("long work")]
    Long,
}

/// No reply came. The other system may or may not have had the question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reply: {0}")]
pub struct Lost(pub String);

/// The end of a question to another system.
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
    /// The most attestations of a person, or DSU of a declarant, to look at now.
    pub(super) fn most(&self) -> usize {
        if self.beside { usize::MAX } else { MANY }
    }

    /// Fails with [`SiiError::Long`] if the entry is too long to be read now.
    pub(super) fn allows(&self, position: &Position) -> Result<(), SiiError> {
        if self.beside || position.sealed_length() <= LONG {
            Ok(())
        } else {
            Err(SiiError::Long)
        }
    }

    /// The reply to a question of this exchange. `None`: not asked.
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
        // Damage counts as damage of the ledger, not as a mistake of the moment.
        if error.is_damage() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Internal(error.to_string())
        }
    }
}
