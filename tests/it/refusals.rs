//! Every refusal has a test that provokes it (`tests/README.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use varco::commands::errori::reference;
use varco::gateway::fault::{CODES, row};
use varco::gateway::gathered::Stretta;
use varco::isee::checks::Check;
use varco::services::esiti::Motivo;

/// Rows of the tables, each with its first cell: those that begin with a code.
fn rows(text: &str) -> Vec<(&str, &str)> {
    let cells = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    cells
        .filter(|(code, _)| code.as_bytes().get(3) == Some(&b'.'))
        .collect()
}

/// The file of a test, by its path: `it::`, `hard::` and `interop::` are binaries, everything else is a room.
fn file(root: &Path, module: &[&str]) -> PathBuf {
    let (base, module) = match module {
        [binary @ ("it" | "hard" | "interop"), rest @ ..] => (root.join("tests").join(binary), rest),
        [rest @ .., "tests"] => (root.join("src"), rest),
        _ => panic!("{module:?} is no module of tests"),
    };
    let path = base.join(module.join("/"));
    [path.with_extension("rs"), path.join("mod.rs")]
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or(path)
}

/// The text of a test, from its attribute to the brace that ends it.
fn body<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let head = text.find(&format!("fn {name}("))?;
    let line = text.get(..head)?.rfind('\n')? + 1;
    let indent: String = text.get(line..)?.chars().take_while(|c| *c == ' ').collect();
    let attributes = text.get(..line)?.rsplit("\n\n").next()?;
    let end = text.get(head..)?.find(&format!("\n{indent}}}\n"))?;
    attributes
        .contains("#[test]")
        .then(|| text.get(head..head + end))?
}

/// The names by which a test may know a code: the code, and the Rust name of its row.
fn names() -> BTreeMap<String, Vec<String>> {
    let checks = Check::ALL
        .iter()
        .map(|check| (check.code().to_owned(), format!("Check::{check:?}")));
    let reasons = Motivo::ALL
        .iter()
        .map(|reason| (reason.to_string(), format!("Motivo::{reason:?}")));
    let handshakes = Stretta::ALL
        .iter()
        .map(|reason| (reason.code().to_owned(), format!("Stretta::{reason:?}")));
    let faults = CODES
        .iter()
        .map(|code| (row(*code).ledger.to_owned(), format!("Code::{code:?}")));
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (code, name) in checks.chain(reasons).chain(handshakes).chain(faults) {
        names.entry(code).or_default().push(name);
    }
    names
}

#[test]
fn every_refusal_has_a_test_that_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("tests/README.md")).unwrap();
    let rows = rows(&readme);
    let listed: BTreeSet<&str> = rows.iter().map(|(code, _)| *code).collect();
    let reference = reference();
    let known: BTreeSet<&str> = self::rows(&reference).iter().map(|(code, _)| *code).collect();
    assert!(
        known.len() > 180 && rows.len() == listed.len(),
        "{} codes, {} rows",
        known.len(),
        rows.len()
    );
    assert_eq!(listed, known);
    let names = names();
    for (code, tests) in rows {
        let tests: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{code} has no test");
        for test in tests {
            let path: Vec<&str> = test.split("::").collect();
            let (name, module) = path.split_last().unwrap();
            let file = file(root, module);
            let text =
                std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("{test}: no {}", file.display()));
            let body = body(&text, name).unwrap_or_else(|| panic!("{code}: there is no test {test}"));
            let known = names.get(code).into_iter().flatten().any(|name| {
                body.split(name.as_str())
                    .skip(1)
                    .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
            });
            assert!(known || body.contains(code), "{test} does not name {code}");
        }
    }
}
