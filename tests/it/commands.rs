//! The commands, as an operator uses them: the real binary, its words, its exit codes.

use std::path::Path;

use kit::{BENEFIT, DSU, ISEE, Site, element, requests, varco};
use varco::config::Config;
use varco::isee::feed::COLUMNS;

fn list(site: &Site, filter: &[&str]) -> Vec<serde_json::Value> {
    let data = site.data().display().to_string();
    let arguments: Vec<&str> = ["ledger", "list", "--json", "--data", &data]
        .into_iter()
        .chain(filter.iter().copied())
        .collect();
    let (output, done) = varco(&arguments);
    assert!(done, "{output}");
    output
        .lines()
        .filter(|line| !line.starts_with("attenzione: "))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_ledger_is_searched_shown_verified_and_backed_up() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let serving = site.serve();
    let (protocol, exchange) = kit::runtime().block_on(async {
        let dsu = requests::trasmissione(&requests::dsu("CAF00001-CMDS01-2026-N0000001", &site.today()));
        let transmitted = site.client(serving.address, "caf").call(DSU, &dsu).await.unwrap();
        let comune = site.client(serving.address, "comune");
        comune
            .call(
                ISEE,
                &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        comune
            .call(
                ISEE,
                &requests::indicatore("BNCNNA72B42H501V", &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        comune
            .call(
                ISEE,
                &requests::attestazione(requests::GIULIA, &site.today(), BENEFIT),
            )
            .await
            .unwrap();
        (
            element(&transmitted, "ProtocolloDSU").to_owned(),
            transmitted.exchange.unwrap(),
        )
    });
    // While it serves.
    let copy = site.home.path().join("copy").display().to_string();
    let keys = site.home.path().join("copied-keys").display().to_string();
    let (output, done) = varco(&["backup", &copy, "--data", &data, "--chiavi", &keys]);
    assert!(done, "{output}");
    assert!(
        !varco(&["backup", &copy, "--data", &data]).1,
        "a backup over another"
    );
    assert!(
        !varco(&["rebuild", "--data", &data]).1,
        "a rebuild under a gateway that serves"
    );
    serving.stop();

    let all = list(&site, &[]);
    let sequences: Vec<u64> = all.iter().map(|leaf| leaf["seq"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=all.len() as u64).collect::<Vec<_>>());
    let count = |filter: &[&str]| list(&site, filter).len();
    assert_eq!(count(&["--operazione", "TrasmissioneDSU"]), 3);
    assert_eq!(count(&["--ente", "comune", "--tipo", "exchange"]), 3);
    assert_eq!(count(&["--esito", "DATI_NON_TROVATI"]), 1);
    assert_eq!(
        count(&["--codice-fiscale", "frrgli84e52h501o", "--tipo", "exchange"]),
        3
    );
    // The exchange that transmitted it, the DSU, its attestation, and the exchange that answered with it.
    assert_eq!(
        count(&["--codice-fiscale", "GLLTMM19L08H501B"]),
        4,
        "the entries that name a child"
    );
    assert_eq!(
        count(&["--codice-fiscale", "GLLTMM19L08H501B", "--tipo", "exchange"]),
        2
    );
    assert_eq!(count(&["--codice-fiscale", "BNCNNA72B42H501V"]), 1);
    assert_eq!(count(&["--massimo", "2"]), 2);
    // Four looked for a person: that is recorded.
    let before = all.len();
    let all = list(&site, &[]);
    assert_eq!(all.len(), before + 4);
    let middle = all[all.len() / 2]["recorded"].as_str().unwrap();
    let at_middle = all.iter().filter(|leaf| leaf["recorded"] == middle).count();
    assert_eq!(
        count(&["--al", middle]) + count(&["--dal", middle]),
        all.len() + at_middle,
        "both ends belong to it"
    );
    assert_eq!(count(&["--dal", "2999-01-01"]), 0);

    // An entry without opening it names nobody; opened, it does.
    let transmission = all
        .iter()
        .find(|leaf| leaf["exchange"] == *exchange && leaf["kind"] == "exchange")
        .unwrap();
    let sequence = transmission["seq"].to_string();
    let (closed, _) = varco(&["ledger", "show", &sequence, "--data", &data]);
    let (open, _) = varco(&["ledger", "show", &sequence, "--apri", "--data", &data]);
    assert!(!closed.contains(requests::GIULIA) && !closed.contains(&protocol));
    assert!(open.contains(requests::GIULIA) && open.contains(&protocol));
    assert!(!varco(&["ledger", "show", "999999", "--data", &data]).1);

    let (verified, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(done && verified.starts_with("registro integro"), "{verified}");
    let (rebuilt, done) = varco(&["rebuild", "--data", &data]);
    assert!(
        done && rebuilt.contains(&format!("{} voci", all.len() + 1)),
        "{rebuilt}"
    );
    // A flipped bit is found, and the exit code says so.
    let segment = site.data().join("ledger/00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (refused, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(
        !done && refused.contains("00000000000000000001.seg, offset "),
        "{refused}"
    );
    assert!(
        !varco(&["serve", "--config", &site.config().display().to_string()]).1,
        "served a damaged ledger"
    );

    // The backup is whole, and with its keys it is readable.
    let (verified, done) = varco(&["ledger", "verify", "--data", &copy]);
    assert!(
        done && verified.contains("parti riservate non controllate"),
        "{verified}"
    );
    std::fs::rename(&keys, format!("{copy}/keys")).unwrap();
    let (verified, done) = varco(&["ledger", "verify", "--data", &copy]);
    assert!(
        done && verified.contains("aperte e conformi, 0 cancellate"),
        "{verified}"
    );
}

#[test]
fn a_feed_is_loaded_whole_or_not_at_all_and_counts() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let year = site.today()[..4].parse::<i16>().unwrap() - 2;
    let file = site.home.path().join("feed.csv");
    let load = |lines: &str| {
        std::fs::write(&file, format!("{}\n{lines}\n", COLUMNS.join(","))).unwrap();
        varco(&[
            "feed",
            "load",
            &file.display().to_string(),
            "--data",
            &data,
            "--motivo",
            "prova",
        ])
    };
    let good = format!("FRRGLI84E52H501O,{year},10000,10000,,,,,,,,,,,");
    let (output, done) = load(&format!(
        "{good}\nFRRGLI84E52H501A,{year},1,,,,,,,,,,,,\nGLLMTT81P03F205Y,{year},1.5,,,,,,,,,,,,"
    ));
    assert!(
        !done
            && output.contains("feed.csv:3, codice_fiscale:")
            && output.contains("feed.csv:4, reddito_irpef:"),
        "{output}"
    );
    assert!(
        !output.contains("FRRGLI84E52H501A"),
        "a value came back: {output}"
    );
    assert_eq!(list(&site, &["--tipo", "feed"]).len(), 0);
    let isee = |number: u32| {
        let serving = site.serve();
        let answer = kit::runtime().block_on(async {
            let dsu = requests::dsu(&format!("CAF00001-FEED01-2026-N{number:07}"), &site.today());
            let answer = site
                .client(serving.address, "caf")
                .call(DSU, &requests::trasmissione(&dsu))
                .await
                .unwrap();
            assert_eq!(element(&answer, "Esito"), "OK");
            let comune = site.client(serving.address, "comune");
            comune
                .call(
                    ISEE,
                    &requests::attestazione(requests::GIULIA, &site.today(), BENEFIT),
                )
                .await
                .unwrap()
        });
        let xml = kit::payload(&answer, "XmlEsitoAttestazione");
        serving.stop();
        xml
    };
    assert!(isee(1).contains("SommaRedditiComponenti=\"0.00\""));
    assert!(load(&good).1);
    // 10,000 less 20%.
    assert!(isee(2).contains("SommaRedditiComponenti=\"8000.00\""));
    // A later record takes the place of the earlier.
    assert!(load(&good.replace("10000,10000", "20000,")).1);
    assert!(isee(3).contains("SommaRedditiComponenti=\"20000.00\""));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_word() {
    let site = Site::new();
    let data = site.data().display().to_string();
    for (arguments, word) in [
        (vec!["init", &*data], "non è vuota"),
        (vec!["ledger", "verify", "--data", "/nonexistent"], "varco init"),
        (
            vec!["serve", "--config", "/nonexistent.toml"],
            "/nonexistent.toml",
        ),
        (
            vec!["ledger", "list", "--tipo", "altro", "--data", &*data],
            "i tipi di voce sono",
        ),
        (vec!["ente", "mostra", "nessuno", "--data", &*data], "non esiste"),
    ] {
        let (output, done) = varco(&arguments);
        assert!(!done && output.contains(word), "{arguments:?}: {output}");
    }
    site.configure("sconosciuto = 1");
    let (output, done) = varco(&["serve", "--config", &site.config().display().to_string()]);
    assert!(!done && output.contains("sconosciuto"), "{output}");
    // Errors of the operating system, in Italian, with the remedy.
    site.configure("");
    let taken = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let held = std::net::TcpListener::bind(taken).unwrap();
    let text = std::fs::read_to_string(site.config())
        .unwrap()
        .replace("127.0.0.1:0", &taken.to_string());
    std::fs::write(site.config(), text).unwrap();
    let (output, done) = varco(&["serve", "--config", &site.config().display().to_string()]);
    assert!(
        !done && output.contains(&format!("{taken}: l'indirizzo è già in uso: fermare chi lo usa")),
        "{output}"
    );
    drop(held);
    for arguments in [
        ["dsu", "check", "/nessuna.xml"],
        ["feed", "load", "/nessuno.csv"],
        ["ente", "importa", "/nessuna.csv"],
    ] {
        let (output, done) = varco(
            &[
                &arguments[..],
                &["--motivo", "prova", "--data", &data][..if arguments[0] == "dsu" { 0 } else { 4 }],
            ]
            .concat(),
        );
        assert!(
            !done && output.contains(": il file non c'è") && !output.contains("os error"),
            "{arguments:?}: {output}"
        );
    }
    let usage = std::process::Command::new(kit::binary())
        .arg("nessuno")
        .output()
        .unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn a_search_that_cannot_find_says_so_and_the_rest_finds_what_a_reply_names() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let serving = site.serve();
    let question = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let dsu = requests::dsu("CAF00001-CERCA1-2026-N0000001", &site.today());
    let (plain, named, sent) = kit::runtime().block_on(async {
        let (comune, caf) = (site.client(serving.address, "comune"), site.client(serving.address, "caf"));
        let identity = "<s:Header><Identity xmlns='http://inps.it/'><UserId xmlns=''>operatrice7</UserId></Identity></s:Header><s:Body>";
        let named = question.replacen("<s:Body>", identity, 1);
        // Of another retention class: its operator is found all the same.
        let sent = requests::trasmissione(&dsu).replacen("<s:Body>", identity, 1);
        (
            comune.call(ISEE, &question).await.unwrap(),
            comune.call(ISEE, &named).await.unwrap(),
            caf.call(DSU, &sent).await.unwrap(),
        )
    });
    assert_eq!(element(&sent, "Esito"), "OK", "{}", sent.text);
    serving.stop();
    let all = list(&site, &[]);
    let of = |exchange: &str| {
        all.iter()
            .find(|leaf| leaf["exchange"] == exchange && leaf["kind"] == "exchange")
            .unwrap()["seq"]
            .clone()
    };
    let found = |filter: &[&str]| {
        list(&site, filter)
            .iter()
            .map(|leaf| leaf["seq"].clone())
            .collect::<Vec<_>>()
    };
    let exchange = plain.exchange.clone().unwrap();
    assert_eq!(
        found(&["--scambio", &exchange, "--tipo", "exchange"]),
        [of(&exchange)]
    );
    assert_eq!(
        found(&["--id-richiesta", element(&named, "IdRichiesta")]),
        [of(named.exchange.as_ref().unwrap())]
    );
    assert_eq!(
        found(&["--di-operatore", "operatrice7"]),
        [&named, &sent].map(|answer| of(answer.exchange.as_ref().unwrap()))
    );
    // The second of an entry belongs to it, however the clock is written.
    let recorded: jiff::Timestamp = all.last().unwrap()["recorded"].as_str().unwrap().parse().unwrap();
    let second = jiff::Timestamp::from_second(recorded.as_second()).unwrap();
    let rome = varco::clock::rome(second);
    let offset = format!(
        "{}{}",
        rome.datetime(),
        if rome.offset().seconds() == 7200 {
            "+02:00"
        } else {
            "+01:00"
        }
    );
    for text in [
        second.to_string(),
        offset,
        rome.datetime().to_string(),
        rome.date().to_string(),
    ] {
        let seen = found(&["--dal", &text, "--al", &text]);
        assert!(seen.contains(&all.last().unwrap()["seq"]), "{text}: {seen:?}");
    }
    let refused = |filter: &[&str], why: &str| {
        let arguments: Vec<&str> = ["ledger", "list", "--data", &data]
            .into_iter()
            .chain(filter.iter().copied())
            .collect();
        let output = std::process::Command::new(kit::binary())
            .args(&arguments)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2) && told.contains(why),
            "{arguments:?}: {told}"
        );
    };
    refused(&["--dal", "2026-02-30"], "servono un giorno che esiste");
    refused(&["--al", "ieri"], "servono un giorno che esiste");
    refused(
        &["--dal", "2026-03-02", "--al", "2026-03-01"],
        "--al viene prima di --dal",
    );
    refused(&["--ente", "nessuno"], "nessun ente ha mai avuto questo codice");
    refused(&["--esito", "BENE"], "gli esiti sono OK, ");
    refused(
        &["--operazione", "ConsultazioneISEE"],
        "quelle degli enti sono ConsultazioneIndicatore, ",
    );
    refused(
        &["--codice-fiscale", "FRRGLI84E52H501A"],
        "carattere di controllo (l'ultimo) sbagliato",
    );
    refused(&["--codice-fiscale", "FRRGLI"], "servono sedici caratteri");
    refused(&["--scambio", "uno"], "X-Request-Id");
    refused(&["--massimo", "0"], "0 non va bene per --massimo");
    // A possible value that no entry has is no error.
    assert_eq!(
        list(&site, &["--esito", "ERRORE_INTERNO"]).len()
            + list(&site, &["--operazione", "TrasmissioneLotto"]).len(),
        0
    );
    // A list that was cut says so.
    let (told, _) = varco(&["ledger", "list", "--massimo", "2", "--data", &data]);
    assert!(
        told.contains(&format!(
            "le voci trovate sono {}, queste sono le ultime 2",
            all.len()
        )),
        "{told}"
    );
    let (told, _) = varco(&["ledger", "list", "--data", &data]);
    assert!(!told.contains("attenzione"), "{told}");
}

#[test]
fn what_is_looked_up_is_recorded_with_who_did_it() {
    let site = Site::new();
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    let serving = site.serve();
    let protocol = kit::runtime().block_on(async {
        let dsu = requests::trasmissione(&requests::dsu("CAF00001-CMDS01-2026-N0000002", &site.today()));
        element(
            &site.client(serving.address, "caf").call(DSU, &dsu).await.unwrap(),
            "ProtocolloDSU",
        )
        .to_owned()
    });
    let looked = || list(&site, &["--tipo", "admin"]);
    let lookups: [(&[&str], &str); 4] = [
        (&["ledger", "show", "2", "--apri"], "ledger show"),
        (
            &["ledger", "list", "--codice-fiscale", requests::GIULIA],
            "ledger list",
        ),
        (&["ente", "storia", "comune"], "ente storia"),
        (&["dsu", "versions", &protocol], "dsu versions"),
    ];
    let all = |who: &str| {
        for (arguments, operation) in lookups {
            let before = looked().len();
            let (told, done) = varco(&[arguments, &["--operatore", who, "--config", &config]].concat());
            assert!(done && !told.contains("attenzione"), "{arguments:?}: {told}");
            let after = looked();
            assert_eq!(after.len(), before + 1, "{arguments:?}");
            let leaf = after.last().unwrap();
            assert_eq!(leaf["operation"], operation);
            assert!(
                leaf["facts"]["actor"]["uid"].is_number() && !leaf.to_string().contains(who),
                "{leaf}"
            );
        }
    };
    // Through the socket of the gateway that serves; and by the command itself.
    all("Mario Rossi");
    serving.stop();
    all("Anna Verdi");
    assert_eq!(list(&site, &["--di-operatore", "Anna Verdi"]).len(), 4);
    // A search for the person finds the look-ups about the person.
    let named = list(&site, &["--codice-fiscale", requests::GIULIA, "--tipo", "admin"]);
    assert_eq!(named.len(), 2, "not this search itself");
    let (shown, _) = varco(&[
        "ledger",
        "show",
        &named[0]["seq"].to_string(),
        "--apri",
        "--data",
        &data,
    ]);
    assert!(
        shown.contains("Mario Rossi") && shown.contains(requests::GIULIA),
        "{shown}"
    );
    // An act names its operator too.
    let (told, done) = varco(&[
        "ente",
        "sospendi",
        "comune",
        "--motivo",
        "prova",
        "--operatore",
        "Anna Verdi",
        "--data",
        &data,
    ]);
    assert!(done, "{told}");
    let (told, _) = varco(&["ente", "storia", "comune", "--data", &data]);
    assert!(told.contains("(Anna Verdi) prova"), "{told}");
    // So does one by sudo, unless the option names somebody.
    for (options, motivo, said) in [
        (&[][..], "rientro", "(lucia) rientro"),
        (
            &["--operatore", "Anna Verdi"],
            "di nuovo",
            "(Anna Verdi) di nuovo",
        ),
    ] {
        let act = if motivo == "rientro" {
            "riattiva"
        } else {
            "sospendi"
        };
        let arguments = [
            &["ente", act, "comune", "--motivo", motivo, "--data", &data],
            options,
        ]
        .concat();
        let done = std::process::Command::new(kit::binary())
            .args(&arguments)
            .env("SUDO_USER", "lucia")
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        let (told, _) = varco(&["ente", "storia", "comune", "--data", &data]);
        assert!(told.contains(said), "{told}");
    }
    // A copy that was never in service records nothing, and says so.
    let (copy, keys) = (site.home.path().join("copia"), site.home.path().join("chiavi"));
    let (copied, done) = varco(&[
        "backup",
        &copy.display().to_string(),
        "--chiavi",
        &keys.display().to_string(),
        "--config",
        &config,
    ]);
    assert!(done, "{copied}");
    std::fs::rename(&keys, copy.join("keys")).unwrap();
    let before = std::fs::read(copy.join("ledger/00000000000000000001.seg")).unwrap();
    let (told, done) = varco(&[
        "ledger",
        "show",
        "2",
        "--apri",
        "--data",
        &copy.display().to_string(),
    ]);
    assert!(
        done && told.contains("questa consultazione non viene registrata: questa è una copia"),
        "{told}"
    );
    assert_eq!(
        std::fs::read(copy.join("ledger/00000000000000000001.seg")).unwrap(),
        before
    );
}

#[test]
fn a_demonstration_leaves_alone_what_a_running_one_uses_and_what_is_not_its_own() {
    let home = tempfile::tempdir().unwrap();
    let demo = |arguments: &[&str]| {
        let mut command = std::process::Command::new(kit::binary());
        command
            .arg("demo")
            .args(arguments)
            .current_dir(home.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let notes = home.path().join("varco-demo/appunti.txt");
    std::fs::create_dir(home.path().join("varco-demo")).unwrap();
    std::fs::write(&notes, "miei").unwrap();
    let mut first = demo(&["--porta", "0"]);
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(first.stdout.take().unwrap())).map(Result::unwrap);
    let told: Vec<String> = lines
        .by_ref()
        .take_while(|line| line != "Ctrl-C per finire.")
        .collect();
    // The picture of the README shows what is printed: all of it that no day and no chance changes.
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/img/demo.svg");
    let picture = std::fs::read_to_string(picture).unwrap();
    let shown = picture.split(" xml:space=\"preserve\">").skip(1);
    let shown: Vec<&str> = shown
        .filter_map(|rest| rest.split("</text>").next())
        .filter(|line| !line.starts_with('$') && !line.ends_with("...") && !line.contains(char::is_numeric))
        .collect();
    assert!(shown.len() > 12, "{shown:?}");
    for line in shown {
        assert!(
            told.iter().any(|printed| printed == line),
            "{line:?} is not printed: {told:#?}"
        );
    }
    let hint = told
        .iter()
        .find(|line| line.contains("base64 -d"))
        .expect("how to read a reply");
    // The commands that it prints work: the reply, and the state of the gateway.
    let curl = told
        .iter()
        .position(|line| line.contains("--cert varco-demo/pki/comune.pem"))
        .unwrap();
    let command = format!(
        "{} {}",
        told[curl..curl + 3].join("\n"),
        hint.trim().trim_start_matches("... ")
    );
    let shell = |text: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", text])
            .current_dir(home.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    if std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        let read = shell(&command);
        assert!(
            read.contains("<Indicatore ") && read.contains("TipoIndicatore=\"Ordinario\""),
            "{command}: {read}"
        );
    }
    let tries: Vec<&String> = told
        .iter()
        .filter(|line| line.ends_with("--data varco-demo/data"))
        .collect();
    assert!(tries.len() >= 5, "{told:?}");
    for command in tries {
        let read = shell(command);
        assert!(
            read.lines().count() >= 1 && !read.contains("varco: "),
            "{command}: {read}"
        );
    }
    let second = demo(&["--esci"]).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        !second.status.success() && said.contains("una dimostrazione è in corso"),
        "{said}"
    );
    assert!(
        shell(&format!(
            "{} status --data varco-demo/data",
            kit::binary().display()
        ))
        .contains("scrivibile"),
        "the running one suffered"
    );
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &first.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert!(first.wait().unwrap().success());
    let again = demo(&["--esci"]).wait_with_output().unwrap();
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "miei");
}

#[test]
fn every_damaged_place_is_said_and_the_rest_is_listed_and_shown() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let comune = site.client(serving.address, "comune");
        for _ in 0..8 {
            comune
                .call(
                    ISEE,
                    &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
                )
                .await
                .unwrap();
        }
    });
    serving.stop();
    let all = list(&site, &[]);
    let segment = site.data().join("ledger/00000000000000000001.seg");
    let whole = std::fs::read(&segment).unwrap();
    // The leaves of two exchanges, each alone in its batch.
    let exchanges: Vec<_> = all.iter().filter(|leaf| leaf["kind"] == "exchange").collect();
    let mut bytes = whole.clone();
    let mut lost = Vec::new();
    for leaf in [exchanges[2], exchanges[5]] {
        let id = leaf["exchange"].as_str().unwrap().as_bytes();
        let at = whole.windows(id.len()).position(|window| window == id).unwrap();
        bytes[at] ^= 1;
        lost.push(leaf["seq"].as_u64().unwrap());
    }
    std::fs::write(&segment, &bytes).unwrap();
    std::fs::remove_file(site.data().join("ledger/HEAD")).unwrap();
    let (told, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(
        !done && told.contains("ledger/HEAD manca") && told.matches("offset ").count() == 2,
        "{told}"
    );
    for sequence in &lost {
        assert!(
            told.contains(&format!("la voce {sequence} non si legge")),
            "{told}"
        );
        let (shown, done) = varco(&["ledger", "show", &sequence.to_string(), "--data", &data]);
        assert!(!done && shown.contains("il registro è danneggiato"), "{shown}");
    }
    assert!(
        told.contains(&format!("{} voci in ", all.len() - 2)) && told.contains("rimettere l'ultima copia"),
        "{told}"
    );
    let (listed, done) = varco(&["ledger", "list", "--json", "--data", &data]);
    assert!(
        !done && listed.contains("l'elenco può essere incompleto"),
        "{listed}"
    );
    let sequences: Vec<u64> = listed
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok()?["seq"].as_u64())
        .collect();
    let expected: Vec<u64> = (1..=all.len() as u64)
        .filter(|sequence| !lost.contains(sequence))
        .collect();
    assert_eq!(sequences, expected);
    let (shown, done) = varco(&["ledger", "show", &(lost[1] + 1).to_string(), "--data", &data]);
    assert!(done && shown.contains("attenzione: "), "{shown}");
    // A missing key is named, with the remedy.
    std::fs::write(&segment, &whole).unwrap();
    std::fs::remove_file(site.data().join("keys/master.key")).unwrap();
    let (told, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(
        !done && told.contains("keys/master.key: il file non c'è; rimettere la chiave master depositata"),
        "{told}"
    );
    let (told, done) = varco(&["serve", "--config", &site.config().display().to_string()]);
    assert!(
        !done && told.contains("keys/master.key: il file non c'è; rimettere"),
        "{told}"
    );
}

#[test]
fn entries_whose_key_is_gone_are_said_at_start_and_the_rest_is_served() {
    let site = Site::new();
    let ring = site.data().join("keys/keyring");
    let mut bytes = std::fs::read(&ring).unwrap();
    // A class key of the registry's, erased: its wrapped key overwritten.
    let record = bytes.chunks(128).position(|record| record[4] == 2).unwrap();
    bytes[record * 128 + 64..record * 128 + 128].fill(0);
    std::fs::write(&ring, bytes).unwrap();
    let serving = site.serve();
    serving.logged(&["a class key cannot be opened", "registro"]);
    serving.stop();
    let (verified, done) = varco(&["ledger", "verify", "--data", &site.data().display().to_string()]);
    assert!(done && !verified.contains(" 0 cancellate"), "{verified}");
}

/// `varco init DIR --config FILE` writes a configuration that has every key, says what is missing in it, and
/// opens the directory that it names.
#[test]
fn init_writes_a_configuration_with_every_key() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    let (data, file) = (at("dati"), at("varco.toml"));
    let (said, done) = varco(&["init", &data, "--config", &file]);
    assert!(done && said.contains("Configurazione scritta: "), "{said}");
    assert_eq!(Config::read(Path::new(&file)).unwrap().data, Path::new(&data));
    let (said, done) = varco(&["check-config", "--config", &file]);
    assert!(!done && said.contains("autorita.pem"), "{said}");
    let (said, done) = varco(&["init", &at("altri"), "--config", &file]);
    assert!(!done && said.contains("c'è già"), "{said}");
    assert!(!Path::new(&at("altri")).exists());
    // Where one of the two cannot be made, neither is.
    let (said, done) = varco(&["init", &at("altri"), "--config", &at("manca/varco.toml")]);
    assert!(!done && !Path::new(&at("altri")).exists(), "{said}");
    let (said, done) = varco(&["init", &data, "--config", &at("altro.toml")]);
    assert!(!done && said.contains("non è vuota"), "{said}");
    assert!(!Path::new(&at("altro.toml")).exists());

    // The commented keys are right, too: with all of them the file is a configuration.
    let written = std::fs::read_to_string(&file).unwrap();
    let keys = |line: &str| {
        let rest = line.strip_prefix("# ")?;
        let name = rest.trim_start_matches('[').split([' ', ']']).next()?;
        let is_key = name.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c));
        ((rest.contains(" = ") || rest.starts_with("[[")) && is_key).then(|| rest.to_owned())
    };
    let all: Vec<String> = written
        .lines()
        .map(|line| keys(line).unwrap_or_else(|| line.to_owned()))
        .collect();
    std::fs::write(&file, all.join("\n")).unwrap();
    let config = Config::read(Path::new(&file)).unwrap();
    assert_eq!(
        (
            config.soglie.len(),
            config.regole.parametri.len(),
            config.tls.server.len()
        ),
        (1, 1, 1)
    );
    let defaults = format!("{:?}", varco::config::Limits::default());
    assert_eq!(
        format!("{:?}", config.limits),
        defaults,
        "the commented values are the defaults"
    );

    // Every field of the configuration is in it.
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let mut renamed = None;
    let mut fields = 0;
    for line in source.lines() {
        if let Some((_, name)) = line.split_once("rename = \"") {
            renamed = name.split('"').next().map(str::to_owned);
        }
        let field = line
            .strip_prefix("    pub ")
            .and_then(|rest| rest.split_once(": "));
        if let Some((name, _)) = field.filter(|(name, _)| !name.contains(['(', ' ']) && *name != "file: ") {
            let name = renamed.take().unwrap_or_else(|| name.to_owned());
            fields += 1;
            let known =
                |line: &String| line.contains(&format!("{name} = ")) || line.contains(&format!("{name}]"));
            assert!(
                all.iter().any(known),
                "{name} is not in the configuration that init writes"
            );
        }
    }
    assert!(fields > 40, "only {fields} fields");
}
