//! What certificates are for: extended key usage, key usage, basic constraints, path lengths, name
//! constraints.

use kit::chains::der::*;
use kit::chains::judge::{Case, World};
use kit::chains::maker::{Authority, Key};

const PURPOSE: &str = "InvalidPurpose";

pub fn extended() -> Vec<Case> {
    let w = World::new();
    let own = |name, purposes: &[&str]| w.client(name, |c| c.set(eku(purposes)));
    let middle = |name, purposes: &[&str]| w.between(name, |c| c.set(eku(purposes)));
    let required =
        "without the extension a certificate is for everything; the profile asks for clientAuth by name";
    let any = "anyExtendedKeyUsage is not clientAuth by name";
    vec![
        own("eku: clientAuth", &[CLIENT]).admitted(),
        own("eku: clientAuth and serverAuth", &[SERVER, CLIENT]).admitted(),
        own("eku: clientAuth and emailProtection", &[CLIENT, EMAIL]).admitted(),
        own("eku: clientAuth and any", &[ANY, CLIENT]).admitted(),
        own(
            "eku: clientAuth and an unknown one",
            &["1.3.6.1.4.1.99999.1", CLIENT],
        )
        .admitted(),
        w.client("eku: clientAuth, critical", |c| c.set(eku(&[CLIENT]).critical()))
            .admitted(),
        w.client("eku: none", |c| c.without(EKU))
            .stricter(PURPOSE, required),
        own("eku: any alone", &[ANY]).stricter(PURPOSE, any),
        own("eku: serverAuth alone", &[SERVER]).refused(PURPOSE),
        own("eku: emailProtection alone", &[EMAIL]).refused(PURPOSE),
        own("eku: unknown alone", &["1.3.6.1.4.1.99999.1"]).refused(PURPOSE),
        own("eku: prefix of clientAuth", &["1.3.6.1.5.5.7.3"]).refused(PURPOSE),
        own("eku: empty", &[]).refused("EmptyEku"),
        w.client("eku: not a sequence", |c| {
            c.set(Extension::new(EKU, false, oid(CLIENT)))
        })
        .refused("BadEncoding"),
        w.client("eku: an integer in it", |c| {
            c.set(Extension::new(EKU, false, seq(&[&integer(&[1])])))
        })
        .refused("BadEncoding"),
        w.client("eku: bytes after it", |c| {
            c.set(Extension::new(
                EKU,
                false,
                [eku(&[CLIENT]).value, vec![5, 0]].concat(),
            ))
        })
        .refused("BadEncoding"),
        middle("eku of the authority: clientAuth", &[CLIENT]).admitted(),
        middle(
            "eku of the authority: clientAuth and serverAuth",
            &[SERVER, CLIENT],
        )
        .admitted(),
        middle("eku of the authority: any and clientAuth", &[ANY, CLIENT]).admitted(),
        middle("eku of the authority: any alone", &[ANY]).stricter(PURPOSE, any),
        middle("eku of the authority: serverAuth alone", &[SERVER]).refused(PURPOSE),
        middle("eku of the authority: emailProtection alone", &[EMAIL]).refused(PURPOSE),
        middle("eku of the authority: empty", &[]).refused("EmptyEku"),
    ]
}

pub fn usage() -> Vec<Case> {
    let w = World::new();
    let own = |name, usages: u8| w.client(name, |c| c.set(ku(usages)));
    let middle = |name, usages: u8| w.between(name, |c| c.set(ku(usages)));
    vec![
        own("ku: digitalSignature", DIGITAL_SIGNATURE).admitted(),
        own(
            "ku: digitalSignature and keyEncipherment",
            DIGITAL_SIGNATURE | KEY_ENCIPHERMENT,
        )
        .admitted(),
        own(
            "ku: digitalSignature and nonRepudiation",
            DIGITAL_SIGNATURE | NON_REPUDIATION,
        )
        .admitted(),
        own("ku: digitalSignature and cRLSign", DIGITAL_SIGNATURE | CRL_SIGN).admitted(),
        w.client("ku: none", |c| c.without(KU)).admitted(),
        w.client("ku: not critical", |c| c.set(ku(DIGITAL_SIGNATURE).ordinary()))
            .admitted(),
        own("ku: keyEncipherment alone", KEY_ENCIPHERMENT).refused(PURPOSE),
        own("ku: keyAgreement alone", KEY_AGREEMENT).refused(PURPOSE),
        own("ku: nonRepudiation alone", NON_REPUDIATION).refused(PURPOSE),
        own("ku: cRLSign alone", CRL_SIGN).refused(PURPOSE),
        own(
            "ku: digitalSignature and keyCertSign",
            DIGITAL_SIGNATURE | CERT_SIGN,
        )
        .refused(PURPOSE),
        own("ku: nothing", 0).refused(PURPOSE),
        w.client("ku: keyEncipherment, not critical", |c| {
            c.set(ku(KEY_ENCIPHERMENT).ordinary())
        })
        .refused(PURPOSE),
        w.client("ku: an octet string", |c| {
            c.set(Extension::new(KU, true, tlv(4, &[0x80])))
        })
        .refused("Unreadable"),
        middle("ku of the authority: keyCertSign", CERT_SIGN).admitted(),
        w.between("ku of the authority: none", |c| c.without(KU))
            .admitted(),
        w.between("ku of the authority: keyCertSign, not critical", |c| {
            c.set(ku(CERT_SIGN).ordinary())
        })
        .admitted(),
        middle("ku of the authority: cRLSign alone", CRL_SIGN).refused(PURPOSE),
        middle("ku of the authority: digitalSignature alone", DIGITAL_SIGNATURE).refused(PURPOSE),
        middle("ku of the authority: nothing", 0).refused(PURPOSE),
        w.between("ku of the authority: cRLSign, not critical", |c| {
            c.set(ku(CRL_SIGN).ordinary())
        })
        .refused(PURPOSE),
    ]
}

pub fn basics() -> Vec<Case> {
    let w = World::new();
    let plain = |content: Vec<u8>| Extension::new(BASIC, true, content);
    let mut all = vec![
        w.client("basic: no CA", |c| c.set(plain(seq(&[])))).admitted(),
        w.client("basic: a CA", |c| c.set(basic(None)))
            .refused("CaUsedAsEndEntity"),
        w.client("basic: a CA, not critical", |c| c.set(basic(None).ordinary()))
            .refused("CaUsedAsEndEntity"),
        w.client("basic: a CA with a length", |c| c.set(basic(Some(&[0]))))
            .refused("CaUsedAsEndEntity"),
        w.client("basic: a length without CA", |c| {
            c.set(plain(seq(&[&integer(&[0])])))
        })
        .refused(PURPOSE),
        w.client("basic: a text", |c| c.set(plain(tlv(0x0c, b"no"))))
            .refused("BadEncoding"),
        w.between("basic of the authority: not critical", |c| {
            c.set(basic(None).ordinary())
        })
        .admitted(),
        w.between("basic of the authority: missing", |c| c.without(BASIC))
            .refused("EndEntityUsedAsCa"),
        w.between("basic of the authority: empty", |c| c.set(plain(seq(&[]))))
            .refused("EndEntityUsedAsCa"),
        w.between("basic of the authority: no CA, a length", |c| {
            c.set(plain(seq(&[&integer(&[3])])))
        })
        .refused("EndEntityUsedAsCa"),
        w.between("basic of the authority: a number for a truth", |c| {
            c.set(plain(seq(&[&integer(&[1])])))
        })
        .refused("EndEntityUsedAsCa"),
        w.between("basic of the authority: a truth of 1", |c| {
            c.set(plain(seq(&[&tlv(1, &[1])])))
        })
        .refused("BadEncoding"),
        w.between("basic of the authority: bytes after it", |c| {
            c.set(plain(seq(&[&boolean(true), &integer(&[0]), &[5, 0]])))
        })
        .refused("BadEncoding"),
    ];
    // A client's certificate signs another's.
    let mut under = w.middle.client(&Key::p256());
    (under.issuer, under.subject) = (under.subject, name("altro"));
    all.push(
        w.case(
            "basic: a client under a client",
            &[&under.signed(&w.own), &w.own(|_| {}), &w.middle.der],
        )
        .refused("StatusUnknown"),
    );
    all
}

pub fn lengths() -> Vec<Case> {
    let w = World::new();
    let counted = "self-issued authorities are counted too";
    // Chains under an authority with one length: each is a name and a length, or none.
    let chain = |name: &'static str, all: &[(&'static str, Option<&[u8]>)], root: Option<&[u8]>| {
        let anchor = Authority::root("radice", &w.root.key, w.now, |c| c.set(basic(root)));
        let mut authorities = vec![anchor.clone()];
        for (at, (common, length)) in all.iter().enumerate() {
            let made = authorities[at].sub(common, &Key::p256(), |c| c.set(basic(*length)));
            authorities.push(made);
        }
        let last = authorities.last().unwrap();
        let mut presented = vec![last.client(&w.own).signed(&last.key)];
        presented.extend(
            authorities[1..]
                .iter()
                .rev()
                .map(|authority| authority.der.clone()),
        );
        let presented: Vec<&[u8]> = presented.iter().map(Vec::as_slice).collect();
        let listed: Vec<&Authority> = authorities.iter().collect();
        let mut case = w.case(name, &presented).trusting(&[&anchor]);
        (case.listers, case.lists) = (Vec::new(), Vec::new());
        case.listed(&listed)
    };
    let violated = "PathLen";
    vec![
        chain("length 0: the client under it", &[("a", Some(&[0]))], None).admitted(),
        chain(
            "length 0: an authority under it",
            &[("a", Some(&[0])), ("b", None)],
            None,
        )
        .refused(violated),
        chain(
            "length 1: an authority under it",
            &[("a", Some(&[1])), ("b", None)],
            None,
        )
        .admitted(),
        chain(
            "length 1: two authorities under it",
            &[("a", Some(&[1])), ("b", None), ("c", None)],
            None,
        )
        .refused(violated),
        chain("length 1, then 0", &[("a", Some(&[1])), ("b", Some(&[0]))], None).admitted(),
        chain(
            "length 1, then 0, exceeded below",
            &[("a", Some(&[2])), ("b", Some(&[0])), ("c", None)],
            None,
        )
        .refused(violated),
        chain(
            "length 0, then 5: not widened",
            &[("a", Some(&[0])), ("b", Some(&[5]))],
            None,
        )
        .refused(violated),
        chain(
            "length 6, four under it",
            &[
                ("a", Some(&[6])),
                ("b", None),
                ("c", None),
                ("d", None),
                ("e", None),
            ],
            None,
        )
        .admitted(),
        // The way past the self-issued one is tried too, and that signature is not its.
        chain(
            "length 0: a self-issued authority under it",
            &[("a", Some(&[0])), ("a", None)],
            None,
        )
        .stricter("BadSignature", counted),
        chain(
            "length 1: a self-issued authority under it",
            &[("a", Some(&[1])), ("a", None)],
            None,
        )
        .admitted(),
        chain("length 127", &[("a", Some(&[127]))], None).admitted(),
        chain("length 255", &[("a", Some(&[0, 255]))], None).admitted(),
        chain("length 256", &[("a", Some(&[1, 0]))], None).stricter("BadEncoding", "no chain is that long"),
        chain("length below zero", &[("a", Some(&[0xff]))], None).refused("BadEncoding"),
        chain("length without octets", &[("a", Some(&[]))], None).refused("BadEncoding"),
        chain("length with a zero before it", &[("a", Some(&[0, 1]))], None).refused("BadEncoding"),
        chain("length 0 of the root: the client under it", &[], Some(&[0])).admitted(),
        chain(
            "length 0 of the root: an authority under it",
            &[("a", None)],
            Some(&[0]),
        )
        .refused("Length"),
        chain(
            "length 1 of the root: an authority under it",
            &[("a", None)],
            Some(&[1]),
        )
        .admitted(),
        chain(
            "length 1 of the root: two authorities under it",
            &[("a", None), ("b", None)],
            Some(&[1]),
        )
        .refused("Length"),
    ]
}

pub fn names() -> Vec<Case> {
    let w = World::new();
    let under = |name: &'static str, constraint: Extension, alternatives: &[Vec<u8>]| {
        let middle = w.root.sub("intermedia", &w.middle.key, |c| c.set(constraint));
        let own = w.own(|c| {
            if !alternatives.is_empty() {
                c.set(san(alternatives))
            }
        });
        w.case(name, &[&own, &middle.der])
    };
    let permits = |names: &[Vec<u8>]| constraints(names, &[]);
    let excludes = |names: &[Vec<u8>]| constraints(&[], names);
    let violated = "NameConstraintViolation";
    let directories = "webpki refuses whatever a directoryName constraint could be about";
    let domain = || dns("esempio.it");
    let host = || dns("porta.esempio.it");
    let net = || ip(&[192, 0, 2, 0, 255, 255, 255, 0]);
    let prova = || directory(&seq(&[&attribute("2.5.4.10", 0x0c, "Prova")]));
    let altra = || directory(&seq(&[&attribute("2.5.4.10", 0x0c, "Altra")]));
    let mut all = vec![
        under("constrained: a host permitted", permits(&[domain()]), &[host()]).admitted(),
        under(
            "constrained: the domain itself permitted",
            permits(&[domain()]),
            &[domain()],
        )
        .admitted(),
        under(
            "constrained: another letter case permitted",
            permits(&[domain()]),
            &[dns("PORTA.Esempio.IT")],
        )
        .admitted(),
        under(
            "constrained: a host not permitted",
            permits(&[domain()]),
            &[dns("porta.esempio.org")],
        )
        .refused(violated),
        under(
            "constrained: the end of another domain",
            permits(&[domain()]),
            &[dns("nonesempio.it")],
        )
        .refused(violated),
        under(
            "constrained: one host of two not permitted",
            permits(&[domain()]),
            &[host(), dns("esempio.org")],
        )
        .refused(violated),
        under(
            "constrained: one of two domains permitted",
            permits(&[dns("esempio.org"), domain()]),
            &[host()],
        )
        .admitted(),
        under("constrained: no name of the kind", permits(&[domain()]), &[]).admitted(),
        under(
            "constrained: a name of another kind",
            permits(&[domain()]),
            &[uri("https://altrove.org/")],
        )
        .admitted(),
        under("constrained: a host excluded", excludes(&[domain()]), &[host()]).refused(violated),
        under(
            "constrained: a host not excluded",
            excludes(&[domain()]),
            &[dns("esempio.org")],
        )
        .admitted(),
        under(
            "constrained: permitted and excluded",
            constraints(&[domain()], &[host()]),
            &[host()],
        )
        .refused(violated),
        under(
            "constrained: permitted, another excluded",
            constraints(&[domain()], &[dns("no.esempio.it")]),
            &[host()],
        )
        .admitted(),
        under(
            "constrained: not critical, broken all the same",
            permits(&[domain()]).ordinary(),
            &[dns("altrove.org")],
        )
        .refused(violated),
        under(
            "constrained: an address permitted",
            permits(&[net()]),
            &[ip(&[192, 0, 2, 9])],
        )
        .admitted(),
        under(
            "constrained: an address not permitted",
            permits(&[net()]),
            &[ip(&[192, 0, 3, 9])],
        )
        .refused(violated),
        under(
            "constrained: an address excluded",
            excludes(&[net()]),
            &[ip(&[192, 0, 2, 9])],
        )
        .refused(violated),
        under(
            "constrained: an address of the other family",
            permits(&[net()]),
            &[ip(&[0; 16])],
        )
        .refused(violated),
        under(
            "constrained: a mask with holes",
            permits(&[ip(&[192, 0, 2, 0, 255, 0, 255, 0])]),
            &[ip(&[192, 0, 2, 9])],
        )
        .refused("InvalidNetworkMask"),
        under("constrained: a directory permitted", permits(&[prova()]), &[]).stricter(violated, directories),
        under("constrained: a directory not permitted", permits(&[altra()]), &[]).refused(violated),
        under("constrained: a directory excluded", excludes(&[prova()]), &[]).refused(violated),
        under(
            "constrained: another directory excluded",
            excludes(&[altra()]),
            &[],
        )
        .stricter(violated, directories),
        under(
            "constrained: a URI permitted",
            permits(&[uri(".esempio.it")]),
            &[uri("https://a.esempio.it/")],
        )
        .stricter(violated, "webpki does not read URIs"),
        under(
            "constrained: a URI not permitted",
            permits(&[uri(".esempio.it")]),
            &[uri("https://a.esempio.org/")],
        )
        .refused(violated),
        under(
            "constrained: e-mail permitted",
            permits(&[email("esempio.it")]),
            &[email("a@esempio.it")],
        )
        .stricter(violated, "webpki does not read e-mail"),
        under(
            "constrained: e-mail excluded",
            excludes(&[email("esempio.it")]),
            &[email("a@esempio.it")],
        )
        .refused(violated),
        under(
            "constrained: e-mail permitted, none there",
            permits(&[email("esempio.it")]),
            &[],
        )
        .stricter("Constraints", "addresses in subjects are not looked for"),
        under(
            "constrained: empty",
            Extension::new(CONSTRAINTS, true, seq(&[])),
            &[],
        )
        .admitted(),
        under(
            "constrained: not a sequence",
            Extension::new(CONSTRAINTS, true, domain()),
            &[host()],
        )
        .refused("BadEncoding"),
    ];
    let minimum = seq(&[&tlv(0xa0, &seq(&[&domain(), &tlv(0x80, &[1])]))]);
    all.push(
        under(
            "constrained: a minimum",
            Extension::new(CONSTRAINTS, true, minimum),
            &[host()],
        )
        .refused("BadEncoding"),
    );
    // In the subject: RFC 5280, 4.2.1.10.
    let middle = w.root.sub("intermedia", &w.middle.key, |c| {
        c.set(permits(&[email("esempio.it")]))
    });
    let subject = seq(&[&attribute("1.2.840.113549.1.9.1", 0x16, "a@esempio.org")]);
    all.push(
        w.case(
            "constrained: e-mail not permitted, in the subject",
            &[&w.own(|c| c.subject = subject), &middle.der],
        )
        .refused("Constraints"),
    );
    all.push(
        w.client("constrained: constrained by who is no authority", |c| {
            c.set(permits(&[domain()]))
        })
        .refused("Constraints"),
    );
    // The root's bind too, and over all that is under it.
    let root = Authority::root("radice", &w.root.key, w.now, |c| c.set(permits(&[domain()])));
    for (name, host, good) in [
        ("constrained by the root: permitted", host(), true),
        (
            "constrained by the root: not permitted",
            dns("altrove.org"),
            false,
        ),
    ] {
        let case = w
            .case(name, &[&w.own(|c| c.set(san(&[host]))), &w.middle.der])
            .trusting(&[&root]);
        all.push(if good {
            case.admitted()
        } else {
            case.refused(violated)
        });
    }
    let middle = w
        .root
        .sub("intermedia", &w.middle.key, |c| c.set(permits(&[domain()])));
    let low = w
        .middle
        .sub("bassa", &Key::p256(), |c| c.set(san(&[dns("altrove.org")])));
    let own = low.client(&w.own).signed(&low.key);
    all.push(
        w.case(
            "constrained: an authority below not permitted",
            &[&own, &low.der, &middle.der],
        )
        .listed(&[&low])
        .refused(violated),
    );
    all
}
