//! K08: the home, against the declared real estate and tenancy.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use rust_decimal::Decimal;

use super::super::codes::{Residente, Ruolo, TipoAbitazione, TipoImmobile, TipoModello};
use super::super::dsu::{Abitazione, Dichiarazione};
use super::super::foglio::{Patrimonio, PatrimonioImmobiliare};
use super::nucleo::code;
use super::{Check, Esame, sheet_path, step};

pub(super) fn examine(dsu: &Dichiarazione, esame: &mut Esame) {
    let spouse = dsu
        .nucleo_familiare
        .iter()
        .flat_map(|n| &n.componente_nucleo)
        .any(|c| c.rapporto_con_dichiarante == Ruolo::C);
    let flagged = Indicati::of(dsu);
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let form = step(&"/Dichiarazione", "ModelloBase", index, dsu.modello_base.len());
        let path = format_args!("{form}/Abitazione");
        home(&modello.abitazione, spouse, &path, esame);
        if modello.tipo == TipoModello::Ord {
            flagged.examine(&modello.abitazione, &path, esame);
        }
    }
}

/// The home of one form.
fn home(home: &Abitazione, spouse: bool, path: &dyn Display, esame: &mut Esame) {
    lease(home, path, esame);
    if !spouse
        && home
            .residenza_riferimento
            .is_some_and(|residence| matches!(residence, Residente::D | Residente::C))
    {
        esame.refuse(
            Check::K08Residenza,
            format_args!("{path}/@ResidenzaRiferimento"),
            "ammessa solo se nel nucleo c'è il coniuge",
        );
    }
}

/// The home of a person outside, against the person's own real estate: other owners are not known.
pub(super) fn outside(
    home: &Abitazione,
    path: &dyn Display,
    estate: Option<&PatrimonioImmobiliare>,
    estate_path: &dyn Display,
    esame: &mut Esame,
) {
    lease(home, path, esame);
    let Some(estate) = estate else { return };
    let flagged = || {
        estate
            .patrimonio
            .iter()
            .enumerate()
            .filter(|(_, each)| each.flag_abitazione)
    };
    for (place, each) in flagged() {
        let path = step(estate_path, "Patrimonio", place, estate.patrimonio.len());
        let path = format_args!("{path}/@FlagAbitazione");
        if home.tipo_abitazione != TipoAbitazione::Proprieta {
            esame.refuse(NOT_OWNED.0, path, NOT_OWNED.1);
        } else if each.tipo_patrimonio != TipoImmobile::F {
            esame.refuse(NO_BUILDING.0, path, NO_BUILDING.1);
        }
    }
    if home.tipo_abitazione == TipoAbitazione::Proprieta {
        one_place(flagged().map(|(_, each)| each), home, estate_path, esame);
    }
}

/// A nucleus has one home: its shares are in one municipality, and in Italy.
fn one_place<'a>(
    flagged: impl Iterator<Item = &'a Patrimonio>,
    home: &Abitazione,
    path: &dyn Display,
    esame: &mut Esame,
) {
    let mut shares: BTreeMap<&str, Decimal> = BTreeMap::new();
    for each in flagged {
        // At most a hundred each, by the schema.
        *shares.entry(&each.codice_comune_stato).or_default() += each.quota_posseduta.max(Decimal::ZERO);
    }
    if shares.len() > 1 {
        esame.refuse(
            Check::K08Comuni,
            path,
            "case di abitazione in più comuni: il nucleo ne ha una",
        );
    }
    if shares.keys().any(|place| place.starts_with('Z')) {
        esame.refuse(Check::K08Estero, path, "casa di abitazione all'estero");
    }
    if shares.len() == 1 && !shares.contains_key(home.indirizzo_abitazione.codice_comune.as_str()) {
        esame.warn(
            Check::K08Comune,
            path,
            "casa di abitazione in un comune diverso da quello dell'abitazione",
        );
    }
    if shares.values().any(|share| *share > Decimal::ONE_HUNDRED) {
        esame.warn(
            Check::K08Quote,
            path,
            "le quote della casa di abitazione superano il 100 per cento",
        );
    }
}

/// Real estate flagged as the home, though the home is not owned.
const NOT_OWNED: (Check, &str) = (
    Check::K08Casa,
    "immobile indicato come casa di abitazione, ma l'abitazione non è di proprietà (000)",
);
/// Land flagged as the home.
const NO_BUILDING: (Check, &str) = (
    Check::K08Casa,
    "solo un fabbricato (F) può essere la casa di abitazione",
);

/// Whether a home and its tenancy go together.
fn lease(home: &Abitazione, path: &dyn Display, esame: &mut Esame) {
    match (home.tipo_abitazione, &home.locazione) {
        (TipoAbitazione::Locazione, None) => {
            esame.refuse(
                Check::K08Locazione,
                path,
                "abitazione in locazione (001) senza i dati del contratto",
            );
        }
        (TipoAbitazione::Locazione, Some(lease)) => {
            let texts = [
                (&lease.serie, "Serie"),
                (&lease.numero, "Numero"),
                (&lease.cod_ufficio, "CodUfficio"),
            ];
            for (_, attribute) in texts.iter().filter(|(text, _)| text.trim().is_empty()) {
                esame.refuse(
                    Check::K08Contratto,
                    format_args!("{path}/Locazione/@{attribute}"),
                    "dato del contratto di locazione mancante",
                );
            }
            for (index, tenant) in lease.intestatario.iter().enumerate() {
                let lease_path = format_args!("{path}/Locazione");
                let path = step(&lease_path, "Intestatario", index, lease.intestatario.len());
                code(
                    &tenant.codice_fiscale,
                    &format_args!("{path}/@CodiceFiscale"),
                    esame,
                );
            }
        }
        (_, Some(_)) => {
            esame.refuse(
                Check::K08Locazione,
                format_args!("{path}/Locazione"),
                "contratto di locazione per un'abitazione che non è in locazione (001)",
            );
        }
        (_, None) => {}
    }
}

/// The family's real estate flagged as its home.
struct Indicati<'a> {
    all: Vec<Indicato<'a>>,
    /// Flagged land: no building.
    land: Vec<Indicato<'a>>,
    /// The flagged assets, in the order of `all`.
    estate: Vec<&'a Patrimonio>,
}

/// One flagged asset, by its owner's place and its own.
#[derive(Clone, Copy)]
struct Indicato<'a> {
    dsu: &'a Dichiarazione,
    member: usize,
    place: usize,
    of: usize,
}

impl<'a> Indicati<'a> {
    fn of(dsu: &'a Dichiarazione) -> Self {
        let (mut all, mut land, mut flagged) = (Vec::new(), Vec::new(), Vec::new());
        let members = dsu
            .nucleo_familiare
            .iter()
            .flat_map(|nucleo| &nucleo.componente_nucleo)
            .enumerate();
        for (member, living) in members.filter(|(_, member)| member.rapporto_con_dichiarante != Ruolo::Gnc) {
            let Some(estate) = &living.foglio_componente_nucleo.patrimonio_immobiliare else {
                continue;
            };
            for (place, each) in estate
                .patrimonio
                .iter()
                .enumerate()
                .filter(|(_, each)| each.flag_abitazione)
            {
                let found = Indicato {
                    dsu,
                    member,
                    place,
                    of: estate.patrimonio.len(),
                };
                all.push(found);
                flagged.push(each);
                if each.tipo_patrimonio != TipoImmobile::F {
                    land.push(found);
                }
            }
        }
        Self {
            all,
            land,
            estate: flagged,
        }
    }

    /// A building may be flagged as the home only if the home of the ordinary form is owned. None need be
    /// flagged, since the home may not have been owned yet on the day of the assets. K04 refuses a second
    /// ordinary form, but there may be many: the defects of each are counted, without another look at the
    /// assets.
    fn examine(&self, home: &Abitazione, path: &dyn Display, esame: &mut Esame) {
        if home.tipo_abitazione != TipoAbitazione::Proprieta {
            esame.refuse_each(NOT_OWNED.0, self.all.iter(), NOT_OWNED.1);
            return;
        }
        esame.refuse_each(NO_BUILDING.0, self.land.iter(), NO_BUILDING.1);
        if self.all.is_empty() {
            esame.warn(
                Check::K08Proprieta,
                format_args!("{path}/@TipoAbitazione"),
                "abitazione di proprietà (000), ma nessun fabbricato è indicato come casa di abitazione",
            );
        }
        one_place(self.estate.iter().copied(), home, path, esame);
    }
}

impl Display for Indicato<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sheet = sheet_path(self.dsu, self.member);
        let estate = format_args!("{sheet}/PatrimonioImmobiliare");
        write!(
            f,
            "{}/@FlagAbitazione",
            step(&estate, "Patrimonio", self.place, self.of)
        )
    }
}
