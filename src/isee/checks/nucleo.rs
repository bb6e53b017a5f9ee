//! K04 to K07, K12: the nucleus, its codici fiscali, roles and ages, conditions, disabilities.

use std::collections::HashSet;
use std::fmt::Display;

use super::super::age;
use super::super::codes::{Ruolo, TipoModello, TipoOperazione};
use super::super::codice_fiscale::{CodiceFiscale, Difetto as Wrong, Kind};
use super::super::dsu::Dichiarazione;
use super::super::foglio::FoglioComponente;
use super::super::rules::name;
use super::{Circumstance, Esame, member_path, sheet_path, step};

pub(super) fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    composition(dsu, esame);
    codes(dsu, esame);
    roles(dsu, circumstance, esame);
    conditions(dsu, esame);
    disabilities(dsu, circumstance, esame);
}

/// K04.
fn composition(dsu: &Dichiarazione, esame: &mut Esame) {
    if !matches!(dsu.operazione.tipo, TipoOperazione::N | TipoOperazione::R) {
        return;
    }
    let ordinary = dsu.modello_base.iter().filter(|modello| modello.tipo == TipoModello::Ord).count();
    if ordinary != 1 {
        esame.refuse("K04.modello", "/Dichiarazione/ModelloBase", "serve esattamente un ModelloBase di tipo ORD");
    }
    let Some(nucleo) = &dsu.nucleo_familiare else {
        esame.refuse("K04.nucleo", "/Dichiarazione", "manca il nucleo familiare");
        return;
    };
    const PATH: &str = "/Dichiarazione/NucleoFamiliare";
    let with = |role| nucleo.componente_nucleo.iter().filter(move |c| c.rapporto_con_dichiarante == role);
    let mut declarants = with(Ruolo::D);
    match (declarants.next(), declarants.next()) {
        (None, _) => esame.refuse("K04.dichiarante", PATH, "manca il dichiarante (RapportoConDichiarante D)"),
        (Some(_), Some(_)) => esame.refuse("K04.dichiarante", PATH, "più di un dichiarante (RapportoConDichiarante D)"),
        (Some(one), None) if one.foglio_componente_nucleo.codice_fiscale != dsu.codice_fiscale_dichiarante => {
            esame.refuse("K04.dichiarante", "/Dichiarazione/@CodiceFiscaleDichiarante", "diverso dal codice fiscale del componente D");
        }
        (Some(_), None) => {}
    }
    if with(Ruolo::C).count() > 1 {
        esame.refuse("K04.coniuge", PATH, "più di un coniuge (RapportoConDichiarante C)");
    }
}

/// K05, for members; signatories and tenants are judged where they stand.
fn codes(dsu: &Dichiarazione, esame: &mut Esame) {
    let mut seen = HashSet::new();
    for (index, sheet) in dsu.fogli().enumerate() {
        let path = sheet_path(dsu, index);
        self::sheet(sheet, &path, esame);
        if !seen.insert(&sheet.codice_fiscale) {
            esame.refuse("K05.doppio", format_args!("{path}/@CodiceFiscale"), "codice fiscale già presente nel nucleo");
        }
    }
}

/// K05, for one sheet.
pub(super) fn sheet(sheet: &FoglioComponente, path: &dyn Display, esame: &mut Esame) {
    let path = format_args!("{path}/@CodiceFiscale");
    code(&sheet.codice_fiscale, &path, esame);
    person(sheet, &path, esame);
}

/// K05: form and check letter.
pub(super) fn code(codice: &CodiceFiscale, path: &dyn Display, esame: &mut Esame) {
    match codice.kind() {
        Ok(_) => {}
        Err(Wrong::Forma) => esame.refuse("K05.forma", path, "codice fiscale non valido: attesi 16 caratteri oppure 11 cifre"),
        Err(Wrong::Controllo) => esame.refuse("K05.controllo", path, "codice fiscale non valido: carattere di controllo errato"),
        Err(Wrong::Data) => esame.refuse("K05.data", path, "codice fiscale non valido: giorno di nascita inesistente"),
    }
}

/// K05: birth, sex and place against the registry data. Places are only warned of: municipalities merge.
fn person(sheet: &FoglioComponente, path: &dyn Display, esame: &mut Esame) {
    let Ok(Kind::Persona(persona)) = sheet.codice_fiscale.kind() else { return };
    let registry = &sheet.dati_componente.anagrafica;
    if !persona.born_on(registry.data_nascita) {
        esame.refuse("K05.nascita", path, "il codice fiscale non corrisponde alla data di nascita");
    }
    if persona.sesso != registry.sesso {
        esame.refuse("K05.sesso", path, "il codice fiscale non corrisponde al sesso");
    }
    if persona.place != registry.codice_comune_nascita {
        esame.warn("K05.luogo", path, "il codice fiscale non corrisponde al comune di nascita");
    }
}

/// K06.
fn roles(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let presented = circumstance.presented(dsu.presentata());
    let Some(nucleo) = &dsu.nucleo_familiare else { return };
    for (index, member) in nucleo.componente_nucleo.iter().enumerate() {
        let path = member_path(dsu, index);
        let born = member.foglio_componente_nucleo.dati_componente.anagrafica.data_nascita;
        if born > presented {
            let sheet = sheet_path(dsu, index);
            let path = format_args!("{sheet}/DatiComponente/Anagrafica/@DataNascita");
            esame.refuse("K06.nascita", path, "data di nascita successiva alla presentazione");
            continue;
        }
        let age = age(born, presented);
        let oldest = rust_decimal::prelude::ToPrimitive::to_i16(&circumstance.rules.get(name::FNC_ETA)).unwrap_or(i16::MAX);
        let role = format_args!("{path}/@RapportoConDichiarante");
        match member.rapporto_con_dichiarante {
            Ruolo::F | Ruolo::Ma if age >= 18 => {
                esame.refuse("K06.minore", role, "ruolo riservato ai minorenni: alla presentazione il componente è maggiorenne");
            }
            Ruolo::Fc | Ruolo::Fnc if age < 18 => {
                esame.refuse("K06.maggiorenne", role, "ruolo riservato ai maggiorenni: alla presentazione il componente è minorenne");
            }
            Ruolo::Fnc if age >= oldest => {
                esame.refuse(
                    "K06.non-convivente",
                    role,
                    "il figlio maggiorenne non convivente ha superato l'età prevista per far parte del nucleo",
                );
            }
            _ => {}
        }
        if member.flag_assenza_reddito && age >= 18 {
            esame.refuse("K06.assenza-reddito", format_args!("{path}/@FlagAssenzaReddito"), "ammesso solo per i minorenni");
        }
    }
}

/// K07, for each form and its own nucleus.
fn conditions(dsu: &Dichiarazione, esame: &mut Esame) {
    let family = Ruoli::of(dsu.membri().map(|member| member.rapporto_con_dichiarante));
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let Some(conditions) = &modello.condizioni_nucleo else { continue };
        let modello_path = step(&"/Dichiarazione", "ModelloBase", index, dsu.modello_base.len());
        let path = format_args!("{modello_path}/CondizioniNucleo");
        let roles = match &modello.nucleo_ristretto {
            Some(nucleo) => Ruoli::of(nucleo.componente_nucleo_ristretto.iter().map(|member| member.relazione_con_beneficiario.ruolo())),
            None => family,
        };
        // NumeroFigli is there from three on.
        let children = roles.figli.max(2).min(roles.membri);
        if let Some(children) = conditions.numero_figli
            && (children < 3 || children > roles.membri)
        {
            let text = "numero di figli non compreso tra 3 e i componenti del nucleo";
            esame.refuse("K07.figli", format_args!("{path}/@NumeroFigli"), text);
        }
        if let Some(cohabiting) = conditions.numero_figli_conviventi
            && cohabiting > conditions.numero_figli.unwrap_or(children)
        {
            esame.refuse("K07.conviventi", format_args!("{path}/@NumeroFigliConviventi"), "più figli conviventi che figli");
        }
        if conditions.flag_unico_genitore && roles.coniuge {
            esame.refuse("K07.genitore", format_args!("{path}/@FlagUnicoGenitore"), "il nucleo ha due adulti genitori");
        }
    }
}

/// The roles in a nucleus, in numbers.
#[derive(Clone, Copy, Default)]
struct Ruoli {
    membri: u32,
    figli: u32,
    coniuge: bool,
}

impl Ruoli {
    fn of(roles: impl Iterator<Item = Ruolo>) -> Self {
        roles.fold(Self::default(), |counted, role| Self {
            membri: counted.membri.saturating_add(1),
            figli: counted.figli.saturating_add(u32::from(role.is_figlio())),
            coniuge: counted.coniuge || role == Ruolo::C,
        })
    }
}

/// K12.
fn disabilities(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    for (index, sheet) in dsu.fogli().enumerate() {
        disability(sheet, &sheet_path(dsu, index), circumstance, esame);
    }
}

/// K12, for one sheet.
pub(super) fn disability(sheet: &FoglioComponente, path: &dyn Display, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    if let Some(disability) = &sheet.disabilita {
        let path = format_args!("{path}/Disabilita");
        for (text, attribute) in [(&disability.ente_certif, "EnteCertif"), (&disability.doc_certif, "DocCertif")] {
            if text.trim().is_empty() {
                esame.refuse("K12.certificato", format_args!("{path}/@{attribute}"), "dato del certificato mancante");
            }
        }
        if disability.data_certif > circumstance.today {
            esame.refuse("K12.data", format_args!("{path}/@DataCertif"), "data del certificato nel futuro");
        }
    }
}
