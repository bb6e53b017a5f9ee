//! The contract. The files under `wsdl/` are served and validate messages; the types mirror them.
//!
//! - [`catalogue`]: the operations and services, a row each.
//! - [`Contract`]: the compiled schemas; a body goes in, a typed [`Request`] or every [`Finding`] comes out.
//! - [`bind`]: one line for each element and attribute; decoding and encoding are made from it; `dsu`,
//!   `esiti`, [`consultazione`], [`pdd`], [`trasmissione`]: the lines; `answered`: the content of a
//!   consultation's reply, and every reply made of it; `emessa`: attestations as they are kept.
//! - `text`: typed values as text and back; `reading`: from a body to a typed request or to every finding, a
//!   lot to its parts.
//! - [`roots`]: every global element with its type; `bound`: one of them; [`prestazioni`]: the benefits, by
//!   name.
//! - [`wsdl`]: the files, served with the address of the request.

mod answered;
pub mod bind;
mod bound;
pub mod catalogue;
pub mod consultazione;
mod dsu;
mod emessa;
mod esiti;
pub mod pdd;
pub mod prestazioni;
#[cfg(test)]
pub mod prova;
mod reading;
mod regole;
pub mod roots;
mod text;
pub mod trasmissione;
pub mod wsdl;

#[cfg(test)]
mod binding_tests;

pub use answered::Answered;
pub use emessa::{Unread, attestazione_emessa, attestazione_letta, esito_attestazione_di, persone_di};
pub use reading::{
    Contract, Finding, Findings, LotPart, MAX_LOT, Request, Trasmessa, persons, place, place_declaration,
};
pub use regole::SchemaRule;
pub use text::{
    ISEE_NS, RICEVUTA_NS, decode, esiti_text, esito_attestazione, esito_dichiarazione, indicatore, message,
};
