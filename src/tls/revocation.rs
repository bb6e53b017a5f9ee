//! Certificate revocation lists: a set of serials by issuer, signatures checked when they are loaded, freshness when they are asked.
//!
//! Hard fail: a certificate whose issuer has no list, or only one past its `nextUpdate` and the operator's [`Grace`], is not valid.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::ocsp::Responders;
use super::peer::{Invalid, Peer, Valid, trimmed};
use super::{TlsError, signature};
use crate::clock::Clock;

/// The lists in force. Cheap to clone; replaced whole.
#[derive(Clone, Debug)]
pub struct Revocations {
    lists: Arc<ArcSwap<Lists>>,
    files: Arc<[PathBuf]>,
    grace: Grace,
    responders: Arc<Responders>,
    authorities: Arc<[CertificateDer<'static>]>,
}

/// For how long a list that should have been replaced is still good enough: not at all, unless the operator says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grace(i64);

impl Grace {
    /// So many hours.
    pub fn hours(hours: u32) -> Self {
        Self(i64::from(hours) * 3600)
    }
}

#[derive(Debug, Default)]
struct Lists {
    by_issuer: HashMap<Vec<u8>, List>,
    /// Modification times of the files, to see when they change.
    stamps: Vec<Option<SystemTime>>,
}

#[derive(Debug)]
struct List {
    /// Seconds since the epoch.
    this_update: i64,
    next_update: i64,
    /// The CRL number, where it has one: its length and its octets, so that they compare as numbers.
    number: Option<(usize, Vec<u8>)>,
    serials: HashSet<Vec<u8>>,
    /// The certificates of those who signed it: their issuers and serials.
    signers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Signed by who is on a list.
    disowned: bool,
}

/// Why a list is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// No list.
    #[error("not a certificate revocation list")]
    Unreadable,
    /// Not an authority's, or bytes after its end.
    #[error("not signed by any of the client authorities")]
    Foreign,
    /// A delta list, one of some certificates only, or one that asks for what is not understood.
    #[error("a partial list, or one with a critical extension")]
    Partial,
    /// Nobody could say when it is stale.
    #[error("a list without nextUpdate")]
    Endless,
    /// Its `thisUpdate` is to come.
    #[error("a list of the future")]
    Future,
    /// Its `nextUpdate`, or its authority's time, is over.
    #[error("a list that should have been replaced")]
    Stale,
    /// The list in place has a later `thisUpdate` or a higher number.
    #[error("older than the list in place")]
    Older,
    /// An issuer whose list is in place has none.
    #[error("without the list of an issuer whose list is in place")]
    Missing,
}

/// What may take the place of a file of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The second until which all of it is good.
    pub expires: i64,
    /// How many certificates are listed.
    pub revoked: usize,
}

impl Revocations {
    /// Loads lists (PEM or DER) issued by `authorities`.
    pub fn load(files: &[PathBuf], authorities: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        let lists = read(files, &authorities)?;
        let lists = Arc::new(ArcSwap::from_pointee(lists));
        Ok(Self { lists, files: files.into(), grace: Grace::default(), responders: Arc::default(), authorities: authorities.into() })
    }

    /// The same, with responders for authorities that have no list.
    pub fn with_responders(self, responders: Responders) -> Self {
        Self { responders: Arc::new(responders), ..self }
    }

    /// Whether there are responders at all.
    pub fn has_responders(&self) -> bool {
        !self.responders.is_empty()
    }

    /// Whether a responder is asked for the certificates of an issuer: who has a list is not asked.
    pub(super) fn is_asked(&self, issuer: &[u8]) -> bool {
        self.responders.knows(issuer) && !self.lists.load().by_issuer.contains_key(issuer)
    }

    /// Asks the responders about a peer, where nothing fresh is known.
    pub(super) async fn ask(&self, peer: &Peer, clock: &Clock) {
        for link in peer.chain().iter().filter(|link| self.is_asked(&link.issuer)) {
            self.responders.ask(&link.issuer, &link.serial, clock).await;
        }
    }

    /// The same, with a grace.
    pub fn with_grace(self, grace: Grace) -> Self {
        Self { grace, ..self }
    }

    /// The second until which the list that ends first is good, without grace; nothing where there is no list.
    pub fn expires(&self) -> Option<i64> {
        self.lists.load().by_issuer.values().map(|list| list.next_update).min()
    }

    /// Loads the files again if any has changed; whether one had. What is in force stays if the new ones are wrong.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        if stamps(&self.files) == self.lists.load().stamps {
            return Ok(false);
        }
        self.lists.store(Arc::new(read(&self.files, &self.authorities)?));
        Ok(true)
    }

    /// Whether a certificate is listed, by lists that are fresh at that second.
    pub(super) fn check(&self, issuer: &[u8], serial: &[u8], second: i64) -> Result<Valid, Invalid> {
        let lists = self.lists.load();
        let Some(list) = lists.by_issuer.get(issuer) else { return self.responders.check(issuer, serial, second) };
        if second < list.this_update || second > list.next_update.saturating_add(self.grace.0) {
            return Err(Invalid::StatusUnknown);
        }
        if list.disowned || list.serials.contains(serial) {
            Err(Invalid::Revoked)
        } else {
            Ok(Valid { within_grace: second > list.next_update })
        }
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<SystemTime>> {
    files.iter().map(|file| std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()).collect()
}

fn read(files: &[PathBuf], authorities: &[CertificateDer<'static>]) -> Result<Lists, TlsError> {
    let mut lists = Lists { by_issuer: HashMap::new(), stamps: stamps(files) };
    for file in files {
        let wrong = |what: String| TlsError::File(file.display().to_string(), what);
        let bytes = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
        gather(&mut lists.by_issuer, &bytes, authorities).map_err(|flaw| wrong(flaw.to_string()))?;
    }
    disown(&mut lists.by_issuer);
    Ok(lists)
}

/// Adds the lists of a file (PEM or DER) to those by their issuers' names.
fn gather(lists: &mut HashMap<Vec<u8>, List>, bytes: &[u8], authorities: &[CertificateDer<'_>]) -> Result<(), Flaw> {
    for der in ders(bytes)? {
        let (name, parsed) = parse(&der, authorities)?;
        // Of two lists of one issuer the later counts; of the same moment, both.
        match lists.get_mut(&name) {
            Some(known) if known.this_update > parsed.this_update => {}
            Some(known) if known.this_update == parsed.this_update => {
                known.next_update = known.next_update.min(parsed.next_update);
                known.number = known.number.take().max(parsed.number);
                known.serials.extend(parsed.serials);
                known.signers.extend(parsed.signers);
            }
            _ => drop(lists.insert(name, parsed)),
        }
    }
    Ok(())
}

/// deltaCRLIndicator.
const DELTA_INDICATOR: &str = "2.5.29.27";
/// issuingDistributionPoint.
const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";

/// A list, and the name of its issuer.
fn parse(der: &[u8], authorities: &[CertificateDer<'_>]) -> Result<(Vec<u8>, List), Flaw> {
    let (rest, list) = CertificateRevocationList::from_der(der).map_err(|_| Flaw::Unreadable)?;
    // Of an authority that was certified again under the same key, the certificate that lasts longest.
    let signers = authorities.iter().filter_map(|authority| issued_by(&list, authority));
    let signer = signers.max_by_key(|signer| signer.validity().not_after.timestamp());
    let signer = signer.filter(|_| rest.is_empty()).ok_or(Flaw::Foreign)?;
    // RFC 5280, section 5.2: a list with a critical extension that is not understood must not be used. Delta lists and lists of
    // only some certificates have one: taken for whole, they would hide revocations. So have the entries of indirect lists, which
    // are another authority's.
    let entries = list.iter_revoked_certificates().flat_map(|revoked| revoked.extensions());
    // By the letter delta lists and partial ones mark it critical (5.2.4, 5.2.5): one that does not is no whole list either.
    let partial = |oid: &str| list.extensions().iter().any(|extension| extension.oid.to_id_string() == oid);
    let partial = partial(DELTA_INDICATOR) || partial(ISSUING_DISTRIBUTION_POINT);
    if partial || list.extensions().iter().chain(entries).any(|extension| extension.critical) {
        return Err(Flaw::Partial);
    }
    let next = list.next_update().ok_or(Flaw::Endless)?;
    let parsed = List {
        // An authority that is not in its time says nothing of others.
        this_update: list.last_update().timestamp().max(signer.validity().not_before.timestamp()),
        next_update: next.timestamp().min(signer.validity().not_after.timestamp()),
        number: list.crl_number().map(|number| number.to_bytes_be()).map(|number| (number.len(), number)),
        serials: list.iter_revoked_certificates().map(|revoked| trimmed(revoked.raw_serial())).collect(),
        signers: vec![(signer.issuer().as_raw().to_vec(), trimmed(signer.raw_serial()))],
        disowned: false,
    };
    Ok((list.issuer().as_raw().to_vec(), parsed))
}

/// Judges the content of a file of lists before it takes the place of another's. As it is loaded; besides, every list in its time, and none
/// missing or older than in the file in place. One in place that would not be loaded counts for nothing.
pub fn judge(bytes: &[u8], in_place: Option<&[u8]>, authorities: &[CertificateDer<'_>], now: Timestamp) -> Result<Replacement, Flaw> {
    let (mut lists, mut known) = (HashMap::new(), HashMap::new());
    gather(&mut lists, bytes, authorities)?;
    if in_place.is_some_and(|bytes| gather(&mut known, bytes, authorities).is_err()) {
        known.clear();
    }
    let expires = lists.values().map(|list| list.next_update).min().ok_or(Flaw::Unreadable)?;
    let second = now.as_second();
    if lists.values().any(|list| list.this_update > second) {
        return Err(Flaw::Future);
    }
    if expires <= second {
        return Err(Flaw::Stale);
    }
    for (issuer, known) in &known {
        let list = lists.get(issuer).ok_or(Flaw::Missing)?;
        let behind = list.number.as_ref().zip(known.number.as_ref()).is_some_and(|(number, known)| number < known);
        if list.this_update < known.this_update || behind {
            return Err(Flaw::Older);
        }
    }
    Ok(Replacement { expires, revoked: lists.values().map(|list| list.serials.len()).sum() })
}

/// Marks the lists of authorities that are on a list themselves, and of those under them: an authority of the configuration may be under
/// another, and clients need not send it along.
fn disown(lists: &mut HashMap<Vec<u8>, List>) {
    loop {
        let on_list = |name: &Vec<u8>, (issuer, serial): &(Vec<u8>, Vec<u8>)| {
            lists.get(issuer).is_some_and(|above| above.serials.contains(serial) || issuer != name && above.disowned)
        };
        let found: Vec<Vec<u8>> = lists
            .iter()
            .filter(|(name, list)| !list.disowned && list.signers.iter().any(|signer| on_list(name, signer)))
            .map(|(name, _)| name.clone())
            .collect();
        if found.is_empty() {
            return;
        }
        for name in found {
            if let Some(list) = lists.get_mut(&name) {
                list.disowned = true;
            }
        }
    }
}

fn ders(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Flaw> {
    if !bytes.starts_with(b"-----") {
        return Ok(vec![bytes.to_vec()]);
    }
    let lists = rustls::pki_types::CertificateRevocationListDer::pem_slice_iter(bytes);
    lists.map(|list| list.map(|der| der.as_ref().to_vec()).map_err(|_| Flaw::Unreadable)).collect()
}

/// The authority's certificate, if the list is the authority's.
fn issued_by<'a>(list: &CertificateRevocationList<'_>, authority: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    let (_, authority) = X509Certificate::from_der(authority).ok()?;
    let same_name = authority.subject().as_raw() == list.issuer().as_raw();
    // RFC 5280, 4.2.1.3: where a key usage is stated, it must allow signing lists.
    let may_sign = authority.key_usage().ok()?.is_none_or(|usage| usage.value.crl_sign());
    let same_algorithm = list.tbs_cert_list.signature == list.signature_algorithm;
    let algorithm = list.signature_algorithm.algorithm.to_id_string();
    let signed = || signature::signed_by(authority.public_key().raw, &algorithm, list.tbs_cert_list.as_ref(), &list.signature_value.data);
    (same_name && may_sign && same_algorithm && signed()).then_some(authority)
}
