//! The issuing authorities of clients' certificates.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{TlsError, pem, signature};
use crate::digest::{hex, sha256};

/// An authority, as far as revocation goes. Several may have one name (an authority with a new key is
/// another). Each answers only for certificates signed by its own key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// Distinguished name of the authority, DER.
    pub name: Vec<u8>,
    /// SHA-256 of the SubjectPublicKeyInfo. `None`: the key is unknown, and no list or responder matches.
    pub key: Option<[u8; 32]>,
}

impl Issuer {
    /// The authority with this certificate.
    pub(super) fn of(authority: &X509Certificate<'_>) -> Self {
        Self {
            name: authority.subject().as_raw().to_vec(),
            key: Some(sha256(authority.public_key().raw)),
        }
    }
}

/// The trusted authorities, and the signers of lists known besides.
#[derive(Clone, Debug)]
pub struct Authorities {
    all: Vec<CertificateDer<'static>>,
    /// Others, known but not trusted: they sign lists.
    listers: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// From a PEM file.
    pub fn read(file: &Path) -> Result<Self, TlsError> {
        pem::certificates(file).map(Self::from)
    }

    /// The same, with others not trusted. They are known to issue certificates sent along, and their lists
    /// are believed.
    pub fn knowing(self, listers: &[CertificateDer<'static>]) -> Self {
        Self {
            listers: listers.to_vec(),
            ..self
        }
    }

    /// The trusted authorities, without those known only for their lists.
    pub fn all(&self) -> &[CertificateDer<'static>] {
        &self.all
    }

    /// SHA-256 of the SubjectPublicKeyInfo of a certificate's issuer: one of the certificates `presented`
    /// with it, or one of the authorities. Only for an operator's question: it may verify as many signatures
    /// as there are certificates.
    pub(super) fn issuer_key(
        &self,
        certificate: &X509Certificate<'_>,
        presented: &[CertificateDer<'_>],
    ) -> Option<[u8; 32]> {
        let parsed = |der: &[u8]| {
            let (_, issuer) = X509Certificate::from_der(der).ok()?;
            (issuer.subject().as_raw() == certificate.issuer().as_raw())
                .then(|| issuer.public_key().raw.to_vec())
        };
        let ders = presented
            .iter()
            .map(AsRef::as_ref)
            .chain(self.all.iter().chain(&self.listers).map(AsRef::as_ref));
        let mut keys: Vec<Vec<u8>> = ders.filter_map(|der: &[u8]| parsed(der)).collect();
        keys.sort_unstable();
        keys.dedup();
        // Several keys under one name: the signature decides.
        if keys.len() > 1 {
            keys.retain(|key| signature::verifies(certificate, key));
        }
        let [key] = keys.as_slice() else { return None };
        Some(sha256(key))
    }
}

impl From<Vec<CertificateDer<'static>>> for Authorities {
    fn from(all: Vec<CertificateDer<'static>>) -> Self {
        Self {
            all,
            listers: Vec::new(),
        }
    }
}

/// SHA-256 of a certificate's own SubjectPublicKeyInfo, hexadecimal: the name of an issuer in the registry.
pub fn key_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(hex(&sha256(certificate.public_key().raw)))
}
