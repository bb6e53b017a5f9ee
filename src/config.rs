//! `varco.toml`: everything an operator may set, each with its default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;

/// Size at which a segment of the ledger is closed, unless configured otherwise.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The largest lot that may be configured, bytes: what is recorded of it must fit one batch of the ledger.
pub const LARGEST_LOT: usize = 16 << 20;

/// The configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen: `127.0.0.1:8443`, `[::]:8443`.
    pub listen: SocketAddr,
    /// The data directory; relative to this file.
    pub data: PathBuf,
    /// The channel.
    pub tls: Tls,
    /// How much is accepted.
    #[serde(default)]
    pub limits: Limits,
    /// The ledger.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// Where services are, besides their own paths.
    #[serde(default)]
    pub paths: Paths,
    /// The thresholds that ConsultazioneSogliaIndicatore knows.
    #[serde(default, rename = "soglia")]
    pub soglie: Vec<Soglia>,
}

/// Where services are, besides their own paths.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// Before the operations of the porta di dominio's dialect, besides `/isee/PdD/`.
    pub pdd: Vec<String>,
}

/// A threshold: what CodiceSoglia means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soglia {
    /// Four letters and two digits; case does not matter.
    pub codice: String,
    /// The benefit for which an ente must be enabled.
    pub prestazione: String,
    /// The largest value that is under the threshold, euros: text, so that no float comes near it.
    pub importo: Decimal,
    /// The indicator that is compared.
    #[serde(default = "ordinario")]
    pub indicatore: String,
}

fn ordinario() -> String {
    "Ordinario".to_owned()
}

impl Soglia {
    /// What is wrong with it, if something is.
    fn wrong(&self) -> Option<&'static str> {
        let form = self.codice.len() == 6
            && self.codice.bytes().enumerate().all(|(at, byte)| if at < 4 { byte.is_ascii_alphabetic() } else { byte.is_ascii_digit() });
        match () {
            () if !form => Some("codice is not four letters and two digits"),
            () if self.indicatore != "Ordinario" => Some("indicatore is not Ordinario: no other is computed"),
            () if self.importo.is_sign_negative() => Some("importo is negative"),
            () => None,
        }
    }
}

/// The channel. Paths are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Authorities that clients' certificates come from, PEM.
    pub client_authorities: PathBuf,
    /// Their revocation lists, PEM or DER; read again when they change.
    pub crl: Vec<PathBuf>,
}

/// How much is accepted, and for how long it is waited.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at the same time; further ones take the place of whoever has been longest in its handshake, or wait in the kernel's
    /// queue.
    pub connections: usize,
    /// Connections of one certificate at the same time; further ones are closed.
    pub per_certificate: usize,
    /// Requests of one ente at the same time; further ones get 429.
    pub per_ente: usize,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u64,
    /// Seconds for a request's head, and for a connection to stand idle.
    pub head_seconds: u64,
    /// Seconds for a request's body.
    pub body_seconds: u64,
    /// Seconds for a client to take a reply.
    pub reply_seconds: u64,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of the body of a lot.
    pub lot_bytes: usize,
    /// Lots larger than `body_bytes` at the same time; further ones get 429.
    pub lots: usize,
    /// Seconds to finish what is under way when stopping.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            per_certificate: 512,
            per_ente: 256,
            handshake_seconds: 10,
            head_seconds: 30,
            body_seconds: 30,
            reply_seconds: 30,
            body_bytes: 2 << 20,
            lot_bytes: 16 << 20,
            lots: 2,
            drain_seconds: 30,
        }
    }
}

impl Limits {
    /// For a TLS handshake.
    pub fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// For a request's head.
    pub fn head(&self) -> Duration {
        Duration::from_secs(self.head_seconds)
    }

    /// For a client to take a reply.
    pub fn reply(&self) -> Duration {
        Duration::from_secs(self.reply_seconds)
    }

    /// For a request's body.
    pub fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}

/// The ledger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// Size at which a segment is closed, bytes.
    pub segment_bytes: u64,
    /// How often refusals that are counted together are recorded, seconds.
    pub gathered_seconds: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES, gathered_seconds: 60 }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub struct ConfigError(String, String);

impl Config {
    /// Reads a file; its relative paths become relative to where it is.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError(file.display().to_string(), what);
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if config.limits.lot_bytes > LARGEST_LOT {
            return Err(wrong(format!("limits.lot_bytes: at most {LARGEST_LOT}")));
        }
        for soglia in &config.soglie {
            if let Some(what) = soglia.wrong() {
                return Err(wrong(format!("soglia {}: {what}", soglia.codice)));
            }
        }
        for prefix in &mut config.paths.pdd {
            if !prefix.starts_with('/') {
                return Err(wrong(format!("paths.pdd: {prefix} does not begin with a slash")));
            }
            if !prefix.ends_with('/') {
                prefix.push('/');
            }
        }
        let base = file.parent().unwrap_or(Path::new("."));
        let crl = config.tls.crl.iter_mut();
        let paths = [&mut config.data, &mut config.tls.certificate, &mut config.tls.key, &mut config.tls.client_authorities];
        for path in paths.into_iter().chain(crl) {
            *path = base.join(&*path);
        }
        Ok(config)
    }
}
