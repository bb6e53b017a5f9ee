//! Messages of TrasmissioneDSU (`TrasmissioneDSU.xsd`) and the receipt (`Ricevuta.xsd`): Varco's own.

use jiff::Timestamp;
use jiff::civil::Date;

use super::bind::{Base64, bind};
use crate::isee::CodiceFiscale;
use crate::isee::codes::{Importo, StatoDsu, TipoOperazione};
use crate::isee::dsu::Dichiarazione;
use crate::isee::valori::{ModalitaCalcolo, Valori};

/// The request to transmit one DSU.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneDsu {
    /// The DSU, in either form.
    pub contenuto: Contenuto,
}

/// The two forms of a transmitted DSU.
#[derive(Clone, PartialEq)]
pub enum Contenuto {
    /// A `<Dichiarazione>` element in the message.
    Dichiarazione(Box<Dichiarazione>),
    /// As the bytes of a document: an attachment, with MTOM.
    Xml(Base64),
}

/// Asks for the fate of a DSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoDsu {
    /// The key of the DSU.
    pub chiave: ChiaveDsu,
}

/// The sender's two names for its DSU.
#[derive(Clone, PartialEq)]
pub enum ChiaveDsu {
    /// By the protocol assigned to it.
    ProtocolloDsu(String),
    /// By the sender's own protocol.
    ProtocolloMittente(String),
}

/// The reply to ConsultazioneEsitoDSU, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoDsuResponse {
    /// The outcome, and after an OK the fate of the DSU.
    pub result: EsitoConsultazioneDsu,
}

/// The outcome, and after an OK the fate of the DSU.
#[derive(Clone, PartialEq)]
pub struct EsitoConsultazioneDsu {
    /// Number of the request.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The fate of the DSU, after an OK.
    pub dsu: Option<EsitoDsu>,
}

/// The fate of a transmitted DSU.
#[derive(Clone, PartialEq)]
pub struct EsitoDsu {
    /// Its state: received, attested, replaced or cancelled.
    pub stato: StatoDsu,
    /// The protocol assigned to it.
    pub protocollo_dsu: String,
    /// The sender's own protocol.
    pub protocollo_mittente: String,
    /// When the first byte of the request arrived: the legal instant.
    pub istante_ricezione: Timestamp,
    /// SHA-256 of the Dichiarazione as received, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// The day of its presentation.
    pub data_presentazione: Date,
    /// The day of issue of the attestation.
    pub data_attestazione: Option<Date>,
    /// The last day of the attestation's validity.
    pub data_validita: Option<Date>,
    /// The protocol of the DSU or version counting in its place.
    pub protocollo_sostitutivo: Option<String>,
    /// The `<Ricevuta>` document.
    pub xml_ricevuta: Base64,
    /// Versions and current ISEE made on it by other enti. Only its own ente is told.
    pub completamento: Vec<Completamento>,
}

/// A version of a DSU, or a current ISEE on it, sent by another ente.
#[derive(Clone, PartialEq)]
pub struct Completamento {
    /// The protocol assigned to it.
    pub protocollo_dsu: String,
    /// The operation of its declaration.
    pub operazione: TipoOperazione,
    /// When the first byte of the request arrived.
    pub istante_ricezione: Timestamp,
    /// The sender's code in the registry.
    pub codice_ente: String,
    /// The sender's name in the registry.
    pub denominazione_ente: String,
}

/// Transmits many DSU. Only its shape: a lot is never one value in memory.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneLotto {
    /// The DSU, from 1 to 500.
    pub dichiarazione: Vec<Dichiarazione>,
}

/// Asks for the fate of a lot.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoLotto {
    /// The key of the lot.
    pub chiave: ChiaveLotto,
}

/// The sender's two names for its lot.
#[derive(Clone, PartialEq)]
pub enum ChiaveLotto {
    /// By the protocol assigned to it.
    ProtocolloFlusso(String),
    /// By the SHA-256 of its HTTP body, in hexadecimal.
    ImprontaLotto(String),
}

/// The reply to TrasmissioneLotto, with the result inside.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneLottoResponse {
    /// The outcome, and after an OK the fate of the lot.
    pub result: EsitoTrasmissioneLotto,
}

/// The reply to ConsultazioneEsitoLotto, with the result inside.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoLottoResponse {
    /// The outcome, and after an OK the fate of the lot.
    pub result: EsitoTrasmissioneLotto,
}

/// The outcome, and after an OK the fate of the lot.
#[derive(Clone, PartialEq)]
pub struct EsitoTrasmissioneLotto {
    /// Number of the request.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The fate of the lot, after an OK.
    pub lotto: Option<EsitoLotto>,
}

/// The fate of a lot and of its DSU.
#[derive(Clone, PartialEq)]
pub struct EsitoLotto {
    /// Its protocol: `INPS-ISET-yyyy-nnnnnnnnL`.
    pub protocollo_flusso: String,
    /// SHA-256 of its HTTP body; hexadecimal.
    pub impronta_lotto: String,
    /// When the first byte of the request arrived: the legal instant of all its DSU.
    pub istante_ricezione: Timestamp,
    /// The number of accepted DSU.
    pub accettate: u32,
    /// The number of refused DSU.
    pub rifiutate: u32,
    /// The fate of each DSU, in order.
    pub dsu: Vec<DsuDelLotto>,
}

/// The fate of one DSU of a lot.
#[derive(Clone, PartialEq)]
pub struct DsuDelLotto {
    /// Its place in the lot, from 1.
    pub posizione: u32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// Its protocol, if it was accepted.
    pub protocollo_dsu: Option<String>,
    /// SHA-256 of the Dichiarazione, in exclusive canonical form; hexadecimal; if it was accepted.
    pub impronta: Option<String>,
    /// Its violations, if it was refused.
    pub violazioni: Option<Violazioni>,
}

/// The reply to TrasmissioneDSU, with the result inside.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneDsuResponse {
    /// The outcome, with an acceptance or violations.
    pub result: EsitoTrasmissione,
}

/// The outcome of a transmission.
#[derive(Clone, PartialEq)]
pub struct EsitoTrasmissione {
    /// Number of the request.
    pub id_richiesta: i32,
    /// The outcome: OK, or the kind of failure.
    pub esito: Esito,
    /// The reason in Italian, unless the outcome is OK.
    pub descrizione_errore: Option<String>,
    /// The acceptance, if the DSU was accepted.
    pub accettazione: Option<Accettazione>,
    /// Its violations, if it was refused.
    pub violazioni: Option<Violazioni>,
}

/// The sender's reply for an accepted DSU.
#[derive(Clone, PartialEq)]
pub struct Accettazione {
    /// The protocol assigned to it.
    pub protocollo_dsu: String,
    /// When the first byte of the request arrived: the legal instant.
    pub istante_ricezione: Timestamp,
    /// The `<Ricevuta>` document.
    pub xml_ricevuta: Base64,
    /// SHA-256 of the Dichiarazione as received, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// Of a cancellation: the number of earlier exchanges giving away the cancelled data.
    pub utilizzi: Option<u32>,
}

/// The violations of a refused DSU.
#[derive(Clone, PartialEq)]
pub struct Violazioni {
    /// The first ones: a hundred at most, fewer in a lot.
    pub violazione: Vec<Violazione>,
    /// The number of further violations.
    pub altre_violazioni: Option<u32>,
}

/// One violation, with its place.
#[derive(Clone, PartialEq)]
pub struct Violazione {
    /// Code of the check and its rule.
    pub codice: String,
    /// Path from the body's root.
    pub percorso: String,
    /// Line in the message as sent, from 1.
    pub riga: u32,
    /// Column in characters, from 1.
    pub colonna: u32,
    /// Description in Italian; never a value.
    pub testo: String,
}

/// The receipt of a transmitted DSU.
#[derive(Clone, PartialEq)]
pub struct Ricevuta {
    /// Protocol of the DSU.
    pub protocollo_dsu: String,
    /// The sender's own protocol.
    pub protocollo_mittente: String,
    /// Codice fiscale of the declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// When it was presented to the receiving body.
    pub data_presentazione: Date,
    /// When the receiving body transmitted it.
    pub data_trasmissione: Date,
    /// When the attestation was issued, if one was.
    pub data_attestazione: Option<Date>,
    /// The last day of the attestation's validity.
    pub data_validita: Option<Date>,
    /// When the first byte of the request arrived.
    pub istante_ricezione: Timestamp,
    /// SHA-256 of the Dichiarazione, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// The operation of the declaration. `None`: a new DSU.
    pub operazione: Option<TipoOperazione>,
    /// Of a current ISEE and of a cancellation: protocol of the DSU referred to.
    pub protocollo_riferimento: Option<String>,
    /// The receiving and transmitting body.
    pub ente_trasmittente: EnteTrasmittente,
    /// Where the data come from, in the words of circ. INPS 153/2001.
    pub provenienza: String,
    /// The nucleus, with each member's ISEE. `None`: not attested, a cancellation, or somebody else's DSU
    /// completed.
    pub nucleo: Option<Nucleo>,
    /// The values of the attestation; absent like the nucleus.
    pub valori: Option<Valori>,
    /// Their computation; absent like the nucleus.
    pub modalita_calcolo: Option<ModalitaCalcolo>,
    /// The rule set of the computation; absent like the nucleus.
    pub regole: Option<Regole>,
    /// Warnings: no reason to refuse.
    pub avvertenza: Vec<Avvertenza>,
}

/// The transmitting body.
#[derive(Clone, PartialEq)]
pub struct EnteTrasmittente {
    /// Its code in the registry.
    pub codice: String,
    /// Its name in the registry.
    pub denominazione: String,
}

/// The nucleus of an attested DSU.
#[derive(Clone, PartialEq)]
pub struct Nucleo {
    /// Its members, in the order of the attestation.
    pub componente: Vec<Componente>,
}

/// A member of the nucleus.
#[derive(Clone, PartialEq)]
pub struct Componente {
    /// Surname.
    pub cognome: String,
    /// First name.
    pub nome: String,
    /// Codice fiscale of the member.
    pub codice_fiscale: CodiceFiscale,
    /// The ISEE of the nucleus, euros.
    pub isee: Importo,
}

/// The rule set of the computation.
#[derive(Clone, PartialEq)]
pub struct Regole {
    /// Id of the rule set: `2026`.
    pub insieme: String,
    /// SHA-256 of its parameters; hexadecimal.
    pub impronta: String,
}

/// A warning: no reason to refuse.
#[derive(Clone, PartialEq)]
pub struct Avvertenza {
    /// Code of the check and its rule.
    pub codice: String,
    /// Path from the Dichiarazione.
    pub percorso: String,
    /// Description in Italian.
    pub testo: String,
}

super::bind::outcomes! {
    #[doc = "How a transmission went."]
    Esito {
        Ok = "OK",
        RichiestaInvalida = "RICHIESTA_INVALIDA",
        DatiNonTrovati = "DATI_NON_TROVATI",
        DatabaseOffline = "DATABASE_OFFLINE",
        ErroreInterno = "ERRORE_INTERNO",
    }
}

bind!(struct TrasmissioneDsu { | contenuto "" });
bind!(enum Contenuto { Dichiarazione "Dichiarazione", Xml "XmlDichiarazione" });
bind!(struct ConsultazioneEsitoDsu { | chiave "" });
bind!(enum ChiaveDsu { ProtocolloDsu "ProtocolloDSU", ProtocolloMittente "ProtocolloMittente" });
bind!(struct ConsultazioneEsitoDsuResponse { > result "ConsultazioneEsitoDSUResult" });
bind!(struct EsitoConsultazioneDsu {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > dsu "EsitoDSU",
});
bind!(struct EsitoDsu {
    > stato "Stato", > protocollo_dsu "ProtocolloDSU", > protocollo_mittente "ProtocolloMittente", > istante_ricezione "IstanteRicezione",
    > impronta "Impronta", > data_presentazione "DataPresentazione", > data_attestazione "DataAttestazione", > data_validita "DataValidita",
    > protocollo_sostitutivo "ProtocolloSostitutivo", > xml_ricevuta "XmlRicevuta", > completamento "Completamento",
});
bind!(struct Completamento {
    @ protocollo_dsu "ProtocolloDSU", @ operazione "Operazione", @ istante_ricezione "IstanteRicezione", @ codice_ente "CodiceEnte",
    @ denominazione_ente "DenominazioneEnte",
});
bind!(struct TrasmissioneLotto { > dichiarazione "Dichiarazione" });
bind!(struct ConsultazioneEsitoLotto { | chiave "" });
bind!(enum ChiaveLotto { ProtocolloFlusso "ProtocolloFlusso", ImprontaLotto "ImprontaLotto" });
bind!(struct TrasmissioneLottoResponse { > result "TrasmissioneLottoResult" });
bind!(struct ConsultazioneEsitoLottoResponse { > result "ConsultazioneEsitoLottoResult" });
bind!(struct EsitoTrasmissioneLotto {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > lotto "EsitoLotto",
});
bind!(struct EsitoLotto {
    > protocollo_flusso "ProtocolloFlusso", > impronta_lotto "ImprontaLotto", > istante_ricezione "IstanteRicezione",
    > accettate "Accettate", > rifiutate "Rifiutate", > dsu "DSU",
});
bind!(struct DsuDelLotto {
    > posizione "Posizione", > esito "Esito", > protocollo_dsu "ProtocolloDSU", > impronta "Impronta", > violazioni "Violazioni",
});
bind!(struct TrasmissioneDsuResponse { > result "TrasmissioneDSUResult" });
bind!(struct EsitoTrasmissione {
    > id_richiesta "IdRichiesta", > esito "Esito", > descrizione_errore "DescrizioneErrore", > accettazione "Accettazione", > violazioni "Violazioni",
});
bind!(struct Accettazione {
    > protocollo_dsu "ProtocolloDSU", > istante_ricezione "IstanteRicezione", > xml_ricevuta "XmlRicevuta", > impronta "Impronta",
    > utilizzi "Utilizzi",
});
bind!(struct Violazioni { > violazione "Violazione", > altre_violazioni "AltreViolazioni" });
bind!(struct Violazione { > codice "Codice", > percorso "Percorso", > riga "Riga", > colonna "Colonna", > testo "Testo" });
bind!(struct Ricevuta {
    @ protocollo_dsu "ProtocolloDSU", @ protocollo_mittente "ProtocolloMittente", @ codice_fiscale_dichiarante "CodiceFiscaleDichiarante",
    @ data_presentazione "DataPresentazione", @ data_trasmissione "DataTrasmissione", @ data_attestazione "DataAttestazione",
    @ data_validita "DataValidita", @ istante_ricezione "IstanteRicezione", @ impronta "Impronta",
    @ operazione "Operazione", @ protocollo_riferimento "ProtocolloRiferimento",
    > ente_trasmittente "EnteTrasmittente", > provenienza "Provenienza", > nucleo "Nucleo", > valori "Valori",
    > modalita_calcolo "ModalitaCalcolo", > regole "Regole", > avvertenza "Avvertenza",
});
bind!(struct EnteTrasmittente { @ codice "Codice", @ denominazione "Denominazione" });
bind!(struct Nucleo { > componente "Componente" });
bind!(struct Componente { @ cognome "Cognome", @ nome "Nome", @ codice_fiscale "CodiceFiscale", @ isee "ISEE" });
bind!(struct Regole { @ insieme "Insieme", @ impronta "Impronta" });
bind!(struct Avvertenza { @ codice "Codice", @ percorso "Percorso", @ testo "Testo" });
