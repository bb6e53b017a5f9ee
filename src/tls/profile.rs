//! What a client's certificate must be like, beyond a valid chain (ModI, ID_AUTH_CHANNEL_02; CAB Forum's minimum sizes).

use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Cannot be read, or has bytes after its end.
    #[error("cannot be read")]
    Unreadable,
    /// Not version 3.
    #[error("not version 3")]
    Version,
    /// No extended key usage that allows clientAuth.
    #[error("not for client authentication")]
    Usage,
    /// It is a CA's.
    #[error("a CA's certificate")]
    Authority,
    /// RSA under 2048 bits, a curve other than P-256, P-384, P-521, another algorithm.
    #[error("key too small or of another kind")]
    Key,
    /// Signed with something other than SHA-2 or Ed25519.
    #[error("signature algorithm")]
    Signature,
}

const SIGNATURES: [&str; 8] = [
    "1.2.840.113549.1.1.11", // sha256WithRSAEncryption
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.2.840.113549.1.1.10", // RSASSA-PSS: the verifier takes SHA-2 alone
    "1.2.840.10045.4.3.2",   // ecdsa-with-SHA256
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    "1.3.101.112", // Ed25519
];

/// Judges a client's own certificate.
pub fn check(der: &[u8]) -> Result<(), Unfit> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Unfit::Unreadable)?;
    if !rest.is_empty() {
        return Err(Unfit::Unreadable);
    }
    if certificate.version().0 != 2 {
        return Err(Unfit::Version);
    }
    let usage = certificate.extended_key_usage().map_err(|_| Unfit::Unreadable)?;
    if !usage.is_some_and(|usage| usage.value.client_auth) {
        return Err(Unfit::Usage);
    }
    if certificate.basic_constraints().map_err(|_| Unfit::Unreadable)?.is_some_and(|basic| basic.value.ca) {
        return Err(Unfit::Authority);
    }
    if !SIGNATURES.contains(&certificate.signature_algorithm.algorithm.to_id_string().as_str()) {
        return Err(Unfit::Signature);
    }
    match certificate.public_key().parsed().map_err(|_| Unfit::Key)? {
        PublicKey::RSA(key) if key.key_size() >= 2048 => Ok(()),
        PublicKey::EC(point) if matches!(point.key_size(), 256 | 384 | 521 | 528) => Ok(()),
        PublicKey::Unknown(_) if certificate.public_key().algorithm.algorithm.to_id_string() == "1.3.101.112" => Ok(()),
        _ => Err(Unfit::Key),
    }
}
