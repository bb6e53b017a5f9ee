//! `varco ledger verify`: every byte, checksum, sequence and sealed part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::super::avanzamento::{Avanzamento, Lavoro};
use crate::contract::attestazione_letta;
use crate::isee::sintesi::Sintesi;
use crate::italian::quanti;
use crate::ledger::committer::StartError;
use crate::ledger::keys::Access;
use crate::ledger::leaf::SIGILLO;
use crate::ledger::log::{LogError, REMEDY};
use crate::ledger::tree::{Compared, Differs, TreeHash};
use crate::ledger::{Directory, Entry, Keys, Reader, Secret, Unopened, Verified, seal};
use crate::progress::made;

/// The result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries and batches read.
    pub read: Verified,
    /// Sealed parts opened, and equal to the commitments of their leaves.
    pub opened: u64,
    /// Sealed parts with an erased key.
    pub erased: u64,
    /// Sealed parts not opened, for want of a keyring.
    pub unseen: u64,
    /// Sealed parts of earlier formats: nothing in their leaves covers their bytes.
    pub uncovered: u64,
    /// Root of the tree over the leaves read.
    pub root: TreeHash,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            read,
            opened,
            erased,
            unseen,
            uncovered,
            root: _,
        } = self;
        write!(
            f,
            "registro integro: {} in {}; ",
            quanti(read.entries, "voce", "voci"),
            quanti(read.batches, "blocco", "blocchi")
        )?;
        if *unseen > 0 {
            write!(
                f,
                "{unseen} parti riservate non controllate: qui non ci sono le chiavi"
            )?;
        } else {
            write!(
                f,
                "parti riservate: {opened} aperte e conformi, {erased} cancellate"
            )?;
        }
        if *uncovered > 0 {
            write!(f, "; {uncovered} di formati precedenti, senza sigillo")?;
        }
        if read.tail > 0 {
            write!(f, "; {} byte incompleti in coda", read.tail)?;
        }
        Ok(())
    }
}

/// Defects of sealed parts: unusable keys with the entries in need of them, and the others.
#[derive(Default)]
struct Guasti {
    /// By the id of the key: its defect, and the entries.
    keys: BTreeMap<u32, (&'static str, Vec<u64>)>,
    others: Vec<String>,
}

/// The state of a damaged key, in the report.
const DAMAGED: &str = "è danneggiata";

impl Guasti {
    fn note(&mut self, entry: &Entry, error: Unopened) {
        let sequence = entry.leaf.seq;
        match error {
            Unopened::MissingKey(id) => self.closed_by(id, "non è nel portachiavi", sequence),
            Unopened::DamagedKey(id) => self.closed_by(id, DAMAGED, sequence),
            // By its checksums the part itself is whole: it was sealed under another key than the present one
            // of this number.
            Unopened::Damaged => {
                let id = seal::key_id(&entry.sealed).unwrap_or_default();
                self.closed_by(id, "non è quella con cui queste voci sono state chiuse", sequence);
            }
            error => {
                self.others
                    .push(format!("voce {sequence}: parte riservata: {error}"));
            }
        }
    }

    /// Notes a summary that is not its attestation's.
    fn compare(&mut self, entry: &Entry, secret: &Secret) {
        if !says_the_same(secret) {
            self.others.push(format!(
                "voce {}: la sintesi degli indicatori, da cui si risponde, non è quella della sua attestazione",
                entry.leaf.seq
            ));
        }
    }

    fn closed_by(&mut self, id: u32, why: &'static str, sequence: u64) {
        self.keys
            .entry(id)
            .or_insert_with(|| (why, Vec::new()))
            .1
            .push(sequence);
    }

    /// One line for each key, then the other defects. Damaged keys needed by no entry are named too.
    fn lines(mut self, keys: &Keys) -> Vec<String> {
        for id in keys.damaged() {
            self.keys.entry(id).or_insert((DAMAGED, Vec::new()));
        }
        let line = |(id, (state, entries)): (u32, (&str, Vec<u64>))| {
            let what = keys
                .describe(id)
                .map(|what| format!(" ({what})"))
                .unwrap_or_default();
            let which = if entries.is_empty() {
                "nessuna voce la usa".to_owned()
            } else {
                format!("voci illeggibili: {}", ranges(&entries))
            };
            format!("la chiave {id}{what} {state}; {which}")
        };
        self.keys.into_iter().map(line).chain(self.others).collect()
    }
}

/// Sequences in order, runs of them as `from-to`.
fn ranges(sequences: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for sequence in sequences {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *sequence => *last = *sequence,
            _ => runs.push((*sequence, *sequence)),
        }
    }
    let text = |(first, last): &(u64, u64)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    runs.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Whether the leaf covers the bytes of the sealed part.
enum Covered {
    /// It does, or there is no sealed part.
    Yes,
    /// The part is of version 1: leaves did not.
    Earlier,
    /// The part is another, or is gone.
    No,
}

fn covered(entry: &Entry) -> Covered {
    let sigillo = entry.leaf.body.text(SIGILLO);
    match (entry.sealed.first(), sigillo) {
        (None, None) => Covered::Yes,
        (Some(1), None) => Covered::Earlier,
        (Some(_), Some(sigillo)) if seal::sigillo(&entry.sealed) == sigillo => Covered::Yes,
        _ => Covered::No,
    }
}

/// Reads every byte, checks every checksum, sequence and order, opens every sealed part against its leaf's
/// commitment. Checks, too, for entries known to the views and missing from the log. The error has a line for
/// each damage; the reading goes on after it.
pub fn verify(directory: &Directory) -> Result<Report> {
    verify_with(directory, &directory.keys())
}

/// The same, with the keys of another directory.
pub(in super::super) fn verify_with(directory: &Directory, from: &Path) -> Result<Report> {
    let open = || Keys::open_for(from, Access::Inspect);
    let keys = match open() {
        Ok(keys) => Some(keys),
        // A backup without its keys is verified as far as possible.
        Err(_) if !from.exists() => None,
        Err(error) => return Err(error.into()),
    };
    // First the views, then the log: a gateway may append meanwhile.
    let views = crate::state::reached(&directory.views(), directory.ledger);
    verify_log(
        &directory.reader(),
        Checked {
            keys,
            again: &|| open().ok(),
            views,
            tiles: Some(directory.tiles()),
        },
    )
}

/// The keys and views a log is checked against.
pub struct Checked<'a> {
    /// The keys of the sealed parts; `None`: they are not here.
    pub keys: Option<Keys>,
    /// Opens the keys again: a running gateway may have made one since.
    pub again: &'a dyn Fn() -> Option<Keys>,
    /// The last entry applied by the views.
    pub views: Option<u64>,
    /// Directory of the tree's tiles; `None`: they are not here.
    pub tiles: Option<PathBuf>,
}

/// A line for each damage of the log, and one for views ahead of it.
fn of_the_log(damage: &[LogError], views: Option<u64>, read: &Verified) -> Vec<String> {
    let mut lines: Vec<String> = damage.iter().map(LogError::place).collect();
    if let Some(views) = views.filter(|views| damage.is_empty() && *views > read.entries) {
        let log = read.entries;
        lines.push(StartError::Ahead { views, log }.to_string());
    }
    if !damage.is_empty() {
        lines.push(format!(
            "{} voci in {} blocchi sono intere; rimedio: {REMEDY}",
            read.entries, read.batches
        ));
    }
    lines
}

/// The line for a tree that is not the leaves'.
fn other_tree(differs: Differs) -> String {
    match differs {
        Differs::Leaf(sequence) => {
            format!("l'albero (ledger/tile) non è quello delle voci: la prima diversa è la {sequence}")
        }
        Differs::Above(level, number) => {
            format!("l'albero (ledger/tile) non è quello delle voci: il tassello {level}/{number} è diverso")
        }
    }
}

/// Whether the summary of an attestation, if there is one, is what the attestation says: questions about an
/// indicator are answered from the summary alone.
fn says_the_same(secret: &Secret) -> bool {
    let (Some(text), Some(bytes)) = (&secret.attestation, &secret.indicatori) else {
        return secret.indicatori.is_none();
    };
    let attested = attestazione_letta(text);
    attested.is_ok_and(|(attestazione, persone)| {
        Sintesi::decode(bytes) == Some(Sintesi::of(&attestazione, persone))
    })
}

/// The same, for any log.
pub fn verify_log(reader: &dyn Reader, checked: Checked<'_>) -> Result<Report> {
    let Checked {
        mut keys,
        again,
        views,
        tiles,
    } = checked;
    let mut tree = Compared::new(tiles);
    let (mut report, mut wrong) = (Report::default(), Guasti::default());
    let _shown = Avanzamento::of(Lavoro {
        nome: "rilettura del registro",
        passi: "voci",
        totale: views.filter(|views| *views > 0),
    });
    let (read, damage) = reader.verify(&mut |entry| {
        made(1);
        tree.add(entry.leaf.seq, &entry.bytes);
        match covered(&entry) {
            Covered::Yes => {}
            Covered::Earlier => report.uncovered += 1,
            Covered::No => wrong.others.push(format!(
                "voce {}: la parte riservata non è quella del sigillo che sta nella foglia",
                entry.leaf.seq
            )),
        }
        if entry.sealed.is_empty() {
            return;
        }
        let Some(known) = &keys else {
            report.unseen += 1;
            return;
        };
        let mut outcome = seal::open(known, &entry.leaf, &entry.sealed);
        if let Err(Unopened::MissingKey(id)) = outcome
            && id > known.records()
            && let Some(again) = again()
        {
            // A key enters the keyring before an entry names it.
            outcome = seal::open(&again, &entry.leaf, &entry.sealed);
            keys = Some(again);
        }
        match outcome {
            Ok((_, secret)) => {
                report.opened += 1;
                wrong.compare(&entry, &secret);
            }
            Err(Unopened::Erased) => report.erased += 1,
            Err(error) => wrong.note(&entry, error),
        }
    })?;
    report.read = read;
    (_, report.root) = tree.head();
    wrong.others.extend(tree.differs().map(other_tree));
    let mut lines = of_the_log(&damage, views, &report.read);
    lines.extend(match &keys {
        Some(keys) => wrong.lines(keys),
        None => wrong.others,
    });
    if !lines.is_empty() {
        bail!("{}", lines.join("\n"));
    }
    Ok(report)
}
