//! `varco demo`: everything in one tour, with real parts: certificates, a data directory, enti accredited by
//! the registry's own path, a gateway, a client over mutually authenticated TLS, refusals, the ledger. Writes
//! only under `./varco-demo`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::civil::Date;
use scena::{PRESTAZIONE, passo, presentation, say};

pub mod accreditamento;
mod giro;
mod home;
mod registro;
mod scena;

use super::{ente, feed, init, pki, serve};
use crate::clock::Clock;
use crate::config::Config;
use crate::contract::catalogue::Service;
use crate::isee::feed::{COLUMNS, parse};
use crate::ledger::Directory;
use crate::registry::administration::Command;
use crate::registry::ente::{Stato, Tipo};

const HOME: &str = "varco-demo";
const COMUNE: &str = "comune-demo";
const CAF: &str = "caf-demo";
const SOSPESO: &str = "ente-sospeso";

pub(super) fn run(exit: bool, port: u16, clock: &Clock) -> Result<()> {
    let home = PathBuf::from(HOME);
    home::clear(&home)?;
    println!("Varco, la porta di dominio per l'ISEE: un giro in sei passi.");
    println!("Enti, persone e redditi sono inventati. Tutto resta in ./{HOME}.");
    let pki = pki::demo(&home.join("pki"), clock.now())?;
    let directory = init::create(&home.join("data"), clock)?;
    super::uso::runtime()?.block_on(async {
        passo(
            1,
            "Gli enti accreditati",
            "Entra solo chi presenta il certificato di un ente accreditato, per le operazioni che gli sono concesse.",
        );
        accredit(directory.path(), &pki, clock).await?;
        incomes(directory.path(), clock).await?;
        let config = configure(&home, port)?;
        let started = serve::start(&config, clock).await?;
        let address = started.address;
        if port != 0 && address.port() != port {
            say(&format!("{port} è occupata: si usa un'altra porta TCP"));
        }
        say(&format!("in ascolto su https://localhost:{}", address.port()));
        giro::tour(&home, address, clock).await?;
        started.gateway.gathered.flush(&started.gateway.node).await;
        registro::tell(&Directory::open(directory.path())?)?;
        if exit {
            further(&home);
        } else {
            let mut signals = serve::Signals::new()?;
            curl(&home, address, presentation(clock)?);
            signals.wait().await;
        }
        started.stop().await?;
        anyhow::Ok(())
    })
}

/// Accredits the enti, by the operators' path; suspends one of them.
async fn accredit(data: &Path, pki: &pki::Demo, clock: &Clock) -> Result<()> {
    let consultazione = "ConsultazioneIndicatore,ConsultazioneAttestazione";
    let enti = [
        (
            COMUNE,
            "Comune di Esempio",
            "01234567897",
            Tipo::Comune,
            &pki.comune,
            consultazione,
        ),
        (
            CAF,
            "CAF di Esempio",
            "09876543217",
            Tipo::Caf,
            &pki.caf,
            "TrasmissioneDSU,ConsultazioneEsitoDSU",
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
        let mut commands = accreditamento::commands(
            (codice, denominazione, codice_fiscale),
            tipo,
            &issued.fingerprint,
            operazioni,
            prestazioni,
        );
        if codice == SOSPESO {
            commands.push(Command::Stato {
                codice: SOSPESO.to_owned(),
                nuovo: Stato::Sospeso,
            });
        }
        let mut stato = Stato::Richiesta;
        for command in commands {
            stato = ente::apply(data, command, "dimostrazione", clock).await?.stato;
        }
        say(&format!(
            "{codice:<13} {denominazione:<18} {:<12} {operazioni}",
            stato.name()
        ));
    }
    Ok(())
}

/// Loads the incomes of two members, as from the archives of the state.
async fn incomes(data: &Path, clock: &Clock) -> Result<()> {
    let year = presentation(clock)?.year() - 2;
    let text = format!(
        "{}\nFRRGLI84E52H501O,{year},24500,24500,,,,,,,,,,,\nGLLMTT81P03F205Y,{year},18200,,,,,,,,,,,,\n",
        COLUMNS.join(",")
    );
    let records = parse(&text).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    feed::load(data, &records, "dimostrazione", clock).await?;
    let count = records.len();
    say(&format!(
        "redditi del {year} di {count} persone, come li darebbe l'Agenzia delle entrate"
    ));
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

fn curl(home: &Path, address: SocketAddr, day: Date) {
    let port = address.port();
    let home = home.display();
    let call = |who: &str, file: &str, service: Service| {
        println!(
            "curl --silent --show-error --cacert {home}/pki/ca.pem --cert {home}/pki/{who}.pem --key {home}/pki/{who}.key \\\n  -H 'Content-Type: text/xml; charset=utf-8' --data-binary @{home}/{file} \\\n  https://localhost:{port}{}\n",
            service.path()
        );
    };
    println!("\nE ora, in un'altra finestra, nella stessa directory:\n");
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
    let varco = program();
    println!("Per vedere come sta la porta, e che cosa ha registrato:");
    for command in [
        "status",
        "ente mostra comune-demo",
        "ledger list --esito RICHIESTA_INVALIDA",
        "ledger list --ente caf-demo",
        "ledger show 15 --apri",
        "ledger verify",
    ] {
        println!("  {varco} {command} --data {home}/data");
    }
    println!();
    println!("Ctrl-C per finire.");
}

/// What to try after a tour that ended.
fn further(home: &Path) {
    let (home, varco) = (home.display(), program());
    println!("\nE ora");
    say("lo stesso giro, e poi la porta resta in ascolto con i comandi da copiare:");
    println!("  {varco} demo");
    say("il registro voce per voce, un ente, un codice:");
    println!("  {varco} ledger list --data {home}/data");
    println!("  {varco} ente mostra {COMUNE} --data {home}/data");
    println!("  {varco} spiega K05.controllo");
}

/// The name under which this program was started.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "varco".to_owned())
}
