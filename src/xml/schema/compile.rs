//! From schema documents to a [`SchemaSet`]. Any construct not understood is an error with its name.

use std::collections::HashMap;

use super::super::{Document, DocumentLimits, Element, XmlError, parse};
use super::pattern::Pattern;
use super::simple::{Builtin, SimpleType, Value};
use super::{
    AttributeDeclaration, ComplexType, ElementDeclaration, ElementId, Model, Particle, SchemaSet, Term, Type,
    TypeId, XS,
};

/// The reason why a schema is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The file's name, and its fault as XML.
    #[error("{0}: {1}")]
    Xml(String, XmlError),
    /// A construct that is not understood, or makes no sense.
    #[error("{file}, line {line}: {what}")]
    Construct {
        /// The name of the schema's file.
        file: String,
        /// The line of the element.
        line: u32,
        /// The construct, or its defect.
        what: String,
    },
}

/// Occurrences above this are not expanded into states.
const MAX_EXPANSION: u32 = 16;

impl SchemaSet {
    /// Compiles schema documents with references to each other: name and text of each.
    pub fn compile(files: &[(&str, &str)]) -> Result<Self, SchemaError> {
        let limits = DocumentLimits::default();
        let mut documents = Vec::with_capacity(files.len());
        for (name, text) in files {
            let document =
                parse(text, &limits).map_err(|error| SchemaError::Xml((*name).to_owned(), error))?;
            documents.push((*name, document));
        }
        let mut compiler = Compiler {
            set: Self {
                roots: HashMap::new(),
                elements: Vec::new(),
                types: vec![Type::Any],
                named: HashMap::new(),
                spaces: Vec::new(),
                declared: HashMap::new(),
            },
            builtins: Vec::new(),
        };
        let sources: Vec<SchemaSource<'_>> = documents
            .iter()
            .map(|(file, document)| SchemaSource::of(file, document))
            .collect::<Result<_, _>>()?;
        compiler.declare(&sources)?;
        compiler.define(&sources)?;
        Ok(compiler.set)
    }
}

/// One schema document, with its target namespace and the form of its local elements.
struct SchemaSource<'d> {
    file: &'d str,
    schema: Element<'d, 'd>,
    target: &'d str,
    qualified: bool,
}

impl<'d> SchemaSource<'d> {
    fn of(file: &'d str, document: &'d Document<'d>) -> Result<Self, SchemaError> {
        let schema = document.root();
        let source = Self {
            file,
            schema,
            target: schema.attribute("targetNamespace").unwrap_or_default(),
            qualified: schema.attribute("elementFormDefault") == Some("qualified"),
        };
        if !schema.is(XS, "schema") {
            return Err(source.wrong(schema, "not a schema"));
        }
        source.only(
            schema,
            &[
                "targetNamespace",
                "elementFormDefault",
                "attributeFormDefault",
                "version",
            ],
        )?;
        if schema.attribute("attributeFormDefault") == Some("qualified") {
            return Err(source.wrong(schema, "qualified attributes"));
        }
        Ok(source)
    }

    fn wrong(&self, at: Element<'_, '_>, what: &str) -> SchemaError {
        let line = self.schema.document().place(at.offset()).line;
        SchemaError::Construct {
            file: self.file.to_owned(),
            line,
            what: what.to_owned(),
        }
    }

    /// Refuses attributes not understood.
    fn only(&self, element: Element<'_, '_>, allowed: &[&str]) -> Result<(), SchemaError> {
        for attribute in element.attributes() {
            let known = attribute.prefix().is_empty()
                && (allowed.contains(&attribute.local()) || attribute.local() == "id");
            if !known {
                return Err(self.wrong(
                    element,
                    &format!("attribute {} on {}", attribute.local(), element.local()),
                ));
            }
        }
        Ok(())
    }

    /// Namespace and name of a QName in an attribute.
    fn name<'n>(&self, at: Element<'d, 'd>, value: &'n str) -> Result<(&'d str, &'n str), SchemaError> {
        let (prefix, local) = value.split_once(':').unwrap_or(("", value));
        let namespace = at
            .namespace_of(prefix)
            .ok_or_else(|| self.wrong(at, "undeclared prefix"))?;
        Ok((namespace, local))
    }

    fn children(&self, of: Element<'d, 'd>) -> impl Iterator<Item = Element<'d, 'd>> + use<'d> {
        of.children().filter(|child| !child.is(XS, "annotation"))
    }
}

struct Compiler {
    set: SchemaSet,
    builtins: Vec<(Builtin, TypeId)>,
}

impl Compiler {
    /// First pass: every global name gets its id, so that definitions may refer forwards and to themselves.
    fn declare(&mut self, sources: &[SchemaSource<'_>]) -> Result<(), SchemaError> {
        for source in sources {
            for item in source.children(source.schema) {
                let name = || {
                    item.attribute("name")
                        .ok_or_else(|| source.wrong(item, "global item without name"))
                };
                match item.local() {
                    "import" | "include" => {}
                    "simpleType" | "complexType" => {
                        let key = (source.target.to_owned(), name()?.to_owned());
                        let id = self.reserve();
                        if self.set.named.insert(key, id).is_some() {
                            return Err(source.wrong(item, "type declared twice"));
                        }
                    }
                    "element" => {
                        let key = (source.target.to_owned(), name()?.to_owned());
                        let id = self.add_element(source.target, &key.1, TypeId(0), false);
                        if self.set.roots.insert(key, id).is_some() {
                            return Err(source.wrong(item, "element declared twice"));
                        }
                    }
                    other => return Err(source.wrong(item, &format!("global {other}"))),
                }
            }
        }
        Ok(())
    }

    /// Second pass: defines types and elements, simple types first.
    fn define(&mut self, sources: &[SchemaSource<'_>]) -> Result<(), SchemaError> {
        // Simple types first and in dependency order: a restriction copies the facets of its base.
        let mut waiting: Vec<(&SchemaSource<'_>, Element<'_, '_>)> = Vec::new();
        for source in sources {
            waiting.extend(
                source
                    .children(source.schema)
                    .filter(|item| item.is(XS, "simpleType"))
                    .map(|item| (source, item)),
            );
        }
        let mut defined = 0;
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut later = Vec::new();
            for (source, item) in waiting {
                match self.simple(source, item)? {
                    Some(mut simple) => {
                        simple.name = item.attribute("name").map(str::to_owned);
                        let key = (source.target.to_owned(), simple.name.clone().unwrap_or_default());
                        if let Some(id) = self.set.named.get(&key).copied() {
                            self.set.types[id.0 as usize] = Type::Simple(simple);
                        }
                        defined += 1;
                    }
                    None => later.push((source, item)),
                }
            }
            if later.len() == before {
                return Err(later.first().map_or_else(
                    || SchemaError::Construct {
                        file: String::new(),
                        line: defined,
                        what: "unreachable".to_owned(),
                    },
                    |(source, item)| source.wrong(*item, "simple type whose base is not defined"),
                ));
            }
            waiting = later;
        }
        for source in sources {
            for item in source.children(source.schema) {
                let key = (
                    source.target.to_owned(),
                    item.attribute("name").unwrap_or_default().to_owned(),
                );
                match item.local() {
                    "complexType" => {
                        let mut complex = self.complex(source, item)?;
                        complex.name = Some(key.1.clone());
                        if let Some(id) = self.set.named.get(&key).copied() {
                            self.set.types[id.0 as usize] = Type::Complex(complex);
                        }
                    }
                    "element" => {
                        let (ty, nillable) = self.element_type(source, item)?;
                        if let Some(id) = self.set.roots.get(&key).copied() {
                            let declaration = &mut self.set.elements[id.0 as usize];
                            declaration.ty = ty;
                            declaration.nillable = nillable;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn reserve(&mut self) -> TypeId {
        self.add_type(Type::Any)
    }

    fn add_type(&mut self, ty: Type) -> TypeId {
        self.set.types.push(ty);
        TypeId(id(self.set.types.len() - 1))
    }

    fn add_element(&mut self, namespace: &str, name: &str, ty: TypeId, nillable: bool) -> ElementId {
        let spaces = &mut self.set.spaces;
        let space = spaces
            .iter()
            .position(|known| known == namespace)
            .unwrap_or_else(|| {
                spaces.push(namespace.to_owned());
                spaces.len() - 1
            });
        let (namespace, name, space) = (
            namespace.to_owned(),
            name.to_owned(),
            u16::try_from(space).unwrap_or(u16::MAX),
        );
        let declared = self.set.declared.entry(name.clone()).or_default();
        if !declared.contains(&space) {
            declared.push(space);
        }
        self.set.elements.push(ElementDeclaration {
            namespace,
            name,
            ty,
            nillable,
            space,
        });
        ElementId(id(self.set.elements.len() - 1))
    }

    fn builtin(&mut self, builtin: Builtin) -> TypeId {
        if let Some((_, id)) = self.builtins.iter().find(|(known, _)| *known == builtin) {
            return *id;
        }
        let id = self.add_type(Type::Simple(SimpleType::of(builtin)));
        self.builtins.push((builtin, id));
        id
    }

    fn type_by_name(
        &mut self,
        source: &SchemaSource<'_>,
        at: Element<'_, '_>,
        namespace: &str,
        name: &str,
    ) -> Result<TypeId, SchemaError> {
        if namespace == XS {
            if name == "anyType" {
                return Ok(TypeId(0));
            }
            let builtin =
                Builtin::named(name).ok_or_else(|| source.wrong(at, &format!("built-in type {name}")))?;
            return Ok(self.builtin(builtin));
        }
        self.set
            .type_named(namespace, name)
            .ok_or_else(|| source.wrong(at, &format!("unknown type {name}")))
    }

    /// The type of an element declaration, and whether it is nillable.
    fn element_type<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<(TypeId, bool), SchemaError> {
        source.only(item, &["name", "type", "minOccurs", "maxOccurs", "nillable"])?;
        let nillable = matches!(item.attribute("nillable"), Some("true" | "1"));
        let ty = self.declared_type(source, item)?.unwrap_or(TypeId(0));
        Ok((ty, nillable))
    }

    /// The type of an element or attribute: by name or inside it, not both. `None`: neither.
    fn declared_type<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<Option<TypeId>, SchemaError> {
        let inline = source.children(item).next();
        Ok(match (item.attribute("type"), inline) {
            (Some(name), None) => {
                let (namespace, local) = source.name(item, name)?;
                Some(self.type_by_name(source, item, namespace, local)?)
            }
            (None, Some(inline)) => Some(self.inline_type(source, inline)?),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(source.wrong(item, "two types")),
        })
    }

    fn inline_type<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        inline: Element<'d, 'd>,
    ) -> Result<TypeId, SchemaError> {
        let ty = match inline.local() {
            "complexType" => Type::Complex(self.complex(source, inline)?),
            "simpleType" => {
                let simple = self.simple(source, inline)?;
                Type::Simple(simple.ok_or_else(|| source.wrong(inline, "base is not a simple type"))?)
            }
            other => return Err(source.wrong(inline, &format!("{other} inside element"))),
        };
        Ok(self.add_type(ty))
    }

    /// A simple type; `None`: the base is not defined yet.
    fn simple<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<Option<SimpleType>, SchemaError> {
        source.only(item, &["name"])?;
        let mut inside = source.children(item);
        let (Some(restriction), None) = (inside.next(), inside.next()) else {
            return Err(source.wrong(item, "simpleType without exactly one restriction"));
        };
        if restriction.is(XS, "union") {
            return Self::union(source, restriction).map(Some);
        }
        if !restriction.is(XS, "restriction") {
            return Err(source.wrong(restriction, restriction.local()));
        }
        source.only(restriction, &["base"])?;
        let base = restriction
            .attribute("base")
            .ok_or_else(|| source.wrong(restriction, "restriction without base"))?;
        let (namespace, local) = source.name(restriction, base)?;
        let base = self.type_by_name(source, restriction, namespace, local)?;
        // A base still in its reserved place is not defined yet.
        let Type::Simple(base) = self.set.ty(base) else {
            return Ok(None);
        };
        let mut simple = SimpleType::of(base.builtin);
        simple.enumeration.clone_from(&base.enumeration);
        if !base.patterns.is_empty()
            || base.min_length.is_some()
            || base.max_length.is_some()
            || !base.members.is_empty()
        {
            return Err(source.wrong(
                restriction,
                "restriction of a type that has patterns or lengths, or is a union",
            ));
        }
        simple.min_inclusive = base.min_inclusive;
        simple.max_inclusive = base.max_inclusive;
        simple.fraction_digits = base.fraction_digits;
        simple.total_digits = base.total_digits;
        Self::facets(source, restriction, &mut simple)?;
        Ok(Some(simple))
    }

    /// A union of built-in types, by name.
    fn union<'d>(source: &SchemaSource<'d>, item: Element<'d, 'd>) -> Result<SimpleType, SchemaError> {
        source.only(item, &["memberTypes"])?;
        if source.children(item).next().is_some() {
            return Err(source.wrong(item, "union of anonymous types"));
        }
        let mut members = Vec::new();
        for name in item
            .attribute("memberTypes")
            .unwrap_or_default()
            .split_whitespace()
        {
            let (namespace, local) = source.name(item, name)?;
            let builtin = Builtin::named(local).filter(|_| namespace == XS);
            members.push(builtin.ok_or_else(|| source.wrong(item, "union of types that are not built in"))?);
        }
        SimpleType::union(members).ok_or_else(|| source.wrong(item, "union of nothing"))
    }

    fn facets<'d>(
        source: &SchemaSource<'d>,
        restriction: Element<'d, 'd>,
        simple: &mut SimpleType,
    ) -> Result<(), SchemaError> {
        let mut patterns = Vec::new();
        let mut values = Vec::new();
        for facet in source.children(restriction) {
            source.only(facet, &["value"])?;
            let value = facet
                .attribute("value")
                .ok_or_else(|| source.wrong(facet, "facet without value"))?;
            let number = || {
                value
                    .parse::<usize>()
                    .map_err(|_| source.wrong(facet, "facet that is not a number"))
            };
            let bound = || {
                Value::parse(simple.builtin, value)
                    .ok_or_else(|| source.wrong(facet, "bound that has no order"))
            };
            match facet.local() {
                "enumeration" => values.push(value.to_owned()),
                "pattern" => patterns.push(
                    Pattern::new(value)
                        .ok_or_else(|| source.wrong(facet, "pattern that is not understood"))?,
                ),
                "length" => {
                    simple.min_length = Some(number()?);
                    simple.max_length = Some(number()?);
                }
                "minLength" => simple.min_length = Some(number()?),
                "maxLength" => simple.max_length = Some(number()?),
                "minInclusive" => simple.min_inclusive = Some(bound()?),
                "maxInclusive" => simple.max_inclusive = Some(bound()?),
                "fractionDigits" => simple.fraction_digits = Some(number()?),
                "totalDigits" => simple.total_digits = Some(number()?),
                other => return Err(source.wrong(facet, &format!("facet {other}"))),
            }
        }
        if !values.is_empty() {
            simple.enumeration = Some(values);
        }
        if !patterns.is_empty() {
            simple.patterns.push(patterns);
        }
        Ok(())
    }

    fn complex<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<ComplexType, SchemaError> {
        source.only(item, &["name"])?;
        let mut particle = None;
        let mut attributes: Vec<AttributeDeclaration> = Vec::new();
        for part in source.children(item) {
            match part.local() {
                "sequence" | "choice" if particle.is_none() && attributes.is_empty() => {
                    particle = Some(self.particle(source, part)?);
                }
                "attribute" => attributes.push(self.attribute(source, part)?),
                other => return Err(source.wrong(part, &format!("{other} inside complexType"))),
            }
        }
        let model = match &particle {
            Some(particle) => {
                let model = Model::of(particle, &self.set.elements);
                model.ok_or_else(|| {
                    source.wrong(item, "content model that is not deterministic, or too large")
                })?
            }
            None => Model {
                nullable: true,
                ..Model::default()
            },
        };
        if attributes.len() > 64 {
            return Err(source.wrong(item, "more than 64 attributes"));
        }
        let required = attributes
            .iter()
            .enumerate()
            .filter(|(_, attribute)| attribute.required)
            .fold(0, |bits, (at, _)| bits | 1 << at);
        Ok(ComplexType {
            name: None,
            attributes,
            particle,
            model,
            required,
        })
    }

    fn attribute<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<AttributeDeclaration, SchemaError> {
        source.only(item, &["name", "type", "use"])?;
        let name = item
            .attribute("name")
            .ok_or_else(|| source.wrong(item, "attribute without name"))?
            .to_owned();
        let required = match item.attribute("use") {
            None | Some("optional") => false,
            Some("required") => true,
            Some(_) => return Err(source.wrong(item, "prohibited attribute")),
        };
        let ty = match self.declared_type(source, item)? {
            Some(ty) => ty,
            None => self.builtin(Builtin::AnySimpleType),
        };
        if !matches!(self.set.ty(ty), Type::Simple(_)) {
            return Err(source.wrong(item, "attribute whose type is not simple"));
        }
        Ok(AttributeDeclaration { name, required, ty })
    }

    fn particle<'d>(
        &mut self,
        source: &SchemaSource<'d>,
        item: Element<'d, 'd>,
    ) -> Result<Particle, SchemaError> {
        let min = match item.attribute("minOccurs") {
            None => 1,
            Some(min) => min
                .parse()
                .map_err(|_| source.wrong(item, "minOccurs that is not a number"))?,
        };
        let max = match item.attribute("maxOccurs") {
            None => Some(1),
            Some("unbounded") => None,
            Some(max) => Some(
                max.parse()
                    .map_err(|_| source.wrong(item, "maxOccurs that is not a number"))?,
            ),
        };
        if min > MAX_EXPANSION || max.is_some_and(|max| max > MAX_EXPANSION || max < min || max == 0) {
            return Err(source.wrong(item, "occurrences that are not understood"));
        }
        let term = match item.local() {
            "sequence" | "choice" => {
                source.only(item, &["minOccurs", "maxOccurs"])?;
                let inside: Vec<Particle> = source
                    .children(item)
                    .map(|part| self.particle(source, part))
                    .collect::<Result<_, _>>()?;
                if item.local() == "sequence" {
                    Term::Sequence(inside)
                } else {
                    Term::Choice(inside)
                }
            }
            "element" => Term::Element(match item.attribute("ref") {
                Some(name) => {
                    source.only(item, &["ref", "minOccurs", "maxOccurs"])?;
                    let (namespace, local) = source.name(item, name)?;
                    let id = self.set.root(namespace, local);
                    id.ok_or_else(|| source.wrong(item, &format!("unknown element {local}")))?
                }
                None => {
                    let (ty, nillable) = self.element_type(source, item)?;
                    let name = item
                        .attribute("name")
                        .ok_or_else(|| source.wrong(item, "element without name"))?;
                    let namespace = if source.qualified { source.target } else { "" };
                    self.add_element(namespace, name, ty, nillable)
                }
            }),
            other => return Err(source.wrong(item, &format!("{other} inside a content model"))),
        };
        Ok(Particle { min, max, term })
    }
}

/// A part of an automaton under construction.
struct Fragment {
    first: Vec<u16>,
    last: Vec<u16>,
    nullable: bool,
}

impl Model {
    /// The automaton of a particle. `None`: two elements of one name compete for the same place (XML Schema
    /// Part 1, "Unique Particle Attribution").
    fn of(particle: &Particle, elements: &[ElementDeclaration]) -> Option<Self> {
        let mut model = Self::default();
        let whole = model.add(particle)?;
        model.first = whole.first;
        model.nullable = whole.nullable;
        model.last = vec![false; model.positions.len()];
        for position in whole.last {
            *model.last.get_mut(usize::from(position))? = true;
        }
        for set in std::iter::once(&mut model.first).chain(model.follow.iter_mut()) {
            set.sort_unstable();
            set.dedup();
        }
        let unique = |set: &[u16]| {
            let names: Vec<_> = set
                .iter()
                .filter_map(|position| elements.get(model.positions.get(usize::from(*position))?.0 as usize))
                .map(|element| (&element.namespace, &element.name))
                .collect();
            names
                .iter()
                .enumerate()
                .all(|(index, name)| !names[..index].contains(name))
        };
        (unique(&model.first) && model.follow.iter().all(|set| unique(set))).then_some(model)
    }

    /// Adds one particle: its required copies, then its optional ones. The last copy repeats if the particle
    /// is unbounded.
    fn add(&mut self, particle: &Particle) -> Option<Fragment> {
        let copies = particle.max.unwrap_or(particle.min.max(1));
        let mut whole = Fragment {
            first: Vec::new(),
            last: Vec::new(),
            nullable: true,
        };
        for copy in 0..copies {
            let mut part = self.add_term(&particle.term)?;
            if particle.max.is_none() && copy + 1 == copies {
                self.connect(&part.last.clone(), &part.first);
            }
            part.nullable |= copy >= particle.min;
            whole = self.concatenate(whole, part);
        }
        Some(whole)
    }

    fn add_term(&mut self, term: &Term) -> Option<Fragment> {
        Some(match term {
            Term::Element(element) => {
                let position = u16::try_from(self.positions.len()).ok()?;
                self.positions.push(*element);
                self.follow.push(Vec::new());
                Fragment {
                    first: vec![position],
                    last: vec![position],
                    nullable: false,
                }
            }
            Term::Sequence(parts) => {
                let mut whole = Fragment {
                    first: Vec::new(),
                    last: Vec::new(),
                    nullable: true,
                };
                for part in parts {
                    let next = self.add(part)?;
                    whole = self.concatenate(whole, next);
                }
                whole
            }
            Term::Choice(parts) => {
                let mut whole = Fragment {
                    first: Vec::new(),
                    last: Vec::new(),
                    nullable: parts.is_empty(),
                };
                for part in parts {
                    let other = self.add(part)?;
                    whole.first.extend(other.first);
                    whole.last.extend(other.last);
                    whole.nullable |= other.nullable;
                }
                whole
            }
        })
    }

    fn concatenate(&mut self, mut left: Fragment, right: Fragment) -> Fragment {
        self.connect(&left.last, &right.first);
        if left.nullable {
            left.first.extend(&right.first);
        }
        let mut last = right.last;
        if right.nullable {
            last.extend(left.last);
        }
        Fragment {
            first: left.first,
            last,
            nullable: left.nullable && right.nullable,
        }
    }

    fn connect(&mut self, from: &[u16], to: &[u16]) {
        for position in from {
            if let Some(follow) = self.follow.get_mut(usize::from(*position)) {
                follow.extend(to);
            }
        }
    }
}

fn id(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compile(inside: &str) -> Result<SchemaSet, SchemaError> {
        let schema = format!(
            "<xs:schema xmlns:xs='{XS}' targetNamespace='u' elementFormDefault='qualified'>{inside}</xs:schema>"
        );
        SchemaSet::compile(&[("s.xsd", &schema)])
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for inside in [
            "<xs:group name='g'/>",
            "<xs:element name='e' substitutionGroup='x'/>",
            "<xs:element name='e' default='1'/>",
            "<xs:complexType name='t'><xs:all/></xs:complexType>",
            "<xs:complexType name='t' mixed='true'/>",
            "<xs:complexType name='t'><xs:sequence><xs:any/></xs:sequence></xs:complexType>",
            "<xs:simpleType name='t'><xs:list itemType='xs:int'/></xs:simpleType>",
            "<xs:simpleType name='t'><xs:restriction base='xs:string'><xs:pattern value='\\i'/></xs:restriction></xs:simpleType>",
            "<xs:simpleType name='t'><xs:restriction base='xs:gYear'/></xs:simpleType>",
            "<xs:element name='e' type='xs:nothing'/>",
            "<xs:element name='e' type='missing'/>",
        ] {
            assert!(compile(inside).is_err(), "{inside}");
        }
    }

    #[test]
    fn an_ambiguous_model_is_an_error() {
        let ambiguous = "<xs:complexType name='t'><xs:sequence><xs:element name='a' minOccurs='0' type='xs:int'/><xs:element name='a' type='xs:int'/></xs:sequence></xs:complexType>";
        assert!(compile(ambiguous).is_err());
    }
}
