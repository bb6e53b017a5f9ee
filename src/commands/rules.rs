//! `varco rules`: the rule sets of the ISEE, and their application to attestations made by other rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::avanzamento::{Avanzamento, Lavoro};
use super::dove::Configurazione;
use super::socket;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::node::Node;
use crate::isee::rules::{RuleSet, Rules};
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;
use crate::sii::SiiSettings;
use crate::sii::upkeep::{Act, Applicate, Effetto, Esaminata};

/// `varco rules`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Gli insiemi di regole, dal più vecchio
    List {
        /// Il file di configurazione, se le cambia; altrimenti come sono nel programma
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Un insieme di regole: ogni parametro con la sua fonte
    Show {
        /// Il nome: 2026
        id: String,
        /// Il file di configurazione, se lo cambia
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Applica le regole a ciò che è stato attestato con altre: una nuova versione di ciò che cambia
    Apply {
        #[command(flatten)]
        config: Configurazione,
        /// Perché: resta nel registro
        #[arg(long, default_value = "")]
        motivo: String,
        /// Conta soltanto, senza cambiare niente
        #[arg(long)]
        prova: bool,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    match args.what {
        What::List { config, json } => list(&rules(config.as_deref())?, json),
        What::Show { id, config, json } => {
            let rules = rules(config.as_deref())?;
            show(
                rules.named(&id).ok_or_else(|| {
                    super::uso::Uso(format!(
                        "nessun insieme di regole si chiama {id}: varco rules list"
                    ))
                })?,
                json,
            )
        }
        What::Apply {
            config,
            motivo,
            prova,
            json,
        } => {
            let config = Config::read(&config.file())?;
            // A trial needs no reason: no entry would keep one.
            let motivo = if prova { "prova" } else { motivo.as_str() };
            let shown = Avanzamento::of(Lavoro {
                nome: "attestazioni ricalcolate con le regole",
                passi: "attestazioni",
                totale: None,
            });
            let applied = super::uso::runtime()?.block_on(apply(&config, prova, motivo, clock))?;
            drop(shown);
            told(applied, prova, json)
        }
    }
}

fn rules(config: Option<&Path>) -> Result<Rules> {
    match config {
        Some(file) => Ok(Rules::configured(&Config::read(file)?.regole)?),
        None => Ok(Rules::embedded()?),
    }
}

fn list(rules: &Rules, as_json: bool) -> Result<()> {
    if as_json {
        let all = rules.all().iter().map(|set| {
            json!({"id": set.id, "dal": set.valid_from.to_string(), "al": set.valid_to.to_string(), "variante_di": set.variant_of, "impronta": set.digest})
        });
        println!("{:#}", serde_json::Value::from_iter(all));
        return Ok(());
    }
    for set in rules.all() {
        let variant = set
            .variant_of
            .as_ref()
            .map(|of| format!("  in luogo di {of}"))
            .unwrap_or_default();
        println!(
            "{:<12} DSU presentate dal {} al {}  {}{variant}",
            set.id,
            set.valid_from,
            set.valid_to,
            &set.digest[..16]
        );
    }
    Ok(())
}

fn show(set: &RuleSet, as_json: bool) -> Result<()> {
    if as_json {
        let parameters = set.parameters().map(|(name, p)| {
            (
                name.to_owned(),
                json!({"valore": p.value.to_string(), "fonte": p.cite, "segno": p.mark}),
            )
        });
        let lists = set.lists().map(|(name, list)| {
            (
                name.to_owned(),
                json!({"valori": list.values, "fonte": list.cite, "segno": list.mark}),
            )
        });
        let value = json!({
            "id": set.id,
            "dal": set.valid_from.to_string(),
            "al": set.valid_to.to_string(),
            "impronta": set.digest,
            "parametri": serde_json::Map::from_iter(parameters),
            "liste": serde_json::Map::from_iter(lists),
        });
        println!("{value:#}");
        return Ok(());
    }
    println!(
        "{}: DSU presentate dal {} al {}; impronta {}",
        set.id, set.valid_from, set.valid_to, set.digest
    );
    println!("segno: c confermato da una fonte, u da nessuna, o dato da chi gestisce la porta");
    for (name, parameter) in set.parameters() {
        println!(
            "{name:<40} {:>10}  {}  {}",
            parameter.value.to_string(),
            parameter.mark,
            parameter.cite
        );
    }
    for (name, list) in set.lists() {
        println!(
            "{name:<40} {}  {}  {}",
            list.values.join(" "),
            list.mark,
            list.cite
        );
    }
    Ok(())
}

/// Applies the rules at the ledger: in the running gateway, with its rules; or here, with those of the
/// configuration.
async fn apply(config: &Config, prova: bool, motivo: &str, clock: &Clock) -> Result<Applicate> {
    let directory = Directory::open(&config.data)?;
    if let Some(applied) = socket::post(&directory.socket(), "/rules", prova, motivo).await? {
        return Ok(applied);
    }
    let node = Node::open_with(
        &directory,
        clock,
        Arc::new(RealDisk),
        config.ledger.segment_bytes,
        SiiSettings::configured(config)?,
    )?;
    let recorded = node.record_recovery().await;
    let act = Act {
        actor: &super::who::myself(),
        reason: motivo,
        now: clock.now(),
    };
    let done = node.upkeep.apply_rules(prova, act).await;
    node.close();
    recorded?;
    Ok(done?)
}

fn told(applied: Applicate, prova: bool, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(&applied)?);
        return Ok(());
    }
    let Applicate {
        esaminate,
        aggiornate,
        invariate,
        ricalcolate,
        in_attesa,
        errori,
        elenco,
    } = applied;
    let did = if prova { "da ricalcolare" } else { "ricalcolate" };
    println!(
        "{esaminate} attestazioni esaminate: {aggiornate} con queste regole, {invariate} con altre ma uguali, {ricalcolate} {did}"
    );
    if in_attesa > 0 {
        println!(
            "in attesa: {in_attesa}, con una versione successiva che aspetta i dati e sarà attestata con queste regole"
        );
    }
    for Esaminata {
        protocollo,
        presentata,
        regole,
        metodo,
        effetto,
    } in &elenco
    {
        let becomes = match effetto {
            Effetto::Uguale => "resterebbe uguale",
            Effetto::Ricalcolata => "cambierebbe",
            Effetto::InAttesa => "resta, in attesa della versione successiva",
        };
        println!(
            "  {protocollo}  presentata il {presentata}, attestata con le regole {regole}, metodo {metodo}: {becomes}"
        );
    }
    let others = (invariate + ricalcolate + in_attesa).saturating_sub(elenco.len() as u64);
    if prova && others > 0 {
        println!("  e altre {others}, non elencate");
    }
    anyhow::ensure!(
        errori == 0,
        "{errori} non possono essere ricalcolate: il log dice perché"
    );
    Ok(())
}
