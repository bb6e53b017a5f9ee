//! Rule sets: the parameters of the law, one readable file a period, chosen by the day of presentation.
//!
//! Every parameter has its citation and a mark: `c` where a source confirms the value, `u` where none at hand does. Periods must follow each
//! other without gap or overlap, or nothing starts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::digest::{hex, sha256};

/// The files, oldest first.
const FILES: [&str; 8] = [
    include_str!("2020.toml"),
    include_str!("2021.toml"),
    include_str!("2022.toml"),
    include_str!("2023.toml"),
    include_str!("2024.toml"),
    include_str!("2025-01.toml"),
    include_str!("2025-03.toml"),
    include_str!("2026.toml"),
];

/// The parameters of one period.
#[derive(Debug)]
pub struct RuleSet {
    /// Its name, which attestations record.
    pub id: String,
    /// First day of presentation.
    pub valid_from: Date,
    /// Last day of presentation.
    pub valid_to: Date,
    /// Last day on which an attestation is valid, for a year of presentation: month and day.
    pub expiry: (i8, i8),
    parameters: BTreeMap<String, Parameter>,
    /// SHA-256 of the file, in hexadecimal: attestations record it beside the id.
    pub digest: String,
}

/// One parameter of the law.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value.
    #[serde(deserialize_with = "decimal")]
    pub value: Decimal,
    /// Where it is written.
    pub cite: String,
    /// `c` confirmed, `u` not confirmed by a text at hand.
    pub mark: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    valid_from: String,
    valid_to: String,
    expiry: String,
    #[serde(default)]
    same_as: Option<String>,
    parameters: BTreeMap<String, Parameter>,
}

/// Rule sets that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// A file that cannot be read.
    #[error("rule set {0}: {1}")]
    File(usize, String),
    /// Two periods that do not follow each other.
    #[error("rule sets {0} and {1} leave a gap or overlap")]
    Gap(String, String),
    /// A parameter that the computation needs.
    #[error("rule set {0} lacks the parameter {1}")]
    Missing(String, &'static str),
}

/// Names of the parameters; each is explained in the files.
pub mod name {
    #![allow(missing_docs, reason = "each parameter is explained, with its citation, in the rule files")]
    pub const DIPENDENTI_QUOTA: &str = "dipendenti_quota";
    pub const DIPENDENTI_MASSIMO: &str = "dipendenti_massimo";
    pub const PENSIONI_QUOTA: &str = "pensioni_quota";
    pub const PENSIONI_MASSIMO: &str = "pensioni_massimo";
    pub const SPESE_DISABILI_MASSIMO: &str = "spese_disabili_massimo";
    pub const LOCAZIONE_MASSIMO: &str = "locazione_massimo";
    pub const LOCAZIONE_FIGLIO: &str = "locazione_figlio";
    pub const RENDIMENTO: &str = "rendimento";
    pub const MOBILIARE_FRANCHIGIA: &str = "mobiliare_franchigia";
    pub const MOBILIARE_COMPONENTE: &str = "mobiliare_componente";
    pub const MOBILIARE_MASSIMO: &str = "mobiliare_massimo";
    pub const MOBILIARE_FIGLIO: &str = "mobiliare_figlio";
    pub const TITOLI_ESCLUSI: &str = "titoli_esclusi";
    pub const CASA_FRANCHIGIA: &str = "casa_franchigia";
    pub const CASA_FIGLIO: &str = "casa_figlio";
    pub const CASA_QUOTA_NUMERATORE: &str = "casa_quota_numeratore";
    pub const CASA_QUOTA_DENOMINATORE: &str = "casa_quota_denominatore";
    pub const ISP_QUOTA: &str = "isp_quota";
    pub const SCALA: [&str; 5] = ["scala_1", "scala_2", "scala_3", "scala_4", "scala_5"];
    pub const SCALA_ULTERIORE: &str = "scala_ulteriore";
    pub const FIGLI: [&str; 3] = ["figli_3", "figli_4", "figli_5"];
    pub const LAVORO: &str = "lavoro";
    pub const LAVORO_TRE_ANNI: &str = "lavoro_tre_anni";
    pub const DISABILITA: &str = "disabilita";
    pub const RICOVERATO: &str = "ricoverato";
    pub const FNC_ETA: &str = "fnc_eta";
    pub const TRASMISSIONE_GIORNI: &str = "trasmissione_giorni";
}

/// All rule sets.
#[derive(Debug)]
pub struct Rules {
    sets: Vec<RuleSet>,
}

impl Rules {
    /// The embedded rule sets, checked.
    pub fn embedded() -> Result<Self, RuleError> {
        Self::from_files(&FILES)
    }

    /// Rule sets from their files, oldest first. A file may say `same_as` another one and give only what differs.
    pub fn from_files(files: &[&str]) -> Result<Self, RuleError> {
        let mut sets: Vec<RuleSet> = Vec::with_capacity(files.len());
        for (index, text) in files.iter().enumerate() {
            let wrong = |error: String| RuleError::File(index, error);
            let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
            let day = |text: &str| text.parse::<Date>().map_err(|error| wrong(error.to_string()));
            let mut parameters = match &file.same_as {
                None => BTreeMap::new(),
                Some(id) => {
                    let base = sets.iter().find(|set| set.id == *id);
                    base.ok_or_else(|| wrong(format!("unknown rule set {id}")))?.parameters.clone()
                }
            };
            parameters.extend(file.parameters);
            if let Some((name, _)) = parameters.iter().find(|(_, p)| p.mark != "c" && p.mark != "u") {
                return Err(wrong(format!("mark of {name} is neither c nor u")));
            }
            let expiry = day(&format!("2000-{}", file.expiry))?;
            let set = RuleSet {
                digest: digest(&parameters),
                id: file.id,
                valid_from: day(&file.valid_from)?,
                valid_to: day(&file.valid_to)?,
                expiry: (expiry.month(), expiry.day()),
                parameters,
            };
            set.complete()?;
            if let Some(previous) = sets.last() {
                let follows = previous.valid_to.tomorrow().is_ok_and(|next| next == set.valid_from);
                if !follows || set.valid_to < set.valid_from {
                    return Err(RuleError::Gap(previous.id.clone(), set.id));
                }
            }
            sets.push(set);
        }
        Ok(Self { sets })
    }

    /// The rule set of a day of presentation.
    pub fn on(&self, presented: Date) -> Option<&RuleSet> {
        self.sets.iter().find(|set| (set.valid_from..=set.valid_to).contains(&presented))
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[RuleSet] {
        &self.sets
    }
}

impl RuleSet {
    /// A parameter. All that the computation names are there: that was seen to before this set could be used.
    pub fn get(&self, name: &str) -> Decimal {
        self.parameters.get(name).map_or(Decimal::ZERO, |parameter| parameter.value)
    }

    /// Every parameter with its citation.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The last day on which an attestation of a DSU presented on `presented` is valid.
    pub fn expires(&self, presented: Date) -> Date {
        Date::new(presented.year(), self.expiry.0, self.expiry.1).unwrap_or(presented)
    }

    fn complete(&self) -> Result<(), RuleError> {
        let needed = [
            name::DIPENDENTI_QUOTA,
            name::DIPENDENTI_MASSIMO,
            name::PENSIONI_QUOTA,
            name::PENSIONI_MASSIMO,
            name::SPESE_DISABILI_MASSIMO,
            name::LOCAZIONE_MASSIMO,
            name::LOCAZIONE_FIGLIO,
            name::RENDIMENTO,
            name::MOBILIARE_FRANCHIGIA,
            name::MOBILIARE_COMPONENTE,
            name::MOBILIARE_MASSIMO,
            name::MOBILIARE_FIGLIO,
            name::TITOLI_ESCLUSI,
            name::CASA_FRANCHIGIA,
            name::CASA_FIGLIO,
            name::CASA_QUOTA_NUMERATORE,
            name::CASA_QUOTA_DENOMINATORE,
            name::ISP_QUOTA,
            name::SCALA_ULTERIORE,
            name::LAVORO,
            name::LAVORO_TRE_ANNI,
            name::DISABILITA,
            name::RICOVERATO,
            name::FNC_ETA,
            name::TRASMISSIONE_GIORNI,
        ];
        let missing = needed.into_iter().chain(name::SCALA).chain(name::FIGLI).find(|name| !self.parameters.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(RuleError::Missing(self.id.clone(), name)))
    }
}

fn digest(parameters: &BTreeMap<String, Parameter>) -> String {
    use std::fmt::Write as _;
    let mut canonical = String::new();
    for (name, parameter) in parameters {
        let _ = writeln!(canonical, "{name}={}", parameter.value.normalize());
    }
    hex(&sha256(canonical.as_bytes()))
}

fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    Decimal::from_str_exact(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_embedded_sets_are_complete_and_follow_each_other() {
        let rules = Rules::embedded().unwrap();
        assert_eq!(rules.on(date(2025, 3, 4)).unwrap().id, "2025-01");
        assert_eq!(rules.on(date(2025, 3, 5)).unwrap().id, "2025-03");
        assert_eq!(rules.on(date(2026, 11, 21)).unwrap().get(name::RENDIMENTO), "0.026".parse().unwrap());
        assert!(rules.on(date(2019, 12, 31)).is_none() && rules.on(date(2027, 1, 1)).is_none());
        assert_eq!(rules.on(date(2026, 2, 1)).unwrap().expires(date(2026, 2, 1)), date(2026, 12, 31));
    }

    #[test]
    fn a_gap_an_overlap_and_a_missing_parameter_refuse_to_start() {
        let mut files = FILES.to_vec();
        files.remove(3);
        assert!(matches!(Rules::from_files(&files), Err(RuleError::Gap(..) | RuleError::File(..))));
        let overlapping = FILES[1].replace("2021-01-01", "2020-12-31");
        assert!(matches!(Rules::from_files(&[FILES[0], &overlapping]), Err(RuleError::Gap(..))));
        let renamed = FILES[0].replace("[parameters.rendimento]", "[parameters.rendita]");
        assert!(matches!(Rules::from_files(&[&renamed]), Err(RuleError::Missing(_, name::RENDIMENTO))));
    }
}
