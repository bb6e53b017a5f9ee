//! Steps 2 to 5 of the demonstration: what a CAF and a comune do with the porta, and who is refused.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;

use super::scena::{PRESTAZIONE, passo, presentation, say};
use crate::clock::Clock;
use crate::commands::client::{Answer, Client};
use crate::commands::famiglie::Famiglie;
use crate::commands::requests::{self, GIULIA};
use crate::commands::spiega;
use crate::contract::catalogue::Service;
use crate::contract::{ISEE_NS, decode, esiti_text, message};
use crate::gateway::fault::row;
use crate::gateway::gathered::Stretta;
use crate::isee::attestazione::{Attestazione, EsitoAttestazione};
use crate::isee::codes::TipoIndicatore;
use crate::isee::foglio::FoglioComponente;
use crate::isee::prospetto::ruolo;
use crate::isee::valori::Valori;
use crate::refusal::Code;
use crate::xml::{self, DocumentLimits};

/// Takes the four steps, and leaves the requests in files to try again.
pub(super) async fn tour(home: &Path, address: SocketAddr, clock: &Clock) -> Result<()> {
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
    passo(
        5,
        "A chi la porta dice di no",
        "Ogni rifiuto ha un codice e un rimedio: varco spiega CODICE li dice per esteso.",
    );
    giro.strangers().await?;
    giro.suspended().await?;
    giro.defects(&dsu).await
}

struct Giro<'a> {
    home: &'a Path,
    address: SocketAddr,
    /// Day of the DSU, and of the questions about it.
    giorno: String,
}

/// The indicators of the table of families.
const COLONNE: [TipoIndicatore; 4] = [
    TipoIndicatore::Ordinario,
    TipoIndicatore::Minorenne,
    TipoIndicatore::Universitario,
    TipoIndicatore::Residenziale,
];

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
        passo(
            2,
            "Il CAF trasmette una DSU",
            "La porta la controlla, calcola l'ISEE con i redditi che lo Stato conosce, e ne dà ricevuta.",
        );
        let message = requests::trasmissione(dsu);
        let path = Service::TrasmissioneDsu.path();
        let answer = self.client("caf")?.call(path, &message).await?;
        let accepted = expect(&answer, "OK")?;
        let text = |name| esiti_text(accepted, name).unwrap_or_default();
        say(&format!("protocollo {}", text("ProtocolloDSU")));
        let (impronta, istante) = (text("Impronta"), text("IstanteRicezione"));
        say(&format!("ricevuta {impronta} il {istante}"));
        Ok(())
    }

    async fn consultation(&self) -> Result<()> {
        passo(
            3,
            "Il comune chiede l'ISEE",
            "Riceve solo ciò per cui è abilitato: indicatori e attestazioni, per le rette degli asili nido (A1.07).",
        );
        let mut comune = self.client("comune")?.connect().await?;
        let path = Service::ConsultazioneIsee.path();
        expect(&comune.call(path, &self.indicatore()).await?, "OK")?;
        let answer = comune.call(path, &self.attestazione(GIULIA)).await?;
        let attestazione = attestation(&answer)?;
        let ordinario = attestazione.ordinario.as_ref().context("no ordinary ISEE")?;
        let members = &ordinario.nucleo_familiare.componente_nucleo;
        for member in members {
            let ruolo = ruolo(member.rapporto_con_dichiarante);
            say(&format!("{} {}, {ruolo}", member.cognome, member.nome));
        }
        say(&format!("DSU valida fino al {}", attestazione.data_validita));
        say(&format!(
            "{:<19} {:>10} {:>6} {:>10}",
            "indicatore", "ISE", "scala", "ISEE"
        ));
        let line = |name: &str, valori: &Valori| {
            let (ise, scala, isee) = (&valori.ise, &valori.scala_equivalenza, &valori.isee);
            say(&format!(
                "{name:<19} {:>10} {:>6} {:>10}",
                ise.to_string(),
                scala.to_string(),
                isee.to_string()
            ));
        };
        line("Ordinario", &ordinario.isee_ordinario.valori);
        if let Some(famiglia) = &ordinario.isee_famiglia {
            line("Famiglia", &famiglia.valori);
        }
        let minors = members.iter().filter_map(|member| {
            let found = attestazione.indicatore(TipoIndicatore::Minorenne, &member.codice_fiscale);
            Some((&member.nome, found.ok()?))
        });
        for (nome, found) in minors {
            line(&format!("Minorenne, {nome}"), found.valori);
        }
        Ok(())
    }

    async fn families(&self, giorno: Date) -> Result<()> {
        passo(
            4,
            "Altre famiglie, altri indicatori",
            "Secondo la prestazione e la persona conta un indicatore diverso: la porta li calcola tutti.",
        );
        let titles: Vec<String> = COLONNE
            .iter()
            .map(|tipo| format!("{:>15}", tipo.code()))
            .collect();
        say(&format!("{:<18}{}", "persona", titles.concat()));
        let mut caf = self.client("caf")?.connect().await?;
        let mut comune = self.client("comune")?.connect().await?;
        let mut famiglie = Famiglie::new(2026, giorno);
        for number in 1..=5 {
            println!();
            let famiglia = famiglie.famiglia(&format!("CAF00001-DEMO02-{}-N{number:07}", giorno.year()));
            let text = message("Dichiarazione", ISEE_NS, &famiglia.dsu, false);
            let (send, read) = (Service::TrasmissioneDsu.path(), Service::ConsultazioneIsee.path());
            expect(&caf.call(send, &requests::trasmissione(&text)).await?, "OK")?;
            let person = famiglia.dsu.codice_fiscale_dichiarante.canonical();
            let attestazione = attestation(&comune.call(read, &self.attestazione(&person)).await?)?;
            for member in famiglia.dsu.fogli() {
                say(&indicators(&attestazione, member));
            }
        }
        Ok(())
    }

    async fn strangers(&self) -> Result<()> {
        let (path, request) = (Service::ConsultazioneIsee.path(), self.indicatore());
        let without = Client::new(self.address, &self.home.join("pki/ca.pem"), None)?;
        let nobody = without.call(path, &request).await.err();
        let nobody = nobody.context("è entrato chi non ha certificato")?;
        refused(
            &format!("un client senza certificato: {}", alert(&nobody)),
            Stretta::H01SenzaCertificato.code(),
        );
        let stranger = self.client("straniero")?.call(path, &request).await.err();
        let stranger = stranger.context("è entrato un estraneo")?;
        refused(
            &format!("un certificato di un'altra autorità: {}", alert(&stranger)),
            Stretta::H02Certificato.code(),
        );
        Ok(())
    }

    async fn suspended(&self) -> Result<()> {
        let path = Service::ConsultazioneIsee.path();
        let answer = self.client("sospeso")?.call(path, &self.indicatore()).await?;
        ensure!(
            answer.status.as_u16() == 500 && answer.text.contains("Authorization failed"),
            "a suspended ente was let in"
        );
        let fault = esiti_text(&answer.text, "faultstring").unwrap_or_default();
        refused(
            &format!(
                "un ente sospeso: fault SOAP (HTTP {}), {fault}",
                answer.status.as_u16()
            ),
            row(Code::NotAuthorized).ledger,
        );
        Ok(())
    }

    /// A DSU with errors of content, and one with errors of form: all of them at once.
    async fn defects(&self, dsu: &str) -> Result<()> {
        let bad = dsu
            .replace("GLLMTT81P03F205Y", "GLLMTT81P03F205X")
            .replace(" ConsistenzaMedia=\"2600\"", "")
            .replace("N0000001", "N0000002");
        let worse = bad
            .replace("TipoAbitazione=\"000\"", "TipoAbitazione=\"casa\"")
            .replace(" Sesso=\"F\"", "");
        for (kind, dsu) in [("nel contenuto", bad), ("nella forma (schema)", worse)] {
            let message = requests::trasmissione(&dsu);
            let answer = self
                .client("caf")?
                .call(Service::TrasmissioneDsu.path(), &message)
                .await?;
            say(&format!(
                "una DSU sbagliata {kind}: RICHIESTA_INVALIDA, con tutte le violazioni"
            ));
            let text = expect(&answer, "RICHIESTA_INVALIDA")?;
            for violation in text.split("<Violazione>").skip(1) {
                let part = |name| esiti_text(violation, name).unwrap_or_default();
                let (riga, colonna, testo) = (part("Riga"), part("Colonna"), part("Testo"));
                refused(
                    &format!("   riga {riga}, colonna {colonna}: {testo}"),
                    part("Codice"),
                );
            }
        }
        Ok(())
    }
}

/// Says a refusal, with its code and the remedy.
fn refused(what: &str, codice: &str) {
    say(what);
    say(&format!(
        "      {codice}: {}",
        spiega::rimedio_di(codice).unwrap_or_default()
    ));
}

/// A member's name, and the ISEE of each indicator that the person has.
fn indicators(attestazione: &Attestazione, member: &FoglioComponente) -> String {
    let values = COLONNE.iter().map(|tipo| {
        let found = attestazione.indicatore(*tipo, &member.codice_fiscale);
        let isee = found.map_or_else(|_| "-".to_owned(), |found| found.valori.isee.to_string());
        format!("{isee:>15}")
    });
    let anagrafica = &member.dati_componente.anagrafica;
    let name = format!("{} {}", anagrafica.cognome, anagrafica.nome);
    format!("{name:<18}{}", values.collect::<String>())
}

/// The alert or error at the end of a handshake, in words.
fn alert(error: &anyhow::Error) -> String {
    let text = error.root_cause().to_string();
    match text.strip_prefix("received fatal alert: ") {
        Some(alert) => format!("la porta chiude la stretta di mano (alert TLS {alert})"),
        None => text,
    }
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

/// The attestation in a response: its text is in base64.
fn attestation(answer: &Answer) -> Result<Attestazione> {
    use base64::Engine as _;
    let encoded = esiti_text(expect(answer, "OK")?, "XmlEsitoAttestazione").context("no payload")?;
    let text = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded)?)?;
    let document = xml::parse(&text, &DocumentLimits::default());
    let document = document.map_err(|error| anyhow::anyhow!("{error}"))?;
    let found: EsitoAttestazione = decode(&document).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    found.attestazione.context("no attestation")
}
