//! K04 to K07, K12: the nucleus, its codici fiscali, roles and ages, conditions, disabilities.

use std::collections::HashSet;
use std::fmt::Display;

use super::super::age;
use super::super::codes::{Ruolo, TipoModello, TipoOperazione};
use super::super::codice_fiscale::{CodiceFiscale, DifettoCodice, Natura};
use super::super::dsu::{ComponenteNucleo, Dichiarazione};
use super::super::foglio::{AltriRedditi, FoglioComponente};
use super::{Check, Circumstance, Esame, member_path, sheet_path, step};

pub(super) fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    composition(dsu, esame);
    codes(dsu, esame);
    roles(dsu, circumstance, esame);
    conditions(dsu, circumstance, esame);
    disabilities(dsu, circumstance, esame);
}

/// K04: the ordinary form, the declarant, the spouse.
fn composition(dsu: &Dichiarazione, esame: &mut Esame) {
    if !matches!(dsu.operazione.tipo, TipoOperazione::N | TipoOperazione::R) {
        return;
    }
    let ordinary = dsu
        .modello_base
        .iter()
        .filter(|modello| modello.tipo == TipoModello::Ord)
        .count();
    if ordinary != 1 {
        esame.refuse(
            Check::K04Modello,
            "/Dichiarazione/ModelloBase",
            "serve esattamente un ModelloBase di tipo ORD",
        );
    }
    let Some(nucleo) = &dsu.nucleo_familiare else {
        esame.refuse(Check::K04Nucleo, "/Dichiarazione", "manca il nucleo familiare");
        return;
    };
    const PATH: &str = "/Dichiarazione/NucleoFamiliare";
    let with = |role| {
        nucleo
            .componente_nucleo
            .iter()
            .filter(move |c| c.rapporto_con_dichiarante == role)
    };
    let mut declarants = with(Ruolo::D);
    match (declarants.next(), declarants.next()) {
        (None, _) => esame.refuse(
            Check::K04Dichiarante,
            PATH,
            "manca il dichiarante (RapportoConDichiarante D)",
        ),
        (Some(_), Some(_)) => esame.refuse(
            Check::K04Dichiarante,
            PATH,
            "più di un dichiarante (RapportoConDichiarante D)",
        ),
        (Some(one), None)
            if one.foglio_componente_nucleo.codice_fiscale != dsu.codice_fiscale_dichiarante =>
        {
            esame.refuse(
                Check::K04Dichiarante,
                "/Dichiarazione/@CodiceFiscaleDichiarante",
                "diverso dal codice fiscale del componente D",
            );
        }
        (Some(_), None) => {}
    }
    if with(Ruolo::C).count() > 1 {
        esame.refuse(
            Check::K04Coniuge,
            PATH,
            "più di un coniuge (RapportoConDichiarante C)",
        );
    }
}

/// K05, for members; signatories and tenants are judged where they stand.
fn codes(dsu: &Dichiarazione, esame: &mut Esame) {
    let mut seen = HashSet::new();
    for (index, sheet) in dsu.fogli().enumerate() {
        let path = sheet_path(dsu, index);
        self::sheet(sheet, &path, esame);
        if !seen.insert(&sheet.codice_fiscale) {
            esame.refuse(
                Check::K05Doppio,
                format_args!("{path}/@CodiceFiscale"),
                "codice fiscale già presente nel nucleo",
            );
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
        Err(DifettoCodice::Forma) => esame.refuse(
            Check::K05Forma,
            path,
            "codice fiscale non valido: attesi 16 caratteri oppure 11 cifre",
        ),
        Err(DifettoCodice::Controllo) => esame.refuse(
            Check::K05Controllo,
            path,
            "codice fiscale non valido: carattere di controllo errato",
        ),
        Err(DifettoCodice::Data) => esame.refuse(
            Check::K05Data,
            path,
            "codice fiscale non valido: giorno di nascita inesistente",
        ),
    }
}

/// K05: birth, sex and place against the registry data. Places are only warned of: municipalities merge.
fn person(sheet: &FoglioComponente, path: &dyn Display, esame: &mut Esame) {
    let Ok(Natura::Persona(persona)) = sheet.codice_fiscale.kind() else {
        return;
    };
    let registry = &sheet.dati_componente.anagrafica;
    if !persona.born_on(registry.data_nascita) {
        esame.refuse(
            Check::K05Nascita,
            path,
            "il codice fiscale non corrisponde alla data di nascita",
        );
    }
    if persona.sesso != registry.sesso {
        esame.refuse(
            Check::K05Sesso,
            path,
            "il codice fiscale non corrisponde al sesso",
        );
    }
    if persona.place != registry.codice_comune_nascita {
        esame.warn(
            Check::K05Luogo,
            path,
            "il codice fiscale non corrisponde al comune di nascita",
        );
    }
}

/// K06: roles, ages, and the flag of no income.
fn roles(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let presented = circumstance.presented(dsu.presentata());
    let Some(nucleo) = &dsu.nucleo_familiare else {
        return;
    };
    let represented = dsu
        .sottoscrizione
        .iter()
        .any(|signature| signature.flag_rappresentanza_legale);
    let declarant = nucleo
        .componente_nucleo
        .iter()
        .find(|member| member.rapporto_con_dichiarante == Ruolo::D);
    let parent_born = declarant.map(|member| {
        member
            .foglio_componente_nucleo
            .dati_componente
            .anagrafica
            .data_nascita
    });
    for (index, member) in nucleo.componente_nucleo.iter().enumerate() {
        let path = member_path(dsu, index);
        let born = member
            .foglio_componente_nucleo
            .dati_componente
            .anagrafica
            .data_nascita;
        if born > presented {
            let sheet = sheet_path(dsu, index);
            let path = format_args!("{sheet}/DatiComponente/Anagrafica/@DataNascita");
            esame.refuse(
                Check::K06Nascita,
                path,
                "data di nascita successiva alla presentazione",
            );
            continue;
        }
        let parent = parent_born.filter(|_| member.rapporto_con_dichiarante.is_figlio());
        let older = parent.is_none_or(|parent| parent < born);
        role(
            member,
            age(born, presented),
            (represented, older),
            &path,
            circumstance,
            esame,
        );
        assenza_reddito(member, age(born, presented), &path, esame);
    }
}

/// K06: the role of a member, by their age. `represented`: somebody signs in the declarant's place. `older`:
/// the declarant is older than the member, as a parent is.
fn role(
    member: &ComponenteNucleo,
    age: i16,
    (represented, older): (bool, bool),
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    let oldest = circumstance.rules.law.fnc_eta;
    let role = format_args!("{path}/@RapportoConDichiarante");
    match member.rapporto_con_dichiarante {
        Ruolo::F | Ruolo::Ma if age >= 18 => {
            esame.refuse(
                Check::K06Minore,
                role,
                "ruolo riservato ai minorenni: alla presentazione il componente è maggiorenne",
            );
        }
        Ruolo::Fc | Ruolo::Fnc if age < 18 => {
            esame.refuse(
                Check::K06Maggiorenne,
                role,
                "ruolo riservato ai maggiorenni: alla presentazione il componente è minorenne",
            );
        }
        Ruolo::D | Ruolo::C if age < 18 && !represented => {
            esame.refuse(
                Check::K06Adulto,
                role,
                "il dichiarante e il coniuge sono maggiorenni, o li rappresenta chi sottoscrive",
            );
        }
        // Only the declarant is compared: the spouse need not be a parent.
        each if each.is_figlio() && !older => {
            esame.refuse(
                Check::K06Genitore,
                role,
                "il dichiarante non è più anziano di chi è detto suo figlio",
            );
        }
        Ruolo::Fnc if i64::from(age) >= i64::from(oldest) => {
            esame.refuse(
                Check::K06NonConvivente,
                role,
                "il figlio maggiorenne non convivente ha superato l'età prevista per far parte del nucleo",
            );
        }
        _ => {}
    }
}

/// K06: the flag of no income.
fn assenza_reddito(member: &ComponenteNucleo, age: i16, path: &dyn Display, esame: &mut Esame) {
    if member.flag_assenza_reddito && age >= 18 {
        esame.refuse(
            Check::K06AssenzaReddito,
            format_args!("{path}/@FlagAssenzaReddito"),
            "ammesso solo per i minorenni",
        );
    }
    if member.flag_assenza_reddito
        && member
            .foglio_componente_nucleo
            .altri_redditi
            .as_ref()
            .is_some_and(AltriRedditi::has_incomes)
    {
        let text = "il componente è detto senza redditi, ma il foglio FC8 ne dichiara";
        esame.refuse(
            Check::K06AssenzaReddito,
            format_args!("{path}/@FlagAssenzaReddito"),
            text,
        );
    }
}

/// K07, for each form and its own nucleus.
fn conditions(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    let least = circumstance.rules.law.figli_minimo;
    let family = Ruoli::of(dsu.membri().map(|member| member.rapporto_con_dichiarante));
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let Some(conditions) = &modello.condizioni_nucleo else {
            continue;
        };
        let modello_path = step(&"/Dichiarazione", "ModelloBase", index, dsu.modello_base.len());
        let path = format_args!("{modello_path}/CondizioniNucleo");
        let roles = match &modello.nucleo_ristretto {
            Some(nucleo) => Ruoli::of(
                nucleo
                    .componente_nucleo_ristretto
                    .iter()
                    .map(|member| member.relazione_con_beneficiario.ruolo()),
            ),
            None => family,
        };
        if let Some(children) = conditions.numero_figli {
            let path = format_args!("{path}/@NumeroFigli");
            if children < least {
                let text = match least {
                    3 => "il numero di figli si indica da 3 in su",
                    _ => "il numero di figli si indica da 2 in su",
                };
                esame.refuse(Check::K07Figli, path, text);
            } else if children > roles.membri {
                esame.refuse(Check::K07Figli, path, "più figli che componenti del nucleo");
            } else if children < roles.figli {
                esame.refuse(
                    Check::K07Figli,
                    path,
                    "meno figli di quanti il nucleo ne ha per i loro ruoli",
                );
            }
        }
        if let Some(cohabiting) = conditions.numero_figli_conviventi {
            let path = format_args!("{path}/@NumeroFigliConviventi");
            if conditions
                .numero_figli
                .is_some_and(|children| cohabiting > children)
            {
                esame.refuse(Check::K07Conviventi, path, "più figli conviventi che figli");
            } else if cohabiting > roles.possono_convivere() {
                esame.refuse(
                    Check::K07Conviventi,
                    path,
                    "più figli conviventi di quanti il nucleo ne ha per i loro ruoli",
                );
            }
        }
        if conditions.flag_unico_genitore && roles.coniuge {
            esame.refuse(
                Check::K07Genitore,
                format_args!("{path}/@FlagUnicoGenitore"),
                "il nucleo ha due adulti genitori",
            );
        }
    }
}

/// The roles in a nucleus, in numbers.
#[derive(Clone, Copy, Default)]
struct Ruoli {
    membri: u32,
    figli: u32,
    non_conviventi: u32,
    /// Members with role P: they may be children too.
    altri: u32,
    coniuge: bool,
}

impl Ruoli {
    fn of(roles: impl Iterator<Item = Ruolo>) -> Self {
        roles.fold(Self::default(), |counted, role| Self {
            membri: counted.membri.saturating_add(1),
            figli: counted.figli.saturating_add(u32::from(role.is_figlio())),
            non_conviventi: counted
                .non_conviventi
                .saturating_add(u32::from(role == Ruolo::Fnc)),
            altri: counted.altri.saturating_add(u32::from(role == Ruolo::P)),
            coniuge: counted.coniuge || role == Ruolo::C,
        })
    }

    /// The most children living with the family: children by their role, and members with role P. Any member
    /// may declare, so the declarant may be a child too.
    fn possono_convivere(self) -> u32 {
        let by_role = self.figli - self.non_conviventi;
        if self.altri == 0 {
            by_role
        } else {
            by_role.saturating_add(self.altri)
        }
    }
}

/// K12, for all sheets.
fn disabilities(dsu: &Dichiarazione, circumstance: &Circumstance<'_>, esame: &mut Esame) {
    for (index, sheet) in dsu.fogli().enumerate() {
        disability(sheet, &sheet_path(dsu, index), circumstance, esame);
    }
}

/// K12, for one sheet.
pub(super) fn disability(
    sheet: &FoglioComponente,
    path: &dyn Display,
    circumstance: &Circumstance<'_>,
    esame: &mut Esame,
) {
    if let Some(disability) = &sheet.disabilita {
        let path = format_args!("{path}/Disabilita");
        for (text, attribute) in [
            (&disability.ente_certif, "EnteCertif"),
            (&disability.doc_certif, "DocCertif"),
        ] {
            if text.trim().is_empty() {
                esame.refuse(
                    Check::K12Certificato,
                    format_args!("{path}/@{attribute}"),
                    "dato del certificato mancante",
                );
            }
        }
        if disability.data_certif > circumstance.today {
            esame.refuse(
                Check::K12Data,
                format_args!("{path}/@DataCertif"),
                "data del certificato nel futuro",
            );
        } else if disability.data_certif < sheet.dati_componente.anagrafica.data_nascita {
            let (path, text) = (
                format_args!("{path}/@DataCertif"),
                "data del certificato precedente alla nascita",
            );
            // A slip of months occurs in DSU otherwise in order: it moves no figure.
            match disability.data_certif.year() < sheet.dati_componente.anagrafica.data_nascita.year() {
                true => esame.refuse(Check::K12Data, path, text),
                false => esame.warn(Check::K12Nascita, path, text),
            }
        }
    }
}
