//! The authority of test networks, by the real binary: what it issues opens the door of a gateway, until it
//! is revoked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kit::{BENEFIT, ISEE, Serving, Site, requests, varco};
use rustls::pki_types::CertificateDer;
use varco::commands::client::Client;
use varco::tls::pem::certificates;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// A site whose channel is all of an authority that `varco pki` keeps in `rete`.
struct Net {
    site: Site,
}

impl Net {
    fn new() -> Self {
        let net = Self { site: Site::new() };
        net.done(&["ca"], &["--nome", "Autorità di prova"]);
        net.done(
            &["server"],
            &["localhost", "127.0.0.1", "::1", "--dove", &net.text("server.pem")],
        );
        let text = "listen = \"127.0.0.1:0\"\ndata = \"data\"\n\n\
             [tls]\ncertificate = \"rete/server.pem\"\nkey = \"rete/server.key\"\n\
             client_authorities = \"rete/ca.pem\"\ncrl = [\"rete/crl.pem\"]\n";
        std::fs::write(net.site.config(), text).unwrap();
        net
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.home.path().join("rete").join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// Runs `varco pki`: the command, the authority's directory, the rest.
    fn run(&self, command: &[&str], rest: &[&str]) -> (String, bool) {
        let directory = self.text("");
        let all: Vec<&str> = ["pki"]
            .iter()
            .chain(command)
            .chain([&&*directory])
            .chain(rest)
            .copied()
            .collect();
        varco(&all)
    }

    fn done(&self, command: &[&str], rest: &[&str]) -> String {
        let (text, done) = self.run(command, rest);
        assert!(done, "{command:?} {rest:?}: {text}");
        text
    }

    fn refused(&self, command: &[&str], rest: &[&str], why: &str) {
        let before = self.index();
        let (text, done) = self.run(command, rest);
        assert!(!done && text.contains(why), "{command:?} {rest:?}: {text}");
        assert_eq!(self.index(), before, "{command:?} {rest:?} left something");
    }

    fn index(&self) -> String {
        std::fs::read_to_string(self.file("indice.txt")).unwrap_or_default()
    }

    fn register(&self, arguments: &[&str]) {
        let data = self.site.data().display().to_string();
        let all: Vec<&str> = ["ente", "certificato", "comune"]
            .iter()
            .chain(arguments)
            .chain(&["--data", &data, "--motivo", "prova"])
            .copied()
            .collect();
        let (text, done) = varco(&all);
        assert!(done, "{text}");
    }

    /// What the municipality is answered with a certificate; nothing where the channel is closed to it.
    fn ask(&self, serving: &Serving, name: &str) -> Option<String> {
        let (certificate, key) = (
            self.file(&format!("{name}.pem")),
            self.file(&format!("{name}.key")),
        );
        let client = Client::new(serving.address, &self.file("ca.pem"), Some((&certificate, &key))).unwrap();
        let request = requests::indicatore(requests::GIULIA, &self.site.today(), BENEFIT);
        kit::runtime()
            .block_on(client.call(ISEE, &request))
            .ok()
            .map(|answer| answer.text)
    }

    fn admits(&self, serving: &Serving, name: &str) -> bool {
        self.ask(serving, name)
            .is_some_and(|text| text.contains("DATI_NON_TROVATI"))
    }
}

fn der(file: &Path) -> CertificateDer<'static> {
    certificates(file).unwrap().remove(0)
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
    X509Certificate::from_der(der).unwrap().1
}

/// Number and entries (serial, reason) of a list.
fn list(file: &Path) -> (u64, Vec<(String, u8)>) {
    use rustls::pki_types::pem::PemObject as _;
    let der = rustls::pki_types::CertificateRevocationListDer::from_pem_file(file).unwrap();
    let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
    let reason = |entry: &x509_parser::revocation_list::RevokedCertificate<'_>| {
        entry.reason_code().map_or(0, |(_, code)| code.0)
    };
    let entries = list
        .iter_revoked_certificates()
        .map(|entry| (varco::digest::hex(entry.raw_serial()), reason(entry)))
        .collect();
    (list.crl_number().unwrap().try_into().unwrap(), entries)
}

#[test]
fn a_certificate_lives_from_issue_to_renewal_and_revocation() {
    let net = Net::new();
    net.done(
        &["client"],
        &[
            "comune",
            "--codice-fiscale",
            "01234567897",
            "--unita",
            "IPAIT-UO_ABC123",
            "--unita",
            "IPAIT-UO_DEF456",
        ],
    );
    net.done(&["client"], &["altro", "--rsa"]);
    net.register(&[&net.text("comune.pem")]);
    let serving = net.site.serve();
    assert!(net.admits(&serving, "comune"));
    assert!(
        net.ask(&serving, "altro")
            .is_some_and(|text| text.contains("Client.Authorization")),
        "nobody's, but let through the handshake"
    );

    net.done(&["rinnova"], &[&net.text("comune.pem")]);
    let (old, new) = (der(&net.file("comune.pem")), der(&net.file("comune-2.pem")));
    let (old, new) = (parse(&old), parse(&new));
    assert_eq!(old.subject().as_raw(), new.subject().as_raw());
    let subject = new.subject().to_string();
    assert!(
        subject.contains("CF:IT-01234567897")
            && subject.contains("IPAIT-UO_ABC123")
            && subject.contains("IPAIT-UO_DEF456"),
        "{subject}"
    );
    assert!(
        new.extended_key_usage().unwrap().unwrap().value.client_auth
            && new.key_usage().unwrap().unwrap().value.digital_signature()
    );
    assert_ne!(old.public_key().raw, new.public_key().raw);
    assert_ne!(old.raw_serial(), new.raw_serial());
    assert!(
        net.ask(&serving, "comune-2")
            .is_some_and(|text| text.contains("Client.Authorization")),
        "another certificate"
    );
    net.register(&[&net.text("comune-2.pem")]);
    assert!(net.admits(&serving, "comune-2") && net.admits(&serving, "comune"));
    // Where the organization is what is registered, nothing is to be done for the next one: of any of its
    // units.
    net.register(&[&net.text("ca.pem"), "--emittente", "--unita", "IPAIT-UO_DEF456"]);
    net.done(&["rinnova"], &[&net.text("comune-2.pem")]);
    assert!(net.admits(&serving, "comune-3"));

    net.done(
        &["revoca"],
        &[&net.text("comune.pem"), "--motivo", "keyCompromise"],
    );
    let begun = Instant::now();
    while net.ask(&serving, "comune").is_some() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the list was not read again"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(net.admits(&serving, "comune-2") && net.admits(&serving, "comune-3"));
    serving.stop();
}

#[test]
fn a_server_s_certificate_has_its_names_and_keeps_them() {
    let net = Net::new();
    net.done(
        &["server"],
        &[
            "porta.example",
            "*.porta.example",
            "192.0.2.7",
            "--rsa",
            "--giorni",
            "30",
        ],
    );
    net.done(
        &["rinnova"],
        &[
            &net.text("porta.example.pem"),
            "--dove",
            &net.text("nuovo"),
            "--giorni",
            "60",
        ],
    );
    let (old, new) = (der(&net.file("porta.example.pem")), der(&net.file("nuovo.pem")));
    for (certificate, days) in [(parse(&old), 30), (parse(&new), 60)] {
        assert!(
            matches!(certificate.public_key().parsed().unwrap(), PublicKey::RSA(_)),
            "RSA was asked for"
        );
        let names = certificate
            .subject_alternative_name()
            .unwrap()
            .unwrap()
            .value
            .general_names
            .len();
        assert!(
            names == 3
                && certificate
                    .extended_key_usage()
                    .unwrap()
                    .unwrap()
                    .value
                    .server_auth
        );
        let left = certificate.validity().not_after.timestamp() - kit::now().as_second();
        assert!(
            (days * 86_400 - 300..=days * 86_400).contains(&left),
            "{left} seconds"
        );
    }
    // Of no longer life than its authority.
    net.done(&["client"], &["eterno", "--giorni", "36500"]);
    let (own, authority) = (der(&net.file("eterno.pem")), der(&net.file("ca.pem")));
    assert_eq!(
        parse(&own).validity().not_after,
        parse(&authority).validity().not_after
    );
}

#[test]
fn nothing_is_written_over_and_every_list_has_a_higher_number() {
    let net = Net::new();
    net.done(&["client"], &["Comune di Prova/1"]);
    let (certificate, key) = (
        net.text("comune-di-prova-1.pem"),
        net.file("comune-di-prova-1.key"),
    );
    for private in [&key, &net.file("ca.key"), &net.file("server.key")] {
        assert_eq!(
            std::fs::metadata(private).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            private.display()
        );
    }
    net.refused(&["ca"], &["--nome", "Altra"], "esiste già");
    net.refused(&["client"], &["Comune di Prova/1"], "esiste già");
    net.refused(&["client"], &["crl"], "esiste già");
    net.refused(
        &["client"],
        &["x", "--codice-fiscale", "01234567890"],
        "codice fiscale",
    );
    net.refused(&["client"], &["x", "--unita", "a\tb"], "da 1 a 64");
    net.refused(
        &["client"],
        &["x", "--dove", &net.text("nessuna/x")],
        "non esiste",
    );
    net.refused(&["server"], &["un nome"], "né un nome DNS");
    net.refused(&["revoca"], &["4f00"], "nessun certificato né seriale");
    net.refused(
        &["revoca"],
        &[&net.site.pem("comune").0.display().to_string()],
        "non è di questa autorità",
    );
    net.refused(
        &["rinnova"],
        &[&net.site.pem("comune").0.display().to_string()],
        "non è di questa autorità",
    );

    let crl = net.file("crl.pem");
    assert_eq!(list(&crl), (1, Vec::new()));
    net.done(&["crl"], &["--giorni", "90"]);
    let serial = varco::digest::hex(parse(&der(&net.file("server.pem"))).raw_serial());
    let spelled = serial
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap().to_owned())
        .collect::<Vec<_>>();
    net.done(
        &["revoca"],
        &[&spelled.join(":"), "--motivo", "cessationOfOperation"],
    );
    assert_eq!(list(&crl), (3, vec![(serial.clone(), 5)]));
    let line = net
        .index()
        .lines()
        .find(|line| line.starts_with(&serial))
        .unwrap()
        .to_owned();
    assert!(
        line.contains("CN=localhost")
            && line.contains("\trevocato 20")
            && line.ends_with("Z cessationOfOperation"),
        "{line}"
    );
    assert!(
        net.index().contains("\ncrl\t3\t90\n"),
        "a revocation does not shorten the lists' life: {}",
        net.index()
    );
    net.done(&["revoca"], &[&certificate]);
    net.done(&["crl"], &[]);
    let (number, entries) = list(&crl);
    assert_eq!((number, entries.len()), (5, 2));
    net.refused(&["revoca"], &[&certificate], "già revocato");
    net.refused(&["rinnova"], &[&certificate], "non si rinnova");
    // Several at a time: none is lost.
    std::thread::scope(|scope| {
        for at in 0..8 {
            let net = &net;
            scope.spawn(move || net.done(&["client"], &[&format!("insieme{at}")]));
        }
    });
    assert_eq!(net.index().matches("CN=insieme").count(), 8, "{}", net.index());
    let left: Vec<_> = std::fs::read_dir(net.file(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().ends_with(".new")),
        "{left:?}"
    );
}
