//! `varco dsu check` and `varco dsu compute`: for who writes DSU, or programs that write them; neither needs a data directory or a key. `varco dsu
//! versions`: what was made of one that was received.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Subcommand;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::Config;
use crate::contract::bind::{Base64, Content as _};
use crate::contract::consultazione::{Chiave, RicercaCf};
use crate::contract::{Contract, Finding, Findings, ISEE_NS, Trasmessa, esito_attestazione, place_declaration};
use crate::isee::attest::{Occasion, attest};
use crate::isee::attestazione::{Attestazione, EsitoAttestazione, OmissioneDifformita, Ricerca};
use crate::isee::checks::{Circumstance, Difetto, examine};
use crate::isee::compute::Calcolo;
use crate::isee::compute::casi::{Caso, Indicatore, Indicatori, Situazione};
use crate::isee::compute::componente::Riferita;
use crate::isee::feed::{FeedRecord, parse as parse_feed};
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::applica;
use crate::isee::prospetto::{Riga, Sezione, italian, prospetto};
use crate::isee::rules::RuleSet;
use crate::ledger::search::{Filter, find};
use crate::ledger::{Directory, Keys, Kind};
use crate::sii::archive::{stem_of, version_of};
use crate::sii::embedded::Settings;
use crate::xml::{Element, Limits, encoding, parse};

/// The protocol of a DSU that has none.
const NESSUN_PROTOCOLLO: &str = "00000000A-00";

/// `varco dsu`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Controlla una DSU: tutte le violazioni, con riga e colonna
    Check {
        /// Il file: una Dichiarazione, da sola o in un messaggio SOAP
        file: PathBuf,
        /// Il giorno della trasmissione; oggi se manca
        #[arg(long)]
        date: Option<Date>,
        /// Il file di configurazione della porta, se ne cambia regole o festivi
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Calcola una DSU: ogni riga con ciò da cui viene e la norma, poi ogni indicatore
    Compute {
        /// Il file: una Dichiarazione, da sola o in un messaggio SOAP
        file: PathBuf,
        /// I dati dell'Agenzia delle entrate e dell'INPS: CSV, come per `varco feed load`
        #[arg(long)]
        feed: Option<PathBuf>,
        /// Il giorno di presentazione; quello della sottoscrizione se manca
        #[arg(long)]
        date: Option<Date>,
        /// La DSU che questa integra, corregge o aggiorna (operazioni A, I, S, C, R)
        #[arg(long)]
        base: Option<PathBuf>,
        /// Una DSU a cui questa fa riferimento: PROTOCOLLO=FILE; anche più volte
        #[arg(long, value_name = "PROTOCOLLO=FILE")]
        altra: Vec<String>,
        /// Il file di configurazione della porta, se ne cambia le regole
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long, conflicts_with = "xml")]
        json: bool,
        /// L'attestazione, come la dà ConsultazioneAttestazione
        #[arg(long)]
        xml: bool,
    },
    /// Le versioni di una DSU ricevuta, ognuna con la voce del registro che l'ha fatta
    Versions {
        /// Il protocollo di una di esse
        protocollo: String,
        /// La directory dei dati
        #[arg(long, default_value = "varco-data")]
        data: PathBuf,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    match args.what {
        What::Check { file, date, config, json } => check(&file, config.as_deref(), date.unwrap_or_else(|| clock.today()), json),
        What::Compute { file, feed, date, base, altra, config, json, xml } => {
            let request = Request {
                feed: feed.as_deref(),
                date,
                base: base.as_deref(),
                altra: &altra,
                config: config.as_deref(),
                today: clock.today(),
            };
            let output = match (json, xml) {
                (true, _) => Output::Json,
                (_, true) => Output::Xml,
                _ => Output::Text,
            };
            print!("{}", compute(&file, &request, output)?);
            Ok(())
        }
        What::Versions { protocollo, data, json } => versions(&protocollo, &data, json),
    }
}

/// What a port would judge and compute with.
struct Port {
    contract: Contract,
    settings: Settings,
}

impl Port {
    /// As it is, or as a configuration makes it.
    fn new(config: Option<&Path>) -> Result<Self> {
        let settings = match config {
            Some(file) => Settings::configured(&Config::read(file)?)?,
            None => Settings::embedded()?,
        };
        Ok(Self { contract: Contract::compile()?, settings })
    }
}

/// What was read of a file, and what is wrong with it.
#[derive(Default)]
struct Letta {
    trasmessa: Option<Trasmessa>,
    violazioni: Findings,
    avvertenze: Vec<Finding>,
}

/// A file's text, and the Dichiarazione in it: the root, somewhere inside, or enclosed as bytes.
fn read<R>(file: &Path, act: impl FnOnce(Element<'_, '_>) -> R) -> Result<R> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let text = encoding::decode(&bytes, None).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    let document = parse(&text, &Limits::default())
        .map_err(|error| anyhow!("{}:{}:{}: K01.xml: {}", file.display(), error.place.line, error.place.column, error.fault.italian()))?;
    if let Some(found) = descendant(document.root(), &|element| element.is(ISEE_NS, "Dichiarazione")) {
        return Ok(act(found));
    }
    let enclosed = descendant(document.root(), &|element| element.local() == "XmlDichiarazione");
    let enclosed = enclosed.with_context(|| format!("{}: nessuna Dichiarazione di {ISEE_NS}", file.display()))?;
    let inside = |what: &str| anyhow!("{}, XmlDichiarazione: {what}", file.display());
    let Base64(bytes) = Base64::decode(enclosed).map_err(|_| inside("base64 non valido"))?;
    let text = encoding::decode(&bytes, None).map_err(|error| inside(&error.to_string()))?;
    let document = parse(&text, &Limits::default()).map_err(|error| inside(error.fault.italian()))?;
    let found = descendant(document.root(), &|element| element.is(ISEE_NS, "Dichiarazione"));
    Ok(act(found.ok_or_else(|| inside("nessuna Dichiarazione"))?))
}

fn descendant<'d, 's>(element: Element<'d, 's>, wanted: &dyn Fn(Element<'d, 's>) -> bool) -> Option<Element<'d, 's>> {
    if wanted(element) {
        return Some(element);
    }
    element.children().find_map(|child| descendant(child, wanted))
}

/// Judges a file as the port would on a day.
fn judge(file: &Path, port: &Port, today: Date) -> Result<Letta> {
    let Port { contract, settings: Settings { rules, calendario, .. } } = port;
    read(file, |element| {
        let trasmessa = match contract.read_declaration(element) {
            Ok(trasmessa) => trasmessa,
            Err(violazioni) => return Letta { trasmessa: None, violazioni, avvertenze: Vec::new() },
        };
        let presented = trasmessa.dsu.presentata().unwrap_or(today);
        let covered = rules.on(presented.min(today));
        let Some(set) = covered.or(rules.all().last()) else { return Letta { trasmessa: None, ..Letta::default() } };
        let mut esame = examine(&trasmessa.dsu, &Circumstance::on(today, set, calendario));
        if covered.is_none() {
            let text = "nessun insieme di regole per questa data di presentazione";
            let path = "/Dichiarazione/Sottoscrizione".to_owned();
            esame.difetti.push(Difetto { code: "K18.periodo", path, text });
        }
        let list = place_declaration(esame.difetti, element);
        let avvertenze = place_declaration(esame.avvertenze, element);
        Letta { trasmessa: Some(trasmessa), violazioni: Findings { list, more: esame.altri }, avvertenze }
    })
}

fn check(file: &Path, config: Option<&Path>, today: Date, as_json: bool) -> Result<()> {
    let letta = judge(file, &Port::new(config)?, today)?;
    let count = letta.violazioni.list.len() + letta.violazioni.more;
    if as_json {
        let of = |finding: &Finding| json!({"codice": finding.code, "riga": finding.line, "colonna": finding.column, "percorso": finding.path, "testo": finding.text});
        let value = json!({
            "file": file.display().to_string(),
            "violazioni": letta.violazioni.list.iter().map(of).collect::<Vec<_>>(),
            "altre_violazioni": letta.violazioni.more,
            "avvertenze": letta.avvertenze.iter().map(of).collect::<Vec<_>>(),
        });
        println!("{value:#}");
    } else {
        for finding in &letta.violazioni.list {
            println!("{}", line(file, finding, "errore"));
        }
        if letta.violazioni.more > 0 {
            println!("{}: altre {} violazioni", file.display(), letta.violazioni.more);
        }
        for finding in &letta.avvertenze {
            println!("{}", line(file, finding, "avvertenza"));
        }
        if count == 0 {
            println!("{}: nessuna violazione, {} avvertenze", file.display(), letta.avvertenze.len());
        }
    }
    if count > 0 {
        bail!("{}: {count} violazioni: la DSU non sarebbe accettata", file.display());
    }
    Ok(())
}

/// As compilers write it: `file:line:column: kind: code: text (path)`.
fn line(file: &Path, finding: &Finding, kind: &str) -> String {
    let Finding { code, path, line, column, text } = finding;
    format!("{}:{line}:{column}: {kind}: {code}: {text} ({path})", file.display())
}

/// What a computation is asked with.
struct Request<'a> {
    feed: Option<&'a Path>,
    date: Option<Date>,
    base: Option<&'a Path>,
    altra: &'a [String],
    config: Option<&'a Path>,
    today: Date,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    Text,
    Json,
    Xml,
}

fn compute(file: &Path, request: &Request<'_>, output: Output) -> Result<String> {
    let port = Port::new(request.config)?;
    let rules = &port.settings.rules;
    let mut dsu = accepted(file, &port, request.today)?.dsu;
    let mut presented = dsu.presentata();
    if let Some(base) = request.base {
        let base = accepted(base, &port, request.today)?.dsu;
        // What completes or corrects a DSU counts from its presentation.
        presented = base.presentata();
        dsu = applica(&base, &dsu).map_err(|difetti| {
            for Difetto { code, path, text } in &difetti {
                eprintln!("{}: errore: {code}: {text} ({path})", file.display());
            }
            anyhow!("{}: non si applica alla DSU di --base", file.display())
        })?;
    }
    let presented = request.date.or(presented).context("la DSU non ha una sottoscrizione")?;
    let set = rules.on(presented).with_context(|| format!("nessun insieme di regole per il {presented}"))?;
    let feed = match request.feed {
        Some(file) => read_feed(file)?,
        None => Vec::new(),
    };
    let mut altre = Vec::new();
    for each in request.altra {
        let (protocollo, file) = each.split_once('=').context("--altra vuole PROTOCOLLO=FILE")?;
        let dsu = accepted(Path::new(file), &port, request.today)?.dsu;
        let presentata = dsu.presentata().context("la DSU non ha una sottoscrizione")?;
        let scadenza = rules.on(presentata).map_or(presentata, |set| set.expires(presentata));
        altre.push(Riferita { dsu, protocollo: protocollo.to_owned(), presentata, scadenza });
    }
    let situazione = Situazione { dsu: &dsu, presented, rules: set, feed: &feed, altre: &altre };
    let what = "la DSU non è calcolabile: se ne integra o corregge un'altra, indicarla con --base";
    let indicatori = situazione.indicatori().context(what)?;
    let against = omissioni(&dsu, presented, &feed, request.today);
    Ok(match output {
        Output::Text => render(&[prospetto(&situazione, &indicatori), difformita(&against)].concat()),
        Output::Json => format!("{:#}\n", as_json(&situazione, &indicatori, &against)),
        Output::Xml => {
            let protocollo = format!("INPS-ISEE-{}-{NESSUN_PROTOCOLLO}", presented.year());
            let occasion = Occasion {
                protocollo: &protocollo,
                presentata: presented,
                rilasciata: request.today,
                omissioni: against,
                ..Occasion::default()
            };
            payload(attest(&dsu, &indicatori, set, occasion))
        }
    })
}

/// A DSU that the port would accept; what it would be warned of goes to standard error.
fn accepted(file: &Path, port: &Port, today: Date) -> Result<Trasmessa> {
    let letta = judge(file, port, today)?;
    for finding in &letta.violazioni.list {
        eprintln!("{}", line(file, finding, "errore"));
    }
    for finding in &letta.avvertenze {
        eprintln!("{}", line(file, finding, "avvertenza"));
    }
    match letta.trasmessa {
        Some(trasmessa) if letta.violazioni.list.is_empty() => Ok(trasmessa),
        _ => bail!("{}: {} violazioni: la DSU non sarebbe accettata", file.display(), letta.violazioni.list.len() + letta.violazioni.more),
    }
}

fn read_feed(file: &Path) -> Result<Vec<FeedRecord>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    parse_feed(&text).map_err(|errors| {
        for error in &errors {
            eprintln!("{}", super::feed::line(file, error));
        }
        anyhow!("{}: {} errori", file.display(), errors.len())
    })
}

fn payload(attestazione: Attestazione) -> String {
    let search = RicercaCf {
        codice_fiscale: attestazione.codice_fiscale_dichiarante.clone(),
        data_validita: None,
        prestazione_da_erogare: None,
        protocollo_domanda_ente_erogatore: None,
        statodomanda_prestazione: None,
    };
    let ricerca = Ricerca { chiave: Chiave::Cf(Box::new(search)).echo() };
    esito_attestazione(&EsitoAttestazione { attestazione: Some(attestazione), ricerca })
}

/// The statement as text: amounts in a column of their own.
fn render(sezioni: &[Sezione]) -> String {
    let mut text = String::new();
    let indented = |livello: u8, voce: &str| format!("{}{voce}", "  ".repeat(usize::from(livello) + 1));
    let all = || sezioni.iter().flat_map(|sezione| &sezione.righe);
    let wide =
        all().filter(|riga| riga.importo.is_some()).map(|riga| indented(riga.livello, &riga.voce).chars().count()).max().unwrap_or(0);
    for Sezione { titolo, righe } in sezioni {
        text.push_str(&format!("{titolo}\n"));
        for riga in righe {
            let voce = indented(riga.livello, &riga.voce);
            let norma = if riga.norma.is_empty() { String::new() } else { format!("[{}]", riga.norma) };
            let notes: Vec<&str> = [riga.come.as_str(), &norma].into_iter().filter(|note| !note.is_empty()).collect();
            let notes = notes.join("  ");
            let row = match riga.importo {
                Some(amount) => format!("{voce:wide$}  {:>14}  {notes}", italian(amount)),
                None if notes.is_empty() => voce,
                None => format!("{voce}: {notes}"),
            };
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// What the feed has against the DSU.
fn difformita(against: &[OmissioneDifformita]) -> Vec<Sezione> {
    let lines = against.iter().map(|each| {
        let come = match each.rapporto.len() {
            0 => "redditi diversi da quelli dell'Agenzia delle entrate".to_owned(),
            number => format!("{number} rapporti finanziari non dichiarati"),
        };
        let voce = format!("{} di {}", each.tipo_omissione_difformita.code(), each.codice_fiscale.canonical());
        Riga { livello: 0, voce, importo: None, come, norma: "art. 11 c. 3, 5".to_owned() }
    });
    let righe: Vec<Riga> = lines.collect();
    if righe.is_empty() { Vec::new() } else { vec![Sezione { titolo: "Omissioni e difformità".to_owned(), righe }] }
}

fn as_json(situazione: &Situazione<'_>, indicatori: &Indicatori, against: &[OmissioneDifformita]) -> Value {
    let Situazione { dsu, presented, rules, .. } = situazione;
    let all = |of: &[Indicatore]| of.iter().map(one).collect::<Vec<_>>();
    json!({
        "dichiarante": dsu.codice_fiscale_dichiarante.canonical(),
        "presentata": presented.to_string(),
        "scadenza": rules.expires(*presented).to_string(),
        "regole": regole(rules),
        "ordinario": of_calcolo(&indicatori.ordinario),
        "specifico": indicatori.specifico.as_ref().map(of_calcolo),
        "minorenni": all(&indicatori.minorenni),
        "universitari": all(&indicatori.universitari),
        "residenziali": all(&indicatori.residenziali),
        "ristretti": indicatori.ristretti.iter().map(|ristretto| json!({
            "codice_fiscale": ristretto.beneficiario.canonical(),
            "valori": of_calcolo(&ristretto.calcolo),
            "residenziale": ristretto.residenziale.as_ref().map(one),
        })).collect::<Vec<_>>(),
        "omissioni": against.iter().map(|each| json!({
            "tipo": each.tipo_omissione_difformita.code(),
            "codice_fiscale": each.codice_fiscale.canonical(),
            "rapporti": each.rapporto.iter().map(|rapporto| rapporto.identificativo.clone()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "prospetto": prospetto(situazione, indicatori),
    })
}

fn regole(rules: &RuleSet) -> Value {
    json!({"insieme": rules.id, "impronta": rules.digest})
}

fn amount(amount: Decimal) -> Value {
    format!("{amount:.2}").into()
}

fn one(indicatore: &Indicatore) -> Value {
    let (caso, valori) = match &indicatore.caso {
        Caso::Base(_) => ("nucleo".to_owned(), Value::Null),
        Caso::Diverso(diverso) => (format!("{:?}", diverso.modo), of_calcolo(&diverso.calcolo)),
        Caso::NonCalcolabile(_) => ("NonCalcolabile".to_owned(), Value::Null),
    };
    let components = match &indicatore.caso {
        Caso::Diverso(diverso) => diverso.componenti.as_slice(),
        _ => &[],
    };
    json!({
        "codice_fiscale": indicatore.codice_fiscale.canonical(),
        "caso": caso,
        "isee": indicatore.isee().map(amount),
        "calcolo": valori,
        "componenti": components.iter().map(|componente| json!({
            "codice_fiscale": componente.codice_fiscale.canonical(),
            "valore": componente.valore.map(amount),
        })).collect::<Vec<_>>(),
    })
}

fn of_calcolo(calcolo: &Calcolo) -> Value {
    let lines = calcolo.righe().into_iter().map(|(name, amount)| (name.to_owned(), Value::from(amount.to_string())));
    Value::Object(lines.collect())
}

/// All versions of a DSU that was received, in their order.
fn versions(protocollo: &str, data: &Path, as_json: bool) -> Result<()> {
    let directory = Directory::open(data)?;
    let keys = Keys::open(&directory.keys(), true)?;
    let radice = stem_of(protocollo.trim());
    let mut protocol = Vec::new();
    for number in 0..100 {
        let Some(version) = version_of(&radice, number) else { break };
        for year in keys.token_years() {
            protocol.push((year, keys.token(year, "protocol", &version)?));
        }
    }
    if protocol.is_empty() {
        bail!("{protocollo}: non è il protocollo di una DSU");
    }
    let filter = Filter { kind: Some(Kind::Dsu), protocol, ..Filter::default() };
    let found = find(&directory.segments(), directory.ledger, &filter, usize::MAX)?;
    if found.is_empty() {
        bail!("{protocollo}: nessuna DSU con questo protocollo");
    }
    let mut lines = Vec::new();
    for entry in found {
        let body = &entry.leaf.body;
        let fact = |name: &str| body.facts.get(name).and_then(|value| value.as_str()).unwrap_or("N").to_owned();
        let number = body.facts.get("versione").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
        lines.push(json!({
            "protocollo": version_of(&radice, number),
            "operazione": fact("operazione"),
            "ricalcolo": body.facts.get("ricalcolo").and_then(Value::as_bool).unwrap_or(false),
            "presentata": body.facts.get("presentata"),
            "registrata": entry.leaf.recorded,
            "ente": body.ente,
            "voce": entry.leaf.seq,
        }));
    }
    if as_json {
        println!("{:#}", Value::from(lines));
        return Ok(());
    }
    for line in lines {
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let again = if line["ricalcolo"] == true { "  ricalcolo" } else { "" };
        println!(
            "{}  {}  presentata {}  {}  {}  voce {}{again}",
            text("protocollo"),
            text("operazione"),
            text("presentata"),
            text("registrata"),
            text("ente"),
            line["voce"]
        );
    }
    Ok(())
}
