//! Whatever keeps the log, services and commands tell the same. A log that is not of this machine may doubt,
//! fall behind, or not answer: nobody is told what is not certain.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use varco::clock::Clock;
use varco::commands::{dsu, ente, ledger, upgrade};
use varco::contract::catalogue::Operation;
use varco::gateway::counting::{CountsFile, QuotaFollower};
use varco::gateway::quota::Quotas;
use varco::ledger::batch::Raw;
use varco::ledger::committer::Health;
use varco::ledger::disk::RealDisk;
use varco::ledger::log::BatchId;
use varco::ledger::memory::Trouble;
use varco::ledger::search::{Filter, find, search};
use varco::ledger::{
    Blinding, Body, Directory, Keys, Kind, Log as _, MemLog, NotCommitted, Precondition, Reader as _,
    Retention, Secret, Submission, TokenKey, new_exchange,
};
use varco::registry::quota::Quote;
use varco::services::tentativi::{Chi, Tentativi};
use varco::soap;

use super::copy;
use kit::asked::verify;
use kit::engine::{Engine, Ground, text};
use kit::requests;

/// A day for which there are rules.
const NOW: &str = "2026-11-23T10:00:00Z";

fn ground() -> Ground {
    Ground::new(Clock::fixed(NOW.parse().unwrap()))
}

/// A request that an ente sends, and the outcome: of each operation that there is, OK and one that is not.
fn story(engine: &Engine, ground: &Ground) -> Vec<(&'static str, String)> {
    let day = engine.today().to_string();
    let asking = |operation: Operation, inner: &str| {
        let (root, namespace) = (operation.root(), operation.namespace());
        soap::envelope(
            soap::Version::V11,
            &format!("<{root} xmlns=\"{namespace}\">{inner}</{root}>"),
        )
    };
    let first = requests::dsu("CAF00001-MOTORE-2026-N0000001", &day);
    let transmitted = engine
        .ask(ground.peer("caf"), &requests::trasmissione(&first))
        .unwrap();
    let protocol = text(&transmitted, "ProtocolloDSU").to_owned();
    let mut told = vec![(
        "TrasmissioneDSU",
        format!("{} {protocol}", text(&transmitted, "Esito")),
    )];
    let mut ask = |name: &'static str, ente: &str, message: String| {
        let said = match engine.ask(ground.peer(ente), &message) {
            Ok(prepared) => {
                let numbers = ["IdRichiesta"].map(|name| {
                    varco::contract::esiti_text(&prepared.reply, name)
                        .unwrap_or_default()
                        .to_owned()
                });
                let reply = prepared
                    .reply
                    .replace(&format!("<IdRichiesta>{}<", numbers[0]), "<IdRichiesta><");
                format!(
                    "{} {:?} {}",
                    prepared.note.outcome,
                    prepared.note.refusal,
                    varco::digest::hex(&varco::digest::sha256(reply.as_bytes()))
                )
            }
            Err(error) => error,
        };
        told.push((name, said));
    };
    let again =
        requests::dsu("CAF00001-MOTORE-2026-N0000001", &day).replace("</Dichiarazione>", " </Dichiarazione>");
    ask("the same DSU again", "caf", requests::trasmissione(&first));
    ask(
        "another DSU under the same protocol",
        "caf",
        requests::trasmissione(&again),
    );
    ask(
        "ConsultazioneIndicatore",
        "comune",
        requests::indicatore(requests::GIULIA, &day, "A1.07"),
    );
    ask(
        "an indicator that nobody has",
        "comune",
        requests::indicatore("RSSMRA80A01H501U", &day, "A1.07"),
    );
    ask(
        "ConsultazioneAttestazione",
        "comune",
        requests::attestazione(requests::GIULIA, &day, "A1.07"),
    );
    ask(
        "a benefit that is not granted",
        "comune",
        requests::attestazione(requests::GIULIA, &day, "A1.01"),
    );
    let by_protocol = |protocol: &str| format!("<ProtocolloDSU>{protocol}</ProtocolloDSU>");
    ask(
        "ConsultazioneEsitoDSU",
        "caf",
        asking(Operation::ConsultazioneEsitoDsu, &by_protocol(&protocol)),
    );
    ask(
        "the fate of another's DSU",
        "comune",
        asking(Operation::ConsultazioneEsitoDsu, &by_protocol(&protocol)),
    );
    let threshold = |code: &str| {
        let person = requests::GIULIA;
        asking(
            Operation::ConsultazioneSogliaIndicatore,
            &format!("<request CodiceFiscale=\"{person}\" CodiceSoglia=\"{code}\" FornituraNucleo=\"NO\"/>"),
        )
    };
    ask("ConsultazioneSogliaIndicatore", "comune", threshold("MENS01"));
    ask("a threshold that there is not", "comune", threshold("ZZZZ99"));
    let lot = asking(
        Operation::TrasmissioneLotto,
        requests::dsu("CAF00001-MOTORE-2026-N0000002", &day).trim_end(),
    );
    ask("TrasmissioneLotto", "caf", lot.clone());
    ask("the same lot again", "caf", lot.clone());
    let impronta = varco::digest::hex(&varco::digest::sha256(lot.as_bytes()));
    let by_fingerprint = |text: &str| {
        asking(
            Operation::ConsultazioneEsitoLotto,
            &format!("<ImprontaLotto>{text}</ImprontaLotto>"),
        )
    };
    ask("ConsultazioneEsitoLotto", "caf", by_fingerprint(&impronta));
    ask(
        "the fate of a lot that there is not",
        "caf",
        by_fingerprint(&"0".repeat(64)),
    );
    ask(
        "VerificaEsistenzaProtocollo",
        "caf",
        verify("caf", &protocol, requests::GIULIA),
    );
    ask(
        "a protocol that there is not",
        "caf",
        verify("caf", "INPS-ISEE-2026-00000000A-00", requests::GIULIA),
    );
    told
}

#[test]
fn services_and_commands_tell_the_same_whatever_keeps_the_log() {
    let ground = ground();
    let mut all = Vec::new();
    for engine in [ground.memory(), ground.files()] {
        ground.enrol(&engine);
        let told = story(&engine, &ground);
        let (reader, keys) = (engine.node.ledger.reader.as_ref(), &engine.node.ledger.keys);
        let protocol = told[0].1.split_once(' ').unwrap().1.to_owned();
        // Commands.
        let history = ente::told(&ente::changes(reader, "caf").unwrap(), keys).unwrap();
        assert!(ente::changes(reader, "nessuno").is_err());
        let versions = dsu::versions(reader, keys, &protocol).unwrap();
        assert_eq!((history.len(), versions.len()), (4, 1));
        let checked = ledger::Checked {
            keys: Some(Keys::open(&keys_of(&engine), true).unwrap()),
            again: &|| None,
            views: None,
            tiles: None,
        };
        let report = ledger::verify_log(reader, checked).unwrap();
        assert!(report.opened > 8 && report.read.entries > 20, "{report}");
        // Searches: by what there is, and by what there is not.
        let count = |filter: Filter| {
            let (found, searched) = (
                find(reader, &filter, usize::MAX).unwrap(),
                search(reader, &filter, 3).unwrap(),
            );
            assert_eq!(
                (found.len(), found.len().min(3)),
                (searched.total, searched.entries.len())
            );
            assert!(searched.skipped.is_empty());
            found.iter().map(|entry| entry.leaf.seq).collect::<Vec<_>>()
        };
        let key = TokenKey::of(engine.clock.now(), Retention::Consultazione);
        let token = keys.token(key, "cf", requests::GIULIA).unwrap();
        let found = [
            count(Filter {
                kind: Some(Kind::Dsu),
                ..Filter::default()
            }),
            count(Filter {
                ente: Some("comune".to_owned()),
                kind: Some(Kind::Exchange),
                ..Filter::default()
            }),
            count(Filter {
                cf: vec![(key, token)],
                ..Filter::default()
            }),
            count(Filter {
                operation: Some("nessuna".to_owned()),
                ..Filter::default()
            }),
        ];
        assert!(
            found[..3].iter().all(|found| !found.is_empty()) && found[3].is_empty(),
            "{found:?}"
        );
        let one = varco::ledger::search::entry(reader, 3).unwrap();
        assert_eq!((one.0.unwrap().leaf.seq, one.1.len()), (3, 0));
        assert!(varco::ledger::search::entry(reader, 100_000).unwrap().0.is_none());
        // The day's quotas.
        let quotas = Arc::new(Quotas::default());
        let head = report.read.entries;
        drop(
            QuotaFollower::recounted(&quotas, &Arc::default(), (reader, head), &engine.clock, None).unwrap(),
        );
        let mut used = quotas.used(engine.clock.now());
        used.sort();
        assert_eq!(used.len(), 2);
        // Uses, and what waits.
        let waiting = engine.node.upkeep.waiting(engine.clock.now(), 5).unwrap();
        let dump: HashMap<_, _> = engine
            .node
            .store
            .scan("")
            .unwrap()
            .into_iter()
            .filter(|(name, _)| name.starts_with(b"t/"))
            .collect();
        engine.node.close();
        all.push((
            told,
            history,
            versions,
            report.opened,
            found,
            used,
            waiting,
            dump.len(),
        ));
    }
    let files = all.pop().unwrap();
    assert_eq!(all.pop().unwrap(), files);
    let outcomes: Vec<_> = files
        .0
        .iter()
        .map(|(name, said)| (*name, said.split(' ').take(2).collect::<Vec<_>>().join(" ")))
        .collect();
    let expected = [
        ("the same DSU again", "OK None"),
        (
            "another DSU under the same protocol",
            "RICHIESTA_INVALIDA Some(\"K19.contenuto\")",
        ),
        ("ConsultazioneIndicatore", "OK None"),
        (
            "an indicator that nobody has",
            "DATI_NON_TROVATI Some(\"D01.assente\")",
        ),
        ("ConsultazioneAttestazione", "OK None"),
        (
            "a benefit that is not granted",
            "RICHIESTA_INVALIDA Some(\"P01.prestazione\")",
        ),
        ("ConsultazioneEsitoDSU", "OK None"),
        (
            "the fate of another's DSU",
            "DATI_NON_TROVATI Some(\"D02.assente\")",
        ),
        ("ConsultazioneSogliaIndicatore", "OK None"),
        (
            "a threshold that there is not",
            "RICHIESTA_INVALIDA Some(\"R04.soglia\")",
        ),
        ("TrasmissioneLotto", "OK None"),
        ("the same lot again", "OK None"),
        ("ConsultazioneEsitoLotto", "OK None"),
        (
            "the fate of a lot that there is not",
            "DATI_NON_TROVATI Some(\"D03.assente\")",
        ),
        ("VerificaEsistenzaProtocollo", "OK None"),
        (
            "a protocol that there is not",
            "DATI_NON_TROVATI Some(\"D01.assente\")",
        ),
    ];
    assert_eq!(
        outcomes[1..]
            .iter()
            .map(|(name, said)| (*name, said.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
}

fn keys_of(engine: &Engine) -> std::path::PathBuf {
    [
        engine.home.path().join("keys"),
        engine.home.path().join("data/keys"),
    ]
    .into_iter()
    .find(|path| path.exists())
    .unwrap()
}

/// A ledger of format 1.0, in memory: its enti are recorded again in the present form.
#[test]
fn an_earlier_ledger_is_upgraded_whatever_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let earlier = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/directory-1.0");
    copy(&earlier, &home.path().join("data"));
    let (directory, _) = Directory::open_any(&home.path().join("data")).unwrap();
    let entries = find(&directory.reader(), &Filter::default(), usize::MAX).unwrap();
    let mut log = MemLog::new();
    let raw: Vec<Raw> = entries
        .iter()
        .map(|entry| Raw {
            leaf: entry.bytes.clone(),
            sealed: entry.sealed.clone(),
        })
        .collect();
    log.append(BatchId { writer: 0, number: 0 }, &raw, 0).unwrap();
    // Keys of its own, as many as its entries name: those that it was written with are not kept.
    let place = home.path().join("keys");
    varco::ledger::keys::create(&place).unwrap();
    let keys = Keys::open(&place, false).unwrap();
    (0..4).for_each(|earlier| {
        drop(
            keys.token(
                TokenKey {
                    year: 2026 - earlier,
                    class: None,
                },
                "cf",
                "",
            )
            .unwrap(),
        )
    });
    drop(keys);
    let engine = Engine::assemble_of(directory.ledger, Clock::fixed(NOW.parse().unwrap()), home, log);
    let enti = engine
        .block_on(upgrade::upgraded(&engine.node, (1, 0), &engine.clock))
        .unwrap();
    assert!(enti > 0);
    assert_eq!(engine.node.registry.enti().unwrap().len(), enti);
    assert_eq!(
        engine
            .block_on(upgrade::upgraded(&engine.node, (1, 0), &engine.clock))
            .unwrap(),
        0,
        "once"
    );
    engine.node.close();
}

/// A sealed part may be erased. Another in its place is found, without any key.
#[test]
fn a_sealed_part_that_was_exchanged_is_found_without_keys() {
    let earlier = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/directory-1.2");
    let directory = Directory::open(&earlier).unwrap();
    let entries = find(&directory.reader(), &Filter::default(), usize::MAX).unwrap();
    let verified = |change: &dyn Fn(u64, &mut Vec<u8>)| {
        let raw: Vec<Raw> = entries
            .iter()
            .map(|entry| {
                let mut sealed = entry.sealed.to_vec();
                change(entry.leaf.seq, &mut sealed);
                Raw {
                    leaf: entry.bytes.clone(),
                    sealed: sealed.into(),
                }
            })
            .collect();
        let mut log = MemLog::new();
        log.append(BatchId { writer: 0, number: 0 }, &raw, 0).unwrap();
        let checked = ledger::Checked {
            keys: None,
            again: &|| None,
            views: None,
            tiles: None,
        };
        ledger::verify_log(&log, checked).map_err(|error| error.to_string())
    };
    let whole = verified(&|_, _| {}).unwrap();
    assert!(whole.unseen > 100 && whole.uncovered == 0, "{whole}");
    let sealed = entries.iter().find(|entry| entry.sealed.len() > 200).unwrap();
    let seq = sealed.leaf.seq;
    verified(&|of, bytes| {
        if of == seq {
            bytes[8..72].fill(0);
        }
    })
    .unwrap();
    let told = |change: &dyn Fn(&mut Vec<u8>)| {
        verified(&|of, bytes| {
            if of == seq {
                change(bytes);
            }
        })
        .unwrap_err()
    };
    let wanted = format!("voce {seq}: la parte riservata non è quella del sigillo");
    for told in [
        told(&|bytes| bytes[4] ^= 1),
        told(&|bytes| bytes[100] ^= 1),
        told(&|bytes| bytes.truncate(150)),
        told(&|bytes| bytes.clear()),
        told(&|bytes| bytes[0] = 1),
    ] {
        assert!(told.contains(&wanted), "{told}");
    }
}

/// What a log may do, and what the sender of a submission is told.
#[test]
fn nobody_is_told_what_is_not_certain() {
    use Trouble::{Behind, Head, InDoubt, Settle};
    let (landed, not_landed) = (InDoubt { landed: true }, InDoubt { landed: false });
    let unavailable = Err(NotCommitted::Unavailable);
    let table = [
        ("nothing", vec![], Ok(()), true),
        ("in doubt, and there", vec![landed], Ok(()), true),
        ("in doubt, and not there", vec![not_landed], unavailable, false),
        (
            "in doubt for a while, and there",
            vec![landed, Settle, Settle, Settle],
            Ok(()),
            true,
        ),
        (
            "in doubt for a while, and not there",
            vec![not_landed, Settle, Settle],
            unavailable,
            false,
        ),
        (
            "in doubt for good, and there",
            [vec![landed], vec![Settle; 10]].concat(),
            Err(NotCommitted::Closed),
            true,
        ),
        (
            "in doubt for good, and not there",
            [vec![not_landed], vec![Settle; 10]].concat(),
            Err(NotCommitted::Closed),
            false,
        ),
        ("behind for a while", vec![Behind; 7], Ok(()), true),
        ("behind for good", vec![Behind; 8], unavailable, false),
        (
            "behind, and nobody knows the head",
            vec![Behind, Head],
            unavailable,
            false,
        ),
    ];
    let ground = ground();
    for (name, troubles, told, there) in table {
        let log = MemLog::new();
        let engine = ground.on(log.clone());
        assert_eq!(engine.submit(), Ok(1), "{name}");
        log.expect(troubles);
        assert_eq!(engine.submit().map(|_| ()), told, "{name}");
        let fatal = matches!(*engine.node.ledger.committer.health().borrow(), Health::Fatal(_));
        assert_eq!(fatal, told == Err(NotCommitted::Closed), "{name}");
        assert_eq!(log.head().unwrap(), 1 + u64::from(there), "{name}");
        if told == unavailable {
            // After a pause it goes on.
            std::thread::sleep(std::time::Duration::from_millis(1100));
            assert_eq!(engine.submit(), Ok(2), "{name}");
        }
        engine.node.close();
        // Another process goes on from what is there.
        let next = ground.on(log.clone());
        let head = log.head().unwrap();
        assert_eq!(next.submit(), Ok(head + 1), "{name}");
        next.node.close();
        let (verified, damage) = log.verify(&mut |_| ()).unwrap();
        assert_eq!((verified.entries, damage.len()), (head + 1, 0), "{name}");
    }
}

/// A reading stands at the append until an entry advances its name: judged by the latest entries, by the
/// views where it is older, within a batch, and after entries of another process.
#[test]
fn a_reading_stands_until_an_entry_advances_its_name() {
    let (ground, log) = (ground(), MemLog::new());
    let [one, other] = [ground.on(log.clone()), ground.on(log.clone())];
    let if_seen = |name: &str, seen: u64| {
        vec![Precondition {
            key: name.to_owned(),
            seen,
        }]
    };
    let check = |name: &str, seen: u64| one.block_on(one.submit_if(&[], if_seen(name, seen))).map(drop);
    let advance = |name: &str| one.block_on(one.submit_if(&[name], Vec::new())).unwrap();
    let conflict = Err(NotCommitted::Conflict);

    let first = advance("prova/a");
    assert_eq!(one.node.store.reached(), first);
    assert_eq!(check("prova/a", first), Ok(()));
    assert_eq!(check("prova/a", first - 1), conflict);
    assert_eq!(check("prova/never", 0), Ok(()));
    let second = advance("prova/a");
    assert_eq!(check("prova/a", first), conflict);
    assert_eq!(check("prova/a", second), Ok(()));

    // Of two at the same time that saw the same, one gets through.
    let seen = one.node.store.reached();
    let both = one.block_on(async {
        tokio::join!(
            one.submit_if(&["prova/b"], if_seen("prova/b", seen)),
            one.submit_if(&["prova/b"], if_seen("prova/b", seen)),
        )
    });
    assert!(
        matches!(
            both,
            (Ok(_), Err(NotCommitted::Conflict)) | (Err(NotCommitted::Conflict), Ok(_))
        ),
        "{both:?}"
    );

    // More names than the committer keeps.
    let many: Vec<String> = (0..100).map(|number| format!("prova/{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for _ in 0..2 {
        one.block_on(async {
            for _ in 0..50 {
                one.submit_if(&many, Vec::new()).await.unwrap();
            }
        });
        let names: Vec<String> = (0..5000).map(|number| format!("prova/more/{number}")).collect();
        for names in names.chunks(100) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            one.block_on(one.submit_if(&names, Vec::new())).unwrap();
        }
        assert_eq!(check("prova/a", first), conflict);
        assert_eq!(check("prova/a", second), Ok(()));
        assert_eq!(check("prova/never", 0), Ok(()));
        assert_eq!(check("prova/99", second), conflict);
        assert_eq!(check("prova/99", one.node.store.reached()), Ok(()));
    }

    // Another process advances a name after the reading.
    let seen = one.node.store.reached();
    let elsewhere = other.block_on(other.submit_if(&["prova/a"], Vec::new())).unwrap();
    assert_eq!(check("prova/a", seen), conflict);
    assert_eq!(one.node.store.reached(), elsewhere);
    assert_eq!(check("prova/a", elsewhere), Ok(()));
    one.node.close();
    other.node.close();
}

/// Two gateways on one log: what one lets in counts for the quota of the other.
#[test]
fn quotas_follow_what_others_record() {
    let (ground, log) = (ground(), MemLog::new());
    let [one, other] = [ground.on(log.clone()), ground.on(log.clone())];
    ground.enrol(&one);
    let quotas = Arc::new(Quotas::default());
    let reader = other.node.ledger.reader.clone();
    let counting = QuotaFollower::recounted(
        &quotas,
        &Arc::default(),
        (reader.as_ref(), log.head().unwrap()),
        &other.clock,
        None,
    )
    .unwrap();
    other
        .block_on(other.node.ledger.committer.follow(Box::new(counting)))
        .unwrap();
    let day = one.today().to_string();
    let indicator = requests::indicatore("RSSMRA80A01H501U", &day, "A1.07");
    for _ in 0..3 {
        one.ask(ground.peer("comune"), &indicator).unwrap();
    }
    let used = || {
        quotas
            .used(other.clock.now())
            .into_iter()
            .find(|(ente, ..)| ente == "comune")
            .map(|(_, exchanges, _)| exchanges)
    };
    for _ in 0..100 {
        if used() == Some(3) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(used(), Some(3));
    // Its own are counted where they are let in, and not again here.
    std::thread::sleep(std::time::Duration::from_millis(300));
    other.ask(ground.peer("comune"), &indicator).unwrap();
    assert_eq!(used(), Some(3));
    one.node.close();
    other.node.close();
}

/// A request that names many protocols in vain empties a bucket for hours. A start counts it again.
#[test]
fn attempts_of_hours_ago_are_counted_again_by_a_start() {
    let (ground, log) = (ground(), MemLog::new());
    let engine = ground.on(log.clone());
    let (node, began) = (&engine.node, engine.clock.now());
    let mut body = Body::new(
        Kind::Exchange,
        Retention::Dsu,
        new_exchange(began).unwrap(),
        began,
    );
    body.ente = Some("caf".to_owned());
    body.facts
        .insert("tentativi".to_owned(), serde_json::json!({ "": 300 }));
    let blinding = Blinding::new().unwrap();
    let draft = node.ledger.prepare(body, &Secret::default(), blinding, 0, began);
    let submission = Submission {
        drafts: vec![draft.unwrap()],
        preconditions: Vec::new(),
    };
    engine.block_on(node.ledger.committer.submit(submission)).unwrap();

    // The bucket of an ente holds sixty attempts, and gets one a minute: it is full after five hours.
    for (hours, left) in [(3, false), (4, false), (5, true)] {
        let now = began + SignedDuration::from_hours(hours);
        let tentativi = Arc::new(Tentativi::default());
        let reader = (node.ledger.reader.as_ref(), log.head().unwrap());
        QuotaFollower::recounted(&Arc::default(), &tentativi, reader, &Clock::fixed(now), None).unwrap();
        let chi = Chi::of(Operation::TrasmissioneDsu, "caf", None);
        assert_eq!(
            tentativi.reserve(chi, 60, now).is_ok(),
            left,
            "after {hours} hours"
        );
    }
    engine.node.close();
}

/// A clean stop leaves the counts of the day in a file. A start goes on from them, and counts what came since;
/// with a file that is damaged or of another ledger it counts the whole day.
#[test]
fn counts_left_by_a_clean_stop_are_taken_up() {
    let (ground, log) = (ground(), MemLog::new());
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("counts");
    let [engine, other] = [ground.on(log.clone()), ground.on(log.clone())];
    ground.enrol(&engine);
    let (quotas, tentativi) = (Arc::new(Quotas::default()), Arc::new(Tentativi::default()));
    let kept = |log: &MemLog| CountsFile {
        path: path.clone(),
        disk: Arc::new(RealDisk),
        reader: Arc::new(log.clone()),
    };
    let start = |log: &MemLog, (quotas, tentativi): (&Arc<Quotas>, &Arc<Tentativi>), clock: &Clock| {
        let reader = (log as &dyn varco::ledger::Reader, log.head().unwrap());
        QuotaFollower::recounted(quotas, tentativi, reader, clock, Some(kept(log))).unwrap()
    };
    let following = start(&log, (&quotas, &tentativi), &engine.clock);
    engine
        .block_on(engine.node.ledger.committer.follow(Box::new(following)))
        .unwrap();
    let indicator = requests::indicatore("RSSMRA80A01H501U", &engine.today().to_string(), "A1.07");
    for _ in 0..3 {
        engine.ask(ground.peer("comune"), &indicator).unwrap();
    }
    // One more was let in than was recorded: so much only the file knows. So it is with the attempts.
    let now = engine.clock.now();
    for _ in 0..4 {
        quotas.take("comune", &Quote::default(), now).unwrap();
    }
    quotas.count_for("comune", 7, now);
    quotas
        .read("comune", &Quote::default(), None, &[1, 2], now)
        .unwrap();
    let chi = Chi::of(Operation::TrasmissioneDsu, "caf", Some("a"));
    tentativi.settle(tentativi.reserve(chi, 10, now).unwrap(), 10, now);
    engine.node.close();

    let found = |log: &MemLog, clock: &Clock| {
        let (quotas, tentativi) = (Arc::new(Quotas::default()), Arc::new(Tentativi::default()));
        start(log, (&quotas, &tentativi), clock);
        let used = quotas
            .used(clock.now())
            .into_iter()
            .find(|(ente, ..)| ente == "comune");
        let used = used.map_or((0, 0), |(_, exchanges, persons)| (exchanges, persons));
        (used, tentativi.exhausted(clock.now()).len())
    };
    assert_eq!(found(&log, &engine.clock), ((4, 2), 1));
    let after = |hours: i64| Clock::fixed(now + SignedDuration::from_hours(hours));
    assert_eq!(found(&log, &after(1)), ((4, 2), 0), "of the same day");
    assert_eq!(found(&log, &after(14)), ((0, 0), 0), "of the next day");
    assert_eq!(found(&log, &after(-24)), ((0, 0), 0), "the clock had gone ahead");

    let whole = std::fs::read(&path).unwrap();
    // It follows what the first recorded, in a moment.
    let mut asked = 0;
    for _ in 0..100 {
        asked += u32::from(asked < 2 && other.ask(ground.peer("comune"), &indicator).is_ok());
        if asked < 2 {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    assert_eq!(asked, 2);
    other.node.close();
    assert_eq!(found(&log, &engine.clock), ((6, 3), 1), "and what came since");
    let counted = found(&MemLog::new(), &engine.clock);
    assert_eq!(counted, ((0, 0), 0), "another ledger");
    for place in (0..whole.len()).step_by(5) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert_eq!(found(&log, &engine.clock), ((5, 1), 0), "byte {place}");
        std::fs::write(&path, &whole[..place]).unwrap();
        assert_eq!(found(&log, &engine.clock), ((5, 1), 0), "cut at {place}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(found(&log, &engine.clock), ((5, 1), 0));
}

/// Questions about an indicator are answered from a summary: a verification compares it with the attestation.
#[test]
fn a_summary_that_is_not_its_attestations_is_found() {
    let (ground, log) = (ground(), MemLog::new());
    let engine = ground.on(log.clone());
    ground.enrol(&engine);
    let dsu = requests::dsu("CAF00001-MOTORE-2026-N0000001", &engine.today().to_string());
    engine
        .ask(ground.peer("caf"), &requests::trasmissione(&dsu))
        .unwrap();
    let node = &engine.node;
    let keys = || Keys::open(&engine.home.path().join("keys"), true).unwrap();
    let verified = || {
        let checked = ledger::Checked {
            keys: Some(keys()),
            again: &|| None,
            views: None,
            tiles: None,
        };
        ledger::verify_log(&log, checked).map_err(|error| error.to_string())
    };
    verified().unwrap();
    let mut attested = None;
    log.verify(&mut |entry| {
        if entry.leaf.body.kind == Kind::Attestation {
            attested = Some(entry);
        }
    })
    .unwrap();
    let attested = attested.unwrap();
    let (_, whole) = varco::ledger::seal::open(&keys(), &attested.leaf, &attested.sealed).unwrap();
    let summary = whole.indicatori.clone().unwrap();
    let now = engine.clock.now();
    let record = |indicatori: Option<Vec<u8>>| {
        let mut body = attested.leaf.body.clone();
        body.exchange = new_exchange(now).unwrap();
        body.keys = Vec::new();
        body.facts.remove("ordinal");
        body.facts.remove("sigillo");
        let secret = Secret {
            indicatori,
            ..whole.clone()
        };
        let draft = node
            .ledger
            .prepare(body, &secret, Blinding::new().unwrap(), 0, now);
        let submission = Submission {
            drafts: vec![draft.unwrap()],
            preconditions: Vec::new(),
        };
        engine.block_on(node.ledger.committer.submit(submission)).unwrap();
    };
    // The same again is right. One figure changed, and bytes that are no summary, are not.
    record(Some(summary.clone()));
    verified().unwrap();
    let mut changed = summary.clone();
    let figure = changed.len() / 2;
    changed[figure] ^= 1;
    for wrong in [changed, summary[1..].to_vec()] {
        record(Some(wrong));
    }
    let told = verified().unwrap_err();
    assert_eq!(told.matches("la sintesi degli indicatori").count(), 2, "{told}");
    engine.node.close();
}

/// Whatever is asked first in a new year: the keys of the year exist before it is looked up.
#[test]
fn a_year_begins_with_its_keys() {
    let ground = ground();
    let engine = ground.memory();
    ground.enrol(&engine);
    let years = || -> Vec<i16> {
        let keys = engine.node.ledger.keys.token_keys_of(Retention::Dsu);
        keys.iter().map(|key| key.year).collect()
    };
    assert_eq!(years(), [2026]);
    engine.clock.set("2027-01-01T00:00:00Z".parse().unwrap());
    let indicator = requests::indicatore(requests::GIULIA, &engine.today().to_string(), "A1.07");
    engine.ask(ground.peer("comune"), &indicator).unwrap();
    assert_eq!(years(), [2026, 2027]);
    engine.node.close();
}
