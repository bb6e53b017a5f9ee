//! What an ente is told of a DSU: that it may not know of it costs as much as that there is none. Each case
//! is one request of a CAF, performed by the services in this process, on a data directory of its own: a DSU
//! of another CAF (`theirs`), and none at all (`nobodys`).

use std::hint::black_box;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::civil::Date;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use varco::clock::{Clock, rome};
use varco::commands::demo::accreditamento;
use varco::commands::{ente, init, pki, requests};
use varco::config::{Attesta, SEGMENT_BYTES};
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, ISEE_NS, Request, message};
use varco::gateway::node::Node;
use varco::isee::CodiceFiscale;
use varco::isee::checks::MAX_MEMBERS;
use varco::isee::codes::{PresenzaGenitori, Relazione, Ruolo, TipoOperazione};
use varco::isee::dsu::Dichiarazione;
use varco::isee::feed::FeedRecord;
use varco::isee::foglio::RapportoFinanziario;
use varco::ledger::disk::RealDisk;
use varco::ledger::{Directory, Submission, new_exchange};
use varco::registry::administration::Actor;
use varco::registry::ente::Tipo;
use varco::registry::{Admission, Identified};
use varco::services::{self, Asked, NotPrepared, Prepared};
use varco::sii::upkeep::Act;
use varco::sii::{MANY, Occasion, SiiSettings};
use varco::soap::{self, Version, envelope};
use varco::tls::authorities::Authorities;
use varco::tls::path::PathJudge;
use varco::tls::{Peer, Revocations};
use varco::xml::{self, Document, DocumentLimits, Element};

use super::{Case, Work};
use kit::caseta::{Caseta, conti};
use kit::famiglia::{Famiglia, OPERATIONS};
use kit::growing::code;

/// A protocol that was never given.
const NOBODYS: &str = "INPS-ISEE-2026-00009000E-00";
/// What both CAF may do.
const GRANTED: &str = "TrasmissioneDSU,ConsultazioneEsitoDSU,ConsultazioneAttestazione,ConsultazioneIndicatore,VerificaEsistenzaProtocollo";

/// Two CAF, and what the other one has transmitted.
struct World {
    _home: TempDir,
    node: Node,
    contract: Contract,
    runtime: Runtime,
    today: Date,
    peers: [Peer; 2],
    /// For each operation, then for consultations: the family, and its protocol.
    families: Vec<(CodiceFiscale, String)>,
}

/// A request that was read.
struct Sent {
    operation: Operation,
    request: Request,
    document: &'static Document<'static>,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(World::new)
}

impl World {
    fn new() -> Self {
        let (home, clock) = (tempfile::tempdir().unwrap(), Clock::system());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (data, keys) = (home.path().join("data"), home.path().join("pki"));
        let demo = pki::demo(&keys, clock.now()).unwrap();
        init::create(&data, &clock).unwrap();
        let enrolled = [("caf", demo.caf.fingerprint), ("altro", demo.comune.fingerprint)];
        for (codice, fingerprint) in enrolled {
            for command in accreditamento::commands(
                (codice, codice, "01234567897"),
                Tipo::Caf,
                &fingerprint,
                GRANTED,
                &[],
            ) {
                runtime
                    .block_on(ente::apply(&data, command, "prova", &clock))
                    .unwrap();
            }
        }
        let authorities = Authorities::read(&keys.join("ca.pem")).unwrap();
        let revocations = Revocations::load(&[keys.join("crl.pem")], authorities.all().to_vec()).unwrap();
        let algorithms = rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all;
        let judge = PathJudge::new(&authorities, revocations, algorithms).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(clock.now().as_second().unsigned_abs()));
        let peer = |name: &str| {
            judge
                .judge(&[CertificateDer::from_pem_file(keys.join(name)).unwrap()], now)
                .unwrap()
        };
        let peers = [peer("caf.pem"), peer("comune.pem")];
        // Attested at once, so that there is something to be found.
        let settings = SiiSettings {
            attesta: Attesta::Subito,
            ..SiiSettings::embedded().unwrap()
        };
        let directory = Directory::open(&data).unwrap();
        let node = Node::open_with(&directory, &clock, Arc::new(RealDisk), SEGMENT_BYTES, settings).unwrap();
        let contract = Contract::compile().unwrap();
        let mut world = Self {
            _home: home,
            node,
            contract,
            runtime,
            today: clock.today(),
            peers,
            families: Vec::new(),
        };
        for seed in 1..=7 {
            let mut family = Famiglia::new(seed, world.today);
            family.casa.dsu.sottoscrizione[0].protocollo_mittente = format!("N-{seed}");
            let protocol = world.transmit(&family.casa.dsu);
            world.families.push((family.madre, protocol));
        }
        world
    }

    fn admission(&self, who: usize, operation: Operation) -> Admission {
        let Identified::Caller(caller) = self.node.registry.identify(&self.peers[who], self.today).unwrap()
        else {
            panic!("not let in")
        };
        caller
            .admit(operation, self.today)
            .unwrap()
            .from_office(None)
            .unwrap()
    }

    fn occasion(&self) -> Occasion<'static> {
        let received = self.node.clock.now();
        Occasion {
            exchange: new_exchange(received).unwrap(),
            received,
            today: rome(received).date(),
            ordinal: 1,
            beside: false,
            returned: &[],
        }
    }

    /// What the services prepare for one of the two.
    fn perform(&self, who: usize, sent: &Sent, occasion: Occasion<'_>) -> Prepared {
        self.try_perform(who, sent, occasion).unwrap()
    }

    fn try_perform(&self, who: usize, sent: &Sent, occasion: Occasion<'_>) -> Result<Prepared, NotPrepared> {
        let body = soap::open(sent.document).unwrap().root;
        self.perform_read(who, (sent.operation, &sent.request, body), occasion)
    }

    fn perform_read(
        &self,
        who: usize,
        sent: (Operation, &Request, Element<'_, '_>),
        occasion: Occasion<'_>,
    ) -> Result<Prepared, NotPrepared> {
        let (operation, request, body) = sent;
        let asked = Asked {
            operation,
            request,
            body,
            bytes: &[],
            contract: &self.contract,
            soglie: &[],
        };
        let admission = self.admission(who, operation);
        let prepared =
            self.runtime
                .block_on(services::perform(&self.node.services, admission, asked, occasion))?;
        // The next case has as many attempts.
        let asker = if who == 0 { "caf" } else { "altro" };
        self.node
            .services
            .tentativi
            .give_back(operation, asker, &prepared.mancati);
        Ok(prepared)
    }

    /// The other CAF transmits a DSU: its protocol.
    fn transmit(&self, dsu: &Dichiarazione) -> String {
        let sent = self.read(&transmission(dsu));
        let Prepared {
            reply,
            drafts,
            preconditions,
            ..
        } = self.perform(
            1,
            &sent,
            Occasion {
                beside: true,
                ..self.occasion()
            },
        );
        let submission = Submission {
            drafts,
            preconditions,
        };
        self.runtime
            .block_on(self.node.ledger.committer.submit(submission))
            .unwrap();
        varco::contract::esiti_text(&reply, "ProtocolloDSU")
            .unwrap_or_else(|| panic!("{reply}"))
            .to_owned()
    }

    /// Loads a feed.
    fn load(&self, records: &[FeedRecord]) {
        let actor = Actor::of(0, None);
        let act = Act {
            actor: &actor,
            reason: "prova",
            now: self.node.clock.now(),
        };
        self.runtime
            .block_on(self.node.upkeep.load_feed(records, act))
            .unwrap();
    }

    fn read(&self, text: &str) -> Sent {
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let document: &'static Document<'static> =
            Box::leak(Box::new(xml::parse(text, &DocumentLimits::default()).unwrap()));
        let root = soap::open(document).unwrap().root;
        let operation = Operation::by_root(root.namespace(), root.local()).unwrap();
        let (request, _) = self
            .contract
            .read(operation, root)
            .unwrap_or_else(|findings| panic!("{findings:?}"));
        Sent {
            operation,
            request,
            document,
        }
    }
}

fn transmission(dsu: &Dichiarazione) -> String {
    requests::trasmissione(&message("Dichiarazione", ISEE_NS, dsu, false))
}

fn asking(operation: Operation, inner: &str) -> String {
    let (root, namespace) = (operation.root(), operation.namespace());
    envelope(
        Version::V11,
        &format!("<{root} xmlns=\"{namespace}\">{inner}</{root}>"),
    )
}

/// Every request about another's DSU that must not tell whether there is one, beside the same about none.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (place, tipo) in OPERATIONS.into_iter().enumerate() {
        for own_declarant in [false, true] {
            // A completes for a parent, I, S and C for the declarant herself: these are told that they may.
            if own_declarant && !matches!(tipo, TipoOperazione::R | TipoOperazione::X) {
                continue;
            }
            let who = if own_declarant { "declarant" } else { "stranger" };
            cases.extend(pair(&format!("{}-by-{who}", tipo.code()), move |theirs| {
                let (world, seed) = (world(), place as u64 + 1);
                let mut family = Famiglia::new(seed, world.today);
                let person = if own_declarant {
                    family.madre.clone()
                } else {
                    family.stranger()
                };
                let protocol = if theirs { &world.families[place].1 } else { NOBODYS };
                transmission(&family.operation(tipo, &person, protocol))
            }));
        }
    }
    cases.extend(pair("EsitoDSU", |theirs| {
        let protocol = if theirs { &world().families[6].1 } else { NOBODYS };
        asking(
            Operation::ConsultazioneEsitoDsu,
            &format!("<ProtocolloDSU>{protocol}</ProtocolloDSU>"),
        )
    }));
    cases.extend(pair("Attestazione-by-person", |theirs| {
        let key = format!(
            "<RicercaCF><CodiceFiscale>{}</CodiceFiscale></RicercaCF>",
            person(theirs)
        );
        requests::consultazione(Operation::ConsultazioneAttestazione, &key)
    }));
    cases.extend(pair("Attestazione-by-protocol", |theirs| {
        let (protocol, person) = (if theirs { &world().families[6].1 } else { NOBODYS }, person(theirs));
        let key = format!("<ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{person}</CodiceFiscaleBeneficiario>");
        requests::consultazione(Operation::ConsultazioneAttestazione, &format!("<RicercaProtDSU>{key}</RicercaProtDSU>"))
    }));
    cases.extend(pair("VerificaEsistenzaProtocollo", |theirs| {
        verifica(
            &person(false),
            if theirs { &world().families[6].1 } else { NOBODYS },
        )
    }));
    cases
}

fn verifica(person: &str, protocol: &str) -> String {
    let sender = "<SicurezzaIdentificazioneMittente><CodiceEnte>caf</CodiceEnte><CodiceUfficio>1</CodiceUfficio>\
                  <CFOperatore>RSSMRA80A01H501U</CFOperatore></SicurezzaIdentificazioneMittente>";
    let asked = format!(
        "<CodiceFiscaleDichiarante>{person}</CodiceFiscaleDichiarante><ProtocolloDsu>{protocol}</ProtocolloDsu>"
    );
    asking(
        Operation::PddProtocollo,
        &format!("{sender}<request>{asked}</request>"),
    )
}

/// A look-up by person, of a declarant with one DSU, and of one who has cancelled many before it.
pub(super) fn history() -> Vec<Case> {
    let case = |name: &str, seed: u64, cancelled: u64| Case {
        name: name.to_owned(),
        prepare: Box::new(move || -> Work {
            let world = world();
            let mut family = Famiglia::new(seed, world.today);
            let transmit = |mut dsu: Dichiarazione, sender: String| {
                dsu.sottoscrizione[0].protocollo_mittente = sender;
                world.transmit(&dsu)
            };
            for number in 0..cancelled {
                let protocol = transmit(family.casa.dsu.clone(), format!("{seed}-N{number}"));
                let madre = family.madre.clone();
                transmit(
                    family.operation(TipoOperazione::X, &madre, &protocol),
                    format!("{seed}-X{number}"),
                );
            }
            transmit(family.casa.dsu.clone(), format!("{seed}-last"));
            let key = format!(
                "<RicercaCF><CodiceFiscale>{}</CodiceFiscale></RicercaCF>",
                family.madre.canonical()
            );
            let sent = world.read(&requests::consultazione(
                Operation::ConsultazioneAttestazione,
                &key,
            ));
            let before = world.perform(1, &sent, world.occasion());
            assert!(before.reply.contains("<Esito>OK<"), "{}", before.reply);
            let occasion = world.occasion();
            Box::new(move || drop(black_box(world.perform(1, black_box(&sent), occasion))))
        }),
    };
    vec![case("none-cancelled", 21, 0), case("forty-cancelled", 22, 40)]
}

/// The steps of a serving thread, for the largest families. Of a longer step it finds out the length and no
/// more.
pub(super) fn serving() -> Vec<Case> {
    let case = |name: &str, make: fn() -> (String, bool)| Case {
        name: format!("asked/{name}"),
        prepare: Box::new(move || -> Work {
            let (text, here) = make();
            let (world, sent) = (world(), world().read(&text));
            let occasion = world.occasion();
            let performed = world.try_perform(1, &sent, occasion);
            let is_here = match &performed {
                Ok(prepared) if prepared.reply.contains("<Esito>OK<") => true,
                Err(NotPrepared::Long) => false,
                other => panic!("{other:?}"),
            };
            assert_eq!(is_here, here, "{text}");
            println!(
                "{} {}",
                text.len(),
                performed.map_or(0, |prepared| prepared.reply.len())
            );
            Box::new(move || drop(black_box(world.try_perform(1, black_box(&sent), occasion))))
        }),
    };
    vec![
        case("attestation", || {
            (
                about(Operation::ConsultazioneAttestazione, &presented(40, 0)),
                true,
            )
        }),
        case("indicator", || {
            (about(Operation::ConsultazioneIndicatore, &presented(40, 0)), true)
        }),
        case("person-in-many", || {
            (
                about(Operation::ConsultazioneIndicatore, &in_many(60, MANY)),
                true,
            )
        }),
        case("person-in-many-long", || {
            (
                about(Operation::ConsultazioneIndicatore, &in_many(61, MANY + 1)),
                false,
            )
        }),
        received(),
        case("attestation-long", || {
            (
                about(Operation::ConsultazioneAttestazione, &presented(41, MAX_MEMBERS)),
                false,
            )
        }),
        case("indicator-long", || {
            (
                about(Operation::ConsultazioneIndicatore, &presented(41, MAX_MEMBERS)),
                false,
            )
        }),
        case("exists-long", || {
            let casa = largest(43, MAX_MEMBERS);
            let protocol = world().transmit(&casa.dsu);
            (
                verifica(&casa.dsu.codice_fiscale_dichiarante.canonical(), &protocol),
                false,
            )
        }),
        case("again-long", || {
            let casa = largest(44, MAX_MEMBERS);
            world().transmit(&casa.dsu);
            (transmission(&casa.dsu), false)
        }),
    ]
}

/// A transmission as long as a serving thread takes, from its bytes on: of as many persons as it looks up,
/// each in an entry of the feed of its own, and otherwise of accounts.
fn received() -> Case {
    Case {
        name: "received/transmission".to_owned(),
        prepare: Box::new(|| -> Work {
            let world = world();
            let mut casa = Caseta::seeded(42, world.today);
            casa.member(Ruolo::D, 40, 20_000);
            for _ in 1..10 {
                casa.member(Ruolo::P, 40, 5000);
            }
            for (number, record) in casa.feed.iter().enumerate() {
                let other = |other| FeedRecord {
                    codice_fiscale: code(1000 * number + other),
                    ..record.clone()
                };
                world.load(
                    &std::iter::once(record.clone())
                        .chain((1..75).map(other))
                        .collect::<Vec<_>>(),
                );
            }
            while transmission(&casa.dsu).len() < (32 << 10) - 400 {
                let accounts = casa
                    .sheet(0)
                    .patrimonio_mobiliare
                    .get_or_insert_with(|| conti(10));
                let number = accounts.rapporto.len();
                let account = RapportoFinanziario {
                    identificativo: format!("IT{number}"),
                    ..conti(10).rapporto.remove(0)
                };
                accounts.rapporto.push(account);
            }
            let text = transmission(&casa.dsu);
            let occasion = world.occasion();
            let all = move || {
                let document = xml::parse(&text, &DocumentLimits::default()).unwrap();
                let root = soap::open(&document).unwrap().root;
                let operation = Operation::TrasmissioneDsu;
                let (request, _) = world.contract.read(operation, root).unwrap();
                assert!(!request.is_long(), "ten persons");
                world
                    .perform_read(1, (operation, &request, root), occasion)
                    .unwrap()
            };
            assert!(all().reply.contains("<Esito>OK<"));
            casa.member(Ruolo::P, 40, 0);
            assert!(
                world.read(&transmission(&casa.dsu)).request.is_long(),
                "eleven persons"
            );
            Box::new(move || drop(black_box(all())))
        }),
    }
}

/// A request about a person.
fn about(operation: Operation, person: &CodiceFiscale) -> String {
    let which = if operation == Operation::ConsultazioneIndicatore {
        "<TipoIndicatore>Ordinario</TipoIndicatore>"
    } else {
        ""
    };
    let key = format!(
        "<RicercaCF><CodiceFiscale>{}</CodiceFiscale></RicercaCF>",
        person.canonical()
    );
    requests::consultazione(operation, &format!("{which}{key}"))
}

/// Transmits the DSU of such a family; returns its declarant.
fn presented(seed: u64, ristretti: usize) -> CodiceFiscale {
    let casa = largest(seed, ristretti);
    world().transmit(&casa.dsu);
    casa.dsu.codice_fiscale_dichiarante
}

/// A person in so many DSU. Every declarant but the first has presented another one since, without that
/// person.
fn in_many(seed: u64, dsu: usize) -> CodiceFiscale {
    let world = world();
    let guest = Caseta::seeded(seed, world.today).foglio(30, 0);
    let (mut casa, mut sent) = (Caseta::seeded(seed + 2, world.today), 0..);
    let mut transmit = |mut dsu: Dichiarazione| {
        dsu.sottoscrizione[0].protocollo_mittente = format!("M-{seed}-{}", sent.next().unwrap_or_default());
        world.transmit(&dsu);
    };
    for number in 0..dsu {
        casa.dsu
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .clear();
        casa.member(Ruolo::D, 40, 0);
        let alone = casa.dsu.clone();
        casa.add(Ruolo::P, guest.clone());
        transmit(casa.dsu.clone());
        if number > 0 {
            transmit(alone);
        }
    }
    guest.codice_fiscale
}

/// A family as large as may be, half of it students, with so many restricted nuclei.
fn largest(seed: u64, ristretti: usize) -> Caseta {
    let mut casa = Caseta::seeded(seed, world().today);
    casa.member(Ruolo::D, 99, 20_000);
    casa.member(Ruolo::C, 99, 20_000);
    for number in 2..MAX_MEMBERS {
        let (role, age) = if number % 2 == 0 {
            (Ruolo::Fc, 20)
        } else {
            (Ruolo::P, i16::try_from(98 - number).unwrap())
        };
        let member = casa.member(role, age, 5000);
        if role == Ruolo::Fc {
            casa.student(member, PresenzaGenitori::TuttiPresenti, None, None);
        }
    }
    // Others. The restricted nucleus of each has all younger members as children.
    for beneficiary in (3..MAX_MEMBERS).step_by(2).take(ristretti) {
        let younger = (2..MAX_MEMBERS)
            .filter(|member| member % 2 == 0 || *member > beneficiary)
            .map(|member| (member, Relazione::Fc));
        casa.ristretto(
            &std::iter::once((beneficiary, Relazione::B))
                .chain(younger)
                .collect::<Vec<_>>(),
        );
    }
    casa.dsu.sottoscrizione[0].protocollo_mittente = format!("N-{seed}");
    casa
}

/// A person of the other CAF's, or one of whom there is nothing.
fn person(theirs: bool) -> String {
    let world = world();
    if theirs {
        world.families[6].0.canonical()
    } else {
        Famiglia::new(7, world.today).stranger().canonical()
    }
}

/// Two cases of one request.
fn pair(name: &str, request: impl Fn(bool) -> String + Clone + 'static) -> impl Iterator<Item = Case> {
    let name = name.to_owned();
    [true, false].into_iter().map(move |theirs| {
        let request = request.clone();
        Case {
            name: format!("{name}/{}", if theirs { "theirs" } else { "nobodys" }),
            prepare: Box::new(move || -> Work {
                let (world, text) = (world(), request(theirs));
                let sent = world.read(&text);
                // Once before: what is only done the first time is done.
                let before = world.perform(0, &sent, world.occasion());
                assert!(
                    before.drafts.is_empty() && !before.reply.contains("<Esito>OK<"),
                    "{}",
                    before.reply
                );
                let occasion = world.occasion();
                Box::new(move || drop(black_box(world.perform(0, black_box(&sent), occasion))))
            }),
        }
    })
}
