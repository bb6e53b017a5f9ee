//! Simple types: built-in types, restricted by facets.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::pattern::Pattern;
use crate::json;

/// The built-in types understood here (XML Schema Part 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the standard")]
pub enum Builtin {
    String,
    Boolean,
    Decimal,
    Integer,
    Int,
    UnsignedInt,
    Date,
    DateTime,
    Base64Binary,
    AnyUri,
    AnySimpleType,
}

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "boolean" => Self::Boolean,
            "decimal" => Self::Decimal,
            "integer" => Self::Integer,
            "int" => Self::Int,
            "unsignedInt" => Self::UnsignedInt,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "base64Binary" => Self::Base64Binary,
            "anyURI" => Self::AnyUri,
            "anySimpleType" => Self::AnySimpleType,
            _ => return None,
        })
    }

    /// The Italian words for a value of this type.
    pub fn italian(self) -> &'static str {
        match self {
            Self::String | Self::AnySimpleType | Self::AnyUri => "un testo",
            Self::Boolean => "true oppure false",
            Self::Decimal => "un numero decimale",
            Self::Integer | Self::Int => "un numero intero",
            Self::UnsignedInt => "un numero intero non negativo",
            Self::Date => "una data (aaaa-mm-gg)",
            Self::DateTime => "una data con l'ora (aaaa-mm-ggThh:mm:ss)",
            Self::Base64Binary => "dati in base64",
        }
    }

    /// `whiteSpace`: all but strings collapse before they are judged.
    fn collapses(self) -> bool {
        !matches!(self, Self::String | Self::AnySimpleType)
    }
}

/// A built-in type with all the facets of its derivation.
#[derive(Debug)]
pub struct SimpleType {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The built-in type at the end of its restrictions; of a union, its first member.
    pub builtin: Builtin,
    /// The members of a union: a value is judged by each, and one is enough.
    pub(super) members: Vec<Builtin>,
    /// The values allowed; `None`: not enumerated.
    pub enumeration: Option<Vec<String>>,
    /// One group a derivation step: each group needs one match.
    pub(super) patterns: Vec<Vec<Pattern>>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_inclusive: Option<Value>,
    pub(super) max_inclusive: Option<Value>,
    pub(super) fraction_digits: Option<usize>,
    pub(super) total_digits: Option<usize>,
}

/// A value with an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Number(Decimal),
    Date(Day),
}

impl Value {
    pub(super) fn parse(builtin: Builtin, text: &str) -> Option<Self> {
        match builtin {
            Builtin::Decimal | Builtin::Integer | Builtin::Int | Builtin::UnsignedInt => {
                decimal(text).map(Self::Number)
            }
            Builtin::Date => day(text).map(Self::Date),
            _ => None,
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(&b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(&b)),
            _ => None,
        }
    }
}

/// The rule of a simple type broken by a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimpleBreach {
    /// Not of the built-in type.
    Form(Builtin),
    /// Not one of the enumerated values.
    Enumeration,
    /// Does not match the pattern.
    Pattern,
    /// Shorter than this many characters.
    TooShort(usize),
    /// Longer than this many characters.
    TooLong(usize),
    /// Below the minimum or above the maximum.
    Range,
    /// More decimals, or more digits, than this.
    Digits(usize),
}

impl SimpleType {
    pub(super) fn of(builtin: Builtin) -> Self {
        Self {
            name: None,
            builtin,
            members: Vec::new(),
            enumeration: None,
            patterns: Vec::new(),
            min_length: None,
            max_length: None,
            min_inclusive: None,
            max_inclusive: None,
            fraction_digits: None,
            total_digits: None,
        }
    }

    /// A union of built-in types. `None` without a member.
    pub(super) fn union(members: Vec<Builtin>) -> Option<Self> {
        let first = *members.first()?;
        Some(Self {
            members,
            ..Self::of(first)
        })
    }

    /// Judges a value: its form, then the facets. Only the first breach is reported.
    pub fn check(&self, raw: &str) -> Result<(), SimpleBreach> {
        if !self.members.is_empty() {
            let fits = self
                .members
                .iter()
                .any(|member| Self::of(*member).check(raw).is_ok());
            return if fits {
                Ok(())
            } else {
                Err(SimpleBreach::Form(self.builtin))
            };
        }
        let text = if self.builtin.collapses() {
            raw.trim_matches(super::super::parse::is_space)
        } else {
            raw
        };
        let form = Err(SimpleBreach::Form(self.builtin));
        match self.builtin {
            Builtin::String | Builtin::AnySimpleType | Builtin::AnyUri => {}
            Builtin::Boolean if matches!(text, "true" | "false" | "1" | "0") => {}
            Builtin::Boolean => return form,
            Builtin::Decimal | Builtin::Integer | Builtin::Int | Builtin::UnsignedInt => {
                let Some((number, digits)) = digits_of(text) else {
                    return form;
                };
                let fits = match self.builtin {
                    Builtin::Decimal => true,
                    Builtin::Integer => !text.contains('.'),
                    Builtin::Int => !text.contains('.') && i32::try_from(number).is_ok(),
                    _ => !text.contains('.') && u32::try_from(number).is_ok(),
                };
                if !fits {
                    return form;
                }
                self.check_digits(digits)?;
            }
            Builtin::Date if day(text).is_some() => {}
            Builtin::Date => return form,
            Builtin::DateTime if date_time(text) => {}
            Builtin::DateTime => return form,
            Builtin::Base64Binary if base64(text).is_some() => {}
            Builtin::Base64Binary => return form,
        }
        self.check_facets(text)
    }

    fn check_digits(&self, digits: Digits) -> Result<(), SimpleBreach> {
        match (self.fraction_digits, self.total_digits) {
            (Some(max), _) if digits.fraction > max => Err(SimpleBreach::Digits(max)),
            (_, Some(max)) if digits.total > max => Err(SimpleBreach::Digits(max)),
            _ => Ok(()),
        }
    }

    fn check_facets(&self, text: &str) -> Result<(), SimpleBreach> {
        if let Some(values) = &self.enumeration
            && !values.iter().any(|value| value == text)
        {
            return Err(SimpleBreach::Enumeration);
        }
        // Lengths before patterns: a clearer word for a long value.
        if self.min_length.is_some() || self.max_length.is_some() {
            let length = text.chars().count();
            if let Some(max) = self.max_length.filter(|max| length > *max) {
                return Err(SimpleBreach::TooLong(max));
            }
            if let Some(min) = self.min_length.filter(|min| length < *min) {
                return Err(SimpleBreach::TooShort(min));
            }
        }
        if !self
            .patterns
            .iter()
            .all(|group| group.iter().any(|pattern| pattern.matches(text)))
        {
            return Err(SimpleBreach::Pattern);
        }
        if self.min_inclusive.is_some() || self.max_inclusive.is_some() {
            let Some(value) = Value::parse(self.builtin, text) else {
                return Err(SimpleBreach::Range);
            };
            let below = self.min_inclusive.and_then(|min| value.compare(min)) == Some(Ordering::Less);
            let above = self.max_inclusive.and_then(|max| value.compare(max)) == Some(Ordering::Greater);
            if below || above {
                return Err(SimpleBreach::Range);
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
struct Digits {
    total: usize,
    fraction: usize,
}

/// An xs:decimal: sign, digits, at most one point, nothing else. `rust_decimal` alone would take `1_000` and
/// `1e3`. With more than 28 digits before the point the value is the largest one (the least, if negative),
/// beyond every amount. Decimals beyond 28 digits in all are left out of the value.
fn digits_of(text: &str) -> Option<(Decimal, Digits)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let digits = Digits {
        total: whole.len() + fraction.len(),
        fraction: fraction.len(),
    };
    let negative = text.starts_with('-');
    if whole.len() > 28 {
        return Some((if negative { Decimal::MIN } else { Decimal::MAX }, digits));
    }
    let kept = fraction.get(..fraction.len().min(28 - whole.len()))?;
    let mantissa = whole
        .bytes()
        .chain(kept.bytes())
        .fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    let mantissa = if negative { -mantissa } else { mantissa };
    let number = Decimal::try_from_i128_with_scale(mantissa, u32::try_from(kept.len()).ok()?).ok()?;
    Some((number, digits))
}

/// The value of an xs:decimal.
pub fn decimal(text: &str) -> Option<Decimal> {
    digits_of(text).map(|(number, _)| number)
}

/// Year, month and day. Years have any number of digits; a year beyond `i64` becomes the largest.
pub(super) type Day = (i64, i8, i8);

/// The day of an xs:date, or of an xs:dateTime. A zone is allowed and does not move the day. A day beyond the
/// calendar is its first or last one.
pub fn date(text: &str) -> Option<Date> {
    let (year, month, day) = day(text.split_once('T').map_or(text, |(day, _)| day))?;
    Some(
        match i16::try_from(year)
            .ok()
            .and_then(|year| Date::new(year, month, day).ok())
        {
            Some(date) => date,
            None if year < 0 => Date::MIN,
            None => Date::MAX,
        },
    )
}

/// A year and a day as an xs:date writes them (Part 2, 3.2.9.2): four digits of the year or more, after its
/// sign.
pub(super) fn written((year, month, day): Day) -> String {
    let mut text = String::with_capacity(16);
    if year < 0 {
        text.push('-');
    }
    let years = year.unsigned_abs();
    for _ in [1000, 100, 10].iter().filter(|least| years < **least) {
        text.push('0');
    }
    json::number(&mut text, years);
    for part in [month, day] {
        text.push_str(if part < 10 { "-0" } else { "-" });
        json::number(&mut text, part.unsigned_abs().into());
    }
    text
}

/// A day as an xs:date writes it. The calendar's own text differs before year 1: ISO 8601 writes six digits
/// there.
pub fn write_date(date: Date) -> String {
    written((date.year().into(), date.month(), date.day()))
}

/// An xs:date (Part 2, 3.2.9): at least four digits of the year, no more than needed, never 0000; a sign
/// before it; a zone after the day.
fn day(text: &str) -> Option<Day> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let (written, rest) = unsigned.split_at_checked(digits)?;
    if digits < 4 || (digits > 4 && written.starts_with('0')) || written == "0000" {
        return None;
    }
    let (rest, zone) = rest.split_at_checked(6)?;
    zone_offset(zone).then_some(())?;
    let bytes = rest.as_bytes();
    let number = |at: usize| -> Option<i8> {
        let digits = bytes
            .get(at..at + 2)
            .filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    if bytes.first() != Some(&b'-') || bytes.get(3) != Some(&b'-') {
        return None;
    }
    let (month, day) = (number(1)?, number(4)?);
    let year: i64 = written.parse().unwrap_or(i64::MAX);
    // The Gregorian calendar repeats itself every four hundred years.
    Date::new(i16::try_from(2000 + year % 400).ok()?, month, day).ok()?;
    Some((if text.starts_with('-') { -year } else { year }, month, day))
}

fn zone_offset(zone: &str) -> bool {
    if zone.is_empty() || zone == "Z" {
        return true;
    }
    let Some(rest) = zone.strip_prefix(['+', '-']) else {
        return false;
    };
    let Some((hours, minutes)) = rest.split_once(':') else {
        return false;
    };
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    match (two(hours), two(minutes)) {
        (Some(14), Some(0)) => true,
        (Some(hours), Some(minutes)) => hours < 14 && minutes < 60,
        _ => false,
    }
}

fn date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    // Its zone stands at the end.
    let zoned = date.ends_with('Z') || date.contains(['+', ':']);
    if zoned || day(date).is_none() {
        return false;
    }
    let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(end);
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let fraction_valid = fraction.is_none_or(|f| !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<&str> = clock.split(':').collect();
    let two = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 3 || !parts.iter().all(two) || !fraction_valid || !zone_offset(zone) {
        return false;
    }
    let number = |index: usize| {
        parts
            .get(index)
            .and_then(|part| part.parse::<u32>().ok())
            .unwrap_or(99)
    };
    let (hours, minutes, seconds) = (number(0), number(1), number(2));
    let midnight =
        hours == 24 && minutes == 0 && seconds == 0 && fraction.is_none_or(|f| f.bytes().all(|b| b == b'0'));
    (hours < 24 && minutes < 60 && seconds < 60) || midnight
}

/// The bytes of an xs:base64Binary. White space may stand anywhere in it.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let mut pieces = text.split_ascii_whitespace();
    let first = pieces.next().unwrap_or_default();
    let whole = if first.len() == text.len() {
        Cow::Borrowed(first)
    } else {
        Cow::Owned(pieces.fold(first.to_owned(), |all, piece| all + piece))
    };
    base64::engine::general_purpose::STANDARD.decode(&*whole).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(builtin: Builtin, text: &str) -> bool {
        SimpleType::of(builtin).check(text).is_ok()
    }

    #[test]
    fn numbers_are_those_of_the_standard_and_no_others() {
        for text in ["0", "-1.50", "+.5", "5.", " 12 ", "00012"] {
            assert!(ok(Builtin::Decimal, text), "{text}");
        }
        for text in [
            "", ".", "1_000", "1e3", "1,5", "NaN", "- 1", "--1", "1.2.3", "\u{660}",
        ] {
            assert!(!ok(Builtin::Decimal, text), "{text}");
        }
        assert!(ok(Builtin::UnsignedInt, "4294967295") && !ok(Builtin::UnsignedInt, "4294967296"));
        assert!(ok(Builtin::UnsignedInt, "-0") && !ok(Builtin::UnsignedInt, "-1"));
        assert!(ok(Builtin::Int, "-2147483648") && !ok(Builtin::Int, "2147483648"));
        assert!(!ok(Builtin::Integer, "1."));
        // However long they are.
        let (long, zeros) = (format!("-{}", "9".repeat(60)), format!("+{}7", "0".repeat(60)));
        assert!(
            ok(Builtin::Integer, &long) && ok(Builtin::Integer, &zeros) && ok(Builtin::UnsignedInt, &zeros)
        );
        assert!(!ok(Builtin::Int, &long) && !ok(Builtin::UnsignedInt, &"9".repeat(60)));
        assert_eq!(
            (decimal(&long), decimal(&zeros)),
            (Some(Decimal::MIN), Some(Decimal::from(7)))
        );
        let third = format!("33.{}", "3".repeat(60));
        assert!(
            ok(Builtin::Decimal, &third)
                && decimal(&third)
                    .is_some_and(|value| value > Decimal::from(33) && value < Decimal::from(34))
        );
    }

    #[test]
    fn dates_are_days_of_the_calendar_with_or_without_zone() {
        let more = [
            "12026-11-21",
            "-0044-03-15",
            "999999999999999999999-12-31Z",
            "0001-01-01",
            "12000-02-29",
        ];
        for text in [
            "2026-11-21",
            "2026-11-21Z",
            " 2026-11-21+01:00\n",
            "2024-02-29",
            "2026-01-01-14:00",
        ]
        .into_iter()
        .chain(more)
        {
            assert!(ok(Builtin::Date, text), "{text}");
        }
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-11-21",
            "2026-11-21T00:00:00",
            "2026-11-21+15:00",
            "0000-01-01",
            "2026-1-1",
            "+026-01-01",
            "02026-01-01",
            "--2026-01-01",
            "-0000-01-01",
            "12001-02-29",
        ] {
            assert!(!ok(Builtin::Date, text), "{text}");
        }
        // Beyond the calendar: its first and its last day. In order they are where they belong.
        assert_eq!(
            (
                date("12026-11-21"),
                date("-99999-01-01"),
                date("2026-11-21T12:00:00Z")
            ),
            (Some(Date::MAX), Some(Date::MIN), date("2026-11-21+01:00"))
        );
        for text in ["2026-11-21", "-0044-03-15", "0001-01-01", "-9998-12-31"] {
            assert_eq!(date(text).map(write_date).as_deref(), Some(text));
        }
        assert_eq!(written((-5, 1, 2)), "-0005-01-02");
        let mut bounded = SimpleType::of(Builtin::Date);
        (bounded.min_inclusive, bounded.max_inclusive) = (
            Value::parse(Builtin::Date, "1753-01-01"),
            Value::parse(Builtin::Date, "9999-12-31"),
        );
        assert_eq!(
            (bounded.check("1753-01-01"), bounded.check("9999-12-31Z")),
            (Ok(()), Ok(()))
        );
        for beyond in [
            "1752-12-31",
            "10000-01-01",
            "-1753-01-01",
            "99999999999999999999-01-01",
        ] {
            assert_eq!(bounded.check(beyond), Err(SimpleBreach::Range), "{beyond}");
        }
        assert!(
            ok(Builtin::DateTime, "12020-09-09T12:00:00Z") && ok(Builtin::DateTime, "-2020-09-09T12:00:00")
        );
        assert!(
            !ok(Builtin::DateTime, "2020-09-09ZT12:00:00")
                && !ok(Builtin::DateTime, "2020-09-09+01:00T12:00:00")
        );
        assert!(
            ok(Builtin::DateTime, "2020-09-09T12:00:00Z") && ok(Builtin::DateTime, "2020-09-09T24:00:00.000")
        );
        assert!(!ok(Builtin::DateTime, "2020-09-09T25:00:00Z") && !ok(Builtin::DateTime, "2020-09-09"));
    }

    #[test]
    fn facets_are_judged_on_the_value() {
        let mut two = SimpleType::of(Builtin::Decimal);
        two.fraction_digits = Some(2);
        assert_eq!(two.check("1.500"), Ok(()));
        assert_eq!(two.check("1.505"), Err(SimpleBreach::Digits(2)));
        two.max_inclusive = Value::parse(Builtin::Decimal, "100");
        assert_eq!(two.check("100.00"), Ok(()));
        assert_eq!(two.check("100.01"), Err(SimpleBreach::Range));
    }
}
