//! K16: restricted nuclei and their members (DPCM 159/2013 art. 6 c. 2: the spouse, minor children, adult
//! dependent children).

use std::collections::HashSet;
use std::fmt::Display;

use super::super::age;
use super::super::codes::{Relazione, Ruolo, TipoOperazione};
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::{ComponenteNucleoRistretto, NucleoRistretto};
use super::indice::member;
use super::{Check, Esame, Indice, step};

/// `again`: the same beneficiary has a restricted nucleus already.
pub(super) fn examine(
    indice: &Indice<'_>,
    nucleo: &NucleoRistretto,
    again: bool,
    path: &dyn Display,
    esame: &mut Esame,
) {
    if !matches!(indice.dsu.operazione.tipo, TipoOperazione::N | TipoOperazione::R) {
        return;
    }
    let members = &nucleo.componente_nucleo_ristretto;
    let beneficiary = members
        .iter()
        .find(|each| each.flag_beneficiario)
        .map(|each| &each.codice_fiscale);
    let mut seen = HashSet::new();
    let mut spouses = 0;
    for (place, each) in members.iter().enumerate() {
        let path = step(path, "ComponenteNucleoRistretto", place, members.len());
        if !member(indice, &each.codice_fiscale) {
            let text = "il componente non fa parte del nucleo familiare";
            esame.refuse(Check::K16Componente, format_args!("{path}/@CodiceFiscale"), text);
        }
        if !seen.insert(&each.codice_fiscale) {
            esame.refuse(
                Check::K16Componente,
                format_args!("{path}/@CodiceFiscale"),
                "componente ripetuto nel nucleo ristretto",
            );
        }
        if each.flag_beneficiario != (each.relazione_con_beneficiario == Relazione::B) {
            let text = "FlagBeneficiario e la relazione B devono andare insieme";
            esame.refuse(
                Check::K16Beneficiario,
                format_args!("{path}/@FlagBeneficiario"),
                text,
            );
        }
        spouses += usize::from(each.relazione_con_beneficiario == Relazione::C);
        if let Some(beneficiary) = beneficiary {
            relation(indice, (beneficiary, each), &path, esame);
        }
    }
    if members.iter().filter(|each| each.flag_beneficiario).count() != 1 {
        esame.refuse(
            Check::K16Beneficiario,
            path,
            "nel nucleo ristretto serve esattamente un beneficiario",
        );
    }
    if spouses > 1 {
        esame.refuse(Check::K16Coniuge, path, "più di un coniuge del beneficiario");
    }
    if again {
        esame.refuse(
            Check::K16Doppio,
            path,
            "per questo beneficiario c'è già un nucleo ristretto",
        );
    } else if let Some(beneficiary) = beneficiary {
        left_out(indice, beneficiary, &seen, path, esame);
    }
}

/// Compares the relation to the beneficiary with the ages, and with the roles of both.
fn relation(
    indice: &Indice<'_>,
    (beneficiary, each): (&CodiceFiscale, &ComponenteNucleoRistretto),
    path: &dyn Display,
    esame: &mut Esame,
) {
    let own = &each.codice_fiscale;
    let (Some(born), Some(role)) = (indice.nascita(own), indice.ruolo(own)) else {
        return;
    };
    let relation = each.relazione_con_beneficiario;
    let adult = age(born, indice.giorno) >= 18;
    if relation == Relazione::B {
        if !adult {
            esame.refuse(
                Check::K16Eta,
                format_args!("{path}/@CodiceFiscale"),
                "il beneficiario del nucleo ristretto è minorenne",
            );
        }
        return;
    }
    let path = format_args!("{path}/@RelazioneConBeneficiario");
    let of_age = match relation {
        Relazione::F | Relazione::Ma => !adult,
        Relazione::B | Relazione::C | Relazione::Fc | Relazione::Fnc => adult,
    };
    if !of_age {
        esame.refuse(
            Check::K16Eta,
            path,
            "la relazione con il beneficiario non va con l'età",
        );
    }
    let child = relation.ruolo().is_figlio();
    if child && indice.nascita(beneficiary).is_some_and(|parent| born <= parent) {
        esame.refuse(
            Check::K16Eta,
            path,
            "il figlio non è più giovane del beneficiario",
        );
    }
    let agrees = match indice.ruolo(beneficiary) {
        Some(Ruolo::D) => relation.ruolo() == role,
        // The beneficiary is the declarant's spouse: children of another union are other persons to the
        // declarant.
        Some(Ruolo::C) if child => relation.ruolo() == role || role == Ruolo::P,
        Some(Ruolo::C) => role == Ruolo::D,
        _ => true,
    };
    if !agrees {
        esame.refuse(
            Check::K16Relazione,
            path,
            "la relazione con il beneficiario non va con il rapporto con il dichiarante",
        );
    }
}

/// Members missing from the restricted nucleus. A child of the declarant must be in it, if minor or with role
/// FNC; a child of the spouse, or an adult child with role FC, may.
fn left_out(
    indice: &Indice<'_>,
    beneficiary: &CodiceFiscale,
    named: &HashSet<&CodiceFiscale>,
    path: &dyn Display,
    esame: &mut Esame,
) {
    let Some(of @ (Ruolo::D | Ruolo::C)) = indice.ruolo(beneficiary) else {
        return;
    };
    for each in indice
        .dsu
        .membri()
        .filter(|each| !named.contains(&each.foglio_componente_nucleo.codice_fiscale))
    {
        match (of, each.rapporto_con_dichiarante) {
            (Ruolo::D, Ruolo::C) | (Ruolo::C, Ruolo::D) => {
                esame.refuse(
                    Check::K16Manca,
                    path,
                    "nel nucleo ristretto manca il coniuge del beneficiario",
                );
            }
            (Ruolo::D, Ruolo::F | Ruolo::Ma | Ruolo::Fnc) => {
                esame.refuse(
                    Check::K16Manca,
                    path,
                    "nel nucleo ristretto manca un figlio minorenne o a carico del beneficiario",
                );
            }
            (_, role) if role.is_figlio() => {
                esame.warn(
                    Check::K16Figlio,
                    path,
                    "nel nucleo ristretto non c'è un figlio, che vi appartiene se è del beneficiario e a suo carico",
                );
            }
            _ => {}
        }
    }
}
