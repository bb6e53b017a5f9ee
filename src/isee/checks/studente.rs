//! K13: students, and where their parents are.

use std::fmt::Display;

use super::super::age;
use super::super::codes::{PresenzaGenitori, Ruolo};
use super::super::dsu::Universitario;
use super::indice::member;
use super::nucleo::code;
use super::{Check, Circumstance, Esame, Indice};

pub(super) fn examine(
    indice: &Indice<'_>,
    student: &Universitario,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let beneficiary = format_args!("{path}/@CodiceFiscaleBeneficiario");
    // As few look-ups as possible for each student: there may be thousands, unknown to the DSU.
    let known = member(indice, &student.codice_fiscale_beneficiario);
    if !known {
        esame.refuse(
            Check::K13Beneficiario,
            beneficiary,
            "lo studente non fa parte del nucleo",
        );
    }
    if let Some(parent) = &student.codice_fiscale_genitore {
        code(parent, &format_args!("{path}/@CodiceFiscaleGenitore"), esame);
    }
    let youngest = || circumstance.rules.law.studente_eta;
    if known
        && indice
            .nascita(&student.codice_fiscale_beneficiario)
            .is_some_and(|born| i64::from(age(born, indice.giorno)) < i64::from(youngest()))
    {
        esame.refuse(
            Check::K13Eta,
            beneficiary,
            "lo studente non ha l'età di chi frequenta l'università",
        );
    }
    presence(indice, (student, known), path, esame);
    if matches!(
        student.presenza_genitori,
        PresenzaGenitori::TuttiPresenti | PresenzaGenitori::SoloUno
    ) {
        return;
    }
    autonomia(indice, student, path, esame);
}

/// K13, for a student without parents in the nucleus: alone, or in the nucleus of a parent elsewhere.
fn autonomia(indice: &Indice<'_>, student: &Universitario, path: &dyn Display, esame: &mut Esame) {
    for (flag, attribute) in [
        (student.flag_residenza_studente, "FlagResidenzaStudente"),
        (
            student.flag_capacita_reddito_studente,
            "FlagCapacitaRedditoStudente",
        ),
    ] {
        if flag.is_none() {
            let text =
                "senza genitori nel nucleo vanno indicate entrambe le condizioni di autonomia dello studente";
            esame.refuse(Check::K13Autonomia, format_args!("{path}/@{attribute}"), text);
        }
    }
    if student.is_autonomo() {
        return;
    }
    let Some(parent) = &student.codice_fiscale_genitore else {
        let text = "studente non autonomo: manca il codice fiscale di un genitore";
        esame.refuse(
            Check::K13Genitore,
            format_args!("{path}/@CodiceFiscaleGenitore"),
            text,
        );
        return;
    };
    if student.numero_protocollo_rif_genitore.is_none() && !indice.knows_genitore(parent) {
        let text = "studente non autonomo: manca il protocollo della DSU del genitore, o i suoi dati";
        esame.refuse(
            Check::K13Dati,
            format_args!("{path}/@NumeroProtocolloRifGenitore"),
            text,
        );
    }
}

/// Refuses parents said to be present without enough adults, and parents said to be elsewhere for a child of
/// the declarant.
fn presence(
    indice: &Indice<'_>,
    (student, known): (&Universitario, bool),
    path: &dyn Display,
    esame: &mut Esame,
) {
    if indice.dsu.nucleo_familiare.is_none() {
        return;
    }
    let path = format_args!("{path}/@PresenzaGenitori");
    let own = &student.codice_fiscale_beneficiario;
    let fewer =
        |wanted: usize| indice.adulti < wanted || (indice.adulti == wanted && known && indice.is_adulto(own));
    match student.presenza_genitori {
        PresenzaGenitori::TuttiPresenti if fewer(2) => {
            esame.refuse(
                Check::K13Genitori,
                path,
                "genitori detti presenti, ma nel nucleo non ci sono altri due adulti",
            );
        }
        PresenzaGenitori::SoloUno if fewer(1) => {
            esame.refuse(
                Check::K13Genitori,
                path,
                "un genitore è detto presente, ma nel nucleo non c'è un altro adulto",
            );
        }
        // The declarant's child is not without parents: one is here. A spouse need not be a parent.
        PresenzaGenitori::ConiugatiNonPresenti | PresenzaGenitori::NonConiugatiNonPresenti
            if known && matches!(indice.ruolo(own), Some(Ruolo::F | Ruolo::Fc)) =>
        {
            esame.refuse(
                Check::K13Genitori,
                path,
                "genitori detti non presenti, ma lo studente è figlio del dichiarante",
            );
        }
        _ => {}
    }
}
