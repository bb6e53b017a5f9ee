//! The whole port under load, beside nginx: `cargo bench --bench port`, or `just bench --bench port`.
//!
//! The server is the real binary on a data directory under `target/`, so that a sync is a sync; the load is
//! ConsultazioneIndicatore for one person whose DSU came in through the port. nginx stands beside it as the
//! floor: same certificates, same list of revocations, one worker, no access log, and to the same POST it
//! gives the very bytes of Varco's reply out of its configuration (`return 200`; from a file it would refuse
//! a POST). It reads no XML, asks nobody, encrypts and records nothing. What is measured and how it came out:
//! `docs/performance.md`.
//!
//! Then one ente floods, far above its quota: how long another one's requests take beside that, one after
//! another, every tenth on a new connection. The flood is a process of its own that gives way to the one that
//! measures (`nice`), on the same core; the server has the other for itself. The smoke run does without
//! nginx.

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use common::{
    Again, Bench, Measured, PATIENCE, PRESTAZIONE, Row, Server, bytes_in, client, cpu_model, file_system,
    free_address, micros, perf_works, setting, tenths,
};
use tokio::task::JoinSet;
use varco::clock::Clock;
use varco::commands::client::{Client, Connected};
use varco::commands::ente;
use varco::commands::requests::{self, GIULIA};
use varco::contract::catalogue::Service;
use varco::registry::administration;
use varco::registry::ente::Tipo;
use varco::registry::quota::Quote;

const ROWS: [Row; 4] = [
    Row {
        name: "1 connection",
        connections: 1,
        new_every: None,
    },
    Row {
        name: "16 connections",
        connections: 16,
        new_every: None,
    },
    Row {
        name: "64 connections",
        connections: 64,
        new_every: None,
    },
    Row {
        name: "16, full handshake a request",
        connections: 16,
        new_every: Some(1),
    },
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
    let report = runtime.block_on(port.run())?;
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
    /// nginx, which gives `reply` to whatever is asked.
    fn nginx(&self, reply: &str) -> Result<Server> {
        ensure!(
            reply.is_ascii() && !reply.contains(['\'', '$', '\\']),
            "a reply that nginx's configuration cannot hold"
        );
        let address = free_address()?;
        let prefix = self.home.path().join("nginx");
        std::fs::create_dir_all(&prefix)?;
        // A parameter of the configuration holds 4096 bytes at most.
        let (mut pieces, mut names) = (String::new(), String::new());
        for (index, piece) in reply.as_bytes().chunks(2048).enumerate() {
            writeln!(
                pieces,
                "            set $piece{index} '{}';",
                std::str::from_utf8(piece)?
            )?;
            write!(names, "${{piece{index}}}")?;
        }
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("    {kind}_temp_path {kind};\n"))
            .collect();
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
        self.start(
            &nginx_path(),
            &[
                Path::new("-e"),
                Path::new("stderr"),
                Path::new("-p"),
                &prefix,
                Path::new("-c"),
                &file,
            ],
            address,
        )
    }

    /// A little of everything, without nginx.
    async fn smoke(&self) -> Result<()> {
        let server = self.varco("data")?;
        self.transmit(&server).await?;
        for row in ROWS {
            let measured = self
                .load(&server, row, &self.question(), Duration::from_millis(200), None)
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

    async fn run(&self) -> Result<String> {
        let seconds = setting("VARCO_BENCH_SECONDS", 5)?;
        let window = Duration::from_secs(seconds);
        let questions = self.question();
        let perf = perf_works();
        let sync = sync_cost(self.home.path(), 1000)?;

        // Once to have the DSU in, then from the beginning.
        let server = self.varco("data")?;
        self.transmit(&server).await?;
        drop(server);
        let began = Instant::now();
        let varco = self.varco("data")?;
        let (varco_start, reply) = self.first_answer(&varco, &questions[0], began, PATIENCE).await?;
        let began = Instant::now();
        let nginx = self.nginx(&reply)?;
        let (nginx_start, same) = self.first_answer(&nginx, &questions[0], began, PATIENCE).await?;
        ensure!(same == reply, "nginx gives other bytes");

        let (mut table, mut kept, mut handshakes) = (String::new(), [0; 2], [0; 2]);
        for row in ROWS {
            for (index, (name, server)) in [("Varco", &varco), ("nginx", &nginx)].into_iter().enumerate() {
                println!("{name}, {} ...", row.name);
                let measured = self
                    .load(server, row, &questions, window, perf.then_some(self.home.path()))
                    .await?;
                let cpu = measured.cpu_micros * 10 / measured.requests;
                if row.connections == 16 {
                    (if row.new_every.is_none() {
                        &mut kept
                    } else {
                        &mut handshakes
                    })[index] = cpu;
                }
                let instructions = measured
                    .instructions
                    .map_or("-".to_owned(), |count| count.to_string());
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
        println!("flood ...");
        self.accredit_flood().await?;
        let floods = self.floods(&varco, window).await?;
        let ((varco_rss, varco_peak), (nginx_rss, nginx_peak)) = (varco.memory()?, nginx.memory()?);
        drop((varco, nginx));
        let ledger = bytes_in(&self.home.path().join("data"))?;
        let began = Instant::now();
        let again = self.varco("data")?;
        let (again_start, _) = self.first_answer(&again, &questions[0], began, PATIENCE).await?;
        drop(again);

        let alone: Vec<u64> = (0..2)
            .map(|index| handshakes[index].saturating_sub(kept[index]))
            .collect();
        let millis = |duration: Duration| tenths(micros(duration) / 100);
        let mib = |kib: u64| tenths(kib * 10 / 1024);
        let mut report = String::new();
        writeln!(
            report,
            "| | requests/s | p50 µs | p99 µs | server CPU µs/request | load generator CPU % | instructions/request |"
        )?;
        writeln!(report, "|---|---:|---:|---:|---:|---:|---:|\n{table}")?;
        if !perf {
            writeln!(
                report,
                "- Instructions per request: not supported here (`perf stat -e instructions:u` counts nothing)."
            )?;
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
        let (question, reply) = (questions[0].len(), reply.len());
        let pinning = if self.pinned {
            "servers on core 0, load on core 1"
        } else {
            "NOT pinned"
        };
        writeln!(
            report,
            "- {seconds} s a row; request {question} bytes, reply {reply} bytes; {pinning}; {}; {}.",
            cpu_model(),
            nginx_version()
        )?;
        writeln!(report, "\n{floods}")?;
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
        let good = self.load(server, GOOD, &self.question(), window, None).await?;
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

fn nginx_path() -> PathBuf {
    // Debian keeps it where the PATH of a plain user does not look.
    let found = ["/usr/sbin/nginx", "/sbin/nginx", "/usr/local/sbin/nginx"]
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from("nginx"))
}

fn nginx_version() -> String {
    let Ok(output) = Command::new(nginx_path()).arg("-V").output() else {
        return "no nginx".to_owned();
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let part = |start: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap_or("?")
            .to_owned()
    };
    let library: Vec<String> = part("built with ")
        .split_whitespace()
        .take(2)
        .map(str::to_owned)
        .collect();
    format!("{}, {}", part("nginx version: "), library.join(" "))
}
