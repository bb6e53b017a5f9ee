//! Damage found in the log while the gateway serves: counted, and shown until the process ends. The first
//! hundred places are logged, each once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;

use super::log::LogError;

/// Number of damaged places remembered. Further ones are counted alone: each reading of a large damage would
/// fill the log.
const REMEMBERED: usize = 100;

/// Damage found so far. Cheap to clone: all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Damage {
    /// Readings that found damage.
    pub readings: Counter,
    places: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Damage {
    /// Notes a failed reading. One of the first places is an ERROR line. A known one is only counted, since
    /// each exchange reading it finds it again.
    pub fn found(&self, error: &LogError) {
        self.readings.inc();
        let text = error.to_string();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = places.get_mut(&text) {
            *count += 1;
            return;
        }
        if places.len() < REMEMBERED {
            places.insert(text, 1);
            tracing::error!(%error, "the ledger is damaged here");
        }
    }

    /// The damaged places found, in words.
    pub fn places(&self) -> Vec<String> {
        self.places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys()
            .cloned()
            .collect()
    }
}
