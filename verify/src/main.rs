//! `varco-verify`: checks a proof, two checkpoints, or the ledger of a data directory.

use std::io::Write as _;
use std::process::ExitCode;

use varco_verify::said::{Answer, answer};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let Answer { text, status } = answer(&arguments);
    // Nobody is there to be told that nobody reads.
    let _ = match status {
        0 => std::io::stdout().write_all(text.as_bytes()),
        _ => std::io::stderr().write_all(text.as_bytes()),
    };
    ExitCode::from(status)
}
