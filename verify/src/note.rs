//! Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature): reading, and checking
//! signatures of Ed25519.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::tree::{Hash, sha256};

/// The longest note that is read, bytes.
pub const LONGEST: usize = 1 << 20;
/// Signatures of one note, at most.
const MOST_SIGNATURES: usize = 100;

/// A signed note: a text, and signatures whose keys may be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, with the newline at its end.
    pub text: String,
    /// The signatures, in their order.
    pub signatures: Vec<Signature>,
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: [u8; 4],
    /// What follows the id.
    pub bytes: Vec<u8>,
}

impl Note {
    /// Reads a note, strictly by its specification.
    pub fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LONGEST {
            return Err("è più lungo di quanto una nota firmata possa essere");
        }
        let whole = str::from_utf8(bytes).map_err(|_| "non è in UTF-8")?;
        if whole.chars().any(|c| c < ' ' && c != '\n') {
            return Err("ha caratteri di controllo");
        }
        let end = whole
            .rfind("\n\n")
            .ok_or("non ha la riga vuota prima delle firme")?;
        let (text, signed) = (&whole[..=end], &whole[end + 2..]);
        let signed = signed
            .strip_suffix('\n')
            .ok_or("non finisce con una riga intera")?;
        let signatures: Result<Vec<_>, _> = signed.split('\n').map(Signature::read).collect();
        let signatures = signatures?;
        if signatures.len() > MOST_SIGNATURES {
            return Err("ha troppe firme");
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

impl Signature {
    fn read(line: &str) -> Result<Self, &'static str> {
        let rest = line.strip_prefix("— ").ok_or("ha una riga che non è una firma")?;
        let (name, base64) = rest.split_once(' ').ok_or("ha una firma senza nome")?;
        if !is_name(name) {
            return Err("ha una firma con un nome che non può essere");
        }
        let bytes = STANDARD
            .decode(base64)
            .map_err(|_| "ha una firma che non è in base64")?;
        let (id, bytes) = bytes
            .split_first_chunk::<4>()
            .ok_or("ha una firma troppo corta")?;
        Ok(Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

/// Whether a key may have this name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

/// The kind of a key: what its signatures say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A log's: Ed25519 over the text.
    Log,
    /// A witness's: Ed25519 over the time and the text.
    Witness,
}

/// A public key, as C2SP writes it: name, id, kind and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name: of a log's key, the origin of its checkpoints.
    pub name: String,
    /// What its signatures say.
    pub kind: Kind,
    /// The public key.
    pub public: [u8; 32],
}

/// A signature of a known key, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The note does not have it.
    Absent,
    /// It is good; of a witness, with the seconds since 1970 at which it was made.
    Good(Option<u64>),
    /// It is there, and is not good.
    Wrong,
}

impl Key {
    /// Reads `NAME+ID+KEY`.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("una chiave si scrive NOME+ID+CHIAVE");
        };
        let bytes = STANDARD.decode(key).map_err(|_| "la chiave non è in base64")?;
        let (kind, public) = match bytes.split_first() {
            Some((1, public)) => (Kind::Log, public),
            Some((4, public)) => (Kind::Witness, public),
            _ => return Err("la chiave non è di un tipo noto"),
        };
        let public = public.try_into().map_err(|_| "la chiave non ha 32 byte")?;
        let read = Self {
            name: name.to_owned(),
            kind,
            public,
        };
        let said = u32::from_str_radix(id, 16).map_err(|_| "l'id della chiave non è in esadecimale")?;
        if !is_name(name) {
            return Err("il nome della chiave non può essere questo");
        }
        if id.len() != 8 || said.to_be_bytes() != read.id() {
            return Err("l'id non è quello della chiave");
        }
        Ok(read)
    }

    fn byte(&self) -> u8 {
        match self.kind {
            Kind::Log => 1,
            Kind::Witness => 4,
        }
    }

    /// Its id: the first bytes of the SHA-256 of name, kind and key.
    pub fn id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[self.byte()], &self.public].concat());
        let [one, two, three, four, ..] = hash;
        [one, two, three, four]
    }

    /// `NAME+ID+KEY`.
    pub fn text(&self) -> String {
        let id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = STANDARD.encode([&[self.byte()], self.public.as_slice()].concat());
        format!("{}+{id}+{key}", self.name)
    }

    /// Its signature of a note. Of several under its name and id one that is wrong counts.
    pub fn check(&self, note: &Note) -> Checked {
        let id = self.id();
        let own = note
            .signatures
            .iter()
            .filter(|one| one.name == self.name && one.id == id);
        own.fold(Checked::Absent, |before, signature| match before {
            Checked::Wrong => before,
            _ => self.one(&note.text, &signature.bytes),
        })
    }

    fn one(&self, text: &str, signature: &[u8]) -> Checked {
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        let (message, signature, at) = match self.kind {
            Kind::Log => (text.to_owned(), signature, None),
            Kind::Witness => {
                let Some((time, signature)) = signature.split_first_chunk::<8>() else {
                    return Checked::Wrong;
                };
                let time = u64::from_be_bytes(*time);
                if time > i64::MAX as u64 {
                    return Checked::Wrong;
                }
                (
                    format!("cosignature/v1\ntime {time}\n{text}"),
                    signature,
                    Some(time),
                )
            }
        };
        match key.verify(message.as_bytes(), signature) {
            Ok(()) => Checked::Good(at),
            Err(_) => Checked::Wrong,
        }
    }
}

/// A checkpoint: the text of a note that names a log, its size and its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// Number of its leaves.
    pub size: u64,
    /// Root of its tree.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a note.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err("un checkpoint ha almeno tre righe");
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err("un checkpoint non ha righe vuote");
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: number(size).ok_or("la grandezza del registro non è un numero")?,
            root: hash(root).ok_or("la radice non è un hash in base64")?,
        })
    }
}

/// Reads a decimal number without leading zeros.
pub fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// Reads a hash in base64.
pub fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification of signed notes, and its key.
    const NOTE: &str = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
        — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

    #[test]
    fn a_note_is_read_as_specified() {
        let note = Note::read(NOTE.as_bytes()).unwrap();
        assert!(note.text.ends_with("ed è subito sera.\n"), "{:?}", note.text);
        assert_eq!(note.signatures.len(), 1);
        assert_eq!(note.signatures[0].id, [0x36, 0x7b, 0xa0, 0x4b]);
        for wrong in [
            NOTE.trim_end(),
            &NOTE.replace("— ", "- "),
            &NOTE.replace("salvatore ", "salva+tore "),
            &NOTE.replace("NnugSzTj", "NnugSzT"),
            &NOTE.replace("terra\n", "terra\r\n"),
            "",
            "\n\n",
        ] {
            assert!(Note::read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_and_checkpoints_are_read_strictly() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "00", "01", "+1", "-1", "1 ", "18446744073709551616", "1e3"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let good = format!("example.com/log\n20852163\n{root}\n");
        assert_eq!(Checkpoint::read(&good).unwrap().size, 20_852_163);
        assert!(Checkpoint::read(&format!("{good}extension\n")).is_ok());
        for wrong in [
            format!("\n1\n{root}\n"),
            "example.com/log\n1\n".to_owned(),
            format!("example.com/log\n01\n{root}\n"),
            format!("example.com/log\n1\n{}\n", &root[4..]),
            format!("example.com/log\n1\n{root}\n\nmore\n"),
        ] {
            assert!(Checkpoint::read(&wrong).is_err(), "{wrong:?}");
        }
    }
}
