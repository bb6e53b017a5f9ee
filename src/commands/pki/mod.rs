//! `varco pki`: certificates for demonstrations and test networks. Never for real use: a body has its
//! certificates from a qualified or recognised authority.
//!
//! [`demo()`] makes everything new and keeps no authority's key. `pki ca` and the other commands keep an
//! authority in a directory.

mod authority;
mod ca;
mod demo;

pub use authority::{Issued, TestAuthority, offset, params};
pub(super) use ca::{Args, OpzioniRilascio, authority, client, is_authority, organization, run, server};
pub use demo::{Demo, demo};
