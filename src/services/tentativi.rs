//! Failed attempts: protocols named in vain by an ente. There is no such DSU, or the ente may not name it for
//! this person.
//!
//! Protocols can be guessed. Each ente has a bucket of attempts, and one more for each declarant named in its
//! requests; both fill again with time. With an empty bucket a request naming a protocol is refused, before
//! the archive is asked. VerificaEsistenzaProtocollo takes from the declarant's bucket alone: an ente
//! checking the protocols of many applicants meets their mistakes. No bucket spans two enti: nobody can lock
//! a family out of the ente it goes to. An attempt is reserved before the archive is asked: many requests at
//! once get no more than one after another.
//!
//! Exchanges record their failed attempts (fact `tentativi`: the number, by the declarant's token). A start
//! counts those of the last twelve hours again, or those since a clean stop left the buckets in a file; after
//! twelve hours each bucket is full. So a restart forgets nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::binary::{ByteIn, ByteOut};
use crate::contract::catalogue::Operation;
use crate::ledger::{Glance, Kind};

/// One hour, in microseconds.
const HOUR: i64 = 3_600_000_000;
/// Of an ente: 60, then one a minute. A CAF with one mistyped protocol in ten still transmits six hundred DSU
/// an hour.
const OF_ENTE: Secchio = Secchio {
    size: 60,
    each: HOUR / 60,
};
/// Of an ente for a declarant: 10, then six an hour.
const OF_DECLARANT: Secchio = Secchio {
    size: 10,
    each: HOUR / 6,
};
/// The longest time until a bucket is full again, also after a clock ahead of time, or a request with many
/// protocols.
const LONGEST: i64 = 12 * HOUR;
/// At this number of declarants' buckets the full ones are thrown away.
const MANY: usize = 4096;
/// How far back a start counts: no bucket takes longer to fill.
pub const RECOUNTED: SignedDuration = SignedDuration::from_micros(LONGEST);

/// Size and pace of a kind of bucket.
#[derive(Clone, Copy, Debug)]
struct Secchio {
    /// The number of attempts in a full bucket.
    size: i64,
    /// Time for one attempt to come back, microseconds.
    each: i64,
}

/// The owner of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Di {
    /// The ente's own bucket.
    Ente,
    /// The ente's bucket for one declarant.
    Dichiarante,
}

impl Di {
    /// The name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ente => "ente",
            Self::Dichiarante => "dichiarante",
        }
    }
}

/// A bucket without enough attempts for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Esaurito {
    /// The number of attempts in a full bucket.
    pub limit: u64,
    /// Seconds until it is full.
    pub reset: u64,
    /// Seconds until it holds enough for this request.
    pub retry_after: u64,
}

/// A newly emptied bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Svuotato {
    /// Code of its ente.
    pub ente: String,
    /// The ente's own, or one for a declarant.
    pub di: Di,
}

/// Failed attempts of one exchange, by the declarant's token; by an empty text without a declarant.
pub type Mancati = BTreeMap<String, u32>;

/// The asker: an ente, perhaps in a declarant's name.
#[derive(Clone, Copy, Debug)]
pub struct Chi<'a> {
    /// Code of the ente.
    pub ente: &'a str,
    /// Token of the declarant, if any.
    pub dichiarante: Option<&'a str>,
    /// Whether the ente's own bucket counts too.
    pub anche_ente: bool,
}

impl<'a> Chi<'a> {
    /// The asker of an operation.
    pub fn of(operation: Operation, ente: &'a str, dichiarante: Option<&'a str>) -> Self {
        Self {
            ente,
            dichiarante,
            anche_ente: operation.attempts_count_for_the_ente(),
        }
    }
}

/// Attempts reserved for one declaration.
#[derive(Debug)]
#[must_use = "what is reserved must be settled"]
pub struct Riserva {
    ente: String,
    /// Token of the declarant, if any.
    pub(super) dichiarante: Option<String>,
    anche_ente: bool,
    named: u32,
}

impl Riserva {
    fn chi(&self) -> Chi<'_> {
        Chi {
            ente: &self.ente,
            dichiarante: self.dichiarante.as_deref(),
            anche_ente: self.anche_ente,
        }
    }
}

/// All buckets except the full ones. A bucket is the instant at which it is full again, microseconds since
/// the epoch.
#[derive(Debug, Default)]
pub struct Tentativi {
    secchi: Mutex<Secchi>,
}

#[derive(Debug, Default)]
struct Secchi {
    enti: HashMap<String, i64>,
    dichiaranti: HashMap<(String, String), i64>,
    /// Buckets emptied and not yet reported.
    svuotati: Vec<Svuotato>,
}

impl Tentativi {
    /// Reserves one attempt for each named protocol, of the ente's bucket and the declarant's: of both or of
    /// neither. A full bucket is enough for any request; the excess over its size must come back before the
    /// next. A request without protocols takes nothing and is never refused.
    pub fn reserve(&self, chi: Chi<'_>, named: u32, now: Timestamp) -> Result<Riserva, Esaurito> {
        let now = now.as_microsecond();
        let Chi {
            ente,
            dichiarante,
            anche_ente,
        } = chi;
        let riserva = Riserva {
            ente: ente.to_owned(),
            dichiarante: dichiarante.map(str::to_owned),
            anche_ente,
            named,
        };
        if named == 0 {
            return Ok(riserva);
        }
        let mut secchi = self.lock();
        for (_, kind, full_at) in secchi.of(chi) {
            kind.may_take(*full_at, named, now)?;
        }
        secchi.take(chi, named, now);
        Ok(riserva)
    }

    /// Gives back the attempts without a failure.
    pub fn settle(&self, riserva: Riserva, failed: u32, now: Timestamp) {
        let now = now.as_microsecond();
        let chi = riserva.chi();
        let mut secchi = self.lock();
        secchi.give_back(chi, riserva.named.saturating_sub(failed));
        if failed > 0 {
            secchi.note_empty(chi, failed, now);
        }
        secchi.forget(chi, now);
    }

    /// Gives back the attempts of an exchange about to begin again and take them again.
    pub fn give_back(&self, operation: Operation, ente: &str, mancati: &Mancati) {
        let mut secchi = self.lock();
        for (dichiarante, failed) in mancati {
            secchi.give_back(Chi::of(operation, ente, named(dichiarante)), *failed);
        }
    }

    /// Buckets emptied since the last call: one each time it happens.
    pub fn emptied(&self) -> Vec<Svuotato> {
        std::mem::take(&mut self.lock().svuotati)
    }

    /// Enti with an empty bucket: whether their own is empty, and the number of empty ones for declarants.
    pub fn exhausted(&self, now: Timestamp) -> BTreeMap<String, (bool, usize)> {
        let now = now.as_microsecond();
        let secchi = self.lock();
        let mut exhausted: BTreeMap<String, (bool, usize)> = BTreeMap::new();
        for (ente, _) in secchi
            .enti
            .iter()
            .filter(|(_, full_at)| OF_ENTE.is_empty(**full_at, now))
        {
            exhausted.entry(ente.clone()).or_default().0 = true;
        }
        for ((ente, _), _) in secchi
            .dichiaranti
            .iter()
            .filter(|(_, full_at)| OF_DECLARANT.is_empty(**full_at, now))
        {
            exhausted.entry(ente.clone()).or_default().1 += 1;
        }
        exhausted
    }

    /// Counts an exchange recorded before the start.
    pub fn recount(&self, body: &Glance<'_>) {
        let (Kind::Exchange, Some(ente), Ok(received)) =
            (body.kind, &body.ente, body.received.parse::<Timestamp>())
        else {
            return;
        };
        let operation = body.operation.as_deref().and_then(Operation::by_name);
        let anche_ente = operation.is_none_or(Operation::attempts_count_for_the_ente);
        for (dichiarante, failed) in &body.facts.tentativi {
            let chi = Chi {
                ente,
                dichiarante: named(dichiarante),
                anche_ente,
            };
            self.lock().take(chi, *failed, received.as_microsecond());
        }
    }

    /// Writes all buckets.
    pub fn write(&self, out: &mut ByteOut) {
        let secchi = self.lock();
        out.count(secchi.enti.len());
        for (ente, full_at) in &secchi.enti {
            out.text(ente);
            out.long(full_at.cast_unsigned());
        }
        out.count(secchi.dichiaranti.len());
        for ((ente, dichiarante), full_at) in &secchi.dichiaranti {
            out.text(ente);
            out.text(dichiarante);
            out.long(full_at.cast_unsigned());
        }
    }

    /// Reads what [`Tentativi::write`] wrote. None: these bytes are something else.
    pub fn read_back(from: &mut ByteIn<'_>) -> Option<Self> {
        let mut secchi = Secchi::default();
        for _ in 0..from.count()? {
            secchi
                .enti
                .insert(from.text()?.to_owned(), from.long()?.cast_signed());
        }
        for _ in 0..from.count()? {
            let of = (from.text()?.to_owned(), from.text()?.to_owned());
            secchi.dichiaranti.insert(of, from.long()?.cast_signed());
        }
        Some(Self {
            secchi: Mutex::new(secchi),
        })
    }

    /// Goes on from the buckets of an earlier process.
    pub fn take_up(&self, left: Self) {
        *self.lock() = left.secchi.into_inner().unwrap_or_else(PoisonError::into_inner);
    }

    fn lock(&self) -> MutexGuard<'_, Secchi> {
        self.secchi.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The declarant's token. An empty text stands for no declarant.
fn named(dichiarante: &str) -> Option<&str> {
    Some(dichiarante).filter(|token| !token.is_empty())
}

impl Secchi {
    /// The buckets of an ente and a declarant.
    fn of<'a>(&'a mut self, chi: Chi<'_>) -> impl Iterator<Item = (Di, Secchio, &'a mut i64)> {
        if self.dichiaranti.len() >= MANY {
            let latest = self.dichiaranti.values().copied().max().unwrap_or_default();
            self.dichiaranti.retain(|_, full_at| *full_at > latest - LONGEST);
        }
        let own = chi
            .anche_ente
            .then(|| self.enti.entry(chi.ente.to_owned()).or_default());
        let declarants = chi.dichiarante.map(|token| {
            self.dichiaranti
                .entry((chi.ente.to_owned(), token.to_owned()))
                .or_default()
        });
        let own = own.into_iter().map(|full_at| (Di::Ente, OF_ENTE, full_at));
        own.chain(declarants.map(|full_at| (Di::Dichiarante, OF_DECLARANT, full_at)))
    }

    fn take(&mut self, chi: Chi<'_>, count: u32, now: i64) {
        for (_, kind, full_at) in self.of(chi) {
            *full_at = (*full_at)
                .clamp(now, now + LONGEST)
                .saturating_add(kind.each.saturating_mul(i64::from(count)))
                .min(now + LONGEST);
        }
    }

    fn give_back(&mut self, chi: Chi<'_>, count: u32) {
        for (_, kind, full_at) in self.of(chi) {
            *full_at = full_at.saturating_sub(kind.each.saturating_mul(i64::from(count)));
        }
    }

    /// Notes the buckets emptied by these failed attempts.
    fn note_empty(&mut self, chi: Chi<'_>, failed: u32, now: i64) {
        let emptied = self.of(chi).filter_map(|(di, kind, full_at)| {
            let before = *full_at - kind.each.saturating_mul(i64::from(failed));
            (kind.is_empty(*full_at, now) && !kind.is_empty(before, now)).then(|| Svuotato {
                ente: chi.ente.to_owned(),
                di,
            })
        });
        let emptied: Vec<Svuotato> = emptied.collect();
        self.svuotati.extend(emptied);
    }

    /// Forgets the asker's buckets once full.
    fn forget(
        &mut self,
        Chi {
            ente, dichiarante, ..
        }: Chi<'_>,
        now: i64,
    ) {
        if self.enti.get(ente).is_some_and(|full_at| *full_at <= now) {
            self.enti.remove(ente);
        }
        let Some(token) = dichiarante else { return };
        let key = (ente.to_owned(), token.to_owned());
        if self.dichiaranti.get(&key).is_some_and(|full_at| *full_at <= now) {
            self.dichiaranti.remove(&key);
        }
    }
}

impl Secchio {
    /// Whether it holds less than one attempt.
    fn is_empty(self, full_at: i64, now: i64) -> bool {
        full_at - now > (self.size - 1) * self.each
    }

    /// Fails unless the bucket holds `count` attempts or is full.
    fn may_take(self, full_at: i64, count: u32, now: i64) -> Result<(), Esaurito> {
        let used = full_at.clamp(now, now + LONGEST) - now;
        let over = used + i64::from(count).min(self.size) * self.each - self.size * self.each;
        if over <= 0 {
            return Ok(());
        }
        let seconds =
            |micros: i64| u64::try_from(micros.saturating_add(999_999) / 1_000_000).unwrap_or_default();
        Err(Esaurito {
            limit: self.size.unsigned_abs(),
            reset: seconds(used),
            retry_after: seconds(over).max(1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn chi<'a>(ente: &'a str, dichiarante: Option<&'a str>) -> Chi<'a> {
        Chi::of(Operation::TrasmissioneDsu, ente, dichiarante)
    }

    /// One failing attempt.
    fn fail(
        tentativi: &Tentativi,
        ente: &str,
        dichiarante: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Esaurito> {
        tentativi
            .reserve(chi(ente, dichiarante), 1, now)
            .map(|riserva| tentativi.settle(riserva, 1, now))
    }

    #[test]
    fn a_declarants_bucket_empties_and_fills_again() {
        let (tentativi, start) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        for _ in 0..10 {
            fail(&tentativi, "caf", Some("a"), start).unwrap();
        }
        let refused = fail(&tentativi, "caf", Some("a"), start).unwrap_err();
        assert_eq!(
            refused,
            Esaurito {
                limit: 10,
                reset: 6000,
                retry_after: 600
            }
        );
        assert_eq!(
            tentativi.emptied(),
            [Svuotato {
                ente: "caf".to_owned(),
                di: Di::Dichiarante
            }]
        );
        assert_eq!(tentativi.exhausted(start)["caf"], (false, 1));
        // Refused requests change nothing, and are no second emptying.
        assert!(fail(&tentativi, "caf", Some("a"), at("2026-11-22T10:09:59Z")).is_err());
        assert!(tentativi.emptied().is_empty());
        fail(&tentativi, "caf", Some("a"), at("2026-11-22T10:10:00Z")).unwrap();
        assert!(fail(&tentativi, "caf", Some("a"), at("2026-11-22T10:10:00Z")).is_err());
        assert_eq!(tentativi.emptied().len(), 1);
    }

    #[test]
    fn nobody_locks_a_family_out_of_another_ente() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        for _ in 0..10 {
            fail(&tentativi, "caf", Some("a"), now).unwrap();
        }
        assert!(fail(&tentativi, "caf", Some("a"), now).is_err());
        fail(&tentativi, "altro", Some("a"), now).unwrap();
        fail(&tentativi, "caf", Some("b"), now).unwrap();
    }

    #[test]
    fn who_verifies_protocols_is_stopped_for_one_declarant_and_not_for_the_others() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        let verify = |declarant: &str| {
            let chi = Chi::of(Operation::PddProtocollo, "comune", Some(declarant));
            tentativi
                .reserve(chi, 1, now)
                .map(|riserva| tentativi.settle(riserva, 1, now))
        };
        for number in 0..200 {
            verify(&number.to_string()).unwrap();
        }
        for _ in 0..10 {
            verify("a").unwrap();
        }
        assert!(verify("a").is_err() && verify("b").is_ok());
        assert_eq!(
            tentativi.emptied(),
            [Svuotato {
                ente: "comune".to_owned(),
                di: Di::Dichiarante
            }]
        );
        // The ente's transmissions lose no attempts by it.
        fail(&tentativi, "comune", Some("c"), now).unwrap();
    }

    #[test]
    fn an_entes_bucket_holds_sixty_whoever_the_declarant() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        for number in 0..60 {
            fail(&tentativi, "caf", Some(&number.to_string()), now).unwrap();
        }
        assert_eq!(
            fail(&tentativi, "caf", Some("other"), now)
                .unwrap_err()
                .retry_after,
            60
        );
        assert!(fail(&tentativi, "caf", None, now).is_err());
        assert_eq!(
            tentativi.emptied(),
            [Svuotato {
                ente: "caf".to_owned(),
                di: Di::Ente
            }]
        );
        fail(&tentativi, "caf", None, at("2026-11-22T10:01:00Z")).unwrap();
    }

    #[test]
    fn what_does_not_fail_costs_nothing() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        for _ in 0..1000 {
            let riserva = tentativi.reserve(chi("caf", Some("a")), 3, now).unwrap();
            tentativi.settle(riserva, 0, now);
        }
        let secchi = tentativi.lock();
        assert!(
            secchi.enti.is_empty() && secchi.dichiaranti.is_empty(),
            "full buckets are forgotten"
        );
    }

    #[test]
    fn many_at_once_get_no_more_than_one_after_another() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        let under_way: Vec<_> = (0..50)
            .filter_map(|_| tentativi.reserve(chi("caf", Some("a")), 1, now).ok())
            .collect();
        assert_eq!(under_way.len(), 10);
        under_way
            .into_iter()
            .for_each(|riserva| tentativi.settle(riserva, 0, now));
        assert!(tentativi.reserve(chi("caf", Some("a")), 1, now).is_ok());
    }

    #[test]
    fn one_request_with_many_protocols_pays_for_all_of_them() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        let riserva = tentativi.reserve(chi("caf", Some("a")), 15, now).unwrap();
        tentativi.settle(riserva, 15, now);
        assert_eq!(
            fail(&tentativi, "caf", Some("a"), now).unwrap_err().retry_after,
            3600
        );
        // A request naming more than are left must wait.
        fail(&tentativi, "caf", Some("b"), now).unwrap();
        assert!(tentativi.reserve(chi("caf", Some("b")), 15, now).is_err());
    }

    #[test]
    fn who_names_no_protocol_is_never_refused() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        let riserva = tentativi.reserve(chi("caf", Some("a")), 4000, now).unwrap();
        tentativi.settle(riserva, 4000, now);
        assert!(
            tentativi.reserve(chi("caf", Some("a")), 1, now).is_err()
                && tentativi.reserve(chi("caf", Some("b")), 1, now).is_err()
        );
        for declarant in [Some("a"), Some("b"), None] {
            let riserva = tentativi.reserve(chi("caf", declarant), 0, now).unwrap();
            tentativi.settle(riserva, 0, now);
        }
    }

    #[test]
    fn an_exchange_that_begins_again_pays_once() {
        let (tentativi, now) = (Tentativi::default(), at("2026-11-22T10:00:00Z"));
        for _ in 0..10 {
            fail(&tentativi, "caf", Some("a"), now).unwrap();
            tentativi.give_back(
                Operation::TrasmissioneDsu,
                "caf",
                &Mancati::from([("a".to_owned(), 1)]),
            );
        }
        fail(&tentativi, "caf", Some("a"), now).unwrap();
    }

    #[test]
    fn a_restart_forgets_nothing() {
        let leaf = |received: &str, facts: &str| {
            format!(
                "{{\"v\":1,\"ledger\":\"\",\"seq\":1,\"recorded\":\"{received}\",\"received\":\"{received}\",\"kind\":\"exchange\",\"ente\":\"caf\",\
                 \"facts\":{facts}}}"
            )
        };
        let tentativi = Tentativi::default();
        for (received, facts) in [
            ("2026-11-22T10:00:00Z", "{\"tentativi\":{\"a\":7,\"\":2}}"),
            ("2026-11-22T10:00:00Z", "{\"violazioni\":1}"),
            ("2026-11-22T10:20:00Z", "{\"tentativi\":{\"a\":4}}"),
        ] {
            tentativi.recount(&Glance::read(leaf(received, facts).as_bytes()).unwrap());
        }
        // Of the seven two have come back after twenty minutes: nine are gone.
        let now = at("2026-11-22T10:20:00Z");
        fail(&tentativi, "caf", Some("a"), now).unwrap();
        assert!(fail(&tentativi, "caf", Some("a"), now).is_err());
        assert!(tentativi.exhausted(at("2026-11-22T12:20:00Z")).is_empty());
    }

    #[test]
    fn a_clock_put_back_locks_nobody_out_for_long() {
        let tentativi = Tentativi::default();
        for _ in 0..10 {
            fail(&tentativi, "caf", Some("a"), at("2027-11-22T10:00:00Z")).unwrap();
        }
        let refused = fail(&tentativi, "caf", Some("a"), at("2026-11-22T10:00:00Z")).unwrap_err();
        assert!(refused.retry_after <= 12 * 3600, "{refused:?}");
    }
}
