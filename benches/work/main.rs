//! Work counted in instructions: the steps of a handshake and of a document, one by one, under callgrind.
//! `tests/hard/work.rs` runs this and holds the counts; `just work` prints them.
//!
//! ```sh
//! work GROUP NAME      # does the named work of a group once
//! work GROUP --list    # prints the names, in the order in which they are run
//! work GROUP --all     # does all of them: callgrind writes one dump for each
//! ```
//!
//! Callgrind counts inside [`counted_step`] alone and writes a dump each time [`dumped_case`] returns: what a
//! case prepares and what it checks afterwards does not count.

#![allow(missing_docs, unreachable_pub, reason = "a program")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the work must be there"
)]

mod documents;
mod handshake;
mod sample;
mod told;

use std::process::ExitCode;

/// One piece of work: its name, and what makes it. Making it prepares; calling what it made is what counts.
pub(crate) struct Case {
    /// Its name, without blanks.
    pub(crate) name: String,
    /// Prepares it.
    pub(crate) prepare: Box<dyn Fn() -> Work>,
}

/// Prepared work.
pub(crate) type Work = Box<dyn FnMut()>;

/// A group: its name, and what makes its cases.
type Group = (&'static str, fn() -> Vec<Case>);

/// The groups there are.
const GROUPS: [Group; 7] = [
    ("sample", sample::cases),
    ("documents", documents::cases),
    ("documents-full", documents::full),
    ("told", told::cases),
    ("history", told::history),
    ("serving", told::serving),
    ("handshake", handshake::cases),
];

/// The function in which callgrind counts, by its name.
#[inline(never)]
fn counted_step(work: &mut dyn FnMut()) {
    work();
    // Not the last call, which could become a jump: callgrind must see this function return.
    std::hint::black_box(());
}

/// The function after which callgrind writes a dump, by its name. Callgrind takes one option for a name, so
/// counting has a function of its own.
#[inline(never)]
fn dumped_case(work: &mut dyn FnMut()) {
    counted_step(work);
    std::hint::black_box(());
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [group, which] = arguments.as_slice() else {
        return usage();
    };
    let Some((_, cases)) = GROUPS.iter().find(|(name, _)| name == group) else {
        return usage();
    };
    let cases = cases();
    match which.as_str() {
        "--list" => cases.iter().for_each(|case| println!("{}", case.name)),
        "--all" => cases.iter().for_each(run),
        name => match cases.iter().find(|case| case.name == name) {
            Some(case) => run(case),
            None => return usage(),
        },
    }
    ExitCode::SUCCESS
}

fn run(case: &Case) {
    let mut work = (case.prepare)();
    dumped_case(&mut *work);
}

fn usage() -> ExitCode {
    let groups: Vec<&str> = GROUPS.iter().map(|(name, _)| *name).collect();
    println!("usage: work {{{}}} {{NAME|--list|--all}}", groups.join("|"));
    ExitCode::from(2)
}
