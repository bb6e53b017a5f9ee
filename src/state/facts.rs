//! The facts of the entries of kind `system` that the views read.

use crate::ledger::leaf::facts;

facts! {
    /// How many keys the keyring had.
    CHIAVI = "chiavi";
    /// A reservation of numbers: the series, and up to where.
    RISERVA = "riserva";
}
