//! XML Schema: the part used by the contract, compiled once at start.
//!
//! [`compile`](SchemaSet::compile) turns schema documents into content models (Glushkov automata,
//! deterministic by the rule of Unique Particle Attribution) and flattened simple types. A construct not
//! understood is an error there, never a silent acceptance later. [`validate`](SchemaSet::validate) judges an
//! element and reports ALL violations in one pass: after each it recovers to the nearest state from which the
//! rest still makes sense.
//!
//! Understood: global and local elements, `ref`, named and anonymous types, sequences and choices with
//! occurrences, attributes with `use`, simple types restricted by every facet but `whiteSpace`,
//! `minExclusive` and `maxExclusive` on all built-in types listed in [`Builtin`], unions of these,
//! `nillable`, `xs:anyType` (it accepts anything), `import` and `include`. `xsi:type` is accepted if it names
//! the declared type.

mod compile;
mod facets;
mod pattern;
mod simple;
mod validate;

pub use compile::SchemaError;
pub use facets::Facets;
pub use simple::{Builtin, SimpleType, base64, date, decimal, write_date};
pub use validate::{Breach, MAX_VIOLATIONS, Validation, Violation};

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
    /// By an element's local name: the namespaces of its declarations.
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
    /// Its namespace; empty without one.
    pub namespace: String,
    /// Its name, without a prefix.
    pub name: String,
    /// The id of its type in the set.
    pub ty: TypeId,
    /// Whether `xsi:nil` may empty it.
    pub nillable: bool,
    /// The number of its namespace in the set.
    space: u16,
}

/// A type of the set, named or anonymous.
#[derive(Debug)]
pub enum Type {
    /// A type of text, without attributes or elements.
    Simple(SimpleType),
    /// A type with attributes, elements, or both.
    Complex(ComplexType),
    /// `xs:anyType`: any content; declared elements in it are judged.
    Any,
}

/// The attributes and the content model of a complex type.
#[derive(Debug)]
pub struct ComplexType {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its attributes, in the order declared.
    pub attributes: Vec<AttributeDeclaration>,
    /// The particle it was compiled from; `None`: no children allowed.
    pub particle: Option<Particle>,
    model: Model,
    /// The required attributes: a bit each, in the order declared.
    required: u64,
}

/// An attribute as declared; it has no namespace.
#[derive(Debug)]
pub struct AttributeDeclaration {
    /// Its name, without namespace.
    pub name: String,
    /// Whether an element must have it.
    pub required: bool,
    /// Its type, always simple.
    pub ty: TypeId,
}

/// A part of a content model, as written in the schema.
#[derive(Clone, Debug)]
pub struct Particle {
    /// `minOccurs`; 1 if the schema has none.
    pub min: u32,
    /// `maxOccurs`; `None` for `unbounded`.
    pub max: Option<u32>,
    /// Its content: an element, or a group.
    pub term: Term,
}

/// The content of a particle.
#[derive(Clone, Debug)]
pub enum Term {
    /// One element, by its declaration.
    Element(ElementId),
    /// All, in this order.
    Sequence(Vec<Particle>),
    /// Exactly one of these.
    Choice(Vec<Particle>),
}

/// A content model as an automaton: its states are the places of elements in the particle.
#[derive(Debug, Default)]
struct Model {
    positions: Vec<ElementId>,
    first: Vec<u16>,
    follow: Vec<Vec<u16>>,
    last: Vec<bool>,
    /// Whether an element without children is valid.
    nullable: bool,
}

impl SchemaSet {
    /// A global element by namespace and name; `None`: not declared.
    pub fn root(&self, namespace: &str, name: &str) -> Option<ElementId> {
        self.roots.get(&(namespace.to_owned(), name.to_owned())).copied()
    }

    /// All global elements, in no order.
    pub fn roots(&self) -> impl Iterator<Item = ElementId> + '_ {
        self.roots.values().copied()
    }

    /// A named type by namespace and name; `None`: not defined.
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
