//! A package of MTOM, its content type on the first line: nothing panics, and what is put in the place of
//! references is bounded by what was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use varco::soap::mime::MAX_PARTS;
use varco::soap::{Bounds, Media, MessageText, read};
use varco::xml::{DocumentLimits, Element};

fn text(element: Element<'_, '_>) -> usize {
    element.texts().map(str::len).sum::<usize>() + element.children().map(text).sum::<usize>()
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Some(media) = std::str::from_utf8(&data[..end]).ok().and_then(Media::of) else {
        return;
    };
    let body = &data[end + 1..];
    let limits = DocumentLimits::default();
    let decoded = MessageText::new();
    let Ok(message) = read(
        body,
        &media,
        Bounds {
            xml: &limits,
            whole: usize::MAX,
        },
        &decoded,
    ) else {
        return;
    };
    // A byte of the envelope becomes three at most. Each part is there once, in base64: four bytes for three,
    // the last three rounded up.
    let bound = 3 * body.len() + body.len() / 3 * 4 + 4 * (MAX_PARTS + 1);
    let found = text(message.document().root());
    assert!(found <= bound, "{found} from {} bytes", body.len());
});
