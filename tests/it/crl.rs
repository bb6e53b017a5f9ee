//! `varco crl fetch` against a server of the tests' own: which lists take the place of those that are there,
//! and which do not.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kit::{BENEFIT, ISEE, Site, requests, varco};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, DnType, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use tempfile::TempDir;
use varco::commands::pki::offset;

/// What a server answers.
#[derive(Clone)]
enum Reply {
    Body(Vec<u8>),
    Status(&'static str),
    /// Part of what it promises.
    Part(Vec<u8>, usize),
    /// Says that it is so long.
    Promise(usize),
    /// Goes on without end, and without saying how long it is.
    Endless,
    /// Goes on, a byte at a time.
    Drip,
}

#[derive(Clone, Default)]
struct Replies(Arc<Mutex<HashMap<String, Reply>>>);

impl Replies {
    fn set(&self, path: &str, reply: Reply) {
        self.0.lock().unwrap().insert(path.to_owned(), reply);
    }
}

/// A server on a port that the system gives.
fn server() -> (SocketAddr, Replies) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, replies) = (listener.local_addr().unwrap(), Replies::default());
    let known = replies.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let known = known.clone();
            std::thread::spawn(move || drop(serve(stream.unwrap(), &known)));
        }
    });
    (address, replies)
}

fn serve(mut stream: TcpStream, replies: &Replies) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap()?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = first.split(' ').nth(1).unwrap();
    let reply = replies
        .0
        .lock()
        .unwrap()
        .get(path)
        .cloned()
        .unwrap_or(Reply::Status("404 Not Found"));
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    match reply {
        Reply::Status(status) => write!(
            stream,
            "HTTP/1.1 {status}\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"
        ),
        Reply::Body(body) => stream.write_all(&[head(body.len()).as_bytes(), &body].concat()),
        Reply::Part(body, length) => {
            stream.write_all(&[head(body.len()).as_bytes(), &body[..length]].concat())
        }
        Reply::Promise(length) => {
            stream.write_all(head(length).as_bytes())?;
            // Nothing else comes: who waits for it would wait for long.
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let block = vec![0x30; 1 << 20];
            loop {
                stream.write_all(&block)?;
            }
        }
        Reply::Drip => {
            stream.write_all(head(1000).as_bytes())?;
            loop {
                stream.write_all(b"0")?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Signs lists.
struct Lister {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A list: from and until in seconds from now, number, how many are on it.
#[derive(Clone, Copy)]
struct List {
    from: i64,
    until: i64,
    number: u64,
    listed: u64,
    /// Of users' certificates only: a critical extension says so.
    partial: bool,
}

const GOOD: List = List {
    from: -600,
    until: 86_400,
    number: 10,
    listed: 3,
    partial: false,
};

impl Lister {
    fn new(name: &str) -> Self {
        let now = kit::now();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) =
            (offset(now, -86_400).unwrap(), offset(now, 86_400 * 30).unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn sign(&self, list: List) -> rcgen::CertificateRevocationList {
        let now = kit::now();
        let point = CrlDistributionPoint {
            uris: vec!["http://crl.example/users.crl".to_owned()],
        };
        let entry = |serial: u64| RevokedCertParams {
            serial_number: SerialNumber::from(serial + 1),
            revocation_time: offset(now, -900).unwrap(),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: offset(now, list.from).unwrap(),
            next_update: offset(now, list.until).unwrap(),
            crl_number: SerialNumber::from(list.number),
            issuing_distribution_point: list.partial.then_some(CrlIssuingDistributionPoint {
                distribution_point: point,
                scope: Some(CrlScope::UserCertsOnly),
            }),
            revoked_certs: (0..list.listed).map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap()
    }

    fn der(&self, list: List) -> Vec<u8> {
        self.sign(list).der().to_vec()
    }

    fn pem(&self, list: List) -> Vec<u8> {
        self.sign(list).pem().unwrap().into_bytes()
    }
}

/// A configuration with two authorities, and a list of each that comes from a server.
struct Bench {
    home: TempDir,
    replies: Replies,
    first: Lister,
    second: Lister,
}

impl Bench {
    fn new() -> Self {
        let (address, replies) = server();
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (Lister::new("Prima"), Lister::new("Seconda"));
        std::fs::create_dir(home.path().join("crl")).unwrap();
        std::fs::write(home.path().join("ca.pem"), &first.pem).unwrap();
        std::fs::write(home.path().join("issuers.pem"), &second.pem).unwrap();
        let bench = Self {
            home,
            replies,
            first,
            second,
        };
        bench.configure(&format!(
            "[[tls.crl_source]]\nurl = \"http://{address}/first\"\nfile = \"crl/first.crl\"\n\n\
             [[tls.crl_source]]\nurl = \"http://localhost:{}/second?x=1\"\nfile = \"crl/second.crl\"\n",
            address.port()
        ));
        bench
    }

    fn configure(&self, sources: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\n\n[tls]\ncertificate = \"none.pem\"\nkey = \"none.key\"\n\
             client_authorities = \"ca.pem\"\ncrl_issuers = \"issuers.pem\"\n\
             crl = [\"crl/first.crl\", \"crl/second.crl\"]\n\n{sources}"
        );
        std::fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("varco.toml")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join("crl").join(name)
    }

    fn fetch(&self, more: &[&str]) -> (String, bool) {
        let config = self.config().display().to_string();
        varco(&[&["crl", "fetch", "--config", &config], more].concat())
    }
}

#[test]
fn good_lists_are_put_in_place_and_read_as_they_are() {
    let bench = Bench::new();
    let (first, second) = (bench.first.der(GOOD), bench.second.pem(GOOD));
    bench.replies.set("/first", Reply::Body(first.clone()));
    bench.replies.set("/second?x=1", Reply::Body(second.clone()));
    let (told, done) = bench.fetch(&[]);
    assert!(
        done && told.matches("aggiornata, 3 revocati").count() == 2,
        "{told}"
    );
    assert_eq!(
        (
            std::fs::read(bench.file("first.crl")).unwrap(),
            std::fs::read(bench.file("second.crl")).unwrap()
        ),
        (first, second)
    );
    let written = std::fs::metadata(bench.file("first.crl"))
        .unwrap()
        .modified()
        .unwrap();
    // The same again; and a later one, which is longer.
    bench.replies.set(
        "/second?x=1",
        Reply::Body(bench.second.pem(List {
            from: -60,
            number: 11,
            listed: 4,
            ..GOOD
        })),
    );
    let (told, done) = bench.fetch(&["--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert!(
        done && told[0]["esito"] == "invariata"
            && told[1]["esito"] == "aggiornata"
            && told[1]["revocati"] == 4,
        "{told}"
    );
    assert_eq!(
        std::fs::metadata(bench.file("first.crl"))
            .unwrap()
            .modified()
            .unwrap(),
        written,
        "written again"
    );
    let left: Vec<_> = std::fs::read_dir(bench.file(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_list_that_is_not_good_leaves_the_one_in_place_and_stops_no_other() {
    let bench = Bench::new();
    let stranger = Lister::new("Prima");
    let place = bench.first.pem(GOOD);
    let (first, second) = (bench.file("first.crl"), bench.file("second.crl"));
    let good = bench.first.der(GOOD);
    let mut spoiled = good.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    let body = |list: List| Reply::Body(bench.first.der(list));
    let cases = [
        (
            "stale",
            body(List {
                from: -7200,
                until: -1,
                ..GOOD
            }),
            "scaduta",
        ),
        ("of the future", body(List { from: 600, ..GOOD }), "nel futuro"),
        (
            "foreign",
            Reply::Body(stranger.der(GOOD)),
            "nessuna delle autorità",
        ),
        (
            "another authority's",
            Reply::Body(bench.second.der(GOOD)),
            "manca la lista",
        ),
        ("a bit wrong", Reply::Body(spoiled), "nessuna delle autorità"),
        (
            "bytes after it",
            Reply::Body([good.as_slice(), b"0"].concat()),
            "nessuna delle autorità",
        ),
        (
            "critical extension",
            body(List {
                partial: true,
                ..GOOD
            }),
            "parziale",
        ),
        ("older", body(List { from: -660, ..GOOD }), "più vecchia"),
        (
            "older by its number",
            body(List {
                number: 9,
                from: -1,
                ..GOOD
            }),
            "più vecchia",
        ),
        (
            "cut short, and said whole",
            Reply::Body(good[..good.len() - 20].to_vec()),
            "non è una lista",
        ),
        (
            "cut short",
            Reply::Part(good.clone(), good.len() - 20),
            "interrotta",
        ),
        (
            "PEM cut short",
            Reply::Body(place[..place.len() - 40].to_vec()),
            "non è una lista",
        ),
        ("nothing", Reply::Body(Vec::new()), "non è una lista"),
        (
            "PEM of something else",
            Reply::Body(bench.first.pem.clone().into_bytes()),
            "non è una lista",
        ),
        (
            "a page",
            Reply::Body(b"<html>manutenzione</html>".to_vec()),
            "non è una lista",
        ),
        (
            "too large, as it says",
            Reply::Promise((64 << 20) + 1),
            "più grande di 64 MiB",
        ),
        ("too large", Reply::Endless, "più grande di 64 MiB"),
        ("not there", Reply::Status("404 Not Found"), "HTTP 404"),
        ("elsewhere", Reply::Status("302 Found"), "rimanda altrove"),
        ("nothing to see", Reply::Status("204 No Content"), "HTTP 204"),
        ("slow", Reply::Drip, "non finita in 3 secondi"),
    ];
    for (number, (name, reply, why)) in cases.into_iter().enumerate() {
        std::fs::write(&first, &place).unwrap();
        bench.replies.set("/first", reply);
        // Each time another one is there for the second.
        let other = bench.second.der(List {
            number: 100 + number as u64,
            from: -300 + number as i64,
            ..GOOD
        });
        bench.replies.set("/second?x=1", Reply::Body(other.clone()));
        let begun = Instant::now();
        let (told, done) = bench.fetch(&["--secondi", if why.contains("3 secondi") { "3" } else { "30" }]);
        assert!(
            !done && told.contains("NON scaricata") && told.contains(why) && told.contains("1 su 2"),
            "{name}: {told}"
        );
        assert!(
            begun.elapsed() < Duration::from_secs(25),
            "{name}: {:?}",
            begun.elapsed()
        );
        assert_eq!(
            std::fs::read(&first).unwrap(),
            place,
            "{name}: the list in place was touched"
        );
        assert_eq!(
            std::fs::read(&second).unwrap(),
            other,
            "{name}: the other list was not put in place"
        );
    }
    // Nobody listens: the port is free again.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bench.configure(&format!(
        "[[tls.crl_source]]\nurl = \"http://{free}/\"\nfile = \"crl/first.crl\"\n"
    ));
    let (told, done) = bench.fetch(&["--json"]);
    assert!(
        !done && told.contains("\"rifiutata\"") && told.contains("non raggiungibile"),
        "{told}"
    );
    // What is in place and would not be loaded is no measure.
    let (address, replies) = server();
    replies.set("/", Reply::Body(good.clone()));
    bench.configure(&format!(
        "[[tls.crl_source]]\nurl = \"http://{address}/\"\nfile = \"crl/first.crl\"\n"
    ));
    for place in [
        b"half a li".to_vec(),
        stranger.der(List {
            number: 99,
            from: -1,
            ..GOOD
        }),
        bench.first.der(List {
            from: -1200,
            listed: 2,
            ..GOOD
        }),
    ] {
        std::fs::write(&first, &place).unwrap();
        let (told, done) = bench.fetch(&[]);
        assert!(done && std::fs::read(&first).unwrap() == good, "{told}");
    }
}

#[test]
fn another_key_of_the_same_name_does_not_stand_in_for_the_one_in_place() {
    let bench = Bench::new();
    let renewed = Lister::new("Prima");
    std::fs::write(
        bench.home.path().join("ca.pem"),
        [bench.first.pem.as_str(), &renewed.pem].concat(),
    )
    .unwrap();
    let (place, later) = (
        bench.first.pem(GOOD),
        List {
            from: -60,
            number: 11,
            listed: 0,
            ..GOOD
        },
    );
    std::fs::write(bench.file("first.crl"), &place).unwrap();
    bench
        .replies
        .set("/second?x=1", Reply::Body(bench.second.der(GOOD)));
    bench.replies.set("/first", Reply::Body(renewed.pem(later)));
    let (told, done) = bench.fetch(&[]);
    assert!(
        !done && told.contains("manca la lista di un'autorità (o di una sua chiave)"),
        "{told}"
    );
    assert_eq!(std::fs::read(bench.file("first.crl")).unwrap(), place);
    // The lists of both keys; and each is measured by its own.
    bench.replies.set(
        "/first",
        Reply::Body([renewed.pem(later), bench.first.pem(GOOD)].concat()),
    );
    let (told, done) = bench.fetch(&[]);
    assert!(done && told.contains("aggiornata, 3 revocati"), "{told}");
    bench.replies.set(
        "/first",
        Reply::Body(
            [
                renewed.pem(later),
                bench.first.pem(List {
                    number: 9,
                    from: -30,
                    ..GOOD
                }),
            ]
            .concat(),
        ),
    );
    let (told, done) = bench.fetch(&[]);
    assert!(!done && told.contains("più vecchia"), "{told}");
}

#[test]
fn the_service_of_systemd_needs_no_secret_of_the_gateway() {
    let bench = Bench::new();
    bench.replies.set("/first", Reply::Body(bench.first.der(GOOD)));
    bench
        .replies
        .set("/second?x=1", Reply::Body(bench.second.der(GOOD)));
    let text = std::fs::read_to_string(bench.config())
        .unwrap()
        .replace("none.key", "$CREDENTIALS_DIRECTORY/server.key");
    std::fs::write(bench.config(), text).unwrap();
    let (said, done) = bench.fetch(&[]);
    assert!(done, "{said}");
}

#[test]
fn a_source_is_of_plain_http_and_for_a_list_that_is_read() {
    let bench = Bench::new();
    let source = |url: &str, file: &str| format!("[[tls.crl_source]]\nurl = \"{url}\"\nfile = \"{file}\"\n");
    let twice =
        source("http://a.example/1", "crl/first.crl") + &source("http://a.example/2", "crl/first.crl");
    for (sources, why) in [
        (
            source("https://a.example/1", "crl/first.crl"),
            "serve un indirizzo http://",
        ),
        (
            source("http://a.example/1", "crl/third.crl"),
            "non è tra quelli di tls.crl",
        ),
        (twice, "ha già una fonte"),
        (String::new(), "nessuna [[tls.crl_source]]"),
        (
            source("http://user@127.0.0.1:1/1", "crl/first.crl"),
            "credenziali",
        ),
    ] {
        bench.configure(&sources);
        let (told, done) = bench.fetch(&[]);
        assert!(!done && told.contains(why), "{told}");
    }
}

#[test]
fn a_gateway_that_runs_reads_what_was_fetched() {
    let site = Site::new();
    let (address, replies) = server();
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(
        site.config(),
        format!("{text}[[tls.crl_source]]\nurl = \"http://{address}/\"\nfile = \"pki/crl.pem\"\n"),
    )
    .unwrap();
    let serving = site.serve();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let comune = || kit::runtime().block_on(site.client(serving.address, "comune").call(ISEE, &request));
    assert!(comune().is_ok());
    replies.set(
        "/",
        Reply::Body(
            site.pki
                .authority
                .crl(&[&site.pki.comune], 30)
                .unwrap()
                .into_bytes(),
        ),
    );
    let (told, done) = varco(&["crl", "fetch", "--config", &site.config().display().to_string()]);
    assert!(done && told.contains("aggiornata, 1 revocati"), "{told}");
    let begun = Instant::now();
    while comune().is_ok() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the list was not read again"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    serving.stop();
}
