//! Quotas as they stand: their use by each ente, and by each of its operators, in this minute and on this
//! civil day.
//!
//! The minute is a bucket in memory. The day is counted from the ledger at the start, or taken up where a
//! clean stop left it (`counting`), so a restart forgets nothing; it goes on in memory. An exchange let in
//! counts, even if it could not be recorded after all.
//! Persons are counted by their tokens, in consultations alone: transmitting a DSU reads nothing.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::fault::code_of;
use crate::binary::{ByteIn, ByteOut};
use crate::clock::{day, rome};
use crate::contract::catalogue::Operation;
use crate::ledger::{Glance, Kind};
use crate::refusal::Code;
use crate::registry::quota::Quote;

/// One minute in microseconds.
const MINUTE: i64 = 60_000_000;

/// Operators of one ente counted on a day, at most. No ente has more: a client with invented names is told to
/// come back tomorrow.
const OPERATORS: usize = 50_000;

/// The use of quotas on the present day.
#[derive(Debug, Default)]
pub struct Quotas {
    today: Mutex<Today>,
}

#[derive(Debug, Default)]
struct Today {
    /// The latest day of any exchange. It goes back only if the clock was put back by more than a request may
    /// be late.
    day: Date,
    enti: HashMap<String, OfEnte>,
}

#[derive(Debug, Default)]
struct OfEnte {
    own: Used,
    /// Use by operator; the key is the token of the name.
    operators: HashMap<u64, Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// When the bucket of the minute is full again, microseconds since the epoch.
    full_at: i64,
    exchanges: u64,
    persons: HashSet<u64>,
}

/// The rest of a quota, for the headers of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The size of the quota.
    pub limit: u64,
    /// Its rest, in the same unit.
    pub remaining: u64,
    /// Seconds until it is whole again.
    pub reset: u64,
}

/// A quota does not suffice: the exchange gets 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// How the quota stands.
    pub standing: Standing,
    /// Seconds until something is left again.
    pub retry_after: u64,
}

/// A named operator of an ente, and the quota of each of the ente's operators.
#[derive(Clone, Copy, Debug)]
pub struct Operator<'a> {
    /// Token of the name.
    pub token: u64,
    /// The quota of one operator.
    pub quote: &'a Quote,
}

impl Quotas {
    /// Takes one more exchange of an ente. Returns the quota nearest to its end; None without quotas.
    pub fn take(&self, ente: &str, quote: &Quote, now: Timestamp) -> Result<Option<Standing>, Exceeded> {
        self.on(now).of(ente).own.take(quote, now)
    }

    /// Gives back an exchange not recorded after all.
    pub fn give_back(&self, ente: &str, quote: &Quote, now: Timestamp) {
        let mut today = self.on(now);
        let own = &mut today.of(ente).own;
        own.exchanges = own.exchanges.saturating_sub(1);
        own.full_at -= quote.al_minuto.map_or(0, each);
    }

    /// Takes the same exchange for its operator. If the operator has nothing left, the ente gets the exchange
    /// back.
    pub fn take_for(
        &self,
        ente: &str,
        quote: &Quote,
        operator: Operator<'_>,
        now: Timestamp,
    ) -> Result<Option<Standing>, Exceeded> {
        if operator.quote.is_none() {
            // Counted nevertheless: a quota set later today covers all of today.
            self.count_for(ente, operator.token, now);
            return Ok(None);
        }
        let taken = match self.on(now).of(ente).operator(operator.token) {
            Some(used) => used.take(operator.quote, now),
            None => Err(crowded(now)),
        };
        if taken.is_err() {
            self.give_back(ente, quote, now);
        }
        taken
    }

    /// Counts an exchange of an operator, and refuses none.
    pub fn count_for(&self, ente: &str, token: u64, now: Timestamp) {
        if let Some(used) = self.on(now).of(ente).operator(token) {
            used.exchanges += 1;
        }
    }

    /// Counts the persons of a reply before it leaves: all of them or none, in the quotas of the ente and its
    /// operator. If a quota does not suffice, the exchange is not recorded and does not count for the day. It
    /// was made, and counts for the minute.
    pub fn read(
        &self,
        ente: &str,
        quote: &Quote,
        operator: Option<Operator<'_>>,
        persons: &[u64],
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let mut today = self.on(now);
        let OfEnte { own, operators } = today.of(ente);
        let mut operator =
            operator.and_then(|operator| Some((operators.get_mut(&operator.token)?, operator.quote)));
        let may = own.may_read(quote, persons, now);
        let may = may.and_then(|()| {
            operator
                .as_ref()
                .map_or(Ok(()), |(used, quote)| used.may_read(quote, persons, now))
        });
        for used in std::iter::once(own).chain(operator.as_mut().map(|(used, _)| &mut **used)) {
            match may {
                Ok(()) => used.persons.extend(persons),
                Err(_) => used.exchanges = used.exchanges.saturating_sub(1),
            }
        }
        may
    }

    /// Counts an entry of this day from the log: recorded before the start, or by others.
    pub fn recount(&self, body: &Glance<'_>, today: Date) {
        let (Kind::Exchange, Some(ente)) = (body.kind, &body.ente) else {
            return;
        };
        if !was_counted(body) {
            return;
        }
        let received = body.received.parse::<Timestamp>();
        if received.map_or(true, |received| day(received) != today) {
            return;
        }
        let tokens = body.tokens.as_ref();
        let operator = tokens.and_then(|tokens| tokens.operator.as_deref()).map(digest);
        let reads = body
            .operation
            .as_deref()
            .and_then(Operation::by_name)
            .is_some_and(Operation::discloses);
        let persons = tokens
            .filter(|_| reads)
            .into_iter()
            .flat_map(|tokens| &tokens.cf)
            .map(|token| digest(token));
        let persons: Vec<u64> = persons.collect();
        let mut counted = self.lock();
        counted.begin(today, body.received.parse().unwrap_or_default());
        let of_ente = counted.of(ente);
        if let Some(used) = operator.and_then(|token| of_ente.operator(token)) {
            used.exchanges += 1;
            used.persons.extend(&persons);
        }
        of_ente.own.exchanges += 1;
        of_ente.own.persons.extend(&persons);
    }

    /// Writes the use of the latest day. Buckets of the minute are left out: a start forgets them.
    pub fn write(&self, out: &mut ByteOut) {
        let today = self.lock();
        out.text(&today.day.to_string());
        out.count(today.enti.len());
        for (ente, OfEnte { own, operators }) in &today.enti {
            out.text(ente);
            own.write(out);
            out.count(operators.len());
            for (token, used) in operators {
                out.long(*token);
                used.write(out);
            }
        }
    }

    /// Reads what [`Quotas::write`] wrote. None: these bytes are something else.
    pub fn read_back(from: &mut ByteIn<'_>) -> Option<Self> {
        let day = from.text()?.parse().ok()?;
        let mut enti = HashMap::new();
        for _ in 0..from.count()? {
            let ente = from.text()?.to_owned();
            let own = Used::read(from)?;
            let mut operators = HashMap::new();
            for _ in 0..from.count()? {
                operators.insert(from.long()?, Used::read(from)?);
            }
            enti.insert(ente, OfEnte { own, operators });
        }
        Some(Self {
            today: Mutex::new(Today { day, enti }),
        })
    }

    /// The latest day of any exchange counted.
    pub fn day(&self) -> Date {
        self.lock().day
    }

    /// Goes on from the counts of an earlier process.
    pub fn take_up(&self, left: Self) {
        *self.lock() = left.today.into_inner().unwrap_or_else(PoisonError::into_inner);
    }

    /// The use of the day by each ente: exchanges and persons.
    pub fn used(&self, now: Timestamp) -> Vec<(String, u64, u64)> {
        let today = self.on(now);
        today
            .enti
            .iter()
            .map(|(ente, used)| (ente.clone(), used.own.exchanges, used.own.persons.len() as u64))
            .collect()
    }

    /// The counts of the civil day of `now`.
    fn on(&self, now: Timestamp) -> MutexGuard<'_, Today> {
        let mut today = self.lock();
        today.begin(day(now), now);
        today
    }

    fn lock(&self) -> MutexGuard<'_, Today> {
        self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Today {
    /// Begins a new day: only the buckets of the minute stay.
    fn begin(&mut self, day: Date, now: Timestamp) {
        if day < self.day && is_before(now, self.day) {
            // The clock had gone ahead: the counts belong to the present day, and are forgotten at its end.
            self.day = day;
        }
        if day <= self.day {
            return;
        }
        self.day = day;
        let now = now.as_microsecond();
        let rest = |used: Used| {
            Some(Used {
                full_at: used.full_at,
                ..Used::default()
            })
            .filter(|used| used.full_at > now)
        };
        let enti = std::mem::take(&mut self.enti).into_iter().map(|(ente, used)| {
            let operators = used
                .operators
                .into_iter()
                .filter_map(|(token, used)| Some((token, rest(used)?)))
                .collect();
            (
                ente,
                OfEnte {
                    own: rest(used.own).unwrap_or_default(),
                    operators,
                },
            )
        });
        self.enti = enti.collect();
    }

    fn of(&mut self, ente: &str) -> &mut OfEnte {
        self.enti.entry(ente.to_owned()).or_default()
    }
}

impl OfEnte {
    /// The use by an operator. None if the ente has too many operators.
    fn operator(&mut self, token: u64) -> Option<&mut Used> {
        let full = self.operators.len() >= OPERATORS && !self.operators.contains_key(&token);
        (!full).then(|| self.operators.entry(token).or_default())
    }
}

/// The refusal of an operator over `OPERATORS`, until midnight.
fn crowded(now: Timestamp) -> Exceeded {
    let reset = midnight(now);
    Exceeded {
        standing: Standing {
            limit: OPERATORS as u64,
            remaining: 0,
            reset,
        },
        retry_after: reset,
    }
}

/// Whether an exchange was counted when it was made. It was not if the ente was not let in, or if the request
/// ended before it could be told apart from others. From that point on its entry has a time for the head.
fn was_counted(body: &Glance<'_>) -> bool {
    let refused = body.refusal.as_deref().and_then(code_of);
    let early = matches!(
        refused,
        Some(Code::NotAuthorized | Code::PeerInvalid | Code::Malformed)
    );
    !early || body.micros.is_some_and(|micros| micros.head > 0)
}

/// The share of one request in the minute, at `limit` a minute, microseconds.
fn each(limit: u32) -> i64 {
    (MINUTE / i64::from(limit.max(1))).max(1)
}

impl Used {
    fn write(&self, out: &mut ByteOut) {
        out.long(self.exchanges);
        out.count(self.persons.len());
        self.persons.iter().for_each(|person| out.long(*person));
    }

    fn read(from: &mut ByteIn<'_>) -> Option<Self> {
        let exchanges = from.long()?;
        let count = from.count()?;
        let persons = from.take(count.checked_mul(8)?)?.as_chunks().0;
        Some(Self {
            exchanges,
            persons: persons.iter().copied().map(u64::from_le_bytes).collect(),
            ..Self::default()
        })
    }

    /// Takes one more exchange. Returns the quota nearest to its end; None without quotas.
    fn take(&mut self, quote: &Quote, now: Timestamp) -> Result<Option<Standing>, Exceeded> {
        let daily = quote.al_giorno.map(|limit| Standing {
            limit,
            remaining: limit.saturating_sub(self.exchanges),
            reset: midnight(now),
        });
        if let Some(standing) = daily.filter(|standing| standing.remaining == 0) {
            return Err(Exceeded {
                standing,
                retry_after: standing.reset,
            });
        }
        let minute = quote.al_minuto.map(|limit| self.minute(limit, now)).transpose()?;
        self.exchanges += 1;
        let daily = daily.map(|standing| Standing {
            remaining: standing.remaining - 1,
            ..standing
        });
        Ok([minute, daily]
            .into_iter()
            .flatten()
            .min_by_key(|standing| standing.remaining))
    }

    /// Whether these persons may be read. Persons already counted today do not count again.
    fn may_read(&self, quote: &Quote, persons: &[u64], now: Timestamp) -> Result<(), Exceeded> {
        let Some(limit) = quote.persone_al_giorno else {
            return Ok(());
        };
        let new = persons
            .iter()
            .filter(|person| !self.persons.contains(person))
            .collect::<HashSet<_>>()
            .len() as u64;
        let read = self.persons.len() as u64;
        if new > 0 && read + new > limit {
            let reset = midnight(now);
            return Err(Exceeded {
                standing: Standing {
                    limit,
                    remaining: limit.saturating_sub(read),
                    reset,
                },
                retry_after: reset,
            });
        }
        Ok(())
    }

    /// Takes one out of a bucket of `limit`, filled within a minute.
    fn minute(&mut self, limit: u32, now: Timestamp) -> Result<Standing, Exceeded> {
        let now = now.as_microsecond();
        let each = each(limit);
        // A minute ahead at most: more is possible only after the clock was put back.
        self.full_at = self.full_at.clamp(now, now + MINUTE);
        let full_at = self.full_at + each;
        let standing = |full_at: i64| Standing {
            limit: u64::from(limit),
            remaining: u64::try_from((MINUTE - (full_at - now)).max(0) / each).unwrap_or_default(),
            reset: seconds(full_at - now),
        };
        if full_at - now > MINUTE {
            return Err(Exceeded {
                standing: standing(self.full_at),
                retry_after: seconds(full_at - now - MINUTE).max(1),
            });
        }
        self.full_at = full_at;
        Ok(standing(full_at))
    }
}

/// Whether it is well before a day begins: by more than any request is late.
fn is_before(now: Timestamp, day: Date) -> bool {
    let begins = day.to_zoned(rome(now).time_zone().clone());
    begins.is_ok_and(|begins| begins.timestamp().as_microsecond() - now.as_microsecond() > 60 * MINUTE)
}

/// Microseconds as whole seconds, rounded up.
fn seconds(micros: i64) -> u64 {
    u64::try_from(micros.max(0).saturating_add(999_999) / 1_000_000).unwrap_or_default()
}

/// Seconds until the next civil day, in Italy.
fn midnight(now: Timestamp) -> u64 {
    let here = rome(now);
    let next = here.start_of_day().and_then(|start| start.checked_add(1.day()));
    next.map_or(86_400, |next| {
        seconds(next.timestamp().as_microsecond() - now.as_microsecond())
    })
}

/// A token of the ledger, cut to its first half for counting.
pub fn digest(token: &str) -> u64 {
    token
        .get(..16)
        .and_then(|half| u64::from_str_radix(half, 16).ok())
        .unwrap_or_default()
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
        let quote = Quote {
            al_minuto: Some(6),
            ..Quote::default()
        };
        let start = at("2026-11-22T10:00:00Z");
        for left in (0..6).rev() {
            let standing = quotas.take("comune", &quote, start).unwrap().unwrap();
            assert_eq!((standing.limit, standing.remaining), (6, left));
        }
        let exceeded = quotas.take("comune", &quote, start).unwrap_err();
        assert_eq!(
            (
                exceeded.standing.remaining,
                exceeded.standing.reset,
                exceeded.retry_after
            ),
            (0, 60, 10)
        );
        assert!(
            quotas.take("altro", &quote, start).is_ok(),
            "another ente's bucket"
        );
        assert!(quotas.take("comune", &quote, at("2026-11-22T10:00:09Z")).is_err());
        assert!(quotas.take("comune", &quote, at("2026-11-22T10:00:10Z")).is_ok());
    }

    #[test]
    fn a_day_is_the_italian_one() {
        let quotas = Quotas::default();
        let quote = Quote {
            al_giorno: Some(2),
            ..Quote::default()
        };
        let late = at("2026-11-22T22:59:00Z");
        assert_eq!(quotas.take("comune", &quote, late).unwrap().unwrap().remaining, 1);
        assert_eq!(
            quotas.take("comune", &quote, late).unwrap().unwrap(),
            Standing {
                limit: 2,
                remaining: 0,
                reset: 60
            }
        );
        assert_eq!(quotas.take("comune", &quote, late).unwrap_err().retry_after, 60);
        assert!(
            quotas.take("comune", &quote, at("2026-11-22T23:00:00Z")).is_ok(),
            "midnight has passed"
        );
    }

    #[test]
    fn persons_are_counted_once_and_together() {
        let quotas = Quotas::default();
        let quote = Quote {
            persone_al_giorno: Some(3),
            ..Quote::default()
        };
        let now = at("2026-11-22T10:00:00Z");
        quotas.read("comune", &quote, None, &[1, 2], now).unwrap();
        quotas.read("comune", &quote, None, &[2, 1], now).unwrap();
        assert_eq!(
            quotas
                .read("comune", &quote, None, &[1, 3, 4], now)
                .unwrap_err()
                .standing
                .remaining,
            1
        );
        quotas.read("comune", &quote, None, &[3, 3], now).unwrap();
        quotas.read("comune", &quote, None, &[1, 2, 3], now).unwrap();
        assert!(quotas.read("comune", &quote, None, &[5], now).is_err());
        let none = Quote::default();
        let operator = |token| Some(Operator { token, quote: &quote });
        for token in [9, 10] {
            quotas
                .take_for("comune", &none, Operator { token, quote: &quote }, now)
                .unwrap();
        }
        assert!(
            quotas.read("comune", &quote, operator(9), &[5], now).is_err(),
            "the ente's own"
        );
        assert!(quotas.read("comune", &none, operator(9), &[5, 6, 7], now).is_ok());
        assert!(quotas.read("comune", &none, operator(9), &[8], now).is_err());
        assert!(
            quotas.read("comune", &none, operator(10), &[8], now).is_ok(),
            "another operator"
        );
    }

    #[test]
    fn what_is_late_counts_on_the_day_that_has_begun() {
        let quotas = Quotas::default();
        let quote = Quote {
            al_giorno: Some(3),
            persone_al_giorno: Some(3),
            ..Quote::default()
        };
        let (late, new) = (at("2026-11-22T22:59:59Z"), at("2026-11-22T23:00:01Z"));
        assert_eq!(quotas.take("comune", &quote, new).unwrap().unwrap().remaining, 2);
        quotas.read("comune", &quote, None, &[1, 2], new).unwrap();
        assert_eq!(quotas.take("comune", &quote, late).unwrap().unwrap().remaining, 1);
        quotas.read("comune", &quote, None, &[3], late).unwrap();
        assert_eq!(quotas.take("comune", &quote, new).unwrap().unwrap().remaining, 0);
        assert!(
            quotas.read("comune", &quote, None, &[4], new).is_err(),
            "nothing was forgotten"
        );
        assert_eq!(quotas.used(new), [("comune".to_owned(), 2, 3)]);
    }

    #[test]
    fn what_the_operator_may_not_is_not_taken_from_the_ente() {
        let quotas = Quotas::default();
        let (ente, quote) = (
            Quote {
                al_minuto: Some(6),
                al_giorno: Some(10),
                ..Quote::default()
            },
            Quote {
                al_giorno: Some(1),
                ..Quote::default()
            },
        );
        let now = at("2026-11-22T10:00:00Z");
        let ask = |token| {
            quotas.take("comune", &ente, now).unwrap();
            quotas.take_for("comune", &ente, Operator { token, quote: &quote }, now)
        };
        assert!(ask(1).is_ok());
        for _ in 0..20 {
            assert!(ask(1).is_err());
        }
        assert!(ask(2).is_ok());
        assert_eq!(quotas.used(now), [("comune".to_owned(), 2, 0)]);
        assert_eq!(
            quotas.take("comune", &ente, now).unwrap().unwrap().remaining,
            3,
            "of the minute"
        );
    }

    #[test]
    fn a_clock_that_had_gone_ahead_keeps_nobody_out_after_the_day() {
        let quotas = Quotas::default();
        let quote = Quote {
            al_giorno: Some(2),
            ..Quote::default()
        };
        quotas.take("comune", &quote, at("2026-12-22T10:00:00Z")).unwrap();
        // Put right: the exchange counts today, and not tomorrow.
        quotas.take("comune", &quote, at("2026-11-22T10:00:00Z")).unwrap();
        assert!(quotas.take("comune", &quote, at("2026-11-22T10:00:00Z")).is_err());
        assert_eq!(
            quotas
                .take("comune", &quote, at("2026-11-23T10:00:00Z"))
                .unwrap()
                .unwrap()
                .remaining,
            1
        );
    }

    #[test]
    fn an_operator_counts_before_a_quota_is_set_and_where_refused() {
        let quotas = Quotas::default();
        let now = at("2026-11-22T10:00:00Z");
        let (none, quote) = (
            Quote::default(),
            Quote {
                al_giorno: Some(3),
                persone_al_giorno: Some(1),
                ..Quote::default()
            },
        );
        quotas
            .take_for(
                "comune",
                &none,
                Operator {
                    token: 9,
                    quote: &none,
                },
                now,
            )
            .unwrap();
        quotas
            .read(
                "comune",
                &none,
                Some(Operator {
                    token: 9,
                    quote: &none,
                }),
                &[1],
                now,
            )
            .unwrap();
        quotas.count_for("comune", 9, now);
        let standing = quotas
            .take_for(
                "comune",
                &none,
                Operator {
                    token: 9,
                    quote: &quote,
                },
                now,
            )
            .unwrap()
            .unwrap();
        assert_eq!(standing.remaining, 0);
        assert!(
            quotas
                .read(
                    "comune",
                    &none,
                    Some(Operator {
                        token: 9,
                        quote: &quote
                    }),
                    &[2],
                    now
                )
                .is_err()
        );
    }

    #[test]
    fn a_clock_put_back_locks_nobody_out() {
        let quotas = Quotas::default();
        let quote = Quote {
            al_minuto: Some(60),
            ..Quote::default()
        };
        quotas.take("comune", &quote, at("2026-11-22T11:00:00Z")).unwrap();
        assert_eq!(
            quotas
                .take("comune", &quote, at("2026-11-22T10:00:00Z"))
                .unwrap_err()
                .retry_after,
            1
        );
        assert!(quotas.take("comune", &quote, at("2026-11-22T10:00:01Z")).is_ok());
        let most = Quote {
            al_minuto: Some(u32::MAX),
            ..Quote::default()
        };
        assert!(quotas.take("altro", &most, at("2026-11-22T10:00:01Z")).is_ok());
    }
}
