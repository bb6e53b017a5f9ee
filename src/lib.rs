//! Varco
pub mod clock;
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "commands speak to people")]
pub mod commands;
pub mod config;
pub mod contract;
pub mod digest;
pub mod gateway;
pub mod isee;
pub mod ledger;
pub mod refusal;
pub mod registry;
pub mod services;
pub mod sii;
pub mod soap;
pub mod state;
pub mod tls;
pub mod xml;
