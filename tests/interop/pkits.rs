//! NIST's Public Key Interoperability Test Suite (PKITS), by the parts of the channel's judgement that it is
//! about: webpki's verification of clients, what the profile asks of authorities, the validity and the
//! revocation of every certificate.
//!
//! The profile of clients' own certificates is left out: those of the suite have no extended key usage at
//! all. The initial settings are the default ones of the suite's section 3: any policy, none required.
//!
//! What is in `table.tsv`: the number of the test, what the suite expects, the scope, the client's
//! certificate, the authorities above it (nearest first), certificates that are there for lists alone, and
//! the lists beside the root's. The scope is `-` where the judgement is the suite's, or a key of [`STRICTER`]
//! or [`OUT`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, UnixTime};
use varco::tls::Revocations;
use varco::tls::authorities::Authorities;
use varco::tls::path::PathJudge;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Within the validity of the suite's certificates, which is 2010 to 2030.
const NOW: i64 = 1_781_524_800;

/// Tests of each section, from 4.1 on.
const SECTIONS: [usize; 16] = [6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2];

/// Valid by the suite, and refused: why.
const STRICTER: [(&str, &str); 13] = [
    ("dsa", "DSA is not of the profile"),
    ("dates", "webpki has no moments before 1970"),
    ("names", "names are compared as they are written"),
    (
        "identifiers",
        "webpki takes no unique identifiers, which CAs must not write",
    ),
    (
        "unsigned",
        "a list that no authority has signed stops all, instead of being passed over",
    ),
    (
        "negative",
        "a negative number in a list is taken for one whose zero was forgotten",
    ),
    (
        "partial",
        "lists that are partial, indirect or deltas are refused whole, and nobody is admitted without a list",
    ),
    (
        "key",
        "a list says nothing of certificates that another key of the same name has signed",
    ),
    ("authority", "a client's certificate that is a CA's"),
    (
        "self-issued",
        "webpki counts self-issued authorities for path lengths",
    ),
    (
        "policies",
        "policies are not judged: where one is required, nobody is admitted",
    ),
    (
        "directories",
        "webpki refuses whatever a directoryName constraint could be about",
    ),
    (
        "addresses",
        "webpki refuses e-mail addresses and URIs that a constraint could be about",
    ),
];

/// Invalid by the suite, and not refused: why it is out of scope.
const OUT: [(&str, &str); 0] = [];

struct Row<'t> {
    number: &'t str,
    valid: bool,
    scope: &'t str,
    own: &'t str,
    authorities: Vec<&'t str>,
    listers: Vec<&'t str>,
    lists: Vec<&'t str>,
}

fn table() -> Vec<Row<'static>> {
    let many = |field: &'static str| {
        if field == "-" {
            Vec::new()
        } else {
            field.split(',').collect()
        }
    };
    include_str!("pkits/table.tsv")
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [number, expected, scope, own, authorities, listers, lists] = fields[..] else {
                panic!("{line}")
            };
            assert!(["valid", "invalid"].contains(&expected), "{line}");
            Row {
                number,
                valid: expected == "valid",
                scope,
                own,
                authorities: many(authorities),
                listers: many(listers),
                lists: many(lists),
            }
        })
        .collect()
}

fn suite() -> PathBuf {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pkits");
    assert!(
        suite.join("certs/TrustAnchorRootCertificate.crt").exists(),
        "no PKITS in {}: run tests/install full",
        suite.display()
    );
    suite
}

fn certificate(suite: &Path, name: &str) -> CertificateDer<'static> {
    let file = suite.join(format!("certs/{name}.crt"));
    CertificateDer::from(std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

fn judge(suite: &Path, row: &Row<'_>) -> Result<(), String> {
    let root = certificate(suite, "TrustAnchorRootCertificate");
    let own = certificate(suite, row.own);
    let authorities: Vec<_> = row
        .authorities
        .iter()
        .map(|name| certificate(suite, name))
        .collect();
    let mut listers = vec![root.clone()];
    listers.extend(authorities.iter().cloned());
    listers.extend(row.listers.iter().map(|name| certificate(suite, name)));
    let lists: Vec<PathBuf> = ["TrustAnchorRootCRL"]
        .iter()
        .chain(&row.lists)
        .map(|name| suite.join(format!("crls/{name}.crl")))
        .collect();
    let revocations =
        Revocations::load(&lists, listers.clone()).map_err(|error| format!("lists: {error}"))?;

    let algorithms = rustls::crypto::aws_lc_rs::default_provider()
        .signature_verification_algorithms
        .all;
    let judge = PathJudge::new(&Authorities::from(vec![root]), revocations.clone(), algorithms)
        .map_err(|error| error.to_string())?;
    let presented: Vec<_> = std::iter::once(own).chain(authorities).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs()));
    let peer = judge
        .judge_path(&presented, now)
        .map_err(|error| format!("{error:?}"))?;
    peer.valid(Timestamp::from_second(NOW).unwrap(), &revocations)
        .map(|_| ())
        .map_err(|invalid| invalid.to_string())
}

#[test]
fn pkits_agrees() {
    let (suite, table) = (suite(), table());
    let (mut agreed, mut stricter, mut out) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut faults, mut whole) = (Vec::new(), 0);
    for row in &table {
        let judged = judge(&suite, row);
        let (known, counts) = match (row.valid, judged.is_ok()) {
            (true, false) => (STRICTER.iter().any(|(key, _)| *key == row.scope), &mut stricter),
            (false, true) => (OUT.iter().any(|(key, _)| *key == row.scope), &mut out),
            _ => (row.scope == "-", &mut agreed),
        };
        whole +=
            usize::from(!row.valid && judged.as_ref().is_err_and(|reason| reason.starts_with("lists: ")));
        *counts.entry(row.scope).or_insert(0usize) += 1;
        if !known {
            let expected = if row.valid { "valid" } else { "invalid" };
            faults.push(format!(
                "{} {}: {expected}, in the scope {}, but {judged:?}",
                row.number, row.own, row.scope
            ));
        }
    }
    for (key, why) in STRICTER.iter().chain(&OUT) {
        println!(
            "{key}: {} tests: {why}",
            stricter.get(key).or(out.get(key)).copied().unwrap_or_default()
        );
    }
    let sum = |counts: &BTreeMap<&str, usize>| counts.values().sum::<usize>();
    println!(
        "PKITS: {} tests: {} agree ({whole} by refusing a list whole), {} refused by a policy stricter than the suite's, {} out of scope",
        table.len(),
        sum(&agreed),
        sum(&stricter),
        sum(&out)
    );
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn the_table_is_the_suite() {
    let (suite, table) = (suite(), table());
    // The numbers are the suite's, each once and in order.
    let numbers: Vec<String> = SECTIONS
        .iter()
        .enumerate()
        .flat_map(|(section, tests)| (1..=*tests).map(move |test| format!("4.{}.{test}", section + 1)))
        .collect();
    assert_eq!(table.iter().map(|row| row.number).collect::<Vec<_>>(), numbers);
    let mut used = BTreeSet::new();
    for row in &table {
        // The names of files say what is expected, and the number within the section.
        if row.own.starts_with("Valid") || row.own.starts_with("Invalid") {
            assert_eq!(row.valid, row.own.starts_with("Valid"), "{}", row.number);
        }
        let test = row.number.rsplit('.').next().unwrap();
        assert!(
            row.own.ends_with(&format!("Test{test}EE")),
            "{} {}",
            row.number,
            row.own
        );
        used.insert(row.own.to_owned());
        // Each is signed by the next: said by the identifiers of keys, since names are what some tests are
        // about.
        let chain: Vec<_> = std::iter::once(&row.own)
            .chain(&row.authorities)
            .chain(&["TrustAnchorRootCertificate"])
            .collect();
        for pair in chain.windows(2) {
            let (below, above) = (certificate(&suite, pair[0]), certificate(&suite, pair[1]));
            assert_eq!(
                issuer_key(&below),
                own_key(&above),
                "{}: {} and {}",
                row.number,
                pair[0],
                pair[1]
            );
        }
        for list in &row.lists {
            assert!(
                suite.join(format!("crls/{list}.crl")).exists(),
                "{}: {list}",
                row.number
            );
        }
    }
    // Every client's certificate of the suite is in the table.
    let all: BTreeSet<String> = std::fs::read_dir(suite.join("certs"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .trim_end_matches(".crt")
                .to_owned()
        })
        .filter(|name| name.ends_with("EE"))
        .collect();
    assert_eq!(used, all);
}

fn extension(der: &CertificateDer<'_>, kind: &str) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let found = certificate
        .extensions()
        .iter()
        .find(|extension| extension.oid.to_id_string() == kind);
    found.unwrap_or_else(|| panic!("no {kind}")).value.to_vec()
}

/// The key identifier alone, as both extensions have it: the last twenty octets.
fn last(value: &[u8]) -> Vec<u8> {
    value[value.len() - 20..].to_vec()
}

fn issuer_key(der: &CertificateDer<'_>) -> Vec<u8> {
    last(&extension(der, "2.5.29.35"))
}

fn own_key(der: &CertificateDer<'_>) -> Vec<u8> {
    last(&extension(der, "2.5.29.14"))
}
