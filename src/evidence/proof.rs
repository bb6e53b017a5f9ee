//! Proofs to hand out: an entry stands in the ledger (C2SP tlog-proof); a checkpoint goes on from an earlier
//! one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::checkpoint::Signed;
use crate::ledger::tree::{Tiles, TreeHash, Untold, leaf_hash};
use crate::ledger::{Blinding, Entry};

/// The opened part of a proof: the random bytes of the commitments to the two bodies.
#[derive(Clone, Debug, Default)]
pub struct Aperto(Value);

impl Aperto {
    /// Of an entry with an opened sealed part. Nothing, where its commitments are of version 1: one random
    /// would open all of them.
    pub fn bodies(blinding: &Blinding) -> Self {
        let random = |label| blinding.random_of(label).map(|random| STANDARD.encode(random));
        match (random("request"), random("reply")) {
            (Some(request), Some(reply)) => Self(json!({ "request": request, "reply": reply })),
            _ => Self::default(),
        }
    }

    /// Whether there is anything.
    pub fn is_some(&self) -> bool {
        !self.0.is_null()
    }
}

/// The proof of an entry in the tree of a checkpoint.
pub fn inclusion(
    entry: &Entry,
    aperto: &Aperto,
    signed: &Signed,
    tiles: &mut Tiles,
) -> Result<String, Untold> {
    let index = entry.leaf.seq - 1;
    let (leaf, head) = (leaf_hash(&entry.bytes), &signed.head);
    let path = tiles.proof((index, leaf), (head.size, &head.root))?;
    let mut extra = json!({ "leaf": String::from_utf8_lossy(&entry.bytes) });
    if aperto.is_some() {
        extra["random"] = aperto.0.clone();
    }
    let extra = STANDARD.encode(extra.to_string());
    Ok(format!(
        "c2sp.org/tlog-proof@v1\nextra {extra}\nindex {index}\n{}\n{}",
        lines(&path),
        signed.note
    ))
}

/// The proof that a checkpoint goes on from a tree of an earlier size, as for a witness, too (C2SP
/// tlog-witness).
pub fn consistency(old: u64, signed: &Signed, tiles: &mut Tiles) -> Result<String, Untold> {
    if tiles.root(signed.head.size)? != signed.head.root {
        return Err(Untold::Other);
    }
    let path = tiles.consistency(old, signed.head.size)?;
    Ok(format!("old {old}\n{}\n{}", lines(&path), signed.note))
}

fn lines(path: &[TreeHash]) -> String {
    path.iter().map(|hash| STANDARD.encode(hash) + "\n").collect()
}
