//! The Sistema Informativo ISEE: it answers questions about DSU and their ISEE.
//!
//! One trait per capability: [`Consultation`] reads attestations, [`Reception`] receives declarations,
//! [`Upkeep`] keeps the received DSU in order. Each question has its own method, so its answer has its own
//! type ([`answers`]). A [`Step`] is an answer, or a question to be sent to another system first.
//!
//! [`embedded`] answers from this ledger: it has all three capabilities. A remote SII fits behind the first
//! two, and its questions are [`Ask`]s. [`SiiSettings`] are the operator's choices, [`protocol`] is the form
//! of the protocols.

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
pub use settings::SiiSettings;
pub use step::{Ask, Asking, Carrier, Carrying, Said, Step};
pub use upkeep::Upkeep;
