//! The facts in `system` entries read by the views.

use crate::ledger::leaf::facts;

facts! {
    /// The number of keys in the keyring.
    CHIAVI = "chiavi";
    /// A reservation of numbers: the series, and its last number.
    RISERVA = "riserva";
}
