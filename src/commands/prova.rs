//! `varco prova`: tries a running gateway from end to end, with an ente of its own that it takes away again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::client::Client;
use super::demo::accreditamento::commands;
use super::dove::Configurazione;
use super::pki::{OpzioniRilascio, client, is_authority};
use super::terminale::{Stile, Uscita};
use super::{ente, requests, socket, spiega};
use crate::clock::Clock;
use crate::config::Config;
use crate::contract::catalogue::{Operation, Service};
use crate::contract::consultazione::Esito;
use crate::contract::esiti_text;
use crate::digest::{hex, sha256};
use crate::gateway::settings::Settings;
use crate::gateway::status::Status;
use crate::italian::quanti;
use crate::ledger::Directory;
use crate::ledger::search::{self, Filter};
use crate::registry::administration::Command;
use crate::registry::ente::{Stato, Tipo};
use crate::tls::pem::certificates;

/// `varco prova`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: Configurazione,
    /// Il nome con cui gli enti raggiungono la porta [se manca: il primo del suo certificato]
    #[arg(long)]
    nome: Option<String>,
    /// Un certificato di prova, di un'autorità che la porta riconosce
    #[arg(long, requires = "chiave")]
    certificato: Option<PathBuf>,
    /// La sua chiave
    #[arg(long, requires = "certificato")]
    chiave: Option<PathBuf>,
    /// L'autorità di prova che rilascia un certificato per un giorno [se manca: la directory autorita accanto
    /// alla configurazione, se c'è]
    #[arg(long, conflicts_with = "certificato")]
    autorita: Option<PathBuf>,
}

/// The ente of the trial. Nobody else has a code like this.
const ENTE: &str = "prova-varco";
/// Its invented codice fiscale.
const CODICE_FISCALE: &str = "99999999990";
/// The person asked for: invented, and in no DSU.
const NESSUNO: &str = "RSSMRA80A01H501U";
const PRESTAZIONE: &str = "A1.07";
const MOTIVO: &str = "varco prova";

/// A step gone wrong, and its remedy.
struct Guasto {
    perche: String,
    rimedio: String,
}

/// The outcome of a step.
type Visto = Result<String, Guasto>;

/// Turns an error into a step gone wrong.
fn wrong(rimedio: &str) -> impl FnOnce(anyhow::Error) -> Guasto {
    move |error| Guasto {
        perche: super::uso::told(&error),
        rimedio: rimedio.to_owned(),
    }
}

/// Says the outcome of a step; whether it went well.
fn tell(step: &str, seen: &Visto) -> bool {
    match seen {
        Ok(what) => println!("bene    {step}: {what}"),
        Err(Guasto { perche, rimedio }) => {
            println!(
                "{} {step}: {perche}",
                Uscita::Normale.styled(Stile::Errore, "MALE   ")
            );
            println!("        che cosa fare: {rimedio}");
        }
    }
    seen.is_ok()
}

pub(super) fn run(args: Args, clock: &Clock) -> Result<()> {
    let Args {
        config: file,
        nome,
        certificato,
        chiave,
        autorita,
    } = args;
    let file = file.file();
    let config = Config::read(&file)?;
    let beside = file.with_file_name("autorita");
    let mut prova = GiroDiProva {
        clock,
        directory: Directory::open(&config.data)?,
        nome,
        own: certificato.zip(chiave),
        autorita: autorita.or_else(|| is_authority(&beside).then_some(beside)),
        config,
        temporary: None,
    };
    println!("Prova di {}", file.display());
    let done = super::uso::runtime()?.block_on(prova.all());
    if let Some(temporary) = prova.temporary {
        let _ = std::fs::remove_dir_all(temporary);
    }
    match done {
        Done::Bene => println!("\nLa porta funziona, da un capo all'altro."),
        Done::SenzaEnte => println!(
            "\nFin qui va bene. Per provare anche una richiesta serve un certificato di un'autorità che la porta riconosce:\n\
             --certificato e --chiave, oppure --autorita con un'autorità di prova (varco pki ca)."
        ),
        Done::Male => bail!("la prova non è riuscita: il passo andato male dice che cosa fare"),
    }
    Ok(())
}

/// The end of a trial.
enum Done {
    Bene,
    /// All went well, but nobody could ask anything.
    SenzaEnte,
    Male,
}

struct GiroDiProva<'a> {
    clock: &'a Clock,
    config: Config,
    directory: Directory,
    nome: Option<String>,
    /// A certificate and its key.
    own: Option<(PathBuf, PathBuf)>,
    autorita: Option<PathBuf>,
    /// Where a certificate for this trial was issued to.
    temporary: Option<PathBuf>,
}

impl GiroDiProva<'_> {
    async fn all(&mut self) -> Done {
        if !tell("configurazione", &self.configuration()) {
            return Done::Male;
        }
        let (status, seen) = match self.running().await {
            Ok((status, seen)) => (Some(status), Ok(seen)),
            Err(wrong) => (None, Err(wrong)),
        };
        tell("porta in funzione", &seen);
        let Some(status) = status else { return Done::Male };
        let place = match self.place(&status) {
            Ok(place) => place,
            Err(wrong) => {
                tell("canale", &Err(wrong));
                return Done::Male;
            }
        };
        if !tell("canale", &self.channel(&place).await) {
            return Done::Male;
        }
        match self.certificate() {
            Ok(Some((certificate, key))) => {
                if self.as_ente(&place, &certificate, &key).await {
                    Done::Bene
                } else {
                    Done::Male
                }
            }
            Ok(None) => Done::SenzaEnte,
            Err(wrong) => {
                tell("certificato di prova", &Err(wrong));
                Done::Male
            }
        }
    }

    /// The faults that `varco check-config` names.
    fn configuration(&self) -> Visto {
        let settings = Settings::build(&self.config, self.clock)
            .map_err(|error| wrong("correggere il file, poi varco check-config")(error.into()))?;
        let faults = settings.faults(self.clock.now());
        if faults.is_empty() {
            return Ok("va bene".to_owned());
        }
        Err(Guasto {
            perche: faults.join("; "),
            rimedio: "correggere, poi varco check-config --rigoroso".to_owned(),
        })
    }

    async fn running(&self) -> Result<(Status, String), Guasto> {
        let status: Option<Status> = socket::get(&self.directory.socket(), "/status")
            .await
            .map_err(wrong("guardare il log della porta"))?;
        let Some(status) = status else {
            return Err(Guasto {
                perche: "nessuna porta in funzione su questa directory dei dati".to_owned(),
                rimedio: "avviarla: varco serve, o systemctl start varco.socket varco.service".to_owned(),
            });
        };
        if !status.pronta {
            return Err(Guasto {
                perche: format!("non è pronta: registro {}", status.stato_registro),
                rimedio: format!("varco status: {}", status.avvertenze.join("; ")),
            });
        }
        let seen = format!(
            "versione {}, {} nel registro, {}",
            status.versione,
            quanti(status.voci, "voce", "voci"),
            quanti(status.avvertenze.len(), "avvertenza", "avvertenze")
        );
        Ok((status, seen))
    }

    /// The address and the name to call, and the authorities that the server's certificate is known by.
    fn place(&self, status: &Status) -> Result<Chiamata, Guasto> {
        let remedy = "indicare il nome con --nome; controllare tls.certificate";
        let found = || {
            let address: SocketAddr = status.indirizzo.parse()?;
            let ip = match address.ip() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            let chain = certificates(&self.config.tls.certificate)?;
            let name = match &self.nome {
                Some(name) => name.clone(),
                None => name_in(chain.first().context("nessun certificato")?)?,
            };
            // Callers trust the root of the server's chain; the file may have it, or end just before it.
            let mut authorities: Vec<CertificateDer<'static>> = chain.into_iter().skip(1).collect();
            authorities.extend(certificates(&self.config.tls.client_authorities)?);
            Ok(Chiamata {
                address: SocketAddr::new(ip, address.port()),
                name,
                authorities,
            })
        };
        found().map_err(wrong(remedy))
    }

    /// The server's certificate, and the refusal of a client without one.
    async fn channel(&self, place: &Chiamata) -> Visto {
        let remedy = "guardare chi ascolta a questo indirizzo, e il certificato del server (tls.certificate)";
        let tried = async {
            let client = place.client(None)?;
            let socket = TcpStream::connect(place.address)
                .await
                .with_context(|| format!("{} non risponde", place.address))?;
            // With TLS 1.3 the refusal comes after the handshake.
            let refused = match client.connect_over(socket).await {
                Ok(mut stream) => stream.read_u8().await.err().map(anyhow::Error::from),
                Err(error) => Some(error),
            };
            let refused = refused.context("entra anche chi non ha un certificato")?;
            let asked = refused.chain().any(|cause| {
                let text = cause.to_string();
                text.contains("CertificateRequired") || text.contains("HandshakeFailure")
            });
            ensure!(
                asked,
                "la stretta di mano non riesce: {}",
                super::uso::told(&refused)
            );
            Ok(format!(
                "risponde a {} come {}, e chiede un certificato a chi chiama",
                place.address, place.name
            ))
        };
        tried.await.map_err(wrong(remedy))
    }

    /// The certificate to ask with. None: there is none, and no authority to issue one.
    fn certificate(&mut self) -> Result<Option<(PathBuf, PathBuf)>, Guasto> {
        if self.own.is_some() {
            return Ok(self.own.clone());
        }
        let Some(authority) = self.autorita.clone() else {
            return Ok(None);
        };
        let mut issued = || {
            let temporary = std::env::temp_dir().join(format!("varco-prova-{}", std::process::id()));
            // Fails if the name is taken: somebody else may have prepared it.
            std::fs::DirBuilder::new().mode(0o700).create(&temporary)?;
            self.temporary = Some(temporary.clone());
            let place = OpzioniRilascio::of(&temporary.join("prova"), 1);
            let issued = client(
                &authority,
                "Prova di Varco",
                Some(CODICE_FISCALE),
                place,
                self.clock.now(),
            )?;
            Ok(Some((issued.certificate, issued.key)))
        };
        issued().map_err(wrong(
            "eseguire come chi possiede l'autorità di prova, o usare --certificato e --chiave",
        ))
    }

    /// Registers the ente, asks, looks into the ledger, and takes the ente away, whatever happened.
    async fn as_ente(&self, place: &Chiamata, certificate: &Path, key: &Path) -> bool {
        let registered = self.register(certificate).await;
        let mut well = tell("ente di prova", &registered);
        if well {
            match place.client(Some((certificate, key))) {
                Ok(client) => well = self.ask(&client).await,
                Err(error) => {
                    well = tell(
                        "richiesta",
                        &Err(wrong("controllare --certificato e --chiave")(error)),
                    )
                }
            }
        }
        tell("ente tolto", &self.remove().await) && well
    }

    async fn change(&self, command: Command) -> Result<()> {
        ente::apply(&self.config.data, command, MOTIVO, self.clock).await?;
        Ok(())
    }

    async fn register(&self, certificate: &Path) -> Visto {
        let all = async {
            let own = certificates(certificate)?;
            let fingerprint = hex(&sha256(own.first().context("nessun certificato")?));
            // Of a trial that was interrupted.
            let _ = self.remove().await;
            let who = (ENTE, "Ente di prova", CODICE_FISCALE);
            let operation = Operation::ConsultazioneIndicatore.name();
            for mut command in commands(who, Tipo::Altro, &fingerprint, operation, &[PRESTAZIONE]) {
                if let Command::Decidi { decisione, .. } = &mut command {
                    // Of a trial that is interrupted nothing is left tomorrow.
                    decisione.scadenza = Some(self.clock.today());
                }
                self.change(command).await?;
            }
            Ok(format!("{ENTE}, accreditato per oggi, per {operation}"))
        };
        all.await
            .map_err(wrong("eseguire come root, o come l'utente della porta"))
    }

    /// Revokes the ente, and takes its certificates from it: none of them opens anything afterwards.
    async fn remove(&self) -> Visto {
        let all = async {
            let enti = ente::enti(&self.config.data, self.clock).await?;
            let found = enti.into_iter().find(|ente| ente.codice == ENTE);
            let found = found.context("l'ente di prova non c'è")?;
            for certificate in found.certificati {
                self.change(Command::TogliCertificato {
                    codice: ENTE.to_owned(),
                    segno: certificate.segno,
                })
                .await?;
            }
            if found.stato != Stato::Revocato {
                self.change(Command::Stato {
                    codice: ENTE.to_owned(),
                    nuovo: Stato::Revocato,
                })
                .await?;
            }
            Ok(format!(
                "{ENTE} è revocato, e il suo certificato non vale più; il registro ricorda la prova"
            ))
        };
        let remedy = format!("varco ente revoca {ENTE} --motivo \"fine della prova\"");
        all.await.map_err(wrong(&remedy))
    }

    async fn ask(&self, client: &Client) -> bool {
        let contract = self
            .contract(client)
            .await
            .map_err(wrong("varco status; guardare il log della porta"));
        if !tell("contratto", &contract) {
            return false;
        }
        let answered = match self.question(client).await {
            Ok((exchange, seen)) => {
                tell("richiesta", &Ok(seen));
                exchange
            }
            Err(wrong) => return tell("richiesta", &Err(wrong)),
        };
        let recorded = self.recorded(&answered).map_err(wrong(
            "eseguire come root, o come l'utente della porta; varco ledger verify",
        ));
        tell("registro", &recorded)
    }

    async fn contract(&self, client: &Client) -> Result<String> {
        let path = Service::ConsultazioneIsee.path();
        let request = Request::get(format!("{path}?wsdl")).body(Full::<Bytes>::default())?;
        let answer = client.connect().await?.send(request).await?;
        ensure!(
            answer.status == StatusCode::OK,
            "{path}?wsdl: HTTP {}",
            answer.status.as_u16()
        );
        Ok(format!("{path}?wsdl si legge, {} byte", answer.text.len()))
    }

    /// Asks for a person in no DSU. Returns the exchange.
    async fn question(&self, client: &Client) -> Result<(String, String), Guasto> {
        let today = self.clock.today().to_string();
        let message = requests::indicatore(NESSUNO, &today, PRESTAZIONE);
        let answer = client
            .call(Service::ConsultazioneIsee.path(), &message)
            .await
            .map_err(wrong(
                "varco ledger list --tipo gathered dice perché la connessione è stata rifiutata",
            ))?;
        let exchange = answer.exchange.clone().unwrap_or_default();
        let outcome = esiti_text(&answer.text, "Esito");
        if outcome == Some(Esito::DatiNonTrovati.code()) {
            let seen =
                "ConsultazioneIndicatore risponde DATI_NON_TROVATI, com'è giusto di una persona inventata";
            return Ok((exchange, seen.to_owned()));
        }
        // The client sees no code; the ledger has it.
        let code = self.refusal(&exchange).ok().flatten();
        let remedy = code.as_deref().and_then(spiega::rimedio_di);
        let said = outcome
            .or_else(|| esiti_text(&answer.text, "faultstring"))
            .unwrap_or("nessun esito");
        Err(Guasto {
            perche: format!(
                "risponde HTTP {}, {said}{}",
                answer.status.as_u16(),
                code.map(|code| format!(" ({code})")).unwrap_or_default()
            ),
            rimedio: remedy.unwrap_or_else(|| "guardare il log della porta".to_owned()),
        })
    }

    fn found(&self, exchange: &str) -> Result<crate::ledger::Entry> {
        let filter = Filter {
            exchange: Some(exchange.parse().context("la risposta non ha X-Request-Id")?),
            ..Filter::default()
        };
        let found = search::find(&self.directory.reader(), &filter, 1)?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| anyhow!("nessuna voce dello scambio {exchange}"))
    }

    fn refusal(&self, exchange: &str) -> Result<Option<String>> {
        Ok(self.found(exchange)?.leaf.body.refusal)
    }

    fn recorded(&self, exchange: &str) -> Result<String> {
        let entry = self.found(exchange)?;
        Ok(format!("lo scambio {exchange} è la voce {}", entry.leaf.seq))
    }
}

/// Where the gateway is called, and how its certificate is known.
struct Chiamata {
    address: SocketAddr,
    name: String,
    authorities: Vec<CertificateDer<'static>>,
}

impl Chiamata {
    fn client(&self, own: Option<(&Path, &Path)>) -> Result<Client> {
        Client::trusting(self.address, &self.name, self.authorities.clone(), own)
    }
}

/// The first name in a certificate: of DNS, else an address.
fn name_in(certificate: &CertificateDer<'_>) -> Result<String> {
    let (_, certificate) = X509Certificate::from_der(certificate)?;
    let names = certificate
        .subject_alternative_name()?
        .context("il certificato non ha nomi")?;
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|bytes| Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    };
    names
        .value
        .general_names
        .iter()
        .find_map(name)
        .context("il certificato non ha nomi")
}
