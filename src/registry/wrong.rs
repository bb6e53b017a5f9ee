//! Why an act is not performed.

/// Why a change cannot be made.
pub(super) enum Wrong {
    /// The command makes no sense: the fault, in Italian.
    Invalid(String),
    /// The registry cannot be read.
    Views(crate::ledger::ViewError),
}

impl From<crate::ledger::ViewError> for Wrong {
    fn from(error: crate::ledger::ViewError) -> Self {
        Self::Views(error)
    }
}

/// The error for a command without sense.
pub(super) fn invalid<T>(text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Invalid(text.into()))
}
