//! The authorities that clients' certificates come from.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{TlsError, pem, signature};
use crate::digest::{hex, sha256};

/// An authority, as far as revocation goes. Several may have one name (who changes the key is another), and
/// each answers for what its own key signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// Distinguished name, DER.
    pub name: Vec<u8>,
    /// SHA-256 of the SubjectPublicKeyInfo. Nothing where nobody knows which key it was: no list and no
    /// responder is that one's.
    pub key: Option<[u8; 32]>,
}

impl Issuer {
    /// Whose certificate it is.
    pub(super) fn of(authority: &X509Certificate<'_>) -> Self {
        Self {
            name: authority.subject().as_raw().to_vec(),
            key: Some(sha256(authority.public_key().raw)),
        }
    }
}

/// The authorities that are trusted.
#[derive(Clone, Debug)]
pub struct Authorities {
    all: Vec<CertificateDer<'static>>,
    /// Others whose keys are known and trust nobody: they sign lists.
    listers: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// From a PEM file.
    pub fn read(file: &Path) -> Result<Self, TlsError> {
        pem::certificates(file).map(Self::from)
    }

    /// The same, with others that are not trusted, but are known to issue what is sent along: those whose
    /// lists are believed.
    pub fn knowing(self, listers: &[CertificateDer<'static>]) -> Self {
        Self {
            listers: listers.to_vec(),
            ..self
        }
    }

    /// All of them.
    pub fn all(&self) -> &[CertificateDer<'static>] {
        &self.all
    }

    /// SHA-256 of the SubjectPublicKeyInfo of who issued a certificate: one of the certificates `presented`
    /// with it, or of the authorities. For a certificate that an operator asks about: it may verify as many
    /// signatures as there are certificates.
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
        // Several keys under one name: the signature says which it was.
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

/// SHA-256 of a certificate's own SubjectPublicKeyInfo, hexadecimal: how an issuer is named in the registry.
pub fn key_of(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(hex(&sha256(certificate.public_key().raw)))
}
