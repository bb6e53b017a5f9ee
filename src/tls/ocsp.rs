//! OCSP (RFC 6960, in the profile of RFC 5019) for authorities without a revocation list. The responder is
//! asked at a request, since a handshake cannot wait. Its answer is kept for an hour at most: then it is
//! asked again. Many responders make answers before they are asked for; the operator says how long before
//! ([`Oldest`]). A nonce goes along (RFC 8954): an answer with a nonce was made for this question, or it is
//! refused.
//!
//! Hard fail: a certificate without a good answer is not valid. An answer counts if the authority signed it,
//! or a delegate certified by the authority for that (id-kp-OCSPSigning).

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand;
use bytes::Bytes;
use hyper::{Request as HttpRequest, Uri};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::sync::Semaphore;
use x509_cert::der::asn1::{Null, ObjectIdentifier, OctetString};
use x509_cert::der::{Any, Decode as _, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse,
    OcspResponseStatus, Request, SingleResponse, TbsRequest, Version,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::authorities::Issuer;
use super::client::{self, NoReply};
use super::validity::{Invalid, Valid};
use super::{TlsError, signature};
use crate::clock::Clock;

/// The longest time an answer counts, whatever it says of itself, seconds.
const LONGEST: i64 = 3600;
/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause after a question without an answer, seconds. A responder silent altogether is not asked about
/// any certificate in that time.
const PAUSE: i64 = 5;
/// The most questions to one responder at the same time.
const QUESTIONS: usize = 8;
/// The largest answer, bytes.
const LARGEST: usize = 64 * 1024;
/// The most certificates in one answer. Each may cost two verifications of signatures, and an honest answer
/// has one or none.
const MOST_CERTIFICATES: usize = 4;
/// The tolerated difference between clocks, seconds.
const SKEW: i64 = 300;

const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// The longest nonce of RFC 8954, section 2.1, bytes.
const NONCE_BYTES: usize = 32;

/// The greatest age of an answer's content (its `thisUpdate`), seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oldest(i64);

impl Oldest {
    /// An age of so many hours.
    pub fn hours(hours: u32) -> Self {
        Self(i64::from(hours) * 3600)
    }
}

/// The responders of the configuration.
#[derive(Debug, Default)]
pub struct Responders {
    by_issuer: HashMap<Issuer, Responder>,
}

/// The responder of one authority.
#[derive(Debug)]
struct Responder {
    url: Uri,
    /// The authority's certificate, DER.
    authority: CertificateDer<'static>,
    known: Mutex<HashMap<Vec<u8>, Remembered>>,
    /// Places for questions. A caller waiting for one may find the answer already there.
    asking: Semaphore,
    /// The second until which it is not asked, since it did not answer.
    silent_until: AtomicI64,
    oldest: Oldest,
}

/// The state of a certificate.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    /// `None`: no answer, or an answer without a verdict.
    revoked: Option<bool>,
    until: i64,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The responder cannot be reached, or says nothing in time.
    #[error("the responder does not answer")]
    Silent,
    /// Its answer cannot be read, or is a refusal to answer.
    #[error("the responder has no answer")]
    None,
    /// Not signed by the authority, nor by a delegate it certified for that.
    #[error("the answer is not the authority's")]
    Foreign,
    /// The answer says nothing of this certificate.
    #[error("the answer is about another certificate")]
    Other,
    /// Past its end, or from the future.
    #[error("the answer is not fresh")]
    Stale,
    /// Its `thisUpdate` is longer ago than the operator allows.
    #[error("the answer was made longer ago than tls.ocsp_max_age_hours allows")]
    Old,
    /// It has a nonce other than the question's.
    #[error("the answer is to another question")]
    Nonce,
}

impl Responders {
    /// The responders of authorities, each with its address, and the greatest age of their answers.
    pub fn new(all: Vec<(CertificateDer<'static>, String)>, oldest: Oldest) -> Result<Self, TlsError> {
        let mut by_issuer = HashMap::new();
        for (authority, url) in all {
            let wrong = |what: &str| TlsError::File(url.clone(), what.to_owned());
            let uri: Uri = url.parse().map_err(|_| wrong("tls.ocsp: non è un indirizzo"))?;
            // Answers are signed: RFC 5019, section 5, has them over plain HTTP.
            if !client::is_address(&uri) {
                return Err(wrong("tls.ocsp: serve un indirizzo http://"));
            }
            let issuer = {
                let (_, parsed) = X509Certificate::from_der(&authority)
                    .map_err(|_| wrong("il certificato dell'autorità non si può leggere"))?;
                Issuer::of(&parsed)
            };
            let (asking, silent_until) = (Semaphore::new(QUESTIONS), AtomicI64::new(0));
            let responder = Responder {
                url: uri,
                authority,
                known: Mutex::default(),
                asking,
                silent_until,
                oldest,
            };
            if by_issuer.insert(issuer, responder).is_some() {
                return Err(wrong(
                    "è il secondo responder per la stessa autorità: ne serve uno solo",
                ));
            }
        }
        Ok(Self { by_issuer })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_issuer.is_empty()
    }

    /// Whether a certificate's issuer has a responder.
    pub(super) fn knows(&self, issuer: &Issuer) -> bool {
        self.by_issuer.contains_key(issuer)
    }

    /// Judges a certificate by the answers known now.
    pub(super) fn check(&self, issuer: &Issuer, serial: &[u8], second: i64) -> Result<Valid, Invalid> {
        match self
            .by_issuer
            .get(issuer)
            .and_then(|responder| responder.fresh(serial, second))
            .and_then(|known| known.revoked)
        {
            Some(false) => Ok(Valid::default()),
            Some(true) => Err(Invalid::Revoked),
            None => Err(Invalid::StatusUnknown),
        }
    }

    /// Asks, if nothing fresh is known. It never takes longer than [`PATIENCE`], however many wait.
    pub(super) async fn ask(&self, issuer: &Issuer, serial: &[u8], clock: &Clock) {
        let Some(responder) = self.by_issuer.get(issuer) else {
            return;
        };
        let second = clock.now().as_second();
        if responder.fresh(serial, second).is_some() || responder.is_silent(second) {
            return;
        }
        let answered = tokio::time::timeout(PATIENCE, responder.learn(serial, clock))
            .await
            .unwrap_or(Err(NoAnswer::Silent));
        if let Err(error) = answered {
            tracing::warn!(url = %responder.url, %error, "ocsp");
            let until = clock.now().as_second() + PAUSE;
            match error {
                NoAnswer::Silent => responder.silent_until.store(until, Ordering::Relaxed),
                _ => responder.note(serial, Remembered { revoked: None, until }, clock),
            }
        }
    }
}

impl Responder {
    fn fresh(&self, serial: &[u8], second: i64) -> Option<Remembered> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(serial).filter(|known| second <= known.until).copied()
    }

    fn is_silent(&self, second: i64) -> bool {
        second <= self.silent_until.load(Ordering::Relaxed)
    }

    fn note(&self, serial: &[u8], what: Remembered, clock: &Clock) {
        let second = clock.now().as_second();
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, known| known.until >= second);
        all.insert(serial.to_vec(), what);
    }

    /// Asks when there is a place, unless the answer is known by then.
    async fn learn(&self, serial: &[u8], clock: &Clock) -> Result<(), NoAnswer> {
        let _place = self.asking.acquire().await.map_err(|_| NoAnswer::Silent)?;
        let second = clock.now().as_second();
        if self.fresh(serial, second).is_some() || self.is_silent(second) {
            return Ok(());
        }
        let known = self.question(serial, clock).await?;
        self.note(serial, known, clock);
        Ok(())
    }

    async fn question(&self, serial: &[u8], clock: &Clock) -> Result<Remembered, NoAnswer> {
        let id = self.id(serial).ok_or(NoAnswer::None)?;
        let nonce = nonce().ok_or(NoAnswer::None)?;
        let request = Request {
            req_cert: id.clone(),
            single_request_extensions: None,
        };
        let request_extensions = Some(vec![nonce.clone()]);
        let tbs_request = TbsRequest {
            version: Version::V1,
            requestor_name: None,
            request_list: vec![request],
            request_extensions,
        };
        let bytes = OcspRequest {
            tbs_request,
            optional_signature: None,
        }
        .to_der()
        .map_err(|_| NoAnswer::None)?;
        let post = HttpRequest::post("/")
            .header("content-type", "application/ocsp-request")
            .header("accept", "application/ocsp-response");
        let answer = client::send(&self.url, post, Bytes::from(bytes), LARGEST)
            .await
            .map_err(|error| match error {
                NoReply::Unreachable(_) | NoReply::Broken => NoAnswer::Silent,
                NoReply::Address | NoReply::Status(_) | NoReply::Large => NoAnswer::None,
            })?;
        judge(
            &answer,
            &Question { id, nonce },
            &self.authority,
            self.oldest,
            clock.now(),
        )
    }

    /// RFC 5019, section 2.1.1: SHA-1, known to all responders; it names and does not protect.
    fn id(&self, serial: &[u8]) -> Option<CertId> {
        let (_, authority) = X509Certificate::from_der(&self.authority).ok()?;
        let hash = |bytes: &[u8]| OctetString::new(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref()).ok();
        Some(CertId {
            hash_algorithm: AlgorithmIdentifierOwned {
                oid: SHA1,
                parameters: Some(Any::from(Null)),
            },
            issuer_name_hash: hash(authority.subject().as_raw())?,
            issuer_key_hash: hash(&authority.public_key().subject_public_key.data)?,
            serial_number: SerialNumber::new(serial).ok()?,
        })
    }
}

/// The certificate and the nonce of a question.
struct Question {
    id: CertId,
    nonce: Extension,
}

/// An unforeseeable nonce: the extension's value is an OCTET STRING within an OCTET STRING.
fn nonce() -> Option<Extension> {
    let mut bytes = [0; NONCE_BYTES];
    rand::fill(&mut bytes).ok()?;
    let value = OctetString::new(bytes)
        .and_then(|value| value.to_der())
        .and_then(OctetString::new)
        .ok()?;
    Some(Extension {
        extn_id: NONCE,
        critical: false,
        extn_value: value,
    })
}

/// The verdict of an answer on a certificate, if it may be believed.
fn judge(
    bytes: &[u8],
    question: &Question,
    authority: &[u8],
    oldest: Oldest,
    now: Timestamp,
) -> Result<Remembered, NoAnswer> {
    let id = &question.id;
    let response = OcspResponse::from_der(bytes).map_err(|_| NoAnswer::None)?;
    let content = response
        .response_bytes
        .filter(|content| content.response_type == BASIC)
        .ok_or(NoAnswer::None)?;
    if response.response_status != OcspResponseStatus::Successful {
        return Err(NoAnswer::None);
    }
    let basic = BasicOcspResponse::from_der(content.response.as_bytes()).map_err(|_| NoAnswer::None)?;
    if !is_signed(&basic, authority, now) {
        return Err(NoAnswer::Foreign);
    }
    // Answers made beforehand have no nonce. An answer with one was made for a question, and is not to be
    // shown again for another.
    let mut extensions = basic.tbs_response_data.response_extensions.iter().flatten();
    if extensions
        .any(|extension| extension.extn_id == NONCE && extension.extn_value != question.nonce.extn_value)
    {
        return Err(NoAnswer::Nonce);
    }
    let same = |found: &CertId| {
        found.hash_algorithm.oid == id.hash_algorithm.oid
            && (
                &found.issuer_name_hash,
                &found.issuer_key_hash,
                &found.serial_number,
            ) == (&id.issuer_name_hash, &id.issuer_key_hash, &id.serial_number)
    };
    let single = basic
        .tbs_response_data
        .responses
        .iter()
        .find(|single| same(&single.cert_id))
        .ok_or(NoAnswer::Other)?;
    let (until, oldest) = times(single, authority, oldest, now)?;
    let now = now.as_second();
    let revoked = match single.cert_status {
        CertStatus::Good(_) => Some(false),
        CertStatus::Revoked(_) => Some(true),
        CertStatus::Unknown(_) => None,
    };
    Ok(Remembered {
        revoked,
        until: until
            .min(oldest)
            .min(now + if revoked.is_some() { LONGEST } else { PAUSE }),
    })
}

/// The second until which an answer counts, and the one from which it is too old. An answer that does not
/// count now is refused.
fn times(
    single: &SingleResponse,
    authority: &[u8],
    oldest: Oldest,
    now: Timestamp,
) -> Result<(i64, i64), NoAnswer> {
    let second =
        |time: &OcspGeneralizedTime| i64::try_from(time.0.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    let (now, from) = (now.as_second(), second(&single.this_update));
    // Without nextUpdate newer information is available at any time: the answer counts as of thisUpdate.
    let until = single
        .next_update
        .as_ref()
        .map_or(from.saturating_add(LONGEST), second);
    // From then on it is too old, though it is kept.
    let oldest = from.saturating_add(oldest.0);
    // An authority out of its time says nothing of others.
    let (_, signer) = X509Certificate::from_der(authority).map_err(|_| NoAnswer::Foreign)?;
    let (until, from) = (
        until.min(signer.validity().not_after.timestamp()),
        from.max(signer.validity().not_before.timestamp()),
    );
    if from > now.saturating_add(SKEW) || until < now {
        return Err(NoAnswer::Stale);
    }
    if oldest < now {
        return Err(NoAnswer::Old);
    }
    Ok((until, oldest))
}

/// Whether an answer is signed by the authority, or by a delegate certified for that.
fn is_signed(basic: &BasicOcspResponse, authority: &[u8], now: Timestamp) -> bool {
    let (Ok((_, authority)), Ok(message)) = (
        X509Certificate::from_der(authority),
        basic.tbs_response_data.to_der(),
    ) else {
        return false;
    };
    let algorithm = basic.signature_algorithm.oid.to_string();
    let signed_with =
        |key: &[u8]| signature::signed_by(key, &algorithm, &message, basic.signature.raw_bytes());
    if signed_with(authority.public_key().raw) {
        return true;
    }
    if basic
        .certs
        .as_ref()
        .is_some_and(|certificates| certificates.len() > MOST_CERTIFICATES)
    {
        return false;
    }
    let ders = basic
        .certs
        .iter()
        .flatten()
        .filter_map(|certificate| certificate.to_der().ok());
    ders.into_iter().any(|der| {
        let Ok((_, delegate)) = X509Certificate::from_der(&der) else {
            return false;
        };
        let for_this = delegate
            .extended_key_usage()
            .ok()
            .flatten()
            .is_some_and(|usage| usage.value.ocsp_signing);
        let validity = delegate.validity();
        let in_time =
            (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now.as_second());
        let of_authority = delegate.issuer().as_raw() == authority.subject().as_raw();
        for_this
            && in_time
            && of_authority
            && signature::verifies(&delegate, authority.public_key().raw)
            && signed_with(delegate.public_key().raw)
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, SigningKey as _};
    use x509_cert::der::asn1::{BitString, GeneralizedTime};
    use x509_ocsp::{ResponderId, ResponseBytes, ResponseData, SingleResponse};

    use super::*;
    use crate::commands::pki::offset;

    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    const SERIAL: &[u8] = &[0x41, 2, 3];

    struct Authority {
        key: KeyPair,
        der: CertificateDer<'static>,
    }

    impl Authority {
        fn new(now: Timestamp) -> Self {
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, "Autorità");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            (params.not_before, params.not_after) =
                (offset(now, -30 * DAY).unwrap(), offset(now, 30 * DAY).unwrap());
            let key = KeyPair::generate().unwrap();
            Self {
                der: params.self_signed(&key).unwrap().der().clone(),
                key,
            }
        }

        fn responders(&self) -> Responders {
            Responders::new(
                vec![(self.der.clone(), "http://localhost/".to_owned())],
                Oldest::hours(24),
            )
            .unwrap()
        }

        /// A good answer, with this `thisUpdate`, `nextUpdate` and nonce.
        fn answer(
            &self,
            id: &CertId,
            this_update: i64,
            next_update: Option<i64>,
            nonce: Option<Extension>,
        ) -> Vec<u8> {
            self.sealed(id, (this_update, next_update), nonce, &self.key, None)
        }

        /// The same, signed with any key, with certificates.
        fn sealed(
            &self,
            id: &CertId,
            (this_update, next_update): (i64, Option<i64>),
            nonce: Option<Extension>,
            key: &KeyPair,
            certs: Option<Vec<x509_cert::Certificate>>,
        ) -> Vec<u8> {
            let time = |second: i64| {
                let since = Duration::from_secs(second.unsigned_abs());
                OcspGeneralizedTime(GeneralizedTime::from_unix_duration(since).unwrap())
            };
            let single = SingleResponse {
                cert_id: id.clone(),
                cert_status: CertStatus::good(),
                this_update: time(this_update),
                next_update: next_update.map(time),
                single_extensions: None,
            };
            let tbs_response_data = ResponseData {
                version: Version::V1,
                responder_id: ResponderId::ByKey(OctetString::new([7; 20]).unwrap()),
                produced_at: time(this_update),
                responses: vec![single],
                response_extensions: nonce.map(|nonce| vec![nonce]),
            };
            let signature = key.sign(&tbs_response_data.to_der().unwrap()).unwrap();
            let basic = BasicOcspResponse {
                tbs_response_data,
                signature_algorithm: AlgorithmIdentifierOwned {
                    oid: ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
                    parameters: None,
                },
                signature: BitString::from_bytes(&signature).unwrap(),
                certs,
            };
            let response = OctetString::new(basic.to_der().unwrap()).unwrap();
            let response_bytes = Some(ResponseBytes {
                response_type: BASIC,
                response,
            });
            OcspResponse {
                response_status: OcspResponseStatus::Successful,
                response_bytes,
            }
            .to_der()
            .unwrap()
        }

        /// A certificate of this authority for a key allowed to sign answers.
        fn delegate(&self, now: Timestamp, key: &KeyPair) -> x509_cert::Certificate {
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::OcspSigning];
            (params.not_before, params.not_after) = (offset(now, -DAY).unwrap(), offset(now, DAY).unwrap());
            let issuer = rcgen::Issuer::from_ca_cert_der(&self.der, &self.key).unwrap();
            x509_cert::Certificate::from_der(params.signed_by(key, &issuer).unwrap().der()).unwrap()
        }

        fn id(&self) -> CertId {
            self.responders()
                .by_issuer
                .values()
                .next()
                .unwrap()
                .id(SERIAL)
                .unwrap()
        }
    }

    #[test]
    fn an_answer_may_have_been_made_before_but_not_longer_ago_than_is_allowed() {
        let now = Clock::system().now();
        let (authority, second) = (Authority::new(now), now.as_second());
        let question = Question {
            id: authority.id(),
            nonce: nonce().unwrap(),
        };
        let judged = |from: i64, until: Option<i64>, hours: u32| {
            let answer = authority.answer(
                &question.id,
                second + from,
                until.map(|until| second + until),
                None,
            );
            judge(&answer, &question, &authority.der, Oldest::hours(hours), now)
                .map(|known| (known.revoked, known.until - second))
        };
        // For an hour, whatever it says; less where it ends sooner.
        assert_eq!(judged(-60, Some(DAY), 24), Ok((Some(false), HOUR)));
        assert_eq!(judged(-60, Some(600), 24), Ok((Some(false), 600)));
        assert_eq!(judged(-60, None, 24), Ok((Some(false), HOUR - 60)));
        // Made six days ago, good until tomorrow.
        assert_eq!(judged(-6 * DAY, Some(DAY), 24), Err(NoAnswer::Old));
        assert_eq!(judged(-6 * DAY, Some(DAY), 7 * 24), Ok((Some(false), HOUR)));
        // The limit holds to the second, and for a kept answer too.
        assert_eq!(judged(-DAY - 1, Some(DAY), 24), Err(NoAnswer::Old));
        assert_eq!(judged(-DAY, Some(DAY), 24), Ok((Some(false), 0)));
        assert_eq!(judged(600 - DAY, Some(DAY), 24), Ok((Some(false), 600)));
        assert_eq!(
            (judged(-DAY, Some(-1), 48), judged(SKEW + 1, Some(DAY), 48)),
            (Err(NoAnswer::Stale), Err(NoAnswer::Stale))
        );
    }

    #[test]
    fn an_answer_to_another_question_is_refused() {
        let now = Clock::system().now();
        let (authority, second) = (Authority::new(now), now.as_second());
        let question = Question {
            id: authority.id(),
            nonce: nonce().unwrap(),
        };
        let judged = |nonce: Option<Extension>| {
            let answer = authority.answer(&question.id, second - 60, Some(second + DAY), nonce);
            judge(&answer, &question, &authority.der, Oldest::hours(24), now).map(|known| known.revoked)
        };
        let other = nonce().unwrap();
        assert_ne!(other, question.nonce, "a nonce is there once");
        assert_eq!(question.nonce.extn_value.as_bytes().len(), 2 + NONCE_BYTES);
        assert_eq!(judged(None), Ok(Some(false)));
        assert_eq!(judged(Some(question.nonce.clone())), Ok(Some(false)));
        let empty = Extension {
            extn_value: OctetString::new([]).unwrap(),
            ..other.clone()
        };
        assert_eq!(
            (judged(Some(other)), judged(Some(empty))),
            (Err(NoAnswer::Nonce), Err(NoAnswer::Nonce))
        );
    }

    #[test]
    fn an_answer_with_more_certificates_than_are_looked_at_is_refused() {
        let now = Clock::system().now();
        let (authority, second) = (Authority::new(now), now.as_second());
        let question = Question {
            id: authority.id(),
            nonce: nonce().unwrap(),
        };
        let keys: Vec<KeyPair> = (0..=MOST_CERTIFICATES)
            .map(|_| KeyPair::generate().unwrap())
            .collect();
        let all: Vec<_> = keys.iter().map(|key| authority.delegate(now, key)).collect();
        let judged = |certificates: &[x509_cert::Certificate], key: &KeyPair| {
            let times = (second - 60, Some(second + DAY));
            let answer = authority.sealed(&question.id, times, None, key, Some(certificates.to_vec()));
            judge(&answer, &question, &authority.der, Oldest::hours(24), now).map(|known| known.revoked)
        };
        let (few, last) = (&all[..MOST_CERTIFICATES], &keys[MOST_CERTIFICATES - 1]);
        assert_eq!(
            (judged(few, last), judged(&all, last)),
            (Ok(Some(false)), Err(NoAnswer::Foreign))
        );
        assert_eq!(
            judged(&all, &authority.key),
            Ok(Some(false)),
            "the authority's own needs none of them"
        );
    }

    #[test]
    fn a_responder_answers_for_one_key() {
        let now = Clock::system().now();
        let (one, other) = (Authority::new(now), Authority::new(now));
        let issuer =
            |authority: &Authority| Issuer::of(&X509Certificate::from_der(&authority.der).unwrap().1);
        let responders = one.responders();
        let known = Remembered {
            revoked: Some(false),
            until: i64::MAX,
        };
        responders
            .by_issuer
            .values()
            .for_each(|responder| responder.note(SERIAL, known, &Clock::system()));
        assert!(responders.check(&issuer(&one), SERIAL, now.as_second()).is_ok());
        assert_eq!(issuer(&one).name, issuer(&other).name);
        assert!(responders.knows(&issuer(&one)) && !responders.knows(&issuer(&other)));
        assert_eq!(
            responders.check(&issuer(&other), SERIAL, now.as_second()),
            Err(Invalid::StatusUnknown)
        );
        let both = [&one, &other].map(|authority| (authority.der.clone(), "http://localhost/".to_owned()));
        assert!(
            Responders::new(both.to_vec(), Oldest::hours(24)).is_ok(),
            "each has its own"
        );
        assert!(Responders::new(vec![both[0].clone(), both[0].clone()], Oldest::hours(24)).is_err());
    }
}
