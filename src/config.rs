//! `varco.toml`: everything an operator may set, each with its default.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::italian;

/// Default size of a closed segment of the ledger, bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// The largest lot that may be configured, bytes: its records must fit one batch of the ledger.
pub const LARGEST_LOT: usize = 16 << 20;

/// All settings of the configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The address to listen on: `127.0.0.1:8443`, `[::]:8443`.
    pub listen: SocketAddr,
    /// The data directory; relative to this file.
    pub data: PathBuf,
    /// The TLS channel: certificates and revocation.
    pub tls: Tls,
    /// Limits of number, size and time.
    #[serde(default)]
    pub limits: Limits,
    /// The ledger's segments and gathered refusals.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// Further paths of services, besides their own.
    #[serde(default)]
    pub paths: Paths,
    /// Load balancers in front of the gateway.
    #[serde(default)]
    pub proxy: Proxy,
    /// A further address for health and metrics, besides the admin socket.
    #[serde(default)]
    pub admin: Admin,
    /// The thresholds known to ConsultazioneSogliaIndicatore.
    #[serde(default, rename = "soglia")]
    pub soglie: Vec<Soglia>,
    /// An operator's changes to the rule sets of the ISEE.
    #[serde(default)]
    pub regole: RegoleConfig,
    /// The embedded Sistema Informativo ISEE.
    #[serde(default)]
    pub sii: Sii,
    /// The file it was read from. Not a setting.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// An operator's changes to the rule sets of the ISEE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegoleConfig {
    /// Other texts of the law, in place of those in force: `2019-09-dl4`.
    pub varianti: Vec<String>,
    /// Parameters confirmed by no source at hand, with their values.
    #[serde(rename = "parametro")]
    pub parametri: Vec<Parametro>,
}

/// Another value of a parameter confirmed by no source at hand.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parametro {
    /// Id of the rule set: `2026`.
    pub insieme: String,
    /// Name of the parameter: `rendimento`.
    pub nome: String,
    /// Its value, as text: no float comes near it.
    pub valore: Decimal,
    /// The source of the value.
    pub fonte: String,
}

/// The embedded Sistema Informativo ISEE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sii {
    /// When a DSU is attested, if data of its members are missing.
    pub attesta: Attesta,
    /// Days without office work, besides the national holidays: `06-24` each year, `2026-06-24` once.
    pub festivi: Vec<String>,
}

/// When a DSU is attested, if data of its members are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attesta {
    /// Once the feed has all members, or, after the terms, their incomes are declared (operation I).
    #[default]
    Termini,
    /// At once, with the data of the DSU itself.
    Subito,
}

/// Load balancers in front of the gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proxy {
    /// Addresses of balancers: every connection from them begins with a header of the PROXY protocol, version
    /// 2.
    pub from: Vec<IpAddr>,
}

/// A further address for health and metrics, besides the admin socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// A loopback address for `GET /live`, `/ready` and `/metrics`, without TLS: `127.0.0.1:9443`.
    pub listen: Option<SocketAddr>,
}

/// Further paths of services, besides their own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// Prefixes for the operations of the porta di dominio's dialect, besides `/isee/PdD/`.
    pub pdd: Vec<String>,
}

/// A threshold: the meaning of a CodiceSoglia.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soglia {
    /// Four letters and two digits; case does not matter.
    pub codice: String,
    /// The benefit. An ente must be enabled for it.
    pub prestazione: String,
    /// The largest value under the threshold, euros, as text: no float comes near it.
    pub importo: Decimal,
    /// The indicator to compare. `None`: the benefit's default.
    pub indicatore: Option<String>,
}

/// Indicators for thresholds, named as in ConsultazioneIndicatore.
pub const INDICATORI: [&str; 6] = [
    "Ordinario",
    "Minorenne",
    "Universitario",
    "SocioSanitario",
    "Dottorato",
    "Residenziale",
];

impl Soglia {
    /// Its mistake, in Italian. `None`: no mistake.
    fn wrong(&self) -> Option<&'static str> {
        let form = self.codice.len() == 6
            && self.codice.bytes().enumerate().all(|(at, byte)| {
                if at < 4 {
                    byte.is_ascii_alphabetic()
                } else {
                    byte.is_ascii_digit()
                }
            });
        match () {
            () if !form => Some("codice: servono quattro lettere e due cifre"),
            () if self
                .indicatore
                .as_ref()
                .is_some_and(|named| !INDICATORI.contains(&named.as_str())) =>
            {
                Some(
                    "indicatore: serve uno di Ordinario, Minorenne, Universitario, SocioSanitario, Dottorato, Residenziale",
                )
            }
            () if self.importo.is_sign_negative() => Some("importo: non può essere negativo"),
            () => None,
        }
    }
}

/// The TLS channel. Paths are relative to the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Authorities of clients' certificates, PEM.
    pub client_authorities: PathBuf,
    /// Their revocation lists, PEM or DER; read again when they change.
    #[serde(default)]
    pub crl: Vec<PathBuf>,
    /// Authorities signing lists without being anchors: those between a client and its authority, PEM.
    #[serde(default)]
    pub crl_issuers: Option<PathBuf>,
    /// Hours of further use for a list past its `nextUpdate`. Exchanges relying on this are recorded as such.
    #[serde(default)]
    pub crl_grace_hours: u32,
    /// The greatest age of a responder's answer (by its `thisUpdate`), hours; at least one. In any case the
    /// responder is asked again every hour.
    #[serde(default = "ocsp_max_age_hours")]
    pub ocsp_max_age_hours: u32,
    /// Responders for authorities without a published list.
    #[serde(default)]
    pub ocsp: Vec<OcspResponder>,
    /// Sources of lists, for `varco crl fetch`.
    #[serde(default, rename = "crl_source")]
    pub crl_sources: Vec<CrlSource>,
    /// Further certificates of the server's: of another key type, for another name, the next one.
    #[serde(default)]
    pub server: Vec<ServerCertificate>,
}

/// Responders make answers beforehand, for a day as a rule.
fn ocsp_max_age_hours() -> u32 {
    24
}

/// An OCSP responder of one authority.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcspResponder {
    /// The authority it answers for, PEM.
    pub authority: PathBuf,
    /// Its address: `http://...`.
    pub url: String,
}

/// The source of a revocation list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlSource {
    /// `http://...`: lists are signed, and are not fetched over TLS (RFC 5280, section 8).
    pub url: String,
    /// The file to write it to: one of `crl`.
    pub file: PathBuf,
}

/// A further certificate of the server's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerCertificate {
    /// The certificate and its chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

impl Tls {
    /// Checks the sources: plain HTTP, for a list in `crl`, one source a list.
    fn check_sources(&self) -> Result<(), String> {
        for (at, CrlSource { url, file }) in self.crl_sources.iter().enumerate() {
            if !url.starts_with("http://") {
                return Err(format!("tls.crl_source {url}: serve un indirizzo http://"));
            }
            if !self.crl.contains(file) {
                return Err(format!(
                    "tls.crl_source {url}: {} non è tra quelli di tls.crl",
                    file.display()
                ));
            }
            if self.crl_sources.iter().take(at).any(|other| other.file == *file) {
                return Err(format!(
                    "tls.crl_source {url}: {} ha già una fonte",
                    file.display()
                ));
            }
        }
        Ok(())
    }
}

/// Limits of number and size, and waiting times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at the same time. Further ones take the place of the one longest in its handshake, or wait
    /// in the kernel's queue.
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
    /// Bytes of all bodies at the same time, half of them at most for one ente. Requests beyond get 429.
    /// Bodies under 64 KiB do not count.
    pub bodies_bytes: usize,
    /// Seconds to finish work under way when stopping.
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
            bodies_bytes: 128 << 20,
            drain_seconds: 30,
        }
    }
}

impl Limits {
    /// Each number: its name, its value, its range.
    fn ranges(&self) -> [(&'static str, u64, RangeInclusive<u64>); 12] {
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        [
            ("limits.connections", number(self.connections), 1..=1_000_000),
            (
                "limits.per_certificate",
                number(self.per_certificate),
                1..=1_000_000,
            ),
            ("limits.per_ente", number(self.per_ente), 1..=1_000_000),
            ("limits.handshake_seconds", self.handshake_seconds, 1..=600),
            ("limits.head_seconds", self.head_seconds, 1..=3600),
            ("limits.body_seconds", self.body_seconds, 1..=3600),
            ("limits.reply_seconds", self.reply_seconds, 1..=3600),
            ("limits.body_bytes", number(self.body_bytes), 65_536..=16_777_216),
            (
                "limits.lot_bytes",
                number(self.lot_bytes),
                65_536..=number(LARGEST_LOT),
            ),
            ("limits.lots", number(self.lots), 1..=64),
            (
                "limits.bodies_bytes",
                number(self.bodies_bytes),
                131_072..=1 << 40,
            ),
            ("limits.drain_seconds", self.drain_seconds, 0..=3600),
        ]
    }

    /// The first limit different in others and fixed while running.
    fn differs_beyond_reload(&self, other: &Self) -> Option<&'static str> {
        [
            ("limits.connections", self.connections != other.connections),
            ("limits.lots", self.lots != other.lots),
            ("limits.bodies_bytes", self.bodies_bytes != other.bodies_bytes),
        ]
        .into_iter()
        .find_map(|(name, differs)| differs.then_some(name))
    }

    /// Time for a TLS handshake.
    pub fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// Time for a request's head.
    pub fn head(&self) -> Duration {
        Duration::from_secs(self.head_seconds)
    }

    /// Time for a client to take a reply.
    pub fn reply(&self) -> Duration {
        Duration::from_secs(self.reply_seconds)
    }

    /// Time for a request's body.
    pub fn body(&self) -> Duration {
        Duration::from_secs(self.body_seconds)
    }
}

/// Settings of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// Size of a closed segment, bytes.
    pub segment_bytes: u64,
    /// Interval between records of refusals counted together, seconds.
    pub gathered_seconds: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            segment_bytes: SEGMENT_BYTES,
            gathered_seconds: 60,
        }
    }
}

/// An unusable configuration: its file, and the mistake in Italian.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub struct ConfigError(String, String);

impl Config {
    /// Each number with a range: its name, its value, its range.
    pub fn ranges(&self) -> Vec<(&'static str, u64, RangeInclusive<u64>)> {
        let more = [
            (
                "ledger.segment_bytes",
                self.ledger.segment_bytes,
                65_536..=1 << 32,
            ),
            ("ledger.gathered_seconds", self.ledger.gathered_seconds, 1..=3600),
            ("tls.crl_grace_hours", self.tls.crl_grace_hours.into(), 0..=720),
            (
                "tls.ocsp_max_age_hours",
                self.tls.ocsp_max_age_hours.into(),
                1..=720,
            ),
        ];
        self.limits.ranges().into_iter().chain(more).collect()
    }

    /// Numbers outside their ranges, each with its range. In Italian, for operators.
    pub fn out_of_range(&self) -> Vec<String> {
        let all = self.ranges().into_iter();
        let wrong = all.filter(|(_, value, range)| !range.contains(value));
        wrong
            .map(|(name, value, range)| {
                format!(
                    "{name} = {value} non ha senso: da {} a {}",
                    range.start(),
                    range.end()
                )
            })
            .collect()
    }

    /// Key files, and paths of the data, open to others on this machine. In Italian, for operators.
    pub fn too_open(&self) -> Vec<String> {
        let keys = [&self.tls.key]
            .into_iter()
            .chain(self.tls.server.iter().map(|server| &server.key))
            .cloned();
        let own = [
            self.data.clone(),
            self.data.join("keys"),
            self.data.join("keys/master.key"),
            self.data.join("keys/keyring"),
            self.data.join("admin.sock"),
        ];
        let mut open = Vec::new();
        for file in keys.chain(own) {
            let Ok(metadata) = std::fs::metadata(&file) else {
                continue;
            };
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o007 != 0 {
                let (file, proper) = (file.display(), if metadata.is_dir() { "700" } else { "600" });
                open.push(format!("{file} è aperto a tutti gli utenti della macchina (permessi {mode:o}): chmod {proper} {file}"));
            }
        }
        open
    }

    /// The first setting different in another configuration and fixed while running. `None`: no such setting.
    pub fn differs_beyond_reload(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.listen != other.listen => Some("listen"),
            () if self.admin != other.admin => Some("admin"),
            () if self.data != other.data => Some("data"),
            () if self.ledger != other.ledger => Some("ledger"),
            () if self.regole != other.regole => Some("regole"),
            () if self.sii != other.sii => Some("sii"),
            () => self.limits.differs_beyond_reload(&other.limits),
        }
    }

    /// Reads a file. Its relative paths become relative to its directory.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError(file.display().to_string(), what);
        let text = std::fs::read_to_string(file).map_err(|error| wrong(italian::io(&error)))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(italian::toml(&text, &error)))?;
        config.check().map_err(wrong)?;
        config.file = Some(file.to_owned());
        config.place(file.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    /// Checks what the types of the fields do not, and ends each prefix with a slash.
    fn check(&mut self) -> Result<(), String> {
        if self.limits.lot_bytes > LARGEST_LOT {
            return Err(format!("limits.lot_bytes: al più {LARGEST_LOT}"));
        }
        let largest = self.limits.lot_bytes.max(self.limits.body_bytes);
        if self.limits.bodies_bytes / 2 < largest {
            return Err(format!(
                "limits.bodies_bytes: almeno il doppio del messaggio più grande, cioè {}",
                largest.saturating_mul(2)
            ));
        }
        if self
            .admin
            .listen
            .is_some_and(|address| !address.ip().is_loopback())
        {
            return Err("admin.listen: serve un indirizzo di loopback, come 127.0.0.1:9443".to_owned());
        }
        for soglia in &self.soglie {
            if let Some(what) = soglia.wrong() {
                return Err(format!("soglia {}: {what}", soglia.codice));
            }
        }
        for prefix in &mut self.paths.pdd {
            if !prefix.starts_with('/') {
                return Err(format!("paths.pdd: {prefix} deve cominciare con una barra"));
            }
            if !prefix.ends_with('/') {
                prefix.push('/');
            }
        }
        self.tls.check_sources()?;
        if self.tls.ocsp_max_age_hours == 0 {
            return Err("tls.ocsp_max_age_hours: almeno 1".to_owned());
        }
        Ok(())
    }

    /// Relative paths are those of `base`, the directory of the file; secrets are where the service manager
    /// puts them.
    fn place(&mut self, base: &Path) {
        let tls = &mut self.tls;
        let more = tls
            .server
            .iter_mut()
            .flat_map(|server| [&mut server.certificate, &mut server.key]);
        let more = more.chain(tls.ocsp.iter_mut().map(|responder| &mut responder.authority));
        let paths = [
            &mut self.data,
            &mut tls.certificate,
            &mut tls.key,
            &mut tls.client_authorities,
        ];
        let lists = tls
            .crl
            .iter_mut()
            .chain(tls.crl_sources.iter_mut().map(|source| &mut source.file));
        for path in paths
            .into_iter()
            .chain(lists)
            .chain(&mut tls.crl_issuers)
            .chain(more)
        {
            *path =
                credential(path).unwrap_or_else(|| base.join(path.strip_prefix(CREDENTIALS).unwrap_or(path)));
        }
    }
}

/// The first part of the path of a secret.
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

/// A path beginning with `$CREDENTIALS_DIRECTORY/` is the place of a secret: systemd (LoadCredential=) has
/// put it there for this service alone. `None`: another path, or no service of systemd. A command of an
/// operator then looks beside the configuration, where the secret comes from.
fn credential(path: &Path) -> Option<PathBuf> {
    let name = path.strip_prefix(CREDENTIALS).ok()?;
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY")?;
    Some(Path::new(&directory).join(name))
}
