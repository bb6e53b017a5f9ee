//! A package of MTOM, its content type on the first line: nothing panics, and what is put in the place of references is bounded by what
//! was sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use varco::soap::mime::{self, MAX_PARTS, MediaType};
use varco::xml::{Element, Limits, encoding, parse};

fn text(element: Element<'_, '_>) -> usize {
    element.texts().map(str::len).sum::<usize>() + element.children().map(text).sum::<usize>()
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Some(kind) = std::str::from_utf8(&data[..end]).ok().and_then(MediaType::parse) else { return };
    let body = &data[end + 1..];
    let Ok(mut package) = mime::open(body, &kind) else { return };
    let Ok(source) = encoding::decode(package.root, package.charset.as_deref()) else { return };
    let Ok(mut document) = parse(&source, &Limits::default()) else { return };
    let before = text(document.root());
    if package.resolve(&mut document).is_ok() {
        // Each part once, as base64: four for three, and the last three rounded up.
        let bound = before + body.len() / 3 * 4 + 4 * (MAX_PARTS + 1);
        let after = text(document.root());
        assert!(after <= bound, "{after} from {} bytes", body.len());
    }
});
