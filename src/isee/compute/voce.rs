//! An item of a computation.

use super::super::money::Euro;

/// One item: its name, its amount, its citation.
#[derive(Clone, PartialEq)]
pub struct Voce {
    /// Its name, in Italian.
    pub nome: &'static str,
    /// Amount in euros, unrounded.
    pub importo: Euro,
    /// Source of the amount; None if it is plain.
    pub fonte: Option<Fonte>,
    /// Article, comma, letter of DPCM 159/2013.
    pub norma: &'static str,
}

/// Source of a member's incomes, or of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fonte {
    /// Sheet FC8 of the DSU.
    Fc8,
    /// The feed of the Revenue Agency and INPS.
    Feed,
    /// The DSU itself; as a member's source, neither FC8 nor the feed is there.
    Dsu,
}

/// The sum of items.
pub fn sum(voci: &[Voce]) -> Euro {
    voci.iter().map(|voce| voce.importo).sum()
}
