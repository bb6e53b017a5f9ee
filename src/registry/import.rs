//! Many enti at once, from a table: Varco's own layout, or that of the open data of the Indice delle Pubbliche Amministrazioni (data set `enti`).
//!
//! Nothing is done before every line has been judged: either all lines are right, or all errors are told at once.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::administration::{Command, judge};
use super::ente::{Anagrafica, Ente, Parte, Richiesta, Tipo};

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Formato {
    /// Varco's own: what `varco ente esporta` writes.
    Varco,
    /// The data set `enti` of the IPA.
    Ipa,
}

/// The columns of Varco's own layout. Those with several values separate them with `|`.
pub const COLUMNS: [&str; 12] = [
    "codice",
    "denominazione",
    "codice_fiscale",
    "tipo",
    "codice_ipa",
    "contatti",
    "parti",
    "pec",
    "base_giuridica",
    "finalita",
    "operazioni",
    "prestazioni",
];

/// What must happen so that the registry has what a table says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// New enti, and those whose data have changed.
    pub commands: Vec<Command>,
    /// Enti that are as the table says already.
    pub unchanged: usize,
}

/// Reads a table and compares it with the enti there are. `richiesta` stands in for what a line does not say of its request. All errors at once,
/// each with its line; in Italian.
pub fn plan(text: &str, formato: Formato, richiesta: &Richiesta, existing: &[Ente], today: Date) -> Result<Plan, Vec<String>> {
    let header = text.lines().next().unwrap_or_default();
    let delimiter = [b';', b'\t', b','].into_iter().max_by_key(|candidate| header.bytes().filter(|byte| byte == candidate).count());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(headers) => headers.iter().map(|name| name.trim().to_owned()).collect(),
        Err(_) => return Err(vec!["riga 1: intestazione non leggibile".to_owned()]),
    };
    let needed: &[&str] = match formato {
        Formato::Varco => &COLUMNS[..4],
        Formato::Ipa => &["Codice_IPA", "Denominazione_ente", "Codice_fiscale_ente", "Codice_Categoria"],
    };
    let missing: Vec<String> = needed
        .iter()
        .filter(|name| !columns.iter().any(|column| column == *name))
        .map(|name| format!("riga 1: manca la colonna {name}"))
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let existing: BTreeMap<&str, &Ente> = existing.iter().map(|ente| (ente.codice.as_str(), ente)).collect();
    let (mut plan, mut errors) = (Plan::default(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                errors.push(format!("riga {line}: non leggibile"));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let value = |name: &str| {
            let index = columns.iter().position(|column| column == name)?;
            record.get(index).map(str::trim).filter(|text| !text.is_empty())
        };
        let Some(codice) = value(needed[0]).map(str::to_owned) else {
            errors.push(format!("riga {line}: manca {}", needed[0]));
            continue;
        };
        if !seen.insert(codice.clone()) {
            errors.push(format!("riga {line}: il codice {codice} compare due volte"));
            continue;
        }
        let known = existing.get(codice.as_str()).copied();
        let before = known.map(|ente| &ente.anagrafica);
        let row = match formato {
            Formato::Varco => own(&columns, &value, richiesta, before),
            Formato::Ipa => ipa(&value, richiesta, before),
        };
        let command = match row {
            Ok((anagrafica, richiesta)) => match before {
                None => Command::Richiedi { codice, anagrafica, richiesta },
                Some(before) if *before == anagrafica => {
                    plan.unchanged += 1;
                    continue;
                }
                Some(_) => Command::Aggiorna { codice, anagrafica },
            },
            Err(what) => {
                errors.push(format!("riga {line}: {what}"));
                continue;
            }
        };
        match judge(&command, known, today) {
            Ok(()) => plan.commands.push(command),
            Err(what) => errors.push(format!("riga {line}: {}: {what}", command.codice())),
        }
    }
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

type Row = (Anagrafica, Richiesta);

/// A line of Varco's own layout. Of an ente that is there already, what has no column stays as it is; an empty cell empties.
fn own<'a>(
    columns: &[String],
    value: &impl Fn(&str) -> Option<&'a str>,
    default: &Richiesta,
    before: Option<&Anagrafica>,
) -> Result<Row, String> {
    let needed = |name: &str| value(name).map(str::to_owned).ok_or_else(|| format!("manca {name}"));
    let many = |name: &str| value(name).map_or_else(Vec::new, |text| text.split('|').map(|part| part.trim().to_owned()).collect());
    let or = |name: &str, default: &str| value(name).unwrap_or(default).to_owned();
    let list = |name: &str, default: &[String]| if value(name).is_some() { many(name) } else { default.to_vec() };
    let kept = |name: &str| before.filter(|_| !columns.iter().any(|column| column == name));
    let tipo = needed("tipo")?;
    let tipo = Tipo::by_name(&tipo).ok_or_else(|| "tipo sconosciuto: comune, caf, ente-erogatore, universita, altro".to_owned())?;
    let parti = match kept("parti") {
        Some(before) => before.parti.clone(),
        None => many("parti").iter().map(|text| parte(text)).collect::<Result<_, _>>()?,
    };
    let anagrafica = Anagrafica {
        denominazione: needed("denominazione")?,
        codice_fiscale: needed("codice_fiscale")?,
        tipo,
        codice_ipa: kept("codice_ipa").map_or_else(|| value("codice_ipa").map(str::to_owned), |before| before.codice_ipa.clone()),
        contatti: kept("contatti").map_or_else(|| many("contatti"), |before| before.contatti.clone()),
        parti,
    };
    let richiesta = Richiesta {
        pec: or("pec", &default.pec),
        base_giuridica: or("base_giuridica", &default.base_giuridica),
        finalita: or("finalita", &default.finalita),
        operazioni: list("operazioni", &default.operazioni),
        prestazioni: list("prestazioni", &default.prestazioni),
    };
    Ok((anagrafica, richiesta))
}

/// A line of the IPA's. Of an ente that is there already it changes name and codice fiscale alone: type, contacts and parties are the operator's.
fn ipa<'a>(value: &impl Fn(&str) -> Option<&'a str>, default: &Richiesta, before: Option<&Anagrafica>) -> Result<Row, String> {
    let needed = |name: &str| value(name).map(str::to_owned).ok_or_else(|| format!("manca {name}"));
    // Categories of the IPA: L6 municipalities and their associations, L17 universities; others grant benefits, or do something else.
    let tipo = match needed("Codice_Categoria")?.as_str() {
        "L6" => Tipo::Comune,
        "L17" => Tipo::Universita,
        _ => Tipo::EnteErogatore,
    };
    let new = Anagrafica {
        denominazione: needed("Denominazione_ente")?,
        codice_fiscale: needed("Codice_fiscale_ente")?,
        tipo,
        codice_ipa: Some(needed("Codice_IPA")?),
        contatti: value("Mail1").map(str::to_owned).into_iter().collect(),
        parti: Vec::new(),
    };
    let anagrafica = match before {
        None => new,
        Some(before) => Anagrafica {
            denominazione: new.denominazione,
            codice_fiscale: new.codice_fiscale,
            codice_ipa: before.codice_ipa.clone().or(new.codice_ipa),
            ..before.clone()
        },
    };
    Ok((anagrafica, default.clone()))
}

/// A party of SPCoop from `tipo:nome`.
pub fn parte(text: &str) -> Result<Parte, String> {
    let (tipo, nome) = text.split_once(':').ok_or("parte SPCoop: attesa nella forma tipo:nome")?;
    Ok(Parte { tipo: tipo.trim().to_owned(), nome: nome.trim().to_owned() })
}

/// The registry as a table in Varco's own layout.
pub fn table(enti: &[Ente]) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(COLUMNS);
    for ente in enti {
        let Anagrafica { denominazione, codice_fiscale, tipo, codice_ipa, contatti, parti } = &ente.anagrafica;
        let parti: Vec<String> = parti.iter().map(|parte| format!("{}:{}", parte.tipo, parte.nome)).collect();
        let richiesta = &ente.richiesta;
        let _ = writer.write_record([
            &ente.codice,
            denominazione,
            codice_fiscale,
            tipo.name(),
            codice_ipa.as_deref().unwrap_or_default(),
            &contatti.join("|"),
            &parti.join("|"),
            &richiesta.pec,
            &richiesta.base_giuridica,
            &richiesta.finalita,
            &richiesta.operazioni.join("|"),
            &richiesta.prestazioni.join("|"),
        ]);
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 11, 22);

    fn asked() -> Richiesta {
        Richiesta {
            pec: "PEC 12/2026".to_owned(),
            base_giuridica: "DPCM 159/2013".to_owned(),
            finalita: "prestazioni sociali".to_owned(),
            ..Richiesta::default()
        }
    }

    #[test]
    fn the_open_data_of_the_ipa_are_read() {
        let text = "Codice_IPA,Denominazione_ente,Codice_fiscale_ente,Codice_Categoria,CAP,Mail1\n\
            c_x000,\"Comune di Esempio, in prova\",01234567897,L6,00100,protocollo@pec.example\nuni_x,Università di Esempio,09876543217,L17,,\n";
        let plan = plan(text, Formato::Ipa, &asked(), &[], DAY).unwrap();
        let [Command::Richiedi { codice, anagrafica, richiesta }, Command::Richiedi { anagrafica: second, .. }] = plan.commands.as_slice()
        else {
            panic!("{plan:?}")
        };
        assert_eq!((codice.as_str(), anagrafica.tipo, anagrafica.codice_ipa.as_deref()), ("c_x000", Tipo::Comune, Some("c_x000")));
        assert_eq!(anagrafica.contatti, ["protocollo@pec.example"]);
        assert_eq!((second.tipo, richiesta), (Tipo::Universita, &asked()));
    }

    #[test]
    fn every_error_is_told_with_its_line() {
        let text = "codice;denominazione;codice_fiscale;tipo\nuno;;01234567897;comune\ndue;Due;01234567897;altra\ntre;Tre;01234567897;caf\ntre;Tre;01234567897;caf\n";
        let errors = plan(text, Formato::Varco, &asked(), &[], DAY).unwrap_err();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(
            errors[0].starts_with("riga 2: manca denominazione")
                && errors[1].starts_with("riga 3: tipo")
                && errors[2].starts_with("riga 5:")
        );
        assert_eq!(plan("codice\n", Formato::Ipa, &asked(), &[], DAY).unwrap_err().len(), 4);
    }

    #[test]
    fn what_is_exported_is_imported_unchanged() {
        let text = "codice;denominazione;codice_fiscale;tipo;codice_ipa;contatti;parti\nuno;Uno;01234567897;comune;c_x;a@b|06 1;SPC:Uno\n";
        let first = plan(text, Formato::Varco, &asked(), &[], DAY).unwrap();
        let [Command::Richiedi { codice, anagrafica, richiesta }] = first.commands.as_slice() else { panic!("{first:?}") };
        let ente: Ente = serde_json::from_value(serde_json::json!({
            "codice": codice, "denominazione": anagrafica.denominazione, "codice_fiscale": anagrafica.codice_fiscale, "tipo": "comune",
            "codice_ipa": "c_x", "contatti": anagrafica.contatti, "parti": anagrafica.parti, "stato": "richiesta", "richiesta": richiesta,
        }))
        .unwrap();
        let again = plan(&table(std::slice::from_ref(&ente)), Formato::Varco, &Richiesta::default(), &[ente], DAY).unwrap();
        assert_eq!(again, Plan { commands: Vec::new(), unchanged: 1 });
    }
}
