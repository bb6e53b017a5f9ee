//! A document against its schema: nothing panics, and what is accepted is read, written again, accepted
//! again, and then the same.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use varco::contract::{Contract, roots};
use varco::xml::{DocumentLimits, parse};

fuzz_target!(|text: &str| {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    let schemas = CONTRACT
        .get_or_init(|| Contract::compile().expect("the contract compiles"))
        .schemas();
    let limits = DocumentLimits::default();
    let Ok(document) = parse(text, &limits) else {
        return;
    };
    let root = document.root();
    let Some(id) = schemas.root(root.namespace(), root.local()) else {
        return;
    };
    if !schemas.validate(root, id).violations.is_empty() {
        return;
    }
    let bound = roots::find(root.namespace(), root.local()).expect("every root is bound");
    let reply = ["Response", "Risposta", "Ricevuta"]
        .iter()
        .any(|end| bound.name.ends_with(end));
    let written = match bound.rewrite(&document) {
        Ok(written) => written,
        // Replies are written here and not read: an instant of theirs has one form.
        Err(error) => {
            assert!(reply, "{error}");
            return;
        }
    };
    let again = parse(&written, &limits).expect("what is written is XML");
    // The DSU in these has a namespace of its own, and what is written here has one alone.
    if !["TrasmissioneDSU", "TrasmissioneLotto"].contains(&bound.name) {
        let report = schemas.validate(again.root(), id);
        assert!(report.violations.is_empty(), "{:?}: {written}", report.violations);
    }
    assert_eq!(bound.rewrite(&again).expect("what is written is read"), written);
});
