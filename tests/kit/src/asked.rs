//! An SII whose answers come from another system: every question leaves the process. The other system writes
//! down what it was asked, synced, before it answers.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;
use varco::clock::Clock;
use varco::commands::client::Client;
use varco::config::{Config, SEGMENT_BYTES};
use varco::contract::Contract;
use varco::contract::catalogue::Operation;
use varco::gateway::Gateway;
use varco::gateway::listener::Listener;
use varco::gateway::node::Node;
use varco::gateway::settings::Settings;
use varco::isee::CodiceFiscale;
use varco::isee::sintesi::Sintesi;
use varco::ledger::disk::Disk;
use varco::ledger::{Directory, Entry, Kind, Precondition};
use varco::registry::Permit;
use varco::sii::answers::{Attestata, Declared};
use varco::sii::{Ask, Asking, Carrier, Carrying, Consultation, Lost, Occasion, Said, Search, Step};
use varco::soap;

use crate::site::Site;

/// The name of the other system.
const OTHER: &str = "altra porta";
/// The name of the question.
const QUESTION: &str = "protocollo";
/// The path of the operation.
const PATH: &str = "/isee/PdD/VerificaEsistenzaProtocollo";
/// A declarant.
pub const DECLARANT: &str = "RSSMRA80A01H501U";

/// What the other system does, and what happens to the exchange meanwhile: by the last digit of the
/// protocol's serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Course {
    /// It answers.
    Answered,
    /// It had the question, and its reply is lost.
    Lost,
    /// It answers; the exchange meets a conflict once.
    Conflict,
    /// It answers; the exchange meets a conflict every time.
    Conflicts,
}

impl Course {
    pub fn of(protocol: &str) -> Self {
        match protocol.as_bytes()[22] {
            b'7' => Self::Lost,
            b'8' => Self::Conflict,
            b'9' => Self::Conflicts,
            _ => Self::Answered,
        }
    }
}

/// The other system.
struct Other {
    /// What it was asked, a line each.
    asked: PathBuf,
}

impl Carrier for Other {
    fn carry(&self, request: Bytes) -> Carrying<'_> {
        Box::pin(async move {
            let text = String::from_utf8(request.to_vec()).unwrap();
            let mut file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.asked)
                .unwrap();
            file.write_all(format!("{text}\n").as_bytes()).unwrap();
            file.sync_data().unwrap();
            tokio::time::sleep(Duration::from_millis(
                u64::from(text.as_bytes()[text.len() - 5]) % 4,
            ))
            .await;
            match Course::of(text.split(' ').nth(1).unwrap()) {
                Course::Lost => Err(Lost("the connection ended".to_owned())),
                _ => Ok(Bytes::from_static(b"yes")),
            }
        })
    }
}

/// The SII before it.
pub struct Remote {
    other: Arc<Other>,
    /// How often each exchange has been answered.
    answered: Mutex<HashMap<Uuid, u32>>,
}

impl Remote {
    /// Of an other system that writes what it was asked there.
    pub fn new(asked: &Path) -> Self {
        Self {
            other: Arc::new(Other {
                asked: asked.to_owned(),
            }),
            answered: Mutex::default(),
        }
    }
}

impl Consultation for Remote {
    fn indicatori<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Sintesi>>> {
        Box::pin(async { Ok(Step::Done(Said::read(None, Vec::new()))) })
    }

    fn attestazione<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Attestata>>> {
        Box::pin(async { Ok(Step::Done(Said::read(None, Vec::new()))) })
    }

    fn dichiarazione<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Declared>>> {
        Box::pin(async { Ok(Step::Done(Said::read(None, Vec::new()))) })
    }

    fn esiste<'a>(
        &'a self,
        dichiarante: &'a CodiceFiscale,
        protocollo: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, bool> {
        Box::pin(async move {
            let Some(reply) = occasion.reply(QUESTION) else {
                let request = Bytes::from(format!("{} {protocollo}", occasion.exchange));
                let persone = vec![dichiarante.canonical()];
                return Ok(Step::Ask(Ask {
                    name: QUESTION,
                    to: OTHER.to_owned(),
                    request,
                    persone,
                    carrier: self.other.clone(),
                }));
            };
            let answer = reply?.as_ref() == b"yes";
            let mut answered = self.answered.lock().unwrap();
            let before = answered.entry(occasion.exchange).or_default();
            *before += 1;
            let conflict = match Course::of(protocollo) {
                Course::Conflict => *before == 1,
                Course::Conflicts => true,
                Course::Answered | Course::Lost => false,
            };
            // The ente was registered after the first entry.
            let never = Precondition {
                key: "ente/comune".to_owned(),
                seen: 0,
            };
            Ok(Step::Done(Said::read(
                answer,
                conflict.then_some(never).into_iter().collect(),
            )))
        })
    }
}

/// A gateway of this process, whose consultations another system answers.
pub struct Serving {
    pub gateway: Arc<Gateway>,
    pub address: SocketAddr,
    stop: tokio::sync::watch::Sender<bool>,
    serving: tokio::task::JoinHandle<varco::gateway::listener::Ended>,
}

impl Serving {
    pub async fn start(config: &Config, clock: &Clock, disk: Arc<dyn Disk>, asked: &Path) -> Self {
        let mut node = Node::open(
            &Directory::open(&config.data).unwrap(),
            clock,
            disk,
            SEGMENT_BYTES,
        )
        .unwrap();
        node.record_opening("start").await.unwrap();
        node.services.consultation = Arc::new(Remote::new(asked));
        let settings = Settings::build(config, clock).unwrap();
        let gateway = Gateway::new(node, Contract::compile().unwrap(), settings, config);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address().unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(listener.serve(gateway.clone(), stopped, Duration::from_secs(10)));
        Self {
            gateway,
            address,
            stop,
            serving,
        }
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
        self.gateway.node.close();
    }
}

/// A question about a protocol with this serial number: the path and the message.
pub fn question(ente: &str, serial: u64) -> (&'static str, String) {
    (
        PATH,
        verify(ente, &format!("INPS-ISEE-2026-{serial:08}A-00"), DECLARANT),
    )
}

/// VerificaEsistenzaProtocollo.
pub fn verify(ente: &str, protocol: &str, declarant: &str) -> String {
    let operation = Operation::PddProtocollo;
    let (root, namespace) = (operation.root(), operation.namespace());
    let body = format!(
        "<{root} xmlns=\"{namespace}\"><SicurezzaIdentificazioneMittente><CodiceEnte>{ente}</CodiceEnte><CodiceUfficio>1</CodiceUfficio>\
         <CFOperatore>{DECLARANT}</CFOperatore></SicurezzaIdentificazioneMittente><request><CodiceFiscaleDichiarante>{declarant}\
         </CodiceFiscaleDichiarante><ProtocolloDsu>{protocol}</ProtocolloDsu></request></{root}>"
    );
    soap::envelope(soap::Version::V11, &body)
}

/// The site's municipality may verify protocols.
pub fn may_verify(site: &Site) {
    site.act(varco::commands::demo::accreditamento::granted(
        "comune",
        "VerificaEsistenzaProtocollo",
        &[],
    ));
}

/// A client of the municipality.
pub fn comune(site: &Site, address: SocketAddr) -> Client {
    site.client(address, "comune")
}

/// The questions of a ledger, with what their exchanges came to: of each course how many ended with the
/// exchange's entry, and how many were interrupted. Each was recorded before the other system had it, which
/// had it once at most; each has one end.
pub fn checked(entries: &[Entry], asked: &Path) -> HashMap<End, usize> {
    let had: Vec<(Uuid, String)> = std::fs::read_to_string(asked)
        .unwrap_or_default()
        .lines()
        .map(|line| {
            line.split_once(' ')
                .map(|(exchange, protocol)| (exchange.parse().unwrap(), protocol.to_owned()))
                .unwrap()
        })
        .collect();
    let bodies = |kind| entries.iter().filter(move |entry| entry.leaf.body.kind == kind);
    let questions: HashMap<Uuid, u64> = bodies(Kind::Asked)
        .map(|entry| (entry.leaf.body.exchange, entry.leaf.seq))
        .collect();
    assert_eq!(
        questions.len(),
        bodies(Kind::Asked).count(),
        "an exchange asked twice"
    );
    let mut seen = std::collections::HashSet::new();
    for (exchange, _) in &had {
        assert!(seen.insert(*exchange), "{exchange} was asked twice");
        assert!(
            questions.contains_key(exchange),
            "{exchange} was asked and not recorded"
        );
    }
    let course: HashMap<Uuid, Course> = had
        .iter()
        .map(|(exchange, protocol)| (*exchange, Course::of(protocol)))
        .collect();
    let mut ends: HashMap<Uuid, (Kind, u64)> = HashMap::new();
    for entry in bodies(Kind::Exchange).chain(bodies(Kind::Interrupted)) {
        let body = &entry.leaf.body;
        let Some(ended) = body.facts.get("chieste") else {
            continue;
        };
        let sequence = questions[&body.exchange];
        assert_eq!(*ended, serde_json::json!([sequence]));
        assert!(entry.leaf.seq > sequence);
        assert!(
            ends.insert(body.exchange, (body.kind, entry.leaf.seq)).is_none(),
            "{} has two ends",
            body.exchange
        );
    }
    let mut counted = HashMap::new();
    for exchange in questions.keys() {
        let (kind, _) = ends
            .get(exchange)
            .unwrap_or_else(|| panic!("{exchange} has no end"));
        *counted
            .entry(End {
                course: course.get(exchange).copied(),
                kind: *kind,
            })
            .or_default() += 1;
    }
    counted
}

/// A course, None where the other system never had the question, and the kind of the entry at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    pub course: Option<Course>,
    pub kind: Kind,
}
