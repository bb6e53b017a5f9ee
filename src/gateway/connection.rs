//! From an accepted socket to HTTP/1.1: handshake, the peer, one exchange after another.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use uuid::Uuid;

use super::Gateway;
use super::exchange;
use super::framing::{Framing, Verdict, Verdicts};
use super::gathered::Stretta;
use super::metered::{Metered, TooManyRecords};
use super::outcome::{self, Reply};
use super::proxy;
use super::pseudonyms::Pseudonyms;
use super::record::{Channel, Passage};
use super::settings::Settings;
use crate::config::Limits;
use crate::tls::server::Shown;
use crate::tls::server::TlsVersion;

/// Serves one connection until it ends, or until `stop` changes and its exchange is done. During its
/// handshake it may be told to make room.
pub(super) async fn serve(
    gateway: Arc<Gateway>,
    socket: TcpStream,
    address: SocketAddr,
    stop: watch::Receiver<bool>,
    make_room: oneshot::Receiver<()>,
) {
    let settings = gateway.settings.load_full();
    let limits = &settings.limits;
    let mut source = address.ip().to_canonical();
    let Ok((config, shown)) = settings.channel.handshake() else {
        return refuse(&gateway, Stretta::H03Tls, source, None);
    };
    let handshake = handshake(&settings, config, socket, &mut source);
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(limits.handshake(), handshake) => handshake,
        Ok(()) = make_room => return refuse(&gateway, Stretta::H07Posto, source, None),
    };
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(reason)) => return refuse(&gateway, reason, source, Some(&shown)),
        Err(_) => return refuse(&gateway, Stretta::H04Tempo, source, None),
    };
    let (_, session) = stream.get_ref();
    let tls = TlsVersion::of(session.protocol_version());
    let Some(peer) = settings.channel.peer(&shown) else {
        return refuse(&gateway, Stretta::H02Certificato, source, Some(&shown));
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
        pseudonyms: Pseudonyms::default(),
    });
    let exchanges = Exchanges::new(gateway, channel, limits);
    exchanges.serve(stream, limits, stop).await;
}

/// Counts and says a handshake that ended without a connection.
fn refuse(gateway: &Gateway, reason: Stretta, source: IpAddr, shown: Option<&Shown>) {
    gateway.gathered.count(reason.code(), None);
    let certificate = shown.and_then(Shown::refused);
    gateway
        .refusals
        .say(reason.code(), source, certificate, gateway.clock.now());
}

/// The handshake. `source` becomes the client's address, if a balancer names it.
async fn handshake(
    settings: &Settings,
    config: Arc<ServerConfig>,
    mut socket: TcpStream,
    source: &mut IpAddr,
) -> Result<TlsStream<Metered<TcpStream>>, Stretta> {
    if settings.proxies.contains(source) {
        let named = proxy::source(&mut socket).await.map_err(|_| Stretta::H09Proxy)?;
        *source = named.unwrap_or(*source);
    }
    let accepting = TlsAcceptor::from(config).accept(Metered::new(socket));
    let mut stream = accepting.await.map_err(|error| reason(&error))?;
    stream.get_mut().0.lift();
    // With TLS 1.3 the server says nothing after the client's last message. A client with Nagle's
    // algorithm would wait for an acknowledgement, and the kernel delays it by 40 ms.
    let _ = set_tcp_quickack(stream.get_ref().0.inner(), true);
    Ok(stream)
}

/// The exchanges of one connection.
struct Exchanges {
    gateway: Arc<Gateway>,
    channel: Arc<Channel>,
    /// How the head of each request was read.
    verdicts: Arc<Verdicts>,
    /// The reply under way.
    owed: Owed,
    /// The idle time of a connection, for its header.
    kept: Option<HeaderValue>,
}

impl Exchanges {
    fn new(gateway: Arc<Gateway>, channel: Arc<Channel>, limits: &Limits) -> Self {
        // A second less, for a request under way.
        let idle = limits.head_seconds.saturating_sub(1).max(1);
        Exchanges {
            gateway,
            channel,
            verdicts: Verdicts::new(),
            owed: Owed::default(),
            kept: HeaderValue::from_str(&format!("timeout={idle}")).ok(),
        }
    }

    /// Reads requests and answers them, one after another, until the connection ends.
    async fn serve(
        self,
        stream: TlsStream<Metered<TcpStream>>,
        limits: &Limits,
        mut stop: watch::Receiver<bool>,
    ) {
        let timed = Timed {
            inner: stream,
            framing: Framing::new(self.verdicts.clone(), &self.gateway.clock),
            patience: limits.reply(),
            waiting: None,
            owed: self.owed.clone(),
        };
        let service = service_fn(|request| self.answer(request));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head())
            .max_headers(2 * exchange::MOST_FIELDS)
            // After its last byte a client may still wait for the answer (RFC 9112, 9.6).
            .half_close(true)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(timed), service);
        tokio::pin!(connection);
        loop {
            tokio::select! {
                ended = connection.as_mut() => return self.ended(ended),
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

    /// Names the reply that did not leave, and counts a head that hyper could not read and has answered.
    fn ended(&self, ended: hyper::Result<()>) {
        let (gathered, presented) = (&self.gateway.gathered, self.channel.peer.fingerprint());
        if let Some(exchange) = self.owed.take() {
            gathered.name(Stretta::E98NonConsegnata.code(), presented, exchange);
        }
        if ended.is_err_and(|error| error.is_parse()) {
            gathered.count(Stretta::H06Http.code(), Some(presented));
        }
    }

    /// Answers one request.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Result<Reply, Infallible>> + use<> {
        let (verdict, owed) = (self.verdicts.next(), self.owed.clone());
        let kept = self.kept.clone().filter(|_| !is_last(request.headers()));
        let passage =
            Passage::begin(verdict.began().unwrap_or_else(|| self.gateway.clock.now())).map(Arc::new);
        let exchange = passage
            .clone()
            .map(|passage| self.detached(passage, verdict, request));
        async move {
            let Some((exchange, passage)) = exchange.zip(passage) else {
                return Ok(outcome::internal());
            };
            let mut reply = exchange.await.unwrap_or_else(|_| outcome::internal());
            if passage.is_recorded() {
                owed.set(passage.id);
            }
            if let Some(kept) = kept.filter(|_| !is_last(reply.headers())) {
                reply.headers_mut().insert(KEEP_ALIVE, kept);
            }
            Ok(reply)
        }
    }

    /// The exchange of a request, in a task of its own: a client that hangs up does not cancel work that must
    /// be recorded.
    fn detached(
        &self,
        passage: Arc<Passage>,
        verdict: Verdict,
        request: Request<Incoming>,
    ) -> JoinHandle<Reply> {
        let (gateway, channel) = (self.gateway.clone(), self.channel.clone());
        tokio::spawn(async move {
            // In a box: the future has ten kilobytes, and tokio moves a task nine times.
            let mut answering = Box::pin(exchange::answer(&gateway, &channel, &passage, &verdict, request));
            match caught(answering.as_mut()).await {
                Some(reply) => reply,
                None => {
                    super::failed::failed(&gateway, &channel, &passage).await;
                    outcome::internal()
                }
            }
        })
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
fn reason(error: &io::Error) -> Stretta {
    use rustls::Error;
    if error.get_ref().is_some_and(|inner| inner.is::<TooManyRecords>()) {
        return Stretta::H03Tls;
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::NoCertificatesPresented) => Stretta::H01SenzaCertificato,
        Some(Error::InvalidCertificate(_)) => Stretta::H02Certificato,
        Some(_) => Stretta::H03Tls,
        None => Stretta::H05Interrotto,
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
