//! What the benchmarks of the whole port share: a data directory with enti accredited, the real binary on it,
//! the load, and what is read of `/proc`.
//!
//! Servers are pinned to core 0, the process of the benchmark, which makes the load, to core 1. Without
//! `--bench` (as `cargo test --benches` runs it) a benchmark is a short smoke run, and measures nothing.

#![allow(unreachable_pub, reason = "a module of each benchmark")]
#![allow(dead_code, reason = "each benchmark uses its own part")]

pub mod chart;
pub mod peers;

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::task::JoinSet;
use varco::clock::Clock;
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::commands::requests::{self, GIULIA};
use varco::commands::{ente, init, pki};
use varco::contract::catalogue::Service;
use varco::registry::administration;
use varco::registry::ente::Tipo;

/// The core of servers, and the one of the load; and both, where two cores are measured.
const SERVERS: &str = "0";
const LOAD: &str = "1";
const BOTH: &str = "0,1";
/// The benefit that the comune asks for.
pub const PRESTAZIONE: &str = "A1.07";
/// Of `/proc/PID/stat`: a hundredth of a second, on every Linux that this runs on.
const TICK_MICROS: u64 = 10_000;
/// How long a server may take until its first answer, or to stop.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How connections are used.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub connections: usize,
    /// The how manieth request is the first of a new connection; none where all connections are kept.
    pub new_every: Option<usize>,
}

/// Who asks, and where.
#[derive(Clone, Copy)]
pub struct Load {
    /// The name of its certificate.
    pub client: &'static str,
    pub path: &'static str,
}

/// How a benchmark was started.
pub struct Run {
    /// In earnest, or to see that it works.
    pub full: bool,
    /// Whether this process is pinned to its core.
    pub pinned: bool,
    /// Where data directories go and reports stay.
    pub target: PathBuf,
}

/// Reads the arguments that cargo gives; nothing where it only wants a list.
pub fn begin() -> Result<Option<Run>> {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    if has("--list") {
        if !has("--ignored") {
            println!("smoke: test");
        }
        return Ok(None);
    }
    let full = has("--bench") && !has("--test");
    // Before there is any other thread: they inherit it.
    let pinned = full && std::thread::available_parallelism()?.get() > 1 && pin(LOAD);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .context("no target directory")?
        .join("bench");
    std::fs::create_dir_all(&target)?;
    Ok(Some(Run { full, pinned, target }))
}

/// A runtime with no other thread than this one.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// A number of the environment, or what is meant without it.
pub fn setting(name: &'static str, default: u64) -> Result<u64> {
    std::env::var(name)
        .ok()
        .map_or(Ok(default), |text| text.parse())
        .context(name)
}

/// Pins this process.
fn pin(core: &str) -> bool {
    let pid = std::process::id().to_string();
    Command::new("taskset")
        .args(["-cp", core, &pid])
        .output()
        .is_ok_and(|done| done.status.success())
}

/// An ente: its code, its type, the fingerprint of its certificate, its operations.
pub type Ente = (String, Tipo, String, &'static str);

/// A data directory with a comune and a CAF accredited, and their certificates.
pub struct Bench {
    pub home: TempDir,
    pub clock: Clock,
    pub pinned: bool,
    /// Whether servers get both cores from now on, the load's too.
    pub both: Cell<bool>,
    /// The comune and the CAF.
    pub enti: Vec<Ente>,
    /// The fingerprint of a certificate that nobody has yet; a client has it as `sospeso`.
    pub spare: String,
}

impl Bench {
    pub async fn new(run: &Run) -> Result<Self> {
        let home = tempfile::tempdir_in(&run.target)?;
        let clock = Clock::system();
        let pki = pki::demo(&home.path().join("pki"), clock.now())?;
        let enti = vec![
            (
                "comune".to_owned(),
                Tipo::Comune,
                pki.comune.fingerprint,
                "ConsultazioneIndicatore,ConsultazioneAttestazione",
            ),
            (
                "caf".to_owned(),
                Tipo::Caf,
                pki.caf.fingerprint,
                "TrasmissioneDSU",
            ),
        ];
        create(&home.path().join("data"), &enti, &clock).await?;
        Ok(Self {
            home,
            clock,
            pinned: run.pinned,
            both: Cell::new(false),
            enti,
            spare: pki.sospeso.fingerprint,
        })
    }

    pub fn client(&self, address: SocketAddr, name: &str) -> Result<Client> {
        client(self.home.path(), address, name)
    }

    /// The question: of today's attestation.
    pub fn question(&self) -> Arc<[String]> {
        [requests::indicatore(
            GIULIA,
            &self.clock.today().to_string(),
            PRESTAZIONE,
        )]
        .into()
    }

    /// Starts a server; it is stopped when dropped.
    pub fn start(&self, program: &Path, arguments: &[&Path], address: SocketAddr) -> Result<Server> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home.path().join("log"))?;
        let mut command = Command::new(if self.pinned {
            Path::new("taskset")
        } else {
            program
        });
        if self.pinned {
            let cores = if self.both.get() { BOTH } else { SERVERS };
            command.args(["-c", cores]).arg(program);
        }
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Ok(Server {
            child: child.with_context(|| program.display().to_string())?,
            address,
        })
    }

    /// The binary: another build of it may be named, as for the tests.
    pub fn program() -> PathBuf {
        std::env::var_os("VARCO_BIN")
            .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_varco")), PathBuf::from)
    }

    /// Varco on a data directory under `home`: it attests at once.
    pub fn varco(&self, data: &str) -> Result<Server> {
        self.varco_that_attests(data, "subito")
    }

    /// The same; `attesta` is its setting.
    pub fn varco_that_attests(&self, data: &str, attesta: &str) -> Result<Server> {
        let address = free_address()?;
        let config = self.home.path().join("varco.toml");
        let tls = "certificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\nclient_authorities = \"pki/ca.pem\"\ncrl = [\"pki/crl.pem\"]";
        std::fs::write(
            &config,
            format!(
                "listen = \"{address}\"\ndata = \"{data}\"\n\n[tls]\n{tls}\n\n[sii]\nattesta = \"{attesta}\"\n"
            ),
        )?;
        self.start(
            &Self::program(),
            &[Path::new("serve"), Path::new("--config"), &config],
            address,
        )
    }

    /// The CAF transmits the DSU that is asked for afterwards.
    pub async fn transmit(&self, server: &Server) -> Result<()> {
        let today = self.clock.today();
        let dsu = requests::dsu(
            &format!("CAF00001-BENCH1-{}-N0000001", today.year()),
            &today.to_string(),
        );
        let caf = self.client(server.address, "caf")?;
        let began = Instant::now();
        loop {
            match caf
                .call(Service::TrasmissioneDsu.path(), &requests::trasmissione(&dsu))
                .await
            {
                Ok(answer) => return good(&answer),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.context(self.log())),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Waits for the first good answer, as long as `patience`: how long since `began`, and the reply.
    pub async fn first_answer(
        &self,
        server: &Server,
        question: &str,
        began: Instant,
        patience: Duration,
    ) -> Result<(Duration, String)> {
        let client = self.client(server.address, "comune")?;
        loop {
            match client.call(Service::ConsultazioneIsee.path(), question).await {
                Ok(answer) => {
                    let taken = began.elapsed();
                    good(&answer)?;
                    return Ok((taken, answer.text));
                }
                Err(error) if began.elapsed() > patience => return Err(error.context(self.log())),
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Loads a server: a warm-up of a fifth, then the window.
    pub async fn load(
        &self,
        server: &Server,
        row: Row,
        questions: &Arc<[String]>,
        window: Duration,
    ) -> Result<Measured> {
        let load = Load {
            client: "comune",
            path: Service::ConsultazioneIsee.path(),
        };
        self.load_with(server, row, load, questions, window).await
    }

    /// The same by another client, at another path.
    pub async fn load_with(
        &self,
        server: &Server,
        row: Row,
        load: Load,
        questions: &Arc<[String]>,
        window: Duration,
    ) -> Result<Measured> {
        let client = self.client(server.address, load.client)?;
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for index in 0..row.connections {
            let first = index * questions.len() / row.connections;
            tasks.spawn(ask(
                client.clone(),
                load.path,
                questions.clone(),
                first,
                row.new_every,
                over.clone(),
            ));
        }
        tokio::time::sleep(window / 5).await;
        let (from, cpu, own) = (Instant::now(), server.cpu()?, cpu_of(std::process::id())?);
        tokio::time::sleep(window).await;
        let (until, cpu, own) = (
            Instant::now(),
            server.cpu()? - cpu,
            cpu_of(std::process::id())? - own,
        );
        over.store(true, Ordering::Relaxed);
        let mut latencies = Vec::new();
        while let Some(samples) = tasks.join_next().await {
            for (at, taken) in samples?? {
                if at > from && at <= until {
                    latencies.push(micros(taken));
                }
            }
        }
        latencies.sort_unstable();
        let requests = latencies.len() as u64;
        ensure!(requests > 0, "{}: nothing was answered: {}", row.name, self.log());
        let percentile = |percent: usize| latencies[latencies.len() * percent / 100];
        let (p50, p99) = (percentile(50), percentile(99));
        Ok(Measured {
            requests,
            elapsed: until - from,
            p50,
            p99,
            cpu_micros: cpu,
            load_micros: own,
        })
    }
}

/// Makes a data directory, and accredits enti in it.
pub async fn create(data: &Path, enti: &[Ente], clock: &Clock) -> Result<()> {
    // It has a runtime of its own.
    std::thread::scope(|scope| {
        scope
            .spawn(|| init::create(data, clock))
            .join()
            .map_err(|_| anyhow::anyhow!("init"))
    })??;
    accredit(data, enti, clock).await
}

/// Accredits enti, all of them step by step: a step is one change of each.
pub async fn accredit(data: &Path, enti: &[Ente], clock: &Clock) -> Result<()> {
    let mut steps: Vec<Vec<administration::Command>> = Vec::new();
    for (name, tipo, sha256, operazioni) in enti {
        let commands = accreditamento::commands(
            (name, name, "01234567897"),
            *tipo,
            sha256,
            operazioni,
            &[PRESTAZIONE],
        );
        for (index, command) in commands.into_iter().enumerate() {
            match steps.get_mut(index) {
                Some(step) => step.push(command),
                None => steps.push(vec![command]),
            }
        }
    }
    for step in steps {
        ente::apply_all(data, step, "bench", clock).await?;
    }
    Ok(())
}

/// A client with one of the certificates under `home`.
pub fn client(home: &Path, address: SocketAddr, name: &str) -> Result<Client> {
    let file = |name: &str| home.join("pki").join(name);
    Client::new(
        address,
        &file("ca.pem"),
        Some((&file(&format!("{name}.pem")), &file(&format!("{name}.key")))),
    )
}

/// One row for one server.
pub struct Measured {
    pub requests: u64,
    pub elapsed: Duration,
    pub p50: u64,
    pub p99: u64,
    pub cpu_micros: u64,
    pub load_micros: u64,
}

/// Asks one question after another, from `first` on and around: when each was answered, and how long it took,
/// connecting included where there was any.
async fn ask(
    client: Client,
    path: &'static str,
    questions: Arc<[String]>,
    first: usize,
    new_every: Option<usize>,
    over: Arc<AtomicBool>,
) -> Result<Vec<(Instant, Duration)>> {
    let mut samples = Vec::new();
    let mut open = None;
    while !over.load(Ordering::Relaxed) {
        let question = &questions[(first + samples.len()) % questions.len()];
        let began = Instant::now();
        let mut connected = match open.take() {
            Some(connected) => connected,
            None => client.connect().await?,
        };
        let answer = connected.call(path, question).await?;
        let at = Instant::now();
        good(&answer)?;
        samples.push((at, at - began));
        open = new_every
            .is_none_or(|every| samples.len() % every != 0)
            .then_some(connected);
    }
    Ok(samples)
}

pub fn good(answer: &Answer) -> Result<()> {
    // Whatever prefix its server gives to names.
    if answer.status.as_u16() == 200 && answer.text.contains("Esito>OK</") {
        return Ok(());
    }
    bail!("HTTP {}: {}", answer.status, answer.text)
}

/// This program again, as a process that gives way to the one that measures: it makes the load that another
/// load is measured beside.
pub struct Again {
    child: Child,
}

impl Again {
    /// Returns when the process has written its first byte: its load is on its way.
    pub fn start(arguments: &[&OsStr]) -> Result<Self> {
        let mut command = Command::new("nice");
        command
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .args(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        child.stdout.as_mut().context("no pipe")?.read_exact(&mut [0])?;
        Ok(Self { child })
    }

    /// Ends it by closing its standard input; returns the last number that it wrote.
    pub fn stop(mut self) -> Result<u64> {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output()?;
        ensure!(output.status.success(), "the process beside failed");
        String::from_utf8(output.stdout)?
            .trim()
            .parse()
            .context("what the process beside says")
    }
}

/// A server that was started here.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Its process and the children of that.
    pub fn processes(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id)
            .chain(children.split_whitespace().filter_map(|child| child.parse().ok()))
            .collect()
    }

    /// CPU that it has used so far, microseconds.
    pub fn cpu(&self) -> Result<u64> {
        self.processes().into_iter().map(cpu_of).sum()
    }

    /// Resident memory now and at most, KiB.
    pub fn memory(&self) -> Result<(u64, u64)> {
        Ok((self.status("VmRSS:")?, self.status("VmHWM:")?))
    }

    /// Resident memory that no file is behind, KiB.
    pub fn heap(&self) -> Result<u64> {
        self.status("RssAnon:")
    }

    fn status(&self, name: &'static str) -> Result<u64> {
        let mut sum = 0;
        for id in self.processes() {
            let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
            let value = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.split_whitespace().next());
            sum += value.and_then(|kib| kib.parse::<u64>().ok()).context(name)?;
        }
        Ok(sum)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > PATIENCE {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// User and system time of a process, microseconds.
pub fn cpu_of(id: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name may hold spaces; after it, utime and stime are the twelfth and thirteenth.
    let (_, rest) = stat.rsplit_once(')').context("stat")?;
    let ticks: u64 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or_default())
        .sum();
    Ok(ticks * TICK_MICROS)
}

/// An address that nobody listens on; somebody might before we do, and then the run fails.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

pub fn cpu_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("model name")?
                .split_once(": ")
                .map(|(_, name)| name)
        })
        .collect();
    format!(
        "{} × {}",
        models.len(),
        models.first().unwrap_or(&"unknown processor")
    )
}

pub fn file_system(directory: &Path) -> String {
    let output = Command::new("stat")
        .args(["-f", "-c", "%T"])
        .arg(directory)
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

pub fn bytes_in(directory: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            bytes_in(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(sum)
}

pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A number of tenths, with its point.
pub fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}
