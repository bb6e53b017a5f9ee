//! SHA-256 and hexadecimal, for every floor.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// The SHA-256 of pieces, one after another.
pub fn sha256_of(pieces: &[&[u8]]) -> [u8; 32] {
    // Putting short pieces together costs less than the library's context for several.
    const SHORT: usize = 32 * 1024;
    if pieces.iter().map(|piece| piece.len()).sum::<usize>() <= SHORT {
        return sha256(&pieces.concat());
    }
    let mut context = Context::new(&SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// `bytes` in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut text = Vec::with_capacity(2 * bytes.len());
    for piece in bytes.chunks(16) {
        let mut pairs = [[0; 2]; 16];
        for (pair, byte) in pairs.iter_mut().zip(piece) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        text.extend_from_slice(pairs.as_flattened().get(..2 * piece.len()).unwrap_or_default());
    }
    // All of it is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Reads hexadecimal. `None`: not hexadecimal, or of odd length.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    (bytes.len().is_multiple_of(2) && text.is_ascii()).then_some(())?;
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| Some(16 * digit(pair[0])? + digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_what_they_are_together() {
        let long = vec![7; 40_000];
        for pieces in [[&b"a"[..], b"", b"bc"], [&long, b"x", &long]] {
            assert_eq!(sha256_of(&pieces), sha256(&pieces.concat()));
        }
    }

    #[test]
    fn there_and_back() {
        assert_eq!(
            hex(&sha256(b"")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(unhex(&hex(b"\x00\xffa")), Some(b"\x00\xffa".to_vec()));
        assert_eq!(["0", "0g", "+f", "é0"].map(unhex), [None, None, None, None]);
    }
}
