//! Input and output of services.

use super::tentativi::{Esaurito, Mancati, Tentativi};
use crate::config::Soglia;
use crate::contract::catalogue::Operation;
use crate::contract::{Contract, Request};
use crate::ledger::{Draft, Fact, Keys, Precondition};
use crate::services::facts::TENTATIVI;
use crate::sii::{Ask, Consultation, Reception, Said, SiiError, Step};
use crate::state::numbers::{NoNumber, Series};
use crate::xml::Element;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything a service needs.
#[derive(Clone)]
pub struct Services {
    /// Reads attested data.
    pub consultation: Arc<dyn Consultation>,
    /// Receives DSU and lots.
    pub reception: Arc<dyn Reception>,
    /// Series of IdRichiesta numbers.
    pub ids: Arc<Series>,
    /// Counts the protocols named in vain.
    pub tentativi: Arc<Tentativi>,
    /// Makes the tokens of declarants.
    pub keys: Arc<Keys>,
}

/// A request valid against its schema, with the message around it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The operation asked for.
    pub operation: Operation,
    /// The typed request.
    pub request: &'a Request,
    /// The operation's element in the message.
    pub body: Element<'a, 'a>,
    /// The body of the HTTP request.
    pub bytes: &'a [u8],
    /// The contract: the DSU of a lot are read one by one.
    pub contract: &'a Contract,
    /// The configured thresholds.
    pub soglie: &'a [Soglia],
}

/// A rendered reply, not released yet, with all its records.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The body's only element.
    pub reply: String,
    /// For the entry of the exchange.
    pub note: Note,
    /// Entries of the SII, to be recorded too.
    pub drafts: Vec<Draft>,
    /// Versions the views must still have.
    pub preconditions: Vec<Precondition>,
    /// Protocols named in vain by the request.
    pub mancati: Mancati,
}

/// The content of an exchange, for its entry.
#[derive(Default)]
pub struct Note {
    /// The reply's Esito, as on the wire.
    pub outcome: &'static str,
    /// Code of the refusal, if it was refused.
    pub refusal: Option<String>,
    /// Codici fiscali concerned, canonical.
    pub cf: Vec<String>,
    /// Protocols in the request and the reply.
    pub protocol: Vec<String>,
    /// First protocols of the DSU given away.
    pub disclosed: Vec<String>,
    /// The ente's own number of the application.
    pub application: Option<String>,
    /// Further facts, by name.
    pub facts: BTreeMap<Fact, serde_json::Value>,
}

impl Note {
    /// Notes the failed attempts, if any.
    pub(super) fn failed(&mut self, mancati: &Mancati) {
        if let (false, Ok(mancati)) = (mancati.is_empty(), serde_json::to_value(mancati)) {
            self.facts.insert(TENTATIVI, mancati);
        }
    }
}

/// May hold codici fiscali: prints the outcome and the refusal alone.
impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Note")
            .field("outcome", &self.outcome)
            .field("refusal", &self.refusal)
            .finish_non_exhaustive()
    }
}

/// Why nothing was prepared.
#[derive(Debug, thiserror::Error)]
pub enum NotPrepared {
    /// The ledger or the views are not available.
    #[error("not available: {0}")]
    Unavailable(String),
    /// The answer needs long work, not allowed on this occasion: to be performed again where it is allowed.
    #[error("long work")]
    Long,
    /// Another system must be asked first: to be performed again with its reply.
    #[error("another system must be asked")]
    Ask(Ask),
    /// Too many protocols were named in vain.
    #[error("no failed attempts are left")]
    Exhausted(Esaurito),
}

impl From<NoNumber> for NotPrepared {
    fn from(error: NoNumber) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The next IdRichiesta: positive, and it wraps.
pub(super) async fn id_richiesta(services: &Services) -> Result<i32, NotPrepared> {
    let number = services.ids.next().await?;
    // xs:int: after 2,147,483,647 comes 1.
    let wrapped = (number.saturating_sub(1)) % u64::from(i32::MAX.unsigned_abs()) + 1;
    Ok(i32::try_from(wrapped).unwrap_or(1))
}

/// The end of a question to the SII.
pub(super) enum Heard<T> {
    /// The SII's answer.
    Said(Said<T>),
    /// A mistake of its own, or no reply of another system: an Esito with IdRichiesta 0. The text holds no
    /// value.
    Failed(String),
}

/// Splits a step of the SII: the gateway deals with "not available", with "long" and with questions for other
/// systems.
pub(super) fn heard<T>(step: Result<Step<T>, SiiError>) -> Result<Heard<T>, NotPrepared> {
    match step {
        Ok(Step::Done(said)) => Ok(Heard::Said(said)),
        Ok(Step::Ask(ask)) => Err(NotPrepared::Ask(ask)),
        Err(SiiError::Unavailable(text)) => Err(NotPrepared::Unavailable(text)),
        Err(SiiError::Long) => Err(NotPrepared::Long),
        Err(SiiError::Internal(text)) => Ok(Heard::Failed(text)),
    }
}

/// The number of protocols named in vain, from a step.
pub(super) fn failed_attempts<T>(step: &Result<Step<T>, SiiError>) -> u32 {
    match step {
        Ok(Step::Done(said)) => said.falliti,
        Ok(Step::Ask(_)) | Err(_) => 0,
    }
}
