//! What is counted, for Prometheus: never a value from a request, never a person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The counters of a gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: Family<Labels, Counter>,
    seconds: Histogram,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    ente: String,
    operation: String,
    outcome: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("varco");
        let exchanges = Family::<Labels, Counter>::default();
        registry.register("exchanges", "Exchanges recorded, by ente, operation and outcome", exchanges.clone());
        let bounds = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0];
        let seconds = Histogram::new(bounds);
        registry.register("exchange_seconds", "From the first byte to the durable record", seconds.clone());
        Self { registry, exchanges, seconds }
    }
}

impl Metrics {
    /// Counts one exchange.
    pub fn exchange(&self, ente: Option<&str>, operation: Option<&str>, outcome: &str, micros: u64) {
        let labels =
            Labels { ente: ente.unwrap_or("-").to_owned(), operation: operation.unwrap_or("-").to_owned(), outcome: outcome.to_owned() };
        self.exchanges.get_or_create(&labels).inc();
        self.seconds.observe(std::time::Duration::from_micros(micros).as_secs_f64());
    }

    /// In the text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
