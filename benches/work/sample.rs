//! The measure itself: work whose cost is known, so that a wrong measure shows.

use std::hint::black_box;

use varco::digest::sha256;

use super::{Case, Work};

/// The digest of one and of four times as many bytes.
pub(super) fn cases() -> Vec<Case> {
    [("digest-64KiB", 64 << 10), ("digest-256KiB", 256 << 10)]
        .into_iter()
        .map(|(name, length)| Case {
            name: name.to_owned(),
            prepare: Box::new(move || -> Work {
                let bytes = vec![0; length];
                Box::new(move || {
                    black_box(sha256(black_box(&bytes)));
                })
            }),
        })
        .collect()
}
