//! `varco ente importa`, `varco ente esporta`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;

use crate::registry::administration::Command;
use crate::registry::ente::{Ente, Richiesta};
use crate::registry::import::{self, Formato, Plan};

/// What a file asks for; all its errors at once if it has any.
pub(super) fn plan(file: &Path, formato: Formato, richiesta: &Richiesta, existing: &[Ente], today: Date) -> Result<Plan> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    import::plan(&text, formato, richiesta, existing, today).or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("{}: {error}", file.display())).collect();
        bail!("{}\nnessun ente registrato", lines.join("\n"))
    })
}

/// What was done, or would be.
pub(super) fn say(plan: &Plan, done: bool, json: bool) -> Result<()> {
    let new = |command: &&Command| matches!(command, Command::Richiedi { .. });
    let codes =
        |wanted: bool| -> Vec<&str> { plan.commands.iter().filter(|command| new(command) == wanted).map(Command::codice).collect() };
    let (created, changed) = (codes(true), codes(false));
    let other = |(codice, colonne): &(String, Vec<&str>)| serde_json::json!({ "codice": codice, "colonne": colonne });
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
        println!("richiesta   {code}: diversa da quella registrata ({}), che resta com'è", columns.join(", "));
    }
    let verb = if done { "registrati" } else { "da registrare (con --conferma)" };
    println!("{} nuovi e {} aggiornati {verb}; {} già uguali", created.len(), changed.len(), plan.unchanged);
    if !plan.other_requests.is_empty() {
        println!("{} con un'altra richiesta nella tabella: importa non cambia una richiesta già fatta", plan.other_requests.len());
    }
    Ok(())
}

/// All enti, as a table or whole.
pub(super) fn export(enti: &[Ente], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(enti)?);
    } else {
        print!("{}", import::table(enti));
    }
    Ok(())
}
