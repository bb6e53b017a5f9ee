//! What the configuration says and may change while the gateway runs: built whole, checked, then put in the place of the one before.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Gateway;
use crate::clock::Clock;
use crate::config::{Config, Limits, Soglia};
use crate::digest::{hex, sha256};
use crate::ledger::{Body, Kind, Retention, Submission, new_exchange};
use crate::registry::administration::Actor;
use crate::tls::{Setup, TlsError};

/// What may change.
#[derive(Debug)]
pub struct Settings {
    /// The channel.
    pub channel: Setup,
    /// How much is accepted.
    pub limits: Limits,
    /// Paths before the operations of the porta di dominio's dialect, each with a slash at its end.
    pub pdd: Vec<String>,
    /// The thresholds that are known.
    pub soglie: Vec<Soglia>,
    /// Balancers that speak the PROXY protocol.
    pub proxies: Vec<IpAddr>,
}

impl Settings {
    /// Reads every file that the configuration names.
    pub fn build(config: &Config, clock: &Clock) -> Result<Self, TlsError> {
        Ok(Self {
            channel: Setup::build(&config.tls, clock)?,
            limits: config.limits.clone(),
            pdd: config.paths.pdd.clone(),
            soglie: config.soglie.clone(),
            proxies: config.proxy.from.iter().map(|address| address.to_canonical()).collect(),
        })
    }
}

/// What a reload put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// SHA-256 of the configuration file.
    pub configurazione: String,
    /// SHA-256 of the server's certificates.
    pub server: Vec<String>,
    /// SHA-256 of the authorities' certificates.
    pub autorita: Vec<String>,
}

impl Gateway {
    /// Reads the configuration again and puts it in force, or leaves all as it is and says why. In Italian: operators read it.
    pub async fn reload(&self, actor: Option<&Actor>) -> Result<Reloaded, String> {
        // One after another: what was recorded last is what is in force.
        let _one = self.reloading.lock().await;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let file = self.config.file.as_ref().ok_or("nessun file di configurazione")?;
        let bytes = std::fs::read(file).map_err(|error| text(&error))?;
        let config = Config::read(file).map_err(|error| text(&error))?;
        if let Some(what) = self.config.differs_beyond_reload(&config) {
            return Err(format!("{what}: questa modifica richiede un riavvio"));
        }
        let settings = Settings::build(&config, &self.clock).map_err(|error| text(&error))?;
        let print = |der: &[u8]| hex(&sha256(der));
        let reloaded = Reloaded {
            configurazione: print(&bytes),
            server: settings.channel.identities.all().iter().filter_map(|identity| identity.own().map(print)).collect(),
            autorita: settings.channel.authorities.all().iter().map(|der| print(der)).collect(),
        };
        self.record_reload(&reloaded, actor, self.clock.now()).await?;
        self.settings.store(std::sync::Arc::new(settings));
        Ok(reloaded)
    }

    /// Before it is in force, so that nothing changes unrecorded.
    async fn record_reload(&self, reloaded: &Reloaded, actor: Option<&Actor>, now: Timestamp) -> Result<(), String> {
        let ledger = &self.node.ledger;
        let exchange = new_exchange(now).map_err(|error| error.to_string())?;
        let mut body = Body::new(Kind::Admin, Retention::Registro, exchange, now).fact("impostazioni", reloaded).fact("actor", actor);
        body.operation = Some("reload".to_owned());
        body.outcome = Some("OK".to_owned());
        let draft = ledger.prepare_open(body).map_err(|error| error.to_string())?;
        let submission = Submission { drafts: vec![draft], preconditions: Vec::new() };
        ledger.committer.submit(submission).await.map(|_| ()).map_err(|error| error.to_string())
    }
}
