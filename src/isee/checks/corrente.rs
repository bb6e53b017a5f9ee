//! K17, and the requirements of integrations of incomes.

use std::collections::HashSet;
use std::fmt::Display;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::super::dsu::Variazione;
use super::nucleo::code;
use super::{Check, Circumstance, Esame, Indice, patrimonio, step};

pub(super) fn examine(indice: &Indice<'_>, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    if let Some(corrente) = &indice.dsu.isee_corrente {
        let mut seen = HashSet::new();
        for (index, change) in corrente.variazione.iter().enumerate() {
            let path = step(
                &"/Dichiarazione/ISEECorrente",
                "Variazione",
                index,
                corrente.variazione.len(),
            );
            variazione(indice, change, &path, circumstance, esame);
            if !seen.insert(&change.codice_fiscale) {
                esame.refuse(
                    Check::K17Doppio,
                    format_args!("{path}/@CodiceFiscale"),
                    "persona già indicata",
                );
            }
        }
    }
    if let Some(integrazione) = &indice.dsu.integrazione_redditi {
        let all = &integrazione.componente_per_integrazione_redditi;
        let mut seen = HashSet::new();
        for (index, each) in all.iter().enumerate() {
            let path = step(
                &"/Dichiarazione/IntegrazioneRedditi",
                "ComponentePerIntegrazioneRedditi",
                index,
                all.len(),
            );
            code(
                &each.codice_fiscale,
                &format_args!("{path}/@CodiceFiscale"),
                esame,
            );
            patrimonio::bounded(&each.redditi, &format_args!("{path}/Redditi"), esame);
            let described = each
                .desc_doc_altro
                .as_deref()
                .is_some_and(|text| !text.trim().is_empty());
            if each.flag_doc_altro == Some(true) && !described {
                esame.refuse(
                    Check::K03Documento,
                    format_args!("{path}/@DescDocAltro"),
                    "manca la descrizione dell'altro documento",
                );
            }
            if !seen.insert(&each.codice_fiscale) {
                esame.refuse(
                    Check::K03Componente,
                    format_args!("{path}/@CodiceFiscale"),
                    "persona già indicata",
                );
            }
        }
    }
}

fn variazione(
    indice: &Indice<'_>,
    change: &Variazione,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let presented = indice.presentata.unwrap_or(circumstance.today);
    code(
        &change.codice_fiscale,
        &format_args!("{path}/@CodiceFiscale"),
        esame,
    );
    redditi_e_patrimoni(change, presented, path, circumstance, esame);
    if change
        .documentazione
        .as_deref()
        .is_none_or(|text| text.trim().is_empty())
    {
        esame.refuse(
            Check::K17Documenti,
            format_args!("{path}/@Documentazione"),
            "mancano i documenti che provano la variazione",
        );
    }
    if change.data_variazione.is_some_and(|day| day > presented) {
        esame.refuse(
            Check::K17Data,
            format_args!("{path}/@DataVariazione"),
            "variazione successiva alla presentazione",
        );
    }
    let referred = indice.dsu.operazione.numero_protocollo_riferimento.as_ref();
    if change
        .protocollo_inps_dsu_corrente
        .as_ref()
        .is_some_and(|own| Some(own) != referred)
    {
        let text = "il protocollo non è quello della DSU di riferimento";
        esame.refuse(
            Check::K17Protocollo,
            format_args!("{path}/@ProtocolloInpsDSUCorrente"),
            text,
        );
    }
    if change
        .data_variazione
        .is_some_and(|day| presented.checked_sub(18.months()).is_ok_and(|first| day < first))
    {
        esame.warn(
            Check::K17Termine,
            format_args!("{path}/@DataVariazione"),
            "variazione di più di diciotto mesi prima della presentazione",
        );
    }
    // Changed assets are those at the end of the last year.
    let when = (circumstance, presented.year() - 1);
    patrimonio::assets(
        change.patrimonio_mobiliare.as_ref(),
        change.patrimonio_immobiliare.as_ref(),
        path,
        when,
        esame,
    );
}

/// K17: the kind of the change goes with the incomes and the assets it declares.
fn redditi_e_patrimoni(
    change: &Variazione,
    presented: Date,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let categories = [
        (
            change.reddito_dipendente_12_mesi,
            change.reddito_dipendente_2_mesi,
            "RedditoDipendente2Mesi",
        ),
        (
            change.reddito_autonomo_12_mesi,
            change.reddito_autonomo_2_mesi,
            "RedditoAutonomo2Mesi",
        ),
        (
            change.trattamenti_assistenziali_12_mesi,
            change.trattamenti_assistenziali_2_mesi,
            "TrattamentiAssistenziali2Mesi",
        ),
    ];
    for (twelve, two, attribute) in categories {
        if twelve.is_some() && two.is_some() {
            let text = "per questa categoria di redditi ci sono sia i dodici mesi sia i due";
            esame.refuse(Check::K17Mesi, format_args!("{path}/@{attribute}"), text);
        }
    }
    if change.changes_incomes() != change.redditi().is_some() {
        let text = "il tipo di variazione e i redditi correnti devono andare insieme";
        esame.refuse(Check::K17Redditi, format_args!("{path}/@TipoVariazione"), text);
    }
    let assets = change.patrimonio_mobiliare.is_some() || change.patrimonio_immobiliare.is_some();
    if change.changes_assets() != assets {
        let text = "il tipo di variazione e i patrimoni devono andare insieme";
        esame.refuse(Check::K17Patrimonio, format_args!("{path}/@TipoVariazione"), text);
    }
    if change.changes_assets() {
        let first = i8::try_from(circumstance.rules.law.corrente_patrimonio_mese).unwrap_or(i8::MAX);
        if circumstance.rules.law.corrente_patrimonio.is_zero() || presented.month() < first {
            let text = "a questa data la variazione del patrimonio non è ammessa";
            esame.refuse(Check::K17Periodo, format_args!("{path}/@TipoVariazione"), text);
        }
    }
}
