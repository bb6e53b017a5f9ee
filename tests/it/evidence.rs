//! What the ledger proves, read by a program that has none of the gateway's code; and what a restart makes of a
//! ledger that is not the one that was signed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::{BENEFIT, DSU, ISEE, Site, element, requests};
use tempfile::TempDir;
use varco::gateway::node::Node;
use varco::ledger::batch::Raw;
use varco::ledger::disk::RealDisk;
use varco::ledger::log::BatchId;
use varco::ledger::segments::{Loss, SegmentLog};
use varco::ledger::{Log as _, Reader as _};
use varco_verify::said::{Answer, UNVERIFIED, answer};

/// A site that transmitted and retrieved, and what a stranger has of it.
struct Told {
    site: Site,
    home: TempDir,
    /// The request and the reply of a retrieval, and its id.
    request: String,
    reply: String,
    exchange: String,
}

/// What `varco-verify` says: output and exit status.
fn verify(arguments: &[&str]) -> (String, u8) {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let Answer { text, status } = answer(&arguments);
    (text, status)
}

fn ask(site: &Site, numbers: std::ops::Range<u32>) -> (String, String, String) {
    let serving = site.serve();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let last = kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        for number in numbers {
            let dsu = requests::dsu(&format!("CAF00001-PROVA1-2026-N{number:07}"), &site.today());
            let answer = caf.call(DSU, &requests::trasmissione(&dsu)).await.unwrap();
            assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        }
        let comune = site.client(serving.address, "comune");
        comune.call(ISEE, &request).await.unwrap()
    });
    serving.stop();
    assert_eq!(element(&last, "Esito"), "OK");
    (request, last.text, last.exchange.unwrap())
}

impl Told {
    fn new() -> Self {
        let site = Site::new();
        let (request, reply, exchange) = ask(&site, 0..3);
        Self {
            site,
            home: tempfile::tempdir().unwrap(),
            request,
            reply,
            exchange,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn put(&self, name: &str, text: &str) -> String {
        std::fs::write(self.file(name), text).unwrap();
        self.path(name)
    }

    /// A command on the ledger.
    fn varco(&self, arguments: &[&str]) -> (String, bool) {
        let data = self.site.data().display().to_string();
        let all = [&["ledger"], arguments, &["--data", &data]].concat();
        kit::varco(&all)
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (text, done) = self.varco(arguments);
        assert!(done, "{arguments:?}: {text}");
        text
    }

    /// A policy with the present key and no witness.
    fn policy(&self) -> String {
        let key = self.done(&["chiave"]);
        self.put("fiducia", &format!("log {}\nquorum none\n", key.trim()))
    }

    fn checkpoint(&self, name: &str) -> String {
        let path = self.path(name);
        self.done(&["checkpoint", "-o", &path]);
        path
    }

    fn data(&self) -> String {
        self.site.data().display().to_string()
    }
}

#[test]
fn a_stranger_checks_what_was_asked_and_answered() {
    let told = Told::new();
    let (plain, open) = (told.path("a.tlog-proof"), told.path("b.tlog-proof"));
    told.done(&["prove", &told.exchange, "-o", &plain]);
    told.done(&[
        "prove",
        &told.exchange,
        "-o",
        &open,
        "--apri",
        "--motivo",
        "ricorso 12/2026",
    ]);
    let policy = told.policy();
    let (request, reply) = (
        told.put("richiesta", &told.request),
        told.put("risposta", &told.reply),
    );

    let whole = [
        "prova",
        &open,
        "--fiducia",
        &policy,
        "--richiesta",
        &request,
        "--risposta",
        &reply,
    ];
    let (text, status) = verify(&whole);
    assert_eq!(status, 0, "{text}");
    for part in [
        "è nel registro varco/",
        "operazione: ConsultazioneIndicatore",
        "ente: comune",
        "esito: OK",
        &format!("scambio: {}", told.exchange),
        &format!("La richiesta registrata è quella di {request}."),
        &format!("La risposta registrata è quella di {reply}."),
        "Lo ha firmato il registro, con la chiave varco/",
        "Nessun testimone lo ha visto",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Nothing personal is in a proof that opens nothing.
    let bytes = std::fs::read_to_string(&plain).unwrap();
    assert!(
        !bytes.contains("random") && !bytes.contains(requests::GIULIA),
        "{bytes}"
    );
    // Without trust all is consistent, and the last line says what was not looked at.
    let (text, status) = verify(&["prova", &plain]);
    assert!(status == 0 && text.trim_end().ends_with(UNVERIFIED), "{text}");

    // Another request, another reply.
    for (option, path) in [("--richiesta", &reply), ("--risposta", &request)] {
        let (text, status) = verify(&["prova", &open, option, path]);
        assert!(status == 1 && text.contains("non è quella registrata"), "{text}");
    }
    let (text, status) = verify(&["prova", &plain, "--richiesta", &request]);
    assert!(status == 2 && text.contains("non ha quello che serve"), "{text}");
    // Another key of the same name, a witness that did not see it, a signature that was changed.
    let key = told.done(&["chiave"]);
    let (name, _) = key.trim().split_once('+').unwrap();
    let other = varco::evidence::note::NoteKey::new(name, &[7; 32])
        .unwrap()
        .verification();
    let strangers = told.put("altri", &format!("log {other}\nquorum none\n"));
    let (text, status) = verify(&["prova", &plain, "--fiducia", &strangers]);
    assert!(
        status == 1 && text.contains("nessuna chiave del registro"),
        "{text}"
    );
    let witness = varco_verify::note::Key {
        name: "testimone".to_owned(),
        kind: varco_verify::note::Kind::Witness,
        public: [9; 32],
    };
    let wants = format!("log {}\nwitness t {}\nquorum t\n", key.trim(), witness.text());
    let wants = told.put("testimone", &wants);
    let (text, status) = verify(&["prova", &plain, "--fiducia", &wants]);
    assert!(status == 1 && text.contains("mancano testimoni"), "{text}");
    // Any byte of it changed: nothing is proven, or it is no proof any more.
    let good = std::fs::read(&open).unwrap();
    for at in (0..good.len()).step_by(11) {
        let mut changed = good.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(told.file("c.tlog-proof"), changed).unwrap();
        let changed = told.path("c.tlog-proof");
        let whole = [
            "prova",
            &changed,
            "--fiducia",
            &policy,
            "--richiesta",
            &request,
            "--risposta",
            &reply,
        ];
        let (text, status) = verify(&whole);
        assert_ne!(status, 0, "byte {at}: {text}");
    }
    // Each opening is in the ledger, with its reason.
    let listed = told.done(&["list", "--operazione", "ledger prove"]);
    assert_eq!(listed.matches("ledger prove").count(), 1, "{listed}");
    // A proof is never written over a file, and of an entry that there is not there is none.
    let (text, proven) = told.varco(&["prove", "1", "-o", &plain]);
    assert!(!proven && text.contains(&plain), "{text}");
    let (text, proven) = told.varco(&["prove", "9999", "-o", &told.path("d")]);
    assert!(
        !proven && text.contains("nessuna voce con la sequenza 9999"),
        "{text}"
    );
}

#[test]
fn a_later_checkpoint_goes_on_from_an_earlier_one() {
    let told = Told::new();
    let (policy, first) = (told.policy(), told.checkpoint("primo"));
    ask(&told.site, 10..13);
    let (second, proof) = (told.checkpoint("secondo"), told.path("prova"));
    told.done(&["consistency", &first, "-o", &proof]);
    let (text, status) = verify(&["consistenza", &first, &proof, "--fiducia", &policy]);
    assert!(
        status == 0 && text.contains("niente di prima è cambiato"),
        "{text}"
    );
    let (text, status) = verify(&["consistenza", &first, &proof]);
    assert!(status == 0 && text.trim_end().ends_with(UNVERIFIED), "{text}");
    let (_, status) = verify(&["consistenza", &second, &proof]);
    assert_eq!(status, 1);
    // Both trees are in the directory.
    let data = told.data();
    let whole = [
        "registro",
        &data,
        "--checkpoint",
        &first,
        "--checkpoint",
        &second,
        "--fiducia",
        &policy,
    ];
    let (text, status) = verify(&whole);
    assert!(
        status == 0 && text.matches("il registro contiene quello").count() == 2,
        "{text}"
    );
    let (text, status) = verify(&["registro", &data]);
    assert!(status == 0 && text.contains("Senza un checkpoint"), "{text}");
    // It is the same root as the ledger's own.
    let root = told.done(&["verify"]);
    let (_, root) = root.trim().rsplit_once("radice ").unwrap();
    assert!(text.contains(root), "{root}: {text}");
}

/// All entries of a directory.
fn entries(data: &Path) -> Vec<Raw> {
    let directory = varco::ledger::Directory::open(data).unwrap();
    let mut all = Vec::new();
    let read = directory.reader().verify(&mut |entry| {
        all.push(Raw {
            leaf: entry.bytes,
            sealed: entry.sealed,
        });
    });
    assert!(read.unwrap().1.is_empty());
    all
}

/// Puts other entries in the place of a ledger's, with every checksum, length and index mended, as root can.
fn forge(data: &Path, entries: &[Raw]) {
    let directory = varco::ledger::Directory::open(data).unwrap();
    let ledger = data.join("ledger");
    std::fs::remove_dir_all(&ledger).unwrap();
    std::fs::remove_dir_all(data.join("views")).unwrap();
    SegmentLog::create(&ledger, directory.ledger, &RealDisk).unwrap();
    let opened = SegmentLog::open(
        &ledger,
        directory.ledger,
        Arc::new(RealDisk),
        1 << 20,
        Loss::Refused,
    );
    let (mut log, _) = opened.unwrap();
    for (number, batch) in (0..).zip(entries.chunks(5)) {
        let id = BatchId { writer: 1, number };
        log.append(id, batch, log.head().unwrap()).unwrap();
    }
    log.close().unwrap();
}

/// The leaves of entries numbered anew, from 1.
fn renumbered(entries: Vec<Raw>) -> Vec<Raw> {
    let number = |(at, raw): (usize, Raw)| {
        let text = String::from_utf8(raw.leaf).unwrap();
        let (before, after) = text.split_once("\"seq\":").unwrap();
        let (_, after) = after.split_once(',').unwrap();
        Raw {
            leaf: format!("{before}\"seq\":{},{after}", at + 1).into_bytes(),
            sealed: raw.sealed,
        }
    };
    entries.into_iter().enumerate().map(number).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &to),
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), to).unwrap()),
            _ => {}
        }
    }
}

/// What somebody with root does to a ledger, mending everything that can be mended without a key. The last
/// checkpoint, as somebody else kept it, finds each of them; and so does a start, where it was left in the
/// directory.
#[test]
fn a_ledger_that_was_rewritten_is_found_by_the_last_checkpoint() {
    let told = Told::new();
    let (policy, kept) = (told.policy(), told.checkpoint("kept"));
    let other = Told::new();
    let whole = entries(&told.site.data());
    let foreign = entries(&other.site.data());
    let exchange = whole.iter().position(|raw| {
        let leaf = String::from_utf8_lossy(&raw.leaf);
        leaf.contains("\"kind\":\"exchange\"") && leaf.contains("\"ente\":\"comune\"")
    });
    let exchange = exchange.unwrap();
    type Act<'a> = &'a dyn Fn(&mut Vec<Raw>);
    let replaced = |raw: &mut Raw, from: &str, to: &str| {
        let text = String::from_utf8(raw.leaf.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        raw.leaf = text.replacen(from, to, 1).into_bytes();
    };
    let acts: [(&str, Act<'_>, &str); 8] = [
        ("nothing", &|_| {}, ""),
        (
            "an entry rewritten",
            &|all| replaced(&mut all[exchange], "\"ente\":\"comune\"", "\"ente\":\"comunf\""),
            "una delle prime",
        ),
        (
            "an entry removed",
            &|all| drop(all.remove(exchange)),
            "la prima che manca è la",
        ),
        (
            "two swapped",
            &|all| all.swap(exchange, exchange - 1),
            "una delle prime",
        ),
        (
            "one doubled",
            &|all| all.insert(3, all[3].clone()),
            "una delle prime",
        ),
        (
            "one of another ledger",
            &|all| all[exchange].sealed = foreign[exchange].sealed.clone(),
            "",
        ),
        (
            "inserted in the past",
            &|all| all.insert(1, foreign[2].clone()),
            "una delle prime",
        ),
        (
            "the end cut off",
            &|all| all.truncate(all.len() - 5),
            "la prima che manca è la",
        ),
    ];
    for (name, act, says) in acts {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        copy(&told.site.data(), &data);
        let mut changed = whole.clone();
        act(&mut changed);
        if name == "inserted in the past" {
            // Of the ledger that it is put into.
            let id = |raw: &Raw| String::from_utf8_lossy(&raw.leaf)[17..53].to_owned();
            let (from, to) = (id(&foreign[2]), id(&whole[0]));
            replaced(&mut changed[1], &from, &to);
        }
        forge(&data, &renumbered(changed));
        let path = data.display().to_string();
        let (text, status) = verify(&["registro", &path, "--checkpoint", &kept, "--fiducia", &policy]);
        let opened = Node::open(
            &varco::ledger::Directory::open(&data).unwrap(),
            &told.site.clock,
            Arc::new(RealDisk),
            1 << 20,
        );
        match name {
            "nothing" => {
                assert_eq!(status, 0, "{name}: {text}");
                opened.unwrap().close();
            }
            // The leaf is whole, and covers another sealed part.
            "one of another ledger" => {
                assert!(
                    status == 1 && text.contains("non è quella della voce"),
                    "{name}: {text}"
                );
            }
            _ => {
                assert!(status == 1 && text.contains(says), "{name}: {text}");
                let why = opened
                    .err()
                    .unwrap_or_else(|| panic!("{name}: it starts"))
                    .to_string();
                assert!(why.contains("checkpoint firmato"), "{name}: {why}");
            }
        }
    }
}

/// Two thousand segments changed at random: nothing panics, and nothing is accepted unless every leaf and every
/// sealed part, but for its key, is what it was.
#[test]
fn whatever_the_bytes_are_what_is_accepted_is_what_was_signed() {
    let told = Told::new();
    let kept = told.checkpoint("kept");
    let data = told.site.data();
    let segment = data.join("ledger/00000000000000000001.seg");
    let good = std::fs::read(&segment).unwrap();
    let told_of = |data: &Path| {
        let mut all = Vec::new();
        let walked = varco_verify::directory::walk(data, &mut |stored| {
            let sealed = [stored.sealed.get(..8), stored.sealed.get(72..)]
                .into_iter()
                .flatten();
            all.push((stored.leaf.to_vec(), sealed.collect::<Vec<_>>().concat()));
        });
        walked.map(|_| all)
    };
    let before = told_of(&data).unwrap();
    let mut state: u64 = 0x5eed;
    let mut below = |end: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let path = told.data();
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = good.clone();
        let (from, to) = (below(bytes.len()), below(bytes.len()));
        match below(6) {
            0 | 1 => bytes[from] ^= 1 << below(8),
            2 => bytes.truncate(from),
            3 => drop(bytes.drain(from.min(to)..(from.min(to) + below(300)).min(good.len()))),
            4 => bytes.copy_within(
                from..(from + below(300)).min(good.len()),
                to.min(good.len() - 300),
            ),
            _ => bytes
                .splice(from..from, std::iter::repeat_n(0xff, below(40)))
                .for_each(drop),
        }
        std::fs::write(&segment, &bytes).unwrap();
        let (text, status) = verify(&["registro", &path, "--checkpoint", &kept]);
        match status {
            0 => {
                accepted += 1;
                assert!(told_of(&data).unwrap() == before, "{text}");
            }
            1 => refused += 1,
            _ => panic!("{status}: {text}"),
        }
    }
    // Checksums, the keys of sealed parts and what stands after the end are in nobody's tree.
    assert!(
        accepted > 20 && refused > 1000,
        "{accepted} accepted, {refused} refused"
    );
}

/// Entries changed where they stand, with their batch's checksum mended, and the tiles left alone: the first one
/// is named. A sealed part that was zeroed is found without any checkpoint.
#[test]
fn the_first_changed_entry_is_named_while_the_tiles_are_there() {
    let told = Told::new();
    let (policy, kept) = (told.policy(), told.checkpoint("kept"));
    let data = told.site.data();
    let mut all = entries(&data);
    let tiles = told.file("tile");
    copy(&data.join("ledger/tile"), &tiles);
    for at in [6, 9] {
        let text = String::from_utf8(all[at].leaf.clone()).unwrap();
        all[at].leaf = text
            .replacen("\"received\":\"2", "\"received\":\"1", 1)
            .into_bytes();
    }
    forge(&data, &all);
    copy(&tiles, &data.join("ledger/tile"));
    let path = told.data();
    let (text, status) = verify(&["registro", &path, "--checkpoint", &kept, "--fiducia", &policy]);
    assert!(
        status == 1 && text.contains("la prima voce cambiata è la 7"),
        "{text}"
    );
    let (text, whole) = told.varco(&["verify"]);
    assert!(!whole && text.contains("la prima diversa è la 7"), "{text}");

    let told = Told::new();
    let data = told.site.data();
    let mut all = entries(&data);
    let sealed = all.iter().position(|raw| raw.sealed.len() > 100).unwrap();
    let mut zeroed = all[sealed].sealed.to_vec();
    zeroed[8..72].fill(0);
    all[sealed].sealed = zeroed.into();
    forge(&data, &all);
    let (text, status) = verify(&["registro", &told.data()]);
    let said = format!(
        "Voce {}: la chiave della parte cifrata è stata cancellata",
        sealed + 1
    );
    assert!(status == 1 && text.contains(&said), "{text}");
}

/// A stolen key ends the epoch, with and without a gateway that runs: nothing more is signed with it, and the
/// ledger has who decided it and, sealed, why.
#[test]
fn a_stolen_key_signs_no_more() {
    let told = Told::new();
    let stolen = told.done(&["chiave"]);
    let last = std::fs::read_to_string(told.checkpoint("ultimo")).unwrap();
    let motivo = "furto del server di via Prova";
    let end = ["epoca", "--chiave-compromessa", "--motivo", motivo];
    let (text, done) = told.varco(&end[..2]);
    assert!(!done && text.contains("--motivo"), "{text}");

    let serving = told.site.serve();
    let second = told.done(&end);
    let second = second.trim().lines().last().unwrap().to_owned();
    assert!(
        second.contains("/2+") && told.done(&["chiave"]).trim() == second,
        "{second}"
    );
    // The gateway goes on, under the new key.
    let request = requests::indicatore(requests::GIULIA, &told.site.today(), BENEFIT);
    let comune = told.site.client(serving.address, "comune");
    let answer = kit::runtime().block_on(comune.call(ISEE, &request)).unwrap();
    assert_eq!(element(&answer, "Esito"), "OK");
    // Within a second it is signed, and the status says so.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let data = told.data();
    let voci = |text: &str, before: &str| {
        let rest = text.split(before).nth(1).unwrap_or_default();
        let number = rest
            .split([' ', '}', ','])
            .find_map(|word| word.parse::<u64>().ok());
        number.unwrap_or_else(|| panic!("{text}"))
    };
    loop {
        let (status, good) = kit::varco(&["status", "--data", &data, "--json"]);
        assert!(good, "{status}");
        let status = status.replace([':', '\n'], " ");
        if voci(&status, "\"checkpoint\"") == voci(&status, "\"voci\"") {
            break;
        }
        assert!(std::time::Instant::now() < until, "{status}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    serving.stop();
    let after = std::fs::read_to_string(told.checkpoint("dopo")).unwrap();
    assert!(after.contains("/2\n") && !after.contains("/1\n"), "{after}");
    let size = |note: &str| varco::evidence::note::TreeHead::read(note).unwrap().size;
    assert!(size(&after) > size(&last));

    let third = told.done(&end);
    assert!(third.contains("/3+"), "{third}");
    let known = [(1, "inizio"), (2, "compromessa"), (3, "compromessa")];
    let epochs = epochs(&told.site.data());
    let told_of: Vec<_> = epochs
        .iter()
        .map(|(number, why, _)| (*number, why.as_str()))
        .collect();
    assert_eq!(told_of, known);
    let shown = told.done(&["list", "--operazione", "epoca"]);
    assert!(!shown.contains(motivo), "{shown}");
    // A proof of before still holds, with the key of before.
    let policy = told.put("vecchia", &format!("log {}\nquorum none\n", stolen.trim()));
    let (first, data) = (told.path("ultimo"), told.data());
    let (text, status) = verify(&["registro", &data, "--checkpoint", &first, "--fiducia", &policy]);
    assert_eq!(status, 0, "{text}");
}

/// The epochs of a ledger, as its entries tell: number, why, entries of the checkpoint before.
fn epochs(data: &Path) -> Vec<(u64, String, Option<u64>)> {
    let leaf = |raw: &Raw| serde_json::from_slice::<serde_json::Value>(&raw.leaf).unwrap();
    let all = entries(data).iter().map(leaf).collect::<Vec<_>>();
    let beginnings = all.iter().filter(|leaf| leaf["operation"] == "epoca");
    beginnings
        .map(|leaf| {
            let facts = &leaf["facts"];
            let text = |name: &str| facts[name].as_str().unwrap().to_owned();
            (
                facts["epoca"].as_u64().unwrap(),
                text("perche"),
                facts["precedente"]["voci"].as_u64(),
            )
        })
        .collect()
}

#[test]
fn whoever_may_have_lost_entries_signs_under_a_new_origin() {
    let told = Told::new();
    let data = told.site.data();
    let head = |name: &str| {
        let path = told.checkpoint(name);
        let note = std::fs::read_to_string(path).unwrap();
        varco::evidence::note::TreeHead::read(&note).unwrap()
    };
    let first = head("primo");
    assert!(first.origin.ends_with("/1"), "{}", first.origin);
    assert_eq!(epochs(&data), [(1, "inizio".to_owned(), None)]);
    // Starts and stops change nothing.
    ask(&told.site, 20..21);
    let second = head("secondo");
    assert_eq!(
        (second.origin == first.origin, second.size > first.size),
        (true, true)
    );

    // A copy put back, with the keys of before beside it.
    let copied = told.path("copia");
    let (text, copied_it) = kit::varco(&["backup", &copied, "--data", &told.data()]);
    assert!(copied_it, "{text}");
    ask(&told.site, 21..23);
    let lost = head("terzo");
    let copied = Path::new(&copied);
    copy(&data.join("keys"), &copied.join("keys"));
    std::fs::rename(&data, told.file("former")).unwrap();
    copy(copied, &data);
    ask(&told.site, 23..26);
    let restored = head("quarto");
    assert!(restored.origin.ends_with("/2"), "{}", restored.origin);
    assert_eq!(
        epochs(&data).last().unwrap(),
        &(2, "copia".to_owned(), Some(second.size))
    );
    // The two do contradict each other, and nobody signed both under one name.
    assert!(restored.size > second.size && lost.origin != restored.origin);

    // The key is gone.
    std::fs::remove_file(data.join("keys/firma")).unwrap();
    ask(&told.site, 26..27);
    assert_eq!(
        epochs(&data).last().unwrap(),
        &(3, "chiave".to_owned(), Some(restored.size))
    );

    // The end of the log is given up: of its loss nothing knows but the checkpoint.
    let signed = head("quinto");
    let mut all = entries(&data);
    all.truncate(all.len() - 3);
    forge(&data, &all);
    let data_path = told.data();
    let (text, made) = kit::varco(&["rebuild", "--data", &data_path]);
    assert!(!made && text.contains("l'ultimo checkpoint firmato ha"), "{text}");
    let (text, made) = kit::varco(&[
        "rebuild",
        "--data",
        &data_path,
        "--accetta-perdita",
        "--motivo",
        "disco rotto",
    ]);
    assert!(made && text.contains("perdita registrata"), "{text}");
    assert_eq!(
        epochs(&data).last().unwrap(),
        &(4, "perdita".to_owned(), Some(signed.size))
    );
    ask(&told.site, 27..28);
    let last = head("sesto");
    assert!(last.origin.ends_with("/4") && told.done(&["verify"]).contains("registro integro"));
}
