//! The scale of equivalence: All. 1.

use super::super::money::Ratio;

/// The scale: the parameter for the number of members, and what is added to it.
#[derive(Clone, PartialEq)]
pub struct Scala {
    /// How many members the parameter is for.
    pub componenti: usize,
    /// The parameter.
    pub parametro: Ratio,
    /// The additions; none that is zero.
    pub voci: Vec<Maggiorazione>,
}

/// An addition to the scale.
#[derive(Clone, PartialEq)]
pub struct Maggiorazione {
    /// In Italian.
    pub nome: &'static str,
    /// How much.
    pub valore: Ratio,
    /// Article, comma, letter of DPCM 159/2013.
    pub norma: &'static str,
}

impl Scala {
    /// The sum of what is added.
    pub fn maggiorazioni(&self) -> Ratio {
        self.voci.iter().map(|voce| voce.valore).sum()
    }

    /// Parameter and additions.
    pub fn valore(&self) -> Ratio {
        self.parametro + self.maggiorazioni()
    }
}
