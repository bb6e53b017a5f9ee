//! The closed lists of codes of the DSU and the attestation, spelled as on the wire.

use std::fmt;

use rust_decimal::Decimal;

use crate::json;

/// Makes enumerations. Each variant has one spelling.
macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident { $(#[doc = $variant_doc:literal] $variant:ident = $code:literal),+ $(,)? })+) => { $(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = $variant_doc] $variant),+ }

        impl $name {
            /// Every spelling, in the order of the schema.
            pub const ALL: &'static [&'static str] = &[$($code),+];

            /// The code on the wire.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The variant of a code on the wire. `None`: unknown code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    )+ };
}

codes! {
    #[doc = "What a declaration does."]
    TipoOperazione {
        #[doc = "A new DSU."] N = "N",
        #[doc = "An additional component."] A = "A",
        #[doc = "Incomes are completed."] I = "I",
        #[doc = "Residential data are completed."] S = "S",
        #[doc = "A current ISEE."] C = "C",
        #[doc = "A correction."] R = "R",
        #[doc = "A cancellation."] X = "X",
    }
    #[doc = "What a member is to the declarant."]
    Ruolo {
        #[doc = "The declarant."] D = "D",
        #[doc = "The spouse."] C = "C",
        #[doc = "A minor child."] F = "F",
        #[doc = "A child in pre-adoptive care."] Ma = "MA",
        #[doc = "An adult child living with the family."] Fc = "FC",
        #[doc = "An adult child living elsewhere, dependent."] Fnc = "FNC",
        #[doc = "Another person."] P = "P",
        #[doc = "A parent, not married, living elsewhere, attracted."] Gnc = "GNC",
    }
    #[doc = "Kind of basic form."]
    TipoModello {
        #[doc = "Of the ordinary nucleus."] Ord = "ORD",
        #[doc = "Of a restricted nucleus."] Rid = "RID",
    }
    #[doc = "What a member of a restricted nucleus is to the beneficiary."]
    Relazione {
        #[doc = "The beneficiary."] B = "B",
        #[doc = "The spouse."] C = "C",
        #[doc = "A minor child."] F = "F",
        #[doc = "An adult child living with the family."] Fc = "FC",
        #[doc = "An adult child living elsewhere."] Fnc = "FNC",
        #[doc = "A child in pre-adoptive care."] Ma = "MA",
    }
    #[doc = "Where a student's parents are."]
    PresenzaGenitori {
        #[doc = "Both in the nucleus."] TuttiPresenti = "TuttiPresenti",
        #[doc = "Only one."] SoloUno = "SoloUno",
        #[doc = "Neither; married to each other."] ConiugatiNonPresenti = "ConiugatiNonPresenti",
        #[doc = "Neither; not married to each other."] NonConiugatiNonPresenti = "NonConiugatiNonPresenti",
    }
    #[doc = "What changed, for a current ISEE. D is assets; the order of A, B and C is not published."]
    TipoVariazione {
        #[doc = "First kind."] A = "A",
        #[doc = "Second kind."] B = "B",
        #[doc = "Third kind."] C = "C",
        #[doc = "Assets."] D = "D",
        #[doc = "First kind and assets."] Ad = "AD",
        #[doc = "Second kind and assets."] Bd = "BD",
        #[doc = "Third kind and assets."] Cd = "CD",
    }
    #[doc = "What a person does."]
    Attivita {
        #[doc = "Open-ended employee."] Lavind = "LAVIND",
        #[doc = "Fixed-term employee."] Lavdet = "LAVDET",
        #[doc = "Temporary agency worker."] Lavint = "LAVINT",
        #[doc = "Worker under wage integration."] Lavcig = "LAVCIG",
        #[doc = "Quasi-employee."] Lavpar = "LAVPAR",
        #[doc = "Casual worker."] Lavocc = "LAVOCC",
        #[doc = "Self-employed."] Lavaut = "LAVAUT",
        #[doc = "Unemployed."] Disocc = "DISOCC",
        #[doc = "Pensioner."] Pensio = "PENSIO",
        #[doc = "Housewife or househusband."] Caslng = "CASLNG",
        #[doc = "Student."] Studnt = "STUDNT",
        #[doc = "Other."] Altro = "ALTRO",
    }
    #[doc = "Kind of vehicle."]
    TipoVeicolo {
        #[doc = "Car."] A = "A",
        #[doc = "Motorcycle."] M = "M",
        #[doc = "Ship or boat."] N = "N",
        #[doc = "Pleasure craft."] I = "I",
    }
    #[doc = "Degree of disability (DPCM 159/2013 All. 3)."]
    GradoDisabilita {
        #[doc = "Medium."] Dim = "DIM",
        #[doc = "Severe."] Dig = "DIG",
        #[doc = "Not self-sufficient."] Nas = "NAS",
    }
    #[doc = "By what right a nucleus lives in its home."]
    TipoAbitazione {
        #[doc = "Owned."] Proprieta = "000",
        #[doc = "Rented."] Locazione = "001",
        #[doc = "Other."] Altro = "999",
    }
    #[doc = "Whose residence is that of the nucleus."]
    Residente {
        #[doc = "The declarant's."] D = "D",
        #[doc = "The spouse's."] C = "C",
    }
    #[doc = "Why a child outside the nucleus is not counted; which is which is not published."]
    CondizioneEsclusione {
        #[doc = "First condition."] A = "A",
        #[doc = "Second condition."] B = "B",
    }
    #[doc = "Kind of real estate."]
    TipoImmobile {
        #[doc = "Building."] F = "F",
        #[doc = "Agricultural land."] Te = "TE",
        #[doc = "Building land."] Ta = "TA",
    }
    #[doc = "Kind of financial relation."]
    TipoRapporto {
        #[doc = "Current account."] ContoCorrente = "01",
        #[doc = "Securities deposit."] Titoli = "02",
        #[doc = "Savings deposit."] Risparmio = "03",
        #[doc = "Fiduciary relation."] Fiduciario = "04",
        #[doc = "Collective management."] GestioneCollettiva = "05",
        #[doc = "Portfolio management."] GestionePatrimoniale = "06",
        #[doc = "Deposit certificates and savings bonds."] Certificati = "07",
        #[doc = "Third-party account."] ContoTerzi = "09",
        #[doc = "Insurance financial product."] Assicurativo = "23",
        #[doc = "Other."] Altro = "99",
    }
    #[doc = "Sex."]
    Sesso {
        #[doc = "Male."] M = "M",
        #[doc = "Female."] F = "F",
    }
    #[doc = "A flag that is either there or not."]
    Si {
        #[doc = "Yes."] Si = "SI",
    }
    #[doc = "Why an attestation takes the place of another."]
    TipoVariazioneAttestazione {
        #[doc = "The applicant contested it."] Contestazione = "Contestazione",
        #[doc = "It was computed again."] Ricalcolo = "Ricalcolo",
        #[doc = "It was completed."] Integrazione = "Integrazione",
    }
    #[doc = "What the Revenue Agency found missing or different."]
    TipoOmissione {
        #[doc = "Movable assets."] PatrimoniMobiliari = "PatrimoniMobiliari",
        #[doc = "Incomes."] RedditiScostamento = "RedditiScostamento",
        #[doc = "Movable assets, under the threshold."] PatrimoniMobiliariSottoSoglia = "PatrimoniMobiliariSottoSoglia",
        #[doc = "Movable assets, over the threshold."] PatrimoniMobiliariSopraSoglia = "PatrimoniMobiliariSopraSoglia",
    }
    #[doc = "Which tax return the Agency read."]
    ModelloAe {
        #[doc = "First."] Uno = "1",
        #[doc = "Second."] Due = "2",
        #[doc = "Third."] Tre = "3",
    }
    #[doc = "State of an application for a benefit; mind the spelling."]
    StatoDomanda {
        #[doc = "Still to be granted."] DaErogare = "Da Erogare",
        #[doc = "Granted."] Erogata = "Erogata",
    }
    #[doc = "Which indicator is asked for."]
    TipoIndicatore {
        #[doc = "The ordinary one."] Ordinario = "Ordinario",
        #[doc = "For minors (DPCM 159/2013 art. 7)."] Minorenne = "Minorenne",
        #[doc = "For students (art. 8)."] Universitario = "Universitario",
        #[doc = "For social and health services (art. 6)."] SocioSanitario = "SocioSanitario",
        #[doc = "For doctoral students (art. 8 c. 4)."] Dottorato = "Dottorato",
        #[doc = "For residential services (art. 6 c. 3)."] Residenziale = "Residenziale",
    }
    #[doc = "Where a DSU that was transmitted is in its life."]
    StatoDsu {
        #[doc = "Received, not attested yet."] Ricevuta = "RICEVUTA",
        #[doc = "Attested, and in force."] Attestata = "ATTESTATA",
        #[doc = "A later one of the same declarant counts."] Sostituita = "SOSTITUITA",
        #[doc = "Cancelled by its sender."] Annullata = "ANNULLATA",
    }
    #[doc = "Yes or no."]
    SiNo {
        #[doc = "Yes."] Si = "SI",
        #[doc = "No."] No = "NO",
    }
    #[doc = "Which indicator a threshold was compared with, in the words of the Soglia operation."]
    TipoIndicatoreSoglia {
        #[doc = "Ordinary."] Ordinario = "ISEE Ordinario",
        #[doc = "For minors, as the ordinary one."] MinorenneOrdinario = "ISEE Minorenne ordinario",
        #[doc = "For minors, with an additional component."] MinorenneAggiuntiva = "ISEE Minorenne con componente aggiuntiva",
        #[doc = "For minors, with an attracted component."] MinorenneAttratta = "ISEE Minorenne con componente attratta",
        #[doc = "For students, as the ordinary one."] UniversitarioOrdinario = "ISEE Universitario ordinario",
        #[doc = "For students, with an additional component."] UniversitarioAggiuntiva = "ISEE Universitario con componente aggiuntiva",
        #[doc = "For students, with an attracted component."] UniversitarioAttratta = "ISEE Universitario con componente attratta",
        #[doc = "For students, attracted."] UniversitarioStudente = "ISEE Universitario con studente attratto",
        #[doc = "For students, attracted, with an additional component."] UniversitarioStudenteAggiuntiva = "ISEE Universitario con studente attratto e componente aggiuntiva",
        #[doc = "For students, attracted, with an attracted component."] UniversitarioStudenteAttratta = "ISEE Universitario con studente attratto e componente attratta",
        #[doc = "For social and health services, of the restricted nucleus."] Sociosanitario = "ISEE Sociosanitario ridotto",
        #[doc = "For doctoral students, of the restricted nucleus."] Dottorato = "ISEE Dottorato ricerca ridotto",
        #[doc = "Residential, without children outside."] ResidenzialeSenza = "ISEE Residenziale standard senza figli aggiuntivi",
        #[doc = "Residential, with children outside."] ResidenzialeCon = "ISEE Residenziale standard con figli aggiuntivi",
        #[doc = "Residential, of the restricted nucleus, without children outside."] ResidenzialeRidottoSenza = "ISEE Residenziale ridotto senza figli aggiuntivi",
        #[doc = "Residential, of the restricted nucleus, with children outside."] ResidenzialeRidottoCon = "ISEE Residenziale ridotto con figli aggiuntivi",
    }
}

impl Relazione {
    /// The role of a member of a restricted nucleus, as if the beneficiary were a family's declarant.
    pub fn ruolo(self) -> Ruolo {
        match self {
            Self::B => Ruolo::D,
            Self::C => Ruolo::C,
            Self::F => Ruolo::F,
            Self::Fc => Ruolo::Fc,
            Self::Fnc => Ruolo::Fnc,
            Self::Ma => Ruolo::Ma,
        }
    }
}

impl Ruolo {
    /// Whether the role is a child's: a minor, in custody too, or of age, living with the family or not.
    pub fn is_figlio(self) -> bool {
        matches!(self, Self::F | Self::Ma | Self::Fc | Self::Fnc)
    }
}

impl TipoIndicatore {
    /// The indicator for a benefit, by its code in PrestazioneDaErogare, if the request names no indicator
    /// (u).
    pub fn predefinito(prestazione: &str) -> Self {
        match prestazione {
            "A1.19" | "A2.03" | "A2.04" => Self::Universitario,
            "A1.10" | "A1.11" | "A1.12" | "A1.13" | "A2.07" | "A2.08" | "A3.01" => Self::SocioSanitario,
            "A1.14" | "A3.02" => Self::Residenziale,
            "A1.07" | "A1.08" | "A2.10" | "A3.03" => Self::Minorenne,
            _ => Self::Ordinario,
        }
    }
}

impl TipoRapporto {
    /// Whether it is a deposit or an account, others' money included. Such relations are declared by balance
    /// and average, and stay outside the base of the figurative income.
    pub fn is_account(self) -> bool {
        matches!(self, Self::ContoCorrente | Self::Risparmio | Self::ContoTerzi)
    }
}

/// An amount in euros, written with exactly two decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Importo(pub Decimal);

impl Importo {
    /// Its text: two decimals, the others cut off. Zero has no sign, nor has a negative amount of less than a
    /// cent.
    pub fn text(self) -> String {
        let cents = self.0.trunc_with_scale(2);
        let mut text = String::with_capacity(16);
        let unit = [100, 10, 1].get(cents.scale() as usize).copied().unwrap_or(1);
        let mantissa = u64::try_from(cents.mantissa().unsigned_abs()).ok();
        let Some(hundredths) = mantissa.and_then(|mantissa| mantissa.checked_mul(unit)) else {
            return format!("{cents:.2}");
        };
        if cents.is_sign_negative() && hundredths > 0 {
            text.push('-');
        }
        json::number(&mut text, hundredths / 100);
        text.push('.');
        if hundredths % 100 < 10 {
            text.push('0');
        }
        json::number(&mut text, hundredths % 100);
        text
    }
}

impl fmt::Display for Importo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Incomes are personal data: `{:?}` hides them.
impl fmt::Debug for Importo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Importo(..)")
    }
}

/// An element without content in the contract: INPS writes it empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vuoto;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_amount_has_two_decimals_and_zero_no_sign(mantissa in any::<i64>(), scale in 0_u32..12) {
            let amount = Decimal::new(mantissa, scale);
            let cut = format!("{amount:.2}");
            let wanted = if cut == "-0.00" { "0.00".to_owned() } else { cut };
            prop_assert_eq!(Importo(amount).to_string(), wanted);
        }
    }

    #[test]
    fn amounts_as_attestations_print_them() {
        for (amount, text) in [
            ("0", "0.00"),
            ("-0.004", "0.00"),
            ("-0.01", "-0.01"),
            ("12", "12.00"),
            ("12.5", "12.50"),
            ("12.05", "12.05"),
            ("12.059", "12.05"),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335.00",
            ),
        ] {
            assert_eq!(Importo(amount.parse().unwrap()).to_string(), text);
        }
    }
}
