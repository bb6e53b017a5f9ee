//! An ente: its data and its life.
//!
//! ```text
//! richiesta -> accreditato <-> sospeso
//!     |         |   |   ^         |
//!     v         |   +---+ rinnovo |
//! rifiutato     +---> revocato <--+
//! ```
//!
//! A refused or revoked ente may ask again: a new request, under the same code, with the same history. An
//! accreditation may have a term. Past its last day the ente is kept out like a suspended one, until it is
//! renewed.
//!
//! All of this goes into entries without personal data: contacts are an office's (PEC, e-mail, telephone),
//! never a person's.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::abilitazione::{Abilitazione, Periodo, is_zero, numbered, same_office};
use super::quota::Quote;

/// A body accredited now or in the past, or with a request for accreditation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ente {
    /// Its code in this registry: letters, digits, `_`, `-`, `.`; at most 48.
    pub codice: String,
    /// Its name, codes, contacts and parties.
    #[serde(flatten)]
    pub anagrafica: Anagrafica,
    /// The state of its accreditation.
    pub stato: Stato,
    /// Its last request for accreditation.
    pub richiesta: Richiesta,
    /// The decision on this request. `None`: none recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisione: Option<Decisione>,
    /// Certificates it may come with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificati: Vec<Certificato>,
    /// Its grants of operations and benefits.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "numbered")]
    pub abilitazioni: Vec<Abilitazione>,
    /// The greatest number in use when a grant was last taken back. No later grant may have it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ultima_abilitazione: u32,
    /// The benefit implied by a request without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prestazione_predefinita: Option<String>,
    /// Its offices, named by requests in CodiceUfficio.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uffici: Vec<Ufficio>,
    /// Whether a request must name one of them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub uffici_obbligatori: bool,
    /// Whether its attestations leave out ISEEFamiglia, for the schema of 2021.
    #[serde(default, skip_serializing_if = "is_false")]
    pub senza_isee_famiglia: bool,
    /// Limits on its requests.
    #[serde(default, skip_serializing_if = "Quote::is_none")]
    pub quote: Quote,
    /// Limits on the requests of each of its operators.
    #[serde(default, skip_serializing_if = "Quote::is_none")]
    pub quote_operatore: Quote,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// An ente's name, codes, contacts and parties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anagrafica {
    /// Its name, at most 200 bytes.
    pub denominazione: String,
    /// Its codice fiscale: eleven digits.
    pub codice_fiscale: String,
    /// Its type: a municipality, a CAF, a university or another body.
    pub tipo: Tipo,
    /// Its code in the Indice delle Pubbliche Amministrazioni.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codice_ipa: Option<String>,
    /// Its codes at INPS: its requests may name it by them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codici_inps: Vec<String>,
    /// PEC, e-mail, telephone of its offices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contatti: Vec<String>,
    /// Its names as a party of SPCoop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parti: Vec<Parte>,
}

/// A party of SPCoop (busta e-Gov, IdentificativoParte).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parte {
    /// `SPC`, `AOO`, `codicePA` or another.
    pub tipo: String,
    /// Its name under this type.
    pub nome: String,
}

/// A request for accreditation (circ. INPS 73/2015: by PEC, with legal basis and purposes).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Richiesta {
    /// Reference of the PEC.
    pub pec: String,
    /// The legal basis of the request.
    pub base_giuridica: String,
    /// The purpose of the request, in words.
    pub finalita: String,
    /// Names of the operations asked for; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operazioni: Vec<String>,
    /// Codes of the benefits asked for; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prestazioni: Vec<String>,
}

/// A decision on a request. Its reasons are sealed in its entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisione {
    /// The day of the decision, in Italy.
    pub data: Date,
    /// The regional directorate that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direzione: Option<String>,
    /// The last day of the accreditation. `None`: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scadenza: Option<Date>,
    /// The granted ways. Without `CooperazioneApplicativa` the ente may not come in here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modi: Vec<Modo>,
}

/// A way to reach the ISEE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Modo {
    /// By hand, on a site.
    #[value(help = "a mano, su un sito")]
    Web,
    /// Machine to machine: the purpose of this gateway.
    #[value(help = "da macchina a macchina: è ciò che fa questa porta")]
    CooperazioneApplicativa,
}

/// The type of an ente.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Tipo {
    /// A municipality (category L6 of the IPA).
    #[value(help = "un comune (categoria L6 dell'IPA)")]
    Comune,
    /// A tax assistance centre.
    #[value(help = "un centro di assistenza fiscale")]
    Caf,
    /// Another body granting benefits.
    #[value(help = "un altro ente che eroga prestazioni")]
    EnteErogatore,
    /// A university (category L17 of the IPA).
    #[value(help = "un'università (categoria L17 dell'IPA)")]
    Universita,
    /// None of the others.
    #[value(help = "nessuno degli altri")]
    Altro,
}

/// The state of an ente's accreditation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Stato {
    /// A request without a decision.
    Richiesta,
    /// May come in, until its last day.
    Accreditato,
    /// Refused; may ask again.
    Rifiutato,
    /// May not come in for now.
    Sospeso,
    /// May not come in any more.
    Revocato,
}

/// The standing of an accreditation past its last day.
pub const EXPIRED: &str = "scaduto";

/// A certificate by which an ente may come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificato {
    /// Its sign in the registry.
    #[serde(flatten)]
    pub segno: Segno,
    /// The days on which the ente may come in by it.
    #[serde(flatten)]
    pub periodo: Periodo,
    /// The subject of the certificate, or of the issuer's: organizations, never a person. `None`: only a
    /// digest is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soggetto: Option<String>,
    /// The certificate's last second, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scade: Option<Timestamp>,
}

impl Certificato {
    /// A certificate known by its sign alone.
    pub fn of(segno: Segno, periodo: Periodo) -> Self {
        Self {
            segno,
            periodo,
            soggetto: None,
            scade: None,
        }
    }
}

/// The sign by which a certificate is known. Never its CN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Segno {
    /// The certificate itself, by its digest.
    Impronta {
        /// SHA-256 of the DER, hexadecimal.
        sha256: String,
    },
    /// Its issuer and its organization: renewals need no edit.
    Emittente {
        /// SHA-256 of the issuer's SubjectPublicKeyInfo (DER), hexadecimal.
        emittente: String,
        /// organizationIdentifier (2.5.4.97): `CF:IT-` and the ente's codice fiscale.
        organizzazione: String,
        /// A required OU: `IPAIT-UO_...` or `IPAIT-AOO_...`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unita: Option<String>,
    },
}

/// An office of an ente.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ufficio {
    /// Its code, as in CodiceUfficio.
    pub codice: String,
    /// Its name, at most 100 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denominazione: Option<String>,
    /// The days of the office.
    #[serde(flatten)]
    pub periodo: Periodo,
}

impl Segno {
    /// The sign's name in the registry: one ente's, and no other's.
    pub fn key(&self) -> String {
        match self {
            Self::Impronta { sha256 } => sha256.clone(),
            Self::Emittente {
                emittente,
                organizzazione,
                unita,
            } => {
                format!("{emittente}/{organizzazione}/{}", unita.as_deref().unwrap_or("-"))
            }
        }
    }
}

impl Modo {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::CooperazioneApplicativa => "cooperazione applicativa",
        }
    }
}

impl Stato {
    /// The possible next states.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Richiesta => &[Self::Accreditato, Self::Rifiutato],
            Self::Accreditato => &[Self::Accreditato, Self::Sospeso, Self::Revocato],
            Self::Sospeso => &[Self::Accreditato, Self::Revocato],
            Self::Rifiutato | Self::Revocato => &[Self::Richiesta],
        }
    }

    /// The name, as in JSON.
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
    /// All of them, in order.
    pub const ALL: [Self; 5] = [
        Self::Comune,
        Self::Caf,
        Self::EnteErogatore,
        Self::Universita,
        Self::Altro,
    ];

    /// The name, as in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Comune => "comune",
            Self::Caf => "caf",
            Self::EnteErogatore => "ente-erogatore",
            Self::Universita => "universita",
            Self::Altro => "altro",
        }
    }

    /// The type with this name. `None`: no match.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tipo| tipo.name() == name)
    }
}

impl Ente {
    /// The last day of its accreditation, if this day is over on `today`.
    pub fn expired(&self, today: Date) -> Option<Date> {
        self.decisione
            .as_ref()
            .and_then(|decisione| decisione.scadenza)
            .filter(|last| *last < today)
    }

    /// Its state on a day. An accreditation past its last day is [`EXPIRED`].
    pub fn standing(&self, today: Date) -> &'static str {
        if self.stato == Stato::Accreditato && self.expired(today).is_some() {
            EXPIRED
        } else {
            self.stato.name()
        }
    }

    /// Whether its accreditation allows access machine to machine.
    pub fn is_for_machines(&self) -> bool {
        self.decisione
            .as_ref()
            .is_some_and(|decisione| decisione.modi.contains(&Modo::CooperazioneApplicativa))
    }

    /// Why it may not come in on a day, whatever its certificate. `None`: it may.
    pub fn barred(&self, today: Date) -> Option<&'static str> {
        match self.stato {
            Stato::Accreditato if self.expired(today).is_some() => Some("accreditation expired"),
            Stato::Accreditato if !self.is_for_machines() => {
                Some("not accredited for cooperazione applicativa")
            }
            Stato::Accreditato => None,
            Stato::Richiesta | Stato::Rifiutato | Stato::Sospeso | Stato::Revocato => {
                Some("ente is not accredited")
            }
        }
    }

    /// Whether it has a certificate with this key, in its window on this day.
    pub fn has_certificate(&self, key: &str, today: Date) -> bool {
        self.certificati
            .iter()
            .any(|certificate| certificate.segno.key() == key && certificate.periodo.contains(today))
    }

    /// Its grants for one operation, from one office, on one day. If a grant names offices, the office must
    /// be one of the ente's on this day too.
    pub fn grants<'a>(
        &'a self,
        operation: &'a str,
        office: Option<&'a str>,
        today: Date,
    ) -> impl Iterator<Item = &'a Abilitazione> {
        let known = office.is_some_and(|office| self.has_office(office, today));
        let from_here =
            move |grant: &Abilitazione| grant.uffici.is_empty() || known && grant.covers_office(office);
        self.abilitazioni
            .iter()
            .filter(move |grant| grant.covers(operation, today) && from_here(grant))
    }

    /// Adds a grant, under a number of its own.
    pub fn grant(&mut self, abilitazione: Abilitazione) {
        let numero = self.last_number().saturating_add(1);
        self.abilitazioni.push(Abilitazione {
            numero,
            ..abilitazione
        });
    }

    /// Takes back the grant with a number, and the default benefit if no other grant has it. `false`: no such
    /// grant.
    pub fn take_back(&mut self, numero: u32) -> bool {
        let (before, last) = (self.abilitazioni.len(), self.last_number());
        self.abilitazioni.retain(|grant| grant.numero != numero);
        self.ultima_abilitazione = last;
        self.prestazione_predefinita = self
            .prestazione_predefinita
            .take()
            .filter(|code| self.is_granted(code));
        self.abilitazioni.len() < before
    }

    /// Takes back every grant.
    pub fn take_back_all(&mut self) {
        self.ultima_abilitazione = self.last_number();
        self.abilitazioni.clear();
        self.prestazione_predefinita = None;
    }

    /// The greatest number of any grant so far.
    fn last_number(&self) -> u32 {
        self.abilitazioni
            .iter()
            .map(|grant| grant.numero)
            .fold(self.ultima_abilitazione, u32::max)
    }

    /// Whether it may call an operation on this day, from some office.
    pub fn may_call(&self, operation: &str, today: Date) -> bool {
        self.abilitazioni
            .iter()
            .any(|grant| grant.covers(operation, today))
    }

    /// Whether a benefit is granted, by any operation, on any day.
    pub fn is_granted(&self, benefit: &str) -> bool {
        self.abilitazioni
            .iter()
            .any(|grant| grant.prestazioni.iter().any(|granted| granted == benefit))
    }

    /// Whether an office is one of its own on this day.
    pub fn has_office(&self, office: &str, today: Date) -> bool {
        self.uffici
            .iter()
            .any(|known| same_office(&known.codice, office) && known.periodo.contains(today))
    }

    /// Whether CodiceEnte may name it so: by its code, its codice fiscale, its code in the IPA in any case,
    /// or a code at INPS.
    pub fn is_named(&self, name: &str) -> bool {
        let Anagrafica {
            codice_fiscale,
            codice_ipa,
            codici_inps,
            ..
        } = &self.anagrafica;
        name == self.codice
            || name == codice_fiscale
            || codice_ipa
                .as_ref()
                .is_some_and(|ipa| ipa.eq_ignore_ascii_case(name))
            || codici_inps.iter().any(|code| code == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(grants: &serde_json::Value) -> Ente {
        serde_json::from_value(serde_json::json!({
            "codice": "uno", "denominazione": "Uno", "codice_fiscale": "01234567897", "tipo": "comune", "stato": "accreditato",
            "richiesta": { "pec": "p", "base_giuridica": "b", "finalita": "f" }, "abilitazioni": grants,
        }))
        .unwrap()
    }

    fn numbers(ente: &Ente) -> Vec<(u32, &str)> {
        ente.abilitazioni
            .iter()
            .map(|grant| (grant.numero, grant.operazioni[0].as_str()))
            .collect()
    }

    #[test]
    fn the_number_of_a_grant_recorded_without_is_its_place_and_stays_so() {
        let mut ente = recorded(
            &serde_json::json!([{ "operazioni": ["A"] }, { "operazioni": ["B"] }, { "operazioni": ["C"] }]),
        );
        assert_eq!(numbers(&ente), [(1, "A"), (2, "B"), (3, "C")]);
        assert!(ente.take_back(1) && !ente.take_back(1) && ente.take_back(2));
        let mut ente: Ente = serde_json::from_value(serde_json::to_value(&ente).unwrap()).unwrap();
        assert_eq!(numbers(&ente), [(3, "C")]);
        assert!(ente.take_back(3));
        let mut ente: Ente = serde_json::from_value(serde_json::to_value(&ente).unwrap()).unwrap();
        ente.grant(Abilitazione {
            operazioni: vec!["D".to_owned()],
            ..Abilitazione::default()
        });
        ente.take_back_all();
        ente.grant(Abilitazione {
            operazioni: vec!["E".to_owned()],
            ..Abilitazione::default()
        });
        assert_eq!(numbers(&ente), [(5, "E")]);
    }
}
