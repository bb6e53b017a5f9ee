//! Indicators as JSON: every line by its name in the attestation, amounts as texts with two decimals.
//! `varco dsu compute --json` prints them; an attestation's entry keeps those without a place in the
//! published schema.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::codes::Importo;
use super::compute::Calcolo;
use super::compute::casi::{Caso, IndicatoreCalcolato, Specifico};

/// The lines of a computation, by their names.
pub fn di_calcolo(calcolo: &Calcolo) -> Value {
    calcolo
        .righe()
        .into_iter()
        .map(|(name, amount)| (name.to_owned(), Value::from(amount.to_string())))
        .collect()
}

/// A person's indicator: the case, the ISEE, the added components, and the lines if its nucleus is not the
/// family's.
pub fn di_indicatore(indicatore: &IndicatoreCalcolato) -> Value {
    let (caso, valori) = match &indicatore.caso {
        Caso::Base(_) => ("nucleo".to_owned(), Value::Null),
        Caso::Diverso(diverso) => (format!("{:?}", diverso.modo), di_calcolo(&diverso.calcolo)),
        Caso::NonCalcolabile(_) => ("NonCalcolabile".to_owned(), Value::Null),
    };
    let components = match &indicatore.caso {
        Caso::Diverso(diverso) => diverso.componenti.as_slice(),
        _ => &[],
    };
    json!({
        "codice_fiscale": indicatore.codice_fiscale.canonical(),
        "caso": caso,
        "isee": indicatore.isee().map(amount),
        "calcolo": valori,
        "componenti": components.iter().map(|componente| json!({
            "codice_fiscale": componente.codice_fiscale.canonical(),
            "valore": componente.valore.map(amount),
        })).collect::<Vec<_>>(),
    })
}

/// The specific ISEE: the lines of the family, and of each minor with parents apart.
pub fn di_specifico(specifico: &Specifico) -> Value {
    let apart = specifico
        .minorenni
        .iter()
        .filter(|minor| !matches!(minor.caso, Caso::Base(_)));
    json!({ "famiglia": di_calcolo(&specifico.famiglia), "minorenni": apart.map(di_indicatore).collect::<Vec<_>>() })
}

fn amount(amount: impl Into<Decimal>) -> Value {
    let amount = amount.into();
    Importo(amount).to_string().into()
}
