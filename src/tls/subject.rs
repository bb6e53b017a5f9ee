//! What may be said of whom a certificate names: organizations, never a person.

use jiff::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

/// Country, organization, units, organizationIdentifier.
const PUBLIC: [&str; 4] = ["2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.97"];
/// commonName.
const COMMON_NAME: &str = "2.5.4.3";
/// surname, serialNumber, givenName, title, dnQualifier, pseudonym: who has one may be a person.
const PERSONAL: [&str; 6] = ["2.5.4.4", "2.5.4.5", "2.5.4.42", "2.5.4.12", "2.5.4.46", "2.5.4.65"];

/// Country, organization, units and organizationIdentifier of a name, as far as they are short.
pub fn public(name: &X509Name<'_>) -> String {
    parts(name, &PUBLIC)
}

fn parts(name: &X509Name<'_>, wanted: &[&str]) -> String {
    let kept = name.iter_attributes().filter(|attribute| wanted.contains(&attribute.attr_type().to_id_string().as_str()));
    let texts =
        kept.filter_map(|attribute| attribute.as_str().ok()).filter(|text| text.len() <= 100 && !text.chars().any(char::is_control));
    texts.take(6).collect::<Vec<_>>().join(", ")
}

/// Whom a certificate (DER) is of, and its last second. The CN stands in it where no attribute of the subject is a person's.
pub fn described(der: &[u8]) -> Option<(String, Timestamp)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let personal = subject.iter_attributes().any(|attribute| PERSONAL.contains(&attribute.attr_type().to_id_string().as_str()));
    let wanted: Vec<&str> = PUBLIC.into_iter().chain((!personal).then_some(COMMON_NAME)).collect();
    Some((parts(subject, &wanted), Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?))
}
