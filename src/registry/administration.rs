//! The one function behind `varco ente`: a command, an actor and a reason go in, an entry comes out. It runs in the gateway when one is running (by
//! the admin socket), else in the command itself.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::ente::{Certificato, Ente, Stato, Tipo};
use super::entries::{certificate_key, ente_key};
use crate::contract::catalogue::Operation;
use crate::isee::CodiceFiscale;
use crate::isee::codice_fiscale::Kind as CodeKind;
use crate::ledger::{Blinding, Body, Kind, Ledger, NotCommitted, Precondition, Retention, Secret, Submission, new_exchange};

/// What to do with an ente.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "comando")]
pub enum Command {
    /// Registers a request for accreditation.
    Richiedi {
        /// Code to be.
        codice: String,
        /// Name.
        denominazione: String,
        /// Eleven digits.
        codice_fiscale: String,
        /// What it is.
        tipo: Tipo,
    },
    /// Changes its state.
    Stato {
        /// Which ente.
        codice: String,
        /// To which state.
        nuovo: Stato,
    },
    /// Adds a certificate.
    AggiungiCertificato {
        /// Which ente.
        codice: String,
        /// The pin and its window.
        certificato: Certificato,
    },
    /// Removes a certificate.
    TogliCertificato {
        /// Which ente.
        codice: String,
        /// The pin.
        sha256: String,
    },
    /// Says what it may do: replaces what it might before.
    Abilita {
        /// Which ente.
        codice: String,
        /// Operations.
        operazioni: Vec<String>,
        /// Benefits.
        prestazioni: Vec<String>,
        /// The benefit that is meant where none is named.
        predefinita: Option<String>,
    },
}

/// Who acts: the operating system's word for it, not the command's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id.
    pub uid: u32,
    /// Process id.
    pub pid: Option<i32>,
}

/// Why nothing was changed. In Italian: operators read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// What is asked makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The ledger.
    #[error("il registro non può essere scritto ora: {0}")]
    Ledger(String),
}

/// Carries out a command: checks, records, and only then has it happened. The ente after the change.
pub async fn perform(
    ledger: &Ledger,
    registry: &Registry,
    command: &Command,
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<Ente, Rejected> {
    if reason.trim().is_empty() {
        return Err(Rejected::Invalid("indicare il motivo (--motivo)".to_owned()));
    }
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    // Against another administrator at the same moment: three times.
    for _ in 0..3 {
        let change = prepare(registry, command).map_err(|rejected| match rejected {
            Wrong::Invalid(text) => Rejected::Invalid(text),
            Wrong::Views(error) => internal(&error),
        })?;
        let exchange = new_exchange(now).map_err(|error| internal(&error))?;
        let mut body = Body::new(Kind::Registry, Retention::Registro, exchange, now)
            .fact("ente", &change.after)
            .fact("actor", actor)
            .fact("taken", &change.taken)
            .fact("freed", &change.freed);
        body.ente = Some(change.after.codice.clone());
        body.operation = Some(change.operation.to_owned());
        body.outcome = Some("OK".to_owned());
        body.keys = std::iter::once(ente_key(&change.after.codice))
            .chain(change.taken.iter().chain(&change.freed).map(|sha256| certificate_key(sha256)))
            .collect();
        let blinding = Blinding::new().map_err(|error| internal(&error))?;
        let secret = Secret { reason: Some(reason.to_owned()), ..Secret::default() };
        let draft = ledger.prepare(body, &secret, &blinding, 0, now).map_err(|error| internal(&error))?;
        let submission = Submission { drafts: vec![draft], preconditions: change.preconditions };
        match ledger.committer.submit(submission).await {
            Ok(_) => return Ok(change.after),
            Err(NotCommitted::Conflict) => {}
            Err(error) => return Err(internal(&error)),
        }
    }
    Err(Rejected::Ledger("un'altra modifica è in corso".to_owned()))
}

struct Change {
    operation: &'static str,
    after: Ente,
    /// Pins that this change gives to the ente, and takes from it.
    taken: Vec<String>,
    freed: Vec<String>,
    preconditions: Vec<Precondition>,
}

enum Wrong {
    Invalid(String),
    Views(crate::ledger::ViewError),
}

impl From<crate::ledger::ViewError> for Wrong {
    fn from(error: crate::ledger::ViewError) -> Self {
        Self::Views(error)
    }
}

fn invalid<T>(text: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Invalid(text.into()))
}

fn prepare(registry: &Registry, command: &Command) -> Result<Change, Wrong> {
    let code = match command {
        Command::Richiedi { codice, .. }
        | Command::Stato { codice, .. }
        | Command::AggiungiCertificato { codice, .. }
        | Command::TogliCertificato { codice, .. }
        | Command::Abilita { codice, .. } => codice,
    };
    let version = registry.version(code)?;
    let mut preconditions = vec![Precondition { key: ente_key(code), version }];
    let (mut taken, mut freed) = (Vec::new(), Vec::new());
    let existing = registry.ente(code)?;
    let (operation, after) = match (command, existing) {
        (Command::Richiedi { .. }, Some(_)) => return invalid(format!("l'ente {code} esiste già")),
        (Command::Richiedi { codice, denominazione, codice_fiscale, tipo }, None) => {
            ("ente richiedi", requested(codice, denominazione, codice_fiscale, *tipo)?)
        }
        (_, None) => return invalid(format!("l'ente {code} non esiste")),
        (Command::Stato { nuovo, .. }, Some(mut ente)) => {
            let operation = change_state(&mut ente, *nuovo)?;
            (operation, ente)
        }
        (Command::AggiungiCertificato { certificato, .. }, Some(mut ente)) => {
            check_certificate(certificato)?;
            // The version before the holder: who takes the pin in between makes a conflict.
            let key = certificate_key(&certificato.sha256);
            preconditions.push(Precondition { version: registry.store.version(&key)?, key });
            if let Some(holder) = registry.holder(&certificato.sha256)? {
                return invalid(format!("il certificato è già dell'ente {holder}"));
            }
            taken.push(certificato.sha256.clone());
            ente.certificati.push(certificato.clone());
            ("ente certificato", ente)
        }
        (Command::TogliCertificato { sha256, .. }, Some(mut ente)) => {
            let before = ente.certificati.len();
            ente.certificati.retain(|certificate| certificate.sha256 != *sha256);
            if ente.certificati.len() == before {
                return invalid("l'ente non ha questo certificato");
            }
            freed.push(sha256.clone());
            ("ente certificato-togli", ente)
        }
        (Command::Abilita { operazioni, prestazioni, predefinita, .. }, Some(mut ente)) => {
            check_grants(operazioni, prestazioni, predefinita.as_deref())?;
            ente.operazioni.clone_from(operazioni);
            ente.prestazioni.clone_from(prestazioni);
            ente.prestazione_predefinita.clone_from(predefinita);
            ("ente abilita", ente)
        }
    };
    Ok(Change { operation, after, taken, freed, preconditions })
}

fn requested(codice: &str, denominazione: &str, codice_fiscale: &str, tipo: Tipo) -> Result<Ente, Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if codice.len() < 2 || codice.len() > 48 || !codice.chars().all(allowed) {
        return invalid("codice dell'ente non valido: da 2 a 48 lettere, cifre, _ - .");
    }
    if denominazione.trim().is_empty() || denominazione.len() > 200 {
        return invalid("denominazione mancante, o più lunga di 200 caratteri");
    }
    if CodiceFiscale::new(codice_fiscale).kind() != Ok(CodeKind::Numerico) {
        return invalid("codice fiscale dell'ente non valido: attese 11 cifre");
    }
    Ok(Ente {
        codice: codice.to_owned(),
        denominazione: denominazione.trim().to_owned(),
        codice_fiscale: codice_fiscale.trim().to_owned(),
        tipo,
        stato: Stato::Richiesta,
        certificati: Vec::new(),
        operazioni: Vec::new(),
        prestazioni: Vec::new(),
        prestazione_predefinita: None,
    })
}

fn change_state(ente: &mut Ente, to: Stato) -> Result<&'static str, Wrong> {
    let from = ente.stato;
    if !from.next().contains(&to) {
        return invalid(format!("un ente nello stato {} non può passare a {}", from.name(), to.name()));
    }
    ente.stato = to;
    Ok(match (from, to) {
        (Stato::Sospeso, Stato::Accreditato) => "ente riattiva",
        (_, Stato::Accreditato) => "ente accredita",
        (_, Stato::Rifiutato) => "ente rifiuta",
        (_, Stato::Sospeso) => "ente sospendi",
        (_, Stato::Revocato | Stato::Richiesta) => "ente revoca",
    })
}

fn check_certificate(certificato: &Certificato) -> Result<(), Wrong> {
    let pin = certificato.sha256.len() == 64 && certificato.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !pin {
        return invalid("impronta del certificato non valida: attesi 64 caratteri esadecimali minuscoli");
    }
    let day = |text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => text.parse::<Date>().map(Some).or_else(|_| invalid("data non valida: attesa aaaa-mm-gg")),
    };
    match (day(&certificato.dal)?, day(&certificato.al)?) {
        (Some(from), Some(to)) if to < from => invalid("il periodo del certificato finisce prima di cominciare"),
        _ => Ok(()),
    }
}

fn check_grants(operazioni: &[String], prestazioni: &[String], predefinita: Option<&str>) -> Result<(), Wrong> {
    if let Some(unknown) = operazioni.iter().find(|name| Operation::by_name(name).is_none()) {
        return invalid(format!("operazione sconosciuta: {unknown}"));
    }
    let known = crate::contract::catalogue::benefits();
    if let Some(unknown) = prestazioni.iter().find(|code| !known.contains(&code.as_str())) {
        return invalid(format!("prestazione sconosciuta: {unknown}"));
    }
    if predefinita.is_some_and(|code| !prestazioni.iter().any(|granted| granted == code)) {
        return invalid("la prestazione predefinita deve essere tra quelle abilitate");
    }
    Ok(())
}
