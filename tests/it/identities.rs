//! Twenty enti, each with a certificate of its own, ask at the same time over connections that stay and
//! connections that are new; every request has a number of its own, and names one of several people. No
//! answer holds another's number or person, nobody gets what another may have, and the ledger says of each
//! exchange who asked. `VARCO_IDENTITIES` sets how many requests (3,000).

use std::collections::HashMap;
use std::time::Instant;

use kit::{BENEFIT, DSU, ISEE, Site, element, payload, requests};
use tokio::task::JoinSet;
use varco::commands::client::{Answer, Client, Connected};
use varco::gateway::fault::row;
use varco::ledger::{Kind, segments};
use varco::refusal::Code;
use varco::registry::ente::Tipo;

const ENTI: usize = 20;
/// Connections of each ente at the same time.
const CONNECTIONS: usize = 3;
/// One ente in that many may not ask for attestations.
const NARROW: usize = 5;
/// The people of the sample DSU.
const PEOPLE: [&str; 4] = [
    requests::GIULIA,
    "GLLMTT81P03F205Y",
    "GLLSFO14B60H501C",
    "GLLTMM19L08H501B",
];

/// A small generator: the same numbers at each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn name(ente: usize) -> String {
    format!("ente{ente:02}")
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Indicator,
    Attestation,
    /// An indicator, in the name of another ente.
    Impostor,
}

/// How an exchange must be recorded: who asked, with which outcome.
type Recorded = (usize, &'static str, Option<&'static str>);

/// One connection after another of one ente; every exchange that was answered.
async fn ask(
    client: Client,
    ente: usize,
    today: String,
    count: usize,
    seed: u64,
) -> Result<Vec<(String, Recorded)>, String> {
    let mut random = Random(seed);
    let mut answered = Vec::with_capacity(count);
    let mut open: Option<(Connected, usize)> = None;
    for serial in 0..count {
        let (mut connected, left) = match open.take() {
            Some(open) => open,
            // One request, a few, many.
            None => (
                client.connect().await.map_err(|error| error.to_string())?,
                [1, 8, 64][random.below(3)],
            ),
        };
        let question = match random.below(16) {
            0 => Question::Impostor,
            1..8 => Question::Attestation,
            _ => Question::Indicator,
        };
        let person = PEOPLE[random.below(PEOPLE.len())];
        let number = format!("N-{}-{seed}-{serial}-N", name(ente));
        let body = match question {
            Question::Attestation => requests::attestazione(person, &today, BENEFIT),
            Question::Indicator | Question::Impostor => requests::indicatore(person, &today, BENEFIT),
        };
        let mut body = body.replace("DOM-1", &number);
        if question == Question::Impostor {
            let other = name((ente + 1 + random.below(ENTI - 1)) % ENTI);
            let identity = format!(
                "<s:Header><Identity xmlns='http://inps.it/'><UserId xmlns=''>x</UserId><CodiceUfficio xmlns=''>1</CodiceUfficio>\
                 <CodiceEnte xmlns=''>{other}</CodiceEnte></Identity></s:Header><s:Body>"
            );
            body = body.replacen("<s:Body>", &identity, 1);
        }
        let answer = connected
            .call(ISEE, &body)
            .await
            .map_err(|error| format!("{number}: {error:#}"))?;
        let recorded = check(&answer, ente, question, person, &number)?;
        answered.push((answer.exchange.clone().ok_or("no exchange")?, recorded));
        if left > 1 {
            open = Some((connected, left - 1));
        }
    }
    Ok(answered)
}

/// The answer is to this question, and to no other.
fn check(
    answer: &Answer,
    ente: usize,
    question: Question,
    person: &str,
    number: &str,
) -> Result<Recorded, String> {
    let refused = match question {
        Question::Impostor => Some(Code::IdentityMismatch),
        Question::Attestation if ente.is_multiple_of(NARROW) => Some(Code::OperationNotGranted),
        _ => None,
    };
    if let Some(code) = refused {
        let row = row(code);
        let right = answer.text.contains(row.detail) && !answer.text.contains("Esito");
        return if right {
            Ok((ente, "FAULT", Some(row.ledger)))
        } else {
            Err(format!("{number}: not refused: {}", answer.text))
        };
    }
    let (result, holder) = match question {
        Question::Attestation => ("ConsultazioneAttestazioneResult", "XmlEsitoAttestazione"),
        _ => ("ConsultazioneIndicatoreResult", "XmlEsitoIndicatore"),
    };
    if !answer.text.contains(result) || element(answer, "Esito") != "OK" {
        return Err(format!("{number}: not answered: {}", answer.text));
    }
    let found = payload(answer, holder);
    let echoed = |attribute: &str| {
        let search = found
            .split_once("RicercaCF ")
            .map_or("", |(_, rest)| rest.split('>').next().unwrap_or_default());
        search
            .split_once(&format!("{attribute}=\""))
            .and_then(|(_, rest)| rest.split('"').next())
            .map(str::to_owned)
    };
    let same = echoed("ProtocolloDomandaEnteErogatore").as_deref() == Some(number)
        && echoed("CodiceFiscale").as_deref() == Some(person);
    if !same || found.matches("N-ente").count() != 1 {
        return Err(format!("{number}, {person}: another's answer: {found}"));
    }
    Ok((ente, "OK", None))
}

#[test]
fn nobody_is_answered_with_what_another_asked() {
    let wanted: usize = std::env::var("VARCO_IDENTITIES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(3_000);
    let site = Site::new();
    let serving = site.serve();
    let mut fingerprints = Vec::new();
    for ente in 0..ENTI {
        let issued = site.pki.authority.client(&name(ente)).unwrap();
        let (certificate, key) = site.pem(&name(ente));
        std::fs::write(certificate, &issued.certificate).unwrap();
        std::fs::write(key, &issued.key).unwrap();
        let operations = if ente.is_multiple_of(NARROW) {
            "ConsultazioneIndicatore"
        } else {
            "ConsultazioneIndicatore,ConsultazioneAttestazione"
        };
        site.accredit(&name(ente), Tipo::Comune, &issued.fingerprint, operations);
        fingerprints.push(issued.fingerprint);
    }
    let today = site.today();
    let each = wanted.div_ceil(ENTI * CONNECTIONS);
    let begun = Instant::now();
    let answered: Vec<(String, Recorded)> = kit::runtime().block_on(async {
        let transmission = requests::trasmissione(&requests::dsu("CAF00001-PROVA1-2026-N0000001", &today));
        assert_eq!(
            element(
                &site
                    .client(serving.address, "caf")
                    .call(DSU, &transmission)
                    .await
                    .unwrap(),
                "Esito"
            ),
            "OK"
        );
        let mut asking = JoinSet::new();
        for index in 0..ENTI * CONNECTIONS {
            let ente = index % ENTI;
            asking.spawn(ask(
                site.client(serving.address, &name(ente)),
                ente,
                today.clone(),
                each,
                index as u64 + 1,
            ));
        }
        asking
            .join_all()
            .await
            .into_iter()
            .flat_map(|answered| answered.unwrap_or_else(|wrong| panic!("{wrong}")))
            .collect()
    });
    let elapsed = begun.elapsed();
    serving.stop();

    // The ledger names the same ente and the same certificate.
    let total = answered.len();
    let mut expected: HashMap<String, Recorded> = answered.into_iter().collect();
    assert_eq!(expected.len(), total, "two answers of one exchange");
    let (directory, mut others) = (site.directory(), 0);
    segments::verify(&directory.segments(), directory.ledger, &mut |entry| {
        let body = &entry.leaf.body;
        if body.kind == Kind::Exchange {
            match expected.remove(&body.exchange.to_string()) {
                Some((ente, outcome, refusal)) => {
                    assert_eq!(body.ente.as_deref(), Some(&*name(ente)), "{body:?}");
                    assert_eq!(body.cert.as_ref(), Some(&fingerprints[ente]), "{body:?}");
                    assert_eq!(
                        (body.outcome.as_deref(), body.refusal.as_deref()),
                        (Some(outcome), refusal),
                        "{body:?}"
                    );
                }
                None => others += 1,
            }
        }
    })
    .unwrap();
    assert!(
        expected.is_empty(),
        "{} of {total} exchanges are not in the ledger",
        expected.len()
    );
    assert_eq!(others, 1, "besides the transmission, nobody else asked anything");
    println!(
        "{total} requests of {ENTI} enti in {:.1} s",
        elapsed.as_secs_f32()
    );
}
