//! The requests of the demonstration, the tests and the bench.

use crate::contract::catalogue::Operation;
use crate::soap::{Version, envelope};

/// Declarant of the sample DSU. Invented, like everybody in it.
pub const GIULIA: &str = "FRRGLI84E52H501O";

/// The sample DSU with a protocol of the sender's and a day of presentation.
pub fn dsu(protocollo: &str, data: &str) -> String {
    include_str!("demo/dsu.xml")
        .replace("@PROTOCOLLO@", protocollo)
        .replace("@DATA@", data)
}

/// The request TrasmissioneDSU around a declaration, in SOAP 1.1.
pub fn trasmissione(dichiarazione: &str) -> String {
    envelope(
        Version::V11,
        &format!(
            "<TrasmissioneDSU xmlns=\"{}\">{}</TrasmissioneDSU>",
            Operation::TrasmissioneDsu.namespace(),
            dichiarazione.trim_end()
        ),
    )
}

/// Asks for the ordinary indicator of a person on a day, for a benefit.
pub fn indicatore(codice_fiscale: &str, data: &str, prestazione: &str) -> String {
    consultazione(
        Operation::ConsultazioneIndicatore,
        &format!(
            "<TipoIndicatore>Ordinario</TipoIndicatore>{}",
            ricerca(codice_fiscale, data, prestazione)
        ),
    )
}

/// Asks for the attestation of a person on a day, for a benefit.
pub fn attestazione(codice_fiscale: &str, data: &str, prestazione: &str) -> String {
    consultazione(
        Operation::ConsultazioneAttestazione,
        &ricerca(codice_fiscale, data, prestazione),
    )
}

/// A request of a consultation, with the content of `request`.
pub fn consultazione(operation: Operation, request: &str) -> String {
    let (root, namespace) = (operation.root(), operation.namespace());
    envelope(
        Version::V11,
        &format!("<{root} xmlns=\"{namespace}\"><request>{request}</request></{root}>"),
    )
}

fn ricerca(codice_fiscale: &str, data: &str, prestazione: &str) -> String {
    format!(
        "<RicercaCF><CodiceFiscale>{codice_fiscale}</CodiceFiscale><DataValidita>{data}</DataValidita><PrestazioneDaErogare>{prestazione}</PrestazioneDaErogare><ProtocolloDomandaEnteErogatore>DOM-1</ProtocolloDomandaEnteErogatore><StatodomandaPrestazione>Da Erogare</StatodomandaPrestazione></RicercaCF>"
    )
}
