//! Decisions and grants of many enti at once, from a table: each line is one command. All lines are read
//! before anything is done; then all commands are carried out together, or none.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::abilitazione::{Abilitazione, Periodo};
use super::administration::Command;
use super::ente::{Decisione, Modo};
use super::tabella::{RigaTabella, Tabella, parts};

/// The columns of a table of decisions (`ente accredita --tabella`); all but the first may be left out. `|`
/// separates several values.
pub const DECISIONI: [&str; 5] = ["codice", "direzione", "scadenza", "modi", "come_richiesto"];

/// The columns of a table of grants (`ente abilita --tabella`); all but the first two may be left out.
pub const ABILITAZIONI: [&str; 10] = [
    "codice",
    "operazioni",
    "prestazioni",
    "indicatori",
    "uffici",
    "controlli",
    "dal",
    "al",
    "predefinita",
    "sostituisci",
];

/// Accreditations, a line each. All errors at once, each with its line; in Italian.
pub fn decisioni(text: &str) -> Result<Vec<Command>, Vec<String>> {
    lines(text, &DECISIONI, 1, |line| {
        let modi = line
            .list("modi")
            .iter()
            .map(|name| modo(name))
            .collect::<Result<_, _>>()?;
        let decisione = Decisione {
            direzione: line.text("direzione"),
            scadenza: line.day("scadenza")?,
            modi,
            ..Decisione::default()
        };
        Ok(Command::Decidi {
            codice: line.codice(),
            accolta: true,
            decisione,
            come_richiesto: line.yes("come_richiesto")?,
        })
    })
}

/// Grants, a line each.
pub fn abilitazioni(text: &str) -> Result<Vec<Command>, Vec<String>> {
    lines(text, &ABILITAZIONI, 2, |line| {
        let abilitazione = Abilitazione {
            numero: 0,
            operazioni: line.list("operazioni"),
            prestazioni: line.list("prestazioni"),
            indicatori: line.list("indicatori"),
            uffici: line.list("uffici"),
            controlli: line.yes("controlli")?,
            periodo: Periodo {
                dal: line.day("dal")?,
                al: line.day("al")?,
            },
        };
        let (predefinita, sostituisci) = (line.text("predefinita"), line.yes("sostituisci")?);
        Ok(Command::Abilita {
            codice: line.codice(),
            abilitazione,
            predefinita,
            sostituisci,
        })
    })
}

fn modo(name: &str) -> Result<Modo, String> {
    match name.to_lowercase().replace(['-', '_'], " ").as_str() {
        "web" => Ok(Modo::Web),
        "cooperazione applicativa" => Ok(Modo::CooperazioneApplicativa),
        _ => Err(format!("modi: {name} non è web né cooperazione-applicativa")),
    }
}

/// A line of a table.
struct RigaDecisa<'a> {
    table: &'a Tabella,
    riga: &'a RigaTabella,
}

impl RigaDecisa<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.table.cell(self.riga, name)
    }

    fn codice(&self) -> String {
        self.text("codice").unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.value(name).map_or_else(Vec::new, parts)
    }

    fn day(&self, name: &str) -> Result<Option<Date>, String> {
        let day = self.value(name).map(str::parse::<Date>).transpose();
        day.map_err(|_| format!("{name}: serve un giorno che esiste, come 2026-12-31"))
    }

    fn yes(&self, name: &str) -> Result<bool, String> {
        match self.value(name).map(str::to_lowercase).as_deref() {
            None | Some("no") => Ok(false),
            Some("sì" | "si") => Ok(true),
            Some(_) => Err(format!("{name}: si scrive sì o no")),
        }
    }
}

/// The commands of all lines. The first `needed` of the columns must be there, and have a value.
fn lines(
    text: &str,
    known: &[&str],
    needed: usize,
    command: impl Fn(&RigaDecisa<'_>) -> Result<Command, String>,
) -> Result<Vec<Command>, Vec<String>> {
    let table = Tabella::read(text)?;
    let needed = known.get(..needed).unwrap_or_default();
    let mut errors = table.lacking(needed);
    errors.extend(table.misnamed(known));
    if !errors.is_empty() {
        errors.push(format!("le colonne di questa tabella sono {}", known.join(", ")));
        return Err(errors);
    }
    let (mut commands, mut seen) = (Vec::new(), BTreeSet::new());
    for read in &table.lines {
        let told = read.as_ref().map_err(Clone::clone).and_then(|riga| {
            let (number, line) = (riga.number, RigaDecisa { table: &table, riga });
            if let Some(name) = needed.iter().find(|name| line.value(name).is_none()) {
                return Err(format!("riga {number}: manca {name}"));
            }
            if !seen.insert(line.codice()) {
                return Err(format!(
                    "riga {number}: {} compare due volte: una tabella ha una riga per ente",
                    line.codice()
                ));
            }
            command(&line).map_err(|what| format!("riga {number}: {what}"))
        });
        match told {
            Ok(command) => commands.push(command),
            Err(what) => errors.push(what),
        }
    }
    if commands.is_empty() && errors.is_empty() {
        errors.push("la tabella non ha righe".to_owned());
    }
    if errors.is_empty() {
        Ok(commands)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_command_or_every_error_is_told() {
        let told =
            decisioni("codice;scadenza;modi;come_richiesto\nc_a123;2027-12-31;web|cooperazione-applicativa;sì\nc_b456;;;no\n").unwrap();
        let [
            Command::Decidi {
                codice,
                decisione,
                come_richiesto: true,
                ..
            },
            Command::Decidi {
                come_richiesto: false,
                ..
            },
        ] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!(
            (
                codice.as_str(),
                decisione.scadenza.unwrap().to_string().as_str(),
                decisione.modi.len()
            ),
            ("c_a123", "2027-12-31", 2)
        );
        let told = abilitazioni("codice,operazioni,prestazioni,controlli\nuno,ConsultazioneIndicatore|ConsultazioneAttestazione,A1.07,\n")
            .unwrap();
        let [Command::Abilita { abilitazione, .. }] = &told[..] else {
            panic!("{told:?}")
        };
        assert_eq!(
            (abilitazione.operazioni.len(), abilitazione.prestazioni.as_slice()),
            (2, ["A1.07".to_owned()].as_slice())
        );
        let wrong = decisioni("codice,scadenza,modi,come_richiesto\nuno,2026-02-30,,\ndue,,piccione,\nuno,,,\ntre,,,forse\n,,,\nquattro\n")
            .unwrap_err();
        for (line, part) in [
            (2, "serve un giorno"),
            (3, "piccione"),
            (4, "due volte"),
            (5, "sì o no"),
            (6, "manca codice"),
            (7, "1 campi"),
        ] {
            assert!(
                wrong
                    .iter()
                    .any(|text| text.starts_with(&format!("riga {line}: ")) && text.contains(part)),
                "{line}: {wrong:?}"
            );
        }
        assert_eq!(wrong.len(), 6);
        assert!(
            abilitazioni("codice,prestazione\nuno,A1.07\n")
                .unwrap_err()
                .iter()
                .any(|text| text.contains("colonna sconosciuta: prestazione"))
        );
        assert!(decisioni("codice\n").unwrap_err()[0].contains("non ha righe"));
    }
}
