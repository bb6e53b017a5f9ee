//! `varco demo`: everything in one tour, with real parts: certificates, a data directory, enti accredited by
//! the registry's own path, a gateway, a client over mutually authenticated TLS, refusals, the ledger. Writes
//! only under `./varco-demo`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;

pub mod accreditamento;
mod home;

use super::client::{Answer, Client};
use super::requests::{self, GIULIA};
use super::{ente, feed, init, ledger, pki, serve};
use crate::clock::Clock;
use crate::commands::famiglie::Famiglie;
use crate::config::Config;
use crate::contract::catalogue::Service;
use crate::contract::{ISEE_NS, decode, esiti_text, message};
use crate::isee::CodiceFiscale;
use crate::isee::attestazione::{Attestazione, EsitoAttestazione};
use crate::isee::feed::{COLUMNS, parse};
use crate::isee::foglio::FoglioComponente;
use crate::isee::rules::Rules;
use crate::ledger::Directory;
use crate::registry::administration::Command;
use crate::registry::ente::{Stato, Tipo};
use crate::xml::{self, DocumentLimits};

const HOME: &str = "varco-demo";
const COMUNE: &str = "comune-demo";
const CAF: &str = "caf-demo";
const SOSPESO: &str = "ente-sospeso";
/// Contributi e integrazioni a rette per asili nido.
const PRESTAZIONE: &str = "A1.07";

pub(super) fn run(exit: bool, port: u16, clock: &Clock) -> Result<()> {
    let home = PathBuf::from(HOME);
    home::clear(&home)?;
    step("Certificati: un'autorità, il server, un comune, un CAF, un ente da sospendere, un estraneo");
    let pki = pki::demo(&home.join("pki"), clock.now())?;
    say(&format!("in ./{HOME}/pki"));

    step("Directory dei dati, con chiavi nuove");
    let directory = init::create(&home.join("data"), clock)?;
    say(&format!("registro {}", directory.ledger));

    super::uso::runtime()?.block_on(async {
        accredit(directory.path(), &pki, clock).await?;
        let config = configure(&home, port)?;
        step("La porta");
        let started = serve::start(&config, clock).await?;
        let address = started.address;
        say(&format!("in ascolto su https://localhost:{}", address.port()));
        tour(&home, address, clock).await?;

        step("Il registro: ogni scambio e ogni atto, nell'ordine");
        started.gateway.gathered.flush(&started.gateway.node).await;
        for line in ledger::lines(directory.path())? {
            println!("{line}");
        }
        step("Verifica del registro");
        say(&ledger::verify(&Directory::open(directory.path())?)?.to_string());
        ensure!(
            leaks(directory.path(), &sample_persons())?.is_empty(),
            "un codice fiscale è in chiaro nella directory dei dati"
        );
        say("nessun codice fiscale in chiaro nella directory dei dati");

        if !exit {
            let mut signals = serve::Signals::new()?;
            curl(&home, address, presentation(clock)?);
            signals.wait().await;
        }
        started.stop().await?;
        anyhow::Ok(())
    })
}

/// Accredits the enti, by the operators' path; then loads the feed.
async fn accredit(data: &Path, pki: &pki::Demo, clock: &Clock) -> Result<()> {
    step("Accreditamento di un comune e di un CAF");
    let enti = [
        (
            COMUNE,
            "Comune di Esempio",
            "01234567897",
            Tipo::Comune,
            &pki.comune,
            "ConsultazioneIndicatore,ConsultazioneAttestazione",
        ),
        (
            CAF,
            "CAF di Esempio",
            "09876543217",
            Tipo::Caf,
            &pki.caf,
            "TrasmissioneDSU",
        ),
        (
            SOSPESO,
            "Ente Sospeso",
            "02468135799",
            Tipo::Altro,
            &pki.sospeso,
            "ConsultazioneIndicatore",
        ),
    ];
    for (codice, denominazione, codice_fiscale, tipo, issued, operazioni) in enti {
        let prestazioni: &[&str] = if tipo == Tipo::Caf { &[] } else { &[PRESTAZIONE] };
        let commands = accreditamento::commands(
            (codice, denominazione, codice_fiscale),
            tipo,
            &issued.fingerprint,
            operazioni,
            prestazioni,
        );
        for command in commands {
            ente::apply(data, command, "dimostrazione", clock).await?;
        }
        say(&format!("{codice}: {denominazione}, accreditato"));
    }
    ente::apply(
        data,
        Command::Stato {
            codice: SOSPESO.to_owned(),
            nuovo: Stato::Sospeso,
        },
        "dimostrazione",
        clock,
    )
    .await?;
    say(&format!("{SOSPESO}: sospeso"));

    step("Redditi dei componenti dal feed (Agenzia delle entrate, simulata)");
    let year = presentation(clock)?.year() - 2;
    let text = format!(
        "{}\nFRRGLI84E52H501O,{year},24500,24500,,,,,,,,,,,\nGLLMTT81P03F205Y,{year},18200,,,,,,,,,,,,\n",
        COLUMNS.join(",")
    );
    let records = parse(&text).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    feed::load(data, &records, "dimostrazione", clock).await?;
    say(&format!("{} persone, anno {year}", records.len()));
    Ok(())
}

/// Writes the configuration file, as an operator would. Takes another port if `port` is taken.
fn configure(home: &Path, port: u16) -> Result<Config> {
    let free = std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let port = if free { port } else { 0 };
    let file = home.join("varco.toml");
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\ndata = \"data\"\n\n[tls]\ncertificate = \"pki/server.pem\"\nkey = \"pki/server.key\"\nclient_authorities = \"pki/ca.pem\"\ncrl = [\"pki/crl.pem\"]\n\n[sii]\nattesta = \"subito\"\n"
    );
    std::fs::write(&file, text)?;
    Ok(Config::read(&file)?)
}

/// Today, or the last day with rules if today is later.
fn presentation(clock: &Clock) -> Result<Date> {
    let rules = Rules::embedded()?;
    let last = rules.all().last().context("no rules")?.valid_to;
    Ok(clock.today().min(last))
}

async fn tour(home: &Path, address: SocketAddr, clock: &Clock) -> Result<()> {
    let giorno = presentation(clock)?;
    let giro = Giro {
        home,
        address,
        giorno: giorno.to_string(),
    };
    let protocollo = format!("CAF00001-DEMO01-{}-N0000001", giorno.year());
    let dsu = requests::dsu(&protocollo, &giro.giorno);
    std::fs::write(home.join("trasmissione.xml"), requests::trasmissione(&dsu))?;
    std::fs::write(home.join("indicatore.xml"), giro.indicatore())?;
    std::fs::write(home.join("attestazione.xml"), giro.attestazione(GIULIA))?;

    giro.transmission(&dsu).await?;
    giro.consultation().await?;
    giro.families(giorno).await?;
    giro.strangers().await?;
    giro.suspended().await?;
    giro.defects(&dsu).await
}

/// The tour: what a CAF and a comune do with the porta.
struct Giro<'a> {
    home: &'a Path,
    address: SocketAddr,
    /// Day of the DSU, and of the questions about it.
    giorno: String,
}

impl Giro<'_> {
    fn client(&self, name: &str) -> Result<Client> {
        let pki = self.home.join("pki");
        let (certificate, key) = (pki.join(format!("{name}.pem")), pki.join(format!("{name}.key")));
        Client::new(self.address, &pki.join("ca.pem"), Some((&certificate, &key)))
    }

    fn indicatore(&self) -> String {
        requests::indicatore(GIULIA, &self.giorno, PRESTAZIONE)
    }

    fn attestazione(&self, person: &str) -> String {
        requests::attestazione(person, &self.giorno, PRESTAZIONE)
    }

    async fn transmission(&self, dsu: &str) -> Result<()> {
        step("Il CAF trasmette una DSU");
        let message = requests::trasmissione(dsu);
        let answer = self
            .client("caf")?
            .call(Service::TrasmissioneDsu.path(), &message)
            .await?;
        let accepted = expect(&answer, "OK")?;
        let text = |name| esiti_text(accepted, name).unwrap_or_default();
        say(&format!("protocollo {}", text("ProtocolloDSU")));
        say(&format!(
            "ricevuta {} il {}",
            text("Impronta"),
            text("IstanteRicezione")
        ));
        Ok(())
    }

    async fn consultation(&self) -> Result<()> {
        step("Il comune chiede l'indicatore e l'attestazione");
        let mut comune = self.client("comune")?.connect().await?;
        let answer = comune
            .call(Service::ConsultazioneIsee.path(), &self.indicatore())
            .await?;
        say(&payload(expect(&answer, "OK")?, "XmlEsitoIndicatore")?);
        let answer = comune
            .call(Service::ConsultazioneIsee.path(), &self.attestazione(GIULIA))
            .await?;
        say(&payload(expect(&answer, "OK")?, "XmlEsitoAttestazione")?);
        Ok(())
    }

    async fn families(&self, giorno: Date) -> Result<()> {
        step("Famiglie inventate: il CAF trasmette, il comune chiede che cosa hanno");
        let mut caf = self.client("caf")?.connect().await?;
        let mut comune = self.client("comune")?.connect().await?;
        let mut famiglie = Famiglie::new(2026, giorno);
        for number in 1..=5 {
            let famiglia = famiglie.famiglia(&format!("CAF00001-DEMO02-{}-N{number:07}", giorno.year()));
            let text = message("Dichiarazione", ISEE_NS, &famiglia.dsu, false);
            let answer = caf
                .call(Service::TrasmissioneDsu.path(), &requests::trasmissione(&text))
                .await?;
            expect(&answer, "OK")?;
            let person = famiglia.dsu.codice_fiscale_dichiarante.canonical();
            let answer = comune
                .call(Service::ConsultazioneIsee.path(), &self.attestazione(&person))
                .await?;
            let text = payload(expect(&answer, "OK")?, "XmlEsitoAttestazione")?;
            let document =
                xml::parse(&text, &DocumentLimits::default()).map_err(|error| anyhow::anyhow!("{error}"))?;
            let found: EsitoAttestazione = decode(&document).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            let attestazione = found.attestazione.context("no attestation")?;
            for member in famiglia.dsu.fogli() {
                say(&indicators(&attestazione, member));
            }
            say("");
        }
        Ok(())
    }

    async fn strangers(&self) -> Result<()> {
        step("Rifiuti: senza certificato, con il certificato di un'altra autorità");
        let request = self.indicatore();
        let nobody = Client::new(self.address, &self.home.join("pki/ca.pem"), None)?
            .call(Service::ConsultazioneIsee.path(), &request)
            .await;
        let nobody = nobody.err().context("è entrato chi non ha certificato")?;
        say(&format!("senza certificato: {}", refusal(&nobody)));
        let stranger = self
            .client("straniero")?
            .call(Service::ConsultazioneIsee.path(), &request)
            .await;
        let stranger = stranger.err().context("è entrato un estraneo")?;
        say(&format!("estraneo: {}", refusal(&stranger)));
        Ok(())
    }

    async fn suspended(&self) -> Result<()> {
        step("Rifiuto: un ente sospeso");
        let answer = self
            .client("sospeso")?
            .call(Service::ConsultazioneIsee.path(), &self.indicatore())
            .await?;
        ensure!(
            answer.status.as_u16() == 500 && answer.text.contains("Authorization failed"),
            "a suspended ente was let in"
        );
        let fault = esiti_text(&answer.text, "faultstring").unwrap_or_default();
        say(&format!("HTTP {}: {fault}", answer.status.as_u16()));
        Ok(())
    }

    async fn defects(&self, dsu: &str) -> Result<()> {
        step("Rifiuto: una DSU sbagliata, con tutte le ragioni");
        let bad = dsu
            .replace("GLLMTT81P03F205Y", "GLLMTT81P03F205X")
            .replace(" ConsistenzaMedia=\"2600\"", "")
            .replace("N0000001", "N0000002");
        let worse = bad
            .replace("TipoAbitazione=\"000\"", "TipoAbitazione=\"casa\"")
            .replace(" Sesso=\"F\"", "");
        for dsu in [bad, worse] {
            let message = requests::trasmissione(&dsu);
            report(
                &self
                    .client("caf")?
                    .call(Service::TrasmissioneDsu.path(), &message)
                    .await?,
            )?;
        }
        Ok(())
    }
}

/// A member's name, and the indicators with their ISEE.
fn indicators(attestazione: &Attestazione, member: &FoglioComponente) -> String {
    let codes = attestazione.indicatori(&member.codice_fiscale).into_iter();
    let values = codes.filter_map(|tipo| {
        let found = attestazione.indicatore(tipo, &member.codice_fiscale).ok()?;
        Some(format!("{} {}", tipo.code(), found.valori.isee))
    });
    let anagrafica = &member.dati_componente.anagrafica;
    let values = values.collect::<Vec<_>>().join(", ");
    format!("{} {}: {values}", anagrafica.cognome, anagrafica.nome)
}

/// The alert or error at the end of a handshake, in words.
fn refusal(error: &anyhow::Error) -> String {
    let text = error.root_cause().to_string();
    match text.strip_prefix("received fatal alert: ") {
        Some(alert) => format!("la porta chiude la stretta di mano (alert TLS {alert})"),
        None => text,
    }
}

/// Prints the violations of a refused DSU.
fn report(answer: &Answer) -> Result<()> {
    let text = expect(answer, "RICHIESTA_INVALIDA")?;
    for violation in text.split("<Violazione>").skip(1) {
        let part = |name| esiti_text(violation, name).unwrap_or_default();
        say(&format!(
            "{} riga {}, colonna {}: {}",
            part("Codice"),
            part("Riga"),
            part("Colonna"),
            part("Testo")
        ));
        say(&format!("    {}", part("Percorso")));
    }
    Ok(())
}

fn expect<'a>(answer: &'a Answer, esito: &str) -> Result<&'a str> {
    let found = esiti_text(&answer.text, "Esito").unwrap_or_default();
    ensure!(
        answer.status.as_u16() == 200 && found == esito,
        "HTTP {}, Esito {found}: expected {esito}",
        answer.status
    );
    Ok(&answer.text)
}

/// Decodes the base64 text of an element of a response.
fn payload(text: &str, element: &str) -> Result<String> {
    use base64::Engine as _;
    let encoded = esiti_text(text, element).context("no payload")?;
    Ok(String::from_utf8(
        base64::engine::general_purpose::STANDARD.decode(encoded)?,
    )?)
}

/// The codici fiscali in the sample DSU.
fn sample_persons() -> Vec<String> {
    let text = requests::dsu("", "");
    let codes = text.split('"').filter(|value| value.len() == GIULIA.len());
    let codes = codes.filter(|value| CodiceFiscale::new(*value).kind().is_ok());
    codes.map(str::to_owned).collect()
}

/// Files below a directory with one of these codici fiscali in clear.
fn leaks(directory: &Path, persons: &[String]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(leaks(&path, persons)?);
        } else if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let holds = |code: &String| bytes.windows(code.len()).any(|window| window == code.as_bytes());
            if persons.iter().any(holds) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn curl(home: &Path, address: SocketAddr, day: Date) {
    let port = address.port();
    let home = home.display();
    let call = |who: &str, file: &str, service: Service| {
        println!(
            "curl --silent --show-error --cacert {home}/pki/ca.pem --cert {home}/pki/{who}.pem --key {home}/pki/{who}.key \\\n  -H 'Content-Type: text/xml; charset=utf-8' --data-binary @{home}/{file} \\\n  https://localhost:{port}{}\n",
            service.path()
        );
    };
    step("Da provare in un'altra finestra, nella stessa directory");
    call("caf", "trasmissione.xml", Service::TrasmissioneDsu);
    call("comune", "indicatore.xml", Service::ConsultazioneIsee);
    call("comune", "attestazione.xml", Service::ConsultazioneIsee);
    println!(
        "curl --silent --show-error --cacert {home}/pki/ca.pem --cert {home}/pki/comune.pem --key {home}/pki/comune.key \\\n  'https://localhost:{port}{}?wsdl'\n",
        Service::ConsultazioneIsee.path()
    );
    println!("(la DSU è presentata il {day}; la stessa trasmissione riceve sempre la stessa risposta)");
    println!("\nCiò che una risposta contiene è in base64. Per leggerlo, dopo il secondo comando:");
    println!("  ... | sed -n 's:.*<XmlEsitoIndicatore>\\(.*\\)</XmlEsitoIndicatore>.*:\\1:p' | base64 -d\n");
    let varco = std::env::args().next().unwrap_or_else(|| "varco".to_owned());
    println!("Per vedere come sta la porta, e che cosa ha registrato:");
    for command in [
        "status",
        "ente mostra comune-demo",
        "ledger list --outcome RICHIESTA_INVALIDA",
        "ledger list --ente caf-demo",
        "ledger show 15 --open",
        "ledger verify",
    ] {
        println!("  {varco} {command} --data {home}/data");
    }
    println!();
    println!("Ctrl-C per finire.");
}

fn step(title: &str) {
    println!("\n== {title}");
}

fn say(text: &str) {
    for line in text.lines() {
        println!("   {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_of_any_person_of_the_sample_is_found() {
        let persons = sample_persons();
        assert!(
            persons.len() > 3 && persons.contains(&GIULIA.to_owned()),
            "{persons:?}"
        );
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("views")).unwrap();
        let file = home.path().join("views/one");
        std::fs::write(&file, "nothing of the sample").unwrap();
        assert!(leaks(home.path(), &persons).unwrap().is_empty());
        for person in &persons {
            std::fs::write(&file, format!("before {person} after")).unwrap();
            assert_eq!(leaks(home.path(), &persons).unwrap(), std::slice::from_ref(&file));
        }
    }
}
