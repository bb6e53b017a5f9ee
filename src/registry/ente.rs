//! An ente: what is known of it, and its life.
//!
//! ```text
//! richiesta -> accreditato <-> sospeso
//!     |             |             |
//!     v             +-> revocato <+
//! rifiutato
//! ```

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A body that is, was or would be accredited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ente {
    /// Its code in this registry: letters, digits, `_`, `-`, `.`; at most 48.
    pub codice: String,
    /// Its name.
    pub denominazione: String,
    /// Its codice fiscale: eleven digits.
    pub codice_fiscale: String,
    /// What it is.
    pub tipo: Tipo,
    /// Where it is in its life.
    pub stato: Stato,
    /// Certificates it may come with.
    #[serde(default)]
    pub certificati: Vec<Certificato>,
    /// Operations it may call.
    #[serde(default)]
    pub operazioni: Vec<String>,
    /// Benefits it may ask for.
    #[serde(default)]
    pub prestazioni: Vec<String>,
    /// The benefit that is meant where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prestazione_predefinita: Option<String>,
}

/// What an ente is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tipo {
    /// A municipality.
    Comune,
    /// A tax assistance centre.
    Caf,
    /// Another body that grants benefits.
    EnteErogatore,
    /// A university.
    Universita,
    /// Something else.
    Altro,
}

/// Where an ente is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stato {
    /// Asked, not decided.
    Richiesta,
    /// May come in.
    Accreditato,
    /// Was refused.
    Rifiutato,
    /// May not come in for now.
    Sospeso,
    /// May not come in any more.
    Revocato,
}

/// A certificate, by its pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificato {
    /// SHA-256 of the DER, hexadecimal.
    pub sha256: String,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dal: Option<String>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub al: Option<String>,
}

impl Stato {
    /// The states that may follow.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Richiesta => &[Self::Accreditato, Self::Rifiutato],
            Self::Accreditato => &[Self::Sospeso, Self::Revocato],
            Self::Sospeso => &[Self::Accreditato, Self::Revocato],
            Self::Rifiutato | Self::Revocato => &[],
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Richiesta => "richiesta",
            Self::Accreditato => "accreditato",
            Self::Rifiutato => "rifiutato",
            Self::Sospeso => "sospeso",
            Self::Revocato => "revocato",
        }
    }
}

impl Tipo {
    /// By its name on the command line.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "comune" => Self::Comune,
            "caf" => Self::Caf,
            "ente-erogatore" => Self::EnteErogatore,
            "universita" => Self::Universita,
            "altro" => Self::Altro,
            _ => return None,
        })
    }
}

impl Ente {
    /// Whether it may come with this certificate on this day.
    pub fn has_certificate(&self, sha256: &str, today: Date) -> bool {
        let day = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Date>().ok());
        self.certificati.iter().any(|certificate| {
            certificate.sha256 == sha256
                && day(&certificate.dal).is_none_or(|from| from <= today)
                && day(&certificate.al).is_none_or(|to| today <= to)
        })
    }

    /// Whether it may call an operation.
    pub fn may_call(&self, operation: &str) -> bool {
        self.operazioni.iter().any(|granted| granted == operation)
    }

    /// Whether it may ask for a benefit.
    pub fn may_ask_for(&self, prestazione: &str) -> bool {
        self.prestazioni.iter().any(|granted| granted == prestazione)
    }

    /// The benefit that is meant where none is named: the default, or the only one.
    pub fn implied_benefit(&self) -> Option<&str> {
        match (&self.prestazione_predefinita, self.prestazioni.as_slice()) {
            (Some(default), granted) if granted.contains(default) => Some(default),
            (_, [only]) => Some(only),
            _ => None,
        }
    }
}
