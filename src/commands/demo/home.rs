//! The directory of the demonstration, `./varco-demo`. A new demonstration removes the files of an earlier
//! one. It keeps all other files, and refuses while another one runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};

use crate::ledger::{Directory, DirectoryError, Lock};

/// Files of the demonstration beside its data directory.
const OWN: [&str; 4] = [
    "varco.toml",
    "trasmissione.xml",
    "indicatore.xml",
    "attestazione.xml",
];

/// Whether the demonstration makes a file of this path within its directory.
fn is_own(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let ends = |name: &str, with: &[&str]| with.iter().any(|end| name.ends_with(end));
    match parts[..] {
        [name] => OWN.contains(&name),
        ["pki", name] => {
            ends(name, &[".pem", ".key"])
                && ["ca", "crl", "server", "comune", "caf", "sospeso", "straniero"]
                    .iter()
                    .any(|own| name.starts_with(own))
        }
        ["data", name] => ["FORMAT", "lock", "admin.sock"].contains(&name),
        ["data", "keys", name] => ["keyring", "master.key", "firma"].contains(&name),
        ["data", "evidence", name] => name == "checkpoint",
        ["data", "ledger", "tile", "mark"] => true,
        ["data", "ledger", "tile", ref number @ ..] => number.iter().all(|part| {
            let digits = part.trim_start_matches('x');
            !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
        }),
        ["data", "ledger", name] => {
            ["HEAD", "SYNC-FAILED"].contains(&name)
                || (name.starts_with(|first: char| first.is_ascii_digit()) && name.contains('.'))
        }
        ["data", "views", name] => ["TRUST", "counts"].contains(&name) || name.starts_with("views."),
        _ => false,
    }
}

/// All files below a directory, relative to `home`; directories are left out.
fn files(home: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let wrong = |error: std::io::Error| anyhow!("{}: {}", below.display(), crate::italian::io(&error));
    for entry in std::fs::read_dir(below).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        // A link is not followed: its target is no file of the demonstration.
        if entry.file_type().map_err(wrong)?.is_dir() {
            files(home, &entry.path(), found)?;
        } else {
            found.push(entry.path().strip_prefix(home)?.to_owned());
        }
    }
    Ok(())
}

/// Makes room for a demonstration: removes the files of an earlier one. Removes nothing while one runs, or if
/// its data directory holds another file.
pub(super) fn clear(home: &Path) -> Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(home) else {
        return Ok(());
    };
    if !metadata.is_dir() {
        bail!(
            "./{} non è una directory di questa dimostrazione: spostarla",
            home.display()
        );
    }
    let _held = unused(home)?;
    let mut found = Vec::new();
    files(home, home, &mut found)?;
    let foreign: Vec<_> = found.iter().filter(|file| !is_own(file)).collect();
    if let Some(file) = foreign.iter().find(|file| file.starts_with("data")) {
        bail!(
            "./{}/{} non è un file della dimostrazione: spostarlo, e ripetere il comando; nulla è stato cancellato",
            home.display(),
            file.display()
        );
    }
    for file in found.iter().filter(|file| is_own(file)) {
        let path = home.join(file);
        std::fs::remove_file(&path)
            .map_err(|error| anyhow!("{}: {}", path.display(), crate::italian::io(&error)))?;
    }
    let above = found.iter().flat_map(|file| file.ancestors().skip(1));
    let below_data: BTreeSet<_> = above.filter(|directory| directory.starts_with("data")).collect();
    // The deepest first. A directory that is not empty stays as it is.
    for directory in below_data.iter().rev() {
        let _ = std::fs::remove_dir(home.join(directory));
    }
    if let Some(file) = foreign.first() {
        println!(
            "./{}/{} e gli altri file che la dimostrazione non ha fatto restano dove sono",
            home.display(),
            file.display()
        );
    }
    Ok(())
}

/// The lock of the demonstration's data directory; `None` without one. Fails while a gateway holds it.
fn unused(home: &Path) -> Result<Option<Lock>> {
    let Ok(directory) = Directory::open(&home.join("data")) else {
        return Ok(None);
    };
    match directory.lock() {
        Ok(lock) => Ok(Some(lock)),
        Err(DirectoryError::Locked(_)) => {
            bail!(
                "una dimostrazione è in corso in ./{}: fermarla (Ctrl-C), oppure avviarne un'altra in un'altra directory",
                home.display()
            )
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_demonstration_did_not_make_stays() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        let own = [
            "varco.toml",
            "indicatore.xml",
            "pki/ca.pem",
            "pki/caf.key",
            "data/lock",
            "data/ledger/HEAD",
            "data/ledger/00000000000000000001.seg",
            "data/views/views.redb",
            "data/ledger/tile/mark",
            "data/ledger/tile/0/x001/002",
            "data/ledger/tile/1/000",
            "data/evidence/checkpoint",
            "data/keys/keyring",
            "data/keys/firma",
        ];
        let others = ["note.txt", "pki/mia.pem", "pki/caf.txt", "altra/data/lock"];
        own.iter().chain(&others).for_each(|name| put(name));
        std::os::unix::fs::symlink("/etc/hostname", home.path().join("legame")).unwrap();
        // A strange file in the data directory: nothing is removed.
        put("data/ledger/appunti");
        assert!(
            clear(home.path())
                .unwrap_err()
                .to_string()
                .contains("data/ledger/appunti")
        );
        assert!(own.iter().all(|name| home.path().join(name).exists()));
        std::fs::remove_file(home.path().join("data/ledger/appunti")).unwrap();
        clear(home.path()).unwrap();
        assert!(
            own.iter().all(|name| !home.path().join(name).exists()) && !home.path().join("data").exists()
        );
        assert!(
            others.iter().all(|name| home.path().join(name).exists())
                && home.path().join("legame").is_symlink()
        );
        clear(home.path()).unwrap();
    }
}
