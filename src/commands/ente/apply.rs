//! Carries out commands on the registry: in the running gateway, or here if none runs.

use super::super::{socket, who};
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::node::Node;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;
use crate::registry::administration::{Command, perform_all};
use crate::registry::ente::Ente;
use anyhow::{Context as _, Result};
use std::path::Path;
use std::sync::Arc;

/// Carries out one command: in the running gateway, or here if none runs.
pub async fn apply(data: &Path, command: Command, motivo: &str, clock: &Clock) -> Result<Ente> {
    apply_all(data, vec![command], motivo, clock)
        .await?
        .pop()
        .context("nessun ente")
}

/// Carries out many commands, all or none.
pub async fn apply_all(
    data: &Path,
    commands: Vec<Command>,
    motivo: &str,
    clock: &Clock,
) -> Result<Vec<Ente>> {
    let directory = Directory::open(data)?;
    if let Some(enti) = socket::post(&directory.socket(), "/enti", &commands, motivo).await? {
        return Ok(enti);
    }
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = node.record_recovery().await;
    let done = perform_all(
        &node.ledger,
        &node.registry,
        &commands,
        &who::myself(),
        motivo,
        clock.now(),
    )
    .await;
    node.close();
    recorded?;
    Ok(done?)
}

/// All enti, from the running gateway or from the data directory.
pub(in super::super) async fn enti(data: &Path, clock: &Clock) -> Result<Vec<Ente>> {
    let directory = Directory::open(data)?;
    if let Some(enti) = socket::get(&directory.socket(), "/enti").await? {
        return Ok(enti);
    }
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = node.record_recovery().await;
    let enti = node.registry.enti();
    node.close();
    recorded?;
    Ok(enti?)
}
