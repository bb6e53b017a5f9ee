//! The operator's choices for the SII.

use crate::config::{Attesta, Config};
use crate::isee::calendar::Calendario;
use crate::isee::rules::{RuleError, Rules};

/// The operator's choices for the SII.
#[derive(Clone, Debug)]
pub struct SiiSettings {
    /// The embedded rule sets, with the operator's variants.
    pub rules: Rules,
    /// When to attest a DSU with unknown data of its members.
    pub attesta: Attesta,
    /// The working days of the offices.
    pub calendario: Calendario,
}

impl SiiSettings {
    /// The settings without a configuration: embedded rule sets, and defaults.
    pub fn embedded() -> Result<Self, RuleError> {
        Ok(Self {
            rules: Rules::embedded()?,
            attesta: Attesta::default(),
            calendario: Calendario::default(),
        })
    }

    /// The settings of a configuration. Fails on a wrong choice of rules or a wrong day in `sii.festivi`.
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
