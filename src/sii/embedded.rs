//! The embedded SII: receives DSU, attests at once, answers from the archive.

use jiff::civil::Date;

use super::archive::{Archive, valid_on};
use super::entries::{person_key, protocol_key, sender_key};
use super::receipt::{self, About};
use super::{Accepted, Answer, Answering, Occasion, Outcome, Question, Sii, SiiError};
use crate::clock::{Clock, rome};
use crate::contract::consultazione::Chiave;
use crate::contract::{ISEE_NS, Trasmessa, message};
use crate::digest::hex;
use crate::isee::attest::{self, attest};
use crate::isee::checks::{Circumstance, Difetto, examine};
use crate::isee::compute::ordinario;
use crate::isee::feed::FeedRecord;
use crate::isee::rules::Rules;
use crate::ledger::{Blinding, Body, Draft, Kind, Ledger, Precondition, Retention, Secret, Tokens};
use crate::registry::Permit;
use crate::state::Store;
use crate::state::numbers::Series;

/// Protocols are reserved by the hundred.
const BLOCK: u64 = 100;

/// The SII on this ledger.
#[derive(Debug)]
pub struct Embedded {
    ledger: Ledger,
    archive: Archive,
    store: Store,
    clock: Clock,
    rules: Rules,
    /// One series of protocols a year.
    series: tokio::sync::Mutex<std::collections::HashMap<i16, std::sync::Arc<Series>>>,
}

impl Sii for Embedded {
    fn answer<'a>(&'a self, permit: &'a Permit, question: Question<'a>, occasion: Occasion) -> Answering<'a> {
        Box::pin(async move {
            match question {
                Question::Attestazione { chiave, on } => self.find(chiave, on),
                Question::Ricezione(trasmessa) => self.receive(permit, trasmessa, occasion).await,
            }
        })
    }
}

impl Embedded {
    /// Over this ledger and these views.
    pub fn new(ledger: &Ledger, store: &Store, clock: &Clock, rules: Rules) -> Self {
        Self {
            ledger: ledger.clone(),
            archive: Archive::new(ledger, store),
            store: store.clone(),
            clock: clock.clone(),
            rules,
            series: tokio::sync::Mutex::default(),
        }
    }

    fn find(&self, chiave: &Chiave, on: Date) -> Result<Outcome, SiiError> {
        let mut preconditions = Vec::new();
        let person = chiave.codice_fiscale();
        // Only the person's own attestations: a key that finds another family's finds nothing.
        let own = self.archive.of_person(person, &mut preconditions)?;
        let head = match chiave {
            Chiave::Cf(_) => valid_on(&own, on).copied(),
            Chiave::ProtDsu(search) => {
                let found = self.archive.of_protocol(&search.protocollo_dsu, &mut preconditions)?;
                found.into_iter().find(|head| own.contains(head))
            }
            Chiave::ProtMittente(search) => {
                let found = self.archive.of_sender(&search.protocollo_mittente)?;
                found.into_iter().filter(|head| own.contains(head)).max_by_key(|head| (head.presentata, head.sequence))
            }
        };
        let answer = match head {
            Some(head) => match self.archive.attestation(&head)? {
                Some(found) => Answer::Found(Box::new(found)),
                None => Answer::NotFound,
            },
            None => Answer::NotFound,
        };
        Ok(Outcome { answer, drafts: Vec::new(), preconditions })
    }

    async fn receive(&self, permit: &Permit, trasmessa: &Trasmessa, occasion: Occasion) -> Result<Outcome, SiiError> {
        let dsu = &trasmessa.dsu;
        let impronta = hex(&trasmessa.impronta);
        let refused =
            |difetti, altri| Ok(Outcome { answer: Answer::Refused { difetti, altri }, drafts: Vec::new(), preconditions: Vec::new() });
        let single = |code, path: &str, text| vec![Difetto { code, path: path.to_owned(), text }];
        let sender = dsu.sottoscrizione_del_dichiarante().map(|s| s.protocollo_mittente.clone()).unwrap_or_default();

        // K19: under this sender's protocol, the same DSU gets the same answer, whatever rules have come since; another is refused.
        let mut preconditions = Vec::new();
        let earlier = self.archive.earlier(&permit.ente().codice, &sender, &mut preconditions)?;
        if let Some(earlier) = &earlier
            && self.archive.impronta(earlier.year, &impronta)? == earlier.impronta
        {
            let secret = self.archive.open(&earlier.entry)?;
            let received = earlier.entry.leaf.body.received.parse().map_err(|_| SiiError::Internal("an instant".to_owned()))?;
            let accepted = Accepted {
                protocollo: secret.protocol.first().cloned().unwrap_or_default(),
                received,
                receipt: secret.receipt.unwrap_or_default(),
                again: true,
            };
            return Ok(Outcome { answer: Answer::Accepted(accepted), drafts: Vec::new(), preconditions });
        }

        let presented = dsu.presentata().unwrap_or(occasion.today);
        let Some(rules) = self.rules.on(presented.min(occasion.today)) else {
            let text = "nessun insieme di regole per questa data di presentazione";
            return refused(single("K18.periodo", "/Dichiarazione/Sottoscrizione", text), 0);
        };
        let mut esame = examine(dsu, &Circumstance { today: occasion.today, rules });
        if earlier.is_some() {
            let path = "/Dichiarazione/Sottoscrizione/@ProtocolloMittente";
            esame.difetti.extend(single("K19.contenuto", path, "protocollo del mittente già usato per una DSU diversa"));
        }
        if !esame.difetti.is_empty() {
            return refused(esame.difetti, esame.altri);
        }

        let year = presented.year() - 2;
        let known: Vec<FeedRecord> =
            dsu.fogli().filter_map(|sheet| self.archive.feed(&sheet.codice_fiscale, year).transpose()).collect::<Result<_, _>>()?;
        let calcolo = ordinario(dsu, presented, rules, &known).map_err(|error| SiiError::Internal(error.to_string()))?;
        let protocollo = self.protocol(presented.year()).await?;
        let attestazione =
            attest(dsu, &calcolo, rules, &attest::Occasion { protocollo: &protocollo, presentata: presented, rilasciata: occasion.today });
        let about = About {
            ente: permit.ente(),
            received: occasion.received,
            today: occasion.today,
            impronta: impronta.clone(),
            rules,
            warnings: esame.avvertenze,
        };
        let receipt = receipt::render(&attestazione, &calcolo, about);
        let entries = Entries { embedded: self, permit, trasmessa, occasion, protocollo: &protocollo, sender: &sender };
        let drafts = entries.drafts(&attestazione, rules, &receipt, &impronta, &mut preconditions)?;
        let accepted = Accepted { protocollo, received: occasion.received, receipt, again: false };
        Ok(Outcome { answer: Answer::Accepted(accepted), drafts, preconditions })
    }

    /// A new protocol: `INPS-ISEE-yyyy-nnnnnnnnL-00`. No rule for the letter is published; ours is the serial modulo 26, A to Z.
    async fn protocol(&self, year: i16) -> Result<String, SiiError> {
        let series = {
            let mut all = self.series.lock().await;
            all.entry(year)
                .or_insert_with(|| {
                    std::sync::Arc::new(Series::new(format!("protocollo-{year}"), BLOCK, &self.ledger, &self.store, &self.clock))
                })
                .clone()
        };
        let serial = series.next().await.map_err(|error| SiiError::Unavailable(error.to_string()))?;
        let letter = char::from(b'A' + u8::try_from(serial % 26).unwrap_or_default());
        Ok(format!("INPS-ISEE-{year}-{serial:08}{letter}-00"))
    }
}

/// What the two entries of a DSU have in common.
struct Entries<'a> {
    embedded: &'a Embedded,
    permit: &'a Permit,
    trasmessa: &'a Trasmessa,
    occasion: Occasion,
    protocollo: &'a str,
    sender: &'a str,
}

impl Entries<'_> {
    fn drafts(
        &self,
        attestazione: &crate::isee::attestazione::Attestazione,
        rules: &crate::isee::rules::RuleSet,
        receipt: &str,
        impronta: &str,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Draft>, SiiError> {
        let keys = &self.embedded.ledger.keys;
        let ente = &self.permit.ente().codice;
        let year = rome(self.occasion.received).year();
        let members: Vec<String> = self.trasmessa.dsu.fogli().map(|sheet| sheet.codice_fiscale.canonical()).collect();
        let cf = members.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let protocols = vec![self.protocollo.to_owned(), self.sender.to_owned()];
        let protocol = protocols.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens { year, cf: cf.clone(), operator: None, protocol: protocol.clone(), address: None };
        // The token key of the year may have been made after the sender's protocol was looked for: then nobody had used it under that key, and
        // nobody may have since. A new protocol was never used at all.
        for key in [sender_key(ente, year, &protocol[1]), protocol_key(year, &protocol[0])] {
            if !preconditions.iter().any(|known| known.key == key) {
                preconditions.push(Precondition { key, version: 0 });
            }
        }
        let presented = attestazione.data_presentazione.to_string();

        let mut dsu =
            self.body(Kind::Dsu, &tokens).fact("impronta", keys.token(year, "impronta", impronta)?).fact("presentata", &presented);
        dsu.keys = vec![sender_key(ente, year, &protocol[1])];
        let secret = Secret {
            cf: members.clone(),
            protocol: protocols.clone(),
            dsu: Some(self.trasmessa.canonical.clone()),
            receipt: Some(receipt.to_owned()),
            ..Secret::default()
        };
        let dsu = self.seal(dsu, &secret, 1)?;

        let mut attestation = self
            .body(Kind::Attestation, &tokens)
            .fact("presentata", &presented)
            .fact("scadenza", attestazione.data_validita.to_string())
            .fact("rilasciata", self.occasion.today.to_string())
            .fact("regole", &rules.id)
            .fact("regole_impronta", &rules.digest)
            .fact("altri", self.trasmessa.dsu.has_other_indicators());
        attestation.keys = cf.iter().map(|token| person_key(year, token)).collect();
        attestation.keys.push(protocol_key(year, &protocol[0]));
        let secret = Secret {
            cf: members,
            protocol: protocols,
            attestation: Some(message("Attestazione", ISEE_NS, attestazione, false)),
            ..Secret::default()
        };
        let attestation = self.seal(attestation, &secret, 2)?;
        Ok(vec![dsu, attestation])
    }

    fn body(&self, kind: Kind, tokens: &Tokens) -> Body {
        let mut body = Body::new(kind, Retention::Dsu, self.occasion.exchange, self.occasion.received);
        body.role = Some("erogatore".to_owned());
        body.ente = Some(self.permit.ente().codice.clone());
        body.operation = Some(self.permit.admission().operation().name().to_owned());
        body.tokens = Some(tokens.clone());
        body
    }

    fn seal(&self, body: Body, secret: &Secret, ordinal: u32) -> Result<Draft, SiiError> {
        let blinding = Blinding::new()?;
        let prepared = self.embedded.ledger.prepare(body, secret, &blinding, ordinal, self.occasion.received);
        prepared.map_err(|error| SiiError::Internal(error.to_string()))
    }
}
