//! Accreditation, by the commands that operators give: who may ask what, from where, how much, until when; on
//! the running gateway and on the data directory.

use std::collections::BTreeMap;

use kit::{BENEFIT, DSU, ISEE, Serving, Site, element, requests, varco};
use rcgen::DnType;
use varco::clock::Clock;
use varco::commands::client::Answer;
use varco::commands::demo::accreditamento;
use varco::commands::ente::{apply, apply_all};
use varco::commands::pki::{Issued, params};
use varco::contract::catalogue::Operation;
use varco::registry::administration::Command as Act;
use varco::registry::ente::{Decisione, Ente, Richiesta, Tipo};
use varco::registry::import::{self, Formato};

/// Runs `varco ente` on a site; what it said.
fn ente(site: &Site, arguments: &[&str]) -> Result<String, String> {
    let data = site.data().display().to_string();
    let all: Vec<&str> = ["ente"]
        .iter()
        .chain(arguments)
        .chain(&["--data", &data, "--motivo", "prova"])
        .copied()
        .collect();
    match varco(&all) {
        (text, true) => Ok(text),
        (text, false) => Err(text),
    }
}

fn done(site: &Site, arguments: &[&str]) -> String {
    ente(site, arguments).unwrap_or_else(|text| panic!("{arguments:?}: {text}"))
}

fn refused(site: &Site, arguments: &[&str], why: &str) {
    let text = ente(site, arguments).expect_err("was done");
    assert!(text.contains(why), "{arguments:?}: {text}");
}

fn call(site: &Site, serving: &Serving, name: &str, path: &str, request: &str) -> Answer {
    kit::runtime().block_on(async {
        site.client(serving.address, name)
            .call(path, request)
            .await
            .unwrap()
    })
}

fn ask(site: &Site, serving: &Serving) -> Answer {
    call(
        site,
        serving,
        "comune",
        ISEE,
        &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
    )
}

/// A request with an identity header.
fn as_user(request: &str, user: &str, office: &str) -> String {
    let header = format!(
        "<s:Header><Identity xmlns='http://inps.it/'><UserId xmlns=''>{user}</UserId><CodiceUfficio xmlns=''>{office}</CodiceUfficio></Identity></s:Header><s:Body>"
    );
    request.replacen("<s:Body>", &header, 1)
}

fn day(site: &Site, days: i64) -> String {
    site.clock
        .today()
        .checked_add(jiff::Span::new().days(days))
        .unwrap()
        .to_string()
}

const NEW: [&str; 10] = [
    "--denominazione",
    "Comune Nuovo",
    "--codice-fiscale",
    "01234567897",
    "--tipo",
    "comune",
    "--pec",
    "PEC 7/2026",
    "--base-giuridica",
    "DPCM 159/2013",
];

#[test]
fn a_life_of_an_ente_from_request_to_revocation_and_back() {
    let site = Site::new();
    let new = |more: &[&'static str]| -> Vec<&str> {
        ["richiedi", "nuovo"]
            .iter()
            .chain(&NEW)
            .chain(more)
            .copied()
            .collect()
    };
    assert!(
        ente(&site, &new(&[])).unwrap_err().contains("--finalita"),
        "without a purpose"
    );
    done(
        &site,
        &new(&[
            "--finalita",
            "asilo nido",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--prestazioni",
            "A1.07",
            "--ipa",
            "c_x000",
            "--contatto",
            "pec@comune.example",
            "--parte",
            "SPC:Comune",
        ]),
    );
    refused(&site, &new(&["--finalita", "asilo nido"]), "esiste già");
    refused(
        &site,
        &["sospendi", "nuovo"],
        "un ente nello stato richiesta non può passare a sospeso",
    );
    refused(
        &site,
        &["accredita", "nuovo", "--scadenza", &day(&site, -1)],
        "la scadenza è già passata",
    );
    done(&site, &["rifiuta", "nuovo", "--direzione", "Lazio"]);
    refused(
        &site,
        &["accredita", "nuovo"],
        "un ente nello stato rifiutato non può passare a accreditato",
    );
    done(
        &site,
        &new(&[
            "--finalita",
            "asilo nido",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--prestazioni",
            "A1.07",
        ]),
    );
    done(
        &site,
        &[
            "accredita",
            "nuovo",
            "--direzione",
            "Lazio",
            "--scadenza",
            &day(&site, 30),
            "--come-richiesto",
        ],
    );
    refused(&site, &["accredita", "nuovo"], "già accreditato");
    done(&site, &["accredita", "nuovo", "--scadenza", &day(&site, 60)]);
    let shown = done(&site, &["mostra", "nuovo"]);
    assert!(
        shown.contains("Lazio")
            && shown.contains(&day(&site, 60))
            && shown.contains("ConsultazioneIndicatore per A1.07"),
        "{shown}"
    );
    done(
        &site,
        &["aggiorna", "nuovo", "--denominazione", "Comune Rinnovato"],
    );
    done(&site, &["sospendi", "nuovo"]);
    refused(
        &site,
        &["accredita", "nuovo"],
        "un ente nello stato sospeso non può passare a accreditato",
    );
    done(&site, &["riattiva", "nuovo"]);
    done(&site, &["revoca", "nuovo"]);
    refused(&site, &["riattiva", "nuovo"], "revocato");
    let told: Vec<serde_json::Value> =
        serde_json::from_str(&done(&site, &["storia", "nuovo", "--json"])).unwrap();
    let commands: Vec<&str> = told
        .iter()
        .map(|change| change["comando"].as_str().unwrap())
        .collect();
    assert_eq!(
        commands,
        [
            "ente richiedi",
            "ente rifiuta",
            "ente richiedi",
            "ente accredita",
            "ente rinnova",
            "ente aggiorna",
            "ente sospendi",
            "ente riattiva",
            "ente revoca"
        ]
    );
    assert!(
        told.iter()
            .all(|change| change["motivo"] == "prova" && change["uid"].is_number()),
        "{told:?}"
    );
    let shown: Vec<serde_json::Value> =
        serde_json::from_str(&done(&site, &["mostra", "nuovo", "--json"])).unwrap();
    assert_eq!(
        (shown[0]["stato"].as_str(), shown[0]["denominazione"].as_str()),
        (Some("revocato"), Some("Comune Rinnovato"))
    );
    let listed = done(&site, &["lista", "--stato", "sospeso"]);
    assert!(
        listed.contains("sospeso") && !listed.contains("comune"),
        "{listed}"
    );
}

#[test]
fn grants_are_for_operations_benefits_offices_and_days() {
    let site = Site::new();
    let serving = site.serve();
    assert_eq!(element(&ask(&site, &serving), "Esito"), "DATI_NON_TROVATI");
    // In the future alone; then from an office alone.
    let grant = [
        "abilita",
        "comune",
        "--operazioni",
        "ConsultazioneIndicatore",
        "--prestazioni",
        "A1.07",
    ];
    let with =
        |more: &[&str]| -> String { done(&site, &grant.iter().chain(more).copied().collect::<Vec<_>>()) };
    with(&["--dal", &day(&site, 2), "--sostituisci"]);
    assert!(ask(&site, &serving).text.contains("Client.Authorization"));
    with(&["--dal", &day(&site, 1)]);
    assert!(ask(&site, &serving).text.contains("Client.Authorization"));
    refused(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--uffici",
            "U1",
        ],
        "l'ente non ha l'ufficio U1",
    );
    refused(
        &site,
        &["ufficio", "comune", "--obbligatori", "true"],
        "nessun ufficio registrato",
    );
    done(
        &site,
        &["ufficio", "comune", "U1", "--denominazione", "Servizi sociali"],
    );
    with(&["--uffici", "U1"]);
    refused(
        &site,
        &["ufficio", "comune", "U1", "--togli"],
        "un'abilitazione nomina questo ufficio",
    );
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    assert!(
        call(&site, &serving, "comune", ISEE, &request)
            .text
            .contains("Client.Authorization"),
        "without an office"
    );
    assert!(
        call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", "U2"))
            .text
            .contains("Client.Authorization")
    );
    assert_eq!(
        element(
            &call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", "U1")),
            "Esito"
        ),
        "DATI_NON_TROVATI"
    );
    // An office past its last day opens nothing, though a grant still names it.
    done(&site, &["ufficio", "comune", "U1", "--al", &day(&site, -1)]);
    assert!(
        call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", "U1"))
            .text
            .contains("Client.Authorization"),
        "the office is over"
    );
    done(&site, &["ufficio", "comune", "U1"]);
    assert_eq!(
        element(
            &call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", "U1")),
            "Esito"
        ),
        "DATI_NON_TROVATI"
    );
    // The last grant goes: nothing is left.
    let told = done(&site, &["abilita", "comune", "--togli", "4"]);
    assert!(
        told.contains("tolta l'abilitazione 4: ConsultazioneIndicatore per A1.07 da U1"),
        "{told}"
    );
    assert!(
        call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", "U1"))
            .text
            .contains("Client.Authorization")
    );
    // The default goes with the grant that had it.
    with(&["--sostituisci", "--predefinita", "A1.07"]);
    done(&site, &["abilita", "comune", "--togli", "5"]);
    done(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--prestazioni",
            "A1.01",
        ],
    );
    refused(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneIndicatore,ConsultazioneIndicatore",
        ],
        "compare due volte",
    );
    // The last office stays while one is obligatory.
    done(&site, &["ufficio", "comune", "--obbligatori", "true"]);
    refused(
        &site,
        &["ufficio", "comune", "U1", "--togli"],
        "nessuna richiesta passerebbe",
    );
    done(&site, &["ufficio", "comune", "--obbligatori", "false"]);
    // Detail is for checks.
    refused(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneDichiarazione",
            "--prestazioni",
            "A1.07",
        ],
        "richiede --controlli",
    );
    done(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneDichiarazione",
            "--prestazioni",
            "A1.07",
            "--controlli",
        ],
    );
    // An accreditation that ends, and one that is not for machines.
    with(&["--sostituisci"]);
    assert_eq!(element(&ask(&site, &serving), "Esito"), "DATI_NON_TROVATI");
    done(
        &site,
        &[
            "accredita",
            "comune",
            "--scadenza",
            &site.clock.today().to_string(),
        ],
    );
    assert_eq!(
        element(&ask(&site, &serving), "Esito"),
        "DATI_NON_TROVATI",
        "on its last day"
    );
    done(
        &site,
        &[
            "accredita",
            "comune",
            "--scadenza",
            &day(&site, 5),
            "--modi",
            "web",
        ],
    );
    assert!(
        ask(&site, &serving).text.contains("Client.Authorization"),
        "for the web alone"
    );
}

#[test]
fn who_transmitted_a_dsu_reads_it_back_without_a_benefit() {
    let site = Site::new();
    done(
        &site,
        &[
            "abilita",
            "caf",
            "--operazioni",
            "TrasmissioneDSU,ConsultazioneAttestazione,ConsultazioneIndicatore",
            "--sostituisci",
        ],
    );
    let serving = site.serve();
    let dsu = requests::trasmissione(&requests::dsu("CAF00001-OWNOWN-2026-N0000001", &site.today()));
    let protocol = element(&call(&site, &serving, "caf", DSU, &dsu), "ProtocolloDSU").to_owned();
    let request = |search: &str| requests::consultazione(Operation::ConsultazioneAttestazione, search);
    let person = |code: &str| {
        request(&format!(
            "<RicercaCF><CodiceFiscale>{code}</CodiceFiscale><DataValidita>{}</DataValidita></RicercaCF>",
            site.today()
        ))
    };
    let by_protocol = request(&format!(
        "<RicercaProtDSU><ProtocolloDSU>{protocol}</ProtocolloDSU><CodiceFiscaleBeneficiario>{}</CodiceFiscaleBeneficiario></RicercaProtDSU>",
        requests::GIULIA
    ));
    let esito =
        |name: &str, request: &str| element(&call(&site, &serving, name, ISEE, request), "Esito").to_owned();
    assert_eq!(esito("caf", &person(requests::GIULIA)), "OK");
    assert_eq!(esito("caf", &by_protocol), "OK");
    // Nobody's, and, for another CAF, somebody else's: the same refusal, so that nothing is learned.
    let other = site.pki.authority.client("caf2").unwrap();
    let (certificate, key) = site.pem("caf2");
    std::fs::write(certificate, &other.certificate).unwrap();
    std::fs::write(key, &other.key).unwrap();
    let operations = "TrasmissioneDSU,ConsultazioneAttestazione";
    let commands = accreditamento::commands(
        ("caf2", "Un altro CAF", "09876543217"),
        Tipo::Caf,
        &other.fingerprint,
        operations,
        &[],
    );
    commands.into_iter().for_each(|command| site.act(command));
    for (name, request) in [
        ("caf", person("BNCNNA72B42H501V")),
        ("caf2", person(requests::GIULIA)),
        ("caf2", by_protocol),
    ] {
        let answer = call(&site, &serving, name, ISEE, &request);
        assert_eq!(element(&answer, "Esito"), "RICHIESTA_INVALIDA");
        assert!(
            element(&answer, "DescrizioneErrore").contains("PrestazioneDaErogare"),
            "{}",
            answer.text
        );
    }
}

#[test]
fn a_grant_may_be_of_some_indicators_alone() {
    let site = Site::new();
    let grant = |more: &[&'static str]| {
        [
            &[
                "abilita",
                "comune",
                "--operazioni",
                "ConsultazioneIndicatore",
                "--prestazioni",
                BENEFIT,
            ],
            more,
        ]
        .concat()
    };
    refused(
        &site,
        &grant(&["--indicatori", "Straordinario"]),
        "indicatore sconosciuto: Straordinario",
    );
    let whole = [
        "abilita",
        "comune",
        "--operazioni",
        "ConsultazioneAttestazione",
        "--prestazioni",
        BENEFIT,
        "--indicatori",
        "Minorenne",
    ];
    refused(&site, &whole, "gli indicatori si scelgono solo per");
    done(
        &site,
        &grant(&["--indicatori", "Minorenne,Universitario", "--sostituisci"]),
    );
    assert!(done(&site, &["mostra", "comune"]).contains("solo indicatore Minorenne, Universitario"));
    let serving = site.serve();
    let of = |tipo: &str| {
        let request =
            requests::indicatore(requests::GIULIA, &site.today(), BENEFIT).replace("Ordinario", tipo);
        call(&site, &serving, "comune", ISEE, &request)
    };
    for (tipo, esito) in [
        ("Minorenne", "DATI_NON_TROVATI"),
        ("Universitario", "DATI_NON_TROVATI"),
        ("Ordinario", "RICHIESTA_INVALIDA"),
    ] {
        assert_eq!(element(&of(tipo), "Esito"), esito, "{tipo}");
    }
    assert!(element(&of("Ordinario"), "DescrizioneErrore").contains("indicatore non abilitato"));
    // Another grant gives the rest.
    done(&site, &grant(&[]));
    assert_eq!(element(&of("Ordinario"), "Esito"), "DATI_NON_TROVATI");
    // Of two benefits, neither is meant if none is named.
    let unnamed = || {
        let request = requests::indicatore(requests::GIULIA, &site.today(), "")
            .replace("<PrestazioneDaErogare></PrestazioneDaErogare>", "");
        call(&site, &serving, "comune", ISEE, &request)
    };
    assert_eq!(element(&unnamed(), "Esito"), "DATI_NON_TROVATI");
    done(
        &site,
        &[
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--prestazioni",
            "A3.02",
        ],
    );
    assert!(element(&unnamed(), "DescrizioneErrore").contains("indicare la prestazione da erogare"));
    serving.stop();
    let refusals = site.refusals();
    assert_eq!(
        (refusals["P02.prestazione"], refusals["P03.indicatore"]),
        (1, 2),
        "{refusals:?}"
    );
}

#[test]
fn quotas_are_kept_over_a_restart() {
    let site = Site::new();
    done(&site, &["quota", "comune", "--al-giorno", "4"]);
    refused(&site, &["quota", "comune", "--al-giorno", "0"], "almeno 1");
    refused(
        &site,
        &["quota", "comune", "--al-minuto", "60000001"],
        "al più 1000000",
    );
    let serving = site.serve();
    // What was refused before it could count does not count after a restart either.
    done(&site, &["sospendi", "comune"]);
    for _ in 0..5 {
        assert!(ask(&site, &serving).text.contains("Client.Authorization"));
    }
    done(&site, &["riattiva", "comune"]);
    let first = ask(&site, &serving);
    let header = |answer: &Answer, name: &str| {
        answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
    };
    assert_eq!(
        (
            header(&first, "x-ratelimit-limit"),
            header(&first, "x-ratelimit-remaining")
        ),
        (Some(4), Some(3))
    );
    ask(&site, &serving);
    serving.stop();
    let serving = site.serve();
    assert_eq!(
        header(&ask(&site, &serving), "x-ratelimit-remaining"),
        Some(1),
        "the restart forgot"
    );
    assert_eq!(ask(&site, &serving).status, 200);
    let over = ask(&site, &serving);
    assert_eq!(
        (over.status.as_u16(), header(&over, "x-ratelimit-remaining")),
        (429, Some(0))
    );
    assert!(
        header(&over, "retry-after")
            .is_some_and(|seconds| seconds > 0 && Some(seconds) == header(&over, "x-ratelimit-reset"))
    );
    assert!(over.text.contains("Too Many Requests"), "{}", over.text);
    // Another ente is not touched; a bucket of a minute; then without.
    assert!(header(&call(&site, &serving, "caf", DSU, "<a/>"), "x-ratelimit-limit").is_none());
    done(&site, &["quota", "comune", "--al-minuto", "2"]);
    assert_eq!(
        [
            ask(&site, &serving).status,
            ask(&site, &serving).status,
            ask(&site, &serving).status
        ]
        .map(|s| s.as_u16()),
        [200, 200, 429]
    );
    // The files of the contract count like questions, and are refused like them.
    done(&site, &["quota", "comune"]);
    done(&site, &["quota", "comune", "--al-giorno", "200000"]);
    let file = || {
        kit::runtime().block_on(async {
            let request = hyper::Request::get(format!("{ISEE}?wsdl"))
                .header("host", "localhost")
                .body(http_body_util::Full::default());
            site.client(serving.address, "comune")
                .connect()
                .await
                .unwrap()
                .send(request.unwrap())
                .await
                .unwrap()
        })
    };
    let left = |answer: &Answer| header(answer, "x-ratelimit-remaining").unwrap();
    let before = left(&ask(&site, &serving));
    let wsdl = file();
    assert!(wsdl.text.contains("<wsdl:definitions"), "{}", wsdl.text);
    assert_eq!(
        (left(&wsdl), left(&ask(&site, &serving))),
        (before - 1, before - 2)
    );
    done(&site, &["quota", "comune", "--al-minuto", "1"]);
    let refused = [file(), file()];
    assert!(
        refused[1].text.contains("urn:varco:problem:") && refused[1].status == 429,
        "{}",
        refused[1].text
    );
    assert!(header(&refused[1], "retry-after").is_some());
    done(&site, &["quota", "comune"]);
    assert_eq!(ask(&site, &serving).status, 200);
}

#[test]
fn persons_and_operators_have_quotas() {
    let site = Site::new();
    let serving = site.serve();
    let of = |code: &str, user: &str| {
        let request = requests::indicatore(code, &site.today(), BENEFIT);
        let request = if user.is_empty() {
            request
        } else {
            as_user(&request, user, "U1")
        };
        call(&site, &serving, "comune", ISEE, &request).status.as_u16()
    };
    done(&site, &["quota", "comune", "--persone-al-giorno", "2"]);
    let (one, two, three) = (requests::GIULIA, "BNCNNA72B42H501V", "GLLMTT81P03F205Y");
    assert_eq!(
        [of(one, ""), of(one, ""), of(two, ""), of(three, ""), of(one, "")],
        [200, 200, 200, 429, 200]
    );
    done(&site, &["quota", "comune"]);
    done(
        &site,
        &[
            "quota",
            "comune",
            "--persone-al-giorno",
            "1",
            "--al-giorno",
            "3",
            "--per-operatore",
        ],
    );
    assert_eq!(
        [
            of(one, "op1"),
            of(two, "op1"),
            of(two, "op2"),
            of(one, "op1"),
            of(one, "op1")
        ],
        [200, 429, 200, 200, 200]
    );
    assert_eq!(
        of(one, "op1"),
        429,
        "what was refused did not count, what was answered did"
    );
    assert_eq!(of(three, ""), 200, "nobody is named");
    // What its operator may not ask is not taken from the ente's own.
    done(&site, &["quota", "comune", "--al-giorno", "1", "--per-operatore"]);
    let left = || {
        let answer = ask(&site, &serving);
        answer
            .headers
            .get("x-ratelimit-remaining")
            .and_then(|left| left.to_str().ok()?.parse::<u64>().ok())
    };
    done(&site, &["quota", "comune", "--al-giorno", "100"]);
    let before = left().unwrap();
    for _ in 0..5 {
        assert_eq!(of(one, "op1"), 429);
    }
    assert_eq!(left(), Some(before - 1));
}

#[test]
fn an_operators_day_is_the_same_before_and_after_a_restart() {
    let site = Site::new();
    let serving = site.serve();
    let good = as_user(
        &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
        "op1",
        "U1",
    );
    let not_granted = as_user(
        &requests::attestazione(requests::GIULIA, &site.today(), BENEFIT)
            .replace("ConsultazioneAttestazione", "ConsultazioneDichiarazione"),
        "op1",
        "U1",
    );
    let of = |serving: &Serving, request: &str| call(&site, serving, "comune", ISEE, request).status.as_u16();
    // Before there is a quota, answered or refused: it counts.
    assert_eq!(
        [
            of(&serving, &good),
            of(&serving, &not_granted),
            of(&serving, &not_granted)
        ],
        [200, 500, 500]
    );
    done(&site, &["quota", "comune", "--al-giorno", "5", "--per-operatore"]);
    assert_eq!(of(&serving, &good), 200);
    serving.stop();
    let serving = site.serve();
    assert_eq!([of(&serving, &good), of(&serving, &good)], [200, 429]);
    serving.stop();
}

/// An exchange that is performed again, since another was first, counts once for its operator.
#[test]
fn an_exchange_that_begins_again_counts_once_for_its_operator() {
    const MANY: u64 = 40;
    let site = Site::new();
    let serving = site.serve();
    done(&site, &["quota", "caf", "--al-giorno", "1000", "--per-operatore"]);
    let dsu = requests::dsu("CAF00001-OPE001-2026-N0000001", &site.today());
    let request = as_user(&requests::trasmissione(&dsu), "op1", "U1");
    let client = site.client(serving.address, "caf");
    let answers = kit::runtime().block_on(async {
        // The same DSU at the same moment: one is recorded, the others find it there and begin again.
        let calls: Vec<_> = (0..MANY)
            .map(|_| {
                let (client, request) = (client.clone(), request.clone());
                tokio::spawn(async move { client.call(DSU, &request).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        answers.push(client.call(DSU, &request).await.unwrap());
        answers
    });
    for answer in &answers {
        assert!(answer.text.contains("<Esito>OK</Esito>"), "{}", answer.text);
    }
    let left = answers
        .last()
        .unwrap()
        .headers
        .get("x-ratelimit-remaining")
        .unwrap();
    assert_eq!(left.to_str().unwrap(), (1000 - MANY - 1).to_string());
    serving.stop();
}

/// A certificate of the site's authority with an organizationIdentifier and units.
fn of_body(site: &Site, name: &str, organization: &str, units: &[&str]) -> Issued {
    let mut params = params("chiunque", site.clock.now()).unwrap();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params
        .distinguished_name
        .push(DnType::CustomDnType(vec![2, 5, 4, 97]), organization);
    units.iter().for_each(|unit| {
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, *unit)
    });
    let issued = site.pki.authority.issue(params).unwrap();
    let (certificate, key) = site.pem(name);
    std::fs::write(certificate, &issued.certificate).unwrap();
    std::fs::write(key, &issued.key).unwrap();
    issued
}

#[test]
fn a_certificate_may_be_known_by_its_issuer_and_organization() {
    let site = Site::new();
    let authority = site.home.path().join("pki/ca.pem").display().to_string();
    let pem = |name: &str| site.pem(name).0.display().to_string();
    let config = site.config().display().to_string();
    of_body(&site, "renewed", "CF:IT-01234567897", &[]);
    of_body(&site, "unit", "CF:IT-01234567897", &["IPAIT-UO_ABC123"]);
    of_body(&site, "foreign", "CF:IT-09876543217", &[]);
    let serving = site.serve();
    let status = |name: &str| {
        call(
            &site,
            &serving,
            name,
            ISEE,
            &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
        )
        .text
    };
    assert!(status("renewed").contains("Client.Authorization"));
    refused(
        &site,
        &["certificato", "prova", &pem("renewed"), "--config", &config],
        "non è di alcun ente",
    );

    done(&site, &["certificato", "comune", &authority, "--emittente"]);
    refused(
        &site,
        &["aggiorna", "comune", "--codice-fiscale", "09876543217"],
        "toglierli prima",
    );
    assert!(status("renewed").contains("DATI_NON_TROVATI") && status("unit").contains("DATI_NON_TROVATI"));
    assert!(status("foreign").contains("Client.Authorization"));
    let tried = done(
        &site,
        &["certificato", "prova", &pem("renewed"), "--config", &config],
    );
    assert!(
        tried.contains("comune, per autorità e organizzazione") && tried.ends_with("ammesso\n"),
        "{tried}"
    );
    let tried = done(
        &site,
        &["certificato", "prova", &pem("comune"), "--config", &config],
    );
    assert!(tried.contains("comune, per la sua impronta"), "{tried}");
    // Without a configuration no authority is known: nothing is said of being let in.
    let known = done(&site, &["certificato", "prova", &pem("comune")]);
    assert!(
        known.contains("conosciuto")
            && known.contains("non sono state giudicate")
            && !known.contains("ammesso"),
        "{known}"
    );
    refused(
        &site,
        &["certificato", "prova", &pem("sospeso"), "--config", &config],
        "stato sospeso",
    );
    refused(
        &site,
        &["certificato", "prova", &pem("straniero"), "--config", &config],
        "non porta ad alcuna autorità",
    );
    // The same organization cannot be another ente's too; one of its units can.
    refused(
        &site,
        &["certificato", "caf", &authority, "--emittente"],
        "è già dell'ente comune",
    );
    done(
        &site,
        &["certificato", "comune", &authority, "--emittente", "--togli"],
    );
    assert!(status("renewed").contains("Client.Authorization"));
    refused(
        &site,
        &[
            "certificato",
            "comune",
            &authority,
            "--emittente",
            "--unita",
            "ABC",
        ],
        "unità non valida",
    );
    done(
        &site,
        &[
            "certificato",
            "comune",
            &authority,
            "--emittente",
            "--unita",
            "IPAIT-UO_ABC123",
        ],
    );
    assert!(
        status("unit").contains("DATI_NON_TROVATI") && status("renewed").contains("Client.Authorization")
    );
    // A pin may be registered beside its successor, each in its time.
    refused(
        &site,
        &[
            "certificato",
            "comune",
            &pem("renewed"),
            "--dal",
            &day(&site, 2),
            "--al",
            &day(&site, 1),
        ],
        "prima di cominciare",
    );
    done(
        &site,
        &["certificato", "comune", &pem("renewed"), "--dal", &day(&site, 1)],
    );
    assert!(
        status("renewed").contains("Client.Authorization"),
        "before its time"
    );
}

/// CodiceEnte may be the ente's code here, its codice fiscale, its code in the IPA in whatever case, or one
/// of its codes at INPS.
#[test]
fn an_ente_is_named_by_any_of_its_codes() {
    let site = Site::new();
    site.act(accreditamento::granted(
        "comune",
        "ConsultazioneIndicatore",
        &[BENEFIT],
    ));
    done(
        &site,
        &[
            "aggiorna",
            "comune",
            "--ipa",
            "c_x000",
            "--codice-inps",
            "0007001",
            "--codice-inps",
            "COMUNE-X",
        ],
    );
    let shown = done(&site, &["mostra", "comune"]);
    assert!(
        shown.contains("codice IPA      c_x000") && shown.contains("codici INPS     0007001, COMUNE-X"),
        "{shown}"
    );
    let refused = |codes: &[&str]| {
        let options = codes.iter().flat_map(|code| ["--codice-inps", code]);
        ente(
            &site,
            &["aggiorna", "comune"]
                .into_iter()
                .chain(options)
                .collect::<Vec<_>>(),
        )
        .unwrap_err()
    };
    assert!(refused(&["7", "7"]).contains("il codice INPS 7 compare due volte"));
    assert!(
        refused(&["a b"]).contains("codici INPS: al pi\u{f9} 20"),
        "{}",
        refused(&["a b"])
    );
    let serving = site.serve();
    kit::runtime().block_on(async {
        let comune = site.client(serving.address, "comune");
        let plain = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
        for (name, own) in [
            ("comune", true),
            ("Comune", false),
            ("c_x000", true),
            ("C_X000", true),
            ("0007001", true),
            ("7001", false),
            ("COMUNE-X", true),
            ("comune-x", false),
            ("altro", false),
        ] {
            let header = format!(
                "<s:Header><Identity xmlns='http://inps.it/'><CodiceEnte xmlns=''>{name}</CodiceEnte></Identity></s:Header><s:Body>"
            );
            let answer = comune.call(ISEE, &plain.replacen("<s:Body>", &header, 1)).await.unwrap();
            assert_eq!(answer.text.contains("DATI_NON_TROVATI"), own, "{name}: {}", answer.text);
            assert_eq!(answer.text.contains("urn:varco:problem:identity"), !own, "{name}: {}", answer.text);
        }
    });
    serving.stop();
}

#[test]
fn a_table_is_imported_whole_or_not_at_all() {
    let site = Site::new();
    let file = site.home.path().join("enti.csv");
    let path = file.display().to_string();
    std::fs::write(&file, "Codice_IPA,Denominazione_ente,Codice_fiscale_ente,Codice_Categoria,Mail1\nc_a001,Comune Uno,01234567897,L6,pec@uno.example\nc_a002,Comune Due,0123,L6,\nc_a003,,01234567897,L6,\n").unwrap();
    let ask = [
        "importa",
        &path,
        "--formato",
        "ipa",
        "--pec",
        "PEC 1/2026",
        "--base-giuridica",
        "DPCM 159/2013",
        "--finalita",
        "prestazioni",
    ];
    let with = |more: &[&'static str]| -> Vec<String> {
        ask.iter().chain(more).map(|text| (*text).to_owned()).collect()
    };
    let run = |more: &[&'static str]| ente(&site, &with(more).iter().map(String::as_str).collect::<Vec<_>>());
    let errors = run(&["--conferma"]).unwrap_err();
    assert!(
        errors.contains("riga 4: manca Denominazione_ente") && errors.contains("nessun ente registrato"),
        "{errors}"
    );
    std::fs::write(
        &file,
        std::fs::read_to_string(&file)
            .unwrap()
            .replace("c_a003,,", "c_a003,Comune Tre,"),
    )
    .unwrap();
    let errors = run(&[]).unwrap_err();
    assert!(
        errors.contains("riga 3: c_a002: codice fiscale dell'ente non valido"),
        "{errors}"
    );
    assert_eq!(run(&["--conferma"]).unwrap_err(), errors);
    assert!(
        !done(&site, &["lista"]).contains("c_a001"),
        "half a table was registered"
    );
    std::fs::write(
        &file,
        std::fs::read_to_string(&file)
            .unwrap()
            .replace(",0123,", ",01234567897,"),
    )
    .unwrap();
    assert!(
        run(&[])
            .unwrap()
            .contains("3 nuovi e 0 aggiornati da registrare (con --conferma)")
    );
    assert!(
        !done(&site, &["lista"]).contains("c_a001"),
        "a dry run registered"
    );
    // On the running gateway, in one batch.
    let serving = site.serve();
    assert!(
        run(&["--conferma"])
            .unwrap()
            .contains("3 nuovi e 0 aggiornati registrati")
    );
    assert!(
        run(&["--conferma"])
            .unwrap()
            .contains("0 nuovi e 0 aggiornati da registrare (con --conferma); 3 già uguali")
    );
    let table = done(&site, &["esporta"]);
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("c_a001;Comune Uno;01234567897;comune;c_a001;;pec@uno.example;")),
        "{table}"
    );
    std::fs::write(&file, table.replace("Comune Uno", "Comune Primo")).unwrap();
    let again = done(&site, &["importa", &path, "--conferma", "--json"]);
    assert!(
        again.contains("\"aggiornati\": [\n    \"c_a001\"\n  ]"),
        "{again}"
    );
    // What a table has no column for stays as it is.
    done(
        &site,
        &[
            "aggiorna",
            "c_a001",
            "--contatto",
            "a@x.example",
            "--contatto",
            "06 1",
            "--parte",
            "SPC:Uno",
        ],
    );
    let ipa = "Codice_IPA,Denominazione_ente,Codice_fiscale_ente,Codice_Categoria,Mail1\nc_a001,Comune Nuovo,01234567897,L6,altra@uno.example\n";
    std::fs::write(&file, ipa).unwrap();
    assert!(
        run(&["--conferma"])
            .unwrap()
            .contains("0 nuovi e 1 aggiornato registrati")
    );
    std::fs::write(
        &file,
        "codice;denominazione;codice_fiscale;tipo\nc_a001;Comune Nuovissimo;01234567897;comune\n",
    )
    .unwrap();
    done(&site, &["importa", &path, "--conferma"]);
    let table = done(&site, &["esporta"]);
    let line = "c_a001;Comune Nuovissimo;01234567897;comune;c_a001;;a@x.example|06 1;SPC:Uno;";
    assert!(table.lines().any(|found| found.starts_with(line)), "{table}");
    // A request that was made is not changed by a table, and that is said.
    let asks = |operation: &str| {
        format!(
            "codice;denominazione;codice_fiscale;tipo;operazioni\nc_a002;Comune Due;01234567897;comune;{operation}\n"
        )
    };
    std::fs::write(&file, asks("ConsultazioneIndicatore")).unwrap();
    let told = done(&site, &["importa", &path, "--conferma"]);
    assert!(
        told.contains("c_a002: diversa da quella registrata (operazioni), che resta com'è")
            && told.contains("0 già uguali"),
        "{told}"
    );
    assert!(done(&site, &["importa", &path, "--json"]).contains("\"colonne\": [\n        \"operazioni\""));
    assert!(shown(&site, "c_a002")["richiesta"]["operazioni"].is_null());
    std::fs::write(&file, asks("Consultazione")).unwrap();
    refused(
        &site,
        &["importa", &path],
        "riga 2: c_a002: operazione sconosciuta: Consultazione",
    );
    // A spreadsheet takes nothing for a formula.
    std::fs::write(
        &file,
        "codice;denominazione;codice_fiscale;tipo\nc_a004;=1+1;01234567897;comune\n",
    )
    .unwrap();
    assert!(
        ente(&site, &["importa", &path, "--formato", "varco"])
            .unwrap_err()
            .contains("non comincia con =")
    );
    serving.stop();
    // More than one batch holds: nothing is written, and all goes on as before.
    let long = "x".repeat(490);
    let lines: Vec<String> = (0..25_000)
        .map(|n| format!("lungo{n};{long};01234567897;comune;{long};{long};{long}"))
        .collect();
    std::fs::write(
        &file,
        "codice;denominazione;codice_fiscale;tipo;pec;base_giuridica;finalita\n".to_owned()
            + &lines.join("\n"),
    )
    .unwrap();
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace(&format!(";{long};01234567897"), ";Comune;01234567897");
    std::fs::write(&file, text).unwrap();
    assert!(
        ente(&site, &["importa", &path, "--conferma"])
            .unwrap_err()
            .contains("dividere la tabella")
    );
    let directory = site.data().display().to_string();
    let (verified, good) = varco(&["ledger", "verify", "--data", &directory]);
    assert!(good, "{verified}");
    assert!(!done(&site, &["lista"]).contains("lungo"));
}

/// An ente as `mostra` gives it.
fn shown(site: &Site, code: &str) -> serde_json::Value {
    serde_json::from_str::<Vec<serde_json::Value>>(&done(site, &["mostra", code, "--json"]))
        .unwrap()
        .remove(0)
}

#[test]
fn what_changed_since_it_was_read_is_not_overwritten() {
    let site = Site::new();
    let read: Ente = serde_json::from_value(shown(&site, "comune")).unwrap();
    let table = import::table(std::slice::from_ref(&read)).replace("Ente comune", "Comune Nuovo");
    let none = Richiesta::default();
    let plan = import::plan(
        &table,
        Formato::Varco,
        &none,
        std::slice::from_ref(&read),
        site.clock.today(),
    )
    .unwrap();
    // Somebody else is quicker.
    done(&site, &["aggiorna", "comune", "--contatto", "pec@comune.example"]);
    let late = Act::Aggiorna {
        codice: "comune".to_owned(),
        anagrafica: varco::registry::ente::Anagrafica {
            denominazione: "Tardi".to_owned(),
            ..read.anagrafica.clone()
        },
        letta: read.anagrafica.clone(),
    };
    let serving = site.serve();
    let runtime = kit::runtime();
    let error = runtime
        .block_on(apply(&site.data(), late.clone(), "prova", &site.clock))
        .unwrap_err()
        .to_string();
    assert!(error.contains("cambiati da altri nel frattempo"), "{error}");
    let error = runtime
        .block_on(apply_all(
            &site.data(),
            plan.commands.clone(),
            "prova",
            &site.clock,
        ))
        .unwrap_err()
        .to_string();
    assert!(error.contains("cambiati da altri nel frattempo"), "{error}");
    serving.stop();
    assert!(
        runtime
            .block_on(apply(&site.data(), late, "prova", &site.clock))
            .is_err()
    );
    let now = shown(&site, "comune");
    assert_eq!(
        (now["denominazione"].as_str(), now["contatti"][0].as_str()),
        (Some("Ente comune"), Some("pec@comune.example"))
    );
    // What is changed besides does not matter.
    done(&site, &["quota", "comune", "--al-giorno", "100"]);
    done(
        &site,
        &["aggiorna", "comune", "--denominazione", "Comune Rinnovato"],
    );
    assert_eq!(shown(&site, "comune")["contatti"][0], "pec@comune.example");
}

#[test]
fn the_number_of_a_grant_is_its_own_for_ever() {
    let site = Site::new();
    let grants = || -> BTreeMap<u64, String> {
        let ente = shown(&site, "comune");
        let grants = ente["abilitazioni"].as_array().cloned().unwrap_or_default();
        grants
            .iter()
            .map(|grant| {
                (
                    grant["numero"].as_u64().unwrap(),
                    grant["prestazioni"][0].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    };
    let expected = |all: &[(u64, &str)]| -> BTreeMap<u64, String> {
        all.iter().map(|(n, code)| (*n, (*code).to_owned())).collect()
    };
    let add = |benefit: &str, more: &[&str]| {
        let grant = [
            "abilita",
            "comune",
            "--operazioni",
            "ConsultazioneIndicatore",
            "--prestazioni",
            benefit,
        ];
        done(&site, &grant.iter().chain(more).copied().collect::<Vec<_>>());
    };
    add("A1.01", &[]);
    add("A1.02", &[]);
    assert_eq!(grants(), expected(&[(1, "A1.07"), (2, "A1.01"), (3, "A1.02")]));
    let told = done(&site, &["abilita", "comune", "--togli", "1"]);
    let grant = "tolta l'abilitazione 1: ConsultazioneIndicatore, ConsultazioneAttestazione per A1.07";
    assert!(told.contains(grant), "{told}");
    assert!(
        done(&site, &["abilita", "comune", "--togli", "2"])
            .contains("tolta l'abilitazione 2: ConsultazioneIndicatore per A1.01")
    );
    refused(
        &site,
        &["abilita", "comune", "--togli", "2"],
        "non ha un'abilitazione numero 2",
    );
    refused(
        &site,
        &["abilita", "comune", "--togli", "0"],
        "non ha un'abilitazione numero 0",
    );
    assert_eq!(grants(), expected(&[(3, "A1.02")]));
    // The greatest one is not given again either, nor after all were replaced, nor to who asks again.
    done(&site, &["abilita", "comune", "--togli", "3"]);
    add("A1.03", &[]);
    assert_eq!(grants(), expected(&[(4, "A1.03")]));
    add("A1.01", &["--sostituisci"]);
    assert_eq!(grants(), expected(&[(5, "A1.01")]));
    done(&site, &["revoca", "comune"]);
    let again: Vec<&str> = ["richiedi", "comune"]
        .iter()
        .chain(&NEW)
        .chain(&["--finalita", "asili"])
        .copied()
        .collect();
    done(&site, &again);
    done(&site, &["accredita", "comune"]);
    add("A1.07", &[]);
    assert_eq!(grants(), expected(&[(6, "A1.07")]));
    for ignored in [
        ["--predefinita", "A1.07"],
        ["--dal", "2026-01-01"],
        ["--al", "2026-01-01"],
    ] {
        refused(
            &site,
            &["abilita", "comune", "--togli", "6", ignored[0], ignored[1]],
            "non si può usare con",
        );
    }
    refused(
        &site,
        &["abilita", "comune", "--togli", "6", "--controlli"],
        "non si può usare con",
    );
}

#[test]
fn leading_zeros_of_an_office_do_not_count() {
    let site = Site::new();
    done(
        &site,
        &["ufficio", "comune", "007", "--denominazione", "Anagrafe"],
    );
    refused(
        &site,
        &["ufficio", "comune", "7"],
        "l'ente ha già l'ufficio 007, che è lo stesso",
    );
    done(&site, &["ufficio", "comune", "00"]);
    refused(&site, &["ufficio", "comune", "0"], "l'ente ha già l'ufficio 00");
    let grant = [
        "abilita",
        "comune",
        "--operazioni",
        "ConsultazioneIndicatore",
        "--prestazioni",
        "A1.07",
        "--sostituisci",
        "--uffici",
    ];
    let from = |office: &'static str| -> Vec<&str> { grant.iter().chain(&[office]).copied().collect() };
    refused(&site, &from("70"), "l'ente non ha l'ufficio 70");
    done(&site, &from("07"));
    done(&site, &["ufficio", "comune", "--obbligatori", "true"]);
    let serving = site.serve();
    let request = requests::indicatore(requests::GIULIA, &site.today(), BENEFIT);
    let as_office = |office: &str| call(&site, &serving, "comune", ISEE, &as_user(&request, "op1", office));
    for office in ["7", "07", "007", "0007"] {
        assert_eq!(
            element(&as_office(office), "Esito"),
            "DATI_NON_TROVATI",
            "{office}"
        );
    }
    for office in ["70", "0", ""] {
        assert!(
            as_office(office).text.contains("Client.Authorization"),
            "{office}"
        );
    }
    // As it was written.
    assert_eq!(shown(&site, "comune")["uffici"][0]["codice"], "007");
    assert_eq!(shown(&site, "comune")["abilitazioni"][0]["uffici"][0], "07");
    refused(
        &site,
        &["ufficio", "comune", "7", "--togli"],
        "un'abilitazione nomina questo ufficio",
    );
    done(&site, &["ufficio", "comune", "0", "--togli"]);
    done(&site, &["ufficio", "comune", "007", "--al", &day(&site, -1)]);
    assert!(
        as_office("7").text.contains("Client.Authorization"),
        "the office is over"
    );
}

#[test]
fn what_counts_today_is_shown() {
    // Ten days ago, for five days.
    let past = varco::clock::rome(kit::now())
        .checked_sub(jiff::Span::new().days(10))
        .unwrap()
        .timestamp();
    let site = Site::at(Clock::fixed(past));
    let term = |code: &str, days: i64| {
        let decisione = Decisione {
            scadenza: Some(day(&site, days).parse().unwrap()),
            ..Decisione::default()
        };
        site.act(Act::Decidi {
            codice: code.to_owned(),
            accolta: true,
            decisione,
            come_richiesto: false,
        });
    };
    term("comune", 5);
    term("caf", 5);
    site.act(Act::Stato {
        codice: "caf".to_owned(),
        nuovo: varco::registry::ente::Stato::Sospeso,
    });
    let state = |line: &str, code: &str| {
        let mut words = line
            .lines()
            .find(|line| line.starts_with(code))
            .unwrap_or_default()
            .split_whitespace()
            .skip(1);
        words.next().unwrap_or_default().to_owned()
    };
    let listed = done(&site, &["lista"]);
    assert_eq!(
        [
            state(&listed, "comune"),
            state(&listed, "caf"),
            state(&listed, "sospeso")
        ],
        ["scaduto", "sospeso", "sospeso"],
        "{listed}"
    );
    let codes = |state: &str| -> Vec<String> {
        let listed = done(&site, &["lista", "--stato", state]);
        listed
            .lines()
            .map(|line| line.split_whitespace().next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (codes("accreditato"), codes("scaduto")),
        (Vec::new(), vec!["comune".to_owned()])
    );
    assert_eq!(codes("sospeso"), ["caf", "comune", "sospeso"]);
    assert_eq!(
        (
            &shown(&site, "comune")["stato"],
            &shown(&site, "comune")["stato_oggi"]
        ),
        (&"accreditato".into(), &"scaduto".into())
    );
    let comune = done(&site, &["mostra", "comune"]);
    assert!(
        state(&comune, "comune") == "scaduto" && comune.contains("l'ente resta fuori finché non è rinnovato"),
        "{comune}"
    );
    assert!(
        comune.contains("modi concessi   cooperazione applicativa") && !comune.contains("non è tra i modi"),
        "{comune}"
    );
    // Reactivated, it stays out until it is renewed.
    let told = done(&site, &["riattiva", "caf"]);
    assert!(
        told.starts_with("caf scaduto") && told.contains("l'ente resta fuori finché non è rinnovato"),
        "{told}"
    );
    let now = Site {
        clock: Clock::system(),
        ..site
    };
    let told = done(&now, &["accredita", "caf", "--scadenza", &day(&now, 5)]);
    assert!(
        told.starts_with("caf accreditato") && !told.contains("attenzione"),
        "{told}"
    );
    // For the web alone: nothing opens here.
    let told = done(
        &now,
        &["accredita", "caf", "--scadenza", &day(&now, 6), "--modi", "web"],
    );
    assert!(
        told.contains(
            "la cooperazione applicativa non è tra i modi concessi: ogni richiesta dell'ente è respinta"
        ),
        "{told}"
    );
    let caf = done(&now, &["mostra", "caf"]);
    assert!(
        caf.contains("modi concessi   web\n")
            && caf.contains("la cooperazione applicativa non è tra i modi concessi"),
        "{caf}"
    );
}

#[test]
fn detail_that_is_left_out_of_what_was_asked_for_is_said() {
    let site = Site::new();
    let ask = |code: &'static str, operations: &'static str| {
        let what = [
            "--finalita",
            "asili",
            "--prestazioni",
            "A1.07",
            "--operazioni",
            operations,
        ];
        done(
            &site,
            &["richiedi", code]
                .iter()
                .chain(&NEW)
                .chain(&what)
                .copied()
                .collect::<Vec<_>>(),
        );
    };
    ask("uno", "ConsultazioneIndicatore,ConsultazioneDichiarazione");
    let told = done(&site, &["accredita", "uno", "--come-richiesto"]);
    assert!(
        told.contains("ConsultazioneDichiarazione è tra le operazioni chieste e non è stata abilitata"),
        "{told}"
    );
    ask("due", "ConsultazioneDichiarazione");
    refused(
        &site,
        &["accredita", "due", "--come-richiesto"],
        "la richiesta chiede solo ConsultazioneDichiarazione",
    );
    assert!(!done(&site, &["accredita", "due"]).contains("attenzione"));
}

#[test]
fn an_issuer_is_an_authority() {
    let site = Site::new();
    let leaf = site.pem("comune").0.display().to_string();
    refused(
        &site,
        &["certificato", "caf", &leaf, "--emittente"],
        "non è il certificato di un'autorità",
    );
    assert_eq!(shown(&site, "caf")["certificati"].as_array().unwrap().len(), 1);
}

#[test]
fn a_key_in_its_time_counts_though_another_of_the_ente_is_not() {
    let site = Site::new();
    let authority = site.home.path().join("pki/ca.pem").display().to_string();
    let pem = site.pem("doppio").0.display().to_string();
    let config = site.config().display().to_string();
    of_body(&site, "doppio", "CF:IT-01234567897", &["IPAIT-UO_A"]);
    let serving = site.serve();
    let enters = || {
        let text = call(
            &site,
            &serving,
            "doppio",
            ISEE,
            &requests::indicatore(requests::GIULIA, &site.today(), BENEFIT),
        )
        .text;
        let tried = ente(&site, &["certificato", "prova", &pem, "--config", &config]);
        assert_eq!(
            tried.is_ok(),
            text.contains("DATI_NON_TROVATI"),
            "{tried:?}: {text}"
        );
        tried
    };
    let over = day(&site, -1);
    done(&site, &["certificato", "comune", &pem, "--al", &over]);
    assert!(enters().unwrap_err().contains("fuori dal periodo registrato"));
    done(&site, &["certificato", "comune", &authority, "--emittente"]);
    assert!(
        enters()
            .unwrap()
            .contains("comune, per autorità e organizzazione")
    );
    // Its unit is another ente's, which its own pin goes before.
    done(
        &site,
        &[
            "certificato",
            "caf",
            &authority,
            "--emittente",
            "--unita",
            "IPAIT-UO_A",
        ],
    );
    assert!(enters().is_err());
}

#[test]
fn a_grant_that_would_cover_nothing_is_refused() {
    let site = Site::new();
    let grant = |more: &[&str], why: &str| {
        let all: Vec<&str> = ["abilita", "comune"].iter().chain(more).copied().collect();
        refused(&site, &all, why);
    };
    for operation in [
        "ConsultazioneIndicatore",
        "ConsultazioneAttestazione",
        "ConsultazioneAttestazioneResidenti",
        "ConsultazioneSogliaIndicatore",
    ] {
        grant(
            &["--operazioni", operation],
            "senza prestazioni non coprirebbe nulla",
        );
    }
    grant(
        &["--operazioni", "ConsultazioneDichiarazione", "--controlli"],
        "senza prestazioni non coprirebbe nulla",
    );
    grant(
        &[
            "--operazioni",
            "VerificaEsistenzaProtocollo,ConsultazioneAttestazione",
        ],
        "ConsultazioneAttestazione senza prestazioni",
    );
    grant(
        &["--operazioni", "TrasmissioneDSU,ConsultazioneSogliaIndicatore"],
        "ConsultazioneSogliaIndicatore senza prestazioni",
    );
    let reads = [
        "--operazioni",
        "ConsultazioneIndicatore",
        "--prestazioni",
        "A1.07",
    ];
    let with = |more: &[&str], why: &str| grant(&[&reads[..], more].concat(), why);
    with(&["--al", &day(&site, -1)], "già finita");
    done(&site, &["ufficio", "comune", "U1", "--al", &day(&site, -1)]);
    done(&site, &["ufficio", "comune", "U2", "--dal", &day(&site, 10)]);
    with(&["--uffici", "U1"], "nessuno degli uffici indicati è aperto");
    with(
        &["--uffici", "U2", "--al", &day(&site, 9)],
        "nessuno degli uffici indicati è aperto",
    );
    // Grants that cover something, now or later.
    let may = |more: &[&str]| done(&site, &[&["abilita"], more].concat());
    may(&["comune", "--operazioni", "VerificaEsistenzaProtocollo"]);
    may(&[&["comune"][..], &reads, &["--uffici", "U1,U2"]].concat());
    may(&[&["comune"][..], &reads, &["--dal", &day(&site, 30)]].concat());
    // A CAF reads what it transmitted, for no benefit: also where the transmission is granted with it.
    may(&["caf", "--operazioni", "ConsultazioneAttestazione"]);
    may(&[
        "caf",
        "--operazioni",
        "TrasmissioneDSU,ConsultazioneIndicatore",
        "--sostituisci",
    ]);
    refused(
        &site,
        &[
            "abilita",
            "caf",
            "--operazioni",
            "ConsultazioneAttestazione",
            "--sostituisci",
        ],
        "senza prestazioni",
    );
}

#[test]
fn an_entes_certificates_are_shown_with_whom_they_name_and_until_when() {
    let site = Site::new();
    let show = || done(&site, &["mostra", "comune"]);
    assert!(
        show().contains("soggetto e scadenza non registrati"),
        "{}",
        show()
    );
    // The one that was registered by its digest, again from its file.
    let pem = site.pem("comune").0.display().to_string();
    done(&site, &["certificato", "comune", &pem]);
    let shown = show();
    assert!(
        shown.contains("comune, Varco demo; scade il ") && !shown.contains("non registrati"),
        "{shown}"
    );
    refused(
        &site,
        &["certificato", "comune", &pem],
        "l'ente ha già questo certificato",
    );
    // One that names a person: the person is not kept.
    let mut wanted = params("MARIO ROSSI", site.clock.now()).unwrap();
    wanted
        .distinguished_name
        .push(DnType::CustomDnType(vec![2, 5, 4, 5]), "TINIT-RSSMRA80A01H501U");
    wanted.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    wanted.not_after = varco::commands::pki::offset(site.clock.now(), 5 * 86_400 + 60).unwrap();
    let issued = site.pki.authority.issue(wanted).unwrap();
    std::fs::write(site.pem("persona").0, &issued.certificate).unwrap();
    done(
        &site,
        &[
            "certificato",
            "comune",
            &site.pem("persona").0.display().to_string(),
        ],
    );
    let shown = show();
    assert!(
        shown.contains("Varco demo; scade il ") && shown.contains("fra 5 giorni") && !shown.contains("ROSSI"),
        "{shown}"
    );
    // Of an authority: its subject, and its own last day.
    done(
        &site,
        &[
            "certificato",
            "comune",
            &site.home.path().join("pki/ca.pem").display().to_string(),
            "--emittente",
        ],
    );
    assert!(
        show().contains("Varco demo CA, Varco demo; scade il "),
        "{}",
        show()
    );
}

#[test]
fn many_enti_are_accredited_and_granted_from_tables_all_or_none() {
    let site = Site::new();
    let table = |name: &str, text: &str| {
        let file = site.home.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    for code in ["uno", "due", "tre"] {
        done(
            &site,
            &[&["richiedi", code][..], &NEW, &["--finalita", "asili"]].concat(),
        );
    }
    let state = |code: &str| done(&site, &["mostra", code]).lines().next().unwrap().to_owned();
    let last = day(&site, 400);
    let wrong = table(
        "decisioni.csv",
        &format!("codice,scadenza\nuno,{last}\ndue,{last}\nquattro,{last}\n"),
    );
    refused(&site, &["accredita", "--tabella", &wrong], "quattro");
    assert!(state("uno").contains("richiesta"), "{}", state("uno"));
    let right = table(
        "decisioni.csv",
        &format!("codice;scadenza;modi;come_richiesto\nuno;{last};cooperazione-applicativa;\ndue;{last};;\n"),
    );
    assert!(done(&site, &["accredita", "--tabella", &right]).contains("2 enti"));
    assert!(state("uno").contains("accreditato") && state("tre").contains("richiesta"));
    let wrong = table(
        "abilitazioni.csv",
        "codice,operazioni,prestazioni\nuno,ConsultazioneIndicatore,A1.07\ndue,ConsultazioneIndicatore,\n",
    );
    refused(
        &site,
        &["abilita", "--tabella", &wrong],
        "due: ConsultazioneIndicatore senza prestazioni",
    );
    assert!(
        !done(&site, &["mostra", "uno"]).contains("abilitazione 1"),
        "half of a table was carried out"
    );
    let right = table(
        "abilitazioni.csv",
        "codice,operazioni,prestazioni\nuno,ConsultazioneIndicatore,A1.07|A1.08\ndue,ConsultazioneIndicatore,A1.07\n",
    );
    done(&site, &["abilita", "--tabella", &right]);
    assert!(done(&site, &["mostra", "uno"]).contains("ConsultazioneIndicatore per A1.07, A1.08"));
    refused(
        &site,
        &["abilita", "--tabella", "/nessuna.csv"],
        "/nessuna.csv: il file non c'è",
    );
    refused(&site, &["accredita"], "manca <CODICE>");
}

#[test]
fn a_command_says_what_it_made_of_an_ente() {
    let site = Site::new();
    done(
        &site,
        &[
            "richiedi",
            "c_x000",
            "--denominazione",
            "Comune di Esempio",
            "--codice-fiscale",
            "01234567897",
            "--tipo",
            "comune",
            "--pec",
            "PEC 1",
            "--base-giuridica",
            "DPCM 159/2013",
            "--finalita",
            "nidi",
        ],
    );
    let grant = "--operazioni ConsultazioneIndicatore --prestazioni A1.07";
    for (line, told) in [
        (
            "accredita c_x000 --scadenza 2090-12-31".to_owned(),
            "accreditamento fino al 2090-12-31; nessuna abilitazione",
        ),
        (
            format!("abilita c_x000 {grant}"),
            "abilitazione 1 aggiunta: ConsultazioneIndicatore per A1.07",
        ),
        (
            format!("abilita c_x000 {grant} --controlli --sostituisci"),
            "abilitazione 2 aggiunta, al posto delle precedenti: ",
        ),
        ("abilita c_x000 --togli 2".to_owned(), "tolta l'abilitazione 2: "),
        ("ufficio c_x000 0012".to_owned(), "ufficio 0012 registrato"),
        (
            "ufficio c_x000 --obbligatori sì".to_owned(),
            "ogni richiesta deve indicare un ufficio",
        ),
        (
            "ufficio c_x000 --obbligatori no".to_owned(),
            "una richiesta può non indicare un ufficio",
        ),
        ("ufficio c_x000 12 --togli".to_owned(), "ufficio 12 tolto"),
        (
            "quota c_x000 --al-minuto 60".to_owned(),
            "quote: 60 richieste al minuto",
        ),
        ("quota c_x000".to_owned(), "quote: nessuna"),
        (
            "risposte c_x000 --isee-famiglia no".to_owned(),
            "le attestazioni sono senza ISEEFamiglia",
        ),
        ("aggiorna c_x000 --ipa c_x000".to_owned(), "dati corretti"),
        ("sospendi c_x000".to_owned(), "c_x000 sospeso (Comune di Esempio)"),
        ("riattiva c_x000".to_owned(), "riattivato"),
    ] {
        let said = done(&site, &line.split(' ').collect::<Vec<_>>());
        assert!(said.contains(told), "{line}: {said}");
    }
}
