//! The place of the data directory: `--data`, or the configuration's.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::config::Config;

/// Options of every command that works on a data directory.
#[derive(Debug, clap::Args)]
pub(super) struct Dove {
    /// La directory dei dati [se manca: varco-data]
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// Il file di configurazione che dice dov'è la directory dei dati, al posto di --data
    #[arg(long, global = true)]
    config: Option<PathBuf>,
}

impl Dove {
    /// The configuration named by `--config`.
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Whether neither option was given.
    pub(super) fn is_default(&self) -> bool {
        self.data.is_none() && self.config.is_none()
    }

    /// `--data`, else the configuration's directory, else `varco-data`. Fails if the configuration cannot be
    /// read.
    pub(super) fn data(&self) -> Result<PathBuf> {
        match (&self.data, &self.config) {
            (Some(data), _) => Ok(data.clone()),
            (None, Some(config)) => Ok(Config::read(config)?.data),
            (None, None) => Ok("varco-data".into()),
        }
    }
}
