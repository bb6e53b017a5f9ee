//! The receipt: data required by circ. INPS 153/2001 for an attestation, and without a field in INPS's
//! schema.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::contract::trasmissione::{Avvertenza, Componente, EnteTrasmittente, Nucleo, Regole, Ricevuta};
use crate::contract::{self, RICEVUTA_NS, message};
use crate::isee::CodiceFiscale;
use crate::isee::attestazione::{Attestazione, ComponenteNucleo};
use crate::isee::checks::Difetto;
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::Calcolo;
use crate::isee::rules::RuleSet;
use crate::ledger::Entry;
use crate::registry::ente::Ente;
use crate::sii::SiiError;
use crate::sii::facts::PRESENTATA;
use crate::xml::{DocumentLimits, parse};

const PROVENIENZA: &str = "I dati provengono dalla Dichiarazione Sostitutiva Unica resa dal dichiarante e da quanto trasmesso dall'ente che l'ha ricevuta.";

/// The receipt's content besides attestation and computation.
pub(super) struct About<'a> {
    pub(super) ente: &'a Ente,
    pub(super) received: Timestamp,
    pub(super) today: Date,
    pub(super) impronta: String,
    pub(super) operazione: TipoOperazione,
    /// The sender's protocol of the received declaration.
    pub(super) sender: &'a str,
    /// The declarant of the received declaration, not the family's if it completes somebody else's DSU.
    pub(super) dichiarante: &'a CodiceFiscale,
    /// Day of presentation of the DSU; for a completion of somebody else's DSU, of the completion itself.
    pub(super) presentata: Date,
    pub(super) rules: &'a RuleSet,
    pub(super) warnings: Vec<Difetto>,
}

/// The receipt of an attested declaration, as XML.
pub(super) fn render(attestazione: &Attestazione, calcolo: &Calcolo, about: About<'_>) -> String {
    let members = attestazione
        .ordinario
        .iter()
        .flat_map(|ordinario| &ordinario.nucleo_familiare.componente_nucleo);
    let member = |member: &ComponenteNucleo| Componente {
        cognome: member.cognome.clone(),
        nome: member.nome.clone(),
        codice_fiscale: member.codice_fiscale.clone(),
        isee: calcolo.isee.printed(),
    };
    let nucleo = Nucleo {
        componente: members.map(member).collect(),
    };
    let form = attestazione
        .ordinario
        .as_ref()
        .and_then(|ordinario| ordinario.protocollo_dsu_modulo_sostitutivo.clone());
    let received = form.is_some();
    let validita = attestazione
        .data_scadenza_dsu_corrente
        .unwrap_or(attestazione.data_validita);
    let ricevuta = Ricevuta {
        protocollo_riferimento: received.then(|| attestazione.numero_protocollo_dsu.clone()),
        protocollo_dsu: form.unwrap_or_else(|| attestazione.numero_protocollo_dsu.clone()),
        data_attestazione: Some(about.today),
        data_validita: Some(validita),
        nucleo: Some(nucleo),
        valori: Some(calcolo.valori()),
        modalita_calcolo: Some(calcolo.modalita.clone()),
        regole: Some(Regole {
            insieme: about.rules.id.clone(),
            impronta: about.rules.digest.clone(),
        }),
        ..bare(about)
    };
    message("Ricevuta", RICEVUTA_NS, &ricevuta, true)
}

/// The receipt of a cancellation.
pub(super) fn cancellation(protocollo: &str, about: About<'_>) -> String {
    let ricevuta = Ricevuta {
        protocollo_dsu: protocollo.to_owned(),
        protocollo_riferimento: Some(protocollo.to_owned()),
        ..bare(about)
    };
    message("Ricevuta", RICEVUTA_NS, &ricevuta, true)
}

/// The receipt of presentation alone: for a DSU not attested yet, and for a completion of somebody else's.
pub(super) fn presentation(protocollo: &str, about: About<'_>) -> String {
    let ricevuta = Ricevuta {
        protocollo_dsu: protocollo.to_owned(),
        ..bare(about)
    };
    message("Ricevuta", RICEVUTA_NS, &ricevuta, true)
}

/// The receipt of presentation within a kept receipt, with the day of the entry's own declaration. Earlier
/// builds gave a receipt with nucleus and figures to an ente completing another ente's DSU.
pub(super) fn presentation_of(kept: &str, entry: &Entry) -> Result<String, SiiError> {
    let internal = |error: &dyn std::fmt::Display| SiiError::Internal(error.to_string());
    let document = parse(kept, &DocumentLimits::default()).map_err(|error| internal(&error))?;
    let kept: Ricevuta = contract::decode(&document).map_err(|error| internal(&error))?;
    let presented = entry.leaf.body.day(PRESENTATA);
    let cancels = kept.operazione == Some(TipoOperazione::X);
    let ricevuta = Ricevuta {
        data_presentazione: presented.ok_or_else(|| internal(&"a day"))?,
        data_attestazione: None,
        data_validita: None,
        protocollo_riferimento: kept.protocollo_riferimento.filter(|_| cancels),
        nucleo: None,
        valori: None,
        modalita_calcolo: None,
        regole: None,
        ..kept
    };
    Ok(message("Ricevuta", RICEVUTA_NS, &ricevuta, true))
}

/// The content common to all receipts.
fn bare(about: About<'_>) -> Ricevuta {
    Ricevuta {
        protocollo_dsu: String::new(),
        protocollo_mittente: about.sender.to_owned(),
        codice_fiscale_dichiarante: about.dichiarante.clone(),
        data_presentazione: about.presentata,
        data_trasmissione: about.today,
        data_attestazione: None,
        data_validita: None,
        istante_ricezione: about.received,
        impronta: about.impronta,
        operazione: Some(about.operazione).filter(|operazione| *operazione != TipoOperazione::N),
        protocollo_riferimento: None,
        ente_trasmittente: EnteTrasmittente {
            codice: about.ente.codice.clone(),
            denominazione: about.ente.anagrafica.denominazione.clone(),
        },
        provenienza: PROVENIENZA.to_owned(),
        nucleo: None,
        valori: None,
        modalita_calcolo: None,
        regole: None,
        avvertenza: about
            .warnings
            .into_iter()
            .map(|warning| Avvertenza {
                codice: warning.code.to_string(),
                percorso: warning.path,
                testo: warning.text.to_owned(),
            })
            .collect(),
    }
}
