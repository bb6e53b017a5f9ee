//! K09 to K11: financial relations, increases, real estate; and a bound for amounts left without one by the
//! schema.

use std::collections::HashSet;
use std::fmt::Display;

use rust_decimal::Decimal;

use super::super::codes::TipoRapporto;
use super::super::dsu::Dichiarazione;
use super::super::foglio::{
    AltriRedditi, FoglioComponente, Incremento, PatrimonioImmobiliare, PatrimonioMobiliare,
    RapportoFinanziario,
};
use super::{Check, Circumstance, Esame, sheet_path, step};

/// The largest amount, in euros, where the schema sets no bound: sums of such amounts cannot overflow.
const LARGEST: Decimal = Decimal::from_parts(1_215_752_191, 23, 0, false, 0);

pub(super) fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let anno = circumstance
        .rules
        .assets_year(circumstance.presented(dsu.presentata()));
    for (index, each) in dsu.fogli().enumerate() {
        sheet(each, &sheet_path(dsu, index), (circumstance, anno), esame);
    }
}

/// All of one sheet; its assets are those at the end of a year.
pub(super) fn sheet(
    sheet: &FoglioComponente,
    path: &dyn Display,
    when: (&Circumstance<'_>, i16),
    esame: &mut Esame,
) {
    assets(
        sheet.patrimonio_mobiliare.as_ref(),
        sheet.patrimonio_immobiliare.as_ref(),
        path,
        when,
        esame,
    );
    if let Some(incomes) = &sheet.altri_redditi {
        bounded(incomes, &format_args!("{path}/AltriRedditi"), esame);
    }
}

/// Movable assets and real estate, of a sheet or of a change; those at the end of a year.
pub(super) fn assets(
    movable: Option<&PatrimonioMobiliare>,
    real: Option<&PatrimonioImmobiliare>,
    path: &dyn Display,
    when: (&Circumstance<'_>, i16),
    esame: &mut Esame,
) {
    if let Some(movable) = movable {
        relations(movable, &format_args!("{path}/PatrimonioMobiliare"), when, esame);
    }
    if let Some(real) = real {
        estate(real, &format_args!("{path}/PatrimonioImmobiliare"), esame);
    }
}

/// K01: the amounts without a bound in the schema.
pub(super) fn bounded(incomes: &AltriRedditi, path: &dyn Display, esame: &mut Esame) {
    for (amount, attribute) in [
        (incomes.reddito_irpef, "RedditoIRPEF"),
        (incomes.trattamenti_assistenziali, "TrattamentiAssistenziali"),
    ] {
        if amount.is_some_and(|amount| amount.abs() > LARGEST) {
            esame.refuse(
                Check::K01Intervallo,
                format_args!("{path}/@{attribute}"),
                "importo fuori dall'intervallo ammesso",
            );
        }
    }
}

/// K09 and K10: financial relations and increases.
fn relations(
    movable: &PatrimonioMobiliare,
    path: &dyn Display,
    (circumstance, anno): (&Circumstance<'_>, i16),
    esame: &mut Esame,
) {
    match (
        movable.flag_possesso_rapporto_finanziario,
        movable.rapporto.is_empty(),
    ) {
        (true, true) => esame.refuse(
            Check::K09Possesso,
            path,
            "possesso di rapporti finanziari senza alcun rapporto",
        ),
        (false, false) => {
            esame.refuse(
                Check::K09Possesso,
                format_args!("{path}/@FlagPossessoRapportoFinanziario"),
                "rapporti presenti, ma il possesso è negato",
            );
        }
        _ => {}
    }
    let mut seen = HashSet::new();
    for (index, relation) in movable.rapporto.iter().enumerate() {
        let path = step(path, "Rapporto", index, movable.rapporto.len());
        relation_data(relation, &path, &mut seen, esame);
        amounts(relation, &path, esame);
        days(relation, &path, (circumstance, anno), esame);
    }
    let empty = |increase: &Incremento| {
        increase
            .incremento_immobiliare
            .or(increase.incremento_mobiliare)
            .is_none()
    };
    if movable.incremento.as_ref().is_some_and(empty) {
        esame.refuse(
            Check::K10Incremento,
            format_args!("{path}/Incremento"),
            "Incremento senza alcun importo",
        );
    }
    if movable.flag_incremento.unwrap_or(false) != movable.incremento.is_some() {
        esame.refuse(
            Check::K10Incremento,
            path,
            "FlagIncremento e Incremento devono stare insieme",
        );
    }
}

/// A relation by its kind, operator and identifier.
type Rapporti<'a> = HashSet<(TipoRapporto, &'a str, &'a str)>;

/// K09: the operator and the identifier of a relation; none stands twice in a sheet.
fn relation_data<'a>(
    relation: &'a RapportoFinanziario,
    path: &dyn Display,
    seen: &mut Rapporti<'a>,
    esame: &mut Esame,
) {
    let (operator, identifier) = (
        relation.codice_fiscale_operatore.trim(),
        relation.identificativo.trim(),
    );
    for (text, attribute) in [
        (operator, "CodiceFiscaleOperatore"),
        (identifier, "Identificativo"),
    ] {
        if text.is_empty() {
            esame.refuse(
                Check::K09Dati,
                format_args!("{path}/@{attribute}"),
                "operatore o identificativo del rapporto mancante",
            );
        }
    }
    if !seen.insert((relation.tipo_rapporto, operator, identifier)) {
        esame.refuse(
            Check::K09Doppio,
            format_args!("{path}/@Identificativo"),
            "rapporto già indicato per la stessa persona",
        );
    }
}

/// K09: accounts and deposits have a balance and an average, the others a value.
fn amounts(relation: &RapportoFinanziario, path: &dyn Display, esame: &mut Esame) {
    if relation.tipo_rapporto.is_account() {
        for (amount, attribute) in [
            (relation.saldo_3112, "Saldo3112"),
            (relation.consistenza_media, "ConsistenzaMedia"),
        ] {
            if amount.is_none() {
                let path = format_args!("{path}/@{attribute}");
                esame.refuse(
                    Check::K09Saldo,
                    path,
                    "per conti e depositi (01, 03, 09) servono saldo e consistenza media",
                );
            }
        }
        if relation.valore.is_some() {
            let text = "conti e depositi (01, 03, 09) non hanno un valore, ma saldo e consistenza media";
            esame.refuse(Check::K09Importi, format_args!("{path}/@Valore"), text);
        }
    } else {
        if relation.valore.is_none() {
            esame.refuse(
                Check::K09Valore,
                format_args!("{path}/@Valore"),
                "per questo tipo di rapporto serve il valore",
            );
        }
        for (amount, attribute) in [
            (relation.saldo_3112, "Saldo3112"),
            (relation.consistenza_media, "ConsistenzaMedia"),
        ] {
            if amount.is_some() {
                let text = "questo tipo di rapporto ha soltanto il valore";
                esame.refuse(Check::K09Importi, format_args!("{path}/@{attribute}"), text);
            }
        }
    }
}

/// K09: the days of a relation; in the year of the assets it was open.
fn days(
    relation: &RapportoFinanziario,
    path: &dyn Display,
    (circumstance, anno): (&Circumstance<'_>, i16),
    esame: &mut Esame,
) {
    if let (Some(start), Some(end)) = (relation.data_inizio, relation.data_fine)
        && end < start
    {
        esame.refuse(
            Check::K09Date,
            format_args!("{path}/@DataFine"),
            "data di fine precedente a quella di inizio",
        );
    }
    if relation
        .data_inizio
        .is_some_and(|start| start > circumstance.today)
    {
        esame.refuse(
            Check::K09Date,
            format_args!("{path}/@DataInizio"),
            "data di inizio nel futuro",
        );
    }
    let began_later = relation.data_inizio.is_some_and(|start| start.year() > anno);
    if began_later || relation.data_fine.is_some_and(|end| end.year() < anno) {
        let attribute = if began_later { "DataInizio" } else { "DataFine" };
        let text = "rapporto che nell'anno di riferimento del patrimonio non era aperto";
        esame.refuse(Check::K09Anno, format_args!("{path}/@{attribute}"), text);
    }
}

/// K11: only warnings; the mortgage counts up to the value.
fn estate(real: &PatrimonioImmobiliare, path: &dyn Display, esame: &mut Esame) {
    for (index, each) in real.patrimonio.iter().enumerate() {
        let path = step(path, "Patrimonio", index, real.patrimonio.len());
        if each.quota_posseduta <= Decimal::ZERO || each.quota_posseduta > Decimal::ONE_HUNDRED {
            esame.warn(
                Check::K11Quota,
                format_args!("{path}/@QuotaPosseduta"),
                "quota non maggiore di 0, o oltre 100",
            );
        }
        if each
            .mutuo_residuo
            .is_some_and(|mortgage| mortgage > each.valore_imu)
        {
            esame.warn(
                Check::K11Mutuo,
                format_args!("{path}/@MutuoResiduo"),
                "mutuo superiore al valore: conta fino al valore",
            );
        }
    }
}
