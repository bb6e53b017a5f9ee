//! The embedded SII and its capabilities.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::archive::Archive;
use super::incoming::internal;
use crate::clock::Clock;
use crate::isee::rules::RuleSet;
use crate::ledger::Ledger;
use crate::ledger::uses::Uses;
use crate::registry::Registry;
use crate::sii::{SiiError, SiiSettings};
use crate::state::Store;
use crate::state::numbers::Series;

/// The SII on this ledger.
#[derive(Debug)]
pub struct Embedded {
    pub(super) ledger: Ledger,
    pub(super) archive: Archive,
    /// Registry of the enti: source of their names for completions.
    pub(super) registry: Registry,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) settings: SiiSettings,
    /// Counts of the uses of each DSU.
    pub(super) uses: Uses,
    /// Series of protocols, by their names.
    pub(super) series: tokio::sync::Mutex<HashMap<String, Arc<Series>>>,
}

impl Embedded {
    /// The SII over this ledger and these views.
    pub fn new(ledger: &Ledger, store: &Store, clock: &Clock, settings: SiiSettings, uses: Uses) -> Self {
        Self {
            ledger: ledger.clone(),
            archive: Archive::new(ledger, store),
            registry: Registry::new(store.clone()),
            store: store.clone(),
            clock: clock.clone(),
            settings,
            uses,
            series: tokio::sync::Mutex::default(),
        }
    }

    /// The rules of a day of presentation.
    ///
    /// # Errors
    /// There are none: a mistake of ours, since the DSU was judged by some.
    pub(super) fn rules(&self, presented: Date) -> Result<&RuleSet, SiiError> {
        let rules = self.settings.rules.on(presented);
        rules.ok_or_else(|| internal("a DSU without rules"))
    }
}
