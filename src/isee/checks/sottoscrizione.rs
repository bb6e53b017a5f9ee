//! K18, the pure part of K19, and the terms of transmission.

use super::super::dsu::{Dichiarazione, Sottoscrizione};
use super::nucleo::code;
use super::{Check, Circumstance, Difetto, Esame, Indice, step};

/// A signatory is a member of the nucleus, or signs for one.
const SOTTOSCRITTORE: (Check, &str) = (
    Check::K18Sottoscrittore,
    "chi sottoscrive non fa parte del nucleo e non è rappresentante",
);

impl Sottoscrizione {
    /// Whether a legal representative signed, or somebody in place of a hindered person.
    fn is_for_another(&self) -> bool {
        self.flag_rappresentanza_legale || self.flag_impedimento_temporaneo
    }
}

/// Defects of the signatories of a declaration that refers to another one and has no nucleus of its own. A
/// signatory is its declarant, a representative, or a member of the other's nucleus if both have one
/// declarant.
pub fn sottoscrittori(dsu: &Dichiarazione, base: &Dichiarazione) -> Vec<Difetto> {
    if dsu.nucleo_familiare.is_some() {
        return Vec::new();
    }
    let own = base.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante;
    let members = base.codici_dei_membri();
    let signatures = dsu.sottoscrizione.iter().enumerate();
    let strangers = signatures.filter(|(_, signature)| {
        let code = &signature.codice_fiscale_sottoscrittore;
        let member = own && members.contains(code);
        !(member || *code == dsu.codice_fiscale_dichiarante || signature.is_for_another())
    });
    let path = |index| {
        format!(
            "{}/@CodiceFiscaleSottoscrittore",
            step(
                &"/Dichiarazione",
                "Sottoscrizione",
                index,
                dsu.sottoscrizione.len()
            )
        )
    };
    strangers
        .map(|(index, _)| Difetto {
            code: SOTTOSCRITTORE.0,
            path: path(index),
            text: SOTTOSCRITTORE.1,
        })
        .collect()
}

pub(super) fn examine(indice: &Indice<'_>, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let dsu = indice.dsu;
    for (index, signature) in dsu.sottoscrizione.iter().enumerate() {
        let path = step(
            &"/Dichiarazione",
            "Sottoscrizione",
            index,
            dsu.sottoscrizione.len(),
        );
        if signature.data_sottoscrizione > circumstance.today {
            esame.refuse(
                Check::K18Data,
                format_args!("{path}/@DataSottoscrizione"),
                "data di sottoscrizione nel futuro",
            );
        } else if signature.data_sottoscrizione.year() < circumstance.today.year() - 1 {
            let text = "sottoscritta prima dell'anno che precede quello della trasmissione";
            esame.warn(Check::K18Anno, format_args!("{path}/@DataSottoscrizione"), text);
        }
        let address = signature
            .indirizzo_pec
            .as_deref()
            .is_some_and(|address| !address.trim().is_empty());
        if signature.flag_pec && !address {
            esame.refuse(
                Check::K18Pec,
                format_args!("{path}/@IndirizzoPEC"),
                "manca l'indirizzo PEC a cui inviare l'attestazione",
            );
        }
        // A declaration on another DSU has no nucleus: its signatories are judged with the other.
        let elsewhere = dsu.nucleo_familiare.is_none();
        let member = indice.is_membro(&signature.codice_fiscale_sottoscrittore);
        let code_path = format_args!("{path}/@CodiceFiscaleSottoscrittore");
        if !member {
            code(&signature.codice_fiscale_sottoscrittore, &code_path, esame);
            if !elsewhere && !signature.is_for_another() {
                esame.refuse(SOTTOSCRITTORE.0, code_path, SOTTOSCRITTORE.1);
            }
        }
        if signature.flag_autorizzazione_ritiro != signature.delegato.is_some() {
            esame.refuse(
                Check::K18Delegato,
                &path,
                "l'autorizzazione al ritiro e il delegato devono stare insieme",
            );
        }
        let protocol = format_args!("{path}/@ProtocolloMittente");
        if signature.protocollo_mittente.trim().is_empty() {
            esame.refuse(Check::K19Protocollo, protocol, "protocollo del mittente mancante");
        } else if dsu
            .sottoscrizione
            .first()
            .is_some_and(|first| first.protocollo_mittente != signature.protocollo_mittente)
        {
            esame.refuse(
                Check::K19Protocollo,
                protocol,
                "i protocolli del mittente della stessa DSU devono essere uguali",
            );
        }
    }
    late(indice, circumstance, esame);
}

/// DPCM 159/2013 art. 11 c. 1: within four working days of presentation. Late transmission is only warned of.
fn late(indice: &Indice<'_>, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let Some(presented) = indice.presentata else {
        return;
    };
    let days = circumstance.rules.law.trasmissione_giorni;
    if circumstance
        .calendario
        .is_later(presented, circumstance.today, days)
    {
        esame.warn(
            Check::K18Termine,
            "/Dichiarazione/Sottoscrizione",
            "trasmessa oltre il termine di quattro giorni lavorativi",
        );
    }
}
