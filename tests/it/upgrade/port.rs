//! A port over a data directory, at an instant of the test's own.
//!
//! The enti that the directory knows get new certificates: the earlier ones are not kept.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use varco::clock::Clock;
use varco::commands::client::Client;
use varco::commands::demo::accreditamento;
use varco::commands::pki;
use varco::commands::serve::{self, Started};
use varco::config::Config;
use varco::digest::{hex, sha256};
use varco::registry::administration::Command as Act;

use kit::Site;

/// The enti that ask, with the certificates that they get.
pub const ENTI: [&str; 5] = ["comune", "uni", "caf", "altrocaf", "terzocaf"];

/// Writes the master key of `tests/data/directory-FORMAT`: the SHA-256 of a sentence. See `tests/data/README.md`.
pub fn write_master_key(keys: &Path, format: &str) {
    let sentence = format!("varco tests/data/directory-{format}: invented persons, no secret");
    std::fs::write(
        keys.join("master.key"),
        format!("{}\n", hex(&sha256(sentence.as_bytes()))),
    )
    .unwrap();
}

/// The port judges certificates by the clock that it is given, its clients by the machine's.
/// So each side's certificates have an authority of their own.
pub struct Port {
    pub site: Site,
    pub clock: Clock,
}

impl Port {
    /// Certificates in a new home; the data directory is not made.
    pub fn new(at: Timestamp) -> Self {
        Self::by(Clock::fixed(at))
    }

    pub fn by(clock: Clock) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pki = pki::demo(&home.path().join("pki"), clock.now()).unwrap();
        pki::demo(&home.path().join("port"), Clock::system().now()).unwrap();
        let port = Self {
            site: Site {
                home,
                pki,
                clock: clock.clone(),
            },
            clock,
        };
        port.configure("");
        port
    }

    pub fn home(&self) -> &Path {
        self.site.home.path()
    }

    pub fn data(&self) -> PathBuf {
        self.site.data()
    }

    /// The configuration, with small segments, and DSU that wait.
    pub fn configure(&self, more: &str) {
        let text = "listen = \"127.0.0.1:0\"\ndata = \"data\"\n\n[tls]\n\
             certificate = \"port/server.pem\"\nkey = \"port/server.key\"\n\
             client_authorities = \"pki/ca.pem\"\ncrl = [\"pki/crl.pem\"]\n\n[ledger]\nsegment_bytes = 65536\n\n\
             [sii]\nattesta = \"termini\"\n\n";
        std::fs::write(self.site.config(), format!("{text}{more}")).unwrap();
    }

    /// A certificate of the ente's name, in files. Its SHA-256.
    pub fn certify(&self, ente: &str) -> String {
        let issued = self.site.pki.authority.client(ente).unwrap();
        let (certificate, key) = self.site.pem(ente);
        std::fs::write(certificate, &issued.certificate).unwrap();
        std::fs::write(key, &issued.key).unwrap();
        issued.fingerprint
    }

    /// Gives all who ask a certificate, by the registry's own command.
    pub fn certify_all(&self) {
        for ente in ENTI {
            let certificato = accreditamento::pinned(&self.certify(ente));
            self.site.act(Act::AggiungiCertificato {
                codice: ente.to_owned(),
                certificato,
            });
        }
    }

    /// Serves in this process, by the clock that was given.
    pub async fn start(&self) -> Started {
        serve::start(&Config::read(&self.site.config()).unwrap(), &self.clock)
            .await
            .unwrap()
    }

    /// A client with the certificate of an ente, or another of the files in `pki`.
    pub fn client(&self, address: std::net::SocketAddr, ente: &str) -> Client {
        let (certificate, key) = self.site.pem(ente);
        Client::new(
            address,
            &self.home().join("port/ca.pem"),
            Some((&certificate, &key)),
        )
        .unwrap()
    }

    /// A client without a certificate.
    pub fn stranger(&self, address: std::net::SocketAddr) -> Client {
        Client::new(address, &self.home().join("port/ca.pem"), None).unwrap()
    }
}
