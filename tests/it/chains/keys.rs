//! Keys and signatures: of which kind, how large, with which hash.

use std::rc::Rc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::signature::{RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512};
use rcgen::{
    PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA256, PKCS_ECDSA_P521_SHA384, PKCS_ECDSA_P521_SHA512,
    PKCS_ED25519, PKCS_ML_DSA_65,
};
use rcgen::{PKCS_RSA_SHA256, PKCS_RSA_SHA384, PKCS_RSA_SHA512, RsaKeySize};

use kit::chains::der::*;
use kit::chains::judge::{Case, World};
use kit::chains::maker::{Authority, ECDSA_SHA256, Key, RSA_SHA256, bare, nulled};

const EC: &str = "1.2.840.10045.2.1";
const RSA: &str = "1.2.840.113549.1.1.1";
const PSS: &str = "1.2.840.113549.1.1.10";
const P256: &str = "1.2.840.10045.3.1.7";
const ED25519: &str = "1.3.101.112";
const ML_DSA_65: &str = "2.16.840.1.101.3.4.3.18";

const UNLISTED: &str = "StatusUnknown";

/// An RSA key of which only the modulus' length matters: its first octet, and how many follow.
fn modulus(first: &[u8], rest: usize) -> Vec<u8> {
    let number = [first, &vec![0xa5; rest]].concat();
    seq(&[
        &nulled(RSA),
        &bits(&seq(&[&integer(&number), &integer(&[1, 0, 1])])),
    ])
}

/// A point of which only the curve and the length matter.
fn point(curve: &str, first: u8, octets: usize) -> Vec<u8> {
    seq(&[
        &seq(&[&oid(EC), &oid(curve)]),
        &bits(&[&[first], vec![0x11; octets].as_slice()].concat()),
    ])
}

fn rsa() -> Rc<Key> {
    Key::rsa(RsaKeySize::_2048, &PKCS_RSA_SHA256, RSA_SHA256)
}

/// secp256k1, which signs and is verified like P-256 but is another curve.
fn koblitz() -> Rc<Key> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256K1_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256K1_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let spki = seq(&[
        &seq(&[&oid(EC), &oid("1.3.132.0.10")]),
        &bits(pair.public_key().as_ref()),
    ]);
    Key::public(spki, bare(ECDSA_SHA256)).signing(bare(ECDSA_SHA256), move |bytes| {
        pair.sign(&random, bytes).unwrap().as_ref().to_vec()
    })
}

pub fn keys() -> Vec<Case> {
    let w = World::new();
    let own = |name, key: &Rc<Key>| {
        let key = key.clone();
        w.case(
            name,
            &[&w.middle.client(&key).signed(&w.middle.key), &w.middle.der],
        )
        .key(&key)
    };
    let public = |name, spki: Vec<u8>| own(name, &Key::public(spki, bare(ECDSA_SHA256)));
    let (small, kind) = ("Other(OtherError(Key))", "only the keys of the profile");
    let edwards = || Key::new(&PKCS_ED25519, bare(ED25519));
    let large = Key::rsa(RsaKeySize::_4096, &PKCS_RSA_SHA256, RSA_SHA256);
    let parameters = seq(&[
        &integer(&[1]),
        &seq(&[&oid("1.2.840.10045.1.1"), &integer(&[0x7f; 32])]),
    ]);
    let explicit = seq(&[
        &seq(&[&oid(EC), &parameters]),
        &bits(&[&[4], [0x11; 64].as_slice()].concat()),
    ]);
    let mut all = vec![
        own("key: RSA 2048", &rsa()).admitted(),
        own(
            "key: RSA 3072",
            &Key::rsa(RsaKeySize::_3072, &PKCS_RSA_SHA256, RSA_SHA256),
        )
        .admitted(),
        own("key: RSA 4096", &large).admitted(),
        own("key: P-256", &Key::p256()).admitted(),
        own(
            "key: P-384",
            &Key::new(&PKCS_ECDSA_P384_SHA384, bare("1.2.840.10045.4.3.3")),
        )
        .admitted(),
        own(
            "key: P-521",
            &Key::new(&PKCS_ECDSA_P521_SHA512, bare("1.2.840.10045.4.3.4")),
        )
        .admitted(),
        own("key: Ed25519", &edwards()).admitted(),
        own("key: RSA 2048, TLS 1.2", &rsa()).tls12().admitted(),
        own("key: P-256, TLS 1.2", &Key::p256()).tls12().admitted(),
        own("key: Ed25519, TLS 1.2", &edwards()).tls12().admitted(),
        own("key: secp256k1", &koblitz()).refused(small),
        public("key: RSA 512", modulus(&[0, 0xc5], 63)).refused(small),
        public("key: RSA 1024", modulus(&[0, 0xc5], 127)).refused(small),
        public("key: RSA 8192, no signature is its", modulus(&[0, 0xc5], 1023))
            .refused("UnsupportedSignatureAlgorithmForPublicKey"),
        public("key: RSA 8200", modulus(&[0, 0xc5], 1024))
            .stricter(small, "no algorithm here verifies with a longer one"),
        public("key: RSA 16384", modulus(&[0, 0xc5], 2047))
            .stricter(small, "no algorithm here verifies with a longer one"),
        public("key: RSA 2040", modulus(&[0, 0xc5], 254)).refused(small),
        public("key: RSA 2047", modulus(&[0x45], 255)).refused(small),
        public("key: RSA 2041, a zero before it", modulus(&[0, 1], 255)).refused(small),
        public("key: RSA 2047, TLS 1.2", modulus(&[0x45], 255))
            .tls12()
            .refused(small),
        public("key: P-192", point("1.2.840.10045.3.1.1", 4, 48)).refused(small),
        public("key: P-224", point("1.3.132.0.33", 4, 56)).refused(small),
        public("key: brainpoolP256r1", point("1.3.36.3.3.2.8.1.1.7", 4, 64)).stricter(small, kind),
        public("key: sect283k1", point("1.3.132.0.16", 4, 72)).refused(small),
        public("key: a curve in full instead of its name", explicit).refused(small),
        public(
            "key: an EC key without a curve",
            seq(&[&bare(EC), &bits(&[4; 65])]),
        )
        .refused(small),
        public("key: Ed448", seq(&[&bare("1.3.101.113"), &bits(&[7; 57])])).stricter(small, kind),
        public("key: X25519", seq(&[&bare("1.3.101.110"), &bits(&[7; 32])])).refused(small),
        public(
            "key: DSA",
            seq(&[&bare("1.2.840.10040.4.1"), &bits(&integer(&[0x55; 256]))]),
        )
        .refused(small),
        public(
            "key: RSA for PSS alone",
            seq(&[&bare(PSS), &modulus(&[0, 0xc5], 255)[19..]]),
        )
        .stricter(small, kind),
        public("key: ML-DSA-65", seq(&[&bare(ML_DSA_65), &bits(&[7; 1952])])).stricter(small, kind),
        public(
            "key: RSA without a number",
            seq(&[&nulled(RSA), &bits(&seq(&[]))]),
        )
        .refused(small),
        public("key: none", seq(&[&bare(EC), &bits(&[])])).refused(small),
        // The possession of the key is proven with another's.
        w.client("key: of somebody else", |_| {})
            .key(&Key::p256())
            .refused("BadSignature"),
        w.client("key: of somebody else, TLS 1.2", |_| {})
            .tls12()
            .key(&Key::p256())
            .refused("BadSignature"),
        // Not on the curve, or not as TLS wants it written: no signature is its.
        public("key: P-256, a point that is not on it", point(P256, 4, 64)).refused("BadSignature"),
        public("key: P-256, compressed", point(P256, 2, 32)).refused("BadSignature"),
    ];
    let authority = |name, key: &Rc<Key>, signing: &Rc<Key>| {
        let middle = w.root.sub("intermedia", signing, |c| c.spki = key.spki.clone());
        let own = middle.client(&w.own).signed(signing);
        (w.case(name, &[&own, &middle.der]), middle)
    };
    let good = |name, key: &Rc<Key>| {
        let (case, middle) = authority(name, key, key);
        case.under(&middle).admitted()
    };
    all.extend([
        good("key of the authority: RSA 2048", &rsa()),
        good("key of the authority: RSA 4096", &large),
        good(
            "key of the authority: P-384",
            &Key::new(&PKCS_ECDSA_P384_SHA384, bare("1.2.840.10045.4.3.3")),
        ),
        good(
            "key of the authority: P-521",
            &Key::new(&PKCS_ECDSA_P521_SHA512, bare("1.2.840.10045.4.3.4")),
        ),
        good("key of the authority: Ed25519", &edwards()),
        authority("key of the authority: secp256k1", &koblitz(), &koblitz())
            .0
            .refused(UNLISTED),
    ]);
    // No list of such a key is believed, and without a list its signatures are not looked at.
    let weak = |name, spki: Vec<u8>, algorithm: Vec<u8>| {
        let key = Key::public(spki, algorithm);
        authority(name, &key, &key).0.refused(UNLISTED)
    };
    all.extend([
        weak(
            "key of the authority: RSA 1024",
            modulus(&[0, 0xc5], 127),
            nulled(RSA_SHA256),
        ),
        weak(
            "key of the authority: RSA 2047",
            modulus(&[0x45], 255),
            nulled(RSA_SHA256),
        ),
        weak(
            "key of the authority: P-224",
            point("1.3.132.0.33", 4, 56),
            bare(ECDSA_SHA256),
        ),
        weak(
            "key of the authority: EC, signing as RSA",
            point(P256, 4, 64),
            nulled(RSA_SHA256),
        ),
    ]);
    // Of another kind above the authority between, which webpki would verify.
    let root = Authority::root(
        "radice",
        &Key::new(&PKCS_ML_DSA_65, bare(ML_DSA_65)),
        w.now,
        |_| {},
    );
    let middle = root.sub("intermedia", &w.middle.key, |_| {});
    let own = w.own(|_| {});
    all.push(
        w.case("signature of the authority: ML-DSA-65", &[&own, &middle.der])
            .trusting(&[&root])
            .stricter(UNLISTED, "only the profile's"),
    );
    let middle = w
        .root
        .sub("intermedia", &Key::new(&PKCS_ML_DSA_65, bare(ML_DSA_65)), |_| {});
    let own = middle.client(&w.own).signed(&middle.key);
    all.push(
        w.case("signature: ML-DSA-65", &[&own, &middle.der])
            .stricter(UNLISTED, "only the profile's"),
    );
    all
}

/// The parameters of RSASSA-PSS.
fn pss(hash: &str, salt: u8) -> Vec<u8> {
    let digest = nulled(hash);
    let mask = seq(&[&oid("1.2.840.113549.1.1.8"), &digest]);
    seq(&[
        &oid(PSS),
        &seq(&[
            &tlv(0xa0, &digest),
            &tlv(0xa1, &mask),
            &tlv(0xa2, &integer(&[salt])),
        ]),
    ])
}

fn signing_pss(key: &Key, algorithm: Vec<u8>, encoding: &'static dyn RsaEncoding) -> Rc<Key> {
    let pair = RsaKeyPair::from_pkcs8(&key.pkcs8).unwrap();
    key.signing(algorithm, move |bytes| {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), bytes, &mut signature)
            .unwrap();
        signature
    })
}

pub fn signatures() -> Vec<Case> {
    let w = World::new();
    let (sha256, sha384, sha512) = (
        "2.16.840.1.101.3.4.2.1",
        "2.16.840.1.101.3.4.2.2",
        "2.16.840.1.101.3.4.2.3",
    );
    let (rsa, unsupported, bad) = (rsa(), "UnsupportedSignatureAlgorithm", "BadSignature");
    // An authority that signs certificates in the way of `key`, and lists with the same key in the way of
    // `lists`.
    let signing = |name, key: &Rc<Key>, lists: &Rc<Key>| {
        let (middle, lister) = (
            w.root.sub("intermedia", key, |_| {}),
            w.root.sub("intermedia", lists, |_| {}),
        );
        w.case(name, &[&middle.client(&w.own).signed(key), &middle.der])
            .under(&lister)
    };
    let by = |name, key: &Rc<Key>| signing(name, key, &rsa);
    let rsa_with = |kind, algorithm: &str| Key::rsa(RsaKeySize::_2048, kind, algorithm);
    let good = |name, key: &Rc<Key>, lists: &Rc<Key>| signing(name, key, lists).admitted();
    let p521 = |kind, algorithm: &str| {
        let key = Key::new(kind, bare(algorithm));
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_ASN1_SIGNING, &key.pkcs8).unwrap();
        let sign = move |bytes: &[u8]| pair.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec();
        let lists = key.signing(bare("1.2.840.10045.4.3.4"), sign);
        (key, lists)
    };
    let (p521_sha256, p521_sha256_lists) = p521(&PKCS_ECDSA_P521_SHA256, ECDSA_SHA256);
    let (p521_sha384, p521_sha384_lists) = p521(&PKCS_ECDSA_P521_SHA384, "1.2.840.10045.4.3.3");
    let (p521_sha512, p384) = (
        Key::new(&PKCS_ECDSA_P521_SHA512, bare("1.2.840.10045.4.3.4")),
        Key::new(&PKCS_ECDSA_P384_SHA384, bare("1.2.840.10045.4.3.3")),
    );
    let (rsa_sha384, rsa_sha512) = (
        rsa_with(&PKCS_RSA_SHA384, "1.2.840.113549.1.1.12"),
        rsa_with(&PKCS_RSA_SHA512, "1.2.840.113549.1.1.13"),
    );
    let zeros = |algorithm: Vec<u8>| rsa.signing(algorithm, |_| vec![0x11; 256]);
    let in_place = |algorithm: Vec<u8>| {
        let key = rsa.clone();
        rsa.signing(algorithm, move |bytes| key.sign(bytes))
    };
    let mut all = vec![
        good("signature: RSA, SHA-256", &rsa, &rsa),
        good("signature: RSA, SHA-384", &rsa_sha384, &rsa_sha384),
        good("signature: RSA, SHA-512", &rsa_sha512, &rsa_sha512),
        good(
            "signature: PSS, SHA-256",
            &signing_pss(&rsa, pss(sha256, 32), &RSA_PSS_SHA256),
            &rsa,
        ),
        good(
            "signature: PSS, SHA-384",
            &signing_pss(&rsa, pss(sha384, 48), &RSA_PSS_SHA384),
            &rsa,
        ),
        good(
            "signature: PSS, SHA-512",
            &signing_pss(&rsa, pss(sha512, 64), &RSA_PSS_SHA512),
            &rsa,
        ),
        good("signature: P-384, SHA-384", &p384, &p384),
        good("signature: P-521, SHA-256", &p521_sha256, &p521_sha256_lists),
        good("signature: P-521, SHA-384", &p521_sha384, &p521_sha384_lists),
        good("signature: P-521, SHA-512", &p521_sha512, &p521_sha512),
        good(
            "signature: RSA, parameters left out",
            &in_place(bare(RSA_SHA256)),
            &rsa,
        ),
        by("signature: RSA, MD2", &zeros(nulled("1.2.840.113549.1.1.2"))).refused(unsupported),
        by("signature: RSA, MD5", &zeros(nulled("1.2.840.113549.1.1.4"))).refused(unsupported),
        by("signature: RSA, SHA-1", &zeros(nulled("1.2.840.113549.1.1.5"))).refused(unsupported),
        by("signature: RSA, SHA-224", &zeros(nulled("1.2.840.113549.1.1.14"))).refused(unsupported),
        by(
            "signature: RSA, SHA-1, the old name",
            &zeros(nulled("1.3.14.3.2.29")),
        )
        .refused(unsupported),
        by("signature: PSS, SHA-1", &zeros(pss("1.3.14.3.2.26", 20))).refused(unsupported),
        by(
            "signature: PSS, by default SHA-1",
            &zeros(seq(&[&oid(PSS), &seq(&[])])),
        )
        .refused(unsupported),
        by(
            "signature: PSS, a salt of another length",
            &signing_pss(&rsa, pss(sha256, 20), &RSA_PSS_SHA256),
        )
        .refused(unsupported),
        by(
            "signature: PSS, said to be PKCS #1",
            &signing_pss(&rsa, nulled(RSA_SHA256), &RSA_PSS_SHA256),
        )
        .refused(bad),
        by(
            "signature: SHA-256, said to be SHA-512",
            &in_place(nulled("1.2.840.113549.1.1.13")),
        )
        .refused(bad),
        by("signature: ECDSA, SHA-1", &zeros(bare("1.2.840.10045.4.1"))).refused(unsupported),
        by("signature: ECDSA, SHA-224", &zeros(bare("1.2.840.10045.4.3.1"))).refused(unsupported),
        by("signature: DSA, SHA-256", &zeros(bare("2.16.840.1.101.3.4.3.2"))).refused(unsupported),
        by(
            "signature: an algorithm that nobody knows",
            &zeros(bare("1.3.6.1.4.1.99999.2")),
        )
        .refused(unsupported),
        by("signature: ECDSA said, RSA's key", &zeros(bare(ECDSA_SHA256))).refused(unsupported),
    ];
    let root = Authority::root("radice", &rsa, w.now, |_| {});
    let sha1 = Authority::root("radice", &zeros(nulled("1.2.840.113549.1.1.5")), w.now, |_| {});
    let own = w.own(|_| {});
    for (name, signer, words) in [
        ("signature of the authority: RSA, SHA-1", &sha1, unsupported),
        ("signature of the root: RSA", &root, ""),
    ] {
        let middle = signer.sub("intermedia", &w.middle.key, |_| {});
        let mut case = w.case(name, &[&own, &middle.der]).trusting(&[&root]);
        (case.listers, case.lists) = (Vec::new(), Vec::new());
        let case = case.listed(&[&root, &w.middle]);
        all.push(if words.is_empty() {
            case.admitted()
        } else {
            case.refused(words)
        });
    }
    // What a root says of itself is not asked: it is trusted as it is.
    let renamed = Authority {
        key: rsa.clone(),
        ..sha1.clone()
    };
    let middle = renamed.sub("intermedia", &w.middle.key, |_| {});
    let mut case = w
        .case(
            "signature of the root on itself: SHA-1",
            &[&own, &middle.der, &renamed.der],
        )
        .trusting(&[&renamed]);
    (case.listers, case.lists) = (Vec::new(), Vec::new());
    all.push(case.listed(&[&renamed, &w.middle]).admitted());

    let mismatch = "SignatureAlgorithmMismatch";
    let good = w.middle.client(&w.own).signed(&w.middle.key);
    let spoiled = |at: usize| {
        let mut der = good.clone();
        let at = if at == 0 { der.len() - 1 } else { at };
        der[at] ^= 1;
        der
    };
    let written = |name, signature: Vec<u8>| {
        w.case(
            name,
            &[&w.middle.client(&w.own).with_signature(&signature), &w.middle.der],
        )
    };
    let subject = good.windows(7).position(|window| window == b"cliente").unwrap();
    all.extend([
        w.client("signature: another outside than inside", |c| {
            c.outer = Some(nulled(RSA_SHA256))
        })
        .refused(mismatch),
        w.client("signature: parameters outside alone", |c| {
            c.outer = Some(nulled(ECDSA_SHA256))
        })
        .refused(mismatch),
        w.client("signature: another inside than outside", |c| {
            (c.outer, c.algorithm) = (Some(c.algorithm.clone()), bare("1.2.840.10045.4.3.3"));
        })
        .refused(mismatch),
        w.between("signature of the authority: another outside than inside", |c| {
            c.outer = Some(nulled(RSA_SHA256))
        })
        .refused(mismatch),
        w.case("signature: the last bit wrong", &[&spoiled(0), &w.middle.der])
            .refused(bad),
        w.case(
            "signature: the subject changed after it",
            &[&spoiled(subject), &w.middle.der],
        )
        .refused(bad),
        w.case(
            "signature: of another authority's key",
            &[&w.middle.client(&w.own).signed(&w.root.key), &w.middle.der],
        )
        .refused(bad),
        w.case(
            "signature: of one's own key",
            &[&w.middle.client(&w.own).signed(&w.own), &w.middle.der],
        )
        .refused(bad),
        written("signature: empty", bits(&[])).refused(bad),
        written("signature: not even bits", vec![3, 0]).refused("BadEncoding"),
        written("signature: zeros", bits(&[0; 72])).refused(bad),
        written(
            "signature: ECDSA of zeros",
            bits(&seq(&[&integer(&[0]), &integer(&[0])])),
        )
        .refused(bad),
        written("signature: bits left over", tlv(3, &[1, 0xfe])).refused("BadEncoding"),
        written("signature: an octet string", tlv(4, &[0; 70])).refused("BadEncoding"),
    ]);
    let mut spoiled = w.middle.der.clone();
    *spoiled.last_mut().unwrap() ^= 1;
    all.push(
        w.case(
            "signature of the authority: the last bit wrong",
            &[&good, &spoiled],
        )
        .refused(bad),
    );
    all
}
