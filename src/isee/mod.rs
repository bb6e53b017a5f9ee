//! The pure domain: what a DSU is, which checks it must pass, how the ISEE is computed from it, what is
//! attested.
//!
//! No I/O, no XML, no clock: every function is given the day and the feed. Amounts are decimals; rules are
//! data, chosen by the day of presentation ([`rules`]). Sources: DPCM 5 December 2013 n. 159 and what changed
//! it, cited at each rule.
//!
//! - [`dsu`] and [`foglio`]: the declaration as it is laid out; [`attestazione`] and [`indicatori`]: what
//!   comes back.
//! - [`checks`]: completezza e correttezza formale, but for what the schema or the archive knows.
//! - [`compute`]: every indicator, line by line; [`attest`]: the attestation made of them;
//!   [`prospetto`]: the statement for people; [`righe`]: the same lines as JSON.
//! - [`valori`]: the values that the law lists; `lettura`: declarations as they were laid out; [`age()`]: how
//!   old a person is.
//! - [`operazioni`]: what a declaration becomes by another that refers to it.
//! - [`omissioni`]: what the Agency knows and the DSU does not say.
//! - [`feed`]: what the Revenue Agency and INPS know of a person; [`calendar`]: Italian working days.

mod age;
pub mod attest;
pub mod attestazione;
pub mod calendar;
pub mod checks;
pub mod codes;
pub mod codice_fiscale;
mod complete;
pub mod compute;
pub mod dsu;
pub mod feed;
pub mod foglio;
pub mod indicatori;
mod lettura;
pub mod money;
pub mod omissioni;
pub mod operazioni;
pub mod prospetto;
pub mod righe;
pub mod rules;
pub mod valori;

pub use age::age;
pub use codice_fiscale::CodiceFiscale;
