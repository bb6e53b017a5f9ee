//! The house's own rules: imports go strictly downwards, and nothing private is committed.

mod circles;

use std::path::{Path, PathBuf};

use circles::{House, circles};

/// The floors, highest first. What is on one floor does not know the others on it.
const FLOORS: [(&str, u8); 19] = [
    ("commands", 8),
    ("gateway", 7),
    ("services", 6),
    ("sii", 5),
    ("registry", 4),
    ("contract", 3),
    ("state", 3),
    ("isee", 2),
    ("ledger", 2),
    ("soap", 2),
    ("tls", 2),
    ("xml", 0),
    ("config", 1),
    ("clock", 0),
    ("italian", 0),
    ("refusal", 0),
    ("digest", 0),
    ("log", 0),
    ("lib", 9),
];

fn floor(room: &str) -> u8 {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .unwrap_or_else(|| panic!("{room} has no floor"))
        .1
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every `crate::room` of a source, tests at its end left out: unit tests may look upwards for what they
/// feed.
fn imports(text: &str) -> Vec<&str> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let rooms = production.split("crate::").skip(1);
    rooms
        .map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default()
        })
        .collect()
}

#[test]
fn imports_go_strictly_downwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut checked, mut wrong) = (0, Vec::new());
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let room = relative
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if room == "main" || room == "lib" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for imported in imports(&text)
            .into_iter()
            .filter(|name| !name.is_empty() && *name != room)
        {
            checked += 1;
            // The clock, the configuration, refusals and XML are the ground floor: they do not know each
            // other either.
            if floor(imported) >= floor(room) {
                wrong.push(format!("{} imports {imported}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 100, "only {checked} imports were read");
}

/// No file needs a file that needs it, inside a room as between rooms.
#[test]
fn no_file_uses_itself_by_way_of_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.retain(|file| !file.ends_with("src/main.rs"));
    let uses = House::new(files.iter().map(|file| {
        (
            file.strip_prefix(&root).unwrap(),
            std::fs::read_to_string(file).unwrap(),
        )
    }))
    .uses();
    let circles = circles(&uses);
    assert!(circles.is_empty(), "{circles:#?}");
    let (files, all) = (
        uses.len(),
        uses.values().map(std::collections::BTreeSet::len).sum::<usize>(),
    );
    assert!(
        files > 150 && all > 600,
        "only {all} uses of {files} files were read"
    );
}

/// Services and commands know the SII by its capabilities.
#[test]
fn services_and_commands_do_not_know_which_sii_answers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut read = 0;
    for room in ["services", "commands"] {
        let mut files = Vec::new();
        sources(&root.join(room), &mut files);
        for file in files {
            read += 1;
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains("sii::embedded"), "{}", file.display());
        }
    }
    assert!(read > 20, "only {read} files were read");
}

/// Where the entries are is the ledger's own affair: whoever reads them has a reader.
#[test]
fn only_the_ledger_knows_its_segments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut read) = (Vec::new(), 0);
    sources(&root, &mut files);
    for file in files
        .into_iter()
        .filter(|file| !file.starts_with(root.join("ledger")))
    {
        read += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(".segments()"), "{}", file.display());
    }
    assert!(read > 100, "only {read} files were read");
}

#[test]
fn the_reader_of_imports_sees_them() {
    assert_eq!(
        imports(
            "use crate::xml::parse;\nfn f() { crate::ledger::hex(&[]) }\n#[cfg(test)]\nmod tests { use crate::gateway; }"
        ),
        ["xml", "ledger"]
    );
}

#[test]
fn no_private_key_is_committed() {
    let output = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let files = String::from_utf8(output.stdout).unwrap();
    for file in files.lines() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let marker = concat!("-----BEGIN ", "PRIVATE KEY");
        assert!(
            !bytes
                .windows(marker.len())
                .any(|window| window == marker.as_bytes()),
            "{file} holds a private key"
        );
    }
}
