//! Judges an element against its declaration: every violation in one pass.

use super::super::{Element, XSI};
use super::simple::{Builtin, SimpleBreach};
use super::{
    AttributeDeclaration, ComplexType, ElementDeclaration, ElementId, Model, SchemaSet, SimpleType, Type,
};

/// The most violations described; the rest are counted.
pub const MAX_VIOLATIONS: usize = 100;

/// The result of a validation.
#[derive(Clone, Debug, Default)]
pub struct Validation {
    /// The first [`MAX_VIOLATIONS`], in document order.
    pub violations: Vec<Violation>,
    /// The number of further violations.
    pub more: usize,
}

/// One violation: its place, and the broken rule. It never holds a value, nor a name unknown to the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// From the judged element down: `/Dichiarazione/Operazione/@Tipo`.
    pub path: String,
    /// The line in the source, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// The broken rule, with its expectation.
    pub breach: Breach,
}

/// The rule broken by an element or attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// An element not allowed here; the allowed ones.
    UnexpectedElement(Vec<String>),
    /// An element is missing before this one, or before the end; the expected elements.
    MissingElement(Vec<String>),
    /// Text between elements, other than white space.
    UnexpectedText,
    /// An element inside a simple value.
    UnexpectedChild,
    /// An attribute unknown to the schema here.
    UnexpectedAttribute,
    /// A required attribute is missing.
    MissingAttribute(String),
    /// A wrong `xsi:` attribute: another type, `xsi:nil` on an element not nillable, or an unknown name.
    Xsi,
    /// A value not of its type.
    Form(Builtin),
    /// Not one of these values.
    Enumeration(Vec<String>),
    /// A value that matches no pattern of its type; the type's name, if it has one.
    Pattern(Option<String>),
    /// Fewer characters than this.
    TooShort(usize),
    /// More characters than this.
    TooLong(usize),
    /// Below the minimum or above the maximum.
    Range,
    /// More decimals, or more digits, than this.
    Digits(usize),
}

impl Breach {
    /// The code of the rule: formal check K01 (`isee` numbers the others), then the rule's own name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnexpectedElement(_) => "K01.elemento",
            Self::MissingElement(_) => "K01.elemento-mancante",
            Self::UnexpectedText => "K01.testo",
            Self::UnexpectedChild => "K01.contenuto",
            Self::UnexpectedAttribute => "K01.attributo",
            Self::MissingAttribute(_) => "K01.attributo-mancante",
            Self::Xsi => "K01.xsi",
            Self::Form(_) => "K01.tipo",
            Self::Enumeration(_) => "K01.valore",
            Self::Pattern(_) => "K01.formato",
            Self::TooShort(_) | Self::TooLong(_) => "K01.lunghezza",
            Self::Range => "K01.intervallo",
            Self::Digits(_) => "K01.cifre",
        }
    }

    /// The text for an Italian reader: the kind of thing found, and the expected one.
    pub fn italian(&self) -> String {
        match self {
            Self::UnexpectedElement(expected) if expected.is_empty() => {
                "elemento non previsto: qui non è atteso alcun elemento".to_owned()
            }
            Self::UnexpectedElement(expected) => format!("elemento non previsto: atteso {}", list(expected)),
            Self::MissingElement(expected) => format!("elemento mancante: atteso {}", list(expected)),
            Self::UnexpectedText => "testo non previsto tra gli elementi".to_owned(),
            Self::UnexpectedChild => "elemento non previsto: atteso un valore semplice".to_owned(),
            Self::UnexpectedAttribute => "attributo non previsto".to_owned(),
            Self::MissingAttribute(name) => format!("attributo obbligatorio mancante: {name}"),
            Self::Xsi => "xsi:type o xsi:nil non ammesso qui".to_owned(),
            Self::Form(builtin) => format!("valore non valido: atteso {}", builtin.italian()),
            Self::Enumeration(values) => format!("valore non ammesso: atteso {}", list(values)),
            Self::Pattern(Some(name)) => format!("formato non valido per {name}"),
            Self::Pattern(None) => "formato non valido".to_owned(),
            Self::TooShort(min) => format!("valore troppo corto: almeno {min} caratteri"),
            Self::TooLong(max) => format!("valore troppo lungo: al massimo {max} caratteri"),
            Self::Range => "valore fuori dall'intervallo ammesso".to_owned(),
            Self::Digits(max) => format!("troppe cifre: al massimo {max}"),
        }
    }
}

fn list(expected: &[String]) -> String {
    /// A list of 36 benefit codes helps nobody.
    const SHOWN: usize = 16;
    let shown = expected
        .get(..SHOWN.min(expected.len()))
        .unwrap_or_default()
        .join(", ");
    if expected.len() > SHOWN {
        format!("{shown}, ...")
    } else {
        shown
    }
}

impl SchemaSet {
    /// Judges `element` against the declaration `id`; the element's own name is the caller's affair.
    pub fn validate(&self, element: Element<'_, '_>, id: ElementId) -> Validation {
        // Elements are compared often, by name and namespace: namespaces are compared by number.
        let known = |namespace: &str| self.spaces.iter().position(|space| space == namespace);
        let spaces = element
            .document()
            .namespaces()
            .map(|namespace| known(namespace).and_then(|at| u16::try_from(at).ok()))
            .collect();
        let mut judge = Validator {
            set: self,
            top: element,
            report: Validation::default(),
            spaces,
        };
        judge.element(element, self.element(id));
        judge.report
    }

    fn names(&self, model: &Model, positions: &[u16]) -> Vec<String> {
        let name = |position: &u16| {
            model
                .positions
                .get(usize::from(*position))
                .map(|id| self.element(*id).name.clone())
        };
        positions.iter().filter_map(name).collect()
    }
}

struct Validator<'a, 'd, 's> {
    set: &'a SchemaSet,
    top: Element<'d, 's>,
    report: Validation,
    /// For each namespace of the document, its number in the set.
    spaces: Vec<Option<u16>>,
}

impl<'a, 'd, 's> Validator<'a, 'd, 's> {
    fn element(&mut self, element: Element<'d, 's>, declaration: &'a ElementDeclaration) {
        let ty = self.set.ty(declaration.ty);
        let nil = self.xsi(element, declaration);
        match ty {
            Type::Any => self.anything(element),
            Type::Simple(simple) => {
                for attribute in element.attributes() {
                    if attribute.namespace(element.document()) != XSI {
                        self.attribute(element, None, attribute.offset(), || Breach::UnexpectedAttribute);
                    }
                }
                if let Some(child) = element.children().next() {
                    self.at(child, || Breach::UnexpectedChild);
                } else if !nil && let Err(breach) = simple.check(&element.text()) {
                    self.at(element, || described(breach, simple));
                }
            }
            Type::Complex(complex) => {
                self.attributes(element, complex);
                if nil {
                    if let Some(child) = element.children().next() {
                        self.at(child, || Breach::UnexpectedElement(Vec::new()));
                    }
                } else {
                    self.children(element, &complex.model);
                }
                // cvc-complex-type, 2.1 and 2.3: white space may stand between elements, and no text at all
                // in an element without children.
                let empty = nil || complex.model.positions.is_empty();
                let space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
                let stray = element.texts().any(|text| {
                    if empty {
                        !text.is_empty()
                    } else {
                        !text.bytes().all(space)
                    }
                });
                if stray {
                    self.at(element, || Breach::UnexpectedText);
                }
            }
        }
    }

    /// `xs:anyType` is a lax wildcard: an element declared by a schema is judged anywhere. An undeclared one
    /// has no type for `xsi:type` to name.
    fn anything(&mut self, element: Element<'d, 's>) {
        for child in element.children() {
            match self.set.root(child.namespace(), child.local()) {
                Some(id) => self.element(child, self.set.element(id)),
                None => {
                    let typed = child
                        .attributes()
                        .iter()
                        .find(|a| a.local() == "type" && a.namespace(child.document()) == XSI);
                    if let Some(attribute) = typed {
                        self.attribute(child, None, attribute.offset(), || Breach::Xsi);
                    }
                    self.anything(child);
                }
            }
        }
    }

    /// Judges the `xsi:` attributes. Returns whether the element is nil.
    fn xsi(&mut self, element: Element<'d, 's>, declaration: &ElementDeclaration) -> bool {
        let mut nil = false;
        for attribute in element
            .attributes()
            .iter()
            .filter(|attribute| !attribute.is_plain())
        {
            if attribute.namespace(element.document()) != XSI {
                continue;
            }
            let allowed = match attribute.local() {
                "schemaLocation" | "noNamespaceSchemaLocation" => true,
                "nil" => {
                    let value = attribute.value().trim();
                    nil = matches!(value, "true" | "1");
                    matches!(value, "true" | "1" | "false" | "0") && declaration.nillable
                }
                "type" => {
                    let (prefix, local) = attribute
                        .value()
                        .trim()
                        .split_once(':')
                        .unwrap_or(("", attribute.value().trim()));
                    element
                        .namespace_of(prefix)
                        .is_some_and(|namespace| self.names_type(namespace, local, declaration))
                }
                _ => false,
            };
            if !allowed {
                self.attribute(element, None, attribute.offset(), || Breach::Xsi);
            }
        }
        nil && declaration.nillable
    }

    fn names_type(&self, namespace: &str, local: &str, declaration: &ElementDeclaration) -> bool {
        if namespace == super::XS {
            return match self.set.ty(declaration.ty) {
                Type::Any => local == "anyType",
                Type::Simple(simple) => {
                    simple.name.is_none()
                        && simple.enumeration.is_none()
                        && simple.members.is_empty()
                        && Builtin::named(local) == Some(simple.builtin)
                }
                Type::Complex(_) => false,
            };
        }
        self.set.type_named(namespace, local) == Some(declaration.ty)
    }

    fn attributes(&mut self, element: Element<'d, 's>, complex: &'a ComplexType) {
        let document = element.document();
        let declared = &complex.attributes;
        let (mut seen, mut next) = (0_u64, 0);
        for attribute in element.attributes() {
            if !attribute.is_plain() {
                if attribute.namespace(document) != XSI {
                    self.attribute(element, None, attribute.offset(), || Breach::UnexpectedAttribute);
                }
                continue;
            }
            // Most messages have them in the order declared: the search starts after the last one found.
            let (before, after) = declared.split_at(next);
            let is = |known: &AttributeDeclaration| known.name == attribute.local();
            let found = after
                .iter()
                .position(is)
                .map(|at| at + next)
                .or_else(|| before.iter().position(is));
            let Some((at, known)) = found.and_then(|at| Some((at, declared.get(at)?))) else {
                self.attribute(element, None, attribute.offset(), || Breach::UnexpectedAttribute);
                continue;
            };
            seen |= 1 << at;
            next = at + 1;
            if let Type::Simple(simple) = self.set.ty(known.ty)
                && let Err(breach) = simple.check(attribute.value())
            {
                self.attribute(element, Some(&known.name), attribute.offset(), || {
                    described(breach, simple)
                });
            }
        }
        if complex.required & !seen != 0 {
            for (_, missing) in declared
                .iter()
                .enumerate()
                .filter(|(at, known)| known.required && seen >> at & 1 == 0)
            {
                self.at(element, || Breach::MissingAttribute(missing.name.clone()));
            }
        }
    }

    fn children(&mut self, element: Element<'d, 's>, model: &'a Model) {
        let mut state: Option<u16> = None;
        for child in element.children() {
            let next = self.next(model, model.after(state).iter().copied(), child);
            if let Some(position) = next {
                state = Some(position);
                self.child(child, model, position);
                continue;
            }
            // Not expected here. If it may stand further on, something between is missing. If the model knows
            // it elsewhere, it is out of order but can still be judged. Otherwise it is skipped. Only an
            // element known to the model is looked for further on.
            let set = self.set;
            let elsewhere = self.next(
                model,
                0..u16::try_from(model.positions.len()).unwrap_or(u16::MAX),
                child,
            );
            let ahead = elsewhere.and_then(|_| self.next(model, model.reachable(state).into_iter(), child));
            match ahead {
                Some(position) => {
                    self.at(child, || {
                        Breach::MissingElement(set.names(model, model.after(state)))
                    });
                    state = Some(position);
                    self.child(child, model, position);
                }
                None => {
                    self.at(child, || {
                        Breach::UnexpectedElement(set.names(model, model.after(state)))
                    });
                    if let Some(position) = elsewhere {
                        self.child(child, model, position);
                    }
                }
            }
        }
        if !model.accepts(state) {
            let set = self.set;
            self.at(element, || {
                Breach::MissingElement(set.names(model, model.after(state)))
            });
        }
    }

    fn child(&mut self, child: Element<'d, 's>, model: &'a Model, position: u16) {
        if let Some(id) = model.positions.get(usize::from(position)) {
            let declaration = self.set.element(*id);
            self.element(child, declaration);
        }
    }

    fn next(
        &self,
        model: &Model,
        mut among: impl Iterator<Item = u16>,
        child: Element<'_, '_>,
    ) -> Option<u16> {
        let space = self
            .spaces
            .get(child.namespace_index() as usize)
            .copied()
            .flatten()?;
        among.find(|position| {
            model.positions.get(usize::from(*position)).is_some_and(|id| {
                let declaration = self.set.element(*id);
                declaration.space == space && declaration.name == child.local()
            })
        })
    }

    fn at(&mut self, element: Element<'d, 's>, breach: impl FnOnce() -> Breach) {
        self.report(element, None, element.offset(), breach);
    }

    fn attribute(
        &mut self,
        element: Element<'d, 's>,
        known: Option<&str>,
        offset: usize,
        breach: impl FnOnce() -> Breach,
    ) {
        self.report(element, Some(known.unwrap_or("*")), offset, breach);
    }

    /// A violation beyond the limit is counted, not described: their number has no bound.
    fn report(
        &mut self,
        element: Element<'d, 's>,
        attribute: Option<&str>,
        offset: usize,
        breach: impl FnOnce() -> Breach,
    ) {
        if self.report.violations.len() >= MAX_VIOLATIONS {
            self.report.more += 1;
            return;
        }
        // A name is repeated only if some schema declares it.
        let known = |step: Element<'d, 's>| {
            let space = self
                .spaces
                .get(step.namespace_index() as usize)
                .copied()
                .flatten();
            space.is_some_and(|space| {
                self.set
                    .declared
                    .get(step.local())
                    .is_some_and(|spaces| spaces.contains(&space))
            })
        };
        let mut path = element.path(self.top, &known);
        if let Some(attribute) = attribute {
            path.push_str("/@");
            path.push_str(attribute);
        }
        let place = element.document().place(offset);
        self.report.violations.push(Violation {
            path,
            line: place.line,
            column: place.column,
            breach: breach(),
        });
    }
}

impl Model {
    fn after(&self, state: Option<u16>) -> &[u16] {
        match state {
            None => &self.first,
            Some(state) => self.follow.get(usize::from(state)).map_or(&[], Vec::as_slice),
        }
    }

    fn accepts(&self, state: Option<u16>) -> bool {
        match state {
            None => self.nullable,
            Some(state) => self.last.get(usize::from(state)).copied().unwrap_or(false),
        }
    }

    /// Every position with a path from `state`.
    fn reachable(&self, state: Option<u16>) -> Vec<u16> {
        let mut found = self.after(state).to_vec();
        let mut next = 0;
        while let Some(position) = found.get(next).copied() {
            next += 1;
            for following in self.after(Some(position)) {
                if !found.contains(following) {
                    found.push(*following);
                }
            }
        }
        found
    }
}

fn described(breach: SimpleBreach, simple: &SimpleType) -> Breach {
    match breach {
        SimpleBreach::Form(builtin) => Breach::Form(builtin),
        SimpleBreach::Enumeration => Breach::Enumeration(simple.enumeration.clone().unwrap_or_default()),
        SimpleBreach::Pattern => Breach::Pattern(simple.name.clone()),
        SimpleBreach::TooShort(min) => Breach::TooShort(min),
        SimpleBreach::TooLong(max) => Breach::TooLong(max),
        SimpleBreach::Range => Breach::Range,
        SimpleBreach::Digits(max) => Breach::Digits(max),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{DocumentLimits, parse};
    use super::*;

    const SCHEMA: &str = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='u' targetNamespace='u' elementFormDefault='qualified'>
        <xs:element name='r' type='t:R'/>
        <xs:simpleType name='Code'><xs:restriction base='xs:string'><xs:pattern value='[A-Z]{2}'/></xs:restriction></xs:simpleType>
        <xs:complexType name='R'><xs:sequence>
          <xs:element name='a' type='xs:int'/><xs:element name='b' minOccurs='0' maxOccurs='unbounded' type='t:Code'/>
          <xs:choice minOccurs='0'><xs:element name='c' type='xs:date' nillable='true'/><xs:sequence><xs:element name='d'/><xs:element name='e'/></xs:sequence></xs:choice>
        </xs:sequence><xs:attribute name='k' use='required' type='xs:boolean'/></xs:complexType></xs:schema>";

    fn judge(xml: &str) -> Vec<(String, &'static str)> {
        let set = SchemaSet::compile(&[("s.xsd", SCHEMA)]).unwrap();
        let document = parse(xml, &DocumentLimits::default()).unwrap();
        let report = set.validate(document.root(), set.root("u", "r").unwrap());
        report
            .violations
            .into_iter()
            .map(|v| (v.path, v.breach.code()))
            .collect()
    }

    #[test]
    fn what_is_valid_is_clean() {
        for xml in [
            "<r xmlns='u' k='1'><a>1</a></r>",
            "<r xmlns='u' k=' true '>\n<a> 7 </a><b>AB</b><b>CD</b><c>2026-11-21Z</c></r>",
            "<r xmlns='u' k='0'><a>1</a><d><x/>anything</d><e/></r>",
            "<r xmlns='u' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='R' i:schemaLocation='x y' k='0'><a>1</a><c i:nil='true'/></r>",
        ] {
            assert_eq!(judge(xml), vec![], "{xml}");
        }
    }

    #[test]
    fn all_violations_come_back_at_once() {
        let found = judge("<r xmlns='u' z='RSSMRA'>x<b>ab</b><a>1</a><q/><c>no</c><c>2026-01-01</c></r>");
        let expected = [
            ("/r/@*", "K01.attributo"),
            ("/r", "K01.attributo-mancante"),
            ("/r/b", "K01.elemento-mancante"),
            ("/r/b", "K01.formato"),
            ("/r/a", "K01.elemento"),
            ("/r/*[3]", "K01.elemento"),
            ("/r/c[1]", "K01.tipo"),
            ("/r/c[2]", "K01.elemento"),
            ("/r", "K01.testo"),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, code)| ((*path).to_owned(), *code))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn facets_are_judged_one_by_one() {
        const SCHEMA: &str = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:t='u' targetNamespace='u' elementFormDefault='qualified'>
            <xs:simpleType name='Text'><xs:restriction base='xs:string'><xs:minLength value='2'/><xs:maxLength value='3'/></xs:restriction></xs:simpleType>
            <xs:simpleType name='Amount'><xs:restriction base='xs:decimal'><xs:totalDigits value='3'/><xs:maxInclusive value='500'/></xs:restriction></xs:simpleType>
            <xs:element name='r'><xs:complexType><xs:sequence><xs:element name='a' type='t:Text'/><xs:element name='b' type='t:Amount'/></xs:sequence></xs:complexType></xs:element>
        </xs:schema>";
        let set = SchemaSet::compile(&[("s.xsd", SCHEMA)]).unwrap();
        let judge = |a: &str, b: &str| {
            let xml = format!("<r xmlns='u'><a>{a}</a><b>{b}</b></r>");
            let document = parse(&xml, &DocumentLimits::default()).unwrap();
            let report = set.validate(document.root(), set.root("u", "r").unwrap());
            report
                .violations
                .iter()
                .map(|violation| violation.breach.code())
                .collect::<Vec<_>>()
        };
        assert_eq!(judge("àà", "500"), [""; 0]);
        assert_eq!(judge("a", "1"), ["K01.lunghezza"]);
        assert_eq!(judge("aaaa", "501"), ["K01.lunghezza", "K01.intervallo"]);
        assert_eq!(judge("aa", "1234"), ["K01.cifre"]);
        assert_eq!(judge("<c/>", "1"), ["K01.contenuto"]);
    }

    #[test]
    fn places_are_those_of_the_document() {
        let set = SchemaSet::compile(&[("s.xsd", SCHEMA)]).unwrap();
        let xml = "<r xmlns='u' k='1'>\n<a>à</a><b>à</b>\r\n  à<q z='1'/>\n\n<c k='à' j='2'>x</c></r>";
        let document = parse(xml, &DocumentLimits::default()).unwrap();
        let report = set.validate(document.root(), set.root("u", "r").unwrap());
        let places: Vec<_> = report
            .violations
            .iter()
            .map(|v| (v.breach.code(), v.line, v.column))
            .collect();
        let expected = [
            ("K01.tipo", 2, 1),
            ("K01.formato", 2, 9),
            ("K01.elemento", 3, 4),
            ("K01.attributo", 5, 4),
            ("K01.attributo", 5, 10),
            ("K01.tipo", 5, 1),
            ("K01.testo", 1, 1),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn nil_and_type_only_where_declared() {
        let xsi = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance'";
        assert_eq!(
            judge(&format!("<r xmlns='u' {xsi} k='1'><a i:nil='true'/></r>")).len(),
            2
        );
        assert_eq!(
            judge(&format!("<r xmlns='u' {xsi} k='1' i:type='Code'><a>1</a></r>")).len(),
            1
        );
        assert_eq!(
            judge(&format!("<r xmlns='u' {xsi} k='1'><a i:type='x:int' xmlns:x='http://www.w3.org/2001/XMLSchema'>1</a></r>")).len(),
            0
        );
    }

    #[test]
    fn what_is_declared_is_judged_inside_anything() {
        let inside = |what: &str| judge(&format!("<r xmlns='u' k='1'><a>1</a><d>{what}</d><e/></r>"));
        for clean in [
            "x",
            "<x k='?'/>",
            "<x><r k='0'><a>1</a></r></x>",
            "<r xmlns='v'/>",
            "<a>x</a>",
        ] {
            assert_eq!(inside(clean), vec![], "{clean}");
        }
        assert_eq!(
            inside("<x>y<r k='0'/></x>"),
            [("/r/d/*/r".to_owned(), "K01.elemento-mancante")]
        );
        let typed = "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Code'>AB</x>";
        assert_eq!(inside(typed), [("/r/d/*/@*".to_owned(), "K01.xsi")]);
    }

    #[test]
    fn an_empty_element_holds_not_even_white_space() {
        let schema = SCHEMA.replace(
            "<xs:element name='a' type='xs:int'/>",
            "<xs:element name='a'><xs:complexType/></xs:element>",
        );
        let set = SchemaSet::compile(&[("s.xsd", &schema)]).unwrap();
        for (inside, clean) in [
            ("", true),
            ("<!-- x -->", true),
            ("<![CDATA[]]>", true),
            (" ", false),
            ("<![CDATA[ ]]>", false),
            ("&#10;", false),
        ] {
            let xml = format!("<r xmlns='u' k='1'><a>{inside}</a></r>");
            let document = parse(&xml, &DocumentLimits::default()).unwrap();
            let report = set.validate(document.root(), set.root("u", "r").unwrap());
            assert_eq!(report.violations.is_empty(), clean, "{inside}");
            assert!(
                report
                    .violations
                    .iter()
                    .all(|violation| violation.breach == Breach::UnexpectedText)
            );
        }
    }

    #[test]
    fn a_hundred_are_described_and_the_rest_counted() {
        let set = SchemaSet::compile(&[("s.xsd", SCHEMA)]).unwrap();
        let xml = format!("<r xmlns='u' k='1'><a>1</a>{}</r>", "<b>x</b>".repeat(150));
        let document = parse(&xml, &DocumentLimits::default()).unwrap();
        let report = set.validate(document.root(), set.root("u", "r").unwrap());
        assert_eq!((report.violations.len(), report.more), (100, 50));
    }
}
