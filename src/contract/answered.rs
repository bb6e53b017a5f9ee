//! The result of a consultation. The reply of every consultation is made of it.

use super::bind::Base64;
use super::consultazione as c;
use super::consultazione::{DatiIndicatore, Esito};
use super::pdd;

/// The result of a consultation.
pub struct Answered {
    /// The number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason of an outcome other than OK, for the client.
    pub descrizione_errore: Option<String>,
    /// The document. `None` without an OK, and for a threshold.
    pub xml: Option<Base64>,
    /// The answer about a threshold. `None` for other consultations.
    pub dati: Option<DatiIndicatore>,
}

/// Makes replies of INPS's consultation service: an element with the result inside.
macro_rules! results {
    ($($reply:ident { $result:ident };)+) => { $(
        impl From<Answered> for c::$reply {
            fn from(Answered { id_richiesta, esito, descrizione_errore, xml, .. }: Answered) -> Self {
                Self { result: Some(c::$result { id_richiesta, esito, descrizione_errore, xml }) }
            }
        }
    )+ };
}

/// Makes replies of the porta di dominio's dialect.
macro_rules! risposte {
    ($($reply:ident;)+) => { $(
        impl From<Answered> for pdd::$reply {
            fn from(Answered { id_richiesta, esito, descrizione_errore, xml, .. }: Answered) -> Self {
                Self { id_richiesta, esito: esito.into(), desc_errore: descrizione_errore, xml }
            }
        }
    )+ };
}

results! {
    ConsultazioneIndicatoreResponse { EsitoIndicatore };
    ConsultazioneAttestazioneResponse { EsitoAttestazione };
    ConsultazioneAttestazioneResidentiResponse { EsitoAttestazione };
    ConsultazioneDichiarazioneResponse { EsitoDichiarazione };
}

risposte! {
    ConsultazioneAttestazioneRisposta;
    ConsultazioneDichiarazioneRisposta;
    VerificaEsistenzaProtocolloRisposta;
}

impl From<Answered> for c::ConsultazioneSogliaIndicatoreResponse {
    fn from(
        Answered {
            id_richiesta,
            esito,
            descrizione_errore,
            dati,
            ..
        }: Answered,
    ) -> Self {
        Self {
            result: c::EsitoSogliaIndicatore {
                id_richiesta,
                esito: esito.into(),
                descrizione_errore,
                dati,
            },
        }
    }
}
