//! The ledger: an append-only record that knows bytes, not what they mean.
//!
//! Its specification is `docs/ledger.md`: layout, kinds, life of a leaf. In this room:
//! - [`leaf`]: [`Body`] and [`Draft`] on the way in, [`Entry`] and [`Leaf`] on the way out, [`Projector`];
//! - [`batch`]: the bytes of a batch; [`disk`]: the file operations, behind a seam; [`segments`]: the log on
//!   disk and its recovery;
//! - [`damage`]: damage found while the gateway serves; [`scrub`]: the daily reading of closed segments;
//! - [`log`]: the seam between the ledger and its engine; `memory`: a log without a disk, for tests; `order`:
//!   how entries may follow each other;
//! - [`committer`]: preconditions, group commit, receipts; [`follow`]: all that is derived from the log in
//!   its order; [`meter`]: what it measures;
//! - [`keys`] and [`seal`]: tokens, commitments, sealed parts; [`permutation`]: numbers that cannot be
//!   guessed;
//! - [`directory`]: the data directory; [`search`]: finding entries; [`uses`]: counting them.

pub mod batch;
pub mod committer;
pub mod damage;
pub mod directory;
pub mod disk;
pub mod follow;
pub mod keys;
pub mod leaf;
pub mod log;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod meter;
mod order;
pub mod permutation;
pub mod scrub;
pub mod seal;
pub mod search;
pub mod segments;
pub mod uses;

#[cfg(test)]
mod vectors;

pub use committer::{Committer, NotCommitted, Precondition, Receipt, Submission, Views};
pub use directory::{Directory, DirectoryError, Lock};
pub use follow::{Follower, Origin, ViewError};
pub use keys::{KeyError, Keys};
pub use leaf::{
    Body, Commitments, Draft, Entry, Fact, Glance, Kind, Leaf, Micros, Position, Projector, Retention, Role,
    Sizes, Tokens, Writes,
};
pub use log::{Log, LogError, Reader, Verified};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemLog;
pub use seal::{Blinding, Secret, Unopened};

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

/// What everybody who writes entries needs: the committer, the keys, a reader, the ledger's id.
#[derive(Clone)]
pub struct Ledger {
    /// Id of the ledger.
    pub id: Uuid,
    /// Appends.
    pub committer: Committer,
    /// Tokens and sealed parts.
    pub keys: Arc<Keys>,
    /// Reads single entries.
    pub reader: Arc<dyn Reader>,
    /// Damage found.
    pub damage: damage::Damage,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why an entry cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The leaf.
    #[error("la voce supera lo spazio di una foglia")]
    TooLong,
}

impl Ledger {
    /// Seals `secret` and renders the leaf. `ordinal` is the entry's place among those of its exchange, from
    /// 0; `at` is when the request was received.
    pub fn prepare(
        &self,
        mut body: Body,
        secret: &Secret,
        blinding: &Blinding,
        ordinal: u32,
        at: Timestamp,
    ) -> Result<Draft, PrepareError> {
        if ordinal > 0 {
            body = body.fact(leaf::ORDINAL, ordinal);
        }
        let ente = body.ente.clone().unwrap_or_else(|| "-".to_owned());
        let sealing = seal::Sealing {
            ledger: self.id,
            exchange: body.exchange,
            ordinal,
            retention: body.retention,
            ente: &ente,
            at,
        };
        let (sealed, commitment) = seal::seal(&self.keys, &sealing, blinding, secret)?;
        body.commit.get_or_insert_default().sealed = Some(commitment);
        Draft::new(body, sealed).map_err(|_| PrepareError::TooLong)
    }

    /// An entry without a sealed part.
    pub fn prepare_open(&self, body: Body) -> Result<Draft, PrepareError> {
        Draft::new(body, Vec::new()).map_err(|_| PrepareError::TooLong)
    }

    /// Opens the sealed part of an entry.
    pub fn open(&self, entry: &Entry) -> Result<Secret, Unopened> {
        seal::open(&self.keys, &entry.leaf, &entry.sealed)
            .map(|(_, secret)| secret)
            .inspect_err(|why| self.note_unopened(entry, *why))
    }

    /// The same, for who needs a part of it: the JSON of a [`Secret`].
    pub fn open_bytes(&self, entry: &Entry) -> Result<Vec<u8>, Unopened> {
        seal::open_bytes(&self.keys, &entry.leaf, &entry.sealed)
            .map(|(_, json)| json)
            .inspect_err(|why| self.note_unopened(entry, *why))
    }

    /// A sealed part that does not open, and was not erased, is damage: of the part, or of its key.
    fn note_unopened(&self, entry: &Entry, why: Unopened) {
        if !why.is_damage() {
            return;
        }
        let key = seal::key_id(&entry.sealed).unwrap_or_default();
        let what = format!(
            "la parte riservata della voce {}, con la chiave {key}: {why}",
            entry.leaf.seq
        );
        let file = segments::file_name(entry.position.part());
        self.damage.found(&LogError::Corrupt {
            file,
            offset: entry.position.sealed,
            what,
        });
    }
}

/// A new exchange id.
pub fn new_exchange(now: Timestamp) -> Result<Uuid, KeyError> {
    Ok(leaf::exchange_id(now, keys::random()?))
}
