//! The end of an exchange: the only maker of a response. A service's reply leaves with a [`Receipt`] alone.

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

/// Delay before a 429 is sent. A client asking again at once gets one answer in this time on each of its
/// connections. It is no longer than `Retry-After`. The place among the ente's requests is given back before.
const REFUSED: Duration = Duration::from_secs(1);

/// The whole response, in memory.
pub(super) type Reply = Response<Full<Bytes>>;

/// Seconds until a client should ask again, if no quota says more.
const SOON: u64 = 2;

/// How an exchange ended.
pub(super) enum Outcome {
    /// The ledger has it: the rendered bytes leave.
    Recorded(Rendered),
    /// A refusal counted with others like it, and not recorded.
    Counted(Counted),
    /// It could not be recorded: the answer says only when to come back.
    Unavailable,
    /// A file of the contract: it holds no data, and has no entry.
    Contract(String, Places),
}

/// Why an exchange does not go on.
pub(super) enum Stop {
    /// A refusal to be recorded before it is said.
    Refused(Refusal),
    /// A refusal to be counted.
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

/// The bytes of a recorded reply. Only a receipt makes them.
pub(super) struct Rendered {
    status: StatusCode,
    text: String,
    places: Places,
    closes: bool,
}

impl Rendered {
    /// An envelope with its status, and its room until the client has taken it.
    pub(super) fn released(_: &Receipt, status: StatusCode, text: String, places: Places) -> Self {
        Self {
            status,
            text,
            places,
            closes: false,
        }
    }

    /// The same; with `closes` the connection ends after it.
    pub(super) fn closing(self, closes: bool) -> Self {
        Self { closes, ..self }
    }
}

/// A refusal without an entry of its own: the ledger only counts it.
pub(super) struct Counted {
    refusal: Box<Refusal>,
    /// The reason in the count, a code of the ledger.
    pub(super) reason: &'static str,
    /// The rest of the quota, if a quota refused it.
    pub(super) standing: Option<Standing>,
    then: Then,
}

/// The end of a counted refusal.
enum Then {
    /// Come back in so many seconds.
    Later(u64),
    /// Nothing: the connection ends.
    Close,
    /// An empty body: the request was not read, and the connection ends.
    Unread,
}

impl Counted {
    /// A head too long to be read. hyper gives the same answer to one it does not read at all.
    pub(super) fn unread() -> Self {
        Self {
            refusal: Box::new(Refusal::new(Code::Fields, "head")),
            reason: Stretta::H06Http.code(),
            standing: None,
            then: Then::Unread,
        }
    }

    /// A certificate not let in: the connection ends.
    pub(super) fn barred(refusal: Refusal) -> Self {
        Self {
            reason: fault::row(refusal.code).ledger,
            refusal: Box::new(refusal),
            standing: None,
            then: Then::Close,
        }
    }

    /// Too much is under way: 429, with `SOON` in `Retry-After`.
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

/// The service prepared nothing: 503, or 429 without attempts left.
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
            // ModI asks for these headers.
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

/// The reply after a mistake of ours: 503 without a body.
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
    // `utf-8` for a change of encoding, and loses the first three bytes of soap4r's text.
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
