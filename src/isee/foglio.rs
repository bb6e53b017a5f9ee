//! A member's sheet (foglio componente): all the data of one person in a DSU.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::codes::{
    Attivita, GradoDisabilita, Sesso, TipoImmobile, TipoOperazione, TipoRapporto, TipoVeicolo,
};
use super::codice_fiscale::CodiceFiscale;

/// A member's sheet: all the data declared of one person.
#[derive(Clone, PartialEq)]
pub struct FoglioComponente {
    /// The person's codice fiscale, as sent.
    pub codice_fiscale: CodiceFiscale,
    /// Registry data and activity.
    pub dati_componente: DatiComponente,
    /// Sheet FC2: movable assets.
    pub patrimonio_mobiliare: Option<PatrimonioMobiliare>,
    /// Sheet FC3: real estate.
    pub patrimonio_immobiliare: Option<PatrimonioImmobiliare>,
    /// Sheet FC4: incomes to be declared.
    pub redditi_da_dichiarare: Option<RedditiDaDichiarare>,
    /// Sheet FC5: periodic payments.
    pub assegni_periodici: Option<AssegniPeriodici>,
    /// Sheet FC6: vehicles.
    pub veicoli: Option<Veicoli>,
    /// Sheet FC7: disability.
    pub disabilita: Option<Disabilita>,
    /// Sheet FC8: incomes of exempt persons, integrations and corrections.
    pub altri_redditi: Option<AltriRedditi>,
}

/// Registry data and activity of a member.
#[derive(Clone, PartialEq)]
pub struct DatiComponente {
    /// Whether the person lives in a registered community.
    pub flag_convivenza_anagrafica: bool,
    /// The person's occupation.
    pub attivita_soggetto: Option<Attivita>,
    /// The person's registry data.
    pub anagrafica: DatiAnagrafici,
    /// Where the person lives.
    pub residenza: Option<Indirizzo>,
}

/// Sheet FC4: incomes to be declared.
#[derive(Clone, PartialEq)]
pub struct RedditiDaDichiarare {
    /// Income under substitute tax, whole euros.
    pub reddito_imp_sost: Option<u32>,
    /// Income exempt from tax, whole euros.
    pub redditi_esenti_imposta: Option<u32>,
    /// Agrarian income from the IRAP return, whole euros.
    pub redditi_irap: Option<u32>,
    /// Land and building income not in the tax return, whole euros.
    pub redditi_fondiari: Option<u32>,
    /// Income taxed abroad only, whole euros.
    pub redditi_tassati_estero: Option<u32>,
    /// Incomes of persons registered abroad (AIRE), whole euros.
    pub redditi_aire: Option<u32>,
    /// Land and building income abroad, whole euros.
    pub redditi_fondiari_estero: Option<u32>,
    /// Treatments of assistance, whole euros.
    pub trattamenti_assistenziali: Option<u32>,
}

/// Sheet FC5: periodic payments.
#[derive(Clone, PartialEq)]
pub struct AssegniPeriodici {
    /// Maintenance received for children, euros a year.
    pub assegni_figli: Option<u32>,
    /// Alimony paid to the spouse, euros a year.
    pub assegni_coniuge: Option<u32>,
    /// Maintenance paid for children living with the other parent, euros a year.
    pub assegni_genitore: Option<u32>,
}

/// Sheet FC6: vehicles.
#[derive(Clone, PartialEq)]
pub struct Veicoli {
    /// Each vehicle or boat.
    pub veicolo: Vec<Veicolo>,
}

/// A vehicle or a boat.
#[derive(Clone, PartialEq)]
pub struct Veicolo {
    /// Kind: car, motorcycle, ship or boat, pleasure craft.
    pub tipo_veicolo: TipoVeicolo,
    /// Registration number: free text in the schema.
    pub targa: String,
}

/// Sheet FC7: disability and its costs.
#[derive(Clone, PartialEq)]
pub struct Disabilita {
    /// Degree: medium, severe, or not self-sufficient.
    pub grado_disabilita: GradoDisabilita,
    /// The ente behind the certificate; K12 refuses an empty one.
    pub ente_certif: String,
    /// Number of the certificate.
    pub doc_certif: String,
    /// Date of the certificate.
    pub data_certif: Date,
    /// Whether the person lives in residential care.
    pub flag_prest_residenziale: bool,
    /// Residential fee paid, whole euros.
    pub retta_versata: Option<u32>,
    /// Expenses of assistance, whole euros.
    pub spese_assistenza: Option<u32>,
}

/// Sheet FC8: incomes of exempt persons, integrations and corrections.
#[derive(Clone, PartialEq)]
pub struct AltriRedditi {
    /// Whether the person is exempt from the tax return.
    pub flag_esonerato: bool,
    /// Whether the incomes complete missing ones.
    pub flag_integrazione: bool,
    /// Whether the incomes correct the Agency's.
    pub flag_rettifica: bool,
    /// Total IRPEF income, whole euros; may be negative.
    pub reddito_irpef: Option<Decimal>,
    /// Income of employees, whole euros.
    pub lavoro_dipendente: Option<u32>,
    /// Income from pensions, whole euros.
    pub pensione: Option<u32>,
    /// Agrarian income, whole euros.
    pub redditi_agrari: Option<u32>,
    /// Income under substitute tax, whole euros.
    pub redditi_imp_sost: Option<u32>,
    /// Treatments of assistance, whole euros; may be negative.
    pub trattamenti_assistenziali: Option<Decimal>,
    /// Expenses deducted from tax, whole euros.
    pub spese_detrazione: Option<u32>,
    /// Expenses deducted from income, whole euros.
    pub spese_deduzione: Option<u32>,
    /// Expenses of home help and carers, whole euros.
    pub spese_collab_domestici: Option<u32>,
}

impl AltriRedditi {
    /// Whether these incomes replace the known ones. An exempt person's always do. Integrations and
    /// corrections come by operations of their own, and count in no new DSU.
    pub fn counts(&self, operazione: TipoOperazione) -> bool {
        self.flag_esonerato
            || (operazione != TipoOperazione::N && (self.flag_integrazione || self.flag_rettifica))
    }

    /// Whether any declared income is not zero.
    pub fn has_incomes(&self) -> bool {
        let whole = [
            self.lavoro_dipendente,
            self.pensione,
            self.redditi_agrari,
            self.redditi_imp_sost,
        ];
        let signed = [self.reddito_irpef, self.trattamenti_assistenziali];
        signed.into_iter().flatten().any(|amount| !amount.is_zero())
            || whole.into_iter().flatten().any(|amount| amount > 0)
    }

    /// Whether any income is declared, even zero.
    pub fn says_incomes(&self) -> bool {
        let whole = [
            self.lavoro_dipendente,
            self.pensione,
            self.redditi_agrari,
            self.redditi_imp_sost,
        ];
        self.reddito_irpef.is_some()
            || self.trattamenti_assistenziali.is_some()
            || whole.iter().any(Option::is_some)
    }
}

/// Sheet FC2: movable assets.
#[derive(Clone, PartialEq)]
pub struct PatrimonioMobiliare {
    /// Whether the person has any account or other financial relation.
    pub flag_possesso_rapporto_finanziario: bool,
    /// Whether other assets increased.
    pub flag_incremento: Option<bool>,
    /// Each account or other financial relation.
    pub rapporto: Vec<RapportoFinanziario>,
    /// The increase of other assets.
    pub incremento: Option<Incremento>,
}

/// An account or other financial relation.
#[derive(Clone, PartialEq)]
pub struct RapportoFinanziario {
    /// Kind of relation: current account (`01`) to other (`99`).
    pub tipo_rapporto: TipoRapporto,
    /// Number of the account, or other identifier.
    pub identificativo: String,
    /// Codice fiscale of the bank or other operator: at most 16 characters.
    pub codice_fiscale_operatore: String,
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

/// The increase of other assets (DPCM 159/2013 art. 5 c. 6).
#[derive(Clone, PartialEq)]
pub struct Incremento {
    /// Increase of real estate, whole euros.
    pub incremento_immobiliare: Option<u32>,
    /// Increase of other movable assets, whole euros.
    pub incremento_mobiliare: Option<u32>,
}

/// Sheet FC3: real estate.
#[derive(Clone, PartialEq)]
pub struct PatrimonioImmobiliare {
    /// Each building or piece of land.
    pub patrimonio: Vec<Patrimonio>,
}

/// A building or a piece of land.
#[derive(Clone, PartialEq)]
pub struct Patrimonio {
    /// Building, agricultural land or building land.
    pub tipo_patrimonio: TipoImmobile,
    /// Cadastral code of the municipality, or of the foreign country.
    pub codice_comune_stato: String,
    /// Share owned, percent.
    pub quota_posseduta: Decimal,
    /// Value for IMU, for the owned share, whole euros.
    pub valore_imu: u32,
    /// Residual mortgage, for the owned share, whole euros.
    pub mutuo_residuo: Option<u32>,
    /// Whether this is the home of the nucleus.
    pub flag_abitazione: bool,
}

/// The registry data of a person.
#[derive(Clone, PartialEq)]
pub struct DatiAnagrafici {
    /// Surname, in capitals.
    pub cognome: String,
    /// First name, in capitals.
    pub nome: String,
    /// Date of birth; K05 compares it with the codice fiscale.
    pub data_nascita: Date,
    /// Citizenship: free text in the schema.
    pub cittadinanza: String,
    /// Sex; K05 compares it with the codice fiscale.
    pub sesso: Sesso,
    /// Two letters of the province of birth.
    pub provincia_nascita: String,
    /// Cadastral code of the municipality of birth, or `Z` and three digits for a foreign country.
    pub codice_comune_nascita: String,
}

/// The address of a person or of a home.
#[derive(Clone, PartialEq)]
pub struct Indirizzo {
    /// Street, at most 256 characters.
    pub indirizzo: String,
    /// House number, at most 16 characters.
    pub civico: String,
    /// Cadastral code of the municipality.
    pub codice_comune: String,
    /// Two letters of the province.
    pub provincia: String,
    /// Postal code, five digits.
    pub cap: String,
    /// Telephone number, at most 12 characters.
    pub telefono: Option<String>,
    /// Mobile number, at most 12 characters.
    pub cellulare: Option<String>,
    /// Mail address: free text in the schema.
    pub indirizzo_e_mail: Option<String>,
}
