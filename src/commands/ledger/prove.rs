//! `varco ledger checkpoint`, `prove`, `consistency` and `chiave`: for strangers, and their `varco-verify`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use uuid::Uuid;

use super::super::consultate::{self, Consultazione};
use super::super::files::{PRIVATE, PUBLIC, create};
use super::righe::tell_skipped;
use crate::clock::Clock;
use crate::evidence::checkpoint::{self, Signed};
use crate::evidence::epoch;
use crate::evidence::note::TreeHead;
use crate::evidence::proof::{self, Aperto};
use crate::italian::quanti;
use crate::ledger::search::{self, Filter};
use crate::ledger::tree::{Tiles, Untold};
use crate::ledger::{Directory, Entry, Keys, Kind, seal};

/// `varco ledger prove`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// La sequenza della voce, o l'id dello scambio
    voce: String,
    /// Il file della prova: nuovo
    #[arg(short, long)]
    output: PathBuf,
    /// Aggiunge quello che serve a confrontare richiesta e risposta: la consultazione viene registrata
    #[arg(long, requires = "motivo")]
    apri: bool,
    /// Perché si apre
    #[arg(long, requires = "apri")]
    motivo: Option<String>,
}

/// `varco ledger consistency`.
#[derive(Debug, clap::Args)]
pub(super) struct Consistency {
    /// Il checkpoint di prima: il suo file, o il numero delle sue voci
    prima: String,
    /// Il checkpoint di dopo: il suo file; senza, l'ultimo firmato
    dopo: Option<PathBuf>,
    /// Il file della prova: nuovo
    #[arg(short, long)]
    output: PathBuf,
}

/// The last checkpoint, or why there is none.
fn last(directory: &Directory) -> Result<Signed> {
    let Some(signed) = checkpoint::last(&directory.evidence())? else {
        bail!("nessun checkpoint è stato ancora firmato: lo firma la porta, al più un secondo dopo una voce");
    };
    Ok(signed)
}

/// `varco ledger checkpoint`: the last one, as signed.
pub(super) fn checkpoint(directory: &Directory, output: Option<&Path>) -> Result<()> {
    let signed = last(directory)?;
    match output {
        None => print!("{}", signed.note),
        Some(output) => {
            create(output, signed.note.as_bytes(), PUBLIC)?;
            let voci = quanti(signed.head.size, "voce", "voci");
            println!("Checkpoint di {voci} scritto in {}.", output.display());
        }
    }
    Ok(())
}

/// `varco ledger chiave`: the verification key.
pub(super) fn chiave(directory: &Directory) -> Result<()> {
    let Some(key) = epoch::verification(&directory.keys()) else {
        bail!("qui non c'è una chiave di firma: nasce quando la porta apre la directory dei dati");
    };
    println!("{key}");
    Ok(())
}

/// `varco ledger prove`.
pub(super) fn prove(directory: &Directory, args: &Args, clock: &Clock) -> Result<()> {
    let signed = last(directory)?;
    let entry = found(directory, &args.voce)?;
    let (sequence, size) = (entry.leaf.seq, signed.head.size);
    if sequence > size {
        bail!(
            "la voce {sequence} non è ancora in un checkpoint (l'ultimo ne ha {size}): riprovare fra un secondo"
        );
    }
    let aperto = match &args.motivo {
        None => Aperto::default(),
        Some(motivo) => opened(directory, &entry, motivo, clock)?,
    };
    let mut tiles = Tiles::new(directory.tiles());
    let text = proof::inclusion(&entry, &aperto, &signed, &mut tiles).map_err(not_told)?;
    let mode = if aperto.is_some() { PRIVATE } else { PUBLIC };
    create(&args.output, text.as_bytes(), mode)?;
    println!(
        "Prova della voce {sequence} scritta in {}: vale con il checkpoint di {} che contiene.",
        args.output.display(),
        quanti(size, "voce", "voci")
    );
    println!(
        "Chi la riceve la verifica con varco-verify prova, e con la chiave che la porta gli ha dato prima."
    );
    Ok(())
}

/// The entry with a sequence, or of an exchange.
fn found(directory: &Directory, wanted: &str) -> Result<Entry> {
    let reader = directory.reader();
    if let Ok(sequence) = wanted.parse::<u64>() {
        let (found, skipped) = search::entry(&reader, sequence)?;
        tell_skipped(&skipped);
        return found.with_context(|| format!("nessuna voce con la sequenza {sequence}"));
    }
    let Ok(exchange) = wanted.parse::<Uuid>() else {
        bail!("{wanted:?} non è una sequenza, né l'id di uno scambio");
    };
    let filter = Filter {
        exchange: Some(exchange),
        kind: Some(Kind::Exchange),
        ..Filter::default()
    };
    let found = search::search(&reader, &filter, 1)?;
    tell_skipped(&found.skipped);
    let last = found.entries.into_iter().next_back();
    last.with_context(|| format!("nessuno scambio con l'id {exchange}"))
}

/// The openings of an entry's commitments. The look-up is recorded first.
fn opened(directory: &Directory, entry: &Entry, motivo: &str, clock: &Clock) -> Result<Aperto> {
    if motivo.trim().is_empty() {
        bail!("indicare il motivo (--motivo)");
    }
    let cosa = Consultazione::Prova {
        sequenza: entry.leaf.seq,
        motivo: motivo.to_owned(),
    };
    consultate::record(directory, cosa, clock)?;
    let keys = Keys::open(&directory.keys(), true)?;
    let (blinding, _) = seal::open(&keys, &entry.leaf, &entry.sealed)
        .with_context(|| format!("la parte riservata della voce {} non si apre", entry.leaf.seq))?;
    let aperto = Aperto::bodies(&blinding);
    if !aperto.is_some() {
        bail!("la voce è di un formato precedente: aprire un suo impegno li aprirebbe tutti");
    }
    Ok(aperto)
}

/// `varco ledger consistency`.
pub(super) fn consistency(directory: &Directory, args: &Consistency) -> Result<()> {
    let read = |path: &Path| -> Result<TreeHead> {
        let note = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        TreeHead::read(&note).with_context(|| format!("{}: non è un checkpoint", path.display()))
    };
    let last = last(directory)?;
    let signed = match &args.dopo {
        None => last,
        Some(path) => Signed {
            head: read(path)?,
            note: std::fs::read_to_string(path)?,
        },
    };
    let mut tiles = Tiles::new(directory.tiles());
    let earlier = match args.prima.parse::<u64>() {
        Ok(size) => size,
        Err(_) => {
            let head = read(Path::new(&args.prima))?;
            if head.origin != signed.head.origin {
                bail!(
                    "{} è di un altro registro, o di un'altra epoca: {}",
                    args.prima,
                    head.origin
                );
            }
            if tiles.root(head.size).map_err(not_told)? != head.root {
                bail!(
                    "il registro non contiene il checkpoint {}: qualcuno lo ha cambiato",
                    args.prima
                );
            }
            head.size
        }
    };
    let text = proof::consistency(earlier, &signed, &mut tiles).map_err(not_told)?;
    create(&args.output, text.as_bytes(), PUBLIC)?;
    println!(
        "Prova che il registro di {} continua quello di {} scritta in {}.",
        quanti(signed.head.size, "voce", "voci"),
        quanti(earlier, "voce", "voci"),
        args.output.display()
    );
    Ok(())
}

fn not_told(why: Untold) -> anyhow::Error {
    match why {
        Untold::Missing(_) => anyhow::Error::new(why)
            .context("l'albero del registro non è qui: lo fa la porta quando apre la directory dei dati"),
        Untold::Other | Untold::Outside { .. } => why.into(),
    }
}
