//! Every indicator, computed by hand beside the code. All persons are invented; amounts are whole euros a
//! year.

mod controlli;
mod legge;

use jiff::civil::{Date, date};
use kit::caseta::*;
use rust_decimal::Decimal;
use varco::isee::attestazione::Assente;
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Check, Circumstance, examine, examine_effettiva};
use varco::isee::codes::{
    CondizioneEsclusione, GradoDisabilita, Importo, PresenzaGenitori, Relazione, Ruolo, TipoAbitazione,
    TipoImmobile, TipoIndicatore, TipoOperazione, TipoRapporto, TipoVariazione,
};
use varco::isee::compute::casi::{Caso, IndicatoreCalcolato, ModoCalcolo, MotivoDelCaso};
use varco::isee::compute::corrente::{Insufficiente, sufficiente};
use varco::isee::dsu::{
    ComponenteNucleoRistretto, DatiFiglio, DatiGenitore, DettaglioFiglio, DettaglioGenitoreNonConvivente,
    Donazione, FiglioNonCompresoNelNucleo, GenitoreNonConvivente, IseeCorrente, Residenziale, Universitario,
};
use varco::isee::feed::RapportoNoto;
use varco::isee::foglio::AltriRedditi;
use varco::isee::money::Euro;
use varco::isee::omissioni::omissioni;
use varco::isee::rules::Rules;

const TODAY: Date = date(2026, 3, 10);
/// The case and the ISEE of a person's indicator.
fn found(indicatore: &IndicatoreCalcolato) -> (Option<ModoCalcolo>, String) {
    match &indicatore.caso {
        Caso::Base(isee) => (None, isee.to_string()),
        Caso::Diverso(diverso) => (Some(diverso.modo), diverso.isee.to_string()),
        Caso::NonCalcolabile(motivo) => (None, format!("{motivo:?}")),
    }
}

/// A mother, employee of 20,000 (net 17,000), and so many minors of eight.
fn mother_and(minors: usize) -> (Caseta, Vec<usize>) {
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 40, 20_000);
    let minors = (0..minors).map(|_| casa.member(Ruolo::F, 8, 0)).collect();
    (casa, minors)
}

/// One rounding to the cent.
fn rounded(amount: Decimal) -> Decimal {
    Euro::new(amount).line().value()
}

#[test]
fn minors_have_the_ordinary_one_an_attracted_parent_or_a_component() {
    // The mother and the minor: 20,000 - 3,000 = 17,000; scale of two 1.57: 10,828.03. Nobody elsewhere: the
    // same.
    let (casa, _) = mother_and(1);
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (None, "10828.03".to_owned())
    );
    // The father elsewhere, employee of 30,000 (27,000 net), joins: (17,000 + 27,000) / 2.04 = 21,568.63.
    let (mut casa, minors) = mother_and(1);
    casa.parent(&minors, (false, false), Some((30_000, 1)));
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Attratta), "21568.63".to_owned())
    );
    assert_eq!(casa.indicatori().ordinario.isee.to_string(), "10828.03");
    // Married to another person, in a nucleus of three: 27,000 / 2.04 = 13,235.294, x 0.30 = 3,970.59;
    // 10,828.03 + 3,970.59 = 14,798.62.
    let (mut casa, minors) = mother_and(1);
    casa.parent(&minors, (false, true), Some((30_000, 3)));
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Aggiuntiva), "14798.62".to_owned())
    );
    // Of two children x 0.40: 5,294.12; the nucleus of three has 17,000 / 2.04 = 8,333.33: 13,627.45 for
    // each.
    let (mut casa, minors) = mother_and(2);
    casa.parent(&minors, (false, true), Some((30_000, 3)));
    let both: Vec<_> = casa.indicatori().minorenni.iter().map(found).collect();
    assert_eq!(
        both,
        vec![(Some(ModoCalcolo::Aggiuntiva), "13627.45".to_owned()); 2]
    );
}

#[test]
fn an_excluded_parent_does_not_count_and_missing_data_leave_nothing_to_compute() {
    let (mut casa, minors) = mother_and(1);
    casa.parent(&minors, (true, false), None);
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (None, "10828.03".to_owned())
    );
    for married in [false, true] {
        let (mut casa, minors) = mother_and(1);
        casa.parent(&minors, (false, married), None);
        assert_eq!(
            found(&casa.indicatori().minorenni[0]),
            (None, format!("{:?}", MotivoDelCaso::Genitore))
        );
        let child = casa.code(minors[0]);
        assert_eq!(
            casa.attestazione()
                .indicatore(TipoIndicatore::Minorenne, &child)
                .err(),
            Some(Assente::NonCalcolabile)
        );
    }
    // A father of only one of two: the other child's is the ordinary one, 17,000 / 2.04.
    let (mut casa, minors) = mother_and(2);
    casa.parent(&minors[..1], (false, true), Some((30_000, 3)));
    let both: Vec<_> = casa.indicatori().minorenni.iter().map(found).collect();
    // One child alone: x 0.30: 8,333.33 + 3,970.59.
    assert_eq!(
        both,
        [
            (Some(ModoCalcolo::Aggiuntiva), "12303.92".to_owned()),
            (None, "8333.33".to_owned())
        ]
    );
}

#[test]
fn a_parents_own_dsu_gives_what_the_details_would() {
    // Of the father's DSU, alone in it: 27,000 / 1.00 x 0.30 = 8,100; 10,828.03 + 8,100.
    let (mut casa, minors) = mother_and(1);
    let father = casa.parents(30_000, 0);
    casa.parent(&minors, (false, true), None);
    let parent = &mut casa.form().genitore_non_convivente[0];
    parent.codice_fiscale = father.codice_fiscale;
    parent.dati = Some(DatiGenitore::Protocollo(PARENTS.to_owned()));
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Aggiuntiva), "18928.03".to_owned())
    );
    // A DSU that is not valid any more on the day is none.
    casa.altre[0].scadenza = date(2026, 3, 9);
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (None, format!("{:?}", MotivoDelCaso::Genitore))
    );
}

#[test]
fn the_addition_for_a_lone_parent_is_not_due_where_the_other_one_counts() {
    // A lone mother with a minor: 1.57 + 0.20. Where the father elsewhere is attracted he counts as a parent
    // (All. 1): 1.57.
    let scale = |parent: Option<(bool, bool)>| {
        let (mut casa, minors) = mother_and(1);
        casa.form()
            .condizioni_nucleo
            .as_mut()
            .unwrap()
            .flag_unico_genitore = true;
        if let Some(flags) = parent {
            casa.parent(&minors, flags, None);
        }
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string()
    };
    assert_eq!(
        (
            scale(None),
            scale(Some((true, false))),
            scale(Some((false, true)))
        ),
        ("1.77".into(), "1.77".into(), "1.77".into())
    );
    assert_eq!(scale(Some((false, false))), "1.57");
}

/// A student of 22, employee of 5,000 (net 4,000), alone.
fn student_alone() -> (Caseta, usize) {
    let mut casa = Caseta::on(TODAY);
    let student = casa.member(Ruolo::D, 22, 5000);
    (casa, student)
}

#[test]
fn students_with_a_parent_in_the_nucleus() {
    // Both parents there (27,000 + 0) and the student (4,000): 31,000 / 2.04 = 15,196.08.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 50, 30_000);
    casa.member(Ruolo::C, 50, 0);
    let student = casa.member(Ruolo::Fc, 22, 5000);
    casa.student(student, PresenzaGenitori::TuttiPresenti, None, None);
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (None, "15196.08".to_owned())
    );
    // Only the mother (17,000) and the student (4,000): 21,000 / 1.57 = 13,375.80.
    let with_mother = || {
        let mut casa = Caseta::on(TODAY);
        casa.member(Ruolo::D, 50, 20_000);
        let student = casa.member(Ruolo::Fc, 22, 5000);
        casa.student(student, PresenzaGenitori::SoloUno, None, None);
        (casa, student)
    };
    assert_eq!(
        found(&with_mother().0.indicatori().universitari[0]),
        (None, "13375.80".to_owned())
    );
    // The father joins: 48,000 / 2.04 = 23,529.41.
    let (mut casa, student) = with_mother();
    casa.parent(&[student], (false, false), Some((30_000, 1)));
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (Some(ModoCalcolo::Attratta), "23529.41".to_owned())
    );
    // Married to another, nucleus of two: 27,000 / 1.57 x 0.30 = 5,159.24: 18,535.04.
    let (mut casa, student) = with_mother();
    casa.parent(&[student], (false, true), Some((30_000, 2)));
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (Some(ModoCalcolo::Aggiuntiva), "18535.04".to_owned())
    );
}

#[test]
fn students_away_join_the_parents_nucleus_unless_on_their_own() {
    let coniugati = PresenzaGenitori::ConiugatiNonPresenti;
    // Two years away and an adequate income: the student's own, (9,000 - 1,800) / 1.00.
    let alone = |income| {
        let mut casa = Caseta::on(TODAY);
        let student = casa.member(Ruolo::D, 22, income);
        casa.student(student, coniugati, Some(true), None);
        casa
    };
    assert_eq!(
        found(&alone(9000).indicatori().universitari[0]),
        (None, "7200.00".to_owned())
    );
    // One that is known, and less than 9,000: it is not adequate, whatever is declared. Where nothing is
    // known, it is as declared.
    assert_eq!(
        found(&alone(8999).indicatori().universitari[0]),
        (None, format!("{:?}", MotivoDelCaso::Nucleo))
    );
    assert_eq!(
        found(&alone(0).indicatori().universitari[0]),
        (None, "0.00".to_owned())
    );
    // Otherwise with the parents (27,000 and 0) in their nucleus of three: 31,000 / 2.04 = 15,196.08.
    let (mut casa, student) = student_alone();
    let mother = casa.parents(30_000, 1);
    casa.student(student, coniugati, Some(false), Some(&mother));
    let (modo, _) = found(&casa.indicatori().universitari[0]);
    // The father has an income of one euro, of which 20 cents are deducted: 31,000.80 / 2.04 = 15,196.47.
    assert_eq!(
        (modo, found(&casa.indicatori().universitari[0]).1),
        (Some(ModoCalcolo::StudenteAttratto), "15196.47".to_owned())
    );
    let Caso::Diverso(diverso) = &casa.indicatori().universitari[0].caso else {
        panic!()
    };
    let roles: Vec<_> = diverso.attratto.iter().map(|member| member.ruolo).collect();
    assert_eq!(roles, [Ruolo::D, Ruolo::C, Ruolo::Fnc]);
    // Without the parents' DSU there is nothing to join.
    casa.altre.clear();
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (None, format!("{:?}", MotivoDelCaso::Nucleo))
    );
}

#[test]
fn students_whose_parents_live_apart_join_one_and_the_other_joins_or_adds_a_component() {
    let apart = PresenzaGenitori::NonConiugatiNonPresenti;
    type Father = ((bool, bool), Option<(u32, u32)>);
    let with = |father: Option<Father>| {
        let (mut casa, student) = student_alone();
        let mother = casa.parents(30_000, 0);
        if let Some((flags, data)) = father {
            casa.parent(&[student], flags, data);
        }
        casa.student(student, apart, Some(false), Some(&mother));
        found(&casa.indicatori().universitari[0])
    };
    // The mother (27,000) and the student (4,000): 31,000 / 1.57 = 19,745.22; the same where the father is
    // excluded.
    assert_eq!(
        with(None),
        (Some(ModoCalcolo::StudenteAttratto), "19745.22".to_owned())
    );
    assert_eq!(
        with(Some(((true, false), None))),
        (Some(ModoCalcolo::StudenteAttratto), "19745.22".to_owned())
    );
    // The father (17,000) joins too: 48,000 / 2.04 = 23,529.41.
    assert_eq!(
        with(Some(((false, false), Some((20_000, 1))))),
        (
            Some(ModoCalcolo::StudenteAttrattoCompAttratta),
            "23529.41".to_owned()
        )
    );
    // He is married to another, nucleus of three: 17,000 / 2.04 x 0.30 = 2,500: 22,245.22.
    assert_eq!(
        with(Some(((false, true), Some((20_000, 3))))),
        (
            Some(ModoCalcolo::StudenteAttrattoCompAggiuntiva),
            "22245.22".to_owned()
        )
    );
    assert_eq!(
        with(Some(((false, true), None))),
        (None, format!("{:?}", MotivoDelCaso::Genitore))
    );
}

/// A pensioner of 80 whose income is 18,000 under FC8, all net; alone.
fn pensioner() -> (Caseta, usize) {
    let mut casa = Caseta::on(TODAY);
    let mut foglio = casa.foglio(80, 0);
    foglio.altri_redditi = Some(esonerato(18_000));
    let who = casa.add(Ruolo::D, foglio);
    (casa, who)
}

#[test]
fn residential_services_count_what_was_given_away() {
    let with = |kind: [bool; 3]| {
        let (mut casa, who) = pensioner();
        let each = casa.residential(0, who);
        each.flag_donazioni = true;
        [
            each.flag_donazioni_successive,
            each.flag_donazioni_precedenti_alimenti,
            each.flag_donazioni_precedenti_no_alimenti,
        ] = kind.map(Some);
        each.donazione = vec![Donazione {
            tipo_immobile: TipoImmobile::F,
            codice_comune_stato: "H501".to_owned(),
            quota_posseduta: Decimal::from(50),
            quota_donata: Decimal::from(25),
            valore_imu: 100_000,
            codice_fiscale_ricevente: each.codice_fiscale_beneficiario.clone(),
        }];
        found(&casa.indicatori().residenziali[0])
    };
    let (mut casa, who) = pensioner();
    casa.residential(0, who);
    assert_eq!(
        found(&casa.indicatori().residenziali[0]),
        (None, "18000.00".to_owned())
    );
    // Of a share of 50 worth 100,000 a share of 25 was given: 50,000. ISP 50,000, ISE 18,000 + 10,000.
    assert_eq!(
        with([true, false, false]),
        (Some(ModoCalcolo::Residenziale), "28000.00".to_owned())
    );
    assert_eq!(
        with([false, true, false]),
        (Some(ModoCalcolo::Residenziale), "28000.00".to_owned())
    );
    // Given before the request to who is not bound to maintenance: it does not count.
    assert_eq!(with([false, false, true]), (None, "18000.00".to_owned()));
}

#[test]
fn residential_services_count_the_children_outside() {
    let with = |children: &dyn Fn(&mut Caseta) -> Vec<FiglioNonCompresoNelNucleo>| {
        let (mut casa, who) = pensioner();
        let children = children(&mut casa);
        let each = casa.residential(0, who);
        each.flag_figli_non_compresi = true;
        each.figlio_non_compreso_nel_nucleo = children;
        found(&casa.indicatori().residenziali[0])
    };
    // 24,000 / 1.00: (24,000 - 9,000) x 0.20 / 1.00 = 3,000. In a nucleus of three: (11,764.71 - 9,000) x
    // 0.20 = 552.94.
    assert_eq!(
        with(&|casa| vec![casa.child(Some(24_000), 1)]),
        (Some(ModoCalcolo::BaseAgg), "21000.00".to_owned())
    );
    assert_eq!(
        with(&|casa| vec![casa.child(Some(24_000), 3)]),
        (Some(ModoCalcolo::BaseAgg), "18552.94".to_owned())
    );
    assert_eq!(
        with(&|casa| vec![casa.child(Some(24_000), 1), casa.child(Some(24_000), 3)]).1,
        "21552.94"
    );
    // At 9,000 the component is zero, and one euro more is 20 cents.
    assert_eq!(
        with(&|casa| vec![casa.child(Some(9000), 1)]),
        (Some(ModoCalcolo::BaseAgg), "18000.00".to_owned())
    );
    assert_eq!(with(&|casa| vec![casa.child(Some(9001), 1)]).1, "18000.20");
    // Excluded, disabled, or with somebody disabled in the nucleus: none. Data missing: nothing to compute.
    let excluded = |casa: &mut Caseta| {
        let child = casa.child(Some(24_000), 1);
        vec![FiglioNonCompresoNelNucleo {
            condizione_esclusione: Some(CondizioneEsclusione::B),
            ..child
        }]
    };
    assert_eq!(with(&excluded), (None, "18000.00".to_owned()));
    let changed = |change: &'static dyn Fn(&mut DettaglioFiglio)| {
        move |casa: &mut Caseta| {
            let mut child = casa.child(Some(24_000), 3);
            let Some(DatiFiglio::Dettaglio(detail)) = &mut child.dati else {
                panic!()
            };
            change(detail);
            vec![child]
        }
    };
    let disabled = changed(&|detail| {
        detail.foglio_componente_figlio.as_mut().unwrap().disabilita = Some(disabile(GradoDisabilita::Dim))
    });
    assert_eq!(with(&disabled), (None, "18000.00".to_owned()));
    let in_nucleus = changed(&|detail| {
        let numbers = detail
            .componente_aggiuntiva_figlio
            .nucleo_familiare_componente_aggiuntiva
            .as_mut()
            .unwrap();
        numbers.flag_disabilita_grave = true;
        numbers.numero_disabili_grave = Some(1);
    });
    assert_eq!(with(&in_nucleus), (None, "18000.00".to_owned()));
    assert_eq!(
        with(&|casa| vec![casa.child(None, 1)]),
        (None, format!("{:?}", MotivoDelCaso::Figlio))
    );
}

#[test]
fn restricted_nuclei_and_residential_services_in_them() {
    // A disabled adult (FC8 6,000 net) who lives with the parents (27,000 and 0): ordinary (27,000 + 6,000) /
    // (2.04 + 0.50) = 12,992.13. Restricted to the beneficiary alone: 6,000 / (1.00 + 0.50) = 4,000.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 60, 30_000);
    casa.member(Ruolo::C, 60, 0);
    let mut foglio = casa.foglio(30, 0);
    foglio.altri_redditi = Some(esonerato(6000));
    foglio.disabilita = Some(disabile(GradoDisabilita::Dig));
    let who = casa.add(Ruolo::Fc, foglio);
    casa.ristretto(&[(who, Relazione::B)]);
    let attestazione = casa.attestazione();
    let person = casa.code(who);
    let isee = |tipo, person| {
        attestazione
            .indicatore(tipo, person)
            .ok()
            .map(|found| found.valori.isee.to_string())
    };
    assert_eq!(isee(TipoIndicatore::Ordinario, &person).unwrap(), "12992.13");
    assert_eq!(isee(TipoIndicatore::SocioSanitario, &person).unwrap(), "4000.00");
    assert_eq!(isee(TipoIndicatore::Dottorato, &person).unwrap(), "4000.00");
    // Whoever has no restricted nucleus has the ordinary one.
    let declarant = casa.code(0);
    assert_eq!(
        isee(TipoIndicatore::SocioSanitario, &declarant).unwrap(),
        "12992.13"
    );
    assert_eq!(isee(TipoIndicatore::Residenziale, &person), None);
    // Residential, asked for in the ordinary form: his is that of his restricted nucleus all the same (art. 6
    // c. 2 and 3).
    casa.residential(0, who);
    let asked = casa.attestazione();
    assert_eq!(
        asked
            .indicatore(TipoIndicatore::Residenziale, &person)
            .ok()
            .unwrap()
            .valori
            .isee
            .to_string(),
        "4000.00"
    );
    casa.form().residenziale.clear();
    assert_eq!(
        attestazione.indicatori(&person),
        [
            TipoIndicatore::Ordinario,
            TipoIndicatore::SocioSanitario,
            TipoIndicatore::Dottorato
        ]
    );
    // Residential, restricted: a child outside with 24,000 alone: (24,000 - 9,000) x 0.20 / 1.50 = 2,000.
    let child = casa.child(Some(24_000), 1);
    let each = casa.residential(1, who);
    each.flag_figli_non_compresi = true;
    each.figlio_non_compreso_nel_nucleo = vec![child];
    let found = casa.attestazione();
    let found = found
        .indicatore(TipoIndicatore::Residenziale, &person)
        .ok()
        .unwrap();
    assert_eq!(
        (found.valori.isee.to_string(), found.caso.code()),
        (
            "6000.00".to_owned(),
            "ISEE Residenziale ridotto con figli aggiuntivi"
        )
    );
    // With a spouse and a minor: scale of three and the disability, 2.54: 6,000 / 2.54 = 2,362.20.
    let mut casa = Caseta::on(TODAY);
    let mut foglio = casa.foglio(40, 0);
    foglio.altri_redditi = Some(esonerato(6000));
    foglio.disabilita = Some(disabile(GradoDisabilita::Nas));
    let who = casa.add(Ruolo::D, foglio);
    let spouse = casa.member(Ruolo::C, 40, 0);
    let minor = casa.member(Ruolo::F, 9, 0);
    casa.member(Ruolo::P, 70, 20_000);
    casa.ristretto(&[(who, Relazione::B), (spouse, Relazione::C), (minor, Relazione::F)]);
    let indicatori = casa.indicatori();
    assert_eq!(indicatori.ristretti[0].calcolo.isee.to_string(), "2362.20");
    // The ordinary one has the grandfather's 17,000 too: 23,000 / (2.46 + 0.50) = 7,770.27.
    assert_eq!(indicatori.ordinario.isee.to_string(), "7770.27");
}

#[test]
fn the_current_isee_replaces_the_changed_members_incomes_and_assets() {
    // Two employees of 20,000 (17,000 each): 34,000 / 1.57 = 21,656.05. One loses the work: 6,000 in twelve
    // months, less 20%: 4,800. 21,800 / 1.57 = 13,885.35. SommaRedditiComponenti stays,
    // SommaRedditiComponentiCorrente is the new one.
    let couple = || {
        let mut casa = Caseta::on(TODAY);
        casa.member(Ruolo::D, 40, 20_000);
        casa.member(Ruolo::C, 40, 20_000);
        casa
    };
    let lines = |casa: &Caseta| {
        let calcolo = casa.indicatori().ordinario;
        let m = &calcolo.modalita;
        let corrente = m
            .somma_redditi_componenti_corrente
            .map(|corrente| corrente.to_string());
        (
            m.somma_redditi_componenti.to_string(),
            corrente,
            calcolo.isee.to_string(),
        )
    };
    let mut casa = couple();
    assert_eq!(lines(&casa), ("34000.00".to_owned(), None, "21656.05".to_owned()));
    let change = variazione(&mut casa, 0, TipoVariazione::A, (Some(6000), None));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(
        lines(&casa),
        (
            "34000.00".to_owned(),
            Some("21800.00".to_owned()),
            "13885.35".to_owned()
        )
    );
    // Two months of 1,000: the same.
    let mut casa = couple();
    let change = variazione(&mut casa, 0, TipoVariazione::A, (None, Some(1000)));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(
        lines(&casa),
        (
            "34000.00".to_owned(),
            Some("21800.00".to_owned()),
            "13885.35".to_owned()
        )
    );
    // Treatments count too, their own share of 20% in place of the employee's where it is larger: 9,000 of
    // treatments, less 1,000.
    let mut casa = couple();
    let mut change = variazione(&mut casa, 0, TipoVariazione::B, (Some(0), None));
    change.trattamenti_assistenziali_12_mesi = Some(9000);
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(
        lines(&casa),
        (
            "34000.00".to_owned(),
            Some("25000.00".to_owned()),
            "15923.57".to_owned()
        )
    );
    // Assets alone: an account of 58,000 has become 8,000, all within the franchise of 8,000. 34,000 + 20% x
    // 50,000 = 44,000 before, 34,000 after.
    let mut casa = couple();
    casa.conto(0, 58_000);
    assert_eq!(lines(&casa).2, "28025.48");
    let mut change = variazione(&mut casa, 0, TipoVariazione::D, (None, None));
    change.patrimonio_mobiliare = Some(conti(8000));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(lines(&casa), ("34000.00".to_owned(), None, "21656.05".to_owned()));
}

#[test]
fn every_indicator_has_its_current_one() {
    // The mother's 17,000 become 4,800: for the minor with an attracted father (27,000), 31,800 / 2.04 =
    // 15,588.24; for a component 4,800 / 1.57 = 3,057.32 + 3,970.59.
    for (married, expected) in [(false, "15588.24"), (true, "7027.91")] {
        let (mut casa, minors) = mother_and(1);
        casa.parent(&minors, (false, married), Some((30_000, 3)));
        let change = variazione(&mut casa, 0, TipoVariazione::A, (Some(6000), None));
        casa.dsu.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        assert_eq!(found(&casa.indicatori().minorenni[0]).1, expected);
    }
    // A restricted nucleus: 4,800 / 1.50 = 3,200. Residential: the same.
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 40, 20_000);
    casa.sheet(who).disabilita = Some(disabile(GradoDisabilita::Dim));
    casa.member(Ruolo::C, 40, 20_000);
    casa.ristretto(&[(who, Relazione::B)]);
    casa.residential(1, who);
    let change = variazione(&mut casa, who, TipoVariazione::A, (Some(6000), None));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    let indicatori = casa.indicatori();
    assert_eq!(indicatori.ristretti[0].calcolo.isee.to_string(), "3200.00");
    assert_eq!(
        found(indicatori.ristretti[0].residenziale.as_ref().unwrap()),
        (None, "3200.00".to_owned())
    );
    // A student with both parents: (4,800 + 17,000 + 0) / 2.04 = 10,686.27.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 50, 20_000);
    casa.member(Ruolo::C, 50, 20_000);
    let student = casa.member(Ruolo::Fc, 22, 0);
    casa.student(student, PresenzaGenitori::TuttiPresenti, None, None);
    let change = variazione(&mut casa, 0, TipoVariazione::A, (Some(6000), None));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (None, "10686.27".to_owned())
    );
}

#[test]
fn a_current_isee_needs_the_change_that_the_law_of_the_day_asks() {
    // From 17,000 net: a quarter less is 12,750, which 15,750 in twelve months gives (less 3,000): not more
    // than a quarter.
    let judged = |presented: Date, tipo: TipoVariazione, income: u32| {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 40, 20_000);
        let before = casa.indicatori().ordinario;
        let change = variazione(&mut casa, 0, tipo, (Some(income), None));
        let corrente = IseeCorrente {
            variazione: vec![change],
        };
        casa.dsu.isee_corrente = Some(corrente.clone());
        let rules = Rules::embedded().unwrap();
        sufficiente(
            &corrente,
            &before,
            &casa.indicatori().ordinario,
            rules.on(presented).unwrap(),
        )
    };
    // To 22 October 2019 the event and the change; since then one is enough. Kind C has no event of its own.
    let (before, after) = (date(2019, 10, 22), date(2019, 10, 23));
    assert_eq!(judged(before, TipoVariazione::A, 15_749), Ok(()));
    assert_eq!(
        judged(before, TipoVariazione::A, 15_750),
        Err(Insufficiente::Reddito)
    );
    assert_eq!(judged(after, TipoVariazione::A, 15_750), Ok(()));
    assert_eq!(judged(after, TipoVariazione::C, 15_749), Ok(()));
    assert_eq!(
        judged(after, TipoVariazione::C, 15_750),
        Err(Insufficiente::Reddito)
    );
    // More income is a change as well as less.
    assert_eq!(judged(after, TipoVariazione::C, 25_000), Ok(()));
    // Assets: from 50,000 above the franchise to 40,000 is a fifth, which is not more than a fifth.
    let assets = |after: u32| {
        let mut casa = Caseta::on(date(2026, 4, 1));
        casa.member(Ruolo::D, 40, 20_000);
        casa.conto(0, 56_000);
        let before = casa.indicatori().ordinario;
        let mut change = variazione(&mut casa, 0, TipoVariazione::D, (None, None));
        change.patrimonio_mobiliare = Some(conti(after));
        let corrente = IseeCorrente {
            variazione: vec![change],
        };
        casa.dsu.isee_corrente = Some(corrente.clone());
        let rules = Rules::embedded().unwrap();
        sufficiente(
            &corrente,
            &before,
            &casa.indicatori().ordinario,
            rules.on(casa.presented).unwrap(),
        )
    };
    assert_eq!(
        (assets(46_000), assets(45_999)),
        (Err(Insufficiente::Patrimonio), Ok(()))
    );
}

#[test]
fn a_current_isee_is_valid_for_months_or_to_the_end_of_the_year() {
    let valid = |presented: Date, tipo: TipoVariazione| {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 40, 20_000);
        let change = variazione(&mut casa, 0, tipo, (Some(6000), None));
        let rules = Rules::embedded().unwrap();
        IseeCorrente {
            variazione: vec![change],
        }
        .scadenza(presented, rules.on(presented).unwrap())
    };
    assert_eq!(valid(date(2019, 10, 22), TipoVariazione::A), date(2019, 12, 22));
    assert_eq!(valid(date(2019, 10, 23), TipoVariazione::A), date(2020, 4, 23));
    assert_eq!(valid(date(2026, 8, 31), TipoVariazione::B), date(2027, 2, 28));
    assert_eq!(valid(date(2026, 5, 2), TipoVariazione::D), date(2026, 12, 31));
    assert_eq!(valid(date(2026, 5, 2), TipoVariazione::Ad), date(2026, 12, 31));
}

#[test]
fn the_specific_isee_of_2026() {
    let family = |presented: Date, comune: &str, children: usize| {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 40, 30_000);
        casa.member(Ruolo::C, 40, 0);
        for _ in 0..children {
            casa.member(Ruolo::F, 8, 0);
        }
        casa.estate(0, 130_000, 0, true);
        casa.form().abitazione.indirizzo_abitazione.codice_comune = comune.to_owned();
        let indicatori = casa.indicatori();
        (
            indicatori.ordinario.isee.to_string(),
            indicatori
                .specifico
                .map(|specifico| specifico.famiglia.isee.to_string()),
        )
    };
    // Pisa, one child. Ordinary: 2/3 x (130,000 - 52,500) = 51,666.67; ISE 27,000 + 10,333.33 = 37,333.33; /
    // 2.04 = 18,300.65. Specific: 2/3 x (130,000 - 91,500) = 25,666.67; 27,000 + 5,133.33 = 32,133.33; / 2.04
    // = 15,751.63.
    assert_eq!(
        family(TODAY, "G702", 1),
        ("18300.65".to_owned(), Some("15751.63".to_owned()))
    );
    // Rome, two children: franchise 120,000 + 2,500 = 122,500; 2/3 x 7,500 = 5,000; 28,000 / (2.46 + 0.10) =
    // 10,937.50. Ordinary: 37,333.33 / 2.46 = 15,176.15.
    assert_eq!(
        family(TODAY, "H501", 2),
        ("15176.15".to_owned(), Some("10937.50".to_owned()))
    );
    // Pisa, three: 91,500 + 5,000 = 96,500; 2/3 x 33,500 = 22,333.33; 31,466.67 / (2.85 + 0.25) = 10,150.54.
    // Ordinary: franchise 55,000: 2/3 x 75,000 = 50,000; 37,000 / (2.85 + 0.20) = 12,131.15.
    assert_eq!(
        family(TODAY, "G702", 3),
        ("12131.15".to_owned(), Some("10150.54".to_owned()))
    );
    // Five children: 0.55, and seven members: 2.85 + 2 x 0.35 = 3.55; franchise 91,500 + 10,000; 2/3 x 28,500
    // = 19,000; 30,800 / 4.10.
    assert_eq!(family(TODAY, "G702", 5).1.unwrap(), "7512.20");
    // On 31 December 2025 there was none.
    assert_eq!(family(date(2025, 12, 31), "G702", 1).1, None);
}

#[test]
fn disability_before_2016_was_deducted_from_income_and_has_moved_the_scale_since() {
    // One employee of 20,000 (17,000 net) with a disability of each degree, alone.
    let alone = |presented: Date, grado: GradoDisabilita, change: &dyn Fn(&mut Caseta)| {
        let mut casa = Caseta::on(presented);
        let who = casa.member(Ruolo::D, 40, 20_000);
        casa.sheet(who).disabilita = Some(disabile(grado));
        change(&mut casa);
        casa.indicatori().ordinario.isee.to_string()
    };
    let none = |_: &mut Caseta| {};
    let (before, since) = (date(2015, 6, 1), date(2016, 6, 1));
    // 17,000 - 4,000; - 5,500; - 7,000.
    assert_eq!(alone(before, GradoDisabilita::Dim, &none), "13000.00");
    assert_eq!(alone(before, GradoDisabilita::Dig, &none), "11500.00");
    assert_eq!(alone(before, GradoDisabilita::Nas, &none), "10000.00");
    // 17,000 / 1.50.
    assert_eq!(alone(since, GradoDisabilita::Nas, &none), "11333.33");
    // A minor: - 5,500, 7,500, 9,500; since then 17,000 / (1.57 + 0.50).
    let minor = |presented: Date, grado: GradoDisabilita| {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 40, 20_000);
        let child = casa.member(Ruolo::F, 8, 0);
        casa.sheet(child).disabilita = Some(disabile(grado));
        casa.indicatori().ordinario.isee.to_string()
    };
    // 11,500 / 1.57, 9,500 / 1.57, 7,500 / 1.57, 17,000 / 2.07.
    assert_eq!(minor(before, GradoDisabilita::Dim), "7324.84");
    assert_eq!(minor(before, GradoDisabilita::Dig), "6050.96");
    assert_eq!(minor(before, GradoDisabilita::Nas), "4777.07");
    assert_eq!(minor(since, GradoDisabilita::Dim), "8212.56");
    // Home help of 3,000 and carers of 5,000 of who is not self-sufficient, up to the treatments of 6,000:
    // 17,000 + 6,000 less 20% of these, at most 1,000, which is less than the employee's 3,000: 20,000 +
    // 6,000 - 3,000 = 23,000, - 6,000 - 7,000 = 10,000. Treatments for disability are no income since 2016:
    // 17,000 / 1.50.
    let help = |casa: &mut Caseta| {
        let sheet = casa.sheet(0);
        sheet.disabilita.as_mut().unwrap().spese_assistenza = Some(5000);
        sheet.altri_redditi = Some(AltriRedditi {
            flag_esonerato: false,
            reddito_irpef: None,
            spese_collab_domestici: Some(3000),
            ..esonerato(0)
        });
        casa.feed[0].trattamenti_disabilita = Some(Decimal::from(6000));
    };
    assert_eq!(alone(before, GradoDisabilita::Nas, &help), "10000.00");
    assert_eq!(alone(since, GradoDisabilita::Nas, &help), "11333.33");
    // In residential care the fee in place of them; for residential services not even that (art. 6 c. 3 a):
    // 23,000 - 7,000 = 16,000, and All. 1 e.
    let fee = |casa: &mut Caseta| {
        help(casa);
        let disabilita = casa.sheet(0).disabilita.as_mut().unwrap();
        disabilita.flag_prest_residenziale = true;
        disabilita.retta_versata = Some(4000);
    };
    assert_eq!(alone(before, GradoDisabilita::Nas, &fee), "12000.00");
    let mut casa = Caseta::on(before);
    let who = casa.member(Ruolo::D, 40, 20_000);
    casa.sheet(who).disabilita = Some(disabile(GradoDisabilita::Nas));
    fee(&mut casa);
    casa.residential(0, who);
    assert_eq!(
        found(&casa.indicatori().residenziali[0]),
        (Some(ModoCalcolo::Residenziale), "16000.00".to_owned())
    );
}

#[test]
fn the_yield_of_each_year_moves_the_figurative_income() {
    // Bonds of 10,000, no income: 10,000 x yield + 20 % of (10,000 - 6,000). Of 25,000: 25,000 x yield + 20 %
    // of 19,000. A couple of employees of 20,000 with bonds of 40,000: (34,000 + 40,000 x yield + 20 % of
    // (40,000 - 8,000)) / 1.57.
    const YEARS: [(i16, &str, &str, &str); 12] = [
        (2015, "950.00", "4175.00", "26114.65"),
        (2016, "920.00", "4100.00", "26038.22"),
        (2017, "910.00", "4075.00", "26012.74"),
        (2018, "930.00", "4125.00", "26063.69"),
        (2019, "980.00", "4250.00", "26191.08"),
        (2020, "905.00", "4062.50", "26000.00"),
        (2021, "901.00", "4052.50", "25989.81"),
        (2022, "880.00", "4000.00", "25936.31"),
        (2023, "1104.00", "4560.00", "26507.01"),
        (2024, "1150.00", "4675.00", "26624.20"),
        (2025, "1100.00", "4550.00", "26496.82"),
        (2026, "1060.00", "4450.00", "26394.90"),
    ];
    for (year, first, second, third) in YEARS {
        let of = |bonds: u32, couple: bool| {
            let mut casa = Caseta::on(date(year, 2, 1));
            let who = casa.member(Ruolo::D, 40, if couple { 20_000 } else { 0 });
            if couple {
                casa.member(Ruolo::C, 40, 20_000);
            }
            casa.sheet(who).patrimonio_mobiliare = Some(rapporto(TipoRapporto::Titoli, bonds));
            casa.indicatori().ordinario.isee.to_string()
        };
        assert_eq!(
            (&*of(10_000, false), &*of(25_000, false), &*of(40_000, true)),
            (first, second, third),
            "{year}"
        );
    }
}

#[test]
fn bonds_and_postal_savings_are_left_out_from_the_fifth_of_march_2025() {
    // Bonds, of which the feed knows so much as the State's; and a savings deposit, of which it knows so much
    // as a postal book.
    let of = |presented: Date, (bonds, state): (u32, u32), (deposit, book): (u32, u32)| {
        let mut casa = Caseta::on(presented);
        let who = casa.member(Ruolo::D, 40, 20_000);
        let mut assets = rapporto(TipoRapporto::Titoli, bonds);
        assets
            .rapporto
            .extend(rapporto(TipoRapporto::Risparmio, deposit).rapporto);
        casa.sheet(who).patrimonio_mobiliare = Some(assets);
        casa.feed[0].titoli_di_stato = Some(state.into());
        casa.feed[0].libretti_postali = Some(book.into());
        casa.indicatori().ordinario.isee.to_string()
    };
    let (before, since) = (date(2025, 3, 4), date(2025, 3, 5));
    // 20,000 of which 15,000 the State's, 10,000 of which 4,000 postal. Before: 17,000 + 600 + 20 % of
    // (30,000 - 6,000) = 22,400. Since: 17,000 + 3 % of 5,000 + 20 % of (30,000 - 19,000 - 6,000) = 18,150.
    assert_eq!(of(before, (20_000, 15_000), (10_000, 4000)), "22400.00");
    assert_eq!(of(since, (20_000, 15_000), (10_000, 4000)), "18150.00");
    // All of it, up to 50,000: 70,000 of which 60,000, a deposit of 10,000 all postal. Since: bonds 20,000,
    // the deposit stays: 17,000 + 600 + 20 % of (30,000 - 6,000) = 22,400. Before: 17,000 + 2,100 + 20 % of
    // 74,000 = 33,900.
    assert_eq!(of(since, (70_000, 60_000), (10_000, 10_000)), "22400.00");
    assert_eq!(of(before, (70_000, 60_000), (10_000, 10_000)), "33900.00");
    // No more is left out than is declared: 5,000 declared, 9,000 known. Since: 17,000 + 0 + 20 % of (1,000 -
    // 6,000, none).
    assert_eq!(of(since, (5000, 9000), (1000, 0)), "17000.00");
    // Before: 17,000 + 150 + 20 % of (6,000 - 6,000).
    assert_eq!(of(before, (5000, 9000), (1000, 0)), "17150.00");
}

#[test]
fn adult_children_away_belong_to_the_nucleus_under_an_age_from_2019_to_2023() {
    let rules = Rules::embedded().unwrap();
    let refused = |presented: Date, age: i16| {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 60, 0);
        casa.member(Ruolo::Fnc, age, 0);
        let calendario = Calendario::default();
        let circumstance = Circumstance::on(presented, rules.on(presented).unwrap(), &calendario);
        examine(&casa.dsu, &circumstance)
            .difetti
            .iter()
            .any(|difetto| difetto.code.code() == "K06.non-convivente")
    };
    // DL 4/2019 art. 2 c. 5, from 29 January 2019 to 31 December 2023.
    for free in [date(2018, 12, 31), date(2019, 1, 28), date(2024, 1, 1), TODAY] {
        assert_eq!(
            [refused(free, 25), refused(free, 26), refused(free, 40)],
            [false, false, false],
            "{free}"
        );
    }
    for limited in [
        date(2019, 1, 29),
        date(2019, 9, 1),
        date(2021, 6, 1),
        date(2023, 12, 31),
    ] {
        assert_eq!(
            [refused(limited, 25), refused(limited, 26), refused(limited, 40)],
            [false, true, true],
            "{limited}"
        );
    }
}

#[test]
fn assets_in_a_current_isee_are_for_some_months_since_september_2021() {
    let rules = Rules::embedded().unwrap();
    let refused = |presented: Date| {
        let mut casa = Caseta::on(presented);
        let who = casa.member(Ruolo::D, 40, 20_000);
        let mut change = variazione(&mut casa, who, TipoVariazione::D, (None, None));
        change.patrimonio_mobiliare = Some(conti(1));
        casa.dsu.operazione.tipo = TipoOperazione::C;
        casa.dsu.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        let calendario = Calendario::default();
        let circumstance = Circumstance::on(presented, rules.on(presented).unwrap(), &calendario);
        examine(&casa.dsu, &circumstance)
            .difetti
            .iter()
            .any(|difetto| difetto.code.code() == "K17.periodo")
    };
    assert_eq!(
        [date(2021, 6, 1), date(2021, 8, 31), date(2019, 11, 1)].map(refused),
        [true; 3]
    );
    assert_eq!(
        [date(2021, 9, 1), date(2021, 12, 31), date(2026, 4, 1)].map(refused),
        [false; 3]
    );
    assert_eq!(
        [date(2022, 1, 1), date(2022, 3, 31), date(2026, 3, 31)].map(refused),
        [true; 3]
    );
}

#[test]
fn the_year_of_the_assets_moved_in_2020() {
    let rules = Rules::embedded().unwrap();
    let year = |presented: Date| rules.on(presented).unwrap().assets_year(presented);
    assert_eq!(
        [date(2015, 1, 1), date(2018, 6, 1), date(2019, 12, 31)].map(year),
        [2014, 2017, 2018]
    );
    assert_eq!(
        [date(2020, 1, 1), date(2023, 6, 1), date(2026, 12, 31)].map(year),
        [2018, 2021, 2024]
    );
}

#[test]
fn amounts_are_rounded_half_away_from_zero_once_a_line() {
    let cases = [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("2.344999", "2.34"),
        ("2.345", "2.35"),
        ("-0.004", "0.00"),
        ("-0", "0.00"),
    ];
    for (amount, expected) in cases {
        assert_eq!(rounded(amount.parse().unwrap()).to_string(), expected);
    }
    // A text that is read again is written the same.
    for (amount, expected) in [
        ("-0.004", "0.00"),
        ("-0.00", "0.00"),
        ("-0.01", "-0.01"),
        ("1.5", "1.50"),
    ] {
        assert_eq!(Importo(amount.parse().unwrap()).to_string(), expected);
    }
}

/// A family with a student away, a parent elsewhere, a residential beneficiary and a restricted nucleus: all
/// that K13 to K16 look at.
fn everything() -> Caseta {
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 70, 20_000);
    casa.sheet(who).disabilita = Some(disabile(GradoDisabilita::Dim));
    let minor = casa.member(Ruolo::F, 8, 0);
    let student = casa.member(Ruolo::P, 22, 0);
    casa.parent(&[minor], (false, false), Some((30_000, 2)));
    let mother = casa.foglio(50, 0);
    casa.student(
        student,
        PresenzaGenitori::ConiugatiNonPresenti,
        Some(false),
        Some(&mother),
    );
    casa.ristretto(&[(who, Relazione::B), (minor, Relazione::F)]);
    let child = casa.child(Some(24_000), 2);
    let given = casa.foglio(50, 0).codice_fiscale;
    let each = casa.residential(1, who);
    each.flag_figli_non_compresi = true;
    each.figlio_non_compreso_nel_nucleo = vec![child];
    each.flag_donazioni = true;
    each.flag_donazioni_successive = Some(true);
    each.donazione = vec![Donazione {
        tipo_immobile: TipoImmobile::F,
        codice_comune_stato: "H501".to_owned(),
        quota_posseduta: Decimal::from(50),
        quota_donata: Decimal::from(50),
        valore_imu: 1000,
        codice_fiscale_ricevente: given,
    }];
    casa
}

/// A declaration of an operation that has a section of its own, and what its section must be like.
#[test]
fn checks_of_operations_and_of_current_isee() {
    let operation = |tipo: TipoOperazione| {
        let mut casa = Caseta::on(TODAY);
        let who = casa.member(Ruolo::D, 40, 20_000);
        let change = variazione(&mut casa, who, TipoVariazione::A, (Some(6000), None));
        casa.dsu.operazione.tipo = tipo;
        casa.dsu.operazione.numero_protocollo_riferimento = Some(PARENTS.to_owned());
        casa.dsu.nucleo_familiare = None;
        casa.dsu.modello_base.clear();
        if tipo == TipoOperazione::C {
            casa.dsu.isee_corrente = Some(IseeCorrente {
                variazione: vec![change],
            });
        }
        casa
    };
    fn change(casa: &mut Caseta) -> &mut varco::isee::dsu::Variazione {
        &mut casa.dsu.isee_corrente.as_mut().unwrap().variazione[0]
    }
    const CASES: &[(TipoOperazione, Case)] = &[
        (
            TipoOperazione::C,
            ("K02.riferimento", "/@NumeroProtocolloRiferimento", |casa| {
                casa.dsu.operazione.numero_protocollo_riferimento = None;
            }),
        ),
        (
            TipoOperazione::X,
            ("K02.riferimento", "/@NumeroProtocolloRiferimento", |casa| {
                casa.dsu.operazione.numero_protocollo_riferimento = None;
            }),
        ),
        (
            TipoOperazione::A,
            ("K03.mancante", "/IntegrazioneComponenteAggiuntiva", |_| {}),
        ),
        (
            TipoOperazione::I,
            ("K03.mancante", "/IntegrazioneRedditi", |_| {}),
        ),
        (
            TipoOperazione::I,
            ("K03.documento", "/@DescDocAltro", |casa| {
                let mut section = redditi(&casa.famiglie.foglio(40, 40).codice_fiscale, 1);
                section.componente_per_integrazione_redditi[0].flag_doc_altro = Some(true);
                casa.dsu.integrazione_redditi = Some(section);
            }),
        ),
        (
            TipoOperazione::S,
            ("K03.mancante", "/IntegrazioneResidenziale", |_| {}),
        ),
        (
            TipoOperazione::C,
            ("K03.mancante", "/ISEECorrente", |casa| {
                casa.dsu.isee_corrente = None
            }),
        ),
        (
            TipoOperazione::C,
            ("K03.sezione", "/NucleoFamiliare", |casa| {
                casa.dsu.nucleo_familiare = Caseta::on(TODAY).dsu.nucleo_familiare;
            }),
        ),
        (
            TipoOperazione::X,
            ("K03.sezione", "/ModelloBase", |casa| {
                casa.dsu.modello_base = Caseta::on(TODAY).dsu.modello_base
            }),
        ),
        (TipoOperazione::R, ("K04.nucleo", "/Dichiarazione", |_| {})),
        (
            TipoOperazione::C,
            ("K17.mesi", "/@RedditoDipendente2Mesi", |casa| {
                change(casa).reddito_dipendente_2_mesi = Some(1)
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.redditi", "/@TipoVariazione", |casa| {
                change(casa).reddito_dipendente_12_mesi = None
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.patrimonio", "/@TipoVariazione", |casa| {
                change(casa).patrimonio_mobiliare = Some(conti(1))
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.patrimonio", "/@TipoVariazione", |casa| {
                change(casa).tipo_variazione = TipoVariazione::Ad
            }),
        ),
        // Presented in March: assets may be given from April on.
        (
            TipoOperazione::C,
            ("K17.periodo", "/@TipoVariazione", |casa| {
                change(casa).tipo_variazione = TipoVariazione::Ad;
                change(casa).patrimonio_mobiliare = Some(conti(1));
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.documenti", "/@Documentazione", |casa| {
                change(casa).documentazione = Some(" ".to_owned())
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.data", "/@DataVariazione", |casa| {
                change(casa).data_variazione = Some(date(2026, 3, 11))
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.protocollo", "/@ProtocolloInpsDSUCorrente", |casa| {
                change(casa).protocollo_inps_dsu_corrente = Some("INPS-ISEE-2026-00000008I-00".to_owned());
            }),
        ),
        (
            TipoOperazione::C,
            ("K17.doppio", "/Variazione[2]/@CodiceFiscale", |casa| {
                let again = change(casa).clone();
                casa.dsu.isee_corrente.as_mut().unwrap().variazione.push(again);
            }),
        ),
        (
            TipoOperazione::C,
            (
                "K09.valore",
                "/Variazione/PatrimonioMobiliare/Rapporto/@Valore",
                |casa| {
                    let mut assets = rapporto(TipoRapporto::Titoli, 1);
                    assets.rapporto[0].valore = None;
                    change(casa).patrimonio_mobiliare = Some(assets);
                },
            ),
        ),
    ];
    let rules = Rules::embedded().unwrap();
    let exam = |casa: &Caseta| {
        examine(
            &casa.dsu,
            &Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &Calendario::default()),
        )
    };
    for tipo in [TipoOperazione::C, TipoOperazione::X] {
        assert_eq!(exam(&operation(tipo)).difetti, [], "{tipo:?}");
    }
    for (tipo, (code, path, spoil)) in CASES {
        let mut casa = operation(*tipo);
        spoil(&mut casa);
        let difetti = exam(&casa).difetti;
        assert!(
            difetti
                .iter()
                .any(|difetto| difetto.code.code() == *code && difetto.path.ends_with(path)),
            "{code} {path}: {difetti:?}"
        );
    }
}

/// A check, the end of the path that it names, and what provokes it.
type Case = (&'static str, &'static str, fn(&mut Caseta));

#[test]
fn checks_of_students_parents_residential_services_and_restricted_nuclei() {
    fn stranger(casa: &mut Caseta) -> varco::isee::CodiceFiscale {
        casa.famiglie.foglio(30, 30).codice_fiscale
    }
    fn student(casa: &mut Caseta) -> &mut Universitario {
        &mut casa.form().universitario[0]
    }
    fn parent(casa: &mut Caseta) -> &mut GenitoreNonConvivente {
        &mut casa.form().genitore_non_convivente[0]
    }
    fn detail(casa: &mut Caseta) -> &mut DettaglioGenitoreNonConvivente {
        let Some(DatiGenitore::Dettaglio(detail)) = &mut parent(casa).dati else {
            panic!()
        };
        detail
    }
    fn each(casa: &mut Caseta) -> &mut Residenziale {
        &mut casa.dsu.modello_base[1].residenziale[0]
    }
    fn child(casa: &mut Caseta) -> &mut FiglioNonCompresoNelNucleo {
        &mut each(casa).figlio_non_compreso_nel_nucleo[0]
    }
    fn child_detail(casa: &mut Caseta) -> &mut DettaglioFiglio {
        let Some(DatiFiglio::Dettaglio(detail)) = &mut child(casa).dati else {
            panic!()
        };
        detail
    }
    fn restricted(casa: &mut Caseta) -> &mut Vec<ComponenteNucleoRistretto> {
        &mut casa.dsu.modello_base[1]
            .nucleo_ristretto
            .as_mut()
            .unwrap()
            .componente_nucleo_ristretto
    }
    const CASES: &[Case] = &[
        (
            "K13.beneficiario",
            "/Universitario/@CodiceFiscaleBeneficiario",
            |casa| {
                let other = stranger(casa);
                student(casa).codice_fiscale_beneficiario = other;
            },
        ),
        ("K13.autonomia", "/@FlagResidenzaStudente", |casa| {
            student(casa).flag_residenza_studente = None
        }),
        ("K13.autonomia", "/@FlagCapacitaRedditoStudente", |casa| {
            student(casa).flag_capacita_reddito_studente = None
        }),
        ("K13.genitore", "/@CodiceFiscaleGenitore", |casa| {
            student(casa).codice_fiscale_genitore = None
        }),
        ("K13.dati", "/@NumeroProtocolloRifGenitore", |casa| {
            student(casa).numero_protocollo_rif_genitore = None
        }),
        (
            "K13.doppio",
            "/Universitario[2]/@CodiceFiscaleBeneficiario",
            |casa| {
                let again = student(casa).clone();
                casa.form().universitario.push(again);
            },
        ),
        (
            "K13.doppio",
            "/ModelloBase[2]/Universitario/@CodiceFiscaleBeneficiario",
            |casa| {
                let again = student(casa).clone();
                casa.dsu.modello_base[1].universitario.push(again);
            },
        ),
        ("K14.beneficiario", "/Beneficiario/@CodiceFiscale", |casa| {
            let other = stranger(casa);
            parent(casa).beneficiario[0].codice_fiscale = other;
        }),
        ("K14.condizioni", "/@FlagAlcunaCondizione", |casa| {
            parent(casa).flag_coniugato_con_persona_diversa = true
        }),
        ("K14.condizioni", "/@FlagAlcunaCondizione", |casa| {
            parent(casa).flag_alcuna_condizione = false
        }),
        ("K14.escluso", "/GenitoreNonConvivente", |casa| {
            parent(casa).flag_genitore_escluso = true;
            parent(casa).flag_alcuna_condizione = false;
        }),
        (
            "K14.convivente",
            "/GenitoreNonConvivente/@CodiceFiscale",
            |casa| {
                let foglio = detail(casa).foglio_componente_genitore.clone().unwrap();
                casa.add(Ruolo::P, foglio);
            },
        ),
        (
            "K14.dettaglio",
            "/FoglioComponenteGenitore/@CodiceFiscale",
            |casa| {
                let foglio = casa.foglio(45, 0);
                detail(casa).foglio_componente_genitore = Some(foglio);
            },
        ),
        (
            "K14.dettaglio",
            "/ComponenteAggiuntivaGenitore/@CodiceFiscale",
            |casa| {
                let other = stranger(casa);
                detail(casa).componente_aggiuntiva_genitore.codice_fiscale = other;
            },
        ),
        ("K14.completezza", "/@FlagCompletezzaDati", |casa| {
            detail(casa).foglio_componente_genitore = None
        }),
        (
            "K14.completezza",
            "/NucleoFamiliareComponenteAggiuntiva",
            |casa| {
                let detail = detail(casa);
                let numbers = detail
                    .componente_aggiuntiva_genitore
                    .nucleo_familiare_componente_aggiuntiva
                    .as_mut()
                    .unwrap();
                numbers.numero_ricoverati = Some(1);
            },
        ),
        ("K14.doppio", "/GenitoreNonConvivente[2]", |casa| {
            casa.parent(&[1], (false, true), None);
        }),
        ("K14.doppio", "/ModelloBase[2]/GenitoreNonConvivente", |casa| {
            casa.parent(&[1], (false, true), None);
            let other = casa.form().genitore_non_convivente.pop().unwrap();
            casa.dsu.modello_base[1].genitore_non_convivente.push(other);
        }),
        // Homes of who stands outside.
        ("K08.locazione", "/AbitazioneComponenteAggiuntiva", |casa| {
            let mut home = casa.form().abitazione.clone();
            home.tipo_abitazione = TipoAbitazione::Locazione;
            detail(casa)
                .componente_aggiuntiva_genitore
                .abitazione_componente_aggiuntiva = Some(home);
        }),
        (
            "K08.casa",
            "/FoglioComponenteFiglio/PatrimonioImmobiliare/Patrimonio/@FlagAbitazione",
            |casa| {
                let home = casa.form().abitazione.clone();
                let mut own = Caseta::on(TODAY);
                own.member(Ruolo::D, 50, 0);
                own.estate(0, 50_000, 0, true);
                let detail = child_detail(casa);
                detail
                    .componente_aggiuntiva_figlio
                    .abitazione_componente_aggiuntiva = Some(home);
                detail
                    .foglio_componente_figlio
                    .as_mut()
                    .unwrap()
                    .patrimonio_immobiliare = own.sheet(0).patrimonio_immobiliare.clone();
            },
        ),
        (
            "K15.beneficiario",
            "/Residenziale/@CodiceFiscaleBeneficiario",
            |casa| {
                let other = casa.code(2);
                each(casa).codice_fiscale_beneficiario = other;
            },
        ),
        ("K15.data", "/@DataRichiestaRicovero", |casa| {
            each(casa).data_richiesta_ricovero = date(2026, 3, 11)
        }),
        ("K15.figli", "/@FlagFigliNonCompresi", |casa| {
            each(casa).flag_figli_non_compresi = false
        }),
        ("K15.figli", "/@FlagFigliNonCompresi", |casa| {
            each(casa).figlio_non_compreso_nel_nucleo.clear()
        }),
        ("K15.donazioni", "/@FlagDonazioni", |casa| {
            each(casa).flag_donazioni_successive = Some(false)
        }),
        ("K15.donazioni", "/@FlagDonazioni", |casa| {
            each(casa).donazione.clear()
        }),
        ("K15.quota", "/Donazione/@QuotaDonata", |casa| {
            each(casa).donazione[0].quota_donata = Decimal::from(51)
        }),
        ("K15.esclusione", "/@CondizioneEsclusione", |casa| {
            child(casa).condizione_esclusione = Some(CondizioneEsclusione::A)
        }),
        ("K15.esclusione", "/@CondizioneEsclusione", |casa| {
            child(casa).estremi_esclusione = Some("SENTENZA 1".to_owned())
        }),
        (
            "K15.figlio",
            "/FiglioNonCompresoNelNucleo/@CodiceFiscale",
            |casa| {
                let foglio = child_detail(casa).foglio_componente_figlio.clone().unwrap();
                casa.add(Ruolo::P, foglio);
            },
        ),
        (
            "K15.figlio",
            "/FiglioNonCompresoNelNucleo[2]/@CodiceFiscale",
            |casa| {
                let again = child(casa).clone();
                each(casa).figlio_non_compreso_nel_nucleo.push(again);
            },
        ),
        (
            "K15.dettaglio",
            "/ComponenteAggiuntivaFiglio/@CodiceFiscale",
            |casa| {
                let other = stranger(casa);
                child_detail(casa).componente_aggiuntiva_figlio.codice_fiscale = other;
            },
        ),
        ("K15.completezza", "/@FlagCompletezzaDati", |casa| {
            child_detail(casa)
                .componente_aggiuntiva_figlio
                .nucleo_familiare_componente_aggiuntiva = None;
        }),
        ("K16.nucleo", "/ModelloBase[2]", |casa| {
            casa.dsu.modello_base[1].nucleo_ristretto = None
        }),
        ("K16.nucleo", "/ModelloBase[1]/NucleoRistretto", |casa| {
            let nucleo = casa.dsu.modello_base[1].nucleo_ristretto.clone();
            casa.form().nucleo_ristretto = nucleo;
        }),
        (
            "K16.componente",
            "/ComponenteNucleoRistretto[2]/@CodiceFiscale",
            |casa| {
                let other = stranger(casa);
                restricted(casa)[1].codice_fiscale = other;
            },
        ),
        (
            "K16.componente",
            "/ComponenteNucleoRistretto[2]/@CodiceFiscale",
            |casa| {
                let first = restricted(casa)[0].codice_fiscale.clone();
                restricted(casa)[1].codice_fiscale = first;
            },
        ),
        (
            "K16.beneficiario",
            "/ComponenteNucleoRistretto[2]/@FlagBeneficiario",
            |casa| restricted(casa)[1].flag_beneficiario = true,
        ),
        ("K16.beneficiario", "/NucleoRistretto", |casa| {
            restricted(casa)[0].flag_beneficiario = false;
            restricted(casa)[0].relazione_con_beneficiario = Relazione::C;
        }),
        ("K16.doppio", "/ModelloBase[3]/NucleoRistretto", |casa| {
            let again = casa.dsu.modello_base[1].clone();
            casa.dsu.modello_base.push(again);
        }),
        // Its conditions too, by its own members.
        (
            "K07.figli",
            "/ModelloBase[2]/CondizioniNucleo/@NumeroFigli",
            |casa| {
                casa.dsu.modello_base[1]
                    .condizioni_nucleo
                    .as_mut()
                    .unwrap()
                    .numero_figli = Some(u32::MAX);
            },
        ),
        (
            "K07.conviventi",
            "/ModelloBase[2]/CondizioniNucleo/@NumeroFigliConviventi",
            |casa| {
                casa.dsu.modello_base[1]
                    .condizioni_nucleo
                    .as_mut()
                    .unwrap()
                    .numero_figli_conviventi = Some(3);
            },
        ),
        // The home of a restricted nucleus is judged as the other one's is.
        ("K08.locazione", "/ModelloBase[2]/Abitazione", |casa| {
            casa.dsu.modello_base[1].abitazione.tipo_abitazione = TipoAbitazione::Locazione;
        }),
    ];
    let rules = Rules::embedded().unwrap();
    let exam = |casa: &Caseta| {
        examine(
            &casa.dsu,
            &Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &Calendario::default()),
        )
    };
    assert_eq!(exam(&everything()).difetti, []);
    for (code, path, change) in CASES {
        let mut casa = everything();
        change(&mut casa);
        let difetti = exam(&casa).difetti;
        assert!(
            difetti
                .iter()
                .any(|difetto| difetto.code.code() == *code && difetto.path.ends_with(path)),
            "{code} {path}: {difetti:?}"
        );
    }
    // Every check is provoked somewhere: here, in `tests/indicators/`, or in `tests/isee.rs`.
    let provoked: std::collections::BTreeSet<_> = CASES.iter().map(|(code, ..)| *code).collect();
    let elsewhere = [
        include_str!("indicators/controlli.rs"),
        include_str!("isee.rs"),
        include_str!("indicators.rs"),
    ];
    let is_provoked = |code: &str| {
        provoked.contains(code) || elsewhere.iter().any(|text| text.contains(&format!("\"{code}\"")))
    };
    // Checks that need the archive are provoked in other tests.
    let listed = Check::ALL
        .iter()
        .map(|check| check.code())
        .filter(|code| ("K04".."K19").contains(&&code[..3]));
    let listed = listed.filter(|code| {
        ![
            "K17.base",
            "K17.componente",
            "K17.numero",
            "K17.scostamento",
            "K18.periodo",
        ]
        .contains(code)
    });
    assert_eq!(
        listed.filter(|code| !is_provoked(code)).collect::<Vec<_>>(),
        [""; 0]
    );
}

#[test]
fn what_is_right_is_not_refused() {
    let rules = Rules::embedded().unwrap();
    let calendario = Calendario::default();
    let circumstance = Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &calendario);
    // A parent who joins the nucleus needs no numbers of another one.
    let mut casa = everything();
    let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
        panic!()
    };
    detail
        .componente_aggiuntiva_genitore
        .nucleo_familiare_componente_aggiuntiva = None;
    assert_eq!(examine(&casa.dsu, &circumstance).difetti, []);
    // Cohabiting children without the number of all of them.
    casa.form()
        .condizioni_nucleo
        .as_mut()
        .unwrap()
        .numero_figli_conviventi = Some(1);
    assert_eq!(examine(&casa.dsu, &circumstance).difetti, []);
    // A correction is judged by the ages of the first presentation: who was a minor then is one in it.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 40, 0);
    let child = casa.member(Ruolo::F, 18, 0);
    let born = casa.sheet(child).dati_componente.anagrafica.data_nascita;
    let codes = |circumstance: &Circumstance<'_>| -> Vec<_> {
        examine(&casa.dsu, circumstance)
            .difetti
            .iter()
            .map(|difetto| difetto.code.code())
            .collect()
    };
    assert_eq!(codes(&circumstance), ["K06.minore"]);
    let first = born.checked_add(jiff::Span::new().years(17)).unwrap();
    assert_eq!(
        codes(&Circumstance {
            presentata: Some(first),
            ..circumstance
        }),
        [""; 0]
    );
}

#[test]
fn homes_elsewhere_are_no_home_of_the_nucleus_and_exclusions_are_each_persons_own() {
    // The family's home of 52,000 is all within the franchise; the father's of 100,000, who joins for the
    // minor, counts in full.
    let (mut casa, minors) = mother_and(1);
    casa.estate(0, 52_000, 0, true);
    let father = casa.parent(&minors, (false, false), Some((30_000, 1)));
    let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
        panic!()
    };
    let mut own = Caseta::on(TODAY);
    own.add(Ruolo::D, father);
    own.estate(0, 100_000, 0, true);
    detail
        .foglio_componente_genitore
        .as_mut()
        .unwrap()
        .patrimonio_immobiliare = own.sheet(0).patrimonio_immobiliare.clone();
    // (44,000 + 20 % of 100,000) / 2.04.
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Attratta), "31372.55".to_owned())
    );
    // One member's undeclared bonds of the State leave nothing of another's shares out: 60,000 of a couple,
    // franchise 8,000.
    let mut casa = Caseta::on(TODAY);
    let holder = casa.member(Ruolo::D, 40, 20_000);
    casa.member(Ruolo::C, 40, 20_000);
    casa.sheet(holder).patrimonio_mobiliare = Some(rapporto(TipoRapporto::Titoli, 60_000));
    casa.feed[1].titoli_di_stato = Some(Decimal::from(30_000));
    assert_eq!(
        casa.indicatori()
            .ordinario
            .modalita
            .patrimonio_mobiliare
            .to_string(),
        "60000.00"
    );
    // The holder's own are; but not of assets that have changed since.
    casa.feed[0].titoli_di_stato = Some(Decimal::from(20_000));
    assert_eq!(
        casa.indicatori()
            .ordinario
            .modalita
            .patrimonio_mobiliare
            .to_string(),
        "40000.00"
    );
    let mut change = variazione(&mut casa, holder, TipoVariazione::D, (None, None));
    change.patrimonio_mobiliare = Some(rapporto(TipoRapporto::Titoli, 25_000));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    assert_eq!(
        casa.indicatori()
            .ordinario
            .modalita
            .patrimonio_mobiliare
            .to_string(),
        "25000.00"
    );
}

#[test]
fn the_addition_for_a_lone_parent_is_for_minors_and_nobody_else() {
    // 2.04 + 0.20 with two minors; with a grandfather in place of one, 2.04.
    let scale = |other: (Ruolo, i16)| {
        let mut casa = Caseta::on(TODAY);
        casa.member(Ruolo::D, 40, 0);
        casa.member(Ruolo::F, 8, 0);
        casa.member(other.0, other.1, 0);
        casa.form()
            .condizioni_nucleo
            .as_mut()
            .unwrap()
            .flag_unico_genitore = true;
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string()
    };
    assert_eq!(
        [
            scale((Ruolo::F, 9)),
            scale((Ruolo::P, 70)),
            scale((Ruolo::Fc, 20))
        ],
        ["2.24", "2.04", "2.04"]
    );
    // The other parent of an adult child, who is in care, is none of the minor's: 1.57 + 0.20, and 1.00.
    let (mut casa, _) = mother_and(1);
    let adult = casa.member(Ruolo::Fc, 20, 0);
    casa.sheet(adult).dati_componente.flag_convivenza_anagrafica = true;
    casa.form()
        .condizioni_nucleo
        .as_mut()
        .unwrap()
        .flag_unico_genitore = true;
    casa.parent(&[adult], (false, false), None);
    assert_eq!(
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string(),
        "2.77"
    );
}

#[test]
fn of_who_is_in_care_the_one_counts_in_the_scale_and_a_disability() {
    // Two members, both with a disability: 1.57 + 2 x 0.50 = 2.57; 17,000 / 2.57 = 6,614.79.
    let mut casa = Caseta::on(TODAY);
    let wife = casa.member(Ruolo::D, 70, 20_000);
    let husband = casa.member(Ruolo::C, 75, 0);
    casa.sheet(wife).disabilita = Some(disabile(GradoDisabilita::Dim));
    casa.sheet(husband).disabilita = Some(disabile(GradoDisabilita::Nas));
    assert_eq!(casa.indicatori().ordinario.isee.to_string(), "6614.79");
    // He in care: without him 1.00, and 1.00 for him, 0.50 for each: 3.00; 17,000 / 3.00 = 5,666.67.
    casa.sheet(husband)
        .disabilita
        .as_mut()
        .unwrap()
        .flag_prest_residenziale = true;
    assert_eq!(casa.indicatori().ordinario.isee.to_string(), "5666.67");
    // She in a registered community too: one stands for the nucleus, the other adds 1.00; 0.50 for each: the
    // same.
    casa.sheet(wife).dati_componente.flag_convivenza_anagrafica = true;
    assert_eq!(casa.indicatori().ordinario.isee.to_string(), "5666.67");
}

#[test]
fn children_in_care_and_others_there_move_no_addition() {
    let scale = |casa: &mut Caseta, hosted: usize| {
        casa.sheet(hosted).dati_componente.flag_convivenza_anagrafica = true;
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string()
    };
    // A couple at work, children of 8, 6 and 2: 2.85 + 0.20 (three) + 0.30 (under three). The smallest in a
    // community: 2.46 + 0.20 + 1.00.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 40, 0);
    casa.member(Ruolo::C, 40, 0);
    let [_, _, small] = [8, 6, 2].map(|age| casa.member(Ruolo::F, age, 0));
    casa.form()
        .condizioni_nucleo
        .as_mut()
        .unwrap()
        .flag_lavoro_genitori = true;
    assert_eq!(
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string(),
        "3.35"
    );
    assert_eq!(scale(&mut casa, small), "3.66");
    // As many are declared: he is one of them.
    casa.form().condizioni_nucleo.as_mut().unwrap().numero_figli = Some(3);
    assert_eq!(scale(&mut casa, small), "3.66");
    // A lone mother with a minor and a grandfather in care: without him 1.57 + 0.20, and 1.00.
    let (mut casa, _) = mother_and(1);
    let grandfather = casa.member(Ruolo::P, 80, 0);
    casa.form()
        .condizioni_nucleo
        .as_mut()
        .unwrap()
        .flag_unico_genitore = true;
    assert_eq!(scale(&mut casa, grandfather), "2.77");
}

#[test]
fn minors_are_minors_whoever_of_the_family_declares() {
    // The adult son declares: father and mother at work, a sister of eight: 2.46 + 0.20. The grandmother
    // declares: mother at work, a child of two: 2.04 + 0.30.
    let scale = |members: &[(Ruolo, i16)]| {
        let mut casa = Caseta::on(TODAY);
        for (ruolo, age) in members {
            casa.member(*ruolo, *age, 0);
        }
        casa.form()
            .condizioni_nucleo
            .as_mut()
            .unwrap()
            .flag_lavoro_genitori = true;
        casa.indicatori().ordinario.modalita.scala_equivalenza.to_string()
    };
    assert_eq!(
        scale(&[(Ruolo::D, 22), (Ruolo::P, 50), (Ruolo::P, 48), (Ruolo::P, 8)]),
        "2.66"
    );
    assert_eq!(scale(&[(Ruolo::D, 70), (Ruolo::Fc, 40), (Ruolo::P, 2)]), "2.34");
    // No minor, nothing.
    assert_eq!(scale(&[(Ruolo::D, 22), (Ruolo::P, 50), (Ruolo::P, 48)]), "2.04");
}

#[test]
fn a_student_joins_a_parent_whose_data_stand_here_and_who_lives_alone() {
    // The student (5,000: net 4,000) and the father (30,000: net 27,000), alone in his nucleus: 31,000 / 1.57
    // = 19,745.22.
    let attracted = |members: u32| {
        let (mut casa, student) = student_alone();
        let father = casa.parent(&[student], (false, false), Some((30_000, members)));
        casa.student(
            student,
            PresenzaGenitori::ConiugatiNonPresenti,
            Some(false),
            Some(&father),
        );
        casa.form().universitario[0].numero_protocollo_rif_genitore = None;
        found(&casa.indicatori().universitari[0])
    };
    assert_eq!(
        attracted(1),
        (Some(ModoCalcolo::StudenteAttratto), "19745.22".to_owned())
    );
    // Who lives with others: theirs are not known.
    assert_eq!(attracted(2), (None, format!("{:?}", MotivoDelCaso::Nucleo)));
}

#[test]
fn parents_and_students_count_whatever_form_they_stand_in() {
    let (mut casa, minors) = mother_and(1);
    casa.ristretto(&[(0, Relazione::B), (minors[0], Relazione::F)]);
    casa.parent(&minors, (false, false), Some((30_000, 1)));
    casa.student(0, PresenzaGenitori::TuttiPresenti, None, None);
    let parents = std::mem::take(&mut casa.form().genitore_non_convivente);
    let students = std::mem::take(&mut casa.form().universitario);
    casa.dsu.modello_base[1].genitore_non_convivente = parents;
    casa.dsu.modello_base[1].universitario = students;
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Attratta), "21568.63".to_owned())
    );
    assert_eq!(
        found(&casa.indicatori().universitari[0]),
        (None, "10828.03".to_owned())
    );
    assert_eq!(casa.dsu.fogli_esterni().count(), 1);
}

#[test]
fn a_parent_in_two_forms_is_one() {
    // Married to another, in a nucleus of three, and each child named in another form: 27,000 / 2.04 x 0.40 =
    // 5,294.12 for each; 8,333.33 besides.
    let (mut casa, minors) = mother_and(2);
    casa.ristretto(&[(0, Relazione::B), (minors[1], Relazione::F)]);
    casa.parent(&minors, (false, true), Some((30_000, 3)));
    let mut other = casa.form().genitore_non_convivente[0].clone();
    let first = &mut casa.form().genitore_non_convivente[0];
    first.beneficiario.truncate(1);
    first.dati = None;
    other.beneficiario.remove(0);
    casa.dsu.modello_base[1].genitore_non_convivente.push(other);
    let both: Vec<_> = casa.indicatori().minorenni.iter().map(found).collect();
    assert_eq!(
        both,
        vec![(Some(ModoCalcolo::Aggiuntiva), "13627.45".to_owned()); 2]
    );
}

#[test]
fn what_a_dsu_was_accepted_with_refuses_nothing_that_completes_it() {
    let rules = Rules::embedded().unwrap();
    let calendario = Calendario::default();
    let circumstance = Circumstance::on(TODAY, rules.on(TODAY).unwrap(), &calendario);
    let mut casa = everything();
    let again = casa.form().universitario[0].clone();
    casa.form().universitario.push(again.clone());
    assert_eq!(examine_effettiva(&casa.dsu, &casa.dsu, &circumstance).difetti, []);
    // What it adds is judged.
    let mut whole = casa.dsu.clone();
    whole.modello_base[0].universitario.push(again);
    let codes: Vec<_> = examine_effettiva(&whole, &casa.dsu, &circumstance)
        .difetti
        .iter()
        .map(|difetto| difetto.code.code())
        .collect();
    assert!(
        !codes.is_empty() && codes.iter().all(|code| *code == "K13.doppio"),
        "{codes:?}"
    );
}

#[test]
fn only_an_own_home_has_the_franchise() {
    // The restricted nucleus says that it has its home for nothing: a building of 100,000 that is the
    // family's own home is none of its.
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 40, 0);
    casa.member(Ruolo::P, 70, 0);
    casa.estate(who, 100_000, 0, true);
    casa.ristretto(&[(who, Relazione::B)]);
    let net = |casa: &Caseta| casa.indicatori().ristretti[0].calcolo.modalita.isp.to_string();
    // 2/3 of (100,000 - 52,500).
    assert_eq!(net(&casa), "31666.67");
    casa.dsu.modello_base[1].abitazione.tipo_abitazione = TipoAbitazione::Altro;
    assert_eq!(net(&casa), "100000.00");
}

#[test]
fn accounts_are_looked_for_in_the_year_of_the_assets() {
    let rules = Rules::embedded().unwrap();
    // Presented in 2019: incomes of 2017, assets of the end of 2018. In 2026: both of 2024.
    for (presented, years) in [(date(2019, 3, 1), [2018, 2017]), (TODAY, [2024, 2023])] {
        let mut casa = Caseta::on(presented);
        casa.member(Ruolo::D, 40, 20_000);
        let known = |anno: i16| {
            let mut record = casa.feed[0].clone();
            record.anno = anno;
            record.rapporti = vec![RapportoNoto {
                operatore: "01234567897".to_owned(),
                tipo: "01".to_owned(),
                identificativo: "IT00Y".to_owned(),
                saldo: None,
                giacenza: None,
            }];
            omissioni(
                &casa.dsu,
                presented,
                rules.on(presented).unwrap(),
                &vec![record],
                presented,
            )
            .len()
        };
        assert_eq!(years.map(known), [1, 0], "{presented}");
    }
}

#[test]
fn what_is_retrieved_has_the_agencys_figures_where_the_declared_ones_do_not_count() {
    let mut casa = Caseta::on(TODAY);
    let [empty, own] =
        [40, 50].map(|age| casa.member(if age == 40 { Ruolo::D } else { Ruolo::C }, age, 20_000));
    casa.sheet(empty).altri_redditi = Some(AltriRedditi {
        spese_collab_domestici: Some(300),
        ..AltriRedditi::nothing()
    });
    casa.sheet(own).altri_redditi = Some(esonerato(7000));
    let mut dsu = casa.dsu.clone();
    dsu.complete(PARENTS, &casa.feed, 2024);
    let figures: Vec<_> = dsu
        .fogli()
        .map(|foglio| foglio.altri_redditi.clone().unwrap())
        .collect();
    assert_eq!(figures[0].reddito_irpef, Some(Decimal::from(20_000)));
    assert_eq!(figures[0].spese_collab_domestici, Some(300));
    assert!(
        figures[1] == esonerato(7000),
        "the declared figures of who is exempt stay"
    );
    // Of another year nothing is taken.
    let mut dsu = casa.dsu.clone();
    dsu.complete(PARENTS, &casa.feed, 2023);
    assert_eq!(
        dsu.fogli()
            .next()
            .unwrap()
            .altri_redditi
            .as_ref()
            .unwrap()
            .reddito_irpef,
        None
    );
}

#[test]
fn incomes_of_who_stands_outside_are_completed_wherever_they_stand() {
    // Both are in care, and each names the same child.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 80, 20_000);
    casa.member(Ruolo::C, 80, 0);
    let child = casa.child(Some(1), 1);
    for beneficiary in 0..2 {
        let residential = casa.residential(0, beneficiary);
        residential.flag_figli_non_compresi = true;
        residential.figlio_non_compreso_nel_nucleo.push(child.clone());
    }
    let mut incomes = casa.dsu.clone();
    incomes.operazione.tipo = TipoOperazione::I;
    incomes.integrazione_redditi = Some(varco::isee::dsu::IntegrazioneRedditi {
        componente_per_integrazione_redditi: vec![varco::isee::dsu::ComponentePerIntegrazioneRedditi {
            codice_fiscale: child.codice_fiscale.clone(),
            flag_doc_redditi: Some(true),
            flag_doc_altro: None,
            desc_doc_altro: None,
            redditi: esonerato(30_000),
        }],
    });
    casa.dsu = varco::isee::operazioni::applica(&casa.dsu, &incomes)
        .ok()
        .unwrap();
    let indicatori = casa.indicatori();
    // (30,000 - 9,000) x 0.20 / 1.57 = 2,675.16 for each.
    for residential in &indicatori.residenziali {
        let Caso::Diverso(diverso) = &residential.caso else {
            panic!()
        };
        assert_eq!(diverso.componenti[0].valore.unwrap().to_string(), "2675.16");
    }
    assert_eq!(indicatori.residenziali.len(), 2);
}

#[test]
fn what_counted_for_nothing_does_not_begin_to_count_by_another_operation() {
    // The father's sheet in a new DSU says that he earned nothing, and is no exempt person's: the feed says
    // 30,000. 10,828.03 + 27,000 x 30 %.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    casa.parent(&[child], (false, true), Some((30_000, 1)));
    let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
        panic!()
    };
    let sheet = detail.foglio_componente_genitore.as_mut().unwrap();
    sheet.altri_redditi = Some(AltriRedditi {
        flag_integrazione: true,
        reddito_irpef: Some(Decimal::ZERO),
        ..AltriRedditi::nothing()
    });
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Aggiuntiva), "18928.03".to_owned())
    );
    let mut another = casa.dsu.clone();
    another.operazione.tipo = TipoOperazione::S;
    casa.dsu = varco::isee::operazioni::applica(&casa.dsu, &another)
        .ok()
        .unwrap();
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Aggiuntiva), "18928.03".to_owned())
    );
}
