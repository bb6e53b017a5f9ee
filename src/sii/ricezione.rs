//! Receiving declarations: new DSU, and those that refer to another one (A, I, S, C, R, X).
//!
//! What refers to a DSU makes a version of it (`-01`, `-02`..), or ends it; a current ISEE (C) has a protocol of its own. All versions stay. Two at once
//! cannot make the same version: that there was no other since is a precondition of what is recorded.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::archive::{decode, number_of, stem_of, version_of};
use super::embedded::{ALREADY_USED, Embedded, SENDERS_PROTOCOL, body_for, seal};
use super::entries::{person_key, protocol_key, sender_key};
use super::receipt::{self, About};
use super::{Accepted, Answer, Occasion, Outcome, SiiError};
use crate::clock::rome;
use crate::contract::catalogue::Operation;
use crate::contract::{ISEE_NS, Trasmessa, message};
use crate::digest::{hex, sha256};
use crate::isee::CodiceFiscale;
use crate::isee::attest::{self, Sostitutivo, attest};
use crate::isee::attestazione::{Attestazione, Variazione};
use crate::isee::checks::{Circumstance, Difetto, Esame, examine, examine_effettiva, sottoscrittori};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::compute::Calcolo;
use crate::isee::compute::casi::Indicatori;
use crate::isee::compute::corrente::{Insufficiente, sufficiente};
use crate::isee::dsu::Dichiarazione;
use crate::isee::feed::FeedRecord;
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::{NOBODYS, applica, riguarda};
use crate::isee::rules::{RuleSet, name};
use crate::ledger::search::{Filter, find};
use crate::ledger::{Body, Draft, Entry, Kind, Precondition, Secret, Tokens};
use crate::registry::Permit;

/// Where the protocol of the DSU referred to is.
const RIFERIMENTO: &str = "/Dichiarazione/Operazione/@NumeroProtocolloRiferimento";

/// A declaration that is being received.
#[derive(Clone, Copy)]
pub(super) struct Ricevuta<'a> {
    /// Who sent it; nobody, where it is computed again.
    pub(super) permit: Option<&'a Permit>,
    /// Whose entries they are.
    pub(super) ente: &'a str,
    /// By which operation of the port, or command.
    pub(super) operation: &'a str,
    pub(super) occasion: Occasion,
    /// SHA-256 of what came, in hexadecimal.
    pub(super) impronta: &'a str,
    /// The sender's protocol.
    pub(super) sender: &'a str,
    /// What came, in canonical form.
    pub(super) canonical: &'a str,
    /// The persons that it names.
    pub(super) persone: &'a [String],
    /// What it does.
    pub(super) operazione: TipoOperazione,
    /// Its declarant.
    pub(super) dichiarante: &'a CodiceFiscale,
    /// When it was presented.
    pub(super) presented: Date,
    /// Whether the rules have changed, and nothing else.
    pub(super) ricalcolo: bool,
}

/// The DSU that a declaration refers to, as it counts now.
pub(super) struct Base {
    /// Protocol of its first version.
    pub(super) radice: String,
    /// Protocol of the version that counts.
    pub(super) protocollo: String,
    /// The whole declaration.
    pub(super) dsu: Dichiarazione,
    /// When it was presented first.
    pub(super) presentata: Date,
    /// Whose it is.
    pub(super) ente: String,
    /// Sequence of the entry of its first version: of two DSU of one day the later counts, whatever became of either.
    pub(super) origine: u64,
    /// Sequence of its entry, where it waits for an attestation.
    pub(super) attende: Option<u64>,
    /// What must still hold when this is recorded.
    pub(super) preconditions: Vec<Precondition>,
}

/// What is made of a declaration: a version with its attestation.
pub(super) struct Versione<'a> {
    pub(super) protocollo: &'a str,
    pub(super) radice: &'a str,
    /// The whole declaration after it, where that is not what came.
    pub(super) effettiva: Option<&'a Dichiarazione>,
    /// The one that was computed.
    pub(super) dsu: &'a Dichiarazione,
    /// By which days the attestation is found.
    pub(super) validita: (Date, Date),
    /// Protocol of the first version of the DSU that a current ISEE rests on.
    pub(super) base: Option<&'a str>,
    /// Whose DSU it is.
    pub(super) di: &'a str,
    pub(super) attestazione: &'a Attestazione,
    pub(super) rules: &'a RuleSet,
    pub(super) known: &'a [FeedRecord],
    pub(super) receipt: &'a str,
    /// The specific ISEE, where the period has it.
    pub(super) specifico: Option<&'a Calcolo>,
    /// Sequence of the entry of the first version, where this is not that.
    pub(super) origine: Option<u64>,
    /// Sequence of what waited for this attestation.
    pub(super) attendeva: Option<u64>,
}

/// What the entry of a declaration says, besides the declaration.
#[derive(Clone, Copy, Default)]
struct Traccia<'a> {
    protocollo: &'a str,
    radice: &'a str,
    effettiva: Option<&'a Dichiarazione>,
    base: Option<&'a str>,
    receipt: &'a str,
    /// Its place among the entries of this exchange.
    after: u32,
    utilizzi: Option<u32>,
    /// Whether it waits for an attestation.
    attende: bool,
    /// Sequence of what waited and does not any more.
    attendeva: Option<u64>,
}

fn refused(difetti: Vec<Difetto>, altri: usize) -> Outcome {
    Outcome { answer: Answer::Refused { difetti, altri }, drafts: Vec::new(), preconditions: Vec::new() }
}

fn difetto(code: &'static str, path: &str, text: &'static str) -> Vec<Difetto> {
    vec![Difetto { code, path: path.to_owned(), text }]
}

impl Embedded {
    pub(super) async fn receive(&self, permit: &Permit, trasmessa: &Trasmessa, occasion: Occasion) -> Result<Outcome, SiiError> {
        let dsu = &trasmessa.dsu;
        let impronta = hex(&trasmessa.impronta);
        let sender = dsu.sottoscrizione_del_dichiarante().map(|s| s.protocollo_mittente.clone()).unwrap_or_default();

        // K19: under this sender's protocol, the same DSU gets the same answer, whatever rules have come since; another is refused.
        let mut preconditions = Vec::new();
        let earlier = self.archive.earlier(&permit.ente().codice, &sender, &mut preconditions)?;
        if let Some(earlier) = &earlier
            && self.archive.impronta(earlier.year, &impronta)? == earlier.impronta
        {
            return Ok(Outcome { answer: Answer::Accepted(self.again(&earlier.entry)?), drafts: Vec::new(), preconditions });
        }

        let presented = dsu.presentata().unwrap_or(occasion.today);
        let covered = self.settings.rules.on(presented.min(occasion.today));
        // All that is wrong is said at once: where no rules are for that day, by the latest.
        let Some(rules) = covered.or(self.settings.rules.all().last()) else { return Err(SiiError::Internal("no rules".to_owned())) };
        let presentata = match dsu.operazione.tipo {
            TipoOperazione::R => self.presented_first(dsu)?,
            _ => None,
        };
        let circumstance = Circumstance { presentata, ..Circumstance::on(occasion.today, rules, &self.settings.calendario) };
        let mut esame = examine(dsu, &circumstance);
        if covered.is_none() {
            let text = "nessun insieme di regole per questa data di presentazione";
            esame.difetti.extend(difetto("K18.periodo", "/Dichiarazione/Sottoscrizione", text));
        }
        if earlier.is_some() {
            esame.difetti.extend(difetto(ALREADY_USED.0, SENDERS_PROTOCOL, ALREADY_USED.1));
        }
        if !esame.difetti.is_empty() {
            return Ok(refused(esame.difetti, esame.altri));
        }
        let received = Ricevuta {
            permit: Some(permit),
            ente: &permit.ente().codice,
            operation: permit.admission().operation().name(),
            ricalcolo: false,
            occasion,
            impronta: &impronta,
            sender: &sender,
            canonical: &trasmessa.canonical,
            persone: &trasmessa.persone,
            operazione: dsu.operazione.tipo,
            dichiarante: &dsu.codice_fiscale_dichiarante,
            presented,
        };
        match dsu.operazione.tipo {
            TipoOperazione::N => self.nuova(received, dsu, rules, esame, preconditions).await,
            _ => self.riferita(received, dsu, esame, preconditions).await,
        }
    }

    /// When the DSU that a correction refers to was presented first, if it is the same declarant's.
    fn presented_first(&self, dsu: &Dichiarazione) -> Result<Option<Date>, SiiError> {
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else { return Ok(None) };
        let versioni = self.archive.versioni(stem_of(protocol), &mut Vec::new())?;
        let Some(first) = versioni.0.first() else { return Ok(None) };
        let entry = self.archive.entry(&first.position)?;
        let Some(secret) = self.archive.open_unless_erased(&entry)? else { return Ok(None) };
        let Some(xml) = secret.effettiva.or(secret.dsu) else { return Ok(None) };
        let own = decode::<Dichiarazione>(&xml)?.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante;
        let presented = entry.leaf.body.facts.get("presentata").and_then(|day| day.as_str()?.parse().ok());
        Ok(presented.filter(|_| own))
    }

    /// What was answered before.
    fn again(&self, entry: &Entry) -> Result<Accepted, SiiError> {
        let secret = self.archive.open(entry)?;
        let received = entry.leaf.body.received.parse().map_err(|_| SiiError::Internal("an instant".to_owned()))?;
        let utilizzi =
            entry.leaf.body.facts.get("utilizzi").and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok());
        Ok(Accepted {
            protocollo: secret.protocol.first().cloned().unwrap_or_default(),
            received,
            receipt: secret.receipt.unwrap_or_default(),
            again: true,
            utilizzi,
        })
    }

    /// Operation N.
    async fn nuova(
        &self,
        received: Ricevuta<'_>,
        dsu: &Dichiarazione,
        rules: &RuleSet,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let presented = received.presented;
        if !self.may_attest(dsu, presented, &mut preconditions)? {
            let protocollo = self.protocol(presented.year()).await?;
            return self.attendi(received, (&protocollo, &protocollo, presented), (None, None), esame, preconditions);
        }
        let (indicatori, known) = self.compute(dsu, presented, rules, &mut preconditions)?;
        let protocollo = self.protocol(presented.year()).await?;
        let about = attest::Occasion {
            protocollo: &protocollo,
            presentata: presented,
            rilasciata: received.occasion.today,
            omissioni: omissioni(dsu, presented, &known, received.occasion.today),
            ..attest::Occasion::default()
        };
        let attestazione = attest(dsu, &indicatori, rules, about);
        let receipt = self.receipt(received, &attestazione, Some(&indicatori), rules, esame)?;
        let version = Versione {
            protocollo: &protocollo,
            radice: &protocollo,
            effettiva: None,
            dsu,
            validita: (presented, attestazione.data_validita),
            base: None,
            di: received.ente,
            attestazione: &attestazione,
            rules,
            known: &known,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: None,
            attendeva: None,
        };
        let drafts = self.drafts(received, version, 0, &mut preconditions)?;
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// A declaration that waits for what is not known of its members: received, and not attested.
    fn attendi(
        &self,
        received: Ricevuta<'_>,
        (protocollo, radice, presentata): (&str, &str, Date),
        (effettiva, attendeva): (Option<&Dichiarazione>, Option<u64>),
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let about = self.about(received, presentata, esame)?;
        let receipt = receipt::presentation(protocollo, about);
        let traccia = Traccia { protocollo, radice, effettiva, receipt: &receipt, attende: true, attendeva, ..Traccia::default() };
        let draft = self.declaration(received, traccia, &mut preconditions)?;
        Ok(received.accepted(protocollo.to_owned(), receipt.clone(), vec![draft], preconditions))
    }

    fn about<'a>(&'a self, received: Ricevuta<'a>, presentata: Date, esame: Esame) -> Result<About<'a>, SiiError> {
        Ok(About {
            ente: received.permit.ok_or_else(|| SiiError::Internal("a receipt for nobody".to_owned()))?.ente(),
            received: received.occasion.received,
            today: received.occasion.today,
            impronta: received.impronta.to_owned(),
            operazione: received.operazione,
            sender: received.sender,
            dichiarante: received.dichiarante,
            presentata,
            rules: self.settings.rules.on(presentata).ok_or_else(|| SiiError::Internal("a DSU without rules".to_owned()))?,
            warnings: esame.avvertenze,
        })
    }

    fn receipt(
        &self,
        received: Ricevuta<'_>,
        attestazione: &Attestazione,
        indicatori: Option<&Indicatori>,
        rules: &RuleSet,
        esame: Esame,
    ) -> Result<String, SiiError> {
        // Somebody else's DSU: not even when it was presented.
        let presentata = indicatori.map_or(received.presented, |_| attestazione.data_presentazione);
        let about = About { rules, presentata, ..self.about(received, attestazione.data_presentazione, esame)? };
        Ok(receipt::render(attestazione, indicatori.map(|indicatori| &indicatori.ordinario), about))
    }

    /// Operations that refer to another DSU.
    async fn riferita(
        &self,
        received: Ricevuta<'_>,
        dsu: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let base = match self.base(received, dsu)? {
            Ok(base) => base,
            Err(difetti) => return Ok(refused(difetti, 0)),
        };
        preconditions.extend(base.preconditions.iter().cloned());
        let difetti = sottoscrittori(dsu, &base.dsu);
        if !difetti.is_empty() {
            return Ok(refused(difetti, 0));
        }
        if dsu.operazione.tipo == TipoOperazione::X {
            return self.annulla(received, &base, esame, preconditions).await;
        }
        let effettiva = match applica(&base.dsu, dsu) {
            Ok(effettiva) => effettiva,
            Err(difetti) => return Ok(refused(difetti, 0)),
        };
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let Some(rules) = self.settings.rules.on(base.presentata) else { return Err(internal("a DSU without rules")) };
        let circumstance = Circumstance {
            presentata: Some(base.presentata),
            ..Circumstance::on(received.occasion.today, rules, &self.settings.calendario)
        };
        // What neither of the two could show alone.
        let whole = examine_effettiva(&effettiva, &circumstance);
        if !whole.difetti.is_empty() {
            return Ok(refused(whole.difetti, whole.altri));
        }
        if dsu.operazione.tipo == TipoOperazione::C {
            return self.corrente(received, &base, &effettiva, esame, preconditions).await;
        }
        let number = number_of(&base.protocollo) + 1;
        let protocollo = version_of(&base.radice, number).ok_or_else(|| internal("more versions than a protocol can number"))?;
        if base.attende.is_some() && !self.may_attest(&effettiva, base.presentata, &mut preconditions)? {
            let identity = (protocollo.as_str(), base.radice.as_str(), base.presentata);
            return self.attendi(received, identity, (Some(&effettiva), base.attende), esame, preconditions);
        }
        let (indicatori, known) = self.compute(&effettiva, base.presentata, rules, &mut preconditions)?;
        let rettifica = dsu.operazione.tipo == TipoOperazione::R;
        let about = attest::Occasion {
            protocollo: &protocollo,
            presentata: base.presentata,
            rilasciata: received.occasion.today,
            omissioni: omissioni(&effettiva, base.presentata, &known, received.occasion.today),
            variazione: Some(Variazione {
                tipo_variazione: if rettifica { TipoVariazioneAttestazione::Ricalcolo } else { TipoVariazioneAttestazione::Integrazione },
                numero_protocollo_dsu_variata: base.protocollo.clone(),
                data_presentazione_dsu_variata: base.presentata,
                numero_protocollo_mittente_dsu_variata: base.dsu.sottoscrizione_del_dichiarante().map(|s| s.protocollo_mittente.clone()),
                note_variazione: note(dsu.operazione.tipo, base.attende.is_some()).map(str::to_owned),
                discordanze_contestazione: Vec::new(),
            }),
            ..attest::Occasion::default()
        };
        let attestazione = attest(&effettiva, &indicatori, rules, about);
        // Who completes somebody else's DSU is told nothing of that family.
        let own = effettiva.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante;
        let receipt = self.receipt(received, &attestazione, own.then_some(&indicatori), rules, esame)?;
        let version = Versione {
            protocollo: &protocollo,
            radice: &base.radice,
            effettiva: Some(&effettiva),
            dsu: &effettiva,
            validita: (base.presentata, attestazione.data_validita),
            base: None,
            di: &base.ente,
            attestazione: &attestazione,
            rules,
            known: &known,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: Some(base.origine),
            attendeva: base.attende,
        };
        let mut drafts = self.drafts(received, version, 0, &mut preconditions)?;
        if let Err(difetti) = self.recompute_current(received, &base, (&protocollo, &effettiva), &mut drafts, &mut preconditions)? {
            return Ok(refused(difetti, 0));
        }
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// The DSU that a declaration refers to; or why it may not be referred to.
    fn base(&self, received: Ricevuta<'_>, dsu: &Dichiarazione) -> Result<Result<Base, Vec<Difetto>>, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let none = || Ok(Err(difetto(NOBODYS.0, NOBODYS.1, NOBODYS.2)));
        let tipo = dsu.operazione.tipo;
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else { return none() };
        let radice = stem_of(protocol);
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let Some(ultima) = versioni.ultima() else { return none() };
        // That version must be there, and not only another one of the same DSU.
        if number_of(protocol) > ultima.numero {
            return none();
        }
        let entry = self.archive.entry(&ultima.position)?;
        let Some(secret) = self.archive.open_unless_erased(&entry)? else { return none() };
        let current: Dichiarazione = decode(&secret.effettiva.or(secret.dsu).ok_or_else(|| internal("an entry without DSU"))?)?;
        let referred = &dsu.operazione.codice_fiscale_riferimento;
        let wrong_code = referred.as_ref().is_some_and(|code| *code != current.codice_fiscale_dichiarante);
        if current.codice_fiscale_dichiarante != dsu.codice_fiscale_dichiarante {
            // Operation A completes somebody else's by the parent or child whom it concerns. Whoever else asks, and whatever else is wrong, learns nothing.
            let added = dsu.integrazione_componente_aggiuntiva.as_ref().map(|added| &added.componente_per_integrazione_aggiuntiva);
            let person = added.map(|added| &added.foglio_componente_aggiuntiva.codice_fiscale);
            let own = person.filter(|person| **person == dsu.codice_fiscale_dichiarante && riguarda(&current, person));
            if tipo != TipoOperazione::A || own.is_none() || wrong_code || versioni.annullata() || ultima.operazione == "C" {
                return none();
            }
        }
        let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?.unwrap_or(entry);
        let facts = &first.leaf.body.facts;
        let presentata = facts.get("presentata").and_then(|day| day.as_str()?.parse().ok()).ok_or_else(|| internal("a day"))?;
        let Some(ente) = first.leaf.body.ente.clone() else { return Err(internal("a DSU of nobody")) };
        let refuse = |code, text| Ok(Err(difetto(code, RIFERIMENTO, text)));
        if versioni.annullata() {
            return refuse("K02.annullata", "la DSU di riferimento è stata annullata");
        }
        if wrong_code {
            let text = "non è il codice fiscale del dichiarante della DSU di riferimento";
            return Ok(Err(difetto("K02.codice-riferimento", "/Dichiarazione/Operazione/@CodiceFiscaleRiferimento", text)));
        }
        if ultima.operazione == "C" && tipo != TipoOperazione::X {
            return refuse("K02.corrente", "il protocollo è di un modulo sostitutivo, che questa operazione non riguarda");
        }
        if matches!(tipo, TipoOperazione::R | TipoOperazione::X) && ente != received.ente {
            return refuse("K02.ente", "la DSU di riferimento è stata trasmessa da un altro ente");
        }
        if tipo == TipoOperazione::R && number_of(protocol) != ultima.numero {
            return refuse("K02.versione", "la DSU di riferimento ha una versione successiva");
        }
        let protocollo = version_of(&radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let attested = !self.archive.of_protocol(&protocollo, &mut preconditions)?.is_empty();
        let attende = (!attested).then_some(ultima.sequence);
        let origine = versioni.0.first().map_or(ultima.sequence, |first| first.sequence);
        if tipo == TipoOperazione::I && attende.is_some() {
            let days = self.settings.rules.on(presentata).map(|rules| rules.get(name::INTEGRAZIONE_GIORNI)).unwrap_or_default();
            if Decimal::from(self.settings.calendario.working_days_between(presentata, received.occasion.today)) <= days {
                return refuse("K02.termini", "i termini per l'attestazione non sono ancora passati");
            }
        }
        Ok(Ok(Base { radice, protocollo, dsu: current, presentata, ente, origine, attende, preconditions }))
    }

    /// Operation C: the DSU stays as it is; its current ISEE has a protocol and a validity of its own.
    async fn corrente(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        effettiva: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let presented = received.presented;
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let (Some(of_base), Some(of_today)) = (self.settings.rules.on(base.presentata), self.settings.rules.on(presented)) else {
            return Err(internal("a DSU without rules"));
        };
        let heads = self.archive.of_protocol(&base.protocollo, &mut preconditions)?;
        if !heads.first().is_some_and(|head| head.presentata <= presented && presented <= head.scadenza) {
            return Ok(refused(difetto("K17.base", RIFERIMENTO, "la DSU di riferimento non ha un ISEE valido alla presentazione"), 0));
        }
        let order = (base.presentata, base.origine);
        if self.replaced(&base.dsu.codice_fiscale_dichiarante, &base.radice, order, presented, &mut preconditions)? {
            return Ok(refused(difetto("K17.base", RIFERIMENTO, "dopo la DSU di riferimento il dichiarante ne ha presentata un'altra"), 0));
        }
        let Some(changes) = &effettiva.isee_corrente else { return Err(internal("no current ISEE")) };
        let (before, _) = self.compute(&base.dsu, base.presentata, of_base, &mut preconditions)?;
        let (indicatori, known) = self.compute(effettiva, base.presentata, of_base, &mut preconditions)?;
        if let Err(why) = sufficiente(changes, &before.ordinario, &indicatori.ordinario, of_today) {
            let text = match why {
                Insufficiente::Reddito => "la variazione del reddito è minore di quella che la legge chiede",
                Insufficiente::Patrimonio => "la variazione del patrimonio è minore di quella che la legge chiede",
            };
            return Ok(refused(difetto("K17.scostamento", "/Dichiarazione/ISEECorrente", text), 0));
        }
        let protocollo = self.protocol(presented.year()).await?;
        let scadenza = changes.scadenza(presented, of_today);
        let form = Sostitutivo { protocollo: &protocollo, presentato: presented, scadenza };
        let about = current(received, &base.protocollo, base.presentata, form, None);
        let about = attest::Occasion { omissioni: omissioni(effettiva, base.presentata, &known, received.occasion.today), ..about };
        let attestazione = attest(effettiva, &indicatori, of_base, about);
        let receipt = self.receipt(received, &attestazione, Some(&indicatori), of_base, esame)?;
        let version = Versione {
            protocollo: &protocollo,
            radice: &protocollo,
            effettiva: Some(effettiva),
            dsu: effettiva,
            validita: (presented, scadenza),
            base: Some(&base.radice),
            di: received.ente,
            attestazione: &attestazione,
            rules: of_base,
            known: &known,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: None,
            attendeva: None,
        };
        let drafts = self.drafts(received, version, 0, &mut preconditions)?;
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// What rests on a DSU that has changed is computed again: its current ISEE that are still valid.
    pub(super) fn recompute_current(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        (protocollo, effettiva): (&str, &Dichiarazione),
        drafts: &mut Vec<Draft>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Result<(), Vec<Difetto>>, SiiError> {
        let Some(rules) = self.settings.rules.on(base.presentata) else { return Ok(Ok(())) };
        let mut seen: Vec<String> = Vec::new();
        for position in self.archive.correnti(&base.radice)? {
            let Some(secret) = self.archive.open_unless_erased(&self.archive.entry(&position)?)? else { continue };
            let Some(protocol) = secret.protocol.first() else { continue };
            let radice = stem_of(protocol);
            if seen.contains(&radice) {
                continue;
            }
            seen.push(radice.clone());
            let versioni = self.archive.versioni(radice.clone(), preconditions)?;
            let Some(ultima) = versioni.ultima().filter(|_| !versioni.annullata()) else { continue };
            let Some(own) = version_of(&radice, ultima.numero) else { continue };
            let heads = self.archive.of_protocol(&own, preconditions)?;
            let Some(head) = heads.first().filter(|head| received.occasion.today <= head.scadenza) else { continue };
            let (Some(canonical), Some(next)) = (secret.dsu.clone(), version_of(&radice, ultima.numero + 1)) else { continue };
            let form: Dichiarazione = decode(&canonical)?;
            // What it changes is not there any more: it must be ended before, or it would go on as if nothing had happened.
            let Ok(current_dsu) = applica(effettiva, &form) else {
                let text = "un ISEE corrente valido riguarda chi non fa più parte del nucleo: annullare prima il suo modulo sostitutivo";
                return Ok(Err(difetto("K02.sostitutivo", RIFERIMENTO, text)));
            };
            let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?;
            let Some(ente) = first.and_then(|first| first.leaf.body.ente.clone()) else { continue };
            let (indicatori, known) = self.compute(&current_dsu, base.presentata, rules, preconditions)?;
            let variazione = Variazione {
                tipo_variazione: TipoVariazioneAttestazione::Ricalcolo,
                numero_protocollo_dsu_variata: own.clone(),
                data_presentazione_dsu_variata: head.presentata,
                numero_protocollo_mittente_dsu_variata: secret.protocol.get(1).cloned(),
                note_variazione: None,
                discordanze_contestazione: Vec::new(),
            };
            let form = Sostitutivo { protocollo: &next, presentato: head.presentata, scadenza: head.scadenza };
            let about = current(received, protocollo, base.presentata, form, Some(variazione));
            let about = attest::Occasion { omissioni: omissioni(&current_dsu, base.presentata, &known, received.occasion.today), ..about };
            let attestazione = attest(&current_dsu, &indicatori, rules, about);
            let version = Versione {
                protocollo: &next,
                radice: &radice,
                effettiva: Some(&current_dsu),
                dsu: &current_dsu,
                validita: (head.presentata, head.scadenza),
                base: Some(&base.radice),
                di: &ente,
                attestazione: &attestazione,
                rules,
                known: &known,
                receipt: "",
                specifico: indicatori.specifico.as_ref(),
                origine: versioni.0.first().map(|first| first.sequence),
                attendeva: None,
            };
            // What came is the form as it came then; nothing is known under this sender's protocol by it.
            let impronta = hex(&sha256(canonical.as_bytes()));
            let received = Ricevuta {
                ente: &ente,
                operazione: TipoOperazione::C,
                presented: head.presentata,
                impronta: &impronta,
                canonical: &canonical,
                persone: &secret.cf,
                sender: "",
                ..received
            };
            let after = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
            drafts.extend(self.drafts(received, version, after, preconditions)?);
        }
        Ok(Ok(()))
    }

    /// Operation X: nothing of the DSU, nor of what rests on it, is found any more; all of it stays in the ledger.
    async fn annulla(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let utilizzi = self.utilizzi(base).await?;
        let about = self.about(received, base.presentata, esame)?;
        let receipt = receipt::cancellation(&base.protocollo, about);
        let traccia = Traccia {
            protocollo: &base.protocollo,
            radice: &base.radice,
            receipt: &receipt,
            utilizzi,
            attendeva: base.attende,
            ..Traccia::default()
        };
        let draft = self.declaration(received, traccia, &mut preconditions)?;
        let mut outcome = received.accepted(base.protocollo.clone(), receipt, vec![draft], preconditions);
        if let Answer::Accepted(accepted) = &mut outcome.answer {
            accepted.utilizzi = utilizzi;
        }
        Ok(outcome)
    }

    /// How many exchanges have given away what is cancelled; nothing where that cannot be counted.
    async fn utilizzi(&self, base: &Base) -> Result<Option<u32>, SiiError> {
        let Some(segments) = self.segments.clone() else { return Ok(None) };
        let mut protocol = Vec::new();
        for number in 0..=number_of(&base.protocollo) {
            let Some(version) = version_of(&base.radice, number) else { break };
            for year in self.ledger.keys.token_years() {
                protocol.push((year, self.ledger.keys.token(year, "protocol", &version)?));
            }
        }
        let filter = Filter { kind: Some(Kind::Exchange), outcome: Some("OK".to_owned()), protocol, ..Filter::default() };
        let ledger = self.ledger.id;
        let found = tokio::task::spawn_blocking(move || find(&segments, ledger, &filter, usize::MAX)).await;
        let found = found.map_err(|error| SiiError::Internal(error.to_string()))??;
        let sent = [
            Operation::TrasmissioneDsu,
            Operation::TrasmissioneLotto,
            Operation::ConsultazioneEsitoDsu,
            Operation::ConsultazioneEsitoLotto,
            // It gives nothing away.
            Operation::PddProtocollo,
        ];
        let used = found.iter().filter(|entry| {
            let operation = entry.leaf.body.operation.as_deref();
            !sent.iter().any(|sent| operation == Some(sent.name()))
        });
        Ok(u32::try_from(used.count()).ok())
    }

    /// The two entries of a version.
    pub(super) fn drafts(
        &self,
        received: Ricevuta<'_>,
        version: Versione<'_>,
        after: u32,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Draft>, SiiError> {
        let Versione { protocollo, radice, dsu, attestazione, .. } = version;
        let keys = &self.ledger.keys;
        let year = rome(received.occasion.received).year();
        let traccia = Traccia {
            protocollo,
            radice,
            effettiva: version.effettiva,
            base: version.base,
            receipt: version.receipt,
            after,
            ..Traccia::default()
        };
        let declaration = self.declaration(received, traccia, preconditions)?;

        let members = dsu.codici();
        let cf = members.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let protocols = received.protocols(protocollo);
        let protocol = protocols.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens { year, cf: cf.clone(), operator: None, protocol: protocol.clone(), address: None };
        let body = body_for(received.ente, received.operation, received.occasion, Kind::Attestation, &tokens);
        let mut attestation = self.attested(body, &version, received.operazione, received.occasion.today)?;
        attestation.keys = cf.iter().map(|token| person_key(year, token)).collect();
        attestation.keys.extend(protocol.first().map(|token| protocol_key(year, token)));
        let secret = Secret {
            cf: members,
            protocol: protocols,
            attestation: Some(message("Attestazione", ISEE_NS, attestazione, false)),
            specifico: version.specifico.map(lines),
            feed: Some(serde_json::to_value(version.known).map_err(|error| SiiError::Internal(error.to_string()))?),
            ..Secret::default()
        };
        let ordinal = received.occasion.ordinal + after + 1;
        Ok(vec![declaration, seal(&self.ledger, attestation, &secret, received.occasion, ordinal)?])
    }

    /// The facts of an attestation.
    pub(super) fn attested(
        &self,
        body: Body,
        version: &Versione<'_>,
        operazione: TipoOperazione,
        rilasciata: Date,
    ) -> Result<Body, SiiError> {
        let (keys, rules) = (&self.ledger.keys, version.rules);
        let year = body.tokens.as_ref().map_or_else(|| rilasciata.year(), |tokens| tokens.year);
        let mut body = body
            .fact("presentata", version.validita.0.to_string())
            .fact("scadenza", version.validita.1.to_string())
            .fact("rilasciata", rilasciata.to_string())
            .fact("regole", &rules.id)
            .fact("regole_impronta", &rules.digest)
            .fact("operazione", operazione.code())
            .fact("versione", number_of(version.protocollo))
            .fact("radice", keys.token(year, "protocol", version.radice)?)
            .fact("dichiarante", keys.token(year, "cf", &version.dsu.codice_fiscale_dichiarante.canonical())?)
            .fact("di", version.di);
        for (name, sequence) in [("origine", version.origine), ("attendeva", version.attendeva)] {
            if let Some(sequence) = sequence {
                body = body.fact(name, sequence);
            }
        }
        if let Some(base) = version.base {
            body = body.fact("base", keys.token(year, "protocol", base)?);
        }
        Ok(body)
    }

    /// The entry of a declaration.
    fn declaration(&self, received: Ricevuta<'_>, traccia: Traccia<'_>, preconditions: &mut Vec<Precondition>) -> Result<Draft, SiiError> {
        let Traccia { protocollo, radice, effettiva, base, receipt, after, utilizzi, attende, attendeva } = traccia;
        let keys = &self.ledger.keys;
        let ente = received.ente;
        let year = rome(received.occasion.received).year();
        let protocols = received.protocols(protocollo);
        let protocol = protocols.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let radice = keys.token(year, "protocol", radice)?;
        // The token key of the year may have been made after the protocols were looked for: then nobody had used them under that key, and
        // nobody may have since. A new protocol was never used at all.
        let mut own = vec![protocol_key(year, &radice)];
        // A cancellation has the protocol of what it cancels.
        own.extend(protocol.first().filter(|_| received.operazione != TipoOperazione::X).map(|token| protocol_key(year, token)));
        own.extend(protocol.get(1).map(|sender| sender_key(ente, year, sender)));
        for key in own {
            if !preconditions.iter().any(|known| known.key == key) {
                preconditions.push(Precondition { key, version: 0 });
            }
        }
        // An attestation is found by the members of the nucleus; the DSU names others too, whoever looks for what is held of them finds it.
        let named = received.persone.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens { year, cf: named, operator: None, protocol: protocol.clone(), address: None };
        let mut body = body_for(received.ente, received.operation, received.occasion, Kind::Dsu, &tokens)
            .fact("impronta", keys.token(year, "impronta", received.impronta)?)
            .fact("presentata", received.presented.to_string())
            .fact("operazione", received.operazione.code())
            .fact("versione", number_of(protocollo))
            .fact("radice", &radice);
        if received.ricalcolo {
            body = body.fact("ricalcolo", true);
        }
        if attende {
            body = body.fact("attende", true);
        }
        if let Some(attendeva) = attendeva {
            body = body.fact("attendeva", attendeva);
        }
        if let Some(base) = base {
            body = body.fact("base", keys.token(year, "protocol", base)?);
        }
        if let Some(utilizzi) = utilizzi {
            body = body.fact("utilizzi", utilizzi);
        }
        body.keys = protocol.get(1).map(|sender| sender_key(ente, year, sender)).into_iter().collect();
        body.keys.push(protocol_key(year, &radice));
        if let Some(base) = base {
            // What changes the DSU must know of this.
            body.keys.push(protocol_key(year, &keys.token(year, "protocol", base)?));
        }
        let secret = Secret {
            cf: received.persone.to_vec(),
            protocol: protocols,
            dsu: Some(received.canonical.to_owned()),
            effettiva: effettiva.map(|dsu| message("Dichiarazione", ISEE_NS, dsu, false)),
            receipt: Some(receipt.to_owned()).filter(|receipt| !receipt.is_empty()),
            ..Secret::default()
        };
        seal(&self.ledger, body, &secret, received.occasion, received.occasion.ordinal + after)
    }
}

impl Ricevuta<'_> {
    fn accepted(self, protocollo: String, receipt: String, drafts: Vec<Draft>, preconditions: Vec<Precondition>) -> Outcome {
        let accepted = Accepted { protocollo, received: self.occasion.received, receipt, again: false, utilizzi: None };
        Outcome { answer: Answer::Accepted(accepted), drafts, preconditions }
    }

    /// The protocol given, and the sender's, where there is one.
    fn protocols(self, protocollo: &str) -> Vec<String> {
        let sender = Some(self.sender).filter(|sender| !sender.is_empty());
        [Some(protocollo), sender].into_iter().flatten().map(str::to_owned).collect()
    }
}

/// The lines of a computation, by their names.
pub(super) fn lines(calcolo: &Calcolo) -> serde_json::Value {
    calcolo.righe().into_iter().map(|(name, amount)| (name.to_owned(), serde_json::Value::from(amount.to_string()))).collect()
}

/// What an attestation says of the operation that made it, where INPS's schema has no word for that.
fn note(operazione: TipoOperazione, attendeva: bool) -> Option<&'static str> {
    match operazione {
        TipoOperazione::R => Some("Rettifica dell'ente che ha trasmesso la DSU"),
        TipoOperazione::I if attendeva => Some("Attestazione provvisoria, con i redditi dichiarati (art. 11 c. 8)"),
        _ => None,
    }
}

/// What the attestation of a current ISEE says.
fn current<'a>(
    received: Ricevuta<'a>,
    base: &'a str,
    presentata: Date,
    form: Sostitutivo<'a>,
    variazione: Option<Variazione>,
) -> attest::Occasion<'a> {
    attest::Occasion {
        protocollo: base,
        presentata,
        rilasciata: received.occasion.today,
        sostitutivo: Some(form),
        variazione,
        omissioni: Vec::new(),
        protocollo_mittente: Some(received.sender).filter(|_| received.operazione == TipoOperazione::C),
    }
}
