//! Finding an attestation: by a person for a day, by a protocol, by a sender's protocol. An attestation
//! counts if it was not cancelled, and nothing later took its place.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::archive::{Quali, Quanto, decode, valid_on};
use super::compute::{Fonti, persons_of};
use super::entries::Head;
use super::incoming::internal;
use super::system::Embedded;
use crate::contract::consultazione::Chiave;
use crate::contract::{ISEE_NS, message};
use crate::isee::CodiceFiscale;
use crate::isee::compute::income_year;
use crate::isee::dsu::Dichiarazione;
use crate::isee::sintesi::Sintesi;
use crate::ledger::{Precondition, TokenKey};
use crate::registry::{Permit, Purpose};
use crate::sii::answers::{Attestata, Declared, Found};
use crate::sii::facts::RILASCIATA;
use crate::sii::protocol::{number_of, stem_of, version_of};
use crate::sii::{Occasion, Said, Search, SiiError};

/// For each declarant, by key and token: the first protocol's token of the latest DSU, and the tokens of all
/// DSU.
type Latest = HashMap<(TokenKey, String), Option<(String, HashSet<String>)>>;

/// An attestation that a search found: its head, and the parts read.
type Rinvenuta = (Head, Attestata);

impl Embedded {
    /// Finds an attestation, and gives its indicators. `None`: no match.
    pub(super) fn indicators(
        &self,
        permit: &Permit,
        search: Search<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Said<Option<Box<Sintesi>>>, SiiError> {
        let (found, preconditions) = self.look_for(permit, search, Quanto::Sintesi, occasion)?;
        Ok(Said::read(
            found.map(|(_, read)| Box::new(read.sintesi)),
            preconditions,
        ))
    }

    /// Finds an attestation, and gives it whole. `None`: no match.
    pub(super) fn find(
        &self,
        permit: &Permit,
        search: Search<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Said<Option<Box<Attestata>>>, SiiError> {
        let (found, preconditions) = self.look_for(permit, search, Quanto::Testo, occasion)?;
        Ok(Said::read(found.map(|(_, read)| Box::new(read)), preconditions))
    }

    /// Finds the DSU behind an attestation, completed as INPS completes it. `None`: no match, or erased.
    pub(super) fn declared(
        &self,
        permit: &Permit,
        search: Search<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Said<Option<Box<Declared>>>, SiiError> {
        let (found, preconditions) = self.look_for(permit, search, Quanto::Sintesi, occasion)?;
        let found = found
            .map(|(head, _)| self.archive.attestation(&head))
            .transpose()?;
        let declared = found
            .flatten()
            .map(|found| self.complete(found))
            .transpose()?
            .flatten();
        Ok(Said::read(declared.map(Box::new), preconditions))
    }

    /// The DSU of an attestation, completed. `None`: erased.
    fn complete(&self, found: Found) -> Result<Option<Declared>, SiiError> {
        let protocollo = found.protocollo().to_owned();
        let Some(entry) = self.archive.dsu(&protocollo)? else {
            return Err(internal("an attestation without its DSU"));
        };
        let Some(secret) = self.archive.open_unless_erased(&entry)? else {
            return Ok(None);
        };
        let mut dsu: Dichiarazione = decode(
            &secret
                .effettiva
                .or(secret.dsu)
                .ok_or_else(|| internal("an entry without DSU"))?,
        )?;
        // The records of its computation; if not kept, the records known now.
        let known = match Fonti::of(&found)? {
            Some(fonti) => fonti.known,
            None => self.known(&dsu, found.attestazione.data_presentazione)?,
        };
        dsu.complete(
            &protocollo,
            &known,
            income_year(found.attestazione.data_presentazione),
        );
        // All persons in it, from the first declaration or a completing one.
        let persone = persons_of(&message("Dichiarazione", ISEE_NS, &dsu, false))?;
        Ok(Some(Declared {
            dichiarazione: dsu,
            protocollo,
            persone,
        }))
    }

    /// Whether a declarant has a DSU with this protocol, not cancelled and not erased.
    pub(super) fn exists(
        &self,
        dichiarante: &CodiceFiscale,
        protocollo: &str,
        occasion: Occasion<'_>,
    ) -> Result<Said<bool>, SiiError> {
        let mut preconditions = Vec::new();
        let radice = stem_of(protocollo);
        // Another declarant's DSU is not read, as if it were missing.
        let own = self.archive.right(&radice, dichiarante)?.is_some();
        let stands = own && !self.archive.versioni(radice, &mut preconditions)?.annullata();
        // Attested or not: reception is enough.
        let position = if stands {
            self.archive.dsu_position(protocollo)?
        } else {
            None
        };
        let exists = match position {
            Some(position) => {
                occasion.allows(&position)?;
                self.archive
                    .open_unless_erased(&self.archive.entry(&position)?)?
                    .is_some()
            }
            None => false,
        };
        Ok(Said::read(exists, preconditions))
    }

    /// The attestations of a person, `own`, that a key leads to on a day, in the order in which they are
    /// judged. A person without any gets none: no protocol is looked for, whether it exists or not.
    fn heads(
        &self,
        chiave: &Chiave,
        (own, on): (&[Head], Date),
        all: bool,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Head>, SiiError> {
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = match chiave {
            Chiave::Cf(_) => return Ok(valid_on(own, on)),
            Chiave::ProtDsu(search) => self.archive.of_protocol(&search.protocollo_dsu, preconditions)?,
            Chiave::ProtMittente(search) => self.archive.of_sender(&search.protocollo_mittente)?,
        };
        found.retain(|head| own.contains(head));
        match chiave {
            // A sender's protocol is the sender's alone: two may have the same. The latest, of all or of the
            // ente's own.
            Chiave::ProtMittente(_) => {
                found.sort_by_key(Head::order);
                found.truncate(if all { 1 } else { found.len() });
            }
            Chiave::Cf(_) | Chiave::ProtDsu(_) => found.truncate(1),
        }
        Ok(found)
    }

    fn look_for(
        &self,
        permit: &Permit,
        Search { chiave, on }: Search<'_>,
        quanto: Quanto,
        occasion: Occasion<'_>,
    ) -> Result<(Option<Rinvenuta>, Vec<Precondition>), SiiError> {
        let mut preconditions = Vec::new();
        let person = chiave.codice_fiscale();
        // A permit for an ente's own DSU shows no others.
        let all = *permit.purpose() != Purpose::Own;
        let ente = permit.ente().codice.as_str();
        // Only the person's own attestations: another family's key finds nothing.
        let own = self.archive.of_person(
            person,
            (!all).then_some(ente),
            occasion.most(),
            &mut preconditions,
        )?;
        let by_person = matches!(chiave, Chiave::Cf(_)) && !own.is_empty();
        let heads = self.heads(chiave, (&own, on), all, &mut preconditions)?;
        let quali = Quali {
            on,
            ente: (!all).then_some(ente),
            most: occasion.most(),
        };
        let mut latest = Latest::default();
        let several = heads.len() > 1;
        for head in heads {
            // An attestation ruled out by the views is not opened. A single one is opened at once: `counts`
            // asks the same and more.
            if several
                && (self.archive.is_over(&head)?
                    || (by_person && self.is_outdated(&head, quali, &mut latest, &mut preconditions)?))
            {
                continue;
            }
            occasion.allows(&head.position)?;
            let Some(read) = self.archive.read(&head, quanto)? else {
                continue;
            };
            let counts = self.counts(
                &read.sintesi,
                &head,
                by_person.then_some(quali),
                &mut preconditions,
            )?;
            if counts && (all || self.owner_of(&head, &read.sintesi)?.as_deref() == Some(ente)) {
                return Ok((Some((head, read)), preconditions));
            }
        }
        Ok((None, preconditions))
    }

    /// The owner of an attestation's DSU, even after another ente completed it. Of a current ISEE the DSU
    /// under it tells: earlier builds recorded its sender.
    fn owner_of(&self, head: &Head, sintesi: &Sintesi) -> Result<Option<String>, SiiError> {
        match head.base {
            Some(_) => self.archive.owner(stem_of(&sintesi.numero_protocollo_dsu)),
            None => Ok(head.ente.clone()),
        }
    }

    /// Whether the declarant of an attestation has presented another relevant DSU since, as far as the views
    /// tell: only DSU recorded under one token key are compared. Each declarant's DSU are read once.
    fn is_outdated(
        &self,
        head: &Head,
        quali: Quali<'_>,
        latest: &mut Latest,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let Some(dichiarante) = &head.dichiarante else {
            return Ok(false);
        };
        let radice = head.base.as_ref().unwrap_or(&head.radice);
        let key = (head.key, dichiarante.clone());
        if !latest.contains_key(&key) {
            let presented = self
                .archive
                .latest_of((head.key, dichiarante), quali, preconditions)?;
            latest.insert(key.clone(), presented);
        }
        let Some((last, all)) = latest.get(&key).and_then(Option::as_ref) else {
            return Ok(false);
        };
        Ok(all.contains(radice) && last != radice)
    }

    /// Whether an attestation still counts. A cancelled one does not. With `quali`, from a search by person
    /// and day, an earlier version does not count either, nor an attestation followed by another relevant DSU
    /// of its declarant, with or without the person.
    fn counts(
        &self,
        found: &Sintesi,
        head: &Head,
        quali: Option<Quali<'_>>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let protocollo = found.protocollo();
        let stem = stem_of(protocollo);
        let versioni = self
            .archive
            .versioni_with(&stem, Some((head.key, &head.radice)), preconditions)?;
        if versioni.annullata() {
            return Ok(false);
        }
        let base = &found.numero_protocollo_dsu;
        if base != protocollo && self.archive.versioni(stem_of(base), preconditions)?.annullata() {
            return Ok(false);
        }
        let Some(quali) = quali else { return Ok(true) };
        if base != protocollo && self.is_left_behind(base, head, preconditions)? {
            return Ok(false);
        }
        // A later version counts once it is attested.
        let later = versioni
            .ultima()
            .is_some_and(|ultima| ultima.numero > number_of(protocollo));
        if later {
            let attested = self
                .archive
                .attestata(&stem_of(protocollo), &versioni, preconditions)?;
            if attested.is_some_and(|(latest, _)| number_of(&latest) > number_of(protocollo)) {
                return Ok(false);
            }
        }
        // A current ISEE is compared by the DSU under it.
        let radice = stem_of(base);
        let origine = match base == protocollo {
            true => head.origine,
            false => self
                .archive
                .versioni(radice.clone(), preconditions)?
                .0
                .first()
                .map_or(head.origine, |first| first.sequence),
        };
        let order = (found.data_presentazione, origine);
        let known = head.dichiarante.as_deref().map(|token| (head.key, token));
        let declarant = (&found.dichiarante, known);
        Ok(!self.replaced(declarant, &radice, order, quali, preconditions)?)
    }

    /// Whether a current ISEE was valid at the attestation of a later version of its DSU, and was not
    /// computed again with it: it ended then. Only so many are computed again (see
    /// [`super::current::CORRENTI`]).
    fn is_left_behind(
        &self,
        base: &str,
        head: &Head,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        let radice = stem_of(base);
        let Some(ultima) = self
            .archive
            .versioni(radice.clone(), preconditions)?
            .ultima()
            .map(|ultima| ultima.numero)
        else {
            return Ok(false);
        };
        for number in number_of(base) + 1..=ultima {
            let Some(version) = version_of(&radice, number) else {
                break;
            };
            if let Some(later) = self.archive.of_protocol(&version, preconditions)?.first() {
                let issued = self.archive.entry(&later.position)?.leaf.body.day(RILASCIATA);
                return Ok(issued.is_some_and(|issued| issued <= head.scadenza));
            }
        }
        Ok(false)
    }

    /// Whether a declarant has presented another relevant DSU, not cancelled, after the DSU `radice`.
    /// `order`: day and entry of the first presentation of `radice`. The declarant's token may be known.
    pub(super) fn replaced(
        &self,
        (declarant, known): (&CodiceFiscale, Option<(TokenKey, &str)>),
        radice: &str,
        order: (Date, u64),
        quali: Quali<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<bool, SiiError> {
        for other in self
            .archive
            .presented_by(declarant, known, quali.most, preconditions)?
        {
            let later = quali.has(&other) && (other.presentata, other.origine) > order;
            let same =
                || Ok::<_, SiiError>(self.ledger.keys.token(other.key, "protocol", radice)? == other.radice);
            if later && !same()? && !self.archive.versioni_of(other.key, &other.radice)?.annullata() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
