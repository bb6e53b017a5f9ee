//! `varco ente ...`: on the admin socket of the running gateway, or on the data directory when it is stopped.

mod ammissione;
mod apply;
mod argomenti;
mod fatto;
mod mostra;
mod tabella;

pub(super) use apply::enti;
pub use apply::{apply, apply_all};
pub use mostra::{changes, told};

use std::path::{Path, PathBuf};

use anyhow::Result;
use argomenti::{
    AbilitaArgs, AccreditaArgs, AggiornaArgs, CertificatoArgs, ImportaArgs, QuotaArgs, RichiediArgs, SiNo,
    UfficioArgs,
};
use clap::Subcommand;

use super::dove::{Dove, GENERALI};
use crate::clock::Clock;
use crate::registry::administration::Command;
use crate::registry::ente::{Decisione, Ente, Richiesta, Stato, Tipo};
use crate::registry::tabelle;

/// `varco ente`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    dove: Dove,
    /// Perché, per i comandi che cambiano qualcosa: resta nel registro
    #[arg(long, global = true, default_value = "", hide_default_value = true, help_heading = GENERALI)]
    motivo: String,
    /// In JSON
    #[arg(long, global = true, help_heading = GENERALI)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Registra una richiesta di accreditamento: di un ente nuovo, oppure respinto o revocato
    Richiedi(RichiediArgs),
    /// Corregge i dati di un ente: cambia solo ciò che è indicato
    Aggiorna(AggiornaArgs),
    /// Accoglie la richiesta; di un ente già accreditato, la rinnova
    Accredita(AccreditaArgs),
    /// Respinge la richiesta
    Rifiuta {
        /// Codice dell'ente
        codice: String,
        /// La direzione regionale che ha deciso
        #[arg(long)]
        direzione: Option<String>,
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
    /// Aggiunge un certificato (o lo toglie, con --togli); `certificato prova FILE` dice come sarebbe ammesso
    Certificato(CertificatoArgs),
    /// Aggiunge un'abilitazione (o la toglie, con --togli e il suo numero)
    Abilita(AbilitaArgs),
    /// Aggiunge un ufficio (o lo toglie), o dice se le richieste devono indicarne uno
    Ufficio(UfficioArgs),
    /// Stabilisce che cosa c'è nelle risposte all'ente
    Risposte {
        /// Codice dell'ente
        codice: String,
        /// Se le attestazioni hanno ISEEFamiglia (DSU dal 2026): no per chi le legge con lo schema del 2021
        #[arg(long, value_enum, value_name = "SÌ|NO")]
        isee_famiglia: SiNo,
    },
    /// Stabilisce le quote: quelle non indicate non ci sono più
    Quota(QuotaArgs),
    /// Elenca gli enti
    Lista {
        /// Solo quelli in questo stato, com'è oggi: `sospeso` anche per chi è oltre la scadenza, `scaduto`
        /// solo per questi
        #[arg(long, value_enum)]
        stato: Option<mostra::Oggi>,
        /// Solo quelli di questo tipo
        #[arg(long)]
        tipo: Option<Tipo>,
    },
    /// Mostra un ente
    Mostra {
        /// Codice dell'ente
        codice: String,
    },
    /// Tutto ciò che è successo a un ente: quando, chi, perché
    Storia {
        /// Codice dell'ente
        codice: String,
    },
    /// Registra gli enti di una tabella: senza --conferma dice solo che cosa farebbe
    Importa(ImportaArgs),
    /// Scrive gli enti come tabella CSV, o per intero con --json
    Esporta,
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let Args {
        dove,
        motivo,
        json,
        what,
    } = args;
    let registro = Registro {
        data: dove.data()?,
        motivo,
        json,
        clock,
    };
    match what {
        What::Lista { stato, tipo } => mostra::list(&registro.enti()?, stato, tipo, clock.today(), json),
        What::Mostra { codice } => mostra::one(&registro.enti()?, &codice, clock, json),
        What::Storia { codice } => mostra::history(&registro.data, &codice, json, clock),
        What::Esporta => tabella::export(&registro.enti()?, json),
        What::Importa(args) => registro.import(args),
        What::Certificato(args) if args.codice == "prova" => {
            let certificato = Path::new(&args.certificato);
            ammissione::judge(
                certificato,
                dove.configuration().as_deref(),
                &registro.enti()?,
                clock,
            )?
            .say(json)
        }
        What::Accredita(AccreditaArgs {
            tabella: Some(file), ..
        }) => registro.table(&file, tabelle::decisioni),
        What::Abilita(AbilitaArgs {
            tabella: Some(file), ..
        }) => registro.table(&file, tabelle::abilitazioni),
        What::Abilita(AbilitaArgs {
            codice,
            togli: Some(numero),
            ..
        }) => registro.take_back(codice.unwrap_or_default(), numero),
        What::Richiedi(args) => registro.change(args.command()?),
        What::Aggiorna(args) => registro.change(args.command(registro.enti()?)?),
        What::Accredita(args) => registro.change(args.command()),
        What::Rifiuta { codice, direzione } => registro.change(Command::Decidi {
            codice,
            accolta: false,
            decisione: Decisione {
                direzione,
                ..Decisione::default()
            },
            come_richiesto: false,
        }),
        What::Sospendi { codice } => registro.state(codice, Stato::Sospeso),
        What::Riattiva { codice } => registro.state(codice, Stato::Accreditato),
        What::Revoca { codice } => registro.state(codice, Stato::Revocato),
        What::Certificato(args) => registro.certificate(args, dove.configuration().as_deref()),
        What::Abilita(args) => registro.change(args.command()),
        What::Ufficio(args) => registro.change(args.command()),
        What::Risposte {
            codice,
            isee_famiglia,
        } => registro.change(Command::Risposte {
            codice,
            isee_famiglia: isee_famiglia.is_yes(),
        }),
        What::Quota(args) => registro.change(args.command()),
    }
}

/// The registry of a data directory, and how to tell of it.
struct Registro<'a> {
    data: PathBuf,
    motivo: String,
    json: bool,
    clock: &'a Clock,
}

impl Registro<'_> {
    fn enti(&self) -> Result<Vec<Ente>> {
        super::uso::runtime()?.block_on(enti(&self.data, self.clock))
    }

    /// Carries out a command, and shows the ente.
    fn change(&self, command: Command) -> Result<()> {
        self.shown(command).map(|warnings| say(&warnings))
    }

    fn state(&self, codice: String, nuovo: Stato) -> Result<()> {
        self.change(Command::Stato { codice, nuovo })
    }

    /// Carries out a command, and shows the ente; gives the warnings to say last.
    fn shown(&self, command: Command) -> Result<Vec<String>> {
        let today = self.clock.today();
        let decides = matches!(command, Command::Decidi { .. } | Command::Stato { .. });
        let asked = matches!(
            command,
            Command::Decidi {
                come_richiesto: true,
                ..
            }
        );
        let runtime = super::uso::runtime()?;
        let ente = runtime.block_on(apply(&self.data, command.clone(), &self.motivo, self.clock))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&ente)?);
        } else {
            let standing = ente.standing(today);
            println!("{} {standing} ({})", ente.codice, ente.anagrafica.denominazione);
            if let Some(done) = fatto::fatto(&command, &ente) {
                println!("{done}");
            }
        }
        let mut warnings = match decides {
            true => mostra::warnings(&ente, today),
            false => Vec::new(),
        };
        warnings.extend(mostra::left_out(&ente).filter(|_| asked));
        Ok(warnings)
    }

    /// Takes a grant back, and shows it. A number belongs to one grant for ever: the grant read here is the
    /// one taken back.
    fn take_back(&self, codice: String, numero: u32) -> Result<()> {
        let ente = self.enti()?.into_iter().find(|ente| ente.codice == codice);
        let grant = ente.and_then(|ente| ente.abilitazioni.into_iter().find(|grant| grant.numero == numero));
        let warnings = self.shown(Command::Disabilita { codice, numero })?;
        if let Some(grant) = grant
            && !self.json
        {
            println!("tolta l'abilitazione {}: {}", grant.numero, mostra::grant(&grant));
        }
        say(&warnings);
        Ok(())
    }

    /// Adds a certificate or takes it back. Warns of doubts about one that was added.
    fn certificate(&self, args: CertificatoArgs, config: Option<&Path>) -> Result<()> {
        let (file, codice) = (PathBuf::from(&args.certificato), args.codice.clone());
        let is_added = !args.togli && !args.emittente && file.exists();
        self.change(args.command()?)?;
        if is_added {
            say(&ammissione::doubts(
                &file,
                config,
                &self.enti()?,
                &codice,
                self.clock,
            )?);
        }
        Ok(())
    }

    /// Says what the rows of a table would register; does it with `--conferma`.
    fn import(&self, args: ImportaArgs) -> Result<()> {
        let richiesta = Richiesta {
            pec: args.cosa.pec,
            base_giuridica: args.cosa.base_giuridica,
            finalita: args.cosa.finalita,
            ..Richiesta::default()
        };
        let today = self.clock.today();
        let plan = tabella::plan(&args.file, args.formato, &richiesta, &self.enti()?, today)?;
        let done = args.conferma && !plan.commands.is_empty();
        if done {
            let commands = plan.commands.clone();
            tabella::registered(&self.data, commands, &self.motivo, self.clock)?;
        }
        tabella::say(&plan, done, self.json)
    }

    /// Carries out the rows of a table, all or none.
    fn table(&self, file: &Path, read: fn(&str) -> Result<Vec<Command>, Vec<String>>) -> Result<()> {
        tabella::carry_out(&self.data, file, read, &self.motivo, self.json, self.clock)
    }
}

fn say(warnings: &[String]) {
    for warning in warnings {
        eprintln!("attenzione: {warning}");
    }
}
