//! From the bytes of a request to the defects of its DSU, for documents that grow in each place where a
//! schema lets them. Three steps are counted apart: reading, everything above reading, the formal checks
//! alone. A document that is enclosed in another is read above; a fourth step is that alone. A step costs as
//! many instructions a byte in a large document as in a small one.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hint::black_box;
use std::rc::Rc;

use base64::Engine as _;
use jiff::civil::{Date, date};
use varco::commands::requests;
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, ISEE_NS, LotPart, Request, Trasmessa, place};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, examine};
use varco::isee::rules::{RuleSet, Rules};
use varco::soap::{self, Version, envelope};
use varco::xml::{Document, DocumentLimits, parse, parse_outline};

use super::{Case, Work};
use kit::growing::{Frame, Growth, Maker, code, growths, kinds};

const TODAY: Date = date(2026, 3, 10);
/// The sizes of the documents: the larger is four times the smaller.
const SIZES: [usize; 2] = [64 << 10, 256 << 10];
/// The size that the port takes, and that of a lot; a value may be half as long as a message. The other is
/// small, since its cost a byte is known.
const FULL: [usize; 2] = [128 << 10, 2 << 20];
const FULL_LOT: [usize; 2] = [1 << 20, 16 << 20];
const FULL_VALUE: [usize; 2] = [64 << 10, 1020 << 10];

/// How many large DSU stand in a lot of such.
const LOT: usize = 4;

/// Schemas, rules and calendar: one set serves all documents.
struct Port {
    contract: Contract,
    rules: Rules,
    calendario: Calendario,
}

impl Port {
    fn circumstance(&self) -> Circumstance<'_> {
        Circumstance::on(TODAY, self.rule_set(), &self.calendario)
    }

    fn rule_set(&self) -> &RuleSet {
        self.rules.on(TODAY).expect("rules of that day")
    }
}

/// A document by the steps that it has gone: each case goes one, and the next begins where it ended.
#[derive(Default)]
struct Way {
    read: Option<Read>,
    dsu: Vec<Trasmessa>,
}

/// A document, and the DSU of a lot, each as one.
#[derive(Clone, Copy)]
struct Read {
    document: &'static Document<'static>,
    parts: &'static [LotPart<'static>],
}

/// A document that is made when it is its turn.
struct Made {
    name: String,
    operation: Operation,
    text: Box<dyn Fn() -> String>,
    /// Whether there is a DSU in it that its schema accepts.
    examined: bool,
    /// The enclosed document, if there is one.
    enclosed: Option<String>,
}

/// In the smaller sizes: each place of every request where an element may be repeated; of values, the first
/// of each operation.
pub fn cases() -> Vec<Case> {
    let port = port();
    let mut values = HashSet::new();
    let mut places = places(port);
    places.retain(|place| match place.growth.is_value() {
        true => values.insert((place.operation, place.growth.name.contains('@'))),
        // A correction is judged as a new DSU is, and signatures are whatever stands beside them.
        false => match kinds(&place.growth) {
            "NR" => place.kind == "N",
            kinds => kinds.len() == 1 || place.frame == Frame::First,
        },
    });
    let made = SIZES.iter().flat_map(|size| {
        places
            .iter()
            .map(|place| place.make(port, *size))
            .chain(strange(*size))
    });
    made.flat_map(|made| steps(port, made)).collect()
}

/// In the sizes that the port takes: every place, of every kind of operation.
pub fn full() -> Vec<Case> {
    let port = port();
    let places = places(port);
    let size = |place: &Place, at: usize| match place.operation {
        _ if place.growth.is_value() => FULL_VALUE[at],
        Operation::TrasmissioneLotto => FULL_LOT[at],
        _ => FULL[at],
    };
    let made = (0..2).flat_map(|at| {
        places
            .iter()
            .map(move |place| place.make(port, size(place, at)))
            .chain(strange(FULL[at]))
    });
    made.flat_map(|made| steps(port, made)).collect()
}

fn port() -> &'static Port {
    // For as long as the program runs.
    Box::leak(Box::new(Port {
        contract: Contract::compile().expect("the schemas"),
        rules: Rules::embedded().expect("the rules"),
        calendario: Calendario::default(),
    }))
}

/// A place where a request grows; of a DSU, in an operation of that kind.
#[derive(Clone)]
struct Place {
    operation: Operation,
    growth: Growth<'static>,
    kind: String,
    frame: Frame,
}

fn places(port: &'static Port) -> Vec<Place> {
    let mut places = Vec::new();
    for operation in Operation::ALL {
        for growth in growths(port.contract.schemas(), operation) {
            let (kinds, frames) = match operation {
                Operation::TrasmissioneDsu if !growth.is_value() => {
                    (kinds(&growth), &[Frame::First, Frame::Second][..])
                }
                Operation::TrasmissioneDsu => (&kinds(&growth)[..1], &[Frame::First][..]),
                _ => ("N", &[Frame::First][..]),
            };
            for (kind, frame) in kinds
                .chars()
                .flat_map(|kind| frames.iter().map(move |frame| (kind, *frame)))
            {
                places.push(Place {
                    operation,
                    growth: growth.clone(),
                    kind: kind.to_string(),
                    frame,
                });
            }
        }
    }
    places
}

impl Place {
    fn make(&self, port: &'static Port, size: usize) -> Made {
        let Self {
            operation,
            growth,
            kind,
            frame,
        } = self.clone();
        // An enclosed document is Base64 here: it grows, and no DSU can be read from it.
        let examined = growth.leads_through("Dichiarazione")
            && matches!(
                operation,
                Operation::TrasmissioneDsu | Operation::TrasmissioneLotto
            );
        let name = format!("{}:{kind}:{frame:?}@{}", growth.name, size >> 10);
        let text =
            move || Maker::new(port.contract.schemas()).request(operation, &growth, (&kind, frame), size);
        Made {
            name,
            operation,
            text: Box::new(text),
            examined,
            enclosed: None,
        }
    }
}

/// Documents that no schema describes: many defects, headers, an enclosed document, references.
fn strange(size: usize) -> Vec<Made> {
    let made = |name: &str, operation, examined, text: Box<dyn Fn() -> String>| Made {
        name: format!("{name}@{}", size >> 10),
        operation,
        text,
        examined,
        enclosed: None,
    };
    let dsu = Operation::TrasmissioneDsu;
    let inside = |piece: &'static str| -> Box<dyn Fn() -> String> {
        Box::new(move || {
            let pieces = piece.repeat(size / piece.len());
            requests::trasmissione(&format!(
                "<Dichiarazione xmlns=\"{ISEE_NS}\">{pieces}</Dichiarazione>"
            ))
        })
    };
    // A value may be half as long as a message, and Base64 makes it a third longer.
    let enclosed = size.min(FULL_VALUE[1] / 2);
    let sample = || requests::dsu("CAF00001-PROVA1-2026-N0000001", "2026-03-10");
    let accounts = move |account: &str, size: usize| {
        let sample = sample();
        let (before, after) = sample.split_once("</PatrimonioMobiliare>").expect("assets");
        format!(
            "{before}{}</PatrimonioMobiliare>{after}",
            account.repeat(size / account.len())
        )
    };
    let header = |block: &'static str| -> Box<dyn Fn() -> String> {
        Box::new(move || {
            let request = "<ConsultazioneEsitoDSU xmlns=\"urn:varco:trasmissione-dsu:1\"><ProtocolloDSU>1</ProtocolloDSU></ConsultazioneEsitoDSU>";
            let blocks = block.repeat(size / block.len());
            envelope(Version::V11, request).replacen(
                "<s:Body>",
                &format!("<s:Header>{blocks}</s:Header><s:Body>"),
                1,
            )
        })
    };
    let valid = "<Rapporto TipoRapporto=\"01\" Identificativo=\"1\" CodiceFiscaleOperatore=\"01234567897\"/>";
    let wrong = "<Rapporto TipoRapporto=\"?\" Identificativo=\"1\" CodiceFiscaleOperatore=\"\" Saldo3112=\"?\" a=\"\"/>";
    vec![
        made("elements", dsu, false, inside("<a/>")),
        made("texts", dsu, false, inside("x<Sottoscrizione/>")),
        made("order", dsu, false, inside("<Sottoscrizione/><Operazione/>")),
        made(
            "attributes",
            dsu,
            false,
            inside("<Operazione a=\"\" b=\"\" c=\"\" d=\"\" e=\"\" f=\"\"/>"),
        ),
        made(
            "values",
            dsu,
            false,
            Box::new(move || requests::trasmissione(&accounts(wrong, size))),
        ),
        made(
            "references",
            dsu,
            true,
            Box::new(move || {
                let note = format!(
                    "NoteSottoscrizione=\"{}\" LuogoSottoscrizione",
                    "&amp;".repeat(size / 5)
                );
                requests::trasmissione(&sample().replacen("LuogoSottoscrizione", &note, 1))
            }),
        ),
        Made {
            enclosed: Some(accounts(valid, enclosed)),
            ..made(
                "enclosed",
                dsu,
                true,
                Box::new(move || {
                    let bytes = base64::engine::general_purpose::STANDARD.encode(accounts(valid, enclosed));
                    let inside = format!("<XmlDichiarazione>{bytes}</XmlDichiarazione>");
                    envelope(
                        Version::V11,
                        &format!(
                            "<TrasmissioneDSU xmlns=\"{}\">{inside}</TrasmissioneDSU>",
                            dsu.namespace()
                        ),
                    )
                }),
            )
        },
        made(
            "lot",
            Operation::TrasmissioneLotto,
            true,
            Box::new(move || {
                let student = |number| {
                    let code = code(number);
                    format!(
                        "<Universitario CodiceFiscaleBeneficiario=\"{code}\" PresenzaGenitori=\"TuttiPresenti\"/>"
                    )
                };
                let students: String = (0..size / LOT / student(0).len()).map(student).collect();
                let full = sample()
                    .replacen("</ModelloBase>", &format!("{students}</ModelloBase>"), 1)
                    .repeat(LOT);
                envelope(
                    Version::V11,
                    &format!(
                        "<TrasmissioneLotto xmlns=\"{}\">{full}</TrasmissioneLotto>",
                        dsu.namespace()
                    ),
                )
            }),
        ),
        made(
            "headers",
            Operation::ConsultazioneEsitoDsu,
            false,
            header("<h xmlns=\"u\"/>"),
        ),
        made(
            "identities",
            Operation::ConsultazioneEsitoDsu,
            false,
            header("<Identity xmlns=\"http://inps.it/\"><a/><a/><a/></Identity>"),
        ),
    ]
}

/// The steps of a document, each of which begins where the one before ended.
fn steps(port: &'static Port, made: Made) -> Vec<Case> {
    let (made, way) = (Rc::new(made), Rc::new(RefCell::new(Way::default())));
    let step = |name: &str, prepare: Box<dyn Fn() -> Work>| Case {
        name: format!("{}:{name}", made.name),
        prepare,
    };
    let (one, reached) = (made.clone(), way.clone());
    let parse = step(
        "parse",
        Box::new(move || {
            let (one, reached) = (one.clone(), reached.clone());
            let text: &'static str = one.write();
            Box::new(move || reached.borrow_mut().read = Some(one.parse(black_box(text))))
        }),
    );
    let (one, reached) = (made.clone(), way.clone());
    let above = step(
        "above",
        Box::new(move || {
            let (one, reached) = (one.clone(), reached.clone());
            let read = *reached
                .borrow_mut()
                .read
                .get_or_insert_with(|| one.parse(one.write()));
            Box::new(move || reached.borrow_mut().dsu = one.judge(port, read))
        }),
    );
    let (one, reached) = (made.clone(), way);
    let checks = step(
        "checks",
        Box::new(move || {
            let way = reached.take();
            let dsu = if way.dsu.is_empty() {
                one.judge(port, one.parse(one.write()))
            } else {
                way.dsu
            };
            assert!(!dsu.is_empty(), "{}: no DSU that its schema accepts", one.name);
            Box::new(move || {
                for each in &dsu {
                    black_box(examine(&each.dsu, &port.circumstance()));
                }
            })
        }),
    );
    let one = made.clone();
    let enclosed = step(
        "enclosed",
        Box::new(move || {
            let one = one.clone();
            Box::new(move || {
                _ = black_box(parse_enclosed(black_box(
                    one.enclosed.as_deref().unwrap_or_default(),
                )))
            })
        }),
    );
    let all = [
        (parse, true),
        (above, true),
        (checks, made.examined),
        (enclosed, made.enclosed.is_some()),
    ];
    all.into_iter()
        .filter_map(|(step, wanted)| wanted.then_some(step))
        .collect()
}

impl Made {
    /// Its text, for as long as the program runs: what is read of it borrows from it. Its length stands
    /// beside its name, for who divides by it.
    fn write(&self) -> &'static str {
        let text = (self.text)();
        println!("{} {}", self.name, text.len());
        Box::leak(text.into_boxed_str())
    }

    fn parse(&self, text: &'static str) -> Read {
        let limits = DocumentLimits {
            nodes: usize::MAX,
            ..DocumentLimits::default()
        };
        let is_lot = self.operation == Operation::TrasmissioneLotto;
        let read = if is_lot {
            parse_outline(text, &limits, "Body", 3)
        } else {
            parse(text, &limits)
        };
        let document: &Document<'_> = Box::leak(Box::new(
            read.unwrap_or_else(|error| panic!("{}: {error}", self.name)),
        ));
        let mut parts = Vec::new();
        if is_lot {
            let call = soap::open(document).expect("an envelope");
            let each = |(index, part)| {
                LotPart::parse(part, index + 1)
                    .unwrap_or_else(|findings| panic!("{}: {findings:?}", self.name))
            };
            parts.extend(call.root.children().enumerate().map(each));
        }
        Read {
            document,
            parts: parts.leak(),
        }
    }

    /// All above reading, as far as the defects with their places.
    fn judge(&self, port: &Port, Read { document, parts }: Read) -> Vec<Trasmessa> {
        let call = soap::open(document).expect("an envelope");
        let examined = |dsu: &Trasmessa| examine(&dsu.dsu, &port.circumstance()).difetti;
        match black_box(port.contract.read(self.operation, call.root)) {
            Ok((Request::Trasmissione(dsu), _)) => {
                black_box(place(examined(&dsu), &dsu, call.root));
                vec![*dsu]
            }
            Ok((Request::Lotto, _)) => {
                let read = parts.iter().map(|part| {
                    let dsu = port
                        .contract
                        .read_part(part)
                        .unwrap_or_else(|findings| panic!("{}: {findings:?}", self.name));
                    black_box(part.place(examined(&dsu)));
                    dsu
                });
                read.collect()
            }
            _ => Vec::new(),
        }
    }
}

fn parse_enclosed(text: &str) -> usize {
    parse(text, &DocumentLimits::default())
        .expect("an enclosed document")
        .len()
}
