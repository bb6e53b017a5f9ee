//! `varco rebuild`: makes the views anew from the ledger.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::avanzamento::{Avanzamento, Lavoro};
use super::dove::Indicata;
use super::who::myself;
use crate::clock::Clock;
use crate::gateway::node::{self, Decision};
use crate::italian::quanti;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;
use crate::ledger::segments::Loss;

/// `varco rebuild`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    dove: Indicata,
    /// Continua con le voci intere anche se le ultime del registro mancano; la perdita viene registrata
    #[arg(long, requires = "motivo")]
    accetta_perdita: bool,
    /// Perché la perdita viene accettata
    #[arg(long, requires = "accetta_perdita")]
    motivo: Option<String>,
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let accepted = match args.motivo {
        Some(motivo) if motivo.trim().is_empty() => bail!("indicare il motivo (--motivo)"),
        Some(reason) => Some(Decision {
            actor: myself(),
            reason,
        }),
        None => None,
    };
    // It changes a directory: the operator must name it.
    rebuild(&args.dove.data()?, accepted.as_ref(), clock)
}

fn rebuild(data: &Path, accepted: Option<&Decision>, clock: &Clock) -> Result<()> {
    let directory = Directory::open(data)?;
    let shown = Avanzamento::of(Lavoro {
        nome: "viste rifatte dal registro",
        passi: "voci",
        totale: directory.extent(Loss::Accepted).map(|extent| extent.head).ok(),
    });
    let remade =
        super::uso::runtime()?.block_on(node::rebuild(&directory, clock, Arc::new(RealDisk), accepted))?;
    drop(shown);
    println!("viste rifatte da {}", quanti(remade.entries, "voce", "voci"));
    match remade.lost {
        Some((head, until)) => {
            println!(
                "perdita registrata: l'ultima voce intera è la {head}; mancano quelle fino alla {until} almeno"
            );
            println!("numeri e protocolli ripartono molto oltre: nessuno viene dato due volte");
        }
        None if accepted.is_some() => println!("nessuna perdita: al registro non manca nulla"),
        None => {}
    }
    Ok(())
}
