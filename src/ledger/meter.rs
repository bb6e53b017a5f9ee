//! Metrics of the committer.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// Shared by the committer and the readers of its metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Submissions waiting in the committer's queue.
    pub waiting: Gauge,
    /// Sequence of the last entry.
    pub head: Gauge,
    /// Entries appended by this process.
    pub entries: Counter,
    /// Seconds to write a batch and sync it, one observation a batch.
    pub appends: Histogram,
}

impl Default for Meter {
    fn default() -> Self {
        let bounds = [
            0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0,
        ];
        Self {
            waiting: Gauge::default(),
            head: Gauge::default(),
            entries: Counter::default(),
            appends: Histogram::new(bounds),
        }
    }
}
