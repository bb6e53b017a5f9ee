//! Components from outside the nucleus: All. 2.
//!
//! A person outside is looked at alone: own incomes and assets, and the scale of the nucleus they live in.
//! This nucleus is known in numbers, or from a DSU of theirs.

use jiff::civil::Date;

use super::super::codes::Ruolo;
use super::super::codice_fiscale::CodiceFiscale;
use super::super::dsu::{
    ComponenteAggiuntiva, DettaglioFiglio, DettaglioGenitoreNonConvivente, Dichiarazione,
};
use super::super::feed::Feed;
use super::super::foglio::FoglioComponente;
use super::super::money::{Euro, Line, Ratio};
use super::super::rules::RuleSet;
use super::calcolo::{Calcolo, calcola};
use super::equivalenza::scala_di;
use super::nucleo::{Condizioni, Figli, NucleoDaCalcolare, Persona, Regime};

/// A DSU named in another one by its protocol.
pub struct Riferita {
    /// The declaration, as it counts now.
    pub dsu: Dichiarazione,
    /// The protocol named in the other DSU.
    pub protocollo: String,
    /// Day of its presentation.
    pub presentata: Date,
    /// Last day of its validity.
    pub scadenza: Date,
}

impl std::fmt::Debug for Riferita {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Riferita")
            .field("presentata", &self.presentata)
            .finish_non_exhaustive()
    }
}

/// The source of the DSU named in another one.
pub trait Altre {
    /// The DSU of a protocol; None for an unknown protocol or a cancelled DSU.
    fn dsu(&self, protocollo: &str) -> Option<&Riferita>;
}

/// No other DSU: every protocol is unknown.
#[derive(Clone, Copy, Debug)]
pub struct NessunAltra;

impl Altre for NessunAltra {
    fn dsu(&self, _: &str) -> Option<&Riferita> {
        None
    }
}

impl Altre for Vec<Riferita> {
    fn dsu(&self, protocollo: &str) -> Option<&Riferita> {
        self.iter().find(|riferita| riferita.protocollo == protocollo)
    }
}

/// A person outside the nucleus, and where their data are.
#[derive(Clone)]
pub struct Esterno<'a> {
    /// Sheet of the person outside.
    pub foglio: &'a FoglioComponente,
    /// The DSU with this sheet.
    pub dsu: &'a Dichiarazione,
    /// The same DSU, if it is another than the computed one.
    pub riferita: Option<&'a Riferita>,
    /// The person's home and nucleus in numbers, if this DSU declares them.
    pub numeri: Option<&'a ComponenteAggiuntiva>,
}

/// A person outside, with the component they add.
#[derive(Clone, PartialEq)]
pub struct ComponenteCalcolata {
    /// Codice fiscale of the person outside.
    pub codice_fiscale: CodiceFiscale,
    /// Surname, from the person's sheet.
    pub cognome: String,
    /// First name, from the person's sheet.
    pub nome: String,
    /// Protocol of the DSU with the person's data; None if it is the computed one.
    pub protocollo: Option<String>,
    /// Sender's protocol of the same DSU.
    pub protocollo_mittente: Option<String>,
    /// The indicator of the person alone; None if the person joins the nucleus.
    pub calcolo: Option<Calcolo>,
    /// The amount added to the ISEE; None if the person joins the nucleus.
    pub valore: Option<Line>,
}

impl<'a> Esterno<'a> {
    /// A parent's data; None if they are not complete.
    pub fn genitore(dettaglio: &'a DettaglioGenitoreNonConvivente, dsu: &'a Dichiarazione) -> Option<Self> {
        Self::complete(
            dsu,
            dettaglio.foglio_componente_genitore.as_ref(),
            &dettaglio.componente_aggiuntiva_genitore,
        )
    }

    /// A child's data; None if they are not complete.
    pub fn figlio(dettaglio: &'a DettaglioFiglio, dsu: &'a Dichiarazione) -> Option<Self> {
        Self::complete(
            dsu,
            dettaglio.foglio_componente_figlio.as_ref(),
            &dettaglio.componente_aggiuntiva_figlio,
        )
    }

    fn complete(
        dsu: &'a Dichiarazione,
        foglio: Option<&'a FoglioComponente>,
        numeri: &'a ComponenteAggiuntiva,
    ) -> Option<Self> {
        let foglio = foglio.filter(|_| numeri.flag_completezza_dati)?;
        Some(Self {
            foglio,
            dsu,
            riferita: None,
            numeri: Some(numeri),
        })
    }

    /// A person's data in a DSU of their own, valid on a day; None without such a DSU.
    pub fn referred(
        codice: &CodiceFiscale,
        protocollo: &str,
        on: Date,
        altre: &'a dyn Altre,
    ) -> Option<Self> {
        let riferita = altre
            .dsu(protocollo)
            .filter(|riferita| riferita.presentata <= on && on <= riferita.scadenza)?;
        let foglio = riferita
            .dsu
            .fogli()
            .find(|foglio| foglio.codice_fiscale == *codice)?;
        Some(Self {
            foglio,
            dsu: &riferita.dsu,
            riferita: Some(riferita),
            numeri: None,
        })
    }

    /// The person, as a member of the nucleus they join.
    pub fn attratto(&self, presented: Date, feed: &dyn Feed) -> Persona<'a> {
        Persona::known(self.foglio, Ruolo::Gnc, self.dsu, presented, feed).from_elsewhere()
    }

    /// The indicator of the person alone, with the scale and the children of the nucleus they live in; None
    /// if this nucleus is not known.
    pub fn solo(&self, presented: Date, rules: &RuleSet, feed: &dyn Feed, regime: Regime) -> Option<Calcolo> {
        let persona = Persona::known(self.foglio, Ruolo::D, self.dsu, presented, feed);
        let nucleo = match (self.riferita, self.numeri) {
            (Some(riferita), _) => {
                let modello = riferita.dsu.ordinario()?;
                let family = NucleoDaCalcolare::ordinario(&riferita.dsu, presented, feed).ok()?;
                let figli = Figli::of(&family);
                let scala = calcola(&family, presented, rules, regime).ok()?.scala;
                NucleoDaCalcolare {
                    persone: vec![persona],
                    condizioni: Condizioni {
                        figli: Some(figli.tutti),
                        conviventi: Some(figli.conviventi),
                        ..family.condizioni
                    },
                    abitazione: Some(&modello.abitazione),
                    donazioni: &[],
                    scala: Some(scala),
                }
            }
            (None, Some(numeri)) => {
                let numbers = numeri
                    .nucleo_familiare_componente_aggiuntiva
                    .as_ref()
                    .filter(|numbers| numbers.numero_componenti > 0)?;
                NucleoDaCalcolare {
                    persone: vec![persona],
                    condizioni: Condizioni {
                        figli: numbers.numero_figli,
                        conviventi: numbers.numero_figli_conviventi,
                        ..Condizioni::default()
                    },
                    abitazione: numeri.abitazione_componente_aggiuntiva.as_ref(),
                    donazioni: &[],
                    scala: Some(scala_di(numbers, rules, regime)),
                }
            }
            (None, None) => return None,
        };
        calcola(&nucleo, presented, rules, regime).ok()
    }

    /// The nucleus of a person living alone. None for a person living with others: the others are not known.
    pub fn nucleo_di_uno(&self, presented: Date, feed: &dyn Feed) -> Option<NucleoDaCalcolare<'a>> {
        let numeri = self.numeri?;
        numeri
            .nucleo_familiare_componente_aggiuntiva
            .as_ref()
            .filter(|numbers| numbers.numero_componenti == 1)?;
        Some(NucleoDaCalcolare {
            persone: vec![Persona::known(self.foglio, Ruolo::D, self.dsu, presented, feed)],
            condizioni: Condizioni::default(),
            abitazione: numeri.abitazione_componente_aggiuntiva.as_ref(),
            donazioni: &[],
            scala: None,
        })
    }

    /// Whether the person, or a member of their nucleus, has a disability.
    pub fn has_disability(&self) -> bool {
        let numbers = self
            .numeri
            .and_then(|numeri| numeri.nucleo_familiare_componente_aggiuntiva.as_ref());
        let in_numbers = numbers.is_some_and(|n| {
            n.flag_disabilita_media || n.flag_disabilita_grave || n.flag_non_autosufficienti
        });
        let in_dsu = self.riferita.is_some_and(|riferita| {
            riferita
                .dsu
                .membri()
                .any(|member| member.foglio_componente_nucleo.disabilita.is_some())
        });
        self.foglio.disabilita.is_some() || in_numbers || in_dsu
    }

    /// The person as a component of the attestation.
    pub fn componente(&self, calcolo: Option<Calcolo>, valore: Option<Line>) -> ComponenteCalcolata {
        let anagrafica = &self.foglio.dati_componente.anagrafica;
        let signature = self
            .riferita
            .and_then(|riferita| riferita.dsu.sottoscrizione_del_dichiarante());
        ComponenteCalcolata {
            codice_fiscale: self.foglio.codice_fiscale.clone(),
            cognome: anagrafica.cognome.clone(),
            nome: anagrafica.nome.clone(),
            protocollo: self.riferita.map(|riferita| riferita.protocollo.clone()),
            protocollo_mittente: signature.map(|signature| signature.protocollo_mittente.clone()),
            calcolo,
            valore,
        }
    }
}

/// The share of a parent outside, larger with more than one child, and the name of its parameter.
pub fn quota_di_genitore(children: usize, rules: &RuleSet) -> (Ratio, &'static str) {
    match children > 1 {
        true => (
            rules.law.componente_genitore_quota_figli,
            "componente_genitore_quota_figli",
        ),
        false => (rules.law.componente_genitore_quota, "componente_genitore_quota"),
    }
}

/// All. 2 c. 2: of a parent outside, a share of the ISE divided by the scale. One division, the last step:
/// exactly half a cent must round up.
pub fn di_genitore(parent: &Calcolo, children: usize, rules: &RuleSet) -> Option<Line> {
    let (share, _) = quota_di_genitore(children, rules);
    (share * parent.ise.euro())
        .over(parent.scala.valore())
        .map(Euro::line)
}

/// All. 2 c. 1: of a child outside, a share of their ISEE above the franchise, divided by the beneficiary's
/// scale. One division too.
pub fn di_figlio(child: &Calcolo, beneficiary_scale: Ratio, rules: &RuleSet) -> Option<Line> {
    let scale = child.scala.valore();
    let above = (child.ise.euro() - scale * rules.law.componente_figlio_franchigia).positive();
    (rules.law.componente_figlio_quota * above)
        .over(scale * beneficiary_scale)
        .map(Euro::line)
}
