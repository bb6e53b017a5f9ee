//! Declarations referring to another one, and their effect on it (operations A, I, S, C and R). The result is
//! a whole declaration, computed and kept like any other. Its Operazione is that of the referring
//! declaration.

use std::collections::HashMap;

use super::checks::{Check, Difetto};
use super::codes::{TipoModello, TipoOperazione};
use super::codice_fiscale::CodiceFiscale;
use super::dsu::{
    ComponentePerIntegrazioneAggiuntiva, ComponentePerIntegrazioneRedditi, DatiFiglio, DatiGenitore,
    DettaglioFiglio, DettaglioGenitoreNonConvivente, Dichiarazione, Residenziale,
};
use super::foglio::{AltriRedditi, FoglioComponente};

/// Applies an operation to the DSU referred to. Returns the DSU as it counts then, or the reasons against it.
pub fn applica(base: &Dichiarazione, operazione: &Dichiarazione) -> Result<Dichiarazione, Vec<Difetto>> {
    let mut dsu = base.clone();
    let mut difetti = Vec::new();
    settle(&mut dsu, base.operazione.tipo);
    match operazione.operazione.tipo {
        TipoOperazione::R => dsu = operazione.clone(),
        TipoOperazione::A => {
            if let Some(added) = &operazione.integrazione_componente_aggiuntiva {
                aggiuntiva(
                    &mut dsu,
                    &added.componente_per_integrazione_aggiuntiva,
                    &mut difetti,
                );
            }
        }
        TipoOperazione::I => {
            if let Some(integrazione) = &operazione.integrazione_redditi {
                redditi(
                    &mut dsu,
                    &integrazione.componente_per_integrazione_redditi,
                    &mut difetti,
                );
            }
        }
        TipoOperazione::S => {
            if let Some(integrazione) = &operazione.integrazione_residenziale {
                residenziali(
                    &mut dsu,
                    base,
                    &integrazione.componente_per_integrazione_residenziale,
                    &mut difetti,
                );
            }
        }
        TipoOperazione::C => {
            let changes = operazione
                .isee_corrente
                .iter()
                .flat_map(|corrente| &corrente.variazione);
            let members = base.codici_dei_membri();
            for (index, change) in changes.enumerate() {
                if !members.contains(&change.codice_fiscale) {
                    let path = format!(
                        "/Dichiarazione/ISEECorrente/Variazione[{}]/@CodiceFiscale",
                        index + 1
                    );
                    difetti.push(Difetto {
                        code: Check::K17Componente,
                        path,
                        text: "la persona non fa parte del nucleo della DSU di riferimento",
                    });
                }
            }
            dsu.isee_corrente = operazione.isee_corrente.clone();
        }
        TipoOperazione::N | TipoOperazione::X => {}
    }
    dsu.operazione = operazione.operazione.clone();
    if difetti.is_empty() { Ok(dsu) } else { Err(difetti) }
}

/// Removes every sheet FC8 without effect in the base: in a new DSU, those of persons not exempt. A later
/// operation must not give them effect.
fn settle(dsu: &mut Dichiarazione, operazione: TipoOperazione) {
    for foglio in fogli_mut(dsu) {
        if foglio
            .altri_redditi
            .as_ref()
            .is_some_and(|redditi| !redditi.counts(operazione))
        {
            let help = foglio
                .altri_redditi
                .as_ref()
                .and_then(|redditi| redditi.spese_collab_domestici);
            // Home help is no income: it stands in FC8 for lack of another place.
            foglio.altri_redditi = help.map(|_| AltriRedditi {
                spese_collab_domestici: help,
                ..AltriRedditi::nothing()
            });
        }
    }
}

/// Whether operation A may concern a person: a parent or a child outside the nucleus, not excluded.
pub fn riguarda(base: &Dichiarazione, persona: &CodiceFiscale) -> bool {
    base.modello_base.iter().any(|modello| {
        let mut parents = modello
            .genitore_non_convivente
            .iter()
            .filter(|parent| !parent.flag_genitore_escluso);
        let children = modello
            .residenziale
            .iter()
            .flat_map(|each| &each.figlio_non_compreso_nel_nucleo);
        parents.any(|parent| parent.codice_fiscale == *persona)
            || children
                .into_iter()
                .any(|child| child.codice_fiscale == *persona && child.condizione_esclusione.is_none())
    })
}

/// Operation A: the data of a parent or a child outside the nucleus, not excluded.
fn aggiuntiva(
    dsu: &mut Dichiarazione,
    added: &ComponentePerIntegrazioneAggiuntiva,
    difetti: &mut Vec<Difetto>,
) {
    let own = &added.foglio_componente_aggiuntiva.codice_fiscale;
    let mut found = false;
    for modello in &mut dsu.modello_base {
        let parents = modello.genitore_non_convivente.iter_mut();
        for parent in parents.filter(|parent| parent.codice_fiscale == *own && !parent.flag_genitore_escluso)
        {
            parent.dati = Some(DatiGenitore::Dettaglio(Box::new(
                DettaglioGenitoreNonConvivente {
                    foglio_componente_genitore: Some(added.foglio_componente_aggiuntiva.clone()),
                    componente_aggiuntiva_genitore: added.componente_aggiuntiva.clone(),
                },
            )));
            found = true;
        }
        let children = modello
            .residenziale
            .iter_mut()
            .flat_map(|each| &mut each.figlio_non_compreso_nel_nucleo);
        for child in
            children.filter(|child| child.codice_fiscale == *own && child.condizione_esclusione.is_none())
        {
            child.dati = Some(DatiFiglio::Dettaglio(Box::new(DettaglioFiglio {
                foglio_componente_figlio: Some(added.foglio_componente_aggiuntiva.clone()),
                componente_aggiuntiva_figlio: added.componente_aggiuntiva.clone(),
            })));
            found = true;
        }
    }
    if !found {
        difetti.push(Difetto {
            code: NOBODYS.0,
            path: NOBODYS.1.to_owned(),
            text: NOBODYS.2,
        });
    }
}

/// The refusal if no DSU of this protocol suits this declaration. It does not reveal whether another
/// declarant has such a DSU.
pub const NOBODYS: (Check, &str, &str) = (
    Check::K02Riferito,
    "/Dichiarazione/Operazione/@NumeroProtocolloRiferimento",
    "nessuna DSU con questo protocollo che questa dichiarazione possa riguardare",
);

/// Operation I: FC8 of members, and of persons outside with a sheet in the DSU. A given item replaces the
/// earlier one; the others stay.
fn redditi(dsu: &mut Dichiarazione, all: &[ComponentePerIntegrazioneRedditi], difetti: &mut Vec<Difetto>) {
    let mut of: HashMap<&CodiceFiscale, Vec<usize>> = HashMap::new();
    for (index, each) in all.iter().enumerate() {
        of.entry(&each.codice_fiscale).or_default().push(index);
    }
    // A person outside may stand in more than one form.
    let mut found = vec![false; all.len()];
    for foglio in fogli_mut(dsu) {
        for index in of.get(&foglio.codice_fiscale).into_iter().flatten().copied() {
            foglio.altri_redditi = Some(integrati(&all[index].redditi, foglio.altri_redditi.as_ref()));
            found[index] = true;
        }
    }
    for (index, _) in found.into_iter().enumerate().filter(|(_, found)| !found) {
        let path = format!(
            "/Dichiarazione/IntegrazioneRedditi/ComponentePerIntegrazioneRedditi[{}]/@CodiceFiscale",
            index + 1
        );
        difetti.push(Difetto {
            code: Check::K03Componente,
            path,
            text: "la persona non ha un foglio nella DSU di riferimento",
        });
    }
}

/// The new FC8 over the old one, item by item.
fn integrati(new: &AltriRedditi, old: Option<&AltriRedditi>) -> AltriRedditi {
    let old = old.cloned().unwrap_or_else(AltriRedditi::nothing);
    AltriRedditi {
        flag_esonerato: new.flag_esonerato || old.flag_esonerato,
        // Without a flag it is an integration: it counts in any case.
        flag_integrazione: new.flag_integrazione || !new.flag_rettifica,
        flag_rettifica: new.flag_rettifica,
        reddito_irpef: new.reddito_irpef.or(old.reddito_irpef),
        lavoro_dipendente: new.lavoro_dipendente.or(old.lavoro_dipendente),
        pensione: new.pensione.or(old.pensione),
        redditi_agrari: new.redditi_agrari.or(old.redditi_agrari),
        redditi_imp_sost: new.redditi_imp_sost.or(old.redditi_imp_sost),
        trattamenti_assistenziali: new.trattamenti_assistenziali.or(old.trattamenti_assistenziali),
        spese_detrazione: new.spese_detrazione.or(old.spese_detrazione),
        spese_deduzione: new.spese_deduzione.or(old.spese_deduzione),
        spese_collab_domestici: new.spese_collab_domestici.or(old.spese_collab_domestici),
    }
}

/// All sheets: the members', and those of persons outside the nucleus.
fn fogli_mut(dsu: &mut Dichiarazione) -> impl Iterator<Item = &mut FoglioComponente> {
    let members = dsu
        .nucleo_familiare
        .iter_mut()
        .flat_map(|nucleo| &mut nucleo.componente_nucleo);
    let outside = dsu.modello_base.iter_mut().flat_map(|modello| {
        let parents =
            modello
                .genitore_non_convivente
                .iter_mut()
                .filter_map(|parent| match &mut parent.dati {
                    Some(DatiGenitore::Dettaglio(detail)) => detail.foglio_componente_genitore.as_mut(),
                    _ => None,
                });
        let children = modello
            .residenziale
            .iter_mut()
            .flat_map(|each| &mut each.figlio_non_compreso_nel_nucleo);
        parents.chain(children.filter_map(|child| match &mut child.dati {
            Some(DatiFiglio::Dettaglio(detail)) => detail.foglio_componente_figlio.as_mut(),
            _ => None,
        }))
    });
    members
        .map(|member| &mut member.foglio_componente_nucleo)
        .chain(outside)
}

/// Operation S: residential data, in the beneficiary's restricted form, or else in the ordinary one. They
/// replace the beneficiary's earlier ones. K15 refuses two for one beneficiary; here the later counts.
fn residenziali(
    dsu: &mut Dichiarazione,
    base: &Dichiarazione,
    all: &[Residenziale],
    difetti: &mut Vec<Difetto>,
) {
    let members = base.codici_dei_membri();
    let mut last = HashMap::new();
    for (index, each) in all.iter().enumerate() {
        let own = &each.codice_fiscale_beneficiario;
        if members.contains(own) {
            last.insert(own, index);
            continue;
        }
        let path = format!(
            "/Dichiarazione/IntegrazioneResidenziale/ComponentePerIntegrazioneResidenziale[{}]/@CodiceFiscaleBeneficiario",
            index + 1
        );
        difetti.push(Difetto {
            code: Check::K15Beneficiario,
            path,
            text: "il beneficiario non fa parte del nucleo",
        });
    }
    let mut restricted = HashMap::new();
    let mut ordinary = None;
    for (place, (modello, before)) in dsu.modello_base.iter_mut().zip(&base.modello_base).enumerate() {
        modello
            .residenziale
            .retain(|other| !last.contains_key(&other.codice_fiscale_beneficiario));
        match (modello.tipo, before.beneficiario()) {
            (TipoModello::Ord, _) => ordinary = ordinary.or(Some(place)),
            (TipoModello::Rid, Some(own)) => {
                restricted.entry(own).or_insert(place);
            }
            (TipoModello::Rid, None) => {}
        }
    }
    for (index, each) in all.iter().enumerate() {
        let own = &each.codice_fiscale_beneficiario;
        let place = restricted
            .get(own)
            .copied()
            .or(ordinary)
            .filter(|_| last.get(own) == Some(&index));
        if let Some(modello) = place.and_then(|place| dsu.modello_base.get_mut(place)) {
            modello.residenziale.push(each.clone());
        }
    }
}

impl AltriRedditi {
    /// An empty sheet: no flag set, no amount given.
    pub fn nothing() -> Self {
        Self {
            flag_esonerato: false,
            flag_integrazione: false,
            flag_rettifica: false,
            reddito_irpef: None,
            lavoro_dipendente: None,
            pensione: None,
            redditi_agrari: None,
            redditi_imp_sost: None,
            trattamenti_assistenziali: None,
            spese_detrazione: None,
            spese_deduzione: None,
            spese_collab_domestici: None,
        }
    }
}
