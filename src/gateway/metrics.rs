//! The metrics for Prometheus: never a value from a request, never a person.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::gathered::Gathered;
use crate::ledger::Micros;
use crate::ledger::damage::Damage;
use crate::ledger::meter::Meter;
use crate::log::LOST;

/// Bounds of the histograms, seconds.
const BOUNDS: [f64; 12] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// The counters of a gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: Family<Exchange, Counter>,
    steps: Family<StepLabel, Histogram>,
    ready: Gauge,
    read_again: Gauge,
    free: Gauge,
    certificates: Family<Named, Gauge>,
    lists: Gauge,
    unreadable: Gauge,
    quotas: Family<Quota, Gauge>,
    attempts: Family<Bucket, Counter>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Exchange {
    ente: String,
    operation: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StepLabel {
    step: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Quota {
    ente: String,
    what: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Bucket {
    ente: String,
    bucket: &'static str,
}

impl Metrics {
    /// Metrics with the ledger's own measures, its damage, and the gathered refusals.
    pub fn new(ledger: &Meter, damage: &Damage, gathered: &Gathered) -> Self {
        let mut registry = Registry::with_prefix("varco");
        let exchanges = Family::<Exchange, Counter>::default();
        registry.register(
            "exchanges",
            "Exchanges recorded, by ente, operation and outcome",
            exchanges.clone(),
        );
        let steps = Family::<StepLabel, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        let help = "From the first byte: to the caller known (head), to the body read (body), to the reply rendered (work), to the record durable (record)";
        registry.register("exchange_seconds", help, steps.clone());
        let (ready, lists, unreadable) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register(
            "ledger_writable",
            "1 while the ledger can be written",
            ready.clone(),
        );
        registry.register(
            "ledger_waiting",
            "Submissions that wait for the ledger",
            ledger.waiting.clone(),
        );
        registry.register(
            "ledger_entries",
            "Entries appended since the start",
            ledger.entries.clone(),
        );
        registry.register(
            "ledger_append_seconds",
            "To write a batch and sync it",
            ledger.appends.clone(),
        );
        registry.register(
            "ledger_damage",
            "Readings of the ledger that found it damaged",
            damage.readings.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Lines of the log that were not written, since nobody waits for it",
            LOST.clone(),
        );
        let help = "Handshakes refused, and what else is recorded together, by reason";
        registry.register("gathered", help, gathered.totals().clone());
        let read_again = Gauge::default();
        let help = "When all closed segments had been read again; 0 before the first time";
        registry.register("ledger_read_again_timestamp", help, read_again.clone());
        let free = Gauge::default();
        registry.register(
            "data_free_bytes",
            "Bytes that may still be written where the data directory is",
            free.clone(),
        );
        let certificates = Family::<Named, Gauge>::default();
        registry.register(
            "certificate_expiry_timestamp",
            "Last second of the server's certificates, by file",
            certificates.clone(),
        );
        registry.register(
            "crl_expiry_timestamp",
            "nextUpdate of the revocation list that ends first; 0 without lists",
            lists.clone(),
        );
        let help = "Files of revocation lists that cannot be read: what was known of them before is in force";
        registry.register("crl_unreadable_files", help, unreadable.clone());
        let quotas = Family::<Quota, Gauge>::default();
        registry.register(
            "day_used",
            "Exchanges and persons of this civil day, by ente",
            quotas.clone(),
        );
        let attempts = Family::<Bucket, Counter>::default();
        let help = "How often an ente used up its attempts to name protocols, in all (ente) or for one declarant (dichiarante)";
        registry.register("attempts_exhausted", help, attempts.clone());
        Self {
            registry,
            exchanges,
            steps,
            ready,
            read_again,
            free,
            certificates,
            lists,
            unreadable,
            quotas,
            attempts,
        }
    }

    /// Counts one emptied bucket of attempts.
    pub fn exhausted(&self, ente: &str, bucket: &'static str) {
        self.attempts
            .get_or_create(&Bucket {
                ente: ente.to_owned(),
                bucket,
            })
            .inc();
    }

    /// Counts one recorded exchange. `recorded`: microseconds from its first byte to the record.
    pub fn exchange(
        &self,
        ente: Option<&str>,
        operation: Option<&str>,
        outcome: &str,
        micros: &Micros,
        recorded: u64,
    ) {
        let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let labels = Exchange {
            ente: text(ente),
            operation: text(operation),
            outcome: outcome.to_owned(),
        };
        self.exchanges.get_or_create(&labels).inc();
        for (step, micros) in [
            ("head", micros.head),
            ("body", micros.body),
            ("work", micros.work),
            ("record", recorded),
        ] {
            if micros > 0 {
                self.steps
                    .get_or_create(&StepLabel { step })
                    .observe(Duration::from_micros(micros).as_secs_f64());
            }
        }
    }

    /// All metrics in the text format, with the present values.
    pub fn text(&self, standing: Gauges) -> String {
        self.ready.set(standing.ready.into());
        self.read_again.set(standing.read_again);
        self.free.set(standing.free);
        self.certificates.clear();
        for (name, expires) in standing.certificates {
            self.certificates.get_or_create(&Named { name }).set(expires);
        }
        self.lists.set(standing.lists);
        self.unreadable.set(standing.unreadable);
        self.quotas.clear();
        for (ente, exchanges, persons) in standing.used {
            for (what, used) in [("exchanges", exchanges), ("persons", persons)] {
                self.quotas
                    .get_or_create(&Quota {
                        ente: ente.clone(),
                        what,
                    })
                    .set(i64::try_from(used).unwrap_or(i64::MAX));
            }
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Values measured at each reading of the metrics.
#[derive(Debug)]
pub struct Gauges {
    /// Whether the ledger can be written.
    pub ready: bool,
    /// When the last daily reading ended, seconds since the epoch; 0 for never.
    pub read_again: i64,
    /// Bytes still free where the data directory is; 0 if unknown.
    pub free: i64,
    /// The server's certificates, with their last seconds.
    pub certificates: Vec<(String, i64)>,
    /// The last second of the list with the earliest end; 0 without lists.
    pub lists: i64,
    /// Number of unreadable files of lists.
    pub unreadable: i64,
    /// Exchanges and persons of the day, by ente.
    pub used: Vec<(String, u64, u64)>,
}
