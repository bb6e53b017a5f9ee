//! Leaves: their members before the append ([`Body`]), and the whole leaf read back ([`Leaf`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::LazyLock;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::batch::{ENTRY_HEADER, MAX_LEAF, entry_checksum, slot_is_whole};
use crate::clock::{day, rfc3339};
use crate::json::{self, Members};

/// Kind of an entry: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One request answered, refused or failed.
    Exchange,
    /// A question about to leave the process, for another system.
    Asked,
    /// The end of questions whose exchange has no entry: the process died, or nothing could be said.
    Interrupted,
    /// A DSU received, or, with the fact `lotto`, the outcome of a whole lot.
    Dsu,
    /// An attestation, and the rules behind it.
    Attestation,
    /// A feed loaded; its records are in the sealed part.
    Feed,
    /// The state of an ente after a change.
    Registry,
    /// Any other administrative act.
    Admin,
    /// Refusals, and replies taken by nobody, counted together for a minute.
    Gathered,
    /// Reserved: nothing writes it.
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
    /// This porta di dominio answered.
    Erogatore,
    /// This porta di dominio asked.
    Fruitore,
}

impl Role {
    /// Its name, as leaves have it.
    const fn name(self) -> &'static str {
        match self {
            Self::Erogatore => "erogatore",
            Self::Fruitore => "fruitore",
        }
    }
}

/// Retention class: how long an entry is kept, and, with ente and month, the class key of its sealed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Every class, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Consultazione, Self::Dsu, Self::Registro, Self::Sistema];

    /// The class of a code in the keyring. `None`: an unknown code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// Its name, as leaves have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consultazione => "consultazione",
            Self::Dsu => "dsu",
            Self::Registro => "registro",
            Self::Sistema => "sistema",
        }
    }

    /// The code of the class in the keyring, 1 to 4.
    pub fn code(self) -> u8 {
        match self {
            Self::Consultazione => 1,
            Self::Dsu => 2,
            Self::Registro => 3,
            Self::Sistema => 4,
        }
    }
}

/// The name of a token key: a year, and the retention class whose entries have its tokens. Pseudonyms die
/// with their class. Up to format 1.1 one key made the tokens of all classes.
///
/// As text, in names of the views and of preconditions: `2026-dsu`; `2026` for a key of format 1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenKey {
    /// The year, in Rome, in which the request was received.
    pub year: i16,
    /// `None`: of all classes.
    pub class: Option<Retention>,
}

impl TokenKey {
    /// The key for an entry of a class, by the instant of its request.
    pub fn of(at: Timestamp, class: Retention) -> Self {
        Self {
            year: day(at).year(),
            class: Some(class),
        }
    }
}

impl TokenKey {
    /// Its text.
    pub fn name(self) -> String {
        let mut name = String::with_capacity(24);
        match u64::try_from(self.year) {
            Ok(year) => json::number(&mut name, year),
            Err(_) => name.push_str(&self.year.to_string()),
        }
        if let Some(class) = self.class {
            name.push('-');
            name.push_str(class.name());
        }
        name
    }
}

/// The class of the key of operators' tokens, in exchanges of every class.
pub const OPERATORS: Retention = Retention::Consultazione;

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl FromStr for TokenKey {
    type Err = NoTokenKey;

    fn from_str(text: &str) -> Result<Self, NoTokenKey> {
        let (year, class) = match text.split_once('-') {
            Some((year, name)) => {
                let named = Retention::ALL.into_iter().find(|class| class.name() == name);
                (year, Some(named.ok_or(NoTokenKey)?))
            }
            None => (text, None),
        };
        let year = year.parse().map_err(|_| NoTokenKey)?;
        Ok(Self { year, class })
    }
}

/// A text that names no token key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("non è il nome di una chiave dei token")]
pub struct NoTokenKey;

/// Keyed tokens of one year and class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Year of the token key.
    pub year: i16,
    /// Class of the token key. `None`: one key for all, as up to format 1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Retention>,
    /// Tokens of codici fiscali.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cf: Vec<String>,
    /// Token of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Tokens of the protocols named by the entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocol: Vec<String>,
    /// Token of the client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Token of the ente's own number of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

impl Tokens {
    /// No tokens yet, of this key.
    pub fn under(key: TokenKey) -> Self {
        Self {
            year: key.year,
            class: key.class,
            ..Self::default()
        }
    }

    fn render(&self, out: &mut String) {
        let Self {
            year,
            class,
            cf,
            operator,
            protocol,
            address,
            application,
        } = self;
        let mut members = Members::begin(out);
        match u64::try_from(*year) {
            Ok(year) => members.number("year", year),
            Err(_) => json::value(members.name("year"), &(*year).into()),
        }
        members.optional("class", class.map(Retention::name));
        members.texts("cf", cf);
        members.optional("operator", operator.as_deref());
        members.texts("protocol", protocol);
        members.optional("address", address.as_deref());
        members.optional("application", application.as_deref());
        members.end();
    }

    /// The key that made them.
    pub fn key(&self) -> TokenKey {
        TokenKey {
            year: self.year,
            class: self.class,
        }
    }
}

/// Commitments of an entry, made with its random bytes; hexadecimal.
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

impl Commitments {
    fn render(&self, out: &mut String) {
        let Self {
            request,
            reply,
            sealed,
        } = self;
        let mut members = Members::begin(out);
        members.optional("request", request.as_deref());
        members.optional("reply", reply.as_deref());
        members.optional("sealed", sealed.as_deref());
        members.end();
    }
}

/// Writes an object of numbers.
fn numbers(out: &mut String, all: &[(&str, u64)]) {
    let mut members = Members::begin(out);
    all.iter()
        .for_each(|(name, number)| members.number(name, *number));
    members.end();
}

/// Sizes of bodies, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Size of the request's body.
    pub request: u64,
    /// Size of the reply's body.
    pub reply: u64,
}

/// Durations of an exchange, in microseconds.
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
    /// A fact with this name in leaves.
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
    /// The place of an entry among those of its exchange. The exchange's own entry has 0 and omits the fact.
    ORDINAL = "ordinal";
    /// IdRichiesta of the reply.
    ID_RICHIESTA = "id_richiesta";
    /// SHA-256 of the sealed part without its bytes 8 to 72, hexadecimal: the part may be erased, never
    /// exchanged. Entries up to format 1.1 lack it.
    SIGILLO = "sigillo";
}

/// The members of a leaf known before the append.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Instant of the request's first byte, or of the act's beginning.
    pub received: String,
    /// Kind of the entry: it decides the facts.
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
    /// Retention class: with ente and month it chooses the class key.
    pub retention: Retention,
    /// Keyed tokens, to find the entry without opening it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// Commitments to the two bodies and to the sealed part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commitments>,
    /// Sizes of the bodies, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Sizes>,
    /// Durations of the exchange, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<Micros>,
    /// TLS version of the connection: `1.2` or `1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// Names advanced by this entry: its sequence becomes their version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Further members of the kind, by the names of their [`Fact`]s.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl Body {
    /// A leaf of this kind, without optional members. It begins at `received`.
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

    /// Adds a fact. A value without a form in JSON would be left out; facts are plain structures.
    pub fn fact(mut self, fact: Fact, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.facts.insert(fact.name().to_owned(), value);
        }
        self
    }

    /// The value of a fact; None: the entry lacks it.
    pub fn get(&self, fact: Fact) -> Option<&serde_json::Value> {
        self.facts.get(fact.name())
    }

    /// Whether the entry has a fact.
    pub fn has(&self, fact: Fact) -> bool {
        self.facts.contains_key(fact.name())
    }

    /// The text of a fact; None: the fact is missing, or no text.
    pub fn text(&self, fact: Fact) -> Option<&str> {
        self.get(fact)?.as_str()
    }

    /// The number of a fact; None: the fact is missing, or no number.
    pub fn number(&self, fact: Fact) -> Option<u64> {
        self.get(fact)?.as_u64()
    }

    /// Whether a fact is `true`.
    pub fn is(&self, fact: Fact) -> bool {
        self.get(fact).and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// The day of a fact; None: the fact is missing, or no day.
    pub fn day(&self, fact: Fact) -> Option<Date> {
        self.text(fact)?.parse().ok()
    }

    /// Its members as a leaf has them, compact, in the order of the fields, without the opening brace: what
    /// the committer stamps stands before.
    fn render(&self) -> String {
        let Self {
            received,
            kind,
            role,
            exchange,
            ente,
            cert,
            operation,
            outcome,
            refusal,
            retention,
            tokens,
            commit,
            sizes,
            micros,
            tls,
            keys,
            facts,
        } = self;
        // Most leaves are shorter.
        let mut out = String::with_capacity(1536);
        let mut members = Members::after(&mut out, false);
        members.text("received", received);
        members.plain("kind", kind.name());
        members.optional("role", role.map(Role::name));
        members.text(
            "exchange",
            exchange.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
        );
        members.optional("ente", ente.as_deref());
        members.optional("cert", cert.as_deref());
        members.optional("operation", operation.as_deref());
        members.optional("outcome", outcome.as_deref());
        members.optional("refusal", refusal.as_deref());
        members.plain("retention", retention.name());
        if let Some(tokens) = tokens {
            tokens.render(members.name("tokens"));
        }
        if let Some(commit) = commit {
            commit.render(members.name("commit"));
        }
        if let Some(Sizes { request, reply }) = sizes {
            numbers(members.name("sizes"), &[("request", *request), ("reply", *reply)]);
        }
        if let Some(Micros { head, body, work }) = micros {
            let all = [("head", *head), ("body", *body), ("work", *work)];
            numbers(members.name("micros"), &all);
        }
        members.optional("tls", tls.as_deref());
        members.texts("keys", keys);
        if !facts.is_empty() {
            let mut members = Members::begin(members.name("facts"));
            for (name, value) in facts {
                // Names of facts need no escape: each is one of a `Fact`.
                json::value(members.name(name), value);
            }
            members.end();
        }
        members.end();
        out
    }

    /// The key of its operator's token. Operators of exchanges have that of consultations, whatever the class
    /// of the entry: quotas count an operator once. None: it has no tokens.
    pub fn operator_key(&self) -> Option<TokenKey> {
        let key = self.tokens.as_ref()?.key();
        let one_for_all = self.kind == Kind::Exchange && key.class.is_some();
        Some(TokenKey {
            class: if one_for_all { Some(OPERATORS) } else { key.class },
            ..key
        })
    }

    /// The place of the entry among those of its exchange; 0 for the exchange's own entry.
    pub fn ordinal(&self) -> u64 {
        self.number(ORDINAL).unwrap_or(0)
    }
}

/// A leaf, read back from its bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leaf {
    /// Version of the leaf's form: 1.
    pub v: u8,
    /// Id of the ledger.
    pub ledger: Uuid,
    /// Sequence in the ledger: from 1, without gaps.
    pub seq: u64,
    /// When it was appended.
    pub recorded: String,
    /// The members known before the append.
    #[serde(flatten)]
    pub body: Body,
}

/// A text borrowed from the bytes of a leaf; copied only if it holds an escape.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// The part of a leaf read to count many leaves: members of [`Leaf`], [`Body`] and [`Tokens`], under their
/// names. The rest is skipped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Glance<'a> {
    /// Sequence in the ledger: from 1, without gaps.
    pub seq: u64,
    /// When it was appended.
    #[serde(borrow)]
    pub recorded: Text<'a>,
    /// First byte of the request, or when the act began.
    #[serde(borrow)]
    pub received: Text<'a>,
    /// Kind of the entry, as in [`Body`].
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
    /// Tokens of codici fiscali and operator.
    #[serde(borrow)]
    pub tokens: Option<GlanceTokens<'a>>,
    /// Durations of the exchange, in microseconds.
    pub micros: Option<Micros>,
    /// The facts of [`GlanceFacts`]; empty without them.
    #[serde(default)]
    pub facts: GlanceFacts,
}

/// The facts read by a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GlanceFacts {
    /// Of an exchange: failed attempts, by token.
    #[serde(default)]
    pub tentativi: BTreeMap<String, u32>,
}

/// The tokens read by a glance.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GlanceTokens<'a> {
    /// Tokens of codici fiscali.
    #[serde(borrow, default)]
    pub cf: Vec<Text<'a>>,
    /// Token of the operator.
    #[serde(borrow)]
    pub operator: Option<Text<'a>>,
}

impl<'a> Glance<'a> {
    /// Reads the bytes of a leaf; None: they are no leaf.
    pub fn read(leaf: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(leaf).ok()
    }
}

/// Upper bound of the bytes added to a leaf by the stamp.
const STAMP: usize = 200;

/// The members added to a leaf by the committer.
#[derive(Deserialize)]
struct Stamp<'a> {
    v: u8,
    ledger: Uuid,
    seq: u64,
    #[serde(borrow)]
    recorded: Cow<'a, str>,
}

impl Leaf {
    /// Reads the bytes of a leaf; None: they are no leaf. It makes two passes, each skipping the members of
    /// the other: `flatten` would keep every member twice.
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

/// An entry ready to be appended: rendered, sealed.
#[derive(Clone)]
pub struct Draft {
    /// The leaf's members after the stamped ones, without the opening brace.
    tail: String,
    body: Body,
    /// Shared with its batch, not copied: a DSU is tens of kilobytes.
    pub(super) sealed: Bytes,
}

/// A leaf too long for [`MAX_LEAF`] with its stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("la voce supera lo spazio di una foglia")]
pub struct LeafTooLong;

impl Draft {
    /// Renders a leaf, except for the members of the stamp.
    pub fn new(body: Body, sealed: impl Into<Bytes>) -> Result<Self, LeafTooLong> {
        let tail = body.render();
        if tail.len() + STAMP > MAX_LEAF {
            return Err(LeafTooLong);
        }
        Ok(Self {
            tail,
            body,
            sealed: sealed.into(),
        })
    }

    /// Upper bound of its bytes in a batch.
    pub(super) fn size(&self) -> usize {
        ENTRY_HEADER + STAMP + self.tail.len() + self.sealed.len()
    }

    /// The names advanced by it.
    pub(super) fn keys(&self) -> &[String] {
        &self.body.keys
    }

    /// The entry made of it: the same as one read back, but without reading.
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
        let mut leaf = String::with_capacity(STAMP + self.tail.len());
        leaf.push_str(&begin(ledger, seq));
        leaf.push_str("\"recorded\":\"");
        leaf.push_str(recorded);
        leaf.push_str("\",");
        leaf.push_str(&self.tail);
        leaf.into_bytes()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

/// The place of an entry, its sequence and a checksum. A reader compares them with the bytes found there: it
/// never takes another entry for this one.
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

    /// The place of the leaf in its part, as named in messages about damage.
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

    /// Its [`Position::LENGTH`] bytes, as kept in the views.
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

    /// Reads the bytes of [`Position::encode`]; None: their number is wrong.
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

    /// Splits a value of the views with a position at its end: the bytes before it, and the position.
    pub fn split_from(value: &[u8]) -> Option<(&[u8], Self)> {
        let (before, position) = value.split_at_checked(value.len().checked_sub(Self::LENGTH)?)?;
        Some((before, Self::decode(position)?))
    }
}

/// An appended entry: its leaf, its sealed part, its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The leaf's exact bytes.
    pub bytes: Vec<u8>,
    /// The leaf read from these bytes.
    pub leaf: Leaf,
    /// The sealed part, encrypted; empty if there is none.
    pub sealed: Bytes,
    /// Its place in the log.
    pub position: Position,
}

impl Entry {
    /// Reads an entry, without checking it against its position. None: `bytes` are no leaf.
    pub fn read(bytes: Vec<u8>, sealed: Bytes, position: Position) -> Option<Self> {
        let leaf = Leaf::read(&bytes)?;
        Some(Self {
            bytes,
            leaf,
            sealed,
            position,
        })
    }

    /// Reads an entry from the bytes found at a position. They must be the bytes written there, and of this
    /// ledger. An erased sealed part passes too.
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

/// The first bytes of every leaf.
fn begin(ledger: Uuid, sequence: u64) -> String {
    let mut begin = String::with_capacity(96);
    begin.push_str("{\"v\":1,\"ledger\":\"");
    begin.push_str(ledger.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    begin.push_str("\",\"seq\":");
    json::number(&mut begin, sequence);
    begin.push(',');
    begin
}

/// Checks the bytes found at a position as [`Entry::checked`] does, without reading the leaf: its first
/// members are written in one form alone.
pub(super) fn checked(
    leaf: &[u8],
    sealed: &[u8],
    position: &Position,
    ledger: Uuid,
) -> Result<(), &'static str> {
    if entry_checksum(leaf, sealed) != position.checksum {
        return Err("not the entry that was written at this position");
    }
    if !slot_is_whole(sealed) {
        return Err("a sealed part with a damaged wrapped key");
    }
    match leaf.starts_with(begin(ledger, position.sequence).as_bytes()) {
        true => Ok(()),
        false => Err("a leaf with another sequence, or of another ledger"),
    }
}

/// Whether a leaf has this commitment to its sealed part, by its bytes alone. No other member can be taken
/// for it: a commitment is the digest of random bytes.
pub(super) fn commits(leaf: &[u8], commitment: &str) -> bool {
    static NAME: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("\"sealed\":\""));
    let length = NAME.needle().len();
    let mut places = NAME.find_iter(leaf);
    places.any(|at| {
        let value = leaf.get(at + length..).unwrap_or_default();
        value.starts_with(commitment.as_bytes()) && value.get(commitment.len()) == Some(&b'"')
    })
}

/// Turns an entry into changes of the views. A projector copies: it never computes, checks, or reads a clock.
/// So a rebuild after an upgrade gives the same views.
pub trait Projector: Send + Sync {
    /// Adds the changes made by `entry`.
    fn project(&self, entry: &Entry, writes: &mut Writes);
}

/// Changes to the views: names and new values. None removes a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes(pub Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Writes {
    /// Sets the value of a name.
    pub fn set(&mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), Some(value.into())));
    }

    /// Removes a name and its value.
    pub fn remove(&mut self, name: impl Into<Vec<u8>>) {
        self.0.push((name.into(), None));
    }
}

/// UUIDv7: 48 bits of milliseconds, then random bits (RFC 9562, section 5.7).
pub fn exchange_id(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
