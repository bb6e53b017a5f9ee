//! Text of entries and damage, one line each.

use crate::clock::italian;
use crate::gateway::facts::GRUPPI;
use crate::ledger::Entry;
use crate::ledger::log::LogError;
use crate::state::facts::RISERVA;

/// One entry on one line, in Italian time.
pub fn line(entry: &Entry) -> String {
    let body = &entry.leaf.body;
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let numbers = |riserva: &serde_json::Value| {
        let serie = riserva["serie"].as_str().unwrap_or_default();
        format!("numeri di {serie} fino a {}", riserva["fino"])
    };
    let detail = match (&body.refusal, body.get(GRUPPI)) {
        (Some(refusal), _) => refusal.clone(),
        (None, Some(groups)) => groups
            .as_array()
            .into_iter()
            .flatten()
            .map(|group| {
                format!(
                    "{} x{}",
                    group["motivo"].as_str().unwrap_or_default(),
                    group["numero"]
                )
            })
            .collect::<Vec<_>>()
            .join(" "),
        (None, None) => body.get(RISERVA).map(numbers).unwrap_or_default(),
    };
    let line = format!(
        "{:>6}  {}  {:<11}  {:<10}  {:<24}  {:<18}  {}",
        entry.leaf.seq,
        italian(&entry.leaf.recorded),
        body.kind.name(),
        dash(&body.ente),
        dash(&body.operation),
        dash(&body.outcome),
        detail
    );
    line.trim_end().to_owned()
}

/// Names the unreadable places on standard error.
pub(super) fn tell_skipped(skipped: &[LogError]) {
    skipped
        .iter()
        .for_each(|damage| eprintln!("attenzione: {}", damage.place()));
}
