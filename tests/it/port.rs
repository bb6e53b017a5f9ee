//! The real port: every row of the table of faults is provoked, equal transmissions meet, the contract is
//! served.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use kit::{BENEFIT, DSU, ISEE, Serving, Site, element, payload, requests};
use varco::commands::client::{Answer, Client};
use varco::commands::serve::start_on;
use varco::config::Config;
use varco::gateway::fault::{CODES, row};
use varco::isee::CodiceFiscale;
use varco::isee::codes::TipoOperazione;
use varco::ledger::disk::{Disk, DiskFile, RealDisk};
use varco::ledger::search::{Filter, find};
use varco::ledger::{Entry, Kind};
use varco::refusal::Code;
use varco::registry::abilitazione::Periodo;
use varco::registry::administration::Command as Act;
use varco::registry::ente::Ufficio;
use varco::registry::quota::Quote;
use varco::xml::{DocumentLimits, parse};

fn request(path: &str) -> hyper::http::request::Builder {
    Request::post(path)
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", "")
}

async fn send(client: &Client, builder: hyper::http::request::Builder, body: impl Into<Bytes>) -> Answer {
    client
        .connect()
        .await
        .unwrap()
        .send(builder.body(Full::new(body.into())).unwrap())
        .await
        .unwrap()
}

/// Carries out a command on a thread of its own: what the command does, it waits for.
fn act_apart(site: &Site, command: Act) {
    std::thread::scope(|scope| scope.spawn(|| site.act(command)).join().unwrap());
}

/// A fault is what the table says of its code, whole: status, faultcode, faultstring, problem.
fn assert_row(answer: &Answer, code: Code) {
    let row = row(code);
    assert_eq!(answer.status, row.http, "{code:?}: {}", answer.text);
    assert_eq!(
        element(answer, "faultcode"),
        format!("SOAP-ENV:{}", row.faultcode),
        "{code:?}"
    );
    assert_eq!(element(answer, "faultstring"), row.faultstring, "{code:?}");
    assert_eq!(element(answer, "status"), row.status.to_string(), "{code:?}");
    assert_eq!(
        element(answer, "type"),
        format!("urn:varco:problem:{}", row.slug),
        "{code:?}"
    );
    assert!(
        element(answer, "detail").contains(row.detail),
        "{code:?}: {}",
        answer.text
    );
    assert_eq!(
        element(answer, "instance"),
        format!("urn:uuid:{}", answer.exchange.as_ref().unwrap()),
        "{code:?}"
    );
    parse(&answer.text, &DocumentLimits::default()).unwrap();
}

fn entries(site: &Site) -> Vec<Entry> {
    let directory = site.directory();
    find(&directory.reader(), &Filter::default(), usize::MAX).unwrap()
}

#[test]
fn every_row_of_the_table_of_faults_is_provoked_and_recorded() {
    let site = Site::new();
    site.configure(
        "[limits]\nbody_seconds = 1\nbody_bytes = 100000\nper_ente = 2\n\n[ledger]\ngathered_seconds = 1\n",
    );
    let serving = site.serve();
    let mut provoked: HashMap<Code, Answer> = HashMap::new();
    kit::runtime().block_on(async {
        let (comune, caf, sospeso) = (site.client(serving.address, "comune"), site.client(serving.address, "caf"), site.client(serving.address, "sospeso"));
        let today = site.today();
        let good = requests::indicatore(requests::GIULIA, &today, BENEFIT);
        let mut provoke = |code, answer: Answer| {
            assert_row(&answer, code);
            provoked.insert(code, answer);
        };
        provoke(Code::NotAuthorized, sospeso.call(ISEE, &good).await.unwrap());
        provoke(Code::OperationNotGranted, caf.call(ISEE, &good).await.unwrap());
        let identity = "<s:Header><Identity xmlns='http://inps.it/'><UserId xmlns=''>x</UserId><CodiceUfficio xmlns=''>1</CodiceUfficio><CodiceEnte xmlns=''>altro</CodiceEnte></Identity></s:Header><s:Body>";
        provoke(Code::IdentityMismatch, comune.call(ISEE, &good.replacen("<s:Body>", identity, 1)).await.unwrap());
        let own = identity.replace("altro", "comune");
        assert_eq!(element(&comune.call(ISEE, &good.replacen("<s:Body>", &own, 1)).await.unwrap(), "Esito"), "DATI_NON_TROVATI");
        // An office is asked for where the ente's are obligatory; a quota is one ente's.
        let strict = |codice: &str| {
            let site = &site;
            let codice = codice.to_owned();
            let ufficio = Ufficio { codice: "U1".to_owned(), denominazione: None, periodo: Periodo::default() };
            act_apart(site, Act::Ufficio { codice: codice.clone(), ufficio });
            act_apart(site, Act::UfficiObbligatori { codice, obbligatori: true });
        };
        strict("caf");
        let status = requests::trasmissione(&requests::dsu("CAF2", &today));
        provoke(Code::Office, caf.call(DSU, &status).await.unwrap());
        let from = |office: &str| status.replacen("<s:Body>", &own.replace("comune", "caf").replace(">1<", &format!(">{office}<")), 1);
        assert_row(&caf.call(DSU, &from("U2")).await.unwrap(), Code::Office);
        assert_eq!(element(&caf.call(DSU, &from("U1")).await.unwrap(), "Esito"), "OK");
        act_apart(&site, Act::UfficiObbligatori { codice: "caf".to_owned(), obbligatori: false });
        let quota = |al_giorno| Act::Quota { codice: "caf".to_owned(), quote: Quote { al_giorno, ..Quote::default() }, operatore: false };
        act_apart(&site, quota(Some(1)));
        provoke(Code::Quota, caf.call(DSU, &status).await.unwrap());
        act_apart(&site, quota(None));
        provoke(Code::NotFound, comune.call("/altro", &good).await.unwrap());
        provoke(Code::MethodNotAllowed, send(&comune, Request::put(ISEE), "").await);
        provoke(Code::Malformed, send(&comune, request(ISEE).header("host", "a/b"), good.clone()).await);
        provoke(Code::BodyTooLarge, comune.call(ISEE, &"x".repeat(100_001)).await.unwrap());
        provoke(Code::UnsupportedMedia, send(&comune, Request::post(ISEE).header("content-type", "application/json"), "{}").await);
        assert_row(&send(&comune, request(ISEE).header("content-encoding", "gzip"), good.clone()).await, Code::UnsupportedMedia);
        let twice = request(ISEE).header("content-encoding", "identity").header("content-encoding", "gzip");
        assert_row(&send(&comune, twice, good.clone()).await, Code::UnsupportedMedia);
        assert_row(&send(&comune, Request::post(ISEE).header("content-type", "text/xml; charset=utf-7"), good.clone()).await, Code::UnsupportedMedia);
        provoke(Code::Xml, comune.call(ISEE, "<a>").await.unwrap());
        let doctype = comune.call(ISEE, &format!("<!DOCTYPE a>{good}")).await.unwrap();
        assert_row(&doctype, Code::Xml);
        assert!(doctype.text.contains("DOCTYPE non ammesso (riga 1, colonna 1)"), "{}", doctype.text);
        provoke(Code::Envelope, comune.call(ISEE, "<a/>").await.unwrap());
        provoke(Code::Version, comune.call(ISEE, &good.replace(varco::soap::SOAP11, "http://www.w3.org/2001/12/soap-envelope")).await.unwrap());
        provoke(Code::Package, send(&comune, Request::post(ISEE).header("content-type", "multipart/related; boundary=x; type=\"text/xml\""), good.clone()).await);
        let header = "<s:Header><x:sconosciuto xmlns:x='u' s:mustUnderstand='1'/></s:Header><s:Body>";
        provoke(Code::MustUnderstand, comune.call(ISEE, &good.replacen("<s:Body>", header, 1)).await.unwrap());
        provoke(Code::UnknownOperation, comune.call(ISEE, &good.replace("ConsultazioneIndicatore", "Altro")).await.unwrap());
        provoke(Code::WrongPath, comune.call(DSU, &good).await.unwrap());
        let schema = comune.call(ISEE, &good.replace("Ordinario", "Straordinario")).await.unwrap();
        assert!(schema.text.contains("/ConsultazioneIndicatore/request/TipoIndicatore (riga 1, colonna"), "{}", schema.text);
        assert!(!schema.text.contains("Straordinario"), "a value came back: {}", schema.text);
        provoke(Code::Schema, schema);

        // Protocols that are nobody's, until there are no attempts left for that declarant.
        let declarant = CodiceFiscale::new(requests::GIULIA.to_owned());
        let guess = kit::caseta::referring(TipoOperazione::X, &declarant, "INPS-ISEE-2026-00000007A-00", today.parse().unwrap());
        for attempt in 0..10 {
            let answer = caf.call(DSU, &kit::caseta::text(&guess, &format!("GUESS-{attempt}"))).await.unwrap();
            assert_eq!(element(&answer, "Codice"), "K02.riferito", "{}", answer.text);
        }
        provoke(Code::Attempts, caf.call(DSU, &kit::caseta::text(&guess, "GUESS-LAST")).await.unwrap());

        // More header fields than are read.
        let mut many = Request::post(ISEE).header("content-type", "text/xml");
        for number in 0..130 {
            many = many.header(format!("x-field-{number}"), "a");
        }
        provoke(Code::Fields, comune.connect().await.unwrap().send(many.body(good.clone().into()).unwrap()).await.unwrap());

        // A body that never ends takes a place; two are all that one ente has; then time is up for them.
        let (first, second) = (tokio::spawn(slow_of(&site, &serving)), tokio::spawn(slow_of(&site, &serving)));
        tokio::time::sleep(Duration::from_millis(500)).await;
        let crowded = comune.call(ISEE, &good).await.unwrap();
        provoke(Code::TooManyRequests, crowded);
        assert_eq!(element(&caf.call(DSU, &requests::trasmissione(&requests::dsu("CAF1", &today))).await.unwrap(), "Esito"), "OK", "another ente's place");
        for slow in [first, second] {
            let text = slow.await.unwrap();
            assert!(text.starts_with("HTTP/1.1 408") && text.contains("connection: close"), "{text}");
            assert!(text.contains(row(Code::BodyTimeout).detail), "{text}");
        }
        // A body that breaks off is answered to nobody, and recorded.
        stalled(&site, &serving, "comune").await.hang_up();
        tokio::time::sleep(Duration::from_millis(300)).await;

        // Revoked while connected: refused at the next request, and the connection closed.
        let mut live = comune.connect().await.unwrap();
        assert_eq!(element(&live.call(ISEE, &good).await.unwrap(), "Esito"), "OK");
        let (authority, list) = (site.home.path().join("pki/ca.pem"), site.home.path().join("pki/crl.pem"));
        assert!(authority.exists());
        std::fs::write(&list, site.pki.authority.crl(&[&site.pki.comune], 30).unwrap()).unwrap();
        tokio::time::sleep(Duration::from_millis(6500)).await;
        provoke(Code::PeerInvalid, live.call(ISEE, &good).await.unwrap());
        assert!(live.call(ISEE, &good).await.is_err(), "the connection stayed open");
        assert!(comune.call(ISEE, &good).await.is_err(), "a revoked certificate made a new connection");
    });
    wait_for_gathered();
    serving.stop();

    let all = entries(&site);
    let codes: HashSet<String> = all
        .iter()
        .filter_map(|entry| entry.leaf.body.refusal.clone())
        .collect();
    let gathered = all
        .iter()
        .filter(|entry| entry.leaf.body.kind == Kind::Gathered)
        .map(|entry| entry.leaf.body.facts["gruppi"].to_string())
        .collect::<String>();
    for code in CODES {
        let ledger = row(*code).ledger;
        match code {
            // Counted together; and what says that nothing can be recorded is not recorded.
            Code::TooManyRequests | Code::Quota | Code::Attempts => {
                assert!(gathered.contains(ledger), "{gathered}")
            }
            Code::Unavailable => {}
            _ => assert!(codes.contains(ledger), "{code:?} ({ledger}) is not in the ledger"),
        }
        let seen = provoked.contains_key(code)
            || matches!(
                code,
                Code::BodyTimeout | Code::BodyInterrupted | Code::Unavailable
            );
        assert!(seen, "{code:?} was not provoked");
    }
    assert!(
        gathered.contains("H02.certificato"),
        "the revoked handshake was not counted: {gathered}"
    );
    // Every answer that was read has its entry.
    let exchanges: HashSet<String> = all
        .iter()
        .map(|entry| entry.leaf.body.exchange.to_string())
        .collect();
    for (code, answer) in &provoked {
        assert!(
            matches!(code, Code::TooManyRequests | Code::Quota | Code::Attempts)
                || exchanges.contains(answer.exchange.as_ref().unwrap()),
            "{code:?}"
        );
    }
}

/// Gathered refusals are recorded each second here.
fn wait_for_gathered() {
    std::thread::sleep(Duration::from_millis(1300));
}

fn slow_of(site: &Site, serving: &Serving) -> impl Future<Output = String> + Send + 'static {
    let connection = connect_raw(site, serving, "comune");
    async move { connection.await.read_all().await }
}

struct Raw(tokio_rustls::client::TlsStream<tokio::net::TcpStream>);

impl Raw {
    async fn read_all(&mut self) -> String {
        use tokio::io::AsyncReadExt as _;
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn hang_up(self) {}
}

/// A connection on which a request's head and half of its body were sent.
fn connect_raw(site: &Site, serving: &Serving, name: &str) -> impl Future<Output = Raw> + Send + 'static {
    let client = site.client(serving.address, name);
    async move {
        use tokio::io::AsyncWriteExt as _;
        let mut stream = client.connect_raw().await.unwrap();
        let head = format!(
            "POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<a>"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        Raw(stream)
    }
}

async fn stalled(site: &Site, serving: &Serving, name: &str) -> Raw {
    connect_raw(site, serving, name).await
}

/// A disk on which nothing can be written, once it is told so.
struct NoSpace(Arc<AtomicBool>);
struct FullFile(Box<dyn DiskFile>, Arc<AtomicBool>);

impl Disk for NoSpace {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FullFile(RealDisk.open(path, create)?, self.0.clone())))
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }
}

impl DiskFile for FullFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.1.load(Ordering::SeqCst) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            self.0.write_all_at(bytes, offset)
        }
    }
    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
    fn length(&self) -> io::Result<Option<u64>> {
        self.0.length()
    }
}

#[test]
fn a_request_is_received_when_its_own_first_byte_comes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let mut stream = site.client(serving.address, "comune").connect_raw().await.unwrap();
        let post = |path: &str, more: &str, length: usize| {
            format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n{more}Content-Length: {length}\r\n\r\n")
        };
        // The reply leaves before the body of the first has come: its last bytes are not the beginning of the
        // second.
        stream.write_all(post("/altrove", "", 4).as_bytes()).await.unwrap();
        let mut bytes = [0; 4096];
        assert!(stream.read(&mut bytes).await.unwrap() > 0 && bytes.starts_with(b"HTTP/1.1 404"));
        stream.write_all(b"abcd").await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        // Two at once, with an empty line between them: each its own.
        let first = post(ISEE, "", 4) + "<a/>\r\n";
        let both = first + &post(ISEE, "Connection: close\r\n", 4) + "<a/>";
        // The first byte of the first comes well before the rest.
        stream.write_all(&both.as_bytes()[..6]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        stream.write_all(&both.as_bytes()[6..]).await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(String::from_utf8_lossy(&rest).matches("HTTP/1.1 ").count(), 2);
    });
    serving.stop();
    let received: Vec<jiff::Timestamp> = entries(&site)
        .iter()
        .filter(|entry| entry.leaf.body.kind == Kind::Exchange)
        .map(|entry| entry.leaf.body.received.parse().unwrap())
        .collect();
    let [elsewhere, first, second] = received[..] else {
        panic!("{received:?}")
    };
    assert!(
        first.as_millisecond() - elsewhere.as_millisecond() >= 1500,
        "{elsewhere} {first}"
    );
    assert!(
        (650..2000).contains(&(second.as_millisecond() - first.as_millisecond())),
        "{first} {second}"
    );
}

#[test]
fn a_full_disk_is_503_with_retry_after() {
    let site = Site::new();
    kit::runtime().block_on(async {
        let full = Arc::new(AtomicBool::new(false));
        let started = start_on(
            &Config::read(&site.config()).unwrap(),
            &site.clock,
            Arc::new(NoSpace(full.clone())),
        )
        .await
        .unwrap();
        full.store(true, Ordering::SeqCst);
        let answer = site
            .client(started.address, "comune")
            .call(ISEE, "<a/>")
            .await
            .unwrap();
        assert_row(&answer, Code::Unavailable);
        full.store(false, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        started.stop().await.unwrap();
    });
}

#[test]
fn whoever_may_not_come_in_gets_the_same_bytes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let site = Site::new();
    let serving = site.serve();
    let today = site.today();
    kit::runtime().block_on(async {
        let ask = requests::indicatore(requests::GIULIA, &today, BENEFIT);
        let raw = |mut stream: tokio_rustls::client::TlsStream<tokio::net::TcpStream>| {
            let request =
                format!("POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{ask}", ask.len());
            async move {
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut bytes = Vec::new();
                let _ = stream.read_to_end(&mut bytes).await;
                let text = String::from_utf8(bytes).unwrap();
                let id = text.split("x-request-id: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap().to_owned();
                let date = text.split("date: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default().to_owned();
                text.replace(&id, "ID").replace(&date, "DATE")
            }
        };
        // Suspended; its ente revoked; of nobody; and one whose certificate is revoked while it is connected.
        let suspended = raw(site.client(serving.address, "sospeso").connect_raw().await.unwrap()).await;
        let live = site.client(serving.address, "caf").connect_raw().await.unwrap();
        let act = |command| act_apart(&site, command);
        act(Act::Stato { codice: "sospeso".to_owned(), nuovo: varco::registry::ente::Stato::Revocato });
        let revoked = raw(site.client(serving.address, "sospeso").connect_raw().await.unwrap()).await;
        let unpinned = Act::TogliCertificato {
            codice: "comune".to_owned(),
            segno: varco::commands::demo::accreditamento::pinned(&site.pki.comune.fingerprint).segno,
        };
        act(unpinned);
        let unknown = raw(site.client(serving.address, "comune").connect_raw().await.unwrap()).await;
        std::fs::write(site.home.path().join("pki/crl.pem"), site.pki.authority.crl(&[&site.pki.caf], 30).unwrap()).unwrap();
        tokio::time::sleep(Duration::from_millis(6500)).await;
        let listed = raw(live).await;
        assert!(suspended.starts_with("HTTP/1.1 500 ") && suspended.contains("Authorization failed"), "{suspended}");
        assert_eq!(revoked, suspended);
        assert_eq!(unknown, suspended);
        assert_eq!(listed, suspended);
    });
    serving.stop();
    let codes: HashSet<String> = entries(&site)
        .iter()
        .filter_map(|entry| entry.leaf.body.refusal.clone())
        .collect();
    assert!(
        codes.contains(row(Code::NotAuthorized).ledger) && codes.contains(row(Code::PeerInvalid).ledger),
        "the ledger knows which: {codes:?}"
    );
}

#[test]
fn sixty_four_equal_transmissions_at_once_make_one_dsu() {
    let site = Site::new();
    let serving = site.serve();
    let answers = kit::runtime().block_on(async {
        let body = requests::trasmissione(&requests::dsu("CAF00001-EQUAL1-2026-N0000001", &site.today()));
        let mut connections = Vec::new();
        for _ in 0..64 {
            connections.push(site.client(serving.address, "caf").connect().await.unwrap());
        }
        let calls: Vec<_> = connections
            .into_iter()
            .map(|mut connected| {
                let body = body.clone();
                tokio::spawn(async move {
                    loop {
                        let answer = connected.call(DSU, &body).await.unwrap();
                        if answer.status.as_u16() != 503 {
                            return answer;
                        }
                    }
                })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        answers
    });
    serving.stop();
    let ids: HashSet<&str> = answers
        .iter()
        .map(|answer| element(answer, "IdRichiesta"))
        .collect();
    assert_eq!(ids.len(), 64, "an IdRichiesta was given twice");
    let rest: HashSet<String> = answers
        .iter()
        .map(|answer| {
            answer.text.replace(
                &format!("<IdRichiesta>{}</IdRichiesta>", element(answer, "IdRichiesta")),
                "",
            )
        })
        .collect();
    assert_eq!(rest.len(), 1, "{rest:#?}");
    let all = entries(&site);
    let count = |kind| all.iter().filter(|entry| entry.leaf.body.kind == kind).count();
    assert_eq!((count(Kind::Dsu), count(Kind::Attestation)), (1, 1));
    assert_eq!(
        all.iter()
            .filter(|entry| entry.leaf.body.outcome.as_deref() == Some("OK")
                && entry.leaf.body.kind == Kind::Exchange)
            .count(),
        64
    );
}

#[test]
fn another_dsu_under_the_same_protocol_is_refused_and_the_same_in_other_words_is_not() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        let dsu = requests::dsu("CAF00001-SAME01-2026-N0000001", &site.today());
        let first = caf.call(DSU, &requests::trasmissione(&dsu)).await.unwrap();
        let other = caf
            .call(
                DSU,
                &requests::trasmissione(&dsu.replace("Saldo3112=\"4200\"", "Saldo3112=\"4201\"")),
            )
            .await
            .unwrap();
        assert_eq!(element(&other, "Codice"), "K19.contenuto");
        // Another prefix, another order of attributes, another encoding: the same declaration.
        let words = dsu
            .replace(
                "<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\"",
                "<Dichiarazione   xmlns='http://inps.it/ISEERiforma'",
            )
            .replace(
                "Saldo3112=\"4200\" ConsistenzaMedia=\"3900\"",
                "ConsistenzaMedia=\"3900\" Saldo3112=\"4200\"",
            );
        assert_ne!(words, dsu);
        let utf16: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(
                requests::trasmissione(&words)
                    .replace("encoding=\"UTF-8\"", "encoding=\"UTF-16\"")
                    .encode_utf16(),
            )
            .flat_map(u16::to_le_bytes)
            .collect();
        let again = send(
            &caf,
            Request::post(DSU).header("content-type", "text/xml; charset=utf-16"),
            utf16,
        )
        .await;
        assert_eq!(element(&again, "ProtocolloDSU"), element(&first, "ProtocolloDSU"));
        assert_eq!(element(&again, "XmlRicevuta"), element(&first, "XmlRicevuta"));
    });
    serving.stop();
}

#[test]
fn searches_find_what_they_should_and_nothing_else() {
    let site = Site::new();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let today = site.today();
        let caf = site.client(serving.address, "caf");
        let comune = site.client(serving.address, "comune");
        let transmitted = caf.call(DSU, &requests::trasmissione(&requests::dsu("CAF00001-SEARCH-2026-N0000001", &today))).await.unwrap();
        let protocol = element(&transmitted, "ProtocolloDSU").to_owned();
        let ask = |inner: String| {
            let comune = comune.clone();
            async move { comune.call(ISEE, &requests::consultazione(varco::contract::catalogue::Operation::ConsultazioneAttestazione, &inner)).await.unwrap() }
        };
        let by_dsu = |protocol: &str, person: &str| format!("<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{person}</CodiceFiscaleBeneficiario><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaProtDSU>");
        let by_sender = |protocol: &str, person: &str| format!("<RicercaProtMittente><ProtocolloMittente>{protocol}</ProtocolloMittente><CodiceFiscaleBeneficiario>{person}</CodiceFiscaleBeneficiario></RicercaProtMittente>");
        let child = "GLLTMM19L08H501B";
        for found in [ask(by_dsu(&protocol, child)).await, ask(by_sender("CAF00001-SEARCH-2026-N0000001", child)).await] {
            assert_eq!(element(&found, "Esito"), "OK");
            let xml = payload(&found, "XmlEsitoAttestazione");
            assert!(xml.contains(&format!("NumeroProtocolloDSU=\"{protocol}\"")) && xml.contains(&format!("CodiceFiscaleBeneficiario=\"{child}\"")), "{xml}");
        }
        // Nobody else's: a right protocol with a person who is not in the nucleus finds nothing.
        for (inner, esito) in [
            (by_dsu(&protocol, "BNCNNA72B42H501V"), "DATI_NON_TROVATI"),
            (by_dsu("INPS-ISEE-2026-99999999A-00", child), "DATI_NON_TROVATI"),
            (by_dsu("INPS-2026", child), "RICHIESTA_INVALIDA"),
            (by_sender("CAF00001-SEARCH-2026-N0000002", child), "DATI_NON_TROVATI"),
            (by_sender(&"x".repeat(30), child), "RICHIESTA_INVALIDA"),
            (by_dsu(&protocol, child).replace("</RicercaProtDSU>", &format!("<ProtocolloDomandaEnteErogatore>{}</ProtocolloDomandaEnteErogatore></RicercaProtDSU>", "x".repeat(257))), "RICHIESTA_INVALIDA"),
        ] {
            let answer = ask(inner).await;
            assert_eq!(element(&answer, "Esito"), esito);
            assert!(!answer.text.contains("XmlEsito"), "{}", answer.text);
        }
        // Valid from presentation to expiry, no day more.
        for (day, esito) in [("2019-01-01", "DATI_NON_TROVATI"), (&*today, "OK"), (&*format!("{}-12-31", &today[..4]), "OK"), ("2099-01-01", "DATI_NON_TROVATI")] {
            let answer = comune.call(ISEE, &requests::indicatore(child, day, BENEFIT)).await.unwrap();
            assert_eq!(element(&answer, "Esito"), esito, "{day}");
        }
        let other = comune.call(ISEE, &requests::indicatore(child, &today, "A3.02")).await.unwrap();
        assert_eq!(element(&other, "Esito"), "RICHIESTA_INVALIDA");
        // The child's own indicators, and none of another kind: the answer says which there are.
        for tipo in ["Minorenne", "SocioSanitario", "Dottorato"] {
            let own = comune.call(ISEE, &requests::indicatore(child, &today, BENEFIT).replace("Ordinario", tipo)).await.unwrap();
            assert_eq!(element(&own, "Esito"), "OK", "{tipo}");
            assert!(payload(&own, "XmlEsitoIndicatore").contains(&format!("TipoIndicatore=\"{tipo}\"")));
        }
        for tipo in ["Universitario", "Residenziale"] {
            let none = comune.call(ISEE, &requests::indicatore(child, &today, BENEFIT).replace("Ordinario", tipo)).await.unwrap();
            assert_eq!(element(&none, "Esito"), "DATI_NON_TROVATI", "{tipo}");
            let said = element(&none, "DescrizioneErrore");
            assert!(said.contains(tipo) && said.ends_with("ha: Ordinario, Minorenne, SocioSanitario, Dottorato"), "{said}");
        }
        let empty = comune.call(ISEE, &varco::soap::envelope(varco::soap::Version::V11, "<ConsultazioneIndicatore xmlns=\"http://inps.it/ConsultazioneISEE\"/>")).await.unwrap();
        assert_eq!(element(&empty, "Esito"), "RICHIESTA_INVALIDA");
    });
    serving.stop();
    // Each is recorded with its reason.
    let refusals = site.refusals();
    let recorded = |code: &str| refusals.get(code).copied().unwrap_or_default();
    let reasons = [
        "R01.richiesta",
        "R02.domanda",
        "R02.mittente",
        "R02.protocollo",
        "P01.prestazione",
        "D04.indicatore",
    ];
    assert_eq!(reasons.map(recorded), [1, 1, 1, 1, 1, 2], "{refusals:?}");
}
