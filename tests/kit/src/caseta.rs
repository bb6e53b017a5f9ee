//! DSU made step by step, with amounts that are easy to reckon with by hand. All persons are invented.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use varco::commands::famiglie::{Famiglie, sottoscrizione};
use varco::commands::requests;
use varco::contract::{ISEE_NS, message};
use varco::isee::CodiceFiscale;
use varco::isee::attest::{Rilascio, attest};
use varco::isee::attestazione::Attestazione;
use varco::isee::codes::{
    GradoDisabilita, PresenzaGenitori, Relazione, Ruolo, TipoAbitazione, TipoImmobile, TipoModello,
    TipoOperazione, TipoRapporto, TipoVariazione,
};
use varco::isee::compute::casi::{Indicatori, Situazione};
use varco::isee::compute::componente::Riferita;
use varco::isee::dsu::{
    Abitazione, Beneficiario, ComponenteAggiuntiva, ComponenteNucleo, ComponenteNucleoRistretto,
    ComponentePerIntegrazioneRedditi, CondizioniNucleo, DatiFiglio, DatiGenitore, DettaglioFiglio,
    DettaglioGenitoreNonConvivente, Dichiarazione, FiglioNonCompresoNelNucleo, GenitoreNonConvivente,
    IntegrazioneRedditi, ModelloBase, NucleoComponenteAggiuntiva, NucleoFamiliare, NucleoRistretto,
    Operazione, Residenziale, Universitario, Variazione,
};
use varco::isee::feed::{FeedRecord, parse as parse_feed};
use varco::isee::foglio::{
    AltriRedditi, Disabilita, FoglioComponente, Indirizzo, Patrimonio, PatrimonioImmobiliare,
    PatrimonioMobiliare, RapportoFinanziario,
};
use varco::isee::rules::Rules;

pub const PARENTS: &str = "INPS-ISEE-2026-00000007H-00";

/// A DSU that is made step by step, and what it refers to.
pub struct Caseta {
    pub famiglie: Famiglie,
    pub dsu: Dichiarazione,
    pub feed: Vec<FeedRecord>,
    pub altre: Vec<Riferita>,
    pub presented: Date,
}

impl Caseta {
    pub fn on(presented: Date) -> Self {
        Self::seeded(1, presented)
    }

    /// Of another seed: other persons.
    pub fn seeded(seed: u64, presented: Date) -> Self {
        let mut famiglie = Famiglie::new(seed, presented);
        // Codes count the persons made: other persons have other codes.
        for _ in 0..seed * 50 {
            famiglie.foglio(30, 30);
        }
        let nobody = famiglie.foglio(30, 30).codice_fiscale;
        let indirizzo = Indirizzo {
            indirizzo: "VIA DELLE PROVE".to_owned(),
            civico: "1".to_owned(),
            codice_comune: "G702".to_owned(),
            provincia: "PI".to_owned(),
            cap: "56100".to_owned(),
            telefono: None,
            cellulare: None,
            indirizzo_e_mail: None,
        };
        let abitazione = Abitazione {
            tipo_abitazione: TipoAbitazione::Altro,
            residenza_riferimento: None,
            indirizzo_abitazione: indirizzo,
            locazione: None,
        };
        let ordinario = ModelloBase {
            tipo: TipoModello::Ord,
            nucleo_ristretto: None,
            condizioni_nucleo: Some(CondizioniNucleo {
                flag_lavoro_genitori: false,
                flag_unico_genitore: false,
                numero_figli: None,
                numero_figli_conviventi: None,
            }),
            abitazione,
            universitario: Vec::new(),
            genitore_non_convivente: Vec::new(),
            residenziale: Vec::new(),
        };
        let dsu = Dichiarazione {
            codice_fiscale_dichiarante: nobody.clone(),
            operazione: Operazione {
                tipo: TipoOperazione::N,
                codice_fiscale_riferimento: None,
                numero_protocollo_riferimento: None,
            },
            nucleo_familiare: Some(NucleoFamiliare {
                componente_nucleo: Vec::new(),
            }),
            modello_base: vec![ordinario],
            integrazione_componente_aggiuntiva: None,
            integrazione_redditi: None,
            integrazione_residenziale: None,
            isee_corrente: None,
            sottoscrizione: vec![sottoscrizione(&nobody, "CAF1", presented)],
        };
        Self {
            famiglie,
            dsu,
            feed: Vec::new(),
            altre: Vec::new(),
            presented,
        }
    }

    /// A sheet of somebody of an age; an employee with that income, if it is not zero, of whom the feed
    /// knows.
    pub fn foglio(&mut self, age: i16, employee: u32) -> FoglioComponente {
        let foglio = self.famiglie.foglio(age, age);
        if employee > 0 {
            let columns = varco::isee::feed::COLUMNS.join(",");
            let line = format!(
                "{},{},{employee},{employee},,,,,,,,,,,",
                foglio.codice_fiscale.canonical(),
                self.presented.year() - 2
            );
            self.feed
                .extend(parse_feed(&format!("{columns}\n{line}\n")).ok().unwrap());
        }
        foglio
    }

    pub fn add(&mut self, ruolo: Ruolo, foglio: FoglioComponente) -> usize {
        if ruolo == Ruolo::D {
            self.dsu.codice_fiscale_dichiarante = foglio.codice_fiscale.clone();
            self.dsu.sottoscrizione = vec![sottoscrizione(&foglio.codice_fiscale, "CAF1", self.presented)];
        }
        let member = ComponenteNucleo {
            rapporto_con_dichiarante: ruolo,
            flag_assenza_reddito: false,
            foglio_componente_nucleo: foglio,
        };
        let members = &mut self.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo;
        members.push(member);
        members.len() - 1
    }

    pub fn member(&mut self, ruolo: Ruolo, age: i16, employee: u32) -> usize {
        let foglio = self.foglio(age, employee);
        self.add(ruolo, foglio)
    }

    pub fn sheet(&mut self, index: usize) -> &mut FoglioComponente {
        &mut self.dsu.nucleo_familiare.as_mut().unwrap().componente_nucleo[index].foglio_componente_nucleo
    }

    pub fn code(&mut self, index: usize) -> CodiceFiscale {
        self.sheet(index).codice_fiscale.clone()
    }

    pub fn form(&mut self) -> &mut ModelloBase {
        &mut self.dsu.modello_base[0]
    }

    /// Account with a balance and the same average.
    pub fn conto(&mut self, index: usize, amount: u32) {
        self.sheet(index).patrimonio_mobiliare = Some(conti(amount));
    }

    pub fn estate(&mut self, index: usize, value: u32, mortgage: u32, home: bool) {
        if home {
            self.form().abitazione.tipo_abitazione = TipoAbitazione::Proprieta;
        }
        let patrimonio = Patrimonio {
            tipo_patrimonio: TipoImmobile::F,
            codice_comune_stato: "G702".to_owned(),
            quota_posseduta: Decimal::ONE_HUNDRED,
            valore_imu: value,
            mutuo_residuo: Some(mortgage),
            flag_abitazione: home,
        };
        self.sheet(index).patrimonio_immobiliare = Some(PatrimonioImmobiliare {
            patrimonio: vec![patrimonio],
        });
    }

    /// A parent who lives elsewhere, employee with that income, in a nucleus of so many.
    pub fn parent(
        &mut self,
        children: &[usize],
        (excluded, married): (bool, bool),
        data: Option<(u32, u32)>,
    ) -> FoglioComponente {
        let foglio = self.foglio(45, data.map_or(0, |(employee, _)| employee));
        let beneficiario = children
            .iter()
            .map(|child| Beneficiario {
                codice_fiscale: self.code(*child),
            })
            .collect();
        let anagrafica = foglio.dati_componente.anagrafica.clone();
        let parent = GenitoreNonConvivente {
            codice_fiscale: foglio.codice_fiscale.clone(),
            cognome: anagrafica.cognome,
            nome: anagrafica.nome,
            flag_genitore_escluso: excluded,
            flag_coniugato_con_persona_diversa: married,
            flag_alcuna_condizione: !excluded && !married,
            beneficiario,
            dati: data.map(|(_, members)| {
                DatiGenitore::Dettaglio(Box::new(DettaglioGenitoreNonConvivente {
                    foglio_componente_genitore: Some(foglio.clone()),
                    componente_aggiuntiva_genitore: numeri(&foglio, members),
                }))
            }),
        };
        self.form().genitore_non_convivente.push(parent);
        foglio
    }

    pub fn student(
        &mut self,
        student: usize,
        presenza: PresenzaGenitori,
        alone: Option<bool>,
        parent: Option<&FoglioComponente>,
    ) {
        let codice_fiscale_beneficiario = self.code(student);
        self.form().universitario.push(Universitario {
            codice_fiscale_beneficiario,
            presenza_genitori: presenza,
            flag_residenza_studente: alone,
            flag_capacita_reddito_studente: alone,
            codice_fiscale_genitore: parent.map(|parent| parent.codice_fiscale.clone()),
            numero_protocollo_rif_genitore: parent.map(|_| PARENTS.to_owned()),
        });
    }

    /// The parents' own DSU: a mother and a father, employees.
    pub fn parents(&mut self, mother: u32, father: u32) -> FoglioComponente {
        let mut own = Self::seeded(7, self.presented);
        let first = own.member(Ruolo::D, 50, mother);
        if father > 0 {
            own.member(Ruolo::C, 50, father);
        }
        let foglio = own.sheet(first).clone();
        self.refer(own);
        foglio
    }

    /// The DSU of [`PARENTS`] is this one. Its feed is added.
    pub fn refer(&mut self, own: Self) {
        self.feed.extend(own.feed);
        let scadenza = date(self.presented.year(), 12, 31);
        self.altre.push(Riferita {
            dsu: own.dsu,
            protocollo: PARENTS.to_owned(),
            presentata: self.presented,
            scadenza,
        });
    }

    pub fn residential(&mut self, form: usize, beneficiary: usize) -> &mut Residenziale {
        let codice_fiscale_beneficiario = self.code(beneficiary);
        let forms = &mut self.dsu.modello_base[form].residenziale;
        forms.push(Residenziale {
            codice_fiscale_beneficiario,
            data_richiesta_ricovero: date(self.presented.year() - 1, 6, 1),
            flag_figli_non_compresi: false,
            flag_donazioni: false,
            flag_donazioni_successive: None,
            flag_donazioni_precedenti_alimenti: None,
            flag_donazioni_precedenti_no_alimenti: None,
            figlio_non_compreso_nel_nucleo: Vec::new(),
            donazione: Vec::new(),
        });
        forms.last_mut().unwrap()
    }

    /// A child outside with an income under FC8 that is all net (IRPEF, neither employee nor pension), in a
    /// nucleus of so many.
    pub fn child(&mut self, irpef: Option<u32>, members: u32) -> FiglioNonCompresoNelNucleo {
        let mut foglio = self.foglio(25, 0);
        foglio.altri_redditi = irpef.map(esonerato);
        FiglioNonCompresoNelNucleo {
            codice_fiscale: foglio.codice_fiscale.clone(),
            condizione_esclusione: None,
            estremi_esclusione: None,
            dati: irpef.map(|_| {
                DatiFiglio::Dettaglio(Box::new(DettaglioFiglio {
                    componente_aggiuntiva_figlio: numeri(&foglio, members),
                    foglio_componente_figlio: Some(foglio),
                }))
            }),
        }
    }

    /// A restricted form of the beneficiary and those others.
    pub fn ristretto(&mut self, members: &[(usize, Relazione)]) {
        let named = members
            .iter()
            .map(|(index, relazione)| ComponenteNucleoRistretto {
                codice_fiscale: self.code(*index),
                flag_beneficiario: *relazione == Relazione::B,
                relazione_con_beneficiario: *relazione,
            });
        let nucleo = NucleoRistretto {
            componente_nucleo_ristretto: named.collect(),
        };
        let mut form = self.form().clone();
        form.tipo = TipoModello::Rid;
        form.nucleo_ristretto = Some(nucleo);
        form.universitario.clear();
        form.genitore_non_convivente.clear();
        form.residenziale.clear();
        self.dsu.modello_base.push(form);
    }

    pub fn indicatori(&self) -> Indicatori {
        let rules = Rules::embedded().unwrap();
        let rules = rules.on(self.presented).unwrap();
        let situazione = Situazione {
            dsu: &self.dsu,
            presented: self.presented,
            rules,
            feed: &self.feed,
            altre: &self.altre,
        };
        situazione.indicatori().ok().unwrap()
    }

    pub fn attestazione(&self) -> Attestazione {
        let rules = Rules::embedded().unwrap();
        let about = Rilascio {
            protocollo: PARENTS,
            presentata: self.presented,
            rilasciata: self.presented,
            ..Rilascio::default()
        };
        attest(
            &self.dsu,
            &self.indicatori(),
            rules.on(self.presented).unwrap(),
            about,
        )
    }
}

pub fn conti(amount: u32) -> PatrimonioMobiliare {
    rapporto(TipoRapporto::ContoCorrente, amount)
}

pub fn rapporto(tipo: TipoRapporto, amount: u32) -> PatrimonioMobiliare {
    let account = tipo.is_account();
    PatrimonioMobiliare {
        flag_possesso_rapporto_finanziario: true,
        flag_incremento: None,
        rapporto: vec![RapportoFinanziario {
            tipo_rapporto: tipo,
            identificativo: "IT00X".to_owned(),
            codice_fiscale_operatore: "01234567897".to_owned(),
            saldo_3112: account.then_some(amount),
            consistenza_media: account.then_some(amount),
            valore: (!account).then_some(amount),
            data_inizio: None,
            data_fine: None,
        }],
        incremento: None,
    }
}

pub fn esonerato(irpef: u32) -> AltriRedditi {
    AltriRedditi {
        flag_esonerato: true,
        reddito_irpef: Some(irpef.into()),
        ..AltriRedditi::nothing()
    }
}

pub fn disabile(grado: GradoDisabilita) -> Disabilita {
    Disabilita {
        grado_disabilita: grado,
        ente_certif: "ASL".to_owned(),
        doc_certif: "1".to_owned(),
        data_certif: date(2014, 1, 1),
        flag_prest_residenziale: false,
        retta_versata: None,
        spese_assistenza: None,
    }
}

pub fn numeri(foglio: &FoglioComponente, members: u32) -> ComponenteAggiuntiva {
    ComponenteAggiuntiva {
        codice_fiscale: foglio.codice_fiscale.clone(),
        flag_completezza_dati: true,
        abitazione_componente_aggiuntiva: None,
        nucleo_familiare_componente_aggiuntiva: Some(NucleoComponenteAggiuntiva {
            numero_componenti: members,
            flag_attivita_lavorativa: false,
            flag_genitore_solo: false,
            flag_presenza_minorenne: false,
            numero_figli: None,
            numero_figli_conviventi: None,
            flag_presenza_ricoverato: false,
            numero_ricoverati: None,
            flag_presenza_convivente: false,
            numero_conviventi: None,
            flag_disabilita_media: false,
            numero_disabili_media: None,
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

/// What changed for a member: the employee's income of twelve months, or of two.
pub fn variazione(
    casa: &mut Caseta,
    index: usize,
    tipo: TipoVariazione,
    dipendente: (Option<u32>, Option<u32>),
) -> Variazione {
    Variazione {
        codice_fiscale: casa.code(index),
        tipo_variazione: tipo,
        data_variazione: Some(casa.presented),
        reddito_dipendente_12_mesi: dipendente.0,
        reddito_autonomo_12_mesi: None,
        trattamenti_assistenziali_12_mesi: None,
        reddito_dipendente_2_mesi: dipendente.1,
        reddito_autonomo_2_mesi: None,
        trattamenti_assistenziali_2_mesi: None,
        documentazione: Some("BUSTA PAGA".to_owned()),
        protocollo_inps_dsu_corrente: None,
        patrimonio_mobiliare: None,
        patrimonio_immobiliare: None,
    }
}

/// The declaration as it is transmitted, under a sender's protocol.
pub fn text(dsu: &Dichiarazione, sender: &str) -> String {
    let mut dsu = dsu.clone();
    dsu.sottoscrizione
        .iter_mut()
        .for_each(|signature| signature.protocollo_mittente = sender.to_owned());
    requests::trasmissione(&message("Dichiarazione", ISEE_NS, &dsu, false))
}

/// A declaration that refers to another one.
pub fn referring(
    tipo: TipoOperazione,
    dichiarante: &CodiceFiscale,
    protocol: &str,
    today: Date,
) -> Dichiarazione {
    Dichiarazione {
        codice_fiscale_dichiarante: dichiarante.clone(),
        operazione: Operazione {
            tipo,
            codice_fiscale_riferimento: None,
            numero_protocollo_riferimento: Some(protocol.to_owned()),
        },
        nucleo_familiare: None,
        modello_base: Vec::new(),
        integrazione_componente_aggiuntiva: None,
        integrazione_redditi: None,
        integrazione_residenziale: None,
        isee_corrente: None,
        sottoscrizione: vec![sottoscrizione(dichiarante, "CAF", today)],
    }
}

/// What somebody who must file a return declares in the Agency's place (FC8).
pub fn redditi(person: &CodiceFiscale, irpef: u32) -> IntegrazioneRedditi {
    let redditi = AltriRedditi {
        flag_esonerato: false,
        flag_integrazione: true,
        ..esonerato(irpef)
    };
    IntegrazioneRedditi {
        componente_per_integrazione_redditi: vec![ComponentePerIntegrazioneRedditi {
            codice_fiscale: person.clone(),
            flag_doc_redditi: Some(true),
            flag_doc_altro: None,
            desc_doc_altro: None,
            redditi,
        }],
    }
}
