//! Signed notes, keys and tree heads as C2SP writes them: signed-note and tlog-checkpoint.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::{hex, sha256_of};
use crate::ledger::tree::TreeHash;

/// The byte of Ed25519 keys of a log.
const ED25519: u8 = 1;

/// A signing key for notes.
pub struct NoteKey {
    name: String,
    pair: Ed25519KeyPair,
}

impl std::fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NoteKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Whether a key may have this name: neither empty, nor with spaces, control characters or `+`.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| !(c.is_whitespace() || c.is_control() || c == '+');
    !name.is_empty() && name.chars().all(plain)
}

impl NoteKey {
    /// The key of a seed. `None`: it cannot have this name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let name = is_name(name).then(|| name.to_owned())?;
        Some(Self { name, pair })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let public = self.pair.public_key();
        let hash = sha256_of(&[self.name.as_bytes(), b"\n", &[ED25519], public.as_ref()]);
        let [one, two, three, four, ..] = hash;
        [one, two, three, four]
    }

    /// The verification key: `NAME+ID+KEY`.
    pub fn verification(&self) -> String {
        let key = [&[ED25519], self.pair.public_key().as_ref()].concat();
        format!("{}+{}+{}", self.name, hex(&self.id()), STANDARD.encode(key))
    }

    /// The note with this text, signed. The text ends with a newline.
    pub fn sign(&self, text: &str) -> String {
        let signature = [&self.id(), self.pair.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(signature))
    }
}

/// The head of a tree, as a checkpoint says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Name of the log.
    pub origin: String,
    /// Number of its leaves.
    pub size: u64,
    /// Root over them.
    pub root: TreeHash,
}

impl TreeHead {
    /// The text of its note.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads the head of a checkpoint, signatures not looked at. `None`: it is none.
    pub fn read(note: &str) -> Option<Self> {
        let mut lines = note.split('\n');
        Some(Self {
            origin: lines.next().filter(|origin| !origin.is_empty())?.to_owned(),
            size: lines.next()?.parse().ok()?,
            root: STANDARD.decode(lines.next()?).ok()?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_what_the_specification_says_and_others_read() {
        let origin = crate::evidence::epoch::origin("varco", uuid::Uuid::nil(), 1);
        let key = NoteKey::new(&origin, &std::array::from_fn(|byte| byte as u8)).unwrap();
        let verification = key.verification();
        let specification = include_str!("../../docs/ledger.md");
        assert!(
            specification.contains(&format!("`{verification}`")),
            "{verification}"
        );

        let head = TreeHead {
            origin: origin.clone(),
            size: 1234,
            root: [7; 32],
        };
        let note = key.sign(&head.text());
        assert_eq!(TreeHead::read(&note).unwrap(), head);
        // A reader with none of this code.
        let read = varco_verify::note::Note::read(note.as_bytes()).unwrap();
        let checkpoint = varco_verify::note::Checkpoint::read(&read.text).unwrap();
        assert_eq!(
            (checkpoint.origin.as_str(), checkpoint.size, checkpoint.root),
            (&*origin, 1234, [7; 32])
        );
        let known = varco_verify::note::Key::read(&verification).unwrap();
        assert_eq!(known.check(&read), varco_verify::note::Checked::Good(None));
        let other = varco_verify::note::Note::read(note.replacen("1234", "1235", 1).as_bytes()).unwrap();
        assert_eq!(known.check(&other), varco_verify::note::Checked::Wrong);
    }

    #[test]
    fn a_key_has_a_name_that_a_note_can_hold() {
        for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{2028}b"] {
            assert!(NoteKey::new(name, &[7; 32]).is_none(), "{name:?}");
        }
        assert!(NoteKey::new("perù.example/1", &[7; 32]).is_some());
    }
}
