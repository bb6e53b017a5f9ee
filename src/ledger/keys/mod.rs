//! The keyring: token keys by year and class, class keys by retention class, ente and month, the key of the
//! series, each wrapped by the master key.
//!
//! A [`Vault`] has the master key, a [`Ring`] the wrapped keys: both are files here, and neither need be.

mod record;
mod ring;
mod vault;
mod wrong;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use aws_lc_rs::aead::LessSafeKey;
use aws_lc_rs::hmac;

pub use self::record::RECORD;
pub use self::ring::Ring;
pub(super) use self::vault::aead;
pub use self::vault::{Vault, Wrapped};
pub use self::wrong::{Access, KeyError, NoKey, random};

use self::record::{KeyName, Use};
use self::ring::FileRing;
use self::vault::Master;
use self::wrong::unreadable;
use super::disk::{Disk, RealDisk};
use super::leaf::{Retention, TokenKey};
use crate::digest::{hex, unhex};

/// All keys of a data directory. Keys are made when first asked for, and synced before they are used.
pub struct Keys {
    vault: Box<dyn Vault>,
    ring: Box<dyn Ring>,
    opened: RwLock<OpenKeys>,
    /// Held while a record is appended.
    appending: Mutex<()>,
    access: Access,
    /// The year that [`Keys::begin`] made keys for.
    begun: AtomicI16,
    /// Whether a key could not be synced: final, as a failed sync of the log is.
    lost: AtomicBool,
    /// Called once a key could not be synced: see [`Keys::on_loss`].
    told: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct OpenKeys {
    records: u32,
    /// Few: one for each year and class, in their order.
    tokens: Vec<(TokenKey, Arc<hmac::Key>)>,
    /// Token keys erased: nobody is found any more under their tokens, and none is made in their place.
    erased: Vec<(u32, TokenKey)>,
    series: Option<hmac::Key>,
    class_ids: HashMap<KeyName, u32>,
    classes: HashMap<u32, Result<Arc<LessSafeKey>, NoKey>>,
}

impl OpenKeys {
    /// Takes a key in. `false`: the record has no readable name, or its key, for tokens or for series, cannot
    /// be had. A token key may be erased.
    fn take(&mut self, id: u32, named: Option<(Use, KeyName)>, key: Result<[u8; 32], NoKey>) -> bool {
        match (named, key) {
            (Some((used @ (Use::Token | Use::ClassToken), name)), key) => {
                let Some(named) = name.token_key(used) else {
                    return false;
                };
                match key {
                    Ok(key) => {
                        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key));
                        let place = self.tokens.partition_point(|(known, _)| *known <= named);
                        self.tokens.insert(place, (named, key));
                    }
                    Err(NoKey::Erased) => self.erased.push((id, named)),
                    Err(_) => return false,
                }
            }
            (Some((Use::Series, _)), Ok(key)) => self.series = Some(hmac::Key::new(hmac::HMAC_SHA256, &key)),
            (Some((Use::Class, name)), key) => {
                self.class_ids.insert(name, id);
                self.classes.insert(
                    id,
                    key.and_then(|key| aead(&key).map(Arc::new).ok_or(NoKey::Damaged)),
                );
            }
            (None | Some(_), _) => return false,
        }
        true
    }

    /// The token key of a name; the last, should a ring have two.
    fn token(&self, key: TokenKey) -> Option<Arc<hmac::Key>> {
        let mut all = self.tokens.iter().rev();
        all.find(|(known, _)| *known == key).map(|(_, key)| key.clone())
    }

    fn class(&self, name: &KeyName) -> Option<(u32, Arc<LessSafeKey>)> {
        let id = *self.class_ids.get(name)?;
        self.classes.get(&id)?.as_ref().ok().map(|key| (id, key.clone()))
    }
}

/// Makes `master.key` and an empty keyring in a new directory `keys`.
pub fn create(directory: &Path) -> Result<(), KeyError> {
    std::fs::create_dir(directory)?;
    let master = random::<32>()?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(directory.join("master.key"))?;
    io::Write::write_all(&mut file, format!("{}\n", hex(&master)).as_bytes())?;
    file.sync_all()?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(directory.join("keyring"))?
        .sync_all()?;
    File::open(directory)?.sync_all()?;
    Ok(())
}

impl Keys {
    /// Opens the keys of a data directory. A class key that cannot be opened makes its entries unreadable,
    /// not the ledger. A token key that cannot be opened is an error: nobody would be found any more.
    pub fn open(directory: &Path, read_only: bool) -> Result<Self, KeyError> {
        Self::open_for(directory, if read_only { Access::Read } else { Access::Write })
    }

    /// The same, for a purpose.
    pub fn open_for(directory: &Path, access: Access) -> Result<Self, KeyError> {
        Self::open_on(directory, access, Arc::new(RealDisk))
    }

    /// The same, on a given disk.
    pub fn open_on(directory: &Path, access: Access, disk: Arc<dyn Disk>) -> Result<Self, KeyError> {
        let master = directory.join("master.key");
        let remedy = "rimettere la chiave master depositata (varco init dice dove conservarla): senza, nessuna parte riservata si apre";
        let text = std::fs::read_to_string(&master).map_err(|error| unreadable(&master, &error, remedy))?;
        let master = unhex(text.trim())
            .and_then(|bytes| Master::new(&bytes))
            .ok_or(KeyError::Master)?;
        Self::of(
            Box::new(master),
            Box::new(FileRing {
                path: directory.join("keyring"),
                access,
                disk,
            }),
            access,
        )
    }

    /// Wraps a key that is not in the keyring. It opens again only for the same `name`.
    pub fn wrap(&self, name: &[u8], key: &[u8; 32]) -> Result<Wrapped, KeyError> {
        self.vault.wrap(name, key)
    }

    /// Unwraps such a key. `None`: another vault wrapped it, or for another `name`.
    pub fn unwrap(&self, name: &[u8], wrapped: &Wrapped) -> Option<[u8; 32]> {
        self.vault.unwrap(name, wrapped)
    }

    /// The keys of a ring, opened by a vault.
    pub fn of(vault: Box<dyn Vault>, ring: Box<dyn Ring>, access: Access) -> Result<Self, KeyError> {
        let keys = Self {
            vault,
            ring,
            opened: RwLock::default(),
            appending: Mutex::new(()),
            access,
            begun: AtomicI16::new(0),
            lost: AtomicBool::new(false),
            told: OnceLock::new(),
        };
        keys.load()?;
        Ok(keys)
    }

    /// Takes in the records of the ring not read before. Returns their number.
    fn load(&self) -> Result<usize, KeyError> {
        let records = self.ring.read()?;
        let mut opened = self.write();
        let known = opened.records as usize;
        let new = records.get(known..).ok_or(KeyError::Fewer)?;
        for bytes in new {
            let id = opened.records + 1;
            let record = record::read(bytes);
            let key = record
                .wrapped
                .and_then(|wrapped| self.vault.unwrap(&record.bound, &wrapped).ok_or(NoKey::Damaged));
            if !opened.take(id, record.named, key) {
                if self.access != Access::Inspect {
                    return Err(KeyError::Record(id));
                }
                opened.classes.insert(id, Err(NoKey::Damaged));
            }
            opened.records = id;
        }
        Ok(new.len())
    }

    /// Keys erased or damaged. Class keys, by id, retention class, ente and month: their entries cannot be
    /// read. Token keys, by id, year and retention class: nobody is found under their tokens.
    pub fn missing(&self) -> Vec<String> {
        let opened = self.read();
        let mut missing: Vec<String> = opened
            .class_ids
            .iter()
            .filter(|(_, id)| opened.classes.get(id).is_none_or(Result::is_err))
            .map(|(name, id)| format!("{id}: {name}"))
            .collect();
        let erased = opened.erased.iter();
        missing.extend(erased.map(|(id, key)| format!("{id}: pseudonimi {key}")));
        missing.sort_unstable();
        missing
    }

    /// Ids of damaged records, and of records wrapped by another master key.
    pub fn damaged(&self) -> Vec<u32> {
        let opened = self.read();
        let mut damaged: Vec<u32> = opened
            .classes
            .iter()
            .filter(|(_, key)| matches!(key, Err(NoKey::Damaged)))
            .map(|(id, _)| *id)
            .collect();
        damaged.sort_unstable();
        damaged
    }

    /// The purpose of a class key's record, in words: retention class, ente and month. None for other
    /// records.
    pub fn describe(&self, id: u32) -> Option<String> {
        let opened = self.read();
        let (name, _) = opened.class_ids.iter().find(|(_, known)| **known == id)?;
        Some(name.to_string())
    }

    /// The number of records of the keyring. It never shrinks.
    pub fn records(&self) -> u32 {
        self.read().records
    }

    /// All token keys, by year and class.
    pub fn token_keys(&self) -> Vec<TokenKey> {
        self.read().tokens.iter().map(|(key, _)| *key).collect()
    }

    /// The token keys for entries of a class, by year: its own, and those for all classes.
    pub fn token_keys_of(&self, class: Retention) -> Vec<TokenKey> {
        let opened = self.read();
        let keys = opened.tokens.iter().map(|(key, _)| *key);
        keys.filter(|key| key.class.is_none_or(|of| of == class))
            .collect()
    }

    /// The keyed token of a value: it stands for the value in leaves and views. The key is made if there is
    /// none yet.
    pub fn token(&self, key: TokenKey, label: &str, value: &str) -> Result<String, KeyError> {
        let known = self.read().token(key);
        let key = match known {
            Some(known) => known,
            None if self.read().erased.iter().any(|(_, erased)| *erased == key) => {
                return Err(KeyError::Erased(key));
            }
            None => {
                let used = key.class.map_or(Use::Token, |_| Use::ClassToken);
                self.found_or_made(used, || KeyName::token(key), |opened| opened.token(key))?
            }
        };
        Ok(token(&key, label, value))
    }

    /// Has the token keys of a year, one for each class. Called before the first look-up of an exchange.
    /// Entries recorded meanwhile under them then move names seen by the look-up.
    pub fn begin(&self, year: i16) -> Result<(), KeyError> {
        if self.begun.load(Ordering::SeqCst) == year {
            return Ok(());
        }
        for class in Retention::ALL {
            let class = Some(class);
            self.token(TokenKey { year, class }, "cf", "")?;
        }
        self.begun.store(year, Ordering::SeqCst);
        Ok(())
    }

    /// The key of the permutations of series, one for ever: with another, numbers could come out twice. Made
    /// if there is none yet.
    pub fn series(&self) -> Result<hmac::Key, KeyError> {
        self.found_or_made(Use::Series, KeyName::series, |opened| opened.series.clone())
    }

    /// The id and key of a class, made if there is none yet.
    pub(super) fn class(
        &self,
        retention: Retention,
        ente: &str,
        year: i16,
        month: i8,
    ) -> Result<(u32, Arc<LessSafeKey>), KeyError> {
        let month = u8::try_from(month).unwrap_or_default();
        let name = KeyName {
            retention: retention.code(),
            ente: ente.to_owned(),
            year,
            month,
        };
        self.found_or_made(Use::Class, || name.clone(), |opened| opened.class(&name))
    }

    /// A class key by its id.
    pub(super) fn class_by_id(&self, id: u32) -> Result<Arc<LessSafeKey>, NoKey> {
        self.read()
            .classes
            .get(&id)
            .cloned()
            .unwrap_or(Err(NoKey::Missing))
    }

    /// The key found by `find`. Without one, makes the key, unless somebody else appended it to the ring
    /// meanwhile.
    fn found_or_made<T>(
        &self,
        used: Use,
        name: impl Fn() -> KeyName,
        find: impl Fn(&OpenKeys) -> Option<T>,
    ) -> Result<T, KeyError> {
        if let Some(found) = find(&self.read()) {
            return Ok(found);
        }
        let _appending = self.lock();
        loop {
            if let Some(found) = find(&self.read()) {
                return Ok(found);
            }
            self.make(used, name())?;
        }
    }

    /// Calls `told` if a key cannot be synced.
    pub fn on_loss(&self, told: impl Fn() + Send + Sync + 'static) {
        let _ = self.told.set(Box::new(told));
    }

    /// Appends a new key to the ring. If somebody else appended meanwhile, takes in their records and makes
    /// none. Called with `appending` held.
    fn make(&self, used: Use, name: KeyName) -> Result<(), KeyError> {
        if self.lost.load(Ordering::SeqCst) {
            return Err(KeyError::Lost);
        }
        let before = self.read().records;
        let id = before + 1;
        let key = random::<32>()?;
        let bound = record::bound(used, &name, id)?;
        let record = record::write(&bound, &self.vault.wrap(&bound, &key)?);
        match self.ring.append(before, &record) {
            Ok(true) => {
                let mut opened = self.write();
                opened.records = id;
                opened.take(id, Some((used, name)), Ok(key));
                Ok(())
            }
            Ok(false) if self.load()? == 0 => Err(KeyError::Fewer),
            Ok(false) => Ok(()),
            Err(KeyError::Lost) => {
                self.lost.store(true, Ordering::SeqCst);
                if let Some(told) = self.told.get() {
                    told();
                }
                Err(KeyError::Lost)
            }
            Err(error) => Err(error),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, OpenKeys> {
        self.opened.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, OpenKeys> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A ring shared by several keyrings, as a database would be.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<[u8; RECORD]>>>);

    impl Shared {
        fn records(&self) -> MutexGuard<'_, Vec<[u8; RECORD]>> {
            self.0.lock().unwrap()
        }

        fn keys(&self) -> Result<Keys, KeyError> {
            Keys::of(
                Box::new(Master::new(&[7; 32]).unwrap()),
                Box::new(self.clone()),
                Access::Write,
            )
        }
    }

    impl Ring for Shared {
        fn read(&self) -> Result<Vec<[u8; RECORD]>, KeyError> {
            Ok(self.records().clone())
        }

        fn append(&self, before: u32, record: &[u8; RECORD]) -> Result<bool, KeyError> {
            let mut records = self.records();
            let free = records.len() == before as usize;
            if free {
                records.push(*record);
            }
            Ok(free)
        }
    }

    #[test]
    fn two_who_share_a_ring_have_the_same_keys() {
        let ring = Shared::default();
        let (one, other) = (ring.keys().unwrap(), ring.keys().unwrap());
        let all = |keys: &Keys| {
            let tokens = (2020..2030)
                .map(|year| keys.token(TokenKey { year, class: None }, "cf", "X").unwrap())
                .collect::<Vec<_>>();
            let classes = (1..13)
                .map(|month| keys.class(Retention::Dsu, "comune", 2026, month).unwrap().0)
                .collect::<std::collections::BTreeSet<_>>();
            let series = hmac::sign(&keys.series().unwrap(), b"x").as_ref().to_vec();
            (tokens, classes, series)
        };
        let (ours, theirs) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| all(&other));
            (all(&one), theirs.join().unwrap())
        });
        assert_eq!(ours, theirs);
        assert_eq!(ring.records().len(), 10 + 12 + 1);
        assert_eq!(all(&ring.keys().unwrap()), ours);
    }

    #[test]
    fn a_ring_that_has_lost_records_makes_no_key() {
        let ring = Shared::default();
        let keys = ring.keys().unwrap();
        keys.token(
            TokenKey {
                year: 2026,
                class: None,
            },
            "cf",
            "X",
        )
        .unwrap();
        ring.records().clear();
        assert!(matches!(
            keys.token(
                TokenKey {
                    year: 2027,
                    class: None
                },
                "cf",
                "X"
            ),
            Err(KeyError::Fewer)
        ));
        assert!(ring.records().is_empty());
    }

    /// Pseudonyms die with their class: an erased key is known, makes no token, and gets no successor.
    #[test]
    fn an_erased_token_key_stays_erased_and_the_others_work() {
        let ring = Shared::default();
        ring.keys().unwrap().begin(2026).unwrap();
        let [of, other] = [Retention::Consultazione, Retention::Dsu].map(|class| TokenKey {
            year: 2026,
            class: Some(class),
        });
        let before = ring.keys().unwrap().token(other, "cf", "X").unwrap();
        let uses: Vec<u8> = ring.records().iter().map(|record| record[4]).collect();
        assert_eq!(
            uses,
            [4, 4, 4, 4],
            "no build for an earlier format takes them for the year's"
        );
        ring.records()[0][64..124].fill(0);
        let keys = ring.keys().unwrap();
        assert!(matches!(keys.token(of, "cf", "X"), Err(KeyError::Erased(key)) if key == of));
        assert_eq!(keys.token(other, "cf", "X").unwrap(), before);
        assert_eq!(keys.token_keys_of(Retention::Consultazione), []);
        assert_eq!(keys.missing(), ["1: pseudonimi 2026-consultazione"]);
        assert_eq!(ring.records().len(), 4);
        // A damaged one is no erased one.
        ring.records()[1][70] ^= 1;
        assert!(matches!(ring.keys(), Err(KeyError::Record(2))));
    }

    #[test]
    fn a_year_begins_with_a_key_for_each_class() {
        let ring = Shared::default();
        let keys = ring.keys().unwrap();
        for (year, records) in [(2026, 4), (2026, 4), (2027, 8), (2026, 8)] {
            keys.begin(year).unwrap();
            assert_eq!(ring.records().len(), records, "{year}");
        }
    }

    #[test]
    fn a_vault_opens_what_it_wrapped_under_the_name_it_had() {
        let (vault, other) = (Master::new(&[7; 32]).unwrap(), Master::new(&[8; 32]).unwrap());
        let wrapped = vault.wrap(b"name", &[1; 32]).unwrap();
        assert_eq!(vault.unwrap(b"name", &wrapped), Some([1; 32]));
        assert_eq!(vault.unwrap(b"another", &wrapped), None);
        assert_eq!(other.unwrap(b"name", &wrapped), None);
        assert!(wrapped.0.iter().enumerate().all(|(at, byte)| {
            let mut altered = wrapped;
            altered.0[at] = byte ^ 1;
            vault.unwrap(b"name", &altered).is_none()
        }));
        assert!(vault.wrap(b"name", &[1; 32]).unwrap() != wrapped);
        assert!(Master::new(&[7; 31]).is_none());
    }
}
