//! What an ente may do: grants of operations and benefits, for its offices, in their time.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// From a day to a day, both included; open where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periodo {
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dal: Option<Date>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub al: Option<Date>,
}

impl Periodo {
    /// Whether a day is in it.
    pub fn contains(&self, day: Date) -> bool {
        self.dal.is_none_or(|first| first <= day) && self.al.is_none_or(|last| day <= last)
    }

    /// Whether it ends before it begins.
    pub fn is_empty(&self) -> bool {
        matches!((self.dal, self.al), (Some(first), Some(last)) if last < first)
    }
}

/// A grant: these operations, for these benefits, from these offices, in this time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilitazione {
    /// Operations.
    pub operazioni: Vec<String>,
    /// Benefits; none where the operations have no benefit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prestazioni: Vec<String>,
    /// Offices; none: from any, and without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uffici: Vec<String>,
    /// Whether it is for checks (DPR 445/2000 art. 71; DPCM 159/2013 art. 11): without that no DSU is read in detail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controlli: bool,
    /// When.
    #[serde(flatten)]
    pub periodo: Periodo,
}

/// The operation that gives a DSU in detail, in either dialect: only for checks.
pub const DETAIL: &str = "ConsultazioneDichiarazione";

impl Abilitazione {
    /// Whether an operation is granted on a day.
    pub fn covers(&self, operation: &str, today: Date) -> bool {
        self.operazioni.iter().any(|granted| granted == operation)
            && (self.controlli || operation != DETAIL)
            && self.periodo.contains(today)
    }

    /// Whether it is granted from an office.
    pub fn covers_office(&self, office: Option<&str>) -> bool {
        self.uffici.is_empty() || office.is_some_and(|office| self.uffici.iter().any(|granted| granted == office))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_grant_covers_its_operations_offices_and_days() {
        let grant = Abilitazione {
            operazioni: vec!["ConsultazioneIndicatore".to_owned(), "ConsultazioneDichiarazione".to_owned()],
            uffici: vec!["U1".to_owned()],
            periodo: Periodo { dal: Some(date(2026, 1, 1)), al: Some(date(2026, 12, 31)) },
            ..Abilitazione::default()
        };
        assert!(grant.covers("ConsultazioneIndicatore", date(2026, 1, 1)) && grant.covers("ConsultazioneIndicatore", date(2026, 12, 31)));
        assert!(!grant.covers("ConsultazioneIndicatore", date(2025, 12, 31)) && !grant.covers("ConsultazioneIndicatore", date(2027, 1, 1)));
        assert!(!grant.covers("ConsultazioneAttestazione", date(2026, 5, 1)));
        assert!(!grant.covers("ConsultazioneDichiarazione", date(2026, 5, 1)), "detail without checks");
        assert!(Abilitazione { controlli: true, ..grant.clone() }.covers("ConsultazioneDichiarazione", date(2026, 5, 1)));
        assert!(grant.covers_office(Some("U1")) && !grant.covers_office(Some("U2")) && !grant.covers_office(None));
        assert!(Periodo { dal: Some(date(2026, 2, 1)), al: Some(date(2026, 1, 1)) }.is_empty());
    }
}
