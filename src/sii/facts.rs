//! The facts of the entries of kinds `dsu`, `attestation` and `feed`, and of the upkeep's entries.

use crate::ledger::leaf::facts;

facts! {
    /// `dsu`: token of the declaration's fingerprint.
    IMPRONTA = "impronta";
    /// `dsu`, `attestation`: the day of presentation; for a current ISEE, its form's.
    PRESENTATA = "presentata";
    /// `dsu`, `attestation`: the operation (N, A, I, S, C, R, X).
    OPERAZIONE = "operazione";
    /// `dsu`, `attestation`: the number of the version.
    VERSIONE = "versione";
    /// `dsu`, `attestation`: token of the first version's protocol.
    RADICE = "radice";
    /// `dsu`, `attestation` of a current ISEE: token of the first protocol of the DSU under it.
    BASE = "base";
    /// `dsu`, `attestation`: token of the declarant.
    DICHIARANTE = "dichiarante";
    /// `attestation`: the DSU's owner, an ente; `dsu` of a current ISEE: the owner of the DSU under it.
    DI = "di";
    /// `dsu`: it waits for an attestation.
    ATTENDE = "attende";
    /// `dsu`, `attestation`: sequence of a waiting declaration, no longer waiting after this entry.
    ATTENDEVA = "attendeva";
    /// `dsu`: it completes somebody else's DSU.
    ALTRUI = "altrui";
    /// `dsu`: a version made for changed rules alone.
    RICALCOLO = "ricalcolo";
    /// `dsu` of a cancellation: uses of the cancelled DSU, as a number of exchanges.
    UTILIZZI = "utilizzi";
    /// `dsu` of a cancellation: the first protocol's tokens under every year's key.
    ANNULLA = "annulla";
    /// `dsu` of the cancellation of a current ISEE: the first protocol's tokens of the DSU under it.
    SOTTO = "sotto";
    /// `dsu` of a cancellation: the attestations to be taken out of the views.
    TOGLIE = "toglie";
    /// `dsu` of a lot: token of the fingerprint of the request body with the lot.
    LOTTO = "lotto";
    /// `dsu` of a lot, and its exchange: number of received DSU.
    ACCETTATE = "accettate";
    /// `dsu` of a lot, and its exchange: number of refused DSU.
    RIFIUTATE = "rifiutate";
    /// `attestation`: the last day of validity.
    SCADENZA = "scadenza";
    /// `attestation`: the day of issue.
    RILASCIATA = "rilasciata";
    /// `attestation`: the rule set; `admin`: the result of applying the rules.
    REGOLE = "regole";
    /// `attestation`: digest of the rule set.
    REGOLE_IMPRONTA = "regole_impronta";
    /// `attestation`: version of the method of computation; 1 if absent.
    METODO = "metodo";
    /// `attestation` of a later version: sequence of the first version's entry.
    ORIGINE = "origine";
    /// `feed`: for each token of a codice fiscale, the year of the record.
    RIGHE = "righe";
    /// `exchange`: tokens of the first protocols of the DSU given away; empty if nothing went out. Older
    /// entries lack this fact.
    DIVULGA = "divulga";
}
