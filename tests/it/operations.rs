//! The operations beyond those of every day, through the real port: residents, declarations, thresholds, the
//! dialect of the porta di dominio, what became of a DSU, lots; and the same in SOAP 1.2 and in packages of
//! MTOM.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use kit::{BENEFIT, DSU, ISEE, Serving, Site, element, payload, requests, varco as command};
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::commands::famiglie::{Famiglie, sottoscrizione};
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, ISEE_NS, message};
use varco::digest::{hex, sha256};
use varco::isee::codes::{Ruolo, TipoAbitazione};
use varco::isee::dsu::{Beneficiario, ComponenteNucleo, DatiGenitore, Dichiarazione, GenitoreNonConvivente};
use varco::isee::feed::COLUMNS;
use varco::isee::foglio::AltriRedditi;
use varco::ledger::search::{Filter, find};
use varco::ledger::{Entry, Keys, Kind, seal};
use varco::soap::{SOAP11, SOAP12, Version, envelope};
use varco::xml::{DocumentLimits, parse};

const CHILD: &str = "GLLSFO14B60H501C";
const NOBODY: &str = "RSSMRA80A01H501U";

/// A site where both enti may call everything of theirs, and a threshold is known.
fn site() -> Site {
    let site = Site::new();
    grant(
        &site,
        "comune",
        "ConsultazioneIndicatore,ConsultazioneAttestazione,ConsultazioneAttestazioneResidenti,ConsultazioneDichiarazione,ConsultazioneSogliaIndicatore,VerificaEsistenzaProtocollo",
    );
    grant(
        &site,
        "caf",
        "TrasmissioneDSU,ConsultazioneEsitoDSU,TrasmissioneLotto,ConsultazioneEsitoLotto",
    );
    site.configure("[paths]\npdd = [\"/pdd/inps\"]\n\n[[soglia]]\ncodice = \"BVAC01\"\nprestazione = \"A1.07\"\nimporto = \"40000.00\"\n\n[[soglia]]\ncodice = \"ABCD02\"\nprestazione = \"A1.07\"\nimporto = \"0.01\"\n\n[[soglia]]\ncodice = \"ALTR03\"\nprestazione = \"A3.02\"\nimporto = \"1.00\"\n");
    site
}

fn grant(site: &Site, codice: &str, operazioni: &str) {
    site.act(accreditamento::granted(codice, operazioni, &[BENEFIT]));
}

fn entries(site: &Site, kind: Option<Kind>) -> Vec<Entry> {
    let directory = site.directory();
    find(
        &directory.reader(),
        &Filter {
            kind,
            ..Filter::default()
        },
        usize::MAX,
    )
    .unwrap()
}

fn asks(operation: Operation, inner: &str) -> String {
    let (root, namespace) = (operation.root(), operation.namespace());
    envelope(
        Version::V11,
        &format!("<{root} xmlns=\"{namespace}\">{inner}</{root}>"),
    )
}

fn by_cf(person: &str) -> String {
    format!(
        "<RicercaCF><CodiceFiscale>{person}</CodiceFiscale><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaCF>"
    )
}

/// A reply is valid against our own schemas; what it holds in base64 too.
fn valid(answer: &Answer) {
    let contract = Contract::compile().unwrap();
    let document = parse(&answer.text, &DocumentLimits::default()).unwrap();
    let body = document
        .root()
        .children()
        .next()
        .unwrap()
        .children()
        .next()
        .unwrap();
    let judge = |element: varco::xml::Element<'_, '_>| {
        let root = contract
            .schemas()
            .root(element.namespace(), element.local())
            .unwrap_or_else(|| panic!("{}", element.local()));
        let report = contract.schemas().validate(element, root);
        assert!(
            report.violations.is_empty(),
            "{:?}: {}",
            report.violations,
            answer.text
        );
    };
    judge(body);
    for name in [
        "XmlEsitoIndicatore",
        "XmlEsitoAttestazione",
        "XmlEsitoDichiarazione",
        "XmlRicevuta",
    ] {
        if answer.text.contains(&format!("<{name}>")) {
            judge(
                parse(&payload(answer, name), &DocumentLimits::default())
                    .unwrap()
                    .root(),
            );
        }
    }
}

/// An accepted DSU: its protocol.
async fn transmitted(caf: &Client, dsu: &str) -> String {
    let answer = caf.call(DSU, &requests::trasmissione(dsu)).await.unwrap();
    assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
    element(&answer, "ProtocolloDSU").to_owned()
}

fn feed(site: &Site, lines: &str) {
    let file = site.home.path().join("feed.csv");
    std::fs::write(&file, format!("{}\n{lines}", COLUMNS.join(","))).unwrap();
    let (said, done) = command(&[
        "feed",
        "load",
        &file.display().to_string(),
        "--data",
        &site.data().display().to_string(),
        "--motivo",
        "prova",
    ]);
    assert!(done, "{said}");
}

#[test]
fn residents_and_declarations_are_retrieved_by_every_key_and_at_every_path() {
    let site = site();
    let today = site.today();
    let year: i16 = today[..4].parse().unwrap();
    feed(
        &site,
        &format!(
            "{},{},24500,24500,,,,,,,,,,,01:01234567897:IT00X\n",
            requests::GIULIA,
            year - 2
        ),
    );
    let serving = site.serve();
    let sender = "CAF00001-DECLAR-2026-N0000001";
    let protocol = kit::runtime().block_on(async {
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        let dsu = requests::dsu(sender, &today);
        let protocol = transmitted(&caf, &dsu).await;
        let keys = [
            by_cf(CHILD),
            format!("<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{CHILD}</CodiceFiscaleBeneficiario></RicercaProtDSU>"),
            format!("<RicercaProtMittente><ProtocolloMittente>{sender}</ProtocolloMittente><CodiceFiscaleBeneficiario>{CHILD}</CodiceFiscaleBeneficiario></RicercaProtMittente>"),
        ];
        for operation in [Operation::ConsultazioneAttestazioneResidenti, Operation::ConsultazioneDichiarazione] {
            for key in &keys {
                for path in [ISEE.to_owned(), format!("/isee/ConsultazioneISEE/v2/{}", operation.name())] {
                    let answer = comune.call(&path, &asks(operation, &format!("<request>{key}</request>"))).await.unwrap();
                    assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
                    assert!(answer.text.contains(&format!("<{} xmlns=\"http://inps.it/ConsultazioneISEE\">", operation.response())), "{}", answer.text);
                    valid(&answer);
                }
            }
            let absent = comune.call(ISEE, &asks(operation, &format!("<request>{}</request>", by_cf(NOBODY)))).await.unwrap();
            assert_eq!(element(&absent, "Esito"), "DATI_NON_TROVATI");
            let empty = comune.call(ISEE, &asks(operation, "")).await.unwrap();
            assert_eq!(element(&empty, "Esito"), "RICHIESTA_INVALIDA");
            let elsewhere = comune.call("/isee/ConsultazioneISEE/v2/ConsultazioneIndicatore", &asks(operation, "")).await.unwrap();
            assert!(elsewhere.text.contains("urn:varco:problem:wrong-path"), "{}", elsewhere.text);
        }

        // An account that the Agency knows and the DSU does not have: the attestation says so, and is issued.
        let answer = comune.call(ISEE, &asks(Operation::ConsultazioneAttestazioneResidenti, &format!("<request>{}</request>", keys[0]))).await.unwrap();
        let xml = payload(&answer, "XmlEsitoAttestazione");
        let omission = format!("<OmissioneDifformita TipoOmissioneDifformita=\"PatrimoniMobiliari\" CodiceFiscale=\"{}\" DataControlloAE=\"{today}\">", requests::GIULIA);
        assert!(xml.contains(&omission) && xml.contains("<Rapporto TipoRapporto=\"01\" Identificativo=\"IT00X\" CodiceFiscaleOperatore=\"01234567897\" />"), "{xml}");

        // The DSU is what was transmitted, completed as INPS does, and nothing else.
        let answer = comune.call(ISEE, &asks(Operation::ConsultazioneDichiarazione, &format!("<request>{}</request>", keys[0]))).await.unwrap();
        let xml = payload(&answer, "XmlEsitoDichiarazione");
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><EsitoDichiarazione xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"http://inps.it/ISEERiforma\">\r\n  <Dichiarazione CodiceFiscaleDichiarante=\"FRRGLI84E52H501O\">\r\n";
        assert!(xml.starts_with(start), "{xml}");
        assert!(xml.contains(&format!("<Operazione Tipo=\"N\" CodiceFiscaleRiferimento=\"FRRGLI84E52H501O\" NumeroProtocolloRiferimento=\"{protocol}\" />")), "{xml}");
        let known = "<AltriRedditi FlagEsonerato=\"false\" FlagIntegrazione=\"false\" FlagRettifica=\"false\" RedditoIRPEF=\"24500\" LavoroDipendente=\"24500\" />";
        let unknown = "<AltriRedditi FlagEsonerato=\"false\" FlagIntegrazione=\"false\" FlagRettifica=\"false\" />";
        assert_eq!((xml.matches(known).count(), xml.matches(unknown).count()), (1, 3), "{xml}");
        let ricerca = format!("<Ricerca>\r\n    <RicercaCF CodiceFiscale=\"{CHILD}\" PrestazioneDaErogare=\"{BENEFIT}\" />\r\n  </Ricerca>\r\n</EsitoDichiarazione>");
        assert!(xml.ends_with(&ricerca), "{xml}");
        // Taken away again, what was added leaves what was sent.
        let (_, inside) = xml.split_once("<Dichiarazione").unwrap();
        let (inside, _) = inside.split_once("</Dichiarazione>").unwrap();
        let reference = format!(" CodiceFiscaleRiferimento=\"FRRGLI84E52H501O\" NumeroProtocolloRiferimento=\"{protocol}\"");
        let back = format!("<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\"{inside}</Dichiarazione>").replace(known, "").replace(unknown, "").replace(&reference, "");
        let canonical = |xml: &str| {
            let lines: String = xml.lines().map(str::trim).collect();
            varco::xml::canonical::exclusive(parse(&lines, &DocumentLimits::default()).unwrap().root())
        };
        assert_eq!(canonical(&back), canonical(&dsu));
        protocol
    });
    serving.stop();
    // Whose data went out is in the ledger: the whole nucleus.
    let keys = Keys::open(&site.directory().keys(), false).unwrap();
    let read: Vec<Entry> = entries(&site, Some(Kind::Exchange))
        .into_iter()
        .filter(|entry| {
            entry.leaf.body.operation.as_deref() == Some("ConsultazioneDichiarazione")
                && entry.leaf.body.outcome.as_deref() == Some("OK")
        })
        .collect();
    assert_eq!(read.len(), 7);
    for entry in &read {
        let (_, secret) = seal::open(&keys, &entry.leaf, &entry.sealed).unwrap();
        assert_eq!(secret.cf.len(), 4);
        assert_eq!(secret.cf[0], CHILD);
        assert!(secret.protocol.contains(&protocol));
    }
}

#[test]
fn a_threshold_is_answered_with_yes_or_no_and_never_with_the_value() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        // The schema of the DSU allows small letters in a codice fiscale; that of this reply does not.
        let dsu = requests::dsu("CAF00001-SOGLIA-2026-N0000001", &today)
            .replace("CodiceFiscale=\"GLLTMM19L08H501B\"", "CodiceFiscale=\"glltmm19l08h501b\"");
        let protocol = transmitted(&caf, &dsu).await;
        let ask = |person: &str, code: &str, nucleus: &str| {
            asks(Operation::ConsultazioneSogliaIndicatore, &format!("<request CodiceFiscale=\"{person}\" CodiceSoglia=\"{code}\" FornituraNucleo=\"{nucleus}\" DataValidita=\"{today}\"/>"))
        };
        for (code, under) in [("BVAC01", "SI"), ("bvac01", "SI"), ("ABCD02", "NO")] {
            for nucleus in ["SI", "NO"] {
                let answer = comune.call(ISEE, &ask(CHILD, code, nucleus)).await.unwrap();
                assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
                valid(&answer);
                let expected = format!("<DatiIndicatore TipoIndicatore=\"ISEE Minorenne ordinario\" SottoSoglia=\"{under}\" ProtocolloDSU=\"{protocol}\" DataPresentazioneDSU=\"{today}\" PresenzaDifformita=\"NO\"");
                assert!(answer.text.contains(&expected), "{}", answer.text);
                let members = answer.text.matches("<Componente ").count();
                assert_eq!(members, if nucleus == "SI" { 4 } else { 0 }, "{}", answer.text);
                assert!(!answer.text.contains("6485") && !answer.text.contains("2438"), "a value went out: {}", answer.text);
            }
        }
        let refused = |request: String, esito: &'static str, text: &'static str| {
            let comune = comune.clone();
            async move {
                let answer = comune.call(ISEE, &request).await.unwrap();
                assert_eq!(element(&answer, "Esito"), esito, "{}", answer.text);
                assert!(element(&answer, "DescrizioneErrore").contains(text), "{}", answer.text);
                valid(&answer);
            }
        };
        refused(ask(CHILD, "ZZZZ99", "NO"), "RICHIESTA_INVALIDA", "CodiceSoglia").await;
        refused(ask(CHILD, "ALTR03", "NO"), "RICHIESTA_INVALIDA", "prestazione non abilitata").await;
        refused(ask(NOBODY, "BVAC01", "NO"), "DATI_NON_TROVATI", "nessuna attestazione").await;
        refused(ask("01234567897   ", "BVAC01", "NO"), "DATI_NON_TROVATI", "nessuna attestazione").await;
        for wrong in [ask(CHILD, "BV01", "NO"), ask(CHILD, "BVAC01", "FORSE"), asks(Operation::ConsultazioneSogliaIndicatore, "")] {
            let answer = comune.call(ISEE, &wrong).await.unwrap();
            assert!(answer.text.contains("urn:varco:problem:schema"), "{}", answer.text);
        }
    });
    serving.stop();
}

#[test]
fn the_dialect_of_the_porta_di_dominio() {
    let site = site();
    let serving = site.serve();
    let (protocol, operator) = kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        let protocol = transmitted(&caf, &requests::dsu("CAF00001-PDD001-2026-N0000001", &today)).await;
        let operator = "VRDLGU75C10F205N";
        let mittente = |ente: &str| format!("<SicurezzaIdentificazioneMittente><CodiceEnte>{ente}</CodiceEnte><CodiceUfficio>001</CodiceUfficio><CFOperatore>{operator}</CFOperatore></SicurezzaIdentificazioneMittente>");
        let cf = |person: &str, day: &str| format!("<RicercaCF><CodiceFiscale>{person}</CodiceFiscale><DataValidita>{day}</DataValidita><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaCF>");
        let attestation = |ente: &str, key: &str| asks(Operation::PddAttestazione, &format!("{}<request><Attestazione>{key}</Attestazione></request>", mittente(ente)));
        let declaration = |key: &str| asks(Operation::PddDichiarazione, &format!("{}<request><Dichiarazione>{key}</Dichiarazione></request>", mittente("01234567897")));
        let verify = |person: &str, protocol: &str| asks(Operation::PddProtocollo, &format!("{}<request><CodiceFiscaleDichiarante>{person}</CodiceFiscaleDichiarante><ProtocolloDsu>{protocol}</ProtocolloDsu></request>", mittente("comune")));
        // A date comes with a time or without; only the day counts.
        for day in [format!("{today}T12:00:00Z"), format!("{today}T00:00:00.5+01:00"), today.clone(), format!(" {today}Z\n")] {
            for prefix in ["/isee/PdD", "/pdd/inps"] {
                let answer = comune.call(&format!("{prefix}/ConsultazioneAttestazione"), &attestation("comune", &cf(CHILD, &day))).await.unwrap();
                assert_eq!(element(&answer, "Esito"), "OK", "{day}: {}", answer.text);
                valid(&answer);
                assert!(payload(&answer, "XmlEsitoAttestazione").contains(&format!("DataValidita=\"{today}\" PrestazioneDaErogare")), "{}", answer.text);
                let answer = comune.call(&format!("{prefix}/ConsultazioneDichiarazione"), &declaration(&cf(CHILD, &day))).await.unwrap();
                assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
                valid(&answer);
                assert!(payload(&answer, "XmlEsitoDichiarazione").contains("<Dichiarazione "));
            }
        }
        // Where the body leaves the operator empty, the HTTP header that some clients send says it.
        let unnamed = attestation("comune", &cf(CHILD, &today)).replace(operator, "");
        let request = Request::post("/isee/PdD/ConsultazioneAttestazione")
            .header("content-type", "text/xml")
            .header("inps-identity-userid", operator)
            .body(Full::new(Bytes::from(unnamed)))
            .unwrap();
        let answer = comune.connect().await.unwrap().send(request).await.unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        // What the body says of its sender has the same bounds as the Identity header.
        let question = attestation("comune", &cf(CHILD, &today));
        let long = "\u{e8}".repeat(257);
        for (before, name, most) in [("001", "CodiceUfficio", 64), (operator, "UserId", 256)] {
            let refused = comune.call("/isee/PdD/ConsultazioneAttestazione", &question.replace(before, &long)).await.unwrap();
            assert!(refused.text.contains("urn:varco:problem:envelope"), "{name}: {}", refused.text);
            assert!(refused.text.contains(&format!("{name} ha più di {most} caratteri.")), "{name}: {}", refused.text);
        }
        // A body that names no ente names nobody.
        for nobody in ["", "  ", "altro"] {
            let refused = comune.call("/isee/PdD/ConsultazioneAttestazione", &attestation(nobody, &cf(CHILD, &today))).await.unwrap();
            assert!(refused.text.contains("urn:varco:problem:identity"), "{nobody:?}: {}", refused.text);
        }
        let wrong = comune.call("/isee/PdD/ConsultazioneAttestazione", &attestation("comune", &cf(CHILD, "09/09/2020"))).await.unwrap();
        assert!(wrong.text.contains("urn:varco:problem:schema"), "{}", wrong.text);
        let absent = comune.call("/isee/PdD/ConsultazioneAttestazione", &attestation("comune", &cf(NOBODY, &today))).await.unwrap();
        assert_eq!(element(&absent, "Esito"), "DATI_NON_TROVATI");
        assert!(element(&absent, "DescErrore").contains("nessuna attestazione") && !absent.text.contains("Xml"), "{}", absent.text);
        valid(&absent);
        let mismatch = comune.call("/isee/PdD/ConsultazioneAttestazione", &attestation("altro", &cf(CHILD, &today))).await.unwrap();
        assert!(mismatch.text.contains("urn:varco:problem:identity"), "{}", mismatch.text);

        for (person, asked, esito) in [
            (requests::GIULIA, protocol.as_str(), "OK"),
            (CHILD, protocol.as_str(), "DATI_NON_TROVATI"),
            (NOBODY, protocol.as_str(), "DATI_NON_TROVATI"),
            (requests::GIULIA, "INPS-ISEE-2026-99999999Z-00", "DATI_NON_TROVATI"),
            (requests::GIULIA, "PROT", "DATI_NON_TROVATI"),
        ] {
            let answer = comune.call("/isee/PdD/VerificaEsistenzaProtocollo", &verify(person, asked)).await.unwrap();
            assert_eq!(element(&answer, "Esito"), esito, "{}", answer.text);
            valid(&answer);
            // A client in production reads this after an OK without looking whether it is there.
            if esito == "OK" {
                let found = payload(&answer, "XmlEsitoEsistenzaProtocollo");
                let document = parse(&found, &DocumentLimits::default()).unwrap();
                let contract = Contract::compile().unwrap();
                let root = contract.schemas().root(Operation::PddProtocollo.namespace(), "EsitoEsistenzaProtocollo").unwrap();
                assert_eq!(contract.schemas().validate(document.root(), root).violations, [], "{found}");
                assert!(found.contains(&format!("ProtocolloDSU=\"{asked}\" CodiceFiscaleDichiarante=\"{person}\"")), "{found}");
            } else {
                assert!(!answer.text.contains("XmlEsitoEsistenzaProtocollo"), "{}", answer.text);
            }
        }
        let elsewhere = comune.call(ISEE, &attestation("comune", &cf(CHILD, &today))).await.unwrap();
        assert!(elsewhere.text.contains("urn:varco:problem:wrong-path"), "{}", elsewhere.text);
        let ungranted = caf.call("/isee/PdD/VerificaEsistenzaProtocollo", &verify(requests::GIULIA, &protocol)).await.unwrap();
        assert!(ungranted.text.contains("urn:varco:problem:operation"), "{}", ungranted.text);
        (protocol, operator)
    });
    serving.stop();
    let keys = Keys::open(&site.directory().keys(), false).unwrap();
    let of_dialect: Vec<Entry> = entries(&site, Some(Kind::Exchange))
        .into_iter()
        .filter(|entry| entry.leaf.body.facts.contains_key("dialetto"))
        .collect();
    assert!(of_dialect.len() > 20);
    for entry in of_dialect
        .iter()
        .filter(|entry| entry.leaf.body.outcome.as_deref() == Some("OK"))
    {
        let (_, secret) = seal::open(&keys, &entry.leaf, &entry.sealed).unwrap();
        assert_eq!(secret.operator.as_deref(), Some(operator));
        assert!(secret.protocol.contains(&protocol));
        assert!(entry.leaf.body.tokens.as_ref().unwrap().operator.is_some());
    }
}

#[test]
fn what_became_of_a_dsu_is_told_to_its_sender_alone() {
    let site = site();
    grant(
        &site,
        "comune",
        "TrasmissioneDSU,ConsultazioneEsitoDSU,ConsultazioneEsitoLotto",
    );
    let serving = site.serve();
    kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune) = (
            site.client(serving.address, "caf"),
            site.client(serving.address, "comune"),
        );
        let sent = caf
            .call(
                DSU,
                &requests::trasmissione(&requests::dsu("CAF00001-STATUS-2026-N0000001", &today)),
            )
            .await
            .unwrap();
        let protocol = element(&sent, "ProtocolloDSU").to_owned();
        let ask = |inner: String| asks(Operation::ConsultazioneEsitoDsu, &inner);
        let by_dsu = ask(format!("<ProtocolloDSU>{protocol}</ProtocolloDSU>"));
        let by_sender =
            ask("<ProtocolloMittente> CAF00001-STATUS-2026-N0000001 </ProtocolloMittente>".to_owned());
        for request in [&by_dsu, &by_sender] {
            let answer = caf.call(DSU, request).await.unwrap();
            valid(&answer);
            assert_eq!(
                (element(&answer, "Esito"), element(&answer, "Stato")),
                ("OK", "ATTESTATA"),
                "{}",
                answer.text
            );
            for name in ["ProtocolloDSU", "IstanteRicezione", "XmlRicevuta", "Impronta"] {
                assert_eq!(element(&answer, name), element(&sent, name), "{name}");
            }
            assert_eq!(
                element(&answer, "ProtocolloMittente"),
                "CAF00001-STATUS-2026-N0000001"
            );
            assert_eq!(
                (
                    element(&answer, "DataPresentazione"),
                    element(&answer, "DataValidita")
                ),
                (&*today, &*format!("{}-12-31", &today[..4]))
            );
            assert!(!answer.text.contains("ProtocolloSostitutivo"));
            // Nobody else learns that it is there.
            let other = comune.call(DSU, request).await.unwrap();
            assert_eq!(element(&other, "Esito"), "DATI_NON_TROVATI", "{}", other.text);
            valid(&other);
        }
        // Another ente's, of the same declarant and later, is none of this one's affair.
        transmitted(&comune, &requests::dsu("CAF00002-STATUS-2026-N0000001", &today)).await;
        let answer = caf.call(DSU, &by_dsu).await.unwrap();
        assert_eq!(element(&answer, "Stato"), "ATTESTATA", "{}", answer.text);
        let second = transmitted(&caf, &requests::dsu("CAF00001-STATUS-2026-N0000002", &today)).await;
        let answer = caf.call(DSU, &by_dsu).await.unwrap();
        valid(&answer);
        assert_eq!(
            (
                element(&answer, "Stato"),
                element(&answer, "ProtocolloSostitutivo")
            ),
            ("SOSTITUITA", &*second)
        );
        let answer = caf
            .call(DSU, &ask(format!("<ProtocolloDSU>{second}</ProtocolloDSU>")))
            .await
            .unwrap();
        assert_eq!(element(&answer, "Stato"), "ATTESTATA");
        let absent = caf
            .call(
                DSU,
                &ask("<ProtocolloMittente>CAF00001-STATUS-2026-N0000009</ProtocolloMittente>".to_owned()),
            )
            .await
            .unwrap();
        assert_eq!(element(&absent, "Esito"), "DATI_NON_TROVATI");
        // White space that a program put around the protocol is part of it, and found all the same.
        transmitted(&caf, &requests::dsu(" CAF00001-SPACES-26-N0000001 ", &today)).await;
        let spaced = ask("<ProtocolloMittente> CAF00001-SPACES-26-N0000001 </ProtocolloMittente>".to_owned());
        assert_eq!(element(&caf.call(DSU, &spaced).await.unwrap(), "Esito"), "OK");
    });
    serving.stop();
    // A receipt that goes out is a reading of everybody in it.
    let keys = Keys::open(&site.directory().keys(), false).unwrap();
    let all = entries(&site, Some(Kind::Exchange));
    for operation in ["TrasmissioneDSU", "ConsultazioneEsitoDSU"] {
        let is_told = |entry: &&Entry| {
            entry.leaf.body.operation.as_deref() == Some(operation)
                && entry.leaf.body.outcome.as_deref() == Some("OK")
        };
        let told: Vec<&Entry> = all.iter().filter(is_told).collect();
        assert!(told.len() >= 3);
        for entry in told {
            let (_, secret) = seal::open(&keys, &entry.leaf, &entry.sealed).unwrap();
            assert!(
                secret.cf.contains(&CHILD.to_owned()) && secret.cf.len() == 4,
                "{operation}"
            );
            assert_eq!(entry.leaf.body.tokens.as_ref().unwrap().cf.len(), 4);
        }
    }
}

fn lot(dsu: &[String]) -> String {
    asks(Operation::TrasmissioneLotto, &dsu.concat())
}

fn without_id(answer: &Answer) -> String {
    answer.text.replace(
        &format!("<IdRichiesta>{}</IdRichiesta>", element(answer, "IdRichiesta")),
        "",
    )
}

#[test]
fn a_lot_is_accepted_one_by_one_recorded_at_once_and_the_same_when_sent_again() {
    let site = site();
    grant(&site, "comune", "ConsultazioneEsitoLotto,TrasmissioneLotto");
    let serving = site.serve();
    let flow = kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        let good = |n: usize| requests::dsu(&format!("CAF00001-LOTTO1-2026-N000000{n}"), &today);
        let before = transmitted(&caf, &good(5)).await;
        // Good; bad by a check; bad by the schema; the first again; the first's protocol with other content;
        // transmitted before; good.
        let dsu = [
            good(1),
            good(2).replace("CodiceFiscale=\"GLLSFO14B60H501C\"", "CodiceFiscale=\"GLLSFO14B60H501D\""),
            good(3).replace("Tipo=\"N\"", "Tipo=\"Q\""),
            good(1),
            good(1).replace("4200", "4201"),
            good(5),
            good(4),
        ];
        let text = lot(&dsu);
        let answer = caf.call(DSU, &text).await.unwrap();
        valid(&answer);
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        let flow = element(&answer, "ProtocolloFlusso").to_owned();
        assert!(flow.starts_with(&format!("INPS-ISET-{}-", varco::clock::Clock::system().today().year())) && flow.len() == 24, "{flow}");
        assert_eq!(element(&answer, "ImprontaLotto"), hex(&sha256(text.as_bytes())));
        assert_eq!((element(&answer, "Accettate"), element(&answer, "Rifiutate")), ("4", "3"));
        let items: Vec<&str> = answer.text.split("<DSU>").skip(1).collect();
        assert_eq!(items.len(), 7);
        let protocol = |item: &str| item.split("<ProtocolloDSU>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
        for (index, item) in items.iter().enumerate() {
            assert!(item.starts_with(&format!("<Posizione>{}</Posizione>", index + 1)), "{item}");
            let accepted = matches!(index, 0 | 3 | 5 | 6);
            assert!(
                item.contains(if accepted { "<Esito>OK</Esito><ProtocolloDSU>" } else { "<Esito>RICHIESTA_INVALIDA</Esito><Violazioni>" }),
                "{item}"
            );
        }
        assert_eq!(protocol(items[3]), protocol(items[0]));
        assert_eq!(protocol(items[5]), before);
        assert_eq!([0, 5, 6].map(|at: usize| protocol(items[at])).into_iter().collect::<BTreeSet<_>>().len(), 3);
        assert!(items[1].contains("<Percorso>/TrasmissioneLotto/Dichiarazione[2]/NucleoFamiliare"), "{}", items[1]);
        assert!(items[2].contains("<Percorso>/TrasmissioneLotto/Dichiarazione[3]/Operazione/@Tipo</Percorso>"), "{}", items[2]);
        assert!(
            items[4]
                .contains("<Codice>K19.contenuto</Codice><Percorso>/TrasmissioneLotto/Dichiarazione[5]/Sottoscrizione/@ProtocolloMittente"),
            "{}",
            items[4]
        );
        // Lines are those of the whole message.
        let line = |item: &str| item.split("<Riga>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().parse::<usize>().unwrap();
        let at = text.lines().position(|line| line.contains("Tipo=\"Q\"")).unwrap() + 1;
        assert_eq!(line(items[2]), at);

        // Again, and asked for: the same, to its sender; to others it does not exist.
        let ask = |inner: String| asks(Operation::ConsultazioneEsitoLotto, &inner);
        let by_flow = ask(format!("<ProtocolloFlusso>{flow}</ProtocolloFlusso>"));
        let by_print = ask(format!("<ImprontaLotto>{}</ImprontaLotto>", element(&answer, "ImprontaLotto").to_uppercase()));
        let again = caf.call(DSU, &text).await.unwrap();
        assert_eq!(without_id(&again), without_id(&answer));
        for request in [&by_flow, &by_print] {
            let told = caf.call(DSU, request).await.unwrap();
            valid(&told);
            assert_eq!(without_id(&told).replace("ConsultazioneEsitoLotto", "TrasmissioneLotto"), without_id(&answer));
            let other = comune.call(DSU, request).await.unwrap();
            assert_eq!(element(&other, "Esito"), "DATI_NON_TROVATI");
        }
        // Each of them is found like any other, and its receipt with it.
        let status = caf
            .call(DSU, &asks(Operation::ConsultazioneEsitoDsu, &format!("<ProtocolloDSU>{}</ProtocolloDSU>", protocol(items[6]))))
            .await
            .unwrap();
        assert_eq!(element(&status, "Esito"), "OK");
        assert!(payload(&status, "XmlRicevuta").contains("ProtocolloMittente=\"CAF00001-LOTTO1-2026-N0000004\""));

        // What is no lot is refused whole.
        let many: Vec<String> = vec!["<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\"/>".to_owned(); 501];
        for (wrong, why) in [
            (lot(&many), "più di 500"),
            (lot(&many), "K01.lotto"),
            (lot(&[]), "atteso Dichiarazione"),
            (lot(&["<altro/>".to_owned()]), "atteso Dichiarazione"),
            (lot(&["x".to_owned()]), "testo non previsto"),
        ] {
            let answer = caf.call(DSU, &wrong).await.unwrap();
            assert!(answer.text.contains("urn:varco:problem:schema") && answer.text.contains(why), "{}", answer.text);
        }
        flow
    });
    serving.stop();
    let all = entries(&site, None);
    // One batch: all entries of the lot have the sequence after one another, and one time of record.
    let of_lot: Vec<&Entry> = all
        .iter()
        .filter(|entry| {
            entry.leaf.body.operation.as_deref() == Some("TrasmissioneLotto")
                && entry.leaf.body.kind != Kind::Exchange
        })
        .collect();
    assert_eq!(of_lot.len(), 5, "two new DSU, their attestations, the lot");
    assert_eq!(
        of_lot
            .iter()
            .map(|entry| &entry.leaf.recorded)
            .collect::<HashSet<_>>()
            .len(),
        1
    );
    assert!(
        of_lot
            .windows(2)
            .all(|pair| pair[1].leaf.seq == pair[0].leaf.seq + 1)
    );
    let keys = Keys::open(&site.directory().keys(), false).unwrap();
    let (_, secret) = seal::open(&keys, &of_lot[4].leaf, &of_lot[4].sealed).unwrap();
    assert_eq!(secret.protocol, [flow]);
}

#[test]
fn a_lot_with_the_same_mistakes_everywhere_is_told_in_bounds_and_told_again() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        let wrong = format!("<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\">{}</Dichiarazione>", "<X/>".repeat(200));
        let text = lot(&vec![wrong; 500]);
        let started = std::time::Instant::now();
        let answer = caf.call(DSU, &text).await.unwrap();
        valid(&answer);
        assert_eq!((element(&answer, "Accettate"), element(&answer, "Rifiutate")), ("0", "500"));
        let described = answer.text.matches("<Violazione>").count();
        assert!((2000..=2500).contains(&described), "{described}");
        assert_eq!(answer.text.matches("<AltreViolazioni>").count(), 500);
        assert_eq!(without_id(&caf.call(DSU, &text).await.unwrap()), without_id(&answer));
        // Not a measurement: minutes, where places are counted from the start for each violation.
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
        // Where the schema's own attributes stand, they may.
        let located = lot(&[requests::dsu("CAF00001-XSILOC-2026-N0000001", &site.today())]).replacen(
            "<TrasmissioneLotto ",
            "<TrasmissioneLotto xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:schemaLocation=\"a b\" ",
            1,
        );
        assert_eq!(element(&caf.call(DSU, &located).await.unwrap(), "Accettate"), "1");
    });
    serving.stop();
}

#[test]
fn entries_that_no_batch_holds_are_refused_for_good_and_recorded() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        // Each quote is one byte in the message and six in the canonical form that is kept.
        let note = format!(" NoteSottoscrizione='{}'", "\"".repeat(900_000));
        let dsu: Vec<String> = (0..8)
            .map(|n| {
                let dsu = requests::dsu(&format!("CAF00001-QUOTES-2026-N{n:07}"), &site.today());
                dsu.replace(" LuogoSottoscrizione=", &format!("{note} LuogoSottoscrizione="))
            })
            .collect();
        let answer = caf.call(DSU, &lot(&dsu)).await.unwrap();
        assert_eq!(answer.status, 413, "{}", answer.text);
    });
    serving.stop();
    assert_eq!(entries(&site, Some(Kind::Dsu)).len(), 0);
    assert!(
        entries(&site, Some(Kind::Exchange))
            .iter()
            .any(|entry| entry.leaf.body.refusal.as_deref() == Some("F07.dimensione"))
    );
}

#[test]
fn a_large_lot_and_two_equal_ones_at_once() {
    let site = site();
    let serving = site.serve();
    let today = site.today();
    kit::runtime().block_on(async {
        let caf = site.client(serving.address, "caf");
        let dsu: Vec<String> = (0..500)
            .map(|n| requests::dsu(&format!("CAF00001-GROSSO-2026-N{n:07}"), &today))
            .collect();
        let text = lot(&dsu);
        assert!(
            text.len() > 2 << 20,
            "a lot that is larger than any other message"
        );
        let (one, two) = tokio::join!(caf.call(DSU, &text), caf.call(DSU, &text));
        let (one, two) = (one.unwrap(), two.unwrap());
        // One of them may have been told to come again.
        let accepted: Vec<&Answer> = [&one, &two]
            .into_iter()
            .filter(|answer| answer.status == 200)
            .collect();
        assert!(!accepted.is_empty(), "{} {}", one.text, two.text);
        for answer in &accepted {
            assert_eq!(
                (element(answer, "Accettate"), element(answer, "Rifiutate")),
                ("500", "0")
            );
            assert_eq!(without_id(answer), without_id(accepted[0]));
        }
        // Who may not transmit lots may not send what is that large; nor anything else in that size.
        let comune = site.client(serving.address, "comune");
        assert_eq!(comune.call(DSU, &text).await.unwrap().status, 413);
        let comment = format!("<!--{}--></s:Body>", "x".repeat(3 << 20));
        let single = requests::trasmissione(&requests::dsu("CAF00001-SINGLE-2026-N0000001", &today))
            .replace("</s:Body>", &comment);
        let answer = caf.call(DSU, &single).await.unwrap();
        assert_eq!(answer.status, 413, "{}", answer.text);
    });
    serving.stop();
    let dsu = entries(&site, Some(Kind::Dsu));
    assert_eq!(dsu.len(), 501, "each DSU once, and the lot");
    assert_eq!(entries(&site, Some(Kind::Attestation)).len(), 500);
}

async fn post(client: &Client, path: &str, kind: &str, body: impl Into<Bytes>) -> (Answer, String) {
    let request = Request::post(path)
        .header("content-type", kind)
        .body(Full::new(body.into()))
        .unwrap();
    let answer = client.connect().await.unwrap().send(request).await.unwrap();
    let kind = answer.kind.clone().unwrap_or_default();
    (answer, kind)
}

#[test]
fn soap_1_2_is_answered_in_soap_1_2() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune, sospeso) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"), site.client(serving.address, "sospeso"));
        let twelve = |text: String| text.replace(SOAP11, SOAP12);
        let kind = "application/soap+xml; charset=utf-8; action=\"urn:varco:trasmissione-dsu:1/TrasmissioneDSU\"";
        let (answer, replied) = post(&caf, DSU, kind, twelve(requests::trasmissione(&requests::dsu("CAF00001-SOAP12-2026-N0000001", &today)))).await;
        assert_eq!((answer.status.as_u16(), replied.as_str()), (200, "application/soap+xml; charset=UTF-8"));
        assert!(answer.text.contains(&format!("<s:Envelope xmlns:s=\"{SOAP12}\">")), "{}", answer.text);
        assert_eq!(element(&answer, "Esito"), "OK");
        let ask = requests::indicatore(CHILD, &today, BENEFIT);
        for kind in ["application/soap+xml", "application/soap+xml; action=unquoted", "text/xml"] {
            let (answer, replied) = post(&comune, ISEE, kind, twelve(ask.clone())).await;
            assert_eq!((element(&answer, "Esito"), replied.as_str()), ("OK", "application/soap+xml; charset=UTF-8"), "{kind}");
        }
        // The envelope counts, not the type that it came with.
        let (answer, replied) = post(&comune, ISEE, "application/soap+xml", ask.clone()).await;
        assert_eq!((element(&answer, "Esito"), replied.as_str()), ("OK", "text/xml; charset=UTF-8"));

        let (fault, replied) = post(&caf, ISEE, kind, twelve(ask.clone())).await;
        assert_eq!((fault.status.as_u16(), replied.as_str()), (400, "application/soap+xml; charset=UTF-8"));
        let expected = "<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value xmlns:f=\"urn:varco:fault\">f:Client.Authorization</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text xml:lang=\"en\">Authorization failed</SOAP-ENV:Text></SOAP-ENV:Reason><SOAP-ENV:Node>urn:varco:porta-di-dominio</SOAP-ENV:Node><SOAP-ENV:Detail><problem xmlns=\"urn:ietf:rfc:7807\">";
        assert!(fault.text.contains(expected), "{}", fault.text);
        parse(&fault.text, &DocumentLimits::default()).unwrap();
        let must = twelve(ask.replacen("<s:Body>", "<s:Header><x:h xmlns:x='u' s:mustUnderstand='true'/></s:Header><s:Body>", 1));
        let (fault, _) = post(&comune, ISEE, kind, must).await;
        assert_eq!(fault.status, 500);
        assert!(fault.text.contains("<SOAP-ENV:Value>SOAP-ENV:MustUnderstand</SOAP-ENV:Value></SOAP-ENV:Code>"), "{}", fault.text);
        let named = "<SOAP-ENV:Header><SOAP-ENV:NotUnderstood qname=\"h:h\" xmlns:h=\"u\"/></SOAP-ENV:Header><SOAP-ENV:Body>";
        assert!(fault.text.contains(named) && fault.text.contains("Qui: h (namespace u)."), "{}", fault.text);
        // WCF marks its addressing headers mustUnderstand. A reply goes nowhere else.
        let addressed = |to: &str| {
            let block = format!("<w:ReplyTo xmlns:w='http://www.w3.org/2005/08/addressing' s:mustUnderstand='1'><w:Address>{to}</w:Address></w:ReplyTo>");
            ask.replacen("<s:Body>", &format!("<s:Header>{block}</s:Header><s:Body>"), 1)
        };
        let anonymous = addressed("http://www.w3.org/2005/08/addressing/anonymous");
        assert_eq!(element(&comune.call(ISEE, &anonymous).await.unwrap(), "Esito"), "OK");
        let elsewhere = comune.call(ISEE, &addressed("https://altrove.example/")).await.unwrap();
        assert!(elsewhere.text.contains("urn:varco:problem:envelope") && elsewhere.text.contains("solo l'indirizzo anonimo"), "{}", elsewhere.text);
        // Before an envelope was read, the type says in which version to answer.
        for refused in [post(&sospeso, ISEE, kind, twelve(ask.clone())).await, post(&comune, "/altro", kind, "x").await, post(&comune, ISEE, kind, "<a>").await] {
            assert!(refused.1.starts_with("application/soap+xml") && refused.0.text.contains(SOAP12), "{}", refused.0.text);
        }
        let (other, _) = post(&comune, ISEE, "text/xml", ask.replace(SOAP11, "http://www.w3.org/2001/12/soap-envelope")).await;
        assert_eq!(element(&other, "faultcode"), "SOAP-ENV:VersionMismatch");
        let (other, _) = post(&comune, ISEE, kind, ask.replace(SOAP11, "http://www.w3.org/2001/12/soap-envelope")).await;
        let upgrade = format!("<SOAP-ENV:Upgrade><SOAP-ENV:SupportedEnvelope qname=\"ns:Envelope\" xmlns:ns=\"{SOAP12}\"/>");
        assert!(other.text.contains(&upgrade), "{}", other.text);
    });
    serving.stop();
    let twelve = entries(&site, Some(Kind::Exchange))
        .into_iter()
        .filter(|entry| entry.leaf.body.facts.contains_key("soap"))
        .count();
    assert!(twelve >= 7, "{twelve}");
}

fn package(root_kind: &str, root: &str, parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body =
        format!("--b0\r\nContent-Type: application/xop+xml; charset=UTF-8; type=\"{root_kind}\"\r\nContent-ID: <root@x>\r\n\r\n{root}\r\n")
            .into_bytes();
    for (id, bytes) in parts {
        body.extend(
            format!("--b0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{id}>\r\n\r\n")
                .bytes(),
        );
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0--\r\n");
    (
        format!(
            "multipart/related; boundary=b0; type=\"application/xop+xml\"; start=\"<root@x>\"; start-info=\"{root_kind}\""
        ),
        body,
    )
}

#[test]
fn packages_of_mtom_are_opened_with_and_without_attachments() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let today = site.today();
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        let dsu = requests::dsu("CAF00001-MTOM01-2026-N0000001", &today);
        let first = caf.call(DSU, &requests::trasmissione(&dsu)).await.unwrap();
        let include =
            "<XmlDichiarazione><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" href=\"cid:dsu%40x\"/></XmlDichiarazione>";
        let enclosing = asks(Operation::TrasmissioneDsu, include);
        let latin: Vec<u8> = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{dsu}").chars().map(|c| c as u8).collect();
        for version in [Version::V11, Version::V12] {
            let (kind, own) = (version.media_type(), enclosing.replace(SOAP11, version.namespace()));
            for bytes in [dsu.as_bytes(), &latin] {
                let (content_type, body) = package(kind, &own, &[("dsu@x", bytes)]);
                let (answer, replied) = post(&caf, DSU, &content_type, body).await;
                assert!(replied.starts_with(kind), "{replied}");
                // The same DSU, in another form: the same answer.
                for name in ["Esito", "ProtocolloDSU", "Impronta", "XmlRicevuta"] {
                    assert_eq!(element(&answer, name), element(&first, name), "{name}");
                }
            }
            let (content_type, body) =
                package(kind, &requests::indicatore(CHILD, &today, BENEFIT).replace(SOAP11, version.namespace()), &[]);
            assert_eq!(element(&post(&comune, ISEE, &content_type, body).await.0, "Esito"), "OK");
        }
        // Base64 in the message is the same thing.
        use base64::Engine as _;
        let inline = enclosing.replace(
            include,
            &format!("<XmlDichiarazione>\n{}\n</XmlDichiarazione>", base64::engine::general_purpose::STANDARD.encode(&dsu)),
        );
        assert_eq!(element(&caf.call(DSU, &inline).await.unwrap(), "ProtocolloDSU"), element(&first, "ProtocolloDSU"));

        // What is wrong inside is placed in the document that was enclosed.
        let bad = dsu.replace("Tipo=\"N\"", "Tipo=\"Q\"");
        let (content_type, body) = package("text/xml", &enclosing, &[("dsu@x", bad.as_bytes())]);
        let (answer, _) = post(&caf, DSU, &content_type, body).await;
        assert_eq!(element(&answer, "Percorso"), "/TrasmissioneDSU/XmlDichiarazione/Dichiarazione/Operazione/@Tipo");
        assert_eq!((element(&answer, "Riga"), element(&answer, "Codice")), ("2", "K01.valore"));
        let late = dsu.replace("CodiceFiscale=\"GLLSFO14B60H501C\"", "CodiceFiscale=\"GLLSFO14B60H501D\"");
        let (content_type, body) = package("text/xml", &enclosing, &[("dsu@x", late.as_bytes())]);
        let (answer, _) = post(&caf, DSU, &content_type, body).await;
        assert!(
            element(&answer, "Percorso").starts_with("/TrasmissioneDSU/XmlDichiarazione/Dichiarazione/NucleoFamiliare/ComponenteNucleo[3]"),
            "{}",
            answer.text
        );
        for (bytes, code) in [(&b"<a>"[..], "K01.xml"), (b"<a/>", "K01.xml"), (b"\xff\xff", "K01.xml"), (b"<!DOCTYPE a><a/>", "K01.xml")] {
            let (content_type, body) = package("text/xml", &enclosing, &[("dsu@x", bytes)]);
            let (answer, _) = post(&caf, DSU, &content_type, body).await;
            assert_eq!((element(&answer, "Esito"), element(&answer, "Codice")), ("RICHIESTA_INVALIDA", code), "{}", answer.text);
            valid(&answer);
        }
        // A reference without its part is the package's fault.
        let (content_type, body) = package("text/xml", &enclosing, &[]);
        let (answer, _) = post(&caf, DSU, &content_type, body).await;
        assert!(answer.text.contains("urn:varco:problem:package") && answer.text.contains("senza la sua parte"), "{}", answer.text);
    });
    serving.stop();
    assert_eq!(entries(&site, Some(Kind::Dsu)).len(), 1);
}

#[test]
fn every_wsdl_is_served_at_its_path() {
    let site = site();
    let serving: Serving = site.serve();
    kit::runtime().block_on(async {
        let comune = site.client(serving.address, "comune");
        let get = |path: String| {
            let comune = comune.clone();
            async move {
                comune
                    .connect()
                    .await
                    .unwrap()
                    .send(Request::get(path).body(Full::default()).unwrap())
                    .await
                    .unwrap()
            }
        };
        for path in [
            ISEE,
            DSU,
            "/isee/PdD/ConsultazioneAttestazione",
            "/pdd/inps/VerificaEsistenzaProtocollo",
            "/isee/ConsultazioneISEE/v2/ConsultazioneDichiarazione",
        ] {
            for (query, ports) in [("wsdl", 1), ("WSDL", 1), ("wsdl=1.2", 2)] {
                let answer = get(format!("{path}?{query}")).await;
                assert_eq!(answer.status, 200, "{path}?{query}");
                assert_eq!(answer.text.matches("<wsdl:port ").count(), ports);
                assert_eq!(
                    answer
                        .text
                        .matches(&format!(
                            ":address location=\"https://localhost:{}{path}\"",
                            serving.address.port()
                        ))
                        .count(),
                    ports
                );
                // Every schema that it names is there.
                for name in answer
                    .text
                    .split("schemaLocation=\"")
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next())
                {
                    let local = name
                        .strip_prefix(&format!("https://localhost:{}", serving.address.port()))
                        .unwrap();
                    assert_eq!(get(local.to_owned()).await.status, 200, "{name}");
                }
            }
        }
    });
    serving.stop();
}

#[test]
fn every_indicator_is_retrieved_and_a_dsu_referred_to_counts() {
    let site = site();
    site.configure("[[soglia]]\ncodice = \"MINO01\"\nprestazione = \"A1.07\"\nimporto = \"20000.00\"\n\n[[soglia]]\ncodice = \"ORDI02\"\nprestazione = \"A1.07\"\nimporto = \"20000.00\"\nindicatore = \"Ordinario\"\n");
    let today: jiff::civil::Date = site.today().parse().unwrap();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let (caf, comune) = (site.client(serving.address, "caf"), site.client(serving.address, "comune"));
        let mut famiglie = Famiglie::new(7, today);
        // A mother with a minor, whose father is married to another person and has a DSU of his own: an
        // employee of 30,000 under FC8.
        let alone = |famiglie: &mut Famiglie, sender: &str, irpef: u32| {
            let mut foglio = famiglie.foglio(40, 40);
            foglio.altri_redditi = Some(AltriRedditi {
                flag_esonerato: true,
                reddito_irpef: Some(irpef.into()),
                ..AltriRedditi::nothing()
            });
            let mut dsu = famiglie.famiglia(sender).dsu;
            dsu.modello_base.truncate(1);
            let form = &mut dsu.modello_base[0];
            (form.universitario, form.genitore_non_convivente, form.residenziale) = (Vec::new(), Vec::new(), Vec::new());
            form.condizioni_nucleo = None;
            (form.abitazione.tipo_abitazione, form.abitazione.locazione) = (TipoAbitazione::Altro, None);
            dsu.codice_fiscale_dichiarante = foglio.codice_fiscale.clone();
            dsu.sottoscrizione = vec![sottoscrizione(&foglio.codice_fiscale, sender, today)];
            let member = ComponenteNucleo { rapporto_con_dichiarante: Ruolo::D, flag_assenza_reddito: false, foglio_componente_nucleo: foglio };
            dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo = vec![member];
            dsu
        };
        let text = |dsu: &Dichiarazione| message("Dichiarazione", ISEE_NS, dsu, false);
        let father = alone(&mut famiglie, "CAF00001-PADRE1-2026-N0000001", 27_000);
        let protocol = transmitted(&caf, &text(&father)).await;
        let mut mother = alone(&mut famiglie, "CAF00001-MADRE1-2026-N0000001", 17_000);
        let child = famiglie.foglio(8, 8);
        let person = child.codice_fiscale.canonical();
        let sheet = father.fogli().next().unwrap();
        mother.modello_base[0].genitore_non_convivente = vec![GenitoreNonConvivente {
            codice_fiscale: sheet.codice_fiscale.clone(),
            cognome: sheet.dati_componente.anagrafica.cognome.clone(),
            nome: sheet.dati_componente.anagrafica.nome.clone(),
            flag_genitore_escluso: false,
            flag_coniugato_con_persona_diversa: true,
            flag_alcuna_condizione: false,
            beneficiario: vec![Beneficiario { codice_fiscale: child.codice_fiscale.clone() }],
            dati: Some(DatiGenitore::Protocollo(protocol.clone())),
        }];
        let member = ComponenteNucleo { rapporto_con_dichiarante: Ruolo::F, flag_assenza_reddito: false, foglio_componente_nucleo: child };
        mother.nucleo_familiare.as_mut().unwrap().componente_nucleo.push(member);
        transmitted(&caf, &text(&mother)).await;

        let today = site.today();
        let ask = async |tipo: &str| {
            let request = requests::indicatore(&person, &today, BENEFIT).replace("Ordinario", tipo);
            comune.call(ISEE, &request).await.unwrap()
        };
        let isee = |answer: &Answer| payload(answer, "XmlEsitoIndicatore").split(" ISEE=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        // 17,000 / 1.57; and 27,000 / 1.00 x 30 % = 8,100 besides.
        assert_eq!(isee(&ask("Ordinario").await), "10828.03");
        assert_eq!(isee(&ask("Minorenne").await), "18928.03");
        assert_eq!(isee(&ask("SocioSanitario").await), "10828.03");
        let none = ask("Residenziale").await;
        assert_eq!(element(&none, "Esito"), "DATI_NON_TROVATI");
        assert!(element(&none, "DescrizioneErrore").ends_with("ha: Ordinario, Minorenne, SocioSanitario, Dottorato"), "{}", none.text);
        // The attestation names who adds the component, and by which DSU.
        let answer = comune.call(ISEE, &requests::attestazione(&person, &today, BENEFIT)).await.unwrap();
        let xml = payload(&answer, "XmlEsitoAttestazione");
        for expected in ["<ISEEMinAgg ", "ValoreComponenteAggiuntiva=\"8100.00\"", &format!("ProtocolloDSUComponenteAggiuntiva=\"{protocol}\"")] {
            assert!(xml.contains(expected), "{xml}");
        }
        // A threshold of 20,000 on a nursery's indicator, which is the minor's; and on another that is named.
        for (code, tipo) in [("MINO01", "ISEE Minorenne con componente aggiuntiva"), ("ORDI02", "ISEE Ordinario")] {
            let soglia = format!("<ConsultazioneSogliaIndicatore xmlns=\"http://inps.it/ConsultazioneISEE\"><request CodiceFiscale=\"{person}\" CodiceSoglia=\"{code}\" FornituraNucleo=\"NO\"/></ConsultazioneSogliaIndicatore>");
            let answer = comune.call(ISEE, &envelope(Version::V11, &soglia)).await.unwrap();
            assert!(answer.text.contains(&format!("TipoIndicatore=\"{tipo}\" SottoSoglia=\"SI\"")), "{}", answer.text);
        }
    });
    serving.stop();
}

#[test]
fn an_identity_that_contradicts_itself_or_is_too_long_is_refused_and_not_kept() {
    let site = site();
    let serving = site.serve();
    kit::runtime().block_on(async {
        let comune = site.client(serving.address, "comune");
        let plain = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        let with = |blocks: &[&str]| {
            let blocks: String = blocks
                .iter()
                .map(|children| format!("<Identity xmlns='http://inps.it/'>{children}</Identity>"))
                .collect();
            plain.replacen("<s:Body>", &format!("<s:Header>{blocks}</s:Header><s:Body>"), 1)
        };
        let (own, other) = (
            "<CodiceEnte xmlns=''>comune</CodiceEnte>",
            "<CodiceEnte xmlns=''>altro</CodiceEnte>",
        );
        let long =
            |name: &str, length: usize| format!("<{name} xmlns=''>{}</{name}>", "\u{e8}".repeat(length));
        let identity = "urn:varco:problem:identity";
        for (blocks, refused) in [
            (vec![own, own], None),
            (vec![" ", own], None),
            (vec![own, "<CodiceEnte xmlns=''> </CodiceEnte>"], None),
            (vec![own, other], Some(identity)),
            (vec![other, own], Some(identity)),
            (vec![&*format!("{own}{other}")], Some(identity)),
            (
                vec!["<UserId xmlns=''>a</UserId>", "<UserId xmlns=''>b</UserId>"],
                Some(identity),
            ),
            (vec![&*long("UserId", 256)], None),
            (vec![&*long("UserId", 257)], Some("urn:varco:problem:envelope")),
            (
                vec![&*long("UserId", 1 << 19)],
                Some("urn:varco:problem:envelope"),
            ),
            (
                vec![&*long("CodiceUfficio", 65)],
                Some("urn:varco:problem:envelope"),
            ),
            (vec![&*long("CodiceEnte", 65)], Some("urn:varco:problem:envelope")),
        ] {
            let answer = comune.call(ISEE, &with(&blocks)).await.unwrap();
            match refused {
                None => assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI", "{}", answer.text),
                Some(problem) => assert!(answer.text.contains(problem), "{problem}: {}", answer.text),
            }
        }
        let request = Request::post(ISEE)
            .header("content-type", "text/xml")
            .header("inps-identity-userid", "u".repeat(300));
        let answer = comune
            .connect()
            .await
            .unwrap()
            .send(request.body(Full::new(Bytes::from(plain.clone()))).unwrap())
            .await
            .unwrap();
        assert!(
            answer.text.contains("UserId ha pi\u{f9} di 256 caratteri."),
            "{}",
            answer.text
        );
    });
    serving.stop();
    let bytes: u64 = std::fs::read_dir(site.directory().segments())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(
        bytes < 200_000,
        "{bytes} bytes of ledger: what is too long was kept"
    );
}
