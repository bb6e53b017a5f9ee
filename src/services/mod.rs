//! The ports: from a typed request and a permit to a draft, in which the reply is rendered already.
//!
//! One file a port: [`consultazione`], [`trasmissione`], and [`lotto`] for many DSU at once; [`esiti`] is the
//! table of what is not OK, [`tentativi`] how many protocols an ente may name in vain; [`entries`] is what
//! stands in the ledger around a question for another system. [`perform()`] calls the service of an
//! operation. What a service returns is a [`Prepared`]: bytes of the reply, what the entry of the exchange
//! says of it, the entries of the SII, and what must hold. `riserva` holds the places of keys in use. Nothing
//! of it leaves before the ledger has it.

pub mod consultazione;
pub mod entries;
pub mod esiti;
pub mod facts;
pub mod lotto;
mod perform;
mod prepared;
#[cfg(test)]
mod prova;
mod riserva;
pub mod tentativi;
pub mod trasmissione;

pub use perform::perform;
pub use prepared::{Asked, NotPrepared, Note, Prepared, Services};
