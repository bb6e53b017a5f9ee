//! Kills, power cuts, floods, slow clients, scanners, and work counted in instructions: minutes, alone on the
//! machine. Only the full run has them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod flood;
mod kill9;
mod powercut;
mod scanners;
mod slow;
mod stranger;
mod work;
