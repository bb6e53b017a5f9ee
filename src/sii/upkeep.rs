//! Upkeep of the embedded SII: it attests waiting DSU, applies new rules, loads the feed. A remote SII does
//! so itself.

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
    /// The operator: signs the act's entries.
    pub actor: &'a Actor,
    /// The reason: it stays in the ledger.
    pub reason: &'a str,
    /// The instant of the act's entries.
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

/// Keeps the received DSU of an SII on this ledger in order.
pub trait Upkeep: Send + Sync {
    /// Attests the waiting DSU with nothing left to wait for. Returns their number.
    fn resume(&self, now: Timestamp) -> Doing<'_, usize, SiiError>;

    /// The waiting DSU, the oldest first, at most `most` of them in detail.
    fn waiting(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError>;

    /// Applies the rule sets to attestations by other rules. A changed one becomes a new version. A trial
    /// only counts them, and records nothing.
    fn apply_rules<'a>(&'a self, trial: bool, act: Act<'a>) -> Doing<'a, Applicate>;

    /// Records a feed, all or nothing. Returns the number of entries.
    fn load_feed<'a>(&'a self, records: &'a [FeedRecord], act: Act<'a>) -> Doing<'a, usize>;
}

/// Attests the waiting DSU with nothing left to wait for, and logs the end. Returns their number; `None`
/// after an error.
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

/// Received DSU, not attested yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAttesa {
    /// Number of waiting DSU.
    pub totale: usize,
    /// The oldest of them, in detail.
    pub prime: Vec<DsuInAttesa>,
}

/// A waiting DSU, with the reason. It names no person: the sealed part of the entry does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DsuInAttesa {
    /// Sequence of its entry in the ledger.
    pub voce: u64,
    /// Code of the transmitting ente.
    pub ente: String,
    /// The day of its presentation.
    pub presentata: Date,
    /// Number of persons without known incomes.
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
    /// All examined DSU and current ISEE: the sum of the numbers below.
    pub esaminate: u64,
    /// Attested by the present rules.
    pub aggiornate: u64,
    /// Attested by other rules, with the same result.
    pub invariate: u64,
    /// Attested by other rules, with another result: computed again.
    pub ricalcolate: u64,
    /// Attested by other rules, and left alone: a later version waits. The present rules will attest it.
    #[serde(default)]
    pub in_attesa: u64,
    /// Not computed again for an error: the log has the reason.
    pub errori: u64,
    /// For a trial: the first DSU attested by other rules. Never recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elenco: Vec<Esaminata>,
}

/// A DSU attested by other rules than the present ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Esaminata {
    /// The protocol of the attested version.
    pub protocollo: String,
    /// Day of presentation; for a current ISEE, its form's.
    pub presentata: Date,
    /// Id of the rule set of its attestation.
    pub regole: String,
    /// Version of the computation method of its attestation.
    pub metodo: u64,
    /// The effect on it.
    pub effetto: Effetto,
}

/// The effect of the rules on a DSU attested by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effetto {
    /// The same result: the attestation stays.
    Uguale,
    /// Another result: it would be computed again.
    Ricalcolata,
    /// A later version of it waits.
    InAttesa,
}
