//! The data of a client's certificate chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::CertificateDer;
use x509_parser::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

use super::authorities::{Authorities, Issuer};
use super::validity::{Invalid, trimmed};
use crate::digest::{hex, sha256};

/// A client's certificate and the chain presented with it.
#[derive(Clone, Debug)]
pub struct Peer {
    fingerprint: String,
    keys: Vec<Vec<String>>,
    chain: Vec<Link>,
    presented: Arc<[CertificateDer<'static>]>,
    /// The number of the setup at the chain's last verification.
    trusted: Arc<AtomicU64>,
}

/// A certificate of the chain, as far as validity is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its issuer, by name and key.
    pub issuer: Issuer,
    /// Serial number, as in the certificate, without leading zeros.
    pub serial: Vec<u8>,
    /// First second of its validity, since the epoch.
    pub not_before: i64,
    /// Last second of its validity, since the epoch.
    pub not_after: i64,
}

/// The most units of one certificate. A certificate with more is refused.
const MOST_UNITS: usize = 16;

impl Peer {
    /// From the client's certificate, all presented certificates, and the verified path.
    pub(super) fn new(
        own: &X509Certificate<'_>,
        presented: &[CertificateDer<'_>],
        chain: Vec<Link>,
    ) -> Result<Self, Invalid> {
        let fingerprint = hex(&sha256(presented.first().ok_or(Invalid::Unreadable)?));
        let mut keys = vec![vec![fingerprint.clone()]];
        let organization =
            only(own.subject(), &ORGANIZATION_IDENTIFIER).filter(|name| name.starts_with("CF:IT-"));
        if let Some(organization) = organization
            && let Some(issuer) = chain.first().and_then(|link| link.issuer.key)
        {
            let issuer = hex(&issuer);
            let of_unit = |unit: &str| format!("{issuer}/{organization}/{unit}");
            let units: Vec<_> = values(own.subject(), &UNIT)
                .filter(|unit| unit.starts_with("IPAIT-"))
                .take(MOST_UNITS + 1)
                .collect();
            if units.len() > MOST_UNITS {
                return Err(Invalid::Unfit);
            }
            keys.push(units.iter().map(|unit| of_unit(unit)).collect());
            keys.push(vec![of_unit("-")]);
        }
        let presented = presented.iter().map(|der| der.clone().into_owned()).collect();
        Ok(Self {
            fingerprint,
            keys,
            chain,
            presented,
            trusted: Arc::default(),
        })
    }

    /// From unverified certificates, to find their possible ente: the client's own first, then its possible
    /// issuers.
    pub fn unverified(presented: &[CertificateDer<'_>], authorities: &Authorities) -> Result<Self, Invalid> {
        let own = read(presented.first().ok_or(Invalid::Unreadable)?)?;
        let issuer = Issuer {
            name: own.issuer().as_raw().to_vec(),
            key: authorities.issuer_key(&own, presented),
        };
        Self::new(&own, presented, vec![Link::new(&own, issuer)])
    }

    /// The keys under which the registry may know it, the most particular first: SHA-256 of the certificate;
    /// issuer, organization and each unit; issuer and organization.
    pub fn keys(&self) -> &[Vec<String>] {
        &self.keys
    }

    /// The certificates presented by the client, its own first.
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

    /// Its verified path, the anchor left out: the client's own certificate, and the authorities sent along
    /// above it.
    pub fn chain(&self) -> &[Link] {
        &self.chain
    }
}

impl Link {
    /// A certificate, and its issuer.
    pub(super) fn new(certificate: &X509Certificate<'_>, issuer: Issuer) -> Self {
        let validity = certificate.validity();
        Self {
            issuer,
            serial: trimmed(certificate.raw_serial()),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        }
    }
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, Invalid> {
    X509Certificate::from_der(der)
        .map(|(_, certificate)| certificate)
        .map_err(|_| Invalid::Unreadable)
}

/// OID of organizationIdentifier: for an ente `CF:IT-...`.
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);
/// OID of organizationalUnitName: for a unit `IPAIT-...`.
const UNIT: Oid<'static> = oid!(2.5.4.11);

/// The values of an attribute of a name, as text.
fn values<'a>(name: &'a X509Name<'_>, oid: &'a Oid<'_>) -> impl Iterator<Item = String> + 'a {
    let attributes = name
        .iter_attributes()
        .filter(move |attribute| attribute.attr_type() == oid);
    attributes.filter_map(|attribute| attribute.as_str().ok().map(str::to_owned))
}

/// The value of an attribute present once in a name. Of two, nobody could tell the right one.
fn only(name: &X509Name<'_>, oid: &Oid<'_>) -> Option<String> {
    let mut all = name
        .iter_attributes()
        .filter(|attribute| attribute.attr_type() == oid);
    let first = all.next()?;
    if all.next().is_some() {
        None
    } else {
        first.as_str().ok().map(str::to_owned)
    }
}
