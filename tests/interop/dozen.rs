//! Twelve clients that we did not write (`tests/clients/README.md` says how one is added), each against the
//! real binary: what they transmit and retrieve is checked here, in one place, and what they were sent in
//! every manner of HTTP is judged by one list of cases.
//!
//! Only the full run has these: they need the tools that `tests/install full` puts there, and without one of
//! them they fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kit::{BENEFIT, DSU, ISEE, Site, requests};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use varco::isee::rules::Rules;
use varco::ledger::search::{Filter, find};
use varco::ledger::{Entry, Keys, Kind, seal};
use varco::soap::{SOAP11, SOAP12};

macro_rules! clients {
    ($($name:ident),+ $(,)?) => {
        const CLIENTS: &[&str] = &[$(stringify!($name)),+];
        $(#[test] fn $name() { run(stringify!($name)); })+
    };
}

clients!(
    zeep,
    suds,
    node_soap,
    strong_soap,
    php,
    perl,
    ruby,
    jaxws,
    gsoap,
    kdsoap,
    go,
    curl
);

/// `client.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    library: String,
    wsdl: bool,
    variants: Vec<String>,
    #[serde(rename = "packages")]
    _packages: Vec<String>,
    #[serde(default)]
    unsupported: BTreeMap<String, String>,
    #[serde(default)]
    warnings: BTreeMap<String, String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the clients are.
fn clients() -> PathBuf {
    std::env::var_os("VARCO_CLIENTS_DIR").map_or_else(|| root().join("tests/clients"), PathBuf::from)
}

/// Where what they need is, and where their results go.
fn build(name: &str) -> PathBuf {
    let target =
        std::env::var_os("VARCO_CLIENTS_BUILD").map_or_else(|| root().join("target/clients"), PathBuf::from);
    target.join(name)
}

fn manifest(name: &str) -> Manifest {
    let file = clients().join(name).join("client.toml");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_client_is_run_and_documented() {
    let directories: BTreeSet<String> = std::fs::read_dir(clients())
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().join("client.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        directories,
        CLIENTS
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    );
    let documented = std::fs::read_to_string(root().join("docs/clients.md")).unwrap();
    for client in CLIENTS {
        let Manifest {
            name,
            library,
            warnings,
            unsupported,
            ..
        } = manifest(client);
        assert!(
            documented.contains(&format!("## {name}\n")),
            "docs/clients.md has no heading `{name}`"
        );
        assert!(
            documented.contains(&library),
            "docs/clients.md does not name `{library}`"
        );
        let connect = connect(client);
        let text = std::fs::read_to_string(&connect).unwrap();
        assert!(
            text.lines().count() <= 10,
            "{} has more than ten lines",
            connect.display()
        );
        assert!(
            documented.contains(&text),
            "docs/clients.md does not show {}",
            connect.display()
        );
        for (what, reason) in warnings.iter().chain(&unsupported) {
            assert!(
                documented.contains(reason.as_str()),
                "docs/clients.md does not say of {client}, {what}: {reason}"
            );
        }
    }
}

fn connect(client: &str) -> PathBuf {
    let mut files = std::fs::read_dir(clients().join(client))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.file_stem().is_some_and(|stem| stem == "connect"))
        .unwrap_or_else(|| panic!("{client} has no connect.*"))
}

/// Runs every variant of a client, and leaves a line of the table.
fn run(client: &str) {
    let manifest = manifest(client);
    let mut table = String::new();
    for variant in &manifest.variants {
        let outcome = run_variant(client, &manifest, variant);
        let _ = writeln!(
            table,
            "{}\t{}\t{}\t{variant}\t{outcome}",
            manifest.name,
            manifest.library,
            if manifest.wsdl { "WSDL" } else { "-" }
        );
    }
    let results = build("").join("results");
    std::fs::create_dir_all(&results).unwrap();
    std::fs::write(results.join(format!("{client}.tsv")), table).unwrap();
}

/// What a client said, by name.
struct Facts {
    client: String,
    values: BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl Facts {
    fn read(client: &str, said: &str) -> Self {
        let mut facts = Self {
            client: client.to_owned(),
            values: BTreeMap::new(),
            warnings: Vec::new(),
        };
        for line in said.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("{client} said `{line}`"));
            if name == "warning" {
                facts.warnings.push(value.to_owned());
            } else {
                let before = facts.values.insert(name.to_owned(), value.to_owned());
                assert!(before.is_none(), "{client} said {name} twice");
            }
        }
        facts
    }

    fn get(&self, name: &str) -> &str {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("{} did not say {name}: {:#?}", self.client, self.values))
    }

    fn same(&self, name: &str, expected: &str) {
        assert_eq!(self.get(name), expected, "{}: {name}", self.client);
    }

    fn decoded(&self, name: &str) -> String {
        decode(self.get(name)).unwrap_or_else(|| {
            panic!(
                "{}: {name} is not base64 of text: {}",
                self.client,
                self.get(name)
            )
        })
    }
}

fn decode(base64: &str) -> Option<String> {
    use base64::Engine as _;
    String::from_utf8(
        base64::engine::general_purpose::STANDARD
            .decode(base64.trim())
            .ok()?,
    )
    .ok()
}

fn run_variant(client: &str, manifest: &Manifest, variant: &str) -> String {
    let (version, mtom) = match variant.split_once('+') {
        Some((version, "mtom")) => (version, true),
        None => (variant, false),
        Some(_) => panic!("variant {variant}"),
    };
    assert!(matches!(version, "1.1" | "1.2"), "variant {variant}");
    let site = Site::new();
    let serving = site.serve();
    let day = site.today();
    let protocollo = format!("CAF00001-INTER1-{}-N0000001", &day[..4]);
    let work = site.home.path().join("work");
    std::fs::create_dir_all(work.join("cases")).unwrap();
    // Beyond ASCII, and in every encoding that clients use.
    let dsu = requests::dsu(&protocollo, &day).replace("VIA DEI TIGLI", "VIA DELLA LIBERTÀ");
    std::fs::write(work.join("dsu.xml"), &dsu).unwrap();
    // What the cases transmit is a DSU of its own: a client that writes XML itself does not write the very
    // characters of the file.
    let other = dsu.replace(&protocollo, &protocollo.replace("INTER1", "INTER2"));
    let cases = cases(version, &other, &day);
    let mut list = String::new();
    for case in &cases {
        std::fs::write(work.join("cases").join(case.name), &case.body).unwrap();
        let action = case.action.unwrap_or("-");
        let headers = if case.headers.is_empty() {
            "-"
        } else {
            case.headers
        };
        let Case {
            name,
            ente,
            path,
            kind,
            transfer,
            ..
        } = case;
        let connection = if case.close { "close" } else { "keep" };
        let _ = writeln!(
            list,
            "{name}\t{ente}\t{path}\t{kind}\t{action}\t{headers}\t{transfer}\t{connection}\t{name}"
        );
    }
    std::fs::write(work.join("cases.tsv"), list).unwrap();

    let output = Command::new(clients().join(client).join("run"))
        .current_dir(&work)
        .env(
            "VARCO_URL",
            format!("https://localhost:{}", serving.address.port()),
        )
        .env("VARCO_PORT", serving.address.port().to_string())
        .env("VARCO_PKI", site.home.path().join("pki"))
        .env("VARCO_WORK", &work)
        .env("VARCO_BUILD", build(client))
        .env("VARCO_SOAP", version)
        .env("VARCO_MTOM", if mtom { "1" } else { "0" })
        .env("VARCO_DAY", &day)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{client}: {error}: run `tests/install full`"));
    serving.stop();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{client} {variant}: {}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let facts = Facts::read(client, &said);

    check_values(&facts, &site, &dsu, &protocollo, &day);
    check_fault(&facts, version);
    check_version(&site, client, version);
    let unsupported = cases.iter().filter(|case| !case.check(&facts, manifest)).count();
    if variant == "1.1" {
        facts.same("connect", "OK");
    }
    for warning in &facts.warnings {
        assert!(
            manifest.warnings.keys().any(|known| warning.contains(known)),
            "{client}: a warning that is not listed: {warning}"
        );
    }
    format!(
        "values ok, {} cases ok{}",
        cases.len() - unsupported,
        if unsupported > 0 {
            format!(", {unsupported} not possible")
        } else {
            String::new()
        }
    )
}

/// What was transmitted and retrieved is what it must be, to the cent.
fn check_values(facts: &Facts, site: &Site, dsu: &str, protocollo: &str, day: &str) {
    facts.same("trasmissione.Esito", "OK");
    let protocol = facts.get("trasmissione.ProtocolloDSU");
    assert!(
        protocol.starts_with(&format!("INPS-ISEE-{}-", &day[..4])) && protocol.len() == 27,
        "{protocol}"
    );
    let impronta = facts.get("trasmissione.Impronta");
    assert_eq!(impronta.len(), 64, "{impronta}");
    let received: jiff::Timestamp = facts.get("trasmissione.IstanteRicezione").parse().unwrap();
    assert!(
        received <= kit::now() && received.duration_until(kit::now()).as_secs() < 300,
        "{received}"
    );
    let receipt = facts.decoded("trasmissione.XmlRicevuta");
    assert!(
        receipt.contains(&format!(
            "ProtocolloDSU=\"{protocol}\" ProtocolloMittente=\"{protocollo}\""
        )),
        "{receipt}"
    );
    // Whatever the client made of the text, what arrived says the same: names, amounts, and what is beyond
    // ASCII.
    let kept = kept(site, protocollo);
    for value in dsu
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|value| !value.contains("inps.it"))
    {
        assert!(
            kept.contains(&format!("\"{value}\"")),
            "{}: {value} is not in what arrived: {kept}",
            facts.client
        );
    }

    // The arithmetic is that of tests/clients/zeep/zeep_client.py. With 2.60%: ISR 312.00, ISE 6485.33, ISEE
    // 2438.09.
    let rules = Rules::embedded().unwrap();
    let cents = |amount: Decimal| amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let isr = cents(Decimal::from(12_000) * rules.on(day.parse().unwrap()).unwrap().law.rendimento.value());
    let ise = cents(isr + Decimal::new(6_173_334, 3));
    let isee = cents(ise / Decimal::new(266, 2));
    let values = format!(
        "ISE=\"{ise:.2}\" ScalaEquivalenza=\"2.66\" ISEE=\"{isee:.2}\" ISR=\"{isr:.2}\" ISP=\"30866.67\""
    );

    facts.same("indicatore.Esito", "OK");
    let indicatore = facts.decoded("indicatore.XmlEsitoIndicatore");
    assert!(
        indicatore.contains(&format!(
            "{values} ProtocolloDSU=\"{protocol}\" DataPresentazione=\"{day}\""
        )),
        "{indicatore}"
    );
    assert!(
        indicatore
            .contains("ProtocolloDomandaEnteErogatore=\"perché/€ à\" StatodomandaPrestazione=\"Da Erogare\""),
        "{indicatore}"
    );
    facts.same("attestazione.Esito", "OK");
    let attestazione = facts.decoded("attestazione.XmlEsitoAttestazione");
    assert!(
        attestazione.contains(&format!("NumeroProtocolloDSU=\"{protocol}\"")),
        "{attestazione}"
    );
    assert!(
        attestazione.contains(&format!("<Valori {values} />")),
        "{attestazione}"
    );
    assert!(
        attestazione.contains("Cognome=\"GALLI\" Nome=\"SOFIA\" CodiceFiscale=\"GLLSFO14B60H501C\""),
        "{attestazione}"
    );
    facts.same("assente.Esito", "DATI_NON_TROVATI");
    assert!(
        facts
            .get("assente.DescrizioneErrore")
            .contains("nessuna attestazione"),
        "{}",
        facts.get("assente.DescrizioneErrore")
    );
    let ids: BTreeSet<i32> = ["trasmissione", "indicatore", "attestazione"]
        .iter()
        .map(|name| facts.get(&format!("{name}.IdRichiesta")).parse().unwrap())
        .collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id > 0), "{ids:?}");
}

/// Entries of one kind, in order.
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

/// The DSU that was kept under a sender's protocol, out of the ledger.
fn kept(site: &Site, protocollo: &str) -> String {
    let keys = Keys::open(&site.directory().keys(), false).unwrap();
    let entries = entries(site, Kind::Dsu);
    let secrets = entries
        .iter()
        .map(|entry| seal::open(&keys, &entry.leaf, &entry.sealed).unwrap().1);
    let mut found = secrets.filter(|secret| secret.protocol.iter().any(|known| known == protocollo));
    let dsu = found.next().unwrap().dsu.unwrap();
    assert!(found.next().is_none(), "one DSU, whatever it came in");
    dsu
}

/// What the client sent itself was in the version that it was told to speak.
fn check_version(site: &Site, client: &str, version: &str) {
    let all = entries(site, Kind::Exchange);
    for operation in [
        "TrasmissioneDSU",
        "ConsultazioneIndicatore",
        "ConsultazioneAttestazione",
    ] {
        let first = all
            .iter()
            .find(|entry| entry.leaf.body.operation.as_deref() == Some(operation))
            .unwrap();
        let spoken = first
            .leaf
            .body
            .facts
            .get("soap")
            .and_then(|fact| fact.as_str())
            .unwrap_or("1.1");
        assert_eq!(
            spoken, version,
            "{client}: {operation} in another version of SOAP"
        );
    }
}

fn check_fault(facts: &Facts, version: &str) {
    let code = facts.get("fault.faultcode");
    let expected: &[&str] = if version == "1.1" {
        &["Client.Authorization"]
    } else {
        &["Sender", "Client.Authorization"]
    };
    assert!(expected.contains(&code), "{}: faultcode {code}", facts.client);
    assert!(
        facts.get("fault.faultstring").contains("Authorization failed"),
        "{}: {}",
        facts.client,
        facts.get("fault.faultstring")
    );
}

/// One request, byte for byte, and what must come back.
struct Case {
    name: &'static str,
    ente: &'static str,
    path: &'static str,
    kind: String,
    action: Option<&'static str>,
    headers: &'static str,
    transfer: &'static str,
    close: bool,
    body: Vec<u8>,
    status: u16,
    /// What the reply must hold.
    holds: &'static str,
}

impl Case {
    /// Whether the client could send it; if so, the answer is what it must be.
    fn check(&self, facts: &Facts, manifest: &Manifest) -> bool {
        let said = facts.get(&format!("case.{}", self.name));
        if said == "unsupported" {
            assert!(
                manifest.unsupported.contains_key(self.name),
                "{}: case {} is not listed as unsupported",
                facts.client,
                self.name
            );
            return false;
        }
        let (status, body) = said.split_once('\t').unwrap_or((said, ""));
        let body = decode(body).unwrap_or_default();
        assert_eq!(
            status,
            self.status.to_string(),
            "{}: case {}: {body}",
            facts.client,
            self.name
        );
        assert!(
            body.contains(self.holds),
            "{}: case {}: no `{}` in {body}",
            facts.client,
            self.name,
            self.holds
        );
        true
    }
}

/// What every client meets, in its version of SOAP.
fn cases(version: &str, dsu: &str, day: &str) -> Vec<Case> {
    const FOUND: &str = "<Esito>OK</Esito>";
    let soap12 = version == "1.2";
    let versioned = |text: String| {
        if soap12 {
            text.replace(SOAP11, SOAP12)
        } else {
            text
        }
    };
    let ask = versioned(requests::indicatore(requests::GIULIA, day, BENEFIT));
    let transmit = versioned(requests::trasmissione(dsu));
    let kind = |charset: &str| {
        format!(
            "{}{charset}",
            if soap12 {
                "application/soap+xml"
            } else {
                "text/xml"
            }
        )
    };
    let header = |block: &str| ask.replacen("<s:Body>", &format!("<s:Header>{block}</s:Header><s:Body>"), 1);
    let case = |name, body: Vec<u8>| Case {
        name,
        ente: "comune",
        path: ISEE,
        kind: kind("; charset=utf-8"),
        action: if soap12 {
            None
        } else {
            Some("\"http://inps.it/ConsultazioneISEE/ISvcConsultazione/ConsultazioneIndicatore\"")
        },
        headers: "",
        transfer: "length",
        close: false,
        body,
        status: 200,
        holds: FOUND,
    };
    let asked = |name| case(name, ask.clone().into_bytes());
    let fault = |name, body: String, holds| Case {
        status: if soap12 { 400 } else { 500 },
        holds,
        ..case(name, body.into_bytes())
    };
    // One DSU in every encoding and form: only the same, to the character, is accepted again.
    let transmitted = |name, kind: String, body: Vec<u8>| Case {
        ente: "caf",
        path: DSU,
        kind,
        action: Some("\"\""),
        ..case(name, body)
    };
    let declared =
        |encoding: &str| transmit.replacen("encoding=\"UTF-8\"", &format!("encoding=\"{encoding}\""), 1);
    let latin = |text: &str| {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect::<Vec<u8>>()
    };
    let utf16 = |text: &str| {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let two_bodies = ask.replacen("</s:Body>", "</s:Body><s:Body/>", 1);
    let unknown = "<x:sconosciuta xmlns:x='urn:esempio'>1</x:sconosciuta><wsa:To xmlns:wsa='http://www.w3.org/2005/08/addressing'>http://interno.example/altro</wsa:To><wsa:Action xmlns:wsa='http://www.w3.org/2005/08/addressing'>qualcosa</wsa:Action>";
    let understood = "<x:sconosciuta xmlns:x='urn:esempio' s:mustUnderstand='1'/>";
    let part = |content: &str| {
        format!(
            "--confine\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"{}\"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <radice@esempio>\r\n\r\n{content}\r\n",
            kind("")
        )
    };
    let multipart = format!(
        "multipart/related; boundary=\"confine\"; type=\"application/xop+xml\"; start=\"<radice@esempio>\"; start-info=\"{}\"",
        kind("")
    );
    let included = transmit.split_once("<Dichiarazione").unwrap().0.to_owned()
        + "<XmlDichiarazione><xop:Include xmlns:xop='http://www.w3.org/2004/08/xop/include' href='cid:dsu@esempio'/></XmlDichiarazione></TrasmissioneDSU></s:Body></s:Envelope>";
    let attached = part(&included)
        + "--confine\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <dsu@esempio>\r\n\r\n"
        + dsu
        + "\r\n--confine--\r\n";
    vec![
        Case {
            close: true,
            ..asked("close-1")
        },
        Case {
            close: true,
            ..asked("close-2")
        },
        asked("action-quoted"),
        Case {
            action: Some("http://inps.it/ConsultazioneISEE/ISvcConsultazione/ConsultazioneIndicatore"),
            ..asked("action-unquoted")
        },
        Case {
            action: Some("\"\""),
            ..asked("action-empty")
        },
        Case {
            action: None,
            ..asked("action-missing")
        },
        case(
            "date-zone",
            ask.replace(
                &format!("<DataValidita>{day}<"),
                &format!("<DataValidita>{day}Z<"),
            )
            .into_bytes(),
        ),
        case(
            "padded",
            ask.replace(
                &format!("<DataValidita>{day}<"),
                &format!("<DataValidita>\r\n  {day}\t<"),
            )
            .into_bytes(),
        ),
        case("header-unknown", header(unknown).into_bytes()),
        // SOAP 1.2, part 2, table 20: 400 is for the sender's faults alone.
        Case {
            status: 500,
            ..fault("header-must-understand", header(understood), "MustUnderstand")
        },
        fault("two-bodies", two_bodies, "urn:varco:problem:envelope"),
        transmitted(
            "latin1",
            kind("; charset=ISO-8859-1"),
            latin(&declared("ISO-8859-1")),
        ),
        transmitted("windows1252", kind(""), latin(&declared("windows-1252"))),
        transmitted(
            "latin9",
            kind("; charset=ISO-8859-15"),
            latin(&declared("ISO-8859-15")),
        ),
        transmitted("utf16", kind("; charset=utf-16"), utf16(&declared("UTF-16"))),
        Case {
            headers: "Content-Encoding: gzip",
            status: 415,
            holds: "urn:varco:problem:media-type",
            ..asked("gzip")
        },
        Case {
            transfer: "expect",
            ..asked("expect")
        },
        Case {
            transfer: "chunked",
            ..asked("chunked")
        },
        Case {
            kind: multipart.clone(),
            ..case("multipart", (part(&ask) + "--confine--\r\n").into_bytes())
        },
        transmitted("attachment", multipart, attached.into_bytes()),
    ]
}
