//! Turns the bytes of a message into text: by byte order mark, then the `charset` of the content type, then
//! the XML declaration (RFC 7303, section 3.3). Reads ASCII, UTF-8, UTF-16, ISO-8859-1, ISO-8859-15 and
//! windows-1252, as CAF software sends them. Anything else is refused by name, and the caller can answer 415.

use std::borrow::Cow;

/// The reason why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// A charset or declared encoding not read here.
    #[error("encoding not supported")]
    Unsupported,
    /// Bytes not valid in their encoding; the offset of the first bad byte.
    #[error("bytes are not valid in their encoding, at byte {0}")]
    Invalid(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    Ascii,
    Utf8,
    /// UTF-16 without a statement of order: by byte order mark, else by the first `<`.
    Utf16,
    Utf16Le,
    Utf16Be,
    Latin1,
    /// Latin 9 (ISO-8859-15): as Latin 1, but with the euro sign.
    Latin9,
    Windows1252,
}

/// The text of `bytes`. `charset` is the content type's parameter, if it has one. UTF-8 is borrowed, without
/// its byte order mark.
pub fn decode<'b>(bytes: &'b [u8], charset: Option<&str>) -> Result<Cow<'b, str>, EncodingError> {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return utf8(rest, 3);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        return utf16(rest, u16::from_be_bytes);
    }
    let named = match charset {
        Some(label) => Some(by_label(label)?),
        None => match declared(bytes) {
            Some(label) => Some(by_label(label)?),
            None => None,
        },
    };
    match named {
        None if looks_utf16(bytes).is_some() => utf16_by_look(bytes),
        None | Some(Charset::Utf8) => utf8(bytes, 0),
        Some(Charset::Ascii) => match bytes.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => Err(EncodingError::Invalid(at)),
            None => utf8(bytes, 0),
        },
        Some(Charset::Utf16) => utf16_by_look(bytes),
        Some(Charset::Utf16Le) => utf16(bytes, u16::from_le_bytes),
        Some(Charset::Utf16Be) => utf16(bytes, u16::from_be_bytes),
        Some(Charset::Latin1) => Ok(encoding_rs::mem::decode_latin1(bytes)),
        Some(Charset::Latin9) => Ok(encoding_rs::ISO_8859_15.decode_without_bom_handling(bytes).0),
        Some(Charset::Windows1252) => {
            // Five bytes mean nothing in it; encoding_rs reads them as control characters, as browsers do.
            match bytes
                .iter()
                .position(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D))
            {
                Some(at) => Err(EncodingError::Invalid(at)),
                None => Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0),
            }
        }
    }
}

fn by_label(label: &str) -> Result<Charset, EncodingError> {
    let label = label.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    match label.as_str() {
        "utf-8" | "utf8" => Ok(Charset::Utf8),
        "us-ascii" | "ascii" => Ok(Charset::Ascii),
        "utf-16" => Ok(Charset::Utf16),
        "utf-16le" => Ok(Charset::Utf16Le),
        "utf-16be" => Ok(Charset::Utf16Be),
        "iso-8859-1" | "iso8859-1" | "latin1" => Ok(Charset::Latin1),
        "iso-8859-15" | "iso8859-15" | "iso_8859-15" | "latin9" | "latin-9" => Ok(Charset::Latin9),
        "windows-1252" | "cp1252" => Ok(Charset::Windows1252),
        _ => Err(EncodingError::Unsupported),
    }
}

/// The `encoding` of an XML declaration readable as ASCII.
fn declared(bytes: &[u8]) -> Option<&str> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    let end = rest.windows(2).take(256).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    after.get(1..)?.split_once(quote).map(|(label, _)| label)
}

fn looks_utf16(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match bytes.get(..2)? {
        [b'<', 0] => Some(u16::from_le_bytes),
        [0, b'<'] => Some(u16::from_be_bytes),
        _ => None,
    }
}

fn utf16_by_look(bytes: &[u8]) -> Result<Cow<'_, str>, EncodingError> {
    // RFC 2781, section 4.3: without a mark, big-endian is assumed.
    utf16(bytes, looks_utf16(bytes).unwrap_or(u16::from_be_bytes))
}

fn utf8(bytes: &[u8], skipped: usize) -> Result<Cow<'_, str>, EncodingError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => Err(EncodingError::Invalid(skipped + error.valid_up_to())),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, EncodingError> {
    if !bytes.len().is_multiple_of(2) {
        return Err(EncodingError::Invalid(bytes.len() - 1));
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(bytes.len());
    for (index, decoded) in char::decode_utf16(units).enumerate() {
        text.push(decoded.map_err(|_| EncodingError::Invalid(2 * index))?);
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_wins_over_the_charset_and_the_charset_over_the_declaration() {
        assert_eq!(
            decode(b"\xEF\xBB\xBF<a>\xC3\xA0</a>", Some("iso-8859-1")).unwrap(),
            "<a>à</a>"
        );
        let latin = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a>\xE0</a>";
        assert!(decode(latin, Some("ISO-8859-1")).unwrap().ends_with("<a>à</a>"));
        assert_eq!(decode(latin, None), Err(EncodingError::Invalid(41)));
    }

    #[test]
    fn each_encoding_that_caf_software_sends_is_read() {
        let declared = b"<?xml version='1.0' encoding='windows-1252'?><a>\x80\xE0</a>";
        assert!(decode(declared, None).unwrap().ends_with("<a>€à</a>"));
        // The Italian legacy set with the euro sign.
        assert_eq!(
            decode(b"<a>\xA4\xE0\xBD</a>", Some("ISO-8859-15")).unwrap(),
            "<a>€àœ</a>"
        );
        assert_eq!(
            decode(b"<a>ascii</a>", Some("iso-8859-15")).unwrap(),
            "<a>ascii</a>"
        );
        let little: Vec<u8> = "<a>à</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&little, Some("utf-16")).unwrap(), "<a>à</a>");
        let big: Vec<u8> = "\u{feff}<a>à</a>"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(decode(&big, None).unwrap(), "<a>à</a>");
    }

    #[test]
    fn what_is_not_read_is_refused() {
        assert_eq!(decode(b"<a/>", Some("utf-7")), Err(EncodingError::Unsupported));
        assert_eq!(
            decode(b"<?xml version=\"1.0\" encoding=\"EBCDIC\"?><a/>", None),
            Err(EncodingError::Unsupported)
        );
        assert_eq!(decode(b"\xFF\xFE<", None), Err(EncodingError::Invalid(0)));
        assert_eq!(decode(b"<a>\xFF</a>", None), Err(EncodingError::Invalid(3)));
        assert!(decode(b"<a/>", Some("us-ascii")).is_ok());
        assert_eq!(
            decode("<a>à</a>".as_bytes(), Some("us-ascii")),
            Err(EncodingError::Invalid(3))
        );
        assert_eq!(
            decode(b"<a>\x81</a>", Some("windows-1252")),
            Err(EncodingError::Invalid(3))
        );
    }
}
