//! `varco backup`: copies the ledger, even while a gateway runs, and verifies the copy. With `--chiavi` it
//! copies the keys, to a directory of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::avanzamento::{Avanzamento, Lavoro};
use super::dove::Dove;
use super::ledger::verify_with;
use crate::ledger::Directory;
use crate::ledger::committer::StartError;
use crate::ledger::segments::Loss;
use crate::state;

/// `varco backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dove copiare il registro: una directory nuova
    copia: PathBuf,
    #[command(flatten)]
    dove: Dove,
    /// Dove copiare le chiavi: un'altra directory nuova, da tenere altrove
    #[arg(long, alias = "keys")]
    chiavi: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let data = args.dove.data()?;
    let directory = Directory::open_to_read(&data)?;
    if args
        .chiavi
        .as_ref()
        .is_some_and(|keys| keys.starts_with(&args.copia))
    {
        bail!("le chiavi si salvano altrove: chi ha copia e chiavi ha tutto");
    }
    if let Some(keys) = args.chiavi.as_ref().filter(|keys| keys.exists()) {
        bail!(
            "{} c'è già: le chiavi si copiano in una directory nuova",
            keys.display()
        );
    }
    if args.copia.starts_with(&data) {
        bail!("la copia si fa fuori dalla directory dei dati");
    }
    // First the views, then the log: a gateway may append meanwhile.
    let views = state::reached(&directory.views(), directory.ledger);
    let shown = Avanzamento::of(Lavoro {
        nome: "copia del registro",
        passi: "byte",
        totale: directory.log_bytes().ok(),
    });
    let bytes = directory.backup(&args.copia)?;
    drop(shown);
    println!("registro copiato in {}: {bytes} byte", args.copia.display());
    if let Some(keys) = &args.chiavi {
        // After the ledger: keys are synced before their first use, so the copied keys cover every copied
        // entry.
        copy_keys(&directory.keys(), keys)?;
        println!("chiavi copiate in {}", keys.display());
    }
    // Checks the copy now, not at a restore: is it whole, and do these keys open it?
    let copy = Directory::open_to_read(&args.copia)?;
    let checked = verify_with(&copy, args.chiavi.as_deref().unwrap_or(&directory.keys()));
    checked.context("la copia è stata fatta, ma non tutto ciò che contiene si legge")?;
    let entries = copy.extent(Loss::Refused)?.head;
    if let Some(views) = views.filter(|views| *views > entries) {
        return Err(StartError::Ahead { views, log: entries })
            .context("la copia è stata fatta, ma al registro mancano voci");
    }
    if args.chiavi.is_none() {
        println!("Le chiavi NON sono nella copia: varco backup --chiavi le copia in un'altra directory.");
    }
    Ok(())
}

/// Copies the master key and the keyring to a new directory.
pub(super) fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if let Some(around) = to.parent() {
        std::fs::create_dir_all(around).with_context(|| around.display().to_string())?;
    }
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(to)
        .with_context(|| to.display().to_string())?;
    for name in ["master.key", "keyring"] {
        std::fs::copy(from.join(name), to.join(name)).with_context(|| name.to_owned())?;
        std::fs::File::open(to.join(name))?.sync_all()?;
    }
    std::fs::File::open(to)?.sync_all()?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    std::fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}
