//! Computing the indicators of a DSU from all its sources: the feed's records, and the DSU it refers to.

use std::cell::RefCell;

use jiff::civil::Date;

use super::feed::Consultato;
use super::incoming::internal;
use super::system::Embedded;
use crate::contract::persons;
use crate::isee::CodiceFiscale;
use crate::isee::attest::{self, attest};
use crate::isee::attestazione::Attestazione;
use crate::isee::compute::casi::{Indicatori, Situazione};
use crate::isee::compute::componente::Riferita;
use crate::isee::compute::income_year;
use crate::isee::dsu::Dichiarazione;
use crate::isee::feed::{Feed, FeedRecord};
use crate::isee::omissioni::omissioni;
use crate::isee::rules::RuleSet;
use crate::ledger::Precondition;
use crate::sii::SiiError;
use crate::sii::answers::Found;
use crate::sii::protocol::{stem_of, version_of};
use crate::xml::{DocumentLimits, parse};

/// The most protocols an accepted declaration may name in vain; it is computed without them. An ente has as
/// many attempts per declarant: with more, one declaration would try more protocols at once.
pub(super) const IN_VAIN: u32 = 10;

/// The sources of an attestation, besides its DSU.
#[derive(Clone, Default)]
pub(super) struct Fonti {
    /// The feed's records of all persons in it and in the DSU it refers to.
    pub(super) known: Vec<FeedRecord>,
    /// The versions of the DSU it refers to. `None`: not kept.
    pub(super) riferite: Option<Vec<String>>,
}

impl Fonti {
    /// For computing from these again. Earlier entries have no versions of other DSU, and only the members'
    /// records.
    pub(super) fn again(&self) -> Da<'_> {
        if self.riferite.is_some() {
            Da::Solo(self)
        } else {
            Da::Prima(self)
        }
    }

    /// The sources kept with an attestation. `None`: none kept.
    pub(super) fn of(found: &Found) -> Result<Option<Self>, SiiError> {
        let Some(feed) = &found.feed else { return Ok(None) };
        let known = serde_json::from_str(feed.get()).map_err(|_| internal("sources that cannot be read"))?;
        Ok(Some(Self {
            known,
            riferite: found.riferite.clone(),
        }))
    }
}

/// The sources for computing a DSU.
#[derive(Clone, Copy)]
pub(super) enum Da<'a> {
    /// The sources as known now.
    Adesso,
    /// The sources of another attestation; for persons missing in it, the sources as known now.
    Prima(&'a Fonti),
    /// The sources of its own earlier computation, and nothing else.
    Solo(&'a Fonti),
}

/// All persons in a declaration, canonical.
pub(super) fn persons_of(dichiarazione: &str) -> Result<Vec<String>, SiiError> {
    let document = parse(dichiarazione, &DocumentLimits::default())
        .map_err(|error| SiiError::Internal(error.to_string()))?;
    Ok(persons(document.root()))
}

/// The feed in the archive. It collects the records found, or keeps the first error.
struct Reading<'a> {
    feed: Consultato<'a>,
    /// Whether to look only among the records in `found`.
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

/// A declaration with its indicators.
pub(super) struct Computed<'a> {
    /// The whole declaration, as computed.
    pub(super) dsu: &'a Dichiarazione,
    /// Day of the DSU's first presentation.
    pub(super) presented: Date,
    /// The rules for the day of presentation.
    pub(super) rules: &'a RuleSet,
    /// Its indicators, the ordinary one among them.
    pub(super) indicatori: Indicatori,
    /// Sources of the indicators, kept with the attestation.
    pub(super) fonti: Fonti,
}

impl Computed<'_> {
    /// Attests it, with the omissions shown by the sources.
    pub(super) fn attest(&self, about: attest::Rilascio<'_>) -> Attestazione {
        let omissioni = omissioni(
            self.dsu,
            self.presented,
            self.rules,
            &self.fonti.known,
            about.rilasciata,
        );
        attest(
            self.dsu,
            &self.indicatori,
            self.rules,
            attest::Rilascio { omissioni, ..about },
        )
    }
}

impl Embedded {
    /// The feed's records of the members, for the year of their incomes.
    pub(super) fn known(&self, dsu: &Dichiarazione, presented: Date) -> Result<Vec<FeedRecord>, SiiError> {
        let year = income_year(presented);
        let feed = Consultato::new(&self.archive);
        dsu.fogli()
            .filter_map(|sheet| feed.find(&sheet.codice_fiscale, year).transpose())
            .collect()
    }

    /// Computes all indicators of a DSU, and keeps their sources.
    pub(super) fn compute<'a>(
        &self,
        dsu: &'a Dichiarazione,
        presented: Date,
        rules: &'a RuleSet,
        da: Da<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Computed<'a>, SiiError> {
        let kept = match da {
            Da::Adesso => None,
            Da::Prima(kept) | Da::Solo(kept) => Some(kept),
        };
        let (riferite, versions) =
            self.riferite(dsu, kept.and_then(|kept| kept.riferite.as_deref()), preconditions)?;
        let known = kept.map_or_else(Vec::new, |kept| kept.known.clone());
        let feed = Reading {
            feed: Consultato::new(&self.archive),
            only: matches!(da, Da::Solo(_)),
            found: RefCell::new(Ok(known)),
        };
        let situazione = Situazione {
            dsu,
            presented,
            rules,
            feed: &feed,
            altre: &riferite,
        };
        let indicatori = situazione
            .indicatori()
            .map_err(|error| SiiError::Internal(error.to_string()));
        // The Agency's data of accounts are of the year of the assets.
        if rules.assets_year(presented) != income_year(presented) {
            dsu.codici()
                .into_iter()
                .for_each(|code| drop(feed.find(&CodiceFiscale::new(code), rules.assets_year(presented))));
        }
        let known = feed.found.into_inner()?;
        Ok(Computed {
            dsu,
            presented,
            rules,
            indicatori: indicatori?,
            fonti: Fonti {
                known,
                riferite: Some(versions),
            },
        })
    }

    /// Number of protocols named in vain by a declaration, besides its own reference: no such DSU, or the
    /// person is not in it. Beyond [`IN_VAIN`] the count stops.
    pub(super) fn infondati(&self, dsu: &Dichiarazione) -> Result<u32, SiiError> {
        let mut infondati = 0;
        for (protocollo, persona) in dsu.riferimenti_distinti() {
            if infondati > IN_VAIN {
                break;
            }
            let radice = stem_of(protocollo);
            // Without a named person, the look-ups are the same, and find nobody.
            let persona = CodiceFiscale::new(persona.unwrap_or_else(String::new));
            let founded = self.archive.names(&radice, &persona)? && self.is_in(&persona, radice)?;
            infondati += u32::from(!founded);
        }
        Ok(infondati)
    }

    /// Whether a person has a sheet in the latest version of a DSU.
    fn is_in(&self, persona: &CodiceFiscale, radice: String) -> Result<bool, SiiError> {
        let versioni = self.archive.versioni(radice.clone(), &mut Vec::new())?;
        let Some(version) = versioni
            .ultima()
            .and_then(|ultima| version_of(&radice, ultima.numero))
        else {
            return Ok(false);
        };
        let dsu = self.archive.declaration(&version)?;
        Ok(dsu.is_some_and(|dsu| dsu.fogli().any(|foglio| foglio.codice_fiscale == *persona)))
    }

    /// The DSU one refers to, by the protocols named in it, and their versions: the given ones, else the
    /// present ones. Left out are missing and erased DSU, and DSU without the person they stand for.
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
            // Whichever version is named, the present one counts.
            let radice = stem_of(protocollo);
            let found = match kept {
                Some(kept) => match kept.iter().find(|version| stem_of(version) == radice) {
                    Some(version) => self
                        .archive
                        .of_protocol(version, preconditions)?
                        .first()
                        .map(|head| (version.clone(), head.clone())),
                    None => None,
                },
                None => {
                    let versioni = self.archive.versioni(radice.clone(), preconditions)?;
                    // A DSU of others is not read: this takes as long as a missing one.
                    if !persona.map_or(Ok(false), |persona| self.archive.names(&radice, persona))? {
                        continue;
                    }
                    if versioni.annullata() {
                        None
                    } else {
                        self.archive.attestata(&radice, &versioni, preconditions)?
                    }
                }
            };
            let Some((version, head)) = found else { continue };
            if let Some(dsu) = self.archive.declaration(&version)? {
                riferite.push(Riferita {
                    dsu,
                    protocollo: protocollo.to_owned(),
                    presentata: head.presentata,
                    scadenza: head.scadenza,
                });
                versions.push(version);
            }
        }
        Ok((riferite, versions))
    }
}
