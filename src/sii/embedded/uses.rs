//! The uses of a DSU: the fact in the entry of an exchange, and the terms counted by the index of uses.

use crate::contract::catalogue::Operation;
use crate::digest::unhex;
use crate::ledger::uses::CountedTerm;
use crate::ledger::{Body, Kind};
use crate::sii::facts::DIVULGA;

/// The terms of an entry in the index of uses: one for each DSU given away.
///
/// An exchange older than [`DIVULGA`] counts under all protocols named in it, if its operation gave data
/// away.
pub fn terms_of(body: &Body) -> Vec<CountedTerm> {
    if body.kind != Kind::Exchange {
        return Vec::new();
    }
    if let Some(disclosed) = body.get(DIVULGA) {
        let tokens = disclosed
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|token| token.as_str());
        return tokens.filter_map(stem_term).collect();
    }
    let gave = body.outcome.as_deref() == Some("OK")
        && body
            .operation
            .as_deref()
            .and_then(Operation::by_name)
            .is_some_and(Operation::discloses);
    let tokens = body
        .tokens
        .iter()
        .filter(|_| gave)
        .flat_map(|tokens| &tokens.protocol);
    tokens.filter_map(|token| version_term(token)).collect()
}

/// The term of a DSU, by the token of its first protocol.
pub fn stem_term(token: &str) -> Option<CountedTerm> {
    unhex(token)?.try_into().ok()
}

/// The term of a protocol named in an exchange older than [`DIVULGA`]. It differs from the term of a DSU with
/// the same token.
pub fn version_term(token: &str) -> Option<CountedTerm> {
    Some(stem_term(token)?.map(|byte| !byte))
}
