//! An authority: its key, and its signatures.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RevocationReason,
    RevokedCertParams, RsaKeySize, SerialNumber, SigningKey as _,
};
use x509_parser::asn1_rs::{Any, FromDer as _};

use crate::digest::hex;

/// The usual validity, in days.
pub(super) const DAYS: i64 = 365;

/// A test authority: its certificate, its key, and the present time.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    now: Timestamp,
}

/// A certificate with its key.
pub struct Issued {
    /// PEM of the certificate.
    pub certificate: String,
    /// PEM of the private key.
    pub key: String,
    /// SHA-256 of the DER.
    pub fingerprint: String,
    /// The serial number's octets: 16, random.
    pub serial: Vec<u8>,
}

/// A certificate on a list.
pub(super) struct Listed {
    /// The serial number's octets.
    pub(super) serial: Vec<u8>,
    /// The instant of the revocation.
    pub(super) since: Timestamp,
    /// The reason; `None`: unspecified.
    pub(super) reason: Option<RevocationReason>,
}

/// An authority's certificate and key, PEM.
pub(super) struct Made {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl TestAuthority {
    /// A new authority, valid for 365 days (`DAYS`).
    pub fn new(name: &str, now: Timestamp) -> Result<Self> {
        Self::make(params(name, now)?, now).map(|(authority, _)| authority)
    }

    /// A new authority, with the two files for opening it again.
    pub(super) fn make(mut params: CertificateParams, now: Timestamp) -> Result<(Self, Made)> {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        let made = Made {
            certificate: pem.clone(),
            key: key.serialize_pem(),
        };
        Ok((
            Self {
                issuer: Issuer::new(params, key),
                pem,
                now,
            },
            made,
        ))
    }

    /// An authority made before, from its PEM.
    pub(super) fn open(certificate: String, key: &str, now: Timestamp) -> Result<Self> {
        let issuer = Issuer::from_ca_cert_pem(&certificate, KeyPair::from_pem(key)?)?;
        Ok(Self {
            issuer,
            pem: certificate,
            now,
        })
    }

    /// The authority's own certificate, PEM.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// A client's certificate, valid for 365 days; `name` is its CN.
    pub fn client(&self, name: &str) -> Result<Issued> {
        let mut params = params(name, self.now)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    /// A server's certificate, valid for 365 days, for these DNS names and IP addresses.
    pub fn server(&self, hosts: &[&str]) -> Result<Issued> {
        let mut params = params(hosts.first().copied().unwrap_or("localhost"), self.now)?;
        for host in hosts {
            let name = match host.parse() {
                Ok(address) => rcgen::SanType::IpAddress(address),
                Err(_) => rcgen::SanType::DnsName((*host).try_into()?),
            };
            params.subject_alt_names.push(name);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// Any certificate: tests need some outside the profile.
    pub fn issue(&self, params: CertificateParams) -> Result<Issued> {
        self.certify(params, false, None)
    }

    /// A certificate for a new key, RSA or ECDSA. `subject`, if given, is used as it is, in DER: rcgen's
    /// names cannot repeat an attribute.
    pub(super) fn certify(
        &self,
        mut params: CertificateParams,
        rsa: bool,
        subject: Option<&[u8]>,
    ) -> Result<Issued> {
        let mut serial = crate::ledger::keys::random::<16>()?;
        serial[0] = serial[0] & 0x7f | 0x40;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        // RFC 5280, 4.2.1.1: some verifiers insist on the authority key identifier.
        params.use_authority_key_identifier_extension = true;
        let key = if rsa {
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?
        } else {
            KeyPair::generate()?
        };
        let certificate = params.signed_by(&key, &self.issuer)?;
        let der = match subject {
            None => certificate.der().to_vec(),
            Some(subject) => self.renamed(certificate.der(), subject)?,
        };
        let fingerprint = hex(&crate::digest::sha256(&der));
        Ok(Issued {
            certificate: pem(&der),
            key: key.serialize_pem(),
            fingerprint,
            serial: serial.to_vec(),
        })
    }

    /// The same certificate with another subject, signed again.
    fn renamed(&self, certificate: &[u8], subject: &[u8]) -> Result<Vec<u8>> {
        let [to_be_signed, algorithm, _] = parts(certificate)?[..] else {
            anyhow::bail!("not a certificate")
        };
        // RFC 5280, 4.1: version, serialNumber, signature, issuer, validity, subject.
        let mut fields = parts(to_be_signed)?;
        *fields.get_mut(5).context("not a certificate")? = subject;
        let to_be_signed = tlv(0x30, &fields.concat());
        let signature = self.issuer.key().sign(&to_be_signed)?;
        let signature = tlv(0x03, &[&[0], signature.as_slice()].concat());
        Ok(tlv(
            0x30,
            &[to_be_signed.as_slice(), algorithm, &signature].concat(),
        ))
    }

    /// A list of these certificates, PEM, good for `days`.
    pub fn crl(&self, revoked: &[&Issued], days: i64) -> Result<String> {
        let since = Timestamp::from_second(self.now.as_second() - 60)?;
        let revoked = revoked
            .iter()
            .map(|issued| Listed {
                serial: issued.serial.clone(),
                since,
                reason: None,
            })
            .collect();
        self.list(
            revoked,
            u64::try_from(self.now.as_second())?,
            ((days * 86_400 - 3600).min(-3600), days * 86_400),
        )
    }

    /// A list with a number, PEM; `from` and `until` in seconds from now.
    pub(super) fn list(
        &self,
        revoked: Vec<Listed>,
        number: u64,
        (from, until): (i64, i64),
    ) -> Result<String> {
        let entry = |listed: Listed| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&listed.serial),
                revocation_time: offset(listed.since, 0)?,
                reason_code: listed.reason,
                invalidity_date: None,
            })
        };
        let list = CertificateRevocationListParams {
            this_update: offset(self.now, from)?,
            next_update: offset(self.now, until)?,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().map(entry).collect::<Result<_>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

/// Parameters with a name, valid from an hour ago.
pub fn params(name: &str, now: Timestamp) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Varco demo");
    params.not_before = offset(now, -3600)?;
    params.not_after = offset(now, DAYS * 86_400)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// An instant some seconds from `now`, in rcgen's own type.
pub fn offset(now: Timestamp, seconds: i64) -> Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(now.as_second() + seconds).context("an instant out of range")
}

/// A distinguished name, DER: attribute types as the octets of their identifiers, values as UTF-8.
pub(super) fn name(attributes: &[([u8; 3], &str)]) -> Vec<u8> {
    let attribute = |(kind, value): &([u8; 3], &str)| {
        tlv(
            0x31,
            &tlv(0x30, &[tlv(0x06, kind), tlv(0x0c, value.as_bytes())].concat()),
        )
    };
    tlv(0x30, &attributes.iter().flat_map(attribute).collect::<Vec<u8>>())
}

/// The elements of a constructed DER value, each whole.
fn parts(der: &[u8]) -> Result<Vec<&[u8]>> {
    let (_, outer) = Any::from_der(der).map_err(|_| anyhow::anyhow!("not DER"))?;
    let (mut rest, mut parts) = (outer.data, Vec::new());
    while !rest.is_empty() {
        let (after, _) = Any::from_der(rest).map_err(|_| anyhow::anyhow!("not DER"))?;
        let (part, _) = rest.split_at(rest.len() - after.len());
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

/// A value in DER.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length
        .iter()
        .position(|byte| *byte != 0)
        .map_or(&[][..], |first| &length[first..]);
    let mut der = vec![tag];
    match significant {
        [] => der.push(0),
        [short] if *short < 0x80 => der.push(*short),
        long => {
            der.push(0x80 | long.len() as u8);
            der.extend(long);
        }
    }
    der.extend(content);
    der
}

/// A certificate as PEM.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem + "\n-----END CERTIFICATE-----\n"
}
