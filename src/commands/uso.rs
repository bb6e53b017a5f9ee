//! Shared by the commands: the exit statuses, errors in one Italian line, an error of use, and a runtime.

use std::path::Path;

use crate::config::ConfigError;
use crate::ledger::DirectoryError;
use crate::tls::TlsError;

/// The meaning of the exit status, for every command.
pub(super) const ESITI: &str = "\
Il comando finisce con 0 se è riuscito; con 1 se la risposta è no (rifiutato, non valido, non trovato, non in funzione) o se non è \
riuscito; con 2 se non si può eseguire così: è scritto male, o non \
si legge un file o una directory che nomina.";

/// Whether an error is of the command as given: it ends with 2, any other with 1.
pub(super) fn is_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<Uso>()
            || cause.is::<ConfigError>()
            || matches!(cause.downcast_ref(), Some(TlsError::File(..)))
            || matches!(
                cause.downcast_ref(),
                Some(DirectoryError::Missing(_) | DirectoryError::Format(..) | DirectoryError::Io(..))
            )
            || cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
                use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
                matches!(
                    error.kind(),
                    NotFound | PermissionDenied | IsADirectory | NotADirectory
                )
            })
    })
}

/// An error and its causes, on one line. Errors of the operating system are put into Italian.
pub(super) fn told(error: &anyhow::Error) -> String {
    let cause = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .map_or_else(|| cause.to_string(), crate::italian::io)
    };
    error.chain().map(cause).collect::<Vec<_>>().join(": ")
}

/// A command impossible as given.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Uso(pub(super) String);

impl Uso {
    /// A file that cannot be read.
    pub(super) fn unread(file: &Path, error: &std::io::Error) -> Self {
        Self(format!("{}: {}", file.display(), crate::italian::io(error)))
    }

    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// A runtime with a thread for each core.
pub(super) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
