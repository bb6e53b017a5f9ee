//! The tests of every day, a module a subject: nothing from the system's packages, no more than seconds each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod ambiguities;
mod architecture;
mod chains;
mod channel;
mod commands;
mod crl;
mod dsu;
mod errori;
mod evidence;
mod families;
mod faults;
mod identities;
mod indicators;
mod isee;
mod ledger;
mod malicious;
mod manuale;
mod operations;
mod pki;
mod port;
mod prova;
mod refusals;
mod registry;
mod running;
mod told;
mod upgrade;
mod uscite;
mod versions;
mod views;
