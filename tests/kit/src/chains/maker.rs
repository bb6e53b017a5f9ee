//! Keys, certificates and lists.

use std::rc::Rc;

use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

use super::der::*;

/// The moment of the tests, if a case says no other: 15 June 2026, noon.
pub const NOW: i64 = 1_781_524_800;
pub const DAY: i64 = 86_400;
pub const YEAR: i64 = 365 * DAY;

pub const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
pub const RSA_SHA256: &str = "1.2.840.113549.1.1.11";

/// An AlgorithmIdentifier without parameters.
pub fn bare(id: &str) -> Vec<u8> {
    seq(&[&oid(id)])
}

/// An AlgorithmIdentifier with NULL, as RSA's have.
pub fn nulled(id: &str) -> Vec<u8> {
    seq(&[&oid(id), &[5, 0]])
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A key, and how it signs.
pub struct Key {
    pub pkcs8: Vec<u8>,
    pub spki: Vec<u8>,
    pub algorithm: Vec<u8>,
    sign: Sign,
}

impl Key {
    pub fn new(kind: &'static rcgen::SignatureAlgorithm, algorithm: Vec<u8>) -> Rc<Self> {
        Self::of(KeyPair::generate_for(kind).unwrap(), algorithm)
    }

    pub fn rsa(
        size: rcgen::RsaKeySize,
        kind: &'static rcgen::SignatureAlgorithm,
        algorithm: &str,
    ) -> Rc<Self> {
        Self::of(KeyPair::generate_rsa_for(kind, size).unwrap(), nulled(algorithm))
    }

    fn of(pair: KeyPair, algorithm: Vec<u8>) -> Rc<Self> {
        let (pkcs8, spki) = (pair.serialize_der(), pair.subject_public_key_info());
        Rc::new(Self {
            pkcs8,
            spki,
            algorithm,
            sign: Box::new(move |bytes| pair.sign(bytes).unwrap()),
        })
    }

    pub fn p256() -> Rc<Self> {
        Self::new(&rcgen::PKCS_ECDSA_P256_SHA256, bare(ECDSA_SHA256))
    }

    /// The same key, signing in another way.
    pub fn signing(&self, algorithm: Vec<u8>, sign: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Rc<Self> {
        Rc::new(Self {
            pkcs8: self.pkcs8.clone(),
            spki: self.spki.clone(),
            algorithm,
            sign: Box::new(sign),
        })
    }

    /// A key of which there is only the public half: it signs with zeros.
    pub fn public(spki: Vec<u8>, algorithm: Vec<u8>) -> Rc<Self> {
        Rc::new(Self {
            pkcs8: Key::p256().pkcs8.clone(),
            spki,
            algorithm,
            sign: Box::new(|_| vec![0; 256]),
        })
    }

    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        (self.sign)(bytes)
    }
}

/// What is in a certificate.
#[derive(Clone)]
pub struct Certificate {
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub algorithm: Vec<u8>,
    pub outer: Option<Vec<u8>>,
    pub issuer: Vec<u8>,
    pub not_before: Vec<u8>,
    pub not_after: Vec<u8>,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    /// Before the extensions.
    pub unique: Vec<u8>,
    pub extensions: Vec<Extension>,
    /// After the extensions.
    pub after: Vec<u8>,
}

impl Certificate {
    /// Puts an extension in the place of those of its kind.
    pub fn set(&mut self, extension: Extension) {
        self.without(extension.id);
        self.extensions.push(extension);
    }

    pub fn without(&mut self, id: &str) {
        self.extensions.retain(|known| known.id != id);
    }

    fn tbs(&self) -> Vec<u8> {
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => tlv(
                0xa3,
                &tlv(
                    0x30,
                    &self
                        .extensions
                        .iter()
                        .flat_map(Extension::der)
                        .collect::<Vec<_>>(),
                ),
            ),
        };
        let validity = seq(&[&self.not_before, &self.not_after]);
        let serial = integer(&self.serial);
        let head: [&[u8]; 7] = [
            &self.version,
            &serial,
            &self.algorithm,
            &self.issuer,
            &validity,
            &self.subject,
            &self.spki,
        ];
        seq(&[&head.concat(), &self.unique, &extensions, &self.after])
    }

    /// Signed, whoever signs.
    pub fn signed(&self, key: &Key) -> Vec<u8> {
        let tbs = self.tbs();
        let signature = key.sign(&tbs);
        self.with_signature(&bits(&signature))
    }

    pub fn with_signature(&self, signature: &[u8]) -> Vec<u8> {
        seq(&[
            &self.tbs(),
            self.outer.as_ref().unwrap_or(&self.algorithm),
            signature,
        ])
    }
}

/// An authority.
#[derive(Clone)]
pub struct Authority {
    pub key: Rc<Key>,
    pub name: Vec<u8>,
    pub der: Vec<u8>,
    pub now: i64,
}

impl Authority {
    /// A root; `change` may make it wrong.
    pub fn root(common: &str, key: &Rc<Key>, now: i64, change: impl FnOnce(&mut Certificate)) -> Self {
        let name = name(common);
        let mut certificate = blank(key, &name, key, &name, now);
        certificate.extensions = vec![basic(None), ku(CERT_SIGN | CRL_SIGN)];
        change(&mut certificate);
        Self {
            key: key.clone(),
            der: certificate.signed(key),
            name: certificate.subject,
            now,
        }
    }

    /// An authority under this one.
    pub fn sub(&self, common: &str, key: &Rc<Key>, change: impl FnOnce(&mut Certificate)) -> Self {
        let name = name(common);
        let mut certificate = blank(&self.key, &self.name, key, &name, self.now);
        certificate.extensions = vec![basic(None), ku(CERT_SIGN | CRL_SIGN)];
        change(&mut certificate);
        Self {
            key: key.clone(),
            der: certificate.signed(&self.key),
            name: certificate.subject,
            now: self.now,
        }
    }

    /// What is in a client's certificate of this authority.
    pub fn client(&self, key: &Rc<Key>) -> Certificate {
        let mut certificate = blank(&self.key, &self.name, key, &name("cliente"), self.now);
        certificate.extensions = vec![ku(DIGITAL_SIGNATURE), eku(&[CLIENT])];
        certificate
    }

    /// Its list, of what it has revoked.
    pub fn list(&self, revoked: &[&[u8]]) -> List {
        List {
            version: integer(&[1]),
            algorithm: self.key.algorithm.clone(),
            outer: None,
            issuer: self.name.clone(),
            this_update: moment(self.now - DAY),
            next_update: moment(self.now + DAY),
            entries: revoked
                .iter()
                .map(|serial| entry(serial, self.now - DAY, &[]))
                .collect(),
            extensions: vec![Extension::new("2.5.29.20", false, integer(&[7]))],
        }
    }
}

fn blank(issuer_key: &Rc<Key>, issuer: &[u8], key: &Rc<Key>, subject: &[u8], now: i64) -> Certificate {
    Certificate {
        version: tlv(0xa0, &integer(&[2])),
        serial: vec![0x41, 0x02, 0x03],
        algorithm: issuer_key.algorithm.clone(),
        outer: None,
        issuer: issuer.to_vec(),
        not_before: moment(now - YEAR),
        not_after: moment(now + YEAR),
        subject: subject.to_vec(),
        spki: key.spki.clone(),
        unique: Vec::new(),
        extensions: Vec::new(),
        after: Vec::new(),
    }
}

/// What is in a list.
#[derive(Clone)]
pub struct List {
    pub version: Vec<u8>,
    pub algorithm: Vec<u8>,
    pub outer: Option<Vec<u8>>,
    pub issuer: Vec<u8>,
    pub this_update: Vec<u8>,
    pub next_update: Vec<u8>,
    pub entries: Vec<Vec<u8>>,
    pub extensions: Vec<Extension>,
}

impl List {
    pub fn signed(&self, key: &Key) -> Vec<u8> {
        let entries = if self.entries.is_empty() {
            Vec::new()
        } else {
            tlv(0x30, &self.entries.concat())
        };
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => tlv(
                0xa0,
                &tlv(
                    0x30,
                    &self
                        .extensions
                        .iter()
                        .flat_map(Extension::der)
                        .collect::<Vec<_>>(),
                ),
            ),
        };
        let head: [&[u8]; 5] = [
            &self.version,
            &self.algorithm,
            &self.issuer,
            &self.this_update,
            &self.next_update,
        ];
        let tbs = seq(&[&head.concat(), &entries, &extensions]);
        let signature = bits(&key.sign(&tbs));
        seq(&[&tbs, self.outer.as_ref().unwrap_or(&self.algorithm), &signature])
    }
}

/// A revoked certificate.
pub fn entry(serial: &[u8], second: i64, extensions: &[Extension]) -> Vec<u8> {
    let extensions = match extensions.is_empty() {
        true => Vec::new(),
        false => tlv(
            0x30,
            &extensions.iter().flat_map(Extension::der).collect::<Vec<_>>(),
        ),
    };
    seq(&[&integer(serial), &moment(second), &extensions])
}
