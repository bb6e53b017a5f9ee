//! Entries of kind `registry`: facts `ente` (the whole record after the change), `taken` and `freed` (pins that became the ente's, and that are nobody's any
//! more); operation is the change; the actor is a fact, the reason is sealed.

use super::ente::Ente;
use crate::ledger::{Entry, Kind, Projector, Writes};

/// The name of an ente in preconditions.
pub fn ente_key(code: &str) -> String {
    format!("ente/{code}")
}

/// The name of a certificate in preconditions: one pin, one ente.
pub fn certificate_key(sha256: &str) -> String {
    format!("certificato/{sha256}")
}

/// The name of an ente in the views.
pub fn ente_name(code: &str) -> Vec<u8> {
    format!("r/ente/{code}").into_bytes()
}

/// The name of a certificate in the views.
pub fn certificate_name(sha256: &str) -> Vec<u8> {
    format!("r/certificato/{sha256}").into_bytes()
}

/// Copies enti and pins.
#[derive(Clone, Copy, Debug)]
pub struct RegistryProjector;

impl Projector for RegistryProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let facts = &entry.leaf.body.facts;
        let (Kind::Registry, Some(value)) = (entry.leaf.body.kind, facts.get("ente")) else { return };
        let Ok(ente) = serde_json::from_value::<Ente>(value.clone()) else { return };
        let pins = |name: &str| facts.get(name).and_then(|pins| pins.as_array()).into_iter().flatten().filter_map(|pin| pin.as_str());
        for freed in pins("freed") {
            writes.remove(certificate_name(freed));
        }
        for taken in pins("taken") {
            writes.set(certificate_name(taken), ente.codice.as_bytes());
        }
        writes.set(ente_name(&ente.codice), value.to_string());
    }
}
