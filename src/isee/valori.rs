//! The lines and the values of an indicator, as attestations print them.

use super::codes::Importo;

/// The values of an indicator; euros.
#[derive(Clone, PartialEq)]
pub struct Valori {
    /// Indicator of the economic situation, euros.
    pub ise: Importo,
    /// Value of the equivalence scale.
    pub scala_equivalenza: Importo,
    /// The ISE divided by the scale, additional components included, euros.
    pub isee: Importo,
    /// Indicator of income, euros.
    pub isr: Importo,
    /// Indicator of assets, euros.
    pub isp: Importo,
}

/// How an indicator was computed, line by line; euros.
#[derive(Clone, PartialEq)]
pub struct ModalitaCalcolo {
    /// Sum of the members' net incomes; may be negative.
    pub somma_redditi_componenti: Importo,
    /// The same sum with the current incomes.
    pub somma_redditi_componenti_corrente: Option<Importo>,
    /// Figurative income of the movable assets.
    pub reddito_figurativo_patrimonio_mobiliare: Importo,
    /// Deductions of the nucleus.
    pub detrazioni: Importo,
    /// Indicator of income, euros.
    pub isr: Importo,
    /// Gross movable assets (art. 5 c. 4).
    pub patrimonio_mobiliare: Importo,
    /// Deduction from the movable assets.
    pub detrazione_patrimonio_mobiliare: Importo,
    /// Gross real estate (art. 5 c. 2).
    pub patrimonio_immobiliare: Importo,
    /// Deduction from the real estate.
    pub detrazione_patrimonio_immobiliare: Importo,
    /// Indicator of assets, euros.
    pub isp: Importo,
    /// Indicator of the economic situation, euros.
    pub ise: Importo,
    /// Parameter for the number of members (DPCM 159/2013 All. 1).
    pub parametro_nucleo: Importo,
    /// Sum of the increases of the scale's parameter.
    pub maggiorazioni: Importo,
    /// Value of the equivalence scale.
    pub scala_equivalenza: Importo,
}
