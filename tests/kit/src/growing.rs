//! Documents that grow in one place, made from the compiled schemas: at each element that may be repeated,
//! and at each value that may be long. A schema that gets another such place gets another document.

use std::collections::HashMap;
use std::fmt::Write as _;

use varco::contract::catalogue::Operation;
use varco::isee::codice_fiscale::check_letter;
use varco::soap::SOAP11;
use varco::xml::schema::{Builtin, ElementId, Particle, SchemaSet, SimpleType, Term, Type, TypeId};

use super::generate::{Form, Random, escape, samples};

/// A place where a document may grow.
#[derive(Clone)]
pub struct Growth<'s> {
    /// The names from the body's root down.
    pub name: String,
    /// The particles of the elements from the root's down to the place.
    path: Vec<&'s Particle>,
    what: What<'s>,
}

/// What grows there.
#[derive(Clone, Copy)]
enum What<'s> {
    /// The last particle of the path is repeated.
    Element,
    /// An attribute of the last element.
    Attribute(&'s str),
    /// The text of the last element.
    Text,
}

impl Growth<'_> {
    /// Whether it is a value that grows.
    pub fn is_value(&self) -> bool {
        !matches!(self.what, What::Element)
    }

    /// Whether a name lies on the way to the place.
    pub fn leads_through(&self, name: &str) -> bool {
        self.name.split('/').any(|step| step == name)
    }
}

/// Every place below the root of an operation's request where it may grow. What stands in a lot is looked at
/// in an operation of its own.
pub fn growths<'s>(schemas: &'s SchemaSet, operation: Operation) -> Vec<Growth<'s>> {
    let root = schemas
        .root(operation.namespace(), operation.root())
        .expect("the operation's root");
    let mut walk = Walk {
        schemas,
        roots: operation != Operation::TrasmissioneLotto,
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.element(root, "");
    walk.found
}

struct Walk<'s> {
    schemas: &'s SchemaSet,
    /// Whether global elements are entered.
    roots: bool,
    path: Vec<&'s Particle>,
    found: Vec<Growth<'s>>,
}

impl<'s> Walk<'s> {
    fn element(&mut self, id: ElementId, around: &str) {
        let declaration = self.schemas.element(id);
        let name = format!("{around}/{}", declaration.name);
        match self.schemas.ty(declaration.ty) {
            Type::Any => {}
            Type::Simple(simple) if is_unbounded(simple) => self.add(&name, What::Text),
            Type::Simple(_) => {}
            Type::Complex(complex) => {
                for attribute in &complex.attributes {
                    if let Type::Simple(simple) = self.schemas.ty(attribute.ty)
                        && is_unbounded(simple)
                    {
                        self.add(
                            &format!("{name}/@{}", attribute.name),
                            What::Attribute(&attribute.name),
                        );
                    }
                }
                if let Some(particle) = &complex.particle {
                    self.particle(particle, &name);
                }
            }
        }
    }

    fn particle(&mut self, particle: &'s Particle, around: &str) {
        self.path.push(particle);
        let repeats = particle.max.is_none_or(|max| max > 1);
        match &particle.term {
            Term::Element(id) => {
                if repeats {
                    self.add(
                        &format!("{around}/{}", self.schemas.element(*id).name),
                        What::Element,
                    );
                }
                let is_root = self.schemas.roots().any(|root| root == *id);
                if self.roots || !is_root {
                    self.element(*id, around);
                }
                self.path.pop();
            }
            Term::Sequence(parts) | Term::Choice(parts) => {
                if repeats {
                    self.add(&format!("{around}/()"), What::Element);
                }
                // A group is no step of the way: what is in it is.
                self.path.pop();
                parts.iter().for_each(|part| self.particle(part, around));
            }
        }
    }

    fn add(&mut self, name: &str, what: What<'s>) {
        self.found.push(Growth {
            name: name.to_owned(),
            path: self.path.clone(),
            what,
        });
    }
}

/// Whether a value may be as long as a document.
fn is_unbounded(simple: &SimpleType) -> bool {
    let facets = simple.facets();
    let text = matches!(
        simple.builtin,
        Builtin::String | Builtin::AnySimpleType | Builtin::AnyUri | Builtin::Base64Binary
    );
    text && simple.enumeration.is_none()
        && facets.members.is_empty()
        && facets.patterns.is_empty()
        && facets.max_length.is_none()
}

/// Which sections of a DSU belong to which kinds of operation: they are there, so that what grows has
/// something to be looked up in.
const SECTIONS: [(&str, &str); 6] = [
    ("NucleoFamiliare", "NR"),
    ("ModelloBase", "NR"),
    ("IntegrazioneComponenteAggiuntiva", "A"),
    ("IntegrazioneRedditi", "I"),
    ("IntegrazioneResidenziale", "S"),
    ("ISEECorrente", "C"),
];

/// The kinds of operation to which a place belongs: those of its section, or all.
pub fn kinds(growth: &Growth<'_>) -> &'static str {
    SECTIONS
        .iter()
        .find(|(section, _)| growth.leads_through(section))
        .map_or("NAISCRX", |(_, kinds)| kinds)
}

/// What stands around a place that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The first values of all types, a family of one.
    First,
    /// The second values, a family of [`FAMILY`].
    Second,
}

/// How many members a large family has: few enough for the least of the documents.
const FAMILY: u32 = 16;

/// Makes documents.
pub struct Maker<'s> {
    schemas: &'s SchemaSet,
    /// Values of each simple type, escaped.
    values: HashMap<TypeId, Vec<String>>,
}

impl<'s> Maker<'s> {
    /// Makes values of every simple type on the way.
    pub fn new(schemas: &'s SchemaSet) -> Self {
        Self {
            schemas,
            values: HashMap::new(),
        }
    }

    /// A request of about that many bytes, in its envelope; a DSU in it is an operation of that kind. What
    /// stands around the place has the first values of its types, or the second ones and a large family.
    pub fn request(
        &mut self,
        operation: Operation,
        growth: &Growth<'s>,
        (kind, frame): (&str, Frame),
        size: usize,
    ) -> String {
        let mut text = format!("<s:Envelope xmlns:s=\"{SOAP11}\"><s:Body>");
        text.reserve(size + 4096);
        let root = self
            .schemas
            .root(operation.namespace(), operation.root())
            .expect("the operation's root");
        let mut document = Document {
            maker: self,
            path: &growth.path,
            what: growth.what,
            kind,
            frame,
            size,
            members: 0,
            codes: 0,
            out: text,
        };
        document.element(root, "", None);
        let mut text = document.out;
        text.push_str("</s:Body></s:Envelope>");
        text
    }
}

/// One of them, while it is made.
struct Document<'m, 's> {
    maker: &'m mut Maker<'s>,
    /// What remains of the way to the place.
    path: &'m [&'s Particle],
    what: What<'s>,
    kind: &'m str,
    frame: Frame,
    size: usize,
    /// How many codici fiscali there are, of members and of others.
    members: usize,
    codes: usize,
    out: String,
}

impl<'s> Document<'_, 's> {
    /// `instance` is the number of the repetition that it stands in.
    fn element(&mut self, id: ElementId, around: &str, instance: Option<usize>) {
        let declaration = self.maker.schemas.element(id);
        let ends_here = self.path.is_empty() && instance.is_none();
        let _ = write!(self.out, "<{}", declaration.name);
        if declaration.namespace != around {
            let _ = write!(self.out, " xmlns=\"{}\"", escape(&declaration.namespace, true));
        }
        match self.maker.schemas.ty(declaration.ty) {
            Type::Any => self.out.push('>'),
            Type::Simple(simple) => {
                self.out.push('>');
                match self.what {
                    What::Text if ends_here => self.long(simple),
                    _ => self.value(declaration.ty, simple, instance),
                }
            }
            Type::Complex(complex) => {
                for attribute in &complex.attributes {
                    let long =
                        ends_here && matches!(self.what, What::Attribute(name) if name == attribute.name);
                    // Every second one has all that is optional.
                    if !(long || attribute.required || instance.is_some_and(|instance| instance % 2 == 1)) {
                        continue;
                    }
                    let Type::Simple(simple) = self.maker.schemas.ty(attribute.ty) else {
                        continue;
                    };
                    let _ = write!(self.out, " {}=\"", attribute.name);
                    match (declaration.name.as_str(), attribute.name.as_str()) {
                        _ if long => self.long(simple),
                        ("Operazione", "Tipo") => self.out.push_str(self.kind),
                        ("FoglioComponenteNucleo", "CodiceFiscale") if instance.is_none() => {
                            self.out.push_str(&code(self.members));
                            self.members += 1;
                        }
                        _ => self.value(attribute.ty, simple, instance),
                    }
                    self.out.push('"');
                }
                self.out.push('>');
                let content = self.out.len();
                if let Some(particle) = &complex.particle {
                    self.particle(particle, &declaration.namespace, instance);
                }
                if self.out.len() == content {
                    // As short as it may be: the most elements for the bytes.
                    self.out.pop();
                    self.out.push_str("/>");
                    return;
                }
            }
        }
        let _ = write!(self.out, "</{}>", declaration.name);
    }

    fn particle(&mut self, particle: &'s Particle, namespace: &str, instance: Option<usize>) {
        if let Some((first, rest)) = self.path.split_first()
            && std::ptr::eq(*first, particle)
        {
            self.path = rest;
            if rest.is_empty() && matches!(self.what, What::Element) {
                let most = particle
                    .max
                    .map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
                let mut instance = 0;
                while instance == 0
                    || self.out.len() < self.size && instance < most && !self.is_full(particle, instance)
                {
                    self.term(particle, namespace, Some(instance));
                    instance += 1;
                }
            } else {
                self.term(particle, namespace, None);
            }
            return;
        }
        let times = match self.leads(particle) {
            true => 1,
            false
                if instance.is_none()
                    && self.frame == Frame::Second
                    && self.is(particle, "ComponenteNucleo") =>
            {
                FAMILY
            }
            false => particle.min,
        };
        // Of what grows, every sixteenth has all that is optional inside it.
        let wanted = times == 0
            && (instance.is_some_and(|instance| instance % 16 == 15)
                || instance.is_none() && self.has_section(particle));
        for _ in 0..times.max(u32::from(wanted)) {
            self.term(particle, namespace, instance);
        }
    }

    fn term(&mut self, particle: &'s Particle, namespace: &str, instance: Option<usize>) {
        match &particle.term {
            Term::Element(id) => self.element(*id, namespace, instance),
            Term::Sequence(parts) => parts
                .iter()
                .for_each(|part| self.particle(part, namespace, instance)),
            Term::Choice(parts) => {
                let led = parts.iter().find(|part| self.leads(part));
                let part = led.unwrap_or(&parts[instance.unwrap_or_default() / 16 % parts.len()]);
                // An alternative is there once it is chosen.
                let optional = led.is_none() && part.min == 0;
                if optional {
                    self.term(part, namespace, instance)
                } else {
                    self.particle(part, namespace, instance)
                }
            }
        }
    }

    /// A lot has an end of its own.
    fn is_full(&self, particle: &Particle, instance: usize) -> bool {
        self.is(particle, "Dichiarazione") && instance >= varco::contract::MAX_LOT
    }

    fn is(&self, particle: &Particle, name: &str) -> bool {
        matches!(&particle.term, Term::Element(id) if self.maker.schemas.element(*id).name == name)
    }

    /// Whether the way goes through a particle.
    fn leads(&self, particle: &Particle) -> bool {
        let Some(first) = self.path.first() else {
            return false;
        };
        let inside = |parts: &[Particle]| parts.iter().any(|part| self.leads(part));
        std::ptr::eq(*first, particle)
            || match &particle.term {
                Term::Element(_) => false,
                Term::Sequence(parts) | Term::Choice(parts) => inside(parts),
            }
    }

    fn has_section(&self, particle: &Particle) -> bool {
        SECTIONS
            .iter()
            .any(|(section, kinds)| self.is(particle, section) && kinds.contains(self.kind))
    }

    /// A value of a type: one after another of those that are known. Codici fiscali are of different persons,
    /// and one in four of a member.
    fn value(&mut self, ty: TypeId, simple: &SimpleType, instance: Option<usize>) {
        if simple.name.as_deref() == Some("TypeCodiceFiscale") {
            let family = usize::try_from(FAMILY).unwrap_or_default();
            self.out.push_str(&code(if self.codes.is_multiple_of(4) {
                0
            } else {
                family + self.codes
            }));
            self.codes += 1;
            return;
        }
        let values = self.maker.values.entry(ty).or_insert_with(|| {
            let values = samples(simple, Form::Canonical, &mut Random::new(1));
            values.iter().map(|value| escape(value, true)).collect()
        });
        let which = instance.map_or(usize::from(self.frame == Frame::Second), |instance| instance / 2);
        self.out.push_str(&values[which % values.len()]);
    }

    fn long(&mut self, simple: &SimpleType) {
        let piece = if simple.builtin == Builtin::Base64Binary {
            "QUFB"
        } else {
            "Via di "
        };
        while self.out.len() < self.size {
            self.out.push_str(piece);
        }
    }
}

/// The codice fiscale of an invented person, by number.
pub fn code(number: usize) -> String {
    let mut code = *b"AAAAAA80A01H501A";
    let mut rest = number;
    for place in code[..6].iter_mut().rev() {
        *place = b'A' + u8::try_from(rest % 26).unwrap_or_default();
        rest /= 26;
    }
    code[15] = check_letter(&code[..15]).expect("letters and digits");
    String::from_utf8_lossy(&code).into_owned()
}
