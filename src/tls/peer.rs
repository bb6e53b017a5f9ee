//! What is known of a client's certificate chain.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::revocation::{Revocations, is_signed_with};
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
        let path = path(presented)?;
        let own = path.first().ok_or(Invalid::Unreadable)?;
        Ok(Self { fingerprint: hex(&sha256(own)), chain: path.iter().map(|der| Link::read(der)).collect::<Result<_, _>>()? })
    }

    /// SHA-256 of the client's certificate, hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The client's own, and the authorities that were sent along and could be above it.
    pub fn chain(&self) -> &[Link] {
        &self.chain
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
        Ok(())
    }
}

impl Link {
    fn read(der: &[u8]) -> Result<Self, Invalid> {
        let certificate = read(der)?;
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

/// Of what was presented, the client's own certificate and all that could be above it, going by the names of issuers: whatever way a
/// verifier finds to a root leads through these. What is sent along besides is nobody's business (RFC 8446, 4.4.2).
///
/// Roots are left out: they are trusted or not by themselves, and nobody lists them. What is only self-issued stays: an authority's new
/// key, certified with its old one, can be revoked.
pub(super) fn path<'a>(presented: &'a [CertificateDer<'a>]) -> Result<Vec<&'a CertificateDer<'a>>, Invalid> {
    let mut rest: Vec<_> = presented.iter().map(|der| Ok((der, read(der)?))).collect::<Result<_, _>>()?;
    if rest.is_empty() {
        return Err(Invalid::Unreadable);
    }
    let mut path = vec![rest.remove(0)];
    let mut at = 0;
    while let Some((_, below)) = path.get(at) {
        let issuer = below.issuer().as_raw();
        let (above, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, certificate)| certificate.subject().as_raw() == issuer);
        rest = others;
        path.extend(above.into_iter().filter(|(_, certificate)| !is_self_signed(certificate)));
        at += 1;
    }
    Ok(path.into_iter().map(|(der, _)| der).collect())
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, Invalid> {
    X509Certificate::from_der(der).map(|(_, certificate)| certificate).map_err(|_| Invalid::Unreadable)
}

fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    let signed = || {
        is_signed_with(certificate, &certificate.signature_algorithm, certificate.tbs_certificate.as_ref(), &certificate.signature_value)
    };
    certificate.issuer().as_raw() == certificate.subject().as_raw() && signed()
}
