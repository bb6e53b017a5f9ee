//! The test vectors of `docs/ledger.md`, made again.

use aws_lc_rs::hmac;

use super::permutation::Permutation;
use super::tree::{leaf_hash, root_of};
use super::{Blinding, batch, keys, seal};
use crate::digest::hex;

const KEY: [u8; 32] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31,
];

#[test]
fn the_specification_and_the_code_say_the_same() {
    let specification = include_str!("../../docs/ledger.md");
    let token = keys::token(&hmac::Key::new(hmac::HMAC_SHA256, &KEY), "cf", "RSSMRA70A01H501S");
    let commitment = Blinding::from_bytes(KEY).commit("request", b"<a/>");
    let earlier = Blinding::of_version_1(KEY).commit("request", b"<a/>");
    let sigillo = seal::sigillo(&(0..=99).collect::<Vec<u8>>());
    let (bytes, _) = batch::encode(
        1,
        &[batch::Raw {
            leaf: b"{\"v\":1}".to_vec(),
            sealed: bytes::Bytes::new(),
        }],
    );
    let permuted = Permutation::new(
        &hmac::Key::new(hmac::HMAC_SHA256, &KEY),
        "protocollo-2026",
        2_500_000_000,
    );
    let permuted = [0, 1, 2, 2_499_999_999]
        .map(|number| permuted.of(number).unwrap_or_default().to_string())
        .join(" ");
    let known = batch::entry_checksum(b"{\"v\":1}", &(0..=99).collect::<Vec<u8>>());
    let leaves = [&b"{\"v\":1}"[..], b"{\"v\":2}"].map(leaf_hash);
    for value in [
        hex(&leaves[0]),
        hex(&root_of(&leaves)),
        token,
        commitment,
        earlier,
        sigillo,
        hex(&bytes),
        permuted,
        format!("{known:08x}"),
    ] {
        assert!(
            specification.contains(&format!("`{value}`")),
            "not in docs/ledger.md: {value}"
        );
    }
}
