//! The ledger on one engine or the other, with the services over it: in memory, or in segment files. No TLS
//! and no HTTP: what is asked is answered in milliseconds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;
use varco::clock::{Clock, rome};
use varco::commands::demo::accreditamento;
use varco::commands::pki;
use varco::config::{Attesta, SEGMENT_BYTES};
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, esiti_text};
use varco::gateway::node::{Node, NodeParts};
use varco::ledger::disk::RealDisk;
use varco::ledger::segments::Recovery;
use varco::ledger::{
    Body, Directory, Keys, Kind, MemLog, NotCommitted, Precondition, Retention, Submission, TokenKey, Tokens,
    new_exchange,
};
use varco::registry::Identified;
use varco::registry::administration::{Actor, Command, perform_all};
use varco::registry::ente::Tipo;
use varco::services::{self, Asked, Prepared};
use varco::sii::{Occasion, SiiSettings};
use varco::soap;
use varco::tls::authorities::Authorities;
use varco::tls::path::PathJudge;
use varco::tls::peer::Peer;
use varco::tls::revocation::Revocations;
use varco::xml::{self, DocumentLimits};

/// Two CAF and a municipality may do everything.
const GRANTED: &str = "TrasmissioneDSU,TrasmissioneLotto,ConsultazioneEsitoDSU,ConsultazioneEsitoLotto,ConsultazioneAttestazione,ConsultazioneIndicatore,\
                       ConsultazioneSogliaIndicatore,VerificaEsistenzaProtocollo";

/// Keys, certificates and a clock that several engines may share, so that they tell the same.
pub struct Ground {
    home: TempDir,
    pub clock: Clock,
    pki: pki::Demo,
    peers: [(&'static str, Peer); 2],
}

impl Ground {
    pub fn new(clock: Clock) -> Self {
        let home = tempfile::tempdir().unwrap();
        let certificates = home.path().join("pki");
        let pki = pki::demo(&certificates, clock.now()).unwrap();
        // Its keys are copied to every engine: tokens and protocols are the same.
        Directory::create(&home.path().join("model"), Uuid::nil()).unwrap();
        let keys = Keys::open(&home.path().join("model/keys"), false).unwrap();
        keys.begin(clock.today().year()).unwrap();
        keys.series().unwrap();
        drop(keys);
        let authorities = Authorities::read(&certificates.join("ca.pem")).unwrap();
        let revocations =
            Revocations::load(&[certificates.join("crl.pem")], authorities.all().to_vec()).unwrap();
        let algorithms = rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all;
        let judge = PathJudge::new(&authorities, revocations, algorithms).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(clock.now().as_second().unsigned_abs()));
        let peer = |name: &str| {
            judge
                .judge(
                    &[CertificateDer::from_pem_file(certificates.join(name)).unwrap()],
                    now,
                )
                .unwrap()
        };
        let peers = [("caf", peer("caf.pem")), ("comune", peer("comune.pem"))];
        Self {
            home,
            clock,
            pki,
            peers,
        }
    }

    fn keys(&self, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for name in ["master.key", "keyring"] {
            std::fs::copy(self.home.path().join("model/keys").join(name), to.join(name)).unwrap();
        }
    }

    /// A ledger in memory.
    pub fn memory(&self) -> Engine {
        self.on(MemLog::new())
    }

    /// On a log in memory that may have entries.
    pub fn on(&self, log: MemLog) -> Engine {
        let home = tempfile::tempdir().unwrap();
        self.keys(&home.path().join("keys"));
        Engine::assemble(self.clock.clone(), home, log)
    }

    /// A ledger in segment files.
    pub fn files(&self) -> Engine {
        let home = tempfile::tempdir().unwrap();
        let directory = Directory::create(&home.path().join("data"), Uuid::nil()).unwrap();
        self.keys(&directory.keys());
        let node = Node::open_with(
            &directory,
            &self.clock,
            Arc::new(RealDisk),
            SEGMENT_BYTES,
            settings(),
        )
        .unwrap();
        Engine::with(node, self.clock.clone(), home)
    }

    /// Registers the CAF and the municipality.
    pub fn enrol(&self, engine: &Engine) {
        for (codice, fingerprint, tipo) in [
            ("caf", &self.pki.caf.fingerprint, Tipo::Caf),
            ("comune", &self.pki.comune.fingerprint, Tipo::Comune),
        ] {
            for command in accreditamento::commands(
                (codice, codice, "01234567897"),
                tipo,
                fingerprint,
                GRANTED,
                &["A1.07"],
            ) {
                engine.act(command);
            }
        }
    }

    /// The certificate of an ente.
    pub fn peer(&self, ente: &str) -> &Peer {
        &self.peers.iter().find(|(name, _)| *name == ente).unwrap().1
    }
}

fn settings() -> SiiSettings {
    SiiSettings {
        attesta: Attesta::Subito,
        ..SiiSettings::embedded().unwrap()
    }
}

/// A node on one engine.
pub struct Engine {
    pub node: Node,
    pub clock: Clock,
    pub home: TempDir,
    contract: Contract,
    runtime: Runtime,
}

impl Engine {
    /// A node on a log in memory, with the keys that are in `home`.
    pub fn assemble(clock: Clock, home: TempDir, log: MemLog) -> Self {
        Self::assemble_of(Uuid::nil(), clock, home, log)
    }

    /// The same, of a ledger with an id.
    pub fn assemble_of(id: Uuid, clock: Clock, home: TempDir, log: MemLog) -> Self {
        let keys = Arc::new(Keys::open(&home.path().join("keys"), false).unwrap());
        let parts = NodeParts {
            id,
            log: Box::new(log.clone()),
            reader: Arc::new(log),
            keys,
            recovery: Recovery::default(),
            lock: None,
            damage: varco::ledger::damage::Damage::default(),
            disk: Arc::new(RealDisk),
            tiles: home.path().join("tile"),
        };
        let node = Node::assemble(parts, &home.path().join("views"), &clock, settings()).unwrap();
        Self::with(node, clock, home)
    }

    fn with(node: Node, clock: Clock, home: TempDir) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            node,
            clock,
            home,
            contract: Contract::compile().unwrap(),
            runtime,
        }
    }

    pub fn today(&self) -> Date {
        self.clock.today()
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// An administrative act.
    pub fn act(&self, command: Command) {
        let (actor, now) = (Actor::of(0, None), self.clock.now());
        self.block_on(perform_all(
            &self.node.ledger,
            &self.node.registry,
            &[command],
            &actor,
            "prova",
            now,
        ))
        .unwrap();
    }

    /// What an ente asks and is answered, as the gateway would have it recorded.
    pub fn ask(&self, peer: &Peer, message: &str) -> Result<Prepared, String> {
        let document = xml::parse(message, &DocumentLimits::default()).map_err(|error| error.to_string())?;
        let root = soap::open(&document).unwrap().root;
        let operation = Operation::by_root(root.namespace(), root.local()).ok_or("no such operation")?;
        let (request, _) = self
            .contract
            .read(operation, root)
            .map_err(|findings| format!("{findings:?}"))?;
        let Identified::Caller(caller) = self.node.registry.identify(peer, self.today()).unwrap() else {
            return Err("not let in".to_owned());
        };
        let ente = caller.ente().codice.clone();
        let admission = caller
            .admit(operation, self.today())
            .map_err(|refusal| format!("{:?}", refusal.code))?
            .from_office(None)
            .unwrap();
        let received = self.clock.now();
        let exchange = new_exchange(received).unwrap();
        let occasion = Occasion {
            exchange,
            received,
            today: rome(received).date(),
            ordinal: 1,
            beside: true,
            returned: &[],
        };
        let soglie = [varco::config::Soglia {
            codice: "MENS01".to_owned(),
            prestazione: "A1.07".to_owned(),
            indicatore: Some("Ordinario".to_owned()),
            importo: rust_decimal::Decimal::from(20_000),
        }];
        let asked = Asked {
            operation,
            request: &request,
            body: root,
            bytes: message.as_bytes(),
            contract: &self.contract,
            soglie: &soglie,
        };
        let performed = services::perform(&self.node.services, admission, asked, occasion);
        let mut prepared = self.block_on(performed).map_err(|error| error.to_string())?;
        let keys = &self.node.ledger.keys;
        let key = TokenKey::of(received, operation.retention());
        let mut body = Body::new(Kind::Exchange, operation.retention(), exchange, received);
        body.ente = Some(ente);
        body.operation = Some(operation.name().to_owned());
        body.outcome = Some(prepared.note.outcome.to_owned());
        body.refusal.clone_from(&prepared.note.refusal);
        let cf = prepared
            .note
            .cf
            .iter()
            .map(|code| keys.token(key, "cf", code).unwrap())
            .collect();
        body.tokens = Some(Tokens {
            cf,
            ..Tokens::under(key)
        });
        for (name, value) in &prepared.note.facts {
            body = body.fact(*name, value);
        }
        let mut drafts = vec![self.node.ledger.prepare_open(body).unwrap()];
        drafts.append(&mut prepared.drafts);
        let submission = Submission {
            drafts,
            preconditions: std::mem::take(&mut prepared.preconditions),
        };
        self.block_on(self.node.ledger.committer.submit(submission))
            .map_err(|error| error.to_string())?;
        Ok(prepared)
    }

    /// An entry that says nothing.
    pub fn submit(&self) -> Result<u64, NotCommitted> {
        self.block_on(self.submit_if(&[], Vec::new()))
    }

    /// The same, for an entry that advances names, under preconditions.
    pub async fn submit_if(
        &self,
        advanced: &[&str],
        preconditions: Vec<Precondition>,
    ) -> Result<u64, NotCommitted> {
        let now = self.clock.now();
        let mut body = Body::new(Kind::Admin, Retention::Sistema, new_exchange(now).unwrap(), now);
        body.keys = advanced.iter().map(|&name| name.to_owned()).collect();
        let draft = self.node.ledger.prepare_open(body).unwrap();
        let submission = Submission {
            drafts: vec![draft],
            preconditions,
        };
        let receipt = self.node.ledger.committer.submit(submission).await;
        receipt.map(|receipt| receipt.first())
    }
}

/// The text of an element of a reply.
pub fn text<'t>(prepared: &'t Prepared, name: &str) -> &'t str {
    esiti_text(&prepared.reply, name).unwrap_or_else(|| panic!("no {name} in {}", prepared.reply))
}
