//! `varco reload`, `varco status`, `varco check-config`: for the operators of a gateway.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::dove::Dove;
use super::socket;
use super::terminale::{Stile, Uscita, attenzione};
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::admin::Reload;
use crate::gateway::settings::{Reloaded, Settings};
use crate::gateway::status::Status;
use crate::italian::quanti;
use crate::ledger::{Directory, Keys};
use crate::sii;

pub(super) fn reload(dove: &Dove, comunque: bool, json: bool) -> Result<()> {
    let directory = Directory::open(&dove.data()?)?;
    let reloaded: Option<Reloaded> = super::uso::runtime()?.block_on(socket::post(
        &directory.socket(),
        "/reload",
        Reload { comunque },
        "",
    ))?;
    let reloaded = reloaded.context("nessuna porta in funzione su questa directory dei dati")?;
    if json {
        println!("{}", serde_json::to_string_pretty(&reloaded)?);
    } else {
        println!("configurazione riletta ({})", reloaded.configurazione);
    }
    Ok(())
}

pub(super) fn status(dove: &Dove, ready: bool, json: bool) -> Result<()> {
    let directory = Directory::open(&dove.data()?)?;
    let status: Option<Status> =
        super::uso::runtime()?.block_on(socket::get(&directory.socket(), "/status"))?;
    let status = status.context("nessuna porta in funzione su questa directory dei dati")?;
    if ready && !status.pronta {
        bail!(
            "la porta non è pronta: {}",
            if status.avvertenze.is_empty() {
                status.stato_registro
            } else {
                status.avvertenze.join("; ")
            }
        );
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    println!(
        "varco {} su https://{}, in funzione dal {}",
        status.versione, status.indirizzo, status.avviata
    );
    println!(
        "registro {}: {}, {}, {} in attesa",
        status.registro,
        status.stato_registro,
        quanti(status.voci, "voce", "voci"),
        status.in_attesa
    );
    if let Some(signed) = status.checkpoint {
        println!("ultimo checkpoint firmato: {}", quanti(signed, "voce", "voci"));
    }
    if let Some((ended, segments)) = status.riletti {
        println!("segmenti chiusi riletti: {segments}, l'ultima volta il {ended}");
    }
    let waiting = &status.dsu_in_attesa;
    println!("DSU in attesa del feed: {}", waiting.totale);
    waiting.prime.iter().for_each(|dsu| println!("  {dsu}"));
    if waiting.totale > waiting.prime.len() {
        println!("  e altre {}, più recenti", waiting.totale - waiting.prime.len());
    }
    let enti: Vec<String> = status
        .enti
        .iter()
        .map(|(stato, number)| format!("{number} {stato}"))
        .collect();
    println!(
        "enti: {}",
        if enti.is_empty() {
            "nessuno".to_owned()
        } else {
            enti.join(", ")
        }
    );
    for (name, expires) in &status.certificati {
        println!("certificato {name}: fino al {expires}");
    }
    if let Some(crl) = status.crl {
        println!("liste di revoca: fino al {crl}");
    }
    let attention = attenzione();
    for warning in &status.avvertenze {
        println!("{attention} {warning}");
    }
    Ok(())
}

/// The errors and warnings of a configuration and of the files named in it.
#[derive(Debug, Default, Serialize)]
struct CheckedConfig {
    errori: Vec<String>,
    avvertenze: Vec<String>,
}

pub(super) fn check(config: &Path, strict: bool, json: bool, clock: &Clock) -> Result<()> {
    let mut checked = CheckedConfig::default();
    // A missing file is no answer about its content.
    std::fs::metadata(config).with_context(|| config.display().to_string())?;
    match Config::read(config) {
        Err(error) => checked.errori.push(error.to_string()),
        Ok(config) => {
            match Settings::build(&config, clock) {
                Err(error) => checked.errori.push(error.to_string()),
                Ok(settings) => {
                    let faults = settings.faults(clock.now());
                    if strict {
                        &mut checked.errori
                    } else {
                        &mut checked.avvertenze
                    }
                    .extend(faults);
                    checked.avvertenze.extend(settings.notices(clock.now()));
                }
            }
            if let Err(error) = sii::SiiSettings::configured(&config) {
                checked.errori.push(error.to_string());
            }
            match Directory::open(&config.data)
                .map_err(anyhow::Error::from)
                .and_then(|directory| Ok(Keys::open(&directory.keys(), true)?))
            {
                Err(error) => checked.errori.push(format!("{}: {error}", config.data.display())),
                Ok(keys) => checked.avvertenze.extend(
                    keys.missing()
                        .iter()
                        .map(|key| format!("chiave di classe illeggibile: {key}")),
                ),
            }
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&checked)?);
    } else {
        let error = Uscita::Normale.styled(Stile::Errore, "errore:");
        let warning = attenzione();
        checked.errori.iter().for_each(|text| println!("{error} {text}"));
        checked
            .avvertenze
            .iter()
            .for_each(|text| println!("{warning} {text}"));
    }
    if checked.errori.is_empty() {
        if !json {
            let warned = match checked.avvertenze.len() {
                0 => "",
                _ => ", con le avvertenze di sopra",
            };
            println!("{}: la configurazione va bene{warned}", config.display());
        }
        Ok(())
    } else {
        bail!("la configurazione non va bene")
    }
}
