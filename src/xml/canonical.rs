//! Exclusive XML Canonicalization 1.0 (W3C, 18 July 2002), without comments, of one element of a document.
//!
//! The form in which a Dichiarazione is fingerprinted, kept and compared (check K19): the same declaration has the same
//! bytes whatever prefixes, white space in tags, order of attributes or character encoding its sender chose.

use super::tree::{Content, Element};
use super::writer::escape;

/// The canonical bytes of `element` and all that is inside it.
pub fn exclusive(element: Element<'_, '_>) -> String {
    let mut out = String::with_capacity(1024);
    write(element, &mut Vec::new(), &mut out);
    out
}

/// `rendered` holds the namespace declarations already written by the output's ancestors.
fn write<'d>(element: Element<'d, '_>, rendered: &mut Vec<(&'d str, &'d str)>, out: &mut String) {
    let before = rendered.len();
    let qualified = |prefix: &str, local: &str, out: &mut String| {
        if !prefix.is_empty() {
            out.push_str(prefix);
            out.push(':');
        }
        out.push_str(local);
    };
    out.push('<');
    qualified(element.prefix(), element.local(), out);

    // Only the prefixes that this tag itself uses ("visibly utilised"), unless an ancestor rendered the same already.
    let document = element.document();
    let mut used = vec![(element.prefix(), element.namespace())];
    for attribute in element.attributes() {
        let pair = (attribute.prefix(), attribute.namespace(document));
        if !pair.0.is_empty() && pair.0 != "xml" && !used.contains(&pair) {
            used.push(pair);
        }
    }
    used.sort_unstable();
    for (prefix, namespace) in used {
        let current = rendered.iter().rev().find(|(known, _)| *known == prefix).map(|(_, namespace)| *namespace);
        let needed = match current {
            Some(current) => current != namespace,
            None => !(prefix.is_empty() && namespace.is_empty()),
        };
        if needed {
            rendered.push((prefix, namespace));
            out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            out.push_str(prefix);
            out.push_str("=\"");
            escape(namespace, true, out);
            out.push('"');
        }
    }

    let mut attributes: Vec<_> = element.attributes().iter().collect();
    attributes.sort_by_key(|attribute| (attribute.namespace(document), attribute.local()));
    for attribute in attributes {
        out.push(' ');
        qualified(attribute.prefix(), attribute.local(), out);
        out.push_str("=\"");
        escape(attribute.value(), true, out);
        out.push('"');
    }
    out.push('>');
    for content in element.content() {
        match content {
            Content::Element(child) => write(child, rendered, out),
            Content::Text(text) => escape(text, false, out),
        }
    }
    out.push_str("</");
    qualified(element.prefix(), element.local(), out);
    out.push('>');
    rendered.truncate(before);
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, parse};
    use super::*;

    fn canonical(source: &str) -> String {
        exclusive(parse(source, &Limits::default()).unwrap().root())
    }

    #[test]
    fn prefixes_order_and_quotes_do_not_matter_where_they_should_not() {
        assert_eq!(canonical("<a  b='2'\n a=\"1&#10;\"  ><!-- x --><c/></a >"), "<a a=\"1&#xA;\" b=\"2\"><c></c></a>");
        assert_eq!(canonical("<a>&gt;&#13;\"</a>"), "<a>&gt;&#xD;\"</a>");
    }

    #[test]
    fn only_namespaces_in_use_are_written_where_they_are_first_used() {
        let source = "<r xmlns:n='u:n' xmlns='u:d' xmlns:z='u:z'><n:a z:k='1' b='2'><n:c/></n:a><n:d xmlns=''/></r>";
        assert_eq!(
            canonical(source),
            "<r xmlns=\"u:d\"><n:a xmlns:n=\"u:n\" xmlns:z=\"u:z\" b=\"2\" z:k=\"1\"><n:c></n:c></n:a><n:d xmlns:n=\"u:n\"></n:d></r>"
        );
        assert_eq!(canonical("<r xmlns='u'><a xmlns=''><b/></a></r>"), "<r xmlns=\"u\"><a xmlns=\"\"><b></b></a></r>");
    }
}
