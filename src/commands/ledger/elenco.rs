//! `varco ledger list`: the entries by period, ente, operation, outcome, person and more.

use anyhow::{Context as _, Result, bail};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::super::consultate::{self, Consultazione};
use super::super::uso::Uso;
use super::righe::{line, tell_skipped};
use crate::clock::{Clock, rfc3339};
use crate::contract::catalogue::Operation;
use crate::contract::consultazione::Esito;
use crate::isee::CodiceFiscale;
use crate::ledger::search::{self, Filter, Matches};
use crate::ledger::{Directory, Keys, Kind, TokenKey};

/// The criteria of the list; an entry must meet all of them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dal: un giorno in Italia (aaaa-mm-gg), un minuto, un secondo o un istante (RFC 3339; senza fuso è ora
    /// italiana)
    #[arg(long, alias = "from")]
    dal: Option<String>,
    /// Fino al, compreso tutto il giorno, il minuto o il secondo
    #[arg(long, alias = "to")]
    al: Option<String>,
    /// Codice dell'ente
    #[arg(long)]
    ente: Option<String>,
    /// Operazione
    #[arg(long, alias = "operation")]
    operazione: Option<String>,
    /// Esito
    #[arg(long, alias = "outcome")]
    esito: Option<String>,
    /// Tipo di voce: exchange, asked, interrupted, dsu, attestation, registry, feed, admin, gathered, system
    #[arg(long, alias = "kind")]
    tipo: Option<String>,
    /// Codice fiscale di una persona: la ricerca viene registrata
    #[arg(long)]
    codice_fiscale: Option<String>,
    /// Protocollo di una DSU, di un lotto o del mittente
    #[arg(long)]
    protocollo: Option<String>,
    /// IdRichiesta di una risposta
    #[arg(long)]
    id_richiesta: Option<i64>,
    /// Scambio: X-Request-Id di una risposta
    #[arg(long)]
    scambio: Option<String>,
    /// Operatore indicato nella richiesta di un ente, o chi ha agito sulla porta
    #[arg(long)]
    di_operatore: Option<String>,
    /// Quante, al massimo: le ultime
    #[arg(long, alias = "limit", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    massimo: u32,
    /// Le foglie, una per riga, come sono state scritte
    #[arg(long)]
    json: bool,
}

pub(super) fn run(directory: &Directory, args: &Args, clock: &Clock) -> Result<()> {
    let filter = filter(directory, args)?;
    let limit = usize::try_from(args.massimo).unwrap_or(usize::MAX);
    let found = search::search(&directory.reader(), &filter, limit)?;
    if found.total == 0 && found.skipped.is_empty() {
        known(directory, &filter)?;
    }
    // The look-up is recorded after the search and before the output: the list does not hold it.
    if let Some(code) = &args.codice_fiscale {
        consultate::record(
            directory,
            Consultazione::Persona {
                codice_fiscale: CodiceFiscale::new(code).canonical(),
            },
            clock,
        )?;
    }
    let Matches {
        entries,
        total,
        skipped,
    } = found;
    for entry in &entries {
        if args.json {
            println!("{}", String::from_utf8_lossy(&entry.bytes));
        } else {
            println!("{}", line(entry));
        }
    }
    if total == 0 && skipped.is_empty() && !args.json {
        eprintln!(
            "nessuna voce corrisponde alla ricerca, in {}",
            directory.path().display()
        );
    }
    if total > entries.len() {
        eprintln!(
            "attenzione: le voci trovate sono {total}, queste sono le ultime {}: --massimo ne mostra di più",
            entries.len()
        );
    }
    tell_skipped(&skipped);
    if !skipped.is_empty() {
        bail!(
            "l'elenco può essere incompleto: il registro è danneggiato, e ciò che non si legge non è stato cercato"
        );
    }
    Ok(())
}

fn filter(directory: &Directory, args: &Args) -> Result<Filter> {
    let from = args
        .dal
        .as_deref()
        .map(|text| moment("--dal", text))
        .transpose()?
        .map(|(from, _)| from);
    let to = args
        .al
        .as_deref()
        .map(|text| moment("--al", text))
        .transpose()?
        .map(|(_, to)| to);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        return Err(Uso::of("--al viene prima di --dal").into());
    }
    let kind = args
        .tipo
        .as_deref()
        .map(|name| serde_json::from_value::<Kind>(name.into()));
    let kind = kind.transpose().map_err(|_| {
        Uso::of("--tipo: i tipi di voce sono exchange, asked, interrupted, dsu, attestation, feed, registry, admin, gathered, system")
    })?;
    if let Some(code) = &args.codice_fiscale
        && let Err(wrong) = CodiceFiscale::new(code).kind()
    {
        return Err(Uso::of(format!("--codice-fiscale: {wrong}")).into());
    }
    let scambio = args.scambio.as_deref().map(|text| Uuid::parse_str(text.trim()));
    let exchange = scambio.transpose().map_err(|_| {
        Uso::of(
            "--scambio: serve un identificativo come quello di X-Request-Id, 8-4-4-4-12 cifre esadecimali",
        )
    })?;
    let named = |label: &str, value: Option<String>| {
        value.map_or(Ok(Vec::new()), |value| tokens(directory, label, &value))
    };
    Ok(Filter {
        from: from.map(rfc3339),
        to: to.map(rfc3339),
        ente: args.ente.clone(),
        operation: args.operazione.clone(),
        outcome: args.esito.clone(),
        kind,
        cf: named(
            "cf",
            args.codice_fiscale
                .as_ref()
                .map(|code| CodiceFiscale::new(code).canonical()),
        )?,
        protocol: named(
            "protocol",
            args.protocollo
                .as_ref()
                .map(|protocol| protocol.trim().to_owned()),
        )?,
        operator: named("operator", args.di_operatore.clone())?,
        exchange,
        id_richiesta: args.id_richiesta,
    })
}

/// The first instant of a day, minute, second or microsecond, and the first one after it.
fn moment(option: &str, text: &str) -> Result<(Timestamp, Timestamp)> {
    let wrong = || {
        Uso::of(format!(
            "{option} {text}: servono un giorno che esiste (aaaa-mm-gg) o un istante (aaaa-mm-ggThh:mm:ss, con Z o uno scarto come +01:00; senza, è ora italiana)"
        ))
    };
    let text = text.trim();
    let zone = TimeZone::get("Europe/Rome").unwrap_or(TimeZone::UTC);
    if let Ok(day) = text.parse::<Date>()
        && text.len() == 10
    {
        let from = day.to_zoned(zone.clone()).map_err(|_| wrong())?;
        let to = day
            .tomorrow()
            .and_then(|next| next.to_zoned(zone))
            .map_err(|_| wrong())?;
        return Ok((from.timestamp(), to.timestamp()));
    }
    let instant = match text.parse::<Timestamp>() {
        Ok(instant) => instant,
        Err(_) => text
            .parse::<DateTime>()
            .ok()
            .filter(|_| text.contains(':'))
            .and_then(|local| local.to_zoned(zone).ok())
            .ok_or_else(wrong)?
            .timestamp(),
    };
    // The time of day, without the offset.
    let time = text
        .get(11..)
        .unwrap_or_default()
        .split(['Z', 'z', '+', '-'])
        .next()
        .unwrap_or_default();
    let span = match (time.contains(['.', ',']), time.matches(':').count()) {
        (true, _) => 1.microsecond(),
        (false, 1) => 1.minute(),
        (false, _) => 1.second(),
    };
    Ok((instant, instant.checked_add(span).map_err(|_| wrong())?))
}

/// The tokens of a value, one for each key.
fn tokens(directory: &Directory, label: &str, value: &str) -> Result<Vec<(TokenKey, String)>> {
    let keys = Keys::open(&directory.keys(), true)
        .context("per cercare una persona, un protocollo o un operatore servono le chiavi")?;
    let tokens: Vec<_> = keys
        .token_keys()
        .into_iter()
        .map(|key| Ok((key, keys.token(key, label, value)?)))
        .collect::<Result<_>>()?;
    if tokens.is_empty() {
        bail!("nessuna voce nomina ancora persone, protocolli o operatori");
    }
    Ok(tokens)
}

/// For an empty list: refuses an ente, an operation or an outcome that neither the program nor the ledger
/// knows.
fn known(directory: &Directory, filter: &Filter) -> Result<()> {
    let occurs =
        |only: Filter| -> Result<bool> { Ok(search::search(&directory.reader(), &only, 1)?.total > 0) };
    if let Some(ente) = &filter.ente
        && !occurs(Filter {
            ente: Some(ente.clone()),
            ..Filter::default()
        })?
    {
        return Err(Uso::of(format!(
            "--ente {ente}: nessun ente ha mai avuto questo codice (varco ente lista)"
        ))
        .into());
    }
    if let Some(operation) = &filter.operation
        && !Operation::ALL.iter().any(|known| known.name() == operation)
        && !occurs(Filter {
            operation: Some(operation.clone()),
            ..Filter::default()
        })?
    {
        let names: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        return Err(Uso::of(format!(
            "--operazione {operation}: non c'è questa operazione; quelle degli enti sono {}",
            names.join(", ")
        ))
        .into());
    }
    if let Some(outcome) = &filter.outcome
        && !outcomes().contains(&outcome.as_str())
        && !occurs(Filter {
            outcome: Some(outcome.clone()),
            ..Filter::default()
        })?
    {
        return Err(Uso::of(format!(
            "--esito {outcome}: non c'è questo esito; gli esiti sono {}",
            outcomes().join(", ")
        ))
        .into());
    }
    Ok(())
}

/// Every outcome of an entry.
fn outcomes() -> Vec<&'static str> {
    let answered = Esito::ALL.iter().map(|esito| esito.code());
    answered.chain(["FAULT", "INIZIO", "RIFIUTATI"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_an_italian_one_and_the_end_of_a_second_belongs_to_it() {
        let told = |text: &str| {
            moment("--al", text)
                .map(|(from, to)| (rfc3339(from), rfc3339(to)))
                .ok()
        };
        let is = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(
            told("2026-11-30"),
            is("2026-11-29T23:00:00.000000Z", "2026-11-30T23:00:00.000000Z")
        );
        // Daylight saving begins: 23 hours.
        assert_eq!(
            told("2026-03-29"),
            is("2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z")
        );
        assert_eq!(
            told("2026-11-30T10:00:59Z"),
            is("2026-11-30T10:00:59.000000Z", "2026-11-30T10:01:00.000000Z")
        );
        assert_eq!(
            told("2026-11-30T11:00:59+01:00"),
            is("2026-11-30T10:00:59.000000Z", "2026-11-30T10:01:00.000000Z")
        );
        assert_eq!(
            told("2026-11-30T05:00:59-05:00"),
            is("2026-11-30T10:00:59.000000Z", "2026-11-30T10:01:00.000000Z")
        );
        assert_eq!(
            told("2026-11-30T11:00:59"),
            is("2026-11-30T10:00:59.000000Z", "2026-11-30T10:01:00.000000Z")
        );
        assert_eq!(
            told("2026-11-30T11:00"),
            is("2026-11-30T10:00:00.000000Z", "2026-11-30T10:01:00.000000Z")
        );
        assert_eq!(
            told("2026-07-01T11:00:00.5"),
            is("2026-07-01T09:00:00.500000Z", "2026-07-01T09:00:00.500001Z")
        );
        for wrong in [
            "2026-02-30",
            "2026-13-01",
            "ieri",
            "",
            "30/11/2026",
            "2026-11-30T25:00:00Z",
            "20261130",
            "2026-11",
        ] {
            assert_eq!(told(wrong), None, "{wrong}");
        }
    }
}
