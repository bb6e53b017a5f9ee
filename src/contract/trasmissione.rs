//! Messages of TrasmissioneDSU (`TrasmissioneDSU.xsd`) and the receipt (`Ricevuta.xsd`): Varco's own.

use jiff::Timestamp;
use jiff::civil::Date;

use super::bind::{Base64, bind};
use crate::isee::CodiceFiscale;
use crate::isee::codes::{Importo, StatoDsu, TipoOperazione};
use crate::isee::dsu::Dichiarazione;
use crate::isee::valori::{ModalitaCalcolo, Valori};

/// Transmits one DSU.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneDsu {
    /// The DSU, in either form.
    pub contenuto: Contenuto,
}

/// The two forms in which a DSU comes.
#[derive(Clone, PartialEq)]
pub enum Contenuto {
    /// As an element.
    Dichiarazione(Box<Dichiarazione>),
    /// As the bytes of a document: an attachment, with MTOM.
    Xml(Base64),
}

/// Asks what became of a DSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoDsu {
    /// Which DSU.
    pub chiave: ChiaveDsu,
}

/// How a sender names its DSU.
#[derive(Clone, PartialEq)]
pub enum ChiaveDsu {
    /// By the protocol that it got.
    ProtocolloDsu(String),
    /// By the sender's own.
    ProtocolloMittente(String),
}

/// Answers ConsultazioneEsitoDSU.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoDsuResponse {
    /// The outcome.
    pub result: EsitoConsultazioneDsu,
}

/// The outcome, and what became of the DSU.
#[derive(Clone, PartialEq)]
pub struct EsitoConsultazioneDsu {
    /// Number of the request.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: Esito,
    /// Why, in Italian, where it did not go well.
    pub descrizione_errore: Option<String>,
    /// What became of it.
    pub dsu: Option<EsitoDsu>,
}

/// What became of a DSU.
#[derive(Clone, PartialEq)]
pub struct EsitoDsu {
    /// Where it is in its life.
    pub stato: StatoDsu,
    /// Its protocol.
    pub protocollo_dsu: String,
    /// The sender's own protocol.
    pub protocollo_mittente: String,
    /// When the first byte of the request arrived: the legal instant.
    pub istante_ricezione: Timestamp,
    /// SHA-256 of the Dichiarazione as received, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// When it was presented.
    pub data_presentazione: Date,
    /// When the attestation was issued.
    pub data_attestazione: Option<Date>,
    /// The last day on which it is valid.
    pub data_validita: Option<Date>,
    /// The protocol of the one that counts in its place.
    pub protocollo_sostitutivo: Option<String>,
    /// `<Ricevuta>`.
    pub xml_ricevuta: Base64,
    /// Versions and current ISEE that other enti made on it; only the ente that owns it is told.
    pub completamento: Vec<Completamento>,
}

/// A version of a DSU, or a current ISEE on it, that another ente sent.
#[derive(Clone, PartialEq)]
pub struct Completamento {
    /// Its protocol.
    pub protocollo_dsu: String,
    /// The operation that made it.
    pub operazione: TipoOperazione,
    /// When the first byte of the request arrived.
    pub istante_ricezione: Timestamp,
    /// The sender's code in the registry.
    pub codice_ente: String,
    /// The sender's name.
    pub denominazione_ente: String,
}

/// Transmits many DSU. Only the shape of it: a lot is never one value in memory.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneLotto {
    /// From 1 to 500.
    pub dichiarazione: Vec<Dichiarazione>,
}

/// Asks what became of a lot.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoLotto {
    /// Which lot.
    pub chiave: ChiaveLotto,
}

/// How a sender names its lot.
#[derive(Clone, PartialEq)]
pub enum ChiaveLotto {
    /// By the protocol that it got.
    ProtocolloFlusso(String),
    /// By the SHA-256 of the body that carried it, in hexadecimal.
    ImprontaLotto(String),
}

/// Answers TrasmissioneLotto.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneLottoResponse {
    /// The outcome.
    pub result: EsitoTrasmissioneLotto,
}

/// Answers ConsultazioneEsitoLotto.
#[derive(Clone, PartialEq)]
pub struct ConsultazioneEsitoLottoResponse {
    /// The outcome.
    pub result: EsitoTrasmissioneLotto,
}

/// The outcome, and what became of the lot.
#[derive(Clone, PartialEq)]
pub struct EsitoTrasmissioneLotto {
    /// Number of the request.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: Esito,
    /// Why, in Italian, where it did not go well.
    pub descrizione_errore: Option<String>,
    /// What became of it.
    pub lotto: Option<EsitoLotto>,
}

/// What became of a lot.
#[derive(Clone, PartialEq)]
pub struct EsitoLotto {
    /// Its protocol: `INPS-ISET-yyyy-nnnnnnnnL`.
    pub protocollo_flusso: String,
    /// SHA-256 of the body that carried it; hexadecimal.
    pub impronta_lotto: String,
    /// When the first byte of the request arrived: the legal instant of all its DSU.
    pub istante_ricezione: Timestamp,
    /// How many were accepted.
    pub accettate: u32,
    /// How many were refused.
    pub rifiutate: u32,
    /// Each, in order.
    pub dsu: Vec<DsuDelLotto>,
}

/// What became of one DSU of a lot.
#[derive(Clone, PartialEq)]
pub struct DsuDelLotto {
    /// From 1.
    pub posizione: u32,
    /// How it went.
    pub esito: Esito,
    /// Its protocol, if it was accepted.
    pub protocollo_dsu: Option<String>,
    /// SHA-256 of the Dichiarazione, in exclusive canonical form; hexadecimal; if it was accepted.
    pub impronta: Option<String>,
    /// If it was refused.
    pub violazioni: Option<Violazioni>,
}

/// Answers TrasmissioneDSU.
#[derive(Clone, PartialEq)]
pub struct TrasmissioneDsuResponse {
    /// The outcome.
    pub result: EsitoTrasmissione,
}

/// The outcome of a transmission.
#[derive(Clone, PartialEq)]
pub struct EsitoTrasmissione {
    /// Number of the request.
    pub id_richiesta: i32,
    /// How it went.
    pub esito: Esito,
    /// Why, in Italian, where it did not go well.
    pub descrizione_errore: Option<String>,
    /// If the DSU was accepted.
    pub accettazione: Option<Accettazione>,
    /// If it was refused.
    pub violazioni: Option<Violazioni>,
}

/// What the sender gets for a DSU that was accepted.
#[derive(Clone, PartialEq)]
pub struct Accettazione {
    /// Its protocol.
    pub protocollo_dsu: String,
    /// When the first byte of the request arrived: the legal instant.
    pub istante_ricezione: Timestamp,
    /// `<Ricevuta>`.
    pub xml_ricevuta: Base64,
    /// SHA-256 of the Dichiarazione as received, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// Of a cancellation: how many exchanges had given away what it cancels.
    pub utilizzi: Option<u32>,
}

/// Every violation of a DSU that was refused.
#[derive(Clone, PartialEq)]
pub struct Violazioni {
    /// The first hundred.
    pub violazione: Vec<Violazione>,
    /// How many more there are.
    pub altre_violazioni: Option<u32>,
}

/// One violation.
#[derive(Clone, PartialEq)]
pub struct Violazione {
    /// The check and its rule.
    pub codice: String,
    /// From the body's root.
    pub percorso: String,
    /// In the message as sent, from 1.
    pub riga: u32,
    /// From 1, in characters.
    pub colonna: u32,
    /// In Italian; never a value.
    pub testo: String,
}

/// The receipt.
#[derive(Clone, PartialEq)]
pub struct Ricevuta {
    /// Protocol of the DSU.
    pub protocollo_dsu: String,
    /// The sender's own protocol.
    pub protocollo_mittente: String,
    /// Of the declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// When it was presented to the receiving body.
    pub data_presentazione: Date,
    /// When the receiving body transmitted it.
    pub data_trasmissione: Date,
    /// When the attestation was issued, if one was.
    pub data_attestazione: Option<Date>,
    /// The last day on which it is valid.
    pub data_validita: Option<Date>,
    /// When the first byte of the request arrived.
    pub istante_ricezione: Timestamp,
    /// SHA-256 of the Dichiarazione, in exclusive canonical form; hexadecimal.
    pub impronta: String,
    /// What the declaration did, unless it is a new DSU.
    pub operazione: Option<TipoOperazione>,
    /// Protocol of the DSU that it refers to: of a current ISEE and of a cancellation.
    pub protocollo_riferimento: Option<String>,
    /// The body that received and transmitted it.
    pub ente_trasmittente: EnteTrasmittente,
    /// Where the data come from, in the words of circ. INPS 153/2001.
    pub provenienza: String,
    /// The nucleus, with each member's ISEE; not told to who completed somebody else's DSU.
    pub nucleo: Option<Nucleo>,
    /// The values.
    pub valori: Option<Valori>,
    /// How they were computed.
    pub modalita_calcolo: Option<ModalitaCalcolo>,
    /// By which rules.
    pub regole: Option<Regole>,
    /// What was noticed, without being a reason to refuse.
    pub avvertenza: Vec<Avvertenza>,
}

/// The body that transmitted.
#[derive(Clone, PartialEq)]
pub struct EnteTrasmittente {
    /// Its code in the registry.
    pub codice: String,
    /// Its name.
    pub denominazione: String,
}

/// The nucleus.
#[derive(Clone, PartialEq)]
pub struct Nucleo {
    /// The members.
    pub componente: Vec<Componente>,
}

/// A member.
#[derive(Clone, PartialEq)]
pub struct Componente {
    /// Surname.
    pub cognome: String,
    /// First name.
    pub nome: String,
    /// Whose.
    pub codice_fiscale: CodiceFiscale,
    /// The ISEE, euros: that of the nucleus.
    pub isee: Importo,
}

/// The rule set that was applied.
#[derive(Clone, PartialEq)]
pub struct Regole {
    /// Its id.
    pub insieme: String,
    /// SHA-256 of its parameters; hexadecimal.
    pub impronta: String,
}

/// A warning.
#[derive(Clone, PartialEq)]
pub struct Avvertenza {
    /// The check and its rule.
    pub codice: String,
    /// From the Dichiarazione.
    pub percorso: String,
    /// In Italian.
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
