//! The server's configuration: TLS 1.2 and 1.3, client certificates required, no resumption.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore, ServerConfig, SignatureScheme};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::TlsError;
use super::authorities::Authorities;
use super::identity::{Identities, Identity};
use super::peer::{self, Invalid, Peer};
use super::profile::{self, Unfit};
use super::revocation::Revocations;
use crate::clock::Clock;

/// Builds a configuration with one certificate: the server's chain and key, the authorities that clients' certificates come from, their lists.
pub fn configure(
    chain: &Path,
    key: &Path,
    authorities: &[CertificateDer<'static>],
    revocations: Revocations,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let identities = Identities::new(vec![Identity::read(chain, key, &provider)?], clock);
    let authorities = Authorities::from(authorities.to_vec()).knowing(revocations.authorities());
    let verifier = verifier(&provider, &authorities, revocations, clock)?;
    assemble(provider, verifier, Arc::new(identities), clock)
}

/// The cryptography: aws-lc-rs.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Who judges clients' certificates in a handshake.
pub(super) fn verifier(
    provider: &Arc<CryptoProvider>,
    authorities: &Authorities,
    revocations: Revocations,
    clock: &Clock,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities.all() {
        roots.add(authority.clone())?;
    }
    let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| TlsError::File("client authorities".to_owned(), error.to_string()))?;
    let (authorities, lengths) = (authorities.clone(), lengths(authorities.all()));
    Ok(Arc::new(Verifier { inner, authorities, lengths, revocations, clock: clock.clone() }))
}

/// Puts a configuration together.
pub(super) fn assemble(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ClientCertVerifier>,
    identities: Arc<dyn ResolvesServerCert>,
    clock: &Clock,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(clock.clone()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(identities);
    // A resumed session would outlive a revocation.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// All certificates of a PEM file.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |error: String| TlsError::File(file.display().to_string(), error);
    let all: Vec<_> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("no certificate".to_owned())) } else { Ok(all) }
}

/// The private key of a PEM file.
pub fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| TlsError::File(file.display().to_string(), error.to_string()))
}

/// How many authorities there may be under those that say so, by their name.
fn lengths(authorities: &[CertificateDer<'_>]) -> HashMap<Vec<u8>, usize> {
    let mut lengths = HashMap::new();
    for der in authorities {
        let Ok((_, authority)) = X509Certificate::from_der(der) else { continue };
        let basic = authority.basic_constraints().ok().flatten();
        if let Some(length) = basic.and_then(|basic| basic.value.path_len_constraint) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            // Of two with one name the stricter counts.
            lengths
                .entry(authority.subject().as_raw().to_vec())
                .and_modify(|known: &mut usize| *known = length.min(*known))
                .or_insert(length);
        }
    }
    lengths
}

/// webpki verifies the chain; the profile and the revocation lists come on top.
#[derive(Debug)]
struct Verifier {
    inner: Arc<dyn ClientCertVerifier>,
    authorities: Authorities,
    lengths: HashMap<Vec<u8>, usize>,
    revocations: Revocations,
    clock: Clock,
}

fn refusal(unfit: Unfit) -> CertificateError {
    match unfit {
        Unfit::Usage | Unfit::Authority => CertificateError::InvalidPurpose,
        unfit => CertificateError::Other(OtherError(Arc::new(unfit))),
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now)?;
        profile::check(end_entity).map_err(refusal)?;
        let presented: Vec<_> = std::iter::once(end_entity.clone()).chain(intermediates.iter().cloned()).collect();
        let path = peer::path(&presented, &self.authorities).map_err(|_| CertificateError::BadEncoding)?;
        let between = path.into_iter().skip(1).filter(|der| !self.authorities.all().contains(der));
        for authority in between.clone() {
            profile::check_authority(authority).map_err(refusal)?;
        }
        let peer = Peer::new(&presented, &self.authorities).map_err(|_| CertificateError::BadEncoding)?;
        // webpki has no length for the authorities of the configuration.
        let length = peer.chain().iter().filter_map(|link| self.lengths.get(&link.issuer.name)).min();
        if length.is_some_and(|length| between.count() > *length) {
            return Err(refusal(Unfit::Length).into());
        }
        peer.valid_in_handshake(self.clock.now(), &self.revocations).map_err(|invalid| match invalid {
            Invalid::Unreadable => CertificateError::BadEncoding,
            Invalid::Untrusted => CertificateError::UnknownIssuer,
            Invalid::Unfit => CertificateError::InvalidPurpose,
            Invalid::NotYet => CertificateError::NotValidYet,
            Invalid::Expired => CertificateError::Expired,
            Invalid::Revoked => CertificateError::Revoked,
            Invalid::StatusUnknown => CertificateError::UnknownRevocationStatus,
        })?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
