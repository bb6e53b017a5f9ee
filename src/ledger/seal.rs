//! Sealed parts: the personal content of an entry, encrypted under a key of its own (`docs/ledger.md`, "The
//! sealed part").

use aws_lc_rs::aead::{Aad, Nonce};
use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{KeyError, Keys, NoKey, aead, random};
use super::leaf::{Leaf, Retention};
use crate::clock::rome;
use crate::digest::hex;

const HEADER: usize = 84;
const RANDOM: usize = 32;

/// The content of a sealed part. All of it is personal, or may be.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Secret {
    /// Codici fiscali, in the order of their tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cf: Vec<String>,
    /// The operator, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Office named by the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// Protocols, in the order of their tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protocol: Vec<String>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The ente's own number of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// Reason of an administrative act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A DSU, in exclusive canonical form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dsu: Option<String>,
    /// The whole DSU as it counts after this one, if this one refers to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effettiva: Option<String>,
    /// An attestation: element `Attestazione`, compact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<String>,
    /// The specific ISEE: its lines, by their names. No published schema carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specifico: Option<serde_json::Value>,
    /// The receipt of a DSU, or the outcome of a lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// The versions of other DSU used for an attestation, by their protocols.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub riferite: Option<Vec<String>>,
    /// Records of a feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<serde_json::Value>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The entry of a sealed part. Ledger, exchange and ordinal are bound by the encryption. Retention class,
/// ente and month choose the class key.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Id of the ledger.
    pub ledger: Uuid,
    /// Id of the exchange.
    pub exchange: Uuid,
    /// The entry's place among those of its exchange.
    pub ordinal: u32,
    /// Retention class of the entry.
    pub retention: Retention,
    /// Code of the ente, `-` without one.
    pub ente: &'a str,
    /// When the request was received. Its month in Rome chooses the class key.
    pub at: Timestamp,
}

/// The random bytes of an entry. Its commitments are made with them.
#[derive(Clone)]
pub struct Blinding([u8; RANDOM]);

impl Blinding {
    /// New bytes from the operating system's generator.
    pub fn new() -> Result<Self, KeyError> {
        random().map(Self)
    }

    /// From bytes: for vectors and for proofs.
    pub fn from_bytes(bytes: [u8; RANDOM]) -> Self {
        Self(bytes)
    }

    /// The commitment to bytes, hexadecimal.
    pub fn commit(&self, label: &str, bytes: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(label.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        hex(context.sign().as_ref())
    }
}

/// Why a sealed part cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The entry has no sealed part.
    #[error("nessuna parte riservata")]
    Nothing,
    /// Its key was erased.
    #[error("cancellata")]
    Erased,
    /// The keyring has no such class key.
    #[error("la chiave {0} non è nel portachiavi")]
    MissingKey(u32),
    /// The record of the class key is damaged.
    #[error("la chiave {0} è danneggiata")]
    DamagedKey(u32),
    /// The bytes do not open, or do not open to a [`Secret`].
    #[error("danneggiata")]
    Damaged,
    /// The content contradicts the leaf's commitment.
    #[error("non corrisponde a ciò che la foglia attesta")]
    Commitment,
}

impl Unopened {
    /// Whether this is damage. An erased sealed part is none; an entry without one is none either.
    pub fn is_damage(self) -> bool {
        !matches!(self, Self::Nothing | Self::Erased)
    }
}

/// Seals `secret`. Returns the sealed part's bytes and the commitment to its content.
pub fn seal(
    keys: &Keys,
    sealing: &Sealing<'_>,
    blinding: &Blinding,
    secret: &Secret,
) -> Result<(Vec<u8>, String), KeyError> {
    let month = rome(sealing.at);
    let (id, class) = keys.class(sealing.retention, sealing.ente, month.year(), month.month())?;
    let json = serde_json::to_vec(secret).map_err(|_| KeyError::Random)?;
    let commitment = blinding.commit("sealed", &json);
    let mut content = Vec::with_capacity(RANDOM + json.len() + 16);
    content.extend_from_slice(&blinding.0);
    content.extend_from_slice(&json);
    let data_key = random::<32>()?;
    let (wrap_nonce, nonce) = (random::<12>()?, random::<12>()?);
    let aad = additional(sealing.ledger, sealing.exchange, sealing.ordinal);
    let failed = |_| KeyError::Random;
    let mut wrapped = data_key.to_vec();
    class
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(wrap_nonce),
            Aad::from(aad),
            &mut wrapped,
        )
        .map_err(failed)?;
    let own = aead(&data_key).ok_or(KeyError::Random)?;
    own.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut content)
        .map_err(failed)?;

    let mut sealed = Vec::with_capacity(HEADER + content.len());
    sealed.extend_from_slice(&[1, 0, 0, 0]);
    sealed.extend_from_slice(&id.to_le_bytes());
    sealed.extend_from_slice(&wrap_nonce);
    sealed.extend_from_slice(&wrapped);
    let checksum = crc32c::crc32c(&sealed[8..68]);
    sealed.extend_from_slice(&checksum.to_le_bytes());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&content);
    Ok((sealed, commitment))
}

/// The id of the class key of a sealed part. Erasing the part leaves the id. None without a sealed part.
pub fn key_id(sealed: &[u8]) -> Option<u32> {
    sealed.get(4..8)?.try_into().ok().map(u32::from_le_bytes)
}

/// Opens an entry's sealed part and checks it against the leaf's commitment.
pub fn open(keys: &Keys, leaf: &Leaf, sealed: &[u8]) -> Result<(Blinding, Secret), Unopened> {
    let (blinding, json) = open_bytes(keys, leaf, sealed)?;
    let secret = serde_json::from_slice(&json).map_err(|_| Unopened::Damaged)?;
    Ok((blinding, secret))
}

/// The same, unparsed: a [`Secret`] in JSON. The ordinal is the leaf's fact `ordinal`, 0 if absent.
pub fn open_bytes(keys: &Keys, leaf: &Leaf, sealed: &[u8]) -> Result<(Blinding, Vec<u8>), Unopened> {
    if sealed.is_empty() {
        return Err(Unopened::Nothing);
    }
    let header = sealed.get(..HEADER).ok_or(Unopened::Damaged)?;
    if header[8..72].iter().all(|byte| *byte == 0) {
        return Err(Unopened::Erased);
    }
    let id = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
    let class = keys.class_by_id(id).map_err(|why| match why {
        NoKey::Missing => Unopened::MissingKey(id),
        NoKey::Damaged => Unopened::DamagedKey(id),
        NoKey::Erased => Unopened::Erased,
    })?;
    let nonce = |range: std::ops::Range<usize>| -> Option<Nonce> {
        header
            .get(range)?
            .try_into()
            .ok()
            .map(Nonce::assume_unique_for_key)
    };
    let ordinal = leaf.body.ordinal();
    let aad = additional(
        leaf.ledger,
        leaf.body.exchange,
        u32::try_from(ordinal).unwrap_or(u32::MAX),
    );
    let mut wrapped = header[20..68].to_vec();
    let wrap_nonce = nonce(8..20).ok_or(Unopened::Damaged)?;
    let data_key = class
        .open_in_place(wrap_nonce, Aad::from(aad), &mut wrapped)
        .map_err(|_| Unopened::Damaged)?;
    let own = aead(data_key).ok_or(Unopened::Damaged)?;
    let mut content = sealed[HEADER..].to_vec();
    let content_nonce = nonce(72..84).ok_or(Unopened::Damaged)?;
    let length = own
        .open_in_place(content_nonce, Aad::from(aad), &mut content)
        .map_err(|_| Unopened::Damaged)?
        .len();
    content.truncate(length);
    let (blinding, json) = content.split_at_checked(RANDOM).ok_or(Unopened::Damaged)?;
    let blinding = Blinding(blinding.try_into().map_err(|_| Unopened::Damaged)?);
    let committed = leaf
        .body
        .commit
        .as_ref()
        .and_then(|commit| commit.sealed.as_deref());
    if committed != Some(blinding.commit("sealed", json).as_str()) {
        return Err(Unopened::Commitment);
    }
    content.drain(..RANDOM);
    Ok((blinding, content))
}

fn additional(ledger: Uuid, exchange: Uuid, ordinal: u32) -> [u8; 36] {
    let mut aad = [0; 36];
    aad[..16].copy_from_slice(ledger.as_bytes());
    aad[16..32].copy_from_slice(exchange.as_bytes());
    aad[32..].copy_from_slice(&ordinal.to_le_bytes());
    aad
}
