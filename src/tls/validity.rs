//! Whether a chain is valid at a moment, and why not.

/// On what a chain is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid {
    /// On a list that should have been replaced, within the hours that the operator allows for that.
    pub within_grace: bool,
}

/// Why a chain is not valid at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Cannot be read.
    #[error("certificate cannot be read")]
    Unreadable,
    /// Before its time.
    #[error("certificate not valid yet")]
    NotYet,
    /// After its time.
    #[error("certificate expired")]
    Expired,
    /// On its issuer's list.
    #[error("certificate revoked")]
    Revoked,
    /// Its chain leads to no authority that is trusted now.
    #[error("certificate of an authority that is not trusted")]
    Untrusted,
    /// It, or an authority above it, is not of the kind that is let in.
    #[error("certificate outside the profile")]
    Unfit,
    /// No list of its issuer's, or one that should have been replaced.
    #[error("revocation status unknown")]
    StatusUnknown,
}

impl Invalid {
    /// Of a judge's error.
    pub(super) fn because(error: &rustls::CertificateError) -> Self {
        use rustls::CertificateError as Because;
        match error {
            Because::BadEncoding => Self::Unreadable,
            Because::NotValidYet | Because::NotValidYetContext { .. } => Self::NotYet,
            Because::Expired | Because::ExpiredContext { .. } => Self::Expired,
            Because::Revoked => Self::Revoked,
            Because::UnknownRevocationStatus
            | Because::ExpiredRevocationList
            | Because::ExpiredRevocationListContext { .. } => Self::StatusUnknown,
            Because::InvalidPurpose | Because::InvalidPurposeContext { .. } | Because::Other(_) => {
                Self::Unfit
            }
            _ => Self::Untrusted,
        }
    }
}

/// A serial without the zeros that DER may put before it.
pub(super) fn trimmed(serial: &[u8]) -> Vec<u8> {
    let first = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len());
    serial[first..].to_vec()
}
