//! The layout of a consultation's reply: attestation, indicator, and the search behind them. The indicators
//! for minors, students and residential services are in [`indicatori`](super::indicatori).

use jiff::civil::Date;

use super::codes::{
    Importo, ModelloAe, Relazione, Ruolo, Si, StatoDomanda, TipoIndicatore, TipoIndicatoreSoglia as Caso,
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
    /// The DSU, completed. `None`: no DSU found.
    pub dichiarazione: Option<Dichiarazione>,
    /// The search, echoed from the request.
    pub ricerca: Ricerca,
}

/// The payload of ConsultazioneAttestazione.
#[derive(Clone, PartialEq)]
pub struct EsitoAttestazione {
    /// The attestation. `None`: none found.
    pub attestazione: Option<Attestazione>,
    /// The search, echoed from the request.
    pub ricerca: Ricerca,
}

/// A search, echoed from the request.
#[derive(Clone, PartialEq)]
pub struct Ricerca {
    /// The key of the search.
    pub chiave: Chiave,
}

/// The key of a search.
#[derive(Clone, PartialEq)]
pub enum Chiave {
    /// The codice fiscale of a person.
    Cf(Box<RicercaCf>),
    /// The protocol of the DSU.
    ProtDsu(Box<RicercaProtDsu>),
    /// The sender's protocol.
    ProtMittente(Box<RicercaProtMittente>),
}

/// The payload of ConsultazioneIndicatore.
#[derive(Clone, PartialEq)]
pub struct Indicatore {
    /// The requested kind of indicator.
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
    /// The search, by codice fiscale.
    pub ricerca_cf: RicercaCf,
}

/// An attestation: nucleus, indicators, how they were computed, validity.
#[derive(Clone, PartialEq)]
pub struct Attestazione {
    /// The declarant's codice fiscale, as sent.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// Protocol of the DSU.
    pub numero_protocollo_dsu: String,
    /// When the DSU was presented.
    pub data_presentazione: Date,
    /// The last day of validity.
    pub data_validita: Date,
    /// The sender's own protocol: at most 29 characters.
    pub protocollo_mittente: Option<String>,
    /// The last day of validity of the current ISEE. `None`: not a current one.
    pub data_scadenza_dsu_corrente: Option<Date>,
    /// The ordinary nucleus and its indicators.
    pub ordinario: Option<Ordinario>,
    /// Restricted nuclei and their indicators.
    pub ridotto: Vec<Ridotto>,
    /// Why this attestation takes the place of another.
    pub variazione: Option<Variazione>,
    /// Omissions and differences found by the Revenue Agency.
    pub omissione_difformita: Vec<OmissioneDifformita>,
}

/// The ordinary nucleus and its indicators.
#[derive(Clone, PartialEq)]
pub struct Ordinario {
    /// Present if the attestation is a current one.
    pub corrente: Option<Si>,
    /// When the substitute form was presented.
    pub data_presentazione_modulo_sostitutivo: Option<Date>,
    /// Protocol of the substitute form.
    pub protocollo_dsu_modulo_sostitutivo: Option<String>,
    /// The members of the family.
    pub nucleo_familiare: NucleoFamiliare,
    /// The indicator of the whole family.
    pub isee_ordinario: IseeOrdinario,
    /// The specific indicator, for family benefits: only of DSU presented from 2026 on. Not in the schema of
    /// 2021.
    pub isee_famiglia: Option<IseeFamiglia>,
    /// The minors' indicators. `None`: no minor in the nucleus.
    pub isee_min: Option<IseeMin>,
    /// The students' indicators. `None`: no student in the DSU.
    pub isee_uni: Option<IseeUni>,
    /// The indicators for residential services. `None`: no beneficiary in the ordinary nucleus.
    pub isee_socio_san_res: Option<IseeSocioSanRes>,
}

/// The family, as a list of its members.
#[derive(Clone, PartialEq)]
pub struct NucleoFamiliare {
    /// The members, the declarant among them.
    pub componente_nucleo: Vec<ComponenteNucleo>,
}

/// A member of the nucleus.
#[derive(Clone, PartialEq)]
pub struct ComponenteNucleo {
    /// The member's role toward the declarant.
    pub rapporto_con_dichiarante: Ruolo,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The member's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The ordinary indicator, of the whole family.
#[derive(Clone, PartialEq)]
pub struct IseeOrdinario {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ordinario: ModalitaCalcolo,
}

/// A restricted nucleus and its indicators.
#[derive(Clone, PartialEq)]
pub struct Ridotto {
    /// The beneficiary's codice fiscale, as sent.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Present if the attestation is a current one.
    pub corrente: Option<Si>,
    /// When the substitute form was presented.
    pub data_presentazione_modulo_sostitutivo: Option<Date>,
    /// Protocol of the substitute form.
    pub protocollo_dsu_modulo_sostitutivo: Option<String>,
    /// The members around the beneficiary.
    pub nucleo_ristretto: NucleoRistretto,
    /// The indicator of the restricted nucleus.
    pub isee_ristretto: Option<IseeRistretto>,
    /// The indicator for residential services, in the restricted nucleus.
    pub isee_socio_san_res_ristretto: Option<IseeSocioSanResRistretto>,
}

/// A restricted nucleus, as a list of its members.
#[derive(Clone, PartialEq)]
pub struct NucleoRistretto {
    /// The members of the restricted nucleus.
    pub componente_nucleo_ristretto: Vec<ComponenteNucleoRistretto>,
}

/// A member of a restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct ComponenteNucleoRistretto {
    /// The member's relation to the beneficiary.
    pub relazione_con_beneficiario: Relazione,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The member's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The specific indicator, for family benefits (L. 199/2025 art. 1 c. 208).
#[derive(Clone, PartialEq)]
pub struct IseeFamiglia {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_famiglia: ModalitaCalcolo,
}

/// The indicator of a restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct IseeRistretto {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ristretto: ModalitaCalcolo,
}

/// The variation of an earlier attestation by this one.
#[derive(Clone, PartialEq)]
pub struct Variazione {
    /// Kind of variation: contested, computed again or completed.
    pub tipo_variazione: TipoVariazioneAttestazione,
    /// Protocol of the varied DSU.
    pub numero_protocollo_dsu_variata: String,
    /// Date of presentation of the varied DSU.
    pub data_presentazione_dsu_variata: Date,
    /// Sender's protocol of the varied DSU.
    pub numero_protocollo_mittente_dsu_variata: Option<String>,
    /// Notes on the variation.
    pub note_variazione: Option<String>,
    /// Differences contested by the applicant.
    pub discordanze_contestazione: Vec<DiscordanzeContestazione>,
}

/// A difference contested by the applicant.
#[derive(Clone, PartialEq)]
pub struct DiscordanzeContestazione {
    /// Codice fiscale of the person concerned by the difference.
    pub cf_discordanza: CodiceFiscale,
    /// Kind of difference.
    pub tipologia_discordanza: String,
    /// Description of the difference.
    pub specifica_discordanza: String,
}

/// An omission or a difference found by the Revenue Agency.
#[derive(Clone, PartialEq)]
pub struct OmissioneDifformita {
    /// Kind of omission or difference: movable assets or incomes.
    pub tipo_omissione_difformita: TipoOmissione,
    /// The member's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// When the Revenue Agency checked.
    pub data_controllo_ae: Date,
    /// Each undeclared account or other financial relation.
    pub rapporto: Vec<RapportoOmesso>,
    /// Incomes as the Agency knows them.
    pub reddito_ae: Option<RedditoAe>,
}

/// A financial relation missing from the DSU.
#[derive(Clone, PartialEq)]
pub struct RapportoOmesso {
    /// Section of the sheet. Varco leaves it out.
    pub sezione: Option<String>,
    /// Kind of relation: current account (`01`) to other (`99`).
    pub tipo_rapporto: Option<TipoRapporto>,
    /// Number of the account, or other identifier.
    pub identificativo: Option<String>,
    /// Codice fiscale of the bank or other operator: at most 16 characters.
    pub codice_fiscale_operatore: String,
    /// The operator's name. Varco leaves it out: the feed has none.
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
    /// The tax return read by the Agency, `1` to `3`. Varco leaves it out.
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
    /// The person's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// The required day of validity of the attestation.
    pub data_validita: Option<Date>,
    /// Code of the requested benefit, `A1.01` to `Z9.99`.
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
    /// The beneficiary's codice fiscale, as sent. `None`: the search names no beneficiary.
    pub codice_fiscale_beneficiario: Option<CodiceFiscale>,
    /// Code of the requested benefit, `A1.01` to `Z9.99`.
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
    /// The beneficiary's codice fiscale, as sent. `None`: the search names no beneficiary.
    pub codice_fiscale_beneficiario: Option<CodiceFiscale>,
    /// Code of the requested benefit, `A1.01` to `Z9.99`.
    pub prestazione_da_erogare: Option<String>,
    /// The ente's own number of the application.
    pub protocollo_domanda_ente_erogatore: Option<String>,
    /// Whether the benefit is still to be granted.
    pub statodomanda_prestazione: Option<StatoDomanda>,
}

/// A person's indicator in an attestation.
#[derive(Clone, Copy)]
pub struct Trovato<'a> {
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: &'a Valori,
    /// The case, in the words of the Soglia operation.
    pub caso: Caso,
}

/// Why an attestation gives no indicator of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assente {
    /// The person has no indicator of this kind.
    Nessuno,
    /// The person has one, but it cannot be computed: data are missing.
    NonCalcolabile,
}

impl Attestazione {
    /// A person's indicator of a kind. For social and health services and for doctoral students it is the
    /// indicator of their restricted nucleus, or else the ordinary one.
    pub fn indicatore(&self, tipo: TipoIndicatore, persona: &CodiceFiscale) -> Result<Trovato<'_>, Assente> {
        if !self.riguarda(persona) {
            return Err(Assente::Nessuno);
        }
        match tipo {
            TipoIndicatore::Ordinario => self.base(Caso::Ordinario),
            TipoIndicatore::SocioSanitario => self.ristretto_o_base(persona, Caso::Sociosanitario),
            TipoIndicatore::Dottorato => self.ristretto_o_base(persona, Caso::Dottorato),
            TipoIndicatore::Minorenne => self.minorenne(persona),
            TipoIndicatore::Universitario => self.universitario(persona),
            TipoIndicatore::Residenziale => match self.ridotto_di(persona) {
                Some(Ridotto {
                    isee_socio_san_res_ristretto: Some(each),
                    isee_ristretto,
                    ..
                }) => residenziale_ristretto(each, isee_ristretto.as_ref()),
                _ => self.residenziale(persona),
            },
        }
    }

    /// The ordinary ISEE, for an indicator that is equal to it.
    fn base(&self, caso: Caso) -> Result<Trovato<'_>, Assente> {
        let ordinario = self.ordinario.as_ref().ok_or(Assente::Nessuno)?;
        found(&ordinario.isee_ordinario.valori, caso)
    }

    /// The restricted nucleus of this beneficiary.
    fn ridotto_di(&self, persona: &CodiceFiscale) -> Option<&Ridotto> {
        self.ridotto
            .iter()
            .find(|ridotto| ridotto.codice_fiscale_beneficiario == *persona)
    }

    /// The ISEE of the person's restricted nucleus; without one, the ordinary ISEE.
    fn ristretto_o_base(&self, persona: &CodiceFiscale, caso: Caso) -> Result<Trovato<'_>, Assente> {
        let own = self.ridotto_di(persona);
        match own.and_then(|ridotto| ridotto.isee_ristretto.as_ref()) {
            Some(ristretto) => found(&ristretto.valori, caso),
            None => self.base(Caso::Ordinario),
        }
    }

    fn minorenne(&self, persona: &CodiceFiscale) -> Result<Trovato<'_>, Assente> {
        let all = self
            .ordinario
            .as_ref()
            .and_then(|ordinario| ordinario.isee_min.as_ref());
        let mut minors = all.into_iter().flat_map(|min| &min.componente_minorenne);
        let minor = minors
            .find(|minor| minor.codice_fiscale == *persona)
            .ok_or(Assente::Nessuno)?;
        match &minor.esito {
            EsitoMinorenne::Ordinario(_) => self.base(Caso::MinorenneOrdinario),
            EsitoMinorenne::Attratta(each) => found(&each.valori, Caso::MinorenneAttratta),
            EsitoMinorenne::Aggiuntiva(each) => found(&each.valori, Caso::MinorenneAggiuntiva),
            EsitoMinorenne::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
        }
    }

    fn universitario(&self, persona: &CodiceFiscale) -> Result<Trovato<'_>, Assente> {
        use EsitoUniversitario as Esito;
        let all = self
            .ordinario
            .as_ref()
            .and_then(|ordinario| ordinario.isee_uni.as_ref());
        let mut students = all.into_iter().flat_map(|uni| &uni.studente_universitario);
        let student = students
            .find(|student| student.codice_fiscale == *persona)
            .ok_or(Assente::Nessuno)?;
        match &student.esito {
            Esito::Ordinario(_) => self.base(Caso::UniversitarioOrdinario),
            Esito::Attratta(each) => found(&each.valori, Caso::UniversitarioAttratta),
            Esito::Aggiuntiva(each) => found(&each.valori, Caso::UniversitarioAggiuntiva),
            Esito::StudenteAttratto(each) => found(&each.valori, Caso::UniversitarioStudente),
            Esito::StudenteAttrattoCompAttratta(each) => {
                found(&each.valori, Caso::UniversitarioStudenteAttratta)
            }
            Esito::StudenteAttrattoCompAggiuntiva(each) => {
                found(&each.valori, Caso::UniversitarioStudenteAggiuntiva)
            }
            Esito::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
        }
    }

    /// The residential indicator of a member of the ordinary nucleus.
    fn residenziale(&self, persona: &CodiceFiscale) -> Result<Trovato<'_>, Assente> {
        use EsitoResidenziale as Esito;
        let ordinario = self.ordinario.as_ref();
        let all = ordinario.and_then(|ordinario| ordinario.isee_socio_san_res.as_ref());
        let mut beneficiaries = all
            .into_iter()
            .flat_map(|all| &all.componente_socio_sanitarie_res);
        let each = beneficiaries
            .find(|each| each.codice_fiscale == *persona)
            .ok_or(Assente::Nessuno)?;
        match &each.esito {
            Esito::Ordinario(_) => self.base(Caso::ResidenzialeSenza),
            Esito::Residenziale(each) => found(&each.valori, Caso::ResidenzialeSenza),
            Esito::OrdinarioAgg(each) => found(&each.valori, Caso::ResidenzialeCon),
            Esito::ResidenzialeAgg(each) => found(&each.valori, Caso::ResidenzialeCon),
            Esito::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
        }
    }

    /// This attestation under the schema of 2021: without ISEEFamiglia.
    #[must_use]
    pub fn senza_isee_famiglia(mut self) -> Self {
        if let Some(ordinario) = &mut self.ordinario {
            ordinario.isee_famiglia = None;
        }
        self
    }

    /// Whether a person is a member of the family or of a restricted nucleus.
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

    /// The kinds of indicator computed for a person.
    pub fn indicatori(&self, persona: &CodiceFiscale) -> Vec<TipoIndicatore> {
        let all = TipoIndicatore::ALL
            .iter()
            .filter_map(|code| TipoIndicatore::from_code(code));
        all.filter(|tipo| self.indicatore(*tipo, persona).is_ok())
            .collect()
    }
}

fn found(valori: &Valori, caso: Caso) -> Result<Trovato<'_>, Assente> {
    Ok(Trovato { valori, caso })
}

/// The residential indicator of the beneficiary of a restricted nucleus.
fn residenziale_ristretto<'a>(
    each: &'a IseeSocioSanResRistretto,
    ristretto: Option<&'a IseeRistretto>,
) -> Result<Trovato<'a>, Assente> {
    use EsitoResidenzialeRistretto as Esito;
    match &each.componente_socio_sanitarie_res.esito {
        Esito::Ristretto(_) => {
            let ristretto = ristretto.ok_or(Assente::Nessuno)?;
            found(&ristretto.valori, Caso::ResidenzialeRidottoSenza)
        }
        Esito::Residenziale(each) => found(&each.valori, Caso::ResidenzialeRidottoSenza),
        Esito::RistrettoAgg(each) => found(&each.valori, Caso::ResidenzialeRidottoCon),
        Esito::ResidenzialeAgg(each) => found(&each.valori, Caso::ResidenzialeRidottoCon),
        Esito::NonCalcolabile(_) => Err(Assente::NonCalcolabile),
    }
}
