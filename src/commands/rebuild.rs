//! `varco rebuild`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::clock::Clock;
use crate::gateway::node;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;

pub(super) fn run(data: &Path, clock: &Clock) -> Result<()> {
    let directory = Directory::open(data)?;
    let entries = super::runtime()?.block_on(node::rebuild(&directory, clock, Arc::new(RealDisk)))?;
    println!("viste rifatte da {entries} voci");
    Ok(())
}
