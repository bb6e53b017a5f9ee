//! The facts of the entries of kind `registry`, and of administrative acts.

use crate::ledger::leaf::facts;

facts! {
    /// `registry`: the ente after a change.
    ENTE = "ente";
    /// `registry`: names of certificates that it takes.
    TAKEN = "taken";
    /// `registry`: names of certificates that it gives up.
    FREED = "freed";
    /// Every act: who acted.
    ACTOR = "actor";
    /// A look-up: the entry that was opened.
    VOCE = "voce";
    /// A look-up: the ente whose history was read.
    DELL_ENTE = "dell_ente";
}
