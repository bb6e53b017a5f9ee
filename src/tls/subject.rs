//! The names in a certificate that may be told: organizations, never a person.

use jiff::Timestamp;
use x509_parser::asn1_rs::{Any, Class};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

/// Country, organization, units, organizationIdentifier.
const PUBLIC: [&str; 4] = ["2.5.4.6", "2.5.4.10", "2.5.4.11", "2.5.4.97"];
/// commonName: told only of a subject without a personal attribute.
const COMMON_NAME: &str = "2.5.4.3";
/// surname, serialNumber, givenName, title, dnQualifier, pseudonym: a subject with one may be a person.
const PERSONAL: [&str; 6] = [
    "2.5.4.4", "2.5.4.5", "2.5.4.42", "2.5.4.12", "2.5.4.46", "2.5.4.65",
];

/// Country, organization, units and organizationIdentifier of a certificate's (DER) issuer and subject; long
/// values are left out. Its extensions are not read: a hostile client chooses their number.
pub fn public(der: &[u8]) -> Option<(String, String)> {
    let skipped = |rest| Any::from_der(rest).ok().map(|(rest, _)| rest);
    // RFC 5280, 4.1: version, serialNumber, signature, issuer, validity, subject.
    let (_, certificate) = Any::from_der(der).ok()?;
    let (_, body) = Any::from_der(certificate.data).ok()?;
    let (after, first) = Any::from_der(body.data).ok()?;
    let serial = if first.class() == Class::ContextSpecific {
        after
    } else {
        body.data
    };
    let (rest, issuer) = X509Name::from_der(skipped(skipped(serial)?)?).ok()?;
    let (_, subject) = X509Name::from_der(skipped(rest)?).ok()?;
    Some((parts(&issuer, &PUBLIC), parts(&subject, &PUBLIC)))
}

fn parts(name: &X509Name<'_>, wanted: &[&str]) -> String {
    let kept = name
        .iter_attributes()
        .filter(|attribute| wanted.contains(&attribute.attr_type().to_id_string().as_str()));
    let texts = kept
        .filter_map(|attribute| attribute.as_str().ok())
        .filter(|text| text.len() <= 100 && !text.chars().any(char::is_control));
    texts.take(6).collect::<Vec<_>>().join(", ")
}

/// The subject of a certificate (DER), and its last second. The CN is left out where an attribute may be a
/// person's.
pub fn described(der: &[u8]) -> Option<(String, Timestamp)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let personal = subject
        .iter_attributes()
        .any(|attribute| PERSONAL.contains(&attribute.attr_type().to_id_string().as_str()));
    let wanted: Vec<&str> = PUBLIC
        .into_iter()
        .chain((!personal).then_some(COMMON_NAME))
        .collect();
    Some((
        parts(subject, &wanted),
        Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;
    use crate::clock::Clock;
    use crate::commands::pki::{TestAuthority, params};

    #[test]
    fn names_are_read_as_the_whole_certificate_says_them() {
        let now = Clock::system().now();
        let authority = TestAuthority::new("Prova", now).unwrap();
        let mut wanted = params("MARIO ROSSI", now).unwrap();
        wanted
            .distinguished_name
            .push(rcgen::DnType::OrganizationalUnitName, "Ufficio prova");
        wanted.distinguished_name.push(
            rcgen::DnType::CustomDnType(vec![2, 5, 4, 5]),
            "TINIT-RSSMRA80A01H501U",
        );
        let issued = authority.issue(wanted).unwrap();
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let certificate = der(&issued.certificate);
        assert_eq!(
            public(&certificate),
            Some(("Varco demo".to_owned(), "Varco demo, Ufficio prova".to_owned()))
        );
        assert_eq!(described(&certificate).unwrap().0, "Varco demo, Ufficio prova");
        assert_eq!(described(&der(&authority.pem())).unwrap().0, "Prova, Varco demo");
        for length in 0..certificate.len() {
            // Cut anywhere: nothing, and no panic.
            let _ = public(&certificate[..length]);
        }
        assert_eq!(public(&[]), None);
        assert_eq!(public(b"ciao"), None);
    }
}
