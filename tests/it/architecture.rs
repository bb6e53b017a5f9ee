//! The house's own rules: imports go strictly downwards, and nothing private is committed.

mod circles;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use circles::{House, circles};

/// The floors, highest first. What is on one floor does not know the others on it.
const FLOORS: [(&str, u8); 23] = [
    ("commands", 8),
    ("gateway", 7),
    ("services", 6),
    ("sii", 5),
    ("registry", 4),
    ("evidence", 4),
    ("contract", 3),
    ("state", 3),
    ("isee", 2),
    ("ledger", 2),
    ("soap", 2),
    ("tls", 2),
    ("xml", 1),
    ("config", 1),
    ("clock", 0),
    ("italian", 0),
    ("refusal", 0),
    ("digest", 0),
    ("log", 1),
    ("progress", 0),
    ("json", 0),
    ("binary", 0),
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

/// The lines of every source, each with its place.
fn all_lines() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let lines = files.into_iter().flat_map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        let lines: Vec<_> = text
            .lines()
            .zip(1..)
            .map(|(line, at)| (format!("{name}:{at}"), line.to_owned()))
            .collect();
        lines
    });
    lines.collect()
}

/// A comment names its actor. A relative clause in place of a noun is a riddle: few comments need one.
#[test]
fn few_comments_need_a_relative_clause() {
    let lines = all_lines();
    let comments: Vec<_> = lines
        .iter()
        .filter(|(_, line)| line.trim_start().starts_with("//"))
        .collect();
    let clause = |line: &str| {
        let words = line.split(|c: char| !c.is_ascii_alphabetic());
        words
            .map(str::to_ascii_lowercase)
            .any(|word| ["that", "which", "who", "what", "whose"].contains(&word.as_str()))
    };
    let clauses = comments.iter().filter(|(_, line)| clause(line)).count();
    assert!(
        comments.len() > 5000,
        "only {} comments were read",
        comments.len()
    );
    assert!(
        clauses * 100 <= comments.len() * 12,
        "{clauses} of {} lines",
        comments.len()
    );
    let long: Vec<_> = comments
        .iter()
        .filter(|(_, line)| line.chars().count() > 110)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// The way of an exchange stands on one page; no other function is longer than a screen.
#[test]
fn what_is_read_at_once_fits_a_page() {
    let lines = all_lines();
    let page = lines
        .iter()
        .filter(|(place, _)| place.starts_with("gateway/exchange.rs:"))
        .count();
    assert!((100..=200).contains(&page), "{page} lines");
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let functions: Vec<_> = files
        .iter()
        .flat_map(|file| functions(&std::fs::read_to_string(file).unwrap()))
        .collect();
    assert!(
        functions.len() > 2000,
        "only {} functions were read",
        functions.len()
    );
    let long: Vec<_> = functions.iter().filter(|(_, lines)| *lines > 70).collect();
    // The ten arrows of an exchange stand in one function.
    let [(name, _)] = &long[..] else {
        panic!("{long:#?}")
    };
    assert_eq!(name, "async fn converse(");
}

/// The functions of a source, without its tests: the line that begins each, and its length in lines.
fn functions(text: &str) -> Vec<(String, usize)> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines: Vec<&str> = production.lines().collect();
    let begins = |line: &str| {
        let code = line.trim_start();
        !code.starts_with("//")
            && (code.starts_with("fn ") || code.contains(" fn "))
            && line.ends_with(['{', '('])
    };
    let starts = lines.iter().enumerate().filter(|(_, line)| begins(line));
    let measured = starts.filter_map(|(start, line)| {
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let length = lines[start..].iter().position(|line| *line == end)? + 1;
        Some((line.trim().to_owned(), length))
    });
    measured.collect()
}

/// The names of a schema's own types. The contracts of INPS and the payloads of the ISEE name them alike: a
/// `Chiave` of the consultation and a `Chiave` of the attestation are both called so on the wire.
const NAMED_BY_A_SCHEMA: [&str; 16] = [
    "Chiave",
    "Componente",
    "ComponenteNucleo",
    "ComponenteNucleoRistretto",
    "ConsultazioneAttestazione",
    "ConsultazioneDichiarazione",
    "EsitoAttestazione",
    "EsitoDichiarazione",
    "NucleoFamiliare",
    "NucleoRistretto",
    "Ricerca",
    "RicercaCf",
    "RicercaProtDsu",
    "RicercaProtMittente",
    "RichiestaAttestazione",
    "Variazione",
];

/// The files written after a schema: one type for each of its types.
const SCHEMAS: [&str; 5] = [
    "contract/consultazione.rs",
    "contract/pdd.rs",
    "contract/trasmissione.rs",
    "isee/attestazione.rs",
    "isee/dsu.rs",
];

/// One noun, one meaning: a type's name is defined once. Two reasons allow more: a schema gave the name, or
/// the argument parser's own words are used (`Args` and `What` of each command).
#[test]
fn a_name_means_one_type() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&root, &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let file = file.strip_prefix(&root).unwrap().display().to_string();
        for name in types(&text) {
            places.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(places.len() > 500, "only {} types were read", places.len());
    let explained = |name: &str, files: &[String]| {
        let named = NAMED_BY_A_SCHEMA.contains(&name) && files.iter().all(|file| SCHEMAS.contains(&&**file));
        let parsed =
            ["Args", "What"].contains(&name) && files.iter().all(|file| file.starts_with("commands/"));
        named || parsed
    };
    let twice: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    let riddles: Vec<_> = twice
        .iter()
        .filter(|(name, files)| !explained(name, files))
        .collect();
    assert!(riddles.is_empty(), "{riddles:#?}");
    let idle = |name: &&&str| !twice.iter().any(|(twice, _)| twice == *name);
    let idle: Vec<_> = NAMED_BY_A_SCHEMA.iter().filter(idle).collect();
    assert!(idle.is_empty(), "explained, and defined once: {idle:?}");
}

/// The types that a source defines, without its tests. An associated type is its trait's.
fn types(text: &str) -> Vec<&str> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let defined = production.lines().filter_map(|line| {
        let code = line.trim_start();
        let code = code.strip_prefix("pub").map_or(code, |rest| {
            let rest = rest
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(')'))
                .map_or(rest, |cut| cut.1);
            rest.trim_start()
        });
        let (word, rest) = code.split_once(' ')?;
        let item = match word {
            "struct" | "enum" | "trait" => true,
            "type" => !line.starts_with(' '),
            _ => false,
        };
        let name = rest
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()?;
        (item && !name.is_empty()).then_some(name)
    });
    defined.collect()
}

#[test]
fn the_reader_of_types_sees_them() {
    let text = "pub struct One;\nenum Two {}\npub(crate) trait Three {\n    type Four;\n}\ntype Five<'a> = &'a ();\n    \
                pub(in crate::x) struct Six<T>(T);\n// struct Seven\n#[cfg(test)]\nmod tests {\nstruct Eight;\n}";
    assert_eq!(types(text), ["One", "Two", "Three", "Five", "Six"]);
}

/// The page about the house names what is there: each path and each type between backquotes is defined, in
/// the room that the path names.
#[test]
fn the_page_of_the_house_names_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let texts: Vec<(Vec<String>, String)> = files
        .iter()
        .map(|file| {
            let module = file.strip_prefix(root.join("src")).unwrap().with_extension("");
            let mut module: Vec<_> = module
                .iter()
                .map(|part| part.to_str().unwrap().to_owned())
                .collect();
            module.retain(|part| part != "mod" && part != "lib");
            (module, std::fs::read_to_string(file).unwrap())
        })
        .collect();
    let (mut looked, mut absent) = (0, Vec::new());
    for name in page.split('`').skip(1).step_by(2) {
        let parts: Vec<&str> = name.split("::").collect();
        let is_name =
            |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let names_code = parts.len() > 1 || name.starts_with(|c: char| c.is_ascii_uppercase());
        if !names_code || !parts.iter().all(is_name) {
            continue;
        }
        looked += 1;
        // The modules first, as far as there are such; then what stands in them.
        let under = |count: usize| {
            let named = &parts[..count];
            texts
                .iter()
                .filter(move |(module, _)| count == 0 || module.windows(count).any(|part| part == named))
        };
        let modules = (0..=parts.len())
            .rev()
            .find(|&count| under(count).next().is_some())
            .unwrap();
        let defined = |name: &str| under(modules).any(|(_, text)| defines(text, name));
        if !parts[modules..].iter().all(|part| defined(part)) {
            absent.push(name);
        }
    }
    assert!(looked > 30, "only {looked} names were looked for");
    assert!(absent.is_empty(), "{absent:?}");
}

/// Whether a source defines an item of this name.
fn defines(text: &str, name: &str) -> bool {
    const ITEMS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "mod", "const", "static"];
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words
        .windows(2)
        .any(|pair| ITEMS.contains(&pair[0]) && pair[1] == name)
}

/// What only tests use is not in the library that is shipped, or stands behind the feature of the tests' kit.
#[test]
fn what_only_tests_use_is_not_shipped() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut written, mut defined) = (BTreeMap::new(), BTreeMap::new());
    for file in files.iter().filter(|file| !file.ends_with("ledger/memory.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let mut of_tests = false;
        for line in production
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            for word in &words {
                *written.entry((*word).to_owned()).or_insert(0) += 1;
            }
            let public = line.trim_start().starts_with("pub");
            if let Some(place) = words
                .iter()
                .position(|word| *word == "fn")
                .filter(|_| public && !of_tests)
            {
                *defined.entry(words[place + 1].to_owned()).or_insert(0) += 1;
            }
            of_tests = line.contains("feature = \"memory\"");
        }
    }
    assert!(defined.len() > 500, "only {} functions were read", defined.len());
    let idle: Vec<_> = defined
        .iter()
        .filter(|(name, count)| written[*name] <= **count)
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
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
