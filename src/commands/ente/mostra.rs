//! `varco ente lista`, `mostra`, `storia`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::ledger::search::{self, Filter};
use crate::ledger::{Directory, Keys, Kind, Unopened, seal};
use crate::registry::abilitazione::Periodo;
use crate::registry::ente::{Ente, Segno, Stato, Tipo};
use crate::registry::quota::Quote;

/// The enti, one a line.
pub(super) fn list(enti: &[Ente], stato: Option<Stato>, tipo: Option<Tipo>, json: bool) -> Result<()> {
    let wanted = |ente: &&Ente| stato.is_none_or(|stato| ente.stato == stato) && tipo.is_none_or(|tipo| ente.anagrafica.tipo == tipo);
    let enti: Vec<&Ente> = enti.iter().filter(wanted).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&enti)?);
        return Ok(());
    }
    for ente in enti {
        println!("{}", line(ente));
    }
    Ok(())
}

fn line(ente: &Ente) -> String {
    format!("{:<16} {:<12} {:<14} {}", ente.codice, ente.stato.name(), ente.anagrafica.tipo.name(), ente.anagrafica.denominazione)
}

/// All that is known of one.
pub(super) fn one(enti: &[Ente], codice: &str, json: bool) -> Result<()> {
    let Some(ente) = enti.iter().find(|ente| ente.codice == codice) else { bail!("l'ente {codice} non esiste") };
    if json {
        println!("{}", serde_json::to_string_pretty(&[ente])?);
        return Ok(());
    }
    println!("{}", line(ente));
    let say = |what: &str, text: &str| {
        if !text.is_empty() {
            println!("  {what:<15} {text}");
        }
    };
    let who = &ente.anagrafica;
    say("codice fiscale", &who.codice_fiscale);
    say("codice IPA", who.codice_ipa.as_deref().unwrap_or_default());
    say("contatti", &who.contatti.join(", "));
    say("parti SPCoop", &who.parti.iter().map(|parte| format!("{}:{}", parte.tipo, parte.nome)).collect::<Vec<_>>().join(", "));
    say("richiesta", &format!("{}; {}; {}", ente.richiesta.pec, ente.richiesta.base_giuridica, ente.richiesta.finalita));
    if let Some(decisione) = &ente.decisione {
        let direzione = decisione.direzione.as_deref().map(|text| format!(", {text}")).unwrap_or_default();
        let scadenza = decisione.scadenza.map(|last| format!(", fino al {last}")).unwrap_or_default();
        say("decisione", &format!("{}{direzione}{scadenza}", decisione.data));
    }
    for certificate in &ente.certificati {
        let sign = match &certificate.segno {
            Segno::Impronta { sha256 } => sha256.clone(),
            Segno::Emittente { emittente, organizzazione, unita } => {
                let unita = unita.as_deref().map(|unit| format!(", {unit}")).unwrap_or_default();
                format!("di {organizzazione}{unita}, dell'autorità con chiave {emittente}")
            }
        };
        say("certificato", &format!("{sign}{}", window(certificate.periodo)));
    }
    for (index, grant) in ente.abilitazioni.iter().enumerate() {
        let part = |word: &str, list: &[String]| if list.is_empty() { String::new() } else { format!(" {word} {}", list.join(", ")) };
        let controlli = if grant.controlli { " per i controlli" } else { "" };
        let (prestazioni, uffici) = (part("per", &grant.prestazioni), part("da", &grant.uffici));
        say(
            &format!("abilitazione {}", index + 1),
            &format!("{}{prestazioni}{uffici}{controlli}{}", grant.operazioni.join(", "), window(grant.periodo)),
        );
    }
    say("predefinita", ente.prestazione_predefinita.as_deref().unwrap_or_default());
    for office in &ente.uffici {
        let name = office.denominazione.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        say("ufficio", &format!("{}{name}{}", office.codice, window(office.periodo)));
    }
    say("uffici", if ente.uffici_obbligatori { "obbligatori" } else { "" });
    say("quote", &quote(&ente.quote));
    say("per operatore", &quote(&ente.quote_operatore));
    Ok(())
}

fn window(Periodo { dal, al }: Periodo) -> String {
    let from = dal.map(|day| format!(" dal {day}")).unwrap_or_default();
    let to = al.map(|day| format!(" al {day}")).unwrap_or_default();
    format!("{from}{to}")
}

fn quote(quote: &Quote) -> String {
    let part = |value: Option<u64>, what: &str| value.map(|value| format!("{value} {what}"));
    let parts = [
        part(quote.al_minuto.map(u64::from), "richieste al minuto"),
        part(quote.al_giorno, "scambi al giorno"),
        part(quote.persone_al_giorno, "persone al giorno"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Every change to an ente, with who made it and why.
pub(super) fn history(data: &Path, codice: &str, json: bool) -> Result<()> {
    let directory = Directory::open(data)?;
    let filter = Filter { ente: Some(codice.to_owned()), kind: Some(Kind::Registry), ..Filter::default() };
    let entries = search::find(&directory.segments(), directory.ledger, &filter, usize::MAX)?;
    if entries.is_empty() {
        bail!("l'ente {codice} non esiste");
    }
    let keys = Keys::open(&directory.keys(), true)?;
    let mut all = Vec::new();
    for entry in entries {
        let body = &entry.leaf.body;
        let motivo = match seal::open(&keys, &entry.leaf, &entry.sealed) {
            Ok((_, secret)) => secret.reason,
            Err(Unopened::Nothing | Unopened::Erased | Unopened::MissingKey(_)) => None,
            Err(error) => bail!("voce {}: {error}", entry.leaf.seq),
        };
        let stato = body.facts.get("ente").and_then(|ente| ente.get("stato")).cloned();
        all.push(serde_json::json!({
            "voce": entry.leaf.seq, "quando": entry.leaf.recorded, "comando": body.operation, "stato": stato,
            "uid": body.facts.get("actor").and_then(|actor| actor.get("uid")), "motivo": motivo,
        }));
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for change in all {
        let text = |name: &str| change[name].as_str().unwrap_or("-").to_owned();
        println!(
            "{:>6}  {}  {:<24} {:<12} uid {:<6} {}",
            change["voce"],
            text("quando"),
            text("comando"),
            text("stato"),
            change["uid"],
            text("motivo")
        );
    }
    Ok(())
}
