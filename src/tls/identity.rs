//! The server's own certificates: several at the same time (RSA and ECDSA, an old one and its successor,
//! other names), one of them for each handshake.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use super::TlsError;
use super::pem::{certificates, private_key};
use crate::clock::Clock;

/// One certificate of the server's, with its key.
#[derive(Debug)]
pub struct ServerIdentity {
    key: Arc<CertifiedKey>,
    /// First second of its validity, since the epoch.
    not_before: i64,
    /// Last second of its validity, since the epoch.
    not_after: i64,
    /// Whether its extended key usage, if any, lets it be a server's (RFC 5280, 4.2.1.12).
    for_servers: bool,
    /// Whether it names a host (subjectAltName): clients look at no other name (RFC 9525, 6.3).
    named: bool,
    /// For metrics: the file it comes from.
    pub name: String,
}

impl ServerIdentity {
    /// Reads a chain and its key, and checks that they belong together.
    pub fn read(chain: &Path, key: &Path, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let wrong = |file: &Path, what: String| TlsError::File(file.display().to_string(), what);
        let presented = certificates(chain)?;
        let (validity, for_servers, named) = {
            let own = presented
                .first()
                .ok_or_else(|| wrong(chain, "non contiene alcun certificato".to_owned()))?;
            let (_, own) = X509Certificate::from_der(own)
                .map_err(|_| wrong(chain, "il primo certificato non si può leggere".to_owned()))?;
            let usage = own.extended_key_usage().ok().flatten();
            let names = own.subject_alternative_name().ok().flatten();
            let is_host =
                |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
            (
                (
                    own.validity().not_before.timestamp(),
                    own.validity().not_after.timestamp(),
                ),
                usage.is_none_or(|usage| usage.value.server_auth || usage.value.any),
                names.is_some_and(|names| names.value.general_names.iter().any(is_host)),
            )
        };
        let certified = CertifiedKey::from_der(presented, private_key(key)?, provider);
        let certified = certified.map_err(|error| wrong(key, crate::italian::tls(&error)))?;
        let name = chain.display().to_string();
        Ok(Self {
            key: Arc::new(certified),
            not_before: validity.0,
            not_after: validity.1,
            for_servers,
            named,
            name,
        })
    }

    /// The server's own certificate, DER.
    pub fn own(&self) -> Option<&[u8]> {
        self.key.cert.first().map(AsRef::as_ref)
    }

    /// The last second of its time.
    pub fn expires(&self) -> i64 {
        self.not_after
    }

    /// Clients' reasons to refuse it, if any. In Italian, for operators.
    pub fn faults(&self, now: Timestamp) -> Vec<String> {
        let instant = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let mut faults = Vec::new();
        if now.as_second() > self.not_after {
            faults.push(format!(
                "il certificato {} è scaduto il {}: i client non lo accettano; mettere al suo posto quello nuovo",
                self.name,
                instant(self.not_after)
            ));
        }
        if now.as_second() < self.not_before {
            faults.push(format!(
                "il certificato {} vale soltanto dal {}: fino ad allora i client non lo accettano",
                self.name,
                instant(self.not_before)
            ));
        }
        if !self.for_servers {
            faults.push(format!(
                "il certificato {} non è per server (manca l'uso serverAuth): i client non lo accettano; chiederne uno per server",
                self.name
            ));
        }
        if !self.named {
            faults.push(format!(
                "il certificato {} non ha alcun nome (subjectAltName): i client non lo accettano; chiederne uno con il nome della porta",
                self.name
            ));
        }
        faults
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now.as_second())
    }

    fn suits(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }

    fn is_named(&self, name: &str) -> bool {
        let (Ok(name), Some(own)) = (ServerName::try_from(name), self.key.cert.first()) else {
            return false;
        };
        ParsedCertificate::try_from(own).is_ok_and(|own| verify_server_name(&own, &name).is_ok())
    }

    fn is_ecdsa(&self) -> bool {
        self.key.key.algorithm() == rustls::SignatureAlgorithm::ECDSA
    }
}

/// The server's certificates, and the choice of one for each client.
#[derive(Debug)]
pub struct Identities {
    all: Vec<ServerIdentity>,
    clock: Clock,
}

impl Identities {
    /// The choice among these, at least one.
    pub fn new(all: Vec<ServerIdentity>, clock: &Clock) -> Self {
        Self {
            all,
            clock: clock.clone(),
        }
    }

    /// All certificates, in the order of the configuration.
    pub fn all(&self) -> &[ServerIdentity] {
        &self.all
    }

    /// The certificate for a client, among those it can check: one for the name it asks for, in its time,
    /// elliptic rather than RSA, with the latest end. A request for no name of ours gets the same without the
    /// first condition. Expired is better than none: the client itself says so best. A client unable to check
    /// any gets one all the same: there the handshake ends in `handshake_failure`, as RFC 8446, 4.1.1 wants
    /// it, not in `access_denied`.
    fn choose(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
        now: Timestamp,
    ) -> Option<&ServerIdentity> {
        let rank = |identity: &&ServerIdentity| {
            let named = name.is_some_and(|name| identity.is_named(name));
            (
                identity.suits(schemes),
                named,
                identity.is_valid(now),
                identity.is_ecdsa(),
                identity.not_after,
            )
        };
        self.all.iter().max_by_key(rank)
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), hello.signature_schemes(), self.clock.now())
            .map(|identity| identity.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

    use super::*;
    use crate::commands::pki::offset;

    #[test]
    fn each_client_gets_the_certificate_that_suits_it() {
        let (home, clock) = (tempfile::tempdir().unwrap(), Clock::system());
        let now = clock.now();
        let provider = super::super::server::provider();
        let make = |name: &str, host: &str, algorithm, from: i64, to: i64| {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
            params.not_before = offset(now, from * 86_400).unwrap();
            params.not_after = offset(now, to * 86_400).unwrap();
            let file = |extension: &str| home.path().join(format!("{name}.{extension}"));
            std::fs::write(file("pem"), params.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(file("key"), key.serialize_pem()).unwrap();
            ServerIdentity::read(&file("pem"), &file("key"), &provider).unwrap()
        };
        let (ec, rsa) = (&PKCS_ECDSA_P256_SHA256, &PKCS_RSA_SHA256);
        let all = Identities::new(
            vec![
                make("old", "porta.example", ec, -300, 5),
                make("next", "porta.example", ec, -1, 300),
                make("later", "porta.example", ec, 10, 900),
                make("rsa", "porta.example", rsa, -1, 600),
                make("other", "altra.example", ec, -1, 10),
            ],
            &clock,
        );
        let both = [
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ];
        let chosen = |name: Option<&str>, schemes: &[SignatureScheme]| {
            all.choose(name, schemes, now)
                .map(|identity| identity.name.rsplit('/').next().unwrap().to_owned())
        };
        assert_eq!(chosen(Some("porta.example"), &both).as_deref(), Some("next.pem"));
        assert_eq!(
            chosen(Some("porta.example"), &both[1..]).as_deref(),
            Some("rsa.pem")
        );
        assert_eq!(chosen(Some("altra.example"), &both).as_deref(), Some("other.pem"));
        assert_eq!(chosen(None, &both).as_deref(), Some("next.pem"));
        assert_eq!(
            chosen(Some("nessuna.example"), &both).as_deref(),
            Some("next.pem")
        );
        assert!(
            chosen(None, &[SignatureScheme::ED25519]).is_some(),
            "the handshake says what is wrong"
        );
        assert!(
            ServerIdentity::read(
                &home.path().join("old.pem"),
                &home.path().join("rsa.key"),
                &provider
            )
            .is_err(),
            "a key of another's"
        );
    }
}
