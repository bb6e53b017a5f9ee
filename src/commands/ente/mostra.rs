//! `varco ente lista`, `mostra`, `storia`.

use std::path::Path;

use anyhow::{Result, bail};
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::consultate::{self, Consultazione};
use crate::clock::{Clock, italian};
use crate::ledger::search::{self, Filter};
use crate::ledger::{Directory, Entry, Keys, Kind, Reader, Unopened, seal};
use crate::registry::abilitazione::{Abilitazione, DETAIL, Periodo};
use crate::registry::ente::{Certificato, EXPIRED, Ente, Modo, Segno, Stato, Tipo};
use crate::registry::facts::{ACTOR, ENTE};
use crate::registry::quota::Quote;

/// An ente's state today: its recorded state, or past the last day of its accreditation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Oggi {
    Richiesta,
    Accreditato,
    Rifiutato,
    Sospeso,
    Revocato,
    Scaduto,
}

impl Oggi {
    /// Whether the list shows an ente. One past its term counts as suspended, too.
    fn includes(self, ente: &Ente, today: Date) -> bool {
        let standing = ente.standing(today);
        match self {
            Self::Richiesta => standing == Stato::Richiesta.name(),
            Self::Accreditato => standing == Stato::Accreditato.name(),
            Self::Rifiutato => standing == Stato::Rifiutato.name(),
            Self::Sospeso => standing == Stato::Sospeso.name() || standing == EXPIRED,
            Self::Revocato => standing == Stato::Revocato.name(),
            Self::Scaduto => standing == EXPIRED,
        }
    }
}

/// The enti, one a line.
pub(super) fn list(
    enti: &[Ente],
    stato: Option<Oggi>,
    tipo: Option<Tipo>,
    today: Date,
    json: bool,
) -> Result<()> {
    let wanted = |ente: &&Ente| {
        stato.is_none_or(|stato| stato.includes(ente, today))
            && tipo.is_none_or(|tipo| ente.anagrafica.tipo == tipo)
    };
    let enti: Vec<&Ente> = enti.iter().filter(wanted).collect();
    if json {
        let values = enti
            .into_iter()
            .map(|ente| value(ente, today))
            .collect::<Result<Vec<_>>>()?;
        println!("{}", serde_json::to_string_pretty(&values)?);
        return Ok(());
    }
    for ente in enti {
        println!("{}", line(ente, today));
    }
    Ok(())
}

fn line(ente: &Ente, today: Date) -> String {
    format!(
        "{:<16} {:<12} {:<14} {}",
        ente.codice,
        ente.standing(today),
        ente.anagrafica.tipo.name(),
        ente.anagrafica.denominazione
    )
}

/// An ente as recorded, and `stato_oggi`: its state today.
fn value(ente: &Ente, today: Date) -> Result<serde_json::Value> {
    let mut value = serde_json::to_value(ente)?;
    value["stato_oggi"] = ente.standing(today).into();
    Ok(value)
}

/// The reasons why an ente stays out although it is accredited, or would be after reactivation.
pub(super) fn warnings(ente: &Ente, today: Date) -> Vec<String> {
    if !matches!(ente.stato, Stato::Accreditato | Stato::Sospeso) {
        return Vec::new();
    }
    let renew = "varco ente accredita ... --scadenza";
    let expired = ente.expired(today).map(|last| match ente.stato {
        Stato::Sospeso => {
            format!("l'accreditamento è scaduto il {last}: anche riattivato, l'ente resta fuori finché non è rinnovato ({renew})")
        }
        _ => format!("l'accreditamento è scaduto il {last}: l'ente resta fuori finché non è rinnovato ({renew})"),
    });
    let by_hand = (!ente.is_for_machines()).then(|| {
        "la cooperazione applicativa non è tra i modi concessi: ogni richiesta dell'ente è respinta; un rinnovo può concederla \
         (varco ente accredita ... --scadenza ... --modi ...)"
            .to_owned()
    });
    expired.into_iter().chain(by_hand).collect()
}

/// A warning if the request asks for `DETAIL`: the request alone does not grant it.
pub(super) fn left_out(ente: &Ente) -> Option<String> {
    ente.richiesta
        .operazioni
        .iter()
        .any(|operation| operation == DETAIL)
        .then(|| {
            format!(
                "{DETAIL} è tra le operazioni chieste e non è stata abilitata: è solo per i controlli \
             (varco ente abilita ... --operazioni {DETAIL} --controlli)"
            )
        })
}

/// A grant, in a line.
pub(super) fn grant(grant: &Abilitazione) -> String {
    let part = |word: &str, list: &[String]| {
        if list.is_empty() {
            String::new()
        } else {
            format!(" {word} {}", list.join(", "))
        }
    };
    let controlli = if grant.controlli { " per i controlli" } else { "" };
    let (prestazioni, uffici) = (part("per", &grant.prestazioni), part("da", &grant.uffici));
    let indicatori = part("solo indicatore", &grant.indicatori);
    format!(
        "{}{prestazioni}{indicatori}{uffici}{controlli}{}",
        grant.operazioni.join(", "),
        window(grant.periodo)
    )
}

/// Prints all about one ente. Fails if no ente has the code.
pub(super) fn one(enti: &[Ente], codice: &str, clock: &Clock, json: bool) -> Result<()> {
    let (today, now) = (clock.today(), clock.now());
    let Some(ente) = enti.iter().find(|ente| ente.codice == codice) else {
        bail!("l'ente {codice} non esiste")
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&[value(ente, today)?])?);
        return Ok(());
    }
    println!("{}", line(ente, today));
    chi(ente);
    for warning in warnings(ente, today) {
        say("attenzione", &warning);
    }
    for certificate in &ente.certificati {
        say("certificato", &segno(certificate));
        say("", &whose(certificate, now));
    }
    permessi(ente);
    Ok(())
}

/// Writes a line about an ente, unless there is nothing to say.
fn say(what: &str, text: &str) {
    if !text.is_empty() {
        println!("  {what:<15} {text}");
    }
}

/// Writes who an ente is, what it asked for, and the decision.
fn chi(ente: &Ente) {
    let who = &ente.anagrafica;
    say("codice fiscale", &who.codice_fiscale);
    say("codice IPA", who.codice_ipa.as_deref().unwrap_or_default());
    say("codici INPS", &who.codici_inps.join(", "));
    say("contatti", &who.contatti.join(", "));
    say(
        "parti SPCoop",
        &who.parti
            .iter()
            .map(|parte| format!("{}:{}", parte.tipo, parte.nome))
            .collect::<Vec<_>>()
            .join(", "),
    );
    say(
        "richiesta",
        &format!(
            "{}; {}; {}",
            ente.richiesta.pec, ente.richiesta.base_giuridica, ente.richiesta.finalita
        ),
    );
    if let Some(decisione) = &ente.decisione {
        let direzione = decisione
            .direzione
            .as_deref()
            .map(|text| format!(", {text}"))
            .unwrap_or_default();
        let scadenza = decisione
            .scadenza
            .map(|last| format!(", fino al {last}"))
            .unwrap_or_default();
        say("decisione", &format!("{}{direzione}{scadenza}", decisione.data));
        say(
            "modi concessi",
            &decisione
                .modi
                .iter()
                .map(|modo| Modo::name(*modo))
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
}

/// The sign of a certificate, and its window.
pub(super) fn segno(certificate: &Certificato) -> String {
    let sign = match &certificate.segno {
        Segno::Impronta { sha256 } => sha256.clone(),
        Segno::Emittente {
            emittente,
            organizzazione,
            unita,
        } => {
            let unita = unita
                .as_deref()
                .map(|unit| format!(", {unit}"))
                .unwrap_or_default();
            format!("di {organizzazione}{unita}, dell'autorità con chiave {emittente}")
        }
    };
    format!("{sign}{}", window(certificate.periodo))
}

/// Writes what an ente may do.
fn permessi(ente: &Ente) {
    for granted in &ente.abilitazioni {
        say(&format!("abilitazione {}", granted.numero), &grant(granted));
    }
    say(
        "predefinita",
        ente.prestazione_predefinita.as_deref().unwrap_or_default(),
    );
    for office in &ente.uffici {
        let name = office
            .denominazione
            .as_deref()
            .map(|name| format!(" {name}"))
            .unwrap_or_default();
        say(
            "ufficio",
            &format!("{}{name}{}", office.codice, window(office.periodo)),
        );
    }
    if ente.uffici_obbligatori {
        say("uffici", "obbligatori");
    }
    if ente.senza_isee_famiglia {
        say("attestazioni", "senza ISEEFamiglia (schema del 2021)");
    }
    say("quote", &quote(&ente.quote));
    say("per operatore", &quote(&ente.quote_operatore));
}

/// The subject of a certificate, and its last day.
fn whose(certificate: &Certificato, now: Timestamp) -> String {
    let (Some(subject), Some(expires)) = (&certificate.soggetto, certificate.scade) else {
        return "soggetto e scadenza non registrati: si registrano aggiungendolo di nuovo dal suo file PEM"
            .to_owned();
    };
    let day = crate::clock::rome(expires).date();
    let state = match (expires.as_second() - now.as_second()) / 86_400 {
        _ if expires < now => format!("scaduto il {day}"),
        left if left < 30 => format!("scade il {day}, fra {left} giorni"),
        _ => format!("scade il {day}"),
    };
    format!("{subject}; {state}")
}

fn window(Periodo { dal, al }: Periodo) -> String {
    let from = dal.map(|day| format!(" dal {day}")).unwrap_or_default();
    let to = al.map(|day| format!(" al {day}")).unwrap_or_default();
    format!("{from}{to}")
}

/// Quotas in words; empty: no limit.
pub(super) fn quote(quote: &Quote) -> String {
    let part = |value: Option<u64>, what: &str| value.map(|value| format!("{value} {what}"));
    let parts = [
        part(quote.al_minuto.map(u64::from), "richieste al minuto"),
        part(quote.al_giorno, "scambi al giorno"),
        part(quote.persone_al_giorno, "persone al giorno"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Prints the history of an ente, after the look-up is recorded.
pub(super) fn history(data: &Path, codice: &str, json: bool, clock: &Clock) -> Result<()> {
    let directory = Directory::open(data)?;
    let reader = directory.reader();
    let entries = changes(&reader, codice)?;
    consultate::record(
        &directory,
        Consultazione::Ente {
            codice: codice.to_owned(),
        },
        clock,
    )?;
    let all = told(&entries, &Keys::open(&directory.keys(), true)?)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(());
    }
    for change in all {
        let text = |name: &str| change[name].as_str().unwrap_or("-").to_owned();
        println!(
            "{:>6}  {}  {:<24} {:<12} uid {:<6} {}{}",
            change["voce"],
            italian(&text("quando")),
            text("comando"),
            text("stato"),
            change["uid"],
            change["operatore"]
                .as_str()
                .map(|name| format!("({name}) "))
                .unwrap_or_default(),
            text("motivo")
        );
    }
    Ok(())
}

/// Every entry that changed an ente.
pub fn changes(reader: &dyn Reader, codice: &str) -> Result<Vec<Entry>> {
    let filter = Filter {
        ente: Some(codice.to_owned()),
        kind: Some(Kind::Registry),
        ..Filter::default()
    };
    let entries = search::find(reader, &filter, usize::MAX)?;
    if entries.is_empty() {
        bail!("l'ente {codice} non esiste");
    }
    Ok(entries)
}

/// Every change of an ente, with its author and its reason.
pub fn told(entries: &[Entry], keys: &Keys) -> Result<Vec<serde_json::Value>> {
    let mut all = Vec::new();
    for entry in entries {
        let body = &entry.leaf.body;
        let (motivo, operatore) = match seal::open(keys, &entry.leaf, &entry.sealed) {
            Ok((_, secret)) => (secret.reason, secret.operator),
            Err(Unopened::Nothing | Unopened::Erased | Unopened::MissingKey(_)) => (None, None),
            Err(error) => bail!("voce {}: {error}", entry.leaf.seq),
        };
        let stato = body.get(ENTE).and_then(|ente| ente.get("stato")).cloned();
        all.push(serde_json::json!({
            "voce": entry.leaf.seq, "quando": entry.leaf.recorded, "comando": body.operation, "stato": stato,
            "uid": body.get(ACTOR).and_then(|actor| actor.get("uid")), "operatore": operatore, "motivo": motivo,
        }));
    }
    Ok(all)
}
