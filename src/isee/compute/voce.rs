//! An item of a computation.

use super::super::money::Euro;

/// One item: what it is, how much, where it is written.
#[derive(Clone, PartialEq)]
pub struct Voce {
    /// In Italian.
    pub nome: &'static str,
    /// The amount.
    pub importo: Euro,
    /// Where it comes from, where that is not plain.
    pub fonte: Option<Fonte>,
    /// Article, comma, letter of DPCM 159/2013.
    pub norma: &'static str,
}

/// Where a member's incomes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fonte {
    /// Sheet FC8 of the DSU.
    Fc8,
    /// The feed of the Revenue Agency and INPS.
    Feed,
    /// What the DSU itself declares, nothing else being known.
    Dsu,
}

/// The sum of items.
pub fn sum(voci: &[Voce]) -> Euro {
    voci.iter().map(|voce| voce.importo).sum()
}
