//! Finding entries: by time, ente, operation, outcome, kind, tokens.
//!
//! A closed part of the log has one immutable index file beside it (`SEQUENCE.idx`), made at the first search
//! and again whenever missing or damaged. The open part is read. An index holds hashes of the terms in its
//! part, nothing else. A log in memory has none.

use std::collections::{BTreeSet, VecDeque};

use uuid::Uuid;

use super::disk::replace;
use super::leaf::{Body, Entry, ID_RICHIESTA, Kind, TokenKey, Tokens};
use super::log::{LogError, Part, Parts, Reader};
use crate::digest::sha256;

const MAGIC: &[u8; 8] = b"\x8dVARCOI\x04";

/// Extension of the index files, each beside its closed part.
const EXTENSION: &str = "idx";

/// The conditions of a search. An entry must meet all those given.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Recorded at or after this instant, RFC 3339 in UTC.
    pub from: Option<String>,
    /// Recorded before this instant, RFC 3339 in UTC.
    pub to: Option<String>,
    /// Code of the ente.
    pub ente: Option<String>,
    /// Operation of the contract, or command.
    pub operation: Option<String>,
    /// The Esito answered, `FAULT`, or `OK`.
    pub outcome: Option<String>,
    /// Kind of the entries.
    pub kind: Option<Kind>,
    /// Tokens of a codice fiscale, one for each token key: any of them.
    pub cf: Vec<(TokenKey, String)>,
    /// Tokens of a protocol, one for each token key: any of them.
    pub protocol: Vec<(TokenKey, String)>,
    /// Tokens of an operator, one for each token key: any of them.
    pub operator: Vec<(TokenKey, String)>,
    /// Id of the exchange, shared by its entries.
    pub exchange: Option<Uuid>,
    /// IdRichiesta of the reply.
    pub id_richiesta: Option<i64>,
}

/// The result of a search in a possibly damaged ledger.
#[derive(Debug, Default)]
pub struct Matches {
    /// The last matching entries, in order.
    pub entries: Vec<Entry>,
    /// Number of all matching entries.
    pub total: usize,
    /// Unreadable places: they were not searched.
    pub skipped: Vec<LogError>,
}

impl Filter {
    /// Whether an entry meets the conditions.
    pub fn matches(&self, entry: &Entry) -> bool {
        let body = &entry.leaf.body;
        let same = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let (own, operators) = (body.tokens.as_ref().map(Tokens::key), body.operator_key());
        let named = |wanted: &[(TokenKey, String)], by: Option<TokenKey>, of: fn(&Tokens) -> &[String]| {
            let tokens = body.tokens.as_ref();
            wanted.is_empty()
                || tokens.is_some_and(|tokens| {
                    wanted
                        .iter()
                        .any(|(key, token)| by == Some(*key) && of(tokens).contains(token))
                })
        };
        self.from.as_ref().is_none_or(|from| entry.leaf.recorded >= *from)
            && self.to.as_ref().is_none_or(|to| entry.leaf.recorded < *to)
            && same(&self.ente, &body.ente)
            && same(&self.operation, &body.operation)
            && same(&self.outcome, &body.outcome)
            && self.kind.is_none_or(|kind| kind == body.kind)
            && named(&self.cf, own, |tokens| &tokens.cf)
            && named(&self.protocol, own, |tokens| &tokens.protocol)
            && named(&self.operator, operators, |tokens| tokens.operator.as_slice())
            && self.exchange.is_none_or(|exchange| exchange == body.exchange)
            && self.id_richiesta.is_none_or(|id| id_richiesta(body) == Some(id))
    }

    /// Groups of terms. An entry must have one term of each group.
    fn terms(&self) -> Vec<Vec<[u8; 16]>> {
        let mut groups = Vec::new();
        let mut single = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                groups.push(vec![term(name, value)]);
            }
        };
        single("ente", &self.ente);
        single("operation", &self.operation);
        single("outcome", &self.outcome);
        if let Some(kind) = self.kind {
            groups.push(vec![term("kind", kind.name())]);
        }
        if let Some(exchange) = self.exchange {
            groups.push(vec![term("exchange", &exchange.to_string())]);
        }
        if let Some(id) = self.id_richiesta {
            groups.push(vec![term("id_richiesta", &id.to_string())]);
        }
        for (name, wanted) in [
            ("cf", &self.cf),
            ("protocol", &self.protocol),
            ("operator", &self.operator),
        ] {
            if !wanted.is_empty() {
                groups.push(
                    wanted
                        .iter()
                        .map(|(key, token)| term(name, &format!("{key}:{token}")))
                        .collect(),
                );
            }
        }
        groups
    }
}

/// The last `limit` matching entries, in order.
pub fn find(reader: &dyn Reader, filter: &Filter, limit: usize) -> Result<Vec<Entry>, LogError> {
    let terms = filter.terms();
    let mut found = VecDeque::new();
    let parts = reader.parts()?;
    for part in parts.list() {
        if !may_hold(parts.as_ref(), &part, &terms)? {
            continue;
        }
        for entry in parts.entries(&part)? {
            if filter.matches(&entry) {
                if found.len() == limit {
                    found.pop_front();
                }
                found.push_back(entry);
            }
        }
    }
    Ok(found.into())
}

/// The same in a possibly damaged ledger. It searches the whole batches and names the others.
pub fn search(reader: &dyn Reader, filter: &Filter, limit: usize) -> Result<Matches, LogError> {
    let terms = filter.terms();
    let (parts, skipped) = reader.found_parts()?;
    let (mut entries, mut found) = (
        VecDeque::new(),
        Matches {
            skipped,
            ..Matches::default()
        },
    );
    for part in parts.list() {
        if may_hold(parts.as_ref(), &part, &terms).is_ok_and(|may| !may) {
            continue;
        }
        let (whole, damage) = parts.salvage(&part);
        found.skipped.extend(damage);
        for entry in whole.into_iter().filter(|entry| filter.matches(entry)) {
            found.total += 1;
            if entries.len() == limit {
                entries.pop_front();
            }
            entries.push_back(entry);
        }
    }
    found.entries = entries.into();
    Ok(found)
}

/// One entry of a possibly damaged ledger, and the unreadable places of its part.
pub fn entry(reader: &dyn Reader, sequence: u64) -> Result<(Option<Entry>, Vec<LogError>), LogError> {
    let (parts, mut skipped) = reader.found_parts()?;
    let list = parts.list();
    let Some(part) = list.iter().rev().find(|part| part.first <= sequence) else {
        return Ok((None, skipped));
    };
    let (entries, damage) = parts.salvage(part);
    skipped.extend(damage);
    Ok((
        entries.into_iter().find(|entry| entry.leaf.seq == sequence),
        skipped,
    ))
}

fn id_richiesta(body: &Body) -> Option<i64> {
    body.get(ID_RICHIESTA)?.as_i64()
}

/// Whether a part may have entries for all groups of terms: the index of a closed part decides.
fn may_hold(parts: &dyn Parts, part: &Part, groups: &[Vec<[u8; 16]>]) -> Result<bool, LogError> {
    let Some(path) = parts.beside(part, EXTENSION).filter(|_| !groups.is_empty()) else {
        return Ok(true);
    };
    let index = match std::fs::read(&path).ok().and_then(|bytes| decode(&bytes)) {
        Some(index) => index,
        None => {
            let index: BTreeSet<_> = parts.entries(part)?.iter().flat_map(terms_of).collect();
            // A read-only directory, such as a backup on other media, is searched without the file.
            let _ = replace(&path, &encode(&index));
            index
        }
    };
    Ok(groups
        .iter()
        .all(|group| group.iter().any(|term| index.contains(term))))
}

fn encode(index: &BTreeSet<[u8; 16]>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    index.iter().for_each(|term| bytes.extend_from_slice(term));
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<BTreeSet<[u8; 16]>> {
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    (crc32c::crc32c(content).to_le_bytes() == checksum).then_some(())?;
    let terms = content.strip_prefix(MAGIC)?;
    terms.len().is_multiple_of(16).then_some(())?;
    Some(
        terms
            .chunks_exact(16)
            .filter_map(|term| term.try_into().ok())
            .collect(),
    )
}

fn terms_of(entry: &Entry) -> Vec<[u8; 16]> {
    let body = &entry.leaf.body;
    let mut terms = vec![term("kind", body.kind.name())];
    for (name, value) in [
        ("ente", &body.ente),
        ("operation", &body.operation),
        ("outcome", &body.outcome),
    ] {
        terms.extend(value.as_ref().map(|value| term(name, value)));
    }
    if let Some(tokens) = &body.tokens {
        let (key, operators) = (tokens.key(), body.operator_key().unwrap_or_default());
        for (name, key, own) in [
            ("cf", key, &tokens.cf[..]),
            ("protocol", key, &tokens.protocol),
            ("operator", operators, tokens.operator.as_slice()),
        ] {
            terms.extend(own.iter().map(|token| term(name, &format!("{key}:{token}"))));
        }
    }
    terms.push(term("exchange", &body.exchange.to_string()));
    terms.extend(id_richiesta(body).map(|id| term("id_richiesta", &id.to_string())));
    terms
}

fn term(name: &str, value: &str) -> [u8; 16] {
    let mut term = [0; 16];
    term.copy_from_slice(&sha256(format!("{name}\0{value}").as_bytes())[..16]);
    term
}
