//! What a consultation returns, as it is laid out: attestation, indicator, the search that found them. The
//! indicators for minors, students and residential services are in [`indicatori`](super::indicatori).

use jiff::civil::Date;

use super::codes::{
    Importo, ModelloAe, Relazione, Ruolo, Si, StatoDomanda, TipoIndicatore, TipoIndicatoreSoglia,
    TipoOmissione, TipoRapporto, TipoVariazioneAttestazione,
};
use super::codice_fiscale::CodiceFiscale;
use super::dsu::Dichiarazione;
use super::indicatori::{
    EsitoMinorenne, EsitoResidenziale, EsitoResidenzialeRistretto, EsitoUniversitario, IseeMin,
    IseeSocioSanRes, IseeSocioSanResRistretto, IseeUni,
};
use super::valori::{ModalitaCalcolo, Valori};

/// The payload of ConsultazioneDichiarazione.
#[derive(Clone, PartialEq)]
pub struct EsitoDichiarazione {
    /// The DSU, completed; absent if there is none.
    pub dichiarazione: Option<Dichiarazione>,
    /// What was asked.
    pub ricerca: Ricerca,
}

/// The payload of ConsultazioneAttestazione.
#[derive(Clone, PartialEq)]
pub struct EsitoAttestazione {
    /// The attestation, where one was found.
    pub attestazione: Option<Attestazione>,
    /// The search, as it was asked.
    pub ricerca: Ricerca,
}

/// A search, as it was asked.
#[derive(Clone, PartialEq)]
pub struct Ricerca {
    /// By which key the search was made.
    pub chiave: Chiave,
}

/// By which key the search was made.
#[derive(Clone, PartialEq)]
pub enum Chiave {
    /// By codice fiscale.
    Cf(Box<RicercaCf>),
    /// By protocol of the DSU.
    ProtDsu(Box<RicercaProtDsu>),
    /// By the sender's protocol.
    ProtMittente(Box<RicercaProtMittente>),
}

/// The payload of ConsultazioneIndicatore.
#[derive(Clone, PartialEq)]
pub struct Indicatore {
    /// Which indicator.
    pub tipo_indicatore: TipoIndicatore,
    /// Indicator of the economic situation, euros.
    pub ise: Importo,
    /// Value of the equivalence scale.
    pub scala_equivalenza: Importo,
    /// The ISE divided by the scale, euros.
    pub isee: Importo,
    /// Indicator of income, euros.
    pub isr: Importo,
    /// Indicator of assets, euros.
    pub isp: Importo,
    /// Protocol of the DSU.
    pub protocollo_dsu: String,
    /// When the DSU was presented.
    pub data_presentazione: Date,
    /// By codice fiscale.
    pub ricerca_cf: RicercaCf,
}

/// An attestation: nucleus, indicators, how they were computed, validity.
#[derive(Clone, PartialEq)]
pub struct Attestazione {
    /// Of the declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// Protocol of the DSU.
    pub numero_protocollo_dsu: String,
    /// When the DSU was presented.
    pub data_presentazione: Date,
    /// The last day on which it is valid.
    pub data_validita: Date,
    /// The sender's own protocol: at most 29 characters.
    pub protocollo_mittente: Option<String>,
    /// Until when the current ISEE is valid.
    pub data_scadenza_dsu_corrente: Option<Date>,
    /// The ordinary nucleus and its indicators.
    pub ordinario: Option<Ordinario>,
    /// Restricted nuclei and their indicators.
    pub ridotto: Vec<Ridotto>,
    /// Why this attestation takes the place of another.
    pub variazione: Option<Variazione>,
    /// What the Revenue Agency found missing or different.
    pub omissione_difformita: Vec<OmissioneDifformita>,
}

/// The ordinary nucleus and its indicators.
#[derive(Clone, PartialEq)]
pub struct Ordinario {
    /// Present where the attestation is a current one.
    pub corrente: Option<Si>,
    /// When the substitute form was presented.
    pub data_presentazione_modulo_sostitutivo: Option<Date>,
    /// Protocol of the substitute form.
    pub protocollo_dsu_modulo_sostitutivo: Option<String>,
    /// The family.
    pub nucleo_familiare: NucleoFamiliare,
    /// The ordinary indicator.
    pub isee_ordinario: IseeOrdinario,
    /// The specific indicator, for family benefits: of DSU presented from 2026 on. Not in the schema of 2021.
    pub isee_famiglia: Option<IseeFamiglia>,
    /// For minors.
    pub isee_min: Option<IseeMin>,
    /// For students.
    pub isee_uni: Option<IseeUni>,
    /// For residential services.
    pub isee_socio_san_res: Option<IseeSocioSanRes>,
}

/// A family.
#[derive(Clone, PartialEq)]
pub struct NucleoFamiliare {
    /// The members, the declarant first.
    pub componente_nucleo: Vec<ComponenteNucleo>,
}

/// A member of the nucleus.
#[derive(Clone, PartialEq)]
pub struct ComponenteNucleo {
    /// What the member is to the declarant.
    pub rapporto_con_dichiarante: Ruolo,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The ordinary indicator.
#[derive(Clone, PartialEq)]
pub struct IseeOrdinario {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The values.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ordinario: ModalitaCalcolo,
}

/// A restricted nucleus and its indicators.
#[derive(Clone, PartialEq)]
pub struct Ridotto {
    /// Of the beneficiary.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Present where the attestation is a current one.
    pub corrente: Option<Si>,
    /// When the substitute form was presented.
    pub data_presentazione_modulo_sostitutivo: Option<Date>,
    /// Protocol of the substitute form.
    pub protocollo_dsu_modulo_sostitutivo: Option<String>,
    /// The restricted nucleus.
    pub nucleo_ristretto: NucleoRistretto,
    /// The indicator of the restricted nucleus.
    pub isee_ristretto: Option<IseeRistretto>,
    /// For residential services, restricted nucleus.
    pub isee_socio_san_res_ristretto: Option<IseeSocioSanResRistretto>,
}

/// A restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct NucleoRistretto {
    /// The members of the restricted nucleus.
    pub componente_nucleo_ristretto: Vec<ComponenteNucleoRistretto>,
}

/// A member of a restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct ComponenteNucleoRistretto {
    /// What the member is to the beneficiary.
    pub relazione_con_beneficiario: Relazione,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The specific indicator, for family benefits (L. 199/2025 art. 1 c. 208).
#[derive(Clone, PartialEq)]
pub struct IseeFamiglia {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The values.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_famiglia: ModalitaCalcolo,
}

/// The indicator of a restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct IseeRistretto {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The values.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ristretto: ModalitaCalcolo,
}

/// A change.
#[derive(Clone, PartialEq)]
pub struct Variazione {
    /// What changed.
    pub tipo_variazione: TipoVariazioneAttestazione,
    /// Protocol of the DSU that is varied.
    pub numero_protocollo_dsu_variata: String,
    /// When the DSU that is varied was presented.
    pub data_presentazione_dsu_variata: Date,
    /// Sender's protocol of the DSU that is varied.
    pub numero_protocollo_mittente_dsu_variata: Option<String>,
    /// Notes on the variation.
    pub note_variazione: Option<String>,
    /// What the applicant contested.
    pub discordanze_contestazione: Vec<DiscordanzeContestazione>,
}

/// A difference that the applicant contested.
#[derive(Clone, PartialEq)]
pub struct DiscordanzeContestazione {
    /// Whom the difference concerns.
    pub cf_discordanza: CodiceFiscale,
    /// Which kind of difference.
    pub tipologia_discordanza: String,
    /// What the difference is.
    pub specifica_discordanza: String,
}

/// Something the Revenue Agency found missing or different.
#[derive(Clone, PartialEq)]
pub struct OmissioneDifformita {
    /// What is missing or differs.
    pub tipo_omissione_difformita: TipoOmissione,
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// When the Revenue Agency checked.
    pub data_controllo_ae: Date,
    /// Each account or other financial relation.
    pub rapporto: Vec<RapportoOmesso>,
    /// Incomes as the Agency knows them.
    pub reddito_ae: Option<RedditoAe>,
}

/// A financial relation that was not declared.
#[derive(Clone, PartialEq)]
pub struct RapportoOmesso {
    /// Section of the sheet.
    pub sezione: Option<String>,
    /// Which financial relation.
    pub tipo_rapporto: Option<TipoRapporto>,
    /// Number of the account, or other identifier.
    pub identificativo: Option<String>,
    /// Of the bank or other operator: at most 16 characters.
    pub codice_fiscale_operatore: String,
    /// The operator's name.
    pub descrizione_operatore_finanziario: Option<String>,
    /// Balance at 31 December, whole euros.
    pub saldo_3112: Option<u32>,
    /// Yearly average, whole euros.
    pub consistenza_media: Option<u32>,
    /// Value at 31 December, whole euros.
    pub valore: Option<u32>,
    /// When the relation began, within the year.
    pub data_inizio: Option<Date>,
    /// When the relation ended, within the year.
    pub data_fine: Option<Date>,
}

/// Incomes as the Revenue Agency knows them.
#[derive(Clone, PartialEq)]
pub struct RedditoAe {
    /// Which tax return the Agency read.
    pub tipo_modello_ae: Option<ModelloAe>,
    /// Total IRPEF income, as the Agency knows it.
    pub reddito_complessivo_irpefae: Option<String>,
    /// Employee income, as the Agency knows it.
    pub reddito_lavoro_dipendente_ae: Option<String>,
    /// Pension income, as the Agency knows it.
    pub reddito_pensione_ae: Option<String>,
    /// Agrarian income, as the Agency knows it.
    pub reddito_agrario_ae: Option<String>,
    /// Income under substitute tax, as the Agency knows it.
    pub redditi_imposta_sostitutiva_ae: Option<String>,
}

/// A search by codice fiscale.
#[derive(Clone, PartialEq)]
pub struct RicercaCf {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// The day on which the attestation must be valid.
    pub data_validita: Option<Date>,
    /// Benefit that is asked for, `A1.01` to `Z9.99`.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A search by protocol of the DSU.
#[derive(Clone, PartialEq)]
pub struct RicercaProtDsu {
    /// Protocol of the DSU.
    pub protocollo_dsu: String,
    /// Of the beneficiary.
    pub codice_fiscale_beneficiario: Option<CodiceFiscale>,
    /// Benefit that is asked for, `A1.01` to `Z9.99`.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A search by the sender's protocol.
#[derive(Clone, PartialEq)]
pub struct RicercaProtMittente {
    /// The sender's own protocol: at most 29 characters.
    pub protocollo_mittente: String,
    /// Of the beneficiary.
    pub codice_fiscale_beneficiario: Option<CodiceFiscale>,
    /// Benefit that is asked for, `A1.01` to `Z9.99`.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A person's indicator in an attestation.
#[derive(Clone, Copy)]
pub struct Trovato<'a> {
    /// Its values.
    pub valori: &'a Valori,
    /// Which case it is, in the words of the Soglia operation.
    pub caso: TipoIndicatoreSoglia,
}

/// Why an attestation gives no indicator of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assente {
    /// The person has none of that kind.
    Nessuno,
    /// The person has one, but data are missing: it cannot be computed.
    NonCalcolabile,
}

impl Attestazione {
    /// A person's indicator of a kind. Social and health services and doctoral students: that of their
    /// restricted nucleus, or the ordinary one.
    pub fn indicatore(&self, tipo: TipoIndicatore, persona: &CodiceFiscale) -> Result<Trovato<'_>, Assente> {
        use TipoIndicatoreSoglia as Caso;
        if !self.riguarda(persona) {
            return Err(Assente::Nessuno);
        }
        let ordinario = self.ordinario.as_ref();
        let base = || {
            ordinario
                .map(|ordinario| &ordinario.isee_ordinario.valori)
                .ok_or(Assente::Nessuno)
        };
        let found = |valori, caso| Ok(Trovato { valori, caso });
        let own = self
            .ridotto
            .iter()
            .find(|ridotto| ridotto.codice_fiscale_beneficiario == *persona);
        let ristretto = own
            .and_then(|ridotto| ridotto.isee_ristretto.as_ref())
            .map(|ristretto| &ristretto.valori);
        match tipo {
            TipoIndicatore::Ordinario => found(base()?, Caso::Ordinario),
            TipoIndicatore::SocioSanitario | TipoIndicatore::Dottorato => match (ristretto, tipo) {
                (Some(valori), TipoIndicatore::Dottorato) => found(valori, Caso::Dottorato),
                (Some(valori), _) => found(valori, Caso::Sociosanitario),
                (None, _) => found(base()?, Caso::Ordinario),
            },
            TipoIndicatore::Minorenne => {
                let minors = ordinario
                    .and_then(|ordinario| ordinario.isee_min.as_ref())
                    .map(|min| &min.componente_minorenne);
                let minor = minors
                    .into_iter()
                    .flatten()
                    .find(|minor| minor.codice_fiscale == *persona)
                    .ok_or(Assente::Nessuno)?;
                match &minor.esito {
                    EsitoMinorenne::Ordinario(_) => found(base()?, Caso::MinorenneOrdinario),
                    EsitoMinorenne::Attratta(each) => found(&each.valori, Caso::MinorenneAttratta),
                    EsitoMinorenne::Aggiuntiva(each) => found(&each.valori, Caso::MinorenneAggiuntiva),
                    EsitoMinorenne::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
                }
            }
            TipoIndicatore::Universitario => {
                let students = ordinario
                    .and_then(|ordinario| ordinario.isee_uni.as_ref())
                    .map(|uni| &uni.studente_universitario);
                let student = students
                    .into_iter()
                    .flatten()
                    .find(|student| student.codice_fiscale == *persona)
                    .ok_or(Assente::Nessuno)?;
                match &student.esito {
                    EsitoUniversitario::Ordinario(_) => found(base()?, Caso::UniversitarioOrdinario),
                    EsitoUniversitario::Attratta(each) => found(&each.valori, Caso::UniversitarioAttratta),
                    EsitoUniversitario::Aggiuntiva(each) => {
                        found(&each.valori, Caso::UniversitarioAggiuntiva)
                    }
                    EsitoUniversitario::StudenteAttratto(each) => {
                        found(&each.valori, Caso::UniversitarioStudente)
                    }
                    EsitoUniversitario::StudenteAttrattoCompAttratta(each) => {
                        found(&each.valori, Caso::UniversitarioStudenteAttratta)
                    }
                    EsitoUniversitario::StudenteAttrattoCompAggiuntiva(each) => {
                        found(&each.valori, Caso::UniversitarioStudenteAggiuntiva)
                    }
                    EsitoUniversitario::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
                }
            }
            TipoIndicatore::Residenziale => {
                if let Some(each) = own.and_then(|ridotto| ridotto.isee_socio_san_res_ristretto.as_ref()) {
                    return match (&each.componente_socio_sanitarie_res.esito, ristretto) {
                        (EsitoResidenzialeRistretto::Ristretto(_), Some(valori)) => {
                            found(valori, Caso::ResidenzialeRidottoSenza)
                        }
                        (EsitoResidenzialeRistretto::Residenziale(each), _) => {
                            found(&each.valori, Caso::ResidenzialeRidottoSenza)
                        }
                        (EsitoResidenzialeRistretto::RistrettoAgg(each), _) => {
                            found(&each.valori, Caso::ResidenzialeRidottoCon)
                        }
                        (EsitoResidenzialeRistretto::ResidenzialeAgg(each), _) => {
                            found(&each.valori, Caso::ResidenzialeRidottoCon)
                        }
                        (EsitoResidenzialeRistretto::Ristretto(_), None) => Err(Assente::Nessuno),
                        (EsitoResidenzialeRistretto::NonCalcolabile(_), _) => Err(Assente::NonCalcolabile),
                    };
                }
                let all = ordinario.and_then(|ordinario| ordinario.isee_socio_san_res.as_ref());
                let beneficiaries = all
                    .map(|all| &all.componente_socio_sanitarie_res)
                    .into_iter()
                    .flatten();
                let each = beneficiaries
                    .into_iter()
                    .find(|each| each.codice_fiscale == *persona)
                    .ok_or(Assente::Nessuno)?;
                match &each.esito {
                    EsitoResidenziale::Ordinario(_) => found(base()?, Caso::ResidenzialeSenza),
                    EsitoResidenziale::Residenziale(each) => found(&each.valori, Caso::ResidenzialeSenza),
                    EsitoResidenziale::OrdinarioAgg(each) => found(&each.valori, Caso::ResidenzialeCon),
                    EsitoResidenziale::ResidenzialeAgg(each) => found(&each.valori, Caso::ResidenzialeCon),
                    EsitoResidenziale::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
                }
            }
        }
    }

    /// The same under the schema of 2021, without ISEEFamiglia.
    #[must_use]
    pub fn senza_isee_famiglia(mut self) -> Self {
        if let Some(ordinario) = &mut self.ordinario {
            ordinario.isee_famiglia = None;
        }
        self
    }

    /// Whether a person is of the nucleus, or of a restricted one.
    pub fn riguarda(&self, persona: &CodiceFiscale) -> bool {
        let members = self
            .ordinario
            .iter()
            .flat_map(|ordinario| &ordinario.nucleo_familiare.componente_nucleo);
        let restricted = self
            .ridotto
            .iter()
            .flat_map(|ridotto| &ridotto.nucleo_ristretto.componente_nucleo_ristretto);
        members
            .map(|member| &member.codice_fiscale)
            .chain(restricted.map(|member| &member.codice_fiscale))
            .any(|own| own == persona)
    }

    /// The kinds of indicator that a person has and that could be computed.
    pub fn indicatori(&self, persona: &CodiceFiscale) -> Vec<TipoIndicatore> {
        let all = TipoIndicatore::ALL
            .iter()
            .filter_map(|code| TipoIndicatore::from_code(code));
        all.filter(|tipo| self.indicatore(*tipo, persona).is_ok())
            .collect()
    }
}
