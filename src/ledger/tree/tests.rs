use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use uuid::Uuid;
use varco_verify::tree as reader;

use super::kept::TreeFollower;
use super::{Compared, Differs, Tree, leaf_hash, tile_path};

/// The bytes of a leaf.
fn leaf(number: u64) -> Vec<u8> {
    format!("{{\"v\":1,\"seq\":{number}}}").into_bytes()
}

fn opened(directory: &Path, head: u64) -> (Tree, TreeFollower) {
    Tree::open(directory, Uuid::nil(), head).unwrap()
}

/// Adds leaves up to a number, so many at a time.
fn grow(tree: &Tree, follower: &mut TreeFollower, to: u64, step: u64) {
    let mut from = tree.head().0;
    while from < to {
        let until = to.min(from + step);
        let hashes: Vec<_> = (from..until).map(|number| leaf_hash(&leaf(number))).collect();
        follower.take(&hashes).unwrap();
        from = until;
    }
}

/// Every file below a directory, with its bytes.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(here) = left.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// The root at each size, by the reader's own reckoning.
fn roots(to: u64) -> Vec<reader::Hash> {
    let mut growing = reader::Growing::default();
    let mut roots = vec![growing.root()];
    for number in 0..to {
        growing.add(reader::leaf_hash(&leaf(number)));
        roots.push(growing.root());
    }
    roots
}

#[test]
fn proofs_from_tiles_are_what_a_reader_expects() {
    let home = tempfile::tempdir().unwrap();
    let (tree, mut follower) = opened(home.path(), 0);
    const SIZE: u64 = 66_051;
    let roots = roots(SIZE);
    // In memory, at every size up to two tiles, and at the end.
    for size in 0..513 {
        grow(&tree, &mut follower, size, 1);
        assert_eq!(tree.head(), (size, roots[size as usize]));
    }
    grow(&tree, &mut follower, SIZE, 1000);
    assert_eq!(tree.head(), (SIZE, roots[SIZE as usize]));
    tree.write().unwrap();
    assert_eq!(tree.written(), SIZE);

    let mut tiles = tree.tiles();
    let edges = [
        1, 2, 3, 255, 256, 257, 511, 512, 513, 1023, 65_535, 65_536, 65_537, 65_792, 66_048, SIZE,
    ];
    for size in edges {
        let root = roots[size as usize];
        assert_eq!(tiles.root(size).unwrap(), root, "{size}");
        let indexes = [
            0,
            1,
            254,
            255,
            256,
            511,
            65_279,
            65_280,
            65_535,
            65_536,
            size / 2,
            size - 1,
        ];
        for index in indexes.into_iter().filter(|index| *index < size) {
            let path = tiles.inclusion(index, size).unwrap();
            let hash = reader::leaf_hash(&leaf(index));
            assert_eq!(
                reader::included(index, size, hash, &path),
                Some(root),
                "{index} of {size}"
            );
        }
        for old in edges.into_iter().filter(|old| *old <= size).chain([0]) {
            let path = tiles.consistency(old, size).unwrap();
            let (old, new) = ((old, &roots[old as usize]), (size, &root));
            assert!(reader::consistent(old, new, &path), "{} of {size}", old.0);
        }
    }
    assert!(tiles.inclusion(SIZE, SIZE).is_err());
    assert!(tiles.consistency(3, 2).is_err());
    // The tiles do not reach further.
    assert!(tiles.root(SIZE + 1).is_err());
}

#[test]
fn tiles_are_the_same_each_time_they_are_made() {
    const SIZE: u64 = 70_000;
    let made = |steps: &[u64], stops: &[u64]| {
        let home = tempfile::tempdir().unwrap();
        let mut reached = 0;
        for (step, stop) in steps.iter().zip(stops) {
            let (tree, mut follower) = opened(home.path(), reached);
            assert_eq!(tree.head().0, reached);
            grow(&tree, &mut follower, *stop, *step);
            crate::ledger::Follower::close(&mut follower).unwrap();
            reached = *stop;
        }
        files(home.path())
    };
    let once = made(&[SIZE], &[SIZE]);
    // The tree of the specification's example: 273 full tiles and a partial one, and so on above.
    let length = |level, number| once[&tile_path(level, number).display().to_string()].len() / 32;
    assert_eq!((length(0, 272), length(0, 273)), (256, 112));
    assert_eq!((length(1, 0), length(1, 1), length(2, 0)), (256, 17, 1));
    assert_eq!(once.len(), 274 + 2 + 1 + 1);
    assert_eq!(made(&[7, 1, 300, 4096], &[255, 256, 512, SIZE]), once);
    assert_eq!(made(&[100, 977], &[65_536, SIZE]), once);
}

#[test]
fn a_tree_goes_on_from_its_mark_whatever_came_after_it() {
    let home = tempfile::tempdir().unwrap();
    {
        let (tree, mut follower) = opened(home.path(), 0);
        grow(&tree, &mut follower, 1000, 10);
        crate::ledger::Follower::close(&mut follower).unwrap();
    }
    let whole = files(home.path());
    // A process that died: tiles were written after the mark, and what is in them is anything.
    {
        let (tree, mut follower) = opened(home.path(), 1000);
        grow(&tree, &mut follower, 70_000, 500);
        tree.write().unwrap();
        let partial = home.path().join(tile_path(0, 3));
        let mut file = OpenOptions::new().append(true).open(partial).unwrap();
        file.write_all(&[7; 77]).unwrap();
    }
    assert_ne!(files(home.path()), whole);
    {
        let (tree, _) = opened(home.path(), 70_000);
        assert_eq!(tree.head().0, 1000);
        assert_eq!(files(home.path()), whole);
    }
    // A log that is shorter than the mark, another ledger's, a mark that is damaged, tiles of others: anew.
    let begins_anew = |what: &str, head, change: &dyn Fn(&Path) -> io::Result<()>| {
        let copy = tempfile::tempdir().unwrap();
        for (name, bytes) in &whole {
            let path = copy.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        change(copy.path()).unwrap();
        let (tree, mut follower) = opened(copy.path(), head);
        assert_eq!(tree.head().0, 0, "{what}");
        grow(&tree, &mut follower, 1000, 10);
        crate::ledger::Follower::close(&mut follower).unwrap();
        assert_eq!(files(copy.path()), whole, "{what}");
    };
    begins_anew("shorter", 999, &|_| Ok(()));
    begins_anew("no mark", 1000, &|home| std::fs::remove_file(home.join("mark")));
    begins_anew("damaged mark", 1000, &|home| {
        std::fs::write(home.join("mark"), "VARCO-TREE 1 x 9\n")
    });
    begins_anew("a tile less", 1000, &|home| {
        std::fs::remove_file(home.join(tile_path(0, 3)))
    });
    begins_anew("another tile", 1000, &|home| {
        std::fs::write(home.join(tile_path(0, 3)), [7; 232 * 32])
    });
}

#[test]
fn a_leaf_or_a_tile_that_was_changed_is_found() {
    let home = tempfile::tempdir().unwrap();
    let (tree, mut follower) = opened(home.path(), 0);
    grow(&tree, &mut follower, 600, 600);
    crate::ledger::Follower::close(&mut follower).unwrap();
    let found = |changed: Option<u64>, skipped: Option<u64>| {
        let mut compared = Compared::new(Some(home.path().to_owned()));
        for number in (0..600).filter(|number| Some(*number) != skipped) {
            let bytes = if Some(number) == changed {
                b"{}".to_vec()
            } else {
                leaf(number)
            };
            compared.add(number + 1, &bytes);
        }
        compared.differs()
    };
    assert_eq!(found(None, None), None);
    assert_eq!(found(Some(0), None), Some(Differs::Leaf(1)));
    assert_eq!(found(Some(599), None), Some(Differs::Leaf(600)));
    // An entry that is missing is told by who reads the log.
    assert_eq!(found(None, Some(300)), None);
    std::fs::write(home.path().join(tile_path(1, 0)), [7; 64]).unwrap();
    assert_eq!(found(None, None), Some(Differs::Above(1, 0)));
    // What was not synced yet is not compared: a power cut may leave anything there.
    let mark = std::fs::read_to_string(home.path().join("mark")).unwrap();
    std::fs::write(home.path().join("mark"), mark.replace(" 600 ", " 255 ")).unwrap();
    assert_eq!(found(None, None), None);
    assert_eq!(found(Some(255), None), None);
    assert_eq!(found(Some(254), None), Some(Differs::Leaf(255)));
}
