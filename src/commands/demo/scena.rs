//! What the steps of the demonstration share: how they are told, the benefit, the day.

use anyhow::{Context as _, Result};
use jiff::civil::Date;

use super::super::terminale::{Stile, Uscita};
use crate::clock::Clock;
use crate::isee::rules::Rules;

/// Contributi e integrazioni a rette per asili nido.
pub(super) const PRESTAZIONE: &str = "A1.07";

/// Today, or the last day with rules if today is later.
pub(super) fn presentation(clock: &Clock) -> Result<Date> {
    let rules = Rules::embedded()?;
    let last = rules.all().last().context("no rules")?.valid_to;
    Ok(clock.today().min(last))
}

/// The title of a step, and a sentence of why.
pub(super) fn passo(number: u8, title: &str, why: &str) {
    let title = Uscita::Normale.styled(Stile::Titolo, &format!("{number}. {title}"));
    println!("\n{title}");
    println!("   {why}\n");
}

/// Says something, indented.
pub(super) fn say(text: &str) {
    for line in text.lines() {
        println!("   {line}");
    }
}
