//! A parsed document: nodes in document order in one vector, borrowed from the source unless something had to
//! be resolved.
//!
//! The nodes below an element are the contiguous run between it and its `end`. So the walk over children
//! steps from `end` to `end`, and a subtree is a slice. Lines and columns are computed only on request: for a
//! refusal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::OnceLock;

/// The index of the empty namespace.
pub(super) const NONE: u32 = 0;

/// A document, well-formed and within its limits.
#[derive(Debug)]
pub struct Document<'s> {
    pub(super) source: &'s str,
    pub(super) nodes: Vec<TreeNode<'s>>,
    pub(super) attributes: Vec<Attribute<'s>>,
    pub(super) namespaces: Vec<Cow<'s, str>>,
    /// Namespace declarations: the element's index, the prefix, the namespace. In document order.
    pub(super) declarations: Vec<(u32, &'s str, u32)>,
    /// The origin of places: the start of the source, or of this document's part of it.
    pub(super) base: (usize, Place),
    /// Places every [`STEP`] bytes from there, made on the first request: without them each of many
    /// violations would count from the start.
    pub(super) marks: OnceLock<Vec<Place>>,
}

const STEP: usize = 1024;

#[derive(Debug)]
pub(super) enum TreeNode<'s> {
    Element(Tag<'s>),
    Text(Cow<'s, str>),
}

/// A name as written: its prefix is part of it. There may be a hundred thousand attributes, so each word
/// counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'s> {
    written: &'s str,
    /// The length of the prefix; zero without one.
    prefix: u32,
}

impl<'s> Name<'s> {
    /// A name with a prefix of this length, its colon left out.
    pub(super) fn new(written: &'s str, prefix: usize) -> Self {
        Self {
            written,
            prefix: small(prefix),
        }
    }

    pub(super) fn written(self) -> &'s str {
        self.written
    }

    pub(super) fn prefix(self) -> &'s str {
        self.written.get(..self.prefix as usize).unwrap_or_default()
    }

    pub(super) fn local(self) -> &'s str {
        if self.prefix == 0 {
            self.written
        } else {
            self.written.get(self.prefix as usize + 1..).unwrap_or_default()
        }
    }
}

#[derive(Debug)]
pub(super) struct Tag<'s> {
    pub(super) name: Name<'s>,
    pub(super) namespace: u32,
    pub(super) first_attribute: u32,
    pub(super) end_attribute: u32,
    pub(super) parent: u32,
    /// The index just after the last node inside this element.
    pub(super) end: u32,
    /// The byte offset of the tag's `<` in the source.
    pub(super) offset: u32,
    /// The byte offset just after the closing `>` of the element.
    pub(super) close: u32,
}

/// An attribute other than a namespace declaration.
#[derive(Debug)]
pub struct Attribute<'s> {
    pub(super) name: Name<'s>,
    pub(super) namespace: u32,
    pub(super) value: Cow<'s, str>,
    pub(super) offset: u32,
}

/// Line and column of an offset, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

impl<'s> Document<'s> {
    /// The namespaces, each once, by their indexes.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().map(|namespace| &**namespace)
    }

    /// The outermost element of the document.
    pub fn root(&self) -> Element<'_, 's> {
        Element {
            document: self,
            index: 0,
        }
    }

    /// The number of elements and texts.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a document has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The line and column of a byte offset of the source.
    pub fn place(&self, offset: usize) -> Place {
        let (from, start) = self.base;
        let Some(distance) = offset.min(self.source.len()).checked_sub(from) else {
            return place(self.source, offset);
        };
        let bytes = &self.source.as_bytes()[from..];
        let marks = self.marks.get_or_init(|| {
            let last = self.nodes.first().and_then(|root| match root {
                TreeNode::Element(tag) => Some(tag.close as usize),
                TreeNode::Text(_) => None,
            });
            let end = last.unwrap_or(self.source.len()).clamp(from, self.source.len()) - from;
            let mut at = start;
            let after = |chunk: &[u8]| {
                at = advance(at, chunk);
                at
            };
            std::iter::once(start)
                .chain(bytes[..end].chunks(STEP).map(after))
                .collect()
        });
        let index = (distance / STEP).min(marks.len() - 1);
        // Offsets beyond the root's end, if ever asked for, are counted from the last mark.
        let mark = if index + 1 == marks.len() && index > 0 {
            index - 1
        } else {
            index
        };
        advance(marks[mark], &bytes[mark * STEP..distance])
    }

    /// Puts text in the place of every element of this name: `make` gives the text. Each must stand alone in
    /// its parent, and be empty. At the first one standing otherwise the work stops, with the defect in
    /// Italian in the inner result. The outer result is `make`'s.
    pub fn replace<E>(
        &mut self,
        namespace: &str,
        local: &str,
        mut make: impl FnMut(Element<'_, 's>) -> Result<String, E>,
    ) -> Result<Option<&'static str>, E> {
        for index in 0..small(self.nodes.len()) {
            let Some(TreeNode::Element(tag)) = self.nodes.get(index as usize) else {
                continue;
            };
            if tag.name.local() != local || self.namespaces[tag.namespace as usize] != namespace {
                continue;
            }
            let alone = index > 0
                && tag.end == index + 1
                && index == tag.parent + 1
                && self.tag(tag.parent).end == tag.end;
            if !alone {
                return Ok(Some("xop:Include non sta da solo nel suo elemento"));
            }
            let text = make(Element {
                document: self,
                index,
            })?;
            self.nodes[index as usize] = TreeNode::Text(Cow::Owned(text));
        }
        Ok(None)
    }

    fn tag(&self, index: u32) -> &Tag<'s> {
        match &self.nodes[index as usize] {
            TreeNode::Element(tag) => tag,
            // Only the parser and the iterator of children make indexes of elements; the iterator skips
            // texts.
            TreeNode::Text(_) => unreachable!("an element's index names a text"),
        }
    }
}

/// The place after `bytes`, with the first at `at`. A character is counted at its first byte.
fn advance(at: Place, bytes: &[u8]) -> Place {
    let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let line_start = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let characters = small(
        bytes[line_start..]
            .iter()
            .filter(|byte| **byte & 0xC0 != 0x80)
            .count(),
    );
    let before = if newlines == 0 { at.column } else { 1 };
    Place {
        line: at.line.saturating_add(small(newlines)),
        column: before.saturating_add(characters),
    }
}

/// The place of the first byte of a source.
pub(super) const START: Place = Place { line: 1, column: 1 };

/// Line and column of `offset` in `source`.
pub(super) fn place(source: &str, offset: usize) -> Place {
    advance(START, &source.as_bytes()[..offset.min(source.len())])
}

/// One element of a document. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Element<'d, 's> {
    document: &'d Document<'s>,
    index: u32,
}

impl<'d, 's> Element<'d, 's> {
    /// The name without prefix.
    pub fn local(&self) -> &'s str {
        self.document.tag(self.index).name.local()
    }

    /// The prefix as written; empty without one.
    pub fn prefix(&self) -> &'s str {
        self.document.tag(self.index).name.prefix()
    }

    /// The namespace's URI; empty without one.
    pub fn namespace(&self) -> &'d str {
        &self.document.namespaces[self.document.tag(self.index).namespace as usize]
    }

    /// Whether it has this namespace and this name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// The namespace of `prefix` here: for names inside values, such as those of `xsi:type`. `None`: not
    /// bound.
    pub fn namespace_of(&self, prefix: &str) -> Option<&'d str> {
        let mut at = Some(*self);
        while let Some(element) = at {
            // The last one: in the root of a part, the declarations around it come first.
            if let Some((_, _, namespace)) = element.declared().iter().rfind(|(_, bound, _)| *bound == prefix)
            {
                return Some(&self.document.namespaces[*namespace as usize]);
            }
            at = element.parent();
        }
        prefix.is_empty().then_some("")
    }

    /// Every prefix bound here, with the document's number of its namespace, outermost first.
    pub(super) fn in_scope(&self) -> Vec<(&'s str, u32)> {
        let mut around = vec![*self];
        while let Some(parent) = around.last().and_then(Element::parent) {
            around.push(parent);
        }
        let declared = around.iter().rev().flat_map(Element::declared);
        declared
            .map(|(_, prefix, namespace)| (*prefix, *namespace))
            .collect()
    }

    /// The namespace declarations in its tag.
    fn declared(&self) -> &'d [(u32, &'s str, u32)] {
        let all = &self.document.declarations;
        let from = all.partition_point(|(index, _, _)| *index < self.index);
        let here = all[from..].partition_point(|(index, _, _)| *index == self.index);
        &all[from..from + here]
    }

    /// The element's piece of the source: byte offsets of its first `<` and of the byte after its last `>`.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        let tag = self.document.tag(self.index);
        tag.offset as usize..tag.close as usize
    }

    /// The number of bytes of its source.
    pub(super) fn extent(&self) -> usize {
        self.range().len()
    }

    /// The number of its namespace in the document.
    pub(super) fn namespace_index(&self) -> u32 {
        self.document.tag(self.index).namespace
    }

    /// The document around it.
    pub fn document(&self) -> &'d Document<'s> {
        self.document
    }

    /// The attributes, in the order written, namespace declarations left out.
    pub fn attributes(&self) -> &'d [Attribute<'s>] {
        let tag = self.document.tag(self.index);
        &self.document.attributes[tag.first_attribute as usize..tag.end_attribute as usize]
    }

    /// The value of an attribute without namespace; `None`: absent.
    pub fn attribute(&self, local: &str) -> Option<&'d str> {
        self.attributes()
            .iter()
            .find(|a| a.namespace == NONE && a.local() == local)
            .map(|a| &*a.value)
    }

    /// The value of an attribute in a namespace; `None`: absent.
    pub fn attribute_in(&self, namespace: &str, local: &str) -> Option<&'d str> {
        let document = self.document;
        self.attributes()
            .iter()
            .find(|a| a.local() == local && a.namespace(document) == namespace)
            .map(|a| &*a.value)
    }

    /// The elements directly inside.
    pub fn children(&self) -> Children<'d, 's> {
        Children {
            document: self.document,
            next: self.index + 1,
            end: self.document.tag(self.index).end,
        }
    }

    /// A reader of attributes and children by their names.
    pub fn cursor(&self) -> Cursor<'d, 's> {
        Cursor {
            element: *self,
            attribute: 0,
            children: self.children(),
        }
    }

    /// The first element of this name directly inside.
    pub fn child(&self, namespace: &str, local: &str) -> Option<Element<'d, 's>> {
        self.children().find(|child| child.is(namespace, local))
    }

    /// The text directly inside, elements left out. Borrowed if it is one piece.
    pub fn text(&self) -> Cow<'d, str> {
        let mut pieces = self.texts();
        let Some(first) = pieces.next() else {
            return Cow::Borrowed("");
        };
        match pieces.next() {
            None => Cow::Borrowed(first),
            Some(second) => {
                let mut all = String::from(first);
                all.push_str(second);
                pieces.for_each(|piece| all.push_str(piece));
                Cow::Owned(all)
            }
        }
    }

    /// The pieces of text directly inside.
    pub fn texts(&self) -> impl Iterator<Item = &'d str> + use<'d, 's> {
        self.content().filter_map(|content| match content {
            Content::Text(text) => Some(text),
            Content::Element(_) => None,
        })
    }

    /// Elements and texts directly inside, in order.
    pub fn content(&self) -> impl Iterator<Item = Content<'d, 's>> + use<'d, 's> {
        let document = self.document;
        let end = document.tag(self.index).end;
        let mut next = self.index + 1;
        std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            Some(match &document.nodes[next as usize] {
                TreeNode::Text(text) => {
                    next += 1;
                    Content::Text(text)
                }
                TreeNode::Element(tag) => {
                    let element = Element {
                        document,
                        index: next,
                    };
                    next = tag.end;
                    Content::Element(element)
                }
            })
        })
    }

    /// The byte offset of its tag in the source.
    pub fn offset(&self) -> usize {
        self.document.tag(self.index).offset as usize
    }

    /// The element around it; `None` for the root.
    pub fn parent(&self) -> Option<Element<'d, 's>> {
        (self.index != 0).then(|| Element {
            document: self.document,
            index: self.document.tag(self.index).parent,
        })
    }

    /// A path from `top` (its first step) to this element, with positions for repeated names:
    /// `/Dichiarazione/NucleoFamiliare/ComponenteNucleo[2]`. An element unknown to `known` is written `*`: a
    /// name from outside may be anything.
    pub fn path(&self, top: Element<'d, 's>, known: &dyn Fn(Element<'d, 's>) -> bool) -> String {
        let mut steps = vec![*self];
        while let Some(last) = steps.last().copied() {
            if last.index == top.index {
                break;
            }
            match last.parent() {
                Some(parent) => steps.push(parent),
                None => break,
            }
        }
        let mut path = String::new();
        for step in steps.iter().rev() {
            let name = if known(*step) { step.local() } else { "*" };
            let _ = write!(path, "/{name}");
            if step.index == top.index {
                continue;
            }
            let Some(parent) = step.parent() else { continue };
            let same = |other: &Element<'d, 's>| name == "*" || other.is(step.namespace(), step.local());
            // Among very many elements, the first two show the repetition, and those before this one give its
            // position.
            let repeats = parent.children().filter(same).nth(1).is_some();
            if repeats {
                let position = parent
                    .children()
                    .take_while(|other| other.index <= step.index)
                    .filter(same)
                    .count();
                let _ = write!(path, "[{position}]");
            }
        }
        path
    }
}

/// Reads an element's attributes and children by their names, from the last one found. In document order each
/// is found at once; out of order it is found all the same.
#[derive(Clone, Debug)]
pub struct Cursor<'d, 's> {
    element: Element<'d, 's>,
    attribute: usize,
    children: Children<'d, 's>,
}

impl<'d, 's> Cursor<'d, 's> {
    /// The element it reads.
    pub fn element(&self) -> Element<'d, 's> {
        self.element
    }

    /// The value of an attribute without namespace.
    pub fn attribute(&mut self, local: &str) -> Option<&'d str> {
        let all = self.element.attributes();
        let (before, after) = all.split_at(self.attribute);
        let is = |attribute: &Attribute<'s>| attribute.is_plain() && attribute.local() == local;
        let at = after
            .iter()
            .position(is)
            .map(|at| at + before.len())
            .or_else(|| before.iter().position(is))?;
        self.attribute = at + 1;
        all.get(at).map(|attribute| &*attribute.value)
    }

    /// The next child of this name after the last one found, else the first.
    pub fn child(&mut self, local: &str) -> Option<Element<'d, 's>> {
        let mut ahead = self.children.clone();
        if let Some(found) = ahead.find(|child| child.local() == local) {
            self.children = ahead;
            return Some(found);
        }
        self.element.children().find(|child| child.local() == local)
    }

    /// All children of this name, in order; the cursor does not move.
    pub fn all<'n>(&mut self, local: &'n str) -> impl Iterator<Item = Element<'d, 's>> + use<'d, 's, 'n> {
        self.element
            .children()
            .filter(move |child| child.local() == local)
    }
}

impl<'s> Attribute<'s> {
    /// Whether it has no namespace, as attributes of messages have none.
    pub(super) fn is_plain(&self) -> bool {
        self.namespace == NONE
    }

    /// The name without prefix.
    pub fn local(&self) -> &'s str {
        self.name.local()
    }

    /// The prefix as written; empty without one.
    pub fn prefix(&self) -> &'s str {
        self.name.prefix()
    }

    /// The namespace's URI in `document`; empty without one.
    pub fn namespace<'d>(&self, document: &'d Document<'s>) -> &'d str {
        &document.namespaces[self.namespace as usize]
    }

    /// The value, with references resolved and white space made spaces.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The byte offset of its name in the source.
    pub fn offset(&self) -> usize {
        self.offset as usize
    }
}

/// A piece of an element's content.
#[derive(Clone, Copy, Debug)]
pub enum Content<'d, 's> {
    /// An element directly inside.
    Element(Element<'d, 's>),
    /// A run of text, references resolved.
    Text(&'d str),
}

/// The elements directly inside another.
#[derive(Clone, Debug)]
pub struct Children<'d, 's> {
    document: &'d Document<'s>,
    next: u32,
    end: u32,
}

impl<'d, 's> Iterator for Children<'d, 's> {
    type Item = Element<'d, 's>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.next < self.end {
            match &self.document.nodes[self.next as usize] {
                TreeNode::Text(_) => self.next += 1,
                TreeNode::Element(tag) => {
                    let element = Element {
                        document: self.document,
                        index: self.next,
                    };
                    self.next = tag.end;
                    return Some(element);
                }
            }
        }
        None
    }
}

/// Indexes and offsets fit: the source is shorter than 4 GiB (checked first), and so is everything made of
/// it.
pub(super) fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
