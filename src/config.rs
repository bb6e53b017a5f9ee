//! `varco.toml`: everything an operator may set, each with its default.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::italian;

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
    /// Balancers in front.
    #[serde(default)]
    pub proxy: Proxy,
    /// What is told of how it is, besides the admin socket.
    #[serde(default)]
    pub admin: Admin,
    /// The thresholds that ConsultazioneSogliaIndicatore knows.
    #[serde(default, rename = "soglia")]
    pub soglie: Vec<Soglia>,
    /// What an operator changes in the rule sets of the ISEE.
    #[serde(default)]
    pub regole: Regole,
    /// The embedded Sistema Informativo ISEE.
    #[serde(default)]
    pub sii: Sii,
    /// The file that it was read from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// What an operator changes in the rule sets of the ISEE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Regole {
    /// Other texts of the law, in place of those in force: `2019-09-dl4`.
    pub varianti: Vec<String>,
    /// Parameters that no source at hand confirms, and what they are.
    #[serde(rename = "parametro")]
    pub parametri: Vec<Parametro>,
}

/// Another value of a parameter that no source at hand confirms.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parametro {
    /// In which rule set: `2026`.
    pub insieme: String,
    /// Which one: `rendimento`.
    pub nome: String,
    /// Its value: text, so that no float comes near it.
    pub valore: Decimal,
    /// Where that is written.
    pub fonte: String,
}

/// The embedded Sistema Informativo ISEE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sii {
    /// When a DSU is attested, of whose members not everything is known.
    pub attesta: Attesta,
    /// Days, besides the national holidays, on which offices do not work: `06-24` each year, `2026-06-24`
    /// once.
    pub festivi: Vec<String>,
}

/// When a DSU is attested, of whose members not everything is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attesta {
    /// Once the feed has them all, or, after the terms, their incomes are declared (operation I).
    #[default]
    Termini,
    /// At once, with what the DSU itself declares.
    Subito,
}

/// Balancers in front.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proxy {
    /// Addresses from which every connection begins with a header of the PROXY protocol, version 2.
    pub from: Vec<IpAddr>,
}

/// What is told of how it is, besides the admin socket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// A loopback address for `GET /live`, `/ready` and `/metrics`, without TLS: `127.0.0.1:9443`.
    pub listen: Option<SocketAddr>,
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
    /// The indicator that is compared; where none is named, that of the benefit.
    pub indicatore: Option<String>,
}

/// The indicators that a threshold may be compared with, as ConsultazioneIndicatore names them.
pub const INDICATORI: [&str; 6] = [
    "Ordinario",
    "Minorenne",
    "Universitario",
    "SocioSanitario",
    "Dottorato",
    "Residenziale",
];

impl Soglia {
    /// What is wrong with it, if something is.
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
    #[serde(default)]
    pub crl: Vec<PathBuf>,
    /// Authorities that sign lists and are no anchors: those between a client and its authority, PEM.
    #[serde(default)]
    pub crl_issuers: Option<PathBuf>,
    /// Hours for which a list past its `nextUpdate` still counts; exchanges that rely on that are recorded as
    /// such.
    #[serde(default)]
    pub crl_grace_hours: u32,
    /// How old what a responder says may be (the `thisUpdate` of its answer), hours; at least one. However
    /// old, it is asked again every hour.
    #[serde(default = "ocsp_max_age_hours")]
    pub ocsp_max_age_hours: u32,
    /// Responders for authorities that publish no list.
    #[serde(default)]
    pub ocsp: Vec<OcspResponder>,
    /// Where `varco crl fetch` gets lists from.
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

/// An OCSP responder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcspResponder {
    /// The authority that it answers for, PEM.
    pub authority: PathBuf,
    /// Where it is: `http://...`.
    pub url: String,
}

/// Where a list comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlSource {
    /// `http://...`: lists are signed, and are not fetched over TLS (RFC 5280, section 8).
    pub url: String,
    /// The file of `crl` that it is written to.
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
    /// Every source is one of plain HTTP, for a list that is read, and for no other's.
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

/// How much is accepted, and for how long it is waited.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at the same time; further ones take the place of whoever has been longest in its
    /// handshake, or wait in the kernel's queue.
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
    /// Bytes of all bodies at the same time, of which one ente may take half; who comes with more gets 429.
    /// Bodies under 64 KiB do not count.
    pub bodies_bytes: usize,
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

    /// Those that cannot change while running.
    fn fixed(&self) -> [usize; 3] {
        [self.connections, self.lots, self.bodies_bytes]
    }

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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// Size at which a segment is closed, bytes.
    pub segment_bytes: u64,
    /// How often refusals that are counted together are recorded, seconds.
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

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub struct ConfigError(String, String);

impl Config {
    /// Numbers that make no sense, each with its range. In Italian, for operators.
    pub fn out_of_range(&self) -> Vec<String> {
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
        let all = self.limits.ranges().into_iter().chain(more);
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

    /// Files of keys, and where the data are, that others on this machine may read. In Italian, for
    /// operators.
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

    /// What is different in another configuration and cannot change while running; nothing if nothing is.
    pub fn differs_beyond_reload(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.listen != other.listen => Some("listen"),
            () if self.admin != other.admin => Some("admin"),
            () if self.data != other.data => Some("data"),
            () if self.ledger != other.ledger => Some("ledger"),
            () if (&self.regole, &self.sii) != (&other.regole, &other.sii) => Some("regole, sii"),
            () if self.limits.fixed() != other.limits.fixed() => {
                Some("limits.connections, limits.lots, limits.bodies_bytes")
            }
            () => None,
        }
    }

    /// Reads a file; its relative paths become relative to where it is.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let wrong = |what: String| ConfigError(file.display().to_string(), what);
        let text = std::fs::read_to_string(file).map_err(|error| wrong(italian::io(&error)))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| wrong(italian::toml(&text, &error)))?;
        if config.limits.lot_bytes > LARGEST_LOT {
            return Err(wrong(format!("limits.lot_bytes: al più {LARGEST_LOT}")));
        }
        let largest = config.limits.lot_bytes.max(config.limits.body_bytes);
        if config.limits.bodies_bytes / 2 < largest {
            return Err(wrong(format!(
                "limits.bodies_bytes: almeno il doppio del messaggio più grande, cioè {}",
                largest.saturating_mul(2)
            )));
        }
        if config
            .admin
            .listen
            .is_some_and(|address| !address.ip().is_loopback())
        {
            return Err(wrong(
                "admin.listen: serve un indirizzo di loopback, come 127.0.0.1:9443".to_owned(),
            ));
        }
        for soglia in &config.soglie {
            if let Some(what) = soglia.wrong() {
                return Err(wrong(format!("soglia {}: {what}", soglia.codice)));
            }
        }
        for prefix in &mut config.paths.pdd {
            if !prefix.starts_with('/') {
                return Err(wrong(format!(
                    "paths.pdd: {prefix} deve cominciare con una barra"
                )));
            }
            if !prefix.ends_with('/') {
                prefix.push('/');
            }
        }
        config.tls.check_sources().map_err(wrong)?;
        if config.tls.ocsp_max_age_hours == 0 {
            return Err(wrong("tls.ocsp_max_age_hours: almeno 1".to_owned()));
        }
        config.file = Some(file.to_owned());
        let base = file.parent().unwrap_or(Path::new("."));
        let tls = &mut config.tls;
        let more = tls
            .server
            .iter_mut()
            .flat_map(|server| [&mut server.certificate, &mut server.key]);
        let more = more.chain(tls.ocsp.iter_mut().map(|responder| &mut responder.authority));
        let paths = [
            &mut config.data,
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
            *path = credential(path)
                .map_err(wrong)?
                .unwrap_or_else(|| base.join(&*path));
        }
        Ok(config)
    }
}

/// A path that begins with `$CREDENTIALS_DIRECTORY/` is where systemd (LoadCredential=) has put a secret for
/// this service alone.
fn credential(path: &Path) -> Result<Option<PathBuf>, String> {
    let Ok(name) = path.strip_prefix("$CREDENTIALS_DIRECTORY") else {
        return Ok(None);
    };
    match std::env::var_os("CREDENTIALS_DIRECTORY") {
        Some(directory) => Ok(Some(Path::new(&directory).join(name))),
        None => Err(format!(
            "{}: CREDENTIALS_DIRECTORY non c'è: il servizio non è avviato da systemd con LoadCredential",
            path.display()
        )),
    }
}
