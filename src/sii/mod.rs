//! The Sistema Informativo ISEE: who answers what a DSU was worth.
//!
//! One trait a capability: [`Consultation`] reads what was attested, [`Reception`] receives declarations,
//! [`Upkeep`] keeps what was received in order. Each question has its own method, so its answer has its own
//! type ([`answers`]). A [`Step`] is an answer, or a question that must leave the process first.
//!
//! [`embedded`] answers from this ledger: it has all three capabilities. A remote SII fits behind the first
//! two, and its questions are [`Ask`]s. [`Settings`] are the operator's choices, [`protocol`] is the form of
//! the protocols.

pub mod answers;
mod capability;
pub mod embedded;
pub mod facts;
mod occasion;
pub mod protocol;
mod settings;
mod step;
pub mod upkeep;

pub use capability::{Consultation, Reception, Search};
pub use occasion::{LONG, Lost, MANY, Occasion, Returned, SiiError};
pub use settings::Settings;
pub use step::{Ask, Asking, Carrier, Carrying, Said, Step};
pub use upkeep::Upkeep;
