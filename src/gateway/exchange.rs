//! The way of one exchange, from top to bottom. What stands between the steps is a type, so that no step can be skipped: only a `Permit` opens a
//! service, only a `Receipt` lets a reply out. A refusal at any step is an outcome like another: recorded, then turned into bytes by `fault`.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request as HttpRequest, Response, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

use super::beside::Held;
use super::body::{Inbound, Places, Read, outbound};
use super::fault;
use super::framing::Verdict;
use super::quota::{self, Exceeded, Operator, Standing};
use super::{Gateway, beside};
use crate::clock::rome;
use crate::contract::catalogue::{Endpoint, OnViolation, Operation, plain};
use crate::contract::{Findings, Request, wsdl};
use crate::ledger::{
    Blinding, Body, Commitments, Draft, Kind, Micros, NotCommitted, Precondition, Receipt, Retention, Secret, Sizes, Submission, Tokens,
    new_exchange,
};
use crate::refusal::{Code, Refusal};
use crate::registry::ente::Ente;
use crate::registry::{Caller, Identified};
use crate::services::tentativi::{Di, Esaurito, Svuotato};
use crate::services::{self, Asked, NotPrepared, Note, Prepared, trasmissione};
use crate::sii::Occasion;
use crate::sii::uses::DISCLOSED;
use crate::soap::mime::NotAPackage;
use crate::soap::{self, Bounds, Identity, Media, NotACall, NotRead, Text, Unreadable, Version};
use crate::tls::Peer;
use crate::tls::peer::Valid;
use crate::xml::XmlError;
use crate::xml::encoding::EncodingError;

/// How often an exchange is tried again because something changed while it was under way.
const ATTEMPTS: usize = 3;

/// How long a 429 is kept before it leaves. It costs CPU too, and who asks again at once would ask as often as its connections carry: so each
/// carries one in this time, which is no longer than `Retry-After` says. The place among the ente's requests is given back before.
const REFUSED: Duration = Duration::from_secs(1);

/// The whole response, in memory.
pub type Reply = Response<Full<Bytes>>;

/// What is known of an exchange before its request is read.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The client's certificate.
    pub peer: Peer,
    /// Its address, without port.
    pub address: String,
    /// `1.2` or `1.3`.
    pub tls: &'static str,
}

/// An exchange, as its connection knows it.
#[derive(Debug)]
pub struct Passage {
    /// Its id.
    pub id: Uuid,
    /// First byte of its request.
    pub received: Timestamp,
    recorded: AtomicBool,
}

impl Passage {
    /// Begins one. None if no id can be had.
    pub fn begin(received: Timestamp) -> Option<Self> {
        Some(Self { id: new_exchange(received).ok()?, received, recorded: AtomicBool::new(false) })
    }

    /// Whether the ledger has it.
    pub fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Acquire)
    }
}

/// Answers one request.
pub async fn answer(gateway: &Gateway, channel: &Channel, passage: &Passage, verdict: &Verdict, request: HttpRequest<Incoming>) -> Reply {
    if verdict.is_too_long() {
        // hyper answers the same to a head that it does not read.
        gateway.gathered.count("H06.http", Some(channel.peer.fingerprint()));
        let mut reply = respond(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, Bytes::new(), passage.id, Version::V11);
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return reply;
    }
    // For who is let in; others are told what any other request would be.
    if !verdict.is_wrong()
        && let Some(reply) = contract_document(gateway, &request)
        && matches!(identify(gateway, channel).await, Ok((Identified::Caller(_), _)))
    {
        return reply;
    }
    let version = media_type(request.headers()).map_or(Version::V11, |media| media.version);
    let (head, body) = request.into_parts();
    let mut inbound = Inbound::new(body);
    let mut record = Record::new(gateway, channel, passage, version);
    let mut reply = match listen(gateway, &mut record, verdict, &head, &mut inbound).await {
        Ok(reply) => reply,
        Err(refusal) => record.refuse(refusal).await,
    };
    if let Some(standing) = record.standing {
        announce(&mut reply, standing);
    }
    drop(record);
    inbound.discard(&gateway.settings.load().limits, head.headers.contains_key(EXPECT));
    if reply.status() == StatusCode::TOO_MANY_REQUESTS {
        tokio::time::sleep(REFUSED).await;
    }
    reply
}

/// Records an exchange that a mistake of ours ended, unless it was recorded before that: it has an entry of its own, and tells nothing.
pub async fn failed(gateway: &Gateway, channel: &Channel, passage: &Passage) {
    if passage.is_recorded() {
        return;
    }
    let mut record = Record::new(gateway, channel, passage, Version::V11);
    if let Ok((Identified::Caller(caller), _)) = identify(gateway, channel).await {
        record.ente = Some(caller.ente().codice.clone());
    }
    let note = Note { outcome: "FAULT", refusal: Some(INTERNAL.to_owned()), ..Note::default() };
    if record.commit(Prepared { note, ..Prepared::default() }, "", None).await.is_err() {
        gateway.gathered.name(INTERNAL, channel.peer.fingerprint(), passage.id);
    }
}

/// The refusal of an exchange that a mistake of ours ended.
const INTERNAL: &str = "E99.interno";

/// From the head of a request to the bytes of its body, and then on.
async fn listen<'a>(
    gateway: &'a Gateway,
    record: &mut Record<'a>,
    verdict: &Verdict,
    head: &Parts,
    inbound: &mut Inbound,
) -> Result<Reply, Refusal> {
    let (channel, exchange) = (record.channel, record.exchange);
    // HTTP head: whose certificate is this, is all of it valid NOW. Refused before the body is read.
    let (identified, valid) = identify(gateway, channel).await?;
    record.within_grace = valid.within_grace;
    let caller = match identified {
        Identified::Caller(caller) => caller,
        Identified::Barred(ente, refusal) => {
            // The first few one by one; of who goes on, how many.
            if gateway.gathered.is_early(channel.peer.fingerprint(), record.received) {
                record.ente = Some(ente);
                return Err(refusal);
            }
            return Ok(gathered(record, &refusal));
        }
        Identified::Unknown(refusal) => return Ok(gathered(record, &refusal)),
    };
    record.ente = Some(caller.ente().codice.clone());
    let malformed = || Refusal::new(Code::Malformed, "not well-formed as HTTP");
    if verdict.is_wrong() {
        return Err(malformed());
    }
    if head.headers.len() > MOST_FIELDS {
        return Err(Refusal::new(Code::Fields, "header fields"));
    }
    let Some(_place) = gateway.crowd.enter(&caller.ente().codice, gateway.settings.load().limits.per_ente) else {
        let refusal = Refusal::new(Code::TooManyRequests, "too many under way");
        gateway.gathered.count(fault::row(refusal.code).ledger, Some(channel.peer.fingerprint()));
        return Ok(retry_later(&refusal, exchange, record.version));
    };
    match gateway.quotas.take(&caller.ente().codice, &caller.ente().quote, record.received) {
        Ok(standing) => record.standing = standing,
        Err(exceeded) => return Ok(record.exceeded(exceeded)),
    }
    let endpoint = route(gateway, &head.method, head.uri.path())?;
    record.micros.head = record.elapsed();

    // HTTP body: bounded in size and time. Lots alone may be large, and few of them at the same time.
    let lots = endpoint.answers(Operation::TrasmissioneLotto)
        && caller.ente().may_call(Operation::TrasmissioneLotto.name(), gateway.clock.today());
    let read = inbound.read(gateway, &caller.ente().codice, &head.headers, lots).await;
    if verdict.is_wrong() {
        return Err(malformed());
    }
    let bytes = match read? {
        Read::Whole(bytes, places) => {
            record.places = places;
            bytes
        }
        Read::NoRoom => return Ok(record.no_room(&caller)),
    };
    record.request = bytes.clone();
    record.micros.body = record.elapsed();
    converse(gateway, record, caller, endpoint, &head.headers, &bytes).await
}

/// Header fields of a request. Of twice as many hyper itself says 431, without a body.
pub(super) const MOST_FIELDS: usize = 128;

/// Counts a refusal with others like it, says it, and closes the connection.
fn gathered(record: &Record<'_>, refusal: &Refusal) -> Reply {
    record.gateway.gathered.count(fault::row(refusal.code).ledger, Some(record.channel.peer.fingerprint()));
    let rendered = fault::render(refusal, record.exchange, record.version);
    let mut reply = respond(fault::status(refusal.code, record.version), rendered, record.exchange, record.version);
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// From bytes to a released reply.
async fn converse(
    gateway: &Gateway,
    record: &mut Record<'_>,
    caller: Caller,
    endpoint: Endpoint,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Reply, Refusal> {
    // soap: package, envelope, version, headers; operation by the body's root.
    let media = media_type(headers)?;
    // Long work runs beside: a large body from here on; below, a request that asks for much, or finds much.
    let mut long = bytes.len() >= beside::LONG;
    let mut held = if long { gateway.beside.enter(&caller.ente().codice).await } else { None };
    let bounds = Bounds { xml: &gateway.xml, whole: gateway.settings.load().limits.body_bytes };
    let text = Text::new();
    let message = beside::step(held.as_ref(), || soap::read(bytes, &media, bounds, &text)).map_err(|NotRead { version, why }| {
        record.version = version;
        not_read(&why)
    })?;
    record.version = message.version;
    let call = message.call().map_err(not_a_call)?;
    record.identity = identity(headers, call.identity);
    bounded(&mut record.identity)?;
    let operation = Operation::by_root(call.root.namespace(), call.root.local());
    let operation = operation.ok_or(Refusal::new(Code::UnknownOperation, "root of the body"))?;
    record.operation = Some(operation);
    if !endpoint.answers(operation) {
        return Err(Refusal::new(Code::WrongPath, "operation of another address"));
    }
    if message.outlined && operation != Operation::TrasmissioneLotto {
        return Err(Refusal::new(Code::BodyTooLarge, "body over the limit, and no lot"));
    }

    let settings = gateway.settings.load_full();
    let mut counted = false;
    let mut caller = caller;
    let mut request: Option<Result<(Request, Option<Identity>), Findings>> = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            // Something changed while this was under way: again from the permit, with the registry as it is now.
            caller = match identify(gateway, record.channel).await?.0 {
                Identified::Caller(caller) => caller,
                Identified::Barred(_, refusal) | Identified::Unknown(refusal) => return Err(refusal),
            };
        }
        // registry: may this ente call this operation.
        let precondition = caller.precondition();
        check_identity(&caller, &record.identity)?;
        let admission = caller.clone().admit(operation, rome(record.received).date())?;

        // contract: body against its schema.
        if request.is_none() {
            request = Some(beside::step(held.as_ref(), || gateway.contract.read(operation, call.root)));
        }
        let Some(typed) = &mut request else { continue };
        if let Ok((_, Some(named))) = &typed {
            // The dialect of the porta di dominio says in the body who asks.
            let before = std::mem::take(&mut record.identity);
            record.identity = Identity {
                user: named.user.clone().or(before.user),
                office: named.office.clone().or(before.office),
                ente: named.ente.clone().or(before.ente),
                contradicts: false,
            };
            bounded(&mut record.identity)?;
            check_identity(admission.caller(), &record.identity)?;
        }
        let admission = admission.from_office(record.identity.office.as_deref())?;
        if !std::mem::replace(&mut counted, true)
            && let Err(exceeded) = record.take_for_operator(admission.caller())
        {
            return Ok(record.exceeded(exceeded));
        }
        long |= matches!(typed, Ok((request, _)) if request.is_long());
        let prepared = match typed {
            // registry: purpose and benefit agree; services: perform.
            Ok((request, _)) => loop {
                if long && held.is_none() {
                    held = gateway.beside.enter(&caller.ente().codice).await;
                }
                let asked = Asked { operation, request, body: call.root, bytes, contract: &gateway.contract, soglie: &settings.soglie };
                let occasion = record.occasion(long);
                // Pinned in place: the future is large, and moving it costs more than most requests do.
                let performing = pin!(services::perform(&gateway.node.services, admission.clone(), asked, occasion));
                match beside::wait(held.as_ref(), performing).await {
                    // It found something long: once more, beside.
                    Err(NotPrepared::Long) if !long => long = true,
                    prepared => break prepared,
                }
            },
            Err(findings) => match operation.on_violation() {
                OnViolation::Fault => return Err(schema_refusal(findings)),
                OnViolation::Reply => trasmissione::refuse(&gateway.node.services, findings.clone(), Note::default()).await,
            },
        };
        let ente = caller.ente();
        record.alarm();
        let mut prepared = match prepared {
            Ok(prepared) => prepared,
            Err(NotPrepared::Unavailable(why)) => return Err(Refusal::new(Code::Unavailable, why)),
            Err(NotPrepared::Long) => return Err(Refusal::new(Code::Unavailable, "no place for long work")),
            Err(NotPrepared::Exhausted(exhausted)) => return Ok(record.exhausted(exhausted)),
        };
        prepared.preconditions.push(precondition);
        let rendered = beside::step(held.as_ref(), || soap::envelope(record.version, &prepared.reply));
        // A reply stays in memory until its client has taken it.
        let mut places = Places::default();
        if !places.take(gateway, &ente.codice, rendered.len()) {
            return Ok(record.no_room(&caller));
        }
        if operation.discloses()
            && let Err(exceeded) = record.read(ente, &prepared.note.cf)
        {
            return Ok(record.exceeded(exceeded));
        }

        // ledger: preconditions hold? append, durable. Waiting for that takes no place.
        let mancati = prepared.mancati.clone();
        match record.commit(prepared, &rendered, held.take()).await {
            Ok(receipt) => return Ok(record.release(&receipt, StatusCode::OK, rendered, places)),
            Err(NotCommitted::Conflict) => gateway.node.services.tentativi.give_back(operation, &caller.ente().codice, &mancati),
            // A lot whose entries are more than one batch holds: it will not be smaller next time.
            Err(NotCommitted::TooLarge) => return Err(Refusal::new(Code::BodyTooLarge, "entries over the size of a batch")),
            Err(error) => return Err(Refusal::new(Code::Unavailable, error.to_string())),
        }
    }
    Err(Refusal::new(Code::Unavailable, "conflicts"))
}

/// What stands in the entry of an exchange, gathered on the way.
struct Record<'a> {
    gateway: &'a Gateway,
    channel: &'a Channel,
    passage: &'a Passage,
    exchange: Uuid,
    received: Timestamp,
    ente: Option<String>,
    operation: Option<Operation>,
    identity: Identity,
    request: Bytes,
    micros: Micros,
    /// In which the exchange is answered.
    version: Version,
    /// Whether the certificate is taken for unrevoked on a list that should have been replaced.
    within_grace: bool,
    /// What is left of the ente's quota.
    standing: Option<Standing>,
    /// Whether it was counted for its operator.
    of_operator: bool,
    /// The room that its body takes: given back after the body.
    places: Places,
}

impl<'a> Record<'a> {
    /// The occasion for the services. `beside`: they may take long.
    fn occasion(&self, beside: bool) -> Occasion {
        Occasion { exchange: self.exchange, received: self.received, today: rome(self.received).date(), ordinal: 1, beside }
    }

    fn new(gateway: &'a Gateway, channel: &'a Channel, passage: &'a Passage, version: Version) -> Self {
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
        }
    }

    /// Microseconds since the first byte.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.gateway.clock.now().as_microsecond() - self.received.as_microsecond()).unwrap_or_default()
    }

    /// The token of whoever is named as operator, as quotas count it.
    fn operator(&self) -> Option<u64> {
        let user = self.identity.user.as_deref()?;
        self.gateway.node.ledger.keys.token(rome(self.received).year(), "operator", user).ok().map(|token| quota::digest(&token))
    }

    /// One more exchange of the operator's.
    fn take_for_operator(&mut self, caller: &Caller) -> Result<(), Exceeded> {
        let Some(token) = self.operator() else { return Ok(()) };
        let ente = caller.ente();
        let operator = Operator { token, quote: &ente.quote_operatore };
        self.of_operator = true;
        let standing = self.gateway.quotas.take_for(&ente.codice, &ente.quote, operator, self.received)?;
        self.standing = [self.standing, standing].into_iter().flatten().min_by_key(|standing| standing.remaining);
        Ok(())
    }

    /// Persons whose data are about to go out, within the quotas of ente and operator.
    fn read(&self, ente: &Ente, persons: &[String]) -> Result<(), Exceeded> {
        let (keys, year, quotas) = (&self.gateway.node.ledger.keys, rome(self.received).year(), &self.gateway.quotas);
        let tokens = persons.iter().filter_map(|code| keys.token(year, "cf", code).ok()).map(|token| quota::digest(&token));
        let tokens: Vec<u64> = tokens.collect();
        let operator = self.operator().map(|token| Operator { token, quote: &ente.quote_operatore });
        quotas.read(&ente.codice, &ente.quote, operator, &tokens, self.received)
    }

    /// As many lots are under way as may be, or as many bytes of bodies and replies.
    fn no_room(&self, caller: &Caller) -> Reply {
        self.gateway.quotas.give_back(&caller.ente().codice, &caller.ente().quote, self.received);
        let refusal = Refusal::new(Code::TooManyRequests, "too many lots, or too long bodies and replies, under way");
        self.gateway.gathered.count(fault::row(refusal.code).ledger, Some(self.channel.peer.fingerprint()));
        retry_later(&refusal, self.exchange, self.version)
    }

    /// A quota is used up.
    fn exceeded(&mut self, exceeded: Exceeded) -> Reply {
        self.later(Code::Quota, exceeded)
    }

    /// No failed attempts are left: the archive was not asked.
    fn exhausted(&mut self, exhausted: Esaurito) -> Reply {
        let standing = Standing { limit: exhausted.limit, remaining: 0, reset: exhausted.reset };
        self.later(Code::Attempts, Exceeded { standing, retry_after: exhausted.retry_after })
    }

    /// Tells log, metrics and ledger of each bucket of attempts that has become empty. No person is named.
    fn alarm(&self) {
        for Svuotato { ente, di } in self.gateway.node.services.tentativi.emptied() {
            tracing::error!(exchange = %self.exchange, ente, bucket = di.name(), "too many protocols named in vain: is somebody guessing?");
            self.gateway.metrics.exhausted(&ente, di.name());
            let reason = match di {
                Di::Ente => "H10.tentativi-ente",
                Di::Dichiarante => "H11.tentativi-dichiarante",
            };
            self.gateway.gathered.count(reason, Some(self.channel.peer.fingerprint()));
        }
    }

    /// Counted, not recorded, and nothing is told but when to come back.
    fn later(&mut self, code: Code, exceeded: Exceeded) -> Reply {
        self.standing = Some(exceeded.standing);
        let refusal = Refusal::new(code, "quota");
        self.gateway.gathered.count(fault::row(refusal.code).ledger, Some(self.channel.peer.fingerprint()));
        let mut reply = retry_later(&refusal, self.exchange, self.version);
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(exceeded.retry_after));
        reply
    }

    /// Records a refusal, then says it. What cannot be recorded is answered 503, and tells nothing.
    async fn refuse(&mut self, refusal: Refusal) -> Reply {
        let row = fault::row(refusal.code);
        if refusal.code == Code::Unavailable {
            tracing::warn!(exchange = %self.exchange, internal = %refusal.internal, "unavailable");
            return unavailable(self.exchange, self.version);
        }
        // Whatever is recorded with an operator counts for that one: so does a start that counts what was recorded.
        if let (Some(ente), false, Some(token)) = (&self.ente, self.of_operator, self.operator()) {
            self.gateway.quotas.count_for(ente, token, self.received);
        }
        let rendered = fault::render(&refusal, self.exchange, self.version);
        let note = Note { outcome: "FAULT", refusal: Some(row.ledger.to_owned()), ..Note::default() };
        let mut reply = match self.commit(Prepared { note, ..Prepared::default() }, &rendered, None).await {
            Ok(receipt) => self.release(&receipt, fault::status(refusal.code, self.version), rendered, Places::default()),
            Err(error) => {
                tracing::warn!(exchange = %self.exchange, %error, "not recorded");
                unavailable(self.exchange, self.version)
            }
        };
        // Whose certificate is not valid any more does not keep the connection; nor one whose request was left half read, or is ambiguous.
        let closes = matches!(
            refusal.code,
            Code::NotAuthorized
                | Code::PeerInvalid
                | Code::Malformed
                | Code::Fields
                | Code::BodyTooLarge
                | Code::BodyTimeout
                | Code::BodyInterrupted
        );
        if closes {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }

    /// Makes the entry of the exchange and submits it, with the entries of the SII after it. `held` is the place of long work, if it has been that.
    async fn commit(&mut self, prepared: Prepared, rendered: &str, held: Option<Held>) -> Result<Receipt, NotCommitted> {
        let Prepared { note, drafts, preconditions, .. } = prepared;
        // Hashing request and reply is long work where either is long.
        let held = match held {
            None if self.request.len() + rendered.len() >= beside::LONG => {
                self.gateway.beside.enter(self.ente.as_deref().unwrap_or_default()).await
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
        let preconditions: Vec<Precondition> = preconditions;
        let receipt = self.gateway.node.ledger.committer.submit(Submission { drafts, preconditions }).await?;
        self.passage.recorded.store(true, Ordering::Release);
        let (ente, operation) = (self.ente.as_deref(), self.operation.map(Operation::name));
        self.gateway.metrics.exchange(ente, operation, outcome, &self.micros, self.elapsed());
        tracing::info!(
            exchange = %self.exchange, sequence = receipt.first(), ente = self.ente.as_deref(), operation = self.operation.map(Operation::name),
            outcome, refusal = refusal.as_deref(), micros = self.elapsed(), "exchange"
        );
        Ok(receipt)
    }

    fn entry(&self, note: Note, rendered: &str) -> Result<Draft, crate::ledger::PrepareError> {
        let ledger = &self.gateway.node.ledger;
        let year = rome(self.received).year();
        let token = |label, value: &str| ledger.keys.token(year, label, value);
        let tokens = Tokens {
            year,
            cf: note.cf.iter().map(|code| token("cf", code)).collect::<Result<_, _>>()?,
            operator: self.identity.user.as_deref().map(|user| token("operator", user)).transpose()?,
            protocol: note.protocol.iter().map(|text| token("protocol", text)).collect::<Result<_, _>>()?,
            address: Some(token("address", &self.channel.address)?),
        };
        let blinding = Blinding::new()?;
        let retention = self.operation.map_or(Retention::Consultazione, Operation::retention);
        let mut body = Body::new(Kind::Exchange, retention, self.exchange, self.received);
        body.role = Some("erogatore".to_owned());
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
        body.sizes = Some(Sizes { request: self.request.len() as u64, reply: rendered.len() as u64 });
        body.micros = Some(self.micros);
        body.tls = Some(self.channel.tls.to_owned());
        if self.within_grace {
            body = body.fact("crl_scaduta", true);
        }
        if self.version == Version::V12 {
            body = body.fact("soap", "1.2");
        }
        if self.operation.is_some_and(|operation| operation.service().is_pdd()) {
            body = body.fact("dialetto", "PdD");
        }
        if self.operation.is_some() {
            let disclosed = note.disclosed.iter().map(|stem| token("protocol", stem)).collect::<Result<Vec<_>, _>>()?;
            body = body.fact(DISCLOSED, disclosed);
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
        ledger.prepare(body, &secret, &blinding, 0, self.received)
    }

    /// Lets a reply out: nobody can call it without a receipt.
    fn release(&self, _: &Receipt, status: StatusCode, rendered: String, places: Places) -> Reply {
        respond(status, outbound(rendered, places), self.exchange, self.version)
    }
}

/// Peer and registry, at this moment.
async fn identify(gateway: &Gateway, channel: &Channel) -> Result<(Identified, Valid), Refusal> {
    let unavailable = |error: crate::ledger::ViewError| Refusal::new(Code::Unavailable, error.to_string());
    let registry = &gateway.node.registry;
    let settings = gateway.settings.load_full();
    settings.channel.ask(&channel.peer, &gateway.clock).await;
    match settings.channel.judge(&channel.peer, gateway.clock.now()) {
        Ok(valid) => Ok((registry.identify(&channel.peer, gateway.clock.today()).map_err(unavailable)?, valid)),
        Err(invalid) => {
            let refusal = Refusal::new(Code::PeerInvalid, invalid.to_string());
            let identified = match registry.holder(&channel.peer).map_err(unavailable)? {
                Some(ente) => Identified::Barred(ente, refusal),
                None => Identified::Unknown(refusal),
            };
            Ok((identified, Valid::default()))
        }
    }
}

/// `?wsdl` and `?xsd=`: no data and no verdict, so not recorded.
fn contract_document(gateway: &Gateway, request: &HttpRequest<Incoming>) -> Option<Reply> {
    // hyper leaves the body of an answer to HEAD out.
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return None;
    }
    let path = plain(request.uri().path());
    let endpoint = Endpoint::at(&path, &gateway.settings.load().pdd)?;
    // HTTP/1.0 names no host: the address of the listener stands for it.
    let address = || gateway.address.get().map(ToString::to_string);
    let host = match request.headers().get(hyper::header::HOST) {
        Some(host) => host.to_str().ok().filter(|host| wsdl::is_authority(host)).map(str::to_owned),
        None => address(),
    };
    let text = wsdl::serve(endpoint, &path, request.uri().query()?, &host?)?;
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"));
    Some(reply)
}

fn route(gateway: &Gateway, method: &Method, path: &str) -> Result<Endpoint, Refusal> {
    let endpoint = Endpoint::at(&plain(path), &gateway.settings.load().pdd).ok_or(Refusal::new(Code::NotFound, "path"))?;
    if method == Method::POST { Ok(endpoint) } else { Err(Refusal::new(Code::MethodNotAllowed, "method")) }
}

/// The media type of the body; a missing one is none that is read.
fn media_type(headers: &HeaderMap) -> Result<Media, Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.and_then(Media::of).ok_or(Refusal::new(Code::UnsupportedMedia, "content type"))
}

/// The Identity header, completed by the HTTP headers that some clients send in its place.
fn identity(headers: &HeaderMap, mut identity: Identity) -> Identity {
    // UTF-8, or else Latin-1, as HTTP once had it: whoever asks is never left out for a letter of the name.
    let text =
        |bytes: &[u8]| std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned);
    let header = |name: HeaderName| headers.get(name).map(|value| text(value.as_bytes()).trim().to_owned()).filter(|text| !text.is_empty());
    identity.user = identity.user.or_else(|| header(HeaderName::from_static("inps-identity-userid")));
    identity.office = identity.office.or_else(|| header(HeaderName::from_static("inps-identity-codiceufficio")));
    identity
}

/// Refuses texts of a header that are longer than any name: they would be sealed with each exchange. The ledger does not keep them.
fn bounded(identity: &mut Identity) -> Result<(), Refusal> {
    let texts = [("UserId", &mut identity.user, 256), ("CodiceUfficio", &mut identity.office, 64), ("CodiceEnte", &mut identity.ente, 64)];
    let mut long = None;
    for (name, text, most) in texts {
        if text.as_ref().is_some_and(|text| text.chars().nth(most).is_some()) {
            *text = None;
            long = Some(format!("{name} ha più di {most} caratteri."));
        }
    }
    match long {
        Some(text) => Err(Refusal::new(Code::Envelope, "text of the Identity header too long").with(text)),
        None => Ok(()),
    }
}

fn check_identity(caller: &Caller, identity: &Identity) -> Result<(), Refusal> {
    let ente = caller.ente();
    if identity.contradicts {
        let text = "L'intestazione Identity dice due volte la stessa cosa in modo diverso.".to_owned();
        return Err(Refusal::new(Code::IdentityMismatch, "Identity said twice").with(text));
    }
    match &identity.ente {
        Some(named) if !ente.is_named(named) => Err(Refusal::new(Code::IdentityMismatch, "CodiceEnte")),
        _ => Ok(()),
    }
}

fn not_read(why: &Unreadable) -> Refusal {
    let internal = why.to_string();
    match why {
        Unreadable::Package(NotAPackage(what)) => Refusal::new(Code::Package, internal).with(format!("Qui: {what}.")),
        Unreadable::Encoding(EncodingError::Unsupported) => Refusal::new(Code::UnsupportedMedia, "charset"),
        Unreadable::Encoding(EncodingError::Invalid(_)) => Refusal::new(Code::Xml, "bytes not valid in their encoding"),
        Unreadable::Xml(XmlError { fault, place }) => {
            let (what, line, column) = (fault.italian(), place.line, place.column);
            Refusal::new(Code::Xml, fault.to_string()).with(format!("{what} (riga {line}, colonna {column})."))
        }
    }
}

fn not_a_call(error: NotACall) -> Refusal {
    let internal = error.to_string();
    match error {
        NotACall::NoEnvelope | NotACall::Structure | NotACall::Body => Refusal::new(Code::Envelope, internal),
        NotACall::ReplyElsewhere => Refusal::new(Code::Envelope, internal)
            .with("ReplyTo e FaultTo ammettono solo l'indirizzo anonimo: la risposta torna sulla connessione della richiesta."),
        NotACall::Version => Refusal::new(Code::Version, internal),
        NotACall::MustUnderstand(headers) => {
            let headers: Vec<_> = headers.into_iter().map(|header| (header.namespace, header.local)).collect();
            let names: Vec<_> = headers.iter().map(|(namespace, local)| format!("{local} (namespace {namespace})")).collect();
            Refusal { headers, ..Refusal::new(Code::MustUnderstand, internal).with(format!("Qui: {}.", names.join(", "))) }
        }
    }
}

/// The first violations, each with its place, and how many there are.
fn schema_refusal(findings: &Findings) -> Refusal {
    const SHOWN: usize = 10;
    let total = findings.list.len() + findings.more;
    let shown: Vec<String> = findings
        .list
        .iter()
        .take(SHOWN)
        .map(|finding| format!("{} (riga {}, colonna {}): {} [{}]", finding.path, finding.line, finding.column, finding.text, finding.code))
        .collect();
    let rest = if total > shown.len() { format!("; altre {}", total - shown.len()) } else { String::new() };
    Refusal::new(Code::Schema, "schema").with(format!("{}{rest}.", shown.join("; ")))
}

/// How a quota stands, in the headers that ModI asks for.
fn announce(reply: &mut Reply, standing: Standing) {
    for (name, value) in
        [("x-ratelimit-limit", standing.limit), ("x-ratelimit-remaining", standing.remaining), ("x-ratelimit-reset", standing.reset)]
    {
        reply.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

fn unavailable(exchange: Uuid, version: Version) -> Reply {
    retry_later(&Refusal::new(Code::Unavailable, ""), exchange, version)
}

fn retry_later(refusal: &Refusal, exchange: Uuid, version: Version) -> Reply {
    let rendered = fault::render(refusal, exchange, version);
    let mut reply = respond(fault::status(refusal.code, version), rendered, exchange, version);
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    reply
}

fn respond(status: StatusCode, rendered: impl Into<Bytes>, exchange: Uuid, version: Version) -> Reply {
    let mut reply = Response::new(Full::new(rendered.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    // `UTF-8` as IANA registers it. Names of charsets know no case, but REXML 3.3.9 (Ruby, Debian 12) takes `utf-8` for a change of
    // encoding, and loses the first three bytes of what soap4r gives it.
    let kind = match version {
        Version::V11 => "text/xml; charset=UTF-8",
        Version::V12 => "application/soap+xml; charset=UTF-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(&exchange.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(hyper::header::ALLOW, HeaderValue::from_static("POST, GET"));
    }
    reply
}
