//! The layout of the DSU: one field for each element and attribute of the schema, in its order. A member's
//! sheet is in [`foglio`](super::foglio). The [checks](super::checks) and the [computation](super::compute)
//! deal with the meaning of the fields together.

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
    /// The declarant's codice fiscale, as sent.
    pub codice_fiscale_dichiarante: CodiceFiscale,
    /// The operation of the declaration.
    pub operazione: Operazione,
    /// The family. Operations other than N and R have none (K03).
    pub nucleo_familiare: Option<NucleoFamiliare>,
    /// The basic forms: one ordinary, any number of restricted.
    pub modello_base: Vec<ModelloBase>,
    /// Operation A only: an additional component.
    pub integrazione_componente_aggiuntiva: Option<IntegrazioneComponenteAggiuntiva>,
    /// Operation I only: incomes of persons in the DSU.
    pub integrazione_redditi: Option<IntegrazioneRedditi>,
    /// Operation S only: residential data.
    pub integrazione_residenziale: Option<IntegrazioneResidenziale>,
    /// Operation C only: the changes behind the current ISEE.
    pub isee_corrente: Option<IseeCorrente>,
    /// The signatures; the schema asks for at least one.
    pub sottoscrizione: Vec<Sottoscrizione>,
}

/// The operation of a declaration, and the DSU referred to.
#[derive(Clone, PartialEq)]
pub struct Operazione {
    /// Code of the operation; `N` is a new DSU.
    pub tipo: TipoOperazione,
    /// Codice fiscale of the declarant of the DSU referred to.
    pub codice_fiscale_riferimento: Option<CodiceFiscale>,
    /// Protocol of the DSU referred to.
    pub numero_protocollo_riferimento: Option<String>,
}

/// The family, as a list of its members.
#[derive(Clone, PartialEq)]
pub struct NucleoFamiliare {
    /// The members, the declarant among them (K04).
    pub componente_nucleo: Vec<ComponenteNucleo>,
}

/// A member of the nucleus.
#[derive(Clone, PartialEq)]
pub struct ComponenteNucleo {
    /// The member's role toward the declarant.
    pub rapporto_con_dichiarante: Ruolo,
    /// Whether the member, a minor, has neither income nor assets.
    pub flag_assenza_reddito: bool,
    /// All the data declared of the member.
    pub foglio_componente_nucleo: FoglioComponente,
}

/// A basic form, for the ordinary nucleus or a restricted one.
#[derive(Clone, PartialEq)]
pub struct ModelloBase {
    /// `ORD`: the ordinary nucleus; `RID`: a restricted one.
    pub tipo: TipoModello,
    /// The restricted nucleus: present in a form `RID`, absent in `ORD` (K16).
    pub nucleo_ristretto: Option<NucleoRistretto>,
    /// Conditions of the nucleus with an effect on the scale.
    pub condizioni_nucleo: Option<CondizioniNucleo>,
    /// Where the nucleus lives.
    pub abitazione: Abitazione,
    /// The students of the nucleus (K13).
    pub universitario: Vec<Universitario>,
    /// Parents living elsewhere (K14).
    pub genitore_non_convivente: Vec<GenitoreNonConvivente>,
    /// The beneficiaries of residential services (K15).
    pub residenziale: Vec<Residenziale>,
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
    /// The member's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Whether this member is the beneficiary.
    pub flag_beneficiario: bool,
    /// The member's relation to the beneficiary.
    pub relazione_con_beneficiario: Relazione,
}

/// Conditions of a nucleus with an effect on the scale.
#[derive(Clone, PartialEq)]
pub struct CondizioniNucleo {
    /// Whether both parents, or the only one, worked at least six months.
    pub flag_lavoro_genitori: bool,
    /// Whether the nucleus consists of a lone parent and minors.
    pub flag_unico_genitore: bool,
    /// Number of children, if three or more.
    pub numero_figli: Option<u32>,
    /// Number of these children living with the family.
    pub numero_figli_conviventi: Option<u32>,
}

/// A student of the nucleus, and where the parents are.
#[derive(Clone, PartialEq)]
pub struct Universitario {
    /// The student's codice fiscale, as sent.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// Where the student's parents are.
    pub presenza_genitori: PresenzaGenitori,
    /// Whether the student has lived out of the family's home for two years.
    pub flag_residenza_studente: Option<bool>,
    /// Whether the student has an adequate income.
    pub flag_capacita_reddito_studente: Option<bool>,
    /// The parent's codice fiscale, as sent.
    pub codice_fiscale_genitore: Option<CodiceFiscale>,
    /// Protocol of the parent's DSU.
    pub numero_protocollo_rif_genitore: Option<String>,
}

/// A parent living elsewhere, not married to the other.
#[derive(Clone, PartialEq)]
pub struct GenitoreNonConvivente {
    /// The parent's codice fiscale, as sent.
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
    /// The children of this parent in the nucleus.
    pub beneficiario: Vec<Beneficiario>,
    /// The place of the parent's data: a DSU of their own, or here.
    pub dati: Option<DatiGenitore>,
}

/// A child with a parent living elsewhere.
#[derive(Clone, PartialEq)]
pub struct Beneficiario {
    /// The child's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The place of a parent's data: a DSU of their own, or here.
#[derive(Clone, PartialEq)]
pub enum DatiGenitore {
    /// Protocol of the DSU with the parent's data.
    Protocollo(String),
    /// The parent's data, in this declaration.
    Dettaglio(Box<DettaglioGenitoreNonConvivente>),
}

/// A parent's sheet, home and nucleus.
#[derive(Clone, PartialEq)]
pub struct DettaglioGenitoreNonConvivente {
    /// The parent's sheet; K14 asks for it if the data are called complete.
    pub foglio_componente_genitore: Option<FoglioComponente>,
    /// The parent's home and nucleus, for the additional component.
    pub componente_aggiuntiva_genitore: ComponenteAggiuntiva,
}

/// Operation A: an additional component for a DSU.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneComponenteAggiuntiva {
    /// The component added to the DSU.
    pub componente_per_integrazione_aggiuntiva: ComponentePerIntegrazioneAggiuntiva,
}

/// An additional component for a DSU already sent.
#[derive(Clone, PartialEq)]
pub struct ComponentePerIntegrazioneAggiuntiva {
    /// The sheet of the additional component.
    pub foglio_componente_aggiuntiva: FoglioComponente,
    /// The home and the nucleus of the additional component.
    pub componente_aggiuntiva: ComponenteAggiuntiva,
}

/// Operation I: incomes for persons of a DSU.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneRedditi {
    /// The persons with completed incomes: members, and persons outside the nucleus with a sheet in the DSU.
    pub componente_per_integrazione_redditi: Vec<ComponentePerIntegrazioneRedditi>,
}

/// Incomes to complete a person's sheet FC8.
#[derive(Clone, PartialEq)]
pub struct ComponentePerIntegrazioneRedditi {
    /// The person's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Whether an income document proves the incomes.
    pub flag_doc_redditi: Option<bool>,
    /// Whether another document proves the incomes.
    pub flag_doc_altro: Option<bool>,
    /// Description of the other document, if `flag_doc_altro` is set (K03).
    pub desc_doc_altro: Option<String>,
    /// The incomes, as in sheet FC8.
    pub redditi: AltriRedditi,
}

/// Operation S: residential data for a DSU.
#[derive(Clone, PartialEq)]
pub struct IntegrazioneResidenziale {
    /// The residential data, one entry for each beneficiary.
    pub componente_per_integrazione_residenziale: Vec<Residenziale>,
}

/// Operation C: the changes behind a current ISEE.
#[derive(Clone, PartialEq)]
pub struct IseeCorrente {
    /// The changes, one for each person.
    pub variazione: Vec<Variazione>,
}

/// A change in one person's situation.
#[derive(Clone, PartialEq)]
pub struct Variazione {
    /// The person's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Kind of change: `D` for assets alone, `AD` to `CD` for incomes and assets, the others for incomes
    /// alone.
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
    /// The documents proving the change.
    pub documentazione: Option<String>,
    /// Protocol of the DSU under the current ISEE.
    pub protocollo_inps_dsu_corrente: Option<String>,
    /// Sheet FC2: movable assets.
    pub patrimonio_mobiliare: Option<PatrimonioMobiliare>,
    /// Sheet FC3: real estate.
    pub patrimonio_immobiliare: Option<PatrimonioImmobiliare>,
}

/// A signature of the declaration.
#[derive(Clone, PartialEq)]
pub struct Sottoscrizione {
    /// The signatory's codice fiscale, as sent.
    pub codice_fiscale_sottoscrittore: CodiceFiscale,
    /// The sender's own protocol: at most 29 characters.
    pub protocollo_mittente: String,
    /// Where it was signed.
    pub luogo_sottoscrizione: String,
    /// When it was signed: for one transmitted by a CAF, the day of presentation.
    pub data_sottoscrizione: Date,
    /// The signatory's notes.
    pub note_sottoscrizione: Option<String>,
    /// Whether somebody else signed because the declarant was hindered.
    pub flag_impedimento_temporaneo: bool,
    /// Whether a legal representative signed.
    pub flag_rappresentanza_legale: bool,
    /// Whether the attestation is to be sent by certified mail.
    pub flag_pec: bool,
    /// Certified mail address, if `flag_pec` is set (K18).
    pub indirizzo_pec: Option<String>,
    /// Whether somebody else may collect the attestation.
    pub flag_autorizzazione_ritiro: bool,
    /// Number of the receipt.
    pub numero_ricevuta: Option<String>,
    /// Protocol of the DSU under the current ISEE.
    pub protocollo_inps_dsu_corrente: Option<String>,
    /// The delegate for the collection of the attestation.
    pub delegato: Option<Delegato>,
}

/// The delegate for the collection of the attestation.
#[derive(Clone, PartialEq)]
pub struct Delegato {
    /// The delegate's registry data.
    pub dati_delegato: DatiAnagrafici,
    /// Where the delegate lives.
    pub indirizzo_delegato: Indirizzo,
}

/// Where a nucleus lives.
#[derive(Clone, PartialEq)]
pub struct Abitazione {
    /// Title to the home: owned, rented or other.
    pub tipo_abitazione: TipoAbitazione,
    /// The residence of the nucleus: the declarant's or the spouse's. Only with a spouse in it (K08).
    pub residenza_riferimento: Option<Residente>,
    /// Address of the home.
    pub indirizzo_abitazione: Indirizzo,
    /// The tenancy contract: present if the home is rented, else absent (K08).
    pub locazione: Option<Locazione>,
}

/// A tenancy contract, as registered with the Revenue Agency.
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
    /// The tenants named in the contract.
    pub intestatario: Vec<Intestatario>,
}

/// A tenant named in the contract.
#[derive(Clone, PartialEq)]
pub struct Intestatario {
    /// The tenant's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The data behind an additional component (DPCM 159/2013 All. 2).
#[derive(Clone, PartialEq)]
pub struct ComponenteAggiuntiva {
    /// The person's codice fiscale, as sent.
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
    /// Number of members, at least one.
    pub numero_componenti: u32,
    /// Whether the parents work.
    pub flag_attivita_lavorativa: bool,
    /// Whether the nucleus has only one parent.
    pub flag_genitore_solo: bool,
    /// Whether the nucleus has minors.
    pub flag_presenza_minorenne: bool,
    /// Number of children, if three or more.
    pub numero_figli: Option<u32>,
    /// Number of these children living with the family.
    pub numero_figli_conviventi: Option<u32>,
    /// Whether any member lives in residential care.
    pub flag_presenza_ricoverato: bool,
    /// Number of members in residential care.
    pub numero_ricoverati: Option<u32>,
    /// Whether any member lives in a registered community.
    pub flag_presenza_convivente: bool,
    /// Number of members in a registered community.
    pub numero_conviventi: Option<u32>,
    /// Whether any member has a medium disability.
    pub flag_disabilita_media: bool,
    /// Number of members with medium disability.
    pub numero_disabili_media: Option<u32>,
    /// Number of minors among them.
    pub numero_disabili_media_minorenni: Option<u32>,
    /// Whether any member has a severe disability.
    pub flag_disabilita_grave: bool,
    /// Number of members with severe disability.
    pub numero_disabili_grave: Option<u32>,
    /// Number of minors among them.
    pub numero_disabili_grave_minorenni: Option<u32>,
    /// Whether any member is not self-sufficient.
    pub flag_non_autosufficienti: bool,
    /// Number of members not self-sufficient.
    pub numero_non_autosuff: Option<u32>,
    /// Number of minors among them.
    pub numero_non_autosuff_minorenni: Option<u32>,
}

/// The data behind the indicator for residential services.
#[derive(Clone, PartialEq)]
pub struct Residenziale {
    /// The beneficiary's codice fiscale, as sent.
    pub codice_fiscale_beneficiario: CodiceFiscale,
    /// When admission was first asked.
    pub data_richiesta_ricovero: Date,
    /// Whether the beneficiary has children outside the nucleus.
    pub flag_figli_non_compresi: bool,
    /// Whether real estate was given away.
    pub flag_donazioni: bool,
    /// Whether any real estate was given away after the request.
    pub flag_donazioni_successive: Option<bool>,
    /// Whether any was given away within three years before the request, to a person bound to maintenance.
    pub flag_donazioni_precedenti_alimenti: Option<bool>,
    /// Whether any was given away before the request, to others.
    pub flag_donazioni_precedenti_no_alimenti: Option<bool>,
    /// Children outside the nucleus.
    pub figlio_non_compreso_nel_nucleo: Vec<FiglioNonCompresoNelNucleo>,
    /// The real estate given away.
    pub donazione: Vec<Donazione>,
}

/// A child outside the nucleus.
#[derive(Clone, PartialEq)]
pub struct FiglioNonCompresoNelNucleo {
    /// The child's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Reason for leaving the child out; `None` without one.
    pub condizione_esclusione: Option<CondizioneEsclusione>,
    /// The document proving the exclusion.
    pub estremi_esclusione: Option<String>,
    /// The place of the child's data: a DSU of their own, or here.
    pub dati: Option<DatiFiglio>,
}

/// The place of a child's data: a DSU of their own, or here.
#[derive(Clone, PartialEq)]
pub enum DatiFiglio {
    /// Protocol of the DSU with the child's data.
    Protocollo(String),
    /// The child's data, in this declaration.
    Dettaglio(Box<DettaglioFiglio>),
}

/// A child's sheet, home and nucleus.
#[derive(Clone, PartialEq)]
pub struct DettaglioFiglio {
    /// The child's sheet; K15 asks for it if the data are called complete.
    pub foglio_componente_figlio: Option<FoglioComponente>,
    /// The child's home and nucleus, for the additional component.
    pub componente_aggiuntiva_figlio: ComponenteAggiuntiva,
}

/// Real estate given away.
#[derive(Clone, PartialEq)]
pub struct Donazione {
    /// Building, agricultural land or building land.
    pub tipo_immobile: TipoImmobile,
    /// Cadastral code of the municipality, or of the foreign country.
    pub codice_comune_stato: String,
    /// Share owned, percent.
    pub quota_posseduta: Decimal,
    /// Share given away, percent.
    pub quota_donata: Decimal,
    /// Value for IMU, for the owned share, whole euros.
    pub valore_imu: u32,
    /// The recipient's codice fiscale, as sent.
    pub codice_fiscale_ricevente: CodiceFiscale,
}
