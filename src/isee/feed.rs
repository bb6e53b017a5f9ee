//! The feed: data for the SII from the archives of the Revenue Agency and of INPS, per codice fiscale and
//! year.
//!
//! In the embedded SII it is a file loaded by the operator (`varco feed load FILE`): UTF-8, comma-separated,
//! a header line with the names of [`COLUMNS`] in this order, one line a person and year, whole euros, empty
//! for unknown. A file with any error is not loaded at all. All its errors are listed.

use rust_decimal::Decimal;

use super::codes::TipoRapporto;
use super::codice_fiscale::CodiceFiscale;

/// The names in the header of the file, in order.
pub const COLUMNS: [&str; 15] = [
    "codice_fiscale",
    "anno",
    "reddito_irpef",
    "lavoro_dipendente",
    "pensione",
    "redditi_agrari",
    "redditi_imposta_sostitutiva",
    "trattamenti",
    "trattamenti_disabilita",
    "spese_detrazione",
    "spese_deduzione",
    "titoli_di_stato",
    "buoni_postali",
    "libretti_postali",
    "rapporti",
];

/// The known data of a person for a year. Amounts are whole euros.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FeedRecord {
    /// The person's codice fiscale, in canonical form.
    pub codice_fiscale: String,
    /// The year of the data; the file admits 2000 to 2100.
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
    /// Treatments paid by INPS, except those paid because of disability.
    pub trattamenti: Option<Decimal>,
    /// Treatments paid because of disability: no income since L. 89/2016.
    #[serde(default)]
    pub trattamenti_disabilita: Option<Decimal>,
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
    /// The financial relations known to the Agency.
    #[serde(default)]
    pub rapporti: Vec<RapportoNoto>,
}

/// A financial relation known to the Revenue Agency.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RapportoNoto {
    /// Its code, `01` to `99`: one of [`TipoRapporto`].
    pub tipo: String,
    /// The codice fiscale of the bank or other operator.
    pub operatore: String,
    /// Number of the account, or other identifier.
    pub identificativo: String,
    /// Balance, or value, at 31 December.
    pub saldo: Option<u32>,
    /// Yearly average, of accounts.
    pub giacenza: Option<u32>,
}

impl RapportoNoto {
    /// Reads `tipo:operatore:identificativo`, then `:saldo` and `:giacenza` if known.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(str::trim);
        let tipo = parts.next().and_then(TipoRapporto::from_code)?;
        let mut named = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (operatore, identificativo) = (named().filter(|operatore| operatore.len() <= 16)?, named()?);
        let mut amount = || match parts.next() {
            None | Some("") => Some(None),
            Some(digits) => digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok())
                .flatten()
                .map(Some),
        };
        let (saldo, giacenza) = (amount()?, amount()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            tipo: tipo.code().to_owned(),
            operatore,
            identificativo,
            saldo,
            giacenza,
        })
    }
}

/// An error in a line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Line number from 1, the header included.
    pub line: usize,
    /// Name of the column. `None`: the error concerns the whole line.
    pub column: Option<&'static str>,
    /// The error, in Italian. It never quotes the value.
    pub text: &'static str,
}

/// The source of a person's known data for the computation.
pub trait Feed {
    /// The known data of `codice_fiscale` for `year`. `None`: no record.
    fn find(&self, codice_fiscale: &CodiceFiscale, year: i16) -> Option<FeedRecord>;
}

/// A feed without records.
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
        self.iter()
            .find(|record| record.anno == year && record.codice_fiscale == wanted)
            .cloned()
    }
}

/// Reads a whole file. Returns all records, or all errors.
pub fn parse(text: &str) -> Result<Vec<FeedRecord>, Vec<LineError>> {
    let mut records: Vec<FeedRecord> = Vec::new();
    let mut errors = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
    match lines.next() {
        Some((_, header)) if header.split(',').map(str::trim).eq(COLUMNS) => {}
        _ => {
            return Err(vec![LineError {
                line: 1,
                column: None,
                text: "intestazione diversa da quella prevista",
            }]);
        }
    }
    for (line, content) in lines.filter(|(_, content)| !content.trim().is_empty()) {
        let mut wrong = |column, text| errors.push(LineError { line, column, text });
        let Some(record) = FeedRecord::read(content, &mut wrong) else {
            continue;
        };
        if !seen.insert((record.codice_fiscale.clone(), record.anno)) {
            wrong(None, "persona e anno già presenti nel file");
        }
        records.push(record);
    }
    if errors.is_empty() {
        Ok(records)
    } else {
        Err(errors)
    }
}

impl FeedRecord {
    /// Reads a line, and tells each fault by its column. None: the line has other columns.
    fn read(content: &str, wrong: &mut dyn FnMut(Option<&'static str>, &'static str)) -> Option<Self> {
        let fields: Vec<&str> = content.split(',').map(str::trim).collect();
        if fields.len() != COLUMNS.len() {
            wrong(None, "numero di colonne diverso da quello dell'intestazione");
            return None;
        }
        let code = CodiceFiscale::new(fields[0]);
        if let Err(what) = code.kind() {
            wrong(Some(COLUMNS[0]), what.text());
        }
        let anno = fields[1]
            .parse::<i16>()
            .ok()
            .filter(|year| (2000..=2100).contains(year));
        if anno.is_none() {
            wrong(Some(COLUMNS[1]), "anno non valido");
        }
        let mut amounts = [None; 14];
        for (index, column) in COLUMNS.iter().enumerate().take(amounts.len()).skip(2) {
            match amount(fields[index], index == 2) {
                Ok(value) => amounts[index] = value,
                Err(text) => wrong(Some(column), text),
            }
        }
        let relations = fields[14].split('|').filter(|text| !text.trim().is_empty());
        let rapporti: Option<Vec<RapportoNoto>> = relations.map(RapportoNoto::parse).collect();
        if rapporti.is_none() {
            wrong(
                Some(COLUMNS[14]),
                "rapporti non validi: attesi tipo:operatore:identificativo[:saldo[:giacenza]], separati da |",
            );
        }
        let rapporti = rapporti.unwrap_or_default();
        let anno = anno.unwrap_or_default();
        Some(FeedRecord {
            codice_fiscale: code.canonical(),
            anno,
            reddito_irpef: amounts[2],
            lavoro_dipendente: amounts[3],
            pensione: amounts[4],
            redditi_agrari: amounts[5],
            redditi_imposta_sostitutiva: amounts[6],
            trattamenti: amounts[7],
            trattamenti_disabilita: amounts[8],
            spese_detrazione: amounts[9],
            spese_deduzione: amounts[10],
            titoli_di_stato: amounts[11],
            buoni_postali: amounts[12],
            libretti_postali: amounts[13],
            rapporti,
        })
    }
}

/// Whole euros, at most eleven digits. A sign is allowed only if `signed`.
fn amount(text: &str, signed: bool) -> Result<Option<Decimal>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = if signed {
        text.strip_prefix('-').unwrap_or(text)
    } else {
        text
    };
    if digits.is_empty() || digits.len() > 11 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(if signed {
            "importo non valido: attesi euro interi, anche negativi"
        } else {
            "importo non valido: attesi euro interi"
        });
    }
    text.parse::<i64>()
        .map(|value| Some(Decimal::from(value)))
        .map_err(|_| "importo non valido: attesi euro interi")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_records_or_all_errors() {
        let header = COLUMNS.join(",");
        let good = format!(
            "{header}\r\nRSSMRA70A01H501S,2024,-1200,15000,,,,,,,,,,,01:01234567897:IT60X:1000:900|02:01234567897:D 1\n\n"
        );
        let records = parse(&good).ok().unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].reddito_irpef, Some(Decimal::from(-1200)));
        let relations: Vec<_> = records[0]
            .rapporti
            .iter()
            .map(|r| (r.tipo.as_str(), r.identificativo.as_str(), r.saldo, r.giacenza))
            .collect();
        assert_eq!(
            relations,
            [("01", "IT60X", Some(1000), Some(900)), ("02", "D 1", None, None)]
        );
        let bad = format!(
            "{header}\nRSSMRA70A01H501T,2024,1,-5,,,,,,,,,,,\nRSSMRA70A01H501S,1,1.5,,,,,,,,,,,,\nx\n"
        );
        let errors = parse(&bad).err().unwrap();
        let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
        assert_eq!(
            places,
            [
                (2, Some("codice_fiscale")),
                (2, Some("lavoro_dipendente")),
                (3, Some("anno")),
                (3, Some("reddito_irpef")),
                (4, None)
            ]
        );
        for relation in [
            "08:1:2",
            "01:1",
            "01::2",
            "01:12345678901234567:2",
            "01:1:2:-3",
            "01:1:2:3:4:5",
        ] {
            let errors = parse(&format!(
                "{header}\nRSSMRA70A01H501S,2024,,,,,,,,,,,,,{relation}\n"
            ))
            .err()
            .unwrap();
            assert_eq!(errors.len(), 1, "{relation}");
            assert_eq!(errors[0].column, Some("rapporti"));
        }
        assert!(parse("a,b\n").is_err());
    }
}
