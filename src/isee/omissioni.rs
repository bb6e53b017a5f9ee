//! Omissioni e difformità: data known to the Revenue Agency and missing from the DSU, or different in it
//! (DPCM 159/2013 art. 11 c. 3, 5). They do not refuse a DSU: the attestation carries them.

use std::collections::HashSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::attestazione::{OmissioneDifformita, RapportoOmesso, RedditoAe};
use super::codes::{TipoOmissione, TipoRapporto};
use super::compute::income_year;
use super::dsu::Dichiarazione;
use super::feed::{Feed, FeedRecord, RapportoNoto};
use super::foglio::FoglioComponente;
use super::rules::RuleSet;

/// The differences between the feed and a DSU presented on `presented`: accounts for the year of its assets,
/// incomes for the year of its incomes. `checked` is the day of the check.
pub fn omissioni(
    dsu: &Dichiarazione,
    presented: Date,
    rules: &RuleSet,
    feed: &dyn Feed,
    checked: Date,
) -> Vec<OmissioneDifformita> {
    let mut found = Vec::new();
    for foglio in dsu.membri().map(|member| &member.foglio_componente_nucleo) {
        let known = |year| feed.find(&foglio.codice_fiscale, year);
        let of = |tipo, rapporto, reddito_ae| OmissioneDifformita {
            tipo_omissione_difformita: tipo,
            codice_fiscale: foglio.codice_fiscale.clone(),
            data_controllo_ae: checked,
            rapporto,
            reddito_ae,
        };
        let rapporti = known(rules.assets_year(presented)).map_or_else(Vec::new, |record| record.rapporti);
        let undeclared = undeclared(foglio, &rapporti);
        if !undeclared.is_empty() {
            found.push(of(TipoOmissione::PatrimoniMobiliari, undeclared, None));
        }
        if let Some(record) = known(income_year(presented)).filter(|record| differs(dsu, foglio, record)) {
            found.push(of(
                TipoOmissione::RedditiScostamento,
                Vec::new(),
                Some(reddito(&record)),
            ));
        }
    }
    found
}

/// Financial relations known to the Agency and not declared in the sheet. Punctuation in operators and
/// identifiers does not count.
fn undeclared(foglio: &FoglioComponente, known: &[RapportoNoto]) -> Vec<RapportoOmesso> {
    if known.is_empty() {
        return Vec::new();
    }
    let plain = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .collect::<String>()
    };
    let declared = foglio
        .patrimonio_mobiliare
        .iter()
        .flat_map(|assets| &assets.rapporto);
    let declared: HashSet<(String, String)> = declared
        .map(|rapporto| {
            (
                plain(&rapporto.codice_fiscale_operatore),
                plain(&rapporto.identificativo),
            )
        })
        .collect();
    known
        .iter()
        .filter(|known| !declared.contains(&(plain(&known.operatore), plain(&known.identificativo))))
        .map(omesso)
        .collect()
}

fn omesso(known: &RapportoNoto) -> RapportoOmesso {
    let tipo_rapporto = TipoRapporto::from_code(&known.tipo);
    let account = tipo_rapporto.is_some_and(TipoRapporto::is_account);
    RapportoOmesso {
        sezione: None,
        tipo_rapporto,
        identificativo: Some(known.identificativo.clone()),
        codice_fiscale_operatore: known.operatore.clone(),
        descrizione_operatore_finanziario: None,
        saldo_3112: known.saldo.filter(|_| account),
        consistenza_media: known.giacenza.filter(|_| account),
        valore: known.saldo.filter(|_| !account),
        data_inizio: None,
        data_fine: None,
    }
}

/// Whether FC8, where it counts, differs from the Agency in an income given by both.
fn differs(dsu: &Dichiarazione, foglio: &FoglioComponente, record: &FeedRecord) -> bool {
    let Some(declared) = foglio
        .altri_redditi
        .as_ref()
        .filter(|redditi| redditi.counts(dsu.operazione.tipo))
    else {
        return false;
    };
    let whole = |amount: Option<u32>| amount.map(Decimal::from);
    let pairs = [
        (declared.reddito_irpef, record.reddito_irpef),
        (whole(declared.lavoro_dipendente), record.lavoro_dipendente),
        (whole(declared.pensione), record.pensione),
        (whole(declared.redditi_agrari), record.redditi_agrari),
        (
            whole(declared.redditi_imp_sost),
            record.redditi_imposta_sostitutiva,
        ),
    ];
    pairs.into_iter().any(|(declared, known)| {
        declared
            .zip(known)
            .is_some_and(|(declared, known)| declared != known)
    })
}

fn reddito(record: &FeedRecord) -> RedditoAe {
    let text = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string());
    RedditoAe {
        tipo_modello_ae: None,
        reddito_complessivo_irpefae: text(record.reddito_irpef),
        reddito_lavoro_dipendente_ae: text(record.lavoro_dipendente),
        reddito_pensione_ae: text(record.pensione),
        reddito_agrario_ae: text(record.redditi_agrari),
        redditi_imposta_sostitutiva_ae: text(record.redditi_imposta_sostitutiva),
    }
}
