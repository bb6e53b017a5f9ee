//! The binary: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser as _;
use varco::commands::{Cli, misused, run};

/// Of the binary alone, not of the library. Its threads give free memory back to the system after a second
/// (`.cargo/config.toml`).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => misused(&error),
    }
}
