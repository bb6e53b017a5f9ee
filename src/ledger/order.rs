//! The rules for the order of a log's entries.

use super::leaf::Entry;

/// The entries read so far, to check the next one against them.
#[derive(Default)]
pub(super) struct Order {
    recorded: String,
    /// A digest of exchange and ordinal of each entry.
    seen: Vec<u64>,
}

impl Order {
    /// Whether an entry may follow those before it. The error is the defect, in Italian.
    pub(super) fn follow(&mut self, entry: &Entry) -> Result<(), &'static str> {
        if entry.leaf.recorded < self.recorded {
            return Err("una voce registrata prima di quella che la precede");
        }
        self.recorded.clone_from(&entry.leaf.recorded);
        self.seen.push(Self::place_of(entry));
        Ok(())
    }

    /// Digests found more than once, in order.
    pub(super) fn twice(mut self) -> Vec<u64> {
        self.seen.sort_unstable();
        let mut twice: Vec<u64> = self
            .seen
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        twice.dedup();
        twice
    }

    /// A digest of an entry's exchange and its place in it. Two entries with one digest are read again before
    /// either is called a repetition.
    pub(super) fn place_of(entry: &Entry) -> u64 {
        let exchange = entry.leaf.body.exchange.as_u128();
        #[allow(clippy::cast_possible_truncation, reason = "both halves count")]
        let (high, low) = ((exchange >> 64) as u64, exchange as u64);
        // Multiplication by odd constants keeps all bits; ids are random, so combinations of them do not meet
        // by chance.
        high.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ low.rotate_left(23).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ entry.leaf.body.ordinal().wrapping_mul(0x1656_67b1_9e37_79f9)
    }
}
