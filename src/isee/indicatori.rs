//! The layout of the indicators other than the ordinary one in an attestation (DPCM 159/2013 art. 6, 7, 8).
//! Some names are misspelled in the contract; they are spelled so on the wire.

use jiff::civil::Date;

use super::codes::{Importo, Ruolo, Vuoto};
use super::codice_fiscale::CodiceFiscale;
use super::valori::{ModalitaCalcolo, Valori};

/// The indicators of the minors.
#[derive(Clone, PartialEq)]
pub struct IseeMin {
    /// The minors of the nucleus.
    pub componente_minorenne: Vec<ComponenteMinorenne>,
}

/// A minor of the nucleus, with the applicable ISEE.
#[derive(Clone, PartialEq)]
pub struct ComponenteMinorenne {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The minor's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// The minor's ISEE, components included, euros. `None`: it cannot be computed.
    pub isee: Option<Importo>,
    /// The ISEE applicable to the minor (DPCM 159/2013 art. 7).
    pub esito: EsitoMinorenne,
}

/// The ISEE applicable to a minor (DPCM 159/2013 art. 7).
#[derive(Clone, PartialEq)]
pub enum EsitoMinorenne {
    /// The ordinary one applies.
    Ordinario(Vuoto),
    /// With an attracted parent.
    Attratta(Box<ValoriMinAttr>),
    /// With an additional component.
    Aggiuntiva(Box<ValoriMinAgg>),
    /// Cannot be computed: data are missing.
    NonCalcolabile(Vuoto),
}

/// A minor's indicator with an attracted parent.
#[derive(Clone, PartialEq)]
pub struct ValoriMinAttr {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The other parent, attracted into the nucleus.
    pub componente_attratta: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_min_attr: ModalitaCalcolo,
}

/// A minor's indicator with an additional component.
#[derive(Clone, PartialEq)]
pub struct ValoriMinAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional component (the name is misspelled in the contract).
    pub componente_agguntiva: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed (the name is misspelled in the contract).
    pub modalita_calcolo_isee_min_aggr: ModalitaCalcolo,
}

/// The indicators of the students.
#[derive(Clone, PartialEq)]
pub struct IseeUni {
    /// The students of the nucleus.
    pub studente_universitario: Vec<StudenteUniversitario>,
}

/// A student, with the applicable ISEE.
#[derive(Clone, PartialEq)]
pub struct StudenteUniversitario {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The student's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// The student's ISEE, components included, euros. `None`: it cannot be computed.
    pub isee: Option<Importo>,
    /// The ISEE applicable to the student (DPCM 159/2013 art. 8).
    pub esito: EsitoUniversitario,
}

/// The ISEE applicable to a student (DPCM 159/2013 art. 8).
#[derive(Clone, PartialEq)]
pub enum EsitoUniversitario {
    /// The ordinary one applies.
    Ordinario(Vuoto),
    /// With an attracted parent.
    Attratta(Box<ValoriUniAttr>),
    /// With an additional component.
    Aggiuntiva(Box<ValoriUniAgg>),
    /// The student attracted into the parents' nucleus.
    StudenteAttratto(Box<ValoriUniStudAttratto>),
    /// The student attracted, and the other parent too.
    StudenteAttrattoCompAttratta(Box<ValoriUniStudCompAttratta>),
    /// The student attracted, and the other parent's additional component.
    StudenteAttrattoCompAggiuntiva(Box<ValoriUniStudCompAggiuntiva>),
    /// Cannot be computed: data are missing.
    NonCalcolabile(Vuoto),
}

/// A student's indicator with an attracted parent.
#[derive(Clone, PartialEq)]
pub struct ValoriUniAttr {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The other parent, attracted into the nucleus.
    pub componente_attratta: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_uni_attr: ModalitaCalcolo,
}

/// A student's indicator with an additional component.
#[derive(Clone, PartialEq)]
pub struct ValoriUniAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional component (the name is misspelled in the contract).
    pub componente_agguntiva: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_uni_agg: ModalitaCalcolo,
}

/// The indicator of a student attracted into the parents' nucleus.
#[derive(Clone, PartialEq)]
pub struct ValoriUniStudAttratto {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The parents' nucleus, joined by the student.
    pub nucleo_familiare_attratto: NucleoFamiliareAttratto,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_uni_stud_att: ModalitaCalcolo,
}

/// The nucleus joined by an attracted student.
#[derive(Clone, PartialEq)]
pub struct NucleoFamiliareAttratto {
    /// The members of this nucleus.
    pub elemento_nucleo_attratto: Vec<ElementoNucleoAttratto>,
}

/// A member of the nucleus joined by an attracted student.
#[derive(Clone, PartialEq)]
pub struct ElementoNucleoAttratto {
    /// The member's role toward the declarant.
    pub rapporto_con_dichiarante: Ruolo,
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The member's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
}

/// The indicator of a student attracted into a parent's nucleus, with the other parent attracted too.
#[derive(Clone, PartialEq)]
pub struct ValoriUniStudCompAttratta {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The parent's nucleus, joined by the student.
    pub nucleo_familiare_attratto: NucleoFamiliareAttratto,
    /// The other parent, attracted into the nucleus.
    pub componente_attratta: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_uni_stud_attratto_comp_attratta: ModalitaCalcolo,
}

/// The indicator of a student attracted into a parent's nucleus, with the other parent's additional
/// component.
#[derive(Clone, PartialEq)]
pub struct ValoriUniStudCompAggiuntiva {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The parent's nucleus, joined by the student.
    pub nucleo_familiare_attratto: NucleoFamiliareAttratto,
    /// The other parent's additional component.
    pub componente_aggiuntiva: CompAggiuntiva,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_uni_stud_attratto_comp_aggiuntiva: ModalitaCalcolo,
}

/// The indicators for residential services.
#[derive(Clone, PartialEq)]
pub struct IseeSocioSanRes {
    /// The beneficiaries of residential services.
    pub componente_socio_sanitarie_res: Vec<ComponenteResidenziale>,
}

/// A beneficiary of residential services, with the applicable ISEE.
#[derive(Clone, PartialEq)]
pub struct ComponenteResidenziale {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The beneficiary's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// The beneficiary's ISEE, components included, euros. `None`: it cannot be computed.
    pub isee: Option<Importo>,
    /// The ISEE for residential services, in the ordinary nucleus (DPCM 159/2013 art. 6 c. 3).
    pub esito: EsitoResidenziale,
}

/// The ISEE for residential services, in the ordinary nucleus (DPCM 159/2013 art. 6 c. 3).
#[derive(Clone, PartialEq)]
pub enum EsitoResidenziale {
    /// The ordinary one applies.
    Ordinario(Vuoto),
    /// Recomputed for residential services, without additional components.
    Residenziale(Box<ValoriResidenziale>),
    /// The ordinary one with additional components.
    OrdinarioAgg(Box<ValoriOrdinarioAgg>),
    /// Recomputed for residential services, with additional components.
    ResidenzialeAgg(Box<ValoriResidenzialeAgg>),
    /// Cannot be computed: data are missing.
    NonCalcolabile(Vuoto),
}

/// The indicator recomputed for residential services.
#[derive(Clone, PartialEq)]
pub struct ValoriResidenziale {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_socio_san_res_res: ModalitaCalcolo,
}

/// The ordinary indicator with additional components.
#[derive(Clone, PartialEq)]
pub struct ValoriOrdinarioAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional components (the name is misspelled in the contract).
    pub componente_agguntiva: Vec<CompAggiuntiva>,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ord_agg: ModalitaCalcolo,
}

/// The indicator recomputed for residential services, with additional components.
#[derive(Clone, PartialEq)]
pub struct ValoriResidenzialeAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional components (the name is misspelled in the contract).
    pub componente_agguntiva: Vec<CompAggiuntiva>,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed (the name is misspelled in the contract).
    pub modalita_calcolo_iisee_socio_san_res_agg: ModalitaCalcolo,
}

/// The indicators for residential services, restricted nucleus.
#[derive(Clone, PartialEq)]
pub struct IseeSocioSanResRistretto {
    /// The beneficiary of the restricted nucleus.
    pub componente_socio_sanitarie_res: ComponenteResidenzialeRistretto,
}

/// The beneficiary of residential services in a restricted nucleus, with the applicable ISEE.
#[derive(Clone, PartialEq)]
pub struct ComponenteResidenzialeRistretto {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The beneficiary's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// The beneficiary's ISEE, components included, euros. `None`: it cannot be computed.
    pub isee: Option<Importo>,
    /// The ISEE for residential services, in the restricted nucleus (DPCM 159/2013 art. 6 c. 3).
    pub esito: EsitoResidenzialeRistretto,
}

/// The ISEE for residential services, in the restricted nucleus (DPCM 159/2013 art. 6 c. 3).
#[derive(Clone, PartialEq)]
pub enum EsitoResidenzialeRistretto {
    /// The indicator of the restricted nucleus.
    Ristretto(Vuoto),
    /// Recomputed for residential services, restricted nucleus, without additional components.
    Residenziale(Box<ValoriResidenzialeRistretto>),
    /// The restricted one with additional components.
    RistrettoAgg(Box<ValoriRistrettoAgg>),
    /// Recomputed for residential services, restricted nucleus, with additional components.
    ResidenzialeAgg(Box<ValoriResidenzialeRistrettoAgg>),
    /// Cannot be computed: data are missing.
    NonCalcolabile(Vuoto),
}

/// The restricted indicator recomputed for residential services.
#[derive(Clone, PartialEq)]
pub struct ValoriResidenzialeRistretto {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_socio_san_res_ristretto: ModalitaCalcolo,
}

/// The restricted indicator with additional components.
#[derive(Clone, PartialEq)]
pub struct ValoriRistrettoAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional components (the name is misspelled in the contract).
    pub componente_agguntiva: Vec<CompAggiuntiva>,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_ristretto_agg: ModalitaCalcolo,
}

/// The restricted indicator recomputed for residential services, with additional components.
#[derive(Clone, PartialEq)]
pub struct ValoriResidenzialeRistrettoAgg {
    /// When the indicator was issued.
    pub data_rilascio: Date,
    /// The additional components (the name is misspelled in the contract).
    pub componente_agguntiva: Vec<CompAggiuntiva>,
    /// ISE, scale, ISEE, ISR and ISP.
    pub valori: Valori,
    /// How it was computed.
    pub modalita_calcolo_isee_socio_san_res_ristretto_agg: ModalitaCalcolo,
}

/// A component from outside the nucleus.
#[derive(Clone, PartialEq)]
pub struct CompAggiuntiva {
    /// The person and the component's value.
    pub componente_attratta_aggiuntiva: ComponenteAttrattaAggiuntiva,
}

/// A person outside the nucleus, and the addition to its ISEE.
#[derive(Clone, PartialEq)]
pub struct ComponenteAttrattaAggiuntiva {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// The person's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Protocol of the DSU with the data of a person attracted into the nucleus. `None` for an additional
    /// component.
    pub protocollo_dsu_riferimento: Option<String>,
    /// The component's value, euros. `None` for a person attracted into the nucleus.
    pub valore_componente_aggiuntiva: Option<Importo>,
    /// Protocol of the DSU behind the additional component.
    pub protocollo_dsu_componente_aggiuntiva: Option<String>,
    /// Sender's protocol of the DSU behind the additional component.
    pub protocollo_mittente_componente_aggiuntiva: Option<String>,
}
