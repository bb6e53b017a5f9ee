//! The content of a revocation list (RFC 5280, section 5), and whether it is believed: whole, and signed by
//! one of the authorities.
//!
//! A list covers the certificates signed by its own key, and no others: two authorities may have one name, as
//! after a change of key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::authorities::Issuer;
use super::validity::trimmed;
use super::{pem, signature};

/// The largest file of lists, bytes: some two million certificates.
pub const LARGEST: usize = 64 << 20;
/// The most lists in one file. Each has its signature verified, and a certificate is looked for on every list
/// of its issuer.
const MOST_LISTS: usize = 64;

/// A whole list, signed by an authority.
#[derive(Debug)]
pub(super) struct RevocationList {
    /// Seconds since the epoch.
    this_update: i64,
    next_update: i64,
    /// The CRL number, if any: its length and its octets, comparable as numbers.
    number: Option<(usize, Vec<u8>)>,
    serials: HashSet<Vec<u8>>,
    /// The certificate of the list's signer: its issuers (several if no signature tells authorities of one
    /// name apart), and its serial.
    signer: (Vec<Issuer>, Vec<u8>),
}

/// The lists of a file, each with its issuer.
pub(super) type ListsByIssuer = Vec<(Issuer, Arc<RevocationList>)>;

/// The lists of one issuer in force.
#[derive(Debug)]
pub(super) struct InForce {
    /// Seconds since the epoch.
    pub(super) this_update: i64,
    /// The end of the list that ends first.
    pub(super) next_update: i64,
    /// Whether a signer, or an authority above it, is on a list itself.
    pub(super) disowned: bool,
    lists: Vec<Arc<RevocationList>>,
}

impl InForce {
    /// Whether a certificate is on one of them.
    pub(super) fn lists(&self, serial: &[u8]) -> bool {
        self.lists.iter().any(|list| list.serials.contains(serial))
    }

    fn number(&self) -> Option<&(usize, Vec<u8>)> {
        self.lists.iter().filter_map(|list| list.number.as_ref()).max()
    }
}

/// Why a list is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Not a certificate revocation list in PEM or DER.
    #[error("not a certificate revocation list")]
    Unreadable,
    /// More than 64 lists in one file.
    #[error("more than 64 lists in one file")]
    Many,
    /// Not signed by an authority, or followed by more bytes.
    #[error("not signed by any of the client authorities")]
    Foreign,
    /// A delta list, a list of some certificates only, or one with a critical extension.
    #[error("a partial list, or one with a critical extension")]
    Partial,
    /// Nobody could tell when it is stale: no `nextUpdate`.
    #[error("a list without nextUpdate")]
    Endless,
    /// Its `thisUpdate` is in the future.
    #[error("a list of the future")]
    Future,
    /// Its `nextUpdate`, or its authority's time, is over.
    #[error("a list that should have been replaced")]
    Stale,
    /// The list in place has a later `thisUpdate` or a higher number.
    #[error("older than the list in place")]
    Older,
    /// The list in place has an issuer missing here. Another key of the same name does not stand in for it.
    #[error("without the list of an issuer whose list is in place")]
    Missing,
}

impl Flaw {
    /// The same in Italian, for operators.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "non è una lista di revoca leggibile",
            Self::Many => "contiene più di 64 liste",
            Self::Foreign => "non è firmata da nessuna delle autorità configurate",
            Self::Partial => "è una lista parziale (delta), o ha un'estensione critica",
            Self::Endless => "non ha nextUpdate",
            Self::Future => "thisUpdate è nel futuro",
            Self::Stale => "è scaduta (nextUpdate è passato)",
            Self::Older => "è più vecchia di quella che c'è",
            Self::Missing => "manca la lista di un'autorità (o di una sua chiave) che nel file c'è",
        }
    }
}

/// A file of lists fit to take the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The second until which all its lists are good.
    pub expires: i64,
    /// The number of listed certificates.
    pub revoked: usize,
}

/// The lists of a file (PEM or DER); at least one.
pub(super) fn gather(bytes: &[u8], authorities: &[CertificateDer<'_>]) -> Result<ListsByIssuer, Flaw> {
    let ders = ders(bytes)?;
    if ders.len() > MOST_LISTS {
        return Err(Flaw::Many);
    }
    let lists: ListsByIssuer = ders
        .iter()
        .map(|der| parse(der, authorities))
        .collect::<Result<_, _>>()?;
    if lists.is_empty() {
        Err(Flaw::Unreadable)
    } else {
        Ok(lists)
    }
}

/// The lists in force. Of two lists of one issuer (the same name, and the same key) the later counts; of the
/// same moment, both.
pub(super) fn in_force<'a>(
    all: impl IntoIterator<Item = &'a (Issuer, Arc<RevocationList>)>,
) -> HashMap<Issuer, InForce> {
    let mut lists: HashMap<Issuer, InForce> = HashMap::new();
    for (issuer, list) in all {
        match lists.get_mut(issuer) {
            Some(known) if known.this_update > list.this_update => {}
            Some(known) if known.this_update == list.this_update => {
                known.next_update = known.next_update.min(list.next_update);
                known.lists.push(list.clone());
            }
            _ => {
                let (this_update, next_update) = (list.this_update, list.next_update);
                lists.insert(
                    issuer.clone(),
                    InForce {
                        this_update,
                        next_update,
                        disowned: false,
                        lists: vec![list.clone()],
                    },
                );
            }
        }
    }
    disown(&mut lists);
    lists
}

/// OID of deltaCRLIndicator (RFC 5280, 5.2.4).
const DELTA_INDICATOR: &str = "2.5.29.27";
/// OID of issuingDistributionPoint (RFC 5280, 5.2.5).
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";

/// A list, with its issuer.
fn parse(der: &[u8], authorities: &[CertificateDer<'_>]) -> Result<(Issuer, Arc<RevocationList>), Flaw> {
    let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| Flaw::Unreadable)?;
    // An authority may be certified again under the same key: its certificate with the latest end counts.
    let signers = authorities
        .iter()
        .filter_map(|authority| issued_by(&list, authority));
    let signer = signers.max_by_key(|signer| signer.validity().not_after.timestamp());
    let signer = signer.filter(|_| rest.is_empty()).ok_or(Flaw::Foreign)?;
    // RFC 5280, section 5.2: a list with an unknown critical extension must not be used. Delta lists and
    // lists of only some certificates have one: taken for whole, they would hide revocations. The entries of
    // indirect lists are another authority's, and have one too.
    let entries = list
        .iter_revoked_certificates()
        .flat_map(|revoked| revoked.extensions());
    // By the letter delta lists and partial ones mark it critical (5.2.4, 5.2.5). Without the mark they are
    // no whole lists either.
    let partial = |oid: &str| {
        list.extensions()
            .iter()
            .any(|extension| extension.oid.to_id_string() == oid)
    };
    let partial = partial(DELTA_INDICATOR) || partial(ISSUING_DISTRIBUTION_POINT);
    if partial
        || list
            .extensions()
            .iter()
            .chain(entries)
            .any(|extension| extension.critical)
    {
        return Err(Flaw::Partial);
    }
    let next = list.next_update().ok_or(Flaw::Endless)?;
    let parsed = RevocationList {
        // An authority out of its time says nothing of others.
        this_update: list
            .last_update()
            .timestamp()
            .max(signer.validity().not_before.timestamp()),
        next_update: next.timestamp().min(signer.validity().not_after.timestamp()),
        number: list
            .crl_number()
            .map(|number| number.to_bytes_be())
            .map(|number| (number.len(), number)),
        serials: list
            .iter_revoked_certificates()
            .map(|revoked| trimmed(revoked.raw_serial()))
            .collect(),
        signer: (above(&signer, authorities), trimmed(signer.raw_serial())),
    };
    Ok((Issuer::of(&signer), Arc::new(parsed)))
}

/// The issuers of an authority's certificate, among the authorities. If no signature can be verified it may
/// be any of this name.
fn above(certificate: &X509Certificate<'_>, authorities: &[CertificateDer<'_>]) -> Vec<Issuer> {
    let parsed = authorities.iter().filter_map(|der| {
        X509Certificate::from_der(der)
            .ok()
            .map(|(_, authority)| authority)
    });
    let named: Vec<_> = parsed
        .filter(|authority| authority.subject().as_raw() == certificate.issuer().as_raw())
        .collect();
    let signed = named
        .iter()
        .filter(|authority| signature::verifies(certificate, authority.public_key().raw));
    let signed: Vec<_> = signed.map(Issuer::of).collect();
    if signed.is_empty() {
        named.iter().map(Issuer::of).collect()
    } else {
        signed
    }
}

/// Judges the content of a file of lists before it takes the place of another's. The rules of loading hold.
/// Besides, every list must be in its time, and none missing or older than in the file in place. If the file
/// in place could not be loaded it counts for nothing.
pub fn judge(
    bytes: &[u8],
    in_place: Option<&[u8]>,
    authorities: &[CertificateDer<'_>],
    now: Timestamp,
) -> Result<Replacement, Flaw> {
    let lists = in_force(&gather(bytes, authorities)?);
    let known = in_force(
        &in_place
            .and_then(|bytes| gather(bytes, authorities).ok())
            .unwrap_or_default(),
    );
    let expires = lists
        .values()
        .map(|list| list.next_update)
        .min()
        .ok_or(Flaw::Unreadable)?;
    let second = now.as_second();
    if lists.values().any(|list| list.this_update > second) {
        return Err(Flaw::Future);
    }
    if expires <= second {
        return Err(Flaw::Stale);
    }
    for (issuer, known) in &known {
        let list = lists.get(issuer).ok_or(Flaw::Missing)?;
        let behind = list
            .number()
            .zip(known.number())
            .is_some_and(|(number, known)| number < known);
        if list.this_update < known.this_update || behind {
            return Err(Flaw::Older);
        }
    }
    let serials = |list: &InForce| {
        list.lists
            .iter()
            .flat_map(|list| &list.serials)
            .collect::<HashSet<_>>()
            .len()
    };
    Ok(Replacement {
        expires,
        revoked: lists.values().map(serials).sum(),
    })
}

/// Marks the lists of authorities on a list themselves, and of those under them: a configured authority may
/// be under another, and clients need not send it along.
fn disown(lists: &mut HashMap<Issuer, InForce>) {
    loop {
        let on_list = |own: &Issuer, list: &RevocationList| {
            let (issuers, serial) = &list.signer;
            let listed = |issuer: &Issuer| {
                lists
                    .get(issuer)
                    .is_some_and(|above| above.lists(serial) || issuer != own && above.disowned)
            };
            issuers.iter().any(listed)
        };
        let found: Vec<Issuer> = lists
            .iter()
            .filter(|(own, known)| !known.disowned && known.lists.iter().any(|list| on_list(own, list)))
            .map(|(own, _)| own.clone())
            .collect();
        if found.is_empty() {
            return;
        }
        for own in found {
            if let Some(list) = lists.get_mut(&own) {
                list.disowned = true;
            }
        }
    }
}

fn ders(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Flaw> {
    // A sequence of more than 127 bytes is DER; text may stand around PEM (`openssl crl -text`), and a mark
    // before it.
    if matches!(bytes, [0x30, length, ..] if *length >= 0x80) {
        return Ok(vec![bytes.to_vec()]);
    }
    let bytes = pem::unmarked(bytes);
    let lists = rustls::pki_types::CertificateRevocationListDer::pem_slice_iter(bytes);
    lists
        .take(MOST_LISTS + 1)
        .map(|list| {
            list.map(|der| der.as_ref().to_vec())
                .map_err(|_| Flaw::Unreadable)
        })
        .collect()
}

/// The authority's certificate, if the list is the authority's.
fn issued_by<'a>(
    list: &CertificateRevocationList<'_>,
    authority: &'a CertificateDer<'_>,
) -> Option<X509Certificate<'a>> {
    let (_, authority) = X509Certificate::from_der(authority).ok()?;
    let same_name = authority.subject().as_raw() == list.issuer().as_raw();
    // RFC 5280, 4.2.1.3: where a key usage is stated, it must allow signing lists.
    let may_sign = authority
        .key_usage()
        .ok()?
        .is_none_or(|usage| usage.value.crl_sign());
    let same_algorithm = list.tbs_cert_list.signature == list.signature_algorithm;
    let algorithm = list.signature_algorithm.algorithm.to_id_string();
    let signed = || {
        signature::signed_by(
            authority.public_key().raw,
            &algorithm,
            list.tbs_cert_list.as_ref(),
            &list.signature_value.data,
        )
    };
    (same_name && may_sign && same_algorithm && signed()).then_some(authority)
}
