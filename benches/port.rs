//! The whole port under load, beside nginx and gSOAP: `cargo bench --bench port`, or `just bench --bench port`.
//!
//! The server is the real binary on a data directory under `target/`, so that a sync is a sync. Ten thousand
//! DSU come in through the port; the load asks for the indicator, or for the attestation, of one person after
//! another. Beside it stand, with the same certificates and the same list of revocations:
//!
//! - gSOAP: a server that it makes of `wsdl/ConsultazioneISEE.wsdl`, in C++. It reads each request into
//!   classes and writes a reply of Varco's from them: what a SOAP server costs before it knows, checks,
//!   encrypts or records anything. Once as it is; once with as many bytes appended and synced for each
//!   request as Varco records; once so that one sync serves the requests that wait;
//! - nginx, the floor: the bytes of a reply of Varco's out of its configuration (`return 200`; from a file it
//!   would refuse a POST). It reads no XML.
//!
//! How it came out: `docs/performance.md`. `VARCO_BENCH_SECONDS`: seconds of a row (5); `VARCO_BENCH_DSU`:
//! how many DSU.
//!
//! Then one ente floods, far above its quota: how long another one's requests take beside that, one after
//! another, every tenth on a new connection. The flood is a process of its own that gives way to the one that
//! measures (`nice`), on the same core; the server has the other for itself. The smoke run does without
//! the servers beside.

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use common::chart::Chart;
use common::peers::{Recording, gsoap_version, nginx_version};
use common::{
    Again, Bench, Measured, PATIENCE, PRESTAZIONE, Row, Server, bytes_in, client, cpu_model, file_system,
    good, micros, setting, tenths,
};
use kit::famiglia::senza_genitore;
use tokio::task::JoinSet;
use varco::clock::Clock;
use varco::commands::client::{Client, Connected};
use varco::commands::ente;
use varco::commands::famiglie::Famiglie;
use varco::commands::requests::{self, GIULIA};
use varco::contract::catalogue::Service;
use varco::registry::administration;
use varco::registry::ente::Tipo;
use varco::registry::quota::Quote;

/// What is asked for in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Indicatore,
    Attestazione,
}

/// A row of the table, and who stands in it beside the port.
struct Line {
    row: Row,
    asked: Asked,
    beside: &'static [&'static str],
}

const fn line(
    name: &'static str,
    connections: usize,
    asked: Asked,
    new_every: Option<usize>,
    beside: &'static [&'static str],
) -> Line {
    let row = Row {
        name,
        connections,
        new_every,
    };
    Line { row, asked, beside }
}

/// The servers, as they are called in the table.
const VARCO: &str = "Varco";
const PLAIN: &str = "gSOAP";
const EACH: &str = "gSOAP that syncs each";
const GROUPS: &str = "gSOAP that syncs in groups";
const NGINX: &str = "nginx";
const ALL: &[&str] = &[VARCO, PLAIN, EACH, GROUPS, NGINX];
const THREE: &[&str] = &[VARCO, PLAIN, NGINX];

/// Servers on one core.
const ONE_CORE: [Line; 5] = [
    line("1 connection", 1, Asked::Indicatore, None, ALL),
    line("16 connections", 16, Asked::Indicatore, None, ALL),
    line("64 connections", 64, Asked::Indicatore, None, ALL),
    line(
        "16, attestations",
        16,
        Asked::Attestazione,
        None,
        &[VARCO, PLAIN, GROUPS, NGINX],
    ),
    line(
        "16, full handshake a request",
        16,
        Asked::Indicatore,
        Some(1),
        THREE,
    ),
];
/// Servers on two cores, one of them the load's.
const TWO_CORES: [Line; 2] = [
    line(
        "16, two cores",
        16,
        Asked::Indicatore,
        None,
        &[VARCO, PLAIN, GROUPS],
    ),
    line(
        "64, two cores",
        64,
        Asked::Indicatore,
        None,
        &[VARCO, PLAIN, GROUPS],
    ),
];

/// The one whose requests are measured beside a flood.
const GOOD: Row = Row {
    name: "a good ente",
    connections: 1,
    new_every: Some(10),
};
/// Connections of the flood, one row each: none, some, and as many as one certificate may have.
const FLOODS: [usize; 3] = [0, 32, 512];
/// How often the rows of the flood alternate: the median counts.
const ROUNDS: usize = 5;
/// The ente that floods, and the name of its certificate.
const FLOOD: (&str, &str) = ("alluvione", "sospeso");
/// Its requests a minute.
const QUOTA: u32 = 60;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, home, address, connections] = &arguments[..]
        && flag == "--flood"
    {
        return flood(Path::new(home), address.parse()?, connections.parse()?);
    }
    let Some(run) = common::begin()? else {
        return Ok(());
    };
    let runtime = common::runtime()?;
    let port = Port(runtime.block_on(Bench::new(&run))?);
    if !run.full {
        return runtime.block_on(port.smoke());
    }
    let report = runtime.block_on(port.run(&run.target))?;
    println!("\n{report}");
    std::fs::write(run.target.join("port.md"), report)?;
    Ok(())
}

/// The port, and nginx beside it.
struct Port(Bench);

impl std::ops::Deref for Port {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl Port {
    /// A little of everything, without the servers beside.
    async fn smoke(&self) -> Result<()> {
        let server = self.varco("data")?;
        self.transmit(&server).await?;
        let questions = self.ask_for(&server, self.receive(&server, 20).await?).await?;
        for Line { row, asked, .. } in ONE_CORE {
            let measured = self
                .load(&server, row, questions.of(asked), Duration::from_millis(200))
                .await?;
            ensure!(measured.requests > 0, "{}: nothing was answered", row.name);
        }
        self.accredit_flood().await?;
        let flood = self.flooded(&server, 4, Duration::from_millis(200)).await?;
        ensure!(flood.refused > 0 && flood.good.requests > 0, "no flood");
        ensure!(server.memory()?.1 > 0, "no memory");
        ensure!(sync_cost(self.home.path(), 10)?.1 > Duration::ZERO, "no time");
        println!("smoke: ok");
        Ok(())
    }

    /// Has the port receive the DSU of so many invented families; returns their declarants.
    async fn receive(&self, server: &Server, number: usize) -> Result<Vec<String>> {
        let today = self.clock.today();
        let mut famiglie = Famiglie::new(16, today);
        let caf = self.client(server.address, "caf")?;
        let (mut waiting, mut tasks) = (Vec::new(), JoinSet::new());
        let mut declarants = Vec::new();
        for index in 0..number {
            let protocollo = format!("CAF00005-BENCH5-{}-N{index:07}", today.year());
            let (family, dsu) = senza_genitore(&mut famiglie, &protocollo);
            declarants.push(family.dsu.codice_fiscale_dichiarante.canonical());
            waiting.push(requests::trasmissione(&dsu));
        }
        let waiting = Arc::new(std::sync::Mutex::new(waiting));
        for _ in 0..32 {
            let (caf, waiting) = (caf.clone(), waiting.clone());
            tasks.spawn(async move {
                let mut open = caf.connect().await?;
                let next = || waiting.lock().map_or(None, |mut waiting| waiting.pop());
                while let Some(request) = next() {
                    good(&open.call(Service::TrasmissioneDsu.path(), &request).await?)?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(declarants)
    }

    /// The questions about these persons that the port can answer, each asked once.
    async fn ask_for(&self, server: &Server, persons: Vec<String>) -> Result<Questions> {
        let today = self.clock.today().to_string();
        let client = self.client(server.address, "comune")?;
        let mut open = client.connect().await?;
        let (mut found, mut replies) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for person in &persons {
            let both = [
                requests::indicatore(person, &today, PRESTAZIONE),
                requests::attestazione(person, &today, PRESTAZIONE),
            ];
            for (index, question) in both.into_iter().enumerate() {
                let answer = open.call(Service::ConsultazioneIsee.path(), &question).await?;
                if good(&answer).is_ok() {
                    found[index].push(question);
                    replies[index].push(answer.text);
                }
            }
        }
        let [mut indicatore, mut attestazione] = replies;
        let middle = |replies: &mut Vec<String>| -> Result<String> {
            replies.sort_by_key(String::len);
            replies
                .get(replies.len() / 2)
                .cloned()
                .context("nothing can be asked")
        };
        let reply = [middle(&mut indicatore)?, middle(&mut attestazione)?];
        Ok(Questions {
            asked: found.map(Arc::from),
            reply,
        })
    }

    /// The lines of a table: each with the servers that stand in it, one after another.
    async fn lines(
        &self,
        lines: &[Line],
        servers: &[(&'static str, [&Server; 2])],
        questions: &Questions,
        window: Duration,
    ) -> Result<Vec<Outcome>> {
        let mut all = Vec::new();
        for Line { row, asked, beside } in lines {
            for (name, server) in servers.iter().filter(|(name, _)| beside.contains(name)) {
                println!("{name}, {} ...", row.name);
                let server = server[*asked as usize];
                let measured = self.load(server, *row, questions.of(*asked), window).await?;
                all.push(Outcome {
                    server: name,
                    row: row.name,
                    cpu: measured.cpu_micros * 10 / measured.requests,
                    measured,
                });
            }
        }
        Ok(all)
    }

    async fn run(&self, target: &Path) -> Result<String> {
        let seconds = setting("VARCO_BENCH_SECONDS", 5)?;
        let number = usize::try_from(setting("VARCO_BENCH_DSU", 10_000)?)?;
        let window = Duration::from_secs(seconds);
        let sync = sync_cost(self.home.path(), 1000)?;

        // Once to have the DSU in, then from the beginning.
        let server = self.varco("data")?;
        self.transmit(&server).await?;
        println!("{number} DSU ...");
        let persons = self.receive(&server, number).await?;
        let questions = self.ask_for(&server, persons).await?;
        let before = bytes_in(&self.home.path().join("data/ledger"))?;
        let one = questions.of(Asked::Indicatore)[0].clone();
        let asked = self
            .load(&server, GOOD, questions.of(Asked::Indicatore), window)
            .await?;
        // What an exchange leaves in the ledger: so much the others record, too.
        let entry = (bytes_in(&self.home.path().join("data/ledger"))? - before) / (asked.requests * 6 / 5);
        drop(server);

        let began = Instant::now();
        let varco = self.varco("data")?;
        let (varco_start, _) = self.first_answer(&varco, &one, began, PATIENCE).await?;
        let [reply, attestation] = &questions.reply;
        let gsoap = self.make_gsoap(target, reply, attestation)?;
        let plain = self.gsoap(&gsoap, Recording::None)?;
        let (_, same) = self.first_answer(&plain, &one, Instant::now(), PATIENCE).await?;
        let each = self.gsoap(&gsoap, Recording::Each(entry))?;
        let groups = self.gsoap(&gsoap, Recording::Groups(entry))?;
        let nginx = [self.nginx("nginx", reply)?, self.nginx("nginx-2", attestation)?];
        for server in [&each, &groups, &nginx[0], &nginx[1]] {
            self.first_answer(server, &one, Instant::now(), PATIENCE).await?;
        }
        let servers = [
            (VARCO, [&varco, &varco]),
            (PLAIN, [&plain, &plain]),
            (EACH, [&each, &each]),
            (GROUPS, [&groups, &groups]),
            (NGINX, [&nginx[0], &nginx[1]]),
        ];
        let mut outcomes = self.lines(&ONE_CORE, &servers, &questions, window).await?;
        println!("flood ...");
        self.accredit_flood().await?;
        let floods = self.floods(&varco, window).await?;
        let memory = [&varco, &plain].map(Server::memory);
        drop((varco, plain, each, groups, nginx));

        let ledger = bytes_in(&self.home.path().join("data"))?;
        let began = Instant::now();
        let again = self.varco("data")?;
        let (again_start, _) = self.first_answer(&again, &one, began, PATIENCE).await?;
        drop(again);

        self.both.set(true);
        let (varco, plain) = (self.varco("data")?, self.gsoap(&gsoap, Recording::None)?);
        let groups = self.gsoap(&gsoap, Recording::Groups(entry))?;
        for server in [&varco, &plain, &groups] {
            self.first_answer(server, &one, Instant::now(), PATIENCE).await?;
        }
        let servers = [
            (VARCO, [&varco, &varco]),
            (PLAIN, [&plain, &plain]),
            (GROUPS, [&groups, &groups]),
        ];
        outcomes.extend(self.lines(&TWO_CORES, &servers, &questions, window).await?);
        self.both.set(false);

        std::fs::write(target.join("port.svg"), chart(&outcomes))?;
        let mut report = table(&outcomes)?;
        let millis = |duration: Duration| tenths(micros(duration) / 100);
        let mib = |kib: u64| tenths(kib * 10 / 1024);
        let alone = |server: &str| {
            let cpu = |row: usize| {
                let of =
                    |outcome: &&Outcome| outcome.server == server && outcome.row == ONE_CORE[row].row.name;
                outcomes.iter().find(of).map_or(0, |outcome| outcome.cpu)
            };
            tenths(cpu(4).saturating_sub(cpu(1)))
        };
        let [varco_memory, gsoap_memory] = memory;
        let ((varco_rss, varco_peak), (gsoap_rss, gsoap_peak)) = (varco_memory?, gsoap_memory?);
        writeln!(
            report,
            "- A full handshake alone, as the difference between two rows of 16: Varco {} µs of CPU, nginx {} µs, gSOAP {} µs.\n\
             - First answer after start: {} ms on {number} DSU, {} ms on what the load left ({} MiB).\n\
             - Resident at the end (peak): Varco {} MiB ({}), gSOAP {} MiB ({}).\n\
             - Appending 1 KiB and `fdatasync` in the same directory ({}), 1000 times: p50 {} µs, p99 {} µs.\n\
             - {seconds} s a row; request {} bytes; reply {} bytes, gSOAP's own {}; attestation {} bytes; {entry} bytes recorded a request.\n\
             - {}; {}; {}; gSOAP {}.\n\n{floods}",
            alone(VARCO),
            alone(NGINX),
            alone(PLAIN),
            millis(varco_start),
            millis(again_start),
            ledger >> 20,
            mib(varco_rss),
            mib(varco_peak),
            mib(gsoap_rss),
            mib(gsoap_peak),
            file_system(self.home.path()),
            micros(sync.0),
            micros(sync.1),
            one.len(),
            reply.len(),
            same.len(),
            attestation.len(),
            if self.pinned {
                "servers on core 0, load on core 1; two cores: servers on both, load on core 1"
            } else {
                "NOT pinned"
            },
            cpu_model(),
            nginx_version(),
            gsoap_version(),
        )?;
        Ok(report)
    }

    /// Gives the ente that floods a certificate and a quota.
    async fn accredit_flood(&self) -> Result<()> {
        let (data, codice) = (self.home.path().join("data"), FLOOD.0.to_owned());
        let ente = (
            codice.clone(),
            Tipo::Altro,
            self.spare.clone(),
            "ConsultazioneIndicatore",
        );
        common::accredit(&data, &[ente], &self.clock).await?;
        let quote = Quote {
            al_minuto: Some(QUOTA),
            ..Quote::default()
        };
        ente::apply(
            &data,
            administration::Command::Quota {
                codice,
                quote,
                operatore: false,
            },
            "bench",
            &self.clock,
        )
        .await?;
        Ok(())
    }

    /// The good ente's requests beside a flood over so many connections, for so long.
    async fn flooded(&self, server: &Server, connections: usize, window: Duration) -> Result<Flooded> {
        let (address, number) = (server.address.to_string(), connections.to_string());
        let arguments = [
            "--flood".as_ref(),
            self.home.path().as_ref(),
            address.as_ref(),
            number.as_ref(),
        ];
        let flood = (connections > 0).then(|| Again::start(&arguments)).transpose()?;
        let cpu = server.cpu()?;
        let good = self.load(server, GOOD, &self.question(), window).await?;
        let cpu = (server.cpu()? - cpu) * 100 / micros(window * 6 / 5);
        let refused = flood.map_or(Ok(0), Again::stop)?;
        Ok(Flooded { good, refused, cpu })
    }

    /// The table of the flood: rows in turn, and of each the median.
    async fn floods(&self, server: &Server, window: Duration) -> Result<String> {
        let mut measured: Vec<Vec<Flooded>> = FLOODS.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (index, connections) in FLOODS.into_iter().enumerate() {
                measured[index].push(self.flooded(server, connections, window).await?);
            }
        }
        let median = |row: &[Flooded], of: fn(&Flooded) -> u64| {
            let mut all: Vec<u64> = row.iter().map(of).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        let mut table =
            "| connections of the flood | its refusals/s | good ente's p50 µs | p99 µs | change of p99 % | server CPU % |\n".to_owned();
        table.push_str("|---:|---:|---:|---:|---:|---:|\n");
        let alone = median(&measured[0], |flooded| flooded.good.p99);
        for (connections, row) in FLOODS.iter().zip(&measured) {
            let p99 = median(row, |flooded| flooded.good.p99);
            writeln!(
                table,
                "| {connections} | {} | {} | {p99} | {:+} | {} |",
                median(row, |flooded| flooded.refused),
                median(row, |flooded| flooded.good.p50),
                (i128::from(p99) - i128::from(alone)) * 100 / i128::from(alone.max(1)),
                median(row, |flooded| flooded.cpu),
            )?;
        }
        Ok(table)
    }
}

/// What is asked, of many persons, and the reply of middling length: of indicators, and of attestations.
struct Questions {
    asked: [Arc<[String]>; 2],
    reply: [String; 2],
}

impl Questions {
    fn of(&self, asked: Asked) -> &Arc<[String]> {
        &self.asked[asked as usize]
    }
}

/// A server in a row.
struct Outcome {
    server: &'static str,
    row: &'static str,
    measured: Measured,
    /// Of the server, for a request, tenths of a microsecond.
    cpu: u64,
}

fn table(outcomes: &[Outcome]) -> Result<String> {
    let mut table =
        "| | requests/s | p50 µs | p99 µs | server CPU µs/request | beside gSOAP | load generator CPU % |\n\
                     |---|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    for outcome in outcomes {
        let Outcome {
            server,
            row,
            measured,
            cpu,
        } = outcome;
        let plain = outcomes
            .iter()
            .find(|other| other.row == *row && other.server == PLAIN);
        let beside = plain.map_or(0, |plain| cpu * 100 / plain.cpu.max(1));
        writeln!(
            table,
            "| {server}, {row} | {} | {} | {} | {} | {}.{:02} | {} |",
            measured.requests * 1_000_000 / micros(measured.elapsed),
            measured.p50,
            measured.p99,
            tenths(*cpu),
            beside / 100,
            beside % 100,
            tenths(measured.load_micros * 1000 / micros(measured.elapsed)),
        )?;
    }
    table.push('\n');
    Ok(table)
}

/// The CPU of a question by connections, of every server.
fn chart(outcomes: &[Outcome]) -> String {
    let cpu = |row: &str, server: &str| {
        let mut all = outcomes.iter();
        all.find(|outcome| outcome.row == row && outcome.server == server)
            .map(|outcome| outcome.cpu)
    };
    let groups = ONE_CORE.iter().take(4).map(|line| {
        let values = ALL.iter().map(|server| cpu(line.row.name, server)).collect();
        (line.row.name.to_owned(), values)
    });
    let chart = Chart {
        title: "CPU of a question, µs, by connections",
        series: ALL,
        groups: groups.collect(),
    };
    chart.svg()
}

/// The good ente beside a flood.
struct Flooded {
    good: Measured,
    /// Refusals of the flood, each second.
    refused: u64,
    /// CPU of the server, per cent of a core.
    cpu: u64,
}

/// Floods until standard input ends: so many connections, each asking again as soon as it was told something.
/// One byte says that it has begun, a number at the end how many refusals a second it was given.
fn flood(home: &Path, address: SocketAddr, connections: usize) -> Result<()> {
    common::runtime()?.block_on(async {
        let client = client(home, address, FLOOD.1)?;
        let question: Arc<str> =
            requests::indicatore(GIULIA, &Clock::system().today().to_string(), PRESTAZIONE).into();
        let over = Arc::new(AtomicBool::new(false));
        let mut open = Vec::new();
        for _ in 0..connections {
            open.push(client.connect().await?);
        }
        // What is left of the quota.
        for _ in 0..QUOTA {
            if open[0]
                .call(Service::ConsultazioneIsee.path(), &question)
                .await?
                .status
                == 429
            {
                break;
            }
        }
        let mut tasks = JoinSet::new();
        for connected in open {
            tasks.spawn(ask_in_vain(
                connected,
                client.clone(),
                question.clone(),
                over.clone(),
            ));
        }
        print!("!");
        std::io::stdout().flush()?;
        let began = Instant::now();
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        over.store(true, Ordering::Relaxed);
        let taken = began.elapsed();
        let mut refused = 0;
        while let Some(told) = tasks.join_next().await {
            refused += told??;
        }
        println!("{}", refused * 1_000_000 / micros(taken));
        Ok(())
    })
}

/// Asks until it is over: how often it was refused.
async fn ask_in_vain(
    mut open: Connected,
    client: Client,
    question: Arc<str>,
    over: Arc<AtomicBool>,
) -> Result<u64> {
    let mut refused = 0;
    while !over.load(Ordering::Relaxed) {
        match open.call(Service::ConsultazioneIsee.path(), &question).await {
            Ok(answer) if answer.status == 429 => refused += 1,
            Ok(answer) if answer.status == 200 => {}
            Ok(answer) => bail!("HTTP {}: {}", answer.status, answer.text),
            Err(_) => open = client.connect().await?,
        }
    }
    Ok(refused)
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
