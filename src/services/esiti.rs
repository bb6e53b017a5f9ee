//! Every Esito that is not OK, by the code that the entry of its exchange has: for the reference of all refusals.

use crate::refusal::{Regola, regola};

/// RICHIESTA_INVALIDA, but for the violations of a DSU, which have codes of their own.
pub const RICHIESTA_INVALIDA: &[Regola] = &[
    regola(
        "P01.prestazione",
        "L'ente non è abilitato alla prestazione",
        "chiederne l'abilitazione a chi gestisce la porta, o correggere PrestazioneDaErogare",
    ),
    regola("P02.prestazione", "Manca la prestazione, e l'ente non ne ha una sola né una predefinita", "indicare PrestazioneDaErogare"),
    regola(
        "P03.indicatore",
        "L'ente non è abilitato a questo indicatore per la prestazione",
        "chiederne l'abilitazione a chi gestisce la porta, o correggere TipoIndicatore",
    ),
    regola("R01.richiesta", "Manca l'elemento request", "aggiungerlo"),
    regola("R02.domanda", "ProtocolloDomandaEnteErogatore più lungo di 256 caratteri", "accorciarlo"),
    regola("R02.mittente", "ProtocolloMittente più lungo di 29 caratteri", "correggerlo"),
    regola("R02.protocollo", "ProtocolloDSU che non ha la forma INPS-ISEE-aaaa-nnnnnnnnL-nn", "correggerlo"),
    regola("R04.soglia", "CodiceSoglia che la porta non conosce", "correggerlo, o chiedere a chi gestisce la porta"),
];

/// DATI_NON_TROVATI.
pub const DATI_NON_TROVATI: &[Regola] = &[
    regola("D01.assente", "Nessuna attestazione valida per i criteri di ricerca", "controllare codice fiscale, protocollo e DataValidita"),
    regola("D02.assente", "Nessuna DSU trasmessa da questo ente con questo protocollo", "controllare il protocollo"),
    regola(
        "D03.assente",
        "Nessun lotto trasmesso da questo ente con questo protocollo o questa impronta",
        "controllare protocollo o impronta",
    ),
    regola(
        "D04.indicatore",
        "La persona non ha l'indicatore chiesto, o per dati mancanti non è calcolabile",
        "chiedere uno di quelli che DescrizioneErrore elenca",
    ),
];

/// ERRORE_INTERNO: IdRichiesta is 0, and clients try again.
pub const ERRORE_INTERNO: &[Regola] =
    &[regola("E01.interno", "Errore della porta", "riprovare; se resta, segnalarlo con l'X-Request-Id della risposta")];
