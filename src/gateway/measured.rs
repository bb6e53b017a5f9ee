//! The metrics of a gateway, as it stands.

use jiff::Timestamp;

use super::Gateway;
use super::metrics::Gauges;
use crate::ledger::committer::Health;

impl Gateway {
    /// The metrics in the text format.
    pub fn measured(&self) -> String {
        let settings = self.settings.load();
        let revocations = &settings.channel.revocations;
        let ended = self.scrub.get().and_then(|scrub| scrub.rounds().ended);
        self.metrics.text(Gauges {
            ready: *self.node.ledger.committer.health().borrow() == Health::Good,
            read_again: ended.map_or(0, Timestamp::as_second),
            signed: self
                .node
                .signed()
                .and_then(|signed| i64::try_from(signed.entries).ok())
                .unwrap_or_default(),
            free: self
                .node
                .free()
                .and_then(|free| i64::try_from(free).ok())
                .unwrap_or_default(),
            certificates: settings
                .channel
                .identities
                .all()
                .iter()
                .map(|identity| (identity.name.clone(), identity.expires()))
                .collect(),
            lists: revocations.expires().unwrap_or_default(),
            unreadable: i64::try_from(revocations.unreadable().len()).unwrap_or(i64::MAX),
            used: self.quotas.used(self.clock.now()),
        })
    }
}
