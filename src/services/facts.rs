//! Facts of an exchange known to services, and facts of a question to another system.

use crate::ledger::leaf::facts;

facts! {
    /// The benefit of a consultation.
    PRESTAZIONE = "prestazione";
    /// The benefit was not named, but meant.
    PRESTAZIONE_IMPLICITA = "prestazione_implicita";
    /// A consultation of the ente's own DSU.
    PROPRIA = "propria";
    /// The indicator asked for.
    INDICATORE = "indicatore";
    /// The threshold asked for.
    SOGLIA = "soglia";
    /// The transmission had been received before.
    RIPETUTA = "ripetuta";
    /// The number of violations of a DSU.
    VIOLAZIONI = "violazioni";
    /// The state of a DSU, as told to its sender.
    STATO = "stato";
    /// Failed attempts, by the declarant's token.
    TENTATIVI = "tentativi";
    /// `asked`: the system, as the configuration names it.
    VERSO = "verso";
    /// `asked`: the name of the question within the exchange.
    DOMANDA = "domanda";
    /// `exchange`, `interrupted`: sequences of the `asked` entries ended by it.
    CHIESTE = "chieste";
}
