//! Writes XML in the two shapes of this gateway's output.
//!
//! [`Style::Inps`] is the payload as INPS writes it: the declaration, the root at once, default namespace,
//! CRLF, two spaces a level, a space before `/>`. [`Style::Compact`] is everything else: no white space at
//! all.

/// The layout of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// CRLF, two spaces a level, a space before `/>`.
    Inps,
    /// On one line, without white space between elements.
    Compact,
}

/// An XML document under construction. The caller closes the elements it opened; not the borrow checker but
/// the round trips of the tests see to it.
#[derive(Debug)]
pub struct Writer {
    out: String,
    style: Style,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    name: &'static str,
    /// The content so far.
    inside: Inside,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// The start tag is not closed yet: attributes may follow.
    Tag,
    Text,
    Elements,
}

impl Writer {
    /// A document with its declaration.
    pub fn document(style: Style) -> Self {
        let mut writer = Self::fragment(style);
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        writer
    }

    /// A piece of a document.
    pub fn fragment(style: Style) -> Self {
        Self {
            out: String::with_capacity(2048),
            style,
            open: Vec::with_capacity(8),
        }
    }

    /// Opens an element inside the open one. The name is written as it is.
    pub fn open(&mut self, name: &'static str) {
        self.content(Inside::Elements);
        self.line();
        self.out.push('<');
        self.out.push_str(name);
        self.open.push(Open {
            name,
            inside: Inside::Tag,
        });
    }

    /// An attribute of the element just opened.
    pub fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        escape(value, true, &mut self.out);
        self.out.push('"');
    }

    /// Text inside the open element.
    pub fn text(&mut self, text: &str) {
        self.content(Inside::Text);
        escape(text, false, &mut self.out);
    }

    /// A finished piece of XML inside the open element.
    pub fn raw(&mut self, xml: &str) {
        self.content(Inside::Text);
        self.out.push_str(xml);
    }

    /// Closes the innermost element.
    pub fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        match open.inside {
            Inside::Tag => self
                .out
                .push_str(if self.style == Style::Inps { " />" } else { "/>" }),
            inside => {
                if inside == Inside::Elements {
                    self.line();
                }
                self.out.push_str("</");
                self.out.push_str(open.name);
                self.out.push('>');
            }
        }
    }

    /// An element with text, or empty.
    pub fn element(&mut self, name: &'static str, text: &str) {
        self.open(name);
        if !text.is_empty() {
            self.text(text);
        }
        self.close();
    }

    /// The text written so far.
    pub fn finish(self) -> String {
        self.out
    }

    fn content(&mut self, inside: Inside) {
        if let Some(open) = self.open.last_mut() {
            if open.inside == Inside::Tag {
                self.out.push('>');
            }
            open.inside = inside;
        }
    }

    fn line(&mut self) {
        // The root stands right after the declaration.
        let root = self.open.is_empty() && !self.out.ends_with('>') || self.out.ends_with("?>");
        if self.style == Style::Inps && !root {
            self.out.push_str("\r\n");
            for _ in 0..self.open.len() {
                self.out.push_str("  ");
            }
        }
    }
}

/// Whether a text is written as it is. A piece is looked at to its end: a processor takes many bytes at once.
fn is_plain(text: &str, attribute: bool) -> bool {
    let special = |byte: u8| match attribute {
        true => matches!(byte, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r'),
        false => matches!(byte, b'&' | b'<' | b'>' | b'\r'),
    };
    let pieces = text.as_bytes().chunks(64);
    pieces
        .into_iter()
        .all(|piece| !piece.iter().fold(false, |found, byte| found | special(*byte)))
}

/// Canonical XML 1.0, section 2.3: the characters written as references, in attribute values and in text.
/// Written and canonicalised XML escape alike.
pub(super) fn escape(text: &str, attribute: bool, out: &mut String) {
    // Most values have none of these, and are copied whole.
    if is_plain(text, attribute) {
        out.push_str(text);
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' if !attribute => "&gt;",
            b'"' if attribute => "&quot;",
            b'\t' if attribute => "&#x9;",
            b'\n' if attribute => "&#xA;",
            b'\r' => "&#xD;",
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(reference);
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(style: Style) -> String {
        let mut writer = Writer::document(style);
        writer.open("a");
        writer.attribute("x", "1 < \"2\"");
        writer.open("b");
        writer.close();
        writer.element("c", "t & u");
        writer.close();
        writer.finish()
    }

    #[test]
    fn the_two_styles() {
        assert_eq!(
            sample(Style::Inps),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a x=\"1 &lt; &quot;2&quot;\">\r\n  <b />\r\n  <c>t &amp; u</c>\r\n</a>"
        );
        assert_eq!(
            sample(Style::Compact),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a x=\"1 &lt; &quot;2&quot;\"><b/><c>t &amp; u</c></a>"
        );
    }
}
