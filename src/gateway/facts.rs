//! The facts of an exchange that the gateway knows, and of its own entries.

use crate::ledger::leaf::facts;

facts! {
    /// `exchange`: the certificate was taken for unrevoked on a list that should have been replaced.
    CRL_SCADUTA = "crl_scaduta";
    /// `exchange`: the version of SOAP, where it is not 1.1.
    SOAP = "soap";
    /// `exchange`: the dialect, where it is not that of INPS's services.
    DIALETTO = "dialetto";
    /// `gathered`: the groups.
    GRUPPI = "gruppi";
    /// `admin`: the settings that were read again.
    IMPOSTAZIONI = "impostazioni";
    /// `system`: the event.
    EVENTO = "evento";
    /// `system`: what it found.
    DATI = "dati";
}
