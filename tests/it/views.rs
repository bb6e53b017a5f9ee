//! The views: made again whenever they cannot be trusted, right on every node that shares a log, and never
//! anything personal in them.

mod engines;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use kit::{BENEFIT, DSU, ISEE, Site, element, requests};
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::config::Config;
use varco::contract::Contract;
use varco::gateway::Gateway;
use varco::gateway::listener::Listener;
use varco::gateway::node::{Node, NodeParts, rebuild};
use varco::gateway::settings::Settings;
use varco::ledger::disk::RealDisk;
use varco::ledger::segments::Recovery;
use varco::ledger::{Keys, MemLog, new_exchange};
use varco::registry::administration::{Actor, Command, perform};
use varco::registry::ente::{Stato, Tipo};
use varco::state::Rebuilt;

/// Serves once: transmits, retrieves, stops.
fn use_once(site: &Site, number: u32) -> Answer {
    let serving = site.serve();
    let answer = kit::runtime().block_on(async {
        let dsu = requests::dsu(&format!("CAF00001-VIEWS1-2026-N{number:07}"), &site.today());
        let transmitted = site
            .client(serving.address, "caf")
            .call(DSU, &requests::trasmissione(&dsu))
            .await
            .unwrap();
        assert_eq!(element(&transmitted, "Esito"), "OK");
        let found = site
            .client(serving.address, "comune")
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await;
        assert_eq!(element(&found.unwrap(), "Esito"), "OK");
        transmitted
    });
    serving.stop();
    answer
}

fn open(site: &Site) -> (Rebuilt, Vec<varco::state::Pair>) {
    let node = Node::open(&site.directory(), &site.clock, Arc::new(RealDisk), u64::MAX).unwrap();
    let dump = node.store.scan("").unwrap();
    let rebuilt = node.opened.rebuilt;
    node.close();
    (rebuilt, dump)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            std::fs::copy(&path, &target).map(|_| ()).unwrap()
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found
}

#[test]
fn views_that_are_gone_damaged_or_of_another_moment_are_made_again() {
    let site = Site::new();
    let views = site.data().join("views");
    let first = use_once(&site, 1);
    let (rebuilt, right) = open(&site);
    assert_eq!(rebuilt, Rebuilt::No, "a clean stop is trusted");

    // Deleted.
    std::fs::remove_dir_all(&views).unwrap();
    assert_eq!(open(&site), (Rebuilt::Missing, right.clone()));

    // Garbage in the file of redb's, all of it and a single byte, and the file emptied.
    let file = views.join("views.redb");
    let whole = std::fs::read(&file).unwrap();
    let spoilt = whole
        .windows(8)
        .position(|bytes| bytes == b"\"codice\"")
        .expect("the card of an ente");
    let flipped = [&whole[..spoilt + 1], b"X", &whole[spoilt + 2..]].concat();
    for content in [vec![0xa5; 4096], Vec::new(), flipped] {
        std::fs::write(&file, &content).unwrap();
        let (_, dump) = open(&site);
        assert_eq!(dump, right, "garbage was believed");
        let before = std::fs::read_to_string(views.with_extension("aside").join("TRUST"));
        assert!(
            before.is_ok_and(|text| text.contains("\"clean\":false")),
            "clean is what nothing was opened of since"
        );
    }

    // A flipped byte in the file that says whose they are, or that file gone.
    std::fs::write(views.join("TRUST"), "{}").unwrap();
    assert_eq!(open(&site), (Rebuilt::Untrusted, right.clone()));
    std::fs::remove_file(views.join("TRUST")).unwrap();
    assert_eq!(open(&site), (Rebuilt::Untrusted, right.clone()));

    // Of an earlier moment, cleanly closed: the log has more, and it is applied.
    let earlier = site.home.path().join("earlier");
    copy(&views, &earlier);
    use_once(&site, 2);
    let (_, later) = open(&site);
    assert_ne!(later, right);
    std::fs::remove_dir_all(&views).unwrap();
    copy(&earlier, &views);
    assert_eq!(open(&site), (Rebuilt::No, later.clone()));

    // Of another ledger.
    let other = Site::new();
    use_once(&other, 1);
    std::fs::remove_dir_all(&views).unwrap();
    copy(&other.data().join("views"), &views);
    assert_eq!(open(&site), (Rebuilt::Untrusted, later.clone()));

    // Another boot without a clean stop: the file says another boot id and not clean.
    let trust = std::fs::read_to_string(views.join("TRUST")).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let crashed = trust
        .replace(boot.trim(), "another")
        .replace("\"clean\":true", "\"clean\":false");
    assert_ne!(trust, crashed);
    std::fs::write(views.join("TRUST"), crashed).unwrap();
    assert_eq!(open(&site).0, Rebuilt::Untrusted);

    kit::runtime()
        .block_on(rebuild(&site.directory(), &site.clock, Arc::new(RealDisk), None))
        .unwrap();
    assert_eq!(open(&site), (Rebuilt::No, later));
    let again = use_once(&site, 1);
    assert_eq!(element(&again, "ProtocolloDSU"), element(&first, "ProtocolloDSU"));
}

/// Why a directory does not open.
fn refused(site: &Site) -> String {
    Node::open(&site.directory(), &site.clock, Arc::new(RealDisk), u64::MAX)
        .unwrap_err()
        .to_string()
}

/// The data directory goes back to an earlier moment, but for what is named.
fn go_back(site: &Site, earlier: &Path, but: &str) {
    let aside = site.home.path().join("kept");
    copy(&site.data().join(but), &aside);
    std::fs::remove_dir_all(site.data()).unwrap();
    copy(earlier, &site.data());
    std::fs::remove_dir_all(site.data().join(but)).unwrap();
    copy(&aside, &site.data().join(but));
    std::fs::remove_dir_all(&aside).unwrap();
}

#[test]
fn views_ahead_of_the_log_prove_a_loss_that_an_operator_may_accept() {
    let site = Site::new();
    use_once(&site, 1);
    let earlier = site.home.path().join("earlier");
    copy(&site.data(), &earlier);
    let protocol = element(&use_once(&site, 2), "ProtocolloDSU").to_owned();
    let (_, later) = open(&site);
    let head = later.len();
    assert!(head > 0);
    // Log and keys of before, views of after.
    go_back(&site, &earlier, "views");
    let data = site.data().display().to_string();
    for _ in 0..2 {
        let why = refused(&site);
        assert!(
            why.contains("mancano dal registro le voci da")
                && why.contains("varco rebuild --accetta-perdita"),
            "{why}"
        );
    }
    // Making the views again would throw the proof away.
    let (text, done) = kit::varco(&["rebuild", "--data", &data]);
    assert!(
        !done && text.contains("mancano dal registro le voci da"),
        "{text}"
    );
    assert!(
        refused(&site).contains("mancano dal registro"),
        "the proof is still there"
    );
    let (text, done) = kit::varco(&["rebuild", "--data", &data, "--accetta-perdita"]);
    assert!(!done && text.contains("motivo"), "{text}");
    let (text, done) = kit::varco(&[
        "rebuild",
        "--data",
        &data,
        "--accetta-perdita",
        "--motivo",
        "disco perso",
    ]);
    assert!(
        done && text.contains("perdita registrata: l'ultima voce intera"),
        "{text}"
    );
    let (text, _) = kit::varco(&[
        "ledger",
        "list",
        "--data",
        &data,
        "--operazione",
        "perdita",
        "--json",
    ]);
    assert!(
        text.contains("perse_almeno_fino_a") && !text.contains("disco perso"),
        "{text}"
    );
    // No protocol that was given in what is lost is given again.
    let again = element(&use_once(&site, 3), "ProtocolloDSU").to_owned();
    assert_ne!(again, protocol);
    let (text, done) = kit::varco(&[
        "rebuild",
        "--data",
        &data,
        "--accetta-perdita",
        "--motivo",
        "prova",
    ]);
    assert!(done && text.contains("al registro non manca nulla"), "{text}");
}

#[test]
fn an_accepted_loss_that_is_interrupted_is_recorded_by_whoever_opens_next() {
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 16384\n");
    use_once(&site, 1);
    let given: HashSet<String> = (2..8)
        .map(|number| element(&use_once(&site, number), "ProtocolloDSU").to_owned())
        .collect();
    let mut segments: Vec<_> = files(&site.data().join("ledger"))
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "seg"))
        .collect();
    segments.sort();
    let closed = &segments[segments.len() / 2];
    let bytes = std::fs::read(closed).unwrap();
    std::fs::write(closed, &bytes[..bytes.len() - 1]).unwrap();
    let damaged = site.home.path().join("damaged");
    copy(&site.data(), &damaged);
    let data = site.data().display().to_string();
    let mut interrupted = 0;
    for after in (0..12).map(|step| Duration::from_millis(4 * step)) {
        std::fs::remove_dir_all(site.data()).unwrap();
        copy(&damaged, &site.data());
        let mut command = std::process::Command::new(kit::binary());
        command
            .args([
                "rebuild",
                "--data",
                &data,
                "--accetta-perdita",
                "--motivo",
                "prova",
            ])
            .stdout(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        interrupted += usize::from(!child.wait().unwrap().success());
        // As far as it came: either nothing is opened yet, and it is asked for again, or whoever opens
        // records it.
        if Node::open(&site.directory(), &site.clock, Arc::new(RealDisk), u64::MAX)
            .map(|node| node.close())
            .is_err()
        {
            let (text, done) = kit::varco(&[
                "rebuild",
                "--data",
                &data,
                "--accetta-perdita",
                "--motivo",
                "di nuovo",
            ]);
            assert!(done && text.contains("perdita registrata"), "{after:?}: {text}");
        }
        let again = element(&use_once(&site, 9), "ProtocolloDSU").to_owned();
        assert!(!given.contains(&again), "{after:?}: {again} was given before");
        let (text, _) = kit::varco(&["ledger", "list", "--data", &data, "--operazione", "perdita"]);
        assert!(
            text.contains("perdita"),
            "{after:?}: the loss is not in the ledger"
        );
        assert!(!site.data().join("PERDITA").exists());
    }
    assert!(interrupted > 3, "only {interrupted} were interrupted");
}

#[test]
fn whatever_is_damaged_there_is_a_way_on_that_records_the_loss() {
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 16384\n");
    for number in 1..5 {
        use_once(&site, number);
    }
    let base = site.home.path().join("base");
    copy(&site.data(), &base);
    let mut segments: Vec<_> = files(&base.join("ledger"))
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "seg"))
        .collect();
    segments.sort();
    let middle = segments[segments.len() / 2].file_name().unwrap().to_owned();
    let data = site.data().display().to_string();
    let in_ledger = |name: &std::ffi::OsStr| site.data().join("ledger").join(name);
    let flip = |at: usize| {
        let mut bytes = std::fs::read(in_ledger(&middle)).unwrap();
        bytes[at] ^= 1;
        std::fs::write(in_ledger(&middle), bytes).unwrap();
    };
    let cases: [(&str, &dyn Fn(), &str); 5] = [
        (
            "a segment that is missing",
            &|| std::fs::remove_file(in_ledger(&middle)).unwrap(),
            "manca il segmento con le voci da",
        ),
        ("a header", &|| flip(20), "il registro è danneggiato"),
        ("a bit in the middle of a segment", &|| flip(3000), ""),
        (
            "no HEAD",
            &|| std::fs::remove_file(in_ledger("HEAD".as_ref())).unwrap(),
            "HEAD manca o è danneggiato",
        ),
        (
            "a damaged HEAD",
            &|| std::fs::write(in_ledger("HEAD".as_ref()), [0xff, 0xfe]).unwrap(),
            "HEAD manca o è danneggiato",
        ),
    ];
    for (name, damage, told) in cases {
        std::fs::remove_dir_all(site.data()).unwrap();
        copy(&base, &site.data());
        damage();
        let (text, whole) = kit::varco(&["ledger", "verify", "--data", &data]);
        assert!(
            !whole && text.contains(told) && text.contains("varco rebuild --accetta-perdita"),
            "{name}: {text}"
        );
        let (text, done) = kit::varco(&[
            "rebuild",
            "--data",
            &data,
            "--accetta-perdita",
            "--motivo",
            "prova",
        ]);
        assert!(done && text.contains("perdita registrata"), "{name}: {text}");
        let (text, whole) = kit::varco(&["ledger", "verify", "--data", &data]);
        assert!(whole, "{name}: {text}");
        assert_eq!(element(&use_once(&site, 9), "Esito"), "OK", "{name}");
    }
}

#[test]
fn a_log_that_is_behind_its_views_is_neither_verified_nor_copied_in_silence() {
    let site = Site::new();
    use_once(&site, 1);
    let earlier = site.home.path().join("earlier");
    copy(&site.data(), &earlier);
    use_once(&site, 2);
    go_back(&site, &earlier, "views");
    let data = site.data().display().to_string();
    let (text, whole) = kit::varco(&["ledger", "verify", "--data", &data]);
    assert!(
        !whole && text.contains("mancano dal registro le voci da"),
        "{text}"
    );
    let (text, copied) = kit::varco(&[
        "backup",
        &site.home.path().join("copy").display().to_string(),
        "--data",
        &data,
    ]);
    assert!(!copied && text.contains("al registro mancano voci"), "{text}");
}

/// The same after a process that was killed: its views are open, and looking at them changes nothing.
#[test]
fn views_of_a_process_that_was_killed_prove_a_loss_too() {
    let site = Site::new();
    use_once(&site, 1);
    let earlier = site.home.path().join("earlier");
    copy(&site.data(), &earlier);
    let mut serving = site.serve();
    kit::runtime().block_on(async {
        let dsu = requests::dsu("CAF00001-UCCISA-2026-N0000001", &site.today());
        let answer = site
            .client(serving.address, "caf")
            .call(DSU, &requests::trasmissione(&dsu))
            .await
            .unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
    });
    // When nothing is asked the views are made durable.
    std::thread::sleep(Duration::from_secs(1));
    let data = site.data().display().to_string();
    let verify = || kit::varco(&["ledger", "verify", "--data", &data]);
    assert!(verify().1, "beside a gateway that serves: {}", verify().0);
    serving.kill();
    let views = || std::fs::read(site.data().join("views/views.redb")).unwrap();
    let before = views();
    assert!(verify().1, "nothing is missing: {}", verify().0);
    assert!(views() == before, "a verification changed the views");
    go_back(&site, &earlier, "views");
    let (text, whole) = verify();
    assert!(
        !whole && text.contains("mancano dal registro le voci da"),
        "{text}"
    );
    let (text, copied) = kit::varco(&[
        "backup",
        &site.home.path().join("copy").display().to_string(),
        "--data",
        &data,
    ]);
    assert!(!copied && text.contains("al registro mancano voci"), "{text}");
    assert!(refused(&site).contains("mancano dal registro le voci da"));
}

#[test]
fn what_a_damaged_key_closes_is_an_error_and_no_answer() {
    let site = Site::new();
    use_once(&site, 1);
    let ring = site.data().join("keys/keyring");
    let whole = std::fs::read(&ring).unwrap();
    let of_caf = whole
        .chunks(128)
        .position(|record| record[4] == 2 && record[5] == 2 && &record[10..13] == b"caf")
        .expect("the CAF's key");
    let mut bytes = whole.clone();
    bytes[of_caf * 128 + 90] ^= 1;
    std::fs::write(&ring, &bytes).unwrap();
    let serving = site.serve();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let answer = kit::runtime()
        .block_on(site.client(serving.address, "comune").call(ISEE, &request))
        .unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text);
    let data = site.data().display().to_string();
    let (status, _) = kit::varco(&["status", "--data", &data]);
    assert!(
        status.contains("il registro è danneggiato")
            && status.contains("è danneggiata, le sue voci sono illeggibili"),
        "{status}"
    );
    serving.stop();
    // Two records exchanged: backup with the keys finds out that the copy would not open.
    let other = whole
        .chunks(128)
        .position(|record| record[4] == 2 && record[5] != 2)
        .expect("another key");
    let mut bytes = whole.clone();
    bytes[of_caf * 128..(of_caf + 1) * 128].copy_from_slice(&whole[other * 128..(other + 1) * 128]);
    bytes[other * 128..(other + 1) * 128].copy_from_slice(&whole[of_caf * 128..(of_caf + 1) * 128]);
    std::fs::write(&ring, &bytes).unwrap();
    let target = |name: &str| site.home.path().join(name).display().to_string();
    let (text, copied) = kit::varco(&[
        "backup",
        &target("copy"),
        "--data",
        &data,
        "--chiavi",
        &target("keys"),
    ]);
    assert!(
        !copied && text.contains("non è quella con cui queste voci sono state chiuse"),
        "{text}"
    );
}

#[test]
fn views_of_another_history_of_the_same_ledger_are_made_again() {
    let site = Site::new();
    use_once(&site, 1);
    let earlier = site.home.path().join("earlier");
    copy(&site.data(), &earlier);
    // Two histories from one moment; the log of the second, longer one, with the views of the first.
    use_once(&site, 2);
    let first = site.home.path().join("first");
    copy(&site.data().join("views"), &first);
    std::fs::remove_dir_all(site.data()).unwrap();
    copy(&earlier, &site.data());
    use_once(&site, 3);
    use_once(&site, 4);
    let (_, right) = open(&site);
    std::fs::remove_dir_all(site.data().join("views")).unwrap();
    copy(&first, &site.data().join("views"));
    assert_eq!(open(&site), (Rebuilt::OtherHistory, right.clone()));
    assert_eq!(open(&site), (Rebuilt::No, right));
}

#[test]
fn a_copy_by_cp_says_what_it_is_and_goes_on_with_what_is_whole() {
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 8192\n");
    let copy_of = |name: &str| site.data().join("ledger").join(name);
    use_once(&site, 1);
    // File by file, in the order of their names, while the log goes on: the segment that was open is copied
    // before it is closed, and HEAD, and a later segment, after that.
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(site.data().join("ledger"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".seg"))
            .collect();
        names.sort();
        names
    };
    let open_then = names().pop().unwrap();
    let torn = std::fs::read(copy_of(&open_then)).unwrap();
    let torn = &torn[..torn.len() - 7];
    use_once(&site, 2);
    use_once(&site, 3);
    assert!(names().len() > names().iter().position(|name| *name == open_then).unwrap() + 2);
    let later: Vec<String> = names().into_iter().filter(|name| *name > open_then).collect();
    for kept in [later.len(), 0] {
        let target = site.home.path().join(format!("cp-{kept}"));
        copy(&site.data(), &target);
        std::fs::write(target.join("ledger").join(&open_then), torn).unwrap();
        for name in &later[kept..] {
            std::fs::remove_file(target.join("ledger").join(name)).unwrap();
        }
        let data = target.display().to_string();
        let (text, opened) = kit::varco(&["ente", "lista", "--data", &data]);
        assert!(
            !opened && text.contains("copiata con cp") && text.contains("varco rebuild --accetta-perdita"),
            "{text}"
        );
        let (text, whole) = kit::varco(&["ledger", "verify", "--data", &data]);
        assert!(!whole && text.contains("copiata con cp"), "{text}");
        let (text, done) = kit::varco(&[
            "rebuild",
            "--data",
            &data,
            "--accetta-perdita",
            "--motivo",
            "copia fatta con cp",
        ]);
        assert!(done && text.contains("perdita registrata"), "{text}");
        let (text, whole) = kit::varco(&["ledger", "verify", "--data", &data]);
        assert!(whole, "{text}");
        let beside: Vec<_> = files(&target)
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "lost"))
            .collect();
        assert_eq!(beside.len(), kept, "later segments are kept beside");
    }
}

/// A node of its own on a shared log, and its gateway.
struct Peer {
    gateway: Arc<Gateway>,
    address: SocketAddr,
    _views: tempfile::TempDir,
}

async fn peer(site: &Site, log: &MemLog, keys: &Arc<Keys>, id: uuid::Uuid) -> Peer {
    let views = tempfile::tempdir().unwrap();
    let parts = NodeParts {
        id,
        log: Box::new(log.clone()),
        reader: Arc::new(log.clone()),
        keys: keys.clone(),
        recovery: Recovery::default(),
        lock: None,
        damage: varco::ledger::damage::Damage::default(),
        disk: Arc::new(RealDisk),
        tiles: views.path().join("tile"),
    };
    let config = Config::read(&site.config()).unwrap();
    let sii = varco::sii::SiiSettings::configured(&config).unwrap();
    let node = Node::assemble(parts, &views.path().join("views"), &site.clock, sii).unwrap();
    let settings = Settings::build(&config, &site.clock).unwrap();
    let gateway = Gateway::new(node, Contract::compile().unwrap(), settings, &config);
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let serving = gateway.clone();
    tokio::spawn(async move {
        let _keep = stop;
        listener.serve(serving, stopped, Duration::from_secs(60)).await
    });
    Peer {
        gateway,
        address,
        _views: views,
    }
}

#[test]
fn two_gateways_on_one_log_agree() {
    let site = Site::new();
    let keys = Arc::new(Keys::open(&site.directory().keys(), false).unwrap());
    let id = new_exchange(kit::now()).unwrap();
    kit::runtime().block_on(async {
        let log = MemLog::new();
        let (one, two) = (
            peer(&site, &log, &keys, id).await,
            peer(&site, &log, &keys, id).await,
        );
        // Accreditation on one node is known on the other.
        let actor = Actor::of(0, None);
        let enti = [
            ("comune", &site.pki.comune, "ConsultazioneIndicatore"),
            ("caf", &site.pki.caf, "TrasmissioneDSU"),
        ];
        for (codice, issued, operazione) in enti {
            let commands = accreditamento::commands(
                (codice, codice, "01234567897"),
                Tipo::Altro,
                &issued.fingerprint,
                operazione,
                &[BENEFIT],
            );
            for command in commands {
                let node = &one.gateway.node;
                perform(
                    &node.ledger,
                    &node.registry,
                    &command,
                    &actor,
                    "prova",
                    kit::now(),
                )
                .await
                .unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(600)).await;

        // The same DSU on both at once: one protocol. Different ones: different protocols, whoever gives
        // them.
        let transmit = |address: SocketAddr, number: u32| {
            let client: Client = site.client(address, "caf");
            let dsu = requests::dsu(&format!("CAF00001-NODES2-2026-N{number:07}"), &site.today());
            async move { client.call(DSU, &requests::trasmissione(&dsu)).await.unwrap() }
        };
        let (mut protocols, mut same) = (HashSet::new(), Vec::new());
        for number in 1..=20 {
            let (a, b) = tokio::join!(transmit(one.address, number), transmit(two.address, number));
            same.push((
                element(&a, "ProtocolloDSU").to_owned(),
                element(&b, "ProtocolloDSU").to_owned(),
            ));
            protocols.insert(element(&a, "ProtocolloDSU").to_owned());
        }
        assert!(same.iter().all(|(a, b)| a == b), "{same:?}");
        assert_eq!(protocols.len(), 20);

        // What one recorded the other answers, and a suspension on one counts on the other at once.
        let ask = |address: SocketAddr| {
            let client = site.client(address, "comune");
            let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
            async move { client.call(ISEE, &request).await.unwrap() }
        };
        assert_eq!(element(&ask(two.address).await, "Esito"), "OK");
        let suspend = Command::Stato {
            codice: "comune".to_owned(),
            nuovo: Stato::Sospeso,
        };
        let node = &two.gateway.node;
        perform(
            &node.ledger,
            &node.registry,
            &suspend,
            &actor,
            "prova",
            kit::now(),
        )
        .await
        .unwrap();
        let refused = ask(one.address).await;
        assert!(refused.text.contains("Authorization failed"), "{}", refused.text);

        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(
            one.gateway.node.store.scan("").unwrap(),
            two.gateway.node.store.scan("").unwrap()
        );
    });
}

#[test]
fn a_canary_codice_fiscale_is_nowhere_in_clear() {
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 65536\n");
    let canary = requests::GIULIA;
    let serving = site.serve();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        for number in 1..=12 {
            let dsu = requests::dsu(&format!("CAF00001-CANARY-2026-N{number:07}"), &site.today());
            let answer = caf.call(DSU, &requests::trasmissione(&dsu)).await.unwrap();
            assert_eq!(element(&answer, "Esito"), "OK");
            // Wherever it may get: refused, in an unknown name, as an identity, in a header.
            for bad in
                [dsu.replace("Sesso=\"F\"", "Sesso=\"FRRGLI84E52H501O\""), dsu.replace("<Operazione", "<FRRGLI84E52H501O/><Operazione")]
            {
                let answer = caf.call(DSU, &requests::trasmissione(&bad)).await.unwrap();
                assert_eq!(element(&answer, "Esito"), "RICHIESTA_INVALIDA");
                assert!(!answer.text.contains(canary), "a value came back: {}", answer.text);
            }
        }
        let comune = site.client(serving.address, "comune");
        let request = requests::indicatore(canary, &site.today(), BENEFIT);
        let identity =
            format!("<s:Header><Identity xmlns='http://inps.it/'><UserId xmlns=''>{canary}</UserId></Identity></s:Header><s:Body>");
        for request in [
            request.clone(),
            request.replacen("<s:Body>", &identity, 1),
            request.replace("</CodiceFiscale>", "x</CodiceFiscale>"),
            request.replace("<request>", "<request><FRRGLI84E52H501O/>"),
        ] {
            comune.call(ISEE, &request).await.unwrap();
        }
        let mut connected = comune.connect().await.unwrap();
        let strange = hyper::Request::post(format!("{ISEE}/{canary}?{canary}")).header("inps-identity-userid", canary);
        connected.send(strange.body(http_body_util::Full::new(bytes::Bytes::from(canary))).unwrap()).await.unwrap();
    });
    let data = site.data().display().to_string();
    let admin = |path: &str| {
        use std::io::{Read as _, Write as _};
        let mut socket = std::os::unix::net::UnixStream::connect(format!("{data}/admin.sock")).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text
    };
    let metrics = admin("/metrics");
    assert!(
        metrics.contains("varco_exchanges_total") && !metrics.contains(canary),
        "{metrics}"
    );
    serving.stop();
    // Searching makes the index files of closed segments, and finds the person by token.
    let (found, ok) = kit::varco(&["ledger", "list", "--data", &data, "--codice-fiscale", canary]);
    assert!(ok && found.lines().count() > 12, "{found}");
    assert!(
        files(&site.data())
            .iter()
            .any(|file| file.extension().is_some_and(|e| e == "idx")),
        "no index was made"
    );
    let mut looked = 0;
    for file in files(&site.data())
        .into_iter()
        .chain([site.home.path().join("varco.log")])
    {
        let bytes = std::fs::read(&file).unwrap();
        looked += bytes.len();
        let lower = canary.to_lowercase();
        for needle in [canary.as_bytes(), lower.as_bytes(), b"FERRARI", b"GIULIA"] {
            assert!(
                !bytes.windows(needle.len()).any(|window| window == needle),
                "a person is in clear in {}",
                file.display()
            );
        }
    }
    assert!(looked > 100_000);
}
