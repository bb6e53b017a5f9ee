//! Finding DSU, attestations and feed records again: by tokens in the views, then in the ledger, where their
//! sealed parts are opened.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::entries::{
    Diritto, Head, any_dsu_name, any_sender_name, current_prefix, declarant_prefix, dsu_name, feed_key,
    feed_name, lot_key, lot_name, named_name, owned_name, person_key, person_name, protocol_key,
    protocol_name, read_presented, read_version, right_name, sender_key, sender_name, version_prefix,
};
use super::seen::{Presentata, Versione, Versioni};
use crate::contract::{self, attestazione_emessa, attestazione_letta};
use crate::isee::CodiceFiscale;
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::sintesi::Sintesi;
use crate::ledger::seal::{Section, Unlocked};
use crate::ledger::{Entry, Ledger, Position, Precondition, Retention, Secret, TokenKey, Unopened};
use crate::sii::SiiError;
use crate::sii::answers::{Attestata, Found};
use crate::sii::facts::{BASE, DI, RILASCIATA};
use crate::sii::protocol::{stem_of, version_of};
use crate::state::{Pair, Store};
use crate::xml::{DocumentLimits, parse};

/// The archive of one ledger.
#[derive(Clone, Debug)]
pub(super) struct Archive {
    ledger: Ledger,
    store: Store,
}

/// How much of an attestation a question reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quanto {
    /// Its summary.
    Sintesi,
    /// Its text, too.
    Testo,
}

/// The parts read of an attestation's sealed part of version 1.
#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    attestation: Option<Cow<'a, str>>,
}

/// Selects the relevant DSU of a declarant for a question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quali<'a> {
    /// Only DSU presented up to this day.
    pub(super) on: Date,
    /// Only DSU of this owner: an ente asking about its own learns nothing of others. `None`: DSU of all
    /// enti.
    pub(super) ente: Option<&'a str>,
    /// The most DSU to look at. With more: [`SiiError::Long`].
    pub(super) most: usize,
}

impl Quali<'_> {
    /// Whether a DSU is relevant.
    pub(super) fn has(&self, dsu: &Presentata) -> bool {
        dsu.presentata <= self.on && self.ente.is_none_or(|ente| dsu.ente == ente)
    }
}

/// A DSU received before, under a sender's protocol.
#[derive(Debug)]
pub(super) struct Earlier {
    /// Token of its fingerprint.
    pub(super) impronta: String,
    /// The token's key.
    pub(super) key: TokenKey,
    /// Position of its entry.
    pub(super) position: Position,
}

impl Archive {
    /// The archive of a ledger and its views.
    pub(super) fn new(ledger: &Ledger, store: &Store) -> Self {
        Self {
            ledger: ledger.clone(),
            store: store.clone(),
        }
    }

    /// A value's tokens in entries of DSU, attestations and feeds: one per key.
    pub(super) fn tokens(&self, label: &str, value: &str) -> Result<Vec<(TokenKey, String)>, SiiError> {
        let keys = self.ledger.keys.token_keys_of(Retention::Dsu);
        keys.into_iter()
            .map(|key| Ok((key, self.ledger.keys.token(key, label, value)?)))
            .collect()
    }

    /// The same, where the token under one key is known.
    fn tokens_with(
        &self,
        label: &str,
        value: &str,
        known: Option<(TokenKey, &str)>,
    ) -> Result<Vec<(TokenKey, String)>, SiiError> {
        let keys = self.ledger.keys.token_keys_of(Retention::Dsu);
        keys.into_iter()
            .map(|key| match known {
                Some((of, token)) if of == key => Ok((key, token.to_owned())),
                _ => Ok((key, self.ledger.keys.token(key, label, value)?)),
            })
            .collect()
    }

    /// A value's tokens in entries of every class.
    pub(super) fn tokens_of_all(&self, label: &str, value: &str) -> Result<Vec<String>, SiiError> {
        let keys = self.ledger.keys.token_keys().into_iter();
        keys.map(|key| Ok(self.ledger.keys.token(key, label, value)?))
            .collect()
    }

    /// The next reading under a key must still stand when the answer is recorded.
    fn observe(&self, key: String, preconditions: &mut Vec<Precondition>) {
        let seen = self.store.reached();
        preconditions.push(Precondition { key, seen });
    }

    /// All pairs under a name. With more than `most`: [`SiiError::Long`].
    fn scan(&self, name: &[u8], most: usize) -> Result<Vec<Pair>, SiiError> {
        let found = self.store.scan_after(name, &[], most.saturating_add(1))?;
        if found.len() > most {
            Err(SiiError::Long)
        } else {
            Ok(found)
        }
    }

    /// The heads of a person's attestations; with `ente`, only of DSU owned by it. With more than `most`
    /// under a name: [`SiiError::Long`]. For some current ISEE among them, only the DSU under them tells the
    /// owner.
    pub(super) fn of_person(
        &self,
        person: &CodiceFiscale,
        ente: Option<&str>,
        most: usize,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Head>, SiiError> {
        let mut heads = Vec::new();
        for (key, token) in self.tokens("cf", &person.canonical())? {
            self.observe(person_key(key, &token), preconditions);
            let names = match ente {
                Some(ente) => vec![owned_name(key, &token, ente), owned_name(key, &token, "")],
                None => vec![person_name(key, &token)],
            };
            for name in names {
                heads.extend(
                    self.scan(&name, most)?
                        .iter()
                        .filter_map(|(_, value)| Head::decode(value)),
                );
            }
        }
        Ok(heads)
    }

    /// The right of a declarant to refer to a DSU, by the protocol of the first version. One look-up per
    /// key, whoever owns the DSU.
    pub(super) fn right(
        &self,
        radice: &str,
        dichiarante: &CodiceFiscale,
    ) -> Result<Option<Diritto>, SiiError> {
        let (stems, persons) = (
            self.tokens("protocol", radice)?,
            self.tokens("cf", &dichiarante.canonical())?,
        );
        let mut found = None;
        for ((key, stem), (_, person)) in stems.iter().zip(&persons) {
            let value = self.store.get(right_name(*key, stem, person))?;
            // Without a value, another one is read in its place, at the same cost.
            let read = Diritto::decode(value.as_deref().unwrap_or(b"ente ente"));
            found = found.or(read.filter(|_| value.is_some()));
        }
        Ok(found)
    }

    /// Whether a DSU names a person. One look-up per key, with or without such a DSU.
    pub(super) fn names(&self, radice: &str, person: &CodiceFiscale) -> Result<bool, SiiError> {
        let (stems, persons) = (
            self.tokens("protocol", radice)?,
            self.tokens("cf", &person.canonical())?,
        );
        let mut named = false;
        for ((key, stem), (_, person)) in stems.iter().zip(&persons) {
            named |= self.store.get(named_name(*key, stem, person))?.is_some();
        }
        Ok(named)
    }

    /// The owner of a DSU, by the protocol of the first version: the ente of this version. A current ISEE
    /// belongs to the owner of the DSU under it.
    pub(super) fn owner(&self, radice: String) -> Result<Option<String>, SiiError> {
        let Some(first) = self
            .versioni(radice.clone(), &mut Vec::new())?
            .0
            .into_iter()
            .next()
        else {
            return Ok(None);
        };
        if first.operazione != TipoOperazione::C {
            return Ok(Some(first.ente));
        }
        let entry = self.entry(&first.position)?;
        if let Some(di) = entry.leaf.body.text(DI) {
            return Ok(Some(di.to_owned()));
        }
        // Earlier builds recorded no owner.
        let Some(secret) = self.open_unless_erased(&entry)? else {
            return Ok(None);
        };
        let form: Option<Dichiarazione> = secret.dsu.as_deref().map(decode).transpose()?;
        let base = form
            .and_then(|form| form.operazione.numero_protocollo_riferimento)
            .map(|protocol| stem_of(&protocol));
        base.filter(|base| *base != radice)
            .map_or(Ok(None), |base| self.owner(base))
    }

    /// Whether an attestation was cancelled, or ended with the DSU under it, by its head alone.
    pub(super) fn is_over(&self, head: &Head) -> Result<bool, SiiError> {
        for radice in [Some(&head.radice), head.base.as_ref()].into_iter().flatten() {
            if self.versioni_of(head.key, radice)?.annullata() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The heads of a protocol's attestation, at most one per key.
    pub(super) fn of_protocol(
        &self,
        protocol: &str,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Head>, SiiError> {
        let mut heads = Vec::new();
        for (key, token) in self.tokens("protocol", protocol)? {
            self.observe(protocol_key(key, &token), preconditions);
            heads.extend(
                self.store
                    .get(protocol_name(key, &token))?
                    .and_then(|value| Head::decode(&value)),
            );
        }
        Ok(heads)
    }

    /// The versions of a DSU, by the protocol of the first one.
    pub(super) fn versioni(
        &self,
        stem: String,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Versioni, SiiError> {
        self.versioni_with(&stem, None, preconditions)
    }

    /// The same, where the token under one key is known.
    pub(super) fn versioni_with(
        &self,
        stem: &str,
        known: Option<(TokenKey, &str)>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Versioni, SiiError> {
        let mut all = Versioni::default();
        for (key, token) in self.tokens_with("protocol", stem, known)? {
            self.observe(protocol_key(key, &token), preconditions);
            all.0.extend(self.versioni_of(key, &token)?.0);
        }
        all.0.sort_by_key(|versione| versione.sequence);
        Ok(all)
    }

    /// The tokens of a DSU's first protocol under each key: `key/token`.
    pub(super) fn stems(&self, radice: &str) -> Result<Vec<String>, SiiError> {
        Ok(self
            .tokens("protocol", radice)?
            .into_iter()
            .map(|(key, token)| format!("{key}/{token}"))
            .collect())
    }

    /// The latest attested version: its protocol and head. A later version may wait.
    pub(super) fn attestata(
        &self,
        radice: &str,
        versioni: &Versioni,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<(String, Head)>, SiiError> {
        let Some(ultima) = versioni.ultima() else {
            return Ok(None);
        };
        for number in (0..=ultima.numero).rev() {
            let Some(protocollo) = version_of(radice, number) else {
                break;
            };
            if let Some(head) = self.of_protocol(&protocollo, preconditions)?.first() {
                return Ok(Some((protocollo, head.clone())));
            }
        }
        Ok(None)
    }

    /// The versions recorded under one key, by the token of the first protocol.
    pub(super) fn versioni_of(&self, key: TokenKey, radice: &str) -> Result<Versioni, SiiError> {
        let found = self.store.scan(version_prefix(key, radice))?;
        let versions: Option<Vec<Versione>> = found
            .iter()
            .map(|(name, value)| read_version(name, value))
            .collect();
        versions
            .map(Versioni)
            .ok_or_else(|| SiiError::Internal("a damaged view".to_owned()))
    }

    /// The DSU of a declarant; the token under one key may be known. With more than `most` under one key:
    /// [`SiiError::Long`].
    pub(super) fn presented_by(
        &self,
        declarant: &CodiceFiscale,
        known: Option<(TokenKey, &str)>,
        most: usize,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Presentata>, SiiError> {
        let mut all = Vec::new();
        for (key, token) in self.tokens_with("cf", &declarant.canonical(), known)? {
            self.observe(person_key(key, &token), preconditions);
            all.extend(
                self.scan(&declarant_prefix(key, &token), most)?
                    .iter()
                    .filter_map(|(_, value)| read_presented(key, value)),
            );
        }
        Ok(all)
    }

    /// The declarant's latest relevant DSU, not cancelled, and all relevant DSU: tokens of first protocols,
    /// recorded under one key. `None`: no such DSU.
    pub(super) fn latest_of(
        &self,
        (key, dichiarante): (TokenKey, &str),
        quali: Quali<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<(String, HashSet<String>)>, SiiError> {
        self.observe(person_key(key, dichiarante), preconditions);
        let found = self.scan(&declarant_prefix(key, dichiarante), quali.most)?;
        let mut all: Vec<_> = found
            .iter()
            .filter_map(|(_, value)| read_presented(key, value))
            .collect();
        all.retain(|dsu| quali.has(dsu));
        all.sort_by_key(|dsu| std::cmp::Reverse((dsu.presentata, dsu.origine)));
        for dsu in &all {
            if !self.versioni_of(key, &dsu.radice)?.annullata() {
                self.observe(protocol_key(key, &dsu.radice), preconditions);
                let last = dsu.radice.clone();
                return Ok(Some((last, all.into_iter().map(|dsu| dsu.radice).collect())));
            }
        }
        Ok(None)
    }

    /// The current ISEE on a DSU, by the protocol of its first version: the heads of their latest versions,
    /// the latest presented first.
    pub(super) fn correnti(&self, stem: &str) -> Result<Vec<Head>, SiiError> {
        let mut latest: BTreeMap<u64, Head> = BTreeMap::new();
        for (key, token) in self.tokens("protocol", stem)? {
            for head in self
                .store
                .scan(current_prefix(key, &token))?
                .iter()
                .filter_map(|(_, value)| Head::decode(value))
            {
                // Versions under two keys stand under two names.
                if latest
                    .get(&head.form())
                    .is_none_or(|known| known.sequence < head.sequence)
                {
                    latest.insert(head.form(), head);
                }
            }
        }
        let mut all: Vec<Head> = latest.into_values().collect();
        all.sort_by_key(Head::order);
        Ok(all)
    }

    /// The latest current ISEE on a DSU, at most `most`, still valid on a day and not cancelled. The views
    /// alone decide.
    pub(super) fn live(&self, stem: &str, on: Date, most: usize) -> Result<Vec<Head>, SiiError> {
        let mut live = Vec::new();
        for head in self
            .correnti(stem)?
            .into_iter()
            .filter(|head| on <= head.scadenza)
        {
            if live.len() == most {
                break;
            }
            if !self.versioni_of(head.key, &head.radice)?.annullata() {
                live.push(head);
            }
        }
        Ok(live)
    }

    /// The entry at a position.
    pub(super) fn entry(&self, position: &Position) -> Result<Entry, SiiError> {
        Ok(self.ledger.reader.entry(position)?)
    }

    /// The heads of attestations under a sender's protocol, whoever the sender.
    pub(super) fn of_sender(&self, protocol: &str) -> Result<Vec<Head>, SiiError> {
        let mut heads = Vec::new();
        for (key, token) in self.tokens("protocol", protocol)? {
            heads.extend(
                self.store
                    .scan(any_sender_name(key, &token))?
                    .iter()
                    .filter_map(|(_, value)| Head::decode(value)),
            );
        }
        Ok(heads)
    }

    /// The DSU transmitted by an ente under a sender's protocol (check K19).
    pub(super) fn earlier(
        &self,
        ente: &str,
        protocol: &str,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<Earlier>, SiiError> {
        let mut found = None;
        for (key, token) in self.tokens("protocol", protocol)? {
            self.observe(sender_key(ente, key, &token), preconditions);
            let Some(value) = self.store.get(sender_name(ente, key, &token))? else {
                continue;
            };
            let split = Position::split_from(&value)
                .ok_or_else(|| SiiError::Internal("a damaged view".to_owned()))?;
            let (impronta, position) = (
                String::from_utf8_lossy(split.0.trim_ascii_end()).into_owned(),
                split.1,
            );
            found = Some(Earlier {
                impronta,
                key,
                position,
            });
        }
        Ok(found)
    }

    /// The position of a protocol's DSU, of any ente.
    pub(super) fn dsu_position(&self, protocol: &str) -> Result<Option<Position>, SiiError> {
        for (key, token) in self.tokens("protocol", protocol)? {
            if let Some((_, value)) = self.store.scan(any_dsu_name(key, &token))?.first() {
                return position_in(value).map(Some);
            }
        }
        Ok(None)
    }

    /// The entry of a protocol's DSU, of any ente.
    pub(super) fn dsu(&self, protocol: &str) -> Result<Option<Entry>, SiiError> {
        self.dsu_position(protocol)?
            .map(|position| self.entry(&position))
            .transpose()
    }

    /// The entry of a protocol's DSU transmitted by this ente. Another ente's DSU is not found, like a
    /// missing one.
    pub(super) fn dsu_of(&self, ente: &str, protocol: &str) -> Result<Option<Entry>, SiiError> {
        for (key, token) in self.tokens("protocol", protocol)? {
            if let Some(value) = self.store.get(dsu_name(key, &token, ente))? {
                return self.entry_at(&value).map(Some);
            }
        }
        Ok(None)
    }

    /// The declaration of a protocol, whoever transmitted it. `None`: no such DSU, or erased.
    pub(super) fn declaration(&self, protocol: &str) -> Result<Option<Dichiarazione>, SiiError> {
        let Some(entry) = self.dsu(protocol)? else {
            return Ok(None);
        };
        let Some(secret) = self.open_unless_erased(&entry)? else {
            return Ok(None);
        };
        let xml = secret
            .effettiva
            .or(secret.dsu)
            .ok_or_else(|| SiiError::Internal("an entry without DSU".to_owned()))?;
        decode(&xml).map(Some)
    }

    /// A lot of an ente, by the fingerprint of its request body.
    pub(super) fn lot(
        &self,
        ente: &str,
        impronta: &str,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<Entry>, SiiError> {
        for (key, token) in self.tokens("lotto", impronta)? {
            self.observe(lot_key(ente, key, &token), preconditions);
            if let Some(value) = self.store.get(lot_name(ente, key, &token))? {
                return self.entry_at(&value).map(Some);
            }
        }
        Ok(None)
    }

    /// A lot of an ente, by its protocol.
    pub(super) fn lot_of_protocol(&self, ente: &str, protocol: &str) -> Result<Option<Entry>, SiiError> {
        for (key, token) in self.tokens("protocol", protocol)? {
            if let Some(value) = self.store.get(lot_name(ente, key, &token))? {
                return self.entry_at(&value).map(Some);
            }
        }
        Ok(None)
    }

    fn entry_at(&self, value: &[u8]) -> Result<Entry, SiiError> {
        self.entry(&position_in(value)?)
    }

    /// The token of a fingerprint.
    pub(super) fn impronta(&self, key: TokenKey, impronta: &str) -> Result<String, SiiError> {
        Ok(self.ledger.keys.token(key, "impronta", impronta)?)
    }

    /// Opens an attestation. `None`: erased.
    pub(super) fn attestation(&self, head: &Head) -> Result<Option<Found>, SiiError> {
        self.attestation_at(&head.position)
    }

    /// Opens the attestation at a position. `None`: erased.
    pub(super) fn attestation_at(&self, position: &Position) -> Result<Option<Found>, SiiError> {
        let entry = self.ledger.reader.entry(position)?;
        let Some(secret) = self.open_unless_erased(&entry)? else {
            return Ok(None);
        };
        let text = secret.attestation.ok_or_else(|| without("attestation"))?;
        let (attestazione, persone) = attestazione_letta(&text).map_err(|error| unread(&error))?;
        let body = &entry.leaf.body;
        // The DSU's owner, even after another ente completed it. Earlier builds recorded a current ISEE as
        // its sender's: the DSU under it tells the owner.
        let ente = match body.get(BASE) {
            Some(_) => self.owner(stem_of(&attestazione.numero_protocollo_dsu))?,
            None => body.text(DI).map(str::to_owned).or_else(|| body.ente.clone()),
        };
        Ok(Some(Found {
            attestazione,
            ente,
            rilasciata: body.day(RILASCIATA),
            feed: secret.feed,
            riferite: secret.riferite,
            persone,
            specifico: secret.specifico,
        }))
    }

    /// Reads an attestation for a question. `None`: erased.
    pub(super) fn read(&self, head: &Head, quanto: Quanto) -> Result<Option<Attestata>, SiiError> {
        let entry = (head.exchange, head.ordinal);
        let read = self
            .ledger
            .unlocked(&head.position, entry, |unlocked| match unlocked {
                Unlocked::Earlier(whole) => {
                    let kept: Kept<'_> =
                        serde_json::from_slice(whole.json()).map_err(|_| Unopened::Damaged)?;
                    let text = kept.attestation.ok_or(Unopened::Damaged)?;
                    let (attestazione, persone) = attestazione_letta(&text).map_err(|_| Unopened::Damaged)?;
                    Ok(Attestata {
                        sintesi: Sintesi::of(&attestazione, persone),
                        testo: match quanto {
                            Quanto::Sintesi => String::new(),
                            Quanto::Testo => attestazione_emessa(&attestazione),
                        },
                    })
                }
                Unlocked::Sections(sections) => {
                    let bytes = sections.section(Section::Indicatori)?.ok_or(Unopened::Damaged)?;
                    let testo = match quanto {
                        Quanto::Sintesi => Vec::new(),
                        Quanto::Testo => sections
                            .section(Section::Attestazione)?
                            .ok_or(Unopened::Damaged)?,
                    };
                    Ok(Attestata {
                        sintesi: Sintesi::decode(&bytes).ok_or(Unopened::Damaged)?,
                        testo: String::from_utf8(testo).map_err(|_| Unopened::Damaged)?,
                    })
                }
            })?;
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Unopened::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a sealed part. `None`: erased.
    pub(super) fn open_unless_erased(&self, entry: &Entry) -> Result<Option<Secret>, SiiError> {
        match self.ledger.open(entry) {
            Ok(secret) => Ok(Some(secret)),
            Err(Unopened::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a sealed part; fails if erased.
    pub(super) fn open(&self, entry: &Entry) -> Result<Secret, SiiError> {
        Ok(self.ledger.open(entry)?)
    }

    /// Adds the state of the feed's records of a person to the preconditions.
    pub(super) fn observe_feed(
        &self,
        person: &CodiceFiscale,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(), SiiError> {
        for (key, token) in self.tokens("cf", &person.canonical())? {
            self.observe(feed_key(key, &token), preconditions);
        }
        Ok(())
    }

    /// The place of the feed's record of a person for a year: an entry, and the record's index in it.
    pub(super) fn feed_place(
        &self,
        person: &CodiceFiscale,
        anno: i16,
    ) -> Result<Option<(Position, usize)>, SiiError> {
        // The feed of the latest key is the latest.
        for (key, token) in self.tokens("cf", &person.canonical())?.into_iter().rev() {
            let Some(value) = self.store.get(feed_name(key, &token, anno))? else {
                continue;
            };
            let place = value.split_at_checked(4).and_then(|(index, position)| {
                Some((
                    Position::decode(position)?,
                    u32::from_be_bytes(index.try_into().ok()?) as usize,
                ))
            });
            return place
                .map(Some)
                .ok_or_else(|| SiiError::Internal("a damaged view".to_owned()));
        }
        Ok(None)
    }

    /// The records of a feed entry, each as written. `None`: erased.
    pub(super) fn feed_records(&self, position: &Position) -> Result<Option<Vec<Box<RawValue>>>, SiiError> {
        #[derive(Deserialize)]
        struct Page {
            feed: Vec<Box<RawValue>>,
        }
        let damaged = |_| Unopened::Damaged;
        let read = self
            .ledger
            .read(&self.entry(position)?, |unlocked| match unlocked {
                Unlocked::Earlier(whole) => {
                    let page: Page = serde_json::from_slice(whole.json()).map_err(damaged)?;
                    Ok(page.feed)
                }
                Unlocked::Sections(sections) => {
                    let feed = sections.section(Section::Feed)?.ok_or(Unopened::Damaged)?;
                    serde_json::from_slice(&feed).map_err(damaged)
                }
            });
        match read {
            Ok(records) => Ok(Some(records)),
            Err(Unopened::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// An entry of our own that lacks what it must have.
fn without(what: &str) -> SiiError {
    SiiError::Internal(format!("an entry without {what}"))
}

fn unread(error: &contract::Unread) -> SiiError {
    SiiError::Internal(error.to_string())
}

/// Reads a value of the views as a position.
fn position_in(value: &[u8]) -> Result<Position, SiiError> {
    Position::decode(value).ok_or_else(|| SiiError::Internal("a damaged view".to_owned()))
}

/// Decodes content kept as XML.
pub(super) fn decode<T: contract::bind::ElementContent>(xml: &str) -> Result<T, SiiError> {
    let document =
        parse(xml, &DocumentLimits::default()).map_err(|error| SiiError::Internal(error.to_string()))?;
    contract::decode(&document).map_err(|error| SiiError::Internal(error.to_string()))
}

/// The heads valid on a day: the latest presented first, then the latest recorded.
pub(super) fn valid_on(heads: &[Head], on: Date) -> Vec<Head> {
    let mut valid: Vec<Head> = heads
        .iter()
        .filter(|head| head.presentata <= on && on <= head.scadenza)
        .cloned()
        .collect();
    valid.sort_by_key(Head::order);
    valid
}

impl Head {
    /// The latest presented first; on one day the later DSU first; among its versions the later first.
    pub(super) fn order(&self) -> std::cmp::Reverse<(Date, u64, u64)> {
        std::cmp::Reverse((self.presentata, self.origine, self.sequence))
    }
}
