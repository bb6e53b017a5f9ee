//! The one function behind `varco ente`: a command, an actor and a reason go in, an entry comes out. It runs
//! in the gateway when one is running (by the admin socket), else in the command itself.

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

/// What to do with an ente.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "comando")]
pub enum Command {
    /// Registers a request for accreditation: of an ente that is new, or was refused or revoked.
    Richiedi {
        /// Its code.
        codice: String,
        /// What it is called and where it is found.
        anagrafica: Anagrafica,
        /// What it asks for.
        richiesta: Richiesta,
    },
    /// Changes what it is called and where it is found.
    Aggiorna {
        /// Which ente.
        codice: String,
        /// As it is now.
        anagrafica: Anagrafica,
        /// As it was when the change was made up: if it is not so any more, nothing is changed.
        letta: Anagrafica,
    },
    /// Decides on its request; of an ente that is accredited: renews.
    Decidi {
        /// Which ente.
        codice: String,
        /// Accredited, or refused.
        accolta: bool,
        /// The decision; its day is the present one.
        decisione: Decisione,
        /// Whether all that was asked for is granted with it.
        come_richiesto: bool,
    },
    /// Suspends, reactivates, revokes.
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
        /// The certificate and its window.
        certificato: Certificato,
    },
    /// Removes a certificate.
    TogliCertificato {
        /// Which ente.
        codice: String,
        /// How it is known.
        segno: Segno,
    },
    /// Grants.
    Abilita {
        /// Which ente.
        codice: String,
        /// What.
        abilitazione: Abilitazione,
        /// The benefit that is meant where none is named, from now on; as it was, where nothing is said.
        predefinita: Option<String>,
        /// Whether what was granted before ends.
        sostituisci: bool,
    },
    /// Takes a grant back.
    Disabilita {
        /// Which ente.
        codice: String,
        /// The grant's number.
        numero: u32,
    },
    /// Adds an office, or changes it.
    Ufficio {
        /// Which ente.
        codice: String,
        /// The office.
        ufficio: Ufficio,
    },
    /// Removes an office.
    TogliUfficio {
        /// Which ente.
        codice: String,
        /// Its code.
        ufficio: String,
    },
    /// Whether requests must name an office.
    UfficiObbligatori {
        /// Which ente.
        codice: String,
        /// Whether they must.
        obbligatori: bool,
    },
    /// Takes over an ente of an earlier format, as it is. Never from outside: `varco upgrade` alone does it.
    #[serde(skip)]
    Converti {
        /// The ente.
        ente: Box<Ente>,
    },
    /// The content of its replies.
    Risposte {
        /// Which ente.
        codice: String,
        /// Whether attestations have ISEEFamiglia. The schema of 2021 does not know it.
        isee_famiglia: bool,
    },
    /// Sets quotas: those given replace those before.
    Quota {
        /// Which ente.
        codice: String,
        /// How much.
        quote: Quote,
        /// For each operator rather than the ente.
        operatore: bool,
    },
}

impl Command {
    /// Which ente it is about.
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

/// The actor: the user by the operating system, and the claims of the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// User id.
    pub uid: u32,
    /// Process id.
    pub pid: Option<i32>,
    /// The login user: a claim.
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

/// Characters of an operator's name that are kept.
const LONGEST_NAME: usize = 100;

impl Claims {
    /// The same with a name that an entry has room for: short, on one line.
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
    /// A user, and nothing claimed.
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

/// Carries out many commands, all or none, each on another ente. The enti after the changes, in order.
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
    // Against another administrator at the same moment: three times.
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

/// More than one batch holds: nothing was registered.
const TOO_MANY: &str = "più enti di quanti entrano in una sola registrazione (32 MiB): dividere la tabella";

/// Whether an ente could be registered, or changed, so: what is wrong, in Italian. Certificates that others
/// may have are not looked for.
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

/// Whether this could be asked for: what is wrong, in Italian.
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
    /// Keys of certificates that this change gives to the ente, and takes from it.
    taken: Vec<String>,
    freed: Vec<String>,
    preconditions: Vec<Precondition>,
}

fn prepare(registry: &Registry, command: &Command, today: Date) -> Result<Change, Wrong> {
    let code = command.codice();
    // The version before the record: another administrator in between makes a conflict.
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
        // The version before the holder: who takes it in between makes a conflict.
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
        // A request is another matter: `requested`.
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
            // As it was written, else but for leading zeros.
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
        // Who was refused or revoked asks again, and has nothing of what it had.
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

/// Words of the commands, which are no code of an ente.
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
    // Who is suspended is reactivated, not accredited.
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
        // What is read in detail is granted by itself, for checks.
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
