//! Valid documents, made from the compiled schemas: every global element, every particle, attribute and
//! enumerated value, by a deterministic generator that counts what it made and prefers what it has not made
//! yet.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use varco::xml::schema::{
    Builtin, ComplexType, ElementId, Particle, SchemaSet, SimpleType, Term, Type, TypeId,
};

/// A generator of numbers whose sequence is given by its seed alone (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        &among[self.below(among.len())]
    }
}

/// An element as it will be written: names, values and texts are pieces of XML, escaped already, so that they
/// can be spoiled at will.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub tag: String,
    pub attributes: Vec<(String, String)>,
    pub content: Vec<Item>,
}

#[derive(Clone, Debug)]
pub enum Item {
    Element(Node),
    /// Text, or anything else that is written as it is.
    Raw(String),
}

impl Node {
    pub fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.tag);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{value}\"");
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for item in &self.content {
            match item {
                Item::Element(node) => node.write(out),
                Item::Raw(text) => out.push_str(text),
            }
        }
        let _ = write!(out, "</{}>", self.tag);
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    pub fn children(&self) -> impl Iterator<Item = &Node> {
        self.content.iter().filter_map(|item| match item {
            Item::Element(node) => Some(node),
            Item::Raw(_) => None,
        })
    }

    /// How many elements there are, this one counted.
    pub fn size(&self) -> usize {
        1 + self.children().map(Node::size).sum::<usize>()
    }

    /// The element of that number, in document order; this one is 0.
    pub fn nth(&mut self, number: usize) -> &mut Node {
        if number == 0 {
            return self;
        }
        let mut left = number - 1;
        for item in &mut self.content {
            if let Item::Element(node) = item {
                let size = node.size();
                if left < size {
                    return node.nth(left);
                }
                left -= size;
            }
        }
        panic!("no element {number}")
    }
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the contract's own writer writes them, whatever type they are bound to.
    Canonical,
    /// In every form that the schema allows.
    Any,
}

/// Something that a generator should have made at least once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// A particle of a complex type, by its path, absent, present, or more than once.
    Particle(TypeId, Vec<u16>, Occurrence),
    /// An alternative of a choice.
    Alternative(TypeId, Vec<u16>, u16),
    /// An attribute of a complex type, present or not.
    Attribute(TypeId, u16, bool),
    /// One of the values of a simple type.
    Value(TypeId, u16),
    /// An element that may be nil, nil or not.
    Nil(ElementId, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occurrence {
    Absent,
    Present,
    Repeated,
}

/// Makes documents.
pub struct Generator<'s> {
    pub schemas: &'s SchemaSet,
    pub random: Random,
    pub form: Form,
    made: HashMap<Point, usize>,
    /// How many more elements this document should have.
    room: usize,
}

impl<'s> Generator<'s> {
    pub fn new(schemas: &'s SchemaSet, form: Form, seed: u64) -> Self {
        Self {
            schemas,
            random: Random::new(seed),
            form,
            made: HashMap::new(),
            room: 0,
        }
    }

    /// A document with that root; it grows no more once it has about `room` elements.
    pub fn document(&mut self, root: ElementId, room: usize) -> Node {
        self.room = room;
        self.element(root, "")
    }

    /// What could be made below that root and was not, with where it is.
    pub fn missing(&self, root: ElementId) -> Vec<String> {
        let mut universe = BTreeMap::new();
        let mut seen = Vec::new();
        let declaration = self.schemas.element(root);
        self.points(
            root,
            &format!("{{{}}}{}", declaration.namespace, declaration.name),
            &mut seen,
            &mut universe,
        );
        universe
            .into_iter()
            .filter(|(_, point)| !self.made.contains_key(point))
            .map(|(place, _)| place)
            .collect()
    }

    /// How many different points were made.
    pub fn covered(&self) -> usize {
        self.made.len()
    }

    fn points(&self, id: ElementId, place: &str, seen: &mut Vec<TypeId>, out: &mut BTreeMap<String, Point>) {
        let declaration = self.schemas.element(id);
        if declaration.nillable && self.form == Form::Any {
            for nil in [false, true] {
                out.insert(format!("{place} nil={nil}"), Point::Nil(id, nil));
            }
        }
        self.points_of_type(declaration.ty, place, seen, out);
    }

    fn points_of_type(
        &self,
        ty: TypeId,
        place: &str,
        seen: &mut Vec<TypeId>,
        out: &mut BTreeMap<String, Point>,
    ) {
        if seen.contains(&ty) {
            return;
        }
        seen.push(ty);
        match self.schemas.ty(ty) {
            Type::Any => {}
            Type::Simple(simple) => {
                for (index, value) in samples(simple, self.form, &mut Random::new(0))
                    .into_iter()
                    .enumerate()
                {
                    out.insert(
                        format!("{place} value {index} ({value:?})"),
                        Point::Value(ty, small(index)),
                    );
                }
            }
            Type::Complex(complex) => {
                for (index, attribute) in complex.attributes.iter().enumerate() {
                    let place = format!("{place}/@{}", attribute.name);
                    out.insert(
                        format!("{place} present"),
                        Point::Attribute(ty, small(index), true),
                    );
                    if !attribute.required {
                        out.insert(
                            format!("{place} absent"),
                            Point::Attribute(ty, small(index), false),
                        );
                    }
                    self.points_of_type(attribute.ty, &place, seen, out);
                }
                if let Some(particle) = &complex.particle {
                    self.points_of_particle(ty, particle, &mut Vec::new(), place, seen, out);
                }
            }
        }
    }

    fn points_of_particle(
        &self,
        ty: TypeId,
        particle: &Particle,
        path: &mut Vec<u16>,
        place: &str,
        seen: &mut Vec<TypeId>,
        out: &mut BTreeMap<String, Point>,
    ) {
        for (occurrence, possible) in [
            (Occurrence::Absent, particle.min == 0),
            (Occurrence::Present, true),
            (Occurrence::Repeated, particle.max.is_none_or(|max| max > 1)),
        ] {
            if possible {
                out.insert(
                    format!("{place} particle {path:?} {occurrence:?}"),
                    Point::Particle(ty, path.clone(), occurrence),
                );
            }
        }
        match &particle.term {
            Term::Element(id) => self.points(
                *id,
                &format!("{place}/{}", self.schemas.element(*id).name),
                seen,
                out,
            ),
            Term::Sequence(parts) | Term::Choice(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    if matches!(particle.term, Term::Choice(_)) {
                        let point = Point::Alternative(ty, path.clone(), small(index));
                        out.insert(format!("{place} particle {path:?} alternative {index}"), point);
                    }
                    path.push(small(index));
                    self.points_of_particle(ty, part, path, place, seen, out);
                    path.pop();
                }
            }
        }
    }

    /// One of several points: any, but one that was not made yet before all others.
    fn choose(&mut self, points: Vec<Point>) -> usize {
        let fresh: Vec<usize> = (0..points.len())
            .filter(|index| !self.made.contains_key(&points[*index]))
            .collect();
        let chosen = if fresh.is_empty() {
            self.random.below(points.len())
        } else {
            *self.random.pick(&fresh)
        };
        self.mark(points.into_iter().nth(chosen).unwrap());
        chosen
    }

    fn mark(&mut self, point: Point) {
        *self.made.entry(point).or_default() += 1;
    }

    fn element(&mut self, id: ElementId, around: &str) -> Node {
        let schemas = self.schemas;
        let declaration = schemas.element(id);
        self.room = self.room.saturating_sub(1);
        let mut node = Node {
            tag: declaration.name.clone(),
            ..Node::default()
        };
        if declaration.namespace != around {
            node.attributes
                .push(("xmlns".to_owned(), escape(&declaration.namespace, true)));
        }
        let mut nil = false;
        if declaration.nillable && self.form == Form::Any {
            nil = self.choose(vec![Point::Nil(id, false), Point::Nil(id, true)]) == 1;
            if nil {
                node.attributes
                    .push(("xmlns:xsi".to_owned(), varco::xml::XSI.to_owned()));
                node.attributes.push((
                    "xsi:nil".to_owned(),
                    (*self.random.pick(&["true", "1"])).to_owned(),
                ));
            }
        }
        match schemas.ty(declaration.ty) {
            Type::Any => {}
            Type::Simple(simple) if !nil => {
                let value = self.value(declaration.ty, simple);
                if !value.is_empty() {
                    node.content.push(Item::Raw(escape(&value, false)));
                }
            }
            Type::Simple(_) => {}
            Type::Complex(complex) => {
                self.complex(declaration.ty, complex, &declaration.namespace, nil, &mut node)
            }
        }
        node
    }

    fn complex(&mut self, ty: TypeId, complex: &'s ComplexType, namespace: &str, nil: bool, node: &mut Node) {
        for (index, attribute) in complex.attributes.iter().enumerate() {
            let (present, absent) = (
                Point::Attribute(ty, small(index), true),
                Point::Attribute(ty, small(index), false),
            );
            let there = if attribute.required {
                self.mark(present);
                true
            } else {
                self.choose(vec![absent, present]) == 1
            };
            if there && let Type::Simple(simple) = self.schemas.ty(attribute.ty) {
                let value = self.value(attribute.ty, simple);
                node.attributes
                    .push((attribute.name.clone(), escape(&value, true)));
            }
        }
        if let Some(particle) = complex.particle.as_ref().filter(|_| !nil) {
            self.particle(ty, particle, &mut Vec::new(), namespace, node);
        }
    }

    fn particle(
        &mut self,
        ty: TypeId,
        particle: &'s Particle,
        path: &mut Vec<u16>,
        namespace: &str,
        node: &mut Node,
    ) {
        let point = |occurrence| Point::Particle(ty, path.clone(), occurrence);
        let mut possible = Vec::new();
        if particle.min == 0 {
            possible.push(Occurrence::Absent);
        }
        if particle.min <= 1 && (self.room > 0 || particle.min == 1) {
            possible.push(Occurrence::Present);
        }
        if particle.max.is_none_or(|max| max > 1) && (self.room > 1 || particle.min > 1) {
            possible.push(Occurrence::Repeated);
        }
        let points = possible.iter().map(|occurrence| point(*occurrence)).collect();
        let times = match possible[self.choose(points)] {
            Occurrence::Absent => 0,
            Occurrence::Present => 1,
            Occurrence::Repeated => {
                // More than once is also there.
                let max = particle.max.unwrap_or(4).min(4).max(particle.min);
                let min = particle.min.max(2);
                min + u32::try_from(self.random.below(usize::try_from(max - min).unwrap() + 1)).unwrap()
            }
        };
        for _ in 0..times {
            match &particle.term {
                Term::Element(id) => {
                    let child = self.element(*id, namespace);
                    node.content.push(Item::Element(child));
                }
                Term::Sequence(parts) => {
                    for (index, part) in parts.iter().enumerate() {
                        path.push(small(index));
                        self.particle(ty, part, path, namespace, node);
                        path.pop();
                    }
                }
                Term::Choice(parts) => {
                    let points = (0..parts.len())
                        .map(|index| Point::Alternative(ty, path.clone(), small(index)))
                        .collect();
                    let index = self.choose(points);
                    path.push(small(index));
                    self.particle(ty, &parts[index], path, namespace, node);
                    path.pop();
                }
            }
        }
    }

    fn value(&mut self, ty: TypeId, simple: &SimpleType) -> String {
        let samples = samples(simple, self.form, &mut self.random);
        let points = (0..samples.len())
            .map(|index| Point::Value(ty, small(index)))
            .collect();
        let index = self.choose(points);
        samples.into_iter().nth(index).unwrap()
    }
}

fn small(index: usize) -> u16 {
    u16::try_from(index).unwrap()
}

/// Values of a simple type, one of each kind; how many there are depends on the type and the form alone.
pub fn samples(simple: &SimpleType, form: Form, random: &mut Random) -> Vec<String> {
    let facets = simple.facets();
    let mut all = match (&simple.enumeration, facets.members, facets.patterns.as_slice()) {
        (Some(values), _, _) => values.clone(),
        (None, [], []) => plain(simple.builtin, form, facets.min_length, facets.max_length, random),
        // As the contract's own type writes it: the day.
        (None, members, _) if !members.is_empty() => {
            let members = members
                .iter()
                .filter(|member| form == Form::Any || **member == Builtin::Date);
            members
                .flat_map(|member| plain(*member, form, None, None, random))
                .collect()
        }
        (None, _, patterns) => patterns
            .iter()
            .flat_map(|pattern| {
                let max = facets.max_length.unwrap_or(usize::MAX);
                let sampler = Sampler::new(pattern);
                [
                    Extent::Least,
                    Extent::Most(max.min(24)),
                    Extent::Any(max.min(24)),
                    Extent::Any(max.min(24)),
                ]
                .map(|extent| sampler.sample(extent, random))
            })
            .collect(),
    };
    // What lies outside bounds is left out; it always is the same values, since those that are random lie
    // inside any bounds.
    all.retain(|value| simple.check(value).is_ok());
    assert!(!all.is_empty(), "no value of {simple:?}");
    all
}

fn plain(
    builtin: Builtin,
    form: Form,
    min: Option<usize>,
    max: Option<usize>,
    random: &mut Random,
) -> Vec<String> {
    let any = form == Form::Any;
    let list = |values: &[&str], more: &[&str]| -> Vec<String> {
        values
            .iter()
            .chain(more.iter().filter(|_| any))
            .map(|value| (*value).to_owned())
            .collect()
    };
    let mut two = |bound: usize| random.below(bound);
    let (year, month, day) = (1800 + two(300), 1 + two(12), 1 + two(28));
    let date = format!("{year:04}-{month:02}-{day:02}");
    match builtin {
        Builtin::String | Builtin::AnySimpleType | Builtin::AnyUri => {
            let (min, max) = (min.unwrap_or(0), max.unwrap_or(40));
            let middle = min + random.below(max - min + 1);
            [min, max, middle, middle]
                .map(|length| text(length, random))
                .to_vec()
        }
        Builtin::Boolean => list(&["true", "false"], &["1", "0", " true", "\n\tfalse\r "]),
        // Two decimals, the last of them not zero: so amounts are written, and other decimals too.
        Builtin::Decimal => {
            let mut values = list(
                &["0.01", "99.99", "-0.01", "-98765432.15"],
                &[
                    "0", "100", "+1", "007.50", ".5", "5.", " 12 ", "-0", "-0.004", "1.500",
                ],
            );
            values.push(format!(
                "{}.{}{}",
                10 + random.below(80),
                random.below(10),
                1 + random.below(9)
            ));
            values
        }
        Builtin::Integer => list(&["0", "3", "-5", "123456789012"], &["+7", "00012", "-0"]),
        Builtin::Int => list(
            &["0", "1", "-1", "2147483647", "-2147483648"],
            &["+7", "00012", "-0"],
        ),
        Builtin::UnsignedInt => list(&["0", "3", "12", "4294967295"], &["00012", "0000000001"]),
        Builtin::Date => {
            let mut values = list(
                &[
                    "2024-02-29",
                    "2000-02-29",
                    "1753-01-01",
                    "9998-12-31",
                    "0001-01-01",
                    "-0044-03-15",
                ],
                &[
                    "12026-11-21",
                    "2026-11-21Z",
                    "2026-11-21+01:00",
                    "2026-11-21-13:59",
                ],
            );
            values.push(date);
            values
        }
        Builtin::DateTime => {
            let mut values = list(
                &["2024-02-29T23:59:59.999Z", "2026-01-01T00:00:00.000Z"],
                &["2026-01-01T12:30:00", "2026-01-01T12:30:00.5+01:00"],
            );
            values.push(format!(
                "{date}T{:02}:{:02}:{:02}.{:03}Z",
                random.below(24),
                random.below(60),
                random.below(60),
                random.below(1000)
            ));
            values
        }
        Builtin::Base64Binary => {
            use base64::Engine as _;
            let bytes: Vec<u8> = (0..random.below(40))
                .map(|_| random.next().to_le_bytes()[0])
                .collect();
            let mut values = list(
                &["", "AA==", "AAA=", "AAAA"],
                &["A A A A", " AA\n==", "AAAA\r\nAAA=\r\n"],
            );
            values.push(base64::engine::general_purpose::STANDARD.encode(bytes));
            values
        }
    }
}

/// Text of that many characters, from all over Unicode and from what XML writes in another way.
fn text(length: usize, random: &mut Random) -> String {
    const LETTERS: [char; 27] = [
        'a',
        'Z',
        '0',
        '9',
        ' ',
        '-',
        '\'',
        '"',
        '&',
        '<',
        '>',
        ';',
        '#',
        '\t',
        '\n',
        '\r',
        '\u{7F}',
        '\u{85}',
        '\u{A0}',
        'à',
        '€',
        '\u{2028}',
        'ß',
        '中',
        '\u{FFFD}',
        '𝄞',
        '\u{10FFFF}',
    ];
    (0..length)
        .map(|_| {
            if random.chance(60) {
                'A'
            } else {
                *random.pick(&LETTERS)
            }
        })
        .collect()
}

/// As it is written in an attribute or in an element.
pub fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\t' if attribute => out.push_str("&#9;"),
            '\n' if attribute => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out
}

/// Makes texts that match a pattern of XML Schema: characters, classes, `\d`, groups, alternatives and
/// quantifiers.
struct Sampler {
    alternatives: Vec<Vec<(Piece, usize, usize)>>,
}

enum Piece {
    /// One of these characters.
    Class(Vec<char>),
    Group(Sampler),
}

/// How long a sample is to be.
#[derive(Clone, Copy)]
enum Extent {
    /// As short as the quantifiers allow.
    Least,
    /// As long as they allow; what has no end is repeated so often.
    Most(usize),
    /// Anything between.
    Any(usize),
}

impl Sampler {
    fn new(pattern: &str) -> Self {
        let characters: Vec<char> = pattern.chars().collect();
        let mut at = 0;
        let sampler = Self::read(&characters, &mut at);
        assert_eq!(at, characters.len(), "pattern {pattern}");
        sampler
    }

    fn read(characters: &[char], at: &mut usize) -> Self {
        let mut alternatives = vec![Vec::new()];
        while let Some(c) = characters.get(*at).copied() {
            *at += 1;
            let piece = match c {
                ')' => {
                    *at -= 1;
                    break;
                }
                '|' => {
                    alternatives.push(Vec::new());
                    continue;
                }
                '(' => {
                    let inside = Self::read(characters, at);
                    assert_eq!(characters.get(*at), Some(&')'));
                    *at += 1;
                    Piece::Group(inside)
                }
                '[' => Piece::Class(Self::class(characters, at)),
                '\\' => {
                    *at += 1;
                    Piece::Class(match characters[*at - 1] {
                        'd' => ('0'..='9').collect(),
                        other => vec![other],
                    })
                }
                '.' => Piece::Class(vec!['x', ' ', 'à']),
                other => Piece::Class(vec![other]),
            };
            let (min, max) = Self::quantifier(characters, at);
            alternatives.last_mut().unwrap().push((piece, min, max));
        }
        Self { alternatives }
    }

    fn class(characters: &[char], at: &mut usize) -> Vec<char> {
        let mut class = Vec::new();
        assert_ne!(characters[*at], '^', "a class of what it is not");
        loop {
            let c = characters[*at];
            *at += 1;
            match (c, characters[*at], characters.get(*at + 1)) {
                (']', _, _) => return class,
                ('\\', 'd', _) => {
                    class.extend('0'..='9');
                    *at += 1;
                }
                ('\\', other, _) => {
                    class.push(other);
                    *at += 1;
                }
                (from, '-', Some(to)) if *to != ']' => {
                    class.extend(from..=*to);
                    *at += 2;
                }
                (c, _, _) => class.push(c),
            }
            if characters.get(*at) == Some(&']') {
                *at += 1;
                return class;
            }
        }
    }

    fn quantifier(characters: &[char], at: &mut usize) -> (usize, usize) {
        let bounds = match characters.get(*at) {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            Some('{') => {
                let end = *at + characters[*at..].iter().position(|c| *c == '}').unwrap();
                let inside: String = characters[*at + 1..end].iter().collect();
                *at = end + 1;
                return match inside.split_once(',') {
                    None => (inside.parse().unwrap(), inside.parse().unwrap()),
                    Some((min, "")) => (min.parse().unwrap(), usize::MAX),
                    Some((min, max)) => (min.parse().unwrap(), max.parse().unwrap()),
                };
            }
            _ => return (1, 1),
        };
        *at += 1;
        bounds
    }

    fn sample(&self, extent: Extent, random: &mut Random) -> String {
        let mut out = String::new();
        for (piece, min, max) in random.pick(&self.alternatives) {
            let times = match extent {
                Extent::Least => *min,
                Extent::Most(cap) => (*max).min(cap.max(*min)),
                Extent::Any(cap) => min + random.below((*max).min(cap.max(*min)) - min + 1),
            };
            for _ in 0..times {
                match piece {
                    Piece::Class(class) => out.push(*random.pick(class)),
                    Piece::Group(inside) => out.push_str(&inside.sample(extent, random)),
                }
            }
        }
        out
    }
}
