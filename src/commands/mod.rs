//! The commands: one file each, thin. They print for people; the layers below do the work.

mod avanzamento;
pub mod backup;
mod catalogo;
pub mod client;
mod configurazione;
mod consultate;
mod crl;
pub mod demo;
mod dove;
pub mod dsu;
pub mod ente;
pub mod errori;
mod esempi;
pub mod famiglie;
pub mod feed;
mod files;
mod guidata;
pub mod init;
pub mod ledger;
mod manuale;
mod operate;
mod parola;
pub mod pki;
mod prova;
pub mod rebuild;
pub mod requests;
pub mod rules;
pub mod serve;
mod socket;
mod spiega;
mod terminale;
pub mod upgrade;
mod uso;
mod who;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::dove::{Configurazione, Dove, GENERALI, Indicata};
use self::terminale::{Stile, Uscita};
use self::uso::{ESITI, is_usage, told};
use crate::clock::Clock;

/// Where to begin, below the list of commands; the exit statuses follow.
const DA_DOVE: &str = "\
Da dove cominciare:
  varco demo                   tutto in una volta, con dati inventati, in ./varco-demo
  varco init --guidata         una prima installazione, a domande
  varco COMANDO --help         ogni comando, con le sue opzioni
  varco spiega CODICE          che cosa significa un rifiuto, e che cosa fare";

/// Porta di dominio for the ISEE.
#[derive(Debug, Parser)]
#[command(
    name = "varco",
    version,
    about = "Porta di dominio per l'ISEE",
    propagate_version = true,
    after_help = format!("{DA_DOVE}\n\n{ESITI}")
)]
pub struct Cli {
    /// Chi agisce, se non è l'utente del sistema: resta nel registro, accanto all'utente che il sistema
    /// operativo attesta
    #[arg(long, global = true, help_heading = GENERALI)]
    operatore: Option<String>,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Prepara una directory dei dati: registro vuoto e chiavi nuove
    Init {
        /// La directory da creare
        #[arg(required_unless_present_any = ["config", "guidata"])]
        dir: Option<PathBuf>,
        /// Il file di configurazione: si crea la sua directory dei dati, se quello che il file dice va bene.
        /// Insieme a DIR: un file che non c'è ancora, e che viene scritto, commentato, con quella directory
        #[arg(long)]
        config: Option<PathBuf>,
        /// Anche se qualcosa della configurazione andrebbe corretto
        #[arg(long, requires = "config")]
        comunque: bool,
        /// Chiede e scrive tutto di una prima installazione: configurazione, certificati di prova se servono,
        /// directory dei dati, copia delle chiavi
        #[arg(long, exclusive = true)]
        guidata: bool,
    },
    /// Avvia la porta
    Serve {
        #[command(flatten)]
        config: Configurazione,
    },
    /// Mostra tutto in una volta, con certificati e dati inventati, in ./varco-demo
    Demo {
        /// Finisce dopo il giro invece di restare in ascolto
        #[arg(long, alias = "exit")]
        esci: bool,
        /// La porta TCP; un'altra se è occupata
        #[arg(long, alias = "port", default_value_t = 8443)]
        porta: u16,
    },
    /// Gli enti: richiesta, accreditamento, certificati, abilitazioni
    Ente(Box<ente::Args>),
    /// Una DSU in un file: controllarla, calcolarla
    Dsu(dsu::Args),
    /// I dati dell'Agenzia delle entrate e dell'INPS
    Feed(feed::Args),
    /// Le regole dell'ISEE, periodo per periodo
    Rules(rules::Args),
    /// Il registro delle operazioni
    Ledger(ledger::Args),
    /// Rifà le viste dal registro delle operazioni
    Rebuild(rebuild::Args),
    /// Porta al formato di questa versione una directory dei dati di una versione precedente
    Upgrade {
        /// La directory dei dati, come con --data
        #[arg(hide = true, conflicts_with_all = ["data", "config"])]
        dir: Option<PathBuf>,
        #[command(flatten)]
        dove: Indicata,
    },
    /// Copia il registro delle operazioni, anche mentre la porta è in funzione
    Backup(backup::Args),
    /// Fa rileggere la configurazione alla porta in funzione: tutto, o niente e il perché
    Reload {
        #[command(flatten)]
        dove: Dove,
        /// Anche con ciò che `check-config --rigoroso` rifiuta
        #[arg(long)]
        comunque: bool,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Come sta la porta in funzione
    Status {
        #[command(flatten)]
        dove: Dove,
        /// Fallisce se la porta non può rispondere con dati: per chi la sorveglia
        #[arg(long)]
        pronta: bool,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Controlla un file di configurazione e tutto ciò che nomina, senza avviare la porta
    CheckConfig {
        #[command(flatten)]
        config: Configurazione,
        /// Fallisce anche per ciò con cui la porta partirebbe, avvertendo
        #[arg(long)]
        rigoroso: bool,
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Prova da un capo all'altro una porta in funzione, con un ente di prova che poi toglie
    Prova(prova::Args),
    /// Le operazioni, le prestazioni e gli indicatori, con i loro nomi
    Catalogo {
        /// In JSON
        #[arg(long)]
        json: bool,
    },
    /// Spiega un codice di errore (F01.ente, K05.controllo, H02..): che cosa significa, che cosa fare
    Spiega {
        /// Il codice, la sua famiglia (K05), un Esito, o il type di un fault
        codice: String,
    },
    /// Tutti i modi in cui la porta dice di no, in Markdown
    Errori,
    /// Scrive le pagine di man, una per comando
    Manuale {
        /// Dove scriverle
        dir: PathBuf,
    },
    /// Che cosa completa la shell: si mette fra i suoi file
    Completamento {
        /// Per quale shell: bash, zsh, fish
        #[arg(value_enum, hide_possible_values = true)]
        shell: clap_complete::Shell,
    },
    /// La pagina del manuale su varco.toml: ogni chiave, in Markdown
    Configurazione,
    /// Le liste di revoca
    Crl(crl::Args),
    /// Certificati per prove e dimostrazioni: un ente usa quelli di una CA qualificata o riconosciuta
    Pki(pki::Args),
}

/// Runs a command: its exit status is as `uso::ESITI` says.
pub fn run(cli: Cli) -> ExitCode {
    let clock = Clock::system();
    who::set(cli.operatore);
    if !matches!(cli.command, Subcommands::Serve { .. }) {
        without_reader();
    }
    match carried_out(cli.command, &clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let name = Uscita::Errori.styled(Stile::Errore, "varco:");
            let _ = writeln!(std::io::stderr(), "{name} {}", told(&error));
            if is_usage(&error) {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn carried_out(command: Subcommands, clock: &Clock) -> anyhow::Result<()> {
    match command {
        Subcommands::Init {
            dir,
            config,
            comunque,
            guidata,
        } => {
            if guidata {
                guidata::run(clock)
            } else {
                init::run(dir, config.as_deref(), comunque, clock)
            }
        }
        Subcommands::Serve { config } => serve::run(&config.file(), clock),
        Subcommands::Demo { esci, porta } => demo::run(esci, porta, clock),
        Subcommands::Ente(args) => ente::run(*args, clock),
        Subcommands::Dsu(args) => dsu::run(args, clock),
        Subcommands::Feed(args) => feed::run(args, clock),
        Subcommands::Rules(args) => rules::run(args, clock),
        Subcommands::Ledger(args) => ledger::run(args, clock),
        Subcommands::Rebuild(args) => rebuild::run(args, clock),
        Subcommands::Upgrade { dir, dove } => {
            let dir = dir.map_or_else(|| dove.data(), Ok);
            dir.and_then(|dir| upgrade::run(&dir, clock))
        }
        Subcommands::Backup(args) => backup::run(&args),
        Subcommands::Reload { dove, comunque, json } => operate::reload(&dove, comunque, json),
        Subcommands::Status { dove, pronta, json } => operate::status(&dove, pronta, json),
        Subcommands::CheckConfig {
            config,
            rigoroso,
            json,
        } => operate::check(&config.file(), rigoroso, json, clock),
        Subcommands::Prova(args) => prova::run(args, clock),
        Subcommands::Catalogo { json } => catalogo::run(json),
        Subcommands::Spiega { codice } => spiega::run(&codice),
        Subcommands::Errori => {
            errori::run();
            Ok(())
        }
        Subcommands::Configurazione => configurazione::run(),
        Subcommands::Manuale { dir } => manuale::write(Cli::command(), &dir),
        Subcommands::Completamento { shell } => {
            manuale::complete(Cli::command(), shell);
            Ok(())
        }
        Subcommands::Crl(args) => crl::run(args, clock),
        Subcommands::Pki(args) => pki::run(args, clock),
    }
}

/// The answer to a command line without a command to carry out: help, the version, or an error (2).
pub fn misused(error: &clap::Error) -> ExitCode {
    let (text, wrong) = parola::told(error);
    // The other end may be closed already.
    let _ = if wrong {
        std::io::stderr().write_all(Uscita::Errori.page(&text).as_bytes())
    } else {
        std::io::stdout().write_all(Uscita::Normale.page(&text).as_bytes())
    };
    if wrong {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// The reader of a command's output may go before the end (`varco ledger list | head`). The command then
/// exits as if killed by SIGPIPE. Any other failure to write, such as a full disk, is an error.
fn without_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let what = panic
            .payload()
            .downcast_ref::<String>()
            .map(String::as_str)
            .unwrap_or_default();
        if !what.starts_with("failed printing to std") {
            return usual(panic);
        }
        if !what.contains("Broken pipe") {
            // Standard error may be closed, too.
            let _ = writeln!(std::io::stderr(), "varco: l'uscita non si può scrivere");
        }
        std::process::exit(if what.contains("Broken pipe") { 128 + 13 } else { 1 });
    }));
}
