//! Formal checks of the nucleus, its home and its assets, each at its bounds: refusals, warnings, passes.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, Esame, examine};
use varco::isee::codes::{
    GradoDisabilita, PresenzaGenitori, Relazione, Ruolo, TipoAbitazione, TipoOperazione, TipoRapporto,
    TipoVariazione,
};
use varco::isee::dsu::{DatiFiglio, DatiGenitore, IseeCorrente};
use varco::isee::foglio::{AltriRedditi, Incremento, RapportoFinanziario};
use varco::isee::rules::Rules;

use super::TODAY;
use kit::caseta::*;

fn exam(casa: &Caseta) -> Esame {
    let rules = Rules::embedded().unwrap();
    examine(
        &casa.dsu,
        &Circumstance::on(
            casa.presented,
            rules.on(casa.presented).unwrap(),
            &Calendario::default(),
        ),
    )
}

/// The codes of refusals and of warnings; without the place of birth of invented persons.
fn codes(casa: &Caseta) -> (Vec<&'static str>, Vec<&'static str>) {
    let esame = exam(casa);
    (
        esame.difetti.iter().map(|each| each.code.code()).collect(),
        esame.avvertenze.iter().map(|each| each.code.code()).collect(),
    )
}

fn refused(casa: &Caseta) -> Vec<&'static str> {
    codes(casa).0
}

const NONE: [&str; 0] = [];

/// A couple with so many minors.
fn couple(presented: Date, children: usize) -> Caseta {
    let mut casa = Caseta::on(presented);
    casa.member(Ruolo::D, 40, 0);
    casa.member(Ruolo::C, 40, 0);
    for _ in 0..children {
        casa.member(Ruolo::F, 8, 0);
    }
    casa
}

#[test]
fn k06_ages_of_declarant_spouse_and_parent() {
    // A minor declares only if represented.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 17, 0);
    assert_eq!(refused(&casa), ["K06.adulto"]);
    casa.dsu.sottoscrizione[0].flag_rappresentanza_legale = true;
    assert_eq!(refused(&casa), NONE);
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 18, 0);
    assert_eq!(refused(&casa), NONE);
    casa.member(Ruolo::C, 17, 0);
    assert_eq!(refused(&casa), ["K06.adulto"]);
    // A child is younger than the declarant; the spouse need not be a parent.
    let mut casa = Caseta::on(TODAY);
    let parent = casa.member(Ruolo::D, 30, 0);
    let spouse = casa.member(Ruolo::C, 19, 0);
    let child = casa.member(Ruolo::Fc, 25, 0);
    assert_eq!(refused(&casa), NONE);
    let (parent, _) = (casa.sheet(parent).clone(), spouse);
    let born = parent.dati_componente.anagrafica.data_nascita;
    casa.sheet(child).dati_componente.anagrafica.data_nascita = born;
    assert_eq!(refused(&casa), ["K05.nascita", "K06.genitore"]);
    // Another person may be of any age.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 30, 0);
    casa.member(Ruolo::P, 70, 0);
    casa.member(Ruolo::P, 3, 0);
    assert_eq!(refused(&casa), NONE);
}

#[test]
fn k06_who_has_no_income_declares_none() {
    let with = |redditi: Option<AltriRedditi>, age: i16| {
        let mut casa = couple(TODAY, 0);
        let child = casa.member(if age < 18 { Ruolo::F } else { Ruolo::Fc }, age, 0);
        casa.sheet(child).altri_redditi = redditi;
        casa.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[child].flag_assenza_reddito = true;
        refused(&casa)
    };
    assert_eq!(with(None, 8), NONE);
    assert_eq!(with(Some(esonerato(0)), 8), NONE);
    assert_eq!(with(Some(esonerato(1)), 8), ["K06.assenza-reddito"]);
    assert_eq!(
        with(
            Some(AltriRedditi {
                trattamenti_assistenziali: Some(Decimal::ONE),
                ..esonerato(0)
            }),
            8
        ),
        ["K06.assenza-reddito"]
    );
    assert_eq!(with(None, 18), ["K06.assenza-reddito"]);
}

#[test]
fn k07_children_are_as_many_as_their_roles_say_at_least() {
    let with = |presented: Date, children: usize, declared: Option<u32>, living: Option<u32>| {
        let mut casa = couple(presented, children);
        let conditions = casa.form().condizioni_nucleo.as_mut().unwrap();
        (conditions.numero_figli, conditions.numero_figli_conviventi) = (declared, living);
        refused(&casa)
    };
    assert_eq!(with(TODAY, 4, Some(3), None), ["K07.figli"]);
    assert_eq!(with(TODAY, 4, Some(4), Some(4)), NONE);
    assert_eq!(with(TODAY, 4, Some(5), Some(4)), NONE);
    assert_eq!(with(TODAY, 4, Some(5), Some(5)), ["K07.conviventi"]);
    assert_eq!(with(TODAY, 4, Some(7), None), ["K07.figli"]);
    assert_eq!(with(TODAY, 4, None, Some(5)), ["K07.conviventi"]);
    // From two on since 2026, from three on before.
    let before = date(2025, 12, 31);
    assert_eq!(
        (
            with(date(2026, 1, 1), 2, Some(2), Some(2)),
            with(before, 2, Some(2), Some(2))
        ),
        (vec![], vec!["K07.figli"])
    );
    assert_eq!(
        (with(TODAY, 1, Some(1), None), with(before, 3, Some(3), Some(3))),
        (vec!["K07.figli"], vec![])
    );
    // A child elsewhere is a child, and does not live with the family.
    let mut casa = couple(TODAY, 2);
    casa.member(Ruolo::Fnc, 20, 0);
    let conditions = casa.form().condizioni_nucleo.as_mut().unwrap();
    (conditions.numero_figli, conditions.numero_figli_conviventi) = (Some(3), Some(3));
    assert_eq!(refused(&casa), ["K07.conviventi"]);
    casa.form()
        .condizioni_nucleo
        .as_mut()
        .unwrap()
        .numero_figli_conviventi = Some(2);
    assert_eq!(refused(&casa), NONE);
    // Where a grandfather declares, the children are other persons to him.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 70, 0);
    for age in [40, 5, 6, 7] {
        casa.member(Ruolo::P, age, 0);
    }
    let conditions = casa.form().condizioni_nucleo.as_mut().unwrap();
    (conditions.numero_figli, conditions.numero_figli_conviventi) = (Some(3), Some(3));
    assert_eq!(refused(&casa), NONE);
}

#[test]
fn k08_one_home_in_italy() {
    let with = |places: &[(&str, i64)], home: TipoAbitazione| {
        let mut casa = couple(TODAY, 0);
        for (owner, (place, share)) in places.iter().enumerate() {
            casa.estate(owner, 50_000, 0, true);
            let estate = &mut casa
                .sheet(owner)
                .patrimonio_immobiliare
                .as_mut()
                .unwrap()
                .patrimonio[0];
            (estate.codice_comune_stato, estate.quota_posseduta) =
                ((*place).to_owned(), Decimal::from(*share));
        }
        casa.form().abitazione.tipo_abitazione = home;
        codes(&casa)
    };
    let owned = TipoAbitazione::Proprieta;
    // The family lives in Pisa (G702).
    assert_eq!(with(&[("G702", 50), ("G702", 50)], owned), (vec![], vec![]));
    assert_eq!(
        with(&[("G702", 100), ("G702", 1)], owned),
        (vec![], vec!["K08.quote"])
    );
    assert_eq!(
        with(&[("H501", 50), ("H501", 50)], owned),
        (vec![], vec!["K08.comune"])
    );
    assert_eq!(
        with(&[("G702", 100), ("H501", 100)], owned),
        (vec!["K08.comuni"], vec![])
    );
    assert_eq!(
        with(&[("Z110", 100)], owned),
        (vec!["K08.estero"], vec!["K08.comune"])
    );
    // It may not have been owned yet on the day of the assets.
    assert_eq!(with(&[], owned), (vec![], vec!["K08.proprieta"]));
    assert_eq!(with(&[], TipoAbitazione::Altro), (vec![], vec![]));
    assert_eq!(
        with(&[("G702", 100)], TipoAbitazione::Altro),
        (vec!["K08.casa"], vec![])
    );
}

#[test]
fn k08_one_home_of_who_stands_outside() {
    let with = |places: &[&str]| {
        let mut casa = couple(TODAY, 1);
        casa.parent(&[2], (false, true), Some((10_000, 2)));
        let home = casa.form().abitazione.clone();
        let mut own = Caseta::seeded(5, TODAY);
        own.member(Ruolo::D, 50, 0);
        own.estate(0, 50_000, 0, true);
        let one = own.sheet(0).patrimonio_immobiliare.clone().unwrap();
        let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
            panic!()
        };
        let estate = detail
            .foglio_componente_genitore
            .as_mut()
            .unwrap()
            .patrimonio_immobiliare
            .insert(one);
        let first = estate.patrimonio[0].clone();
        estate.patrimonio = places
            .iter()
            .map(|place| {
                let mut each = first.clone();
                each.codice_comune_stato = (*place).to_owned();
                each
            })
            .collect();
        let own = detail
            .componente_aggiuntiva_genitore
            .abitazione_componente_aggiuntiva
            .insert(home);
        own.tipo_abitazione = TipoAbitazione::Proprieta;
        codes(&casa)
    };
    assert_eq!(with(&["G702"]), (vec![], vec![]));
    assert_eq!(with(&["F205"]), (vec![], vec!["K08.comune"]));
    assert_eq!(with(&["G702", "F205"]), (vec!["K08.comuni"], vec![]));
    assert_eq!(with(&["Z404"]), (vec!["K08.estero"], vec!["K08.comune"]));
}

#[test]
fn k09_relations_have_the_figures_of_their_kind_once_and_in_their_year() {
    let with = |tipo: TipoRapporto, change: fn(&mut Vec<RapportoFinanziario>)| {
        let mut casa = couple(TODAY, 0);
        let mut assets = rapporto(tipo, 1000);
        change(&mut assets.rapporto);
        casa.sheet(0).patrimonio_mobiliare = Some(assets);
        refused(&casa)
    };
    for account in [
        TipoRapporto::ContoCorrente,
        TipoRapporto::Risparmio,
        TipoRapporto::ContoTerzi,
    ] {
        assert_eq!(with(account, |_| {}), NONE, "{account:?}");
        assert_eq!(
            with(account, |all| all[0].valore = Some(1)),
            ["K09.importi"],
            "{account:?}"
        );
        assert_eq!(
            with(account, |all| all[0].saldo_3112 = None),
            ["K09.saldo"],
            "{account:?}"
        );
    }
    for other in [
        TipoRapporto::Titoli,
        TipoRapporto::Certificati,
        TipoRapporto::Assicurativo,
        TipoRapporto::Altro,
    ] {
        assert_eq!(with(other, |_| {}), NONE, "{other:?}");
        assert_eq!(
            with(other, |all| all[0].saldo_3112 = Some(1)),
            ["K09.importi"],
            "{other:?}"
        );
        assert_eq!(
            with(other, |all| all[0].consistenza_media = Some(0)),
            ["K09.importi"],
            "{other:?}"
        );
        assert_eq!(
            with(other, |all| all[0].valore = None),
            ["K09.valore"],
            "{other:?}"
        );
    }
    let account = TipoRapporto::ContoCorrente;
    assert_eq!(
        with(account, |all| all[0].identificativo = " ".to_owned()),
        ["K09.dati"]
    );
    assert_eq!(
        with(account, |all| all[0].codice_fiscale_operatore = String::new()),
        ["K09.dati"]
    );
    assert_eq!(with(account, |all| all.push(all[0].clone())), ["K09.doppio"]);
    // Another kind at the same operator under the same number is another relation.
    assert_eq!(
        with(account, |all| {
            all.push(all[0].clone());
            all[1].tipo_rapporto = TipoRapporto::Risparmio;
        }),
        NONE
    );
    // Presented in 2026, the assets are those of the end of 2024: open in that year.
    assert_eq!(
        with(account, |all| all[0].data_inizio = Some(date(2024, 12, 31))),
        NONE
    );
    assert_eq!(
        with(account, |all| all[0].data_inizio = Some(date(2025, 1, 1))),
        ["K09.anno"]
    );
    assert_eq!(
        with(account, |all| all[0].data_fine = Some(date(2024, 1, 1))),
        NONE
    );
    assert_eq!(
        with(account, |all| all[0].data_fine = Some(date(2023, 12, 31))),
        ["K09.anno"]
    );
    assert_eq!(
        with(account, |all| all[0].data_fine = Some(date(2025, 6, 1))),
        NONE
    );
    // The same relation of two persons is of both.
    let mut casa = couple(TODAY, 0);
    casa.conto(0, 1000);
    casa.conto(1, 1000);
    assert_eq!(refused(&casa), NONE);
}

#[test]
fn k09_assets_that_changed_are_of_the_last_year() {
    let with = |start: Date| {
        let mut casa = Caseta::on(date(2026, 5, 4));
        let who = casa.member(Ruolo::D, 40, 20_000);
        let mut change = variazione(&mut casa, who, TipoVariazione::D, (None, None));
        let mut assets = conti(1);
        assets.rapporto[0].data_inizio = Some(start);
        change.patrimonio_mobiliare = Some(assets);
        casa.dsu = referring(
            TipoOperazione::C,
            &casa.dsu.codice_fiscale_dichiarante,
            PARENTS,
            casa.presented,
        );
        casa.dsu.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        refused(&casa)
    };
    assert_eq!(with(date(2025, 12, 31)), NONE);
    assert_eq!(with(date(2026, 1, 1)), ["K09.anno"]);
}

#[test]
fn k10_an_increase_has_an_amount() {
    let with = |increase: Incremento| {
        let mut casa = couple(TODAY, 0);
        let mut assets = conti(1);
        (assets.flag_incremento, assets.incremento) = (Some(true), Some(increase));
        casa.sheet(0).patrimonio_mobiliare = Some(assets);
        refused(&casa)
    };
    assert_eq!(
        with(Incremento {
            incremento_immobiliare: None,
            incremento_mobiliare: None
        }),
        ["K10.incremento"]
    );
    assert_eq!(
        with(Incremento {
            incremento_immobiliare: Some(1),
            incremento_mobiliare: None
        }),
        NONE
    );
    assert_eq!(
        with(Incremento {
            incremento_immobiliare: None,
            incremento_mobiliare: Some(1)
        }),
        NONE
    );
}

#[test]
fn k12_a_certificate_is_not_older_than_who_has_it() {
    let with = |day: fn(Date) -> Date| {
        let mut casa = couple(TODAY, 1);
        let born = casa.sheet(2).dati_componente.anagrafica.data_nascita;
        let mut disability = disabile(GradoDisabilita::Dim);
        disability.data_certif = day(born);
        casa.sheet(2).disabilita = Some(disability);
        codes(&casa)
    };
    assert_eq!(with(|born| born), (vec![], vec![]));
    assert_eq!(
        with(|born| date(born.year() - 1, 12, 31)),
        (vec!["K12.data"], vec![])
    );
    assert_eq!(with(|_| date(2026, 3, 10)), (vec![], vec![]));
    assert_eq!(with(|_| date(2026, 3, 11)), (vec!["K12.data"], vec![]));
    // A slip within the year of birth moves nothing, and is warned of.
    let mut casa = couple(TODAY, 1);
    let born = casa.sheet(2).dati_componente.anagrafica.data_nascita;
    assert!((born.month(), born.day()) > (1, 1), "{born}");
    let mut disability = disabile(GradoDisabilita::Dim);
    disability.data_certif = date(born.year(), 1, 1);
    casa.sheet(2).disabilita = Some(disability);
    assert_eq!(codes(&casa), (vec![], vec!["K12.nascita"]));
}

#[test]
fn k13_parents_who_are_said_to_be_there_can_be() {
    let with = |roles: &[(Ruolo, i16)], student: usize, presence: PresenzaGenitori| {
        let mut casa = Caseta::on(TODAY);
        for (role, age) in roles {
            casa.member(*role, *age, 0);
        }
        let alone = matches!(presence, ConiugatiNonPresenti).then_some(true);
        casa.student(student, presence, alone, None);
        refused(&casa)
    };
    use PresenzaGenitori::{ConiugatiNonPresenti, SoloUno, TuttiPresenti};
    let (mother, father, student) = ((Ruolo::D, 50), (Ruolo::C, 50), (Ruolo::Fc, 20));
    assert_eq!(with(&[mother, father, student], 2, TuttiPresenti), NONE);
    assert_eq!(
        with(&[mother, student, (Ruolo::F, 10)], 1, TuttiPresenti),
        ["K13.genitori"]
    );
    assert_eq!(with(&[(Ruolo::D, 20)], 0, TuttiPresenti), ["K13.genitori"]);
    assert_eq!(with(&[mother, student], 1, SoloUno), NONE);
    assert_eq!(with(&[mother, father, student], 2, SoloUno), NONE);
    assert_eq!(with(&[(Ruolo::D, 20)], 0, SoloUno), ["K13.genitori"]);
    // The student declares; the parents are other persons.
    assert_eq!(
        with(
            &[(Ruolo::D, 20), (Ruolo::P, 50), (Ruolo::P, 51)],
            0,
            TuttiPresenti
        ),
        NONE
    );
    assert_eq!(
        with(&[mother, student], 1, ConiugatiNonPresenti),
        ["K13.genitori"]
    );
    assert_eq!(with(&[mother, (Ruolo::P, 20)], 1, ConiugatiNonPresenti), NONE);
    // A person of seventeen may be a student; a child of twelve may not.
    assert_eq!(with(&[mother, father, (Ruolo::F, 17)], 2, TuttiPresenti), NONE);
    assert_eq!(
        with(&[mother, father, (Ruolo::F, 16)], 2, TuttiPresenti),
        ["K13.eta"]
    );
}

#[test]
fn k14_beneficiaries_are_minors_or_students_and_parents_are_older() {
    // An adult without an indicator for the university needs no other parent.
    let mut casa = Caseta::on(TODAY);
    casa.member(Ruolo::D, 45, 0);
    let adult = casa.member(Ruolo::Fc, 20, 0);
    casa.parent(&[adult], (false, false), Some((10_000, 1)));
    assert_eq!(refused(&casa), ["K14.beneficiario"]);
    casa.student(adult, PresenzaGenitori::SoloUno, None, None);
    assert_eq!(refused(&casa), NONE);
    // The declarant studies too.
    let mut casa = Caseta::on(TODAY);
    let student = casa.member(Ruolo::D, 20, 0);
    casa.parent(&[student], (false, false), Some((10_000, 1)));
    let parent = casa.form().genitore_non_convivente[0].clone();
    let Some(DatiGenitore::Dettaglio(detail)) = &parent.dati else {
        panic!()
    };
    let foglio = detail.foglio_componente_genitore.clone().unwrap();
    casa.student(
        student,
        PresenzaGenitori::ConiugatiNonPresenti,
        Some(false),
        Some(&foglio),
    );
    casa.form().universitario[0].numero_protocollo_rif_genitore = None;
    assert_eq!(refused(&casa), NONE);
    // A parent of seventeen; one younger than the beneficiary.
    let with = |age: i16, child: i16| {
        let mut casa = Caseta::on(TODAY);
        casa.member(Ruolo::D, 60, 0);
        let beneficiary = casa.member(if child < 18 { Ruolo::F } else { Ruolo::Fc }, child, 0);
        if child >= 18 {
            casa.student(beneficiary, PresenzaGenitori::SoloUno, None, None);
        }
        casa.parent(&[beneficiary], (false, false), Some((10_000, 1)));
        let young = casa.foglio(age, 0);
        let parent = &mut casa.form().genitore_non_convivente[0];
        parent.codice_fiscale = young.codice_fiscale.clone();
        parent.dati = Some(DatiGenitore::Dettaglio(Box::new(
            varco::isee::dsu::DettaglioGenitoreNonConvivente {
                componente_aggiuntiva_genitore: numeri(&young, 1),
                foglio_componente_genitore: Some(young),
            },
        )));
        refused(&casa)
    };
    assert_eq!(with(17, 1), ["K14.eta"]);
    assert_eq!(with(18, 1), NONE);
    assert_eq!(with(20, 25), ["K14.eta"]);
    assert_eq!(with(40, 25), NONE);
}

#[test]
fn k15_children_gifts_and_days_of_who_is_in_care() {
    let with = |change: fn(&mut Caseta)| {
        let mut casa = super::everything();
        change(&mut casa);
        codes(&casa)
    };
    assert_eq!(with(|_| {}), (vec![], vec![]));
    // Without a disability it is warned of.
    assert_eq!(with(|casa| casa.sheet(0).disabilita = None).1, ["K15.disabilita"]);
    assert_eq!(
        with(|casa| {
            let own = casa.code(0);
            casa.dsu.modello_base[1].residenziale[0].donazione[0].codice_fiscale_ricevente = own;
        })
        .0,
        ["K15.ricevente"]
    );
    assert_eq!(
        with(|casa| {
            let born = casa.sheet(0).dati_componente.anagrafica.data_nascita;
            casa.dsu.modello_base[1].residenziale[0].data_richiesta_ricovero = born.yesterday().unwrap();
        })
        .0,
        ["K15.data"]
    );
    assert_eq!(
        with(|casa| {
            let older = casa.foglio(75, 0);
            let child = &mut casa.dsu.modello_base[1].residenziale[0].figlio_non_compreso_nel_nucleo[0];
            child.codice_fiscale = older.codice_fiscale.clone();
            child.dati = Some(DatiFiglio::Dettaglio(Box::new(
                varco::isee::dsu::DettaglioFiglio {
                    componente_aggiuntiva_figlio: numeri(&older, 1),
                    foglio_componente_figlio: Some(older),
                },
            )));
        })
        .0,
        ["K15.eta"]
    );
}

#[test]
fn k16_who_belongs_to_a_restricted_nucleus() {
    // The declarant 0, the spouse 1, a minor 2, an adult child with them 3, one elsewhere 4, the grandfather
    // 5.
    let with = |members: &[(usize, Relazione)]| {
        let mut casa = couple(TODAY, 1);
        casa.member(Ruolo::Fc, 19, 0);
        casa.member(Ruolo::Fnc, 20, 0);
        casa.member(Ruolo::P, 75, 0);
        casa.ristretto(members);
        codes(&casa)
    };
    use Relazione::{B, C, F, Fc, Fnc};
    assert_eq!(
        with(&[(0, B), (1, C), (2, F), (3, Fc), (4, Fnc)]),
        (vec![], vec![])
    );
    // Dependence is not in the role: an adult child may be left out.
    assert_eq!(
        with(&[(0, B), (1, C), (2, F), (4, Fnc)]),
        (vec![], vec!["K16.figlio"])
    );
    assert_eq!(with(&[(0, B), (2, F), (3, Fc), (4, Fnc)]).0, ["K16.manca"]);
    assert_eq!(with(&[(0, B), (1, C), (3, Fc), (4, Fnc)]).0, ["K16.manca"]);
    assert_eq!(with(&[(0, B), (1, C), (2, F), (3, Fc)]).0, ["K16.manca"]);
    assert_eq!(with(&[(0, B)]).0, ["K16.manca"; 3]);
    // The spouse: the declarant belongs. The children may be of either.
    assert_eq!(
        with(&[(1, B), (0, C), (2, F), (3, Fc), (4, Fnc)]),
        (vec![], vec![])
    );
    assert_eq!(with(&[(1, B), (0, C)]), (vec![], vec!["K16.figlio"; 3]));
    assert_eq!(with(&[(1, B), (2, F)]).0, ["K16.manca"]);
    // Anybody else: alone, or with the members of the form.
    assert_eq!(with(&[(5, B)]), (vec![], vec![]));
    assert_eq!(with(&[(5, B), (3, Fc)]), (vec![], vec![]));
    assert_eq!(with(&[(3, B)]), (vec![], vec![]));
    // Relations against roles and ages.
    assert_eq!(
        with(&[(0, B), (1, C), (2, F), (3, Fnc), (4, Fc)]).0,
        ["K16.relazione"; 2]
    );
    assert_eq!(
        with(&[(0, B), (1, C), (2, F), (4, Fnc), (5, C)]).0,
        ["K16.relazione", "K16.coniuge"]
    );
    assert_eq!(with(&[(2, B)]).0, ["K16.eta"]);
    assert_eq!(with(&[(5, B), (2, Fc)]).0, ["K16.eta"]);
    assert_eq!(with(&[(3, B), (5, Fc)]).0, ["K16.eta"]);
}

#[test]
fn k17_and_k18_old_dates_are_warned_of() {
    let with = |day: Date| {
        let mut casa = Caseta::on(TODAY);
        let who = casa.member(Ruolo::D, 40, 20_000);
        let mut change = variazione(&mut casa, who, TipoVariazione::A, (Some(1), None));
        change.data_variazione = Some(day);
        casa.dsu = referring(
            TipoOperazione::C,
            &casa.dsu.codice_fiscale_dichiarante,
            PARENTS,
            casa.presented,
        );
        casa.dsu.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        codes(&casa)
    };
    assert_eq!(with(date(2024, 9, 10)), (vec![], vec![]));
    assert_eq!(with(date(2024, 9, 9)), (vec![], vec!["K17.termine"]));
    assert_eq!(with(date(2026, 3, 11)), (vec!["K17.data"], vec![]));
    let signed = |day: Date| {
        let mut casa = couple(TODAY, 0);
        casa.dsu.sottoscrizione[0].data_sottoscrizione = day;
        codes(&casa)
    };
    assert_eq!(signed(TODAY), (vec![], vec![]));
    assert_eq!(signed(date(2025, 1, 1)), (vec![], vec!["K18.termine"]));
    assert_eq!(
        signed(date(2024, 12, 31)),
        (vec![], vec!["K18.anno", "K18.termine"])
    );
}
