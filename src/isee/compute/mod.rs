//! The computation (DPCM 159/2013 art. 2 to 9, All. 1 and 2), line by line as the attestation prints it.
//!
//! One rounding to the cent a printed line, none inside a line; a printed line is computed from printed lines. [`Line`] and [`Euro`] hold that. Half a cent goes away
//! from zero. Net incomes and their sum may be negative and are printed so; ISR, deductions and the two nets of ISP stop at zero.
//!
//! [`Nucleo`] is what is computed: persons with what is known of them, the home, the conditions. Every indicator is a [`Calcolo`] of some nucleus:
//! which one is the affair of [`casi`]; [`componente`] is what persons outside add, [`corrente`] what changed.

pub mod casi;
pub mod componente;
pub mod corrente;
mod patrimonio;
mod redditi;
pub mod scala;

use std::collections::HashSet;

use jiff::civil::Date;

use super::age;
use super::attestazione::{ModalitaCalcolo, Valori};
use super::codes::{GradoDisabilita, Importo, Ruolo, TipoAbitazione};
use super::dsu::{Abitazione, Dichiarazione, Donazione, ModelloBase, Variazione};
use super::feed::{Feed, FeedRecord};
use super::foglio::{AltriRedditi, FoglioComponente, PatrimonioImmobiliare, PatrimonioMobiliare};
use super::money::{Euro, Line};
use super::rules::RuleSet;

pub use patrimonio::{Conti, Immobile, Immobiliare, Mobiliare};
pub use redditi::{Fonte, RedditoComponente, Voce, sum};
pub use scala::{Maggiorazione, Scala};

/// An indicator with every line, and what each line is made of.
#[derive(Clone, PartialEq)]
pub struct Calcolo {
    /// The lines of ModalitaCalcolo, rounded.
    pub modalita: ModalitaCalcolo,
    /// The ISE.
    pub ise: Line,
    /// The ISEE.
    pub isee: Line,
    /// One for each member, in the order of the DSU.
    pub redditi: Vec<RedditoComponente>,
    /// What is deducted from the income of the nucleus (art. 4 c. 4).
    pub detrazioni: Vec<Voce>,
    /// The movable assets.
    pub mobiliare: Mobiliare,
    /// The real estate.
    pub immobiliare: Immobiliare,
    /// The scale.
    pub scala: Scala,
}

/// Why nothing is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComputable {
    /// No nucleus or no ordinary form: the checks refuse such a DSU.
    #[error("no nucleus or no ordinary form")]
    Incomplete,
    /// Numbers beyond what decimals hold.
    #[error("amounts out of range")]
    Overflow,
}

/// A person, as the computation sees them.
#[derive(Clone)]
pub struct Persona<'a> {
    /// The sheet.
    pub foglio: &'a FoglioComponente,
    /// What the person is in the nucleus.
    pub ruolo: Ruolo,
    /// What the Revenue Agency and INPS know, for the year of the incomes.
    pub noto: Option<FeedRecord>,
    /// What changed since: current ISEE.
    pub corrente: Option<&'a Variazione>,
    /// Sheet FC8, where it takes the place of what is known.
    pub fc8: Option<&'a AltriRedditi>,
    /// Whether the person lives elsewhere and joins this nucleus for one indicator: no home of theirs is the nucleus's.
    pub altrove: bool,
}

/// A nucleus that is computed.
#[derive(Clone)]
pub struct Nucleo<'a> {
    /// Its members.
    pub persone: Vec<Persona<'a>>,
    /// What moves franchises and scale.
    pub condizioni: Condizioni,
    /// Where it lives.
    pub abitazione: Option<&'a Abitazione>,
    /// Real estate given away that counts nevertheless (art. 6 c. 3 c).
    pub donazioni: &'a [Donazione],
    /// The scale, where it is not that of the members: of a person alone, it is that of a nucleus of which only numbers are known.
    pub scala: Option<Scala>,
}

/// What a form declares of its nucleus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Condizioni {
    /// Children, where three or more are declared.
    pub figli: Option<u32>,
    /// Those of them who live with the family.
    pub conviventi: Option<u32>,
    /// Both parents, or the only one, worked at least six months.
    pub lavoro: bool,
    /// A lone parent, not working, with minors only.
    pub solo: bool,
}

/// For what an indicator is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// The ordinary rules.
    Ordinario,
    /// Residential services: art. 4 c. 4 b and c do not apply (art. 6 c. 3 a).
    Residenziale,
    /// The specific ISEE (L. 199/2025 art. 1 c. 208).
    Specifico,
}

/// Computes the ordinary indicator of a DSU presented on `presented`.
pub fn ordinario(dsu: &Dichiarazione, presented: Date, rules: &RuleSet, feed: &dyn Feed) -> Result<Calcolo, NotComputable> {
    let nucleo = Nucleo::ordinario(dsu, presented, feed)?;
    calcola(&nucleo, presented, rules, Regime::Ordinario)
}

/// Computes one indicator of a nucleus.
pub fn calcola(nucleo: &Nucleo<'_>, presented: Date, rules: &RuleSet, regime: Regime) -> Result<Calcolo, NotComputable> {
    let figli = Figli::of(nucleo);
    let redditi: Vec<RedditoComponente> = nucleo.persone.iter().map(|persona| redditi::reddito(persona, rules)).collect();
    let somma = redditi.iter().map(RedditoComponente::netto).sum::<Euro>().line();
    let changed = redditi.iter().any(|reddito| reddito.corrente.is_some());
    let corrente = changed.then(|| redditi.iter().map(RedditoComponente::netto_corrente).sum::<Euro>().line());

    let mobiliare = patrimonio::mobiliare(nucleo, &figli, rules);
    let figurativo = (rules.law.rendimento * mobiliare.fruttifero).line();
    let incomes = corrente.unwrap_or(somma) + figurativo;
    let voci = redditi::detrazioni(nucleo, &redditi, &figli, presented, rules, regime);
    let detrazioni = sum(&voci).min(incomes.positive().euro()).line();
    let isr = (incomes - detrazioni).positive();

    let gross = mobiliare.totale.line();
    let detrazione_mobiliare = mobiliare.franchigia.min(gross.euro()).line();
    let immobiliare = patrimonio::immobiliare(nucleo, &figli, rules, regime);
    let gross_estate = immobiliare.lordo.line();
    let detrazione_immobiliare = (immobiliare.lordo - immobiliare.netto()).line();
    let isp = (gross - detrazione_mobiliare) + (gross_estate - detrazione_immobiliare);

    let ise = (isr.euro() + rules.law.isp_quota * isp.euro()).line();
    let scala = nucleo.scala.clone().unwrap_or_else(|| scala::scala(nucleo, &figli, presented, rules, regime));
    let value = scala.valore();
    let isee = ise.euro().over(value).ok_or(NotComputable::Overflow)?.line();

    let modalita = ModalitaCalcolo {
        somma_redditi_componenti: somma.printed(),
        somma_redditi_componenti_corrente: corrente.map(Line::printed),
        reddito_figurativo_patrimonio_mobiliare: figurativo.printed(),
        detrazioni: detrazioni.printed(),
        isr: isr.printed(),
        patrimonio_mobiliare: gross.printed(),
        detrazione_patrimonio_mobiliare: detrazione_mobiliare.printed(),
        patrimonio_immobiliare: gross_estate.printed(),
        detrazione_patrimonio_immobiliare: detrazione_immobiliare.printed(),
        isp: isp.printed(),
        ise: ise.printed(),
        parametro_nucleo: scala.parametro.printed(),
        maggiorazioni: scala.maggiorazioni().printed(),
        scala_equivalenza: value.printed(),
    };
    Ok(Calcolo { ise, modalita, isee, redditi, detrazioni: voci, mobiliare, immobiliare, scala })
}

impl Calcolo {
    /// The five values of an indicator.
    pub fn valori(&self) -> Valori {
        let m = &self.modalita;
        Valori { ise: m.ise, scala_equivalenza: m.scala_equivalenza, isee: self.isee.printed(), isr: m.isr, isp: m.isp }
    }
}

impl Calcolo {
    /// Every line by the name that ModalitaCalcolo has for it, and the ISEE; euros with two decimals.
    pub fn righe(&self) -> Vec<(&'static str, Importo)> {
        let m = &self.modalita;
        let mut righe = vec![("SommaRedditiComponenti", m.somma_redditi_componenti)];
        righe.extend(m.somma_redditi_componenti_corrente.map(|corrente| ("SommaRedditiComponentiCorrente", corrente)));
        righe.extend([
            ("RedditoFigurativoPatrimonioMobiliare", m.reddito_figurativo_patrimonio_mobiliare),
            ("Detrazioni", m.detrazioni),
            ("ISR", m.isr),
            ("PatrimonioMobiliare", m.patrimonio_mobiliare),
            ("DetrazionePatrimonioMobiliare", m.detrazione_patrimonio_mobiliare),
            ("PatrimonioImmobiliare", m.patrimonio_immobiliare),
            ("DetrazionePatrimonioImmobiliare", m.detrazione_patrimonio_immobiliare),
            ("ISP", m.isp),
            ("ISE", m.ise),
            ("ParametroNucleo", m.parametro_nucleo),
            ("Maggiorazioni", m.maggiorazioni),
            ("ScalaEquivalenza", m.scala_equivalenza),
            ("ISEE", self.isee.printed()),
        ]);
        righe
    }
}

/// Children after the second.
fn after_second(children: u32) -> u32 {
    children.saturating_sub(2)
}

/// The year of the incomes of a DSU presented on `presented`: the second one before (art. 2 c. 6).
pub fn income_year(presented: Date) -> i16 {
    presented.year() - 2
}

impl<'a> Nucleo<'a> {
    /// The family of a DSU. A parent who does not live with it is not of it (role GNC).
    pub fn ordinario(dsu: &'a Dichiarazione, presented: Date, feed: &dyn Feed) -> Result<Self, NotComputable> {
        let modello = dsu.ordinario().ok_or(NotComputable::Incomplete)?;
        let nucleo = dsu.nucleo_familiare.as_ref().ok_or(NotComputable::Incomplete)?;
        let members = nucleo.componente_nucleo.iter().filter(|member| member.rapporto_con_dichiarante != Ruolo::Gnc);
        let persone: Vec<Persona<'_>> = members
            .map(|member| Persona::known(&member.foglio_componente_nucleo, member.rapporto_con_dichiarante, dsu, presented, feed))
            .collect();
        if persone.is_empty() {
            return Err(NotComputable::Incomplete);
        }
        Ok(Self { condizioni: Condizioni::of(dsu, modello, presented), ..Self::living_in(&modello.abitazione, persone) })
    }

    /// The restricted nucleus of a form: those of the family whom it names.
    pub fn ristretto(dsu: &'a Dichiarazione, modello: &'a ModelloBase, presented: Date, feed: &dyn Feed) -> Result<Self, NotComputable> {
        let named = modello.nucleo_ristretto.iter().flat_map(|nucleo| &nucleo.componente_nucleo_ristretto);
        let persone: Option<Vec<Persona<'_>>> = named
            .map(|member| {
                let foglio =
                    dsu.membri().map(|member| &member.foglio_componente_nucleo).find(|f| f.codice_fiscale == member.codice_fiscale)?;
                Some(Persona::known(foglio, member.relazione_con_beneficiario.ruolo(), dsu, presented, feed))
            })
            .collect();
        let persone = persone.filter(|persone| !persone.is_empty()).ok_or(NotComputable::Incomplete)?;
        Ok(Self { condizioni: Condizioni::of(dsu, modello, presented), ..Self::living_in(&modello.abitazione, persone) })
    }

    fn living_in(abitazione: &'a Abitazione, persone: Vec<Persona<'a>>) -> Self {
        Self { persone, condizioni: Condizioni::default(), abitazione: Some(abitazione), donazioni: &[], scala: None }
    }

    /// With a further member.
    #[must_use]
    pub fn with(mut self, persona: Persona<'a>) -> Self {
        self.persone.push(persona);
        self
    }

    /// Whether the home is rented, and the contract.
    fn canone(&self) -> Option<Euro> {
        let rented = self.abitazione.filter(|abitazione| abitazione.tipo_abitazione == TipoAbitazione::Locazione)?;
        rented.locazione.as_ref().map(|contratto| Euro::whole(Some(contratto.canone)))
    }
}

impl<'a> Persona<'a> {
    /// A person whose sheet stands in a DSU, member or not, with what is known of them and what changed.
    pub fn known(foglio: &'a FoglioComponente, ruolo: Ruolo, dsu: &'a Dichiarazione, presented: Date, feed: &dyn Feed) -> Self {
        let changes = dsu.isee_corrente.iter().flat_map(|corrente| &corrente.variazione);
        Self {
            foglio,
            ruolo,
            noto: feed.find(&foglio.codice_fiscale, income_year(presented)),
            corrente: changes.into_iter().find(|variazione| variazione.codice_fiscale == foglio.codice_fiscale),
            fc8: foglio.altri_redditi.as_ref().filter(|redditi| redditi.counts(dsu.operazione.tipo)),
            altrove: false,
        }
    }

    /// The same person, who lives elsewhere.
    #[must_use]
    pub fn from_elsewhere(self) -> Self {
        Self { altrove: true, ..self }
    }

    /// In residential care or in a registered community (All. 1 e).
    pub fn is_hosted(&self) -> bool {
        let residential = self.foglio.disabilita.as_ref().is_some_and(|disabilita| disabilita.flag_prest_residenziale);
        self.foglio.dati_componente.flag_convivenza_anagrafica || residential
    }

    /// How severe a disability is, where there is one.
    pub fn grado(&self) -> Option<GradoDisabilita> {
        self.foglio.disabilita.as_ref().map(|disabilita| disabilita.grado_disabilita)
    }

    /// Under eighteen on a day.
    pub fn is_minor(&self, on: Date) -> bool {
        age(self.foglio.dati_componente.anagrafica.data_nascita, on) < 18
    }

    /// The movable assets that count: those that changed, where they were declared.
    fn mobiliare(&self) -> Option<&'a PatrimonioMobiliare> {
        let changed = self.corrente.and_then(|variazione| variazione.patrimonio_mobiliare.as_ref());
        changed.or(self.foglio.patrimonio_mobiliare.as_ref())
    }

    /// Whether the movable assets that count are those that changed.
    fn has_new_movable(&self) -> bool {
        self.corrente.is_some_and(|variazione| variazione.patrimonio_mobiliare.is_some())
    }

    /// The real estate that counts: that which changed, where it was declared.
    fn immobiliare(&self) -> Option<&'a PatrimonioImmobiliare> {
        let changed = self.corrente.and_then(|variazione| variazione.patrimonio_immobiliare.as_ref());
        changed.or(self.foglio.patrimonio_immobiliare.as_ref())
    }
}

impl Condizioni {
    /// Of a form. A parent who does not live with the family and for whom no case of art. 7 c. 1 applies counts as one of its parents: where
    /// there is one, the other is not alone (All. 1 b).
    pub fn of(dsu: &Dichiarazione, modello: &ModelloBase, presented: Date) -> Self {
        let Some(declared) = &modello.condizioni_nucleo else { return Self::default() };
        let members = dsu.membri().filter(|member| !matches!(member.rapporto_con_dichiarante, Ruolo::D | Ruolo::C));
        let sheets = members.map(|member| &member.foglio_componente_nucleo);
        let minors = sheets.filter(|sheet| age(sheet.dati_componente.anagrafica.data_nascita, presented) < 18);
        let children: HashSet<_> = minors.map(|sheet| &sheet.codice_fiscale).collect();
        let attracted = || {
            let mut attracted = dsu.genitori_non_conviventi().filter(|parent| parent.flag_alcuna_condizione);
            attracted.any(|parent| parent.beneficiario.iter().any(|beneficiario| children.contains(&beneficiario.codice_fiscale)))
        };
        Self {
            figli: declared.numero_figli,
            conviventi: declared.numero_figli_conviventi,
            lavoro: declared.flag_lavoro_genitori,
            solo: declared.flag_unico_genitore && !attracted(),
        }
    }
}

/// The children of a nucleus: as declared, else as the roles say.
#[derive(Clone, Copy, Debug)]
struct Figli {
    tutti: u32,
    conviventi: u32,
}

impl Figli {
    fn of(nucleo: &Nucleo<'_>) -> Self {
        let with = |counts: fn(Ruolo) -> bool| {
            u32::try_from(nucleo.persone.iter().filter(|persona| counts(persona.ruolo)).count()).unwrap_or(u32::MAX)
        };
        Self {
            tutti: nucleo.condizioni.figli.unwrap_or_else(|| with(Ruolo::is_figlio)),
            conviventi: nucleo.condizioni.conviventi.unwrap_or_else(|| with(|ruolo| ruolo.is_figlio() && ruolo != Ruolo::Fnc)),
        }
    }
}
