//! Messages of the dialect of the porta di dominio (`PdD_*.xsd`): three operations, each in a namespace of
//! its own. They ask the same as the consultation service, and are answered with the same payloads; the roots
//! of the replies are Varco's own, since INPS publishes none.

use super::bind::{Base64, Giorno, bind};
use super::consultazione::{self, Chiave, EsitoSoglia};
use crate::isee::CodiceFiscale;
use crate::isee::codes::StatoDomanda;
use crate::soap::Identity;

/// Who asks.
#[derive(Clone, PartialEq)]
pub struct SicurezzaIdentificazioneMittente {
    /// The body: must be one of the caller's codes.
    pub codice_ente: String,
    /// The office.
    pub codice_ufficio: String,
    /// The operator: recorded, sealed.
    pub cf_operatore: String,
}

/// Asks for an attestation.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazione {
    /// Who asks.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// What.
    pub request: RichiestaAttestazione,
}

/// What.
#[derive(Clone, PartialEq)]
pub struct RichiestaAttestazione {
    /// Which attestation.
    pub attestazione: Ricerca,
}

/// Asks for a DSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazione {
    /// Who asks.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// What.
    pub request: RichiestaDichiarazione,
}

/// What.
#[derive(Clone, PartialEq)]
pub struct RichiestaDichiarazione {
    /// Which DSU.
    pub dichiarazione: Ricerca,
}

/// Whose.
#[derive(Clone, PartialEq)]
pub struct Ricerca {
    /// By codice fiscale: the only key of this dialect.
    pub ricerca_cf: RicercaCf,
}

/// A search by codice fiscale.
#[derive(Clone, PartialEq)]
pub struct RicercaCf {
    /// Of whom.
    pub codice_fiscale: CodiceFiscale,
    /// The day on which the attestation must be valid; today if absent.
    pub data_validita: Option<Giorno>,
    /// For which benefit.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// Asks whether a DSU of a declarant has that protocol.
#[derive(Clone, PartialEq)]
pub struct VerificaEsistenzaProtocollo {
    /// Who asks.
    pub mittente: SicurezzaIdentificazioneMittente,
    /// What.
    pub request: RichiestaProtocollo,
}

/// Which protocol.
#[derive(Clone, PartialEq)]
pub struct RichiestaProtocollo {
    /// The declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// The protocol; any text may come.
    pub protocollo_dsu: String,
}

/// Answers ConsultazioneAttestazione.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazioneRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: EsitoSoglia,
    /// Why, in Italian, where it did not go well.
    pub desc_errore: Option<String>,
    /// `<EsitoAttestazione>`.
    pub xml: Option<Base64>,
}

/// Answers ConsultazioneDichiarazione.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazioneRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: EsitoSoglia,
    /// Why, in Italian, where it did not go well.
    pub desc_errore: Option<String>,
    /// `<EsitoDichiarazione>`.
    pub xml: Option<Base64>,
}

/// Answers VerificaEsistenzaProtocollo: OK, or DATI_NON_TROVATI.
#[derive(Clone, PartialEq)]
pub struct VerificaEsistenzaProtocolloRisposta {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: EsitoSoglia,
    /// Why, in Italian, where it did not go well.
    pub desc_errore: Option<String>,
    /// `<EsitoEsistenzaProtocollo>`, after an OK: clients read it without looking whether it is there.
    pub xml: Option<Base64>,
}

/// A protocol that exists, and its declarant, as they were asked for.
#[derive(Clone, PartialEq)]
pub struct EsitoEsistenzaProtocollo {
    /// The protocol.
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
    /// The same that the Identity header says in the other dialect. A CodiceEnte that says nothing is one
    /// that is nobody's: here it must be there.
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
