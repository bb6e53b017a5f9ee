//! Bytes, with a charset, to text, to a document, to an envelope: nothing panics, and what is a document has a canonical form that is one
//! too, and its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use varco::soap;
use varco::xml::{Limits, XmlFault, canonical, encoding, parse};

/// What a content type may say.
const CHARSETS: [Option<&str>; 8] =
    [None, Some("utf-8"), Some("utf-16"), Some("utf-16le"), Some("iso-8859-1"), Some("windows-1252"), Some("us-ascii"), Some("\"UTF-8\"")];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    // Seeds begin with "0", which is no charset at all.
    let charset = CHARSETS[usize::from(first.wrapping_sub(b'0')) % CHARSETS.len()];
    let Ok(text) = encoding::decode(bytes, charset) else { return };
    let limits = Limits::default();
    let Ok(document) = parse(&text, &limits) else { return };
    let form = canonical::exclusive(document.root());
    match parse(&form, &limits) {
        Ok(again) => assert_eq!(canonical::exclusive(again.root()), form),
        // A declaration from above may stand on an element that has all the attributes it may have.
        Err(error) => assert!(matches!(error.fault, XmlFault::Limit(_)), "{error}: {form}"),
    }
    let Ok(call) = soap::open(&document) else { return };
    assert!(soap::version(&document) == Some(call.version));
});
