//! Records the look-ups of an operator before their results are shown: in the running gateway, or here if
//! none runs. A copy that was never in service records nothing, and the command says so.

use std::sync::Arc;

use anyhow::{Result, bail};

pub(super) use crate::registry::consultate::Consultazione;

use super::{socket, who};
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::node::{Node, NodeError};
use crate::ledger::disk::RealDisk;
use crate::ledger::{Directory, DirectoryError};
use crate::registry::consultate;

/// Records a look-up; the running gateway does, if there is one. Fails if a gateway holds the directory and
/// does not answer.
pub(super) fn record(directory: &Directory, cosa: Consultazione, clock: &Clock) -> Result<()> {
    super::uso::runtime()?.block_on(async {
        if socket::post::<_, u64>(&directory.socket(), "/consultate", &cosa, "")
            .await?
            .is_some()
        {
            return Ok(());
        }
        if !directory.views().exists() {
            unrecorded("questa è una copia che non è stata messa in servizio");
            return Ok(());
        }
        // Nothing is written to a directory of an earlier format: it is upgraded first.
        let directory = &Directory::open(directory.path())?;
        let node = match Node::open(directory, clock, Arc::new(RealDisk), SEGMENT_BYTES) {
            Ok(node) => node,
            Err(NodeError::Directory(error @ DirectoryError::Locked(_))) => {
                bail!("la porta in funzione non risponde: {error}")
            }
            Err(error) => {
                unrecorded(&error.to_string());
                return Ok(());
            }
        };
        let recorded = node.record_recovery().await;
        let done = consultate::record(&node.ledger, &cosa, &who::myself(), clock.now()).await;
        node.close();
        recorded?;
        done?;
        Ok(())
    })
}

fn unrecorded(why: &str) {
    eprintln!("attenzione: questa consultazione non viene registrata: {why}");
}
