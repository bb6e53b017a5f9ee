//! From a body to a typed request, or to every finding; the parts of a lot; a DSU as received.

use super::bind::{Base64, ElementContent, Undecodable};
use super::catalogue::Operation;
use super::consultazione::{
    ConsultazioneAttestazione, ConsultazioneAttestazioneResidenti, ConsultazioneDichiarazione,
    ConsultazioneIndicatore, ConsultazioneSogliaIndicatore, RichiestaAttestazione, RichiestaIndicatore,
    RichiestaSoglia,
};
use super::regole::SchemaRule;
use super::text::ISEE_NS;
use super::trasmissione::{ChiaveDsu, ChiaveLotto, ConsultazioneEsitoDsu, ConsultazioneEsitoLotto};
use crate::digest::sha256;
use crate::isee::CodiceFiscale;
use crate::isee::checks::Difetto;
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::soap::Identity;
use crate::xml::schema::{ElementId, SchemaError, SchemaSet, Validation};
use crate::xml::{
    self, Document, DocumentLimits, Element, XSI, XmlError, canonical, encoding, parse, parse_part,
};
use std::collections::{HashMap, HashSet};

/// The contract: its schemas, compiled.
#[derive(Debug)]
pub struct Contract {
    schemas: SchemaSet,
}

/// A DSU with more persons is long: the feed may have each of them in another entry, and opens and reads it.
const MANY: usize = 10;

/// The largest number of DSU in a lot.
pub const MAX_LOT: usize = 500;

/// A request valid against its schema.
#[derive(Debug)]
pub enum Request {
    /// ConsultazioneIndicatore; the inner request may be absent.
    Indicatore(Option<RichiestaIndicatore>),
    /// ConsultazioneAttestazione and ConsultazioneAttestazioneResidenti; the inner request may be absent.
    Attestazione(Option<RichiestaAttestazione>),
    /// ConsultazioneDichiarazione; the inner request may be absent.
    Dichiarazione(Option<RichiestaAttestazione>),
    /// ConsultazioneSogliaIndicatore: a person and a threshold.
    Soglia(RichiestaSoglia),
    /// VerificaEsistenzaProtocollo: a protocol and its declarant.
    Protocollo(super::pdd::RichiestaProtocollo),
    /// TrasmissioneDSU: the DSU, decoded and fingerprinted.
    Trasmissione(Box<Trasmessa>),
    /// ConsultazioneEsitoDSU: the key of a DSU.
    EsitoDsu(ChiaveDsu),
    /// TrasmissioneLotto: its DSU are read one by one, by [`Contract::read_part`].
    Lotto,
    /// ConsultazioneEsitoLotto: the key of a lot.
    EsitoLotto(ChiaveLotto),
    /// Prova: a text to return.
    #[cfg(test)]
    Prova(super::prova::Prova),
}

impl Request {
    /// Whether answering may take long, however short the request. A long one reads a large DSU, or several,
    /// or the feed of many persons.
    pub fn is_long(&self) -> bool {
        match self {
            Self::Trasmissione(trasmessa) => {
                let Trasmessa { dsu, persone, .. } = &**trasmessa;
                dsu.operazione.tipo != TipoOperazione::N
                    || persone.len() > MANY
                    || dsu.riferimenti().next().is_some()
            }
            Self::Dichiarazione(_) | Self::EsitoDsu(_) | Self::Lotto | Self::EsitoLotto(_) => true,
            _ => false,
        }
    }
}

/// A DSU as received, decoded.
#[derive(Debug)]
pub struct Trasmessa {
    /// The decoded declaration.
    pub dsu: Dichiarazione,
    /// Its exclusive canonical form: fingerprinted and kept.
    pub canonical: String,
    /// SHA-256 of the canonical form.
    pub impronta: [u8; 32],
    /// Codici fiscali of all persons in it, canonical, 200 at most: the declarant, the nucleus, whoever else
    /// is named.
    pub persone: Vec<String>,
    /// Text of the DSU's own document, if the message enclosed it as bytes.
    enclosed: Option<String>,
}

/// One mistake in a request, placed in the message as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Code of the check and its rule.
    pub code: &'static str,
    /// Path from the body's root.
    pub path: String,
    /// Line of the mistake, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Description in Italian; never a value.
    pub text: String,
}

/// All mistakes in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The described ones, in document order.
    pub list: Vec<Finding>,
    /// The number of further ones.
    pub more: usize,
}

impl Contract {
    /// Compiles the embedded schemas.
    pub fn compile() -> Result<Self, SchemaError> {
        let contract = Self {
            schemas: SchemaSet::compile(&super::wsdl::schemas())?,
        };
        Ok(contract)
    }

    /// All schemas of the contract, compiled.
    pub fn schemas(&self) -> &SchemaSet {
        &self.schemas
    }

    /// Judges the body's root against its schema and makes the typed request of it. Adds the sender's
    /// identity, if the body names it.
    pub fn read(
        &self,
        operation: Operation,
        body: Element<'_, '_>,
    ) -> Result<(Request, Option<Identity>), Findings> {
        if operation == Operation::TrasmissioneLotto {
            return self.judge_lot(body).map(|()| (Request::Lotto, None));
        }
        let root = self.schemas.root(operation.namespace(), operation.root());
        let Some(root) = root else {
            return Err(Findings::default());
        };
        self.judge(body, root, None)?;
        self.decode(operation, body)
    }

    fn decode(
        &self,
        operation: Operation,
        body: Element<'_, '_>,
    ) -> Result<(Request, Option<Identity>), Findings> {
        fn of<T: ElementContent>(body: Element<'_, '_>) -> Result<T, Findings> {
            T::decode(body).map_err(|error| undecodable(body, error))
        }
        let ask = |request| Ok((request, None));
        match operation {
            Operation::ConsultazioneIndicatore => {
                ask(Request::Indicatore(of::<ConsultazioneIndicatore>(body)?.request))
            }
            Operation::ConsultazioneAttestazione => ask(Request::Attestazione(
                of::<ConsultazioneAttestazione>(body)?.request,
            )),
            Operation::ConsultazioneAttestazioneResidenti => ask(Request::Attestazione(
                of::<ConsultazioneAttestazioneResidenti>(body)?.request,
            )),
            Operation::ConsultazioneDichiarazione => ask(Request::Dichiarazione(
                of::<ConsultazioneDichiarazione>(body)?.request,
            )),
            Operation::ConsultazioneSogliaIndicatore => ask(Request::Soglia(
                of::<ConsultazioneSogliaIndicatore>(body)?.request,
            )),
            Operation::ConsultazioneEsitoDsu => {
                ask(Request::EsitoDsu(of::<ConsultazioneEsitoDsu>(body)?.chiave))
            }
            Operation::ConsultazioneEsitoLotto => {
                ask(Request::EsitoLotto(of::<ConsultazioneEsitoLotto>(body)?.chiave))
            }
            Operation::TrasmissioneLotto => ask(Request::Lotto),
            Operation::TrasmissioneDsu => match body.child(ISEE_NS, "Dichiarazione") {
                Some(dichiarazione) => ask(Request::Trasmissione(Box::new(received(dichiarazione, None)?))),
                None => ask(Request::Trasmissione(Box::new(self.read_enclosed(body)?))),
            },
            Operation::PddAttestazione => {
                let super::pdd::ConsultazioneAttestazione { mittente, request } = of(body)?;
                let request = RichiestaAttestazione {
                    chiave: request.attestazione.chiave(),
                };
                Ok((Request::Attestazione(Some(request)), Some(mittente.identity())))
            }
            Operation::PddDichiarazione => {
                let super::pdd::ConsultazioneDichiarazione { mittente, request } = of(body)?;
                let request = RichiestaAttestazione {
                    chiave: request.dichiarazione.chiave(),
                };
                Ok((Request::Dichiarazione(Some(request)), Some(mittente.identity())))
            }
            #[cfg(test)]
            Operation::Prova => ask(Request::Prova(of(body)?)),
            Operation::PddProtocollo => {
                let super::pdd::VerificaEsistenzaProtocollo { mittente, request } = of(body)?;
                Ok((Request::Protocollo(request), Some(mittente.identity())))
            }
        }
    }

    /// Reads a DSU sent as the bytes of a document, in any known encoding. Findings are placed in this
    /// document.
    fn read_enclosed(&self, body: Element<'_, '_>) -> Result<Trasmessa, Findings> {
        let element = body
            .child(Operation::TrasmissioneDsu.namespace(), "XmlDichiarazione")
            .unwrap_or(body);
        let wrong = |text: &str| {
            single(
                element,
                SchemaRule::K01Xml.code(),
                ENCLOSED.to_owned(),
                text.to_owned(),
            )
        };
        let Base64(bytes) = Base64::decode(element).map_err(|error| undecodable(element, error))?;
        let text = encoding::decode(&bytes, None)
            .map_err(|_| wrong("documento in una codifica non prevista, o non valido nella sua"))?;
        let document =
            parse(&text, &DocumentLimits::of_document()).map_err(|XmlError { fault, place }| Findings {
                list: vec![Finding {
                    code: SchemaRule::K01Xml.code(),
                    path: ENCLOSED.to_owned(),
                    line: place.line,
                    column: place.column,
                    text: fault.italian().to_owned(),
                }],
                more: 0,
            })?;
        let root = document.root();
        if !root.is(ISEE_NS, "Dichiarazione") {
            return Err(wrong(
                "la radice del documento non è Dichiarazione di http://inps.it/ISEERiforma",
            ));
        }
        self.judge_dsu(root, ENCLOSED)?;
        received(root, Some(text.to_string()))
    }

    /// Judges a lot as a whole: nothing but DSU, and not too many.
    fn judge_lot(&self, body: Element<'_, '_>) -> Result<(), Findings> {
        let wrong = |element, code, path: &str, text: &str| {
            Err(single(element, code, path.to_owned(), text.to_owned()))
        };
        let located = |attribute: &xml::Attribute<'_>| {
            attribute.namespace(body.document()) == XSI
                && matches!(attribute.local(), "schemaLocation" | "noNamespaceSchemaLocation")
        };
        if !body.attributes().iter().all(located) {
            return wrong(
                body,
                SchemaRule::K01Attributo.code(),
                "/TrasmissioneLotto/@*",
                "attributo non previsto",
            );
        }
        if body
            .texts()
            .any(|text| !text.trim_matches([' ', '\t', '\r', '\n']).is_empty())
        {
            return wrong(
                body,
                SchemaRule::K01Testo.code(),
                "/TrasmissioneLotto",
                "testo non previsto tra gli elementi",
            );
        }
        let mut count = 0;
        for child in body.children() {
            count += 1;
            if !child.is(ISEE_NS, "Dichiarazione") {
                return wrong(
                    child,
                    SchemaRule::K01Elemento.code(),
                    &format!("/TrasmissioneLotto/*[{count}]"),
                    "elemento non previsto: atteso Dichiarazione",
                );
            }
            if count > MAX_LOT {
                return wrong(
                    child,
                    SchemaRule::K01Lotto.code(),
                    "/TrasmissioneLotto",
                    "più di 500 Dichiarazione in un lotto",
                );
            }
        }
        if count == 0 {
            return wrong(
                body,
                SchemaRule::K01ElementoMancante.code(),
                "/TrasmissioneLotto",
                "elemento mancante: atteso Dichiarazione",
            );
        }
        Ok(())
    }

    /// Judges one DSU of a lot against its schema.
    pub fn read_part(&self, part: &LotPart<'_>) -> Result<Trasmessa, Findings> {
        let root = part.document.root();
        self.judge_dsu(root, &part.path)?;
        received(root, None)
    }

    /// Reads a Dichiarazione by itself, wherever in a document it stands.
    pub fn read_declaration(&self, dichiarazione: Element<'_, '_>) -> Result<Trasmessa, Findings> {
        self.judge_dsu(dichiarazione, "/Dichiarazione")?;
        received(dichiarazione, None)
    }

    fn judge_dsu(&self, dichiarazione: Element<'_, '_>, path: &str) -> Result<(), Findings> {
        let Some(root) = self.schemas.root(ISEE_NS, "Dichiarazione") else {
            return Err(Findings::default());
        };
        self.judge(dichiarazione, root, Some(path))
    }

    /// `whole` is the path of a Dichiarazione judged by itself.
    fn judge(&self, element: Element<'_, '_>, root: ElementId, whole: Option<&str>) -> Result<(), Findings> {
        let Validation { violations, more } = self.schemas.validate(element, root);
        if violations.is_empty() {
            return Ok(());
        }
        let list = violations.into_iter().map(|v| Finding {
            code: v.breach.code(),
            text: v.breach.italian(),
            path: whole.map_or_else(|| v.path.clone(), |whole| within(whole, &v.path)),
            line: v.line,
            column: v.column,
        });
        Err(Findings {
            list: list.collect(),
            more,
        })
    }
}

/// The path of an enclosed DSU.
const ENCLOSED: &str = "/TrasmissioneDSU/XmlDichiarazione/Dichiarazione";

/// Extends the path of a Dichiarazione with a path starting at it.
fn within(dichiarazione: &str, path: &str) -> String {
    format!(
        "{dichiarazione}{}",
        path.strip_prefix("/Dichiarazione").unwrap_or(path)
    )
}

fn undecodable(body: Element<'_, '_>, error: Undecodable) -> Findings {
    single(
        body,
        SchemaRule::K01Valore.code(),
        format!("/{}", body.local()),
        format!("valore non leggibile: {}", error.0),
    )
}

/// Decodes a valid Dichiarazione and takes its fingerprint.
fn received(dichiarazione: Element<'_, '_>, enclosed: Option<String>) -> Result<Trasmessa, Findings> {
    let dsu = Dichiarazione::decode(dichiarazione).map_err(|error| undecodable(dichiarazione, error))?;
    let canonical = canonical::exclusive(dichiarazione);
    let impronta = sha256(canonical.as_bytes());
    Ok(Trasmessa {
        dsu,
        canonical,
        impronta,
        persone: persons(dichiarazione),
        enclosed,
    })
}

/// The largest number of a DSU's persons in an entry: many times any family's, and as many as a leaf has room
/// for.
const MAX_PERSONS: usize = 200;

/// The codici fiscali of persons in a DSU or an attestation, each once, in document order. Those of bodies
/// (eleven digits) and of financial operators are left out.
pub fn persons(dichiarazione: Element<'_, '_>) -> Vec<String> {
    let mut found = Persons {
        seen: HashSet::new(),
        list: Vec::new(),
    };
    found.walk(dichiarazione);
    found.list
}

/// The persons found so far.
struct Persons {
    seen: HashSet<String>,
    list: Vec<String>,
}

impl Persons {
    fn walk(&mut self, element: Element<'_, '_>) {
        for attribute in element.attributes() {
            if attribute.local().starts_with("CodiceFiscale") && attribute.local() != "CodiceFiscaleOperatore"
            {
                self.name(attribute.value().trim());
            }
        }
        for child in element.children() {
            // There is no room for more.
            if self.list.len() == MAX_PERSONS {
                return;
            }
            self.walk(child);
        }
    }

    fn name(&mut self, code: &str) {
        if code.chars().count() != 16 || self.list.len() == MAX_PERSONS {
            return;
        }
        let code = CodiceFiscale::new(code).canonical();
        if self.seen.insert(code.clone()) {
            self.list.push(code);
        }
    }
}

/// One DSU of a lot, read as a document of its own when its turn comes.
#[derive(Debug)]
pub struct LotPart<'s> {
    document: Document<'s>,
    /// Path from the lot's root.
    path: String,
}

impl<'s> LotPart<'s> {
    /// Parses it; `position` counts from 1.
    pub fn parse<'d: 's>(element: Element<'s, 'd>, position: usize) -> Result<Self, Findings> {
        let path = format!("/TrasmissioneLotto/Dichiarazione[{position}]");
        match parse_part(element, &DocumentLimits::default()) {
            Ok(document) => Ok(Self { document, path }),
            Err(error) => Err(single(
                element,
                SchemaRule::K01Xml.code(),
                path,
                error.fault.italian().to_owned(),
            )),
        }
    }

    /// Places its defects in the lot: their paths start at the Dichiarazione.
    pub fn place(&self, defects: Vec<Difetto>) -> Vec<Finding> {
        place_in(defects, self.document.root(), &self.path)
    }
}

/// Places a formal check's defects in the message or the enclosed document. Their paths start at the
/// Dichiarazione.
pub fn place(defects: Vec<Difetto>, trasmessa: &Trasmessa, body: Element<'_, '_>) -> Vec<Finding> {
    match &trasmessa.enclosed {
        None => place_in(
            defects,
            body.child(ISEE_NS, "Dichiarazione").unwrap_or(body),
            "/TrasmissioneDSU/Dichiarazione",
        ),
        Some(text) => match parse(text, &DocumentLimits::default()) {
            Ok(document) => place_in(defects, document.root(), ENCLOSED),
            Err(_) => Vec::new(),
        },
    }
}

/// The same for a Dichiarazione by itself.
pub fn place_declaration(defects: Vec<Difetto>, dichiarazione: Element<'_, '_>) -> Vec<Finding> {
    place_in(defects, dichiarazione, "/Dichiarazione")
}

fn place_in(defects: Vec<Difetto>, dichiarazione: Element<'_, '_>, whole: &str) -> Vec<Finding> {
    let mut steps = Steps::default();
    let placed = |defect: Difetto| {
        let (element, attribute) = steps.follow(dichiarazione, &defect.path);
        let own = attribute.and_then(|name| element.attributes().iter().find(|a| a.local() == name));
        let place = element
            .document()
            .place(own.map_or(element.offset(), |attribute| attribute.offset()));
        Finding {
            code: defect.code.code(),
            path: within(whole, &defect.path),
            line: place.line,
            column: place.column,
            text: defect.text.to_owned(),
        }
    };
    defects.into_iter().map(placed).collect()
}

/// Follows paths. The children of one element are listed once, for all the defects among them.
#[derive(Default)]
struct Steps<'d, 's> {
    /// The children of a name, by the offset of the element around them.
    children: HashMap<(usize, String), Vec<Element<'d, 's>>>,
}

impl<'d, 's> Steps<'d, 's> {
    /// Follows a path from the Dichiarazione, its first step. It stops at a step missing from the document:
    /// the missing element may be the defect itself.
    fn follow<'p>(
        &mut self,
        dichiarazione: Element<'d, 's>,
        path: &'p str,
    ) -> (Element<'d, 's>, Option<&'p str>) {
        let mut element = dichiarazione;
        for step in path.split('/').filter(|step| !step.is_empty()).skip(1) {
            if let Some(attribute) = step.strip_prefix('@') {
                return (element, Some(attribute));
            }
            let (name, position) = match step.split_once('[') {
                Some((name, position)) => {
                    (name, position.trim_end_matches(']').parse::<usize>().unwrap_or(1))
                }
                None => (step, 1),
            };
            let children = self.children.entry((element.offset(), name.to_owned()));
            let children = children
                .or_insert_with(|| element.children().filter(|child| child.local() == name).collect());
            match children.get(position.saturating_sub(1)) {
                Some(next) => element = *next,
                None => break,
            }
        }
        (element, None)
    }
}

fn single(element: Element<'_, '_>, code: &'static str, path: String, text: String) -> Findings {
    let place = element.document().place(element.offset());
    Findings {
        list: vec![Finding {
            code,
            path,
            line: place.line,
            column: place.column,
            text,
        }],
        more: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_of_a_dsu_are_all_whose_code_stands_in_it_and_no_bodies() {
        let source = "<Dichiarazione CodiceFiscaleDichiarante='FRRGLI84E52H501O'><a CodiceFiscale='frrgli84e52h501o'/>
            <b CodiceFiscale='RSSMRA80A01H501U' CodiceFiscaleOperatore='BNCNNA72B42H501V'/><c CodiceFiscale='01234567897' Identificativo='VRDLGU75C10F205N'/>
            <d><e CodiceFiscaleRicevente=' GLLSFO14B60H501C '/></d></Dichiarazione>";
        let document = parse(source, &DocumentLimits::default()).unwrap();
        assert_eq!(
            persons(document.root()),
            ["FRRGLI84E52H501O", "RSSMRA80A01H501U", "GLLSFO14B60H501C"]
        );
    }
}
