//! The facts of the entries of kind `registry`, and of administrative acts.

use crate::ledger::leaf::facts;

facts! {
    /// `registry`: the ente after a change.
    ENTE = "ente";
    /// `registry`: keys of certificates added to the ente.
    TAKEN = "taken";
    /// `registry`: keys of certificates removed from the ente.
    FREED = "freed";
    /// Every act: its actor.
    ACTOR = "actor";
    /// A look-up: the opened entry.
    VOCE = "voce";
    /// A look-up of a history: the ente's code.
    DELL_ENTE = "dell_ente";
}
