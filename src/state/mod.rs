//! The view store: redb, one table, one writer.
//!
//! Views hold small and current things: enti, heads of DSU, idempotence keys, versions. They hold tokens and
//! positions, never a codice fiscale, a name or a DSU. They are rebuilt from the ledger at any time, so the
//! only question is when they may be trusted:
//!
//! - after a clean stop, and after the mere death of the process (same boot id), if every checksum of the
//!   file is right: redb goes back to its last durable commit by itself, and later entries are applied again;
//! - never after anything else, nor if they are of another ledger or format, or redb complains, or the log
//!   has another entry in the place of their last one: then they are set aside and made again.
//!
//! While the gateway serves, views that cannot be read or written are opened again at their last durable
//! commit, and the log is applied from there. `beheld` opens their file without changing it, for commands
//! that only look.
//!
//! Views are written after the log is durable. Views of this ledger ahead of its log prove lost entries:
//! nothing is opened then.
//!
//! Every batch of entries with any change is applied atomically, together with the sequence it reaches.
//! Commits are made durable now and then: a ledger ahead of its views costs a start a moment, and nothing
//! else.

mod beheld;
pub mod facts;
pub mod numbers;
mod store;

pub use store::{OpenError, Pair, Rebuilt, Store, ViewWriter, discard, open, reached};
