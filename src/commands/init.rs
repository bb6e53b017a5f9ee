//! `varco init DIR`, or `--config FILE`: makes a data directory with new keys and an empty ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::clock::Clock;
use crate::config::{Config, SEGMENT_BYTES};
use crate::gateway::node::Node;
use crate::gateway::settings::Settings;
use crate::ledger::disk::RealDisk;
use crate::ledger::{Directory, new_exchange};
use crate::sii;

/// Makes a data directory, and its first entry.
pub fn create(dir: &Path, clock: &Clock) -> Result<Directory> {
    let ledger = new_exchange(clock.now())?;
    let directory = Directory::create(dir, ledger)?;
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = super::uso::runtime()?.block_on(node.record_opening("init"));
    node.close();
    recorded?;
    Ok(directory)
}

/// The data directory of a configuration, if a gateway can start with it. Faults are refused, unless the
/// operator wants it `anyhow`.
fn of(config: &Path, anyhow: bool, clock: &Clock) -> Result<PathBuf> {
    let config = Config::read(config)?;
    let settings = Settings::build(&config, clock)?;
    sii::SiiSettings::configured(&config)?;
    let faults = settings.faults(clock.now());
    if !(faults.is_empty() || anyhow) {
        bail!("{}; con --comunque si prepara lo stesso", faults.join("; "));
    }
    faults.iter().for_each(|fault| eprintln!("attenzione: {fault}"));
    Ok(config.data)
}

pub(super) fn run(dir: Option<PathBuf>, config: Option<&Path>, anyhow: bool, clock: &Clock) -> Result<()> {
    let dir = match (dir, config) {
        (_, Some(config)) => of(config, anyhow, clock)?,
        (Some(dir), None) => dir,
        (None, None) => bail!("indicare la directory da creare, o --config"),
    };
    let directory = create(&dir, clock)?;
    println!("Directory dei dati pronta: {}", dir.display());
    println!("Registro {}", directory.ledger);
    println!();
    println!(
        "IMPORTANTE: la chiave principale è in {}.",
        directory.keys().join("master.key").display()
    );
    println!(
        "Depositarne subito una copia in un luogo sicuro e separato: senza di essa i dati riservati del registro"
    );
    println!("non potranno mai più essere letti. Le chiavi si salvano a parte (varco backup --keys).");
    Ok(())
}
