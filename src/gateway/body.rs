//! The bodies of requests and replies in memory. Each is bounded in size. All of them share a room, and one
//! ente takes at most half of it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::HeaderMap;
use hyper::body::{Body as _, Incoming};
use hyper::header::CONTENT_ENCODING;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::crowd::{Crowd, Seat};
use crate::config::Limits;
use crate::refusal::{Code, Refusal};

/// Bytes for one place of the room. A shorter body or reply takes no place.
pub(super) const ROOM: usize = 64 << 10;

/// The room for bodies and replies.
#[derive(Debug)]
pub(super) struct Room {
    /// Places for large lots.
    lots: Arc<Semaphore>,
    /// Room for bodies and for replies, in pieces of [`ROOM`] bytes.
    bodies: Arc<Semaphore>,
    /// Places taken by each ente.
    holding: Crowd,
    /// Places of one ente at most: half of the room, in the same pieces.
    share: usize,
}

impl Room {
    /// A room of the size in the limits.
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            lots: Arc::new(Semaphore::new(limits.lots)),
            bodies: Arc::new(Semaphore::new(
                (limits.bodies_bytes / ROOM).min(Semaphore::MAX_PERMITS),
            )),
            holding: Crowd::default(),
            share: limits.bodies_bytes / ROOM / 2,
        }
    }
}

/// Bytes read and thrown away of a refused request, at most: so many times the largest body.
const DISCARDED: usize = 16;

/// A request's body. `asked`: the gateway has told the client to send it.
pub(super) struct Inbound {
    body: Incoming,
    asked: bool,
}

/// The end of reading a body.
pub(super) enum Read {
    /// The body, with its places in the room.
    Whole(Bytes, Places),
    /// The room is full: of lots, or of bytes.
    NoRoom,
}

impl Inbound {
    /// The body of a request, after hyper has read its head.
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, asked: false }
    }

    /// Reads the body, bounded in size and time. With `lots` it may be as long as a lot.
    pub(super) async fn read(
        &mut self,
        (room, limits): (&Room, &Limits),
        ente: &str,
        headers: &HeaderMap,
        lots: bool,
    ) -> Result<Read, Refusal> {
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(Refusal::new(Code::UnsupportedMedia, "content encoding"));
        }
        // Too long by its announced length: the client is not even asked for it.
        let largest = if lots {
            limits.lot_bytes.max(limits.body_bytes)
        } else {
            limits.body_bytes
        };
        let announced = usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > largest {
            return Err(Refusal::new(Code::BodyTooLarge, "length over the limit"));
        }
        self.asked = true;
        let gather = async {
            let (mut gathered, mut places) = (BytesMut::new(), Places::default());
            let mut only: Option<Bytes> = None;
            while let Some(frame) = self.body.frame().await {
                let frame = frame.map_err(|_| Refusal::new(Code::BodyInterrupted, "body interrupted"))?;
                let Ok(data) = frame.into_data() else { continue };
                let length = gathered.len() + only.as_ref().map_or(0, Bytes::len) + data.len();
                if length > largest {
                    return Err(Refusal::new(Code::BodyTooLarge, "body over the limit"));
                }
                if length > limits.body_bytes && places.lot.is_none() {
                    match room.lots.clone().try_acquire_owned() {
                        Ok(place) => places.lot = Some(place),
                        Err(_) => return Ok(Read::NoRoom),
                    }
                }
                if !places.take(room, ente, length) {
                    return Ok(Read::NoRoom);
                }
                // A body in one piece, the usual case, is not copied.
                match (gathered.is_empty(), only.take()) {
                    (true, None) => only = Some(data),
                    (_, first) => {
                        // Memory for the announced length, only once the body begins to come.
                        gathered.reserve(announced.saturating_sub(gathered.len()));
                        gathered.extend_from_slice(&first.unwrap_or_default());
                        gathered.extend_from_slice(&data);
                    }
                }
            }
            Ok(Read::Whole(only.unwrap_or_else(|| gathered.freeze()), places))
        };
        let read = tokio::time::timeout(limits.body(), gather).await;
        read.unwrap_or_else(|_| Err(Refusal::new(Code::BodyTimeout, "body not complete in time")))
    }

    /// Reads the rest of the body and throws it away, while the reply leaves: closing a socket with unread
    /// bytes resets it, and the reply is lost. Bounded in size and time. A client still waiting to be told to
    /// go on (`expects`) is not told and sends nothing: there is nothing to read.
    pub(super) fn discard(mut self, limits: &Limits, expects: bool) {
        if self.body.is_end_stream() || (expects && !self.asked) {
            return;
        }
        let (mut left, time) = (limits.body_bytes.saturating_mul(DISCARDED), limits.body());
        tokio::spawn(async move {
            let rest = async {
                while let Some(Ok(frame)) = self.body.frame().await {
                    left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                    if left == 0 {
                        break;
                    }
                }
            };
            let _ = tokio::time::timeout(time, rest).await;
        });
    }
}

/// The places of a body until its exchange ends, or of a reply until the connection has taken it.
#[derive(Default)]
pub(super) struct Places {
    /// The place of a lot, for a body longer than `body_bytes`.
    lot: Option<OwnedSemaphorePermit>,
    /// Places of [`ROOM`] bytes in everybody's room.
    room: Option<OwnedSemaphorePermit>,
    /// As many in the ente's share.
    own: Vec<Seat>,
}

impl Places {
    /// Takes the places of `length` bytes in all. False: the room or the ente's share does not suffice.
    pub(super) fn take(&mut self, room: &Room, ente: &str, length: usize) -> bool {
        // A reply longer than the ente's share takes the whole share.
        let more = (length / ROOM).min(room.share).saturating_sub(self.own.len());
        if more == 0 {
            return true;
        }
        for _ in 0..more {
            let Some(place) = room.holding.enter(ente, room.share) else {
                return false;
            };
            self.own.push(place);
        }
        let Ok(permit) = room
            .bodies
            .clone()
            .try_acquire_many_owned(u32::try_from(more).unwrap_or(u32::MAX))
        else {
            return false;
        };
        match &mut self.room {
            Some(held) => held.merge(permit),
            None => self.room = Some(permit),
        }
        true
    }
}

/// A reply with its places, until the connection has taken it.
struct WaitingForRoom {
    text: String,
    _places: Places,
}

impl AsRef<[u8]> for WaitingForRoom {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// The bytes of a reply. Its places are given back with the last of them.
pub(super) fn outbound(text: String, places: Places) -> Bytes {
    Bytes::from_owner(WaitingForRoom {
        text,
        _places: places,
    })
}
