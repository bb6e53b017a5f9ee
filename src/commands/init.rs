//! `varco init DIR`, or `--config FILE`: makes a data directory with new keys and an empty ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::clock::Clock;
use crate::config::{Config, SEGMENT_BYTES};
use crate::evidence::epoch;
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

/// A configuration with every key, its meaning and its default.
pub const MODELLO: &str = include_str!("modello.toml");

/// Writes a configuration for a data directory. A file that exists is left alone.
fn write(config: &Path, dir: &Path) -> Result<()> {
    use std::io::Write as _;
    let data = std::path::absolute(dir)?;
    let Some(data) = data.to_str().filter(|data| !data.contains(['"', '\\'])) else {
        bail!(
            "{}: il file di configurazione non può contenere questo nome",
            dir.display()
        );
    };
    let file = std::fs::File::create_new(config).with_context(|| config.display().to_string());
    file?.write_all(MODELLO.replace("@DATI@", data).as_bytes())?;
    Ok(())
}

/// Names the configuration written, and the files it still lacks.
fn say(config: &Path) {
    println!("Configurazione scritta: {}", config.display());
    println!(
        "Indicarvi certificati e liste di revoca, poi: varco check-config --config {}",
        config.display()
    );
    println!();
}

pub(super) fn run(given: Option<PathBuf>, config: Option<&Path>, anyhow: bool, clock: &Clock) -> Result<()> {
    let dir = match (&given, config) {
        (Some(_), Some(config)) if config.exists() => bail!(
            "{} c'è già: per usarlo, senza indicare la directory",
            config.display()
        ),
        // First the file: where it cannot be written, no directory is made.
        (Some(dir), Some(config)) => {
            write(config, dir)?;
            dir.clone()
        }
        (None, Some(config)) => of(config, anyhow, clock)?,
        (Some(dir), None) => dir.clone(),
        (None, None) => bail!("indicare la directory da creare, o --config"),
    };
    let written = config.filter(|_| given.is_some());
    let directory = create(&dir, clock).inspect_err(|_| {
        // Of a directory that was not made nothing is configured.
        let _ = written.map(std::fs::remove_file);
    })?;
    if let Some(config) = written {
        say(config);
    }
    println!("Directory dei dati pronta: {}", dir.display());
    println!("Registro {}", directory.ledger);
    if let Some(key) = epoch::verification(&directory.keys()) {
        println!(
            "Chiave con cui chiunque verifica quello che il registro prova: va con la PEC in ogni accreditamento,"
        );
        println!("  e sul sito dell'ente: {key}");
    }
    println!();
    println!(
        "IMPORTANTE: la chiave principale è in {}.",
        directory.keys().join("master.key").display()
    );
    println!(
        "Depositarne subito una copia in un luogo sicuro e separato: senza di essa i dati riservati del registro"
    );
    println!(
        "non potranno mai più essere letti. Le altre chiavi crescono: varco backup --chiavi, a ogni copia."
    );
    Ok(())
}
