//! DSU that wait: the terms of DPCM 159/2013 art. 11. A DSU of whose members not everything is known is received, and attested once the feed has
//! them all; after the terms its declarant may declare what is missing (operation I).

use jiff::Timestamp;
use jiff::civil::Date;

use super::SiiError;
use super::archive::{decode, stem_of};
use super::embedded::Embedded;
use super::entries::{WAITING, person_key, protocol_key, sequence_of};
use super::registrazione::{Versione, lines};
use crate::clock::rome;
use crate::config::Attesta;
use crate::contract::{ISEE_NS, message};
use crate::isee::attest::{self, attest};
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::income_year;
use crate::isee::dsu::Dichiarazione;
use crate::isee::omissioni::omissioni;
use crate::ledger::{
    Blinding, Body, Entry, Kind, NotCommitted, Position, Precondition, Retention, Secret, Submission, Tokens, new_exchange,
};

impl Embedded {
    /// Whether a DSU may be attested: everything is known, or that is not waited for.
    pub(super) fn may_attest(&self, dsu: &Dichiarazione, presented: Date, preconditions: &mut Vec<Precondition>) -> Result<bool, SiiError> {
        Ok(self.settings.attesta == Attesta::Subito || self.is_known(dsu, presented, preconditions)?)
    }

    /// Whether of every member, and of everybody outside whose data stand in the DSU and count, the feed has a record, or the DSU has FC8 that
    /// counts, or says that the member, a minor, has nothing.
    fn is_known(&self, dsu: &Dichiarazione, presented: Date, preconditions: &mut Vec<Precondition>) -> Result<bool, SiiError> {
        let members = dsu.membri().filter(|member| !member.flag_assenza_reddito).map(|member| &member.foglio_componente_nucleo);
        for foglio in members.chain(dsu.fogli_esterni()) {
            let declared = foglio.altri_redditi.as_ref().is_some_and(|redditi| redditi.counts(dsu.operazione.tipo));
            if !declared && !self.archive.is_known(&foglio.codice_fiscale, income_year(presented), preconditions)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Attests what waits and need not any more; how many. What cannot be attested keeps nothing else from being so.
    pub(super) async fn attest_waiting(&self, now: Timestamp) -> Result<usize, SiiError> {
        let mut attested = 0;
        for (name, value) in self.store.scan(WAITING)? {
            match self.attest_one(&name, &value, now).await {
                Ok(done) => attested += usize::from(done),
                Err(SiiError::Internal(error)) => tracing::error!(error, "a DSU that waits cannot be attested"),
                Err(error) => return Err(error),
            }
            tokio::task::yield_now().await;
        }
        Ok(attested)
    }

    async fn attest_one(&self, name: &[u8], value: &[u8], now: Timestamp) -> Result<bool, SiiError> {
        let damaged = || SiiError::Internal("a damaged view".to_owned());
        let sequence = sequence_of(name).ok_or_else(damaged)?;
        let entry = self.archive.entry(&Position::decode(value).ok_or_else(damaged)?)?;
        // Somebody else was quicker, three times: the next load or start sees it again.
        for _ in 0..3 {
            let Some(submission) = self.attestation_of(&entry, sequence, now)? else { return Ok(false) };
            match self.ledger.committer.submit(submission).await {
                Ok(_) => return Ok(true),
                Err(NotCommitted::Conflict) => {}
                Err(error) => return Err(SiiError::Unavailable(error.to_string())),
            }
        }
        Ok(false)
    }

    /// The attestation of a DSU that waited; nothing if it still has to, or does not count any more.
    fn attestation_of(&self, entry: &Entry, sequence: u64, now: Timestamp) -> Result<Option<Submission>, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let Some(secret) = self.archive.open_unless_erased(entry)? else { return Ok(None) };
        let Some(protocollo) = secret.protocol.first().cloned() else { return Err(internal("a DSU without its protocol")) };
        let radice = stem_of(&protocollo);
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let current = versioni.ultima().is_some_and(|ultima| ultima.sequence == sequence) && !versioni.annullata();
        if !current || !self.archive.of_protocol(&protocollo, &mut preconditions)?.is_empty() {
            return Ok(None);
        }
        let dsu: Dichiarazione = decode(&secret.effettiva.or(secret.dsu).ok_or_else(|| internal("an entry without DSU"))?)?;
        let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?;
        let facts = &first.as_ref().unwrap_or(entry).leaf.body.facts;
        let presented: Date = facts.get("presentata").and_then(|day| day.as_str()?.parse().ok()).ok_or_else(|| internal("a day"))?;
        if !self.may_attest(&dsu, presented, &mut preconditions)? {
            return Ok(None);
        }
        let Some(rules) = self.settings.rules.on(presented) else { return Err(internal("a DSU without rules")) };
        let today = rome(now).date();
        let (indicatori, known) = self.compute(&dsu, presented, rules, &mut preconditions)?;
        let about = attest::Occasion {
            protocollo: &protocollo,
            presentata: presented,
            rilasciata: today,
            omissioni: omissioni(&dsu, presented, &known, today),
            ..attest::Occasion::default()
        };
        let attestazione = attest(&dsu, &indicatori, rules, about);

        let keys = &self.ledger.keys;
        let year = today.year();
        let members = dsu.codici();
        let cf = members.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let protocol = secret.protocol.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let exchange = new_exchange(now).map_err(|error| SiiError::Internal(error.to_string()))?;
        let mut body = Body::new(Kind::Attestation, Retention::Dsu, exchange, now);
        body.ente = entry.leaf.body.ente.clone();
        body.operation = Some("attestazione".to_owned());
        body.tokens = Some(Tokens { year, cf: cf.clone(), protocol: protocol.clone(), ..Tokens::default() });
        let di = first.as_ref().unwrap_or(entry).leaf.body.ente.clone().unwrap_or_default();
        let version = Versione {
            protocollo: &protocollo,
            radice: &radice,
            effettiva: None,
            dsu: &dsu,
            validita: (presented, attestazione.data_validita),
            base: None,
            di: &di,
            attestazione: &attestazione,
            rules,
            known: &known,
            receipt: "",
            specifico: indicatori.specifico.as_ref(),
            origine: versioni.0.first().map(|first| first.sequence),
            attendeva: Some(sequence),
        };
        let operazione = TipoOperazione::from_code(&versioni.ultima().map(|ultima| ultima.operazione.clone()).unwrap_or_default());
        let mut body = self.attested(body, &version, operazione.unwrap_or(TipoOperazione::N), today)?;
        body.keys = cf.iter().map(|token| person_key(year, token)).collect();
        body.keys.extend(protocol.first().map(|token| protocol_key(year, token)));
        let secret = Secret {
            cf: members,
            protocol: secret.protocol,
            attestation: Some(message("Attestazione", ISEE_NS, &attestazione, false)),
            specifico: indicatori.specifico.as_ref().map(lines),
            feed: Some(serde_json::to_value(&known).map_err(|error| SiiError::Internal(error.to_string()))?),
            ..Secret::default()
        };
        let blinding = Blinding::new()?;
        let draft = self.ledger.prepare(body, &secret, &blinding, 0, now).map_err(|error| SiiError::Internal(error.to_string()))?;
        Ok(Some(Submission { drafts: vec![draft], preconditions }))
    }
}
