//! Rule sets that change what was attested by others: `varco rules apply`. It happened in 2016 and in 2019.
//!
//! What was attested by another rule set, or by other parameters of the same, is computed again with the data that it was computed with. Where
//! anything comes out otherwise, it becomes a new version (Variazione `Ricalcolo`); the earlier one stays, readable by its protocol.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::archive::{decode, stem_of, version_of};
use super::embedded::{Embedded, Fonti};
use super::entries::{is_version, read_version};
use super::registrazione::Versione;
use super::ricezione::Ricevuta;
use super::{Found, Occasion, Sii, SiiError};
use crate::clock::rome;
use crate::digest::{hex, sha256};
use crate::isee::attest::{self, Sostitutivo, attest};
use crate::isee::attestazione::{Attestazione, Variazione};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::dsu::Dichiarazione;
use crate::isee::righe::di_specifico;
use crate::isee::rules::RuleSet;
use crate::ledger::committer::TOKENS;
use crate::ledger::{Blinding, Body, Kind, Ledger, NotCommitted, Position, Retention, Secret, Submission, new_exchange};
use crate::registry::administration::{Actor, Rejected};

/// The command, as entries name it.
const COMMAND: &str = "rules apply";

/// So many versions are looked at before the next are read.
const PAGE: usize = 1000;
/// How often one DSU is tried, where others change it at the same time.
const TRIES: usize = 10;

/// What applying the rules did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applicate {
    /// DSU and current ISEE that count.
    pub esaminate: u64,
    /// Of these, attested by the rules as they are.
    pub aggiornate: u64,
    /// Attested by others, to the same effect.
    pub invariate: u64,
    /// Attested by others, to another effect: computed again.
    pub ricalcolate: u64,
    /// A later version of it waits, and will be attested by the rules as they are: until then it stays.
    #[serde(default)]
    pub in_attesa: u64,
    /// Could not be computed again: the log says why.
    pub errori: u64,
    /// Of a trial: the first DSU attested by other rules. Never recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elenco: Vec<Esaminata>,
}

/// A DSU that was attested by other rules than those there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Esaminata {
    /// The protocol of the attested version.
    pub protocollo: String,
    /// When it was presented.
    pub presentata: Date,
    /// The rule set that it was attested by.
    pub regole: String,
    /// The version of the method of computation that it was attested by.
    pub metodo: u64,
    /// The effect on it.
    pub effetto: Esito,
}

/// The effect of the rules on a DSU attested by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Esito {
    /// The same.
    Uguale,
    /// Something else: it would be computed again.
    Ricalcolata,
    /// A later version of it waits.
    InAttesa,
}

/// So many are listed.
const LISTED: usize = 10_000;

/// Applies the rules and records that, with its reason.
pub async fn apply(
    ledger: &Ledger,
    sii: &dyn Sii,
    prova: bool,
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<Applicate, Rejected> {
    if reason.trim().is_empty() {
        return Err(Rejected::Invalid("indicare il motivo (--motivo)".to_owned()));
    }
    if prova {
        return sii.apply_rules(true, now).await.map_err(|error| Rejected::Ledger(error.to_string()));
    }
    // First who does it and why: what follows may be much, and be interrupted.
    record(ledger, None, actor, reason, now).await?;
    let applied = sii.apply_rules(false, now).await.map_err(|error| Rejected::Ledger(error.to_string()))?;
    record(ledger, Some(&applied), actor, reason, now).await?;
    Ok(applied)
}

async fn record(ledger: &Ledger, applied: Option<&Applicate>, actor: &Actor, reason: &str, now: Timestamp) -> Result<(), Rejected> {
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    let exchange = new_exchange(now).map_err(|error| internal(&error))?;
    let mut body = Body::new(Kind::Admin, Retention::Registro, exchange, now).fact("regole", applied);
    body.operation = Some(COMMAND.to_owned());
    body.outcome = Some(if applied.is_some() { "OK" } else { "INIZIO" }.to_owned());
    let mut secret = Secret { reason: Some(reason.to_owned()), ..Secret::default() };
    let body = actor.sign(body, &mut secret, ledger, now).map_err(|error| internal(&error))?;
    let blinding = Blinding::new().map_err(|error| internal(&error))?;
    let draft = ledger.prepare(body, &secret, &blinding, 0, now).map_err(|error| internal(&error))?;
    let submission = Submission { drafts: vec![draft], preconditions: Vec::new() };
    ledger.committer.submit(submission).await.map(|_| ()).map_err(|error| internal(&error))
}

/// What the rules do to one DSU.
enum Effetto {
    /// It does not count: waiting, cancelled, erased.
    Nessuno,
    /// It counts, and a later version of it waits.
    InAttesa(Trovata),
    Aggiornata,
    Invariata(Trovata),
    Ricalcolata(Trovata, Submission),
}

/// A DSU attested by other rules.
struct Trovata {
    protocollo: String,
    presentata: Date,
    regole: String,
    metodo: u64,
}

impl Trovata {
    fn of(protocollo: &str, presentata: Date, facts: &BTreeMap<String, serde_json::Value>) -> Self {
        let regole = facts.get("regole").and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let metodo = facts.get("metodo").and_then(serde_json::Value::as_u64).unwrap_or(1);
        Self { protocollo: protocollo.to_owned(), presentata, regole, metodo }
    }

    fn with(self, effetto: Esito) -> Esaminata {
        let Self { protocollo, presentata, regole, metodo } = self;
        Esaminata { protocollo, presentata, regole, metodo, effetto }
    }
}

/// What became of one DSU.
enum Fatto {
    /// The rules are those it was attested by.
    Aggiornata,
    Altra(Esaminata),
}

impl Embedded {
    pub(super) async fn recompute_all(&self, prova: bool, now: Timestamp) -> Result<Applicate, SiiError> {
        let mut applied = Applicate::default();
        // What rests on a DSU after it, since it is computed again with it.
        for current in [false, true] {
            let mut after = Vec::new();
            loop {
                let page = self.store.scan_after(TOKENS.as_bytes(), &after, PAGE)?;
                let Some((last, _)) = page.last() else { break };
                after.clone_from(last);
                for (name, value) in page.into_iter().filter(|(name, _)| is_version(name)) {
                    match self.recompute_one((&name, &value), current, prova, now).await {
                        Ok(None) => continue,
                        Ok(Some(Fatto::Aggiornata)) => applied.aggiornate += 1,
                        Ok(Some(Fatto::Altra(examined))) => {
                            match examined.effetto {
                                Esito::Uguale => applied.invariate += 1,
                                Esito::Ricalcolata => applied.ricalcolate += 1,
                                Esito::InAttesa => applied.in_attesa += 1,
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

    /// One DSU, or one current ISEE, by its first version; nothing for other versions, and for what does not count.
    async fn recompute_one(
        &self,
        (name, value): (&[u8], &[u8]),
        current: bool,
        prova: bool,
        now: Timestamp,
    ) -> Result<Option<Fatto>, SiiError> {
        let version = read_version(name, value).ok_or_else(|| SiiError::Internal("a damaged view".to_owned()))?;
        if version.numero != 0 || version.operazione == "X" || (version.operazione == "C") != current {
            return Ok(None);
        }
        for _ in 0..TRIES {
            let examined = |found: Trovata, effetto| Ok(Some(Fatto::Altra(found.with(effetto))));
            let (found, submission) = match self.effect(&version.position, now)? {
                Effetto::Nessuno => return Ok(None),
                Effetto::InAttesa(found) => return examined(found, Esito::InAttesa),
                Effetto::Aggiornata => return Ok(Some(Fatto::Aggiornata)),
                Effetto::Invariata(found) => return examined(found, Esito::Uguale),
                Effetto::Ricalcolata(found, submission) => (found, submission),
            };
            if prova {
                return examined(found, Esito::Ricalcolata);
            }
            match self.ledger.committer.submit(submission).await {
                Ok(_) => return examined(found, Esito::Ricalcolata),
                // Somebody else was quicker: once more, with what has been made of it.
                Err(NotCommitted::Conflict) => {}
                Err(error) => return Err(SiiError::Unavailable(error.to_string())),
            }
        }
        Err(SiiError::Internal("others were always quicker".to_owned()))
    }

    fn effect(&self, first: &Position, now: Timestamp) -> Result<Effetto, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let first = self.archive.entry(first)?;
        let Some(secret) = self.archive.open_unless_erased(&first)? else { return Ok(Effetto::Nessuno) };
        let Some(radice) = secret.protocol.first().map(|protocol| stem_of(protocol)) else {
            return Err(internal("a DSU without protocol"));
        };
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let Some(ultima) = versioni.ultima().filter(|_| !versioni.annullata()) else { return Ok(Effetto::Nessuno) };
        let protocollo = version_of(&radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let heads = self.archive.of_protocol(&protocollo, &mut preconditions)?;
        let Some(head) = heads.first() else {
            // What waits will be attested by these rules; what was attested before it stays as it is until then.
            let Some((attested, head)) = self.archive.attestata(&radice, &versioni, &mut preconditions)? else {
                return Ok(Effetto::Nessuno);
            };
            let facts = self.archive.entry(&head.position)?.leaf.body.facts;
            let same = self.settings.rules.on(head.presentata).is_some_and(|rules| is_by(&facts, rules));
            return Ok(if same { Effetto::Aggiornata } else { Effetto::InAttesa(Trovata::of(&attested, head.presentata, &facts)) });
        };
        let Some(found) = self.archive.attestation(head)? else { return Ok(Effetto::Nessuno) };
        let Some(secret) = self.archive.open_unless_erased(&self.archive.entry(&ultima.position)?)? else { return Ok(Effetto::Nessuno) };
        let canonical = secret.dsu.ok_or_else(|| internal("an entry without DSU"))?;
        let dsu: Dichiarazione = decode(secret.effettiva.as_ref().unwrap_or(&canonical))?;
        let presentata = found.attestazione.data_presentazione;
        let Some(rules) = self.settings.rules.on(presentata) else { return Ok(Effetto::Nessuno) };
        let form = self.form(&found, &dsu, head.presentata);
        let facts = self.archive.entry(&head.position)?.leaf.body.facts;
        let same_rules = is_by(&facts, rules);
        let same_days = form.as_ref().is_none_or(|(_, _, scadenza)| *scadenza == head.scadenza);
        if same_rules && same_days {
            return Ok(Effetto::Aggiornata);
        }
        let trovata = Trovata::of(&protocollo, head.presentata, &facts);
        // What it was computed with, and not what is known now.
        let kept = Fonti::of(&found).ok_or_else(|| internal("an attestation without what it was computed with"))?;
        let (indicatori, fonti) = self.compute(&dsu, presentata, rules, kept.again(), &mut preconditions)?;
        let old = &found.attestazione;
        let attest_as = |own: &str, on: Date, variazione: Option<Variazione>| {
            let sostitutivo = form.as_ref().map(|(_, presentato, scadenza)| Sostitutivo {
                protocollo: own,
                presentato: *presentato,
                scadenza: *scadenza,
            });
            let of = if sostitutivo.is_some() { old.numero_protocollo_dsu.as_str() } else { own };
            let about = attest::Occasion {
                protocollo: of,
                presentata,
                rilasciata: on,
                sostitutivo,
                variazione,
                omissioni: old.omissione_difformita.clone(),
                protocollo_mittente: old.protocollo_mittente.as_deref(),
            };
            attest(&dsu, &indicatori, rules, about)
        };
        let issued = old.ordinario.as_ref().map_or(presentata, |ordinario| ordinario.isee_ordinario.data_rilascio);
        let specifico = indicatori.specifico.as_ref().map(di_specifico);
        let same_specific = found.specifico.is_none() || found.specifico == specifico;
        if same_specific && attest_as(&protocollo, issued, old.variazione.clone()) == *old {
            return Ok(Effetto::Invariata(trovata));
        }
        let today = rome(now).date();
        let next = version_of(&radice, ultima.numero + 1).ok_or_else(|| internal("more versions than a protocol can number"))?;
        let attestazione = attest_as(&next, today, Some(recomputed(old, &protocollo, head.presentata)));
        let impronta = hex(&sha256(canonical.as_bytes()));
        let exchange = new_exchange(now).map_err(|error| SiiError::Internal(error.to_string()))?;
        let received = Ricevuta {
            permit: None,
            ente: first.leaf.body.ente.as_deref().unwrap_or_default(),
            operation: COMMAND,
            ricalcolo: true,
            occasion: Occasion { exchange, received: now, today, ordinal: 0, beside: true },
            impronta: &impronta,
            sender: "",
            canonical: &canonical,
            persone: &secret.cf,
            operazione: TipoOperazione::from_code(&ultima.operazione).unwrap_or(TipoOperazione::N),
            dichiarante: &dsu.codice_fiscale_dichiarante,
            presented: if form.is_some() { head.presentata } else { presentata },
        };
        let base = form.as_ref().map(|(base, ..)| base.as_str());
        let version = Versione {
            protocollo: &next,
            radice: &radice,
            effettiva: secret.effettiva.is_some().then_some(&dsu),
            dsu: &dsu,
            validita: form.as_ref().map_or((presentata, attestazione.data_validita), |(_, presentato, scadenza)| (*presentato, *scadenza)),
            base,
            di: found.ente.as_deref().unwrap_or(received.ente),
            attestazione: &attestazione,
            rules,
            fonti: &fonti,
            altrui: found.ente.as_deref().is_some_and(|di| di != received.ente),
            receipt: "",
            specifico: indicatori.specifico.as_ref(),
            origine: versioni.0.first().map(|first| first.sequence),
            attendeva: None,
        };
        let mut drafts = self.drafts(received, version, 0, &mut preconditions)?;
        if base.is_none() {
            let done = self.recompute_current(received, (&radice, presentata), (&next, &dsu, &fonti), &mut drafts, &mut preconditions)?;
            done.map_err(|_| internal("a current ISEE that does not fit its DSU"))?;
        }
        Ok(Effetto::Ricalcolata(trovata, Submission { drafts, preconditions }))
    }

    /// Of a current ISEE: the first version of the DSU that it rests on, when it was presented, and to when it is valid by the rules as they are.
    fn form(&self, found: &Found, dsu: &Dichiarazione, presented: Date) -> Option<(String, Date, Date)> {
        if found.protocollo() == found.attestazione.numero_protocollo_dsu {
            return None;
        }
        let scadenza = dsu.isee_corrente.as_ref()?.scadenza(presented, self.settings.rules.on(presented)?);
        Some((stem_of(&found.attestazione.numero_protocollo_dsu), presented, scadenza))
    }
}

/// Whether an attestation was made by a rule set, as its entry says.
fn is_by(facts: &BTreeMap<String, serde_json::Value>, rules: &RuleSet) -> bool {
    let said = |name: &str| facts.get(name).and_then(|value| value.as_str());
    said("regole") == Some(&*rules.id) && said("regole_impronta") == Some(&*rules.digest)
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
