//! The attestation made of a computation (DPCM 159/2013 art. 11 c. 4, circ. INPS 153/2001).

use jiff::civil::Date;

use super::attestazione::{Attestazione, ComponenteNucleo, IseeOrdinario, NucleoFamiliare, Ordinario};
use super::compute::Calcolo;
use super::dsu::Dichiarazione;
use super::rules::RuleSet;

/// What the attestation says besides the computation.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// Protocol of the DSU.
    pub protocollo: &'a str,
    /// When it was presented.
    pub presentata: Date,
    /// When the attestation is issued.
    pub rilasciata: Date,
}

/// Attests the ordinary indicator.
pub fn attest(dsu: &Dichiarazione, calcolo: &Calcolo, rules: &RuleSet, occasion: &Occasion<'_>) -> Attestazione {
    let members = dsu.nucleo_familiare.iter().flat_map(|nucleo| &nucleo.componente_nucleo);
    let componente_nucleo = members
        .map(|member| {
            let sheet = &member.foglio_componente_nucleo;
            ComponenteNucleo {
                rapporto_con_dichiarante: member.rapporto_con_dichiarante,
                cognome: sheet.dati_componente.anagrafica.cognome.clone(),
                nome: sheet.dati_componente.anagrafica.nome.clone(),
                codice_fiscale: sheet.codice_fiscale.clone(),
            }
        })
        .collect();
    let ordinario = Ordinario {
        corrente: None,
        data_presentazione_modulo_sostitutivo: None,
        protocollo_dsu_modulo_sostitutivo: None,
        nucleo_familiare: NucleoFamiliare { componente_nucleo },
        isee_ordinario: IseeOrdinario {
            data_rilascio: occasion.rilasciata,
            valori: calcolo.valori(),
            modalita_calcolo_isee_ordinario: calcolo.modalita.clone(),
        },
        isee_min: None,
        isee_uni: None,
        isee_socio_san_res: None,
    };
    Attestazione {
        codice_fiscale_dichiarante: dsu.codice_fiscale_dichiarante.clone(),
        numero_protocollo_dsu: occasion.protocollo.to_owned(),
        data_presentazione: occasion.presentata,
        data_validita: rules.expires(occasion.presentata),
        protocollo_mittente: dsu.sottoscrizione_del_dichiarante().map(|s| s.protocollo_mittente.clone()),
        data_scadenza_dsu_corrente: None,
        ordinario: Some(ordinario),
        ridotto: Vec::new(),
        variazione: None,
        omissione_difformita: Vec::new(),
    }
}
