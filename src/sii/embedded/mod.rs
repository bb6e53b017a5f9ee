//! The embedded SII: receives DSU, attests at once, answers from the archive.
//!
//! - [`Embedded`] is in `system`, its capabilities in `capabilities`; `find` answers consultations, `receive`
//!   receives declarations.
//! - `incoming` is a declaration on its way into the ledger. `versions` receives declarations referring to an
//!   earlier one: `base` admits or refuses them, `current` makes current ISEE. `waiting` attests waiting DSU,
//!   `rules` applies changed rules, `feed` loads the feed and finds its records.
//! - `compute` computes indicators from all their sources, `record` makes the entries, `receipt` the
//!   receipts, `serial` the protocols.
//! - [`entries`] is the form of the entries in the ledger and of their views (`seen`: as these are read),
//!   `archive` finds them again.
//! - `status` tells the fate of a DSU or a lot, [`uses`] counts the exchanges with a DSU's data.

mod archive;
mod base;
mod capabilities;
mod compute;
mod current;
pub mod entries;
mod feed;
mod find;
mod incoming;
mod receipt;
mod receive;
mod record;
mod rules;
mod seen;
mod serial;
mod status;
mod system;
pub mod uses;
mod versions;
mod waiting;

pub use serial::SERIES;
pub use system::Embedded;
