//! The one function behind `varco ente`: from a command, an actor and a reason to an entry. It runs in the
//! gateway (by the admin socket), or in the command itself if no gateway is running.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::abilitazione::{Abilitazione, DETAIL, same_office};
use super::checks::{check_certificate, check_grant, check_office, check_request, checked, of_ente};
use super::ente::{Anagrafica, Certificato, Decisione, Ente, Modo, Richiesta, Segno, Stato, Ufficio};
use super::entries::{certificate_key, ente_key};
use super::quota::Quote;
use super::wrong::{Wrong, invalid};
use crate::clock::rome;
use crate::ledger::keys::KeyError;
use crate::ledger::{
    Blinding, Body, Kind, Ledger, NotCommitted, Precondition, PrepareError, Retention, Secret, Submission,
    Tokens, new_exchange,
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
            let year = rome(now).year();
            let token = ledger.keys.token(year, "operator", name)?;
            body.tokens
                .get_or_insert_with(|| Tokens {
                    year,
                    ..Tokens::default()
                })
                .operator = Some(token);
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
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    let today = rome(now).date();
    // Three attempts: another administrator may make a change at the same moment.
    for _ in 0..3 {
        let exchange = new_exchange(now).map_err(|error| internal(&error))?;
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
            let mut body = Body::new(Kind::Registry, Retention::Registro, exchange, now)
                .fact(ENTE, &change.after)
                .fact(TAKEN, &change.taken)
                .fact(FREED, &change.freed);
            body.ente = Some(change.after.codice.clone());
            body.operation = Some(change.operation.to_owned());
            body.outcome = Some("OK".to_owned());
            body.keys = std::iter::once(ente_key(&change.after.codice))
                .chain(
                    change
                        .taken
                        .iter()
                        .chain(&change.freed)
                        .map(|key| certificate_key(key)),
                )
                .collect();
            let blinding = Blinding::new().map_err(|error| internal(&error))?;
            let mut secret = Secret {
                reason: Some(reason.to_owned()),
                ..Secret::default()
            };
            let body = actor
                .sign(body, &mut secret, ledger, now)
                .map_err(|error| internal(&error))?;
            let ordinal = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
            match ledger.prepare(body, &secret, &blinding, ordinal, now) {
                Ok(draft) => drafts.push(draft),
                Err(PrepareError::TooLong) => wrong.push(format!(
                    "{}: la scheda dell'ente supera lo spazio di una voce",
                    command.codice()
                )),
                Err(error) => return Err(internal(&error)),
            }
            preconditions.extend(change.preconditions);
            after.push(change.after);
        }
        if !wrong.is_empty() {
            return Err(Rejected::Invalid(wrong.join("\n")));
        }
        match ledger
            .committer
            .submit(Submission {
                drafts,
                preconditions,
            })
            .await
        {
            Ok(_) => return Ok(after),
            Err(NotCommitted::Conflict) => {}
            Err(NotCommitted::TooLarge) => return Err(Rejected::Invalid(TOO_MANY.to_owned())),
            Err(error) => return Err(internal(&error)),
        }
    }
    Err(Rejected::Ledger("un'altra modifica è in corso".to_owned()))
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
    // The version is read before the record: a change by another administrator in between makes a conflict.
    let version = registry.version(code)?;
    let mut preconditions = vec![Precondition {
        key: ente_key(code),
        version,
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
        // The version is read before the holder: a registration in between makes a conflict.
        let name = certificate_key(key);
        preconditions.push(Precondition {
            version: registry.store.version(&name)?,
            key: name,
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
        } => {
            if *letta != ente.anagrafica {
                return invalid(
                    "i dati dell'ente sono stati cambiati da altri nel frattempo: rivederli e ripetere il comando",
                );
            }
            let anagrafica = checked(anagrafica)?;
            let by_issuer = ente
                .certificati
                .iter()
                .any(|certificate| matches!(certificate.segno, Segno::Emittente { .. }));
            if by_issuer && anagrafica.codice_fiscale != ente.anagrafica.codice_fiscale {
                return invalid(
                    "l'ente ha certificati per emittente, che valgono per il codice fiscale di prima: toglierli prima",
                );
            }
            ente.anagrafica = anagrafica;
            "ente aggiorna"
        }
        Command::Decidi {
            accolta,
            decisione,
            come_richiesto,
            ..
        } => decide(&mut ente, *accolta, decisione, *come_richiesto, today)?,
        Command::Stato { nuovo, .. } => change_state(&mut ente, *nuovo)?,
        Command::AggiungiCertificato { certificato, .. } => {
            let certificato = Certificato {
                segno: of_ente(&certificato.segno, &ente),
                ..certificato.clone()
            };
            check_certificate(&ente, &certificato)?;
            ente.certificati.retain(|known| known.segno != certificato.segno);
            ente.certificati.push(certificato);
            "ente certificato"
        }
        Command::TogliCertificato { segno, .. } => {
            let (before, segno) = (ente.certificati.len(), of_ente(segno, &ente));
            ente.certificati.retain(|certificate| certificate.segno != segno);
            if ente.certificati.len() == before {
                return invalid("l'ente non ha questo certificato");
            }
            "ente certificato-togli"
        }
        Command::Abilita {
            abilitazione,
            predefinita,
            sostituisci,
            ..
        } => {
            check_grant(&ente, abilitazione, *sostituisci, today)?;
            if *sostituisci {
                ente.take_back_all();
            }
            ente.grant(abilitazione.clone());
            if predefinita.is_some() {
                ente.prestazione_predefinita.clone_from(predefinita);
            }
            if ente
                .prestazione_predefinita
                .as_ref()
                .is_some_and(|code| !ente.is_granted(code))
            {
                return invalid("la prestazione predefinita deve essere tra quelle abilitate");
            }
            "ente abilita"
        }
        Command::Disabilita { numero, .. } => {
            if !ente.take_back(*numero) {
                return invalid(format!("l'ente non ha un'abilitazione numero {numero}"));
            }
            "ente disabilita"
        }
        Command::Ufficio { ufficio, .. } => {
            check_office(&ente, ufficio)?;
            ente.uffici.retain(|known| known.codice != ufficio.codice);
            ente.uffici.push(ufficio.clone());
            "ente ufficio"
        }
        Command::TogliUfficio { ufficio, .. } => {
            // The office with the code as written, else the same but for leading zeros.
            let exact = ente.uffici.iter().position(|known| known.codice == *ufficio);
            let found = exact.or_else(|| {
                ente.uffici
                    .iter()
                    .position(|known| same_office(&known.codice, ufficio))
            });
            let Some(index) = found else {
                return invalid("l'ente non ha questo ufficio");
            };
            ente.uffici.remove(index);
            if ente.uffici_obbligatori && ente.uffici.is_empty() {
                return invalid("è l'ultimo ufficio, e uno è obbligatorio: nessuna richiesta passerebbe");
            }
            let remains = ente
                .uffici
                .iter()
                .any(|known| same_office(&known.codice, ufficio));
            if !remains
                && ente
                    .abilitazioni
                    .iter()
                    .flat_map(|grant| &grant.uffici)
                    .any(|named| same_office(named, ufficio))
            {
                return invalid("un'abilitazione nomina questo ufficio: toglierla prima");
            }
            "ente ufficio-togli"
        }
        Command::UfficiObbligatori { obbligatori, .. } => {
            if *obbligatori && ente.uffici.is_empty() {
                return invalid("nessun ufficio registrato: nessuna richiesta passerebbe");
            }
            ente.uffici_obbligatori = *obbligatori;
            "ente uffici-obbligatori"
        }
        Command::Risposte { isee_famiglia, .. } => {
            ente.senza_isee_famiglia = !isee_famiglia;
            "ente risposte"
        }
        Command::Quota { quote, operatore, .. } => {
            if [
                quote.al_minuto.map(u64::from),
                quote.al_giorno,
                quote.persone_al_giorno,
            ]
            .contains(&Some(0))
            {
                return invalid("una quota è almeno 1: per fermare un ente c'è varco ente sospendi");
            }
            if quote.al_minuto.is_some_and(|limit| limit > Quote::MOST_A_MINUTE) {
                return invalid(format!("una quota al minuto è al più {}", Quote::MOST_A_MINUTE));
            }
            *(if *operatore {
                &mut ente.quote_operatore
            } else {
                &mut ente.quote
            }) = *quote;
            "ente quota"
        }
    };
    Ok((operation, ente))
}

fn requested(
    codice: &str,
    anagrafica: &Anagrafica,
    richiesta: &Richiesta,
    existing: Option<Ente>,
) -> Result<Ente, Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if codice.len() < 2 || codice.len() > 48 || !codice.chars().all(allowed) || RESERVED.contains(&codice) {
        return invalid("codice dell'ente non valido: da 2 a 48 lettere, cifre, _ - .");
    }
    let anagrafica = checked(anagrafica)?;
    check_request(richiesta)?;
    match existing {
        None => Ok(Ente {
            codice: codice.to_owned(),
            anagrafica,
            stato: Stato::Richiesta,
            richiesta: richiesta.clone(),
            decisione: None,
            certificati: Vec::new(),
            abilitazioni: Vec::new(),
            ultima_abilitazione: 0,
            prestazione_predefinita: None,
            uffici: Vec::new(),
            uffici_obbligatori: false,
            senza_isee_famiglia: false,
            quote: Quote::default(),
            quote_operatore: Quote::default(),
        }),
        // A refused or revoked ente asks again. It loses its grants, certificates and decision; offices and
        // quotas stay.
        Some(mut ente) if ente.stato.next().contains(&Stato::Richiesta) => {
            ente.take_back_all();
            Ok(Ente {
                anagrafica,
                stato: Stato::Richiesta,
                richiesta: richiesta.clone(),
                decisione: None,
                certificati: Vec::new(),
                ..ente
            })
        }
        Some(_) => invalid(format!("l'ente {codice} esiste già")),
    }
}

/// Words of the commands, not allowed as codes of enti.
const RESERVED: [&str; 1] = ["prova"];

fn decide(
    ente: &mut Ente,
    accolta: bool,
    decisione: &Decisione,
    come_richiesto: bool,
    today: Date,
) -> Result<&'static str, Wrong> {
    let from = ente.stato;
    let to = if accolta {
        Stato::Accreditato
    } else {
        Stato::Rifiutato
    };
    // A suspended ente is reactivated, not accredited.
    if !from.next().contains(&to) || from == Stato::Sospeso {
        return invalid(format!(
            "un ente nello stato {} non può passare a {}",
            from.name(),
            to.name()
        ));
    }
    if decisione.direzione.as_ref().is_some_and(|text| text.len() > 200) {
        return invalid("direzione regionale più lunga di 200 caratteri");
    }
    if decisione.scadenza.is_some_and(|last| last < today) {
        return invalid("la scadenza è già passata");
    }
    let renewal = from == Stato::Accreditato;
    let earlier = ente.decisione.take();
    let last = earlier.as_ref().and_then(|earlier| earlier.scadenza);
    if renewal && (decisione.scadenza.is_none() || decisione.scadenza == last) {
        return invalid("l'ente è già accreditato: un rinnovo indica una nuova scadenza (--scadenza)");
    }
    let mut decided = Decisione {
        data: today,
        ..decisione.clone()
    };
    if accolta && decided.modi.is_empty() {
        decided.modi = earlier.as_ref().map_or_else(
            || vec![Modo::CooperazioneApplicativa],
            |earlier| earlier.modi.clone(),
        );
    }
    if renewal && decided.direzione.is_none() {
        decided.direzione = earlier.and_then(|earlier| earlier.direzione);
    }
    ente.decisione = Some(decided);
    ente.stato = to;
    if come_richiesto && accolta {
        let Richiesta {
            operazioni,
            prestazioni,
            ..
        } = &ente.richiesta;
        if operazioni.is_empty() {
            return invalid("la richiesta non dice quali operazioni: usare varco ente abilita");
        }
        // The detail of a DSU needs a grant of its own, for checks.
        let granted = Abilitazione {
            operazioni: operazioni
                .iter()
                .filter(|operation| *operation != DETAIL)
                .cloned()
                .collect(),
            prestazioni: prestazioni.clone(),
            ..Abilitazione::default()
        };
        if granted.operazioni.is_empty() {
            return invalid(format!(
                "la richiesta chiede solo {DETAIL}, che è per i controlli: usare varco ente abilita con --controlli"
            ));
        }
        check_grant(ente, &granted, false, today)?;
        ente.grant(granted);
    }
    Ok(match (accolta, renewal) {
        (true, false) => "ente accredita",
        (true, true) => "ente rinnova",
        (false, _) => "ente rifiuta",
    })
}

fn change_state(ente: &mut Ente, to: Stato) -> Result<&'static str, Wrong> {
    let from = ente.stato;
    let operation = match (from, to) {
        (Stato::Sospeso, Stato::Accreditato) => "ente riattiva",
        (Stato::Accreditato, Stato::Sospeso) => "ente sospendi",
        (Stato::Accreditato | Stato::Sospeso, Stato::Revocato) => "ente revoca",
        _ => {
            return invalid(format!(
                "un ente nello stato {} non può passare a {}",
                from.name(),
                to.name()
            ));
        }
    };
    ente.stato = to;
    Ok(operation)
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
