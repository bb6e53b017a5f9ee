//! The channel as it is now: built whole from the configuration, checked, then put in the place of the one
//! before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};

use super::authorities::Authorities;
use super::identity::{Identities, ServerIdentity};
use super::ocsp::{Oldest, Responders};
use super::path::PathJudge;
use super::peer::Peer;
use super::revocation::{Grace, Revocations};
use super::server::{Handshakes, Shown};
use super::validity::{Invalid, Valid};
use super::{TlsError, pem, server};
use crate::clock::Clock;
use crate::config::Tls;

/// Everything needed to decide on a connection.
#[derive(Debug)]
pub struct Setup {
    handshakes: Handshakes,
    judge: Arc<PathJudge>,
    /// The authorities of admitted clients.
    pub authorities: Authorities,
    /// The revocation lists, and the responders.
    pub revocations: Revocations,
    /// The server's own certificates.
    pub identities: Arc<Identities>,
    generation: u64,
}

/// The number of setups in this process so far: each tells its own peers from those of an earlier one.
static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// The authorities with believed lists: those of the clients, and those of `crl_issuers`.
pub fn listers(tls: &Tls) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let mut listers = pem::certificates(&tls.client_authorities)?;
    if let Some(file) = &tls.crl_issuers {
        listers.extend(pem::certificates(file)?);
    }
    Ok(listers)
}

impl Setup {
    /// Reads every file named in the configuration, and checks the parts against each other.
    pub fn build(tls: &Tls, clock: &Clock) -> Result<Self, TlsError> {
        let listers = listers(tls)?;
        let authorities = Authorities::read(&tls.client_authorities)?.knowing(&listers);
        let grace = Grace::hours(tls.crl_grace_hours);
        let mut responders = Vec::new();
        for responder in &tls.ocsp {
            let file = &responder.authority;
            let authority = pem::certificates(file)?.into_iter().next();
            let authority = authority.ok_or_else(|| {
                TlsError::File(
                    file.display().to_string(),
                    "non contiene alcun certificato".to_owned(),
                )
            })?;
            responders.push((authority, responder.url.clone()));
        }
        let responders = Responders::new(responders, Oldest::hours(tls.ocsp_max_age_hours))?;
        let revocations = Revocations::load(&tls.crl, listers)?
            .with_grace(grace)
            .with_responders(responders);
        let provider = server::provider();
        let mut all = vec![ServerIdentity::read(&tls.certificate, &tls.key, &provider)?];
        for more in &tls.server {
            all.push(ServerIdentity::read(&more.certificate, &more.key, &provider)?);
        }
        let identities = Arc::new(Identities::new(all, clock));
        let judge = Arc::new(PathJudge::new(
            &authorities,
            revocations.clone(),
            provider.signature_verification_algorithms.all,
        )?);
        let handshakes = Handshakes::new(provider, &authorities, judge.clone(), identities.clone(), clock)?;
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Self {
            handshakes,
            judge,
            authorities,
            revocations,
            identities,
            generation,
        })
    }

    /// Whether clients are told the names of the authorities.
    pub fn tells_authorities(&self) -> bool {
        self.handshakes.tells_authorities()
    }

    /// The configuration for one handshake, and where its peer is found.
    pub fn handshake(&self) -> Result<(Arc<ServerConfig>, Shown), TlsError> {
        self.handshakes.begin()
    }

    /// The peer of a finished handshake, begun here.
    pub fn peer(&self, shown: &Shown) -> Option<Peer> {
        let peer = shown.peer()?.clone();
        peer.trust(self.generation);
        Some(peer)
    }

    /// Judges certificates without a handshake: the client's own first.
    pub fn examine(&self, presented: &[CertificateDer<'_>], now: Timestamp) -> Result<Peer, Invalid> {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let peer = self
            .judge
            .judge(presented, time)
            .map_err(|error| Invalid::because(&error))?;
        peer.trust(self.generation);
        Ok(peer)
    }

    /// Asks the responders about a peer before it is judged, if nothing fresh is known of it.
    pub async fn ask(&self, peer: &Peer, clock: &Clock) {
        self.revocations.ask(peer, clock).await;
    }

    /// Whether a peer may go on: its chain leads to an authority trusted now, and all of it is in its time
    /// and unrevoked. A peer from a handshake under another setup has its chain verified again.
    pub fn judge(&self, peer: &Peer, now: Timestamp) -> Result<Valid, Invalid> {
        if !peer.is_trusted_by(self.generation) {
            // The path was found among the earlier authorities. If it is another now, its lists are others
            // too.
            if self.examine(peer.presented(), now)?.chain() != peer.chain() {
                return Err(Invalid::Untrusted);
            }
            peer.trust(self.generation);
        }
        peer.valid(now, &self.revocations)
    }
}
