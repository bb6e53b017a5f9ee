//! How much work the port does before it trusts anybody, in instructions: counted by callgrind in the release build, so that the verdict does
//! not depend on what else the machine does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The release build of `benches/work`, made if it is not there.
fn program() -> PathBuf {
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--locked", "--example", "work"]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("release/examples/work")
}

/// The instructions of every case of a group, in one process.
fn counts(group: &str) -> Vec<(String, u64)> {
    let program = program();
    let listed = Command::new(&program).args([group, "--list"]).output().unwrap();
    assert!(listed.status.success(), "no group {group}");
    let names: Vec<String> = String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();

    let dumps = tempfile::tempdir().unwrap();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=*counted_step*", "--dump-after=*dumped_case*"])
        .arg(format!("--callgrind-out-file={}", dumps.path().join("out").display()))
        .arg(&program)
        .args([group, "--all"])
        .output()
        .expect("valgrind starts: tests/install full brings it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    names.into_iter().zip(1..).map(|(name, number)| (name, total(&dumps.path().join(format!("out.{number}"))))).collect()
}

/// What a dump of callgrind counts in all.
fn total(dump: &Path) -> u64 {
    let text = std::fs::read_to_string(dump).unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    line.and_then(|total| total.trim().parse().ok()).unwrap_or_else(|| panic!("{}: no totals", dump.display()))
}

#[test]
fn the_measure_measures() {
    let counts = counts("sample");
    let [(_, small), (_, large)] = counts.as_slice() else { panic!("{counts:?}") };
    // SHA-256 in whatever way the emulated processor offers: between 2 and 50 instructions a byte, four times as many for four times as much.
    let ratio = *large as f64 / *small as f64;
    assert!((2 * (64 << 10)..50 * (64 << 10)).contains(small), "{small} instructions for 64 KiB");
    assert!((3.9..4.1).contains(&ratio), "{small}, {large}");
}

/// Not found and not allowed: whether a DSU exists must not show in the work done about it.
#[test]
fn another_entes_dsu_costs_as_much_as_none() {
    let counts = counts("told");
    assert!(counts.len() >= 22, "{counts:?}");
    let mut wrong = Vec::new();
    for pair in counts.chunks_exact(2) {
        let [(theirs, of_theirs), (nobodys, of_nobodys)] = pair else { panic!("{pair:?}") };
        let name = theirs.strip_suffix("/theirs").filter(|name| nobodys.strip_suffix("/nobodys") == Some(name)).unwrap();
        let apart = (*of_theirs as f64 / *of_nobodys as f64 - 1.0) * 100.0;
        println!("{name}: {of_theirs} and {of_nobodys} instructions, {apart:+.2} %");
        if apart.abs() > 2.0 {
            wrong.push(format!("{name}: {of_theirs} against {of_nobodys}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What was cancelled is out of the way: it costs the look-ups after it nothing.
#[test]
fn a_look_up_costs_what_counts_and_not_what_was_cancelled() {
    let counts = counts("history");
    let [(_, none), (_, forty)] = counts.as_slice() else { panic!("{counts:?}") };
    println!("a look-up: {none} instructions, {forty} after forty cancelled DSU");
    assert!(forty * 10 < none * 11, "{none}, {forty}");
}

/// Instructions of a hostile handshake beyond an honest one, besides verifications of signatures.
const MARGIN: u64 = 5_000_000;
/// Verifications of signatures beyond those of an honest handshake.
const VERIFICATIONS: u64 = 8;

#[test]
fn a_handshake_costs_what_an_honest_one_does_and_eight_signatures_whatever_is_sent() {
    let counts = counts("handshake");
    let of = |name: &str| counts.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1;
    let (mut faults, mut hostile) = (Vec::new(), 0);
    for (name, count) in counts.iter().filter(|(name, _)| !name.ends_with("/verify") && !name.ends_with("/honest")) {
        let [kind, version, what] = name.split('/').collect::<Vec<_>>()[..] else { panic!("{name}") };
        let (honest, verification) = (of(&format!("{kind}/{version}/honest")), of(&format!("{kind}/verify")));
        let beyond = count.saturating_sub(honest);
        println!("{name}: {count}, {beyond} beyond the honest one: {:.1} verifications", beyond as f64 / verification as f64);
        // What is odd in itself, and no chain, has no signature more than an honest client's.
        let verifications = if what.starts_with("chain-") { VERIFICATIONS } else { 0 };
        if beyond > verifications * verification + MARGIN {
            faults.push(format!("{name}: {beyond} beyond the honest one's {honest}, a verification is {verification}"));
        }
        // A verification is work to speak of, or the bound says nothing.
        assert!(verification > 100_000 && honest > verification, "{kind}: {honest}, {verification}");
        hostile += 1;
    }
    assert!(hostile > 60, "only {hostile} hostile handshakes");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
