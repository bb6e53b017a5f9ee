//! From an accepted socket to HTTP/1.1: handshake, the peer, one exchange after another.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_tcp_quickack;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::Gateway;
use super::exchange;
use super::framing::{Framing, Verdicts};
use super::gathered::Stretta;
use super::metered::{Metered, TooManyRecords};
use super::outcome;
use super::proxy;
use super::record::{Channel, Passage};
use crate::tls::server::Shown;
use crate::tls::server::TlsVersion;

/// Serves one connection until it ends, or until `stop` changes and its exchange is done. During its
/// handshake it may be told to make room.
pub(super) async fn serve(
    gateway: Arc<Gateway>,
    mut socket: TcpStream,
    address: SocketAddr,
    mut stop: watch::Receiver<bool>,
    make_room: oneshot::Receiver<()>,
) {
    let settings = gateway.settings.load_full();
    let limits = &settings.limits;
    let mut source = address.ip().to_canonical();
    let refuse = |reason, source, shown: Option<&Shown>| {
        gateway.gathered.count(reason, None);
        gateway.refusals.say(
            reason,
            source,
            shown.and_then(Shown::refused),
            gateway.clock.now(),
        );
    };
    let Ok((config, shown)) = settings.channel.handshake() else {
        return refuse(Stretta::H03Tls.code(), source, None);
    };
    let acceptor = TlsAcceptor::from(config);
    let handshake = async {
        // A balancer names the client's address.
        if settings.proxies.contains(&source) {
            source = proxy::source(&mut socket)
                .await
                .map_err(|_| Stretta::H09Proxy.code())?
                .unwrap_or(source);
        }
        acceptor
            .accept(Metered::new(socket))
            .await
            .map_err(|error| reason(&error))
    };
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(limits.handshake(), handshake) => handshake,
        Ok(()) = make_room => return refuse(Stretta::H07Posto.code(), source, None),
    };
    let stream = match handshake {
        Ok(Ok(mut stream)) => {
            stream.get_mut().0.lift();
            // With TLS 1.3 the server says nothing after the client's last message. A client with Nagle's
            // algorithm would wait for an acknowledgement, and the kernel delays it by 40 ms.
            let _ = set_tcp_quickack(stream.get_ref().0.inner(), true);
            stream
        }
        Ok(Err(reason)) => return refuse(reason, source, Some(&shown)),
        Err(_) => return refuse(Stretta::H04Tempo.code(), source, None),
    };
    let (_, session) = stream.get_ref();
    let tls = TlsVersion::of(session.protocol_version());
    let Some(peer) = settings.channel.peer(&shown) else {
        return refuse(Stretta::H02Certificato.code(), source, Some(&shown));
    };
    let Some(_place) = gateway
        .connected
        .enter(peer.fingerprint(), limits.per_certificate)
    else {
        return gateway
            .gathered
            .count(Stretta::H08Connessioni.code(), Some(peer.fingerprint()));
    };
    let channel = Arc::new(Channel {
        peer,
        address: source.to_string(),
        tls,
    });
    let verdicts = Verdicts::new();
    let owed = Owed::default();
    let framing = Framing::new(verdicts.clone(), &gateway.clock);
    let timed = Timed {
        inner: stream,
        framing,
        patience: limits.reply(),
        waiting: None,
        owed: owed.clone(),
    };

    // The idle time of a connection; a second less, for a request under way.
    let kept = HeaderValue::from_str(&format!(
        "timeout={}",
        limits.head_seconds.saturating_sub(1).max(1)
    ))
    .ok();
    let (counting, presented) = (gateway.clone(), channel.peer.fingerprint().to_owned());
    let owing = owed.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (verdict, owed) = (verdicts.next(), owing.clone());
        let kept = kept.clone().filter(|_| !is_last(request.headers()));
        let (gateway, channel) = (gateway.clone(), channel.clone());
        let passage = Passage::begin(verdict.began().unwrap_or_else(|| gateway.clock.now())).map(Arc::new);
        // Detached: a client that hangs up does not cancel work that must be recorded.
        let exchange = passage.clone().map(|passage| {
            tokio::spawn(async move {
                // In a box: the future has ten kilobytes, and tokio moves a task nine times.
                let mut answering =
                    Box::pin(exchange::answer(&gateway, &channel, &passage, &verdict, request));
                match caught(answering.as_mut()).await {
                    Some(reply) => reply,
                    None => {
                        super::failed::failed(&gateway, &channel, &passage).await;
                        outcome::internal()
                    }
                }
            })
        });
        async move {
            let Some((exchange, passage)) = exchange.zip(passage) else {
                return Ok(outcome::internal());
            };
            let reply = exchange.await.unwrap_or_else(|_| outcome::internal());
            if passage.is_recorded() {
                owed.set(passage.id);
            }
            let mut reply = reply;
            if let Some(kept) = kept.filter(|_| !is_last(reply.headers())) {
                reply.headers_mut().insert(KEEP_ALIVE, kept);
            }
            Ok::<_, Infallible>(reply)
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.limits.head())
        .max_headers(2 * exchange::MOST_FIELDS)
        // After its last byte a client may still wait for the answer (RFC 9112, 9.6).
        .half_close(true)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(timed), service);
    tokio::pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Some(exchange) = owed.take() {
                    counting.gathered.name(Stretta::E98NonConsegnata.code(), &presented, exchange);
                }
                // hyper could not read the head, and has answered it.
                if ended.is_err_and(|error| error.is_parse()) {
                    counting.gathered.count(Stretta::H06Http.code(), Some(&presented));
                }
                return;
            }
            changed = stop.changed() => {
                connection.as_mut().graceful_shutdown();
                if changed.is_err() {
                    let _ = connection.as_mut().await;
                    return;
                }
            }
        }
    }
}

/// The header about the idle time of a persistent connection (RFC 2068, 19.7.1.1).
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Whether these header fields end the connection.
fn is_last(headers: &HeaderMap) -> bool {
    headers
        .get(CONNECTION)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// The recorded exchange of hyper's present reply, until the socket has all of it.
#[derive(Clone, Debug, Default)]
struct Owed(Arc<Mutex<Option<Uuid>>>);

impl Owed {
    fn set(&self, exchange: Uuid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
    }

    fn take(&self) -> Option<Uuid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The output of a future. None if it panics; the log has a line then.
async fn caught<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        },
    )
    .await
}

/// The reason of a failed handshake, as a code of `Stretta`.
fn reason(error: &io::Error) -> &'static str {
    use rustls::Error;
    if error.get_ref().is_some_and(|inner| inner.is::<TooManyRecords>()) {
        return Stretta::H03Tls.code();
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::NoCertificatesPresented) => Stretta::H01SenzaCertificato.code(),
        Some(Error::InvalidCertificate(_)) => Stretta::H02Certificato.code(),
        Some(_) => Stretta::H03Tls.code(),
        None => Stretta::H05Interrotto.code(),
    }
}

/// A stream in front of hyper: the framing reads along, and a reply not taken in time ends it.
struct Timed<S> {
    inner: S,
    framing: Framing,
    /// Time for a client to take a reply.
    patience: Duration,
    /// The timer of `patience`. It starts when the client first lets a reply wait.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Cleared by a flush: hyper flushes when it has written a reply.
    owed: Owed,
}

impl<S> Timed<S> {
    /// Turns a wait longer than `patience` into an error. Bytes taken meanwhile do not count: a byte now and
    /// then is no progress.
    fn in_time<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        let patience = self.patience;
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waiting
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.framing.read(&buffer.filled()[before..]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.in_time(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        if polled.is_ready() {
            self.waiting = None;
        }
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.owed.take();
        }
        self.in_time(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.in_time(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.in_time(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
