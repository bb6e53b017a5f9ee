//! `varco serve`: configuration, data directory, TLS, listener, admin socket; then waits for signals: SIGTERM
//! and SIGINT drain and stop, SIGHUP reads the configuration again. Under systemd it takes the given socket,
//! says when it is ready, and answers the watchdog.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::{Clock, rome};
use crate::config::Config;
use crate::contract::Contract;
use crate::gateway::counting::{CountsFile, QuotaFollower};
use crate::gateway::listener::{Ended, Listener};
use crate::gateway::node::Node;
use crate::gateway::settings::Settings;
use crate::gateway::{Gateway, admin, beside};
use crate::ledger::Directory;
use crate::ledger::committer::Health;
use crate::ledger::disk::{Disk, RealDisk};
use crate::ledger::scrub::Scrub;
use crate::log;
use crate::sii;

/// A running gateway, and the means to stop it.
pub struct Started {
    /// The address of its listener: the actual port, if the configuration asks for port 0.
    pub address: SocketAddr,
    /// The gateway itself: its settings and its ledger.
    pub gateway: Arc<Gateway>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Ended>,
    admin: Vec<JoinHandle<()>>,
    socket: std::path::PathBuf,
}

/// Starts a gateway on the real disk. Returns when it listens.
pub async fn start(config: &Config, clock: &Clock) -> Result<Started> {
    start_on(config, clock, Arc::new(RealDisk)).await
}

/// Starts a gateway on the caller's disk: tests make it fail.
pub async fn start_on(config: &Config, clock: &Clock, disk: Arc<dyn Disk>) -> Result<Started> {
    start_with(config, clock, disk, None).await
}

/// Starts a gateway, on an inherited socket if there is one.
async fn start_with(
    config: &Config,
    clock: &Clock,
    disk: Arc<dyn Disk>,
    inherited: Option<TcpListener>,
) -> Result<Started> {
    let contract = Contract::compile()?;
    let settings = Settings::build(config, clock)?;
    let directory = Directory::open(&config.data)?;
    let node = Node::open_with(
        &directory,
        clock,
        disk.clone(),
        config.ledger.segment_bytes,
        sii::SiiSettings::configured(config)?,
    )?;
    for key in &node.opened.missing_keys {
        tracing::warn!(key, "a class key cannot be opened: its entries are unreadable");
    }
    node.record_opening("start").await?;
    let listener = match inherited {
        Some(socket) => Listener::inherited(socket)?,
        None => Listener::bind(config.listen)
            .await
            .with_context(|| format!("{}", config.listen))?,
    };
    let address = listener.address()?;
    let gateway = Gateway::new(node, contract, settings, config);
    let ledger = &gateway.node.ledger;
    let head = u64::try_from(ledger.committer.meter().head.get()).unwrap_or_default();
    let kept = CountsFile {
        path: directory.counts(),
        disk,
        reader: ledger.reader.clone(),
    };
    let counting = QuotaFollower::recounted(
        &gateway.quotas,
        &gateway.node.services.tentativi,
        (ledger.reader.as_ref(), head),
        clock,
        Some(kept),
    )?;
    ledger.committer.follow(Box::new(counting)).await?;
    let (damage, uses) = (&gateway.node.damage, &gateway.node.uses);
    let scrub = Scrub::start(&ledger.reader, damage, uses, clock).context("rilettura del registro")?;
    let _ = gateway.scrub.set(scrub);
    let socket = directory.socket();
    let _ = gateway.address.set(address);
    let mut admin = vec![tokio::spawn(admin::serve(admin::bind(&socket)?, gateway.clone()))];
    if let Some(port) = config.admin.listen {
        let port = tokio::net::TcpListener::bind(port)
            .await
            .with_context(|| format!("admin.listen {port}"))?;
        admin.push(tokio::spawn(admin::serve_port(port, gateway.clone())));
    }
    let (stop, stopped) = watch::channel(false);
    let gathered = Duration::from_secs(config.ledger.gathered_seconds.max(1));
    let serving = tokio::spawn(listener.serve(gateway.clone(), stopped, gathered));
    admin.push(tokio::spawn(every_day(gateway.clone())));
    tracing::info!(%address, ledger = %directory.ledger, "serving");
    Ok(Started {
        address,
        gateway,
        stop,
        serving,
        admin,
        socket,
    })
}

/// At the start and on each new day, warns of faults of the configuration. Attests the waiting DSU that need
/// not wait any more: their feed was loaded while no gateway ran, or their terms are over.
async fn every_day(gateway: Arc<Gateway>) {
    let mut done = None;
    loop {
        let now = gateway.clock.now();
        let today = rome(now).date();
        if done != Some(today) {
            done = Some(today);
            gateway.settings.load().warn(now);
            // Many large DSU may wait: no serving thread attests them.
            let upkeep = gateway.node.upkeep.clone();
            let resumed = beside::spawn(async move { sii::upkeep::resume(upkeep.as_ref(), now).await }).await;
            if let Err(error) = resumed {
                tracing::error!(%error, "attesting what waits");
            }
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
}

impl Started {
    /// Stops accepting, lets exchanges end, records the stop, closes the ledger.
    pub async fn stop(self) -> Result<Ended> {
        self.stop.send_replace(true);
        self.finish().await
    }

    /// Waits for the end of the service, then closes the ledger. Records the stop, unless the end was a fatal
    /// error.
    pub async fn finish(self) -> Result<Ended> {
        let ended = self.serving.await?;
        self.admin.iter().for_each(JoinHandle::abort);
        let _ = std::fs::remove_file(&self.socket);
        let node = &self.gateway.node;
        if ended == Ended::Stopped {
            node.record_system(
                "stop",
                serde_json::json!({ "versione": env!("CARGO_PKG_VERSION") }),
            )
            .await?;
        }
        node.close();
        Ok(ended)
    }
}

pub(super) fn run(config: &Path, clock: &Clock) -> Result<()> {
    let _log = log::start();
    let config = Config::read(config)?;
    descriptors(config.limits.connections);
    let inherited = listenfd::ListenFd::from_env()
        .take_tcp_listener(0)
        .context("socket of the service manager")?;
    super::uso::runtime()?.block_on(async {
        // Before anybody is told that the gateway serves: from then on it may be asked to stop.
        let mut signals = Signals::new()?;
        let starting = tokio::spawn(still_starting());
        let started = start_with(&config, clock, Arc::new(RealDisk), inherited).await;
        starting.abort();
        let started = started?;
        // A closed standard output is no error.
        let _ = writeln!(
            std::io::stdout(),
            "varco in ascolto su https://{}",
            started.address
        );
        tell(&[NotifyState::Ready]);
        tokio::task::spawn_blocking(unsynchronised);
        let (stop, gateway) = (started.stop.clone(), started.gateway.clone());
        tokio::spawn(async move {
            loop {
                match signals.wait().await {
                    Signalled::Stop => break,
                    Signalled::Reload => {
                        tell(&[NotifyState::Status("reads the configuration again")]);
                        let gateway = gateway.clone();
                        // Large lists take their time to be read and checked.
                        match beside::spawn(async move { gateway.reload(None, false).await }).await {
                            Ok(Ok(_)) => {}
                            Ok(Err(error)) => tracing::error!(error, "the configuration stays as it was"),
                            Err(error) => tracing::error!(%error, "the configuration stays as it was"),
                        }
                        tell(&[NotifyState::Status("serves")]);
                    }
                }
            }
            tell(&[NotifyState::Stopping]);
            stop.send_replace(true);
        });
        if let Some(period) = sd_notify::watchdog_enabled() {
            tokio::spawn(watchdog(started.gateway.clone(), period));
        }
        match started.finish().await? {
            Ended::Stopped => Ok(()),
            Ended::Fatal(why) => bail!("il registro non può continuare: {why}"),
        }
    })
}

/// Raises the limit of descriptors to its maximum: the usual one, 1024, is for programs using select(2), and
/// less than `limits.connections` needs.
fn descriptors(connections: usize) {
    const OWN: u64 = 256;
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    ) {
        tracing::warn!(%error, "descriptors");
    }
    let (wanted, had) = (connections as u64 + OWN, getrlimit(Resource::Nofile).current);
    if had.is_some_and(|had| had < wanted) {
        tracing::warn!(had, wanted, "fewer descriptors than limits.connections needs");
    }
}

/// Tells the service manager, if there is one.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Answers the watchdog as long as tasks run and the ledger has no fatal error.
async fn watchdog(gateway: Arc<Gateway>, period: Duration) {
    let mut tick = tokio::time::interval(period / 3);
    loop {
        tick.tick().await;
        if !matches!(
            &*gateway.node.ledger.committer.health().borrow(),
            Health::Fatal(_)
        ) {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// Asks the service manager for more time, again and again. After a crash the views of a large ledger are
/// made anew; if stopped in the middle each time, it would never finish.
async fn still_starting() {
    let mut tick = tokio::time::interval(Duration::from_secs(20));
    loop {
        tick.tick().await;
        tell(&[
            NotifyState::ExtendTimeoutUsec(60_000_000),
            NotifyState::Status("opens the ledger"),
        ]);
    }
}

/// Warns if the machine reports an unsynchronised clock: entries are stamped with it. Without a report there
/// is no warning.
fn unsynchronised() {
    // Without the environment: `timedatectl` must not report its own state to the service manager.
    let mut command = std::process::Command::new("timedatectl");
    let asked = command
        .args(["show", "-p", "NTPSynchronized", "--value"])
        .env_remove("NOTIFY_SOCKET")
        .env_remove("WATCHDOG_USEC")
        .output();
    if asked.is_ok_and(|output| output.status.success() && output.stdout.trim_ascii() == b"no") {
        tracing::warn!("the machine's clock is not synchronised: entries are stamped with it");
    }
}

/// The request behind a signal: stop, or reload.
pub(super) enum Signalled {
    /// For SIGTERM and SIGINT.
    Stop,
    /// For SIGHUP.
    Reload,
}

/// SIGTERM, SIGINT and SIGHUP, caught from its creation on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        let caught = |kind| signal(kind);
        Ok(Self {
            terminate: caught(SignalKind::terminate())?,
            interrupt: caught(SignalKind::interrupt())?,
            hangup: caught(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn wait(&mut self) -> Signalled {
        tokio::select! {
            _ = self.terminate.recv() => Signalled::Stop,
            _ = self.interrupt.recv() => Signalled::Stop,
            _ = self.hangup.recv() => Signalled::Reload,
        }
    }
}
