//! An ente's grants: operations and benefits, for its offices, in their time.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

/// From a day to a day, both included. `None`: open at this end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Periodo {
    /// First day. `None`: no beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dal: Option<Date>,
    /// Last day. `None`: no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub al: Option<Date>,
}

impl Periodo {
    /// Whether a day is in it.
    pub fn contains(&self, day: Date) -> bool {
        self.dal.is_none_or(|first| first <= day) && self.al.is_none_or(|last| day <= last)
    }

    /// Whether it has a day in common with another.
    pub fn meets(&self, other: &Self) -> bool {
        let before = |one: &Self, other: &Self| matches!((one.al, other.dal), (Some(last), Some(first)) if last < first);
        !before(self, other) && !before(other, self)
    }

    /// Whether it ends before it begins.
    pub fn is_empty(&self) -> bool {
        matches!((self.dal, self.al), (Some(first), Some(last)) if last < first)
    }
}

/// A grant: these operations, for these benefits, from these offices, in this time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilitazione {
    /// Its number among the ente's grants, never used again; 0 until the registry gives it one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub numero: u32,
    /// Names of operations, at least one.
    pub operazioni: Vec<String>,
    /// Codes of benefits; empty where the operations need no benefit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prestazioni: Vec<String>,
    /// For ConsultazioneIndicatore and thresholds: these indicators alone. Empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indicatori: Vec<String>,
    /// Codes of offices. Empty: any office, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uffici: Vec<String>,
    /// Whether it is for checks (DPR 445/2000 art. 71; DPCM 159/2013 art. 11). Only such a grant opens a DSU
    /// in detail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controlli: bool,
    /// The days of the grant.
    #[serde(flatten)]
    pub periodo: Periodo,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
pub(super) fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Grants as recorded. A grant recorded without a number gets its place, from 1.
pub(super) fn numbered<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Abilitazione>, D::Error> {
    let mut grants = Vec::<Abilitazione>::deserialize(deserializer)?;
    for (place, grant) in (1..).zip(&mut grants) {
        if grant.numero == 0 {
            grant.numero = place;
        }
    }
    Ok(grants)
}

/// Whether two codes are of the same office: leading zeros do not count.
pub fn same_office(one: &str, other: &str) -> bool {
    let (first, second) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    // A code of zeros alone is an office too; no code is none.
    first == second && one.is_empty() == other.is_empty()
}

/// The operations with one indicator in the reply. A grant of these alone may name indicators.
pub const OF_ONE_INDICATOR: [&str; 2] = ["ConsultazioneIndicatore", "ConsultazioneSogliaIndicatore"];

/// The operation for a DSU in detail, in either dialect: only for checks.
pub const DETAIL: &str = "ConsultazioneDichiarazione";

impl Abilitazione {
    /// Whether an operation is granted on a day.
    pub fn covers(&self, operation: &str, today: Date) -> bool {
        self.operazioni.iter().any(|granted| granted == operation)
            && (self.controlli || operation != DETAIL)
            && self.periodo.contains(today)
    }

    /// Whether an indicator may be read under it.
    pub fn covers_indicator(&self, indicatore: &str) -> bool {
        self.indicatori.is_empty() || self.indicatori.iter().any(|granted| granted == indicatore)
    }

    /// Whether it holds for an office, or for a request without one.
    pub fn covers_office(&self, office: Option<&str>) -> bool {
        self.uffici.is_empty()
            || office.is_some_and(|office| self.uffici.iter().any(|granted| same_office(granted, office)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn leading_zeros_of_an_office_do_not_count() {
        for (one, other) in [
            ("001", "1"),
            ("001", "0001"),
            ("0", "000"),
            ("0U1", "U1"),
            ("U1", "U1"),
        ] {
            assert!(
                same_office(one, other) && same_office(other, one),
                "{one} {other}"
            );
        }
        for (one, other) in [
            ("1", "10"),
            ("0", "1"),
            ("", "0"),
            ("00", ""),
            ("U01", "U1"),
            ("u1", "U1"),
        ] {
            assert!(
                !same_office(one, other) && !same_office(other, one),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_grant_covers_its_operations_offices_and_days() {
        let grant = Abilitazione {
            operazioni: vec![
                "ConsultazioneIndicatore".to_owned(),
                "ConsultazioneDichiarazione".to_owned(),
            ],
            uffici: vec!["U1".to_owned()],
            periodo: Periodo {
                dal: Some(date(2026, 1, 1)),
                al: Some(date(2026, 12, 31)),
            },
            ..Abilitazione::default()
        };
        assert!(
            grant.covers("ConsultazioneIndicatore", date(2026, 1, 1))
                && grant.covers("ConsultazioneIndicatore", date(2026, 12, 31))
        );
        assert!(
            !grant.covers("ConsultazioneIndicatore", date(2025, 12, 31))
                && !grant.covers("ConsultazioneIndicatore", date(2027, 1, 1))
        );
        assert!(!grant.covers("ConsultazioneAttestazione", date(2026, 5, 1)));
        assert!(
            !grant.covers("ConsultazioneDichiarazione", date(2026, 5, 1)),
            "detail without checks"
        );
        assert!(
            Abilitazione {
                controlli: true,
                ..grant.clone()
            }
            .covers("ConsultazioneDichiarazione", date(2026, 5, 1))
        );
        assert!(
            grant.covers_office(Some("U1")) && !grant.covers_office(Some("U2")) && !grant.covers_office(None)
        );
        assert!(
            Abilitazione {
                uffici: vec!["007".to_owned()],
                ..grant
            }
            .covers_office(Some("7"))
        );
        assert!(
            Periodo {
                dal: Some(date(2026, 2, 1)),
                al: Some(date(2026, 1, 1))
            }
            .is_empty()
        );
    }
}
