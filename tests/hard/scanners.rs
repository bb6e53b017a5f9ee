//! What scanners of TLS say of the port as it is shipped: sslyze, which measures it against Mozilla's
//! intermediate configuration, with a client's certificate; testssl.sh, which looks at protocols, ciphers and
//! vulnerabilities, with a certificate where it lets OpenSSL connect, with none on its own sockets. Every
//! finding that is passed over stands below, with its reason.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kit::Site;
use serde_json::Value;

/// Findings of sslyze that do not count: none. The authority of the certificates is given to it as one to
/// trust, and it then finds the path good.
const SSLYZE: [(&str, &str); 0] = [];

/// Findings of testssl.sh that do not count. What concerns certificates (`--server-defaults`: path,
/// revocation, transparency, CAA) is not asked: the authority is private and has no addresses, and the
/// certificate is the demonstration's, not an operator's.
const TESTSSL: [(&str, &str); 2] = [
    (
        "cipher_order",
        "the client chooses among suites that are all good, as Mozilla's intermediate configuration wants it",
    ),
    (
        "engine_problem",
        "about the OpenSSL that testssl.sh runs, not about the port",
    ),
];

/// The sslyze that tests/install made.
fn sslyze() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    target.join("scanners/venv/bin/sslyze")
}

fn run(command: &mut Command) -> String {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program:?}: {error}: run tests/install full"));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// An OpenSSL for testssl.sh, which cannot be given a certificate: its connections are an ente's. Without one
/// testssl.sh does not look at what comes after the handshake, or thinks that it does, as the alert or its
/// own end of the connection comes first.
fn openssl_of(site: &Site, who: &str) -> PathBuf {
    let (home, file) = (site.home.path(), site.home.path().join("openssl"));
    let ente = format!(
        "-cert '{0}/pki/{who}.pem' -key '{0}/pki/{who}.key'",
        home.display()
    );
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = s_client ] || exec openssl \"$@\"\nshift\nexec openssl s_client {ente} \"$@\"\n"
    );
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file
}

fn json(file: &Path, output: &str) -> Value {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}: {output}"));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn sslyze_finds_what_mozilla_wants() {
    let site = Site::new();
    let serving = site.serve();
    let (certificate, key) = site.pem("comune");
    let (authority, file) = (
        site.home.path().join("pki/ca.pem"),
        site.home.path().join("sslyze.json"),
    );
    let mut command = Command::new(sslyze());
    command.args(["--mozilla_config=intermediate", "--resum", "--early_data"]);
    command
        .arg("--cert")
        .arg(certificate)
        .arg("--key")
        .arg(key)
        .arg("--certinfo_ca_file")
        .arg(authority)
        .arg("--json_out")
        .arg(&file);
    let output = run(command.arg(format!("localhost:{}", serving.address.port())));
    serving.stop();

    let verdict = output
        .split("COMPLIANCE AGAINST TLS CONFIGURATION")
        .nth(1)
        .unwrap_or_else(|| panic!("no verdict: {output}"));
    assert!(!verdict.contains("ERROR"), "{output}");
    let findings: Vec<&str> = verdict
        .lines()
        .filter_map(|line| line.trim().strip_prefix("* "))
        .collect();
    let counted: Vec<_> = findings
        .iter()
        .filter(|finding| {
            !SSLYZE
                .iter()
                .any(|(id, _)| finding.starts_with(&format!("{id}:")))
        })
        .collect();
    assert!(counted.is_empty(), "{counted:#?}");
    assert!(
        verdict.contains("OK - Compliant") || !findings.is_empty(),
        "{verdict}"
    );

    // What the configuration says nothing about, and whether all of it was looked at.
    let scanned = &json(&file, &output)["server_scan_results"][0];
    assert_eq!(scanned["scan_status"], "COMPLETED", "{output}");
    let scans = scanned["scan_result"].as_object().unwrap();
    for (name, scan) in scans.iter().filter(|(name, _)| *name != "http_headers") {
        assert_eq!(scan["status"], "COMPLETED", "{name}: {scan}");
    }
    let result = |name: &str| &scans[name]["result"];
    for (name, supported) in [
        ("ssl_2_0", false),
        ("ssl_3_0", false),
        ("tls_1_0", false),
        ("tls_1_1", false),
        ("tls_1_2", true),
        ("tls_1_3", true),
    ] {
        assert_eq!(
            result(&format!("{name}_cipher_suites"))["is_tls_version_supported"],
            supported,
            "{name}"
        );
    }
    for (name, fact, expected) in [
        ("tls_compression", "supports_compression", false),
        ("tls_1_3_early_data", "supports_early_data", false),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", false),
        ("heartbleed", "is_vulnerable_to_heartbleed", false),
        ("session_renegotiation", "supports_secure_renegotiation", true),
        (
            "session_renegotiation",
            "is_vulnerable_to_client_renegotiation_dos",
            false,
        ),
        ("tls_extended_master_secret", "supports_ems_extension", true),
    ] {
        assert_eq!(result(name)[fact], expected, "{name}: {}", result(name));
    }
    assert_eq!(
        result("robot")["robot_result"],
        "NOT_VULNERABLE_RSA_NOT_SUPPORTED"
    );
    // A resumed session would outlive a revocation.
    for kind in ["session_id_resumption_result", "tls_ticket_resumption_result"] {
        assert_eq!(
            result("session_resumption")[kind],
            "NOT_SUPPORTED",
            "{}",
            result("session_resumption")
        );
    }
}

#[test]
fn testssl_finds_nothing_to_say_of_protocols_ciphers_and_vulnerabilities() {
    let site = Site::new();
    let serving = site.serve();
    let file = site.home.path().join("testssl.json");
    let mut command = Command::new("testssl");
    command.args([
        "--protocols",
        "--std",
        "--pfs",
        "--server-preference",
        "--vulnerable",
    ]);
    command.args([
        "--warnings",
        "off",
        "--quiet",
        "--color",
        "0",
        "--nodns",
        "none",
        "--ip",
        "127.0.0.1",
    ]);
    command
        .args(["--connect-timeout", "10", "--openssl-timeout", "10", "--openssl"])
        .arg(openssl_of(&site, "comune"));
    command.arg("--jsonfile").arg(&file);
    let output = run(command
        .arg(format!("localhost:{}", serving.address.port()))
        .current_dir(site.home.path()));
    let findings = json(&file, &output);
    serving.stop();

    let findings = findings.as_array().unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    // WARN is what it could not look at.
    let counted: Vec<_> = findings
        .iter()
        .filter(|finding| {
            ["WARN", "LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL"].contains(&&*text(finding, "severity"))
        })
        .filter(|finding| !TESTSSL.iter().any(|(id, _)| text(finding, "id").starts_with(id)))
        .collect();
    assert!(counted.is_empty(), "{counted:#?}");
    // All of it was looked at, and found good.
    for id in [
        "SSLv2",
        "SSLv3",
        "TLS1_2",
        "TLS1_3",
        "cipherlist_NULL",
        "cipherlist_aNULL",
        "cipherlist_EXPORT",
        "cipherlist_LOW",
        "heartbleed",
        "CCS",
        "ROBOT",
        "secure_renego",
        "secure_client_renego",
        "BREACH",
        "CRIME_TLS",
        "POODLE_SSL",
        "SWEET32",
        "FREAK",
        "DROWN",
        "LOGJAM",
        "BEAST",
        "LUCKY13",
        "RC4",
    ] {
        let found = findings
            .iter()
            .find(|finding| text(finding, "id") == id)
            .unwrap_or_else(|| panic!("{id} was not looked at: {output}"));
        assert_eq!(text(found, "severity"), "OK", "{found}");
    }
    for id in ["TLS1", "TLS1_1"] {
        let found = findings
            .iter()
            .find(|finding| text(finding, "id") == id)
            .unwrap_or_else(|| panic!("{id} was not looked at: {output}"));
        assert!(text(found, "finding").contains("not offered"), "{found}");
    }
}
