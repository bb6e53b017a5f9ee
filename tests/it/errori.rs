//! The reference of refusals says all that the code says, and nothing else.

use std::collections::BTreeSet;
use std::path::Path;

use kit::varco;
use varco::commands::errori::reference;
use varco::contract::SchemaRule;
use varco::contract::catalogue::{Operation, benefits};
use varco::gateway::fault::CODES;
use varco::gateway::gathered::Stretta;
use varco::isee::checks::Check;
use varco::isee::codes::TipoIndicatore;
use varco::services::esiti::Motivo;

/// Codes of refusals in a text: a letter, two digits, a point, words.
fn codes(text: &str, before: char) -> BTreeSet<String> {
    let is_code = |code: &str| {
        let bytes = code.as_bytes();
        bytes.len() > 4
            && bytes[0].is_ascii_uppercase()
            && bytes[1..3].iter().all(u8::is_ascii_digit)
            && bytes[3] == b'.'
            && bytes[4..]
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || *byte == b'-')
    };
    let words = text
        .split(before)
        .map(|rest| rest.split([before, ' ', '"', '|']).next().unwrap_or_default());
    words.filter(|word| is_code(word)).map(str::to_owned).collect()
}

fn sources(directory: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            // What tests expect is no refusal of ours.
            let text = text
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap_or_default()
                .to_owned();
            out.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn the_documented_reference_is_the_generated_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/it/errori.md");
    let documented = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        documented == reference(),
        "docs/it/errori.md is not what `varco errori` prints: run `cargo run -- errori > docs/it/errori.md`"
    );
}

/// Every row is answered somewhere, and every code stands in a table alone.
#[test]
fn every_row_of_the_reference_is_answered_by_its_name() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    // What explains a refusal, and what shows one, answers nothing with it.
    let tells = |file: &str| file.ends_with("commands/spiega.rs") || file.ends_with("demo/giro.rs");
    all.retain(|(file, _)| !tells(file));
    let tables = ["regole.rs", "esiti.rs", "gathered.rs", "fault.rs", "validate.rs"];
    let is_table =
        |file: &str| tables.iter().any(|table| file.ends_with(table)) && !file.contains("contract/esiti");
    let written: BTreeSet<String> = all
        .iter()
        .filter(|(file, _)| !is_table(file))
        .flat_map(|(_, text)| codes(text, '"'))
        .collect();
    assert!(written.is_empty(), "written outside a table: {written:?}");
    // The table itself says which Esito goes with a reason: that is no answer.
    let elsewhere = |table: &str, name: &str| {
        let named = |text: &str| {
            text.split(name)
                .skip(1)
                .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        };
        all.iter()
            .any(|(file, text)| !file.ends_with(table) && named(text))
    };
    let checks = Check::ALL
        .iter()
        .map(|check| ("checks/regole.rs", format!("Check::{check:?}")));
    let reasons = Motivo::ALL
        .iter()
        .map(|reason| ("services/esiti.rs", format!("Motivo::{reason:?}")));
    let handshakes = Stretta::ALL
        .iter()
        .map(|reason| ("no file", format!("Stretta::{reason:?}")));
    let faults = CODES
        .iter()
        .map(|code| ("gateway/fault.rs", format!("Code::{code:?}")));
    let rows: Vec<_> = checks.chain(reasons).chain(handshakes).chain(faults).collect();
    assert!(rows.len() > 160, "{}", rows.len());
    let idle: Vec<_> = rows
        .iter()
        .filter(|(table, name)| !elsewhere(table, name))
        .collect();
    assert!(idle.is_empty(), "nobody answers with {idle:?}");
    // The rules of the schema are answered by what breaks them.
    let breaches: BTreeSet<String> = all
        .iter()
        .filter(|(file, _)| file.ends_with("validate.rs"))
        .flat_map(|(_, text)| codes(text, '"'))
        .collect();
    let own: BTreeSet<String> = ["K01.lotto", "K01.xml"].map(str::to_owned).into();
    let listed: BTreeSet<String> = SchemaRule::ALL
        .iter()
        .map(|rule| rule.code().to_owned())
        .collect();
    assert_eq!(breaches.union(&own).cloned().collect::<BTreeSet<_>>(), listed);
}

/// `docs/computation.md` has each formal check with its text, and says whether it refuses or warns.
#[test]
fn the_checks_that_are_described_are_those_that_there_are() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/computation.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| K"));
    let cells = rows
        .map(|row| row.split('|').map(str::trim).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let described = |column: usize| {
        cells
            .iter()
            .flat_map(|row| codes(row[column], '`'))
            .collect::<BTreeSet<_>>()
    };
    let listed = |warns: bool| {
        // A rule of the schema stands among those.
        let checks = Check::ALL
            .iter()
            .filter(|check| **check != Check::K01Intervallo)
            .map(|check| check.row());
        let all = checks.filter(|regola| regola.significato.starts_with("Avvertenza: ") == warns);
        all.map(|regola| regola.codice.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(
        cells.len() == 19
            && cells
                .iter()
                .all(|row| row.len() == 7 && !row[2].is_empty() && !row[3].is_empty())
    );
    assert_eq!(described(4), listed(false));
    assert_eq!(described(5), listed(true));
}

#[test]
fn a_code_stands_in_the_reference_once_and_says_what_to_do() {
    let text = reference();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[3].is_ascii_digit())
        .collect();
    let first: BTreeSet<&str> = rows
        .iter()
        .map(|row| row.split('|').nth(1).unwrap().trim())
        .collect();
    assert_eq!(first.len(), rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        assert!(
            cells.len() >= 3 && cells.iter().all(|cell| !cell.trim().is_empty()),
            "{row}"
        );
    }
}

/// Every code of the reference.
fn documented() -> BTreeSet<String> {
    let reference = reference();
    let cells = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let found: BTreeSet<String> = cells
        .flat_map(|cell| codes(&format!("\"{cell}\""), '"'))
        .collect();
    assert!(found.len() > 150, "only {} codes", found.len());
    found
}

/// `varco spiega` says of each code, in five lines, what it means and what to do.
#[test]
fn every_code_is_explained_in_five_lines() {
    let esiti = [
        "OK",
        "RICHIESTA_INVALIDA",
        "DATI_NON_TROVATI",
        "ERRORE_INTERNO",
        "DATABASE_OFFLINE",
    ];
    for code in documented().into_iter().chain(esiti.map(str::to_owned)) {
        let (page, done) = varco(&["spiega", &code]);
        assert!(done, "{code}: {page}");
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(lines.len(), 5, "{page}");
        assert!(lines[0].starts_with(&format!("{code}: ")), "{page}");
        for (line, label) in
            lines[1..]
                .iter()
                .zip(["significato", "che cosa fare", "chi chiama vede", "nel registro"])
        {
            let said = line
                .trim_start()
                .strip_prefix(label)
                .unwrap_or_else(|| panic!("{code}: {line}"));
            assert!(said.trim().len() > 5, "{page}");
        }
    }
}

#[test]
fn a_code_is_found_by_its_family_its_type_or_in_any_case() {
    let page = |code: &str| varco(&["spiega", code]);
    assert_eq!(page("k05.CONTROLLO"), page("K05.controllo"));
    let (family, done) = page("K05");
    assert!(
        done && family.lines().count() > 2 && family.lines().all(|line| line.starts_with("K05.")),
        "{family}"
    );
    for of_type in ["authorization", "urn:varco:problem:authorization"] {
        let (both, _) = page(of_type);
        assert!(
            both.contains("F01.ente") && both.contains("F02.certificato"),
            "{both}"
        );
        assert_eq!(both.lines().count(), 2, "{both}");
    }
    let (warning, _) = page("K05.luogo");
    assert!(
        warning.contains("Esito OK, l'avvertenza nella ricevuta"),
        "{warning}"
    );
    let (attempts, _) = page("H10.tentativi-ente");
    assert!(attempts.contains("HTTP 429"), "{attempts}");
    let (of_text, _) = page("Authorization failed");
    assert!(
        of_text.contains("F01.ente") && of_text.contains("F21.ufficio"),
        "{of_text}"
    );
    assert_eq!(page("H02."), page("H02.certificato"));
    let (one, _) = page("quota");
    assert!(one.starts_with("F22.quota: "), "{one}");
    let output = std::process::Command::new(kit::binary())
        .args(["spiega", "K05.contrlo"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("il codice K05.contrlo non c'è (forse K05.controllo)"),
        "{said}"
    );
}

/// A remedy that names a command names one that there is.
#[test]
fn the_commands_of_the_remedies_exist() {
    let mut named = BTreeSet::new();
    for code in documented() {
        let (page, _) = varco(&["spiega", &code]);
        for rest in page.split("varco ").skip(1) {
            let words: Vec<String> = rest
                .split(|c: char| !c.is_ascii_lowercase() && c != '-')
                .take_while(|word| !word.is_empty())
                .map(str::to_owned)
                .collect();
            let deep = usize::from(["ente", "crl", "ledger"].contains(&words[0].as_str()));
            named.insert(words[..=deep].to_vec());
        }
    }
    named.remove(&vec!["toml".to_owned()]);
    assert!(named.len() > 5, "{named:?}");
    for command in named {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let (page, done) = varco(&arguments);
        assert!(done && page.contains("Uso: "), "{command:?}: {page}");
    }
}

/// `varco catalogo` has every operation that an ente may be granted, every benefit and every indicator.
#[test]
fn the_catalogue_has_all_names() {
    let (text, done) = varco(&["catalogo"]);
    assert!(done, "{text}");
    let (json, _) = varco(&["catalogo", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let all = |list: &str, field: &str| -> BTreeSet<String> {
        let list = json[list].as_array().unwrap().iter();
        list.map(|each| each[field].as_str().unwrap().to_owned())
            .collect()
    };
    let operations: BTreeSet<_> = Operation::ALL
        .iter()
        .map(|operation| operation.name().to_owned())
        .collect();
    assert_eq!(all("operazioni", "nome"), operations);
    let benefits: BTreeSet<_> = benefits().into_iter().map(str::to_owned).collect();
    assert_eq!(all("prestazioni", "codice"), benefits);
    let indicators: BTreeSet<_> = TipoIndicatore::ALL
        .iter()
        .map(|code| (*code).to_owned())
        .collect();
    assert_eq!(all("indicatori", "codice"), indicators);
    for name in operations.iter().chain(&benefits).chain(&indicators) {
        assert!(text.contains(name.as_str()), "{name}");
    }
}
