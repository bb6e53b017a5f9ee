//! The gateway: everything put together and served.
//!
//! - [`node`]: a data directory opened: ledger, views, registry, SII; the list of projectors; [`settings`]:
//!   the part of the configuration open to change; `reload`: changes it, whole or not at all; `lists`:
//!   revocation lists, read again by themselves;
//! - [`listener`] and `connection`: from the socket to HTTP; `metered`: the records of a handshake, counted;
//!   `proxy`: the address named by a balancer; [`framing`]: the end of a request, read strictly;
//! - [`exchange`]: the way of one exchange, on one page. Beside it: `door`: the caller, and room for it;
//!   `body`: the bytes of requests and replies in memory, bounded; `sender`: the sender, in the request's own
//!   words; `unreadable`: refusals of unreadable messages; `failed`: exchanges ended by a mistake of ours;
//!   `record`: from an exchange to its entry; `outcome`: the only maker of a response; `documents`: the files
//!   of the contract; [`fault`]: refusals as bytes;
//! - `performing`: a service at work; `beside`: long steps, beside the serving threads; `outgoing`: questions
//!   for other systems;
//! - [`gathered`]: refusals too many to record one by one; [`refused`]: the lines of the log about
//!   handshakes; `crowd`: the places taken by each; [`quota`]: the use of quotas by each;
//!   [`counting`]: counts it from the ledger;
//! - [`admin`]: the admin socket; [`status`]: the state, for people; [`metrics`]: the counters;
//!   `measured`: values for the page of metrics alone.

pub mod admin;
pub(crate) mod beside;
mod body;
mod connection;
pub mod counting;
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
mod pseudonyms;
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

/// The state shared by all connections.
pub struct Gateway {
    /// Ledger, views, registry, SII.
    pub node: Node,
    /// The compiled contract, for reading the bodies of requests.
    pub contract: Contract,
    /// The configuration as of the start.
    pub config: Config,
    /// Its part open to a reload, as it is now.
    pub settings: ArcSwap<Settings>,
    /// Held during a reload.
    pub reloading: tokio::sync::Mutex<()>,
    /// Limits for reading a document.
    pub xml: xml::DocumentLimits,
    /// The address of the listener, once it listens.
    pub address: OnceLock<SocketAddr>,
    /// When it was put together.
    pub started: Timestamp,
    /// The clock, taken from the node.
    pub clock: Clock,
    /// Room for bodies and for replies.
    room: Room,
    /// Places for long steps.
    beside: Beside,
    /// Refusals counted together, until their next entry.
    pub gathered: Gathered,
    /// Lines of the log about refused handshakes.
    pub refusals: Refusals,
    /// Requests under way, by ente.
    pub crowd: Crowd,
    /// The use of quotas by each ente and operator.
    pub quotas: Arc<Quotas>,
    /// Connections under way, by certificate.
    pub connected: Crowd,
    /// Counters and gauges for `/metrics`.
    pub metrics: Metrics,
    /// The daily reading of closed segments. Empty if they are no files, or nobody serves them.
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
            xml: xml::DocumentLimits::default(),
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
