//! The scale of equivalence: All. 1.

use super::super::money::Ratio;

/// The scale: the parameter for the number of members, and the additions to it.
#[derive(Clone, PartialEq)]
pub struct Scala {
    /// Number of members counted in the parameter.
    pub componenti: usize,
    /// Value of the scale for this number, before the additions.
    pub parametro: Ratio,
    /// The additions; those of zero are left out.
    pub voci: Vec<Maggiorazione>,
}

/// An addition to the scale.
#[derive(Clone, PartialEq)]
pub struct Maggiorazione {
    /// Its name, in Italian.
    pub nome: &'static str,
    /// Amount added to the parameter.
    pub valore: Ratio,
    /// Article, comma, letter of DPCM 159/2013.
    pub norma: &'static str,
}

impl Scala {
    /// Sum of the additions.
    pub fn maggiorazioni(&self) -> Ratio {
        self.voci.iter().map(|voce| voce.valore).sum()
    }

    /// The scale itself: parameter plus additions.
    pub fn valore(&self) -> Ratio {
        self.parametro + self.maggiorazioni()
    }
}
