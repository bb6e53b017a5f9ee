//! The daily reading of closed segments: a thread reads and checks every batch once a day, a little at a
//! time, while the gateway serves. A disk may damage segments left unread for years. If the damage is found
//! early, there is still a good copy.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::damage::Damage;
use super::log::{LogError, Part, Parts, Reader};
use super::uses::Uses;
use crate::clock::Clock;

/// Time from the beginning of a round to the beginning of the next.
const ROUND: Duration = Duration::from_secs(24 * 60 * 60);
/// Interval between checks for closed segments without an index of uses.
const INDEXED: Duration = Duration::from_secs(60);
/// Time of work before a rest.
const WORK: Duration = Duration::from_millis(4);
/// Length of a rest, as a multiple of the work before it: a tenth of one core at most.
const REST: u32 = 9;

/// Results of the last whole round; zeros before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// When the round ended. None: no round has ended yet.
    pub ended: Option<Timestamp>,
    /// Segments read, damaged ones included.
    pub segments: u64,
    /// Entries read in undamaged segments.
    pub entries: u64,
    /// Segments not readable to their end.
    pub damaged: u64,
}

/// The reading, on a thread of its own. Dropping this ends it.
#[derive(Debug)]
pub struct Scrub {
    shared: Arc<ScrubShared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct ScrubShared {
    stop: Mutex<bool>,
    stopped: Condvar,
    rounds: Mutex<Rounds>,
}

impl Scrub {
    /// Begins to read the closed segments of a log: a first round at once, then one a day.
    pub fn start(
        reader: &Arc<dyn Reader>,
        damage: &Damage,
        uses: &Uses,
        clock: &Clock,
    ) -> std::io::Result<Self> {
        let shared = Arc::<ScrubShared>::default();
        let reading = ScrubReading {
            reader: reader.clone(),
            damage: damage.clone(),
            uses: uses.clone(),
            clock: clock.clone(),
            shared: shared.clone(),
            working: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("scrub".to_owned())
            .spawn(move || reading.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Results of the last whole round.
    pub fn rounds(&self) -> Rounds {
        *self.shared.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Scrub {
    fn drop(&mut self) {
        *self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.stopped.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct ScrubReading {
    reader: Arc<dyn Reader>,
    damage: Damage,
    uses: Uses,
    clock: Clock,
    shared: Arc<ScrubShared>,
    /// Beginning of its present work: the end of the last rest, or the start.
    working: Instant,
}

impl ScrubReading {
    fn run(mut self) {
        loop {
            let began = Instant::now();
            self.index();
            let Some(rounds) = self.round() else { return };
            *self.shared.rounds.lock().unwrap_or_else(PoisonError::into_inner) = rounds;
            tracing::info!(
                rounds.segments,
                rounds.entries,
                rounds.damaged,
                "the closed segments were read again"
            );
            while began.elapsed() < ROUND {
                if self.rests(INDEXED) {
                    return;
                }
                self.index();
            }
        }
    }

    /// Makes the missing indexes of uses: of newly closed segments, or of a copy without indexes.
    fn index(&self) {
        if let Err(error) = self.uses.make_missing() {
            tracing::error!(%error, "the index of uses cannot be made");
        }
    }

    /// Reads every closed segment. None: the thread was told to stop.
    fn round(&mut self) -> Option<Rounds> {
        let mut rounds = Rounds::default();
        let reader = self.reader.clone();
        match reader.parts() {
            Ok(parts) => {
                for part in parts.list().into_iter().filter(|part| part.closed) {
                    rounds.segments += 1;
                    match self.read(parts.as_ref(), &part)? {
                        Ok(entries) => rounds.entries += entries,
                        Err(error) => {
                            rounds.damaged += 1;
                            self.damage.found(&error);
                        }
                    }
                }
            }
            Err(error) => self.damage.found(&error),
        }
        rounds.ended = Some(self.clock.now());
        Some(rounds)
    }

    /// The number of a part's entries, or its defect. None: the thread was told to stop.
    fn read(&mut self, parts: &dyn Parts, part: &Part) -> Option<Result<u64, LogError>> {
        let (mut entries, mut stopped) = (0, false);
        let read = parts.batches(part, &mut |batch| {
            entries += batch.len() as u64;
            let worked = self.working.elapsed();
            stopped = worked >= WORK && self.rests(worked * REST);
            !stopped
        });
        if stopped {
            None
        } else {
            Some(read.map(|()| entries))
        }
    }

    /// Waits for `time`. True: the thread was told to stop meanwhile.
    fn rests(&mut self, time: Duration) -> bool {
        let stop = self.shared.stop.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.shared.stopped.wait_timeout_while(stop, time, |stop| !*stop);
        let stopped = *waited.unwrap_or_else(PoisonError::into_inner).0;
        self.working = Instant::now();
        stopped
    }
}
