//! Packages of MTOM (W3C Recommendation, 25 January 2005): `multipart/related` (RFC 2387) with the envelope
//! in its root part, and XOP references to the other parts. Clients send them even without attachments.
//!
//! Parts are counted and bounded. `cid:` is the only kind of reference. Each part has one reference at most,
//! so a small message cannot grow large. Nothing is ever fetched.

use super::Version;
use crate::xml::Document;

/// The namespace of `xop:Include`.
const XOP: &str = "http://www.w3.org/2004/08/xop/include";
/// The most parts of a package.
pub const MAX_PARTS: usize = 32;
/// The longest head of a part, bytes.
const MAX_HEAD: usize = 4096;

/// The parts of a package, borrowed from the body.
#[derive(Debug)]
pub struct Package<'b> {
    /// The root part: the envelope.
    pub root: &'b [u8],
    /// The envelope's version, according to the package.
    pub version: Version,
    /// The charset of the root part.
    pub charset: Option<String>,
    attachments: Vec<MimePart<'b>>,
}

#[derive(Debug)]
struct MimePart<'b> {
    /// Content-ID, without angle brackets.
    id: String,
    bytes: &'b [u8],
    used: bool,
}

/// A defect of a package; the text, in Italian, repeats nothing from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAPackage(pub &'static str);

/// A media type and its parameters, unquoted (RFC 2045, section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype`, in lower case.
    pub kind: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a header's value. `None`: a quoted value without an end.
    pub fn parse(value: &str) -> Option<Self> {
        let (kind, mut rest) = value.split_once(';').unwrap_or((value, ""));
        let mut parameters = Vec::new();
        loop {
            rest = rest.trim_start_matches([' ', '\t', ';']);
            if rest.is_empty() {
                break;
            }
            let Some((name, after)) = rest.split_once('=') else {
                break;
            };
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let (value, after) = after.split_once(';').unwrap_or((after, ""));
                    (value.trim().to_owned(), after)
                }
            };
            parameters.push((name.trim().to_ascii_lowercase(), value));
            rest = after;
        }
        Some(Self {
            kind: kind.trim().to_ascii_lowercase(),
            parameters,
        })
    }

    /// A parameter's value, by its name in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A quoted string from after its first quote: its value, and the text after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// Opens a package with the content type `kind`.
pub fn open<'b>(body: &'b [u8], kind: &MediaType) -> Result<Package<'b>, NotAPackage> {
    let boundary = kind
        .parameter("boundary")
        .filter(|boundary| (1..=70).contains(&boundary.len()));
    let boundary = boundary.ok_or(NotAPackage("manca boundary, o non è valido"))?;
    let mut root = None;
    let mut attachments: Vec<MimePart<'b>> = Vec::new();
    let start = kind.parameter("start").map(identifier);
    for (index, part) in split(body, boundary)?.into_iter().enumerate() {
        if index >= MAX_PARTS {
            return Err(NotAPackage("troppe parti"));
        }
        let (head, bytes) = head_of(part)?;
        let header = |name: &str| {
            let mut lines = head.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            lines.next().map(|(_, value)| value.as_str())
        };
        // MTOM, section 3.2: octets as they are. Base64 would have to be decoded into memory of its own; no
        // client sends it.
        let encoding = header("content-transfer-encoding").unwrap_or("7bit");
        if !["7bit", "8bit", "binary"]
            .iter()
            .any(|known| encoding.eq_ignore_ascii_case(known))
        {
            return Err(NotAPackage("Content-Transfer-Encoding non ammesso: usare binary"));
        }
        let id = header("content-id").map(identifier).unwrap_or_default();
        // RFC 2387, section 3.2: without a start, the root is the first part.
        let is_root = match &start {
            Some(start) => id == *start,
            None => index == 0,
        };
        if is_root && root.is_none() {
            root = Some((
                MediaType::parse(header("content-type").unwrap_or_default()),
                bytes,
            ));
        } else {
            if !id.is_empty() && attachments.iter().any(|other| other.id == id) {
                return Err(NotAPackage("due parti con lo stesso Content-ID"));
            }
            attachments.push(MimePart {
                id,
                bytes,
                used: false,
            });
        }
    }
    let (root_kind, root) = root.ok_or(NotAPackage("manca la parte radice"))?;
    let root_kind = root_kind.ok_or(NotAPackage("parte radice di tipo non valido"))?;
    // XOP, section 4.1: the type of the envelope is in the root's `type`, and in the package's `start-info`.
    // A package without XOP names it outright.
    let named = match root_kind.kind.as_str() {
        "application/xop+xml" => root_kind
            .parameter("type")
            .or(kind.parameter("start-info"))
            .unwrap_or("text/xml"),
        other => other,
    };
    let named = named.split(';').next().unwrap_or_default();
    let version = Version::of_media_type(named).ok_or(NotAPackage("parte radice di tipo non previsto"))?;
    Ok(Package {
        root,
        version,
        charset: root_kind.parameter("charset").map(str::to_owned),
        attachments,
    })
}

impl Package<'_> {
    /// Puts the parts in the place of the references in `document`, as base64 (XOP, section 3.2).
    pub fn resolve(&mut self, document: &mut Document<'_>) -> Result<(), NotAPackage> {
        use base64::Engine as _;
        document
            .replace(XOP, "Include", |include| {
                let href = include
                    .attribute("href")
                    .and_then(|href| href.trim().strip_prefix("cid:"));
                let id = decode_percent(href.ok_or(NotAPackage("riferimento xop:Include senza cid:"))?);
                let part = self
                    .attachments
                    .iter_mut()
                    .find(|part| !part.id.is_empty() && part.id == id);
                let part = part.ok_or(NotAPackage("riferimento cid: senza la sua parte"))?;
                if std::mem::replace(&mut part.used, true) {
                    return Err(NotAPackage("una parte con più di un riferimento"));
                }
                Ok(base64::engine::general_purpose::STANDARD.encode(part.bytes))
            })?
            .map_or(Ok(()), |misplaced| Err(NotAPackage(misplaced)))
    }
}

/// A Content-ID or `start`, without its angle brackets.
fn identifier(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('<')
        .and_then(|inside| inside.strip_suffix('>'))
        .unwrap_or(text)
        .to_owned()
}

/// RFC 2392: a `cid:` URL is percent-encoded. An invalid escape stays as it is.
fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|_| *first == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The parts between delimiters (RFC 2046, section 5.1.1): each from after its delimiter's line to the line
/// break before the next.
fn split<'b>(body: &'b [u8], boundary: &str) -> Result<Vec<&'b [u8]>, NotAPackage> {
    let delimiter = format!("--{boundary}");
    let delimiter = delimiter.as_bytes();
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(found) = find(body.get(at..).unwrap_or_default(), delimiter) {
        let start = at + found;
        let after = start + delimiter.len();
        at = after;
        // Only at the beginning of a line, and nothing else on it but white space.
        if start != 0 && body.get(start - 1) != Some(&b'\n') {
            continue;
        }
        let rest = body.get(after..).unwrap_or_default();
        let (closes, rest_of_line) = match rest.strip_prefix(b"--") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let line = rest_of_line
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest_of_line.len());
        if !rest_of_line
            .get(..line)
            .unwrap_or_default()
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        {
            continue;
        }
        if let Some(from) = open {
            let end = start
                - if start >= 2 && body.get(start - 2) == Some(&b'\r') {
                    2
                } else {
                    1
                };
            parts.push(body.get(from..end.max(from)).unwrap_or_default());
        }
        if parts.len() > MAX_PARTS {
            return Err(NotAPackage("troppe parti"));
        }
        if closes {
            return Ok(parts);
        }
        if line == rest_of_line.len() {
            break;
        }
        at = body.len() - rest_of_line.len() + line + 1;
        open = Some(at);
    }
    Err(NotAPackage("manca il delimitatore di chiusura"))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = 0;
    while let Some(found) = haystack.get(at..)?.iter().position(|byte| *byte == first) {
        let start = at + found;
        if haystack.get(start..)?.starts_with(needle) {
            return Some(start);
        }
        at = start + 1;
    }
    None
}

type PartHead = Vec<(String, String)>;

/// The header fields of a part, unfolded, and its content.
fn head_of(part: &[u8]) -> Result<(PartHead, &[u8]), NotAPackage> {
    let mut head: PartHead = Vec::new();
    let mut at = 0;
    loop {
        let rest = part.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(NotAPackage("parte senza riga vuota dopo le intestazioni"));
        };
        let line = rest.get(..end).unwrap_or_default();
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| NotAPackage("intestazione di parte non valida"))?;
        at += end + 1;
        if at > MAX_HEAD {
            return Err(NotAPackage("intestazioni di parte troppo lunghe"));
        }
        if line.is_empty() {
            return Ok((head, part.get(at..).unwrap_or_default()));
        }
        match (line.strip_prefix([' ', '\t']), head.last_mut()) {
            (Some(more), Some((_, value))) => {
                value.push(' ');
                value.push_str(more.trim());
            }
            (None, _) => {
                let (name, value) = line
                    .split_once(':')
                    .ok_or(NotAPackage("intestazione di parte non valida"))?;
                head.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            (Some(_), None) => return Err(NotAPackage("intestazione di parte non valida")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{DocumentLimits, parse};

    const KIND: &str = "Multipart/Related; boundary=\"b;1\"; type=\"application/xop+xml\"; start=\"<r@x>\"; start-info=\"application/soap+xml\"";

    fn package(parts: &[(&str, &str)]) -> String {
        let mut text = String::from("preamble, ignored\r\n");
        for (head, content) in parts {
            text += &format!("--b;1\r\n{head}\r\n\r\n{content}\r\n");
        }
        text + "--b;1--\r\nepilogue"
    }

    fn root(content: &str) -> (&'static str, String) {
        (
            "Content-Type: application/xop+xml; charset=UTF-8;\r\n type=\"application/soap+xml\"\r\nContent-ID: <r@x>",
            content.to_owned(),
        )
    }

    fn resolved(root_content: &str, attachments: &[(&str, &str)]) -> Result<String, NotAPackage> {
        let (head, content) = root(root_content);
        // The root need not come first.
        let mut parts: Vec<(&str, &str)> = attachments.to_vec();
        parts.push((head, &content));
        let body = package(&parts);
        let mut package = open(body.as_bytes(), &MediaType::parse(KIND).unwrap())?;
        assert_eq!(
            (package.version, package.charset.as_deref()),
            (Version::V12, Some("UTF-8"))
        );
        let text = std::str::from_utf8(package.root).unwrap();
        assert_eq!(text, root_content);
        let mut document = parse(text, &DocumentLimits::default()).unwrap();
        package.resolve(&mut document)?;
        Ok(crate::xml::canonical::exclusive(document.root()))
    }

    const INCLUDE: &str = "<i:Include xmlns:i='http://www.w3.org/2004/08/xop/include' href='cid:a%40x'/>";

    #[test]
    fn a_part_is_put_where_it_is_referred_to() {
        assert_eq!(resolved("<a><b/></a>", &[]).unwrap(), "<a><b></b></a>");
        let attachment = (
            "Content-ID: <a@x>\r\nContent-Transfer-Encoding: binary",
            "--b;1x\r\n\r\nbytes\r\n",
        );
        let expected = format!("<a><b>{}</b></a>", {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(attachment.1)
        });
        assert_eq!(
            resolved(&format!("<a><b>{INCLUDE}</b></a>"), &[attachment]).unwrap(),
            expected
        );
        // Parts without a reference are none of our business.
        assert_eq!(resolved("<a/>", &[attachment]).unwrap(), "<a></a>");
    }

    #[test]
    fn what_could_grow_or_fetch_is_refused() {
        let attachment = ("Content-ID: <a@x>", "x");
        let refused =
            |content: String, attachments: &[(&str, &str)]| resolved(&content, attachments).unwrap_err().0;
        assert!(
            refused(format!("<a><b>{INCLUDE}</b><b>{INCLUDE}</b></a>"), &[attachment])
                .contains("più di un riferimento")
        );
        assert!(refused(format!("<a><b>{INCLUDE}</b></a>"), &[]).contains("senza la sua parte"));
        assert!(
            refused(
                format!(
                    "<a><b>{}</b></a>",
                    INCLUDE.replace("cid:a%40x", "https://example.org/a")
                ),
                &[attachment]
            )
            .contains("senza cid:")
        );
        assert!(refused(format!("<a><b> {INCLUDE}</b></a>"), &[attachment]).contains("da solo"));
        assert!(
            refused(
                format!("<a><b>{}</b></a>", INCLUDE.replace("/>", "> </i:Include>")),
                &[attachment]
            )
            .contains("da solo")
        );
        assert!(refused("<a/>".to_owned(), &[attachment, attachment]).contains("stesso Content-ID"));
        assert!(
            refused(
                "<a/>".to_owned(),
                &[("Content-ID: <a@x>\r\nContent-Transfer-Encoding: base64", "eA==")]
            )
            .contains("Transfer-Encoding")
        );
        assert!(refused("<a/>".to_owned(), &vec![("X: y", "x"); MAX_PARTS]).contains("troppe parti"));
    }

    #[test]
    fn what_is_no_package_is_refused() {
        let kind = MediaType::parse(KIND).unwrap();
        for body in [
            "",
            "--b;1\r\n",
            "--b;1\r\nContent-ID: <r@x>\r\n\r\n<a/>",
            "--b;1\r\n\r\n<a/>\r\n--b;1--",
            "--b;1\r\nx\r\n\r\n<a/>\r\n--b;1--",
        ] {
            assert!(open(body.as_bytes(), &kind).is_err(), "{body}");
        }
        assert!(open(b"", &MediaType::parse("multipart/related").unwrap()).is_err());
        let plain = "multipart/related; boundary=b";
        let body = b"--b\nContent-Type: text/xml; charset=iso-8859-1\n\n<a/>\n--b--";
        let package = open(body, &MediaType::parse(plain).unwrap()).unwrap();
        assert_eq!(
            (package.root, package.version, package.charset.as_deref()),
            (&b"<a/>"[..], Version::V11, Some("iso-8859-1"))
        );
        assert!(MediaType::parse("a/b; c=\"d").is_none());
    }
}
