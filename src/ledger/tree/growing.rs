//! A tree in memory, as it grows: of each level the hashes of the last tile, no more.

use super::WIDTH;
use crate::digest::{sha256, sha256_of};

/// A hash of the tree.
pub type TreeHash = [u8; 32];

/// The hash of a leaf (RFC 6962, section 2.1).
pub fn leaf_hash(leaf: &[u8]) -> TreeHash {
    sha256_of(&[&[0], leaf])
}

/// The hash of an inner node (RFC 6962, section 2.1).
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    sha256_of(&[&[1], left, right])
}

/// The root over subtrees of one size, in order; the last one may be smaller. Without any: the root of no
/// leaves.
pub fn root_of(subtrees: &[TreeHash]) -> TreeHash {
    match subtrees {
        [] => sha256(&[]),
        [one] => *one,
        _ => {
            let (left, right) = subtrees.split_at(split(subtrees.len()));
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The largest power of two below `length`, at least two.
fn split(length: usize) -> usize {
    length.next_power_of_two() / 2
}

/// The last tile of each level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Growing {
    /// Number of leaves.
    pub(super) size: u64,
    /// Of each level, the hashes of its partial tile.
    pub(super) levels: Vec<Vec<TreeHash>>,
}

impl Growing {
    /// Adds a leaf. Gives each new hash with its level and its place there to `each`.
    pub(super) fn add(&mut self, leaf: TreeHash, each: &mut dyn FnMut(u32, u64, &TreeHash)) {
        let (mut hash, mut place) = (leaf, self.size);
        self.size += 1;
        for level in 0.. {
            each(level, place, &hash);
            let at = level as usize;
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(WIDTH as usize));
            }
            let tile = &mut self.levels[at];
            tile.push(hash);
            if (tile.len() as u64) < WIDTH {
                return;
            }
            hash = root_of(tile);
            place /= WIDTH;
            tile.clear();
        }
    }

    /// The root of all leaves.
    pub(super) fn root(&self) -> TreeHash {
        let mut right: Option<TreeHash> = None;
        for tile in &self.levels {
            let subtrees: Vec<TreeHash> = tile.iter().copied().chain(right).collect();
            if !subtrees.is_empty() {
                right = Some(root_of(&subtrees));
            }
        }
        right.unwrap_or_else(|| root_of(&[]))
    }
}
