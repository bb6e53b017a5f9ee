//! The ports: from a typed request and a permit to a draft with its reply already rendered.
//!
//! One file a port: [`consultazione`], [`trasmissione`], and [`lotto`] for many DSU at once. [`esiti`] is the
//! table of outcomes other than OK. [`tentativi`] limits the protocols an ente may name in vain; `riserva`
//! reserves such attempts for a request. [`entries`] is the ledger's side of a question to another system.
//! [`perform()`] calls the service of an operation. A service returns a [`Prepared`]: the bytes of the reply,
//! the note for the entry of the exchange, the entries of the SII, and the preconditions. Nothing of it
//! leaves before the ledger has it.

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
