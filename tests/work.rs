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
