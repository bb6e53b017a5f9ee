//! The facts of the entries of kinds `dsu`, `attestation` and `feed`, and of what the upkeep does.

use crate::ledger::leaf::facts;

facts! {
    /// `dsu`: token of the declaration's fingerprint.
    IMPRONTA = "impronta";
    /// `dsu`, `attestation`: the day of presentation; of a current ISEE, of its form.
    PRESENTATA = "presentata";
    /// `dsu`, `attestation`: the operation (N, A, I, S, C, R, X).
    OPERAZIONE = "operazione";
    /// `dsu`, `attestation`: the number of the version.
    VERSIONE = "versione";
    /// `dsu`, `attestation`: token of the first version's protocol.
    RADICE = "radice";
    /// `dsu`, `attestation` of a current ISEE: the same of the DSU under it.
    BASE = "base";
    /// `dsu`, `attestation`: token of the declarant.
    DICHIARANTE = "dichiarante";
    /// `attestation`: the ente that owns the DSU; `dsu` of a current ISEE: the ente that owns the DSU under
    /// it.
    DI = "di";
    /// `dsu`: it waits for an attestation.
    ATTENDE = "attende";
    /// `dsu`, `attestation`: sequence of what waited and does not any more.
    ATTENDEVA = "attendeva";
    /// `dsu`: it completes somebody else's DSU.
    ALTRUI = "altrui";
    /// `dsu`: the rules have changed, and nothing else.
    RICALCOLO = "ricalcolo";
    /// `dsu` of a cancellation: how many exchanges had used the cancelled DSU.
    UTILIZZI = "utilizzi";
    /// `dsu` of a cancellation: the first protocol's tokens under every year's key.
    ANNULLA = "annulla";
    /// `dsu` of the cancellation of a current ISEE: the same of the DSU under it.
    SOTTO = "sotto";
    /// `dsu` of a cancellation: the attestations that it takes out of the views.
    TOGLIE = "toglie";
    /// `dsu` of a lot: token of the fingerprint of the body that carried it.
    LOTTO = "lotto";
    /// `dsu` of a lot, and its exchange: how many DSU were received.
    ACCETTATE = "accettate";
    /// `dsu` of a lot, and its exchange: how many DSU were refused.
    RIFIUTATE = "rifiutate";
    /// `attestation`: the last day of validity.
    SCADENZA = "scadenza";
    /// `attestation`: the day of issue.
    RILASCIATA = "rilasciata";
    /// `attestation`: the rule set; `admin`: the result of applying the rules.
    REGOLE = "regole";
    /// `attestation`: digest of the rule set.
    REGOLE_IMPRONTA = "regole_impronta";
    /// `attestation`: version of the method of computation; 1 where it is not said.
    METODO = "metodo";
    /// `attestation`: sequence of the first version's entry, where this is a later one.
    ORIGINE = "origine";
    /// `feed`: for each token of a codice fiscale, the year of the record.
    RIGHE = "righe";
    /// `exchange`: tokens of the first protocols of the DSU whose data went out; none if nothing went out.
    /// Entries of before do not say it.
    DIVULGA = "divulga";
}
