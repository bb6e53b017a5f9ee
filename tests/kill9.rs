//! `kill -9` under load, over and over, against the real binary: every acknowledged exchange is in the ledger, no reply that a client read lacks
//! its entry, and the views equal a rebuild. `VARCO_KILLS` sets how often (200).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{BENEFIT, DSU, ISEE, Serving, Site, requests};
use varco::commands::client::Client;
use varco::ledger::{Kind, segments};

/// What a client read: the exchange, and the protocol if it was a transmission.
#[derive(Default)]
struct Acknowledged {
    exchanges: Vec<String>,
    /// Sender's protocol and protocol.
    protocols: HashMap<String, String>,
}

/// How often the views are compared with a rebuild.
const COMPARE: u32 = 20;

#[test]
fn nothing_acknowledged_is_lost() {
    let kills: u32 = std::env::var("VARCO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let site = Site::new();
    site.configure("[ledger]\nsegment_bytes = 262144\n");
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let serial = Arc::new(AtomicU32::new(1));
    let runtime = common::runtime();
    let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut rounds_with_load = 0;
    for round in 0..kills {
        let mut serving = site.serve();
        let before = acknowledged.lock().unwrap().exchanges.len();
        runtime.block_on(async {
            let clients: Vec<_> = (0..8)
                .map(|index| {
                    let client = site.client(serving.address, if index % 2 == 0 { "caf" } else { "comune" });
                    tokio::spawn(load(client, index % 2 == 0, site.today(), serial.clone(), acknowledged.clone()))
                })
                .collect();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            tokio::time::sleep(Duration::from_millis(20 + (seed >> 33) % 80)).await;
            tokio::task::block_in_place(|| serving.kill());
            for client in clients {
                client.await.unwrap();
            }
        });
        rounds_with_load += u32::from(acknowledged.lock().unwrap().exchanges.len() > before);
        if round % COMPARE == 0 {
            common::views_equal_a_rebuild(&site.directory(), &site.clock);
        }
    }
    assert!(rounds_with_load * 2 > kills, "only {rounds_with_load} of {kills} rounds had anything acknowledged before the kill");
    common::views_equal_a_rebuild(&site.directory(), &site.clock);
    check(&site, &acknowledged.lock().unwrap());
}

/// Calls until the server dies.
async fn load(client: Client, transmits: bool, today: String, serial: Arc<AtomicU32>, acknowledged: Arc<Mutex<Acknowledged>>) {
    let Ok(mut connected) = client.connect().await else { return };
    loop {
        let (path, body, sender) = if transmits {
            let sender = format!("CAF00001-KILL09-2026-N{:07}", serial.fetch_add(1, Ordering::Relaxed));
            (DSU, requests::trasmissione(&requests::dsu(&sender, &today)), Some(sender))
        } else {
            (ISEE, requests::indicatore(requests::GIULIA, &today, BENEFIT), None)
        };
        let Ok(answer) = connected.call(path, &body).await else { return };
        // A consultation of a family whose DSU keep arriving may meet a new one three times in a row: no data, not recorded, to be tried again.
        if answer.status.as_u16() == 503 {
            assert!(!transmits && !answer.text.contains("<Esito>"), "{}", answer.text);
            continue;
        }
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let mut all = acknowledged.lock().unwrap();
        all.exchanges.push(answer.exchange.clone().unwrap());
        if let Some(sender) = sender {
            all.protocols.insert(sender, common::element(&answer, "ProtocolloDSU").to_owned());
        }
    }
}

fn check(site: &Site, acknowledged: &Acknowledged) {
    varco::commands::ledger::verify(&site.directory()).unwrap();
    let entries = segments::read_from(&site.directory().segments(), site.directory().ledger, 1, usize::MAX).unwrap();
    let exchanges: HashSet<String> =
        entries.iter().filter(|entry| entry.leaf.body.kind == Kind::Exchange).map(|entry| entry.leaf.body.exchange.to_string()).collect();
    let lost: Vec<_> = acknowledged.exchanges.iter().filter(|exchange| !exchanges.contains(*exchange)).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged exchanges are lost", lost.len(), acknowledged.exchanges.len());
    assert!(acknowledged.exchanges.len() > 100, "only {} acknowledged", acknowledged.exchanges.len());
    let protocols: HashSet<&String> = acknowledged.protocols.values().collect();
    assert_eq!(protocols.len(), acknowledged.protocols.len(), "a protocol was given twice");

    // What was acknowledged is also what is answered: the same transmission gets the same protocol.
    let serving: Serving = site.serve();
    common::runtime().block_on(async {
        let mut caf = site.client(serving.address, "caf").connect().await.unwrap();
        for (sender, protocol) in acknowledged.protocols.iter().take(50) {
            let answer = caf.call(DSU, &requests::trasmissione(&requests::dsu(sender, &site.today()))).await.unwrap();
            assert_eq!(common::element(&answer, "ProtocolloDSU"), protocol);
        }
    });
    serving.stop();
}
