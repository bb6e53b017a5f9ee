//! The facts in the entry of a new epoch.

use crate::ledger::leaf::facts;

facts! {
    /// The number of the new epoch.
    EPOCA = "epoca";
    /// The origin of its checkpoints.
    ORIGINE = "origine";
    /// The verification key of its checkpoints, as C2SP writes keys.
    CHIAVE_FIRMA = "chiave_firma";
    /// The last checkpoint known before: `origine`, `voci`, `radice`.
    PRECEDENTE = "precedente";
    /// Why it begins.
    PERCHE = "perche";
}
