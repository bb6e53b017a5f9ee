//! An index of a DSU for the checks: they look up persons for each of its parts. It is made once: a look-up
//! takes as long in a large DSU as in a small one.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::super::age;
use super::super::codes::Ruolo;
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::Dichiarazione;
use super::super::foglio::FoglioComponente;
use super::Circumstance;

/// A DSU and its index.
pub(super) struct Indice<'a> {
    /// The DSU under examination.
    pub(super) dsu: &'a Dichiarazione,
    /// The day of presentation, as the DSU says it.
    pub(super) presentata: Option<Date>,
    /// The day for ages and roles.
    pub(super) giorno: Date,
    /// Number of adult members on the same day.
    pub(super) adulti: usize,
    membri: HashMap<&'a CodiceFiscale, Ruolo>,
    fogli: HashMap<&'a CodiceFiscale, &'a FoglioComponente>,
    genitori_con_dati: HashSet<&'a CodiceFiscale>,
    /// Found on demand: the demand is rare, and students may be many.
    studenti: OnceCell<HashSet<&'a CodiceFiscale>>,
}

impl<'a> Indice<'a> {
    /// Gathers the index of a DSU.
    pub(super) fn of(dsu: &'a Dichiarazione, circumstance: &Circumstance<'_>) -> Self {
        let presentata = dsu.presentata();
        let giorno = circumstance.presented(presentata);
        let mut fogli = HashMap::new();
        for foglio in dsu.fogli() {
            // The first of two sheets with one code: K05 refuses the second.
            fogli.entry(&foglio.codice_fiscale).or_insert(foglio);
        }
        let parents = dsu
            .genitori_non_conviventi()
            .filter(|parent| parent.dati.is_some());
        Self {
            dsu,
            presentata,
            giorno,
            adulti: dsu
                .membri()
                .filter(|member| is_adult(&member.foglio_componente_nucleo, giorno))
                .count(),
            membri: dsu
                .membri()
                .map(|each| {
                    (
                        &each.foglio_componente_nucleo.codice_fiscale,
                        each.rapporto_con_dichiarante,
                    )
                })
                .collect(),
            fogli,
            genitori_con_dati: parents.map(|parent| &parent.codice_fiscale).collect(),
            studenti: OnceCell::new(),
        }
    }

    /// Whether a codice fiscale is a member's.
    pub(super) fn is_membro(&self, codice: &CodiceFiscale) -> bool {
        self.membri.contains_key(codice)
    }

    /// Whether a codice fiscale is an adult member's.
    pub(super) fn is_adulto(&self, codice: &CodiceFiscale) -> bool {
        self.is_membro(codice)
            && self
                .foglio(codice)
                .is_some_and(|foglio| is_adult(foglio, self.giorno))
    }

    /// The role of a member.
    pub(super) fn ruolo(&self, codice: &CodiceFiscale) -> Option<Ruolo> {
        self.membri.get(codice).copied()
    }

    /// The birthday of a person with a sheet.
    pub(super) fn nascita(&self, codice: &CodiceFiscale) -> Option<Date> {
        self.foglio(codice)
            .map(|foglio| foglio.dati_componente.anagrafica.data_nascita)
    }

    /// Whether the DSU asks the indicator of this student.
    pub(super) fn is_studente(&self, codice: &CodiceFiscale) -> bool {
        let students = || {
            self.dsu
                .modello_base
                .iter()
                .flat_map(|modello| &modello.universitario)
        };
        self.studenti
            .get_or_init(|| students().map(|each| &each.codice_fiscale_beneficiario).collect())
            .contains(codice)
    }

    /// The sheet of a person, among those of members and of parents with role GNC.
    pub(super) fn foglio(&self, codice: &CodiceFiscale) -> Option<&'a FoglioComponente> {
        self.fogli.get(codice).copied()
    }

    /// Whether the DSU has data of a parent living apart from the family, in any form.
    pub(super) fn knows_genitore(&self, codice: &CodiceFiscale) -> bool {
        self.genitori_con_dati.contains(codice)
    }
}

fn is_adult(foglio: &FoglioComponente, on: Date) -> bool {
    age(foglio.dati_componente.anagrafica.data_nascita, on) >= 18
}

/// Whether a codice fiscale is a member's, living with the family. A declaration without a nucleus completes
/// another one and is judged with it: here every code is accepted.
pub(super) fn member(indice: &Indice<'_>, codice: &CodiceFiscale) -> bool {
    indice.dsu.nucleo_familiare.is_none() || indice.is_membro(codice)
}
