//! The pure domain: the DSU, its checks, the computation of the ISEE, the attestation.
//!
//! No I/O, no XML, no clock: the caller gives every function the day and the feed. Amounts are decimals.
//! Rules are data, chosen by the day of presentation ([`rules`]). Sources: DPCM 5 December 2013 n. 159 and
//! its amendments, cited at each rule.
//!
//! - [`dsu`] and [`foglio`]: the layout of the declaration; [`attestazione`] and [`indicatori`]: the layout
//!   of the reply.
//! - [`checks`]: completezza e correttezza formale, except the checks left to the schema or the archive.
//! - [`compute`]: every indicator, line by line; [`attest`]: the attestation made of them;
//!   [`prospetto`]: the statement for people; [`righe`]: the same lines as JSON.
//! - [`valori`]: the values listed by the law; `lettura`: reading declarations in their layout; [`age()`]: a
//!   person's age.
//! - [`operazioni`]: the effect of a declaration on the DSU referred to.
//! - [`omissioni`]: data known to the Agency and missing from the DSU.
//! - [`feed`]: a person's data from the Revenue Agency and INPS; [`calendar`]: Italian working days.

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
pub mod sintesi;
pub mod valori;

pub use age::age;
pub use codice_fiscale::CodiceFiscale;
