//! The one function behind `varco ente`: from a command, an actor and a reason to an entry. It runs in the
//! gateway (by the admin socket), or in the command itself if no gateway is running.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Registry;
use super::abilitazione::Abilitazione;
use super::changes::{
    add_certificate, add_office, change_state, correct, decide, grant, remove_certificate, remove_office,
    requested, require_offices, set_quotas, take_back,
};
use super::checks::check_request;
use super::ente::{Anagrafica, Certificato, Decisione, Ente, Richiesta, Segno, Stato, Ufficio};
use super::entries::{certificate_key, ente_key};
use super::quota::Quote;
use super::wrong::{Wrong, invalid};
use crate::clock::day;
use crate::ledger::keys::KeyError;
use crate::ledger::{
    Blinding, Body, Draft, Kind, Ledger, NotCommitted, Precondition, PrepareError, Retention, Secret,
    Submission, TokenKey, Tokens, new_exchange,
};
use crate::registry::facts::{ACTOR, ENTE, FREED, TAKEN};

/// A command on an ente.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "comando")]
pub enum Command {
    /// Registers a request for accreditation, from a new ente or from one refused or revoked before.
    Richiedi {
        /// The ente's code: 2 to 48 letters, digits, `_`, `-`, `.`.
        codice: String,
        /// Its name, codes, contacts and parties.
        anagrafica: Anagrafica,
        /// Its request for accreditation.
        richiesta: Richiesta,
    },
    /// Changes an ente's name, codes, contacts and parties.
    Aggiorna {
        /// Code of a registered ente.
        codice: String,
        /// The data from now on.
        anagrafica: Anagrafica,
        /// The data at the time of the operator's edit. If they have changed since, nothing is changed.
        letta: Anagrafica,
    },
    /// Decides on an ente's request. For an accredited ente: renews.
    Decidi {
        /// Code of a registered ente.
        codice: String,
        /// `true`: accredited. `false`: refused.
        accolta: bool,
        /// The decision; its day is the present one.
        decisione: Decisione,
        /// Whether the operations asked for are granted with it, except the detail of a DSU.
        come_richiesto: bool,
    },
    /// Suspends, reactivates or revokes an ente.
    Stato {
        /// Code of a registered ente.
        codice: String,
        /// The new state: accreditato, sospeso or revocato.
        nuovo: Stato,
    },
    /// Adds a certificate, or replaces the one with the same sign.
    AggiungiCertificato {
        /// Code of a registered ente.
        codice: String,
        /// The certificate and its window.
        certificato: Certificato,
    },
    /// Removes a certificate. Fails if the ente has none with this sign.
    TogliCertificato {
        /// Code of a registered ente.
        codice: String,
        /// The sign of one of its certificates.
        segno: Segno,
    },
    /// Adds a grant of operations and benefits.
    Abilita {
        /// Code of a registered ente.
        codice: String,
        /// The grant. The registry gives it a number.
        abilitazione: Abilitazione,
        /// The default benefit from now on. `None`: unchanged, or no default after `sostituisci`.
        predefinita: Option<String>,
        /// Whether the earlier grants end.
        sostituisci: bool,
    },
    /// Takes a grant back.
    Disabilita {
        /// Code of a registered ente.
        codice: String,
        /// The number of one of its grants.
        numero: u32,
    },
    /// Adds an office, or replaces the one with this code.
    Ufficio {
        /// Code of a registered ente.
        codice: String,
        /// The office, with its days.
        ufficio: Ufficio,
    },
    /// Removes an office. Fails if a grant names it, or if it is the last one and one is obligatory.
    TogliUfficio {
        /// Code of a registered ente.
        codice: String,
        /// The office's code; leading zeros do not count.
        ufficio: String,
    },
    /// Sets whether requests must name an office.
    UfficiObbligatori {
        /// Code of a registered ente.
        codice: String,
        /// `true`: a request without a registered office is refused.
        obbligatori: bool,
    },
    /// Takes over an ente of an earlier format, as it is. Never from outside: only `varco upgrade` does it.
    #[serde(skip)]
    Converti {
        /// The ente in the present format.
        ente: Box<Ente>,
    },
    /// Sets the content of an ente's replies.
    Risposte {
        /// Code of a registered ente.
        codice: String,
        /// Whether attestations have ISEEFamiglia. The schema of 2021 does not know it.
        isee_famiglia: bool,
    },
    /// Sets quotas. The new ones replace all those before.
    Quota {
        /// Code of a registered ente.
        codice: String,
        /// The quotas. `None`: no limit.
        quote: Quote,
        /// Whether they are for each operator, not for the ente.
        operatore: bool,
    },
}

impl Command {
    /// The code of the ente.
    pub fn codice(&self) -> &str {
        match self {
            Self::Richiedi { codice, .. }
            | Self::Aggiorna { codice, .. }
            | Self::Decidi { codice, .. }
            | Self::Stato { codice, .. }
            | Self::AggiungiCertificato { codice, .. }
            | Self::TogliCertificato { codice, .. }
            | Self::Abilita { codice, .. }
            | Self::Disabilita { codice, .. }
            | Self::Ufficio { codice, .. }
            | Self::TogliUfficio { codice, .. }
            | Self::UfficiObbligatori { codice, .. }
            | Self::Risposte { codice, .. }
            | Self::Quota { codice, .. } => codice,
            Self::Converti { ente } => &ente.codice,
        }
    }
}

/// The actor: the user known to the operating system, and the claims of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id, from the operating system.
    pub uid: u32,
    /// Process id. `None`: the operating system does not tell it.
    pub pid: Option<i32>,
    /// The login user (loginuid): a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<u32>,
    /// The operator's name: a claim. It is sealed, and found by its token.
    #[serde(skip)]
    pub operatore: Option<String>,
}

/// The claims of an actor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The login user (loginuid).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<u32>,
    /// `--operatore`, or the caller of sudo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operatore: Option<String>,
}

/// The longest name of an operator, in characters. The rest is cut off.
const LONGEST_NAME: usize = 100;

impl Claims {
    /// The same claims, with the name made fit for an entry: short, on one line. An empty name becomes
    /// `None`.
    pub fn checked(mut self) -> Self {
        let name = self.operatore.map(|name| {
            name.trim()
                .chars()
                .filter(|character| !character.is_control())
                .take(LONGEST_NAME)
                .collect::<String>()
        });
        self.operatore = name.filter(|name| !name.is_empty());
        self
    }
}

impl Actor {
    /// A user without claims.
    pub fn of(uid: u32, pid: Option<i32>) -> Self {
        Self {
            uid,
            pid,
            login: None,
            operatore: None,
        }
    }

    /// A user with claims.
    pub fn claiming(uid: u32, pid: Option<i32>, claims: Claims) -> Self {
        let Claims { login, operatore } = claims.checked();
        Self {
            uid,
            pid,
            login,
            operatore,
        }
    }

    /// Puts the actor into an entry: the user into its facts, the name into its sealed part, a token of the
    /// name among its tokens.
    pub fn sign(
        &self,
        body: Body,
        secret: &mut Secret,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Result<Body, KeyError> {
        let mut body = body.fact(ACTOR, self);
        if let Some(name) = &self.operatore {
            let key = TokenKey::of(now, body.retention);
            let token = ledger.keys.token(key, "operator", name)?;
            let tokens = body.tokens.get_or_insert_with(|| Tokens::under(key));
            tokens.operator = Some(token);
            secret.operator = Some(name.clone());
        }
        Ok(body)
    }
}

/// Why nothing was changed. In Italian: operators read it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The command makes no sense: the faults.
    #[error("{0}")]
    Invalid(String),
    /// The ledger cannot be read or written now.
    #[error("il registro non può essere scritto ora: {0}")]
    Ledger(String),
}

/// Carries out a command: checks it, then records it. Only the record makes the change. Returns the ente
/// after it.
pub async fn perform(
    ledger: &Ledger,
    registry: &Registry,
    command: &Command,
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<Ente, Rejected> {
    let mut after = perform_all(
        ledger,
        registry,
        std::slice::from_ref(command),
        actor,
        reason,
        now,
    )
    .await?;
    after
        .pop()
        .ok_or_else(|| Rejected::Invalid("nessun comando".to_owned()))
}

/// Carries out many commands, all or none, each on another ente. Returns the enti after the changes, in
/// order.
pub async fn perform_all(
    ledger: &Ledger,
    registry: &Registry,
    commands: &[Command],
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<Vec<Ente>, Rejected> {
    if reason.trim().is_empty() {
        return Err(Rejected::Invalid("indicare il motivo (--motivo)".to_owned()));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = commands
        .iter()
        .map(Command::codice)
        .find(|code| !seen.insert(*code))
    {
        return Err(Rejected::Invalid(format!(
            "{twice}: due comandi insieme sullo stesso ente"
        )));
    }
    // Three attempts: another administrator may make a change at the same moment.
    for _ in 0..3 {
        let recording = Recording {
            ledger,
            exchange: new_exchange(now).map_err(|error| internal(&error))?,
            actor,
            reason,
            now,
        };
        let (after, submission) = recording.prepared(registry, commands)?;
        match ledger.committer.submit(submission).await {
            Ok(_) => return Ok(after),
            Err(NotCommitted::Conflict) => {}
            Err(NotCommitted::TooLarge) => return Err(Rejected::Invalid(TOO_MANY.to_owned())),
            Err(error) => return Err(internal(&error)),
        }
    }
    Err(Rejected::Ledger("un'altra modifica è in corso".to_owned()))
}

fn internal(error: &dyn std::fmt::Display) -> Rejected {
    Rejected::Ledger(error.to_string())
}

/// An attempt to record commands.
struct Recording<'a> {
    ledger: &'a Ledger,
    exchange: Uuid,
    actor: &'a Actor,
    reason: &'a str,
    now: Timestamp,
}

impl Recording<'_> {
    /// The enti after the commands, and their entries. If a command is invalid, all invalid ones are named.
    fn prepared(
        &self,
        registry: &Registry,
        commands: &[Command],
    ) -> Result<(Vec<Ente>, Submission), Rejected> {
        let today = day(self.now);
        let (mut after, mut drafts, mut preconditions, mut wrong) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for command in commands {
            let change = match prepare(registry, command, today) {
                Ok(change) => change,
                Err(Wrong::Invalid(text)) => {
                    wrong.push(if commands.len() > 1 {
                        format!("{}: {text}", command.codice())
                    } else {
                        text
                    });
                    continue;
                }
                Err(Wrong::Views(error)) => return Err(internal(&error)),
            };
            match self.draft(&change, drafts.len())? {
                Some(draft) => drafts.push(draft),
                None => wrong.push(format!(
                    "{}: la scheda dell'ente supera lo spazio di una voce",
                    command.codice()
                )),
            }
            preconditions.extend(change.preconditions);
            after.push(change.after);
        }
        if !wrong.is_empty() {
            return Err(Rejected::Invalid(wrong.join("\n")));
        }
        Ok((
            after,
            Submission {
                drafts,
                preconditions,
            },
        ))
    }

    /// The entry of a change, the `ordinal`-th of its exchange; None if the ente is too long for an entry.
    fn draft(&self, change: &Change, ordinal: usize) -> Result<Option<Draft>, Rejected> {
        let mut body = Body::new(Kind::Registry, Retention::Registro, self.exchange, self.now)
            .fact(ENTE, &change.after)
            .fact(TAKEN, &change.taken)
            .fact(FREED, &change.freed);
        body.ente = Some(change.after.codice.clone());
        body.operation = Some(change.operation.to_owned());
        body.outcome = Some("OK".to_owned());
        let certificates = change
            .taken
            .iter()
            .chain(&change.freed)
            .map(|key| certificate_key(key));
        body.keys = std::iter::once(ente_key(&change.after.codice))
            .chain(certificates)
            .collect();
        let mut secret = Secret {
            reason: Some(self.reason.to_owned()),
            ..Secret::default()
        };
        let body = self
            .actor
            .sign(body, &mut secret, self.ledger, self.now)
            .map_err(|error| internal(&error))?;
        let blinding = Blinding::new().map_err(|error| internal(&error))?;
        let ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        match self.ledger.prepare(body, &secret, blinding, ordinal, self.now) {
            Ok(draft) => Ok(Some(draft)),
            Err(PrepareError::TooLong) => Ok(None),
            Err(error) => Err(internal(&error)),
        }
    }
}

/// More than one batch holds. Nothing was registered.
const TOO_MANY: &str = "più enti di quanti entrano in una sola registrazione (32 MiB): dividere la tabella";

/// Judges whether an ente could be registered, or changed, so. The fault is in Italian. Certificates of other
/// enti are not looked for.
pub fn judge(command: &Command, existing: Option<&Ente>, today: Date) -> Result<(), String> {
    told(match (command, existing) {
        (
            Command::Richiedi {
                codice,
                anagrafica,
                richiesta,
            },
            existing,
        ) => requested(codice, anagrafica, richiesta, existing.cloned()).map(|_| ()),
        (_, None) => return Err("l'ente non esiste".to_owned()),
        (command, Some(ente)) => changed(command, ente.clone(), today).map(|_| ()),
    })
}

/// Judges whether this could be asked for. The fault is in Italian.
pub fn judge_request(richiesta: &Richiesta) -> Result<(), String> {
    told(check_request(richiesta))
}

fn told(judged: Result<(), Wrong>) -> Result<(), String> {
    judged.map_err(|wrong| match wrong {
        Wrong::Invalid(text) => text,
        Wrong::Views(error) => error.to_string(),
    })
}

struct Change {
    operation: &'static str,
    after: Ente,
    /// Keys of certificates added to the ente by this change; then those removed from it.
    taken: Vec<String>,
    freed: Vec<String>,
    preconditions: Vec<Precondition>,
}

fn prepare(registry: &Registry, command: &Command, today: Date) -> Result<Change, Wrong> {
    let code = command.codice();
    // Before anything is read: a change by another administrator in between makes a conflict.
    let seen = registry.store.reached();
    let mut preconditions = vec![Precondition {
        key: ente_key(code),
        seen,
    }];
    let existing = registry.ente(code)?;
    let before: Vec<String> = existing
        .iter()
        .flat_map(|ente| &ente.certificati)
        .map(|certificate| certificate.segno.key())
        .collect();
    let (operation, after) = match (command, existing) {
        (
            Command::Richiedi {
                codice,
                anagrafica,
                richiesta,
            },
            existing,
        ) => (
            "ente richiedi",
            requested(codice, anagrafica, richiesta, existing)?,
        ),
        (Command::Converti { ente }, None) => ("ente converti", (**ente).clone()),
        (_, None) => return invalid(format!("l'ente {code} non esiste")),
        (command, Some(ente)) => changed(command, ente, today)?,
    };
    let keys: Vec<String> = after
        .certificati
        .iter()
        .map(|certificate| certificate.segno.key())
        .collect();
    let taken: Vec<String> = keys.iter().filter(|key| !before.contains(key)).cloned().collect();
    let freed: Vec<String> = before.into_iter().filter(|key| !keys.contains(key)).collect();
    for key in &taken {
        // A registration in between makes a conflict.
        preconditions.push(Precondition {
            key: certificate_key(key),
            seen,
        });
        if let Some(holder) = registry.holder_of(key)? {
            return invalid(format!("il certificato è già dell'ente {holder}"));
        }
    }
    Ok(Change {
        operation,
        after,
        taken,
        freed,
        preconditions,
    })
}

/// An ente after a command other than a request.
fn changed(command: &Command, mut ente: Ente, today: Date) -> Result<(&'static str, Ente), Wrong> {
    let operation = match command {
        // A request has its own function: `requested`.
        Command::Richiedi { .. } | Command::Converti { .. } => {
            return invalid(format!("l'ente {} esiste già", ente.codice));
        }
        Command::Aggiorna {
            anagrafica, letta, ..
        } => correct(&mut ente, anagrafica, letta)?,
        Command::Decidi {
            accolta,
            decisione,
            come_richiesto,
            ..
        } => decide(&mut ente, *accolta, decisione, *come_richiesto, today)?,
        Command::Stato { nuovo, .. } => change_state(&mut ente, *nuovo)?,
        Command::AggiungiCertificato { certificato, .. } => add_certificate(&mut ente, certificato)?,
        Command::TogliCertificato { segno, .. } => remove_certificate(&mut ente, segno)?,
        Command::Abilita {
            abilitazione,
            predefinita,
            sostituisci,
            ..
        } => grant(&mut ente, abilitazione, predefinita.as_ref(), *sostituisci, today)?,
        Command::Disabilita { numero, .. } => take_back(&mut ente, *numero)?,
        Command::Ufficio { ufficio, .. } => add_office(&mut ente, ufficio)?,
        Command::TogliUfficio { ufficio, .. } => remove_office(&mut ente, ufficio)?,
        Command::UfficiObbligatori { obbligatori, .. } => require_offices(&mut ente, *obbligatori)?,
        Command::Risposte { isee_famiglia, .. } => {
            ente.senza_isee_famiglia = !isee_famiglia;
            "ente risposte"
        }
        Command::Quota { quote, operatore, .. } => set_quotas(&mut ente, *quote, *operatore)?,
    };
    Ok((operation, ente))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn offices_that_were_registered_twice_but_for_zeros_can_be_put_in_order() {
        let mut ente: Ente = serde_json::from_value(serde_json::json!({
            "codice": "uno", "denominazione": "Uno", "codice_fiscale": "01234567897", "tipo": "comune", "stato": "accreditato",
            "richiesta": { "pec": "p", "base_giuridica": "b", "finalita": "f" }, "uffici": [{ "codice": "1" }, { "codice": "001" }],
            "abilitazioni": [{ "operazioni": ["ConsultazioneIndicatore"], "uffici": ["0001"] }],
        }))
        .unwrap();
        let mut perform = |command: Command| {
            ente = changed(&command, ente.clone(), date(2026, 6, 1))
                .map_err(|wrong| told(Err(wrong)).unwrap_err())?
                .1;
            Ok::<_, String>(
                ente.uffici
                    .iter()
                    .map(|office| office.codice.clone())
                    .collect::<Vec<_>>(),
            )
        };
        let remove = |office: &str| Command::TogliUfficio {
            codice: "uno".to_owned(),
            ufficio: office.to_owned(),
        };
        let again: Ufficio =
            serde_json::from_value(serde_json::json!({ "codice": "001", "denominazione": "Anagrafe" }))
                .unwrap();
        assert_eq!(
            perform(Command::Ufficio {
                codice: "uno".to_owned(),
                ufficio: again
            })
            .unwrap(),
            ["1", "001"]
        );
        assert_eq!(perform(remove("001")).unwrap(), ["1"]);
        assert!(
            perform(remove("01"))
                .unwrap_err()
                .contains("nomina questo ufficio")
        );
    }
}
