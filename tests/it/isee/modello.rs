//! The independent model of the ISEE (`tests/model`) against the program: every family that it makes passes
//! the checks that it must, is refused by the one that must refuse it, and has every line of every indicator
//! to the cent.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, Esame, examine};
use varco::isee::compute::casi::{Caso, IndicatoreCalcolato, Situazione};
use varco::isee::compute::componente::Riferita;
use varco::isee::dsu::Dichiarazione;
use varco::isee::feed::{COLUMNS, FeedRecord, parse as parse_feed};
use varco::isee::operazioni::applica;
use varco::isee::righe::{di_calcolo, di_indicatore};
use varco::isee::rules::Rules;

use super::read_with;

/// The model's answer about a family.
#[derive(Deserialize)]
struct Famiglia {
    n: u64,
    kind: String,
    date: String,
    dsu: String,
    feed: Vec<String>,
    altre: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    base: Option<String>,
    expect: Value,
}

struct Reader {
    contract: varco::contract::Contract,
    rules: Rules,
}

impl Reader {
    fn of(&self, dsu: &str) -> Dichiarazione {
        read_with(&self.contract, dsu)
    }

    fn exam(&self, dsu: &Dichiarazione, on: Date) -> Esame {
        examine(
            dsu,
            &Circumstance::on(on, self.rules.on(on).unwrap(), &Calendario::default()),
        )
    }

    /// The differences; none where all is the same.
    fn differs(&self, family: &Famiglia) -> Option<String> {
        let on: Date = family.date.parse().unwrap();
        let dsu = self.of(&family.dsu);
        let esame = self.exam(&dsu, on);
        if let Some(refused) = family.expect["refused"].as_array() {
            let by = |id: &Value| {
                esame
                    .difetti
                    .iter()
                    .any(|difetto| difetto.code.code().starts_with(id.as_str().unwrap()))
            };
            return (!refused.iter().all(by))
                .then(|| format!("is to be refused by {refused:?}: {:?}", esame.difetti));
        }
        if !esame.difetti.is_empty() {
            return Some(format!("refused: {:?}", esame.difetti));
        }
        let warned = family.expect["warnings"].as_array().into_iter().flatten();
        let missing = |id: &&Value| {
            !esame
                .avvertenze
                .iter()
                .any(|each| each.code.code().starts_with(id.as_str().unwrap()))
        };
        if let Some(missing) = warned.clone().find(missing) {
            return Some(format!("is to be warned of by {missing}: {:?}", esame.avvertenze));
        }
        let found = self.computed(family, dsu, on);
        let names = [
            "ordinario",
            "specifico",
            "minorenni",
            "minorenni_specifico",
            "universitari",
            "residenziali",
            "ristretti",
        ];
        let differing = names
            .into_iter()
            .filter(|name| found[name] != family.expect[name]);
        let told: Vec<String> = differing
            .map(|name| {
                format!(
                    "{name}\n  model   {}\n  program {}",
                    family.expect[name], found[name]
                )
            })
            .collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }

    /// Every line of every indicator, as the model writes them.
    fn computed(&self, family: &Famiglia, dsu: Dichiarazione, on: Date) -> Value {
        let feed: Vec<FeedRecord> =
            parse_feed(&format!("{}\n{}\n", COLUMNS.join(","), family.feed.join("\n")))
                .ok()
                .unwrap();
        let altre: Vec<Riferita> = family
            .altre
            .iter()
            .map(|(protocollo, text)| self.riferita(protocollo, text))
            .collect();
        let dsu = match &family.base {
            Some(base) => applica(&self.of(base), &dsu).unwrap(),
            None => dsu,
        };
        let situazione = Situazione {
            dsu: &dsu,
            presented: on,
            rules: self.rules.on(on).unwrap(),
            feed: &feed,
            altre: &altre,
        };
        let found = situazione.indicatori().ok().unwrap();
        let all = |of: &[IndicatoreCalcolato]| of.iter().map(indicatore).collect::<Vec<_>>();
        json!({
            "ordinario": di_calcolo(&found.ordinario),
            "specifico": found.specifico.as_ref().map(|specifico| di_calcolo(&specifico.famiglia)),
            "minorenni": all(&found.minorenni),
            "minorenni_specifico": found.specifico.as_ref().map(|specifico| all(&specifico.minorenni)),
            "universitari": all(&found.universitari),
            "residenziali": all(&found.residenziali),
            "ristretti": found.ristretti.iter().map(|each| json!({
                "cf": each.beneficiario.canonical(),
                "righe": di_calcolo(&each.calcolo),
                "residenziale": each.residenziale.as_ref().map(indicatore),
            })).collect::<Vec<_>>(),
        })
    }

    fn riferita(&self, protocollo: &str, text: &str) -> Riferita {
        let dsu = self.of(text);
        let presentata = dsu.presentata().unwrap();
        let scadenza = self.rules.on(presentata).unwrap().expires(presentata);
        Riferita {
            dsu,
            protocollo: protocollo.to_owned(),
            presentata,
            scadenza,
        }
    }
}

fn indicatore(indicatore: &IndicatoreCalcolato) -> Value {
    let said = di_indicatore(indicatore);
    let components = match &indicatore.caso {
        Caso::Diverso(diverso) => diverso
            .componenti
            .iter()
            .filter_map(|each| each.valore)
            .map(|valore| format!("{valore:.2}"))
            .collect(),
        _ => Vec::new(),
    };
    json!({ "cf": said["codice_fiscale"], "caso": said["caso"], "isee": said["isee"], "righe": said["calcolo"], "componenti": components })
}

/// `VARCO_MODEL` families, 2,000 if it is not said; `VARCO_MODEL_SEED` for others than those of every run.
#[test]
fn the_independent_model_and_the_program_agree_to_the_cent() {
    let of = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (count, seed) = (of("VARCO_MODEL", 2000), of("VARCO_MODEL_SEED", 13));
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/model");
    let own = Command::new(&python)
        .arg(&model)
        .arg("--self-test")
        .output()
        .unwrap();
    assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stdout));
    let arguments = ["--seed", &seed.to_string(), "--count", &count.to_string()];
    let mut running = Command::new(&python)
        .arg(&model)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = Mutex::new(BufReader::new(running.stdout.take().unwrap()).lines());
    let told = Mutex::new((0, Vec::new(), std::collections::BTreeMap::<String, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = Reader {
                    contract: varco::contract::Contract::compile().unwrap(),
                    rules: Rules::embedded().unwrap(),
                };
                loop {
                    let next = lines.lock().unwrap().next();
                    let Some(line) = next else { break };
                    let family: Famiglia = serde_json::from_str(&line.unwrap()).unwrap();
                    let differs = reader.differs(&family);
                    let mut told = told.lock().unwrap();
                    told.0 += 1;
                    *told
                        .2
                        .entry(family.kind.split('/').next().unwrap().to_owned())
                        .or_default() += 1;
                    if let Some(differs) = differs {
                        told.1.push((family.n, family.kind, family.date, differs));
                    }
                }
            });
        }
    });
    assert!(running.wait().unwrap().success());
    let (compared, mut differing, kinds) = told.into_inner().unwrap();
    differing.sort();
    let some: Vec<String> = differing
        .iter()
        .take(5)
        .map(|(n, kind, date, what)| format!("{n} ({kind}, {date}): {what}"))
        .collect();
    let of_kind = differing
        .iter()
        .fold(std::collections::BTreeMap::new(), |mut counted, (_, kind, ..)| {
            *counted.entry(kind).or_insert(0) += 1;
            counted
        });
    assert!(
        differing.is_empty(),
        "{} of {compared} differ: {of_kind:?}\n{}",
        differing.len(),
        some.join("\n")
    );
    assert_eq!(compared, count);
    assert!(kinds.len() > 15, "{kinds:?}");
    println!("{compared} families compared: {kinds:?}");
}
