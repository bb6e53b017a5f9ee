//! Varco
pub mod clock;
pub mod contract;
pub mod isee;
pub mod ledger;
pub mod xml;
