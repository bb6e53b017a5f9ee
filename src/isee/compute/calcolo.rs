//! One indicator of a nucleus, line by line.

use super::super::codes::Importo;
use super::super::dsu::Dichiarazione;
use super::super::feed::Feed;
use super::super::money::{Euro, Line};
use super::super::rules::RuleSet;
use super::super::valori::{ModalitaCalcolo, Valori};
use super::nucleo::{Figli, NotComputable, NucleoDaCalcolare, Regime};
use super::patrimonio::{Immobiliare, Mobiliare};
use super::redditi::RedditoComponente;
use super::scala::Scala;
use super::voce::{Voce, sum};
use super::{equivalenza, patrimonio, redditi};
use jiff::civil::Date;

/// An indicator with every line, and the items of each line.
#[derive(Clone, PartialEq)]
pub struct Calcolo {
    /// The lines of ModalitaCalcolo, rounded.
    pub modalita: ModalitaCalcolo,
    /// ISR plus the law's share of ISP (`isp_quota`), at the cent.
    pub ise: Line,
    /// ISE divided by the scale, at the cent.
    pub isee: Line,
    /// One for each member, in the order of the DSU.
    pub redditi: Vec<RedditoComponente>,
    /// Items deducted from the income of the nucleus (art. 4 c. 4), before their limit to the incomes.
    pub detrazioni: Vec<Voce>,
    /// Movable assets, with their franchise (art. 5 c. 4 to 6).
    pub mobiliare: Mobiliare,
    /// Real estate, item by item (art. 5 c. 2 and 3).
    pub immobiliare: Immobiliare,
    /// The scale of equivalence: the divisor of the ISE.
    pub scala: Scala,
}

/// Computes the ordinary indicator of a DSU presented on `presented`.
pub fn ordinario(
    dsu: &Dichiarazione,
    presented: Date,
    rules: &RuleSet,
    feed: &dyn Feed,
) -> Result<Calcolo, NotComputable> {
    let nucleo = NucleoDaCalcolare::ordinario(dsu, presented, feed)?;
    calcola(&nucleo, presented, rules, Regime::Ordinario)
}

/// Computes one indicator of a nucleus.
pub fn calcola(
    nucleo: &NucleoDaCalcolare<'_>,
    presented: Date,
    rules: &RuleSet,
    regime: Regime,
) -> Result<Calcolo, NotComputable> {
    let figli = Figli::of(nucleo);
    let persone = nucleo.persone.iter();
    let redditi: Vec<RedditoComponente> = persone.map(|persona| redditi::reddito(persona, rules)).collect();
    let somma = redditi.iter().map(RedditoComponente::netto).sum::<Euro>().line();
    let changed = redditi.iter().any(|reddito| reddito.corrente.is_some());
    let current = redditi.iter().map(RedditoComponente::netto_corrente);
    let corrente = changed.then(|| current.sum::<Euro>().line());

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
    let scala = nucleo
        .scala
        .clone()
        .unwrap_or_else(|| equivalenza::scala(nucleo, &figli, presented, rules, regime));
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
    Ok(Calcolo {
        ise,
        modalita,
        isee,
        redditi,
        detrazioni: voci,
        mobiliare,
        immobiliare,
        scala,
    })
}

impl Calcolo {
    /// The five values of an indicator.
    pub fn valori(&self) -> Valori {
        let m = &self.modalita;
        Valori {
            ise: m.ise,
            scala_equivalenza: m.scala_equivalenza,
            isee: self.isee.printed(),
            isr: m.isr,
            isp: m.isp,
        }
    }
}

impl Calcolo {
    /// Every line under its name in ModalitaCalcolo, and the ISEE; euros with two decimals.
    pub fn righe(&self) -> Vec<(&'static str, Importo)> {
        let m = &self.modalita;
        let mut righe = vec![("SommaRedditiComponenti", m.somma_redditi_componenti)];
        righe.extend(
            m.somma_redditi_componenti_corrente
                .map(|corrente| ("SommaRedditiComponentiCorrente", corrente)),
        );
        righe.extend([
            (
                "RedditoFigurativoPatrimonioMobiliare",
                m.reddito_figurativo_patrimonio_mobiliare,
            ),
            ("Detrazioni", m.detrazioni),
            ("ISR", m.isr),
            ("PatrimonioMobiliare", m.patrimonio_mobiliare),
            ("DetrazionePatrimonioMobiliare", m.detrazione_patrimonio_mobiliare),
            ("PatrimonioImmobiliare", m.patrimonio_immobiliare),
            (
                "DetrazionePatrimonioImmobiliare",
                m.detrazione_patrimonio_immobiliare,
            ),
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
