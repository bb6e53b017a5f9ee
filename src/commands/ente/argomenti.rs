//! The arguments of `varco ente`, and the command of the registry that each asks for.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;

use super::super::uso::Uso;
use super::ammissione;
use crate::digest::{hex, sha256};
use crate::registry::abilitazione::{Abilitazione, Periodo};
use crate::registry::administration::Command;
use crate::registry::ente::{
    Anagrafica, Certificato, Decisione, Ente, Modo, Richiesta, Segno, Tipo, Ufficio,
};
use crate::registry::import::{Formato, parte};
use crate::registry::quota::Quote;
use crate::tls::{authorities, pem, profile, subject};

/// A request for accreditation.
#[derive(Debug, clap::Args)]
pub(super) struct RichiediArgs {
    /// Codice dell'ente in questo registro
    pub codice: String,
    #[command(flatten)]
    pub chi: DiChi,
    #[command(flatten)]
    pub cosa: Cosa,
}

/// A correction of an ente.
#[derive(Debug, clap::Args)]
pub(super) struct AggiornaArgs {
    /// Codice dell'ente
    pub codice: String,
    #[command(flatten)]
    pub chi: Correzione,
}

/// An accepted request, or a table of them.
#[derive(Debug, clap::Args)]
pub(super) struct AccreditaArgs {
    /// Codice dell'ente
    #[arg(required_unless_present = "tabella")]
    pub codice: Option<String>,
    /// Molti enti insieme, da una tabella CSV: codice, direzione, scadenza, modi, come_richiesto; tutti,
    /// o nessuno
    #[arg(long, conflicts_with_all = ["codice", "direzione", "scadenza", "modi", "come_richiesto"])]
    pub tabella: Option<PathBuf>,
    /// La direzione regionale che ha deciso
    #[arg(long)]
    pub direzione: Option<String>,
    /// Ultimo giorno dell'accreditamento (aaaa-mm-gg)
    #[arg(long)]
    pub scadenza: Option<Date>,
    /// I modi concessi [se mancano: quelli di prima, o cooperazione-applicativa]
    #[arg(long, value_delimiter = ',')]
    pub modi: Vec<Modo>,
    /// Abilita a tutto ciò che la richiesta chiede
    #[arg(long)]
    pub come_richiesto: bool,
}

/// A certificate of an ente.
#[derive(Debug, clap::Args)]
pub(super) struct CertificatoArgs {
    /// Codice dell'ente, oppure la parola `prova`
    pub codice: String,
    /// Il file PEM, oppure l'impronta SHA-256
    pub certificato: String,
    /// Il file è il certificato di un'autorità: vale ogni certificato che essa rilascia all'ente
    #[arg(long)]
    pub emittente: bool,
    /// Con --emittente: solo i certificati di questa unità (IPAIT-UO_..., IPAIT-AOO_...)
    #[arg(long, requires = "emittente")]
    pub unita: Option<String>,
    /// Primo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub dal: Option<Date>,
    /// Ultimo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub al: Option<Date>,
    /// Lo toglie
    #[arg(long)]
    pub togli: bool,
}

/// A grant of an ente, or a table of them.
#[derive(Debug, clap::Args)]
pub(super) struct AbilitaArgs {
    /// Codice dell'ente
    #[arg(required_unless_present = "tabella")]
    pub codice: Option<String>,
    /// Molti enti insieme, da una tabella CSV: codice, operazioni, prestazioni, indicatori, uffici,
    /// controlli, dal, al, predefinita, sostituisci; tutti, o nessuno
    #[arg(long, conflicts_with_all = ["codice", "operazioni", "prestazioni", "indicatori", "uffici", "controlli", "dal", "al", "predefinita", "sostituisci", "togli"])]
    pub tabella: Option<PathBuf>,
    /// Operazioni, separate da virgole
    #[arg(long, value_delimiter = ',', required_unless_present_any = ["togli", "tabella"])]
    pub operazioni: Vec<String>,
    /// Prestazioni, separate da virgole
    #[arg(long, value_delimiter = ',')]
    pub prestazioni: Vec<String>,
    /// Solo questi indicatori (Ordinario, Minorenne..), separati da virgole: di ConsultazioneIndicatore e
    /// ConsultazioneSogliaIndicatore
    #[arg(long, value_delimiter = ',')]
    pub indicatori: Vec<String>,
    /// Solo da questi uffici, separati da virgole
    #[arg(long, value_delimiter = ',')]
    pub uffici: Vec<String>,
    /// Per i controlli: senza, nessuna DSU si legge nel dettaglio
    #[arg(long)]
    pub controlli: bool,
    /// Primo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub dal: Option<Date>,
    /// Ultimo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub al: Option<Date>,
    /// La prestazione sottintesa dove nessuna è indicata
    #[arg(long)]
    pub predefinita: Option<String>,
    /// Le abilitazioni di prima finiscono
    #[arg(long)]
    pub sostituisci: bool,
    /// Toglie l'abilitazione con questo numero
    #[arg(long, conflicts_with_all = ["operazioni", "prestazioni", "indicatori", "uffici", "controlli", "dal", "al", "predefinita", "sostituisci"])]
    pub togli: Option<u32>,
}

/// Yes or no. The options took the aliases before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SiNo {
    #[value(name = "sì", aliases = ["si", "true"])]
    Si,
    #[value(alias = "false")]
    No,
}

impl SiNo {
    pub(super) fn is_yes(self) -> bool {
        self == Self::Si
    }
}

/// An office of an ente.
#[derive(Debug, clap::Args)]
pub(super) struct UfficioArgs {
    /// Codice dell'ente
    pub codice: String,
    /// Codice dell'ufficio
    #[arg(required_unless_present = "obbligatori")]
    pub ufficio: Option<String>,
    /// Denominazione
    #[arg(long)]
    pub denominazione: Option<String>,
    /// Primo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub dal: Option<Date>,
    /// Ultimo giorno (aaaa-mm-gg)
    #[arg(long)]
    pub al: Option<Date>,
    /// Lo toglie
    #[arg(long)]
    pub togli: bool,
    /// Se le richieste devono indicare un ufficio registrato
    #[arg(long, conflicts_with = "ufficio", value_enum, value_name = "SÌ|NO")]
    pub obbligatori: Option<SiNo>,
}

/// The quotas of an ente.
#[derive(Debug, clap::Args)]
pub(super) struct QuotaArgs {
    /// Codice dell'ente
    pub codice: String,
    /// Richieste al minuto
    #[arg(long)]
    pub al_minuto: Option<u32>,
    /// Scambi al giorno
    #[arg(long)]
    pub al_giorno: Option<u64>,
    /// Persone diverse al giorno
    #[arg(long)]
    pub persone_al_giorno: Option<u64>,
    /// Per ciascun operatore dell'ente
    #[arg(long)]
    pub per_operatore: bool,
}

/// A table of enti to register.
#[derive(Debug, clap::Args)]
pub(super) struct ImportaArgs {
    /// Il file CSV
    pub file: PathBuf,
    /// Come è fatto
    #[arg(long, value_enum, default_value_t = Formato::Varco)]
    pub formato: Formato,
    /// Lo fa davvero
    #[arg(long)]
    pub conferma: bool,
    #[command(flatten)]
    pub cosa: Richieste,
}

/// Chi è l'ente.
#[derive(Debug, clap::Args)]
pub(super) struct DiChi {
    /// Denominazione
    #[arg(long)]
    pub denominazione: String,
    /// Codice fiscale (11 cifre)
    #[arg(long)]
    pub codice_fiscale: String,
    /// Che cos'è
    #[arg(long)]
    pub tipo: Tipo,
    /// Codice IPA
    #[arg(long)]
    pub ipa: Option<String>,
    /// Codice dell'ente presso l'INPS, per CodiceEnte; si può ripetere
    #[arg(long = "codice-inps")]
    pub codici_inps: Vec<String>,
    /// PEC, posta, telefono di un ufficio (mai di una persona); si può ripetere
    #[arg(long = "contatto")]
    pub contatti: Vec<String>,
    /// Parte SPCoop, tipo:nome; si può ripetere
    #[arg(long = "parte")]
    pub parti: Vec<String>,
}

/// Che cosa cambia di un ente.
#[derive(Debug, clap::Args)]
pub(super) struct Correzione {
    /// Denominazione
    #[arg(long)]
    pub denominazione: Option<String>,
    /// Codice fiscale (11 cifre)
    #[arg(long)]
    pub codice_fiscale: Option<String>,
    /// Che cos'è
    #[arg(long)]
    pub tipo: Option<Tipo>,
    /// Codice IPA
    #[arg(long)]
    pub ipa: Option<String>,
    /// Codice dell'ente presso l'INPS, al posto di quelli di prima; si può ripetere
    #[arg(long = "codice-inps")]
    pub codici_inps: Vec<String>,
    /// PEC, posta, telefono di un ufficio, al posto di quelli di prima; si può ripetere
    #[arg(long = "contatto")]
    pub contatti: Vec<String>,
    /// Parte SPCoop, tipo:nome, al posto di quelle di prima; si può ripetere
    #[arg(long = "parte")]
    pub parti: Vec<String>,
}

/// Che cosa chiede.
#[derive(Debug, clap::Args)]
pub(super) struct Cosa {
    /// Riferimento della PEC con la richiesta
    #[arg(long)]
    pub pec: String,
    /// La norma per cui può chiedere
    #[arg(long)]
    pub base_giuridica: String,
    /// A che scopo
    #[arg(long)]
    pub finalita: String,
    /// Operazioni chieste, separate da virgole
    #[arg(long, value_delimiter = ',')]
    pub operazioni: Vec<String>,
    /// Prestazioni chieste, separate da virgole
    #[arg(long, value_delimiter = ',')]
    pub prestazioni: Vec<String>,
}

/// Che cosa chiedono gli enti di una tabella, dove le loro righe non lo dicono.
#[derive(Debug, clap::Args)]
pub(super) struct Richieste {
    /// Riferimento della PEC con la richiesta
    #[arg(long, default_value = "")]
    pub pec: String,
    /// La norma per cui possono chiedere
    #[arg(long, default_value = "")]
    pub base_giuridica: String,
    /// A che scopo
    #[arg(long, default_value = "")]
    pub finalita: String,
}

impl RichiediArgs {
    /// The request.
    pub(super) fn command(self) -> Result<Command> {
        let DiChi {
            denominazione,
            codice_fiscale,
            tipo,
            ipa,
            codici_inps,
            contatti,
            parti,
        } = self.chi;
        let Cosa {
            pec,
            base_giuridica,
            finalita,
            operazioni,
            prestazioni,
        } = self.cosa;
        Ok(Command::Richiedi {
            codice: self.codice,
            anagrafica: Anagrafica {
                denominazione,
                codice_fiscale,
                tipo,
                codice_ipa: ipa,
                codici_inps,
                contatti,
                parti: parties(&parti)?,
            },
            richiesta: Richiesta {
                pec,
                base_giuridica,
                finalita,
                operazioni,
                prestazioni,
            },
        })
    }
}

impl AggiornaArgs {
    /// The correction of this ente, as it is read now.
    pub(super) fn command(self, enti: Vec<Ente>) -> Result<Command> {
        let codice = self.codice;
        let ente = enti
            .into_iter()
            .find(|ente| ente.codice == codice)
            .with_context(|| format!("l'ente {codice} non esiste"))?;
        Ok(Command::Aggiorna {
            codice,
            anagrafica: corrected(ente.anagrafica.clone(), self.chi)?,
            letta: ente.anagrafica,
        })
    }
}

impl AccreditaArgs {
    /// The decision on one ente.
    pub(super) fn command(self) -> Command {
        let decisione = Decisione {
            direzione: self.direzione,
            scadenza: self.scadenza,
            modi: self.modi,
            ..Decisione::default()
        };
        Command::Decidi {
            codice: self.codice.unwrap_or_default(),
            accolta: true,
            decisione,
            come_richiesto: self.come_richiesto,
        }
    }
}

impl CertificatoArgs {
    /// The certificate to add, or to take back.
    pub(super) fn command(self) -> Result<Command> {
        let (segno, known) = if self.emittente {
            by_issuer(&self.certificato, self.unita, !self.togli)?
        } else {
            by_pin(&self.certificato, !self.togli)?
        };
        let codice = self.codice;
        if self.togli {
            return Ok(Command::TogliCertificato { codice, segno });
        }
        let (soggetto, scade) = known.unzip();
        let certificato = Certificato {
            segno,
            periodo: Periodo {
                dal: self.dal,
                al: self.al,
            },
            soggetto,
            scade,
        };
        Ok(Command::AggiungiCertificato { codice, certificato })
    }
}

impl AbilitaArgs {
    /// The grant to add.
    pub(super) fn command(self) -> Command {
        let abilitazione = Abilitazione {
            numero: 0,
            operazioni: self.operazioni,
            prestazioni: self.prestazioni,
            indicatori: self.indicatori,
            uffici: self.uffici,
            controlli: self.controlli,
            periodo: Periodo {
                dal: self.dal,
                al: self.al,
            },
        };
        Command::Abilita {
            codice: self.codice.unwrap_or_default(),
            abilitazione,
            predefinita: self.predefinita,
            sostituisci: self.sostituisci,
        }
    }
}

impl UfficioArgs {
    /// The office to add or to take back, or whether requests must name one.
    pub(super) fn command(self) -> Command {
        let codice = self.codice;
        if let Some(obbligatori) = self.obbligatori {
            return Command::UfficiObbligatori {
                codice,
                obbligatori: obbligatori.is_yes(),
            };
        }
        let ufficio = self.ufficio.unwrap_or_default();
        if self.togli {
            return Command::TogliUfficio { codice, ufficio };
        }
        let ufficio = Ufficio {
            codice: ufficio,
            denominazione: self.denominazione,
            periodo: Periodo {
                dal: self.dal,
                al: self.al,
            },
        };
        Command::Ufficio { codice, ufficio }
    }
}

impl QuotaArgs {
    /// The quotas, of the ente or of each of its operators.
    pub(super) fn command(self) -> Command {
        Command::Quota {
            codice: self.codice,
            quote: Quote {
                al_minuto: self.al_minuto,
                al_giorno: self.al_giorno,
                persone_al_giorno: self.persone_al_giorno,
            },
            operatore: self.per_operatore,
        }
    }
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

/// A digest as given. Fails on anything else: it was meant as a file then, and is none.
fn digest(text: &str) -> Result<String> {
    if text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(text.to_lowercase());
    }
    Err(Uso(format!(
        "{text} non è un file, e nemmeno un'impronta SHA-256 (64 cifre esadecimali)"
    ))
    .into())
}

/// A pin: of a PEM file, or as given. With `judged`, refuses a certificate the channel would never let in.
fn by_pin(certificato: &str, judged: bool) -> Result<Noti> {
    let Some(own) = first_of(certificato)? else {
        return Ok((
            Segno::Impronta {
                sha256: digest(certificato)?,
            },
            None,
        ));
    };
    if judged && let Err(unfit) = profile::check(&own) {
        bail!("il certificato non sarebbe ammesso: {}", ammissione::unfit(unfit));
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
        None => digest(certificato)?,
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
