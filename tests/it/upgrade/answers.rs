//! Questions to a data directory and their answers, as a file keeps them.
//!
//! A line `? ` holds the question. The lines after it are the answer, until the next question or a line `#`.
//! Lines `#` are for people.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use varco::clock::Clock;
use varco::commands::client::Connected;
use varco::contract::catalogue::Operation;
use varco::digest::{hex, sha256};
use varco::gateway::node::Node;
use varco::ledger::Directory;
use varco::ledger::disk::RealDisk;
use varco::ledger::search::{Filter, find};
use varco::ledger::segments::verify;
use varco::soap::{Version, envelope};

use super::port::Port;
use kit::{BENEFIT, DSU, ISEE, requests};

/// The elements of replies that hold a document in base64.
const DOCUMENTS: [&str; 4] = [
    "XmlEsitoIndicatore",
    "XmlEsitoAttestazione",
    "XmlEsitoDichiarazione",
    "XmlRicevuta",
];

/// A question, in words: `indicatore comune FRRGLI84E52H501O Ordinario 2026-02-10`; and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub question: String,
    pub answer: String,
}

/// Whether the segments alone answer it, or the registry; else the port is asked.
pub fn is_of_directory(question: &str) -> bool {
    ["voci", "foglie", "versioni", "ente"].contains(&question.split(' ').next().unwrap())
}

/// Reads a file of answers.
pub fn read(text: &str) -> Vec<Answered> {
    let mut all: Vec<Answered> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if let Some(question) = line.strip_prefix("? ") {
            all.push(Answered {
                question: question.to_owned(),
                answer: String::new(),
            });
            inside = true;
        } else if line.starts_with('#') {
            inside = false;
        } else if let Some(last) = all.last_mut().filter(|_| inside) {
            last.answer.push_str(line);
            last.answer.push('\n');
        }
    }
    all.iter_mut()
        .for_each(|answered| answered.answer.truncate(answered.answer.trim_end().len()));
    all
}

/// As a file keeps it.
pub fn written(question: &str, answer: &str) -> String {
    format!("? {question}\n{answer}\n\n")
}

/// What the files of a data directory say. Nobody may have it open.
pub fn of_directory(data: &Path, clock: &Clock, question: &str) -> String {
    // The first two are asked of an earlier format, too.
    let (directory, _) = Directory::open_any(data).unwrap();
    match *question.split(' ').collect::<Vec<_>>() {
        ["voci"] => {
            let mut counts = BTreeMap::<String, u64>::new();
            for entry in find(&directory.reader(), &Filter::default(), usize::MAX).unwrap() {
                *counts
                    .entry(format!("{:?}", entry.leaf.body.kind).to_lowercase())
                    .or_default() += 1;
            }
            let lines: Vec<String> = counts
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            format!("{}\nin tutto {}", lines.join("\n"), counts.values().sum::<u64>())
        }
        ["foglie"] => {
            let mut leaves = Vec::new();
            verify(&directory.segments(), directory.ledger, &mut |entry| {
                leaves.extend_from_slice(&entry.bytes);
            })
            .unwrap();
            hex(&sha256(&leaves))
        }
        ["versioni", protocol] => {
            // Of a copy without views: in a directory in service the question would be recorded.
            let home = tempfile::tempdir().unwrap();
            let copy = home.path().join("copia");
            assert!(
                std::process::Command::new("cp")
                    .arg("-a")
                    .args([data, &copy])
                    .status()
                    .unwrap()
                    .success()
            );
            std::fs::remove_dir_all(Directory::open(&copy).unwrap().views()).unwrap();
            let asked = std::process::Command::new(kit::binary())
                .args(["dsu", "versions", protocol, "--json", "--data"])
                .arg(&copy)
                .output()
                .unwrap();
            assert!(
                asked.status.success(),
                "{}",
                String::from_utf8_lossy(&asked.stderr)
            );
            String::from_utf8(asked.stdout).unwrap().trim_end().to_owned()
        }
        ["ente", codice] => {
            let node = Node::open(&directory, clock, std::sync::Arc::new(RealDisk), u64::MAX).unwrap();
            let ente = node.registry.ente(codice).unwrap();
            node.close();
            serde_json::to_string_pretty(&ente).unwrap()
        }
        _ => panic!("no question: {question}"),
    }
}

/// Who asks a port: one connection an ente.
pub struct Asking<'a> {
    port: &'a Port,
    address: SocketAddr,
    connected: HashMap<String, Connected>,
}

impl<'a> Asking<'a> {
    pub fn new(port: &'a Port, address: SocketAddr) -> Self {
        Self {
            port,
            address,
            connected: HashMap::new(),
        }
    }

    /// Asks what the question says, in the name of the ente that it names.
    pub async fn ask(&mut self, question: &str) -> String {
        let words: Vec<&str> = question.split(' ').collect();
        let (path, request) = request(&words);
        let ente = words[1];
        if !self.connected.contains_key(ente) {
            let connected = self.port.client(self.address, ente).connect().await.unwrap();
            self.connected.insert(ente.to_owned(), connected);
        }
        let answer = self
            .connected
            .get_mut(ente)
            .unwrap()
            .call(path, &request)
            .await
            .unwrap();
        rendered(answer.status.as_u16(), &answer.text)
    }
}

/// Path and envelope.
fn request(words: &[&str]) -> (&'static str, String) {
    let of_transmission = |operation: Operation, key: &str, value: &str| {
        let (root, namespace) = (operation.root(), operation.namespace());
        (
            DSU,
            envelope(
                Version::V11,
                &format!("<{root} xmlns=\"{namespace}\"><{key}>{value}</{key}></{root}>"),
            ),
        )
    };
    match *words {
        ["indicatore", _, person, tipo, day] => (
            ISEE,
            requests::indicatore(person, day, BENEFIT).replace("Ordinario", tipo),
        ),
        ["attestazione", _, person, day] => (ISEE, requests::attestazione(person, day, BENEFIT)),
        ["dichiarazione", _, person, day] => {
            let key = format!(
                "<RicercaCF><CodiceFiscale>{person}</CodiceFiscale><DataValidita>{day}</DataValidita>\
                 <PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaCF>"
            );
            (
                ISEE,
                requests::consultazione(Operation::ConsultazioneDichiarazione, &key),
            )
        }
        ["protocollo", _, protocol, person] => {
            let key = format!(
                "<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU>\
                 <CodiceFiscaleBeneficiario>{person}</CodiceFiscaleBeneficiario>\
                 <PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaProtDSU>"
            );
            (
                ISEE,
                requests::consultazione(Operation::ConsultazioneAttestazione, &key),
            )
        }
        ["esito-dsu", _, protocol] => {
            of_transmission(Operation::ConsultazioneEsitoDsu, "ProtocolloDSU", protocol)
        }
        ["esito-mittente", _, by] => {
            of_transmission(Operation::ConsultazioneEsitoDsu, "ProtocolloMittente", by)
        }
        ["esito-lotto", _, flow] => {
            of_transmission(Operation::ConsultazioneEsitoLotto, "ProtocolloFlusso", flow)
        }
        _ => panic!("no question: {words:?}"),
    }
}

/// The body of a reply: without the number of the request, documents opened; of a fault, which problem it is.
fn rendered(status: u16, text: &str) -> String {
    if let Some(problem) = text.split("urn:varco:problem:").nth(1) {
        let is_of_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
        let name: String = problem.chars().take_while(is_of_name).collect();
        return format!("{status} FAULT {name}");
    }
    let (_, inside) = text.split_once("Body>").unwrap();
    // Without the ends of the body and of the envelope.
    let inside = inside.rsplitn(3, "</").nth(2).unwrap();
    let mut body = without(inside, "IdRichiesta", |_| String::new());
    for document in DOCUMENTS {
        body = without(&body, document, |encoded| {
            format!("<{document}>\n{}\n</{document}>\n", decoded(encoded))
        });
    }
    format!("{status}\n{}", body.replace("\r\n", "\n").trim_end())
}

/// The same text with an element of that name, if there is one, replaced by what is made of its content.
fn without(text: &str, name: &str, made: impl Fn(&str) -> String) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = text
        .split_once(&open)
        .and_then(|(before, rest)| Some((before, rest.split_once(&close)?)));
    let Some((before, (content, after))) = parts else {
        return text.to_owned();
    };
    format!("{before}{}{after}", made(content))
}

fn decoded(encoded: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap()).unwrap()
}

/// Where answers differ from those recorded, question by question: the first line of each.
pub fn differences(recorded: &[Answered], now: &[String]) -> String {
    let mut told = String::new();
    let differ = recorded
        .iter()
        .zip(now)
        .filter(|(recorded, now)| recorded.answer != **now);
    for (Answered { question, answer }, now) in differ {
        let line = answer
            .lines()
            .zip(now.lines())
            .position(|(one, other)| one != other);
        let line = line.unwrap_or_else(|| answer.lines().count().min(now.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
        writeln!(
            told,
            "? {question}\n  line {}, recorded: {}\n  now: {}",
            line + 1,
            at(answer),
            at(now)
        )
        .unwrap();
    }
    told
}
