//! `varco ente ...`: on the admin socket of the running gateway, or on the data directory when it is stopped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use super::socket;
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::digest::{hex, sha256};
use crate::gateway::node::Node;
use crate::ledger::Directory;
use crate::ledger::disk::RealDisk;
use crate::registry::administration::{Actor, Command, perform};
use crate::registry::ente::{Certificato, Ente, Stato, Tipo};
use crate::tls::{profile, server};

/// `varco ente`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// La directory dei dati
    #[arg(long, global = true, default_value = "varco-data")]
    data: PathBuf,
    /// Perché: resta nel registro
    #[arg(long, global = true, default_value = "")]
    motivo: String,
    /// In JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Registra una richiesta di accreditamento
    Richiedi {
        /// Codice dell'ente in questo registro
        codice: String,
        /// Denominazione
        #[arg(long)]
        denominazione: String,
        /// Codice fiscale (11 cifre)
        #[arg(long)]
        codice_fiscale: String,
        /// comune, caf, ente-erogatore, universita, altro
        #[arg(long)]
        tipo: String,
    },
    /// Accoglie la richiesta
    Accredita {
        /// Codice dell'ente
        codice: String,
    },
    /// Respinge la richiesta
    Rifiuta {
        /// Codice dell'ente
        codice: String,
    },
    /// Sospende un ente accreditato
    Sospendi {
        /// Codice dell'ente
        codice: String,
    },
    /// Riattiva un ente sospeso
    Riattiva {
        /// Codice dell'ente
        codice: String,
    },
    /// Revoca l'accreditamento
    Revoca {
        /// Codice dell'ente
        codice: String,
    },
    /// Aggiunge un certificato (o lo toglie, con --togli)
    Certificato {
        /// Codice dell'ente
        codice: String,
        /// Il file PEM, oppure l'impronta SHA-256
        certificato: String,
        /// Primo giorno (aaaa-mm-gg)
        #[arg(long)]
        dal: Option<String>,
        /// Ultimo giorno (aaaa-mm-gg)
        #[arg(long)]
        al: Option<String>,
        /// Lo toglie
        #[arg(long)]
        togli: bool,
    },
    /// Dice che cosa l'ente può fare: sostituisce ciò che poteva prima
    Abilita {
        /// Codice dell'ente
        codice: String,
        /// Operazioni, separate da virgole
        #[arg(long, value_delimiter = ',')]
        operazioni: Vec<String>,
        /// Prestazioni, separate da virgole
        #[arg(long, value_delimiter = ',')]
        prestazioni: Vec<String>,
        /// La prestazione sottintesa dove nessuna è indicata
        #[arg(long)]
        predefinita: Option<String>,
    },
    /// Elenca gli enti
    Lista,
    /// Mostra un ente
    Mostra {
        /// Codice dell'ente
        codice: String,
    },
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let command = match args.what {
        What::Lista => return list(&args.data, None, args.json, clock),
        What::Mostra { codice } => return list(&args.data, Some(&codice), args.json, clock),
        What::Richiedi { codice, denominazione, codice_fiscale, tipo } => {
            let tipo = Tipo::by_name(&tipo).context("tipo sconosciuto: comune, caf, ente-erogatore, universita, altro")?;
            Command::Richiedi { codice, denominazione, codice_fiscale, tipo }
        }
        What::Accredita { codice } => to(codice, Stato::Accreditato),
        What::Rifiuta { codice } => to(codice, Stato::Rifiutato),
        What::Sospendi { codice } => to(codice, Stato::Sospeso),
        What::Riattiva { codice } => to(codice, Stato::Accreditato),
        What::Revoca { codice } => to(codice, Stato::Revocato),
        What::Certificato { codice, certificato, dal, al, togli } => {
            let sha256 = pin(&certificato, !togli)?;
            if togli {
                Command::TogliCertificato { codice, sha256 }
            } else {
                Command::AggiungiCertificato { codice, certificato: Certificato { sha256, dal, al } }
            }
        }
        What::Abilita { codice, operazioni, prestazioni, predefinita } => Command::Abilita { codice, operazioni, prestazioni, predefinita },
    };
    let ente = super::runtime()?.block_on(apply(&args.data, command, &args.motivo, clock))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&ente)?);
    } else {
        println!("{} {} ({})", ente.codice, ente.stato.name(), ente.denominazione);
    }
    Ok(())
}

fn to(codice: String, nuovo: Stato) -> Command {
    Command::Stato { codice, nuovo }
}

/// Carries out a command where the registry is: in the running gateway, or here.
pub async fn apply(data: &Path, command: Command, motivo: &str, clock: &Clock) -> Result<Ente> {
    let directory = Directory::open(data)?;
    if let Some(ente) = socket::post(&directory.socket(), "/ente", &command, motivo).await? {
        return Ok(ente);
    }
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let recorded = node.record_recovery().await;
    let done = perform(&node.ledger, &node.registry, &command, &myself(), motivo, clock.now()).await;
    node.close();
    recorded?;
    Ok(done?)
}

/// Who runs this command, where no socket says it.
pub(super) fn myself() -> Actor {
    Actor { uid: rustix::process::getuid().as_raw(), pid: Some(rustix::process::getpid().as_raw_nonzero().get()) }
}

/// A pin from a PEM file or as it is. A certificate that the channel would never let in is not worth registering.
fn pin(certificato: &str, judged: bool) -> Result<String> {
    if !Path::new(certificato).exists() {
        return Ok(certificato.to_lowercase());
    }
    let all = server::certificates(Path::new(certificato))?;
    let own = all.first().context("nessun certificato")?;
    if judged && let Err(unfit) = profile::check(own) {
        bail!("il certificato non sarebbe ammesso: {unfit}");
    }
    Ok(hex(&sha256(own)))
}

fn list(data: &Path, codice: Option<&str>, json: bool, clock: &Clock) -> Result<()> {
    let directory = Directory::open(data)?;
    let running: Option<Vec<Ente>> = super::runtime()?.block_on(socket::get(&directory.socket(), "/enti"))?;
    let mut enti = match running {
        Some(enti) => enti,
        None => {
            let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
            let recorded = super::runtime()?.block_on(node.record_recovery());
            let enti = node.registry.enti();
            node.close();
            recorded?;
            enti?
        }
    };
    if let Some(codice) = codice {
        enti.retain(|ente| ente.codice == codice);
        if enti.is_empty() {
            bail!("l'ente {codice} non esiste");
        }
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&enti)?);
        return Ok(());
    }
    for ente in enti {
        println!("{:<16} {:<12} {}", ente.codice, ente.stato.name(), ente.denominazione);
        if codice.is_some() {
            println!("  codice fiscale  {}", ente.codice_fiscale);
            println!("  operazioni      {}", ente.operazioni.join(", "));
            println!("  prestazioni     {}", ente.prestazioni.join(", "));
            for certificate in &ente.certificati {
                let window = |day: &Option<String>| day.clone().unwrap_or_else(|| "..".to_owned());
                println!("  certificato     {} dal {} al {}", certificate.sha256, window(&certificate.dal), window(&certificate.al));
            }
        }
    }
    Ok(())
}
