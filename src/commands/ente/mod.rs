//! `varco ente ...`: on the admin socket of the running gateway, or on the data directory when it is stopped.

mod apply;
mod mostra;
mod prova;
mod tabella;

use apply::enti;
pub use apply::{apply, apply_all};
pub use mostra::{changes, told};

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use jiff::civil::Date;

use super::dove::Dove;
use crate::clock::Clock;
use crate::digest::{hex, sha256};
use crate::registry::abilitazione::{Abilitazione, Periodo};
use crate::registry::administration::Command;
use crate::registry::ente::{
    Anagrafica, Certificato, Decisione, Modo, Richiesta, Segno, Stato, Tipo, Ufficio,
};
use crate::registry::import::{Formato, parte};
use crate::registry::quota::Quote;
use crate::registry::tabelle;
use crate::tls::{authorities, pem, profile, subject};

/// `varco ente`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    dove: Dove,
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
    /// Registra una richiesta di accreditamento: di un ente nuovo, oppure respinto o revocato
    Richiedi {
        /// Codice dell'ente in questo registro
        codice: String,
        #[command(flatten)]
        chi: DiChi,
        #[command(flatten)]
        cosa: Cosa,
    },
    /// Corregge i dati di un ente: cambia solo ciò che è indicato
    Aggiorna {
        /// Codice dell'ente
        codice: String,
        #[command(flatten)]
        chi: Correzione,
    },
    /// Accoglie la richiesta; di un ente già accreditato, la rinnova
    Accredita {
        /// Codice dell'ente
        #[arg(required_unless_present = "tabella")]
        codice: Option<String>,
        /// Molti enti insieme, da una tabella CSV: codice, direzione, scadenza, modi, come_richiesto; tutti,
        /// o nessuno
        #[arg(long, conflicts_with_all = ["codice", "direzione", "scadenza", "modi", "come_richiesto"])]
        tabella: Option<PathBuf>,
        /// La direzione regionale che ha deciso
        #[arg(long)]
        direzione: Option<String>,
        /// Ultimo giorno dell'accreditamento (aaaa-mm-gg)
        #[arg(long)]
        scadenza: Option<Date>,
        /// I modi concessi
        #[arg(long, value_delimiter = ',')]
        modi: Vec<Modo>,
        /// Abilita a tutto ciò che la richiesta chiede
        #[arg(long)]
        come_richiesto: bool,
    },
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
    Certificato {
        /// Codice dell'ente, oppure la parola `prova`
        codice: String,
        /// Il file PEM, oppure l'impronta SHA-256
        certificato: String,
        /// Il file è il certificato di un'autorità: vale ogni certificato che essa rilascia all'ente
        #[arg(long)]
        emittente: bool,
        /// Con --emittente: solo i certificati di questa unità (IPAIT-UO_..., IPAIT-AOO_...)
        #[arg(long, requires = "emittente")]
        unita: Option<String>,
        /// Primo giorno (aaaa-mm-gg)
        #[arg(long)]
        dal: Option<Date>,
        /// Ultimo giorno (aaaa-mm-gg)
        #[arg(long)]
        al: Option<Date>,
        /// Lo toglie
        #[arg(long)]
        togli: bool,
    },
    /// Aggiunge un'abilitazione (o la toglie, con --togli e il suo numero)
    Abilita {
        /// Codice dell'ente
        #[arg(required_unless_present = "tabella")]
        codice: Option<String>,
        /// Molti enti insieme, da una tabella CSV: codice, operazioni, prestazioni, indicatori, uffici,
        /// controlli, dal, al, predefinita, sostituisci; tutti, o nessuno
        #[arg(long, conflicts_with_all = ["codice", "operazioni", "prestazioni", "indicatori", "uffici", "controlli", "dal", "al", "predefinita", "sostituisci", "togli"])]
        tabella: Option<PathBuf>,
        /// Operazioni, separate da virgole
        #[arg(long, value_delimiter = ',', required_unless_present_any = ["togli", "tabella"])]
        operazioni: Vec<String>,
        /// Prestazioni, separate da virgole
        #[arg(long, value_delimiter = ',')]
        prestazioni: Vec<String>,
        /// Solo questi indicatori (Ordinario, Minorenne..), separati da virgole: di ConsultazioneIndicatore e
        /// ConsultazioneSogliaIndicatore
        #[arg(long, value_delimiter = ',')]
        indicatori: Vec<String>,
        /// Solo da questi uffici, separati da virgole
        #[arg(long, value_delimiter = ',')]
        uffici: Vec<String>,
        /// Per i controlli: senza, nessuna DSU si legge nel dettaglio
        #[arg(long)]
        controlli: bool,
        /// Primo giorno (aaaa-mm-gg)
        #[arg(long)]
        dal: Option<Date>,
        /// Ultimo giorno (aaaa-mm-gg)
        #[arg(long)]
        al: Option<Date>,
        /// La prestazione sottintesa dove nessuna è indicata
        #[arg(long)]
        predefinita: Option<String>,
        /// Le abilitazioni di prima finiscono
        #[arg(long)]
        sostituisci: bool,
        /// Toglie l'abilitazione con questo numero
        #[arg(long, conflicts_with_all = ["operazioni", "prestazioni", "indicatori", "uffici", "controlli", "dal", "al", "predefinita", "sostituisci"])]
        togli: Option<u32>,
    },
    /// Aggiunge un ufficio (o lo toglie), o dice se le richieste devono indicarne uno
    Ufficio {
        /// Codice dell'ente
        codice: String,
        /// Codice dell'ufficio
        #[arg(required_unless_present = "obbligatori")]
        ufficio: Option<String>,
        /// Denominazione
        #[arg(long)]
        denominazione: Option<String>,
        /// Primo giorno (aaaa-mm-gg)
        #[arg(long)]
        dal: Option<Date>,
        /// Ultimo giorno (aaaa-mm-gg)
        #[arg(long)]
        al: Option<Date>,
        /// Lo toglie
        #[arg(long)]
        togli: bool,
        /// Se le richieste devono indicare un ufficio registrato
        #[arg(long, conflicts_with = "ufficio")]
        obbligatori: Option<bool>,
    },
    /// Stabilisce che cosa c'è nelle risposte all'ente
    Risposte {
        /// Codice dell'ente
        codice: String,
        /// Se le attestazioni hanno ISEEFamiglia (DSU dal 2026): no per chi le legge con lo schema del 2021
        #[arg(long, action = clap::ArgAction::Set)]
        isee_famiglia: bool,
    },
    /// Stabilisce le quote: quelle non indicate non ci sono più
    Quota {
        /// Codice dell'ente
        codice: String,
        /// Richieste al minuto
        #[arg(long)]
        al_minuto: Option<u32>,
        /// Scambi al giorno
        #[arg(long)]
        al_giorno: Option<u64>,
        /// Persone diverse al giorno
        #[arg(long)]
        persone_al_giorno: Option<u64>,
        /// Per ciascun operatore dell'ente
        #[arg(long)]
        per_operatore: bool,
    },
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
    Importa {
        /// Il file CSV
        file: PathBuf,
        /// Come è fatto
        #[arg(long, value_enum, default_value_t = Formato::Varco)]
        formato: Formato,
        /// Lo fa davvero
        #[arg(long)]
        conferma: bool,
        #[command(flatten)]
        cosa: Richieste,
    },
    /// Scrive gli enti come tabella CSV, o per intero con --json
    Esporta,
}

/// Chi è l'ente.
#[derive(Debug, clap::Args)]
struct DiChi {
    /// Denominazione
    #[arg(long)]
    denominazione: String,
    /// Codice fiscale (11 cifre)
    #[arg(long)]
    codice_fiscale: String,
    /// Che cos'è
    #[arg(long)]
    tipo: Tipo,
    /// Codice IPA
    #[arg(long)]
    ipa: Option<String>,
    /// Codice dell'ente presso l'INPS, per CodiceEnte; si può ripetere
    #[arg(long = "codice-inps")]
    codici_inps: Vec<String>,
    /// PEC, posta, telefono di un ufficio (mai di una persona); si può ripetere
    #[arg(long = "contatto")]
    contatti: Vec<String>,
    /// Parte SPCoop, tipo:nome; si può ripetere
    #[arg(long = "parte")]
    parti: Vec<String>,
}

/// Che cosa cambia di un ente.
#[derive(Debug, clap::Args)]
struct Correzione {
    /// Denominazione
    #[arg(long)]
    denominazione: Option<String>,
    /// Codice fiscale (11 cifre)
    #[arg(long)]
    codice_fiscale: Option<String>,
    /// Che cos'è
    #[arg(long)]
    tipo: Option<Tipo>,
    /// Codice IPA
    #[arg(long)]
    ipa: Option<String>,
    /// Codice dell'ente presso l'INPS, al posto di quelli di prima; si può ripetere
    #[arg(long = "codice-inps")]
    codici_inps: Vec<String>,
    /// PEC, posta, telefono di un ufficio, al posto di quelli di prima; si può ripetere
    #[arg(long = "contatto")]
    contatti: Vec<String>,
    /// Parte SPCoop, tipo:nome, al posto di quelle di prima; si può ripetere
    #[arg(long = "parte")]
    parti: Vec<String>,
}

/// Che cosa chiede.
#[derive(Debug, clap::Args)]
struct Cosa {
    /// Riferimento della PEC con la richiesta
    #[arg(long)]
    pec: String,
    /// La norma per cui può chiedere
    #[arg(long)]
    base_giuridica: String,
    /// A che scopo
    #[arg(long)]
    finalita: String,
    /// Operazioni chieste, separate da virgole
    #[arg(long, value_delimiter = ',')]
    operazioni: Vec<String>,
    /// Prestazioni chieste, separate da virgole
    #[arg(long, value_delimiter = ',')]
    prestazioni: Vec<String>,
}

/// Che cosa chiedono gli enti di una tabella, dove le loro righe non lo dicono.
#[derive(Debug, clap::Args)]
struct Richieste {
    /// Riferimento della PEC con la richiesta
    #[arg(long, default_value = "")]
    pec: String,
    /// La norma per cui possono chiedere
    #[arg(long, default_value = "")]
    base_giuridica: String,
    /// A che scopo
    #[arg(long, default_value = "")]
    finalita: String,
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let Args {
        dove,
        motivo,
        json,
        what,
    } = args;
    let data = dove.data()?;
    let runtime = super::uso::runtime()?;
    let asked = matches!(
        what,
        What::Accredita {
            come_richiesto: true,
            ..
        }
    );
    let mut taken_back = None;
    let command = match what {
        What::Lista { stato, tipo } => {
            return mostra::list(&enti(&data, clock)?, stato, tipo, clock.today(), json);
        }
        What::Mostra { codice } => return mostra::one(&enti(&data, clock)?, &codice, clock, json),
        What::Storia { codice } => return mostra::history(&data, &codice, json, clock),
        What::Esporta => return tabella::export(&enti(&data, clock)?, json),
        What::Importa {
            file,
            formato,
            conferma,
            cosa,
        } => {
            let Richieste {
                pec,
                base_giuridica,
                finalita,
            } = cosa;
            let richiesta = Richiesta {
                pec,
                base_giuridica,
                finalita,
                ..Richiesta::default()
            };
            let plan = tabella::plan(&file, formato, &richiesta, &enti(&data, clock)?, clock.today())?;
            let done = conferma && !plan.commands.is_empty();
            if done {
                runtime.block_on(apply_all(&data, plan.commands.clone(), &motivo, clock))?;
            }
            return tabella::say(&plan, done, json);
        }
        What::Certificato {
            codice, certificato, ..
        } if codice == "prova" => {
            let judged = prova::judge(
                Path::new(&certificato),
                dove.config(),
                &enti(&data, clock)?,
                clock,
            )?;
            return judged.say(json);
        }
        What::Aggiorna { codice, chi } => {
            let enti = enti(&data, clock)?;
            let ente = enti
                .into_iter()
                .find(|ente| ente.codice == codice)
                .with_context(|| format!("l'ente {codice} non esiste"))?;
            Command::Aggiorna {
                codice,
                anagrafica: corrected(ente.anagrafica.clone(), chi)?,
                letta: ente.anagrafica,
            }
        }
        What::Accredita {
            tabella: Some(file), ..
        } => return tabella::carry_out(&data, &file, tabelle::decisioni, &motivo, json, clock),
        What::Abilita {
            tabella: Some(file), ..
        } => return tabella::carry_out(&data, &file, tabelle::abilitazioni, &motivo, json, clock),
        What::Abilita {
            codice,
            togli: Some(numero),
            ..
        } => {
            let codice = codice.unwrap_or_default();
            // A number belongs to one grant for ever: the grant read here is the one taken back.
            let ente = enti(&data, clock)?.into_iter().find(|ente| ente.codice == codice);
            taken_back =
                ente.and_then(|ente| ente.abilitazioni.into_iter().find(|grant| grant.numero == numero));
            Command::Disabilita { codice, numero }
        }
        other => command(other)?,
    };
    let decides = matches!(command, Command::Decidi { .. } | Command::Stato { .. });
    let ente = runtime.block_on(apply(&data, command, &motivo, clock))?;
    let mut warnings = if decides {
        mostra::warnings(&ente, clock.today())
    } else {
        Vec::new()
    };
    warnings.extend(mostra::left_out(&ente).filter(|_| asked));
    if json {
        println!("{}", serde_json::to_string_pretty(&ente)?);
    } else {
        println!(
            "{} {} ({})",
            ente.codice,
            ente.standing(clock.today()),
            ente.anagrafica.denominazione
        );
        if let Some(grant) = taken_back {
            println!("tolta l'abilitazione {}: {}", grant.numero, mostra::grant(&grant));
        }
    }
    for warning in warnings {
        eprintln!("attenzione: {warning}");
    }
    Ok(())
}

/// Turns a subcommand into a command of the registry.
fn command(what: What) -> Result<Command> {
    let periodo = |dal, al| Periodo { dal, al };
    Ok(match what {
        What::Richiedi { codice, chi, cosa } => {
            let DiChi {
                denominazione,
                codice_fiscale,
                tipo,
                ipa,
                codici_inps,
                contatti,
                parti,
            } = chi;
            let Cosa {
                pec,
                base_giuridica,
                finalita,
                operazioni,
                prestazioni,
            } = cosa;
            let parti = parties(&parti)?;
            let anagrafica = Anagrafica {
                denominazione,
                codice_fiscale,
                tipo,
                codice_ipa: ipa,
                codici_inps,
                contatti,
                parti,
            };
            Command::Richiedi {
                codice,
                anagrafica,
                richiesta: Richiesta {
                    pec,
                    base_giuridica,
                    finalita,
                    operazioni,
                    prestazioni,
                },
            }
        }
        What::Accredita {
            codice,
            direzione,
            scadenza,
            modi,
            come_richiesto,
            ..
        } => {
            let decisione = Decisione {
                direzione,
                scadenza,
                modi,
                ..Decisione::default()
            };
            Command::Decidi {
                codice: codice.unwrap_or_default(),
                accolta: true,
                decisione,
                come_richiesto,
            }
        }
        What::Rifiuta { codice, direzione } => {
            let decisione = Decisione {
                direzione,
                ..Decisione::default()
            };
            Command::Decidi {
                codice,
                accolta: false,
                decisione,
                come_richiesto: false,
            }
        }
        What::Sospendi { codice } => Command::Stato {
            codice,
            nuovo: Stato::Sospeso,
        },
        What::Riattiva { codice } => Command::Stato {
            codice,
            nuovo: Stato::Accreditato,
        },
        What::Revoca { codice } => Command::Stato {
            codice,
            nuovo: Stato::Revocato,
        },
        What::Certificato {
            codice,
            certificato,
            emittente,
            unita,
            dal,
            al,
            togli,
            ..
        } => {
            let (segno, known) = if emittente {
                by_issuer(&certificato, unita, !togli)?
            } else {
                by_pin(&certificato, !togli)?
            };
            if togli {
                Command::TogliCertificato { codice, segno }
            } else {
                let (soggetto, scade) = known.unzip();
                Command::AggiungiCertificato {
                    codice,
                    certificato: Certificato {
                        segno,
                        periodo: periodo(dal, al),
                        soggetto,
                        scade,
                    },
                }
            }
        }
        What::Abilita {
            codice,
            operazioni,
            prestazioni,
            indicatori,
            uffici,
            controlli,
            dal,
            al,
            predefinita,
            sostituisci,
            ..
        } => {
            let abilitazione = Abilitazione {
                numero: 0,
                operazioni,
                prestazioni,
                indicatori,
                uffici,
                controlli,
                periodo: periodo(dal, al),
            };
            Command::Abilita {
                codice: codice.unwrap_or_default(),
                abilitazione,
                predefinita,
                sostituisci,
            }
        }
        What::Ufficio {
            codice,
            obbligatori: Some(obbligatori),
            ..
        } => Command::UfficiObbligatori { codice, obbligatori },
        What::Ufficio {
            codice,
            ufficio: Some(ufficio),
            togli: true,
            ..
        } => Command::TogliUfficio { codice, ufficio },
        What::Ufficio {
            codice,
            ufficio,
            denominazione,
            dal,
            al,
            ..
        } => {
            let ufficio = Ufficio {
                codice: ufficio.unwrap_or_default(),
                denominazione,
                periodo: periodo(dal, al),
            };
            Command::Ufficio { codice, ufficio }
        }
        What::Risposte {
            codice,
            isee_famiglia,
        } => Command::Risposte {
            codice,
            isee_famiglia,
        },
        What::Quota {
            codice,
            al_minuto,
            al_giorno,
            persone_al_giorno,
            per_operatore,
        } => Command::Quota {
            codice,
            quote: Quote {
                al_minuto,
                al_giorno,
                persone_al_giorno,
            },
            operatore: per_operatore,
        },
        What::Aggiorna { .. }
        | What::Lista { .. }
        | What::Mostra { .. }
        | What::Storia { .. }
        | What::Importa { .. }
        | What::Esporta => {
            bail!("nessuna modifica")
        }
    })
}

fn parties(texts: &[String]) -> Result<Vec<crate::registry::ente::Parte>> {
    texts
        .iter()
        .map(|text| parte(text).map_err(anyhow::Error::msg))
        .collect()
}

fn corrected(before: Anagrafica, chi: Correzione) -> Result<Anagrafica> {
    let parti = parties(&chi.parti)?;
    Ok(Anagrafica {
        denominazione: chi.denominazione.unwrap_or(before.denominazione),
        codice_fiscale: chi.codice_fiscale.unwrap_or(before.codice_fiscale),
        tipo: chi.tipo.unwrap_or(before.tipo),
        codice_ipa: chi.ipa.or(before.codice_ipa),
        codici_inps: if chi.codici_inps.is_empty() {
            before.codici_inps
        } else {
            chi.codici_inps
        },
        contatti: if chi.contatti.is_empty() {
            before.contatti
        } else {
            chi.contatti
        },
        parti: if parti.is_empty() { before.parti } else { parti },
    })
}

/// A certificate's sign in the registry. From a file, also its subject and its last second.
type Noti = (Segno, Option<(String, jiff::Timestamp)>);

/// A pin: of a PEM file, or as given. With `judged`, refuses a certificate the channel would never let in.
fn by_pin(certificato: &str, judged: bool) -> Result<Noti> {
    let Some(own) = first_of(certificato)? else {
        return Ok((
            Segno::Impronta {
                sha256: certificato.to_lowercase(),
            },
            None,
        ));
    };
    if judged && let Err(unfit) = profile::check(&own) {
        bail!("il certificato non sarebbe ammesso: {}", prova::unfit(unfit));
    }
    Ok((
        Segno::Impronta {
            sha256: hex(&sha256(&own)),
        },
        subject::described(&own),
    ))
}

/// Issuer and organization: the issuer's certificate from a PEM file, or the digest of its key; the
/// organization is the ente's own.
fn by_issuer(certificato: &str, unita: Option<String>, judged: bool) -> Result<Noti> {
    let mut known = None;
    let emittente = match first_of(certificato)? {
        Some(own) if judged && !profile::is_authority(&own) => {
            bail!(
                "{certificato} non è il certificato di un'autorità (basicConstraints CA, keyUsage keyCertSign): nessun certificato può \
                 essere rilasciato con la sua chiave; per registrare proprio questo, senza --emittente"
            )
        }
        Some(own) => {
            known = subject::described(&own);
            authorities::key_of(&own).context("certificato dell'autorità non leggibile")?
        }
        None => certificato.to_lowercase(),
    };
    Ok((
        Segno::Emittente {
            emittente,
            organizzazione: String::new(),
            unita,
        },
        known,
    ))
}

/// The first certificate of a PEM file, if there is a file of that name.
fn first_of(file: &str) -> Result<Option<rustls::pki_types::CertificateDer<'static>>> {
    let file = Path::new(file);
    if !file.exists() {
        return Ok(None);
    }
    Ok(Some(
        pem::certificates(file)?
            .into_iter()
            .next()
            .context("nessun certificato")?,
    ))
}
