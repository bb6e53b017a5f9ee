//! One ente asks as much as its connections can carry, far more than its quota, while another one asks as
//! always. Both are real clients of the real binary, and share this machine's cores with it: the flood's
//! threads stand behind everybody else's (`nice`), so that what the good client waits for is the port, and
//! not the flood's own TLS.
//!
//! What is asserted are facts: the good ente is answered every time; the flood is told 429 with all its
//! headers beyond what the quota lets through, which is exactly what the ledger has of it; and the good
//! ente's p99 stays under the same generous bound as beside slow clients (`tests/slow.rs`). By how many per
//! cent the p99 changes is measured by `just bench --bench port`, with the server on a core of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kit::good::{measure, transmit};
use kit::{BENEFIT, ISEE, Serving, Site, requests};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use varco::commands::client::{Answer, Client};
use varco::ledger::{Kind, segments};
use varco::registry::administration::Command as Act;
use varco::registry::ente::Tipo;
use varco::registry::quota::Quote;

const FLOOD: &str = "alluvione";
/// Its connections.
const CONNECTIONS: usize = 32;
/// Its requests a minute.
const QUOTA: u32 = 60;
/// How long the good client is measured: undisturbed, and during the flood.
const WINDOWS: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(6));

/// What the flood was told, and how often.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    answered: u64,
    refused: u64,
}

/// One connection of the flood, asking until it is over; where it is `new`, each request has its own.
async fn ask(client: Client, request: Arc<str>, new: bool, over: Arc<AtomicBool>) -> Told {
    let (mut told, mut open) = (Told::default(), None);
    while !over.load(Ordering::Relaxed) {
        let mut connected = match open.take() {
            Some(connected) => connected,
            None => client.connect().await.expect("the flood is let in"),
        };
        let answer = connected
            .call(ISEE, &request)
            .await
            .expect("the flood is told something");
        match answer.status.as_u16() {
            200 => told.answered += 1,
            429 => {
                refused_well(&answer);
                told.refused += 1;
            }
            other => panic!("{other}: {}", answer.text),
        }
        open = (!new).then_some(connected);
    }
    told
}

/// Nothing is left, when there will be something, and what a client of ours may show to people.
fn refused_well(answer: &Answer) {
    let header = |name: &str| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
    };
    assert_eq!(
        (header("x-ratelimit-limit"), header("x-ratelimit-remaining")),
        (Some(QUOTA.into()), Some(0))
    );
    // A second more than a minute, and than what one request takes to come back: of two requests the earlier
    // may be judged later.
    assert!(
        header("x-ratelimit-reset").is_some_and(|seconds| (1..=61).contains(&seconds)),
        "{:?}",
        answer.headers
    );
    assert!(
        header("retry-after").is_some_and(|seconds| (1..=2).contains(&seconds)),
        "{:?}",
        answer.headers
    );
    assert!(answer.text.contains("Too Many Requests"), "{}", answer.text);
}

/// Threads for the flood that give way to all others.
fn behind() -> Runtime {
    let yield_to_others = || {
        // On Linux it is the thread's own.
        let _ = rustix::process::nice(19);
    };
    Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(yield_to_others)
        .enable_all()
        .build()
        .unwrap()
}

fn flood(site: &Site, serving: &Serving, on: &Runtime, over: &Arc<AtomicBool>) -> JoinHandle<Told> {
    let client = site.client(serving.address, FLOOD);
    let request: Arc<str> = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT).into();
    let over = over.clone();
    on.spawn(async move {
        let mut connections = JoinSet::new();
        for index in 0..CONNECTIONS {
            connections.spawn(ask(client.clone(), request.clone(), index % 8 == 7, over.clone()));
        }
        let all = connections.join_all().await.into_iter();
        all.fold(Told::default(), |sum, one| Told {
            answered: sum.answered + one.answered,
            refused: sum.refused + one.refused,
        })
    })
}

#[test]
fn a_flood_over_its_quota_delays_nobody_else() {
    let site = Site::new();
    site.enrol(FLOOD, Tipo::Altro, "ConsultazioneIndicatore");
    let quote = Quote {
        al_minuto: Some(QUOTA),
        ..Quote::default()
    };
    site.act(Act::Quota {
        codice: FLOOD.to_owned(),
        quote,
        operatore: false,
    });
    let (serving, behind) = (site.serve(), behind());
    let begun = Instant::now();
    let told = std::cell::Cell::new(Told::default());
    kit::runtime().block_on(async {
        transmit(&site, &serving).await;
        let attack = async || {
            let over = Arc::new(AtomicBool::new(false));
            (over.clone(), flood(&site, &serving, &behind, &over))
        };
        let end = async |(over, under_way): (Arc<AtomicBool>, JoinHandle<Told>)| {
            over.store(true, Ordering::Relaxed);
            let now = tokio::time::timeout(Duration::from_secs(60), under_way)
                .await
                .unwrap()
                .unwrap();
            let before = told.get();
            told.set(Told {
                answered: before.answered + now.answered,
                refused: before.refused + now.refused,
            });
        };
        measure("flood", &site, &serving, WINDOWS, attack, end).await;
    });
    let (told, minutes) = (told.get(), begun.elapsed().as_secs() / 60 + 1);
    println!("flood: {told:?}");
    // The bucket full, and what has come into it since.
    let most = u64::from(QUOTA) * (minutes + 1);
    assert!(
        told.answered >= u64::from(QUOTA) && told.answered <= most,
        "{told:?}"
    );
    assert!(told.refused > told.answered, "no flood: {told:?}");
    serving.stop();

    let directory = site.directory();
    let (mut recorded, mut counted) = (0, 0);
    let mut each = |entry: varco::ledger::Entry| {
        let body = &entry.leaf.body;
        recorded += u64::from(body.kind == Kind::Exchange && body.ente.as_deref() == Some(FLOOD));
        let groups = body
            .facts
            .get("gruppi")
            .and_then(|groups| groups.as_array())
            .into_iter()
            .flatten();
        let of_quota = groups.filter(|group| body.kind == Kind::Gathered && group["motivo"] == "F22.quota");
        counted += of_quota.filter_map(|group| group["numero"].as_u64()).sum::<u64>();
    };
    segments::verify(&directory.segments(), directory.ledger, &mut each).unwrap();
    assert_eq!(
        (recorded, counted),
        (told.answered, told.refused),
        "entries of its exchanges, and refusals counted together"
    );
}
