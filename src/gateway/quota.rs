//! Quotas as they stand: how much each ente, and each of its operators, has asked in this minute and on this civil day.
//!
//! The minute is a bucket in memory. The day is counted from the ledger at the start, so that a restart forgets nothing, and goes on in memory; what was let in
//! counts, also where it could not be recorded after all. Persons are counted by their tokens, of consultations alone: who transmits a DSU reads nothing.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::clock::{Clock, rfc3339, rome};
use crate::contract::catalogue::{Operation, Service};
use crate::ledger::segments::recorded_since;
use crate::ledger::{Entry, Kind, LogError};
use crate::registry::quota::Quote;

/// A minute, microseconds.
const MINUTE: i64 = 60_000_000;

/// Who has a quota: an ente, or one of its operators, by the token of its name.
type Who = (String, Option<u64>);

/// What everybody has asked.
#[derive(Debug, Default)]
pub struct Quotas {
    used: Mutex<HashMap<Who, Used>>,
}

#[derive(Debug, Default)]
struct Used {
    /// When the bucket of the minute is full again, microseconds since the epoch.
    full_at: i64,
    day: Date,
    exchanges: u64,
    persons: HashSet<u64>,
}

/// How much is left, for the headers of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The quota.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// Seconds until it is whole again.
    pub reset: u64,
}

/// Nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// How the quota stands.
    pub standing: Standing,
    /// Seconds after which there will be something.
    pub retry_after: u64,
}

impl Quotas {
    /// One more exchange. How the quota that is nearest to its end stands, where there is one.
    pub fn take(&self, ente: &str, operator: Option<u64>, quote: &Quote, now: Timestamp) -> Result<Option<Standing>, Exceeded> {
        let mut used = self.lock();
        let used = of(&mut used, ente, operator, rome(now).date());
        let daily = quote.al_giorno.map(|limit| Standing { limit, remaining: limit.saturating_sub(used.exchanges), reset: midnight(now) });
        if let Some(standing) = daily.filter(|standing| standing.remaining == 0) {
            return Err(Exceeded { standing, retry_after: standing.reset });
        }
        let minute = quote.al_minuto.map(|limit| used.minute(limit, now)).transpose()?;
        used.exchanges += 1;
        let daily = daily.map(|standing| Standing { remaining: standing.remaining - 1, ..standing });
        Ok([minute, daily].into_iter().flatten().min_by_key(|standing| standing.remaining))
    }

    /// Persons whose data are about to go out; all of them or none.
    pub fn read(&self, ente: &str, operator: Option<u64>, quote: &Quote, persons: &[u64], now: Timestamp) -> Result<(), Exceeded> {
        let mut used = self.lock();
        let used = of(&mut used, ente, operator, rome(now).date());
        if let Some(limit) = quote.persone_al_giorno {
            let new = persons.iter().filter(|person| !used.persons.contains(person)).collect::<HashSet<_>>().len() as u64;
            let read = used.persons.len() as u64;
            if new > 0 && read + new > limit {
                let reset = midnight(now);
                return Err(Exceeded { standing: Standing { limit, remaining: limit.saturating_sub(read), reset }, retry_after: reset });
            }
        }
        used.persons.extend(persons);
        Ok(())
    }

    /// Counts what was recorded on this day before the start.
    pub fn recount_day(&self, segments: &Path, clock: &Clock) -> Result<(), LogError> {
        let today = clock.today();
        // An exchange is recorded after it was received, so that none of today's was recorded before today began.
        let start = rome(clock.now()).start_of_day().map_or(Timestamp::UNIX_EPOCH, |start| start.timestamp());
        recorded_since(segments, &rfc3339(start), &mut |entry| self.recount(entry, today))
    }

    /// Counts an entry of this day that was recorded before the start.
    pub fn recount(&self, entry: &Entry, today: Date) {
        let body = &entry.leaf.body;
        let (Kind::Exchange, Some(ente)) = (body.kind, &body.ente) else { return };
        let received = body.received.parse::<Timestamp>();
        if received.map_or(true, |received| rome(received).date() != today) {
            return;
        }
        let tokens = body.tokens.as_ref();
        let operator = tokens.and_then(|tokens| tokens.operator.as_deref()).map(digest);
        let reads = body.operation.as_deref().and_then(Operation::by_name).is_some_and(discloses);
        let persons = tokens.filter(|_| reads).into_iter().flat_map(|tokens| &tokens.cf).map(|token| digest(token));
        let persons: Vec<u64> = persons.collect();
        let mut all = self.lock();
        for who in [None, operator].into_iter().take(if operator.is_some() { 2 } else { 1 }) {
            let used = of(&mut all, ente, who, today);
            used.exchanges += 1;
            used.persons.extend(&persons);
        }
    }

    /// What every ente has used on this day: exchanges and persons.
    pub fn used(&self, today: Date) -> Vec<(String, u64, u64)> {
        let all = self.lock();
        let of_today = all.iter().filter(|((_, operator), used)| operator.is_none() && used.day == today);
        of_today.map(|((ente, _), used)| (ente.clone(), used.exchanges, used.persons.len() as u64)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, Used>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What somebody has used, on that day.
fn of<'a>(all: &'a mut HashMap<Who, Used>, ente: &str, operator: Option<u64>, today: Date) -> &'a mut Used {
    let used = all.entry((ente.to_owned(), operator)).or_default();
    if used.day != today {
        *used = Used { full_at: used.full_at, day: today, ..Used::default() };
    }
    used
}

impl Used {
    /// Takes one out of a bucket of `limit` that fills in a minute.
    fn minute(&mut self, limit: u32, now: Timestamp) -> Result<Standing, Exceeded> {
        let now = now.as_microsecond();
        let each = MINUTE / i64::from(limit.max(1));
        let full_at = self.full_at.max(now) + each;
        let standing = |full_at: i64| Standing {
            limit: u64::from(limit),
            remaining: u64::try_from((MINUTE - (full_at - now)).max(0) / each).unwrap_or_default(),
            reset: seconds(full_at - now),
        };
        if full_at - now > MINUTE {
            return Err(Exceeded { standing: standing(self.full_at), retry_after: seconds(full_at - now - MINUTE).max(1) });
        }
        self.full_at = full_at;
        Ok(standing(full_at))
    }
}

/// Microseconds as whole seconds, rounded up.
fn seconds(micros: i64) -> u64 {
    u64::try_from(micros.max(0).saturating_add(999_999) / 1_000_000).unwrap_or_default()
}

/// Seconds until the next civil day, in Italy.
fn midnight(now: Timestamp) -> u64 {
    let here = rome(now);
    let next = here.start_of_day().and_then(|start| start.checked_add(1.day()));
    next.map_or(86_400, |next| seconds(next.timestamp().as_microsecond() - now.as_microsecond()))
}

/// A token of the ledger, as it is counted here: its first half.
pub fn digest(token: &str) -> u64 {
    token.get(..16).and_then(|half| u64::from_str_radix(half, 16).ok()).unwrap_or_default()
}

/// Whether an operation gives persons' data away.
pub fn discloses(operation: Operation) -> bool {
    operation.service() != Service::TrasmissioneDsu
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_minute_fills_evenly() {
        let quotas = Quotas::default();
        let quote = Quote { al_minuto: Some(6), ..Quote::default() };
        let start = at("2026-11-22T10:00:00Z");
        for left in (0..6).rev() {
            let standing = quotas.take("comune", None, &quote, start).unwrap().unwrap();
            assert_eq!((standing.limit, standing.remaining), (6, left));
        }
        let exceeded = quotas.take("comune", None, &quote, start).unwrap_err();
        assert_eq!((exceeded.standing.remaining, exceeded.standing.reset, exceeded.retry_after), (0, 60, 10));
        assert!(quotas.take("altro", None, &quote, start).is_ok(), "another ente's bucket");
        assert!(quotas.take("comune", None, &quote, at("2026-11-22T10:00:09Z")).is_err());
        assert!(quotas.take("comune", None, &quote, at("2026-11-22T10:00:10Z")).is_ok());
    }

    #[test]
    fn a_day_is_the_italian_one() {
        let quotas = Quotas::default();
        let quote = Quote { al_giorno: Some(2), ..Quote::default() };
        let late = at("2026-11-22T22:59:00Z");
        assert_eq!(quotas.take("comune", None, &quote, late).unwrap().unwrap().remaining, 1);
        assert_eq!(quotas.take("comune", None, &quote, late).unwrap().unwrap(), Standing { limit: 2, remaining: 0, reset: 60 });
        assert_eq!(quotas.take("comune", None, &quote, late).unwrap_err().retry_after, 60);
        assert!(quotas.take("comune", None, &quote, at("2026-11-22T23:00:00Z")).is_ok(), "midnight has passed");
    }

    #[test]
    fn persons_are_counted_once_and_together() {
        let quotas = Quotas::default();
        let quote = Quote { persone_al_giorno: Some(3), ..Quote::default() };
        let now = at("2026-11-22T10:00:00Z");
        quotas.read("comune", None, &quote, &[1, 2], now).unwrap();
        quotas.read("comune", None, &quote, &[2, 1], now).unwrap();
        assert_eq!(quotas.read("comune", None, &quote, &[1, 3, 4], now).unwrap_err().standing.remaining, 1);
        quotas.read("comune", None, &quote, &[3, 3], now).unwrap();
        quotas.read("comune", None, &quote, &[1, 2, 3], now).unwrap();
        assert!(quotas.read("comune", None, &quote, &[5], now).is_err());
        assert!(quotas.read("comune", Some(9), &quote, &[5], now).is_ok(), "an operator's own");
    }
}
