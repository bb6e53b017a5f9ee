//! The sender, in the request's own words: the Identity header, HTTP headers in its place, the body of the
//! porta di dominio's dialect.

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::refusal::{Code, Refusal};
use crate::registry::{Admission, Caller};
use crate::soap::Identity;

/// The Identity header, completed by HTTP headers: some clients send these in its place.
pub(super) fn named(headers: &HeaderMap, mut identity: Identity) -> Identity {
    // UTF-8, or else Latin-1, as HTTP once had it: no name is left out for one of its letters.
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes).map_or_else(
            |_| bytes.iter().map(|byte| char::from(*byte)).collect(),
            str::to_owned,
        )
    };
    let header = |name: HeaderName| {
        headers
            .get(name)
            .map(|value| text(value.as_bytes()).trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    identity.user = identity
        .user
        .or_else(|| header(HeaderName::from_static("inps-identity-userid")));
    identity.office = identity
        .office
        .or_else(|| header(HeaderName::from_static("inps-identity-codiceufficio")));
    identity
}

/// Refuses header texts longer than any name: they would be sealed with each exchange. The ledger does not
/// keep them.
pub(super) fn bounded(identity: &mut Identity) -> Result<(), Refusal> {
    let texts = [
        ("UserId", &mut identity.user, 256),
        ("CodiceUfficio", &mut identity.office, 64),
        ("CodiceEnte", &mut identity.ente, 64),
    ];
    let mut long = None;
    for (name, text, most) in texts {
        if text.as_ref().is_some_and(|text| text.chars().nth(most).is_some()) {
            *text = None;
            long = Some(format!("{name} ha più di {most} caratteri."));
        }
    }
    match long {
        Some(text) => Err(Refusal::new(Code::Envelope, "text of the Identity header too long").with(text)),
        None => Ok(()),
    }
}

/// Refuses an identity in contradiction with itself, or with an ente other than the certificate's.
pub(super) fn check(caller: &Caller, identity: &Identity) -> Result<(), Refusal> {
    let ente = caller.ente();
    if identity.contradicts {
        let text = "L'intestazione Identity dice due volte la stessa cosa in modo diverso.".to_owned();
        return Err(Refusal::new(Code::IdentityMismatch, "Identity said twice").with(text));
    }
    match &identity.ente {
        Some(named) if !ente.is_named(named) => Err(Refusal::new(Code::IdentityMismatch, "CodiceEnte")),
        _ => Ok(()),
    }
}

/// The admission from the named office. In the dialect of the porta di dominio the body has an identity too
/// (`named`): it comes first.
pub(super) fn agree(
    identity: &mut Identity,
    admission: Admission,
    named: Option<&Identity>,
) -> Result<Admission, Refusal> {
    if let Some(named) = named {
        let before = std::mem::take(identity);
        *identity = Identity {
            user: named.user.clone().or(before.user),
            office: named.office.clone().or(before.office),
            ente: named.ente.clone().or(before.ente),
            contradicts: false,
        };
        bounded(identity)?;
        check(admission.caller(), identity)?;
    }
    admission.from_office(identity.office.as_deref())
}
