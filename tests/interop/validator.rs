//! The proof of the validator: what the schemas describe is accepted and comes back the same, and what is
//! spoilt is judged as libxml2 judges it.
//!
//! Documents are generated from the compiled schemas, for every global element, until every particle,
//! attribute and value was made in every way. Each is judged by the parser and validator that the port uses,
//! and by xmllint. Where the two differ the test fails, unless the difference is agreed upon: those are
//! listed in [`agreed`], each with its reason.
//!
//! Only the full run has this: it needs xmllint, which `tests/install full` puts there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use kit::generate::{Form, Generator, Node, Random};
use kit::mutate::{Spoilt, anything, mutators, over_limits};
use varco::commands::famiglie::{Famiglia, Famiglie};
use varco::contract::consultazione::{Chiave, RicercaProtDsu};
use varco::contract::{ISEE_NS, RICEVUTA_NS, catalogue::Service, esito_attestazione, message, roots, wsdl};
use varco::isee::attest::{Rilascio, attest};
use varco::isee::attestazione::{EsitoAttestazione, Ricerca};
use varco::isee::compute::casi::Situazione;
use varco::isee::compute::componente::NessunAltra;
use varco::isee::omissioni::omissioni;
use varco::isee::rules::Rules;
use varco::xml::encoding::{self, EncodingError};
use varco::xml::schema::{Breach, Builtin, ElementId, SchemaSet};
use varco::xml::{Document, DocumentLimits, XmlFault, canonical, parse};

/// How many documents one xmllint is given: it reads the schema once for all of them.
const BATCH: usize = 500;
/// How many spoilt documents are judged, and from which seed; VARCO_SPOILT and VARCO_SEED say otherwise, for
/// a longer look.
const SPOILT: usize = 30_000;
const SEED: u64 = 3;

fn said<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}={text}"))
    })
}

fn schemas() -> SchemaSet {
    SchemaSet::compile(&wsdl::schemas()).unwrap()
}

/// The global elements, by the file that declares them, in a fixed order.
fn roots_by_file(schemas: &SchemaSet) -> BTreeMap<&'static str, Vec<ElementId>> {
    let mut all: Vec<ElementId> = schemas.roots().collect();
    all.sort_by_key(|id| {
        (
            schemas.element(*id).namespace.clone(),
            schemas.element(*id).name.clone(),
        )
    });
    let mut files: BTreeMap<&str, Vec<ElementId>> = BTreeMap::new();
    for id in all {
        let declaration = schemas.element(id);
        let file = match declaration.namespace.as_str() {
            ISEE_NS if declaration.name == "Dichiarazione" => "ISEE_Dichiarazione.xsd",
            ISEE_NS => "ISEE_Esiti.xsd",
            RICEVUTA_NS => "Ricevuta.xsd",
            other => match Service::ALL
                .into_iter()
                .find(|service| service.namespace() == other)
                .unwrap()
            {
                Service::ConsultazioneIsee => "ConsultazioneISEE.xsd",
                Service::TrasmissioneDsu => "TrasmissioneDSU.xsd",
                Service::PddAttestazione => "PdD_ConsultazioneAttestazione.xsd",
                Service::PddDichiarazione => "PdD_ConsultazioneDichiarazione.xsd",
                Service::PddProtocollo => "PdD_VerificaEsistenzaProtocollo.xsd",
            },
        };
        files.entry(file).or_default().push(id);
    }
    files
}

/// What we say of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Encoding(EncodingError),
    Xml(XmlFault),
    /// The root is not a global element of any schema.
    Undeclared,
    Invalid(Vec<Breach>),
}

fn judge(schemas: &SchemaSet, bytes: &[u8]) -> Verdict {
    let text = match encoding::decode(bytes, None) {
        Ok(text) => text,
        Err(error) => return Verdict::Encoding(error),
    };
    let document = match parse(&text, &DocumentLimits::default()) {
        Ok(document) => document,
        Err(error) => return Verdict::Xml(error.fault),
    };
    let root = document.root();
    match schemas.root(root.namespace(), root.local()) {
        None => Verdict::Undeclared,
        Some(id) => {
            let report = schemas.validate(root, id);
            if report.violations.is_empty() {
                Verdict::Accepted
            } else {
                Verdict::Invalid(report.violations.into_iter().map(|v| v.breach).collect())
            }
        }
    }
}

fn wsdl_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wsdl")
}

/// What xmllint says of each document: whether it is well-formed, in its namespaces too, and valid; if not,
/// why.
fn xmllint(schema: &Path, documents: &[Vec<u8>]) -> Vec<Result<(), String>> {
    let batches: Vec<&[Vec<u8>]> = documents.chunks(BATCH).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let results = std::sync::Mutex::new(vec![Vec::new(); batches.len()]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(batch) = batches.get(index) else { break };
                    let verdicts = xmllint_batch(schema, batch);
                    results.lock().unwrap()[index] = verdicts;
                }
            });
        }
    });
    results.into_inner().unwrap().concat()
}

fn xmllint_batch(schema: &Path, documents: &[Vec<u8>]) -> Vec<Result<(), String>> {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..documents.len())
        .map(|index| format!("d{index:04}.xml"))
        .collect();
    for (name, bytes) in names.iter().zip(documents) {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let output = Command::new("xmllint")
        .current_dir(directory.path())
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .args(&names)
        .output();
    let output = output.unwrap_or_else(|error| panic!("xmllint: {error}: run `tests/install full`"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("WXS schema") && !said.contains("Schemas parser error"),
        "{said}"
    );
    let mut valid = vec![None; documents.len()];
    let mut errors = vec![None; documents.len()];
    for line in said.lines() {
        let Some((number, rest)) = line.strip_prefix('d').and_then(|rest| rest.split_at_checked(4)) else {
            continue;
        };
        let (Some(rest), Ok(number)) = (rest.strip_prefix(".xml"), number.parse::<usize>()) else {
            continue;
        };
        match rest {
            " validates" => valid[number] = Some(true),
            " fails to validate" => valid[number] = Some(false),
            // "d0001.xml:1: namespace error : ...": such a document is validated all the same.
            _ if rest.starts_with(':') && rest.contains(" error : ") => {
                errors[number].get_or_insert_with(|| rest.to_owned());
            }
            _ => {}
        }
    }
    for (number, (valid, error)) in valid.iter().zip(&errors).enumerate() {
        let crashed = said.contains(&format!(
            "d{number:04}.xml validation generated an internal error"
        ));
        assert!(
            (valid.is_some() || error.is_some()) && !crashed,
            "xmllint says nothing of document {number}: {}",
            shown(&documents[number])
        );
        assert!(
            *valid != Some(false) || error.is_some(),
            "xmllint does not say why: {}",
            shown(&documents[number])
        );
    }
    errors
        .into_iter()
        .map(|error| error.map_or(Ok(()), Err))
        .collect()
}

/// The text of a document, short enough to be read.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.chars().count() > 3000 {
        format!("{}...", text.chars().take(3000).collect::<String>())
    } else {
        text.into_owned()
    }
}

fn rewritten(document: &Document<'_>) -> Result<String, String> {
    let root = document.root();
    let bound = roots::find(root.namespace(), root.local()).unwrap();
    let text = bound.rewrite(document).map_err(|error| error.to_string())?;
    Ok(text)
}

/// The canonical form. A message is written in one namespace, that of its root: the DSU inside is named by
/// its own in what comes in, and so that is left out.
fn in_one_namespace(document: &Document<'_>) -> String {
    let own = format!(" xmlns=\"{ISEE_NS}\"");
    canonical::exclusive(document.root()).replace(&format!("<Dichiarazione{own}"), "<Dichiarazione")
}

#[test]
fn what_the_schemas_describe_is_accepted_by_both_and_comes_back_the_same() {
    let schemas = schemas();
    let mut table = String::new();
    let (mut total, mut round_trips, mut points) = (0, 0, 0);
    for (seed, form) in [(1, Form::Canonical), (2, Form::Any)] {
        let mut generator = Generator::new(&schemas, form, seed);
        for (file, ids) in roots_by_file(&schemas) {
            let mut documents: Vec<Vec<u8>> = Vec::new();
            for id in ids {
                let mut made = 0;
                while made < 60 || !generator.missing(id).is_empty() {
                    made += 1;
                    assert!(made < 2000, "never made: {:#?}", generator.missing(id));
                    let room = *generator.random.pick(&[3, 12, 40, 120]);
                    let node: Node = generator.document(id, room);
                    let text = node.text();
                    assert_eq!(
                        judge(&schemas, text.as_bytes()),
                        Verdict::Accepted,
                        "{form:?}: {text}"
                    );
                    let document = parse(&text, &DocumentLimits::default()).unwrap();
                    let declaration = schemas.element(id);
                    // Replies are written here and not read: an instant of theirs has one form.
                    let reply = ["Response", "Risposta", "Ricevuta"]
                        .iter()
                        .any(|end| declaration.name.ends_with(end));
                    if form == Form::Canonical || !reply {
                        let again = rewritten(&document).unwrap_or_else(|error| panic!("{error}: {text}"));
                        let reread = parse(&again, &DocumentLimits::default()).unwrap();
                        if form == Form::Canonical {
                            assert_eq!(in_one_namespace(&reread), in_one_namespace(&document), "{text}");
                        }
                        // Once written, it stays what it is.
                        assert_eq!(rewritten(&reread).unwrap(), again, "{text}");
                        round_trips += 1;
                    }
                    documents.push(text.into_bytes());
                }
            }
            let verdicts = xmllint(&wsdl_directory().join(file), &documents);
            for (bytes, valid) in documents.iter().zip(&verdicts) {
                assert!(valid.is_ok(), "xmllint refuses: {valid:?}: {}", shown(bytes));
            }
            total += documents.len();
            let _ = writeln!(table, "{form:?} {file}: {} documents", documents.len());
        }
        points += generator.covered();
    }
    println!(
        "{table}{total} valid documents, {round_trips} read and written again, {points} different particles, attributes and values"
    );
    assert!(
        total > 3000 && round_trips > 2500 && points > 1500,
        "{total} {round_trips} {points}"
    );
}

/// A spoilt document with both verdicts.
struct Case<'c> {
    spoilt: &'c Spoilt,
    ours: &'c Verdict,
    /// What libxml2 has against it.
    theirs: &'c Result<(), String>,
}

/// A difference that is agreed upon.
struct Agreed {
    what: &'static str,
    why: &'static str,
    applies: fn(&Case<'_>) -> bool,
}

fn agreed() -> Vec<Agreed> {
    vec![
        Agreed {
            what: "a document type declaration",
            why: "none is read: no entities, no attributes by default, nothing external; SOAP forbids it (1.1, section 3)",
            applies: |case| case.theirs.is_ok() && *case.ours == Verdict::Xml(XmlFault::Doctype),
        },
        Agreed {
            what: "a processing instruction",
            why: "SOAP forbids it (1.1, section 3), and nothing here would act on it",
            applies: |case| {
                case.theirs.is_ok() && *case.ours == Verdict::Xml(XmlFault::ProcessingInstruction)
            },
        },
        Agreed {
            what: "more than one of our limits allows",
            why: "no message of the contract comes near them, and libxml2 has limits of its own",
            applies: |case| case.theirs.is_ok() && matches!(case.ours, Verdict::Xml(XmlFault::Limit(_))),
        },
        Agreed {
            what: "an encoding that is not read here",
            why: "CAF software sends UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 and windows-1252; each encoding more is a way more to be read differently",
            applies: |case| {
                case.theirs.is_ok() && *case.ours == Verdict::Encoding(EncodingError::Unsupported)
            },
        },
        Agreed {
            what: "a byte order mark, or UTF-16 by its look, and a declaration that says otherwise or nothing",
            why: "the mark has authority over the declaration (RFC 7303, section 3.3); UTF-16 without one comes with a charset",
            applies: |case| {
                let marks: [&[u8]; 5] = [b"\xEF\xBB\xBF", b"\xFE\xFF", b"\xFF\xFE", b"<\0", b"\0<"];
                *case.ours == Verdict::Accepted
                    && marks.iter().any(|mark| case.spoilt.bytes.starts_with(mark))
                    && case.spoilt.mutator == "encoding"
            },
        },
        Agreed {
            what: "XML 1.1 and later",
            why: "other characters and names are allowed in it; libxml2 reads it as if it were 1.0, after a warning",
            applies: |case| {
                let version = found(case, r#"^<\?xml\s+version\s*=\s*['"]1\.([0-9]*)['"]"#);
                case.theirs.is_ok()
                    && *case.ours == Verdict::Xml(XmlFault::NotWellFormed)
                    && version.is_some_and(|minor| minor != "0")
            },
        },
        Agreed {
            what: "a NUL after the root",
            why: "no character of XML; libxml2 takes it for the end of what it was given",
            applies: |case| {
                case.theirs.is_ok()
                    && *case.ours == Verdict::Xml(XmlFault::Character)
                    && case.spoilt.bytes.ends_with(b"\0")
            },
        },
        Agreed {
            what: "a namespace's name that is no URI reference",
            why: "namespaces are told apart as strings and never resolved (Namespaces in XML 1.0, section 2.3); none such is one of ours",
            applies: |case| *case.ours == Verdict::Accepted && says(case, "is not a valid URI"),
        },
        Agreed {
            what: "white space around a number, a date or the name in xsi:type",
            why: "it collapses before a value is judged (XML Schema, part 2, section 4.3.6); libxml2 does that for some types alone",
            applies: |case| {
                let padded = refused_value(case).is_some_and(|value| value.trim() != value)
                    || says(case, "The QName value ' xs:");
                *case.ours == Verdict::Accepted && padded
            },
        },
        Agreed {
            what: "a sign before an unsigned number",
            why: "it is derived from integer, whose values may have one, and Xerces reads it so; libxml2 reads digits alone",
            applies: |case| {
                *case.ours == Verdict::Accepted
                    && refused_value(case).is_some_and(|value| value.starts_with(['+', '-']))
            },
        },
        Agreed {
            what: "a number of more than 24 digits",
            why: "18 must be read at least (XML Schema, part 2, section 3.2.3); libxml2 reads 24, we read any number, the longest as the largest amount that there is",
            applies: |case| {
                *case.ours == Verdict::Accepted && refused_value(case).is_some_and(|value| value.len() > 24)
            },
        },
        Agreed {
            what: "the first or the last day of a range, with a zone",
            why: "a zone does not move the day here; where the bound has none, the standard calls their order indeterminate",
            applies: |case| {
                let zone = found(case, "[\">](?:1753-01-01|9999-12-31)(Z|[+-][0-9]{2}:[0-9]{2})");
                let bound = says(case, "facet 'minInclusive'") || says(case, "facet 'maxInclusive'");
                *case.ours == Verdict::Accepted && bound && zone.is_some()
            },
        },
        Agreed {
            what: "base64 with other characters in it",
            why: "they may not be there (XML Schema, part 2, section 3.2.16); libxml2 skips them",
            applies: |case| {
                case.theirs.is_ok() && only(case, |breach| *breach == Breach::Form(Builtin::Base64Binary))
            },
        },
        Agreed {
            what: "a CDATA section of nothing or of white space where no text may be",
            why: "a section is another way to write characters, and there are none, or such as may be there; libxml2 looks at the section",
            applies: |case| {
                let blank = found(case, r"<!\[CDATA\[(\s*)\]\]>");
                *case.ours == Verdict::Accepted && says(case, "Character content") && blank.is_some()
            },
        },
        Agreed {
            what: "xsi:type with a type derived from the one declared, or on what is not declared",
            why: "the declared type is what the message is read as: only its own name is accepted",
            applies: |case| {
                case.theirs.is_ok()
                    && ["xsi:type", "anything"].contains(&case.spoilt.mutator)
                    && only(case, |breach| *breach == Breach::Xsi)
            },
        },
    ]
}

/// What a pattern's group finds in the document.
fn found(case: &Case<'_>, pattern: &str) -> Option<String> {
    let text = String::from_utf8_lossy(&case.spoilt.bytes);
    Some(
        regex::Regex::new(pattern)
            .unwrap()
            .captures(&text)?
            .get(1)?
            .as_str()
            .to_owned(),
    )
}

fn says(case: &Case<'_>, what: &str) -> bool {
    case.theirs.as_ref().is_err_and(|said| said.contains(what))
}

fn only(case: &Case<'_>, breach: fn(&Breach) -> bool) -> bool {
    matches!(case.ours, Verdict::Invalid(breaches) if breaches.iter().all(breach))
}

/// The value of a numeric or date type that libxml2 refuses for its form; with a line end, if its first line
/// is all that is said of it.
fn refused_value(case: &Case<'_>) -> Option<String> {
    let (_, value) = case
        .theirs
        .as_ref()
        .err()?
        .split_once("Schemas validity error : ")?
        .1
        .split_once("': '")?;
    let Some((value, ty)) = value.split_once("' is not a valid value of the ") else {
        return Some(format!("{value}\n"));
    };
    let types = [
        "xs:date",
        "xs:dateTime",
        "TypeDataSQL",
        "DataValiditaType",
        "xs:int",
        "xs:unsignedInt",
        "xs:integer",
        "xs:decimal",
        "TypeDecimal",
    ];
    (ty.starts_with("local atomic type")
        || types
            .iter()
            .any(|known| ty.ends_with(&format!("{known}'.")) || ty.ends_with(&format!("}}{known}'."))))
    .then(|| value.to_owned())
}

#[test]
fn what_is_spoilt_is_judged_as_libxml2_judges_it() {
    let schemas = schemas();
    let files = roots_by_file(&schemas);
    let (wanted, seed) = (said("VARCO_SPOILT", SPOILT), said("VARCO_SEED", SEED));
    let mut random = Random::new(seed);
    let mutators = mutators();
    let wheel: Vec<usize> = mutators
        .iter()
        .enumerate()
        .flat_map(|(index, mutator)| vec![index; mutator.weight])
        .collect();
    let mut generators = [
        Generator::new(&schemas, Form::Any, seed + 1),
        Generator::new(&schemas, Form::Canonical, seed + 2),
    ];
    let names: Vec<&str> = files.keys().copied().collect();
    let mut cases: Vec<(&str, Spoilt, Verdict)> = Vec::new();
    let mut limits = 0;
    while cases.len() < wanted {
        let file = *random.pick(&names);
        let id = *random.pick(&files[file]);
        let generator = &mut generators[usize::from(random.chance(30))];
        let room = *random.pick(&[2, 6, 15, 30]);
        let source = generator.document(id, room);
        let mut all = Vec::new();
        if limits < 60 && random.chance(2) {
            all = over_limits(&mut random, &source);
            limits += all.len();
        }
        if random.chance(3) {
            let esito = files["ISEE_Esiti.xsd"]
                .iter()
                .copied()
                .find(|id| schemas.element(*id).name == "EsitoAttestazione")
                .unwrap();
            let with_anything = (0..30)
                .map(|_| generator.document(esito, 40))
                .find(|node| node.text().contains("<ISEENonCalcolabile"));
            all.extend(with_anything.and_then(|source| anything(&mut random, &source)));
        }
        for _ in 0..3 {
            all.extend(mutators[*random.pick(&wheel)].apply(&mut random, &source));
        }
        for spoilt in all {
            let verdict = judge(&schemas, &spoilt.bytes);
            cases.push((file, spoilt, verdict));
        }
    }

    // One schema that has them all, so that a root of any of them is a root.
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.xsd");
    let mut imports = String::new();
    for (file, ids) in &files {
        // The file of the results includes that of the DSU, whose namespace it shares.
        if *file != "ISEE_Dichiarazione.xsd" {
            let namespace = &schemas.element(ids[0]).namespace;
            let _ = write!(
                imports,
                "<xs:import namespace=\"{namespace}\" schemaLocation=\"{}\"/>",
                wsdl_directory().join(file).display()
            );
        }
    }
    // That of the results first: a namespace is imported once.
    let results = imports
        .find("<xs:import namespace=\"http://inps.it/ISEERiforma\"")
        .unwrap();
    let end = results + imports[results..].find("/>").unwrap() + 2;
    let first = imports[results..end].to_owned();
    imports.replace_range(results..end, "");
    std::fs::write(
        &whole,
        format!(
            "<xs:schema xmlns:xs=\"{}\" targetNamespace=\"urn:whole\">{first}{imports}</xs:schema>",
            varco::xml::schema::XS
        ),
    )
    .unwrap();

    let documents: Vec<Vec<u8>> = cases.iter().map(|(_, spoilt, _)| spoilt.bytes.clone()).collect();
    let theirs = xmllint(&whole, &documents);

    let agreed = agreed();
    let mut hits = vec![0; agreed.len()];
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut ways: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut differences = Vec::new();
    for ((file, spoilt, ours), theirs) in cases.iter().zip(&theirs) {
        let accepted = *ours == Verdict::Accepted;
        let count = counts.entry(file).or_default();
        count[0] += 1;
        count[if accepted { 1 } else { 2 }] += 1;
        ways.entry(spoilt.mutator).or_default()[usize::from(accepted)] += 1;
        if accepted == theirs.is_ok() {
            continue;
        }
        let case = Case { spoilt, ours, theirs };
        match agreed.iter().position(|difference| (difference.applies)(&case)) {
            Some(index) => hits[index] += 1,
            None => differences.push((spoilt, ours, theirs)),
        }
    }
    println!("documents, accepted, refused");
    for (file, [all, accepted, refused]) in &counts {
        println!("{file}: {all}, {accepted}, {refused}");
    }
    for (way, [refused, accepted]) in &ways {
        println!("  {way}: {accepted} accepted, {refused} refused");
    }
    for (difference, hits) in agreed.iter().zip(&hits) {
        println!("agreed, {hits} times: {} ({})", difference.what, difference.why);
    }
    let mut told = String::new();
    for (spoilt, ours, theirs) in &differences {
        let _ = writeln!(
            told,
            "--- {} `{}`: ours {ours:?}, xmllint {theirs:?}\n{}",
            spoilt.mutator,
            spoilt.piece.chars().take(80).collect::<String>(),
            shown(&spoilt.bytes)
        );
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differences.txt");
    std::fs::write(&file, &told).unwrap();
    let shown = told.chars().take(20_000).collect::<String>();
    assert!(
        differences.is_empty(),
        "{} differences, all in {}: {shown}",
        differences.len(),
        file.display()
    );
    for (difference, hits) in agreed.iter().zip(hits) {
        assert!(hits > 0, "agreed upon and never seen: {}", difference.what);
    }
    for mutator in &mutators {
        assert!(
            ways.get(mutator.name)
                .is_some_and(|[refused, accepted]| refused + accepted >= 20),
            "{} was hardly tried",
            mutator.name
        );
    }
    assert!(
        cases.len() >= 20_000
            && counts
                .values()
                .all(|[_, accepted, refused]| *accepted > 50 && *refused > 500),
        "{counts:?}"
    );
}

/// What the computation makes of invented families is valid for libxml2 too: the DSU as it is written, and
/// its attestation.
#[test]
fn every_attestation_of_an_invented_family_is_valid_for_libxml2() {
    let presented = jiff::civil::date(2026, 3, 10);
    let rules = Rules::embedded().unwrap();
    let rules = rules.on(presented).unwrap();
    let mut made = Famiglie::new(26, presented);
    let (mut declarations, mut attestations) = (Vec::new(), Vec::new());
    for index in 0..said("VARCO_FAMILIES", 10_000) {
        let Famiglia { dsu, feed } = made.famiglia(&format!("CAF00001-GEN001-2026-N{index:07}"));
        let situazione = Situazione {
            dsu: &dsu,
            presented,
            rules,
            feed: &feed,
            altre: &NessunAltra,
        };
        let indicatori = situazione.indicatori().ok().unwrap();
        let protocollo = format!("INPS-ISEE-2026-{index:08}A-00");
        let about = Rilascio {
            protocollo: &protocollo,
            presentata: presented,
            rilasciata: presented,
            ..Rilascio::default()
        };
        let omissione_difformita = omissioni(&dsu, presented, rules, &feed, presented);
        let attestazione = Some(attest(
            &dsu,
            &indicatori,
            rules,
            Rilascio {
                omissioni: omissione_difformita,
                ..about
            },
        ));
        let chiave = Chiave::ProtDsu(Box::new(RicercaProtDsu {
            protocollo_dsu: protocollo.clone(),
            codice_fiscale_beneficiario: dsu.codice_fiscale_dichiarante.clone(),
            prestazione_da_erogare: None,
            protocollo_domanda_ente_erogatore: None,
            statodomanda_prestazione: None,
        }));
        declarations.push(message("Dichiarazione", ISEE_NS, &dsu, true).into_bytes());
        attestations.push(
            esito_attestazione(&EsitoAttestazione {
                attestazione,
                ricerca: Ricerca {
                    chiave: chiave.echo(),
                },
            })
            .into_bytes(),
        );
    }
    for (schema, documents) in [
        ("ISEE_Dichiarazione.xsd", &declarations),
        ("ISEE_Esiti.xsd", &attestations),
    ] {
        for (index, verdict) in xmllint(&wsdl_directory().join(schema), documents)
            .into_iter()
            .enumerate()
        {
            assert_eq!(
                verdict,
                Ok(()),
                "{schema}: {index}: {}",
                String::from_utf8_lossy(&documents[index])
            );
        }
        println!("{schema}: {} documents valid", documents.len());
    }
}
