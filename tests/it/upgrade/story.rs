//! The story of `tests/data/directory-1.1` and `directory-1.2`, day by day: see `tests/data/README.md`.

use std::sync::Arc;

use jiff::civil::{Date, date};
use varco::commands::demo::accreditamento;
use varco::config::Config;
use varco::contract::catalogue::{Operation, Service};
use varco::contract::{ISEE_NS, message};
use varco::gateway::node::Node;
use varco::isee::CodiceFiscale;
use varco::isee::codes::{Ruolo, TipoOperazione, TipoRapporto, TipoVariazione};
use varco::isee::dsu::{
    ComponentePerIntegrazioneAggiuntiva, Dichiarazione, IntegrazioneComponenteAggiuntiva,
    IntegrazioneResidenziale, IseeCorrente,
};
use varco::isee::feed::FeedRecord;
use varco::ledger::Directory;
use varco::ledger::disk::RealDisk;
use varco::registry::administration::{Actor, Command as Act};
use varco::registry::ente::{Anagrafica, Decisione, Richiesta, Stato, Tipo, Ufficio};
use varco::registry::quota::Quote;
use varco::sii::SiiSettings;
use varco::sii::protocol::version_of;
use varco::sii::upkeep;
use varco::soap::{Version, envelope};

use super::answers::Asking;
use super::make::{FIRST, LAST, Maker, Open, Protocol, THRESHOLD};
use kit::caseta::*;
use kit::{BENEFIT, DSU, ISEE, element, requests};

/// So long before the first day that the terms are over.
const LONG_AGO: Date = date(2025, 11, 10);
const NEW_YEAR: Date = date(2026, 1, 2);
const CONSULTATIONS: &str = "ConsultazioneIndicatore,ConsultazioneAttestazione,ConsultazioneAttestazioneResidenti,\
     ConsultazioneDichiarazione,ConsultazioneSogliaIndicatore,VerificaEsistenzaProtocollo";
const TRANSMISSIONS: &str = "TrasmissioneDSU,ConsultazioneEsitoDSU,TrasmissioneLotto,ConsultazioneEsitoLotto";
const RULES: &str = "[[regole.parametro]]\ninsieme = \"2026\"\nnome = \"rendimento\"\nvalore = \"0.03\"\nfonte = \"prova\"\n\n";

/// Persons of whom there is more to tell on a later day.
const COMPLETED: &str =
    "declarant, completed by incomes, by the residential form, and by incomes in another year";
const GIULIA: &str = "declarant of the sample DSU, which waited until it was cancelled in another year";
const RICH: &str = "declarant with bonds, computed again by other rules, and a current ISEE";
const WAITED: &str = "declarant of a DSU that waited";

impl Maker {
    /// Enti in every state, with grants, an office, quotas, and what was taken back.
    pub fn registry(&self) {
        let enti = [
            ("comune", Tipo::Comune, "01234567897", CONSULTATIONS),
            (
                "uni",
                Tipo::Universita,
                "09876543217",
                "ConsultazioneIndicatore,ConsultazioneAttestazione",
            ),
            ("caf", Tipo::Caf, "02468135799", TRANSMISSIONS),
            ("altrocaf", Tipo::Caf, "01234567897", TRANSMISSIONS),
            ("terzocaf", Tipo::Caf, "09876543217", TRANSMISSIONS),
            ("sospeso", Tipo::Altro, "01234567897", "ConsultazioneIndicatore"),
            (
                "revocato",
                Tipo::EnteErogatore,
                "02468135799",
                "ConsultazioneIndicatore",
            ),
        ];
        let certificates = enti.map(|(codice, ..)| self.port.certify(codice));
        // Through the admin socket, as where a port serves.
        let open = self.open();
        for ((codice, tipo, fiscale, operazioni), certificate) in enti.into_iter().zip(certificates) {
            let ente = (codice, &*format!("Ente di prova {codice}"), fiscale);
            let benefits: &[&str] = if tipo == Tipo::Caf {
                &[]
            } else {
                &[BENEFIT, "A1.08"]
            };
            for command in accreditamento::commands(ente, tipo, &certificate, operazioni, benefits) {
                self.act(command);
            }
        }
        let of = str::to_owned;
        self.act(Act::Stato {
            codice: of("sospeso"),
            nuovo: Stato::Sospeso,
        });
        self.act(Act::Stato {
            codice: of("revocato"),
            nuovo: Stato::Revocato,
        });
        self.act(Act::Stato {
            codice: of("uni"),
            nuovo: Stato::Sospeso,
        });
        self.act(Act::Stato {
            codice: of("uni"),
            nuovo: Stato::Accreditato,
        });
        let name = "Ente di prova rifiutato";
        let anagrafica = Anagrafica {
            denominazione: of(name),
            codice_fiscale: of("02468135799"),
            tipo: Tipo::Altro,
            codice_ipa: Some(of("prova_ipa")),
            codici_inps: Vec::new(),
            contatti: vec![of("pec@rifiutato.example")],
            parti: Vec::new(),
        };
        let (pec, base_giuridica, finalita) = (of("PEC di prova"), of("nessuna"), of("prova"));
        let richiesta = Richiesta {
            pec,
            base_giuridica,
            finalita,
            ..Richiesta::default()
        };
        let codice = of("rifiutato");
        self.act(Act::Richiedi {
            codice: codice.clone(),
            anagrafica: anagrafica.clone(),
            richiesta,
        });
        let nuova = Anagrafica {
            contatti: vec![of("protocollo@rifiutato.example")],
            ..anagrafica.clone()
        };
        self.act(Act::Aggiorna {
            codice: codice.clone(),
            anagrafica: nuova,
            letta: anagrafica,
        });
        self.act(Act::Decidi {
            codice,
            accolta: false,
            decisione: Decisione::default(),
            come_richiesto: false,
        });
        let denominazione = Some(of("Servizi sociali"));
        let ufficio = Ufficio {
            codice: of("001"),
            denominazione,
            periodo: Default::default(),
        };
        self.act(Act::Ufficio {
            codice: of("comune"),
            ufficio,
        });
        let quote = Quote {
            al_giorno: Some(100_000),
            persone_al_giorno: Some(50_000),
            ..Quote::default()
        };
        self.act(Act::Quota {
            codice: of("uni"),
            quote,
            operatore: true,
        });
        let mut spare = accreditamento::granted("uni", "ConsultazioneSogliaIndicatore", &[BENEFIT]);
        if let Act::Abilita { sostituisci, .. } = &mut spare {
            *sostituisci = false;
        }
        self.act(spare);
        self.act(Act::Disabilita {
            codice: of("uni"),
            numero: 2,
        });
        let spare = accreditamento::pinned(&self.port.certify("ricambio"));
        self.act(Act::AggiungiCertificato {
            codice: of("caf"),
            certificato: spare.clone(),
        });
        self.act(Act::TogliCertificato {
            codice: of("caf"),
            segno: spare.segno,
        });
        self.close(open);
        // And where none serves.
        self.act(accreditamento::granted("terzocaf", TRANSMISSIONS, &[]));
    }
}

/// A family of employees: the declarant and others of an age.
fn family(seed: u64, presented: Date, others: &[(Ruolo, i16, u32)]) -> (Caseta, CodiceFiscale) {
    let mut casa = Caseta::seeded(seed, presented);
    let who = casa.member(Ruolo::D, 40, 20_000);
    for (ruolo, age, employee) in others {
        casa.member(*ruolo, *age, *employee);
    }
    let declarant = casa.code(who);
    (casa, declarant)
}

/// A current ISEE: the declarant's income of twelve months.
fn current(casa: &mut Caseta, declarant: &CodiceFiscale, protocol: &str, today: Date) -> Dichiarazione {
    let mut form = referring(TipoOperazione::C, declarant, protocol, today);
    let mut change = variazione(casa, 0, TipoVariazione::A, (Some(6000), None));
    change.data_variazione = Some(today);
    form.isee_corrente = Some(IseeCorrente {
        variazione: vec![change],
    });
    form
}

fn incomes(declarant: &CodiceFiscale, protocol: &str, today: Date, irpef: u32) -> Dichiarazione {
    let mut form = referring(TipoOperazione::I, declarant, protocol, today);
    form.integrazione_redditi = Some(redditi(declarant, irpef));
    form
}

/// A correction: an account of that balance had been forgotten.
fn correction(casa: &Caseta, protocol: &str, account: u32) -> Dichiarazione {
    let mut form = casa.dsu.clone();
    form.operazione.tipo = TipoOperazione::R;
    form.operazione.numero_protocollo_riferimento = Some(protocol.to_owned());
    let members = &mut form.nucleo_familiare.as_mut().unwrap().componente_nucleo;
    members[0].foglio_componente_nucleo.patrimonio_mobiliare = Some(conti(account));
    form
}

/// A child outside the nucleus, of whom the residential form tells.
fn residential(casa: &mut Caseta, declarant: &CodiceFiscale, protocol: &str, today: Date) -> Dichiarazione {
    let mut outside = Caseta::seeded(40, casa.presented);
    outside.member(Ruolo::D, 80, 0);
    let child = outside.child(Some(24_000), 1);
    let mut form = referring(TipoOperazione::S, declarant, protocol, today);
    let mut each = casa.residential(0, 0).clone();
    casa.form().residenziale.clear();
    each.flag_figli_non_compresi = true;
    each.figlio_non_compreso_nel_nucleo = vec![child];
    let integrazione = IntegrazioneResidenziale {
        componente_per_integrazione_residenziale: vec![each],
    };
    form.integrazione_residenziale = Some(integrazione);
    form
}

/// A family of whom nothing is known; with the seed 7, of two members.
fn waits(seed: u64) -> (Caseta, CodiceFiscale) {
    family(
        seed,
        FIRST,
        if seed == 7 { &[(Ruolo::P, 60, 30_000)] } else { &[] },
    )
}

impl Maker {
    /// 30 December 2025: every operation on a DSU, what waits, what is refused, consultations, faults.
    pub fn december(&mut self) {
        let open = self.open();
        let mother = self.completed_by_a_parent(&open);
        self.completed(&open);
        self.corrected(&open);
        self.through_two_caf(&open);
        self.cancelled(&open);
        self.waiting(&open);
        self.lot(&open);
        self.refusals(&open);
        self.faults(&open);
        self.consult(&open, &mother, FIRST);
        self.close(open);
    }

    /// By the parent concerned, through a CAF of his own.
    fn completed_by_a_parent(&mut self, open: &Open) -> CodiceFiscale {
        let (mut casa, mother) = family(1, FIRST, &[(Ruolo::F, 8, 0)]);
        casa.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[1].flag_assenza_reddito = true;
        let mut foglio = casa.parent(&[1], (false, true), None);
        self.feed(&casa.feed);
        let first = self.accepted((&open.caf, "caf"), &casa.dsu);
        let father = foglio.codice_fiscale.clone();
        foglio.altri_redditi = Some(esonerato(27_000));
        let mut added = referring(TipoOperazione::A, &father, &first, FIRST);
        added.integrazione_componente_aggiuntiva = Some(IntegrazioneComponenteAggiuntiva {
            componente_per_integrazione_aggiuntiva: ComponentePerIntegrazioneAggiuntiva {
                componente_aggiuntiva: numeri(&foglio, 1),
                foglio_componente_aggiuntiva: foglio,
            },
        });
        self.accepted((&open.other, "altrocaf"), &added);
        self.person(
            "mother of a child, whose father lives with another family",
            &mother,
        );
        self.person("her child", &casa.code(1));
        self.person("the child's father, who completed her DSU", &father);
        mother
    }

    /// Presented so long ago that the terms are over: incomes, then the residential form.
    fn completed(&mut self, open: &Open) {
        let (mut casa, declarant) = family(2, LONG_AGO, &[]);
        self.feed(&casa.feed);
        let caf = (&open.caf, "caf");
        let first = self.accepted(caf, &casa.dsu);
        self.accepted(caf, &incomes(&declarant, &first, FIRST, 9000));
        self.accepted(caf, &residential(&mut casa, &declarant, &first, FIRST));
        self.person(COMPLETED, &declarant);
    }

    /// A current ISEE, computed again when the DSU is corrected.
    fn corrected(&mut self, open: &Open) {
        let (mut casa, declarant) = family(3, FIRST, &[]);
        self.feed(&casa.feed);
        let caf = (&open.caf, "caf");
        let first = self.accepted(caf, &casa.dsu);
        let own = self.accepted(caf, &current(&mut casa, &declarant, &first, FIRST));
        self.accepted(caf, &correction(&casa, &first, 56_000));
        self.made(&version_of(&own, 1).unwrap(), "caf", &declarant);
        self.person(
            "declarant with a current ISEE that a correction computed again",
            &declarant,
        );
    }

    /// A DSU of one CAF, completed by the same declarant through another: residential form and current ISEE.
    fn through_two_caf(&mut self, open: &Open) {
        let (mut casa, declarant) = family(8, FIRST, &[]);
        self.feed(&casa.feed);
        let other = (&open.other, "altrocaf");
        let first = self.accepted((&open.caf, "caf"), &casa.dsu);
        self.accepted(other, &residential(&mut casa, &declarant, &first, FIRST));
        self.of_another();
        self.accepted(other, &current(&mut casa, &declarant, &first, FIRST));
        self.of_another();
        self.person("declarant through two CAF", &declarant);
    }

    /// The later of two is cancelled: the earlier counts again.
    fn cancelled(&mut self, open: &Open) {
        let (casa, declarant) = family(4, FIRST, &[(Ruolo::P, 60, 30_000)]);
        self.feed(&casa.feed);
        let caf = (&open.caf, "caf");
        self.accepted(caf, &casa.dsu);
        let mut alone = casa.dsu.clone();
        alone
            .nucleo_familiare
            .as_mut()
            .unwrap()
            .componente_nucleo
            .truncate(1);
        let second = self.accepted(caf, &alone);
        self.consult(open, &declarant, FIRST);
        self.accepted(caf, &referring(TipoOperazione::X, &declarant, &second, FIRST));
        self.refused(
            &open.caf,
            &incomes(&declarant, &second, FIRST, 1),
            "K02.annullata",
        );
        self.person("declarant with a cancelled DSU", &declarant);
    }

    /// Nothing is known of these; of the third, one of two members is known later.
    fn waiting(&mut self, open: &Open) {
        for (seed, name) in [
            (5, WAITED),
            (6, "declarant of a DSU that waits"),
            (7, "the same, of two members"),
        ] {
            let (mut casa, declarant) = waits(seed);
            let waiting = self.accepted((&open.caf, "caf"), &casa.dsu);
            self.refused(
                &open.caf,
                &current(&mut casa, &declarant, &waiting, FIRST),
                "K17.base",
            );
            self.person(name, &declarant);
        }
        // The sample DSU, through a third CAF: it waits too.
        let sender = self.next_sender();
        let answer = self.call(
            &open.third,
            DSU,
            &requests::trasmissione(&requests::dsu(&sender, &FIRST.to_string())),
        );
        assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
        let giulia = CodiceFiscale::new(requests::GIULIA);
        self.made(element(&answer, "ProtocolloDSU"), "terzocaf", &giulia);
        self.person(GIULIA, &giulia);
    }

    /// Two good, one refused, one refused by the schema.
    fn lot(&mut self, open: &Open) {
        let (mut parts, mut declarants) = (Vec::new(), Vec::new());
        for seed in [9, 10] {
            let (casa, declarant) = family(seed, FIRST, &[]);
            self.feed(&casa.feed);
            let sender = self.next_sender();
            let mut dsu = casa.dsu.clone();
            dsu.sottoscrizione[0].protocollo_mittente = sender;
            parts.push(message("Dichiarazione", ISEE_NS, &dsu, false));
            self.person("declarant of a lot", &declarant);
            declarants.push(declarant);
        }
        let bad = parts[0].replace("PROVA001", "PROVA002");
        parts.push(bad.replace("CodiceComune=\"G702\"", "CodiceComune=\"7\""));
        parts.push(bad.replace("Operazione Tipo=\"N\"", "Operazione Tipo=\"Q\""));
        let (root, namespace) = (
            Operation::TrasmissioneLotto.root(),
            Operation::TrasmissioneLotto.namespace(),
        );
        let request = envelope(
            Version::V11,
            &format!("<{root} xmlns=\"{namespace}\">{}</{root}>", parts.concat()),
        );
        let answer = self.call(&open.caf, DSU, &request);
        assert_eq!(
            (element(&answer, "Accettate"), element(&answer, "Rifiutate")),
            ("2", "2"),
            "{}",
            answer.text
        );
        self.made
            .lots
            .push(element(&answer, "ProtocolloFlusso").to_owned());
        let protocols = answer
            .text
            .split("<ProtocolloDSU>")
            .skip(1)
            .filter_map(|rest| rest.split('<').next());
        for (protocol, declarant) in protocols.zip(declarants) {
            self.made(protocol, "caf", &declarant);
        }
    }

    /// Refused by checks, and by the schema.
    fn refusals(&mut self, open: &Open) {
        let casa = family(1, FIRST, &[]).0;
        let mut late = casa.dsu.clone();
        late.sottoscrizione[0].data_sottoscrizione = date(2026, 6, 1);
        self.refused(&open.caf, &late, "K18.data");
        let stranger = Caseta::seeded(50, FIRST).dsu.codice_fiscale_dichiarante;
        let first = self.made.protocols[0].number.clone();
        self.refused(
            &open.other,
            &referring(TipoOperazione::X, &stranger, &first, FIRST),
            "K02.riferito",
        );
        let broken = text(&casa.dsu, "PROVA001-DIR11-SCHEMA")
            .replace("Operazione Tipo=\"N\"", "Operazione Tipo=\"Q\"");
        assert_eq!(
            element(&self.call(&open.caf, DSU, &broken), "Esito"),
            "RICHIESTA_INVALIDA"
        );
        let reused =
            text(&casa.dsu, "PROVA001-DIR11-N0000001").replace("VIA DELLE PROVE", "VIA DELLE ALTRE PROVE");
        assert_eq!(
            element(&self.call(&open.caf, DSU, &reused), "Codice"),
            "K19.contenuto"
        );
    }

    /// Consultations of every operation and outcome.
    fn consult(&self, open: &Open, person: &CodiceFiscale, day: Date) {
        let (person, day) = (person.canonical(), day.to_string());
        for client in [&open.comune, &open.uni] {
            let answer = self.call(client, ISEE, &requests::indicatore(&person, &day, BENEFIT));
            assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
            self.call(client, ISEE, &requests::attestazione(&person, &day, BENEFIT));
        }
        let answer = self.call(
            &open.comune,
            ISEE,
            &requests::indicatore("RSSMRA80A01H501U", &day, BENEFIT),
        );
        assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI");
        let answer = self.call(&open.comune, ISEE, &requests::indicatore(&person, &day, "A3.02"));
        assert_eq!(element(&answer, "Esito"), "RICHIESTA_INVALIDA");
        let key = format!(
            "<CodiceFiscale>{person}</CodiceFiscale><PrestazioneDaErogare>{BENEFIT}</PrestazioneDaErogare>"
        );
        let key = format!("<RicercaCF>{key}</RicercaCF>");
        for operation in [
            Operation::ConsultazioneAttestazioneResidenti,
            Operation::ConsultazioneDichiarazione,
        ] {
            self.call(&open.comune, ISEE, &requests::consultazione(operation, &key));
        }
        let asked = |operation: Operation, inner: &str, version: Version| {
            envelope(
                version,
                &format!(
                    "<{0} xmlns=\"{1}\">{inner}</{0}>",
                    operation.root(),
                    operation.namespace()
                ),
            )
        };
        let threshold = format!(
            "CodiceFiscale=\"{person}\" CodiceSoglia=\"BVAC01\" FornituraNucleo=\"SI\" DataValidita=\"{day}\""
        );
        let threshold = format!("<request {threshold}/>");
        let request = asked(Operation::ConsultazioneSogliaIndicatore, &threshold, Version::V12);
        let answer = self.call(&open.comune, ISEE, &request);
        assert!(answer.text.contains("SottoSoglia="), "{}", answer.text);
        let sender = "<SicurezzaIdentificazioneMittente><CodiceEnte>comune</CodiceEnte>\
             <CodiceUfficio>001</CodiceUfficio>\
             <CFOperatore>VRDLGU75C10F205N</CFOperatore></SicurezzaIdentificazioneMittente>";
        let inner = format!("{sender}<request><Attestazione>{key}</Attestazione></request>");
        let request = asked(Operation::PddAttestazione, &inner, Version::V11);
        let answer = self.call(&open.comune, Service::PddAttestazione.path(), &request);
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let protocol = self.last_protocol();
        let inner = format!(
            "{sender}<request><CodiceFiscaleDichiarante>{person}</CodiceFiscaleDichiarante>\
             <ProtocolloDsu>{protocol}</ProtocolloDsu></request>"
        );
        let request = asked(Operation::PddProtocollo, &inner, Version::V11);
        self.call(&open.comune, Service::PddProtocollo.path(), &request);
    }

    /// Faults, refusals of who may not come in, and what is only counted.
    fn faults(&self, open: &Open) {
        let good = requests::indicatore(requests::GIULIA, &FIRST.to_string(), BENEFIT);
        let wrong = [
            (ISEE, "<a>".to_owned()),
            (ISEE, "<a/>".to_owned()),
            (DSU, good.clone()),
            ("/nowhere", good.clone()),
            (
                ISEE,
                good.replace("DataValidita>2025-12-30", "DataValidita>30/12/2025"),
            ),
            (ISEE, envelope(Version::V11, "<Altro xmlns=\"urn:altro\"/>")),
        ];
        for (path, request) in wrong {
            let answer = self.call(&open.comune, path, &request);
            assert!(answer.text.contains("urn:varco:problem:"), "{}", answer.text);
        }
        assert!(
            self.call(&open.caf, ISEE, &good)
                .text
                .contains("urn:varco:problem:operation")
        );
        for barred in ["sospeso", "revocato", "ricambio"] {
            let answer = self.call(&self.port.client(open.started.address, barred), ISEE, &good);
            assert!(answer.text.contains("urn:varco:problem:"), "{}", answer.text);
        }
        assert!(
            self.runtime
                .block_on(self.port.stranger(open.started.address).call(ISEE, &good))
                .is_err()
        );
        assert!(
            self.runtime
                .block_on(
                    self.port
                        .client(open.started.address, "straniero")
                        .call(ISEE, &good)
                )
                .is_err()
        );
        // The port notices a little later.
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    /// 31 December, before and after midnight in Italy: between two years of tokens.
    pub fn midnight(&self) {
        self.at("2025-12-31T22:30:00Z");
        let open = self.open();
        let person = self.made.persons[0].1.clone();
        self.consult(&open, &person, FIRST);
        self.at("2025-12-31T23:30:00Z");
        self.consult(&open, &person, FIRST);
        self.close(open);
    }

    /// 2 January: the disk is lost, a copy takes its place.
    pub fn restore(&self) {
        self.at("2026-01-02T08:00:00Z");
        let (data, target) = (self.port.data(), self.port.home().join("copy"));
        Directory::open(&data).unwrap().backup(&target).unwrap();
        std::fs::rename(data.join("keys"), target.join("keys")).unwrap();
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::rename(&target, &data).unwrap();
    }

    /// 2 January, after the restore: DSU of the new year; one that waited is attested.
    pub fn january(&mut self) {
        let (mut bonds, rich) = family(11, NEW_YEAR, &[]);
        bonds.sheet(0).patrimonio_mobiliare = Some(rapporto(TipoRapporto::Titoli, 10_000));
        let (mut plain, poor) = family(12, NEW_YEAR, &[(Ruolo::C, 41, 12_000)]);
        let open = self.open();
        let (caf, third) = ((&open.caf, "caf"), (&open.third, "terzocaf"));
        self.feed(&[bonds.feed.clone(), plain.feed.clone()].concat());
        let first = self.accepted(caf, &bonds.dsu);
        let form = current(&mut bonds, &rich, &first, NEW_YEAR);
        self.accepted(caf, &form);
        self.person(RICH, &rich);
        let first = self.accepted(third, &plain.dsu);
        self.accepted(third, &correction(&plain, &first, 30_000));
        self.person("declarant of two members, corrected", &poor);
        self.person("the spouse", &plain.code(1));
        self.of_december(&open);

        // The feed has the income of who waited, and of one of two others.
        let waited = self.named(WAITED);
        let half: Vec<FeedRecord> = [waits(5).0.feed, waits(7).0.feed[..1].to_vec()].concat();
        self.feed(&half);
        let request = requests::indicatore(&waited.canonical(), &FIRST.to_string(), BENEFIT);
        let attested = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            element(&self.call(&open.comune, ISEE, &request), "Esito") == "OK"
        });
        assert!(attested, "what waited is not attested");
        self.consult(&open, &rich, NEW_YEAR);
        self.close(open);
    }

    /// DSU of December: one is completed, one cancelled, under the token key of another year.
    fn of_december(&mut self, open: &Open) {
        let old = self.named(COMPLETED);
        let first = self.first_of(&old);
        self.accepted((&open.caf, "caf"), &incomes(&old, &first, NEW_YEAR, 8000));
        let giulia = self.named(GIULIA);
        let first = self.first_of(&giulia);
        self.accepted(
            (&open.third, "terzocaf"),
            &referring(TipoOperazione::X, &giulia, &first, NEW_YEAR),
        );
    }

    /// 2 January, nobody serves: `varco rules apply`.
    pub fn rules(&mut self) {
        self.at("2026-01-02T18:00:00Z");
        self.port.configure(&format!("{THRESHOLD}{RULES}"));
        let settings = SiiSettings::configured(&Config::read(&self.port.site.config()).unwrap()).unwrap();
        let directory = Directory::open(&self.port.data()).unwrap();
        let node =
            Node::open_with(&directory, &self.port.clock, Arc::new(RealDisk), 65_536, settings).unwrap();
        let actor = Actor::of(1000, None);
        let apply = node.upkeep.apply_rules(
            false,
            upkeep::Act {
                actor: &actor,
                reason: "prova",
                now: self.port.clock.now(),
            },
        );
        let applied = self.runtime.block_on(apply).unwrap();
        node.close();
        // The current ISEE is computed again with the DSU that it rests on.
        assert_eq!((applied.ricalcolate, applied.errori), (1, 0), "{applied:?}");
        let rich = self.named(RICH);
        let own = self
            .made
            .protocols
            .iter()
            .filter(|each| each.declarant == rich)
            .map(|each| each.number.clone());
        for number in own.collect::<Vec<_>>() {
            self.made(&version_of(&number, 1).unwrap(), "caf", &rich);
        }
    }

    /// 3 February: read again, a reload, an ente changed, a clean stop.
    pub fn february(&mut self) {
        self.at("2026-02-03T09:00:00Z");
        let open = self.open();
        self.consult(&open, &self.named(RICH), LAST);
        let mut asking = Asking::new(&self.port, open.started.address);
        for Protocol { number, ente, .. } in &self.made.protocols[..3] {
            self.tick();
            self.runtime
                .block_on(asking.ask(&format!("esito-dsu {ente} {number}")));
        }
        drop(asking);
        self.runtime
            .block_on(open.started.gateway.reload(None, true))
            .unwrap();
        self.act(accreditamento::granted("altrocaf", TRANSMISSIONS, &[]));
        self.close(open);
    }
}
