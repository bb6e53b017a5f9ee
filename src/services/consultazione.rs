//! The port of ConsultazioneISEE.

use jiff::civil::Date;

use super::{NotPrepared, Note, Prepared, Services, id_richiesta, unavailable};
use crate::contract::bind::Base64;
use crate::contract::catalogue::Operation;
use crate::contract::consultazione::{
    Chiave, ConsultazioneAttestazioneResponse, ConsultazioneIndicatoreResponse, Esito, EsitoAttestazione, EsitoIndicatore,
    RichiestaAttestazione, RichiestaIndicatore,
};
use crate::contract::{self, message};
use crate::isee::attestazione as payload;
use crate::isee::codes::TipoIndicatore;
use crate::registry::{Admission, NotPermitted, Permit};
use crate::sii::{Answer, Found, Occasion, Outcome, Question};

/// How a consultation ended, before it is rendered.
struct Ended {
    esito: Esito,
    /// Code for the entry, and text in Italian.
    refusal: Option<(&'static str, String)>,
    /// The payload.
    xml: Option<String>,
    note: Note,
    preconditions: Vec<crate::ledger::Precondition>,
}

/// What a consultation gives away: of one person, or of the whole nucleus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivers {
    Indicator,
    Attestation,
}

/// ConsultazioneIndicatore.
pub async fn indicatore(
    services: &Services,
    admission: Admission,
    request: Option<&RichiestaIndicatore>,
    occasion: Occasion,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let ended = match request {
        None => invalid("R01.richiesta", "richiesta vuota: manca l'elemento request"),
        Some(request) => {
            let chiave = Chiave::Cf(Box::new(request.ricerca_cf.clone()));
            let tipo = request.tipo_indicatore;
            let mut ended = consult(services, admission, &chiave, occasion, Delivers::Indicator, |found| {
                one_indicator(found, tipo, &request.ricerca_cf)
            })
            .await?;
            ended.note.facts.insert("indicatore", tipo.code().into());
            ended
        }
    };
    finish(services, operation, ended).await
}

/// ConsultazioneAttestazione.
pub async fn attestazione(
    services: &Services,
    admission: Admission,
    request: Option<&RichiestaAttestazione>,
    occasion: Occasion,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let ended = match request {
        None => invalid("R01.richiesta", "richiesta vuota: manca l'elemento request"),
        Some(request) => {
            let chiave = &request.chiave;
            consult(services, admission, chiave, occasion, Delivers::Attestation, |found| {
                let ricerca = payload::Ricerca { chiave: chiave.echo() };
                Ok(contract::esito_attestazione(&payload::EsitoAttestazione { attestazione: Some(found.attestazione), ricerca }))
            })
            .await?
        }
    };
    finish(services, operation, ended).await
}

/// What both have in common: the request's own sense, the permit, the search.
async fn consult(
    services: &Services,
    admission: Admission,
    chiave: &Chiave,
    occasion: Occasion,
    delivers: Delivers,
    render: impl FnOnce(Found) -> Result<String, (&'static str, String)>,
) -> Result<Ended, NotPrepared> {
    let mut note =
        Note { cf: vec![chiave.codice_fiscale().canonical()], application: chiave.domanda().map(str::to_owned), ..Note::default() };
    match chiave {
        Chiave::Cf(_) => {}
        Chiave::ProtDsu(search) => note.protocol.push(search.protocollo_dsu.clone()),
        Chiave::ProtMittente(search) => note.protocol.push(search.protocollo_mittente.clone()),
    }
    if let Err((code, text)) = echoes(chiave) {
        return Ok(Ended { note, ..invalid(code, text) });
    }
    let permit: Permit = match admission.for_benefit(chiave.prestazione()) {
        Ok(permit) => permit,
        Err(refused) => {
            let (_, NotPermitted { code, text }) = *refused;
            return Ok(Ended { note, ..invalid(code, text) });
        }
    };
    if let Some((prestazione, implied)) = permit.prestazione() {
        note.facts.insert("prestazione", prestazione.into());
        if implied {
            note.facts.insert("prestazione_implicita", true.into());
        }
    }
    let on = requested_day(chiave).unwrap_or(occasion.today);
    let Outcome { answer, preconditions, .. } = match services.sii.answer(&permit, Question::Attestazione { chiave, on }, occasion).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let text = unavailable(error)?;
            tracing::error!(text, "consultation failed");
            let refusal = Some(("E01.interno", "errore interno: riprovare".to_owned()));
            return Ok(Ended { esito: Esito::ErroreInterno, refusal, xml: None, note, preconditions: Vec::new() });
        }
    };
    let (esito, refusal, xml) = match answer {
        Answer::Found(found) => {
            note.protocol.push(found.attestazione.numero_protocollo_dsu.clone());
            // Whose data are about to be read: the whole nucleus', where the attestation goes out; the person searched stays first.
            if delivers == Delivers::Attestation {
                let members = found.attestazione.ordinario.iter().flat_map(|ordinario| &ordinario.nucleo_familiare.componente_nucleo);
                for code in members.map(|member| member.codice_fiscale.canonical()) {
                    if !note.cf.contains(&code) {
                        note.cf.push(code);
                    }
                }
            }
            match render(*found) {
                Ok(xml) => (Esito::Ok, None, Some(xml)),
                Err(refusal) => (Esito::RichiestaInvalida, Some(refusal), None),
            }
        }
        Answer::NotFound | Answer::Accepted(_) | Answer::Refused { .. } => {
            let text = "nessuna attestazione valida per i criteri di ricerca".to_owned();
            (Esito::DatiNonTrovati, Some(("D01.assente", text)), None)
        }
    };
    Ok(Ended { esito, refusal, xml, note, preconditions })
}

/// The ordinary indicator; the others are not computed yet, and the reply says so.
fn one_indicator(
    found: Found,
    tipo: TipoIndicatore,
    ricerca: &contract::consultazione::RicercaCf,
) -> Result<String, (&'static str, String)> {
    if tipo != TipoIndicatore::Ordinario {
        let text = if found.other_indicators {
            "la DSU contiene i dati per altri indicatori, ma questa porta calcola il solo indicatore Ordinario"
        } else {
            "questa porta calcola il solo indicatore Ordinario"
        };
        return Err(("R03.indicatore", text.to_owned()));
    }
    let attestazione = found.attestazione;
    let Some(ordinario) = attestazione.ordinario else {
        return Err(("R03.indicatore", "l'attestazione non ha l'indicatore Ordinario".to_owned()));
    };
    let valori = ordinario.isee_ordinario.valori;
    Ok(contract::indicatore(&payload::Indicatore {
        tipo_indicatore: tipo,
        ise: valori.ise,
        scala_equivalenza: valori.scala_equivalenza,
        isee: valori.isee,
        isr: valori.isr,
        isp: valori.isp,
        protocollo_dsu: attestazione.numero_protocollo_dsu,
        data_presentazione: attestazione.data_presentazione,
        ricerca_cf: ricerca.echo(),
    }))
}

fn requested_day(chiave: &Chiave) -> Option<Date> {
    match chiave {
        Chiave::Cf(search) => search.data_validita,
        Chiave::ProtDsu(_) | Chiave::ProtMittente(_) => None,
    }
}

/// What the payload's echo cannot hold is an invalid request: these are plain strings on the way in.
fn echoes(chiave: &Chiave) -> Result<(), (&'static str, &'static str)> {
    if chiave.domanda().is_some_and(|text| text.chars().count() > 256) {
        return Err(("R02.domanda", "ProtocolloDomandaEnteErogatore più lungo di 256 caratteri"));
    }
    match chiave {
        Chiave::Cf(_) => Ok(()),
        Chiave::ProtDsu(search) if is_protocol(&search.protocollo_dsu) => Ok(()),
        Chiave::ProtDsu(_) => Err(("R02.protocollo", "ProtocolloDSU non valido: atteso INPS-ISEE-aaaa-nnnnnnnnL-nn")),
        Chiave::ProtMittente(search) if search.protocollo_mittente.chars().count() <= 29 => Ok(()),
        Chiave::ProtMittente(_) => Err(("R02.mittente", "ProtocolloMittente più lungo di 29 caratteri")),
    }
}

/// `INPS-ISEE-[0-9]{4}-[0-9]{8}[A-Z]-[0-9]{2}`.
fn is_protocol(text: &str) -> bool {
    let form = b"INPS-ISEE-9999-99999999A-99";
    text.len() == form.len()
        && text.bytes().zip(form).enumerate().all(|(index, (byte, form))| match form {
            b'9' => byte.is_ascii_digit(),
            b'A' if index == 23 => byte.is_ascii_uppercase(),
            literal => byte == *literal,
        })
}

fn invalid(code: &'static str, text: impl Into<String>) -> Ended {
    let refusal = Some((code, text.into()));
    Ended { esito: Esito::RichiestaInvalida, refusal, xml: None, note: Note::default(), preconditions: Vec::new() }
}

/// Numbers the reply and renders it.
async fn finish(services: &Services, operation: Operation, ended: Ended) -> Result<Prepared, NotPrepared> {
    let Ended { esito, refusal, xml, mut note, preconditions } = ended;
    // 0 where the request was not registered: clients try again on it.
    let id_richiesta = if esito == Esito::ErroreInterno { 0 } else { id_richiesta(services).await? };
    note.facts.insert("id_richiesta", id_richiesta.into());
    note.outcome = esito.code();
    note.refusal = refusal.as_ref().map(|(code, _)| (*code).to_owned());
    let descrizione_errore = refusal.map(|(_, text)| text);
    let xml = xml.map(|xml| Base64(xml.into_bytes()));
    let reply = match operation {
        Operation::ConsultazioneIndicatore => {
            let result = Some(EsitoIndicatore { id_richiesta, esito, descrizione_errore, xml });
            message(operation.response(), operation.namespace(), &ConsultazioneIndicatoreResponse { result }, false)
        }
        Operation::ConsultazioneAttestazione | Operation::TrasmissioneDsu => {
            let result = Some(EsitoAttestazione { id_richiesta, esito, descrizione_errore, xml });
            message(operation.response(), operation.namespace(), &ConsultazioneAttestazioneResponse { result }, false)
        }
    };
    Ok(Prepared { reply, note, drafts: Vec::new(), preconditions })
}

#[cfg(test)]
mod tests {
    use super::is_protocol;

    #[test]
    fn protocols_have_their_form() {
        assert!(is_protocol("INPS-ISEE-2026-00000001B-00"));
        for text in
            ["INPS-ISEE-2026-00000001b-00", "INPS-ISEE-2026-0000000AB-00", "INPS-ISEE-2026-00000001B-0", "", "INPS-ISEX-2026-00000001B-00"]
        {
            assert!(!is_protocol(text), "{text}");
        }
    }
}
