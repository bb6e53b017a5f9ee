//! `varco dsu check` and `varco dsu compute`: for people or programs writing DSU; neither needs a data
//! directory or a key. `varco dsu versions`: the versions of a received DSU.

mod calcolo;
mod codici;
mod lettura;
mod versioni;

pub use versioni::versions;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;

use calcolo::{RichiestaCalcolo, UscitaCalcolo, compute};
use lettura::{Giorni, Port, judge, line};

use super::dove::Dove;
use crate::clock::Clock;
use crate::contract::Finding;

/// The exit codes of these commands, for their help pages.
const ESITI: &str = "Esce con 0 se la DSU sarebbe accettata, con 1 se sarebbe rifiutata, con 2 se il comando non si può eseguire (opzioni, file).";

/// `varco dsu`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Controlla una DSU: tutte le violazioni, con riga e colonna
    ///
    /// Una DSU che non è valida per lo schema (K01) viene controllata solo per quello: le altre violazioni si
    /// vedono dopo. Di ogni DSU le prime cento sono scritte per esteso, le altre contate.
    #[command(after_help = ESITI)]
    Check {
        /// Il file: una o più Dichiarazione, da sole, in un messaggio SOAP o in un lotto
        file: PathBuf,
        /// Il giorno della trasmissione; oggi se manca
        #[arg(long, alias = "date")]
        giorno: Option<Date>,
        /// Il file di configurazione della porta, se ne cambia regole o festivi
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Calcola una DSU: ogni riga con ciò da cui viene e la norma, poi ogni indicatore
    #[command(after_help = ESITI)]
    Compute {
        /// Il file: una Dichiarazione, da sola o in un messaggio SOAP
        file: PathBuf,
        /// I dati dell'Agenzia delle entrate e dell'INPS: CSV, come per `varco feed load`
        #[arg(long)]
        feed: Option<PathBuf>,
        /// Come se fosse sottoscritta, trasmessa e calcolata in questo giorno
        #[arg(long, alias = "date")]
        giorno: Option<Date>,
        /// La DSU che questa integra, corregge o aggiorna (operazioni A, I, S, C, R), così come conta prima
        #[arg(long)]
        base: Option<PathBuf>,
        /// Una DSU a cui questa fa riferimento: PROTOCOLLO=FILE; anche più volte
        #[arg(long, value_name = "PROTOCOLLO=FILE")]
        altra: Vec<String>,
        /// Il file di configurazione della porta, se ne cambia le regole
        #[arg(long)]
        config: Option<PathBuf>,
        /// In JSON
        #[arg(long, conflicts_with = "xml")]
        json: bool,
        /// L'attestazione, come la dà ConsultazioneAttestazione: di oggi, e con il protocollo 00000000A in
        /// luogo di quello che avrà
        #[arg(long)]
        xml: bool,
    },
    /// La pagina del manuale sulla DSU: ogni codice e ogni controllo, in Markdown
    Codici,
    /// Le versioni di una DSU ricevuta, ognuna con la voce del registro che l'ha fatta
    Versions {
        /// Il protocollo di una di esse
        protocollo: String,
        #[command(flatten)]
        dove: Dove,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    match args.what {
        What::Codici => {
            print!("{}", codici::page());
            Ok(())
        }
        What::Check {
            file,
            giorno,
            config,
            json,
        } => check(
            &file,
            config.as_deref(),
            giorno.unwrap_or_else(|| clock.today()),
            json,
        ),
        What::Compute {
            file,
            feed,
            giorno,
            base,
            altra,
            config,
            json,
            xml,
        } => {
            let request = RichiestaCalcolo {
                feed: feed.as_deref(),
                giorni: Giorni {
                    today: giorno.unwrap_or_else(|| clock.today()),
                    presentata: giorno,
                    prima: None,
                },
                base: base.as_deref(),
                altra: &altra,
                config: config.as_deref(),
            };
            let output = match (json, xml) {
                (true, _) => UscitaCalcolo::Json,
                (_, true) => UscitaCalcolo::Xml,
                _ => UscitaCalcolo::Text,
            };
            print!("{}", compute(&file, &request, output)?);
            Ok(())
        }
        What::Versions {
            protocollo,
            dove,
            json,
        } => versioni::run(&protocollo, &dove.data()?, json, clock),
    }
}

fn check(file: &Path, config: Option<&Path>, today: Date, as_json: bool) -> Result<()> {
    let lette = judge(
        file,
        &Port::new(config)?,
        Giorni {
            today,
            presentata: None,
            prima: None,
        },
    )?;
    let count: usize = lette.iter().map(lettura::Letta::quante).sum();
    for letta in &lette {
        if as_json {
            let of = |finding: &Finding| json!({"codice": finding.code, "riga": finding.line, "colonna": finding.column, "percorso": finding.path, "testo": finding.text});
            let value = json!({
                "file": letta.dove,
                "violazioni": letta.violazioni.list.iter().map(of).collect::<Vec<_>>(),
                "altre_violazioni": letta.violazioni.more,
                "avvertenze": letta.avvertenze.iter().map(of).collect::<Vec<_>>(),
            });
            println!("{value:#}");
            continue;
        }
        for finding in &letta.violazioni.list {
            println!("{}", line(&letta.dove, finding, "errore"));
        }
        if letta.violazioni.more > 0 {
            println!("{}: altre violazioni: {}", letta.dove, letta.violazioni.more);
        }
        for finding in &letta.avvertenze {
            println!("{}", line(&letta.dove, finding, "avvertenza"));
        }
        if letta.quante() == 0 {
            println!(
                "{}: nessuna violazione; avvertenze: {}",
                letta.dove,
                letta.avvertenze.len()
            );
        }
    }
    if count > 0 {
        let of = if lette.len() > 1 {
            format!("{} DSU, ", lette.len())
        } else {
            String::new()
        };
        let what = if lette.len() > 1 {
            "non tutte sarebbero accettate"
        } else {
            "la DSU non sarebbe accettata"
        };
        bail!("{}: {of}violazioni: {count}: {what}", file.display());
    }
    Ok(())
}
