//! The embedded SII: receives DSU, attests at once, answers from the archive.
//!
//! - [`Embedded`] is in `system`, what it can do in `capabilities`; `find` answers consultations, `receive`
//!   receives declarations.
//! - `incoming` is a declaration on its way into the ledger. `versions` receives those that refer to an
//!   earlier one: `base` decides whether they may, `current` makes current ISEE. `waiting` attests what
//!   waited, `rules` applies rules that have changed, `feed` loads the feed and finds its records.
//! - `compute` computes indicators from all their sources, `record` makes the entries, `receipt` the
//!   receipts, `serial` the protocols.
//! - [`entries`] is the form of the entries in the ledger and of their views (`seen`: as these are read),
//!   `archive` finds them again.
//! - `status` tells the fate of a DSU or a lot, [`uses`] counts the exchanges that gave a DSU away.

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
