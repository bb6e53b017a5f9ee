//! The port of TrasmissioneDSU.

use super::esiti::Motivo;
use super::prepared::{Heard, NotPrepared, Note, Prepared, Services, failed_attempts, heard, id_richiesta};
use super::tentativi::Mancati;
use crate::contract::bind::Base64;
use crate::contract::catalogue::Operation;
use crate::contract::trasmissione::{
    Accettazione, ChiaveDsu, ConsultazioneEsitoDsuResponse, Esito, EsitoConsultazioneDsu, EsitoDsu,
    EsitoTrasmissione, TrasmissioneDsuResponse, Violazione, Violazioni,
};
use crate::contract::{Findings, Trasmessa, message, place};
use crate::digest::hex;
use crate::ledger::leaf::ID_RICHIESTA;
use crate::registry::Permit;
use crate::services::facts::{RIPETUTA, STATO, VIOLAZIONI};
use crate::sii::answers::{Accepted, Difetti, DsuFate, Received};
use crate::sii::{Occasion, Said};
use crate::xml::Element;

const OPERATION: Operation = Operation::TrasmissioneDsu;

/// TrasmissioneDSU: receives a DSU valid against its schema.
pub async fn perform(
    services: &Services,
    permit: &Permit,
    trasmessa: &Trasmessa,
    body: Element<'_, '_>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let mut note = Note {
        cf: trasmessa.persone.clone(),
        ..Note::default()
    };
    let (dsu, mut mancati) = (&trasmessa.dsu, Mancati::new());
    let riserva = services.reserve(
        permit,
        Some(&dsu.codice_fiscale_dichiarante),
        dsu.protocolli_nominati(),
        occasion,
    )?;
    let step = services.reception.dsu(permit, trasmessa, occasion).await;
    services.settle(riserva, failed_attempts(&step), &mut mancati, occasion);
    note.failed(&mancati);
    let Said {
        answer,
        drafts,
        preconditions,
        ..
    } = match heard(step)? {
        Heard::Said(said) => said,
        Heard::Failed(text) => {
            tracing::error!(text, "transmission failed");
            note.outcome = Esito::ErroreInterno.code();
            note.refusal = Some(Motivo::E01Interno.to_string());
            let result = outcome(0, Esito::ErroreInterno, Some(INTERNO.to_owned()));
            return Ok(Prepared {
                reply: render(result),
                note,
                ..Prepared::default()
            });
        }
    };
    match answer {
        Received::Accepted(dsu) => {
            let prepared = accepted(services, dsu, &trasmessa.impronta, note).await?;
            Ok(Prepared {
                drafts,
                preconditions,
                mancati,
                ..prepared
            })
        }
        Received::Refused(Difetti { elenco, altri }) => {
            let findings = Findings {
                list: place(elenco, trasmessa, body),
                more: altri,
            };
            Ok(Prepared {
                mancati,
                ..refuse(services, findings, note).await?
            })
        }
    }
}

/// The reply to an accepted DSU: its protocol and its receipt.
async fn accepted(
    services: &Services,
    dsu: Accepted,
    impronta: &[u8; 32],
    mut note: Note,
) -> Result<Prepared, NotPrepared> {
    let id = id_richiesta(services).await?;
    note.facts.insert(ID_RICHIESTA, id.into());
    note.outcome = Esito::Ok.code();
    note.protocol.push(dsu.protocollo.clone());
    if dsu.again {
        note.facts.insert(RIPETUTA, true.into());
    }
    let accettazione = Accettazione {
        protocollo_dsu: dsu.protocollo,
        istante_ricezione: dsu.received,
        xml_ricevuta: Base64(dsu.receipt.into_bytes()),
        impronta: hex(impronta),
        utilizzi: dsu.utilizzi,
    };
    let result = EsitoTrasmissione {
        accettazione: Some(accettazione),
        ..outcome(id, Esito::Ok, None)
    };
    Ok(Prepared {
        reply: render(result),
        note,
        ..Prepared::default()
    })
}

/// Refuses a DSU in breach of its schema or of a formal check: every violation, in the operation's own reply.
pub async fn refuse(
    services: &Services,
    findings: Findings,
    mut note: Note,
) -> Result<Prepared, NotPrepared> {
    let id = id_richiesta(services).await?;
    note.facts.insert(ID_RICHIESTA, id.into());
    note.facts
        .insert(VIOLAZIONI, (findings.list.len() + findings.more).into());
    note.outcome = Esito::RichiestaInvalida.code();
    note.refusal = findings.list.first().map(|finding| finding.code.to_owned());
    let descrizione = "DSU non accettata: vedere le violazioni".to_owned();
    let result = EsitoTrasmissione {
        violazioni: Some(violazioni(findings)),
        ..outcome(id, Esito::RichiestaInvalida, Some(descrizione))
    };
    Ok(Prepared {
        reply: render(result),
        note,
        ..Prepared::default()
    })
}

/// Findings in the form of replies.
pub(super) fn violazioni(findings: Findings) -> Violazioni {
    let violazione = findings
        .list
        .into_iter()
        .map(|finding| Violazione {
            codice: finding.code.to_owned(),
            percorso: finding.path,
            riga: finding.line,
            colonna: finding.column,
            testo: finding.text,
        })
        .collect();
    Violazioni {
        violazione,
        altre_violazioni: (findings.more > 0).then(|| u32::try_from(findings.more).unwrap_or(u32::MAX)),
    }
}

/// ConsultazioneEsitoDSU: the fate of a DSU transmitted by the ente itself.
pub async fn esito_dsu(
    services: &Services,
    permit: &Permit,
    chiave: &ChiaveDsu,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let mut note = Note::default();
    let (ChiaveDsu::ProtocolloDsu(key) | ChiaveDsu::ProtocolloMittente(key)) = chiave;
    note.protocol.push(key.trim().to_owned());
    // A sender's protocol finds the ente's own DSU alone: it is no guess.
    let named = u32::from(matches!(chiave, ChiaveDsu::ProtocolloDsu(_)));
    let riserva = services.reserve(permit, None, named, occasion)?;
    let step = services.reception.esito_dsu(permit, chiave, occasion).await;
    let mut mancati = Mancati::new();
    services.settle(riserva, failed_attempts(&step), &mut mancati, occasion);
    note.failed(&mancati);
    let (esito, errore, dsu, preconditions) = match heard(step)? {
        Heard::Said(Said {
            answer: Some(told),
            preconditions,
            ..
        }) => {
            let dsu = fate(*told, &mut note);
            (Esito::Ok, None, Some(dsu), preconditions)
        }
        Heard::Said(Said { preconditions, .. }) => {
            note.refusal = Some(Motivo::D02Assente.to_string());
            let text = "nessuna DSU trasmessa da questo ente con questo protocollo".to_owned();
            (Esito::DatiNonTrovati, Some(text), None, preconditions)
        }
        Heard::Failed(text) => {
            tracing::error!(text, "consultation of a DSU failed");
            note.refusal = Some(Motivo::E01Interno.to_string());
            (Esito::ErroreInterno, Some(INTERNO.to_owned()), None, Vec::new())
        }
    };
    let id_richiesta = if esito == Esito::ErroreInterno {
        0
    } else {
        id_richiesta(services).await?
    };
    note.facts.insert(ID_RICHIESTA, id_richiesta.into());
    note.outcome = esito.code();
    let result = EsitoConsultazioneDsu {
        id_richiesta,
        esito,
        descrizione_errore: errore,
        dsu,
    };
    let operation = Operation::ConsultazioneEsitoDsu;
    let reply = message(
        operation.response(),
        operation.namespace(),
        &ConsultazioneEsitoDsuResponse { result },
        false,
    );
    Ok(Prepared {
        reply,
        note,
        preconditions,
        mancati,
        ..Prepared::default()
    })
}

/// The fate of a DSU; notes its protocols, its state, and the persons of the receipt: their data go out.
fn fate(told: DsuFate, note: &mut Note) -> EsitoDsu {
    let DsuFate { esito: dsu, persone } = told;
    note.cf = persone;
    for protocol in [&dsu.protocollo_dsu, &dsu.protocollo_mittente]
        .into_iter()
        .chain(&dsu.protocollo_sostitutivo)
    {
        if !note.protocol.contains(protocol) {
            note.protocol.push(protocol.clone());
        }
    }
    note.facts.insert(STATO, dsu.stato.code().into());
    dsu
}

/// The text for a mistake of ours.
pub(super) const INTERNO: &str = "errore interno: riprovare";

fn outcome(id_richiesta: i32, esito: Esito, descrizione_errore: Option<String>) -> EsitoTrasmissione {
    EsitoTrasmissione {
        id_richiesta,
        esito,
        descrizione_errore,
        accettazione: None,
        violazioni: None,
    }
}

fn render(result: EsitoTrasmissione) -> String {
    message(
        OPERATION.response(),
        OPERATION.namespace(),
        &TrasmissioneDsuResponse { result },
        false,
    )
}
