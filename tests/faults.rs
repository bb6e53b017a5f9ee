//! A disk that fails under a gateway that serves: EIO, ENOSPC, short writes, a failed `fdatasync`. Nothing is released unrecorded, and what is
//! released is durable.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{BENEFIT, DSU, ISEE, Site, element, requests};
use varco::commands::client::{Answer, Client};
use varco::commands::serve::{Started, start_on};
use varco::config::Config;
use varco::gateway::listener::Ended;
use varco::ledger::disk::{Disk, DiskFile, RealDisk};
use varco::ledger::segments;

/// What the disk does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Good,
    /// Writes fail, having written that many bytes.
    Write(i32, usize),
    /// `fdatasync` fails.
    Sync,
}

#[derive(Clone)]
struct Faulty(Arc<Mutex<Plan>>);

impl Faulty {
    fn set(&self, plan: Plan) {
        *self.0.lock().unwrap() = plan;
    }
}

impl Disk for Faulty {
    fn open(&self, path: &Path, create: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(FaultyFile { inner: RealDisk.open(path, create)?, plan: self.0.clone() }))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }
}

struct FaultyFile {
    inner: Box<dyn DiskFile>,
    plan: Arc<Mutex<Plan>>,
}

impl DiskFile for FaultyFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let plan = *self.plan.lock().unwrap();
        match plan {
            Plan::Write(error, written) => {
                self.inner.write_all_at(&bytes[..written.min(bytes.len())], offset)?;
                Err(io::Error::from_raw_os_error(error))
            }
            Plan::Good | Plan::Sync => self.inner.write_all_at(bytes, offset),
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if *self.plan.lock().unwrap() == Plan::Sync {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        self.inner.sync_data()
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)
    }
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

async fn started(site: &Site) -> (Started, Faulty) {
    let disk = Faulty(Arc::new(Mutex::new(Plan::Good)));
    let config = Config::read(&site.config()).unwrap();
    let started = start_on(&config, &site.clock, Arc::new(disk.clone())).await.unwrap();
    (started, disk)
}

async fn transmit(client: &Client, site: &Site, number: u32) -> Answer {
    let dsu = requests::dsu(&format!("CAF00001-FAULT1-2026-N{number:07}"), &site.today());
    client.call(DSU, &requests::trasmissione(&dsu)).await.unwrap()
}

/// Exchanges of the ledger, by id.
fn recorded(site: &Site) -> Vec<String> {
    let entries = segments::read_from(&site.directory().segments(), site.directory().ledger, 1, usize::MAX).unwrap();
    entries.iter().map(|entry| entry.leaf.body.exchange.to_string()).collect()
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.text);
    assert!(answer.text.contains("SOAP-ENV:Server.APIUnavailable") && !answer.text.contains("<Esito>"));
}

#[test]
fn writes_that_fail_give_503_and_lose_nothing() {
    let site = Site::new();
    common::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let mut acknowledged = vec![transmit(&caf, &site, 1).await];
        for (number, plan) in
            [Plan::Write(ENOSPC, 0), Plan::Write(EIO, 0), Plan::Write(ENOSPC, 100), Plan::Write(EIO, 2000)].into_iter().enumerate()
        {
            let number = u32::try_from(number).unwrap() * 10 + 10;
            disk.set(plan);
            let refused = transmit(&caf, &site, number).await;
            assert_unavailable(&refused);
            // Within the second nothing is tried; the disk is well again before it ends.
            disk.set(Plan::Good);
            assert_unavailable(&transmit(&caf, &site, number + 1).await);
            tokio::time::sleep(Duration::from_millis(1200)).await;
            let again = transmit(&caf, &site, number).await;
            assert_eq!(element(&again, "Esito"), "OK");
            let exchange = refused.exchange.unwrap();
            assert!(!recorded(&site).contains(&exchange), "a refused exchange was recorded after all");
            acknowledged.push(again);
        }
        let comune = site.client(started.address, "comune");
        let found = comune.call(ISEE, &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap();
        assert_eq!(element(&found, "Esito"), "OK");
        acknowledged.push(found);
        assert_eq!(started.stop().await.unwrap(), Ended::Stopped);
        let all = recorded(&site);
        for answer in &acknowledged {
            assert!(all.contains(answer.exchange.as_ref().unwrap()));
        }
        let report = varco::commands::ledger::verify(&site.directory()).unwrap();
        assert_eq!(report.read.tail, 0);
    });
}

#[test]
fn a_verdict_about_a_suspended_ente_is_not_told_unrecorded() {
    let site = Site::new();
    common::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        disk.set(Plan::Write(ENOSPC, 0));
        let suspended = site.client(started.address, "sospeso");
        let answer = suspended.call(ISEE, &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap();
        assert_unavailable(&answer);
        disk.set(Plan::Good);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let answer = suspended.call(ISEE, &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT)).await.unwrap();
        assert!(answer.text.contains("Authorization failed"));
        started.stop().await.unwrap();
    });
}

#[test]
fn a_failed_fdatasync_ends_the_process_and_the_next_start_goes_on_in_a_new_segment() {
    let site = Site::new();
    common::runtime().block_on(async {
        let (started, disk) = started(&site).await;
        let caf = site.client(started.address, "caf");
        let first = transmit(&caf, &site, 1).await;
        assert_eq!(element(&first, "Esito"), "OK");
        disk.set(Plan::Sync);
        let refused = transmit(&caf, &site, 2).await;
        assert_unavailable(&refused);
        // Even though the disk is well again: the page cache is no evidence any more.
        disk.set(Plan::Good);
        let ended = tokio::time::timeout(Duration::from_secs(20), started.finish()).await.unwrap().unwrap();
        assert!(matches!(ended, Ended::Fatal(_)), "{ended:?}");
        assert!(site.data().join("ledger/SYNC-FAILED").exists());

        let (started, _) = self::started(&site).await;
        assert!(started.gateway.node.opened.recovery.sync_failed);
        let caf = site.client(started.address, "caf");
        let again = transmit(&caf, &site, 1).await;
        assert_eq!(element(&again, "ProtocolloDSU"), element(&first, "ProtocolloDSU"));
        started.stop().await.unwrap();
        assert!(!site.data().join("ledger/SYNC-FAILED").exists());
        let segments = std::fs::read_dir(site.data().join("ledger")).unwrap();
        let count = segments.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "seg")).count();
        assert_eq!(count, 2);
        varco::commands::ledger::verify(&site.directory()).unwrap();
    });
}
