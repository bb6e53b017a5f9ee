//! Makes a data directory with an entry of every kind that this build writes, and asks it.
//!
//! A directory that is committed is never made again: a later format gets one of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use tokio::runtime::Runtime;
use varco::commands::client::{Answer, Client};
use varco::commands::feed;
use varco::commands::serve::Started;
use varco::gateway::node::Node;
use varco::isee::CodiceFiscale;
use varco::isee::codes::TipoOperazione;
use varco::isee::dsu::Dichiarazione;
use varco::isee::feed::FeedRecord;
use varco::ledger::disk::RealDisk;
use varco::ledger::{Directory, new_exchange};
use varco::registry::administration::Command as Act;

use super::answers::{self, Asking};
use super::port::{ENTI, Port, write_master_key};
use super::{CONSULTED, copy};
use kit::caseta::text;
use kit::{DSU, element, views_equal_a_rebuild};

/// The format that this build writes.
const FORMAT: &str = "1.2";
/// The CAF.
const CAF: [&str; 3] = ["caf", "altrocaf", "terzocaf"];
/// The first instant of the story: a Tuesday.
const BEGIN: &str = "2025-12-30T08:00:00Z";
/// Its first and last day, in Italy.
pub const FIRST: Date = date(2025, 12, 30);
pub const LAST: Date = date(2026, 2, 3);
pub const THRESHOLD: &str = "[[soglia]]\ncodice = \"BVAC01\"\nprestazione = \"A1.07\"\nimporto = \"20000.00\"\nindicatore = \"Ordinario\"\n\n";

/// The top of `answers.txt`.
const HEAD: &str = "# Questions to tests/data/directory-1.2, and answers of the build that wrote it: tests/data/README.md says more.\n\
     # An answer that changes on purpose is changed here, by hand, in the commit that changes it.\n\
     # A line \"?\" and the question; below it status, body without IdRichiesta, documents out of base64.\n\n";
/// Marks an answer that later builds will not give.
const PURPOSE: &str =
    "# CHANGES ON PURPOSE: the ente that completed another ente's DSU is told the family's detail.";

/// The story goes through every kind of entry that this build writes. Views made on the way are those of a
/// rebuild. With `VARCO_DIRECTORY=DIR` the data directory and its answers are kept there: DIR must not exist.
#[test]
fn views_made_through_every_kind_of_entry_equal_a_rebuild() {
    let home = tempfile::tempdir().unwrap();
    let target =
        std::env::var_os("VARCO_DIRECTORY").map_or_else(|| home.path().join("directory"), PathBuf::from);
    assert!(!target.exists(), "{} is there already", target.display());
    let mut maker = Maker::new();
    maker.registry();
    maker.december();
    maker.midnight();
    maker.restore();
    maker.january();
    maker.rules();
    maker.february();
    maker.keep(&target);
    let text = maker.answers(&target);
    std::fs::write(target.join("answers.txt"), &text).unwrap();

    let directory = maker.port.site.directory();
    let counts = answers::of_directory(directory.path(), &maker.port.clock, "voci");
    let kinds: Vec<&str> = counts.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        kinds,
        [
            "admin",
            "attestation",
            "dsu",
            "exchange",
            "feed",
            "gathered",
            "registry",
            "system",
            "in"
        ]
    );
    assert!(
        answers::read(&text).len() > 300,
        "{} questions",
        answers::read(&text).len()
    );
    views_equal_a_rebuild(&directory, &maker.port.clock);
}

/// A port that serves, and the clients of those who ask.
pub struct Open {
    pub started: Started,
    pub caf: Client,
    pub other: Client,
    pub third: Client,
    pub comune: Client,
    pub uni: Client,
}

/// What was made, to be asked about.
#[derive(Default)]
pub struct Made {
    pub persons: Vec<(&'static str, CodiceFiscale)>,
    pub protocols: Vec<Protocol>,
    pub lots: Vec<String>,
}

/// A version of a DSU.
pub struct Protocol {
    pub number: String,
    /// The ente that transmitted it.
    pub ente: &'static str,
    pub declarant: CodiceFiscale,
    /// Whether later builds will tell that ente less.
    pub changes: bool,
}

pub struct Maker {
    pub port: Port,
    pub runtime: Runtime,
    pub made: Made,
    /// The number of the last DSU, for the sender's protocol.
    sent: u32,
}

impl Maker {
    /// As `varco init` does; but the master key is the derived one, before anything is wrapped by it.
    fn new() -> Self {
        let port = Port::new(BEGIN.parse().unwrap());
        let runtime = kit::runtime();
        let directory = Directory::create(&port.data(), new_exchange(port.clock.now()).unwrap()).unwrap();
        write_master_key(&directory.keys(), FORMAT);
        let node = Node::open(&directory, &port.clock, Arc::new(RealDisk), u64::MAX).unwrap();
        runtime.block_on(node.record_opening("init")).unwrap();
        node.close();
        port.configure(THRESHOLD);
        Self {
            port,
            runtime,
            made: Made::default(),
            sent: 0,
        }
    }

    pub fn at(&self, instant: &str) {
        self.port.clock.set(instant.parse().unwrap());
    }

    pub fn tick(&self) {
        self.port.clock.set(self.port.clock.now() + 1.second());
    }

    pub fn act(&self, command: Act) {
        self.tick();
        self.port.site.act(command);
    }

    pub fn open(&self) -> Open {
        self.tick();
        let started = self.runtime.block_on(self.port.start());
        let client = |ente| self.port.client(started.address, ente);
        let (caf, other, third) = (client("caf"), client("altrocaf"), client("terzocaf"));
        Open {
            caf,
            other,
            third,
            comune: client("comune"),
            uni: client("uni"),
            started,
        }
    }

    pub fn close(&self, open: Open) {
        self.tick();
        let gateway = &open.started.gateway;
        self.runtime.block_on(gateway.gathered.flush(&gateway.node));
        self.runtime.block_on(open.started.stop()).unwrap();
    }

    pub fn call(&self, client: &Client, path: &str, request: &str) -> Answer {
        self.tick();
        self.runtime.block_on(client.call(path, request)).unwrap()
    }

    pub fn feed(&self, records: &[FeedRecord]) {
        self.tick();
        self.runtime
            .block_on(feed::load(&self.port.data(), records, "prova", &self.port.clock))
            .unwrap();
    }

    pub fn next_sender(&mut self) -> String {
        self.sent += 1;
        format!("PROVA001-DIR11-N{:07}", self.sent)
    }

    /// Transmits what is accepted: its protocol.
    pub fn accepted(&mut self, (client, ente): (&Client, &'static str), dsu: &Dichiarazione) -> String {
        let sender = self.next_sender();
        let answer = self.call(client, DSU, &text(dsu, &sender));
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        let protocol = element(&answer, "ProtocolloDSU").to_owned();
        if dsu.operazione.tipo != TipoOperazione::X {
            self.made(&protocol, ente, &dsu.codice_fiscale_dichiarante);
        }
        protocol
    }

    pub fn made(&mut self, number: &str, ente: &'static str, declarant: &CodiceFiscale) {
        let (number, declarant) = (number.to_owned(), declarant.clone());
        self.made.protocols.push(Protocol {
            number,
            ente,
            declarant,
            changes: false,
        });
    }

    /// Transmits what is refused: by which check.
    pub fn refused(&mut self, client: &Client, dsu: &Dichiarazione, code: &str) {
        let sender = self.next_sender();
        let answer = self.call(client, DSU, &text(dsu, &sender));
        let told = (element(&answer, "Esito"), element(&answer, "Codice"));
        assert_eq!(told, ("RICHIESTA_INVALIDA", code), "{}", answer.text);
    }

    pub fn person(&mut self, name: &'static str, person: &CodiceFiscale) {
        self.made.persons.push((name, person.clone()));
    }

    /// The last one transmitted is of an ente that will be told less.
    pub fn of_another(&mut self) {
        self.made.protocols.last_mut().unwrap().changes = true;
    }
}

impl Maker {
    /// A person of whom something was made.
    pub fn named(&self, name: &str) -> CodiceFiscale {
        self.made
            .persons
            .iter()
            .find(|(other, _)| *other == name)
            .unwrap()
            .1
            .clone()
    }

    /// The first DSU of a declarant.
    pub fn first_of(&self, declarant: &CodiceFiscale) -> String {
        self.made
            .protocols
            .iter()
            .find(|each| each.declarant == *declarant)
            .unwrap()
            .number
            .clone()
    }

    pub fn last_protocol(&self) -> String {
        self.made.protocols.last().unwrap().number.clone()
    }

    /// The directory without what is made where it is missing, and without its master key.
    fn keep(&self, target: &Path) {
        let data = self.port.data();
        copy(&data.join("ledger"), &target.join("ledger"));
        for file in std::fs::read_dir(target.join("ledger"))
            .unwrap()
            .map(|file| file.unwrap().path())
        {
            if file.extension().is_some_and(|extension| extension == "idx") {
                std::fs::remove_file(file).unwrap();
            }
        }
        std::fs::create_dir(target.join("keys")).unwrap();
        for file in ["FORMAT", "keys/keyring"] {
            std::fs::copy(data.join(file), target.join(file)).unwrap();
        }
    }

    /// Asks a copy of what was made.
    fn answers(&self, directory: &Path) -> String {
        let port = Port::new(CONSULTED.parse().unwrap());
        copy(directory, &port.data());
        write_master_key(&port.data().join("keys"), FORMAT);
        let mut text = HEAD.to_owned();
        let of_directory = ["voci", "foglie"]
            .map(str::to_owned)
            .into_iter()
            .chain(self.of_files());
        for question in of_directory {
            text += &answers::written(
                &question,
                &answers::of_directory(&port.data(), &port.clock, &question),
            );
        }
        port.certify_all();
        self.runtime.block_on(async {
            let started = port.start().await;
            let mut asking = Asking::new(&port, started.address);
            for (comment, questions) in self.of_port() {
                text += &format!("{comment}\n");
                for question in questions {
                    text += &answers::written(&question, &asking.ask(&question).await);
                }
            }
            started.stop().await.unwrap();
        });
        text
    }

    fn of_files(&self) -> Vec<String> {
        let first = self
            .made
            .protocols
            .iter()
            .filter(|each| each.number.ends_with("-00"));
        let versions = first.map(|each| format!("versioni {}", each.number));
        let enti = ENTI
            .into_iter()
            .chain(["sospeso", "revocato", "rifiutato"])
            .map(|ente| format!("ente {ente}"));
        enti.chain(versions).collect()
    }

    /// Questions to the port, in groups, each under a comment.
    fn of_port(&self) -> Vec<(String, Vec<String>)> {
        let persons = self.made.persons.iter();
        let persons = persons.map(|(name, person)| (format!("# {name}"), of_person(&person.canonical())));
        let protocols = self.made.protocols.iter().flat_map(of_protocol);
        let lots = self.made.lots.iter();
        let lots = lots.flat_map(|flow| ["caf", "altrocaf"].map(|ente| format!("esito-lotto {ente} {flow}")));
        let senders = CAF.map(|ente| format!("esito-mittente {ente} PROVA001-DIR11-N0000001"));
        let lots = ("# The lot.".to_owned(), lots.collect());
        let senders = ("# By the sender's protocol.".to_owned(), senders.to_vec());
        persons.chain(protocols).chain([lots, senders]).collect()
    }
}

fn of_person(person: &str) -> Vec<String> {
    let days = ENTI.iter().flat_map(|ente| [(ente, FIRST), (ente, LAST)]);
    let by_all = days.flat_map(|(ente, day)| {
        let indicatore = format!("indicatore {ente} {person} Ordinario {day}");
        [indicatore, format!("attestazione {ente} {person} {day}")]
    });
    let others =
        ["Minorenne", "Residenziale"].map(|tipo| format!("indicatore comune {person} {tipo} {FIRST}"));
    let declared = [FIRST, LAST].map(|day| format!("dichiarazione comune {person} {day}"));
    by_all.chain(others).chain(declared).collect()
}

fn of_protocol(
    Protocol {
        number,
        ente,
        declarant,
        changes,
    }: &Protocol,
) -> [(String, Vec<String>); 2] {
    let comment = if *changes {
        PURPOSE.to_owned()
    } else {
        format!("# A version that {ente} transmitted.")
    };
    let others = CAF.into_iter().filter(|other| other != ente);
    let others = others.map(|other| format!("esito-dsu {other} {number}"));
    let attestation = format!("protocollo comune {number} {}", declarant.canonical());
    let rest = others.chain([attestation]).collect();
    let of_others = "# The same version, asked about by others.".to_owned();
    [
        (comment, vec![format!("esito-dsu {ente} {number}")]),
        (of_others, rest),
    ]
}
