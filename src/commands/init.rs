//! `varco init DIR`.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::node::Node;
use crate::ledger::disk::RealDisk;
use crate::ledger::{Directory, new_exchange};

/// Makes a data directory, and its first entry.
pub fn create(dir: &Path, clock: &Clock) -> Result<Directory> {
    let ledger = new_exchange(clock.now())?;
    let directory = Directory::create(dir, ledger)?;
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = super::runtime()?.block_on(node.record_opening("init"));
    node.close();
    recorded?;
    Ok(directory)
}

pub(super) fn run(dir: &Path, clock: &Clock) -> Result<()> {
    let directory = create(dir, clock)?;
    println!("Directory dei dati pronta: {}", dir.display());
    println!("Registro {}", directory.ledger);
    println!();
    println!("IMPORTANTE: la chiave principale è in {}.", directory.keys().join("master.key").display());
    println!("Depositarne subito una copia in un luogo sicuro e separato: senza di essa i dati riservati del registro");
    println!("non potranno mai più essere letti. Le chiavi si salvano a parte (varco backup --keys).");
    Ok(())
}
