//! Messages of the dialect of the porta di dominio (`PdD_*.xsd`): three operations, each in a namespace of
//! its own. They ask the same as the consultation service and get the same payloads. The roots of the replies
//! are Varco's own, since INPS publishes none.

use super::bind::{Base64, Giorno, bind};
use super::consultazione::{self, Chiave, EsitoSoglia};
use crate::isee::CodiceFiscale;
use crate::isee::codes::StatoDomanda;
use crate::soap::Identity;

/// The sender: its ente, its office, its operator.
#[derive(Clone, PartialEq)]
pub struct SicurezzaIdentificazioneMittente {
    /// Code of the ente: must be one of the caller's codes.
    pub codice_ente: String,
    /// Code of the office. A blank one counts as absent.
    pub codice_ufficio: String,
    /// Codice fiscale of the operator: recorded, sealed.
    pub cf_operatore: String,
}

/// Asks for an attestation.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazione {
    /// The sender of the request.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// The attestation asked for.
    pub request: RichiestaAttestazione,
}

/// The content of a request for an attestation.
#[derive(Clone, PartialEq)]
pub struct RichiestaAttestazione {
    /// The search for the attestation.
    pub attestazione: Ricerca,
}

/// Asks for a DSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazione {
    /// The sender of the request.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// The DSU asked for.
    pub request: RichiestaDichiarazione,
}

/// The content of a request for a DSU.
#[derive(Clone, PartialEq)]
pub struct RichiestaDichiarazione {
    /// The search for the DSU.
    pub dichiarazione: Ricerca,
}

/// A search, by the dialect's only key.
#[derive(Clone, PartialEq)]
pub struct Ricerca {
    /// By codice fiscale: the only key of this dialect.
    pub ricerca_cf: RicercaCf,
}

/// A search by codice fiscale.
#[derive(Clone, PartialEq)]
pub struct RicercaCf {
    /// Codice fiscale of the person searched for.
    pub codice_fiscale: CodiceFiscale,
    /// The attestation must be valid on this day; today if absent.
    pub data_validita: Option<Giorno>,
    /// Code of the benefit.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// Asks whether a declarant has a DSU of the named protocol.
#[derive(Clone, PartialEq)]
pub struct VerificaEsistenzaProtocollo {
    /// The sender of the request.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// The protocol and its declarant.
    pub request: RichiestaProtocollo,
}

/// The protocol asked about, and its declarant.
#[derive(Clone, PartialEq)]
pub struct RichiestaProtocollo {
    /// Codice fiscale of the declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// The protocol; any text may come.
    pub protocollo_dsu: String,
}

/// The reply to ConsultazioneAttestazione.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazioneRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: EsitoSoglia,
    /// The reason in Italian, unless the outcome is OK.
    pub desc_errore: Option<String>,
    /// The `<EsitoAttestazione>` document, after an OK.
    pub xml: Option<Base64>,
}

/// The reply to ConsultazioneDichiarazione.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazioneRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: EsitoSoglia,
    /// The reason in Italian, unless the outcome is OK.
    pub desc_errore: Option<String>,
    /// The `<EsitoDichiarazione>` document, after an OK.
    pub xml: Option<Base64>,
}

/// The reply to VerificaEsistenzaProtocollo: OK or DATI_NON_TROVATI; after a failure of ours ERRORE_INTERNO.
#[derive(Clone, PartialEq)]
pub struct VerificaEsistenzaProtocolloRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: EsitoSoglia,
    /// The reason in Italian, unless the outcome is OK.
    pub desc_errore: Option<String>,
    /// The `<EsitoEsistenzaProtocollo>` document, after an OK. Clients read it without checking its presence.
    pub xml: Option<Base64>,
}

/// An existing protocol and its declarant, as in the request.
#[derive(Clone, PartialEq)]
pub struct EsitoEsistenzaProtocollo {
    /// The existing protocol of the DSU.
    pub protocollo_dsu: String,
    /// The declarant of the DSU.
    pub codice_fiscale_dichiarante: CodiceFiscale,
}

bind!(struct SicurezzaIdentificazioneMittente { > codice_ente "CodiceEnte", > codice_ufficio "CodiceUfficio", > cf_operatore "CFOperatore" });
bind!(struct ConsultazioneAttestazione { > mittente "SicurezzaIdentificazioneMittente", > request "request" });
bind!(struct RichiestaAttestazione { > attestazione "Attestazione" });
bind!(struct ConsultazioneDichiarazione { > mittente "SicurezzaIdentificazioneMittente", > request "request" });
bind!(struct RichiestaDichiarazione { > dichiarazione "Dichiarazione" });
bind!(struct Ricerca { > ricerca_cf "RicercaCF" });
bind!(struct RicercaCf {
    > codice_fiscale "CodiceFiscale", > data_validita "DataValidita", > prestazione_da_erogare "PrestazioneDaErogare",
    > protocollo_domanda_ente_erogatore "ProtocolloDomandaEnteErogatore", > statodomanda_prestazione "StatodomandaPrestazione",
});
bind!(struct VerificaEsistenzaProtocollo { > mittente "SicurezzaIdentificazioneMittente", > request "request" });
bind!(struct RichiestaProtocollo { > codice_fiscale_dichiarante "CodiceFiscaleDichiarante", > protocollo_dsu "ProtocolloDsu" });
bind!(struct ConsultazioneAttestazioneRisposta {
    > id_richiesta "IdRichiesta", > esito "Esito", > desc_errore "DescErrore", > xml "XmlEsitoAttestazione",
});
bind!(struct ConsultazioneDichiarazioneRisposta {
    > id_richiesta "IdRichiesta", > esito "Esito", > desc_errore "DescErrore", > xml "XmlEsitoDichiarazione",
});
bind!(struct VerificaEsistenzaProtocolloRisposta {
    > id_richiesta "IdRichiesta", > esito "Esito", > desc_errore "DescErrore", > xml "XmlEsitoEsistenzaProtocollo",
});
bind!(struct EsitoEsistenzaProtocollo { @ protocollo_dsu "ProtocolloDSU", @ codice_fiscale_dichiarante "CodiceFiscaleDichiarante" });

impl SicurezzaIdentificazioneMittente {
    /// The content of the other dialect's Identity header. An empty CodiceEnte stays, as the code of no ente:
    /// here a code is required.
    pub fn identity(&self) -> Identity {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let ente = Some(self.codice_ente.trim().to_owned());
        Identity {
            user: text(&self.cf_operatore),
            office: text(&self.codice_ufficio),
            ente,
            contradicts: false,
        }
    }
}

impl Ricerca {
    /// The same search in the other dialect.
    pub fn chiave(&self) -> Chiave {
        let search = &self.ricerca_cf;
        Chiave::Cf(Box::new(consultazione::RicercaCf {
            codice_fiscale: search.codice_fiscale.clone(),
            data_validita: search.data_validita.map(|Giorno(day)| day),
            prestazione_da_erogare: search.prestazione_da_erogare.clone(),
            protocollo_domanda_ente_erogatore: search.protocollo_domanda_ente_erogatore.clone(),
            statodomanda_prestazione: search.statodomanda_prestazione,
        }))
    }
}
