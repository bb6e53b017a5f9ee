//! Reading tiles: roots at earlier sizes, proofs of inclusion and of consistency (RFC 6962, 2.1.1 and 2.1.2).

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::growing::{TreeHash, node_hash, root_of};
use super::{WIDTH, tile_path};

/// Why tiles do not tell.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// A tile cannot be read, or is too short for the size asked for.
    #[error("l'albero del registro non ha ancora il tassello {0}")]
    Missing(String),
    /// The tiles do not lead to the signed root.
    #[error(
        "l'albero del registro (ledger/tile) non è quello del checkpoint: varco ledger verify dice perché"
    )]
    Other,
    /// The entry, or the earlier size, is outside the tree.
    #[error("il registro, con {size} voci, non arriva alla {asked}")]
    Outside {
        /// The entry, or the size, asked for.
        asked: u64,
        /// Size of the tree.
        size: u64,
    },
}

/// Tiles of a directory, as they are read for one answer.
#[derive(Debug)]
pub struct Tiles {
    directory: PathBuf,
    read: HashMap<(u32, u64), Vec<TreeHash>>,
}

impl Tiles {
    /// The tiles below a directory.
    pub fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            read: HashMap::new(),
        }
    }

    /// The first `width` hashes of a tile.
    pub fn hashes(&mut self, level: u32, number: u64, width: u64) -> Result<&[TreeHash], Untold> {
        let path = tile_path(level, number);
        let missing = || Untold::Missing(path.display().to_string());
        let width = usize::try_from(width).map_err(|_| missing())?;
        let known = self.read.entry((level, number)).or_default();
        if known.len() < width {
            let bytes = match std::fs::read(self.directory.join(&path)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(tile = %path.display(), %error, "a tile cannot be read");
                    return Err(missing());
                }
                read => read.map_err(|_| missing())?,
            };
            *known = bytes.as_chunks::<32>().0.to_vec();
        }
        known.get(..width).ok_or_else(missing)
    }

    /// The hash of a full subtree of two to the power `height` leaves, the one with this place among them.
    fn subtree(&mut self, height: u32, place: u64) -> Result<TreeHash, Untold> {
        let (level, below) = (height / 8, height % 8);
        let first = place << below;
        let end = (first % WIDTH) + (1 << below);
        let hashes = self.hashes(level, first / WIDTH, end)?;
        let part = hashes.get((first % WIDTH) as usize..).unwrap_or_default();
        Ok(root_of(part))
    }

    /// The root over the leaves from `start` to `end`, a subtree of a tree split as the RFC says.
    fn over(&mut self, start: u64, end: u64) -> Result<TreeHash, Untold> {
        let length = end - start;
        match length {
            0 => Ok(root_of(&[])),
            _ if length.is_power_of_two() => {
                let height = length.trailing_zeros();
                self.subtree(height, start >> height)
            }
            _ => {
                let middle = start + split(length);
                Ok(node_hash(&self.over(start, middle)?, &self.over(middle, end)?))
            }
        }
    }

    /// The root of the tree with so many leaves.
    pub fn root(&mut self, size: u64) -> Result<TreeHash, Untold> {
        self.over(0, size)
    }

    /// The proof of inclusion of a leaf, by its index from 0, in the tree with so many leaves and this root.
    /// It is tried first: tiles may be damaged.
    pub fn proof(
        &mut self,
        (index, leaf): (u64, TreeHash),
        (size, root): (u64, &TreeHash),
    ) -> Result<Vec<TreeHash>, Untold> {
        let path = self.inclusion(index, size)?;
        if leads(index, size, leaf, &path) == Some(*root) {
            Ok(path)
        } else {
            Err(Untold::Other)
        }
    }

    /// The proof that a leaf, by its index from 0, stands in the tree with so many leaves, as the tiles have
    /// it.
    pub fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<TreeHash>, Untold> {
        if index >= size {
            let asked = index + 1;
            return Err(Untold::Outside { asked, size });
        }
        let (mut start, mut end, mut path) = (0, size, Vec::new());
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.over(middle, end)?);
                end = middle;
            } else {
                path.push(self.over(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// The proof that the tree with `new` leaves goes on from the one with `old`. From an empty tree it is
    /// empty.
    pub fn consistency(&mut self, old: u64, new: u64) -> Result<Vec<TreeHash>, Untold> {
        if old > new {
            let (asked, size) = (old, new);
            return Err(Untold::Outside { asked, size });
        }
        let (mut start, mut end, mut path) = (0, new, Vec::new());
        if old == 0 {
            return Ok(path);
        }
        while end != old {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.over(middle, end)?);
                end = middle;
            } else {
                path.push(self.over(start, middle)?);
                start = middle;
            }
        }
        // The earlier tree itself is known to whoever asks.
        if start > 0 {
            path.push(self.over(start, end)?);
        }
        path.reverse();
        Ok(path)
    }
}

/// The root at the end of a proof, from a leaf. `None`: it has another length.
fn leads(index: u64, size: u64, leaf: TreeHash, path: &[TreeHash]) -> Option<TreeHash> {
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (beside, below) = path.split_last()?;
    let middle = split(size);
    if index < middle {
        Some(node_hash(&leads(index, middle, leaf, below)?, beside))
    } else {
        Some(node_hash(
            beside,
            &leads(index - middle, size - middle, leaf, below)?,
        ))
    }
}

/// The largest power of two below `length`, at least two.
fn split(length: u64) -> u64 {
    length.next_power_of_two() / 2
}
