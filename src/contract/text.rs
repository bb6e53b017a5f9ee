//! Typed values as text, and text as typed values.

use super::bind::{ElementContent, Undecodable};
use crate::isee::attestazione::{EsitoAttestazione, EsitoDichiarazione, Indicatore};
use crate::xml::writer::{Style, Writer};
use crate::xml::{Document, XSI};

/// The namespace of DSU and payloads.
pub const ISEE_NS: &str = "http://inps.it/ISEERiforma";

/// The namespace of the receipt.
pub const RICEVUTA_NS: &str = "urn:varco:ricevuta:1";

/// A payload in INPS's shape: `xmlns:xsi` first, then the default namespace, then attributes and children.
fn payload<T: ElementContent>(name: &'static str, value: &T) -> String {
    let mut writer = Writer::document(Style::Inps);
    writer.open(name);
    writer.attribute("xmlns:xsi", XSI);
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

/// The payload of ConsultazioneDichiarazione.
pub fn esito_dichiarazione(value: &EsitoDichiarazione) -> String {
    payload("EsitoDichiarazione", value)
}

/// A message in a default namespace, on one line: replies, receipts, kept documents.
pub fn message<T: ElementContent>(
    name: &'static str,
    namespace: &str,
    value: &T,
    declaration: bool,
) -> String {
    let mut writer = if declaration {
        Writer::document(Style::Compact)
    } else {
        Writer::fragment(Style::Compact)
    };
    writer.open(name);
    writer.attribute("xmlns", namespace);
    value.encode(&mut writer);
    writer.close();
    writer.finish()
}

/// Reads back a document written by [`message`].
pub fn decode<T: ElementContent>(document: &Document<'_>) -> Result<T, Undecodable> {
    T::decode(document.root())
}

/// The text of the first element of this name in one of our own replies: unprefixed, without attributes. For
/// people and tests, not for input from outside.
pub fn esiti_text<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after.split_once(&format!("</{name}>")).map(|(text, _)| text)
}
