//! Signatures of authorities on lists and certificates: SHA-2 with RSA and ECDSA, and Ed25519. Limits the
//! number of verifications in one handshake, and makes none again that came out well.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm};
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::digest::sha256_of;

/// The most signatures verified in the search for one client's path. A chain of six authorities has seven.
const MOST: usize = 8;

/// The most good signatures remembered: 32 bytes each.
const REMEMBERED: usize = 4096;

/// The longest certificate with a remembered signature, bytes. Honest ones are shorter: to digest a long one
/// would only be work.
const LONGEST: usize = 4096;

/// Good signatures on certificates, the latest [`REMEMBERED`]: each the digest of algorithm, key, message and
/// signature. That a key made a signature never changes, and nothing else is remembered: dates, fitness and
/// revocation are judged in every handshake.
#[derive(Debug, Default)]
pub(super) struct GoodSignatures(Mutex<LatestGood>);

#[derive(Debug, Default)]
struct LatestGood {
    known: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl GoodSignatures {
    fn has(&self, signature: &[u8; 32]) -> bool {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.known.contains(signature)
    }

    fn remember(&self, signature: [u8; 32]) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !latest.known.insert(signature) {
            return;
        }
        latest.order.push_back(signature);
        if latest.order.len() > REMEMBERED
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.known.remove(&oldest);
        }
    }
}

/// The signature verifications of one search: none is made twice, and [`MOST`] in all, those remembered
/// included. Past them no other signature is good.
#[derive(Debug)]
pub(super) struct Verifications<'g> {
    made: Mutex<Vec<Verification>>,
    good: &'g GoodSignatures,
}

/// A verification, with its result.
#[derive(Debug)]
struct Verification {
    algorithm: AlgorithmIdentifier,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    good: bool,
}

impl<'g> Verifications<'g> {
    /// None yet.
    pub(super) fn new(good: &'g GoodSignatures) -> Self {
        Self {
            made: Mutex::default(),
            good,
        }
    }

    /// The same algorithm, with its verifications counted here.
    pub(super) fn counting(&self, algorithm: &'static dyn SignatureVerificationAlgorithm) -> Counting<'_> {
        Counting {
            algorithm,
            made: self,
        }
    }
}

/// An algorithm with counted verifications.
#[derive(Debug)]
pub(super) struct Counting<'v> {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    made: &'v Verifications<'v>,
}

impl Counting<'_> {
    /// Verifies a signature, unless it is known to be good.
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if message.len() > LONGEST {
            return self.algorithm.verify_signature(key, message, signature);
        }
        let length = |bytes: &[u8]| bytes.len().to_le_bytes();
        let digest = sha256_of(&[
            self.algorithm.signature_alg_id().as_ref(),
            self.algorithm.public_key_alg_id().as_ref(),
            &length(key),
            key,
            &length(message),
            message,
            signature,
        ]);
        if self.made.good.has(&digest) {
            return Ok(());
        }
        self.algorithm.verify_signature(key, message, signature)?;
        self.made.good.remember(digest);
        Ok(())
    }
}

impl SignatureVerificationAlgorithm for Counting<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let mut made = self.made.made.lock().unwrap_or_else(PoisonError::into_inner);
        let algorithm = self.algorithm.signature_alg_id();
        let same = |known: &&Verification| {
            known.algorithm == algorithm
                && known.key == key
                && known.message == message
                && known.signature == signature
        };
        if let Some(known) = made.iter().find(same) {
            return if known.good { Ok(()) } else { Err(InvalidSignature) };
        }
        if made.len() == MOST {
            return Err(InvalidSignature);
        }
        let verified = self.verify(key, message, signature);
        let (key, message, signature) = (key.to_vec(), message.to_vec(), signature.to_vec());
        made.push(Verification {
            algorithm,
            key,
            message,
            signature,
            good: verified.is_ok(),
        });
        verified
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.algorithm.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.algorithm.fips()
    }
}

/// Whether a key (SubjectPublicKeyInfo, DER) signed a certificate.
pub(super) fn verifies(certificate: &X509Certificate<'_>, key: &[u8]) -> bool {
    let algorithm = &certificate.signature_algorithm.algorithm.to_id_string();
    signed_by(
        key,
        algorithm,
        certificate.tbs_certificate.as_ref(),
        &certificate.signature_value.data,
    )
}

/// Whether a key (SubjectPublicKeyInfo, DER) made a signature, by the algorithm `oid`.
pub(super) fn signed_by(key: &[u8], oid: &str, message: &[u8], signature: &[u8]) -> bool {
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else {
        return false;
    };
    let Some(algorithm) = algorithm(oid, &key) else {
        return false;
    };
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
        .verify(message, signature)
        .is_ok()
}

fn algorithm(oid: &str, key: &SubjectPublicKeyInfo<'_>) -> Option<&'static dyn VerificationAlgorithm> {
    let curve = match key.parsed().ok()? {
        PublicKey::EC(point) => point.key_size(),
        _ => 0,
    };
    Some(match (oid, curve) {
        ("1.2.840.113549.1.1.11", _) => &signature::RSA_PKCS1_2048_8192_SHA256,
        ("1.2.840.113549.1.1.12", _) => &signature::RSA_PKCS1_2048_8192_SHA384,
        ("1.2.840.113549.1.1.13", _) => &signature::RSA_PKCS1_2048_8192_SHA512,
        ("1.2.840.10045.4.3.2", 256) => &signature::ECDSA_P256_SHA256_ASN1,
        ("1.2.840.10045.4.3.2", 384) => &signature::ECDSA_P384_SHA256_ASN1,
        ("1.2.840.10045.4.3.3", 256) => &signature::ECDSA_P256_SHA384_ASN1,
        ("1.2.840.10045.4.3.3", 384) => &signature::ECDSA_P384_SHA384_ASN1,
        ("1.2.840.10045.4.3.4", 521 | 528) => &signature::ECDSA_P521_SHA512_ASN1,
        ("1.3.101.112", _) => &signature::ED25519,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustls::pki_types::alg_id;

    use super::*;

    static MADE: AtomicUsize = AtomicUsize::new(0);

    /// Takes a signature for good if it equals the message.
    #[derive(Debug)]
    struct Echo;

    impl SignatureVerificationAlgorithm for Echo {
        fn verify_signature(
            &self,
            _: &[u8],
            message: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            MADE.fetch_add(1, Ordering::Relaxed);
            if message == signature {
                Ok(())
            } else {
                Err(InvalidSignature)
            }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ED25519
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ED25519
        }
    }

    #[test]
    fn a_signature_is_verified_once_and_no_more_than_eight_are() {
        let good = GoodSignatures::default();
        let verifications = Verifications::new(&good);
        let is_good = |message: &[u8], signature: &[u8]| {
            verifications
                .counting(&Echo)
                .verify_signature(b"key", message, signature)
                .is_ok()
        };
        for _ in 0..3 {
            assert!(is_good(b"a", b"a") && !is_good(b"a", b"b") && !is_good(b"b", b"a"));
            assert_eq!(MADE.load(Ordering::Relaxed), 3);
        }
        for message in 3..12_u8 {
            assert_eq!(is_good(&[message], &[message]), usize::from(message) < MOST);
        }
        assert_eq!(MADE.load(Ordering::Relaxed), MOST);
        assert!(
            is_good(b"a", b"a") && !is_good(b"a", b"b"),
            "what is known stays known"
        );
    }

    /// Counted for itself: its messages are not those of other tests.
    #[test]
    fn a_good_signature_is_remembered_and_a_bad_one_is_not() {
        static MADE: AtomicUsize = AtomicUsize::new(0);

        #[derive(Debug)]
        struct Counted;

        impl SignatureVerificationAlgorithm for Counted {
            fn verify_signature(
                &self,
                _: &[u8],
                message: &[u8],
                sign: &[u8],
            ) -> Result<(), InvalidSignature> {
                MADE.fetch_add(1, Ordering::Relaxed);
                (message == sign).then_some(()).ok_or(InvalidSignature)
            }

            fn public_key_alg_id(&self) -> AlgorithmIdentifier {
                alg_id::ED25519
            }

            fn signature_alg_id(&self) -> AlgorithmIdentifier {
                alg_id::ED25519
            }
        }

        let good = GoodSignatures::default();
        let made = |key: &[u8], message: &[u8], signature: &[u8]| {
            let before = MADE.load(Ordering::Relaxed);
            let search = Verifications::new(&good);
            let verified = search
                .counting(&Counted)
                .verify_signature(key, message, signature);
            (verified.is_ok(), MADE.load(Ordering::Relaxed) - before)
        };
        assert_eq!(made(b"key", b"abc", b"abc"), (true, 1));
        assert_eq!(made(b"key", b"abc", b"abc"), (true, 0));
        let long = [7; LONGEST + 1];
        for _ in 0..2 {
            assert_eq!(made(b"key", &long, &long), (true, 1), "a long one");
        }
        // Every byte counts, and where each part ends.
        assert_eq!(made(b"kez", b"abc", b"abc"), (true, 1));
        assert_eq!(made(b"ke", b"yabc", b"abc"), (false, 1));
        assert_eq!(made(b"keya", b"bc", b"abc"), (false, 1));
        assert_eq!(made(b"key", b"ab", b"cabc"), (false, 1));
        for _ in 0..2 {
            assert_eq!(made(b"key", b"abd", b"abc"), (false, 1));
        }
        for number in 0..REMEMBERED {
            let message = number.to_le_bytes();
            assert_eq!(made(b"key", &message, &message), (true, 1));
        }
        assert_eq!(
            made(b"key", b"abc", b"abc"),
            (true, 1),
            "the oldest are forgotten"
        );
        let latest = good.0.lock().unwrap();
        assert_eq!((latest.known.len(), latest.order.len()), (REMEMBERED, REMEMBERED));
    }
}
