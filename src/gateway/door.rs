//! The door: the ente behind a certificate, if the certificate is valid now; and room for one more exchange
//! of this ente.

use hyper::Method;

use super::Gateway;
use super::crowd::Seat;
use super::framing::Verdict;
use super::outcome::{Counted, Stop};
use super::record::{Channel, Record};
use crate::contract::catalogue::{Endpoint, Operation, plain};
use crate::ledger::ViewError;
use crate::refusal::{Code, Refusal};
use crate::registry::{Caller, Identified};
use crate::tls::validity::Valid;

/// The ente behind a certificate, by the present registry.
pub(super) async fn identify(gateway: &Gateway, channel: &Channel) -> Result<(Identified, Valid), Refusal> {
    let unavailable = |error: ViewError| Refusal::new(Code::Unavailable, error.to_string());
    let registry = &gateway.node.registry;
    let settings = gateway.settings.load_full();
    settings.channel.ask(&channel.peer, &gateway.clock).await;
    match settings.channel.judge(&channel.peer, gateway.clock.now()) {
        Ok(valid) => Ok((
            registry
                .identify(&channel.peer, gateway.clock.today())
                .map_err(unavailable)?,
            valid,
        )),
        Err(invalid) => {
            let refusal = Refusal::new(Code::PeerInvalid, invalid.to_string());
            let identified = match registry.holder(&channel.peer).map_err(unavailable)? {
                Some(ente) => Identified::Barred(ente, refusal),
                None => Identified::Unknown(refusal),
            };
            Ok((identified, Valid::default()))
        }
    }
}

/// The caller behind the certificate. A barred ente is refused, its first few exchanges with an entry each. A
/// certificate of no ente is refused and counted.
pub(super) async fn caller(record: &mut Record<'_>) -> Result<Caller, Stop> {
    let (gateway, channel) = (record.gateway, record.channel);
    let (identified, valid) = identify(gateway, channel).await?;
    record.within_grace = valid.within_grace;
    match identified {
        Identified::Caller(caller) => {
            record.ente = Some(caller.ente().codice.clone());
            Ok(caller)
        }
        Identified::Barred(ente, refusal)
            if gateway
                .gathered
                .is_early(channel.peer.fingerprint(), record.received) =>
        {
            record.ente = Some(ente);
            Err(refusal.into())
        }
        Identified::Barred(_, refusal) | Identified::Unknown(refusal) => Err(Counted::barred(refusal).into()),
    }
}

/// A place among the ente's exchanges under way, and one exchange of its quota.
pub(super) fn enter(record: &mut Record<'_>, caller: &Caller) -> Result<Seat, Stop> {
    let (gateway, ente) = (record.gateway, caller.ente());
    let place = gateway
        .crowd
        .enter(&ente.codice, gateway.settings.load().limits.per_ente);
    let place = place.ok_or_else(|| Counted::busy("too many under way"))?;
    record.standing = gateway
        .quotas
        .take(&ente.codice, &ente.quote, record.received)
        .map_err(Counted::from)?;
    Ok(place)
}

/// The caller again, by the present registry: something changed while the exchange was under way.
pub(super) async fn again(record: &Record<'_>) -> Result<Caller, Refusal> {
    match identify(record.gateway, record.channel).await?.0 {
        Identified::Caller(caller) => Ok(caller),
        Identified::Barred(_, refusal) | Identified::Unknown(refusal) => Err(refusal),
    }
}

/// Refuses a request not well-formed as HTTP, as far as it was read.
pub(super) fn well_formed(verdict: &Verdict) -> Result<(), Refusal> {
    if verdict.is_wrong() {
        Err(Refusal::new(Code::Malformed, "not well-formed as HTTP"))
    } else {
        Ok(())
    }
}

/// Whether the ente may send lots here: they alone may be large.
pub(super) fn takes_lots(gateway: &Gateway, caller: &Caller, endpoint: Endpoint) -> bool {
    let lot = Operation::TrasmissioneLotto;
    endpoint.answers(lot) && caller.ente().may_call(lot.name(), gateway.clock.today())
}

/// The endpoint at a path, for POST alone.
pub(super) fn route(gateway: &Gateway, method: &Method, path: &str) -> Result<Endpoint, Refusal> {
    let endpoint = Endpoint::at(&plain(path), &gateway.settings.load().pdd)
        .ok_or(Refusal::new(Code::NotFound, "path"))?;
    if method == Method::POST {
        Ok(endpoint)
    } else {
        Err(Refusal::new(Code::MethodNotAllowed, "method"))
    }
}
