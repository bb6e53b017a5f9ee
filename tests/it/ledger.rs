//! The ledger against damage: flipped bytes, truncations, torn tails. Everything is refused at the right
//! offset, or cut whole; nothing is silent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use varco::clock::Clock;
use varco::gateway::node::Node;
use varco::ledger::damage::Damage;
use varco::ledger::disk::RealDisk;
use varco::ledger::scrub::Scrub;
use varco::ledger::seal::{Luogo, Sealing, Section, Unlocked};
use varco::ledger::search::{Filter, find, search};
use varco::ledger::segments::{self, Loss, SegmentLog, SegmentReader};
use varco::ledger::uses::{CountedTerm, Uses};
use varco::ledger::{
    Blinding, Body, Directory, Entry, Fact, Follower, Keys, Kind, Log as _, LogError, Origin, Position,
    Reader, Retention, Secret, Submission, Tokens, Unopened, Verified, batch, new_exchange, seal,
};

const SEGMENT: u64 = 96 * 1024;

/// Memory where the machine has it: these tests are about bytes, and write them a hundred thousand times.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
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
        Self::of(entries, size, |index| index * 37 % 900)
    }

    /// With sealed parts of such lengths.
    fn of(entries: usize, size: u64, length: impl Fn(usize) -> usize) -> Self {
        let home = scratch();
        let clock = Clock::system();
        let directory =
            Directory::create(&home.path().join("data"), new_exchange(clock.now()).unwrap()).unwrap();
        let node = Node::open(&directory, &clock, Arc::new(RealDisk), size).unwrap();
        let runtime = runtime();
        for index in 0..entries {
            let now = clock.now();
            let body = Body::new(Kind::Admin, Retention::Sistema, new_exchange(now).unwrap(), now)
                .fact(Fact::named("indice"), index);
            let secret = Secret {
                reason: Some("x".repeat(length(index))),
                ..Secret::default()
            };
            let sealed = node
                .ledger
                .prepare(body.clone(), &secret, Blinding::new().unwrap(), 0, now)
                .unwrap();
            let open = node
                .ledger
                .prepare_open(body.fact(Fact::named("ordinal"), 1))
                .unwrap();
            let submission = Submission {
                drafts: vec![sealed, open],
                preconditions: Vec::new(),
            };
            runtime
                .block_on(node.ledger.committer.submit(submission))
                .unwrap();
        }
        let open_head = std::fs::read(directory.segments().join("HEAD")).unwrap();
        node.close();
        Self {
            home,
            directory,
            open_head,
        }
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

    fn verify(&self) -> Result<Verified, LogError> {
        segments::verify(&self.directory.segments(), self.directory.ledger, &mut |_| ())
    }

    fn open(&self) -> Result<segments::Recovery, LogError> {
        SegmentLog::open(
            &self.directory.segments(),
            self.directory.ledger,
            Arc::new(RealDisk),
            SEGMENT,
            Loss::Refused,
        )
        .map(|(_, recovery)| recovery)
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
            _ => boundaries(&originals[index])
                .into_iter()
                .take_while(|start| *start <= place)
                .last()
                .unwrap(),
        };
        match sample.verify() {
            Err(LogError::Corrupt { file, offset, .. } | LogError::Missing { file, offset, .. }) => {
                let name = files[index].file_name().unwrap().to_str().unwrap();
                // A header that names a wrong length accuses the segment before it, at the length it names.
                assert_eq!(
                    (file.as_str(), offset),
                    (name, start as u64),
                    "byte {place} of {name}"
                );
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
    assert!(
        bytes.len() - shortest > 40_000,
        "only {} bytes to truncate",
        bytes.len() - shortest
    );
    for length in shortest..bytes.len() {
        let boundary = starts
            .iter()
            .copied()
            .take_while(|start| *start <= length)
            .last()
            .unwrap();
        // After a clean stop it is known what must be there.
        std::fs::write(&head, &clean_head).unwrap();
        std::fs::write(last, &bytes[..length]).unwrap();
        match sample.open() {
            Err(LogError::Missing { offset, .. }) => assert_eq!(offset, boundary as u64, "length {length}"),
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
    assert_eq!(
        sample.open().unwrap().cut.map(|(_, offset, _)| offset),
        Some(end as u64)
    );
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
    assert!(matches!(
        sample.verify(),
        Err(LogError::Corrupt { offset: 0, .. })
    ));
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
    assert_eq!((report.read.entries, report.unseen), (120, 60));
    assert!(
        report
            .to_string()
            .contains("60 parti riservate non controllate: qui non ci sono le chiavi"),
        "{report}"
    );
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
        assert_eq!(
            recovery.cut,
            Some(("00000000000000000041.seg".to_owned(), 0, content.len() as u64))
        );
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
    assert!(open().unwrap_err().to_string().contains("è una copia vecchia"));
    std::fs::write(&ring, &bytes).unwrap();
    // A torn tail that a short command finds is said by that command.
    let last = sample.segments().pop().unwrap();
    let mut torn = std::fs::read(&last).unwrap();
    torn.extend([1, 2, 3]);
    std::fs::write(&last, &torn).unwrap();
    let node = open().unwrap();
    runtime().block_on(node.record_recovery()).unwrap();
    node.close();
    let entries = segments::read_from(
        &sample.directory.segments(),
        sample.directory.ledger,
        1,
        usize::MAX,
    )
    .unwrap();
    let said = entries.last().unwrap();
    assert_eq!(
        said.leaf.body.facts["dati"]["coda_tagliata"]["bytes"],
        3,
        "{}",
        String::from_utf8_lossy(&said.bytes)
    );
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
        assert_eq!(
            varco::commands::ledger::verify(&sample.directory).unwrap().opened,
            3,
            "readers do not see it"
        );
        open().unwrap().close();
        assert_eq!(std::fs::read(&ring).unwrap(), bytes);
    }
    // Keys are synced one by one: two of zeros, or one that was used, are damage.
    with(256);
    assert!(
        open()
            .unwrap_err()
            .to_string()
            .contains("è danneggiato o non si apre")
    );
    std::fs::write(&ring, [&bytes[..bytes.len() - 128], &[0; 128]].concat()).unwrap();
    assert!(open().unwrap_err().to_string().contains("è una copia vecchia"));
}

#[test]
fn what_was_recorded_since_an_instant_is_what_a_reading_of_everything_finds() {
    let sample = Sample::new(220);
    assert!(sample.segments().len() >= 3);
    let mut all = Vec::new();
    let directory = sample.directory.segments();
    segments::verify(&directory, sample.directory.ledger, &mut |entry| {
        all.push((
            entry.leaf.seq,
            entry.leaf.recorded,
            entry.leaf.body.received,
            entry.leaf.body.kind,
        ));
    })
    .unwrap();
    for at in ["", "9"]
        .into_iter()
        .chain(all.iter().step_by(29).map(|(_, recorded, ..)| recorded.as_str()))
    {
        let mut found = Vec::new();
        segments::recorded_since(&directory, sample.directory.ledger, at, &mut |glance| {
            found.push((
                glance.seq,
                glance.recorded.to_string(),
                glance.received.to_string(),
                glance.kind,
            ));
        })
        .unwrap();
        found.sort_by_key(|(seq, ..)| *seq);
        let expected: Vec<_> = all
            .iter()
            .filter(|(_, recorded, ..)| recorded.as_str() >= at)
            .cloned()
            .collect();
        assert!(
            found == expected,
            "since {at}: {} entries, not {}",
            found.len(),
            expected.len()
        );
    }
}

/// Where leaf and sealed part are in their segment, with their lengths: as the views keep a position.
fn spans(position: &Position) -> [(u64, u32); 2] {
    let bytes = position.encode();
    let at = |start: usize| u64::from_le_bytes(bytes[start..start + 8].try_into().unwrap());
    let long = |start: usize| u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap());
    [(at(8), long(16)), (at(20), long(28))]
}

/// Every entry of a ledger, with its position.
fn entries(sample: &Sample) -> Vec<Entry> {
    segments::read_from(
        &sample.directory.segments(),
        sample.directory.ledger,
        1,
        usize::MAX,
    )
    .unwrap()
}

/// All ways in which a ledger is read; what each says of damage.
fn readings(sample: &Sample) -> Vec<(&'static str, Result<(), String>)> {
    let (directory, ledger, reader) = (
        sample.directory.segments(),
        sample.directory.ledger,
        sample.directory.reader(),
    );
    let text = |error: LogError| error.to_string();
    let target = tempfile::tempdir_in(sample.home.path()).unwrap();
    let listed = find(&reader, &Filter::default(), usize::MAX).map(|_| ());
    let indexed = find(
        &reader,
        &Filter {
            kind: Some(Kind::Admin),
            ..Filter::default()
        },
        usize::MAX,
    )
    .map(|_| ());
    let scanned = SegmentLog::open(&directory, ledger, Arc::new(RealDisk), SEGMENT, Loss::Refused).and_then(
        |(mut log, _)| {
            let scanned = log.scan(1, 4096, &mut |_| true);
            log.close()?;
            scanned
        },
    );
    let opened =
        Node::open(&sample.directory, &Clock::system(), Arc::new(RealDisk), SEGMENT).map(|node| node.close());
    vec![
        ("verify", sample.verify().map(|_| ()).map_err(text)),
        (
            "read",
            segments::read_from(&directory, ledger, 1, usize::MAX)
                .map(|_| ())
                .map_err(text),
        ),
        (
            "recount",
            segments::recorded_since(&directory, ledger, "", &mut |_| ()).map_err(text),
        ),
        ("list", listed.map_err(text)),
        ("search", indexed.map_err(text)),
        (
            "backup",
            sample
                .directory
                .backup(&target.path().join("copy"))
                .map(|_| ())
                .map_err(|error| error.to_string()),
        ),
        ("scan", scanned.map_err(text)),
        ("open", opened.map_err(|error| error.to_string())),
    ]
}

#[test]
fn a_damaged_last_batch_of_a_closed_segment_is_passed_over_by_no_reader() {
    let sample = Sample::new(220);
    let files = sample.segments();
    assert!(
        readings(&sample).iter().all(|(_, read)| read.is_ok()),
        "{:?}",
        readings(&sample)
    );
    for file in &files[..files.len() - 1] {
        let whole = std::fs::read(file).unwrap();
        let starts = boundaries(&whole);
        let last = starts[starts.len() - 2];
        let mut bad = whole.clone();
        bad[last + 60] ^= 1;
        std::fs::write(file, &bad).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        for (reader, read) in readings(&sample) {
            let error = read.expect_err(reader);
            assert!(error.contains(name), "{reader}: {error}");
        }
        std::fs::write(file, &whole).unwrap();
    }
    assert!(readings(&sample).iter().all(|(_, read)| read.is_ok()));
}

/// A damaged ledger is listed as far as it is whole, and its damage is named: no entry is invented, and no
/// readable entry is left out.
#[test]
fn what_is_whole_of_a_damaged_ledger_is_read() {
    let sample = Sample::new(220);
    let reader = sample.directory.reader();
    let all: Vec<u64> = entries(&sample).iter().map(|entry| entry.leaf.seq).collect();
    let listed = || {
        let found = search(&reader, &Filter::default(), usize::MAX).unwrap();
        (
            found
                .entries
                .iter()
                .map(|entry| entry.leaf.seq)
                .collect::<Vec<_>>(),
            found.skipped,
        )
    };
    assert_eq!(listed().0, all);
    assert!(listed().1.is_empty());
    let files = sample.segments();
    let whole: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let first = |file: &PathBuf| {
        file.file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let (second, third) = (first(&files[1]), first(&files[2]));
    let without = |from: u64, to: u64| {
        all.iter()
            .copied()
            .filter(|seq| !(from..to).contains(seq))
            .collect::<Vec<_>>()
    };
    // A segment that is missing, empty, shorter than its header, without its header; the last of them cut
    // short.
    std::fs::remove_file(&files[1]).unwrap();
    let (left, skipped) = listed();
    assert_eq!(left, without(second, third));
    assert!(
        skipped.iter().any(|damage| damage
            .to_string()
            .contains(&format!("da {second} a {}", third - 1))),
        "{skipped:?}"
    );
    for length in [0, 10, 63] {
        std::fs::write(&files[1], &whole[1][..length]).unwrap();
        let (left, skipped) = listed();
        assert!(left == without(second, third) && !skipped.is_empty(), "{length}");
    }
    let mut headless = whole[1].clone();
    headless[20] ^= 1;
    std::fs::write(&files[1], &headless).unwrap();
    let (left, skipped) = listed();
    assert!(left == all && skipped.len() == 1, "{skipped:?}");
    // Every batch of a closed segment in turn; and its last.
    let starts = boundaries(&whole[1]);
    for at in &starts[..starts.len() - 1] {
        let mut bad = whole[1].clone();
        bad[at + 60] ^= 1;
        std::fs::write(&files[1], &bad).unwrap();
        let (left, skipped) = listed();
        assert!(
            skipped.len() == 1 && left.len() < all.len() && left.iter().all(|seq| all.contains(seq)),
            "{at}: {skipped:?}"
        );
        let said = skipped[0].to_string();
        let missing: Vec<u64> = all.iter().copied().filter(|seq| !left.contains(seq)).collect();
        for sequence in [missing.first(), missing.last()].into_iter().flatten() {
            assert!(said.contains(&sequence.to_string()), "{sequence}: {said}");
        }
        let (shown, damage) = varco::ledger::search::entry(&reader, missing[0]).unwrap();
        assert!(shown.is_none() && damage.len() == 1);
    }
    // Wherever it is cut.
    for length in (0..whole[1].len()).step_by(97) {
        std::fs::write(&files[1], &whole[1][..length]).unwrap();
        let (left, skipped) = listed();
        assert!(
            !skipped.is_empty() && left.iter().all(|seq| all.contains(seq)),
            "{length}"
        );
        assert!(
            all.iter()
                .filter(|seq| **seq < second || **seq >= third)
                .all(|seq| left.contains(seq)),
            "{length}"
        );
    }
    std::fs::write(&files[1], &whole[1]).unwrap();
    assert_eq!(listed().0, all);
}

/// Every field that a search has, on its own: closed segments are asked through their index, and the index
/// hides nothing.
#[test]
fn every_field_is_found_through_the_index_and_again_when_the_index_is_made_again() {
    let home = scratch();
    let clock = Clock::system();
    let directory = Directory::create(&home.path().join("data"), new_exchange(clock.now()).unwrap()).unwrap();
    let node = Node::open(&directory, &clock, Arc::new(RealDisk), 8 * 1024).unwrap();
    let runtime = runtime();
    for index in 0..120_i64 {
        let now = clock.now();
        let kind = if index % 40 == 7 {
            Kind::System
        } else {
            Kind::Admin
        };
        let mut body = Body::new(kind, Retention::Sistema, new_exchange(now).unwrap(), now)
            .fact(Fact::named("id_richiesta"), 1000 + index);
        body.ente = Some(format!("ENTE{}", index % 60));
        body.operation = Some(format!("operazione {}", index % 50));
        body.outcome = Some(format!("ESITO {}", index % 45));
        body.tokens = Some(Tokens {
            year: 2026,
            cf: vec![format!("richiedente {index}"), format!("componente {index}")],
            operator: Some(format!("operatore {index}")),
            protocol: vec![format!("protocollo {index}")],
            ..Tokens::default()
        });
        let draft = node.ledger.prepare_open(body).unwrap();
        runtime
            .block_on(node.ledger.committer.submit(Submission {
                drafts: vec![draft],
                preconditions: Vec::new(),
            }))
            .unwrap();
    }
    node.close();
    let (files, ledger, reader) = (directory.segments(), directory.ledger, directory.reader());
    let all = segments::read_from(&files, ledger, 1, usize::MAX).unwrap();
    let indexes = || {
        std::fs::read_dir(&files)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "idx"))
    };
    let ask = |what: &str, entry: &Entry, filter: &Filter| {
        let expected: Vec<u64> = all
            .iter()
            .filter(|entry| filter.matches(entry))
            .map(|entry| entry.leaf.seq)
            .collect();
        let sequences = |entries: Vec<Entry>| entries.iter().map(|entry| entry.leaf.seq).collect::<Vec<_>>();
        let found = sequences(find(&reader, filter, usize::MAX).unwrap());
        let searched = search(&reader, filter, usize::MAX).unwrap();
        assert!(
            expected.contains(&entry.leaf.seq) && expected.len() <= 4,
            "{what} of entry {}: {expected:?}",
            entry.leaf.seq
        );
        assert_eq!(
            (&found, &sequences(searched.entries)),
            (&expected, &expected),
            "{what} of entry {}",
            entry.leaf.seq
        );
    };
    let round = |step: usize| {
        for entry in all
            .iter()
            .filter(|entry| entry.leaf.body.ente.is_some())
            .step_by(step)
        {
            let body = entry.leaf.body.clone();
            let (tokens, any) = (body.tokens.unwrap(), Filter::default);
            let token = |of: &str| (tokens.key(), of.to_owned());
            ask(
                "ente",
                entry,
                &Filter {
                    ente: body.ente,
                    ..any()
                },
            );
            ask(
                "operation",
                entry,
                &Filter {
                    operation: body.operation,
                    ..any()
                },
            );
            ask(
                "outcome",
                entry,
                &Filter {
                    outcome: body.outcome,
                    ..any()
                },
            );
            ask(
                "second cf",
                entry,
                &Filter {
                    cf: vec![token("of another year"), token(&tokens.cf[1])],
                    ..any()
                },
            );
            ask(
                "protocol",
                entry,
                &Filter {
                    protocol: vec![token(&tokens.protocol[0])],
                    ..any()
                },
            );
            ask(
                "operator",
                entry,
                &Filter {
                    operator: vec![token(tokens.operator.as_ref().unwrap())],
                    ..any()
                },
            );
            ask(
                "exchange",
                entry,
                &Filter {
                    exchange: Some(body.exchange),
                    ..any()
                },
            );
            ask(
                "IdRichiesta",
                entry,
                &Filter {
                    id_richiesta: body.facts["id_richiesta"].as_i64(),
                    ..any()
                },
            );
        }
    };
    round(1);
    assert!(
        indexes().count() >= 3,
        "{} segments are closed",
        indexes().count()
    );
    for (at, index) in indexes().enumerate() {
        match at % 3 {
            0 => std::fs::remove_file(index).unwrap(),
            1 => std::fs::write(&index, &std::fs::read(&index).unwrap()[..40]).unwrap(),
            _ => std::fs::write(&index, b"").unwrap(),
        }
    }
    round(5);
}

#[test]
fn a_position_gives_its_own_entry_or_an_error() {
    let sample = Sample::of(220, SEGMENT, |_| 300);
    let entries = entries(&sample);
    let (damage, files) = (Damage::default(), sample.segments());
    let reader = SegmentReader::new(&sample.directory.segments(), sample.directory.ledger, &damage);
    for entry in &entries {
        assert_eq!(&reader.entry(&entry.position).unwrap(), entry);
    }
    // One bit of a leaf or of a sealed part, wherever it is: all but those whose erasure is allowed are
    // covered by the position.
    let whole = std::fs::read(&files[0]).unwrap();
    let mut seed = 0x0bad_cafe_1234_5678;
    for entry in entries.iter().filter(|entry| entry.position.part() == 1) {
        let place = entry.position;
        for (start, length) in spans(&place).into_iter().filter(|(_, length)| *length > 0) {
            let mut bad = whole.clone();
            bad[usize::try_from(start).unwrap() + random(&mut seed) % length as usize] ^=
                1 << (random(&mut seed) % 8);
            std::fs::write(&files[0], &bad).unwrap();
            assert!(
                matches!(reader.entry(&place), Err(LogError::Corrupt { .. })),
                "{place:?}"
            );
        }
    }
    std::fs::write(&files[0], &whole).unwrap();
    assert!(
        damage.readings.get() > 150 && damage.places().len() == 100,
        "{} readings",
        damage.readings.get()
    );

    // Two whole batches of one length, exchanged.
    let starts = boundaries(&whole);
    let batches: Vec<_> = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let pairs = batches
        .iter()
        .enumerate()
        .flat_map(|(index, one)| batches[index + 1..].iter().map(move |other| (one, other)));
    let (mut exchanged, mut refused) = (0, 0);
    for (one, other) in pairs.filter(|(one, other)| one.len() == other.len()).take(40) {
        let mut bytes = whole.clone();
        bytes[one.clone()].copy_from_slice(&whole[other.clone()]);
        bytes[other.clone()].copy_from_slice(&whole[one.clone()]);
        std::fs::write(&files[0], &bytes).unwrap();
        exchanged += 1;
        let within = |entry: &&Entry| {
            entry.position.part() == 1
                && [one, other]
                    .iter()
                    .any(|batch| batch.contains(&usize::try_from(entry.position.offset()).unwrap()))
        };
        refused += usize::from(
            entries
                .iter()
                .filter(within)
                .all(|entry| reader.entry(&entry.position).is_err()),
        );
    }
    assert!(exchanged >= 3 && refused == exchanged, "{refused} of {exchanged}");
}

#[test]
fn a_reader_keeps_few_segments_open() {
    let sample = Sample::in_segments(120, 2048);
    let segments = sample.segments().len();
    assert!(segments > 40, "{segments} segments");
    let reader = SegmentReader::new(
        &sample.directory.segments(),
        sample.directory.ledger,
        &Damage::default(),
    );
    let open = || {
        let links = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        links
            .filter(|target| target.starts_with(sample.home.path()))
            .count()
    };
    let before = open();
    for entry in &entries(&sample) {
        reader.entry(&entry.position).unwrap();
    }
    assert!(
        open() - before <= 16,
        "{} descriptors for {segments} segments",
        open() - before
    );
}

#[test]
fn a_segment_that_is_missing_is_seen_whatever_the_lengths() {
    let sample = Sample::of(120, 2048, |_| 300);
    let files = sample.segments();
    let length = |file: &PathBuf| std::fs::metadata(file).unwrap().len();
    let middle = files
        .windows(3)
        .find(|three| length(&three[0]) == length(&three[1]))
        .expect("two segments of one length");
    std::fs::remove_file(&middle[1]).unwrap();
    for (reader, read) in readings(&sample) {
        let error = read.unwrap_err().to_string();
        assert!(
            error.contains("manca il segmento con le voci da"),
            "{reader}: {error}"
        );
    }
}

/// Writes a batch anew at the end of an open segment, with leaves changed by `change`, right in every
/// checksum.
fn forge(sample: &Sample, change: impl Fn(&str) -> String) {
    let file = sample.segments().pop().unwrap();
    let bytes = std::fs::read(&file).unwrap();
    let starts = boundaries(&bytes);
    let last = &bytes[starts[starts.len() - 2]..];
    let found = batch::decode(last).unwrap();
    let raw: Vec<_> = found
        .spans
        .iter()
        .map(|span| batch::Raw {
            leaf: change(std::str::from_utf8(&last[span.leaf.clone()]).unwrap()).into_bytes(),
            sealed: last[span.sealed.clone()].to_vec().into(),
        })
        .collect();
    let (forged, _) = batch::encode(found.first, &raw);
    std::fs::write(&file, [&bytes[..starts[starts.len() - 2]], &forged].concat()).unwrap();
    std::fs::write(sample.head(), &sample.open_head).unwrap();
}

#[test]
fn a_verification_looks_at_order_place_and_ledger_of_every_leaf() {
    let refused = |change: &dyn Fn(&Sample, &str) -> String, what: &str| {
        let sample = Sample::in_segments(20, u64::MAX);
        forge(&sample, |leaf| change(&sample, leaf));
        let error = sample.verify().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    refused(
        &|_, leaf| leaf.replacen("\"recorded\":\"20", "\"recorded\":\"19", 1),
        "registrata prima di quella che la precede",
    );
    refused(
        &|sample, leaf| {
            leaf.replace(
                &sample.directory.ledger.to_string(),
                &uuid::Uuid::nil().to_string(),
            )
        },
        "non è questa",
    );
    let exchange_of = |leaf: &str| leaf.split("\"exchange\":\"").nth(1).unwrap()[..36].to_owned();
    refused(
        &|sample, leaf| {
            let first = entries(sample)[0].leaf.body.exchange.to_string();
            leaf.replace(&exchange_of(leaf), &first)
        },
        "hanno lo stesso scambio e lo stesso ordinale",
    );
}

#[test]
fn readers_beside_a_writer_never_cry_damage_that_is_not_there() {
    let sample = Sample::in_segments(4, 4096);
    let runs: usize = std::env::var("VARCO_READINGS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(1000);
    let node = Node::open(&sample.directory, &Clock::system(), Arc::new(RealDisk), 4096).unwrap();
    // The writer is at most a few entries ahead of the readings: what they read must not grow beyond what so
    // many can read.
    let readings = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (node, readings, sample) = (&node, &readings, &sample);
        scope.spawn(move || {
            let runtime = runtime();
            for index in 0..runs + 100 {
                let now = Clock::system().now();
                let body = Body::new(Kind::Admin, Retention::Sistema, new_exchange(now).unwrap(), now)
                    .fact(Fact::named("indice"), index);
                let secret = Secret {
                    reason: Some("x".repeat(index * 37 % 900)),
                    ..Secret::default()
                };
                let draft = node
                    .ledger
                    .prepare(body, &secret, Blinding::new().unwrap(), 0, now)
                    .unwrap();
                let submission = Submission {
                    drafts: vec![draft],
                    preconditions: Vec::new(),
                };
                runtime
                    .block_on(node.ledger.committer.submit(submission))
                    .unwrap();
                while index > readings.load(std::sync::atomic::Ordering::Relaxed) + 20 {
                    std::thread::yield_now();
                }
            }
        });
        let (directory, ledger, reader) = (
            sample.directory.segments(),
            sample.directory.ledger,
            sample.directory.reader(),
        );
        let mut failed = Vec::new();
        for run in 0..runs {
            let result = match run % 5 {
                0 => varco::commands::ledger::verify(&sample.directory)
                    .map(|_| ())
                    .map_err(|error| error.to_string()),
                1 => find(
                    &reader,
                    &Filter {
                        kind: Some(Kind::Admin),
                        ..Filter::default()
                    },
                    3,
                )
                .map(|_| ())
                .map_err(|e| e.to_string()),
                2 => segments::read_from(&directory, ledger, 1, usize::MAX)
                    .map(|_| ())
                    .map_err(|error| error.to_string()),
                3 => segments::recorded_since(&directory, ledger, "", &mut |_| ())
                    .map_err(|error| error.to_string()),
                _ => {
                    let target = tempfile::tempdir_in(sample.home.path()).unwrap();
                    sample
                        .directory
                        .backup(&target.path().join("copy"))
                        .map(|_| ())
                        .map_err(|error| error.to_string())
                }
            };
            failed.extend(result.err());
            readings.store(run + 100, std::sync::atomic::Ordering::Relaxed);
        }
        assert!(
            failed.is_empty(),
            "{} of {runs}: {:?}",
            failed.len(),
            failed.first()
        );
    });
    assert!(
        sample.segments().len() > 20,
        "segments changed meanwhile: {}",
        sample.segments().len()
    );
    node.close();
}

#[test]
fn closed_segments_are_read_again_while_nobody_asks_for_them() {
    let sample = Sample::new(220);
    let clock = Clock::system();
    let reader: Arc<dyn Reader> = Arc::new(sample.directory.reader());
    let (damage, uses) = (Damage::default(), Uses::of(reader.clone(), 0, |_| Vec::new()));
    let round = || {
        let scrub = Scrub::start(&reader, &damage, &uses, &clock).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while scrub.rounds().ended.is_none() && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        scrub.rounds()
    };
    let whole = round();
    assert_eq!(
        (whole.segments as usize, whole.damaged, damage.readings.get()),
        (sample.segments().len() - 1, 0, 0)
    );
    let file = &sample.segments()[0];
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(file, &bytes).unwrap();
    assert_eq!((round().damaged, damage.readings.get()), (1, 1));
    assert!(
        damage.places()[0].contains("00000000000000000001.seg"),
        "{:?}",
        damage.places()
    );
}

/// The term of an entry: its number, by its remainder.
fn by_remainder(body: &Body) -> Vec<CountedTerm> {
    let number = body.facts.get("indice").and_then(serde_json::Value::as_u64);
    number
        .map(|number| [u8::try_from(number % 7).unwrap(); 16])
        .into_iter()
        .collect()
}

#[test]
fn uses_are_counted_whatever_is_left_of_their_index() {
    let sample = Sample::new(220);
    let (segments, all) = (sample.segments(), entries(&sample));
    let wanted: Vec<u32> = (0..7)
        .map(|term| {
            all.iter()
                .filter(|entry| by_remainder(&entry.leaf.body) == [[term; 16]])
                .count() as u32
        })
        .collect();
    let uses = || Uses::of(Arc::new(sample.directory.reader()), 0, by_remainder);
    let counted = |uses: &Uses| {
        (0..7)
            .map(|term| uses.count(&[[term; 16]]).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(counted(&uses()), wanted, "without any file");
    let files: Vec<_> = segments
        .iter()
        .map(|segment| segment.with_extension("uses"))
        .collect();
    let (open, closed) = files.split_last().unwrap();
    assert!(closed.len() > 1 && closed.iter().all(|file| file.is_file()) && !open.exists());
    assert_eq!(counted(&uses()), wanted, "from the files");
    // Damaged at the head, damaged in what is looked up, not there.
    for at in [9, 4096 + 5] {
        let mut bytes = std::fs::read(&closed[0]).unwrap();
        bytes[at] ^= 1;
        std::fs::write(&closed[0], bytes).unwrap();
        std::fs::remove_file(&closed[1]).unwrap();
        assert_eq!(counted(&uses()), wanted, "byte {at}");
    }
    // The indexes can be neither read nor written: searches and counts go by the segments, and leave nothing
    // behind.
    let indexes = |extension: &str| {
        closed
            .iter()
            .map(|file| file.with_extension(extension))
            .collect::<Vec<_>>()
    };
    for file in indexes("uses").iter().chain(&indexes("idx")) {
        let _ = std::fs::remove_file(file);
        std::fs::create_dir_all(file.join("non vuota")).unwrap();
    }
    let unwritten = uses();
    assert_eq!(
        (counted(&unwritten), counted(&unwritten)),
        (wanted.clone(), wanted.clone()),
        "no index can be written"
    );
    let filter = Filter {
        kind: Some(Kind::Admin),
        ..Filter::default()
    };
    let found = |filter: &Filter| {
        find(&sample.directory.reader(), filter, usize::MAX)
            .unwrap()
            .len()
    };
    let matching = all.iter().filter(|entry| filter.matches(entry)).count();
    assert_eq!(found(&filter), matching);
    let left = std::fs::read_dir(sample.directory.segments())
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|extension| extension == "new")
        });
    assert_eq!(left.count(), 0);
    // They can be written again: the next count and the next search make them.
    for file in indexes("uses").iter().chain(&indexes("idx")) {
        std::fs::remove_dir_all(file).unwrap();
    }
    assert_eq!((counted(&unwritten), found(&filter)), (wanted.clone(), matching));
    assert!(
        indexes("uses")
            .iter()
            .chain(&indexes("idx"))
            .all(|file| file.is_file())
    );
    // A start begins to count in the middle of the open segment; so it did in one that was closed since.
    for (file, segment) in [(None, segments.last().unwrap()), (Some(&closed[1]), &segments[1])] {
        file.map_or(Ok(()), std::fs::remove_file).unwrap();
        let first: u64 = segment.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let of_segment: Vec<Entry> = all
            .iter()
            .filter(|entry| entry.position.part() == first)
            .cloned()
            .collect();
        let mut begun = uses();
        begun
            .apply(&of_segment[of_segment.len() / 2..], Origin::Here)
            .unwrap();
        assert_eq!(counted(&begun), wanted, "{segment:?}");
    }
}

#[test]
fn a_damaged_key_is_named_with_the_entries_that_it_closes() {
    let sample = Sample::new(12);
    let ring = sample.directory.keys().join("keyring");
    let whole = std::fs::read(&ring).unwrap();
    let sealed: Vec<u64> = entries(&sample)
        .iter()
        .filter(|entry| !entry.sealed.is_empty())
        .map(|entry| entry.leaf.seq)
        .collect();
    let records = whole.len() / 128;
    let id = (1..=records)
        .find(|id| whole[(id - 1) * 128 + 4] == 2)
        .expect("a class key");
    let mut bad = whole.clone();
    bad[(id - 1) * 128 + 80] ^= 1;
    std::fs::write(&ring, &bad).unwrap();
    let error = varco::commands::ledger::verify(&sample.directory)
        .unwrap_err()
        .to_string();
    let named = sealed.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    assert!(
        error.contains(&format!("la chiave {id} (sistema ")) && error.contains("è danneggiata"),
        "{error}"
    );
    assert!(error.contains(&format!("voci illeggibili: {named}")), "{error}");
    // Erased: that is no damage.
    bad[(id - 1) * 128 + 64..id * 128 - 4].fill(0);
    std::fs::write(&ring, &bad).unwrap();
    assert_eq!(
        varco::commands::ledger::verify(&sample.directory).unwrap().erased,
        sealed.len() as u64
    );
    // Not there at all.
    std::fs::write(&ring, &whole[..(id - 1) * 128]).unwrap();
    let error = varco::commands::ledger::verify(&sample.directory)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("la chiave {id} non è nel portachiavi")),
        "{error}"
    );
}

#[test]
fn an_older_keyring_is_refused_after_a_crash_too_by_what_entries_name() {
    let sample = Sample::new(3);
    let ring = sample.directory.keys().join("keyring");
    let old = std::fs::read(&ring).unwrap();
    let clock = Clock::system();
    let node = Node::open(&sample.directory, &clock, Arc::new(RealDisk), SEGMENT).unwrap();
    let now = clock.now();
    // A key that no entry of kind system has counted: the first of an ente.
    let mut body = Body::new(Kind::Dsu, Retention::Dsu, new_exchange(now).unwrap(), now);
    body.ente = Some("caf".to_owned());
    let secret = Secret {
        reason: Some("x".to_owned()),
        ..Secret::default()
    };
    let draft = node
        .ledger
        .prepare(body, &secret, Blinding::new().unwrap(), 0, now)
        .unwrap();
    runtime()
        .block_on(node.ledger.committer.submit(Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        }))
        .unwrap();
    // The process dies: nothing is closed. What it had written stands.
    let (data, copy) = (sample.directory.path(), sample.home.path().join("dead"));
    assert!(
        std::process::Command::new("cp")
            .arg("-a")
            .args([data, &copy])
            .status()
            .unwrap()
            .success()
    );
    node.close();
    let dead = Directory::open(&copy).unwrap();
    let new = std::fs::read(dead.keys().join("keyring")).unwrap();
    assert!(new.len() > old.len());
    std::fs::write(dead.keys().join("keyring"), &old).unwrap();
    for _ in 0..2 {
        let refused = Node::open(&dead, &clock, Arc::new(RealDisk), SEGMENT)
            .unwrap_err()
            .to_string();
        assert!(refused.contains("è una copia vecchia"), "{refused}");
    }
    assert_eq!(
        std::fs::read(dead.keys().join("keyring")).unwrap(),
        old,
        "no key was made"
    );
    std::fs::write(dead.keys().join("keyring"), &new).unwrap();
    Node::open(&dead, &clock, Arc::new(RealDisk), SEGMENT)
        .unwrap()
        .close();
    assert_eq!(varco::commands::ledger::verify(&dead).unwrap().opened, 4);
}

/// A reader opens the section it needs; whatever else is changed in a sealed part, nothing of it opens as what it
/// was not.
#[test]
fn a_sealed_part_opens_section_by_section() {
    let home = tempfile::tempdir().unwrap();
    varco::ledger::keys::create(&home.path().join("keys")).unwrap();
    let keys = Keys::open(&home.path().join("keys"), false).unwrap();
    let luogo = Luogo {
        ledger: uuid::Uuid::from_u128(1),
        exchange: uuid::Uuid::from_u128(2),
        ordinal: 3,
    };
    let secret = Secret {
        cf: vec!["VRDPTR48S02G702M".to_owned()],
        dsu: Some("<Dichiarazione/>".to_owned()),
        attestation: Some("<Attestazione/>".to_owned()),
        indicatori: Some(vec![1, 0, 255]),
        feed: Some(serde_json::value::to_raw_value(&[1, 2]).unwrap()),
        receipt: Some("<Ricevuta/>".to_owned()),
        specifico: Some(serde_json::json!({ "isee": 1 })),
        reason: Some("perché".to_owned()),
        ..Secret::default()
    };
    let sealing = Sealing {
        ledger: luogo.ledger,
        exchange: luogo.exchange,
        ordinal: luogo.ordinal,
        retention: Retention::Dsu,
        ente: "caf",
        at: "2026-03-01T10:00:00Z".parse().unwrap(),
    };
    let blinding = Blinding::new().unwrap();
    let copy = blinding.clone();
    assert!(
        seal::seal(&keys, &sealing, copy, &secret).is_err(),
        "one entry's random bytes seal another"
    );
    let request = blinding.commit("request", b"<a/>");
    let (sealed, commitment) = seal::seal(&keys, &sealing, blinding, &secret).unwrap();
    let is_committed = |of: &str| of == commitment;
    let open = |luogo: Luogo, sealed: &[u8]| -> Result<(Blinding, Secret), Unopened> {
        seal::unlock(&keys, luogo, sealed, &is_committed)?.all()
    };

    let (blinding, opened) = open(luogo, &sealed).unwrap();
    assert_eq!(blinding.commit("request", b"<a/>"), request);
    assert_eq!(
        (
            opened.cf,
            opened.dsu,
            opened.attestation,
            opened.indicatori,
            opened.receipt
        ),
        (
            secret.cf.clone(),
            secret.dsu.clone(),
            secret.attestation.clone(),
            secret.indicatori.clone(),
            secret.receipt.clone()
        )
    );
    assert_eq!(
        (opened.feed.unwrap().get(), opened.specifico, opened.reason),
        ("[1,2]", secret.specifico.clone(), secret.reason.clone())
    );
    let Unlocked::Sections(sections) = seal::unlock(&keys, luogo, &sealed, &is_committed).unwrap() else {
        panic!("not of version 2")
    };
    assert_eq!(sections.section(Section::Indicatori).unwrap(), secret.indicatori);
    assert_eq!(sections.section(Section::Effettiva).unwrap(), None);

    // Another place, another commitment, and every single byte: its checksum, 68 to 72, is the log's.
    let elsewhere = Luogo { ordinal: 4, ..luogo };
    assert_eq!(
        open(elsewhere, &sealed).map(|_| ()).unwrap_err(),
        Unopened::Damaged
    );
    let other = seal::unlock(&keys, luogo, &sealed, &|_| false);
    assert_eq!(other.unwrap_err(), Unopened::Commitment);
    for at in (0..sealed.len()).filter(|at| !(68..72).contains(at)) {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open(luogo, &changed).is_err(), "byte {at}");
        assert!(open(luogo, &sealed[..at]).is_err(), "cut at {at}");
    }
    let mut erased = sealed.clone();
    erased[8..72].fill(0);
    assert_eq!(open(luogo, &erased).map(|_| ()).unwrap_err(), Unopened::Erased);
    assert_eq!(seal::sigillo(&erased), seal::sigillo(&sealed));
    erased[72] ^= 1;
    assert_ne!(seal::sigillo(&erased), seal::sigillo(&sealed));
}
