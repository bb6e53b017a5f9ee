//! The choice of each person's indicator: art. 6 to 9. All indicators of a DSU, each of its own nucleus.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::super::codes::{PresenzaGenitori, Ruolo, TipoModello};
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::{
    DatiFiglio, DatiGenitore, Dichiarazione, Donazione, FiglioNonCompresoNelNucleo, GenitoreNonConvivente,
    ModelloBase, Residenziale, Universitario,
};
use super::super::feed::Feed;
use super::super::foglio::FoglioComponente;
use super::super::money::{Euro, Line};
use super::super::rules::RuleSet;
use super::calcolo::{Calcolo, calcola};
use super::componente::{Altre, ComponenteCalcolata, Esterno, di_figlio, di_genitore};
use super::nucleo::{Condizioni, NotComputable, NucleoDaCalcolare, Persona, Regime};
use super::voce::Fonte;

/// The input of all indicators.
#[derive(Clone, Copy)]
pub struct Situazione<'a> {
    /// The declaration, complete.
    pub dsu: &'a Dichiarazione,
    /// Day of its presentation.
    pub presented: Date,
    /// The rule set of the day of presentation.
    pub rules: &'a RuleSet,
    /// Data of the Revenue Agency and INPS on persons.
    pub feed: &'a dyn Feed,
    /// Other DSU, by the protocols named in this one.
    pub altre: &'a dyn Altre,
}

/// All indicators of a DSU.
#[derive(Clone, PartialEq)]
pub struct Indicatori {
    /// The ordinary indicator, of the family.
    pub ordinario: Calcolo,
    /// The specific one, for family benefits (L. 199/2025 art. 1 c. 208); None in a period without it.
    pub specifico: Option<Specifico>,
    /// One for each minor (art. 7).
    pub minorenni: Vec<IndicatoreCalcolato>,
    /// One for each student (art. 8).
    pub universitari: Vec<IndicatoreCalcolato>,
    /// For residential services, in the family's nucleus (art. 6 c. 3).
    pub residenziali: Vec<IndicatoreCalcolato>,
    /// One for each restricted nucleus (art. 6 c. 2, art. 8 c. 4).
    pub ristretti: Vec<Ristretto>,
}

/// The specific indicator: for ADI, SFL, assegno unico, nursery and newborn bonus (L. 199/2025 art. 1 c.
/// 208).
#[derive(Clone, PartialEq)]
pub struct Specifico {
    /// The specific indicator, of the family.
    pub famiglia: Calcolo,
    /// One for each minor: with parents living apart, art. 7 applies to it too (u). Shown and kept; no
    /// published schema has a place for it.
    pub minorenni: Vec<IndicatoreCalcolato>,
}

/// The indicators of a restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct Ristretto {
    /// Codice fiscale of the beneficiary.
    pub beneficiario: CodiceFiscale,
    /// The indicator of the restricted nucleus, by the ordinary rules.
    pub calcolo: Calcolo,
    /// The indicator for residential services; None without a request for it.
    pub residenziale: Option<IndicatoreCalcolato>,
}

/// The indicator of a minor, a student or a beneficiary.
#[derive(Clone, PartialEq)]
pub struct IndicatoreCalcolato {
    /// Codice fiscale of the person, from their sheet.
    pub codice_fiscale: CodiceFiscale,
    /// Surname, from the same sheet.
    pub cognome: String,
    /// First name, from the same sheet.
    pub nome: String,
    /// The applicable case, with its result.
    pub caso: Caso,
}

/// The cases of the layout.
#[derive(Clone, PartialEq)]
pub enum Caso {
    /// The indicator of the nucleus (ISEEOrd, or ISEERistretto), by its ISEE.
    Base(Line),
    /// An indicator other than the nucleus's.
    Diverso(Box<Diverso>),
    /// No indicator can be computed, for this reason.
    NonCalcolabile(MotivoDelCaso),
}

/// An indicator other than the nucleus's.
#[derive(Clone, PartialEq)]
pub struct Diverso {
    /// The difference from the nucleus's indicator.
    pub modo: ModoCalcolo,
    /// Its lines, without the component added to the ISEE.
    pub calcolo: Calcolo,
    /// The persons who join the nucleus, or add a component.
    pub componenti: Vec<ComponenteCalcolata>,
    /// Members of the nucleus joined by a student; empty in the other cases.
    pub attratto: Vec<Membro>,
    /// The ISEE, components included.
    pub isee: Line,
}

/// A member of the nucleus joined by a student.
#[derive(Clone, PartialEq)]
pub struct Membro {
    /// The member's role in this nucleus.
    pub ruolo: Ruolo,
    /// Codice fiscale, from the member's sheet.
    pub codice_fiscale: CodiceFiscale,
    /// Surname, from the same sheet.
    pub cognome: String,
    /// First name, from the same sheet.
    pub nome: String,
}

/// How an indicator differs from the nucleus's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModoCalcolo {
    /// A parent joins the nucleus.
    Attratta,
    /// A parent adds a component.
    Aggiuntiva,
    /// The student joins the parents' nucleus.
    StudenteAttratto,
    /// The student joins a parent's nucleus, the other parent too.
    StudenteAttrattoCompAttratta,
    /// The student joins a parent's nucleus, the other parent adds a component.
    StudenteAttrattoCompAggiuntiva,
    /// Recomputed for residential services.
    Residenziale,
    /// As the nucleus's indicator, with children's components.
    BaseAgg,
    /// Recomputed for residential services, with children's components.
    ResidenzialeAgg,
}

/// Why an indicator cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MotivoDelCaso {
    /// A parent's data are missing or not complete.
    Genitore,
    /// A child's data are missing or not complete.
    Figlio,
    /// The nucleus of a student's parents is missing or not complete.
    Nucleo,
}

impl IndicatoreCalcolato {
    fn of(foglio: &FoglioComponente, caso: Caso) -> Self {
        let anagrafica = &foglio.dati_componente.anagrafica;
        Self {
            codice_fiscale: foglio.codice_fiscale.clone(),
            cognome: anagrafica.cognome.clone(),
            nome: anagrafica.nome.clone(),
            caso,
        }
    }

    /// The ISEE; None if it cannot be computed.
    pub fn isee(&self) -> Option<Line> {
        match &self.caso {
            Caso::Base(isee) => Some(*isee),
            Caso::Diverso(diverso) => Some(diverso.isee),
            Caso::NonCalcolabile(_) => None,
        }
    }
}

impl<'a> Situazione<'a> {
    /// Computes all indicators. Fails without a nucleus or an ordinary form, or with an amount out of range.
    pub fn indicatori(&self) -> Result<Indicatori, NotComputable> {
        let nucleo = NucleoDaCalcolare::ordinario(self.dsu, self.presented, self.feed)?;
        let ordinario = self.calcola(&nucleo, Regime::Ordinario)?;
        let modello = self.dsu.ordinario().ok_or(NotComputable::Incomplete)?;
        let genitori = Genitori::of(self.dsu);
        let minorenni = self.minorenni((&nucleo, &ordinario), &genitori, Regime::Ordinario)?;
        let specifico = match self.rules.law.specifico_casa {
            Some(_) => {
                let famiglia = self.calcola(&nucleo, Regime::Specifico)?;
                let minorenni = self.minorenni((&nucleo, &famiglia), &genitori, Regime::Specifico)?;
                Some(Specifico { famiglia, minorenni })
            }
            None => None,
        };
        let mut universitari = Vec::new();
        let students = self
            .dsu
            .modello_base
            .iter()
            .flat_map(|modello| &modello.universitario);
        for studente in students {
            let Some(foglio) = self.foglio(&studente.codice_fiscale_beneficiario) else {
                continue;
            };
            universitari.push(IndicatoreCalcolato::of(
                foglio,
                self.universitario((&nucleo, &ordinario), &genitori, studente)?,
            ));
        }
        let mut residenziali = Vec::new();
        for residenziale in &modello.residenziale {
            // The beneficiary of a restricted nucleus is computed in it, and here only if the restricted form
            // asks too.
            let beneficiario = &residenziale.codice_fiscale_beneficiario;
            let moved = self
                .ristretto(beneficiario)
                .is_some_and(|form| !form.residenziale.iter().any(|each| each.is_of(beneficiario)));
            let Some(foglio) = self.foglio(beneficiario).filter(|_| !moved) else {
                continue;
            };
            residenziali.push(IndicatoreCalcolato::of(
                foglio,
                self.residenziale(&nucleo, &ordinario, residenziale)?,
            ));
        }
        let ristretti = self.ristretti(modello)?;
        Ok(Indicatori {
            ordinario,
            specifico,
            minorenni,
            universitari,
            residenziali,
            ristretti,
        })
    }

    /// Each restricted nucleus, with the residential indicator of its beneficiary.
    fn ristretti(&self, modello: &ModelloBase) -> Result<Vec<Ristretto>, NotComputable> {
        let mut ristretti = Vec::new();
        for form in self
            .dsu
            .modello_base
            .iter()
            .filter(|modello| modello.tipo == TipoModello::Rid)
        {
            let Some(beneficiario) = form.beneficiario() else {
                continue;
            };
            let nucleo = NucleoDaCalcolare::ristretto(self.dsu, form, self.presented, self.feed)?;
            let calcolo = self.calcola(&nucleo, Regime::Ordinario)?;
            let mut wanted = form.residenziale.iter().chain(&modello.residenziale);
            let wanted = wanted.find(|residenziale| residenziale.is_of(beneficiario));
            let residenziale = match wanted.zip(self.foglio(beneficiario)) {
                Some((residenziale, foglio)) => Some(IndicatoreCalcolato::of(
                    foglio,
                    self.residenziale(&nucleo, &calcolo, residenziale)?,
                )),
                None => None,
            };
            ristretti.push(Ristretto {
                beneficiario: beneficiario.clone(),
                calcolo,
                residenziale,
            });
        }
        Ok(ristretti)
    }

    /// Art. 7, for each minor of the nucleus.
    fn minorenni(
        &self,
        nucleo: (&NucleoDaCalcolare<'a>, &Calcolo),
        genitori: &Genitori<'a>,
        regime: Regime,
    ) -> Result<Vec<IndicatoreCalcolato>, NotComputable> {
        let minors = nucleo
            .0
            .persone
            .iter()
            .filter(|persona| persona.is_minor(self.presented));
        minors
            .map(|persona| {
                let caso =
                    self.con_genitore(nucleo, genitori, (&persona.foglio.codice_fiscale, None), regime)?;
                Ok(IndicatoreCalcolato::of(persona.foglio, caso))
            })
            .collect()
    }

    fn calcola(&self, nucleo: &NucleoDaCalcolare<'_>, regime: Regime) -> Result<Calcolo, NotComputable> {
        calcola(nucleo, self.presented, self.rules, regime)
    }

    fn foglio(&self, codice: &CodiceFiscale) -> Option<&'a FoglioComponente> {
        self.dsu.fogli().find(|foglio| foglio.codice_fiscale == *codice)
    }

    /// The restricted form of a beneficiary.
    fn ristretto(&self, beneficiario: &CodiceFiscale) -> Option<&'a ModelloBase> {
        self.dsu
            .modello_base
            .iter()
            .find(|modello| modello.tipo == TipoModello::Rid && modello.beneficiario() == Some(beneficiario))
    }

    /// Art. 7, and art. 8 for a student with one parent in the nucleus. The other one (not `but`) joins, adds
    /// a component, or does not count.
    fn con_genitore(
        &self,
        (nucleo, base): (&NucleoDaCalcolare<'a>, &Calcolo),
        genitori: &Genitori<'a>,
        (child, but): (&CodiceFiscale, Option<&CodiceFiscale>),
        regime: Regime,
    ) -> Result<Caso, NotComputable> {
        let mut parents = genitori
            .of_child(child)
            .filter(|parent| but.is_none_or(|but| parent.codice_fiscale != *but));
        let Some(parent) = parents.next() else {
            return Ok(Caso::Base(base.isee));
        };
        let Some(data) = self.genitore(parent) else {
            return Ok(Caso::NonCalcolabile(MotivoDelCaso::Genitore));
        };
        if parent.flag_coniugato_con_persona_diversa {
            let Some((componente, value)) = self.aggiuntiva(parent, &data, genitori, regime) else {
                return Ok(Caso::NonCalcolabile(MotivoDelCaso::Genitore));
            };
            let isee = base.isee + value;
            return Ok(Diverso::caso(
                ModoCalcolo::Aggiuntiva,
                base.clone(),
                vec![componente],
                Vec::new(),
                isee,
            ));
        }
        let calcolo = self.calcola(
            &nucleo.clone().with(data.attratto(self.presented, self.feed)),
            regime,
        )?;
        let isee = calcolo.isee;
        Ok(Diverso::caso(
            ModoCalcolo::Attratta,
            calcolo,
            vec![data.componente(None, None)],
            Vec::new(),
            isee,
        ))
    }

    /// A parent's data, from a DSU of their own or from this one; None if they are missing or not complete.
    fn genitore(&self, parent: &'a GenitoreNonConvivente) -> Option<Esterno<'a>> {
        // A parent named in two forms may have the data in either.
        let same = || {
            self.dsu
                .genitori_non_conviventi()
                .filter(|each| each.codice_fiscale == parent.codice_fiscale)
        };
        match parent
            .dati
            .as_ref()
            .or_else(|| same().find_map(|each| each.dati.as_ref()))
        {
            Some(DatiGenitore::Protocollo(protocollo)) => {
                Esterno::referred(&parent.codice_fiscale, protocollo, self.presented, self.altre)
            }
            Some(DatiGenitore::Dettaglio(dettaglio)) => Esterno::genitore(dettaglio, self.dsu),
            // A sheet among the family's, of a person not living with it (role GNC).
            None => {
                let foglio = self.dsu.foglio_non_convivente(&parent.codice_fiscale)?;
                Some(Esterno {
                    foglio,
                    dsu: self.dsu,
                    riferita: None,
                    numeri: None,
                })
            }
        }
    }

    /// The component added by a parent, and its value.
    fn aggiuntiva(
        &self,
        parent: &GenitoreNonConvivente,
        data: &Esterno<'a>,
        genitori: &Genitori<'_>,
        regime: Regime,
    ) -> Option<(ComponenteCalcolata, Line)> {
        let alone = data.solo(self.presented, self.rules, self.feed, regime)?;
        let value = di_genitore(&alone, genitori.figli_di(&parent.codice_fiscale), self.rules)?;
        Some((data.componente(Some(alone), Some(value)), value))
    }

    /// Art. 8, for one student.
    fn universitario(
        &self,
        (nucleo, base): (&NucleoDaCalcolare<'a>, &Calcolo),
        genitori: &Genitori<'a>,
        studente: &'a Universitario,
    ) -> Result<Caso, NotComputable> {
        let child = &studente.codice_fiscale_beneficiario;
        match studente.presenza_genitori {
            PresenzaGenitori::TuttiPresenti => return Ok(Caso::Base(base.isee)),
            PresenzaGenitori::SoloUno => {
                return self.con_genitore((nucleo, base), genitori, (child, None), Regime::Ordinario);
            }
            PresenzaGenitori::ConiugatiNonPresenti | PresenzaGenitori::NonConiugatiNonPresenti
                if studente.is_autonomo() && self.has_adequate_income(base, child) =>
            {
                return Ok(Caso::Base(base.isee));
            }
            PresenzaGenitori::ConiugatiNonPresenti | PresenzaGenitori::NonConiugatiNonPresenti => {}
        }
        let missing = Ok(Caso::NonCalcolabile(MotivoDelCaso::Nucleo));
        let (Some(parent), Some(foglio)) = (&studente.codice_fiscale_genitore, self.foglio(child)) else {
            return missing;
        };
        let Some((attracting, attratto)) = self.attracting(parent, studente, foglio) else {
            return missing;
        };
        let calcolo = self.calcola(&attracting, Regime::Ordinario)?;
        let isee = calcolo.isee;
        let alone = Diverso::caso(
            ModoCalcolo::StudenteAttratto,
            calcolo.clone(),
            Vec::new(),
            attratto.clone(),
            isee,
        );
        if studente.presenza_genitori == PresenzaGenitori::ConiugatiNonPresenti {
            return Ok(alone);
        }
        Ok(
            match self.con_genitore(
                (&attracting, &calcolo),
                genitori,
                (child, Some(parent)),
                Regime::Ordinario,
            )? {
                Caso::Base(_) => alone,
                Caso::NonCalcolabile(motivo) => Caso::NonCalcolabile(motivo),
                Caso::Diverso(diverso) => {
                    let modo = match diverso.modo {
                        ModoCalcolo::Aggiuntiva => ModoCalcolo::StudenteAttrattoCompAggiuntiva,
                        _ => ModoCalcolo::StudenteAttrattoCompAttratta,
                    };
                    Diverso::caso(modo, diverso.calcolo, diverso.componenti, attratto, diverso.isee)
                }
            },
        )
    }

    /// Whether a student's own income is adequate (art. 8 c. 2 b). An unknown income is as declared.
    fn has_adequate_income(&self, base: &Calcolo, student: &CodiceFiscale) -> bool {
        let known = base
            .redditi
            .iter()
            .find(|reddito| reddito.codice_fiscale == *student && reddito.fonte != Fonte::Dsu);
        let income = known.map(|reddito| reddito.redditi.iter().map(|voce| voce.importo).sum::<Euro>());
        income.is_none_or(|income| income >= self.rules.law.studente_reddito)
    }

    /// The parents' nucleus, joined by the student.
    fn attracting(
        &self,
        parent: &CodiceFiscale,
        studente: &'a Universitario,
        foglio: &'a FoglioComponente,
    ) -> Option<(NucleoDaCalcolare<'a>, Vec<Membro>)> {
        let elsewhere = self
            .dsu
            .genitori_non_conviventi()
            .find(|each| each.codice_fiscale == *parent);
        let by_protocol = studente.numero_protocollo_rif_genitore.as_deref();
        let data = match by_protocol {
            Some(protocollo) => Esterno::referred(parent, protocollo, self.presented, self.altre),
            None => self.genitore(elsewhere?),
        }?;
        let mut nucleo = match data.riferita {
            Some(riferita) => NucleoDaCalcolare::ordinario(&riferita.dsu, self.presented, self.feed).ok()?,
            None => data.nucleo_di_uno(self.presented, self.feed)?,
        };
        let listed = |persona: &Persona<'_>| {
            let anagrafica = &persona.foglio.dati_componente.anagrafica;
            Membro {
                ruolo: persona.ruolo,
                codice_fiscale: persona.foglio.codice_fiscale.clone(),
                cognome: anagrafica.cognome.clone(),
                nome: anagrafica.nome.clone(),
            }
        };
        if !nucleo
            .persone
            .iter()
            .any(|persona| persona.foglio.codice_fiscale == foglio.codice_fiscale)
        {
            let ruolo =
                if super::super::age(foglio.dati_componente.anagrafica.data_nascita, self.presented) < 18 {
                    Ruolo::F
                } else {
                    Ruolo::Fnc
                };
            let persona = Persona::known(foglio, ruolo, self.dsu, self.presented, self.feed).from_elsewhere();
            let condizioni = Condizioni {
                figli: nucleo.condizioni.figli.map(|figli| figli + 1),
                ..nucleo.condizioni
            };
            nucleo = NucleoDaCalcolare { condizioni, ..nucleo }.with(persona);
        }
        let members = nucleo.persone.iter().map(listed).collect();
        Some((nucleo, members))
    }

    /// Art. 6 c. 3: real estate given away counts, and so do the children outside.
    fn residenziale(
        &self,
        nucleo: &NucleoDaCalcolare<'a>,
        base: &Calcolo,
        residenziale: &'a Residenziale,
    ) -> Result<Caso, NotComputable> {
        let donated: &[Donazione] = if residenziale.donazioni_contano() {
            &residenziale.donazione
        } else {
            &[]
        };
        let recomputed = self.calcola(
            &NucleoDaCalcolare {
                donazioni: donated,
                ..nucleo.clone()
            },
            Regime::Residenziale,
        )?;
        let differs = !donated.is_empty() || recomputed.modalita != base.modalita;
        let calcolo = if differs { recomputed } else { base.clone() };

        let (mut componenti, mut sum) = (Vec::new(), Line::ZERO);
        for child in residenziale
            .figlio_non_compreso_nel_nucleo
            .iter()
            .filter(|child| child.condizione_esclusione.is_none())
        {
            let Some(data) = self.figlio(child) else {
                return Ok(Caso::NonCalcolabile(MotivoDelCaso::Figlio));
            };
            if data.has_disability() {
                continue;
            }
            let Some(alone) = data.solo(self.presented, self.rules, self.feed, Regime::Ordinario) else {
                return Ok(Caso::NonCalcolabile(MotivoDelCaso::Figlio));
            };
            let value =
                di_figlio(&alone, calcolo.scala.valore(), self.rules).ok_or(NotComputable::Overflow)?;
            sum += value;
            componenti.push(data.componente(Some(alone), Some(value)));
        }
        let modo = match (differs, componenti.is_empty()) {
            (false, true) => return Ok(Caso::Base(base.isee)),
            (true, true) => ModoCalcolo::Residenziale,
            (false, false) => ModoCalcolo::BaseAgg,
            (true, false) => ModoCalcolo::ResidenzialeAgg,
        };
        let isee = calcolo.isee + sum;
        Ok(Diverso::caso(modo, calcolo, componenti, Vec::new(), isee))
    }

    /// A child's data; None if they are missing or not complete.
    fn figlio(&self, child: &'a FiglioNonCompresoNelNucleo) -> Option<Esterno<'a>> {
        match child.dati.as_ref()? {
            DatiFiglio::Protocollo(protocollo) => {
                Esterno::referred(&child.codice_fiscale, protocollo, self.presented, self.altre)
            }
            DatiFiglio::Dettaglio(dettaglio) => Esterno::figlio(dettaglio, self.dsu),
        }
    }
}

/// The parents living apart from the family, by the children they name. They are gathered once, since each
/// minor and each student asks for theirs.
struct Genitori<'a> {
    /// Parents not excluded, in the order of the declaration.
    by_child: HashMap<&'a CodiceFiscale, Vec<&'a GenitoreNonConvivente>>,
    /// The children named by each parent, in any form.
    figli: HashMap<&'a CodiceFiscale, HashSet<&'a CodiceFiscale>>,
}

impl<'a> Genitori<'a> {
    fn of(dsu: &'a Dichiarazione) -> Self {
        let mut gathered = Self {
            by_child: HashMap::new(),
            figli: HashMap::new(),
        };
        for parent in dsu.genitori_non_conviventi() {
            let figli = gathered.figli.entry(&parent.codice_fiscale).or_default();
            for child in parent.beneficiario.iter().map(|child| &child.codice_fiscale) {
                figli.insert(child);
                let named = gathered.by_child.entry(child).or_default();
                // Once, however often this parent names the child.
                if !parent.flag_genitore_escluso
                    && named.last().is_none_or(|last| !std::ptr::eq(*last, parent))
                {
                    named.push(parent);
                }
            }
        }
        gathered
    }

    fn of_child(
        &self,
        child: &CodiceFiscale,
    ) -> impl Iterator<Item = &'a GenitoreNonConvivente> + use<'_, 'a> {
        self.by_child.get(child).into_iter().flatten().copied()
    }

    fn figli_di(&self, parent: &CodiceFiscale) -> usize {
        self.figli.get(parent).map_or(0, HashSet::len)
    }
}

impl Diverso {
    fn caso(
        modo: ModoCalcolo,
        calcolo: Calcolo,
        componenti: Vec<ComponenteCalcolata>,
        attratto: Vec<Membro>,
        isee: Line,
    ) -> Caso {
        Caso::Diverso(Box::new(Self {
            modo,
            calcolo,
            componenti,
            attratto,
            isee,
        }))
    }
}

impl Universitario {
    /// Declared to be a nucleus of their own: two years out of the family's home, in a home not the family's,
    /// and an adequate income (art. 8 c. 2).
    pub fn is_autonomo(&self) -> bool {
        self.flag_residenza_studente == Some(true) && self.flag_capacita_reddito_studente == Some(true)
    }
}

impl Residenziale {
    fn is_of(&self, beneficiario: &CodiceFiscale) -> bool {
        self.codice_fiscale_beneficiario == *beneficiario
    }

    /// Whether gifts count: gifts after the first request, or within three years before it to a person bound
    /// to maintenance.
    pub fn donazioni_contano(&self) -> bool {
        self.flag_donazioni
            && (self.flag_donazioni_successive == Some(true)
                || self.flag_donazioni_precedenti_alimenti == Some(true))
    }
}

impl ModelloBase {
    /// The beneficiary of a restricted nucleus; None in a form without one.
    pub fn beneficiario(&self) -> Option<&CodiceFiscale> {
        let members = self
            .nucleo_ristretto
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo_ristretto);
        members
            .into_iter()
            .find(|member| member.flag_beneficiario)
            .map(|member| &member.codice_fiscale)
    }
}
