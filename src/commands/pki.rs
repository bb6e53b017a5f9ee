//! `varco pki demo DIR`: certificates for a demonstration or a test network, made new each time. Never for real use: the authority's key is not
//! even kept.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};

use crate::digest::hex;

/// Days that everything is valid for.
const DAYS: i64 = 365;

/// A small authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
    now: Timestamp,
}

/// A certificate with its key.
pub struct Issued {
    /// PEM.
    pub certificate: String,
    /// PEM.
    pub key: String,
    /// SHA-256 of the DER.
    pub fingerprint: String,
    /// Serial number.
    pub serial: Vec<u8>,
}

impl Authority {
    /// A new one.
    pub fn new(name: &str, now: Timestamp) -> Result<Self> {
        let mut params = params(name, now)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate, now })
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A client's certificate.
    pub fn client(&self, name: &str) -> Result<Issued> {
        let mut params = params(name, self.now)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    /// A server's certificate.
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

    /// Any certificate: tests make what the profile refuses.
    pub fn issue(&self, mut params: CertificateParams) -> Result<Issued> {
        let mut serial = crate::ledger::keys::random::<16>()?;
        serial[0] = serial[0] & 0x7f | 0x40;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        // RFC 5280, 4.2.1.1: some verifiers insist on it.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let digest = crate::digest::sha256(certificate.der());
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem(), fingerprint: hex(&digest), serial: serial.to_vec() })
    }

    /// The list of what it has revoked, PEM.
    pub fn crl(&self, revoked: &[&Issued], days: i64) -> Result<String> {
        let list = CertificateRevocationListParams {
            this_update: offset(self.now, (days * 86_400 - 3600).min(-3600))?,
            next_update: offset(self.now, days * 86_400)?,
            crl_number: SerialNumber::from(u64::try_from(self.now.as_second())?),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|issued| {
                    Ok(RevokedCertParams {
                        serial_number: SerialNumber::from_slice(&issued.serial),
                        revocation_time: offset(self.now, -60)?,
                        reason_code: None,
                        invalidity_date: None,
                    })
                })
                .collect::<Result<_>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

/// Parameters with a name, valid from an hour ago.
pub fn params(name: &str, now: Timestamp) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Varco demo");
    params.not_before = offset(now, -3600)?;
    params.not_after = offset(now, DAYS * 86_400)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// An instant some seconds from `now`, in rcgen's own type.
pub fn offset(now: Timestamp, seconds: i64) -> Result<time::OffsetDateTime> {
    time::OffsetDateTime::from_unix_timestamp(now.as_second() + seconds).context("an instant out of range")
}

/// What the demonstration needs, in files.
pub struct Demo {
    /// Who issued them; its key is in no file.
    pub authority: Authority,
    /// The municipality's certificate.
    pub comune: Issued,
    /// The CAF's.
    pub caf: Issued,
    /// Of the right authority, of an ente that will be suspended.
    pub sospeso: Issued,
}

/// Makes the demonstration's certificates in a directory.
pub fn demo(directory: &Path, now: Timestamp) -> Result<Demo> {
    std::fs::create_dir_all(directory)?;
    let authority = Authority::new("Varco demo CA", now)?;
    let stranger = Authority::new("Another CA", now)?.client("straniero")?;
    let server = authority.server(&["localhost", "127.0.0.1", "::1"])?;
    let (comune, caf, sospeso) = (authority.client("comune")?, authority.client("caf")?, authority.client("sospeso")?);
    let demo = Demo { authority, comune, caf, sospeso };
    write(directory, "ca.pem", &demo.authority.pem(), false)?;
    write(directory, "crl.pem", &demo.authority.crl(&[], DAYS)?, false)?;
    let all = [("server", &server), ("comune", &demo.comune), ("caf", &demo.caf), ("sospeso", &demo.sospeso), ("straniero", &stranger)];
    for (name, issued) in all {
        write(directory, &format!("{name}.pem"), &issued.certificate, false)?;
        write(directory, &format!("{name}.key"), &issued.key, true)?;
    }
    Ok(demo)
}

fn write(directory: &Path, name: &str, content: &str, private: bool) -> Result<()> {
    let path = directory.join(name);
    let mode = if private { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&path)?;
    file.write_all(content.as_bytes()).with_context(|| path.display().to_string())
}
