//! Entries of kind `registry`. Their facts: `ente`, the whole record after the change; `taken`, keys of
//! certificates now the ente's; `freed`, keys of certificates now nobody's. The operation is the change; the
//! actor is a fact, the reason is sealed.

use super::ente::Ente;
use crate::ledger::{Entry, Fact, Kind, Projector, Writes};
use crate::registry::facts::{ENTE, FREED, TAKEN};

/// The name of an ente in preconditions.
pub fn ente_key(code: &str) -> String {
    ["ente/", code].concat()
}

/// The name of a certificate, by its key, in preconditions: one certificate, one ente.
pub fn certificate_key(key: &str) -> String {
    ["certificato/", key].concat()
}

/// The name of an ente in the views.
pub fn ente_name(code: &str) -> Vec<u8> {
    ["r/ente/", code].concat().into_bytes()
}

/// The name of a certificate, by its key, in the views.
pub fn certificate_name(key: &str) -> Vec<u8> {
    ["r/certificato/", key].concat().into_bytes()
}

/// Copies enti and the keys of their certificates into the views.
#[derive(Clone, Copy, Debug)]
pub struct RegistryProjector;

impl Projector for RegistryProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let facts = &entry.leaf.body.facts;
        let (Kind::Registry, Some(value)) = (entry.leaf.body.kind, facts.get(ENTE.name())) else {
            return;
        };
        let Ok(ente) = serde_json::from_value::<Ente>(value.clone()) else {
            return;
        };
        let keys = |fact: Fact| {
            facts
                .get(fact.name())
                .and_then(|keys| keys.as_array())
                .into_iter()
                .flatten()
                .filter_map(|key| key.as_str())
        };
        for freed in keys(FREED) {
            writes.remove(certificate_name(freed));
        }
        for taken in keys(TAKEN) {
            writes.set(certificate_name(taken), ente.codice.as_bytes());
        }
        writes.set(ente_name(&ente.codice), value.to_string());
    }
}
