//! Numbers for replies: reserved in blocks before anything is rendered. A block is an entry of kind `system`
//! (fact `riserva`: series, and its last number). Gaps are allowed, repetitions are not, on any number of
//! nodes.

use std::collections::BTreeSet;

use tokio::sync::Mutex;

use super::store::{KEYS, Store};
use crate::clock::Clock;
use crate::ledger::{
    Body, Entry, Kind, Ledger, NotCommitted, Precondition, Projector, Retention, Submission, ViewError,
    Writes, new_exchange,
};
use crate::state::facts::{CHIAVI, RISERVA};

/// A series of numbers from 1.
#[derive(Debug)]
pub struct Series {
    name: String,
    block: u64,
    ledger: Ledger,
    store: Store,
    clock: Clock,
    /// The next number, and the last of the block.
    reserved: Mutex<(u64, u64)>,
}

/// The reason why there is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoNumber {
    /// The reservation could not be recorded.
    #[error(transparent)]
    NotCommitted(#[from] NotCommitted),
    /// The views could not be read.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The entry of the reservation could not be made.
    #[error("no entry: {0}")]
    Entry(String),
}

impl Series {
    /// A series by its name, reserved in blocks of so many numbers.
    pub fn new(name: impl Into<String>, block: u64, ledger: &Ledger, store: &Store, clock: &Clock) -> Self {
        Self {
            name: name.into(),
            block,
            ledger: ledger.clone(),
            store: store.clone(),
            clock: clock.clone(),
            reserved: Mutex::new((1, 0)),
        }
    }

    /// The next number; after the last of a block, from a new one.
    pub async fn next(&self) -> Result<u64, NoNumber> {
        let mut reserved = self.reserved.lock().await;
        if reserved.0 > reserved.1 {
            *reserved = self.reserve().await?;
        }
        reserved.0 += 1;
        Ok(reserved.0 - 1)
    }

    async fn reserve(&self) -> Result<(u64, u64), NoNumber> {
        let key = format!("riserva/{}", self.name);
        loop {
            // First: a reservation by another node in between makes a conflict.
            let seen = self.store.reached();
            let last = self
                .store
                .get(name(&self.name))?
                .and_then(|bytes| bytes.try_into().ok())
                .map_or(0, u64::from_be_bytes);
            let up_to = last + self.block;
            let now = self.clock.now();
            let exchange = new_exchange(now).map_err(|error| NoNumber::Entry(error.to_string()))?;
            let mut body = Body::new(Kind::System, Retention::Sistema, exchange, now)
                .fact(RISERVA, serde_json::json!({ "serie": self.name, "fino": up_to }));
            body.keys = vec![key.clone()];
            let draft = self
                .ledger
                .prepare_open(body)
                .map_err(|error| NoNumber::Entry(error.to_string()))?;
            let precondition = Precondition {
                key: key.clone(),
                seen,
            };
            let submission = Submission {
                drafts: vec![draft],
                preconditions: vec![precondition],
            };
            match self.ledger.committer.submit(submission).await {
                Ok(_) => return Ok((last + 1, up_to)),
                Err(NotCommitted::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Numbers skipped in a series after a restore: more than were given in the time unknown to the copy.
const SKIPPED: u64 = 1_000_000;

/// After a restore: numbers were given to others since the copy was made, and none is given twice. Every
/// series goes on far beyond, and those in `named` too: the copy may know nothing of them.
pub async fn skip(ledger: &Ledger, store: &Store, clock: &Clock, named: &[String]) -> Result<(), NoNumber> {
    let known = store.scan(name(""))?.into_iter().filter_map(|(name, _)| {
        String::from_utf8(name)
            .ok()?
            .strip_prefix("n/")
            .map(str::to_owned)
    });
    let all: BTreeSet<String> = known.chain(named.iter().cloned()).collect();
    for series in all {
        let series = Series::new(series, SKIPPED, ledger, store, clock);
        series.reserve().await?;
    }
    Ok(())
}

fn name(series: &str) -> Vec<u8> {
    format!("n/{series}").into_bytes()
}

/// Copies reservations, and the number of keys.
#[derive(Clone, Copy, Debug)]
pub struct NumbersProjector;

impl Projector for NumbersProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let keys = entry.leaf.body.number(CHIAVI);
        if let (Kind::System, Some(keys)) = (entry.leaf.body.kind, keys) {
            writes.set(KEYS, keys.to_be_bytes());
        }
        let Some(reservation) = entry.leaf.body.get(RISERVA) else {
            return;
        };
        let series = reservation.get("serie").and_then(|value| value.as_str());
        let up_to = reservation.get("fino").and_then(serde_json::Value::as_u64);
        if let (Kind::System, Some(series), Some(up_to)) = (entry.leaf.body.kind, series, up_to) {
            writes.set(name(series), up_to.to_be_bytes());
        }
    }
}
