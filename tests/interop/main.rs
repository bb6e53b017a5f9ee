//! What we did not write, against the real binary: clients, validators, responders, the cases of NIST. Only
//! the full run has them: they need the tools that `tests/install full` puts there, and without one of them
//! they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![allow(unreachable_pub, reason = "modules of a test binary")]

mod clients;
mod deploy;
mod dozen;
mod ocsp;
mod pkits;
mod release;
mod tlog;
mod validator;
