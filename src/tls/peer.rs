//! What is known of a client's certificate chain.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::revocation::Revocations;
use crate::digest::{hex, sha256};

/// A client's certificate and the chain that it presented.
#[derive(Clone, Debug)]
pub struct Peer {
    fingerprint: String,
    chain: Vec<Link>,
}

/// A certificate of the chain, as far as validity is concerned.
#[derive(Clone, Debug)]
pub struct Link {
    /// Distinguished name of the issuer, DER.
    pub issuer: Vec<u8>,
    /// Serial number, as in the certificate, without leading zeros.
    pub serial: Vec<u8>,
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
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
    /// No list of its issuer's, or one that should have been replaced.
    #[error("revocation status unknown")]
    StatusUnknown,
}

impl Peer {
    /// From the certificates that the client presented, its own first.
    pub fn new(presented: &[CertificateDer<'_>]) -> Result<Self, Invalid> {
        let own = presented.first().ok_or(Invalid::Unreadable)?;
        let chain: Vec<Link> = presented.iter().map(|der| Link::read(der)).collect::<Result<_, _>>()?;
        // A root that is sent along is trusted or not by itself: nobody lists it.
        let chain = chain.into_iter().zip(presented).filter(|(_, der)| !is_self_issued(der)).map(|(link, _)| link).collect();
        Ok(Self { fingerprint: hex(&sha256(own)), chain })
    }

    /// SHA-256 of the client's certificate, hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Whether the whole chain is in its time and unrevoked, by lists that are fresh.
    pub fn valid(&self, now: Timestamp, revocations: &Revocations) -> Result<(), Invalid> {
        let second = now.as_second();
        for link in &self.chain {
            if second < link.not_before {
                return Err(Invalid::NotYet);
            }
            if second > link.not_after {
                return Err(Invalid::Expired);
            }
            revocations.check(&link.issuer, &link.serial, second)?;
        }
        if self.chain.is_empty() { Err(Invalid::Unreadable) } else { Ok(()) }
    }
}

impl Link {
    fn read(der: &[u8]) -> Result<Self, Invalid> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Invalid::Unreadable)?;
        let validity = certificate.validity();
        Ok(Self {
            issuer: certificate.issuer().as_raw().to_vec(),
            serial: trimmed(certificate.raw_serial()),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        })
    }
}

/// A serial without the zeros that DER may put before it.
pub(super) fn trimmed(serial: &[u8]) -> Vec<u8> {
    let first = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len());
    serial[first..].to_vec()
}

fn is_self_issued(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.issuer().as_raw() == certificate.subject().as_raw())
}
