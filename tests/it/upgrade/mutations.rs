//! A directory that somebody or something has changed: served a week later, every answer is the right one or
//! an error, none is plausible and wrong.
//!
//! `VARCO_MUTATIONS` says how many mutations (60). Each changes a copy of a directory of several segments and
//! days in one or two ways, opens it, and asks a port over it some of the questions whose answers are known.
//! One kind cannot be seen without a witness: log, views and `HEAD` that are all of one earlier moment. It is
//! counted apart.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use varco::clock::Clock;
use varco::commands::serve;
use varco::config::Config;
use varco::ledger::batch;

use super::answers::{self, Asking};
use super::port::Port;
use super::{CONSULTED, copy, directory, put};
use kit::{DSU, element, requests};
use varco::commands::upgrade;

/// Questions after a mutation, and after one that only few answers could show.
const ASKED: [usize; 2] = [30, 240];

/// When the last DSU before the mutations arrives.
const BEFORE: &str = "2026-02-05T09:00:00Z";

/// The sender's protocol of that DSU.
const LAST: &str = "CAF00001-ULTIMA-2026-N0000001";

/// A generator of our own, so that a failure can be made again.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 20).unwrap() % most.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What became of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    /// Refused to start.
    Refused,
    /// Some answers were errors, all others right.
    Errors,
    /// All answers were right.
    Right,
    /// All answers were those of the earlier moment that the whole directory went back to.
    Earlier,
}

/// Files of a data directory, by their paths in it.
fn files(data: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for part in ["", "ledger", "keys", "views"] {
        let Ok(entries) = std::fs::read_dir(data.join(part)) else {
            continue;
        };
        let named = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file());
        found.extend(
            named
                .filter(|path| path.file_name().unwrap() != "lock")
                .map(|path| path.strip_prefix(data).unwrap().to_owned()),
        );
    }
    found.sort();
    found
}

/// Where the batches of a segment are.
fn batches(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut found, mut at) = (Vec::new(), batch::SEGMENT_HEADER);
    while let Some(Ok(batch)) = bytes.get(at..).filter(|rest| !rest.is_empty()).map(batch::decode) {
        found.push(at..at + batch.length);
        at += batch.length;
    }
    found
}

/// Changes one file, or a few; what was done, in words. `earlier` is the same directory at an earlier moment.
fn mutate(data: &Path, earlier: &Path, random: &mut Random) -> String {
    let all = files(data);
    let segments: Vec<_> = all
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "seg"))
        .cloned()
        .collect();
    // Every second change is of a segment, the others of any file: small ones too.
    let file = if random.below(2) == 0 {
        random.of(&segments)
    } else {
        random.of(&all)
    }
    .clone();
    let path = data.join(&file);
    let mut bytes = std::fs::read(&path).unwrap();
    let name = file.display();
    let done = match random.below(12) {
        9.. if !batches(&bytes).is_empty() => plausible(&mut bytes, &file, random),
        0..3 => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            format!("a bit of byte {at} of {name}")
        }
        3 => {
            let length = random.below(bytes.len());
            bytes.truncate(length);
            format!("{name} cut to {length}")
        }
        4 => {
            let (at, more) = (random.below(bytes.len()), 1 + random.below(200));
            let inserted: Vec<u8> = (0..more)
                .map(|_| u8::try_from(random.below(256)).unwrap())
                .collect();
            bytes.splice(at..at, inserted);
            format!("{more} bytes inserted at {at} of {name}")
        }
        5 | 9.. => {
            let found = batches(&bytes);
            let one = if found.is_empty() {
                0..0
            } else {
                random.of(&found).clone()
            };
            let equal: Vec<_> = found
                .iter()
                .filter(|other| other.len() == one.len() && **other != one)
                .cloned()
                .collect();
            match equal.is_empty() {
                false => {
                    let other = random.of(&equal).clone();
                    let (first, second) = (bytes[one.clone()].to_vec(), bytes[other.clone()].to_vec());
                    bytes[one.clone()].copy_from_slice(&second);
                    bytes[other.clone()].copy_from_slice(&first);
                    format!("batches at {} and {} of {name} exchanged", one.start, other.start)
                }
                true => {
                    let length = 64.min(bytes.len() / 2);
                    let (from, to) = (
                        random.below(bytes.len() - length),
                        random.below(bytes.len() - length),
                    );
                    bytes.copy_within(from..from + length, to);
                    format!("{length} bytes at {from} of {name} copied to {to}")
                }
            }
        }
        6 => {
            std::fs::remove_file(&path).unwrap();
            return format!("{name} deleted");
        }
        7 => {
            let other = random.of(&all).clone();
            std::fs::copy(&path, data.join(&other)).unwrap();
            return format!("{name} in the place of {}", other.display());
        }
        _ => {
            // Old among new: some files of the earlier moment; those that it did not have are gone.
            let mut old = Vec::new();
            for file in &all {
                if random.below(3) == 0 {
                    if earlier.join(file).exists() {
                        std::fs::copy(earlier.join(file), data.join(file)).unwrap();
                    } else {
                        std::fs::remove_file(data.join(file)).unwrap();
                    }
                    old.push(file.display().to_string());
                }
            }
            return format!("old: {}", old.join(", "));
        }
    };
    std::fs::write(&path, bytes).unwrap();
    done
}

/// A letter or a digit in what a leaf says of a DSU or of its attestation becomes another: what is read still
/// makes sense.
fn plausible(bytes: &mut [u8], file: &Path, random: &mut Random) -> String {
    let leaf_of = |place: &std::ops::Range<usize>, span: &batch::Span| {
        place.start + span.leaf.start..place.start + span.leaf.end
    };
    let leaves: Vec<_> = batches(bytes)
        .iter()
        .flat_map(|place| {
            batch::decode(&bytes[place.clone()])
                .unwrap()
                .spans
                .iter()
                .map(|span| leaf_of(place, span))
                .collect::<Vec<_>>()
        })
        .collect();
    let text = |leaf: &std::ops::Range<usize>| String::from_utf8_lossy(&bytes[leaf.clone()]).into_owned();
    let speaking: Vec<_> = leaves
        .iter()
        .filter(|leaf| {
            ["dsu", "attestation"]
                .iter()
                .any(|kind| text(leaf).contains(&format!("\"kind\":\"{kind}\"")))
        })
        .collect();
    let leaf = if speaking.is_empty() {
        random.of(&leaves)
    } else {
        random.of(&speaking)
    }
    .clone();
    let text = text(&leaf);
    let name = random.of(&[
        "\"ente\":\"",
        "\"presentata\":\"",
        "\"rilasciata\":\"",
        "\"di\":\"",
        "\"seq\":",
        "\"facts\":{",
    ]);
    let from = text.find(name).map_or(0, |at| at + name.len());
    let value = text[from..].split(['"', ',']).next().unwrap().len().max(1);
    let at = leaf.start + from + random.below(value);
    let (was, is) = (
        bytes[at],
        if bytes[at].is_ascii_digit() {
            b'0' + (bytes[at] - b'0' + 1) % 10
        } else {
            bytes[at] ^ 1
        },
    );
    bytes[at] = is;
    format!(
        "{} instead of {} at {at} of {}, in {name}",
        char::from(is),
        char::from(was),
        file.display()
    )
}

/// Whether log, views and HEAD all are of the earlier moment, or the views are gone: nothing in the directory
/// tells that there was more.
fn is_all_earlier(data: &Path, base: &Path, earlier: &Path) -> bool {
    let as_then =
        |file: &PathBuf| std::fs::read(data.join(file)).ok() == std::fs::read(earlier.join(file)).ok();
    let changed = files(base)
        .into_iter()
        .filter(|file| std::fs::read(base.join(file)).ok() != std::fs::read(earlier.join(file)).ok());
    changed
        .filter(|file| file.starts_with("ledger"))
        .all(|file| as_then(&file))
}

/// A directory with a past: `earlier` in it is a copy of the moment before its last DSU.
struct Campaign {
    port: Port,
    base: PathBuf,
    earlier: PathBuf,
    questions: Vec<String>,
    right: BTreeMap<String, String>,
    then: BTreeMap<String, String>,
}

impl Campaign {
    fn new() -> Self {
        let mut port = Port::by(Clock::fixed(BEFORE.parse().unwrap()));
        put(&port, "1.1");
        upgrade::run(&port.data(), &port.clock).unwrap();
        port.certify_all();
        let home = port.home().to_owned();
        let (base, earlier) = (home.join("base"), home.join("earlier"));
        let all = answers::read(&std::fs::read_to_string(directory("1.1").join("answers.txt")).unwrap());
        let of_port = all
            .into_iter()
            .map(|answered| answered.question)
            .filter(|question| !answers::is_of_directory(question));
        // One in ten is about what the earlier moment does not know.
        let mut questions: Vec<String> = of_port.collect();
        questions.extend(vec![format!("esito-mittente caf {LAST}"); questions.len() / 10]);
        // Views are made; then the moment that mutations may go back to; then one more DSU of somebody who
        // has one, and a clean stop.
        kit::runtime().block_on(async {
            port.start().await.stop().await.unwrap();
            copy(&port.data(), &earlier);
            let started = port.start().await;
            let dsu = requests::dsu(LAST, "2026-02-05");
            let answer = port
                .client(started.address, "caf")
                .call(DSU, &requests::trasmissione(&dsu))
                .await
                .unwrap();
            assert_eq!(element(&answer, "Esito"), "OK", "{}", answer.text);
            started.stop().await.unwrap();
        });
        copy(&port.data(), &base);
        port.clock = Clock::fixed(CONSULTED.parse().unwrap());
        let mut campaign = Self {
            port,
            base,
            earlier,
            questions,
            right: BTreeMap::new(),
            then: BTreeMap::new(),
        };
        campaign.right = campaign.asked(&campaign.base.clone());
        campaign.then = campaign.asked(&campaign.earlier.clone());
        assert!(campaign.right != campaign.then, "the last DSU changes no answer");
        campaign
    }

    /// The data directory is a copy of another.
    fn put(&self, from: &Path) {
        std::fs::remove_dir_all(self.port.data()).unwrap();
        copy(from, &self.port.data());
    }

    /// All answers of a directory.
    fn asked(&self, from: &Path) -> BTreeMap<String, String> {
        self.put(from);
        kit::runtime().block_on(async {
            let started = self.port.start().await;
            let mut asking = Asking::new(&self.port, started.address);
            let mut all = BTreeMap::new();
            for question in &self.questions {
                all.insert(question.clone(), asking.ask(question).await);
            }
            started.stop().await.unwrap();
            all
        })
    }

    /// One mutation, and what is answered after it; an answer that is wrong and no error is the error here.
    fn one(&self, random: &mut Random) -> Result<Seen, String> {
        self.put(&self.base);
        let data = self.port.data();
        let mut done = mutate(&data, &self.earlier, random);
        if random.below(4) == 0 {
            done = format!("{done}; {}", mutate(&data, &self.earlier, random));
        }
        let asked = ASKED[usize::from(done.contains(" instead of "))];
        let earlier = is_all_earlier(&data, &self.base, &self.earlier);
        let config = Config::read(&self.port.site.config()).unwrap();
        kit::runtime().block_on(async {
            let Ok(started) = serve::start(&config, &self.port.clock).await else {
                return Ok(Seen::Refused);
            };
            let mut asking = Asking::new(&self.port, started.address);
            let (mut right, mut errors, mut then) = (0, 0, 0);
            let mut wrong = None;
            for _ in 0..asked {
                let question = random.of(&self.questions);
                let answer = asking.ask(question).await;
                if answer == self.right[question] {
                    right += 1;
                } else if earlier && answer == self.then[question] {
                    then += 1;
                } else if is_error(&answer) {
                    errors += 1;
                } else {
                    wrong.get_or_insert_with(|| {
                        format!(
                            "{done}: ? {question}\n{answer}\ninstead of\n{}",
                            self.right[question]
                        )
                    });
                }
            }
            drop(started.stop().await);
            match wrong {
                Some(wrong) => Err(wrong),
                None if then > 0 => Ok(Seen::Earlier),
                None if errors > 0 => Ok(Seen::Errors),
                None => Ok(if earlier && right < asked {
                    Seen::Earlier
                } else {
                    Seen::Right
                }),
            }
        })
    }
}

/// Whether an answer says that something went wrong here.
fn is_error(answer: &str) -> bool {
    answer.starts_with("503 ") || answer.contains("<Esito>ERRORE_INTERNO</Esito>")
}

#[test]
fn what_was_changed_behind_the_ports_back_is_never_answered_wrongly() {
    let count: usize = std::env::var("VARCO_MUTATIONS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(60);
    let seed = std::env::var("VARCO_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0x5eed_1234_5678_9abc);
    let campaign = Campaign::new();
    let mut random = Random(seed);
    let (mut seen, mut wrong) = (BTreeMap::<Seen, usize>::new(), Vec::new());
    for _ in 0..count {
        let before = random.0;
        match campaign.one(&mut random) {
            Ok(outcome) => *seen.entry(outcome).or_default() += 1,
            Err(text) => wrong.push(format!("VARCO_SEED={before}: {text}")),
        }
    }
    println!("{count} mutations: {seen:?}, {} wrong", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {count} answered wrongly, the first: {}",
        wrong.len(),
        wrong[0]
    );
    assert!(seen.get(&Seen::Refused) > Some(&(count / 10)), "{seen:?}");
}
