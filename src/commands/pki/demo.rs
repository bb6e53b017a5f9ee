//! `varco pki demo DIR`: certificates for a demonstration, made new each time. The authority's key is not
//! kept.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::authority::{DAYS, Issued, TestAuthority};
use crate::commands::files::{PRIVATE, PUBLIC};

/// The certificates of the demonstration; they are in files, too.
pub struct Demo {
    /// Their issuer; its key is in no file.
    pub authority: TestAuthority,
    /// The municipality's certificate and key.
    pub comune: Issued,
    /// The CAF's certificate and key.
    pub caf: Issued,
    /// From the right authority; its ente will be suspended.
    pub sospeso: Issued,
}

/// Makes the demonstration's certificates in a directory.
pub fn demo(directory: &Path, now: Timestamp) -> Result<Demo> {
    std::fs::create_dir_all(directory)?;
    let authority = TestAuthority::new("Varco demo CA", now)?;
    let stranger = TestAuthority::new("Another CA", now)?.client("straniero")?;
    let server = authority.server(&["localhost", "127.0.0.1", "::1"])?;
    let (comune, caf, sospeso) = (
        authority.client("comune")?,
        authority.client("caf")?,
        authority.client("sospeso")?,
    );
    let demo = Demo {
        authority,
        comune,
        caf,
        sospeso,
    };
    write(directory, "ca.pem", &demo.authority.pem(), PUBLIC)?;
    write(directory, "crl.pem", &demo.authority.crl(&[], DAYS)?, PUBLIC)?;
    let all = [
        ("server", &server),
        ("comune", &demo.comune),
        ("caf", &demo.caf),
        ("sospeso", &demo.sospeso),
        ("straniero", &stranger),
    ];
    for (name, issued) in all {
        write(directory, &format!("{name}.pem"), &issued.certificate, PUBLIC)?;
        write(directory, &format!("{name}.key"), &issued.key, PRIVATE)?;
    }
    Ok(demo)
}

fn write(directory: &Path, name: &str, content: &str, mode: u32) -> Result<()> {
    let path = directory.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&path)?;
    file.write_all(content.as_bytes())
        .with_context(|| path.display().to_string())
}
