//! The feed: loaded through the ledger, all or nothing, and found again person by person.

use std::cell::RefCell;

use serde_json::value::{RawValue, to_raw_value};

use super::archive::Archive;
use super::entries::feed_key;
use super::system::Embedded;
use crate::clock::day;
use crate::isee::CodiceFiscale;
use crate::isee::feed::FeedRecord;
use crate::ledger::{
    Blinding, Body, Kind, Position, Precondition, Retention, Secret, Submission, TokenKey, Tokens,
    new_exchange,
};
use crate::registry::administration::Rejected;
use crate::sii::SiiError;
use crate::sii::facts::RIGHE;
use crate::sii::upkeep::Act;

/// The most records in one entry: a leaf can name no more.
const CHUNK: usize = 75;

impl Embedded {
    /// Records a feed. Returns the number of entries.
    pub(super) async fn load(&self, records: &[FeedRecord], act: Act<'_>) -> Result<usize, Rejected> {
        act.has_reason()?;
        let (ledger, now) = (&self.ledger, act.now);
        let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
        ledger
            .keys
            .begin(day(now).year())
            .map_err(|error| internal(&error))?;
        let exchange = new_exchange(now).map_err(|error| internal(&error))?;
        let key = TokenKey::of(now, Retention::Dsu);
        let mut drafts = Vec::new();
        for (ordinal, chunk) in records.chunks(CHUNK).enumerate() {
            let tokens: Result<Vec<_>, _> = chunk
                .iter()
                .map(|record| ledger.keys.token(key, "cf", &record.codice_fiscale))
                .collect();
            let cf = tokens.map_err(|error| internal(&error))?;
            let years: Vec<i16> = chunk.iter().map(|record| record.anno).collect();
            let mut body = Body::new(Kind::Feed, Retention::Dsu, exchange, now).fact(RIGHE, years);
            body.operation = Some("feed load".to_owned());
            body.outcome = Some("OK".to_owned());
            // A decision to wait for lack of these records is taken again.
            body.keys = cf.iter().map(|token| feed_key(key, token)).collect();
            body.tokens = Some(Tokens {
                cf,
                ..Tokens::under(key)
            });
            let mut secret = Secret {
                cf: chunk.iter().map(|record| record.codice_fiscale.clone()).collect(),
                reason: Some(act.reason.to_owned()),
                feed: Some(to_raw_value(chunk).map_err(|error| internal(&error))?),
                ..Secret::default()
            };
            let body = act
                .actor
                .sign(body, &mut secret, ledger, now)
                .map_err(|error| internal(&error))?;
            let blinding = Blinding::new().map_err(|error| internal(&error))?;
            let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
            drafts.push(
                ledger
                    .prepare(body, &secret, blinding, ordinal, now)
                    .map_err(|error| internal(&error))?,
            );
        }
        let entries = drafts.len();
        let submission = Submission {
            drafts,
            preconditions: Vec::new(),
        };
        ledger
            .committer
            .submit(submission)
            .await
            .map_err(|error| internal(&error))?;
        Ok(entries)
    }
}

/// Look-ups about several persons, one after another. It keeps the last entry read: the records of a family
/// are often in one.
#[derive(Debug)]
pub(super) struct Consultato<'a> {
    archive: &'a Archive,
    last: RefCell<Option<Pagina>>,
}

/// An entry of the feed.
#[derive(Debug)]
struct Pagina {
    position: Position,
    /// Its records, as written. `None`: erased.
    records: Option<Vec<Box<RawValue>>>,
}

impl<'a> Consultato<'a> {
    pub(super) fn new(archive: &'a Archive) -> Self {
        Self {
            archive,
            last: RefCell::default(),
        }
    }

    /// The feed's record of a person for a year.
    pub(super) fn find(&self, person: &CodiceFiscale, anno: i16) -> Result<Option<FeedRecord>, SiiError> {
        let Some((position, index)) = self.archive.feed_place(person, anno)? else {
            return Ok(None);
        };
        let mut last = self.last.borrow_mut();
        let page = match last.take().filter(|page| page.position == position) {
            Some(page) => page,
            None => Pagina {
                position,
                records: self.archive.feed_records(&position)?,
            },
        };
        let page = last.insert(page);
        // Erased records are no longer known.
        let Some(records) = &page.records else {
            return Ok(None);
        };
        let record = records
            .get(index)
            .and_then(|record| serde_json::from_str(record.get()).ok());
        // An unreadable record is an error: its person must not pass for an unknown one.
        record
            .map(Some)
            .ok_or_else(|| SiiError::Internal("a feed record that cannot be read".to_owned()))
    }

    /// Whether the feed knows a person for a year. If not, the missing record becomes a precondition.
    pub(super) fn is_known(
        &self,
        person: &CodiceFiscale,
        anno: i16,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let mut observed = Vec::new();
        self.archive.observe_feed(person, &mut observed)?;
        if self.find(person, anno)?.is_some() {
            return Ok(true);
        }
        preconditions.extend(observed);
        Ok(false)
    }
}
