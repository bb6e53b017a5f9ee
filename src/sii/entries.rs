//! Entries of kinds `dsu`, `attestation` and `feed`, and how the views index them.
//!
//! - `dsu`: facts `impronta` (token of the fingerprint), `presentata`, `operazione` (N, A, I, S, C, R, X), `versione` (its number), `radice` (token of the
//!   first version's protocol), `base` (of a current ISEE: the same of the DSU that it rests on); tokens: all persons in it, protocol and sender's protocol
//!   (a cancellation has the protocol of what it cancels); `attende` (it waits for an attestation), `attendeva` (sequence of
//!   what waited and does not any more); sealed: the declaration, what the DSU is after it, and the receipt.
//! - `dsu` of a lot, after those of its DSU: facts `lotto` (token of the SHA-256 of the body that carried it), `accettate`, `rifiutate`; token: the flow's
//!   protocol; sealed, as receipt: what became of each DSU.
//! - `attestation`: facts `presentata`, `scadenza` (those by which it is found: of a current ISEE its own), `rilasciata`, `regole` and `regole_impronta`,
//!   `operazione`, `versione` and `radice` as above, `dichiarante` (token), `di` (the ente whose DSU it is), `origine` (sequence
//!   of the first version's entry, where this is a later one), `base`, `attendeva`; tokens: the members of the nucleus, protocols as
//!   above; sealed: the attestation, the specific ISEE, and the records of the feed that they were computed with.
//! - `feed`: facts `righe`: for each token of a codice fiscale, the year of the record; sealed: the records.

use jiff::civil::Date;

use super::archive::{Presentata, Versione};
use crate::ledger::committer::TOKENS;
use crate::ledger::{Entry, Kind, Position, Projector, Writes};

/// The name, in preconditions, of a person's attestations.
pub fn person_key(year: i16, token: &str) -> String {
    format!("cf/{year}/{token}")
}

/// The name, in preconditions, of a protocol.
pub fn protocol_key(year: i16, token: &str) -> String {
    format!("protocollo/{year}/{token}")
}

/// The name, in preconditions, of a sender's protocol of an ente.
pub fn sender_key(ente: &str, year: i16, token: &str) -> String {
    format!("mittente/{ente}/{year}/{token}")
}

/// A name in the views: the token first, so that what is known under one of them stands together, names of preconditions too, and a DSU changes few pages.
fn of_token(token: &str, rest: std::fmt::Arguments<'_>) -> Vec<u8> {
    format!("{TOKENS}{token}/{rest}").into_bytes()
}

/// The prefix, in the views, of a person's attestations.
pub fn person_name(year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("attestazioni/{year}/"))
}

/// The name, in the views, of a protocol: its attestation.
pub fn protocol_name(year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("protocollo/{year}"))
}

/// The name, in the views, of a sender's protocol of an ente: the DSU's entry.
pub fn sender_name(ente: &str, year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("mittente/{ente}/{year}"))
}

/// The name, in the views, of a protocol's DSU.
pub fn dsu_name(year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("dsu/{year}"))
}

/// The name, in preconditions, of a lot of an ente.
pub fn lot_key(ente: &str, year: i16, token: &str) -> String {
    format!("lotto/{ente}/{year}/{token}")
}

/// The name, in the views, of a lot of an ente, by the token of its fingerprint or of its protocol.
pub fn lot_name(ente: &str, year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("lotto/{ente}/{year}"))
}

/// The prefix, in the views, of a sender's protocol of any ente: attestations.
pub fn any_sender_name(year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("mittenti/{year}/"))
}

/// The prefix, in the views, of the versions of a DSU, by the token of its first version's protocol.
pub fn version_prefix(year: i16, radice: &str) -> Vec<u8> {
    of_token(radice, format_args!("versioni/{year}/"))
}

/// Whether a name in the views is a version's.
pub fn is_version(name: &[u8]) -> bool {
    name.strip_prefix(TOKENS.as_bytes()).is_some_and(|rest| rest.split(|byte| *byte == b'/').nth(1) == Some(b"versioni"))
}

/// The prefix, in the views, of the current ISEE that rest on a DSU.
pub fn current_prefix(year: i16, radice: &str) -> Vec<u8> {
    of_token(radice, format_args!("correnti/{year}/"))
}

/// The prefix, in the views, of the DSU of a declarant.
pub fn declarant_prefix(year: i16, token: &str) -> Vec<u8> {
    of_token(token, format_args!("dichiarante/{year}/"))
}

/// The name, in preconditions, of what the feed knows of a person.
pub fn feed_key(year: i16, token: &str) -> String {
    format!("feed/{year}/{token}")
}

/// The name, in the views, of what the feed knows of a person for a year.
pub fn feed_name(year: i16, token: &str, anno: i16) -> Vec<u8> {
    of_token(token, format_args!("feed/{year}/{anno}"))
}

/// The prefix, in the views, of DSU that wait for an attestation.
pub const WAITING: &[u8] = b"d/attesa/";

/// `prefix` and the sequence, so that entries stand in their order.
fn numbered(mut prefix: Vec<u8>, sequence: u64) -> Vec<u8> {
    prefix.extend(format!("{sequence:020}").into_bytes());
    prefix
}

pub(super) fn sequence_of(name: &[u8]) -> Option<u64> {
    std::str::from_utf8(name.get(name.len().checked_sub(20)?..)?).ok()?.parse().ok()
}

/// A version as the views have it.
pub(super) fn read_version(name: &[u8], value: &[u8]) -> Option<Versione> {
    let (text, position) = Position::split_from(value)?;
    let mut words = std::str::from_utf8(text).ok()?.split_whitespace();
    Some(Versione { numero: words.next()?.parse().ok()?, operazione: words.next()?.to_owned(), sequence: sequence_of(name)?, position })
}

/// A declarant's DSU as the views have it.
pub(super) fn read_presented(year: i16, value: &[u8]) -> Option<Presentata> {
    let mut words = std::str::from_utf8(value).ok()?.split_whitespace();
    Some(Presentata {
        presentata: words.next()?.parse().ok()?,
        origine: words.next()?.parse().ok()?,
        year,
        radice: words.next()?.to_owned(),
    })
}

/// The head of an attestation in the views: when it is valid, where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the entry: of two versions the later counts.
    pub sequence: u64,
    /// Sequence of the entry of the first version: of two DSU of one day the later counts.
    pub origine: u64,
    /// Presented on.
    pub presentata: Date,
    /// Last day of validity.
    pub scadenza: Date,
    /// Where.
    pub position: Position,
}

impl Head {
    /// As a value of the views.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} {} {} ", self.presentata, self.scadenza, self.sequence, self.origine).into_bytes();
        bytes.extend(self.position.encode());
        bytes
    }

    /// From a value of the views.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (text, position) = Position::split_from(bytes)?;
        let mut words = std::str::from_utf8(text).ok()?.split_whitespace();
        Some(Self {
            presentata: words.next()?.parse().ok()?,
            scadenza: words.next()?.parse().ok()?,
            sequence: words.next()?.parse().ok()?,
            origine: words.next()?.parse().ok()?,
            position,
        })
    }
}

/// Indexes DSU, attestations and feeds by tokens.
#[derive(Clone, Copy, Debug)]
pub struct SiiProjector;

impl Projector for SiiProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let body = &entry.leaf.body;
        let Some(tokens) = &body.tokens else { return };
        let fact = |name: &str| body.facts.get(name).and_then(|value| value.as_str());
        let year = tokens.year;
        if let Some(sequence) = body.facts.get("attendeva").and_then(serde_json::Value::as_u64) {
            writes.remove(numbered(WAITING.to_vec(), sequence));
        }
        match body.kind {
            Kind::Dsu => {
                if let (Some(ente), Some(sender), Some(impronta)) = (&body.ente, tokens.protocol.get(1), fact("impronta")) {
                    let mut value = format!("{impronta} ").into_bytes();
                    value.extend(entry.position.encode());
                    writes.set(sender_name(ente, year, sender), value);
                }
                if let (Some(protocol), Some(_)) = (tokens.protocol.first(), fact("impronta")) {
                    let operazione = fact("operazione").unwrap_or("N");
                    // A cancellation has no protocol of its own: the DSU that it ends keeps its place.
                    if operazione != "X" {
                        writes.set(dsu_name(year, protocol), entry.position.encode());
                    }
                    let numero = body.facts.get("versione").and_then(serde_json::Value::as_u64).unwrap_or_default();
                    let mut value = format!("{numero} {operazione} ").into_bytes();
                    value.extend(entry.position.encode());
                    let radice = fact("radice").unwrap_or(protocol);
                    // A cancellation ends what was recorded under the key of any year.
                    let stems = body.facts.get("annulla").and_then(|stems| stems.as_array());
                    for stem in stems.into_iter().flatten().filter_map(|stem| stem.as_str()) {
                        let Some((Ok(year), radice)) = stem.split_once('/').map(|(year, radice)| (year.parse(), radice)) else { continue };
                        writes.set(numbered(version_prefix(year, radice), entry.leaf.seq), value.clone());
                    }
                    writes.set(numbered(version_prefix(year, radice), entry.leaf.seq), value);
                    if body.facts.get("attende").and_then(serde_json::Value::as_bool) == Some(true) {
                        writes.set(numbered(WAITING.to_vec(), entry.leaf.seq), entry.position.encode());
                    }
                    if let Some(base) = fact("base") {
                        writes.set(numbered(current_prefix(year, base), entry.leaf.seq), entry.position.encode());
                    }
                }
                if let (Some(ente), Some(lot)) = (&body.ente, fact("lotto")) {
                    for token in tokens.protocol.iter().map(String::as_str).chain([lot]) {
                        writes.set(lot_name(ente, year, token), entry.position.encode());
                    }
                }
            }
            Kind::Attestation => {
                let day = |name: &str| fact(name).and_then(|text| text.parse().ok());
                let (Some(presentata), Some(scadenza)) = (day("presentata"), day("scadenza")) else { return };
                let sequence = entry.leaf.seq;
                let origine = body.facts.get("origine").and_then(serde_json::Value::as_u64).unwrap_or(sequence);
                let head = Head { sequence, origine, presentata, scadenza, position: entry.position }.encode();
                for person in &tokens.cf {
                    writes.set(numbered(person_name(year, person), sequence), head.clone());
                }
                // Every DSU, by its first attestation or any later one; a current ISEE is none.
                if let (Some(declarant), Some(radice), None) = (fact("dichiarante"), fact("radice"), fact("base")) {
                    let mut name = declarant_prefix(year, declarant);
                    name.extend(radice.as_bytes());
                    writes.set(name, format!("{presentata} {origine} {radice}").into_bytes());
                }
                if let Some(protocol) = tokens.protocol.first() {
                    writes.set(protocol_name(year, protocol), head.clone());
                }
                if let Some(sender) = tokens.protocol.get(1) {
                    writes.set(numbered(any_sender_name(year, sender), sequence), head);
                }
            }
            Kind::Feed => {
                let years = body.facts.get("righe").and_then(|lines| lines.as_array());
                for (index, (person, anno)) in tokens.cf.iter().zip(years.into_iter().flatten()).enumerate() {
                    let Some(anno) = anno.as_i64().and_then(|anno| i16::try_from(anno).ok()) else { continue };
                    let mut value = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes().to_vec();
                    value.extend(entry.position.encode());
                    writes.set(feed_name(year, person, anno), value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::committer::version_name;
    use crate::ledger::{Body, Leaf, Retention, Tokens};

    #[test]
    fn a_cancellation_ends_what_was_recorded_under_any_years_key() {
        let mut body = Body::new(Kind::Dsu, Retention::Dsu, uuid::Uuid::nil(), jiff::Timestamp::UNIX_EPOCH)
            .fact("impronta", "i")
            .fact("operazione", "X")
            .fact("radice", "new")
            .fact("annulla", vec!["2025/old".to_owned(), "2026/new".to_owned()]);
        body.tokens = Some(Tokens { year: 2026, protocol: vec!["new".to_owned()], ..Tokens::default() });
        let position = Position { segment: 1, leaf: 2, leaf_length: 3, sealed: 4, sealed_length: 5, sequence: 6, checksum: 7 };
        let leaf = Leaf { v: 1, ledger: uuid::Uuid::nil(), seq: 7, recorded: String::new(), body };
        let mut writes = Writes::default();
        SiiProjector.project(&Entry { bytes: Vec::new(), leaf, sealed: Vec::new(), position }, &mut writes);
        for (year, token) in [(2025, "old"), (2026, "new")] {
            let name = numbered(version_prefix(year, token), 7);
            let value = writes.0.iter().rev().find(|(written, _)| *written == name).and_then(|(_, value)| value.as_deref());
            assert_eq!(read_version(&name, value.unwrap()).unwrap().operazione, "X", "{year}");
        }
    }

    #[test]
    fn what_is_known_under_a_token_stands_together_and_versions_are_told_from_the_rest() {
        let token = "00ff";
        let versions =
            [version_name(&person_key(2026, token)), version_name(&protocol_key(2026, token)), version_name(&feed_key(2026, token))];
        let others = [
            person_name(2026, token),
            protocol_name(2026, token),
            sender_name("ente", 2026, token),
            dsu_name(2026, token),
            lot_name("ente", 2026, token),
            any_sender_name(2026, token),
            current_prefix(2026, token),
            declarant_prefix(2026, token),
            feed_name(2026, token, 2024),
        ];
        let version = numbered(version_prefix(2026, token), 7);
        assert!(is_version(&version));
        let mut all: Vec<_> = versions.into_iter().chain(others).inspect(|name| assert!(!is_version(name))).chain([version]).collect();
        assert!(all.iter().all(|name| name.starts_with(b"t/00ff/")));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 13);
        // No two keys have one name.
        assert_ne!(version_name("a/b"), version_name("b/a"));
        assert_ne!(version_name("a"), version_name("/a"));
    }

    #[test]
    fn a_head_comes_back() {
        let position = Position { segment: 1, leaf: 2, leaf_length: 3, sealed: 4, sealed_length: 5, sequence: 6, checksum: 7 };
        let head = Head {
            sequence: 42,
            origine: 41,
            presentata: jiff::civil::date(2026, 2, 1),
            scadenza: jiff::civil::date(2026, 12, 31),
            position,
        };
        assert_eq!(Head::decode(&head.encode()), Some(head));
        assert_eq!(Head::decode(b"x"), None);
    }
}
