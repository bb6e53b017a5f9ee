//! Bytes, with a charset, to text, to a document, to an envelope: nothing panics, and what is a document has
//! a canonical form that is one too, and its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use varco::soap::{Bounds, Media, MessageText, read};
use varco::xml::{DocumentLimits, XmlFault, canonical, parse};

/// What a content type may say.
const CHARSETS: [&str; 8] = [
    "",
    "; charset=utf-8",
    "; charset=utf-16",
    "; charset=utf-16le",
    "; charset=iso-8859-1",
    "; charset=windows-1252",
    "; charset=us-ascii",
    "; charset=\"UTF-8\"",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    // Seeds begin with "0", which is no charset at all.
    let charset = CHARSETS[usize::from(first.wrapping_sub(b'0')) % CHARSETS.len()];
    let media = Media::of(&format!("text/xml{charset}")).expect("a media type");
    let limits = DocumentLimits::default();
    let text = MessageText::new();
    let Ok(message) = read(
        bytes,
        &media,
        Bounds {
            xml: &limits,
            whole: usize::MAX,
        },
        &text,
    ) else {
        return;
    };
    let form = canonical::exclusive(message.document().root());
    match parse(&form, &limits) {
        Ok(again) => assert_eq!(canonical::exclusive(again.root()), form),
        // A declaration from above may stand on an element that has all the attributes it may have.
        Err(error) => assert!(matches!(error.fault, XmlFault::Limit(_)), "{error}: {form}"),
    }
    let Ok(call) = message.call() else { return };
    assert!(message.version == call.version);
});
