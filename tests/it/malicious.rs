//! Documents made to harm: each is refused with the fault that says why, in little time and little memory,
//! and without a look at disk or network.
//!
//! Time and memory are those of the way of a request's bytes as far as the defects of its DSU, in a process
//! of its own for each document: CPU time of its thread, and the highest resident set above what it had with
//! the document already in memory.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::process::Command;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use jiff::civil::{Date, date};
use kit::growing::Frame;
use kit::{DSU, ISEE, Site, element, requests};
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, LotPart, Request as Typed, place};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, examine};
use varco::isee::rules::Rules;
use varco::soap::{self, Bounds, Media, MessageText, NotRead, Unreadable};
use varco::xml;

/// How much CPU time a message may take; a build without optimisation is ten times as slow, and more where
/// every value is judged.
const MILLISECONDS: u64 = if cfg!(debug_assertions) { 500 } else { 50 };
const MILLISECONDS_JUDGED: u64 = if cfg!(debug_assertions) { 2000 } else { 50 };
/// How much memory, beside its own bytes, which are there already.
const KIBIBYTES: u64 = 8 * 1024;
/// How much where a DSU is made of them, and twice as much again as they are. What the first request left in
/// the heap is not counted: half a MiB, more or less.
const KIBIBYTES_JUDGED: u64 = 9 * 1024;
const BYTES_A_BYTE: u64 = 2;

const TODAY: Date = date(2026, 3, 10);
const XML: &str = "text/xml; charset=utf-8";
const PACKAGE: &str =
    "multipart/related; boundary=b; type=\"application/xop+xml\"; start=\"<r>\"; start-info=\"text/xml\"";

/// A document made to harm.
struct Document {
    name: String,
    kind: &'static str,
    bytes: Vec<u8>,
    /// How the way ends, in the words of [`judge`].
    end: &'static str,
}

/// What a document came to.
struct Judged {
    micros: u64,
    kib: u64,
    end: String,
}

/// The way of a request's bytes as far as the defects of its DSU: the code of the first of them, `read` if
/// there is none, or in words where the way ends.
fn judge(contract: &Contract, kind: &str, bytes: &[u8], circumstance: &Circumstance<'_>) -> String {
    let Some(media) = Media::of(kind) else {
        return "media".to_owned();
    };
    let (xml, text) = (xml::DocumentLimits::default(), MessageText::new());
    let message = match soap::read(
        bytes,
        &media,
        Bounds {
            xml: &xml,
            whole: whole(),
        },
        &text,
    ) {
        Ok(message) => message,
        Err(NotRead {
            why: Unreadable::Package(what),
            ..
        }) => return format!("package: {what}"),
        Err(NotRead {
            why: Unreadable::Encoding(error),
            ..
        }) => return format!("encoding: {error}"),
        Err(NotRead {
            why: Unreadable::Xml(error),
            ..
        }) => return format!("xml: {}", error.fault),
    };
    let root = match message.call() {
        Ok(call) => call.root,
        Err(error) => return format!("call: {error}"),
    };
    let Some(operation) = Operation::by_root(root.namespace(), root.local()) else {
        return "unknown operation".to_owned();
    };
    if message.outlined && operation != Operation::TrasmissioneLotto {
        return "too large".to_owned();
    }
    let examined = contract
        .read(operation, root)
        .and_then(|(request, _)| match request {
            Typed::Trasmissione(dsu) => Ok(place(examine(&dsu.dsu, circumstance).difetti, &dsu, root)),
            Typed::Lotto => {
                let mut found = Vec::new();
                for (element, number) in root.children().zip(1..) {
                    let part = LotPart::parse(element, number)?;
                    let dsu = contract.read_part(&part)?;
                    found.extend(part.place(examine(&dsu.dsu, circumstance).difetti));
                }
                Ok(found)
            }
            _ => Ok(Vec::new()),
        });
    match examined {
        Ok(found) => found.first().map_or("read", |finding| finding.code).to_owned(),
        Err(findings) => format!(
            "schema: {}",
            findings.list.first().map_or("", |finding| finding.code)
        ),
    }
}

/// The largest message that is no lot, bytes.
fn whole() -> usize {
    varco::config::Limits::default().body_bytes
}

fn envelope(inside: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{inside}</s:Body></s:Envelope>"
    )
}

/// A transmission whose Dichiarazione holds that.
fn dsu(inside: &str) -> String {
    let dichiarazione =
        format!("<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\">{inside}</Dichiarazione>");
    envelope(&format!(
        "<TrasmissioneDSU xmlns=\"urn:varco:trasmissione-dsu:1\">{dichiarazione}</TrasmissioneDSU>"
    ))
}

/// A package with the envelope, and parts: head and content of each.
fn package(root: &str, parts: &[(String, &str)]) -> Vec<u8> {
    let mut text = format!(
        "--b\r\nContent-Type: application/xop+xml; type=\"text/xml\"\r\nContent-ID: <r>\r\n\r\n{root}\r\n"
    );
    for (head, content) in parts {
        let _ = write!(text, "--b\r\n{head}\r\n\r\n{content}\r\n");
    }
    (text + "--b--\r\n").into_bytes()
}

fn numbered(count: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for index in 0..count {
        text.push_str(&piece(index));
    }
    text
}

/// All of them. `file` and `port` are those that a document names and that nobody should look at.
fn documents(file: &str, port: u16) -> Vec<Document> {
    let xml = |name: &str, text: String, end| Document {
        name: name.to_owned(),
        kind: XML,
        bytes: text.into_bytes(),
        end,
    };
    let raw = |name: &str, kind, bytes: Vec<u8>, end| Document {
        name: name.to_owned(),
        kind,
        bytes,
        end,
    };
    let typed =
        |doctype: &str, inside: &str| format!("<!DOCTYPE s:Envelope [{doctype}]>{}", envelope(inside));
    let include = |href: &str| {
        format!(
            "<XmlDichiarazione><xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='{href}'/></XmlDichiarazione>"
        )
    };
    let transmission = |inside: &str| {
        envelope(&format!(
            "<TrasmissioneDSU xmlns=\"urn:varco:trasmissione-dsu:1\">{inside}</TrasmissioneDSU>"
        ))
    };
    let web = format!("http://127.0.0.1:{port}/x");
    let entities = numbered(30, |i| {
        format!(
            "<!ENTITY a{} \"&a{i};&a{i};&a{i};&a{i};&a{i};&a{i};&a{i};&a{i};&a{i};&a{i};\">",
            i + 1
        )
    });
    let wide = "x".repeat(15 << 20);
    let deep_declarations = numbered(29, |level| {
        format!("<a{}>", numbered(64, |i| format!(" xmlns:p{level}x{i}='urn:x'")))
    });
    vec![
        // Entities and what is external.
        xml(
            "document type",
            typed("", "<a/>"),
            "xml: document type declaration",
        ),
        xml(
            "entities in entities",
            typed(&format!("<!ENTITY a0 \"ha\">{entities}"), "&a30;"),
            "xml: document type declaration",
        ),
        xml(
            "one entity many times",
            typed(
                &format!("<!ENTITY a '{}'>", "x".repeat(100_000)),
                &"&a;".repeat(100_000),
            ),
            "xml: document type declaration",
        ),
        xml(
            "entity of a file",
            typed(&format!("<!ENTITY a SYSTEM '{file}'>"), "&a;"),
            "xml: document type declaration",
        ),
        xml(
            "entity of the network",
            typed(&format!("<!ENTITY a SYSTEM '{web}'>"), "&a;"),
            "xml: document type declaration",
        ),
        xml(
            "parameter entity",
            typed(&format!("<!ENTITY % a SYSTEM '{web}'> %a;"), "<a/>"),
            "xml: document type declaration",
        ),
        xml(
            "definition of the network",
            format!("<!DOCTYPE a SYSTEM '{web}'>{}", envelope("<a/>")),
            "xml: document type declaration",
        ),
        xml(
            "undefined entity",
            envelope("<a>&a;</a>"),
            "xml: undefined entity",
        ),
        xml(
            "style sheet",
            format!("<?xml-stylesheet href='{web}'?>{}", envelope("<a/>")),
            "xml: processing instruction",
        ),
        xml(
            "xi:include",
            transmission(&format!(
                "<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='{file}'/>"
            )),
            "schema: K01.elemento",
        ),
        xml(
            "schema of the network",
            transmission(&format!(
                "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='urn:a {web}' xmlns='{web}'/>"
            )),
            "schema: K01.elemento",
        ),
        raw(
            "attachment of the network",
            PACKAGE,
            package(&transmission(&include(&web)), &[]),
            "package: riferimento xop:Include senza cid:",
        ),
        raw(
            "attachment of a file",
            PACKAGE,
            package(&transmission(&include(&format!("file://{file}"))), &[]),
            "package: riferimento xop:Include senza cid:",
        ),
        // Too much of something.
        xml(
            "100,000 levels",
            envelope(&"<a>".repeat(100_000)),
            "xml: limit exceeded: depth",
        ),
        xml(
            "100,000 levels that close",
            envelope(&("<a>".repeat(100_000) + &"</a>".repeat(100_000))),
            "xml: limit exceeded: depth",
        ),
        xml(
            "400,000 siblings",
            envelope(&"<a/>".repeat(400_000)),
            "xml: limit exceeded: nodes",
        ),
        xml(
            "a million siblings",
            envelope(&"<a/>".repeat(1_000_000)),
            "xml: limit exceeded: nodes",
        ),
        xml(
            "a million siblings in a lot",
            envelope(&format!(
                "<a>{}</a>",
                format!("<b>{}</b>", "<a/>".repeat(1_000)).repeat(1_000)
            )),
            "unknown operation",
        ),
        xml(
            "siblings and texts",
            envelope(&"<a/> ".repeat(400_000)),
            "xml: limit exceeded: nodes",
        ),
        xml(
            "800,000 attributes",
            envelope(&format!("<a{}/>", numbered(800_000, |i| format!(" a{i}=''")))),
            "xml: limit exceeded: attributes",
        ),
        xml(
            "800,000 namespaces",
            envelope(&format!(
                "<a{}/>",
                numbered(800_000, |i| format!(" xmlns:a{i}='u'"))
            )),
            "xml: limit exceeded: namespaces",
        ),
        xml(
            "namespaces here and there",
            envelope(&numbered(100_000, |i| format!("<a xmlns='u{i}'/>"))),
            "xml: limit exceeded: namespaces",
        ),
        xml(
            "one namespace here and there",
            envelope(&"<a xmlns='u'/>".repeat(100_000)),
            "xml: limit exceeded: nodes",
        ),
        xml(
            "many prefixes for one namespace",
            envelope(&format!("{deep_declarations}{}", "<p0x0:a/>".repeat(190_000))),
            "xml: limit exceeded: namespaces",
        ),
        xml(
            "64 attributes each",
            envelope(&format!("<a{}/>", numbered(60, |i| format!(" a{i}=''"))).repeat(5_000)),
            "xml: limit exceeded: nodes",
        ),
        xml("a text of 15 MiB", envelope(&wide), "xml: limit exceeded: text"),
        xml(
            "a value of 15 MiB",
            envelope(&format!("<a a='{wide}'/>")),
            "xml: limit exceeded: attribute value",
        ),
        xml(
            "a name of 15 MiB",
            envelope(&format!("<{wide}/>")),
            "xml: limit exceeded: name",
        ),
        xml(
            "the name of an attribute of 15 MiB",
            envelope(&format!("<a {wide}=''/>")),
            "xml: limit exceeded: name",
        ),
        xml(
            "a comment of 15 MiB",
            envelope(&format!("<!--{wide}-->")),
            "call: body with other than one element",
        ),
        xml(
            "a section of 15 MiB",
            envelope(&format!("<a><![CDATA[{wide}]]></a>")),
            "xml: limit exceeded: text",
        ),
        xml(
            "references",
            envelope(&format!("<a>{}</a>", "&#x41;".repeat(340_000))),
            "unknown operation",
        ),
        xml(
            "references in a value",
            envelope(&format!("<a a='{}'/>", "&#x41;".repeat(340_000))),
            "unknown operation",
        ),
        xml(
            "sections",
            envelope(&format!("<a>{}</a>", "<![CDATA[x]]>".repeat(150_000))),
            "unknown operation",
        ),
        xml(
            "comments",
            envelope(&"<!---->".repeat(290_000)),
            "call: body with other than one element",
        ),
        xml(
            "headers",
            envelope("<a/>").replace(
                "<s:Body>",
                &format!("<s:Header>{}</s:Header><s:Body>", "<x xmlns='u'/>".repeat(90_000)),
            ),
            "xml: limit exceeded: nodes",
        ),
        // Much to find wrong.
        xml(
            "99,000 strange elements",
            dsu(&"<a/>".repeat(99_000)),
            "schema: K01.attributo-mancante",
        ),
        xml(
            "a strange element in each of many",
            dsu(&format!(
                "<NucleoFamiliare>{}</NucleoFamiliare>",
                "<ComponenteNucleo><a/></ComponenteNucleo>".repeat(40_000)
            )),
            "schema: K01.attributo-mancante",
        ),
        xml(
            "60 strange attributes each",
            dsu(&format!("<Operazione{}/>", numbered(60, |i| format!(" a{i}=''"))).repeat(1_500)),
            "schema: K01.attributo-mancante",
        ),
        xml(
            "a long value",
            dsu(&format!(
                "<Operazione CodiceFiscaleRiferimento='{}'/>",
                "A".repeat(1_000_000)
            )),
            "schema: K01.attributo-mancante",
        ),
        xml(
            "a long number",
            dsu(&format!(
                "<Operazione/><ModelloBase><CondizioniNucleo NumeroFigli='{}'/></ModelloBase>",
                "0".repeat(1_000_000)
            )),
            "schema: K01.attributo-mancante",
        ),
        xml(
            "long base64",
            transmission(&format!(
                "<XmlDichiarazione>{}</XmlDichiarazione>",
                "A ".repeat(500_000)
            )),
            "schema: K01.xml",
        ),
        xml(
            "long base64, refused",
            transmission(&format!(
                "<XmlDichiarazione>{}=</XmlDichiarazione>",
                "AA A".repeat(250_000)
            )),
            "schema: K01.tipo",
        ),
        // No text.
        raw(
            "bad UTF-8",
            XML,
            [envelope("").into_bytes(), vec![0xFF]].concat(),
            "encoding: bytes are not valid in their encoding, at byte 94",
        ),
        raw(
            "overlong UTF-8",
            XML,
            envelope("\u{1}")
                .bytes()
                .flat_map(|b| if b == 1 { vec![0xC0, 0xBC] } else { vec![b] })
                .collect(),
            "encoding: bytes are not valid in their encoding, at byte 72",
        ),
        raw(
            "surrogates in UTF-8",
            XML,
            b"<a>\xED\xA0\x80</a>".to_vec(),
            "encoding: bytes are not valid in their encoding, at byte 3",
        ),
        raw(
            "another charset than it is",
            "text/xml; charset=utf-16",
            envelope("<a/>").into_bytes(),
            "xml: not well-formed",
        ),
        raw(
            "a charset that is not read",
            "text/xml; charset=utf-7",
            b"+ADw-a/+AD4-".to_vec(),
            "encoding: encoding not supported",
        ),
        raw(
            "declared otherwise",
            "text/xml",
            b"<?xml version='1.0' encoding='UTF-16'?><a/>".to_vec(),
            "encoding: bytes are not valid in their encoding, at byte 42",
        ),
        raw(
            "NUL",
            XML,
            envelope("<a>\0</a>").into_bytes(),
            "xml: forbidden character",
        ),
        raw("NUL all over", XML, vec![0; 2 << 20], "xml: forbidden character"),
        raw(
            "half a character of UTF-16",
            "text/xml; charset=utf-16",
            b"\xFF\xFE<\0a\0/\0>".to_vec(),
            "encoding: bytes are not valid in their encoding, at byte 6",
        ),
        raw("nothing", XML, Vec::new(), "xml: no root element"),
        raw(
            "signs",
            XML,
            "<".repeat(2 << 20).into_bytes(),
            "xml: not well-formed",
        ),
        raw(
            "ampersands",
            XML,
            envelope(&"&".repeat(1 << 20)).into_bytes(),
            "xml: not well-formed",
        ),
        raw(
            "quotes without end",
            XML,
            envelope(&"<a a='".repeat(300_000)).into_bytes(),
            "xml: not well-formed",
        ),
        raw(
            "comments without end",
            XML,
            envelope(&"<!--".repeat(500_000)).into_bytes(),
            "xml: not well-formed",
        ),
        raw(
            "sections without end",
            XML,
            envelope(&"<![CDATA[".repeat(220_000)).into_bytes(),
            "xml: not well-formed",
        ),
        // Packages.
        raw(
            "10,000 parts",
            PACKAGE,
            package(&transmission(""), &vec![("X: y".to_owned(), ""); 10_000]),
            "package: troppe parti",
        ),
        raw(
            "a part 8,000 times",
            PACKAGE,
            package(
                &transmission(&include("cid:a").repeat(8_000)),
                &[("Content-ID: <a>".to_owned(), &wide[..1 << 20])],
            ),
            "package: una parte con più di un riferimento",
        ),
        raw(
            "references to nothing",
            PACKAGE,
            package(&transmission(&include("cid:a").repeat(10_000)), &[]),
            "package: riferimento cid: senza la sua parte",
        ),
        raw(
            "boundaries that are none",
            PACKAGE,
            package(
                &transmission(""),
                &[("X: y".to_owned(), &"\n--b-x".repeat(300_000))],
            ),
            "schema: K01.elemento-mancante",
        ),
        raw(
            "a head without end",
            PACKAGE,
            package(&transmission(""), &[("X: y\r\n".repeat(300_000), "")]),
            "package: intestazioni di parte troppo lunghe",
        ),
        raw(
            "a package that does not close",
            PACKAGE,
            "--b\r\n\r\n".repeat(30).into_bytes(),
            "package: manca il delimitatore di chiusura",
        ),
        raw(
            "hyphens",
            PACKAGE,
            "-".repeat(2 << 20).into_bytes(),
            "package: manca il delimitatore di chiusura",
        ),
        raw(
            "an attachment of 1.5 MiB",
            PACKAGE,
            package(
                &transmission(&include("cid:a")),
                &[("Content-ID: <a>".to_owned(), &wide[..3 << 19])],
            ),
            "schema: K01.xml",
        ),
    ]
}

/// A number of `/proc/self/status`, KiB.
fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Nanoseconds of CPU that this thread has had.
fn cpu() -> u64 {
    // The system counts when it looks, which is now.
    std::thread::yield_now();
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    schedstat.split_whitespace().next().unwrap().parse().unwrap()
}

/// Not a test of itself: in a process of its own, judges the document whose file is named in the environment.
#[test]
fn judge_one() {
    let Some(file) = std::env::var_os("VARCO_MALICIOUS") else {
        return;
    };
    let kind = std::env::var("VARCO_MALICIOUS_KIND").unwrap();
    let contract = Contract::compile().unwrap();
    let (rules, calendario) = (Rules::embedded().unwrap(), Calendario::default());
    let circumstance = Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &calendario);
    // What is made once, by the first request, is none of this document's.
    let first = requests::trasmissione(&requests::dsu(
        "CAF00001-PROVA1-2026-N0000001",
        &TODAY.to_string(),
    ));
    assert_eq!(judge(&contract, XML, first.as_bytes(), &circumstance), "read");
    let bytes = std::fs::read(file).unwrap();
    // The highest resident set begins anew; where the system does not do that, it counts too much and not too
    // little.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let (memory, code, time) = (status("VmRSS:"), status("RssFile:"), cpu());
    let end = judge(&contract, &kind, &bytes, &circumstance);
    let (time, peak) = (cpu() - time, status("VmHWM:"));
    // Pages of the program that were read meanwhile are no document's.
    let code = status("RssFile:") - code;
    println!(
        "\nJUDGED\t{}\t{}\t{}",
        time / 1000,
        peak.saturating_sub(memory + code),
        end
    );
}

/// Judges a document in a process of its own.
fn judged(document: &Document) -> Judged {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &document.bytes).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "malicious::judge_one",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("VARCO_MALICIOUS", file.path())
        .env("VARCO_MALICIOUS_KIND", document.kind)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}: {said}{}",
        document.name,
        String::from_utf8_lossy(&output.stderr)
    );
    let judged = said
        .lines()
        .find_map(|line| line.strip_prefix("JUDGED\t"))
        .unwrap();
    let [micros, kib, end] = judged.splitn(3, '\t').collect::<Vec<_>>()[..] else {
        panic!("{judged}")
    };
    println!(
        "{micros:>9} us {kib:>6} KiB {:9} bytes  {}: {end}",
        document.bytes.len(),
        document.name
    );
    Judged {
        micros: micros.parse().unwrap(),
        kib: kib.parse().unwrap(),
        end: end.to_owned(),
    }
}

impl Document {
    /// How much CPU time it may take, microseconds.
    fn micros(&self, milliseconds: u64) -> u64 {
        let size = u64::try_from(self.bytes.len()).unwrap();
        1000 * if self.bytes.len() > whole() {
            size * milliseconds / (1 << 20)
        } else {
            milliseconds
        }
    }

    /// How much memory it may take, KiB.
    fn kib(&self) -> u64 {
        KIBIBYTES_JUDGED + BYTES_A_BYTE * u64::try_from(self.bytes.len()).unwrap() / 1024
    }
}

#[test]
fn each_is_refused_in_little_time_and_memory_and_nothing_is_fetched() {
    let home = tempfile::tempdir().unwrap();
    let named = home.path().join("named");
    std::fs::write(&named, "never to be read").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut wrong = Vec::new();
    for document in documents(
        &named.display().to_string(),
        listener.local_addr().unwrap().port(),
    ) {
        let Judged { micros, kib, end } = judged(&document);
        if end != document.end || micros > document.micros(MILLISECONDS) || kib > KIBIBYTES {
            wrong.push(format!(
                "{}: {end}, {micros} us, {kib} KiB; expected: {}",
                document.name, document.end
            ));
        }
    }
    assert!(
        listener
            .accept()
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "something was fetched"
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// As large as the port takes, in every place where a request may grow: what its schema accepts goes the
/// whole way.
#[test]
fn each_grown_as_large_as_it_may_be_is_judged_in_little_time_and_memory() {
    let contract = Contract::compile().unwrap();
    let mut wrong = Vec::new();
    let mut judge = |document: &Document| {
        let Judged { micros, kib, end } = judged(document);
        // It goes as far as the checks, or is too many nodes.
        let known = end == "read" || end.starts_with('K') || end == "xml: limit exceeded: nodes";
        if !known || micros > document.micros(MILLISECONDS_JUDGED) || kib > document.kib() {
            wrong.push(format!(
                "{}: {end}, {micros} us, {kib} KiB; at most {}",
                document.name,
                document.kib()
            ));
        }
    };
    for operation in [Operation::TrasmissioneDsu, Operation::TrasmissioneLotto] {
        for growth in kit::growing::growths(contract.schemas(), operation)
            .into_iter()
            .filter(|growth| !growth.is_value())
        {
            let kind = &kit::growing::kinds(&growth)[..1];
            // A little less than the port takes: the last one goes over the size that was asked.
            let text = kit::growing::Maker::new(contract.schemas()).request(
                operation,
                &growth,
                (kind, Frame::First),
                whole() - (16 << 10),
            );
            judge(&Document {
                name: growth.name,
                kind: XML,
                bytes: text.into_bytes(),
                end: "",
            });
        }
    }
    judge(&Document {
        name: "a lot of four times 38,000 students".to_owned(),
        kind: XML,
        bytes: students(4, 38_000).into_bytes(),
        end: "",
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A lot of DSU with many students, each another.
fn students(dsu: usize, each: usize) -> String {
    let students = numbered(each, |number| {
        let code = kit::growing::code(number);
        format!("<Universitario CodiceFiscaleBeneficiario=\"{code}\" PresenzaGenitori=\"TuttiPresenti\"/>")
    });
    let sample = requests::dsu("CAF00001-PROVA1-2026-N0000001", &TODAY.to_string());
    let full = sample.replacen("</ModelloBase>", &format!("{students}</ModelloBase>"), 1);
    envelope(&format!(
        "<TrasmissioneLotto xmlns=\"{}\">{}</TrasmissioneLotto>",
        Operation::TrasmissioneLotto.namespace(),
        full.repeat(dsu)
    ))
}

#[test]
fn the_port_refuses_them_and_goes_on() {
    let site = Site::new();
    let serving = site.serve();
    let client = site.client(serving.address, "caf");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let all = documents("/nowhere", listener.local_addr().unwrap().port());
    let sent = [
        ("entities in entities", "xml"),
        ("entity of the network", "xml"),
        ("style sheet", "xml"),
        ("attachment of the network", "package"),
        ("100,000 levels", "xml"),
        ("many prefixes for one namespace", "xml"),
        ("overlong UTF-8", "xml"),
        ("NUL all over", "xml"),
        ("10,000 parts", "package"),
        ("a part 8,000 times", "package"),
        ("a charset that is not read", "media-type"),
        ("a million siblings", "size"),
    ];
    kit::runtime().block_on(async {
        for (name, slug) in sent {
            let document = all.iter().find(|document| document.name == name).unwrap();
            // Lots may be larger than this: it is the other address that says no.
            let path = if slug == "size" { ISEE } else { DSU };
            let request = Request::post(path)
                .header("content-type", document.kind)
                .header("soapaction", "\"\"");
            let request = request
                .body(Full::new(Bytes::from(document.bytes.clone())))
                .unwrap();
            let answer = client.connect().await.unwrap().send(request).await.unwrap();
            assert_eq!(
                element(&answer, "type"),
                format!("urn:varco:problem:{slug}"),
                "{name}"
            );
        }
        let day = site.today();
        let good = requests::trasmissione(&requests::dsu(
            &format!("CAF00001-MALIZ1-{}-N0000001", &day[..4]),
            &day,
        ));
        let answer = client.call(DSU, &good).await.unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
    });
    assert!(listener.accept().is_err(), "something was fetched");
    serving.stop();
}
