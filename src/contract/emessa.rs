//! Attestations as they are kept: the text that goes out in a reply, written once and copied each time.

use std::borrow::Cow;

use super::bind::{ElementContent, ElementField};
use super::reading::persons;
use super::text::ISEE_NS;
use crate::isee::CodiceFiscale;
use crate::isee::attestazione::{Attestazione, Ricerca};
use crate::xml::writer::{Style, Writer};
use crate::xml::{DocumentLimits, XSI, parse};

/// An attestation as it stands in the payload of ConsultazioneAttestazione: without namespaces of its own.
pub fn attestazione_emessa(attestazione: &Attestazione) -> String {
    const INSIDE: &str = "a";
    let mut writer = Writer::fragment(Style::Inps);
    writer.open(INSIDE);
    ElementField::encode(attestazione, "Attestazione", &mut writer);
    writer.finish().split_off(INSIDE.len() + 2)
}

/// The payload of ConsultazioneAttestazione, around an attestation made by [`attestazione_emessa`].
pub fn esito_attestazione_di(emessa: &str, ricerca: &Ricerca) -> String {
    let mut writer = Writer::document(Style::Inps);
    writer.open("EsitoAttestazione");
    writer.attribute("xmlns:xsi", XSI);
    writer.attribute("xmlns", ISEE_NS);
    writer.raw(emessa);
    ElementField::encode(ricerca, "Ricerca", &mut writer);
    writer.close();
    writer.finish()
}

/// Reads a kept attestation: one made by [`attestazione_emessa`], or a document of its own, as in sealed
/// parts of version 1. Also returns the codici fiscali of all persons in it.
pub fn attestazione_letta(text: &str) -> Result<(Attestazione, Vec<String>), Unread> {
    let around = match text.starts_with("<Attestazione ") {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("<a xmlns=\"{ISEE_NS}\" xmlns:xsi=\"{XSI}\">{text}</a>")),
    };
    let document = parse(&around, &DocumentLimits::default()).map_err(|_| Unread)?;
    let root = document.root();
    let element = match root.local() {
        "Attestazione" => root,
        _ => root.children().next().ok_or(Unread)?,
    };
    let attestazione = ElementContent::decode(element).map_err(|_| Unread)?;
    Ok((attestazione, persons(element)))
}

/// The codici fiscali of all persons in an attestation made by [`attestazione_emessa`]: as [`persons`] finds
/// them, without reading the text as XML. Our own text has one form of attributes.
pub fn persone_di(emessa: &str) -> Vec<String> {
    const NAME: &str = " CodiceFiscale";
    let attributes = emessa
        .split(NAME)
        .skip(1)
        .filter(|rest| !rest.starts_with("Operatore="));
    let mut list: Vec<String> = Vec::new();
    for rest in attributes {
        let value = rest
            .split_once("=\"")
            .and_then(|(_, value)| value.split_once('"'));
        let code = value.map(|(value, _)| CodiceFiscale::new(value).canonical());
        list.extend(code.filter(|code| code.chars().count() == 16 && !list.contains(code)));
    }
    list
}

/// A kept attestation that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attestation that cannot be read")]
pub struct Unread;
