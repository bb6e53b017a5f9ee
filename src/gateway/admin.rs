//! The admin socket: HTTP over a Unix socket in the data directory, for users admitted by the file system.
//! The kernel names the acting user (SO_PEERCRED).
//!
//! `POST /enti`, `/feed`, `/rules` and `/reload` carry out `varco ente`, `feed load`, `rules apply` and
//! `reload`; `POST /consultate` records a look-up; `GET /live`, `/ready`, `/metrics` tell how it is.

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use super::node::Decision;
use super::status::{Readiness, Status};
use super::{Gateway, beside};
use crate::isee::feed::FeedRecord;
use crate::registry::administration::{Actor, Claims, Command, Rejected, perform_all};
use crate::registry::consultate::{self, Consultazione};
use crate::registry::ente::Ente;
use crate::sii::upkeep::{Act, resume};

/// Largest body of a request, bytes: room for a feed of fifty thousand lines.
const LARGEST: usize = 32 << 20;

/// A request over the socket.
#[derive(Debug, Serialize, Deserialize)]
pub struct SocketRequest<T> {
    /// Its content; the type depends on the path.
    pub what: T,
    /// The operator's reason (`--motivo`).
    pub motivo: String,
    /// The claims of the operator.
    #[serde(default)]
    pub chi: Claims,
}

impl<T> SocketRequest<T> {
    /// The acting user: ids from the kernel, claims from the request.
    fn by(&self, actor: &Actor) -> Actor {
        Actor::claiming(actor.uid, actor.pid, self.chi.clone())
    }
}

/// The result of a loaded feed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Caricato {
    /// Number of entries taken from it.
    pub voci: usize,
    /// Number of waiting DSU attested with it. None after an error, or without a running gateway.
    pub attestate: Option<usize>,
}

/// A request to read the configuration again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Reload {
    /// Reload despite faults refused by a strict check.
    #[serde(default)]
    pub comunque: bool,
}

/// An answer: a result, or a text in Italian.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SocketReply<T> {
    /// Success, with its result.
    Ok(T),
    /// Failure, with its reason.
    Errore(String),
}

/// Listens in the data directory. A socket left behind by a dead process is replaced: the lock of the
/// directory excludes another server.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves the socket until the task is dropped.
pub async fn serve(listener: UnixListener, gateway: Arc<Gateway>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(one(socket, gateway.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "admin socket");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves `GET /live`, `/ready` and `/metrics` on a loopback port until the task is dropped. This port
/// changes nothing and names nobody.
pub async fn serve_port(listener: TcpListener, gateway: Arc<Gateway>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let gateway = gateway.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let gateway = gateway.clone();
                async move {
                    let reply = observed(&gateway, request.method(), request.uri().path());
                    Ok::<_, Infallible>(reply.unwrap_or_else(|| text(StatusCode::NOT_FOUND, "not found\n")))
                }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(10))
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

/// The answer to `/live`, `/ready` or `/metrics`. None for any other request.
fn observed(gateway: &Gateway, method: &Method, path: &str) -> Option<Response<Full<Bytes>>> {
    Some(match (method, path) {
        (&Method::GET, "/live") => text(StatusCode::OK, "live\n"),
        (&Method::GET, "/ready") => {
            let Readiness { ready, says } = Readiness::of(gateway);
            let lines = ready.then(|| "ready".to_owned()).into_iter().chain(says);
            let status = if ready {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            text(status, &lines.map(|line| line + "\n").collect::<String>())
        }
        (&Method::GET, "/metrics") => text(StatusCode::OK, &gateway.measured()),
        _ => return None,
    })
}

async fn one(socket: UnixStream, gateway: Arc<Gateway>) {
    let Ok(credentials) = socket.peer_cred() else {
        return;
    };
    let actor = Actor::of(credentials.uid(), credentials.pid());
    let service = service_fn(move |request| {
        let (gateway, actor) = (gateway.clone(), actor.clone());
        // A feed, a table of enti or new lists may take long. The work goes on to its end even if the
        // operator goes away.
        let handled = beside::spawn(async move { handle(&gateway, &actor, request).await });
        async move {
            Ok::<_, Infallible>(
                handled
                    .await
                    .unwrap_or_else(|error| json(&SocketReply::<()>::Errore(error.to_string()))),
            )
        }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn handle(gateway: &Gateway, actor: &Actor, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let node = &gateway.node;
    let now = gateway.clock.now();
    if let Some(reply) = observed(gateway, request.method(), request.uri().path()) {
        return reply;
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/status") => json(&match Status::of(gateway) {
            Ok(status) => SocketReply::Ok(status),
            Err(error) => SocketReply::Errore(error.to_string()),
        }),
        (&Method::GET, "/enti") => match node.registry.enti() {
            Ok(enti) => json(&SocketReply::Ok(enti)),
            Err(error) => json(&SocketReply::<Vec<Ente>>::Errore(error.to_string())),
        },
        (&Method::POST, "/enti") => match read::<Vec<Command>>(request).await {
            Ok(asked) => answer(
                perform_all(
                    &node.ledger,
                    &node.registry,
                    &asked.what,
                    &asked.by(actor),
                    &asked.motivo,
                    now,
                )
                .await,
            ),
            Err(refused) => refused,
        },
        (&Method::POST, "/reload") => match read::<Reload>(request).await {
            Ok(asked) => json(
                &match gateway.reload(Some(&asked.by(actor)), asked.what.comunque).await {
                    Ok(reloaded) => SocketReply::Ok(reloaded),
                    Err(text) => SocketReply::Errore(text),
                },
            ),
            Err(refused) => refused,
        },
        (&Method::POST, "/consultate") => match read::<Consultazione>(request).await {
            Ok(asked) => answer(consultate::record(&node.ledger, &asked.what, &asked.by(actor), now).await),
            Err(refused) => refused,
        },
        (&Method::POST, "/epoca") => match read::<()>(request).await {
            Ok(asked) => end_epoch(gateway, actor, asked).await,
            Err(refused) => refused,
        },
        (&Method::POST, "/rules") => match read::<bool>(request).await {
            Ok(asked) => {
                let act = Act {
                    actor: &asked.by(actor),
                    reason: &asked.motivo,
                    now,
                };
                answer(node.upkeep.apply_rules(asked.what, act).await)
            }
            Err(refused) => refused,
        },
        (&Method::POST, "/feed") => match read::<Vec<FeedRecord>>(request).await {
            Ok(asked) => load_feed(gateway, actor, asked, now).await,
            Err(refused) => refused,
        },
        _ => text(StatusCode::NOT_FOUND, "not found\n"),
    }
}

/// Ends the epoch of the signing key. The answer is the new verification key.
async fn end_epoch(gateway: &Gateway, actor: &Actor, asked: SocketRequest<()>) -> Response<Full<Bytes>> {
    let decision = Decision {
        actor: asked.by(actor),
        reason: asked.motivo,
    };
    json(&match gateway.node.end_epoch(&decision).await {
        Ok(key) => SocketReply::Ok(key),
        Err(error) => SocketReply::Errore(error.to_string()),
    })
}

/// Loads lines of the feed, and attests the DSU that waited for them.
async fn load_feed(
    gateway: &Gateway,
    actor: &Actor,
    asked: SocketRequest<Vec<FeedRecord>>,
    now: Timestamp,
) -> Response<Full<Bytes>> {
    let act = Act {
        actor: &asked.by(actor),
        reason: &asked.motivo,
        now,
    };
    let upkeep = &gateway.node.upkeep;
    let loaded = upkeep.load_feed(&asked.what, act).await;
    // The lines are in the ledger now, and attesting thousands of DSU takes long.
    drop(asked);
    // Waiting DSU are attested before the answer: the operator is told how many.
    let attestate = match &loaded {
        Ok(_) => resume(upkeep.as_ref(), now).await,
        Err(_) => None,
    };
    answer(loaded.map(|voci| Caricato { voci, attestate }))
}

async fn read<T: for<'de> Deserialize<'de>>(
    request: Request<Incoming>,
) -> Result<SocketRequest<T>, Response<Full<Bytes>>> {
    let bad = || text(StatusCode::BAD_REQUEST, "request not understood\n");
    let body = Limited::new(request.into_body(), LARGEST)
        .collect()
        .await
        .map_err(|_| bad())?;
    serde_json::from_slice(&body.to_bytes()).map_err(|_| bad())
}

fn answer<T: Serialize>(result: Result<T, Rejected>) -> Response<Full<Bytes>> {
    json(&match result {
        Ok(done) => SocketReply::Ok(done),
        Err(rejected) => SocketReply::Errore(rejected.to_string()),
    })
}

fn json<T: Serialize>(answered: &SocketReply<T>) -> Response<Full<Bytes>> {
    match serde_json::to_vec(answered) {
        Ok(bytes) => Response::new(Full::new(Bytes::from(bytes))),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "answer cannot be written\n"),
    }
}

fn text(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from(text.to_owned())));
    *reply.status_mut() = status;
    reply
}
