//! The gateway while it runs, for years: settings that change, service managers, balancers, clocks; and what
//! it tells of itself.

mod mending;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan as _;
use kit::{BENEFIT, ISEE, Serving, Site, binary, element, requests, varco};
use varco::clock::Clock;
use varco::commands::client::Client;
use varco::commands::pki::TestAuthority;
use varco::config::SEGMENT_BYTES;
use varco::gateway::node::Node;
use varco::ledger::disk::RealDisk;
use varco::ledger::search::{Filter, find};
use varco::ledger::{Entry, Keys, Kind, seal};

fn entries(site: &Site, kind: Kind) -> Vec<Entry> {
    let directory = site.directory();
    find(
        &directory.reader(),
        &Filter {
            kind: Some(kind),
            ..Filter::default()
        },
        usize::MAX,
    )
    .unwrap()
}

fn question(site: &Site) -> String {
    requests::indicatore(requests::GIULIA, &site.today(), BENEFIT)
}

fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill")
            .args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// Asks the port of `[admin]`.
fn get(port: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(port).unwrap();
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    // Files of lists are looked at every five seconds.
    for _ in 0..300 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}");
}

#[test]
fn a_reload_changes_all_or_nothing_and_reaches_live_connections() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let serving = site.serve();
    let runtime = kit::runtime();
    let mut live =
        runtime.block_on(async { site.client(serving.address, "comune").connect().await.unwrap() });
    let ask = |live: &mut varco::commands::client::Connected| {
        runtime.block_on(async { live.call(ISEE, &question(&site)).await })
    };
    assert_eq!(element(&ask(&mut live).unwrap(), "Esito"), "DATI_NON_TROVATI");

    // What is wrong changes nothing, and it is said what is wrong.
    let good = std::fs::read_to_string(site.config()).unwrap();
    for (bad, why) in [
        (good.replace("pki/server.key", "pki/comune.key"), "comune.key"),
        (good.replace("pki/ca.pem", "pki/nessuno.pem"), "nessuno.pem"),
        (format!("{good}\n[sconosciuta]\n"), "sconosciuta"),
        (
            good.replace("data = \"data\"", "data = \"altra\""),
            "data: questa modifica richiede un riavvio",
        ),
    ] {
        std::fs::write(site.config(), bad).unwrap();
        let (text, done) = varco(&["reload", "--data", &data]);
        assert!(!done && text.contains(why), "{text}");
        assert_eq!(element(&ask(&mut live).unwrap(), "Esito"), "DATI_NON_TROVATI");
    }
    assert!(
        entries(&site, Kind::Admin).is_empty(),
        "what did not happen was recorded"
    );

    // Another authority: connections of the old one are refused at their next request, and closed; a new
    // certificate of the server's is shown.
    let other = TestAuthority::new("La nuova CA", site.clock.now()).unwrap();
    let server = other.server(&["localhost", "127.0.0.1"]).unwrap();
    let write =
        |name: &str, text: &str| std::fs::write(site.home.path().join("pki").join(name), text).unwrap();
    write("nuova.pem", &other.pem());
    write("nuova.crl", &other.crl(&[], 30).unwrap());
    write("nuovo.pem", &server.certificate);
    write("nuovo.key", &server.key);
    std::fs::set_permissions(
        site.home.path().join("pki/nuovo.key"),
        std::fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let changed = good
        .replace("pki/ca.pem", "pki/nuova.pem")
        .replace("pki/crl.pem", "pki/nuova.crl")
        .replace("pki/server.", "pki/nuovo.");
    std::fs::write(site.config(), changed).unwrap();
    let (text, done) = varco(&["reload", "--data", &data]);
    assert!(done && text.contains("configurazione riletta"), "{text}");
    assert!(ask(&mut live).unwrap().text.contains("Client.Authorization"));
    assert!(ask(&mut live).is_err(), "the connection stayed open");
    let (certificate, key) = site.pem("comune");
    let refused = Client::new(
        serving.address,
        &site.home.path().join("pki/nuova.pem"),
        Some((&certificate, &key)),
    )
    .unwrap();
    assert!(
        runtime.block_on(refused.call(ISEE, &question(&site))).is_err(),
        "a client of an authority that is not trusted any more"
    );

    // And back, by a signal.
    std::fs::write(site.config(), good).unwrap();
    signal(&serving.child, "-HUP");
    until("the signal did nothing", || {
        runtime
            .block_on(
                site.client(serving.address, "comune")
                    .call(ISEE, &question(&site)),
            )
            .is_ok()
    });
    let reloads = entries(&site, Kind::Admin);
    assert_eq!(reloads.len(), 2);
    let facts = &reloads[0].leaf.body.facts;
    assert!(
        facts["actor"]["uid"].is_number()
            && facts["impostazioni"]["configurazione"].as_str().unwrap().len() == 64,
        "{facts:?}"
    );
    assert_ne!(
        facts["impostazioni"]["server"],
        reloads[1].leaf.body.facts["impostazioni"]["server"]
    );
    serving.stop();
    assert!(!varco(&["reload", "--data", &data]).1, "nobody was there");
}

#[test]
fn a_list_in_its_grace_is_recorded_and_after_it_nobody_gets_in() {
    let site = Site::new();
    let list = site.home.path().join("pki/crl.pem");
    std::fs::write(&list, site.pki.authority.crl(&[], 0).unwrap()).unwrap();
    let serving = site.serve();
    let ask = || {
        kit::runtime().block_on(async {
            site.client(serving.address, "comune")
                .call(ISEE, &question(&site))
                .await
        })
    };
    std::thread::sleep(Duration::from_millis(1100));
    assert!(ask().is_err(), "a stale list let somebody in");
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    // Who looks is told what is true: of now, and of the configuration as it would be.
    let told = || {
        [
            varco(&["status", "--data", &data]).0,
            varco(&["check-config", "--config", &config]).0,
        ]
    };
    for text in told() {
        assert!(
            text.contains("chi ne dipende non entra") && !text.contains("entra fino al"),
            "{text}"
        );
    }
    let good = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(
        site.config(),
        good.replace("[tls]\n", "[tls]\ncrl_grace_hours = 2\n"),
    )
    .unwrap();
    let (text, done) = varco(&["reload", "--data", &site.data().display().to_string()]);
    assert!(done, "{text}");
    assert_eq!(element(&ask().unwrap(), "Esito"), "DATI_NON_TROVATI");
    for text in told() {
        assert!(
            text.contains("una lista di revoca è scaduta: chi ne dipende entra fino al")
                && !text.contains("non entra"),
            "{text}"
        );
    }
    serving.stop();
    let exchange = entries(&site, Kind::Exchange).pop().unwrap();
    assert_eq!(
        exchange.leaf.body.facts.get("crl_scaduta"),
        Some(&serde_json::Value::Bool(true))
    );
}

#[test]
fn a_file_of_lists_that_cannot_be_read_stops_no_other_and_is_said() {
    let site = Site::new();
    let (data, first, second) = (
        site.data().display().to_string(),
        site.home.path().join("pki/crl.pem"),
        site.home.path().join("pki/altra.crl"),
    );
    let other = TestAuthority::new("Altra CA", site.clock.now()).unwrap();
    let both = std::fs::read_to_string(site.home.path().join("pki/ca.pem")).unwrap() + &other.pem();
    std::fs::write(site.home.path().join("pki/both.pem"), both).unwrap();
    let list = other.crl(&[], 30).unwrap();
    std::fs::write(&second, &list).unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let text = text.replace(
        "client_authorities = \"pki/ca.pem\"",
        "client_authorities = \"pki/both.pem\"",
    );
    std::fs::write(
        site.config(),
        text.replace("[\"pki/crl.pem\"]", "[\"pki/altra.crl\", \"pki/crl.pem\"]"),
    )
    .unwrap();
    let enrolled = other.client("comune").unwrap();
    let certificato = varco::commands::demo::accreditamento::pinned(&enrolled.fingerprint);
    site.act(varco::registry::administration::Command::AggiungiCertificato {
        codice: "comune".to_owned(),
        certificato,
    });
    let (certificate, key) = site.pem("altro");
    std::fs::write(&certificate, &enrolled.certificate).unwrap();
    std::fs::write(&key, &enrolled.key).unwrap();
    let serving = site.serve();
    let ask =
        |name: &str| kit::runtime().block_on(site.client(serving.address, name).call(ISEE, &question(&site)));
    let status = || varco(&["status", "--data", &data]).0;
    let metric = || {
        let mut socket = std::os::unix::net::UnixStream::connect(site.data().join("admin.sock")).unwrap();
        write!(
            socket,
            "GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        text.lines()
            .find_map(|line| line.strip_prefix("varco_crl_unreadable_files "))
            .map(str::to_owned)
    };
    assert!(
        ask("altro").is_ok()
            && ask("comune").is_ok()
            && !status().contains("altra.crl")
            && metric().as_deref() == Some("0")
    );

    // One is spoiled, and the other, which comes after it, revokes somebody.
    std::fs::write(&second, &list[..list.len() / 2]).unwrap();
    std::fs::write(&first, site.pki.authority.crl(&[&site.pki.comune], 30).unwrap()).unwrap();
    until("the good list was not read", || ask("comune").is_err());
    until("nothing was said", || {
        status().contains("altra.crl non viene letto, non è una lista di revoca leggibile")
    });
    assert_eq!(metric().as_deref(), Some("1"));
    assert!(ask("altro").is_ok(), "what was known of the file that is spoiled");
    serving.logged(&["altra.crl", "not a certificate revocation list"]);
    // All of it is checked where it is put in force whole.
    let (text, done) = varco(&["reload", "--data", &data]);
    assert!(!done && text.contains("altra.crl"), "{text}");
    let (text, done) = varco(&["check-config", "--config", &site.config().display().to_string()]);
    assert!(!done && text.contains("altra.crl"), "{text}");
    assert!(ask("altro").is_ok());

    std::fs::write(&second, &list).unwrap();
    until("it is good again", || !status().contains("altra.crl"));
    assert_eq!(metric().as_deref(), Some("0"));
    serving.stop();
}

#[test]
fn a_configuration_is_checked_and_a_gateway_tells_how_it_is() {
    let site = Site::new();
    let (data, config) = (
        site.data().display().to_string(),
        site.config().display().to_string(),
    );
    let (text, done) = varco(&["check-config", "--config", &config]);
    assert!(done && text.contains("la configurazione va bene"), "{text}");
    assert!(!varco(&["status", "--data", &data]).1, "nobody serves");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    site.configure(&format!("[admin]\nlisten = \"{port}\"\n"));
    let serving = site.serve();
    kit::runtime().block_on(async {
        site.client(serving.address, "comune")
            .call(ISEE, &question(&site))
            .await
            .unwrap()
    });
    let (text, done) = varco(&["status", "--data", &data]);
    assert!(
        done && text.contains(&serving.address.to_string()) && text.contains("2 accreditato, 1 sospeso"),
        "{text}"
    );
    let status: serde_json::Value =
        serde_json::from_str(&varco(&["status", "--data", &data, "--json"]).0).unwrap();
    assert_eq!(status["stato_registro"], "scrivibile");
    assert!(status["spazio_libero"].as_u64().unwrap() > 0, "{status}");
    let get = |path: &str| get(port, path);
    assert!(get("/live").starts_with("HTTP/1.1 200") && get("/ready").starts_with("HTTP/1.1 200"));
    let metrics = get("/metrics");
    for line in [
        "varco_exchanges_total{ente=\"comune\",operation=\"ConsultazioneIndicatore\",outcome=\"DATI_NON_TROVATI\"} 1",
        "varco_exchange_seconds_count{step=\"record\"} 1",
        "varco_ledger_writable 1",
        "varco_data_free_bytes ",
        "varco_ledger_append_seconds_count",
        "pki/server.pem\"} ",
        "varco_crl_expiry_timestamp 1",
        "varco_day_used{ente=\"comune\",what=\"exchanges\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains(requests::GIULIA));
    assert!(
        get("/enti").starts_with("HTTP/1.1 404"),
        "the port tells about enti"
    );
    serving.stop();
    // What is wrong, all of it.
    for (bad, why) in [
        (
            "[admin]\nlisten = \"0.0.0.0:9443\"\n",
            "serve un indirizzo di loopback",
        ),
        ("[limits]\nlot_bytes = 999999999\n", "limits.lot_bytes"),
        ("[proxy]\nfrom = [\"balancer\"]\n", "non è un indirizzo IP"),
        // It follows on [tls].
        ("ocsp_max_age_hours = 0\n", "tls.ocsp_max_age_hours: almeno 1"),
    ] {
        site.configure(bad);
        let (text, done) = varco(&["check-config", "--config", &config]);
        assert!(!done && text.contains(why), "{text}");
    }
}

/// Starts the real binary on a socket that is bound already, as a service manager does: file descriptor 3,
/// and whose it is. The log goes where it stalls, where there is no room, where nobody is any more: every
/// exchange is answered, and the gateway still stops.
#[test]
fn a_log_that_cannot_be_written_costs_nobody_an_answer() {
    let site = Site::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    site.configure(&format!("[admin]\nlisten = \"{port}\"\n"));
    let fifo = site.home.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Open at both ends, and never read: it holds 64 KiB.
    let stalled = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&fifo)
        .unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (reader, dead) = std::io::pipe().unwrap();
    drop(reader);
    for (name, errors, exchanges) in [
        ("stalled", Stdio::from(stalled), 400),
        ("full", full.into(), 20),
        ("dead", dead.into(), 20),
    ] {
        let serving = Serving::start_with(&site.config(), errors);
        kit::runtime().block_on(async {
            let mut client = site.client(serving.address, "comune").connect().await.unwrap();
            for exchange in 0..exchanges {
                let answer = client.call(ISEE, &question(&site)).await.unwrap();
                assert_eq!(
                    (answer.status.as_u16(), element(&answer, "Esito")),
                    (200, "DATI_NON_TROVATI"),
                    "{name} {exchange}"
                );
            }
        });
        assert!(get(port, "/live").starts_with("HTTP/1.1 200"), "{name}");
        let metrics = get(port, "/metrics");
        let lost = metrics
            .lines()
            .find_map(|line| line.strip_prefix("varco_log_lines_lost_total "))
            .unwrap()
            .parse::<u32>()
            .unwrap();
        assert!(
            if name == "stalled" { lost == 0 } else { lost >= 20 },
            "{name}: {lost} lines lost"
        );
        serving.stop();
    }
    let answered = entries(&site, Kind::Exchange).len();
    assert_eq!(answered, 440);
    // There is no way at all: it says so by its end alone, and is no panic (101).
    let wrong = site.home.path().join("nowhere.toml");
    for full in [
        Stdio::null(),
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into(),
    ] {
        let status = Command::new(binary())
            .args(["serve", "--config"])
            .arg(&wrong)
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(2));
    }
}

fn activated(site: &Site, socket: &TcpListener, notify: &std::path::Path) -> Child {
    let script = "exec 3<&0 </dev/null; exec env LISTEN_PID=$$ LISTEN_FDS=1 \"$0\" serve --config \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(binary())
        .arg(site.config())
        .env("NOTIFY_SOCKET", notify)
        .env("WATCHDOG_USEC", "600000")
        .env("CREDENTIALS_DIRECTORY", site.home.path().join("pki"))
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(
            socket.try_clone().unwrap(),
        )))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    assert!(
        first.contains(&socket.local_addr().unwrap().port().to_string()),
        "{first}"
    );
    child
}

#[test]
fn a_service_manager_gives_the_socket_and_the_key_and_is_told() {
    let site = Site::new();
    let good = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(
        site.config(),
        good.replace("pki/server.key", "$CREDENTIALS_DIRECTORY/server.key"),
    )
    .unwrap();
    let path = site.home.path().join("notify");
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let told = || {
        let mut bytes = [0; 256];
        let length = notify.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    };
    let told = || loop {
        let text = told();
        // While it starts it asks for time.
        if !text.starts_with("EXTEND_TIMEOUT_USEC=") {
            break text;
        }
    };
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut child = activated(&site, &socket, &path);
    assert_eq!(told(), "READY=1");
    assert_eq!(told(), "WATCHDOG=1");
    assert_eq!(told(), "WATCHDOG=1", "the watchdog was answered once");
    let ask = |address: SocketAddr| {
        kit::runtime().block_on(site.client(address, "comune").call(ISEE, &question(&site)))
    };
    assert_eq!(element(&ask(address).unwrap(), "Esito"), "DATI_NON_TROVATI");
    signal(&child, "-TERM");
    while told() != "STOPPING=1" {}
    assert!(child.wait().unwrap().success());
    // Who comes in between waits, and is answered by the next.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(address));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished());
        child = activated(&site, &socket, &path);
        assert_eq!(
            element(&waiting.join().unwrap().unwrap(), "Esito"),
            "DATI_NON_TROVATI"
        );
    });
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_balancer_says_where_a_connection_comes_from() {
    let site = Site::new();
    site.configure("[proxy]\nfrom = [\"127.0.0.1\"]\n\n[ledger]\ngathered_seconds = 1\n");
    let serving = site.serve();
    // Without the header nobody gets through; with it the source is the client's.
    assert!(
        kit::runtime()
            .block_on(
                site.client(serving.address, "comune")
                    .call(ISEE, &question(&site))
            )
            .is_err()
    );
    let balancer = TcpListener::bind("127.0.0.1:0").unwrap();
    let (front, back) = (balancer.local_addr().unwrap(), serving.address);
    let passing = std::thread::spawn(move || {
        let (mut client, _) = balancer.accept().unwrap();
        let mut server = TcpStream::connect(back).unwrap();
        server
            .write_all(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x9c\x40\x20\xfb")
            .unwrap();
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            to_server.shutdown(std::net::Shutdown::Write)
        });
        let _ = std::io::copy(&mut server, &mut client);
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = up.join();
    });
    let answer = kit::runtime()
        .block_on(site.client(front, "comune").call(ISEE, &question(&site)))
        .unwrap();
    assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI");
    passing.join().unwrap();
    std::thread::sleep(Duration::from_millis(1300));
    serving.stop();
    let keys = Keys::open(&site.directory().keys(), true).unwrap();
    let exchange = entries(&site, Kind::Exchange).pop().unwrap();
    let (_, secret) = seal::open(&keys, &exchange.leaf, &exchange.sealed).unwrap();
    assert_eq!(secret.address.as_deref(), Some("192.0.2.7"));
    let gathered = entries(&site, Kind::Gathered)
        .iter()
        .map(|entry| entry.leaf.body.facts["gruppi"].to_string())
        .collect::<String>();
    assert!(gathered.contains("H09.proxy"), "{gathered}");
}

#[test]
fn a_clock_far_behind_the_last_entry_opens_nothing() {
    let site = Site::new();
    let open = |clock: &Clock| Node::open(&site.directory(), clock, Arc::new(RealDisk), SEGMENT_BYTES);
    let error = open(&Clock::fixed(site.clock.now() - 1.hour()))
        .map(|node| node.close())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("molto indietro rispetto all'ultima voce"),
        "{error}"
    );
    open(&Clock::fixed(site.clock.now() - 10.seconds()))
        .unwrap()
        .close();
}
