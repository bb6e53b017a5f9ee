//! From an exchange to its entry: gathers its content on the way, records it, and records refusals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::beside::{self, Held};
use super::body::Places;
use super::gathered::Stretta;
use super::outcome::{Counted, Outcome, Rendered};
use super::pseudonyms::Pseudonyms;
use super::quota::{self, Exceeded, Operator, Standing};
use super::{Gateway, fault};
use crate::clock::day;
use crate::contract::catalogue::Operation;
use crate::gateway::facts::{CRL_SCADUTA, DIALETTO, SOAP};
use crate::ledger::leaf::OPERATORS;
use crate::ledger::{
    Blinding, Body, Commitments, Draft, KeyError, Kind, Micros, NotCommitted, PrepareError, Receipt,
    Retention, Role, Secret, Sizes, Submission, TokenKey, Tokens, new_exchange,
};
use crate::refusal::{Code, Refusal};
use crate::registry::Caller;
use crate::registry::ente::Ente;
use crate::services::facts::CHIESTE;
use crate::services::tentativi::{Di, Mancati, Svuotato};
use crate::services::{Note, Prepared};
use crate::sii::facts::DIVULGA;
use crate::sii::{Occasion, Returned};
use crate::soap::{Identity, Version};
use crate::tls::Peer;
use crate::tls::server::TlsVersion;

/// The channel of an exchange, known before its request is read.
#[derive(Debug)]
pub(super) struct Channel {
    /// The client's certificate, from the handshake.
    pub(super) peer: Peer,
    /// The client's address, without port; behind a balancer, the one it names.
    pub(super) address: String,
    /// The version of TLS.
    pub(super) tls: TlsVersion,
    /// The tokens of the address.
    pub(super) pseudonyms: Pseudonyms,
}

/// An exchange, as its connection knows it.
#[derive(Debug)]
pub(super) struct Passage {
    /// Id of the exchange.
    pub(super) id: Uuid,
    /// First byte of its request.
    pub(super) received: Timestamp,
    recorded: AtomicBool,
    /// Sequences of the `asked` entries of its questions to other systems.
    asked: Mutex<Vec<u64>>,
}

impl Passage {
    /// Begins an exchange. None if no id can be made.
    pub(super) fn begin(received: Timestamp) -> Option<Self> {
        Some(Self {
            id: new_exchange(received).ok()?,
            received,
            recorded: AtomicBool::new(false),
            asked: Mutex::default(),
        })
    }

    /// Notes a question to another system, by the sequence of its entry.
    pub(super) fn asked(&self, sequence: u64) {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sequence);
    }

    /// Sequences of the `asked` entries so far.
    pub(super) fn all_asked(&self) -> Vec<u64> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the ledger has it.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Acquire)
    }
}

/// The content of the entry of an exchange, gathered on the way.
pub(super) struct Record<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) channel: &'a Channel,
    pub(super) passage: &'a Passage,
    pub(super) exchange: Uuid,
    pub(super) received: Timestamp,
    pub(super) ente: Option<String>,
    pub(super) operation: Option<Operation>,
    pub(super) identity: Identity,
    pub(super) request: Bytes,
    pub(super) micros: Micros,
    /// SOAP version of the answer.
    pub(super) version: Version,
    /// Whether the certificate counts as unrevoked by an overdue list.
    pub(super) within_grace: bool,
    /// The rest of the ente's quota.
    pub(super) standing: Option<Standing>,
    /// Whether it was counted for its operator.
    of_operator: bool,
    /// The room of its body, given back after the body.
    pub(super) places: Places,
    /// Its tokens so far.
    pseudonyms: Pseudonyms,
}

impl<'a> Record<'a> {
    /// The record of an exchange just begun.
    pub(super) fn new(
        gateway: &'a Gateway,
        channel: &'a Channel,
        passage: &'a Passage,
        version: Version,
    ) -> Self {
        Self {
            gateway,
            channel,
            passage,
            exchange: passage.id,
            received: passage.received,
            ente: None,
            operation: None,
            identity: Identity::default(),
            request: Bytes::new(),
            micros: Micros::default(),
            version,
            within_grace: false,
            standing: None,
            of_operator: false,
            places: Places::default(),
            pseudonyms: Pseudonyms::default(),
        }
    }

    /// The occasion for the services. `beside`: they may take long. `returned`: replies of other systems.
    pub(super) fn occasion<'w>(&self, beside: bool, returned: &'w [Returned]) -> Occasion<'w> {
        Occasion {
            exchange: self.exchange,
            received: self.received,
            today: day(self.received),
            ordinal: 1,
            beside,
            returned,
        }
    }

    /// Microseconds since the first byte.
    pub(super) fn elapsed(&self) -> u64 {
        u64::try_from(self.gateway.clock.now().as_microsecond() - self.received.as_microsecond())
            .unwrap_or_default()
    }

    /// The token of the named operator, as counted by quotas. None without a name.
    fn operator(&self) -> Option<u64> {
        let user = self.identity.user.as_deref()?;
        let token = self.token(self.operators(), "operator", user).ok()?;
        Some(quota::digest(&token))
    }

    /// The token of a value, made once.
    fn token(&self, key: TokenKey, label: &'static str, value: &str) -> Result<String, KeyError> {
        self.pseudonyms
            .token(&self.gateway.node.ledger.keys, key, label, value)
    }

    /// The key of operators' tokens: one for exchanges of every class, so that quotas count an operator once.
    fn operators(&self) -> TokenKey {
        TokenKey::of(self.received, OPERATORS)
    }

    /// The retention class of its entry.
    fn retention(&self) -> Retention {
        self.operation
            .map_or(Retention::Consultazione, Operation::retention)
    }

    /// Takes one more exchange of the operator. Later calls count nothing.
    pub(super) fn take_for_operator(&mut self, caller: &Caller) -> Result<(), Exceeded> {
        let Some(token) = self.operator().filter(|_| !self.of_operator) else {
            return Ok(());
        };
        let ente = caller.ente();
        let operator = Operator {
            token,
            quote: &ente.quote_operatore,
        };
        self.of_operator = true;
        let standing = self
            .gateway
            .quotas
            .take_for(&ente.codice, &ente.quote, operator, self.received)?;
        self.standing = [self.standing, standing]
            .into_iter()
            .flatten()
            .min_by_key(|standing| standing.remaining);
        Ok(())
    }

    /// Counts the persons of a reply, within the quotas of ente and operator.
    pub(super) fn disclose(&self, ente: &Ente, persons: &[String]) -> Result<(), Exceeded> {
        let quotas = &self.gateway.quotas;
        let key = TokenKey::of(self.received, self.retention());
        let tokens = persons
            .iter()
            .filter_map(|code| self.token(key, "cf", code).ok())
            .map(|token| quota::digest(&token));
        let tokens: Vec<u64> = tokens.collect();
        let operator = self.operator().map(|token| Operator {
            token,
            quote: &ente.quote_operatore,
        });
        quotas.read(&ente.codice, &ente.quote, operator, &tokens, self.received)
    }

    /// No room left for lots, or for bodies and replies. The ente gets its exchange back.
    pub(super) fn no_room(&self, caller: &Caller) -> Counted {
        self.gateway
            .quotas
            .give_back(&caller.ente().codice, &caller.ente().quote, self.received);
        Counted::busy("too many lots, or too long bodies and replies, under way")
    }

    /// Tells log, metrics and ledger of each emptied bucket of attempts. No person is named.
    pub(super) fn alarm(&self) {
        for Svuotato { ente, di } in self.gateway.node.services.tentativi.emptied() {
            tracing::error!(exchange = %self.exchange, ente, bucket = di.name(), "too many protocols named in vain: is somebody guessing?");
            self.gateway.metrics.exhausted(&ente, di.name());
            let reason = match di {
                Di::Ente => Stretta::H10TentativiEnte.code(),
                Di::Dichiarante => Stretta::H11TentativiDichiarante.code(),
            };
            self.gateway
                .gathered
                .count(reason, Some(self.channel.peer.fingerprint()));
        }
    }

    /// Gives back the attempts of an exchange that is tried again.
    pub(super) fn give_back(&self, operation: Operation, caller: &Caller, mancati: &Mancati) {
        let tentativi = &self.gateway.node.services.tentativi;
        tentativi.give_back(operation, &caller.ente().codice, mancati);
    }

    /// Counts a refusal without recording it.
    pub(super) fn count(&mut self, counted: Counted) -> Outcome {
        self.gateway
            .gathered
            .count(counted.reason, Some(self.channel.peer.fingerprint()));
        self.standing = counted.standing.or(self.standing);
        Outcome::Counted(counted)
    }

    /// Records a refusal before it is said. If this fails, the answer is 503 and tells nothing.
    pub(super) async fn refuse(&mut self, refusal: Refusal) -> Outcome {
        if refusal.code == Code::Unavailable {
            tracing::warn!(exchange = %self.exchange, internal = %refusal.internal, "unavailable");
            return Outcome::Unavailable;
        }
        // An entry with an operator counts for the operator: a start counts the entries of the day in the
        // same way.
        if let (Some(ente), false, Some(token)) = (&self.ente, self.of_operator, self.operator()) {
            self.gateway.quotas.count_for(ente, token, self.received);
        }
        let text = fault::render(&refusal, self.exchange, self.version);
        let note = Note {
            outcome: "FAULT",
            refusal: Some(fault::row(refusal.code).ledger.to_owned()),
            ..Note::default()
        };
        match self
            .commit(
                Prepared {
                    note,
                    ..Prepared::default()
                },
                &text,
                None,
            )
            .await
        {
            Ok(receipt) => {
                let status = fault::status(refusal.code, self.version);
                let rendered = Rendered::released(&receipt, status, text, Places::default());
                Outcome::Recorded(rendered.closing(closes(refusal.code)))
            }
            Err(error) => {
                tracing::warn!(exchange = %self.exchange, %error, "not recorded");
                Outcome::Unavailable
            }
        }
    }

    /// Makes the entry of the exchange and submits it, with the entries of the SII after it. `held`: the
    /// place of long work.
    pub(super) async fn commit(
        &mut self,
        prepared: Prepared,
        rendered: &str,
        held: Option<Held>,
    ) -> Result<Receipt, NotCommitted> {
        let Prepared {
            note,
            drafts,
            preconditions,
            ..
        } = prepared;
        // Hashing request and reply is long work if they are long.
        let held = match held {
            None if self.request.len() + rendered.len() >= beside::LONG => {
                self.gateway
                    .beside
                    .enter(self.ente.as_deref().unwrap_or_default())
                    .await
            }
            held => held,
        };
        self.micros.work = self.elapsed();
        let (outcome, refusal) = (note.outcome, note.refusal.clone());
        let entry = beside::step(held.as_ref(), || self.entry(note, rendered)).map_err(|error| {
            tracing::error!(exchange = %self.exchange, %error, "entry cannot be prepared");
            NotCommitted::Unavailable
        })?;
        drop(held);
        let drafts: Vec<Draft> = std::iter::once(entry).chain(drafts).collect();
        let receipt = self
            .gateway
            .node
            .ledger
            .committer
            .submit(Submission {
                drafts,
                preconditions,
            })
            .await?;
        self.passage.recorded.store(true, Ordering::Release);
        let (ente, operation) = (self.ente.as_deref(), self.operation.map(Operation::name));
        self.gateway
            .metrics
            .exchange(ente, operation, outcome, &self.micros, self.elapsed());
        tracing::info!(
            exchange = %self.exchange, sequence = receipt.first(), ente = self.ente.as_deref(), operation = self.operation.map(Operation::name),
            outcome, refusal = refusal.as_deref(), micros = self.elapsed(), "exchange"
        );
        Ok(receipt)
    }

    /// The tokens to find the entry by, under the key of its year and class.
    fn tokens(&self, note: &Note) -> Result<Tokens, KeyError> {
        let key = TokenKey::of(self.received, self.retention());
        let token = |label, value: &str| self.token(key, label, value);
        let (channel, keys) = (self.channel, &self.gateway.node.ledger.keys);
        Ok(Tokens {
            cf: note
                .cf
                .iter()
                .map(|code| token("cf", code))
                .collect::<Result<_, _>>()?,
            operator: self
                .identity
                .user
                .as_deref()
                .map(|user| self.token(self.operators(), "operator", user))
                .transpose()?,
            protocol: note
                .protocol
                .iter()
                .map(|text| token("protocol", text))
                .collect::<Result<_, _>>()?,
            address: Some(channel.pseudonyms.token(keys, key, "address", &channel.address)?),
            application: note
                .application
                .as_deref()
                .map(|number| token("application", number))
                .transpose()?,
            ..Tokens::under(key)
        })
    }

    /// The entry of the exchange: tokens, commitments to both messages, sealed part.
    fn entry(&self, note: Note, rendered: &str) -> Result<Draft, PrepareError> {
        let ledger = &self.gateway.node.ledger;
        let tokens = self.tokens(&note)?;
        let key = tokens.key();
        let blinding = Blinding::new()?;
        let mut body = Body::new(Kind::Exchange, self.retention(), self.exchange, self.received);
        body.role = Some(Role::Erogatore);
        body.ente.clone_from(&self.ente);
        body.cert = Some(self.channel.peer.fingerprint().to_owned());
        body.operation = self.operation.map(|operation| operation.name().to_owned());
        body.outcome = Some(note.outcome.to_owned());
        body.refusal = note.refusal;
        body.tokens = Some(tokens);
        body.commit = Some(Commitments {
            request: Some(blinding.commit("request", &self.request)),
            reply: Some(blinding.commit("reply", rendered.as_bytes())),
            sealed: None,
        });
        body.sizes = Some(Sizes {
            request: self.request.len() as u64,
            reply: rendered.len() as u64,
        });
        body.micros = Some(self.micros);
        body.tls = Some(self.channel.tls.name().to_owned());
        if self.within_grace {
            body = body.fact(CRL_SCADUTA, true);
        }
        if self.version == Version::V12 {
            body = body.fact(SOAP, "1.2");
        }
        if self
            .operation
            .is_some_and(|operation| operation.service().is_pdd())
        {
            body = body.fact(DIALETTO, "PdD");
        }
        if self.operation.is_some() {
            let stems = note.disclosed.iter();
            let disclosed = stems
                .map(|stem| self.token(key, "protocol", stem))
                .collect::<Result<Vec<_>, _>>()?;
            body = body.fact(DIVULGA, disclosed);
        }
        let asked = self.passage.all_asked();
        if !asked.is_empty() {
            body = body.fact(CHIESTE, asked);
        }
        for (name, value) in note.facts {
            body = body.fact(name, value);
        }
        let secret = Secret {
            cf: note.cf,
            operator: self.identity.user.clone(),
            office: self.identity.office.clone(),
            protocol: note.protocol,
            address: Some(self.channel.address.clone()),
            application: note.application,
            ..Secret::default()
        };
        ledger.prepare(body, &secret, blinding, 0, self.received)
    }
}

/// Whether the connection ends with a refusal: the certificate is not valid any more, the request was left
/// half read, or it is ambiguous.
fn closes(code: Code) -> bool {
    matches!(
        code,
        Code::NotAuthorized
            | Code::PeerInvalid
            | Code::Malformed
            | Code::Fields
            | Code::BodyTooLarge
            | Code::BodyTimeout
            | Code::BodyInterrupted
    )
}
