//! A case, and its judgement: a handshake in memory with the configuration that the gateway serves with.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConnection, SideData,
    SignatureScheme,
};
use tempfile::TempDir;
use varco::clock::Clock;
use varco::tls::server::Shown;
use varco::tls::{Revocations, server};

use super::maker::{Authority, Certificate, Key, NOW};

/// What is expected.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    Admitted,
    /// With words that are in the reason: a chain that is refused for another reason proves nothing.
    Refused(&'static str),
    /// Refused though RFC 5280 has a valid path; the second says why.
    Stricter(&'static str, &'static str),
}

/// What is presented to whom.
pub struct Case {
    pub name: &'static str,
    pub verdict: Verdict,
    pub presented: Vec<Vec<u8>>,
    pub key: Rc<Key>,
    /// The authorities that are trusted.
    pub anchors: Vec<Vec<u8>>,
    /// The authorities whose lists are believed.
    pub listers: Vec<Vec<u8>>,
    pub lists: Vec<Vec<u8>>,
    pub at: i64,
    pub tls12: bool,
    /// The longest record of the client's, if it is not TLS's own.
    pub record: Option<usize>,
}

impl Case {
    pub fn admitted(self) -> Self {
        self
    }

    pub fn refused(self, words: &'static str) -> Self {
        Self {
            verdict: Verdict::Refused(words),
            ..self
        }
    }

    pub fn stricter(self, words: &'static str, why: &'static str) -> Self {
        Self {
            verdict: Verdict::Stricter(words, why),
            ..self
        }
    }

    pub fn tls12(self) -> Self {
        Self { tls12: true, ..self }
    }

    pub fn key(self, key: &Rc<Key>) -> Self {
        Self {
            key: key.clone(),
            ..self
        }
    }

    pub fn trusting(self, anchors: &[&Authority]) -> Self {
        Self {
            anchors: anchors.iter().map(|authority| authority.der.clone()).collect(),
            ..self
        }
    }

    pub fn lists(self, lists: Vec<Vec<u8>>) -> Self {
        Self { lists, ..self }
    }

    /// Believes the empty lists of these too.
    pub fn listed(mut self, authorities: &[&Authority]) -> Self {
        for authority in authorities {
            self.listers.push(authority.der.clone());
            self.lists.push(authority.list(&[]).signed(&authority.key));
        }
        self
    }

    /// The list of the authority between is that of this one's key, and its empty one.
    pub fn under(mut self, authority: &Authority) -> Self {
        self.listers.truncate(1);
        self.lists.truncate(1);
        self.listed(&[authority])
    }

    /// What is wrong with the judgement, if anything.
    pub fn fault(&self) -> Option<String> {
        self.fault_of(&self.judge())
    }

    /// What is wrong with this judgement, if anything.
    pub fn fault_of(&self, judged: &Result<(), String>) -> Option<String> {
        let fits = match (judged, self.verdict) {
            (Ok(()), Verdict::Admitted) => true,
            (Err(reason), Verdict::Refused(words) | Verdict::Stricter(words, _)) => reason.contains(words),
            _ => false,
        };
        (!fits).then(|| format!("{}: {:?} expected, but {judged:?}", self.name, self.verdict))
    }

    /// The handshake, as the gateway would have it.
    fn judge(&self) -> Result<(), String> {
        let mut ends = self.ends()?;
        handshake(&mut ends.client, &mut ends.server)?;
        assert_eq!(
            ends.server.peer_certificates().map(<[_]>::len),
            Some(self.presented.len())
        );
        // What the gateway asks again at every request.
        let peer = ends.shown.peer().unwrap();
        peer.valid(ends.clock.now(), &ends.revocations)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    /// Both ends, before a byte has gone from one to the other.
    pub fn ends(&self) -> Result<Ends, String> {
        let home = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_second(self.at).unwrap());
        let files: Vec<PathBuf> = (0..self.lists.len())
            .map(|at| home.path().join(format!("{at}.crl")))
            .collect();
        for (file, list) in files.iter().zip(&self.lists) {
            std::fs::write(file, list).unwrap();
        }
        let revocations =
            Revocations::load(&files, ders(&self.listers)).map_err(|error| format!("lists: {error}"))?;
        let (chain, key, certificate) = server_identity(&home);
        let handshakes = server::configure(&chain, &key, &ders(&self.anchors), revocations.clone(), &clock)
            .map_err(|error| error.to_string())?;
        let mut client = client_config(certificate, ders(&self.presented), &self.key, self.tls12, &clock);
        client.max_fragment_size = self.record;
        let (config, shown) = handshakes.begin().unwrap();
        let server = ServerConnection::new(config).unwrap();
        let client =
            ClientConnection::new(Arc::new(client), ServerName::try_from("localhost").unwrap()).unwrap();
        Ok(Ends {
            client,
            server,
            shown,
            revocations,
            clock,
        })
    }
}

/// A client and a server, and what the server judges by.
pub struct Ends {
    pub client: ClientConnection,
    pub server: ServerConnection,
    pub shown: Shown,
    pub revocations: Revocations,
    pub clock: Clock,
}

/// What an end has to say.
pub fn said<S>(end: &mut ConnectionCommon<S>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while end.wants_write() {
        end.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// Makes an end hear bytes.
pub fn hear<S: SideData>(end: &mut ConnectionCommon<S>, mut bytes: &[u8]) -> Result<(), rustls::Error> {
    while !bytes.is_empty() {
        end.read_tls(&mut bytes).unwrap();
        end.process_new_packets()?;
    }
    Ok(())
}

fn ders(all: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    all.iter().map(|der| CertificateDer::from(der.clone())).collect()
}

fn server_identity(home: &TempDir) -> (PathBuf, PathBuf, CertificateDer<'static>) {
    let (chain, key) = (home.path().join("server.pem"), home.path().join("server.key"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (chain, key, made.cert.der().clone())
}

/// A client that presents what it is told to, whatever it is told.
#[derive(Debug)]
struct Presents(Arc<CertifiedKey>);

impl ResolvesClientCert for Presents {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        (!self.0.cert.is_empty()).then(|| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn client_config(
    server: CertificateDer<'static>,
    presented: Vec<CertificateDer<'static>>,
    key: &Key,
    tls12: bool,
    clock: &Clock,
) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8.clone()));
    let signer = provider.key_provider.load_private_key(key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(server).unwrap();
    let version = if tls12 {
        &rustls::version::TLS12
    } else {
        &rustls::version::TLS13
    };
    ClientConfig::builder_with_details(provider, Arc::new(clock.clone()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Presents(Arc::new(CertifiedKey::new(presented, signer)))))
}

/// Carries bytes both ways until the server has judged.
fn handshake(client: &mut ClientConnection, server: &mut ServerConnection) -> Result<(), String> {
    while server.is_handshaking() {
        let up = said(client);
        assert!(!up.is_empty(), "nobody has anything to say");
        hear(server, &up).map_err(|error| format!("{error:?}"))?;
        let down = said(server);
        hear(client, &down).map_err(|error| format!("client: {error:?}"))?;
    }
    Ok(())
}

/// A root, an authority under it, and a client under that: what most cases change one thing of.
pub struct World {
    pub root: Authority,
    pub middle: Authority,
    pub own: Rc<Key>,
    pub now: i64,
}

impl World {
    pub fn new() -> Self {
        Self::at(NOW)
    }

    pub fn at(now: i64) -> Self {
        let root = Authority::root("radice", &Key::p256(), now, |certificate| {
            certificate.serial = vec![0x31]
        });
        let middle = root.sub("intermedia", &Key::p256(), |certificate| {
            certificate.serial = vec![0x51]
        });
        Self {
            root,
            middle,
            own: Key::p256(),
            now,
        }
    }

    /// Presents what is given, to a gateway that trusts the root and has both lists.
    pub fn case(&self, name: &'static str, presented: &[&[u8]]) -> Case {
        Case {
            name,
            verdict: Verdict::Admitted,
            presented: presented.iter().map(|der| der.to_vec()).collect(),
            key: self.own.clone(),
            anchors: vec![self.root.der.clone()],
            listers: Vec::new(),
            lists: Vec::new(),
            at: self.now,
            tls12: false,
            record: None,
        }
        .listed(&[&self.root, &self.middle])
    }

    /// The client's certificate, with one thing changed.
    pub fn own(&self, change: impl FnOnce(&mut Certificate)) -> Vec<u8> {
        let mut certificate = self.middle.client(&self.own);
        change(&mut certificate);
        certificate.signed(&self.middle.key)
    }

    /// One thing changed in the client's certificate.
    pub fn client(&self, name: &'static str, change: impl FnOnce(&mut Certificate)) -> Case {
        self.case(name, &[&self.own(change), &self.middle.der])
    }

    /// One thing changed in the certificate of the authority between.
    pub fn between(&self, name: &'static str, change: impl FnOnce(&mut Certificate)) -> Case {
        let changed = self.root.sub("intermedia", &self.middle.key, change);
        self.case(name, &[&self.own(|_| {}), &changed.der])
    }
}
