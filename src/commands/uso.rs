//! Shared by the commands: an error of use, and a runtime.

/// A command impossible as given: it ends with 2, as one with wrong options.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Uso(pub(super) String);

impl Uso {
    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A runtime with a thread for each core.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
