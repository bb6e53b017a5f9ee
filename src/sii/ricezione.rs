//! Receiving declarations: what is examined, whether it came before, and new DSU. What refers to another one is in `riferite`; what is recorded, in
//! `registrazione`.

use jiff::civil::Date;

use super::archive::stem_of;
use super::embedded::Da;
use super::embedded::{ALREADY_USED, Embedded, IN_VAIN, SENDERS_PROTOCOL};
use super::receipt::{self, About};
use super::registrazione::{Traccia, Versione};
use super::riferimento::INSIEME;
use super::{Accepted, Answer, Occasion, Outcome, SiiError};
use crate::contract::Trasmessa;
use crate::digest::hex;
use crate::isee::CodiceFiscale;
use crate::isee::attest::{self, attest};
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::{Circumstance, Difetto, Esame, MAX_DIFETTI, examine};
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::casi::Indicatori;
use crate::isee::dsu::Dichiarazione;
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::NOBODYS;
use crate::isee::rules::RuleSet;
use crate::ledger::{Draft, Entry, Precondition};
use crate::registry::Permit;

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

/// Refuses, and describes as many defects as the checks do: an archive may find one for every part of a long declaration.
pub(super) fn refused(mut difetti: Vec<Difetto>, altri: usize) -> Outcome {
    let altri = altri + difetti.len().saturating_sub(MAX_DIFETTI);
    difetti.truncate(MAX_DIFETTI);
    Outcome::read(Answer::Refused { difetti, altri }, Vec::new())
}

pub(super) fn difetto(code: &'static str, path: &str, text: &'static str) -> Vec<Difetto> {
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
            occasion.allows(&earlier.position)?;
            let entry = self.archive.entry(&earlier.position)?;
            return Ok(Outcome::read(Answer::Accepted(self.again(&entry)?), preconditions));
        }

        let presented = dsu.presentata().unwrap_or(occasion.today);
        let covered = self.settings.rules.on(presented.min(occasion.today));
        let presentata = match dsu.operazione.tipo {
            TipoOperazione::R => self.presented_first(dsu, &permit.ente().codice)?,
            _ => None,
        };
        // A correction is judged as of the first presentation. All that is wrong is said at once: where no rules are for that day, by the latest.
        let first = presentata.and_then(|first| self.settings.rules.on(first));
        let Some(rules) = first.or(covered).or(self.settings.rules.all().last()) else {
            return Err(SiiError::Internal("no rules".to_owned()));
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
        let mut falliti = self.infondati(dsu)?;
        if falliti > IN_VAIN {
            let text = "troppi dei protocolli indicati non sono di DSU che riguardino quelle persone";
            return Ok(Outcome { falliti: IN_VAIN, ..refused(difetto("K02.protocolli", "/Dichiarazione", text), 0) });
        }
        let outcome = match dsu.operazione.tipo {
            TipoOperazione::N => self.nuova(received, dsu, rules, esame, preconditions).await?,
            _ => self.riferita(received, dsu, esame, preconditions).await?,
        };
        if let Answer::Refused { difetti, .. } = &outcome.answer {
            // Whether data go together with another's DSU tells something of it: asking that again and again is guessing too.
            falliti += u32::from(difetti.iter().any(|difetto| [NOBODYS.0, INSIEME].contains(&difetto.code)));
        }
        Ok(Outcome { falliti, ..outcome })
    }

    /// When the DSU that a correction refers to was presented first, if declarant and ente are the same.
    fn presented_first(&self, dsu: &Dichiarazione, ente: &str) -> Result<Option<Date>, SiiError> {
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else { return Ok(None) };
        let radice = stem_of(protocol);
        let right = self.archive.right(&radice, &dsu.codice_fiscale_dichiarante)?;
        if right.is_none_or(|right| right.ente != ente) {
            return Ok(None);
        }
        let versioni = self.archive.versioni(radice, &mut Vec::new())?;
        let Some(first) = versioni.0.first() else { return Ok(None) };
        let entry = self.archive.entry(&first.position)?;
        Ok(entry.leaf.body.day("presentata"))
    }

    /// The earlier answer. Of a DSU that another ente owns it says only that it was presented, even if an earlier build told more.
    fn again(&self, entry: &Entry) -> Result<Accepted, SiiError> {
        let mut secret = self.archive.open(entry)?;
        let received = entry.leaf.body.received.parse().map_err(|_| SiiError::Internal("an instant".to_owned()))?;
        let utilizzi =
            entry.leaf.body.facts.get("utilizzi").and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok());
        let protocollo = secret.protocol.first().cloned().unwrap_or_default();
        if self.archive.owner(stem_of(&protocollo))? != entry.leaf.body.ente {
            secret.receipt = secret.receipt.map(|kept| receipt::presentation_of(&kept, entry)).transpose()?;
            return Ok(Accepted { protocollo, received, receipt: secret.receipt.unwrap_or_default(), again: true, utilizzi: None });
        }
        Ok(Accepted { protocollo, received, receipt: secret.receipt.unwrap_or_default(), again: true, utilizzi })
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
        if !self.may_attest(dsu, presented, (presented, received.occasion.today), &mut preconditions)? {
            let protocollo = self.protocol(presented.year()).await?;
            let traccia = Traccia { protocollo: &protocollo, radice: &protocollo, attende: true, ..Traccia::default() };
            return self.attendi(received, presented, traccia, esame, preconditions);
        }
        let (indicatori, fonti) = self.compute(dsu, presented, rules, Da::Adesso, &mut preconditions)?;
        let protocollo = self.protocol(presented.year()).await?;
        let about = attest::Occasion {
            protocollo: &protocollo,
            presentata: presented,
            rilasciata: received.occasion.today,
            omissioni: omissioni(dsu, presented, rules, &fonti.known, received.occasion.today),
            ..attest::Occasion::default()
        };
        let attestazione = attest(dsu, &indicatori, rules, about);
        let receipt = self.receipt(received, &attestazione, &indicatori, rules, esame)?;
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
            fonti: &fonti,
            altrui: false,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: None,
            attendeva: None,
        };
        let drafts = self.drafts(received, version, 0, &mut preconditions)?;
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// A declaration that waits for what is not known of its members: received, and not attested.
    pub(super) fn attendi(
        &self,
        received: Ricevuta<'_>,
        presentata: Date,
        traccia: Traccia<'_>,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let about = self.about(received, presentata, esame)?;
        let receipt = receipt::presentation(traccia.protocollo, about);
        let draft = self.declaration(received, Traccia { receipt: &receipt, ..traccia }, &mut preconditions)?;
        Ok(received.accepted(traccia.protocollo.to_owned(), receipt.clone(), vec![draft], preconditions))
    }

    pub(super) fn about<'a>(&'a self, received: Ricevuta<'a>, presentata: Date, esame: Esame) -> Result<About<'a>, SiiError> {
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

    pub(super) fn receipt(
        &self,
        received: Ricevuta<'_>,
        attestazione: &Attestazione,
        indicatori: &Indicatori,
        rules: &RuleSet,
        esame: Esame,
    ) -> Result<String, SiiError> {
        let about = About { rules, ..self.about(received, attestazione.data_presentazione, esame)? };
        Ok(receipt::render(attestazione, &indicatori.ordinario, about))
    }
}

impl Ricevuta<'_> {
    pub(super) fn accepted(self, protocollo: String, receipt: String, drafts: Vec<Draft>, preconditions: Vec<Precondition>) -> Outcome {
        let accepted = Accepted { protocollo, received: self.occasion.received, receipt, again: false, utilizzi: None };
        Outcome { drafts, ..Outcome::read(Answer::Accepted(accepted), preconditions) }
    }
}
