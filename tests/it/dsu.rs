//! `varco dsu check` and `varco dsu compute` as people use them: files, exit codes, what is printed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::civil::date;
use serde_json::Value;
use varco::commands::requests;
use varco::contract::{Contract, ISEE_NS, message};
use varco::isee::codes::{Ruolo, TipoOperazione};
use varco::xml::{DocumentLimits, parse};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn varco(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varco"))
        .current_dir(root())
        .arg("dsu")
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A file with a text, in a directory of its own.
fn file(directory: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

const EXAMPLE: [&str; 3] = ["docs/esempio/dsu.xml", "--feed", "docs/esempio/feed.csv"];

#[test]
fn the_documented_computation_is_the_computed_one() {
    let documented = std::fs::read_to_string(root().join("docs/computation.md")).unwrap();
    let block = documented.rsplit("```\n").nth(1).unwrap();
    let output = varco(&[&["compute"], &EXAMPLE[..]].concat());
    assert!(output.status.success());
    assert!(
        said(&output) == block,
        "docs/computation.md is not what `varco dsu compute docs/esempio/dsu.xml --feed docs/esempio/feed.csv` prints:\n{}",
        said(&output)
    );
}

#[test]
fn violations_are_printed_as_compilers_do_and_all_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let sample = requests::dsu("CAF00001-TEST01-2026-N0000001", "2026-03-10");
    let check = |name: &str, text: &str, more: &[&str]| {
        let path = file(&directory, name, text);
        let output = varco(&[&["check", &path, "--giorno", "2026-03-10"], more].concat());
        (said(&output).replace(&path, "F"), output.status.code().unwrap())
    };
    let (said, code) = check("good.xml", &sample, &[]);
    assert_eq!((&*said, code), ("F: nessuna violazione; avvertenze: 0\n", 0));
    // In a SOAP message, and enclosed in one as bytes: the same DSU.
    assert_eq!(check("soap.xml", &requests::trasmissione(&sample), &[]).1, 0);
    // Two formal defects, each where it is.
    let wrong =
        sample
            .replacen("Sesso=\"F\"", "Sesso=\"M\"", 1)
            .replacen("FlagPEC=\"false\"", "FlagPEC=\"true\"", 1);
    let (said, code) = check("wrong.xml", &wrong, &[]);
    assert_eq!(code, 1);
    let line = |needle: &str| wrong.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let expected = format!("F:{}:", line("<FoglioComponenteNucleo"));
    assert!(
        said.starts_with(&expected) && said.contains("errore: K05.sesso: "),
        "{said}"
    );
    assert!(
        said.contains("errore: K18.pec: ") && said.contains("(/Dichiarazione/Sottoscrizione/@IndirizzoPEC)"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2);
    // A breach of the schema, with its column.
    let (said, code) = check("schema.xml", &sample.replacen("Tipo=\"N\"", "Tipo=\"Q\"", 1), &[]);
    assert!(
        code == 1 && said.contains("K01.") && said.contains("/Dichiarazione/Operazione/@Tipo"),
        "{said}"
    );
    // Warnings do not refuse.
    let (said, code) = check("late.xml", &sample.replace("2026-03-10", "2026-01-10"), &[]);
    assert!(code == 0 && said.contains("avvertenza: K18.termine: "), "{said}");
    // The same in JSON.
    let (said, code) = check("wrong.xml", &wrong, &["--json"]);
    let value: Value = serde_json::from_str(&said).unwrap();
    let codes: Vec<_> = value["violazioni"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["codice"].as_str().unwrap())
        .collect();
    assert_eq!((codes, code), (vec!["K05.sesso", "K18.pec"], 1));
    assert_eq!(value["violazioni"][0]["riga"], line("<FoglioComponenteNucleo"));
}

#[test]
fn what_is_no_dsu_is_refused_and_usage_is_another_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    for (text, what) in [
        ("<a/>", "nessuna Dichiarazione"),
        ("<a", "K01.xml"),
        ("<!DOCTYPE a><a/>", "K01.xml"),
    ] {
        let path = file(&directory, "x.xml", text);
        for command in ["check", "compute"] {
            let output = varco(&[command, &path]);
            let error = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stderr));
            assert!(
                output.status.code() == Some(1) && error.contains(what) && error.contains("x.xml:1:"),
                "{error}"
            );
        }
        let output = varco(&["check", &path, "--json"]);
        let value: Value = serde_json::from_str(&said(&output)).unwrap();
        assert_eq!(
            (&value["violazioni"][0]["codice"], &value["violazioni"][0]["riga"]),
            (&"K01.xml".into(), &1.into())
        );
    }
    // What cannot be carried out is not refused.
    for command in [
        &["check", "there-is-none.xml"][..],
        &["check", "docs"],
        &["compute", "docs/esempio/dsu.xml", "--feed", "none.csv"],
    ] {
        assert_eq!(varco(command).status.code(), Some(2), "{command:?}");
    }
    assert_eq!(varco(&["check"]).status.code(), Some(2));
    assert_eq!(
        varco(&["compute", "docs/esempio/dsu.xml", "--giorno", "yesterday"])
            .status
            .code(),
        Some(2)
    );
    // A feed with errors: each is listed, nothing is computed.
    let feed = file(&directory, "feed.csv", "codice_fiscale\n");
    let output = varco(&["compute", "docs/esempio/dsu.xml", "--feed", &feed]);
    assert!(output.status.code() == Some(1) && output.stdout.is_empty());
}

#[test]
fn a_computation_in_json_and_the_attestation() {
    let output = varco(&[&["compute"], &EXAMPLE[..], &["--json"]].concat());
    let value: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!(value["ordinario"]["ISEE"], "14198.30");
    assert_eq!(value["specifico"]["famiglia"]["ISEE"], "12300.49");
    assert_eq!(
        (&value["minorenni"][0]["isee"], &value["minorenni"][0]["caso"]),
        (&"17626.87".into(), &"Aggiuntiva".into())
    );
    assert_eq!(value["minorenni"][0]["componenti"][0]["valore"], "3428.57");
    assert_eq!(value["ristretti"][0]["valori"]["ISEE"], "6933.33");
    assert_eq!(value["regole"]["insieme"], "2026");
    assert!(value["prospetto"].as_array().unwrap().len() > 8);

    let output = varco(&[&["compute"], &EXAMPLE[..], &["--xml"]].concat());
    let text = said(&output);
    let document = parse(&text, &DocumentLimits::default()).unwrap();
    let contract = Contract::compile().unwrap();
    let esito = contract.schemas().root(ISEE_NS, "EsitoAttestazione").unwrap();
    assert_eq!(contract.schemas().validate(document.root(), esito).violations, []);
    assert!(
        text.contains("ISEE=\"14198.30\"")
            && text.contains("<ISEEMinAgg")
            && text.contains("ValoreComponenteAggiuntiva=\"3428.57\"")
    );
    let (_, specific) = text.split_once("<ISEEFamiglia ").unwrap();
    assert!(
        specific
            .split_once("<ISEEMin")
            .unwrap()
            .0
            .contains("ISEE=\"12300.49\"")
    );
}

#[test]
fn the_day_and_the_dsu_referred_to_may_be_given() {
    // Presented in 2025 there was no specific ISEE, and the yield was 3 %.
    let output = varco(&[
        "compute",
        "docs/esempio/dsu.xml",
        "--giorno",
        "2025-02-01",
        "--json",
    ]);
    let value: Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!(
        (&value["specifico"], &value["regole"]["insieme"]),
        (&Value::Null, &"2025-01".into())
    );
    assert_eq!(
        value["ordinario"]["RedditoFigurativoPatrimonioMobiliare"],
        "270.00"
    );
    // No rules for that day.
    assert_eq!(
        varco(&["compute", "docs/esempio/dsu.xml", "--giorno", "2014-12-31"])
            .status
            .code(),
        Some(1)
    );
    // The father's own DSU in place of his data.
    let directory = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap();
    let (before, rest) = text.split_once("<DettaglioGenitoreNonConvivente>").unwrap();
    let (_, after) = rest.split_once("</DettaglioGenitoreNonConvivente>").unwrap();
    const PROTOCOL: &str = "INPS-ISEE-2026-00000009J-00";
    let referring =
        format!("{before}<NumeroProtocolloRiferimento>{PROTOCOL}</NumeroProtocolloRiferimento>{after}");
    let referring = file(&directory, "referring.xml", &referring);
    let minor = |more: &[&str]| {
        let output = varco(
            &[
                &["compute", &referring, "--feed", "docs/esempio/feed.csv", "--json"],
                more,
            ]
            .concat(),
        );
        let value: Value = serde_json::from_str(&said(&output))
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        value["minorenni"][0]["isee"].clone()
    };
    assert_eq!(minor(&[]), Value::Null);
    let sheet = rest
        .split_once("<FoglioComponenteGenitore")
        .unwrap()
        .1
        .split_once("</FoglioComponenteGenitore>")
        .unwrap()
        .0;
    let father = format!(
        "<Dichiarazione xmlns=\"http://inps.it/ISEERiforma\" CodiceFiscaleDichiarante=\"NREMRC84L20F205R\"><Operazione Tipo=\"N\"/><NucleoFamiliare><ComponenteNucleo RapportoConDichiarante=\"D\" FlagAssenzaReddito=\"false\"><FoglioComponenteNucleo{sheet}</FoglioComponenteNucleo></ComponenteNucleo></NucleoFamiliare><ModelloBase Tipo=\"ORD\"><Abitazione TipoAbitazione=\"999\"><IndirizzoAbitazione Indirizzo=\"VIA DELLE PROVE\" Civico=\"9\" CodiceComune=\"G702\" Provincia=\"PI\" Cap=\"56100\"/></Abitazione></ModelloBase><Sottoscrizione CodiceFiscaleSottoscrittore=\"NREMRC84L20F205R\" ProtocolloMittente=\"CAF00001-PADRE1-2026-N0000001\" LuogoSottoscrizione=\"PISA\" DataSottoscrizione=\"2026-02-10\" FlagImpedimentoTemporaneo=\"false\" FlagRappresentanzaLegale=\"false\" FlagPEC=\"false\" FlagAutorizzazioneRitiro=\"false\"/></Dichiarazione>"
    );
    let father = file(&directory, "father.xml", &father);
    // 25,600 / 1.00 x 30 % = 7,680: 14,198.30 + 7,680.
    assert_eq!(minor(&["--altra", &format!("{PROTOCOL}={father}")]), "21878.30");
}

#[test]
fn no_data_directory_and_no_key_are_needed() {
    let directory = tempfile::tempdir().unwrap();
    let path = root().join(EXAMPLE[0]);
    let output = Command::new(env!("CARGO_BIN_EXE_varco"))
        .current_dir(directory.path())
        .args(["dsu", "compute"])
        .arg(Path::new(&path))
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn every_dsu_of_a_file_is_judged() {
    let directory = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap();
    let text = text
        .split_once("?>")
        .map_or(text.as_str(), |(_, rest)| rest)
        .trim();
    let wrong = text.replacen("FlagPEC=\"false\"", "FlagPEC=\"true\"", 1);
    let lot = file(
        &directory,
        "lot.xml",
        &format!("<lotto>\n{text}\n{wrong}\n</lotto>"),
    );
    let output = varco(&["check", &lot, "--giorno", "2026-02-16"]);
    let printed = said(&output);
    assert_eq!(
        (output.status.code(), printed.lines().count()),
        (Some(1), 2),
        "{printed}"
    );
    let line: usize = printed
        .lines()
        .nth(1)
        .unwrap()
        .strip_prefix(&format!("{lot}:"))
        .unwrap()
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        line > text.lines().count() && printed.contains("K18.pec"),
        "{printed}"
    );
    // One is computed at a time.
    assert_eq!(varco(&["compute", &lot]).status.code(), Some(2));
}

/// The example, and what refers to it.
fn referring(tipo: &str, section: &str) -> String {
    let text = std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap();
    let (_, signature) = text.split_once("<Sottoscrizione").unwrap();
    let signature = signature
        .split_once("</Dichiarazione>")
        .unwrap()
        .0
        .replace("2026-02-16", "2026-11-20");
    let declarant = declarant();
    let number = "NumeroProtocolloRiferimento=\"INPS-ISEE-2026-00000001B-00\"";
    format!(
        "<Dichiarazione xmlns=\"{ISEE_NS}\" CodiceFiscaleDichiarante=\"{declarant}\"><Operazione Tipo=\"{tipo}\" {number}/>{section}<Sottoscrizione{signature}</Dichiarazione>"
    )
}

#[test]
fn what_refers_to_another_dsu_is_computed_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let anna = declarant();
    let current = |amount: u32| {
        let change = format!(
            "<ISEECorrente><Variazione CodiceFiscale=\"{anna}\" TipoVariazione=\"C\" DataVariazione=\"2026-11-01\" RedditoDipendente12Mesi=\"{amount}\" Documentazione=\"CUD\"/></ISEECorrente>"
        );
        file(&directory, "c.xml", &referring("C", &change))
    };
    let base = [
        "--base",
        EXAMPLE[0],
        "--feed",
        EXAMPLE[2],
        "--giorno",
        "2026-11-20",
    ];
    let compute = |file: &str, more: &[&str]| {
        let output = varco(&[&["compute", file], &base[..], more].concat());
        (
            said(&output),
            String::from_utf8_lossy(&output.stderr).into_owned(),
            output.status.code().unwrap(),
        )
    };
    let path = current(5000);
    let (text, error, code) = compute(&path, &[]);
    assert_eq!(code, 0, "{error}");
    for expected in [
        "DSU presentata il 2026-02-16",
        "ISEE corrente chiesto il 2026-11-20, valido fino al 2027-05-20",
        "ISEE ordinario corrente\n",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let (xml, ..) = compute(&path, &["--xml"]);
    let document = parse(&xml, &DocumentLimits::default()).unwrap();
    let contract = Contract::compile().unwrap();
    let esito = contract.schemas().root(ISEE_NS, "EsitoAttestazione").unwrap();
    assert_eq!(contract.schemas().validate(document.root(), esito).violations, []);
    assert!(
        xml.contains("Corrente=\"SI\"") && xml.contains("DataScadenzaDSUCorrente=\"2027-05-20\""),
        "{xml}"
    );
    let (json, ..) = compute(&path, &["--json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["corrente"]["scadenza"], "2027-05-20");
    // A change that is not large enough; somebody else's DSU; one that there is no person in.
    let (_, error, code) = compute(&current(22_000), &[]);
    assert!(code == 1 && error.contains("K17.scostamento"), "{error}");
    let path = current(5000);
    let text = std::fs::read_to_string(&path).unwrap();
    let stranger = text.replacen(&anna, "NREMRC84L20F205R", 1);
    let (_, error, code) = compute(&file(&directory, "stranger.xml", &stranger), &[]);
    assert!(
        code == 1 && error.contains("K02.riferito") && error.contains("stranger.xml:1:"),
        "{error}"
    );
    let nobody = text.replacen(
        &format!("Variazione CodiceFiscale=\"{anna}\""),
        "Variazione CodiceFiscale=\"NREMRC84L20F205R\"",
        1,
    );
    let (_, error, code) = compute(&file(&directory, "nobody.xml", &nobody), &[]);
    assert!(
        code == 1 && error.contains("nobody.xml:1:") && error.contains("K17.componente"),
        "{error}"
    );
    // Incomes that are declared: the attestation says what it takes the place of.
    let incomes = format!(
        "<IntegrazioneRedditi><ComponentePerIntegrazioneRedditi CodiceFiscale=\"{anna}\" FlagDocRedditi=\"true\"><Redditi FlagEsonerato=\"false\" FlagIntegrazione=\"true\" FlagRettifica=\"false\" RedditoIRPEF=\"1000\"/></ComponentePerIntegrazioneRedditi></IntegrazioneRedditi>"
    );
    let (xml, error, code) = compute(&file(&directory, "i.xml", &referring("I", &incomes)), &["--xml"]);
    assert!(
        code == 0 && xml.contains("TipoVariazione=\"Integrazione\""),
        "{error}{xml}"
    );
    // What makes no sense is not computed as if it did.
    for (name, text, more) in [
        ("x.xml", referring("X", ""), &["--base", EXAMPLE[0]][..]),
        ("c.xml", text.clone(), &[]),
        (
            "n.xml",
            std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap(),
            &["--base", EXAMPLE[0]],
        ),
        (
            "n.xml",
            std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap(),
            &["--altra", "INPS-ISEE-2026-00000009J-00=docs/esempio/dsu.xml"],
        ),
    ] {
        let output = varco(
            &[
                &[
                    "compute",
                    &file(&directory, name, &text),
                    "--giorno",
                    "2026-11-20",
                ],
                more,
            ]
            .concat(),
        );
        assert_eq!(
            output.status.code(),
            Some(2),
            "{name} {more:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn declarant() -> String {
    let text = std::fs::read_to_string(root().join(EXAMPLE[0])).unwrap();
    text.split_once("CodiceFiscaleDichiarante=\"")
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0
        .to_owned()
}

#[test]
fn what_is_not_known_is_said() {
    let output = varco(&["compute", EXAMPLE[0]]);
    assert!(
        said(&output).contains("attenzione, VERDI ANNA: nessun dato"),
        "{}",
        said(&output)
    );
    let output = varco(&[&["compute"], &EXAMPLE[..]].concat());
    assert!(!said(&output).contains("attenzione"), "{}", said(&output));
}

#[test]
fn who_reads_no_more_ends_a_command_and_a_full_disk_is_an_error() {
    let shell = |script: &str| {
        let output = Command::new("bash")
            .current_dir(root())
            .env("VARCO", env!("CARGO_BIN_EXE_varco"))
            .args(["-c", script])
            .output()
            .unwrap();
        (
            said(&output),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    // The reader is gone before anything is printed.
    let (_, told) = shell("{ sleep 0.3; \"$VARCO\" errori; echo $? >&2; } | true");
    assert_eq!(told.trim(), "141");
    let (code, error) = shell("\"$VARCO\" errori > /dev/full; echo $?");
    assert!(
        code.trim() == "1" && error.contains("l'uscita non si può scrivere") && !error.contains("panicked"),
        "{code} {error}"
    );
}

#[test]
fn a_correction_is_judged_by_the_rules_of_the_first_presentation() {
    // A child of thirty elsewhere belonged to the nucleus until 28 January 2019.
    let directory = tempfile::tempdir().unwrap();
    let mut casa = kit::caseta::Caseta::on(date(2018, 12, 20));
    casa.member(Ruolo::D, 55, 0);
    casa.member(Ruolo::Fnc, 30, 0);
    let text = |casa: &kit::caseta::Caseta| message("Dichiarazione", ISEE_NS, &casa.dsu, false);
    let first = file(&directory, "n.xml", &text(&casa));
    casa.dsu.operazione.tipo = TipoOperazione::R;
    casa.dsu.operazione.numero_protocollo_riferimento = Some("INPS-ISEE-2018-00000007H-00".to_owned());
    casa.dsu.sottoscrizione[0].data_sottoscrizione = date(2019, 1, 30);
    let correction = file(&directory, "r.xml", &text(&casa));
    let output = varco(&["compute", &correction, "--base", &first, "--giorno", "2019-01-30"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Presented anew on that day it would not be accepted.
    casa.dsu.operazione.tipo = TipoOperazione::N;
    casa.dsu.operazione.numero_protocollo_riferimento = None;
    let anew = varco(&[
        "compute",
        &file(&directory, "a.xml", &text(&casa)),
        "--giorno",
        "2019-01-30",
    ]);
    assert!(!anew.status.success() && String::from_utf8_lossy(&anew.stderr).contains("K06.non-convivente"));
}
