//! The reference of refusals says all that the code says, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

use varco::commands::errori::reference;

/// Codes of refusals in a text: a letter, two digits, a point, words.
fn codes(text: &str, before: char) -> BTreeSet<String> {
    let is_code = |code: &str| {
        let bytes = code.as_bytes();
        bytes.len() > 4
            && bytes[0].is_ascii_uppercase()
            && bytes[1..3].iter().all(u8::is_ascii_digit)
            && bytes[3] == b'.'
            && bytes[4..].iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-')
    };
    let words = text.split(before).map(|rest| rest.split([before, ' ', '"', '|']).next().unwrap_or_default());
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
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            out.push((path.display().to_string(), text));
        }
    }
}

#[test]
fn the_documented_reference_is_the_generated_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errori.md");
    let documented = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(documented == reference(), "docs/errori.md is not what `varco errori` prints: run `cargo run -- errori > docs/errori.md`");
}

#[test]
fn every_code_that_is_answered_is_in_the_reference_and_no_other() {
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let is_table =
        |file: &str| ["regole.rs", "esiti.rs", "gathered.rs"].iter().any(|table| file.ends_with(table)) && !file.contains("contract/esiti");
    let answered: BTreeSet<String> = all.iter().filter(|(file, _)| !is_table(file)).flat_map(|(_, text)| codes(text, '"')).collect();
    let listed: BTreeSet<String> = reference()
        .lines()
        .filter(|line| line.starts_with("| "))
        .flat_map(|line| codes(&format!("|{}|", line.split('|').nth(1).unwrap_or_default().trim()), '|'))
        .collect();
    assert!(answered.len() > 80, "{answered:?}");
    assert_eq!(answered, listed);
}

/// `docs/isee.md` has each formal check with its text, and says whether it refuses or warns.
#[test]
fn the_checks_that_are_described_are_those_that_there_are() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/isee.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| K"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>()).collect::<Vec<_>>();
    let described = |column: usize| cells.iter().flat_map(|row| codes(row[column], '`')).collect::<BTreeSet<_>>();
    let listed = |warns: bool| {
        let all = varco::isee::checks::REGOLE.iter().filter(|regola| regola.significato.starts_with("Avvertenza: ") == warns);
        all.map(|regola| regola.codice.to_owned()).collect::<BTreeSet<_>>()
    };
    assert!(cells.len() == 19 && cells.iter().all(|row| row.len() == 7 && !row[2].is_empty() && !row[3].is_empty()));
    assert_eq!(described(4), listed(false));
    assert_eq!(described(5), listed(true));
}

#[test]
fn a_code_stands_in_the_reference_once_and_says_what_to_do() {
    let text = reference();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[3].is_ascii_digit()).collect();
    let first: BTreeSet<&str> = rows.iter().map(|row| row.split('|').nth(1).unwrap().trim()).collect();
    assert_eq!(first.len(), rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        assert!(cells.len() >= 3 && cells.iter().all(|cell| !cell.trim().is_empty()), "{row}");
    }
}
