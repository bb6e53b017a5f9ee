//! Ten thousand invented families: each DSU passes the checks, comes back the same from its XML, and gets an
//! attestation that its schema accepts (`tests/interop/validator.rs` asks xmllint too); and what the law
//! implies of every computation holds of theirs.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use varco::commands::famiglie::{Famiglia, Famiglie};
use varco::contract::consultazione::{Chiave, RicercaCf};
use varco::contract::{
    Contract, ISEE_NS, attestazione_emessa, attestazione_letta, decode, esito_attestazione,
    esito_attestazione_di, message, persone_di,
};
use varco::isee::CodiceFiscale;
use varco::isee::attest::{Rilascio, attest};
use varco::isee::attestazione::{Assente, EsitoAttestazione, Ricerca};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, examine};
use varco::isee::codes::{Ruolo, TipoImmobile, TipoIndicatore, TipoVariazione};
use varco::isee::compute::casi::{Caso, Indicatori, Situazione};
use varco::isee::compute::componente::{ComponenteCalcolata, NessunAltra};
use varco::isee::compute::{Calcolo, NucleoDaCalcolare, Regime, calcola};
use varco::isee::dsu::{ComponenteNucleo, Dichiarazione, IseeCorrente, Variazione};
use varco::isee::feed::FeedRecord;
use varco::isee::foglio::{Patrimonio, PatrimonioImmobiliare};
use varco::isee::rules::{RuleSet, Rules};
use varco::isee::sintesi::Sintesi;
use varco::xml::{DocumentLimits, parse};

const PRESENTED: Date = date(2026, 3, 10);
const FAMILIES: usize = 10_000;

fn families(number: usize) -> impl Iterator<Item = Famiglia> {
    let mut made = Famiglie::new(26, PRESENTED);
    (0..number).map(move |index| made.famiglia(&format!("CAF00001-GEN001-2026-N{index:07}")))
}

fn rules() -> RuleSet {
    Rules::embedded().unwrap().on(PRESENTED).unwrap().clone()
}

fn ordinary(dsu: &Dichiarazione, feed: &Vec<FeedRecord>, rules: &RuleSet) -> Calcolo {
    calcola(
        &NucleoDaCalcolare::ordinario(dsu, PRESENTED, feed).ok().unwrap(),
        PRESENTED,
        rules,
        Regime::Ordinario,
    )
    .ok()
    .unwrap()
}

fn all(dsu: &Dichiarazione, feed: &Vec<FeedRecord>, rules: &RuleSet) -> Indicatori {
    Situazione {
        dsu,
        presented: PRESENTED,
        rules,
        feed,
        altre: &NessunAltra,
    }
    .indicatori()
    .ok()
    .unwrap()
}

/// Every computation of a DSU: of its own nuclei, of those with somebody else in it, of persons alone.
fn computations(indicatori: &Indicatori) -> Vec<&Calcolo> {
    let own = indicatori
        .ristretti
        .iter()
        .filter_map(|ristretto| ristretto.residenziale.as_ref());
    let specific = indicatori
        .specifico
        .iter()
        .flat_map(|specifico| &specifico.minorenni);
    let persons = indicatori
        .minorenni
        .iter()
        .chain(specific)
        .chain(&indicatori.universitari)
        .chain(&indicatori.residenziali)
        .chain(own);
    let mut found = vec![&indicatori.ordinario];
    found.extend(indicatori.specifico.as_ref().map(|specifico| &specifico.famiglia));
    found.extend(indicatori.ristretti.iter().map(|ristretto| &ristretto.calcolo));
    for person in persons {
        let Caso::Diverso(diverso) = &person.caso else {
            continue;
        };
        found.push(&diverso.calcolo);
        found.extend(
            diverso
                .componenti
                .iter()
                .filter_map(|componente: &ComponenteCalcolata| componente.calcolo.as_ref()),
        );
    }
    found
}

fn euros(amount: u32) -> Decimal {
    Decimal::from(amount)
}

#[test]
fn every_family_passes_comes_back_the_same_and_is_attested_by_the_schema() {
    let (contract, rules) = (Contract::compile().unwrap(), rules());
    let root = |name| contract.schemas().root(ISEE_NS, name).unwrap();
    let (dichiarazione, esito) = (root("Dichiarazione"), root("EsitoAttestazione"));
    let (mut minors, mut students, mut residential, mut restricted, mut other) = (0, 0, 0, 0, 0);
    for (index, Famiglia { dsu, feed }) in families(FAMILIES).enumerate() {
        let esame = examine(&dsu, &Circumstance::on(PRESENTED, &rules, &Calendario::default()));
        assert!(esame.difetti.is_empty(), "{index}: {:?}", esame.difetti);
        let xml = message("Dichiarazione", ISEE_NS, &dsu, false);
        let document = parse(&xml, &DocumentLimits::default()).unwrap();
        assert_eq!(
            contract
                .schemas()
                .validate(document.root(), dichiarazione)
                .violations,
            [],
            "{index}"
        );
        assert!(
            decode::<Dichiarazione>(&document).unwrap() == dsu,
            "{index}: another DSU comes back"
        );

        let indicatori = all(&dsu, &feed, &rules);
        minors += indicatori.minorenni.len();
        students += indicatori.universitari.len();
        residential += indicatori.residenziali.len();
        restricted += indicatori.ristretti.len();
        other += computations(&indicatori).len();
        let protocollo = format!("INPS-ISEE-2026-{index:08}A-00");
        let about = Rilascio {
            protocollo: &protocollo,
            presentata: PRESENTED,
            rilasciata: PRESENTED,
            ..Rilascio::default()
        };
        let attestazione = Some(attest(&dsu, &indicatori, &rules, about));
        let chiave = Chiave::Cf(Box::new(RicercaCf {
            codice_fiscale: dsu.codice_fiscale_dichiarante.clone(),
            data_validita: None,
            prestazione_da_erogare: None,
            protocollo_domanda_ente_erogatore: None,
            statodomanda_prestazione: None,
        }));
        let payload = esito_attestazione(&EsitoAttestazione {
            attestazione,
            ricerca: Ricerca {
                chiave: chiave.echo(),
            },
        });
        let document = parse(&payload, &DocumentLimits::default()).unwrap();
        assert_eq!(
            contract.schemas().validate(document.root(), esito).violations,
            [],
            "{index}: {payload}"
        );
    }
    println!(
        "families: {FAMILIES}, {minors} minors, {students} students, {residential} residential, {restricted} restricted, {other} computations"
    );
    assert!(
        minors > 1000 && students > 1000 && residential > 100 && restricted > 1000 && other > 2 * FAMILIES
    );
}

/// The text of an attestation, kept once, is copied into replies; its summary answers for it. Both say what the
/// attestation says, of every person and kind of indicator.
#[test]
fn what_is_kept_of_an_attestation_says_what_it_says() {
    let rules = rules();
    let (mut there, mut not_computable) = (0, 0);
    for Famiglia { dsu, feed } in families(FAMILIES / 10) {
        let about = Rilascio {
            protocollo: "INPS-ISEE-2026-00000001B-00",
            presentata: PRESENTED,
            rilasciata: PRESENTED,
            ..Rilascio::default()
        };
        let attestazione = attest(&dsu, &all(&dsu, &feed, &rules), &rules, about);
        let emessa = attestazione_emessa(&attestazione);
        let chiave = Chiave::Cf(Box::new(RicercaCf {
            codice_fiscale: dsu.codice_fiscale_dichiarante.clone(),
            data_validita: None,
            prestazione_da_erogare: None,
            protocollo_domanda_ente_erogatore: Some("<&>".to_owned()),
            statodomanda_prestazione: None,
        }));
        let ricerca = || Ricerca {
            chiave: chiave.echo(),
        };
        let rendered = esito_attestazione(&EsitoAttestazione {
            attestazione: Some(attestazione.clone()),
            ricerca: ricerca(),
        });
        assert!(
            esito_attestazione_di(&emessa, &ricerca()) == rendered,
            "another reply: {rendered}"
        );
        let (letta, persone) = attestazione_letta(&emessa).unwrap();
        assert!(
            letta == attestazione && persone == persone_di(&emessa),
            "{emessa}"
        );
        // As sealed parts of version 1 have it.
        let earlier = message("Attestazione", ISEE_NS, &attestazione, false);
        assert!(
            attestazione_letta(&earlier).unwrap() == (letta, persone.clone()),
            "{earlier}"
        );

        let sintesi = Sintesi::of(&attestazione, persone);
        let bytes = sintesi.encode();
        assert!(
            Sintesi::decode(&bytes).as_ref() == Some(&sintesi),
            "another summary"
        );
        for length in (0..bytes.len()).step_by(29) {
            assert!(Sintesi::decode(&bytes[..length]).is_none(), "cut at {length}");
        }
        let stranger = CodiceFiscale::new("VRDPTR48S02G702M");
        let persons = sintesi
            .persone
            .iter()
            .map(|code| CodiceFiscale::new(code.to_lowercase()));
        for person in persons.chain([stranger]) {
            for tipo in TipoIndicatore::ALL
                .iter()
                .filter_map(|code| TipoIndicatore::from_code(code))
            {
                let (kept, said) = (
                    sintesi.indicatore(tipo, &person),
                    attestazione.indicatore(tipo, &person),
                );
                there += usize::from(said.is_ok());
                not_computable += usize::from(said.as_ref().err() == Some(&Assente::NonCalcolabile));
                let said = said.map(|found| (found.valori, found.caso));
                assert!(kept == said, "another indicator");
            }
            assert_eq!(sintesi.indicatori(&person), attestazione.indicatori(&person));
        }
    }
    assert!(
        there > FAMILIES / 2 && not_computable > 20,
        "{there}, {not_computable}"
    );
}

#[test]
fn no_line_is_negative_but_the_sum_and_no_deduction_exceeds_what_it_is_taken_from() {
    let rules = rules();
    for (index, Famiglia { dsu, feed }) in families(FAMILIES).enumerate() {
        for calcolo in computations(&all(&dsu, &feed, &rules)) {
            let m = &calcolo.modalita;
            let lines = [
                m.reddito_figurativo_patrimonio_mobiliare,
                m.detrazioni,
                m.isr,
                m.patrimonio_mobiliare,
                m.detrazione_patrimonio_mobiliare,
                m.patrimonio_immobiliare,
                m.detrazione_patrimonio_immobiliare,
                m.isp,
                m.ise,
                m.parametro_nucleo,
                m.maggiorazioni,
            ];
            assert!(
                lines.iter().all(|line| line.0 >= Decimal::ZERO) && calcolo.isee.value() >= Decimal::ZERO,
                "{index}"
            );
            assert!(
                m.detrazione_patrimonio_mobiliare <= m.patrimonio_mobiliare,
                "{index}"
            );
            assert!(
                m.detrazione_patrimonio_immobiliare <= m.patrimonio_immobiliare,
                "{index}"
            );
            assert_eq!(
                m.scala_equivalenza.0,
                m.parametro_nucleo.0 + m.maggiorazioni.0,
                "{index}"
            );
        }
    }
}

#[test]
fn co_owners_joined_equal_one_owner() {
    let rules = rules();
    let mut compared = 0;
    for (index, Famiglia { dsu, feed }) in families(FAMILIES).enumerate() {
        let home = |member: &ComponenteNucleo| {
            member
                .foglio_componente_nucleo
                .patrimonio_immobiliare
                .as_ref()
                .is_some_and(|estate| estate.patrimonio.iter().any(|p| p.flag_abitazione))
        };
        let members = &dsu.nucleo_familiare.as_ref().unwrap().componente_nucleo;
        if members.len() < 2 || !home(&members[0]) {
            continue;
        }
        // The first member's home, once whole, once as two shares of two members.
        let with = |shares: u32| {
            let mut dsu = dsu.clone();
            let members = &mut dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo;
            let part = Patrimonio {
                tipo_patrimonio: TipoImmobile::F,
                codice_comune_stato: "H501".to_owned(),
                quota_posseduta: Decimal::ONE_HUNDRED / Decimal::from(shares),
                valore_imu: 150_000 / shares,
                mutuo_residuo: Some(20_000 / shares),
                flag_abitazione: true,
            };
            for (place, member) in members.iter_mut().take(2).enumerate() {
                let own = (place < shares as usize).then(|| PatrimonioImmobiliare {
                    patrimonio: vec![part.clone()],
                });
                member.foglio_componente_nucleo.patrimonio_immobiliare = own;
            }
            ordinary(&dsu, &feed, &rules)
        };
        let (one, two) = (with(1), with(2));
        assert!(one.modalita == two.modalita && one.isee == two.isee, "{index}");
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn one_euro_more_of_an_employee_raises_the_ise_by_eighty_cents() {
    let rules = rules();
    let mut compared = 0;
    for (index, Famiglia { dsu, feed }) in families(FAMILIES).enumerate() {
        let before = ordinary(&dsu, &feed, &rules);
        for member in &dsu.nucleo_familiare.as_ref().unwrap().componente_nucleo {
            let sheet = &member.foglio_componente_nucleo;
            let Some(place) = feed
                .iter()
                .position(|record| record.codice_fiscale == sheet.codice_fiscale.canonical())
            else {
                continue;
            };
            let record = &feed[place];
            let zero = |amount: Option<Decimal>| amount.unwrap_or_default().is_zero();
            let declared = sheet
                .redditi_da_dichiarare
                .as_ref()
                .and_then(|redditi| redditi.trattamenti_assistenziali)
                .unwrap_or_default();
            let employee = record.lavoro_dipendente.unwrap_or_default();
            if employee >= euros(14_999)
                || !zero(record.pensione)
                || !zero(record.trattamenti)
                || declared > 0
            {
                continue;
            }
            let mut more = feed.clone();
            more[place].lavoro_dipendente = Some(employee + Decimal::ONE);
            more[place].reddito_irpef = Some(record.reddito_irpef.unwrap_or_default() + Decimal::ONE);
            let after = ordinary(&dsu, &more, &rules);
            // Where the rent takes all of the income, there is no ISR that could rise; nor where the own
            // deductions take all of the own.
            let own = before
                .redditi
                .iter()
                .find(|reddito| reddito.codice_fiscale == sheet.codice_fiscale)
                .unwrap();
            if before.modalita.isr.0.is_zero() || own.netto().value() <= Decimal::ZERO {
                continue;
            }
            assert_eq!(
                after.modalita.ise.0 - before.modalita.ise.0,
                Decimal::new(80, 2),
                "{index}"
            );
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn franchises_never_make_a_value_rise() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/isee/rules");
    let names = [
        "2015",
        "2016",
        "2017",
        "2018",
        "2019-01",
        "2019-01-29",
        "2019-09",
        "2019-10",
        "2020",
        "2021-01",
        "2021-09",
        "2022",
    ];
    let names = names
        .into_iter()
        .chain(["2023", "2024", "2025-01", "2025-03", "2026"]);
    let files: Vec<String> = names
        .map(|name| std::fs::read_to_string(directory.join(format!("{name}.toml"))).unwrap())
        .collect();
    let with = |home: &str, movable: &str| {
        let mut files = files.clone();
        files[0] = files[0].replace("value = \"52500\"", &format!("value = \"{home}\""));
        files[0] = files[0].replace("value = \"10000\"", &format!("value = \"{movable}\""));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        Rules::from_files(&files).unwrap().on(PRESENTED).unwrap().clone()
    };
    let (none, law, more) = (with("0", "0"), with("52500", "10000"), with("80000", "30000"));
    let mut moved = 0;
    for (index, Famiglia { dsu, feed }) in families(FAMILIES).enumerate() {
        let isee = |rules| ordinary(&dsu, &feed, rules).isee;
        let (none, law, more) = (isee(&none), isee(&law), isee(&more));
        assert!(none >= law && law >= more, "{index}: {none} {law} {more}");
        moved += usize::from(none > law);
    }
    assert!(moved > FAMILIES / 2, "{moved}");
}

#[test]
fn a_further_member_with_nothing_never_raises_the_isee() {
    let rules = rules();
    let mut others = Famiglie::new(99, PRESENTED);
    for (index, Famiglia { mut dsu, feed }) in families(FAMILIES).enumerate() {
        let before = ordinary(&dsu, &feed, &rules).isee;
        let sheet = others.foglio(30, 60);
        let member = ComponenteNucleo {
            rapporto_con_dichiarante: Ruolo::P,
            flag_assenza_reddito: false,
            foglio_componente_nucleo: sheet,
        };
        dsu.nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .push(member);
        let after = ordinary(&dsu, &feed, &rules).isee;
        assert!(after <= before, "{index}: {after} after {before}");
    }
}

#[test]
fn two_months_times_six_are_twelve() {
    let rules = rules();
    for (index, Famiglia { dsu, feed }) in families(FAMILIES / 5).enumerate() {
        let monthly = u32::try_from(index).unwrap() % 1900;
        let with = |months: u32| {
            let mut dsu = dsu.clone();
            let amount = |wanted: bool| wanted.then_some(monthly * months);
            dsu.isee_corrente = Some(IseeCorrente {
                variazione: vec![Variazione {
                    codice_fiscale: dsu.codice_fiscale_dichiarante.clone(),
                    tipo_variazione: TipoVariazione::A,
                    data_variazione: None,
                    reddito_dipendente_12_mesi: amount(months == 12),
                    reddito_autonomo_12_mesi: None,
                    trattamenti_assistenziali_12_mesi: amount(months == 12),
                    reddito_dipendente_2_mesi: amount(months == 2),
                    reddito_autonomo_2_mesi: None,
                    trattamenti_assistenziali_2_mesi: amount(months == 2),
                    documentazione: Some("BUSTA PAGA".to_owned()),
                    protocollo_inps_dsu_corrente: None,
                    patrimonio_mobiliare: None,
                    patrimonio_immobiliare: None,
                }],
            });
            ordinary(&dsu, &feed, &rules)
        };
        let (two, twelve) = (with(2), with(12));
        assert!(
            two.modalita == twelve.modalita && two.isee == twelve.isee,
            "{index}"
        );
        assert!(two.modalita.somma_redditi_componenti_corrente.is_some());
    }
}
