//! The way of one exchange, from top to bottom. Types stand between the arrows: only an `Admission` opens a
//! service, and only a `Receipt` lets its reply out. A refusal is recorded and then said (`Stop::Refused`).
//! Refusals in great numbers are counted (`Stop::Counted`).

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::EXPECT;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};

use super::beside::Work;
use super::body::{Inbound, Places, Read};
use super::framing::Verdict;
use super::outcome::{Counted, Outcome, Rendered, Reply, Stop};
use super::performing::perform;
use super::record::{Channel, Passage, Record};
use super::{Gateway, documents, door, outcome, outgoing, sender, unreadable};
use crate::clock::day;
use crate::contract::catalogue::{Endpoint, Operation};
use crate::ledger::NotCommitted;
use crate::refusal::{Code, Refusal};
use crate::registry::Caller;
use crate::services::Asked;
use crate::soap::{self, MessageText, Version};

/// Attempts at an exchange, the first included. A new one follows if something changed meanwhile.
const ATTEMPTS: usize = 3;

/// Header fields of a request, at most: with more, a fault of 431. hyper reads twice as many (set in
/// `connection`), and beyond that says 431 itself, without a body.
pub(super) const MOST_FIELDS: usize = 128;

/// Answers one request: the outcome, recorded or counted, becomes a response.
pub(super) async fn answer(
    gateway: &Gateway,
    channel: &Channel,
    passage: &Passage,
    verdict: &Verdict,
    request: Request<Incoming>,
) -> Reply {
    let version = unreadable::media_type(request.headers()).map_or(Version::V11, |media| media.version);
    let (head, body) = request.into_parts();
    let mut inbound = Inbound::new(body);
    let mut record = Record::new(gateway, channel, passage, version);
    let outcome = match listen(&mut record, verdict, &head, &mut inbound).await {
        Ok(outcome) => outcome,
        Err(Stop::Refused(refusal)) => record.refuse(refusal).await,
        Err(Stop::Counted(counted)) => record.count(counted),
    };
    outgoing::end(&record).await;
    let reply = outcome.respond(passage.id, record.version, record.standing);
    drop(record);
    inbound.discard(&gateway.settings.load().limits, head.headers.contains_key(EXPECT));
    outcome::pause(&reply).await;
    reply
}

/// From the head of a request to the bytes of its body, and then on.
async fn listen(
    record: &mut Record<'_>,
    verdict: &Verdict,
    head: &Parts,
    inbound: &mut Inbound,
) -> Result<Outcome, Stop> {
    let gateway = record.gateway;
    if verdict.is_too_long() {
        record.version = Version::V11;
        return Err(Counted::unread().into());
    }
    // HTTP head: the ente behind the certificate, valid NOW. Others are refused before the body is read.
    let caller = door::caller(record).await?;
    door::well_formed(verdict)?;
    if head.headers.len() > MOST_FIELDS {
        return Err(Refusal::new(Code::Fields, "header fields").into());
    }
    let _place = door::enter(record, &caller)?;
    if let Some(file) = documents::asked(record, &caller, head)? {
        return Ok(file);
    }
    let endpoint = door::route(gateway, &head.method, head.uri.path())?;
    record.micros.head = record.elapsed();

    // HTTP body: bounded in size and time. Lots alone may be large, and few of them at the same time.
    let lots = door::takes_lots(gateway, &caller, endpoint);
    let (room, limits) = (&gateway.room, &gateway.settings.load().limits);
    let read = inbound
        .read((room, limits), &caller.ente().codice, &head.headers, lots)
        .await;
    // The framing reads the body too: its verdict may have changed.
    door::well_formed(verdict)?;
    let Read::Whole(bytes, places) = read? else {
        return Err(record.no_room(&caller).into());
    };
    record.places = places;
    record.request = bytes.clone();
    record.micros.body = record.elapsed();
    converse(record, caller, endpoint, &head.headers, &bytes).await
}

/// From bytes to a released reply.
async fn converse(
    record: &mut Record<'_>,
    mut caller: Caller,
    endpoint: Endpoint,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Outcome, Stop> {
    let (gateway, settings) = (record.gateway, record.gateway.settings.load_full());
    // soap: package, envelope, version, headers; operation by the body's root.
    let media = unreadable::media_type(headers)?;
    let mut work = Work::on(&gateway.beside, &caller.ente().codice, bytes.len()).await;
    let (bounds, text) = (gateway.bounds(&settings.limits), MessageText::new());
    let read = work.step(|| soap::read(bytes, &media, bounds, &text));
    record.version = read
        .as_ref()
        .map_or_else(|not| not.version, |message| message.version);
    let message = read.map_err(|not| unreadable::not_read(&not.why))?;
    let call = message.call().map_err(unreadable::not_a_call)?;
    record.identity = sender::named(headers, call.identity);
    sender::bounded(&mut record.identity)?;
    let operation = Operation::by_root(call.root.namespace(), call.root.local());
    let operation = operation.ok_or(Refusal::new(Code::UnknownOperation, "root of the body"))?;
    record.operation = Some(operation);
    if !endpoint.answers(operation) {
        return Err(Refusal::new(Code::WrongPath, "operation of another address").into());
    }
    if message.outlined && operation != Operation::TrasmissioneLotto {
        return Err(Refusal::new(Code::BodyTooLarge, "body over the limit, and no lot").into());
    }

    let mut judged = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            // A precondition failed: again, with the registry as it is now.
            caller = door::again(record).await?;
        }
        // registry: may this ente call this operation.
        let precondition = caller.precondition();
        sender::check(&caller, &record.identity)?;
        let admission = caller.clone().admit(operation, day(record.received))?;

        // contract: body against its schema.
        let typed = judged.get_or_insert_with(|| work.step(|| gateway.contract.read(operation, call.root)));

        // registry: office and identity agree. The service makes its `Permit`: purpose and benefit.
        let named = typed.as_ref().ok().and_then(|(_, named)| named.as_ref());
        let admission = sender::agree(&mut record.identity, admission, named)?;
        record.take_for_operator(admission.caller())?;

        // services: perform.
        let (contract, soglie) = (&gateway.contract, &settings.soglie);
        let mut prepared = match typed {
            Ok((request, _)) => {
                let asked = Asked {
                    operation,
                    request,
                    body: call.root,
                    bytes,
                    contract,
                    soglie,
                };
                perform(record, &mut work, admission, asked).await?
            }
            Err(findings) => unreadable::violated(gateway, operation, findings).await?,
        };
        prepared.preconditions.push(precondition);
        let text = work.step(|| soap::envelope(record.version, &prepared.reply));
        // A reply stays in memory until its client has taken it.
        let mut places = Places::default();
        if !places.take(&gateway.room, &caller.ente().codice, text.len()) {
            return Err(record.no_room(&caller).into());
        }
        if operation.discloses() {
            record.disclose(caller.ente(), &prepared.note.cf)?;
        }

        // ledger: check preconditions, append, make durable. The wait gives its place for long work back.
        let mancati = prepared.mancati.clone();
        match record.commit(prepared, &text, work.held.take()).await {
            // send.
            Ok(receipt) => {
                let reply = Rendered::released(&receipt, StatusCode::OK, text, places);
                return Ok(Outcome::Recorded(reply));
            }
            Err(NotCommitted::Conflict) => record.give_back(operation, &caller, &mancati),
            // A lot with more entries than one batch holds: it will not be smaller next time.
            Err(NotCommitted::TooLarge) => {
                return Err(Refusal::new(Code::BodyTooLarge, "entries over the size of a batch").into());
            }
            Err(error) => return Err(Refusal::new(Code::Unavailable, error.to_string()).into()),
        }
    }
    Err(Refusal::new(Code::Unavailable, "conflicts").into())
}
