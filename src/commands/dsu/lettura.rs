//! Files of DSU: reads and judges them.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;

use super::super::uso::Uso;
use crate::config::Config;
use crate::contract::bind::{Base64, ElementContent as _};
use crate::contract::{Contract, Finding, Findings, ISEE_NS, SchemaRule, Trasmessa, place_declaration};
use crate::isee::checks::{Check, Circumstance, Difetto, examine};
use crate::isee::codes::TipoOperazione;
use crate::sii::SiiSettings;
use crate::xml::encoding::EncodingError;
use crate::xml::{DocumentLimits, Element, XmlError, XmlFault, encoding, parse};

/// The port's means to judge and compute: contract and settings.
pub(super) struct Port {
    contract: Contract,
    pub(super) settings: SiiSettings,
}

impl Port {
    /// With the embedded settings, or those of a configuration.
    pub(super) fn new(config: Option<&Path>) -> Result<Self> {
        let settings = match config {
            Some(file) => SiiSettings::configured(&Config::read(file).map_err(Uso::of)?)?,
            None => SiiSettings::embedded()?,
        };
        Ok(Self {
            contract: Contract::compile()?,
            settings,
        })
    }
}

/// A DSU in a file, with its violations and warnings.
pub(super) struct Letta {
    /// Its place: the file, and whether it is enclosed there as bytes.
    pub(super) dove: String,
    pub(super) trasmessa: Option<Trasmessa>,
    pub(super) violazioni: Findings,
    pub(super) avvertenze: Vec<Finding>,
}

impl Letta {
    fn illeggibile(
        dove: String,
        (line, column): (u32, u32),
        code: &'static str,
        text: impl Into<String>,
    ) -> Self {
        let finding = Finding {
            code,
            path: "/".to_owned(),
            line,
            column,
            text: text.into(),
        };
        Self {
            dove,
            trasmessa: None,
            violazioni: Findings {
                list: vec![finding],
                more: 0,
            },
            avvertenze: Vec::new(),
        }
    }

    fn xml(dove: String, error: &XmlError) -> Self {
        Self::illeggibile(
            dove,
            (error.place.line, error.place.column),
            SchemaRule::K01Xml.code(),
            error.fault.italian(),
        )
    }

    fn codifica(dove: String, error: EncodingError) -> Self {
        let text = match error {
            EncodingError::Unsupported => {
                "codifica non ammessa: ASCII, UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 o windows-1252"
                    .to_owned()
            }
            EncodingError::Invalid(at) => format!("byte non validi nella codifica dichiarata, dal byte {at}"),
        };
        Self::illeggibile(dove, (1, 1), SchemaRule::K01Xml.code(), text)
    }

    /// The number of violations, described or only counted.
    pub(super) fn quante(&self) -> usize {
        self.violazioni.list.len() + self.violazioni.more
    }
}

/// Every Dichiarazione of a file: the root; elements inside it, as in a SOAP message or a lot; or bytes
/// enclosed in it.
fn each(file: &Path, mut act: impl FnMut(String, Element<'_, '_>) -> Letta) -> Result<Vec<Letta>> {
    let dove = file.display().to_string();
    let bytes =
        std::fs::read(file).map_err(|error| Uso(format!("{dove}: {}", crate::italian::io(&error))))?;
    let text = match encoding::decode(&bytes, None) {
        Ok(text) => text,
        Err(error) => return Ok(vec![Letta::codifica(dove, error)]),
    };
    // A processing instruction may stand before a DSU, not before a message.
    let message = parse(&text, &DocumentLimits::default());
    let document = match message {
        Err(XmlError {
            fault: XmlFault::ProcessingInstruction,
            ..
        }) => parse(&text, &DocumentLimits::of_document()).and_then(|document| {
            if document.root().is(ISEE_NS, "Dichiarazione") {
                Ok(document)
            } else {
                message
            }
        }),
        read => read,
    };
    let document = match document {
        Ok(document) => document,
        Err(error) => return Ok(vec![Letta::xml(dove, &error)]),
    };
    let mut found = Vec::new();
    descendants(
        document.root(),
        &|element| element.is(ISEE_NS, "Dichiarazione"),
        &mut found,
    );
    if !found.is_empty() {
        return Ok(found
            .into_iter()
            .map(|element| act(dove.clone(), element))
            .collect());
    }
    descendants(
        document.root(),
        &|element| element.local() == "XmlDichiarazione",
        &mut found,
    );
    if found.is_empty() {
        let root = document.root();
        let text = format!(
            "nessuna Dichiarazione di {ISEE_NS}: la radice è {} di «{}»",
            root.local(),
            root.namespace()
        );
        return Ok(vec![Letta::illeggibile(
            dove,
            (1, 1),
            SchemaRule::K01Xml.code(),
            text,
        )]);
    }
    let dove = format!("{dove}, XmlDichiarazione");
    Ok(found
        .into_iter()
        .map(|element| enclosed(dove.clone(), element, &mut act))
        .collect())
}

/// A Dichiarazione enclosed as bytes: lines and columns are its own.
fn enclosed(
    dove: String,
    element: Element<'_, '_>,
    act: &mut impl FnMut(String, Element<'_, '_>) -> Letta,
) -> Letta {
    let Ok(Base64(bytes)) = Base64::decode(element) else {
        return Letta::illeggibile(dove, (1, 1), SchemaRule::K01Xml.code(), "base64 non valido");
    };
    let text = match encoding::decode(&bytes, None) {
        Ok(text) => text,
        Err(error) => return Letta::codifica(dove, error),
    };
    match parse(&text, &DocumentLimits::of_document()) {
        Ok(document) if document.root().is(ISEE_NS, "Dichiarazione") => act(dove, document.root()),
        Ok(_) => Letta::illeggibile(
            dove,
            (1, 1),
            SchemaRule::K01Xml.code(),
            format!("nessuna Dichiarazione di {ISEE_NS}"),
        ),
        Err(error) => Letta::xml(dove, &error),
    }
}

fn descendants<'d, 's>(
    element: Element<'d, 's>,
    wanted: &dyn Fn(Element<'d, 's>) -> bool,
    found: &mut Vec<Element<'d, 's>>,
) {
    if wanted(element) {
        found.push(element);
        return;
    }
    element
        .children()
        .for_each(|child| descendants(child, wanted, found));
}

/// The days by which a file is judged.
#[derive(Clone, Copy)]
pub(super) struct Giorni {
    /// The day of transmission.
    pub(super) today: Date,
    /// Replaces the day of presentation in the file.
    pub(super) presentata: Option<Date>,
    /// Of a correction: the day of presentation of the corrected DSU.
    pub(super) prima: Option<Date>,
}

/// Judges all DSU of a file as the port would.
pub(super) fn judge(file: &Path, port: &Port, giorni: Giorni) -> Result<Vec<Letta>> {
    let Port {
        contract,
        settings: SiiSettings {
            rules, calendario, ..
        },
    } = port;
    each(file, |dove, element| {
        let mut trasmessa = match contract.read_declaration(element) {
            Ok(trasmessa) => trasmessa,
            Err(violazioni) => {
                return Letta {
                    dove,
                    trasmessa: None,
                    violazioni,
                    avvertenze: Vec::new(),
                };
            }
        };
        if let Some(day) = giorni.presentata {
            trasmessa
                .dsu
                .sottoscrizione
                .iter_mut()
                .for_each(|signature| signature.data_sottoscrizione = day);
        }
        let presented = trasmessa.dsu.presentata().unwrap_or(giorni.today);
        let covered = rules.on(presented.min(giorni.today));
        let (mut list, mut avvertenze, mut more) = (Vec::new(), Vec::new(), 0);
        let first = giorni
            .prima
            .filter(|_| trasmessa.dsu.operazione.tipo == TipoOperazione::R);
        if let Some(set) = first
            .and_then(|first| rules.on(first))
            .or(covered)
            .or(rules.all().last())
        {
            let esame = examine(
                &trasmessa.dsu,
                &Circumstance {
                    presentata: first,
                    ..Circumstance::on(giorni.today, set, calendario)
                },
            );
            list = place_declaration(esame.difetti, element);
            avvertenze = place_declaration(esame.avvertenze, element);
            more = esame.altri;
        }
        if covered.is_none() {
            let text = "nessun insieme di regole per questa data di presentazione";
            let path = "/Dichiarazione/Sottoscrizione".to_owned();
            list.extend(place_declaration(
                vec![Difetto {
                    code: Check::K18Periodo,
                    path,
                    text,
                }],
                element,
            ));
        }
        list.sort_by_key(|finding| (finding.line, finding.column));
        Letta {
            dove,
            trasmessa: Some(trasmessa),
            violazioni: Findings { list, more },
            avvertenze,
        }
    })
}

/// The one DSU of a file, if the port would accept it. Its violations and warnings go to standard error.
pub(super) fn accepted(file: &Path, port: &Port, giorni: Giorni) -> Result<Trasmessa> {
    let mut lette = judge(file, port, giorni)?;
    if lette.len() > 1 {
        return Err(Uso(format!(
            "{}: {} DSU: se ne calcola una alla volta",
            file.display(),
            lette.len()
        ))
        .into());
    }
    let letta = lette.pop().context("a file without a DSU")?;
    for finding in &letta.violazioni.list {
        eprintln!("{}", line(&letta.dove, finding, "errore"));
    }
    for finding in &letta.avvertenze {
        eprintln!("{}", line(&letta.dove, finding, "avvertenza"));
    }
    let count = letta.quante();
    match letta.trasmessa {
        Some(trasmessa) if count == 0 => Ok(trasmessa),
        _ => bail!(
            "{}: violazioni: {count}: la DSU non sarebbe accettata",
            letta.dove
        ),
    }
}

/// Prints the faults that a declaration has because of another one, at their places in its file.
pub(super) fn refuse(file: &Path, difetti: Vec<Difetto>) -> anyhow::Error {
    let mut difetti = Some(difetti);
    let placed = each(file, |dove, element| {
        let list = place_declaration(difetti.take().unwrap_or_default(), element);
        Letta {
            dove,
            trasmessa: None,
            violazioni: Findings { list, more: 0 },
            avvertenze: Vec::new(),
        }
    });
    let lette = match placed {
        Ok(lette) => lette,
        Err(error) => return error,
    };
    for letta in &lette {
        for finding in &letta.violazioni.list {
            eprintln!("{}", line(&letta.dove, finding, "errore"));
        }
    }
    anyhow::anyhow!(
        "{}: la DSU non sarebbe accettata dopo quella di --base",
        file.display()
    )
}

/// One line, in the form of compilers: `file:line:column: kind: code: text (path)`.
pub(super) fn line(dove: &str, finding: &Finding, kind: &str) -> String {
    let Finding {
        code,
        path,
        line,
        column,
        text,
    } = finding;
    format!("{dove}:{line}:{column}: {kind}: {code}: {text} ({path})")
}
