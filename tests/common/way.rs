//! The way of a request's bytes, as the port goes it, from its content type to a typed request: without the channel before it and the
//! services after it.

#![allow(unreachable_pub, dead_code, reason = "a module of several binaries, each of which uses its own part")]

use varco::contract::catalogue::Operation;
use varco::contract::{Contract, Finding, Findings, Part, Request, place};
use varco::isee::checks::{Circumstance, examine};
use varco::soap::mime::{self, MediaType, NotAPackage};
use varco::soap::{self, NotACall, Version};
use varco::xml::encoding::{self, EncodingError};
use varco::xml::{Element, Limits, XmlFault, parse, parse_outline};

/// The largest body of a message that is no lot, as the port has it by default.
pub const BODY: usize = 2 << 20;
/// The largest body of a lot.
pub const LOT: usize = 16 << 20;

/// Where the way ends, if not at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    Media,
    Package(NotAPackage),
    Encoding(EncodingError),
    Xml(XmlFault),
    Call(NotACall),
    UnknownOperation,
    TooLarge,
    Schema(Findings),
}

/// What is read of a request; `then` is given it, and the DSU in it that have their own way.
pub fn travel<T>(contract: &Contract, kind: &str, bytes: &[u8], then: impl FnOnce(Operation, Request) -> T) -> Result<T, Refused> {
    arrive(kind, bytes, |operation, root| {
        let (request, _) = contract.read(operation, root).map_err(Refused::Schema)?;
        if operation == Operation::TrasmissioneLotto {
            for (index, element) in root.children().enumerate() {
                Part::parse(element, index + 1).and_then(|part| contract.read_part(&part)).map_err(Refused::Schema)?;
            }
        }
        Ok(then(operation, request))
    })
}

/// The same way, as far as the defects of its DSU, each in its place.
pub fn judge(contract: &Contract, kind: &str, bytes: &[u8], circumstance: &Circumstance<'_>) -> Result<Vec<Finding>, Refused> {
    arrive(kind, bytes, |operation, root| {
        let mut found = Vec::new();
        match contract.read(operation, root).map_err(Refused::Schema)?.0 {
            Request::Trasmissione(dsu) => found.extend(place(examine(&dsu.dsu, circumstance).difetti, &dsu, root)),
            Request::Lotto => {
                for (index, element) in root.children().enumerate() {
                    let part = Part::parse(element, index + 1).map_err(Refused::Schema)?;
                    let dsu = contract.read_part(&part).map_err(Refused::Schema)?;
                    found.extend(part.place(examine(&dsu.dsu, circumstance).difetti));
                }
            }
            _ => {}
        }
        Ok(found)
    })
}

/// The way to the body's root.
fn arrive<T>(kind: &str, bytes: &[u8], then: impl FnOnce(Operation, Element<'_, '_>) -> Result<T, Refused>) -> Result<T, Refused> {
    let media = MediaType::parse(kind).ok_or(Refused::Media)?;
    let mut package = None;
    if media.kind == "multipart/related" {
        package = Some(mime::open(bytes, &media).map_err(Refused::Package)?);
    } else if Version::of_media_type(&media.kind).is_none() {
        return Err(Refused::Media);
    }
    let (root, charset) = match &package {
        Some(package) => (package.root, package.charset.as_deref()),
        None => (bytes, media.parameter("charset")),
    };
    let text = encoding::decode(root, charset).map_err(Refused::Encoding)?;
    let large = bytes.len() > BODY;
    let limits = Limits::default();
    let document = if large { parse_outline(&text, &limits, "Body", 3) } else { parse(&text, &limits) };
    let mut document = document.map_err(|error| Refused::Xml(error.fault))?;
    if let Some(package) = &mut package {
        package.resolve(&mut document).map_err(Refused::Package)?;
    }
    let call = soap::open(&document).map_err(Refused::Call)?;
    let operation = Operation::by_root(call.root.namespace(), call.root.local()).ok_or(Refused::UnknownOperation)?;
    if large && operation != Operation::TrasmissioneLotto {
        return Err(Refused::TooLarge);
    }
    then(operation, call.root)
}
