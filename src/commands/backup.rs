//! `varco backup`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::ledger::keys::Access;
use crate::ledger::{Directory, Keys};

/// `varco backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dove copiare il registro: una directory nuova
    target: PathBuf,
    /// La directory dei dati
    #[arg(long, default_value = "varco-data")]
    data: PathBuf,
    /// Dove copiare le chiavi: un'altra directory nuova, da tenere altrove
    #[arg(long)]
    keys: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let directory = Directory::open(&args.data)?;
    if args.keys.as_ref().is_some_and(|keys| keys.starts_with(&args.target)) {
        bail!("le chiavi si salvano altrove: chi ha copia e chiavi ha tutto");
    }
    let bytes = directory.backup(&args.target)?;
    println!("registro copiato in {}: {bytes} byte", args.target.display());
    if let Some(keys) = &args.keys {
        // After the ledger: keys are synced before they are first used, so every entry that was copied has its key in the copy of the keys.
        copy_keys(&directory.keys(), keys)?;
        println!("chiavi copiate in {}", keys.display());
    }
    if args.keys.is_none() {
        println!("Le chiavi NON sono nella copia: varco backup --keys le copia in un'altra directory.");
    }
    Ok(())
}

fn copy_keys(from: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(to).with_context(|| to.display().to_string())?;
    for name in ["master.key", "keyring"] {
        std::fs::copy(from.join(name), to.join(name)).with_context(|| name.to_owned())?;
        std::fs::File::open(to.join(name))?.sync_all()?;
    }
    // What is copied is looked at: a copy that opens nothing is found out now.
    let damaged = Keys::open_for(to, Access::Inspect)?.damaged();
    if !damaged.is_empty() {
        bail!("il portachiavi è danneggiato: chiavi {damaged:?}; varco ledger verify dice quali voci non si leggono");
    }
    std::fs::File::open(to)?.sync_all()?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    std::fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}
