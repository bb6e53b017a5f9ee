//! Leaves: what is written of them before they are appended ([`Body`]), and what is read back ([`Leaf`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::batch::{ENTRY_HEADER, MAX_LEAF, entry_checksum, slot_is_whole};
use crate::clock::rfc3339;

/// What an entry records: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One request answered, refused or failed.
    Exchange,
    /// Before a step that leaves the process.
    Asked,
    /// A step that left the process and did not come back.
    Interrupted,
    /// A DSU received.
    Dsu,
    /// What was attested.
    Attestation,
    /// A feed loaded.
    Feed,
    /// The state of an ente after a change.
    Registry,
    /// An administrative act that is none of the others.
    Admin,
    /// Refusals counted together.
    Gathered,
    /// Reserved.
    Snapshot,
    /// Init, start, stop, recovery, reservation of numbers.
    System,
}

impl Kind {
    /// Its name, as leaves have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Asked => "asked",
            Self::Interrupted => "interrupted",
            Self::Dsu => "dsu",
            Self::Attestation => "attestation",
            Self::Feed => "feed",
            Self::Registry => "registry",
            Self::Admin => "admin",
            Self::Gathered => "gathered",
            Self::Snapshot => "snapshot",
            Self::System => "system",
        }
    }
}

/// The side of this porta di dominio in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It answered.
    Erogatore,
    /// It asked.
    Fruitore,
}

/// How long an entry is kept, and which key wraps its sealed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    /// Exchanges: 24 months by default (Garante, 27 November 2008).
    Consultazione,
    /// DSU, attestations, feeds.
    Dsu,
    /// The registry of enti.
    Registro,
    /// Everything else.
    Sistema,
}

impl Retention {
    /// The name behind a code of the keyring.
    pub fn name_of(code: u8) -> &'static str {
        match code {
            1 => "consultazione",
            2 => "dsu",
            3 => "registro",
            4 => "sistema",
            _ => "?",
        }
    }

    /// The code in the keyring.
    pub fn code(self) -> u8 {
        match self {
            Self::Consultazione => 1,
            Self::Dsu => 2,
            Self::Registro => 3,
            Self::Sistema => 4,
        }
    }
}

/// Keyed tokens of one year.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Of which year's key.
    pub year: i16,
    /// Codici fiscali.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cf: Vec<String>,
    /// Operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Protocols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocol: Vec<String>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Commitments, hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitments {
    /// To the request's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// To the reply's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// To the sealed part's content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// Sizes of bodies, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Of the request.
    pub request: u64,
    /// Of the reply.
    pub reply: u64,
}

/// Durations, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Micros {
    /// To the caller's admission.
    pub head: u64,
    /// To the last byte of the body.
    pub body: u64,
    /// Of work on it, until it was given to the committer.
    pub work: u64,
}

/// The name of a fact. Each room declares those of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fact(&'static str);

impl Fact {
    /// The fact of that name.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// Its name, as leaves have it.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// Declares facts, a line each.
macro_rules! facts {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        $($(#[$doc])+ pub const $name: $crate::ledger::Fact = $crate::ledger::Fact::named($text);)+
    };
}
pub(crate) use facts;

facts! {
    /// The place of an entry among those of its exchange, whose own entry has 0 and does not say it.
    ORDINAL = "ordinal";
    /// IdRichiesta of the reply.
    ID_RICHIESTA = "id_richiesta";
}

/// The members of a leaf that are known before it is appended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// First byte of the request, or when the act began.
    pub received: String,
    /// What it records.
    pub kind: Kind,
    /// The side of this porta di dominio in the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Shared by all entries of one exchange.
    pub exchange: Uuid,
    /// Code of the ente.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ente: Option<String>,
    /// SHA-256 of the client's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// Operation of the contract, or command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The Esito answered, `FAULT`, or `OK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Retention class.
    pub retention: Retention,
    /// Keyed tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// Commitments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commitments>,
    /// Sizes of bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Sizes>,
    /// Durations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<Micros>,
    /// TLS version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Names whose version this entry advances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// What the kind adds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl Body {
    /// A leaf of that kind, begun then.
    pub fn new(kind: Kind, retention: Retention, exchange: Uuid, received: Timestamp) -> Self {
        Self {
            received: rfc3339(received),
            kind,
            role: None,
            exchange,
            ente: None,
            cert: None,
            operation: None,
            outcome: None,
            refusal: None,
            retention,
            tokens: None,
            commit: None,
            sizes: None,
            micros: None,
            tls: None,
            keys: Vec::new(),
            facts: BTreeMap::new(),
        }
    }

    /// Adds a fact. What cannot be said in JSON is left out: facts are plain structures.
    pub fn fact(mut self, fact: Fact, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.facts.insert(fact.name().to_owned(), value);
        }
        self
    }

    /// A fact; None where the entry does not say it.
    pub fn get(&self, fact: Fact) -> Option<&serde_json::Value> {
        self.facts.get(fact.name())
    }

    /// Whether the entry says a fact.
    pub fn has(&self, fact: Fact) -> bool {
        self.facts.contains_key(fact.name())
    }

    /// The text of a fact; None where there is no such fact, or it is no text.
    pub fn text(&self, fact: Fact) -> Option<&str> {
        self.get(fact)?.as_str()
    }

    /// The number of a fact; None where there is no such fact, or it is no number.
    pub fn number(&self, fact: Fact) -> Option<u64> {
        self.get(fact)?.as_u64()
    }

    /// Whether a fact says true.
    pub fn is(&self, fact: Fact) -> bool {
        self.get(fact).and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// The day of a fact; None where there is no such fact, or it is no day.
    pub fn day(&self, fact: Fact) -> Option<Date> {
        self.text(fact)?.parse().ok()
    }

    /// The place of the entry among those of its exchange, whose own entry has 0.
    pub fn ordinal(&self) -> u64 {
        self.number(ORDINAL).unwrap_or(0)
    }
}

/// A leaf as it is read back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaf {
    /// Version, 1.
    pub v: u8,
    /// Id of the ledger.
    pub ledger: Uuid,
    /// Sequence.
    pub seq: u64,
    /// When it was appended.
    pub recorded: String,
    /// The rest.
    #[serde(flatten)]
    pub body: Body,
}

/// A text of a leaf, where it lies; copied only if it holds an escape.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What is read of a leaf where many are only counted: members of [`Leaf`], [`Body`] and [`Tokens`], under
/// their names. The rest is skipped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Glance<'a> {
    /// Sequence.
    pub seq: u64,
    /// When it was appended.
    #[serde(borrow)]
    pub recorded: Text<'a>,
    /// First byte of the request, or when the act began.
    #[serde(borrow)]
    pub received: Text<'a>,
    /// What it records.
    pub kind: Kind,
    /// Code of the ente.
    #[serde(borrow)]
    pub ente: Option<Text<'a>>,
    /// Operation of the contract, or command.
    #[serde(borrow)]
    pub operation: Option<Text<'a>>,
    /// Code of the refusal.
    #[serde(borrow)]
    pub refusal: Option<Text<'a>>,
    /// Keyed tokens.
    #[serde(borrow)]
    pub tokens: Option<GlanceTokens<'a>>,
    /// Durations.
    pub micros: Option<Micros>,
    /// Facts.
    #[serde(default)]
    pub facts: GlanceFacts,
}

/// The facts that a glance reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GlanceFacts {
    /// Of an exchange: failed attempts, by token.
    #[serde(default)]
    pub tentativi: BTreeMap<String, u32>,
}

/// What is read of a leaf's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GlanceTokens<'a> {
    /// Codici fiscali.
    #[serde(borrow, default)]
    pub cf: Vec<Text<'a>>,
    /// Operator.
    #[serde(borrow)]
    pub operator: Option<Text<'a>>,
}

impl<'a> Glance<'a> {
    /// From a leaf's bytes. Nothing if they are not one's.
    pub fn read(leaf: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(leaf).ok()
    }
}

/// What the stamp adds to a leaf, bytes, at most.
const STAMP: usize = 200;

/// What the committer adds to a leaf.
#[derive(Deserialize)]
struct Stamp<'a> {
    v: u8,
    ledger: Uuid,
    seq: u64,
    #[serde(borrow)]
    recorded: Cow<'a, str>,
}

impl Leaf {
    /// From its bytes; nothing if they are not a leaf. In two passes, each over what the other passes over:
    /// `flatten` would keep every member twice.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let Stamp {
            v,
            ledger,
            seq,
            recorded,
        } = serde_json::from_slice(bytes).ok()?;
        let body = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            v,
            ledger,
            seq,
            recorded: recorded.into_owned(),
            body,
        })
    }
}

/// An entry that is ready to be appended: rendered, sealed.
#[derive(Clone)]
pub struct Draft {
    /// The leaf's members after the stamped ones, without the opening brace.
    tail: String,
    body: Body,
    /// Shared with the batch that it is written in: a DSU is tens of kilobytes.
    pub(super) sealed: Bytes,
}

/// A leaf that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("la voce supera lo spazio di una foglia")]
pub struct LeafTooLong;

impl Draft {
    /// Renders a leaf.
    pub fn new(body: Body, sealed: impl Into<Bytes>) -> Result<Self, LeafTooLong> {
        let rendered = serde_json::to_string(&body).map_err(|_| LeafTooLong)?;
        let tail = rendered.strip_prefix('{').ok_or(LeafTooLong)?.to_owned();
        if tail.len() + STAMP > MAX_LEAF {
            return Err(LeafTooLong);
        }
        Ok(Self {
            tail,
            body,
            sealed: sealed.into(),
        })
    }

    /// How many bytes of a batch it takes, at most.
    pub(super) fn size(&self) -> usize {
        ENTRY_HEADER + STAMP + self.tail.len() + self.sealed.len()
    }

    /// The names whose version it advances.
    pub(super) fn keys(&self) -> &[String] {
        &self.body.keys
    }

    /// The entry that it became: what reading it back would give, without reading.
    pub(super) fn appended(
        self,
        bytes: Vec<u8>,
        ledger: Uuid,
        seq: u64,
        recorded: &str,
        position: Position,
    ) -> Entry {
        let leaf = Leaf {
            v: 1,
            ledger,
            seq,
            recorded: recorded.to_owned(),
            body: self.body,
        };
        Entry {
            bytes,
            leaf,
            sealed: self.sealed,
            position,
        }
    }

    /// The leaf's exact bytes, once its place is known.
    pub(super) fn stamp(&self, ledger: Uuid, seq: u64, recorded: &str) -> Vec<u8> {
        format!(
            "{{\"v\":1,\"ledger\":\"{ledger}\",\"seq\":{seq},\"recorded\":\"{recorded}\",{}",
            self.tail
        )
        .into_bytes()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

/// The place of an entry, its sequence and a checksum. A reader compares them with the bytes at that place:
/// it never takes another entry for this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Sequence of its segment's first entry.
    pub(super) segment: u64,
    /// Offset of the leaf in the segment.
    pub(super) leaf: u64,
    /// Length of the leaf.
    pub(super) leaf_length: u32,
    /// Offset of the sealed part in the segment.
    pub(super) sealed: u64,
    /// Length of the sealed part.
    pub(super) sealed_length: u32,
    /// The entry's own sequence.
    pub(super) sequence: u64,
    /// [`entry_checksum`] of its leaf and its sealed part.
    ///
    /// [`entry_checksum`]: super::batch::entry_checksum
    pub(super) checksum: u32,
}

impl Position {
    /// Length of a position in the views, bytes.
    pub const LENGTH: usize = 44;

    /// Sequence of the first entry of its part of the log.
    pub fn part(&self) -> u64 {
        self.segment
    }

    /// The place of the leaf in that part, as messages about damage name it.
    pub fn offset(&self) -> u64 {
        self.leaf
    }

    /// Length of the sealed part, bytes.
    pub fn sealed_length(&self) -> u32 {
        self.sealed_length
    }

    /// A position of no log, for tests.
    #[cfg(test)]
    pub(crate) fn nowhere(sequence: u64) -> Self {
        Self {
            segment: 1,
            leaf: 2,
            leaf_length: 3,
            sealed: 4,
            sealed_length: 5,
            sequence,
            checksum: 7,
        }
    }

    /// For views.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(&self.leaf.to_le_bytes());
        bytes.extend_from_slice(&self.leaf_length.to_le_bytes());
        bytes.extend_from_slice(&self.sealed.to_le_bytes());
        bytes.extend_from_slice(&self.sealed_length.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// From a view.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let eight = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let four = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        (bytes.len() == Self::LENGTH).then_some(())?;
        Some(Self {
            segment: eight(0)?,
            leaf: eight(8)?,
            leaf_length: four(16)?,
            sealed: eight(20)?,
            sealed_length: four(28)?,
            sequence: eight(32)?,
            checksum: four(40)?,
        })
    }

    /// Splits a value of the views that ends with a position: the bytes before it, and the position.
    pub fn split_from(value: &[u8]) -> Option<(&[u8], Self)> {
        let (before, position) = value.split_at_checked(value.len().checked_sub(Self::LENGTH)?)?;
        Some((before, Self::decode(position)?))
    }
}

/// An entry that was appended.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The leaf's exact bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub leaf: Leaf,
    /// The sealed part, encrypted; empty if there is none.
    pub sealed: Bytes,
    /// Where it is.
    pub position: Position,
}

impl Entry {
    /// From bytes. Nothing if the leaf is not one.
    pub fn read(bytes: Vec<u8>, sealed: Bytes, position: Position) -> Option<Self> {
        let leaf = Leaf::read(&bytes)?;
        Some(Self {
            bytes,
            leaf,
            sealed,
            position,
        })
    }

    /// From bytes that were read at a position: they must be those that were written there, and of that
    /// ledger. Erasing the sealed part changes nothing of that.
    pub fn checked(
        bytes: Vec<u8>,
        sealed: Bytes,
        position: &Position,
        ledger: Uuid,
    ) -> Result<Self, &'static str> {
        if entry_checksum(&bytes, &sealed) != position.checksum {
            return Err("not the entry that was written at this position");
        }
        if !slot_is_whole(&sealed) {
            return Err("a sealed part with a damaged wrapped key");
        }
        let entry = Self::read(bytes, sealed, *position).ok_or("no leaf at this position")?;
        if entry.leaf.seq != position.sequence || entry.leaf.ledger != ledger {
            return Err("a leaf with another sequence, or of another ledger");
        }
        Ok(entry)
    }
}

/// Takes an entry and says what it changes in the views. A projector copies: it never computes, checks, or
/// reads a clock, so that a rebuild after an upgrade gives the same views.
pub trait Projector: Send + Sync {
    /// Adds what `entry` changes.
    fn project(&self, entry: &Entry, writes: &mut Writes);
}

/// Changes to the views: names and new values, nothing to remove a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes(pub Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Writes {
    /// Sets a value.
    pub fn set(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), Some(value.into())));
    }

    /// Removes a name.
    pub fn remove(&mut self, name: impl Into<Vec<u8>>) {
        self.0.push((name.into(), None));
    }
}

/// UUIDv7: 48 bits of milliseconds, then random bits (RFC 9562, section 5.7).
pub fn exchange_id(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
