//! The listener: accepts, caps, serves, and stops in order.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use super::status::of_space;
use super::{Gateway, connection};
use crate::clock::Steps;
use crate::ledger::committer::Health;
use crate::tls::revocation::Unreadable;

/// How often the revocation lists' files are looked at.
const LISTS: Duration = Duration::from_secs(5);

/// A listener with its socket bound.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
}

/// Why serving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// The ledger cannot go on.
    Fatal(String),
}

impl Listener {
    /// Binds.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self {
            socket: TcpListener::bind(address).await?,
        })
    }

    /// On a socket that somebody else has bound, and keeps: connections wait in it while the gateway
    /// restarts.
    pub fn inherited(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: TcpListener::from_std(socket)?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` is true or the ledger is fatal; then lets exchanges end, for as long as `drain`
    /// allows.
    pub async fn serve(
        self,
        gateway: Arc<Gateway>,
        mut stop: watch::Receiver<bool>,
        gathered: Duration,
    ) -> Ended {
        let permits = Arc::new(Semaphore::new(gateway.settings.load().limits.connections));
        let (closing, closed) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut health = gateway.node.ledger.committer.health();
        let mut lists = tokio::time::interval(LISTS);
        let mut little = false;
        let mut flush = tokio::time::interval(gathered);
        let mut steps = Steps::new(&gateway.clock);
        let mut shaking = Shaking::default();
        // One that was accepted and waits for a place. Whoever comes after it waits in the kernel's queue.
        let mut next = None;
        let ended = loop {
            tokio::select! {
                accepted = self.socket.accept(), if next.is_none() => match accepted {
                    Ok(accepted) => {
                        if permits.available_permits() == 0 {
                            shaking.make_room();
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
                    let _ = socket.set_nodelay(true);
                    let (gateway, closed) = (gateway.clone(), closed.clone());
                    let make_room = shaking.enter();
                    connections.spawn(async move {
                        connection::serve(gateway, socket, address, closed, make_room).await;
                        drop(permit);
                    });
                }
                () = stopped(&mut stop) => break Ended::Stopped,
                why = fatal(&mut health) => break Ended::Fatal(why),
                _ = lists.tick() => {
                    // Large lists take their time to be read and checked, and nobody waits for that.
                    let revocations = gateway.settings.load().channel.revocations.clone();
                    tokio::task::spawn_blocking(move || {
                        let refreshed = revocations.refresh();
                        for file in &refreshed.loaded {
                            tracing::info!(file = %file.display(), "revocation lists loaded again");
                        }
                        for Unreadable { file, wrong } in &refreshed.unreadable {
                            let file = file.display();
                            tracing::error!(%file, error = %wrong, "revocation lists: those known of this file stay in force");
                        }
                    });
                    if let Some(free) = gateway.node.free() {
                        let is_little = of_space(free).is_some();
                        if is_little && !std::mem::replace(&mut little, is_little) {
                            tracing::warn!(free, "little space is left where the data directory is: without any the gateway answers 503");
                        }
                        little = is_little;
                    }
                    if let Some(step) = steps.step() {
                        tracing::warn!(step, "the clock was moved, milliseconds");
                        let recorded = gateway.node.record_system("clock-step", serde_json::json!({ "millisecondi": step })).await;
                        if let Err(error) = recorded {
                            tracing::error!(%error, "a step of the clock is not recorded");
                        }
                    }
                }
                _ = flush.tick() => gateway.gathered.flush(&gateway.node).await,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        };
        drop(self.socket);
        closing.send_replace(true);
        let drain = async { while connections.join_next().await.is_some() {} };
        let limit = Duration::from_secs(gateway.settings.load().limits.drain_seconds);
        if tokio::time::timeout(limit, drain).await.is_err() {
            tracing::warn!("connections still open after the drain");
        }
        gateway.gathered.flush(&gateway.node).await;
        ended
    }
}

/// The connections that are in their handshake, the oldest first: when all places are taken, that is the one
/// to leave. Whoever means to speak is done with it in a moment; whoever does not would keep the place of
/// others without having shown any certificate.
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
        // One that is over its handshake does not hear it.
        while let Some(oldest) = self.0.pop_front() {
            if oldest.send(()).is_ok() {
                return;
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could ask for a stop being gone is one.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why the ledger cannot go on, when that happens.
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
