//! What the tests and the benchmarks are made of. Nothing of it is in the binary.
//!
//! - [`site`]: a gateway of the real binary, with a PKI and enti of its own; [`world`]: one with families in
//!   its archive; [`good`]: a good client's pace; [`asked`]: another system that is asked; [`engine`]: the
//!   services on either log;
//! - [`caseta`]: families, a change at a time; [`famiglia`]: the longest of them;
//! - [`generate`]: documents of the schemas; [`mutate`]: the same, spoilt; [`growing`]: the same, in growing
//!   sizes;
//! - [`chains`]: certificates of every make, and the judge of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![allow(
    clippy::new_without_default,
    clippy::should_implement_trait,
    reason = "a site is no default, a generator no iterator"
)]

pub mod asked;
pub mod caseta;
pub mod engine;
pub mod famiglia;
pub mod generate;
pub mod good;
pub mod growing;
pub mod mutate;
pub mod site;
pub mod world;

pub use site::*;

/// Certificates of every make, and the judge of them.
pub mod chains {
    pub mod der;
    pub mod judge;
    pub mod maker;
}
