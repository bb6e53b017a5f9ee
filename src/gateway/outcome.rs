//! The end of an exchange: the only maker of a response. The reply of a service leaves with a [`Receipt`]
//! alone.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use uuid::Uuid;

use super::body::{Places, outbound};
use super::fault;
use super::gathered::Stretta;
use super::quota::{Exceeded, Standing};
use crate::ledger::Receipt;
use crate::refusal::{Code, Refusal};
use crate::services::NotPrepared;
use crate::services::tentativi::Esaurito;
use crate::soap::Version;

/// How long a 429 is kept before it leaves. It costs CPU too, and who asks again at once would ask as often
/// as its connections carry: so each carries one in this time, which is no longer than `Retry-After` says.
/// The place among the ente's requests is given back before.
const REFUSED: Duration = Duration::from_secs(1);

/// The whole response, in memory.
pub(super) type Reply = Response<Full<Bytes>>;

/// Seconds until a client should ask again, where no quota says more.
const SOON: u64 = 2;

/// How an exchange ended.
pub(super) enum Outcome {
    /// The ledger has it: the rendered bytes leave.
    Recorded(Rendered),
    /// A refusal that is counted with others like it, and not recorded.
    Counted(Counted),
    /// It could not be recorded: nothing is told but when to come back.
    Unavailable,
    /// A file of the contract: it holds no data, and has no entry.
    Contract(String, Places),
}

/// Why an exchange does not go on.
pub(super) enum Stop {
    /// A refusal that is recorded before it is said.
    Refused(Refusal),
    /// A refusal that is counted.
    Counted(Counted),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Counted> for Stop {
    fn from(counted: Counted) -> Self {
        Self::Counted(counted)
    }
}

/// The bytes of a recorded reply: nobody makes one without a receipt.
pub(super) struct Rendered {
    status: StatusCode,
    text: String,
    places: Places,
    closes: bool,
}

impl Rendered {
    /// An envelope with its status, and the room that it takes until the client has it.
    pub(super) fn released(_: &Receipt, status: StatusCode, text: String, places: Places) -> Self {
        Self {
            status,
            text,
            places,
            closes: false,
        }
    }

    /// The same; the connection ends with it, if `closes`.
    pub(super) fn closing(self, closes: bool) -> Self {
        Self { closes, ..self }
    }
}

/// A refusal that the ledger has only as one of a number.
pub(super) struct Counted {
    refusal: Box<Refusal>,
    /// The reason in the count.
    pub(super) reason: &'static str,
    /// The rest of the quota, if it ran into one.
    pub(super) standing: Option<Standing>,
    then: Then,
}

/// The end of a counted refusal.
enum Then {
    /// Come back in so many seconds.
    Later(u64),
    /// Nothing: the connection ends.
    Close,
    /// Not even the refusal: the request was not read, and the connection ends.
    Unread,
}

impl Counted {
    /// A head that is too long to be read: hyper answers the same to one that it does not read at all.
    pub(super) fn unread() -> Self {
        Self {
            refusal: Box::new(Refusal::new(Code::Fields, "head")),
            reason: Stretta::H06Http.code(),
            standing: None,
            then: Then::Unread,
        }
    }

    /// A certificate that does not get in: the connection ends.
    pub(super) fn barred(refusal: Refusal) -> Self {
        Self {
            reason: fault::row(refusal.code).ledger,
            refusal: Box::new(refusal),
            standing: None,
            then: Then::Close,
        }
    }

    /// Too much is under way.
    pub(super) fn busy(what: &'static str) -> Self {
        Self::later(Code::TooManyRequests, what, None, SOON)
    }

    fn later(code: Code, what: &'static str, standing: Option<Standing>, seconds: u64) -> Self {
        Self {
            refusal: Box::new(Refusal::new(code, what)),
            reason: fault::row(code).ledger,
            standing,
            then: Then::Later(seconds),
        }
    }
}

/// Nothing was prepared.
impl From<NotPrepared> for Stop {
    fn from(why: NotPrepared) -> Self {
        match why {
            NotPrepared::Unavailable(why) => Refusal::new(Code::Unavailable, why).into(),
            NotPrepared::Long => Refusal::new(Code::Unavailable, "no place for long work").into(),
            NotPrepared::Ask(_) => Refusal::new(Code::Unavailable, "a question that nobody carries").into(),
            NotPrepared::Exhausted(exhausted) => Counted::from(exhausted).into(),
        }
    }
}

/// A quota is used up.
impl From<Exceeded> for Counted {
    fn from(exceeded: Exceeded) -> Self {
        Self::later(
            Code::Quota,
            "quota",
            Some(exceeded.standing),
            exceeded.retry_after,
        )
    }
}

impl From<Exceeded> for Stop {
    fn from(exceeded: Exceeded) -> Self {
        Self::Counted(exceeded.into())
    }
}

/// No failed attempts are left: the archive was not asked.
impl From<Esaurito> for Counted {
    fn from(exhausted: Esaurito) -> Self {
        let standing = Standing {
            limit: exhausted.limit,
            remaining: 0,
            reset: exhausted.reset,
        };
        Self::later(Code::Attempts, "attempts", Some(standing), exhausted.retry_after)
    }
}

impl Outcome {
    /// The response, in a version of SOAP. `standing` is the rest of a quota.
    pub(super) fn respond(self, exchange: Uuid, version: Version, standing: Option<Standing>) -> Reply {
        let mut reply = match self {
            Self::Recorded(Rendered {
                status,
                text,
                places,
                closes,
            }) => {
                let mut reply = soap(status, outbound(text, places), exchange, version);
                if closes {
                    close(&mut reply);
                }
                reply
            }
            Self::Counted(counted) => counted.respond(exchange, version),
            Self::Unavailable => Counted::later(Code::Unavailable, "", None, SOON).respond(exchange, version),
            Self::Contract(text, places) => {
                let mut reply = Response::new(Full::new(outbound(text, places)));
                reply
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=UTF-8"));
                reply
            }
        };
        if let Some(Standing {
            limit,
            remaining,
            reset,
        }) = standing
        {
            // As ModI asks for.
            for (name, value) in [
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", reset),
            ] {
                reply
                    .headers_mut()
                    .insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
        reply
    }
}

impl Counted {
    fn respond(self, exchange: Uuid, version: Version) -> Reply {
        let status = fault::status(self.refusal.code, version);
        let text = match self.then {
            Then::Unread => String::new(),
            _ => fault::render(&self.refusal, exchange, version),
        };
        let mut reply = soap(status, text, exchange, version);
        match self.then {
            Then::Later(seconds) => drop(
                reply
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from(seconds)),
            ),
            Then::Close | Then::Unread => close(&mut reply),
        }
        reply
    }
}

/// Keeps a 429 for [`REFUSED`].
pub(super) async fn pause(reply: &Reply) {
    if reply.status() == StatusCode::TOO_MANY_REQUESTS {
        tokio::time::sleep(REFUSED).await;
    }
}

/// Of an exchange that a mistake of ours ended: it tells nothing.
pub(super) fn internal() -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(SOON));
    reply
}

fn close(reply: &mut Reply) {
    reply
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
}

/// A response with an envelope, and the exchange's id.
fn soap(status: StatusCode, rendered: impl Into<Bytes>, exchange: Uuid, version: Version) -> Reply {
    let mut reply = Response::new(Full::new(rendered.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    // `UTF-8` as IANA registers it. Names of charsets know no case, but REXML 3.3.9 (Ruby, Debian 12) takes
    // `utf-8` for a change of encoding, and loses the first three bytes of what soap4r gives it.
    let kind = match version {
        Version::V11 => "text/xml; charset=UTF-8",
        Version::V12 => "application/soap+xml; charset=UTF-8",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(&exchange.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST, GET"));
    }
    reply
}
