//! The current ISEE: art. 9. Incomes of the last twelve months, or of two months times six; assets of the end
//! of the last year.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::codes::TipoVariazione;
use super::super::dsu::{IseeCorrente, Variazione};
use super::super::money::{Euro, Ratio};
use super::super::rules::RuleSet;
use super::calcolo::Calcolo;

/// A member's current incomes, for twelve months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedditiCorrenti {
    /// Of employees and pensioners.
    pub dipendente: Euro,
    /// Of self-employed work and business.
    pub autonomo: Euro,
    /// Treatments of assistance, not for disability.
    pub trattamenti: Euro,
}

/// Factor from two months to twelve.
const SIX: u32 = 6;

impl Variazione {
    /// The incomes in place of the member's; None if only assets changed.
    pub fn redditi(&self) -> Option<RedditiCorrenti> {
        let given = [
            self.reddito_dipendente_12_mesi,
            self.reddito_dipendente_2_mesi,
            self.reddito_autonomo_12_mesi,
            self.reddito_autonomo_2_mesi,
            self.trattamenti_assistenziali_12_mesi,
            self.trattamenti_assistenziali_2_mesi,
        ];
        if given.iter().all(Option::is_none) {
            return None;
        }
        let year = |twelve: Option<u32>, two: Option<u32>| {
            twelve.map_or_else(|| Euro::whole(two).times(SIX), |twelve| Euro::whole(Some(twelve)))
        };
        Some(RedditiCorrenti {
            dipendente: year(self.reddito_dipendente_12_mesi, self.reddito_dipendente_2_mesi),
            autonomo: year(self.reddito_autonomo_12_mesi, self.reddito_autonomo_2_mesi),
            trattamenti: year(
                self.trattamenti_assistenziali_12_mesi,
                self.trattamenti_assistenziali_2_mesi,
            ),
        })
    }

    /// Whether assets changed: kinds D, AD, BD, CD.
    pub fn changes_assets(&self) -> bool {
        matches!(
            self.tipo_variazione,
            TipoVariazione::D | TipoVariazione::Ad | TipoVariazione::Bd | TipoVariazione::Cd
        )
    }

    /// Whether incomes changed: every kind but D.
    pub fn changes_incomes(&self) -> bool {
        self.tipo_variazione != TipoVariazione::D
    }
}

impl IseeCorrente {
    /// Whether anybody's assets changed.
    pub fn changes_assets(&self) -> bool {
        self.variazione.iter().any(Variazione::changes_assets)
    }

    /// Whether anybody's incomes changed.
    pub fn changes_incomes(&self) -> bool {
        self.variazione.iter().any(Variazione::changes_incomes)
    }

    /// Last day of validity of a current ISEE asked on `presented`. With changed assets: the end of the year.
    /// Otherwise: `corrente_mesi` months later.
    pub fn scadenza(&self, presented: Date, rules: &RuleSet) -> Date {
        if self.changes_assets() {
            return Date::new(presented.year(), 12, 31).unwrap_or(presented);
        }
        let months = i64::from(rules.law.corrente_mesi);
        presented.checked_add(months.months()).unwrap_or(presented)
    }
}

/// The reason to refuse a current ISEE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insufficiente {
    /// The income changed by less than it must.
    Reddito,
    /// The assets changed by less than they must.
    Patrimonio,
}

/// Whether the change is as large as art. 9 asks, from the ordinary indicator to the current one. For incomes
/// this is asked besides the event, or in place of one (kind C; its meaning is not published).
pub fn sufficiente(
    isee_corrente: &IseeCorrente,
    before: &Calcolo,
    after: &Calcolo,
    rules: &RuleSet,
) -> Result<(), Insufficiente> {
    let changed = |before: Decimal, after: Decimal, by: Ratio| {
        let difference = (before - after).abs();
        !difference.is_zero() && difference > before * by.value()
    };
    let only_change = isee_corrente
        .variazione
        .iter()
        .filter(|variazione| variazione.changes_incomes())
        .all(|variazione| matches!(variazione.tipo_variazione, TipoVariazione::C | TipoVariazione::Cd));
    let asked = isee_corrente.changes_incomes() && (rules.law.corrente_insieme || only_change);
    let (b, a) = (&before.modalita, &after.modalita);
    if asked && !changed(b.isr.0, a.isr.0, rules.law.corrente_scostamento) {
        return Err(Insufficiente::Reddito);
    }
    if isee_corrente.changes_assets() && !changed(b.isp.0, a.isp.0, rules.law.corrente_patrimonio) {
        return Err(Insufficiente::Patrimonio);
    }
    Ok(())
}
