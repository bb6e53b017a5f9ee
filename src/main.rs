//! The binary: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use varco::commands::{Cli, misused, run};

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => misused(&error),
    }
}
