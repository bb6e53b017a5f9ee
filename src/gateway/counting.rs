//! The quotas of the day and the failed attempts follow the log: entries from before the start, and entries
//! of others in the same log. Exchanges of this process are counted when they are let in.
//!
//! Reading the whole day takes a second for some two hundred thousand exchanges. So a clean stop leaves the
//! counts in a file beside the views, with the last entry counted. The next start takes them up if the log
//! has that very entry, and counts later ones. With a missing, damaged, old or foreign file the start reads
//! the day.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::quota::Quotas;
use crate::binary::{ByteIn, ByteOut};
use crate::clock::{Clock, rfc3339, rome};
use crate::digest::sha256;
use crate::ledger::disk::Disk;
use crate::ledger::{Entry, Follower, Glance, LogError, Origin, Position, Reader, ViewError};
use crate::services::tentativi::{RECOUNTED, Tentativi};

/// The first bytes of the file.
const MAGIC: &[u8] = b"varco counts 1\n";
/// Length of a digest, bytes.
const DIGEST: usize = 32;

/// Makes the quotas and the failed attempts follow the log.
pub struct QuotaFollower {
    quotas: Arc<Quotas>,
    tentativi: Arc<Tentativi>,
    clock: Clock,
    applied: u64,
    /// The place of the last entry applied here.
    last: Option<Position>,
    kept: Option<CountsFile>,
}

/// The place for the counts of a clean stop.
pub struct CountsFile {
    /// The file.
    pub path: PathBuf,
    /// The disk under it.
    pub disk: Arc<dyn Disk>,
    /// The counted log.
    pub reader: Arc<dyn Reader>,
}

/// Counts left by a clean stop.
struct Left {
    quotas: Quotas,
    tentativi: Tentativi,
    /// The last entry counted, and when it was recorded.
    sequence: u64,
    recorded: String,
}

impl QuotaFollower {
    /// Counts this day's exchanges of a log, and the failed attempts of the last hours. `head` is its last
    /// entry. With `kept` it goes on from the counts left there.
    pub fn recounted(
        quotas: &Arc<Quotas>,
        tentativi: &Arc<Tentativi>,
        (reader, head): (&dyn Reader, u64),
        clock: &Clock,
        kept: Option<CountsFile>,
    ) -> Result<Self, LogError> {
        let now = clock.now();
        let today = clock.today();
        // An exchange is recorded after it was received: none of today's was recorded before today began.
        let start = rome(now)
            .start_of_day()
            .map_or(Timestamp::UNIX_EPOCH, |start| start.timestamp());
        let attempts = rfc3339(now.saturating_sub(RECOUNTED).unwrap_or(Timestamp::UNIX_EPOCH));
        let mut since = rfc3339(start).min(attempts.clone());
        let left = kept.as_ref().and_then(|kept| left(&kept.path, &*kept.reader));
        // Older counts would only make the way longer; later ones are of a clock that had gone ahead.
        let left = left.filter(|left| left.recorded >= since && left.quotas.day() <= today);
        let mut counted = 0;
        if let Some(left) = left {
            counted = left.sequence;
            since = left.recorded;
            tentativi.take_up(left.tentativi);
            if left.quotas.day() == today {
                quotas.take_up(left.quotas);
            }
        }
        let mut applied = head;
        reader.since(&since, &mut |glance| {
            applied = applied.max(glance.seq);
            if glance.seq <= counted {
                return;
            }
            quotas.recount(glance, today);
            if *glance.recorded >= *attempts {
                tentativi.recount(glance);
            }
        })?;
        Ok(Self {
            quotas: quotas.clone(),
            tentativi: tentativi.clone(),
            clock: clock.clone(),
            applied,
            last: None,
            kept,
        })
    }

    /// Leaves the counts for the next start.
    fn leave(&self) -> Result<(), ViewError> {
        let (Some(kept), Some(last)) = (&self.kept, &self.last) else {
            return Ok(());
        };
        let wrong = |error: &dyn std::fmt::Display| ViewError(error.to_string());
        let (leaf, _) = kept.reader.bytes(last).map_err(|error| wrong(&error))?;
        let mut out = ByteOut::default();
        out.0.extend_from_slice(MAGIC);
        out.0.extend_from_slice(&last.encode());
        out.0.extend_from_slice(&sha256(&leaf));
        self.tentativi.write(&mut out);
        self.quotas.write(&mut out);
        let digest = sha256(&out.0);
        out.0.extend_from_slice(&digest);
        let written = kept.disk.replace(&kept.path, &out.0);
        written.map_err(|error| wrong(&crate::italian::io(&error)))
    }
}

impl Follower for QuotaFollower {
    fn name(&self) -> &'static str {
        "quotas"
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn apply(&mut self, entries: &[Entry], origin: Origin) -> Result<(), ViewError> {
        if let Some(last) = entries.last() {
            self.applied = last.leaf.seq;
            self.last = Some(last.position);
        }
        if origin == Origin::Here {
            return Ok(());
        }
        for glance in entries.iter().filter_map(|entry| Glance::read(&entry.bytes)) {
            self.quotas.recount(&glance, self.clock.today());
            self.tentativi.recount(&glance);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), ViewError> {
        if let Err(error) = self.leave() {
            // Nothing is lost: the next start reads the day again.
            tracing::warn!(%error, "the counts of the day cannot be kept for the next start");
        }
        Ok(())
    }
}

/// Reads the counts that a clean stop left. None: there are none of this log.
fn left(path: &Path, reader: &dyn Reader) -> Option<Left> {
    let bytes = std::fs::read(path).ok()?;
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST)?)?;
    (sha256(content) == digest).then_some(())?;
    let mut from = ByteIn(content.strip_prefix(MAGIC)?);
    let position = Position::decode(from.take(Position::LENGTH)?)?;
    let of = from.take(DIGEST)?;
    let tentativi = Tentativi::read_back(&mut from)?;
    let quotas = Quotas::read_back(&mut from)?;
    from.0.is_empty().then_some(())?;
    let (leaf, _) = reader.bytes(&position).ok()?;
    (sha256(&leaf) == of).then_some(())?;
    let glance = Glance::read(&leaf)?;
    Some(Left {
        quotas,
        tentativi,
        sequence: glance.seq,
        recorded: glance.recorded.to_string(),
    })
}
