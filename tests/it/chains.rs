//! The channel's judgement of clients' certificates: chains of every kind, and what becomes of each.
//!
//! Each case is judged by a handshake in memory with the configuration that the gateway serves with: webpki,
//! the profile and the revocation lists. Most change one thing of a chain that is admitted. Whoever is
//! refused is refused for the reason that the case is about.

mod forms;
mod keys;
mod paths;
mod purposes;
mod revoked;

use std::collections::BTreeSet;

use kit::chains::judge::{Case, Verdict};

type Group = (&'static str, fn() -> Vec<Case>);

const GROUPS: [Group; 15] = [
    ("extended key usage", purposes::extended),
    ("key usage", purposes::usage),
    ("basic constraints", purposes::basics),
    ("path lengths", purposes::lengths),
    ("name constraints", purposes::names),
    ("keys", keys::keys),
    ("signatures", keys::signatures),
    ("paths", paths::paths),
    ("cross-certification", paths::crossed),
    ("validity", forms::validity),
    ("serials", forms::serials),
    ("encodings", forms::encodings),
    ("revoked", revoked::revoked),
    ("namesakes", revoked::namesakes),
    ("lists", revoked::lists),
];

#[test]
fn every_chain_is_judged_as_it_should_be() {
    let (mut names, mut faults) = (BTreeSet::new(), Vec::new());
    let (mut admitted, mut refused, mut stricter) = (0, 0, 0);
    for (group, cases) in GROUPS {
        let cases = cases();
        println!("{group}: {} cases", cases.len());
        for case in cases {
            assert!(names.insert(case.name), "{} twice", case.name);
            match case.verdict {
                Verdict::Admitted => admitted += 1,
                Verdict::Refused(_) => refused += 1,
                Verdict::Stricter(_, why) => {
                    println!("  stricter than RFC 5280: {}: {why}", case.name);
                    stricter += 1;
                }
            }
            faults.extend(case.fault());
        }
    }
    println!("{admitted} admitted, {refused} refused, {stricter} refused by a policy stricter than RFC 5280");
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(names.len() > 250, "only {} cases", names.len());
    assert!(
        admitted > 80,
        "only {admitted} are admitted: what refuses everything proves nothing"
    );
}
