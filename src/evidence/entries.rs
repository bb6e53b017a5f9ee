//! The entry of a new epoch: kind `system`, operation `epoca`, and its view.
//!
//! Facts: `epoca` (its number), `origine`, `chiave_firma` (the verification key), `perche` (why it begins),
//! `precedente` (the last checkpoint known before).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::epoch::Epoch;
use super::facts::{CHIAVE_FIRMA, EPOCA, ORIGINE, PERCHE, PRECEDENTE};
use super::note::TreeHead;
use crate::digest::hex;
use crate::ledger::{Body, Entry, KeyError, Kind, Projector, Retention, ViewError, Writes, new_exchange};
use crate::state::Store;

/// The operation of the entry.
const EPOCA_OPERATION: &str = "epoca";
/// The name of the present epoch, in the views.
const PRESENT: &[u8] = b"epoca";

/// Why an epoch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perche {
    /// The ledger has had none.
    Inizio,
    /// The directory was put back from a copy.
    Copia,
    /// The end of the log was given up.
    Perdita,
    /// The key of the epoch is not here, or is another than the ledger names.
    Chiave,
    /// The key of the epoch is in other hands, or may be.
    Compromessa,
}

impl Perche {
    fn word(self) -> &'static str {
        match self {
            Self::Inizio => "inizio",
            Self::Copia => "copia",
            Self::Perdita => "perdita",
            Self::Chiave => "chiave",
            Self::Compromessa => "compromessa",
        }
    }
}

/// The last epoch named by the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpocaNota {
    /// Its number.
    pub epoca: u64,
    /// Its origin.
    pub origine: String,
    /// Its verification key.
    pub chiave: String,
}

/// The entry, without its author.
pub fn beginning(
    epoch: &Epoch,
    perche: Perche,
    before: Option<&TreeHead>,
    now: Timestamp,
) -> Result<Body, KeyError> {
    let exchange = new_exchange(now)?;
    let mut body = Body::new(Kind::System, Retention::Sistema, exchange, now)
        .fact(EPOCA, epoch.number)
        .fact(ORIGINE, epoch.key.name())
        .fact(CHIAVE_FIRMA, epoch.key.verification())
        .fact(PERCHE, perche.word());
    if let Some(before) = before {
        let (origine, voci, radice) = (&before.origin, before.size, hex(&before.root));
        let known = serde_json::json!({ "origine": origine, "voci": voci, "radice": radice });
        body = body.fact(PRECEDENTE, known);
    }
    body.operation = Some(EPOCA_OPERATION.to_owned());
    body.outcome = Some("OK".to_owned());
    Ok(body)
}

/// The last epoch named by the ledger; `None`: it has had none.
pub fn present(store: &Store) -> Result<Option<EpocaNota>, ViewError> {
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).map_err(|error| ViewError(error.to_string()));
    store.get(PRESENT)?.map(read).transpose()
}

/// Copies the beginning of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct EpochProjector;

impl Projector for EpochProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let body = &entry.leaf.body;
        if body.kind != Kind::System {
            return;
        }
        let said = (body.number(EPOCA), body.text(ORIGINE), body.text(CHIAVE_FIRMA));
        if let (Some(epoca), Some(origine), Some(chiave)) = said {
            let (origine, chiave) = (origine.to_owned(), chiave.to_owned());
            let known = EpocaNota {
                epoca,
                origine,
                chiave,
            };
            writes.set(PRESENT, serde_json::to_vec(&known).unwrap_or_default());
        }
    }
}
