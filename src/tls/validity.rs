//! Whether a chain is valid at a moment, and why not.

/// The basis of a chain's validity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Valid {
    /// A list that should have been replaced, within the operator's hours of grace.
    pub within_grace: bool,
}

/// Why a chain is not valid at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The certificate cannot be read.
    #[error("certificate cannot be read")]
    Unreadable,
    /// Before the certificate's first second.
    #[error("certificate not valid yet")]
    NotYet,
    /// After the certificate's last second.
    #[error("certificate expired")]
    Expired,
    /// On its issuer's list, or so answered by a responder.
    #[error("certificate revoked")]
    Revoked,
    /// Its chain leads to no authority trusted now.
    #[error("certificate of an authority that is not trusted")]
    Untrusted,
    /// It, or an authority above it, is outside the profile.
    #[error("certificate outside the profile")]
    Unfit,
    /// No fresh list of its issuer's, and no fresh answer of a responder.
    #[error("revocation status unknown")]
    StatusUnknown,
}

impl Invalid {
    /// The reason in a judge's error.
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

/// A serial without the leading zeros of its DER.
pub(super) fn trimmed(serial: &[u8]) -> Vec<u8> {
    let first = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len());
    serial[first..].to_vec()
}
