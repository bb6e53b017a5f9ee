//! Sealed parts of version 2: sections, each with its own encryption and its own commitment.

use std::borrow::Cow;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use serde_json::value::RawValue;

use super::blinding::Blinding;
use super::secret::Secret;
use super::slot::{ERASED, Luogo, SLOT, Unopened, cipher};
use crate::digest::{hex, sha256, sha256_of};

/// A row of the table of sections: kind, three zeros, length, commitment.
const ROW: usize = 40;
/// Length of the tag of each section.
const TAG: usize = 16;

/// The kind of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Section {
    /// Persons, protocols and the other short members of a [`Secret`], in JSON.
    Persone = 1,
    /// The DSU.
    Dsu = 2,
    /// The whole DSU after this one.
    Effettiva = 3,
    /// The attestation.
    Attestazione = 4,
    /// What it says of each person.
    Indicatori = 5,
    /// Records of the feed, in JSON.
    Feed = 6,
    /// The receipt, or the outcome of a lot.
    Ricevuta = 7,
    /// The specific ISEE, in JSON.
    Specifico = 8,
}

impl Section {
    const ALL: [Self; 8] = [
        Self::Persone,
        Self::Dsu,
        Self::Effettiva,
        Self::Attestazione,
        Self::Indicatori,
        Self::Feed,
        Self::Ricevuta,
        Self::Specifico,
    ];

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|section| *section as u8 == code)
    }

    /// The label of its commitment.
    const fn label(self) -> &'static str {
        match self {
            Self::Persone => "sealed/1",
            Self::Dsu => "sealed/2",
            Self::Effettiva => "sealed/3",
            Self::Attestazione => "sealed/4",
            Self::Indicatori => "sealed/5",
            Self::Feed => "sealed/6",
            Self::Ricevuta => "sealed/7",
            Self::Specifico => "sealed/8",
        }
    }
}

/// A section and its bytes.
pub(super) type SectionBytes<'a> = (Section, Cow<'a, [u8]>);

/// The sections of a secret, in the order of their kinds; those without content are left out.
pub(super) fn of(secret: &Secret) -> Result<Vec<SectionBytes<'_>>, serde_json::Error> {
    let Secret {
        cf,
        operator,
        office,
        protocol,
        address,
        application,
        reason,
        dsu,
        effettiva,
        attestation,
        indicatori,
        specifico,
        receipt,
        riferite,
        feed,
    } = secret;
    let short = Short {
        cf,
        operator: operator.as_deref(),
        office: office.as_deref(),
        protocol,
        address: address.as_deref(),
        application: application.as_deref(),
        reason: reason.as_deref(),
        riferite: riferite.as_deref(),
    };
    let specifico = specifico.as_ref().map(serde_json::to_vec).transpose()?;
    fn text(text: Option<&String>) -> Option<Cow<'_, [u8]>> {
        text.map(|text| Cow::Borrowed(text.as_bytes()))
    }
    let all = [
        (Section::Persone, Some(Cow::Owned(serde_json::to_vec(&short)?))),
        (Section::Dsu, text(dsu.as_ref())),
        (Section::Effettiva, text(effettiva.as_ref())),
        (Section::Attestazione, text(attestation.as_ref())),
        (Section::Indicatori, indicatori.as_deref().map(Cow::Borrowed)),
        (
            Section::Feed,
            feed.as_ref().map(|feed| Cow::Borrowed(feed.get().as_bytes())),
        ),
        (Section::Ricevuta, text(receipt.as_ref())),
        (Section::Specifico, specifico.map(Cow::Owned)),
    ];
    let there = all.into_iter();
    Ok(there
        .filter_map(|(section, bytes)| Some((section, bytes?)))
        .collect())
}

/// The short members of a secret, as the section [`Section::Persone`] has them.
#[derive(serde::Serialize)]
struct Short<'a> {
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cf: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    protocol: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    riferite: Option<&'a [String]>,
}

/// The additional data of a section's encryption: those of the entry, then its kind.
fn additional(luogo: Luogo, section: Section) -> [u8; 37] {
    let mut aad = [0; 37];
    aad[..36].copy_from_slice(&luogo.additional());
    aad[36] = section as u8;
    aad
}

/// The nonce of a section: its kind. The data key is one entry's, and encrypts each kind once.
fn nonce(section: Section) -> Nonce {
    let mut nonce = [0; 12];
    nonce[11] = section as u8;
    Nonce::assume_unique_for_key(nonce)
}

/// The commitment to all sections: SHA-256 of their table.
fn committed(table: &[u8]) -> String {
    hex(&sha256(table))
}

/// A sealed part made of its header and its sections, and the commitment to them. None: the encryption
/// failed, or a section is longer than 4 GiB.
pub(super) fn sealed(
    header: &[u8; SLOT],
    luogo: Luogo,
    blinding: &Blinding,
    data_key: &[u8; 32],
    sections: &[SectionBytes<'_>],
) -> Option<(Vec<u8>, String)> {
    let cipher = cipher(data_key).ok()?;
    let content: usize = sections.iter().map(|(_, bytes)| bytes.len() + TAG).sum();
    let mut sealed = Vec::with_capacity(SLOT + ROW * sections.len() + content);
    sealed.extend_from_slice(header);
    for (section, bytes) in sections {
        sealed.extend_from_slice(&[*section as u8, 0, 0, 0]);
        sealed.extend_from_slice(&u32::try_from(bytes.len()).ok()?.to_le_bytes());
        sealed.extend_from_slice(&blinding.committed(section.label(), bytes));
    }
    let commitment = committed(sealed.get(SLOT..)?);
    for (section, bytes) in sections {
        let at = sealed.len();
        sealed.extend_from_slice(bytes);
        let tag = cipher
            .seal_in_place_separate_tag(
                nonce(*section),
                Aad::from(additional(luogo, *section)),
                sealed.get_mut(at..)?,
            )
            .ok()?;
        sealed.extend_from_slice(tag.as_ref());
    }
    Some((sealed, commitment))
}

/// SHA-256 of a sealed part without its bytes 8 to 72, hexadecimal: what an erasure leaves.
pub fn sigillo(sealed: &[u8]) -> String {
    hex(&sha256_of(&[
        sealed.get(..ERASED.start).unwrap_or(sealed),
        sealed.get(ERASED.end..).unwrap_or_default(),
    ]))
}

/// The sections of a sealed part whose data key is known. Each opens when it is asked for.
pub struct Sections<'a> {
    luogo: Luogo,
    blinding: Blinding,
    cipher: LessSafeKey,
    /// Rows of [`ROW`] bytes.
    table: &'a [u8],
    content: &'a [u8],
}

impl std::fmt::Debug for Sections<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sections(..)")
    }
}

impl<'a> Sections<'a> {
    pub(super) fn open(
        data_key: &[u8; 32],
        luogo: Luogo,
        sealed: &'a [u8],
        is_committed: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Unopened> {
        let Some(&[_, count, 0, 0]) = sealed.first_chunk() else {
            return Err(Unopened::Damaged);
        };
        let count = usize::from(count);
        let rest = sealed.get(SLOT..).ok_or(Unopened::Damaged)?;
        let (table, content) = rest.split_at_checked(count * ROW).ok_or(Unopened::Damaged)?;
        if !is_committed(&committed(table)) {
            return Err(Unopened::Commitment);
        }
        if !is_a_table(table, content.len()) {
            return Err(Unopened::Damaged);
        }
        Ok(Self {
            luogo,
            blinding: Blinding::from_bytes(*data_key),
            cipher: cipher(data_key)?,
            table,
            content,
        })
    }

    /// The content of a section, checked against its commitment. None: there is no such section.
    pub fn section(&self, wanted: Section) -> Result<Option<Vec<u8>>, Unopened> {
        let mut at = 0;
        for row in self.table.chunks_exact(ROW) {
            let (head, commitment) = row.split_at_checked(8).ok_or(Unopened::Damaged)?;
            let length = length_of(row).ok_or(Unopened::Damaged)?;
            let end = length.checked_add(at + TAG).ok_or(Unopened::Damaged)?;
            if head.first() != Some(&(wanted as u8)) {
                at = end;
                continue;
            }
            let mut bytes = self.content.get(at..end).ok_or(Unopened::Damaged)?.to_vec();
            let opened = self.cipher.open_in_place(
                nonce(wanted),
                Aad::from(additional(self.luogo, wanted)),
                &mut bytes,
            );
            opened.map_err(|_| Unopened::Damaged)?;
            bytes.truncate(length);
            let own = self.blinding.committed(wanted.label(), &bytes);
            return match own == commitment {
                true => Ok(Some(bytes)),
                false => Err(Unopened::Commitment),
            };
        }
        Ok(None)
    }

    /// All sections as one secret.
    pub(super) fn all(&self) -> Result<(Blinding, Secret), Unopened> {
        let damaged = |_| Unopened::Damaged;
        let mut secret = match self.section(Section::Persone)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| Unopened::Damaged)?,
            None => Secret::default(),
        };
        let text = |section| -> Result<Option<String>, Unopened> {
            let bytes = self.section(section)?;
            bytes.map(String::from_utf8).transpose().map_err(damaged)
        };
        secret.dsu = text(Section::Dsu)?;
        secret.effettiva = text(Section::Effettiva)?;
        secret.attestation = text(Section::Attestazione)?;
        secret.indicatori = self.section(Section::Indicatori)?;
        secret.feed = text(Section::Feed)?
            .map(RawValue::from_string)
            .transpose()
            .map_err(|_| Unopened::Damaged)?;
        secret.receipt = text(Section::Ricevuta)?;
        secret.specifico = text(Section::Specifico)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| Unopened::Damaged)?;
        Ok((self.blinding.clone(), secret))
    }
}

/// The length of a section, by its row. None: the row is short.
fn length_of(row: &[u8]) -> Option<usize> {
    let length = row.get(4..8)?.try_into().ok().map(u32::from_le_bytes)?;
    usize::try_from(length).ok()
}

/// Whether a table has known kinds alone, each once and in order, and sections of just this length.
fn is_a_table(table: &[u8], content: usize) -> bool {
    let (mut last, mut length) = (0, 0_usize);
    for row in table.chunks_exact(ROW) {
        let Some(&[kind, 0, 0, 0]) = row.first_chunk() else {
            return false;
        };
        if kind <= last || Section::of(kind).is_none() {
            return false;
        }
        last = kind;
        length = match length_of(row).and_then(|own| own.checked_add(length + TAG)) {
            Some(length) => length,
            None => return false,
        };
    }
    length == content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: u8, length: u32) -> Vec<u8> {
        let mut row = vec![kind, 0, 0, 0];
        row.extend_from_slice(&length.to_le_bytes());
        row.resize(ROW, 7);
        row
    }

    #[test]
    fn a_table_has_each_kind_once_in_order_and_the_very_length() {
        let table = |rows: &[(u8, u32)]| {
            rows.iter()
                .flat_map(|(kind, length)| row(*kind, *length))
                .collect::<Vec<_>>()
        };
        let (two, tags) = (table(&[(1, 10), (4, 20)]), 2 * TAG);
        assert!(is_a_table(&two, 30 + tags) && is_a_table(&[], 0));
        assert!(!is_a_table(&two, 29 + tags) && !is_a_table(&two, 31 + tags));
        for (wrong, length) in [
            (table(&[(4, 20), (1, 10)]), 30 + tags),
            (table(&[(4, 10), (4, 10)]), 20 + tags),
            (table(&[(0, 10)]), 10 + TAG),
            (table(&[(9, 10)]), 10 + TAG),
            (table(&[(1, u32::MAX), (2, u32::MAX)]), 20),
        ] {
            assert!(!is_a_table(&wrong, length), "{wrong:?}");
        }
        let mut padded = two.clone();
        padded[2] = 1;
        assert!(!is_a_table(&padded, 30 + tags), "bytes that must be zero");
    }
}
