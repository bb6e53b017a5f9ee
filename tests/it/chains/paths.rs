//! Paths: what is presented, in which order, under whom.

use kit::chains::der::*;
use kit::chains::judge::{Case, World};
use kit::chains::maker::{Authority, Key, YEAR};

/// The number of clients' certificates.
const OWN: &[u8] = &[0x41, 0x02, 0x03];

/// A chain of so many authorities under the root, and the client's certificate: the latter first.
fn long(w: &World, authorities: usize) -> (Vec<Authority>, Vec<Vec<u8>>) {
    const NAMES: [&str; 10] = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9"];
    let mut all = vec![w.root.clone()];
    for name in &NAMES[..authorities] {
        let made = all.last().unwrap().sub(name, &Key::p256(), |_| {});
        all.push(made);
    }
    let last = all.last().unwrap();
    let mut presented = vec![last.client(&w.own).signed(&last.key)];
    presented.extend(all[1..].iter().rev().map(|authority| authority.der.clone()));
    (all, presented)
}

pub fn paths() -> Vec<Case> {
    let w = World::new();
    let (unknown, status) = ("UnknownIssuer", "StatusUnknown");
    let own = w.own(|_| {});
    let direct = w.root.client(&w.own).signed(&w.root.key);
    let other = Authority::root("altra radice", &Key::p256(), w.now, |_| {});
    let impostor = Authority::root("radice", &Key::p256(), w.now, |_| {});
    let under_other = other.sub("intermedia", &Key::p256(), |_| {});
    let unrelated = other.sub("altrui", &Key::p256(), |_| {});
    let by_other = under_other.client(&w.own).signed(&under_other.key);
    let neighbour = w.middle.client(&Key::p256()).signed(&w.middle.key);
    let (middle, root) = (&w.middle.der, &w.root.der);
    let names = "names are compared as they are written";
    let mut all = vec![
        w.case("path: client, authority", &[&own, middle]).admitted(),
        w.case("path: client, authority, TLS 1.2", &[&own, middle])
            .tls12()
            .admitted(),
        w.case("path: client under the root", &[&direct]).admitted(),
        w.case("path: the root sent along", &[&own, middle, root])
            .admitted(),
        w.case("path: the root before the authority", &[&own, root, middle])
            .admitted(),
        w.case(
            "path: client under the root, the root sent along",
            &[&direct, root],
        )
        .admitted(),
        w.case("path: the authority twice", &[&own, middle, middle])
            .admitted(),
        w.case("path: an unrelated root sent along", &[&own, middle, &other.der])
            .admitted(),
        w.case(
            "path: an unrelated root before the authority",
            &[&own, &other.der, middle],
        )
        .admitted(),
        w.case(
            "path: a root of the same name and another key sent along",
            &[&own, &impostor.der, middle],
        )
        .admitted(),
        w.case("path: the client's own twice", &[&own, &own, middle])
            .admitted(),
        w.case("path: another client's sent along", &[&own, middle, &neighbour])
            .admitted(),
        w.case(
            "path: an unrelated authority sent along",
            &[&own, middle, &unrelated.der],
        )
        .admitted(),
        w.case(
            "path: an authority of the same name sent along",
            &[&own, middle, &under_other.der],
        )
        .admitted(),
        w.case(
            "path: an authority of the same name before it",
            &[&own, &under_other.der, middle],
        )
        .admitted(),
        w.case(
            "path: bytes that are no certificate sent along",
            &[&own, middle, b"no certificate"],
        )
        .stricter("BadEncoding", "all must be readable"),
        w.case("path: nothing", &[]).refused("NoCertificatesPresented"),
        w.case("path: nothing, TLS 1.2", &[])
            .tls12()
            .refused("NoCertificatesPresented"),
        w.case("path: the authority missing", &[&own]).refused(unknown),
        w.case("path: the root in the place of the authority", &[&own, root])
            .refused(unknown),
        w.case("path: the authority first", &[middle, &own])
            .refused("CaUsedAsEndEntity"),
        w.case("path: the root alone", &[root])
            .refused("CaUsedAsEndEntity"),
        w.case("path: an unknown root, not sent", &[&by_other, &under_other.der])
            .refused(unknown),
        w.case(
            "path: an unknown root, sent along",
            &[&by_other, &under_other.der, &other.der],
        )
        .refused(unknown),
        w.case(
            "path: the authority of the same name under another root",
            &[&own, &under_other.der],
        )
        .refused(unknown),
        w.case(
            "path: the key of another authority of the same name",
            &[&by_other, middle],
        )
        .refused("BadSignature"),
        w.case(
            "path: the root of the same name and another key",
            &[&impostor.client(&w.own).signed(&impostor.key)],
        )
        .refused("BadSignature"),
        w.case(
            "path: the same, sent along",
            &[&impostor.client(&w.own).signed(&impostor.key), &impostor.der],
        )
        .refused(status),
        w.client("path: an issuer that does not exist", |c| {
            c.issuer = name("nessuno")
        })
        .refused(unknown),
        w.client("path: an issuer without a name", |c| c.issuer = seq(&[]))
            .refused(unknown),
        w.client("path: the issuer in capitals", |c| c.issuer = name("INTERMEDIA"))
            .stricter(unknown, names),
        w.client("path: the issuer with a space more", |c| {
            c.issuer = name("intermedia ")
        })
        .stricter(unknown, names),
        w.client("path: the issuer in PrintableString", |c| {
            c.issuer = seq(&[
                &attribute("2.5.4.10", 0x13, "Prova"),
                &attribute("2.5.4.3", 0x13, "intermedia"),
            ]);
        })
        .stricter(unknown, names),
        w.client("path: the issuer's attributes in another order", |c| {
            c.issuer = seq(&[
                &attribute("2.5.4.3", 0x0c, "intermedia"),
                &attribute("2.5.4.10", 0x0c, "Prova"),
            ]);
        })
        .refused(unknown),
        w.case("path: the root and the authority trusted", &[&own])
            .trusting(&[&w.root, &w.middle])
            .admitted(),
        w.case(
            "path: the root and the authority trusted, the authority sent",
            &[&own, middle],
        )
        .trusting(&[&w.root, &w.middle])
        .admitted(),
        w.case("path: the authority alone trusted", &[&own])
            .trusting(&[&w.middle])
            .admitted(),
        w.case("path: two roots of one name trusted", &[&own, middle])
            .trusting(&[&impostor, &w.root])
            .admitted(),
        w.case("path: another root trusted", &[&own, middle])
            .trusting(&[&other])
            .refused(unknown),
    ];
    let mut case = w
        .case(
            "path: the authority alone trusted, and sent, its root without a list",
            &[&own, middle],
        )
        .trusting(&[&w.middle]);
    (case.listers, case.lists) = (Vec::new(), Vec::new());
    all.push(case.listed(&[&w.middle]).admitted());
    // Self-signed.
    let mut alone = w.middle.client(&w.own);
    alone.issuer = alone.subject.clone();
    let alone = alone.signed(&w.own);
    all.push(w.case("path: a self-signed client", &[&alone]).refused(unknown));
    all.push(
        w.case("path: a self-signed client and the authority", &[&alone, middle])
            .refused(unknown),
    );
    let mut case = w.case("path: a self-signed client, itself trusted", &[&alone]);
    case.anchors.push(alone);
    all.push(case.stricter(status, "nobody could revoke it"));
    // Much.
    let bulk = "Other(OtherError(Bulk))";
    let neighbours: Vec<Vec<u8>> = (0..7)
        .map(|_| w.middle.client(&Key::p256()).signed(&w.middle.key))
        .collect();
    for (name, count, good) in [
        ("path: 8 certificates", 6, true),
        ("path: 9 certificates", 7, false),
    ] {
        let presented: Vec<&[u8]> = [own.as_slice(), middle]
            .into_iter()
            .chain(neighbours[..count].iter().map(Vec::as_slice))
            .collect();
        let case = w.case(name, &presented);
        all.push(if good {
            case.admitted()
        } else {
            case.stricter(bulk, "no honest client sends as many")
        });
    }
    for (name, octets, count, good) in [
        ("path: 16,000 bytes, of one", 15_000, 1, true),
        ("path: 17,000 bytes, of one", 16_000, 1, false),
        ("path: 16,000 bytes, of three", 4_600, 3, true),
        ("path: 17,000 bytes, of three", 5_000, 3, false),
    ] {
        let padding = || Extension::new("1.3.6.1.4.1.99999.7", false, vec![5; octets]);
        let large: Vec<_> = (0..count)
            .map(|_| {
                w.root
                    .sub("altra", &Key::p256(), |c| c.extensions.push(padding()))
                    .der
            })
            .collect();
        let presented: Vec<&[u8]> = [own.as_slice(), middle]
            .into_iter()
            .chain(large.iter().map(Vec::as_slice))
            .collect();
        let case = w.case(name, &presented);
        all.push(if good {
            case.admitted()
        } else {
            case.stricter(bulk, "no honest client sends as much")
        });
    }
    for (name, count, good) in [
        ("path: 64 extensions", 62, true),
        ("path: 65 extensions", 63, false),
    ] {
        let id = |at: usize| -> &'static str { format!("1.3.{}", 1000 + at).leak() };
        let case = w.client(name, |c| {
            c.extensions
                .extend((0..count).map(|at| Extension::new(id(at), false, vec![5, 0])))
        });
        all.push(if good {
            case.admitted()
        } else {
            case.stricter(bulk, "no honest client has as many")
        });
    }
    for (name, count, good) in [("path: 16 units", 16, true), ("path: 17 units", 17, false)] {
        let units = (0..count).flat_map(|at| attribute("2.5.4.11", 0x0c, &format!("IPAIT-u{at}")));
        let subject = seq(&[
            &attribute("2.5.4.97", 0x0c, "CF:IT-01234567897"),
            &units.collect::<Vec<_>>(),
        ]);
        let case = w.client(name, |c| c.subject = subject);
        all.push(if good {
            case.admitted()
        } else {
            case.stricter("Other(OtherError(Names))", "the registry is asked for each")
        });
    }
    // Long.
    for (name, count, good) in [
        ("path: 3 authorities", 3, true),
        ("path: 6 authorities", 6, true),
        ("path: 7 authorities", 7, false),
    ] {
        let (authorities, presented) = long(&w, count);
        let presented: Vec<&[u8]> = presented.iter().map(Vec::as_slice).collect();
        let listed: Vec<&Authority> = authorities[1..].iter().collect();
        let case = w.case(name, &presented).listed(&listed);
        all.push(if good {
            case.admitted()
        } else {
            case.stricter("PathDepth", "webpki follows six")
        });
    }
    let (authorities, mut presented) = long(&w, 4);
    let listed: Vec<&Authority> = authorities[1..].iter().collect();
    presented[1..].reverse();
    let backwards: Vec<&[u8]> = presented.iter().map(Vec::as_slice).collect();
    all.push(
        w.case("path: 4 authorities, backwards", &backwards)
            .listed(&listed)
            .admitted(),
    );
    let broken: Vec<&[u8]> = [&backwards[..2], &backwards[3..]].concat();
    all.push(
        w.case("path: 4 authorities, one missing", &broken)
            .listed(&listed)
            .refused(unknown),
    );
    all
}

pub fn crossed() -> Vec<Case> {
    let w = World::new();
    let (status, expired, revoked) = ("StatusUnknown", "Expired", "Revoked");
    let own = w.own(|_| {});
    let other = Authority::root("altra radice", &Key::p256(), w.now, |_| {});
    // The authority and the root, certified by another root too.
    let middle = other.sub("intermedia", &w.middle.key, |_| {});
    let root = other.sub("radice", &w.root.key, |_| {});
    let late = other.sub("radice", &w.root.key, |c| c.not_after = moment(w.now - YEAR / 2));
    let mut all = vec![
        w.case(
            "cross: the authority, by the other root alone",
            &[&own, &middle.der],
        )
        .refused("UnknownIssuer"),
        w.case(
            "cross: the authority, by both",
            &[&own, &middle.der, &w.middle.der],
        )
        .listed(&[&other])
        .admitted(),
        w.case(
            "cross: the authority, by both, the other way round",
            &[&own, &w.middle.der, &middle.der],
        )
        .listed(&[&other])
        .admitted(),
        w.case(
            "cross: the authority, by both, no list of the other",
            &[&own, &w.middle.der, &middle.der],
        )
        .admitted(),
        w.case(
            "cross: the authority, the other root trusted",
            &[&own, &middle.der],
        )
        .trusting(&[&other])
        .listed(&[&other])
        .admitted(),
        w.case("cross: the root", &[&own, &w.middle.der, &root.der])
            .listed(&[&other])
            .admitted(),
        w.case(
            "cross: the root, the other trusted",
            &[&own, &w.middle.der, &root.der],
        )
        .trusting(&[&other])
        .listed(&[&other])
        .admitted(),
        w.case("cross: the root, expired", &[&own, &w.middle.der, &late.der])
            .listed(&[&other])
            .admitted(),
        w.case(
            "cross: the root, expired, the other trusted",
            &[&own, &w.middle.der, &late.der],
        )
        .trusting(&[&other])
        .listed(&[&other])
        .refused(expired),
    ];
    // The authority, certified twice by the root under one key: of the two certificates one is no good.
    let twice = |name, bad: &[u8], bad_first: bool| {
        let presented: [&[u8]; 3] = if bad_first {
            [&own, bad, &w.middle.der]
        } else {
            [&own, &w.middle.der, bad]
        };
        w.case(name, &presented)
    };
    let over = w
        .root
        .sub("intermedia", &w.middle.key, |c| {
            c.not_after = moment(w.now - YEAR / 2)
        })
        .der;
    let gone = w
        .root
        .sub("intermedia", &w.middle.key, |c| c.serial = vec![0x52])
        .der;
    let root_list = |serial: &[u8]| {
        vec![
            w.root.list(&[serial]).signed(&w.root.key),
            w.middle.list(&[]).signed(&w.middle.key),
        ]
    };
    let spoiled = [&gone[..gone.len() - 1], &[gone[gone.len() - 1] ^ 1]].concat();
    for first in [false, true] {
        let name = |names: [&'static str; 2]| names[usize::from(first)];
        all.extend([
            twice(
                name([
                    "cross: the authority, twice, the second expired",
                    "cross: the authority, twice, the first expired",
                ]),
                &over,
                first,
            )
            .admitted(),
            twice(
                name([
                    "cross: the authority, twice, the second revoked",
                    "cross: the authority, twice, the first revoked",
                ]),
                &gone,
                first,
            )
            .lists(root_list(&[0x52]))
            .admitted(),
            twice(
                name([
                    "cross: the authority, twice, the second forged",
                    "cross: the authority, twice, the first forged",
                ]),
                &spoiled,
                first,
            )
            .admitted(),
        ]);
    }
    all.push(
        w.case("cross: the authority, twice, both expired", &[&own, &over, &over])
            .refused(expired),
    );
    // Two authorities that certify each other, and nobody else does.
    let (one, two) = (Key::p256(), Key::p256());
    let (first, second) = (
        Authority::root("prima", &one, w.now, |_| {}),
        Authority::root("seconda", &two, w.now, |_| {}),
    );
    let (crossed, back) = (
        second.sub("prima", &one, |_| {}),
        first.sub("seconda", &two, |_| {}),
    );
    let looped = first.client(&w.own).signed(&one);
    all.push(
        w.case("cross: a circle", &[&looped, &crossed.der, &back.der])
            .refused("UnknownIssuer"),
    );
    // A new key, certified with the old: self-issued, and not a root.
    let new = w.root.sub("radice", &Key::p256(), |c| c.serial = vec![0x61]);
    let renewed = new.client(&w.own).signed(&new.key);
    // Each key has a list of its own: that of the old says what becomes of the new, that of the new of its
    // clients.
    let both = |name, old: &[&[u8]], recent: &[&[u8]]| {
        let mut case = w.case(name, &[&renewed, &new.der]).listed(&[&new]);
        (case.lists[0], case.lists[2]) = (
            w.root.list(old).signed(&w.root.key),
            new.list(recent).signed(&new.key),
        );
        case
    };
    all.push(both("cross: a new key of the root, certified with the old", &[], &[]).admitted());
    all.push(
        both(
            "cross: the same, the client's number on the old key's list",
            &[OWN],
            &[],
        )
        .admitted(),
    );
    all.push(
        both(
            "cross: the same, the new key's number on its own list",
            &[],
            &[&[0x61]],
        )
        .admitted(),
    );
    all.push(both("cross: the same, the new key revoked", &[&[0x61]], &[]).refused(revoked));
    all.push(both("cross: the same, the client revoked", &[], &[OWN]).refused(revoked));
    all.push(
        w.case(
            "cross: the same, the new key without a list",
            &[&renewed, &new.der],
        )
        .stricter(status, "a list is its own key's"),
    );
    all.push(
        w.case("cross: the new key, not certified", &[&renewed])
            .refused("BadSignature"),
    );
    // The root's certificate made anew, with the same key.
    let again = Authority::root("radice", &w.root.key, w.now, |c| c.serial = vec![0x62]);
    all.push(
        w.case(
            "cross: the root's certificate made anew",
            &[&own, &w.middle.der, &again.der],
        )
        .admitted(),
    );
    all.push(
        w.case(
            "cross: the old root trusted, the new one sent",
            &[&own, &w.middle.der, &w.root.der],
        )
        .trusting(&[&again])
        .admitted(),
    );
    all
}
