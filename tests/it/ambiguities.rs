//! Requests that may be read in two ways, or in none: each is followed by a second, good request on the same
//! connection. The port answers both, or refuses the first and closes; it never answers the second after a
//! first that others would end elsewhere. The same bytes go to nginx and haproxy, over TLS with the same
//! certificates: what one of them refuses is never accepted here.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kit::{BENEFIT, ISEE, Site, requests};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use varco::commands::client::Client;
use varco::gateway::fault::row;
use varco::ledger::Kind;
use varco::ledger::search::{Filter, find};
use varco::refusal::Code;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at the same time.
const TOGETHER: usize = 16;

/// What must become of a case at the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Well-formed: both requests are answered.
    Read,
    /// One refusal, and the end of the connection.
    Refused,
    /// The end of the connection, without a word: it was another protocol.
    Closed,
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    fate: Fate,
}

/// What a server did.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    /// Of its final responses, in order; 9 for a body without a head.
    statuses: Vec<u16>,
    /// Whether it ended the connection.
    closed: bool,
}

impl Outcome {
    /// The first request was not taken: refused, or left without an answer.
    fn refused(&self) -> bool {
        self.statuses
            .first()
            .is_none_or(|status| (400..600).contains(status))
    }
}

/// The good request after each case.
fn second() -> String {
    format!("GET {ISEE}?wsdl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

/// All of them, around a good question.
fn cases(question: &str) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |fate, name: &str, bytes: Vec<u8>| {
        all.push(Case {
            name: name.to_owned(),
            bytes,
            fate,
        })
    };
    let length = question.len();
    let line = format!("POST {ISEE} HTTP/1.1\r\n");
    let kind = "Content-Type: text/xml\r\n";
    let host = "Host: localhost\r\n";
    let chunk = format!("{length:x}\r\n{question}\r\n");
    let chunks = format!("{chunk}0\r\n\r\n");
    let sized = format!("Content-Length: {length}\r\n");
    // Fields in place of those that say where the body ends.
    let with = |fields: &str, body: &str| format!("{line}{host}{kind}{fields}\r\n{body}").into_bytes();
    let field = |fields: &[u8]| {
        [
            line.as_bytes(),
            host.as_bytes(),
            kind.as_bytes(),
            sized.as_bytes(),
            fields,
            b"\r\n\r\n",
            question.as_bytes(),
        ]
        .concat()
    };
    let chunked = |body: &str| with("Transfer-Encoding: chunked\r\n", body);
    let first = |line: &str| format!("{line}\r\n{host}{kind}{sized}\r\n{question}").into_bytes();

    // Well-formed: if these were refused, the rest would prove nothing.
    add(Fate::Read, "a length", with(&sized, question));
    add(
        Fate::Read,
        "a length with zeros before it",
        with(&format!("Content-Length: 000{length}\r\n"), question),
    );
    add(
        Fate::Read,
        "spaces around a length",
        with(&format!("Content-Length:   {length}  \r\n"), question),
    );
    add(Fate::Read, "chunks", chunked(&chunks));
    add(
        Fate::Read,
        "chunks, in capitals",
        with(
            "TRANSFER-ENCODING: CHUNKED\r\n",
            &format!("{length:X}\r\n{question}\r\n0\r\n\r\n"),
        ),
    );
    let (begin, end) = question.split_at(100);
    let pieces = format!(
        "00064;a=b;c=\"d\"\r\n{begin}\r\n{:x}\r\n{end}\r\n000\r\nX-Trailer: x\r\n\r\n",
        end.len()
    );
    add(
        Fate::Read,
        "chunks with extensions and a trailer",
        chunked(&pieces),
    );
    add(
        Fate::Read,
        "a whole address",
        first(&format!("POST https://localhost{ISEE} HTTP/1.1")),
    );
    add(
        Fate::Read,
        "an empty line before",
        [b"\r\n".to_vec(), with(&sized, question)].concat(),
    );
    add(
        Fate::Read,
        "a value that is not ASCII",
        field("X-A: \u{e8}".as_bytes()),
    );
    add(Fate::Read, "a value with a tab in it", field(b"X-A: a\tb"));
    add(Fate::Read, "a value of nothing", field(b"X-A:"));
    add(
        Fate::Read,
        "an invitation to go on",
        field(b"Expect: 100-continue"),
    );
    add(
        Fate::Read,
        "a field that resembles a length",
        field(b"Content_Length: 1"),
    );
    add(
        Fate::Read,
        "an offer of another protocol",
        field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA"),
    );
    add(
        Fate::Read,
        "HTTP/1.0 that stays",
        format!("POST {ISEE} HTTP/1.0\r\n{host}{kind}{sized}Connection: keep-alive\r\n\r\n{question}")
            .into_bytes(),
    );

    // Two ends of one body.
    let other = "Content-Length: 5\r\n";
    for (name, fields) in [
        ("two lengths", format!("{sized}{other}")),
        ("two lengths, the other order", format!("{other}{sized}")),
        ("one length twice", format!("{sized}{sized}")),
        (
            "a list of lengths",
            format!("Content-Length: {length}, {length}\r\n"),
        ),
        (
            "a list of two lengths",
            format!("Content-Length: {length}, 5\r\n"),
        ),
        ("a length and nothing", format!("{sized}Content-Length:\r\n")),
        ("a length with a plus", format!("Content-Length: +{length}\r\n")),
        ("a length with a minus", format!("Content-Length: -{length}\r\n")),
        ("a length with a point", format!("Content-Length: {length}.0\r\n")),
        (
            "a length with a space in it",
            format!("Content-Length: {} {}\r\n", length / 10, length % 10),
        ),
        ("a length after a tab", format!("Content-Length:\t{length}\r\n")),
        (
            "a length after a vertical tab",
            format!("Content-Length: \x0b{length}\r\n"),
        ),
        ("a length in quotes", format!("Content-Length: \"{length}\"\r\n")),
        (
            "a hexadecimal length",
            format!("Content-Length: 0x{length:x}\r\n"),
        ),
        (
            "a length in other digits",
            "Content-Length: \u{661}\u{662}\r\n".to_owned(),
        ),
        (
            "a length over 64 bits",
            format!("Content-Length: {}\r\n", (1u128 << 64) + length as u128),
        ),
        (
            "a length of 64 bits",
            "Content-Length: 18446744073709551615\r\n".to_owned(),
        ),
        (
            "a length before its colon",
            format!("Content-Length : {length}\r\n"),
        ),
        ("a folded length", format!("Content-Length:\r\n {length}\r\n")),
    ] {
        add(Fate::Refused, name, with(&fields, question));
    }
    let coding = "Transfer-Encoding: chunked\r\n";
    for (name, fields) in [
        ("chunks and a length", format!("{coding}{sized}")),
        ("a length and chunks", format!("{sized}{coding}")),
        ("a short length and chunks", format!("{other}{coding}")),
        (
            "chunks and a length of nothing",
            format!("{coding}Content-Length: 0\r\n"),
        ),
        (
            "a length and another coding",
            format!("{sized}Transfer-Encoding: identity\r\n"),
        ),
        ("two codings in two fields", format!("{coding}{coding}")),
        (
            "a coding unknown, then chunked",
            format!("Transfer-Encoding: x\r\n{coding}"),
        ),
        (
            "chunked, then a coding unknown",
            format!("{coding}Transfer-Encoding: x\r\n"),
        ),
        (
            "chunked, then identity",
            format!("{coding}Transfer-Encoding: identity\r\n"),
        ),
        ("a folded coding", "Transfer-Encoding:\r\n chunked\r\n".to_owned()),
        (
            "a coding before its colon",
            "Transfer-Encoding : chunked\r\n".to_owned(),
        ),
        (
            "a coding whose field is folded with a tab",
            "X: y\r\n\tTransfer-Encoding: chunked\r\n".to_owned(),
        ),
        (
            "a coding after a bare LF",
            "X: y\nTransfer-Encoding: chunked\r\n".to_owned(),
        ),
        (
            "a coding after a bare CR",
            "X: y\rTransfer-Encoding: chunked\r\n".to_owned(),
        ),
    ] {
        add(Fate::Refused, name, with(&fields, &chunks));
    }
    for value in [
        "chunked, chunked",
        "identity, chunked",
        "gzip, chunked",
        "chunked, identity",
        "chunked,",
        ", chunked",
        "xchunked",
        "chunkedx",
        "chunk",
        "chunked\t",
        "\tchunked",
        "\x0bchunked",
        "chunked;q=1",
        "\"chunked\"",
        "'chunked'",
        "identity",
        "gzip",
        "",
        "chunked\0",
        "chun\u{212a}ed",
    ] {
        add(
            Fate::Refused,
            &format!("the coding {value:?}"),
            with(&format!("Transfer-Encoding: {value}\r\n"), &chunks),
        );
    }
    add(
        Fate::Refused,
        "chunks in HTTP/1.0",
        format!("POST {ISEE} HTTP/1.0\r\n{host}{kind}{coding}Connection: keep-alive\r\n\r\n{chunks}")
            .into_bytes(),
    );
    let both = format!("{sized}{coding}Connection: keep-alive\r\n");
    add(
        Fate::Refused,
        "a length and chunks in HTTP/1.0",
        format!("POST {ISEE} HTTP/1.0\r\n{host}{kind}{both}\r\n{chunks}").into_bytes(),
    );

    // Chunks.
    for size in [
        "-1",
        "+1",
        "0x1",
        "",
        "g",
        " 1",
        "1,1",
        "1\u{e8}",
        "1_0",
        "10000000000000001",
        "fffffffffffffffff",
        "ffffffffffffffff",
        "1\r",
        "1\0",
    ] {
        add(
            Fate::Refused,
            &format!("a chunk of {size:?} bytes"),
            chunked(&format!("{size}\r\nx\r\n0\r\n\r\n")),
        );
    }
    for (name, body) in [
        (
            "a chunk's size before a space",
            format!("{length:x} \r\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk's size before a bare LF",
            format!("{length:x}\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk's size before a bare CR",
            format!("{length:x}\r{question}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk without an end of line",
            format!("{length:x}\r\n{question}0\r\n\r\n"),
        ),
        (
            "a chunk before a bare LF",
            format!("{length:x}\r\n{question}\n0\r\n\r\n"),
        ),
        (
            "a chunk longer than its size",
            format!("{:x}\r\n{question}\r\n0\r\n\r\n", length - 1),
        ),
        ("a last chunk before a bare LF", format!("{chunk}0\n\r\n")),
        ("an end of trailers that is a bare LF", format!("{chunk}0\r\n\n")),
        (
            "an extension with a bare LF",
            format!("{length:x};a\nb\r\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "an extension with a bare CR",
            format!("{length:x};a\rb\r\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "an extension with a NUL",
            format!("{length:x};a\0\r\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "an extension without a semicolon",
            format!("{length:x} a\r\n{question}\r\n0\r\n\r\n"),
        ),
        (
            "an extension of 100,000 bytes",
            format!("{length:x};{}\r\n{question}\r\n0\r\n\r\n", "a".repeat(100_000)),
        ),
        (
            "20,000 extensions",
            format!("{}{chunks}", "1;aaaaaaaa\r\n<\r\n".repeat(20_000)),
        ),
        (
            "a length among the trailers",
            format!("{chunk}0\r\nContent-Length: 5\r\n\r\n"),
        ),
        (
            "a coding among the trailers",
            format!("{chunk}0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ),
        ("a trailer without a colon", format!("{chunk}0\r\nX\r\n\r\n")),
        ("a folded trailer", format!("{chunk}0\r\nX: y\r\n z\r\n\r\n")),
        (
            "trailers of 100,000 bytes",
            format!("{chunk}0\r\nX: {}\r\n\r\n", "a".repeat(100_000)),
        ),
    ] {
        add(Fate::Refused, name, chunked(&body));
    }

    // Lines.
    let good = with(&sized, question);
    let text = String::from_utf8(good).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    add(
        Fate::Refused,
        "bare LF everywhere",
        format!("{}\n\n{question}", head.replace("\r\n", "\n")).into_bytes(),
    );
    add(
        Fate::Refused,
        "bare LF after the first line",
        text.replacen("\r\n", "\n", 1).into_bytes(),
    );
    add(
        Fate::Refused,
        "bare LF at the end of the head",
        format!("{head}\r\n\n{question}").into_bytes(),
    );
    add(
        Fate::Refused,
        "bare LF before the end of the head",
        format!("{head}\n\r\n{question}").into_bytes(),
    );
    add(
        Fate::Refused,
        "a bare LF before",
        format!("\n{text}").into_bytes(),
    );
    add(
        Fate::Refused,
        "bare CR everywhere",
        format!("{}\r\r{question}", head.replace("\r\n", "\r")).into_bytes(),
    );
    add(
        Fate::Refused,
        "CR CR LF",
        text.replacen("\r\n", "\r\r\n", 1).into_bytes(),
    );
    add(
        Fate::Refused,
        "a space before the first field",
        text.replacen("Host", " Host", 1).into_bytes(),
    );
    add(
        Fate::Refused,
        "a tab before the first field",
        text.replacen("Host", "\tHost", 1).into_bytes(),
    );
    add(
        Fate::Refused,
        "a line of a space before the fields",
        text.replacen("Host", " \r\nHost", 1).into_bytes(),
    );
    add(
        Fate::Refused,
        "a space before the first line",
        format!(" {text}").into_bytes(),
    );
    for (name, fields) in [
        ("a folded field", &b"X: a\r\n b"[..]),
        ("a field folded with a tab", b"X: a\r\n\tb"),
        ("a fold of nothing", b"X: a\r\n "),
        ("a space before a colon", b"X : a"),
        ("a tab before a colon", b"X\t: a"),
        ("a space in a name", b"X Y: a"),
        ("no name", b": a"),
        ("no colon", b"X"),
        ("a name that is not ASCII", b"X\xe8: a"),
        ("a bare CR in a value", b"X: a\rb"),
        ("a bare CR and a head in a value", b"X: a\r\r\nGET / HTTP/1.1"),
        ("another host", b"Host: localhost"),
        ("another host, another name", b"Host: altrove"),
        ("a host before its colon", b"Host : localhost"),
    ] {
        add(Fate::Refused, name, field(fields));
    }
    for byte in (0..0x20u8).chain([0x7f]).filter(|byte| !b"\t\r\n".contains(byte)) {
        add(
            Fate::Refused,
            &format!("byte {byte:#04x} in a value"),
            field(&[b"X: a", &[byte][..], b"b"].concat()),
        );
        add(
            Fate::Refused,
            &format!("byte {byte:#04x} in a name"),
            field(&[b"X", &[byte][..], b": b"].concat()),
        );
    }
    for byte in *b"\0\x01\t\x0b\x0c\x1b\x7f\x80\xe8\xff" {
        let target = [
            b"POST ",
            ISEE.as_bytes(),
            &[byte],
            b" HTTP/1.1\r\n",
            host.as_bytes(),
            sized.as_bytes(),
            b"\r\n",
            question.as_bytes(),
        ];
        add(
            Fate::Refused,
            &format!("byte {byte:#04x} in the target"),
            target.concat(),
        );
        let method = [
            b"PO",
            &[byte][..],
            b"ST ",
            ISEE.as_bytes(),
            b" HTTP/1.1\r\n",
            host.as_bytes(),
            sized.as_bytes(),
            b"\r\n",
            question.as_bytes(),
        ];
        add(
            Fate::Refused,
            &format!("byte {byte:#04x} in the method"),
            method.concat(),
        );
    }
    for separator in *b"\"(),/;<=>?@[\\]{}" {
        add(
            Fate::Refused,
            &format!("{:?} in a name", separator as char),
            field(&[b"X", &[separator][..], b"Y: b"].concat()),
        );
    }

    // First lines.
    for first_line in [
        format!("POST  {ISEE} HTTP/1.1"),
        format!("POST {ISEE}  HTTP/1.1"),
        format!("POST {ISEE} HTTP/1.1 "),
        format!("POST\t{ISEE}\tHTTP/1.1"),
        format!("POST {ISEE} x HTTP/1.1"),
        format!("POST {ISEE}"),
        format!("POST {ISEE} HTTP/1.1 HTTP/1.1"),
        format!("POST {ISEE} HTTP/0.9"),
        format!("POST {ISEE} HTTP/1.2"),
        format!("POST {ISEE} HTTP/2.0"),
        format!("POST {ISEE} HTTP/11"),
        format!("POST {ISEE} HTTP/1.10"),
        format!("POST {ISEE} HTTP/01.1"),
        format!("POST {ISEE} http/1.1"),
        format!("POST {ISEE} HTTPS/1.1"),
        format!("POST {ISEE} HTTP/1,1"),
        format!("POST {ISEE}#a HTTP/1.1"),
        format!("POST https://altrove{ISEE} HTTP/1.1"),
        format!("POST https://u:p@localhost{ISEE} HTTP/1.1"),
        format!("POST ftp://localhost{ISEE} HTTP/1.1"),
        format!("POST https:{ISEE} HTTP/1.1"),
        "POST https:// HTTP/1.1".to_owned(),
        format!("POST {} HTTP/1.1", &ISEE[1..]),
        "POST * HTTP/1.1".to_owned(),
        "OPTIONS * HTTP/1.1".to_owned(),
        "CONNECT localhost:443 HTTP/1.1".to_owned(),
        "CONNECT / HTTP/1.1".replace('/', "localhost"),
        format!("post {ISEE} HTTP/1.1"),
        format!("P@ST {ISEE} HTTP/1.1"),
        format!(" {ISEE} HTTP/1.1"),
        format!("{ISEE} HTTP/1.1"),
        String::new() + "HTTP/1.1 200 OK",
    ] {
        add(
            Fate::Refused,
            &format!("the line {first_line:?}"),
            first(&first_line),
        );
    }
    add(
        Fate::Refused,
        "HTTP/0.9",
        format!("GET {ISEE}?wsdl\r\n").into_bytes(),
    );
    add(
        Fate::Closed,
        "the preface of HTTP/2",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
    );
    add(
        Fate::Refused,
        "a handshake of TLS",
        b"\x16\x03\x01\x00\x05\x01\0\0\x01\0\r\n\r\n".to_vec(),
    );
    add(
        Fate::Refused,
        "no host",
        format!("{line}{kind}{sized}\r\n{question}").into_bytes(),
    );
    for value in [
        "",
        " ",
        "a/b",
        "localhost, altrove",
        "u@localhost",
        "a b",
        "\u{e8}",
        "a\\b",
        "localhost?",
    ] {
        let request = format!("{line}Host: {value}\r\n{kind}{sized}\r\n{question}");
        add(
            Fate::Refused,
            &format!("the host {value:?}"),
            request.into_bytes(),
        );
    }
    add(
        Fate::Refused,
        "a head of 100,000 bytes",
        field(format!("X: {}", "a".repeat(100_000)).as_bytes()),
    );
    add(
        Fate::Refused,
        "a target of 100,000 bytes",
        first(&format!("POST {ISEE}?{} HTTP/1.1", "a".repeat(100_000))),
    );
    add(
        Fate::Refused,
        "200 fields",
        field(
            (0..200)
                .map(|index| format!("X-{index}: a"))
                .collect::<Vec<_>>()
                .join("\r\n")
                .as_bytes(),
        ),
    );
    add(
        Fate::Refused,
        "100,000 empty lines before",
        [b"\r\n".repeat(100_000), with(&sized, question)].concat(),
    );
    all
}

/// Sends a case and the second request in one piece, and reads until the server has done.
async fn play(client: &Client, case: &[u8]) -> (Outcome, Vec<u8>) {
    let stream = client.connect_raw().await.unwrap();
    let (mut input, mut output) = tokio::io::split(stream);
    let bytes = [case, second().as_bytes()].concat();
    // A server that refuses stops reading: what it does not take is no error here.
    let writing = tokio::spawn(async move {
        let _ = output.write_all(&bytes).await;
        let _ = output.flush().await;
        output
    });
    let (mut all, mut piece, begun) = (Vec::new(), vec![0; 65536], Instant::now());
    let mut closed = false;
    while !closed && begun.elapsed() < PATIENCE {
        match tokio::time::timeout(PATIENCE - begun.elapsed().min(PATIENCE), input.read(&mut piece)).await {
            Ok(Ok(0) | Err(_)) => closed = true,
            Ok(Ok(count)) => all.extend_from_slice(&piece[..count]),
            Err(_) => break,
        }
    }
    writing.abort();
    (
        Outcome {
            statuses: statuses(&all),
            closed,
        },
        all,
    )
}

/// The statuses of the final responses in what a server sent.
fn statuses(mut bytes: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end.filter(|_| bytes.starts_with(b"HTTP/1.")) else {
            found.push(9);
            break;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status: u16 = head[9..12].parse().unwrap();
        bytes = &bytes[end + 4..];
        if status < 200 {
            continue;
        }
        found.push(status);
        let value = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|value| value.trim().to_owned())
        };
        match value("content-length:") {
            Some(length) => bytes = &bytes[length.parse::<usize>().unwrap().min(bytes.len())..],
            // A chunked reply, or one up to the end.
            None if value("transfer-encoding:").is_none() => break,
            None => {
                let end = bytes.windows(5).position(|window| window == b"0\r\n\r\n");
                bytes = &bytes[end.map_or(bytes.len(), |end| end + 5)..];
            }
        }
    }
    found
}

/// Plays all cases, some of them at the same time; outcomes in their order.
async fn play_all(client: &Client, cases: &[Case]) -> Vec<(Outcome, Vec<u8>)> {
    let mut outcomes: Vec<Option<(Outcome, Vec<u8>)>> = vec![None; cases.len()];
    let (mut waiting, mut playing) = (cases.iter().enumerate(), JoinSet::new());
    loop {
        while playing.len() < TOGETHER
            && let Some((index, case)) = waiting.next()
        {
            let (client, bytes) = (client.clone(), case.bytes.clone());
            playing.spawn(async move { (index, play(&client, &bytes).await) });
        }
        match playing.join_next().await {
            Some(played) => {
                let (index, outcome) = played.unwrap();
                outcomes[index] = Some(outcome);
            }
            None => break,
        }
    }
    outcomes.into_iter().map(Option::unwrap).collect()
}

#[test]
fn a_request_is_read_in_one_way_or_refused_and_its_connection_closed() {
    let site = Site::new();
    site.configure("[limits]\nhead_seconds = 3\nbody_seconds = 3\n");
    let serving = site.serve();
    let cases = cases(&requests::indicatore(requests::GIULIA, &site.today(), BENEFIT));
    let outcomes = kit::runtime().block_on(play_all(&site.client(serving.address, "comune"), &cases));
    serving.stop();
    let mut wrong = Vec::new();
    for (case, (outcome, bytes)) in cases.iter().zip(&outcomes) {
        let right = match case.fate {
            Fate::Read => outcome.statuses == [200, 200] && outcome.closed,
            Fate::Closed => outcome.statuses.is_empty() && outcome.closed,
            Fate::Refused => {
                let refusals = [400, 408, 413, 414, 431];
                outcome.closed
                    && matches!(outcome.statuses[..], [status] if refusals.contains(&status))
                    && String::from_utf8_lossy(bytes)
                        .to_ascii_lowercase()
                        .contains("\r\nconnection: close\r\n")
            }
        };
        if !right {
            wrong.push(format!("{}: {:?}, {outcome:?}", case.name, case.fate));
        }
    }
    assert!(wrong.is_empty(), "of {}:\n{}", cases.len(), wrong.join("\n"));

    // What was performed is what was well-formed, and nothing besides; the refusals are recorded, or counted.
    let directory = site.directory();
    let entries = find(&directory.reader(), &Filter::default(), usize::MAX).unwrap();
    let bodies = || entries.iter().map(|entry| &entry.leaf.body);
    let performed = bodies()
        .filter(|body| body.kind == Kind::Exchange && body.outcome.as_deref() != Some("FAULT"))
        .count();
    assert_eq!(
        performed,
        cases.iter().filter(|case| case.fate == Fate::Read).count()
    );
    let malformed = row(Code::Malformed).ledger;
    let recorded = bodies()
        .filter(|body| body.refusal.as_deref() == Some(malformed))
        .count() as u64;
    let counted: u64 = bodies()
        .filter(|body| body.kind == Kind::Gathered)
        .flat_map(|body| body.facts["gruppi"].as_array().unwrap())
        .filter(|group| group["motivo"] == "H06.http")
        .map(|group| group["numero"].as_u64().unwrap())
        .sum();
    println!(
        "{} cases, {performed} read, {recorded} refused as ambiguous, {counted} not read by hyper",
        cases.len()
    );
    assert!(
        recorded > 20 && counted > 20,
        "{recorded} recorded, {counted} counted"
    );
}

/// The verdict goes on while the body comes: a trailer with two readings, after a head with one, is refused.
#[test]
fn a_body_with_two_readings_is_refused_after_its_head_was_taken() {
    let site = Site::new();
    let serving = site.serve();
    let question = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let head = format!(
        "POST {ISEE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
    );
    kit::runtime().block_on(async {
        // A field about the framing has no place in a trailer (RFC 9110, 6.5.1); hyper takes it.
        for (trailer, wanted) in [("X-Field: 5\r\n", 200), ("Content-Length: 5\r\n", 400)] {
            let client = site.client(serving.address, "comune");
            let mut stream = client.connect_raw().await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            // The porta has taken the head, and asks for the body.
            let mut begun = [0; 25];
            stream.read_exact(&mut begun).await.unwrap();
            assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
            let body = format!("{:x}\r\n{question}\r\n0\r\n{trailer}\r\n", question.len());
            let _ = stream.write_all(body.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert_eq!(
                statuses(&answer),
                [wanted],
                "{}",
                String::from_utf8_lossy(&answer)
            );
        }
    });
    serving.stop();
}

/// A server beside the port; stopped when dropped.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        // Asked first: what it was asked to leave, it does not leave to its workers.
        let _ = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        let _ = self.0.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Debian keeps daemons where the PATH of a plain user does not look.
fn daemon(name: &str) -> PathBuf {
    ["/usr/sbin", "/sbin", "/usr/local/sbin"]
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| path.exists())
        .unwrap_or(name.into())
}

fn start(site: &Site, program: &str, arguments: &[&str], address: SocketAddr) -> Beside {
    let log = site.home.path().join(format!("{program}.log"));
    let errors = std::fs::File::create(&log).unwrap();
    let mut command = Command::new(daemon(program));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors);
    let started = Beside(
        command
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}: run tests/install full")),
    );
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(
            begun.elapsed() < PATIENCE,
            "{program} did not start: {}",
            std::fs::read_to_string(&log).unwrap()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    started
}

/// nginx, that reads a request to its end before it hands it on, to a server of its own; where both listen.
fn nginx(site: &Site) -> (Beside, SocketAddr, SocketAddr) {
    let (address, behind) = (free_address(), free_address());
    let prefix = site.home.path().join("nginx");
    std::fs::create_dir_all(&prefix).unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .collect();
    let config = format!(
        "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr crit;\nevents {{ worker_connections 1024; }}\n\
         http {{\n{temporary}\
         access_log off;\nclient_body_buffer_size 1m;\nclient_header_timeout 5s;\nclient_body_timeout 5s;\n\
         server {{\nlisten {address} ssl;\nssl_certificate ../pki/server.pem;\nssl_certificate_key ../pki/server.key;\n\
         ssl_client_certificate ../pki/ca.pem;\nssl_verify_client on;\nssl_protocols TLSv1.2 TLSv1.3;\n\
         location / {{ proxy_pass http://{behind}; }}\n}}\n\
         server {{\nlisten {behind};\nlocation / {{ return 200 'ok'; }}\n}}\n}}\n"
    );
    let file = prefix.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let arguments = [
        "-e",
        "stderr",
        "-p",
        prefix.to_str().unwrap(),
        "-c",
        file.to_str().unwrap(),
    ];
    (start(site, "nginx", &arguments, address), address, behind)
}

/// haproxy, that waits for the body before it hands a request on, to the server behind nginx.
fn haproxy(site: &Site, behind: SocketAddr) -> (Beside, SocketAddr) {
    let address = free_address();
    let home = site.home.path();
    let (certificate, key) = site.pem("server");
    let both = std::fs::read_to_string(certificate).unwrap() + &std::fs::read_to_string(key).unwrap();
    std::fs::write(home.join("haproxy.pem"), both).unwrap();
    let config = format!(
        "global\n    maxconn 256\n    nbthread 1\ndefaults\n    mode http\n    option http-buffer-request\n    timeout connect 5s\n    \
         timeout client 5s\n    timeout server 5s\n    timeout http-request 5s\nfrontend front\n    \
         bind {address} ssl crt {0}/haproxy.pem ca-file {0}/pki/ca.pem verify required alpn http/1.1\n    default_backend back\n\
         backend back\n    server one {behind}\n",
        home.display()
    );
    let file = home.join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    (
        start(site, "haproxy", &["-db", "-f", file.to_str().unwrap()], address),
        address,
    )
}

#[test]
fn what_nginx_or_haproxy_refuse_is_not_accepted() {
    let site = Site::new();
    let cases = cases(&requests::indicatore(requests::GIULIA, &site.today(), BENEFIT));
    let (nginx, nginx_address, behind) = nginx(&site);
    let (haproxy, haproxy_address) = haproxy(&site, behind);
    let runtime = kit::runtime();
    let by_nginx = runtime.block_on(play_all(&site.client(nginx_address, "comune"), &cases));
    let by_haproxy = runtime.block_on(play_all(&site.client(haproxy_address, "comune"), &cases));
    drop((nginx, haproxy));
    let (mut wrong, mut refused, mut stricter) = (Vec::new(), [0; 2], Vec::new());
    for ((case, (nginx, _)), (haproxy, _)) in cases.iter().zip(&by_nginx).zip(&by_haproxy) {
        let refusals = [nginx.refused(), haproxy.refused()];
        refused[0] += u32::from(refusals[0]);
        refused[1] += u32::from(refusals[1]);
        match case.fate {
            Fate::Read if refusals != [false; 2] => {
                wrong.push(format!("{}: nginx {nginx:?}, haproxy {haproxy:?}", case.name))
            }
            Fate::Refused | Fate::Closed if refusals == [false; 2] => stricter.push(case.name.as_str()),
            _ => {}
        }
    }
    println!(
        "of {} cases nginx refuses {}, haproxy {}; the port alone: {stricter:#?}",
        cases.len(),
        refused[0],
        refused[1]
    );
    assert!(wrong.is_empty(), "accepted here:\n{}", wrong.join("\n"));
    assert!(
        refused.iter().all(|refused| *refused > 50),
        "{refused:?}: they were not asked"
    );
}
