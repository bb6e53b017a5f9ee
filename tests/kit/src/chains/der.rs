//! DER, written by hand: certificates and lists must be able to be wrong in ways that no library writes.

use jiff::Timestamp;

/// A tag, its length and its content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant: &[u8] = &length[length.iter().position(|byte| *byte != 0).unwrap_or(7)..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(significant[0]);
    } else {
        out.push(0x80 | u8::try_from(significant.len()).unwrap());
        out.extend(significant);
    }
    out.extend(content);
    out
}

pub fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// An INTEGER of exactly these octets.
pub fn integer(octets: &[u8]) -> Vec<u8> {
    tlv(0x02, octets)
}

pub fn boolean(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

/// A BIT STRING of whole octets.
pub fn bits(octets: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], octets].concat())
}

/// An OBJECT IDENTIFIER from its usual notation.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups: Vec<u8> = (0..10)
            .rev()
            .map(|group| u8::try_from(arc >> (group * 7) & 0x7f).unwrap())
            .collect();
        let first = groups.iter().position(|group| *group != 0).unwrap_or(9);
        content.extend(groups[first..9].iter().map(|group| group | 0x80));
        content.push(groups[9]);
    }
    tlv(0x06, &content)
}

/// A moment as RFC 5280 has it: UTCTime through 2049, GeneralizedTime after.
pub fn moment(second: i64) -> Vec<u8> {
    let text = Timestamp::from_second(second)
        .unwrap()
        .strftime("%Y%m%d%H%M%SZ")
        .to_string();
    if text.as_str() < "2050" {
        utc(&text[2..])
    } else {
        generalized(&text)
    }
}

pub fn utc(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

pub fn generalized(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

/// A Name of an organisation and a common name, in UTF8String.
pub fn name(common: &str) -> Vec<u8> {
    seq(&[
        &attribute("2.5.4.10", 0x0c, "Prova"),
        &attribute("2.5.4.3", 0x0c, common),
    ])
}

/// A relative distinguished name of one attribute.
pub fn attribute(kind: &str, tag: u8, value: &str) -> Vec<u8> {
    tlv(0x31, &seq(&[&oid(kind), &tlv(tag, value.as_bytes())]))
}

/// An extension.
#[derive(Clone)]
pub struct Extension {
    pub id: &'static str,
    pub critical: bool,
    pub value: Vec<u8>,
}

impl Extension {
    pub fn new(id: &'static str, critical: bool, value: Vec<u8>) -> Self {
        Self { id, critical, value }
    }

    pub fn critical(self) -> Self {
        Self {
            critical: true,
            ..self
        }
    }

    pub fn ordinary(self) -> Self {
        Self {
            critical: false,
            ..self
        }
    }

    pub fn der(&self) -> Vec<u8> {
        let critical = if self.critical { boolean(true) } else { Vec::new() };
        seq(&[&oid(self.id), &critical, &tlv(0x04, &self.value)])
    }
}

pub const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
pub const SERVER: &str = "1.3.6.1.5.5.7.3.1";
pub const EMAIL: &str = "1.3.6.1.5.5.7.3.4";
pub const ANY: &str = "2.5.29.37.0";

pub const EKU: &str = "2.5.29.37";
pub const KU: &str = "2.5.29.15";
pub const BASIC: &str = "2.5.29.19";
pub const SAN: &str = "2.5.29.17";
pub const CONSTRAINTS: &str = "2.5.29.30";

pub fn eku(purposes: &[&str]) -> Extension {
    Extension::new(
        EKU,
        false,
        tlv(
            0x30,
            &purposes
                .iter()
                .flat_map(|purpose| oid(purpose))
                .collect::<Vec<_>>(),
        ),
    )
}

pub const DIGITAL_SIGNATURE: u8 = 0x80;
pub const NON_REPUDIATION: u8 = 0x40;
pub const KEY_ENCIPHERMENT: u8 = 0x20;
pub const KEY_AGREEMENT: u8 = 0x08;
pub const CERT_SIGN: u8 = 0x04;
pub const CRL_SIGN: u8 = 0x02;

pub fn ku(usages: u8) -> Extension {
    let unused = if usages == 0 {
        0
    } else {
        u8::try_from(usages.trailing_zeros()).unwrap()
    };
    let content = if usages == 0 {
        vec![0]
    } else {
        vec![unused, usages]
    };
    Extension::new(KU, true, tlv(0x03, &content))
}

/// A CA's, with the octets of a path length.
pub fn basic(length: Option<&[u8]>) -> Extension {
    Extension::new(
        BASIC,
        true,
        seq(&[&boolean(true), &length.map(integer).unwrap_or_default()]),
    )
}

pub fn dns(host: &str) -> Vec<u8> {
    tlv(0x82, host.as_bytes())
}

pub fn email(address: &str) -> Vec<u8> {
    tlv(0x81, address.as_bytes())
}

pub fn uri(address: &str) -> Vec<u8> {
    tlv(0x86, address.as_bytes())
}

pub fn ip(octets: &[u8]) -> Vec<u8> {
    tlv(0x87, octets)
}

pub fn directory(name: &[u8]) -> Vec<u8> {
    tlv(0xa4, name)
}

pub fn san(names: &[Vec<u8>]) -> Extension {
    Extension::new(SAN, false, tlv(0x30, &names.concat()))
}

pub fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let subtrees = |tag: u8, bases: &[Vec<u8>]| {
        let all: Vec<u8> = bases.iter().flat_map(|base| seq(&[base])).collect();
        if all.is_empty() { all } else { tlv(tag, &all) }
    };
    Extension::new(
        CONSTRAINTS,
        true,
        seq(&[&subtrees(0xa0, permitted), &subtrees(0xa1, excluded)]),
    )
}
