//! The whole port under load, beside nginx: `cargo bench --bench port`, or `just bench --bench port`.
//!
//! The server is the real binary on a data directory under `target/`, so that a sync is a sync; the load is ConsultazioneIndicatore for one person
//! whose DSU came in through the port. nginx stands beside it as the floor: same certificates, same list of revocations, one worker, no access log,
//! and to the same POST it gives the very bytes of Varco's reply out of its configuration (`return 200`; from a file it would refuse a POST). It
//! reads no XML, asks nobody, encrypts and records nothing. What is measured and how it came out: `docs/performance.md`.
//!
//! Servers are pinned to core 0, this process, which makes the load, to core 1. Without `--bench` (as `cargo test --benches` runs it) it is a short
//! smoke run without nginx, and measures nothing.

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
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
use varco::contract::esiti_text;
use varco::registry::ente::Tipo;

const SERVERS: &str = "0";
const LOAD: &str = "1";
const PRESTAZIONE: &str = "A1.07";
/// Of `/proc/PID/stat`: a hundredth of a second, on every Linux that this runs on.
const TICK_MICROS: u64 = 10_000;
/// How long a server may take until its first answer, or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// How connections are used.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    connections: usize,
    /// Whether a connection serves one request after another, or each request has its own.
    kept: bool,
}

const ROWS: [Row; 4] = [
    Row { name: "1 connection", connections: 1, kept: true },
    Row { name: "16 connections", connections: 16, kept: true },
    Row { name: "64 connections", connections: 64, kept: true },
    Row { name: "16, full handshake a request", connections: 16, kept: false },
];

fn main() -> Result<()> {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    if has("--list") {
        if !has("--ignored") {
            println!("smoke: test");
        }
        return Ok(());
    }
    let full = has("--bench") && !has("--test");
    // Before there is any other thread: they inherit it.
    let pinned = full && std::thread::available_parallelism()?.get() > 1 && pin(LOAD);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("no target directory")?.join("bench");
    std::fs::create_dir_all(&target)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bench = runtime.block_on(Bench::new(&target, pinned))?;
    if !full {
        return runtime.block_on(bench.smoke());
    }
    let report = runtime.block_on(bench.run())?;
    println!("\n{report}");
    std::fs::write(target.join("port.md"), report)?;
    Ok(())
}

/// Pins this process.
fn pin(core: &str) -> bool {
    let pid = std::process::id().to_string();
    Command::new("taskset").args(["-cp", core, &pid]).output().is_ok_and(|done| done.status.success())
}

/// A data directory with a comune and a CAF accredited, and their certificates.
struct Bench {
    home: TempDir,
    clock: Clock,
    pinned: bool,
}

impl Bench {
    async fn new(target: &Path, pinned: bool) -> Result<Self> {
        let home = tempfile::tempdir_in(target)?;
        let clock = Clock::system();
        let pki = pki::demo(&home.path().join("pki"), clock.now())?;
        let data = home.path().join("data");
        // It has a runtime of its own.
        std::thread::scope(|scope| scope.spawn(|| init::create(&data, &clock)).join().map_err(|_| anyhow::anyhow!("init")))??;
        let enti = [
            ("comune", Tipo::Comune, pki.comune.fingerprint, "ConsultazioneIndicatore"),
            ("caf", Tipo::Caf, pki.caf.fingerprint, "TrasmissioneDSU"),
        ];
        for (name, tipo, sha256, operazione) in enti {
            let acts = accreditamento::commands((name, name, "01234567897"), tipo, &sha256, operazione, &[PRESTAZIONE]);
            for act in acts {
                ente::apply(&data, act, "bench", &clock).await?;
            }
        }
        Ok(Self { home, clock, pinned })
    }

    fn client(&self, address: SocketAddr, name: &str) -> Result<Client> {
        let file = |name: &str| self.home.path().join("pki").join(name);
        Client::new(address, &file("ca.pem"), Some((&file(&format!("{name}.pem")), &file(&format!("{name}.key")))))
    }

    /// The question: of today's attestation.
    fn question(&self) -> String {
        requests::indicatore(GIULIA, &self.clock.today().to_string(), PRESTAZIONE)
    }

    /// Starts a server; it is stopped when dropped.
    fn start(&self, program: &Path, arguments: &[&Path], address: SocketAddr) -> Result<Server> {
        let log = File::options().create(true).append(true).open(self.home.path().join("log"))?;
        let mut command = Command::new(if self.pinned { Path::new("taskset") } else { program });
        if self.pinned {
            command.args(["-c", SERVERS]).arg(program);
        }
        let child = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Ok(Server { child: child.with_context(|| program.display().to_string())?, address })
    }

    fn varco(&self) -> Result<Server> {
        let address = free_address()?;
        let config = self.home.path().join("varco.toml");
        let tls =
            "certificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\nclient_authorities = \"pki/ca.pem\"\ncrl = [\"pki/crl.pem\"]";
        std::fs::write(&config, format!("listen = \"{address}\"\ndata = \"data\"\n\n[tls]\n{tls}\n"))?;
        self.start(Path::new(env!("CARGO_BIN_EXE_varco")), &[Path::new("serve"), Path::new("--config"), &config], address)
    }

    /// nginx, which gives `reply` to whatever is asked.
    fn nginx(&self, reply: &str) -> Result<Server> {
        ensure!(reply.is_ascii() && !reply.contains(['\'', '$', '\\']), "a reply that nginx's configuration cannot hold");
        let address = free_address()?;
        let prefix = self.home.path().join("nginx");
        std::fs::create_dir_all(&prefix)?;
        // A parameter of the configuration holds 4096 bytes at most.
        let (mut pieces, mut names) = (String::new(), String::new());
        for (index, piece) in reply.as_bytes().chunks(2048).enumerate() {
            writeln!(pieces, "            set $piece{index} '{}';", std::str::from_utf8(piece)?)?;
            write!(names, "${{piece{index}}}")?;
        }
        let temporary: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|kind| format!("    {kind}_temp_path {kind};\n")).collect();
        let config = format!(
            "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr crit;\nevents {{ worker_connections 1024; }}\nhttp {{\n{temporary}    \
             access_log off;\n    keepalive_timeout 75s;\n    keepalive_requests 1000000000;\n    server {{\n        listen {address} ssl;\n        \
             ssl_certificate ../pki/server.pem;\n        ssl_certificate_key ../pki/server.key;\n        ssl_client_certificate ../pki/ca.pem;\n        \
             ssl_crl ../pki/crl.pem;\n        ssl_verify_client on;\n        ssl_protocols TLSv1.2 TLSv1.3;\n        ssl_session_cache off;\n        \
             ssl_session_tickets off;\n        location / {{\n            default_type 'text/xml; charset=utf-8';\n{pieces}            \
             return 200 \"{names}\";\n        }}\n    }}\n}}\n"
        );
        std::fs::write(prefix.join("nginx.conf"), config)?;
        let file = prefix.join("nginx.conf");
        self.start(&nginx_path(), &[Path::new("-e"), Path::new("stderr"), Path::new("-p"), &prefix, Path::new("-c"), &file], address)
    }

    /// The CAF transmits the DSU that is asked for afterwards.
    async fn transmit(&self, server: &Server) -> Result<()> {
        let today = self.clock.today();
        let dsu = requests::dsu(&format!("CAF00001-BENCH1-{}-N0000001", today.year()), &today.to_string());
        let caf = self.client(server.address, "caf")?;
        let began = Instant::now();
        loop {
            match caf.call(Service::TrasmissioneDsu.path(), &requests::trasmissione(&dsu)).await {
                Ok(answer) => return good(&answer),
                Err(error) if began.elapsed() > PATIENCE => return Err(error.context(self.log())),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// Waits for the first good answer: how long since `began`, and the reply.
    async fn first_answer(&self, server: &Server, began: Instant) -> Result<(Duration, String)> {
        let client = self.client(server.address, "comune")?;
        let question = self.question();
        loop {
            match client.call(Service::ConsultazioneIsee.path(), &question).await {
                Ok(answer) => {
                    let taken = began.elapsed();
                    good(&answer)?;
                    return Ok((taken, answer.text));
                }
                Err(error) if began.elapsed() > PATIENCE => return Err(error.context(self.log())),
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// A little of everything, without nginx.
    async fn smoke(&self) -> Result<()> {
        let server = self.varco()?;
        self.transmit(&server).await?;
        for row in ROWS {
            let measured = self.load(&server, row, Duration::from_millis(200), None).await?;
            ensure!(measured.requests > 0, "{}: nothing was answered", row.name);
        }
        ensure!(server.memory()?.1 > 0, "no memory");
        ensure!(sync_cost(self.home.path(), 10)?.1 > Duration::ZERO, "no time");
        println!("smoke: ok");
        Ok(())
    }

    async fn run(&self) -> Result<String> {
        let seconds = std::env::var("VARCO_BENCH_SECONDS").ok().map_or(Ok(5), |text| text.parse()).context("VARCO_BENCH_SECONDS")?;
        let window = Duration::from_secs(seconds);
        let perf = perf_works();
        let sync = sync_cost(self.home.path(), 1000)?;

        // Once to have the DSU in, then from the beginning.
        let server = self.varco()?;
        self.transmit(&server).await?;
        drop(server);
        let began = Instant::now();
        let varco = self.varco()?;
        let (varco_start, reply) = self.first_answer(&varco, began).await?;
        let began = Instant::now();
        let nginx = self.nginx(&reply)?;
        let (nginx_start, same) = self.first_answer(&nginx, began).await?;
        ensure!(same == reply, "nginx gives other bytes");

        let (mut table, mut kept, mut handshakes) = (String::new(), [0; 2], [0; 2]);
        for row in ROWS {
            for (index, (name, server)) in [("Varco", &varco), ("nginx", &nginx)].into_iter().enumerate() {
                println!("{name}, {} ...", row.name);
                let measured = self.load(server, row, window, perf.then_some(self.home.path())).await?;
                let cpu = measured.cpu_micros * 10 / measured.requests;
                if row.connections == 16 {
                    (if row.kept { &mut kept } else { &mut handshakes })[index] = cpu;
                }
                let instructions = measured.instructions.map_or("-".to_owned(), |count| count.to_string());
                writeln!(
                    table,
                    "| {name}, {} | {} | {} | {} | {} | {} | {instructions} |",
                    row.name,
                    measured.requests * 1_000_000 / micros(measured.elapsed),
                    measured.p50,
                    measured.p99,
                    tenths(cpu),
                    tenths(measured.load_micros * 1000 / micros(measured.elapsed)),
                )?;
            }
        }
        let ((varco_rss, varco_peak), (nginx_rss, nginx_peak)) = (varco.memory()?, nginx.memory()?);
        drop((varco, nginx));
        let ledger = bytes_in(&self.home.path().join("data"))?;
        let began = Instant::now();
        let again = self.varco()?;
        let (again_start, _) = self.first_answer(&again, began).await?;
        drop(again);

        let alone: Vec<u64> = (0..2).map(|index| handshakes[index].saturating_sub(kept[index])).collect();
        let millis = |duration: Duration| tenths(micros(duration) / 100);
        let mib = |kib: u64| tenths(kib * 10 / 1024);
        let mut report = String::new();
        writeln!(report, "| | requests/s | p50 µs | p99 µs | server CPU µs/request | load generator CPU % | instructions/request |")?;
        writeln!(report, "|---|---:|---:|---:|---:|---:|---:|\n{table}")?;
        if !perf {
            writeln!(report, "- Instructions per request: not supported here (`perf stat -e instructions:u` counts nothing).")?;
        }
        writeln!(
            report,
            "- A full handshake alone, as the difference between the two rows of 16: Varco {} µs of CPU, nginx {} µs.",
            tenths(alone[0]),
            tenths(alone[1])
        )?;
        writeln!(
            report,
            "- First answer after start: Varco {} ms on a new ledger, {} ms on what the load left ({} MiB); nginx {} ms.",
            millis(varco_start),
            millis(again_start),
            ledger >> 20,
            millis(nginx_start)
        )?;
        writeln!(
            report,
            "- Resident at the end (peak): Varco {} MiB ({}), nginx, master and worker, {} MiB ({}).",
            mib(varco_rss),
            mib(varco_peak),
            mib(nginx_rss),
            mib(nginx_peak)
        )?;
        writeln!(
            report,
            "- Appending 1 KiB and `fdatasync` in the same directory ({}), 1000 times: p50 {} µs, p99 {} µs.",
            file_system(self.home.path()),
            micros(sync.0),
            micros(sync.1)
        )?;
        let (question, reply) = (self.question().len(), reply.len());
        let pinning = if self.pinned { "servers on core 0, load on core 1" } else { "NOT pinned" };
        writeln!(
            report,
            "- {seconds} s a row; request {question} bytes, reply {reply} bytes; {pinning}; {}; {}.",
            cpu_model(),
            nginx_version()
        )?;
        Ok(report)
    }

    /// Loads a server: a warm-up of a fifth, then the window.
    async fn load(&self, server: &Server, row: Row, window: Duration, perf: Option<&Path>) -> Result<Measured> {
        let client = self.client(server.address, "comune")?;
        let question: Arc<str> = self.question().into();
        let over = Arc::new(AtomicBool::new(false));
        let perf = perf.map(|directory| Perf::start(server, directory)).transpose()?;
        let mut tasks = JoinSet::new();
        for _ in 0..row.connections {
            tasks.spawn(ask(client.clone(), question.clone(), row.kept, over.clone()));
        }
        tokio::time::sleep(window / 5).await;
        let (from, cpu, own) = (Instant::now(), server.cpu()?, cpu_of(std::process::id())?);
        tokio::time::sleep(window).await;
        let (until, cpu, own) = (Instant::now(), server.cpu()? - cpu, cpu_of(std::process::id())? - own);
        over.store(true, Ordering::Relaxed);
        let (mut latencies, mut all) = (Vec::new(), 0);
        while let Some(samples) = tasks.join_next().await {
            for (at, taken) in samples?? {
                all += 1;
                if at > from && at <= until {
                    latencies.push(micros(taken));
                }
            }
        }
        // Of all that was asked, connecting and warm-up included: perf cannot be told where the window begins.
        let instructions = perf.map(Perf::stop).transpose()?.map(|count| count / all);
        latencies.sort_unstable();
        let requests = latencies.len() as u64;
        ensure!(requests > 0, "{}: nothing was answered: {}", row.name, self.log());
        let percentile = |percent: usize| latencies[latencies.len() * percent / 100];
        let (p50, p99) = (percentile(50), percentile(99));
        Ok(Measured { requests, elapsed: until - from, p50, p99, cpu_micros: cpu, load_micros: own, instructions })
    }
}

/// One row for one server.
struct Measured {
    requests: u64,
    elapsed: Duration,
    p50: u64,
    p99: u64,
    cpu_micros: u64,
    load_micros: u64,
    instructions: Option<u64>,
}

/// Asks one question after another: when each was answered, and how long it took, connecting included where there was any.
async fn ask(client: Client, question: Arc<str>, kept: bool, over: Arc<AtomicBool>) -> Result<Vec<(Instant, Duration)>> {
    let mut samples = Vec::new();
    let mut open = None;
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let mut connected = match open.take() {
            Some(connected) => connected,
            None => client.connect().await?,
        };
        let answer = connected.call(Service::ConsultazioneIsee.path(), &question).await?;
        let at = Instant::now();
        good(&answer)?;
        samples.push((at, at - began));
        open = kept.then_some(connected);
    }
    Ok(samples)
}

fn good(answer: &Answer) -> Result<()> {
    if answer.status.as_u16() == 200 && esiti_text(&answer.text, "Esito") == Some("OK") {
        return Ok(());
    }
    bail!("HTTP {}: {}", answer.status, answer.text)
}

/// A server that was started here.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Its process and the children of that.
    fn processes(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id).chain(children.split_whitespace().filter_map(|child| child.parse().ok())).collect()
    }

    /// CPU that it has used so far, microseconds.
    fn cpu(&self) -> Result<u64> {
        self.processes().into_iter().map(cpu_of).sum()
    }

    /// Resident memory now and at most, KiB.
    fn memory(&self) -> Result<(u64, u64)> {
        let mut sum = (0, 0);
        for id in self.processes() {
            let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
            let field = |name| {
                let value = status.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next());
                value.and_then(|kib| kib.parse::<u64>().ok()).context(name)
            };
            sum = (sum.0 + field("VmRSS:")?, sum.1 + field("VmHWM:")?);
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
fn cpu_of(id: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name may hold spaces; after it, utime and stime are the twelfth and thirteenth.
    let (_, rest) = stat.rsplit_once(')').context("stat")?;
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or_default()).sum();
    Ok(ticks * TICK_MICROS)
}

/// `perf stat` on a server.
struct Perf {
    child: Child,
    output: PathBuf,
}

impl Perf {
    fn start(server: &Server, directory: &Path) -> Result<Self> {
        let output = directory.join("perf");
        let ids = server.processes().iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut command = Command::new("perf");
        command.args(["stat", "-x", ",", "-e", "instructions:u", "-p", &ids, "-o"]).arg(&output);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        // Until it is attached.
        std::thread::sleep(Duration::from_millis(300));
        Ok(Self { child, output })
    }

    fn stop(mut self) -> Result<u64> {
        kill_process(Pid::from_child(&self.child), Signal::INT)?;
        self.child.wait()?;
        counted(&std::fs::read_to_string(&self.output)?).context("perf counted nothing")
    }
}

/// The count in what `perf stat -x ,` wrote; nothing where it says `<not supported>`.
fn counted(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("instructions"))?;
    line.split(',').next()?.parse().ok().filter(|count| *count > 0)
}

fn perf_works() -> bool {
    let tried = Command::new("perf").args(["stat", "-x", ",", "-e", "instructions:u", "true"]).output();
    tried.is_ok_and(|output| counted(&String::from_utf8_lossy(&output.stderr)).is_some())
}

/// What an append and its sync cost, without anything around them: median and 99th percentile.
fn sync_cost(directory: &Path, times: usize) -> Result<(Duration, Duration)> {
    let mut file = File::create(directory.join("sync"))?;
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        file.write_all(&[0x5a; 1024])?;
        file.sync_data()?;
        taken.push(began.elapsed());
    }
    taken.sort_unstable();
    Ok((taken[times / 2], taken[times * 99 / 100]))
}

/// An address that nobody listens on; somebody might before we do, and then the run fails.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn nginx_path() -> PathBuf {
    // Debian keeps it where the PATH of a plain user does not look.
    let found = ["/usr/sbin/nginx", "/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().map(PathBuf::from).find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from("nginx"))
}

fn nginx_version() -> String {
    let Ok(output) = Command::new(nginx_path()).arg("-V").output() else { return "no nginx".to_owned() };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let part = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or("?").to_owned();
    let library: Vec<String> = part("built with ").split_whitespace().take(2).map(str::to_owned).collect();
    format!("{}, {}", part("nginx version: "), library.join(" "))
}

fn cpu_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name)).collect();
    format!("{} × {}", models.len(), models.first().unwrap_or(&"unknown processor"))
}

fn file_system(directory: &Path) -> String {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(directory).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn bytes_in(directory: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() { bytes_in(&entry.path())? } else { metadata.len() };
    }
    Ok(sum)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A number of tenths, with its point.
fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}
