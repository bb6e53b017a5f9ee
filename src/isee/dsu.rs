//! The DSU as it is laid out: one field for each element and attribute of the schema, in its order. A
//! member's sheet is in [`foglio`](super::foglio). What the fields mean together is the affair of the
//! [checks](super::checks) and of the [computation](super::compute).

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::codes::{
    CondizioneEsclusione, PresenzaGenitori, Relazione, Residente, Ruolo, TipoAbitazione, TipoImmobile,
    TipoModello, TipoOperazione, TipoVariazione,
};
use super::codice_fiscale::CodiceFiscale;
use super::foglio::{
    AltriRedditi, DatiAnagrafici, FoglioComponente, Indirizzo, PatrimonioImmobiliare, PatrimonioMobiliare,
};

/// A DSU: Dichiarazione Sostitutiva Unica (DPCM 159/2013 art. 10).
#[derive(Clone, PartialEq)]
pub struct Dichiarazione {
    /// Of the declarant.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// What the declaration does.
    pub operazione: Operazione,
    /// The family.
    pub nucleo_familiare: Option<NucleoFamiliare>,
    /// The basic forms: one ordinary, any number of restricted.
    pub modello_base: Vec<ModelloBase>,
    /// Operation A: an additional component.
    pub integrazione_componente_aggiuntiva: Option<IntegrazioneComponenteAggiuntiva>,
    /// Operation I: incomes.
    pub integrazione_redditi: Option<IntegrazioneRedditi>,
    /// Operation S: residential data.
    pub integrazione_residenziale: Option<IntegrazioneResidenziale>,
    /// The current ISEE: what changed.
    pub isee_corrente: Option<IseeCorrente>,
    /// The signatures.
    pub sottoscrizione: Vec<Sottoscrizione>,
}

/// What a declaration does, and to which DSU.
#[derive(Clone, PartialEq)]
pub struct Operazione {
    /// Which kind.
    pub tipo: TipoOperazione,
    /// Of the declarant of the DSU referred to.
    pub codice_fiscale_riferimento: Option<CodiceFiscale>,
    /// Protocol of the DSU referred to.
    pub numero_protocollo_riferimento: Option<String>,
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
    /// Whether the member, a minor, has neither income nor assets.
    pub flag_assenza_reddito: bool,
    /// The member's sheet.
    pub foglio_componente_nucleo: FoglioComponente,
}

/// A basic form.
#[derive(Clone, PartialEq)]
pub struct ModelloBase {
    /// Which kind.
    pub tipo: TipoModello,
    /// The restricted nucleus.
    pub nucleo_ristretto: Option<NucleoRistretto>,
    /// Conditions of the nucleus that move the scale.
    pub condizioni_nucleo: Option<CondizioniNucleo>,
    /// Where the nucleus lives.
    pub abitazione: Abitazione,
    /// Students.
    pub universitario: Vec<Universitario>,
    /// Parents who live elsewhere.
    pub genitore_non_convivente: Vec<GenitoreNonConvivente>,
    /// For residential services.
    pub residenziale: Vec<Residenziale>,
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
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// Whether this member is the beneficiary.
    pub flag_beneficiario: bool,
    /// What the member is to the beneficiary.
    pub relazione_con_beneficiario: Relazione,
}

/// Conditions of a nucleus that move the scale.
#[derive(Clone, PartialEq)]
pub struct CondizioniNucleo {
    /// Whether both parents, or the only one, worked at least six months.
    pub flag_lavoro_genitori: bool,
    /// Whether the nucleus is made of a lone parent and minors.
    pub flag_unico_genitore: bool,
    /// How many children, where they are three or more.
    pub numero_figli: Option<u32>,
    /// How many of them live with the family.
    pub numero_figli_conviventi: Option<u32>,
}

/// A student.
#[derive(Clone, PartialEq)]
pub struct Universitario {
    /// Of the beneficiary.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Where the student's parents are.
    pub presenza_genitori: PresenzaGenitori,
    /// Whether the student has lived out of the family's home for two years.
    pub flag_residenza_studente: Option<bool>,
    /// Whether the student has an adequate income.
    pub flag_capacita_reddito_studente: Option<bool>,
    /// Of the parent.
    pub codice_fiscale_genitore: Option<CodiceFiscale>,
    /// Protocol of the parent's DSU.
    pub numero_protocollo_rif_genitore: Option<String>,
}

/// A parent, not married to the other, who lives elsewhere.
#[derive(Clone, PartialEq)]
pub struct GenitoreNonConvivente {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// Whether the parent is not counted: maintenance by court order, excluded from authority, or found
    /// extraneous.
    pub flag_genitore_escluso: bool,
    /// Whether the parent is married to another person, or has children by another.
    pub flag_coniugato_con_persona_diversa: bool,
    /// Whether no condition applies: the parent is attracted.
    pub flag_alcuna_condizione: bool,
    /// The children concerned.
    pub beneficiario: Vec<Beneficiario>,
    /// Where a parent's data are: in a DSU of its own, or here.
    pub dati: Option<DatiGenitore>,
}

/// A child whose parent lives elsewhere.
#[derive(Clone, PartialEq)]
pub struct Beneficiario {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
}

/// Where a parent's data are: in a DSU of its own, or here.
#[derive(Clone, PartialEq)]
pub enum DatiGenitore {
    /// Protocol of the DSU referred to.
    Protocollo(String),
    /// The data themselves.
    Dettaglio(Box<DettaglioGenitoreNonConvivente>),
}

/// A parent's data.
#[derive(Clone, PartialEq)]
pub struct DettaglioGenitoreNonConvivente {
    /// The parent's sheet.
    pub foglio_componente_genitore: Option<FoglioComponente>,
    /// What the parent's component is computed from.
    pub componente_aggiuntiva_genitore: ComponenteAggiuntiva,
}

/// Operation A.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneComponenteAggiuntiva {
    /// The component that completes the DSU.
    pub componente_per_integrazione_aggiuntiva: ComponentePerIntegrazioneAggiuntiva,
}

/// An additional component that completes a DSU.
#[derive(Clone, PartialEq)]
pub struct ComponentePerIntegrazioneAggiuntiva {
    /// The sheet of the additional component.
    pub foglio_componente_aggiuntiva: FoglioComponente,
    /// What the additional component is computed from.
    pub componente_aggiuntiva: ComponenteAggiuntiva,
}

/// Operation I.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneRedditi {
    /// The members whose incomes are completed.
    pub componente_per_integrazione_redditi: Vec<ComponentePerIntegrazioneRedditi>,
}

/// Incomes that complete a member's.
#[derive(Clone, PartialEq)]
pub struct ComponentePerIntegrazioneRedditi {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// Whether an income document proves it.
    pub flag_doc_redditi: Option<bool>,
    /// Whether another document proves it.
    pub flag_doc_altro: Option<bool>,
    /// Which other document.
    pub desc_doc_altro: Option<String>,
    /// The incomes.
    pub redditi: AltriRedditi,
}

/// Operation S.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneResidenziale {
    /// The residential data that complete the DSU.
    pub componente_per_integrazione_residenziale: Vec<Residenziale>,
}

/// Operation C: what changed.
#[derive(Clone, PartialEq)]
pub struct IseeCorrente {
    /// What changed, for whom.
    pub variazione: Vec<Variazione>,
}

/// A change.
#[derive(Clone, PartialEq)]
pub struct Variazione {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// What changed.
    pub tipo_variazione: TipoVariazione,
    /// When the situation changed.
    pub data_variazione: Option<Date>,
    /// Employee income of the last twelve months, whole euros.
    pub reddito_dipendente_12_mesi: Option<u32>,
    /// Self-employed income of the last twelve months, whole euros.
    pub reddito_autonomo_12_mesi: Option<u32>,
    /// Treatments of the last twelve months, whole euros.
    pub trattamenti_assistenziali_12_mesi: Option<u32>,
    /// Employee income of the last two months, whole euros.
    pub reddito_dipendente_2_mesi: Option<u32>,
    /// Self-employed income of the last two months, whole euros.
    pub reddito_autonomo_2_mesi: Option<u32>,
    /// Treatments of the last two months, whole euros.
    pub trattamenti_assistenziali_2_mesi: Option<u32>,
    /// The documents that prove it.
    pub documentazione: Option<String>,
    /// Protocol of the DSU that the current ISEE rests on.
    pub protocollo_inps_dsu_corrente: Option<String>,
    /// Sheet FC2: movable assets.
    pub patrimonio_mobiliare: Option<PatrimonioMobiliare>,
    /// Sheet FC3: real estate.
    pub patrimonio_immobiliare: Option<PatrimonioImmobiliare>,
}

/// A signature.
#[derive(Clone, PartialEq)]
pub struct Sottoscrizione {
    /// Of who signed.
    pub codice_fiscale_sottoscrittore: CodiceFiscale,
    /// The sender's own protocol: at most 29 characters.
    pub protocollo_mittente: String,
    /// Where it was signed.
    pub luogo_sottoscrizione: String,
    /// When it was signed: for one transmitted by a CAF, the day of presentation.
    pub data_sottoscrizione: Date,
    /// Notes of who signed.
    pub note_sottoscrizione: Option<String>,
    /// Whether the declarant was hindered and somebody else signed.
    pub flag_impedimento_temporaneo: bool,
    /// Whether a legal representative signed.
    pub flag_rappresentanza_legale: bool,
    /// Whether the attestation is to be sent by certified mail.
    pub flag_pec: bool,
    /// Certified mail address.
    pub indirizzo_pec: Option<String>,
    /// Whether somebody else may collect the attestation.
    pub flag_autorizzazione_ritiro: bool,
    /// Number of the receipt.
    pub numero_ricevuta: Option<String>,
    /// Protocol of the DSU that the current ISEE rests on.
    pub protocollo_inps_dsu_corrente: Option<String>,
    /// Who may collect the attestation.
    pub delegato: Option<Delegato>,
}

/// Who may collect the attestation.
#[derive(Clone, PartialEq)]
pub struct Delegato {
    /// Who the delegate is.
    pub dati_delegato: DatiAnagrafici,
    /// Where the delegate lives.
    pub indirizzo_delegato: Indirizzo,
}

/// Where a nucleus lives.
#[derive(Clone, PartialEq)]
pub struct Abitazione {
    /// By what right the nucleus lives there.
    pub tipo_abitazione: TipoAbitazione,
    /// Whose residence is that of the nucleus.
    pub residenza_riferimento: Option<Residente>,
    /// Address of the home.
    pub indirizzo_abitazione: Indirizzo,
    /// The tenancy contract.
    pub locazione: Option<Locazione>,
}

/// A tenancy contract.
#[derive(Clone, PartialEq)]
pub struct Locazione {
    /// Date of registration of the contract.
    pub data: Date,
    /// Series of registration of the contract.
    pub serie: String,
    /// Number of registration of the contract.
    pub numero: String,
    /// Office of the Revenue Agency where the contract is registered.
    pub cod_ufficio: String,
    /// Yearly rent, euros.
    pub canone: u32,
    /// In whose name the contract is.
    pub intestatario: Vec<Intestatario>,
}

/// A tenant named in the contract.
#[derive(Clone, PartialEq)]
pub struct Intestatario {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
}

/// What an additional component is computed from (DPCM 159/2013 All. 2).
#[derive(Clone, PartialEq)]
pub struct ComponenteAggiuntiva {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// Whether the data are complete.
    pub flag_completezza_dati: bool,
    /// Where the additional component lives.
    pub abitazione_componente_aggiuntiva: Option<Abitazione>,
    /// The nucleus of the additional component.
    pub nucleo_familiare_componente_aggiuntiva: Option<NucleoComponenteAggiuntiva>,
}

/// The nucleus of an additional component, in numbers.
#[derive(Clone, PartialEq)]
pub struct NucleoComponenteAggiuntiva {
    /// How many members.
    pub numero_componenti: u32,
    /// Whether the parents work.
    pub flag_attivita_lavorativa: bool,
    /// Whether there is only one parent.
    pub flag_genitore_solo: bool,
    /// Whether there are minors.
    pub flag_presenza_minorenne: bool,
    /// How many children, where they are three or more.
    pub numero_figli: Option<u32>,
    /// How many of them live with the family.
    pub numero_figli_conviventi: Option<u32>,
    /// Whether there are members in residential care.
    pub flag_presenza_ricoverato: bool,
    /// How many live in residential care.
    pub numero_ricoverati: Option<u32>,
    /// Whether there are members in a registered community.
    pub flag_presenza_convivente: bool,
    /// How many live in a registered community.
    pub numero_conviventi: Option<u32>,
    /// Whether there are members with medium disability.
    pub flag_disabilita_media: bool,
    /// How many with medium disability.
    pub numero_disabili_media: Option<u32>,
    /// How many of them are minors.
    pub numero_disabili_media_minorenni: Option<u32>,
    /// Whether there are members with severe disability.
    pub flag_disabilita_grave: bool,
    /// How many with severe disability.
    pub numero_disabili_grave: Option<u32>,
    /// How many of them are minors.
    pub numero_disabili_grave_minorenni: Option<u32>,
    /// Whether there are members who are not self-sufficient.
    pub flag_non_autosufficienti: bool,
    /// How many are not self-sufficient.
    pub numero_non_autosuff: Option<u32>,
    /// How many of them are minors.
    pub numero_non_autosuff_minorenni: Option<u32>,
}

/// What the indicator for residential services needs.
#[derive(Clone, PartialEq)]
pub struct Residenziale {
    /// Of the beneficiary.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// When admission was first asked.
    pub data_richiesta_ricovero: Date,
    /// Whether there are children outside the nucleus.
    pub flag_figli_non_compresi: bool,
    /// Whether real estate was given away.
    pub flag_donazioni: bool,
    /// Whether it was given after the request.
    pub flag_donazioni_successive: Option<bool>,
    /// Whether it was given within three years before the request, to who is bound to maintenance.
    pub flag_donazioni_precedenti_alimenti: Option<bool>,
    /// Whether it was given before the request, to others.
    pub flag_donazioni_precedenti_no_alimenti: Option<bool>,
    /// Children outside the nucleus.
    pub figlio_non_compreso_nel_nucleo: Vec<FiglioNonCompresoNelNucleo>,
    /// The real estate given away.
    pub donazione: Vec<Donazione>,
}

/// A child outside the nucleus.
#[derive(Clone, PartialEq)]
pub struct FiglioNonCompresoNelNucleo {
    /// Whose it is, as it was sent.
    pub codice_fiscale: CodiceFiscale,
    /// Why the child is left out.
    pub condizione_esclusione: Option<CondizioneEsclusione>,
    /// The document that proves the exclusion.
    pub estremi_esclusione: Option<String>,
    /// Where a child's data are: in a DSU of its own, or here.
    pub dati: Option<DatiFiglio>,
}

/// Where a child's data are: in a DSU of its own, or here.
#[derive(Clone, PartialEq)]
pub enum DatiFiglio {
    /// Protocol of the DSU referred to.
    Protocollo(String),
    /// The data themselves.
    Dettaglio(Box<DettaglioFiglio>),
}

/// A child's data.
#[derive(Clone, PartialEq)]
pub struct DettaglioFiglio {
    /// The child's sheet.
    pub foglio_componente_figlio: Option<FoglioComponente>,
    /// What the child's component is computed from.
    pub componente_aggiuntiva_figlio: ComponenteAggiuntiva,
}

/// Real estate given away.
#[derive(Clone, PartialEq)]
pub struct Donazione {
    /// Building or land.
    pub tipo_immobile: TipoImmobile,
    /// Cadastral code of the municipality, or of the foreign country.
    pub codice_comune_stato: String,
    /// Share owned, percent.
    pub quota_posseduta: Decimal,
    /// Share that was given, percent.
    pub quota_donata: Decimal,
    /// Value for IMU, for the owned share, whole euros.
    pub valore_imu: u32,
    /// Of who received the gift.
    pub codice_fiscale_ricevente: CodiceFiscale,
}
