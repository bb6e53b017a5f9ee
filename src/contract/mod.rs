//! The contract: the files under `wsdl/` are what is served, what validates, and what the types mirror.
//!
//! - [`catalogue`]: the operations, as data.
//! - [`Contract`]: the compiled schemas; a body goes in, a typed [`Request`] or every [`Finding`] comes out.
//! - [`bind`]: one line for each element and attribute, from which decoding and encoding are made; `dsu`, `esiti`,
//!   [`consultazione`], [`trasmissione`]: the lines.
//! - [`wsdl`]: the files, served with the address that was asked.

pub mod bind;
pub mod catalogue;
pub mod consultazione;
mod dsu;
mod esiti;
pub mod trasmissione;
pub mod wsdl;

#[cfg(test)]
mod binding_tests;

use crate::digest::sha256;
use crate::isee::attestazione::{EsitoAttestazione, Indicatore};
use crate::isee::checks::Difetto;
use crate::isee::dsu::Dichiarazione;
use crate::xml::schema::{ElementId, Report, SchemaError, SchemaSet};
use crate::xml::writer::{Style, Writer};
use crate::xml::{Document, Element, canonical};

use bind::{Content, Undecodable};
use catalogue::Operation;
use consultazione::{ConsultazioneAttestazione, ConsultazioneIndicatore, RichiestaAttestazione, RichiestaIndicatore};

/// The namespace of DSU and payloads.
pub const ISEE_NS: &str = "http://inps.it/ISEERiforma";
/// The namespace of the receipt.
pub const RICEVUTA_NS: &str = "urn:varco:ricevuta:1";

/// The compiled contract.
#[derive(Debug)]
pub struct Contract {
    schemas: SchemaSet,
}

/// A request that is valid against its schema.
#[derive(Debug)]
pub enum Request {
    /// ConsultazioneIndicatore; the inner request may be absent.
    Indicatore(Option<RichiestaIndicatore>),
    /// ConsultazioneAttestazione; the inner request may be absent.
    Attestazione(Option<RichiestaAttestazione>),
    /// TrasmissioneDSU.
    Trasmissione(Box<Trasmessa>),
}

/// A DSU as it came.
#[derive(Debug)]
pub struct Trasmessa {
    /// What it says.
    pub dsu: Dichiarazione,
    /// Its exclusive canonical form: what is fingerprinted and kept.
    pub canonical: String,
    /// SHA-256 of the canonical form.
    pub impronta: [u8; 32],
}

/// One thing wrong with a request, placed in the message as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check and its rule.
    pub code: &'static str,
    /// From the body's root.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// In Italian; never a value.
    pub text: String,
}

/// All that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// In document order.
    pub list: Vec<Finding>,
    /// How many more there are.
    pub more: usize,
}

impl Contract {
    /// Compiles the embedded schemas.
    pub fn compile() -> Result<Self, SchemaError> {
        let contract = Self { schemas: SchemaSet::compile(&wsdl::schemas())? };
        Ok(contract)
    }

    /// The compiled schemas.
    pub fn schemas(&self) -> &SchemaSet {
        &self.schemas
    }

    /// Judges the body's root against its schema and makes the typed request of it.
    pub fn read(&self, operation: Operation, body: Element<'_, '_>) -> Result<Request, Findings> {
        let root = self.schemas.root(operation.namespace(), operation.root());
        let Some(root) = root else { return Err(Findings::default()) };
        self.judge(body, root)?;
        let undecodable = |error: Undecodable| Findings {
            list: vec![finding(body, "K01.valore", format!("/{}", operation.root()), format!("valore non leggibile: {}", error.0))],
            more: 0,
        };
        Ok(match operation {
            Operation::ConsultazioneIndicatore => Request::Indicatore(ConsultazioneIndicatore::decode(body).map_err(undecodable)?.request),
            Operation::ConsultazioneAttestazione => {
                Request::Attestazione(ConsultazioneAttestazione::decode(body).map_err(undecodable)?.request)
            }
            Operation::TrasmissioneDsu => {
                let dichiarazione = body.child(ISEE_NS, "Dichiarazione").ok_or(Undecodable("Dichiarazione")).map_err(undecodable)?;
                let dsu = Dichiarazione::decode(dichiarazione).map_err(undecodable)?;
                let canonical = canonical::exclusive(dichiarazione);
                let impronta = sha256(canonical.as_bytes());
                Request::Trasmissione(Box::new(Trasmessa { dsu, canonical, impronta }))
            }
        })
    }

    fn judge(&self, element: Element<'_, '_>, root: ElementId) -> Result<(), Findings> {
        let Report { violations, more } = self.schemas.validate(element, root);
        if violations.is_empty() {
            return Ok(());
        }
        let list = violations.into_iter().map(|v| Finding {
            code: v.breach.code(),
            text: v.breach.italian(),
            path: v.path,
            line: v.line,
            column: v.column,
        });
        Err(Findings { list: list.collect(), more })
    }
}

/// Places a formal check's defects in the message: their paths start at the Dichiarazione.
pub fn place(defects: Vec<Difetto>, body: Element<'_, '_>) -> Vec<Finding> {
    defects
        .into_iter()
        .map(|defect| {
            let (element, attribute) = find(body, &defect.path);
            let own = attribute.and_then(|name| element.attributes().iter().find(|a| a.local() == name));
            let offset = own.map_or(element.offset(), |attribute| attribute.offset());
            let place = element.document().place(offset);
            Finding {
                code: defect.code,
                path: format!("/{}{}", body.local(), defect.path),
                line: place.line,
                column: place.column,
                text: defect.text.to_owned(),
            }
        })
        .collect()
}

/// Follows a path from `body` as far as it goes; what it names may be missing, which may be just what is wrong.
fn find<'d, 's, 'p>(body: Element<'d, 's>, path: &'p str) -> (Element<'d, 's>, Option<&'p str>) {
    let mut element = body;
    for step in path.split('/').filter(|step| !step.is_empty()) {
        if let Some(attribute) = step.strip_prefix('@') {
            return (element, Some(attribute));
        }
        let (name, position) = match step.split_once('[') {
            Some((name, position)) => (name, position.trim_end_matches(']').parse::<usize>().unwrap_or(1)),
            None => (step, 1),
        };
        let next = element.children().filter(|child| child.local() == name).nth(position.saturating_sub(1));
        match next {
            Some(next) => element = next,
            None => break,
        }
    }
    (element, None)
}

fn finding(element: Element<'_, '_>, code: &'static str, path: String, text: String) -> Finding {
    let place = element.document().place(element.offset());
    Finding { code, path, line: place.line, column: place.column, text }
}

/// A payload in INPS's shape: `xmlns:xsi` first, then the default namespace, then attributes and children.
fn payload<T: Content>(name: &'static str, value: &T) -> String {
    let mut writer = Writer::document(Style::Inps);
    writer.open(name);
    writer.attribute("xmlns:xsi", crate::xml::XSI);
    writer.attribute("xmlns", ISEE_NS);
    value.encode(&mut writer);
    writer.close();
    writer.finish()
}

/// The payload of ConsultazioneIndicatore.
pub fn indicatore(value: &Indicatore) -> String {
    payload("Indicatore", value)
}

/// The payload of ConsultazioneAttestazione.
pub fn esito_attestazione(value: &EsitoAttestazione) -> String {
    payload("EsitoAttestazione", value)
}

/// A message in a default namespace, on one line: replies, receipts, what is kept.
pub fn message<T: Content>(name: &'static str, namespace: &str, value: &T, declaration: bool) -> String {
    let mut writer = if declaration { Writer::document(Style::Compact) } else { Writer::fragment(Style::Compact) };
    writer.open(name);
    writer.attribute("xmlns", namespace);
    value.encode(&mut writer);
    writer.close();
    writer.finish()
}

/// Reads back what [`message`] wrote.
pub fn decode<T: Content>(document: &Document<'_>) -> Result<T, Undecodable> {
    T::decode(document.root())
}

/// The text of the first element with that name, in a reply that we wrote ourselves: unprefixed, without attributes. For people and tests, not for
/// reading what comes from outside.
pub fn esiti_text<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
