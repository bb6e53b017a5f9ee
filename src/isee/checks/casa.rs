//! K08: the home, against the real estate and the tenancy that are declared.

use super::super::codes::{Residente, Ruolo, TipoAbitazione, TipoImmobile, TipoModello};
use super::super::dsu::{Abitazione, Dichiarazione};
use super::super::foglio::{Patrimonio, PatrimonioImmobiliare};
use super::nucleo::code;
use super::{Esame, sheet_path, step};

pub(super) fn examine(dsu: &Dichiarazione, esame: &mut Esame) {
    for (index, modello) in dsu.modello_base.iter().enumerate() {
        let path = format!("{}/Abitazione", step("/Dichiarazione", "ModelloBase", index, dsu.modello_base.len()));
        home(dsu, &modello.abitazione, &path, esame);
        if modello.tipo == TipoModello::Ord {
            flagged(dsu, modello.abitazione.tipo_abitazione, &path, esame);
        }
    }
}

/// The home of one form.
fn home(dsu: &Dichiarazione, home: &Abitazione, path: &str, esame: &mut Esame) {
    lease(home, path, esame);
    if home.residenza_riferimento.is_some_and(|residence| matches!(residence, Residente::D | Residente::C)) {
        let spouse = dsu.nucleo_familiare.iter().flat_map(|n| &n.componente_nucleo).any(|c| c.rapporto_con_dichiarante == Ruolo::C);
        if !spouse {
            esame.refuse("K08.residenza", format!("{path}/@ResidenzaRiferimento"), "ammessa solo se nel nucleo c'è il coniuge");
        }
    }
}

/// The home of who stands outside, and what that person owns: who else owns it is not known.
pub(super) fn outside(home: &Abitazione, path: &str, estate: Option<&PatrimonioImmobiliare>, estate_path: &str, esame: &mut Esame) {
    lease(home, path, esame);
    let Some(estate) = estate else { return };
    for (place, each) in estate.patrimonio.iter().enumerate().filter(|(_, each)| each.flag_abitazione) {
        owned(home.tipo_abitazione, each, || step(estate_path, "Patrimonio", place, estate.patrimonio.len()), esame);
    }
}

/// A building that is said to be the home.
fn owned(home: TipoAbitazione, each: &Patrimonio, path: impl Fn() -> String, esame: &mut Esame) {
    let path = || format!("{}/@FlagAbitazione", path());
    if home != TipoAbitazione::Proprieta {
        esame.refuse("K08.casa", path(), "immobile indicato come casa di abitazione, ma l'abitazione non è di proprietà (000)");
    } else if each.tipo_patrimonio != TipoImmobile::F {
        esame.refuse("K08.casa", path(), "solo un fabbricato (F) può essere la casa di abitazione");
    }
}

/// Whether a home and its tenancy go together.
fn lease(home: &Abitazione, path: &str, esame: &mut Esame) {
    match (home.tipo_abitazione, &home.locazione) {
        (TipoAbitazione::Locazione, None) => {
            esame.refuse("K08.locazione", path, "abitazione in locazione (001) senza i dati del contratto");
        }
        (TipoAbitazione::Locazione, Some(lease)) => {
            let texts = [(&lease.serie, "Serie"), (&lease.numero, "Numero"), (&lease.cod_ufficio, "CodUfficio")];
            for (_, attribute) in texts.iter().filter(|(text, _)| text.trim().is_empty()) {
                esame.refuse("K08.contratto", format!("{path}/Locazione/@{attribute}"), "dato del contratto di locazione mancante");
            }
            for (index, tenant) in lease.intestatario.iter().enumerate() {
                let path = step(&format!("{path}/Locazione"), "Intestatario", index, lease.intestatario.len());
                code(&tenant.codice_fiscale, &format!("{path}/@CodiceFiscale"), esame);
            }
        }
        (_, Some(_)) => {
            esame.refuse(
                "K08.locazione",
                format!("{path}/Locazione"),
                "contratto di locazione per un'abitazione che non è in locazione (001)",
            );
        }
        (_, None) => {}
    }
}

/// A building is flagged as the home exactly when the home is owned.
fn flagged(dsu: &Dichiarazione, home: TipoAbitazione, path: &str, esame: &mut Esame) {
    let mut found = false;
    let members = dsu.nucleo_familiare.iter().flat_map(|nucleo| &nucleo.componente_nucleo).enumerate();
    for (index, member) in members.filter(|(_, member)| member.rapporto_con_dichiarante != Ruolo::Gnc) {
        let sheet = &member.foglio_componente_nucleo;
        let Some(estate) = &sheet.patrimonio_immobiliare else { continue };
        for (place, each) in estate.patrimonio.iter().enumerate().filter(|(_, each)| each.flag_abitazione) {
            found = true;
            let base = format!("{}/PatrimonioImmobiliare", sheet_path(dsu, index));
            owned(home, each, || step(&base, "Patrimonio", place, estate.patrimonio.len()), esame);
        }
    }
    if home == TipoAbitazione::Proprieta && !found {
        esame.refuse(
            "K08.casa",
            format!("{path}/@TipoAbitazione"),
            "abitazione di proprietà (000), ma nessun fabbricato è indicato come casa di abitazione",
        );
    }
}
