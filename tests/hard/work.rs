//! How much work the port does before it trusts anybody, in instructions: counted by callgrind in the release
//! build, so that the verdict does not depend on what else the machine does.

mod documents;
mod exchange;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release build of `benches/work`, made if it is not there.
fn program() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--example", "work"])
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("release/examples/work")
}

/// What a case came to.
struct Counted {
    name: String,
    instructions: u64,
    /// Those of them that SHA-256 took.
    sha256: u64,
    /// How long its document is, where the group says so.
    bytes: Option<u64>,
}

/// The cases of a group, in the order in which they are run.
fn names(group: &str) -> Vec<String> {
    let listed = Command::new(program()).args([group, "--list"]).output().unwrap();
    assert!(listed.status.success(), "no group {group}");
    String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The instructions of every case of a group, in one process. A case whose name begins with that of a
/// document has the document's length.
fn counts(group: &str) -> Vec<Counted> {
    let names = names(group);
    let dumps = tempfile::tempdir().unwrap();
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--quiet",
            "--toggle-collect=*counted_step*",
            "--dump-after=*dumped_case*",
        ])
        .arg(format!(
            "--callgrind-out-file={}",
            dumps.path().join("out").display()
        ))
        .arg(program())
        .args([group, "--all"])
        .output()
        .expect("valgrind starts: tests/install full brings it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let lengths: HashMap<&str, u64> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(document, length)| (document, length.parse().unwrap()))
        .collect();
    let counted = |(name, number): (String, usize)| {
        let costs = costs(&dumps.path().join(format!("out.{number}")));
        let bytes = name
            .rsplit_once(':')
            .and_then(|(document, _)| lengths.get(document).copied());
        let sha256 = costs
            .iter()
            .filter(|(function, _)| function.to_ascii_lowercase().contains("sha256"))
            .map(|(_, cost)| cost)
            .sum();
        Counted {
            name,
            instructions: costs.values().sum(),
            sha256,
            bytes,
        }
    };
    names.into_iter().zip(1..).map(counted).collect()
}

/// The same, where instructions are all that is looked at.
fn instructions(group: &str) -> Vec<(String, u64)> {
    counts(group)
        .into_iter()
        .map(|counted| (counted.name, counted.instructions))
        .collect()
}

/// What a dump of callgrind counts in each function, without those that it calls ("Callgrind Format
/// Specification", in the manual of valgrind).
fn costs(dump: &Path) -> HashMap<String, u64> {
    let text = std::fs::read_to_string(dump).unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    let (mut costs, mut names, mut function, mut called) =
        (HashMap::new(), HashMap::new(), String::new(), false);
    for line in text.lines() {
        let named = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn="));
        if let Some((id, name)) = named.map(|named| named.split_once(' ').unwrap_or((named, ""))) {
            // A name is written where it stands first.
            let name = names.entry(id.to_owned()).or_insert_with(|| name.to_owned());
            if line.starts_with("fn=") {
                function.clone_from(name);
            }
        } else if line.starts_with("calls=") {
            called = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '*')) {
            // The line after a call is what the called function and all that it calls came to.
            let cost = line
                .split(' ')
                .nth(1)
                .and_then(|cost| cost.parse::<u64>().ok())
                .unwrap_or_else(|| panic!("{line}"));
            if !std::mem::take(&mut called) {
                *costs.entry(function.clone()).or_default() += cost;
            }
        }
    }
    let total = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("totals: "))
        .and_then(|total| total.trim().parse().ok());
    assert_eq!(total, Some(costs.values().sum::<u64>()), "{}", dump.display());
    costs
}

#[test]
fn the_measure_measures() {
    let counts = counts("sample");
    let [
        Counted {
            instructions: small,
            sha256,
            ..
        },
        Counted {
            instructions: large, ..
        },
    ] = counts.as_slice()
    else {
        panic!()
    };
    // SHA-256 in whatever way the emulated processor offers: between 2 and 50 instructions a byte, four times
    // as many for four times as much.
    let ratio = *large as f64 / *small as f64;
    assert!(
        (2 * (64 << 10)..50 * (64 << 10)).contains(small),
        "{small} instructions for 64 KiB"
    );
    assert!((3.9..4.1).contains(&ratio), "{small}, {large}");
    assert!(
        *sha256 > small * 9 / 10 && sha256 <= small,
        "{sha256} of {small} are said to be of SHA-256"
    );
}

/// The pairs of a count of `told` that differ by more than two in a hundred.
fn apart(counts: &[(String, u64)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for pair in counts.chunks_exact(2) {
        let [(theirs, of_theirs), (nobodys, of_nobodys)] = pair else {
            panic!("{pair:?}")
        };
        let name = theirs
            .strip_suffix("/theirs")
            .filter(|name| nobodys.strip_suffix("/nobodys") == Some(name))
            .unwrap();
        let thousandths = of_theirs.abs_diff(*of_nobodys) * 1000 / of_nobodys;
        println!("{name}: {of_theirs} and {of_nobodys} instructions, {thousandths} in a thousand apart");
        if thousandths > 20 {
            wrong.push(format!("{name}: {of_theirs} against {of_nobodys}"));
        }
    }
    wrong
}

/// Not found and not allowed: whether a DSU exists must not show in the work done about it. Hash tables have
/// a seed of their own in each process, and now and then a count is two in a hundred off: what differs is
/// counted again, and the medians are compared.
#[test]
fn another_entes_dsu_costs_as_much_as_none() {
    let mut runs = vec![instructions("told")];
    assert!(runs[0].len() >= 22, "{runs:?}");
    if apart(&runs[0]).is_empty() {
        return;
    }
    runs.extend((0..6).map(|_| instructions("told")));
    let cases = runs[0].iter().enumerate();
    let medians: Vec<(String, u64)> = cases
        .map(|(place, (name, _))| {
            let mut counts: Vec<u64> = runs.iter().map(|run| run[place].1).collect();
            counts.sort_unstable();
            (name.clone(), counts[counts.len() / 2])
        })
        .collect();
    let wrong = apart(&medians);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What was cancelled is out of the way: it costs the look-ups after it nothing.
#[test]
fn a_look_up_costs_what_counts_and_not_what_was_cancelled() {
    let counts = instructions("history");
    let [(_, none), (_, forty)] = counts.as_slice() else {
        panic!("{counts:?}")
    };
    println!("a look-up: {none} instructions, {forty} after forty cancelled DSU");
    assert!(forty * 10 < none * 11, "{none}, {forty}");
}

/// The longest step of a serving thread, instructions.
const STEP: u64 = 15_000_000;

/// A longer step runs beside: a serving thread finds out its length and no more.
#[test]
fn no_step_of_a_serving_thread_is_long() {
    let counts = counts("serving");
    assert!(counts.len() >= 9, "{} cases", counts.len());
    for Counted {
        name,
        instructions,
        sha256,
        ..
    } in counts
    {
        let without = instructions - sha256;
        println!("{name}: {without} instructions");
        let most = if name.ends_with("-long") { STEP / 15 } else { STEP };
        assert!(without < most, "{name}: {without}");
        assert!(
            name.ends_with("-long") || without > STEP / 60,
            "{name} measures nothing: {without}"
        );
    }
}

/// Instructions of a hostile handshake beyond an honest one, besides verifications of signatures.
const MARGIN: u64 = 5_000_000;
/// Verifications of signatures beyond those of an honest handshake.
const VERIFICATIONS: u64 = 8;

#[test]
fn a_handshake_costs_what_an_honest_one_does_and_eight_signatures_whatever_is_sent() {
    let counts = instructions("handshake");
    let of = |name: &str| {
        counts
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .1
    };
    let (mut faults, mut hostile) = (Vec::new(), 0);
    for (name, count) in counts
        .iter()
        .filter(|(name, _)| !name.ends_with("/verify") && !name.ends_with("/honest"))
    {
        let [kind, version, what] = name.split('/').collect::<Vec<_>>()[..] else {
            panic!("{name}")
        };
        let (honest, verification) = (
            of(&format!("{kind}/{version}/honest")),
            of(&format!("{kind}/verify")),
        );
        let beyond = count.saturating_sub(honest);
        println!(
            "{name}: {count}, {beyond} beyond the honest one: {:.1} verifications",
            beyond as f64 / verification as f64
        );
        // What is odd in itself, and no chain, has no signature more than an honest client's.
        let verifications = if what.starts_with("chain-") {
            VERIFICATIONS
        } else {
            0
        };
        if beyond > verifications * verification + MARGIN {
            faults.push(format!(
                "{name}: {beyond} beyond the honest one's {honest}, a verification is {verification}"
            ));
        }
        // A verification is work to speak of, or the bound says nothing.
        assert!(
            verification > 100_000 && honest > verification,
            "{kind}: {honest}, {verification}"
        );
        hostile += 1;
    }
    assert!(hostile > 60, "only {hostile} hostile handshakes");
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
