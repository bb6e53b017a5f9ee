//! Many DSU at once: TrasmissioneLotto and ConsultazioneEsitoLotto.
//!
//! Each DSU of a lot is read, judged and received by itself, one after another, as by TrasmissioneDSU. The
//! accepted DSU and the fate of the lot are one submission, recorded whole or not at all. A lot is known by
//! its ente and the SHA-256 of its HTTP body: sent again, it gets the same answer.

use std::collections::{HashMap, HashSet};

use super::esiti::Motivo;
use super::prepared::{
    Asked, Heard, NotPrepared, Note, Prepared, Services, failed_attempts, heard, id_richiesta,
};
use super::tentativi::Mancati;
use super::trasmissione::{INTERNO, violazioni};
use crate::contract::catalogue::Operation;
use crate::contract::trasmissione::{
    ChiaveLotto, ConsultazioneEsitoLottoResponse, DsuDelLotto, Esito, EsitoLotto, EsitoTrasmissioneLotto,
    TrasmissioneLottoResponse,
};
use crate::contract::{Findings, LotPart, Trasmessa, message};
use crate::digest::{hex, sha256};
use crate::isee::checks::{Check, Difetto};
use crate::ledger::leaf::ID_RICHIESTA;
use crate::ledger::{Draft, Precondition};
use crate::registry::Permit;
use crate::services::facts::RIPETUTA;
use crate::sii::answers::{Difetti, Received};
use crate::sii::facts::{ACCETTATE, RIFIUTATE};
use crate::sii::protocol::{ALREADY_USED, SENDERS_PROTOCOL, stem_of};
use crate::sii::{Occasion, Said};
use crate::xml::Element;

/// The number of violations described: of one DSU of a lot, and of the whole lot. Each DSU gets at least one.
const DESCRIBED_EACH: usize = 20;
const DESCRIBED_IN_ALL: usize = 2000;

/// The results of a lot so far.
#[derive(Default)]
struct LotSoFar {
    dsu: Vec<DsuDelLotto>,
    drafts: Vec<Draft>,
    preconditions: Vec<Precondition>,
    /// The number of violations described so far.
    described: usize,
    /// Sender's protocols in this lot, each with the fingerprint and the result of its DSU.
    senders: HashMap<String, ([u8; 32], DsuDelLotto)>,
    /// DSU named by operations of this lot: a second operation on one would not see the effect of the first.
    referred: HashSet<String>,
    /// Protocols named in vain by its DSU.
    mancati: Mancati,
}

/// TrasmissioneLotto: receives a lot, or repeats the answer to a known one.
pub async fn perform(
    services: &Services,
    permit: &Permit,
    asked: Asked<'_>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let impronta = hex(&sha256(asked.bytes));
    let chiave = ChiaveLotto::ImprontaLotto(impronta.clone());
    let mut preconditions = match heard(services.reception.esito_lotto(permit, &chiave, occasion).await)? {
        Heard::Said(Said {
            answer: Some(lotto),
            preconditions,
            ..
        }) => {
            let mut note = Note::default();
            note.facts.insert(RIPETUTA, true.into());
            return finish(services, asked.operation, note, *lotto, Vec::new(), preconditions).await;
        }
        Heard::Said(Said { preconditions, .. }) => preconditions,
        Heard::Failed(text) => return failed(asked.operation, text),
    };
    let mut gathered = LotSoFar::default();
    if let Some(text) = gathered.receive_all(services, permit, asked, occasion).await? {
        return failed(asked.operation, text);
    }
    let LotSoFar {
        dsu,
        mut drafts,
        preconditions: more,
        mancati,
        ..
    } = gathered;
    let ordinal = occasion.ordinal + u32::try_from(drafts.len()).unwrap_or(u32::MAX);
    let kept = services
        .reception
        .lotto(permit, &dsu, &impronta, Occasion { ordinal, ..occasion })
        .await;
    let lotto = match heard(kept)? {
        Heard::Said(Said {
            answer: lotto,
            drafts: last,
            preconditions: last_preconditions,
            ..
        }) => {
            drafts.extend(last);
            preconditions.extend(more);
            preconditions.extend(last_preconditions);
            *lotto
        }
        Heard::Failed(text) => return failed(asked.operation, text),
    };
    let mut note = Note::default();
    note.failed(&mancati);
    Ok(Prepared {
        mancati,
        ..finish(services, asked.operation, note, lotto, drafts, preconditions).await?
    })
}

/// The protocol of the DSU that this one refers to, without its version.
fn riferita(trasmessa: &Trasmessa) -> Option<String> {
    let referred = &trasmessa.dsu.operazione.numero_protocollo_riferimento;
    referred.as_deref().map(stem_of)
}

impl LotSoFar {
    /// Receives the DSU of the lot, in its order. A returned text is a mistake of ours.
    async fn receive_all(
        &mut self,
        services: &Services,
        permit: &Permit,
        asked: Asked<'_>,
        occasion: Occasion<'_>,
    ) -> Result<Option<String>, NotPrepared> {
        for (index, element) in asked.body.children().enumerate() {
            // A lot takes a while: others get their turn between one DSU and the next.
            tokio::task::yield_now().await;
            let received = self.receive(services, permit, asked, element, index + 1, occasion);
            match received.await {
                Ok(None) => {}
                Ok(Some(text)) => return Ok(Some(text)),
                Err(not_prepared) => {
                    // The lot is performed again with the reply: its DSU take their attempts again.
                    if matches!(not_prepared, NotPrepared::Ask(_)) {
                        services
                            .tentativi
                            .give_back(asked.operation, &permit.ente().codice, &self.mancati);
                    }
                    return Err(not_prepared);
                }
            }
        }
        Ok(None)
    }

    /// Receives one DSU. A returned text is a mistake of ours.
    async fn receive(
        &mut self,
        services: &Services,
        permit: &Permit,
        asked: Asked<'_>,
        element: Element<'_, '_>,
        position: usize,
        occasion: Occasion<'_>,
    ) -> Result<Option<String>, NotPrepared> {
        let read =
            LotPart::parse(element, position).and_then(|part| Ok((asked.contract.read_part(&part)?, part)));
        let (trasmessa, part) = match read {
            Ok(read) => read,
            Err(findings) => {
                self.refused(position, findings);
                return Ok(None);
            }
        };
        let signed = trasmessa.dsu.sottoscrizione_del_dichiarante();
        let sender = signed.map(|signed| signed.protocollo_mittente.clone());
        if self.repeats(position, &part, sender.as_ref(), &trasmessa)
            || self.refers_again(position, &part, &trasmessa)
        {
            return Ok(None);
        }
        let dsu = &trasmessa.dsu;
        let declarant = Some(&dsu.codice_fiscale_dichiarante);
        let reserved = services.reserve(permit, declarant, dsu.protocolli_nominati(), occasion);
        let riserva = match reserved {
            Err(NotPrepared::Exhausted(_)) => {
                // The archive is not asked. The DSU before this one stay accepted; this one may come again
                // in another lot.
                let text =
                    "troppi protocolli indicati invano: ritrasmettere la DSU più tardi, in un altro lotto";
                self.defect(position, &part, Check::K02Tentativi, "/Dichiarazione", text);
                return Ok(None);
            }
            reserved => reserved?,
        };
        let ordinal = occasion.ordinal + u32::try_from(self.drafts.len()).unwrap_or(u32::MAX);
        let step = services
            .reception
            .dsu(permit, &trasmessa, Occasion { ordinal, ..occasion })
            .await;
        services.settle(riserva, failed_attempts(&step), &mut self.mancati, occasion);
        let said = match heard(step)? {
            Heard::Said(said) => said,
            Heard::Failed(text) => return Ok(Some(text)),
        };
        match said.answer {
            Received::Accepted(accepted) => {
                self.drafts.extend(said.drafts);
                self.preconditions.extend(said.preconditions);
                self.referred.extend(riferita(&trasmessa));
                self.accepted(position, sender, &trasmessa, accepted.protocollo);
            }
            Received::Refused(Difetti { elenco, altri }) => {
                let list = part.place(elenco);
                self.refused(position, Findings { list, more: altri });
            }
        }
        Ok(None)
    }

    /// K19, within the lot: an earlier DSU of it is not in the archive yet. The same DSU again has the
    /// earlier outcome; another one with the same sender's protocol is refused. Tells whether this is such a
    /// DSU.
    fn repeats(
        &mut self,
        position: usize,
        part: &LotPart,
        sender: Option<&String>,
        trasmessa: &Trasmessa,
    ) -> bool {
        let Some((impronta, earlier)) = sender.and_then(|sender| self.senders.get(sender)) else {
            return false;
        };
        if *impronta == trasmessa.impronta {
            let again = DsuDelLotto {
                posizione: at(position),
                ..earlier.clone()
            };
            self.dsu.push(again);
        } else {
            let (code, text) = ALREADY_USED;
            self.defect(position, part, code, SENDERS_PROTOCOL, text);
        }
        true
    }

    /// K02, within the lot: only one operation on a DSU. Tells whether this is another one.
    fn refers_again(&mut self, position: usize, part: &LotPart, trasmessa: &Trasmessa) -> bool {
        let again = riferita(trasmessa).is_some_and(|referred| self.referred.contains(&referred));
        if again {
            let text = "nello stesso lotto c'è già un'operazione sulla stessa DSU";
            let path = "/Dichiarazione/Operazione/@NumeroProtocolloRiferimento";
            self.defect(position, part, Check::K02Lotto, path, text);
        }
        again
    }

    /// Refuses a DSU for one defect.
    fn defect(&mut self, position: usize, part: &LotPart, code: Check, path: &str, text: &'static str) {
        let defect = Difetto {
            code,
            path: path.to_owned(),
            text,
        };
        let findings = Findings {
            list: part.place(vec![defect]),
            more: 0,
        };
        self.refused(position, findings);
    }

    fn accepted(
        &mut self,
        position: usize,
        sender: Option<String>,
        trasmessa: &Trasmessa,
        protocollo: String,
    ) {
        let dsu = DsuDelLotto {
            posizione: at(position),
            esito: Esito::Ok,
            protocollo_dsu: Some(protocollo),
            impronta: Some(hex(&trasmessa.impronta)),
            violazioni: None,
        };
        if let Some(sender) = sender {
            self.senders.insert(sender, (trasmessa.impronta, dsu.clone()));
        }
        self.dsu.push(dsu);
    }

    fn refused(&mut self, position: usize, mut findings: Findings) {
        // One mistake of a program is in all its DSU. Of each DSU the first violations are described, the
        // others counted: the answer stays of a size with the lot.
        let room = DESCRIBED_IN_ALL
            .saturating_sub(self.described)
            .clamp(1, DESCRIBED_EACH);
        findings.more += findings.list.len().saturating_sub(room);
        findings.list.truncate(room);
        self.described += findings.list.len();
        let violazioni = Some(violazioni(findings));
        let posizione = at(position);
        self.dsu.push(DsuDelLotto {
            posizione,
            esito: Esito::RichiestaInvalida,
            protocollo_dsu: None,
            impronta: None,
            violazioni,
        });
    }
}

fn at(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// ConsultazioneEsitoLotto: the fate of a lot transmitted by the ente itself.
pub async fn esito(
    services: &Services,
    permit: &Permit,
    chiave: &ChiaveLotto,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = Operation::ConsultazioneEsitoLotto;
    match heard(services.reception.esito_lotto(permit, chiave, occasion).await)? {
        Heard::Said(Said {
            answer: Some(lotto),
            preconditions,
            ..
        }) => {
            finish(
                services,
                operation,
                Note::default(),
                *lotto,
                Vec::new(),
                preconditions,
            )
            .await
        }
        Heard::Said(Said { preconditions, .. }) => {
            let id = id_richiesta(services).await?;
            let mut note = Note {
                outcome: Esito::DatiNonTrovati.code(),
                refusal: Some(Motivo::D03Assente.to_string()),
                ..Note::default()
            };
            note.facts.insert(ID_RICHIESTA, id.into());
            let text =
                "nessun lotto trasmesso da questo ente con questo protocollo o questa impronta".to_owned();
            let reply = render(operation, id, Esito::DatiNonTrovati, Some(text), None);
            Ok(Prepared {
                reply,
                note,
                preconditions,
                ..Prepared::default()
            })
        }
        Heard::Failed(text) => failed(operation, text),
    }
}

async fn finish(
    services: &Services,
    operation: Operation,
    mut note: Note,
    lotto: EsitoLotto,
    drafts: Vec<Draft>,
    preconditions: Vec<Precondition>,
) -> Result<Prepared, NotPrepared> {
    let id = id_richiesta(services).await?;
    note.outcome = Esito::Ok.code();
    note.protocol.push(lotto.protocollo_flusso.clone());
    note.facts.insert(ID_RICHIESTA, id.into());
    note.facts.insert(ACCETTATE, lotto.accettate.into());
    note.facts.insert(RIFIUTATE, lotto.rifiutate.into());
    let reply = render(operation, id, Esito::Ok, None, Some(lotto));
    Ok(Prepared {
        reply,
        note,
        drafts,
        preconditions,
        ..Prepared::default()
    })
}

/// A mistake of ours: nothing of the lot is kept.
fn failed(operation: Operation, text: String) -> Result<Prepared, NotPrepared> {
    tracing::error!(text, "lot failed");
    let mut note = Note {
        outcome: Esito::ErroreInterno.code(),
        refusal: Some(Motivo::E01Interno.to_string()),
        ..Note::default()
    };
    note.facts.insert(ID_RICHIESTA, 0.into());
    Ok(Prepared {
        reply: render(operation, 0, Esito::ErroreInterno, Some(INTERNO.to_owned()), None),
        note,
        ..Prepared::default()
    })
}

fn render(
    operation: Operation,
    id_richiesta: i32,
    esito: Esito,
    descrizione_errore: Option<String>,
    lotto: Option<EsitoLotto>,
) -> String {
    let result = EsitoTrasmissioneLotto {
        id_richiesta,
        esito,
        descrizione_errore,
        lotto,
    };
    let (root, namespace) = (operation.response(), operation.namespace());
    match operation {
        Operation::TrasmissioneLotto => {
            message(root, namespace, &TrasmissioneLottoResponse { result }, false)
        }
        _ => message(
            root,
            namespace,
            &ConsultazioneEsitoLottoResponse { result },
            false,
        ),
    }
}
