//! `varco init --guidata`: asks the questions of a first installation, then writes everything. Nothing is
//! written before the last answer.

use std::io::{BufRead, IsTerminal as _, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::backup::copy_keys;
use super::files::{PUBLIC, create};
use super::init::{MODELLO, create as create_data};
use super::pki::{OpzioniRilascio, authority, client, organization, server};
use super::terminale::attenzione;
use super::uso::{Uso, told};
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::settings::Settings;
use crate::tls::pem;

/// The way without questions, where no terminal is.
const SENZA_TERMINALE: &str = "\
--guidata chiede, e qui non c'è un terminale. Senza domande:
  varco init DIRECTORY --config varco.toml     scrive la directory dei dati e una configurazione commentata
nella configurazione: listen, tls.certificate, tls.key, tls.client_authorities, tls.crl (o [[tls.crl_source]])
  varco check-config --config varco.toml       dice che cosa manca
  varco backup, o una copia di keys/           le chiavi vanno anche altrove";

/// Where a gateway's files are, if nobody says otherwise: a service's, or those of a trial here.
const SERVIZIO: (&str, &str) = ("/etc/varco", "/var/lib/varco/data");
const QUI: (&str, &str) = (".", "varco-data");

/// The certificates of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Certificati {
    /// Made now: a trial authority, a server, a first client.
    Prova { ente: String, codice_fiscale: String },
    Propri {
        catena: PathBuf,
        chiave: PathBuf,
        autorita: PathBuf,
        /// A file, or an address to download from.
        lista: String,
    },
}

/// The answers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Risposte {
    configurazione: PathBuf,
    dati: PathBuf,
    listen: SocketAddr,
    nome: String,
    certificati: Certificati,
    metriche: bool,
    copia: Option<PathBuf>,
}

/// Asks on a terminal, and writes an installation by the answers.
pub(super) fn run(clock: &Clock) -> Result<()> {
    let (input, output) = (std::io::stdin(), std::io::stdout());
    if !input.is_terminal() {
        return Err(Uso::of(SENZA_TERMINALE).into());
    }
    let root = rustix::process::geteuid().is_root();
    let mut asking = Domande {
        input: &mut input.lock(),
        output: &mut output.lock(),
        number: 0,
    };
    let answers = asking.all(if root { SERVIZIO } else { QUI })?;
    write(&answers, clock)
}

/// The conversation.
struct Domande<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    number: u8,
}

impl Domande<'_> {
    fn all(&mut self, (configurazione, dati): (&str, &str)) -> Result<Risposte> {
        writeln!(
            self.output,
            "Le domande di una prima installazione. Invio accetta la risposta fra parentesi; Ctrl-C finisce, e niente è stato scritto.\n"
        )?;
        let configurazione = self.ask(
            "In quale directory va la configurazione?",
            configurazione,
            |text| Ok(PathBuf::from(text)),
        )?;
        let mut answers = Risposte {
            dati: self.data(dati)?,
            listen: self.listen()?,
            nome: self.name()?,
            certificati: self.certificates(&configurazione)?,
            metriche: self.yes(
                "Salute e metriche su http://127.0.0.1:9443, per chi sorveglia?",
                "sì",
            )?,
            copia: None,
            configurazione,
        };
        answers.copia = self.copy(&answers.dati)?;
        Ok(answers)
    }

    fn data(&mut self, proposed: &str) -> Result<PathBuf> {
        let question = "In quale directory nuova vanno il registro e le sue chiavi?";
        self.ask(question, proposed, |text| {
            let dir = std::path::absolute(text)?;
            let is_empty = std::fs::read_dir(&dir).map_or(true, |mut files| files.next().is_none());
            ensure!(
                is_empty,
                "{text} non è vuota: indicarne una nuova, oppure finire qui (Ctrl-C) e usare quella con varco init --config o varco serve"
            );
            ensure!(
                !text.contains(['"', '\\']),
                "un nome senza virgolette e barre rovesciate"
            );
            Ok(dir)
        })
    }

    fn listen(&mut self) -> Result<SocketAddr> {
        self.ask("Su quale indirizzo e porta ascolta?", "0.0.0.0:8443", |text| {
            let parsed = text.parse();
            parsed.map_err(|_| anyhow!("serve un indirizzo con la porta, come 0.0.0.0:8443"))
        })
    }

    fn name(&mut self) -> Result<String> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.ask("Con quale nome la chiamano gli enti?", &host, |text| {
            let is_name = rustls::pki_types::ServerName::try_from(text).is_ok();
            ensure!(is_name, "non è un nome DNS né un indirizzo");
            Ok(text.to_owned())
        })
    }

    fn certificates(&mut self, dir: &Path) -> Result<Certificati> {
        let question = "I certificati: «propri» di un'autorità riconosciuta, o di «prova» fatti ora?";
        let own = self.ask(question, "prova", |text| match text {
            "propri" => Ok(true),
            "prova" if dir.join("autorita").exists() => {
                bail!(
                    "{}/autorita c'è già e non si sovrascrive: spostarla, o rispondere propri e indicarne i certificati",
                    dir.display()
                )
            }
            "prova" => Ok(false),
            _ => bail!("rispondere propri, oppure prova"),
        })?;
        if own { self.own() } else { self.trial() }
    }

    fn copy(&mut self, data: &Path) -> Result<Option<PathBuf>> {
        let question =
            "In quale directory nuova copiare le chiavi, da portare poi altrove? («no»: più tardi)";
        self.ask(question, "no", |text| match text {
            "no" => Ok(None),
            dir if Path::new(dir).exists() => bail!("{dir} c'è già"),
            dir if std::path::absolute(dir)?.starts_with(data) => {
                bail!("{dir} è nella directory dei dati: le chiavi vanno altrove")
            }
            dir => Ok(Some(PathBuf::from(dir))),
        })
    }

    fn own(&mut self) -> Result<Certificati> {
        let readable = |text: &str| {
            pem::certificates(Path::new(text))?;
            Ok(std::path::absolute(text)?)
        };
        Ok(Certificati::Propri {
            catena: self.ask(
                "Il file PEM con il certificato del server e le intermedie?",
                "",
                readable,
            )?,
            chiave: self.ask("Il file PEM con la sua chiave?", "", |text| {
                pem::private_key(Path::new(text))?;
                Ok(std::path::absolute(text)?)
            })?,
            autorita: self.ask(
                "Il file PEM con le autorità dei certificati degli enti?",
                "",
                readable,
            )?,
            lista: self.ask(
                "La loro lista di revoca: un file, o l'indirizzo http da cui si scarica?",
                "",
                |text| {
                    if text.starts_with("http://") {
                        return Ok(text.to_owned());
                    }
                    ensure!(Path::new(text).exists(), "{text}: il file non c'è");
                    Ok(std::path::absolute(text)?.display().to_string())
                },
            )?,
        })
    }

    fn trial(&mut self) -> Result<Certificati> {
        let ente = self.ask(
            "Il nome del primo ente, per il suo certificato di prova?",
            "Comune di prova",
            |text| Ok(text.to_owned()),
        )?;
        let codice_fiscale = self.ask("Il suo codice fiscale?", "99999999990", |text| {
            organization(text)?;
            Ok(text.to_owned())
        })?;
        Ok(Certificati::Prova { ente, codice_fiscale })
    }

    fn yes(&mut self, question: &str, default: &str) -> Result<bool> {
        self.ask(question, default, |text| match text.to_lowercase().as_str() {
            "sì" | "si" | "s" => Ok(true),
            "no" | "n" => Ok(false),
            _ => bail!("rispondere sì, oppure no"),
        })
    }

    /// Asks until the answer is right.
    fn ask<T>(&mut self, question: &str, default: &str, read: impl Fn(&str) -> Result<T>) -> Result<T> {
        self.number += 1;
        loop {
            let shown = if default.is_empty() {
                String::new()
            } else {
                format!(" [{default}]")
            };
            write!(self.output, "{}. {question}{shown} ", self.number)?;
            self.output.flush()?;
            let mut line = String::new();
            ensure!(
                self.input.read_line(&mut line)? > 0,
                "\nle risposte sono finite: niente è stato scritto"
            );
            let answer = match line.trim() {
                "" => default,
                answer => answer,
            };
            if answer.is_empty() {
                writeln!(self.output, "   serve una risposta")?;
                continue;
            }
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(error) => writeln!(self.output, "   {}", told(&error))?,
            }
        }
    }
}

/// The configuration of these answers.
fn configured(answers: &Risposte, files: &Files) -> String {
    let quoted = |path: &str| toml::Value::String(path.to_owned()).to_string();
    let set = |text: String, before: &str, after: &str| text.replacen(before, after, 1);
    let mut text = MODELLO.replace("@DATI@", &answers.dati.display().to_string());
    let listen = answers.listen.to_string();
    text = set(
        text,
        "listen = \"0.0.0.0:8443\"",
        &format!("listen = {}", quoted(&listen)),
    );
    text = set(
        text,
        "certificate = \"server.pem\"",
        &format!("certificate = {}", quoted(&files.catena)),
    );
    text = set(
        text,
        "key = \"server.key\"",
        &format!("key = {}", quoted(&files.chiave)),
    );
    let authorities = format!("client_authorities = {}", quoted(&files.autorita));
    text = set(text, "client_authorities = \"autorita.pem\"", &authorities);
    text = set(
        text,
        "crl = [\"crl/autorita.crl\"]",
        &format!("crl = [{}]", quoted(&files.lista)),
    );
    if let Some(url) = &files.sorgente {
        let source = format!(
            "[[tls.crl_source]]\nurl = {}\nfile = {}\n",
            quoted(url),
            quoted(&files.lista)
        );
        let example = "# [[tls.crl_source]]\n";
        text = set(text, example, &source);
    }
    if answers.metriche {
        text = set(
            text,
            "# listen = \"127.0.0.1:9443\"",
            "listen = \"127.0.0.1:9443\"",
        );
    }
    text
}

/// The files that a configuration names.
struct Files {
    catena: String,
    chiave: String,
    autorita: String,
    lista: String,
    /// Where the list is downloaded from.
    sorgente: Option<String>,
}

fn write(answers: &Risposte, clock: &Clock) -> Result<()> {
    let dir = &answers.configurazione;
    std::fs::create_dir_all(dir.join("crl")).with_context(|| dir.display().to_string())?;
    let file = dir.join("varco.toml");
    if file.exists() {
        let before = dir.join("varco.toml.prima");
        std::fs::rename(&file, &before).with_context(|| before.display().to_string())?;
        println!("La configurazione di prima è in {}.", before.display());
    }
    let files = match &answers.certificati {
        Certificati::Prova { ente, codice_fiscale } => trial(dir, answers, ente, codice_fiscale, clock)?,
        Certificati::Propri {
            catena,
            chiave,
            autorita,
            lista,
        } => {
            let url = lista.starts_with("http://").then(|| lista.clone());
            // Where the units look for it. The key itself stays where it is.
            let key = dir.join("server.key");
            if !key.exists() {
                symlink(chiave, &key).with_context(|| key.display().to_string())?;
            }
            Files {
                catena: catena.display().to_string(),
                chiave: KEY.to_owned(),
                autorita: autorita.display().to_string(),
                lista: if url.is_some() {
                    "crl/autorita.crl".to_owned()
                } else {
                    lista.clone()
                },
                sorgente: url,
            }
        }
    };
    create(&file, configured(answers, &files).as_bytes(), PUBLIC)?;
    // The lists of a service are fetched by the service.
    if let Some(owner) = owner_beside(&answers.dati) {
        give(&dir.join("crl"), owner)?;
    }
    create_data(&answers.dati, clock)?;
    if let Some(copy) = &answers.copia {
        copy_keys(&answers.dati.join("keys"), copy)?;
    }
    if let Some(owner) = owner_beside(&answers.dati) {
        give(&answers.dati, owner)?;
    }
    say(answers, &files, &file, clock)
}

/// The server's key. A service manager hands it over; a command reads it beside the configuration.
const KEY: &str = "$CREDENTIALS_DIRECTORY/server.key";

/// Makes the certificates of a trial.
fn trial(dir: &Path, answers: &Risposte, ente: &str, codice_fiscale: &str, clock: &Clock) -> Result<Files> {
    let (ca, now) = (dir.join("autorita"), clock.now());
    authority(&ca, "Autorità di prova", now)?;
    let mut names = vec![answers.nome.clone()];
    names.extend(
        ["localhost", "127.0.0.1"]
            .map(str::to_owned)
            .into_iter()
            .filter(|name| *name != answers.nome),
    );
    server(
        &ca,
        &names,
        false,
        OpzioniRilascio::of(&dir.join("server"), 365),
        now,
    )?;
    client(
        &ca,
        ente,
        Some(codice_fiscale),
        OpzioniRilascio::of(&dir.join("ente"), 365),
        now,
    )?;
    std::fs::copy(ca.join("crl.pem"), dir.join("crl/autorita.crl"))?;
    Ok(Files {
        catena: "server.pem".to_owned(),
        chiave: KEY.to_owned(),
        autorita: "autorita/ca.pem".to_owned(),
        lista: "crl/autorita.crl".to_owned(),
        sorgente: None,
    })
}

/// The owner of the directory around a new one, if root is about to make something there for somebody else.
fn owner_beside(dir: &Path) -> Option<(u32, u32)> {
    let around = std::fs::metadata(dir.parent()?).ok()?;
    (rustix::process::geteuid().is_root() && around.uid() != 0).then(|| (around.uid(), around.gid()))
}

/// Gives a directory and all in it to an owner.
fn give(dir: &Path, (user, group): (u32, u32)) -> Result<()> {
    chown(dir, Some(user), Some(group)).with_context(|| dir.display().to_string())?;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            give(&path, (user, group))?;
        } else {
            chown(&path, Some(user), Some(group)).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

/// Names the files written, the ones still missing, and the next commands.
fn say(answers: &Risposte, files: &Files, file: &Path, clock: &Clock) -> Result<()> {
    println!("\nScritti:");
    println!("  {}", file.display());
    println!("  {} (registro e chiavi)", answers.dati.display());
    if let Certificati::Prova { ente, .. } = &answers.certificati {
        let dir = answers.configurazione.display();
        println!("  {dir}/autorita, {dir}/server.pem: un'autorità di prova e il certificato del server");
        println!("  {dir}/ente.pem, {dir}/ente.key: il certificato di prova di {ente}");
    }
    let attention = attenzione();
    match &answers.copia {
        Some(copy) => println!(
            "  {}: le chiavi, da portare in un luogo sicuro e separato; crescono: di nuovo a ogni copia (varco backup --chiavi)",
            copy.display()
        ),
        None => println!(
            "{attention} copiare {} in un luogo sicuro e separato, e di nuovo a ogni copia (varco backup --chiavi): senza, i dati riservati non si leggono mai più",
            answers.dati.join("keys").display()
        ),
    }
    let config = Config::read(file)?;
    if files.sorgente.is_some() {
        println!(
            "{attention} prima di partire: varco crl fetch --config {}",
            file.display()
        );
    } else {
        for fault in Settings::build(&config, clock)?.faults(clock.now()) {
            println!("{attention} {fault}");
        }
    }
    println!("\nE ora:");
    if file == Path::new("/etc/varco/varco.toml") {
        println!("  systemctl enable --now varco.socket varco.service");
        if files.sorgente.is_some() {
            println!("  systemctl enable --now varco-crl.timer      le liste di revoca, ogni ora");
        }
        println!("  varco prova");
    } else {
        println!("  varco serve --config {}", file.display());
        println!(
            "  varco prova --config {}      in un'altra finestra",
            file.display()
        );
    }
    let Certificati::Prova { ente, codice_fiscale } = &answers.certificati else {
        println!("  varco ente richiedi --help      il primo ente");
        return Ok(());
    };
    let dir = answers.configurazione.display();
    println!(
        "\nIl primo ente, con il suo certificato di prova (PEC, norma, finalità e motivo sono da cambiare):"
    );
    println!(
        "  varco ente richiedi primo --denominazione \"{ente}\" --codice-fiscale {codice_fiscale} --tipo comune --pec \"PEC\" --base-giuridica \"DPCM 159/2013\" --finalita \"prova\" --motivo \"prova\""
    );
    println!("  varco ente accredita primo --motivo \"prova\"");
    println!("  varco ente certificato primo {dir}/ente.pem --motivo \"prova\"");
    println!(
        "  varco ente abilita primo --operazioni ConsultazioneIndicatore --prestazioni A1.07 --motivo \"prova\""
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> (Result<Risposte>, String) {
        let mut output = Vec::new();
        let mut asking = Domande {
            input: &mut text.as_bytes(),
            output: &mut output,
            number: 0,
        };
        let answers = asking.all(("/nonexistent/etc", "/nonexistent/data"));
        (answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn enter_takes_what_is_proposed() {
        let (answers, said) = answers("\n\n\nporta.example\n\n\n\n\n\n");
        let answers = answers.unwrap();
        assert_eq!(answers.nome, "porta.example");
        assert_eq!(answers.listen.to_string(), "0.0.0.0:8443");
        assert!(answers.metriche && answers.copia.is_none());
        assert!(matches!(answers.certificati, Certificati::Prova { .. }));
        assert!(
            said.contains("9. In quale directory nuova copiare le chiavi"),
            "{said}"
        );
    }

    #[test]
    fn a_wrong_answer_is_asked_again_and_says_why() {
        let (answers, said) =
            answers("\n\nporta\n0.0.0.0:9000\nporta.example\nboh\nprova\n\n123\n99999999990\nforse\nno\n\n");
        let answers = answers.unwrap();
        assert_eq!(answers.listen.port(), 9000);
        assert!(!answers.metriche);
        for why in [
            "serve un indirizzo con la porta",
            "rispondere propri, oppure prova",
            "rispondere sì, oppure no",
        ] {
            assert!(said.contains(why), "{why}: {said}");
        }
    }

    #[test]
    fn answers_that_end_write_nothing() {
        let (answers, _) = answers("\n\n");
        assert!(
            answers
                .unwrap_err()
                .to_string()
                .contains("niente è stato scritto")
        );
    }
}
