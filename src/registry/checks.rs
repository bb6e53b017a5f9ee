//! The checks on an ente, its request, certificates, grants and offices before registration. Faults are in
//! Italian.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::abilitazione::{Abilitazione, DETAIL, OF_ONE_INDICATOR, same_office};
use super::ente::{Anagrafica, Certificato, Ente, Parte, Richiesta, Segno, Ufficio};
use super::wrong::{Wrong, invalid};
use crate::contract::catalogue::Operation;
use crate::isee::CodiceFiscale;
use crate::isee::codes::TipoIndicatore;
use crate::isee::codice_fiscale::{DifettoCodice, Natura};

/// Refuses control characters, and `=` or `@` at the start: a spreadsheet would take such a text for a
/// formula.
fn check_text(text: &str) -> Result<(), Wrong> {
    if text.chars().any(char::is_control) {
        return invalid("un testo contiene caratteri di controllo");
    }
    if text.starts_with(['=', '@']) {
        invalid(format!("un testo non comincia con {}", &text[..1]))
    } else {
        Ok(())
    }
}

/// Checks an ente's name, codes, contacts and parties. Returns them without spaces around name and codice
/// fiscale.
pub(super) fn checked(anagrafica: &Anagrafica) -> Result<Anagrafica, Wrong> {
    let Anagrafica {
        denominazione,
        codice_fiscale,
        tipo,
        codice_ipa,
        codici_inps,
        contatti,
        parti,
    } = anagrafica;
    if denominazione.trim().is_empty() || denominazione.chars().count() > 200 {
        return invalid("denominazione mancante, o più lunga di 200 caratteri");
    }
    match CodiceFiscale::new(codice_fiscale).kind() {
        Ok(Natura::Numerico) => {}
        Ok(_) | Err(DifettoCodice::Forma) => {
            return invalid("codice fiscale dell'ente non valido: servono undici cifre");
        }
        Err(what) => return invalid(format!("codice fiscale dell'ente non valido: {what}")),
    }
    check_codes(codice_ipa.as_ref(), codici_inps)?;
    check_contacts(contatti, parti)?;
    let parts = parti.iter().flat_map(|party| [&party.tipo, &party.nome]);
    for text in std::iter::once(denominazione)
        .chain(codici_inps)
        .chain(contatti)
        .chain(parts)
    {
        check_text(text)?;
    }
    if contatti
        .iter()
        .chain(parti.iter().map(|party| &party.nome))
        .any(|text| text.contains('|'))
    {
        return invalid("contatti e parti SPCoop: senza |, che nelle tabelle separa l'uno dall'altro");
    }
    Ok(Anagrafica {
        denominazione: denominazione.trim().to_owned(),
        codice_fiscale: codice_fiscale.trim().to_owned(),
        tipo: *tipo,
        codice_ipa: codice_ipa.clone(),
        codici_inps: codici_inps.clone(),
        contatti: contatti.clone(),
        parti: parti.clone(),
    })
}

/// Checks the codes of the IPA and of INPS.
fn check_codes(codice_ipa: Option<&String>, codici_inps: &[String]) -> Result<(), Wrong> {
    let ipa = |code: &String| {
        !code.is_empty()
            && code.len() <= 40
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    if codice_ipa.is_some_and(|code| !ipa(code)) {
        return invalid("codice IPA non valido: da 1 a 40 lettere, cifre, _ - .");
    }
    let inps = |code: &String| {
        (1..=40).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic() && b != b'|')
    };
    if codici_inps.len() > 20 || !codici_inps.iter().all(inps) {
        return invalid("codici INPS: al più 20, ciascuno da 1 a 40 caratteri senza spazi né |");
    }
    if let Some(twice) = codici_inps
        .iter()
        .enumerate()
        .find(|(place, code)| codici_inps[..*place].contains(code))
    {
        return invalid(format!("il codice INPS {} compare due volte", twice.1));
    }
    Ok(())
}

/// Checks the number and the length of contacts and parties.
fn check_contacts(contatti: &[String], parti: &[Parte]) -> Result<(), Wrong> {
    if contatti.len() > 10
        || contatti
            .iter()
            .any(|contact| contact.trim().is_empty() || contact.len() > 120)
    {
        return invalid("contatti: al più 10, ciascuno da 1 a 120 caratteri");
    }
    if parti.len() > 10
        || parti.iter().any(|party| {
            party.tipo.is_empty() || party.nome.is_empty() || party.tipo.len() + party.nome.len() > 200
        })
    {
        return invalid("parti SPCoop: al più 10, ciascuna tipo:nome");
    }
    Ok(())
}

/// Checks a certificate before it is added to an ente.
pub(super) fn check_certificate(ente: &Ente, certificato: &Certificato) -> Result<(), Wrong> {
    let digest = |text: &str| {
        text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match &certificato.segno {
        Segno::Impronta { sha256 } if !digest(sha256) => {
            return invalid("impronta del certificato non valida: attesi 64 caratteri esadecimali minuscoli");
        }
        Segno::Emittente { emittente, .. } if !digest(emittente) => {
            return invalid(
                "impronta della chiave dell'emittente non valida: attesi 64 caratteri esadecimali minuscoli",
            );
        }
        Segno::Emittente { organizzazione, .. }
            if *organizzazione != organization_of(&ente.anagrafica.codice_fiscale) =>
        {
            return invalid("organizationIdentifier deve essere CF:IT- seguito dal codice fiscale dell'ente");
        }
        Segno::Emittente {
            unita: Some(unit), ..
        } if !is_ipa_unit(unit) => {
            return invalid("unità non valida: IPAIT-UO_ o IPAIT-AOO_ seguito dal codice IPA");
        }
        Segno::Impronta { .. } | Segno::Emittente { .. } => {}
    }
    if certificato.periodo.is_empty() {
        return invalid("il periodo del certificato finisce prima di cominciare");
    }
    // A certificate registered by its digest may be registered again from its file. The file adds its subject
    // and its last second.
    if ente.certificati.iter().any(|known| {
        known.segno == certificato.segno && (known.soggetto.is_some() || certificato.soggetto.is_none())
    }) {
        return invalid("l'ente ha già questo certificato");
    }
    Ok(())
}

/// A sign with the ente's own organization filled in, if it names none.
pub(super) fn of_ente(segno: &Segno, ente: &Ente) -> Segno {
    match segno {
        Segno::Emittente {
            emittente,
            organizzazione,
            unita,
        } if organizzazione.is_empty() => Segno::Emittente {
            emittente: emittente.clone(),
            organizzazione: organization_of(&ente.anagrafica.codice_fiscale),
            unita: unita.clone(),
        },
        other => other.clone(),
    }
}

/// organizationIdentifier of a body (ETSI EN 319 412-1, 5.1.4, with the scheme of Italian bodies).
pub fn organization_of(codice_fiscale: &str) -> String {
    format!("CF:IT-{codice_fiscale}")
}

/// Whether an OU names an organisational unit or an AOO of the IPA.
pub fn is_ipa_unit(unit: &str) -> bool {
    let code = unit
        .strip_prefix("IPAIT-UO_")
        .or_else(|| unit.strip_prefix("IPAIT-AOO_"));
    code.is_some_and(|code| {
        !code.is_empty()
            && code.len() <= 60
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    })
}

/// Checks a request: reference of the PEC, legal basis, purpose, operations, benefits.
pub(super) fn check_request(richiesta: &Richiesta) -> Result<(), Wrong> {
    for (text, what) in [
        (&richiesta.pec, "il riferimento della PEC"),
        (&richiesta.base_giuridica, "la base giuridica"),
        (&richiesta.finalita, "la finalità"),
    ] {
        if text.trim().is_empty() || text.len() > 500 {
            return invalid(format!("{what} della richiesta manca, o supera 500 caratteri"));
        }
        check_text(text)?;
    }
    check_known(&richiesta.operazioni, &richiesta.prestazioni)
}

fn check_known(operazioni: &[String], prestazioni: &[String]) -> Result<(), Wrong> {
    for list in [operazioni, prestazioni] {
        let mut seen = BTreeSet::new();
        if let Some(twice) = list.iter().find(|name| !seen.insert(*name)) {
            return invalid(format!("{twice} compare due volte"));
        }
    }
    if let Some(unknown) = operazioni.iter().find(|name| Operation::by_name(name).is_none()) {
        return invalid(format!("operazione sconosciuta: {unknown}"));
    }
    let known = crate::contract::catalogue::benefits();
    if let Some(unknown) = prestazioni.iter().find(|code| !known.contains(&code.as_str())) {
        return invalid(format!("prestazione sconosciuta: {unknown}"));
    }
    Ok(())
}

/// Checks a grant before it is added to an ente. With `replaces` the earlier grants end.
pub(super) fn check_grant(
    ente: &Ente,
    grant: &Abilitazione,
    replaces: bool,
    today: Date,
) -> Result<(), Wrong> {
    if grant.operazioni.is_empty() {
        return invalid("indicare almeno un'operazione");
    }
    check_known(&grant.operazioni, &grant.prestazioni)?;
    if !grant.controlli && grant.operazioni.iter().any(|operation| operation == DETAIL) {
        return invalid(
            "il dettaglio della DSU è solo per i controlli: ConsultazioneDichiarazione richiede --controlli",
        );
    }
    if let Some(unknown) = grant
        .indicatori
        .iter()
        .find(|code| TipoIndicatore::from_code(code).is_none())
    {
        return invalid(format!("indicatore sconosciuto: {unknown}"));
    }
    if !grant.indicatori.is_empty()
        && grant
            .operazioni
            .iter()
            .any(|operation| !OF_ONE_INDICATOR.contains(&operation.as_str()))
    {
        return invalid(format!(
            "gli indicatori si scelgono solo per {}: le altre operazioni non ne danno uno",
            OF_ONE_INDICATOR.join(" e ")
        ));
    }
    if let Some(unknown) = grant
        .uffici
        .iter()
        .find(|code| !ente.uffici.iter().any(|known| same_office(&known.codice, code)))
    {
        return invalid(format!("l'ente non ha l'ufficio {unknown}"));
    }
    if grant.periodo.is_empty() {
        return invalid("il periodo dell'abilitazione finisce prima di cominciare");
    }
    check_covers(ente, grant, replaces, today)
}

/// Refuses a grant without any effect: no operator means one.
fn check_covers(ente: &Ente, grant: &Abilitazione, replaces: bool, today: Date) -> Result<(), Wrong> {
    if let Some(last) = grant.periodo.al.filter(|last| *last < today) {
        return invalid(format!(
            "l'abilitazione sarebbe già finita il {last}: non coprirebbe nulla"
        ));
    }
    // An ente that transmits DSU reads its own without a benefit. A threshold always has a benefit.
    let of = |name: &String, holds: fn(Operation) -> bool| Operation::by_name(name).is_some_and(holds);
    let transmits = |grant: &Abilitazione| grant.operazioni.iter().any(|name| of(name, Operation::transmits));
    let own = transmits(grant) || (!replaces && ente.abilitazioni.iter().any(transmits));
    let threshold = Operation::ConsultazioneSogliaIndicatore.name();
    let mut idle = grant
        .operazioni
        .iter()
        .filter(|name| of(name, Operation::discloses) && (!own || *name == threshold));
    if grant.prestazioni.is_empty()
        && let Some(idle) = idle.next()
    {
        return invalid(format!(
            "{idle} senza prestazioni non coprirebbe nulla: indicarne almeno una (--prestazioni)"
        ));
    }
    let overlaps = |code: &String| {
        let mut offices = ente
            .uffici
            .iter()
            .filter(|known| same_office(&known.codice, code));
        offices.any(|office| {
            office.periodo.meets(&grant.periodo) && office.periodo.al.is_none_or(|last| today <= last)
        })
    };
    if !grant.uffici.is_empty() && !grant.uffici.iter().any(overlaps) {
        return invalid(
            "nessuno degli uffici indicati è aperto nel periodo dell'abilitazione: non coprirebbe nulla",
        );
    }
    Ok(())
}

/// Checks an office of an ente: a new one, or a change to the office with this very code.
pub(super) fn check_office(ente: &Ente, ufficio: &Ufficio) -> Result<(), Wrong> {
    let code = ufficio.codice.trim();
    if code.is_empty() || code != ufficio.codice || code.len() > 50 || code.chars().any(char::is_control) {
        return invalid("codice dell'ufficio non valido: da 1 a 50 caratteri");
    }
    let known = |equal: &dyn Fn(&str) -> bool| ente.uffici.iter().find(|known| equal(&known.codice));
    if known(&|other| other == code).is_none()
        && let Some(other) = known(&|other| same_office(other, code))
    {
        return invalid(format!(
            "l'ente ha già l'ufficio {}, che è lo stesso: gli zeri iniziali non contano",
            other.codice
        ));
    }
    if ufficio
        .denominazione
        .as_ref()
        .is_some_and(|name| name.chars().count() > 100)
    {
        return invalid("denominazione dell'ufficio più lunga di 100 caratteri");
    }
    if ufficio.periodo.is_empty() {
        invalid("il periodo dell'ufficio finisce prima di cominciare")
    } else {
        Ok(())
    }
}
