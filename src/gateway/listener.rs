//! The listener: accepts, caps, serves, and stops in order.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use super::status::of_space;
use super::{Gateway, connection};
use crate::clock::ClockSteps;
use crate::ledger::committer::Health;
use crate::tls::revocation::UnreadableFile;

/// Interval for the revocation lists' files, the free space and the clock.
const LISTS: Duration = Duration::from_secs(5);

/// A listener with its socket bound.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    /// Whether another process keeps the socket, and the connections that wait in it.
    is_kept: bool,
}

/// The end of [`Listener::serve`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop.
    Stopped,
    /// The ledger cannot go on; the reason.
    Fatal(String),
}

impl Listener {
    /// Binds a socket of its own.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            socket: TcpListener::bind(address).await?,
            is_kept: false,
        })
    }

    /// Takes a socket bound and kept by another process: connections wait in it while the gateway restarts.
    pub fn inherited(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
            is_kept: true,
        })
    }

    /// The local address, with the actual port.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` is true or the ledger is fatal. Then exchanges may end, within `drain_seconds`. At
    /// the stop, connections in the kernel's queue are accepted; they end or are counted like others.
    pub async fn serve(
        self,
        gateway: Arc<Gateway>,
        mut stop: watch::Receiver<bool>,
        gathered: Duration,
    ) -> Ended {
        let permits = Arc::new(Semaphore::new(gateway.settings.load().limits.connections));
        let (closing, closed) = watch::channel(false);
        let mut served = Served {
            gateway: gateway.clone(),
            closed,
            connections: JoinSet::new(),
            shaking: Shaking::default(),
        };
        let mut health = gateway.node.ledger.committer.health();
        let mut lists = tokio::time::interval(LISTS);
        let mut flush = tokio::time::interval(gathered);
        let mut watch = Sentinella {
            little: false,
            steps: ClockSteps::new(&gateway.clock),
        };
        // An accepted connection waiting for a place. Later ones wait in the kernel's queue.
        let mut next = None;
        let ended = loop {
            tokio::select! {
                accepted = self.socket.accept(), if next.is_none() => match accepted {
                    Ok(accepted) => {
                        if permits.available_permits() == 0 {
                            served.shaking.make_room();
                        }
                        next = Some(accepted);
                    }
                    // Out of descriptors, or a connection gone before it was accepted: not a reason to spin.
                    Err(error) => {
                        tracing::warn!(%error, "accept");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                permit = permits.clone().acquire_owned(), if next.is_some() => {
                    let Ok(permit) = permit else { break Ended::Stopped };
                    let Some((socket, address)) = next.take() else { continue };
                    served.enter(socket, address, permit);
                }
                () = stopped(&mut stop) => break Ended::Stopped,
                why = fatal(&mut health) => break Ended::Fatal(why),
                _ = lists.tick() => {
                    refresh_lists(&gateway);
                    watch.space(&gateway);
                    watch.clock(&gateway).await;
                }
                _ = flush.tick() => gateway.gathered.flush(&gateway.node).await,
                Some(_) = served.connections.join_next(), if !served.connections.is_empty() => {}
            }
        };
        if ended == Ended::Stopped && !self.is_kept {
            served.enter_waiting(next.into_iter().chain(queued(self.socket)), &permits);
        } else {
            drop(self.socket);
        }
        closing.send_replace(true);
        let drain = async { while served.connections.join_next().await.is_some() {} };
        let limit = Duration::from_secs(gateway.settings.load().limits.drain_seconds);
        if tokio::time::timeout(limit, drain).await.is_err() {
            tracing::warn!("connections still open after the drain");
        }
        gateway.gathered.flush(&gateway.node).await;
        ended
    }
}

/// The connections in the kernel's queue, oldest first. The socket is closed after the last.
fn queued(socket: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    // By the standard library: tokio knows only of connections its driver has already seen.
    let socket = socket.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, address) = socket.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, address))
    })
}

/// The connections being served.
struct Served {
    gateway: Arc<Gateway>,
    /// Becomes true when the gateway stops.
    closed: watch::Receiver<bool>,
    connections: JoinSet<()>,
    shaking: Shaking,
}

impl Served {
    /// Serves a connection in its place, until it ends.
    fn enter(&mut self, socket: TcpStream, address: SocketAddr, place: OwnedSemaphorePermit) {
        let _ = socket.set_nodelay(true);
        let (gateway, closed) = (self.gateway.clone(), self.closed.clone());
        let make_room = self.shaking.enter();
        self.connections.spawn(async move {
            connection::serve(gateway, socket, address, closed, make_room).await;
            drop(place);
        });
    }

    /// Serves waiting connections, as long as there are places.
    fn enter_waiting(
        &mut self,
        waiting: impl Iterator<Item = (TcpStream, SocketAddr)>,
        places: &Arc<Semaphore>,
    ) {
        for (socket, address) in waiting {
            let Ok(place) = places.clone().try_acquire_owned() else {
                return;
            };
            self.enter(socket, address, place);
        }
    }
}

/// Reads the files of revocation lists again, beside: large lists take long, and nobody waits for them.
fn refresh_lists(gateway: &Gateway) {
    let revocations = gateway.settings.load().channel.revocations.clone();
    tokio::task::spawn_blocking(move || {
        let refreshed = revocations.refresh();
        for file in &refreshed.loaded {
            tracing::info!(file = %file.display(), "revocation lists loaded again");
        }
        for UnreadableFile { file, wrong } in &refreshed.unreadable {
            let file = file.display();
            tracing::error!(%file, error = %wrong, "revocation lists: those known of this file stay in force");
        }
    });
}

/// What is looked at now and then: the room left on the disk, and the clock.
struct Sentinella {
    /// Whether little room was left the last time.
    little: bool,
    steps: ClockSteps,
}

impl Sentinella {
    /// Warns once when little room is left.
    fn space(&mut self, gateway: &Gateway) {
        if let Some(free) = gateway.node.free() {
            let is_little = of_space(free).is_some();
            if is_little && !std::mem::replace(&mut self.little, is_little) {
                tracing::warn!(
                    free,
                    "little space is left where the data directory is: without any the gateway answers 503"
                );
            }
            self.little = is_little;
        }
    }

    /// Records a step of the clock.
    async fn clock(&mut self, gateway: &Gateway) {
        if let Some(step) = self.steps.step() {
            tracing::warn!(step, "the clock was moved, milliseconds");
            let recorded = gateway
                .node
                .record_system("clock-step", serde_json::json!({ "millisecondi": step }))
                .await;
            if let Err(error) = recorded {
                tracing::error!(%error, "a step of the clock is not recorded");
            }
        }
    }
}

/// The connections in their handshake, the oldest first. The oldest leaves when all places are taken. A
/// client ready to speak finishes its handshake in a moment. Any other would keep the place of others without
/// having shown any certificate.
#[derive(Default)]
struct Shaking(VecDeque<oneshot::Sender<()>>);

impl Shaking {
    fn enter(&mut self) -> oneshot::Receiver<()> {
        while self.0.front().is_some_and(oneshot::Sender::is_closed) {
            self.0.pop_front();
        }
        let (sender, receiver) = oneshot::channel();
        self.0.push_back(sender);
        receiver
    }

    fn make_room(&mut self) {
        // A connection past its handshake does not hear it.
        while let Some(oldest) = self.0.pop_front() {
            if oldest.send(()).is_ok() {
                return;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error: nobody is left to ask for a stop. It counts as one.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Waits until the ledger cannot go on. Returns the reason.
async fn fatal(health: &mut watch::Receiver<Health>) -> String {
    match health
        .wait_for(|health| matches!(health, Health::Fatal(_)))
        .await
        .as_deref()
    {
        Ok(Health::Fatal(why)) => why.clone(),
        _ => "the committer is gone".to_owned(),
    }
}
