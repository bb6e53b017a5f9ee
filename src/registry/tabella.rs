//! An operator's table, in the CSV of spreadsheets: comma, semicolon or tab, a byte order mark, columns in
//! any order. Its faults are in Italian.

use std::collections::BTreeSet;

/// A table as read. The faults of single lines stand in their places.
pub(super) struct Tabella {
    columns: Vec<String>,
    /// The lines after the header, in order. An unreadable line is a fault.
    pub(super) lines: Vec<Result<RigaTabella, String>>,
}

/// A line with as many fields as the header.
pub(super) struct RigaTabella {
    /// Its number; the header is the first line.
    pub(super) number: u64,
    record: csv::StringRecord,
}

impl Tabella {
    /// Reads a table. The delimiter is the most frequent one of the header.
    pub(super) fn read(text: &str) -> Result<Self, Vec<String>> {
        let header = text.lines().next().unwrap_or_default();
        let delimiter = [b';', b'\t', b',']
            .into_iter()
            .max_by_key(|candidate| header.bytes().filter(|byte| byte == candidate).count());
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter.unwrap_or(b','))
            .flexible(true)
            .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let columns: Vec<String> = match reader.headers() {
            Ok(headers) => headers.iter().map(|name| name.trim().to_owned()).collect(),
            Err(_) => return Err(vec!["riga 1: intestazione non leggibile".to_owned()]),
        };
        let line = |record: Result<csv::StringRecord, csv::Error>| {
            let record = record.map_err(|error| {
                format!(
                    "riga {}: non leggibile",
                    error.position().map_or(0, csv::Position::line)
                )
            })?;
            let number = record.position().map_or(0, csv::Position::line);
            if record.len() != columns.len() {
                return Err(format!(
                    "riga {number}: ha {} campi, l'intestazione ne ha {}",
                    record.len(),
                    columns.len()
                ));
            }
            Ok(RigaTabella { number, record })
        };
        let lines = reader.records().map(line).collect();
        Ok(Self { columns, lines })
    }

    /// Whether the table has a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }

    /// A fault for each missing column.
    pub(super) fn lacking(&self, needed: &[&str]) -> Vec<String> {
        needed
            .iter()
            .filter(|name| !self.has(name))
            .map(|name| format!("riga 1: manca la colonna {name}"))
            .collect()
    }

    /// A fault for each column without a name, with an unknown name, or repeated.
    pub(super) fn misnamed(&self, known: &[&str]) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let judge = |name: &String| match name.as_str() {
            "" => Some("riga 1: una colonna senza nome".to_owned()),
            name if !known.contains(&name) => Some(format!("riga 1: colonna sconosciuta: {name}")),
            name => (!seen.insert(name.to_owned()))
                .then(|| format!("riga 1: la colonna {name} compare due volte")),
        };
        self.columns.iter().filter_map(judge).collect()
    }

    /// A cell, without spaces around. `None`: an empty cell, or no such column.
    pub(super) fn cell<'a>(&self, riga: &'a RigaTabella, name: &str) -> Option<&'a str> {
        let index = self.columns.iter().position(|column| column == name)?;
        riga.record
            .get(index)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }
}

/// The values of a cell, with `|` between them.
pub(super) fn parts(text: &str) -> Vec<String> {
    text.split('|').map(|part| part.trim().to_owned()).collect()
}
