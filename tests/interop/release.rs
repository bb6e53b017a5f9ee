//! The files that `deploy/release` makes, under `target/dist`: tried with tools that are not ours, in a Debian system
//! made for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn dist() -> PathBuf {
    let dist = root().join("target/dist");
    assert!(dist.join("SHA256SUMS").exists(), "no release: run deploy/release");
    dist
}

/// Runs a command, which must be there; returns its output.
fn said(command: &mut Command) -> (String, bool) {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run tests/install full"));
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    (text, status.success())
}

fn done(command: &mut Command) -> String {
    let (text, done) = said(command);
    assert!(done, "{command:?}: {text}");
    text
}

/// The name that begins so and ends so.
fn file(start: &str, end: &str) -> PathBuf {
    let files = std::fs::read_dir(dist())
        .unwrap()
        .map(|file| file.unwrap().path());
    let is = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    };
    files
        .into_iter()
        .find(is)
        .unwrap_or_else(|| panic!("no {start}*{end}"))
}

#[test]
fn the_tarball_has_one_file_that_runs_anywhere() {
    done(
        Command::new("sha256sum")
            .args(["--check", "--strict", "SHA256SUMS"])
            .current_dir(dist()),
    );
    let home = tempfile::tempdir().unwrap();
    done(
        Command::new("tar")
            .arg("-xzf")
            .arg(file("varco-", ".tar.gz"))
            .arg("-C")
            .arg(home.path()),
    );
    let inside = std::fs::read_dir(home.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let binary = inside.join("varco");
    // Whether it is dynamic, by the loader itself.
    let (linked, _) = said(Command::new("ldd").arg(&binary));
    assert!(
        linked.contains("not a dynamic executable") || linked.contains("statically linked"),
        "{linked}"
    );
    let version = done(Command::new(&binary).arg("--version"));
    assert_eq!(version.trim(), format!("varco {}", env!("CARGO_PKG_VERSION")));
    // The program for strangers, in the tarball and alone.
    for binary in [inside.join("varco-verify"), file("varco-verify-", "-linux")] {
        let version = done(Command::new(binary).arg("--version"));
        assert_eq!(
            version.trim(),
            format!("varco-verify {}", env!("CARGO_PKG_VERSION"))
        );
    }
    // Names are looked up without a library of the system: there is none to find in an image.
    for part in [
        "man/varco-init.1",
        "completions/varco.bash",
        "systemd/varco.service",
        "docs/it/per-iniziare.md",
        "LICENSE",
    ] {
        assert!(inside.join(part).exists(), "{part}");
    }
    done(
        Command::new("bash")
            .arg("-n")
            .arg(inside.join("completions/varco.bash")),
    );
    let bytes = std::fs::read(&binary).unwrap();
    let place = root().display().to_string();
    assert!(
        !bytes
            .windows(place.len())
            .any(|window| window == place.as_bytes()),
        "it names {place}"
    );
}

/// A new system, with `/proc` mounted in it until the end.
struct Jail(tempfile::TempDir);

impl Drop for Jail {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path().join("proc")).status();
    }
}

#[test]
fn the_package_is_installed_upgraded_in_use_removed_and_purged() {
    let jail = Jail(tempfile::tempdir().unwrap());
    let inside = jail.0.path();
    done(
        Command::new("debootstrap")
            .args(["--variant=minbase", "--include=adduser", "bookworm"])
            .arg(inside),
    );
    let packages = inside.join("pacchetti");
    std::fs::create_dir(&packages).unwrap();
    let new = file("varco_", ".deb");
    std::fs::copy(&new, packages.join("varco_new-1_amd64.deb.new")).unwrap();
    // The package before: the same files under an earlier version.
    done(
        Command::new("cargo")
            .args([
                "deb",
                "--quiet",
                "--locked",
                "--no-build",
                "--no-strip",
                "--target",
                "x86_64-unknown-linux-gnu",
            ])
            .args(["--deb-version", "0.0.9-1", "--output"])
            .arg(packages.join("varco_0.0.9-1_amd64.deb"))
            .current_dir(root()),
    );
    std::fs::copy(
        root().join("tests/interop/release/giro.sh"),
        inside.join("giro.sh"),
    )
    .unwrap();
    done(
        Command::new("mount")
            .args(["-t", "proc", "proc"])
            .arg(inside.join("proc")),
    );
    let told = done(
        Command::new("chroot")
            .arg(inside)
            .args(["sh", "/giro.sh", "/pacchetti"]),
    );
    assert!(told.trim_end().ends_with("FINITO"), "{told}");
}

#[test]
fn the_image_has_the_binary_alone_and_runs() {
    let archive = format!("oci-archive:{}", file("varco-", "-oci.tar").display());
    let storage = tempfile::tempdir().unwrap();
    let buildah = |arguments: &[&str]| {
        let mut command = Command::new("buildah");
        command
            .args(["--storage-driver", "vfs", "--root"])
            .arg(storage.path().join("root"));
        command
            .arg("--runroot")
            .arg(storage.path().join("run"))
            .args(arguments);
        done(&mut command)
    };
    let container = buildah(&["from", "--quiet", &archive]);
    let container = container.trim();
    let run = |arguments: &[&str]| {
        buildah(
            &[
                &["run", "--isolation", "chroot", container, "--", "/varco"],
                arguments,
            ]
            .concat(),
        )
    };
    assert!(run(&["--version"]).starts_with("varco "));
    // As the user of the image, in its volume.
    let made = run(&["init", "/var/lib/varco/data"]);
    assert!(made.contains("Directory dei dati pronta"), "{made}");
    let told = done(Command::new("skopeo").args(["inspect", "--config", &archive]));
    let config: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"], serde_json::json!(["/varco"]));
    assert_eq!(
        config["config"]["Cmd"],
        serde_json::json!(["serve", "--config", "/etc/varco/varco.toml"])
    );
    assert!(
        config["config"]["Volumes"]["/var/lib/varco"].is_object(),
        "{told}"
    );
}

#[test]
fn the_bill_of_materials_is_valid_and_names_what_is_compiled() {
    let bill = file("varco-", ".cdx.json");
    let python = root().join("target/release-checks/venv/bin/python");
    let script = "import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(wrong) if wrong else 0)";
    done(Command::new(python).args(["-c", script]).arg(&bill));
    let text = std::fs::read_to_string(&bill).unwrap();
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = told["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    for name in ["rustls", "aws-lc-rs", "redb", "hyper", "tikv-jemallocator"] {
        assert!(names.contains(&name), "{name}");
    }
    // Of the tests alone, and of a feature that is off.
    for name in ["proptest", "criterion", "ring"] {
        assert!(!names.contains(&name), "{name}");
    }
    assert!(!text.contains("file://"), "it names a directory");
}
