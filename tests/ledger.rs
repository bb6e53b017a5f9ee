//! The ledger against damage: flipped bytes, truncations, torn tails. Everything is refused at the right offset, or cut whole; nothing is silent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use varco::clock::Clock;
use varco::gateway::node::Node;
use varco::ledger::disk::RealDisk;
use varco::ledger::segments::{self, SegmentLog};
use varco::ledger::{Blinding, Body, Directory, Kind, LogError, Retention, Secret, Submission, batch, new_exchange};

const SEGMENT: u64 = 96 * 1024;

/// Memory where the machine has it: these tests are about bytes, and write them a hundred thousand times.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// A ledger of several segments with sealed parts in it, cleanly closed; `HEAD` as it was while it was open.
struct Sample {
    home: TempDir,
    directory: Directory,
    open_head: Vec<u8>,
}

impl Sample {
    fn new(entries: usize) -> Self {
        Self::in_segments(entries, SEGMENT)
    }

    fn in_segments(entries: usize, size: u64) -> Self {
        let home = scratch();
        let clock = Clock::system();
        let directory = Directory::create(&home.path().join("data"), new_exchange(clock.now()).unwrap()).unwrap();
        let node = Node::open(&directory, &clock, Arc::new(RealDisk), size).unwrap();
        let runtime = runtime();
        for index in 0..entries {
            let now = clock.now();
            let body = Body::new(Kind::Admin, Retention::Sistema, new_exchange(now).unwrap(), now).fact("indice", index);
            let secret = Secret { reason: Some("x".repeat(index * 37 % 900)), ..Secret::default() };
            let sealed = node.ledger.prepare(body.clone(), &secret, &Blinding::new().unwrap(), 0, now).unwrap();
            let open = node.ledger.prepare_open(body).unwrap();
            let submission = Submission { drafts: vec![sealed, open], preconditions: Vec::new() };
            runtime.block_on(node.ledger.committer.submit(submission)).unwrap();
        }
        let open_head = std::fs::read(directory.segments().join("HEAD")).unwrap();
        node.close();
        Self { home, directory, open_head }
    }

    fn segments(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.directory.segments())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
            .collect();
        files.sort();
        files
    }

    fn verify(&self) -> Result<segments::Verified, LogError> {
        segments::verify(&self.directory.segments(), self.directory.ledger, &mut |_| Ok(()))
    }

    fn open(&self) -> Result<segments::Recovery, LogError> {
        SegmentLog::open(&self.directory.segments(), self.directory.ledger, Arc::new(RealDisk), SEGMENT).map(|(_, recovery)| recovery)
    }

    fn head(&self) -> PathBuf {
        self.directory.segments().join("HEAD")
    }
}

/// Where the batches of a segment start, and where the last ends.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let mut at = vec![batch::SEGMENT_HEADER];
    while let Some(last) = at.last().copied().filter(|last| *last < bytes.len()) {
        at.push(last + batch::decode(&bytes[last..]).unwrap().length);
    }
    at
}

/// A generator of our own, so that a failure can be made again.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 20).unwrap()
}

#[test]
fn a_flipped_byte_at_each_of_two_thousand_places_is_refused_where_it_is() {
    let sample = Sample::new(220);
    let files = sample.segments();
    assert!(files.len() >= 3, "{} segments", files.len());
    let clean = sample.verify().unwrap();
    assert_eq!((clean.entries, clean.tail), (440, 0));
    let originals: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let total: usize = originals.iter().map(Vec::len).sum();
    let mut seed = 0x1234_5678_9abc_def1;
    for _ in 0..2000 {
        let mut place = random(&mut seed) % total;
        let index = originals.iter().position(|bytes| {
            let here = place < bytes.len();
            if !here {
                place -= bytes.len();
            }
            here
        });
        let index = index.unwrap();
        let mut bytes = originals[index].clone();
        bytes[place] ^= 1 << (random(&mut seed) % 8);
        std::fs::write(&files[index], &bytes).unwrap();
        let start = match place {
            0..batch::SEGMENT_HEADER => 0,
            _ => boundaries(&originals[index]).into_iter().take_while(|start| *start <= place).last().unwrap(),
        };
        match sample.verify() {
            Err(LogError::Corrupt { file, offset, .. }) => {
                let name = files[index].file_name().unwrap().to_str().unwrap();
                // A header that names a wrong length accuses the segment before it, at the length it names.
                assert_eq!((file.as_str(), offset), (name, start as u64), "byte {place} of {name}");
            }
            other => panic!("byte {place} of segment {index}: {other:?}"),
        }
        // The last segment is read whole at each start: what verification refuses, a start refuses.
        if index + 1 == files.len() {
            assert!(sample.open().is_err(), "byte {place} of the last segment");
        }
        std::fs::write(&files[index], &originals[index]).unwrap();
    }
    sample.verify().unwrap();
    drop(sample.home);
}

#[test]
fn every_truncation_of_the_last_64_kib_is_refused_or_cut_whole() {
    let sample = Sample::in_segments(90, u64::MAX);
    let files = sample.segments();
    let last = files.last().unwrap();
    let bytes = std::fs::read(last).unwrap();
    let starts = boundaries(&bytes);
    let (head, clean_head) = (sample.head(), std::fs::read(sample.head()).unwrap());
    let shortest = bytes.len().saturating_sub(64 * 1024).max(batch::SEGMENT_HEADER);
    assert!(bytes.len() - shortest > 40_000, "only {} bytes to truncate", bytes.len() - shortest);
    for length in shortest..bytes.len() {
        let boundary = starts.iter().copied().take_while(|start| *start <= length).last().unwrap();
        // After a clean stop it is known what must be there.
        std::fs::write(&head, &clean_head).unwrap();
        std::fs::write(last, &bytes[..length]).unwrap();
        match sample.open() {
            Err(LogError::Corrupt { offset, .. }) => assert_eq!(offset, boundary as u64, "length {length}"),
            other => panic!("length {length} after a clean stop: {other:?}"),
        }
        // After a crash it is a torn tail: cut whole, kept beside, said.
        std::fs::write(&head, &sample.open_head).unwrap();
        let recovery = sample.open().unwrap();
        let cut = recovery.cut.map(|(_, offset, torn)| (offset, torn));
        let expected = (length > boundary).then_some((boundary as u64, (length - boundary) as u64));
        assert_eq!(cut, expected, "length {length} after a crash");
        assert_eq!(std::fs::metadata(last).unwrap().len(), boundary as u64);
        if let Some((offset, torn)) = expected {
            let beside = last.with_extension(format!("torn-{offset}"));
            assert_eq!(std::fs::read(beside).unwrap().len() as u64, torn);
        }
    }
}

#[test]
fn a_bad_batch_in_the_middle_of_the_last_segment_is_corruption_even_after_a_crash() {
    let sample = Sample::new(40);
    let last = sample.segments().pop().unwrap();
    let bytes = std::fs::read(&last).unwrap();
    let starts = boundaries(&bytes);
    let (middle, end) = (starts[starts.len() / 2], starts[starts.len() - 2]);
    std::fs::write(sample.head(), &sample.open_head).unwrap();
    let mut bad = bytes.clone();
    bad[middle + 20] ^= 0x40; // the length: only the search for a later batch finds the truth
    std::fs::write(&last, &bad).unwrap();
    assert!(matches!(sample.open(), Err(LogError::Corrupt { offset, .. }) if offset == middle as u64));
    let mut bad = bytes.clone();
    bad[end + 40] ^= 1;
    std::fs::write(&last, &bad).unwrap();
    assert_eq!(sample.open().unwrap().cut.map(|(_, offset, _)| offset), Some(end as u64));
}

#[test]
fn a_missing_foreign_or_misnamed_segment_is_refused() {
    let sample = Sample::new(220);
    let files = sample.segments();
    let aside = sample.home.path().join("aside");
    for file in &files {
        std::fs::rename(file, &aside).unwrap();
        assert!(sample.verify().is_err(), "without {}", file.display());
        std::fs::rename(&aside, file).unwrap();
    }
    let other = Sample::new(10);
    let foreign = std::fs::read(&other.segments()[0]).unwrap();
    let own = std::fs::read(&files[0]).unwrap();
    std::fs::write(&files[0], foreign).unwrap();
    assert!(matches!(sample.verify(), Err(LogError::Corrupt { offset: 0, .. })));
    std::fs::write(&files[0], own).unwrap();
    std::fs::write(sample.head(), "VARCO-HEAD 1 1 64 0 clean 00000000\n").unwrap();
    assert!(sample.open().is_err(), "a damaged HEAD is no evidence");
}

#[test]
fn erasing_a_sealed_part_leaves_every_checksum_and_commitment_in_place() {
    let sample = Sample::new(20);
    let file = &sample.segments()[0];
    let mut bytes = std::fs::read(file).unwrap();
    let start = boundaries(&bytes)[4];
    let span = batch::decode(&bytes[start..]).unwrap().spans[0].sealed.clone();
    let slot = start + span.start + batch::SLOT.start..start + span.start + batch::SLOT.end;
    bytes[slot].fill(0);
    std::fs::write(file, &bytes).unwrap();
    let report = varco::commands::ledger::verify(&sample.directory).unwrap();
    assert_eq!((report.erased, report.opened, report.read.entries), (1, 19, 40));
}

#[test]
fn a_backup_is_a_ledger_of_its_own_and_has_no_keys() {
    let sample = Sample::new(60);
    let target = sample.home.path().join("copy");
    sample.directory.backup(&target).unwrap();
    assert!(!target.join("keys").exists());
    let copy = Directory::open(&target).unwrap();
    let report = varco::commands::ledger::verify(&copy).unwrap();
    assert_eq!((report.read.entries, report.missing), (120, 60));
    std::fs::create_dir(target.join("keys")).unwrap();
    for name in ["master.key", "keyring"] {
        std::fs::copy(sample.directory.keys().join(name), target.join("keys").join(name)).unwrap();
    }
    assert_eq!(varco::commands::ledger::verify(&copy).unwrap().opened, 60);
    let node = Node::open(&copy, &Clock::system(), Arc::new(RealDisk), SEGMENT).unwrap();
    node.close();
}

#[test]
fn a_second_process_is_refused() {
    let sample = Sample::new(1);
    let _lock = sample.directory.lock().unwrap();
    assert!(Node::open(&sample.directory, &Clock::system(), Arc::new(RealDisk), SEGMENT).is_err());
}

#[test]
fn a_change_of_segment_cut_short_is_set_aside() {
    let sample = Sample::new(20);
    // What a full disk or a power cut leaves of a new segment: its name, and not its header.
    for content in [Vec::new(), vec![0; 64]] {
        let begun = sample.directory.segments().join("00000000000000000041.seg");
        std::fs::write(&begun, &content).unwrap();
        assert_eq!(sample.verify().unwrap().entries, 40, "readers do not see it");
        let recovery = sample.open().unwrap();
        assert_eq!(recovery.cut, Some(("00000000000000000041.seg".to_owned(), 0, content.len() as u64)));
        assert!(!begun.exists() && begun.with_extension("torn-0").exists());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Records a start, which makes the keys that it needs, and stops; the keyring and what it holds then.
fn keyring_after_a_start(sample: &Sample, node: &Node) -> (PathBuf, Vec<u8>) {
    runtime().block_on(node.record_opening("start")).unwrap();
    node.close();
    let ring = sample.directory.keys().join("keyring");
    let bytes = std::fs::read(&ring).unwrap();
    (ring, bytes)
}

#[test]
fn an_older_keyring_is_refused_and_recovery_is_never_swallowed() {
    let sample = Sample::new(3);
    let clock = Clock::system();
    let open = || Node::open(&sample.directory, &clock, Arc::new(RealDisk), SEGMENT);
    let (ring, bytes) = keyring_after_a_start(&sample, &open().unwrap());
    std::fs::write(&ring, &bytes[..bytes.len() - 128]).unwrap();
    assert!(open().unwrap_err().to_string().contains("keyring has fewer keys"));
    std::fs::write(&ring, &bytes).unwrap();
    // A torn tail that a short command finds is said by that command.
    let last = sample.segments().pop().unwrap();
    let mut torn = std::fs::read(&last).unwrap();
    torn.extend([1, 2, 3]);
    std::fs::write(&last, &torn).unwrap();
    let node = open().unwrap();
    runtime().block_on(node.record_recovery()).unwrap();
    node.close();
    let entries = segments::read_from(&sample.directory.segments(), 1, usize::MAX).unwrap();
    let said = entries.last().unwrap();
    assert_eq!(said.leaf.body.facts["dati"]["coda_tagliata"]["bytes"], 3, "{}", String::from_utf8_lossy(&said.bytes));
}

#[test]
fn a_key_of_which_a_power_cut_left_zeros_was_never_used() {
    let sample = Sample::new(3);
    let clock = Clock::system();
    let open = || Node::open(&sample.directory, &clock, Arc::new(RealDisk), SEGMENT);
    let (ring, bytes) = keyring_after_a_start(&sample, &open().unwrap());
    let with = |more: usize| std::fs::write(&ring, [bytes.as_slice(), &vec![0; more]].concat()).unwrap();
    // The length of the file was durable, and its content not.
    for more in [128, 128 + 5] {
        with(more);
        assert_eq!(varco::commands::ledger::verify(&sample.directory).unwrap().opened, 3, "readers do not see it");
        open().unwrap().close();
        assert_eq!(std::fs::read(&ring).unwrap(), bytes);
    }
    // Keys are synced one by one: two of zeros, or one that was used, are damage.
    with(256);
    assert!(open().unwrap_err().to_string().contains("cannot be opened"));
    std::fs::write(&ring, [&bytes[..bytes.len() - 128], &[0; 128]].concat()).unwrap();
    assert!(open().unwrap_err().to_string().contains("keyring has fewer keys"));
}

#[test]
fn what_was_recorded_since_an_instant_is_what_a_reading_of_everything_finds() {
    let sample = Sample::new(220);
    assert!(sample.segments().len() >= 3);
    let mut all = Vec::new();
    let directory = sample.directory.segments();
    segments::verify(&directory, sample.directory.ledger, &mut |entry| {
        all.push((entry.leaf.seq, entry.leaf.recorded, entry.leaf.body.received, entry.leaf.body.kind));
        Ok(())
    })
    .unwrap();
    for at in ["", "9"].into_iter().chain(all.iter().step_by(29).map(|(_, recorded, ..)| recorded.as_str())) {
        let mut found = Vec::new();
        segments::recorded_since(&directory, at, &mut |glance| {
            found.push((glance.seq, glance.recorded.to_string(), glance.received.to_string(), glance.kind));
        })
        .unwrap();
        found.sort_by_key(|(seq, ..)| *seq);
        let expected: Vec<_> = all.iter().filter(|(_, recorded, ..)| recorded.as_str() >= at).cloned().collect();
        assert!(found == expected, "since {at}: {} entries, not {}", found.len(), expected.len());
    }
}
