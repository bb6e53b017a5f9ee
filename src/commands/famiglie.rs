//! Invented families, for the demonstration, the tests and the benchmarks: realistic DSU of every kind in the
//! layout, with the feed's records of their members. The seed alone determines the sequence. Nobody in them
//! exists: surnames are colours, places and letters are drawn.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::isee::codes::{
    Attivita, CondizioneEsclusione, GradoDisabilita, PresenzaGenitori, Relazione, Ruolo, Sesso,
    TipoAbitazione, TipoImmobile, TipoModello, TipoOperazione, TipoRapporto,
};
use crate::isee::codice_fiscale::check_letter;
use crate::isee::dsu::{
    Abitazione, Beneficiario, ComponenteAggiuntiva, ComponenteNucleo, ComponenteNucleoRistretto,
    CondizioniNucleo, DatiFiglio, DatiGenitore, DettaglioFiglio, DettaglioGenitoreNonConvivente,
    Dichiarazione, Donazione, FiglioNonCompresoNelNucleo, GenitoreNonConvivente, Intestatario, Locazione,
    ModelloBase, NucleoComponenteAggiuntiva, NucleoFamiliare, NucleoRistretto, Operazione, Residenziale,
    Sottoscrizione, Universitario,
};
use crate::isee::feed::FeedRecord;
use crate::isee::foglio::{
    AltriRedditi, AssegniPeriodici, DatiAnagrafici, DatiComponente, Disabilita, FoglioComponente, Incremento,
    Indirizzo, Patrimonio, PatrimonioImmobiliare, PatrimonioMobiliare, RapportoFinanziario,
    RedditiDaDichiarare, Veicoli, Veicolo,
};
use crate::isee::{CodiceFiscale, age};

/// A generator of families.
#[derive(Clone, Debug)]
pub struct Famiglie {
    state: u64,
    /// Persons made so far: no two have the same codice fiscale.
    persons: u32,
    presented: Date,
}

/// A DSU, and the feed's records of the persons in it.
#[derive(Clone)]
pub struct Famiglia {
    /// The declaration, with invented persons.
    pub dsu: Dichiarazione,
    /// Records of the feed, for the year of the incomes.
    pub feed: Vec<FeedRecord>,
}

const COGNOMI: [&str; 12] = [
    "VERDI", "NERI", "BIANCHI", "ROSSI", "GRIGI", "AZZURRI", "GIALLI", "VIOLA", "BRUNI", "MORETTI", "CHIARI",
    "SCURI",
];
const FEMMINE: [&str; 8] = [
    "ANNA", "GIULIA", "SARA", "ELENA", "MARTA", "CHIARA", "LUCIA", "IRENE",
];
const MASCHI: [&str; 8] = [
    "LUCA", "MARCO", "PAOLO", "ANDREA", "PIETRO", "MATTEO", "DAVIDE", "SIMONE",
];
/// Municipalities by cadastral code and province.
const COMUNI: [(&str, &str); 6] = [
    ("H501", "RM"),
    ("F205", "MI"),
    ("L219", "TO"),
    ("A390", "AR"),
    ("G702", "PI"),
    ("D969", "GE"),
];

/// A probability, in percent.
type Percent = u64;

impl Famiglie {
    /// Families with DSU presented on one day.
    pub fn new(seed: u64, presented: Date) -> Self {
        Self {
            state: seed,
            persons: 0,
            presented,
        }
    }

    /// The next number of the sequence (SplitMix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.next() % u64::from(high - low + 1)).unwrap_or_default()
    }

    fn chance(&mut self, percent: Percent) -> bool {
        self.next() % 100 < percent
    }

    fn pick<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        let index = usize::try_from(self.next() % (among.len() as u64)).unwrap_or_default();
        &among[index]
    }

    fn small(&mut self, low: i8, high: i8) -> i8 {
        i8::try_from(self.between(low.unsigned_abs().into(), high.unsigned_abs().into())).unwrap_or(low)
    }

    /// A day of birth. The age on the day of presentation lies between these, both included.
    fn born(&mut self, youngest: i16, oldest: i16) -> Date {
        loop {
            let years = self.between(
                u32::from(youngest.unsigned_abs()),
                u32::from(oldest.unsigned_abs()) + 1,
            );
            let years = i16::try_from(years).unwrap_or(youngest);
            let (month, day) = (self.small(1, 12), self.small(1, 28));
            let Ok(born) = Date::new(self.presented.year() - years, month, day) else {
                continue;
            };
            if born <= self.presented && (youngest..=oldest).contains(&age(born, self.presented)) {
                return born;
            }
        }
    }

    /// A codice fiscale for this birth, sex and place; its first six letters count the persons.
    fn code(&mut self, born: Date, sesso: Sesso, comune: &str) -> CodiceFiscale {
        self.persons += 1;
        let mut number = self.persons;
        let mut code = String::with_capacity(16);
        for _ in 0..6 {
            code.push(char::from(b'A' + u8::try_from(number % 26).unwrap_or_default()));
            number /= 26;
        }
        let day = born.day() + if sesso == Sesso::F { 40 } else { 0 };
        let month = b"ABCDEHLMPRST"[usize::try_from(born.month() - 1).unwrap_or_default()];
        code.push_str(&format!(
            "{:02}{}{day:02}{comune}",
            born.year() % 100,
            char::from(month)
        ));
        let letter = check_letter(code.as_bytes()).unwrap_or(b'A');
        code.push(char::from(letter));
        CodiceFiscale::new(code)
    }

    /// A sheet with personal data and nothing else.
    pub fn foglio(&mut self, youngest: i16, oldest: i16) -> FoglioComponente {
        let born = self.born(youngest, oldest);
        let sesso = if self.chance(50) { Sesso::F } else { Sesso::M };
        let (comune, provincia) = *self.pick(&COMUNI);
        let nome = (*self.pick(if sesso == Sesso::F { &FEMMINE } else { &MASCHI })).to_owned();
        let anagrafica = DatiAnagrafici {
            cognome: (*self.pick(&COGNOMI)).to_owned(),
            nome,
            data_nascita: born,
            cittadinanza: "ITALIANA".to_owned(),
            sesso,
            provincia_nascita: provincia.to_owned(),
            codice_comune_nascita: comune.to_owned(),
        };
        FoglioComponente {
            codice_fiscale: self.code(born, sesso, comune),
            dati_componente: DatiComponente {
                flag_convivenza_anagrafica: false,
                attivita_soggetto: None,
                anagrafica,
                residenza: None,
            },
            patrimonio_mobiliare: None,
            patrimonio_immobiliare: None,
            redditi_da_dichiarare: None,
            assegni_periodici: None,
            veicoli: None,
            disabilita: None,
            altri_redditi: None,
        }
    }

    /// The sheet of an adult with incomes and assets; the feed's record goes to `feed`.
    fn adulto(&mut self, youngest: i16, oldest: i16, feed: &mut Vec<FeedRecord>) -> FoglioComponente {
        let mut foglio = self.foglio(youngest, oldest);
        foglio.dati_componente.attivita_soggetto = Some(*self.pick(&[
            Attivita::Lavind,
            Attivita::Lavdet,
            Attivita::Lavaut,
            Attivita::Disocc,
            Attivita::Caslng,
            Attivita::Altro,
        ]));
        foglio.patrimonio_mobiliare = Some(self.mobiliare());
        if self.chance(35) {
            foglio.patrimonio_immobiliare = Some(PatrimonioImmobiliare {
                patrimonio: self.immobili(false),
            });
        }
        self.redditi(&mut foglio);
        if self.chance(50) {
            let targa = format!("AA{:03}ZZ", self.between(0, 999));
            foglio.veicoli = Some(Veicoli {
                veicolo: vec![Veicolo {
                    tipo_veicolo: crate::isee::codes::TipoVeicolo::A,
                    targa,
                }],
            });
        }
        if self.chance(12) {
            foglio.disabilita = Some(self.disabilita(foglio.dati_componente.anagrafica.data_nascita));
        }
        let (irpef, employee, pension) = self.incomes();
        if self.chance(10) {
            foglio.altri_redditi = Some(AltriRedditi {
                flag_esonerato: true,
                reddito_irpef: Some(irpef.into()),
                lavoro_dipendente: Some(employee),
                pensione: Some(pension),
                ..AltriRedditi::nothing()
            });
        } else {
            feed.push(self.record(&foglio, (irpef, employee, pension)));
        }
        foglio
    }

    /// Fills sheets FC4 and FC5, now and then.
    fn redditi(&mut self, foglio: &mut FoglioComponente) {
        if self.chance(25) {
            let mut amount = |percent| {
                if self.chance(percent) {
                    Some(self.between(0, 6000))
                } else {
                    None
                }
            };
            foglio.redditi_da_dichiarare = Some(RedditiDaDichiarare {
                reddito_imp_sost: amount(40),
                redditi_esenti_imposta: amount(40),
                redditi_irap: amount(5),
                redditi_fondiari: amount(20),
                redditi_tassati_estero: amount(5),
                redditi_aire: amount(3),
                redditi_fondiari_estero: amount(5),
                trattamenti_assistenziali: amount(40),
            });
        }
        if self.chance(12) {
            let mut amount = |percent| {
                if self.chance(percent) {
                    Some(self.between(600, 6000))
                } else {
                    None
                }
            };
            foglio.assegni_periodici = Some(AssegniPeriodici {
                assegni_figli: amount(50),
                assegni_coniuge: amount(30),
                assegni_genitore: amount(30),
            });
        }
    }

    /// Three amounts: IRPEF income, its employee part, its pension part.
    fn incomes(&mut self) -> (i64, u32, u32) {
        let amount = self.between(0, 38_000);
        match self.between(0, 9) {
            0 | 1 => (0, 0, 0),
            2 => (-i64::from(amount / 10), 0, 0),
            3 | 4 => (i64::from(amount), 0, amount),
            5 => (i64::from(amount), 0, 0),
            _ => (i64::from(amount) + i64::from(self.between(0, 800)), amount, 0),
        }
    }

    fn record(
        &mut self,
        foglio: &FoglioComponente,
        (irpef, employee, pension): (i64, u32, u32),
    ) -> FeedRecord {
        let anno = crate::isee::compute::income_year(self.presented);
        let mut sometimes = |percent, most| {
            if self.chance(percent) {
                Some(Decimal::from(self.between(0, most)))
            } else {
                None
            }
        };
        FeedRecord {
            codice_fiscale: foglio.codice_fiscale.canonical(),
            anno,
            reddito_irpef: Some(irpef.into()),
            lavoro_dipendente: Some(employee.into()),
            pensione: Some(pension.into()),
            redditi_agrari: None,
            redditi_imposta_sostitutiva: sometimes(10, 4000),
            trattamenti: sometimes(15, 6000),
            trattamenti_disabilita: sometimes(5, 6000),
            spese_detrazione: sometimes(20, 3000),
            spese_deduzione: sometimes(5, 4000),
            titoli_di_stato: sometimes(10, 30_000),
            buoni_postali: sometimes(10, 20_000),
            libretti_postali: sometimes(10, 10_000),
            rapporti: Vec::new(),
        }
    }

    fn mobiliare(&mut self) -> PatrimonioMobiliare {
        let mut rapporto = Vec::new();
        for number in 0..self.between(0, 3) {
            let tipo = *self.pick(&[
                TipoRapporto::ContoCorrente,
                TipoRapporto::ContoCorrente,
                TipoRapporto::Risparmio,
                TipoRapporto::Titoli,
                TipoRapporto::Certificati,
                TipoRapporto::Assicurativo,
            ]);
            let account = tipo.is_account();
            let mut amount = |wanted: bool| wanted.then(|| self.between(0, 22_000));
            rapporto.push(RapportoFinanziario {
                tipo_rapporto: tipo,
                identificativo: format!("IT00X{number}"),
                codice_fiscale_operatore: "01234567897".to_owned(),
                saldo_3112: amount(account),
                consistenza_media: amount(account),
                valore: amount(!account),
                data_inizio: None,
                data_fine: None,
            });
        }
        let increased = !rapporto.is_empty() && self.chance(10);
        PatrimonioMobiliare {
            flag_possesso_rapporto_finanziario: !rapporto.is_empty(),
            flag_incremento: increased.then_some(true),
            rapporto,
            incremento: increased.then(|| Incremento {
                incremento_immobiliare: None,
                incremento_mobiliare: Some(self.between(0, 20_000)),
            }),
        }
    }

    /// Buildings and land; with `home`, the first one is the home.
    fn immobili(&mut self, home: bool) -> Vec<Patrimonio> {
        let many = self.between(1, 2);
        (0..many)
            .map(|number| {
                let casa = home && number == 0;
                let tipo = if casa {
                    TipoImmobile::F
                } else {
                    *self.pick(&[TipoImmobile::F, TipoImmobile::Te, TipoImmobile::Ta])
                };
                let value = self.between(500, 140_000);
                Patrimonio {
                    tipo_patrimonio: tipo,
                    codice_comune_stato: self.pick(&COMUNI).0.to_owned(),
                    quota_posseduta: Decimal::from(*self.pick(&[25_u32, 50, 100])),
                    valore_imu: value,
                    mutuo_residuo: (tipo == TipoImmobile::F && self.chance(40))
                        .then(|| self.between(0, value)),
                    flag_abitazione: casa,
                }
            })
            .collect()
    }

    /// A certificate of the year before, or of the day of birth if later.
    fn disabilita(&mut self, born: Date) -> Disabilita {
        Disabilita {
            grado_disabilita: *self.pick(&[GradoDisabilita::Dim, GradoDisabilita::Dig, GradoDisabilita::Nas]),
            ente_certif: "ASL".to_owned(),
            doc_certif: format!("{}", self.between(1, 99_999)),
            data_certif: Date::new(self.presented.year() - 1, 3, 1)
                .unwrap_or(self.presented)
                .max(born),
            flag_prest_residenziale: self.chance(10),
            retta_versata: self.chance(20).then(|| self.between(1000, 12_000)),
            spese_assistenza: self.chance(20).then(|| self.between(500, 6000)),
        }
    }

    fn indirizzo(&mut self) -> Indirizzo {
        let (comune, provincia) = *self.pick(&COMUNI);
        Indirizzo {
            indirizzo: "VIA DELLE PROVE".to_owned(),
            civico: self.between(1, 99).to_string(),
            codice_comune: comune.to_owned(),
            provincia: provincia.to_owned(),
            cap: "00100".to_owned(),
            telefono: None,
            cellulare: None,
            indirizzo_e_mail: None,
        }
    }

    /// A home; an owned one becomes the first adult's real estate.
    fn abitazione(&mut self, members: &mut [ComponenteNucleo]) -> Abitazione {
        let tipo = *self.pick(&[
            TipoAbitazione::Proprieta,
            TipoAbitazione::Locazione,
            TipoAbitazione::Altro,
        ]);
        let declarant = members
            .first()
            .map(|member| member.foglio_componente_nucleo.codice_fiscale.clone());
        if tipo == TipoAbitazione::Proprieta
            && let Some(first) = members.first_mut()
        {
            let estate = PatrimonioImmobiliare {
                patrimonio: self.immobili(true),
            };
            first.foglio_componente_nucleo.patrimonio_immobiliare = Some(estate);
        }
        Abitazione {
            tipo_abitazione: tipo,
            residenza_riferimento: None,
            indirizzo_abitazione: self.indirizzo(),
            locazione: (tipo == TipoAbitazione::Locazione).then(|| Locazione {
                data: Date::new(self.presented.year() - 2, 5, 1).unwrap_or(self.presented),
                serie: "3T".to_owned(),
                numero: self.between(1, 9999).to_string(),
                cod_ufficio: "TUX".to_owned(),
                canone: self.between(1200, 12_000),
                intestatario: declarant
                    .into_iter()
                    .map(|codice_fiscale| Intestatario { codice_fiscale })
                    .collect(),
            }),
        }
    }

    /// The numbers of a nucleus not declared member by member.
    fn numeri(&mut self, of: &CodiceFiscale, complete: bool) -> ComponenteAggiuntiva {
        let members = self.between(1, 4);
        let children = members >= 4 && self.chance(60);
        let disabled = self.chance(8);
        ComponenteAggiuntiva {
            codice_fiscale: of.clone(),
            flag_completezza_dati: complete,
            abitazione_componente_aggiuntiva: None,
            nucleo_familiare_componente_aggiuntiva: complete.then_some(NucleoComponenteAggiuntiva {
                numero_componenti: members,
                flag_attivita_lavorativa: members > 2,
                flag_genitore_solo: false,
                flag_presenza_minorenne: members > 2,
                numero_figli: children.then_some(3),
                numero_figli_conviventi: children.then_some(3),
                flag_presenza_ricoverato: false,
                numero_ricoverati: None,
                flag_presenza_convivente: false,
                numero_conviventi: None,
                flag_disabilita_media: disabled,
                numero_disabili_media: disabled.then_some(1),
                numero_disabili_media_minorenni: None,
                flag_disabilita_grave: false,
                numero_disabili_grave: None,
                numero_disabili_grave_minorenni: None,
                flag_non_autosufficienti: false,
                numero_non_autosuff: None,
                numero_non_autosuff_minorenni: None,
            }),
        }
    }

    /// A parent of these children, living elsewhere.
    fn genitore(&mut self, children: &[CodiceFiscale], feed: &mut Vec<FeedRecord>) -> GenitoreNonConvivente {
        let foglio = self.adulto(30, 60, feed);
        let anagrafica = &foglio.dati_componente.anagrafica;
        let (codice_fiscale, cognome, nome) = (
            foglio.codice_fiscale.clone(),
            anagrafica.cognome.clone(),
            anagrafica.nome.clone(),
        );
        let (excluded, married) = match self.between(0, 3) {
            0 => (true, false),
            1 => (false, true),
            _ => (false, false),
        };
        let complete = self.chance(90);
        let data = !excluded && self.chance(85);
        let numbers = self.numeri(&codice_fiscale, complete);
        GenitoreNonConvivente {
            codice_fiscale,
            cognome,
            nome,
            flag_genitore_escluso: excluded,
            flag_coniugato_con_persona_diversa: married,
            flag_alcuna_condizione: !excluded && !married,
            beneficiario: children
                .iter()
                .map(|codice_fiscale| Beneficiario {
                    codice_fiscale: codice_fiscale.clone(),
                })
                .collect(),
            dati: data.then(|| {
                DatiGenitore::Dettaglio(Box::new(DettaglioGenitoreNonConvivente {
                    foglio_componente_genitore: complete.then_some(foglio),
                    componente_aggiuntiva_genitore: numbers,
                }))
            }),
        }
    }

    fn residenziale(&mut self, beneficiary: &FoglioComponente, feed: &mut Vec<FeedRecord>) -> Residenziale {
        // Adult children: the parent must be old enough.
        let oldest = age(
            beneficiary.dati_componente.anagrafica.data_nascita,
            self.presented,
        ) - 16;
        let number = if oldest < 28 { 0 } else { self.between(0, 2) };
        let children: Vec<FiglioNonCompresoNelNucleo> =
            (0..number).map(|_| self.figlio(oldest.min(60), feed)).collect();
        let given = self.chance(40);
        let kind = self.between(0, 2);
        let donations = if given { self.between(1, 2) } else { 0 };
        Residenziale {
            codice_fiscale_beneficiario: beneficiary.codice_fiscale.clone(),
            data_richiesta_ricovero: Date::new(self.presented.year() - 1, 9, 1).unwrap_or(self.presented),
            flag_figli_non_compresi: !children.is_empty(),
            flag_donazioni: given,
            flag_donazioni_successive: given.then_some(kind == 0),
            flag_donazioni_precedenti_alimenti: given.then_some(kind == 1),
            flag_donazioni_precedenti_no_alimenti: given.then_some(kind == 2),
            figlio_non_compreso_nel_nucleo: children,
            donazione: (0..donations)
                .map(|_| {
                    let ricevente = self.foglio(25, 60).codice_fiscale;
                    Donazione {
                        tipo_immobile: TipoImmobile::F,
                        codice_comune_stato: "H501".to_owned(),
                        quota_posseduta: Decimal::ONE_HUNDRED,
                        quota_donata: Decimal::from(*self.pick(&[25_u32, 50, 100])),
                        valore_imu: self.between(5000, 90_000),
                        codice_fiscale_ricevente: ricevente,
                    }
                })
                .collect(),
        }
    }

    fn figlio(&mut self, oldest: i16, feed: &mut Vec<FeedRecord>) -> FiglioNonCompresoNelNucleo {
        let foglio = self.adulto(28, oldest, feed);
        let excluded = self.chance(20);
        let complete = self.chance(90);
        let numbers = self.numeri(&foglio.codice_fiscale, complete);
        FiglioNonCompresoNelNucleo {
            codice_fiscale: foglio.codice_fiscale.clone(),
            condizione_esclusione: excluded.then_some(CondizioneEsclusione::A),
            estremi_esclusione: excluded.then(|| "SENTENZA 12/2020".to_owned()),
            dati: (!excluded).then(|| {
                DatiFiglio::Dettaglio(Box::new(DettaglioFiglio {
                    foglio_componente_figlio: complete.then_some(foglio),
                    componente_aggiuntiva_figlio: numbers,
                }))
            }),
        }
    }

    /// The next family, under a sender's protocol.
    pub fn famiglia(&mut self, protocollo: &str) -> Famiglia {
        let mut feed = Vec::new();
        let (mut members, couple) = self.componenti(&mut feed);
        let abitazione = self.abitazione(&mut members);
        let ordinario = self.ordinario(&members, abitazione.clone(), couple, &mut feed);
        let mut forms = vec![ordinario];
        if let Some(ristretto) = self.ristretto(&members, abitazione, &mut feed) {
            forms.push(ristretto);
        }
        let codice = members[0].foglio_componente_nucleo.codice_fiscale.clone();
        let dsu = Dichiarazione {
            codice_fiscale_dichiarante: codice.clone(),
            operazione: Operazione {
                tipo: TipoOperazione::N,
                codice_fiscale_riferimento: None,
                numero_protocollo_riferimento: None,
            },
            nucleo_familiare: Some(NucleoFamiliare {
                componente_nucleo: members,
            }),
            modello_base: forms,
            integrazione_componente_aggiuntiva: None,
            integrazione_redditi: None,
            integrazione_residenziale: None,
            isee_corrente: None,
            sottoscrizione: vec![sottoscrizione(&codice, protocollo, self.presented)],
        };
        Famiglia { dsu, feed }
    }

    /// The members of a nucleus, the declarant first, and whether there is a spouse.
    fn componenti(&mut self, feed: &mut Vec<FeedRecord>) -> (Vec<ComponenteNucleo>, bool) {
        let mut members = Vec::new();
        let add = |members: &mut Vec<ComponenteNucleo>, ruolo, foglio| {
            members.push(ComponenteNucleo {
                rapporto_con_dichiarante: ruolo,
                flag_assenza_reddito: false,
                foglio_componente_nucleo: foglio,
            });
        };
        let elderly = self.chance(20);
        let declarant = if elderly {
            self.adulto(66, 92, feed)
        } else {
            self.adulto(22, 60, feed)
        };
        let parent = age(declarant.dati_componente.anagrafica.data_nascita, self.presented);
        add(&mut members, Ruolo::D, declarant);
        let couple = self.chance(50);
        if couple {
            let spouse = if elderly {
                self.adulto(64, 92, feed)
            } else {
                self.adulto(22, 60, feed)
            };
            add(&mut members, Ruolo::C, spouse);
        }
        let minors = if elderly { 0 } else { self.between(0, 3) };
        for _ in 0..minors {
            let mut child = self.foglio(0, (parent - 17).min(17));
            if self.chance(6) {
                child.disabilita = Some(self.disabilita(child.dati_componente.anagrafica.data_nascita));
            }
            let ruolo = if self.chance(5) { Ruolo::Ma } else { Ruolo::F };
            add(&mut members, ruolo, child);
        }
        let grown = if parent >= 38 && self.chance(30) {
            self.between(1, 2)
        } else {
            0
        };
        for _ in 0..grown {
            let child = self.adulto(18, (parent - 17).min(25), feed);
            let ruolo = if self.chance(30) { Ruolo::Fnc } else { Ruolo::Fc };
            add(&mut members, ruolo, child);
        }
        if self.chance(10) {
            let other = self.adulto(60, 90, feed);
            add(&mut members, Ruolo::P, other);
        }
        (members, couple)
    }

    /// A student without parents in the nucleus: independent, or in the nucleus of a parent elsewhere.
    fn fuori_casa(&mut self, student: &CodiceFiscale) -> Universitario {
        let on_their_own = self.chance(50);
        let parent = self.foglio(45, 65).codice_fiscale;
        Universitario {
            codice_fiscale_beneficiario: student.clone(),
            presenza_genitori: *self.pick(&[
                PresenzaGenitori::ConiugatiNonPresenti,
                PresenzaGenitori::NonConiugatiNonPresenti,
            ]),
            flag_residenza_studente: Some(on_their_own),
            flag_capacita_reddito_studente: Some(on_their_own),
            codice_fiscale_genitore: Some(parent),
            numero_protocollo_rif_genitore: Some(format!("INPS-ISEE-{}-00000042Q-00", self.presented.year())),
        }
    }

    fn ordinario(
        &mut self,
        members: &[ComponenteNucleo],
        abitazione: Abitazione,
        couple: bool,
        feed: &mut Vec<FeedRecord>,
    ) -> ModelloBase {
        let of = |roles: &[Ruolo]| -> Vec<CodiceFiscale> {
            let wanted = members
                .iter()
                .filter(|member| roles.contains(&member.rapporto_con_dichiarante));
            wanted
                .map(|member| member.foglio_componente_nucleo.codice_fiscale.clone())
                .collect()
        };
        let (minors, grown, away) = (of(&[Ruolo::F, Ruolo::Ma]), of(&[Ruolo::Fc]), of(&[Ruolo::Fnc]));
        let count = |codes: &[CodiceFiscale]| u32::try_from(codes.len()).unwrap_or(u32::MAX);
        let living = count(&minors) + count(&grown);
        let all = living + count(&away);
        let lone = !couple && grown.is_empty() && !minors.is_empty() && members.len() == minors.len() + 1;
        let mut parents = Vec::new();
        if !couple && !minors.is_empty() && self.chance(60) {
            parents.push(self.genitore(&minors, feed));
        }
        let alone = lone && parents.is_empty() && self.chance(50);
        let mut students = Vec::new();
        for student in grown.iter().chain(&away) {
            if !self.chance(50) {
                continue;
            }
            if !couple && self.chance(60) {
                parents.push(self.genitore(std::slice::from_ref(student), feed));
            }
            students.push(con_i_genitori(student, couple));
        }
        let declarant = &members[0].foglio_componente_nucleo;
        let years = age(declarant.dati_componente.anagrafica.data_nascita, self.presented);
        if members.len() == 1 && years < 30 && self.chance(60) {
            students.push(self.fuori_casa(&declarant.codice_fiscale));
        }
        let mut residential = Vec::new();
        if years > 65 && self.chance(40) {
            residential.push(self.residenziale(declarant, feed));
        }
        ModelloBase {
            tipo: TipoModello::Ord,
            nucleo_ristretto: None,
            condizioni_nucleo: Some(CondizioniNucleo {
                flag_lavoro_genitori: !alone && !minors.is_empty() && self.chance(50),
                flag_unico_genitore: alone,
                numero_figli: (all >= 3).then_some(all),
                numero_figli_conviventi: (all >= 3).then_some(living),
            }),
            abitazione,
            universitario: students,
            genitore_non_convivente: parents,
            residenziale: residential,
        }
    }

    /// The restricted nucleus of a disabled adult: alone, or with the spouse, the minors and the children
    /// elsewhere.
    fn ristretto(
        &mut self,
        members: &[ComponenteNucleo],
        abitazione: Abitazione,
        feed: &mut Vec<FeedRecord>,
    ) -> Option<ModelloBase> {
        let with = |roles: &[Ruolo]| {
            members
                .iter()
                .filter(move |member| roles.contains(&member.rapporto_con_dichiarante))
                .collect::<Vec<_>>()
        };
        let wanted = with(&[Ruolo::D, Ruolo::Fc, Ruolo::P]);
        let beneficiary = wanted
            .into_iter()
            .find(|member| member.foglio_componente_nucleo.disabilita.is_some())?;
        let mut nucleo = vec![(beneficiary, Relazione::B)];
        if beneficiary.rapporto_con_dichiarante == Ruolo::D {
            nucleo.extend(with(&[Ruolo::C]).into_iter().map(|member| (member, Relazione::C)));
            nucleo.extend(with(&[Ruolo::F]).into_iter().map(|member| (member, Relazione::F)));
            nucleo.extend(
                with(&[Ruolo::Ma])
                    .into_iter()
                    .map(|member| (member, Relazione::Ma)),
            );
            nucleo.extend(
                with(&[Ruolo::Fnc])
                    .into_iter()
                    .map(|member| (member, Relazione::Fnc)),
            );
        }
        let residential = if self.chance(50) {
            vec![self.residenziale(&beneficiary.foglio_componente_nucleo, feed)]
        } else {
            Vec::new()
        };
        Some(ModelloBase {
            tipo: TipoModello::Rid,
            nucleo_ristretto: Some(NucleoRistretto {
                componente_nucleo_ristretto: nucleo
                    .into_iter()
                    .map(|(member, relazione)| ComponenteNucleoRistretto {
                        codice_fiscale: member.foglio_componente_nucleo.codice_fiscale.clone(),
                        flag_beneficiario: relazione == Relazione::B,
                        relazione_con_beneficiario: relazione,
                    })
                    .collect(),
            }),
            condizioni_nucleo: None,
            abitazione,
            universitario: Vec::new(),
            genitore_non_convivente: Vec::new(),
            residenziale: residential,
        })
    }
}

/// The signature of a declarant, with the sender's protocol and the day of presentation.
pub fn sottoscrizione(codice: &CodiceFiscale, protocollo: &str, on: Date) -> Sottoscrizione {
    Sottoscrizione {
        codice_fiscale_sottoscrittore: codice.clone(),
        protocollo_mittente: protocollo.to_owned(),
        luogo_sottoscrizione: "ROMA".to_owned(),
        data_sottoscrizione: on,
        note_sottoscrizione: None,
        flag_impedimento_temporaneo: false,
        flag_rappresentanza_legale: false,
        flag_pec: false,
        indirizzo_pec: None,
        flag_autorizzazione_ritiro: false,
        numero_ricevuta: None,
        protocollo_inps_dsu_corrente: None,
        delegato: None,
    }
}

/// A student in the nucleus of one parent, or of both.
fn con_i_genitori(student: &CodiceFiscale, couple: bool) -> Universitario {
    Universitario {
        codice_fiscale_beneficiario: student.clone(),
        presenza_genitori: match couple {
            true => PresenzaGenitori::TuttiPresenti,
            false => PresenzaGenitori::SoloUno,
        },
        flag_residenza_studente: None,
        flag_capacita_reddito_studente: None,
        codice_fiscale_genitore: None,
        numero_protocollo_rif_genitore: None,
    }
}
