//! `varco catalogo`: the operations, the benefits and the indicators, by the names that requests, grants and
//! the ledger use.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use crate::contract::catalogue::Operation;
use crate::contract::prestazioni::PRESTAZIONI;
use crate::isee::codes::TipoIndicatore;

/// All names, for programs.
#[derive(Serialize)]
struct Catalogo {
    operazioni: Vec<VoceOperazione>,
    prestazioni: Vec<VocePrestazione>,
    indicatori: Vec<VoceIndicatore>,
}

#[derive(Serialize)]
struct VoceOperazione {
    nome: &'static str,
    cosa: &'static str,
    /// Whether the reply has data of persons.
    dati: bool,
    indirizzi: Vec<&'static str>,
}

#[derive(Serialize)]
struct VocePrestazione {
    codice: &'static str,
    nome: &'static str,
    /// The indicator for it, if the request names none.
    indicatore: &'static str,
}

#[derive(Serialize)]
struct VoceIndicatore {
    codice: &'static str,
    nome: &'static str,
}

/// Prints the catalogue.
#[allow(clippy::print_stdout, reason = "a command")]
pub(super) fn run(json: bool) -> Result<()> {
    let catalogo = catalogo();
    if json {
        println!("{}", serde_json::to_string_pretty(&catalogo)?);
        return Ok(());
    }
    println!("Operazioni (varco ente abilita --operazioni):");
    for operazione in &catalogo.operazioni {
        println!("  {:<36} {}", operazione.nome, operazione.cosa);
        for indirizzo in &operazione.indirizzi {
            println!("  {:<36} {indirizzo}", "");
        }
    }
    println!(
        "\nPrestazioni, con l'indicatore che vale se la richiesta non ne nomina uno (varco ente abilita --prestazioni):"
    );
    for prestazione in &catalogo.prestazioni {
        let (codice, indicatore, nome) = (prestazione.codice, prestazione.indicatore, prestazione.nome);
        println!("  {codice}  {indicatore:<14}  {nome}");
    }
    println!("\nIndicatori (TipoIndicatore; varco ente abilita --indicatori):");
    for indicatore in &catalogo.indicatori {
        println!("  {:<16} {}", indicatore.codice, indicatore.nome);
    }
    Ok(())
}

fn catalogo() -> Catalogo {
    let names: BTreeSet<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
    let operazioni = names.into_iter().filter_map(|nome| {
        let of_name = Operation::ALL.iter().filter(|operation| operation.name() == nome);
        let first = of_name.clone().next()?;
        Some(VoceOperazione {
            nome,
            cosa: first.cosa(),
            dati: first.discloses(),
            indirizzi: of_name.map(|operation| operation.service().path()).collect(),
        })
    });
    let prestazioni = PRESTAZIONI.iter().map(|&(codice, nome)| VocePrestazione {
        codice,
        nome,
        indicatore: TipoIndicatore::predefinito(codice).code(),
    });
    let indicatori = TipoIndicatore::ALL
        .iter()
        .filter_map(|code| TipoIndicatore::from_code(code));
    let indicatori = indicatori.map(|indicatore| VoceIndicatore {
        codice: indicatore.code(),
        nome: nome(indicatore),
    });
    Catalogo {
        operazioni: operazioni.collect(),
        prestazioni: prestazioni.collect(),
        indicatori: indicatori.collect(),
    }
}

/// What an indicator is for (DPCM 159/2013, art. 2, 6, 7, 8).
fn nome(indicatore: TipoIndicatore) -> &'static str {
    match indicatore {
        TipoIndicatore::Ordinario => "la generalità delle prestazioni (art. 2)",
        TipoIndicatore::SocioSanitario => "prestazioni sociosanitarie a domicilio e diurne (art. 6)",
        TipoIndicatore::Residenziale => "prestazioni sociosanitarie residenziali (art. 6 c. 3)",
        TipoIndicatore::Minorenne => "prestazioni rivolte a minorenni, con genitori non conviventi (art. 7)",
        TipoIndicatore::Universitario => "diritto allo studio universitario (art. 8)",
        TipoIndicatore::Dottorato => "corsi di dottorato di ricerca (art. 8 c. 4)",
    }
}
