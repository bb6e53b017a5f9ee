//! Where each request of a connection begins and ends, read by the letter of RFC 9112. hyper is lenient, as a
//! server may be: it takes a bare LF for the end of a line, a list of codings with `chunked` at its end,
//! Transfer-Encoding beside Content-Length. A device in front may read the same bytes otherwise, and take two
//! requests for one. A request with two readings is refused, and its connection ends.
//!
//! All bytes out of TLS pass by unchanged. The first request not well-formed is remembered by its number. Its
//! exchange, and any later one, is refused.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::contract::wsdl;

/// The longest head, and the longest trailers, bytes: hyper's buffer is not larger.
const LONGEST_HEAD: usize = 64 * 1024;
/// The longest line of a chunk's size, with its extensions, bytes.
const LONGEST_SIZE: usize = 4 * 1024;

/// The findings about a connection's requests.
#[derive(Debug)]
pub(super) struct Verdicts {
    /// The number of the first request not well-formed; `u64::MAX` if there is none.
    wrong: AtomicU64,
    /// The number of the first request with too long a head; `u64::MAX` if there is none.
    too_long: AtomicU64,
    /// Number of requests handed over by hyper.
    handed: AtomicU64,
    /// Request number and instant of its first byte. A look-up drops the earlier ones.
    began: Mutex<VecDeque<(u64, Timestamp)>>,
}

/// The finding about one request.
#[derive(Clone, Debug)]
pub struct Verdict {
    all: Arc<Verdicts>,
    number: u64,
}

impl Verdicts {
    /// The findings before the first byte.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            wrong: AtomicU64::new(u64::MAX),
            too_long: AtomicU64::new(u64::MAX),
            handed: AtomicU64::new(0),
            began: Mutex::default(),
        })
    }

    fn began(&self) -> std::sync::MutexGuard<'_, VecDeque<(u64, Timestamp)>> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The finding about the next request from hyper.
    pub(super) fn next(self: &Arc<Self>) -> Verdict {
        Verdict {
            all: self.clone(),
            number: self.handed.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Verdict {
    /// Whether the request, as far as it has come, or one before it, is not well-formed.
    pub fn is_wrong(&self) -> bool {
        self.all.wrong.load(Ordering::Acquire) <= self.number
    }

    /// Whether its head is too long. hyper refuses most such heads itself, and hands one over if it fits its
    /// buffer by chance.
    pub fn is_too_long(&self) -> bool {
        self.all.too_long.load(Ordering::Acquire) == self.number
    }

    /// When its first byte came: the legal instant. None if its beginning was not found.
    pub(super) fn began(&self) -> Option<Timestamp> {
        let mut began = self.all.began();
        while began.front().is_some_and(|(number, _)| *number < self.number) {
            began.pop_front();
        }
        began
            .front()
            .filter(|(number, _)| *number == self.number)
            .map(|(_, at)| *at)
    }
}

/// Follows the bytes of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    verdicts: Arc<Verdicts>,
    /// The number of the request under way.
    number: u64,
    state: State,
    /// The beginning of an unfinished line.
    line: Vec<u8>,
    /// Bytes of the head, or of the trailers, so far.
    length: usize,
    /// Whether the first byte of the request has come.
    begun: bool,
    clock: Clock,
}

#[derive(Debug)]
enum State {
    /// A request's first line, or an empty one before it.
    Start,
    /// Its header fields, until an empty line.
    Fields(RequestHead),
    /// A body of known length: bytes to come.
    Body(u64),
    /// The line with a chunk's size.
    Size,
    /// A chunk: bytes to come.
    Chunk(u64),
    /// The end of line after a chunk.
    ChunkEnd,
    /// The trailers, after the last chunk.
    Trailers,
    /// Something was not well-formed: nothing after it has a meaning.
    Lost,
}

/// The parts of a head about the end of its request, and about its host.
#[derive(Debug, Default)]
struct RequestHead {
    /// Whether this is HTTP/1.1; otherwise it is 1.0.
    current: bool,
    /// The authority in an absolute target. None with a path alone.
    authority: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    length: Option<u64>,
    chunked: bool,
}

impl Framing {
    pub(super) fn new(verdicts: Arc<Verdicts>, clock: &Clock) -> Self {
        Self {
            verdicts,
            number: 0,
            state: State::Start,
            line: Vec::new(),
            length: 0,
            begun: false,
            clock: clock.clone(),
        }
    }

    /// Follows the next bytes of the connection.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::Lost => return,
                State::Body(left) | State::Chunk(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = match self.state {
                            State::Chunk(_) => State::ChunkEnd,
                            _ => self.next_request(),
                        };
                    }
                    &bytes[taken..]
                }
                _ => {
                    if !std::mem::replace(&mut self.begun, true) {
                        self.verdicts.began().push_back((self.number, self.clock.now()));
                    }
                    self.read_line(bytes)
                }
            };
        }
    }

    /// Reads up to the end of a line, if it has come. Returns the bytes after it.
    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.length += piece.len();
        let longest = if matches!(self.state, State::Size) {
            LONGEST_SIZE
        } else {
            LONGEST_HEAD
        };
        if self.length > longest {
            if matches!(self.state, State::Start | State::Fields(_)) {
                self.verdicts.too_long.fetch_min(self.number, Ordering::Release);
            }
            self.lose();
            return rest;
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(piece);
        if end.is_none() {
            self.line = line;
            return rest;
        }
        // CRLF and nothing else ends a line, and a CR stands nowhere else.
        let next = line
            .strip_suffix(b"\r\n")
            .filter(|line| !line.contains(&b'\r'))
            .and_then(|line| self.line_read(line));
        match next {
            Some(state) => self.state = state,
            None => self.lose(),
        }
        // Its memory serves the next line.
        line.clear();
        self.line = line;
        rest
    }

    /// The state after a line. None if the line is not well-formed.
    fn line_read(&mut self, line: &[u8]) -> Option<State> {
        match std::mem::replace(&mut self.state, State::Lost) {
            // RFC 9112, 2.2: an empty line before a request is passed over.
            State::Start if line.is_empty() => {
                self.verdicts.began().pop_back();
                self.begun = false;
                Some(State::Start)
            }
            State::Start => request_line(line).map(State::Fields),
            State::Fields(head) if line.is_empty() => Some(match head.end()? {
                FramingEnd::Chunked => self.size(),
                FramingEnd::Length(0) => self.next_request(),
                FramingEnd::Length(length) => State::Body(length),
            }),
            State::Fields(mut head) => {
                let (name, value) = field(line)?;
                head.take(name, value)?;
                Some(State::Fields(head))
            }
            State::Size => {
                self.length = 0;
                match chunk_size(line)? {
                    0 => Some(State::Trailers),
                    size => Some(State::Chunk(size)),
                }
            }
            State::ChunkEnd => line.is_empty().then(|| self.size()),
            State::Trailers if line.is_empty() => Some(self.next_request()),
            State::Trailers => {
                let (name, _) = field(line)?;
                let framing = [&b"content-length"[..], b"transfer-encoding", b"host"]
                    .iter()
                    .any(|other| name.eq_ignore_ascii_case(other));
                (!framing).then_some(State::Trailers)
            }
            State::Body(_) | State::Chunk(_) | State::Lost => None,
        }
    }

    fn size(&mut self) -> State {
        self.length = 0;
        State::Size
    }

    fn next_request(&mut self) -> State {
        self.number += 1;
        self.length = 0;
        self.begun = false;
        State::Start
    }

    fn lose(&mut self) {
        self.verdicts.wrong.fetch_min(self.number, Ordering::Release);
        self.state = State::Lost;
        self.line = Vec::new();
    }
}

/// The way to find the end of a request.
enum FramingEnd {
    Length(u64),
    Chunked,
}

impl RequestHead {
    /// Takes a field. None if it may not stand here.
    fn take(&mut self, name: &[u8], value: &[u8]) -> Option<()> {
        // Each of the three stands at most once, and holds no list.
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
            let length = std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()?;
            self.length.replace(length).is_none().then_some(())
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let first = !std::mem::replace(&mut self.chunked, true);
            (first && value.eq_ignore_ascii_case(b"chunked")).then_some(())
        } else if name.eq_ignore_ascii_case(b"host") {
            (is_authority(value) && self.host.replace(value.to_vec()).is_none()).then_some(())
        } else {
            Some(())
        }
    }

    /// The way to find the end of the request, once its head is complete. None if the head is not
    /// well-formed.
    fn end(self) -> Option<FramingEnd> {
        let named = match (&self.authority, &self.host) {
            (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
            (_, host) => host.is_some() || !self.current,
        };
        match (self.chunked, self.length) {
            _ if !named => None,
            (true, None) => self.current.then_some(FramingEnd::Chunked),
            (true, Some(_)) => None,
            (false, length) => Some(FramingEnd::Length(length.unwrap_or(0))),
        }
    }
}

/// `POST /path HTTP/1.1`, or with an absolute target. Other forms are for proxies, or for the whole of a
/// server: not for this one.
fn request_line(line: &[u8]) -> Option<RequestHead> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
    let is_method = !method.is_empty()
        && method
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'));
    let is_target = target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#');
    if !is_method || !is_target || parts.next().is_some() {
        return None;
    }
    let current = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ => return None,
    };
    let authority = if target.starts_with(b"/") {
        None
    } else {
        let scheme = [&b"http://"[..], b"https://"]
            .into_iter()
            .find(|scheme| has_prefix(target, scheme))?;
        let rest = &target[scheme.len()..];
        let authority = rest
            .split(|byte| matches!(byte, b'/' | b'?'))
            .next()
            .filter(|authority| is_authority(authority))?;
        Some(authority.to_vec())
    };
    Some(RequestHead {
        current,
        authority,
        ..RequestHead::default()
    })
}

fn has_prefix(text: &[u8], prefix: &[u8]) -> bool {
    text.get(..prefix.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

/// Name and value. Only spaces are taken off a value: by the letter a tab may stand there, but not every
/// reader takes it for white space.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let is_name = !name.is_empty() && name.iter().all(|byte| is_token(*byte));
    let is_value = value
        .iter()
        .all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    let begin = value.iter().position(|byte| *byte != b' ').unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(begin, |last| last + 1);
    (is_name && is_value).then_some((name, &value[begin..end]))
}

/// Whether a byte may stand in a token (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether this is a host's name or address, perhaps with a port, without a user's name.
fn is_authority(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(wsdl::is_authority)
}

/// Hexadecimal digits, then perhaps extensions, without meaning here.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line
        .iter()
        .position(|byte| !byte.is_ascii_hexdigit())
        .unwrap_or(line.len());
    let (size, extensions) = line.split_at(digits);
    let blanks = extensions
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .unwrap_or(extensions.len());
    let is_extension = extensions.is_empty() || extensions.get(blanks) == Some(&b';');
    let is_text = extensions
        .iter()
        .all(|byte| *byte == b'\t' || !byte.is_ascii_control());
    if !(1..=15).contains(&size.len()) || !is_extension || !is_text {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

    /// The number of the first request not well-formed, and of requests begun; the same however the bytes
    /// arrive.
    fn read(text: &str) -> (Option<u64>, u64) {
        let run = |pieces: &[&[u8]]| {
            let verdicts = Verdicts::new();
            let mut framing = Framing::new(verdicts.clone(), &Clock::system());
            pieces.iter().for_each(|piece| framing.read(piece));
            (
                Some(verdicts.wrong.load(Ordering::Acquire)).filter(|wrong| *wrong != u64::MAX),
                framing.number,
            )
        };
        let whole = run(&[text.as_bytes()]);
        for at in 0..text.len() {
            let (begin, end) = text.as_bytes().split_at(at);
            assert_eq!(run(&[begin, end]), whole, "{text:?} at {at}");
        }
        assert_eq!(
            run(&text.as_bytes().chunks(1).collect::<Vec<_>>()),
            whole,
            "{text:?}"
        );
        whole
    }

    #[test]
    fn the_end_of_each_request_is_found() {
        let chunks = "POST /a HTTP/1.1\r\nHost: x\r\ntransfer-encoding: Chunked\r\n\r\n3\r\n\r\n\n\r\n00A ;x=\"y\"\r\n\
                      0123456789\r\n0\r\nT: v\r\n\r\n";
        let sized = "POST http://X:1/a HTTP/1.1\r\nHost:x:1 \r\nContent-Length: 04\r\n\r\n\r\n\r\n";
        let old = "\r\nGET / HTTP/1.0\r\nA:\t\u{e8}\r\n\r\n";
        assert_eq!(read(&[chunks, sized, old, GET, chunks, GET].concat()), (None, 6));
        assert_eq!(read(&[chunks, sized, "x"].concat()), (None, 2));
        assert_eq!(read(&[chunks, sized, "x\n", GET].concat()), (Some(2), 2));
    }

    #[test]
    fn whatever_may_be_read_in_two_ways_is_wrong() {
        let head = |fields: &str| format!("POST /a HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
        let fields = [
            "Content-Length: 1\r\nContent-Length: 1",
            "Content-Length: 1, 1",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length:",
            "Content-Length: 0x1",
            "Content-Length: 1 1",
            "Content-Length:\t1",
            "Content-Length: 18446744073709551617",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\t",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: identity",
            "Host: x",
            "A : b",
            " A: b",
            "A: b\r\n c",
            "A: b\nC: d",
            "A: b\rc",
            "A: b\0",
            "A\0: b",
            "\u{e8}: b",
            ": b",
            "A",
        ];
        for fields in fields {
            assert_eq!(
                read(&[GET, &head(fields), GET].concat()),
                (Some(1), 1),
                "{fields:?}"
            );
        }
        let lines = [
            "get /a HTTP/1.1",
            "GET  /a HTTP/1.1",
            "GET /a  HTTP/1.1",
            "GET /a HTTP/1.1 ",
            "GET /a\tHTTP/1.1",
            "GET /\u{e8} HTTP/1.1",
            "GET /a#b HTTP/1.1",
            "GET a HTTP/1.1",
            "GET http://y/a HTTP/1.1",
            "GET http://u@x/a HTTP/1.1",
            "GET ftp://x/a HTTP/1.1",
            "OPTIONS * HTTP/1.1",
            "CONNECT x:1 HTTP/1.1",
            "GET /a HTTP/2.0",
            "GET /a http/1.1",
            "GET /a",
            " GET /a HTTP/1.1",
        ];
        for line in lines {
            assert_eq!(
                read(&format!("{line}\r\nHost: x\r\n\r\n{GET}")),
                (Some(0), 0),
                "{line:?}"
            );
        }
        assert_eq!(read("GET /a HTTP/1.1\r\n\r\n"), (Some(0), 0), "no Host");
        assert_eq!(
            read("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (Some(0), 0)
        );
        let sizes = [
            "-1",
            "0x1",
            "",
            "1 ",
            "g",
            "1\u{e8}",
            "10000000000000001",
            "1;\u{1}",
            " 1",
            "1\r",
            "+1",
            "1,1",
        ];
        for size in sizes {
            let request = format!(
                "{}{size}\r\nx\r\n0\r\n\r\n{GET}",
                head("Transfer-Encoding: chunked")
            );
            assert_eq!(read(&request), (Some(0), 0), "{size:?}");
        }
        let chunked = head("Transfer-Encoding: chunked");
        for body in [
            "1\r\nxx\r\n",
            "1\nx\r\n",
            "1\r\nx\n",
            "1\r\nx0\r\n\r\n",
            "0\r\nHost: y\r\n\r\n",
            "0\r\n a\r\n\r\n",
            "0\r\n\n",
        ] {
            assert_eq!(read(&[&chunked, body, GET].concat()), (Some(0), 0), "{body:?}");
        }
    }

    #[test]
    fn a_head_without_end_is_not_kept() {
        let verdicts = Verdicts::new();
        let mut framing = Framing::new(verdicts.clone(), &Clock::system());
        let (first, second) = (verdicts.next(), verdicts.next());
        framing.read(GET.as_bytes());
        framing.read(&vec![b'a'; LONGEST_HEAD + 1]);
        assert!(!first.is_wrong() && second.is_wrong() && verdicts.next().is_wrong());
        assert_eq!(framing.line.capacity(), 0);
        let verdicts = Verdicts::new();
        let mut framing = Framing::new(verdicts.clone(), &Clock::system());
        framing.read(b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;");
        framing.read(&vec![b'a'; LONGEST_SIZE]);
        assert!(verdicts.next().is_wrong());
    }
}
