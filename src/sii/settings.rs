//! The operator's choices for the SII.

use crate::config::{Attesta, Config};
use crate::isee::calendar::Calendario;
use crate::isee::rules::{RuleError, Rules};

/// The operator's choices for the SII.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The rule sets.
    pub rules: Rules,
    /// When a DSU is attested, of whose members not everything is known.
    pub attesta: Attesta,
    /// The working days of the offices.
    pub calendario: Calendario,
}

impl Settings {
    /// Without a configuration.
    pub fn embedded() -> Result<Self, RuleError> {
        Ok(Self {
            rules: Rules::embedded()?,
            attesta: Attesta::default(),
            calendario: Calendario::default(),
        })
    }

    /// By a configuration.
    pub fn configured(config: &Config) -> Result<Self, RuleError> {
        let wrong = |day| RuleError::Choice(format!("sii.festivi: {day} non è MM-GG né AAAA-MM-GG"));
        let calendario = Calendario::with(&config.sii.festivi).map_err(wrong)?;
        Ok(Self {
            rules: Rules::configured(&config.regole)?,
            attesta: config.sii.attesta,
            calendario,
        })
    }
}
