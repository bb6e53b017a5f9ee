//! Varco
pub mod clock;
pub mod contract;
pub mod isee;
pub mod xml;
