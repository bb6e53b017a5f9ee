//! Faults of the configuration: a start warns of them, a reload and a strict check refuse them. And refused
//! handshakes.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use serde_json::Value;
use varco::commands::pki::{TestAuthority, offset, params};

use super::{element, entries, get, question, until};
use kit::{ISEE, Site, varco};
use varco::commands::client::Client;
use varco::ledger::Kind;

fn keep(file: &Path, text: &str, mode: u32) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn lines(log: &Path, message: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    let all = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    all.map(|line| line["fields"].clone())
        .filter(|line| line["message"] == message)
        .collect()
}

#[test]
fn a_server_certificate_that_no_client_takes_starts_with_a_warning_and_is_refused_by_a_reload() {
    let site = Site::new();
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    let good = site.pem("server");
    let good = (
        std::fs::read_to_string(good.0).unwrap(),
        std::fs::read_to_string(good.1).unwrap(),
    );
    let now = site.clock.now();
    let made = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        let mut wanted = params("porta", now).unwrap();
        wanted.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().unwrap()),
            SanType::IpAddress([127, 0, 0, 1].into()),
        ];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut wanted);
        site.pki.authority.issue(wanted).unwrap()
    };
    let cases = [
        (
            made(&|wanted| wanted.not_after = offset(now, -60).unwrap()),
            "è scaduto il ",
        ),
        (
            made(&|wanted| wanted.not_before = offset(now, 86_400).unwrap()),
            "vale soltanto dal ",
        ),
        (
            made(&|wanted| wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            "non è per server",
        ),
        (
            made(&|wanted| wanted.subject_alt_names.clear()),
            "non ha alcun nome (subjectAltName)",
        ),
    ];
    let (certificate, key) = site.pem("server");
    let put = |(chain, secret): (&str, &str)| {
        keep(&certificate, chain, 0o644);
        keep(&key, secret, 0o600);
    };
    for (bad, why) in cases {
        put((&bad.certificate, &bad.key));
        let (told, done) = varco(&["check-config", "--config", &config]);
        assert!(
            done && told.contains("attenzione: ") && told.contains(why),
            "{told}"
        );
        let (told, done) = varco(&["check-config", "--rigoroso", "--config", &config]);
        assert!(!done && told.contains("errore: ") && told.contains(why), "{told}");
        // A site that begins with it is told before there is anything.
        let (fresh, made) = (
            site.config().with_file_name("nuovo.toml"),
            site.config().with_file_name("nuovi"),
        );
        let text = std::fs::read_to_string(site.config()).unwrap();
        assert!(text.contains("data = \"data\""), "{text}");
        std::fs::write(&fresh, text.replace("data = \"data\"", "data = \"nuovi\"")).unwrap();
        let fresh = fresh.display().to_string();
        let (told, done) = varco(&["init", "--config", &fresh]);
        assert!(
            !done
                && told.contains(why)
                && told.contains("con --comunque si prepara lo stesso")
                && !made.exists(),
            "{told}"
        );
        let (told, done) = varco(&["init", "--comunque", "--config", &fresh]);
        assert!(
            done && told.contains("attenzione: ") && told.contains(why) && made.join("ledger").is_dir(),
            "{told}"
        );
        std::fs::remove_dir_all(made).unwrap();
        // A site of today starts, and says so.
        let serving = site.serve();
        until("no warning", || {
            lines(&serving.log, "configuration")
                .iter()
                .any(|line| line.to_string().contains(why))
        });
        let (told, _) = varco(&["status", "--data", &data]);
        assert!(told.contains(why), "{told}");
        put((&good.0, &good.1));
        let (told, done) = varco(&["reload", "--data", &data]);
        assert!(done, "{told}");
        put((&bad.certificate, &bad.key));
        let (told, done) = varco(&["reload", "--data", &data]);
        assert!(
            !done && told.contains(why) && told.contains("con --comunque si ricarica lo stesso"),
            "{told}"
        );
        let (told, done) = varco(&["reload", "--comunque", "--data", &data]);
        assert!(done, "{told}");
        // The log is written by a thread of its own.
        until("a reload is no line of the log", || {
            lines(&serving.log, "reloaded").len() == 2
        });
        put((&good.0, &good.1));
        serving.stop();
        std::fs::remove_file(site.config().with_file_name("varco.log")).unwrap();
    }
}

#[test]
fn numbers_that_make_no_sense_and_files_open_to_all_are_said_with_what_to_do() {
    let site = Site::new();
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    let refused = |why: &str| {
        let (told, done) = varco(&["check-config", "--config", &config]);
        assert!(done && told.contains(why), "{told}");
        let (told, done) = varco(&["check-config", "--rigoroso", "--config", &config]);
        assert!(!done && told.contains(why), "{told}");
    };
    for (wrong, why) in [
        (
            "[limits]\nconnections = 0\n",
            "limits.connections = 0 non ha senso: da 1 a 1000000",
        ),
        ("[limits]\nper_ente = 0\n", "limits.per_ente = 0 non ha senso"),
        (
            "[limits]\nper_certificate = 0\n",
            "limits.per_certificate = 0 non ha senso",
        ),
        (
            "[limits]\nhead_seconds = 0\n",
            "limits.head_seconds = 0 non ha senso: da 1 a 3600",
        ),
        (
            "[limits]\nbody_seconds = 99999999\n",
            "limits.body_seconds = 99999999 non ha senso",
        ),
        (
            "[limits]\nreply_seconds = 0\n",
            "limits.reply_seconds = 0 non ha senso",
        ),
        (
            "[limits]\nhandshake_seconds = 0\n",
            "limits.handshake_seconds = 0 non ha senso",
        ),
        ("[limits]\nbody_bytes = 0\n", "limits.body_bytes = 0 non ha senso"),
        ("[limits]\nlots = 0\n", "limits.lots = 0 non ha senso"),
        (
            "[ledger]\nsegment_bytes = 0\n",
            "ledger.segment_bytes = 0 non ha senso",
        ),
        (
            "[ledger]\ngathered_seconds = 0\n",
            "ledger.gathered_seconds = 0 non ha senso",
        ),
    ] {
        site.configure(wrong);
        refused(why);
    }
    site.configure("");
    let open = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap()
    };
    for (path, wrong, good) in [
        (site.pem("server").1, 0o644, 0o600),
        (site.data(), 0o755, 0o700),
        (site.data().join("keys/master.key"), 0o604, 0o600),
        (site.data().join("keys"), 0o701, 0o700),
    ] {
        open(&path, wrong);
        refused(&format!(
            "{} è aperto a tutti gli utenti della macchina (permessi {wrong:o}): chmod {good:o} ",
            path.display()
        ));
        open(&path, good);
    }
    let (told, done) = varco(&["check-config", "--rigoroso", "--config", &config]);
    assert!(done && !told.contains("attenzione"), "{told}");
    // The socket of one that serves.
    let serving = site.serve();
    open(&site.data().join("admin.sock"), 0o666);
    refused("admin.sock è aperto a tutti");
    let (told, done) = varco(&["reload", "--data", &data]);
    assert!(!done && told.contains("admin.sock è aperto a tutti"), "{told}");
    serving.stop();
}

#[test]
fn a_refused_handshake_is_a_line_of_the_log_and_a_number_and_names_nobody() {
    let site = Site::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    site.configure(&format!("[admin]\nlisten = \"{port}\"\n"));
    let now = site.clock.now();
    let wanted = |name: &str| {
        let mut wanted = params(name, now).unwrap();
        wanted.distinguished_name.push(
            rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]),
            "TINIT-RSSMRA80A01H501U",
        );
        wanted
            .distinguished_name
            .push(rcgen::DnType::OrganizationalUnitName, "Ufficio prova");
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        wanted
    };
    let mut expired = wanted("MARIO ROSSI");
    (expired.not_before, expired.not_after) = (offset(now, -90_000).unwrap(), offset(now, -86_400).unwrap());
    let expired = site.pki.authority.issue(expired).unwrap();
    let revoked = site.pki.authority.issue(wanted("MARIO ROSSI")).unwrap();
    let stranger = TestAuthority::new("Un'altra CA", now)
        .unwrap()
        .issue(wanted("MARIO ROSSI"))
        .unwrap();
    keep(
        &site.home.path().join("pki/crl.pem"),
        &site.pki.authority.crl(&[&revoked], 30).unwrap(),
        0o644,
    );
    let serving = site.serve();
    let cases = [
        (&expired, "certificate expired"),
        (&revoked, "certificate revoked"),
        (&stranger, "certificate of an authority that is not trusted"),
    ];
    for (issued, why) in cases {
        let (certificate, key) = site.pem("rifiutato");
        keep(&certificate, &issued.certificate, 0o644);
        keep(&key, &issued.key, 0o600);
        let client = Client::new(
            serving.address,
            &site.home.path().join("pki/ca.pem"),
            Some((&certificate, &key)),
        )
        .unwrap();
        assert!(
            kit::runtime()
                .block_on(client.call(ISEE, &question(&site)))
                .is_err()
        );
        until(why, || {
            lines(&serving.log, "handshake refused")
                .iter()
                .any(|line| line["why"] == why)
        });
        let all = lines(&serving.log, "handshake refused");
        let line = all.iter().find(|line| line["why"] == why).unwrap();
        assert_eq!(
            (&line["reason"], &line["fingerprint"]),
            (
                &"H02.certificato".into(),
                &Value::from(issued.fingerprint.clone())
            ),
            "{line}"
        );
        assert_eq!(
            (&line["organization"], &line["address"]),
            (&"Varco demo, Ufficio prova".into(), &"127.0.0.1".into()),
            "{line}"
        );
        assert_eq!(line["issuer"], "Varco demo");
    }
    // A flood fills nothing.
    for _ in 0..40 {
        drop(std::net::TcpStream::connect(serving.address).unwrap());
    }
    until("the flood was not counted", || {
        get(port, "/metrics").contains("varco_gathered_total{reason=\"H05.interrotto\"} 40")
    });
    assert!(get(port, "/metrics").contains("varco_gathered_total{reason=\"H02.certificato\"} 3"));
    // The log is whole after a stop: a thread of its own writes it.
    let log = serving.log.clone();
    serving.stop();
    let interrupted = lines(&log, "handshake refused")
        .iter()
        .filter(|line| line["reason"] == "H05.interrotto")
        .count();
    assert!((10..=20).contains(&interrupted), "{interrupted} lines");
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(
        !log.contains("RSSMRA80A01H501U") && !log.contains("MARIO ROSSI"),
        "a person is named"
    );
}

#[test]
fn a_list_near_its_end_and_past_it_is_said_by_ready_and_no_authority_is_called_unknown() {
    let site = Site::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    site.configure(&format!("[admin]\nlisten = \"{port}\"\n"));
    let (list, data) = (
        site.home.path().join("pki/crl.pem"),
        site.data().display().to_string(),
    );
    keep(&list, &site.pki.authority.crl(&[], 1).unwrap(), 0o644);
    let serving = site.serve();
    let ready = get(port, "/ready");
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains("a revocation list ends at "),
        "{ready}"
    );
    assert!(varco(&["status", "--pronta", "--data", &data]).1);
    // Its last second was an hour ago.
    keep(&list, &site.pki.authority.crl(&[], 0).unwrap(), 0o644);
    until("still ready", || get(port, "/ready").starts_with("HTTP/1.1 503"));
    let ready = get(port, "/ready");
    assert!(
        ready.contains("no revocation list counts: nobody gets in"),
        "{ready}"
    );
    let (told, done) = varco(&["status", "--pronta", "--data", &data]);
    assert!(
        !done && told.contains("la porta non è pronta") && told.contains("lista di revoca"),
        "{told}"
    );
    let refused = kit::runtime()
        .block_on(
            site.client(serving.address, "comune")
                .call(ISEE, &question(&site)),
        )
        .unwrap_err();
    let told = format!("{refused:#}");
    assert!(told.contains("CertificateUnknown"), "{told}");
    until("no line", || {
        lines(&serving.log, "handshake refused")
            .iter()
            .any(|line| line["why"] == "revocation status unknown")
    });
    serving.stop();
}

/// Java takes no list of names beyond 16 KiB, and TLS none beyond 64.
#[test]
fn hundreds_of_authorities_are_trusted_and_not_told() {
    let site = Site::new();
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    let now = site.clock.now();
    let mut authorities = site.pki.authority.pem();
    for at in 0..380 {
        authorities += &TestAuthority::new(&format!("Autorità di prova numero {at}"), now)
            .unwrap()
            .pem();
    }
    keep(&site.home.path().join("pki/ca.pem"), &authorities, 0o644);
    let serving = site.serve();
    let ask = || {
        kit::runtime().block_on(
            site.client(serving.address, "comune")
                .call(ISEE, &question(&site)),
        )
    };
    assert_eq!(element(&ask().unwrap(), "Esito"), "DATI_NON_TROVATI");
    let (told, done) = varco(&["check-config", "--config", &config]);
    assert!(done && told.contains("superano 16 KiB"), "{told}");
    let (told, done) = varco(&["reload", "--data", &data]);
    assert!(done, "{told}");
    let reload = entries(&site, Kind::Admin).remove(0);
    let settings = &reload.leaf.body.facts["impostazioni"];
    assert_eq!(
        (&settings["insieme"]["autorita"], &settings["autorita"]),
        (&381.into(), &serde_json::json!([])),
        "{settings}"
    );
    assert_eq!(element(&ask().unwrap(), "Esito"), "DATI_NON_TROVATI");
    serving.stop();
}
