//! Receiving declarations: their examination, their comparison with earlier ones, and new DSU. `versions`
//! receives declarations referring to another one.

use jiff::civil::Date;

use super::base::TOGETHER;
use super::compute::{Computed, Da, IN_VAIN};
use super::incoming::{Came, Cause, Incoming, NotReceived, internal};
use super::receipt::{self, About};
use super::record::{NewVersion, Trace};
use super::system::Embedded;
use crate::contract::Trasmessa;
use crate::digest::hex;
use crate::isee::attest;
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::{Check, Circumstance, Difetto, Esame, examine};
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::operazioni::NOBODYS;
use crate::isee::rules::RuleSet;
use crate::ledger::{Entry, Precondition};
use crate::registry::Permit;
use crate::sii::answers::{Accepted, Received};
use crate::sii::facts::{PRESENTATA, UTILIZZI};
use crate::sii::protocol::{ALREADY_USED, SENDERS_PROTOCOL, stem_of};
use crate::sii::{Occasion, Said, SiiError};

/// The answer to a declaration, with the number of protocols that it named in vain.
fn answered(received: Result<Said<Accepted>, NotReceived>, falliti: u32) -> Result<Said<Received>, SiiError> {
    match received {
        Ok(said) => Ok(Said {
            falliti,
            ..said.map(Received::Accepted)
        }),
        Err(refusal) => {
            // Whether data go together with another's DSU tells something of it: asking that again and again
            // is guessing too.
            let guess = |difetto: &Difetto| [NOBODYS.0, TOGETHER].contains(&difetto.code);
            let guessed =
                matches!(&refusal, NotReceived::Defects(difetti) if difetti.elenco.iter().any(guess));
            Ok(Said {
                falliti: falliti + u32::from(guessed),
                ..refusal.said()?
            })
        }
    }
}

impl Embedded {
    /// Receives a declaration. Each refusal has an answer of its own.
    pub(super) async fn receive(
        &self,
        permit: &Permit,
        trasmessa: &Trasmessa,
        occasion: Occasion<'_>,
    ) -> Result<Said<Received>, SiiError> {
        let dsu = &trasmessa.dsu;
        let impronta = hex(&trasmessa.impronta);
        let ente = permit.ente().codice.as_str();
        let signed = dsu.sottoscrizione_del_dichiarante();
        let sender = signed.map(|signed| signed.protocollo_mittente.as_str());
        let sender = sender.filter(|sender| !sender.is_empty());

        // K19: under this sender's protocol, the same DSU gets the same answer, even after a change of rules;
        // another DSU is refused.
        let mut preconditions = Vec::new();
        let earlier = sender
            .map(|sender| self.archive.earlier(ente, sender, &mut preconditions))
            .transpose()?
            .flatten();
        if let Some(earlier) = &earlier
            && self.archive.impronta(earlier.key, &impronta)? == earlier.impronta
        {
            occasion.allows(&earlier.position)?;
            let again = self.again(&self.archive.entry(&earlier.position)?)?;
            return Ok(Said::read(Received::Accepted(again), preconditions));
        }
        let incoming = Incoming {
            cause: Cause::Sent(permit),
            ente,
            occasion,
            came: Some(Came {
                impronta: &impronta,
                canonical: &trasmessa.canonical,
                persone: &trasmessa.persone,
            }),
            sender,
            operazione: dsu.operazione.tipo,
            dichiarante: &dsu.codice_fiscale_dichiarante,
            presented: dsu.presentata().unwrap_or(occasion.today),
        };
        let (rules, esame) = match self.examined(incoming, dsu, earlier.is_some()) {
            Ok(examined) => examined,
            Err(refusal) => return refusal.said(),
        };
        let falliti = self.infondati(dsu)?;
        if falliti > IN_VAIN {
            let text = "troppi dei protocolli indicati non sono di DSU che riguardino quelle persone";
            let said = NotReceived::of(Check::K02Protocolli, "/Dichiarazione", text).said()?;
            return Ok(Said {
                falliti: IN_VAIN,
                ..said
            });
        }
        let received = match dsu.operazione.tipo {
            TipoOperazione::N => self.nuova(incoming, dsu, rules, esame, preconditions).await,
            _ => self.riferita(incoming, dsu, esame, preconditions).await,
        };
        answered(received, falliti)
    }

    /// The rules for judging a declaration, and the warnings of its checks.
    fn examined(
        &self,
        incoming: Incoming<'_>,
        dsu: &Dichiarazione,
        already_used: bool,
    ) -> Result<(&RuleSet, Esame), NotReceived> {
        let (today, rules) = (incoming.occasion.today, &self.settings.rules);
        let covered = rules.on(incoming.presented.min(today));
        let presentata = match dsu.operazione.tipo {
            TipoOperazione::R => self.presented_first(dsu, incoming.ente)?,
            _ => None,
        };
        // A correction is judged as of the first presentation. All defects are told at once: without rules
        // for the day, by the latest rules.
        let first = presentata.and_then(|first| rules.on(first));
        let rules = first
            .or(covered)
            .or(rules.all().last())
            .ok_or_else(|| internal("no rules"))?;
        let circumstance = Circumstance {
            presentata,
            ..Circumstance::on(today, rules, &self.settings.calendario)
        };
        let mut esame = examine(dsu, &circumstance);
        let mut also = |code, path: &str, text| {
            esame.difetti.push(Difetto {
                code,
                path: path.to_owned(),
                text,
            })
        };
        if covered.is_none() {
            also(
                Check::K18Periodo,
                "/Dichiarazione/Sottoscrizione",
                "nessun insieme di regole per questa data di presentazione",
            );
        }
        if already_used {
            also(ALREADY_USED.0, SENDERS_PROTOCOL, ALREADY_USED.1);
        }
        if esame.difetti.is_empty() {
            Ok((rules, esame))
        } else {
            Err(NotReceived::all(esame.difetti, esame.altri))
        }
    }

    /// Day of the first presentation of a correction's DSU, if declarant and ente are the same.
    fn presented_first(&self, dsu: &Dichiarazione, ente: &str) -> Result<Option<Date>, SiiError> {
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else {
            return Ok(None);
        };
        let radice = stem_of(protocol);
        let right = self.archive.right(&radice, &dsu.codice_fiscale_dichiarante)?;
        if right.is_none_or(|right| right.ente != ente) {
            return Ok(None);
        }
        let versioni = self.archive.versioni(radice, &mut Vec::new())?;
        let Some(first) = versioni.0.first() else {
            return Ok(None);
        };
        let entry = self.archive.entry(&first.position)?;
        Ok(entry.leaf.body.day(PRESENTATA))
    }

    /// The earlier answer. For another owner's DSU it confirms only the presentation, even if an earlier
    /// build told more.
    fn again(&self, entry: &Entry) -> Result<Accepted, SiiError> {
        let secret = self.archive.open(entry)?;
        let body = &entry.leaf.body;
        let received = body.received.parse().map_err(|_| internal("an instant"))?;
        let utilizzi = body
            .number(UTILIZZI)
            .and_then(|number| u32::try_from(number).ok());
        let protocollo = secret
            .protocol
            .first()
            .cloned()
            .ok_or_else(|| internal("a DSU without its protocol"))?;
        let kept = secret
            .receipt
            .ok_or_else(|| internal("a DSU without its receipt"))?;
        let own = self.archive.owner(stem_of(&protocollo))? == body.ente;
        let (receipt, utilizzi) = if own {
            (kept, utilizzi)
        } else {
            (receipt::presentation_of(&kept, entry)?, None)
        };
        Ok(Accepted {
            protocollo,
            received,
            receipt,
            again: true,
            utilizzi,
        })
    }

    /// Operation N: a new DSU, attested at once or left waiting.
    async fn nuova(
        &self,
        incoming: Incoming<'_>,
        dsu: &Dichiarazione,
        rules: &RuleSet,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let presented = incoming.presented;
        if !self.may_attest(
            dsu,
            presented,
            (presented, incoming.occasion.today),
            &mut preconditions,
        )? {
            let protocollo = self.protocol(presented.year()).await?;
            let trace = Trace {
                attende: true,
                ..Trace::of(&protocollo, &protocollo)
            };
            return self.attendi(incoming, presented, trace, esame, preconditions);
        }
        let computed = self.compute(dsu, presented, rules, Da::Adesso, &mut preconditions)?;
        let protocollo = self.protocol(presented.year()).await?;
        let about = attest::Rilascio {
            protocollo: &protocollo,
            presentata: presented,
            rilasciata: incoming.occasion.today,
            ..attest::Rilascio::default()
        };
        let attestazione = computed.attest(about);
        let receipt = self.receipt(incoming, &attestazione, &computed, esame)?;
        let version = NewVersion {
            receipt: Some(&receipt),
            ..NewVersion::first(&protocollo, incoming.ente, &attestazione, &computed)
        };
        let drafts = self.drafts(incoming, &version, 0, &mut preconditions)?;
        Ok(incoming.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// Receives a declaration without attesting it: it waits for its members' incomes.
    pub(super) fn attendi(
        &self,
        incoming: Incoming<'_>,
        presentata: Date,
        trace: Trace<'_>,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let receipt = receipt::presentation(trace.protocollo, self.about(incoming, presentata, esame)?);
        let protocollo = trace.protocollo.to_owned();
        let draft = self.declaration(
            incoming,
            Trace {
                receipt: Some(&receipt),
                ..trace
            },
            &mut preconditions,
        )?;
        Ok(incoming.accepted(protocollo, receipt.clone(), vec![draft], preconditions))
    }

    /// The receipt's content besides attestation and computation.
    pub(super) fn about<'a>(
        &'a self,
        incoming: Incoming<'a>,
        presentata: Date,
        esame: Esame,
    ) -> Result<About<'a>, SiiError> {
        let (Cause::Sent(permit), Some(came)) = (incoming.cause, incoming.came) else {
            return Err(internal("a receipt for nobody"));
        };
        Ok(About {
            ente: permit.ente(),
            received: incoming.occasion.received,
            today: incoming.occasion.today,
            impronta: came.impronta.to_owned(),
            operazione: incoming.operazione,
            sender: incoming
                .sender
                .ok_or_else(|| internal("a DSU without its sender's protocol"))?,
            dichiarante: incoming.dichiarante,
            presentata,
            rules: self.rules(presentata)?,
            warnings: esame.avvertenze,
        })
    }

    /// The receipt of a declaration attested at once.
    pub(super) fn receipt(
        &self,
        incoming: Incoming<'_>,
        attestazione: &Attestazione,
        computed: &Computed<'_>,
        esame: Esame,
    ) -> Result<String, SiiError> {
        let about = About {
            rules: computed.rules,
            ..self.about(incoming, attestazione.data_presentazione, esame)?
        };
        Ok(receipt::render(
            attestazione,
            &computed.indicatori.ordinario,
            about,
        ))
    }
}
