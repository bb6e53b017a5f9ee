//! The gateway: everything put together and served.
//!
//! - [`node`]: a data directory opened: ledger, views, registry, SII; the list of projectors; [`settings`]: what may change while it runs;
//! - [`listener`] and `connection`: from the socket to HTTP; `metered`: the records of a handshake, counted; `proxy`: the address that a balancer names;
//!   [`framing`]: the end of a request, read strictly;
//! - [`exchange`]: the way of one exchange, on one page. Beside it: `door`: the caller, and room for it; [`body`]: the bytes of requests and replies in
//!   memory, bounded; `sender`: the sender, in the request's own words; `unreadable`: refusals of messages that cannot be read; `record`: from an exchange
//!   to its entry; `outcome`: the only maker of a response; `documents`: the files of the contract; [`fault`]: refusals as bytes;
//! - `performing`: a service at work; `beside`: steps that take long, beside the threads that serve; `outgoing`: questions for other systems;
//! - [`gathered`]: refusals too many to record one by one; [`refused`]: the lines of the log about handshakes; `crowd`: how many places each has; [`quota`]: how many exchanges it has made;
//! - [`admin`]: the admin socket; [`status`]: how it is, for people; [`metrics`]: what is counted.

pub mod admin;
pub(crate) mod beside;
pub mod body;
mod connection;
mod crowd;
mod documents;
mod door;
pub mod exchange;
pub mod facts;
pub mod fault;
pub mod framing;
pub mod gathered;
pub mod listener;
mod metered;
pub mod metrics;
pub mod node;
mod outcome;
mod outgoing;
mod performing;
mod proxy;
pub mod quota;
mod record;
pub mod refused;
mod sender;
pub mod settings;
pub mod status;
mod unreadable;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::config::Config;
use crate::contract::Contract;
use crate::ledger::scrub::Scrub;
use crate::xml;
use beside::Beside;
use crowd::Crowd;
use gathered::Gathered;
use metrics::Metrics;
use node::Node;
use quota::Quotas;
use refused::Refusals;
use settings::Settings;

/// What every connection shares.
pub struct Gateway {
    /// Ledger, views, registry, SII.
    pub node: Node,
    /// The compiled contract.
    pub contract: Contract,
    /// What the configuration said at the start.
    pub config: Config,
    /// What it says now, as far as that may change.
    pub settings: ArcSwap<Settings>,
    /// Held while it is read again.
    pub reloading: tokio::sync::Mutex<()>,
    /// How much of a document is read.
    pub xml: xml::Limits,
    /// Where it listens, once it does.
    pub address: OnceLock<SocketAddr>,
    /// When it was put together.
    pub started: Timestamp,
    /// The clock.
    pub clock: Clock,
    /// Places for large lots.
    pub lots: Arc<Semaphore>,
    /// Room for bodies and for replies, in pieces of [`body::ROOM`] bytes.
    pub bodies: Arc<Semaphore>,
    /// What of it each ente takes.
    pub holding: Crowd,
    /// And may take: half, in the same pieces.
    pub share: usize,
    /// Places for steps that take long.
    beside: Beside,
    /// Refusals counted together.
    pub gathered: Gathered,
    /// Lines of the log about handshakes.
    pub refusals: Refusals,
    /// Requests under way, by ente.
    pub crowd: Crowd,
    /// What everybody has asked.
    pub quotas: Arc<Quotas>,
    /// Connections, by certificate.
    pub connected: Crowd,
    /// What is counted.
    pub metrics: Metrics,
    /// The daily reading of closed segments, where they are files and somebody serves them.
    pub scrub: OnceLock<Scrub>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway(..)")
    }
}

impl Gateway {
    /// Puts a gateway together.
    pub fn new(node: Node, contract: Contract, settings: Settings, config: &Config) -> Arc<Self> {
        let clock = node.clock.clone();
        let gathered = Gathered::default();
        let metrics = Metrics::new(node.ledger.committer.meter(), &node.damage, &gathered);
        Arc::new(Self {
            lots: Arc::new(Semaphore::new(settings.limits.lots)),
            share: settings.limits.bodies_bytes / body::ROOM / 2,
            bodies: Arc::new(Semaphore::new((settings.limits.bodies_bytes / body::ROOM).min(Semaphore::MAX_PERMITS))),
            node,
            contract,
            config: config.clone(),
            settings: ArcSwap::from_pointee(settings),
            reloading: tokio::sync::Mutex::default(),
            address: OnceLock::new(),
            started: clock.now(),
            xml: xml::Limits::default(),
            clock,
            beside: Beside::default(),
            gathered,
            refusals: Refusals::default(),
            crowd: Crowd::default(),
            holding: Crowd::default(),
            quotas: Arc::default(),
            connected: Crowd::default(),
            metrics,
            scrub: OnceLock::new(),
        })
    }
}
