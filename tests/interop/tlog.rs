//! The tree, its checkpoint and its proofs, checked by Go's own implementation (`golang.org/x/mod/sumdb`), which
//! has nothing of ours.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::engine::Ground;
use varco::clock::Clock;
use varco::evidence::{checkpoint, epoch};
use varco::ledger::tree::{Tiles, TreeHash};
use varco::ledger::{Directory, Reader as _};

/// Entries of the ledger: more than two levels of full tiles would take minutes of syncing; the unit tests have
/// them.
const ENTRIES: usize = 20_000;
const LEAF_PROOFS: u64 = 10_000;
const TREE_PROOFS: u64 = 1_000;

/// Numbers that look drawn, and are the same in each run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn line(out: &mut String, kind: &str, first: u64, second: u64, path: &[TreeHash]) {
    let hashes: Vec<String> = path.iter().map(|hash| STANDARD.encode(hash)).collect();
    writeln!(out, "{kind} {first} {second} {}", hashes.join(",")).unwrap();
}

/// A ledger with many entries, closed.
fn written() -> kit::engine::Engine {
    let engine = Ground::new(Clock::system()).files();
    engine.block_on(async {
        engine.node.record_opening("start").await.unwrap();
        let mut left = ENTRIES;
        while left > 0 {
            let together = left.min(500);
            let many = (0..together).map(|_| engine.submit_if(&[], Vec::new()));
            for receipt in futures_join(many).await {
                receipt.unwrap();
            }
            left -= together;
        }
    });
    engine.node.close();
    engine
}

/// All of them at the same time.
async fn futures_join<T>(many: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = many.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn go(arguments: &[&Path], key: &str) -> (String, bool) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/tlog/main.go");
    let [tiles, checkpoint, leaves, proofs] = arguments else {
        panic!("four files")
    };
    let output = Command::new("go")
        .args(["run"])
        .arg(source)
        .args([tiles, checkpoint])
        .arg(key)
        .args([leaves, proofs])
        // What Debian packages is there as sources, and nothing is fetched.
        .envs([
            ("GO111MODULE", "off"),
            ("GOPATH", "/usr/share/gocode"),
            ("GOFLAGS", ""),
        ])
        .output()
        .expect("go runs: tests/install full brings it");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.success())
}

#[test]
fn gos_checksum_database_finds_the_same_tree_and_every_proof_good() {
    let engine = written();
    let data = engine.home.path().join("data");
    let directory = Directory::open(&data).unwrap();
    let mut leaves = Vec::new();
    let read = directory.reader().verify(&mut |entry| {
        leaves.extend_from_slice(&u32::try_from(entry.bytes.len()).unwrap().to_be_bytes());
        leaves.extend_from_slice(&entry.bytes);
    });
    let size = read.unwrap().0.entries;
    let signed = checkpoint::last(&directory.evidence()).unwrap().unwrap();
    assert_eq!(signed.head.size, size);
    let key = epoch::verification(&directory.keys()).unwrap();

    let (mut tiles, mut drawn, mut proofs) = (Tiles::new(directory.tiles()), Drawn(size), String::new());
    // Of few trees: Go makes the root of each anew.
    let sizes: Vec<u64> = (0..50)
        .map(|_| 1 + drawn.below(size))
        .chain([1, 2, 256, 257, 512, size])
        .collect();
    let some = |drawn: &mut Drawn| sizes[drawn.below(sizes.len() as u64) as usize];
    for _ in 0..LEAF_PROOFS {
        let size = some(&mut drawn);
        let index = drawn.below(size);
        line(
            &mut proofs,
            "leaf",
            index,
            size,
            &tiles.inclusion(index, size).unwrap(),
        );
    }
    for _ in 0..TREE_PROOFS {
        let (one, other) = (some(&mut drawn), some(&mut drawn));
        let (old, new) = (one.min(other), one.max(other));
        line(
            &mut proofs,
            "tree",
            old,
            new,
            &tiles.consistency(old, new).unwrap(),
        );
    }

    let home = engine.home.path();
    let put = |name: &str, bytes: &[u8]| {
        let path = home.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let note = put("checkpoint", signed.note.as_bytes());
    let all = put("leaves", &leaves);
    let proven = put("proofs", proofs.as_bytes());
    let own = directory.tiles();
    let (text, good) = go(&[&own, &note, &all, &proven], &key);
    assert!(good, "{text}");
    assert_eq!(
        text.trim(),
        format!("{size} leaves, {LEAF_PROOFS} proofs of leaves, {TREE_PROOFS} proofs of trees")
    );

    // It would say so: another checkpoint, another leaf, another proof.
    let forged = put(
        "forged",
        signed.note.replacen(&size.to_string(), "19999", 1).as_bytes(),
    );
    let mut other = leaves.clone();
    *other.last_mut().unwrap() ^= 1;
    let other = put("other", &other);
    let short = put(
        "short",
        proofs.replacen(',', " ,", 1).replacen(" ,", "", 1).as_bytes(),
    );
    for (note, leaves, proofs) in [
        (&forged, &all, &proven),
        (&note, &other, &proven),
        (&note, &all, &short),
    ] {
        let (text, good) = go(&[&own, note, leaves, proofs], &key);
        assert!(!good, "{text}");
    }
}
