//! The embedded SII: receives DSU, attests at once, answers from the archive.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::archive::{Archive, Quali, decode, number_of, stem_of, valid_on, version_of};
use super::entries::{Head, lot_key};
use super::feed::Consultato;
use super::regole::Applicate;
use super::{Answer, Answering, Found, InAttesa, Occasion, Outcome, Question, Resuming, Sii, SiiError, status};
use crate::clock::{Clock, rome};
use crate::config::{Attesta, Config};
use crate::contract::catalogue::Operation;
use crate::contract::consultazione::Chiave;
use crate::contract::trasmissione::{DsuDelLotto, EsitoLotto};
use crate::contract::{ISEE_NS, message, persons};
use crate::isee::CodiceFiscale;
use crate::isee::calendar::Calendario;
use crate::isee::compute::casi::{Indicatori, Situazione};
use crate::isee::compute::componente::Riferita;
use crate::isee::compute::income_year;
use crate::isee::dsu::Dichiarazione;
use crate::isee::feed::{Feed, FeedRecord};
use crate::isee::rules::{RuleError, RuleSet, Rules};
use crate::ledger::permutation::Permutation;
use crate::ledger::uses::Uses;
use crate::ledger::{Blinding, Body, Draft, Kind, Ledger, Precondition, Retention, Secret, Tokens};
use crate::registry::{Permit, Purpose, Registry};
use crate::state::Store;
use crate::state::numbers::Series;
use crate::xml::{Limits, parse};

/// Protocols are reserved by the hundred.
const BLOCK: u64 = 100;
/// The series of a year: of DSU, and of lots.
pub const SERIES: [&str; 2] = ["protocollo", "flusso"];

/// Serial numbers of eight digits.
const SERIALS: u32 = 100_000_000;
/// Letters that may follow one.
const LETTERS: u32 = 25;

/// A place among serial numbers and letters, as protocols have it. No rule for the letter is published. Earlier builds counted
/// serials, and the letter was the serial modulo 26: that letter is left out, so that none of their protocols is given again.
fn printed(place: u32) -> String {
    let (serial, letter) = (place / LETTERS, place % LETTERS);
    let letter = letter + u32::from(letter >= serial % 26);
    format!("{serial:08}{}", char::from(b'A' + u8::try_from(letter).unwrap_or_default()))
}

/// Protocols that one declaration may name in vain and still be accepted, computed without them: as many as an ente has attempts for a declarant.
/// With more it would try, in one go, more protocols than these.
pub(super) const IN_VAIN: u32 = 10;

/// Check K19: a sender's protocol stands for one DSU.
pub const ALREADY_USED: (&str, &str) = ("K19.contenuto", "protocollo del mittente già usato per una DSU diversa");
/// Where a sender's protocol is.
pub const SENDERS_PROTOCOL: &str = "/Dichiarazione/Sottoscrizione/@ProtocolloMittente";

/// The SII on this ledger.
#[derive(Debug)]
pub struct Embedded {
    pub(super) ledger: Ledger,
    pub(super) archive: Archive,
    /// Names of enti.
    registry: Registry,
    pub(super) store: Store,
    clock: Clock,
    pub(super) settings: Settings,
    /// How often each DSU was read.
    pub(super) uses: Uses,
    /// Series of protocols, by their names.
    series: tokio::sync::Mutex<HashMap<String, std::sync::Arc<Series>>>,
}

/// What an operator decides of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The rule sets.
    pub rules: Rules,
    /// When a DSU is attested, of whose members not everything is known.
    pub attesta: Attesta,
    /// On which days offices work.
    pub calendario: Calendario,
}

impl Settings {
    /// Nothing is changed.
    pub fn embedded() -> Result<Self, RuleError> {
        Ok(Self { rules: Rules::embedded()?, attesta: Attesta::default(), calendario: Calendario::default() })
    }

    /// As a configuration says.
    pub fn configured(config: &Config) -> Result<Self, RuleError> {
        let wrong = |day| RuleError::Choice(format!("sii.festivi: {day} non è MM-GG né AAAA-MM-GG"));
        let calendario = Calendario::with(&config.sii.festivi).map_err(wrong)?;
        Ok(Self { rules: Rules::configured(&config.regole)?, attesta: config.sii.attesta, calendario })
    }
}

impl Sii for Embedded {
    fn answer<'a>(&'a self, permit: &'a Permit, question: Question<'a>, occasion: Occasion) -> Answering<'a> {
        Box::pin(async move {
            match question {
                Question::Attestazione { chiave, on } => self.find(permit, chiave, on, occasion),
                Question::Dichiarazione { chiave, on } => self.declared(permit, chiave, on, occasion),
                Question::Protocollo { dichiarante, protocollo } => self.exists(dichiarante, protocollo, occasion),
                Question::Ricezione(trasmessa) => self.receive(permit, trasmessa, occasion).await,
                Question::EsitoDsu(chiave) => status::of_dsu(&self.archive, &self.registry, &permit.ente().codice, chiave),
                Question::EsitoLotto(chiave) => status::of_lot(&self.archive, &permit.ente().codice, chiave),
                Question::Lotto(dsu, impronta) => self.keep_lot(permit, dsu, impronta, occasion).await,
            }
        })
    }

    fn resume(&self, now: Timestamp) -> Resuming<'_, usize> {
        Box::pin(self.attest_waiting(now))
    }

    fn waiting(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError> {
        self.what_waits(now, most)
    }

    fn apply_rules(&self, prova: bool, now: Timestamp) -> Resuming<'_, Applicate> {
        Box::pin(self.recompute_all(prova, now))
    }
}

impl Embedded {
    /// Over this ledger and these views.
    pub fn new(ledger: &Ledger, store: &Store, clock: &Clock, settings: Settings, uses: Uses) -> Self {
        Self {
            ledger: ledger.clone(),
            archive: Archive::new(ledger, store),
            registry: Registry::new(store.clone()),
            store: store.clone(),
            clock: clock.clone(),
            settings,
            uses,
            series: tokio::sync::Mutex::default(),
        }
    }

    fn find(&self, permit: &Permit, chiave: &Chiave, on: Date, occasion: Occasion) -> Result<Outcome, SiiError> {
        let (found, preconditions) = self.look_for(permit, chiave, on, occasion)?;
        Ok(Outcome::read(found.map_or(Answer::NotFound, |found| Answer::Found(Box::new(found))), preconditions))
    }

    /// The DSU behind the attestation that a key finds, completed as INPS does.
    fn declared(&self, permit: &Permit, chiave: &Chiave, on: Date, occasion: Occasion) -> Result<Outcome, SiiError> {
        let (found, preconditions) = self.look_for(permit, chiave, on, occasion)?;
        let answer = match found {
            Some(found) => self.complete(found)?,
            None => Answer::NotFound,
        };
        Ok(Outcome::read(answer, preconditions))
    }

    fn complete(&self, found: Found) -> Result<Answer, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let protocollo = found.protocollo().to_owned();
        let Some(entry) = self.archive.dsu(&protocollo)? else { return Err(internal("an attestation without its DSU")) };
        let Some(secret) = self.archive.open_unless_erased(&entry)? else { return Ok(Answer::NotFound) };
        let mut dsu: Dichiarazione = decode(&secret.effettiva.or(secret.dsu).ok_or_else(|| internal("an entry without DSU"))?)?;
        // What it was computed with; where that was not kept, what is known now.
        let known = match found.feed.and_then(|feed| serde_json::from_str(feed.get()).ok()) {
            Some(known) => known,
            None => self.known(&dsu, found.attestazione.data_presentazione)?,
        };
        dsu.complete(&protocollo, &known, income_year(found.attestazione.data_presentazione));
        // All persons in it, whoever named them: the first declaration or one that completed it.
        let persone = persons_of(&message("Dichiarazione", ISEE_NS, &dsu, false))?;
        Ok(Answer::Declared(Box::new(dsu), protocollo, persone))
    }

    fn exists(&self, dichiarante: &CodiceFiscale, protocollo: &str, occasion: Occasion) -> Result<Outcome, SiiError> {
        let mut preconditions = Vec::new();
        let radice = stem_of(protocollo);
        // Another declarant's is not read, as if there were none.
        let own = self.archive.right(&radice, dichiarante)?.is_some();
        let stands = own && !self.archive.versioni(radice, &mut preconditions)?.annullata();
        // Attested or not: it was received.
        let position = if stands { self.archive.dsu_position(protocollo)? } else { None };
        let exists = match position {
            Some(position) => {
                occasion.allows(&position)?;
                self.archive.open_unless_erased(&self.archive.entry(&position)?)?.is_some()
            }
            None => false,
        };
        Ok(Outcome::read(if exists { Answer::Exists } else { Answer::NotFound }, preconditions))
    }

    /// What the feed knows of the members, for the year of their incomes.
    fn known(&self, dsu: &Dichiarazione, presented: Date) -> Result<Vec<FeedRecord>, SiiError> {
        let year = income_year(presented);
        let feed = Consultato::new(&self.archive);
        dsu.fogli().filter_map(|sheet| feed.find(&sheet.codice_fiscale, year).transpose()).collect()
    }

    /// All indicators of a DSU, and what they were computed from.
    pub(super) fn compute(
        &self,
        dsu: &Dichiarazione,
        presented: Date,
        rules: &RuleSet,
        da: Da<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(Indicatori, Fonti), SiiError> {
        let kept = match da {
            Da::Adesso => None,
            Da::Prima(kept) | Da::Solo(kept) => Some(kept),
        };
        let (riferite, versions) = self.riferite(dsu, kept.and_then(|kept| kept.riferite.as_deref()), preconditions)?;
        let known = kept.map(|kept| kept.known.clone()).unwrap_or_default();
        let feed = Reading { feed: Consultato::new(&self.archive), only: matches!(da, Da::Solo(_)), found: RefCell::new(Ok(known)) };
        let situazione = Situazione { dsu, presented, rules, feed: &feed, altre: &riferite };
        let indicatori = situazione.indicatori().map_err(|error| SiiError::Internal(error.to_string()));
        // What the Agency knows of accounts is of the year of the assets.
        if rules.assets_year(presented) != income_year(presented) {
            dsu.codici().into_iter().for_each(|code| drop(feed.find(&CodiceFiscale::new(code), rules.assets_year(presented))));
        }
        let known = feed.found.into_inner()?;
        Ok((indicatori?, Fonti { known, riferite: Some(versions) }))
    }

    /// How many protocols a declaration names in vain, besides its own reference: there is no such DSU, or the person is not in it. Beyond
    /// [`IN_VAIN`] it is not counted how many more.
    pub(super) fn infondati(&self, dsu: &Dichiarazione) -> Result<u32, SiiError> {
        let mut infondati = 0;
        for (protocollo, persona) in dsu.riferimenti_distinti() {
            if infondati > IN_VAIN {
                break;
            }
            let radice = stem_of(protocollo);
            let persona = CodiceFiscale::new(persona.unwrap_or_default());
            let founded = self.archive.names(&radice, &persona)? && self.is_in(&persona, radice)?;
            infondati += u32::from(!founded);
        }
        Ok(infondati)
    }

    /// Whether a person has a sheet in the latest version of a DSU.
    fn is_in(&self, persona: &CodiceFiscale, radice: String) -> Result<bool, SiiError> {
        let versioni = self.archive.versioni(radice.clone(), &mut Vec::new())?;
        let Some(version) = versioni.ultima().and_then(|ultima| version_of(&radice, ultima.numero)) else { return Ok(false) };
        let dsu = self.archive.declaration(&version)?;
        Ok(dsu.is_some_and(|dsu| dsu.fogli().any(|foglio| foglio.codice_fiscale == *persona)))
    }

    /// The DSU that one refers to, by the protocols that it names, and which versions of them: those given, else those that count now. Those that
    /// there are not, that do not name the person for whom they stand, or that were erased, are left out.
    fn riferite(
        &self,
        dsu: &Dichiarazione,
        kept: Option<&[String]>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(Vec<Riferita>, Vec<String>), SiiError> {
        let (mut riferite, mut versions): (Vec<Riferita>, _) = (Vec::new(), Vec::new());
        for (protocollo, persona) in dsu.riferimenti() {
            if riferite.iter().any(|riferita| riferita.protocollo == protocollo) {
                continue;
            }
            // Whichever version is named, the one that counts.
            let radice = stem_of(protocollo);
            let found = match kept {
                Some(kept) => match kept.iter().find(|version| stem_of(version) == radice) {
                    Some(version) => self.archive.of_protocol(version, preconditions)?.first().map(|head| (version.clone(), head.clone())),
                    None => None,
                },
                None => {
                    let versioni = self.archive.versioni(radice.clone(), preconditions)?;
                    // A DSU of others is not read: this takes as long as if there were none.
                    if !persona.map_or(Ok(false), |persona| self.archive.names(&radice, persona))? {
                        continue;
                    }
                    if versioni.annullata() { None } else { self.archive.attestata(&radice, &versioni, preconditions)? }
                }
            };
            let Some((version, head)) = found else { continue };
            if let Some(dsu) = self.archive.declaration(&version)? {
                riferite.push(Riferita { dsu, protocollo: protocollo.to_owned(), presentata: head.presentata, scadenza: head.scadenza });
                versions.push(version);
            }
        }
        Ok((riferite, versions))
    }

    fn look_for(
        &self,
        permit: &Permit,
        chiave: &Chiave,
        on: Date,
        occasion: Occasion,
    ) -> Result<(Option<Found>, Vec<Precondition>), SiiError> {
        let mut preconditions = Vec::new();
        let person = chiave.codice_fiscale();
        // Under a permit for an ente's own DSU there are no others.
        let all = *permit.purpose() != Purpose::Own;
        let ente = permit.ente().codice.as_str();
        // Only the person's own attestations: a key that finds another family's finds nothing.
        let own = self.archive.of_person(person, (!all).then_some(ente), occasion.most(), &mut preconditions)?;
        let (heads, by_person): (Vec<Head>, _) = match chiave {
            // No attestation of this person: no protocol is looked for, whether it exists or not.
            _ if own.is_empty() => (Vec::new(), false),
            Chiave::Cf(_) => (valid_on(&own, on), true),
            Chiave::ProtDsu(search) => {
                let found = self.archive.of_protocol(&search.protocollo_dsu, &mut preconditions)?;
                (found.into_iter().filter(|head| own.contains(head)).take(1).collect(), false)
            }
            // A sender's protocol is the sender's alone: two may have the same. The latest, of all or of the ente's own.
            Chiave::ProtMittente(search) => {
                let mut found = self.archive.of_sender(&search.protocollo_mittente)?;
                found.retain(|head| own.contains(head));
                found.sort_by_key(Head::order);
                found.truncate(if all { 1 } else { found.len() });
                (found, false)
            }
        };
        let quali = Quali { on, ente: (!all).then_some(ente), most: occasion.most() };
        let mut latest = Latest::default();
        let several = heads.len() > 1;
        for head in heads {
            // An attestation that the views rule out is not opened. A single one is opened at once: `counts` asks the same and more.
            if several
                && (self.archive.is_over(&head)? || (by_person && self.is_outdated(&head, quali, &mut latest, &mut preconditions)?))
            {
                continue;
            }
            occasion.allows(&head.position)?;
            let Some(found) = self.archive.attestation(&head)? else { continue };
            let counts = self.counts(&found, &head, by_person.then_some(quali), &mut preconditions)?;
            if counts && (all || found.ente.as_deref() == Some(ente)) {
                return Ok((Some(found), preconditions));
            }
        }
        Ok((None, preconditions))
    }

    /// Whether the declarant of an attestation has presented another DSU since, of those that count, as far as the views tell that: those recorded
    /// under one year's key. Each declarant's DSU are read once.
    fn is_outdated(
        &self,
        head: &Head,
        quali: Quali<'_>,
        latest: &mut Latest,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let Some(dichiarante) = &head.dichiarante else { return Ok(false) };
        let radice = head.base.as_ref().unwrap_or(&head.radice);
        let key = (head.year, dichiarante.clone());
        if !latest.contains_key(&key) {
            let presented = self.archive.latest_of((head.year, dichiarante), quali, preconditions)?;
            latest.insert(key.clone(), presented);
        }
        let Some((last, all)) = latest.get(&key).and_then(Option::as_ref) else { return Ok(false) };
        Ok(all.contains(radice) && last != radice)
    }

    /// Whether an attestation still counts: not cancelled; and where it was found by a person for a day, not in an earlier version, and its declarant
    /// has not presented another DSU since, of those that count, which that person may not be in.
    fn counts(
        &self,
        found: &Found,
        head: &Head,
        quali: Option<Quali<'_>>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let protocollo = found.protocollo();
        let versioni = self.archive.versioni(stem_of(protocollo), preconditions)?;
        if versioni.annullata() {
            return Ok(false);
        }
        let base = &found.attestazione.numero_protocollo_dsu;
        if base != protocollo && self.archive.versioni(stem_of(base), preconditions)?.annullata() {
            return Ok(false);
        }
        let Some(quali) = quali else { return Ok(true) };
        if base != protocollo && self.is_left_behind(base, head, preconditions)? {
            return Ok(false);
        }
        // A later version counts once it is attested.
        let later = versioni.ultima().is_some_and(|ultima| ultima.numero > number_of(protocollo));
        if later {
            let attested = self.archive.attestata(&stem_of(protocollo), &versioni, preconditions)?;
            if attested.is_some_and(|(latest, _)| number_of(&latest) > number_of(protocollo)) {
                return Ok(false);
            }
        }
        // By the DSU itself, where this is a current ISEE that rests on one.
        let radice = stem_of(base);
        let origine = match base == protocollo {
            true => head.origine,
            false => self.archive.versioni(radice.clone(), preconditions)?.0.first().map_or(head.origine, |first| first.sequence),
        };
        let order = (found.attestazione.data_presentazione, origine);
        Ok(!self.replaced(&found.attestazione.codice_fiscale_dichiarante, &radice, order, quali, preconditions)?)
    }

    /// Whether a current ISEE was valid when a later version of its DSU was attested, and was not computed again with it: it ended then. Only so
    /// many are computed again (see [`super::corrente::CORRENTI`]).
    fn is_left_behind(&self, base: &str, head: &Head, preconditions: &mut Vec<Precondition>) -> Result<bool, SiiError> {
        let radice = stem_of(base);
        let Some(ultima) = self.archive.versioni(radice.clone(), preconditions)?.ultima().map(|ultima| ultima.numero) else {
            return Ok(false);
        };
        for number in number_of(base) + 1..=ultima {
            let Some(version) = version_of(&radice, number) else { break };
            if let Some(later) = self.archive.of_protocol(&version, preconditions)?.first() {
                let issued = self.archive.entry(&later.position)?.leaf.body.day("rilasciata");
                return Ok(issued.is_some_and(|issued| issued <= head.scadenza));
            }
        }
        Ok(false)
    }

    /// Whether a declarant has presented another DSU, of those that count, since the one that was presented first on that day by that entry.
    pub(super) fn replaced(
        &self,
        declarant: &CodiceFiscale,
        radice: &str,
        order: (Date, u64),
        quali: Quali<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        for other in self.archive.presented_by(declarant, quali.most, preconditions)? {
            let later = quali.has(&other) && (other.presentata, other.origine) > order;
            let same = || Ok::<_, SiiError>(self.ledger.keys.token(other.year, "protocol", radice)? == other.radice);
            if later && !same()? && !self.archive.versioni_of(other.year, &other.radice)?.annullata() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A new protocol of a DSU: `INPS-ISEE-yyyy-nnnnnnnnL-00`.
    pub(super) async fn protocol(&self, year: i16) -> Result<String, SiiError> {
        Ok(format!("INPS-ISEE-{year}-{}-00", self.serial(SERIES[0], year).await?))
    }

    /// Eight digits and a letter: what the series counts, permuted with the key of the keyring, so that nobody can tell from one protocol which others
    /// there are.
    async fn serial(&self, name: &str, year: i16) -> Result<String, SiiError> {
        let name = format!("{name}-{year}");
        let series = {
            let mut all = self.series.lock().await;
            let series = || std::sync::Arc::new(Series::new(name.clone(), BLOCK, &self.ledger, &self.store, &self.clock));
            all.entry(name.clone()).or_insert_with(series).clone()
        };
        let counted = series.next().await.map_err(|error| SiiError::Unavailable(error.to_string()))?;
        let permutation = Permutation::new(&self.ledger.keys.series()?, &name, SERIALS * LETTERS);
        let place = permutation.of(counted).ok_or_else(|| SiiError::Internal("a series at its end".to_owned()))?;
        Ok(printed(place))
    }

    /// Gives a lot its protocol, `INPS-ISET-yyyy-nnnnnnnnL`, and keeps what became of it.
    async fn keep_lot(&self, permit: &Permit, dsu: &[DsuDelLotto], impronta: &str, occasion: Occasion) -> Result<Outcome, SiiError> {
        let ente = &permit.ente().codice;
        let protocollo = format!("INPS-ISET-{}-{}", occasion.today.year(), self.serial(SERIES[1], occasion.today.year()).await?);
        let accepted = dsu.iter().filter(|dsu| dsu.protocollo_dsu.is_some()).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let lotto = EsitoLotto {
            protocollo_flusso: protocollo.clone(),
            impronta_lotto: impronta.to_owned(),
            istante_ricezione: occasion.received,
            accettate: count(accepted),
            rifiutate: count(dsu.len() - accepted),
            dsu: dsu.to_vec(),
        };
        let year = rome(occasion.received).year();
        let token = self.ledger.keys.token(year, "lotto", impronta)?;
        let tokens = Tokens { year, protocol: vec![self.ledger.keys.token(year, "protocol", &protocollo)?], ..Tokens::default() };
        let mut body = body_of(permit, occasion, Kind::Dsu, &tokens)
            .fact("lotto", &token)
            .fact("accettate", lotto.accettate)
            .fact("rifiutate", lotto.rifiutate);
        let key = lot_key(ente, year, &token);
        body.keys = vec![key.clone()];
        let kept = message("EsitoLotto", Operation::TrasmissioneLotto.namespace(), &lotto, false);
        let secret = Secret { protocol: vec![protocollo], receipt: Some(kept), ..Secret::default() };
        let draft = seal(&self.ledger, body, &secret, occasion, occasion.ordinal)?;
        // Whatever year's key was there when the lot was looked for: nobody has kept the same since.
        let preconditions = vec![Precondition { key, version: 0 }];
        Ok(Outcome { drafts: vec![draft], ..Outcome::read(Answer::EsitoLotto(Box::new(lotto)), preconditions) })
    }
}

/// The first protocols' tokens of the latest DSU of each declarant, and of all; by year and token of the declarant.
type Latest = HashMap<(i16, String), Option<(String, HashSet<String>)>>;

/// What an attestation was computed from, besides its DSU.
#[derive(Clone, Default)]
pub(super) struct Fonti {
    /// The feed's records of all persons in it and in those it refers to.
    pub(super) known: Vec<FeedRecord>,
    /// The versions of the DSU that it refers to; nothing where that was not kept.
    pub(super) riferite: Option<Vec<String>>,
}

impl Fonti {
    /// To compute from these again: before there were versions of other DSU among them, only the members' records were kept.
    pub(super) fn again(&self) -> Da<'_> {
        if self.riferite.is_some() { Da::Solo(self) } else { Da::Prima(self) }
    }

    /// What was kept with an attestation; nothing if nothing was.
    pub(super) fn of(found: &Found) -> Option<Self> {
        let known = found.feed.as_ref().and_then(|feed| serde_json::from_str(feed.get()).ok())?;
        Some(Self { known, riferite: found.riferite.clone() })
    }
}

/// What a DSU is to be computed from.
#[derive(Clone, Copy)]
pub(super) enum Da<'a> {
    /// What is known now.
    Adesso,
    /// What another attestation was computed from; of persons who were not in it, what is known now.
    Prima(&'a Fonti),
    /// What it was computed from before, and nothing else.
    Solo(&'a Fonti),
}

/// All persons in a declaration, canonical.
pub(super) fn persons_of(dichiarazione: &str) -> Result<Vec<String>, SiiError> {
    let document = parse(dichiarazione, &Limits::default()).map_err(|error| SiiError::Internal(error.to_string()))?;
    Ok(persons(document.root()))
}

/// The feed in the archive; keeps what was found, or the first error.
struct Reading<'a> {
    feed: Consultato<'a>,
    /// Whether nothing else is looked for than what is there.
    only: bool,
    found: RefCell<Result<Vec<FeedRecord>, SiiError>>,
}

impl Feed for Reading<'_> {
    fn find(&self, codice_fiscale: &CodiceFiscale, year: i16) -> Option<FeedRecord> {
        let mut found = self.found.borrow_mut();
        let records = found.as_mut().ok()?;
        if let Some(record) = records.find(codice_fiscale, year) {
            return Some(record);
        }
        if self.only {
            return None;
        }
        match self.feed.find(codice_fiscale, year) {
            Ok(record) => {
                records.extend(record.clone());
                record
            }
            Err(error) => {
                *found = Err(error);
                None
            }
        }
    }
}

pub(super) fn body_of(permit: &Permit, occasion: Occasion, kind: Kind, tokens: &Tokens) -> Body {
    body_for(&permit.ente().codice, permit.admission().operation().name(), occasion, kind, tokens)
}

/// An entry about an ente's DSU.
pub(super) fn body_for(ente: &str, operation: &str, occasion: Occasion, kind: Kind, tokens: &Tokens) -> Body {
    let mut body = Body::new(kind, Retention::Dsu, occasion.exchange, occasion.received);
    body.role = Some("erogatore".to_owned());
    body.ente = Some(ente.to_owned());
    body.operation = Some(operation.to_owned());
    body.tokens = Some(tokens.clone());
    body
}

pub(super) fn seal(ledger: &Ledger, body: Body, secret: &Secret, occasion: Occasion, ordinal: u32) -> Result<Draft, SiiError> {
    let blinding = Blinding::new()?;
    let prepared = ledger.prepare(body, secret, &blinding, ordinal, occasion.received);
    prepared.map_err(|error| SiiError::Internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_protocol_is_printed_as_those_that_were_counted() {
        let last = SERIALS * LETTERS - 1;
        let mut seen = HashSet::new();
        for place in (0..5000).chain((6000..last - 6000).step_by(999_983)).chain(last - 5000..=last) {
            let text = printed(place);
            assert!(seen.insert(text.clone()), "{text} twice");
            let (serial, letter) = text.split_at(8);
            let counted = char::from(b'A' + u8::try_from(serial.parse::<u32>().unwrap() % 26).unwrap());
            assert!(text.len() == 9 && letter.as_bytes()[0].is_ascii_uppercase() && !letter.starts_with(counted), "{text}");
        }
    }
}
