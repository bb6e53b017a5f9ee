//! Refusals of unreadable messages, in words for the client.

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

use super::Gateway;
use super::outcome::Stop;
use crate::contract::Findings;
use crate::contract::catalogue::{OnViolation, Operation};
use crate::refusal::{Code, Refusal};
use crate::services::{Note, Prepared, trasmissione};
use crate::soap::mime::NotAPackage;
use crate::soap::{Media, NotACall, Unreadable};
use crate::xml::XmlError;
use crate::xml::encoding::EncodingError;

/// The bytes are no document.
pub(super) fn not_read(why: &Unreadable) -> Refusal {
    let internal = why.to_string();
    match why {
        Unreadable::Package(NotAPackage(what)) => {
            Refusal::new(Code::Package, internal).with(format!("Qui: {what}."))
        }
        Unreadable::Encoding(EncodingError::Unsupported) => Refusal::new(Code::UnsupportedMedia, "charset"),
        Unreadable::Encoding(EncodingError::Invalid(_)) => {
            Refusal::new(Code::Xml, "bytes not valid in their encoding")
        }
        Unreadable::Xml(XmlError { fault, place }) => {
            let (what, line, column) = (fault.italian(), place.line, place.column);
            Refusal::new(Code::Xml, fault.to_string())
                .with(format!("{what} (riga {line}, colonna {column})."))
        }
    }
}

/// The document is no envelope with one request.
pub(super) fn not_a_call(error: NotACall) -> Refusal {
    let internal = error.to_string();
    match error {
        NotACall::NoEnvelope | NotACall::Structure | NotACall::Body => Refusal::new(Code::Envelope, internal),
        NotACall::ReplyElsewhere => Refusal::new(Code::Envelope, internal)
            .with("ReplyTo e FaultTo ammettono solo l'indirizzo anonimo: la risposta torna sulla connessione della richiesta."),
        NotACall::Version => Refusal::new(Code::Version, internal),
        NotACall::MustUnderstand(headers) => {
            let headers: Vec<_> = headers.into_iter().map(|header| (header.namespace, header.local)).collect();
            let names: Vec<_> = headers.iter().map(|(namespace, local)| format!("{local} (namespace {namespace})")).collect();
            Refusal { headers, ..Refusal::new(Code::MustUnderstand, internal).with(format!("Qui: {}.", names.join(", "))) }
        }
    }
}

/// A request that breaks its schema: a fault, or a reply of the service, as its operation has it.
pub(super) async fn violated(
    gateway: &Gateway,
    operation: Operation,
    findings: &Findings,
) -> Result<Prepared, Stop> {
    match operation.on_violation() {
        OnViolation::Fault => Err(schema(findings).into()),
        OnViolation::Reply => {
            let services = &gateway.node.services;
            Ok(trasmissione::refuse(services, findings.clone(), Note::default()).await?)
        }
    }
}

/// The request breaks its schema: the first violations, each with its place, and the number of the others.
fn schema(findings: &Findings) -> Refusal {
    const SHOWN: usize = 10;
    let total = findings.list.len() + findings.more;
    let shown: Vec<String> = findings
        .list
        .iter()
        .take(SHOWN)
        .map(|finding| {
            format!(
                "{} (riga {}, colonna {}): {} [{}]",
                finding.path, finding.line, finding.column, finding.text, finding.code
            )
        })
        .collect();
    let rest = if total > shown.len() {
        format!("; altre {}", total - shown.len())
    } else {
        String::new()
    };
    Refusal::new(Code::Schema, "schema").with(format!("{}{rest}.", shown.join("; ")))
}

/// The media type of the body. A missing one is refused like an unknown one.
pub(super) fn media_type(headers: &HeaderMap) -> Result<Media, Refusal> {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value
        .and_then(Media::of)
        .ok_or(Refusal::new(Code::UnsupportedMedia, "content type"))
}
