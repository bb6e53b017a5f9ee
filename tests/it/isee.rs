//! The ISEE's rules: every formal check is provoked, the ordinary indicator is computed by hand beside the
//! code, payloads have INPS's shape.

mod modello;

use jiff::civil::{Date, date};
use kit::requests;
use proptest::prelude::*;
use rust_decimal::Decimal;
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, Request};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, Esame, examine};
use varco::isee::compute::{Calcolo, ordinario};
use varco::isee::dsu::Dichiarazione;
use varco::isee::feed::{COLUMNS, FeedRecord, NoFeed, parse as parse_feed};
use varco::isee::money::Euro;
use varco::isee::operazioni::applica;
use varco::isee::rules::Rules;
use varco::xml::{DocumentLimits, parse};

const TODAY: Date = date(2026, 3, 10);

fn sample() -> String {
    requests::dsu("CAF00001-TEST01-2026-N0000001", "2026-03-10")
}

/// Reads a Dichiarazione as the port does: it must be valid against its schema.
fn read(dsu: &str) -> Dichiarazione {
    read_with(&Contract::compile().unwrap(), dsu)
}

fn read_with(contract: &Contract, dsu: &str) -> Dichiarazione {
    let text = requests::trasmissione(dsu);
    let document = parse(&text, &DocumentLimits::default()).unwrap();
    let body = document
        .root()
        .children()
        .next()
        .unwrap()
        .children()
        .next()
        .unwrap();
    match contract.read(Operation::TrasmissioneDsu, body) {
        Ok((Request::Trasmissione(trasmessa), _)) => trasmessa.dsu,
        other => panic!("{other:#?}"),
    }
}

fn exam(dsu: &str) -> Esame {
    let rules = Rules::embedded().unwrap();
    examine(
        &read(dsu),
        &Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &Calendario::default()),
    )
}

fn replaced(dsu: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(dsu.to_owned(), |dsu, (from, to)| {
        assert!(dsu.contains(from), "the sample has no {from}");
        dsu.replacen(from, to, 1)
    })
}

/// A check, the end of the path it names, and what is changed in the sample to provoke it.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

#[test]
fn the_sample_passes_every_check() {
    assert_eq!(exam(&sample()), Esame::default());
}

#[test]
fn every_formal_check_refuses_what_it_should_where_it_is() {
    const CODICE: &str = "CodiceFiscale=\"GLLMTT81P03F205Y\"";
    const HOME: &str = "TipoAbitazione=\"000\" ResidenzaRiferimento=\"D\">";
    const ADDRESS_END: &str = "</Abitazione>";
    const LEASE: &str = "<Locazione Data=\"2020-01-01\" Serie=\"3T\" Numero=\"1\" CodUfficio=\"TUX\" Canone=\"6000\"><Intestatario CodiceFiscale=\"FRRGLI84E52H501O\"/></Locazione></Abitazione>";
    const DISABILITY: &str = "<Disabilita GradoDisabilita=\"DIM\" EnteCertif=\"INPS\" DocCertif=\"1\" DataCertif=\"2020-01-01\" FlagPrestResidenziale=\"false\"/>";
    let unflag = (
        "MutuoResiduo=\"20000\" FlagAbitazione=\"true\"",
        "MutuoResiduo=\"20000\" FlagAbitazione=\"false\"",
    );
    let after_estate = "</PatrimonioImmobiliare>";
    let with_disability = |attributes: &str| {
        format!(
            "</PatrimonioImmobiliare>{}",
            DISABILITY.replace("DocCertif=\"1\" DataCertif=\"2020-01-01\"", attributes)
        )
    };
    let (blank, future) = (
        with_disability("DocCertif=\" \" DataCertif=\"2020-01-01\""),
        with_disability("DocCertif=\"1\" DataCertif=\"2026-03-11\""),
    );
    let blank_lease = LEASE.replace("Serie=\"3T\"", "Serie=\" \"");
    let wrong_tenant = LEASE.replace("FRRGLI84E52H501O", "FRRGLI84E52H501A");
    let cases: &[Case<'_>] = &[
        (
            "K02.riferimento",
            "/@NumeroProtocolloRiferimento",
            &[("Tipo=\"N\"", "Tipo=\"R\"")],
        ),
        (
            "K02.riferimento",
            "/@NumeroProtocolloRiferimento",
            &[(
                "Tipo=\"N\"",
                "Tipo=\"N\" NumeroProtocolloRiferimento=\"INPS-ISEE-2026-00000001B-00\"",
            )],
        ),
        (
            "K03.sezione",
            "/IntegrazioneRedditi",
            &[(
                "<Sottoscrizione ",
                "<IntegrazioneRedditi><ComponentePerIntegrazioneRedditi CodiceFiscale=\"FRRGLI84E52H501O\"><Redditi FlagEsonerato=\"false\" FlagIntegrazione=\"true\" FlagRettifica=\"false\"/></ComponentePerIntegrazioneRedditi></IntegrazioneRedditi><Sottoscrizione ",
            )],
        ),
        ("K04.modello", "/ModelloBase", &[("Tipo=\"ORD\"", "Tipo=\"RID\"")]),
        (
            "K04.dichiarante",
            "/@CodiceFiscaleDichiarante",
            &[(
                "CodiceFiscaleDichiarante=\"FRRGLI84E52H501O\"",
                "CodiceFiscaleDichiarante=\"GLLMTT81P03F205Y\"",
            )],
        ),
        (
            "K04.dichiarante",
            "/NucleoFamiliare",
            &[("RapportoConDichiarante=\"D\"", "RapportoConDichiarante=\"P\"")],
        ),
        (
            "K04.dichiarante",
            "/NucleoFamiliare",
            &[("RapportoConDichiarante=\"C\"", "RapportoConDichiarante=\"D\"")],
        ),
        (
            "K04.coniuge",
            "/NucleoFamiliare",
            &[("RapportoConDichiarante=\"F\"", "RapportoConDichiarante=\"C\"")],
        ),
        (
            "K05.forma",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[(CODICE, "CodiceFiscale=\"GLLMTT81Z03F205Y\"")],
        ),
        (
            "K05.data",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[(CODICE, "CodiceFiscale=\"GLLMTT81P00F205S\"")],
        ),
        (
            "K05.controllo",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[(CODICE, "CodiceFiscale=\"GLLMTT81P03F205X\"")],
        ),
        (
            "K05.nascita",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[("DataNascita=\"1981-09-03\"", "DataNascita=\"1981-09-04\"")],
        ),
        (
            "K05.sesso",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[(
                "Sesso=\"M\" ProvinciaNascita=\"MI\"",
                "Sesso=\"F\" ProvinciaNascita=\"MI\"",
            )],
        ),
        (
            "K05.doppio",
            "/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale",
            &[(CODICE, "CodiceFiscale=\"frrgli84e52h501o\"")],
        ),
        (
            "K06.nascita",
            "/Anagrafica/@DataNascita",
            &[("DataNascita=\"2019-07-08\"", "DataNascita=\"2026-07-08\"")],
        ),
        (
            "K06.minore",
            "/ComponenteNucleo[2]/@RapportoConDichiarante",
            &[("RapportoConDichiarante=\"C\"", "RapportoConDichiarante=\"F\"")],
        ),
        (
            "K06.maggiorenne",
            "/ComponenteNucleo[3]/@RapportoConDichiarante",
            &[("RapportoConDichiarante=\"F\"", "RapportoConDichiarante=\"FC\"")],
        ),
        (
            "K06.assenza-reddito",
            "/ComponenteNucleo[1]/@FlagAssenzaReddito",
            &[("FlagAssenzaReddito=\"false\"", "FlagAssenzaReddito=\"true\"")],
        ),
        (
            "K07.figli",
            "/CondizioniNucleo/@NumeroFigli",
            &[(
                "FlagUnicoGenitore=\"false\"",
                "FlagUnicoGenitore=\"false\" NumeroFigli=\"5\"",
            )],
        ),
        (
            "K07.conviventi",
            "/@NumeroFigliConviventi",
            &[(
                "FlagUnicoGenitore=\"false\"",
                "FlagUnicoGenitore=\"false\" NumeroFigli=\"3\" NumeroFigliConviventi=\"4\"",
            )],
        ),
        // Without NumeroFigli the roles count the children.
        (
            "K07.conviventi",
            "/@NumeroFigliConviventi",
            &[(
                "FlagUnicoGenitore=\"false\"",
                "FlagUnicoGenitore=\"false\" NumeroFigliConviventi=\"3\"",
            )],
        ),
        (
            "K07.genitore",
            "/@FlagUnicoGenitore",
            &[("FlagUnicoGenitore=\"false\"", "FlagUnicoGenitore=\"true\"")],
        ),
        (
            "K08.locazione",
            "/Abitazione",
            &[(HOME, "TipoAbitazione=\"001\">"), unflag, unflag],
        ),
        ("K08.locazione", "/Abitazione/Locazione", &[(ADDRESS_END, LEASE)]),
        (
            "K08.contratto",
            "/Locazione/@Serie",
            &[
                (HOME, "TipoAbitazione=\"001\">"),
                unflag,
                unflag,
                (ADDRESS_END, &blank_lease),
            ],
        ),
        (
            "K05.controllo",
            "/Locazione/Intestatario/@CodiceFiscale",
            &[
                (HOME, "TipoAbitazione=\"001\">"),
                unflag,
                unflag,
                (ADDRESS_END, &wrong_tenant),
            ],
        ),
        (
            "K08.residenza",
            "/@ResidenzaRiferimento",
            &[("RapportoConDichiarante=\"C\"", "RapportoConDichiarante=\"P\"")],
        ),
        (
            "K08.casa",
            "/Patrimonio[1]/@FlagAbitazione",
            &[(HOME, "TipoAbitazione=\"999\">")],
        ),
        (
            "K08.casa",
            "/Patrimonio[2]/@FlagAbitazione",
            &[(
                "ValoreImu=\"2400\" FlagAbitazione=\"false\"",
                "ValoreImu=\"2400\" FlagAbitazione=\"true\"",
            )],
        ),
        (
            "K09.possesso",
            "/@FlagPossessoRapportoFinanziario",
            &[(
                "FlagPossessoRapportoFinanziario=\"true\"",
                "FlagPossessoRapportoFinanziario=\"false\"",
            )],
        ),
        (
            "K09.possesso",
            "/PatrimonioMobiliare",
            &[(
                "<Rapporto TipoRapporto=\"01\" Identificativo=\"IT00X0000000000000000002\" CodiceFiscaleOperatore=\"01234567897\" Saldo3112=\"1500\" ConsistenzaMedia=\"2600\"/>",
                "",
            )],
        ),
        (
            "K09.saldo",
            "/Rapporto[1]/@Saldo3112",
            &[("Saldo3112=\"4200\" ", "")],
        ),
        (
            "K09.saldo",
            "/Rapporto[1]/@ConsistenzaMedia",
            &[(" ConsistenzaMedia=\"3900\"", "")],
        ),
        (
            "K09.valore",
            "/Rapporto[2]/@Valore",
            &[("Valore=\"12000\"", "Saldo3112=\"1\"")],
        ),
        (
            "K09.date",
            "/Rapporto[2]/@DataFine",
            &[(
                "Valore=\"12000\"",
                "Valore=\"12000\" DataInizio=\"2024-05-01\" DataFine=\"2024-04-30\"",
            )],
        ),
        (
            "K09.date",
            "/Rapporto[2]/@DataInizio",
            &[("Valore=\"12000\"", "Valore=\"12000\" DataInizio=\"2026-03-11\"")],
        ),
        (
            "K10.incremento",
            "/PatrimonioMobiliare",
            &[(
                "FlagPossessoRapportoFinanziario=\"true\"",
                "FlagPossessoRapportoFinanziario=\"true\" FlagIncremento=\"true\"",
            )],
        ),
        (
            "K12.certificato",
            "/Disabilita/@DocCertif",
            &[(after_estate, &blank)],
        ),
        ("K12.data", "/Disabilita/@DataCertif", &[(after_estate, &future)]),
        (
            "K18.data",
            "/Sottoscrizione/@DataSottoscrizione",
            &[(
                "DataSottoscrizione=\"2026-03-10\"",
                "DataSottoscrizione=\"2026-03-11\"",
            )],
        ),
        (
            "K18.pec",
            "/@IndirizzoPEC",
            &[("FlagPEC=\"false\"", "FlagPEC=\"true\"")],
        ),
        (
            "K18.sottoscrittore",
            "/@CodiceFiscaleSottoscrittore",
            &[(
                "CodiceFiscaleSottoscrittore=\"FRRGLI84E52H501O\"",
                "CodiceFiscaleSottoscrittore=\"BNCNNA72B42H501V\"",
            )],
        ),
        (
            "K18.delegato",
            "/Sottoscrizione",
            &[(
                "FlagAutorizzazioneRitiro=\"false\"",
                "FlagAutorizzazioneRitiro=\"true\"",
            )],
        ),
        (
            "K19.protocollo",
            "/@ProtocolloMittente",
            &[(
                "ProtocolloMittente=\"CAF00001-TEST01-2026-N0000001\"",
                "ProtocolloMittente=\" \"",
            )],
        ),
    ];
    for (code, path, changes) in cases {
        let esame = exam(&replaced(&sample(), changes));
        let found = esame
            .difetti
            .iter()
            .any(|difetto| difetto.code.code() == *code && difetto.path.ends_with(path));
        assert!(
            found,
            "{code} at ..{path} after {changes:?}: {:#?}",
            esame.difetti
        );
        assert!(
            esame
                .difetti
                .iter()
                .all(|difetto| !difetto.text.is_empty() && difetto.path.starts_with("/Dichiarazione"))
        );
    }
    let without_family = {
        let dsu = sample();
        let (before, after) = (
            dsu.split("<NucleoFamiliare>").next().unwrap(),
            dsu.split("</NucleoFamiliare>").nth(1).unwrap(),
        );
        format!("{before}{after}")
    };
    assert!(
        exam(&without_family)
            .difetti
            .iter()
            .any(|difetto| difetto.code.code() == "K04.nucleo")
    );
}

#[test]
fn warnings_do_not_refuse() {
    let unflag = ("FlagAbitazione=\"true\"", "FlagAbitazione=\"false\"");
    let cases: &[(&str, &[(&str, &str)])] = &[
        // The home was not owned yet on the day of the assets.
        ("K08.proprieta", &[unflag, unflag]),
        (
            "K05.luogo",
            &[("CodiceComuneNascita=\"F205\"", "CodiceComuneNascita=\"F206\"")],
        ),
        (
            "K11.mutuo",
            &[("MutuoResiduo=\"20000\"", "MutuoResiduo=\"61001\"")],
        ),
        (
            "K11.quota",
            &[("QuotaPosseduta=\"33.33\"", "QuotaPosseduta=\"0\"")],
        ),
        // Signed on Tuesday 3 March: Monday 9 is the fourth working day after, Tuesday 10 the fifth.
        (
            "K18.termine",
            &[(
                "DataSottoscrizione=\"2026-03-10\"",
                "DataSottoscrizione=\"2026-03-03\"",
            )],
        ),
    ];
    for (code, changes) in cases {
        let esame = exam(&replaced(&sample(), changes));
        assert_eq!(esame.difetti, [], "{code}");
        assert_eq!(
            esame.avvertenze.iter().map(|a| a.code.code()).collect::<Vec<_>>(),
            [*code]
        );
    }
    let fourth = exam(&replaced(
        &sample(),
        &[(
            "DataSottoscrizione=\"2026-03-10\"",
            "DataSottoscrizione=\"2026-03-04\"",
        )],
    ));
    assert_eq!(fourth, Esame::default());
}

fn feed(lines: &[&str]) -> Vec<FeedRecord> {
    parse_feed(&format!("{}\n{}\n", COLUMNS.join(","), lines.join("\n")))
        .ok()
        .unwrap()
}

fn compute_on(dsu: &str, presented: Date, feed: &dyn varco::isee::feed::Feed) -> Calcolo {
    let rules = Rules::embedded().unwrap();
    ordinario(&read(dsu), presented, rules.on(presented).unwrap(), feed).unwrap()
}

/// The lines of an attestation, as it prints them.
fn lines(calcolo: &Calcolo) -> [String; 12] {
    let m = &calcolo.modalita;
    [
        m.somma_redditi_componenti,
        m.reddito_figurativo_patrimonio_mobiliare,
        m.detrazioni,
        m.isr,
        m.patrimonio_mobiliare,
        m.detrazione_patrimonio_mobiliare,
        m.patrimonio_immobiliare,
        m.detrazione_patrimonio_immobiliare,
        m.isp,
        m.ise,
        m.scala_equivalenza,
        calcolo.isee.printed(),
    ]
    .map(|amount| amount.to_string())
}

#[test]
fn the_sample_family_by_hand() {
    // Giulia, employee: 24,500 - 3,000 (20% is 4,900, at most 3,000) = 21,500. Matteo, self-employed: 18,200.
    // Sum 39,700. Figurative: 12,000 x 2.60% = 312. No rent. ISR 40,012. Movable: Giulia max(4,200; 3,900) +
    // 12,000; Matteo max(1,500; 2,600): 18,800; franchise min(6,000 + 3 x 2,000; 10,000) = 10,000. Real:
    // 61,000 + 61,000 + 2,400 = 124,400. Home: 2 x (61,000 - 20,000) = 82,000; 2/3 x (82,000 - 52,500) =
    // 19,666.67; land 2,400. Deduction 124,400 - 22,066.67 = 102,333.33. ISP 8,800 + 22,066.67 = 30,866.67.
    // ISE 40,012 + 6,173.33 = 46,185.33. Scale: four members 2.46 + 0.20 (parents at work, minors, none under
    // three) = 2.66. ISEE 17,362.91.
    let feed = feed(&[
        "FRRGLI84E52H501O,2024,24500,24500,,,,,,,,,,,",
        "GLLMTT81P03F205Y,2024,18200,,,,,,,,,,,,",
    ]);
    let expected = [
        "39700.00",
        "312.00",
        "0.00",
        "40012.00",
        "18800.00",
        "10000.00",
        "124400.00",
        "102333.33",
        "30866.67",
        "46185.33",
        "2.66",
        "17362.91",
    ];
    assert_eq!(lines(&compute_on(&sample(), TODAY, &feed)), expected);
}

#[test]
fn a_rented_home_a_pensioner_and_a_disability_by_hand() {
    // Giulia by FC8: IRPEF 9,000, of which pension 9,000; treatments 1,500; disabled, with 6,000 of expenses.
    //   9,000 + 1,500 - min(20% of 10,500; 1,000) - min(6,000; 5,000) = 4,500.
    // Matteo: nothing known, nothing declared but 1,200 exempt income in FC4 and 300 of maintenance received,
    // 2,000 of alimony paid, of which 1,500 count: 0. Sum 4,500. Figurative 312. Rent 8,400, at most 7,000,
    // at most 4,812: ISR 0. Real: nothing is the home: 41,000 + 41,000 + 2,400 net of 124,400: deduction
    // 40,000. ISP 8,800 + 84,400 = 93,200. ISE 18,640. Scale 2.46 + 0.20 + 0.50 = 3.16. ISEE 5,898.73.
    let lease = "<Locazione Data=\"2020-01-01\" Serie=\"3T\" Numero=\"1\" CodUfficio=\"TUX\" Canone=\"8400\"><Intestatario CodiceFiscale=\"FRRGLI84E52H501O\"/></Locazione></Abitazione>";
    let unflag = ("FlagAbitazione=\"true\"", "FlagAbitazione=\"false\"");
    let extra = "<Disabilita GradoDisabilita=\"DIM\" EnteCertif=\"INPS\" DocCertif=\"1\" DataCertif=\"2020-01-01\" FlagPrestResidenziale=\"false\"/><AltriRedditi FlagEsonerato=\"true\" FlagIntegrazione=\"false\" FlagRettifica=\"false\" RedditoIRPEF=\"9000\" Pensione=\"9000\" TrattamentiAssistenziali=\"1500\" SpeseDetrazione=\"6000\"/></FoglioComponenteNucleo>";
    let matteo = "ValoreImu=\"2400\" FlagAbitazione=\"false\"/>\n          </PatrimonioImmobiliare>";
    let matteo_with = format!(
        "{matteo}<RedditiDaDichiarare RedditiEsentiImposta=\"1200\"/><AssegniPeriodici AssegniFigli=\"300\" AssegniConiuge=\"2000\"/>"
    );
    let dsu = replaced(
        &sample(),
        &[
            (
                "TipoAbitazione=\"000\" ResidenzaRiferimento=\"D\">",
                "TipoAbitazione=\"001\">",
            ),
            unflag,
            unflag,
            ("</Abitazione>", lease),
            ("</FoglioComponenteNucleo>", extra),
            (matteo, &matteo_with),
        ],
    );
    let expected = [
        "4500.00",
        "312.00",
        "4812.00",
        "0.00",
        "18800.00",
        "10000.00",
        "124400.00",
        "40000.00",
        "93200.00",
        "18640.00",
        "3.16",
        "5898.73",
    ];
    assert_eq!(lines(&compute_on(&dsu, TODAY, &NoFeed)), expected);
}

#[test]
fn rules_change_with_the_day_of_presentation_by_hand() {
    // Titles of 12,000, of which the feed knows 9,000 of Government bonds and 1,000 of postal books; nobody
    // has any income. On 4 March 2025 (3.00%) all of it counts: figurative 360, movable 18,800. On 5 March
    // 2025 9,000 and 1,000 are left out: figurative 3% of 3,000 = 90, movable 8,800, franchise at most that.
    let dsu = |day: &str| requests::dsu("CAF1", day);
    let feed = feed(&["FRRGLI84E52H501O,2023,,,,,,,,,,9000,,1000,"]);
    let before = lines(&compute_on(&dsu("2025-03-04"), date(2025, 3, 4), &feed));
    let after = lines(&compute_on(&dsu("2025-03-05"), date(2025, 3, 5), &feed));
    assert_eq!(
        (&*before[1], &*before[4], &*before[5]),
        ("360.00", "18800.00", "10000.00")
    );
    assert_eq!(
        (&*after[1], &*after[4], &*after[5]),
        ("90.00", "8800.00", "8800.00")
    );
    // 2020: 1.05% of 12,000; in 2020 Tommaso, born in July 2019, was under three: 0.30 on the scale.
    let old = lines(&compute_on(&dsu("2020-06-01"), date(2020, 6, 1), &NoFeed));
    assert_eq!((&*old[1], &*old[10]), ("126.00", "2.76"));
}

#[test]
fn balances_count_alone_where_the_difference_went_into_other_assets() {
    // Matteo: average 2,600, balance 1,500: the difference is 1,100. An increase of 1,101 makes the balance
    // count, 1,100 does not.
    let with = |increase: u32| {
        let to = format!(
            "FlagIncremento=\"true\"><Rapporto TipoRapporto=\"01\" Identificativo=\"IT00X0000000000000000002\" CodiceFiscaleOperatore=\"01234567897\" Saldo3112=\"1500\" ConsistenzaMedia=\"2600\"/><Incremento IncrementoMobiliare=\"{increase}\"/>"
        );
        let from = ">\n            <Rapporto TipoRapporto=\"01\" Identificativo=\"IT00X0000000000000000002\" CodiceFiscaleOperatore=\"01234567897\" Saldo3112=\"1500\" ConsistenzaMedia=\"2600\"/>";
        lines(&compute_on(
            &replaced(&sample(), &[(from, &format!(" {to}"))]),
            TODAY,
            &NoFeed,
        ))[4]
            .clone()
    };
    assert_eq!(
        (with(1101), with(1100)),
        ("17700.00".to_owned(), "18800.00".to_owned())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One euro more of employee and IRPEF income, under 15,000 and without pension, raises the sum by 0.80.
    #[test]
    fn one_euro_more_raises_the_sum_by_eighty_cents(income in 1_i64..14_999) {
        let dsu = sample();
        let sum = |income: i64| {
            let line = format!("FRRGLI84E52H501O,2024,{income},{income},,,,,,,,,,,");
            compute_on(&dsu, TODAY, &feed(&[&line])).modalita.somma_redditi_componenti.0
        };
        prop_assert_eq!(sum(income + 1) - sum(income), Decimal::new(80, 2));
    }

    /// No line but the sum of incomes is ever negative, and deductions never exceed what they are taken from.
    #[test]
    fn lines_are_never_negative(irpef in -50_000_i64..90_000, pension in 0_i64..40_000, bonds in 0_i64..90_000, titles in 0_u32..200_000, mortgage in 0_u32..90_000) {
        let dsu = replaced(&sample(), &[("Valore=\"12000\"", &format!("Valore=\"{titles}\"")), ("MutuoResiduo=\"20000\"", &format!("MutuoResiduo=\"{mortgage}\""))]);
        let line = format!("FRRGLI84E52H501O,2024,{irpef},,{pension},,,,,,,{bonds},,,");
        let calcolo = compute_on(&dsu, TODAY, &feed(&[&line]));
        let m = &calcolo.modalita;
        for amount in [m.reddito_figurativo_patrimonio_mobiliare, m.detrazioni, m.isr, m.patrimonio_mobiliare, m.detrazione_patrimonio_mobiliare, m.patrimonio_immobiliare, m.detrazione_patrimonio_immobiliare, m.isp, m.ise] {
            prop_assert!(amount.0 >= Decimal::ZERO);
        }
        prop_assert!(m.detrazione_patrimonio_mobiliare <= m.patrimonio_mobiliare && m.detrazione_patrimonio_immobiliare <= m.patrimonio_immobiliare);
        prop_assert_eq!(m.ise.0, Euro::new(m.isr.0 + Decimal::new(20, 2) * m.isp.0).line().value());
        prop_assert_eq!(calcolo.isee, Euro::new(m.ise.0 / m.scala_equivalenza.0).line());
    }
}

#[test]
fn what_is_endless_is_counted_and_what_overflows_is_refused() {
    let rapporto = "<Rapporto TipoRapporto=\"01\" Identificativo=\"\" CodiceFiscaleOperatore=\"\"/>";
    let many = replaced(
        &sample(),
        &[(
            "<Rapporto TipoRapporto=\"02\"",
            &format!("{}<Rapporto TipoRapporto=\"02\"", rapporto.repeat(500)),
        )],
    );
    let esame = exam(&many);
    assert_eq!((esame.difetti.len(), esame.altri), (100, 2399));
    let estate = "<Patrimonio TipoPatrimonio=\"TE\" CodiceComuneStato=\"A390\" QuotaPosseduta=\"0\" ValoreImu=\"1\" FlagAbitazione=\"false\"/>";
    let warned = exam(&replaced(
        &sample(),
        &[(
            "</PatrimonioImmobiliare>",
            &format!("{}</PatrimonioImmobiliare>", estate.repeat(300)),
        )],
    ));
    assert_eq!((warned.difetti.len(), warned.avvertenze.len()), (0, 100));
    let huge = "<AltriRedditi FlagEsonerato=\"true\" FlagIntegrazione=\"false\" FlagRettifica=\"false\" RedditoIRPEF=\"7000000000000000000000000000\"/></FoglioComponenteNucleo>";
    let esame = exam(&replaced(&sample(), &[("</FoglioComponenteNucleo>", huge)]));
    assert_eq!(
        esame.difetti.iter().map(|d| d.code.code()).collect::<Vec<_>>(),
        ["K01.intervallo"]
    );
    let member = sample()
        .split("<ComponenteNucleo ")
        .nth(3)
        .unwrap()
        .split("</ComponenteNucleo>")
        .next()
        .unwrap()
        .to_owned();
    let crowd = format!("<ComponenteNucleo {member}</ComponenteNucleo>").repeat(70);
    let esame = exam(&replaced(
        &sample(),
        &[("</NucleoFamiliare>", &format!("{crowd}</NucleoFamiliare>"))],
    ));
    assert_eq!(
        esame.difetti.iter().map(|d| d.code.code()).collect::<Vec<_>>(),
        ["K04.componenti"]
    );
}

#[test]
fn in_a_new_dsu_only_an_exempt_persons_sheet_comes_before_the_feed() {
    let with = |flags: &str| {
        let sheet = format!("<AltriRedditi {flags} RedditoIRPEF=\"0\"/></FoglioComponenteNucleo>");
        let dsu = replaced(&sample(), &[("</FoglioComponenteNucleo>", &sheet)]);
        lines(&compute_on(
            &dsu,
            TODAY,
            &feed(&["FRRGLI84E52H501O,2024,40000,,,,,,,,,,,,"]),
        ))[0]
            .clone()
    };
    assert_eq!(
        with("FlagEsonerato=\"false\" FlagIntegrazione=\"false\" FlagRettifica=\"true\""),
        "40000.00"
    );
    assert_eq!(
        with("FlagEsonerato=\"true\" FlagIntegrazione=\"false\" FlagRettifica=\"false\""),
        "0.00"
    );
}

/// What a declaration with those sections, of that kind, makes of a base; or where it is refused.
fn applied(base: &str, kind: &str, sections: &str) -> Result<Dichiarazione, Vec<String>> {
    let sample = sample();
    let (start, signature) = (
        sample.find("<Operazione").unwrap(),
        sample.find("<Sottoscrizione ").unwrap(),
    );
    let operation =
        format!("<Operazione Tipo=\"{kind}\" NumeroProtocolloRiferimento=\"INPS-ISEE-2026-00000001B-00\"/>");
    let declaration = read(&format!(
        "{}{operation}{sections}{}",
        &sample[..start],
        &sample[signature..]
    ));
    applica(&read(base), &declaration)
        .map_err(|difetti| difetti.into_iter().map(|difetto| difetto.path).collect())
}

const MATTEO: &str = "GLLMTT81P03F205Y";
const SOFIA: &str = "GLLSFO14B60H501C";
/// Of nobody in the family.
const STRANGERS: [&str; 2] = ["RSSMRA70A01H501S", "BNCNNA72B42H501V"];
const HOME: &str = "<Abitazione TipoAbitazione=\"999\"><IndirizzoAbitazione Indirizzo=\"VIA\" Civico=\"1\" CodiceComune=\"H501\" Provincia=\"RM\" Cap=\"00100\"/></Abitazione>";

#[test]
fn residential_data_take_the_place_of_those_before_in_the_form_of_their_beneficiary() {
    let of = |name: &str, code: &str, day: u32| {
        let flags = "FlagFigliNonCompresi=\"false\" FlagDonazioni=\"false\"";
        format!(
            "<{name} CodiceFiscaleBeneficiario=\"{code}\" DataRichiestaRicovero=\"2026-01-{day:02}\" {flags}/>"
        )
    };
    let member = "FlagBeneficiario=\"true\" RelazioneConBeneficiario=\"B\"";
    let nucleus = format!(
        "<NucleoRistretto><ComponenteNucleoRistretto CodiceFiscale=\"{MATTEO}\" {member}/></NucleoRistretto>"
    );
    let restricted = format!("<ModelloBase Tipo=\"RID\">{nucleus}{HOME}</ModelloBase>");
    let before = [of("Residenziale", SOFIA, 1), of("Residenziale", MATTEO, 2)].concat();
    let base = sample().replacen(
        "</ModelloBase>",
        &format!("{before}</ModelloBase>{restricted}"),
        1,
    );
    let each = |code: &str, day| of("ComponentePerIntegrazioneResidenziale", code, day);
    let section = |all: &[String]| {
        format!(
            "<IntegrazioneResidenziale>{}</IntegrazioneResidenziale>",
            all.concat()
        )
    };

    // Of two for one beneficiary the later counts, however its code is written.
    let dsu = applied(
        &base,
        "S",
        &section(&[each(MATTEO, 3), each(SOFIA, 4), each(&MATTEO.to_lowercase(), 5)]),
    )
    .unwrap();
    let days = |all: &[varco::isee::dsu::Residenziale]| {
        all.iter()
            .map(|each| each.data_richiesta_ricovero.day())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        dsu.modello_base
            .iter()
            .map(|form| days(&form.residenziale))
            .collect::<Vec<_>>(),
        [[4], [5]]
    );

    let refused = applied(
        &base,
        "S",
        &section(&[each(STRANGERS[0], 3), each(SOFIA, 4), each(STRANGERS[1], 5)]),
    )
    .unwrap_err();
    let name = "/Dichiarazione/IntegrazioneResidenziale/ComponentePerIntegrazioneResidenziale";
    assert_eq!(
        refused,
        [1, 3].map(|place| format!("{name}[{place}]/@CodiceFiscaleBeneficiario"))
    );
}

#[test]
fn incomes_are_completed_one_after_another_and_strangers_are_refused_in_order() {
    let each = |code: &str, amounts: &str| {
        let redditi = format!(
            "<Redditi FlagEsonerato=\"false\" FlagIntegrazione=\"true\" FlagRettifica=\"false\" {amounts}/>"
        );
        format!(
            "<ComponentePerIntegrazioneRedditi CodiceFiscale=\"{code}\">{redditi}</ComponentePerIntegrazioneRedditi>"
        )
    };
    let section = |all: &[String]| format!("<IntegrazioneRedditi>{}</IntegrazioneRedditi>", all.concat());
    let twice = [
        each(MATTEO, "RedditoIRPEF=\"1\" Pensione=\"2\""),
        each(&MATTEO.to_lowercase(), "RedditoIRPEF=\"3\""),
    ];
    let dsu = applied(&sample(), "I", &section(&twice)).unwrap();
    let sheets: Vec<_> = dsu
        .fogli()
        .map(|sheet| {
            sheet
                .altri_redditi
                .as_ref()
                .map(|r| (r.reddito_irpef, r.pensione))
        })
        .collect();
    assert_eq!(
        sheets,
        [None, Some((Some(Decimal::from(3)), Some(2))), None, None]
    );

    let refused = applied(
        &sample(),
        "I",
        &section(&[each(STRANGERS[0], ""), each(MATTEO, ""), each(STRANGERS[1], "")]),
    )
    .unwrap_err();
    let name = "/Dichiarazione/IntegrazioneRedditi/ComponentePerIntegrazioneRedditi";
    assert_eq!(
        refused,
        [1, 3].map(|place| format!("{name}[{place}]/@CodiceFiscale"))
    );
}

#[test]
fn defects_that_are_only_counted_are_counted_in_full() {
    // 120 more forms of the ordinary nucleus, which owns no home in them, beside two buildings that are said
    // to be it.
    let forms = format!("<ModelloBase Tipo=\"ORD\">{HOME}</ModelloBase>").repeat(120);
    let esame = exam(&sample().replacen("<Sottoscrizione ", &format!("{forms}<Sottoscrizione "), 1));
    assert_eq!((esame.difetti.len(), esame.altri), (100, 1 + 2 * 120 - 100));
    assert_eq!(esame.difetti[0].code.code(), "K04.modello");
    assert!(
        esame.difetti[1..]
            .iter()
            .all(|difetto| difetto.code.code() == "K08.casa")
    );
}
