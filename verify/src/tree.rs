//! The Merkle tree of RFC 6962, section 2.1: what a reader needs to check, with SHA-256.
//!
//! Every function follows the definitions of the RFC step by step, by recursion over sizes: there is nothing
//! clever in it to trust.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A hash of the tree, 32 bytes.
pub type Hash = [u8; 32];

/// The longest proof: a tree has at most 2^63 leaves.
pub const LONGEST: usize = 63;

/// The hash of a leaf: SHA-256 of a zero byte and its bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    hash(&[&[0], leaf])
}

/// The hash of an inner node: SHA-256 of a one byte and the hashes of its children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    hash(&[])
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// The largest power of two below `size`, which is two at least.
fn split(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The root to which an inclusion proof leads from a leaf (RFC 6962, 2.1.1). `None`: the proof has not the
/// length that index and size ask for, or the index is outside the tree.
pub fn included(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (beside, below) = path.split_last()?;
    let middle = split(size);
    if index < middle {
        Some(node_hash(&included(index, middle, leaf, below)?, beside))
    } else {
        Some(node_hash(
            beside,
            &included(index - middle, size - middle, leaf, below)?,
        ))
    }
}

/// Whether a consistency proof leads from one tree to another that goes on from it (RFC 6962, 2.1.2). From an
/// empty tree, and between equal ones, the proof is empty.
pub fn consistent((old, old_root): (u64, &Hash), (new, new_root): (u64, &Hash), path: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    roots(old, new, Some(old_root), path) == Some((*old_root, *new_root))
}

/// The roots of both trees, as a proof gives them. `known`: the old root, where this subtree is the whole old
/// tree.
fn roots(old: u64, new: u64, known: Option<&Hash>, path: &[Hash]) -> Option<(Hash, Hash)> {
    if old == new {
        return match (known, path) {
            (Some(root), []) => Some((*root, *root)),
            (None, [root]) => Some((*root, *root)),
            _ => None,
        };
    }
    let (beside, below) = path.split_last()?;
    let middle = split(new);
    if old <= middle {
        let (before, after) = roots(old, middle, known, below)?;
        Some((before, node_hash(&after, beside)))
    } else {
        let (before, after) = roots(old - middle, new - middle, None, below)?;
        Some((node_hash(beside, &before), node_hash(beside, &after)))
    }
}

/// A tree to which leaves are added one after another. It keeps one hash a level.
#[derive(Clone, Debug, Default)]
pub struct Growing {
    size: u64,
    /// The roots of the full subtrees, from the largest: as many as `size` has ones in binary.
    full: Vec<Hash>,
}

impl Growing {
    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of a leaf.
    pub fn add(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.full.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.full.push(hash);
        self.size += 1;
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Hash {
        let mut from_the_right = self.full.iter().rev();
        let Some(last) = from_the_right.next() else {
            return empty_root();
        };
        from_the_right.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root by the definition: nothing shared with [`Growing`] but the hashes.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    /// An inclusion proof by the definition.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let middle = split(leaves.len() as u64) as usize;
        let (left, right) = leaves.split_at(middle);
        let (mut below, beside) = if index < middle {
            (path(index, left), defined(right))
        } else {
            (path(index - middle, right), defined(left))
        };
        below.push(beside);
        below
    }

    /// A consistency proof by the definition.
    fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole { Vec::new() } else { vec![defined(leaves)] };
        }
        let middle = split(leaves.len() as u64) as usize;
        let (left, right) = leaves.split_at(middle);
        let (mut below, beside) = if old <= middle {
            (subproof(old, left, whole), defined(right))
        } else {
            (subproof(old - middle, right, false), defined(left))
        };
        below.push(beside);
        below
    }

    fn leaves(number: usize) -> Vec<Hash> {
        (0..number)
            .map(|number| leaf_hash(&number.to_be_bytes()))
            .collect()
    }

    #[test]
    fn every_proof_of_small_trees_is_checked_and_every_other_is_not() {
        let all = leaves(70);
        let mut growing = Growing::default();
        for size in 0..=all.len() {
            let tree = &all[..size];
            let root = defined(tree);
            assert_eq!((growing.size(), growing.root()), (size as u64, root));
            if let Some(next) = all.get(size) {
                growing.add(*next);
            }
            for (index, leaf) in tree.iter().enumerate() {
                let proof = path(index, tree);
                let (index, size) = (index as u64, size as u64);
                assert_eq!(included(index, size, *leaf, &proof), Some(root));
                // Another leaf, another place, another length.
                assert_ne!(included(index, size, [7; 32], &proof), Some(root));
                assert_ne!(included(index ^ 1, size, *leaf, &proof), Some(root));
                assert_eq!(
                    included(index, size, *leaf, &[proof.as_slice(), &[root]].concat()),
                    None
                );
                assert_eq!(included(size, size, *leaf, &proof), None);
            }
            for old in 0..=size {
                let old_root = defined(&all[..old]);
                let proof = if old == 0 {
                    Vec::new()
                } else {
                    subproof(old, tree, true)
                };
                let (old, new) = ((old as u64, &old_root), (size as u64, &root));
                assert!(consistent(old, new, &proof));
                assert!(!consistent((old.0, &[7; 32]), new, &proof));
                assert!(old.0 == 0 || !consistent(old, (new.0, &[7; 32]), &proof));
                assert!(!consistent(old, new, &[proof.as_slice(), &[root]].concat()));
                assert!(old.0 == new.0 || !consistent((new.0, new.1), old, &proof));
            }
        }
    }

    #[test]
    fn a_tree_is_the_one_of_the_rfc() {
        // The values that implementations of RFC 6962 share.
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(empty_root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }
}
