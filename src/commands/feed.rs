//! `varco feed load FILE`: the whole file, or nothing and the list of its errors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Subcommand;

use super::avanzamento::{Avanzamento, Lavoro};
use super::dove::Dove;
use super::socket;
use super::uso::Uso;
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::admin::Caricato;
use crate::gateway::node::Node;
use crate::isee::feed::{FeedRecord, LineError, parse};
use crate::italian::quanti;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;
use crate::sii::upkeep::Act;

/// The most rows of one load: they are appended as one batch.
const LARGEST: usize = 20_000;

/// `varco feed`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Carica un file CSV: tutto, o niente con l'elenco di tutti gli errori
    Load {
        /// Il file
        file: PathBuf,
        #[command(flatten)]
        dove: Dove,
        /// Perché: resta nel registro
        #[arg(long)]
        motivo: String,
    },
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let What::Load { file, dove, motivo } = args.what;
    let text = std::fs::read_to_string(&file).map_err(|error| Uso::unread(&file, &error))?;
    let records = match parse(&text) {
        Ok(records) => records,
        Err(errors) => {
            for error in &errors {
                eprintln!("{}", line(&file, error));
            }
            let errors = quanti(errors.len(), "errore", "errori");
            bail!("{errors}: niente è stato caricato");
        }
    };
    if records.len() > LARGEST {
        bail!("più di {LARGEST} righe: dividere il file");
    }
    let shown = Avanzamento::of(Lavoro {
        nome: "caricamento dei dati",
        passi: "voci",
        totale: None,
    });
    let Caricato { voci, attestate } =
        super::uso::runtime()?.block_on(load(&dove.data()?, &records, &motivo, clock))?;
    drop(shown);
    let righe = quanti(records.len(), "riga caricata", "righe caricate");
    println!("{righe} in {} del registro", quanti(voci, "voce", "voci"));
    match attestate {
        Some(attested) => println!("DSU che lo aspettavano, ora attestate: {attested}"),
        None => println!("le DSU che lo aspettavano saranno attestate dalla porta, al suo avvio"),
    }
    Ok(())
}

/// An error on one line, in the form of compilers.
pub(super) fn line(file: &Path, error: &LineError) -> String {
    let column = error
        .column
        .map(|column| format!(", {column}"))
        .unwrap_or_default();
    format!("{}:{}{column}: {}", file.display(), error.line, error.text)
}

/// Loads into the ledger: in the running gateway, or here if none runs.
pub async fn load(data: &Path, records: &[FeedRecord], motivo: &str, clock: &Clock) -> Result<Caricato> {
    let directory = Directory::open(data)?;
    if let Some(loaded) = socket::post(&directory.socket(), "/feed", records, motivo).await? {
        return Ok(loaded);
    }
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = node.record_recovery().await;
    let act = Act {
        actor: &super::who::myself(),
        reason: motivo,
        now: clock.now(),
    };
    let done = node.upkeep.load_feed(records, act).await;
    node.close();
    recorded?;
    Ok(Caricato {
        voci: done?,
        attestate: None,
    })
}
