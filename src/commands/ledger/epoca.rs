//! `varco ledger epoca`: ends the present epoch, in the running gateway or here.

use std::sync::Arc;

use anyhow::{Result, bail};

use super::super::socket;
use super::super::who::myself;
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::node::{Decision, Node};
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;

/// `varco ledger epoca`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// La chiave di firma è, o può essere, in altre mani
    #[arg(long, required = true)]
    chiave_compromessa: bool,
    /// Perché: resta nella parte riservata della voce
    #[arg(long)]
    motivo: String,
}

pub(super) fn run(directory: &Directory, args: Args, clock: &Clock) -> Result<()> {
    if !args.chiave_compromessa || args.motivo.trim().is_empty() {
        bail!("indicare --chiave-compromessa, e il motivo (--motivo)");
    }
    let key = super::super::uso::runtime()?.block_on(async {
        let there = socket::post::<_, String>(&directory.socket(), "/epoca", (), &args.motivo).await?;
        if let Some(key) = there {
            return Ok::<_, anyhow::Error>(key);
        }
        let directory = Directory::open(directory.path())?;
        let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
        let decision = Decision {
            actor: myself(),
            reason: args.motivo,
        };
        let done = match node.record_recovery().await {
            Ok(()) => node.end_epoch(&decision).await,
            Err(error) => Err(error),
        };
        node.close();
        Ok(done?)
    })?;
    println!(
        "È cominciata un'epoca nuova, con un'altra chiave. Va comunicata a chi ha quella di prima, con la PEC:"
    );
    println!("{key}");
    Ok(())
}
