//! The port on a ledger that grows: `cargo bench --bench growth`, or `just bench --bench growth`.
//!
//! One data directory grows from ten thousand entries to ten million, over two years, written by the ledger
//! itself: copies of what the real binary left of one DSU and one question, with other persons, enti,
//! protocols and instants, each sealed and committed like any other, but in batches of a thousand. Of fifty
//! entries three are of a DSU (exchange, DSU, attestation), the others are questions about those. At each
//! size the directory is copied (closed segments are only linked), the present day's entries come after it in
//! batches as the port makes them, and the real binary is started on that: how long until the first good
//! answer, what a request about any of those persons costs, how much memory it takes. All files are read once
//! before that, so that they are in the page cache, as far as they fit: no start is a cold one.
//!
//! `VARCO_BENCH_ENTRIES` ends it at a smaller size, `VARCO_BENCH_SECONDS` sets the seconds of the load (5).

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, reason = "a program that speaks to people")]

mod common;

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use common::chart::Chart;
use common::{
    Bench, Ente, PATIENCE, PRESTAZIONE, Row, bytes_in, cpu_model, file_system, micros, setting, tenths,
};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use varco::clock::{Clock, rome};
use varco::commands::requests;
use varco::config::SEGMENT_BYTES;
use varco::contract::attestazione_letta;
use varco::digest::{hex, sha256};
use varco::gateway::node::Node;
use varco::isee::codice_fiscale::check_letter;
use varco::isee::sintesi::Sintesi;
use varco::ledger::disk::RealDisk;
use varco::ledger::{
    Blinding, Body, Directory, Draft, Fact, Keys, Kind, Ledger, Secret, Submission, TokenKey, Tokens,
    new_exchange, seal, segments,
};
use varco::registry::ente::Tipo;
use varco::sii::embedded::entries::{person_key, protocol_key, sender_key};
use varco::sii::protocol::stem_of;

/// Entries, the present day's included.
const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// The same, where nothing is measured.
const SMOKE: [u64; 2] = [150, 400];
/// Over how many days the largest size is spread.
const DAYS: i64 = 730;
/// Entries of the present day, and of how many entries one is of that day at most.
const TODAY: (u64, u64) = (20_000, 5);
/// Enti that asked, besides the one that asks now.
const ENTI: usize = 100;
/// Of so many entries, one DSU's.
const CYCLE: u64 = 50;
/// Entries in a batch: of the past, and of the present day.
const BATCH: (usize, usize) = (1000, 8);
/// What an entry takes on disk at most, with its part of the views.
const ENTRY_BYTES: u64 = 2200;
/// Questions of the load.
const QUESTIONS: u64 = 20_000;
/// How often a start is measured: the median counts.
const STARTS: usize = 3;
/// How long views may take to be made again.
const REBUILD: Duration = Duration::from_secs(900);
const LOAD: Row = Row {
    name: "16 connections",
    connections: 16,
    new_every: None,
};

fn main() -> Result<()> {
    let Some(run) = common::begin()? else {
        return Ok(());
    };
    let runtime = common::runtime()?;
    let limit = setting("VARCO_BENCH_ENTRIES", u64::MAX)?;
    let sizes: Vec<u64> = if run.full {
        SIZES.into_iter().filter(|size| *size <= limit).collect()
    } else {
        SMOKE.into()
    };
    let seconds = setting("VARCO_BENCH_SECONDS", 5)?;
    let window = if run.full {
        Duration::from_secs(seconds)
    } else {
        Duration::from_millis(200)
    };
    let largest = sizes
        .last()
        .copied()
        .context("VARCO_BENCH_ENTRIES is smaller than every size")?;
    room_for(largest, &run.target)?;
    let bench = runtime.block_on(Bench::new(&run))?;
    let mut past = Past::begin(&bench, &runtime, largest)?;
    let (mut table, mut rebuilt) = (String::new(), String::new());
    let (mut costs, mut memory) = (Vec::new(), Vec::new());
    for size in sizes {
        println!("{size} entries ...");
        let measured = measure(&bench, &runtime, &mut past, size, window)?;
        println!("{}", measured.row);
        table += &measured.row;
        rebuilt += &measured.rebuilt;
        costs.push((size.to_string(), vec![Some(measured.cpu)]));
        memory.push((size.to_string(), vec![Some(measured.heap * 10 / 1024)]));
    }
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
        "| entries | ledger MiB | views MiB | written, µs an entry | first answer, ms | CPU µs/request | requests/s | p50 µs | p99 µs | resident MiB | RssAnon MiB |\n\
         |---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n{table}\n\
         | entries | first answer after SIGKILL, ms | with no views, ms | resident then, peak, MiB | varco-verify on one core, s |\n|---:|---:|---:|---:|---:|\n{rebuilt}\n\
         - {ENTI} enti, over {DAYS} days; of these entries up to {} of today; {} connections, {seconds} s; {pinning}; {}; {}.\n",
        TODAY.0,
        LOAD.connections,
        file_system(bench.home.path()),
        cpu_model(),
    );
    println!("\n{report}");
    std::fs::write(run.target.join("growth.md"), report)?;
    for (file, title, groups) in [
        (
            "growth-cpu.svg",
            "CPU of a question, µs, by entries in the ledger",
            costs,
        ),
        (
            "growth-memory.svg",
            "Memory that no file is behind (RssAnon), MiB, by entries in the ledger",
            memory,
        ),
    ] {
        let chart = Chart {
            title,
            series: &["Varco"],
            groups,
        };
        std::fs::write(run.target.join(file), chart.svg())?;
    }
    Ok(())
}

/// Refuses to begin what the disk cannot hold.
fn room_for(entries: u64, target: &Path) -> Result<()> {
    let stat = rustix::fs::statvfs(target)?;
    let (free, needed) = (stat.f_bavail * stat.f_frsize, entries * ENTRY_BYTES + (1 << 30));
    ensure!(
        free > needed,
        "{} MiB are free at {}, and {entries} entries need {}: VARCO_BENCH_ENTRIES=1000000 needs less",
        free >> 20,
        target.display(),
        needed >> 20
    );
    Ok(())
}

/// What is measured at one size: its rows of the two tables.
struct Size {
    row: String,
    rebuilt: String,
    /// Tenths of a microsecond.
    cpu: u64,
    /// KiB.
    heap: u64,
}

fn measure(bench: &Bench, runtime: &Runtime, past: &mut Past, size: u64, window: Duration) -> Result<Size> {
    let today = TODAY.0.min(size / TODAY.1);
    let (before, began) = (past.written, Instant::now());
    past.write(size - today)?;
    let each = micros(began.elapsed()) * 10 / (past.written - before).max(1);
    let day = bench.home.path().join("day");
    let questions = past.with_today(&day, today, &bench.clock, runtime)?;

    let directory = Directory::open(&day)?;
    read_all(directory.path())?;
    // What was written until now is no longer being written while the port is measured.
    rustix::fs::sync();
    let (ledger, views) = (bytes_in(&directory.segments())?, bytes_in(&directory.views())?);
    let start = |patience| -> Result<_> {
        let began = Instant::now();
        let server = bench.varco("day")?;
        let (taken, _) = runtime.block_on(bench.first_answer(&server, &questions[0], began, patience))?;
        Ok((micros(taken) / 100, server))
    };
    let mut starts = Vec::new();
    for _ in 1..STARTS {
        starts.push(start(PATIENCE)?.0);
    }
    let (last, mut server) = start(PATIENCE)?;
    starts.push(last);
    starts.sort_unstable();
    let measured = runtime.block_on(bench.load(&server, LOAD, &questions, window))?;
    let ((resident, _), heap) = (server.memory()?, server.heap()?);
    let cpu = measured.cpu_micros * 10 / measured.requests;
    server.child.kill()?;
    drop(server);
    let (killed, server) = start(PATIENCE)?;
    drop(server);
    std::fs::remove_dir_all(directory.views())?;
    let (without, server) = start(REBUILD)?;
    let (_, peak) = server.memory()?;
    drop(server);
    // On one core, as this process is.
    let began = Instant::now();
    let stranger = varco_verify::said::answer(&["registro".into(), day.clone().into()]);
    let verified = micros(began.elapsed()) / 100_000;
    ensure!(stranger.status == 0, "{}", stranger.text);
    std::fs::remove_dir_all(&day)?;

    let (mut row, mut rebuilt) = (String::new(), String::new());
    writeln!(
        row,
        "| {size} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        ledger >> 20,
        views >> 20,
        tenths(each),
        tenths(starts[STARTS / 2]),
        tenths(cpu),
        measured.requests * 1_000_000 / micros(measured.elapsed),
        measured.p50,
        measured.p99,
        tenths(resident * 10 / 1024),
        tenths(heap * 10 / 1024),
    )?;
    writeln!(
        rebuilt,
        "| {size} | {} | {} | {} | {} |",
        tenths(killed),
        tenths(without),
        tenths(peak * 10 / 1024),
        tenths(verified)
    )?;
    Ok(Size {
        row,
        rebuilt,
        cpu,
        heap,
    })
}

/// An entry that the real binary made, opened.
#[derive(Clone)]
struct Template {
    body: Body,
    secret: Secret,
}

/// One of each.
struct Templates {
    question: Template,
    transmission: Template,
    dsu: Template,
    attestation: Template,
}

impl Templates {
    /// From what the real binary leaves of a DSU and of a question about it.
    fn make(bench: &Bench, runtime: &Runtime) -> Result<Self> {
        let server = bench.varco("data")?;
        runtime.block_on(bench.transmit(&server))?;
        runtime.block_on(bench.first_answer(&server, &bench.question()[0], Instant::now(), PATIENCE))?;
        drop(server);
        let directory = Directory::open(&bench.home.path().join("data"))?;
        let keys = Keys::open(&directory.keys(), true)?;
        let mut all: Vec<Template> = Vec::new();
        segments::verify(&directory.segments(), directory.ledger, &mut |entry| {
            if let Ok((_, secret)) = seal::open(&keys, &entry.leaf, &entry.sealed) {
                all.push(Template {
                    body: entry.leaf.body,
                    secret,
                });
            }
        })?;
        let one = |kind, operation: &str| {
            let found = all.iter().find(|template| {
                template.body.kind == kind && template.body.operation.as_deref() == Some(operation)
            });
            found
                .cloned()
                .with_context(|| format!("the server left no {kind:?} of {operation}"))
        };
        Ok(Self {
            question: one(Kind::Exchange, "ConsultazioneIndicatore")?,
            transmission: one(Kind::Exchange, "TrasmissioneDSU")?,
            dsu: one(Kind::Dsu, "TrasmissioneDSU")?,
            attestation: one(Kind::Attestation, "TrasmissioneDSU")?,
        })
    }
}

/// One of the DSU: who is in it, and under which protocols.
struct Family {
    /// What stands in the templates, and what stands in its place.
    instead: Vec<(String, String)>,
    protocol: [String; 2],
    day: String,
    number: u64,
}

impl Family {
    fn new(templates: &Templates, number: u64, day: Date) -> Self {
        let template = &templates.dsu.secret;
        let persons = template
            .cf
            .iter()
            .zip(0..)
            .map(|(code, member)| (code.clone(), somebody(code, 16 * number + member)));
        let year = day.year();
        let protocol = [
            format!("INPS-ISEE-{year}-{number:08}A-00"),
            format!("CAF00001-BENCH2-{year}-N{number:07}"),
        ];
        let protocols = template.protocol.iter().cloned().zip(protocol.iter().cloned());
        Self {
            instead: persons.chain(protocols).collect(),
            protocol,
            day: day.to_string(),
            number,
        }
    }

    fn text(&self, text: &str) -> String {
        self.instead
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }

    fn secret(&self, template: &Secret) -> Secret {
        let texts = |texts: &[String]| texts.iter().map(|text| self.text(text)).collect();
        let text = |text: &Option<String>| text.as_deref().map(|text| self.text(text));
        let attestation = text(&template.attestation);
        let indicatori = attestation.as_deref().and_then(|text| {
            let (attestazione, persone) = attestazione_letta(text).ok()?;
            Some(Sintesi::of(&attestazione, persone).encode())
        });
        Secret {
            indicatori,
            cf: texts(&template.cf),
            protocol: texts(&template.protocol),
            dsu: text(&template.dsu),
            attestation,
            receipt: text(&template.receipt),
            ..template.clone()
        }
    }
}

/// Somebody born like the one with that code, and called otherwise.
fn somebody(code: &str, mut number: u64) -> String {
    let mut letters = [b'A'; 6];
    for letter in letters.iter_mut().rev() {
        *letter += u8::try_from(number % 26).unwrap_or_default();
        number /= 26;
    }
    let mut other = letters.to_vec();
    other.extend_from_slice(code.as_bytes().get(6..15).unwrap_or_default());
    other.push(check_letter(&other).unwrap_or(b'A'));
    String::from_utf8_lossy(&other).into_owned()
}

/// The directory that grows.
struct Past {
    directory: Directory,
    clock: Clock,
    templates: Templates,
    enti: Vec<Ente>,
    born: Timestamp,
    /// Microseconds from one entry to the next.
    step: i64,
    written: u64,
    /// On which day each DSU came in.
    days: Vec<Date>,
    random: u64,
}

impl Past {
    fn begin(bench: &Bench, runtime: &Runtime, largest: u64) -> Result<Self> {
        let templates = Templates::make(bench, runtime)?;
        let midnight = rome(bench.clock.now()).start_of_day()?.timestamp();
        let born = midnight - (24 * DAYS).hours();
        let step = (midnight.as_microsecond() - born.as_microsecond()) / i64::try_from(largest)?;
        let clock = Clock::fixed(born);
        let others = (0..ENTI).map(|index| {
            let name = format!("ente{index}");
            let certificate = hex(&sha256(name.as_bytes()));
            (name, Tipo::Comune, certificate, "ConsultazioneIndicatore")
        });
        let enti: Vec<Ente> = bench.enti.iter().cloned().chain(others).collect();
        let path = bench.home.path().join("past");
        runtime.block_on(common::create(&path, &enti, &clock))?;
        let directory = Directory::open(&path)?;
        Ok(Self {
            directory,
            clock,
            templates,
            enti,
            born,
            step,
            written: 0,
            days: Vec::new(),
            random: 0x9e37_79b9_7f4a_7c15,
        })
    }

    /// Writes up to so many entries.
    fn write(&mut self, until: u64) -> Result<()> {
        let node = Node::open(&self.directory, &self.clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        while self.written < until {
            let mut submission = Submission::default();
            let at = self.born + (self.step * i64::try_from(self.written)?).microseconds();
            self.clock.set(at);
            while submission.drafts.len() < BATCH.0 && self.written < until {
                submission.drafts.extend(self.exchange(&node.ledger, at)?);
            }
            runtime.block_on(node.ledger.committer.submit(submission))?;
        }
        node.close();
        Ok(())
    }

    /// The directory at `day`, with so many entries of the present day after it; questions about persons in
    /// it. It is left as it was.
    fn with_today(
        &mut self,
        day: &Path,
        entries: u64,
        clock: &Clock,
        runtime: &Runtime,
    ) -> Result<Arc<[String]>> {
        copy(self.directory.path(), day)?;
        let (written, days) = (self.written, self.days.len());
        let (began, now) = (rome(clock.now()).start_of_day()?.timestamp(), clock.now());
        let step = (now.as_microsecond() - began.as_microsecond()) / i64::try_from(entries)?;
        let node = Node::open(
            &Directory::open(day)?,
            &self.clock,
            Arc::new(RealDisk),
            SEGMENT_BYTES,
        )?;
        while self.written < written + entries {
            let at = began + (step * i64::try_from(self.written - written)?).microseconds();
            self.clock.set(at);
            let mut waiting = JoinSet::new();
            for _ in 0..BATCH.1 {
                let (drafts, committer) = (self.exchange(&node.ledger, at)?, node.ledger.committer.clone());
                waiting.spawn_on(
                    async move {
                        committer
                            .submit(Submission {
                                drafts,
                                ..Submission::default()
                            })
                            .await
                    },
                    runtime.handle(),
                );
            }
            for done in runtime.block_on(waiting.join_all()) {
                done?;
            }
        }
        node.close();
        let questions = (0..QUESTIONS).map(|_| {
            let number = self.any();
            let day = self.days[usize::try_from(number).unwrap_or_default()];
            let code = somebody(
                &self.templates.question.secret.cf[0],
                16 * number + self.declarant(),
            );
            requests::indicatore(&code, &day.to_string(), PRESTAZIONE)
        });
        let questions = questions.collect();
        self.written = written;
        self.days.truncate(days);
        Ok(questions)
    }

    /// The place of who is asked about among the persons of a DSU.
    fn declarant(&self) -> u64 {
        let (all, one) = (
            &self.templates.dsu.secret.cf,
            &self.templates.question.secret.cf[0],
        );
        all.iter().position(|code| code == one).unwrap_or_default() as u64
    }

    /// Any of the DSU, by its number.
    fn any(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % (self.days.len() as u64).max(1)
    }

    /// The entries of the next exchange.
    fn exchange(&mut self, ledger: &Ledger, at: Timestamp) -> Result<Vec<Draft>> {
        let writing = Writing {
            ledger,
            at,
            exchange: new_exchange(at)?,
        };
        let number = self.days.len() as u64;
        // The first is a DSU: there must be somebody to ask about.
        if self.written >= number * CYCLE {
            self.days.push(rome(at).date());
            self.written += 3;
            let family = Family::new(&self.templates, number, rome(at).date());
            let caf = &self.enti[1];
            let Templates {
                transmission,
                dsu,
                attestation,
                ..
            } = &self.templates;
            return Ok(vec![
                writing.draft(transmission, &family, caf, 0)?,
                writing.draft(dsu, &family, caf, 1)?,
                writing.draft(attestation, &family, caf, 2)?,
            ]);
        }
        let number = self.any();
        let family = Family::new(&self.templates, number, self.days[usize::try_from(number)?]);
        self.written += 1;
        let ente = &self.enti[2 + usize::try_from(self.random)? % ENTI];
        Ok(vec![writing.draft(&self.templates.question, &family, ente, 0)?])
    }
}

/// One exchange, being written.
struct Writing<'a> {
    ledger: &'a Ledger,
    at: Timestamp,
    exchange: uuid::Uuid,
}

impl Writing<'_> {
    /// What a template becomes.
    fn draft(&self, template: &Template, family: &Family, ente: &Ente, ordinal: u32) -> Result<Draft> {
        let (secret, keys) = (family.secret(&template.secret), &self.ledger.keys);
        let (key, year) = (
            TokenKey::of(self.at, template.body.retention),
            rome(self.at).year(),
        );
        let token = |label: &str, value: &str| keys.token(key, label, value);
        let each = |label: &str, values: &[String]| {
            values
                .iter()
                .map(|value| token(label, value))
                .collect::<Result<Vec<_>, _>>()
        };
        let address = secret
            .address
            .as_deref()
            .map(|address| token("address", address))
            .transpose()?;
        let tokens = Tokens {
            cf: each("cf", &secret.cf)?,
            protocol: each("protocol", &secret.protocol)?,
            address,
            ..Tokens::under(key)
        };
        // A DSU of its own, and no version of the one in the template.
        let radice = token("protocol", &stem_of(&family.protocol[0]))?;
        let declarant = token("cf", &family.text(requests::GIULIA))?;
        let mut body = template.body.clone();
        body.received = varco::clock::rfc3339(self.at);
        body.exchange = self.exchange;
        body.ente = Some(ente.0.clone());
        body.cert = body.cert.map(|_| ente.2.clone());
        match body.kind {
            Kind::Dsu => {
                body.keys = vec![sender_key(&ente.0, key, &tokens.protocol[1])];
                body = body
                    .fact(
                        Fact::named("impronta"),
                        token("impronta", &family.number.to_string())?,
                    )
                    .fact(Fact::named("presentata"), &family.day)
                    .fact(Fact::named("radice"), radice)
                    .fact(Fact::named("dichiarante"), declarant);
            }
            Kind::Attestation => {
                body.keys = tokens.cf.iter().map(|token| person_key(key, token)).collect();
                body.keys.push(protocol_key(key, &tokens.protocol[0]));
                body = body
                    .fact(Fact::named("presentata"), &family.day)
                    .fact(Fact::named("rilasciata"), &family.day)
                    .fact(Fact::named("radice"), radice)
                    .fact(Fact::named("dichiarante"), declarant)
                    .fact(Fact::named("scadenza"), format!("{year}-12-31"));
            }
            _ => {}
        }
        body.tokens = Some(tokens);
        let blinding = Blinding::new()?;
        if let Some(commit) = &mut body.commit {
            commit.request = commit
                .request
                .as_ref()
                .map(|_| blinding.commit("request", family.protocol[0].as_bytes()));
            commit.reply = commit
                .reply
                .as_ref()
                .map(|_| blinding.commit("reply", family.protocol[1].as_bytes()));
        }
        Ok(self.ledger.prepare(body, &secret, blinding, ordinal, self.at)?)
    }
}

/// Reads every byte, so that the page cache has it.
fn read_all(path: &Path) -> Result<()> {
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(&path)?;
        } else {
            std::io::copy(&mut File::open(&path)?, &mut std::io::sink())?;
        }
    }
    Ok(())
}

/// Copies a data directory that nobody has open; all segments but the last are only linked, since nobody
/// writes to them any more.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir(to)?;
    let mut entries: Vec<PathBuf> = std::fs::read_dir(from)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    entries.sort();
    let is_segment = |path: &Path| path.extension().is_some_and(|extension| extension == "seg");
    let last = entries.iter().rfind(|path| is_segment(path)).cloned();
    for path in entries {
        let target = to.join(path.file_name().context("no name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else if is_segment(&path) && Some(&path) != last.as_ref() {
            std::fs::hard_link(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
