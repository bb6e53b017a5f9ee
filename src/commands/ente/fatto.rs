//! What a command made of an ente, in a line.

use super::mostra;
use crate::registry::administration::Command;
use crate::registry::ente::{Ente, Stato};

/// What was done, with the ente as it is since. None: the line of the ente's state says it.
pub(super) fn fatto(command: &Command, ente: &Ente) -> Option<String> {
    Some(match command {
        Command::Richiedi { .. } => "richiesta registrata".to_owned(),
        Command::Aggiorna { .. } => "dati corretti".to_owned(),
        Command::Decidi { accolta: false, .. } => "richiesta respinta".to_owned(),
        Command::Decidi { .. } => accolta(ente),
        Command::Stato { nuovo, .. } => match nuovo {
            Stato::Accreditato => "riattivato".to_owned(),
            nuovo => nuovo.name().to_owned(),
        },
        Command::AggiungiCertificato { certificato, .. } => {
            format!("certificato aggiunto: {}", mostra::segno(certificato))
        }
        Command::TogliCertificato { .. } => "certificato tolto".to_owned(),
        Command::Abilita { sostituisci, .. } => {
            let added = ente.abilitazioni.last()?;
            let before = if *sostituisci {
                ", al posto delle precedenti"
            } else {
                ""
            };
            format!(
                "abilitazione {} aggiunta{before}: {}",
                added.numero,
                mostra::grant(added)
            )
        }
        Command::Ufficio { ufficio, .. } => format!("ufficio {} registrato", ufficio.codice),
        Command::TogliUfficio { ufficio, .. } => format!("ufficio {ufficio} tolto"),
        Command::UfficiObbligatori {
            obbligatori: true, ..
        } => "ogni richiesta deve indicare un ufficio".to_owned(),
        Command::UfficiObbligatori { .. } => "una richiesta può non indicare un ufficio".to_owned(),
        Command::Risposte {
            isee_famiglia: true, ..
        } => "le attestazioni hanno ISEEFamiglia".to_owned(),
        Command::Risposte { .. } => "le attestazioni sono senza ISEEFamiglia".to_owned(),
        Command::Quota { operatore, .. } => {
            let (of, quote) = match operatore {
                true => ("quote per operatore", &ente.quote_operatore),
                false => ("quote", &ente.quote),
            };
            match &*mostra::quote(quote) {
                "" => format!("{of}: nessuna"),
                limits => format!("{of}: {limits}"),
            }
        }
        // `varco ente` shows the grant taken back; the upgrade shows nothing.
        Command::Disabilita { .. } | Command::Converti { .. } => return None,
    })
}

/// An accreditation: its last day, and the grants of the ente.
fn accolta(ente: &Ente) -> String {
    let last = ente.decisione.as_ref().and_then(|decisione| decisione.scadenza);
    let term = last.map_or_else(|| "senza scadenza".to_owned(), |last| format!("fino al {last}"));
    let grants: Vec<_> = ente
        .abilitazioni
        .iter()
        .map(|grant| grant.numero.to_string())
        .collect();
    match &grants[..] {
        [] => format!(
            "accreditamento {term}; nessuna abilitazione: varco ente abilita {}",
            ente.codice
        ),
        numbers => format!("accreditamento {term}; abilitazioni: {}", numbers.join(", ")),
    }
}
