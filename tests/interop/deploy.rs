//! What is under `deploy/`, as far as it can be tried without the machines it is for.

use std::path::{Path, PathBuf};
use std::process::Command;

fn units() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd");
    let mut units: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    units.sort();
    units
}

fn analyze(arguments: &[&str]) -> (String, bool) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .output()
        .expect("systemd-analyze: run tests/install full");
    (
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        output.status.success(),
    )
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let home = tempfile::tempdir().unwrap();
    let binary = std::env::var("VARCO_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_varco").to_owned());
    let copies = units().into_iter().map(|unit| {
        let copy = home.path().join(unit.file_name().unwrap());
        let text = std::fs::read_to_string(&unit)
            .unwrap()
            .replace("/usr/local/bin/varco", &binary);
        std::fs::write(&copy, text).unwrap();
        copy.display().to_string()
    });
    let copies: Vec<String> = copies.collect();
    assert!(copies.len() >= 2, "{copies:?}");
    let arguments: Vec<&str> = ["verify", "--man=no"]
        .into_iter()
        .chain(copies.iter().map(String::as_str))
        .collect();
    let (said, done) = analyze(&arguments);
    // What is said of other units of the machine is not about these.
    let own: Vec<&str> = said.lines().filter(|line| line.contains("varco")).collect();
    assert!(done && own.is_empty(), "{said}");
}

#[test]
fn kubernetes_knows_every_field_of_the_manifests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(root.join("target/release-checks/venv/bin/kubernetes-validate"))
        .arg("--strict")
        .arg(root.join("deploy/kubernetes/varco.yaml"))
        .output()
        .expect("kubernetes-validate: run tests/install full");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.matches(" passed ").count() >= 4, "{said}");
}

#[test]
fn services_expose_little() {
    for unit in units()
        .iter()
        .filter(|unit| unit.extension().is_some_and(|extension| extension == "service"))
    {
        let (said, _) = analyze(&[
            "security",
            "--offline=true",
            "--no-pager",
            &unit.display().to_string(),
        ]);
        let level = said.lines().find_map(|line| {
            line.split_once("Overall exposure level for")?
                .1
                .split_once(": ")?
                .1
                .split(' ')
                .next()?
                .parse::<f32>()
                .ok()
        });
        assert!(
            level.unwrap_or_else(|| panic!("{said}")) < 2.0,
            "{}: {said}",
            unit.display()
        );
    }
}
