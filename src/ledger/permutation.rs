//! A keyed permutation of the numbers below a size: counted numbers come out in an order unknown without the
//! key.
//!
//! A Feistel network of ten rounds over 32 bits, with HMAC-SHA-256 as round function, and cycle walking to
//! stay below the size (`docs/ledger.md`, "Numbers that cannot be guessed"). Nothing is drawn: no number is
//! counted twice, so none comes out twice.

use aws_lc_rs::hmac;

const ROUNDS: u8 = 10;

/// The permutation of a series.
#[derive(Clone)]
pub struct Permutation {
    key: hmac::Key,
    /// The label of the series, followed by a zero byte.
    label: Vec<u8>,
    size: u32,
}

impl std::fmt::Debug for Permutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Permutation(..)")
    }
}

impl Permutation {
    /// The permutation of the numbers from 0 to `size` (left out), for the series with this label.
    pub fn new(key: &hmac::Key, label: &str, size: u32) -> Self {
        Self {
            key: key.clone(),
            label: [label.as_bytes(), &[0]].concat(),
            size,
        }
    }

    /// The place of a number in the permutation; None: it is not below the size.
    pub fn of(&self, number: u64) -> Option<u32> {
        let mut value = u32::try_from(number).ok().filter(|number| *number < self.size)?;
        loop {
            value = self.walk(value);
            // A walk from below the size comes back below it: a permutation has only cycles.
            if value < self.size {
                return Some(value);
            }
        }
    }

    /// The permutation of 32 bits.
    fn walk(&self, value: u32) -> u32 {
        let [a, b, c, d] = value.to_be_bytes();
        let (mut left, mut right) = ([a, b], [c, d]);
        for round in 0..ROUNDS {
            let mut context = hmac::Context::with_key(&self.key);
            context.update(&self.label);
            context.update(&[round]);
            context.update(&right);
            let tag = context.sign();
            let mixed = match tag.as_ref() {
                [first, second, ..] => [left[0] ^ first, left[1] ^ second],
                _ => left,
            };
            (left, right) = (right, mixed);
        }
        u32::from_be_bytes([left[0], left[1], right[0], right[1]])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn permutation(label: &str, size: u32) -> Permutation {
        let key: Vec<u8> = (0..32).collect();
        Permutation::new(&hmac::Key::new(hmac::HMAC_SHA256, &key), label, size)
    }

    #[test]
    fn every_number_goes_to_one_place_and_no_two_to_the_same() {
        let permutation = permutation("a", 3_000_000_000);
        let places: HashSet<u32> = (0..20_000)
            .map(|number| permutation.of(number).unwrap())
            .collect();
        assert_eq!(places.len(), 20_000);
        assert!(places.iter().all(|place| *place < 3_000_000_000));
        assert_eq!(
            (permutation.of(3_000_000_000), permutation.of(u64::MAX)),
            (None, None)
        );
    }

    #[test]
    fn what_comes_out_tells_nothing_of_what_went_in() {
        let (one, other) = (permutation("a", 2_500_000_000), permutation("b", 2_500_000_000));
        let of = |permutation: &Permutation| {
            (0..4000)
                .map(|number| permutation.of(number).unwrap())
                .collect::<Vec<_>>()
        };
        let (ones, others) = (of(&one), of(&other));
        assert!(
            ones.iter().zip(&others).all(|(one, other)| one != other),
            "another series, another order"
        );
        // Neighbours are as far apart as any two, in every quarter alike.
        let near = ones
            .windows(2)
            .filter(|pair| pair[0].abs_diff(pair[1]) < 25_000_000)
            .count();
        assert!(
            (20..160).contains(&near),
            "{near} of 4,000 neighbours are near, 80 by chance"
        );
        for quarter in 0..4 {
            let inside = ones
                .iter()
                .filter(|place| **place / 625_000_000 == quarter)
                .count();
            assert!(
                (850..1150).contains(&inside),
                "{inside} of 4,000 in quarter {quarter}"
            );
        }
    }
}
