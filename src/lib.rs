//! **Varco** is a porta di dominio for the ISEE: municipalities, CAF and universities call it over mutually
//! authenticated TLS to transmit DSU and retrieve ISEE; it knows every ente's accreditation, and can prove
//! every exchange it ever answered.
//!
//! # Three ideas
//!
//! 1. **The ledger is the truth; everything else is a view.** Every exchange, every change to the registry,
//!    every administrative act is an entry of an append-only record ([`ledger`], specified in
//!    `docs/ledger.md`). Registry, archive and indexes are made from it, at any time ([`state`],
//!    `varco rebuild`).
//! 2. **No data, and no verdict about an ente, leaves before it is recorded.** A reply needs a
//!    [`ledger::Receipt`], and only the committer makes one.
//! 3. **The contract is the code.** The files under `wsdl/` are served and validate messages; the types
//!    mirror them ([`contract`]).
//!
//! # The way of one exchange
//!
//! [`gateway::exchange`] is that way, on one page: `Peer` (TLS) to `Caller` (ente of a certificate valid
//! now) to bytes to `Call` (SOAP) to `Admission` (may call this) to typed request (schema) to `Permit`
//! (purpose) to `Prepared` (a service's work) to `Receipt` (durable) to the reply. Each is a type: no step
//! can be skipped.
//!
//! # The rooms
//!
//! Imports go strictly downwards; a test reads every one.
//!
//! | floor | room | contents |
//! |---|---|---|
//! | 8 | [`commands`] | one file a subcommand |
//! | 7 | [`gateway`] | listener, connection, exchange, faults, admin socket, the list of projectors |
//! | 6 | [`services`] | one file a port: from a typed request and a permit to a rendered reply |
//! | 5 | [`sii`] | the Sistema Informativo ISEE: the embedded one |
//! | 4 | [`evidence`] | checkpoints of the ledger, their key and its epochs, proofs for strangers |
//! | 4 | [`registry`] | enti, certificates, accreditation; from a certificate to a permit |
//! | 3 | [`contract`] | schemas, typed messages, the catalogue of operations |
//! | 3 | [`state`] | the views |
//! | 2 | [`isee`] | the pure domain: DSU, checks, rules, computation, attestation |
//! | 2 | [`ledger`] | the record |
//! | 2 | [`soap`] | envelopes of 1.1 and 1.2, packages of MTOM |
//! | 2 | [`tls`] | the channel |
//! | 1 | [`config`] | `varco.toml`: all settings, with their defaults |
//! | 1 | [`xml`], [`log`] | XML read, judged and written; the log |
//! | 0 | [`clock`], [`refusal`], [`digest`], [`progress`], [`italian`], [`json`], [`binary`] | ground floor |
//!
//! A new operation is a row in [`contract::catalogue`], a schema and a WSDL in `wsdl/`, its messages bound in
//! [`contract`], a function of [`services`]. A new refusal is a line in one of the tables printed by
//! [`commands::errori`]. A new kind of entry has its owner's `entries.rs`, and a projector in the list of
//! [`gateway::node`].

pub mod binary;
pub mod clock;
#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands speak to people"
)]
pub mod commands;
pub mod config;
pub mod contract;
pub mod digest;
pub mod evidence;
pub mod gateway;
pub mod isee;
pub mod italian;
pub mod json;
pub mod ledger;
pub mod log;
pub mod progress;
pub mod refusal;
pub mod registry;
pub mod services;
pub mod sii;
pub mod soap;
pub mod state;
pub mod tls;
pub mod xml;
