//! Transmissions through the whole port: `cargo bench --bench transmission`, or
//! `just bench --bench transmission`.
//!
//! A CAF transmits DSU of about 20 KB, each of another invented family, to the real binary on a data
//! directory under `target/`: each is parsed, judged by its schema and by every check, computed with all its
//! indicators, attested, sealed and synced before it is answered. The server has a core of its own. Then the
//! same parts alone, in this process: what of it is the ISEE's. How it came out: `docs/performance.md`.
//!
//! `VARCO_BENCH_SECONDS` sets the seconds of a row (5).

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use common::{Bench, Load, Row, Run, cpu_model, file_system, micros, setting, tenths};
use jiff::civil::Date;
use kit::famiglia::venti_kilobyte;
use varco::commands::famiglie::{Famiglia, Famiglie};
use varco::commands::requests;
use varco::contract::catalogue::Service;
use varco::contract::{ISEE_NS, message};
use varco::isee::attest::{Rilascio, attest};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, examine};
use varco::isee::compute::casi::Situazione;
use varco::isee::compute::componente::NessunAltra;
use varco::isee::rules::Rules;

const ROWS: [Row; 2] = [
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
];
/// More than the port takes in a second: none is sent twice.
const A_SECOND: u64 = 4000;

fn main() -> Result<()> {
    let Some(run) = common::begin()? else {
        return Ok(());
    };
    let runtime = common::runtime()?;
    let bench = runtime.block_on(Bench::new(&run))?;
    runtime.block_on(measure(&bench, &run))
}

async fn measure(bench: &Bench, run: &Run) -> Result<()> {
    let seconds = if run.full {
        setting("VARCO_BENCH_SECONDS", 5)?
    } else {
        0
    };
    let window = if run.full {
        Duration::from_secs(seconds)
    } else {
        Duration::from_millis(300)
    };
    let today = bench.clock.today();
    let mut famiglie = Famiglie::new(26, today);
    let server = bench.varco("data")?;
    bench.transmit(&server).await?;

    let mut table = String::new();
    for (place, row) in ROWS.into_iter().enumerate() {
        println!("{} ...", row.name);
        let number = if run.full { A_SECOND * (seconds + 2) } else { 2000 };
        let mut requests = Vec::new();
        for index in 0..number {
            let (_, dsu) = venti_kilobyte(
                &mut famiglie,
                &format!("CAF0001{place}-BENCH2-{}-N{index:07}", today.year()),
            );
            requests.push(requests::trasmissione(&dsu));
        }
        let bytes = requests[0].len();
        let load = Load {
            client: "caf",
            path: Service::TrasmissioneDsu.path(),
        };
        let measured = bench
            .load_with(&server, row, load, &Arc::from(requests), window)
            .await?;
        ensure!(measured.requests < number, "some were sent twice");
        writeln!(
            table,
            "| {} | {bytes} | {} | {} | {} | {} | {} |",
            row.name,
            measured.requests * 1_000_000 / micros(measured.elapsed),
            measured.p50,
            measured.p99,
            tenths(measured.cpu_micros * 10 / measured.requests),
            tenths(measured.load_micros * 1000 / micros(measured.elapsed)),
        )?;
    }
    drop(server);
    if !run.full {
        println!("smoke: ok");
        return Ok(());
    }
    let pinning = if bench.pinned {
        "server on core 0, load on core 1"
    } else {
        "NOT pinned"
    };
    let report = format!(
        "| | request, bytes | transmissions/s | p50 µs | p99 µs | server CPU µs each | load generator CPU % |\n\
         |---|---:|---:|---:|---:|---:|---:|\n{table}\n{}\n- {seconds} s a row; {pinning}; {}; {}.\n",
        parts(&mut famiglie, today)?,
        file_system(bench.home.path()),
        cpu_model(),
    );
    println!("\n{report}");
    std::fs::write(run.target.join("transmission.md"), report)?;
    Ok(())
}

/// What of it is the ISEE's: a thousand families, in this process.
fn parts(famiglie: &mut Famiglie, today: Date) -> Result<String> {
    let rules = Rules::embedded()?;
    let rules = rules.on(today).context("rules of today")?;
    let mut families = Vec::new();
    for index in 0..1000 {
        let protocollo = format!("CAF00003-BENCH2-{}-N{index:07}", today.year());
        families.push(venti_kilobyte(famiglie, &protocollo).0);
    }
    let calendario = Calendario::default();
    let mut taken = [Duration::ZERO; 3];
    for Famiglia { dsu, feed } in &families {
        let began = Instant::now();
        let esame = examine(dsu, &Circumstance::on(today, rules, &calendario));
        taken[0] += began.elapsed();
        ensure!(esame.difetti.is_empty(), "a family that the checks refuse");
        let began = Instant::now();
        let indicatori = Situazione {
            dsu,
            presented: today,
            rules,
            feed,
            altre: &NessunAltra,
        }
        .indicatori()?;
        taken[1] += began.elapsed();
        let began = Instant::now();
        let about = Rilascio {
            protocollo: "INPS-ISEE-2026-00000001B-00",
            presentata: today,
            rilasciata: today,
            ..Rilascio::default()
        };
        let attestazione = attest(dsu, &indicatori, rules, about);
        let text = message("Attestazione", ISEE_NS, &attestazione, false);
        taken[2] += began.elapsed();
        ensure!(!text.is_empty(), "no attestation");
    }
    let each = taken.map(|taken| tenths(micros(taken) * 10 / families.len() as u64));
    Ok(format!(
        "- Of one DSU, in this process: all checks {} µs, all indicators {} µs, the attestation and its XML {} µs.",
        each[0], each[1], each[2]
    ))
}
