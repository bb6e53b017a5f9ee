//! Signatures of authorities on lists and certificates: SHA-2 with RSA and ECDSA, and Ed25519.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Whether a key (SubjectPublicKeyInfo, DER) signed a certificate.
pub(super) fn verifies(certificate: &X509Certificate<'_>, key: &[u8]) -> bool {
    let algorithm = &certificate.signature_algorithm.algorithm.to_id_string();
    signed_by(key, algorithm, certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
}

/// Whether a key (SubjectPublicKeyInfo, DER) made a signature, by the algorithm that is named.
pub(super) fn signed_by(key: &[u8], oid: &str, message: &[u8], signature: &[u8]) -> bool {
    let Ok((_, key)) = SubjectPublicKeyInfo::from_der(key) else { return false };
    let Some(algorithm) = algorithm(oid, &key) else { return false };
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data).verify(message, signature).is_ok()
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
