//! Files of certificates and keys: PEM, with text around it or a byte order mark before. The error about
//! another format names it, with the `openssl` command to make PEM of it. In Italian: operators read it.

use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::TlsError;
use crate::italian;

/// The byte order mark of some editors, before text: no line of PEM begins with it.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// data (PKCS#7), 1.2.840.113549.1.7.1: the content of a PKCS#12 archive.
const PKCS7_DATA: &[u8] = &[0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];

/// PEM without the mark before it.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| TlsError::File(file.display().to_string(), italian::io(&error)))
}

/// All certificates of a PEM file; at least one.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(file)?;
    let wrong = |what: String| TlsError::File(file.display().to_string(), what);
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(unmarked(&bytes)).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(wrong(no_certificate(&bytes, file))),
        Err(_) => Err(wrong(
            "il PEM è danneggiato: una sezione non finisce, o non è in base64".to_owned(),
        )),
    }
}

/// The private key of a PEM file.
pub fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read(file)?;
    let found = PrivateKeyDer::from_pem_slice(unmarked(&bytes));
    found.map_err(|_| TlsError::File(file.display().to_string(), no_key(&bytes, file)))
}

/// The nature of a file without a certificate in PEM.
fn no_certificate(bytes: &[u8], file: &Path) -> String {
    let file = file.display();
    if X509Certificate::from_der(bytes).is_ok() {
        return format!(
            "il certificato è in DER, serve in PEM: openssl x509 -inform der -in {file} -out certificato.pem"
        );
    }
    if is_archive(bytes) {
        return format!(
            "è un archivio PKCS#12, serve PEM: openssl pkcs12 -in {file} -nokeys -out certificato.pem"
        );
    }
    if says(bytes, "PRIVATE KEY-----") {
        return "contiene una chiave e nessun certificato".to_owned();
    }
    "non contiene alcun certificato in PEM (-----BEGIN CERTIFICATE-----)".to_owned()
}

/// The nature of a file without a usable private key in PEM.
fn no_key(bytes: &[u8], file: &Path) -> String {
    let file = file.display();
    if says(bytes, "BEGIN ENCRYPTED PRIVATE KEY-----") || says(bytes, "Proc-Type: 4,ENCRYPTED") {
        return format!(
            "la chiave è cifrata con una frase, che qui nessuno può dare: openssl pkey -in {file} -out chiave.pem && chmod 600 chiave.pem"
        );
    }
    if is_archive(bytes) {
        return format!(
            "è un archivio PKCS#12, serve PEM: openssl pkcs12 -in {file} -nocerts -nodes -out chiave.pem && chmod 600 chiave.pem"
        );
    }
    if says(bytes, "PRIVATE KEY-----") {
        return "la chiave in PEM è danneggiata".to_owned();
    }
    if says(bytes, "BEGIN CERTIFICATE-----") {
        return "contiene un certificato e nessuna chiave".to_owned();
    }
    if bytes.first() == Some(&0x30) {
        return format!(
            "sembra una chiave in DER, serve in PEM: openssl pkey -inform der -in {file} -out chiave.pem && chmod 600 chiave.pem"
        );
    }
    "non contiene alcuna chiave privata in PEM (-----BEGIN ... KEY-----)".to_owned()
}

/// PKCS#12 (RFC 7292): a sequence beginning with version 3, then data.
fn is_archive(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    head.first() == Some(&0x30) && contains(head, &[0x02, 0x01, 0x03]) && contains(head, PKCS7_DATA)
}

fn says(bytes: &[u8], text: &str) -> bool {
    contains(bytes, text.as_bytes())
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::commands::pki::TestAuthority;

    #[test]
    fn what_is_no_pem_is_named_with_the_command_that_helps() {
        let home = tempfile::tempdir().unwrap();
        let (certificate, key) = {
            let authority = TestAuthority::new("Prova", Clock::system().now()).unwrap();
            (authority.pem(), rcgen::KeyPair::generate().unwrap())
        };
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let mut archive = vec![0x30, 0x82, 0x09, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82, 0x08, 0x00];
        archive.extend(PKCS7_DATA);
        let told = |bytes: &[u8]| {
            let file = home.path().join("file");
            std::fs::write(&file, bytes).unwrap();
            let text = |error: TlsError| error.to_string();
            (
                certificates(&file).map(|all| all.len()).map_err(text),
                private_key(&file).map(|_| ()).map_err(text),
            )
        };
        let pem = key.serialize_pem();
        // Text around, a mark before: read.
        for (before, after) in [
            ("", ""),
            ("\u{feff}", ""),
            ("Certificate:\n  Data: 1\n", "\nfine\n"),
            ("\u{feff}Bag Attributes\r\n", ""),
        ] {
            let both = format!("{before}{certificate}{pem}{after}");
            assert_eq!(told(both.as_bytes()), (Ok(1), Ok(())), "{before:?}");
        }
        let cases: [(&[u8], &str, &str); 9] = [
            (&der, "openssl x509 -inform der", "openssl pkey -inform der"),
            (&archive, "openssl pkcs12 -in", "-nocerts -nodes"),
            (certificate.as_bytes(), "", "un certificato e nessuna chiave"),
            (pem.as_bytes(), "una chiave e nessun certificato", ""),
            (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "una chiave e nessun", "cifrata"),
            (b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "PEM", "cifrata"),
            (b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "danneggiato", "nessuna chiave"),
            (concat!("-----BEGIN ", "PRIVATE KEY-----\nAAAA\n").as_bytes(), "PEM", "danneggiata"),
            (b"ciao", "non contiene alcun certificato", "non contiene alcuna chiave"),
        ];
        for (bytes, of_certificate, of_key) in cases {
            let (certificate, key) = told(bytes);
            let holds = |told: Result<(), String>, part: &str| {
                if part.is_empty() {
                    told.is_ok()
                } else {
                    told.is_err_and(|told| told.contains(part))
                }
            };
            assert!(
                holds(certificate.clone().map(|_| ()), of_certificate),
                "{of_certificate:?}: {certificate:?}"
            );
            assert!(holds(key.clone(), of_key), "{of_key:?}: {key:?}");
        }
        assert!(
            certificates(Path::new("/non/esiste"))
                .unwrap_err()
                .to_string()
                .contains("il file non c'è")
        );
    }
}
