//! Clients that we did not write, against the real binary: zeep, driven by the WSDL that is served; curl, in
//! every manner of HTTP and encoding that clients use; and the commands that `varco demo` prints, run as they
//! are printed.
//!
//! Only the full run has these: they need the tools that `tests/install full` puts there, and without one of
//! them they fail.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use kit::{Site, requests};
use rust_decimal::{Decimal, RoundingStrategy};
use varco::clock::Clock;
use varco::isee::rules::Rules;

/// Where the repository is.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python of the environment that the tests have for themselves.
fn python() -> PathBuf {
    let python = std::env::var_os("PYTHON").map_or_else(
        || root().join("target/clients/zeep/venv/bin/python"),
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "{} is missing: run `tests/install full`",
        python.display()
    );
    python
}

/// Today, or the last day for which there are rules; and the yield of that day.
fn presentation(clock: &Clock) -> (String, Decimal) {
    let rules = Rules::embedded().unwrap();
    let day = clock.today().min(rules.all().last().unwrap().valid_to);
    (day.to_string(), rules.on(day).unwrap().law.rendimento.value())
}

/// Runs a command to its end; it must succeed. What it said, if it did not.
fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run `tests/install full`"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{:?}: {}\n{}{}",
        command.get_program(),
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

#[test]
fn zeep_transmits_and_retrieves_by_the_served_wsdl() {
    let python = python();
    let site = Site::new();
    let serving = site.serve();
    let (day, rendimento) = presentation(&site.clock);
    let protocollo = format!("CAF00001-ZEEP01-{}-N0000001", &day[..4]);
    let dsu = site.home.path().join("dsu.xml");
    std::fs::write(&dsu, requests::dsu(&protocollo, &day)).unwrap();

    succeed(
        Command::new(python)
            .arg(root().join("tests/clients/zeep/zeep_client.py"))
            .args([
                "--port",
                &serving.address.port().to_string(),
                "--protocollo",
                &protocollo,
                "--day",
                &day,
            ])
            .args([
                "--today",
                &site.clock.today().to_string(),
                "--rendimento",
                &rendimento.to_string(),
            ])
            .arg("--home")
            .arg(site.home.path())
            .arg("--wsdl")
            .arg(root().join("wsdl"))
            .arg("--dsu")
            .arg(&dsu),
    );
    serving.stop();
}

#[test]
fn curl_transmits_and_retrieves_in_every_manner() {
    let site = Site::new();
    let serving = site.serve();
    let (day, _) = presentation(&site.clock);
    let work = site.home.path().join("curl");
    std::fs::create_dir(&work).unwrap();
    let dsu = requests::dsu(&format!("CAF00001-CURL01-{}-N0000001", &day[..4]), &day)
        .replace("VIA DEI TIGLI", "VIA DELLA LIBERTÀ");
    std::fs::write(work.join("dsu.xml"), &dsu).unwrap();
    std::fs::write(work.join("trasmissione.xml"), requests::trasmissione(&dsu)).unwrap();
    let indicatore = requests::indicatore(requests::GIULIA, &day, kit::BENEFIT).replace("DOM-1", "@DOMANDA@");
    std::fs::write(work.join("indicatore.xml"), indicatore).unwrap();

    succeed(
        Command::new("bash")
            .arg(root().join("tests/clients/curl.sh"))
            .arg(serving.address.port().to_string())
            .arg(site.home.path().join("pki"))
            .arg(&work),
    );
    serving.stop();
}

/// `varco demo`, killed if a test ends before it.
struct Demo(Child);

type Lines = std::iter::Map<std::io::Lines<BufReader<ChildStdout>>, fn(std::io::Result<String>) -> String>;

impl Demo {
    /// Starts the demonstration in a directory. Returns the lines still to come, and the ones before "Ctrl-C".
    fn start(home: &Path) -> (Self, Lines, Vec<String>) {
        let child = Command::new(kit::binary())
            .args(["demo", "--porta", "0"])
            .current_dir(home)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut demo = Self(child);
        let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
        let mut lines: Lines = lines.map(Result::unwrap);
        let printed = lines
            .by_ref()
            .take_while(|line| !line.contains("Ctrl-C"))
            .collect();
        (demo, lines, printed)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_commands_that_the_demonstration_prints_work_as_printed() {
    let home = tempfile::tempdir().unwrap();
    let (day, rendimento) = presentation(&Clock::system());
    let (mut demo, lines, printed) = Demo::start(home.path());
    let commands = commands(&printed);
    assert_eq!(commands.len(), 4, "{printed:#?}");

    // curl's own configuration, outside the command: to learn the HTTP status of a command that does not show
    // it.
    std::fs::write(
        home.path().join(".curlrc"),
        "write-out = \"%{stderr}HTTP %{http_code}\"\n",
    )
    .unwrap();
    let replies: Vec<String> = commands
        .iter()
        .map(|command| as_printed(command, home.path()))
        .collect();
    let [trasmissione, indicatore, attestazione, wsdl] = replies.as_slice() else {
        panic!("{replies:#?}")
    };

    // The protocol and the imprint of the tour: it is the same transmission again.
    let toured = |label: &str| {
        printed
            .iter()
            .find_map(|line| line.trim().strip_prefix(label))
            .unwrap_or_else(|| panic!("no {label} in the tour"))
    };
    let protocollo = toured("protocollo ");
    assert_eq!(element(trasmissione, "Esito"), "OK");
    assert_eq!(element(trasmissione, "ProtocolloDSU"), protocollo);
    assert_eq!(
        element(trasmissione, "Impronta"),
        toured("ricevuta ").split(' ').next().unwrap()
    );

    // With the incomes of the feed: 24500 less the employee's 20%, at most 3000, and 18200: 21500 + 18200 =
    // 39700. The rest as tests/clients/zeep/zeep_client.py works it out. With 2.60%: ISR 40012.00, ISE
    // 40012.00 + 6173.334 = 46185.33, ISEE 46185.33 / 2.66 = 17362.91.
    let cents = |amount: Decimal| amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let isr = Decimal::from(39_700) + cents(Decimal::from(12_000) * rendimento);
    let ise = cents(isr + Decimal::new(6_173_334, 3));
    let isee = cents(ise / Decimal::new(266, 2));
    let values = format!(
        "ISE=\"{ise:.2}\" ScalaEquivalenza=\"2.66\" ISEE=\"{isee:.2}\" ISR=\"{isr:.2}\" ISP=\"30866.67\""
    );
    if rendimento == Decimal::new(26, 3) {
        assert_eq!(
            values,
            r#"ISE="46185.33" ScalaEquivalenza="2.66" ISEE="17362.91" ISR="40012.00" ISP="30866.67""#
        );
    }
    assert_eq!(element(indicatore, "Esito"), "OK");
    let payload = payload(indicatore, "XmlEsitoIndicatore");
    assert!(
        payload.contains(&format!(
            "{values} ProtocolloDSU=\"{protocollo}\" DataPresentazione=\"{day}\""
        )),
        "{payload}"
    );
    assert_eq!(element(attestazione, "Esito"), "OK");
    let payload = self::payload(attestazione, "XmlEsitoAttestazione");
    assert!(payload.contains(&format!("<Valori {values} />")), "{payload}");
    assert!(
        payload.contains(&format!("NumeroProtocolloDSU=\"{protocollo}\"")),
        "{payload}"
    );
    let address = toured("in ascolto su ");
    assert!(
        wsdl.contains("<wsdl:definitions ") && wsdl.trim_end().ends_with("</wsdl:definitions>"),
        "{wsdl}"
    );
    assert!(
        wsdl.contains(&format!("<soap:address location=\"{address}{}\"/>", kit::ISEE)),
        "{wsdl}"
    );

    // Ctrl-C: a clean end, that is recorded, and a ledger that holds.
    assert!(
        Command::new("kill")
            .args(["-INT", &demo.0.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let status = demo.0.wait().unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut demo.0.stderr.take().unwrap(), &mut said).unwrap();
    assert!(status.success(), "{status}: {said}");
    assert_eq!(said, "");
    assert_eq!(lines.collect::<Vec<_>>(), Vec::<String>::new());
    let data = home.path().join("varco-demo/data").display().to_string();
    let (verified, holds) = kit::varco(&["ledger", "--data", &data, "verify"]);
    assert!(holds, "{verified}");
    // The tour's three exchanges, two for each of its five invented families, and the three of the commands;
    // the contract is served without an entry.
    let (listed, _) = kit::varco(&[
        "ledger", "--data", &data, "list", "--tipo", "exchange", "--esito", "OK",
    ]);
    assert_eq!(listed.lines().count(), 16, "{listed}");
}

/// The curl commands among printed lines: each from `curl ` to the first line that does not go on.
fn commands(printed: &[String]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in printed {
        match commands.last_mut() {
            Some(command) if goes_on => {
                command.push('\n');
                command.push_str(line);
            }
            _ if line.starts_with("curl ") => commands.push(line.clone()),
            _ => continue,
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

/// What a printed command prints, run by a shell in that directory. It must end well, and HTTP with it.
fn as_printed(command: &str, directory: &Path) -> String {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .env("CURL_HOME", directory)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}: {}: {said}", output.status);
    assert_eq!(said, "HTTP 200", "{command}");
    String::from_utf8(output.stdout).unwrap()
}

fn element<'t>(reply: &'t str, name: &str) -> &'t str {
    varco::contract::esiti_text(reply, name).unwrap_or_else(|| panic!("no {name} in {reply}"))
}

fn payload(reply: &str, name: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(
        base64::engine::general_purpose::STANDARD
            .decode(element(reply, name))
            .unwrap(),
    )
    .unwrap()
}

#[test]
fn openssl_believes_the_authority_of_tests_and_its_list() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str| home.path().join("rete").join(name).display().to_string();
    let pki = |command: &str, rest: &[&str]| {
        succeed(
            Command::new(kit::binary())
                .args(["pki", command, &file("")])
                .args(rest),
        )
    };
    pki("ca", &["--nome", "Autorità di prova"]);
    pki("server", &["localhost", "127.0.0.1", "--rsa"]);
    pki(
        "client",
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
    pki("rinnova", &[&file("comune.pem")]);
    pki("revoca", &[&file("comune.pem"), "--motivo", "superseded"]);
    let verify = |purpose: &str, name: &str| {
        let (authority, list) = (file("ca.pem"), file("crl.pem"));
        let strict = [
            "verify",
            "-x509_strict",
            "-crl_check",
            "-CAfile",
            &authority,
            "-CRLfile",
            &list,
            "-purpose",
            purpose,
        ];
        let output = Command::new("openssl")
            .args(strict)
            .arg(file(name))
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    for (purpose, name) in [("sslserver", "localhost.pem"), ("sslclient", "comune-2.pem")] {
        assert_eq!(verify(purpose, name), (true, String::new()), "{name}");
    }
    let (valid, why) = verify("sslclient", "comune.pem");
    assert!(!valid && why.contains("certificate revoked"), "{why}");
    assert!(
        !verify("sslclient", "localhost.pem").0,
        "a server's certificate, for a client"
    );
    let list = succeed(Command::new("openssl").args([
        "crl",
        "-noout",
        "-text",
        "-in",
        &file("crl.pem"),
        "-CAfile",
        &file("ca.pem"),
    ]));
    assert!(
        list.contains("Superseded") && list.contains("CRL Number: \n                2\n"),
        "{list}"
    );
    let subject = succeed(Command::new("openssl").args([
        "x509",
        "-noout",
        "-subject",
        "-nameopt",
        "RFC2253",
        "-in",
        &file("comune-2.pem"),
    ]));
    assert_eq!(subject.matches("OU=IPAIT-UO_").count(), 2, "{subject}");
    for name in ["localhost", "comune-2"] {
        let key =
            succeed(Command::new("openssl").args(["pkey", "-pubout", "-in", &file(&format!("{name}.key"))]));
        let certified = succeed(Command::new("openssl").args([
            "x509",
            "-noout",
            "-pubkey",
            "-in",
            &file(&format!("{name}.pem")),
        ]));
        assert_eq!(key, certified, "{name}");
    }
}

/// The page of the manual for integrators: its commands and its program, against a demonstration.
#[test]
fn the_page_for_integrators_leads_to_an_isee() {
    let home = tempfile::tempdir().unwrap();
    let (_demo, _, printed) = Demo::start(home.path());
    let address = printed
        .iter()
        .find_map(|line| line.trim().strip_prefix("in ascolto su "));
    let port = address.unwrap().rsplit(':').next().unwrap();
    let page = std::fs::read_to_string(root().join("docs/it/integratore.md")).unwrap();
    let page = page.replace(":8443/", &format!(":{port}/"));
    let blocks = |opening: &str| -> Vec<String> {
        let rest = page.split(opening).skip(1);
        rest.map(|rest| rest.split_once("\n```").unwrap().0.to_owned())
            .collect()
    };
    let commands = blocks("```sh demo\n");
    assert_eq!(commands.len(), 3, "{commands:?}");
    for command in commands {
        let output = Command::new("sh")
            .args(["-e", "-c", &command])
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}\n{output:?}");
    }
    let run = |program: &str| {
        let output = Command::new(python())
            .args(["-c", program])
            .current_dir(home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said} {output:?}");
        said
    };
    let programs = blocks("```python\n");
    let [ask, transmit] = &programs[..] else {
        panic!("two programs")
    };
    let said = run(ask);
    assert!(said.starts_with("OK <") && said.contains("ISEE=\""), "{said}");
    let dsu = std::fs::read_to_string(root().join("docs/esempio/dsu.xml")).unwrap();
    std::fs::write(home.path().join("dsu.xml"), &dsu).unwrap();
    let said = run(transmit);
    assert!(said.starts_with("OK INPS-ISEE-"), "{said}");
    // The same with a mistake, under another protocol.
    let wrong = dsu
        .replace("VRDNNA86E52H501B", "VRDNNA86E52H501C")
        .replace("ESEMPI", "ESEMPJ");
    std::fs::write(home.path().join("dsu.xml"), wrong).unwrap();
    let said = run(transmit);
    assert!(said.contains("K05.controllo"), "{said}");
}
