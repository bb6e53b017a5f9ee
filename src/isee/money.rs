//! Amounts, with one type for each use.
//!
//! Invariant: one rounding a printed line. Only [`Euro::line`] makes a [`Line`] from an amount, and it rounds
//! once. Lines are added, subtracted and compared: these operations keep them at the cent. In another
//! computation a line is an [`Euro`] again. A [`Ratio`] is a share or a scale.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use rust_decimal::{Decimal, RoundingStrategy};

use super::codes::Importo;

/// An amount in euros, not rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Euro(Decimal);

/// A printed line: an amount in euros at the cent, rounded once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line(Decimal);

/// A share, a rate or a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(Decimal);

/// One rounding to the cent, half away from zero.
fn cents(amount: Decimal) -> Decimal {
    let mut rounded = amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}

impl Euro {
    /// An amount of zero euros.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// An amount from a decimal, not rounded.
    pub const fn new(amount: Decimal) -> Self {
        Self(amount)
    }

    /// An amount of whole euros; zero if nothing is declared.
    pub fn whole(amount: Option<u32>) -> Self {
        Self(amount.map_or(Decimal::ZERO, Decimal::from))
    }

    /// The printed line: the one rounding, to the cent, half away from zero.
    pub fn line(self) -> Line {
        Line(cents(self.0))
    }

    /// This amount, or zero if it is negative.
    #[must_use]
    pub fn positive(self) -> Self {
        self.max(Self::ZERO)
    }

    /// This amount divided by a scale. `None`: the scale is zero, or the result exceeds a decimal.
    pub fn over(self, scale: Ratio) -> Option<Self> {
        self.0.checked_div(scale.0).map(Self)
    }

    /// This amount, `count` times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self(self.0 * Decimal::from(count))
    }

    /// The amount as a decimal, not rounded.
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// Whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl Line {
    /// A line of 0.00 euros.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// This line, or zero if it is negative.
    #[must_use]
    pub fn positive(self) -> Self {
        self.max(Self::ZERO)
    }

    /// The amount of this line, for a further computation.
    pub const fn euro(self) -> Euro {
        Euro(self.0)
    }

    /// The amount for the attestation, with two decimals.
    pub fn printed(self) -> Importo {
        let mut amount = self.0;
        amount.rescale(2);
        Importo(amount)
    }

    /// The amount as a decimal, rounded to the cent.
    pub const fn value(self) -> Decimal {
        self.0
    }
}

impl Ratio {
    /// A share or a scale of zero.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// A ratio from a decimal, not rounded.
    pub const fn new(ratio: Decimal) -> Self {
        Self(ratio)
    }

    /// This ratio, `count` times.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self(self.0 * Decimal::from(count))
    }

    /// This ratio divided by another. `None`: the other is zero, or the result exceeds a decimal.
    pub fn over(self, other: Self) -> Option<Self> {
        self.0.checked_div(other.0).map(Self)
    }

    /// The ratio for the attestation: two decimals when written.
    pub const fn printed(self) -> Importo {
        Importo(self.0)
    }

    /// The ratio as a decimal, not rounded.
    pub const fn value(self) -> Decimal {
        self.0
    }

    /// Whether the ratio is zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

macro_rules! sums {
    ($($name:ident)+) => { $(
        impl Add for $name {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;

            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;

            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                Self(all.map(|each| each.0).sum())
            }
        }

        impl From<$name> for Decimal {
            fn from(amount: $name) -> Self {
                amount.0
            }
        }

        impl From<$name> for Option<Decimal> {
            fn from(amount: $name) -> Self {
                Some(amount.0)
            }
        }
    )+ };
}
sums!(Euro Line Ratio);

/// As it is printed: two decimals.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.printed().fmt(f)
    }
}

/// The decimal as it is, not rounded.
impl std::fmt::Display for Euro {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The decimal as it is, not rounded.
impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Mul<Euro> for Ratio {
    type Output = Euro;

    fn mul(self, of: Euro) -> Euro {
        Euro(self.0 * of.0)
    }
}

impl Mul for Ratio {
    type Output = Self;

    fn mul(self, of: Self) -> Self {
        Self(self.0 * of.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_rounded_once_half_away_from_zero() {
        let line = |text: &str| Euro::new(text.parse().unwrap()).line().printed().to_string();
        for (amount, printed) in [
            ("0.005", "0.01"),
            ("-0.005", "-0.01"),
            ("0.0049", "0.00"),
            ("-0.004", "0.00"),
            ("12", "12.00"),
        ] {
            assert_eq!(line(amount), printed, "{amount}");
        }
        // Two halves of a cent are one cent as amounts, two as lines.
        let half = Euro::new("0.005".parse().unwrap());
        assert_eq!((half + half).line().value(), "0.01".parse().unwrap());
        assert_eq!((half.line() + half.line()).value(), "0.02".parse().unwrap());
    }
}
