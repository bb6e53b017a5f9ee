//! `varco pki ca, server, client, rinnova, revoca, crl`: an authority in a directory, with an index of its
//! certificates and its list.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, RevocationReason, SanType};
use rustls::pki_types::ServerName;
use x509_parser::oid_registry::{OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_SUBJECT_KEY_IDENTIFIER};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::authority::{Issued, Listed, TestAuthority, name, offset, params};
use crate::clock::Clock;
use crate::commands::files::{PRIVATE, PUBLIC, create, replace};
use crate::digest::hex;
use crate::isee::CodiceFiscale;
use crate::isee::codice_fiscale::{DifettoCodice, Natura};
use crate::registry::checks::organization_of;
use crate::tls::pem::certificates;

/// `varco pki`.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Autorità, server, comune, CAF, un estraneo e una CRL vuota, tutti nuovi
    Demo {
        /// Dove scriverli
        dir: PathBuf,
    },
    /// Crea un'autorità di prova: certificato, chiave, indice di ciò che rilascia, CRL vuota
    Ca {
        /// La directory da creare
        dir: PathBuf,
        /// Il nome dell'autorità
        #[arg(long)]
        nome: String,
        /// Per quanti giorni vale
        #[arg(long, default_value_t = 3650, value_parser = days())]
        giorni: i64,
    },
    /// Rilascia il certificato di un server
    Server {
        /// La directory dell'autorità
        dir: PathBuf,
        /// Nomi DNS e indirizzi IP del server
        #[arg(required = true)]
        nomi: Vec<String>,
        /// Chiave RSA a 2048 bit invece che ECDSA P-256
        #[arg(long)]
        rsa: bool,
        #[command(flatten)]
        rilascio: OpzioniRilascio,
    },
    /// Rilascia il certificato di un client
    Client {
        /// La directory dell'autorità
        dir: PathBuf,
        /// Il nome del soggetto (CN)
        nome: String,
        /// Il codice fiscale dell'ente, che va in organizationIdentifier
        #[arg(long)]
        codice_fiscale: Option<String>,
        /// Un'unità organizzativa (OU), per esempio IPAIT-UO_ABC123; anche più d'una
        #[arg(long)]
        unita: Vec<String>,
        /// Chiave RSA a 2048 bit invece che ECDSA P-256
        #[arg(long)]
        rsa: bool,
        #[command(flatten)]
        rilascio: OpzioniRilascio,
    },
    /// Rilascia di nuovo un certificato: stesso soggetto, nomi e usi; chiave, seriale e date nuovi. Il
    /// vecchio resta valido
    Rinnova {
        /// La directory dell'autorità
        dir: PathBuf,
        /// Il certificato da rinnovare
        certificato: PathBuf,
        #[command(flatten)]
        rilascio: OpzioniRilascio,
    },
    /// Revoca un certificato e scrive la nuova CRL
    Revoca {
        /// La directory dell'autorità
        dir: PathBuf,
        /// Il certificato (un file PEM) o il suo seriale in esadecimale
        certificato: String,
        /// Il motivo (RFC 5280, 5.3.1)
        #[arg(long, value_enum, default_value_t = MotivoRevoca::Unspecified)]
        motivo: MotivoRevoca,
    },
    /// Scrive una nuova CRL, con un numero più alto
    Crl {
        /// La directory dell'autorità
        dir: PathBuf,
        /// Per quanti giorni vale; quelle scritte da `revoca` valgono altrettanto
        #[arg(long, default_value_t = 7, value_parser = days())]
        giorni: i64,
    },
}

/// How a certificate is issued.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct OpzioniRilascio {
    /// Dove scriverlo: DOVE.pem e DOVE.key, due file nuovi; altrimenti nella directory dell'autorità, col
    /// nome del soggetto
    #[arg(long, alias = "out")]
    dove: Option<PathBuf>,
    /// Per quanti giorni vale; mai più dell'autorità
    #[arg(long, default_value_t = super::authority::DAYS, value_parser = days())]
    giorni: i64,
}

/// A certificate just issued, and its key.
#[derive(Debug)]
pub(in crate::commands) struct Rilasciato {
    /// The file of the certificate.
    pub(in crate::commands) certificate: PathBuf,
    /// The file of the key.
    pub(in crate::commands) key: PathBuf,
    seriale: String,
    scadenza: Timestamp,
    /// SHA-256 of the certificate, in hexadecimal.
    pub(in crate::commands) fingerprint: String,
}

impl OpzioniRilascio {
    /// A place, and days.
    pub(in crate::commands) fn of(dove: &Path, giorni: i64) -> Self {
        Self {
            dove: Some(dove.to_owned()),
            giorni,
        }
    }
}

impl Rilasciato {
    fn say(&self) {
        println!(
            "certificato {}, chiave {}",
            self.certificate.display(),
            self.key.display()
        );
        println!(
            "seriale {}, scade il {}, impronta SHA-256 {}",
            self.seriale, self.scadenza, self.fingerprint
        );
    }
}

/// Whether a directory is an authority's.
pub(in crate::commands) fn is_authority(dir: &Path) -> bool {
    dir.join(INDEX).exists()
}

/// Issues a client's certificate to `DOVE.pem` and `DOVE.key`.
pub(in crate::commands) fn client(
    dir: &Path,
    nome: &str,
    codice_fiscale: Option<&str>,
    rilascio: OpzioniRilascio,
    now: Timestamp,
) -> Result<Rilasciato> {
    issue_client(dir, nome, (codice_fiscale, &[]), false, rilascio, now)
}

fn issue_client(
    dir: &Path,
    nome: &str,
    (codice_fiscale, unita): (Option<&str>, &[String]),
    rsa: bool,
    rilascio: OpzioniRilascio,
    now: Timestamp,
) -> Result<Rilasciato> {
    let mut store = CaFiles::open(dir, now)?;
    let subject = client_name(nome, codice_fiscale, unita)?;
    let mut params = params("", now)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let out = Out::new(rilascio.dove, || dir.join(file_name(nome)));
    store.issue(params, rsa, &subject, rilascio.giorni, &out)
}

fn days() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(1..=36_500)
}

/// The reason of a revocation, by the names of RFC 5280. certificateHold is left out, since nothing here
/// lifts it again, and so is removeFromCRL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
enum MotivoRevoca {
    /// Non detto
    Unspecified,
    /// Chiave compromessa
    KeyCompromise,
    /// Autorità compromessa
    #[value(name = "cACompromise")]
    CaCompromise,
    /// Il soggetto ha cambiato nome o ente
    AffiliationChanged,
    /// Sostituito
    Superseded,
    /// Non serve più
    CessationOfOperation,
    /// Il soggetto non ne ha più diritto
    PrivilegeWithdrawn,
}

impl MotivoRevoca {
    fn code(self) -> Option<RevocationReason> {
        Some(match self {
            Self::Unspecified => return None,
            Self::KeyCompromise => RevocationReason::KeyCompromise,
            Self::CaCompromise => RevocationReason::CaCompromise,
            Self::AffiliationChanged => RevocationReason::AffiliationChanged,
            Self::Superseded => RevocationReason::Superseded,
            Self::CessationOfOperation => RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        })
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Runs one subcommand of `varco pki`.
pub(in crate::commands) fn run(args: Args, clock: &Clock) -> Result<()> {
    let now = clock.now();
    match args.what {
        What::Demo { dir } => {
            super::demo(&dir, now)?;
            println!("certificati in {}", dir.display());
            Ok(())
        }
        What::Ca { dir, nome, giorni } => {
            make(&dir, &nome, giorni, now)?;
            say_made(&dir);
            Ok(())
        }
        What::Server {
            dir,
            nomi,
            rsa,
            rilascio,
        } => {
            server(&dir, &nomi, rsa, rilascio, now)?.say();
            Ok(())
        }
        What::Client {
            dir,
            nome,
            codice_fiscale,
            unita,
            rsa,
            rilascio,
        } => {
            let known = (codice_fiscale.as_deref(), &*unita);
            issue_client(&dir, &nome, known, rsa, rilascio, now)?.say();
            Ok(())
        }
        What::Rinnova {
            dir,
            certificato,
            rilascio,
        } => {
            let mut store = CaFiles::open(&dir, now)?;
            store.renew(&certificato, rilascio)?.say();
            Ok(())
        }
        What::Revoca {
            dir,
            certificato,
            motivo,
        } => {
            let store = CaFiles::open(&dir, now)?;
            revoke(store, &certificato, motivo)
        }
        What::Crl { dir, giorni } => {
            let mut store = CaFiles::open(&dir, now)?;
            store.list(giorni)?;
            println!(
                "CRL numero {} in {}, valida {giorni} giorni",
                store.index.numero,
                dir.join(LIST).display()
            );
            Ok(())
        }
    }
}

fn say_made(dir: &Path) {
    println!(
        "Autorità di prova in {}: {CERTIFICATE}, {KEY}, {INDEX}, {LIST} (valida 7 giorni: varco pki crl)",
        dir.display()
    );
    println!("È per reti di prova: un ente usa certificati di una CA qualificata o riconosciuta.");
}

/// Revokes a certificate, by its file or serial number, and writes a new list.
fn revoke(mut store: CaFiles, certificato: &str, motivo: MotivoRevoca) -> Result<()> {
    let serial = match Path::new(certificato) {
        file if file.exists() => store.own(file)?.1,
        _ => serial(certificato),
    };
    store.revoke(&serial, motivo)?;
    store.list(store.index.giorni)?;
    println!(
        "revocato {serial} ({}); CRL numero {} in {}",
        motivo.name(),
        store.index.numero,
        store.dir.join(LIST).display()
    );
    Ok(())
}

/// Issues the certificate of a server.
pub(in crate::commands) fn server(
    dir: &Path,
    nomi: &[String],
    rsa: bool,
    rilascio: OpzioniRilascio,
    now: Timestamp,
) -> Result<Rilasciato> {
    let mut store = CaFiles::open(dir, now)?;
    let mut params = params("", now)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = nomi.iter().map(|host| host_name(host)).collect::<Result<_>>()?;
    let first = nomi.first().context("nessun nome")?;
    // A name of the subject has 64 characters at most; subjectAltName has the hosts at any length.
    let common: String = first.chars().take(64).collect();
    let out = Out::new(rilascio.dove, || dir.join(file_name(first)));
    let subject = name(&[(COMMON_NAME, &common)]);
    store.issue(params, rsa, &subject, rilascio.giorni, &out)
}

/// The subject of a client: its name, the ente's codice fiscale, its units.
fn client_name(nome: &str, codice_fiscale: Option<&str>, unita: &[String]) -> Result<Vec<u8>> {
    let organization = codice_fiscale.map(organization).transpose()?;
    let mut attributes = vec![(COMMON_NAME, text(nome)?)];
    attributes.extend(
        organization
            .as_deref()
            .map(|value| (ORGANIZATION_IDENTIFIER, value)),
    );
    for unit in unita {
        attributes.push((ORGANIZATIONAL_UNIT, text(unit)?));
    }
    Ok(name(&attributes))
}

/// A serial as the index writes it: without colons or leading zeros, in small letters.
fn serial(given: &str) -> String {
    given.replace(':', "").trim_start_matches('0').to_lowercase()
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const INDEX: &str = "indice.txt";
const LIST: &str = "crl.pem";

/// Octets of 2.5.4.3, CN.
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
/// Octets of 2.5.4.11, OU.
const ORGANIZATIONAL_UNIT: [u8; 3] = [0x55, 4, 11];
/// Octets of 2.5.4.97, organizationIdentifier.
const ORGANIZATION_IDENTIFIER: [u8; 3] = [0x55, 4, 97];

/// Seconds before now at the start of a list's validity: clocks differ.
const BACK: i64 = 60;

fn make(dir: &Path, nome: &str, giorni: i64, now: Timestamp) -> Result<CaFiles> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    for name in [CERTIFICATE, KEY, INDEX, LIST] {
        let path = dir.join(name);
        ensure!(
            !path.exists(),
            "{} esiste già: un'autorità non si sovrascrive",
            path.display()
        );
    }
    let mut params = params(text(nome)?, now)?;
    params.distinguished_name.remove(rcgen::DnType::OrganizationName);
    params.not_after = offset(now, giorni * DAY)?;
    let (authority, made) = TestAuthority::make(params, now)?;
    create(&dir.join(KEY), made.key.as_bytes(), PRIVATE)?;
    create(&dir.join(CERTIFICATE), made.certificate.as_bytes(), PUBLIC)?;
    let lock = lock(dir)?;
    let until = now.as_second() + giorni * DAY;
    let index = CaIndex {
        numero: 0,
        giorni: 7,
        entries: Vec::new(),
    };
    let mut store = CaFiles {
        dir: dir.to_owned(),
        authority,
        index,
        until,
        now,
        _lock: lock,
    };
    store.list(7)?;
    Ok(store)
}

/// Makes an authority for trials. Its list is valid for a year: nobody renews it there.
pub(in crate::commands) fn authority(dir: &Path, nome: &str, now: Timestamp) -> Result<()> {
    let mut store = make(dir, nome, 3650, now)?;
    store.index.giorni = 365;
    store.list(365)
}

const DAY: i64 = 86_400;

fn lock(dir: &Path) -> Result<File> {
    let key = dir.join(KEY);
    let file = File::open(&key)
        .with_context(|| format!("{} (un'autorità si crea con varco pki ca)", key.display()))?;
    file.lock()?;
    Ok(file)
}

/// An authority in its directory; one process at a time holds it.
struct CaFiles {
    dir: PathBuf,
    authority: TestAuthority,
    index: CaIndex,
    /// The authority's last second.
    until: i64,
    now: Timestamp,
    _lock: File,
}

impl CaFiles {
    fn open(dir: &Path, now: Timestamp) -> Result<Self> {
        let lock = lock(dir)?;
        let read = |name: &str| {
            std::fs::read_to_string(dir.join(name)).with_context(|| dir.join(name).display().to_string())
        };
        let authority = TestAuthority::open(read(CERTIFICATE)?, &read(KEY)?, now)?;
        let own = certificates(&dir.join(CERTIFICATE))?;
        let (_, parsed) = own
            .first()
            .and_then(|der| X509Certificate::from_der(der).ok())
            .context("autorità non leggibile")?;
        let until = parsed.validity().not_after.timestamp();
        ensure!(now.as_second() <= until, "il certificato dell'autorità è scaduto");
        let index = CaIndex::parse(&read(INDEX)?).with_context(|| dir.join(INDEX).display().to_string())?;
        Ok(Self {
            dir: dir.to_owned(),
            authority,
            index,
            until,
            now,
            _lock: lock,
        })
    }

    /// Issues a certificate: first in the index, then in a file.
    fn issue(
        &mut self,
        mut params: CertificateParams,
        rsa: bool,
        subject: &[u8],
        giorni: i64,
        out: &Out,
    ) -> Result<Rilasciato> {
        out.check()?;
        let until = (self.now.as_second() + giorni * DAY).min(self.until);
        params.not_after = offset(self.now, until - self.now.as_second())?;
        let Issued {
            certificate,
            key,
            fingerprint,
            serial,
        } = self.authority.certify(params, rsa, Some(subject))?;
        let scadenza = Timestamp::from_second(until)?;
        self.index.entries.push(IndexLine {
            seriale: hex(&serial),
            soggetto: shown(subject)?,
            scadenza,
            revoca: None,
        });
        self.save()?;
        create(&out.key, key.as_bytes(), PRIVATE)?;
        create(&out.certificate, certificate.as_bytes(), PUBLIC)?;
        Ok(Rilasciato {
            certificate: out.certificate.clone(),
            key: out.key.clone(),
            seriale: hex(&serial),
            scadenza,
            fingerprint,
        })
    }

    /// One of this authority's certificates, from a file: DER and serial.
    fn own(&self, file: &Path) -> Result<(Vec<u8>, String)> {
        let der = certificates(file)?
            .first()
            .context("nessun certificato")?
            .to_vec();
        let (_, certificate) = X509Certificate::from_der(&der)
            .map_err(|_| anyhow::anyhow!("{}: non leggibile", file.display()))?;
        let serial = hex(certificate.raw_serial());
        let authority = certificates(&self.dir.join(CERTIFICATE))?;
        let (_, authority) = authority
            .first()
            .and_then(|der| X509Certificate::from_der(der).ok())
            .context("autorità non leggibile")?;
        ensure!(
            certificate.issuer().as_raw() == authority.subject().as_raw()
                && self.index.entries.iter().any(|entry| entry.seriale == serial),
            "{}: non è di questa autorità",
            file.display()
        );
        Ok((der, serial))
    }

    /// Issues a certificate with the same subject and extensions, and another key.
    fn renew(&mut self, file: &Path, rilascio: OpzioniRilascio) -> Result<Rilasciato> {
        let (der, serial) = self.own(file)?;
        let revoked = self
            .index
            .entries
            .iter()
            .any(|entry| entry.seriale == serial && entry.revoca.is_some());
        ensure!(!revoked, "{}: è revocato, e non si rinnova", file.display());
        let (_, old) = X509Certificate::from_der(&der)?;
        let mut params = params("", self.now)?;
        params.key_usages.clear();
        for extension in old.extensions() {
            if [
                OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER,
                OID_X509_EXT_SUBJECT_KEY_IDENTIFIER,
            ]
            .contains(&extension.oid)
            {
                continue;
            }
            let oid: Vec<u64> = extension
                .oid
                .iter()
                .context("estensione non leggibile")?
                .collect();
            let mut same = CustomExtension::from_oid_content(&oid, extension.value.to_vec());
            same.set_criticality(extension.critical);
            params.custom_extensions.push(same);
        }
        let rsa = matches!(old.public_key().parsed(), Ok(PublicKey::RSA(_)));
        let out = Out::new(rilascio.dove, || following(file));
        self.issue(params, rsa, old.subject().as_raw(), rilascio.giorni, &out)
    }

    fn revoke(&mut self, serial: &str, motivo: MotivoRevoca) -> Result<()> {
        let known = self
            .index
            .entries
            .iter_mut()
            .find(|entry| entry.seriale.trim_start_matches('0') == serial.trim_start_matches('0'));
        let entry =
            known.with_context(|| format!("{serial}: nessun certificato né seriale di questa autorità"))?;
        if let Some((since, _)) = entry.revoca {
            bail!("già revocato il {since}");
        }
        entry.revoca = Some((Timestamp::from_second(self.now.as_second())?, motivo));
        Ok(())
    }

    /// Writes a new list. The index comes first: a number may be skipped, and is never used twice.
    fn list(&mut self, giorni: i64) -> Result<()> {
        self.index.numero += 1;
        self.index.giorni = giorni;
        self.save()?;
        let listed = |entry: &IndexLine| {
            let (since, motivo) = entry.revoca?;
            Some(unhex(&entry.seriale).map(|serial| Listed {
                serial,
                since,
                reason: motivo.code(),
            }))
        };
        let revoked = self
            .index
            .entries
            .iter()
            .filter_map(listed)
            .collect::<Result<_>>()?;
        let list = self
            .authority
            .list(revoked, self.index.numero, (-BACK, giorni * DAY))?;
        replace(&self.dir.join(LIST), list.as_bytes())
    }

    fn save(&self) -> Result<()> {
        replace(&self.dir.join(INDEX), self.index.text().as_bytes())
    }
}

/// The certificates issued by an authority, and the state of its last list.
struct CaIndex {
    /// The number of the last list.
    numero: u64,
    /// The validity of a list, in days.
    giorni: i64,
    entries: Vec<IndexLine>,
}

struct IndexLine {
    /// The serial number, hexadecimal.
    seriale: String,
    soggetto: String,
    scadenza: Timestamp,
    revoca: Option<(Timestamp, MotivoRevoca)>,
}

const HEAD: &str = "\
# Che cosa ha rilasciato questa autorità di prova (varco pki), una riga per certificato.
# Separati da tabulazioni: seriale, soggetto, scadenza, stato.
# L'ultima CRL: numero e giorni di validità.
";

impl CaIndex {
    fn text(&self) -> String {
        let mut text = format!("{HEAD}crl\t{}\t{}\n", self.numero, self.giorni);
        for IndexLine {
            seriale,
            soggetto,
            scadenza,
            revoca,
        } in &self.entries
        {
            let stato = match revoca {
                None => "valido".to_owned(),
                Some((since, motivo)) => format!("revocato {since} {}", motivo.name()),
            };
            let _ = writeln!(text, "{seriale}\t{soggetto}\t{scadenza}\t{stato}");
        }
        text
    }

    fn parse(text: &str) -> Result<Self> {
        let (mut crl, mut entries) = (None, Vec::new());
        for (at, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            let fields: Vec<&str> = line.split('\t').collect();
            let read = match fields[..] {
                ["crl", numero, giorni] => {
                    crl = numero.parse().ok().zip(giorni.parse().ok());
                    crl.is_some()
                }
                [seriale, soggetto, scadenza, stato] => {
                    let entry = IndexLine::parse(seriale, soggetto, scadenza, stato);
                    entry.map(|entry| entries.push(entry)).is_some()
                }
                _ => false,
            };
            ensure!(read, "riga {} non leggibile", at + 1);
        }
        let (numero, giorni) = crl.context("manca la riga crl")?;
        Ok(Self {
            numero,
            giorni,
            entries,
        })
    }
}

impl IndexLine {
    fn parse(seriale: &str, soggetto: &str, scadenza: &str, stato: &str) -> Option<Self> {
        unhex(seriale).ok()?;
        let revoca = match stato.split(' ').collect::<Vec<_>>()[..] {
            ["valido"] => None,
            ["revocato", since, motivo] => {
                Some((since.parse().ok()?, MotivoRevoca::from_str(motivo, false).ok()?))
            }
            _ => return None,
        };
        Some(Self {
            seriale: seriale.to_owned(),
            soggetto: soggetto.to_owned(),
            scadenza: scadenza.parse().ok()?,
            revoca,
        })
    }
}

/// The two files of a certificate: DOVE.pem and DOVE.key.
struct Out {
    certificate: PathBuf,
    key: PathBuf,
}

impl Out {
    fn new(asked: Option<PathBuf>, otherwise: impl FnOnce() -> PathBuf) -> Self {
        let base = match asked {
            Some(path)
                if path
                    .extension()
                    .is_some_and(|extension| extension == "pem" || extension == "key") =>
            {
                path.with_extension("")
            }
            Some(path) => path,
            None => otherwise(),
        };
        let with = |extension: &str| {
            let mut path = base.clone().into_os_string();
            path.push(extension);
            PathBuf::from(path)
        };
        Self {
            certificate: with(".pem"),
            key: with(".key"),
        }
    }

    fn check(&self) -> Result<()> {
        for path in [&self.certificate, &self.key] {
            ensure!(
                !path.exists(),
                "{} esiste già: non si sovrascrive (--dove)",
                path.display()
            );
        }
        let directory = self
            .certificate
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        ensure!(
            directory.is_none_or(Path::is_dir),
            "{}: la directory non esiste",
            self.certificate.display()
        );
        Ok(())
    }
}

/// The first free one of NOME-2, NOME-3 ...
fn following(file: &Path) -> PathBuf {
    let base = file.with_extension("");
    let stem = base
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let (stem, at) = match stem
        .rsplit_once('-')
        .map(|(stem, number)| (stem, number.parse::<u32>()))
    {
        Some((stem, Ok(number))) if number < 1000 => (stem, number),
        _ => (stem.as_str(), 1),
    };
    let path = |at: u32| file.with_file_name(format!("{stem}-{at}"));
    let free = (at + 1..at + 10_000)
        .map(path)
        .find(|base| Out::new(Some(base.clone()), PathBuf::new).check().is_ok());
    free.unwrap_or_else(|| path(at + 1))
}

fn host_name(host: &str) -> Result<SanType> {
    if let Ok(address) = host.parse() {
        return Ok(SanType::IpAddress(address));
    }
    let name = ServerName::try_from(host.strip_prefix("*.").unwrap_or(host));
    ensure!(
        matches!(name, Ok(ServerName::DnsName(_))),
        "{host}: né un nome DNS né un indirizzo IP"
    );
    Ok(SanType::DnsName(host.try_into()?))
}

pub(in crate::commands) fn organization(codice_fiscale: &str) -> Result<String> {
    match CodiceFiscale::new(codice_fiscale).kind() {
        Ok(Natura::Numerico) => {}
        Ok(_) | Err(DifettoCodice::Forma) => {
            bail!("codice fiscale dell'ente non valido: servono undici cifre")
        }
        Err(what) => bail!("codice fiscale dell'ente non valido: {what}"),
    }
    Ok(organization_of(codice_fiscale.trim()))
}

/// Checks a text of a name: 1 to 64 characters, no control characters.
fn text(value: &str) -> Result<&str> {
    let length = value.chars().count();
    ensure!(
        (1..=64).contains(&length) && !value.chars().any(char::is_control),
        "{value:?}: attesi da 1 a 64 caratteri"
    );
    Ok(value)
}

/// A subject's name as a file's: lower case, ASCII.
fn file_name(name: &str) -> String {
    let letter = |letter: char| {
        if letter.is_ascii_alphanumeric() || "._".contains(letter) {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(letter).collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "certificato".to_owned()
    } else {
        name.to_owned()
    }
}

/// A subject on one line, for the index.
fn shown(subject: &[u8]) -> Result<String> {
    let (_, name) = x509_parser::x509::X509Name::from_der(subject)
        .map_err(|_| anyhow::anyhow!("soggetto non leggibile"))?;
    Ok(name
        .to_string()
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect())
}

fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits =
        !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    ensure!(digits, "seriale non valido: {text}");
    Ok((0..text.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect())
}
