//! `varco ente importa` and `esporta`; `accredita` and `abilita` with `--tabella`.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use jiff::civil::Date;

use super::super::avanzamento::{Avanzamento, Lavoro};
use super::super::uso::Uso;
use super::apply::apply_all;
use super::mostra;
use crate::clock::Clock;
use crate::italian::quanti;
use crate::registry::administration::Command;
use crate::registry::ente::{Ente, Richiesta};
use crate::registry::import::{self, Formato, Plan};

/// The commands in a file; on failure, all its errors at once.
pub(super) fn plan(
    file: &Path,
    formato: Formato,
    richiesta: &Richiesta,
    existing: &[Ente],
    today: Date,
) -> Result<Plan> {
    import::plan(&read(file)?, formato, richiesta, existing, today)
        .map_err(|errors| refused(file, &errors, "nessun ente registrato"))
}

/// Records commands, all or none, and shows that it goes on.
pub(super) fn registered(
    data: &Path,
    commands: Vec<Command>,
    motivo: &str,
    clock: &Clock,
) -> Result<Vec<Ente>> {
    let _shown = Avanzamento::of(Lavoro {
        nome: "registrazione degli enti",
        passi: "voci",
        totale: None,
    });
    super::super::uso::runtime()?.block_on(apply_all(data, commands, motivo, clock))
}

/// Carries out the decisions or grants of a table, all or none.
pub(super) fn carry_out(
    data: &Path,
    file: &Path,
    commands: fn(&str) -> Result<Vec<Command>, Vec<String>>,
    motivo: &str,
    json: bool,
    clock: &Clock,
) -> Result<()> {
    let unchanged = "nessun ente è cambiato";
    let commands = commands(&read(file)?).map_err(|errors| refused(file, &errors, unchanged))?;
    let done = registered(data, commands, motivo, clock).context(unchanged)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(());
    }
    for ente in &done {
        println!(
            "{} {} ({})",
            ente.codice,
            ente.standing(clock.today()),
            ente.anagrafica.denominazione
        );
        mostra::warnings(ente, clock.today())
            .iter()
            .for_each(|warning| eprintln!("attenzione: {}: {warning}", ente.codice));
    }
    println!("{}", quanti(done.len(), "ente", "enti"));
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(file).map_err(|error| Uso::unread(file, &error))?)
}

/// All errors of a table, and its consequence.
fn refused(file: &Path, errors: &[String], consequence: &str) -> anyhow::Error {
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {error}", file.display()))
        .collect();
    anyhow!("{}\n{consequence}", lines.join("\n"))
}

/// Prints the changes, done or planned.
pub(super) fn say(plan: &Plan, done: bool, json: bool) -> Result<()> {
    let new = |command: &&Command| matches!(command, Command::Richiedi { .. });
    let codes = |wanted: bool| -> Vec<&str> {
        plan.commands
            .iter()
            .filter(|command| new(command) == wanted)
            .map(Command::codice)
            .collect()
    };
    let (created, changed) = (codes(true), codes(false));
    let other =
        |(codice, colonne): &(String, Vec<&str>)| serde_json::json!({ "codice": codice, "colonne": colonne });
    if json {
        let others: Vec<_> = plan.other_requests.iter().map(other).collect();
        let value = serde_json::json!({
            "fatto": done, "nuovi": created, "aggiornati": changed, "uguali": plan.unchanged, "richieste_diverse": others,
        });
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    for code in &created {
        println!("nuovo       {code}");
    }
    for code in &changed {
        println!("aggiornato  {code}");
    }
    for (code, columns) in &plan.other_requests {
        println!(
            "richiesta   {code}: diversa da quella registrata ({}), che resta com'è",
            columns.join(", ")
        );
    }
    let verb = if done {
        "registrati"
    } else {
        "da registrare (con --conferma)"
    };
    println!(
        "{} e {} {verb}; {}",
        quanti(created.len(), "nuovo", "nuovi"),
        quanti(changed.len(), "aggiornato", "aggiornati"),
        quanti(plan.unchanged, "già uguale", "già uguali")
    );
    if !plan.other_requests.is_empty() {
        println!(
            "{} con un'altra richiesta nella tabella: importa non cambia una richiesta già fatta",
            plan.other_requests.len()
        );
    }
    Ok(())
}

/// Prints all enti: as a table, or whole.
pub(super) fn export(enti: &[Ente], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(enti)?);
    } else {
        print!("{}", import::table(enti));
    }
    Ok(())
}
