//! Every Esito other than OK, by the code in the entry of its exchange: for the reference of all refusals.

use crate::contract::consultazione::Esito;
use crate::refusal::regole;

regole! {
    /// Why a reply is not OK. Violations of a DSU have codes of their own.
    enum Motivo {
        P01Prestazione: "P01.prestazione",
            "L'ente non è abilitato alla prestazione",
            "chiederne l'abilitazione a chi gestisce la porta, o correggere PrestazioneDaErogare";
        P02Prestazione: "P02.prestazione",
            "Manca la prestazione, e l'ente non ne ha una sola né una predefinita",
            "indicare PrestazioneDaErogare";
        P03Indicatore: "P03.indicatore",
            "L'ente non è abilitato a questo indicatore per la prestazione",
            "chiederne l'abilitazione a chi gestisce la porta, o correggere TipoIndicatore";
        R01Richiesta: "R01.richiesta", "Manca l'elemento request", "aggiungerlo";
        R02Domanda: "R02.domanda", "ProtocolloDomandaEnteErogatore più lungo di 256 caratteri", "accorciarlo";
        R02Mittente: "R02.mittente", "ProtocolloMittente più lungo di 29 caratteri", "correggerlo";
        R02Protocollo: "R02.protocollo", "ProtocolloDSU che non ha la forma INPS-ISEE-aaaa-nnnnnnnnL-nn", "correggerlo";
        R04Soglia: "R04.soglia", "CodiceSoglia che la porta non conosce", "correggerlo, o chiedere a chi gestisce la porta";
        D01Assente: "D01.assente",
            "Nessuna attestazione valida per i criteri di ricerca",
            "controllare codice fiscale, protocollo e DataValidita";
        D02Assente: "D02.assente", "Nessuna DSU trasmessa da questo ente con questo protocollo", "controllare il protocollo";
        D03Assente: "D03.assente",
            "Nessun lotto trasmesso da questo ente con questo protocollo o questa impronta",
            "controllare protocollo o impronta";
        D04Indicatore: "D04.indicatore",
            "La persona non ha l'indicatore chiesto, o per dati mancanti non è calcolabile",
            "chiedere uno di quelli che DescrizioneErrore elenca";
        E01Interno: "E01.interno", "Errore della porta", "riprovare; se resta, segnalarlo con l'X-Request-Id della risposta";
    }
}

impl Motivo {
    /// The Esito of a reply with this reason.
    pub const fn esito(self) -> Esito {
        match self {
            Self::P01Prestazione
            | Self::P02Prestazione
            | Self::P03Indicatore
            | Self::R01Richiesta
            | Self::R02Domanda
            | Self::R02Mittente
            | Self::R02Protocollo
            | Self::R04Soglia => Esito::RichiestaInvalida,
            Self::D01Assente | Self::D02Assente | Self::D03Assente | Self::D04Indicatore => {
                Esito::DatiNonTrovati
            }
            // IdRichiesta is 0, and clients try again.
            Self::E01Interno => Esito::ErroreInterno,
        }
    }
}
