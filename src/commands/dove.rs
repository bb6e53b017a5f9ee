//! The place of the data directory and of the configuration: by the options, or found.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::uso::Uso;
use crate::config::Config;

/// Heading of the options that every command has, or every command of a kind.
pub(super) const GENERALI: &str = "Opzioni generali";

/// The configurations looked for when no option names one: first here, then where a package puts it.
const CONFIGURAZIONI: [&str; 2] = ["varco.toml", "/etc/varco/varco.toml"];
/// The data directory of trials, here.
const QUI: &str = "varco-data";

/// The first configuration that is there.
fn found() -> Option<PathBuf> {
    CONFIGURAZIONI
        .iter()
        .map(PathBuf::from)
        .find(|file| file.exists())
}

/// The option of a command that needs a configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Configurazione {
    /// Il file di configurazione [se manca: ./varco.toml, altrimenti /etc/varco/varco.toml]
    #[arg(long)]
    config: Option<PathBuf>,
}

impl Configurazione {
    /// `--config`, else the first configuration found.
    pub(super) fn file(self) -> PathBuf {
        self.config
            .or_else(found)
            .unwrap_or_else(|| CONFIGURAZIONI[0].into())
    }
}

/// Options of every command that works on a data directory.
#[derive(Debug, clap::Args)]
pub(super) struct Dove {
    /// La directory dei dati [se manca: quella di --config; altrimenti ./varco-data, se c'è]
    #[arg(long, global = true, help_heading = GENERALI)]
    data: Option<PathBuf>,
    /// Il file di configurazione che dice dov'è la directory dei dati [se manca: ./varco.toml, altrimenti
    /// /etc/varco/varco.toml]
    #[arg(long, global = true, help_heading = GENERALI)]
    config: Option<PathBuf>,
}

impl Dove {
    /// `--config`, else the first configuration found; none where `--data` alone is given.
    pub(super) fn configuration(&self) -> Option<PathBuf> {
        match (&self.data, &self.config) {
            (_, Some(config)) => Some(config.clone()),
            (Some(_), None) => None,
            (None, None) => found(),
        }
    }

    /// `--data`, else the directory of `--config`, else `varco-data`, else the directory of the first
    /// configuration found. Fails if the configuration cannot be read, or if nothing is found.
    pub(super) fn data(&self) -> Result<PathBuf> {
        match (&self.data, &self.config) {
            (Some(data), _) => Ok(data.clone()),
            (None, Some(config)) => Ok(Config::read(config)?.data),
            (None, None) if Path::new(QUI).exists() => Ok(QUI.into()),
            (None, None) => match found() {
                Some(config) => Ok(Config::read(&config)?.data),
                None => Err(Uso::of(format!(
                    "non si sa quale directory dei dati: indicare --data o --config (non ci sono ./{QUI}, ./{}, {})",
                    CONFIGURAZIONI[0], CONFIGURAZIONI[1]
                ))
                .into()),
            },
        }
    }
}

/// Options of a command that makes a data directory anew: one of them must name it, nothing is looked for.
#[derive(Debug, clap::Args)]
pub(super) struct Indicata {
    /// La directory dei dati: va indicata, qui o con --config
    #[arg(long, help_heading = GENERALI)]
    data: Option<PathBuf>,
    /// Il file di configurazione che dice dov'è la directory dei dati
    #[arg(long, help_heading = GENERALI)]
    config: Option<PathBuf>,
}

impl Indicata {
    /// `--data`, else the directory of `--config`. Fails if neither is given.
    pub(super) fn data(self) -> Result<PathBuf> {
        match (self.data, self.config) {
            (Some(data), _) => Ok(data),
            (None, Some(config)) => Ok(Config::read(&config)?.data),
            (None, None) => Err(Uso::of(
                "indicare la directory dei dati (--data) o il file di configurazione (--config)",
            )
            .into()),
        }
    }
}
