//! The part of the configuration open to change while the gateway runs. It is built whole, checked, then put
//! in the place of the one before.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lists::of_lists;
use crate::clock::Clock;
use crate::config::{Config, Limits, Soglia};
use crate::digest::{hex, sha256};
use crate::tls::{Setup, TlsError};

/// The settings a reload may change.
#[derive(Debug)]
pub struct Settings {
    /// TLS: certificates, authorities, revocation lists.
    pub channel: Setup,
    /// Limits of sizes, numbers and times.
    pub limits: Limits,
    /// Paths before the operations of the porta di dominio's dialect, each with a slash at its end.
    pub pdd: Vec<String>,
    /// The thresholds in the configuration (CodiceSoglia).
    pub soglie: Vec<Soglia>,
    /// Addresses of balancers with the PROXY protocol.
    pub proxies: Vec<IpAddr>,
    /// Faults of numbers and permissions. A gateway of today starts with them.
    faults: Vec<String>,
}

impl Settings {
    /// Reads every file named in the configuration.
    pub fn build(config: &Config, clock: &Clock) -> Result<Self, TlsError> {
        Ok(Self {
            channel: Setup::build(&config.tls, clock)?,
            limits: config.limits.clone(),
            pdd: config.paths.pdd.clone(),
            soglie: config.soglie.clone(),
            proxies: config
                .proxy
                .from
                .iter()
                .map(|address| address.to_canonical())
                .collect(),
            faults: config
                .out_of_range()
                .into_iter()
                .chain(config.too_open())
                .collect(),
        })
    }

    /// Faults to mend: a reload and a strict check refuse them, a start only warns. In Italian, for
    /// operators.
    pub fn faults(&self, now: Timestamp) -> Vec<String> {
        let certificates = self
            .channel
            .identities
            .all()
            .iter()
            .flat_map(|identity| identity.faults(now));
        certificates.chain(self.faults.iter().cloned()).collect()
    }

    /// Logs all faults and notices as warnings.
    pub fn warn(&self, now: Timestamp) {
        for warning in self.faults(now).into_iter().chain(self.notices(now)) {
            tracing::warn!(warning, "configuration");
        }
    }

    /// Other notices for the operator. In Italian.
    pub fn notices(&self, now: Timestamp) -> Vec<String> {
        let mut notices = Vec::new();
        for identity in self.channel.identities.all() {
            let days = (identity.expires() - now.as_second()) / 86_400;
            if identity.expires() >= now.as_second() && days < 30 {
                notices.push(format!(
                    "il certificato {} scade fra {days} giorni: mettere accanto il prossimo",
                    identity.name
                ));
            }
        }
        if !self.channel.tells_authorities() {
            let text = "i nomi delle autorità dei client superano 16 KiB e non vengono detti nella stretta di mano: chi ha più certificati deve indicare quale presentare";
            notices.push(text.to_owned());
        }
        notices.extend(of_lists(&self.channel.revocations, now));
        notices
    }
}

/// The settings put in force by a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// SHA-256 of the configuration file.
    pub configurazione: String,
    /// SHA-256 of the server's certificates.
    pub server: Vec<String>,
    /// SHA-256 of the authorities' certificates.
    pub autorita: Vec<String>,
    /// The number of certificates and one SHA-256 over all of them. None if an entry has room to list each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insieme: Option<Insieme>,
}

/// Certificates too many to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Insieme {
    /// Number of the server's certificates.
    pub server: usize,
    /// Number of the authorities' certificates.
    pub autorita: usize,
    /// SHA-256 of their certificates (DER), one after another: the server's, then the authorities'.
    pub sha256: String,
}

impl Reloaded {
    /// Certificates listed, at most: an entry has room for some two hundred.
    const LISTED: usize = 64;

    pub(super) fn of(configurazione: &[u8], channel: &Setup) -> Self {
        let print = |der: &[u8]| hex(&sha256(der));
        let server: Vec<&[u8]> = channel
            .identities
            .all()
            .iter()
            .filter_map(|identity| identity.own())
            .collect();
        let autorita: Vec<&[u8]> = channel.authorities.all().iter().map(|der| &**der).collect();
        let configurazione = print(configurazione);
        if server.len() + autorita.len() > Self::LISTED {
            let all: Vec<u8> = server
                .iter()
                .chain(&autorita)
                .copied()
                .flatten()
                .copied()
                .collect();
            let insieme = Insieme {
                server: server.len(),
                autorita: autorita.len(),
                sha256: print(&all),
            };
            return Self {
                configurazione,
                server: Vec::new(),
                autorita: Vec::new(),
                insieme: Some(insieme),
            };
        }
        let listed = |of: Vec<&[u8]>| of.into_iter().map(print).collect();
        Self {
            configurazione,
            server: listed(server),
            autorita: listed(autorita),
            insieme: None,
        }
    }
}
