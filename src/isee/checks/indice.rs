//! An index of a DSU for the checks, which look up persons for each of its parts. It is made once: a look-up takes as long in a large DSU as in a small one.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::Dichiarazione;
use super::super::foglio::FoglioComponente;

/// A DSU and its index.
pub(super) struct Indice<'a> {
    /// The DSU.
    pub(super) dsu: &'a Dichiarazione,
    /// The day of presentation, as the DSU says it.
    pub(super) presentata: Option<Date>,
    membri: HashSet<&'a CodiceFiscale>,
    fogli: HashMap<&'a CodiceFiscale, &'a FoglioComponente>,
    genitori_con_dati: HashSet<&'a CodiceFiscale>,
}

impl<'a> Indice<'a> {
    /// Gathers it.
    pub(super) fn of(dsu: &'a Dichiarazione) -> Self {
        let mut fogli = HashMap::new();
        for foglio in dsu.fogli() {
            // The first of two sheets with one code: K05 refuses the second.
            fogli.entry(&foglio.codice_fiscale).or_insert(foglio);
        }
        let parents = dsu.genitori_non_conviventi().filter(|parent| parent.dati.is_some());
        Self {
            dsu,
            presentata: dsu.presentata(),
            membri: dsu.codici_dei_membri(),
            fogli,
            genitori_con_dati: parents.map(|parent| &parent.codice_fiscale).collect(),
        }
    }

    /// Whether a codice fiscale is that of a member.
    pub(super) fn is_membro(&self, codice: &CodiceFiscale) -> bool {
        self.membri.contains(codice)
    }

    /// The sheet of a person, among the members' and those of parents who do not live with the family.
    pub(super) fn foglio(&self, codice: &CodiceFiscale) -> Option<&'a FoglioComponente> {
        self.fogli.get(codice).copied()
    }

    /// Whether the DSU has data of a parent who does not live with the family, in any form.
    pub(super) fn knows_genitore(&self, codice: &CodiceFiscale) -> bool {
        self.genitori_con_dati.contains(codice)
    }
}
