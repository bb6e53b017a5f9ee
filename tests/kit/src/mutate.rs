//! Spoils valid documents, in every way that a client, a network or an attacker might: structure, attributes,
//! values, namespaces, `xsi:`, entities, comments, encodings, and what is no XML at all. Some of what comes
//! out is valid still, which is as good a question.

use super::generate::{Item, Node, Random};

/// A document that was spoilt.
#[derive(Clone, Debug)]
pub struct Spoilt {
    /// How.
    pub mutator: &'static str,
    pub bytes: Vec<u8>,
    /// The piece that was put in, if it was one piece.
    pub piece: String,
}

/// A way to spoil a document.
pub struct Mutator {
    pub name: &'static str,
    /// How often, of all.
    pub weight: usize,
    way: Way,
}

/// The bytes of a document, and what was put in.
type Encoded = (Vec<u8>, String);

enum Way {
    /// What is put in, or nothing if there is nothing here to spoil.
    Tree(fn(&mut Random, &mut Node) -> Option<String>),
    Text(fn(&mut Random, &mut String) -> Option<String>),
    Bytes(fn(&mut Random, String) -> Option<Encoded>),
}

impl Mutator {
    /// Spoils a document; nothing if it has no place for that.
    pub fn apply(&self, random: &mut Random, source: &Node) -> Option<Spoilt> {
        let mut node = source.clone();
        let declaration = if random.chance(30) {
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
        } else {
            ""
        };
        let (bytes, piece) = match self.way {
            Way::Tree(way) => {
                let piece = way(random, &mut node)?;
                ((declaration.to_owned() + &node.text()).into_bytes(), piece)
            }
            Way::Text(way) => {
                let mut text = declaration.to_owned() + &node.text();
                let piece = way(random, &mut text)?;
                (text.into_bytes(), piece)
            }
            Way::Bytes(way) => way(random, node.text())?,
        };
        Some(Spoilt {
            mutator: self.name,
            bytes,
            piece,
        })
    }
}

/// All ways.
pub fn mutators() -> Vec<Mutator> {
    let tree = |name, weight, way| Mutator {
        name,
        weight,
        way: Way::Tree(way),
    };
    let text = |name, weight, way| Mutator {
        name,
        weight,
        way: Way::Text(way),
    };
    let bytes = |name, weight, way| Mutator {
        name,
        weight,
        way: Way::Bytes(way),
    };
    vec![
        tree("element dropped", 4, drop_element),
        tree("element twice", 4, duplicate_element),
        tree("elements swapped", 3, swap_elements),
        tree("element moved", 3, move_element),
        tree("element renamed", 3, rename_element),
        tree("element nested", 3, nest_element),
        tree("element unwrapped", 2, unwrap_element),
        tree("element emptied", 2, empty_element),
        tree("element put in", 3, insert_element),
        tree("part as root", 1, part_as_root),
        tree("attribute dropped", 4, drop_attribute),
        tree("attribute put in", 3, insert_attribute),
        tree("attribute renamed", 3, rename_attribute),
        tree("attribute twice", 1, duplicate_attribute),
        tree("attribute prefixed", 2, prefix_attribute),
        tree("attribute moved", 2, move_attribute),
        tree("attributes turned", 1, reverse_attributes),
        tree("value replaced", 40, replace_value),
        tree("value changed", 20, change_value),
        tree("value at an edge", 8, edge),
        tree("namespace changed", 4, change_namespace),
        tree("namespace prefixed", 4, prefix_namespace),
        tree("namespace declared oddly", 4, declare_oddly),
        tree("xsi:nil", 4, xsi_nil),
        tree("xsi:type", 5, xsi_type),
        tree("xsi:other", 3, xsi_other),
        tree("reference", 6, insert_reference),
        tree("CDATA", 5, insert_cdata),
        tree("comment", 5, insert_comment),
        tree("processing instruction", 2, insert_instruction),
        tree("text", 5, insert_text),
        tree("limit", 0, exceed_limit),
        tree("anything", 0, fill_anything),
        text("document type", 2, document_type),
        text("around the root", 5, around),
        text("declaration", 6, declaration),
        text("character dropped", 4, drop_character),
        text("character put in", 6, insert_character),
        text("characters swapped", 2, swap_characters),
        text("cut short", 2, cut),
        text("piece twice", 2, duplicate_piece),
        text("markup", 6, spoil_markup),
        bytes("encoding", 8, encode),
        bytes("bytes", 4, spoil_bytes),
    ]
}

/// A few documents over one of the limits; the way is slow, so it has no weight of its own.
pub fn over_limits(random: &mut Random, source: &Node) -> Vec<Spoilt> {
    let limit = mutators()
        .into_iter()
        .find(|mutator| mutator.name == "limit")
        .unwrap();
    (0..12).filter_map(|_| limit.apply(random, source)).collect()
}

/// Something inside the element that may hold anything; few documents have one, so the way has no weight of
/// its own.
pub fn anything(random: &mut Random, source: &Node) -> Option<Spoilt> {
    mutators()
        .into_iter()
        .find(|mutator| mutator.name == "anything")
        .unwrap()
        .apply(random, source)
}

fn fill_anything(random: &mut Random, root: &mut Node) -> Option<String> {
    const INSIDE: [&str; 27] = [
        "testo",
        "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>",
        "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'>testo</x>",
        "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='TypeValori'/>",
        "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='TypeDecimal'>1.5</x>",
        "<x xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Sconosciuto'/>",
        "<x/>",
        "<x a='1' xmlns=''><y>z</y></x>",
        "testo <b>e</b> testo",
        "<Indicatore/>",
        "<Dichiarazione xmlns=''/>",
        "<x><Indicatore/></x>",
        "<EsitoDichiarazione><Ricerca><RicercaProtDSU ProtocolloDSU='INPS-ISEE-2026-12345678A-00'/></Ricerca></EsitoDichiarazione>",
        "<EsitoDichiarazione><Ricerca><RicercaProtDSU ProtocolloDSU='x'/></Ricerca></EsitoDichiarazione>",
        "<x><EsitoDichiarazione><Ricerca/></EsitoDichiarazione></x>",
        "<ConsultazioneIndicatore xmlns='http://inps.it/ConsultazioneISEE'/>",
        "<ConsultazioneIndicatore xmlns='http://inps.it/ConsultazioneISEE'><x/></ConsultazioneIndicatore>",
        "<ConsultazioneEsitoDSU xmlns='urn:varco:trasmissione-dsu:1'><ProtocolloDSU>x</ProtocolloDSU></ConsultazioneEsitoDSU>",
        "<ConsultazioneEsitoDSU xmlns='urn:varco:trasmissione-dsu:1'/>",
        "<x xml:lang='it'/>",
        "<x xmlns:p='urn:p' p:a='1'/>",
        "<ComponenteNucleo/>",
        "<Indicatore xmlns='urn:altro'/>",
        "<x xmlns='urn:varco:ricevuta:1'><Ricevuta/></x>",
        "<x/><Indicatore/>",
        "<!-- x -->",
        "<ISEENonCalcolabile/>",
    ];
    let piece = *random.pick(&INSIDE);
    let node = one(random, root, |node| node.tag == "ISEENonCalcolabile")?;
    node.content = vec![Item::Raw(piece.to_owned())];
    if random.chance(30) {
        let attribute = *random.pick(&[("a", "1"), ("xml:lang", "it"), ("CodiceFiscale", "x")]);
        node.attributes
            .push((attribute.0.to_owned(), attribute.1.to_owned()));
    }
    Some(piece.to_owned())
}

fn any<'n>(random: &mut Random, root: &'n mut Node) -> &'n mut Node {
    let number = random.below(root.size());
    root.nth(number)
}

/// An element that `wanted` says yes to, if there is one.
fn one<'n>(random: &mut Random, root: &'n mut Node, wanted: fn(&Node) -> bool) -> Option<&'n mut Node> {
    let size = root.size();
    let start = random.below(size);
    let number = (0..size)
        .map(|step| (start + step) % size)
        .find(|number| wanted(root.nth(*number)))?;
    Some(root.nth(number))
}

fn has_children(node: &Node) -> bool {
    node.children().next().is_some()
}

fn has_attributes(node: &Node) -> bool {
    node.attributes.iter().any(|(name, _)| !name.starts_with("xmlns"))
}

/// The index of one of the child elements.
fn child(random: &mut Random, node: &Node) -> usize {
    let indexes: Vec<usize> = node
        .content
        .iter()
        .enumerate()
        .filter(|(_, item)| matches!(item, Item::Element(_)))
        .map(|(index, _)| index)
        .collect();
    *random.pick(&indexes)
}

fn attribute(random: &mut Random, node: &Node) -> usize {
    let indexes: Vec<usize> = node
        .attributes
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| !name.starts_with("xmlns"))
        .map(|(index, _)| index)
        .collect();
    *random.pick(&indexes)
}

fn drop_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_children)?;
    let at = child(random, node);
    node.content.remove(at);
    Some(String::new())
}

fn duplicate_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_children)?;
    let at = child(random, node);
    let copy = node.content[at].clone();
    let to = if random.chance(60) {
        at
    } else {
        random.below(node.content.len() + 1)
    };
    node.content.insert(to, copy);
    Some(String::new())
}

fn swap_elements(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, |node| node.children().count() > 1)?;
    let (a, b) = (child(random, node), child(random, node));
    node.content.swap(a, b);
    Some(String::new())
}

fn move_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_children)?;
    let at = child(random, node);
    let item = node.content.remove(at);
    let to = any(random, root);
    let at = random.below(to.content.len() + 1);
    to.content.insert(at, item);
    Some(String::new())
}

fn rename_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let number = random.below(root.size());
    let other = any(random, root).tag.clone();
    let node = root.nth(number);
    let tag = node.tag.clone();
    node.tag = match random.below(8) {
        0 => tag.to_lowercase(),
        1 => tag.to_uppercase(),
        2 => tag + "x",
        3 => tag[1..].to_owned(),
        4 => format!("_{tag}"),
        5 => tag.replacen('a', "à", 1),
        6 => "Dichiarazione".to_owned(),
        _ => other,
    };
    Some(node.tag.clone()).filter(|tag| !tag.is_empty())
}

fn nest_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let tag = any(random, root).tag.clone();
    let node = any(random, root);
    let around = if random.chance(50) { node.tag.clone() } else { tag };
    let inside = std::mem::take(&mut node.content);
    let inner = Node {
        tag: around,
        attributes: Vec::new(),
        content: inside,
    };
    node.content.push(Item::Element(inner));
    Some(String::new())
}

fn unwrap_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, |node| node.children().any(has_children))?;
    let at = node
        .content
        .iter()
        .position(|item| matches!(item, Item::Element(inner) if has_children(inner)))?;
    let Item::Element(inner) = node.content.remove(at) else {
        return None;
    };
    node.content.splice(at..at, inner.content);
    Some(String::new())
}

fn empty_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = any(random, root);
    node.content.clear();
    if random.chance(40) {
        node.content.push(Item::Raw(
            (*random.pick(&["", " ", "\n", "\t \r\n", "<!---->", "<![CDATA[]]>"])).to_owned(),
        ));
    }
    Some(String::new())
}

fn insert_element(random: &mut Random, root: &mut Node) -> Option<String> {
    let copy = any(random, root).clone();
    let node = any(random, root);
    let mut inserted = match random.below(5) {
        0 => Node {
            tag: "Sconosciuto".to_owned(),
            ..Node::default()
        },
        1 => Node {
            tag: "Indicatore".to_owned(),
            ..Node::default()
        },
        2 => Node {
            tag: node.tag.clone(),
            ..Node::default()
        },
        _ => copy,
    };
    if random.chance(20) {
        let namespace = *random.pick(&[
            "",
            "urn:altro",
            "http://inps.it/ISEERiforma",
            "http://www.w3.org/2001/XMLSchema",
        ]);
        inserted.attributes.retain(|(name, _)| name != "xmlns");
        inserted
            .attributes
            .push(("xmlns".to_owned(), namespace.to_owned()));
    }
    let at = random.below(node.content.len() + 1);
    node.content.insert(at, Item::Element(inserted));
    Some(String::new())
}

fn part_as_root(random: &mut Random, root: &mut Node) -> Option<String> {
    let namespace = root
        .attributes
        .iter()
        .find(|(name, _)| name == "xmlns")
        .cloned()?;
    let mut part = any(random, root).clone();
    if !part.attributes.iter().any(|(name, _)| name == "xmlns") {
        part.attributes.push(namespace);
    }
    *root = part;
    Some(String::new())
}

fn drop_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_attributes)?;
    let at = attribute(random, node);
    Some(node.attributes.remove(at).0)
}

fn insert_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    const MORE: [(&str, &str); 12] = [
        ("Sconosciuto", "x"),
        ("codicefiscale", "RSSMRA80A01H501U"),
        ("xml:lang", "it"),
        ("xml:lang", "questa non è una lingua"),
        ("xml:space", "preserve"),
        ("xml:space", "altro"),
        ("xml:base", "urn:x"),
        ("xml:id", "a"),
        ("xml:id", "1"),
        ("CodiceFiscale", "RSSMRA80A01H501U"),
        ("id", "1"),
        ("Xmlns", "urn:x"),
    ];
    let (name, value) = *random.pick(&MORE);
    any(random, root)
        .attributes
        .push((name.to_owned(), value.to_owned()));
    Some(name.to_owned())
}

fn rename_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_attributes)?;
    let at = attribute(random, node);
    let (name, _) = &mut node.attributes[at];
    *name = match random.below(5) {
        0 => name.to_lowercase(),
        1 => name.to_uppercase(),
        2 => format!("{name}1"),
        3 => format!("-{name}"),
        _ => name.replacen('e', "é", 1),
    };
    Some(name.clone())
}

fn duplicate_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_attributes)?;
    let at = attribute(random, node);
    let copy = node.attributes[at].clone();
    node.attributes.push(copy);
    Some(String::new())
}

fn prefix_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    let own = root
        .attributes
        .iter()
        .find(|(name, _)| name == "xmlns")
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    let node = one(random, root, has_attributes)?;
    let at = attribute(random, node);
    match random.below(4) {
        // Qualified, where the schema wants it without namespace.
        0 => node.attributes.push(("xmlns:p".to_owned(), own)),
        1 => node
            .attributes
            .push(("xmlns:p".to_owned(), "urn:altro".to_owned())),
        2 => {}
        _ => {
            let copy = (format!("q:{}", node.attributes[at].0), "1".to_owned());
            node.attributes.extend([
                ("xmlns:p".to_owned(), own.clone()),
                ("xmlns:q".to_owned(), own),
                copy,
            ]);
        }
    }
    node.attributes[at].0.insert_str(0, "p:");
    Some(String::new())
}

fn move_attribute(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = one(random, root, has_attributes)?;
    let at = attribute(random, node);
    let attribute = node.attributes.remove(at);
    any(random, root).attributes.push(attribute);
    Some(String::new())
}

fn reverse_attributes(random: &mut Random, root: &mut Node) -> Option<String> {
    one(random, root, |node| node.attributes.len() > 1)?
        .attributes
        .reverse();
    Some(String::new())
}

const NUMBERS: [&str; 62] = [
    "",
    " ",
    "0",
    "-0",
    "+0",
    "+1",
    "-1",
    "1e3",
    "1E3",
    "1.",
    ".1",
    ".",
    "+",
    "-",
    "--1",
    "+-1",
    "1-",
    "1,5",
    "1.5",
    "1.5.5",
    "1 000",
    "1_000",
    "1'000",
    "\u{663}",
    "\u{FF11}\u{FF12}",
    "0x10",
    "NaN",
    "INF",
    "-INF",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "+4294967295",
    "99999999999999999999",
    "123456789012345678901234",
    "1234567890123456789012345",
    "1234567890123456789012345678",
    "12345678901234567890123456789",
    "0.001",
    "0.10",
    "0.010",
    "-0.00",
    "100",
    "100.00",
    "100.01",
    "100.000000001",
    "99.999999999999999999",
    "007",
    "00000000000000000000000000000000000007",
    "true",
    "\u{A0}1",
    "1\u{2003}",
    "1&#32;",
    "&#10;5",
    "&#x31;",
    "2",
    "3",
    "\t4\n",
    "5 6",
];
const BOOLEANS: [&str; 18] = [
    "true",
    "false",
    "1",
    "0",
    "TRUE",
    "True",
    "yes",
    "si",
    "SI",
    "t",
    "2",
    "-1",
    "01",
    "\ttrue ",
    "true false",
    "",
    "tr ue",
    "&#116;rue",
];
const DATES: [&str; 72] = [
    "2023-02-29",
    "2024-02-29",
    "1900-02-29",
    "2000-02-29",
    "2100-02-29",
    "2400-02-29",
    "2026-04-31",
    "2026-06-31",
    "2026-13-01",
    "2026-00-10",
    "2026-01-00",
    "2026-01-32",
    "2026-1-1",
    "26-01-01",
    "02026-01-01",
    "12026-01-01",
    "-2026-01-01",
    "0000-01-01",
    "-0001-01-01",
    "-0004-02-29",
    "-0005-02-29",
    "0001-01-01",
    "0004-02-29",
    "0005-02-29",
    "12024-02-29",
    "12023-02-29",
    "+2026-01-01",
    "2026-01-01Z",
    "2026-01-01z",
    "2026-01-01+00:00",
    "2026-01-01-00:00",
    "2026-01-01+13:59",
    "2026-01-01+14:00",
    "2026-01-01-14:00",
    "2026-01-01+14:01",
    "2026-01-01+15:00",
    "2026-01-01+24:00",
    "2026-01-01+1:00",
    "2026-01-01+01",
    "2026-01-01+0100",
    "2026-01-01+00:60",
    "2026-01-01+00:59",
    "2026-01-01+ 1:00",
    "2026/01/01",
    "01-01-2026",
    "01/01/2026",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00Z",
    "20260101",
    "2026-001",
    "2026-W01-1",
    "2026-01",
    "\u{FF12}\u{FF10}\u{FF12}\u{FF16}-01-01",
    "2026-01-0\u{661}",
    "1752-12-31",
    "1753-01-01",
    "1753-01-01+14:00",
    "1753-01-01-14:00",
    "1753-01-01Z",
    "1752-12-31-14:00",
    "9999-12-31",
    "9999-12-31-14:00",
    "9999-12-31+14:00",
    "9999-12-31Z",
    "10000-01-01",
    "10000-01-01+14:00",
    "2026-01-01 Z",
    "2026-01-01Z\n",
    "\t 2026-01-01",
    "2026-01-01&#32;",
    "2026- 01-01",
    "--01-01",
];
const LONG: [&str; 4] = [
    "1234567890123456789012345",
    "1234567890123456789012345678",
    "12345678901234567890123456789",
    "+5",
];

const DAYS: [&str; 8] = [
    "1753-01-01",
    "1753-01-01Z",
    "1753-01-01+14:00",
    "1753-01-01-14:00",
    "9999-12-31",
    "9999-12-31Z",
    "9999-12-31+14:00",
    "9999-12-31-14:00",
];

const TIMES: [&str; 48] = [
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01T23:59:59",
    "2026-01-01T23:59:60",
    "2026-01-01T23:60:00",
    "2026-01-01T24:00:00",
    "2026-01-01T24:00:00.0",
    "2026-01-01T24:00:00.0000Z",
    "2026-01-01T24:00:01",
    "2026-01-01T24:01:00",
    "2026-01-01T25:00:00",
    "2026-01-01T12:00",
    "2026-01-01T12:00:00.",
    "2026-01-01T12:00:00.1",
    "2026-01-01T12:00:00.123456789012345678901234567890",
    "2026-01-01T12:00:00,5",
    "2026-01-01T1:00:00",
    "2026-01-01T01:0:00",
    "2026-01-01T01:00:0",
    "2026-01-01t12:00:00",
    "2026-01-01 12:00:00",
    "2026-01-01T12:00:00z",
    "2026-01-01T12:00:00+01:00",
    "2026-01-01T12:00:00-14:00",
    "2026-01-01T12:00:00+14:00",
    "2026-01-01T12:00:00+14:01",
    "2026-01-01T12:00:00+01",
    "2026-01-01T12:00:00 Z",
    "2026-01-01T12:00:00Z\n",
    " 2026-01-01T12:00:00Z",
    "2024-02-29T12:00:00",
    "2023-02-29T12:00:00",
    "2026-02-30T12:00:00",
    "0000-01-01T00:00:00",
    "-2026-01-01T00:00:00",
    "12026-01-01T00:00:00",
    "02026-01-01T00:00:00",
    "2026-01-01",
    "2026-01-01T",
    "T12:00:00",
    "2026-01-01ZT12:00:00",
    "2026-01-01T12:00:00ZZ",
    "2026-01-01T12:00:00.5.5",
    "2026-01-01T12:00:00.-5",
    "2026-01-01T12:00:00.1Z",
    "9999-12-31T24:00:00",
    "2026-01-01T1\u{FF12}:00:00",
    "2026-01-01T12:00:00+00:60",
];
const BASES64: [&str; 40] = [
    "",
    " ",
    "A",
    "AA",
    "AAA",
    "AAAA",
    "AAAAA",
    "AA=",
    "AA==",
    "AAA=",
    "AB==",
    "AQ==",
    "AAB=",
    "AAE=",
    "AA=A",
    "====",
    "=",
    "A===",
    "AA===",
    "AAAA=",
    "AAAA====",
    "AA==AA==",
    "AA==A",
    "A-_A",
    "A+/A",
    "AA AA",
    "A A A A",
    "A\nAAA",
    "AAAA\r\nAAAA\r\n",
    "AA= =",
    "A A = =",
    "AA ==",
    "AA\u{A0}AA",
    "AA\tAA",
    "AAà=",
    "AAA",
    "AA==\n",
    " AA==",
    "AAAA  AAAA",
    "&#65;AAA",
];
const STRINGS: [&str; 58] = [
    "",
    " ",
    "  ",
    "A",
    "RSSMRA80A01H501U",
    "rssmra80a01h501u",
    "RSSMRA80A01H501U ",
    " RSSMRA80A01H501U",
    "RSSMRA80A01H501",
    "RSSMRA80A01H501UU",
    "RSSMRA8LA01H501U",
    "01234567890",
    "01234567890 ",
    "01234567890     ",
    "01234567890      ",
    " 01234567890",
    "0123456789",
    "012345678901",
    "01234567890\t",
    "01234567890&#10;",
    "\u{FF10}\u{FF11}\u{FF12}\u{FF13}\u{FF14}\u{FF15}\u{FF16}\u{FF17}\u{FF18}\u{FF19}\u{FF10}",
    "0123456789\u{663}",
    "0123456789\u{1D7CE}",
    "0123456789\u{B2}",
    "0123456789\u{2460}",
    "H501",
    "h501",
    "H50",
    "H5010",
    "RM",
    "Rm",
    "ROM",
    "00100",
    "0010",
    "001000",
    "INPS-ISEE-2026-12345678A-00",
    "INPS-ISEE-2026-12345678a-00",
    "INPS-ISEE-2026-12345678A-00\n",
    "INPS-ISEE-2026-1234567A-00",
    "A1.07",
    "a1.07",
    "A1.7",
    "A1.007",
    "Z9.99",
    "Da Erogare",
    "Da  Erogare",
    " Da Erogare",
    "Da Erogare ",
    "da erogare",
    "Erogata",
    "OK",
    "ok",
    "ROSSI",
    "D'AL\u{D2}",
    "D'ALO\u{300}",
    "d'al\u{F2}",
    "A\u{A0}B",
    "A\nB",
];
const LENGTHS: [usize; 20] = [
    2, 3, 4, 5, 6, 11, 12, 13, 15, 16, 17, 28, 29, 30, 63, 64, 65, 255, 256, 257,
];

/// A value for a place that holds `now`: mostly of its kind.
fn value(random: &mut Random, now: &str) -> String {
    let digits = now.bytes().filter(u8::is_ascii_digit).count();
    let kinds: &[&[&str]] = match now.trim() {
        "true" | "false" => &[&BOOLEANS],
        "" | "0" | "1" => &[&BOOLEANS, &NUMBERS, &BASES64, &STRINGS],
        text if text.contains('T') && text.contains(':') && digits > 9 => &[&TIMES, &TIMES, &DATES],
        text if digits >= 8 && text.matches('-').count() >= 2 && text.len() < 18 => {
            &[&DATES, &DATES, &DATES, &TIMES]
        }
        text if text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-')) =>
        {
            &[&NUMBERS]
        }
        text if text.ends_with('=') || (text.len() % 4 == 0 && text.len() > 4) => &[&BASES64, &STRINGS],
        _ => &[&STRINGS],
    };
    let kind = if random.chance(85) {
        random.pick(kinds)
    } else {
        *random.pick(&[&NUMBERS[..], &BOOLEANS, &DATES, &TIMES, &BASES64, &STRINGS])
    };
    if kind.len() == STRINGS.len() && random.chance(25) {
        let length = *random.pick(&LENGTHS);
        return random.pick(&["A", "1", "à", "𝄞", " ", "&amp;"]).repeat(length);
    }
    (*random.pick(kind)).to_owned()
}

/// Calls `change` with an attribute's value or with the text of an element that has nothing but text.
fn with_value(
    random: &mut Random,
    root: &mut Node,
    change: impl Fn(&mut Random, &str) -> String,
) -> Option<String> {
    let is_leaf = |node: &Node| !has_children(node);
    let node = one(random, root, |node| has_attributes(node) || !has_children(node))?;
    if has_attributes(node) && (!is_leaf(node) || node.content.is_empty() || random.chance(50)) {
        let at = attribute(random, node);
        let changed = change(random, &node.attributes[at].1.clone());
        node.attributes[at].1.clone_from(&changed);
        return Some(changed);
    }
    let now: String = node
        .content
        .iter()
        .map(|item| {
            if let Item::Raw(text) = item {
                text.as_str()
            } else {
                ""
            }
        })
        .collect();
    let changed = change(random, &now);
    node.content = vec![Item::Raw(changed.clone())];
    Some(changed)
}

fn replace_value(random: &mut Random, root: &mut Node) -> Option<String> {
    with_value(random, root, value)
}

/// A day becomes the first or the last of a range, with a zone or without; a number becomes one that is as
/// long as may be. Few values are days or numbers of any size, so one is looked for.
fn edge(random: &mut Random, root: &mut Node) -> Option<String> {
    let is_day = |text: &str| text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let is_number =
        |text: &str| !text.is_empty() && text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit());
    let (edge, is_one): (_, &dyn Fn(&str) -> bool) = if random.chance(60) {
        (*random.pick(&DAYS), &is_day)
    } else {
        (*random.pick(&LONG), &is_number)
    };
    (0..60).find_map(|_| {
        with_value(random, root, |_, now| {
            if is_one(now) { edge } else { now }.to_owned()
        })
        .filter(|text| text == edge)
    })
}

fn change_value(random: &mut Random, root: &mut Node) -> Option<String> {
    with_value(random, root, |random, now| {
        let characters: Vec<char> = now.chars().collect();
        let at = random.below(characters.len() + 1);
        let (before, after): (String, String) = (
            characters[..at].iter().collect(),
            characters[at..].iter().collect(),
        );
        match random.below(14) {
            0 => String::new(),
            1 => format!(" {now}"),
            2 => format!("{now} "),
            3 => format!("\n\t{now}\r\n"),
            4 => format!("&#x20;{now}&#13;"),
            5 => now.to_lowercase(),
            6 => now.to_uppercase(),
            7 => now.chars().skip(1).collect(),
            8 => format!("{now}{now}"),
            9 => format!(
                "{before}{}{after}",
                random.pick(&[
                    "0", "1", "x", "A", " ", ".", "-", "à", "\u{A0}", "\u{200B}", "\u{301}"
                ])
            ),
            10 => before,
            11 => format!("{before}\u{FEFF}{after}"),
            12 => format!("0{now}"),
            _ => format!("-{now}"),
        }
    })
}

const NAMESPACES: [&str; 14] = [
    "",
    "urn:altro",
    "http://inps.it/ISEERiforma",
    "http://inps.it/ISEERiforma/",
    "http://inps.it/iseeriforma",
    " http://inps.it/ISEERiforma",
    "http://inps.it/ConsultazioneISEE",
    "http://inps.it/&#67;onsultazioneISEE",
    "urn:varco:trasmissione-dsu:1",
    "http://www.w3.org/2001/XMLSchema",
    "http://www.w3.org/2001/XMLSchema-instance",
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2000/xmlns/",
    "relativo",
];

fn change_namespace(random: &mut Random, root: &mut Node) -> Option<String> {
    let node = if random.chance(40) {
        &mut *root
    } else {
        any(random, root)
    };
    node.attributes.retain(|(name, _)| name != "xmlns");
    if random.chance(80) {
        node.attributes
            .push(("xmlns".to_owned(), (*random.pick(&NAMESPACES)).to_owned()));
    }
    Some(String::new())
}

/// The default namespace with a prefix instead: everywhere, or with something left out.
fn prefix_namespace(random: &mut Random, root: &mut Node) -> Option<String> {
    fn rename(node: &mut Node, random: &mut Random, whole: bool) {
        for item in &mut node.content {
            if let Item::Element(inner) = item
                && !inner.attributes.iter().any(|(name, _)| name == "xmlns")
            {
                rename(inner, random, whole);
            }
        }
        if whole || random.chance(80) {
            node.tag.insert_str(0, "p:");
        }
    }
    let whole = random.chance(70);
    rename(root, random, whole);
    for (name, _) in &mut root.attributes {
        if name == "xmlns" && random.chance(95) {
            *name = "xmlns:p".to_owned();
        }
    }
    Some(String::new())
}

fn declare_oddly(random: &mut Random, root: &mut Node) -> Option<String> {
    const ODD: [(&str, &str); 22] = [
        ("xmlns:p", ""),
        ("xmlns:p", "urn:x"),
        ("xmlns:p", "http://inps.it/ISEERiforma"),
        ("xmlns:p", "&amp;"),
        ("xmlns:p", "&#x20;"),
        ("xmlns:p", "urn:x y"),
        ("xmlns:p", "relativo"),
        ("xmlns:p", "http://www.w3.org/XML/1998/namespace"),
        ("xmlns:p", "http://www.w3.org/2000/xmlns/"),
        ("xmlns:xml", "http://www.w3.org/XML/1998/namespace"),
        ("xmlns:xml", "urn:x"),
        ("xmlns:xmlns", "urn:x"),
        ("xmlns:xmlns", "http://www.w3.org/2000/xmlns/"),
        ("xmlns:xmlfoo", "urn:x"),
        ("xmlns:", "urn:x"),
        ("xmlns:1", "urn:x"),
        ("xmlns:a:b", "urn:x"),
        ("xmlns:à", "urn:x"),
        (":a", "x"),
        ("a:", "x"),
        ("a:b:c", "x"),
        ("p:a", "x"),
    ];
    let (name, value) = *random.pick(&ODD);
    let node = any(random, root);
    node.attributes.push((name.to_owned(), value.to_owned()));
    if random.chance(20) {
        node.attributes.push((name.to_owned(), "urn:y".to_owned()));
    }
    Some(name.to_owned())
}

fn with_xsi(random: &mut Random, root: &mut Node, name: &str, value: String) -> Option<String> {
    root.attributes.retain(|(name, _)| name != "xmlns:xsi");
    root.attributes
        .push(("xmlns:xsi".to_owned(), varco::xml::XSI.to_owned()));
    let own = root
        .attributes
        .iter()
        .find(|(name, _)| name == "xmlns")
        .map(|(_, value)| value.clone());
    root.attributes
        .push(("xmlns:xs".to_owned(), varco::xml::schema::XS.to_owned()));
    if let Some(own) = own {
        root.attributes.push(("xmlns:own".to_owned(), own));
    }
    root.attributes
        .push(("xmlns:isee".to_owned(), "http://inps.it/ISEERiforma".to_owned()));
    let leaf = random.chance(50);
    let node = if leaf {
        one(random, root, |node| !has_children(node))?
    } else {
        any(random, root)
    };
    if node.attributes.iter().any(|(known, _)| known == name) {
        return None;
    }
    node.attributes.push((name.to_owned(), value.clone()));
    if random.chance(30) {
        node.content.clear();
    }
    Some(value)
}

fn xsi_nil(random: &mut Random, root: &mut Node) -> Option<String> {
    let value = (*random.pick(&["true", "1", "false", "0", " true ", "TRUE", "", "yes"])).to_owned();
    // Where it may be: there is one nillable element in the contract.
    if random.chance(50)
        && let Some(node) = one(random, root, |node| node.tag == "Componente")
    {
        node.attributes.retain(|(name, _)| !name.contains("xsi"));
        node.attributes
            .push(("xmlns:xsi".to_owned(), varco::xml::XSI.to_owned()));
        node.attributes.push(("xsi:nil".to_owned(), value.clone()));
        node.content = match random.below(6) {
            0 => vec![Item::Raw(" ".to_owned())],
            1 => vec![Item::Raw("x".to_owned())],
            2 => vec![Item::Raw("<!-- x -->".to_owned())],
            3 => vec![Item::Element(Node {
                tag: "Componente".to_owned(),
                ..Node::default()
            })],
            _ => Vec::new(),
        };
        return Some(value);
    }
    with_xsi(random, root, "xsi:nil", value)
}

fn xsi_type(random: &mut Random, root: &mut Node) -> Option<String> {
    const TYPES: [&str; 40] = [
        "xs:string",
        "xs:int",
        "xs:integer",
        "xs:decimal",
        "xs:unsignedInt",
        "xs:date",
        "xs:dateTime",
        "xs:boolean",
        "xs:anyType",
        "xs:anySimpleType",
        "xs:base64Binary",
        "xs:token",
        "xs:long",
        "xs:nothing",
        "string",
        "",
        " ",
        ":",
        "xs:",
        ":string",
        "a:b:c",
        "p:x",
        " xs:string ",
        "xs:string xs:int",
        "isee:TypeDecimal",
        "isee:TypeCodiceFiscale",
        "isee:TypeDataSQL",
        "isee:TypeDichiarazione",
        "isee:TypeValori",
        "isee:TypeIndirizzo",
        "own:CodiceFiscaleType",
        "own:RequestType",
        "own:RicercaCFType",
        "own:EsitoEnum",
        "own:PrestazioneDaErogareType",
        "own:NucleoType",
        "RicercaCFType",
        "TypeDichiarazione",
        "own:ConsultazioneIndicatoreRequestType",
        "own:SicurezzaIdentificazioneMittenteType",
    ];
    let value = (*random.pick(&TYPES)).to_owned();
    with_xsi(random, root, "xsi:type", value)
}

fn xsi_other(random: &mut Random, root: &mut Node) -> Option<String> {
    const OTHER: [(&str, &str); 14] = [
        (
            "xsi:schemaLocation",
            "http://inps.it/ISEERiforma ISEE_Dichiarazione.xsd",
        ),
        ("xsi:schemaLocation", "urn:altro altro.xsd"),
        ("xsi:schemaLocation", "urn:altro"),
        ("xsi:schemaLocation", ""),
        ("xsi:schemaLocation", "urn:a b urn:c"),
        ("xsi:schemaLocation", " urn:a\tb "),
        ("xsi:schemaLocation", "urn:altro http://[no"),
        ("xsi:noNamespaceSchemaLocation", "altro.xsd"),
        ("xsi:noNamespaceSchemaLocation", ""),
        ("xsi:noNamespaceSchemaLocation", "http://[no"),
        ("xsi:altro", "x"),
        ("xsi:Type", "xs:string"),
        ("xsi:NIL", "true"),
        ("nil", "true"),
    ];
    let (name, value) = *random.pick(&OTHER);
    with_xsi(random, root, name, value.to_owned())
}

/// Puts a piece of XML into a text, into a value if it may stand there, or between elements.
fn put_in(random: &mut Random, root: &mut Node, piece: &str, in_attributes: bool) -> Option<String> {
    if in_attributes && random.chance(40) {
        let node = one(random, root, has_attributes)?;
        let at = attribute(random, node);
        let now = &mut node.attributes[at].1;
        let boundary = if random.chance(50) { 0 } else { now.len() };
        now.insert_str(boundary, piece);
        return Some(piece.to_owned());
    }
    let node = any(random, root);
    match node.content.first_mut() {
        // Within a text: never inside a reference that is there.
        Some(Item::Raw(text)) if random.chance(70) => {
            let places: Vec<usize> = (0..=text.len())
                .filter(|at| text.is_char_boundary(*at) && !text[..*at].contains('&'))
                .collect();
            text.insert_str(*random.pick(&places), piece);
        }
        _ => {
            let at = random.below(node.content.len() + 1);
            node.content.insert(at, Item::Raw(piece.to_owned()));
        }
    }
    Some(piece.to_owned())
}

fn insert_reference(random: &mut Random, root: &mut Node) -> Option<String> {
    const REFERENCES: [&str; 36] = [
        "&amp;",
        "&lt;",
        "&gt;",
        "&apos;",
        "&quot;",
        "&#65;",
        "&#x41;",
        "&#x00041;",
        "&#32;",
        "&#10;",
        "&#9;",
        "&#13;",
        "&#0;",
        "&#x0;",
        "&#8;",
        "&#xD800;",
        "&#xDFFF;",
        "&#xFFFE;",
        "&#xFFFF;",
        "&#x10FFFF;",
        "&#x110000;",
        "&#99999999999999999999;",
        "&#x1F600;",
        "&#X41;",
        "&nbsp;",
        "&eacute;",
        "&AMP;",
        "&;",
        "&#;",
        "&#x;",
        "&amp",
        "&",
        "& amp;",
        "&amp ;",
        "&#-65;",
        "&#6\u{661};",
    ];
    let piece = *random.pick(&REFERENCES);
    put_in(random, root, piece, true)
}

fn insert_cdata(random: &mut Random, root: &mut Node) -> Option<String> {
    const SECTIONS: [&str; 14] = [
        "<![CDATA[]]>",
        "<![CDATA[ ]]>",
        "<![CDATA[x]]>",
        "<![CDATA[<&>]]>",
        "<![CDATA[]]]]><![CDATA[>]]>",
        "<![CDATA[]]]>",
        "<![CDATA[a]]>b<![CDATA[c]]>",
        "<![CDATA[<![CDATA[]]>]]>",
        "<![cdata[x]]>",
        "<![CDATA [x]]>",
        "<![CDATA[x",
        "<! [CDATA[x]]>",
        "]]>",
        "]]&gt;",
    ];
    if random.chance(40)
        && let Some(node) = one(
            random,
            root,
            |node| matches!(node.content.as_slice(), [Item::Raw(text)] if !text.contains(['&', ']'])),
        )
        && let [Item::Raw(text)] = node.content.as_mut_slice()
    {
        *text = format!("<![CDATA[{text}]]>");
        return Some(text.clone());
    }
    let piece = *random.pick(&SECTIONS);
    put_in(random, root, piece, false)
}

fn insert_comment(random: &mut Random, root: &mut Node) -> Option<String> {
    const COMMENTS: [&str; 12] = [
        "<!---->",
        "<!-- x -->",
        "<!-- <a>&b;]]> -->",
        "<!-- a -- b -->",
        "<!-- a --->",
        "<!--->",
        "<!-->",
        "<!-- a",
        "<!- a -->",
        "<!-- \u{FFFD} è -->",
        "<!-- - -->",
        "<!-- a --\n>",
    ];
    let piece = *random.pick(&COMMENTS);
    put_in(random, root, piece, false)
}

fn insert_instruction(random: &mut Random, root: &mut Node) -> Option<String> {
    const INSTRUCTIONS: [&str; 9] = [
        "<?x?>",
        "<?x y?>",
        "<?xml-stylesheet href='a'?>",
        "<?xml version='1.0'?>",
        "<?XML x?>",
        "<?x",
        "<? x?>",
        "<?x:y z?>",
        "<?1?>",
    ];
    let piece = *random.pick(&INSTRUCTIONS);
    put_in(random, root, piece, false)
}

fn insert_text(random: &mut Random, root: &mut Node) -> Option<String> {
    const TEXTS: [&str; 12] = [
        " ", "\n  ", "\t", "\r\n", "x", "\u{A0}", "\u{85}", "\u{FEFF}", "\u{200B}", "0", "é", "&#32;",
    ];
    let piece = *random.pick(&TEXTS);
    put_in(random, root, piece, false)
}

fn exceed_limit(random: &mut Random, root: &mut Node) -> Option<String> {
    let kind = random.below(6);
    let node = any(random, root);
    match kind {
        0 => {
            for _ in 0..33 {
                let inner = std::mem::take(node);
                *node = Node {
                    tag: inner.tag.clone(),
                    attributes: Vec::new(),
                    content: vec![Item::Element(inner)],
                };
            }
        }
        1 => node
            .attributes
            .extend((0..65).map(|index| (format!("a{index}"), String::new()))),
        2 => node.attributes.push(("a".repeat(257), String::new())),
        3 => node
            .attributes
            .extend((0..65).map(|index| (format!("xmlns:n{index}"), format!("urn:n:{index}")))),
        4 => node.content.push(Item::Raw("x".repeat((1 << 20) + 1))),
        _ => node.attributes.push(("a".to_owned(), "x".repeat((1 << 20) + 1))),
    }
    Some(String::new())
}

/// Where the root's tag begins.
fn root_at(text: &str) -> usize {
    text.find("?>").map_or(0, |end| end + 2)
}

fn document_type(random: &mut Random, text: &mut String) -> Option<String> {
    const TYPES: [&str; 9] = [
        "<!DOCTYPE a>",
        "<!DOCTYPE a []>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]>",
        "<!DOCTYPE a SYSTEM 'assente.dtd'>",
        "<!DOCTYPE a PUBLIC '-//A//B' 'assente.dtd'>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]>",
        "<!doctype a>",
        "<!DOCTYPE>",
        "<!DOCTYPE a [",
    ];
    let piece = *random.pick(&TYPES);
    let at = if random.chance(80) {
        root_at(text)
    } else {
        text.len()
    };
    text.insert_str(at, piece);
    Some(piece.to_owned())
}

fn around(random: &mut Random, text: &mut String) -> Option<String> {
    const PIECES: [&str; 17] = [
        " ",
        "\n",
        "<!-- x -->",
        "x",
        "&#32;",
        "&amp;",
        "<![CDATA[ ]]>",
        "<a/>",
        "\u{FEFF}",
        "\u{A0}",
        "</a>",
        "<!-- -- -->",
        "]]>",
        "<",
        ">",
        "\u{0}",
        "\r\n\t <!----> ",
    ];
    let piece = *random.pick(&PIECES);
    let at = match random.below(3) {
        0 => 0,
        1 => root_at(text),
        _ => text.len(),
    };
    text.insert_str(at, piece);
    Some(piece.to_owned())
}

fn declaration(random: &mut Random, text: &mut String) -> Option<String> {
    const DECLARATIONS: [&str; 40] = [
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" ?>",
        "<?xml  version = '1.0'?>",
        "<?xml\nversion='1.0'\tencoding='utf-8'\r\n?>",
        "<?xml version='1.0' standalone='yes'?>",
        "<?xml version='1.0' standalone='no'?>",
        "<?xml version='1.0' standalone='YES'?>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?>",
        "<?xml encoding='UTF-8' version='1.0'?>",
        "<?xml encoding='UTF-8'?>",
        "<?xml version='1.1'?>",
        "<?xml version='1.2'?>",
        "<?xml version='2.0'?>",
        "<?xml version='1'?>",
        "<?xml version=''?>",
        "<?xml version='1.0\"?>",
        "<?xml version=1.0?>",
        "<?xml version='1.0'>",
        "<?xml version='1.0' ? >",
        "<?xml version='1.0'encoding='UTF-8'?>",
        "<?xml version='1.0' encoding=''?>",
        "<?xml version='1.0' encoding='UTF 8'?>",
        "<?xml version='1.0' encoding='8-UTF'?>",
        "<?xml version='1.0' encoding='sconosciuta'?>",
        "<?xml version='1.0' version='1.0'?>",
        "<?xml version='1.0' altro='x'?>",
        "<?xml?>",
        "<?xml ?>",
        "<?XML version='1.0'?>",
        "<?Xml version='1.0'?>",
        " <?xml version='1.0'?>",
        "\n<?xml version='1.0'?>",
        "<?xml version='1.0'?><?xml version='1.0'?>",
        "<!-- x --><?xml version='1.0'?>",
        "<?xmlversion='1.0'?>",
        "<?xml version='1.0' encoding='utf8'?>",
        "<?xml version='1.0' encoding='Utf-8'?>",
        "<?xml version='1.0'?>\n\n",
        "<?xml version='1.0' encoding=\"UTF-8'?>",
    ];
    let piece = *random.pick(&DECLARATIONS);
    let end = root_at(text);
    text.replace_range(..end, piece);
    Some(piece.to_owned())
}

fn boundary(random: &mut Random, text: &str) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn drop_character(random: &mut Random, text: &mut String) -> Option<String> {
    let at = boundary(random, &text[..text.len() - 1]);
    Some(text.remove(at).to_string())
}

const CHARACTERS: [&str; 40] = [
    "<",
    ">",
    "&",
    "'",
    "\"",
    "=",
    "/",
    " ",
    "!",
    "?",
    ";",
    ":",
    "-",
    ".",
    "]",
    "[",
    "\0",
    "\u{1}",
    "\u{8}",
    "\u{B}",
    "\u{C}",
    "\u{1F}",
    "\u{7F}",
    "\u{85}",
    "\u{A0}",
    "\u{2028}",
    "\u{FFFE}",
    "\u{FFFF}",
    "\u{FEFF}",
    "\u{1FFFF}",
    "\u{10FFFF}",
    "\u{D7FF}",
    "\u{E000}",
    "\u{FFFD}",
    "à",
    "中",
    "1",
    "x",
    "\r",
    "\t",
];

fn insert_character(random: &mut Random, text: &mut String) -> Option<String> {
    let at = boundary(random, text);
    let piece = *random.pick(&CHARACTERS);
    text.insert_str(at, piece);
    Some(piece.to_owned())
}

fn swap_characters(random: &mut Random, text: &mut String) -> Option<String> {
    let at = boundary(random, &text[..text.len() - 1]);
    let c = text.remove(at);
    let next = text[at..].chars().next()?.len_utf8();
    text.insert(at + next, c);
    Some(c.to_string())
}

fn cut(random: &mut Random, text: &mut String) -> Option<String> {
    let at = boundary(random, text);
    if random.chance(80) {
        text.truncate(at);
    } else {
        text.replace_range(..at, "");
    }
    Some(String::new())
}

fn duplicate_piece(random: &mut Random, text: &mut String) -> Option<String> {
    let (a, b) = (boundary(random, text), boundary(random, text));
    let piece = text[a.min(b)..a.max(b)].to_owned();
    text.insert_str(a.max(b), &piece);
    Some(String::new())
}

/// Replaces one place, any of them, where `what` stands.
fn replace_one(random: &mut Random, text: &mut String, what: &str, with: &str) -> Option<String> {
    let places: Vec<usize> = text.match_indices(what).map(|(at, _)| at).collect();
    if places.is_empty() {
        return None;
    }
    let at = *random.pick(&places);
    text.replace_range(at..at + what.len(), with);
    Some(with.to_owned())
}

fn spoil_markup(random: &mut Random, text: &mut String) -> Option<String> {
    const CHANGES: [(&str, &str); 34] = [
        ("=\"", "='"),
        ("=\"", " = \""),
        ("=\"", "\n=\n\""),
        ("=\"", "="),
        ("=\"", "=\"<"),
        ("=\"", "==\""),
        ("\" ", "\""),
        ("\" ", "\"\t\r\n"),
        ("\" ", "\",  "),
        ("\">", "\" >"),
        ("\">", "\"\n>"),
        ("\">", "\" x>"),
        ("/>", " />"),
        ("/>", "/ >"),
        ("/>", ">"),
        ("/>", "//>"),
        ("/>", "\n/>"),
        ("</", "< /"),
        ("</", "</ "),
        ("</", "<//"),
        ("</", "<"),
        (">", " >"),
        (">", ">>"),
        (">", "/>"),
        (">", ""),
        ("<", "< "),
        ("<", "<<"),
        ("<", "&lt;"),
        ("<", "<!"),
        ("<", "<?"),
        ("<", "<\u{301}"),
        ("<", "<-"),
        ("<", "<:"),
        (" ", "\u{A0}"),
    ];
    let (what, with) = *random.pick(&CHANGES);
    replace_one(random, text, what, with)
}

/// The document in another encoding, declared or not, rightly or not.
fn encode(random: &mut Random, text: String) -> Option<Encoded> {
    const LABELS: [&str; 22] = [
        "UTF-8",
        "utf-8",
        "UTF8",
        "UTF-16",
        "utf-16",
        "UTF-16LE",
        "UTF-16BE",
        "ISO-8859-1",
        "iso-8859-1",
        "latin1",
        "windows-1252",
        "Windows-1252",
        "cp1252",
        "US-ASCII",
        "ascii",
        "ISO-8859-15",
        "UTF-7",
        "UTF-32",
        "EBCDIC-IT",
        "Shift_JIS",
        "sconosciuta",
        "ISO-10646-UCS-2",
    ];
    let label = *random.pick(&LABELS);
    let own = match random.below(7) {
        0 | 1 => "ISO-8859-1",
        2 => "windows-1252",
        3 => "UTF-16LE",
        4 => "UTF-16BE",
        _ => "UTF-8",
    };
    // Half of them say what they are, if they say anything.
    let said = if random.chance(50) {
        own.trim_end_matches("LE").trim_end_matches("BE")
    } else {
        label
    };
    let declared = random.chance(75);
    let text = if declared {
        format!("<?xml version=\"1.0\" encoding=\"{said}\"?>{text}")
    } else {
        text
    };
    let text = if random.chance(30) {
        text.replacen(">", "><!-- à -->", 2).replacen("<!-- à -->", "", 1)
    } else {
        text
    };
    let mark = random.chance(60);
    let mut bytes = Vec::new();
    match own {
        "UTF-8" => {
            if mark && random.chance(50) {
                bytes.extend(b"\xEF\xBB\xBF");
            }
            bytes.extend(text.as_bytes());
        }
        "ISO-8859-1" => bytes.extend(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))),
        "windows-1252" => {
            bytes.extend(text.chars().map(|c| match c {
                '€' => 0x80,
                c => u8::try_from(u32::from(c)).unwrap_or(b'?'),
            }));
            if random.chance(30) {
                let undefined = *random.pick(&[0x81, 0x8D, 0x80, 0x9F, 0x9D]);
                let at = bytes.iter().position(|byte| *byte == b'A').unwrap_or(0);
                bytes[at] = undefined;
            }
        }
        order => {
            let marked = format!("{}{text}", if mark { "\u{FEFF}" } else { "" });
            let units = marked.encode_utf16();
            bytes.extend(units.flat_map(|unit| {
                if order == "UTF-16LE" {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            }));
            if random.chance(10) {
                bytes.pop();
            }
        }
    }
    let said = if declared { said } else { "-" };
    Some((bytes, format!("{own} said {said} mark {mark}")))
}

fn spoil_bytes(random: &mut Random, text: String) -> Option<Encoded> {
    const BAD: [&[u8]; 22] = [
        b"\xFF",
        b"\xFE",
        b"\x80",
        b"\xBF",
        b"\xC0\x80",
        b"\xC0\xBC",
        b"\xC1\xBF",
        b"\xE0\x80\x80",
        b"\xE0\x80\xBC",
        b"\xE0\x9F\xBF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF0\x80\x80\xBC",
        b"\xF0\x8F\xBF\xBF",
        b"\xF4\x90\x80\x80",
        b"\xF5\x80\x80\x80",
        b"\xC3",
        b"\xE2\x82",
        b"\xEF\xBF\xBE",
        b"\xEF\xBB\xBF",
        b"\0",
        b"\xF8\x88\x80\x80\x80",
    ];
    let mut bytes = text.into_bytes();
    let at = random.below(bytes.len() + 1);
    let bad = *random.pick(&BAD);
    if random.chance(70) {
        bytes.splice(at..at, bad.iter().copied());
    } else {
        let end = (at + bad.len()).min(bytes.len());
        bytes.splice(at..end, bad.iter().copied());
    }
    Some((bytes, format!("{bad:X?}")))
}
