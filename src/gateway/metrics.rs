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
    signed: Gauge,
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
        let mut metrics = Self {
            registry: Registry::with_prefix("varco"),
            exchanges: Family::default(),
            steps: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            ready: Gauge::default(),
            read_again: Gauge::default(),
            signed: Gauge::default(),
            free: Gauge::default(),
            certificates: Family::default(),
            lists: Gauge::default(),
            unreadable: Gauge::default(),
            quotas: Family::default(),
            attempts: Family::default(),
        };
        metrics.register_exchanges();
        metrics.register_ledger(ledger, damage);
        let help = "Handshakes refused, and what else is recorded together, by reason";
        let totals = gathered.totals().clone();
        metrics.registry.register("gathered", help, totals);
        metrics.register_machine();
        metrics.register_enti();
        metrics
    }

    fn register_exchanges(&mut self) {
        let help = "Exchanges recorded, by ente, operation and outcome";
        self.registry.register("exchanges", help, self.exchanges.clone());
        let help = "From the first byte: to the caller known (head), to the body read (body), to the reply rendered (work), to the record durable (record)";
        self.registry
            .register("exchange_seconds", help, self.steps.clone());
    }

    fn register_ledger(&mut self, ledger: &Meter, damage: &Damage) {
        let help = "1 while the ledger can be written";
        self.registry
            .register("ledger_writable", help, self.ready.clone());
        let help = "Submissions that wait for the ledger";
        self.registry
            .register("ledger_waiting", help, ledger.waiting.clone());
        let help = "Entries appended since the start";
        self.registry
            .register("ledger_entries", help, ledger.entries.clone());
        let help = "To write a batch and sync it";
        self.registry
            .register("ledger_append_seconds", help, ledger.appends.clone());
        let help = "Readings of the ledger that found it damaged";
        self.registry
            .register("ledger_damage", help, damage.readings.clone());
        let help = "Lines of the log that were not written, since nobody waits for it";
        self.registry.register("log_lines_lost", help, LOST.clone());
    }

    fn register_machine(&mut self) {
        let help = "When all closed segments had been read again; 0 before the first time";
        self.registry
            .register("ledger_read_again_timestamp", help, self.read_again.clone());
        let help = "Entries of the last checkpoint signed; 0 without one";
        self.registry
            .register("checkpoint_entries", help, self.signed.clone());
        let help = "Bytes that may still be written where the data directory is";
        self.registry.register("data_free_bytes", help, self.free.clone());
        let help = "Last second of the server's certificates, by file";
        self.registry
            .register("certificate_expiry_timestamp", help, self.certificates.clone());
        let help = "nextUpdate of the revocation list that ends first; 0 without lists";
        self.registry
            .register("crl_expiry_timestamp", help, self.lists.clone());
        let help = "Files of revocation lists that cannot be read: what was known of them before is in force";
        self.registry
            .register("crl_unreadable_files", help, self.unreadable.clone());
    }

    fn register_enti(&mut self) {
        let help = "Exchanges and persons of this civil day, by ente";
        self.registry.register("day_used", help, self.quotas.clone());
        let help = "How often an ente used up its attempts to name protocols, in all (ente) or for one declarant (dichiarante)";
        self.registry
            .register("attempts_exhausted", help, self.attempts.clone());
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
        self.signed.set(standing.signed);
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
    /// Entries of the last checkpoint signed; 0 without one.
    pub signed: i64,
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
