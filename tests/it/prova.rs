//! The first installation as a person makes it: `varco init --guidata` on a terminal, then `varco prova`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use kit::{Serving, Site, binary};

/// Runs a command on a terminal (script(1)), with these lines typed.
fn typed(place: &Path, command: &str, lines: &[&str]) -> (String, bool) {
    let mut child = Command::new("script")
        .args(["-qefc", &format!("{} {command}", binary().display()), "/dev/null"])
        .current_dir(place)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of bsdutils");
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    (
        String::from_utf8_lossy(&output.stdout).replace('\r', ""),
        output.status.success(),
    )
}

fn run(place: &Path, arguments: &[&str]) -> (String, i32) {
    let output = Command::new(binary())
        .args(arguments)
        .current_dir(place)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8(said).unwrap(), output.status.code().unwrap())
}

#[test]
fn a_guided_installation_works_from_end_to_end() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path();
    let (said, done) = typed(
        place,
        "init --guidata",
        &[
            "etc",
            "dati",
            "niente",
            "127.0.0.1:0",
            "porta.example",
            "prova",
            "Comune di Esempio",
            "01234567897",
            "no",
            "chiavi",
        ],
    );
    assert!(done, "{said}");
    for part in [
        "serve un indirizzo con la porta",
        "Scritti:",
        "E ora:",
        "varco prova",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    for part in [
        "etc/varco.toml",
        "etc/ente.pem",
        "dati/FORMAT",
        "chiavi/master.key",
    ] {
        assert!(place.join(part).exists(), "{part}");
    }
    let (said, code) = run(
        place,
        &["check-config", "--rigoroso", "--config", "etc/varco.toml"],
    );
    assert_eq!(code, 0, "{said}");

    // Nothing runs yet: the trial says so, with the remedy.
    let (said, code) = run(place, &["prova", "--config", "etc/varco.toml"]);
    assert!(
        code == 1 && said.contains("MALE    porta in funzione") && said.contains("avviarla: varco serve"),
        "{said}"
    );

    let serving = Serving::start(&place.join("etc/varco.toml"));
    // Twice: the first leaves nothing in the way of the second.
    for _ in 0..2 {
        let (said, code) = run(place, &["prova", "--config", "etc/varco.toml"]);
        assert_eq!(code, 0, "{said}");
        let good = said.lines().filter(|line| line.starts_with("bene ")).count();
        assert_eq!(good, 8, "{said}");
    }
    let (said, _) = run(place, &["ente", "lista", "--config", "etc/varco.toml"]);
    assert!(
        said.contains("prova-varco") && said.contains("revocato"),
        "{said}"
    );
    // With a certificate that the gateway does not let in, and without any.
    let (said, code) = run(place, &["pki", "demo", "altri"]);
    assert_eq!(code, 0, "{said}");
    let stranger = [
        "prova",
        "--config",
        "etc/varco.toml",
        "--certificato",
        "altri/straniero.pem",
        "--chiave",
        "altri/straniero.key",
    ];
    let (said, code) = run(place, &stranger);
    assert!(
        code == 1 && said.contains("MALE    contratto") && said.contains("bene    ente tolto"),
        "{said}"
    );
    std::fs::rename(place.join("etc/autorita"), place.join("autorita-altrove")).unwrap();
    let text = std::fs::read_to_string(place.join("etc/varco.toml")).unwrap();
    let moved = text.replace("\"autorita/ca.pem\"", "\"../autorita-altrove/ca.pem\"");
    std::fs::write(place.join("etc/varco.toml"), moved).unwrap();
    let (said, code) = run(place, &["prova", "--config", "etc/varco.toml"]);
    assert!(
        code == 0 && said.contains("Fin qui va bene") && said.contains("--certificato e --chiave"),
        "{said}"
    );
    serving.stop();
}

#[test]
fn answers_that_end_leave_nothing() {
    let home = tempfile::tempdir().unwrap();
    // Ctrl-D after two answers.
    let (said, done) = typed(home.path(), "init --guidata", &["etc", "dati", "\u{4}"]);
    assert!(!done && said.contains("niente è stato scritto"), "{said}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn without_a_terminal_it_says_what_to_write() {
    let home = tempfile::tempdir().unwrap();
    let (said, code) = run(home.path(), &["init", "--guidata"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("varco init DIRECTORY --config varco.toml") && said.contains("tls.client_authorities"),
        "{said}"
    );
}

#[test]
fn certificates_of_ones_own_are_named_where_they_are() {
    let site = Site::new();
    let place = site.home.path();
    let (said, done) = typed(
        place,
        "init --guidata",
        &[
            "etc",
            "nuovi",
            "127.0.0.1:0",
            "localhost",
            "propri",
            "manca.pem",
            "pki/server.pem",
            "pki/server.key",
            "pki/ca.pem",
            "pki/crl.pem",
            "sì",
            "no",
        ],
    );
    assert!(done && said.contains("manca.pem: il file non c'è"), "{said}");
    let (said, code) = run(place, &["check-config", "--config", "etc/varco.toml"]);
    assert_eq!(code, 0, "{said}");
    let text = std::fs::read_to_string(place.join("etc/varco.toml")).unwrap();
    assert!(
        text.contains("\nlisten = \"127.0.0.1:9443\"") && text.contains("pki/server.pem\""),
        "{text}"
    );
    assert!(
        std::fs::symlink_metadata(place.join("etc/server.key"))
            .unwrap()
            .is_symlink()
    );
}
