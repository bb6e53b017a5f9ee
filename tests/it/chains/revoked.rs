//! Revocation: what the lists say, and which are believed.

use kit::chains::der::*;
use kit::chains::judge::{Case, World};
use kit::chains::maker::{Authority, DAY, ECDSA_SHA256, Key, List, NOW, RSA_SHA256, YEAR, entry, nulled};

const OWN: &[u8] = &[0x41, 0x02, 0x03];
const MIDDLE: &[u8] = &[0x51];
const UNKNOWN: &str = "StatusUnknown";

/// The ordinary chain, with the root's list and these of the authority between.
fn with(w: &World, name: &'static str, lists: Vec<Vec<u8>>) -> Case {
    let all = [vec![w.root.list(&[]).signed(&w.root.key)], lists].concat();
    w.client(name, |_| {}).lists(all)
}

/// The same, with one list with one thing changed.
fn one(w: &World, name: &'static str, revoked: &[&[u8]], change: impl FnOnce(&mut List)) -> Case {
    let mut list = w.middle.list(revoked);
    change(&mut list);
    with(w, name, vec![list.signed(&w.middle.key)])
}

pub fn revoked() -> Vec<Case> {
    let w = World::new();
    let listed = |name, revoked: &[&[u8]]| one(&w, name, revoked, |_| {});
    let reason = |code: u8| Extension::new("2.5.29.21", false, tlv(0x0a, &[code]));
    let because = |name, code: u8| {
        one(&w, name, &[], |list| {
            list.entries.push(entry(OWN, NOW - DAY, &[reason(code)]))
        })
    };
    let many: Vec<Vec<u8>> = (0u32..5000)
        .map(|serial| [&[0x41], &serial.to_be_bytes()[1..]].concat())
        .collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let root_list = |revoked: &[&[u8]]| {
        vec![
            w.root.list(revoked).signed(&w.root.key),
            w.middle.list(&[]).signed(&w.middle.key),
        ]
    };
    let mut all = vec![
        listed("revoked: nobody", &[]).admitted(),
        listed("revoked: another", &[&[0x42]]).admitted(),
        listed("revoked: five thousand others", &many).admitted(),
        listed("revoked: one's number and an octet more", &[&[0x41, 2, 3, 0]]).admitted(),
        listed("revoked: the end of one's number", &[&[2, 3]]).admitted(),
        listed("revoked", &[OWN]).refused("Revoked"),
        listed("revoked: among others", &[&[0x42], OWN, &[0x43]]).refused("Revoked"),
        listed(
            "revoked: last of five thousand",
            &[many.as_slice(), &[OWN]].concat(),
        )
        .refused("Revoked"),
        listed("revoked: a zero before the number", &[&[0, 0x41, 2, 3]]).refused("Revoked"),
        listed(
            "revoked: three zeros before the number",
            &[&[0, 0, 0, 0x41, 2, 3]],
        )
        .refused("Revoked"),
        because("revoked: keyCompromise", 1).refused("Revoked"),
        because("revoked: certificateHold", 6).refused("Revoked"),
        because("revoked: removeFromCRL in a whole list", 8)
            .stricter("Revoked", "only delta lists remove: the entry is an error"),
        one(&w, "revoked: from tomorrow", &[], |list| {
            list.entries.push(entry(OWN, NOW + DAY, &[]))
        })
        .stricter("Revoked", "who is listed is revoked, whatever the date"),
        listed(
            "revoked: the number of the authority, by the authority",
            &[MIDDLE],
        )
        .admitted(),
        w.client("revoked: the number of the client, by the root", |_| {})
            .lists(root_list(&[OWN]))
            .admitted(),
        w.client("revoked: the authority", |_| {})
            .lists(root_list(&[MIDDLE]))
            .refused("Revoked"),
        w.case(
            "revoked: the authority, which is trusted too",
            &[&w.own(|_| {}), &w.middle.der],
        )
        .trusting(&[&w.root, &w.middle])
        .lists(root_list(&[MIDDLE]))
        .refused("Revoked"),
        w.case(
            "revoked: the authority, which is trusted too and not sent",
            &[&w.own(|_| {})],
        )
        .trusting(&[&w.root, &w.middle])
        .lists(root_list(&[MIDDLE]))
        .refused("Revoked"),
        w.case("revoked: the root, by itself", &[&w.own(|_| {}), &w.middle.der])
            .lists(root_list(&[&[0x31]]))
            .stricter(
                "Revoked",
                "a root that lists itself says that it is not to be trusted",
            ),
    ];
    // An authority above the one that is trusted and not sent.
    let low = w.middle.sub("bassa", &Key::p256(), |c| c.serial = vec![0x71]);
    let own = low.client(&w.own).signed(&low.key);
    for (name, revoked, good) in [
        (
            "revoked: nobody above the authority that is trusted",
            &[][..],
            true,
        ),
        (
            "revoked: an authority above the one that is trusted",
            &[MIDDLE][..],
            false,
        ),
    ] {
        let mut case = w
            .case(name, &[&own])
            .trusting(&[&w.root, &w.middle, &low])
            .lists(root_list(revoked))
            .listed(&[&low]);
        case.lists.rotate_right(1);
        all.push(if good {
            case.admitted()
        } else {
            case.refused("Revoked")
        });
    }
    for (name, serial, entry) in [
        ("revoked: 128", vec![0, 0x80], vec![0, 0x80]),
        ("revoked: 128, a zero more", vec![0, 0x80], vec![0, 0, 0x80]),
        ("revoked: 20 octets", vec![0x7f; 20], vec![0x7f; 20]),
    ] {
        let own = w.own(|c| c.serial = serial);
        let lists = vec![
            w.root.list(&[]).signed(&w.root.key),
            w.middle.list(&[&entry]).signed(&w.middle.key),
        ];
        all.push(
            w.case(name, &[&own, &w.middle.der])
                .lists(lists)
                .refused("Revoked"),
        );
    }
    let own = w.own(|c| c.serial = vec![0, 0x80]);
    let lists = vec![
        w.root.list(&[]).signed(&w.root.key),
        w.middle.list(&[&[0x80]]).signed(&w.middle.key),
    ];
    all.push(
        w.case("revoked: -128, and the client is 128", &[&own, &w.middle.der])
            .lists(lists)
            .stricter("Revoked", "a negative number is one whose zero was forgotten"),
    );
    // Under the root.
    let direct = w.root.client(&w.own).signed(&w.root.key);
    all.push(
        w.case("revoked: under the root", &[&direct])
            .lists(vec![w.root.list(&[OWN]).signed(&w.root.key)])
            .refused("Revoked"),
    );
    all
}

/// Two authorities of one name, with a key each, and what the lists of either say of the clients of both.
pub fn namesakes() -> Vec<Case> {
    let w = World::new();
    let (own, day) = (w.root.client(&w.own).signed(&w.root.key), moment(NOW - 2 * DAY));
    let other = Authority::root("radice", &Key::p256(), NOW, |c| c.serial = vec![0x32]);
    let by_other = other.client(&w.own).signed(&other.key);
    let list = |of: &Authority, later: bool, revoked: &[&[u8]]| {
        let mut list = of.list(revoked);
        list.this_update = if later { list.this_update } else { day.clone() };
        list.signed(&of.key)
    };
    let case = |name, presented: &[&[u8]], lists: Vec<Vec<u8>>| {
        let mut case = w.case(name, presented).trusting(&[&w.root, &other]).lists(lists);
        case.listers = vec![other.der.clone(), w.root.der.clone()];
        case
    };
    let (one, two) = (&w.root, &other);
    // Under either a further authority, of one name too.
    let (low, high) = (
        one.sub("bassa", &Key::p256(), |_| {}),
        two.sub("bassa", &Key::p256(), |_| {}),
    );
    let (below, beside) = (
        low.client(&w.own).signed(&low.key),
        high.client(&w.own).signed(&high.key),
    );
    let four = |name, presented: &[&[u8]], revoked: &[&[u8]]| {
        let lists = vec![
            list(one, false, &[]),
            list(two, true, &[]),
            list(&low, false, revoked),
            list(&high, true, &[]),
        ];
        let mut case = case(name, presented, lists);
        case.listers.extend([low.der.clone(), high.der.clone()]);
        case
    };
    vec![
        case(
            "namesakes: nobody revoked",
            &[&own],
            vec![list(one, false, &[]), list(two, true, &[])],
        )
        .admitted(),
        case(
            "namesakes: nobody revoked, the other's client",
            &[&by_other],
            vec![list(one, true, &[]), list(two, false, &[])],
        )
        .admitted(),
        case(
            "namesakes: revoked, the other's list is later",
            &[&own],
            vec![list(one, false, &[OWN]), list(two, true, &[])],
        )
        .refused("Revoked"),
        case(
            "namesakes: the same, the other's list first",
            &[&own],
            vec![list(two, true, &[]), list(one, false, &[OWN])],
        )
        .refused("Revoked"),
        case(
            "namesakes: the same, with both roots sent",
            &[&own, &two.der, &one.der],
            vec![list(one, false, &[OWN]), list(two, true, &[])],
        )
        .refused("Revoked"),
        case(
            "namesakes: revoked by the other, later",
            &[&own],
            vec![list(one, false, &[]), list(two, true, &[OWN])],
        )
        .admitted(),
        case(
            "namesakes: revoked by the other, of the same moment",
            &[&own],
            vec![list(one, true, &[]), list(two, true, &[OWN])],
        )
        .admitted(),
        case(
            "namesakes: the other's list alone",
            &[&own],
            vec![list(two, true, &[])],
        )
        .refused(UNKNOWN),
        case(
            "namesakes: one's own list alone",
            &[&own],
            vec![list(one, true, &[])],
        )
        .admitted(),
        case(
            "namesakes: one's own list is stale, the other's is not",
            &[&own],
            {
                let mut stale = one.list(&[]);
                stale.next_update = moment(NOW - 1);
                vec![stale.signed(&one.key), list(two, true, &[])]
            },
        )
        .refused(UNKNOWN),
        four("namesakes: authorities under them", &[&below, &low.der], &[]).admitted(),
        four(
            "namesakes: authorities under them, the client revoked",
            &[&below, &low.der],
            &[OWN],
        )
        .refused("Revoked"),
        four(
            "namesakes: the same, the other sent along",
            &[&below, &high.der, &low.der],
            &[OWN],
        )
        .refused("Revoked"),
        four(
            "namesakes: authorities under them, the other's client",
            &[&beside, &high.der],
            &[OWN],
        )
        .admitted(),
    ]
}

pub fn lists() -> Vec<Case> {
    let w = World::new();
    let dated = |name, from: i64, until: i64| {
        one(&w, name, &[], |list| {
            (list.this_update, list.next_update) = (moment(from), moment(until))
        })
    };
    let extended = |name, extension: Extension| one(&w, name, &[], |list| list.extensions.push(extension));
    let (signed, partial, unreadable) = (
        "non è firmata da nessuna",
        "è una lista parziale",
        "non è una lista di revoca leggibile",
    );
    let point = |content: Vec<u8>| Extension::new("2.5.29.28", true, tlv(0x30, &content));
    let delta = Extension::new("2.5.29.27", true, integer(&[1]));
    let unknown = Extension::new("1.3.6.1.4.1.99999.6", false, vec![5, 0]);
    let other = Authority::root("altra radice", &Key::p256(), NOW, |_| {});
    let impostor = Authority::root("intermedia", &Key::p256(), NOW, |_| {});
    let next = "the newest list counts, before its time too";
    let mut all = vec![
        with(&w, "list: none of the authority", vec![]).refused(UNKNOWN),
        w.client("list: none of the root", |_| {})
            .lists(vec![w.middle.list(&[]).signed(&w.middle.key)])
            .refused(UNKNOWN),
        w.client("list: none", |_| {}).lists(vec![]).refused(UNKNOWN),
        dated("list: from this second", NOW, NOW + DAY).admitted(),
        dated("list: from the next second", NOW + 1, NOW + DAY).refused(UNKNOWN),
        dated("list: until this second", NOW - DAY, NOW).admitted(),
        dated("list: until the second before", NOW - DAY, NOW - 1).refused(UNKNOWN),
        dated("list: until last year", NOW - 2 * YEAR, NOW - YEAR).refused(UNKNOWN),
        dated("list: until before it began", NOW + DAY, NOW - DAY).refused(UNKNOWN),
        one(&w, "list: until 2050, GeneralizedTime", &[], |list| {
            list.next_update = generalized("20500101000000Z")
        })
        .admitted(),
        one(&w, "list: GeneralizedTime before 2050", &[], |list| {
            list.next_update = generalized("20270101000000Z")
        })
        .admitted(),
        one(&w, "list: until 50, UTCTime: 1950", &[], |list| {
            list.next_update = utc("500101000000Z")
        })
        .refused(UNKNOWN),
        one(&w, "list: no nextUpdate", &[], |list| {
            list.next_update = Vec::new()
        })
        .refused("non ha nextUpdate"),
        one(&w, "list: version 1", &[], |list| {
            (list.version, list.extensions) = (Vec::new(), Vec::new())
        })
        .admitted(),
        extended("list: an unknown extension", unknown.clone()).admitted(),
        extended("list: an unknown extension, critical", unknown.clone().critical()).refused(partial),
        extended("list: a delta", delta.clone()).refused(partial),
        extended("list: of users alone", point(tlv(0x81, &[0xff])))
            .stricter(partial, "lists of only some certificates are not taken"),
        extended("list: of authorities alone", point(tlv(0x82, &[0xff]))).refused(partial),
        extended("list: of some reasons", point(tlv(0x83, &[4, 0x10]))).refused(partial),
        extended("list: indirect", point(tlv(0x84, &[0xff]))).refused(partial),
        extended("list: of attributes alone", point(tlv(0x85, &[0xff]))).refused(partial),
        extended(
            "list: where deltas are",
            Extension::new("2.5.29.46", false, seq(&[&seq(&[])])),
        )
        .admitted(),
        one(&w, "list: an entry's unknown extension, critical", &[], |list| {
            list.entries
                .push(entry(&[0x42], NOW - DAY, &[unknown.clone().critical()]));
        })
        .refused(partial),
        one(&w, "list: an entry of another authority's", &[], |list| {
            let whose = Extension::new("2.5.29.29", true, seq(&[&directory(&other.name)]));
            list.entries.push(entry(&[0x42], NOW - DAY, &[whose]));
        })
        .refused(partial),
        one(&w, "list: an entry's unknown extension", &[], |list| {
            list.entries
                .push(entry(&[0x42], NOW - DAY, std::slice::from_ref(&unknown)))
        })
        .admitted(),
        with(
            &w,
            "list: signed by another authority",
            vec![w.middle.list(&[]).signed(&other.key)],
        )
        .refused(signed),
        with(
            &w,
            "list: signed by another authority of the same name",
            vec![impostor.list(&[]).signed(&impostor.key)],
        )
        .refused(signed),
        with(
            &w,
            "list: of an unknown authority",
            vec![other.list(&[]).signed(&other.key)],
        )
        .refused(signed),
        one(&w, "list: under the root's name", &[], |list| {
            list.issuer = w.root.name.clone()
        })
        .refused(signed),
        one(&w, "list: another algorithm outside", &[], |list| {
            list.outer = Some(nulled(RSA_SHA256))
        })
        .refused(signed),
        one(&w, "list: another algorithm inside", &[], |list| {
            (list.outer, list.algorithm) = (Some(list.algorithm.clone()), nulled(ECDSA_SHA256));
        })
        .refused(signed),
        with(
            &w,
            "list: a bit wrong",
            vec![spoiled(w.middle.list(&[]).signed(&w.middle.key))],
        )
        .refused(signed),
        with(
            &w,
            "list: bytes after it",
            vec![[w.middle.list(&[]).signed(&w.middle.key), vec![0]].concat()],
        )
        .refused(signed),
        with(
            &w,
            "list: cut short",
            vec![w.middle.list(&[]).signed(&w.middle.key)[..90].to_vec()],
        )
        .refused(unreadable),
        with(&w, "list: nothing", vec![Vec::new()]).refused(unreadable),
        with(&w, "list: a certificate", vec![w.middle.der.clone()]).refused(unreadable),
    ];
    // Two of one authority.
    let dated = |from: i64, until: i64, revoked: &[&[u8]]| {
        let mut list = w.middle.list(revoked);
        (list.this_update, list.next_update) = (moment(from), moment(until));
        list.signed(&w.middle.key)
    };
    let (clean, bad) = (
        dated(NOW - DAY, NOW + DAY, &[]),
        dated(NOW - DAY, NOW + DAY, &[OWN]),
    );
    let (older_clean, older_bad) = (
        dated(NOW - 2 * DAY, NOW + DAY, &[]),
        dated(NOW - 2 * DAY, NOW + DAY, &[OWN]),
    );
    let stale = dated(NOW - DAY, NOW - 1, &[]);
    let future = dated(NOW + 1, NOW + 2 * DAY, &[]);
    all.extend([
        with(
            &w,
            "lists: revoked by the newer",
            vec![older_clean.clone(), bad.clone()],
        )
        .refused("Revoked"),
        with(
            &w,
            "lists: revoked by the newer, which is first",
            vec![bad.clone(), older_clean.clone()],
        )
        .refused("Revoked"),
        with(
            &w,
            "lists: removed by the newer",
            vec![older_bad.clone(), clean.clone()],
        )
        .admitted(),
        with(
            &w,
            "lists: removed by the newer, which is first",
            vec![clean.clone(), older_bad],
        )
        .admitted(),
        with(
            &w,
            "lists: revoked by one of the same moment",
            vec![clean.clone(), bad.clone()],
        )
        .refused("Revoked"),
        with(
            &w,
            "lists: revoked by one of the same moment, the first",
            vec![bad, clean.clone()],
        )
        .refused("Revoked"),
        with(&w, "lists: the same twice", vec![clean.clone(), clean.clone()]).admitted(),
        with(&w, "lists: the newer is stale", vec![older_clean, stale]).refused(UNKNOWN),
        with(
            &w,
            "lists: the newer is not yet valid",
            vec![clean.clone(), future],
        )
        .stricter(UNKNOWN, next),
        with(
            &w,
            "lists: a delta beside the whole",
            vec![clean.clone(), {
                let mut list = w.middle.list(&[OWN]);
                list.extensions.push(delta);
                list.signed(&w.middle.key)
            }],
        )
        .refused(partial),
    ]);
    all.extend(listers(&w, &clean));
    all
}

/// Who may sign lists.
fn listers(w: &World, clean: &[u8]) -> Vec<Case> {
    let signed = "non è firmata da nessuna";
    let root_list = w.root.list(&[]).signed(&w.root.key);
    let lister = |name: &'static str, usages: Option<u8>| {
        let middle = w.root.sub("intermedia", &w.middle.key, |c| match usages {
            Some(usages) => c.set(ku(usages)),
            None => c.without(KU),
        });
        let mut case = w
            .case(name, &[&w.own(|_| {}), &middle.der])
            .lists(vec![root_list.clone(), clean.to_vec()]);
        case.listers = vec![w.root.der.clone(), middle.der];
        case
    };
    let aged = |name: &'static str, until: i64| {
        let middle = w
            .root
            .sub("intermedia", &w.middle.key, |c| c.not_after = moment(until));
        let mut case = w
            .client(name, |_| {})
            .lists(vec![root_list.clone(), clean.to_vec()]);
        case.listers = vec![w.root.der.clone(), middle.der];
        case
    };
    let with_key = |name: &'static str, key: std::rc::Rc<Key>| {
        let middle = w.root.sub("intermedia", &key, |_| {});
        let mut case = w.case(name, &[&middle.client(&w.own).signed(&key), &middle.der]);
        case.lists = vec![root_list.clone(), middle.list(&[]).signed(&key)];
        case.listers = vec![w.root.der.clone(), middle.der];
        case
    };
    let rsa = Key::rsa(rcgen::RsaKeySize::_2048, &rcgen::PKCS_RSA_SHA256, RSA_SHA256);
    let sha1 = rsa.signing(nulled("1.2.840.113549.1.1.5"), |_| vec![0x11; 256]);
    let mut sha1_case = with_key("list: RSA, SHA-1", rsa.clone());
    let middle = w.root.sub("intermedia", &rsa, |_| {});
    let mut list = middle.list(&[]);
    list.algorithm = sha1.algorithm.clone();
    sha1_case.lists[1] = list.signed(&sha1);
    let mut alone = w.client(
        "list: of the authority, whose certificate only the client has",
        |_| {},
    );
    alone.listers.truncate(1);
    let mut pem = w.client("list: PEM, of both", |_| {});
    pem.lists = vec![
        pem.lists
            .iter()
            .map(|list| to_pem(list))
            .collect::<Vec<_>>()
            .concat(),
    ];
    let mut pem_revoked = w.client("list: PEM, of both, revoked by the second", |_| {});
    pem_revoked.lists = vec![
        [
            to_pem(&root_list),
            to_pem(&w.middle.list(&[OWN]).signed(&w.middle.key)),
        ]
        .concat(),
    ];
    let many = |name, count: usize| {
        let mut many = w.client(name, |_| {});
        many.lists[1] = to_pem(&many.lists[1]).repeat(count);
        many
    };
    vec![
        many("list: PEM, 64 in a file", 64).admitted(),
        many("list: PEM, 65 in a file", 65).stricter(
            "contiene più di 64 liste",
            "no authority publishes as many in one file",
        ),
        lister(
            "list: by who may sign lists and certificates",
            Some(CERT_SIGN | CRL_SIGN),
        )
        .admitted(),
        lister("list: by who may sign what it likes", None).admitted(),
        lister("list: by who may only sign certificates", Some(CERT_SIGN)).refused(signed),
        aged("list: by an authority until this second", NOW).admitted(),
        aged("list: by an authority until the second before", NOW - 1).refused(UNKNOWN),
        with_key("list: RSA, SHA-256", rsa).admitted(),
        with_key(
            "list: P-384",
            Key::new(
                &rcgen::PKCS_ECDSA_P384_SHA384,
                seq(&[&oid("1.2.840.10045.4.3.3")]),
            ),
        )
        .admitted(),
        with_key(
            "list: Ed25519",
            Key::new(&rcgen::PKCS_ED25519, seq(&[&oid("1.3.101.112")])),
        )
        .admitted(),
        sha1_case.refused(signed),
        alone.stricter(
            signed,
            "lists are believed of authorities of the configuration alone",
        ),
        pem.admitted(),
        pem_revoked.refused("Revoked"),
    ]
}

fn spoiled(mut der: Vec<u8>) -> Vec<u8> {
    *der.last_mut().unwrap() ^= 1;
    der
}

fn to_pem(der: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
        lines.join("\n")
    )
    .into_bytes()
}
