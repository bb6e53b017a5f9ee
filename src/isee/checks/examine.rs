//! The checks, one after another.

use super::super::codes::TipoOperazione;
use super::super::dsu::Dichiarazione;
use super::esame::{Circumstance, Difetto, Esame};
use super::indice::Indice;
use super::regole::Check;
use super::{casa, corrente, indicatori, nucleo, patrimonio, sottoscrizione};
use std::collections::HashSet;

/// More members than any nucleus has: the most an entry of the ledger can name.
pub const MAX_MEMBERS: usize = 60;

/// Examines a DSU by every check; with more than [`MAX_MEMBERS`] members, by this one alone.
pub fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>) -> Esame {
    let mut esame = Esame::default();
    if dsu.fogli().count() > MAX_MEMBERS {
        esame.refuse(
            Check::K04Componenti,
            "/Dichiarazione/NucleoFamiliare",
            "il nucleo ha più componenti di quanti ne sono ammessi (60)",
        );
        return esame;
    }
    let indice = Indice::of(dsu, circumstance);
    operazione(dsu, &mut esame);
    nucleo::examine(dsu, circumstance, &mut esame);
    casa::examine(dsu, &mut esame);
    patrimonio::examine(dsu, circumstance, &mut esame);
    indicatori::examine(&indice, circumstance, &mut esame);
    corrente::examine(&indice, circumstance, &mut esame);
    sottoscrizione::examine(&indice, circumstance, &mut esame);
    esame
}

/// Examines a whole DSU, made of a base by another declaration, for defects not visible in either alone. A
/// defect accepted with the base is no reason to refuse its completion.
pub fn examine_effettiva(
    dsu: &Dichiarazione,
    base: &Dichiarazione,
    circumstance: &Circumstance<'_>,
) -> Esame {
    let (mut esame, mut before) = (Esame::default(), Esame::default());
    indicatori::examine(&Indice::of(dsu, circumstance), circumstance, &mut esame);
    indicatori::examine(&Indice::of(base, circumstance), circumstance, &mut before);
    let before: HashSet<Difetto> = before.difetti.into_iter().collect();
    esame.difetti.retain(|difetto| !before.contains(difetto));
    esame
}

/// K02 and K03, without the parts known only to the archive.
fn operazione(dsu: &Dichiarazione, esame: &mut Esame) {
    const PATH: &str = "/Dichiarazione/Operazione";
    let tipo = dsu.operazione.tipo;
    match (tipo, &dsu.operazione.numero_protocollo_riferimento) {
        (TipoOperazione::N, Some(_)) => esame.refuse(
            Check::K02Riferimento,
            format_args!("{PATH}/@NumeroProtocolloRiferimento"),
            "una DSU nuova (Tipo N) non ha protocollo di riferimento",
        ),
        (TipoOperazione::N, None) | (_, Some(_)) => {}
        (_, None) => esame.refuse(
            Check::K02Riferimento,
            format_args!("{PATH}/@NumeroProtocolloRiferimento"),
            "manca il protocollo della DSU a cui questa si riferisce",
        ),
    }
    let sections = [
        (
            dsu.integrazione_componente_aggiuntiva.is_some(),
            TipoOperazione::A,
            "IntegrazioneComponenteAggiuntiva",
        ),
        (
            dsu.integrazione_redditi.is_some(),
            TipoOperazione::I,
            "IntegrazioneRedditi",
        ),
        (
            dsu.integrazione_residenziale.is_some(),
            TipoOperazione::S,
            "IntegrazioneResidenziale",
        ),
        (dsu.isee_corrente.is_some(), TipoOperazione::C, "ISEECorrente"),
    ];
    for (present, of, section) in sections {
        if present && tipo != of {
            esame.refuse(
                Check::K03Sezione,
                format_args!("/Dichiarazione/{section}"),
                "sezione non prevista per questo tipo di operazione",
            );
        }
        if !present && tipo == of {
            esame.refuse(
                Check::K03Mancante,
                format_args!("/Dichiarazione/{section}"),
                "manca la sezione di questo tipo di operazione",
            );
        }
    }
    if !matches!(tipo, TipoOperazione::N | TipoOperazione::R) {
        for (present, section) in [
            (dsu.nucleo_familiare.is_some(), "NucleoFamiliare"),
            (!dsu.modello_base.is_empty(), "ModelloBase"),
        ] {
            if present {
                esame.refuse(
                    Check::K03Sezione,
                    format_args!("/Dichiarazione/{section}"),
                    "sezione non prevista per questo tipo di operazione",
                );
            }
        }
    }
}
