//! `varco ledger`: reads the segments, also while a gateway runs. `show --apri`, `prove --apri` and a search
//! for a person are recorded.

mod aperta;
mod elenco;
mod epoca;
mod prove;
mod righe;
mod verifica;

use std::path::PathBuf;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Subcommand;

use aperta::aperta;
pub use righe::line;
use righe::tell_skipped;
pub(super) use verifica::verify_with;
pub use verifica::{Checked, Report, verify, verify_log};

use super::consultate::{self, Consultazione};
use super::dove::Dove;
use crate::clock::Clock;
use crate::italian::quanti;
use crate::ledger::search;
use crate::ledger::{Directory, Keys, Unopened, seal};

/// `varco ledger`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    dove: Dove,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Elenca le voci
    List(Box<elenco::Args>),
    /// Mostra una voce per intero
    Show {
        /// La sequenza
        sequenza: u64,
        /// Apre anche la parte riservata: la consultazione viene registrata
        #[arg(long, alias = "open")]
        apri: bool,
    },
    /// Rilegge ogni byte e controlla tutto
    Verify,
    /// L'ultimo checkpoint: la grandezza e la radice del registro, firmate
    Checkpoint {
        /// Il file in cui scriverlo: nuovo
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// La prova che una voce è nel registro, per chi non si fida di chi lo tiene
    Prove(prove::Args),
    /// La prova che un checkpoint continua un altro, e niente di prima è cambiato
    Consistency(prove::Consistency),
    /// La chiave con cui si verificano i checkpoint
    Chiave,
    /// Comincia un'epoca nuova, con un'altra chiave di firma
    Epoca(epoca::Args),
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let directory = Directory::open_to_read(&args.dove.data()?)?;
    match args.what {
        What::List(args) => elenco::run(&directory, &args, clock),
        What::Show { sequenza, apri } => show(&directory, sequenza, apri, clock),
        What::Verify => {
            let report = verify(&directory)?;
            println!("{report}");
            let (voci, radice) = (report.read.entries, STANDARD.encode(report.root));
            println!("albero: {}, radice {radice}", quanti(voci, "voce", "voci"));
            Ok(())
        }
        What::Checkpoint { output } => prove::checkpoint(&directory, output.as_deref()),
        What::Prove(args) => prove::prove(&directory, &args, clock),
        What::Consistency(args) => prove::consistency(&directory, &args),
        What::Chiave => prove::chiave(&directory),
        What::Epoca(args) => epoca::run(&directory, args, clock),
    }
}

fn show(directory: &Directory, sequence: u64, open: bool, clock: &Clock) -> Result<()> {
    let (found, skipped) = search::entry(&directory.reader(), sequence)?;
    tell_skipped(&skipped);
    let Some(entry) = found else {
        if skipped.is_empty() {
            bail!("nessuna voce con la sequenza {sequence}");
        }
        bail!("la voce {sequence} non si legge: il registro è danneggiato (varco ledger verify dice dove)");
    };
    if open {
        consultate::record(directory, Consultazione::Voce { sequenza: sequence }, clock)?;
    }
    let leaf: serde_json::Value = serde_json::from_slice(&entry.bytes)?;
    println!("{}", serde_json::to_string_pretty(&leaf)?);
    if open {
        let keys = Keys::open(&directory.keys(), true)?;
        match seal::open(&keys, &entry.leaf, &entry.sealed) {
            Ok((_, secret)) => println!("{}", serde_json::to_string_pretty(&aperta(&secret)?)?),
            Err(Unopened::Nothing) => println!("(nessuna parte riservata)"),
            Err(Unopened::Erased) => println!("(parte riservata cancellata)"),
            Err(error) => bail!("la parte riservata non si apre: {error}"),
        }
    }
    Ok(())
}
