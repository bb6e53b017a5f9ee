//! Facts about an exchange, noted by the gateway, and facts of its own entries.

use crate::ledger::leaf::facts;

facts! {
    /// `exchange`: the certificate counted as unrevoked by an overdue list.
    CRL_SCADUTA = "crl_scaduta";
    /// `exchange`: the version of SOAP, if not 1.1.
    SOAP = "soap";
    /// `exchange`: the dialect, if not the one of INPS's services.
    DIALETTO = "dialetto";
    /// `gathered`: the groups, each with reason, certificate and number.
    GRUPPI = "gruppi";
    /// `admin`: the settings put in force by a reload.
    IMPOSTAZIONI = "impostazioni";
    /// `system`: the name of the event, such as `restore`.
    EVENTO = "evento";
    /// `system`: the data of the event.
    DATI = "dati";
}
