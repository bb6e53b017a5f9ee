//! The committer: one thread. It takes the waiting submissions, checks their preconditions, stamps the
//! entries, appends one durable batch, has the views and the other followers apply it, and hands out
//! receipts. It renders nothing and decides nothing else.
//!
//! Invariant: no submitter is answered before it is certain whether the batch is durable. An append in doubt
//! is settled first.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::batch::Raw;
use super::follow::{Follower, Origin, ViewError};
use super::keys::random;
use super::leaf::{Draft, Entry, Position, Writes};
use super::log::{AppendError, Appended, BatchId, Log, LogError, REMEDY};
use super::meter::Meter;
use super::segments::{FULL_BATCH, LONGEST_SUBMISSION};
use crate::clock::{Clock, rfc3339};

/// Submissions in one batch, at most.
const BATCH: usize = 512;
/// Pause between a failed append and the next attempt.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts to append one batch when other writers of the log come in between.
const BEHIND: usize = 8;
/// Number of questions to the log about a batch in doubt, and the pause after each.
const SETTLE: (usize, Duration) = (10, Duration::from_millis(100));
/// Interval between checks for entries of other writers of the log, when nothing is submitted here.
const FOLLOW: Duration = Duration::from_millis(200);
/// Bytes read at a time to bring the views up to the log.
const CATCH_UP: usize = 8 << 20;
/// Seconds the clock may be behind the last entry at the start: a synchronisation may still correct them.
const CLOCK_BEHIND: i64 = 300;

/// A reading must still stand at the append: no entry after the last one seen has advanced the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    /// The name, as in the `keys` of leaves.
    pub key: String,
    /// Sequence of the last entry in the views before the reading began; 0: the name was never advanced.
    pub seen: u64,
}

/// Entries to append together or not at all.
#[derive(Debug, Default)]
pub struct Submission {
    /// The entries, in order.
    pub drafts: Vec<Draft>,
    /// Conditions of the append. If one does not hold: [`NotCommitted::Conflict`].
    pub preconditions: Vec<Precondition>,
}

impl Submission {
    /// Upper bound of its bytes in a batch.
    fn size(&self) -> usize {
        self.drafts.iter().map(Draft::size).sum()
    }

    fn fits(&self) -> Result<(), NotCommitted> {
        if self.size() > LONGEST_SUBMISSION {
            Err(NotCommitted::TooLarge)
        } else {
            Ok(())
        }
    }
}

/// Proof of a durable submission. Only the committer makes one. No reply leaves without one.
#[derive(Debug)]
pub struct Receipt {
    first: u64,
    recorded: Timestamp,
}

impl Receipt {
    /// Sequence of the first entry.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Instant of the append, as stamped on the entries.
    pub fn recorded(&self) -> Timestamp {
        self.recorded
    }
}

/// Why a submission gets no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCommitted {
    /// A precondition does not hold: read again and try again.
    #[error("nel frattempo è cambiato ciò su cui si basava")]
    Conflict,
    /// The log cannot be written now.
    #[error("il disco non lo permette; si riprova da sé")]
    Unavailable,
    /// The submission is longer than [`LONGEST_SUBMISSION`].
    #[error("è più di quanto entra in una sola registrazione")]
    TooLarge,
    /// The process is stopping, or must.
    #[error("il registro è chiuso")]
    Closed,
}

/// The views, as the committer sees them: the follower used to check preconditions.
pub trait Views: Follower {
    /// The version of a name: the sequence of the last entry to advance it; 0 without any.
    fn version(&self, key: &str) -> Result<u64, ViewError>;
    /// The least number of records that a keyring must have: the highest key id named in an entry, or the
    /// number recorded last, if greater.
    fn keys(&self) -> Result<u64, ViewError>;
    /// Goes back to the last durable commit. The log is applied again from there. Called after an error,
    /// until it succeeds.
    fn recover(&mut self, log: &mut dyn Log) -> Result<(), ViewError>;
    /// Called before a fatal end: the next start must not trust the views.
    fn distrust(&mut self) {}
}

/// Puts the versions advanced by a leaf into the views, alike for every kind.
pub fn project_versions(entry: &Entry, writes: &mut Writes) {
    for key in &entry.leaf.body.keys {
        writes.set(version_name(key), entry.leaf.seq.to_be_bytes());
    }
}

/// Prefix, in the views, of everything known under a token or under the last part of another name.
pub const TOKENS: &str = "t/";

/// The name of a version in the views. The last part of the key tells most and stands first: `cf/2026/TOKEN`
/// is `t/TOKEN/v/cf/2026`, next to everything else known under the token.
pub fn version_name(key: &str) -> Vec<u8> {
    match key.rsplit_once('/') {
        Some((rest, last)) => [TOKENS, last, "/v/", rest].concat().into_bytes(),
        None => [TOKENS, key, "/v"].concat().into_bytes(),
    }
}

/// State of the committer. The gateway observes it: [`Health::Fatal`] ends the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Appends work. Also the state at the start.
    Good,
    /// Appends pause after an error, then are tried again.
    Unavailable,
    /// The process must end, for this reason.
    Fatal(String),
}

/// A handle to the committer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Committer {
    sender: SyncSender<ToCommitter>,
    health: watch::Receiver<Health>,
    meter: Meter,
}

enum ToCommitter {
    Submit(Submission, oneshot::Sender<Result<Receipt, NotCommitted>>),
    Follow(Box<dyn Follower>, oneshot::Sender<Result<(), NotCommitted>>),
    Close,
    End(&'static str),
}

/// The committer's thread. It is to be stopped after all submitters.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
    sender: SyncSender<ToCommitter>,
}

impl Running {
    /// Drains the waiting submissions, marks the clean stop, ends the thread.
    pub fn close(self) {
        let _ = self.sender.send(ToCommitter::Close);
        let _ = self.thread.join();
    }
}

impl Committer {
    /// Brings views and followers up to the log, then starts the thread. `keys` is the keyring's number of
    /// records. If entries need more, the keyring is an older copy: new keys would take the ids of the
    /// missing ones, so nothing is started.
    pub fn start(
        ledger: Uuid,
        mut log: Box<dyn Log>,
        mut views: Box<dyn Views>,
        mut followers: Vec<Box<dyn Follower>>,
        keys: u32,
        clock: Clock,
    ) -> Result<(Self, Running), StartError> {
        let last_recorded = catch_up(log.as_mut(), views.as_mut())?;
        for follower in &mut followers {
            catch_up(log.as_mut(), follower.as_mut())?;
        }
        let head = log.head()?;
        let wanted = views.keys()?;
        if u64::from(keys) < wanted {
            return Err(StartError::Keyring { has: keys, wanted });
        }
        // Stamps never go back: with a clock far behind, every entry would get the same instant until the
        // clock caught up.
        let now = clock.now();
        if last_recorded.as_second() - now.as_second() > CLOCK_BEHIND {
            return Err(StartError::Clock {
                now,
                last: last_recorded,
            });
        }
        let meter = Meter::default();
        meter.head.set(i64::try_from(head).unwrap_or(i64::MAX));
        let (sender, receiver) = sync_channel(4 * BATCH);
        let (health_sender, health) = watch::channel(Health::Good);
        let mut work = Turn {
            ledger,
            log,
            recent: Recent {
                after: views.applied(),
                ..Recent::default()
            },
            views,
            followers,
            batch: BatchId {
                writer: u64::from_le_bytes(random().map_err(|_| StartError::Random)?),
                number: 0,
            },
            clock,
            last_recorded,
            paused_until: None,
            lost: false,
            health: health_sender,
            dead: AtomicBool::new(false),
            meter: meter.clone(),
        };
        let builder = std::thread::Builder::new().name("committer".to_owned());
        let thread = builder
            .spawn(move || work.run(&receiver))
            .map_err(|error| StartError::Thread(Arc::new(error)))?;
        Ok((
            Self {
                sender: sender.clone(),
                health,
                meter,
            },
            Running { thread, sender },
        ))
    }

    /// Submits and waits for durability. Dropping the future does not take the submission back.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, NotCommitted> {
        submission.fits()?;
        let (reply, answer) = oneshot::channel();
        // A full queue means a disk far behind: say so at once instead of piling up.
        self.meter.waiting.inc();
        self.sender
            .try_send(ToCommitter::Submit(submission, reply))
            .map_err(|error| {
                self.meter.waiting.dec();
                match error {
                    std::sync::mpsc::TrySendError::Full(_) => NotCommitted::Unavailable,
                    std::sync::mpsc::TrySendError::Disconnected(_) => NotCommitted::Closed,
                }
            })?;
        answer.await.unwrap_or(Err(NotCommitted::Closed))
    }

    /// Adds a follower. It is brought up to the log, and follows it from there on.
    pub async fn follow(&self, follower: Box<dyn Follower>) -> Result<(), NotCommitted> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .try_send(ToCommitter::Follow(follower, reply))
            .map_err(|_| NotCommitted::Unavailable)?;
        answer.await.unwrap_or(Err(NotCommitted::Closed))
    }

    /// Ends the committer, since new entries could not be read any more. For threads that may wait.
    pub fn end(&self, why: &'static str) {
        // A committer already ended needs no message.
        let _ = self.sender.send(ToCommitter::End(why));
    }

    /// Its metrics, shared with its thread.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Its state, as a channel to watch.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

/// Why a committer does not start.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// The log cannot be read.
    #[error("{0}")]
    Log(Arc<LogError>),
    /// The views, or another follower, cannot be read or written.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The views hold more than the log: durable entries are gone.
    #[error("mancano dal registro le voci da {} a {views}, che le viste avevano ricevuto ({remedy})", log + 1, remedy = REMEDY)]
    Ahead {
        /// Sequence of the last entry applied to the views.
        views: u64,
        /// Sequence of the log's last entry.
        log: u64,
    },
    /// The keyring lacks keys named by entries.
    #[error(
        "il portachiavi ha {has} chiavi e le voci del registro ne nominano {wanted}: è una copia vecchia; rimettere l'ultima"
    )]
    Keyring {
        /// Number of records of the keyring.
        has: u32,
        /// The highest id named by an entry, or the number recorded last.
        wanted: u64,
    },
    /// The clock is far behind the last entry.
    #[error("l'orologio ({now}) è molto indietro rispetto all'ultima voce ({last}): rimetterlo, o aspettare")]
    Clock {
        /// The clock's present time.
        now: Timestamp,
        /// When the last entry was recorded.
        last: Timestamp,
    },
    /// The operating system gives no random numbers for the id of the writer.
    #[error("il sistema operativo non dà numeri casuali")]
    Random,
    /// The operating system gives no thread for the committer.
    #[error("il sistema operativo non dà un thread: {0}")]
    Thread(Arc<std::io::Error>),
}

impl From<LogError> for StartError {
    fn from(error: LogError) -> Self {
        Self::Log(Arc::new(error))
    }
}

/// Has a follower apply the entries it lacks. Returns the instant of the log's last entry.
fn catch_up<F: Follower + ?Sized>(log: &mut dyn Log, follower: &mut F) -> Result<Timestamp, StartError> {
    let (head, applied) = (log.head()?, follower.applied());
    if applied > head {
        return Err(StartError::Ahead {
            views: applied,
            log: head,
        });
    }
    // The instant of the last entry: stamps never go back.
    let (mut recorded, mut failed) = (None, None);
    let instant = |entries: &[Entry]| entries.last().and_then(|entry| entry.leaf.recorded.parse().ok());
    if applied < head {
        let mut progress = Progress::new(follower.name(), applied, head);
        log.scan(applied + 1, CATCH_UP, &mut |entries| {
            recorded = instant(entries);
            failed = follower.apply(entries, Origin::Elsewhere).err();
            progress.reached(follower.applied());
            failed.is_none()
        })?;
    } else if head > 0 {
        recorded = instant(&log.read(head, 1)?);
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(recorded.unwrap_or(Timestamp::UNIX_EPOCH)),
    }
}

/// Logs the progress of a long catching up now and then: after a crash, or for a new format, views are made
/// from the whole log.
struct Progress {
    of: &'static str,
    from: u64,
    head: u64,
    began: Instant,
    said: Instant,
}

impl Progress {
    /// Interval between two log lines.
    const EVERY: Duration = Duration::from_secs(2);

    fn new(of: &'static str, from: u64, head: u64) -> Self {
        let now = Instant::now();
        Self {
            of,
            from,
            head,
            began: now,
            said: now,
        }
    }

    fn reached(&mut self, sequence: u64) {
        if self.said.elapsed() < Self::EVERY {
            return;
        }
        self.said = Instant::now();
        let (done, all) = (sequence.saturating_sub(self.from), self.head - self.from);
        let left = self.began.elapsed().as_secs() * (all - done.min(all)) / done.max(1);
        tracing::info!(
            follower = self.of,
            entries = done,
            of = all,
            percent = 100 * done / all.max(1),
            seconds_left = left,
            "catching up"
        );
    }
}

/// Names advanced by the latest entries. They alone judge a reading of a moment ago: the views are not asked
/// again.
#[derive(Debug, Default)]
struct Recent {
    /// Every entry after this one is counted in.
    after: u64,
    /// The last entry to advance each name.
    advanced: HashMap<String, u64>,
}

impl Recent {
    /// Names kept, at most.
    const MOST: usize = 4096;

    /// Forgets all: the entries up to this one are in the views.
    fn begin(&mut self, after: u64) {
        self.after = after;
        self.advanced.clear();
    }

    fn add(&mut self, entry: &Entry) {
        if self.advanced.len() >= Self::MOST {
            self.begin(entry.leaf.seq - 1);
        }
        for key in &entry.leaf.body.keys {
            self.advanced.insert(key.clone(), entry.leaf.seq);
        }
    }

    /// Whether a precondition holds. `None`: the reading is older than all kept here.
    fn holds(&self, precondition: &Precondition) -> Option<bool> {
        let advanced = self.advanced.get(&precondition.key);
        (precondition.seen >= self.after).then(|| advanced.is_none_or(|last| *last <= precondition.seen))
    }
}

struct Turn {
    ledger: Uuid,
    log: Box<dyn Log>,
    views: Box<dyn Views>,
    followers: Vec<Box<dyn Follower>>,
    recent: Recent,
    /// Id of the last batch. Its number rises with each attempt.
    batch: BatchId,
    clock: Clock,
    last_recorded: Timestamp,
    paused_until: Option<Instant>,
    /// The views gave an error and have not recovered: they do not agree with the log.
    lost: bool,
    health: watch::Sender<Health>,
    dead: AtomicBool,
    meter: Meter,
}

type InLine = (Submission, oneshot::Sender<Result<Receipt, NotCommitted>>);

impl Turn {
    fn run(&mut self, receiver: &Receiver<ToCommitter>) {
        let mut closing = false;
        while !closing {
            let first = match receiver.recv_timeout(FOLLOW) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.follow();
                    self.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // Other threads about to submit do so now: fewer and larger batches, fewer syncs. Without other
            // threads it costs nothing.
            std::thread::yield_now();
            let mut waiting: Vec<InLine> = Vec::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    ToCommitter::Close => closing = true,
                    ToCommitter::Follow(follower, reply) => drop(reply.send(self.add(follower))),
                    ToCommitter::End(why) => self.die(std::mem::take(&mut waiting), why),
                    ToCommitter::Submit(submission, reply) => {
                        self.meter.waiting.dec();
                        bytes += submission.size();
                        waiting.push((submission, reply));
                    }
                }
                let full = waiting.len() >= BATCH || bytes >= FULL_BATCH;
                next = if full { None } else { receiver.try_recv().ok() };
            }
            self.commit(waiting);
        }
        // A handle used from now on finds the channel closed.
        if !self.dead.load(Ordering::SeqCst) {
            let closed = self.log.close().map_err(|error| error.to_string());
            let closed = closed.and_then(|()| self.views.close().map_err(|error| error.to_string()));
            let others = self
                .followers
                .iter_mut()
                .try_for_each(|follower| follower.close())
                .map_err(|error| error.to_string());
            let closed = closed.and(others);
            if let Err(error) = closed {
                tracing::error!(error, "clean stop failed");
            }
        }
    }

    fn idle(&mut self) {
        if self.dead.load(Ordering::SeqCst) || !self.has_views() {
            return;
        }
        if let Err(error) = self.views.idle() {
            self.lose(&error);
        }
        for follower in &mut self.followers {
            if let Err(error) = follower.idle() {
                tracing::error!(follower = follower.name(), %error, "a follower of the log");
            }
        }
    }

    /// Brings a new follower up to the log and adds it. It is added even if it fails to catch up.
    fn add(&mut self, mut follower: Box<dyn Follower>) -> Result<(), NotCommitted> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(NotCommitted::Closed);
        }
        let caught_up = catch_up(self.log.as_mut(), follower.as_mut());
        if let Err(error) = &caught_up {
            tracing::error!(follower = follower.name(), %error, "a follower of the log");
        }
        self.followers.push(follower);
        caught_up.map(|_| ()).map_err(|_| NotCommitted::Unavailable)
    }

    /// Has the views and the other followers apply the entries of other writers of the log.
    fn follow(&mut self) {
        if self.dead.load(Ordering::SeqCst) || !self.has_views() {
            return;
        }
        match self.log.head() {
            Ok(head) if head <= self.views.applied() => {}
            Ok(_) => drop(self.catch_up()),
            Err(error) => tracing::warn!(%error, "the head of the log is not known"),
        }
    }

    /// Has the views and the other followers apply the entries of other writers. An error has been dealt
    /// with: the views are lost, appends pause, or the process ends.
    fn catch_up(&mut self) -> Result<(), NotCommitted> {
        match catch_up(self.log.as_mut(), self.views.as_mut()) {
            Ok(recorded) => {
                self.last_recorded = self.last_recorded.max(recorded);
                self.recent.begin(self.views.applied());
            }
            Err(StartError::Views(error)) => {
                self.lose(&error);
                return Err(NotCommitted::Unavailable);
            }
            // The error may pass: a log that does not answer, a disk.
            Err(StartError::Log(error)) if matches!(*error, LogError::Io { .. }) => {
                tracing::error!(%error, "the log cannot be read");
                self.pause();
                return Err(NotCommitted::Unavailable);
            }
            Err(error) => {
                self.die(Vec::new(), &error.to_string());
                return Err(NotCommitted::Closed);
            }
        }
        for follower in &mut self.followers {
            if let Err(error) = catch_up(self.log.as_mut(), follower.as_mut()) {
                tracing::error!(follower = follower.name(), %error, "a follower of the log");
            }
        }
        Ok(())
    }

    /// The views gave an error: the disk may be full. The log is whole, and nothing is appended to it until
    /// they have recovered.
    fn lose(&mut self, error: &ViewError) {
        if !std::mem::replace(&mut self.lost, true) {
            tracing::error!(%error, "views cannot be written");
        }
        self.pause();
    }

    /// Whether the views agree with the log. After an error it tries to recover them, at most once a second.
    fn has_views(&mut self) -> bool {
        if !self.lost {
            return true;
        }
        if self.paused_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        if let Err(error) = self.views.recover(self.log.as_mut()) {
            self.lose(&error);
        } else if self.catch_up().is_ok() {
            tracing::warn!(applied = self.views.applied(), "the views have recovered");
            (self.lost, self.paused_until) = (false, None);
            self.health.send_replace(Health::Good);
        }
        !self.lost
    }

    /// One batch. Submissions whose preconditions hold are appended; the others get a conflict. With the
    /// views lost, or during a pause, all of them are unavailable.
    fn commit(&mut self, mut waiting: Vec<InLine>) {
        if self.dead.load(Ordering::SeqCst) {
            return answer_all(waiting, NotCommitted::Closed);
        }
        if !self.has_views() || self.paused_until.is_some_and(|until| Instant::now() < until) {
            return answer_all(waiting, NotCommitted::Unavailable);
        }
        // Another writer of the same log may come in between: its entries are applied and everything is
        // checked again.
        for _ in 0..BEHIND {
            let expected = self.views.applied();
            let (accepted, conflicting, entries, recorded) = match self.prepare(waiting, expected) {
                Ok(prepared) => prepared,
                Err((waiting, error)) => {
                    self.lose(&error);
                    return answer_all(waiting, NotCommitted::Unavailable);
                }
            };
            answer_all(conflicting, NotCommitted::Conflict);
            if accepted.is_empty() {
                return;
            }
            let began = Instant::now();
            self.batch.number += 1;
            let appended = match self.log.append(self.batch, &entries, expected) {
                Err(AppendError::InDoubt(error)) => self.settle(&error),
                appended => appended,
            };
            match appended {
                Ok(Appended::Positions(positions)) if positions.len() == entries.len() => {
                    self.meter.appends.observe(began.elapsed().as_secs_f64());
                    self.meter.entries.inc_by(entries.len() as u64);
                    self.meter
                        .head
                        .set(i64::try_from(expected + entries.len() as u64).unwrap_or(i64::MAX));
                    self.paused_until = None;
                    self.health
                        .send_if_modified(|health| std::mem::replace(health, Health::Good) != Health::Good);
                    self.last_recorded = recorded;
                    return self.applied(accepted, entries, &positions, expected + 1, recorded);
                }
                Ok(Appended::Positions(_)) => {
                    return self.die(accepted, "the log has another batch than was given to it");
                }
                Ok(Appended::Behind) => {
                    if let Err(error) = self.catch_up() {
                        return answer_all(accepted, error);
                    }
                    waiting = accepted;
                }
                Err(AppendError::Unavailable(error)) => {
                    tracing::error!(%error, "ledger cannot be written");
                    self.pause();
                    return answer_all(accepted, NotCommitted::Unavailable);
                }
                Err(AppendError::InDoubt(error) | AppendError::Fatal(error)) => {
                    return self.die(accepted, &error.to_string());
                }
            }
        }
        tracing::error!(tries = BEHIND, "others always came in between");
        answer_all(waiting, NotCommitted::Unavailable);
    }

    /// Nothing is appended for a [`PAUSE`].
    fn pause(&mut self) {
        self.paused_until = Some(Instant::now() + PAUSE);
        self.health.send_replace(Health::Unavailable);
    }

    /// Settles an append in doubt. Its senders wait meanwhile. A lasting doubt ends the process: the next
    /// start reads the log.
    fn settle(&mut self, doubt: &std::io::Error) -> Result<Appended, AppendError> {
        tracing::warn!(%doubt, "an append is in doubt");
        let (times, pause) = SETTLE;
        for _ in 0..times {
            match self.log.settle(self.batch) {
                Ok(Some(positions)) => return Ok(Appended::Positions(positions)),
                Ok(None) => {
                    return Err(AppendError::Unavailable(std::io::Error::new(
                        doubt.kind(),
                        doubt.to_string(),
                    )));
                }
                Err(error) => tracing::warn!(%error, "an append stays in doubt"),
            }
            std::thread::sleep(pause);
        }
        Err(AppendError::Fatal(std::io::Error::other(
            "an append stayed in doubt",
        )))
    }

    /// Whether a precondition holds for the entries up to the last.
    fn holds(&self, precondition: &Precondition) -> Result<bool, ViewError> {
        match self.recent.holds(precondition) {
            Some(holds) => Ok(holds),
            None => Ok(self.views.version(&precondition.key)? <= precondition.seen),
        }
    }

    /// Checks preconditions against the latest entries, or the views, and against the names advanced earlier
    /// in the batch. Stamps the entries.
    #[allow(clippy::type_complexity, reason = "taken apart where it is made")]
    fn prepare(
        &self,
        waiting: Vec<InLine>,
        head: u64,
    ) -> Result<(Vec<InLine>, Vec<InLine>, Vec<Raw>, Timestamp), (Vec<InLine>, ViewError)> {
        let recorded = self.clock.now().max(self.last_recorded);
        let stamp = rfc3339(recorded);
        let mut overlay: HashSet<&str> = HashSet::new();
        let mut entries = Vec::new();
        let mut verdicts = Vec::with_capacity(waiting.len());
        let mut failed = None;
        for (submission, _) in &waiting {
            let mut holds = true;
            for precondition in &submission.preconditions {
                holds &= !overlay.contains(precondition.key.as_str());
                match self.holds(precondition) {
                    Ok(held) => holds &= held,
                    Err(error) => failed = Some(error),
                }
            }
            if holds {
                for draft in &submission.drafts {
                    let sequence = head + 1 + entries.len() as u64;
                    overlay.extend(draft.keys().iter().map(String::as_str));
                    entries.push(Raw {
                        leaf: draft.stamp(self.ledger, sequence, &stamp),
                        sealed: draft.sealed.clone(),
                    });
                }
            }
            verdicts.push(holds);
        }
        drop(overlay);
        if let Some(error) = failed {
            return Err((waiting, error));
        }
        let (mut accepted, mut conflicting) = (Vec::with_capacity(waiting.len()), Vec::new());
        for (each, holds) in waiting.into_iter().zip(verdicts) {
            if holds {
                accepted.push(each)
            } else {
                conflicting.push(each)
            }
        }
        Ok((accepted, conflicting, entries, recorded))
    }

    /// The batch is durable: the views apply it, then receipts go out.
    fn applied(
        &mut self,
        accepted: Vec<InLine>,
        raw: Vec<Raw>,
        positions: &[Position],
        first: u64,
        recorded: Timestamp,
    ) {
        let stamp = rfc3339(recorded);
        let (mut entries, mut answers) = (Vec::with_capacity(raw.len()), Vec::with_capacity(accepted.len()));
        let (mut leaves, mut places) = (raw.into_iter(), positions.iter());
        for (submission, reply) in accepted {
            answers.push((first + entries.len() as u64, reply));
            for draft in submission.drafts {
                let (Some(raw), Some(position)) = (leaves.next(), places.next()) else {
                    continue;
                };
                let sequence = first + entries.len() as u64;
                entries.push(draft.appended(raw.leaf, self.ledger, sequence, &stamp, *position));
                entries
                    .last()
                    .into_iter()
                    .for_each(|entry| self.recent.add(entry));
            }
        }
        // The entries are durable: their senders are told so even if the views fail. Nothing else is appended
        // before they recover.
        if let Err(error) = self.views.apply(&entries, Origin::Here) {
            self.lose(&error);
        }
        for follower in &mut self.followers {
            if let Err(error) = follower.apply(&entries, Origin::Here) {
                tracing::error!(follower = follower.name(), %error, "a follower of the log");
            }
        }
        for (first, reply) in answers {
            // A client gone by now does not undo the record.
            let _ = reply.send(Ok(Receipt { first, recorded }));
        }
    }

    fn die(&mut self, waiting: Vec<InLine>, why: &str) {
        tracing::error!(why, "the ledger ends this process");
        self.dead.store(true, Ordering::SeqCst);
        // For any cause: making the views again costs a slow start, trusting them might cost more.
        self.views.distrust();
        self.health.send_replace(Health::Fatal(why.to_owned()));
        answer_all(waiting, NotCommitted::Closed);
    }
}

fn answer_all(waiting: Vec<InLine>, with: NotCommitted) {
    for (_, reply) in waiting {
        let _ = reply.send(Err(with));
    }
}
