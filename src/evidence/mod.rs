//! Evidence: proofs of the ledger for readers without trust in its operator, or in Varco.
//!
//! A **checkpoint** signs the size and the root of the tree over the leaves (C2SP tlog-checkpoint, Ed25519).
//! [`note`]: keys and signed notes; [`checkpoint`]: the last one, on disk before anybody is shown it;
//! [`epoch`]: the signing key, and its origin; [`signing`]: a thread of its own;
//! [`proof`]: proofs to hand out; [`entries`]: the beginning of an epoch.
//!
//! Invariant: two checkpoints of one origin never contradict each other. Where entries may be lost, a new
//! origin begins.

/// The first part of an origin. The ledger's id after it tells ledgers apart.
pub const NAME: &str = "varco";

pub mod checkpoint;
pub mod entries;
pub mod epoch;
pub mod facts;
pub mod note;
pub mod proof;
pub mod signing;
