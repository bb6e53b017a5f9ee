//! Messages of ConsultazioneISEE (`ConsultazioneISEE.xsd`).

use jiff::civil::Date;

use super::bind::{Base64, bind};
use crate::isee::CodiceFiscale;
use crate::isee::attestazione as payload;
use crate::isee::codes::{SiNo, StatoDomanda, TipoIndicatore, TipoIndicatoreSoglia};

/// Asks for one indicator of a person.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneIndicatore {
    /// May be absent: then the request is invalid, not the message.
    pub request: Option<RichiestaIndicatore>,
}

/// The indicator asked for, and its person.
#[derive(Clone, PartialEq)]
pub struct RichiestaIndicatore {
    /// The indicator asked for.
    pub tipo_indicatore: TipoIndicatore,
    /// The person, the day and the benefit.
    pub ricerca_cf: RicercaCf,
}

/// Asks for an attestation.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazione {
    /// May be absent: then the request is invalid, not the message.
    pub request: Option<RichiestaAttestazione>,
}

/// Asks for the attestation of a resident.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazioneResidenti {
    /// May be absent: then the request is invalid, not the message.
    pub request: Option<RichiestaAttestazione>,
}

/// Asks for a DSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazione {
    /// May be absent: then the request is invalid, not the message.
    pub request: Option<RichiestaAttestazione>,
}

/// Asks whether an indicator is under a threshold.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneSogliaIndicatore {
    /// The person and the threshold.
    pub request: RichiestaSoglia,
}

/// The person and the threshold.
#[derive(Clone, PartialEq)]
pub struct RichiestaSoglia {
    /// Codice fiscale of the person.
    pub codice_fiscale: CodiceFiscale,
    /// The threshold's code. The configuration defines it.
    pub codice_soglia: String,
    /// Whether the nucleus is wanted too.
    pub fornitura_nucleo: SiNo,
    /// The attestation must be valid on this day; today if absent.
    pub data_validita: Option<Date>,
}

/// A request for an attestation or a DSU.
#[derive(Clone, PartialEq)]
pub struct RichiestaAttestazione {
    /// The search key.
    pub chiave: Chiave,
}

/// The three search keys.
#[derive(Clone, PartialEq)]
pub enum Chiave {
    /// By codice fiscale.
    Cf(Box<RicercaCf>),
    /// By protocol of the DSU.
    ProtDsu(Box<RicercaProtDsu>),
    /// By the sender's protocol.
    ProtMittente(Box<RicercaProtMittente>),
}

/// A search by codice fiscale.
#[derive(Clone, PartialEq)]
pub struct RicercaCf {
    /// Codice fiscale of the person searched for.
    pub codice_fiscale: CodiceFiscale,
    /// The attestation must be valid on this day; today if absent.
    pub data_validita: Option<Date>,
    /// Code of the benefit.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A search by protocol of the DSU.
#[derive(Clone, PartialEq)]
pub struct RicercaProtDsu {
    /// The protocol; any text may come.
    pub protocollo_dsu: String,
    /// A person of the nucleus.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Code of the benefit.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A search by the sender's protocol.
#[derive(Clone, PartialEq)]
pub struct RicercaProtMittente {
    /// The protocol; any text may come.
    pub protocollo_mittente: String,
    /// A person of the nucleus.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Code of the benefit.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// The reply to ConsultazioneIndicatore, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneIndicatoreResponse {
    /// Always present in our replies.
    pub result: Option<EsitoIndicatore>,
}

/// The outcome, and after an OK the payload.
#[derive(Clone, PartialEq)]
pub struct EsitoIndicatore {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The `<Indicatore>` document, after an OK.
    pub xml: Option<Base64>,
}

/// The reply to ConsultazioneAttestazione, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazioneResponse {
    /// Always present in our replies.
    pub result: Option<EsitoAttestazione>,
}

/// The outcome, and after an OK the payload.
#[derive(Clone, PartialEq)]
pub struct EsitoAttestazione {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The `<EsitoAttestazione>` document, after an OK.
    pub xml: Option<Base64>,
}

/// The reply to ConsultazioneAttestazioneResidenti, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneAttestazioneResidentiResponse {
    /// Always present in our replies.
    pub result: Option<EsitoAttestazione>,
}

/// The reply to ConsultazioneDichiarazione, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneDichiarazioneResponse {
    /// Always present in our replies.
    pub result: Option<EsitoDichiarazione>,
}

/// The outcome, and after an OK the payload.
#[derive(Clone, PartialEq)]
pub struct EsitoDichiarazione {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The `<EsitoDichiarazione>` document, after an OK.
    pub xml: Option<Base64>,
}

/// The reply to ConsultazioneSogliaIndicatore, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneSogliaIndicatoreResponse {
    /// The outcome, and after an OK the answer.
    pub result: EsitoSogliaIndicatore,
}

/// The outcome, and after an OK the answer.
#[derive(Clone, PartialEq)]
pub struct EsitoSogliaIndicatore {
    /// Number of the request; 0 where it was not registered.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: EsitoSoglia,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The answer, after an OK.
    pub dati: Option<DatiIndicatore>,
}

/// Whether the indicator is under the threshold; never its value.
#[derive(Clone, PartialEq)]
pub struct DatiIndicatore {
    /// The indicator compared with the threshold.
    pub tipo_indicatore: TipoIndicatoreSoglia,
    /// Whether it is at most the threshold.
    pub sotto_soglia: SiNo,
    /// Protocol of the DSU.
    pub protocollo_dsu: String,
    /// The day of its presentation.
    pub data_presentazione: Date,
    /// Whether the attestation has omissions or differences.
    pub presenza_difformita: SiNo,
    /// The nucleus, if it was wanted.
    pub componente: Vec<Componente>,
}

/// A member of the nucleus.
#[derive(Clone, PartialEq)]
pub struct Componente {
    /// Codice fiscale of the member.
    pub codice_fiscale: CodiceFiscale,
    /// Surname.
    pub cognome: String,
    /// First name.
    pub nome: String,
}

super::bind::outcomes! {
    #[doc = "How a consultation went. RISCONTRO_NON_VALIDO is in the contract, documented nowhere, and never issued."]
    Esito {
        Ok = "OK",
        RichiestaInvalida = "RICHIESTA_INVALIDA",
        DatiNonTrovati = "DATI_NON_TROVATI",
        DatabaseOffline = "DATABASE_OFFLINE",
        ErroreInterno = "ERRORE_INTERNO",
        RiscontroNonValido = "RISCONTRO_NON_VALIDO",
    }
}

super::bind::outcomes! {
    #[doc = "How a question about a threshold, or one in the dialect of the porta di dominio, went."]
    EsitoSoglia {
        Ok = "OK",
        RichiestaInvalida = "RICHIESTA_INVALIDA",
        DatiNonTrovati = "DATI_NON_TROVATI",
        DatabaseOffline = "DATABASE_OFFLINE",
        ErroreInterno = "ERRORE_INTERNO",
    }
}

impl From<Esito> for EsitoSoglia {
    fn from(esito: Esito) -> Self {
        match esito {
            Esito::Ok => Self::Ok,
            Esito::RichiestaInvalida => Self::RichiestaInvalida,
            Esito::DatiNonTrovati => Self::DatiNonTrovati,
            Esito::DatabaseOffline => Self::DatabaseOffline,
            // The second is never issued.
            Esito::ErroreInterno | Esito::RiscontroNonValido => Self::ErroreInterno,
        }
    }
}

bind!(struct ConsultazioneIndicatore { > request "request" });
bind!(struct RichiestaIndicatore { > tipo_indicatore "TipoIndicatore", > ricerca_cf "RicercaCF" });
bind!(struct ConsultazioneAttestazione { > request "request" });
bind!(struct ConsultazioneAttestazioneResidenti { > request "request" });
bind!(struct ConsultazioneDichiarazione { > request "request" });
bind!(struct ConsultazioneSogliaIndicatore { > request "request" });
bind!(struct RichiestaSoglia {
    @ codice_fiscale "CodiceFiscale", @ codice_soglia "CodiceSoglia", @ fornitura_nucleo "FornituraNucleo", @ data_validita "DataValidita",
});
bind!(struct RichiestaAttestazione { | chiave "" });
bind!(enum Chiave { Cf "RicercaCF", ProtDsu "RicercaProtDSU", ProtMittente "RicercaProtMittente" });
bind!(struct RicercaCf {
    > codice_fiscale "CodiceFiscale", > data_validita "DataValidita", > prestazione_da_erogare "PrestazioneDaErogare",
    > protocollo_domanda_ente_erogatore "ProtocolloDomandaEnteErogatore", > statodomanda_prestazione "StatodomandaPrestazione",
});
bind!(struct RicercaProtDsu {
    > protocollo_dsu "ProtocolloDSU", > codice_fiscale_beneficiario "CodiceFiscaleBeneficiario", > prestazione_da_erogare "PrestazioneDaErogare",
    > protocollo_domanda_ente_erogatore "ProtocolloDomandaEnteErogatore", > statodomanda_prestazione "StatodomandaPrestazione",
});
bind!(struct RicercaProtMittente {
    > protocollo_mittente "ProtocolloMittente", > codice_fiscale_beneficiario "CodiceFiscaleBeneficiario", > prestazione_da_erogare "PrestazioneDaErogare",
    > protocollo_domanda_ente_erogatore "ProtocolloDomandaEnteErogatore", > statodomanda_prestazione "StatodomandaPrestazione",
});
bind!(struct ConsultazioneIndicatoreResponse { > result "ConsultazioneIndicatoreResult" });
bind!(struct EsitoIndicatore {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > xml "XmlEsitoIndicatore",
});
bind!(struct ConsultazioneAttestazioneResponse { > result "ConsultazioneAttestazioneResult" });
bind!(struct EsitoAttestazione {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > xml "XmlEsitoAttestazione",
});
bind!(struct ConsultazioneAttestazioneResidentiResponse { > result "ConsultazioneAttestazioneResidentiResult" });
bind!(struct ConsultazioneDichiarazioneResponse { > result "ConsultazioneDichiarazioneResult" });
bind!(struct EsitoDichiarazione {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > xml "XmlEsitoDichiarazione",
});
bind!(struct ConsultazioneSogliaIndicatoreResponse { > result "ConsultazioneSogliaIndicatoreResult" });
bind!(struct EsitoSogliaIndicatore {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > dati "DatiIndicatore",
});
bind!(struct DatiIndicatore {
    @ tipo_indicatore "TipoIndicatore", @ sotto_soglia "SottoSoglia", @ protocollo_dsu "ProtocolloDSU",
    @ data_presentazione "DataPresentazioneDSU", @ presenza_difformita "PresenzaDifformita", > componente "Componente",
});
bind!(struct Componente { @ codice_fiscale "CodiceFiscale", @ cognome "Cognome", @ nome "Nome" });

impl Chiave {
    /// The person of the search: the one searched for, or the beneficiary named with a protocol.
    pub fn codice_fiscale(&self) -> &CodiceFiscale {
        match self {
            Self::Cf(r) => &r.codice_fiscale,
            Self::ProtDsu(r) => &r.codice_fiscale_beneficiario,
            Self::ProtMittente(r) => &r.codice_fiscale_beneficiario,
        }
    }

    /// Code of the benefit asked for.
    pub fn prestazione(&self) -> Option<&str> {
        match self {
            Self::Cf(r) => r.prestazione_da_erogare.as_deref(),
            Self::ProtDsu(r) => r.prestazione_da_erogare.as_deref(),
            Self::ProtMittente(r) => r.prestazione_da_erogare.as_deref(),
        }
    }

    /// The ente's own number of the application.
    pub fn domanda(&self) -> Option<&str> {
        match self {
            Self::Cf(r) => r.protocollo_domanda_ente_erogatore.as_deref(),
            Self::ProtDsu(r) => r.protocollo_domanda_ente_erogatore.as_deref(),
            Self::ProtMittente(r) => r.protocollo_domanda_ente_erogatore.as_deref(),
        }
    }

    /// The search as echoed in the payload: as attributes, with the values sent.
    pub fn echo(&self) -> payload::Chiave {
        match self {
            Self::Cf(r) => payload::Chiave::Cf(Box::new(r.echo())),
            Self::ProtDsu(r) => payload::Chiave::ProtDsu(Box::new(payload::RicercaProtDsu {
                protocollo_dsu: r.protocollo_dsu.clone(),
                codice_fiscale_beneficiario: Some(r.codice_fiscale_beneficiario.clone()),
                prestazione_da_erogare: r.prestazione_da_erogare.clone(),
                protocollo_domanda_ente_erogatore: r.protocollo_domanda_ente_erogatore.clone(),
                statodomanda_prestazione: r.statodomanda_prestazione,
            })),
            Self::ProtMittente(r) => payload::Chiave::ProtMittente(Box::new(payload::RicercaProtMittente {
                protocollo_mittente: r.protocollo_mittente.clone(),
                codice_fiscale_beneficiario: Some(r.codice_fiscale_beneficiario.clone()),
                prestazione_da_erogare: r.prestazione_da_erogare.clone(),
                protocollo_domanda_ente_erogatore: r.protocollo_domanda_ente_erogatore.clone(),
                statodomanda_prestazione: r.statodomanda_prestazione,
            })),
        }
    }
}

impl RicercaCf {
    /// The search as echoed in the payload.
    pub fn echo(&self) -> payload::RicercaCf {
        payload::RicercaCf {
            codice_fiscale: self.codice_fiscale.clone(),
            data_validita: self.data_validita,
            prestazione_da_erogare: self.prestazione_da_erogare.clone(),
            protocollo_domanda_ente_erogatore: self.protocollo_domanda_ente_erogatore.clone(),
            statodomanda_prestazione: self.statodomanda_prestazione,
        }
    }
}
