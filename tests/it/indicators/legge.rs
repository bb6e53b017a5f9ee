//! The law's rules that are easily read otherwise, each by hand, with its neighbours.

use jiff::civil::date;
use rust_decimal::Decimal;
use varco::isee::codes::{
    GradoDisabilita, PresenzaGenitori, Relazione, Ruolo, TipoAbitazione, TipoRapporto, TipoVariazione,
};
use varco::isee::compute::casi::{Caso, ModoCalcolo};
use varco::isee::dsu::{DatiGenitore, IseeCorrente, Locazione};
use varco::isee::feed::FeedRecord;
use varco::isee::foglio::{AltriRedditi, AssegniPeriodici, Incremento, RedditiDaDichiarare};

use super::{TODAY, found};
use kit::caseta::*;

fn lines(casa: &Caseta) -> [String; 3] {
    let m = casa.indicatori().ordinario.modalita;
    [m.somma_redditi_componenti, m.parametro_nucleo, m.maggiorazioni].map(|line| line.to_string())
}

/// Rules that are not about a member's incomes.
fn fc4(imposta_sostitutiva: u32, trattamenti: u32) -> RedditiDaDichiarare {
    RedditiDaDichiarare {
        reddito_imp_sost: Some(imposta_sostitutiva),
        redditi_esenti_imposta: None,
        redditi_irap: None,
        redditi_fondiari: None,
        redditi_tassati_estero: None,
        redditi_aire: None,
        redditi_fondiari_estero: None,
        trattamenti_assistenziali: Some(trattamenti),
    }
}

fn assegni(coniuge: u32, genitore: u32) -> AssegniPeriodici {
    AssegniPeriodici {
        assegni_figli: None,
        assegni_coniuge: Some(coniuge),
        assegni_genitore: Some(genitore),
    }
}

/// A record of the Agency.
fn known(casa: &mut Caseta, index: usize) -> &mut FeedRecord {
    let code = casa.code(index).canonical();
    casa.feed
        .iter_mut()
        .find(|record| record.codice_fiscale == code)
        .unwrap()
}

#[test]
fn expenses_are_those_of_who_pays_five_thousand_each() {
    // Art. 4 c. 3 c. The mother, 20,000 (17,000 net), paid 6,000 for her child: 17,000 - 5,000 = 12,000.
    let mut casa = Caseta::on(TODAY);
    let mother = casa.member(Ruolo::D, 40, 20_000);
    let father = casa.member(Ruolo::C, 42, 10_000);
    let child = casa.member(Ruolo::F, 8, 0);
    casa.sheet(child).disabilita = Some(disabile(GradoDisabilita::Dim));
    known(&mut casa, mother).spese_detrazione = Some(Decimal::from(6000));
    // And 8,000 of the father: 20,000 in all.
    assert_eq!(lines(&casa)[0], "20000.00");
    // He paid 1,000 and 2,500: 8,000 - 3,500.
    let other = known(&mut casa, father);
    (other.spese_detrazione, other.spese_deduzione) = (Some(Decimal::from(1000)), Some(Decimal::from(2500)));
    assert_eq!(lines(&casa)[0], "16500.00");
    // The child of nobody's return: the disabled member's own count as the others' do.
    casa.sheet(child).altri_redditi = Some(AltriRedditi {
        spese_detrazione: Some(700),
        ..esonerato(500)
    });
    // 500 - min(700; 500) = 0.
    assert_eq!(lines(&casa)[0], "16500.00");
    casa.sheet(child).altri_redditi = Some(AltriRedditi {
        spese_detrazione: Some(700),
        ..esonerato(900)
    });
    assert_eq!(lines(&casa)[0], "16700.00");
}

#[test]
fn deductions_of_a_member_go_up_to_the_own_income() {
    // Art. 4 c. 3, "fino a concorrenza". She 20,000 (17,000 net); he 8,000 less 1,600, and pays 9,000 to a
    // former wife: 0, not -2,600.
    let mut casa = Caseta::on(TODAY);
    let she = casa.member(Ruolo::D, 40, 20_000);
    let he = casa.member(Ruolo::C, 42, 8000);
    casa.sheet(he).assegni_periodici = Some(assegni(9000, 0));
    assert_eq!(lines(&casa)[0], "17000.00");
    // 6,400 for the children: exactly all of it; 6,399 leave one.
    casa.sheet(he).assegni_periodici = Some(assegni(0, 6400));
    assert_eq!(lines(&casa)[0], "17000.00");
    casa.sheet(he).assegni_periodici = Some(assegni(0, 6399));
    assert_eq!(lines(&casa)[0], "17001.00");
    // A loss stays one, and nothing is deducted from it: 20,000 - 3,000 - 5,000.
    casa.sheet(he).altri_redditi = Some(AltriRedditi {
        reddito_irpef: Some(Decimal::from(-5000)),
        ..esonerato(0)
    });
    assert_eq!(lines(&casa)[0], "12000.00");
    // So of current incomes: she has none any more, and pays 1,000.
    casa.sheet(he).altri_redditi = None;
    casa.sheet(she).assegni_periodici = Some(assegni(1000, 0));
    let change = variazione(&mut casa, she, TipoVariazione::A, (Some(0), None));
    casa.dsu.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    let m = casa.indicatori().ordinario.modalita;
    // Before: 16,000 + 1; after: 0 + 1.
    assert_eq!(
        (
            m.somma_redditi_componenti.to_string(),
            m.somma_redditi_componenti_corrente.unwrap().to_string()
        ),
        ("16001.00".into(), "1.00".into())
    );
}

#[test]
fn what_fc4_declares_is_beside_what_is_known() {
    // FC4's income under substitute tax is not in the Agency's: 20,000 - 3,000 + 4,000 + 1,500.
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 40, 20_000);
    casa.sheet(who).redditi_da_dichiarare = Some(fc4(1500, 0));
    known(&mut casa, who).redditi_imposta_sostitutiva = Some(Decimal::from(4000));
    assert_eq!(lines(&casa)[0], "22500.00");
    // A figure of zero replaces nothing; nor does FC8.
    known(&mut casa, who).redditi_imposta_sostitutiva = Some(Decimal::ZERO);
    assert_eq!(lines(&casa)[0], "18500.00");
    casa.sheet(who).altri_redditi = Some(AltriRedditi {
        redditi_imp_sost: Some(300),
        ..esonerato(1000)
    });
    // FC8: 1,000 + 300; the Agency's employee income stays, and its share: at most the income. 1,300 + 1,500
    // - 2,800.
    assert_eq!(lines(&casa)[0], "0.00");
    // Nothing is known: FC4 alone counts.
    casa.feed.clear();
    casa.sheet(who).altri_redditi = None;
    assert_eq!(lines(&casa)[0], "1500.00");
    // Its treatments are added to those of INPS, and both have the share of art. 4 c. 3 f: 1,500 + 2,000 -
    // 400.
    casa.sheet(who).redditi_da_dichiarare = Some(fc4(1500, 2000));
    assert_eq!(lines(&casa)[0], "3100.00");
}

#[test]
fn who_is_alone_is_a_nucleus_in_care_too() {
    // Art. 3 c. 6, All. 1: never a parameter of zero.
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 80, 0);
    casa.sheet(who).dati_componente.flag_convivenza_anagrafica = true;
    assert_eq!(lines(&casa)[1..], ["1.00", "0.00"]);
    let care = |casa: &mut Caseta, index: usize| {
        casa.sheet(index).disabilita = Some(disabile(GradoDisabilita::Nas));
        casa.sheet(index)
            .disabilita
            .as_mut()
            .unwrap()
            .flag_prest_residenziale = true;
    };
    care(&mut casa, who);
    assert_eq!(lines(&casa)[1..], ["1.00", "0.50"]);
    // A couple, both in care, one disabled: one for the nucleus, one added.
    let spouse = casa.member(Ruolo::C, 82, 0);
    casa.sheet(spouse).dati_componente.flag_convivenza_anagrafica = true;
    assert_eq!(lines(&casa)[1..], ["1.00", "1.50"]);
    // A third one, not in care: computed without the two.
    casa.member(Ruolo::Fc, 50, 0);
    assert_eq!(lines(&casa)[1..], ["1.00", "2.50"]);
    // A restricted nucleus of one is alone too.
    casa.ristretto(&[(who, Relazione::B)]);
    let restricted = casa.indicatori().ristretti[0].calcolo.modalita.clone();
    assert_eq!(
        (
            restricted.parametro_nucleo.to_string(),
            restricted.maggiorazioni.to_string()
        ),
        ("1.00".into(), "0.50".into())
    );
    // In numbers: a nucleus of one person in care, married to another person. 27,000 / 1.00 x 0.30 = 8,100.
    let (mut casa, minors) = super::mother_and(1);
    casa.parent(&minors, (false, true), Some((30_000, 1)));
    let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
        panic!()
    };
    let numbers = detail
        .componente_aggiuntiva_genitore
        .nucleo_familiare_componente_aggiuntiva
        .as_mut()
        .unwrap();
    (numbers.flag_presenza_ricoverato, numbers.numero_ricoverati) = (true, Some(1));
    assert_eq!(
        found(&casa.indicatori().minorenni[0]),
        (Some(ModoCalcolo::Aggiuntiva), "18928.03".to_owned())
    );
}

#[test]
fn relations_of_code_09_are_deposits() {
    // Art. 5 c. 4 a: the larger of balance and average, and no figurative income.
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 40, 0);
    let mut assets = rapporto(TipoRapporto::ContoTerzi, 9000);
    assets.rapporto[0].consistenza_media = Some(9500);
    let lines = |casa: &Caseta| {
        let m = casa.indicatori().ordinario.modalita;
        (
            m.patrimonio_mobiliare.to_string(),
            m.reddito_figurativo_patrimonio_mobiliare.to_string(),
        )
    };
    let is = |movable: &str, figurative: &str| (movable.to_owned(), figurative.to_owned());
    casa.sheet(who).patrimonio_mobiliare = Some(assets.clone());
    assert_eq!(lines(&casa), is("9500.00", "0.00"));
    // With a current account the sums are compared, not each: balances 9,000 + 400, averages 9,500 + 100.
    let mut account = rapporto(TipoRapporto::ContoCorrente, 400).rapporto.remove(0);
    account.consistenza_media = Some(100);
    assets.rapporto.push(account);
    casa.sheet(who).patrimonio_mobiliare = Some(assets);
    assert_eq!(lines(&casa), is("9600.00", "0.00"));
    // As an earlier method accepted it: its value is balance and average.
    let mut stored = rapporto(TipoRapporto::ContoTerzi, 0);
    (
        stored.rapporto[0].saldo_3112,
        stored.rapporto[0].consistenza_media,
        stored.rapporto[0].valore,
    ) = (None, None, Some(7000));
    casa.sheet(who).patrimonio_mobiliare = Some(stored);
    assert_eq!(lines(&casa), is("7000.00", "0.00"));
    // Titles are none: 2.60 % of 7,000.
    casa.sheet(who).patrimonio_mobiliare = Some(rapporto(TipoRapporto::Titoli, 7000));
    assert_eq!(lines(&casa), is("7000.00", "182.00"));
}

#[test]
fn an_increase_makes_the_balance_count_where_it_is_greater_than_the_difference() {
    let counts = |balance: u32, average: u32, increase: Option<(u32, u32)>| {
        let mut casa = Caseta::on(TODAY);
        let who = casa.member(Ruolo::D, 40, 0);
        let mut assets = rapporto(TipoRapporto::ContoCorrente, balance);
        assets.rapporto[0].consistenza_media = Some(average);
        assets.incremento = increase.map(|(immobiliare, mobiliare)| Incremento {
            incremento_immobiliare: Some(immobiliare),
            incremento_mobiliare: Some(mobiliare),
        });
        casa.sheet(who).patrimonio_mobiliare = Some(assets);
        casa.indicatori()
            .ordinario
            .modalita
            .patrimonio_mobiliare
            .to_string()
    };
    // Art. 5 c. 4 a, "superiore": 7,000 of difference.
    assert_eq!(counts(2000, 9000, None), "9000.00");
    assert_eq!(counts(2000, 9000, Some((7000, 0))), "9000.00");
    assert_eq!(counts(2000, 9000, Some((3500, 3500))), "9000.00");
    assert_eq!(counts(2000, 9000, Some((3500, 3501))), "2000.00");
    // A balance that is not lower counts without regard to increases.
    assert_eq!(counts(9000, 2000, Some((1, 0))), "9000.00");
    assert_eq!(counts(2000, 2000, Some((0, 0))), "2000.00");
}

#[test]
fn home_help_before_2016_is_deducted_up_to_the_treatments_net_of_their_share() {
    // Art. 4 c. 4 b. Treatments 6,000, of which the share of c. 3 f is 1,000: up to 5,000 of 9,000. 10,000 -
    // 1,000 - 5,000 - franchise 7,000 < 0.
    let detrazioni = |treatments: u32, employee: u32, help: u32| {
        let mut casa = Caseta::on(date(2015, 6, 1));
        let who = casa.member(Ruolo::D, 70, 0);
        casa.member(Ruolo::C, 60, 90_000);
        casa.sheet(who).disabilita = Some(disabile(GradoDisabilita::Nas));
        casa.sheet(who).disabilita.as_mut().unwrap().spese_assistenza = Some(help);
        casa.sheet(who).altri_redditi = Some(AltriRedditi {
            trattamenti_assistenziali: Some(treatments.into()),
            lavoro_dipendente: Some(employee),
            ..esonerato(employee)
        });
        casa.indicatori().ordinario.modalita.detrazioni.to_string()
    };
    assert_eq!(detrazioni(6000, 0, 9000), "12000.00");
    // 20 % of 4,000: up to 3,200.
    assert_eq!(detrazioni(4000, 0, 9000), "10200.00");
    // The share of employees is larger, and takes its place: up to 4,000.
    assert_eq!(detrazioni(4000, 10_000, 9000), "11000.00");
    assert_eq!(detrazioni(4000, 0, 3000), "10000.00");
}

#[test]
fn who_stands_outside_has_the_children_of_the_own_nucleus() {
    // The father, in a DSU of his own with a wife and four children (2.46 + 2 x 0.35 ... six members: 2.85 +
    // 0.35 = 3.20, + 0.35), rents for 9,000: he deducts 7,000 + 2 x 500 = 8,000 whether NumeroFigli says four
    // or the roles do. (30,000 - 3,000 - 8,000) / 3.55 x 0.30 = 1,605.63.
    let isee = |declared: Option<u32>| {
        let (mut casa, minors) = super::mother_and(1);
        let mut own = Caseta::seeded(7, TODAY);
        let father = own.member(Ruolo::D, 45, 30_000);
        own.member(Ruolo::C, 44, 0);
        for age in [3, 4, 5, 6] {
            own.member(Ruolo::F, age, 0);
        }
        own.form().condizioni_nucleo.as_mut().unwrap().numero_figli = declared;
        own.form().abitazione.tipo_abitazione = TipoAbitazione::Locazione;
        own.form().abitazione.locazione = Some(Locazione {
            data: date(2020, 1, 1),
            serie: "3T".to_owned(),
            numero: "1".to_owned(),
            cod_ufficio: "TUX".to_owned(),
            canone: 9000,
            intestatario: Vec::new(),
        });
        let foglio = own.sheet(father).clone();
        casa.parent(&minors, (false, true), None);
        let parent = &mut casa.form().genitore_non_convivente[0];
        parent.codice_fiscale = foglio.codice_fiscale;
        parent.dati = Some(DatiGenitore::Protocollo(PARENTS.to_owned()));
        casa.refer(own);
        found(&casa.indicatori().minorenni[0])
    };
    // 10,828.03 + 1,605.63.
    assert_eq!(isee(None), (Some(ModoCalcolo::Aggiuntiva), "12433.66".to_owned()));
    assert_eq!(isee(Some(4)), isee(None));
}

#[test]
fn the_specific_isee_of_a_minor_whose_parents_live_apart() {
    // The mother 20,000 (17,000 net), a home of 100,000; the child; the father 30,000 (27,000 net) elsewhere.
    let specific = |married: bool, data: Option<(u32, u32)>| {
        let (mut casa, minors) = super::mother_and(1);
        casa.estate(0, 100_000, 0, true);
        casa.parent(&minors, (false, married), data);
        let indicatori = casa.indicatori();
        let specifico = indicatori.specifico.unwrap();
        (
            specifico.famiglia.isee.to_string(),
            found(&specifico.minorenni[0]),
        )
    };
    // 2/3 x (100,000 - 91,500) = 5,666.67: ISE 18,133.33; / 1.57 = 11,549.89. He joins: (44,000 + 1,133.33) /
    // 2.04 = 22,124.18.
    let family = "11549.89".to_owned();
    assert_eq!(
        specific(false, Some((30_000, 1))),
        (
            family.clone(),
            (Some(ModoCalcolo::Attratta), "22124.18".to_owned())
        )
    );
    // Married to another person, alone in the numbers: 27,000 / 1.00 x 0.30 = 8,100.
    assert_eq!(
        specific(true, Some((30_000, 1))),
        (
            family.clone(),
            (Some(ModoCalcolo::Aggiuntiva), "19649.89".to_owned())
        )
    );
    // Nothing is known of him.
    assert_eq!(specific(true, None).1, (None, "Genitore".to_owned()));
    // Excluded: that of the family.
    let (mut casa, minors) = super::mother_and(1);
    casa.estate(0, 100_000, 0, true);
    casa.parent(&minors, (true, false), None);
    assert!(
        matches!(&casa.indicatori().specifico.unwrap().minorenni[0].caso, Caso::Base(isee) if isee.to_string() == family)
    );
    // In numbers two children are added to the scale by the specific rules: 1.57 + 0.10; 27,000 / 1.67 x 0.30
    // = 4,850.30; 11,549.89 + 4,850.30.
    let (mut casa, minors) = super::mother_and(1);
    casa.estate(0, 100_000, 0, true);
    casa.parent(&minors, (false, true), Some((30_000, 2)));
    let Some(DatiGenitore::Dettaglio(detail)) = &mut casa.form().genitore_non_convivente[0].dati else {
        panic!()
    };
    detail
        .componente_aggiuntiva_genitore
        .nucleo_familiare_componente_aggiuntiva
        .as_mut()
        .unwrap()
        .numero_figli = Some(2);
    assert_eq!(
        found(&casa.indicatori().specifico.unwrap().minorenni[0]).1,
        "16400.19"
    );
}

#[test]
fn two_children_are_declared_from_2026_on() {
    let isee = |declared: Option<u32>| {
        let mut casa = Caseta::on(TODAY);
        casa.member(Ruolo::D, 40, 30_000);
        casa.member(Ruolo::C, 40, 0);
        casa.member(Ruolo::F, 8, 0);
        casa.member(Ruolo::F, 6, 0);
        casa.form().condizioni_nucleo.as_mut().unwrap().numero_figli = declared;
        let indicatori = casa.indicatori();
        (
            indicatori.ordinario.isee.to_string(),
            indicatori.specifico.unwrap().famiglia.isee.to_string(),
        )
    };
    // 27,000 / 2.46; 27,000 / 2.56.
    assert_eq!(isee(Some(2)), ("10975.61".to_owned(), "10546.88".to_owned()));
    assert_eq!(isee(None), isee(Some(2)));
    // A student joins and makes them three; see the ordinary one of the parents' nucleus: (27,000 + 0) /
    // (2.85 + 0.20).
    let mut casa = Caseta::on(TODAY);
    let who = casa.member(Ruolo::D, 20, 0);
    let mut own = Caseta::seeded(7, TODAY);
    let mother = own.member(Ruolo::D, 45, 30_000);
    own.member(Ruolo::C, 44, 0);
    own.member(Ruolo::F, 8, 0);
    own.member(Ruolo::F, 6, 0);
    own.form().condizioni_nucleo.as_mut().unwrap().numero_figli = Some(2);
    let foglio = own.sheet(mother).clone();
    casa.student(
        who,
        PresenzaGenitori::ConiugatiNonPresenti,
        Some(false),
        Some(&foglio),
    );
    casa.refer(own);
    assert_eq!(found(&casa.indicatori().universitari[0]).1, "8852.46");
}
