//! Entries of kinds `dsu`, `attestation` and `feed`, and how the views index them.
//!
//! - `dsu`: facts `impronta` (token of the fingerprint), `presentata`, `operazione` (N, A, I, S, C, R, X),
//!   `versione` (its number), `radice` (token of the first version's protocol), `base` (of a current ISEE:
//!   the same for the DSU under it); tokens: all persons in it, protocol and sender's protocol (a
//!   cancellation has the cancelled DSU's protocol); `attende` (it waits for an attestation), `attendeva`
//!   (sequence of a waiting declaration, no longer waiting after this entry); sealed: the declaration, the
//!   whole DSU after it, and the receipt.
//! - `dsu` of a lot, after those of its DSU: facts `lotto` (token of the SHA-256 of the request body with the
//!   lot), `accettate`, `rifiutate`; token: the flow's protocol; sealed, as receipt: the outcome of each DSU.
//! - facts of `dsu` for the views alone: `dichiarante` (token of the declarant), `di` (of a current ISEE: the
//!   owner of the DSU under it), `annulla` (the first protocol's tokens under every token key), `sotto` (the
//!   same for the DSU under a cancelled current ISEE) and `toglie` (attestations taken out of the views by a
//!   cancellation: see [`Toglie`]).
//! - `attestation`: facts `presentata`, `scadenza` (the days for finding it: of a current ISEE its own),
//!   `rilasciata`, `regole` and `regole_impronta`, `metodo` (the version of the method of computation; 1 if
//!   absent), `operazione`, `versione` and `radice` as above, `dichiarante` (token), `di` (the DSU's owner),
//!   `origine` (for a later version: sequence of the first version's entry), `base`, `attendeva`;
//!   tokens: the members of the nucleus, protocols as above; sealed: the attestation, the specific ISEE, and
//!   the feed's records used to compute them.
//! - `feed`: facts `righe`: for each token of a codice fiscale, the year of the record; sealed: the records.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::seen::{Presentata, Versione};
use crate::isee::codes::TipoOperazione;
use crate::json;
use crate::ledger::committer::TOKENS;
use crate::ledger::{Body, Entry, Fact, Kind, Position, Projector, Retention, TokenKey, Tokens, Writes};
use crate::sii::facts::{
    ANNULLA, ATTENDE, ATTENDEVA, BASE, DI, DICHIARANTE, IMPRONTA, LOTTO, OPERAZIONE, ORIGINE, PRESENTATA,
    RADICE, RIGHE, SCADENZA, SOTTO, TOGLIE, VERSIONE,
};

/// The name, in preconditions, of a person's attestations.
pub fn person_key(key: TokenKey, token: &str) -> String {
    ["cf/", &key.name(), "/", token].concat()
}

/// The name, in preconditions, of a protocol.
pub fn protocol_key(key: TokenKey, token: &str) -> String {
    ["protocollo/", &key.name(), "/", token].concat()
}

/// The name, in preconditions, of a sender's protocol of an ente.
pub fn sender_key(ente: &str, key: TokenKey, token: &str) -> String {
    ["mittente/", ente, "/", &key.name(), "/", token].concat()
}

/// A name in the views. The token comes first: all names of a token stand together, names of preconditions
/// too, and a DSU changes few pages.
fn of_token<const N: usize>(token: &str, rest: [&str; N]) -> Vec<u8> {
    let length = rest.iter().map(|part| part.len()).sum::<usize>();
    // Room for a sequence behind it.
    let mut name = Vec::with_capacity(TOKENS.len() + token.len() + 1 + length + 20);
    for part in [TOKENS, token, "/"].into_iter().chain(rest) {
        name.extend_from_slice(part.as_bytes());
    }
    name
}

/// The prefix, in the views, of a person's attestations.
pub fn person_name(key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["attestazioni/", &key.name(), "/"])
}

/// The prefix, in the views, of a person's attestations of one owner's DSU. The empty `ente` holds current
/// ISEE of an unknown owner: entries of earlier builds name the sender in the owner's place.
pub fn owned_name(key: TokenKey, token: &str, ente: &str) -> Vec<u8> {
    of_token(token, ["attestazioni/", &key.name(), "/", ente, "/"])
}

/// The name, in the views, of the right of a declarant to refer to a DSU: its value is the DSU's [`Diritto`].
pub fn right_name(key: TokenKey, radice: &str, dichiarante: &str) -> Vec<u8> {
    of_token(radice, ["di/", &key.name(), "/", dichiarante])
}

/// The name, in the views, of a person in a DSU.
pub fn named_name(key: TokenKey, radice: &str, person: &str) -> Vec<u8> {
    of_token(radice, ["persone/", &key.name(), "/", person])
}

/// The name, in the views, of a protocol: its attestation.
pub fn protocol_name(key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["protocollo/", &key.name()])
}

/// The name, in the views, of a sender's protocol of an ente: the DSU's entry.
pub fn sender_name(ente: &str, key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["mittente/", ente, "/", &key.name()])
}

/// The prefix, in the views, of a protocol's DSU of any ente.
pub fn any_dsu_name(key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["dsu/", &key.name(), "/"])
}

/// The name, in the views, of a protocol's DSU sent by an ente.
pub fn dsu_name(key: TokenKey, token: &str, ente: &str) -> Vec<u8> {
    of_token(token, ["dsu/", &key.name(), "/", ente])
}

/// The name, in preconditions, of a lot of an ente.
pub fn lot_key(ente: &str, key: TokenKey, token: &str) -> String {
    ["lotto/", ente, "/", &key.name(), "/", token].concat()
}

/// The name, in the views, of a lot of an ente, by the token of its fingerprint or of its protocol.
pub fn lot_name(ente: &str, key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["lotto/", ente, "/", &key.name()])
}

/// The prefix, in the views, of a sender's protocol of any ente: attestations.
pub fn any_sender_name(key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["mittenti/", &key.name(), "/"])
}

/// The prefix, in the views, of the versions of a DSU, by the token of its first version's protocol.
pub fn version_prefix(key: TokenKey, radice: &str) -> Vec<u8> {
    of_token(radice, ["versioni/", &key.name(), "/"])
}

/// Whether a name in the views is a version's.
pub fn is_version(name: &[u8]) -> bool {
    name.strip_prefix(TOKENS.as_bytes())
        .is_some_and(|rest| rest.split(|byte| *byte == b'/').nth(1) == Some(b"versioni"))
}

/// The prefix, in the views, of the current ISEE on a DSU.
pub fn current_prefix(key: TokenKey, radice: &str) -> Vec<u8> {
    of_token(radice, ["correnti/", &key.name(), "/"])
}

/// The name, in the views, of a current ISEE by the DSU under it: its latest version's head.
pub fn current_name(key: TokenKey, base: &str, radice: &str) -> Vec<u8> {
    [&current_prefix(key, base), radice.as_bytes()].concat()
}

/// The prefix, in the views, of the DSU of a declarant.
pub fn declarant_prefix(key: TokenKey, token: &str) -> Vec<u8> {
    of_token(token, ["dichiarante/", &key.name(), "/"])
}

/// The name, in preconditions, of the feed's records of a person.
pub fn feed_key(key: TokenKey, token: &str) -> String {
    ["feed/", &key.name(), "/", token].concat()
}

/// The name, in the views, of the feed's record of a person for a year.
pub fn feed_name(key: TokenKey, token: &str, anno: i16) -> Vec<u8> {
    of_token(token, ["feed/", &key.name(), "/", &anno.to_string()])
}

/// The prefix, in the views, of waiting DSU.
pub const WAITING: &[u8] = b"d/attesa/";

/// `prefix` and the sequence in 20 digits: entries stand in their order.
fn numbered(mut prefix: Vec<u8>, sequence: u64) -> Vec<u8> {
    let mut digits = String::with_capacity(20);
    json::number(&mut digits, sequence);
    prefix.extend(std::iter::repeat_n(b'0', 20 - digits.len().min(20)));
    prefix.extend_from_slice(digits.as_bytes());
    prefix
}

pub(super) fn sequence_of(name: &[u8]) -> Option<u64> {
    std::str::from_utf8(name.get(name.len().checked_sub(20)?..)?)
        .ok()?
        .parse()
        .ok()
}

/// A version as the views have it.
pub(super) fn read_version(name: &[u8], value: &[u8]) -> Option<Versione> {
    let (text, position) = Position::split_from(value)?;
    let mut words = std::str::from_utf8(text).ok()?.split_whitespace();
    Some(Versione {
        numero: words.next()?.parse().ok()?,
        operazione: TipoOperazione::from_code(words.next()?)?,
        ente: words.next()?.to_owned(),
        sequence: sequence_of(name)?,
        position,
    })
}

/// The sender and the owner of a DSU, both enti.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diritto {
    /// The sender of its first version.
    pub ente: String,
    /// The owner. For a current ISEE: the owner of the DSU under it. `None`: only this DSU tells.
    pub proprietario: Option<String>,
}

impl Diritto {
    fn encode(&self) -> Vec<u8> {
        format!(
            "{} {}",
            self.ente,
            self.proprietario.as_deref().unwrap_or_default()
        )
        .into_bytes()
    }

    /// Reads a value of the views. `None`: malformed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (ente, proprietario) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self {
            ente: ente.to_owned(),
            proprietario: Some(proprietario.to_owned()).filter(|ente| !ente.is_empty()),
        })
    }
}

/// The attestations taken out of the views by a cancellation: those of the DSU's members. No later look-up
/// meets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toglie {
    /// `key/token` of the members.
    pub cf: BTreeSet<String>,
    /// `key/ente/sequence` of the attestations; the ente as in [`owned_name`].
    pub voci: BTreeSet<String>,
}

impl Toglie {
    /// Longest list with room in a leaf, members and attestations together. An attestation without room stays
    /// in the views, where reading finds it cancelled.
    const MOST: usize = 150;

    /// Adds an attestation. `false`: no room.
    pub fn add(&mut self, attestation: &Entry) -> bool {
        let body = &attestation.leaf.body;
        let Some(tokens) = &body.tokens else { return true };
        let cf: Vec<String> = tokens
            .cf
            .iter()
            .map(|token| format!("{}/{token}", tokens.key()))
            .collect();
        let new = cf.iter().filter(|token| !self.cf.contains(*token)).count();
        if self.cf.len() + self.voci.len() + new >= Self::MOST {
            return false;
        }
        self.cf.extend(cf);
        self.voci.insert(format!(
            "{}/{}/{}",
            tokens.key(),
            owner(body).unwrap_or_default(),
            attestation.leaf.seq
        ));
        true
    }

    /// Whether it has no attestation.
    pub fn is_empty(&self) -> bool {
        self.voci.is_empty()
    }

    /// Removes the attestations, and the DSU with these first protocols from those of its declarant.
    fn project(&self, stems: &[(TokenKey, &str)], writes: &mut Writes) {
        for (key, person) in self.cf.iter().filter_map(|text| of_key(text)) {
            for (_, rest) in self
                .voci
                .iter()
                .filter_map(|text| of_key(text))
                .filter(|(of, _)| *of == key)
            {
                let Some((ente, Ok(sequence))) = rest
                    .split_once('/')
                    .map(|(ente, sequence)| (ente, sequence.parse()))
                else {
                    continue;
                };
                writes.remove(numbered(owned_name(key, person, ente), sequence));
            }
            for (_, radice) in stems.iter().filter(|(of, _)| *of == key) {
                writes.remove([&declarant_prefix(key, person), radice.as_bytes()].concat());
            }
        }
    }
}

/// Splits `key/rest`. `None`: malformed.
fn of_key(text: &str) -> Option<(TokenKey, &str)> {
    let (key, rest) = text.split_once('/')?;
    Some((key.parse().ok()?, rest))
}

/// The owner of an attestation's DSU, as far as its entry tells. Earlier builds recorded the sender of a
/// current ISEE as its owner: the sender's name tells nothing there.
fn owner(body: &Body) -> Option<&str> {
    let di = body.text(DI);
    match body.has(BASE) {
        true => di.filter(|di| body.ente.as_deref() != Some(di)),
        false => di.or(body.ente.as_deref()),
    }
}

/// A declarant's DSU as the views have it.
pub(super) fn read_presented(key: TokenKey, value: &[u8]) -> Option<Presentata> {
    let (text, position) = Position::split_from(value)?;
    let mut words = std::str::from_utf8(text).ok()?.split_whitespace();
    Some(Presentata {
        presentata: words.next()?.parse().ok()?,
        origine: words.next()?.parse().ok()?,
        key,
        radice: words.next()?.to_owned(),
        ente: words.next()?.to_owned(),
        position,
    })
}

/// The head of an attestation in the views: its validity, its place, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Sequence of the entry: among versions the later counts.
    pub sequence: u64,
    /// Sequence of the first version's entry: among DSU of one day the later counts.
    pub origine: u64,
    /// Day of presentation; for a current ISEE, its form's.
    pub presentata: Date,
    /// Last day of validity.
    pub scadenza: Date,
    /// The key of the tokens.
    pub key: TokenKey,
    /// Token of its first version's protocol.
    pub radice: String,
    /// For a current ISEE: token of the first protocol of the DSU under it.
    pub base: Option<String>,
    /// Token of the declarant.
    pub dichiarante: Option<String>,
    /// The owner of the DSU, as the entry tells. Of a current ISEE the DSU under it tells more.
    pub ente: Option<String>,
    /// Id of the entry's exchange.
    pub exchange: Uuid,
    /// The entry's place among those of its exchange.
    pub ordinal: u32,
    /// Position of its entry.
    pub position: Position,
}

/// A text behind its length, one byte; of a longer one, nothing.
fn put(bytes: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len()).unwrap_or_default();
    bytes.push(length);
    bytes.extend(text.bytes().take(length.into()));
}

/// Takes a text behind its length.
fn text_from<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked((*length).into())?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Takes so many bytes.
fn bytes_from<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

/// A day in four bytes.
fn day_bytes(day: Date) -> [u8; 4] {
    let [high, low] = day.year().to_be_bytes();
    [high, low, day.month().unsigned_abs(), day.day().unsigned_abs()]
}

fn day_of([high, low, month, day]: [u8; 4]) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(i16::from_be_bytes([high, low]), month, day).ok()
}

impl Head {
    /// Sequence of the declaration behind the first version of a current ISEE. The first version's
    /// attestation names no other origin, and stands right after this declaration.
    pub fn form(&self) -> u64 {
        if self.sequence == self.origine {
            self.origine.saturating_sub(1)
        } else {
            self.origine
        }
    }

    /// Writes it as a value of the views.
    pub fn encode(&self) -> Vec<u8> {
        let Self {
            sequence,
            origine,
            presentata,
            scadenza,
            key,
            radice,
            base,
            dichiarante,
            ente,
            exchange,
            ordinal,
            position,
        } = self;
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(origine.to_be_bytes());
        bytes.extend(day_bytes(*presentata));
        bytes.extend(day_bytes(*scadenza));
        bytes.extend(exchange.as_bytes());
        bytes.extend(ordinal.to_be_bytes());
        bytes.extend(key.year.to_be_bytes());
        bytes.push(key.class.map_or(0, Retention::code));
        for text in [Some(radice), base.as_ref(), dichiarante.as_ref(), ente.as_ref()] {
            put(&mut bytes, text.map(String::as_str).unwrap_or_default());
        }
        bytes.extend(position.encode());
        bytes
    }

    /// Reads a value of the views. `None`: malformed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut from, position) = Position::split_from(bytes)?;
        let from = &mut from;
        let optional = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let head = Self {
            sequence: u64::from_be_bytes(bytes_from(from)?),
            origine: u64::from_be_bytes(bytes_from(from)?),
            presentata: day_of(bytes_from(from)?)?,
            scadenza: day_of(bytes_from(from)?)?,
            exchange: Uuid::from_bytes(bytes_from(from)?),
            ordinal: u32::from_be_bytes(bytes_from(from)?),
            key: TokenKey {
                year: i16::from_be_bytes(bytes_from(from)?),
                class: match bytes_from::<1>(from)? {
                    [0] => None,
                    [code] => Some(Retention::from_code(code)?),
                },
            },
            radice: text_from(from)?.to_owned(),
            base: optional(text_from(from)?),
            dichiarante: optional(text_from(from)?),
            ente: optional(text_from(from)?),
            position,
        };
        from.is_empty().then_some(head)
    }
}

/// Indexes DSU, attestations and feeds by tokens.
#[derive(Clone, Copy, Debug)]
pub struct SiiProjector;

impl Projector for SiiProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let body = &entry.leaf.body;
        let Some(tokens) = &body.tokens else { return };
        if let Some(sequence) = body.number(ATTENDEVA) {
            writes.remove(numbered(WAITING.to_vec(), sequence));
        }
        match body.kind {
            Kind::Dsu => match body.text(IMPRONTA) {
                Some(impronta) => declaration(entry, tokens, impronta, writes),
                None => lot(entry, tokens, writes),
            },
            Kind::Attestation => attestation(entry, tokens, writes),
            Kind::Feed => feed(entry, tokens, writes),
            _ => {}
        }
    }
}

/// Texts, then a position: a value of the views.
fn placed(text: std::fmt::Arguments<'_>, position: Position) -> Vec<u8> {
    let mut value = text.to_string().into_bytes();
    value.extend(position.encode());
    value
}

/// Indexes a received declaration.
fn declaration(entry: &Entry, tokens: &Tokens, impronta: &str, writes: &mut Writes) {
    let (body, key) = (&entry.leaf.body, tokens.key());
    let (Some(ente), Some(protocol)) = (&body.ente, tokens.protocol.first()) else {
        return;
    };
    if let Some(sender) = tokens.protocol.get(1) {
        writes.set(
            sender_name(ente, key, sender),
            placed(format_args!("{impronta} "), entry.position),
        );
    }
    let operazione = body.text(OPERAZIONE).unwrap_or("N");
    let numero = body.number(VERSIONE).unwrap_or(0);
    let radice = body.text(RADICE).unwrap_or(protocol);
    let version = placed(format_args!("{numero} {operazione} {ente} "), entry.position);
    // A cancellation has no protocol of its own: the cancelled DSU keeps its place.
    if operazione == "X" {
        cancellation(entry, &version, writes);
    } else {
        writes.set(dsu_name(key, protocol, ente), entry.position.encode());
        for person in &tokens.cf {
            writes.set(named_name(key, radice, person), Vec::new());
        }
    }
    writes.set(numbered(version_prefix(key, radice), entry.leaf.seq), version);
    if body.get(ATTENDE).and_then(serde_json::Value::as_bool) == Some(true) {
        writes.set(
            numbered(WAITING.to_vec(), entry.leaf.seq),
            entry.position.encode(),
        );
    }
    // Earlier builds did not name the declarant: the first codice fiscale in a declaration is the
    // declarant's.
    let dichiarante = body.text(DICHIARANTE).or(tokens.cf.first().map(String::as_str));
    if let (0, Some(dichiarante)) = (numero, dichiarante.filter(|_| operazione != "X")) {
        let proprietario = if body.has(BASE) {
            body.text(DI)
        } else {
            Some(ente.as_str())
        };
        let right = Diritto {
            ente: ente.clone(),
            proprietario: proprietario.map(str::to_owned),
        };
        writes.set(right_name(key, radice, dichiarante), right.encode());
    }
}

/// A cancellation ends the versions recorded under the key of any year.
fn cancellation(entry: &Entry, version: &[u8], writes: &mut Writes) {
    let body = &entry.leaf.body;
    let list = |fact: Fact| -> Vec<(TokenKey, &str)> {
        let listed = body.get(fact).and_then(|stems| stems.as_array());
        listed
            .into_iter()
            .flatten()
            .filter_map(|stem| of_key(stem.as_str()?))
            .collect()
    };
    let stems = list(ANNULLA);
    for (key, radice) in &stems {
        writes.set(
            numbered(version_prefix(*key, radice), entry.leaf.seq),
            version.to_vec(),
        );
        for (_, base) in list(SOTTO).iter().filter(|(of, _)| of == key) {
            writes.remove(current_name(*key, base, radice));
        }
    }
    let toglie = body
        .get(TOGLIE)
        .and_then(|toglie| Toglie::deserialize(toglie).ok());
    if let Some(toglie) = toglie {
        toglie.project(&stems, writes);
    }
}

/// Indexes the outcome of a lot.
fn lot(entry: &Entry, tokens: &Tokens, writes: &mut Writes) {
    let body = &entry.leaf.body;
    let (Some(ente), Some(lot)) = (&body.ente, body.text(LOTTO)) else {
        return;
    };
    for token in tokens.protocol.iter().map(String::as_str).chain([lot]) {
        writes.set(lot_name(ente, tokens.key(), token), entry.position.encode());
    }
}

/// Indexes an attestation by persons, declarant and protocols.
fn attestation(entry: &Entry, tokens: &Tokens, writes: &mut Writes) {
    let (body, key, sequence) = (&entry.leaf.body, tokens.key(), entry.leaf.seq);
    let (Some(presentata), Some(scadenza)) = (body.day(PRESENTATA), body.day(SCADENZA)) else {
        return;
    };
    let Some(protocol) = tokens.protocol.first() else {
        return;
    };
    let origine = body.number(ORIGINE).unwrap_or(sequence);
    let (radice, base, dichiarante) = (
        body.text(RADICE).unwrap_or(protocol),
        body.text(BASE),
        body.text(DICHIARANTE),
    );
    let head = Head {
        sequence,
        origine,
        presentata,
        scadenza,
        key,
        radice: radice.to_owned(),
        base: base.map(str::to_owned),
        dichiarante: dichiarante.map(str::to_owned),
        ente: body.text(DI).or(body.ente.as_deref()).map(str::to_owned),
        exchange: body.exchange,
        ordinal: u32::try_from(body.ordinal()).unwrap_or(u32::MAX),
        position: entry.position,
    }
    .encode();
    let owner = owner(body);
    for person in &tokens.cf {
        writes.set(
            numbered(owned_name(key, person, owner.unwrap_or_default()), sequence),
            head.clone(),
        );
        writes.set(named_name(key, radice, person), Vec::new());
    }
    match (dichiarante, base, owner) {
        // Every DSU, by its first attestation or any later one. It is its owner's from its first version on,
        // even after another ente completed it.
        (Some(dichiarante), None, Some(owner)) => {
            let right = Diritto {
                ente: owner.to_owned(),
                proprietario: Some(owner.to_owned()),
            };
            writes.set(right_name(key, radice, dichiarante), right.encode());
            let name = [&declarant_prefix(key, dichiarante), radice.as_bytes()].concat();
            writes.set(
                name,
                placed(
                    format_args!("{presentata} {origine} {radice} {owner} "),
                    entry.position,
                ),
            );
        }
        // A current ISEE, by its latest version.
        (_, Some(base), _) => writes.set(current_name(key, base, radice), head.clone()),
        _ => {}
    }
    writes.set(protocol_name(key, protocol), head.clone());
    if let Some(sender) = tokens.protocol.get(1) {
        writes.set(numbered(any_sender_name(key, sender), sequence), head);
    }
}

/// Indexes a load of the feed.
fn feed(entry: &Entry, tokens: &Tokens, writes: &mut Writes) {
    let years = entry.leaf.body.get(RIGHE).and_then(|lines| lines.as_array());
    for (index, (person, anno)) in tokens.cf.iter().zip(years.into_iter().flatten()).enumerate() {
        let Some(anno) = anno.as_i64().and_then(|anno| i16::try_from(anno).ok()) else {
            continue;
        };
        let mut value = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        value.extend(entry.position.encode());
        writes.set(feed_name(tokens.key(), person, anno), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Leaf;
    use crate::ledger::committer::version_name;

    /// One key for all classes, as in format 1.1.
    const OF_2026: TokenKey = TokenKey {
        year: 2026,
        class: None,
    };

    #[test]
    fn a_cancellation_ends_what_was_recorded_under_any_years_key() {
        let mut body = Body::new(
            Kind::Dsu,
            Retention::Dsu,
            Uuid::nil(),
            jiff::Timestamp::UNIX_EPOCH,
        )
        .fact(IMPRONTA, "i")
        .fact(OPERAZIONE, "X")
        .fact(RADICE, "new")
        .fact(ANNULLA, vec!["2025/old".to_owned(), "2026/new".to_owned()]);
        body.ente = Some("caf".to_owned());
        body.tokens = Some(Tokens {
            year: 2026,
            protocol: vec!["new".to_owned()],
            ..Tokens::default()
        });
        let position = Position::nowhere(6);
        let leaf = Leaf {
            v: 1,
            ledger: Uuid::nil(),
            seq: 7,
            recorded: String::new(),
            body,
        };
        let mut writes = Writes::default();
        SiiProjector.project(
            &Entry {
                bytes: Vec::new(),
                leaf,
                sealed: bytes::Bytes::new(),
                position,
            },
            &mut writes,
        );
        for (year, token) in [(2025, "old"), (2026, "new")] {
            let name = numbered(version_prefix(TokenKey { year, class: None }, token), 7);
            let value = writes
                .0
                .iter()
                .rev()
                .find(|(written, _)| *written == name)
                .and_then(|(_, value)| value.as_deref());
            assert_eq!(
                read_version(&name, value.unwrap()).unwrap().operazione,
                TipoOperazione::X,
                "{year}"
            );
        }
    }

    #[test]
    fn a_cancellation_takes_its_attestations_out_of_every_list_of_a_person() {
        let entry = |kind, seq, facts: &[(Fact, &str)]| {
            let mut body = Body::new(kind, Retention::Dsu, Uuid::nil(), jiff::Timestamp::UNIX_EPOCH);
            body = facts
                .iter()
                .fold(body, |body, (fact, value)| body.fact(*fact, *value));
            body.ente = Some("caf".to_owned());
            let cf = vec!["madre".to_owned(), "figlia".to_owned()];
            body.tokens = Some(Tokens {
                year: 2026,
                cf,
                protocol: vec!["primo".to_owned()],
                ..Tokens::default()
            });
            let position = Position::nowhere(seq);
            let leaf = Leaf {
                v: 1,
                ledger: Uuid::nil(),
                seq,
                recorded: String::new(),
                body,
            };
            Entry {
                bytes: Vec::new(),
                leaf,
                sealed: bytes::Bytes::new(),
                position,
            }
        };
        let days = [
            (PRESENTATA, "2026-02-01"),
            (SCADENZA, "2026-12-31"),
            (RADICE, "primo"),
            (DICHIARANTE, "madre"),
        ];
        let attestation = entry(Kind::Attestation, 7, &days);
        let mut listed = Writes::default();
        SiiProjector.project(&attestation, &mut listed);
        let mut toglie = Toglie::default();
        assert!(toglie.add(&attestation));
        let mut cancellation = entry(
            Kind::Dsu,
            9,
            &[(IMPRONTA, "i"), (OPERAZIONE, "X"), (RADICE, "primo")],
        );
        cancellation.leaf.body = cancellation
            .leaf
            .body
            .fact(ANNULLA, vec!["2026/primo".to_owned()])
            .fact(TOGLIE, &toglie);
        let mut ended = Writes::default();
        SiiProjector.project(&cancellation, &mut ended);
        let lists = ["madre", "figlia"]
            .map(|person| person_name(OF_2026, person))
            .into_iter()
            .chain([declarant_prefix(OF_2026, "madre")]);
        for list in lists {
            let names: Vec<_> = listed
                .0
                .iter()
                .map(|(name, _)| name)
                .filter(|name| name.starts_with(&list))
                .collect();
            assert_eq!(names.len(), 1, "{}", String::from_utf8_lossy(&list));
            assert!(
                ended.0.contains(&(names[0].clone(), None)),
                "{} stays",
                String::from_utf8_lossy(names[0])
            );
        }
    }

    #[test]
    fn what_is_known_under_a_token_stands_together_and_versions_are_told_from_the_rest() {
        let token = "00ff";
        let versions = [
            version_name(&person_key(OF_2026, token)),
            version_name(&protocol_key(OF_2026, token)),
            version_name(&feed_key(OF_2026, token)),
        ];
        let others = [
            person_name(OF_2026, token),
            owned_name(OF_2026, token, "ente"),
            right_name(OF_2026, token, "01fe"),
            named_name(OF_2026, token, "01fe"),
            current_name(OF_2026, token, "01fe"),
            protocol_name(OF_2026, token),
            sender_name("ente", OF_2026, token),
            any_dsu_name(OF_2026, token),
            dsu_name(OF_2026, token, "ente"),
            lot_name("ente", OF_2026, token),
            any_sender_name(OF_2026, token),
            current_prefix(OF_2026, token),
            declarant_prefix(OF_2026, token),
            feed_name(OF_2026, token, 2024),
        ];
        let version = numbered(version_prefix(OF_2026, token), 7);
        assert!(is_version(&version));
        let mut all: Vec<_> = versions
            .into_iter()
            .chain(others)
            .inspect(|name| assert!(!is_version(name)))
            .chain([version])
            .collect();
        assert!(all.iter().all(|name| name.starts_with(b"t/00ff/")));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 18);
        // No two keys have one name.
        assert_ne!(version_name("a/b"), version_name("b/a"));
        assert_ne!(version_name("a"), version_name("/a"));
    }

    #[test]
    fn a_head_comes_back() {
        let position = Position::nowhere(6);
        let head = Head {
            sequence: 42,
            origine: 41,
            presentata: jiff::civil::date(2026, 2, 1),
            scadenza: jiff::civil::date(2026, 12, 31),
            key: TokenKey {
                year: 2026,
                class: Some(Retention::Dsu),
            },
            radice: "00ff".to_owned(),
            base: None,
            dichiarante: Some("01fe".to_owned()),
            ente: Some("caf".to_owned()),
            exchange: Uuid::from_u128(7),
            ordinal: 2,
            position,
        };
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        for length in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..length]), None, "{length}");
        }
    }
}
