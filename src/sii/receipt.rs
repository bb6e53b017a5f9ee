//! The receipt: what circ. INPS 153/2001 asks of an attestation and INPS's schema has no field for.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::contract::trasmissione::{Avvertenza, Componente, EnteTrasmittente, Nucleo, Regole, Ricevuta};
use crate::contract::{RICEVUTA_NS, message};
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::Difetto;
use crate::isee::codes::Importo;
use crate::isee::compute::Calcolo;
use crate::isee::rules::RuleSet;
use crate::registry::ente::Ente;

const PROVENIENZA: &str =
    "I dati provengono dalla Dichiarazione Sostitutiva Unica resa dal dichiarante e da quanto trasmesso dall'ente che l'ha ricevuta.";

/// What the receipt says besides attestation and computation.
pub(super) struct About<'a> {
    pub(super) ente: &'a Ente,
    pub(super) received: Timestamp,
    pub(super) today: Date,
    pub(super) impronta: String,
    pub(super) rules: &'a RuleSet,
    pub(super) warnings: Vec<Difetto>,
}

/// Renders a receipt.
pub(super) fn render(attestazione: &Attestazione, calcolo: &Calcolo, about: About<'_>) -> String {
    let members = attestazione.ordinario.iter().flat_map(|ordinario| &ordinario.nucleo_familiare.componente_nucleo);
    let ricevuta = Ricevuta {
        protocollo_dsu: attestazione.numero_protocollo_dsu.clone(),
        protocollo_mittente: attestazione.protocollo_mittente.clone().unwrap_or_default(),
        codice_fiscale_dichiarante: attestazione.codice_fiscale_dichiarante.clone(),
        data_presentazione: attestazione.data_presentazione,
        data_trasmissione: about.today,
        data_attestazione: about.today,
        data_validita: attestazione.data_validita,
        istante_ricezione: about.received,
        impronta: about.impronta,
        ente_trasmittente: EnteTrasmittente {
            codice: about.ente.codice.clone(),
            denominazione: about.ente.anagrafica.denominazione.clone(),
        },
        provenienza: PROVENIENZA.to_owned(),
        nucleo: Nucleo {
            componente: members
                .map(|member| Componente {
                    cognome: member.cognome.clone(),
                    nome: member.nome.clone(),
                    codice_fiscale: member.codice_fiscale.clone(),
                    isee: Importo(calcolo.isee),
                })
                .collect(),
        },
        valori: calcolo.valori(),
        modalita_calcolo: calcolo.modalita.clone(),
        regole: Regole { insieme: about.rules.id.clone(), impronta: about.rules.digest.clone() },
        avvertenza: about
            .warnings
            .into_iter()
            .map(|warning| Avvertenza { codice: warning.code.to_owned(), percorso: warning.path, testo: warning.text.to_owned() })
            .collect(),
    };
    message("Ricevuta", RICEVUTA_NS, &ricevuta, true)
}
