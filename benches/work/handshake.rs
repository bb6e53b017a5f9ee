//! The work of a handshake, from the client's last flight to the server's verdict: honest clients, and
//! hostile ones.
//!
//! A case is named KIND/VERSION/WHAT. KIND is the kind of the certificates' keys. WHAT begins with `chain-`
//! where the case is about signatures. `tests/hard/work.rs` compares a hostile case with the honest one of
//! its kind and version; it counts the difference in verifications of that kind (KIND/verify).

use std::hint::black_box;
use std::rc::Rc;

use aws_lc_rs::signature as aws;
use rcgen::{PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512};

use super::{Case, Work};
use kit::chains::der::*;
use kit::chains::judge::{Case as Chain, Ends, Verdict, hear, said};
use kit::chains::maker::{Authority, Certificate, Key, NOW, bare, nulled};

/// Records that a connection may send in its handshake: `gateway::metered` hangs up after so many.
const MOST_RECORDS: usize = 256;
/// The room in a certificate that is just not too large.
const ROOM: usize = 15_000;

/// A kind of key.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    make: fn() -> Rc<Key>,
    verification: &'static aws::EcdsaVerificationAlgorithm,
    /// Octets of a point.
    point: usize,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "p256",
        make: Key::p256,
        verification: &aws::ECDSA_P256_SHA256_ASN1,
        point: 65,
    },
    Kind {
        name: "p384",
        make: || Key::new(&PKCS_ECDSA_P384_SHA384, bare("1.2.840.10045.4.3.3")),
        verification: &aws::ECDSA_P384_SHA384_ASN1,
        point: 97,
    },
    Kind {
        name: "p521",
        make: || Key::new(&PKCS_ECDSA_P521_SHA512, bare("1.2.840.10045.4.3.4")),
        verification: &aws::ECDSA_P521_SHA512_ASN1,
        point: 133,
    },
];

type Make = fn(&World) -> Chain;
type Change = fn(&mut Certificate);
type Spki = fn() -> Vec<u8>;
type Sending = fn(&World, bool) -> (Ends, Vec<Vec<u8>>);

/// What is sent with keys of every kind.
const SENT: [(&str, Make); 19] = [
    ("honest", |w| {
        w.sent(&[w.own.clone(), w.middle.der.clone()], Verdict::Admitted)
    }),
    ("seven-roots-of-one-name", |w| {
        w.with(
            &w.own,
            7,
            |_, key| w.forged(key, &w.root.name, &w.root.name, key),
            "",
        )
    }),
    ("seven-namesakes-below-the-root", |w| {
        w.with(
            &w.direct(),
            7,
            |w, key| w.forged(key, &w.root.name, &w.root.name, &w.root.key),
            "",
        )
    }),
    ("seven-forgeries-of-the-root", |w| {
        w.with(
            &w.direct(),
            7,
            |w, key| w.forged(&w.root.key, &w.root.name, &w.root.name, key),
            "",
        )
    }),
    ("seven-forgeries-of-the-middle", |w| {
        w.with(
            &w.own,
            7,
            |w, key| w.forged(&w.middle.key, &w.middle.name, &w.root.name, key),
            "BadSignature",
        )
    }),
    ("forgeries-of-two-authorities", |w| {
        let low = |_: usize| w.forged(&w.low.key, &w.low.name, &w.middle.name, &(w.kind.make)());
        let high = |_: usize| w.forged(&w.middle.key, &w.middle.name, &w.root.name, &(w.kind.make)());
        let all: Vec<_> = std::iter::once(w.low.client(&w.key).signed(&w.low.key))
            .chain((0..3).map(low))
            .chain((0..4).map(high))
            .collect();
        w.sent(&all, Verdict::Refused(""))
    }),
    ("authorities-that-certify-each-other", |w| {
        let pairs = [
            (&w.low, &w.middle),
            (&w.middle, &w.low),
            (&w.low, &w.root),
            (&w.middle, &w.root),
        ];
        let crossed = pairs
            .iter()
            .map(|(of, by)| w.forged(&of.key, &of.name, &by.name, &(w.kind.make)()));
        let all: Vec<_> = std::iter::once(w.low.client(&w.key).signed(&w.low.key))
            .chain(crossed)
            .collect();
        w.sent(&all, Verdict::Refused("BadSignature"))
    }),
    ("a-circle-that-leads-nowhere", |w| {
        let names = [name("prima"), name("seconda")];
        let keys = [(w.kind.make)(), (w.kind.make)()];
        let made = |at: usize| {
            w.forged(
                &keys[at % 2],
                &names[at % 2],
                &names[(at + 1) % 2],
                &keys[(at + 1) % 2],
            )
        };
        let own = w.client(&names[0], &keys[0], |_| {});
        w.sent(&[own, made(0), made(1)], Verdict::Refused("UnknownIssuer"))
    }),
    ("one-certificate-seven-times", |w| {
        let forged = w.forged(&w.middle.key, &w.middle.name, &w.root.name, &(w.kind.make)());
        w.with(&w.own, 7, |_, _| forged.clone(), "BadSignature")
    }),
    ("revoked", |w| {
        w.revoked(w.with(&w.own, 1, |w, _| w.middle.der.clone(), "Revoked"))
    }),
    ("revoked-and-seven-namesakes", |w| {
        let mut chain = w.with(
            &w.own,
            6,
            |w, key| w.forged(key, &w.middle.name, &w.root.name, key),
            "Revoked",
        );
        chain.presented.push(w.middle.der.clone());
        w.revoked(chain)
    }),
    ("revoked-by-the-root-and-seven-namesakes", |w| {
        let own = w.root.client(&w.key).signed(&w.root.key);
        let chain = w.with(
            &own,
            7,
            |w, key| w.forged(key, &w.root.name, &w.root.name, key),
            "Revoked",
        );
        let mut lists = chain.lists.clone();
        lists[0] = w.root.list(&[OWN]).signed(&w.root.key);
        chain.lists(lists)
    }),
    ("an-issuer-that-nobody-knows", |w| {
        let other = Authority::root("nessuna", &(w.kind.make)(), NOW, |_| {});
        w.with(
            &other.client(&w.key).signed(&other.key),
            7,
            |_, key| other.sub("nessuna", key, |_| {}).der,
            "UnknownIssuer",
        )
    }),
    ("a-hundred-namesakes", |w| {
        w.with(
            &w.own,
            100,
            |w, key| w.forged(key, &w.root.name, &w.root.name, key),
            "",
        )
    }),
    ("another-key-and-seven-forgeries", |w| {
        let forged = |w: &World, key: &Rc<Key>| w.forged(&w.middle.key, &w.middle.name, &w.root.name, key);
        let mut chain = w.with(&w.own, 6, forged, "");
        chain.presented.push(w.middle.der.clone());
        chain.key(&(w.kind.make)())
    }),
    ("another-key", |w| {
        w.with(&w.own, 1, |w, _| w.middle.der.clone(), "BadSignature")
            .key(&(w.kind.make)())
    }),
    ("a-long-chain-not-signed", |w| {
        let all = [&w.low, &w.middle].map(|authority| authority.der.clone());
        let own = w.low.client(&w.key).signed(&(w.kind.make)());
        w.sent(
            &[[own].as_slice(), &all].concat(),
            Verdict::Refused("BadSignature"),
        )
    }),
    ("the-issuer-has-no-list", |w| {
        w.with(
            &w.own,
            7,
            |w, key| w.forged(key, &w.middle.name, &w.root.name, &w.root.key),
            "Unknown",
        )
    }),
    ("a-forged-certificate-of-15-KB", |w| {
        let mut large = w.certificate(&w.middle.key, &w.middle.name, &w.root.name);
        large
            .extensions
            .push(Extension::new("1.3.6.1.4.1.99999.7", false, vec![0; ROOM]));
        w.sent(
            &[w.own.clone(), large.signed(&w.middle.key)],
            Verdict::Refused("BadSignature"),
        )
    }),
];

/// What is odd in a client's certificate, which its authority has signed all the same.
const ODD: [(&str, Change); 15] = [
    ("names", |c| c.set(san(&vec![dns("a"); ROOM / 3]))),
    ("directory-names", |c| {
        c.set(san(&vec![directory(&name("a")); ROOM / 32]))
    }),
    ("purposes", |c| c.set(eku(&vec!["1.2.3"; ROOM / 4]))),
    ("policies", |c| {
        c.set(Extension::new(
            "2.5.29.32",
            false,
            tlv(0x30, &seq(&[&oid("1.2.3")]).repeat(ROOM / 6)),
        ))
    }),
    ("points", |c| {
        let point = seq(&[&tlv(0xa0, &tlv(0xa0, &uri("a")))]);
        c.set(Extension::new(
            "2.5.29.31",
            false,
            tlv(0x30, &point.repeat(ROOM / 9)),
        ));
    }),
    ("extensions", |c| {
        let id = |at: usize| -> &'static str { format!("1.3.{}", 1000 + at).leak() };
        c.extensions
            .extend((0..ROOM / 13).map(|at| Extension::new(id(at), false, vec![5, 0])));
    }),
    ("one-extension-again-and-again", |c| {
        c.extensions
            .extend(vec![Extension::new("1.2.3", false, vec![5, 0]); ROOM / 11])
    }),
    ("attributes", |c| {
        c.subject = seq(&[&attribute("2.5.4.11", 0x0c, "IPAIT-x").repeat(ROOM / 18)])
    }),
    ("attributes-in-one-set", |c| {
        let one = seq(&[&oid("2.5.4.11"), &tlv(0x0c, b"IPAIT-x")]);
        c.subject = seq(&[&tlv(0x31, &one.repeat(ROOM / 16))]);
    }),
    ("a-long-identifier", |c| {
        c.subject = seq(&[&tlv(
            0x31,
            &seq(&[
                &tlv(6, &[&[0x55], vec![0xff; ROOM].as_slice(), &[1]].concat()),
                &tlv(12, b"a"),
            ]),
        )])
    }),
    ("a-long-serial", |c| c.serial = vec![0x7f; ROOM]),
    ("a-deep-subject", |c| c.subject = nested(ROOM / 4)),
    ("a-deep-extension", |c| {
        c.extensions
            .push(Extension::new("1.2.3", false, nested(ROOM / 4)))
    }),
    ("a-deep-name", |c| {
        c.set(san(&[tlv(
            0xa0,
            &[oid("1.2.3"), tlv(0xa0, &nested(ROOM / 4))].concat(),
        )]))
    }),
    ("a-long-algorithm", |c| {
        c.algorithm = seq(&[&tlv(
            6,
            &[&[0x55], vec![0xff; ROOM / 2].as_slice(), &[1]].concat(),
        )])
    }),
];

/// Public keys that are odd.
const KEYS: [(&str, Spki); 8] = [
    ("rsa-8192", || rsa(&odd(1024), &[1, 0, 1])),
    ("rsa-8192-exponent-of-33-bits", || {
        rsa(&odd(1024), &[1, 0xff, 0xff, 0xff, 0xff])
    }),
    ("rsa-8192-exponent-of-8192-bits", || rsa(&odd(1024), &odd(1024))),
    ("rsa-16384", || rsa(&odd(2048), &[1, 0, 1])),
    ("rsa-200000", || rsa(&odd(25_000), &odd(1000))),
    ("rsa-even", || rsa(&[&odd(1024)[..1023], &[0]].concat(), &[2])),
    ("p521-not-a-point", || {
        seq(&[
            &seq(&[&oid(EC), &oid("1.3.132.0.35")]),
            &bits(&[&[4], [1; 132].as_slice()].concat()),
        ])
    }),
    ("a-point-of-15-KB", || {
        seq(&[&seq(&[&oid(EC), &oid("1.3.132.0.35")]), &bits(&vec![4; ROOM])])
    }),
];

const EC: &str = "1.2.840.10045.2.1";

/// Records that are odd: the bytes that a client sends instead of its hello or its last flight.
const RECORDS: [(&str, &str, Sending); 6] = [
    ("certificates-in-records-of-32-bytes", "13", |w, _| {
        let large = Extension::new("1.3.6.1.4.1.99999.7", false, vec![0; ROOM]);
        let own = w.client(&w.middle.name, &w.middle.key, |c| c.extensions.push(large));
        let mut ends = Chain {
            record: Some(32),
            ..w.sent(&[own.clone(), own], Verdict::Admitted)
        }
        .ends()
        .unwrap();
        let flight = flight(&mut ends);
        (ends, flight.chunks(32).map(<[u8]>::to_vec).collect())
    }),
    ("hello-in-records-of-one-byte", "13", |w, tls12| {
        let mut ends = w.ends(tls12);
        let hello = plain(&said(&mut ends.client));
        (ends, pieces(&hello, 1))
    }),
    ("a-hello-without-end-in-records-of-one-byte", "13", |w, tls12| {
        let ends = w.ends(tls12);
        (
            ends,
            pieces(
                &[&[1, 0, 0xff, 0xf0, 3, 3], vec![0; 60_000].as_slice()].concat(),
                1,
            ),
        )
    }),
    ("empty-records", "13", |w, tls12| {
        (w.ends(tls12), vec![vec![22, 3, 1, 0, 0]; MOST_RECORDS])
    }),
    ("alerts", "13", |w, tls12| {
        (w.ends(tls12), vec![vec![21, 3, 1, 0, 2, 1, 90]; MOST_RECORDS])
    }),
    ("certificates-in-records-of-one-byte", "12", |w, tls12| {
        let mut ends = w.ends(tls12);
        let flight = flight(&mut ends);
        let length = 5 + usize::from(u16::from_be_bytes([flight[3], flight[4]]));
        (ends, pieces(&plain(&flight[..length]), 1))
    }),
];

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.push(Case {
            name: format!("{}/verify", kind.name),
            prepare: Box::new(move || verification(kind)),
        });
        for (version, tls12) in [("13", false), ("12", true)] {
            all.extend(SENT.map(|(what, make)| {
                let prepare = Box::new(move || {
                    judged(Chain {
                        tls12,
                        ..make(&World::new(kind))
                    })
                });
                Case {
                    name: format!(
                        "{}/{version}/{}{what}",
                        kind.name,
                        if what == "honest" { "" } else { "chain-" }
                    ),
                    prepare,
                }
            }));
        }
    }
    let kind = KINDS[0];
    all.extend(ODD.map(|(what, odd)| {
        let prepare = Box::new(move || {
            let w = World::new(kind);
            last_flight(&w.sent(
                &[w.client(&w.middle.name, &w.middle.key, odd), w.middle.der.clone()],
                Verdict::Refused(""),
            ))
        });
        Case {
            name: format!("{}/13/odd-{what}", kind.name),
            prepare,
        }
    }));
    all.extend(ODD.map(|(what, odd)| {
        let prepare = Box::new(move || {
            let w = World::new(kind);
            let mut authority = w.certificate(&w.middle.key, &w.middle.name, &w.root.name);
            odd(&mut authority);
            authority.subject = w.middle.name.clone();
            last_flight(&w.sent(
                &[w.own.clone(), authority.signed(&w.root.key)],
                Verdict::Refused(""),
            ))
        });
        Case {
            name: format!("{}/13/authority-odd-{what}", kind.name),
            prepare,
        }
    }));
    all.extend(KEYS.map(|(what, key)| {
        let prepare = Box::new(move || {
            let w = World::new(kind);
            let own = w.client(&w.middle.name, &w.middle.key, |c| c.spki = key());
            last_flight(&w.sent(&[own, w.middle.der.clone()], Verdict::Refused("")))
        });
        Case {
            name: format!("{}/13/key-{what}", kind.name),
            prepare,
        }
    }));
    all.extend(RECORDS.map(|(what, version, make)| {
        let prepare = Box::new(move || {
            let (mut ends, records) = make(&World::new(kind), version == "12");
            Box::new(move || {
                for record in records.iter().take(MOST_RECORDS) {
                    if hear(&mut ends.server, record).is_err() {
                        return;
                    }
                }
            }) as Work
        });
        Case {
            name: format!("{}/{version}/{what}", kind.name),
            prepare,
        }
    }));
    all.push(Case {
        name: "p256/13/constraints-and-names".to_owned(),
        prepare: Box::new(move || {
            let mut w = World::new(kind);
            let bases: Vec<_> = (0..500).map(|at| dns(&format!("{at}.it"))).collect();
            w.middle = w
                .root
                .sub("intermedia", &w.middle.key, |c| c.set(constraints(&[], &bases)));
            let own = w.client(&w.middle.name, &w.middle.key, |c| {
                c.set(san(&vec![dns("a"); 2000]))
            });
            judged(w.sent(&[own, w.middle.der.clone()], Verdict::Refused("Bulk")))
        }),
    });
    all
}

/// The server hears a client's last flight, and judges it as the chain says.
fn judged(chain: Chain) -> Work {
    let mut ends = chain.ends().unwrap();
    let flight = flight(&mut ends);
    Box::new(move || {
        let judged = hear(&mut ends.server, &flight).map_err(|error| format!("{error:?}"));
        assert_eq!(chain.fault_of(&judged), None);
    })
}

/// The server hears a client's last flight, whatever it makes of it.
fn last_flight(chain: &Chain) -> Work {
    let mut ends = chain.ends().unwrap();
    let flight = flight(&mut ends);
    Box::new(move || {
        let _ = black_box(hear(&mut ends.server, &flight));
    })
}

/// What the client says last: its certificates, and the proof that it has the key.
fn flight(ends: &mut Ends) -> Vec<u8> {
    let hello = said(&mut ends.client);
    hear(&mut ends.server, &hello).unwrap();
    let answer = said(&mut ends.server);
    hear(&mut ends.client, &answer).unwrap();
    said(&mut ends.client)
}

/// One verification of a signature.
fn verification(kind: Kind) -> Work {
    let (key, message) = ((kind.make)(), b"un messaggio");
    let signature = key.sign(message);
    let public = aws::UnparsedPublicKey::new(
        kind.verification,
        key.spki[key.spki.len() - kind.point..].to_vec(),
    );
    Box::new(move || public.verify(message, &signature).unwrap())
}

/// A root, two authorities under it, and a client under the first of them.
struct World {
    kind: Kind,
    root: Authority,
    middle: Authority,
    /// Under the middle one.
    low: Authority,
    key: Rc<Key>,
    own: Vec<u8>,
}

/// The number of clients' certificates.
const OWN: &[u8] = &[0x41, 0x02, 0x03];

impl World {
    fn new(kind: Kind) -> Self {
        let root = Authority::root("radice", &(kind.make)(), NOW, |_| {});
        let middle = root.sub("intermedia", &(kind.make)(), |c| c.serial = vec![0x51]);
        let low = middle.sub("bassa", &(kind.make)(), |c| c.serial = vec![0x71]);
        let key = (kind.make)();
        let own = middle.client(&key).signed(&middle.key);
        Self {
            kind,
            root,
            middle,
            low,
            key,
            own,
        }
    }

    /// What is presented to a gateway that trusts the root and has everybody's list.
    fn sent(&self, presented: &[Vec<u8>], verdict: Verdict) -> Chain {
        Chain {
            name: "",
            verdict,
            presented: presented.to_vec(),
            key: self.key.clone(),
            anchors: vec![self.root.der.clone()],
            listers: Vec::new(),
            lists: Vec::new(),
            at: NOW,
            tls12: false,
            record: None,
        }
        .listed(&[&self.root, &self.middle, &self.low])
    }

    /// A client's certificate, and so many others, each made for a key of its own.
    fn with(
        &self,
        own: &[u8],
        count: usize,
        made: impl Fn(&Self, &Rc<Key>) -> Vec<u8>,
        words: &'static str,
    ) -> Chain {
        let others = (0..count).map(|_| made(self, &(self.kind.make)()));
        self.sent(
            &std::iter::once(own.to_vec()).chain(others).collect::<Vec<_>>(),
            Verdict::Refused(words),
        )
    }

    /// An authority's certificate: whose key and name, and by whose name it was issued.
    fn certificate(&self, key: &Rc<Key>, name: &[u8], issuer: &[u8]) -> Certificate {
        let mut certificate = self.middle.client(key);
        certificate.extensions = vec![basic(None), ku(CERT_SIGN | CRL_SIGN)];
        (certificate.subject, certificate.issuer) = (name.to_vec(), issuer.to_vec());
        certificate
    }

    /// The same, signed with any key.
    fn forged(&self, key: &Rc<Key>, name: &[u8], issuer: &[u8], signer: &Rc<Key>) -> Vec<u8> {
        let mut certificate = self.certificate(key, name, issuer);
        certificate.algorithm = signer.algorithm.clone();
        certificate.signed(signer)
    }

    /// A client's certificate of an authority, with one thing changed.
    fn client(&self, issuer: &[u8], signer: &Rc<Key>, change: impl FnOnce(&mut Certificate)) -> Vec<u8> {
        let mut certificate = self.middle.client(&self.key);
        certificate.issuer = issuer.to_vec();
        change(&mut certificate);
        certificate.signed(signer)
    }

    /// A client's certificate of the root that the root has not signed.
    fn direct(&self) -> Vec<u8> {
        self.client(&self.root.name, &(self.kind.make)(), |_| {})
    }

    /// The same, with the client on the list of the authority between.
    fn revoked(&self, chain: Chain) -> Chain {
        let mut lists = chain.lists.clone();
        lists[1] = self.middle.list(&[OWN]).signed(&self.middle.key);
        chain.lists(lists)
    }

    /// Both ends of an honest handshake.
    fn ends(&self, tls12: bool) -> Ends {
        Chain {
            tls12,
            ..self.sent(&[self.own.clone(), self.middle.der.clone()], Verdict::Admitted)
        }
        .ends()
        .unwrap()
    }
}

/// Sequences in each other, so many.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth.min(6000)).fold(Vec::new(), |inner, _| tlv(0x30, &inner))
}

/// An odd number of so many octets.
fn odd(octets: usize) -> Vec<u8> {
    vec![0x7f; octets]
}

/// An RSA key of this modulus and this exponent.
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    seq(&[
        &nulled("1.2.840.113549.1.1.1"),
        &bits(&seq(&[
            &integer(&[&[0, 0x80], modulus].concat()[..modulus.len() + 1]),
            &integer(exponent),
        ])),
    ])
}

/// What is in a flight of one plain record.
fn plain(flight: &[u8]) -> Vec<u8> {
    flight[5..].to_vec()
}

/// Handshake records of so many bytes each.
fn pieces(message: &[u8], octets: usize) -> Vec<Vec<u8>> {
    message
        .chunks(octets)
        .map(|piece| [&[22, 3, 3, 0, u8::try_from(piece.len()).unwrap()], piece].concat())
        .collect()
}
