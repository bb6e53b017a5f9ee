//! `varco crl fetch`: downloads the revocation lists from the sources in the configuration, and puts the good
//! ones in place. A running gateway reads them by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Subcommand;
use hyper::{Request, Uri};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::Serialize;

use super::dove::Configurazione;
use super::files;
use crate::clock::Clock;
use crate::config::{Config, CrlSource};
use crate::tls::client::{self, NoReply};
use crate::tls::lists::{LARGEST, judge};
use crate::tls::setup::listers;

/// `varco crl`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Scarica le liste di [[tls.crl_source]], le controlla e le mette al loro posto; una lista non buona
    /// lascia quella che c'è
    Fetch {
        #[command(flatten)]
        config: Configurazione,
        /// Quanti secondi può durare ogni scaricamento
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
        secondi: u64,
        /// Di nuovo ogni tanti minuti, finché non è fermato: dove non c'è chi lo riavvia
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1440))]
        ogni_minuti: Option<u64>,
        /// L'esito in JSON
        #[arg(long)]
        json: bool,
    },
}

/// The outcome of one source.
#[derive(Debug, Serialize)]
struct Fetched {
    url: String,
    file: PathBuf,
    esito: Esito,
    #[serde(skip_serializing_if = "Option::is_none")]
    motivo: Option<String>,
    /// The last instant of the list's validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    scadenza: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocati: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Esito {
    Aggiornata,
    Invariata,
    Rifiutata,
}

/// Runs `varco crl`: once, or every so many minutes until it is killed.
pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let What::Fetch {
        config,
        secondi,
        ogni_minuti,
        json,
    } = args.what;
    let config = config.file();
    let limit = Duration::from_secs(secondi);
    let Some(minutes) = ogni_minuti else {
        return once(&config, limit, json, clock);
    };
    loop {
        // An error now may be gone next time. The configuration, too, is read again.
        if let Err(error) = once(&config, limit, json, clock) {
            println!("{error:#}");
        }
        std::thread::sleep(Duration::from_secs(minutes * 60));
    }
}

fn once(config: &Path, limit: Duration, json: bool, clock: &Clock) -> Result<()> {
    let config = Config::read(config)?;
    let sources = &config.tls.crl_sources;
    ensure!(
        !sources.is_empty(),
        "nessuna [[tls.crl_source]] nella configurazione"
    );
    let authorities = listers(&config.tls)?;
    let runtime = super::uso::runtime()?;
    let fetched: Vec<Fetched> = sources
        .iter()
        .map(|source| runtime.block_on(fetch(source, &authorities, limit, clock)))
        .collect();
    // Does not wait for a DNS look-up still running.
    runtime.shutdown_background();
    if json {
        println!("{}", serde_json::to_string_pretty(&fetched)?);
    } else {
        fetched.iter().for_each(tell);
    }
    let refused = fetched
        .iter()
        .filter(|fetched| fetched.esito == Esito::Rifiutata)
        .count();
    ensure!(
        refused == 0,
        "liste non aggiornate: {refused} su {}",
        fetched.len()
    );
    Ok(())
}

fn tell(fetched: &Fetched) {
    let file = fetched.file.display();
    match (fetched.esito, &fetched.motivo, fetched.scadenza, fetched.revocati) {
        (Esito::Rifiutata, Some(motivo), ..) => println!("{file}: {} NON scaricata: {motivo}", fetched.url),
        (esito, _, Some(scadenza), Some(revocati)) => {
            let esito = if esito == Esito::Invariata {
                "invariata"
            } else {
                "aggiornata"
            };
            println!("{file}: {esito}, {revocati} revocati, vale fino al {scadenza}");
        }
        _ => {}
    }
}

async fn fetch(
    source: &CrlSource,
    authorities: &[CertificateDer<'static>],
    limit: Duration,
    clock: &Clock,
) -> Fetched {
    let CrlSource { url, file } = source.clone();
    let downloaded = match tokio::time::timeout(limit, download(&url)).await {
        Ok(downloaded) => downloaded,
        Err(_) => Err(anyhow::anyhow!("non finita in {} secondi", limit.as_secs())),
    };
    match downloaded.and_then(|bytes| put(&file, &bytes, authorities, clock)) {
        Ok((esito, scadenza, revocati)) => Fetched {
            url,
            file,
            esito,
            motivo: None,
            scadenza: Some(scadenza),
            revocati: Some(revocati),
        },
        Err(error) => Fetched {
            url,
            file,
            esito: Esito::Rifiutata,
            motivo: Some(format!("{error:#}")),
            scadenza: None,
            revocati: None,
        },
    }
}

/// Puts a list in place, if it is good.
fn put(
    file: &Path,
    bytes: &[u8],
    authorities: &[CertificateDer<'static>],
    clock: &Clock,
) -> Result<(Esito, Timestamp, usize)> {
    let in_place = match std::fs::read(file) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    let good = judge(bytes, in_place.as_deref(), authorities, clock.now())
        .map_err(|flaw| anyhow::anyhow!(flaw.text()))?;
    let esito = if in_place.as_deref() == Some(bytes) {
        Esito::Invariata
    } else {
        Esito::Aggiornata
    };
    if esito == Esito::Aggiornata {
        files::replace(file, bytes)?;
    }
    Ok((esito, Timestamp::from_second(good.expires)?, good.revoked))
}

/// Gets a body of at most [`LARGEST`] bytes.
async fn download(url: &str) -> Result<Vec<u8>> {
    let uri: Uri = url.parse().context("indirizzo non valido")?;
    ensure!(uri.host().is_some(), "indirizzo senza host");
    ensure!(client::is_address(&uri), "indirizzo con credenziali, o non http");
    let got = client::send(
        &uri,
        Request::get("/").header("accept", "application/pkix-crl, */*"),
        Bytes::new(),
        LARGEST,
    )
    .await;
    got.map(|bytes| bytes.to_vec()).map_err(|error| match error {
        NoReply::Address => anyhow::anyhow!("indirizzo non valido"),
        NoReply::Unreachable(error) => anyhow::Error::new(error).context("server non raggiungibile"),
        NoReply::Broken => anyhow::anyhow!("nessuna risposta HTTP, o interrotta"),
        NoReply::Status(status) if status.is_redirection() => {
            anyhow::anyhow!(
                "il server rimanda altrove (HTTP {}): non si segue",
                status.as_u16()
            )
        }
        NoReply::Status(status) => anyhow::anyhow!("il server risponde HTTP {}", status.as_u16()),
        NoReply::Large => anyhow::anyhow!("più grande di {} MiB", LARGEST >> 20),
    })
}
