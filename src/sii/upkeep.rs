//! Upkeep: the embedded SII goes on with what waited, applies new rules, loads the feed. A remote SII does
//! that for itself.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::SiiError;
use crate::isee::feed::FeedRecord;
use crate::registry::administration::{Actor, Rejected};

/// Work of the upkeep, awaited behind `dyn`.
pub type Doing<'a, T, E = Rejected> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// An act of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// The operator.
    pub actor: &'a Actor,
    /// The reason: it stays in the ledger.
    pub reason: &'a str,
    /// The instant.
    pub now: Timestamp,
}

impl Act<'_> {
    /// An act without a reason is refused.
    pub fn has_reason(&self) -> Result<(), Rejected> {
        match self.reason.trim() {
            "" => Err(Rejected::Invalid("indicare il motivo (--motivo)".to_owned())),
            _ => Ok(()),
        }
    }
}

/// Keeps in order what an SII on this ledger has received.
pub trait Upkeep: Send + Sync {
    /// Attests the waiting DSU that need not wait any more: how many.
    fn resume(&self, now: Timestamp) -> Doing<'_, usize, SiiError>;

    /// The waiting DSU, the oldest first, `most` of them in detail.
    fn waiting(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError>;

    /// Applies the rule sets to what was attested by others, as new versions of what they change. A trial
    /// only counts them, and records nothing.
    fn apply_rules<'a>(&'a self, trial: bool, act: Act<'a>) -> Doing<'a, Applicate>;

    /// Records a feed, all of it or nothing of it: how many entries it took.
    fn load_feed<'a>(&'a self, records: &'a [FeedRecord], act: Act<'a>) -> Doing<'a, usize>;
}

/// Attests the waiting DSU that need not wait any more, and logs the end. How many they were; None after an
/// error.
pub async fn resume(upkeep: &dyn Upkeep, now: Timestamp) -> Option<usize> {
    match upkeep.resume(now).await {
        Ok(attested) => {
            tracing::info!(attested, "DSU that waited for the feed");
            Some(attested)
        }
        Err(error) => {
            tracing::error!(%error, "DSU that waited for the feed stay unattested until the next load or start");
            None
        }
    }
}

/// DSU that were received and are not attested yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAttesa {
    /// How many.
    pub totale: usize,
    /// The oldest of them.
    pub prime: Vec<DsuInAttesa>,
}

/// A waiting DSU, with the reason. It names nobody: the sealed part of the entry does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DsuInAttesa {
    /// Its entry.
    pub voce: u64,
    /// The ente that transmitted it.
    pub ente: String,
    /// The day of its presentation.
    pub presentata: Date,
    /// Persons without known incomes.
    pub persone: usize,
    /// The year of those incomes.
    pub anno: i16,
    /// The last working day of the terms. After it the declarant may declare the missing incomes (operation
    /// I).
    pub termini: Option<Date>,
}

impl std::fmt::Display for DsuInAttesa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            voce,
            ente,
            presentata,
            persone,
            anno,
            termini,
        } = self;
        write!(f, "voce {voce} ({ente}, presentata il {presentata}): ")?;
        match persone {
            0 => {
                return write!(
                    f,
                    "non manca più nulla: il prossimo feed load, o il prossimo avvio, la attesta"
                );
            }
            1 => write!(f, "mancano i redditi {anno} di una persona")?,
            more => write!(f, "mancano i redditi {anno} di {more} persone")?,
        }
        match termini {
            Some(last) => write!(f, "; i termini finiscono il {last}"),
            None => write!(
                f,
                "; i termini sono finiti: il dichiarante può completarla (operazione I)"
            ),
        }
    }
}

/// The result of applying the rules, or of its trial.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicate {
    /// DSU and current ISEE that count.
    pub esaminate: u64,
    /// Of these, attested by the rules as they are.
    pub aggiornate: u64,
    /// Attested by others, to the same effect.
    pub invariate: u64,
    /// Attested by others, to another effect: computed again.
    pub ricalcolate: u64,
    /// A later version of it waits, and will be attested by the rules as they are: until then it stays.
    #[serde(default)]
    pub in_attesa: u64,
    /// Could not be computed again: the log says why.
    pub errori: u64,
    /// Of a trial: the first DSU attested by other rules. Never recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elenco: Vec<Esaminata>,
}

/// A DSU that was attested by other rules than those there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Esaminata {
    /// The protocol of the attested version.
    pub protocollo: String,
    /// When it was presented.
    pub presentata: Date,
    /// The rule set that it was attested by.
    pub regole: String,
    /// The version of the method of computation that it was attested by.
    pub metodo: u64,
    /// The effect on it.
    pub effetto: Effetto,
}

/// The effect of the rules on a DSU attested by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effetto {
    /// The same.
    Uguale,
    /// Something else: it would be computed again.
    Ricalcolata,
    /// A later version of it waits.
    InAttesa,
}
