//! `varco rebuild`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::gateway::node;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;

pub(super) fn run(data: &Path) -> Result<()> {
    let directory = Directory::open(data)?;
    let entries = node::rebuild(&directory, Arc::new(RealDisk))?;
    println!("viste rifatte da {entries} voci");
    Ok(())
}
