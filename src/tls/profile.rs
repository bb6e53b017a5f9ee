//! The requirements on the certificates of a client's chain, beyond a valid chain (ModI, ID_AUTH_CHANNEL_02;
//! CAB Forum's minimum sizes).
//!
//! webpki leaves these checks to its callers: it takes any serial, does not look at key usage, and skips
//! unknown extensions without seeing whether one comes twice.

use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{OID_X509_EXT_NAME_CONSTRAINTS, OID_X509_EXT_POLICY_CONSTRAINTS};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The fault of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Cannot be read, has bytes after its end, or an extension twice.
    #[error("cannot be read")]
    Unreadable,
    /// Not an X.509 certificate of version 3.
    #[error("not version 3")]
    Version,
    /// The serial number is not a positive integer of at most 20 octets (RFC 5280, 4.1.2.2).
    #[error("serial number")]
    Serial,
    /// A client's: no extended key usage with clientAuth, or a key usage without digitalSignature. An
    /// authority's: a key usage without keyCertSign.
    #[error("not for this use")]
    Usage,
    /// A client's certificate made for a CA.
    #[error("a CA's certificate")]
    Authority,
    /// RSA under 2048 or over 8192 bits, a curve other than P-256, P-384, P-521, another algorithm.
    #[error("key too small or of another kind")]
    Key,
    /// Signed with something other than SHA-2 or Ed25519.
    #[error("signature algorithm")]
    Signature,
    /// A client's without any name (RFC 5280, 4.1.2.6), an authority's without a subject, or unreadable
    /// names.
    #[error("names")]
    Names,
    /// Constraints on policies, not judged here; on e-mail addresses, not looked for in subjects by webpki;
    /// on names, in a client's own certificate.
    #[error("constraints")]
    Constraints,
    /// More authorities than one above them allows.
    #[error("path too long")]
    Length,
    /// Over a limit on certificates, bytes, extensions, paths or comparisons of names.
    #[error("too much to look at")]
    Bulk,
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

const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

/// Judges a client's own certificate.
pub fn check(der: &[u8]) -> Result<(), Unfit> {
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| Unfit::Unreadable)?;
    if rest.is_empty() {
        check_own(&certificate)
    } else {
        Err(Unfit::Unreadable)
    }
}

/// Judges a client's own certificate, read to its last byte.
pub(super) fn check_own(certificate: &X509Certificate<'_>) -> Result<(), Unfit> {
    check_any(certificate)?;
    let extended = certificate.extended_key_usage().map_err(|_| Unfit::Unreadable)?;
    if !extended.is_some_and(|usage| usage.value.client_auth) {
        return Err(Unfit::Usage);
    }
    let usage = certificate
        .key_usage()
        .map_err(|_| Unfit::Unreadable)?
        .map(|usage| usage.value);
    let basic = certificate.basic_constraints().map_err(|_| Unfit::Unreadable)?;
    // RFC 5280, 4.2.1.9: a subject other than a CA signs no certificates and limits none.
    let basic = basic.map(|basic| basic.value);
    let authority = basic.is_some_and(|basic| basic.ca || basic.path_len_constraint.is_some());
    if authority || usage.is_some_and(|usage| usage.key_cert_sign()) {
        return Err(Unfit::Authority);
    }
    if certificate
        .get_extension_unique(&OID_X509_EXT_NAME_CONSTRAINTS)
        .is_ok_and(|names| names.is_some())
    {
        return Err(Unfit::Constraints);
    }
    // RFC 8446, 4.4.2.2: the handshake is signed.
    if usage.is_some_and(|usage| !usage.digital_signature()) {
        return Err(Unfit::Usage);
    }
    let alternative = certificate.subject_alternative_name().map_err(|_| Unfit::Names)?;
    let readable = |names: &[GeneralName<'_>]| {
        !names.is_empty() && !names.iter().any(|name| matches!(name, GeneralName::Invalid(..)))
    };
    if alternative
        .as_ref()
        .is_some_and(|names| !readable(&names.value.general_names))
    {
        return Err(Unfit::Names);
    }
    if is_nameless(certificate) && !alternative.is_some_and(|names| names.critical) {
        Err(Unfit::Names)
    } else {
        Ok(())
    }
}

/// Judges an authority's certificate, sent along by a client and read to its last byte. An anchor is not
/// judged.
pub(super) fn check_authority(certificate: &X509Certificate<'_>) -> Result<(), Unfit> {
    check_any(certificate)?;
    let usage = certificate.key_usage().map_err(|_| Unfit::Unreadable)?;
    // RFC 5280, 6.1.4 (n).
    if usage.is_some_and(|usage| !usage.value.key_cert_sign()) {
        return Err(Unfit::Usage);
    }
    if is_nameless(certificate) {
        return Err(Unfit::Names);
    }
    let constraints = certificate
        .name_constraints()
        .map_err(|_| Unfit::Constraints)?
        .map(|constraints| constraints.value);
    let subtrees = constraints
        .iter()
        .flat_map(|both| [&both.permitted_subtrees, &both.excluded_subtrees])
        .flatten()
        .flatten();
    // RFC 5280, 4.2.1.10: they hold for the addresses in subjects too.
    let mut addresses = subtrees.filter(|subtree| matches!(subtree.base, GeneralName::RFC822Name(_)));
    if addresses.next().is_some() {
        Err(Unfit::Constraints)
    } else {
        Ok(())
    }
}

/// Whether the key of this certificate may sign others: an authority's. A certificate of version 1 says
/// nothing of it: any may.
pub fn is_authority(der: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return false;
    };
    let signs = certificate
        .key_usage()
        .is_ok_and(|usage| usage.is_none_or(|usage| usage.value.key_cert_sign()));
    let basic = certificate
        .basic_constraints()
        .is_ok_and(|basic| basic.is_some_and(|basic| basic.value.ca));
    signs && (basic || certificate.version().0 == 0)
}

/// The checks for all certificates.
fn check_any(certificate: &X509Certificate<'_>) -> Result<(), Unfit> {
    let extensions = certificate.extensions_map().map_err(|_| Unfit::Unreadable)?;
    // Policies are not judged here. A certificate with required policies is not taken for one without.
    if extensions.contains_key(&OID_X509_EXT_POLICY_CONSTRAINTS) {
        return Err(Unfit::Constraints);
    }
    if certificate.version().0 != 2 {
        return Err(Unfit::Version);
    }
    if !is_serial(certificate.raw_serial()) {
        return Err(Unfit::Serial);
    }
    if !SIGNATURES.contains(&certificate.signature_algorithm.algorithm.to_id_string().as_str()) {
        return Err(Unfit::Signature);
    }
    if has_good_key(certificate) {
        Ok(())
    } else {
        Err(Unfit::Key)
    }
}

/// A positive integer of at most 20 octets, in DER: no more zeros before it than its sign needs.
fn is_serial(serial: &[u8]) -> bool {
    let padded = matches!(serial, [0, next, ..] if next & 0x80 == 0);
    let positive = serial != [0] && serial.first().is_some_and(|first| first & 0x80 == 0);
    positive && !padded && serial.len() <= 20
}

fn has_good_key(certificate: &X509Certificate<'_>) -> bool {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => (2048..=8192).contains(&bits(rsa.modulus)),
        Ok(PublicKey::EC(_)) => {
            let curve = key
                .algorithm
                .parameters
                .as_ref()
                .and_then(|curve| curve.as_oid().ok());
            curve.is_some_and(|curve| CURVES.contains(&curve.to_id_string().as_str()))
        }
        Ok(PublicKey::Unknown(_)) => key.algorithm.algorithm.to_id_string() == "1.3.101.112",
        _ => false,
    }
}

/// Bits of a number, big-endian.
fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let significant = &number[first..];
    significant
        .first()
        .map_or(0, |byte| significant.len() * 8 - byte.leading_zeros() as usize)
}

fn is_nameless(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().iter_attributes().next().is_none()
}
