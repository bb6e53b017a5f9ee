//! The steps of long work: counted where they are made, shown by the commands.
//!
//! One count for the process, because a process carries out one command. A gateway counts too, and shows
//! nothing.

use std::sync::atomic::{AtomicU64, Ordering};

static DONE: AtomicU64 = AtomicU64::new(0);

/// Counts steps made: entries, bytes or attestations, as the command that shows them knows.
pub fn made(steps: u64) {
    DONE.fetch_add(steps, Ordering::Relaxed);
}

/// Steps made so far.
pub fn so_far() -> u64 {
    DONE.load(Ordering::Relaxed)
}
