//! The keyring: token keys by year, class keys by retention class, ente and month, the key of the series, each wrapped by the master key.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};

use super::disk::{Disk, RealDisk};
use super::leaf::Retention;
use crate::digest::{hex, unhex};

const RECORD: usize = 128;
/// The bytes of a record that erasing its key overwrites with zeros: nonce and wrapped key.
const ERASED: std::ops::Range<usize> = 64..124;
const TOKEN: u8 = 1;
const CLASS: u8 = 2;
const SERIES: u8 = 3;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file.
    #[error("chiavi: {}", crate::italian::io(.0))]
    Io(#[from] io::Error),
    /// A file that is missing or unreadable, with the remedy.
    #[error("{0}: {1}")]
    File(String, String),
    /// The master key's file is not 64 hexadecimal digits.
    #[error("master.key non è una chiave di 32 byte: rimettere quella depositata (varco init dice dove)")]
    Master,
    /// A record that is damaged, or wrapped by another master key.
    #[error("il record {0} del portachiavi è danneggiato o non si apre con questa master.key: rimettere il portachiavi dell'ultima copia")]
    Record(u32),
    /// The operating system gives no randomness.
    #[error("il sistema operativo non dà numeri casuali")]
    Random,
    /// A key could not be synced. The content of the file is not known, and no more keys are made.
    #[error("il portachiavi non si può più scrivere: una chiave non è stata scritta sul disco; riavviare la porta")]
    Lost,
    /// Names an ente too long for a record.
    #[error("il codice dell'ente è troppo lungo")]
    Ente,
}

/// All keys of a data directory. Keys are made when first asked for, and synced before they are used.
pub struct Keys {
    master: LessSafeKey,
    path: PathBuf,
    opened: RwLock<Opened>,
    /// Held while a record is appended.
    appending: Mutex<()>,
    access: Access,
    disk: Arc<dyn Disk>,
    /// Whether a key could not be synced: final, as a failed sync of the log is.
    lost: AtomicBool,
    /// Called then.
    told: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Opened {
    records: u32,
    tokens: HashMap<i16, hmac::Key>,
    series: Option<hmac::Key>,
    class_ids: HashMap<ClassName, u32>,
    classes: HashMap<u32, Result<Arc<LessSafeKey>, NoKey>>,
}

/// Why a class key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The keyring has no record of that number.
    Missing,
    /// Its record is damaged, or wrapped by another master key.
    Damaged,
    /// It was erased: nonce and wrapped key are zeros.
    Erased,
}

/// The purpose of opening a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To make keys too.
    Write,
    /// To read: nothing is changed.
    Read,
    /// To find its defects: a damaged record is no error.
    Inspect,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ClassName {
    retention: u8,
    ente: String,
    year: i16,
    month: u8,
}

/// Makes `master.key` and an empty keyring in a new directory `keys`.
pub fn create(directory: &Path) -> Result<(), KeyError> {
    std::fs::create_dir(directory)?;
    let master = random::<32>()?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(directory.join("master.key"))?;
    io::Write::write_all(&mut file, format!("{}\n", hex(&master)).as_bytes())?;
    file.sync_all()?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(directory.join("keyring"))?.sync_all()?;
    File::open(directory)?.sync_all()?;
    Ok(())
}

fn unreadable(file: &Path, error: &io::Error, remedy: &str) -> KeyError {
    KeyError::File(file.display().to_string(), format!("{}; {remedy}", crate::italian::io(error)))
}

impl Keys {
    /// Opens the keys of a data directory. Class keys that cannot be opened make their entries unreadable, not the ledger; a token key that
    /// cannot be opened is an error, since nobody would be found any more.
    pub fn open(directory: &Path, read_only: bool) -> Result<Self, KeyError> {
        Self::open_for(directory, if read_only { Access::Read } else { Access::Write })
    }

    /// The same, for a purpose.
    pub fn open_for(directory: &Path, access: Access) -> Result<Self, KeyError> {
        Self::open_on(directory, access, Arc::new(RealDisk))
    }

    /// The same, on a disk.
    pub fn open_on(directory: &Path, access: Access, disk: Arc<dyn Disk>) -> Result<Self, KeyError> {
        let master = directory.join("master.key");
        let remedy = "rimettere la chiave master depositata (varco init dice dove conservarla): senza, nessuna parte riservata si apre";
        let text = std::fs::read_to_string(&master).map_err(|error| unreadable(&master, &error, remedy))?;
        let bytes = unhex(text.trim()).filter(|bytes| bytes.len() == 32).ok_or(KeyError::Master)?;
        let keys = Self {
            master: aead(&bytes).ok_or(KeyError::Master)?,
            path: directory.join("keyring"),
            opened: RwLock::default(),
            appending: Mutex::new(()),
            access,
            disk,
            lost: AtomicBool::new(false),
            told: OnceLock::new(),
        };
        keys.load()?;
        Ok(keys)
    }

    fn load(&self) -> Result<(), KeyError> {
        let mut bytes = Vec::new();
        let remedy = "rimettere il portachiavi dell'ultima copia (varco backup --keys)";
        let read = File::open(&self.path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&self.path, &error, remedy))?;
        let whole = used(&bytes);
        if whole != bytes.len() && self.access == Access::Write {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(whole as u64)?;
            file.sync_all()?;
        }
        let mut opened = self.write();
        for record in bytes[..whole].chunks_exact(RECORD) {
            opened.records += 1;
            let id = opened.records;
            let named = name_of(record);
            let key = self.unwrap(record);
            match (record[4], named, key) {
                (TOKEN, Some(name), Ok(key)) => {
                    opened.tokens.insert(name.year, hmac::Key::new(hmac::HMAC_SHA256, &key));
                }
                (SERIES, Some(_), Ok(key)) => opened.series = Some(hmac::Key::new(hmac::HMAC_SHA256, &key)),
                (CLASS, Some(name), key) => {
                    let key = key.and_then(|key| aead(&key).map(Arc::new).ok_or(NoKey::Damaged));
                    opened.class_ids.insert(name, id);
                    opened.classes.insert(id, key);
                }
                _ if self.access == Access::Inspect => {
                    opened.classes.insert(id, Err(NoKey::Damaged));
                }
                _ => return Err(KeyError::Record(id)),
            }
        }
        Ok(())
    }

    /// Class keys that are erased or cannot be opened, by retention class, ente and month: whose entries cannot be read.
    pub fn missing(&self) -> Vec<String> {
        let opened = self.read();
        let mut missing: Vec<String> = opened
            .class_ids
            .iter()
            .filter(|(_, id)| opened.classes.get(id).is_none_or(Result::is_err))
            .map(|(name, id)| format!("{id}: {} {} {}-{:02}", Retention::name_of(name.retention), name.ente, name.year, name.month))
            .collect();
        missing.sort_unstable();
        missing
    }

    /// Ids of records that are damaged, or wrapped by another master key.
    pub fn damaged(&self) -> Vec<u32> {
        let opened = self.read();
        let mut damaged: Vec<u32> =
            opened.classes.iter().filter(|(_, key)| matches!(key, Err(NoKey::Damaged))).map(|(id, _)| *id).collect();
        damaged.sort_unstable();
        damaged
    }

    /// The purpose of a record, in words: retention class, ente and month.
    pub fn describe(&self, id: u32) -> Option<String> {
        let opened = self.read();
        let (name, _) = opened.class_ids.iter().find(|(_, known)| **known == id)?;
        Some(format!("{} {} {}-{:02}", Retention::name_of(name.retention), name.ente, name.year, name.month))
    }

    /// How many records the keyring has: it never shrinks.
    pub fn records(&self) -> u32 {
        self.read().records
    }

    /// The years that have a token key.
    pub fn token_years(&self) -> Vec<i16> {
        let mut years: Vec<i16> = self.read().tokens.keys().copied().collect();
        years.sort_unstable();
        years
    }

    /// The keyed token of a value: what stands for it in leaves and views. The year's key is made if there is none yet.
    pub fn token(&self, year: i16, label: &str, value: &str) -> Result<String, KeyError> {
        let known = self.read().tokens.get(&year).cloned();
        let key = match known {
            Some(key) => key,
            None => self.make_token_key(year)?,
        };
        Ok(token(&key, label, value))
    }

    /// The key of the permutations of series, one for ever: with another, numbers could come out twice. Made if there is none yet.
    pub fn series(&self) -> Result<hmac::Key, KeyError> {
        if let Some(key) = &self.read().series {
            return Ok(key.clone());
        }
        let _appending = self.lock();
        if let Some(key) = &self.read().series {
            return Ok(key.clone());
        }
        let key = random::<32>()?;
        self.append(SERIES, &ClassName { retention: 0, ente: String::new(), year: 0, month: 0 }, &key)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        self.write().series = Some(key.clone());
        Ok(key)
    }

    /// The id and key of a class, made if there is none yet.
    pub(super) fn class(&self, retention: Retention, ente: &str, year: i16, month: i8) -> Result<(u32, Arc<LessSafeKey>), KeyError> {
        let month = u8::try_from(month).unwrap_or_default();
        let name = ClassName { retention: retention.code(), ente: ente.to_owned(), year, month };
        if let Some(found) = self.find_class(&name) {
            return Ok(found);
        }
        let _appending = self.lock();
        if let Some(found) = self.find_class(&name) {
            return Ok(found);
        }
        let key = random::<32>()?;
        let id = self.append(CLASS, &name, &key)?;
        let key = Arc::new(aead(&key).ok_or(KeyError::Random)?);
        let mut opened = self.write();
        opened.class_ids.insert(name, id);
        opened.classes.insert(id, Ok(key.clone()));
        Ok((id, key))
    }

    fn find_class(&self, name: &ClassName) -> Option<(u32, Arc<LessSafeKey>)> {
        let opened = self.read();
        let id = *opened.class_ids.get(name)?;
        opened.classes.get(&id)?.as_ref().ok().map(|key| (id, key.clone()))
    }

    /// A class key by its id.
    pub(super) fn class_by_id(&self, id: u32) -> Result<Arc<LessSafeKey>, NoKey> {
        self.read().classes.get(&id).cloned().unwrap_or(Err(NoKey::Missing))
    }

    fn make_token_key(&self, year: i16) -> Result<hmac::Key, KeyError> {
        let _appending = self.lock();
        if let Some(key) = self.read().tokens.get(&year) {
            return Ok(key.clone());
        }
        let key = random::<32>()?;
        self.append(TOKEN, &ClassName { retention: 0, ente: String::new(), year, month: 0 }, &key)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        self.write().tokens.insert(year, key.clone());
        Ok(key)
    }

    /// Calls `told` if a key cannot be synced.
    pub fn on_loss(&self, told: impl Fn() + Send + Sync + 'static) {
        let _ = self.told.set(Box::new(told));
    }

    /// Appends a record and syncs it. Called with `appending` held. A failed write is cut off again, and the next exchange that needs the
    /// key makes it anew.
    fn append(&self, kind: u8, name: &ClassName, key: &[u8; 32]) -> Result<u32, KeyError> {
        if self.lost.load(Ordering::SeqCst) {
            return Err(KeyError::Lost);
        }
        let id = self.read().records + 1;
        let mut record = [0; RECORD];
        record[..4].copy_from_slice(b"VKEY");
        record[4] = kind;
        record[5] = name.retention;
        record[6..8].copy_from_slice(&name.year.to_le_bytes());
        record[8] = name.month;
        record[9] = u8::try_from(name.ente.len()).map_err(|_| KeyError::Ente)?;
        record[10..58].get_mut(..name.ente.len()).ok_or(KeyError::Ente)?.copy_from_slice(name.ente.as_bytes());
        record[60..64].copy_from_slice(&id.to_le_bytes());
        let nonce = random::<12>()?;
        record[64..76].copy_from_slice(&nonce);
        let mut wrapped = key.to_vec();
        let aad = Aad::from(record[..64].to_vec());
        self.master.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut wrapped).map_err(|_| KeyError::Random)?;
        record[76..124].copy_from_slice(&wrapped);
        let checksum = crc32c::crc32c(&record[..124]);
        record[124..].copy_from_slice(&checksum.to_le_bytes());
        let mut file = self.disk.open(&self.path, false)?;
        let before = u64::from(id - 1) * RECORD as u64;
        if let Err(error) = file.write_all_at(&record, before) {
            // Where this fails too, the next attempt writes over it, and a start cuts it.
            let _ = file.set_len(before);
            return Err(error.into());
        }
        if file.sync_data().is_err() {
            self.lost.store(true, Ordering::SeqCst);
            if let Some(told) = self.told.get() {
                told();
            }
            return Err(KeyError::Lost);
        }
        self.write().records = id;
        Ok(id)
    }

    fn unwrap(&self, record: &[u8]) -> Result<Vec<u8>, NoKey> {
        let part = |range: std::ops::Range<usize>| record.get(range).ok_or(NoKey::Damaged);
        if part(ERASED)?.iter().all(|byte| *byte == 0) {
            return Err(NoKey::Erased);
        }
        if crc32c::crc32c(part(0..124)?).to_le_bytes() != part(124..128)? {
            return Err(NoKey::Damaged);
        }
        let nonce: [u8; 12] = part(64..76)?.try_into().map_err(|_| NoKey::Damaged)?;
        let mut wrapped = part(76..124)?.to_vec();
        let aad = Aad::from(part(0..64)?);
        let key = self.master.open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut wrapped).map_err(|_| NoKey::Damaged)?;
        Ok(key.to_vec())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Opened> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Opened> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.appending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// The token of a value under a key.
pub(super) fn token(key: &hmac::Key, label: &str, value: &str) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(label.as_bytes());
    context.update(&[0]);
    context.update(value.as_bytes());
    hex(context.sign().as_ref().get(..16).unwrap_or_default())
}

/// Length of the records that were ever used. A last one that is cut short, or all zeros since a power cut came between the file's length
/// and its content, was never synced, so never used.
fn used(bytes: &[u8]) -> usize {
    let mut records = bytes.chunks_exact(RECORD);
    let unsynced = records.next_back().is_some_and(|last| last.iter().all(|byte| *byte == 0));
    (bytes.len() / RECORD - usize::from(unsynced)) * RECORD
}

fn name_of(record: &[u8]) -> Option<ClassName> {
    (record.get(..4)? == b"VKEY").then_some(())?;
    let ente = record.get(10..10 + usize::from(record[9]))?;
    Some(ClassName {
        retention: record[5],
        ente: String::from_utf8(ente.to_vec()).ok()?,
        year: i16::from_le_bytes([record[6], record[7]]),
        month: record[8],
    })
}

pub(super) fn aead(key: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

/// Random bytes of the operating system's generator.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}
