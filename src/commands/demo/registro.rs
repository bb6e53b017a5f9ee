//! Step 6 of the demonstration: what the ledger says of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::scena::{passo, say};
use crate::commands::ledger;
use crate::commands::requests::{self, GIULIA};
use crate::isee::CodiceFiscale;
use crate::ledger::search::{Filter, find};
use crate::ledger::{Directory, Kind};

/// Counts what the ledger has, verifies it, and looks for codici fiscali in clear.
pub(super) fn tell(directory: &Directory) -> Result<()> {
    passo(
        6,
        "Che cosa ne sa il registro",
        "Nessuna risposta è uscita prima di essere scritta qui; le persone vi stanno come pseudonimi, i dati cifrati.",
    );
    let entries = find(&directory.reader(), &Filter::default(), usize::MAX)?;
    let mut counts: BTreeMap<[String; 3], u32> = BTreeMap::new();
    let exchanges = entries.iter().map(|entry| &entry.leaf.body);
    for body in exchanges.filter(|body| body.kind == Kind::Exchange) {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let esito = match &body.refusal {
            Some(code) => format!("{} ({code})", text(&body.outcome)),
            None => text(&body.outcome),
        };
        *counts
            .entry([text(&body.ente), text(&body.operation), esito])
            .or_default() += 1;
    }
    say(&format!(
        "{:>6}  {:<13} {:<26} esito",
        "scambi", "ente", "operazione"
    ));
    for ([ente, operazione, esito], count) in counts {
        say(&format!("{count:>6}  {ente:<13} {operazione:<26} {esito}"));
    }
    say(&format!(
        "in tutto {} voci: anche gli atti sugli enti, le DSU, le attestazioni",
        entries.len()
    ));
    say(&ledger::verify(directory)?.to_string());
    let leaked = leaks(directory.path(), &sample_persons())?;
    ensure!(
        leaked.is_empty(),
        "un codice fiscale è in chiaro nella directory dei dati"
    );
    say("nessun codice fiscale in chiaro nella directory dei dati");
    Ok(())
}

/// The codici fiscali in the sample DSU.
fn sample_persons() -> Vec<String> {
    let text = requests::dsu("", "");
    let codes = text.split('"').filter(|value| value.len() == GIULIA.len());
    let codes = codes.filter(|value| CodiceFiscale::new(*value).kind().is_ok());
    codes.map(str::to_owned).collect()
}

/// Files below a directory with one of these codici fiscali in clear.
fn leaks(directory: &Path, persons: &[String]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(leaks(&path, persons)?);
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let holds = |code: &String| bytes.windows(code.len()).any(|window| window == code.as_bytes());
            if persons.iter().any(holds) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_of_any_person_of_the_sample_is_found() {
        let persons = sample_persons();
        assert!(
            persons.len() > 3 && persons.contains(&GIULIA.to_owned()),
            "{persons:?}"
        );
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("views")).unwrap();
        let file = home.path().join("views/one");
        std::fs::write(&file, "nothing of the sample").unwrap();
        assert!(leaks(home.path(), &persons).unwrap().is_empty());
        for person in &persons {
            std::fs::write(&file, format!("before {person} after")).unwrap();
            assert_eq!(leaks(home.path(), &persons).unwrap(), std::slice::from_ref(&file));
        }
    }
}
