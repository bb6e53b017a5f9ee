//! Directories of earlier versions, and copies: what was recorded stays readable, and the ledger says what
//! happened.

mod answers;
mod make;
mod mutations;
mod port;
mod story;

use std::path::{Path, PathBuf};

use answers::{Answered, Asking};
use kit::{BENEFIT, DSU, ISEE, Serving, Site, element, requests, varco};
use port::{Port, write_master_key};
use varco::clock::Clock;
use varco::commands::upgrade;
use varco::ledger::search::{Filter, find};
use varco::ledger::{Keys, TokenKey};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn done(arguments: &[&str]) -> String {
    let (text, done) = varco(arguments);
    assert!(done, "{arguments:?}: {text}");
    text
}

#[test]
fn a_directory_of_format_1_0_is_upgraded_when_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/directory-1.0"),
        &data,
    );
    let dir = data.display().to_string();
    // Keys of its own: those that it was written with are not kept, and its sealed parts stay closed.
    varco::ledger::keys::create(&data.join("keys")).unwrap();
    let keys = Keys::open(&data.join("keys"), false).unwrap();
    // As many as its entries name: with fewer it would be an older copy of a keyring.
    (0..4).for_each(|earlier| {
        drop(
            keys.token(
                TokenKey {
                    year: Clock::system().today().year() - earlier,
                    class: None,
                },
                "cf",
                "",
            )
            .unwrap(),
        )
    });

    // Its ledger can be read, verified and copied as it is. Nothing is written to it, nor opened unrecorded.
    let copied = home.path().join("copy").display().to_string();
    std::fs::rename(data.join("keys"), home.path().join("keys")).unwrap();
    for copy in [false, true] {
        let dir = if copy { &copied } else { &dir };
        assert!(done(&["ledger", "verify", "--data", dir]).contains("registro integro"));
        assert!(done(&["ledger", "list", "--ente", "caf", "--data", dir]).contains("caf"));
        if !copy {
            done(&["backup", &copied, "--data", dir]);
        }
    }
    let copied = home.path().join("copy");
    assert!(
        std::fs::read_to_string(copied.join("FORMAT"))
            .unwrap()
            .contains("varco 1.0\n")
    );
    std::fs::rename(home.path().join("keys"), data.join("keys")).unwrap();
    std::fs::create_dir_all(data.join("views")).unwrap();
    let person = ["ledger", "show", "1", "--apri", "--data", &dir];
    for arguments in [&["ente", "lista", "--data", &dir][..], &person] {
        let (text, opened) = varco(arguments);
        assert!(
            !opened && text.contains("è nel formato 1.0") && text.contains("varco upgrade"),
            "{text}"
        );
    }
    let before = std::fs::read(data.join("ledger/00000000000000000001.seg")).unwrap();
    assert!(done(&["upgrade", &dir]).contains("dal formato 1.0 al 1.2; 3 enti registrati di nuovo"));
    assert!(done(&["upgrade", &dir]).contains("già nel formato 1.2"));
    let after = std::fs::read(data.join("ledger/00000000000000000001.seg")).unwrap();
    assert!(
        after.starts_with(&before) && after.len() > before.len(),
        "what was recorded was changed"
    );
    // Without keys, since these are not those that the first entries were sealed with.
    std::fs::rename(data.join("keys"), home.path().join("keys")).unwrap();
    assert!(done(&["ledger", "verify", "--data", &dir]).contains("registro integro"));
    std::fs::rename(home.path().join("keys"), data.join("keys")).unwrap();

    let comune = done(&["ente", "mostra", "comune", "--data", &dir]);
    for part in [
        "accreditato",
        "01234567897",
        "ConsultazioneIndicatore per A1.07, A1.08",
        "ConsultazioneDichiarazione per A1.07, A1.08 per i controlli",
        "dal 2026-01-01",
        "predefinita",
    ] {
        assert!(comune.contains(part), "{part} is not in {comune}");
    }
    assert!(done(&["ente", "mostra", "caf", "--data", &dir]).contains("sospeso"));
    assert!(done(&["ledger", "list", "--ente", "uni", "--data", &dir]).contains("ente converti"));
    done(&["ente", "riattiva", "caf", "--data", &dir, "--motivo", "prova"]);
    std::fs::write(
        data.join("FORMAT"),
        std::fs::read_to_string(data.join("FORMAT"))
            .unwrap()
            .replace("varco 1.2", "varco 1.3"),
    )
    .unwrap();
    let (text, opened) = varco(&["ente", "lista", "--data", &dir]);
    assert!(
        !opened && text.contains("scritta una versione successiva"),
        "{text}"
    );
}

/// A copy of the data directory, and one of its keys.
fn backup(site: &Site) -> (PathBuf, PathBuf) {
    let (target, keys) = (site.home.path().join("copy"), site.home.path().join("keys"));
    done(&[
        "backup",
        &target.display().to_string(),
        "--data",
        &site.data().display().to_string(),
        "--chiavi",
        &keys.display().to_string(),
    ]);
    (target, keys)
}

/// The disk is lost; the copy and the keys take its place.
fn restore(site: &Site, target: &Path, keys: &Path) {
    std::fs::remove_dir_all(site.data()).unwrap();
    std::fs::rename(target, site.data()).unwrap();
    std::fs::rename(keys, site.data().join("keys")).unwrap();
}

#[test]
fn a_copy_that_is_put_in_place_says_so_in_the_ledger() {
    put_in_place(|_| {});
    // Left behind, or removed by an operator.
    put_in_place(|data| std::fs::remove_file(data.join("COPY")).unwrap());
}

fn put_in_place(then: impl FnOnce(&Path)) {
    let site = Site::new();
    let serving = site.serve();
    let ask = |serving: &Serving| {
        let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        kit::runtime()
            .block_on(site.client(serving.address, "comune").call(ISEE, &request))
            .unwrap()
    };
    // Numbers are given before the copy is made, and after it.
    let id = |answer: &str| {
        answer
            .split("<IdRichiesta>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    ask(&serving);
    let (target, keys) = backup(&site);
    let given = id(&ask(&serving).text);
    serving.stop();
    restore(&site, &target, &keys);
    then(&site.data());
    for _ in 0..2 {
        let serving = site.serve();
        let answer = ask(&serving);
        assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI");
        // As many as may have been given since: none is given again.
        assert!(id(&answer.text) > given + 500_000, "{}", answer.text);
        serving.stop();
    }
    let directory = site.directory();
    let filter = Filter {
        operation: Some("restore".to_owned()),
        ..Filter::default()
    };
    let restored = find(&directory.reader(), &filter, usize::MAX).unwrap();
    assert_eq!(restored.len(), 1, "once, and not at every start");
    assert_eq!(
        restored[0].leaf.body.facts["dati"]["voci"],
        restored[0].leaf.seq - 1
    );
    assert!(
        done(&["ledger", "verify", "--data", &site.data().display().to_string()])
            .contains("registro integro")
    );
}

#[test]
fn numbers_of_which_a_copy_knows_nothing_are_not_given_again_either() {
    let site = Site::new();
    // Of a request, of a DSU of today, and of one that was presented in the first year of all.
    let given = |serving: &Serving, attempt: u32| {
        let caf = site.client(serving.address, "caf");
        [(site.today(), "A"), ("2015-06-15".to_owned(), "B")].map(|(day, which)| {
            let dsu = requests::dsu(&format!("CAF00001-COPIA{which}-2026-N000000{attempt}"), &day);
            // Without the youngest, who was not born then.
            let youngest = dsu.rfind("<ComponenteNucleo ").unwrap()..dsu.find("</NucleoFamiliare>").unwrap();
            let request = requests::trasmissione(&dsu.replace(&dsu[youngest], ""));
            let answer = kit::runtime().block_on(caf.call(DSU, &request)).unwrap();
            assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
            let protocollo = element(&answer, "ProtocolloDSU").to_owned();
            let mut parts = protocollo.split('-').skip(2);
            assert_eq!(parts.next().unwrap(), &day[..4], "{protocollo}");
            let serial = parts
                .next()
                .unwrap()
                .trim_end_matches(char::is_alphabetic)
                .parse::<u64>()
                .unwrap();
            (serial, element(&answer, "IdRichiesta").parse::<u64>().unwrap())
        })
    };
    let serving = site.serve();
    let (target, keys) = backup(&site);
    let before = given(&serving, 1);
    serving.stop();
    restore(&site, &target, &keys);
    let serving = site.serve();
    let after = given(&serving, 2);
    serving.stop();
    for (before, after) in before.into_iter().zip(after) {
        assert!(
            after.0 != before.0 && after.1 > before.1 + 500_000,
            "{before:?}, {after:?}"
        );
    }
}

/// When the directories of `tests/data` are asked: a week after their last entry.
const CONSULTED: &str = "2026-02-10T11:00:00Z";

fn directory(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/directory-{format}"))
}

/// What a directory answered when it was written: to the questions about its files, and to those to the port.
fn recorded(format: &str) -> (Vec<Answered>, Vec<Answered>) {
    let all = answers::read(&std::fs::read_to_string(directory(format).join("answers.txt")).unwrap());
    let is_of_files = |answered: &Answered| answers::is_of_directory(&answered.question);
    let (of_files, of_port): (Vec<_>, Vec<_>) = all.into_iter().partition(is_of_files);
    assert!(
        of_files.len() > 20 && of_port.len() > 300,
        "{} and {} questions",
        of_files.len(),
        of_port.len()
    );
    (of_files, of_port)
}

/// Puts a copy of a directory into a port's home.
fn put(port: &Port, format: &str) {
    copy(&directory(format), &port.data());
    write_master_key(&port.data().join("keys"), format);
}

/// A home with a copy of a directory in it, in the present format.
fn home_of(format: &str, clock: Clock) -> Port {
    let port = Port::by(clock);
    put(&port, format);
    upgrade::run(&port.data(), &port.clock).unwrap();
    port
}

/// Asks a port that serves everything, and compares.
async fn asked_again(port: &Port, format: &str, address: std::net::SocketAddr) {
    let (_, recorded) = recorded(format);
    let mut asking = Asking::new(port, address);
    let mut now = Vec::new();
    for answered in &recorded {
        now.push(asking.ask(&answered.question).await);
    }
    let told = answers::differences(&recorded, &now);
    assert!(told.is_empty(), "answers that are not those recorded:\n{told}");
}

/// The same, of a port in this process, by a clock that says it is a week later.
fn serves_and_answers(port: &Port, format: &str) {
    kit::runtime().block_on(async {
        let started = port.start().await;
        asked_again(port, format, started.address).await;
        started.stop().await.unwrap();
    });
}

#[test]
fn a_directory_of_format_1_1_answers_as_it_did_and_so_do_its_views_made_again() {
    answers_as_it_did("1.1");
}

#[test]
fn a_directory_of_format_1_2_answers_as_it_did_and_so_do_its_views_made_again() {
    answers_as_it_did("1.2");
}

fn answers_as_it_did(format: &str) {
    let port = Port::by(Clock::fixed(CONSULTED.parse().unwrap()));
    put(&port, format);
    let data = port.data().display().to_string();
    let (recorded, _) = recorded(format);
    let ask = |each: &Answered| answers::of_directory(&port.data(), &port.clock, &each.question);
    // Its entries and its leaves first: an upgrade adds to them.
    let (entries, others) = recorded.split_at(2);
    let now: Vec<_> = entries.iter().map(ask).collect();
    let told = answers::differences(entries, &now);
    assert!(told.is_empty(), "answers that are not those recorded:\n{told}");
    let number: u64 = entries[0].answer.rsplit(' ').next().unwrap().parse().unwrap();

    upgrade::run(&port.data(), &port.clock).unwrap();
    let number = if format == "1.2" { number } else { number + 3 };
    let verified = done(&["ledger", "verify", "--data", &data]);
    assert!(
        verified.contains(&format!("registro integro: {number} voci in ")),
        "{verified}"
    );
    assert!(
        verified.contains(" aperte e conformi, 0 cancellate"),
        "{verified}"
    );
    let now: Vec<_> = others.iter().map(ask).collect();
    let told = answers::differences(others, &now);
    assert!(told.is_empty(), "answers that are not those recorded:\n{told}");

    port.certify_all();
    serves_and_answers(&port, format);
    kit::views_equal_a_rebuild(&port.site.directory(), &port.clock);
    serves_and_answers(&port, format);
    assert!(done(&["ledger", "verify", "--data", &data]).contains("registro integro"));
}

/// An earlier format is not opened by accident.
#[test]
fn a_directory_of_format_1_1_is_upgraded_when_it_is_asked_for() {
    let port = Port::by(Clock::system());
    put(&port, "1.1");
    let data = port.data().display().to_string();
    let (text, opened) = varco(&["ente", "lista", "--data", &data]);
    assert!(
        !opened && text.contains("è nel formato 1.1") && text.contains("varco upgrade"),
        "{text}"
    );
    let said = done(&["upgrade", "--data", &data]);
    assert!(
        said.contains("dal formato 1.1 al 1.2; 0 enti registrati di nuovo"),
        "{said}"
    );
    assert!(done(&["upgrade", "--data", &data]).contains("già nel formato 1.2"));
    assert!(done(&["ledger", "list", "--data", &data, "--tipo", "system"]).contains("upgraded"));
}

#[test]
fn the_binary_serves_directories_of_every_format() {
    for format in ["1.1", "1.2"] {
        let port = home_of(format, Clock::system());
        port.certify_all();
        let serving = Serving::start(&port.site.config());
        kit::runtime().block_on(asked_again(&port, format, serving.address));
        serving.stop();
        assert!(
            done(&["ledger", "verify", "--data", &port.data().display().to_string()])
                .contains("registro integro")
        );
    }
}

#[test]
fn a_backup_of_a_directory_of_an_earlier_build_takes_its_place() {
    for format in ["1.1", "1.2"] {
        let port = home_of(format, Clock::fixed(CONSULTED.parse().unwrap()));
        let (target, keys) = backup(&port.site);
        restore(&port.site, &target, &keys);
        port.certify_all();
        serves_and_answers(&port, format);
        let directory = port.site.directory();
        let filter = Filter {
            operation: Some("restore".to_owned()),
            ..Filter::default()
        };
        // Once in its story, once now.
        assert_eq!(find(&directory.reader(), &filter, usize::MAX).unwrap().len(), 2);
    }
}

/// The directory was written by the first version of the method of computation. Nothing of it changes by
/// itself; a trial lists what was attested by that method, and what would change.
#[test]
fn what_the_first_method_attested_is_listed_and_changes_where_it_is_asked_for() {
    let port = home_of("1.1", Clock::fixed(CONSULTED.parse().unwrap()));
    let config = port.site.config().display().to_string();
    let apply = |more: &[&str]| -> serde_json::Value {
        let said = done(&[&["rules", "apply", "--config", &config, "--json"], more].concat());
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"))
    };
    let trial = apply(&["--prova"]);
    let listed = trial["elenco"].as_array().unwrap();
    let number =
        |value: &serde_json::Value, name: &str| usize::try_from(value[name].as_u64().unwrap()).unwrap();
    assert!(
        listed.len() > 3 && listed.iter().all(|each| each["metodo"] == 1),
        "{trial}"
    );
    assert_eq!((number(&trial, "aggiornate"), number(&trial, "errori")), (0, 0));
    let counted = ["invariate", "ricalcolate", "in_attesa"].map(|name| number(&trial, name));
    assert_eq!(listed.len(), counted.iter().sum::<usize>(), "{trial}");
    // Every DSU of 2026 would have ISEEFamiglia; one of 2025 stays as it is, where nothing else moves it.
    let is = |each: &serde_json::Value, year: &str| each["presentata"].as_str().unwrap().starts_with(year);
    assert!(
        listed
            .iter()
            .filter(|each| is(each, "2026"))
            .all(|each| each["effetto"] != "uguale"),
        "{trial}"
    );
    assert!(
        listed
            .iter()
            .any(|each| is(each, "2025") && each["effetto"] == "uguale"),
        "{trial}"
    );

    let applied = apply(&["--motivo", "metodo 2"]);
    assert!(
        applied.get("elenco").is_none() && number(&applied, "ricalcolate") > 0,
        "{applied}"
    );
    let again = apply(&["--prova"]);
    assert!(
        again["elenco"]
            .as_array()
            .is_none_or(|left| left.iter().all(|each| each["effetto"] != "ricalcolata")),
        "{again}"
    );
    assert!(
        done(&["ledger", "verify", "--data", &port.data().display().to_string()])
            .contains("registro integro")
    );
}
