//! Waiting DSU: the terms of DPCM 159/2013 art. 11. A DSU with unknown data of its members is received, and
//! attested once the feed has them all. After the terms its declarant may declare the missing data (operation
//! I).

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::archive::decode;
use super::compute::Da;
use super::current::Under;
use super::entries::{WAITING, sequence_of};
use super::feed::Consultato;
use super::incoming::{Cause, Incoming, NotReceived, ente_of, internal};
use super::record::NewVersion;
use super::seen::Versioni;
use super::system::Embedded;
use crate::clock::day;
use crate::config::Attesta;
use crate::isee::attest::{self, variazione};
use crate::isee::attestazione::Variazione;
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::income_year;
use crate::isee::dsu::Dichiarazione;
use crate::isee::foglio::AltriRedditi;
use crate::ledger::{Entry, NotCommitted, Position, Precondition, Secret, Submission};
use crate::sii::SiiError;
use crate::sii::facts::PRESENTATA;
use crate::sii::protocol::stem_of;
use crate::sii::upkeep::{DsuInAttesa, InAttesa};

/// A waiting DSU, opened.
struct Waiting {
    sequence: u64,
    secret: Secret,
    protocollo: String,
    radice: String,
    versioni: Versioni,
    /// The entry of its first version.
    first: Option<Entry>,
    dsu: Dichiarazione,
    presented: Date,
}

impl Embedded {
    /// Whether a DSU may be attested: everything is known, or the settings do not wait for it. `terms`: their
    /// first day, and today.
    pub(super) fn may_attest(
        &self,
        dsu: &Dichiarazione,
        presented: Date,
        terms: (Date, Date),
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        Ok(
            self.settings.attesta == Attesta::Subito
                || self.is_known(dsu, presented, terms, preconditions)?,
        )
    }

    /// Whether the terms are over: then unknown incomes may be declared.
    pub(super) fn terms_are_over(&self, presented: Date, (from, today): (Date, Date)) -> bool {
        let Some(rules) = self.settings.rules.on(presented) else {
            return false;
        };
        self.settings.calendario.working_days_between(from, today) > rules.law.integrazione_giorni
    }

    /// Whether everybody is known: every member, and every person outside with data that count in the DSU. A
    /// person is known by a record of the feed, by an FC8 that counts, or, a minor member, by the declaration
    /// of no income. Before the end of the terms, an FC8 counts only for an exempt person.
    fn is_known(
        &self,
        dsu: &Dichiarazione,
        presented: Date,
        terms: (Date, Date),
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        Ok(self.unknown(dsu, presented, terms, preconditions, 1)? == 0)
    }

    /// The number of unknown persons, counted up to `most`.
    fn unknown(
        &self,
        dsu: &Dichiarazione,
        presented: Date,
        terms: (Date, Date),
        preconditions: &mut Vec<Precondition>,
        most: usize,
    ) -> Result<usize, SiiError> {
        let over = self.terms_are_over(presented, terms);
        let mut unknown = 0;
        let tipo = dsu.operazione.tipo;
        let feed = Consultato::new(&self.archive);
        let members = dsu
            .membri()
            .filter(|member| !member.flag_assenza_reddito)
            .map(|member| &member.foglio_componente_nucleo);
        for foglio in members.chain(dsu.fogli_esterni()) {
            let declares = |redditi: &AltriRedditi| {
                redditi.flag_esonerato || (over && redditi.counts(tipo) && redditi.says_incomes())
            };
            let declared = foglio.altri_redditi.as_ref().is_some_and(declares);
            if !declared && !feed.is_known(&foglio.codice_fiscale, income_year(presented), preconditions)? {
                unknown += 1;
                if unknown == most {
                    break;
                }
            }
        }
        Ok(unknown)
    }

    /// The waiting DSU, the oldest first, at most `most` of them in detail.
    pub(super) fn what_waits(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError> {
        let all = self.store.scan(WAITING)?;
        let today = day(now);
        let mut prime = Vec::new();
        for (name, value) in all.iter().take(most) {
            let (Some(voce), Some(position)) = (sequence_of(name), Position::decode(value)) else {
                continue;
            };
            let entry = self.archive.entry(&position)?;
            let Some(secret) = self.archive.open_unless_erased(&entry)? else {
                continue;
            };
            let Some(text) = secret.effettiva.as_ref().or(secret.dsu.as_ref()) else {
                continue;
            };
            let dsu: Dichiarazione = decode(text)?;
            let (Some(protocollo), Some(ente)) = (secret.protocol.first(), entry.leaf.body.ente.clone())
            else {
                continue;
            };
            let versioni = self.archive.versioni(stem_of(protocollo), &mut Vec::new())?;
            let first = versioni
                .0
                .first()
                .map(|first| self.archive.entry(&first.position))
                .transpose()?;
            let Some(presented) = first.as_ref().unwrap_or(&entry).leaf.body.day(PRESENTATA) else {
                continue;
            };
            let from = self.termini_da(&versioni, presented)?;
            let persone = self.unknown(&dsu, presented, (from, today), &mut Vec::new(), usize::MAX)?;
            let termini = (!self.terms_are_over(presented, (from, today)))
                .then(|| self.last_of_terms(presented, from))
                .flatten();
            prime.push(DsuInAttesa {
                voce,
                ente,
                presentata: presented,
                persone,
                anno: income_year(presented),
                termini,
            });
        }
        Ok(InAttesa {
            totale: all.len(),
            prime,
        })
    }

    fn last_of_terms(&self, presented: Date, from: Date) -> Option<Date> {
        let days = (0..90).map_while(|days| from.checked_add(days.days()).ok());
        days.take_while(|day| !self.terms_are_over(presented, (from, *day)))
            .last()
    }

    /// Attests the waiting DSU with nothing left to wait for. Returns their number. A DSU with an internal
    /// error does not stop the others.
    pub(super) async fn attest_waiting(&self, now: Timestamp) -> Result<usize, SiiError> {
        self.ledger.keys.begin(day(now).year())?;
        let mut attested = 0;
        for (name, value) in self.store.scan(WAITING)? {
            match self.attest_one(&name, &value, now).await {
                Ok(done) => attested += usize::from(done),
                Err(SiiError::Internal(error)) => {
                    tracing::error!(error, "a DSU that waits cannot be attested")
                }
                Err(error) => return Err(error),
            }
            tokio::task::yield_now().await;
        }
        Ok(attested)
    }

    async fn attest_one(&self, name: &[u8], value: &[u8], now: Timestamp) -> Result<bool, SiiError> {
        let damaged = || SiiError::Internal("a damaged view".to_owned());
        let sequence = sequence_of(name).ok_or_else(damaged)?;
        let entry = self
            .archive
            .entry(&Position::decode(value).ok_or_else(damaged)?)?;
        // After three conflicts with somebody quicker, the next load or start sees it again.
        for _ in 0..3 {
            let Some(submission) = self.attestation_of(&entry, sequence, now)? else {
                return Ok(false);
            };
            match self.ledger.committer.submit(submission).await {
                Ok(_) => return Ok(true),
                Err(NotCommitted::Conflict) => {}
                Err(error) => return Err(SiiError::Unavailable(error.to_string())),
            }
        }
        Ok(false)
    }

    /// Opens a waiting DSU. `None`: it no longer counts.
    fn open_waiting(
        &self,
        entry: &Entry,
        sequence: u64,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<Waiting>, SiiError> {
        let Some(mut secret) = self.archive.open_unless_erased(entry)? else {
            return Ok(None);
        };
        let Some(protocollo) = secret.protocol.first().cloned() else {
            return Err(internal("a DSU without its protocol"));
        };
        let radice = stem_of(&protocollo);
        let versioni = self.archive.versioni(radice.clone(), preconditions)?;
        let current = versioni
            .ultima()
            .is_some_and(|ultima| ultima.sequence == sequence)
            && !versioni.annullata();
        if !current || !self.archive.of_protocol(&protocollo, preconditions)?.is_empty() {
            return Ok(None);
        }
        let dsu = secret
            .effettiva
            .take()
            .or(secret.dsu.take())
            .ok_or_else(|| internal("an entry without DSU"))?;
        let first = versioni
            .0
            .first()
            .map(|first| self.archive.entry(&first.position))
            .transpose()?;
        let presented = first
            .as_ref()
            .unwrap_or(entry)
            .leaf
            .body
            .day(PRESENTATA)
            .ok_or_else(|| internal("a day"))?;
        Ok(Some(Waiting {
            sequence,
            secret,
            protocollo,
            radice,
            versioni,
            first,
            dsu: decode(&dsu)?,
            presented,
        }))
    }

    /// The attestation of a waiting DSU. `None`: it still has to wait, or no longer counts.
    fn attestation_of(
        &self,
        entry: &Entry,
        sequence: u64,
        now: Timestamp,
    ) -> Result<Option<Submission>, SiiError> {
        let mut preconditions = Vec::new();
        let Some(waiting) = self.open_waiting(entry, sequence, &mut preconditions)? else {
            return Ok(None);
        };
        let Waiting {
            secret,
            protocollo,
            radice,
            versioni,
            dsu,
            presented,
            ..
        } = &waiting;
        let terms = (self.termini_da(versioni, *presented)?, day(now));
        if !self.may_attest(dsu, *presented, terms, &mut preconditions)? {
            return Ok(None);
        }
        let rules = self.rules(*presented)?;
        let operazione = versioni.ultima().map(|ultima| ultima.operazione);
        let operazione = operazione.ok_or_else(|| internal("an operation"))?;
        let computed = self.compute(dsu, *presented, rules, Da::Adesso, &mut preconditions)?;
        let about = attest::Rilascio {
            protocollo,
            presentata: *presented,
            rilasciata: day(now),
            variazione: self.replaces(&waiting, operazione, &mut preconditions)?,
            ..attest::Rilascio::default()
        };
        let attestazione = computed.attest(about);
        let (ente, di) = (ente_of(entry)?, ente_of(waiting.first.as_ref().unwrap_or(entry))?);
        let sender = secret.protocol.get(1).map(String::as_str);
        let incoming = Incoming {
            sender,
            operazione,
            ..Incoming::ours(Cause::Waited, ente, dsu, *presented, now)?
        };
        let version = NewVersion {
            radice,
            origine: versioni.0.first().map(|first| first.sequence),
            attendeva: Some(waiting.sequence),
            ..NewVersion::first(protocollo, di, &attestazione, &computed)
        };
        let mut drafts = vec![self.attestation(incoming, &version, 0)?];
        // The current ISEE on an earlier attested version: their entries are those of the DSU's owner.
        let rests = Incoming {
            ente: di,
            sender: None,
            ..incoming
        };
        let under = Under {
            radice,
            presentata: *presented,
            protocollo,
            dsu,
            fonti: &computed.fonti,
        };
        self.recompute_current(rests, under, &mut drafts, &mut preconditions)
            .map_err(NotReceived::ours)?;
        Ok(Some(Submission {
            drafts,
            preconditions,
        }))
    }

    /// The variation naming the version replaced by this attestation: the latest attested one. `None`: no
    /// version attested yet.
    fn replaces(
        &self,
        waiting: &Waiting,
        operazione: TipoOperazione,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<Variazione>, SiiError> {
        let Waiting {
            radice,
            versioni,
            presented,
            ..
        } = waiting;
        let Some((earlier, head)) = self.archive.attestata(radice, versioni, preconditions)? else {
            return Ok(None);
        };
        let sender = self
            .archive
            .attestation(&head)?
            .and_then(|found| found.attestazione.protocollo_mittente);
        Ok(Some(variazione(operazione, earlier, *presented, sender)))
    }
}
