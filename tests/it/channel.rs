//! The channel: who gets through the handshake, and for how long anybody may keep a place without asking
//! anything.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kit::{BENEFIT, DSU, ISEE, Serving, Site, element, requests};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use varco::commands::client::Client;
use varco::commands::demo::accreditamento;
use varco::commands::pki::{Issued, TestAuthority, offset, params};
use varco::contract::catalogue::Operation;
use varco::ledger::Kind;
use varco::ledger::search::{Filter, find};
use varco::registry::administration::Command as Act;
use varco::registry::ente::Stato;
use varco::soap::{Version, envelope};

/// Registers a certificate of the site's own authority for the municipality, and writes it beside the others.
fn register(site: &Site, name: &str, issued: &Issued) -> (PathBuf, PathBuf) {
    let (certificate, key) = site.pem(name);
    std::fs::write(&certificate, &issued.certificate).unwrap();
    std::fs::write(&key, &issued.key).unwrap();
    let certificato = accreditamento::pinned(&issued.fingerprint);
    site.act(Act::AggiungiCertificato {
        codice: "comune".to_owned(),
        certificato,
    });
    (certificate, key)
}

fn client_params(site: &Site, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params("prova", site.clock.now()).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    change(&mut params);
    params
}

#[test]
fn only_certificates_of_the_profile_get_through() {
    let site = Site::new();
    let now = site.clock.now();
    let authority = &site.pki.authority;
    let issue = |change: fn(&mut CertificateParams, jiff::Timestamp)| {
        authority
            .issue(client_params(&site, |params| change(params, now)))
            .unwrap()
    };
    let cases: Vec<(&str, Issued, bool)> = vec![
        ("buono", issue(|_, _| {}), true),
        (
            "scaduto",
            issue(|params, now| params.not_after = offset(now, -60).unwrap()),
            false,
        ),
        (
            "futuro",
            issue(|params, now| params.not_before = offset(now, 3600).unwrap()),
            false,
        ),
        (
            "solo-server",
            issue(|params, _| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            false,
        ),
        (
            "senza-uso",
            issue(|params, _| params.extended_key_usages = Vec::new()),
            false,
        ),
        (
            "autorita",
            issue(|params, _| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(0))),
            false,
        ),
        (
            "omonimo",
            TestAuthority::new("Varco demo CA", now)
                .unwrap()
                .client("comune")
                .unwrap(),
            false,
        ),
    ];
    for (name, issued, _) in &cases {
        register(&site, name, issued);
    }
    let serving = site.serve();
    kit::runtime().block_on(async {
        let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        for (name, _, good) in &cases {
            let answer = site.client(serving.address, name).call(ISEE, &request).await;
            assert_eq!(answer.is_ok(), *good, "{name}: {answer:?}");
        }
        let nobody = Client::new(serving.address, &site.home.path().join("pki/ca.pem"), None).unwrap();
        assert!(nobody.call(ISEE, &request).await.is_err(), "no certificate");
        assert!(
            site.client(serving.address, "straniero")
                .call(ISEE, &request)
                .await
                .is_err(),
            "another authority"
        );
    });
    serving.stop();
}

#[test]
fn without_a_fresh_revocation_list_nobody_gets_through() {
    let site = Site::new();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let call = |serving: &Serving| {
        kit::runtime().block_on(site.client(serving.address, "comune").call(ISEE, &request))
    };
    let list = site.home.path().join("pki/crl.pem");
    // nextUpdate yesterday.
    std::fs::write(&list, site.pki.authority.crl(&[], -1).unwrap()).unwrap();
    let serving = site.serve();
    assert!(call(&serving).is_err(), "a stale list was believed");
    serving.stop();
    // Revoked from the start; the other certificate is not touched.
    std::fs::write(&list, site.pki.authority.crl(&[&site.pki.caf], 30).unwrap()).unwrap();
    let serving = site.serve();
    assert_eq!(element(&call(&serving).unwrap(), "Esito"), "DATI_NON_TROVATI");
    let caf = kit::runtime().block_on(site.client(serving.address, "caf").call(DSU, "<a/>"));
    assert!(caf.is_err(), "a revoked certificate got through");
    serving.stop();
    // A list that another authority signed under the same name does not load at all.
    let other = TestAuthority::new("Varco demo CA", site.clock.now()).unwrap();
    std::fs::write(&list, other.crl(&[], 30).unwrap()).unwrap();
    let (output, started) = kit::varco(&["serve", "--config", &site.config().display().to_string()]);
    assert!(
        !started && output.contains("non è firmata da nessuna delle autorità configurate"),
        "{output}"
    );
}

#[test]
fn who_has_changed_the_key_has_a_list_for_each() {
    let site = Site::new();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let (data, file) = (site.data().display().to_string(), |name: &str| {
        site.home.path().join("pki").join(name)
    });
    let serving = site.serve();
    let runtime = kit::runtime();
    let mut live = runtime
        .block_on(site.client(serving.address, "comune").connect())
        .unwrap();
    assert_eq!(
        element(&runtime.block_on(live.call(ISEE, &request)).unwrap(), "Esito"),
        "DATI_NON_TROVATI"
    );
    // Another authority of the same name: connections of the first stay.
    let other = TestAuthority::new("Varco demo CA", site.clock.now()).unwrap();
    std::fs::write(
        file("both.pem"),
        std::fs::read_to_string(file("ca.pem")).unwrap() + &other.pem(),
    )
    .unwrap();
    std::fs::write(file("other.crl"), other.crl(&[], 30).unwrap()).unwrap();
    let good = std::fs::read_to_string(site.config()).unwrap();
    let both = good.replace(
        "client_authorities = \"pki/ca.pem\"",
        "client_authorities = \"pki/both.pem\"",
    );
    std::fs::write(
        site.config(),
        both.replace("[\"pki/crl.pem\"]", "[\"pki/crl.pem\", \"pki/other.crl\"]"),
    )
    .unwrap();
    let reload = || assert!(kit::varco(&["reload", "--data", &data]).1);
    reload();
    assert_eq!(
        element(&runtime.block_on(live.call(ISEE, &request)).unwrap(), "Esito"),
        "DATI_NON_TROVATI"
    );
    // Revoked by who issued it, and the other's list is later.
    std::fs::write(
        file("crl.pem"),
        site.pki.authority.crl(&[&site.pki.comune], 30).unwrap(),
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    std::fs::write(file("other.crl"), other.crl(&[], 30).unwrap()).unwrap();
    reload();
    assert!(
        runtime
            .block_on(live.call(ISEE, &request))
            .unwrap()
            .text
            .contains("Client.Authorization")
    );
    assert!(
        runtime.block_on(live.call(ISEE, &request)).is_err(),
        "the connection stayed open"
    );
    assert!(
        runtime
            .block_on(site.client(serving.address, "comune").call(ISEE, &request))
            .is_err()
    );
    assert!(
        runtime
            .block_on(site.client(serving.address, "caf").call(DSU, "<a/>"))
            .is_ok()
    );
    // The other's list says nothing of the first one's clients.
    std::fs::write(
        site.config(),
        both.replace("[\"pki/crl.pem\"]", "[\"pki/other.crl\"]"),
    )
    .unwrap();
    reload();
    assert!(
        runtime
            .block_on(site.client(serving.address, "caf").call(DSU, "<a/>"))
            .is_err()
    );
    serving.stop();
}

#[test]
fn an_ente_that_is_suspended_or_loses_its_certificate_is_refused_at_its_next_request() {
    let site = Site::new();
    let serving = site.serve();
    let runtime = kit::runtime();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let mut live = runtime
        .block_on(site.client(serving.address, "comune").connect())
        .unwrap();
    assert_eq!(
        element(&runtime.block_on(live.call(ISEE, &request)).unwrap(), "Esito"),
        "DATI_NON_TROVATI"
    );
    // Through the admin socket of the gateway that runs.
    site.act(Act::Stato {
        codice: "comune".to_owned(),
        nuovo: Stato::Sospeso,
    });
    // What is public too: who is not let in is told so, and sent away.
    let contract = hyper::Request::get(format!("{ISEE}?wsdl"))
        .header("host", "localhost")
        .body(http_body_util::Full::default())
        .unwrap();
    let other = runtime.block_on(async {
        site.client(serving.address, "comune")
            .connect()
            .await
            .unwrap()
            .send(contract)
            .await
            .unwrap()
    });
    assert!(
        other.text.contains("Authorization failed") && !other.text.contains("definitions"),
        "{}",
        other.text
    );
    let suspended = runtime.block_on(live.call(ISEE, &request)).unwrap();
    assert!(suspended.text.contains("Authorization failed"));
    assert!(
        runtime.block_on(live.call(ISEE, &request)).is_err(),
        "the connection stayed open"
    );
    site.act(Act::Stato {
        codice: "comune".to_owned(),
        nuovo: Stato::Accreditato,
    });
    let client = site.client(serving.address, "comune");
    assert_eq!(
        element(&runtime.block_on(client.call(ISEE, &request)).unwrap(), "Esito"),
        "DATI_NON_TROVATI"
    );
    site.act(Act::TogliCertificato {
        codice: "comune".to_owned(),
        segno: accreditamento::pinned(&site.pki.comune.fingerprint).segno,
    });
    let nobody = runtime.block_on(client.call(ISEE, &request)).unwrap();
    // The same words for nobody's certificate as for a suspended ente's.
    let same = |text: &str, exchange: &Option<String>| text.replace(exchange.as_deref().unwrap(), "");
    assert_eq!(
        same(&nobody.text, &nobody.exchange),
        same(&suspended.text, &suspended.exchange)
    );
    // Wrong transitions and repeated pins are errors, in Italian.
    let data = site.data().display().to_string();
    for (arguments, error) in [
        (vec!["ente", "riattiva", "comune"], "non può passare"),
        (vec!["ente", "accredita", "nessuno"], "non esiste"),
        (
            vec!["ente", "certificato", "comune", &*site.pki.caf.fingerprint],
            "è già dell'ente caf",
        ),
        (
            vec!["ente", "abilita", "comune", "--operazioni", "Altro"],
            "operazione sconosciuta",
        ),
    ] {
        let arguments: Vec<&str> = arguments
            .into_iter()
            .chain(["--data", &*data, "--motivo", "prova"])
            .collect();
        let (output, done) = kit::varco(&arguments);
        assert!(!done && output.contains(error), "{arguments:?}: {output}");
    }
    let (output, done) = kit::varco(&["ente", "sospendi", "caf", "--data", &data]);
    assert!(!done && output.contains("--motivo"), "{output}");
    serving.stop();
    // The actor and the reason are in the ledger.
    let (listed, _) = kit::varco(&["ledger", "list", "--data", &data, "--tipo", "registry", "--json"]);
    let last = listed.lines().last().unwrap();
    let leaf: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(leaf["operation"], "ente certificato-togli");
    assert_eq!(leaf["facts"]["actor"]["uid"], rustix::process::getuid().as_raw());
    let (shown, _) = kit::varco(&[
        "ledger",
        "show",
        &leaf["seq"].to_string(),
        "--apri",
        "--data",
        &data,
    ]);
    assert!(shown.contains("\"reason\": \"prova\""), "{shown}");
}

#[test]
fn who_is_refused_again_and_again_is_counted_and_not_recorded_each_time() {
    let site = Site::new();
    site.configure("[ledger]\ngathered_seconds = 1\n");
    let serving = site.serve();
    let runtime = kit::runtime();
    site.act(Act::Stato {
        codice: "comune".to_owned(),
        nuovo: Stato::Sospeso,
    });
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    const TIMES: u64 = 40;
    for _ in 0..TIMES {
        let answer = runtime
            .block_on(site.client(serving.address, "comune").call(ISEE, &request))
            .unwrap();
        assert!(
            answer.status == 500 && answer.text.contains("Authorization failed"),
            "{}",
            answer.text
        );
    }
    serving.stop();
    let directory = site.directory();
    let found = find(&directory.reader(), &Filter::default(), usize::MAX).unwrap();
    let reason = "F01.ente";
    let bodies = || found.iter().map(|entry| &entry.leaf.body);
    let single = bodies()
        .filter(|body| body.kind == Kind::Exchange && body.refusal.as_deref() == Some(reason))
        .count() as u64;
    let groups = bodies()
        .filter(|body| body.kind == Kind::Gathered)
        .flat_map(|body| body.facts["gruppi"].as_array().unwrap());
    let gathered: u64 = groups
        .filter(|group| group["motivo"] == reason)
        .map(|group| group["numero"].as_u64().unwrap())
        .sum();
    // Ten a minute: two minutes at the most.
    assert!(
        (10..=20).contains(&single) && single + gathered == TIMES,
        "{single} + {gathered}"
    );
}

#[test]
fn large_bodies_have_a_room_of_their_own() {
    let site = Site::new();
    site.configure(
        "[limits]\nbodies_bytes = 2097152\nbody_bytes = 1048576\nlot_bytes = 1048576\nbody_seconds = 20\n",
    );
    let serving = site.serve();
    kit::runtime().block_on(async {
        let client = site.client(serving.address, "comune");
        // One that stops shortly before its end holds the room.
        let stalls = async || {
            let mut slow = client.connect_raw().await.unwrap();
            let length = 1_000_000;
            let head =
                format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", length + 1);
            slow.write_all(head.as_bytes()).await.unwrap();
            slow.write_all(&vec![b' '; length]).await.unwrap();
            slow.flush().await.unwrap();
            slow
        };
        let mut slow = stalls().await;
        let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let large = request.replace("</s:Body>", &format!("<!--{}--></s:Body>", "x".repeat(300_000)));
        let (begun, mut stalled) = (Instant::now(), Instant::now());
        let refused = loop {
            let answer = client.call(ISEE, &large).await.unwrap();
            if answer.status == 429 || begun.elapsed().as_secs() > 15 {
                break answer;
            }
            // Where a large one was read at the same moment, it was the slow one that found no room.
            if stalled.elapsed().as_secs() > 2 {
                (slow, stalled) = (stalls().await, Instant::now());
            }
        };
        assert_eq!(refused.status, 429, "{}", refused.text);
        // Small ones are answered, and another ente's: half is as much as one may take. And large ones when
        // there is room again.
        assert_eq!(element(&client.call(ISEE, &request).await.unwrap(), "Esito"), "DATI_NON_TROVATI");
        assert_ne!(site.client(serving.address, "caf").call(ISEE, &large).await.unwrap().status, 429);
        drop(slow);
        let begun = Instant::now();
        while client.call(ISEE, &large).await.unwrap().status != 200 {
            assert!(begun.elapsed().as_secs() < 10, "the room was not given back");
        }
    });
    serving.stop();
}

/// Only a lot can carry a DSU of 13 MB. Its declaration is a reply of 18 MB.
#[test]
fn replies_that_nobody_takes_have_a_room_as_bodies_do() {
    let site = Site::new();
    let operations = "TrasmissioneDSU,TrasmissioneLotto,ConsultazioneDichiarazione,ConsultazioneEsitoDSU";
    site.act(accreditamento::granted("caf", operations, &[]));
    site.configure("[limits]\nbodies_bytes = 33554432\n");
    let serving = site.serve();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        let dsu = requests::dsu("CAF00001-LUNGHE-2026-N0000001", &site.today());
        let account = |number: u32| {
            format!(
                "<Rapporto TipoRapporto=\"01\" Identificativo=\"{number}{}\" CodiceFiscaleOperatore=\"01234567897\" Saldo3112=\"1\" ConsistenzaMedia=\"1\"/>",
                "x".repeat(900_000)
            )
        };
        let accounts: String = (0..14).map(account).collect();
        let (before, after) = dsu.split_once("</PatrimonioMobiliare>").unwrap();
        let lot = format!("<TrasmissioneLotto xmlns=\"urn:varco:trasmissione-dsu:1\">{before}{accounts}</PatrimonioMobiliare>{after}</TrasmissioneLotto>");
        let answer = caf.call(DSU, &envelope(Version::V11, &lot)).await.unwrap();
        let protocol = element(&answer, "ProtocolloDSU").to_owned();
        let key = format!(
            "<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{}</CodiceFiscaleBeneficiario></RicercaProtDSU>",
            requests::GIULIA
        );
        let question = requests::consultazione(Operation::ConsultazioneDichiarazione, &key);
        // Asked for, and not taken: more than the sockets' buffers hold.
        let mut idle = caf.connect_raw().await.unwrap();
        let length = question.len();
        let head = format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n");
        idle.write_all(head.as_bytes()).await.unwrap();
        idle.write_all(question.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        idle.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        // There is no room for another one of this ente. There is for small replies.
        let refused = caf.call(ISEE, &question).await.unwrap();
        assert_eq!(refused.status, 429, "{}", refused.text.get(..300).unwrap_or(&refused.text));
        assert!(refused.headers.contains_key("retry-after"));
        let esito = format!("<ConsultazioneEsitoDSU xmlns=\"urn:varco:trasmissione-dsu:1\"><ProtocolloDSU>{protocol}</ProtocolloDSU></ConsultazioneEsitoDSU>");
        assert_eq!(element(&caf.call(DSU, &envelope(Version::V11, &esito)).await.unwrap(), "Esito"), "OK");
        // Once it is gone there is room again.
        drop(idle);
        let begun = Instant::now();
        while caf.call(ISEE, &question).await.unwrap().status != 200 {
            assert!(begun.elapsed().as_secs() < 20, "the room was not given back");
        }
    });
    serving.stop();
    // The refused declaration was not given away.
    let directory = site.directory();
    let found = find(
        &directory.reader(),
        &Filter {
            kind: Some(Kind::Exchange),
            ..Filter::default()
        },
        usize::MAX,
    )
    .unwrap();
    let given: Vec<_> = found
        .iter()
        .filter(|entry| entry.leaf.body.operation.as_deref() == Some("ConsultazioneDichiarazione"))
        .collect();
    assert_eq!(given.len(), 2);
    // Of the first it is known that it did not arrive.
    let gathered = find(
        &directory.reader(),
        &Filter {
            kind: Some(Kind::Gathered),
            ..Filter::default()
        },
        usize::MAX,
    );
    let gathered = gathered.unwrap();
    let groups: Vec<_> = gathered
        .iter()
        .flat_map(|entry| entry.leaf.body.facts["gruppi"].as_array().unwrap())
        .collect();
    let lost: Vec<_> = groups
        .iter()
        .filter(|group| group["motivo"] == "E98.non-consegnata")
        .collect();
    assert_eq!(lost.len(), 1, "{groups:?}");
    assert_eq!(
        lost[0]["scambi"],
        serde_json::json!([given[0].leaf.body.exchange]),
        "{groups:?}"
    );
    assert_eq!(lost[0]["numero"], 1);
}

/// A head of more than 64 KiB is refused as too long, whether all of it fits a buffer or not.
#[test]
fn a_head_that_is_too_long_is_told_so() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let client = site.client(serving.address, "comune");
        for length in [65_000, 66_000, 80_000, 97_000, 200_000] {
            let mut stream = client.connect_raw().await.unwrap();
            let token = "a".repeat(length);
            let head = format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8(answer).unwrap();
            if length == 65_000 {
                assert!(answer.starts_with("HTTP/1.1 415"), "{length}: {answer}");
            } else {
                // hyper reads some of these heads, and others not at all: the client cannot tell which.
                let alike = answer.starts_with("HTTP/1.1 431") && answer.ends_with("\r\n\r\n");
                assert!(alike, "{length}: {answer}");
            }
        }
    });
    serving.stop();
}

/// The refusal of too many header fields names the limit. Integration platforms send a hundred.
#[test]
fn too_many_header_fields_are_told_with_their_limit() {
    let site = Site::new();
    let serving = site.serve();
    let question = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    kit::runtime().block_on(async {
        let client = site.client(serving.address, "comune");
        for (fields, wanted) in [(128, "HTTP/1.1 200"), (129, "HTTP/1.1 431"), (256, "HTTP/1.1 431"), (400, "HTTP/1.1 431")] {
            let mut stream = client.connect_raw().await.unwrap();
            let more: String = (4..fields).map(|number| format!("X-Field-{number}: a\r\n")).collect();
            let head = format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n", question.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            let _ = stream.write_all(question.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            assert!(answer.starts_with(wanted), "{fields}: {answer}");
            // Beyond twice as many the head is not read.
            let told = answer.contains("più di 128 campi di intestazione") && answer.contains("urn:varco:problem:fields");
            assert_eq!(told, (129..=256).contains(&fields), "{fields}: {answer}");
        }
    });
    serving.stop();
}

/// A client may close its half of the connection after its request, by close_notify and FIN or by FIN alone.
#[test]
fn a_client_that_half_closes_gets_its_answer() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let question = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let head = format!(
            "POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            question.len()
        );
        for notified in [true, false] {
            let mut stream = site
                .client(serving.address, "comune")
                .connect_raw()
                .await
                .unwrap();
            stream
                .write_all(format!("{head}{question}").as_bytes())
                .await
                .unwrap();
            stream.flush().await.unwrap();
            if notified {
                stream.shutdown().await.unwrap();
            } else {
                stream.get_mut().0.shutdown().await.unwrap();
            }
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 200") && answer.contains("DATI_NON_TROVATI"),
                "{notified}: {answer}"
            );
        }
        // A request that is cut short is no request, however the connection ends.
        let mut stream = site
            .client(serving.address, "comune")
            .connect_raw()
            .await
            .unwrap();
        stream
            .write_all(format!("{head}{}", &question[..question.len() - 10]).as_bytes())
            .await
            .unwrap();
        stream.flush().await.unwrap();
        stream.get_mut().0.shutdown().await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(!answer.contains("DATI_NON_TROVATI"), "{answer}");
    });
    serving.stop();
    let directory = site.directory();
    let found = find(
        &directory.reader(),
        &Filter {
            kind: Some(Kind::Gathered),
            ..Filter::default()
        },
        usize::MAX,
    )
    .unwrap();
    assert!(found.is_empty(), "it was delivered");
}

#[test]
fn who_is_silent_loses_the_place() {
    let site = Site::new();
    site.configure("[limits]\nconnections = 2\nhandshake_seconds = 1\nhead_seconds = 1\n");
    let serving = site.serve();
    kit::runtime().block_on(async {
        let client = site.client(serving.address, "comune");
        let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let gone = |begun: Instant| (900..4000).contains(&begun.elapsed().as_millis());

        // Silent in the handshake.
        let begun = Instant::now();
        let mut silent = TcpStream::connect(serving.address).await.unwrap();
        assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0);
        assert!(gone(begun), "{:?}", begun.elapsed());

        // Silent after it, in the middle of a head, and between two requests.
        for head in ["", "POST /isee HTTP/1.1\r\nHost: lo"] {
            let begun = Instant::now();
            let mut stream = client.connect_raw().await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            assert!(gone(begun), "{head:?}: {:?}", begun.elapsed());
        }
        let mut live = client.connect().await.unwrap();
        live.call(ISEE, &request).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(
            live.call(ISEE, &request).await.is_err(),
            "an idle connection was kept"
        );

        // Two places, taken by two who say nothing before their handshake is over: the first of them goes.
        let (mut first, mut other) = (
            TcpStream::connect(serving.address).await.unwrap(),
            TcpStream::connect(serving.address).await.unwrap(),
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        assert_eq!(
            element(&client.call(ISEE, &request).await.unwrap(), "Esito"),
            "DATI_NON_TROVATI"
        );
        assert!(
            begun.elapsed() < Duration::from_millis(700),
            "the third waited: {:?}",
            begun.elapsed()
        );
        assert_eq!(first.read(&mut [0; 16]).await.unwrap_or(0), 0);
        assert!(
            begun.elapsed() < Duration::from_millis(700),
            "the first stayed: {:?}",
            begun.elapsed()
        );
        assert_eq!(other.read(&mut [0; 16]).await.unwrap_or(0), 0);

        // Taken by two whose certificate is known: who comes third waits until one of them loses its own.
        let (_one, _two) = (
            client.connect_raw().await.unwrap(),
            client.connect_raw().await.unwrap(),
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        assert_eq!(
            element(&client.call(ISEE, &request).await.unwrap(), "Esito"),
            "DATI_NON_TROVATI"
        );
        assert!(
            begun.elapsed() > Duration::from_millis(500),
            "a third connection had a place: {:?}",
            begun.elapsed()
        );
    });
    serving.stop();
    let refusals = site.refusals();
    assert_eq!(
        (refusals["H04.tempo"], refusals["H07.posto"]),
        (2, 1),
        "{refusals:?}"
    );
}

#[test]
fn a_handshake_that_fails_is_counted_with_its_reason() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let nobody = Client::new(serving.address, &site.home.path().join("pki/ca.pem"), None).unwrap();
        assert!(nobody.call(ISEE, "").await.is_err());
        // Not TLS at all.
        let mut stream = TcpStream::connect(serving.address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        // Gone before a word.
        drop(TcpStream::connect(serving.address).await.unwrap());
    });
    serving.stop();
    let refusals = site.refusals();
    let counted =
        ["H01.senza-certificato", "H03.tls", "H05.interrotto"].map(|code| refusals.get(code).copied());
    assert_eq!(counted, [Some(1), Some(1), Some(1)], "{refusals:?}");
}

#[test]
fn connections_that_wait_in_the_queue_are_counted_by_a_stop() {
    let site = Site::new();
    let serving = site.serve();
    serving.signal("STOP");
    for _ in 0..8 {
        drop(std::net::TcpStream::connect(serving.address).unwrap());
    }
    serving.signal("TERM");
    serving.signal("CONT");
    serving.stop();
    assert_eq!(site.refusals().get("H05.interrotto"), Some(&8));
}

#[test]
fn one_certificate_has_its_own_places_and_no_others() {
    let site = Site::new();
    site.configure("[limits]\nper_certificate = 2\n");
    let serving = site.serve();
    kit::runtime().block_on(async {
        let (comune, caf) = (
            site.client(serving.address, "comune"),
            site.client(serving.address, "caf"),
        );
        let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let mut first = comune.connect().await.unwrap();
        first.call(ISEE, &request).await.unwrap();
        let second = comune.connect_raw().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(
            comune.call(ISEE, &request).await.is_err(),
            "a third connection was served"
        );
        assert!(
            caf.call(ISEE, &request).await.is_ok(),
            "another certificate's place"
        );
        assert!(first.call(ISEE, &request).await.is_ok());
        drop(second);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(
            comune.call(ISEE, &request).await.is_ok(),
            "the place was not given back"
        );
    });
    serving.stop();
    assert_eq!(site.refusals().get("H08.connessioni"), Some(&1));
}

#[test]
fn who_takes_no_replies_loses_the_place() {
    let site = Site::new();
    site.configure("[limits]\nreply_seconds = 1\nhead_seconds = 60\n");
    let serving = site.serve();
    kit::runtime().block_on(async {
        let mut stream = site
            .client(serving.address, "comune")
            .connect_raw()
            .await
            .unwrap();
        // More than what the two ends of a connection hold between them, asked for at once.
        let ask = format!("GET {ISEE}?wsdl HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(1000);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            match tokio::time::timeout(Duration::from_secs(10), stream.write_all(ask.as_bytes())).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => break,
                Err(_) => panic!("nobody hung up"),
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    });
    serving.stop();
}

#[test]
fn the_contract_is_served_with_the_address_that_was_asked() {
    let site = Site::new();
    let serving = site.serve();
    let before = kit::varco(&[
        "ledger",
        "list",
        "--data",
        &site.data().display().to_string(),
        "--json",
    ])
    .0
    .lines()
    .count();
    kit::runtime().block_on(async {
        let get = |path: &str, host: &str| {
            let (client, request) = (
                site.client(serving.address, "comune"),
                hyper::Request::get(path).header("host", host),
            );
            async move {
                client
                    .connect()
                    .await
                    .unwrap()
                    .send(request.body(http_body_util::Full::default()).unwrap())
                    .await
                    .unwrap()
            }
        };
        let wsdl = get(&format!("{ISEE}?wsdl"), "porta.example:443").await;
        assert_eq!(wsdl.status.as_u16(), 200);
        assert!(
            wsdl.text
                .contains("location=\"https://porta.example:443/isee/ConsultazioneISEE/v1\""),
            "{}",
            wsdl.text
        );
        let schema = get(&format!("{}?xsd=ISEE_Dichiarazione.xsd", DSU), "porta.example").await;
        assert!(schema.text.contains("TypeDichiarazione"));
        assert_eq!(
            get(&format!("{ISEE}?xsd=nessuno.xsd"), "porta.example")
                .await
                .status
                .as_u16(),
            405
        );
        assert_eq!(
            get(&format!("{ISEE}?wsdl"), "porta\"><x>").await.status.as_u16(),
            400
        );
        // With the slashes that clients put in twice.
        assert_eq!(
            get("//isee//ConsultazioneISEE/v1/?wsdl", "porta.example:443")
                .await
                .text,
            wsdl.text
        );
        let question = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let answer = site
            .client(serving.address, "comune")
            .call(&format!("{ISEE}/"), &question)
            .await
            .unwrap();
        assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI", "{}", answer.text);
        // HTTP/1.0 without a host; HEAD without a body.
        for (head, length) in [
            (format!("GET {ISEE}?wsdl HTTP/1.0\r\n\r\n"), 1000),
            (
                format!("HEAD {ISEE}?wsdl HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                0,
            ),
        ] {
            let mut stream = site
                .client(serving.address, "comune")
                .connect_raw()
                .await
                .unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            assert!(answer.contains(" 200 OK"), "{answer}");
            let body = answer.split_once("\r\n\r\n").unwrap().1;
            assert!(
                body.len() >= length
                    && (length > 0) == body.contains(&format!("https://{}", serving.address)),
                "{answer}"
            );
        }
    });
    serving.stop();
    let listed = kit::varco(&[
        "ledger",
        "list",
        "--data",
        &site.data().display().to_string(),
        "--json",
    ])
    .0;
    let served = listed
        .lines()
        .skip(before)
        .filter(|line| line.contains("\"kind\":\"exchange\""))
        .count();
    assert_eq!(
        served, 3,
        "the contract is not recorded, the two refusals and the question are"
    );
}

#[test]
fn a_handshake_that_is_refused_costs_little_whatever_comes_with_it() {
    const HANDSHAKES: usize = 100;
    let site = Site::new();
    let (now, authority) = (site.clock.now(), &site.pki.authority);
    let (gone, other) = (
        authority.client("comune").unwrap(),
        authority.client("comune").unwrap(),
    );
    std::fs::write(
        site.home.path().join("pki/crl.pem"),
        authority.crl(&[&gone, &other], 30).unwrap(),
    )
    .unwrap();
    // As many authorities of the same name, each with a key of its own, as a Certificate message has room
    // for.
    let namesakes: String = (0..100)
        .map(|_| TestAuthority::new("Varco demo CA", now).unwrap().pem())
        .collect();
    register(
        &site,
        "revocato",
        &Issued {
            certificate: format!("{}{namesakes}", gone.certificate),
            ..gone
        },
    );
    // The most that are looked at, beside another revoked certificate.
    let few: String = (0..7)
        .map(|_| TestAuthority::new("Varco demo CA", now).unwrap().pem())
        .collect();
    register(
        &site,
        "revocato-pochi",
        &Issued {
            certificate: format!("{}{few}", other.certificate),
            ..other
        },
    );
    let serving = site.serve();
    kit::runtime().block_on(async {
        let (mut costs, mut rest) = (Vec::new(), Vec::new());
        for (name, good) in [("comune", true), ("revocato", false), ("revocato-pochi", false)] {
            let before = serving.cpu();
            for _ in 0..HANDSHAKES {
                let mut stream = site.client(serving.address, name).connect_raw().await.unwrap();
                if good {
                    stream.shutdown().await.unwrap();
                }
                rest.clear();
                let ended = stream.read_to_end(&mut rest).await;
                let alert = ended
                    .as_ref()
                    .is_err_and(|error| error.to_string().contains("received fatal alert"));
                assert!(if good { ended.is_ok() } else { alert }, "{name}: {ended:?}");
            }
            costs.push(serving.cpu() - before);
        }
        // Hundredths of a second: an honest handshake takes a few milliseconds.
        let most = 10 * costs[0].max(10);
        println!("{costs:?}");
        assert!(costs.iter().all(|cost| *cost <= most), "{costs:?}");
    });
    serving.stop();
}

#[test]
fn a_handshake_in_too_many_records_ends() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        // A hello without end: 64 KiB of it by its own word, of which each record has a byte.
        let hello = [&[1, 0, 0xff, 0xf0, 3, 3][..], &[0; 60_000]].concat();
        let (mut input, mut output) = TcpStream::connect(serving.address).await.unwrap().into_split();
        let sent = tokio::spawn(async move {
            let mut sent = 0;
            for byte in hello {
                if output.write_all(&[22, 3, 1, 0, 1, byte]).await.is_err() {
                    break;
                }
                sent += 1;
            }
            sent
        });
        let begun = Instant::now();
        let _ = input.read(&mut [0; 16]).await;
        assert!(begun.elapsed() < Duration::from_secs(3), "nobody hung up");
        drop(input);
        assert!(sent.await.unwrap() < 60_000, "all of it was taken");
    });
    serving.stop();
}
