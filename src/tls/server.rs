//! The server's configuration: TLS 1.2 and 1.3, client certificates required, no resumption.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ResolvesServerCert};
use rustls::{
    CertificateError, CipherSuite, DigitallySignedStruct, DistinguishedName, OtherError, ProtocolVersion,
    RootCertStore, ServerConfig, SignatureScheme,
};

use super::TlsError;
use super::authorities::Authorities;
use super::identity::{Identities, ServerIdentity};
use super::path::PathJudge;
use super::peer::Peer;
use super::revocation::Revocations;
use super::subject;
use super::validity::Invalid;
use crate::clock::Clock;
use crate::digest::{hex, sha256};

/// The version of TLS of a connection. Others are not spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V12,
    /// TLS 1.3 (RFC 8446).
    V13,
}

impl TlsVersion {
    /// The version of a session. `None` counts as 1.2.
    pub fn of(version: Option<ProtocolVersion>) -> Self {
        if version == Some(ProtocolVersion::TLSv1_3) {
            Self::V13
        } else {
            Self::V12
        }
    }

    /// Its name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V12 => "1.2",
            Self::V13 => "1.3",
        }
    }
}

/// Makes handshakes with one certificate: the server's chain and key, the authorities of clients'
/// certificates, their lists.
pub fn configure(
    chain: &Path,
    key: &Path,
    authorities: &[CertificateDer<'static>],
    revocations: Revocations,
    clock: &Clock,
) -> Result<Handshakes, TlsError> {
    let provider = provider();
    let identities = Identities::new(vec![ServerIdentity::read(chain, key, &provider)?], clock);
    let authorities = Authorities::from(authorities.to_vec());
    let judge = PathJudge::new(
        &authorities,
        revocations,
        provider.signature_verification_algorithms.all,
    )?;
    Handshakes::new(
        provider,
        &authorities,
        Arc::new(judge),
        Arc::new(identities),
        clock,
    )
}

/// The provider of the cryptography: aws-lc-rs. AES-128 with SHA-256 comes first: every client has it
/// (RFC 8446, 9.1), and processors have instructions for SHA-256.
pub(super) fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        !matches!(
            suite.suite(),
            CipherSuite::TLS13_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    Arc::new(provider)
}

/// Makes a configuration for each handshake. Afterwards the peer found by its verifier can be asked for.
#[derive(Debug)]
pub struct Handshakes {
    provider: Arc<CryptoProvider>,
    judge: Arc<PathJudge>,
    identities: Arc<dyn ResolvesServerCert>,
    /// The names of the authorities, told to the client. Empty: none are told.
    hints: Arc<[DistinguishedName]>,
    clock: Clock,
}

/// The peer of one handshake, or its refused certificate.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    peer: Arc<OnceLock<Peer>>,
    refused: Arc<OnceLock<Refused>>,
}

impl Shown {
    /// The peer, once its certificates were judged good. Only the end of the handshake proves its hold of the
    /// key.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.get()
    }

    /// The refused certificate, if there was one.
    pub fn refused(&self) -> Option<&Refused> {
        self.refused.get()
    }
}

/// A refused certificate, as far as an operator may know it. Never its CN nor its serialNumber: they may name
/// a person.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The reason of the refusal.
    pub why: Invalid,
    /// SHA-256 of the certificate, hexadecimal.
    pub fingerprint: String,
    /// Country, organization, units and organizationIdentifier of its issuer.
    pub issuer: String,
    /// The same of its subject.
    pub organization: String,
}

impl Refused {
    fn of(certificate: &CertificateDer<'_>, error: &CertificateError) -> Self {
        let (issuer, organization) = subject::public(certificate).unwrap_or_default();
        Self {
            why: Invalid::because(error),
            fingerprint: hex(&sha256(certificate)),
            issuer,
            organization,
        }
    }
}

impl Handshakes {
    /// Whether clients are told the names of the authorities.
    pub fn tells_authorities(&self) -> bool {
        !self.hints.is_empty()
    }

    /// Checks the parts against each other.
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        authorities: &Authorities,
        judge: Arc<PathJudge>,
        identities: Arc<dyn ResolvesServerCert>,
        clock: &Clock,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in authorities.all() {
            roots.add(authority.clone())?;
        }
        if roots.is_empty() {
            return Err(TlsError::File(
                "tls.client_authorities".to_owned(),
                "non contiene alcun certificato".to_owned(),
            ));
        }
        let mut hints = roots.subjects();
        if !are_told(&hints) {
            hints.clear();
        }
        let handshakes = Self {
            provider,
            judge,
            identities,
            hints: hints.into(),
            clock: clock.clone(),
        };
        handshakes.begin().map(|_| handshakes)
    }

    /// The configuration for one handshake, and where its peer is found.
    pub fn begin(&self) -> Result<(Arc<ServerConfig>, Shown), TlsError> {
        let shown = Shown::default();
        let verifier = Verifier {
            judge: self.judge.clone(),
            shown: shown.clone(),
            hints: self.hints.clone(),
            algorithms: self.provider.signature_verification_algorithms,
        };
        let mut config =
            ServerConfig::builder_with_details(self.provider.clone(), Arc::new(self.clock.clone()))
                .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
                .with_client_cert_verifier(Arc::new(verifier))
                .with_cert_resolver(self.identities.clone());
        // The provider's order counts: a client's would often put SHA-384 first, and the key schedule of a
        // handshake would cost four times as much.
        config.ignore_client_order = true;
        // A resumed session would outlive a revocation.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        // Some clients offer HTTP/1.0 alone.
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        Ok((Arc::new(config), shown))
    }
}

/// The most bytes of authorities' names told to clients. The field holds 65,535 (RFC 5246, 7.4.4), and Java
/// reads no message over 32,768.
const MOST_HINTS: usize = 16 * 1024;

/// Whether clients are told the names of the authorities. Beyond a size readable by every client they are
/// left out (RFC 8446, 4.2.4 allows it): a client with several certificates must then know the right one.
pub fn are_told(names: &[DistinguishedName]) -> bool {
    names.iter().map(|name| name.as_ref().len() + 2).sum::<usize>() <= MOST_HINTS
}

/// Hands a client's certificates to the judge, and keeps the resulting peer.
#[derive(Debug)]
struct Verifier {
    judge: Arc<PathJudge>,
    shown: Shown,
    hints: Arc<[DistinguishedName]>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let presented: Vec<_> = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|der| CertificateDer::from(der.as_ref()))
            .collect();
        let peer = self.judge.judge(&presented, now).map_err(|error| {
            let _ = self.shown.refused.set(Refused::of(end_entity, &error));
            match error {
                // rustls would say `unknown_ca`, of a known authority.
                CertificateError::UnknownRevocationStatus => {
                    CertificateError::Other(OtherError(Arc::new(Invalid::StatusUnknown)))
                }
                error => error,
            }
        })?;
        // TLS has one Certificate message in a handshake.
        let _ = self.shown.peer.set(peer);
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
