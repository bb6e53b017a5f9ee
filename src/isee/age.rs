//! Ages in completed years.

use jiff::civil::Date;

/// Age in completed years on a day.
pub fn age(born: Date, on: Date) -> i16 {
    let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
    on.year() - born.year() - i16::from(!had_birthday)
}
