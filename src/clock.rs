//! Injected time.
//!
//! All decisions and all records ask a [`Clock`], made once in `main`; timers (timeouts, intervals) and the
//! stamps of log lines are exempt. A test hands in [`Clock::fixed`] and moves it by hand; clippy refuses
//! `SystemTime::now` and its likes elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

/// The source of the present time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    source: ClockSource,
}

#[derive(Clone, Debug)]
enum ClockSource {
    System,
    /// Microseconds since the Unix epoch.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock on the machine's time.
    pub fn system() -> Self {
        Self {
            source: ClockSource::System,
        }
    }

    /// A clock standing still until [`Clock::set`] moves it.
    pub fn fixed(at: Timestamp) -> Self {
        Self {
            source: ClockSource::Fixed(Arc::new(AtomicI64::new(at.as_microsecond()))),
        }
    }

    /// Moves a fixed clock, and all its clones. The system's clock is not moved.
    pub fn set(&self, at: Timestamp) {
        if let ClockSource::Fixed(micros) = &self.source {
            micros.store(at.as_microsecond(), Ordering::SeqCst);
        }
    }

    /// The present instant: the machine's, or the fixed one.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.source {
            ClockSource::System => Timestamp::now(),
            ClockSource::Fixed(micros) => {
                Timestamp::from_microsecond(micros.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
            }
        }
    }

    /// The present day in Italy: the law counts this one.
    pub fn today(&self) -> Date {
        day(self.now())
    }
}

/// Watches the machine's clock for steps: compares it with the time passed since the last call.
#[derive(Debug)]
pub struct ClockSteps {
    clock: Clock,
    wall: Timestamp,
    since: Instant,
}

impl ClockSteps {
    /// Begins to watch at the present instant.
    pub fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            wall: clock.now(),
            since: Instant::now(),
        }
    }

    /// The clock's movement since the last call, milliseconds; `None` up to a second. A slewed or drifting
    /// clock does not count as moved. A test's clock does not step.
    pub fn step(&mut self) -> Option<i64> {
        let ClockSource::System = self.clock.source else {
            return None;
        };
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let (before, now) = (self.wall, self.clock.now());
        (self.wall, self.since) = (now, Instant::now());
        let step = now.as_millisecond() - before.as_millisecond() - passed;
        (step.abs() > 1000).then_some(step)
    }
}

/// An instant as Italian clocks show it.
pub fn rome(at: Timestamp) -> Zoned {
    // The zone is compiled into the binary (`tzdb-bundle-always`). Without it UTC remains.
    at.to_zoned(TimeZone::get("Europe/Rome").unwrap_or(TimeZone::UTC))
}

/// The Italian day of an instant. Several are asked for at each exchange: what Italian clocks are ahead by is
/// looked up once an hour. They are changed on the hour.
pub fn day(at: Timestamp) -> Date {
    /// The hour since 1970 in the upper bits, the seconds ahead in the lower 20.
    static AHEAD: AtomicI64 = AtomicI64::new(i64::MIN);
    const BITS: u32 = 20;
    let hour = at.as_second().div_euclid(3600);
    let known = AHEAD.load(Ordering::Relaxed);
    let ahead = match known >> BITS == hour {
        true => i32::try_from(known & ((1 << BITS) - 1)).unwrap_or_default(),
        false => {
            let ahead = rome(at).offset().seconds();
            if ahead >= 0 {
                AHEAD.store(hour << BITS | i64::from(ahead), Ordering::Relaxed);
            }
            ahead
        }
    };
    match Offset::from_seconds(ahead) {
        Ok(offset) => offset.to_datetime(at).date(),
        Err(_) => rome(at).date(),
    }
}

/// The instant of an entry in Italian time, for people: `2026-11-30T11:00:59.25+01:00`. Any other text stays
/// as it is.
pub fn italian(recorded: &str) -> String {
    match recorded.parse::<Timestamp>() {
        Ok(at) => rome(at).strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
        Err(_) => recorded.to_owned(),
    }
}

/// RFC 3339 in UTC with microseconds: the one form of instants in entries.
pub fn rfc3339(at: Timestamp) -> String {
    let read = Offset::UTC.to_datetime(at);
    let Ok(year @ 0..=9999) = u32::try_from(read.year()) else {
        return format!("{at:.6}");
    };
    // Two digits, and what stands behind them.
    let part = |number: i8| {
        [
            b'0' + number.unsigned_abs() / 10,
            b'0' + number.unsigned_abs() % 10,
        ]
    };
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let micros = read.subsec_nanosecond().unsigned_abs() / 1000;
    for (place, number) in [(0, year), (20, micros)] {
        let length = if place == 0 { 4 } else { 6 };
        let mut rest = number;
        for digit in text.iter_mut().skip(place).take(length).rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
    }
    for (place, number) in [
        (5, read.month()),
        (8, read.day()),
        (11, read.hour()),
        (14, read.minute()),
        (17, read.second()),
    ] {
        for (to, digit) in text.iter_mut().skip(place).zip(part(number)) {
            *to = digit;
        }
    }
    // All of it is ASCII.
    String::from_utf8(text.to_vec()).unwrap_or_default()
}

impl rustls::time_provider::TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(
            std::time::Duration::from_secs(seconds),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_italian_one() {
        let clock = Clock::fixed("2026-06-30T22:30:00Z".parse().unwrap());
        assert_eq!(clock.today(), jiff::civil::date(2026, 7, 1));
        clock.set("2026-12-31T22:59:59Z".parse().unwrap());
        assert_eq!(clock.today(), jiff::civil::date(2026, 12, 31));
    }

    #[test]
    fn a_day_is_the_same_by_either_way_across_every_change_of_the_clocks() {
        let begin: Timestamp = "1969-12-31T00:30:00Z".parse().unwrap();
        for half_hours in 0..24 * 365 * 2 * 70 / 13 {
            let at = begin + jiff::SignedDuration::from_mins(half_hours * 30 * 13);
            assert_eq!(day(at), rome(at).date(), "{at}");
        }
        for change in ["2026-03-29T00:59:59Z", "2026-10-25T01:00:00Z"] {
            let change: Timestamp = change.parse().unwrap();
            for seconds in -9000..9000 {
                let at = change + jiff::SignedDuration::from_secs(seconds);
                assert_eq!(day(at), rome(at).date(), "{at}");
            }
        }
    }

    #[test]
    fn instants_have_six_decimals() {
        assert_eq!(
            rfc3339("2026-11-21T10:00:00Z".parse().unwrap()),
            "2026-11-21T10:00:00.000000Z"
        );
    }

    proptest::proptest! {
        #[test]
        fn an_instant_is_written_as_the_library_does(
            second in -62_135_596_800_i64..253_402_207_200,
            nanosecond in 0_i32..1_000_000_000,
        ) {
            let at = Timestamp::new(second, nanosecond).unwrap();
            proptest::prop_assert_eq!(rfc3339(at), format!("{at:.6}"));
        }
    }

    #[test]
    fn people_read_the_italian_time_of_an_entry() {
        assert_eq!(
            italian("2026-07-01T22:30:00.025000Z"),
            "2026-07-02T00:30:00.025+02:00"
        );
        assert_eq!(
            italian("2026-12-01T03:41:37.000000Z"),
            "2026-12-01T04:41:37+01:00"
        );
        assert_eq!(italian("-"), "-");
    }
}
