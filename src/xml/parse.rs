//! From text to tree, within limits.
//!
//! quick-xml finds the tags and leaves the rest to its caller: names, characters, references, attributes and
//! namespaces are checked here as XML 1.0 (fifth edition) and Namespaces in XML 1.0 ask. Any conforming
//! parser would read an accepted text the same way. DOCTYPE is refused, and so are processing instructions,
//! except around the root of a document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::tree::{Attribute, Document, Element, NONE, Name, Place, START, Tag, TreeNode, place, small};

/// How much of a document is read before it is refused. Lengths are in bytes of the text.
#[derive(Clone, Copy, Debug)]
pub struct DocumentLimits {
    /// Levels of elements inside each other.
    pub depth: usize,
    /// Elements, texts, attributes and namespace declarations kept in all: each takes about 64 bytes of
    /// memory.
    pub nodes: usize,
    /// Attributes of one element, namespace declarations left out.
    pub attributes: usize,
    /// Namespaces in all, and prefixes bound at the same time: integration buses declare all they know on the
    /// envelope.
    pub namespaces: usize,
    /// Length of a name.
    pub name: usize,
    /// Length of an attribute's value or of one run of text.
    pub text: usize,
    /// Whether a processing instruction may stand before the root and after it: in a document, not in a
    /// message (SOAP 1.1, section 3). It is skipped.
    pub instructions: bool,
}

impl DocumentLimits {
    /// For a document enclosed in a message as bytes, or in a file.
    pub fn of_document() -> Self {
        Self {
            instructions: true,
            ..Self::default()
        }
    }
}

impl Default for DocumentLimits {
    /// Ample for the largest message a client sends: a DSU goes seven levels deep, its widest element has 24
    /// attributes.
    fn default() -> Self {
        Self {
            depth: 32,
            nodes: 120_000,
            attributes: 64,
            namespaces: 256,
            name: 256,
            text: 1 << 20,
            instructions: false,
        }
    }
}

/// The refusal of a document, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (line {}, column {})", place.line, place.column)]
pub struct XmlError {
    /// The kind of fault; never a value from the text.
    pub fault: XmlFault,
    /// Line and column of the fault.
    pub place: Place,
}

/// The faults of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlFault {
    /// Unmatched tags, text outside the root, a bad reference, and the like.
    #[error("not well-formed")]
    NotWellFormed,
    /// The text ends without an element.
    #[error("no root element")]
    Empty,
    /// A character forbidden by XML.
    #[error("forbidden character")]
    Character,
    /// A DOCTYPE, always refused.
    #[error("document type declaration")]
    Doctype,
    /// A processing instruction inside the root, or anywhere without [`DocumentLimits::instructions`].
    #[error("processing instruction")]
    ProcessingInstruction,
    /// A reference to something else than the five predefined entities.
    #[error("undefined entity")]
    Entity,
    /// A prefix without declaration, or a forbidden declaration.
    #[error("namespace not declared")]
    Namespace,
    /// One of [`DocumentLimits`] exceeded, by name.
    #[error("limit exceeded: {0}")]
    Limit(&'static str),
}

impl XmlFault {
    /// The fault in Italian, for the sender.
    pub fn italian(self) -> &'static str {
        match self {
            Self::NotWellFormed => "XML non ben formato",
            Self::Empty => "messaggio vuoto",
            Self::Character => "carattere non ammesso",
            Self::Doctype => "DOCTYPE non ammesso",
            Self::ProcessingInstruction => "istruzione di elaborazione non ammessa",
            Self::Entity => "entità non definita",
            Self::Namespace => "prefisso senza namespace",
            Self::Limit("depth") => "limite superato: troppi elementi uno dentro l'altro",
            Self::Limit("nodes") => "limite superato: troppi elementi",
            Self::Limit("attributes") => "limite superato: troppi attributi in un elemento",
            Self::Limit("namespaces") => "limite superato: troppi namespace",
            Self::Limit("name") => "limite superato: nome troppo lungo",
            Self::Limit("text" | "attribute value") => "limite superato: testo troppo lungo",
            Self::Limit(_) => "limite superato",
        }
    }
}

/// Reads a whole document, within the limits.
pub fn parse<'s>(source: &'s str, limits: &DocumentLimits) -> Result<Document<'s>, XmlError> {
    characters(source)
        .and_then(|()| Parser::new(source, limits).finish(0..source.len()))
        .map_err(|wrong| explain(source, wrong))
}

/// Reads a document, but keeps nothing from inside certain elements: those `depth` levels below the root,
/// within its child of the name `inside`. A large document becomes a short list of parts, read later by
/// [`parse_part`], one by one. The whole text is checked all the same.
pub fn parse_outline<'s>(
    source: &'s str,
    limits: &DocumentLimits,
    inside: &'static str,
    depth: usize,
) -> Result<Document<'s>, XmlError> {
    let outlined = |()| {
        Parser {
            outline: Some((inside, depth)),
            ..Parser::new(source, limits)
        }
        .finish(0..source.len())
    };
    characters(source)
        .and_then(outlined)
        .map_err(|wrong| explain(source, wrong))
}

/// Reads one element of a document again, as the root of a document of its own. The namespaces around it
/// hold; lines and columns stay those of the whole.
pub fn parse_part<'d, 's: 'd>(
    element: Element<'d, 's>,
    limits: &DocumentLimits,
) -> Result<Document<'d>, XmlError> {
    let source = element.document().source;
    let mut parser = Parser::new(source, limits);
    parser.document.base = (element.offset(), element.document().place(element.offset()));
    parser.document.namespaces = element
        .document()
        .namespaces
        .iter()
        .map(|namespace| Cow::Borrowed(&**namespace))
        .collect();
    for (prefix, namespace) in element.in_scope() {
        parser.declare(prefix, namespace);
    }
    parser
        .finish(element.range())
        .map_err(|wrong| explain(source, wrong))
}

fn explain(source: &str, (fault, offset): NotWellFormed) -> XmlError {
    XmlError {
        fault,
        place: place(source, offset),
    }
}

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

type NotWellFormed = (XmlFault, usize);

struct Parser<'s, 'l> {
    limits: &'l DocumentLimits,
    document: Document<'s>,
    /// Prefix and namespace, innermost last.
    bindings: Vec<(&'s str, u32)>,
    /// The same by prefix, once there have been many.
    by_prefix: Option<HashMap<&'s str, Vec<u32>>>,
    /// Open elements: index of the node, bindings before it.
    open: Vec<(u32, usize)>,
    text: RawText<'s>,
    finished: bool,
    /// The outline: the child of the root, and the depth below which nothing is kept.
    outline: Option<(&'static str, usize)>,
}

/// Above this number of bindings, a map looks them up.
const FEW: usize = 16;

/// The run of text being gathered.
enum RawText<'s> {
    Nothing,
    Run(Cow<'s, str>),
}

impl<'s, 'l> Parser<'s, 'l> {
    fn new(source: &'s str, limits: &'l DocumentLimits) -> Self {
        let mut bindings = Vec::with_capacity(8);
        bindings.push(("xml", 1));
        Self {
            limits,
            document: Document {
                source,
                nodes: Vec::with_capacity(64),
                attributes: Vec::with_capacity(128),
                namespaces: vec![Cow::Borrowed(""), Cow::Borrowed(XML)],
                declarations: Vec::with_capacity(8),
                base: (0, START),
                marks: OnceLock::new(),
            },
            bindings,
            by_prefix: None,
            open: Vec::with_capacity(16),
            text: RawText::Nothing,
            finished: false,
            outline: None,
        }
    }

    fn finish(mut self, range: std::ops::Range<usize>) -> Result<Document<'s>, NotWellFormed> {
        self.run(range)?;
        Ok(self.document)
    }

    fn run(&mut self, range: std::ops::Range<usize>) -> Result<(), NotWellFormed> {
        let source = self.document.source;
        if u32::try_from(source.len()).is_err() {
            return Err((XmlFault::Limit("size"), 0));
        }
        let base = range.start;
        let position = |at: u64| base + usize::try_from(at).unwrap_or(usize::MAX - base);
        let mut reader = Reader::from_str(source.get(range).unwrap_or_default());
        let config = reader.config_mut();
        config.check_comments = true;
        // Ours: the names are in the source, and need not be copied to be compared.
        config.check_end_names = false;
        config.expand_empty_elements = false;
        loop {
            let start = position(reader.buffer_position());
            let event = reader.read_event().map_err(|_| {
                (
                    XmlFault::NotWellFormed,
                    position(reader.error_position()).max(start),
                )
            })?;
            let end = position(reader.buffer_position());
            if !self.event(&event, start, end)? {
                break;
            }
        }
        match (self.finished, self.open.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => Err((XmlFault::Empty, source.len())),
            (_, false) => Err((XmlFault::NotWellFormed, source.len())),
        }
    }

    /// An event from `start` to `end`. Tells whether more follow.
    #[inline]
    fn event(&mut self, event: &Event<'s>, start: usize, end: usize) -> Result<bool, NotWellFormed> {
        let source = self.document.source;
        let wrong = |fault| (fault, start);
        match event {
            Event::Start(_) => self.element(start, end - 1, false)?,
            Event::Empty(_) => self.element(start, end - 2, true)?,
            Event::End(_) => {
                self.flush()?;
                let name = source.get(start + 2..end - 1).unwrap_or_default();
                if !self.ends(name.trim_end_matches(is_space)) {
                    return Err(wrong(XmlFault::NotWellFormed));
                }
                self.close(end).ok_or(wrong(XmlFault::NotWellFormed))?;
            }
            Event::Text(text) => {
                let raw = source.get(start..end).unwrap_or_default();
                if raw.contains(']')
                    && let Some(at) = raw.find("]]>")
                {
                    return Err((XmlFault::NotWellFormed, start + at));
                }
                self.push_text(text.xml10_content(), start)?;
            }
            Event::CData(text) => {
                if self.open.is_empty() {
                    return Err(wrong(XmlFault::NotWellFormed));
                }
                self.push_text(text.xml10_content(), start)?;
            }
            Event::GeneralRef(_) => {
                let name = source.get(start + 1..end - 1).unwrap_or_default();
                let resolved = reference(name).map_err(wrong)?;
                if self.open.is_empty() {
                    return Err(wrong(XmlFault::NotWellFormed));
                }
                self.push_text(Cow::Owned(String::from(resolved)), start)?;
            }
            Event::Comment(_) => {}
            Event::Decl(_) => {
                if start != 0 {
                    return Err(wrong(XmlFault::NotWellFormed));
                }
                declaration(source.get(start + 5..end - 2).unwrap_or_default())
                    .ok_or(wrong(XmlFault::NotWellFormed))?;
            }
            // Inside the root it would be part of the hashed text.
            Event::PI(_) if self.limits.instructions && self.open.is_empty() => {
                instruction(source.get(start..end).unwrap_or_default())
                    .ok_or(wrong(XmlFault::NotWellFormed))?
            }
            Event::PI(_) => return Err(wrong(XmlFault::ProcessingInstruction)),
            Event::DocType(_) => return Err(wrong(XmlFault::Doctype)),
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    /// A tag with its `<` at `start` and the end of its content at `end`.
    fn element(&mut self, start: usize, end: usize, empty: bool) -> Result<(), NotWellFormed> {
        self.flush()?;
        if self.open.is_empty() && self.finished {
            return Err((XmlFault::NotWellFormed, start));
        }
        if self.open.len() >= self.limits.depth {
            return Err((XmlFault::Limit("depth"), start));
        }
        let source = self.document.source;
        let content = source.get(start + 1..end).unwrap_or_default();
        let name_end = content.bytes().position(is_space_byte).unwrap_or(content.len());
        let name = self.name(&content[..name_end], start + 1)?;
        let bindings_before = self.bindings.len();
        let first_attribute = self.document.attributes.len();
        self.attributes(&content[name_end..], start + 1 + name_end)?;
        let namespace = self
            .resolve(name.prefix(), true)
            .ok_or((XmlFault::Namespace, start))?;
        self.resolve_attributes(first_attribute)?;

        let index = self.push(
            TreeNode::Element(Tag {
                name,
                namespace,
                first_attribute: small(first_attribute),
                end_attribute: small(self.document.attributes.len()),
                parent: self.open.last().map_or(0, |(parent, _)| *parent),
                end: 0,
                offset: small(start),
                close: 0,
            }),
            start,
        )?;
        self.open.push((index, bindings_before));
        if empty {
            self.close(end + 2);
        }
        Ok(())
    }

    /// Whether the innermost element has that name, as written.
    fn ends(&self, name: &str) -> bool {
        let tag = self
            .open
            .last()
            .and_then(|(index, _)| self.document.nodes.get(*index as usize));
        matches!(tag, Some(TreeNode::Element(tag)) if tag.name.written() == name)
    }

    /// Closes the innermost element, with its last `>` just before `at`.
    fn close(&mut self, at: usize) -> Option<()> {
        let (index, bindings) = self.open.pop()?;
        self.unbind(bindings);
        let document = &mut self.document;
        let outlined = self.outline.is_some_and(|(inside, depth)| {
            let child = self
                .open
                .get(1)
                .and_then(|(child, _)| document.nodes.get(*child as usize));
            self.open.len() == depth
                && matches!(child, Some(TreeNode::Element(tag)) if tag.name.local() == inside)
        });
        let end = if outlined {
            index + 1
        } else {
            small(document.nodes.len())
        };
        if let Some(TreeNode::Element(tag)) = document.nodes.get_mut(index as usize) {
            tag.end = end;
            tag.close = small(at);
            if outlined {
                document.attributes.truncate(tag.end_attribute as usize);
                document.nodes.truncate(end as usize);
                document
                    .declarations
                    .truncate(document.declarations.partition_point(|(of, _, _)| *of <= index));
            }
        }
        self.finished |= self.open.is_empty();
        Some(())
    }

    /// Reads the attributes of a tag: namespace declarations become bindings, the others are kept for
    /// [`Parser::resolve_attributes`].
    fn attributes(&mut self, raw: &'s str, offset: usize) -> Result<(), NotWellFormed> {
        let bindings = self.bindings.len();
        let mut count = 0;
        for found in (RawAttributes { raw, at: 0 }) {
            let RawAttribute { name, value, at } =
                found.map_err(|at| (XmlFault::NotWellFormed, offset + at))?;
            let wrong = |fault| (fault, offset + at);
            let name = self.name(name, offset + at)?;
            let value = attribute_value(value).map_err(wrong)?;
            if value.len() > self.limits.text {
                return Err(wrong(XmlFault::Limit("attribute value")));
            }
            let declares = match (name.prefix(), name.local()) {
                ("", "xmlns") => Some(""),
                ("xmlns", declared) => Some(declared),
                _ => None,
            };
            match declares {
                Some(declared) => {
                    let taken = self
                        .bindings
                        .get(bindings..)
                        .unwrap_or_default()
                        .iter()
                        .any(|(p, _)| *p == declared);
                    if taken {
                        return Err(wrong(XmlFault::NotWellFormed));
                    }
                    self.bind(declared, value).map_err(wrong)?;
                }
                None => {
                    count += 1;
                    if count > self.limits.attributes {
                        return Err(wrong(XmlFault::Limit("attributes")));
                    }
                    self.document.attributes.push(Attribute {
                        name,
                        namespace: NONE,
                        value,
                        offset: small(offset + at),
                    });
                }
            }
        }
        Ok(())
    }

    /// Gives the attributes from `first` on their namespaces, and refuses a repeated name.
    fn resolve_attributes(&mut self, first: usize) -> Result<(), NotWellFormed> {
        for index in first..self.document.attributes.len() {
            let attribute = &self.document.attributes[index];
            let at = attribute.offset as usize;
            let namespace = self
                .resolve(attribute.prefix(), false)
                .ok_or((XmlFault::Namespace, at))?;
            let local = attribute.local();
            self.document.attributes[index].namespace = namespace;
            let earlier = &self.document.attributes[first..index];
            if earlier
                .iter()
                .any(|other| other.namespace == namespace && other.local() == local)
            {
                return Err((XmlFault::NotWellFormed, at));
            }
        }
        Ok(())
    }

    /// Namespaces in XML 1.0, section 3: the reserved names, and no prefix without a namespace.
    fn bind(&mut self, prefix: &'s str, uri: Cow<'s, str>) -> Result<(), XmlFault> {
        let forbidden = prefix == "xmlns"
            || uri == XMLNS
            || (prefix == "xml") != (uri == XML)
            || (!prefix.is_empty() && uri.is_empty());
        if forbidden {
            return Err(XmlFault::Namespace);
        }
        if self.bindings.len() > self.limits.namespaces {
            return Err(XmlFault::Limit("namespaces"));
        }
        let known = self
            .document
            .namespaces
            .iter()
            .position(|namespace| *namespace == uri);
        let index = match known {
            Some(index) => index,
            None => {
                if self.document.namespaces.len() >= self.limits.namespaces {
                    return Err(XmlFault::Limit("namespaces"));
                }
                self.document.namespaces.push(uri);
                self.document.namespaces.len() - 1
            }
        };
        self.declare(prefix, small(index));
        Ok(())
    }

    /// Binds a prefix for the element being read. The element gets the next index.
    fn declare(&mut self, prefix: &'s str, namespace: u32) {
        self.bindings.push((prefix, namespace));
        self.document
            .declarations
            .push((small(self.document.nodes.len()), prefix, namespace));
        match &mut self.by_prefix {
            Some(by_prefix) => by_prefix.entry(prefix).or_default().push(namespace),
            None if self.bindings.len() > FEW => {
                let mut by_prefix: HashMap<_, Vec<_>> = HashMap::new();
                self.bindings
                    .iter()
                    .for_each(|(prefix, namespace)| by_prefix.entry(*prefix).or_default().push(*namespace));
                self.by_prefix = Some(by_prefix);
            }
            None => {}
        }
    }

    /// Ends the bindings of an element: all after the first `kept`.
    fn unbind(&mut self, kept: usize) {
        if let Some(by_prefix) = &mut self.by_prefix {
            for (prefix, _) in self.bindings.get(kept..).unwrap_or_default() {
                by_prefix.get_mut(prefix).map(Vec::pop);
            }
        }
        self.bindings.truncate(kept);
    }

    /// The namespace of a prefix. Few bindings, the usual case, are compared one by one.
    fn bound(&self, prefix: &str) -> Option<u32> {
        match &self.by_prefix {
            None => self
                .bindings
                .iter()
                .rev()
                .find(|(bound, _)| *bound == prefix)
                .map(|(_, namespace)| *namespace),
            Some(by_prefix) => by_prefix.get(prefix)?.last().copied(),
        }
    }

    fn resolve(&self, prefix: &str, element: bool) -> Option<u32> {
        match (prefix.is_empty(), element) {
            (true, false) => Some(NONE),
            (true, true) => Some(self.bound("").unwrap_or(NONE)),
            (false, _) => self.bound(prefix),
        }
    }

    fn push_text(&mut self, text: Cow<'s, str>, at: usize) -> Result<(), NotWellFormed> {
        if self.open.is_empty() {
            return if text.chars().all(is_space) {
                Ok(())
            } else {
                Err((XmlFault::NotWellFormed, at))
            };
        }
        let length = match &mut self.text {
            RawText::Nothing => {
                let length = text.len();
                self.text = RawText::Run(text);
                length
            }
            RawText::Run(run) => {
                run.to_mut().push_str(&text);
                run.len()
            }
        };
        if length > self.limits.text {
            Err((XmlFault::Limit("text"), at))
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), NotWellFormed> {
        match std::mem::replace(&mut self.text, RawText::Nothing) {
            RawText::Nothing => Ok(()),
            RawText::Run(run) => self.push(TreeNode::Text(run), 0).map(|_| ()),
        }
    }

    fn push(&mut self, node: TreeNode<'s>, at: usize) -> Result<u32, NotWellFormed> {
        let Document {
            nodes,
            attributes,
            declarations,
            ..
        } = &self.document;
        if nodes.len() + attributes.len() + declarations.len() >= self.limits.nodes {
            return Err((XmlFault::Limit("nodes"), at));
        }
        self.document.nodes.push(node);
        Ok(small(self.document.nodes.len() - 1))
    }

    /// Finds the prefix of a qualified name and checks both parts.
    fn name(&self, name: &'s str, at: usize) -> Result<Name<'s>, NotWellFormed> {
        if name.len() > self.limits.name {
            return Err((XmlFault::Limit("name"), at));
        }
        // As most names are: ASCII, without prefix.
        if name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Ok(Name::new(name, 0));
        }
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) if is_ncname(prefix) => (prefix, local),
            Some(_) => return Err((XmlFault::NotWellFormed, at)),
            None => ("", name),
        };
        if is_ncname(local) {
            Ok(Name::new(name, prefix.len()))
        } else {
            Err((XmlFault::NotWellFormed, at))
        }
    }
}

/// Attributes of a tag as written: `S Name S? = S? quoted`.
struct RawAttributes<'s> {
    raw: &'s str,
    at: usize,
}

struct RawAttribute<'s> {
    name: &'s str,
    value: &'s str,
    at: usize,
}

impl<'s> Iterator for RawAttributes<'s> {
    type Item = Result<RawAttribute<'s>, usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.past_space(self.at);
        if at >= self.raw.len() {
            return None;
        }
        // White space must stand before each attribute.
        let parsed = if at > self.at { self.one(at) } else { None };
        Some(match parsed {
            Some((attribute, end)) => {
                self.at = end;
                Ok(attribute)
            }
            None => {
                self.at = self.raw.len();
                Err(at)
            }
        })
    }
}

impl<'s> RawAttributes<'s> {
    /// The end of the white space from `at` on.
    fn past_space(&self, at: usize) -> usize {
        let rest = self.raw.as_bytes().get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|byte| !is_space_byte(*byte))
            .unwrap_or(rest.len())
    }

    /// The attribute at `at`, and its end. Every byte looked for is ASCII, so the pieces are text again.
    fn one(&self, at: usize) -> Option<(RawAttribute<'s>, usize)> {
        let bytes = self.raw.as_bytes();
        let name_end = at
            + bytes
                .get(at..)?
                .iter()
                .position(|byte| is_space_byte(*byte) || *byte == b'=')?;
        let equals = self.past_space(name_end);
        if *bytes.get(equals)? != b'=' {
            return None;
        }
        let open = self.past_space(equals + 1);
        let quote = *bytes.get(open).filter(|byte| matches!(**byte, b'"' | b'\''))?;
        let close = open + 1 + bytes.get(open + 1..)?.iter().position(|byte| *byte == quote)?;
        let (name, value) = (self.raw.get(at..name_end)?, self.raw.get(open + 1..close)?);
        Some((RawAttribute { name, value, at }, close + 1))
    }
}

/// XML 1.0, section 3.3.3: references resolved, white space made spaces. All attributes are CDATA here: no
/// DTD is read.
fn attribute_value(raw: &str) -> Result<Cow<'_, str>, XmlFault> {
    let plain =
        |byte: u8| (byte != b'<') & (byte != b'&') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    if raw.bytes().fold(true, |all, byte| all & plain(byte)) {
        return Ok(Cow::Borrowed(raw));
    }
    if raw.contains('<') {
        return Err(XmlFault::NotWellFormed);
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        value.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            let (name, after) = after.split_once(';').ok_or(XmlFault::NotWellFormed)?;
            value.push(reference(name)?);
            rest = after;
        } else {
            value.push(' ');
            rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
        }
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

/// The character of `&name;`.
fn reference(name: &str) -> Result<char, XmlFault> {
    let number = |digits: &str, radix| {
        let well_formed = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        if !well_formed {
            return Err(XmlFault::NotWellFormed);
        }
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
            .filter(|c| is_char(*c))
            .ok_or(XmlFault::Character)
    };
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(hex), _) => number(hex, 16),
            (None, Some(decimal)) => number(decimal, 10),
            (None, None) if is_ncname(name) => Err(XmlFault::Entity),
            (None, None) => Err(XmlFault::NotWellFormed),
        },
    }
}

/// A processing instruction, from `<?` to `?>` (XML 1.0, productions 16 and 17): its target is a name, and
/// not `xml`.
fn instruction(raw: &str) -> Option<()> {
    let inside = raw.strip_prefix("<?")?.strip_suffix("?>")?;
    let target = inside.split(is_space).next()?;
    (is_ncname(target) && !target.eq_ignore_ascii_case("xml")).then_some(())
}

/// The inside of an XML declaration: version, then encoding, then standalone, in that order.
fn declaration(raw: &str) -> Option<()> {
    let mut order = ["version", "encoding", "standalone"].iter();
    let mut version = false;
    for found in (RawAttributes { raw, at: 0 }) {
        let RawAttribute { name, value, .. } = found.ok()?;
        order.find(|expected| **expected == name)?;
        let valid = match name {
            "version" => {
                version = true;
                value == "1.0"
            }
            "encoding" => {
                value.starts_with(|c: char| c.is_ascii_alphabetic())
                    && value
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
            }
            _ => matches!(value, "yes" | "no"),
        };
        if !valid {
            return None;
        }
    }
    version.then_some(())
}

/// XML 1.0, production 2, over the whole source at once.
fn characters(source: &str) -> Result<(), NotWellFormed> {
    let bytes = source.as_bytes();
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF in UTF-8. Sixty-four bytes at a time, without a branch:
    // hardly any message has a suspect byte.
    let suspect =
        |byte: u8| (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r') | (byte == 0xEF);
    for (index, chunk) in bytes.chunks(64).enumerate() {
        if !chunk.iter().fold(false, |found, byte| found | suspect(*byte)) {
            continue;
        }
        for (at, byte) in chunk
            .iter()
            .enumerate()
            .map(|(at, byte)| (index * 64 + at, *byte))
        {
            let forbidden = byte < 0x20
                || bytes.get(at + 1) == Some(&0xBF) && matches!(bytes.get(at + 2), Some(0xBE | 0xBF));
            if suspect(byte) && forbidden {
                return Err((XmlFault::Character, at));
            }
        }
    }
    Ok(())
}

fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn is_space_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// XML 1.0 (fifth edition), productions 4 and 4a, without the colon.
pub(super) fn is_ncname(name: &str) -> bool {
    let start = |c: char| {
        matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}')
    };
    let other = |c: char| {
        start(c)
            || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let mut characters = name.chars();
    characters.next().is_some_and(start) && characters.all(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(source: &str) -> XmlFault {
        parse(source, &DocumentLimits::default()).unwrap_err().fault
    }

    #[test]
    fn a_document_is_read_with_its_namespaces_and_texts() {
        let source = "<?xml version=\"1.0\"?>\r\n<a xmlns='u' xmlns:p=\"v\" p:x='1 &amp; &#x41;\r\n2'>uno<p:b/>due<![CDATA[<&]]>&lt;</a>";
        let document = parse(source, &DocumentLimits::default()).unwrap();
        let root = document.root();
        assert!(root.is("u", "a"));
        assert_eq!(root.attribute_in("v", "x"), Some("1 & A 2"));
        assert_eq!(root.text(), "unodue<&<");
        let child = root.children().next().unwrap();
        assert!(child.is("v", "b") && child.prefix() == "p");
        assert_eq!(document.place(child.offset()), Place { line: 3, column: 7 });
        assert_eq!(child.path(root, &|_| true), "/a/b");
    }

    #[test]
    fn paths_count_only_where_names_repeat() {
        let document = parse("<r><a/><b/><a><c/></a></r>", &DocumentLimits::default()).unwrap();
        let second = document.root().children().nth(2).unwrap();
        let inner = second.children().next().unwrap();
        assert_eq!(inner.path(document.root(), &|_| true), "/r/a[2]/c");
        assert_eq!(inner.path(document.root(), &|e| e.local() != "a"), "/r/*[3]/c");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for source in [
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "x<a/>",
            "<a/>x",
            "<a x=1/>",
            "<a x='1'y='2'/>",
            "<a x='1' x='2'/>",
            "<a x='<'/>",
            "<a>]]></a>",
            "<a><!-- a -- b --></a>",
            "<1a/>",
            "<a:b:c/>",
            "<a x/>",
            "<a>&#xZ;</a>",
            "<a>& </a>",
            " <?xml version='1.0'?><a/>",
            "<?xml version='1.1'?><a/>",
            "<?xml encoding='UTF-8'?><a/>",
            "<a xmlns='u' xmlns='v'/>",
            "<a xmlns:p='u' xmlns:q='u' p:x='' q:x=''/>",
            "<a><b></a></b>",
            "<![CDATA[x]]><a/>",
            "<a/>&amp;",
            "<a/ >",
            "< a/>",
        ] {
            assert_eq!(fault(source), XmlFault::NotWellFormed, "{source}");
        }
        assert_eq!(fault(""), XmlFault::Empty);
        assert_eq!(fault("<!DOCTYPE a><a/>"), XmlFault::Doctype);
        assert_eq!(fault("<a><?x y?></a>"), XmlFault::ProcessingInstruction);
        assert_eq!(fault("<a>&nbsp;</a>"), XmlFault::Entity);
        assert_eq!(fault("<p:a/>"), XmlFault::Namespace);
        assert_eq!(fault("<a xmlns:p=''/>"), XmlFault::Namespace);
        assert_eq!(fault("<a xmlns:xml='u'/>"), XmlFault::Namespace);
        assert_eq!(fault("<a>\u{1}</a>"), XmlFault::Character);
        assert_eq!(fault("<a>&#0;</a>"), XmlFault::Character);
        assert_eq!(fault("<a>\u{FFFF}</a>"), XmlFault::Character);
    }

    #[test]
    fn an_outline_keeps_the_parts_and_each_part_is_read_as_in_the_whole() {
        let source = "<r xmlns='u' xmlns:p='v'><h><a>kept</a></h><i>\n <p:a k='1'><b xmlns='w'><c/></b></p:a> <p:a xmlns:p='z'>x</p:a>\n<d/></i></r>";
        let whole = parse(source, &DocumentLimits::default()).unwrap();
        let outline = parse_outline(source, &DocumentLimits::default(), "i", 2).unwrap();
        assert!(outline.len() < whole.len());
        assert_eq!(
            outline
                .root()
                .children()
                .next()
                .unwrap()
                .children()
                .next()
                .unwrap()
                .text(),
            "kept"
        );
        let parts_of = |document| -> Vec<_> {
            Document::root(document)
                .children()
                .nth(1)
                .unwrap()
                .children()
                .collect()
        };
        let (parts, originals): (Vec<Element<'_, '_>>, Vec<Element<'_, '_>>) =
            (parts_of(&outline), parts_of(&whole));
        assert_eq!(parts.len(), 3);
        for (part, original) in parts.into_iter().zip(originals) {
            assert_eq!(part.children().count(), 0);
            assert_eq!(
                (part.local(), part.namespace(), part.attributes().len()),
                (
                    original.local(),
                    original.namespace(),
                    original.attributes().len()
                )
            );
            let read = parse_part(part, &DocumentLimits::default()).unwrap();
            assert_eq!(
                super::super::canonical::exclusive(read.root()),
                super::super::canonical::exclusive(original)
            );
            assert_eq!(read.root().namespace_of("p"), original.namespace_of("p"));
            assert_eq!(read.place(read.root().offset()), whole.place(original.offset()));
        }
        // The parts not kept are checked all the same.
        assert_eq!(
            parse_outline("<r><a><b></a></r>", &DocumentLimits::default(), "a", 2)
                .unwrap_err()
                .fault,
            XmlFault::NotWellFormed
        );
        assert_eq!(
            parse_outline("<r><a><p:b/></a></r>", &DocumentLimits::default(), "a", 2)
                .unwrap_err()
                .fault,
            XmlFault::Namespace
        );
    }

    #[test]
    fn places_are_the_same_however_they_are_counted() {
        let part = format!("<p>\n à€ {}\n<q/>{}<r/></p>", "è".repeat(700), "\n".repeat(900));
        let source = format!("<d>\r\n€{}</d>", part.repeat(3));
        let slow = |offset: usize| {
            let before = &source[..offset];
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            Place {
                line: small(before.matches('\n').count() + 1),
                column: small(before[start..].chars().count() + 1),
            }
        };
        let whole = parse(&source, &DocumentLimits::default()).unwrap();
        for (offset, _) in source.char_indices() {
            assert_eq!(whole.place(offset), slow(offset), "{offset}");
        }
        assert_eq!(whole.place(usize::MAX), slow(source.len()));
        for part in whole.root().children() {
            let read = parse_part(part, &DocumentLimits::default()).unwrap();
            for offset in part.range().filter(|offset| source.is_char_boundary(*offset)) {
                assert_eq!(read.place(offset), slow(offset), "{offset}");
            }
            assert_eq!(read.place(0), slow(0));
        }
    }

    #[test]
    fn prefixes_are_those_of_the_innermost_declaration_however_many_there_are() {
        for many in [0, FEW, 100] {
            let around = (0..many)
                .map(|i| format!(" xmlns:n{i}='urn:{i}'"))
                .collect::<String>();
            let text = format!(
                "<r{around} xmlns='urn:r' xmlns:p='urn:outer'><p:a/><b xmlns:p='urn:inner' xmlns=''><p:c p:d=''/><e/></b><p:f/><g/></r>"
            );
            let document = parse(&text, &DocumentLimits::default()).unwrap();
            let names = |element: Element<'_, '_>| {
                element
                    .children()
                    .map(|child| format!("{}:{}", child.namespace(), child.local()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                names(document.root()),
                ["urn:outer:a", ":b", "urn:outer:f", "urn:r:g"],
                "{many}"
            );
            let inside = document.root().children().nth(1).unwrap();
            assert_eq!(names(inside), ["urn:inner:c", ":e"], "{many}");
            // Read again as a part, the declarations around it hold.
            let part = parse_part(inside, &DocumentLimits::default()).unwrap();
            assert_eq!(names(part.root()), ["urn:inner:c", ":e"], "{many}");
            assert_eq!(
                fault(&format!("<r{around}><a xmlns:q='u'/><q:b/></r>")),
                XmlFault::Namespace,
                "{many}"
            );
        }
    }

    #[test]
    fn instructions_may_stand_around_the_root_of_a_document_alone() {
        let document = DocumentLimits::of_document();
        for text in [
            "<?xml version='1.0'?><?xml-stylesheet href='a'?><!-- c --><a/><?end?>",
            "<?x y?>\n<a/>",
            "<a/><?x?>",
        ] {
            assert!(parse(text, &document).is_ok(), "{text}");
            assert_eq!(fault(text), XmlFault::ProcessingInstruction, "{text}");
        }
        for (text, wrong) in [
            ("<a><?x y?></a>", XmlFault::ProcessingInstruction),
            ("<?XML x?><a/>", XmlFault::NotWellFormed),
            ("<?1?><a/>", XmlFault::NotWellFormed),
            ("<?x:y z?><a/>", XmlFault::NotWellFormed),
            ("<?x y?>", XmlFault::Empty),
        ] {
            assert_eq!(parse(text, &document).unwrap_err().fault, wrong, "{text}");
        }
    }

    #[test]
    fn limits_hold() {
        let deep = "<a>".repeat(40);
        assert_eq!(fault(&deep), XmlFault::Limit("depth"));
        let attributes: String = (0..65).map(|i| format!(" a{i}=''")).collect();
        assert_eq!(fault(&format!("<a{attributes}/>")), XmlFault::Limit("attributes"));
        let prefixes = |number: usize| {
            (0..number)
                .map(|i| format!(" xmlns:p{i}='u{i}'"))
                .collect::<String>()
        };
        assert!(
            parse(
                &format!("<a{}><p253:b p7:c=''/></a>", prefixes(254)),
                &DocumentLimits::default()
            )
            .is_ok()
        );
        assert_eq!(
            fault(&format!("<a{}/>", prefixes(256))),
            XmlFault::Limit("namespaces")
        );
        let nested = (0..9)
            .map(|level| {
                format!(
                    "<a{}>",
                    prefixes(30).replace("xmlns:p", &format!("xmlns:p{level}x"))
                )
                .replace("'u", "'")
            })
            .collect::<String>();
        assert_eq!(fault(&nested), XmlFault::Limit("namespaces"));
        let text = DocumentLimits {
            text: 10,
            ..DocumentLimits::default()
        };
        assert_eq!(
            parse("<a>12345678901</a>", &text).unwrap_err().fault,
            XmlFault::Limit("text")
        );
        let nodes = DocumentLimits {
            nodes: 3,
            ..DocumentLimits::default()
        };
        assert_eq!(
            parse("<a><b/><b/><b/></a>", &nodes).unwrap_err().fault,
            XmlFault::Limit("nodes")
        );
        assert_eq!(
            parse("<a><b c='' d='' xmlns=''/></a>", &nodes).unwrap_err().fault,
            XmlFault::Limit("nodes")
        );
    }
}
