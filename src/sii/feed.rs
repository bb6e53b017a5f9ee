//! Loading a feed: through the ledger, all of it or nothing of it.

use jiff::Timestamp;

use super::entries::feed_key;
use crate::clock::rome;
use crate::isee::feed::FeedRecord;
use crate::ledger::{Blinding, Body, Kind, Ledger, Retention, Secret, Submission, Tokens, new_exchange};
use crate::registry::administration::{Actor, Rejected};

/// Records in one entry: what a leaf can name.
const CHUNK: usize = 75;

/// Records a feed; how many entries it took.
pub async fn load(ledger: &Ledger, records: &[FeedRecord], actor: &Actor, reason: &str, now: Timestamp) -> Result<usize, Rejected> {
    if reason.trim().is_empty() {
        return Err(Rejected::Invalid("indicare il motivo (--motivo)".to_owned()));
    }
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    let exchange = new_exchange(now).map_err(|error| internal(&error))?;
    let year = rome(now).year();
    let mut drafts = Vec::new();
    for (ordinal, chunk) in records.chunks(CHUNK).enumerate() {
        let tokens: Result<Vec<_>, _> = chunk.iter().map(|record| ledger.keys.token(year, "cf", &record.codice_fiscale)).collect();
        let cf = tokens.map_err(|error| internal(&error))?;
        let years: Vec<i16> = chunk.iter().map(|record| record.anno).collect();
        let mut body = Body::new(Kind::Feed, Retention::Dsu, exchange, now).fact("righe", years).fact("actor", actor);
        body.operation = Some("feed load".to_owned());
        body.outcome = Some("OK".to_owned());
        // Who decided to wait, because this was not known, decides again.
        body.keys = cf.iter().map(|token| feed_key(year, token)).collect();
        body.tokens = Some(Tokens { year, cf, ..Tokens::default() });
        let secret = Secret {
            cf: chunk.iter().map(|record| record.codice_fiscale.clone()).collect(),
            reason: Some(reason.to_owned()),
            feed: Some(serde_json::to_value(chunk).map_err(|error| internal(&error))?),
            ..Secret::default()
        };
        let blinding = Blinding::new().map_err(|error| internal(&error))?;
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        drafts.push(ledger.prepare(body, &secret, &blinding, ordinal, now).map_err(|error| internal(&error))?);
    }
    let entries = drafts.len();
    let submission = Submission { drafts, preconditions: Vec::new() };
    ledger.committer.submit(submission).await.map_err(|error| internal(&error))?;
    Ok(entries)
}
