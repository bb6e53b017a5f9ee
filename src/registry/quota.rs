//! Limits on the requests of an ente, or of each of its operators.

use serde::{Deserialize, Serialize};

/// Quotas. `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Requests a minute: the size of a bucket, filled evenly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub al_minuto: Option<u32>,
    /// Exchanges a civil day, in Italy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub al_giorno: Option<u64>,
    /// Different persons a civil day: their data were returned by consultations, or asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persone_al_giorno: Option<u64>,
}

impl Quote {
    /// The largest quota a minute.
    pub const MOST_A_MINUTE: u32 = 1_000_000;

    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
