//! Questions leaving the process, for an exchange in need of another system's answer.
//!
//! Invariant: a question leaves once, after its `asked` entry is durable. Its exchange ends with an entry of
//! its own, or with `interrupted`: here, or at the next start if the process has died
//! ([`Node::record_interrupted`](super::node::Node::record_interrupted)).

use super::outcome::Stop;
use super::record::Record;
use crate::ledger::{Body, Kind, NotCommitted, Retention, Submission};
use crate::refusal::{Code, Refusal};
use crate::services::entries::{self, Inquiry};
use crate::sii::{Ask, Returned};

/// Records a question and asks it. Returns its reply, or the lack of one.
pub(super) async fn ask(record: &Record<'_>, before: &[Returned], ask: Ask) -> Result<Returned, Stop> {
    if before.iter().any(|returned| returned.name == ask.name) {
        return Err(Refusal::new(Code::Unavailable, "a question that was asked already").into());
    }
    let (Some(ente), Some(operation)) = (record.ente.as_deref(), record.operation) else {
        return Err(Refusal::new(Code::Unavailable, "a question of nobody").into());
    };
    let asking = Inquiry {
        exchange: record.exchange,
        received: record.received,
        ente,
        operation,
        before: before.len(),
    };
    let ledger = &record.gateway.node.ledger;
    let unavailable =
        |error: &dyn std::fmt::Display| Stop::from(Refusal::new(Code::Unavailable, error.to_string()));
    let draft = entries::asked(ledger, asking, &ask).map_err(|error| unavailable(&error))?;
    let submission = Submission {
        drafts: vec![draft],
        preconditions: Vec::new(),
    };
    let receipt = ledger
        .committer
        .submit(submission)
        .await
        .map_err(|error| unavailable(&error))?;
    record.passage.asked(receipt.first());
    tracing::info!(exchange = %record.exchange, sequence = receipt.first(), to = ask.to, "asked");
    let returned = ask.send(&receipt).await;
    if let Err(lost) = &returned.reply {
        tracing::warn!(exchange = %record.exchange, %lost, "a question without a reply");
    }
    Ok(returned)
}

/// Ends the questions of an unrecorded exchange. If this cannot be recorded now, the next start does it.
pub(super) async fn end(record: &Record<'_>) {
    let asked = record.passage.all_asked();
    if asked.is_empty() || record.passage.is_recorded() {
        return;
    }
    if let Err(error) = interrupt(record, &asked).await {
        tracing::error!(exchange = %record.exchange, %error, "an interrupted question is recorded at the next start");
    }
}

async fn interrupt(record: &Record<'_>, asked: &[u64]) -> Result<(), NotCommitted> {
    let gateway = record.gateway;
    let (ledger, now) = (&gateway.node.ledger, gateway.clock.now());
    let retention = record.operation.map_or(
        Retention::Consultazione,
        crate::contract::catalogue::Operation::retention,
    );
    let mut of = Body::new(Kind::Asked, retention, record.exchange, now);
    of.ente.clone_from(&record.ente);
    of.operation = record.operation.map(|operation| operation.name().to_owned());
    let draft = entries::interrupted(ledger, record.exchange, &of, asked, now)
        .map_err(|_| NotCommitted::Unavailable)?;
    ledger
        .committer
        .submit(Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        })
        .await
        .map(|_| ())
}
