//! Why an act is not performed.

/// Why a change cannot be made.
pub(super) enum Wrong {
    /// What is asked makes no sense: in Italian.
    Invalid(String),
    /// The registry cannot be read.
    Views(crate::ledger::ViewError),
}

impl From<crate::ledger::ViewError> for Wrong {
    fn from(error: crate::ledger::ViewError) -> Self {
        Self::Views(error)
    }
}

/// What is asked makes no sense.
pub(super) fn invalid<T>(text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Invalid(text.into()))
}
