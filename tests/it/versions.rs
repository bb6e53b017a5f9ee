//! What refers to a DSU, through the real port: completed (A, I, S), current (C), corrected (R), cancelled
//! (X); versions, and who may make and read them.

use jiff::civil::Date;
use kit::caseta::*;
use kit::world::*;
use kit::{BENEFIT, DSU, ISEE, element, payload, requests, varco as command};
use varco::commands::famiglie::sottoscrizione;
use varco::contract::{ISEE_NS, message};
use varco::isee::codes::{Ruolo, TipoOperazione, TipoVariazione};
use varco::isee::dsu::{
    ComponentePerIntegrazioneAggiuntiva, Dichiarazione, IntegrazioneComponenteAggiuntiva,
    IntegrazioneResidenziale, IseeCorrente, Operazione,
};

#[test]
fn somebody_elses_dsu_is_completed_and_nothing_of_it_is_told() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let mother = casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    let father = casa.parent(&[child], (false, true), None);
    let (mother, child) = (casa.code(mother), casa.code(child));
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, other, comune) = (client("caf"), client(OTHER), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        assert!(first.ends_with("-00"));
        assert_eq!(isee(&comune, &child, "Minorenne", &day).await, "DATI_NON_TROVATI");
        // The father completes it, through a CAF of his own: 27,000 under FC8, alone.
        let mut added = referring(TipoOperazione::A, &father.codice_fiscale, &first, today);
        let mut foglio = father.clone();
        foglio.altri_redditi = Some(esonerato(27_000));
        added.integrazione_componente_aggiuntiva = Some(IntegrazioneComponenteAggiuntiva {
            componente_per_integrazione_aggiuntiva: ComponentePerIntegrazioneAggiuntiva {
                componente_aggiuntiva: numeri(&foglio, 1),
                foglio_componente_aggiuntiva: foglio,
            },
        });
        let answer = other.call(DSU, &text(&added, "ALTRO-A")).await.unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        let second = element(&answer, "ProtocolloDSU").to_owned();
        assert_eq!(second, version(&first, 1));
        let told = receipt(&answer);
        for secret in [
            mother.canonical(),
            child.canonical(),
            "<Nucleo".to_owned(),
            "ISEE=".to_owned(),
            "<Valori".to_owned(),
        ] {
            assert!(!told.contains(&secret), "{secret}: {told}");
        }
        // 10,828.03 + 27,000 x 30 %.
        assert_eq!(isee(&comune, &child, "Minorenne", &day).await, "18928.03");
        let xml = attested(&comune, &second, &child).await;
        assert!(
            xml.contains(&format!(
                "<Variazione TipoVariazione=\"Integrazione\" NumeroProtocolloDSUVariata=\"{first}\""
            )),
            "{xml}"
        );
        // The earlier version is as it was, by its protocol.
        let xml = attested(&comune, &first, &child).await;
        assert!(
            xml.contains("<ISEENonCalcolabile") && !xml.contains("<Variazione"),
            "{xml}"
        );
        // The other CAF may not read the family's data without a benefit; the one whose DSU it is may.
        assert_eq!(
            state(&caf, &first).await,
            ("SOSTITUITA".to_owned(), second.clone())
        );
        // And is not told what became of it.
        assert_eq!(state(&other, &second).await.0, "RICEVUTA");
        assert_eq!(state(&caf, &second).await.0, "DATI_NON_TROVATI");
        assert_eq!(state(&other, &first).await.0, "DATI_NON_TROVATI");
        // Who is nobody to that DSU learns nothing, neither whether it exists nor whose it is; with the
        // father's data as little as with others.
        let stranger = casa.famiglie.foglio(50, 50);
        let mut by_stranger = referring(TipoOperazione::A, &stranger.codice_fiscale, &first, today);
        by_stranger.integrazione_componente_aggiuntiva = added.integrazione_componente_aggiuntiva.clone();
        assert_eq!(
            refused(&other, &text(&by_stranger, "ALTRO-B1")).await,
            "K02.riferito"
        );
        for referred in [&mother, &stranger.codice_fiscale] {
            by_stranger.operazione.codice_fiscale_riferimento = Some(referred.clone());
            assert_eq!(
                refused(&other, &text(&by_stranger, "ALTRO-B2")).await,
                "K02.riferito"
            );
        }
        part_of(&mut by_stranger, stranger);
        assert_eq!(
            refused(&other, &text(&by_stranger, "ALTRO-B3")).await,
            "K02.riferito"
        );
        // The father who names another declarant learns as little; a cancelled one is nobody's affair of his.
        added.operazione.codice_fiscale_riferimento = Some(father.codice_fiscale.clone());
        assert_eq!(refused(&other, &text(&added, "ALTRO-B4")).await, "K02.riferito");
        accepted(
            &caf,
            &text(&referring(TipoOperazione::X, &mother, &first, today), "CAF1-X"),
        )
        .await;
        added.operazione.codice_fiscale_riferimento = None;
        assert_eq!(refused(&other, &text(&added, "ALTRO-B5")).await, "K02.riferito");
    });
    serving.stop();
}

fn part_of(added: &mut Dichiarazione, foglio: varco::isee::foglio::FoglioComponente) {
    let part = &mut added
        .integrazione_componente_aggiuntiva
        .as_mut()
        .unwrap()
        .componente_per_integrazione_aggiuntiva;
    part.componente_aggiuntiva = numeri(&foglio, 1);
    part.foglio_componente_aggiuntiva = foglio;
}

#[test]
fn incomes_and_residential_data_are_completed() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 80, 20_000);
    let declarant = casa.code(who);
    let mut with_children = Caseta::on(today);
    with_children.member(Ruolo::D, 80, 0);
    let child = with_children.child(Some(24_000), 1);
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "17000.00");
        // IRPEF of 9,000 in place of the Agency's 20,000; the employee's 20,000 still give 3,000: 6,000.
        let mut incomes = referring(TipoOperazione::I, &declarant, &first, today);
        incomes.integrazione_redditi = Some(redditi(&declarant, 9000));
        let second = accepted(&caf, &text(&incomes, "CAF1-I")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "6000.00");
        // Sent again it gets the same answer, and makes no other version.
        assert_eq!(accepted(&caf, &text(&incomes, "CAF1-I")).await, second);
        // A child outside: (24,000 - 9,000) x 20 %. The incomes completed before stay. Any version may be
        // referred to.
        let mut residential = referring(TipoOperazione::S, &declarant, &first, today);
        let mut each = casa.residential(0, who).clone();
        each.flag_figli_non_compresi = true;
        each.figlio_non_compreso_nel_nucleo = vec![child];
        residential.integrazione_residenziale = Some(IntegrazioneResidenziale { componente_per_integrazione_residenziale: vec![each] });
        let third = accepted(&caf, &text(&residential, "CAF1-S")).await;
        assert_eq!((&second, &third), (&version(&first, 1), &version(&first, 2)));
        assert_eq!(isee(&comune, &declarant, "Residenziale", &day).await, "9000.00");
        // The whole DSU comes back as it counts, with what completed it.
        let key = format!(
            "<RicercaCF><CodiceFiscale>{}</CodiceFiscale><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare></RicercaCF>",
            declarant.canonical()
        );
        let request = requests::consultazione(varco::contract::catalogue::Operation::ConsultazioneDichiarazione, &key);
        let xml = payload(&comune.call(ISEE, &request).await.unwrap(), "XmlEsitoDichiarazione");
        assert!(xml.contains("<FiglioNonCompresoNelNucleo") && xml.contains("RedditoIRPEF=\"9000\""), "{xml}");
        // What is missing or stands where it should not is said.
        let empty = referring(TipoOperazione::I, &declarant, &first, today);
        assert_eq!(refused(&caf, &text(&empty, "CAF1-X1")).await, "K03.mancante");
        let stranger = casa.famiglie.foglio(40, 40).codice_fiscale;
        incomes.integrazione_redditi = Some(redditi(&stranger, 1));
        assert_eq!(refused(&caf, &text(&incomes, "CAF1-X2")).await, "K03.componente");
    });
    serving.stop();
}

#[test]
fn a_current_isee_has_its_own_protocol_and_follows_the_dsu() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 40, 20_000);
    let declarant = casa.code(who);
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        let mut current = referring(TipoOperazione::C, &declarant, &first, today);
        let mut change = variazione(&mut casa, who, TipoVariazione::A, (Some(6000), None));
        change.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        let own = accepted(&caf, &text(&current, "CAF1-C")).await;
        assert!(own.ends_with("-00") && own != first);
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "4800.00");
        let xml = attested(&comune, &own, &declarant).await;
        let expected = [
            format!("NumeroProtocolloDSU=\"{first}\""),
            "Corrente=\"SI\"".to_owned(),
            format!("ProtocolloDSUModuloSostitutivo=\"{own}\""),
            "DataScadenzaDSUCorrente=".to_owned(),
            "SommaRedditiComponenti=\"17000.00\" SommaRedditiComponentiCorrente=\"4800.00\"".to_owned(),
        ];
        assert!(expected.iter().all(|expected| xml.contains(expected)), "{xml}");
        // The DSU itself is as it was.
        assert!(
            attested(&comune, &first, &declarant)
                .await
                .contains("ISEE=\"17000.00\"")
        );
        assert_eq!(state(&caf, &first).await.0, "ATTESTATA");
        // The DSU is completed: an account of 56,000 adds 10,000 to both.
        let mut corrected = casa.dsu.clone();
        corrected.operazione = Operazione {
            tipo: TipoOperazione::R,
            codice_fiscale_riferimento: Some(declarant.clone()),
            numero_protocollo_riferimento: Some(first.clone()),
        };
        corrected.nucleo_familiare.as_mut().unwrap().componente_nucleo[0]
            .foglio_componente_nucleo
            .patrimonio_mobiliare = Some(conti(56_000));
        let second = accepted(&caf, &text(&corrected, "CAF1-R")).await;
        assert!(
            attested(&comune, &second, &declarant)
                .await
                .contains("ISEE=\"27000.00\"")
        );
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "14800.00");
        let again = attested(&comune, &version(&own, 1), &declarant).await;
        assert!(
            again.contains("TipoVariazione=\"Ricalcolo\"")
                && again.contains(&format!("NumeroProtocolloDSU=\"{second}\"")),
            "{again}"
        );
        // Nothing but a cancellation may refer to the form; without it the DSU's own ISEE is found again.
        let mut other = referring(TipoOperazione::I, &declarant, &own, today);
        other.integrazione_redditi = Some(redditi(&declarant, 1));
        assert_eq!(refused(&caf, &text(&other, "CAF1-X1")).await, "K02.corrente");
        accepted(
            &caf,
            &text(&referring(TipoOperazione::X, &declarant, &own, today), "CAF1-X2"),
        )
        .await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "27000.00");
        // A change by less than a quarter, of the kind that has no event: refused.
        let mut little = variazione(&mut casa, who, TipoVariazione::C, (Some(19_000), None));
        little.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![little],
        });
        assert_eq!(refused(&caf, &text(&current, "CAF1-C2")).await, "K17.scostamento");
    });
    serving.stop();
}

#[test]
fn a_correction_counts_from_the_first_presentation_and_both_are_kept() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 40, 20_000);
    let guest = casa.member(Ruolo::P, 60, 30_000);
    let (declarant, guest_code) = (casa.code(who), casa.code(guest));
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, other, comune) = (client("caf"), client(OTHER), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        // (17,000 + 27,000) / 1.57.
        assert_eq!(isee(&comune, &guest_code, "Ordinario", &day).await, "28025.48");
        let mut corrected = casa.dsu.clone();
        corrected
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .remove(guest);
        corrected.operazione = Operazione {
            tipo: TipoOperazione::R,
            codice_fiscale_riferimento: None,
            numero_protocollo_riferimento: Some(first.clone()),
        };
        // Only whose DSU it is corrects it, and says so rightly.
        assert_eq!(
            refused(&other, &text(&corrected, "ALTRO-R")).await,
            "K02.riferito"
        );
        let mut wrong = corrected.clone();
        wrong.operazione.codice_fiscale_riferimento = Some(guest_code.clone());
        assert_eq!(
            refused(&caf, &text(&wrong, "CAF1-X1")).await,
            "K02.codice-riferimento"
        );
        let second = accepted(&caf, &text(&corrected, "CAF1-R")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "17000.00");
        // Who is no member any more is not found by the earlier version, which is readable by its protocol.
        assert_eq!(
            isee(&comune, &guest_code, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        assert!(
            attested(&comune, &first, &guest_code)
                .await
                .contains("ISEE=\"28025.48\"")
        );
        assert_eq!(
            state(&caf, &first).await,
            ("SOSTITUITA".to_owned(), second.clone())
        );
        // Correcting what has been corrected already would undo it unseen.
        assert_eq!(refused(&caf, &text(&corrected, "CAF1-R2")).await, "K02.versione");
        // Of somebody else's, and of none: the same answer.
        for protocol in [second.as_str(), "INPS-ISEE-2026-99999999A-00"] {
            let mut theirs = referring(TipoOperazione::I, &guest_code, protocol, today);
            theirs.integrazione_redditi = Some(redditi(&guest_code, 1));
            assert_eq!(refused(&caf, &text(&theirs, "CAF1-X2")).await, "K02.riferito");
        }
        // As many at once as like: each different, each its own version, none lost.
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..6_u32 {
            let (caf, mut incomes) = (
                caf.clone(),
                referring(TipoOperazione::I, &declarant, &first, today),
            );
            incomes.integrazione_redditi = Some(redditi(&declarant, 1000 + number));
            let request = text(&incomes, &format!("CAF1-I{number}"));
            tasks.spawn(async move {
                loop {
                    let answer = caf.call(DSU, &request).await.unwrap();
                    // Others were quicker three times: the client tries again, as it is told to.
                    if answer.status.as_u16() == 503 {
                        continue;
                    }
                    assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
                    return element(&answer, "ProtocolloDSU").to_owned();
                }
            });
        }
        let mut made = tasks.join_all().await;
        made.sort();
        let expected: Vec<_> = (2..8).map(|number| version(&first, number)).collect();
        assert_eq!(made, expected);
    });
    serving.stop();
    // The views hold nothing that the ledger does not say.
    let data = world.site.data().display().to_string();
    assert!(command(&["rebuild", "--data", &data]).1);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let comune = world.site.client(serving.address, "comune");
        assert_eq!(
            isee(&comune, &guest_code, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
    });
    serving.stop();
}

#[test]
fn a_cancelled_dsu_is_found_no_more_and_the_one_before_it_is() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 40, 20_000);
    let guest = casa.member(Ruolo::P, 60, 30_000);
    let (declarant, guest_code) = (casa.code(who), casa.code(guest));
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, other, comune) = (client("caf"), client(OTHER), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N1")).await;
        // A new one of the same declarant, alone: it takes the other's place, for who is not in it too.
        let mut alone = casa.dsu.clone();
        alone
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .remove(guest);
        let second = accepted(&caf, &text(&alone, "CAF1-N2")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "17000.00");
        assert_eq!(
            isee(&comune, &guest_code, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        assert!(
            attested(&comune, &first, &guest_code)
                .await
                .contains("ISEE=\"28025.48\"")
        );
        assert_eq!(
            state(&caf, &first).await,
            ("SOSTITUITA".to_owned(), second.clone())
        );
        // Two more exchanges use it.
        for _ in 0..2 {
            isee(&comune, &declarant, "Ordinario", &day).await;
        }
        let cancel = text(
            &referring(TipoOperazione::X, &declarant, &second, today),
            "CAF1-X",
        );
        assert_eq!(refused(&other, &cancel).await, "K02.riferito");
        let answer = caf.call(DSU, &cancel).await.unwrap();
        assert_eq!(
            (
                element(&answer, "Esito"),
                element(&answer, "ProtocolloDSU"),
                element(&answer, "Utilizzi")
            ),
            ("OK", second.as_str(), "3")
        );
        assert!(receipt(&answer).contains("Operazione=\"X\"") && !receipt(&answer).contains("<Nucleo"));
        assert!(!answer.text.contains("comune"), "whose they were is told");
        // The same again.
        let again = caf.call(DSU, &cancel).await.unwrap();
        assert_eq!(element(&again, "Utilizzi"), "3");
        // An administrator sees who.
        let data = world.site.data().display().to_string();
        let (said, _) = command(&[
            "ledger",
            "--data",
            &data,
            "list",
            "--protocollo",
            &second,
            "--tipo",
            "exchange",
        ]);
        assert_eq!(
            said.lines()
                .filter(|line| line.contains("ConsultazioneIndicatore") && line.contains("comune"))
                .count(),
            3,
            "{said}"
        );
        // It is found by nothing; the one before it is, again.
        assert_eq!(attested(&comune, &second, &declarant).await, "DATI_NON_TROVATI");
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "28025.48");
        assert_eq!(isee(&comune, &guest_code, "Ordinario", &day).await, "28025.48");
        assert_eq!(state(&caf, &second).await.0, "ANNULLATA");
        assert_eq!(state(&caf, &first).await.0, "ATTESTATA");
        // Nothing can be done with it any more.
        let mut incomes = referring(TipoOperazione::I, &declarant, &second, today);
        incomes.integrazione_redditi = Some(redditi(&declarant, 1));
        assert_eq!(refused(&caf, &text(&incomes, "CAF1-I")).await, "K02.annullata");
        // Two operations on one DSU in one lot: the second would not see the first.
        let lot: String = [1000, 2000]
            .map(|irpef| {
                let mut incomes = referring(TipoOperazione::I, &declarant, &first, today);
                incomes.integrazione_redditi = Some(redditi(&declarant, irpef));
                incomes.sottoscrizione[0].protocollo_mittente = format!("CAF1-L{irpef}");
                message("Dichiarazione", ISEE_NS, &incomes, false)
            })
            .concat();
        let lot =
            format!("<TrasmissioneLotto xmlns=\"urn:varco:trasmissione-dsu:1\">{lot}</TrasmissioneLotto>");
        let answer = caf
            .call(DSU, &varco::soap::envelope(varco::soap::Version::V11, &lot))
            .await
            .unwrap();
        assert_eq!(
            (
                element(&answer, "Accettate"),
                element(&answer, "Rifiutate"),
                element(&answer, "Codice")
            ),
            ("1", "1", "K02.lotto"),
            "{}",
            answer.text
        );
    });
    serving.stop();
}

#[test]
fn a_dsu_waits_for_the_feed_or_for_the_terms() {
    let world = World::new();
    world
        .site
        .configure("[sii]\nattesta = \"termini\"\nfestivi = [\"06-24\"]\n");
    let today = world.today;
    let day = today.to_string();
    let family = |seed: u64, presented: Date| {
        let mut casa = Caseta::seeded(seed, presented);
        let who = casa.member(Ruolo::D, 40, 20_000);
        let guest = casa.member(Ruolo::P, 60, 30_000);
        (casa.code(who), casa.code(guest), casa)
    };
    // One presented today, one so long ago that the terms have passed, one that nobody will ever know more
    // of.
    let long_ago = today.checked_sub(jiff::Span::new().days(45)).unwrap();
    let (declarant, guest, fresh) = family(1, today);
    let (old_declarant, old_guest, old) = family(2, long_ago);
    let (third_declarant, _, third) = family(3, today);
    let serving = world.site.serve();
    let (first, second, cancelled) = kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let answer = caf.call(DSU, &text(&fresh.dsu, "CAF1-N")).await.unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        // A receipt of presentation alone.
        let told = receipt(&answer);
        assert!(
            told.contains("DataPresentazione=")
                && !told.contains("DataAttestazione=")
                && !told.contains("<Valori"),
            "{told}"
        );
        let first = element(&answer, "ProtocolloDSU").to_owned();
        assert_eq!(state(&caf, &first).await.0, "RICEVUTA");
        assert_eq!(
            isee(&comune, &declarant, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        // Before the terms have passed incomes are not declared in the Agency's place.
        let mut incomes = referring(TipoOperazione::I, &declarant, &first, today);
        incomes.integrazione_redditi = Some(redditi(&declarant, 9000));
        assert_eq!(refused(&caf, &text(&incomes, "CAF1-I")).await, "K02.termini");
        // There is no current ISEE of what is not attested.
        let mut current = referring(TipoOperazione::C, &declarant, &first, today);
        let mut casa = Caseta::seeded(1, today);
        casa.member(Ruolo::D, 40, 20_000);
        let mut change = variazione(&mut casa, 0, TipoVariazione::A, (Some(1), None));
        change.codice_fiscale = declarant.clone();
        change.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        assert_eq!(refused(&caf, &text(&current, "CAF1-C")).await, "K17.base");

        // After the terms: of one member; the other one is still not known, and it waits on.
        let second = accepted(&caf, &text(&old.dsu, "CAF1-OLD")).await;
        let mut incomes = referring(TipoOperazione::I, &old_declarant, &second, today);
        incomes.integrazione_redditi = Some(redditi(&old_declarant, 9000));
        let still = accepted(&caf, &text(&incomes, "CAF1-OLD-I1")).await;
        assert_eq!(
            (still == version(&second, 1), state(&caf, &still).await.0),
            (true, "RICEVUTA".to_owned())
        );
        incomes.integrazione_redditi = Some(redditi(&old_guest, 6700));
        let provisional = accepted(&caf, &text(&incomes, "CAF1-OLD-I2")).await;
        // (9,000 + 6,700) / 1.57 = 10,000.
        assert_eq!(isee(&comune, &old_declarant, "Ordinario", &day).await, "10000.00");
        let xml = attested(&comune, &provisional, &old_guest).await;
        assert!(xml.contains("NoteVariazione=\"Attestazione provvisoria"), "{xml}");
        assert_eq!(state(&caf, &provisional).await.0, "ATTESTATA");

        // What is cancelled waits no more.
        let cancelled = accepted(&caf, &text(&third.dsu, "CAF1-THIRD")).await;
        accepted(
            &caf,
            &text(
                &referring(TipoOperazione::X, &third_declarant, &cancelled, today),
                "CAF1-THIRD-X",
            ),
        )
        .await;

        // The feed comes, for one member, then for the other.
        let mut half = Caseta::seeded(1, today);
        half.feed = fresh.feed[..1].to_vec();
        world.feed(&[&half, &third]);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(state(&caf, &first).await.0, "RICEVUTA");
        (first, second, cancelled)
    });
    serving.stop();
    // The rest of it while nobody serves: the next start goes on.
    let mut half = Caseta::seeded(1, today);
    half.feed = fresh.feed[1..].to_vec();
    world.feed(&[&half]);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        until_attested(&caf, &first).await;
        assert_eq!(isee(&comune, &guest, "Ordinario", &day).await, "28025.48");
        assert_eq!(state(&caf, &second).await.0, "SOSTITUITA");
        assert_eq!(state(&caf, &cancelled).await.0, "ANNULLATA");
        assert_eq!(
            isee(&comune, &third_declarant, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        // A DSU of which everything is known already is attested at once; and one that is waiting is, while
        // the port serves.
        let known = accepted(&caf, &text(&fresh.dsu, "CAF1-N2")).await;
        assert_eq!(state(&caf, &known).await.0, "ATTESTATA");
        let (fourth_declarant, _, fourth) = family(4, today);
        let waiting = accepted(&caf, &text(&fourth.dsu, "CAF1-FOURTH")).await;
        assert_eq!(state(&caf, &waiting).await.0, "RICEVUTA");
        world.feed(&[&fourth]);
        until_attested(&caf, &waiting).await;
        assert_eq!(
            isee(&comune, &fourth_declarant, "Ordinario", &day).await,
            "28025.48"
        );
    });
    serving.stop();
}

#[test]
fn rules_that_change_what_was_attested_make_new_versions() {
    let world = World::new();
    let today = world.today;
    let day = today.to_string();
    // Bonds of 10,000 give 2.60 % in 2026, a value that nothing confirms: 260, and 4,000 above the franchise.
    let mut with_bonds = Caseta::on(today);
    let who = with_bonds.member(Ruolo::D, 40, 20_000);
    with_bonds.sheet(who).patrimonio_mobiliare =
        Some(rapporto(varco::isee::codes::TipoRapporto::Titoli, 10_000));
    let mut without = Caseta::seeded(2, today);
    without.member(Ruolo::D, 40, 20_000);
    let (rich, poor) = (with_bonds.code(0), without.code(0));
    world.feed(&[&with_bonds, &without]);
    let serving = world.site.serve();
    let (first, own) = kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&with_bonds.dsu, "CAF1-N1")).await;
        accepted(&caf, &text(&without.dsu, "CAF1-N2")).await;
        // 17,000 + 260 + 800.
        assert_eq!(isee(&comune, &rich, "Ordinario", &day).await, "18060.00");
        let mut current = referring(TipoOperazione::C, &rich, &first, today);
        let mut change = variazione(&mut with_bonds, who, TipoVariazione::A, (Some(6000), None));
        change.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        let own = accepted(&caf, &text(&current, "CAF1-C")).await;
        assert_eq!(isee(&comune, &rich, "Ordinario", &day).await, "5860.00");
        (first, own)
    });
    serving.stop();

    let year = &day[..4];
    let rules = format!(
        "[[regole.parametro]]\ninsieme = \"{year}\"\nnome = \"rendimento\"\nvalore = \"0.03\"\nfonte = \"prova\"\n"
    );
    world.site.configure(&rules);
    let config = world.site.config().display().to_string();
    let apply = |more: &[&str]| {
        let (said, done) = command(&[&["rules", "apply", "--config", &config, "--json"], more].concat());
        let value: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
        let number = |name: &str| value[name].as_u64().unwrap();
        assert!(done && number("errori") == 0, "{said}");
        [
            number("esaminate"),
            number("aggiornate"),
            number("invariate"),
            number("ricalcolate"),
        ]
    };
    // Without a reason nothing is done; on trial neither.
    assert!(!command(&["rules", "apply", "--config", &config]).1);
    assert_eq!(apply(&["--prova"]), [3, 0, 1, 2]);
    // A trial lists them: the rules and the method of each attestation, and the effect.
    let (listed, _) = command(&["rules", "apply", "--config", &config, "--prova"]);
    let line = |protocol: &str, effect: &str| {
        listed.contains(&format!(
            "  {protocol}  presentata il {day}, attestata con le regole {year}, metodo 2: {effect}\n"
        ))
    };
    assert!(
        line(&first, "cambierebbe") && line(&own, "cambierebbe"),
        "{listed}"
    );
    assert!(
        listed.matches("resterebbe uguale").count() == 1 && listed.lines().count() == 4,
        "{listed}"
    );
    // The current ISEE is computed again with the DSU that it rests on.
    assert_eq!(apply(&["--motivo", "prova"]), [3, 1, 1, 1]);
    assert_eq!(apply(&["--motivo", "ancora"]), [3, 2, 1, 0]);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        // 4,800 + 300 + 800; and of the DSU itself 17,000 + 300 + 800.
        assert_eq!(isee(&comune, &rich, "Ordinario", &day).await, "5900.00");
        assert_eq!(isee(&comune, &poor, "Ordinario", &day).await, "17000.00");
        let second = attested(&comune, &version(&first, 1), &rich).await;
        assert!(
            second.contains("ISEE=\"18100.00\"") && second.contains("TipoVariazione=\"Ricalcolo\""),
            "{second}"
        );
        assert!(
            attested(&comune, &first, &rich)
                .await
                .contains("ISEE=\"18060.00\"")
        );
        assert!(
            attested(&comune, &version(&own, 1), &rich)
                .await
                .contains("ISEE=\"5900.00\"")
        );
        assert_eq!(
            state(&caf, &first).await,
            ("SOSTITUITA".to_owned(), version(&first, 1))
        );
        for made in [version(&first, 1), version(&own, 1)] {
            assert_eq!(state(&caf, &made).await.0, "ATTESTATA");
        }
        // On the running gateway, by its own rules: nothing is left to do.
        assert_eq!(apply(&["--motivo", "in funzione"]), [3, 2, 1, 0]);
        // The specific ISEE is kept with the attestation: its lines are those that the yield moves too.
        let entries = varco::ledger::search::find(
            &world.site.directory().reader(),
            &varco::ledger::search::Filter {
                kind: Some(varco::ledger::Kind::Attestation),
                ..Default::default()
            },
            usize::MAX,
        );
        let keys = varco::ledger::Keys::open(&world.site.directory().keys(), true).unwrap();
        let entries = entries.unwrap();
        let last = entries.last().unwrap();
        let (_, kept) = varco::ledger::seal::open(&keys, &last.leaf, &last.sealed).unwrap();
        assert_eq!(kept.specifico.is_some(), today.year() == 2026);
        // Its versions, each with the entry that made it.
        let (said, _) = command(&[
            "dsu",
            "versions",
            &version(&first, 1),
            "--data",
            &world.site.data().display().to_string(),
        ]);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(
            lines[0].starts_with(&first) && lines[0].contains("  N  ") && !lines[0].contains("ricalcolo"),
            "{said}"
        );
        assert!(
            lines[1].starts_with(&version(&first, 1)) && lines[1].ends_with("ricalcolo"),
            "{said}"
        );
        // Each is an entry that says so, and so is the act.
        let data = world.site.data().display().to_string();
        let (said, _) = command(&["ledger", "--data", &data, "list", "--tipo", "dsu", "--json"]);
        assert_eq!(
            said.lines()
                .filter(|line| line.contains("\"ricalcolo\":true"))
                .count(),
            2,
            "{said}"
        );
        let (said, _) = command(&[
            "ledger",
            "--data",
            &data,
            "list",
            "--operazione",
            "rules apply",
            "--tipo",
            "admin",
        ]);
        // Each begun and ended.
        assert_eq!(said.lines().count(), 6, "{said}");
    });
    serving.stop();
}

#[test]
fn a_parent_who_does_not_live_with_the_family_is_not_of_it() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let mother = casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    // His sheet stands among the family's, in the role of who lives elsewhere; the home that he flags is his
    // own.
    let father = casa.member(Ruolo::Gnc, 45, 30_000);
    casa.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[child].flag_assenza_reddito = true;
    casa.estate(father, 100_000, 0, true);
    casa.form().abitazione.tipo_abitazione = varco::isee::codes::TipoAbitazione::Altro;
    let (mother, child, father) = (casa.code(mother), casa.code(child), casa.code(father));
    casa.parent(&[1], (false, false), None);
    casa.form().genitore_non_convivente[0].codice_fiscale = father.clone();
    world.site.configure("[sii]\nattesta = \"termini\"\n");
    let mut of_family = Caseta::on(today);
    of_family.feed = casa.feed[..1].to_vec();
    world.feed(&[&of_family]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        // He counts in the child's indicator: he is waited for too.
        assert_eq!(state(&caf, &first).await.0, "RICEVUTA");
        // The operator sees that it waits, and why, and no name.
        let data = world.site.data().display().to_string();
        let (status, _) = command(&["status", "--data", &data]);
        let year = today.year() - 2;
        let why = format!(
            "(caf, presentata il {today}): mancano i redditi {year} di una persona; i termini finiscono il "
        );
        assert!(
            status.contains("DSU in attesa del feed: 1\n")
                && status.contains(&why)
                && !status.contains(&father.canonical()),
            "{status}"
        );
        assert!(
            world
                .feed(&[&casa])
                .contains("DSU che lo aspettavano, ora attestate: 1\n")
        );
        assert_eq!(state(&caf, &first).await.0, "ATTESTATA");
        assert!(
            command(&["status", "--data", &data])
                .0
                .contains("DSU in attesa del feed: 0\n")
        );
        assert_eq!(isee(&comune, &mother, "Ordinario", &day).await, "10828.03");
        // With him, and his home as any other real estate: (17,000 + 27,000 + 20 % of 100,000) / 2.04.
        assert_eq!(isee(&comune, &child, "Minorenne", &day).await, "31372.55");
        // Who asks about him is told nothing of that family.
        assert_eq!(
            isee(&comune, &father, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        assert_eq!(attested(&comune, &first, &father).await, "DATI_NON_TROVATI");
        // Whoever reads the attestation reads of him as well, and so it is recorded.
        let data = world.site.data().display().to_string();
        let read = || {
            let list = [
                "ledger",
                "--data",
                &data,
                "list",
                "--operazione",
                "ConsultazioneAttestazione",
                "--esito",
                "OK",
            ];
            command(&[&list[..], &["--codice-fiscale", &father.canonical()]].concat())
                .0
                .lines()
                .filter(|line| line.contains("  exchange "))
                .count()
        };
        assert_eq!(read(), 0);
        assert!(
            attested(&comune, &first, &child)
                .await
                .contains(&father.canonical())
        );
        assert_eq!(read(), 1);
    });
    serving.stop();
}

/// A correction names somebody of whom nothing is known: until it is, what was attested before counts.
#[test]
fn a_correction_waits_as_a_new_dsu_does_and_what_was_attested_counts_meanwhile() {
    let world = World::new();
    world.site.configure("[sii]\nattesta = \"termini\"\n");
    let today = world.today;
    let day = today.to_string();
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 40, 20_000);
    let declarant = casa.code(who);
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let (first, own, later, corrected, spouse) = kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        let mut current = referring(TipoOperazione::C, &declarant, &first, today);
        let mut change = variazione(&mut casa, who, TipoVariazione::A, (Some(6000), None));
        change.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        let own = accepted(&caf, &text(&current, "CAF1-C")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "4800.00");

        // The spouse had been forgotten, and signs too. What is declared of their incomes counts for nothing
        // before the terms are over.
        let spouse = casa.member(Ruolo::C, 40, 30_000);
        let spouse = casa.code(spouse);
        casa.sheet(1).altri_redditi = Some(varco::isee::foglio::AltriRedditi {
            flag_rettifica: true,
            spese_detrazione: Some(1),
            ..varco::isee::foglio::AltriRedditi::nothing()
        });
        let mut correction = casa.dsu.clone();
        correction.operazione.tipo = TipoOperazione::R;
        correction.operazione.numero_protocollo_riferimento = Some(first.clone());
        correction
            .sottoscrizione
            .push(sottoscrizione(&spouse, "CAF", today));
        let corrected = accepted(&caf, &text(&correction, "CAF1-R")).await;
        assert_eq!(corrected, version(&first, 1));
        assert_eq!(state(&caf, &corrected).await.0, "RICEVUTA");
        assert_eq!(state(&caf, &first).await.0, "ATTESTATA");
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "4800.00");
        assert_eq!(
            isee(&comune, &spouse, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
        assert!(
            attested(&comune, &first, &declarant)
                .await
                .contains("ISEE=\"17000.00\"")
        );

        // Where there is no current ISEE the DSU itself goes on being found.
        let mut plain = Caseta::seeded(5, today);
        let who = plain.member(Ruolo::D, 40, 20_000);
        let who = plain.code(who);
        world.feed(&[&plain]);
        let before = accepted(&caf, &text(&plain.dsu, "CAF1-PLAIN")).await;
        plain.member(Ruolo::C, 40, 30_000);
        let mut correction = plain.dsu.clone();
        correction.operazione.tipo = TipoOperazione::R;
        correction.operazione.numero_protocollo_riferimento = Some(before.clone());
        let waits = accepted(&caf, &text(&correction, "CAF1-PLAIN-R")).await;
        assert_eq!(
            (state(&caf, &waits).await.0, state(&caf, &before).await.0),
            ("RICEVUTA".to_owned(), "ATTESTATA".to_owned())
        );
        assert_eq!(isee(&comune, &who, "Ordinario", &day).await, "17000.00");

        // Meanwhile a current ISEE rests on what counts; one of who is not in the correction would not.
        current.isee_corrente.as_mut().unwrap().variazione[0].reddito_dipendente_12_mesi = Some(3000);
        let later = accepted(&caf, &text(&current, "CAF1-C2")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "2400.00");
        (first, own, later, corrected, spouse)
    });
    serving.stop();
    // By other rules it would be computed again, but for what waits.
    let year = &day[..4];
    let waiting = "[sii]\nattesta = \"termini\"\n";
    world.site.configure(&format!(
        "{waiting}[[regole.parametro]]\ninsieme = \"{year}\"\nnome = \"rendimento\"\nvalore = \"0.05\"\nfonte = \"prova\"\n"
    ));
    let (said, done) = command(&[
        "rules",
        "apply",
        "--config",
        &world.site.config().display().to_string(),
        "--prova",
        "--json",
    ]);
    assert!(done && said.contains("\"in_attesa\": 2"), "{said}");
    world.site.configure(waiting);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        // Known: the DSU is (17,000 + 27,000 - 1 of expenses) / 1.57, its current ISEE (2,400 + 26,999) /
        // 1.57.
        let mut of_spouse = Caseta::on(today);
        of_spouse.feed = casa.feed[1..].to_vec();
        world.feed(&[&of_spouse]);
        until_attested(&caf, &corrected).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "18725.48");
        assert_eq!(
            state(&caf, &first).await,
            ("SOSTITUITA".to_owned(), corrected.clone())
        );
        let xml = attested(&comune, &corrected, &spouse).await;
        assert!(
            xml.contains("ISEE=\"28024.84\"") && xml.contains("TipoVariazione=\"Ricalcolo\""),
            "{xml}"
        );
        assert!(
            xml.contains(&format!("NumeroProtocolloDSUVariata=\"{first}\"")),
            "{xml}"
        );
        for current in [&own, &later] {
            assert_eq!(
                state(&caf, current).await,
                ("SOSTITUITA".to_owned(), version(current, 1))
            );
        }
    });
    serving.stop();
}

/// An attestation is computed again with the DSU that it was computed with: not with one that has been
/// attested since.
#[test]
fn what_was_computed_without_a_dsu_is_computed_again_without_it() {
    let world = World::new();
    world.site.configure("[sii]\nattesta = \"termini\"\n");
    let today = world.today;
    let day = today.to_string();
    let mut his = Caseta::seeded(2, today);
    let father = his.member(Ruolo::D, 45, 30_000);
    let father = his.code(father);
    let mut casa = Caseta::on(today);
    casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    casa.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[child].flag_assenza_reddito = true;
    casa.sheet(0).patrimonio_mobiliare = Some(rapporto(varco::isee::codes::TipoRapporto::Titoli, 50_000));
    let (mother, child) = (casa.code(0), casa.code(child));
    casa.parent(&[1], (false, false), None);
    world.feed(&[&casa]);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let waiting = accepted(&caf, &text(&his.dsu, "CAF1-HIS")).await;
        casa.form().genitore_non_convivente[0].codice_fiscale = father.clone();
        casa.form().genitore_non_convivente[0].dati =
            Some(varco::isee::dsu::DatiGenitore::Protocollo(waiting.clone()));
        accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        assert_eq!(isee(&comune, &child, "Minorenne", &day).await, "DATI_NON_TROVATI");
        // Of the daughter too something is known by now: it was not when she was said to have nothing.
        let mut since = Caseta::on(today);
        since.feed = vec![varco::isee::feed::FeedRecord {
            codice_fiscale: child.canonical(),
            ..casa.feed[0].clone()
        }];
        world.feed(&[&his, &since]);
        until_attested(&caf, &waiting).await;
    });
    serving.stop();
    let before = "[sii]\nattesta = \"termini\"\n";
    let year = &day[..4];
    let rules = format!(
        "{before}[[regole.parametro]]\ninsieme = \"{year}\"\nnome = \"rendimento\"\nvalore = \"0.05\"\nfonte = \"prova\"\n"
    );
    world.site.configure(&rules);
    let config = world.site.config().display().to_string();
    let (said, done) = command(&[
        "rules", "apply", "--config", &config, "--motivo", "prova", "--json",
    ]);
    assert!(done && said.contains("\"ricalcolate\": 1"), "{said}");
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let comune = world.site.client(serving.address, "comune");
        // 17,000 + 2,500 of yield + 20 % of (50,000 - 8,000), over 1.57.
        assert_eq!(isee(&comune, &mother, "Ordinario", &day).await, "17770.70");
        assert_eq!(isee(&comune, &child, "Minorenne", &day).await, "DATI_NON_TROVATI");
    });
    serving.stop();
}

#[test]
fn of_two_dsu_the_later_counts_whatever_becomes_of_the_earlier() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    let who = casa.member(Ruolo::D, 40, 20_000);
    let spouse = casa.member(Ruolo::C, 40, 20_000);
    let (declarant, spouse_code) = (casa.code(who), casa.code(spouse));
    world.feed(&[&casa]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, other, comune) = (client("caf"), client(OTHER), client("comune"));
        let first = accepted(&caf, &text(&casa.dsu, "CAF1-N1")).await;
        // Two on the same day: the second, with an account of 58,000: 34,000 + 10,000.
        let mut richer = casa.dsu.clone();
        richer.nucleo_familiare.as_mut().unwrap().componente_nucleo[0]
            .foglio_componente_nucleo
            .patrimonio_mobiliare = Some(conti(58_000));
        let second = accepted(&caf, &text(&richer, "CAF1-N2")).await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "28025.48");
        // The first is completed afterwards: it is not the one that counts.
        let mut incomes = referring(TipoOperazione::I, &declarant, &first, today);
        incomes.integrazione_redditi = Some(redditi(&declarant, 1000));
        accepted(&caf, &text(&incomes, "CAF1-I")).await;
        for person in [&declarant, &spouse_code] {
            assert_eq!(isee(&comune, person, "Ordinario", &day).await, "28025.48");
        }
        // No current ISEE rests on what has been replaced.
        let mut current = referring(TipoOperazione::C, &declarant, &first, today);
        let mut change = variazione(&mut casa, spouse, TipoVariazione::A, (Some(6000), None));
        change.data_variazione = Some(today);
        current.isee_corrente = Some(IseeCorrente {
            variazione: vec![change],
        });
        assert_eq!(refused(&caf, &text(&current, "CAF1-C1")).await, "K17.base");
        // On the second; by another CAF, and signed by the spouse too, who lost the work.
        current.operazione.numero_protocollo_riferimento = Some(second.clone());
        current
            .sottoscrizione
            .push(sottoscrizione(&spouse_code, "CAF", today));
        let own = accepted(&other, &text(&current, "ALTRO-C")).await;
        // 17,000 + 4,800 + 10,000.
        assert_eq!(isee(&comune, &spouse_code, "Ordinario", &day).await, "20254.78");
        // What became of it is the affair of the CAF whose DSU it is, which is told who completed it.
        assert_eq!(state(&other, &own).await.0, "RICEVUTA");
        assert_eq!(
            completions(&caf, &second).await,
            [(
                own.clone(),
                "C".to_owned(),
                OTHER.to_owned(),
                format!("Ente {OTHER}")
            )]
        );
        assert_eq!(completions(&other, &own).await, []);
        // Nobody else's signature would do.
        let stranger = casa.famiglie.foglio(40, 40).codice_fiscale;
        let mut wrong = current.clone();
        wrong.sottoscrizione[1] = sottoscrizione(&stranger, "ALTRO-C2", today);
        assert_eq!(refused(&other, &text(&wrong, "ALTRO-C2")).await, "K02.insieme");
        assert_eq!(
            refused(&caf, &text(&wrong, "CAF1-C2")).await,
            "K18.sottoscrittore"
        );
        // A correction that takes away the person whose income changed would leave the form without its
        // object.
        let mut corrected = richer.clone();
        corrected
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .remove(spouse);
        corrected.operazione = Operazione {
            tipo: TipoOperazione::R,
            codice_fiscale_riferimento: None,
            numero_protocollo_riferimento: Some(second.clone()),
        };
        assert_eq!(
            refused(&caf, &text(&corrected, "CAF1-R")).await,
            "K02.sostitutivo"
        );
        // Whoever read the current ISEE used it, and the DSU that it rests on.
        isee(&comune, &declarant, "Ordinario", &day).await;
        let answer = other
            .call(
                DSU,
                &text(&referring(TipoOperazione::X, &declarant, &own, today), "ALTRO-X"),
            )
            .await
            .unwrap();
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        assert!(
            !answer.text.contains("<Utilizzi"),
            "another ente is told of uses: {}",
            answer.text
        );
        // And one that is not cancelled ends with the DSU that it rests on.
        let again = accepted(&other, &text(&current, "ALTRO-C3")).await;
        accepted(
            &caf,
            &text(
                &referring(TipoOperazione::X, &declarant, &second, today),
                "CAF1-X",
            ),
        )
        .await;
        assert_eq!(state(&other, &again).await.0, "ANNULLATA");
        // The first counts again, as it was completed: 1,000 less at most as much, and 17,000: / 1.57.
        assert_eq!(isee(&comune, &spouse_code, "Ordinario", &day).await, "10828.03");
    });
    serving.stop();
}

#[test]
fn what_refers_to_a_dsu_takes_the_version_that_counts() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    let mut his = Caseta::seeded(5, today);
    his.member(Ruolo::D, 45, 30_000);
    let father = his.sheet(0).clone();
    casa.parent(&[child], (false, true), None);
    world.feed(&[&casa, &his]);
    let serving = world.site.serve();
    let day = today.to_string();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let first = accepted(&caf, &text(&his.dsu, "CAF1-HIS")).await;
        // Corrected: 12,700 under FC8 as integrated, less the employee's 3,000.
        let mut incomes = referring(TipoOperazione::I, &father.codice_fiscale, &first, today);
        incomes.integrazione_redditi = Some(redditi(&father.codice_fiscale, 13_000));
        accepted(&caf, &text(&incomes, "CAF1-HIS-I")).await;
        let parent = &mut casa.form().genitore_non_convivente[0];
        parent.codice_fiscale = father.codice_fiscale.clone();
        parent.dati = Some(varco::isee::dsu::DatiGenitore::Protocollo(first.clone()));
        accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        let person = casa.code(child);
        // 10,828.03 + (13,000 - 3,000) x 30 %.
        assert_eq!(isee(&comune, &person, "Minorenne", &day).await, "13828.03");
    });
    serving.stop();
}

#[test]
fn whose_data_stand_in_a_dsu_is_waited_for_and_what_waited_replaces_what_was() {
    let world = World::new();
    world.site.configure("[sii]\nattesta = \"termini\"\n");
    let today = world.today;
    let day = today.to_string();
    let long_ago = today.checked_sub(jiff::Span::new().days(45)).unwrap();
    // A father whose data stand here, and of whom nothing is known yet.
    let mut casa = Caseta::on(today);
    casa.member(Ruolo::D, 40, 20_000);
    let child = casa.member(Ruolo::F, 8, 0);
    casa.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[child].flag_assenza_reddito = true;
    casa.parent(&[child], (false, false), Some((30_000, 1)));
    let person = casa.code(child);
    // An older one of two persons, known; then one of the declarant alone, of whom the year is not known.
    let mut old = Caseta::seeded(3, long_ago);
    let who = old.member(Ruolo::D, 40, 20_000);
    let guest = old.member(Ruolo::P, 60, 30_000);
    let (declarant, guest_code) = (old.code(who), old.code(guest));
    let mut first_feed = Caseta::on(today);
    first_feed.feed = [casa.feed[..1].to_vec(), old.feed[1..].to_vec()].concat();
    world.feed(&[&first_feed]);
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let client = |name| world.site.client(serving.address, name);
        let (caf, comune) = (client("caf"), client("comune"));
        let waiting = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        assert_eq!(state(&caf, &waiting).await.0, "RICEVUTA");
        let mut fathers = Caseta::on(today);
        fathers.feed = casa.feed[1..].to_vec();
        world.feed(&[&fathers]);
        until_attested(&caf, &waiting).await;
        assert_eq!(isee(&comune, &person, "Minorenne", &day).await, "21568.63");

        // The declarant's incomes are declared after the terms: two DSU, each attested by that alone.
        let both = accepted(&caf, &text(&old.dsu, "CAF1-OLD1")).await;
        let declare = async |protocol: &str, sender: &str| {
            let mut incomes = referring(TipoOperazione::I, &declarant, protocol, today);
            incomes.integrazione_redditi = Some(redditi(&declarant, 15_700));
            accepted(&caf, &text(&incomes, sender)).await
        };
        declare(&both, "CAF1-OLD1-I").await;
        // (15,700 + 27,000) / 1.57.
        assert_eq!(isee(&comune, &guest_code, "Ordinario", &day).await, "27197.45");
        let mut alone = old.dsu.clone();
        alone
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .remove(guest);
        let second = accepted(&caf, &text(&alone, "CAF1-OLD2")).await;
        // While it waits the earlier one counts.
        assert_eq!(isee(&comune, &guest_code, "Ordinario", &day).await, "27197.45");
        declare(&second, "CAF1-OLD2-I").await;
        assert_eq!(isee(&comune, &declarant, "Ordinario", &day).await, "15700.00");
        assert_eq!(
            isee(&comune, &guest_code, "Ordinario", &day).await,
            "DATI_NON_TROVATI"
        );
    });
    serving.stop();
}

/// Attestations of DSU presented from 2026 on have ISEEFamiglia. An ente that reads by the schema of 2021
/// gets them without.
#[test]
fn the_specific_isee_is_on_the_wire_unless_an_ente_reads_by_the_schema_of_2021() {
    let world = World::new();
    let today = world.today;
    let mut casa = Caseta::on(today);
    casa.member(Ruolo::D, 40, 20_000);
    casa.member(Ruolo::F, 8, 0);
    casa.member(Ruolo::F, 6, 0);
    let declarant = casa.code(0);
    world.feed(&[&casa]);
    let data = world.site.data().display().to_string();
    let set = |wanted: &str| {
        let (said, done) = command(&[
            "ente",
            "risposte",
            "comune",
            "--isee-famiglia",
            wanted,
            "--data",
            &data,
            "--motivo",
            "prova",
        ]);
        assert!(done, "{said}");
        command(&["ente", "mostra", "comune", "--data", &data]).0
    };
    let serving = world.site.serve();
    kit::runtime().block_on(async {
        let (caf, comune) = (
            world.site.client(serving.address, "caf"),
            world.site.client(serving.address, "comune"),
        );
        let protocol = accepted(&caf, &text(&casa.dsu, "CAF1-N")).await;
        let xml = attested(&comune, &protocol, &declarant).await;
        let (before, specific) = xml.split_once("<ISEEFamiglia ").unwrap();
        assert!(
            before.contains("</ISEEOrdinario>"),
            "after the ordinary one: {xml}"
        );
        // 17,000 / 2.04, and with two children / (2.04 + 0.10).
        assert!(
            before.contains(" ISEE=\"8333.33\"") && specific.contains(" ISEE=\"7943.93\""),
            "{xml}"
        );
        assert!(
            specific.contains("<ModalitaCalcoloISEEFamiglia ") && specific.contains("Maggiorazioni=\"0.10\""),
            "{xml}"
        );
        assert!(set("false").contains("attestazioni    senza ISEEFamiglia"));
        let without = attested(&comune, &protocol, &declarant).await;
        assert!(
            without.contains(" ISEE=\"8333.33\"") && !without.contains("ISEEFamiglia"),
            "{without}"
        );
        assert!(!set("true").contains("senza ISEEFamiglia"));
        assert_eq!(attested(&comune, &protocol, &declarant).await, xml);
    });
    serving.stop();
}
