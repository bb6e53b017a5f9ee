//! What is known of a client's certificate chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use super::authorities::{Authorities, Issuer};
use super::revocation::Revocations;
use crate::digest::{hex, sha256};

/// A client's certificate and the chain that it presented.
#[derive(Clone, Debug)]
pub struct Peer {
    fingerprint: String,
    keys: Vec<Vec<String>>,
    chain: Vec<Link>,
    presented: Arc<[CertificateDer<'static>]>,
    /// The channel's state under which the chain was verified last.
    trusted: Arc<AtomicU64>,
}

/// A certificate of the chain, as far as validity is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Who issued it.
    pub issuer: Issuer,
    /// Serial number, as in the certificate, without leading zeros.
    pub serial: Vec<u8>,
    /// First second.
    pub not_before: i64,
    /// Last second.
    pub not_after: i64,
}

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
    /// Of a verifier's error.
    pub(super) fn because(error: &rustls::Error) -> Self {
        use rustls::CertificateError as Because;
        let rustls::Error::InvalidCertificate(because) = error else { return Self::Untrusted };
        match because {
            Because::BadEncoding => Self::Unreadable,
            Because::NotValidYet | Because::NotValidYetContext { .. } => Self::NotYet,
            Because::Expired | Because::ExpiredContext { .. } => Self::Expired,
            Because::Revoked => Self::Revoked,
            Because::UnknownRevocationStatus | Because::ExpiredRevocationList | Because::ExpiredRevocationListContext { .. } => {
                Self::StatusUnknown
            }
            Because::InvalidPurpose | Because::InvalidPurposeContext { .. } | Because::Other(_) => Self::Unfit,
            _ => Self::Untrusted,
        }
    }
}

impl Peer {
    /// From the certificates that the client presented, its own first; their chain is verified, or about to be.
    pub fn new(presented: &[CertificateDer<'_>], authorities: &Authorities) -> Result<Self, Invalid> {
        let path = path(presented, authorities)?;
        let own = path.first().ok_or(Invalid::Unreadable)?;
        let certificate = read(own)?;
        let fingerprint = hex(&sha256(own));
        let mut keys = vec![vec![fingerprint.clone()]];
        let organization = only(certificate.subject(), ORGANIZATION_IDENTIFIER).filter(|name| name.starts_with("CF:IT-"));
        if let Some(organization) = organization
            && let Some(issuer) = authorities.issuer_key(&certificate, presented)
        {
            let issuer = hex(&issuer);
            let of_unit = |unit: &str| format!("{issuer}/{organization}/{unit}");
            keys.push(values(certificate.subject(), UNIT).filter(|unit| unit.starts_with("IPAIT-")).map(|unit| of_unit(&unit)).collect());
            keys.push(vec![of_unit("-")]);
        }
        let chain = path.iter().map(|der| Link::read(der, presented, authorities)).collect::<Result<_, _>>()?;
        let presented = presented.iter().map(|der| der.clone().into_owned()).collect();
        Ok(Self { fingerprint, keys, chain, presented, trusted: Arc::default() })
    }

    /// The keys under which the registry may know it, the most particular first: SHA-256 of the certificate; issuer, organization and each
    /// unit; issuer and organization.
    pub fn keys(&self) -> &[Vec<String>] {
        &self.keys
    }

    /// The certificates that the client presented, its own first.
    pub(super) fn presented(&self) -> &[CertificateDer<'static>] {
        &self.presented
    }

    /// Whether the chain was verified under this state of the channel.
    pub(super) fn is_trusted_by(&self, generation: u64) -> bool {
        self.trusted.load(Ordering::Relaxed) == generation
    }

    /// Notes that the chain was verified under this state of the channel.
    pub(super) fn trust(&self, generation: u64) {
        self.trusted.store(generation, Ordering::Relaxed);
    }

    /// SHA-256 of the client's certificate, hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The client's own, and the authorities that were sent along and could be above it.
    pub fn chain(&self) -> &[Link] {
        &self.chain
    }

    /// The same in a handshake, which cannot wait: what a responder is to be asked for is left to the first request.
    pub(super) fn valid_in_handshake(&self, now: Timestamp, revocations: &Revocations) -> Result<(), Invalid> {
        let asked = |link: &&Link| revocations.is_asked(&link.issuer);
        let rest = Self { chain: self.chain.iter().filter(|link| !asked(link)).cloned().collect(), ..self.clone() };
        let in_time = |link: &Link| (link.not_before..=link.not_after).contains(&now.as_second());
        if self.chain.iter().filter(asked).any(|link| !in_time(link)) {
            return Err(Invalid::Expired);
        }
        rest.valid(now, revocations).map(|_| ())
    }

    /// Whether the whole chain is in its time and unrevoked, by lists that are fresh.
    pub fn valid(&self, now: Timestamp, revocations: &Revocations) -> Result<Valid, Invalid> {
        let second = now.as_second();
        let mut valid = Valid::default();
        for link in &self.chain {
            if second < link.not_before {
                return Err(Invalid::NotYet);
            }
            if second > link.not_after {
                return Err(Invalid::Expired);
            }
            valid.within_grace |= revocations.check(&link.issuer, &link.serial, second)?.within_grace;
        }
        Ok(valid)
    }
}

impl Link {
    fn read(der: &[u8], presented: &[CertificateDer<'_>], authorities: &Authorities) -> Result<Self, Invalid> {
        let certificate = read(der)?;
        let validity = certificate.validity();
        Ok(Self {
            issuer: Issuer { name: certificate.issuer().as_raw().to_vec(), key: authorities.issuer_key(&certificate, presented) },
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
pub(super) fn path<'a>(presented: &'a [CertificateDer<'a>], authorities: &Authorities) -> Result<Vec<&'a CertificateDer<'a>>, Invalid> {
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
        path.extend(above.into_iter().filter(|(der, certificate)| !authorities.is_root(der, certificate)));
        at += 1;
    }
    Ok(path.into_iter().map(|(der, _)| der).collect())
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, Invalid> {
    X509Certificate::from_der(der).map(|(_, certificate)| certificate).map_err(|_| Invalid::Unreadable)
}

/// organizationIdentifier.
const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
/// organizationalUnitName.
const UNIT: &str = "2.5.4.11";

/// The values of an attribute of a name, as text.
fn values<'a>(name: &'a X509Name<'_>, oid: &'a str) -> impl Iterator<Item = String> + 'a {
    let attributes = name.iter_attributes().filter(move |attribute| attribute.attr_type().to_id_string() == oid);
    attributes.filter_map(|attribute| attribute.as_str().ok().map(str::to_owned))
}

/// The value of an attribute that a name has once: of two, nobody could say which is meant.
fn only(name: &X509Name<'_>, oid: &str) -> Option<String> {
    let mut all = name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == oid);
    let first = all.next()?;
    if all.next().is_some() { None } else { first.as_str().ok().map(str::to_owned) }
}
