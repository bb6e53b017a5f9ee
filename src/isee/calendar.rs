//! Italian working days: Monday to Friday, without the national holidays (L. 260/1949 as amended) and Easter
//! Monday.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};

/// The days of closed offices: Saturdays, Sundays, national holidays, and further days named by an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendario {
    further: Vec<Festivo>,
}

/// A further day without work: each year, or once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Festivo {
    Yearly(i8, i8),
    Once(Date),
}

impl Calendario {
    /// Adds further days, such as a patron saint's: `06-24` each year, `2026-06-24` once. Fails with the
    /// first day in neither form.
    pub fn with(days: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            let once = text.parse().map(Festivo::Once);
            // The year 2000 is a leap year: 29 February is a day too.
            let yearly = || {
                format!("2000-{text}")
                    .parse::<Date>()
                    .map(|day| Festivo::Yearly(day.month(), day.day()))
            };
            once.or_else(|_| yearly()).map_err(|_| text.clone())
        };
        Ok(Self {
            further: days.iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// Whether offices work on a day.
    pub fn is_working(&self, day: Date) -> bool {
        let further = self.further.iter().any(|festivo| match festivo {
            Festivo::Yearly(month, of_month) => (day.month(), day.day()) == (*month, *of_month),
            Festivo::Once(once) => day == *once,
        });
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(day) && !further
    }

    /// Number of working days after `from`, up to and including `to`.
    pub fn working_days_between(&self, from: Date, to: Date) -> u32 {
        u32::try_from(self.working_days(from, to).count()).unwrap_or(u32::MAX)
    }

    /// Whether more than `days` working days lie after `from`, up to and including `to`. The count stops at
    /// the first one beyond `days`, also if `from` is centuries ago.
    pub fn is_later(&self, from: Date, to: Date, days: u32) -> bool {
        let Ok(days) = usize::try_from(days) else {
            return false;
        };
        self.working_days(from, to).nth(days).is_some()
    }

    fn working_days(&self, from: Date, to: Date) -> impl Iterator<Item = Date> {
        let days = std::iter::successors(Some(from), |day| day.tomorrow().ok()).skip(1);
        days.take_while(move |day| *day <= to)
            .filter(|day| self.is_working(*day))
    }
}

fn is_holiday(day: Date) -> bool {
    // St Francis, 4 October, is a holiday again from 2026 (L. 151/2025).
    let fixed = matches!(
        (day.month(), day.day()),
        (1, 1) | (1, 6) | (4, 25) | (5, 1) | (6, 2) | (8, 15) | (11, 1) | (12, 8) | (12, 25) | (12, 26)
    );
    let francis = day.year() >= 2026 && (day.month(), day.day()) == (10, 4);
    fixed
        || francis
        || easter(day.year())
            .checked_add(1.day())
            .is_ok_and(|monday| monday == day)
}

/// Easter Sunday of the Gregorian calendar (the anonymous algorithm of Nature, 1876).
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let a = y % 19;
    let (b, c) = (y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    // n / 31 is 3 or 4; n % 31 + 1 is the day of the month.
    date(
        year,
        i8::try_from(n / 31).unwrap_or(4),
        i8::try_from(n % 31 + 1).unwrap_or(1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_moves() {
        for (year, month, day) in [
            (2019, 4, 21),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), date(year, month, day));
        }
    }

    #[test]
    fn working_days_leave_out_weekends_and_holidays() {
        // Thursday before Easter 2026 to the Thursday after: Friday, Tuesday, Wednesday, Thursday.
        let national = Calendario::default();
        assert_eq!(
            national.working_days_between(date(2026, 4, 2), date(2026, 4, 9)),
            4
        );
        assert!(
            national.is_later(date(2026, 4, 2), date(2026, 4, 9), 3)
                && !national.is_later(date(2026, 4, 2), date(2026, 4, 9), 4)
        );
        assert!(
            national.is_later(date(1, 1, 1), date(9999, 12, 31), 4)
                && !national.is_later(date(2026, 4, 9), date(2026, 4, 2), 0)
        );
        assert_eq!(
            national.working_days_between(date(2026, 12, 23), date(2026, 12, 29)),
            3
        );
        assert_eq!(
            national.working_days_between(date(2026, 5, 5), date(2026, 5, 5)),
            0
        );
        // With Saint John's, Wednesday 24 June 2026, and a day free only once.
        let florence = Calendario::with(&["06-24".to_owned(), "2026-06-26".to_owned()]).unwrap();
        assert_eq!(
            florence.working_days_between(date(2026, 6, 22), date(2026, 6, 26)),
            2
        );
        assert_eq!(
            florence.working_days_between(date(2027, 6, 22), date(2027, 6, 25)),
            2
        );
        assert_eq!(Calendario::with(&["13-01".to_owned()]), Err("13-01".to_owned()));
    }
}
