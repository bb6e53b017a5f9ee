//! Proofs that an entry stands in a log (C2SP tlog-proof), and that one checkpoint goes on from another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::note::{Checkpoint, Note, hash, number};
use crate::tree::{self, Hash, included, leaf_hash, sha256};

/// The longest proof that is read, bytes: an entry has at most 16 MiB.
pub const LONGEST: usize = 32 << 20;
/// The first line of a proof.
const FIRST: &str = "c2sp.org/tlog-proof@v1";

/// A proof, read and not yet checked.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What the ledger adds: the leaf, and what opens its commitments.
    pub extra: Option<Vec<u8>>,
    /// Place of the leaf, from 0.
    pub index: u64,
    /// The hashes beside the way from the leaf to the root.
    pub path: Vec<Hash>,
    /// The signed note of the checkpoint.
    pub note: Note,
    /// Its content.
    pub checkpoint: Checkpoint,
}

impl Proof {
    /// Reads a proof, strictly by its specification.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LONGEST {
            return Err("è più lunga di quanto una prova possa essere".to_owned());
        }
        let text = str::from_utf8(bytes).map_err(|_| "non è in UTF-8")?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or("non ha un checkpoint dopo la riga vuota")?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST) {
            return Err(format!("la prima riga non è {FIRST}"));
        }
        let extra = lines.peek().and_then(|line| line.strip_prefix("extra "));
        let extra = extra
            .map(|extra| {
                STANDARD
                    .decode(extra)
                    .map_err(|_| "la riga extra non è in base64")
            })
            .transpose()?;
        if extra.is_some() {
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index
            .and_then(number)
            .ok_or("manca la riga index, con un numero")?;
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let path = path.ok_or("una riga della prova non è un hash in base64")?;
        if path.len() > tree::LONGEST {
            return Err("ha più hash di quanti ne servano a un registro".to_owned());
        }
        let (note, checkpoint) = checkpoint(note.as_bytes())?;
        Ok(Self {
            extra,
            index,
            path,
            note,
            checkpoint,
        })
    }

    /// Whether a leaf with these bytes stands at the proof's place in the checkpoint's tree.
    pub fn holds(&self, leaf: &[u8]) -> bool {
        included(self.index, self.checkpoint.size, leaf_hash(leaf), &self.path) == Some(self.checkpoint.root)
    }
}

/// Reads a checkpoint: a signed note whose text is one.
pub fn checkpoint(bytes: &[u8]) -> Result<(Note, Checkpoint), String> {
    let note = Note::read(bytes).map_err(|why| format!("il checkpoint {why}"))?;
    let checkpoint = Checkpoint::read(&note.text)?;
    Ok((note, checkpoint))
}

/// A proof that a checkpoint goes on from another: what witnesses are sent (C2SP tlog-witness).
#[derive(Clone, Debug)]
pub struct Consistency {
    /// Size of the earlier log.
    pub old: u64,
    /// The hashes.
    pub path: Vec<Hash>,
    /// The signed note of the later checkpoint.
    pub note: Note,
    /// Its content.
    pub checkpoint: Checkpoint,
}

impl Consistency {
    /// Reads a proof, strictly by its specification.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|_| "non è in UTF-8")?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or("non ha un checkpoint dopo la riga vuota")?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old
            .and_then(number)
            .ok_or("la prima riga non è old, con un numero")?;
        let path: Option<Vec<Hash>> = lines.map(hash).collect();
        let path = path.ok_or("una riga della prova non è un hash in base64")?;
        if path.len() > tree::LONGEST {
            return Err("ha più hash di quanti ne servano a un registro".to_owned());
        }
        let (note, checkpoint) = checkpoint(note.as_bytes())?;
        Ok(Self {
            old,
            path,
            note,
            checkpoint,
        })
    }

    /// Whether its checkpoint goes on from another one: of the same log, with nothing changed before.
    pub fn holds(&self, earlier: &Checkpoint) -> Result<(), &'static str> {
        let later = &self.checkpoint;
        if earlier.origin != later.origin {
            return Err("i due checkpoint sono di registri diversi");
        }
        if earlier.size != self.old {
            return Err("la prova parte da un checkpoint di un'altra grandezza");
        }
        let holds = tree::consistent(
            (earlier.size, &earlier.root),
            (later.size, &later.root),
            &self.path,
        );
        holds
            .then_some(())
            .ok_or("il secondo checkpoint non continua il primo: il registro è stato cambiato")
    }
}

/// What the extra line of a ledger's proof holds: JSON, with the leaf and what opens its commitments. Nothing
/// of it is trusted: the leaf is checked by the proof, the rest by the leaf.
#[derive(Clone, Debug)]
pub struct Extra {
    /// The exact bytes of the leaf.
    pub leaf: String,
    /// The random bytes of the commitments to the two bodies, where they are given.
    pub bodies: Vec<(String, Hash)>,
    /// The table of the sealed part, and the sections that are opened.
    pub sealed: Option<Sealed>,
}

/// Sections of a sealed part, opened.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The table: 40 bytes a section.
    pub table: Vec<u8>,
    /// Kind, random bytes and content.
    pub sections: Vec<(u8, Hash, Vec<u8>)>,
}

impl Extra {
    /// Reads it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| "la riga extra non è JSON")?;
        let leaf = value.get("leaf").and_then(Value::as_str);
        let leaf = leaf.ok_or("la riga extra non ha la voce (leaf)")?.to_owned();
        let mut bodies = Vec::new();
        for label in ["request", "reply"] {
            if let Some(random) = value.get("random").and_then(|random| random.get(label)) {
                let random = random.as_str().and_then(hash);
                bodies.push((
                    label.to_owned(),
                    random.ok_or("un valore random non è di 32 byte in base64")?,
                ));
            }
        }
        let sealed = value.get("sealed").map(sealed).transpose()?;
        Ok(Self { leaf, bodies, sealed })
    }
}

fn sealed(value: &Value) -> Result<Sealed, String> {
    let bytes = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str);
        text.and_then(|text| STANDARD.decode(text).ok())
    };
    let table = bytes(value.get("table")).ok_or("la tabella delle sezioni non è in base64")?;
    let mut sections = Vec::new();
    for section in value
        .get("sections")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let kind = section
            .get("kind")
            .and_then(Value::as_u64)
            .and_then(|kind| u8::try_from(kind).ok());
        let random = section.get("random").and_then(Value::as_str).and_then(hash);
        let (Some(kind), Some(random), Some(content)) = (kind, random, bytes(section.get("content"))) else {
            return Err("una sezione aperta non ha kind, random e content".to_owned());
        };
        sections.push((kind, random, content));
    }
    Ok(Sealed { table, sections })
}

/// The commitment to some bytes: SHA-256 of the random bytes and them.
pub fn committed(random: &Hash, bytes: &[u8]) -> Hash {
    sha256(&[random.as_slice(), bytes].concat())
}

/// `bytes` in lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Sealed {
    /// Whether the table is the leaf's, and each section opened is the table's. An error says which is not.
    pub fn holds(&self, leaf: &Value) -> Result<(), String> {
        let said = leaf
            .get("commit")
            .and_then(|commit| commit.get("sealed"))
            .and_then(Value::as_str);
        if said != Some(hex(&sha256(&self.table)).as_str()) {
            return Err("la tabella delle sezioni non è quella della voce".to_owned());
        }
        for (kind, random, content) in &self.sections {
            let commitment = committed(random, content);
            let row = self.table.chunks_exact(40).find(|row| row.first() == Some(kind));
            let same = row.is_some_and(|row| row.get(8..) == Some(commitment.as_slice()));
            if !same {
                return Err(format!("la sezione {kind} aperta non è quella della voce"));
            }
        }
        Ok(())
    }
}
