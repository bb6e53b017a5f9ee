//! Takes an ente from nothing to accredited, for the demonstration and the tests.

use crate::registry::abilitazione::{Abilitazione, DETAIL};
use crate::registry::administration::Command;
use crate::registry::ente::{Anagrafica, Certificato, Decisione, Richiesta, Segno, Tipo};

/// The commands, for execution one after another. A grant with the detail of a DSU is a grant for checks.
pub fn commands(
    (codice, denominazione, codice_fiscale): (&str, &str, &str),
    tipo: Tipo,
    sha256: &str,
    operazioni: &str,
    prestazioni: &[&str],
) -> Vec<Command> {
    let grant = granted(codice, operazioni, prestazioni);
    let codice = codice.to_owned();
    vec![
        Command::Richiedi {
            codice: codice.clone(),
            anagrafica: Anagrafica {
                denominazione: denominazione.to_owned(),
                codice_fiscale: codice_fiscale.to_owned(),
                tipo,
                codice_ipa: None,
                codici_inps: Vec::new(),
                contatti: Vec::new(),
                parti: Vec::new(),
            },
            richiesta: Richiesta {
                pec: "PEC di prova".to_owned(),
                base_giuridica: "DPCM 159/2013".to_owned(),
                finalita: "prestazioni sociali agevolate".to_owned(),
                operazioni: Vec::new(),
                prestazioni: Vec::new(),
            },
        },
        Command::Decidi {
            codice: codice.clone(),
            accolta: true,
            decisione: Decisione::default(),
            come_richiesto: false,
        },
        Command::AggiungiCertificato {
            codice,
            certificato: pinned(sha256),
        },
        grant,
    ]
}

/// The grant of operations (separated by commas) and benefits; it replaces the earlier grants.
pub fn granted(codice: &str, operazioni: &str, prestazioni: &[&str]) -> Command {
    let operazioni: Vec<String> = operazioni.split(',').map(str::to_owned).collect();
    let prestazioni: Vec<String> = prestazioni.iter().map(|&benefit| benefit.to_owned()).collect();
    let controlli = operazioni.iter().any(|operation| operation == DETAIL);
    let abilitazione = Abilitazione {
        operazioni,
        prestazioni,
        controlli,
        ..Abilitazione::default()
    };
    Command::Abilita {
        codice: codice.to_owned(),
        abilitazione,
        predefinita: None,
        sostituisci: true,
    }
}

/// A certificate by its pin, without first or last day.
pub fn pinned(sha256: &str) -> Certificato {
    Certificato::of(
        Segno::Impronta {
            sha256: sha256.to_owned(),
        },
        crate::registry::abilitazione::Periodo::default(),
    )
}
