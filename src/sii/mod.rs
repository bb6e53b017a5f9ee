//! The Sistema Informativo ISEE: who answers what a DSU was worth.
//!
//! [`Sii`] is the seam; [`embedded`] answers from this ledger: protocols, idempotence and archive are its own affair. A remote one fits behind
//! the same seam.
//!
//! - `ricezione` receives declarations. `riferite` receives those that refer to an earlier one: `riferimento` decides whether they may, `corrente` makes
//!   current ISEE.
//! - `attesa` attests what waited, [`regole`] applies rules that have changed, [`feed`] loads the feed and finds its records again.
//! - `registrazione` makes the entries that these record, `receipt` their receipts. [`entries`] says what the entries hold, [`archive`] finds them again.
//! - `status` tells the fate of a DSU or a lot, [`uses`] counts the exchanges that gave a DSU away.

pub mod archive;
mod attesa;
mod corrente;
pub mod embedded;
pub mod entries;
pub mod feed;
mod receipt;
mod registrazione;
pub mod regole;
mod ricezione;
mod riferimento;
mod riferite;
mod status;
pub mod uses;

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::contract::Trasmessa;
use crate::contract::consultazione::Chiave;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, DsuDelLotto, EsitoDsu, EsitoLotto};
use crate::isee::CodiceFiscale;
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::Difetto;
use crate::isee::dsu::Dichiarazione;
use crate::ledger::{Draft, Position, Precondition};
use crate::registry::Permit;

/// What is asked of the SII.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    /// The attestation that a key finds, valid on a day.
    Attestazione {
        /// By which key.
        chiave: &'a Chiave,
        /// On which day.
        on: Date,
    },
    /// The DSU that a key finds, by its attestation, valid on a day.
    Dichiarazione {
        /// By which key.
        chiave: &'a Chiave,
        /// On which day.
        on: Date,
    },
    /// Whether a declarant has a DSU of that protocol.
    Protocollo {
        /// The declarant.
        dichiarante: &'a CodiceFiscale,
        /// The protocol.
        protocollo: &'a str,
    },
    /// To receive a DSU.
    Ricezione(&'a Trasmessa),
    /// What became of a DSU that the ente transmitted.
    EsitoDsu(&'a ChiaveDsu),
    /// What became of a lot that the ente transmitted.
    EsitoLotto(&'a ChiaveLotto),
    /// To keep what became of a lot, once its DSU have been received.
    Lotto(&'a [DsuDelLotto], &'a str),
}

/// On which occasion: all that decides or is recorded is given, so that nothing reads a clock.
#[derive(Clone, Copy, Debug)]
pub struct Occasion {
    /// The exchange that the entries belong to.
    pub exchange: Uuid,
    /// First byte of the request: the legal instant.
    pub received: Timestamp,
    /// The day, in Italy.
    pub today: Date,
    /// The place of the first entry among those of the exchange: the exchange's own is 0.
    pub ordinal: u32,
    /// Whether long work may be done now, since it keeps nobody else waiting.
    pub beside: bool,
}

/// Reading a sealed part longer than this, and answering from it, is long work; bytes. A shorter one costs at most some 6 million instructions, reply
/// included.
pub const LONG: u32 = 32 << 10;

/// Looking at more attestations of a person, or more DSU of a declarant, is long work. To rule one out costs some 70 thousand instructions. Only
/// invented DSU are so many.
pub const MANY: usize = 100;

impl Occasion {
    /// How many attestations of a person, or DSU of a declarant, may be looked at now.
    fn most(&self) -> usize {
        if self.beside { usize::MAX } else { MANY }
    }

    /// Whether an entry may be read now.
    pub fn allows(&self, position: &Position) -> Result<(), SiiError> {
        if self.beside || position.sealed_length <= LONG { Ok(()) } else { Err(SiiError::Long) }
    }
}

/// What the SII says.
#[derive(Debug)]
pub struct Outcome {
    /// The answer.
    pub answer: Answer,
    /// Entries to be recorded with the exchange.
    pub drafts: Vec<Draft>,
    /// What must hold when they are: what was read to answer.
    pub preconditions: Vec<Precondition>,
    /// How many protocols the sender named in vain: there is no such DSU, or none that it may name for that person.
    pub falliti: u32,
}

impl Outcome {
    /// An answer that was read, and nothing to be recorded for it.
    pub fn read(answer: Answer, preconditions: Vec<Precondition>) -> Self {
        Self { answer, drafts: Vec::new(), preconditions, falliti: 0 }
    }
}

/// An answer of the SII.
#[derive(Debug)]
pub enum Answer {
    /// The attestation found.
    Found(Box<Found>),
    /// The DSU found, completed, with its protocol and the codici fiscali of all persons in it.
    Declared(Box<Dichiarazione>, String, Vec<String>),
    /// The protocol exists.
    Exists,
    /// What became of a DSU, with the codici fiscali of all persons in it.
    EsitoDsu(Box<EsitoDsu>, Vec<String>),
    /// What became of a lot.
    EsitoLotto(Box<EsitoLotto>),
    /// None.
    NotFound,
    /// A DSU that was received, now or before: the same answer each time.
    Accepted(Accepted),
    /// A DSU that is refused, with all its defects.
    Refused {
        /// The first hundred.
        difetti: Vec<Difetto>,
        /// How many more there are.
        altri: usize,
    },
}

/// An attestation that was found.
pub struct Found {
    /// The attestation.
    pub attestazione: Attestazione,
    /// The ente that transmitted its DSU.
    pub ente: Option<String>,
    /// When it was issued.
    pub rilasciata: Option<Date>,
    /// The records of the feed that it was computed with; nothing if that was not kept.
    pub feed: Option<Box<RawValue>>,
    /// The versions of other DSU that it was computed with, by their protocols; nothing if that was not kept.
    pub riferite: Option<Vec<String>>,
    /// The codici fiscali of all persons in it.
    pub persone: Vec<String>,
    /// The lines of the specific ISEE, where there was one.
    pub specifico: Option<serde_json::Value>,
}

impl Found {
    /// The protocol of what was attested: that of the substitute form, where the ISEE is a current one.
    pub fn protocollo(&self) -> &str {
        let form = self.attestazione.ordinario.as_ref().and_then(|ordinario| ordinario.protocollo_dsu_modulo_sostitutivo.as_deref());
        form.unwrap_or(&self.attestazione.numero_protocollo_dsu)
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Found(..)")
    }
}

/// A DSU that was received.
#[derive(Clone)]
pub struct Accepted {
    /// Its protocol.
    pub protocollo: String,
    /// When it was received first.
    pub received: Timestamp,
    /// The receipt.
    pub receipt: String,
    /// Whether it had been received before.
    pub again: bool,
    /// Of a cancellation: how many exchanges had used what was cancelled, where that can be counted.
    pub utilizzi: Option<u32>,
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accepted").field("again", &self.again).finish_non_exhaustive()
    }
}

/// Why the SII gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiiError {
    /// The ledger cannot be written, or cannot be read.
    #[error("non disponibile: {0}")]
    Unavailable(String),
    /// A mistake of ours; the text holds no value.
    #[error("errore interno: {0}")]
    Internal(String),
    /// The answer needs long work, and the occasion does not allow it: to be asked again on one that does.
    #[error("long work")]
    Long,
}

/// What the future of an answer looks like behind `dyn`.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Outcome, SiiError>> + Send + 'a>>;

/// A Sistema Informativo ISEE.
pub trait Sii: Send + Sync {
    /// Answers a question that a permit allows.
    fn answer<'a>(&'a self, permit: &'a Permit, question: Question<'a>, occasion: Occasion) -> Answering<'a>;

    /// Goes on with what waited for something that has come: how many DSU were attested.
    fn resume(&self, now: Timestamp) -> Resuming<'_, usize>;

    /// The waiting DSU, the oldest first, `most` of them with the reason.
    fn waiting(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError>;

    /// Applies the rule sets to what was attested by others: new versions of what they change; on trial, only counts them.
    fn apply_rules(&self, prova: bool, now: Timestamp) -> Resuming<'_, regole::Applicate>;
}

/// What the future of going on looks like behind `dyn`.
pub type Resuming<'a, T> = Pin<Box<dyn Future<Output = Result<T, SiiError>> + Send + 'a>>;

/// Attests the waiting DSU that need not wait any more, and logs the end. How many they were; none after an error.
pub async fn resume(sii: &dyn Sii, now: Timestamp) -> Option<usize> {
    match sii.resume(now).await {
        Ok(attested) => {
            tracing::info!(attested, "DSU that waited for the feed");
            Some(attested)
        }
        Err(error) => {
            tracing::error!(%error, "DSU that waited for the feed stay unattested until the next load or start");
            None
        }
    }
}

/// DSU that were received and are not attested yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InAttesa {
    /// How many.
    pub totale: usize,
    /// The oldest of them.
    pub prime: Vec<DsuInAttesa>,
}

/// A waiting DSU, with the reason. It names nobody: the sealed part of the entry does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DsuInAttesa {
    /// Its entry.
    pub voce: u64,
    /// The ente that transmitted it.
    pub ente: String,
    /// The day of its presentation.
    pub presentata: Date,
    /// Persons without known incomes.
    pub persone: usize,
    /// The year of those incomes.
    pub anno: i16,
    /// The last working day of the terms. After it the declarant may declare the missing incomes (operation I).
    pub termini: Option<Date>,
}

impl std::fmt::Display for DsuInAttesa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { voce, ente, presentata, persone, anno, termini } = self;
        write!(f, "voce {voce} ({ente}, presentata il {presentata}): ")?;
        match persone {
            0 => return write!(f, "non manca più nulla: il prossimo feed load, o il prossimo avvio, la attesta"),
            1 => write!(f, "mancano i redditi {anno} di una persona")?,
            more => write!(f, "mancano i redditi {anno} di {more} persone")?,
        }
        match termini {
            Some(last) => write!(f, "; i termini finiscono il {last}"),
            None => write!(f, "; i termini sono finiti: il dichiarante può completarla (operazione I)"),
        }
    }
}
