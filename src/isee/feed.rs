//! The feed: what the SII gets from the archives of the Revenue Agency and of INPS, per codice fiscale and year.
//!
//! In the embedded SII it is a file that the operator loads (`varco feed load FILE`): UTF-8, comma-separated, a header line with
//! the names of [`COLUMNS`] in this order, one line a person and year, whole euros, empty for unknown. A file with any error is not
//! loaded at all, and all its errors are listed.

use rust_decimal::Decimal;

use super::codice_fiscale::CodiceFiscale;

/// The header of the file.
pub const COLUMNS: [&str; 14] = [
    "codice_fiscale",
    "anno",
    "reddito_irpef",
    "lavoro_dipendente",
    "pensione",
    "redditi_agrari",
    "redditi_imposta_sostitutiva",
    "trattamenti",
    "spese_detrazione",
    "spese_deduzione",
    "titoli_di_stato",
    "buoni_postali",
    "libretti_postali",
    "rapporti_noti",
];

/// What is known of a person for a year. Amounts are whole euros.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FeedRecord {
    /// Whose, in canonical form.
    pub codice_fiscale: String,
    /// Which year.
    pub anno: i16,
    /// Total IRPEF income; may be negative.
    pub reddito_irpef: Option<Decimal>,
    /// Employee income, part of the total.
    pub lavoro_dipendente: Option<Decimal>,
    /// Pensions, part of the total.
    pub pensione: Option<Decimal>,
    /// Agrarian income of direct farmers, part of the total.
    pub redditi_agrari: Option<Decimal>,
    /// Income under substitute tax.
    pub redditi_imposta_sostitutiva: Option<Decimal>,
    /// Treatments paid by INPS; those for disability are not in the feed since 2016.
    pub trattamenti: Option<Decimal>,
    /// Expenses deducted from tax.
    pub spese_detrazione: Option<Decimal>,
    /// Expenses deducted from income.
    pub spese_deduzione: Option<Decimal>,
    /// Government bonds at the reference date.
    pub titoli_di_stato: Option<Decimal>,
    /// Postal savings bonds at the reference date.
    pub buoni_postali: Option<Decimal>,
    /// Postal savings books at the reference date.
    pub libretti_postali: Option<Decimal>,
    /// How many financial relations the Agency knows of.
    pub rapporti_noti: Option<Decimal>,
}

/// An error of a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// From 1, the header included.
    pub line: usize,
    /// Which column, if it is one.
    pub column: Option<&'static str>,
    /// What is wrong, never the value.
    pub text: &'static str,
}

/// Where the computation finds what is known of a person.
pub trait Feed {
    /// What is known of `codice_fiscale` for `year`.
    fn find(&self, codice_fiscale: &CodiceFiscale, year: i16) -> Option<FeedRecord>;
}

/// Nothing is known of anybody.
#[derive(Clone, Copy, Debug)]
pub struct NoFeed;

impl Feed for NoFeed {
    fn find(&self, _: &CodiceFiscale, _: i16) -> Option<FeedRecord> {
        None
    }
}

impl Feed for Vec<FeedRecord> {
    fn find(&self, codice_fiscale: &CodiceFiscale, year: i16) -> Option<FeedRecord> {
        let wanted = codice_fiscale.canonical();
        self.iter().find(|record| record.anno == year && record.codice_fiscale == wanted).cloned()
    }
}

/// Reads a whole file: all records, or all errors.
pub fn parse(text: &str) -> Result<Vec<FeedRecord>, Vec<LineError>> {
    let mut records: Vec<FeedRecord> = Vec::new();
    let mut errors = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
    match lines.next() {
        Some((_, header)) if header.split(',').map(str::trim).eq(COLUMNS) => {}
        _ => return Err(vec![LineError { line: 1, column: None, text: "intestazione diversa da quella prevista" }]),
    }
    for (line, content) in lines.filter(|(_, content)| !content.trim().is_empty()) {
        let mut wrong = |column, text| errors.push(LineError { line, column, text });
        let fields: Vec<&str> = content.split(',').map(str::trim).collect();
        if fields.len() != COLUMNS.len() {
            wrong(None, "numero di colonne diverso da quello dell'intestazione");
            continue;
        }
        let code = CodiceFiscale::new(fields[0]);
        if code.kind().is_err() {
            wrong(Some(COLUMNS[0]), "codice fiscale non valido");
        }
        let anno = fields[1].parse::<i16>().ok().filter(|year| (2000..=2100).contains(year));
        if anno.is_none() {
            wrong(Some(COLUMNS[1]), "anno non valido");
        }
        let mut amounts = [None; 14];
        for (index, column) in COLUMNS.iter().enumerate().skip(2) {
            match amount(fields[index], index == 2) {
                Ok(value) => amounts[index] = value,
                Err(text) => wrong(Some(column), text),
            }
        }
        let anno = anno.unwrap_or_default();
        if !seen.insert((code.canonical(), anno)) {
            wrong(None, "persona e anno già presenti nel file");
        }
        records.push(FeedRecord {
            codice_fiscale: code.canonical(),
            anno,
            reddito_irpef: amounts[2],
            lavoro_dipendente: amounts[3],
            pensione: amounts[4],
            redditi_agrari: amounts[5],
            redditi_imposta_sostitutiva: amounts[6],
            trattamenti: amounts[7],
            spese_detrazione: amounts[8],
            spese_deduzione: amounts[9],
            titoli_di_stato: amounts[10],
            buoni_postali: amounts[11],
            libretti_postali: amounts[12],
            rapporti_noti: amounts[13],
        });
    }
    if errors.is_empty() { Ok(records) } else { Err(errors) }
}

/// Whole euros, at most eleven digits; a sign only where it makes sense.
fn amount(text: &str, signed: bool) -> Result<Option<Decimal>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = if signed { text.strip_prefix('-').unwrap_or(text) } else { text };
    if digits.is_empty() || digits.len() > 11 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(if signed {
            "importo non valido: attesi euro interi, anche negativi"
        } else {
            "importo non valido: attesi euro interi"
        });
    }
    text.parse::<i64>().map(|value| Some(Decimal::from(value))).map_err(|_| "importo non valido: attesi euro interi")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_records_or_all_errors() {
        let header = COLUMNS.join(",");
        let good = format!("{header}\r\nRSSMRA70A01H501S,2024,-1200,15000,,,,,,,,,,2\n\n");
        let records = parse(&good).ok().unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].reddito_irpef, Some(Decimal::from(-1200)));
        let bad = format!("{header}\nRSSMRA70A01H501T,2024,1,-5,,,,,,,,,,\nRSSMRA70A01H501S,1,1.5,,,,,,,,,,,\nx\n");
        let errors = parse(&bad).err().unwrap();
        let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
        assert_eq!(
            places,
            [(2, Some("codice_fiscale")), (2, Some("lavoro_dipendente")), (3, Some("anno")), (3, Some("reddito_irpef")), (4, None)]
        );
        assert!(parse("a,b\n").is_err());
    }
}
