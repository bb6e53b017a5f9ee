//! Whole exchanges: the release binary under callgrind, asked by a real client, one request at a time.
//!
//! A row is the difference of two runs that answer different numbers of its requests, divided by the
//! difference: start, stop and handshakes cancel. SHA-256 is left out, since the emulated processor lacks the
//! instructions for it that real ones have. `VARCO_DUMPS=DIR` keeps the dumps, for `callgrind_annotate`.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kit::famiglia::venti_kilobyte;
use kit::{BENEFIT, DSU, ISEE, Site, requests, runtime};
use varco::commands::client::{Answer, Client};
use varco::commands::famiglie::Famiglie;

use super::costs;

/// What is asked, and its budget: thousands of instructions. A row over its budget by more than three in a
/// hundred fails; one that is as much under it should lower it.
const ROWS: [(What, u64); 4] = [
    (What::Indicatore, 250),
    (What::Attestazione, 320),
    (What::Handshake, 1560),
    (What::Trasmissione, 3600),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// ConsultazioneIndicatore of a member of the demo's family.
    Indicatore,
    /// ConsultazioneAttestazione of the same.
    Attestazione,
    /// A full handshake with P-256 certificates, beyond the question asked on its connection.
    Handshake,
    /// A DSU of 20 KB of another family each time, attested.
    Trasmissione,
}

impl What {
    /// How often the longer run asks beyond the shorter one.
    fn times(self) -> u64 {
        match self {
            Self::Indicatore | Self::Attestazione => 2000,
            Self::Handshake => 300,
            Self::Trasmissione => 150,
        }
    }
}

/// The release build, which has symbols.
fn program() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--bin", "varco"])
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("release/varco")
}

/// A site that knows the demo's family, and its data directory as every run begins with it.
struct Measured {
    site: Site,
    program: PathBuf,
    /// Transmissions, each of another family.
    transmissions: Vec<String>,
}

impl Measured {
    fn new() -> Self {
        let site = Site::new();
        let today = site.today();
        let serving = site.serve();
        let caf = site.client(serving.address, "caf");
        let year = &today[..4];
        let dsu = requests::dsu(&format!("CAF00001-WORK01-{year}-N0000001"), &today);
        let answer = runtime().block_on(caf.call(DSU, &requests::trasmissione(&dsu)));
        good(&answer.unwrap());
        serving.stop();
        std::fs::rename(site.data(), site.home.path().join("begin")).unwrap();
        let mut famiglie = Famiglie::new(26, today.parse().unwrap());
        let transmissions = (0..What::Trasmissione.times() + BASE)
            .map(|number| {
                let protocollo = format!("CAF00001-WORK02-{year}-N{number:07}");
                requests::trasmissione(&venti_kilobyte(&mut famiglie, &protocollo).1)
            })
            .collect();
        Self {
            site,
            program: program(),
            transmissions,
        }
    }

    /// The instructions of a whole run, function by function, when so many of a row are asked beyond the
    /// base.
    fn run(&self, more: Option<What>) -> HashMap<String, u64> {
        let data = self.site.data();
        let _ = std::fs::remove_dir_all(&data);
        copy(&self.site.home.path().join("begin"), &data);
        let dump = self.site.home.path().join("callgrind");
        let mut child = Command::new("valgrind")
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", dump.display()))
            .arg(&self.program)
            .args(["serve", "--config"])
            .arg(self.site.config())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.site.home.path().join("log")).unwrap())
            .spawn()
            .expect("valgrind starts: tests/install full brings it");
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut first).unwrap();
        let address = first.trim().rsplit("https://").next().unwrap().parse();
        let address = address.unwrap_or_else(|_| panic!("did not start: {first}"));
        runtime().block_on(self.ask(more, |name| self.site.client(address, name)));
        let stopped = Command::new("kill").arg(child.id().to_string()).status();
        assert!(stopped.unwrap().success());
        assert!(child.wait().unwrap().success(), "did not stop cleanly");
        if let Some(kept) = std::env::var_os("VARCO_DUMPS") {
            let name = more.map_or_else(|| "base".to_owned(), |what| format!("{what:?}"));
            std::fs::copy(&dump, Path::new(&kept).join(name)).unwrap();
        }
        let mut costs = costs(&dump);
        costs.retain(|function, _| counts(function));
        costs
    }

    /// The questions of a run.
    async fn ask(&self, more: Option<What>, client: impl Fn(&str) -> Client) {
        let (comune, caf) = (client("comune"), client("caf"));
        let times = |what: What| BASE + if more == Some(what) { what.times() } else { 0 };
        let today = self.site.today();
        let indicatore = requests::indicatore(requests::GIULIA, &today, BENEFIT);
        let attestazione = requests::attestazione(requests::GIULIA, &today, BENEFIT);
        let mut connected = comune.connect().await.unwrap();
        for _ in 0..times(What::Indicatore) {
            good(&connected.call(ISEE, &indicatore).await.unwrap());
        }
        for _ in 0..times(What::Attestazione) {
            good(&connected.call(ISEE, &attestazione).await.unwrap());
        }
        for _ in 0..times(What::Handshake) {
            good(&comune.call(ISEE, &indicatore).await.unwrap());
        }
        let mut connected = caf.connect().await.unwrap();
        for request in self.transmissions.iter().take(times(What::Trasmissione) as usize) {
            good(&connected.call(DSU, request).await.unwrap());
        }
    }
}

/// How many of each the shorter run asks.
const BASE: u64 = 20;

fn good(answer: &Answer) {
    assert!(
        answer.status.as_u16() == 200 && answer.text.contains("<Esito>OK</Esito>"),
        "{}",
        answer.text
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&from, &to),
            kind if kind.is_file() => {
                std::fs::copy(from, to).unwrap();
            }
            _ => {}
        }
    }
}

/// Whether a function counts: not SHA-256, nor what measures the processor's jitter at each start to seed the
/// random numbers, which takes as long as it takes.
fn counts(function: &str) -> bool {
    let left_out = ["sha256", "jent_", "rol64", "xoshiro"];
    let name = function.to_ascii_lowercase();
    left_out.iter().all(|part| !name.contains(part))
}

/// Prints the ten functions that cost most.
fn heaviest(costs: &HashMap<String, i64>, times: u64) {
    let mut all: Vec<_> = costs.iter().map(|(function, cost)| (*cost, function)).collect();
    all.sort_unstable();
    for (cost, function) in all.iter().rev().take(10) {
        println!("    {:>9}  {function}", cost / times as i64);
    }
}

#[test]
fn an_exchange_costs_what_its_budget_allows() {
    let measured = Measured::new();
    let base = measured.run(None);
    let mut over = Vec::new();
    let mut question = 0;
    for (what, budget) in ROWS {
        let longer = measured.run(Some(what));
        let functions = base.keys().chain(longer.keys());
        let of = |costs: &HashMap<String, u64>, function: &String| {
            i64::try_from(costs.get(function).copied().unwrap_or_default()).unwrap()
        };
        let difference: HashMap<String, i64> = functions
            .map(|function| (function.clone(), of(&longer, function) - of(&base, function)))
            .collect();
        let total = u64::try_from(difference.values().sum::<i64>()).unwrap() / what.times();
        if what == What::Indicatore {
            question = total;
        }
        let cost = match what {
            What::Handshake => total - question,
            _ => total,
        };
        println!("{what:?}: {cost} instructions, of {budget} thousand");
        heaviest(&difference, what.times());
        if cost > budget * 1030 {
            over.push(format!("{what:?}: {cost} instructions, of {budget} thousand"));
        }
        assert!(cost > 100_000, "{what:?} measures nothing: {cost}");
    }
    assert!(over.is_empty(), "{over:#?}");
}
