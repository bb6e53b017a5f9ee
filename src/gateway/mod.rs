//! The gateway: everything put together and served.
//!
//! - [`node`]: a data directory opened: ledger, views, registry, SII; the list of projectors; [`settings`]:
//!   what may change while it runs; `reload`: changes it, whole or not at all; `lists`: revocation lists,
//!   read again by themselves;
//! - [`listener`] and `connection`: from the socket to HTTP; `metered`: the records of a handshake, counted;
//!   `proxy`: the address that a balancer names; [`framing`]: the end of a request, read strictly;
//! - [`exchange`]: the way of one exchange, on one page. Beside it: `door`: the caller, and room for it;
//!   `body`: the bytes of requests and replies in memory, bounded; `sender`: the sender, in the request's own
//!   words; `unreadable`: refusals of messages that cannot be read; `failed`: what cannot be answered, and
//!   why; `record`: from an exchange to its entry; `outcome`: the only maker of a response; `documents`: the
//!   files of the contract; [`fault`]: refusals as bytes;
//! - `performing`: a service at work; `beside`: steps that take long, beside the threads that serve;
//!   `outgoing`: questions for other systems;
//! - [`gathered`]: refusals too many to record one by one; [`refused`]: the lines of the log about
//!   handshakes; `crowd`: how many places each has; [`quota`]: how many exchanges it has made;
//! - [`admin`]: the admin socket; [`status`]: how it is, for people; [`metrics`]: what is counted;
//!   `measured`: what only the pages of figures ask for.

pub mod admin;
pub(crate) mod beside;
mod body;
mod connection;
mod crowd;
mod documents;
mod door;
pub mod exchange;
pub mod facts;
mod failed;
pub mod fault;
pub mod framing;
pub mod gathered;
pub mod listener;
mod lists;
mod measured;
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
mod reload;
mod sender;
pub mod settings;
pub mod status;
mod unreadable;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::contract::Contract;
use crate::ledger::scrub::Scrub;
use crate::soap::Bounds;
use crate::xml;
use beside::Beside;
use body::Room;
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
    /// Room for bodies and for replies.
    room: Room,
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
            room: Room::of(&settings.limits),
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
            quotas: Arc::default(),
            connected: Crowd::default(),
            metrics,
            scrub: OnceLock::new(),
        })
    }

    /// The bounds of a request's document.
    pub(crate) fn bounds(&self, limits: &Limits) -> Bounds<'_> {
        Bounds {
            xml: &self.xml,
            whole: limits.body_bytes,
        }
    }
}
