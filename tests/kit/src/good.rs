//! The good client: how long it waits for its answers, before something else goes on and while it does.

use std::time::{Duration, Instant};

use varco::commands::client::Client;

use crate::site::{BENEFIT, DSU, ISEE, Serving, Site, element, requests};

/// The p99 during an attack may be twice the p99 before it, and this.
const FLOOR: Duration = Duration::from_millis(50);
/// The machine may be busy with something else: the best of that many measurements counts.
const ATTEMPTS: usize = 3;
/// Memory that the port may have needed at most, KiB.
const MEMORY: u64 = 1 << 20;

/// The DSU that the good client asks for.
pub async fn transmit(site: &Site, serving: &Serving) {
    let transmission = requests::trasmissione(&requests::dsu("CAF00001-PROVA1-2026-N0000001", &site.today()));
    assert_eq!(
        element(
            &site
                .client(serving.address, "caf")
                .call(DSU, &transmission)
                .await
                .unwrap(),
            "Esito"
        ),
        "OK"
    );
}

/// The p99 of the good client: one request after another, on a connection that stays and, one in ten, on a
/// new one.
async fn p99(client: &Client, today: &str, window: Duration) -> (Duration, usize) {
    let request = requests::indicatore(requests::GIULIA, today, BENEFIT);
    let (mut kept, mut taken, begun) = (client.connect().await.unwrap(), Vec::new(), Instant::now());
    while begun.elapsed() < window {
        let from = Instant::now();
        let answer = if taken.len() % 10 == 9 {
            client.call(ISEE, &request).await
        } else {
            kept.call(ISEE, &request).await
        };
        taken.push(from.elapsed());
        assert_eq!(
            element(&answer.expect("the good client was not answered"), "Esito"),
            "OK"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    taken.sort_unstable();
    (taken[(taken.len() * 99).div_ceil(100) - 1], taken.len())
}

/// Measures before and during an attack, for as long as `windows` say, up to three times; `attack` begins
/// one, which `end` waits for.
pub async fn measure<A, E, T>(
    name: &str,
    site: &Site,
    serving: &Serving,
    windows: (Duration, Duration),
    mut attack: A,
    end: E,
) where
    A: AsyncFnMut() -> T,
    E: AsyncFn(T),
{
    let (good, today) = (site.client(serving.address, "comune"), site.today());
    let mut tried = Vec::new();
    for _ in 0..ATTEMPTS {
        let (before, _) = p99(&good, &today, windows.0).await;
        let under_way = attack().await;
        let (during, answers) = p99(&good, &today, windows.1).await;
        end(under_way).await;
        println!(
            "{name}: p99 {before:?} before, {during:?} during, {answers} answers; memory {} MiB",
            memory(serving) >> 10
        );
        assert!(memory(serving) < MEMORY, "{name}: {} KiB", memory(serving));
        if during < before * 2 + FLOOR {
            return;
        }
        tried.push((before, during));
    }
    panic!("{name}: {tried:?}");
}

/// The most memory that the port has had, KiB.
fn memory(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap()
}
