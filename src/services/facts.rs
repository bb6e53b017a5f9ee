//! The facts of an exchange that services know, and of a question for another system.

use crate::ledger::leaf::facts;

facts! {
    /// The benefit of a consultation.
    PRESTAZIONE = "prestazione";
    /// The benefit was not named, but meant.
    PRESTAZIONE_IMPLICITA = "prestazione_implicita";
    /// A consultation of the ente's own DSU.
    PROPRIA = "propria";
    /// The indicator that was asked for.
    INDICATORE = "indicatore";
    /// The threshold that was asked for.
    SOGLIA = "soglia";
    /// The transmission had been received before.
    RIPETUTA = "ripetuta";
    /// How many violations a DSU has.
    VIOLAZIONI = "violazioni";
    /// The state of a DSU, as its sender was told.
    STATO = "stato";
    /// Failed attempts, by the declarant's token.
    TENTATIVI = "tentativi";
    /// `asked`: the system, as the configuration names it.
    VERSO = "verso";
    /// `asked`: the name of the question within the exchange.
    DOMANDA = "domanda";
    /// `exchange`, `interrupted`: sequences of the `asked` entries that it ends.
    CHIESTE = "chieste";
}
