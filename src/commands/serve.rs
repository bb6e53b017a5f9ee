//! `varco serve`: configuration, data directory, TLS, listener, admin socket; then waits for a signal and drains.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::Config;
use crate::contract::Contract;
use crate::gateway::listener::{Ended, Listener};
use crate::gateway::node::Node;
use crate::gateway::{Gateway, admin};
use crate::ledger::Directory;
use crate::ledger::disk::{Disk, RealDisk};
use crate::tls::{Revocations, server};

/// A gateway that serves.
pub struct Started {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves with.
    pub gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Ended>,
    admin: JoinHandle<()>,
    socket: std::path::PathBuf,
}

/// Starts a gateway.
pub async fn start(config: &Config, clock: &Clock) -> Result<Started> {
    start_on(config, clock, Arc::new(RealDisk)).await
}

/// Starts a gateway on a disk of the caller's: tests make it fail.
pub async fn start_on(config: &Config, clock: &Clock, disk: Arc<dyn Disk>) -> Result<Started> {
    let contract = Contract::compile()?;
    let authorities = server::certificates(&config.tls.client_authorities)?;
    let revocations = Revocations::load(&config.tls.crl, authorities.clone())?;
    let tls = server::configure(&config.tls.certificate, &config.tls.key, &authorities, revocations.clone(), clock)?;
    let directory = Directory::open(&config.data)?;
    let node = Node::open(&directory, clock, disk, config.ledger.segment_bytes)?;
    for key in &node.opened.missing_keys {
        tracing::warn!(key, "a class key cannot be opened: its entries are unreadable");
    }
    node.record_opening("start").await?;
    let listener = Listener::bind(config.listen, tls).await.with_context(|| format!("{}", config.listen))?;
    let address = listener.address()?;
    let gateway = Gateway::new(node, contract, revocations, config);
    let socket = directory.socket();
    let admin = tokio::spawn(admin::serve(admin::bind(&socket)?, gateway.clone()));
    let (stop, stopped) = watch::channel(false);
    let gathered = Duration::from_secs(config.ledger.gathered_seconds.max(1));
    let serving = tokio::spawn(listener.serve(gateway.clone(), stopped, gathered));
    tracing::info!(%address, ledger = %directory.ledger, "serving");
    Ok(Started { address, gateway, stop, serving, admin, socket })
}

impl Started {
    /// Stops accepting, lets exchanges end, records the stop, closes the ledger.
    pub async fn stop(self) -> Result<Ended> {
        self.stop.send_replace(true);
        self.finish().await
    }

    /// Waits until it ends by itself, then closes.
    pub async fn finish(self) -> Result<Ended> {
        let ended = self.serving.await?;
        self.admin.abort();
        let _ = std::fs::remove_file(&self.socket);
        let node = &self.gateway.node;
        if ended == Ended::Stopped {
            node.record_system("stop", serde_json::json!({ "versione": env!("CARGO_PKG_VERSION") })).await?;
        }
        node.close();
        Ok(ended)
    }
}

pub(super) fn run(config: &Path, clock: &Clock) -> Result<()> {
    trace();
    let config = Config::read(config)?;
    descriptors(config.limits.connections);
    super::runtime()?.block_on(async {
        // Before anybody is told that it serves: from then on it may be asked to stop.
        let signals = Signals::new()?;
        let started = start(&config, clock).await?;
        println!("varco in ascolto su https://{}", started.address);
        let stop = started.stop.clone();
        tokio::spawn(async move {
            signals.wait().await;
            stop.send_replace(true);
        });
        match started.finish().await? {
            Ended::Stopped => Ok(()),
            Ended::Fatal(why) => bail!("il registro non può continuare: {why}"),
        }
    })
}

/// As many descriptors as may be had: the usual limit, 1024, is for programs that use select(2), and less than `limits.connections` needs.
fn descriptors(connections: usize) {
    const OWN: u64 = 256;
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, "descriptors");
    }
    let (wanted, had) = (connections as u64 + OWN, getrlimit(Resource::Nofile).current);
    if had.is_some_and(|had| had < wanted) {
        tracing::warn!(had, wanted, "fewer descriptors than limits.connections needs");
    }
}

/// SIGTERM and SIGINT, caught from when this is made.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    pub(super) async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Logs as JSON on standard error; `VARCO_LOG` sets the level.
fn trace() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("VARCO_LOG").unwrap_or_else(|_| "info".into());
    let _ = tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_env_filter(filter).try_init();
}
