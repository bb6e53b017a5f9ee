//! Exclusive XML Canonicalization 1.0 (W3C, 18 July 2002), without comments, of one element of a document.
//!
//! A Dichiarazione is fingerprinted and kept in this form: the same bytes for any white space in tags, order
//! of attributes, quotes or character encoding of its sender. Prefixes and white space between elements stay
//! as they came.

use super::tree::{Attribute, Content, Element};
use super::writer::escape;

/// The canonical bytes of `element`, with everything inside it.
pub fn exclusive(element: Element<'_, '_>) -> String {
    // An empty element gets an end tag of its own. With room for it, a large document is not copied when
    // nearly done.
    let room = element.extent() + element.extent() / 2;
    let mut canonical = Canonical {
        out: String::with_capacity(room),
        rendered: Vec::new(),
        used: Vec::new(),
        order: Vec::new(),
    };
    canonical.write(element);
    canonical.out
}

struct Canonical<'d> {
    out: String,
    /// Namespace declarations already written by the output's ancestors.
    rendered: Vec<(&'d str, &'d str)>,
    /// Room for one tag at a time: the prefixes it uses, and its attributes in order.
    used: Vec<(&'d str, &'d str)>,
    order: Vec<&'d Attribute<'d>>,
}

impl<'d> Canonical<'d> {
    fn name(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    fn write<'s: 'd>(&mut self, element: Element<'d, 's>) {
        let before = self.rendered.len();
        self.out.push('<');
        self.name(element.prefix(), element.local());
        self.declarations(element);
        self.attributes(element);
        self.out.push('>');
        for content in element.content() {
            match content {
                Content::Element(child) => self.write(child),
                Content::Text(text) => escape(text, false, &mut self.out),
            }
        }
        self.out.push_str("</");
        self.name(element.prefix(), element.local());
        self.out.push('>');
        self.rendered.truncate(before);
    }

    /// Only the prefixes used by this tag itself ("visibly utilised"), unless an ancestor rendered the same
    /// already.
    fn declarations<'s: 'd>(&mut self, element: Element<'d, 's>) {
        let document = element.document();
        self.used.clear();
        self.used.push((element.prefix(), element.namespace()));
        for attribute in element
            .attributes()
            .iter()
            .filter(|attribute| !attribute.prefix().is_empty())
        {
            let pair = (attribute.prefix(), attribute.namespace(document));
            if pair.0 != "xml" && !self.used.contains(&pair) {
                self.used.push(pair);
            }
        }
        self.used.sort_unstable();
        for (prefix, namespace) in &self.used {
            let current = self
                .rendered
                .iter()
                .rev()
                .find(|(known, _)| known == prefix)
                .map(|(_, namespace)| namespace);
            let needed = match current {
                Some(current) => current != namespace,
                None => !(prefix.is_empty() && namespace.is_empty()),
            };
            if needed {
                self.rendered.push((prefix, namespace));
                self.out
                    .push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
                self.out.push_str(prefix);
                self.out.push_str("=\"");
                escape(namespace, true, &mut self.out);
                self.out.push('"');
            }
        }
    }

    /// Writes the attributes by namespace, then by name.
    fn attributes<'s: 'd>(&mut self, element: Element<'d, 's>) {
        let document = element.document();
        let mut order = std::mem::take(&mut self.order);
        order.extend(element.attributes());
        if order.iter().all(|attribute| attribute.prefix().is_empty()) {
            order.sort_unstable_by_key(|attribute| attribute.local());
        } else {
            order.sort_unstable_by_key(|attribute| (attribute.namespace(document), attribute.local()));
        }
        for attribute in order.drain(..) {
            self.out.push(' ');
            self.name(attribute.prefix(), attribute.local());
            self.out.push_str("=\"");
            escape(attribute.value(), true, &mut self.out);
            self.out.push('"');
        }
        self.order = order;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DocumentLimits, parse};
    use super::*;

    fn canonical(source: &str) -> String {
        exclusive(parse(source, &DocumentLimits::default()).unwrap().root())
    }

    #[test]
    fn prefixes_order_and_quotes_do_not_matter_where_they_should_not() {
        assert_eq!(
            canonical("<a  b='2'\n a=\"1&#10;\"  ><!-- x --><c/></a >"),
            "<a a=\"1&#xA;\" b=\"2\"><c></c></a>"
        );
        assert_eq!(canonical("<a>&gt;&#13;\"</a>"), "<a>&gt;&#xD;\"</a>");
    }

    #[test]
    fn only_namespaces_in_use_are_written_where_they_are_first_used() {
        let source =
            "<r xmlns:n='u:n' xmlns='u:d' xmlns:z='u:z'><n:a z:k='1' b='2'><n:c/></n:a><n:d xmlns=''/></r>";
        assert_eq!(
            canonical(source),
            "<r xmlns=\"u:d\"><n:a xmlns:n=\"u:n\" xmlns:z=\"u:z\" b=\"2\" z:k=\"1\"><n:c></n:c></n:a><n:d xmlns:n=\"u:n\"></n:d></r>"
        );
        assert_eq!(
            canonical("<r xmlns='u'><a xmlns=''><b/></a></r>"),
            "<r xmlns=\"u\"><a xmlns=\"\"><b></b></a></r>"
        );
    }
}
