//! The commands, as an operator uses them: the real binary, its words, its exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use common::{BENEFIT, DSU, ISEE, Site, element, requests, varco};
use varco::isee::feed::COLUMNS;

fn list(site: &Site, filter: &[&str]) -> Vec<serde_json::Value> {
    let data = site.data().display().to_string();
    let arguments: Vec<&str> = ["ledger", "list", "--json", "--data", &data].into_iter().chain(filter.iter().copied()).collect();
    let (output, done) = varco(&arguments);
    assert!(done, "{output}");
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_ledger_is_searched_shown_verified_and_backed_up() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let serving = site.serve();
    let (protocol, exchange) = common::runtime().block_on(async {
        let dsu = requests::trasmissione(&requests::dsu("CAF00001-CMDS01-2026-N0000001", &site.today()));
        let transmitted = site.client(serving.address, "caf").call(DSU, &dsu).await.unwrap();
        let comune = site.client(serving.address, "comune");
        comune.call(ISEE, &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap();
        comune.call(ISEE, &requests::indicatore("BNCNNA72B42H501V", &site.today(), BENEFIT)).await.unwrap();
        comune.call(ISEE, &requests::attestazione(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap();
        (element(&transmitted, "ProtocolloDSU").to_owned(), transmitted.exchange.unwrap())
    });
    // While it serves.
    let copy = site.home.path().join("copy").display().to_string();
    let keys = site.home.path().join("copied-keys").display().to_string();
    let (output, done) = varco(&["backup", &copy, "--data", &data, "--keys", &keys]);
    assert!(done, "{output}");
    assert!(!varco(&["backup", &copy, "--data", &data]).1, "a backup over another");
    assert!(!varco(&["rebuild", "--data", &data]).1, "a rebuild under a gateway that serves");
    serving.stop();

    let all = list(&site, &[]);
    let sequences: Vec<u64> = all.iter().map(|leaf| leaf["seq"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=all.len() as u64).collect::<Vec<_>>());
    let count = |filter: &[&str]| list(&site, filter).len();
    assert_eq!(count(&["--operation", "TrasmissioneDSU"]), 3);
    assert_eq!(count(&["--ente", "comune", "--kind", "exchange"]), 3);
    assert_eq!(count(&["--outcome", "DATI_NON_TROVATI"]), 1);
    assert_eq!(count(&["--codice-fiscale", "frrgli84e52h501o", "--kind", "exchange"]), 3);
    // The exchange that transmitted it, the DSU, its attestation, and the exchange that answered with it.
    assert_eq!(count(&["--codice-fiscale", "GLLTMM19L08H501B"]), 4, "the entries that name a child");
    assert_eq!(count(&["--codice-fiscale", "GLLTMM19L08H501B", "--kind", "exchange"]), 2);
    assert_eq!(count(&["--codice-fiscale", "BNCNNA72B42H501V"]), 1);
    assert_eq!(count(&["--limit", "2"]), 2);
    let middle = all[all.len() / 2]["recorded"].as_str().unwrap();
    assert_eq!(count(&["--to", middle]) + count(&["--from", middle]), all.len());
    assert_eq!(count(&["--from", "2999-01-01"]), 0);

    // An entry without opening it names nobody; opened, it does.
    let transmission = all.iter().find(|leaf| leaf["exchange"] == *exchange && leaf["kind"] == "exchange").unwrap();
    let sequence = transmission["seq"].to_string();
    let (closed, _) = varco(&["ledger", "show", &sequence, "--data", &data]);
    let (open, _) = varco(&["ledger", "show", &sequence, "--open", "--data", &data]);
    assert!(!closed.contains(requests::GIULIA) && !closed.contains(&protocol));
    assert!(open.contains(requests::GIULIA) && open.contains(&protocol));
    assert!(!varco(&["ledger", "show", "999999", "--data", &data]).1);

    let (verified, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(done && verified.starts_with("registro integro"), "{verified}");
    let (rebuilt, done) = varco(&["rebuild", "--data", &data]);
    assert!(done && rebuilt.contains(&format!("{} voci", all.len())), "{rebuilt}");
    // A flipped bit is found, and the exit code says so.
    let segment = site.data().join("ledger/00000000000000000001.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (refused, done) = varco(&["ledger", "verify", "--data", &data]);
    assert!(!done && refused.contains("00000000000000000001.seg, offset "), "{refused}");
    assert!(!varco(&["serve", "--config", &site.config().display().to_string()]).1, "served a damaged ledger");

    // The backup is whole, and with its keys it is readable.
    let (verified, done) = varco(&["ledger", "verify", "--data", &copy]);
    assert!(done && verified.contains("parti riservate non controllate"), "{verified}");
    std::fs::rename(&keys, format!("{copy}/keys")).unwrap();
    let (verified, done) = varco(&["ledger", "verify", "--data", &copy]);
    assert!(done && verified.contains("aperte e conformi, 0 cancellate"), "{verified}");
}

#[test]
fn a_feed_is_loaded_whole_or_not_at_all_and_counts() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let year = site.today()[..4].parse::<i16>().unwrap() - 2;
    let file = site.home.path().join("feed.csv");
    let load = |lines: &str| {
        std::fs::write(&file, format!("{}\n{lines}\n", COLUMNS.join(","))).unwrap();
        varco(&["feed", "load", &file.display().to_string(), "--data", &data, "--motivo", "prova"])
    };
    let good = format!("FRRGLI84E52H501O,{year},10000,10000,,,,,,,,,,,");
    let (output, done) = load(&format!("{good}\nFRRGLI84E52H501A,{year},1,,,,,,,,,,,,\nGLLMTT81P03F205Y,{year},1.5,,,,,,,,,,,,"));
    assert!(!done && output.contains("feed.csv:3, codice_fiscale:") && output.contains("feed.csv:4, reddito_irpef:"), "{output}");
    assert!(!output.contains("FRRGLI84E52H501A"), "a value came back: {output}");
    assert_eq!(list(&site, &["--kind", "feed"]).len(), 0);
    let isee = |number: u32| {
        let serving = site.serve();
        let answer = common::runtime().block_on(async {
            let dsu = requests::dsu(&format!("CAF00001-FEED01-2026-N{number:07}"), &site.today());
            let answer = site.client(serving.address, "caf").call(DSU, &requests::trasmissione(&dsu)).await.unwrap();
            assert_eq!(element(&answer, "Esito"), "OK");
            let comune = site.client(serving.address, "comune");
            comune.call(ISEE, &requests::attestazione(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap()
        });
        let xml = common::payload(&answer, "XmlEsitoAttestazione");
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
        (vec!["init", &*data], "not empty"),
        (vec!["ledger", "verify", "--data", "/nonexistent"], "varco init"),
        (vec!["serve", "--config", "/nonexistent.toml"], "/nonexistent.toml"),
        (vec!["ledger", "list", "--kind", "altro", "--data", &*data], "tipo di voce"),
        (vec!["ente", "mostra", "nessuno", "--data", &*data], "non esiste"),
    ] {
        let (output, done) = varco(&arguments);
        assert!(!done && output.contains(word), "{arguments:?}: {output}");
    }
    site.configure("sconosciuto = 1");
    let (output, done) = varco(&["serve", "--config", &site.config().display().to_string()]);
    assert!(!done && output.contains("sconosciuto"), "{output}");
    let usage = std::process::Command::new(common::binary()).arg("nessuno").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
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
    let log = std::fs::read_to_string(&serving.log).unwrap();
    assert!(log.contains("a class key cannot be opened") && log.contains("registro"), "{log}");
    serving.stop();
    let (verified, done) = varco(&["ledger", "verify", "--data", &site.data().display().to_string()]);
    assert!(done && !verified.contains(" 0 cancellate"), "{verified}");
}
