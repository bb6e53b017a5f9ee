//! Forms: moments, serials, versions, extensions, names, and DER that is none.

use kit::chains::der::*;
use kit::chains::judge::{Case, World};
use kit::chains::maker::{Authority, DAY, NOW, YEAR};

/// Noon on 1 June 2055.
const FAR: i64 = 2_695_464_000;

pub fn validity() -> Vec<Case> {
    let w = World::new();
    let (not_yet, expired, bad) = ("NotValidYet", "Expired", "BadEncoding");
    let from = |name, moment: Vec<u8>| w.client(name, |c| c.not_before = moment);
    let until = |name, moment: Vec<u8>| w.client(name, |c| c.not_after = moment);
    let mut all = vec![
        from("validity: from this second", moment(NOW)).admitted(),
        from("validity: from the next second", moment(NOW + 1)).refused(not_yet),
        from("validity: from next year", moment(NOW + YEAR / 2)).refused(not_yet),
        until("validity: until this second", moment(NOW)).admitted(),
        until("validity: until the second before", moment(NOW - 1)).refused(expired),
        until("validity: until last year", moment(NOW - YEAR / 2)).refused(expired),
        w.client("validity: this second alone", |c| {
            (c.not_before, c.not_after) = (moment(NOW), moment(NOW))
        })
        .admitted(),
        w.client("validity: from after its end", |c| {
            (c.not_before, c.not_after) = (moment(NOW + DAY), moment(NOW - DAY))
        })
        .refused(expired),
        w.between("validity of the authority: until this second", |c| {
            c.not_after = moment(NOW)
        })
        .admitted(),
        w.between("validity of the authority: until the second before", |c| {
            c.not_after = moment(NOW - 1)
        })
        .refused(expired),
        w.between("validity of the authority: from this second", |c| {
            c.not_before = moment(NOW)
        })
        .admitted(),
        w.between("validity of the authority: from the next second", |c| {
            c.not_before = moment(NOW + 1)
        })
        .refused(not_yet),
        from(
            "validity: GeneralizedTime before 2050",
            generalized("20200101000000Z"),
        )
        .admitted(),
        until("validity: until 2049, UTCTime", utc("491231235959Z")).admitted(),
        until(
            "validity: until 2050, GeneralizedTime",
            generalized("20500101000000Z"),
        )
        .admitted(),
        until("validity: until the end of time", generalized("99991231235959Z")).admitted(),
        until("validity: until 50, UTCTime: 1950", utc("500101000000Z")).refused(bad),
        from("validity: from 50, UTCTime: 1950", utc("500101000000Z"))
            .stricter(bad, "webpki has no moments before 1970"),
        from("validity: from 70, UTCTime: 1970", utc("700101000000Z")).admitted(),
        until("validity: until 29 February 2028", utc("280229000000Z")).admitted(),
        until("validity: until 29 February 2027", utc("270229000000Z")).refused(bad),
        until("validity: until 31 June", utc("270631000000Z")).refused(bad),
        until("validity: until month 13", utc("271301000000Z")).refused(bad),
        until("validity: until 24 o'clock", utc("270101240000Z")).refused(bad),
        until("validity: until second 60", utc("270101000060Z")).refused(bad),
        until("validity: no seconds", utc("2701010000Z")).refused(bad),
        until("validity: an offset", utc("270101000000+0000")).refused(bad),
        until("validity: no zone", utc("270101000000")).refused(bad),
        until("validity: parts of a second", generalized("20270101000000.5Z")).refused(bad),
        until(
            "validity: GeneralizedTime, an offset",
            generalized("20270101000000+0100"),
        )
        .refused(bad),
        until("validity: a text", tlv(0x0c, b"270101000000Z")).refused(bad),
        until(
            "validity: bytes after it",
            [moment(NOW + YEAR), vec![5, 0]].concat(),
        )
        .refused(bad),
        until("validity: no end", Vec::new()).refused(bad),
    ];
    // The root's time is its lists' time.
    let unknown = "StatusUnknown";
    type Change = fn(&mut kit::chains::maker::Certificate);
    let roots: [(&'static str, Change, bool); 4] = [
        (
            "validity of the root: until this second",
            |c| c.not_after = moment(NOW),
            true,
        ),
        (
            "validity of the root: until the second before",
            |c| c.not_after = moment(NOW - 1),
            false,
        ),
        (
            "validity of the root: from this second",
            |c| c.not_before = moment(NOW),
            true,
        ),
        (
            "validity of the root: from the next second",
            |c| c.not_before = moment(NOW + 1),
            false,
        ),
    ];
    for (name, change, good) in roots {
        let root = Authority::root("radice", &w.root.key, NOW, change);
        let mut case = w.case(name, &[&w.own(|_| {}), &w.middle.der]).trusting(&[&root]);
        (case.listers, case.lists) = (Vec::new(), Vec::new());
        let case = case.listed(&[&root, &w.middle]);
        all.push(if good {
            case.admitted()
        } else {
            case.refused(unknown)
        });
    }
    // After 2050.
    let far = World::at(FAR);
    all.push(far.client("validity: in 2055", |_| {}).admitted());
    all.push(
        far.client("validity: in 2055, until 2054", |c| {
            c.not_after = generalized("20541231235959Z")
        })
        .refused(expired),
    );
    all.push(
        far.client("validity: in 2055, until 55 in UTCTime: 1955", |c| {
            c.not_after = utc("551231235959Z")
        })
        .refused(bad),
    );
    all.push(
        far.client("validity: in 2055, from 49 in UTCTime: 2049", |c| {
            c.not_before = utc("490101000000Z")
        })
        .admitted(),
    );
    all
}

pub fn serials() -> Vec<Case> {
    let w = World::new();
    let (wrong, graceful) = (
        "Serial",
        "RFC 5280, 4.1.2.2, would have such certificates handled gracefully; the profile refuses them",
    );
    let own = |name, serial: &[u8]| w.client(name, |c| c.serial = serial.to_vec());
    let middle = |name, serial: &[u8]| w.between(name, |c| c.serial = serial.to_vec());
    let long = |first: u8, octets: usize| [&[first], vec![0x5a; octets - 1].as_slice()].concat();
    let mut all = vec![
        own("serial: 1", &[1]).admitted(),
        own("serial: 127", &[0x7f]).admitted(),
        own("serial: 128", &[0, 0x80]).admitted(),
        own("serial: 255", &[0, 0xff]).admitted(),
        own("serial: 8 octets", &long(0x12, 8)).admitted(),
        own("serial: 20 octets", &long(0x7f, 20)).admitted(),
        own(
            "serial: 20 octets, a zero among them",
            &[&[0], long(0xff, 19).as_slice()].concat(),
        )
        .admitted(),
        own("serial: 0", &[0]).stricter(wrong, graceful),
        own("serial: -1", &[0xff]).stricter(wrong, graceful),
        own("serial: -128", &[0x80]).stricter(wrong, graceful),
        own("serial: negative, 20 octets", &long(0x80, 20)).stricter(wrong, graceful),
        own(
            "serial: 20 octets and a zero before them",
            &[&[0], long(0xff, 20).as_slice()].concat(),
        )
        .refused(wrong),
        own("serial: 21 octets", &long(0x12, 21)).refused(wrong),
        own("serial: 40 octets", &long(0x12, 40)).refused(wrong),
        own("serial: a zero before it", &[0, 1]).refused(wrong),
        own("serial: two zeros before it", &[0, 0, 0x80]).refused(wrong),
        own("serial: two zeros", &[0, 0]).refused(wrong),
        own("serial: negative, an octet too many", &[0xff, 0xff]).refused(wrong),
        own("serial: no octet", &[]).refused(wrong),
        middle("serial of the authority: 20 octets", &long(0x7f, 20)).admitted(),
        middle("serial of the authority: 0", &[0]).stricter(wrong, graceful),
        middle("serial of the authority: -1", &[0xff]).stricter(wrong, graceful),
        middle("serial of the authority: 21 octets", &long(0x12, 21)).refused(wrong),
    ];
    for (name, serial) in [
        ("serial of the root: 0", vec![0]),
        ("serial of the root: 21 octets", long(0x12, 21)),
    ] {
        let root = Authority::root("radice", &w.root.key, NOW, |c| c.serial = serial);
        all.push(
            w.case(name, &[&w.own(|_| {}), &w.middle.der])
                .trusting(&[&root])
                .admitted(),
        );
        all.push(
            w.case(
                if name.contains("21") {
                    "serial of the root, sent: 21 octets"
                } else {
                    "serial of the root, sent: 0"
                },
                &[&w.own(|_| {}), &w.middle.der, &root.der],
            )
            .trusting(&[&root])
            .admitted(),
        );
    }
    all
}

pub fn encodings() -> Vec<Case> {
    let w = World::new();
    let (bad, version, critical) = (
        "BadEncoding",
        "UnsupportedCertVersion",
        "UnsupportedCriticalExtension",
    );
    let policies = "policies are not judged";
    let own = w.own(|_| {});
    let add =
        |name, extensions: &[Extension]| w.client(name, |c| c.extensions.extend(extensions.iter().cloned()));
    let unknown = || Extension::new("1.3.6.1.4.1.99999.3", false, tlv(4, b"?"));
    let policy = || Extension::new("2.5.29.32", false, seq(&[&seq(&[&oid("1.3.6.1.4.1.99999.4")])]));
    let explicit = || Extension::new("2.5.29.36", false, seq(&[&tlv(0x80, &[0])]));
    let akid = |content: Vec<u8>| Extension::new("2.5.29.35", false, tlv(0x30, &content));
    let skid = || Extension::new("2.5.29.14", false, tlv(4, &[7; 20]));
    let issuer_serial = || [tlv(0xa1, &directory(&name("nessuno"))), tlv(0x82, &[9])].concat();
    let changed = |name, change: &dyn Fn(&mut Vec<u8>)| {
        let mut der = own.clone();
        change(&mut der);
        w.case(name, &[&der, &w.middle.der])
    };
    let mut all = vec![
        w.client("version: 1", |c| {
            (c.version, c.extensions) = (Vec::new(), Vec::new())
        })
        .refused(version),
        w.client("version: 1, extensions all the same", |c| c.version = Vec::new())
            .refused(version),
        w.client("version: 1, said", |c| c.version = tlv(0xa0, &integer(&[0])))
            .refused(version),
        w.client("version: 2", |c| c.version = tlv(0xa0, &integer(&[1])))
            .refused(version),
        w.client("version: 4", |c| c.version = tlv(0xa0, &integer(&[3])))
            .refused(version),
        w.client("version: 3, no extensions", |c| c.extensions = Vec::new())
            .refused("InvalidPurpose"),
        w.between("version of the authority: 1", |c| {
            (c.version, c.extensions) = (Vec::new(), Vec::new())
        })
        .refused(version),
        w.between("version of the authority: 2", |c| {
            c.version = tlv(0xa0, &integer(&[1]))
        })
        .refused(version),
        w.client("unique identifier of the issuer", |c| {
            c.unique = tlv(0x81, &[0, 7])
        })
        .stricter(bad, "CAs must not write them"),
        w.client("unique identifier of the subject", |c| {
            c.unique = tlv(0x82, &[0, 7])
        })
        .stricter(bad, "CAs must not write them"),
        w.client("bytes after the extensions", |c| c.after = vec![5, 0])
            .refused(bad),
        add("extension: unknown", &[unknown()]).admitted(),
        add("extension: unknown, critical", &[unknown().critical()]).refused(critical),
        add("extension: unknown, twice", &[unknown(), unknown()]).refused("Unreadable"),
        add(
            "extension: unknown, once critical",
            &[unknown(), unknown().critical()],
        )
        .refused(critical),
        add("extension: key usage twice", &[ku(DIGITAL_SIGNATURE)]).refused("ExtensionValueInvalid"),
        add("extension: extended key usage twice", &[eku(&[CLIENT])]).refused("ExtensionValueInvalid"),
        add(
            "extension: names twice",
            &[san(&[dns("a.it")]), san(&[dns("b.it")])],
        )
        .refused("ExtensionValueInvalid"),
        add(
            "extension: the authority's key twice",
            &[akid(Vec::new()), akid(Vec::new())],
        )
        .refused("Unreadable"),
        add("extension: policies", &[policy()]).admitted(),
        add("extension: policies, critical", &[policy().critical()]).stricter(critical, policies),
        add("extension: policies twice", &[policy(), policy()]).refused("Unreadable"),
        add("extension: a policy required", &[policy(), explicit()]).stricter("Constraints", policies),
        add("extension: a policy required, none there", &[explicit()]).refused("Constraints"),
        add(
            "extension: where its list is",
            &[Extension::new("2.5.29.31", false, seq(&[&seq(&[])]))],
        )
        .admitted(),
        add(
            "extension: of another authority's key",
            &[akid(tlv(0x80, &[9; 20]))],
        )
        .admitted(),
        add(
            "extension: of another authority's certificate",
            &[akid(issuer_serial())],
        )
        .admitted(),
        add(
            "extension: the authority's key, critical",
            &[akid(tlv(0x80, &[9; 20])).critical()],
        )
        .refused(critical),
        add("extension: its own key", &[skid()]).admitted(),
        add("extension: its own key, critical", &[skid().critical()]).refused(critical),
        w.between("extension of the authority: unknown", |c| {
            c.extensions.push(unknown())
        })
        .admitted(),
        w.between("extension of the authority: unknown, critical", |c| {
            c.extensions.push(unknown().critical())
        })
        .refused(critical),
        w.between("extension of the authority: unknown, twice", |c| {
            c.extensions.extend([unknown(), unknown()])
        })
        .refused("Unreadable"),
        w.between("extension of the authority: constraints twice", |c| {
            c.extensions.push(basic(None))
        })
        .refused("ExtensionValueInvalid"),
        w.between("extension of the authority: a policy required", |c| {
            c.extensions.push(explicit())
        })
        .refused("Constraints"),
        w.between("extension of the authority: a policy required, critical", |c| {
            c.extensions.push(explicit().critical())
        })
        .refused(critical),
        w.between("extension of the authority: policies", |c| {
            c.extensions.push(policy())
        })
        .admitted(),
        w.client("subject: empty", |c| c.subject = seq(&[]))
            .refused("Names"),
        w.client("subject: empty, another name", |c| {
            c.subject = seq(&[]);
            c.set(san(&[dns("esempio.it")]));
        })
        .refused("Names"),
        w.client("subject: empty, another name, critical", |c| {
            c.subject = seq(&[]);
            c.set(san(&[dns("esempio.it")]).critical());
        })
        .admitted(),
        w.client("subject: two attributes in one", |c| {
            let pair = [
                seq(&[&oid("2.5.4.10"), &tlv(0x0c, b"Prova")]),
                seq(&[&oid("2.5.4.3"), &tlv(0x0c, b"due")]),
            ]
            .concat();
            c.subject = seq(&[&tlv(0x31, &pair)]);
        })
        .admitted(),
        w.client("subject: UTF-8", |c| c.subject = name("città"))
            .admitted(),
        w.client("subject: not a sequence", |c| c.subject = tlv(0x0c, b"cliente"))
            .refused(bad),
        add("names: a host", &[san(&[dns("esempio.it")])]).admitted(),
        add(
            "names: of every kind",
            &[san(&[
                dns("esempio.it"),
                email("a@esempio.it"),
                uri("https://a.it/"),
                ip(&[192, 0, 2, 1]),
            ])],
        )
        .admitted(),
        add("names: a directory", &[san(&[directory(&name("altro nome"))])]).admitted(),
        add("names: none", &[san(&[])]).refused("Names"),
        add("names: bytes that are none", &[san(&[vec![0x82, 9, b'a']])]).refused("Names"),
        add("names: of an unknown kind", &[san(&[tlv(0x8b, b"a")])]).refused("Names"),
        add("names: of a universal kind", &[san(&[tlv(0x0c, b"esempio.it")])]).refused("Names"),
        add("names: a host not in UTF-8", &[san(&[tlv(0x82, &[0xff, 0xfe])])]).refused("Names"),
        add(
            "names: not a sequence",
            &[Extension::new(SAN, false, dns("esempio.it"))],
        )
        .refused("BadEncoding"),
        add(
            "names: bytes after them",
            &[Extension::new(
                SAN,
                false,
                [san(&[dns("a.it")]).value, vec![5, 0]].concat(),
            )],
        )
        .refused("BadEncoding"),
        changed("bytes after the certificate", &|der| der.push(0)).refused(bad),
        changed("the certificate cut short", &|der| der.truncate(der.len() - 1)).refused(bad),
        changed("the certificate's first half", &|der| der.truncate(der.len() / 2)).refused(bad),
        changed("nothing for a certificate", &Vec::clear).refused(bad),
        changed("a set for a sequence", &|der| der[0] = 0x31).refused(bad),
        changed("a length of three octets where two do", &|der| {
            der[1] = 0x83;
            der.insert(2, 0);
        })
        .refused(bad),
        changed("a length without end", &|der| {
            let content = der[4..].to_vec();
            *der = [&[0x30, 0x80], content.as_slice(), &[0, 0]].concat();
        })
        .refused(bad),
        changed("a certificate in a certificate", &|der| *der = seq(&[der])).refused(bad),
        changed("PEM for DER", &|der| {
            *der = b"-----BEGIN CERTIFICATE-----".to_vec()
        })
        .refused(bad),
    ];
    let renamed = w.root.sub("intermedia", &w.middle.key, |c| c.subject = seq(&[]));
    let own = renamed.client(&w.own).signed(&renamed.key);
    all.push(
        w.case("subject of the authority: empty", &[&own, &renamed.der])
            .listed(&[&renamed])
            .refused("Names"),
    );
    let large = w.own(|c| {
        c.extensions
            .push(Extension::new("1.3.6.1.4.1.99999.5", false, vec![7; 70_000]))
    });
    all.push(
        w.case("a certificate of 70,000 bytes", &[&large, &w.middle.der])
            .refused("HandshakePayloadTooLarge"),
    );
    all
}
