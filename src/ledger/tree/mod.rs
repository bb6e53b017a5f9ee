//! The Merkle tree over the leaves of the ledger (RFC 6962, SHA-256), and its tiles (C2SP tlog-tiles).
//!
//! The leaf at index `seq - 1` is the exact bytes of an entry's leaf. Its root at some size says all of the
//! entries up to there. `growing` adds leaves and gives the present root; `kept` keeps the tiles beside
//! the segments, as a follower of the log; `paths` reads them, and makes proofs; `compared` holds
//! them against the leaves.
//!
//! Invariant: tiles hold durable entries only, and are the same each time they are made again.

mod compared;
mod growing;
mod kept;
mod paths;
#[cfg(test)]
mod tests;

pub use compared::{Compared, Differs};
pub use growing::{TreeHash, leaf_hash, node_hash, root_of};
pub use kept::{Tree, TreeFollower};
pub use paths::{Tiles, Untold};

use std::path::PathBuf;

/// Hashes of a full tile.
pub const WIDTH: u64 = 256;

/// The path of a tile below the directory of the tiles: its level, then its number in parts of three digits,
/// with an `x` before all but the last.
pub fn tile_path(level: u32, number: u64) -> PathBuf {
    let mut parts = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        parts.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    parts.push(level.to_string());
    parts.iter().rev().collect()
}
