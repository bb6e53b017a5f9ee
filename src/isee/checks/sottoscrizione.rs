//! K18, the pure part of K19, and the terms of transmission.

use rust_decimal::prelude::ToPrimitive as _;

use super::super::dsu::Dichiarazione;
use super::super::rules::name;
use super::nucleo::code;
use super::{Circumstance, Esame, step};

pub(super) fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    for (index, signature) in dsu.sottoscrizione.iter().enumerate() {
        let path = step("/Dichiarazione", "Sottoscrizione", index, dsu.sottoscrizione.len());
        if signature.data_sottoscrizione > circumstance.today {
            esame.refuse("K18.data", format!("{path}/@DataSottoscrizione"), "data di sottoscrizione nel futuro");
        }
        let address = signature.indirizzo_pec.as_deref().is_some_and(|address| !address.trim().is_empty());
        if signature.flag_pec && !address {
            esame.refuse("K18.pec", format!("{path}/@IndirizzoPEC"), "manca l'indirizzo PEC a cui inviare l'attestazione");
        }
        let own = dsu.nucleo_familiare.is_none() && signature.codice_fiscale_sottoscrittore == dsu.codice_fiscale_dichiarante;
        let member = own || dsu.fogli().any(|sheet| sheet.codice_fiscale == signature.codice_fiscale_sottoscrittore);
        let code_path = format!("{path}/@CodiceFiscaleSottoscrittore");
        if !member {
            code(&signature.codice_fiscale_sottoscrittore, &code_path, esame);
            if !signature.flag_rappresentanza_legale && !signature.flag_impedimento_temporaneo {
                esame.refuse("K18.sottoscrittore", code_path, "chi sottoscrive non fa parte del nucleo e non è rappresentante");
            }
        }
        if signature.flag_autorizzazione_ritiro != signature.delegato.is_some() {
            esame.refuse("K18.delegato", path.as_str(), "l'autorizzazione al ritiro e il delegato devono stare insieme");
        }
        let protocol = format!("{path}/@ProtocolloMittente");
        if signature.protocollo_mittente.trim().is_empty() {
            esame.refuse("K19.protocollo", protocol, "protocollo del mittente mancante");
        } else if dsu.sottoscrizione.first().is_some_and(|first| first.protocollo_mittente != signature.protocollo_mittente) {
            esame.refuse("K19.protocollo", protocol, "i protocolli del mittente della stessa DSU devono essere uguali");
        }
    }
    late(dsu, circumstance, esame);
}

/// DPCM 159/2013 art. 11 c. 1: within four working days of presentation. Late transmission is only warned of.
fn late(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let Some(presented) = dsu.presentata() else { return };
    let days = circumstance.rules.get(name::TRASMISSIONE_GIORNI).to_u32().unwrap_or(u32::MAX);
    if circumstance.calendario.working_days_between(presented, circumstance.today) > days {
        esame.warn("K18.termine", "/Dichiarazione/Sottoscrizione", "trasmessa oltre il termine di quattro giorni lavorativi");
    }
}
