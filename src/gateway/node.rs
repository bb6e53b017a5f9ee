//! A data directory opened: the ledger, its views, the registry, the SII. The gateway serves it; commands
//! open it when no gateway runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::evidence::entries::{self as epochs, EpochProjector, Perche};
use crate::evidence::epoch::{self, Epoch};
use crate::evidence::signing::{self, Contradiction, SignedSoFar, Signing};
use crate::evidence::{NAME, checkpoint};
use crate::gateway::facts::{DATI, EVENTO};
use crate::isee::rules::RuleError;
use crate::ledger::committer::{Running, StartError};
use crate::ledger::damage::Damage;
use crate::ledger::directory::Lock;
use crate::ledger::disk::Disk;
use crate::ledger::keys::Access;
use crate::ledger::segments::{Extent, Loss, Recovery};
use crate::ledger::tree::TreeFollower;
use crate::ledger::uses::Uses;
use crate::ledger::{
    Blinding, Body, Committer, Directory, DirectoryError, KeyError, Keys, Kind, Ledger, Log, LogError,
    NotCommitted, Projector, Reader, Retention, Secret, Submission, Tree, ViewError, new_exchange,
};
use crate::registry::Registry;
use crate::registry::administration::Actor;
use crate::registry::entries::RegistryProjector;
use crate::registry::facts::ACTOR;
use crate::services::Services;
use crate::services::entries::{self as questions, QuestionsProjector};
use crate::sii::embedded::entries::SiiProjector;
use crate::sii::embedded::uses::terms_of;
use crate::sii::embedded::{Embedded, SERIES};
use crate::sii::{SiiSettings, Upkeep};
use crate::state::facts::CHIAVI;
use crate::state::numbers::{NoNumber, NumbersProjector, Series, skip};
use crate::state::{self, Rebuilt, Store};

/// The series of IdRichiesta.
const REQUESTS: &str = "id-richiesta";
/// The first possible year of a DSU's presentation.
const FIRST_YEAR: i16 = 2015;
/// Numbers of requests are reserved by the thousand.
const BLOCK: u64 = 1000;

/// The projectors, in the order of their rooms.
pub fn projectors() -> Arc<[Box<dyn Projector>]> {
    Arc::new([
        Box::new(NumbersProjector),
        Box::new(RegistryProjector),
        Box::new(SiiProjector),
        Box::new(QuestionsProjector),
        Box::new(EpochProjector),
    ])
}

/// An open data directory.
pub struct Node {
    /// The ledger: committer, reader and keys.
    pub ledger: Ledger,
    /// The views, for reading.
    pub store: Store,
    /// The registry of the enti.
    pub registry: Registry,
    /// The services' ports: SII, numbers, attempts, keys.
    pub services: Services,
    /// Keeps the embedded SII in order.
    pub upkeep: Arc<dyn Upkeep>,
    /// The clock behind all instants.
    pub clock: Clock,
    /// Findings of the opening.
    pub opened: Opened,
    /// Damage found in the log since the opening.
    pub damage: Damage,
    /// How often each DSU was read.
    pub uses: Uses,
    directory: Option<Directory>,
    running: Mutex<Option<(Running, Option<Lock>)>>,
    signing: Mutex<Option<Signing>>,
}

/// The findings of an opening, for its entry.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Findings of the log's recovery.
    pub recovery: Recovery,
    /// Whether the views were made again.
    pub rebuilt: Rebuilt,
    /// Missing class keys: the entries under them cannot be read.
    pub missing_keys: Vec<String>,
}

/// Why a node does not open.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The log cannot be opened or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The views cannot be read or written.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The views cannot be opened.
    #[error(transparent)]
    OpenViews(#[from] state::OpenError),
    /// The committer does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The rule sets are not valid.
    #[error(transparent)]
    Rules(#[from] RuleError),
    /// The log is not the signed one.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// An entry of the opening could not be recorded.
    #[error("il registro non può essere scritto: {0}")]
    NotCommitted(#[from] NotCommitted),
}

/// The parts of a node. They need not be those of a data directory: tests share a log between two nodes.
pub struct NodeParts {
    /// Id of the ledger.
    pub id: Uuid,
    /// The log, for the committer.
    pub log: Box<dyn Log>,
    /// The log, for reading.
    pub reader: Arc<dyn Reader>,
    /// The keyring of the ledger.
    pub keys: Arc<Keys>,
    /// Findings of the log's recovery.
    pub recovery: Recovery,
    /// Held as long as the node is open.
    pub lock: Option<Lock>,
    /// Damage found by the reader.
    pub damage: Damage,
    /// Opens the file of the views.
    pub disk: Arc<dyn Disk>,
    /// Directory of the tree's tiles.
    pub tiles: PathBuf,
}

impl Node {
    /// Opens a data directory for writing, with the embedded rule sets.
    pub fn open(
        directory: &Directory,
        clock: &Clock,
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
    ) -> Result<Self, NodeError> {
        Self::open_with(directory, clock, disk, segment_bytes, SiiSettings::embedded()?)
    }

    /// Opens a data directory for writing, with these settings of the SII.
    pub fn open_with(
        directory: &Directory,
        clock: &Clock,
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
        settings: SiiSettings,
    ) -> Result<Self, NodeError> {
        let lock = directory.lock()?;
        Self::open_locked(
            directory,
            clock,
            disk,
            segment_bytes,
            settings,
            lock,
            Loss::Refused,
        )
    }

    fn open_locked(
        directory: &Directory,
        clock: &Clock,
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
        settings: SiiSettings,
        lock: Lock,
        loss: Loss,
    ) -> Result<Self, NodeError> {
        let keys = Arc::new(Keys::open_on(&directory.keys(), Access::Write, disk.clone())?);
        let (log, recovery) = directory.open_log(disk.clone(), segment_bytes, loss)?;
        let damage = Damage::default();
        let reader = Arc::new(directory.reader_noting(&damage));
        let parts = NodeParts {
            id: directory.ledger,
            log: Box::new(log),
            reader,
            keys,
            recovery,
            lock: Some(lock),
            damage,
            disk,
            tiles: directory.tiles(),
        };
        let node = Self::assemble(parts, &directory.views(), clock, settings)?;
        let node = Self {
            directory: Some(directory.clone()),
            ..node
        };
        // With an accepted loss, or before its record, a new epoch is about to begin.
        if loss == Loss::Refused && directory.pending_loss().is_none() {
            node.agrees().inspect_err(|_| node.close())?;
        }
        Ok(node)
    }

    /// Compares the tree with the last checkpoint of the present epoch.
    fn agrees(&self) -> Result<(), NodeError> {
        if let (Some(directory), Some(epoca)) = (&self.directory, epochs::present(&self.store)?) {
            let (tree, reader) = (&self.ledger.tree, self.ledger.reader.as_ref());
            signing::agrees(&directory.evidence(), &epoca.origine, tree, reader)?;
        }
        Ok(())
    }

    /// Signs the tree from now on, under the present epoch; under a new one, if the key of the present one is
    /// not here, or if `broken` says why nothing more may be signed under it.
    async fn sign(&self, broken: Option<Broken<'_>>) -> Result<(), NotCommitted> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        if broken.is_none() && self.signing().is_some() {
            return Ok(());
        }
        let unavailable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "the ledger cannot be signed");
            NotCommitted::Unavailable
        };
        self.signing().take().into_iter().for_each(Signing::abandon);
        let known = epochs::present(&self.store).map_err(|error| unavailable(&error))?;
        let keys = &self.ledger.keys;
        let here = Epoch::present(keys, &directory.keys());
        let number = [
            here.as_ref().map(|epoch| epoch.number),
            known.as_ref().map(|known| known.epoca),
        ];
        let number = number.into_iter().flatten().max().unwrap_or_default();
        let same = |epoch: &Epoch| {
            known
                .as_ref()
                .is_some_and(|known| known.chiave == epoch.key.verification())
        };
        let epoch = match here.filter(|epoch| broken.is_none() && same(epoch)) {
            Some(epoch) => epoch,
            None => {
                let broken = broken.unwrap_or(Broken {
                    perche: if known.is_some() {
                        Perche::Chiave
                    } else {
                        Perche::Inizio
                    },
                    by: None,
                });
                self.begin_epoch(number + 1, broken).await?
            }
        };
        let signing = Signing::start(&directory.evidence(), &self.ledger.tree, epoch);
        *self.signing() = Some(signing.map_err(|error| unavailable(&error))?);
        Ok(())
    }

    /// Begins an epoch: its key is durable, then its entry.
    async fn begin_epoch(&self, number: u64, broken: Broken<'_>) -> Result<Epoch, NotCommitted> {
        let unavailable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "no epoch can begin");
            NotCommitted::Unavailable
        };
        let Some(directory) = &self.directory else {
            return Err(NotCommitted::Unavailable);
        };
        let (ledger, now) = (&self.ledger, self.clock.now());
        let origin = epoch::origin(NAME, ledger.id, number);
        let epoch = Epoch::begin(&ledger.keys, &directory.keys(), &origin, number);
        let epoch = epoch.map_err(|error| unavailable(&error))?;
        let last = checkpoint::last(&directory.evidence()).map_err(|error| unavailable(&error))?;
        let before = last.as_ref().map(|signed| &signed.head);
        let body =
            epochs::beginning(&epoch, broken.perche, before, now).map_err(|error| unavailable(&error))?;
        let draft = match broken.by {
            None => ledger.prepare_open(body).map_err(|error| unavailable(&error))?,
            Some(Decision { actor, reason }) => {
                let mut secret = Secret {
                    reason: Some(reason.clone()),
                    ..Secret::default()
                };
                let body = actor
                    .sign(body, &mut secret, ledger, now)
                    .map_err(|error| unavailable(&error))?;
                let blinding = Blinding::new().map_err(|error| unavailable(&error))?;
                let draft = ledger.prepare(body, &secret, blinding, 0, now);
                draft.map_err(|error| unavailable(&error))?
            }
        };
        let submission = Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        };
        ledger.committer.submit(submission).await?;
        Ok(epoch)
    }

    /// Ends the present epoch, since its key is in other hands or may be. Returns the new verification key.
    pub async fn end_epoch(&self, decision: &Decision) -> Result<String, NotCommitted> {
        let broken = Broken {
            perche: Perche::Compromessa,
            by: Some(decision),
        };
        self.sign(Some(broken)).await?;
        let directory = self.directory.as_ref().ok_or(NotCommitted::Unavailable)?;
        epoch::verification(&directory.keys()).ok_or(NotCommitted::Unavailable)
    }

    /// How far the ledger is signed. None: it has no directory.
    pub fn signed(&self) -> Option<SignedSoFar> {
        self.signing().as_ref().map(Signing::so_far)
    }

    fn signing(&self) -> MutexGuard<'_, Option<Signing>> {
        self.signing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a node together from its parts.
    pub fn assemble(
        parts: NodeParts,
        views: &Path,
        clock: &Clock,
        settings: SiiSettings,
    ) -> Result<Self, NodeError> {
        let NodeParts {
            id,
            mut log,
            reader,
            keys,
            recovery,
            lock,
            damage,
            disk,
            tiles,
        } = parts;
        let uses = Uses::of(reader.clone(), log.head()?, terms_of);
        let (tree, growing) = tree_of(&tiles, id, log.head()?)?;
        let (writer, store, rebuilt) = state::open(views, id, log.as_mut(), projectors(), disk)?;
        warn_of(rebuilt, &recovery);
        let (committer, running) = Committer::start(
            id,
            log,
            Box::new(writer),
            vec![Box::new(uses.clone()), Box::new(growing)],
            keys.records(),
            clock.clone(),
        )?;
        let missing_keys = keys.missing();
        end_on_loss(&keys, &committer);
        begin_keys(&keys, clock)?;
        let ledger = Ledger {
            id,
            committer,
            keys,
            reader,
            damage: damage.clone(),
            tree,
        };
        let sii = Arc::new(Embedded::new(&ledger, &store, clock, settings, uses.clone()));
        let ids = Series::new(REQUESTS, BLOCK, &ledger, &store, clock);
        Ok(Self {
            registry: Registry::new(store.clone()),
            services: Services {
                consultation: sii.clone(),
                reception: sii.clone(),
                ids: Arc::new(ids),
                tentativi: Arc::default(),
                keys: ledger.keys.clone(),
            },
            upkeep: sii,
            ledger,
            store,
            clock: clock.clone(),
            opened: Opened {
                recovery,
                rebuilt,
                missing_keys,
            },
            damage,
            uses,
            directory: None,
            running: Mutex::new(Some((running, lock))),
            signing: Mutex::default(),
        })
    }

    /// Bytes still free where the data directory is. None without a directory, or without an answer.
    pub fn free(&self) -> Option<u64> {
        self.directory
            .as_ref()
            .and_then(|directory| directory.free().ok())
    }

    /// Records an event of the process: a start with its findings, a stop.
    pub async fn record_system(&self, event: &str, facts: serde_json::Value) -> Result<(), NotCommitted> {
        let now = self.clock.now();
        let exchange = new_exchange(now).map_err(|_| NotCommitted::Unavailable)?;
        let mut body = Body::new(Kind::System, Retention::Sistema, exchange, now)
            .fact(EVENTO, event)
            .fact(DATI, facts)
            .fact(CHIAVI, self.ledger.keys.records());
        body.operation = Some(event.to_owned());
        body.outcome = Some("OK".to_owned());
        let draft = self
            .ledger
            .prepare_open(body)
            .map_err(|_| NotCommitted::Unavailable)?;
        self.ledger
            .committer
            .submit(Submission {
                drafts: vec![draft],
                preconditions: Vec::new(),
            })
            .await
            .map(|_| ())
    }

    /// Records the opening of the directory, with its findings. A loss, a restore and interrupted questions
    /// come first.
    pub async fn record_opening(&self, event: &str) -> Result<(), NotCommitted> {
        self.record_pending_loss().await?;
        self.record_restore().await?;
        self.record_interrupted().await?;
        self.sign(None).await?;
        let Opened {
            recovery,
            rebuilt,
            missing_keys,
        } = &self.opened;
        let cut = recovery.cut.as_ref().map(
            |(file, offset, bytes)| serde_json::json!({ "file": file, "offset": offset, "bytes": bytes }),
        );
        let facts = serde_json::json!({
            "versione": env!("CARGO_PKG_VERSION"),
            "arresto_pulito": !recovery.unclean,
            "sincronizzazione_fallita": recovery.sync_failed,
            "coda_tagliata": cut,
            "viste": match rebuilt {
                Rebuilt::No => "valide",
                Rebuilt::Missing => "create",
                Rebuilt::Untrusted => "rifatte",
                Rebuilt::OtherHistory => "rifatte: erano di un'altra storia",
            },
            "chiavi_mancanti": missing_keys,
        });
        self.record_system(event, facts).await
    }

    /// Records the restore of the directory from a copy, if there was one. Entries after the copy are not in
    /// it.
    async fn record_restore(&self) -> Result<(), NotCommitted> {
        let Some(directory) = self.directory.as_ref().filter(|directory| directory.is_copy()) else {
            return Ok(());
        };
        let head = self.ledger.committer.meter().head.get();
        self.record_system("restore", serde_json::json!({ "voci": head }))
            .await?;
        self.skip_series().await?;
        // The copy may know less than was signed.
        self.sign(Some(Broken::from(Perche::Copia))).await?;
        tracing::warn!(
            voci = head,
            "restored from a copy: enti and their grants are those of the day of the copy; check what was suspended, revoked or taken back since"
        );
        // After a failure the next start says it again.
        if let Err(error) = directory.adopted() {
            tracing::error!(%error, "the mark of a copy cannot be removed");
        }
        Ok(())
    }

    /// Records the end of questions left open by a dead process. Nobody knows whether they were answered.
    async fn record_interrupted(&self) -> Result<(), NotCommitted> {
        let (ledger, now) = (&self.ledger, self.clock.now());
        for open in questions::open(&self.store).map_err(|_| NotCommitted::Unavailable)? {
            let of = ledger
                .reader
                .entry(&open.position)
                .map_err(|_| NotCommitted::Unavailable)?
                .leaf
                .body;
            let draft = questions::interrupted(ledger, open.exchange, &of, &open.sequences, now)
                .map_err(|_| NotCommitted::Unavailable)?;
            ledger
                .committer
                .submit(Submission {
                    drafts: vec![draft],
                    preconditions: Vec::new(),
                })
                .await?;
            tracing::warn!(exchange = %open.exchange, "a question to another system was interrupted: whether it was answered is not known");
        }
        Ok(())
    }

    /// Moves every series far ahead: numbers unknown to the log were given.
    async fn skip_series(&self) -> Result<(), NotCommitted> {
        // Also series begun after the copy: those of each possible year of a DSU's presentation.
        let yearly = (FIRST_YEAR..=self.clock.today().year())
            .flat_map(|year| SERIES.map(|series| format!("{series}-{year}")));
        let named: Vec<_> = yearly.chain([REQUESTS.to_owned()]).collect();
        skip(&self.ledger, &self.store, &self.clock, &named)
            .await
            .map_err(|error| match error {
                NoNumber::NotCommitted(error) => error,
                NoNumber::Views(_) | NoNumber::Entry(_) => NotCommitted::Unavailable,
            })
    }

    /// Records an accepted loss, if the command was interrupted before this record. Nothing else is recorded
    /// before it.
    async fn record_pending_loss(&self) -> Result<(), NotCommitted> {
        let Some(until) = self.directory.as_ref().and_then(Directory::pending_loss) else {
            return Ok(());
        };
        tracing::warn!(
            until,
            "the end of the ledger was given up, and the command was interrupted: recorded now"
        );
        self.record_loss(None, until).await
    }

    /// Records the loss of the log's end, and the operator's decision to go on without it: the last whole
    /// entry, the last one known to have existed, the actor and the reason. Every series goes on far beyond.
    async fn record_loss(&self, accepted: Option<&Decision>, until: u64) -> Result<(), NotCommitted> {
        let unavailable = |_| NotCommitted::Unavailable;
        let (ledger, now) = (&self.ledger, self.clock.now());
        let head = u64::try_from(ledger.committer.meter().head.get()).unwrap_or_default();
        let exchange = new_exchange(now).map_err(unavailable)?;
        let mut body = Body::new(Kind::System, Retention::Sistema, exchange, now)
            .fact(EVENTO, LOSS)
            .fact(
                DATI,
                serde_json::json!({ "voci": head, "perse_almeno_fino_a": until.max(head) }),
            )
            .fact(CHIAVI, ledger.keys.records());
        body.operation = Some(LOSS.to_owned());
        body.outcome = Some("OK".to_owned());
        let reason = accepted.map_or_else(
            || "comando interrotto".to_owned(),
            |accepted| accepted.reason.clone(),
        );
        let mut secret = Secret {
            reason: Some(reason),
            ..Secret::default()
        };
        let body = match accepted {
            Some(accepted) => accepted
                .actor
                .sign(body, &mut secret, ledger, now)
                .map_err(|_| NotCommitted::Unavailable)?,
            None => body.fact(ACTOR, None::<Actor>),
        };
        let draft = ledger
            .prepare(body, &secret, Blinding::new().map_err(unavailable)?, 0, now)
            .map_err(|_| NotCommitted::Unavailable)?;
        ledger
            .committer
            .submit(Submission {
                drafts: vec![draft],
                preconditions: Vec::new(),
            })
            .await?;
        self.skip_series().await?;
        self.sign(Some(Broken::from(Perche::Perdita))).await?;
        // After a failure the next start says it again.
        if let Some(Err(error)) = self.directory.as_ref().map(Directory::loss_recorded) {
            tracing::error!(%error, "the mark of a loss cannot be removed");
        }
        Ok(())
    }

    /// Records the opening of the directory, if recovery had something to do: the short opening of a command
    /// must not swallow it.
    pub async fn record_recovery(&self) -> Result<(), NotCommitted> {
        self.record_pending_loss().await?;
        self.record_restore().await?;
        self.record_interrupted().await?;
        let recovery = &self.opened.recovery;
        if recovery.unclean || recovery.sync_failed || recovery.cut.is_some() {
            self.record_opening("open").await
        } else {
            self.sign(None).await
        }
    }

    /// Stops the committer after the waiting submissions, marks the clean stop, releases the lock.
    pub fn close(&self) {
        let taken = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((running, lock)) = taken {
            running.close();
            // The last entries are signed, too.
            drop(self.signing().take());
            drop(lock);
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("ledger", &self.ledger.id)
            .finish_non_exhaustive()
    }
}

/// The reason for the end of an epoch, and its decision, if there was one.
struct Broken<'a> {
    perche: Perche,
    by: Option<&'a Decision>,
}

impl From<Perche> for Broken<'_> {
    fn from(perche: Perche) -> Self {
        Self { perche, by: None }
    }
}

/// The decision of an operator: to accept a loss at the end of the log, to end an epoch.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The operator.
    pub actor: Actor,
    /// The operator's reason, sealed in the entry.
    pub reason: String,
}

/// The operation of an accepted loss's entry.
const LOSS: &str = "perdita";

/// The result of making the views again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remade {
    /// Sequence of the last entry in the new views.
    pub entries: u64,
    /// Of an accepted loss: the last whole entry, and the last one known to have existed.
    pub lost: Option<(u64, u64)>,
}

/// Makes the views of a directory again, from nothing (`varco rebuild`). Views ahead of the log prove lost
/// entries; so does a log shorter than `HEAD` says. Then this refuses, unless the operator accepts the loss:
/// it goes on and records the loss.
pub async fn rebuild(
    directory: &Directory,
    clock: &Clock,
    disk: Arc<dyn Disk>,
    accepted: Option<&Decision>,
) -> Result<Remade, NodeError> {
    let lock = directory.lock()?;
    let loss = if accepted.is_some() {
        Loss::Accepted
    } else {
        Loss::Refused
    };
    let Extent { head, bound } = directory.extent(loss)?;
    let views = state::reached(&directory.views(), directory.ledger).unwrap_or_default();
    if views > head && accepted.is_none() {
        return Err(StartError::Ahead { views, log: head }.into());
    }
    let pending = directory.pending_loss();
    // Without a readable HEAD nobody knows the former length.
    let until = bound
        .unwrap_or(head + 1)
        .max(views)
        .max(pending.unwrap_or_default());
    let lost = (until > head || pending.is_some()).then_some((head, until));
    if accepted.is_some() && lost.is_some() {
        // Before anything is changed: an interruption must not hide it.
        directory
            .begin_loss(until)
            .map_err(|error| DirectoryError::Io(directory.path().display().to_string(), error))?;
    }
    state::discard(&directory.views()).map_err(|error| ViewError(error.to_string()))?;
    let node = Node::open_locked(
        directory,
        clock,
        disk,
        SEGMENT_BYTES,
        SiiSettings::embedded()?,
        lock,
        loss,
    )?;
    // The checkpoint may tell of a loss unknown to HEAD and views.
    let signed = match (accepted, node.agrees()) {
        (Some(_), Err(NodeError::Contradiction(error))) => error.signed(),
        (_, agrees) => agrees.map(|()| None).inspect_err(|_| node.close())?,
    };
    let until = until.max(signed.unwrap_or_default());
    let lost = lost.or(signed.map(|_| (head, until)));
    let recorded = async {
        if accepted.is_some() && lost.is_some() {
            node.record_loss(accepted, until).await?;
        }
        Ok::<_, NodeError>(node.record_recovery().await?)
    };
    let recorded = recorded.await;
    let applied = node.store.applied();
    node.close();
    recorded?;
    Ok(Remade {
        entries: applied?,
        lost,
    })
}

/// Ends the committer when a key is lost. It may be busy, and making a key must not wait for it.
fn end_on_loss(keys: &Keys, committer: &Committer) {
    let ending = committer.clone();
    keys.on_loss(move || {
        let ending = ending.clone();
        std::thread::spawn(move || ending.end("a key of the keyring could not be synced"));
    });
}

/// Makes the keys needed before anything asks for them.
fn begin_keys(keys: &Keys, clock: &Clock) -> Result<(), KeyError> {
    // The year's token keys exist before the first search under them.
    keys.begin(clock.today().year())?;
    // So does the key of the series, before the entry with the number of keys: with an older keyring it would
    // be made anew.
    keys.series()?;
    Ok(())
}

/// Opens the tree of a log.
fn tree_of(tiles: &Path, id: Uuid, head: u64) -> Result<(Tree, TreeFollower), LogError> {
    Tree::open(tiles, id, head).map_err(|error| {
        let file = tiles.display().to_string();
        LogError::Io { file, error }
    })
}

/// Says what the start found: views of another history, a log that ended in the middle of a batch.
fn warn_of(rebuilt: Rebuilt, recovery: &Recovery) {
    if rebuilt == Rebuilt::OtherHistory {
        tracing::error!(
            "the views had applied another entry than the ledger has in its place: they are made again"
        );
    }
    if let Some((file, offset, bytes)) = &recovery.cut {
        tracing::warn!(
            file,
            offset,
            bytes,
            "the log ended in the middle of a batch: that was cut, and is kept beside"
        );
    }
}
