//! The ledger: an append-only record. It knows bytes, not their meaning.
//!
//! Its specification is `docs/ledger.md`: layout, kinds, life of a leaf. In this room:
//! - [`leaf`]: [`Body`] and [`Draft`] on the way in, [`Entry`] and [`Leaf`] on the way out, [`Projector`];
//! - [`batch`]: the bytes of a batch; [`disk`]: the file operations, behind a seam; [`segments`]: the log on
//!   disk and its recovery;
//! - [`damage`]: damage found while the gateway serves; [`scrub`]: the daily reading of closed segments;
//! - [`log`]: the seam between the ledger and its engine; `memory`: a log without a disk, for tests; `order`:
//!   the rules for the order of entries;
//! - [`committer`]: preconditions, group commit, receipts; [`follow`]: followers, derived from the log in its
//!   order; [`meter`]: its metrics;
//! - [`keys`] and [`seal`]: tokens, commitments, sealed parts; [`permutation`]: unguessable numbers;
//! - [`tree`]: the Merkle tree over the leaves, its tiles and proofs;
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
pub mod tree;
pub mod uses;

#[cfg(test)]
mod vectors;

pub use committer::{Committer, NotCommitted, Precondition, Receipt, Submission, Views};
pub use directory::{Directory, DirectoryError, Lock};
pub use follow::{Follower, Origin, ViewError};
pub use keys::{KeyError, Keys};
pub use leaf::{
    Body, Commitments, Draft, Entry, Fact, Glance, Kind, Leaf, Micros, Position, Projector, Retention, Role,
    Sizes, TokenKey, Tokens, Writes,
};
pub use log::{Log, LogError, Reader, Verified};
#[cfg(any(test, feature = "memory"))]
pub use memory::MemLog;
pub use seal::{Blinding, Secret, Unopened};
pub use tree::Tree;

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

/// Everything a writer of entries needs: the committer, the keys, a reader, the ledger's id.
#[derive(Clone)]
pub struct Ledger {
    /// Id of the ledger.
    pub id: Uuid,
    /// Appends entries and hands out receipts.
    pub committer: Committer,
    /// Tokens and sealed parts.
    pub keys: Arc<Keys>,
    /// Reads single entries by their positions, and whole parts of the log.
    pub reader: Arc<dyn Reader>,
    /// Damage found in the log while the gateway serves.
    pub damage: damage::Damage,
    /// The tree over its leaves.
    pub tree: Tree,
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
    /// The sealed part cannot be made: no key, or no random bytes.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// With its stamp the leaf could exceed [`batch::MAX_LEAF`].
    #[error("la voce supera lo spazio di una foglia")]
    TooLong,
}

impl Ledger {
    /// Seals `secret` and renders the leaf. `ordinal` is the entry's place among those of its exchange, from
    /// 0; `at` is the instant of the request's arrival.
    pub fn prepare(
        &self,
        mut body: Body,
        secret: &Secret,
        blinding: Blinding,
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
        body = body.fact(leaf::SIGILLO, seal::sigillo(&sealed));
        Draft::new(body, sealed).map_err(|_| PrepareError::TooLong)
    }

    /// Renders an entry without a sealed part.
    pub fn prepare_open(&self, body: Body) -> Result<Draft, PrepareError> {
        Draft::new(body, Vec::new()).map_err(|_| PrepareError::TooLong)
    }

    /// Opens the sealed part of an entry.
    pub fn open(&self, entry: &Entry) -> Result<Secret, Unopened> {
        seal::open(&self.keys, &entry.leaf, &entry.sealed)
            .map(|(_, secret)| secret)
            .inspect_err(|why| self.note_unopened(&entry.position, &entry.sealed, *why))
    }

    /// Unlocks the sealed part of an entry, and gives it to `read`: for a caller reading only a part of it.
    pub fn read<T>(
        &self,
        entry: &Entry,
        read: impl FnOnce(&seal::Unlocked<'_>) -> Result<T, Unopened>,
    ) -> Result<T, Unopened> {
        seal::unlock_entry(&self.keys, &entry.leaf, &entry.sealed)
            .and_then(|opened| read(&opened))
            .inspect_err(|why| self.note_unopened(&entry.position, &entry.sealed, *why))
    }

    /// Reads and unlocks the sealed part at a position, without parsing its leaf, and gives it to `read`.
    /// `exchange` and `ordinal` are the entry's.
    pub fn unlocked<T>(
        &self,
        position: &Position,
        (exchange, ordinal): (Uuid, u32),
        read: impl FnOnce(&seal::Unlocked<'_>) -> Result<T, Unopened>,
    ) -> Result<Result<T, Unopened>, LogError> {
        let (leaf, sealed) = self.reader.bytes(position)?;
        let luogo = seal::Luogo {
            ledger: self.id,
            exchange,
            ordinal,
        };
        let is_committed = |commitment: &str| leaf::commits(&leaf, commitment);
        let read = seal::unlock(&self.keys, luogo, &sealed, &is_committed).and_then(|opened| read(&opened));
        if let Err(why) = read {
            self.note_unopened(position, &sealed, why);
        }
        Ok(read)
    }

    /// Notes a failed opening as damage, of the sealed part or of its key. An erased or absent part is no
    /// damage.
    fn note_unopened(&self, position: &Position, sealed: &[u8], why: Unopened) {
        if !why.is_damage() {
            return;
        }
        let key = seal::key_id(sealed).unwrap_or_default();
        let what = format!(
            "la parte riservata della voce {}, con la chiave {key}: {why}",
            position.sequence
        );
        let file = segments::file_name(position.part());
        self.damage.found(&LogError::Corrupt {
            file,
            offset: position.sealed,
            what,
        });
    }
}

/// A new exchange id. Its random bytes are drawn for many at a time: they are unlike others', and no secret.
pub fn new_exchange(now: Timestamp) -> Result<Uuid, KeyError> {
    const EACH: usize = 10;
    thread_local! {
        static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let random = DRAWN.with_borrow_mut(|drawn| -> Result<[u8; EACH], KeyError> {
        if drawn.len() < EACH {
            *drawn = keys::random::<{ 64 * EACH }>()?.to_vec();
        }
        let own = drawn.split_off(drawn.len().saturating_sub(EACH));
        own.try_into().map_err(|_| KeyError::Random)
    });
    Ok(leaf::exchange_id(now, random?))
}
