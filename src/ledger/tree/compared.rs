//! Tiles compared with their leaves.

use std::collections::HashMap;
use std::path::PathBuf;

use super::growing::{Growing, TreeHash, leaf_hash};
use super::kept::synced;
use super::{WIDTH, tile_path};

/// Compares leaves, one after another, with the tiles of a directory, as far as they were synced: after a
/// power cut later ones may hold anything, until the next start writes them again.
#[derive(Debug)]
pub struct Compared {
    /// None: there are no tiles, or an entry was missing.
    directory: Option<PathBuf>,
    growing: Growing,
    /// Leaves to compare.
    most: u64,
    /// Of each level, the tile at hand.
    tiles: HashMap<u32, Vec<TreeHash>>,
    differs: Option<Differs>,
}

/// The first hash of the tiles to differ from the leaves'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    /// The hash of a leaf: sequence of its entry.
    Leaf(u64),
    /// A hash over leaves: level and number of its tile.
    Above(u32, u64),
}

impl Compared {
    /// With the tiles below a directory, from the first leaf on.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self {
            most: directory.as_deref().map_or(0, synced),
            directory,
            growing: Growing::default(),
            tiles: HashMap::new(),
            differs: None,
        }
    }

    /// Adds the leaf of the entry with this sequence. Once one is missing nothing is compared any more.
    pub fn add(&mut self, sequence: u64, leaf: &[u8]) {
        if sequence != self.growing.size + 1 {
            (self.directory, self.tiles) = (None, HashMap::new());
        }
        let Self {
            directory,
            growing,
            most,
            tiles,
            differs,
        } = self;
        let compares = growing.size < *most;
        growing.add(leaf_hash(leaf), &mut |level, place, hash| {
            let (number, at) = (place / WIDTH, (place % WIDTH) as usize);
            if let (0, Some(directory)) = (at, &directory) {
                let bytes = std::fs::read(directory.join(tile_path(level, number))).unwrap_or_default();
                tiles.insert(level, bytes.as_chunks::<32>().0.to_vec());
            }
            let kept = tiles.get(&level).and_then(|tile| tile.get(at));
            if compares && differs.is_none() && kept.is_some_and(|kept| kept != hash) {
                *differs = Some(match level {
                    0 => Differs::Leaf(place + 1),
                    _ => Differs::Above(level, number),
                });
            }
        });
    }

    /// Number of leaves, and their root.
    pub fn head(&self) -> (u64, TreeHash) {
        (self.growing.size, self.growing.root())
    }

    /// The first difference.
    pub fn differs(&self) -> Option<Differs> {
        self.differs
    }
}
