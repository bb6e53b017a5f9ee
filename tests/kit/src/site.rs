//! What the tests share: a gateway of the real binary on a port that the system gives, with a PKI of its own
//! and enti accredited by the real commands; and a client over mutually authenticated TLS.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use varco::clock::Clock;
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::commands::{ente, init, pki};
use varco::contract::catalogue::Service;
use varco::gateway::node::{Node, rebuild};
use varco::isee::rules::Rules;
use varco::ledger::disk::RealDisk;
use varco::ledger::search::{Filter, find};
use varco::ledger::{Directory, Kind};
use varco::registry::administration::Command as Act;
use varco::registry::ente::{Stato, Tipo};

pub use varco::commands::requests;

/// Where transmissions go.
pub const DSU: &str = "/isee/TrasmissioneDSU/v1";
/// Where consultations go.
pub const ISEE: &str = "/isee/ConsultazioneISEE/v1";
/// The benefit that the municipality may ask for.
pub const BENEFIT: &str = "A1.07";

/// The binary under test: the release one where the full run names it.
pub fn binary() -> PathBuf {
    std::env::var_os("VARCO_BIN").map_or_else(built, PathBuf::from)
}

/// The one that was built with the tests: they are in `deps`, or in `examples`, beside it.
fn built() -> PathBuf {
    std::env::current_exe()
        .unwrap()
        .ancestors()
        .nth(2)
        .unwrap()
        .join("varco")
}

/// A data directory with a municipality (`comune`) and a CAF (`caf`) accredited, certificates and
/// configuration beside it.
pub struct Site {
    pub home: TempDir,
    pub pki: pki::Demo,
    pub clock: Clock,
}

impl Site {
    /// Makes one; `clock` decides the certificates' dates.
    pub fn new() -> Self {
        Self::at(Clock::system())
    }

    pub fn at(clock: Clock) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pki = pki::demo(&home.path().join("pki"), clock.now()).unwrap();
        init::create(&home.path().join("data"), &clock).unwrap();
        let site = Self { home, pki, clock };
        site.accredit(
            "comune",
            Tipo::Comune,
            &site.pki.comune.fingerprint.clone(),
            "ConsultazioneIndicatore,ConsultazioneAttestazione",
        );
        site.accredit(
            "caf",
            Tipo::Caf,
            &site.pki.caf.fingerprint.clone(),
            "TrasmissioneDSU",
        );
        site.accredit(
            "sospeso",
            Tipo::Altro,
            &site.pki.sospeso.fingerprint.clone(),
            "ConsultazioneIndicatore",
        );
        site.act(Act::Stato {
            codice: "sospeso".to_owned(),
            nuovo: Stato::Sospeso,
        });
        site.configure("");
        site
    }

    /// The configuration, with whatever a test adds.
    pub fn configure(&self, more: &str) {
        // What is not about waiting for the feed does not wait for it.
        let sii = if more.contains("[sii]") {
            ""
        } else {
            "[sii]\nattesta = \"subito\"\n"
        };
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\n\n[tls]\ncertificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\nclient_authorities = \"pki/ca.pem\"\ncrl = [\"pki/crl.pem\"]\n\n{more}\n{sii}"
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.home.path().join("varco.toml")
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn directory(&self) -> Directory {
        Directory::open(&self.data()).unwrap()
    }

    pub fn pem(&self, name: &str) -> (PathBuf, PathBuf) {
        let file = |extension: &str| self.home.path().join(format!("pki/{name}.{extension}"));
        (file("pem"), file("key"))
    }

    pub fn accredit(&self, codice: &str, tipo: Tipo, fingerprint: &str, operazioni: &str) {
        let name = format!("Ente {codice}");
        let commands = accreditamento::commands(
            (codice, &name, "01234567897"),
            tipo,
            fingerprint,
            operazioni,
            &[BENEFIT],
        );
        commands.into_iter().for_each(|command| self.act(command));
    }

    /// Gives an ente a certificate of its own, and accredits it.
    pub fn enrol(&self, codice: &str, tipo: Tipo, operazioni: &str) {
        let issued = self.pki.authority.client(codice).unwrap();
        let (certificate, key) = self.pem(codice);
        std::fs::write(certificate, &issued.certificate).unwrap();
        std::fs::write(key, &issued.key).unwrap();
        self.accredit(codice, tipo, &issued.fingerprint, operazioni);
    }

    /// Carries out a command as `varco ente` does, wherever the registry is now.
    pub fn act(&self, command: Act) {
        runtime()
            .block_on(ente::apply(&self.data(), command, "prova", &self.clock))
            .unwrap();
    }

    /// A client with one of the certificates.
    pub fn client(&self, address: SocketAddr, name: &str) -> Client {
        let (certificate, key) = self.pem(name);
        Client::new(
            address,
            &self.home.path().join("pki/ca.pem"),
            Some((&certificate, &key)),
        )
        .unwrap()
    }

    /// Starts the real binary.
    pub fn serve(&self) -> Serving {
        Serving::start(&self.config())
    }

    /// Refusals by their codes: of exchanges, one each; those recorded together, as many as they were. Nobody
    /// may be writing.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        let mut refusals = BTreeMap::new();
        let mut count = |code: &str, number| *refusals.entry(code.to_owned()).or_default() += number;
        for entry in find(&self.directory().reader(), &Filter::default(), usize::MAX).unwrap() {
            let body = &entry.leaf.body;
            if let Some(code) = body.refusal.as_deref().filter(|_| body.kind == Kind::Exchange) {
                count(code, 1);
            }
            for group in body
                .facts
                .get("gruppi")
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
            {
                count(
                    group["motivo"].as_str().unwrap(),
                    group["numero"].as_u64().unwrap(),
                );
            }
        }
        refusals
    }

    /// The day that the tests present DSU on: today, or the last day for which there are rules.
    pub fn today(&self) -> String {
        let rules = Rules::embedded().unwrap();
        self.clock
            .today()
            .min(rules.all().last().unwrap().valid_to)
            .to_string()
    }
}

/// A gateway of the real binary; killed when dropped.
pub struct Serving {
    pub child: Child,
    pub address: SocketAddr,
    pub log: PathBuf,
}

impl Serving {
    pub fn start(config: &Path) -> Self {
        let log = config.with_file_name("varco.log");
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        Self::start_with(config, errors)
    }

    /// The log, as soon as a line of it has all of these. A thread of its own writes the log: an answer may
    /// be here before its line.
    pub fn logged(&self, parts: &[&str]) -> String {
        for _ in 0..200 {
            let log = std::fs::read_to_string(&self.log).unwrap();
            if log
                .lines()
                .any(|line| parts.iter().all(|part| line.contains(part)))
            {
                return log;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!(
            "no line has {parts:?}: {}",
            std::fs::read_to_string(&self.log).unwrap()
        );
    }

    /// With the log written there; [`Serving::log`] may name nothing then.
    pub fn start_with(config: &Path, errors: impl Into<Stdio>) -> Self {
        let log = config.with_file_name("varco.log");
        let mut child = Command::new(binary())
            .args(["serve", "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .expect("the binary starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let address = first
            .trim()
            .rsplit("https://")
            .next()
            .and_then(|text| text.parse().ok());
        let Some(address) = address else {
            let _ = child.wait();
            panic!(
                "did not start: {first} {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
        };
        Self { child, address, log }
    }

    /// Processor time so far, in hundredths of a second (proc_pid_stat(5), utime and stime).
    pub fn cpu(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = text.rsplit(") ").next().unwrap();
        after_name
            .split(' ')
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, by its name without "SIG".
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success(), "SIG{name} was not sent");
    }

    /// SIGTERM, and waits for a clean end.
    pub fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success(), "did not stop cleanly");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// The text of an element of a reply.
pub fn element<'t>(answer: &'t Answer, name: &str) -> &'t str {
    varco::contract::esiti_text(&answer.text, name).unwrap_or_else(|| panic!("no {name} in {}", answer.text))
}

/// A payload, out of its base64.
pub fn payload(answer: &Answer, name: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(
        base64::engine::general_purpose::STANDARD
            .decode(element(answer, name))
            .unwrap(),
    )
    .unwrap()
}

/// Whether a service is one of the two: so that a path of the tests cannot go stale.
pub fn paths_are_current() -> bool {
    Service::ALL.iter().any(|service| service.path() == DSU)
        && Service::ALL.iter().any(|service| service.path() == ISEE)
}

/// What the views hold is what a rebuild makes. Nobody may have the directory open.
pub fn views_equal_a_rebuild(directory: &Directory, clock: &Clock) {
    let dump = || {
        let node = Node::open(directory, clock, Arc::new(RealDisk), u64::MAX).unwrap();
        // How far they reach is written with what changes them, or at a stop: behind the head by what changes
        // nothing.
        let dump: Vec<_> = node
            .store
            .scan("")
            .unwrap()
            .into_iter()
            .filter(|(name, _)| name != b"m/applied")
            .collect();
        node.close();
        dump
    };
    let as_found = dump();
    runtime()
        .block_on(rebuild(directory, clock, Arc::new(RealDisk), None))
        .unwrap();
    let rebuilt = dump();
    assert!(!rebuilt.is_empty());
    // Names and values are tokens, codes and positions: no personal data.
    let text = |(name, value): &(Vec<u8>, Vec<u8>)| {
        format!(
            "{} = {}",
            String::from_utf8_lossy(name),
            varco::digest::hex(value)
        )
    };
    let only = |these: &[(Vec<u8>, Vec<u8>)], those: &[(Vec<u8>, Vec<u8>)]| -> Vec<String> {
        let those: std::collections::BTreeSet<_> = those.iter().collect();
        these
            .iter()
            .filter(|pair| !those.contains(pair))
            .take(10)
            .map(text)
            .collect()
    };
    let (lost, left) = (only(&rebuilt, &as_found), only(&as_found, &rebuilt));
    assert!(
        as_found == rebuilt,
        "the views differ from a rebuild: without {lost:#?}, with {left:#?}"
    );
}

/// Runs the real binary with arguments: output and success.
pub fn varco(arguments: &[&str]) -> (String, bool) {
    let output = Command::new(binary()).args(arguments).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.success())
}

pub fn now() -> Timestamp {
    Clock::system().now()
}

/// The words of a command line; quotes hold them together.
pub fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(place, part)| match place % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}
