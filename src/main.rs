//! The binary: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use varco::commands::{Cli, misused, run};

/// Of the binary alone: whoever uses the library has an allocator of their own. Its threads give back to the system what is free for ten seconds.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => misused(&error),
    }
}
