//! What a stranger needs to check a Varco ledger: no network, no key of the gateway, none of its code.
//!
//! - [`tree`]: the Merkle tree of RFC 6962, and both its proofs;
//! - [`note`]: signed notes, checkpoints, keys and signatures;
//! - [`policy`]: whom the reader trusts;
//! - [`proof`]: the files that a gateway hands out;
//! - [`directory`]: a whole ledger, read from its segments;
//! - [`said`]: the answer, in Italian, and the exit status.
//!
//! Whoever distrusts this program too finds the formats in `docs/ledger.md` and in the specifications that it
//! names, and other implementations of them.

pub mod directory;
pub mod note;
pub mod policy;
pub mod proof;
pub mod said;
pub mod tree;
