//! The path from a client's certificate to a configured authority: found once in a handshake, and verified
//! once.
//!
//! A client sends any certificates it likes, so each step is bounded before it is taken. The search follows
//! names, and only through issuers with something good at hand: a list without the certificate below, or a
//! responder to ask. Each path found goes to webpki, alone and with its one anchor. webpki's signature
//! verifications are counted (`signature::Verifications`), and good ones remembered for later handshakes. The
//! first path accepted by webpki, the profile and the lengths becomes the [`Peer`].

use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::{CertificateError, OtherError};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::TlsError;
use super::authorities::{Authorities, Issuer};
use super::peer::{Link, Peer};
use super::profile::{self, Unfit};
use super::revocation::Revocations;
use super::signature::{GoodSignatures, Verifications};
use super::validity::{Invalid, trimmed};

/// The most certificates of one client: its own, six authorities (webpki's limit), and a root sent along.
pub const MOST_CERTIFICATES: usize = 8;
/// Their bytes in all: eight of RSA 4096 need as many. Reading them costs up to 350 instructions a byte.
pub const MOST_BYTES: usize = 16 * 1024;
/// The most extensions of one certificate. RFC 5280 has sixteen.
const MOST_EXTENSIONS: usize = 64;
/// The most paths handed to webpki. Honest clients need one or two: an authority changes its key, or two
/// certify each other.
const MOST_PATHS: usize = 12;
/// The most steps of the search from a certificate to one above it.
const MOST_STEPS: usize = 64;
/// The most comparisons of a client's names with constraints of the authorities above it.
const MOST_COMPARISONS: usize = 4096;

/// Judges clients' certificates by the authorities and the revocation lists of one setup.
#[derive(Debug)]
pub struct PathJudge {
    anchors: Vec<Anchor>,
    revocations: Revocations,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    /// Signatures found good under this setup.
    good: GoodSignatures,
}

/// A configured authority: the end of a path.
#[derive(Debug)]
struct Anchor {
    trust: TrustAnchor<'static>,
    issuer: Issuer,
    /// The number of authorities allowed under it. `None`: no limit. Of two anchors with one name the
    /// stricter counts.
    length: Option<usize>,
}

impl Anchor {
    fn read(der: &CertificateDer<'static>) -> Result<Self, TlsError> {
        let wrong = || TlsError::Rustls(CertificateError::BadEncoding.into());
        let trust = webpki::anchor_from_trusted_cert(der)
            .map_err(|error| TlsError::Rustls(refused(error).into()))?
            .to_owned();
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| wrong())?;
        let length = certificate
            .basic_constraints()
            .ok()
            .flatten()
            .and_then(|basic| basic.value.path_len_constraint);
        let length = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        Ok(Self {
            trust,
            issuer: Issuer::of(&certificate),
            length,
        })
    }
}

impl PathJudge {
    /// With the authorities, their lists, and the algorithms of the cryptography provider.
    pub fn new(
        authorities: &Authorities,
        revocations: Revocations,
        algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    ) -> Result<Self, TlsError> {
        let mut anchors: Vec<Anchor> = authorities
            .all()
            .iter()
            .map(Anchor::read)
            .collect::<Result<_, _>>()?;
        let lengths: Vec<_> = anchors
            .iter()
            .map(|anchor| (anchor.issuer.name.clone(), anchor.length))
            .collect();
        for anchor in &mut anchors {
            anchor.length = lengths
                .iter()
                .filter(|(name, _)| *name == anchor.issuer.name)
                .filter_map(|(_, length)| *length)
                .min();
        }
        Ok(Self {
            anchors,
            revocations,
            algorithms,
            good: GoodSignatures::default(),
        })
    }

    /// Judges the certificates of a client, its own first.
    pub fn judge(&self, presented: &[CertificateDer<'_>], now: UnixTime) -> Result<Peer, CertificateError> {
        self.find(presented, now, profile::check_own)
    }

    /// Judges the path alone, without the profile of the client's own certificate: as others' suites do.
    #[cfg(any(test, feature = "memory"))]
    pub fn judge_path(
        &self,
        presented: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Peer, CertificateError> {
        self.find(presented, now, |_| Ok(()))
    }

    fn find(
        &self,
        presented: &[CertificateDer<'_>],
        now: UnixTime,
        check: fn(&X509Certificate<'_>) -> Result<(), Unfit>,
    ) -> Result<Peer, CertificateError> {
        if presented.len() > MOST_CERTIFICATES
            || presented.iter().map(|der| der.len()).sum::<usize>() > MOST_BYTES
        {
            return Err(unfit(Unfit::Bulk));
        }
        let (own, above) = presented.split_first().ok_or(CertificateError::BadEncoding)?;
        let own_for_webpki = EndEntityCert::try_from(own).map_err(refused)?;
        let own = read(own)?;
        let mut authorities = above.iter().map(Authority::read).collect::<Result<Vec<_>, _>>()?;
        self.keep_leading(&mut authorities);
        let mut search = PathSearch {
            judge: self,
            own: &own,
            own_for_webpki: &own_for_webpki,
            authorities: &authorities,
            verifications: Verifications::new(&self.good),
            now,
            paths: 0,
            steps: 0,
            worst: CertificateError::UnknownIssuer,
        };
        let Some((path, anchor)) = search.above(&mut Vec::new()) else {
            return Err(search.worst);
        };
        // webpki has read it to its last byte.
        check(&own).map_err(unfit)?;
        let issuers = path
            .iter()
            .map(|authority| &authority.issuer)
            .chain([&anchor.issuer]);
        let certificates = [&own]
            .into_iter()
            .chain(path.iter().map(|authority| &authority.certificate));
        let chain = certificates
            .zip(issuers)
            .map(|(certificate, issuer)| Link::new(certificate, issuer.clone()))
            .collect();
        Peer::new(&own, presented, chain).map_err(|_| unfit(Unfit::Names))
    }

    /// Drops certificates without a chain of names to an anchor, anchors themselves, and duplicates.
    fn keep_leading(&self, authorities: &mut Vec<Authority<'_>>) {
        authorities.retain(|authority| {
            !self
                .anchors
                .iter()
                .any(|anchor| anchor.issuer == authority.issuer)
        });
        let mut names: Vec<&[u8]> = self
            .anchors
            .iter()
            .map(|anchor| anchor.issuer.name.as_slice())
            .collect();
        let mut leads = vec![false; authorities.len()];
        while let Some(next) = (0..leads.len())
            .find(|at| !leads[*at] && names.contains(&authorities[*at].certificate.issuer().as_raw()))
        {
            leads[next] = true;
            names.push(authorities[next].certificate.subject().as_raw());
        }
        let mut leads = leads.into_iter();
        authorities.retain(|_| leads.next().unwrap_or_default());
        let mut seen: Vec<&[u8]> = Vec::new();
        authorities.retain(|authority| {
            let new = !seen.contains(&authority.der);
            seen.push(authority.der);
            new
        });
    }
}

/// A certificate sent along by a client with its own.
struct Authority<'a> {
    der: &'a [u8],
    certificate: X509Certificate<'a>,
    issuer: Issuer,
}

impl<'a> Authority<'a> {
    fn read(der: &'a CertificateDer<'_>) -> Result<Self, CertificateError> {
        let certificate = read(der)?;
        Ok(Self {
            der,
            issuer: Issuer::of(&certificate),
            certificate,
        })
    }
}

/// A search for a path, from the client's certificate upwards.
struct PathSearch<'s> {
    judge: &'s PathJudge,
    own: &'s X509Certificate<'s>,
    own_for_webpki: &'s EndEntityCert<'s>,
    authorities: &'s [Authority<'s>],
    verifications: Verifications<'s>,
    now: UnixTime,
    paths: usize,
    steps: usize,
    /// Why there is no path, as far as is known: the most telling reason.
    worst: CertificateError,
}

type FoundPath<'s> = (Vec<&'s Authority<'s>>, &'s Anchor);

impl<'s> PathSearch<'s> {
    /// The first good path that goes on from `path`, the authorities so far above the client's certificate.
    fn above(&mut self, path: &mut Vec<&'s Authority<'s>>) -> Option<FoundPath<'s>> {
        let below = path.last().map_or(self.own, |authority| &authority.certificate);
        let (name, serial) = (below.issuer().as_raw(), trimmed(below.raw_serial()));
        for anchor in self
            .judge
            .anchors
            .iter()
            .filter(|anchor| anchor.issuer.name == name)
        {
            if self.goes_on(&anchor.issuer, &serial) && self.tried(path, anchor) {
                return Some((path.clone(), anchor));
            }
        }
        for authority in self
            .authorities
            .iter()
            .filter(|authority| authority.issuer.name == name)
        {
            let known = path.iter().any(|known| known.issuer == authority.issuer);
            if !known && self.goes_on(&authority.issuer, &serial) {
                path.push(authority);
                if let Some(found) = self.above(path) {
                    return Some(found);
                }
                path.pop();
            }
        }
        None
    }

    /// Whether there is room for a step to an issuer, and nothing bad at hand about the certificate below it.
    fn goes_on(&mut self, issuer: &Issuer, serial: &[u8]) -> bool {
        self.steps += 1;
        let second = i64::try_from(self.now.as_secs()).unwrap_or(i64::MAX);
        match self.judge.revocations.at_hand(issuer, serial, second) {
            Ok(()) => self.steps <= MOST_STEPS,
            Err(Invalid::Revoked) => self.note(CertificateError::Revoked),
            Err(_) => self.note(CertificateError::UnknownRevocationStatus),
        }
    }

    /// Whether a path is good as a whole.
    fn tried(&mut self, path: &[&'s Authority<'s>], anchor: &Anchor) -> bool {
        self.paths += 1;
        match self.verify(path, anchor) {
            Ok(()) => self.paths <= MOST_PATHS,
            Err(error) => self.note(error),
        }
    }

    fn verify(&self, path: &[&Authority<'_>], anchor: &Anchor) -> Result<(), CertificateError> {
        if self.paths > MOST_PATHS || comparisons(self.own, path) > MOST_COMPARISONS {
            return Err(unfit(Unfit::Bulk));
        }
        let between: Vec<_> = path
            .iter()
            .map(|authority| CertificateDer::from(authority.der))
            .collect();
        let counted: Vec<_> = self
            .judge
            .algorithms
            .iter()
            .map(|algorithm| self.verifications.counting(*algorithm))
            .collect();
        let algorithms: Vec<_> = counted
            .iter()
            .map(|algorithm| algorithm as &dyn SignatureVerificationAlgorithm)
            .collect();
        let anchors = std::slice::from_ref(&anchor.trust);
        self.own_for_webpki
            .verify_for_usage(
                &algorithms,
                anchors,
                &between,
                self.now,
                KeyUsage::client_auth(),
                None,
                None,
            )
            .map_err(refused)?;
        path.iter()
            .try_for_each(|authority| profile::check_authority(&authority.certificate))
            .map_err(unfit)?;
        // webpki has no length for anchors.
        if anchor.length.is_some_and(|length| path.len() > length) {
            Err(unfit(Unfit::Length))
        } else {
            Ok(())
        }
    }

    /// Keeps the more telling reason. Always `false`: there is no path.
    fn note(&mut self, error: CertificateError) -> bool {
        if rank(&error) < rank(&self.worst) {
            self.worst = error;
        }
        false
    }
}

/// The more telling, the lower.
fn rank(error: &CertificateError) -> u8 {
    match error {
        CertificateError::Revoked => 0,
        CertificateError::UnknownRevocationStatus => 1,
        CertificateError::BadSignature => 3,
        CertificateError::UnknownIssuer => 4,
        _ => 2,
    }
}

/// The most comparisons of names with constraints webpki would make for a path.
fn comparisons(own: &X509Certificate<'_>, path: &[&Authority<'_>]) -> usize {
    let names = |certificate: &X509Certificate<'_>| {
        let alternative = certificate.subject_alternative_name().ok().flatten();
        1 + alternative.map_or(0, |names| names.value.general_names.len())
    };
    let constraints = |certificate: &X509Certificate<'_>| {
        let constraints = certificate.name_constraints().ok().flatten();
        let subtrees =
            constraints.map(|both| [&both.value.permitted_subtrees, &both.value.excluded_subtrees]);
        subtrees
            .into_iter()
            .flatten()
            .flatten()
            .map(Vec::len)
            .sum::<usize>()
    };
    let above: usize = path
        .iter()
        .map(|authority| constraints(&authority.certificate))
        .sum();
    let below: usize = names(own)
        + path
            .iter()
            .map(|authority| names(&authority.certificate))
            .sum::<usize>();
    above.saturating_mul(below)
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)?;
    if certificate.extensions().len() > MOST_EXTENSIONS {
        Err(unfit(Unfit::Bulk))
    } else {
        Ok(certificate)
    }
}

fn unfit(unfit: Unfit) -> CertificateError {
    match unfit {
        Unfit::Usage | Unfit::Authority => CertificateError::InvalidPurpose,
        unfit => CertificateError::Other(OtherError(std::sync::Arc::new(unfit))),
    }
}

/// webpki's reasons in rustls' words, as rustls itself has them for its alerts.
fn refused(error: webpki::Error) -> CertificateError {
    use webpki::Error as Because;
    match error {
        Because::BadDer | Because::BadDerTime | Because::TrailingData(_) => CertificateError::BadEncoding,
        Because::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        Because::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        Because::InvalidCertValidity => CertificateError::Expired,
        Because::UnknownIssuer => CertificateError::UnknownIssuer,
        Because::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Because::UnsupportedSignatureAlgorithmContext(context) => {
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: context.signature_algorithm_id,
                supported_algorithms: context.supported_algorithms,
            }
        }
        Because::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: context.signature_algorithm_id,
                public_key_algorithm_id: context.public_key_algorithm_id,
            }
        }
        Because::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        error => CertificateError::Other(OtherError(std::sync::Arc::new(error))),
    }
}
