//! XML Schema, the part of it that the contract uses, compiled once at start.
//!
//! [`compile`](SchemaSet::compile) turns schema documents into content models (Glushkov automata, which the
//! rule of Unique Particle Attribution makes deterministic) and flattened simple types; a construct that is
//! not understood is an error there, never a silent acceptance later. [`validate`](SchemaSet::validate)
//! judges an element and reports ALL violations in one pass: after each it recovers to the nearest state from
//! which the rest still makes sense.
//!
//! Understood: global and local elements, `ref`, named and anonymous types, sequences and choices with
//! occurrences, attributes with `use`, simple types restricted by every facet but `whiteSpace` on all
//! built-in types listed in [`Builtin`], unions of these, `nillable`, `xs:anyType` (which accepts anything),
//! `import` and `include`. `xsi:type` is accepted if it names the declared type.

mod compile;
mod facets;
mod pattern;
mod simple;
mod validate;

pub use compile::SchemaError;
pub use facets::Facets;
pub use simple::{Builtin, SimpleType, base64, date, decimal, write_date};
pub use validate::{Breach, MAX_VIOLATIONS, Report, Violation};

use std::collections::HashMap;

/// The namespace of schema documents.
pub const XS: &str = "http://www.w3.org/2001/XMLSchema";

/// A set of compiled schemas.
#[derive(Debug)]
pub struct SchemaSet {
    /// Global elements by namespace and name.
    roots: HashMap<(String, String), ElementId>,
    elements: Vec<ElementDeclaration>,
    types: Vec<Type>,
    /// Named types by namespace and name.
    named: HashMap<(String, String), TypeId>,
    /// The namespaces of elements, each once.
    spaces: Vec<String>,
    /// By an element's local name: the namespaces that declare it.
    declared: HashMap<String, Vec<u16>>,
}

/// Names an element declaration of its [`SchemaSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ElementId(u32);

/// Names a type of its [`SchemaSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeId(u32);

/// An element as declared.
#[derive(Debug)]
pub struct ElementDeclaration {
    /// Its namespace, or nothing.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether `xsi:nil` may empty it.
    pub nillable: bool,
    /// Which of the set's namespaces is its own.
    space: u16,
}

/// A compiled type.
#[derive(Debug)]
pub enum Type {
    /// Text.
    Simple(SimpleType),
    /// Attributes and elements.
    Complex(ComplexType),
    /// `xs:anyType`: anything.
    Any,
}

/// Attributes and elements.
#[derive(Debug)]
pub struct ComplexType {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its attributes, in the order declared.
    pub attributes: Vec<AttributeDeclaration>,
    /// The particle it was compiled from, if it may have children.
    pub particle: Option<Particle>,
    model: Model,
    /// Which attributes must be there: a bit each, in the order declared.
    required: u64,
}

/// An attribute as declared; it has no namespace.
#[derive(Debug)]
pub struct AttributeDeclaration {
    /// Its name.
    pub name: String,
    /// Whether it must be there.
    pub required: bool,
    /// Its type, always simple.
    pub ty: TypeId,
}

/// A part of a content model, as written in the schema.
#[derive(Clone, Debug)]
pub struct Particle {
    /// `minOccurs`.
    pub min: u32,
    /// `maxOccurs`; nothing for `unbounded`.
    pub max: Option<u32>,
    /// What may occur.
    pub term: Term,
}

/// What a particle is made of.
#[derive(Clone, Debug)]
pub enum Term {
    /// An element.
    Element(ElementId),
    /// All, in this order.
    Sequence(Vec<Particle>),
    /// One of them.
    Choice(Vec<Particle>),
}

/// A content model as an automaton: its states are the places in the particle where an element may stand.
#[derive(Debug, Default)]
struct Model {
    positions: Vec<ElementId>,
    first: Vec<u16>,
    follow: Vec<Vec<u16>>,
    last: Vec<bool>,
    /// Whether no child at all is right.
    nullable: bool,
}

impl SchemaSet {
    /// A global element.
    pub fn root(&self, namespace: &str, name: &str) -> Option<ElementId> {
        self.roots.get(&(namespace.to_owned(), name.to_owned())).copied()
    }

    /// All global elements.
    pub fn roots(&self) -> impl Iterator<Item = ElementId> + '_ {
        self.roots.values().copied()
    }

    /// A named type.
    pub fn type_named(&self, namespace: &str, name: &str) -> Option<TypeId> {
        self.named.get(&(namespace.to_owned(), name.to_owned())).copied()
    }

    /// The declaration behind an id.
    pub fn element(&self, id: ElementId) -> &ElementDeclaration {
        &self.elements[id.0 as usize]
    }

    /// The type behind an id.
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}
