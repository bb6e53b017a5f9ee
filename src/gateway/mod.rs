//! The gateway: everything put together and served.
//!
//! - [`node`]: a data directory opened: ledger, views, registry, SII; the list of projectors;
//! - [`listener`] and `connection`: from the socket to HTTP; [`framing`]: where a request ends, read strictly; [`exchange`]: the way of one
//!   exchange, on one page; [`fault`]: refusals as bytes;
//! - [`gathered`]: refusals too many to record one by one; `crowd`: how many places each has;
//! - [`admin`]: the admin socket; [`metrics`]: what is counted.

pub mod admin;
mod connection;
mod crowd;
pub mod exchange;
pub mod fault;
pub mod framing;
pub mod gathered;
pub mod listener;
pub mod metrics;
pub mod node;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::config::{Config, Limits};
use crate::contract::Contract;
use crate::tls::Revocations;
use crate::xml;
use crowd::Crowd;
use gathered::Gathered;
use metrics::Metrics;
use node::Node;

/// What every connection shares.
pub struct Gateway {
    /// Ledger, views, registry, SII.
    pub node: Node,
    /// The compiled contract.
    pub contract: Contract,
    /// Lists in force.
    pub revocations: Revocations,
    /// How much is accepted.
    pub limits: Limits,
    /// How much of a document is read.
    pub xml: xml::Limits,
    /// The clock.
    pub clock: Clock,
    /// Paths before the operations of the porta di dominio's dialect, each with a slash at its end.
    pub pdd: Vec<String>,
    /// Places for large lots.
    pub lots: Semaphore,
    /// Refusals counted together.
    pub gathered: Gathered,
    /// Requests under way, by ente.
    pub crowd: Crowd,
    /// Connections, by certificate.
    pub connected: Crowd,
    /// What is counted.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway(..)")
    }
}

impl Gateway {
    /// Puts a gateway together.
    pub fn new(mut node: Node, contract: Contract, revocations: Revocations, config: &Config) -> Arc<Self> {
        let clock = node.clock.clone();
        let limits = config.limits.clone();
        node.services.soglie = config.soglie.clone().into();
        Arc::new(Self {
            pdd: config.paths.pdd.clone(),
            lots: Semaphore::new(limits.lots),
            node,
            contract,
            revocations,
            limits,
            xml: xml::Limits::default(),
            clock,
            gathered: Gathered::default(),
            crowd: Crowd::default(),
            connected: Crowd::default(),
            metrics: Metrics::default(),
        })
    }
}
