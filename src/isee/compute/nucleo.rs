//! The nucleus to compute: its persons with their known data, its home, its conditions.

use super::super::age;
use super::super::codes::{GradoDisabilita, Ruolo, TipoAbitazione};
use super::super::dsu::{Abitazione, Dichiarazione, Donazione, ModelloBase, Variazione};
use super::super::feed::{Feed, FeedRecord};
use super::super::foglio::{AltriRedditi, FoglioComponente, PatrimonioImmobiliare, PatrimonioMobiliare};
use super::super::money::Euro;
use super::scala::Scala;
use jiff::civil::Date;
use std::collections::HashSet;

/// Why nothing is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComputable {
    /// No nucleus or no ordinary form: the checks refuse such a DSU.
    #[error("no nucleus or no ordinary form")]
    Incomplete,
    /// An amount beyond the range of decimals.
    #[error("amounts out of range")]
    Overflow,
}

/// A person, as the computation sees them.
#[derive(Clone)]
pub struct Persona<'a> {
    /// Sheet of the person in the DSU.
    pub foglio: &'a FoglioComponente,
    /// Role of the person in this nucleus.
    pub ruolo: Ruolo,
    /// Data of the Revenue Agency and INPS, for the year of the incomes; None if the feed has none.
    pub noto: Option<FeedRecord>,
    /// The changes since then, for a current ISEE.
    pub corrente: Option<&'a Variazione>,
    /// Sheet FC8, if it takes the place of the known data.
    pub fc8: Option<&'a AltriRedditi>,
    /// Whether the person lives elsewhere and joins this nucleus for one indicator: no home of theirs is the
    /// nucleus's.
    pub altrove: bool,
}

/// A nucleus to compute.
#[derive(Clone)]
pub struct NucleoDaCalcolare<'a> {
    /// Its members, each with their known data.
    pub persone: Vec<Persona<'a>>,
    /// The conditions for franchises and scale.
    pub condizioni: Condizioni,
    /// Its home; None if no home is declared.
    pub abitazione: Option<&'a Abitazione>,
    /// Real estate given away and counted nevertheless (art. 6 c. 3 c).
    pub donazioni: &'a [Donazione],
    /// The scale, if it is not the members' own: a person outside has the scale of their nucleus.
    pub scala: Option<Scala>,
}

/// The conditions of a nucleus, declared in its form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condizioni {
    /// Number of children, if declared: three or more, from 2026 two or more.
    pub figli: Option<u32>,
    /// Number of children living with the family.
    pub conviventi: Option<u32>,
    /// Both parents, or the only one, worked at least six months.
    pub lavoro: bool,
    /// A lone parent, not working, with minors only.
    pub solo: bool,
}

/// The rules of an indicator, by its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// The ordinary rules: family, minors, students, restricted nuclei.
    Ordinario,
    /// Residential services: art. 4 c. 4 b and c do not apply (art. 6 c. 3 a).
    Residenziale,
    /// The specific ISEE (L. 199/2025 art. 1 c. 208).
    Specifico,
}

/// Number of children after the second.
pub(super) fn after_second(children: u32) -> u32 {
    children.saturating_sub(2)
}

/// The year of the incomes of a DSU presented on `presented`: the second one before (art. 2 c. 6).
pub fn income_year(presented: Date) -> i16 {
    presented.year() - 2
}

impl<'a> NucleoDaCalcolare<'a> {
    /// The family of a DSU. A parent with role GNC does not live with it and is left out.
    pub fn ordinario(
        dsu: &'a Dichiarazione,
        presented: Date,
        feed: &dyn Feed,
    ) -> Result<Self, NotComputable> {
        let modello = dsu.ordinario().ok_or(NotComputable::Incomplete)?;
        let nucleo = dsu.nucleo_familiare.as_ref().ok_or(NotComputable::Incomplete)?;
        let members = nucleo
            .componente_nucleo
            .iter()
            .filter(|member| member.rapporto_con_dichiarante != Ruolo::Gnc);
        let persone: Vec<Persona<'_>> = members
            .map(|member| {
                Persona::known(
                    &member.foglio_componente_nucleo,
                    member.rapporto_con_dichiarante,
                    dsu,
                    presented,
                    feed,
                )
            })
            .collect();
        if persone.is_empty() {
            return Err(NotComputable::Incomplete);
        }
        Ok(Self {
            condizioni: Condizioni::of(dsu, modello, presented),
            ..Self::living_in(&modello.abitazione, persone)
        })
    }

    /// The restricted nucleus of a form: the members of the family named there.
    pub fn ristretto(
        dsu: &'a Dichiarazione,
        modello: &'a ModelloBase,
        presented: Date,
        feed: &dyn Feed,
    ) -> Result<Self, NotComputable> {
        let named = modello
            .nucleo_ristretto
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo_ristretto);
        let persone: Option<Vec<Persona<'_>>> = named
            .map(|member| {
                let foglio = dsu
                    .membri()
                    .map(|member| &member.foglio_componente_nucleo)
                    .find(|f| f.codice_fiscale == member.codice_fiscale)?;
                Some(Persona::known(
                    foglio,
                    member.relazione_con_beneficiario.ruolo(),
                    dsu,
                    presented,
                    feed,
                ))
            })
            .collect();
        let persone = persone
            .filter(|persone| !persone.is_empty())
            .ok_or(NotComputable::Incomplete)?;
        Ok(Self {
            condizioni: Condizioni::of(dsu, modello, presented),
            ..Self::living_in(&modello.abitazione, persone)
        })
    }

    fn living_in(abitazione: &'a Abitazione, persone: Vec<Persona<'a>>) -> Self {
        Self {
            persone,
            condizioni: Condizioni::default(),
            abitazione: Some(abitazione),
            donazioni: &[],
            scala: None,
        }
    }

    /// With a further member.
    #[must_use]
    pub fn with(mut self, persona: Persona<'a>) -> Self {
        self.persone.push(persona);
        self
    }

    /// Yearly rent of the home; None if it is not rented.
    pub(super) fn canone(&self) -> Option<Euro> {
        let rented = self
            .abitazione
            .filter(|abitazione| abitazione.tipo_abitazione == TipoAbitazione::Locazione)?;
        rented
            .locazione
            .as_ref()
            .map(|contratto| Euro::whole(Some(contratto.canone)))
    }
}

impl<'a> Persona<'a> {
    /// A person with a sheet in a DSU, member or not, with their known data and their changes.
    pub fn known(
        foglio: &'a FoglioComponente,
        ruolo: Ruolo,
        dsu: &'a Dichiarazione,
        presented: Date,
        feed: &dyn Feed,
    ) -> Self {
        let changes = dsu.isee_corrente.iter().flat_map(|corrente| &corrente.variazione);
        Self {
            foglio,
            ruolo,
            noto: feed.find(&foglio.codice_fiscale, income_year(presented)),
            corrente: changes
                .into_iter()
                .find(|variazione| variazione.codice_fiscale == foglio.codice_fiscale),
            fc8: foglio
                .altri_redditi
                .as_ref()
                .filter(|redditi| redditi.counts(dsu.operazione.tipo)),
            altrove: false,
        }
    }

    /// The same person, living elsewhere.
    #[must_use]
    pub fn from_elsewhere(self) -> Self {
        Self {
            altrove: true,
            ..self
        }
    }

    /// In residential care or in a registered community (All. 1 e).
    pub fn is_hosted(&self) -> bool {
        let residential = self
            .foglio
            .disabilita
            .as_ref()
            .is_some_and(|disabilita| disabilita.flag_prest_residenziale);
        self.foglio.dati_componente.flag_convivenza_anagrafica || residential
    }

    /// Degree of the disability; None without one.
    pub fn grado(&self) -> Option<GradoDisabilita> {
        self.foglio
            .disabilita
            .as_ref()
            .map(|disabilita| disabilita.grado_disabilita)
    }

    /// Under eighteen on a day.
    pub fn is_minor(&self, on: Date) -> bool {
        age(self.foglio.dati_componente.anagrafica.data_nascita, on) < 18
    }

    /// The movable assets for the computation: the changed ones if declared, else the sheet's.
    pub(super) fn mobiliare(&self) -> Option<&'a PatrimonioMobiliare> {
        let changed = self
            .corrente
            .and_then(|variazione| variazione.patrimonio_mobiliare.as_ref());
        changed.or(self.foglio.patrimonio_mobiliare.as_ref())
    }

    /// Whether the movable assets for the computation are the changed ones.
    pub(super) fn has_new_movable(&self) -> bool {
        self.corrente
            .is_some_and(|variazione| variazione.patrimonio_mobiliare.is_some())
    }

    /// The real estate for the computation: the changed one if declared, else the sheet's.
    pub(super) fn immobiliare(&self) -> Option<&'a PatrimonioImmobiliare> {
        let changed = self
            .corrente
            .and_then(|variazione| variazione.patrimonio_immobiliare.as_ref());
        changed.or(self.foglio.patrimonio_immobiliare.as_ref())
    }
}

impl Condizioni {
    /// The conditions declared in a form. A parent living apart without any case of art. 7 c. 1 counts as one
    /// of the family's parents: the other parent is not alone (All. 1 b).
    pub fn of(dsu: &Dichiarazione, modello: &ModelloBase, presented: Date) -> Self {
        let Some(declared) = &modello.condizioni_nucleo else {
            return Self::default();
        };
        let members = dsu
            .membri()
            .filter(|member| !matches!(member.rapporto_con_dichiarante, Ruolo::D | Ruolo::C));
        let sheets = members.map(|member| &member.foglio_componente_nucleo);
        let minors =
            sheets.filter(|sheet| age(sheet.dati_componente.anagrafica.data_nascita, presented) < 18);
        let children: HashSet<_> = minors.map(|sheet| &sheet.codice_fiscale).collect();
        let attracted = || {
            let mut attracted = dsu
                .genitori_non_conviventi()
                .filter(|parent| parent.flag_alcuna_condizione);
            attracted.any(|parent| {
                parent
                    .beneficiario
                    .iter()
                    .any(|beneficiario| children.contains(&beneficiario.codice_fiscale))
            })
        };
        Self {
            figli: declared.numero_figli,
            conviventi: declared.numero_figli_conviventi,
            lavoro: declared.flag_lavoro_genitori,
            solo: declared.flag_unico_genitore && !attracted(),
        }
    }
}

/// Numbers of children in a nucleus: as declared, else by the roles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figli {
    pub(super) tutti: u32,
    pub(super) conviventi: u32,
}

impl Figli {
    pub(super) fn of(nucleo: &NucleoDaCalcolare<'_>) -> Self {
        let with = |counts: fn(Ruolo) -> bool| {
            u32::try_from(
                nucleo
                    .persone
                    .iter()
                    .filter(|persona| counts(persona.ruolo))
                    .count(),
            )
            .unwrap_or(u32::MAX)
        };
        Self {
            tutti: nucleo.condizioni.figli.unwrap_or_else(|| with(Ruolo::is_figlio)),
            conviventi: nucleo
                .condizioni
                .conviventi
                .unwrap_or_else(|| with(|ruolo| ruolo.is_figlio() && ruolo != Ruolo::Fnc)),
        }
    }
}
