//! Rule sets: the parameters of the law, one readable file a period, chosen by the day of presentation.
//!
//! Every parameter has its citation and a mark: `c` for a value confirmed by a source, `u` for a value
//! without a source at hand. An operator may give a `u` parameter another value, with its source. Periods
//! must follow each other without gap or overlap, or nothing starts. A variant is another text of the law for
//! a period; it counts only if an operator chooses it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::money::{Euro, Ratio};
use crate::config::RegoleConfig;
use crate::digest::{hex, sha256};

/// The version of the method of computation: of the code behind the parameters. It is part of each digest:
/// `rules apply --prova` finds the attestations of an earlier method by it. A change of a figure, with the
/// same DSU and parameters, counts it up and has a line in the changelog.
///
/// 2: deductions of art. 4 c. 3 up to the income; expenses of art. 4 c. 3 c with the payer; FC4's income
/// under substitute tax beside FC8's and the Agency's; relations 09 among the deposits; an increment equal to
/// the difference; a person alone in care; half a cent of a component; the specific ISEE of minors.
pub const METODO: u32 = 2;

/// The files, oldest first; variants after all others.
const FILES: [&str; 19] = [
    include_str!("2015.toml"),
    include_str!("2016.toml"),
    include_str!("2017.toml"),
    include_str!("2018.toml"),
    include_str!("2019-01.toml"),
    include_str!("2019-01-29.toml"),
    include_str!("2019-09.toml"),
    include_str!("2019-10.toml"),
    include_str!("2020.toml"),
    include_str!("2021-01.toml"),
    include_str!("2021-09.toml"),
    include_str!("2022.toml"),
    include_str!("2023.toml"),
    include_str!("2024.toml"),
    include_str!("2025-01.toml"),
    include_str!("2025-03.toml"),
    include_str!("2026.toml"),
    include_str!("2019-09-dl4.toml"),
    include_str!("2019-10-dl4.toml"),
];

/// The parameters of one period.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// Its name, recorded in attestations.
    pub id: String,
    /// First day of presentation.
    pub valid_from: Date,
    /// Last day of presentation.
    pub valid_to: Date,
    /// Last day of validity of an attestation: month, day, and number of years after the year of
    /// presentation.
    pub expiry: (i8, i8, i16),
    /// Name of the rule set replaced by this variant; None if it is no variant.
    pub variant_of: Option<String>,
    /// Values of the parameters, typed.
    pub law: Law,
    parameters: BTreeMap<String, Parameter>,
    lists: BTreeMap<String, List>,
    /// SHA-256 of its parameters, lists, expiry and the version of the method, in hexadecimal. Attestations
    /// record it beside the id.
    pub digest: String,
}

/// One parameter of the law.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value, written as text in the file.
    #[serde(deserialize_with = "decimal")]
    pub value: Decimal,
    /// Citation of the law, or the operator's source.
    pub cite: String,
    /// Whether a source confirms it.
    pub mark: Mark,
}

/// Whether a source confirms a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// A source confirms it.
    C,
    /// No text at hand confirms it.
    U,
    /// The operator gave it, in place of an unconfirmed one. No file has this mark.
    #[serde(skip_deserializing)]
    O,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::C => "c",
            Self::U => "u",
            Self::O => "o",
        })
    }
}

/// A list of the law.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The values, in the order of the file.
    pub values: Vec<String>,
    /// Citation of the law.
    pub cite: String,
    /// Whether a source confirms the list.
    pub mark: Mark,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    valid_from: Date,
    valid_to: Date,
    expiry: String,
    #[serde(default)]
    expiry_years: i16,
    #[serde(default)]
    same_as: Option<String>,
    #[serde(default)]
    variant_of: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    lists: BTreeMap<String, List>,
}

/// Reasons to refuse the rule sets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// An unreadable file, by its index.
    #[error("rule set {0}: {1}")]
    File(usize, String),
    /// A gap or an overlap between two periods.
    #[error("rule sets {0} and {1} leave a gap or overlap")]
    Gap(String, String),
    /// A parameter of the computation, missing or of another type.
    #[error("rule set {0} lacks the parameter {1}")]
    Missing(String, &'static str),
    /// A choice of the operator, refused.
    #[error("regole: {0}")]
    Choice(String),
}

/// A value of the law, read from its parameter.
trait RuleValue: Sized {
    /// The value. None if the period must have it and lacks it, or if it is of another type.
    fn of(parameter: Option<&Parameter>) -> Option<Self>;
}

impl RuleValue for Ratio {
    fn of(parameter: Option<&Parameter>) -> Option<Self> {
        parameter.map(|parameter| Self::new(parameter.value))
    }
}

impl RuleValue for Euro {
    fn of(parameter: Option<&Parameter>) -> Option<Self> {
        parameter.map(|parameter| Self::new(parameter.value))
    }
}

impl RuleValue for u32 {
    fn of(parameter: Option<&Parameter>) -> Option<Self> {
        let value = parameter?.value;
        value.to_u32().filter(|whole| Decimal::from(*whole) == value)
    }
}

impl RuleValue for bool {
    fn of(parameter: Option<&Parameter>) -> Option<Self> {
        parameter.map(|parameter| !parameter.value.is_zero())
    }
}

/// A value of some periods only.
impl<T: RuleValue> RuleValue for Option<T> {
    fn of(parameter: Option<&Parameter>) -> Option<Self> {
        parameter.map_or(Some(None), |parameter| T::of(Some(parameter)).map(Some))
    }
}

/// The values needed by the computation and the checks, a line each. A period without one is refused.
macro_rules! law {
    ($($field:ident: $type:ty;)+) => {
        /// The values of one period. Each is explained, with its citation, in the rule files.
        #[derive(Clone, Debug)]
        #[allow(missing_docs, reason = "each parameter is explained, with its citation, in the rule files")]
        pub struct Law {
            $(pub $field: $type,)+
        }

        impl Law {
            /// The error is the name of a missing parameter.
            fn read(parameters: &BTreeMap<String, Parameter>) -> Result<Self, &'static str> {
                Ok(Self { $($field: RuleValue::of(parameters.get(stringify!($field))).ok_or(stringify!($field))?,)+ })
            }
        }
    };
}

law! {
    dipendenti_quota: Ratio;
    dipendenti_massimo: Euro;
    pensioni_quota: Ratio;
    pensioni_massimo: Euro;
    spese_disabili_massimo: Euro;
    locazione_massimo: Euro;
    locazione_figlio: Euro;
    rendimento: Ratio;
    mobiliare_franchigia: Euro;
    mobiliare_componente: Euro;
    mobiliare_massimo: Euro;
    mobiliare_figlio: Euro;
    titoli_esclusi: Euro;
    casa_franchigia: Euro;
    casa_figlio: Euro;
    casa_quota_numeratore: Ratio;
    casa_quota_denominatore: Ratio;
    isp_quota: Ratio;
    scala_1: Ratio;
    scala_2: Ratio;
    scala_3: Ratio;
    scala_4: Ratio;
    scala_5: Ratio;
    scala_ulteriore: Ratio;
    figli_3: Ratio;
    figli_4: Ratio;
    figli_5: Ratio;
    lavoro: Ratio;
    lavoro_tre_anni: Ratio;
    disabilita: Ratio;
    ricoverato: Ratio;
    fnc_eta: u32;
    figli_minimo: u32;
    studente_eta: u32;
    trasmissione_giorni: u32;
    integrazione_giorni: u32;
    patrimonio_anni: u32;
    franchigia_media: Euro;
    franchigia_media_minore: Euro;
    franchigia_grave: Euro;
    franchigia_grave_minore: Euro;
    franchigia_non_autosufficiente: Euro;
    franchigia_non_autosufficiente_minore: Euro;
    assistenza: bool;
    trattamenti_disabilita: bool;
    componente_figlio_franchigia: Euro;
    componente_figlio_quota: Ratio;
    componente_genitore_quota: Ratio;
    componente_genitore_quota_figli: Ratio;
    studente_reddito: Euro;
    corrente_mesi: u32;
    corrente_scostamento: Ratio;
    corrente_insieme: bool;
    corrente_patrimonio: Ratio;
    corrente_patrimonio_mese: u32;
    specifico_casa: Option<Euro>;
    specifico_casa_capoluogo: Option<Euro>;
    specifico_casa_figlio: Option<Euro>;
    specifico_figli_2: Option<Ratio>;
    specifico_figli_3: Option<Ratio>;
    specifico_figli_4: Option<Ratio>;
    specifico_figli_5: Option<Ratio>;
}

/// A list: municipalities where the specific ISEE has another franchise.
const CAPOLUOGHI: &str = "capoluoghi";

/// The rule sets of all periods, and the variants.
#[derive(Clone, Debug)]
pub struct Rules {
    sets: Vec<RuleSet>,
    variants: Vec<RuleSet>,
}

impl Rules {
    /// The embedded rule sets, checked.
    pub fn embedded() -> Result<Self, RuleError> {
        Self::from_files(&FILES)
    }

    /// The embedded rule sets with an operator's choices: variants in place of their originals, other values
    /// for unconfirmed parameters.
    pub fn configured(regole: &RegoleConfig) -> Result<Self, RuleError> {
        let mut rules = Self::embedded()?;
        for wanted in &regole.varianti {
            let found = rules.variants.iter().find(|variant| variant.id == *wanted);
            let variant = found
                .ok_or_else(|| RuleError::Choice(format!("{wanted} non è una variante")))?
                .clone();
            let place = rules
                .sets
                .iter_mut()
                .find(|set| Some(&set.id) == variant.variant_of.as_ref());
            *place.ok_or_else(|| {
                RuleError::Choice(format!("{wanted}: un'altra variante ha già preso il suo posto"))
            })? = variant;
        }
        for parametro in &regole.parametri {
            let wrong =
                |what: &str| RuleError::Choice(format!("{} {}: {what}", parametro.insieme, parametro.nome));
            let set = rules.sets.iter_mut().find(|set| set.id == parametro.insieme);
            let set = set.ok_or_else(|| wrong("insieme di regole non conosciuto"))?;
            let known = set
                .parameters
                .get_mut(&parametro.nome)
                .ok_or_else(|| wrong("parametro non conosciuto"))?;
            if known.mark != Mark::U {
                return Err(wrong("il valore è confermato da una fonte, o già cambiato"));
            }
            if parametro.fonte.trim().is_empty() {
                return Err(wrong("indicare la fonte"));
            }
            if parametro.valore.is_sign_negative() {
                return Err(wrong("valore negativo"));
            }
            *known = Parameter {
                value: parametro.valore,
                cite: parametro.fonte.clone(),
                mark: Mark::O,
            };
            set.law = Law::read(&set.parameters).map_err(|_| wrong("serve un numero intero"))?;
            set.digest = set.fingerprint();
        }
        Ok(rules)
    }

    /// Rule sets from their files, oldest first, variants last. A file may say `same_as` another one and give
    /// only the differences.
    pub fn from_files(files: &[&str]) -> Result<Self, RuleError> {
        let mut rules = Self {
            sets: Vec::with_capacity(files.len()),
            variants: Vec::new(),
        };
        for (index, text) in files.iter().enumerate() {
            let wrong = |error: String| RuleError::File(index, error);
            let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
            let (mut parameters, mut lists) = match &file.same_as {
                None => Default::default(),
                Some(id) => {
                    let base = rules
                        .named(id)
                        .ok_or_else(|| wrong(format!("unknown rule set {id}")))?;
                    (base.parameters.clone(), base.lists.clone())
                }
            };
            parameters.extend(file.parameters);
            lists.extend(file.lists);
            let expiry: Date = format!("2000-{}", file.expiry)
                .parse()
                .map_err(|error: jiff::Error| wrong(error.to_string()))?;
            let law = Law::read(&parameters).map_err(|name| RuleError::Missing(file.id.clone(), name))?;
            let mut set = RuleSet {
                law,
                digest: String::new(),
                id: file.id,
                valid_from: file.valid_from,
                valid_to: file.valid_to,
                expiry: (expiry.month(), expiry.day(), file.expiry_years),
                variant_of: file.variant_of,
                parameters,
                lists,
            };
            set.digest = set.fingerprint();
            rules.place(set)?;
        }
        Ok(rules)
    }

    /// Puts a set where it belongs: after the one before it, or among the variants.
    fn place(&mut self, set: RuleSet) -> Result<(), RuleError> {
        let gap = |other: &RuleSet| Err(RuleError::Gap(other.id.clone(), set.id.clone()));
        if let Some(of) = &set.variant_of {
            return match self.sets.iter().find(|other| other.id == *of) {
                Some(other) if (other.valid_from, other.valid_to) == (set.valid_from, set.valid_to) => {
                    self.variants.push(set);
                    Ok(())
                }
                Some(other) => gap(other),
                None => Err(RuleError::Gap(of.clone(), set.id)),
            };
        }
        if let Some(previous) = self.sets.last() {
            let follows = previous
                .valid_to
                .tomorrow()
                .is_ok_and(|next| next == set.valid_from);
            if !follows {
                return gap(previous);
            }
        }
        if set.valid_to < set.valid_from {
            return Err(RuleError::Gap(set.id.clone(), set.id));
        }
        self.sets.push(set);
        Ok(())
    }

    /// The rule set of a day of presentation; None outside all periods.
    pub fn on(&self, presented: Date) -> Option<&RuleSet> {
        self.sets
            .iter()
            .find(|set| (set.valid_from..=set.valid_to).contains(&presented))
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[RuleSet] {
        &self.sets
    }

    /// A rule set or a variant by its name.
    pub fn named(&self, id: &str) -> Option<&RuleSet> {
        self.sets.iter().chain(&self.variants).find(|set| set.id == id)
    }
}

impl RuleSet {
    /// Citation of a parameter; empty for an unknown name.
    pub fn cite(&self, name: &str) -> &str {
        self.parameters
            .get(name)
            .map_or("", |parameter| parameter.cite.as_str())
    }

    /// The municipalities where the specific ISEE has another franchise; none in a period without a specific
    /// ISEE.
    pub fn capoluoghi(&self) -> &[String] {
        self.lists
            .get(CAPOLUOGHI)
            .map_or(&[], |list| list.values.as_slice())
    }

    /// Every parameter with its citation.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters
            .iter()
            .map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// Every list with its citation.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &List)> {
        self.lists.iter().map(|(name, list)| (name.as_str(), list))
    }

    /// Last day of validity of an attestation, for a DSU presented on `presented`.
    pub fn expires(&self, presented: Date) -> Date {
        Date::new(presented.year() + self.expiry.2, self.expiry.0, self.expiry.1).unwrap_or(presented)
    }

    /// Year of the assets of a DSU presented on `presented`: their day is its 31 December.
    pub fn assets_year(&self, presented: Date) -> i16 {
        presented
            .year()
            .saturating_sub_unsigned(u16::try_from(self.law.patrimonio_anni).unwrap_or(u16::MAX))
    }

    /// Digest of all inputs of the computation, in the order of their names.
    fn fingerprint(&self) -> String {
        use std::fmt::Write as _;
        let mut canonical = format!(
            "metodo={METODO}\nscadenza={}-{}+{}\n",
            self.expiry.0, self.expiry.1, self.expiry.2
        );
        for (name, parameter) in &self.parameters {
            let _ = writeln!(canonical, "{name}={}", parameter.value.normalize());
        }
        for (name, list) in &self.lists {
            let _ = writeln!(canonical, "{name}={}", list.values.join(" "));
        }
        hex(&sha256(canonical.as_bytes()))
    }
}

fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    Decimal::from_str_exact(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn set(presented: Date) -> RuleSet {
        Rules::embedded().unwrap().on(presented).unwrap().clone()
    }

    #[test]
    fn the_embedded_sets_are_complete_and_follow_each_other() {
        let rules = Rules::embedded().unwrap();
        assert!(rules.on(date(2014, 12, 31)).is_none() && rules.on(date(2027, 1, 1)).is_none());
        let days = [
            (date(2015, 1, 1), "2015"),
            (date(2016, 1, 1), "2016"),
            (date(2019, 1, 28), "2019-01"),
            (date(2019, 1, 29), "2019-01-29"),
            (date(2019, 8, 31), "2019-01-29"),
            (date(2019, 9, 1), "2019-09"),
            (date(2019, 10, 22), "2019-09"),
            (date(2019, 10, 23), "2019-10"),
            (date(2021, 8, 31), "2021-01"),
            (date(2021, 9, 1), "2021-09"),
            (date(2025, 3, 4), "2025-01"),
            (date(2025, 3, 5), "2025-03"),
            (date(2026, 12, 31), "2026"),
        ];
        for (day, id) in days {
            assert_eq!(rules.on(day).unwrap().id, id, "{day}");
        }
    }

    #[test]
    fn the_yield_of_each_year_is_that_of_the_law() {
        let yields = [
            "0.015", "0.012", "0.011", "0.013", "0.018", "0.0105", "0.0101", "0.008", "0.0304", "0.035",
            "0.03", "0.026",
        ];
        for (year, rendimento) in (2015..).zip(yields) {
            assert_eq!(
                set(date(year, 6, 1)).law.rendimento.value(),
                rendimento.parse().unwrap(),
                "{year}"
            );
        }
    }

    #[test]
    fn validity_follows_the_law_in_force_on_the_day_of_presentation() {
        let cases = [
            (date(2015, 1, 1), date(2016, 1, 15)),
            (date(2018, 12, 31), date(2019, 1, 15)),
            (date(2019, 1, 1), date(2019, 12, 31)),
            (date(2019, 9, 1), date(2019, 12, 31)),
            (date(2019, 12, 31), date(2019, 12, 31)),
            (date(2020, 1, 1), date(2020, 12, 31)),
            (date(2026, 2, 1), date(2026, 12, 31)),
        ];
        for (presented, expires) in cases {
            assert_eq!(set(presented).expires(presented), expires, "{presented}");
        }
        let regole = RegoleConfig {
            varianti: vec!["2019-09-dl4".to_owned(), "2019-10-dl4".to_owned()],
            parametri: Vec::new(),
        };
        let chosen = Rules::configured(&regole).unwrap();
        for presented in [date(2019, 9, 1), date(2019, 12, 31)] {
            let set = chosen.on(presented).unwrap();
            assert_eq!(set.expires(presented), date(2020, 8, 31));
            assert_ne!(set.digest, self::set(presented).digest);
        }
    }

    #[test]
    fn what_nothing_confirms_may_be_given_another_value_and_nothing_else_may() {
        let parametro = |insieme: &str, nome: &str, fonte: &str| crate::config::Parametro {
            insieme: insieme.to_owned(),
            nome: nome.to_owned(),
            valore: "0.0275".parse().unwrap(),
            fonte: fonte.to_owned(),
        };
        let with = |parametri| {
            Rules::configured(&RegoleConfig {
                varianti: Vec::new(),
                parametri,
            })
        };
        let rules = with(vec![parametro("2026", "rendimento", "Circolare")]).unwrap();
        let (given, embedded) = (rules.on(date(2026, 1, 1)).unwrap(), set(date(2026, 1, 1)));
        assert_eq!(given.law.rendimento.value(), "0.0275".parse().unwrap());
        assert_eq!(given.cite("rendimento"), "Circolare");
        assert_ne!(given.digest, embedded.digest);
        assert_eq!(
            rules.on(date(2025, 6, 1)).unwrap().digest,
            set(date(2025, 6, 1)).digest
        );
        for refused in [
            parametro("2026", "disabilita", "Circolare"),
            parametro("2022", "rendimento", "Circolare"),
            parametro("2014", "rendimento", "Circolare"),
            parametro("2026", "rendita", "Circolare"),
            parametro("2026", "rendimento", " "),
        ] {
            assert!(matches!(with(vec![refused]), Err(RuleError::Choice(_))));
        }
        let twice = vec![
            parametro("2026", "rendimento", "A"),
            parametro("2026", "rendimento", "B"),
        ];
        assert!(matches!(with(twice), Err(RuleError::Choice(_))));
        let unknown = RegoleConfig {
            varianti: vec!["2020".to_owned()],
            parametri: Vec::new(),
        };
        assert!(matches!(Rules::configured(&unknown), Err(RuleError::Choice(_))));
    }

    #[test]
    fn a_gap_an_overlap_and_a_missing_parameter_refuse_to_start() {
        let mut files = FILES[..4].to_vec();
        files.remove(2);
        let files: Vec<String> = files
            .into_iter()
            .map(|file| file.replace("same_as = \"2017\"", "same_as = \"2016\""))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        assert_eq!(
            Rules::from_files(&files).unwrap_err(),
            RuleError::Gap("2016".to_owned(), "2018".to_owned())
        );
        let overlapping = FILES[1].replace("2016-01-01", "2015-12-31");
        assert!(matches!(
            Rules::from_files(&[FILES[0], &overlapping]),
            Err(RuleError::Gap(..))
        ));
        let reversed = FILES[1].replace("2016-12-31", "2015-12-31");
        assert!(matches!(
            Rules::from_files(&[FILES[0], &reversed]),
            Err(RuleError::Gap(..))
        ));
        let renamed = FILES[0].replace("[parameters.rendimento]", "[parameters.rendita]");
        assert!(matches!(
            Rules::from_files(&[&renamed]),
            Err(RuleError::Missing(_, "rendimento"))
        ));
        let marked = FILES[0].replacen("mark = \"c\"", "mark = \"x\"", 1);
        assert!(matches!(Rules::from_files(&[&marked]), Err(RuleError::File(..))));
        // A variant of another period than the one it varies.
        let moved = FILES[17].replace("2019-10-22", "2019-10-21");
        let mut files = FILES[..8].to_vec();
        files.push(&moved);
        assert!(matches!(Rules::from_files(&files), Err(RuleError::Gap(..))));
    }
}
