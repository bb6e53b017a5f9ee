//! What each command makes of an ente. Each function refuses what makes no sense, or changes the ente and
//! gives the operation's name for the entry.

use jiff::civil::Date;

use super::abilitazione::{Abilitazione, DETAIL, same_office};
use super::checks::{check_certificate, check_grant, check_office, check_request, checked, of_ente};
use super::ente::{Anagrafica, Certificato, Decisione, Ente, Modo, Richiesta, Segno, Stato, Ufficio};
use super::quota::Quote;
use super::wrong::{Wrong, invalid};

/// Name of an operation in the ledger.
type NomeOperazione = &'static str;

/// An ente that asks for accreditation, for the first time or again.
pub(super) fn requested(
    codice: &str,
    anagrafica: &Anagrafica,
    richiesta: &Richiesta,
    existing: Option<Ente>,
) -> Result<Ente, Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if codice.len() < 2 || codice.len() > 48 || !codice.chars().all(allowed) || RESERVED.contains(&codice) {
        return invalid("codice dell'ente non valido: da 2 a 48 lettere, cifre, _ - .");
    }
    let anagrafica = checked(anagrafica)?;
    check_request(richiesta)?;
    match existing {
        None => Ok(Ente {
            codice: codice.to_owned(),
            anagrafica,
            stato: Stato::Richiesta,
            richiesta: richiesta.clone(),
            decisione: None,
            certificati: Vec::new(),
            abilitazioni: Vec::new(),
            ultima_abilitazione: 0,
            prestazione_predefinita: None,
            uffici: Vec::new(),
            uffici_obbligatori: false,
            senza_isee_famiglia: false,
            quote: Quote::default(),
            quote_operatore: Quote::default(),
        }),
        // A refused or revoked ente asks again. It loses its grants, certificates and decision; offices and
        // quotas stay.
        Some(mut ente) if ente.stato.next().contains(&Stato::Richiesta) => {
            ente.take_back_all();
            Ok(Ente {
                anagrafica,
                stato: Stato::Richiesta,
                richiesta: richiesta.clone(),
                decisione: None,
                certificati: Vec::new(),
                ..ente
            })
        }
        Some(_) => invalid(format!("l'ente {codice} esiste già")),
    }
}

/// Words of the commands, not allowed as codes of enti.
const RESERVED: [&str; 1] = ["prova"];

/// Corrects an ente's data, unless others corrected them after `letta` was read.
pub(super) fn correct(
    ente: &mut Ente,
    anagrafica: &Anagrafica,
    letta: &Anagrafica,
) -> Result<NomeOperazione, Wrong> {
    if *letta != ente.anagrafica {
        return invalid(
            "i dati dell'ente sono stati cambiati da altri nel frattempo: rivederli e ripetere il comando",
        );
    }
    let anagrafica = checked(anagrafica)?;
    let by_issuer = ente
        .certificati
        .iter()
        .any(|certificate| matches!(certificate.segno, Segno::Emittente { .. }));
    if by_issuer && anagrafica.codice_fiscale != ente.anagrafica.codice_fiscale {
        return invalid(
            "l'ente ha certificati per emittente, che valgono per il codice fiscale di prima: toglierli prima",
        );
    }
    ente.anagrafica = anagrafica;
    Ok("ente aggiorna")
}

/// Accepts or refuses an ente's request; renews an accredited ente. `come_richiesto` also grants what the
/// request asks for.
pub(super) fn decide(
    ente: &mut Ente,
    accolta: bool,
    decisione: &Decisione,
    come_richiesto: bool,
    today: Date,
) -> Result<NomeOperazione, Wrong> {
    let from = ente.stato;
    let to = match accolta {
        true => Stato::Accreditato,
        false => Stato::Rifiutato,
    };
    // A suspended ente is reactivated, not accredited.
    if !from.next().contains(&to) || from == Stato::Sospeso {
        return no_such_step(from, to);
    }
    if decisione.direzione.as_ref().is_some_and(|text| text.len() > 200) {
        return invalid("direzione regionale più lunga di 200 caratteri");
    }
    if decisione.scadenza.is_some_and(|last| last < today) {
        return invalid("la scadenza è già passata");
    }
    let renewal = from == Stato::Accreditato;
    let earlier = ente.decisione.take();
    let last = earlier.as_ref().and_then(|earlier| earlier.scadenza);
    if renewal && (decisione.scadenza.is_none() || decisione.scadenza == last) {
        return invalid("l'ente è già accreditato: un rinnovo indica una nuova scadenza (--scadenza)");
    }
    let mut decided = Decisione {
        data: today,
        ..decisione.clone()
    };
    if accolta && decided.modi.is_empty() {
        let earlier = earlier.as_ref().map(|earlier| earlier.modi.clone());
        decided.modi = earlier.unwrap_or_else(|| vec![Modo::CooperazioneApplicativa]);
    }
    if renewal && decided.direzione.is_none() {
        decided.direzione = earlier.and_then(|earlier| earlier.direzione);
    }
    ente.decisione = Some(decided);
    ente.stato = to;
    if come_richiesto && accolta {
        grant_as_requested(ente, today)?;
    }
    Ok(match (accolta, renewal) {
        (true, false) => "ente accredita",
        (true, true) => "ente rinnova",
        (false, _) => "ente rifiuta",
    })
}

/// Grants the operations and benefits of the request, without a period of their own.
fn grant_as_requested(ente: &mut Ente, today: Date) -> Result<(), Wrong> {
    let asked = &ente.richiesta;
    if asked.operazioni.is_empty() {
        return invalid("la richiesta non dice quali operazioni: usare varco ente abilita");
    }
    // The detail of a DSU needs a grant of its own, for checks.
    let operazioni = asked.operazioni.iter().filter(|operation| *operation != DETAIL);
    let granted = Abilitazione {
        operazioni: operazioni.cloned().collect(),
        prestazioni: asked.prestazioni.clone(),
        ..Abilitazione::default()
    };
    if granted.operazioni.is_empty() {
        return invalid(format!(
            "la richiesta chiede solo {DETAIL}, che è per i controlli: usare varco ente abilita con --controlli"
        ));
    }
    check_grant(ente, &granted, false, today)?;
    ente.grant(granted);
    Ok(())
}

/// Suspends, reactivates or revokes an ente.
pub(super) fn change_state(ente: &mut Ente, to: Stato) -> Result<NomeOperazione, Wrong> {
    let from = ente.stato;
    let operation = match (from, to) {
        (Stato::Sospeso, Stato::Accreditato) => "ente riattiva",
        (Stato::Accreditato, Stato::Sospeso) => "ente sospendi",
        (Stato::Accreditato | Stato::Sospeso, Stato::Revocato) => "ente revoca",
        _ => {
            return no_such_step(from, to);
        }
    };
    ente.stato = to;
    Ok(operation)
}

fn no_such_step<T>(from: Stato, to: Stato) -> Result<T, Wrong> {
    let (from, to) = (from.name(), to.name());
    invalid(format!("un ente nello stato {from} non può passare a {to}"))
}

/// Adds a certificate, or replaces the one with the same sign.
pub(super) fn add_certificate(ente: &mut Ente, certificato: &Certificato) -> Result<NomeOperazione, Wrong> {
    let certificato = Certificato {
        segno: of_ente(&certificato.segno, ente),
        ..certificato.clone()
    };
    check_certificate(ente, &certificato)?;
    ente.certificati.retain(|known| known.segno != certificato.segno);
    ente.certificati.push(certificato);
    Ok("ente certificato")
}

/// Removes a certificate.
pub(super) fn remove_certificate(ente: &mut Ente, segno: &Segno) -> Result<NomeOperazione, Wrong> {
    let (before, segno) = (ente.certificati.len(), of_ente(segno, ente));
    ente.certificati.retain(|certificate| certificate.segno != segno);
    if ente.certificati.len() == before {
        return invalid("l'ente non ha questo certificato");
    }
    Ok("ente certificato-togli")
}

/// Adds a grant, in place of all others if `sostituisci`; also sets the benefit implied where none is named.
pub(super) fn grant(
    ente: &mut Ente,
    abilitazione: &Abilitazione,
    predefinita: Option<&String>,
    sostituisci: bool,
    today: Date,
) -> Result<NomeOperazione, Wrong> {
    check_grant(ente, abilitazione, sostituisci, today)?;
    if sostituisci {
        ente.take_back_all();
    }
    ente.grant(abilitazione.clone());
    if predefinita.is_some() {
        ente.prestazione_predefinita = predefinita.cloned();
    }
    let implied = ente.prestazione_predefinita.as_ref();
    if implied.is_some_and(|code| !ente.is_granted(code)) {
        return invalid("la prestazione predefinita deve essere tra quelle abilitate");
    }
    Ok("ente abilita")
}

/// Takes a grant back.
pub(super) fn take_back(ente: &mut Ente, numero: u32) -> Result<NomeOperazione, Wrong> {
    if !ente.take_back(numero) {
        return invalid(format!("l'ente non ha un'abilitazione numero {numero}"));
    }
    Ok("ente disabilita")
}

/// Adds an office, or replaces the one with the same code.
pub(super) fn add_office(ente: &mut Ente, ufficio: &Ufficio) -> Result<NomeOperazione, Wrong> {
    check_office(ente, ufficio)?;
    ente.uffici.retain(|known| known.codice != ufficio.codice);
    ente.uffici.push(ufficio.clone());
    Ok("ente ufficio")
}

/// Removes the office with the code as written, else the same but for leading zeros.
pub(super) fn remove_office(ente: &mut Ente, ufficio: &str) -> Result<NomeOperazione, Wrong> {
    let same = |known: &Ufficio| same_office(&known.codice, ufficio);
    let exact = ente.uffici.iter().position(|known| known.codice == *ufficio);
    let Some(index) = exact.or_else(|| ente.uffici.iter().position(same)) else {
        return invalid("l'ente non ha questo ufficio");
    };
    ente.uffici.remove(index);
    if ente.uffici_obbligatori && ente.uffici.is_empty() {
        return invalid("è l'ultimo ufficio, e uno è obbligatorio: nessuna richiesta passerebbe");
    }
    let mut named = ente.abilitazioni.iter().flat_map(|grant| &grant.uffici);
    if !ente.uffici.iter().any(same) && named.any(|named| same_office(named, ufficio)) {
        return invalid("un'abilitazione nomina questo ufficio: toglierla prima");
    }
    Ok("ente ufficio-togli")
}

/// Says whether requests must name a registered office.
pub(super) fn require_offices(ente: &mut Ente, obbligatori: bool) -> Result<NomeOperazione, Wrong> {
    if obbligatori && ente.uffici.is_empty() {
        return invalid("nessun ufficio registrato: nessuna richiesta passerebbe");
    }
    ente.uffici_obbligatori = obbligatori;
    Ok("ente uffici-obbligatori")
}

/// Sets the quotas of the ente, or of each of its operators.
pub(super) fn set_quotas(ente: &mut Ente, quote: Quote, operatore: bool) -> Result<NomeOperazione, Wrong> {
    let numbers = [
        quote.al_minuto.map(u64::from),
        quote.al_giorno,
        quote.persone_al_giorno,
    ];
    if numbers.contains(&Some(0)) {
        return invalid("una quota è almeno 1: per fermare un ente c'è varco ente sospendi");
    }
    if quote.al_minuto.is_some_and(|limit| limit > Quote::MOST_A_MINUTE) {
        return invalid(format!("una quota al minuto è al più {}", Quote::MOST_A_MINUTE));
    }
    if operatore {
        ente.quote_operatore = quote;
    } else {
        ente.quote = quote;
    }
    Ok("ente quota")
}
