//! Protocols of DSU and lots. Their serial numbers are permuted: one protocol does not reveal others.

use super::system::Embedded;
use crate::ledger::permutation::Permutation;
use crate::sii::SiiError;
use crate::state::numbers::Series;

/// Protocols are reserved by the hundred.
const BLOCK: u64 = 100;
/// The series of a year: of DSU, and of lots.
pub const SERIES: [&str; 2] = ["protocollo", "flusso"];

/// Number of serials: they have eight digits.
const SERIALS: u32 = 100_000_000;
/// Number of letters possible after a serial.
const LETTERS: u32 = 25;

/// The letters of protocols.
const ALPHABET: &[u8; 26] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A place among serials and letters, as printed in protocols. No rule for the letter is published. Earlier
/// builds counted serials, and the letter was the serial modulo 26. This letter is left out: none of their
/// protocols is given again.
fn printed(place: u32) -> String {
    let (serial, letter) = (place / LETTERS, place % LETTERS);
    let letter = letter + u32::from(letter >= serial % 26);
    format!(
        "{serial:08}{}",
        char::from(ALPHABET[letter as usize % ALPHABET.len()])
    )
}

impl Embedded {
    /// A new protocol of a DSU: `INPS-ISEE-yyyy-nnnnnnnnL-00`.
    pub(super) async fn protocol(&self, year: i16) -> Result<String, SiiError> {
        Ok(format!(
            "INPS-ISEE-{year}-{}-00",
            self.serial(SERIES[0], year).await?
        ))
    }

    /// A new protocol of a lot: `INPS-ISET-yyyy-nnnnnnnnL`.
    pub(super) async fn protocol_of_lot(&self, year: i16) -> Result<String, SiiError> {
        Ok(format!(
            "INPS-ISET-{year}-{}",
            self.serial(SERIES[1], year).await?
        ))
    }

    /// Eight digits and a letter: the series' next number, permuted with the key of the keyring. One protocol
    /// does not reveal others.
    async fn serial(&self, name: &str, year: i16) -> Result<String, SiiError> {
        let name = format!("{name}-{year}");
        let series = {
            let mut all = self.series.lock().await;
            let series = || {
                std::sync::Arc::new(Series::new(
                    name.clone(),
                    BLOCK,
                    &self.ledger,
                    &self.store,
                    &self.clock,
                ))
            };
            all.entry(name.clone()).or_insert_with(series).clone()
        };
        let counted = series
            .next()
            .await
            .map_err(|error| SiiError::Unavailable(error.to_string()))?;
        let permutation = Permutation::new(&self.ledger.keys.series()?, &name, SERIALS * LETTERS);
        let place = permutation
            .of(counted)
            .ok_or_else(|| SiiError::Internal("a series at its end".to_owned()))?;
        Ok(printed(place))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_protocol_is_printed_as_those_that_were_counted() {
        let last = SERIALS * LETTERS - 1;
        let mut seen = HashSet::new();
        for place in (0..5000)
            .chain((6000..last - 6000).step_by(999_983))
            .chain(last - 5000..=last)
        {
            let text = printed(place);
            assert!(seen.insert(text.clone()), "{text} twice");
            let (serial, letter) = text.split_at(8);
            let counted = char::from(b'A' + u8::try_from(serial.parse::<u32>().unwrap() % 26).unwrap());
            assert!(
                text.len() == 9 && letter.as_bytes()[0].is_ascii_uppercase() && !letter.starts_with(counted),
                "{text}"
            );
        }
    }
}
