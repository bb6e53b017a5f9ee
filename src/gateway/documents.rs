//! The files of the contract, at the addresses of the services. They hold no data and no verdict, so they are
//! not recorded. They count for quotas.

use hyper::Method;
use hyper::header::HOST;
use hyper::http::request::Parts;

use super::Gateway;
use super::body::Places;
use super::outcome::{Counted, Outcome};
use super::record::Record;
use crate::contract::catalogue::{Endpoint, plain};
use crate::contract::wsdl;
use crate::registry::Caller;

/// The file behind `?wsdl` or `?xsd=`. None for any other request.
pub(super) fn asked(record: &Record<'_>, caller: &Caller, head: &Parts) -> Result<Option<Outcome>, Counted> {
    let Some(text) = named(record.gateway, head) else {
        return Ok(None);
    };
    // Like any reply, it stays in memory until its client has taken it.
    let mut places = Places::default();
    if !places.take(&record.gateway.room, &caller.ente().codice, text.len()) {
        return Err(record.no_room(caller));
    }
    Ok(Some(Outcome::Contract(text, places)))
}

fn named(gateway: &Gateway, head: &Parts) -> Option<String> {
    // hyper leaves the body of an answer to HEAD out.
    if head.method != Method::GET && head.method != Method::HEAD {
        return None;
    }
    let path = plain(head.uri.path());
    let endpoint = Endpoint::at(&path, &gateway.settings.load().pdd)?;
    // HTTP/1.0 names no host: the address of the listener stands for it.
    let address = || gateway.address.get().map(ToString::to_string);
    let host = match head.headers.get(HOST) {
        Some(host) => host
            .to_str()
            .ok()
            .filter(|host| wsdl::is_authority(host))
            .map(str::to_owned),
        None => address(),
    };
    wsdl::serve(endpoint, &path, head.uri.query()?, &host?)
}
