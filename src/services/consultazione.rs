//! The port of ConsultazioneISEE.

use jiff::civil::Date;

use super::esiti::Motivo;
use super::prepared::{Heard, NotPrepared, Note, Prepared, Services, heard, id_richiesta};
use super::tentativi::Mancati;
use crate::config::Soglia;
use crate::contract::bind::Base64;
use crate::contract::catalogue::Operation;
use crate::contract::consultazione::{
    Chiave, Componente, DatiIndicatore, Esito, RicercaCf, RichiestaAttestazione, RichiestaIndicatore,
    RichiestaSoglia,
};
use crate::contract::{self, Answered, message, pdd};
use crate::isee::CodiceFiscale;
use crate::isee::attestazione as payload;
use crate::isee::codes::{SiNo, TipoIndicatore, TipoIndicatoreSoglia};
use crate::isee::sintesi::Sintesi;
use crate::isee::valori::Valori;
use crate::ledger::leaf::ID_RICHIESTA;
use crate::registry::{Admission, NotPermitted, Permit, Purpose};
use crate::services::facts::{INDICATORE, PRESTAZIONE, PRESTAZIONE_IMPLICITA, PROPRIA, SOGLIA};
use crate::sii::answers::{Attestata, Declared};
use crate::sii::protocol::stem_of;
use crate::sii::{Occasion, Said, Search, SiiError, Step};

/// The end of a consultation, before it is rendered.
struct Conclusa {
    /// The reason of an outcome other than OK.
    refusal: Option<Rifiuto>,
    /// The data to deliver. `None` after a refusal.
    found: Option<Delivered>,
    note: Note,
    preconditions: Vec<crate::ledger::Precondition>,
}

/// The data of a delivery.
enum Delivered {
    /// A payload, as an XML document.
    Xml(String),
    /// The answer about a threshold.
    Dati(DatiIndicatore),
}

/// The persons in a consultation's delivery: one person, or the whole nucleus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivers {
    Person,
    Nucleus,
}

/// The reason, and its text in Italian.
type Rifiuto = (Motivo, String);

/// An answer with personal data.
trait Disclosing {
    /// The protocols of the DSU behind its data.
    fn protocols(&self) -> Vec<String>;
    /// The codici fiscali of all persons in it.
    fn persone(&self) -> &[String];
}

impl Disclosing for Sintesi {
    /// Of a current ISEE both: its own, and the underlying DSU's.
    fn protocols(&self) -> Vec<String> {
        vec![self.numero_protocollo_dsu.clone(), self.protocollo().to_owned()]
    }

    fn persone(&self) -> &[String] {
        &self.persone
    }
}

impl Disclosing for Attestata {
    fn protocols(&self) -> Vec<String> {
        self.sintesi.protocols()
    }

    fn persone(&self) -> &[String] {
        self.sintesi.persone()
    }
}

impl Disclosing for Declared {
    fn protocols(&self) -> Vec<String> {
        vec![self.protocollo.clone()]
    }

    /// All persons of the DSU, also those outside the nucleus.
    fn persone(&self) -> &[String] {
        &self.persone
    }
}

/// ConsultazioneIndicatore: one indicator of a person.
pub async fn indicatore(
    services: &Services,
    admission: Admission,
    request: Option<&RichiestaIndicatore>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let Some(request) = request else {
        return finish(services, operation, absent()).await;
    };
    let chiave = Chiave::Cf(Box::new(request.ricerca_cf.clone()));
    let tipo = request.tipo_indicatore;
    let permit = admission
        .for_benefit(chiave.prestazione())
        .and_then(|permit| permit.reads(tipo.code()).map(|()| permit));
    let mut note = note_of(&chiave);
    note.facts.insert(INDICATORE, tipo.code().into());
    let (permit, note) = match admitted(permit, &chiave, note) {
        Ok(admitted) => admitted,
        Err(ended) => return finish(services, operation, *ended).await,
    };
    let search = Search {
        chiave: &chiave,
        on: requested_day(&chiave).unwrap_or(occasion.today),
    };
    let step = services.consultation.indicatori(&permit, search, occasion).await;
    let render = |found: Sintesi| one_indicator(found, tipo, &request.ricerca_cf).map(Delivered::Xml);
    finish(
        services,
        operation,
        deliver(&permit, step, Delivers::Person, note, render)?,
    )
    .await
}

/// ConsultazioneAttestazione, ConsultazioneAttestazioneResidenti: the whole attestation.
pub async fn attestazione(
    services: &Services,
    admission: Admission,
    request: Option<&RichiestaAttestazione>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let Some(RichiestaAttestazione { chiave }) = request else {
        return finish(services, operation, absent()).await;
    };
    // The ente may read attestations by the schema of 2021.
    let as_of_2021 = admission.caller().ente().senza_isee_famiglia;
    let permit = admission.for_benefit(chiave.prestazione());
    let (permit, note) = match admitted(permit, chiave, note_of(chiave)) {
        Ok(admitted) => admitted,
        Err(ended) => return finish(services, operation, *ended).await,
    };
    let search = Search {
        chiave,
        on: requested_day(chiave).unwrap_or(occasion.today),
    };
    let step = services
        .consultation
        .attestazione(&permit, search, occasion)
        .await;
    let render = |found: Attestata| {
        let ricerca = payload::Ricerca {
            chiave: chiave.echo(),
        };
        let testo = match as_of_2021 {
            true => senza_isee_famiglia(&found.testo)?,
            false => found.testo,
        };
        Ok(Delivered::Xml(contract::esito_attestazione_di(&testo, &ricerca)))
    };
    finish(
        services,
        operation,
        deliver(&permit, step, Delivers::Nucleus, note, render)?,
    )
    .await
}

/// ConsultazioneDichiarazione: the DSU as its sender transmitted it, completed as INPS does.
pub async fn dichiarazione(
    services: &Services,
    admission: Admission,
    request: Option<&RichiestaAttestazione>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let Some(RichiestaAttestazione { chiave }) = request else {
        return finish(services, operation, absent()).await;
    };
    let permit = admission.for_benefit(chiave.prestazione());
    let (permit, note) = match admitted(permit, chiave, note_of(chiave)) {
        Ok(admitted) => admitted,
        Err(ended) => return finish(services, operation, *ended).await,
    };
    let search = Search {
        chiave,
        on: requested_day(chiave).unwrap_or(occasion.today),
    };
    let step = services
        .consultation
        .dichiarazione(&permit, search, occasion)
        .await;
    let render = |declared: Declared| {
        let ricerca = payload::Ricerca {
            chiave: chiave.echo(),
        };
        let esito = payload::EsitoDichiarazione {
            dichiarazione: Some(declared.dichiarazione),
            ricerca,
        };
        Ok(Delivered::Xml(contract::esito_dichiarazione(&esito)))
    };
    finish(
        services,
        operation,
        deliver(&permit, step, Delivers::Nucleus, note, render)?,
    )
    .await
}

/// ConsultazioneSogliaIndicatore: whether the indicator is at most the threshold, never how much it is.
pub async fn soglia(
    services: &Services,
    admission: Admission,
    request: &RichiestaSoglia,
    soglie: &[Soglia],
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let chiave = Chiave::Cf(Box::new(RicercaCf {
        codice_fiscale: request.codice_fiscale.clone(),
        data_validita: request.data_validita,
        prestazione_da_erogare: None,
        protocollo_domanda_ente_erogatore: None,
        statodomanda_prestazione: None,
    }));
    let known = soglie
        .iter()
        .find(|soglia| soglia.codice.eq_ignore_ascii_case(&request.codice_soglia));
    let Some(soglia) = known else {
        let ended = Conclusa {
            note: note_of(&chiave),
            ..invalid(Motivo::R04Soglia, "CodiceSoglia non conosciuto da questa porta")
        };
        return finish(services, operation, ended).await;
    };
    // The threshold is tied to a benefit: an ente enabled for the benefit may ask whether it is due.
    // The configuration allows these names alone.
    let named = soglia.indicatore.as_deref().and_then(TipoIndicatore::from_code);
    let indicatore = named.unwrap_or_else(|| TipoIndicatore::predefinito(&soglia.prestazione));
    let permit = admission
        .for_benefit(Some(&soglia.prestazione))
        .and_then(|permit| permit.reads(indicatore.code()).map(|()| permit));
    let mut note = note_of(&chiave);
    note.facts
        .insert(SOGLIA, soglia.codice.to_ascii_uppercase().into());
    let (permit, note) = match admitted(permit, &chiave, note) {
        Ok(admitted) => admitted,
        Err(ended) => return finish(services, operation, *ended).await,
    };
    let search = Search {
        chiave: &chiave,
        on: request.data_validita.unwrap_or(occasion.today),
    };
    let step = services.consultation.indicatori(&permit, search, occasion).await;
    let delivers = match request.fornitura_nucleo {
        SiNo::Si => Delivers::Nucleus,
        SiNo::No => Delivers::Person,
    };
    let render = |found: Sintesi| dati_indicatore(found, request, soglia, indicatore);
    finish(
        services,
        operation,
        deliver(&permit, step, delivers, note, render)?,
    )
    .await
}

/// The answer of a threshold: on which side the ISEE is, never the ISEE; the nucleus, if it is asked for.
fn dati_indicatore(
    sintesi: Sintesi,
    request: &RichiestaSoglia,
    soglia: &Soglia,
    indicatore: TipoIndicatore,
) -> Result<Delivered, Rifiuto> {
    let (valori, tipo_indicatore) = indicator_of(&sintesi, indicatore, &request.codice_fiscale)?;
    let sotto = valori.isee.0 <= soglia.importo;
    let yes = |yes| if yes { SiNo::Si } else { SiNo::No };
    if sintesi.membri.iter().all(|member| !member.ordinario) {
        return Err(without("an attestation without an ordinary nucleus"));
    }
    let members = sintesi.membri.into_iter();
    let members = members.filter(|member| member.ordinario && request.fornitura_nucleo == SiNo::Si);
    // In canonical form: this schema allows no small letters, the DSU's does.
    let code = |code: &CodiceFiscale| CodiceFiscale::new(code.canonical());
    let componente = members
        .map(|m| Componente {
            codice_fiscale: code(&m.codice_fiscale),
            cognome: m.cognome,
            nome: m.nome,
        })
        .collect();
    Ok(Delivered::Dati(DatiIndicatore {
        tipo_indicatore,
        sotto_soglia: yes(sotto),
        protocollo_dsu: sintesi.numero_protocollo_dsu,
        data_presentazione: sintesi.data_presentazione,
        presenza_difformita: yes(sintesi.difformita),
        componente,
    }))
}

/// An attestation under the schema of 2021.
fn senza_isee_famiglia(testo: &str) -> Result<String, Rifiuto> {
    let (attestazione, _) =
        contract::attestazione_letta(testo).map_err(|_| without("an attestation that cannot be read"))?;
    Ok(contract::attestazione_emessa(&attestazione.senza_isee_famiglia()))
}

/// VerificaEsistenzaProtocollo: whether the declarant has a DSU of this protocol, and no more.
pub async fn protocollo(
    services: &Services,
    admission: Admission,
    request: &pdd::RichiestaProtocollo,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let operation = admission.operation();
    let dichiarante = &request.codice_fiscale_dichiarante;
    let protocollo = request.protocollo_dsu.trim();
    let note = Note {
        cf: vec![dichiarante.canonical()],
        protocol: vec![protocollo.to_owned()],
        ..Note::default()
    };
    let permit = admission.without_purpose();
    let riserva = services.reserve(&permit, Some(dichiarante), 1, occasion)?;
    let step = services
        .consultation
        .esiste(dichiarante, protocollo, occasion)
        .await;
    let failed = matches!(&step, Ok(Step::Done(Said { answer: false, .. })));
    let mut mancati = Mancati::new();
    services.settle(riserva, failed.into(), &mut mancati, occasion);
    let mut ended = match heard(step)? {
        Heard::Said(Said {
            answer: true,
            preconditions,
            ..
        }) => {
            let exists = pdd::EsitoEsistenzaProtocollo {
                protocollo_dsu: protocollo.to_owned(),
                codice_fiscale_dichiarante: dichiarante.clone(),
            };
            let xml = message("EsitoEsistenzaProtocollo", operation.namespace(), &exists, true);
            Conclusa {
                refusal: None,
                found: Some(Delivered::Xml(xml)),
                note,
                preconditions,
            }
        }
        Heard::Said(Said {
            answer: false,
            preconditions,
            ..
        }) => not_found(note, preconditions),
        Heard::Failed(text) => broken(&text, note),
    };
    ended.note.failed(&mancati);
    Ok(Prepared {
        mancati,
        ..finish(services, operation, ended).await?
    })
}

fn note_of(chiave: &Chiave) -> Note {
    let mut note = Note {
        cf: vec![chiave.codice_fiscale().canonical()],
        application: chiave.domanda().map(str::to_owned),
        ..Note::default()
    };
    match chiave {
        Chiave::Cf(_) => {}
        Chiave::ProtDsu(search) => note.protocol.push(search.protocollo_dsu.clone()),
        Chiave::ProtMittente(search) => note.protocol.push(search.protocollo_mittente.clone()),
    }
    note
}

/// The beginning of every search. It checks the request itself, then takes the permit and notes its purpose.
/// An error is the end of the search.
fn admitted(
    permit: Result<Permit, NotPermitted>,
    chiave: &Chiave,
    mut note: Note,
) -> Result<(Permit, Note), Box<Conclusa>> {
    if let Err((code, text)) = echoes(chiave) {
        return Err(Box::new(Conclusa {
            note,
            ..invalid(code, text)
        }));
    }
    let permit = match permit {
        Ok(permit) => permit,
        Err(why) => return Err(Box::new(not_permitted(why, note, Vec::new()))),
    };
    match permit.purpose() {
        Purpose::Prestazione(prestazione, implied) => {
            note.facts.insert(PRESTAZIONE, prestazione.as_str().into());
            if *implied {
                note.facts.insert(PRESTAZIONE_IMPLICITA, true.into());
            }
        }
        Purpose::Own => {
            note.facts.insert(PROPRIA, true.into());
        }
        Purpose::None => {}
    }
    Ok((permit, note))
}

/// The end of every search: makes a delivery of the SII's answer.
fn deliver<T: Disclosing>(
    permit: &Permit,
    step: Result<Step<Option<Box<T>>>, SiiError>,
    delivers: Delivers,
    mut note: Note,
    render: impl FnOnce(T) -> Result<Delivered, Rifiuto>,
) -> Result<Conclusa, NotPrepared> {
    let Said {
        answer,
        preconditions,
        ..
    } = match heard(step)? {
        Heard::Said(said) => said,
        Heard::Failed(text) => return Ok(broken(&text, note)),
    };
    let Some(found) = answer else {
        if *permit.purpose() == Purpose::Own {
            // The existence of somebody else's DSU is not told: the question takes a benefit.
            return Ok(not_permitted(NotPermitted::NoBenefit, note, preconditions));
        }
        return Ok(not_found(note, preconditions));
    };
    // The last look before anything is rendered: a wrong entry in the right place would give another family
    // away.
    if note
        .cf
        .first()
        .is_none_or(|asked| !found.persone().contains(asked))
    {
        tracing::error!("what was found is not about the person who was asked for: nothing is told");
        return Err(NotPrepared::Unavailable("found somebody else".to_owned()));
    }
    let protocols = found.protocols();
    let mut disclosed: Vec<String> = protocols.iter().map(|protocol| stem_of(protocol)).collect();
    disclosed.dedup();
    for protocol in protocols {
        if !note.protocol.contains(&protocol) {
            note.protocol.push(protocol);
        }
    }
    // The persons read: where all of it goes out, the whole nucleus and the outsiders counted in it. The
    // person searched stays first.
    if delivers == Delivers::Nucleus {
        for code in found.persone() {
            if !note.cf.contains(code) {
                note.cf.push(code.clone());
            }
        }
    }
    let (refusal, found) = match render(*found) {
        Ok(found) => {
            note.disclosed = disclosed;
            (None, Some(found))
        }
        Err(refusal) => (Some(refusal), None),
    };
    Ok(Conclusa {
        refusal,
        found,
        note,
        preconditions,
    })
}

/// The end for an ente without this benefit or this indicator.
fn not_permitted(why: NotPermitted, note: Note, preconditions: Vec<crate::ledger::Precondition>) -> Conclusa {
    let (motivo, text) = match why {
        NotPermitted::Benefit => (
            Motivo::P01Prestazione,
            "prestazione non abilitata per questo ente",
        ),
        NotPermitted::NoBenefit => (
            Motivo::P02Prestazione,
            "indicare la prestazione da erogare (PrestazioneDaErogare)",
        ),
        NotPermitted::Indicator => (
            Motivo::P03Indicatore,
            "indicatore non abilitato per questa prestazione",
        ),
    };
    Conclusa {
        note,
        preconditions,
        ..invalid(motivo, text)
    }
}

/// No attestation, or no protocol.
fn not_found(note: Note, preconditions: Vec<crate::ledger::Precondition>) -> Conclusa {
    let text = "nessuna attestazione valida per i criteri di ricerca".to_owned();
    Conclusa {
        refusal: Some((Motivo::D01Assente, text)),
        found: None,
        note,
        preconditions,
    }
}

/// A mistake of the SII.
fn broken(text: &str, note: Note) -> Conclusa {
    tracing::error!(text, "consultation failed");
    Conclusa {
        refusal: Some(internal()),
        found: None,
        note,
        preconditions: Vec::new(),
    }
}

fn internal() -> Rifiuto {
    (Motivo::E01Interno, "errore interno: riprovare".to_owned())
}

/// Our own mistake in the data found. The text holds no value.
fn without(text: &str) -> Rifiuto {
    tracing::error!(text, "consultation failed");
    internal()
}

/// A person's indicator. The refusal of a missing one lists those of the person.
fn indicator_of<'a>(
    sintesi: &'a Sintesi,
    tipo: TipoIndicatore,
    persona: &CodiceFiscale,
) -> Result<(&'a Valori, TipoIndicatoreSoglia), Rifiuto> {
    sintesi.indicatore(tipo, persona).map_err(|assente| {
        let why = match assente {
            payload::Assente::Nessuno => "nella DSU valida questa persona non ha l'indicatore",
            payload::Assente::NonCalcolabile => "per dati mancanti non è calcolabile l'indicatore",
        };
        let ones: Vec<_> = sintesi
            .indicatori(persona)
            .into_iter()
            .map(TipoIndicatore::code)
            .collect();
        (
            Motivo::D04Indicatore,
            format!("{why} {}; ha: {}", tipo.code(), ones.join(", ")),
        )
    })
}

/// The payload of ConsultazioneIndicatore.
fn one_indicator(sintesi: Sintesi, tipo: TipoIndicatore, ricerca: &RicercaCf) -> Result<String, Rifiuto> {
    let valori = indicator_of(&sintesi, tipo, &ricerca.codice_fiscale)?.0.clone();
    Ok(contract::indicatore(&payload::Indicatore {
        tipo_indicatore: tipo,
        ise: valori.ise,
        scala_equivalenza: valori.scala_equivalenza,
        isee: valori.isee,
        isr: valori.isr,
        isp: valori.isp,
        protocollo_dsu: sintesi.numero_protocollo_dsu,
        data_presentazione: sintesi.data_presentazione,
        ricerca_cf: ricerca.echo(),
    }))
}

fn requested_day(chiave: &Chiave) -> Option<Date> {
    match chiave {
        Chiave::Cf(search) => search.data_validita,
        Chiave::ProtDsu(_) | Chiave::ProtMittente(_) => None,
    }
}

/// Refuses values not valid in the payload's echo: in requests these are plain strings.
fn echoes(chiave: &Chiave) -> Result<(), (Motivo, &'static str)> {
    if chiave.domanda().is_some_and(|text| text.chars().count() > 256) {
        return Err((
            Motivo::R02Domanda,
            "ProtocolloDomandaEnteErogatore più lungo di 256 caratteri",
        ));
    }
    match chiave {
        Chiave::Cf(_) => Ok(()),
        Chiave::ProtDsu(search) if is_protocol(&search.protocollo_dsu) => Ok(()),
        Chiave::ProtDsu(_) => Err(PROTOCOL),
        Chiave::ProtMittente(search) if search.protocollo_mittente.chars().count() <= 29 => Ok(()),
        Chiave::ProtMittente(_) => Err((
            Motivo::R02Mittente,
            "ProtocolloMittente più lungo di 29 caratteri",
        )),
    }
}

const PROTOCOL: (Motivo, &str) = (
    Motivo::R02Protocollo,
    "ProtocolloDSU non valido: atteso INPS-ISEE-aaaa-nnnnnnnnL-nn",
);

/// The form of protocols: `INPS-ISEE-[0-9]{4}-[0-9]{8}[A-Z]-[0-9]{2}`.
fn is_protocol(text: &str) -> bool {
    let form = b"INPS-ISEE-9999-99999999A-99";
    text.len() == form.len()
        && text
            .bytes()
            .zip(form)
            .enumerate()
            .all(|(index, (byte, form))| match form {
                b'9' => byte.is_ascii_digit(),
                b'A' if index == 23 => byte.is_ascii_uppercase(),
                literal => byte == *literal,
            })
}

fn invalid(code: Motivo, text: impl Into<String>) -> Conclusa {
    let refusal = Some((code, text.into()));
    Conclusa {
        refusal,
        found: None,
        note: Note::default(),
        preconditions: Vec::new(),
    }
}

fn absent() -> Conclusa {
    invalid(Motivo::R01Richiesta, "richiesta vuota: manca l'elemento request")
}

/// Numbers the reply and renders it.
async fn finish(services: &Services, operation: Operation, ended: Conclusa) -> Result<Prepared, NotPrepared> {
    let Conclusa {
        refusal,
        found,
        mut note,
        preconditions,
    } = ended;
    let esito = refusal.as_ref().map_or(Esito::Ok, |(motivo, _)| motivo.esito());
    // 0: the request was not registered, and clients try again.
    let id_richiesta = if esito == Esito::ErroreInterno {
        0
    } else {
        id_richiesta(services).await?
    };
    note.facts.insert(ID_RICHIESTA, id_richiesta.into());
    note.outcome = esito.code();
    note.refusal = refusal.as_ref().map(|(motivo, _)| motivo.to_string());
    let descrizione_errore = refusal.map(|(_, text)| text);
    let (xml, dati) = match found {
        Some(Delivered::Xml(xml)) => (Some(Base64(xml.into_bytes())), None),
        Some(Delivered::Dati(dati)) => (None, Some(dati)),
        None => (None, None),
    };
    let answer = operation.answer(Answered {
        id_richiesta,
        esito,
        descrizione_errore,
        xml,
        dati,
    });
    let reply =
        answer.ok_or_else(|| NotPrepared::Unavailable(format!("{} is no consultation", operation.name())))?;
    Ok(Prepared {
        reply,
        note,
        drafts: Vec::new(),
        preconditions,
        ..Prepared::default()
    })
}

#[cfg(test)]
mod tests {
    use super::is_protocol;

    #[test]
    fn protocols_have_their_form() {
        assert!(is_protocol("INPS-ISEE-2026-00000001B-00"));
        for text in [
            "INPS-ISEE-2026-00000001b-00",
            "INPS-ISEE-2026-0000000AB-00",
            "INPS-ISEE-2026-00000001B-0",
            "",
            "INPS-ISEX-2026-00000001B-00",
        ] {
            assert!(!is_protocol(text), "{text}");
        }
    }
}
