//! From earlier forms of entries of kind `registry` to the present one. Entries are never changed: an ente
//! gets a further one.

use jiff::civil::Date;
use serde::Deserialize;

use super::abilitazione::{Abilitazione, DETAIL, Periodo};
use super::ente::{Anagrafica, Certificato, Decisione, Ente, Modo, Richiesta, Segno, Stato, Tipo};
use super::quota::Quote;

/// An ente in format 1.0.
#[derive(Clone, Debug, Deserialize)]
pub struct EnteBefore {
    /// Its code, kept by the conversion.
    pub codice: String,
    denominazione: String,
    codice_fiscale: String,
    tipo: Tipo,
    stato: Stato,
    #[serde(default)]
    certificati: Vec<Pin>,
    #[serde(default)]
    operazioni: Vec<String>,
    #[serde(default)]
    prestazioni: Vec<String>,
    #[serde(default)]
    prestazione_predefinita: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Pin {
    sha256: String,
    #[serde(flatten)]
    periodo: Periodo,
}

/// The text in place of data unknown to format 1.0.
const UNKNOWN: &str = "non registrato prima del formato 1.1";

impl EnteBefore {
    /// The same ente in the present form, as of a day. It keeps all its permissions: the detail of a DSU
    /// under a grant of its own, for checks.
    pub fn converted(self, day: Date) -> Ente {
        let decided = matches!(self.stato, Stato::Accreditato | Stato::Sospeso | Stato::Revocato);
        let decisione = Decisione {
            data: day,
            modi: vec![Modo::CooperazioneApplicativa],
            ..Decisione::default()
        };
        let (detail, others): (Vec<String>, Vec<String>) = self
            .operazioni
            .into_iter()
            .partition(|operation| operation == DETAIL);
        let grants = [(others, false), (detail, true)]
            .into_iter()
            .filter(|(operazioni, _)| !operazioni.is_empty());
        let grant = |(operazioni, controlli)| Abilitazione {
            operazioni,
            prestazioni: self.prestazioni.clone(),
            controlli,
            ..Abilitazione::default()
        };
        let pinned = |pin: Pin| Certificato::of(Segno::Impronta { sha256: pin.sha256 }, pin.periodo);
        Ente {
            codice: self.codice,
            anagrafica: Anagrafica {
                denominazione: self.denominazione,
                codice_fiscale: self.codice_fiscale,
                tipo: self.tipo,
                codice_ipa: None,
                codici_inps: Vec::new(),
                contatti: Vec::new(),
                parti: Vec::new(),
            },
            stato: self.stato,
            richiesta: Richiesta {
                pec: UNKNOWN.to_owned(),
                base_giuridica: UNKNOWN.to_owned(),
                finalita: UNKNOWN.to_owned(),
                ..Richiesta::default()
            },
            decisione: decided.then_some(decisione),
            certificati: self.certificati.into_iter().map(pinned).collect(),
            abilitazioni: (1..)
                .zip(grants)
                .map(|(numero, granted)| Abilitazione {
                    numero,
                    ..grant(granted)
                })
                .collect(),
            ultima_abilitazione: 0,
            prestazione_predefinita: self.prestazione_predefinita,
            uffici: Vec::new(),
            uffici_obbligatori: false,
            senza_isee_famiglia: false,
            quote: Quote::default(),
            quote_operatore: Quote::default(),
        }
    }
}
