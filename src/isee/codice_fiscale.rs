//! The codice fiscale (DM 23 December 1976): sixteen characters for persons, eleven digits for bodies and
//! provisional codes.
//!
//! Omocodia is understood: if two persons would get the same code, digits become letters (0-9 as LMNPQRSTUV),
//! in any of the seven places of digits.

use std::fmt;
use std::hash::{Hash, Hasher};

use jiff::civil::Date;

use super::codes::Sesso;

/// A codice fiscale, as sent. Two are equal if their [canonical](CodiceFiscale::canonical) forms are.
#[derive(Clone)]
pub struct CodiceFiscale(String);

/// The data of a person in a valid code of sixteen characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatiCodice {
    /// Last two digits of the year of birth.
    pub year: u8,
    /// Month of birth, 1 to 12.
    pub month: i8,
    /// Day of birth, 1 to 31.
    pub day: i8,
    /// Sex: female if the day in the code is above 40.
    pub sesso: Sesso,
    /// Cadastral code of the place of birth, omocodia resolved.
    pub place: String,
}

/// The kind of a valid codice fiscale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Natura {
    /// Sixteen characters: a person's, with the data in it.
    Persona(DatiCodice),
    /// Eleven digits: a body's, or a provisional one.
    Numerico,
}

/// Why a code is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifettoCodice {
    /// Neither sixteen characters of the right kinds nor eleven digits.
    Forma,
    /// The check letter or digit is wrong.
    Controllo,
    /// The day of birth does not exist: neither 1 to 31 nor 41 to 71.
    Data,
}

impl DifettoCodice {
    /// The reason in Italian.
    pub fn text(self) -> &'static str {
        match self {
            Self::Forma => {
                "non è un codice fiscale: servono sedici caratteri nell'ordine giusto, o undici cifre"
            }
            Self::Controllo => {
                "il codice fiscale ha il carattere di controllo (l'ultimo) sbagliato, o un altro carattere scritto male"
            }
            Self::Data => "il codice fiscale ha una data di nascita che non esiste",
        }
    }
}

impl fmt::Display for DifettoCodice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

const MONTHS: &[u8; 12] = b"ABCDEHLMPRST";
const OMOCODIA: &[u8; 10] = b"LMNPQRSTUV";
/// Values of `A` to `Z` in odd places; the digits 0 to 9 count as `A` to `J`.
const ODD: [u32; 26] = [
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];

impl CodiceFiscale {
    /// Takes the code as sent; checks nothing.
    pub fn new(sent: impl Into<String>) -> Self {
        Self(sent.into())
    }

    /// The code as sent, for echoes.
    pub fn as_sent(&self) -> &str {
        &self.0
    }

    /// The code trimmed and in capitals, for comparison, look-up and tokens.
    pub fn canonical(&self) -> String {
        self.0.trim().to_ascii_uppercase()
    }

    /// Checks the form, the check character and, in a person's code, the day of birth.
    pub fn kind(&self) -> Result<Natura, DifettoCodice> {
        let bytes = self.0.trim().as_bytes();
        if let Ok(sent) = <[u8; 16]>::try_from(bytes) {
            return persona(&sent.map(|byte| byte.to_ascii_uppercase())).map(Natura::Persona);
        }
        match bytes.len() {
            11 if bytes.iter().all(u8::is_ascii_digit) => numerico(bytes),
            _ => Err(DifettoCodice::Forma),
        }
    }
}

impl DatiCodice {
    /// Whether a person born on `date` may have this code. The code holds no century.
    pub fn born_on(&self, date: Date) -> bool {
        i16::from(self.year) == date.year() % 100 && self.month == date.month() && self.day == date.day()
    }
}

impl PartialEq for CodiceFiscale {
    fn eq(&self, other: &Self) -> bool {
        self.0.trim().eq_ignore_ascii_case(other.0.trim())
    }
}

impl Eq for CodiceFiscale {}

/// Hashes the canonical form, as equality compares it: a set finds a code again despite other case or blanks.
impl Hash for CodiceFiscale {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Sixteen bytes at a time, the length of nearly all codes: a hasher is slow with single bytes.
        for piece in self.0.trim().as_bytes().chunks(16) {
            let mut block = [0; 16];
            for (place, byte) in block.iter_mut().zip(piece) {
                *place = byte.to_ascii_uppercase();
            }
            state.write(&block);
        }
    }
}

/// Never the code itself: `{:?}` must not put a codice fiscale into logs and panics.
impl fmt::Debug for CodiceFiscale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodiceFiscale(..)")
    }
}

fn persona(code: &[u8; 16]) -> Result<DatiCodice, DifettoCodice> {
    let letters = |range: std::ops::Range<usize>| code[range].iter().all(u8::is_ascii_uppercase);
    let month = MONTHS.iter().position(|letter| *letter == code[8]);
    let Some(month) = month else {
        return Err(DifettoCodice::Forma);
    };
    let mut digits = [0; 7];
    for (value, place) in digits.iter_mut().zip([6, 7, 9, 10, 12, 13, 14]) {
        *value = digit(code[place]).ok_or(DifettoCodice::Forma)?;
    }
    if !letters(0..6) || !letters(11..12) || !letters(15..16) {
        return Err(DifettoCodice::Forma);
    }
    if check_letter(&code[..15]) != Some(code[15]) {
        return Err(DifettoCodice::Controllo);
    }
    let day = digits[2] * 10 + digits[3];
    let (day, sesso) = if day > 40 {
        (day - 40, Sesso::F)
    } else {
        (day, Sesso::M)
    };
    if !(1..=31).contains(&day) {
        return Err(DifettoCodice::Data);
    }
    let place = digits[4..]
        .iter()
        .fold(String::from(char::from(code[11])), |mut place, digit| {
            place.push(char::from(b'0' + digit));
            place
        });
    Ok(DatiCodice {
        year: digits[0] * 10 + digits[1],
        month: i8::try_from(month + 1).map_err(|_| DifettoCodice::Data)?,
        day: i8::try_from(day).map_err(|_| DifettoCodice::Data)?,
        sesso,
        place,
    })
}

/// The value of a digit, or of its omocodia letter.
fn digit(byte: u8) -> Option<u8> {
    if byte.is_ascii_digit() {
        return Some(byte - b'0');
    }
    OMOCODIA
        .iter()
        .position(|letter| *letter == byte)
        .and_then(|index| u8::try_from(index).ok())
}

/// The check letter of fifteen characters, computed with the omocodia letters as they stand.
pub fn check_letter(fifteen: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (index, byte) in fifteen.iter().enumerate() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A',
            _ => return None,
        };
        // The first place is an odd one.
        sum += if index % 2 == 0 {
            ODD[usize::from(value)]
        } else {
            u32::from(value)
        };
    }
    u8::try_from(sum % 26).ok().map(|letter| b'A' + letter)
}

/// Eleven digits. The check digit is computed as in VAT numbers.
fn numerico(code: &[u8]) -> Result<Natura, DifettoCodice> {
    let sum: u32 = code[..10]
        .iter()
        .enumerate()
        .map(|(index, byte)| {
            let value = u32::from(byte - b'0');
            match index % 2 {
                0 => value,
                _ if value > 4 => 2 * value - 9,
                _ => 2 * value,
            }
        })
        .sum();
    if (10 - sum % 10) % 10 == u32::from(code[10] - b'0') {
        Ok(Natura::Numerico)
    } else {
        Err(DifettoCodice::Controllo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str) -> Result<Natura, DifettoCodice> {
        CodiceFiscale::new(code).kind()
    }

    #[test]
    fn a_valid_code_tells_birth_sex_and_place() {
        let Ok(Natura::Persona(anna)) = kind(" bncnna72b42h501v ") else {
            panic!("valid")
        };
        assert_eq!(
            anna,
            DatiCodice {
                year: 72,
                month: 2,
                day: 2,
                sesso: Sesso::F,
                place: "H501".to_owned()
            }
        );
        assert!(anna.born_on(jiff::civil::date(1972, 2, 2)) && !anna.born_on(jiff::civil::date(1972, 2, 3)));
    }

    #[test]
    fn omocodia_is_the_same_person_under_another_letter() {
        // RSSMRA70A01H501S with its last digit turned into a letter: 1 is M.
        let mut code = *b"RSSMRA70A01H50M?";
        code[15] = check_letter(&code[..15]).unwrap();
        let Ok(Natura::Persona(persona)) = kind(std::str::from_utf8(&code).unwrap()) else {
            panic!("valid")
        };
        assert_eq!(persona.place, "H501");
        assert_ne!(code[15], b'S');
    }

    #[test]
    fn wrong_codes_are_wrong_for_the_right_reason() {
        assert_eq!(kind("RSSMRA70A01H501T"), Err(DifettoCodice::Controllo));
        assert_eq!(kind("RSSMRA70F01H501S"), Err(DifettoCodice::Forma));
        assert_eq!(kind("RSSMRA70A01H501"), Err(DifettoCodice::Forma));
        assert_eq!(kind("RSSMRÀ70A01H501S"), Err(DifettoCodice::Forma));
        assert_eq!(kind("00000000000"), Ok(Natura::Numerico));
        assert_eq!(kind("12345678903"), Ok(Natura::Numerico));
        assert_eq!(kind("12345678901"), Err(DifettoCodice::Controllo));
    }

    #[test]
    fn a_set_knows_a_code_again_however_it_is_written() {
        let code = |text: &str| CodiceFiscale::new(text);
        let mut seen = std::collections::HashSet::new();
        for (text, new) in [
            ("RSSMRA70A01H501S", true),
            (" rssmra70a01h501s\n", false),
            ("RSSMRA70A01H501T", true),
            ("12345678903", true),
            ("12345678903     ", false),
            ("", true),
            ("RSSMRA70A01H501SRSSMRA70A01H501S", true),
            ("rssmra70a01h501srssmra70a01h501S", false),
        ] {
            assert_eq!(seen.insert(code(text)), new, "{text:?}");
        }
    }

    #[test]
    fn debug_hides_it() {
        assert_eq!(
            format!("{:?}", CodiceFiscale::new("RSSMRA70A01H501S")),
            "CodiceFiscale(..)"
        );
    }
}
