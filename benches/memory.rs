//! Memory that a feed takes and gives back: `cargo bench --bench memory`, or `just bench --bench memory`.
//!
//! A CAF transmits the DSU of 4,400 invented families. All of them wait, because nothing is known of their
//! members. Then an operator loads the feed of all members, and the gateway attests the waiting DSU. The
//! report has the resident memory of the server at each step, and its heap.
//!
//! `VARCO_BENCH_FAMILIES` sets another number of families.

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use common::{Bench, Server, cpu_model, setting, tenths};
use rust_decimal::Decimal;
use varco::commands::famiglie::Famiglie;
use varco::commands::requests;
use varco::contract::catalogue::Service;
use varco::contract::{ISEE_NS, esiti_text, message};
use varco::isee::feed::{COLUMNS, FeedRecord};

/// Connections of the CAF.
const CONNECTIONS: u64 = 8;
/// The wait before memory is measured once more.
const QUIET: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    let Some(run) = common::begin()? else {
        return Ok(());
    };
    let runtime = common::runtime()?;
    let number = if run.full {
        setting("VARCO_BENCH_FAMILIES", 4400)?
    } else {
        40
    };
    let quiet = if run.full { QUIET } else { Duration::ZERO };
    let bench = runtime.block_on(Bench::new(&run))?;
    let today = bench.clock.today();
    let mut famiglie = Famiglie::new(26, today);
    let mut feed = COLUMNS.join(",");
    let mut requests = Vec::new();
    for index in 0..number {
        let family = famiglie.famiglia(&format!("CAF00001-MEMORY-{}-N{index:07}", today.year()));
        for record in &family.feed {
            feed.push('\n');
            feed.push_str(&line(record));
        }
        let dsu = message("Dichiarazione", ISEE_NS, &family.dsu, false);
        // The feed has a line for every other person too, without amounts: no DSU waits after it.
        let known: Vec<&str> = family
            .feed
            .iter()
            .map(|record| record.codice_fiscale.as_str())
            .collect();
        let persons = dsu
            .split("CodiceFiscale=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|code| code.len() == 16);
        for person in persons
            .filter(|person| !known.contains(person))
            .collect::<BTreeSet<_>>()
        {
            write!(
                feed,
                "\n{person},{}{}",
                today.year() - 2,
                ",".repeat(COLUMNS.len() - 2)
            )?;
        }
        requests.push(requests::trasmissione(&dsu));
    }
    let file = bench.home.path().join("feed.csv");
    std::fs::write(&file, &feed)?;

    let server = bench.varco_that_attests("data", "termini")?;
    let mut table = String::new();
    let mut row = |what: &str, took: Duration| -> Result<()> {
        let (resident, heap) = (server.memory()?.0, server.heap()?);
        let line = format!(
            "| {what} | {} | {} | {} |",
            tenths(heap * 10 / 1024),
            tenths(resident * 10 / 1024),
            tenths(common::micros(took) / 100_000)
        );
        println!("{line}");
        writeln!(table, "{line}")?;
        Ok(())
    };
    runtime.block_on(bench.transmit(&server))?;
    row("started", Duration::ZERO)?;
    let began = Instant::now();
    runtime.block_on(transmit(&bench, &server, requests))?;
    let took = began.elapsed();
    std::thread::sleep(quiet);
    row(&format!("{number} DSU wait"), took)?;
    for what in ["the feed is loaded", "the same is loaded again"] {
        let began = Instant::now();
        load(&bench, &file)?;
        row(what, began.elapsed())?;
        std::thread::sleep(quiet);
        row(&format!("{} s later", quiet.as_secs()), Duration::ZERO)?;
    }
    drop(server);
    if !run.full {
        println!("smoke: ok");
        return Ok(());
    }
    let report = format!(
        "| | heap MiB | resident MiB | s |\n|---|---:|---:|---:|\n{table}\n- {} persons in the feed, {} KiB; {}.\n",
        feed.lines().count() - 1,
        feed.len() >> 10,
        cpu_model(),
    );
    println!("\n{report}");
    std::fs::write(run.target.join("memory.md"), report)?;
    Ok(())
}

/// A line of the file.
fn line(record: &FeedRecord) -> String {
    let amounts = [
        record.reddito_irpef,
        record.lavoro_dipendente,
        record.pensione,
        record.redditi_agrari,
        record.redditi_imposta_sostitutiva,
        record.trattamenti,
        record.trattamenti_disabilita,
        record.spese_detrazione,
        record.spese_deduzione,
        record.titoli_di_stato,
        record.buoni_postali,
        record.libretti_postali,
    ];
    let amounts = amounts.map(|amount| {
        amount
            .map(|amount: Decimal| amount.round().to_string())
            .unwrap_or_default()
    });
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let relations: Vec<String> = record
        .rapporti
        .iter()
        .map(|known| {
            format!(
                "{}:{}:{}:{}:{}",
                known.tipo,
                known.operatore,
                known.identificativo,
                number(known.saldo),
                number(known.giacenza)
            )
        })
        .collect();
    format!(
        "{},{},{},{}",
        record.codice_fiscale,
        record.anno,
        amounts.join(","),
        relations.join("|")
    )
}

/// Each DSU once, by a few connections at a time.
async fn transmit(bench: &Bench, server: &Server, requests: Vec<String>) -> Result<()> {
    let client = bench.client(server.address, "caf")?;
    let mut tasks = tokio::task::JoinSet::new();
    let each = requests.len().div_ceil(CONNECTIONS as usize).max(1);
    for part in requests.chunks(each) {
        let (client, part) = (client.clone(), part.to_vec());
        tasks.spawn(async move {
            let mut connected = client.connect().await?;
            for request in &part {
                let answer = connected.call(Service::TrasmissioneDsu.path(), request).await?;
                ensure!(
                    esiti_text(&answer.text, "Esito") == Some("OK"),
                    "HTTP {}: {}",
                    answer.status,
                    answer.text
                );
            }
            Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// As an operator does, until everything is attested.
fn load(bench: &Bench, file: &Path) -> Result<()> {
    let data = bench.home.path().join("data");
    let done = Command::new(Bench::program())
        .args(["feed", "load"])
        .arg(file)
        .args(["--motivo", "prova", "--data"])
        .arg(data)
        .output()
        .context("feed load")?;
    ensure!(
        done.status.success(),
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    print!("{}", String::from_utf8_lossy(&done.stdout));
    Ok(())
}
