//! The attestation made of a computation (DPCM 159/2013 art. 11 c. 4, circ. INPS 153/2001).

use jiff::civil::Date;

use super::attestazione::{
    Attestazione, ComponenteNucleo, ComponenteNucleoRistretto, IseeFamiglia, IseeOrdinario, IseeRistretto,
    NucleoFamiliare, NucleoRistretto, OmissioneDifformita, Ordinario, Ridotto, Variazione,
};
use super::codes::{Ruolo, Si, TipoModello, TipoOperazione, TipoVariazioneAttestazione, Vuoto};
use super::compute::casi::{Caso, Diverso, IndicatoreCalcolato, Indicatori, Membro, ModoCalcolo, Ristretto};
use super::compute::componente::ComponenteCalcolata;
use super::dsu::{Dichiarazione, ModelloBase};
use super::indicatori::{
    CompAggiuntiva, ComponenteAttrattaAggiuntiva, ComponenteMinorenne, ComponenteResidenziale,
    ComponenteResidenzialeRistretto, ElementoNucleoAttratto, EsitoMinorenne, EsitoResidenziale,
    EsitoResidenzialeRistretto, EsitoUniversitario, IseeMin, IseeSocioSanRes, IseeSocioSanResRistretto,
    IseeUni, NucleoFamiliareAttratto, StudenteUniversitario, ValoriMinAgg, ValoriMinAttr, ValoriOrdinarioAgg,
    ValoriResidenziale, ValoriResidenzialeAgg, ValoriResidenzialeRistretto, ValoriResidenzialeRistrettoAgg,
    ValoriRistrettoAgg, ValoriUniAgg, ValoriUniAttr, ValoriUniStudAttratto, ValoriUniStudCompAggiuntiva,
    ValoriUniStudCompAttratta,
};
use super::money::Line;
use super::rules::RuleSet;

/// The content of an attestation besides the computation.
#[derive(Clone, Default)]
pub struct Rilascio<'a> {
    /// Protocol of the DSU.
    pub protocollo: &'a str,
    /// Day of presentation of the DSU.
    pub presentata: Date,
    /// Day of issue of the attestation.
    pub rilasciata: Date,
    /// The substitute form; None unless the ISEE is a current one.
    pub sostitutivo: Option<Sostitutivo<'a>>,
    /// The attestation replaced by this one, and the reason.
    pub variazione: Option<Variazione>,
    /// Data found missing or different by the Revenue Agency.
    pub omissioni: Vec<OmissioneDifformita>,
    /// The sender's protocol; None if it is the declaration's.
    pub protocollo_mittente: Option<&'a str>,
}

/// A substitute form: it makes an ISEE a current one.
#[derive(Clone, Copy)]
pub struct Sostitutivo<'a> {
    /// Protocol of the substitute form.
    pub protocollo: &'a str,
    /// Day of its presentation.
    pub presentato: Date,
    /// Last day of validity of the current ISEE.
    pub scadenza: Date,
}

/// The entry of an attestation on the version it replaces.
pub fn variazione(
    operazione: TipoOperazione,
    protocollo: String,
    presentata: Date,
    sender: Option<String>,
) -> Variazione {
    let rettifica = operazione == TipoOperazione::R;
    Variazione {
        tipo_variazione: if rettifica {
            TipoVariazioneAttestazione::Ricalcolo
        } else {
            TipoVariazioneAttestazione::Integrazione
        },
        numero_protocollo_dsu_variata: protocollo,
        data_presentazione_dsu_variata: presentata,
        numero_protocollo_mittente_dsu_variata: sender,
        note_variazione: note(operazione, false).map(str::to_owned),
        discordanze_contestazione: Vec::new(),
    }
}

/// A note of an attestation on the operation behind it; None where INPS's schema has a word for it.
pub fn note(operazione: TipoOperazione, attendeva: bool) -> Option<&'static str> {
    match operazione {
        TipoOperazione::R => Some("Rettifica dell'ente che ha trasmesso la DSU"),
        TipoOperazione::I if attendeva => {
            Some("Attestazione provvisoria, con i redditi dichiarati (art. 11 c. 8)")
        }
        _ => None,
    }
}

/// Attests all indicators of a DSU.
pub fn attest(
    dsu: &Dichiarazione,
    indicatori: &Indicatori,
    rules: &RuleSet,
    occasion: Rilascio<'_>,
) -> Attestazione {
    let forms = dsu
        .modello_base
        .iter()
        .filter(|modello| modello.tipo == TipoModello::Rid);
    let ridotto = forms.filter_map(|modello| ridotto(dsu, modello, indicatori, &occasion));
    let mittente = dsu
        .sottoscrizione_del_dichiarante()
        .map(|signature| signature.protocollo_mittente.clone());
    Attestazione {
        codice_fiscale_dichiarante: dsu.codice_fiscale_dichiarante.clone(),
        numero_protocollo_dsu: occasion.protocollo.to_owned(),
        data_presentazione: occasion.presentata,
        data_validita: rules.expires(occasion.presentata),
        protocollo_mittente: occasion.protocollo_mittente.map(str::to_owned).or(mittente),
        data_scadenza_dsu_corrente: occasion.sostitutivo.map(|form| form.scadenza),
        ordinario: Some(ordinario(dsu, indicatori, &occasion)),
        ridotto: ridotto.collect(),
        variazione: occasion.variazione,
        omissione_difformita: occasion.omissioni,
    }
}

/// The ordinary part: the nucleus, its ISEE, and the indicators of its members.
fn ordinario(dsu: &Dichiarazione, indicatori: &Indicatori, occasion: &Rilascio<'_>) -> Ordinario {
    let issue = Issue {
        on: occasion.rilasciata,
    };
    let (presentato, protocollo) = sostitutivo(occasion);
    Ordinario {
        corrente: occasion.sostitutivo.map(|_| Si::Si),
        data_presentazione_modulo_sostitutivo: presentato,
        protocollo_dsu_modulo_sostitutivo: protocollo,
        nucleo_familiare: NucleoFamiliare {
            componente_nucleo: componenti(dsu),
        },
        isee_ordinario: IseeOrdinario {
            data_rilascio: occasion.rilasciata,
            valori: indicatori.ordinario.valori(),
            modalita_calcolo_isee_ordinario: indicatori.ordinario.modalita.clone(),
        },
        isee_famiglia: indicatori.specifico.as_ref().map(|specifico| IseeFamiglia {
            data_rilascio: occasion.rilasciata,
            valori: specifico.famiglia.valori(),
            modalita_calcolo_isee_famiglia: specifico.famiglia.modalita.clone(),
        }),
        isee_min: each(&indicatori.minorenni, |minor| issue.minorenne(minor)).map(|all| IseeMin {
            componente_minorenne: all,
        }),
        isee_uni: each(&indicatori.universitari, |student| issue.universitario(student)).map(|all| IseeUni {
            studente_universitario: all,
        }),
        isee_socio_san_res: each(&indicatori.residenziali, |one| issue.residenziale(one)).map(|all| {
            IseeSocioSanRes {
                componente_socio_sanitarie_res: all,
            }
        }),
    }
}

/// The part of a restricted nucleus; None if its indicator was not computed.
fn ridotto(
    dsu: &Dichiarazione,
    modello: &ModelloBase,
    indicatori: &Indicatori,
    occasion: &Rilascio<'_>,
) -> Option<Ridotto> {
    let found = indicatori
        .ristretti
        .iter()
        .find(|ristretto| modello.beneficiario() == Some(&ristretto.beneficiario))?;
    let issue = Issue {
        on: occasion.rilasciata,
    };
    let (presentato, protocollo) = sostitutivo(occasion);
    Some(Ridotto {
        codice_fiscale_beneficiario: found.beneficiario.clone(),
        corrente: occasion.sostitutivo.map(|_| Si::Si),
        data_presentazione_modulo_sostitutivo: presentato,
        protocollo_dsu_modulo_sostitutivo: protocollo,
        nucleo_ristretto: ristretto(dsu, modello),
        isee_ristretto: Some(IseeRistretto {
            data_rilascio: occasion.rilasciata,
            valori: found.calcolo.valori(),
            modalita_calcolo_isee_ristretto: found.calcolo.modalita.clone(),
        }),
        isee_socio_san_res_ristretto: issue.residenziale_ristretto(found),
    })
}

/// Each indicator of a kind; None if there is none.
fn each<T>(indicatori: &[IndicatoreCalcolato], issue: impl Fn(&IndicatoreCalcolato) -> T) -> Option<Vec<T>> {
    (!indicatori.is_empty()).then(|| indicatori.iter().map(issue).collect())
}

/// Day and protocol of the form for a current ISEE; None if there is none.
fn sostitutivo(occasion: &Rilascio<'_>) -> (Option<Date>, Option<String>) {
    let form = occasion.sostitutivo;
    form.map(|form| (form.presentato, form.protocollo.to_owned()))
        .unzip()
}

/// The members of the nucleus, other than a parent who does not live with it.
fn componenti(dsu: &Dichiarazione) -> Vec<ComponenteNucleo> {
    let members = dsu
        .nucleo_familiare
        .iter()
        .flat_map(|nucleo| &nucleo.componente_nucleo);
    members
        .filter(|member| member.rapporto_con_dichiarante != Ruolo::Gnc)
        .map(|member| {
            let sheet = &member.foglio_componente_nucleo;
            ComponenteNucleo {
                rapporto_con_dichiarante: member.rapporto_con_dichiarante,
                cognome: sheet.dati_componente.anagrafica.cognome.clone(),
                nome: sheet.dati_componente.anagrafica.nome.clone(),
                codice_fiscale: sheet.codice_fiscale.clone(),
            }
        })
        .collect()
}

fn ristretto(dsu: &Dichiarazione, modello: &ModelloBase) -> NucleoRistretto {
    let named = modello
        .nucleo_ristretto
        .iter()
        .flat_map(|nucleo| &nucleo.componente_nucleo_ristretto);
    let members = named.filter_map(|member| {
        let sheet = dsu
            .fogli()
            .find(|sheet| sheet.codice_fiscale == member.codice_fiscale)?;
        Some(ComponenteNucleoRistretto {
            relazione_con_beneficiario: member.relazione_con_beneficiario,
            cognome: sheet.dati_componente.anagrafica.cognome.clone(),
            nome: sheet.dati_componente.anagrafica.nome.clone(),
            codice_fiscale: member.codice_fiscale.clone(),
        })
    });
    NucleoRistretto {
        componente_nucleo_ristretto: members.collect(),
    }
}

/// Writes the cases as the layout has them; its names differ from case to case.
#[derive(Clone, Copy)]
struct Issue {
    on: Date,
}

impl Issue {
    fn minorenne(self, minor: &IndicatoreCalcolato) -> ComponenteMinorenne {
        let esito = match &minor.caso {
            Caso::Base(_) => EsitoMinorenne::Ordinario(Vuoto),
            Caso::NonCalcolabile(_) => EsitoMinorenne::NonCalcolabile(Vuoto),
            Caso::Diverso(diverso) => match (diverso.modo, first(diverso)) {
                (ModoCalcolo::Aggiuntiva, Some(componente_agguntiva)) => {
                    EsitoMinorenne::Aggiuntiva(Box::new(ValoriMinAgg {
                        data_rilascio: self.on,
                        componente_agguntiva,
                        valori: diverso.valori(),
                        modalita_calcolo_isee_min_aggr: diverso.calcolo.modalita.clone(),
                    }))
                }
                (_, Some(componente_attratta)) => EsitoMinorenne::Attratta(Box::new(ValoriMinAttr {
                    data_rilascio: self.on,
                    componente_attratta,
                    valori: diverso.valori(),
                    modalita_calcolo_isee_min_attr: diverso.calcolo.modalita.clone(),
                })),
                (_, None) => EsitoMinorenne::NonCalcolabile(Vuoto),
            },
        };
        ComponenteMinorenne {
            cognome: minor.cognome.clone(),
            nome: minor.nome.clone(),
            codice_fiscale: minor.codice_fiscale.clone(),
            isee: minor.isee().map(Line::printed),
            esito,
        }
    }

    fn universitario(self, student: &IndicatoreCalcolato) -> StudenteUniversitario {
        StudenteUniversitario {
            cognome: student.cognome.clone(),
            nome: student.nome.clone(),
            codice_fiscale: student.codice_fiscale.clone(),
            isee: student.isee().map(Line::printed),
            esito: match &student.caso {
                Caso::Base(_) => EsitoUniversitario::Ordinario(Vuoto),
                Caso::NonCalcolabile(_) => EsitoUniversitario::NonCalcolabile(Vuoto),
                Caso::Diverso(diverso) => self.of_student(diverso),
            },
        }
    }

    fn of_student(self, diverso: &Diverso) -> EsitoUniversitario {
        let nucleo_familiare_attratto = NucleoFamiliareAttratto {
            elemento_nucleo_attratto: diverso.attratto.iter().map(element).collect(),
        };
        let (data_rilascio, valori, modalita) = (self.on, diverso.valori(), diverso.calcolo.modalita.clone());
        match (diverso.modo, first(diverso)) {
            (ModoCalcolo::StudenteAttratto, _) => {
                EsitoUniversitario::StudenteAttratto(Box::new(ValoriUniStudAttratto {
                    data_rilascio,
                    nucleo_familiare_attratto,
                    valori,
                    modalita_calcolo_isee_uni_stud_att: modalita,
                }))
            }
            (ModoCalcolo::StudenteAttrattoCompAttratta, Some(componente_attratta)) => {
                EsitoUniversitario::StudenteAttrattoCompAttratta(Box::new(ValoriUniStudCompAttratta {
                    data_rilascio,
                    nucleo_familiare_attratto,
                    componente_attratta,
                    valori,
                    modalita_calcolo_isee_uni_stud_attratto_comp_attratta: modalita,
                }))
            }
            (ModoCalcolo::StudenteAttrattoCompAggiuntiva, Some(componente_aggiuntiva)) => {
                EsitoUniversitario::StudenteAttrattoCompAggiuntiva(Box::new(ValoriUniStudCompAggiuntiva {
                    data_rilascio,
                    nucleo_familiare_attratto,
                    componente_aggiuntiva,
                    valori,
                    modalita_calcolo_isee_uni_stud_attratto_comp_aggiuntiva: modalita,
                }))
            }
            (ModoCalcolo::Aggiuntiva, Some(componente_agguntiva)) => {
                EsitoUniversitario::Aggiuntiva(Box::new(ValoriUniAgg {
                    data_rilascio,
                    componente_agguntiva,
                    valori,
                    modalita_calcolo_isee_uni_agg: modalita,
                }))
            }
            (_, Some(componente_attratta)) => EsitoUniversitario::Attratta(Box::new(ValoriUniAttr {
                data_rilascio,
                componente_attratta,
                valori,
                modalita_calcolo_isee_uni_attr: modalita,
            })),
            (_, None) => EsitoUniversitario::NonCalcolabile(Vuoto),
        }
    }

    fn residenziale(self, beneficiary: &IndicatoreCalcolato) -> ComponenteResidenziale {
        let esito = match &beneficiary.caso {
            Caso::Base(_) => EsitoResidenziale::Ordinario(Vuoto),
            Caso::NonCalcolabile(_) => EsitoResidenziale::NonCalcolabile(Vuoto),
            Caso::Diverso(diverso) => {
                let (data_rilascio, valori, modalita) =
                    (self.on, diverso.valori(), diverso.calcolo.modalita.clone());
                let componente_agguntiva = all(diverso);
                match diverso.modo {
                    ModoCalcolo::BaseAgg => EsitoResidenziale::OrdinarioAgg(Box::new(ValoriOrdinarioAgg {
                        data_rilascio,
                        componente_agguntiva,
                        valori,
                        modalita_calcolo_isee_ord_agg: modalita,
                    })),
                    ModoCalcolo::ResidenzialeAgg => {
                        EsitoResidenziale::ResidenzialeAgg(Box::new(ValoriResidenzialeAgg {
                            data_rilascio,
                            componente_agguntiva,
                            valori,
                            modalita_calcolo_iisee_socio_san_res_agg: modalita,
                        }))
                    }
                    _ => EsitoResidenziale::Residenziale(Box::new(ValoriResidenziale {
                        data_rilascio,
                        valori,
                        modalita_calcolo_isee_socio_san_res_res: modalita,
                    })),
                }
            }
        };
        ComponenteResidenziale {
            cognome: beneficiary.cognome.clone(),
            nome: beneficiary.nome.clone(),
            codice_fiscale: beneficiary.codice_fiscale.clone(),
            isee: beneficiary.isee().map(Line::printed),
            esito,
        }
    }

    fn residenziale_ristretto(self, ristretto: &Ristretto) -> Option<IseeSocioSanResRistretto> {
        let beneficiary = ristretto.residenziale.as_ref()?;
        let esito = match &beneficiary.caso {
            Caso::Base(_) => EsitoResidenzialeRistretto::Ristretto(Vuoto),
            Caso::NonCalcolabile(_) => EsitoResidenzialeRistretto::NonCalcolabile(Vuoto),
            Caso::Diverso(diverso) => {
                let (data_rilascio, valori, modalita) =
                    (self.on, diverso.valori(), diverso.calcolo.modalita.clone());
                let componente_agguntiva = all(diverso);
                match diverso.modo {
                    ModoCalcolo::BaseAgg => {
                        EsitoResidenzialeRistretto::RistrettoAgg(Box::new(ValoriRistrettoAgg {
                            data_rilascio,
                            componente_agguntiva,
                            valori,
                            modalita_calcolo_isee_ristretto_agg: modalita,
                        }))
                    }
                    ModoCalcolo::ResidenzialeAgg => EsitoResidenzialeRistretto::ResidenzialeAgg(Box::new(
                        ValoriResidenzialeRistrettoAgg {
                            data_rilascio,
                            componente_agguntiva,
                            valori,
                            modalita_calcolo_isee_socio_san_res_ristretto_agg: modalita,
                        },
                    )),
                    _ => EsitoResidenzialeRistretto::Residenziale(Box::new(ValoriResidenzialeRistretto {
                        data_rilascio,
                        valori,
                        modalita_calcolo_isee_socio_san_res_ristretto: modalita,
                    })),
                }
            }
        };
        Some(IseeSocioSanResRistretto {
            componente_socio_sanitarie_res: ComponenteResidenzialeRistretto {
                cognome: beneficiary.cognome.clone(),
                nome: beneficiary.nome.clone(),
                codice_fiscale: beneficiary.codice_fiscale.clone(),
                isee: beneficiary.isee().map(Line::printed),
                esito,
            },
        })
    }
}

impl Diverso {
    /// The five values: the nucleus's, and the ISEE with the added components.
    pub fn valori(&self) -> super::valori::Valori {
        super::valori::Valori {
            isee: self.isee.printed(),
            ..self.calcolo.valori()
        }
    }
}

fn first(diverso: &Diverso) -> Option<CompAggiuntiva> {
    diverso.componenti.first().map(outside)
}

fn all(diverso: &Diverso) -> Vec<CompAggiuntiva> {
    diverso.componenti.iter().map(outside).collect()
}

fn outside(componente: &ComponenteCalcolata) -> CompAggiuntiva {
    CompAggiuntiva {
        componente_attratta_aggiuntiva: ComponenteAttrattaAggiuntiva {
            cognome: componente.cognome.clone(),
            nome: componente.nome.clone(),
            codice_fiscale: componente.codice_fiscale.clone(),
            protocollo_dsu_riferimento: componente
                .protocollo
                .clone()
                .filter(|_| componente.valore.is_none()),
            valore_componente_aggiuntiva: componente.valore.map(Line::printed),
            protocollo_dsu_componente_aggiuntiva: componente
                .protocollo
                .clone()
                .filter(|_| componente.valore.is_some()),
            protocollo_mittente_componente_aggiuntiva: componente
                .protocollo_mittente
                .clone()
                .filter(|_| componente.valore.is_some()),
        },
    }
}

fn element(member: &Membro) -> ElementoNucleoAttratto {
    ElementoNucleoAttratto {
        rapporto_con_dichiarante: member.ruolo,
        cognome: member.cognome.clone(),
        nome: member.nome.clone(),
        codice_fiscale: member.codice_fiscale.clone(),
    }
}
