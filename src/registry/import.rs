//! Many enti at once, from a table: in Varco's own layout, or in the layout of the open data of the Indice
//! delle Pubbliche Amministrazioni (data set `enti`).
//!
//! Every line is judged before anything is done: either all lines are right, or all errors are told at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::administration::{Command, judge, judge_request};
use super::ente::{Anagrafica, Ente, Parte, Richiesta, Tipo};
use super::tabella::{Tabella, parts};

/// The layout of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Formato {
    /// Varco's own, as `varco ente esporta` writes it.
    #[value(help = "come la scrive `varco ente esporta`")]
    Varco,
    /// The data set `enti` of the IPA.
    #[value(help = "l'insieme di dati `enti` dell'IPA")]
    Ipa,
}

/// The columns of Varco's own layout. Those with several values separate them with `|`.
pub const COLUMNS: [&str; 13] = [
    "codice",
    "denominazione",
    "codice_fiscale",
    "tipo",
    "codice_ipa",
    "codici_inps",
    "contatti",
    "parti",
    "pec",
    "base_giuridica",
    "finalita",
    "operazioni",
    "prestazioni",
];

/// The changes needed to bring the registry in line with a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Commands for new enti, and for enti with changed data.
    pub commands: Vec<Command>,
    /// The number of enti already as in the table.
    pub unchanged: usize,
    /// Enti with a request other than the table's: their codes, with the differing columns. A request once
    /// made stays.
    pub other_requests: Vec<(String, Vec<&'static str>)>,
}

/// Reads a table and compares it with the registered enti. `richiesta` fills the gaps of a line's request.
/// All errors at once, each with its line; in Italian.
pub fn plan(
    text: &str,
    formato: Formato,
    richiesta: &Richiesta,
    existing: &[Ente],
    today: Date,
) -> Result<Plan, Vec<String>> {
    let table = Tabella::read(text)?;
    let needed: &[&str] = match formato {
        Formato::Varco => &COLUMNS[..4],
        Formato::Ipa => &[
            "Codice_IPA",
            "Denominazione_ente",
            "Codice_fiscale_ente",
            "Codice_Categoria",
        ],
    };
    let mut errors = table.lacking(needed);
    let readable = errors.is_empty();
    if formato == Formato::Varco {
        errors.extend(table.misnamed(&COLUMNS));
    }
    if !readable {
        return Err(errors);
    }
    let mut codes = Codici::of(existing);
    let mut plan = Plan::default();
    for read in &table.lines {
        let read = match read {
            Ok(read) => read,
            Err(what) => {
                errors.push(what.clone());
                continue;
            }
        };
        let line = read.number;
        let value = |name: &str| table.cell(read, name);
        let row = codes
            .next(value(needed[0]), needed[0])
            .and_then(|(codice, known)| {
                let before = known.map(|ente| &ente.anagrafica);
                let row = match formato {
                    Formato::Varco => own(&table, &value, richiesta, before),
                    Formato::Ipa => ipa(&value, richiesta, before),
                }?;
                Ok((codice, known, row))
            });
        let (codice, known, row) = match row {
            Ok(row) => row,
            Err(what) => {
                errors.push(format!("riga {line}: {what}"));
                continue;
            }
        };
        let asked = known
            .filter(|_| formato == Formato::Varco)
            .map(|ente| said(&table, &value, richiesta, &ente.richiesta));
        let wrong = plan.add(&codice, known, row, asked, today);
        errors.extend(
            wrong
                .into_iter()
                .map(|what| format!("riga {line}: {codice}: {what}")),
        );
    }
    if errors.is_empty() { Ok(plan) } else { Err(errors) }
}

/// The codes of the registered enti and of the lines read so far.
struct Codici<'a> {
    registered: BTreeMap<&'a str, &'a Ente>,
    /// Each code by its lower case.
    by_case: BTreeMap<String, String>,
    seen: BTreeSet<String>,
}

impl<'a> Codici<'a> {
    fn of(existing: &'a [Ente]) -> Self {
        let codes = existing.iter().map(|ente| ente.codice.as_str());
        Codici {
            by_case: codes.map(|code| (code.to_lowercase(), code.to_owned())).collect(),
            registered: existing.iter().map(|ente| (ente.codice.as_str(), ente)).collect(),
            seen: BTreeSet::new(),
        }
    }

    /// The code of the next line, with its ente if it is registered.
    fn next(&mut self, code: Option<&str>, column: &str) -> Result<(String, Option<&'a Ente>), String> {
        let codice = code.map(str::to_owned).ok_or_else(|| format!("manca {column}"))?;
        if !self.seen.insert(codice.clone()) {
            return Err(format!("il codice {codice} compare due volte"));
        }
        let known = self.registered.get(codice.as_str()).copied();
        // Two codes differing by case alone are two enti. The operator may register the second by hand.
        match self.by_case.insert(codice.to_lowercase(), codice.clone()) {
            Some(alike) if known.is_none() && alike != codice => Err(format!(
                "{codice} e {alike} sono codici che differiscono soltanto per maiuscole e minuscole"
            )),
            _ => Ok((codice, known)),
        }
    }
}

impl Plan {
    /// Adds a line: what changes in the registry. `asked` is the request as the line has it, of a registered
    /// ente. Gives the faults.
    fn add(
        &mut self,
        codice: &str,
        known: Option<&Ente>,
        (anagrafica, richiesta): RigaImportata,
        asked: Option<Richiesta>,
        today: Date,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut other = Vec::new();
        if let Some((ente, asked)) = known.zip(asked) {
            other = differing(&asked, &ente.richiesta);
            if !other.is_empty() {
                wrong.extend(judge_request(&asked).err());
            }
        }
        let command = match known.map(|ente| &ente.anagrafica) {
            None => Some(Command::Richiedi {
                codice: codice.to_owned(),
                anagrafica,
                richiesta,
            }),
            Some(before) if *before == anagrafica => None,
            Some(before) => Some(Command::Aggiorna {
                codice: codice.to_owned(),
                anagrafica,
                letta: before.clone(),
            }),
        };
        match command.map(|command| judge(&command, known, today).map(|()| command)) {
            Some(Ok(command)) => self.commands.push(command),
            Some(Err(what)) => wrong.push(what),
            None if other.is_empty() => self.unchanged += 1,
            None => {}
        }
        if !other.is_empty() {
            self.other_requests.push((codice.to_owned(), other));
        }
        wrong
    }
}

/// The request an ente made, according to a line. A missing column leaves the registered value. So does an
/// empty cell of a text, or of a list with a value in `default`.
fn said<'a>(
    table: &Tabella,
    value: &impl Fn(&str) -> Option<&'a str>,
    default: &Richiesta,
    registered: &Richiesta,
) -> Richiesta {
    let one = |name: &str, registered: &str| value(name).unwrap_or(registered).to_owned();
    let list = |name: &str, default: &[String], registered: &[String]| match value(name) {
        Some(text) => parts(text),
        None if default.is_empty() && table.has(name) => Vec::new(),
        None => registered.to_vec(),
    };
    Richiesta {
        pec: one("pec", &registered.pec),
        base_giuridica: one("base_giuridica", &registered.base_giuridica),
        finalita: one("finalita", &registered.finalita),
        operazioni: list("operazioni", &default.operazioni, &registered.operazioni),
        prestazioni: list("prestazioni", &default.prestazioni, &registered.prestazioni),
    }
}

/// The columns with a difference between two requests. The order of operations and of benefits does not
/// count.
fn differing(said: &Richiesta, registered: &Richiesta) -> Vec<&'static str> {
    let same = |one: &[String], other: &[String]| {
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort_unstable();
            list
        };
        sorted(one) == sorted(other)
    };
    let all = [
        ("pec", said.pec.trim() == registered.pec.trim()),
        (
            "base_giuridica",
            said.base_giuridica.trim() == registered.base_giuridica.trim(),
        ),
        ("finalita", said.finalita.trim() == registered.finalita.trim()),
        ("operazioni", same(&said.operazioni, &registered.operazioni)),
        ("prestazioni", same(&said.prestazioni, &registered.prestazioni)),
    ];
    all.into_iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| name)
        .collect()
}

type RigaImportata = (Anagrafica, Richiesta);

/// A line of Varco's own layout. For a registered ente, a missing column leaves the value and an empty cell
/// clears it.
fn own<'a>(
    table: &Tabella,
    value: &impl Fn(&str) -> Option<&'a str>,
    default: &Richiesta,
    before: Option<&Anagrafica>,
) -> Result<RigaImportata, String> {
    let needed = |name: &str| {
        value(name)
            .map(str::to_owned)
            .ok_or_else(|| format!("manca {name}"))
    };
    let many = |name: &str| value(name).map_or_else(Vec::new, parts);
    let or = |name: &str, default: &str| value(name).unwrap_or(default).to_owned();
    let list = |name: &str, default: &[String]| {
        if value(name).is_some() {
            many(name)
        } else {
            default.to_vec()
        }
    };
    let kept = |name: &str| before.filter(|_| !table.has(name));
    let tipo = needed("tipo")?;
    let tipo = Tipo::by_name(&tipo)
        .ok_or_else(|| "tipo sconosciuto: comune, caf, ente-erogatore, universita, altro".to_owned())?;
    let parti = match kept("parti") {
        Some(before) => before.parti.clone(),
        None => many("parti")
            .iter()
            .map(|text| parte(text))
            .collect::<Result<_, _>>()?,
    };
    let anagrafica = Anagrafica {
        denominazione: needed("denominazione")?,
        codice_fiscale: needed("codice_fiscale")?,
        tipo,
        codice_ipa: kept("codice_ipa").map_or_else(
            || value("codice_ipa").map(str::to_owned),
            |before| before.codice_ipa.clone(),
        ),
        codici_inps: kept("codici_inps")
            .map_or_else(|| many("codici_inps"), |before| before.codici_inps.clone()),
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

/// A line of the IPA's. For a registered ente it changes name and codice fiscale, and adds a missing codice
/// IPA: type, contacts and parties are the operator's.
fn ipa<'a>(
    value: &impl Fn(&str) -> Option<&'a str>,
    default: &Richiesta,
    before: Option<&Anagrafica>,
) -> Result<RigaImportata, String> {
    let needed = |name: &str| {
        value(name)
            .map(str::to_owned)
            .ok_or_else(|| format!("manca {name}"))
    };
    // Categories of the IPA: L6 municipalities and their associations, L17 universities; others grant
    // benefits, or do something else.
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
        codici_inps: Vec::new(),
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
    let (tipo, nome) = text
        .split_once(':')
        .ok_or("parte SPCoop: attesa nella forma tipo:nome")?;
    Ok(Parte {
        tipo: tipo.trim().to_owned(),
        nome: nome.trim().to_owned(),
    })
}

/// The registry as a table in Varco's own layout.
pub fn table(enti: &[Ente]) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(COLUMNS);
    for ente in enti {
        let Anagrafica {
            denominazione,
            codice_fiscale,
            tipo,
            codice_ipa,
            codici_inps,
            contatti,
            parti,
        } = &ente.anagrafica;
        let parti: Vec<String> = parti
            .iter()
            .map(|parte| format!("{}:{}", parte.tipo, parte.nome))
            .collect();
        let richiesta = &ente.richiesta;
        let _ = writer.write_record([
            &ente.codice,
            denominazione,
            codice_fiscale,
            tipo.name(),
            codice_ipa.as_deref().unwrap_or_default(),
            &codici_inps.join("|"),
            &contatti.join("|"),
            &parti.join("|"),
            &richiesta.pec,
            &richiesta.base_giuridica,
            &richiesta.finalita,
            &richiesta.operazioni.join("|"),
            &richiesta.prestazioni.join("|"),
        ]);
    }
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
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
        let [
            Command::Richiedi {
                codice,
                anagrafica,
                richiesta,
            },
            Command::Richiedi {
                anagrafica: second, ..
            },
        ] = plan.commands.as_slice()
        else {
            panic!("{plan:?}")
        };
        assert_eq!(
            (codice.as_str(), anagrafica.tipo, anagrafica.codice_ipa.as_deref()),
            ("c_x000", Tipo::Comune, Some("c_x000"))
        );
        assert_eq!(anagrafica.contatti, ["protocollo@pec.example"]);
        assert_eq!((second.tipo, richiesta), (Tipo::Universita, &asked()));
    }

    #[test]
    fn codes_that_differ_by_case_alone_are_named() {
        let line = |code: &str| format!("{code},Comune,01234567897,L6,\n");
        let text = format!(
            "Codice_IPA,Denominazione_ente,Codice_fiscale_ente,Codice_Categoria,Mail1\n{}{}{}",
            line("UNO"),
            line("due"),
            line("Due")
        );
        let errors = plan(&text, Formato::Ipa, &asked(), &[registered()], DAY).unwrap_err();
        let alike = |line: u64, one: &str, other: &str| {
            format!(
                "riga {line}: {one} e {other} sono codici che differiscono soltanto per maiuscole e minuscole"
            )
        };
        assert_eq!(errors, [alike(2, "UNO", "uno"), alike(4, "Due", "due")]);
        // The registered code itself is the ente's.
        assert!(
            plan(
                &text.replace("UNO", "uno").replace("Due", "tre"),
                Formato::Ipa,
                &asked(),
                &[registered()],
                DAY
            )
            .is_ok()
        );
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
        assert_eq!(
            plan("codice\n", Formato::Ipa, &asked(), &[], DAY)
                .unwrap_err()
                .len(),
            4
        );
    }

    /// A registered ente. It asked for an operation and two benefits.
    fn registered() -> Ente {
        serde_json::from_value(serde_json::json!({
            "codice": "uno", "denominazione": "Uno", "codice_fiscale": "01234567897", "tipo": "comune", "stato": "accreditato",
            "richiesta": {
                "pec": "PEC 12/2026", "base_giuridica": "DPCM 159/2013", "finalita": "prestazioni sociali",
                "operazioni": ["ConsultazioneIndicatore"], "prestazioni": ["A1.07", "A1.01"],
            },
        }))
        .unwrap()
    }

    #[test]
    fn fields_and_columns_are_those_of_the_header() {
        let text = "codice;denominazione;codice_fiscale;tipo;uffici;tipo;\nuno;Uno;01234567897;comune;1;comune;\ndue;Due;01234567897;caf\n\
            tre;Tre;01234567897;caf;1;caf;;\nquattro;;01234567897;caf;1;caf;\n";
        let errors = plan(text, Formato::Varco, &asked(), &[], DAY).unwrap_err();
        assert_eq!(
            errors,
            [
                "riga 1: colonna sconosciuta: uffici",
                "riga 1: la colonna tipo compare due volte",
                "riga 1: una colonna senza nome",
                "riga 3: ha 4 campi, l'intestazione ne ha 7",
                "riga 4: ha 8 campi, l'intestazione ne ha 7",
                "riga 5: manca denominazione",
            ]
        );
        let text = "codice;denominazione;codice_fiscale;Prestazioni\n";
        let errors = plan(text, Formato::Varco, &asked(), &[], DAY).unwrap_err();
        assert_eq!(
            errors,
            [
                "riga 1: manca la colonna tipo",
                "riga 1: colonna sconosciuta: Prestazioni"
            ]
        );
        let text = "Codice_IPA,Denominazione_ente,Codice_fiscale_ente,Codice_Categoria,CAP\nc_x,Comune, di X,01234567897,L6,00100\n";
        let errors = plan(text, Formato::Ipa, &asked(), &[], DAY).unwrap_err();
        assert_eq!(errors, ["riga 2: ha 6 campi, l'intestazione ne ha 5"]);
    }

    #[test]
    fn a_request_that_was_made_is_judged_and_not_changed() {
        let line = |cells: &str, default: &Richiesta| {
            let header =
                "codice;denominazione;codice_fiscale;tipo;pec;base_giuridica;finalita;operazioni;prestazioni";
            plan(
                &format!("{header}\nuno;Uno;01234567897;comune;{cells}\n"),
                Formato::Varco,
                default,
                &[registered()],
                DAY,
            )
        };
        let none = Richiesta::default();
        let same = Plan {
            unchanged: 1,
            ..Plan::default()
        };
        // Order does not count, nor does an empty text.
        assert_eq!(
            line(
                "PEC 12/2026;DPCM 159/2013;prestazioni sociali;ConsultazioneIndicatore;A1.01|A1.07",
                &none
            ),
            Ok(same.clone())
        );
        assert_eq!(
            line(
                ";;;ConsultazioneIndicatore;A1.07|A1.01",
                &Richiesta {
                    pec: "PEC 99".to_owned(),
                    ..asked()
                }
            ),
            Ok(same)
        );
        let other = |columns: &[&'static str]| {
            Ok(Plan {
                other_requests: vec![("uno".to_owned(), columns.to_vec())],
                ..Plan::default()
            })
        };
        assert_eq!(
            line(
                "PEC 13/2026;DPCM 159/2013;asili;ConsultazioneIndicatore|ConsultazioneAttestazione;A1.07|A1.01",
                &none
            ),
            other(&["pec", "finalita", "operazioni"])
        );
        assert_eq!(
            line(";;;ConsultazioneIndicatore;A1.07", &asked()),
            other(&["prestazioni"])
        );
        let wrong = |cells: &str| line(cells, &asked()).unwrap_err();
        assert_eq!(
            wrong(";;;Consultazione;A1.07|A1.01"),
            ["riga 2: uno: operazione sconosciuta: Consultazione"]
        );
        assert_eq!(
            wrong(";;;ConsultazioneIndicatore;Z9"),
            ["riga 2: uno: prestazione sconosciuta: Z9"]
        );
        // Told of an ente with changed data too.
        let text = "codice;denominazione;codice_fiscale;tipo;pec\nuno;Primo;01234567897;comune;PEC 13/2026\n";
        let both = plan(text, Formato::Varco, &none, &[registered()], DAY).unwrap();
        assert!(
            matches!(both.commands.as_slice(), [Command::Aggiorna { letta, .. }] if letta.denominazione == "Uno"),
            "{both:?}"
        );
        assert_eq!(
            (both.unchanged, both.other_requests),
            (0, vec![("uno".to_owned(), vec!["pec"])])
        );
    }

    #[test]
    fn what_is_exported_is_imported_unchanged() {
        let text = "codice;denominazione;codice_fiscale;tipo;codice_ipa;contatti;parti\nuno;Uno;01234567897;comune;c_x;a@b|06 1;SPC:Uno\n";
        let first = plan(text, Formato::Varco, &asked(), &[], DAY).unwrap();
        let [
            Command::Richiedi {
                codice,
                anagrafica,
                richiesta,
            },
        ] = first.commands.as_slice()
        else {
            panic!("{first:?}")
        };
        let ente: Ente = serde_json::from_value(serde_json::json!({
            "codice": codice, "denominazione": anagrafica.denominazione, "codice_fiscale": anagrafica.codice_fiscale, "tipo": "comune",
            "codice_ipa": "c_x", "contatti": anagrafica.contatti, "parti": anagrafica.parti, "stato": "richiesta", "richiesta": richiesta,
        }))
        .unwrap();
        let again = plan(
            &table(std::slice::from_ref(&ente)),
            Formato::Varco,
            &Richiesta::default(),
            &[ente],
            DAY,
        )
        .unwrap();
        assert_eq!(
            again,
            Plan {
                unchanged: 1,
                ..Plan::default()
            }
        );
    }
}
