//! Enti of a test, the declarations they send, and what they are told.

use jiff::civil::Date;
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::isee::CodiceFiscale;
use varco::isee::feed::COLUMNS;
use varco::registry::ente::Tipo;

use super::caseta::Caseta;
use crate::site::{BENEFIT, DSU, ISEE, Site, element, payload, requests, varco as command};

pub const OTHER: &str = "altrocaf";

pub struct World {
    pub site: Site,
    pub today: Date,
}

impl World {
    pub fn new() -> Self {
        let site = Site::new();
        site.enrol(OTHER, Tipo::Caf, "TrasmissioneDSU,ConsultazioneEsitoDSU");
        site.act(accreditamento::granted(
            "caf",
            "TrasmissioneDSU,ConsultazioneEsitoDSU,TrasmissioneLotto",
            &[],
        ));
        let consultations = "ConsultazioneIndicatore,ConsultazioneAttestazione,ConsultazioneDichiarazione";
        site.act(accreditamento::granted("comune", consultations, &[BENEFIT]));
        let today = site.today().parse().unwrap();
        Self { site, today }
    }

    /// Loads what the feed knows of these: employees.
    pub fn feed(&self, of: &[&Caseta]) -> String {
        let records = of.iter().flat_map(|casa| &casa.feed);
        let lines = records.map(|record| {
            let income = record.lavoro_dipendente.unwrap();
            format!(
                "{},{},{income},{income},,,,,,,,,,,\n",
                record.codice_fiscale, record.anno
            )
        });
        let file = self.site.home.path().join("feed.csv");
        std::fs::write(
            &file,
            format!("{}\n{}", COLUMNS.join(","), lines.collect::<String>()),
        )
        .unwrap();
        let data = self.site.data().display().to_string();
        let (said, done) = command(&[
            "feed",
            "load",
            &file.display().to_string(),
            "--data",
            &data,
            "--motivo",
            "prova",
        ]);
        assert!(done, "{said}");
        said
    }
}

pub async fn accepted(client: &Client, request: &str) -> String {
    let answer = client.call(DSU, request).await.unwrap();
    assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
    element(&answer, "ProtocolloDSU").to_owned()
}

/// The code of the first violation.
pub async fn refused(client: &Client, request: &str) -> String {
    let answer = client.call(DSU, request).await.unwrap();
    assert_eq!(element(&answer, "Esito"), "RICHIESTA_INVALIDA", "{}", answer.text);
    element(&answer, "Codice").to_owned()
}

/// A person's indicator, or the Esito where there is none.
pub async fn isee(comune: &Client, person: &CodiceFiscale, tipo: &str, day: &str) -> String {
    let request = requests::indicatore(&person.canonical(), day, BENEFIT).replace("Ordinario", tipo);
    let answer = comune.call(ISEE, &request).await.unwrap();
    if element(&answer, "Esito") != "OK" {
        return element(&answer, "Esito").to_owned();
    }
    payload(&answer, "XmlEsitoIndicatore")
        .split(" ISEE=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// The attestation of a protocol, or the Esito.
pub async fn attested(comune: &Client, protocol: &str, person: &CodiceFiscale) -> String {
    let key = format!(
        "<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{}</CodiceFiscaleBeneficiario><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaProtDSU>",
        person.canonical()
    );
    let request = requests::consultazione(
        varco::contract::catalogue::Operation::ConsultazioneAttestazione,
        &key,
    );
    let answer = comune.call(ISEE, &request).await.unwrap();
    if element(&answer, "Esito") == "OK" {
        payload(&answer, "XmlEsitoAttestazione")
    } else {
        element(&answer, "Esito").to_owned()
    }
}

/// The protocol of a version of a DSU.
pub fn version(first: &str, number: u32) -> String {
    varco::sii::protocol::version_of(first, number).unwrap()
}

pub fn receipt(answer: &Answer) -> String {
    payload(answer, "XmlRicevuta")
}

/// Asks what became of a DSU.
pub fn esito(protocol: &str) -> String {
    let request = format!(
        "<ConsultazioneEsitoDSU xmlns=\"urn:varco:trasmissione-dsu:1\"><ProtocolloDSU>{protocol}</ProtocolloDSU></ConsultazioneEsitoDSU>"
    );
    varco::soap::envelope(varco::soap::Version::V11, &request)
}

/// What became of a DSU: its state, and the protocol that took its place.
pub async fn state(client: &Client, protocol: &str) -> (String, String) {
    let answer = client.call(DSU, &esito(protocol)).await.unwrap();
    if element(&answer, "Esito") != "OK" {
        return (element(&answer, "Esito").to_owned(), String::new());
    }
    let other = answer
        .text
        .split("<ProtocolloSostitutivo>")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap_or_default();
    (element(&answer, "Stato").to_owned(), other.to_owned())
}

/// What other enti made of a DSU, as its owner is told: protocol, operation, code and name of the ente.
pub async fn completions(client: &Client, protocol: &str) -> Vec<(String, String, String, String)> {
    let answer = client.call(DSU, &esito(protocol)).await.unwrap();
    let each = answer
        .text
        .split("<Completamento ")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap());
    let attribute = |of: &str, name: &str| {
        of.split(&format!("{name}=\""))
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    each.map(|of| {
        let (ente, denominazione) = (attribute(of, "CodiceEnte"), attribute(of, "DenominazioneEnte"));
        (
            attribute(of, "ProtocolloDSU"),
            attribute(of, "Operazione"),
            ente,
            denominazione,
        )
    })
    .collect()
}

/// What waited is attested in the background.
pub async fn until_attested(client: &Client, protocol: &str) {
    for _ in 0..200 {
        if state(client, protocol).await.0 == "ATTESTATA" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{protocol} is not attested");
}
