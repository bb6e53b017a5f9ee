//! A disk that fails under a gateway that serves: EIO, ENOSPC, short writes, a failed `fdatasync`. Nothing is
//! released unrecorded, and what is released is durable.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};

use kit::{BENEFIT, DSU, ISEE, Site, element, requests};
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::commands::serve::{Started, start_on};
use varco::config::{Config, SEGMENT_BYTES};
use varco::contract::Contract;
use varco::gateway::Gateway;
use varco::gateway::gathered::Gathered;
use varco::gateway::listener::{Ended, Listener};
use varco::gateway::node::Node;
use varco::gateway::settings::Settings;
use varco::isee::CodiceFiscale;
use varco::isee::sintesi::Sintesi;
use varco::ledger::committer::Health;
use varco::ledger::disk::{Disk, DiskFile, RealDisk};
use varco::ledger::{Kind, Role, segments};
use varco::registry::Permit;
use varco::registry::administration::{Actor, perform};
use varco::registry::ente::Tipo;
use varco::sii::answers::{Attestata, Declared};
use varco::sii::{Asking, Consultation, Occasion, Search};

/// What the disk does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Good,
    /// Writes fail, having written that many bytes.
    Write(i32, usize),
    /// `fdatasync` fails.
    Sync,
    /// Writes to the keyring fail, having written that many bytes.
    Key(i32, usize),
    /// `fdatasync` of the keyring fails.
    KeySync,
    /// Small files cannot be replaced: `HEAD`.
    Small(i32),
    /// Writes, syncs and changes of length of the views' file fail, after so many good ones.
    Views(i32, u32),
}

#[derive(Clone)]
struct Faulty(Arc<Mutex<Plan>>);

impl Faulty {
    fn set(&self, plan: Plan) {
        *self.0.lock().unwrap() = plan;
    }
}

impl Disk for Faulty {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        let of_keys = path.ends_with("keyring");
        Ok(Box::new(FaultyFile {
            inner: RealDisk.open(path, create)?,
            plan: self.0.clone(),
            of_keys,
        }))
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        match *self.0.lock().unwrap() {
            Plan::Small(error) => Err(io::Error::from_raw_os_error(error)),
            _ => RealDisk.replace(path, content),
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }

    fn views(&self, builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        builder.create_with_backend(FaultyViews {
            inner: FileBackend::new(file)?,
            plan: self.0.clone(),
        })
    }
}

/// The file of the views. Every write, sync and change of length may fail.
#[derive(Debug)]
struct FaultyViews {
    inner: FileBackend,
    plan: Arc<Mutex<Plan>>,
}

impl FaultyViews {
    fn planned(&self) -> Result<(), io::Error> {
        match &mut *self.plan.lock().unwrap() {
            Plan::Views(error, 0) => Err(io::Error::from_raw_os_error(*error)),
            Plan::Views(_, left) => {
                *left -= 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl StorageBackend for FaultyViews {
    fn len(&self) -> Result<u64, io::Error> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> Result<(), io::Error> {
        self.planned().and_then(|()| self.inner.set_len(length))
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.planned().and_then(|()| self.inner.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.planned().and_then(|()| self.inner.write(offset, data))
    }

    fn close(&self) -> Result<(), io::Error> {
        self.inner.close()
    }
}

struct FaultyFile {
    inner: Box<dyn DiskFile>,
    plan: Arc<Mutex<Plan>>,
    of_keys: bool,
}

impl DiskFile for FaultyFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let plan = *self.plan.lock().unwrap();
        match plan {
            Plan::Key(error, written) if self.of_keys => {
                self.inner
                    .write_all_at(&bytes[..written.min(bytes.len())], offset)?;
                Err(io::Error::from_raw_os_error(error))
            }
            Plan::Write(error, written) => {
                self.inner
                    .write_all_at(&bytes[..written.min(bytes.len())], offset)?;
                Err(io::Error::from_raw_os_error(error))
            }
            _ => self.inner.write_all_at(bytes, offset),
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let plan = *self.plan.lock().unwrap();
        if plan == Plan::Sync || (plan == Plan::KeySync && self.of_keys) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        self.inner.sync_data()
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)
    }

    fn length(&self) -> io::Result<Option<u64>> {
        self.inner.length()
    }
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

async fn started(site: &Site) -> (Started, Faulty) {
    let disk = Faulty(Arc::new(Mutex::new(Plan::Good)));
    let config = Config::read(&site.config()).unwrap();
    let started = start_on(&config, &site.clock, Arc::new(disk.clone()))
        .await
        .unwrap();
    (started, disk)
}

async fn transmit(client: &Client, site: &Site, number: u32) -> Answer {
    let dsu = requests::dsu(&format!("CAF00001-FAULT1-2026-N{number:07}"), &site.today());
    client.call(DSU, &requests::trasmissione(&dsu)).await.unwrap()
}

/// Exchanges of the ledger, by id.
fn recorded(site: &Site) -> Vec<String> {
    let entries = segments::read_from(
        &site.directory().segments(),
        site.directory().ledger,
        1,
        usize::MAX,
    )
    .unwrap();
    entries
        .iter()
        .map(|entry| entry.leaf.body.exchange.to_string())
        .collect()
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.text);
    assert!(answer.text.contains("SOAP-ENV:Server.APIUnavailable") && !answer.text.contains("<Esito>"));
}

#[test]
fn writes_that_fail_give_503_and_lose_nothing() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let mut acknowledged = vec![transmit(&caf, &site, 1).await];
        for (number, plan) in [
            Plan::Write(ENOSPC, 0),
            Plan::Write(EIO, 0),
            Plan::Write(ENOSPC, 100),
            Plan::Write(EIO, 2000),
        ]
        .into_iter()
        .enumerate()
        {
            let number = u32::try_from(number).unwrap() * 10 + 10;
            disk.set(plan);
            let refused = transmit(&caf, &site, number).await;
            assert_unavailable(&refused);
            // Within the second nothing is tried; the disk is well again before it ends.
            disk.set(Plan::Good);
            assert_unavailable(&transmit(&caf, &site, number + 1).await);
            tokio::time::sleep(Duration::from_millis(1200)).await;
            let again = transmit(&caf, &site, number).await;
            assert_eq!(element(&again, "Esito"), "OK");
            let exchange = refused.exchange.unwrap();
            assert!(
                !recorded(&site).contains(&exchange),
                "a refused exchange was recorded after all"
            );
            acknowledged.push(again);
        }
        let comune = site.client(started.address, "comune");
        let found = comune
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        assert_eq!(element(&found, "Esito"), "OK");
        acknowledged.push(found);
        assert_eq!(started.stop().await.unwrap(), Ended::Stopped);
        let all = recorded(&site);
        for answer in &acknowledged {
            assert!(all.contains(answer.exchange.as_ref().unwrap()));
        }
        let report = varco::commands::ledger::verify(&site.directory()).unwrap();
        assert_eq!(report.read.tail, 0);
    });
}

/// A full or bad disk under the views, at each of the first operations on their file. Recorded exchanges are
/// answered, then none until the disk is well. Then all goes on, and the views equal a rebuild.
#[test]
fn views_that_cannot_be_written_give_503_and_recover() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let (caf, comune) = (
            site.client(started.address, "caf"),
            site.client(started.address, "comune"),
        );
        let mut acknowledged = Vec::new();
        for (number, error) in (0..12_u32).zip([ENOSPC, EIO].into_iter().cycle()) {
            let number = 1000 * (number + 1);
            disk.set(Plan::Views(error, number / 2000));
            // Sooner or later the views are written. Every OK until then is recorded.
            let mut failed = 0;
            for attempt in 0..40 {
                let answer = transmit(&caf, &site, number + attempt).await;
                if answer.status.as_u16() == 503 {
                    assert_unavailable(&answer);
                    failed += 1;
                    break;
                }
                assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
                acknowledged.push((number + attempt, answer));
                // Long enough for the views to be made durable.
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            assert!(failed > 0, "{error} {number}: nothing failed");
            assert_ne!(
                *started.gateway.node.ledger.committer.health().borrow(),
                Health::Good
            );
            disk.set(Plan::Good);
            let until = Instant::now() + Duration::from_secs(5);
            let again = loop {
                let again = transmit(&caf, &site, number + 500).await;
                if again.status.as_u16() == 200 {
                    break again;
                }
                assert!(Instant::now() < until, "not back after five seconds");
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            assert_eq!(element(&again, "Esito"), "OK", "{}", again.text);
            acknowledged.push((number + 500, again));
        }
        // The same again is known as such, and the latest is found.
        for (number, answer) in acknowledged.iter().rev().take(5) {
            assert_eq!(
                element(&transmit(&caf, &site, *number).await, "ProtocolloDSU"),
                element(answer, "ProtocolloDSU")
            );
        }
        let found = comune
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        assert_eq!(element(&found, "Esito"), "OK");
        assert_eq!(started.stop().await.unwrap(), Ended::Stopped);
        let all = recorded(&site);
        for (_, answer) in &acknowledged {
            assert!(all.contains(answer.exchange.as_ref().unwrap()));
        }
    });
    varco::commands::ledger::verify(&site.directory()).unwrap();
    kit::views_equal_a_rebuild(&site.directory(), &site.clock);
}

/// Accredits one more CAF. Its first DSU needs a key of its own.
async fn enrol(site: &Site, started: &Started, name: &str) -> Client {
    let issued = site.pki.authority.client(name).unwrap();
    let (certificate, key) = site.pem(name);
    std::fs::write(certificate, &issued.certificate).unwrap();
    std::fs::write(key, &issued.key).unwrap();
    let commands = accreditamento::commands(
        (name, name, "01234567897"),
        Tipo::Caf,
        &issued.fingerprint,
        "TrasmissioneDSU",
        &[],
    );
    let node = &started.gateway.node;
    for command in commands {
        perform(
            &node.ledger,
            &node.registry,
            &command,
            &Actor::of(0, None),
            "prova",
            site.clock.now(),
        )
        .await
        .unwrap();
    }
    site.client(started.address, name)
}

/// A full or bad disk under the keyring: the exchange that needs a new key gets 503, everybody else goes on;
/// once there is room the key is made, and the keyring holds whole records alone.
#[test]
fn a_key_that_cannot_be_written_is_made_when_there_is_room() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        assert_eq!(element(&transmit(&caf, &site, 1).await, "Esito"), "OK");
        let ring = site.data().join("keys/keyring");
        let mut acknowledged = Vec::new();
        for (number, (error, written)) in (1..).zip([(ENOSPC, 0), (ENOSPC, 60), (EIO, 0), (EIO, 127)]) {
            let other = enrol(&site, &started, &format!("caf{number}")).await;
            let before = std::fs::read(&ring).unwrap();
            disk.set(Plan::Key(error, written));
            assert_unavailable(&transmit(&other, &site, 100 + number).await);
            // An ente that needs no new key is answered meanwhile.
            assert_eq!(element(&transmit(&caf, &site, 200 + number).await, "Esito"), "OK");
            assert_eq!(
                std::fs::read(&ring).unwrap(),
                before,
                "something of a key was left"
            );
            disk.set(Plan::Good);
            let again = transmit(&other, &site, 100 + number).await;
            assert_eq!(element(&again, "Esito"), "OK", "{}", again.text);
            acknowledged.push(again);
        }
        assert_eq!(started.stop().await.unwrap(), Ended::Stopped);
        assert_eq!(std::fs::metadata(&ring).unwrap().len() % 128, 0);
        let all = recorded(&site);
        assert!(
            acknowledged
                .iter()
                .all(|answer| all.contains(answer.exchange.as_ref().unwrap()))
        );
    });
    varco::commands::ledger::verify(&site.directory()).unwrap();
}

/// A key that was written and not synced is not known to be there: no entry may be sealed under it, and the
/// process ends, as for the log.
#[test]
fn a_failed_sync_of_the_keyring_ends_the_gateway_and_the_next_start_goes_on() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let first = transmit(&caf, &site, 1).await;
        assert_eq!(element(&first, "Esito"), "OK");
        let other = enrol(&site, &started, "nuovocaf").await;
        disk.set(Plan::KeySync);
        let refused = transmit(&other, &site, 2).await;
        assert_unavailable(&refused);
        let ended = tokio::time::timeout(Duration::from_secs(20), started.finish())
            .await
            .unwrap()
            .unwrap();
        assert!(
            matches!(&ended, Ended::Fatal(why) if why.contains("keyring")),
            "{ended:?}"
        );
        let all = recorded(&site);
        assert!(
            all.contains(first.exchange.as_ref().unwrap())
                && !all.contains(refused.exchange.as_ref().unwrap())
        );
    });
    kit::runtime().block_on(async {
        let (started, _) = started(&site).await;
        let again = transmit(&site.client(started.address, "nuovocaf"), &site, 2).await;
        assert_eq!(element(&again, "Esito"), "OK", "{}", again.text);
        started.stop().await.unwrap();
    });
    varco::commands::ledger::verify(&site.directory()).unwrap();
}

/// `HEAD` cannot be replaced while segments change. It then names less than there is, as a lower bound may.
/// Only the exchange that met the error is refused, and nothing is lost.
#[test]
fn a_head_that_cannot_be_written_loses_nothing() {
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 65536\n");
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let (mut acknowledged, mut refused) = (Vec::new(), 0);
        for (number, error) in (0..60).zip([ENOSPC, EIO].into_iter().cycle()) {
            disk.set(if number % 4 == 3 {
                Plan::Good
            } else {
                Plan::Small(error)
            });
            let answer = transmit(&caf, &site, number).await;
            if answer.status.as_u16() == 503 {
                refused += 1;
                disk.set(Plan::Good);
                tokio::time::sleep(Duration::from_millis(1200)).await;
                let again = transmit(&caf, &site, number).await;
                assert_eq!(element(&again, "Esito"), "OK", "{}", again.text);
                acknowledged.push(again);
            } else {
                acknowledged.push(answer);
            }
        }
        assert!(refused > 0, "no change of segment met the error");
        // It cannot at the stop either: the mark of a clean stop is missing.
        disk.set(Plan::Small(ENOSPC));
        assert_eq!(started.stop().await.unwrap(), Ended::Stopped);
        assert!(
            std::fs::read_to_string(site.data().join("ledger/HEAD"))
                .unwrap()
                .contains(" open ")
        );
        let segments = std::fs::read_dir(site.data().join("ledger")).unwrap();
        let closed = segments
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|ext| ext == "seg")
            })
            .count();
        assert!(closed > 3, "{closed} segments");
        let all = recorded(&site);
        assert!(
            acknowledged
                .iter()
                .all(|answer| all.contains(answer.exchange.as_ref().unwrap()))
        );
    });
    varco::commands::ledger::verify(&site.directory()).unwrap();
    kit::runtime().block_on(async {
        let (started, _) = started(&site).await;
        assert_eq!(
            element(
                &transmit(&site.client(started.address, "caf"), &site, 99).await,
                "Esito"
            ),
            "OK"
        );
        started.stop().await.unwrap();
    });
    varco::commands::ledger::verify(&site.directory()).unwrap();
}

/// The lock of the directory is removed, and a second gateway is started: there is one writer all the same.
#[test]
fn a_ledger_has_one_writer_whatever_becomes_of_the_lock() {
    let site = Site::new();
    let serving = site.serve();
    std::fs::remove_file(site.data().join("lock")).unwrap();
    let config = site.config().display().to_string();
    let (said, started) = kit::varco(&["serve", "--config", &config]);
    assert!(!started && said.contains("un altro processo vi scrive"), "{said}");
    std::fs::remove_file(site.data().join("admin.sock")).unwrap();
    let data = site.data().display().to_string();
    let (said, done) = kit::varco(&["ente", "sospendi", "comune", "--data", &data, "--motivo", "prova"]);
    assert!(!done && said.contains("un altro processo vi scrive"), "{said}");
    kit::runtime().block_on(async {
        assert_eq!(
            element(
                &transmit(&site.client(serving.address, "caf"), &site, 1).await,
                "Esito"
            ),
            "OK"
        );
    });
    serving.stop();
    varco::commands::ledger::verify(&site.directory()).unwrap();
}

/// Somebody removes the open segment, or cuts it short. Nothing more is acknowledged, and the gateway ends.
#[test]
fn an_open_segment_that_is_taken_away_ends_the_gateway() {
    for cut in [false, true] {
        let site = Site::new();
        kit::runtime().block_on(async {
            let (started, _) = started(&site).await;
            let caf = site.client(started.address, "caf");
            assert_eq!(element(&transmit(&caf, &site, 1).await, "Esito"), "OK");
            let segment = site.data().join("ledger/00000000000000000001.seg");
            if cut {
                std::fs::OpenOptions::new()
                    .write(true)
                    .open(&segment)
                    .unwrap()
                    .set_len(200)
                    .unwrap();
            } else {
                std::fs::remove_file(&segment).unwrap();
            }
            assert_unavailable(&transmit(&caf, &site, 2).await);
            let ended = tokio::time::timeout(Duration::from_secs(20), started.finish())
                .await
                .unwrap()
                .unwrap();
            assert!(matches!(ended, Ended::Fatal(_)), "{ended:?}");
        });
        assert!(
            varco::commands::ledger::verify(&site.directory()).is_err(),
            "what was acknowledged is gone"
        );
    }
}

/// An SII that panics when it is asked.
struct Panicking;

impl Consultation for Panicking {
    fn indicatori<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Sintesi>>> {
        Box::pin(async { panic!("a mistake") })
    }

    fn attestazione<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Attestata>>> {
        Box::pin(async { panic!("a mistake") })
    }

    fn dichiarazione<'a>(
        &'a self,
        _: &'a Permit,
        _: Search<'a>,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Declared>>> {
        Box::pin(async { panic!("a mistake") })
    }

    fn esiste<'a>(&'a self, _: &'a CodiceFiscale, _: &'a str, _: Occasion<'a>) -> Asking<'a, bool> {
        Box::pin(async { panic!("a mistake") })
    }
}

#[test]
fn an_exchange_that_panics_has_an_entry_of_its_own_and_tells_nothing() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let config = Config::read(&site.config()).unwrap();
        let mut node = Node::open(&site.directory(), &site.clock, Arc::new(RealDisk), SEGMENT_BYTES).unwrap();
        node.services.consultation = Arc::new(Panicking);
        let settings = Settings::build(&config, &site.clock).unwrap();
        let gateway = Gateway::new(node, Contract::compile().unwrap(), settings, &config);
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address().unwrap();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(listener.serve(gateway.clone(), stopped, Duration::from_secs(10)));
        let mut comune = site.client(address, "comune").connect().await.unwrap();
        for _ in 0..2 {
            let answer = comune
                .call(
                    ISEE,
                    &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
                )
                .await
                .unwrap();
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, ""));
            assert!(answer.headers.contains_key("retry-after"));
        }
        drop(comune);
        stop.send_replace(true);
        serving.await.unwrap();
        gateway.node.close();
    });
    let entries = segments::read_from(
        &site.directory().segments(),
        site.directory().ledger,
        1,
        usize::MAX,
    )
    .unwrap();
    let exchanges: Vec<_> = entries
        .iter()
        .map(|entry| &entry.leaf.body)
        .filter(|body| body.kind == Kind::Exchange)
        .collect();
    assert_eq!(exchanges.len(), 2);
    for body in exchanges {
        assert_eq!(
            (
                body.ente.as_deref(),
                body.outcome.as_deref(),
                body.refusal.as_deref()
            ),
            (Some("comune"), Some("FAULT"), Some("E99.interno"))
        );
    }
    varco::commands::ledger::verify(&site.directory()).unwrap();
}

/// As many groups and exchanges as there may be between two flushes fit one entry.
#[test]
fn whatever_is_gathered_fits_an_entry() {
    let site = Site::new();
    let node = Node::open(&site.directory(), &site.clock, Arc::new(RealDisk), SEGMENT_BYTES).unwrap();
    let gathered = Gathered::default();
    for number in 0..300_u32 {
        let certificate = format!("{number:064x}");
        for _ in 0..1000 {
            gathered.count("H11.tentativi-dichiarante", Some(&certificate));
        }
        gathered.name(
            "E98.non-consegnata",
            &certificate,
            varco::ledger::new_exchange(kit::now()).unwrap(),
        );
    }
    kit::runtime().block_on(gathered.flush(&node));
    node.close();
    let entries = segments::read_from(
        &site.directory().segments(),
        site.directory().ledger,
        1,
        usize::MAX,
    )
    .unwrap();
    let groups = entries
        .iter()
        .find(|entry| entry.leaf.body.kind == Kind::Gathered)
        .expect("an entry")
        .leaf
        .body
        .facts["gruppi"]
        .clone();
    let counted: u64 = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["numero"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, 300 * 1001);
    let named: usize = groups
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|group| group["scambi"].as_array())
        .map(Vec::len)
        .sum();
    assert_eq!(named, 40);
}

#[test]
fn a_verdict_about_a_suspended_ente_is_not_told_unrecorded() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        disk.set(Plan::Write(ENOSPC, 0));
        let suspended = site.client(started.address, "sospeso");
        let answer = suspended
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        assert_unavailable(&answer);
        disk.set(Plan::Good);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let answer = suspended
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        assert!(answer.text.contains("Authorization failed"));
        started.stop().await.unwrap();
    });
}

#[test]
fn a_failed_fdatasync_ends_the_process_and_the_next_start_goes_on_in_a_new_segment() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let first = transmit(&caf, &site, 1).await;
        assert_eq!(element(&first, "Esito"), "OK");
        disk.set(Plan::Sync);
        let refused = transmit(&caf, &site, 2).await;
        assert_unavailable(&refused);
        // Even though the disk is well again: the page cache is no evidence any more.
        disk.set(Plan::Good);
        let ended = tokio::time::timeout(Duration::from_secs(20), started.finish())
            .await
            .unwrap()
            .unwrap();
        assert!(matches!(ended, Ended::Fatal(_)), "{ended:?}");
        assert!(site.data().join("ledger/SYNC-FAILED").exists());

        let (started, _) = self::started(&site).await;
        assert!(started.gateway.node.opened.recovery.sync_failed);
        let caf = site.client(started.address, "caf");
        let again = transmit(&caf, &site, 1).await;
        assert_eq!(element(&again, "ProtocolloDSU"), element(&first, "ProtocolloDSU"));
        started.stop().await.unwrap();
        assert!(!site.data().join("ledger/SYNC-FAILED").exists());
        let segments = std::fs::read_dir(site.data().join("ledger")).unwrap();
        let count = segments
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|e| e == "seg")
            })
            .count();
        assert_eq!(count, 2);
        varco::commands::ledger::verify(&site.directory()).unwrap();
    });
}

/// Whatever another system does: the question is recorded before it leaves, leaves once, and has one end.
#[test]
fn a_question_for_another_system_is_recorded_leaves_once_and_has_an_end() {
    let site = Site::new();
    kit::asked::may_verify(&site);
    let had = site.home.path().join("asked");
    let disk = Faulty(Arc::new(Mutex::new(Plan::Good)));
    kit::runtime().block_on(async {
        let config = Config::read(&site.config()).unwrap();
        let serving = kit::asked::Serving::start(&config, &site.clock, Arc::new(disk.clone()), &had).await;
        let comune = kit::asked::comune(&site, serving.address);
        let ask = async |serial| {
            let (path, message) = kit::asked::question("comune", serial);
            comune.call(path, &message).await.unwrap()
        };
        let answered = ask(10).await;
        assert_eq!(element(&answered, "Esito"), "OK", "{}", answered.text);
        let lost = ask(17).await;
        assert_eq!(
            (element(&lost, "Esito"), element(&lost, "IdRichiesta")),
            ("ERRORE_INTERNO", "0"),
            "{}",
            lost.text
        );
        let conflict = ask(18).await;
        assert_eq!(element(&conflict, "Esito"), "OK", "{}", conflict.text);
        assert_unavailable(&ask(19).await);
        // The ledger takes no entry: nothing leaves.
        disk.set(Plan::Write(ENOSPC, 0));
        assert_unavailable(&ask(20).await);
        disk.set(Plan::Good);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let (status, _) = (ask(30).await.status, serving.stop().await);
        assert_eq!(status.as_u16(), 200);
    });
    let entries = segments::read_from(
        &site.directory().segments(),
        site.directory().ledger,
        1,
        usize::MAX,
    )
    .unwrap();
    let ends = kit::asked::checked(&entries, &had);
    let count = |course, kind| {
        ends.get(&kit::asked::End {
            course: Some(course),
            kind,
        })
        .copied()
        .unwrap_or_default()
    };
    assert_eq!(ends.len(), 4, "{ends:?}");
    assert_eq!(count(kit::asked::Course::Answered, Kind::Exchange), 2);
    assert_eq!(count(kit::asked::Course::Lost, Kind::Exchange), 1);
    assert_eq!(count(kit::asked::Course::Conflict, Kind::Exchange), 1);
    assert_eq!(count(kit::asked::Course::Conflicts, Kind::Interrupted), 1);
    // Who was asked about is found, and what left can be proved.
    let question = entries
        .iter()
        .find(|entry| entry.leaf.body.kind == Kind::Asked)
        .unwrap();
    let body = &question.leaf.body;
    assert_eq!(
        (body.role, body.ente.as_deref()),
        (Some(Role::Fruitore), Some("comune"))
    );
    assert_eq!(body.facts["verso"], "altra porta");
    assert_eq!(body.tokens.as_ref().unwrap().cf.len(), 1);
    assert!(body.commit.as_ref().unwrap().request.is_some());
    assert!(
        !question
            .leaf
            .body
            .facts
            .values()
            .any(|value| value.to_string().contains(kit::asked::DECLARANT))
    );
    assert_eq!(site.refusals()["E01.interno"], 1);
    varco::commands::ledger::verify(&site.directory()).unwrap();
    kit::views_equal_a_rebuild(&site.directory(), &site.clock);
}
