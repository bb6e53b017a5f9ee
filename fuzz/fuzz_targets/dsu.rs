//! A DSU on the whole way of a transmission: bytes, encoding, document, envelope, schema, formal checks, and
//! back. Nothing panics; what is accepted is accepted again as it is written here, and the checks find the
//! same.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, ISEE_NS, Request, message as write};
use varco::isee::calendar::Calendario;
use varco::isee::checks::{Circumstance, Esame, examine};
use varco::isee::rules::Rules;
use varco::soap::{Bounds, Media, MessageText, read};
use varco::xml::DocumentLimits;

/// The envelope of a transmission around a Dichiarazione, whatever it is.
fn transmission(dsu: &[u8]) -> Vec<u8> {
    let envelope = b"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>";
    [
        envelope.as_slice(),
        b"<TrasmissioneDSU xmlns=\"urn:varco:trasmissione-dsu:1\">",
        dsu,
        b"</TrasmissioneDSU></s:Body></s:Envelope>",
    ]
    .concat()
}

fuzz_target!(|data: &[u8]| {
    static WORLD: OnceLock<(Contract, Rules)> = OnceLock::new();
    let (contract, rules) = WORLD.get_or_init(|| {
        (
            Contract::compile().expect("the contract compiles"),
            Rules::embedded().expect("the rules are right"),
        )
    });
    let today = "2026-11-21".parse().expect("a day");
    let calendario = Calendario::default();
    let circumstance = Circumstance::on(today, rules.on(today).expect("rules of that day"), &calendario);
    let judge = |bytes: &[u8]| {
        let (limits, text) = (DocumentLimits::default(), MessageText::new());
        let media = Media::of("text/xml; charset=utf-8")?;
        let message = read(
            bytes,
            &media,
            Bounds {
                xml: &limits,
                whole: usize::MAX,
            },
            &text,
        )
        .ok()?;
        let root = message.call().ok()?.root;
        let operation = Operation::by_root(root.namespace(), root.local())?;
        let Ok((Request::Trasmissione(sent), _)) = contract.read(operation, root) else {
            return None;
        };
        let Esame {
            difetti,
            altri,
            avvertenze,
        } = examine(&sent.dsu, &circumstance);
        assert!(
            difetti
                .iter()
                .chain(&avvertenze)
                .all(|defect| defect.path.starts_with("/Dichiarazione"))
        );
        let found: Vec<_> = difetti
            .into_iter()
            .chain(avvertenze)
            .map(|defect| (defect.code, defect.path))
            .collect();
        Some((write("Dichiarazione", ISEE_NS, &sent.dsu, false), found, altri))
    };
    if let Some(first) = judge(&transmission(data)) {
        assert_eq!(judge(&transmission(first.0.as_bytes())), Some(first));
    }
});
