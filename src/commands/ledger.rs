//! `varco ledger {list|show|verify}`: reads the segments, whether a gateway runs or not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use crate::isee::CodiceFiscale;
use crate::ledger::committer::StartError;
use crate::ledger::keys::Access;
use crate::ledger::search::{self, Filter};
use crate::ledger::{Directory, Entry, Keys, Kind, Unopened, seal, segments};

/// `varco ledger`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// La directory dei dati
    #[arg(long, global = true, default_value = "varco-data")]
    data: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Elenca le voci
    List {
        /// Dal (aaaa-mm-gg o istante RFC 3339 in UTC)
        #[arg(long)]
        from: Option<String>,
        /// Fino a, escluso
        #[arg(long)]
        to: Option<String>,
        /// Codice dell'ente
        #[arg(long)]
        ente: Option<String>,
        /// Operazione
        #[arg(long)]
        operation: Option<String>,
        /// Esito
        #[arg(long)]
        outcome: Option<String>,
        /// Tipo di voce: exchange, dsu, attestation, registry, ...
        #[arg(long)]
        kind: Option<String>,
        /// Codice fiscale di una persona
        #[arg(long)]
        codice_fiscale: Option<String>,
        /// Protocollo di una DSU, di un lotto o del mittente
        #[arg(long)]
        protocollo: Option<String>,
        /// Quante, al massimo: le ultime
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        /// Le foglie, una per riga, come sono state scritte
        #[arg(long)]
        json: bool,
    },
    /// Mostra una voce per intero
    Show {
        /// La sequenza
        sequence: u64,
        /// Apre anche la parte riservata
        #[arg(long)]
        open: bool,
    },
    /// Rilegge ogni byte e controlla tutto
    Verify,
}

pub(super) fn run(args: Args) -> Result<()> {
    let directory = Directory::open(&args.data)?;
    match args.what {
        What::List { from, to, ente, operation, outcome, kind, codice_fiscale, protocollo, limit, json } => {
            let kind = kind.map(|name| serde_json::from_value::<Kind>(name.into()).context("tipo di voce sconosciuto")).transpose()?;
            let cf = match codice_fiscale {
                None => Vec::new(),
                Some(code) => tokens(&directory, "cf", &CodiceFiscale::new(code).canonical())?,
            };
            let protocol = match protocollo {
                None => Vec::new(),
                Some(protocol) => tokens(&directory, "protocol", protocol.trim())?,
            };
            let filter = Filter { from, to, ente, operation, outcome, kind, cf, protocol };
            for entry in search::find(&directory.segments(), directory.ledger, &filter, limit)? {
                if json {
                    println!("{}", String::from_utf8_lossy(&entry.bytes));
                } else {
                    println!("{}", line(&entry));
                }
            }
            Ok(())
        }
        What::Show { sequence, open } => show(&directory, sequence, open),
        What::Verify => {
            println!("{}", verify(&directory)?);
            Ok(())
        }
    }
}

/// The tokens of a codice fiscale or of a protocol, one for each year's key.
fn tokens(directory: &Directory, label: &str, value: &str) -> Result<Vec<(i16, String)>> {
    let keys = Keys::open(&directory.keys(), true)?;
    let tokens: Vec<_> = keys.token_years().into_iter().map(|year| Ok((year, keys.token(year, label, value)?))).collect::<Result<_>>()?;
    if tokens.is_empty() {
        bail!("nessuna voce nomina ancora persone");
    }
    Ok(tokens)
}

/// One entry on one line.
pub fn line(entry: &Entry) -> String {
    let body = &entry.leaf.body;
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let kind = format!("{:?}", body.kind).to_lowercase();
    let detail = match (&body.refusal, body.facts.get("gruppi")) {
        (Some(refusal), _) => refusal.clone(),
        (None, Some(groups)) => groups
            .as_array()
            .into_iter()
            .flatten()
            .map(|group| format!("{} x{}", group["motivo"].as_str().unwrap_or_default(), group["numero"]))
            .collect::<Vec<_>>()
            .join(" "),
        (None, None) => String::new(),
    };
    let line = format!(
        "{:>6}  {}  {:<11}  {:<10}  {:<24}  {:<18}  {}",
        entry.leaf.seq,
        entry.leaf.recorded,
        kind,
        dash(&body.ente),
        dash(&body.operation),
        dash(&body.outcome),
        detail
    );
    line.trim_end().to_owned()
}

fn show(directory: &Directory, sequence: u64, open: bool) -> Result<()> {
    let entries = segments::read_from(&directory.segments(), directory.ledger, sequence, 1)?;
    let entry = entries.into_iter().find(|entry| entry.leaf.seq == sequence).context("nessuna voce con questa sequenza")?;
    let leaf: serde_json::Value = serde_json::from_slice(&entry.bytes)?;
    println!("{}", serde_json::to_string_pretty(&leaf)?);
    if open {
        let keys = Keys::open(&directory.keys(), true)?;
        match seal::open(&keys, &entry.leaf, &entry.sealed) {
            Ok((_, secret)) => println!("{}", serde_json::to_string_pretty(&secret)?),
            Err(Unopened::Nothing) => println!("(nessuna parte riservata)"),
            Err(Unopened::Erased) => println!("(parte riservata cancellata)"),
            Err(error) => bail!("parte riservata: {error}"),
        }
    }
    Ok(())
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries and batches read.
    pub read: segments::Verified,
    /// Sealed parts opened, and equal to what their leaves commit to.
    pub opened: u64,
    /// Sealed parts whose key was erased.
    pub erased: u64,
    /// Sealed parts that were not looked at, since there is no keyring.
    pub unseen: u64,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { read, opened, erased, unseen } = self;
        write!(f, "registro integro: {} voci in {} blocchi; ", read.entries, read.batches)?;
        if *unseen > 0 {
            write!(f, "{unseen} parti riservate non controllate: qui non ci sono le chiavi")?;
        } else {
            write!(f, "parti riservate: {opened} aperte e conformi, {erased} cancellate")?;
        }
        if read.tail > 0 {
            write!(f, "; {} byte incompleti in coda", read.tail)?;
        }
        Ok(())
    }
}

/// Defects of sealed parts: unusable keys with the entries that need them, and the first of the other defects.
#[derive(Default)]
struct Wrong {
    /// By the id of the key: its defect, and the entries.
    keys: BTreeMap<u32, (&'static str, Vec<u64>)>,
    first: Option<String>,
}

/// The defect of a key.
const DAMAGED: &str = "è danneggiata";

impl Wrong {
    fn note(&mut self, entry: &Entry, error: Unopened) {
        let sequence = entry.leaf.seq;
        match error {
            Unopened::MissingKey(id) => self.closed_by(id, "non è nel portachiavi", sequence),
            Unopened::DamagedKey(id) => self.closed_by(id, DAMAGED, sequence),
            // The part itself is whole, by its checksums: it was sealed under another key than has this number now.
            Unopened::Damaged => {
                let id = seal::key_id(&entry.sealed).unwrap_or_default();
                self.closed_by(id, "non è quella con cui queste voci sono state chiuse", sequence);
            }
            error => {
                self.first.get_or_insert_with(|| format!("voce {sequence}: parte riservata: {error}"));
            }
        }
    }

    fn closed_by(&mut self, id: u32, why: &'static str, sequence: u64) {
        self.keys.entry(id).or_insert_with(|| (why, Vec::new())).1.push(sequence);
    }

    /// One line for each key, then the first of the other defects. Keys that are damaged and that no entry needs are named too.
    fn lines(mut self, keys: &Keys) -> Vec<String> {
        for id in keys.damaged() {
            self.keys.entry(id).or_insert((DAMAGED, Vec::new()));
        }
        let line = |(id, (state, entries)): (u32, (&str, Vec<u64>))| {
            let what = keys.describe(id).map(|what| format!(" ({what})")).unwrap_or_default();
            let which =
                if entries.is_empty() { "nessuna voce la usa".to_owned() } else { format!("voci illeggibili: {}", ranges(&entries)) };
            format!("la chiave {id}{what} {state}; {which}")
        };
        self.keys.into_iter().map(line).chain(self.first).collect()
    }
}

/// Sequences in order, runs of them as `from-to`.
fn ranges(sequences: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for sequence in sequences {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *sequence => *last = *sequence,
            _ => runs.push((*sequence, *sequence)),
        }
    }
    let text = |(first, last): &(u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Reads every byte, checks every checksum, sequence and order, opens every sealed part against its leaf's commitment; and that the views knew of no
/// entry that is not there.
pub fn verify(directory: &Directory) -> Result<Report> {
    verify_with(directory, &directory.keys())
}

/// The same with keys that are elsewhere.
pub(super) fn verify_with(directory: &Directory, from: &Path) -> Result<Report> {
    let mut keys = match Keys::open_for(from, Access::Inspect) {
        Ok(keys) => Some(keys),
        // A backup without its keys can still be verified, as far as that goes.
        Err(_) if !from.exists() => None,
        Err(error) => return Err(error.into()),
    };
    let (mut report, mut wrong) = (Report::default(), Wrong::default());
    // First the views, then the log: a gateway may append meanwhile.
    let views = crate::state::reached(&directory.views(), directory.ledger);
    report.read = segments::verify(&directory.segments(), directory.ledger, &mut |entry| {
        if entry.sealed.is_empty() {
            return Ok(());
        }
        let Some(known) = &keys else {
            report.unseen += 1;
            return Ok(());
        };
        let mut outcome = seal::open(known, &entry.leaf, &entry.sealed).map(|_| ());
        if let Err(Unopened::MissingKey(id)) = outcome
            && id > known.records()
            && let Ok(again) = Keys::open_for(from, Access::Inspect)
        {
            // Made since, by a gateway that serves: a key is in the keyring before an entry names it.
            outcome = seal::open(&again, &entry.leaf, &entry.sealed).map(|_| ());
            keys = Some(again);
        }
        match outcome {
            Ok(()) => report.opened += 1,
            Err(Unopened::Erased) => report.erased += 1,
            Err(error) => wrong.note(&entry, error),
        }
        Ok(())
    })?;
    let mut lines = keys.as_ref().map(|keys| wrong.lines(keys)).unwrap_or_default();
    if let Some(views) = views.filter(|views| *views > report.read.entries) {
        lines.insert(0, StartError::Ahead { views, log: report.read.entries }.to_string());
    }
    if !lines.is_empty() {
        bail!("{}", lines.join("\n"));
    }
    Ok(report)
}

/// The entries of a directory, as lines: for the demonstration.
pub(super) fn lines(data: &Path) -> Result<Vec<String>> {
    let directory = Directory::open(data)?;
    let all = search::find(&directory.segments(), directory.ledger, &Filter::default(), usize::MAX)?;
    Ok(all.iter().map(line).collect())
}
