//! How much later an ente is answered while another one sends long requests: `just beside`.
//!
//! The CAF sends two requests at a time, without a pause: DSU of almost 2 MiB, the longest that the port
//! takes. The port refuses them at the end, after every check. The comune asks for one ISEE after another.
//! Rounds with and without the CAF alternate, and the median round of each kind counts. Server and load are
//! not pinned: a long step and the threads that serve share the processors, as they do on a machine of their
//! own. The long requests come from a process that gives way to the one that measures (`nice`).
//!
//! `VARCO_BENCH_SECONDS` sets the seconds of a round (10).

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use common::{Again, Bench, Row, Run, client, cpu_model, file_system, setting};
use tokio::task::JoinSet;
use varco::clock::Clock;
use varco::commands::client::{Answer, Client};
use varco::commands::requests;
use varco::contract::catalogue::Service;

/// The ente that is measured.
const GOOD: Row = Row {
    name: "another ente",
    connections: 1,
    new_every: None,
};
/// Long requests at the same time.
const LONG: usize = 2;
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, home, address] = &arguments[..]
        && flag == "--long"
    {
        return long(Path::new(home), address.parse()?);
    }
    let Some(run) = common::begin()? else {
        return Ok(());
    };
    let run = Run { pinned: false, ..run };
    let runtime = common::runtime()?;
    let bench = runtime.block_on(Bench::new(&run))?;
    runtime.block_on(measure(&bench, &run))
}

async fn measure(bench: &Bench, run: &Run) -> Result<()> {
    let window = if run.full {
        Duration::from_secs(setting("VARCO_BENCH_SECONDS", 10)?)
    } else {
        Duration::from_millis(300)
    };
    let server = bench.varco("data")?;
    bench.transmit(&server).await?;
    let question = bench.question();
    let address = server.address.to_string();
    let mut rows = [Vec::new(), Vec::new()];
    let mut sent = 0;
    for round in 0..if run.full { 2 * ROUNDS } else { 2 } {
        let beside = round % 2 == 1;
        let heavy = beside
            .then(|| Again::start(&["--long".as_ref(), bench.home.path().as_ref(), address.as_ref()]))
            .transpose()?;
        let measured = bench.load(&server, GOOD, &question, window).await?;
        sent += heavy.map(Again::stop).transpose()?.unwrap_or_default();
        rows[usize::from(beside)].push((measured.p50, measured.p99));
    }
    drop(server);
    ensure!(sent > 0, "no long request was answered");
    if !run.full {
        println!("smoke: ok");
        return Ok(());
    }
    let mut report = "| another ente's requests | p50 µs | p99 µs |\n|---|---:|---:|\n".to_owned();
    for (name, row) in ["alone", "beside two long requests"].into_iter().zip(&mut rows) {
        row.sort_unstable_by_key(|(_, p99)| *p99);
        let (p50, p99) = row[row.len() / 2];
        writeln!(report, "| {name} | {p50} | {p99} |")?;
    }
    writeln!(
        report,
        "\n- {sent} long requests answered; {}; {}.",
        file_system(bench.home.path()),
        cpu_model()
    )?;
    println!("\n{report}");
    std::fs::write(run.target.join("beside.md"), report)?;
    Ok(())
}

/// A transmission of almost 2 MiB: as many students as that takes, none of whom is of the family.
fn request() -> Result<String> {
    let today = Clock::system().today();
    let dsu = requests::dsu(
        &format!("CAF00001-LUNGHE-{}-N0000001", today.year()),
        &today.to_string(),
    );
    let (before, after) = dsu.split_once("</ModelloBase>").context("a form")?;
    let student = |number: usize| {
        format!(
            "<Universitario CodiceFiscaleBeneficiario=\"RSSMRA{:02}A01H{:03}X\" PresenzaGenitori=\"TuttiPresenti\"/>",
            number % 100,
            number / 100 % 1000
        )
    };
    let students: String = (0..)
        .map(student)
        .scan(dsu.len(), |length, text| {
            *length += text.len();
            (*length < 2_000_000).then_some(text)
        })
        .collect();
    Ok(requests::trasmissione(&format!(
        "{before}{students}</ModelloBase>{after}"
    )))
}

/// Sends long requests until standard input ends.
fn long(home: &Path, address: SocketAddr) -> Result<()> {
    common::runtime()?.block_on(async {
        let (client, request): (Client, Arc<str>) = (client(home, address, "caf")?, request()?.into());
        let over = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for _ in 0..LONG {
            let (client, request, over) = (client.clone(), request.clone(), over.clone());
            tasks.spawn(async move {
                let mut open = client.connect().await?;
                let mut answered = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    let Answer { status, text, .. } =
                        open.call(Service::TrasmissioneDsu.path(), &request).await?;
                    ensure!(
                        status == 200 && text.contains("RICHIESTA_INVALIDA"),
                        "HTTP {status}: {}",
                        text.get(..300).unwrap_or(&text)
                    );
                    answered += 1;
                }
                Ok(answered)
            });
        }
        print!("!");
        std::io::stdout().flush()?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        over.store(true, Ordering::Relaxed);
        let mut answered = 0;
        while let Some(sent) = tasks.join_next().await {
            answered += sent??;
        }
        println!("{answered}");
        Ok(())
    })
}
