//! Rule sets applied to attestations by other rules: `varco rules apply`. It happened in 2016 and in 2019.
//!
//! A DSU attested by another rule set, or by other parameters of the same one, is computed again with the
//! data of its earlier computation. With any difference in the result, it becomes a new version (Variazione
//! `Ricalcolo`); the earlier one stays, readable by its protocol.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::archive::decode;
use super::compute::{Computed, Fonti};
use super::current::Under;
use super::entries::{Head, is_version, read_version};
use super::incoming::{Came, Cause, Incoming, NotReceived, RULES, ente_of, internal, next_version};
use super::record::NewVersion;
use super::seen::{Versione, Versioni};
use super::system::Embedded;
use crate::clock::day;
use crate::digest::{hex, sha256};
use crate::isee::attest::{self, Sostitutivo, attest};
use crate::isee::attestazione::{Attestazione, Variazione};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::dsu::Dichiarazione;
use crate::isee::righe::di_specifico;
use crate::isee::rules::RuleSet;
use crate::ledger::committer::TOKENS;
use crate::ledger::{
    Blinding, Body, Entry, Fact, Kind, NotCommitted, Position, Precondition, Retention, Secret, Submission,
    new_exchange,
};
use crate::progress::made;
use crate::registry::administration::Rejected;
use crate::sii::SiiError;
use crate::sii::answers::Found;
use crate::sii::facts::{METODO, REGOLE, REGOLE_IMPRONTA};
use crate::sii::protocol::{stem_of, version_of};
use crate::sii::upkeep::{Act, Applicate, Effetto, Esaminata};

/// Number of names read from the views at a time.
const PAGE: usize = 1000;
/// Attempts for one DSU, against others changing it at the same time.
const TRIES: usize = 10;
/// The most DSU listed by a trial.
const LISTED: usize = 10_000;

/// The effect of the rules on one DSU.
enum Judged {
    /// It does not count: waiting, cancelled, erased, or without rules for its day.
    Nothing,
    /// It was attested by other rules, and a later version of it waits.
    Waits(Trovata),
    /// It was attested by these rules.
    UpToDate,
    /// Other rules gave the same.
    Same(Trovata),
    /// Other rules gave another result: the new version.
    Again(Trovata, Submission),
}

/// A DSU attested by other rules.
struct Trovata {
    protocollo: String,
    presentata: Date,
    regole: String,
    metodo: u64,
}

impl Trovata {
    fn of(
        protocollo: &str,
        presentata: Date,
        facts: &BTreeMap<String, serde_json::Value>,
    ) -> Result<Self, SiiError> {
        let regole = facts
            .get(REGOLE.name())
            .and_then(|value| value.as_str())
            .ok_or_else(|| internal("an attestation without rules"))?;
        // Earlier builds had one method, and did not name it.
        let metodo = facts
            .get(METODO.name())
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(1);
        Ok(Self {
            protocollo: protocollo.to_owned(),
            presentata,
            regole: regole.to_owned(),
            metodo,
        })
    }

    fn with(self, effetto: Effetto) -> Esaminata {
        let Self {
            protocollo,
            presentata,
            regole,
            metodo,
        } = self;
        Esaminata {
            protocollo,
            presentata,
            regole,
            metodo,
            effetto,
        }
    }
}

/// The result of one DSU's examination.
enum Fatto {
    /// It was attested by these rules.
    Aggiornata,
    /// It was attested by other rules.
    Altra(Esaminata),
}

/// An attested version, opened: of a DSU or of a current ISEE.
struct Attested<'a> {
    /// The entry of the first version.
    first: &'a Entry,
    /// Protocol of the first version.
    radice: &'a str,
    versioni: &'a Versioni,
    ultima: &'a Versione,
    head: &'a Head,
    /// The protocol of the version.
    protocollo: String,
    found: Found,
    /// The declaration as it came.
    canonical: String,
    /// The persons named in its entry.
    persone: Vec<String>,
    /// Whether its entry also holds the whole declaration.
    is_whole: bool,
    /// The whole declaration: kept with the entry, or the declaration as it came.
    dsu: Dichiarazione,
    form: Option<Form>,
}

/// The substitute form of a current ISEE.
struct Form {
    /// First protocol of the DSU under it.
    base: String,
    presentato: Date,
    /// The last valid day by the present rules.
    scadenza: Date,
}

impl Embedded {
    /// Applies the rules. Records the start and the result, with the reason.
    pub(super) async fn apply(&self, trial: bool, act: Act<'_>) -> Result<Applicate, Rejected> {
        act.has_reason()?;
        let begun = self.ledger.keys.begin(day(act.now).year());
        begun.map_err(|error| Rejected::Ledger(error.to_string()))?;
        if trial {
            return self
                .recompute_all(true, act.now)
                .await
                .map_err(|error| Rejected::Ledger(error.to_string()));
        }
        // The actor and the reason first: the work may be long, and be interrupted.
        self.record_application(None, act).await?;
        let applied = self
            .recompute_all(false, act.now)
            .await
            .map_err(|error| Rejected::Ledger(error.to_string()))?;
        self.record_application(Some(&applied), act).await?;
        Ok(applied)
    }

    async fn record_application(&self, applied: Option<&Applicate>, act: Act<'_>) -> Result<(), Rejected> {
        let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
        let (ledger, now) = (&self.ledger, act.now);
        let exchange = new_exchange(now).map_err(|error| internal(&error))?;
        let mut body = Body::new(Kind::Admin, Retention::Registro, exchange, now).fact(REGOLE, applied);
        body.operation = Some(RULES.to_owned());
        body.outcome = Some(if applied.is_some() { "OK" } else { "INIZIO" }.to_owned());
        let mut secret = Secret {
            reason: Some(act.reason.to_owned()),
            ..Secret::default()
        };
        let body = act
            .actor
            .sign(body, &mut secret, ledger, now)
            .map_err(|error| internal(&error))?;
        let blinding = Blinding::new().map_err(|error| internal(&error))?;
        let draft = ledger
            .prepare(body, &secret, blinding, 0, now)
            .map_err(|error| internal(&error))?;
        let submission = Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        };
        ledger
            .committer
            .submit(submission)
            .await
            .map(|_| ())
            .map_err(|error| internal(&error))
    }

    async fn recompute_all(&self, prova: bool, now: Timestamp) -> Result<Applicate, SiiError> {
        let mut applied = Applicate::default();
        // The current ISEE after the DSU: they are computed again with their DSU.
        for current in [false, true] {
            let mut after = Vec::new();
            loop {
                let page = self.store.scan_after(TOKENS.as_bytes(), &after, PAGE)?;
                let Some((last, _)) = page.last() else { break };
                after.clone_from(last);
                for (name, value) in page.into_iter().filter(|(name, _)| is_version(name)) {
                    made(1);
                    match self.recompute_one((&name, &value), current, prova, now).await {
                        Ok(None) => continue,
                        Ok(Some(Fatto::Aggiornata)) => applied.aggiornate += 1,
                        Ok(Some(Fatto::Altra(examined))) => {
                            match examined.effetto {
                                Effetto::Uguale => applied.invariate += 1,
                                Effetto::Ricalcolata => applied.ricalcolate += 1,
                                Effetto::InAttesa => applied.in_attesa += 1,
                            }
                            if prova && applied.elenco.len() < LISTED {
                                applied.elenco.push(examined);
                            }
                        }
                        Err(SiiError::Internal(error)) => {
                            tracing::error!(error, "a DSU cannot be computed again");
                            applied.errori += 1;
                        }
                        Err(error) => return Err(error),
                    }
                    applied.esaminate += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(applied)
    }

    /// Examines one DSU, or one current ISEE, by its first version. `None`: another version, or not counting.
    async fn recompute_one(
        &self,
        (name, value): (&[u8], &[u8]),
        current: bool,
        prova: bool,
        now: Timestamp,
    ) -> Result<Option<Fatto>, SiiError> {
        let version =
            read_version(name, value).ok_or_else(|| SiiError::Internal("a damaged view".to_owned()))?;
        if version.numero != 0
            || version.operazione == TipoOperazione::X
            || (version.operazione == TipoOperazione::C) != current
        {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let examined = |found: Trovata, effetto| Ok(Some(Fatto::Altra(found.with(effetto))));
            let (found, submission) = match self.judge(&version.position, now)? {
                Judged::Nothing => return Ok(None),
                Judged::Waits(found) => return examined(found, Effetto::InAttesa),
                Judged::UpToDate => return Ok(Some(Fatto::Aggiornata)),
                Judged::Same(found) => return examined(found, Effetto::Uguale),
                Judged::Again(found, submission) => (found, submission),
            };
            if prova {
                return examined(found, Effetto::Ricalcolata);
            }
            match self.ledger.committer.submit(submission).await {
                Ok(_) => return examined(found, Effetto::Ricalcolata),
                // Somebody else was quicker: once more, on the new state.
                Err(NotCommitted::Conflict) => {}
                Err(error) => return Err(SiiError::Unavailable(error.to_string())),
            }
        }
        Err(SiiError::Internal("others were always quicker".to_owned()))
    }

    /// Opens the latest version of a DSU, and judges it.
    fn judge(&self, first: &Position, now: Timestamp) -> Result<Judged, SiiError> {
        let first = self.archive.entry(first)?;
        let Some(secret) = self.archive.open_unless_erased(&first)? else {
            return Ok(Judged::Nothing);
        };
        let radice = secret
            .protocol
            .first()
            .map(|protocol| stem_of(protocol))
            .ok_or_else(|| internal("a DSU without protocol"))?;
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let Some(ultima) = versioni.ultima().filter(|_| !versioni.annullata()) else {
            return Ok(Judged::Nothing);
        };
        let protocollo = version_of(&radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let heads = self.archive.of_protocol(&protocollo, &mut preconditions)?;
        let Some(head) = heads.first() else {
            return self.judge_waiting(&radice, &versioni, &mut preconditions);
        };
        let Some(found) = self.archive.attestation(head)? else {
            return Ok(Judged::Nothing);
        };
        let Some(secret) = self
            .archive
            .open_unless_erased(&self.archive.entry(&ultima.position)?)?
        else {
            return Ok(Judged::Nothing);
        };
        let canonical = secret.dsu.ok_or_else(|| internal("an entry without DSU"))?;
        let dsu: Dichiarazione = decode(secret.effettiva.as_ref().unwrap_or(&canonical))?;
        let attested = Attested {
            first: &first,
            radice: &radice,
            versioni: &versioni,
            ultima,
            head,
            protocollo,
            form: self.form(&found, &dsu, head.presentata),
            found,
            canonical,
            persone: secret.cf,
            is_whole: secret.effettiva.is_some(),
            dsu,
        };
        self.judge_attested(attested, preconditions, now)
    }

    /// Judges a DSU with a waiting version. These rules will attest the waiting version; the earlier
    /// attestation stays until then.
    fn judge_waiting(
        &self,
        radice: &str,
        versioni: &Versioni,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Judged, SiiError> {
        let Some((attested, head)) = self.archive.attestata(radice, versioni, preconditions)? else {
            return Ok(Judged::Nothing);
        };
        let facts = self.archive.entry(&head.position)?.leaf.body.facts;
        let same = self
            .settings
            .rules
            .on(head.presentata)
            .is_some_and(|rules| is_by(&facts, rules));
        Ok(if same {
            Judged::UpToDate
        } else {
            Judged::Waits(Trovata::of(&attested, head.presentata, &facts)?)
        })
    }

    /// Computes an attested version again, if other rules made it.
    fn judge_attested(
        &self,
        attested: Attested<'_>,
        mut preconditions: Vec<Precondition>,
        now: Timestamp,
    ) -> Result<Judged, SiiError> {
        let Attested {
            head,
            protocollo,
            found,
            dsu,
            ..
        } = &attested;
        let presentata = found.attestazione.data_presentazione;
        let Some(rules) = self.settings.rules.on(presentata) else {
            return Ok(Judged::Nothing);
        };
        let facts = self.archive.entry(&head.position)?.leaf.body.facts;
        let same_days = attested
            .form
            .as_ref()
            .is_none_or(|form| form.scadenza == head.scadenza);
        if is_by(&facts, rules) && same_days {
            return Ok(Judged::UpToDate);
        }
        let trovata = Trovata::of(protocollo, head.presentata, &facts)?;
        // The sources of its own computation, not the present ones.
        let kept = Fonti::of(found)?.ok_or_else(|| internal("an attestation without its sources"))?;
        let computed = self.compute(dsu, presentata, rules, kept.again(), &mut preconditions)?;
        let old = &found.attestazione;
        let issued = old
            .ordinario
            .as_ref()
            .map_or(presentata, |ordinario| ordinario.isee_ordinario.data_rilascio);
        let same_specific = found.specifico.is_none()
            || found.specifico == computed.indicatori.specifico.as_ref().map(di_specifico);
        if same_specific && attested.again(&computed, protocollo, issued, old.variazione.clone()) == *old {
            return Ok(Judged::Same(trovata));
        }
        let submission = self.new_version(&attested, &computed, preconditions, now)?;
        Ok(Judged::Again(trovata, submission))
    }

    /// The entries of the new version, and of the current ISEE on it.
    fn new_version(
        &self,
        attested: &Attested<'_>,
        computed: &Computed<'_>,
        mut preconditions: Vec<Precondition>,
        now: Timestamp,
    ) -> Result<Submission, SiiError> {
        let Attested {
            first,
            radice,
            versioni,
            ultima,
            head,
            protocollo,
            found,
            canonical,
            persone,
            dsu,
            form,
            ..
        } = attested;
        let next = next_version(radice, ultima.numero + 1)?;
        let changed = recomputed(&found.attestazione, protocollo, head.presentata);
        let attestazione = attested.again(computed, &next, day(now), Some(changed));
        let ente = ente_of(first)?;
        let di = found.ente.as_deref().unwrap_or(ente);
        let impronta = hex(&sha256(canonical.as_bytes()));
        let presented = form.as_ref().map_or(computed.presented, |_| head.presentata);
        let incoming = Incoming {
            came: Some(Came {
                impronta: &impronta,
                canonical,
                persone,
            }),
            operazione: ultima.operazione,
            ..Incoming::ours(Cause::Rules, ente, dsu, presented, now)?
        };
        let mut version = NewVersion {
            radice,
            effettiva: attested.is_whole.then_some(dsu),
            altrui: di != ente,
            origine: versioni.0.first().map(|first| first.sequence),
            ..NewVersion::first(&next, di, &attestazione, computed)
        };
        if let Some(form) = form {
            version = NewVersion {
                validita: (form.presentato, form.scadenza),
                base: Some(&form.base),
                ..version
            };
        }
        let mut drafts = self.drafts(incoming, &version, 0, &mut preconditions)?;
        if form.is_none() {
            let under = Under {
                radice,
                presentata: computed.presented,
                protocollo: &next,
                dsu,
                fonti: &computed.fonti,
            };
            self.recompute_current(incoming, under, &mut drafts, &mut preconditions)
                .map_err(NotReceived::ours)?;
        }
        Ok(Submission {
            drafts,
            preconditions,
        })
    }

    /// The substitute form of a current ISEE. `None`: a DSU.
    fn form(&self, found: &Found, dsu: &Dichiarazione, presentato: Date) -> Option<Form> {
        if found.protocollo() == found.attestazione.numero_protocollo_dsu {
            return None;
        }
        let scadenza = dsu
            .isee_corrente
            .as_ref()?
            .scadenza(presentato, self.settings.rules.on(presentato)?);
        Some(Form {
            base: stem_of(&found.attestazione.numero_protocollo_dsu),
            presentato,
            scadenza,
        })
    }
}

impl Attested<'_> {
    /// Attests it again, with the same omissions.
    fn again(
        &self,
        computed: &Computed<'_>,
        own: &str,
        on: Date,
        variazione: Option<Variazione>,
    ) -> Attestazione {
        let old = &self.found.attestazione;
        let sostitutivo = self.form.as_ref().map(|form| Sostitutivo {
            protocollo: own,
            presentato: form.presentato,
            scadenza: form.scadenza,
        });
        let about = attest::Rilascio {
            protocollo: if sostitutivo.is_some() {
                old.numero_protocollo_dsu.as_str()
            } else {
                own
            },
            presentata: computed.presented,
            rilasciata: on,
            sostitutivo,
            variazione,
            omissioni: old.omissione_difformita.clone(),
            protocollo_mittente: old.protocollo_mittente.as_deref(),
        };
        attest(computed.dsu, &computed.indicatori, computed.rules, about)
    }
}

/// Whether an attestation was made by a rule set, as its entry says.
fn is_by(facts: &BTreeMap<String, serde_json::Value>, rules: &RuleSet) -> bool {
    let said = |fact: Fact| facts.get(fact.name()).and_then(|value| value.as_str());
    said(REGOLE) == Some(&*rules.id) && said(REGOLE_IMPRONTA) == Some(&*rules.digest)
}

fn recomputed(old: &Attestazione, protocollo: &str, presentata: Date) -> Variazione {
    Variazione {
        tipo_variazione: TipoVariazioneAttestazione::Ricalcolo,
        numero_protocollo_dsu_variata: protocollo.to_owned(),
        data_presentazione_dsu_variata: presentata,
        numero_protocollo_mittente_dsu_variata: old.protocollo_mittente.clone(),
        note_variazione: None,
        discordanze_contestazione: Vec::new(),
    }
}
