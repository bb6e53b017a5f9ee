//! The one function behind `varco ente`: a command, an actor and a reason go in, an entry comes out. It runs in the gateway when one is running (by
//! the admin socket), else in the command itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::abilitazione::{Abilitazione, DETAIL};
use super::ente::{Anagrafica, Certificato, Decisione, Ente, Modo, Richiesta, Segno, Stato, Ufficio};
use super::entries::{certificate_key, ente_key};
use super::quota::Quote;
use crate::clock::rome;
use crate::contract::catalogue::Operation;
use crate::isee::CodiceFiscale;
use crate::isee::codice_fiscale::Kind as CodeKind;
use crate::ledger::{Blinding, Body, Kind, Ledger, NotCommitted, Precondition, PrepareError, Retention, Secret, Submission, new_exchange};

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
        /// Which grant, from 1.
        numero: usize,
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
            | Self::Quota { codice, .. } => codice,
            Self::Converti { ente } => &ente.codice,
        }
    }
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
    let mut after = perform_all(ledger, registry, std::slice::from_ref(command), actor, reason, now).await?;
    after.pop().ok_or_else(|| Rejected::Invalid("nessun comando".to_owned()))
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
    if let Some(twice) = commands.iter().map(Command::codice).find(|code| !seen.insert(*code)) {
        return Err(Rejected::Invalid(format!("{twice}: due comandi insieme sullo stesso ente")));
    }
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    let today = rome(now).date();
    // Against another administrator at the same moment: three times. A grant is taken back by its number, which may be another's by then: once.
    let by_number = commands.iter().any(|command| matches!(command, Command::Disabilita { .. }));
    for _ in 0..if by_number { 1 } else { 3 } {
        let exchange = new_exchange(now).map_err(|error| internal(&error))?;
        let (mut after, mut drafts, mut preconditions, mut wrong) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for command in commands {
            let change = match prepare(registry, command, today) {
                Ok(change) => change,
                Err(Wrong::Invalid(text)) => {
                    wrong.push(if commands.len() > 1 { format!("{}: {text}", command.codice()) } else { text });
                    continue;
                }
                Err(Wrong::Views(error)) => return Err(internal(&error)),
            };
            let mut body = Body::new(Kind::Registry, Retention::Registro, exchange, now)
                .fact("ente", &change.after)
                .fact("actor", actor)
                .fact("taken", &change.taken)
                .fact("freed", &change.freed);
            body.ente = Some(change.after.codice.clone());
            body.operation = Some(change.operation.to_owned());
            body.outcome = Some("OK".to_owned());
            body.keys = std::iter::once(ente_key(&change.after.codice))
                .chain(change.taken.iter().chain(&change.freed).map(|key| certificate_key(key)))
                .collect();
            let blinding = Blinding::new().map_err(|error| internal(&error))?;
            let secret = Secret { reason: Some(reason.to_owned()), ..Secret::default() };
            let ordinal = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
            match ledger.prepare(body, &secret, &blinding, ordinal, now) {
                Ok(draft) => drafts.push(draft),
                Err(PrepareError::TooLong) => wrong.push(format!("{}: la scheda dell'ente supera lo spazio di una voce", command.codice())),
                Err(error) => return Err(internal(&error)),
            }
            preconditions.extend(change.preconditions);
            after.push(change.after);
        }
        if !wrong.is_empty() {
            return Err(Rejected::Invalid(wrong.join("\n")));
        }
        match ledger.committer.submit(Submission { drafts, preconditions }).await {
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

/// Whether an ente could be registered, or changed, so: what is wrong, in Italian. Certificates that others may have are not looked for.
pub fn judge(command: &Command, existing: Option<&Ente>, today: Date) -> Result<(), String> {
    let judged = match (command, existing) {
        (Command::Richiedi { codice, anagrafica, richiesta }, existing) => {
            requested(codice, anagrafica, richiesta, existing.cloned()).map(|_| ())
        }
        (_, None) => return Err("l'ente non esiste".to_owned()),
        (command, Some(ente)) => changed(command, ente.clone(), today).map(|_| ()),
    };
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

fn prepare(registry: &Registry, command: &Command, today: Date) -> Result<Change, Wrong> {
    let code = command.codice();
    // The version before the record: another administrator in between makes a conflict.
    let version = registry.version(code)?;
    let mut preconditions = vec![Precondition { key: ente_key(code), version }];
    let existing = registry.ente(code)?;
    let before: Vec<String> = existing.iter().flat_map(|ente| &ente.certificati).map(|certificate| certificate.segno.key()).collect();
    let (operation, after) = match (command, existing) {
        (Command::Richiedi { codice, anagrafica, richiesta }, existing) => {
            ("ente richiedi", requested(codice, anagrafica, richiesta, existing)?)
        }
        (Command::Converti { ente }, None) => ("ente converti", (**ente).clone()),
        (_, None) => return invalid(format!("l'ente {code} non esiste")),
        (command, Some(ente)) => changed(command, ente, today)?,
    };
    let keys: Vec<String> = after.certificati.iter().map(|certificate| certificate.segno.key()).collect();
    let taken: Vec<String> = keys.iter().filter(|key| !before.contains(key)).cloned().collect();
    let freed: Vec<String> = before.into_iter().filter(|key| !keys.contains(key)).collect();
    for key in &taken {
        // The version before the holder: who takes it in between makes a conflict.
        let name = certificate_key(key);
        preconditions.push(Precondition { version: registry.store.version(&name)?, key: name });
        if let Some(holder) = registry.holder_of(key)? {
            return invalid(format!("il certificato è già dell'ente {holder}"));
        }
    }
    Ok(Change { operation, after, taken, freed, preconditions })
}

/// An ente after a command other than a request.
fn changed(command: &Command, mut ente: Ente, today: Date) -> Result<(&'static str, Ente), Wrong> {
    let operation = match command {
        // A request is another matter: `requested`.
        Command::Richiedi { .. } | Command::Converti { .. } => return invalid(format!("l'ente {} esiste già", ente.codice)),
        Command::Aggiorna { anagrafica, .. } => {
            let anagrafica = checked(anagrafica)?;
            let by_issuer = ente.certificati.iter().any(|certificate| matches!(certificate.segno, Segno::Emittente { .. }));
            if by_issuer && anagrafica.codice_fiscale != ente.anagrafica.codice_fiscale {
                return invalid("l'ente ha certificati per emittente, che valgono per il codice fiscale di prima: toglierli prima");
            }
            ente.anagrafica = anagrafica;
            "ente aggiorna"
        }
        Command::Decidi { accolta, decisione, come_richiesto, .. } => decide(&mut ente, *accolta, decisione, *come_richiesto, today)?,
        Command::Stato { nuovo, .. } => change_state(&mut ente, *nuovo)?,
        Command::AggiungiCertificato { certificato, .. } => {
            let certificato = Certificato { segno: of_ente(&certificato.segno, &ente), ..certificato.clone() };
            check_certificate(&ente, &certificato)?;
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
        Command::Abilita { abilitazione, predefinita, sostituisci, .. } => {
            check_grant(&ente, abilitazione)?;
            if *sostituisci {
                ente.abilitazioni.clear();
                ente.prestazione_predefinita = None;
            }
            ente.abilitazioni.push(abilitazione.clone());
            if predefinita.is_some() {
                ente.prestazione_predefinita.clone_from(predefinita);
            }
            if ente.prestazione_predefinita.as_ref().is_some_and(|code| !ente.is_granted(code)) {
                return invalid("la prestazione predefinita deve essere tra quelle abilitate");
            }
            "ente abilita"
        }
        Command::Disabilita { numero, .. } => {
            let Some(index) = numero.checked_sub(1).filter(|index| *index < ente.abilitazioni.len()) else {
                return invalid(format!("l'ente non ha un'abilitazione numero {numero}"));
            };
            ente.abilitazioni.remove(index);
            // A default that is granted no more is none.
            ente.prestazione_predefinita = ente.prestazione_predefinita.take().filter(|code| ente.is_granted(code));
            "ente disabilita"
        }
        Command::Ufficio { ufficio, .. } => {
            check_office(ufficio)?;
            ente.uffici.retain(|known| known.codice != ufficio.codice);
            ente.uffici.push(ufficio.clone());
            "ente ufficio"
        }
        Command::TogliUfficio { ufficio, .. } => {
            let before = ente.uffici.len();
            ente.uffici.retain(|known| known.codice != *ufficio);
            if ente.uffici.len() == before {
                return invalid("l'ente non ha questo ufficio");
            }
            if ente.uffici_obbligatori && ente.uffici.is_empty() {
                return invalid("è l'ultimo ufficio, e uno è obbligatorio: nessuna richiesta passerebbe");
            }
            if ente.abilitazioni.iter().any(|grant| grant.uffici.contains(ufficio)) {
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
        Command::Quota { quote, operatore, .. } => {
            if [quote.al_minuto.map(u64::from), quote.al_giorno, quote.persone_al_giorno].contains(&Some(0)) {
                return invalid("una quota è almeno 1: per fermare un ente c'è varco ente sospendi");
            }
            if quote.al_minuto.is_some_and(|limit| limit > Quote::MOST_A_MINUTE) {
                return invalid(format!("una quota al minuto è al più {}", Quote::MOST_A_MINUTE));
            }
            *(if *operatore { &mut ente.quote_operatore } else { &mut ente.quote }) = *quote;
            "ente quota"
        }
    };
    Ok((operation, ente))
}

fn requested(codice: &str, anagrafica: &Anagrafica, richiesta: &Richiesta, existing: Option<Ente>) -> Result<Ente, Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if codice.len() < 2 || codice.len() > 48 || !codice.chars().all(allowed) || RESERVED.contains(&codice) {
        return invalid("codice dell'ente non valido: da 2 a 48 lettere, cifre, _ - .");
    }
    let anagrafica = checked(anagrafica)?;
    for (text, what) in [
        (&richiesta.pec, "il riferimento della PEC"),
        (&richiesta.base_giuridica, "la base giuridica"),
        (&richiesta.finalita, "la finalità"),
    ] {
        if text.trim().is_empty() || text.len() > 500 {
            return invalid(format!("{what} della richiesta manca, o supera 500 caratteri"));
        }
        check_text(text)?;
    }
    check_known(&richiesta.operazioni, &richiesta.prestazioni)?;
    match existing {
        None => Ok(Ente {
            codice: codice.to_owned(),
            anagrafica,
            stato: Stato::Richiesta,
            richiesta: richiesta.clone(),
            decisione: None,
            certificati: Vec::new(),
            abilitazioni: Vec::new(),
            prestazione_predefinita: None,
            uffici: Vec::new(),
            uffici_obbligatori: false,
            quote: Quote::default(),
            quote_operatore: Quote::default(),
        }),
        // Who was refused or revoked asks again, and has nothing of what it had.
        Some(ente) if ente.stato.next().contains(&Stato::Richiesta) => Ok(Ente {
            anagrafica,
            stato: Stato::Richiesta,
            richiesta: richiesta.clone(),
            decisione: None,
            certificati: Vec::new(),
            abilitazioni: Vec::new(),
            prestazione_predefinita: None,
            ..ente
        }),
        Some(_) => invalid(format!("l'ente {codice} esiste già")),
    }
}

/// What stands in a table as it is: a spreadsheet must not take it for a formula.
fn check_text(text: &str) -> Result<(), Wrong> {
    if text.chars().any(char::is_control) {
        return invalid("un testo contiene caratteri di controllo");
    }
    if text.starts_with(['=', '@']) { invalid(format!("un testo non comincia con {}", &text[..1])) } else { Ok(()) }
}

/// Words of the commands, which are no code of an ente.
const RESERVED: [&str; 1] = ["prova"];

fn checked(anagrafica: &Anagrafica) -> Result<Anagrafica, Wrong> {
    let Anagrafica { denominazione, codice_fiscale, tipo, codice_ipa, contatti, parti } = anagrafica;
    if denominazione.trim().is_empty() || denominazione.len() > 200 {
        return invalid("denominazione mancante, o più lunga di 200 caratteri");
    }
    if CodiceFiscale::new(codice_fiscale).kind() != Ok(CodeKind::Numerico) {
        return invalid("codice fiscale dell'ente non valido: attese 11 cifre");
    }
    let ipa =
        |code: &String| !code.is_empty() && code.len() <= 40 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if codice_ipa.as_ref().is_some_and(|code| !ipa(code)) {
        return invalid("codice IPA non valido: da 1 a 40 lettere, cifre, _ - .");
    }
    if contatti.len() > 10 || contatti.iter().any(|contact| contact.trim().is_empty() || contact.len() > 120) {
        return invalid("contatti: al più 10, ciascuno da 1 a 120 caratteri");
    }
    if parti.len() > 10
        || parti.iter().any(|party| party.tipo.is_empty() || party.nome.is_empty() || party.tipo.len() + party.nome.len() > 200)
    {
        return invalid("parti SPCoop: al più 10, ciascuna tipo:nome");
    }
    let parts = parti.iter().flat_map(|party| [&party.tipo, &party.nome]);
    for text in std::iter::once(denominazione).chain(contatti).chain(parts) {
        check_text(text)?;
    }
    if contatti.iter().chain(parti.iter().map(|party| &party.nome)).any(|text| text.contains('|')) {
        return invalid("contatti e parti SPCoop: senza |, che nelle tabelle separa l'uno dall'altro");
    }
    Ok(Anagrafica {
        denominazione: denominazione.trim().to_owned(),
        codice_fiscale: codice_fiscale.trim().to_owned(),
        tipo: *tipo,
        codice_ipa: codice_ipa.clone(),
        contatti: contatti.clone(),
        parti: parti.clone(),
    })
}

fn decide(ente: &mut Ente, accolta: bool, decisione: &Decisione, come_richiesto: bool, today: Date) -> Result<&'static str, Wrong> {
    let from = ente.stato;
    let to = if accolta { Stato::Accreditato } else { Stato::Rifiutato };
    // Who is suspended is reactivated, not accredited.
    if !from.next().contains(&to) || from == Stato::Sospeso {
        return invalid(format!("un ente nello stato {} non può passare a {}", from.name(), to.name()));
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
    let mut decided = Decisione { data: today, ..decisione.clone() };
    if accolta && decided.modi.is_empty() {
        decided.modi = earlier.as_ref().map_or_else(|| vec![Modo::CooperazioneApplicativa], |earlier| earlier.modi.clone());
    }
    if renewal && decided.direzione.is_none() {
        decided.direzione = earlier.and_then(|earlier| earlier.direzione);
    }
    ente.decisione = Some(decided);
    ente.stato = to;
    if come_richiesto && accolta {
        let Richiesta { operazioni, prestazioni, .. } = &ente.richiesta;
        if operazioni.is_empty() {
            return invalid("la richiesta non dice quali operazioni: usare varco ente abilita");
        }
        // What is read in detail is granted by itself, for checks.
        let granted = Abilitazione {
            operazioni: operazioni.iter().filter(|operation| *operation != DETAIL).cloned().collect(),
            prestazioni: prestazioni.clone(),
            ..Abilitazione::default()
        };
        check_grant(ente, &granted)?;
        ente.abilitazioni.push(granted);
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
        _ => return invalid(format!("un ente nello stato {} non può passare a {}", from.name(), to.name())),
    };
    ente.stato = to;
    Ok(operation)
}

fn check_certificate(ente: &Ente, certificato: &Certificato) -> Result<(), Wrong> {
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match &certificato.segno {
        Segno::Impronta { sha256 } if !digest(sha256) => {
            return invalid("impronta del certificato non valida: attesi 64 caratteri esadecimali minuscoli");
        }
        Segno::Emittente { emittente, .. } if !digest(emittente) => {
            return invalid("impronta della chiave dell'emittente non valida: attesi 64 caratteri esadecimali minuscoli");
        }
        Segno::Emittente { organizzazione, .. } if *organizzazione != organization_of(&ente.anagrafica.codice_fiscale) => {
            return invalid("organizationIdentifier deve essere CF:IT- seguito dal codice fiscale dell'ente");
        }
        Segno::Emittente { unita: Some(unit), .. } if !is_ipa_unit(unit) => {
            return invalid("unità non valida: IPAIT-UO_ o IPAIT-AOO_ seguito dal codice IPA");
        }
        Segno::Impronta { .. } | Segno::Emittente { .. } => {}
    }
    if certificato.periodo.is_empty() {
        return invalid("il periodo del certificato finisce prima di cominciare");
    }
    if ente.certificati.iter().any(|known| known.segno == certificato.segno) {
        return invalid("l'ente ha già questo certificato");
    }
    Ok(())
}

/// A sign with the ente's own organization, where it names none.
fn of_ente(segno: &Segno, ente: &Ente) -> Segno {
    match segno {
        Segno::Emittente { emittente, organizzazione, unita } if organizzazione.is_empty() => Segno::Emittente {
            emittente: emittente.clone(),
            organizzazione: organization_of(&ente.anagrafica.codice_fiscale),
            unita: unita.clone(),
        },
        other => other.clone(),
    }
}

/// organizationIdentifier of a body (ETSI EN 319 412-1, 5.1.4, with the scheme of Italian bodies).
pub fn organization_of(codice_fiscale: &str) -> String {
    format!("CF:IT-{codice_fiscale}")
}

/// Whether an OU names an organisational unit or an AOO of the IPA.
pub fn is_ipa_unit(unit: &str) -> bool {
    let code = unit.strip_prefix("IPAIT-UO_").or_else(|| unit.strip_prefix("IPAIT-AOO_"));
    code.is_some_and(|code| !code.is_empty() && code.len() <= 60 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)))
}

fn check_known(operazioni: &[String], prestazioni: &[String]) -> Result<(), Wrong> {
    for list in [operazioni, prestazioni] {
        let mut seen = BTreeSet::new();
        if let Some(twice) = list.iter().find(|name| !seen.insert(*name)) {
            return invalid(format!("{twice} compare due volte"));
        }
    }
    if let Some(unknown) = operazioni.iter().find(|name| Operation::by_name(name).is_none()) {
        return invalid(format!("operazione sconosciuta: {unknown}"));
    }
    let known = crate::contract::catalogue::benefits();
    if let Some(unknown) = prestazioni.iter().find(|code| !known.contains(&code.as_str())) {
        return invalid(format!("prestazione sconosciuta: {unknown}"));
    }
    Ok(())
}

fn check_grant(ente: &Ente, grant: &Abilitazione) -> Result<(), Wrong> {
    if grant.operazioni.is_empty() {
        return invalid("indicare almeno un'operazione");
    }
    check_known(&grant.operazioni, &grant.prestazioni)?;
    if !grant.controlli && grant.operazioni.iter().any(|operation| operation == DETAIL) {
        return invalid("il dettaglio della DSU è solo per i controlli: ConsultazioneDichiarazione richiede --controlli");
    }
    if let Some(unknown) = grant.uffici.iter().find(|code| !ente.uffici.iter().any(|known| known.codice == **code)) {
        return invalid(format!("l'ente non ha l'ufficio {unknown}"));
    }
    if grant.periodo.is_empty() {
        return invalid("il periodo dell'abilitazione finisce prima di cominciare");
    }
    Ok(())
}

fn check_office(ufficio: &Ufficio) -> Result<(), Wrong> {
    let code = ufficio.codice.trim();
    if code.is_empty() || code != ufficio.codice || code.len() > 50 || code.chars().any(char::is_control) {
        return invalid("codice dell'ufficio non valido: da 1 a 50 caratteri");
    }
    if ufficio.denominazione.as_ref().is_some_and(|name| name.len() > 100) {
        return invalid("denominazione dell'ufficio più lunga di 100 caratteri");
    }
    if ufficio.periodo.is_empty() { invalid("il periodo dell'ufficio finisce prima di cominciare") } else { Ok(()) }
}
