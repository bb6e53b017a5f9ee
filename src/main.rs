//! The binary: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use varco::commands::{Cli, run};

fn main() -> ExitCode {
    run(Cli::parse())
}
