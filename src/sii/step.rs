//! A step of the SII: an answer, or a question to another system before the answer.
//!
//! Invariant: an [`Ask`] is sent only with the [`Receipt`] of its `asked` entry. It is sent once: the reply
//! is kept with the exchange, and the SII finds it in [`Occasion::returned`](super::Occasion::returned) when
//! the same question comes again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::occasion::{Lost, Returned, SiiError};
use crate::ledger::{Draft, Precondition, Receipt};

/// A step, awaited behind `dyn`.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<Step<T>, SiiError>> + Send + 'a>>;

/// The next step of an exchange.
#[derive(Debug)]
pub enum Step<T> {
    /// The answer is there.
    Done(Said<T>),
    /// Another system must be asked first.
    Ask(Ask),
}

/// An answer, with its entries.
#[derive(Debug)]
pub struct Said<T> {
    /// The answer. It rests on the state named by the preconditions.
    pub answer: T,
    /// Entries to be recorded with the exchange.
    pub drafts: Vec<Draft>,
    /// Preconditions of recording them: everything read for the answer.
    pub preconditions: Vec<Precondition>,
    /// Number of protocols named in vain by the sender: no such DSU, or none to be named for the person.
    pub falliti: u32,
}

impl<T> Said<T> {
    /// An answer from reading alone. Nothing is recorded for it.
    pub fn read(answer: T, preconditions: Vec<Precondition>) -> Self {
        Self {
            answer,
            drafts: Vec::new(),
            preconditions,
            falliti: 0,
        }
    }

    /// The same entries with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Said<U> {
        let Self {
            answer,
            drafts,
            preconditions,
            falliti,
        } = self;
        Said {
            answer: change(answer),
            drafts,
            preconditions,
            falliti,
        }
    }
}

/// A question for another system.
pub struct Ask {
    /// Its name within the exchange: a question with the same name is not asked twice.
    pub name: &'static str,
    /// The system, as the configuration names it.
    pub to: String,
    /// The request, byte for byte as sent.
    pub request: Bytes,
    /// Canonical codici fiscali of the persons named in it.
    pub persone: Vec<String>,
    /// Carries the request to the system.
    pub carrier: Arc<dyn Carrier>,
}

impl Ask {
    /// Sends the question, given the receipt of its `asked` entry.
    pub async fn send(self, _: &Receipt) -> Returned {
        let Self {
            name,
            request,
            carrier,
            ..
        } = self;
        Returned {
            name,
            reply: carrier.carry(request).await,
        }
    }
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask")
            .field("name", &self.name)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// A reply, awaited behind `dyn`.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = Result<Bytes, Lost>> + Send + 'a>>;

/// Carries a question to another system, bounded in time.
pub trait Carrier: Send + Sync {
    /// The reply, byte for byte.
    fn carry(&self, request: Bytes) -> Carrying<'_>;
}
