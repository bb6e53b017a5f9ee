//! The power fails under the real binary, over and over: whatever a client had read is in the ledger, the
//! gateway starts again, and the same transmission gets the same protocol. The data directory is on a file
//! system of its own that loses all that was not synced, and every start after a cut sees another boot id.
//! `VARCO_CUTS` sets how often (200).

mod volume;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::stranger::Kept;
use kit::{BENEFIT, DSU, ISEE, Serving, Site, requests};
use varco::clock::Clock;
use varco::commands::client::{Answer, Client};
use varco::commands::demo::accreditamento;
use varco::commands::ente;
use varco::ledger::{Directory, Entry, Keys, Kind, Retention, TokenKey, segments};
use varco::registry::ente::Tipo;
use volume::{Entered, Volume};

/// What goes on when the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scene {
    /// `varco init` is running.
    Initialising,
    /// It has just ended.
    Initialised,
    /// Clients transmit and consult.
    Serving,
    /// The same, with a new segment for nearly every batch.
    Rolling,
    /// The same, while enti are registered.
    Registering,
    /// The gateway starts, after a cut.
    Starting,
    /// It starts, after a clean stop.
    Restarting,
    /// It was told to stop, under load.
    Stopping,
    /// `varco rebuild` is running.
    Rebuilding,
    /// `varco backup` has just ended.
    BackedUp,
}

/// The cuts of one file system. The first two make its data directory.
const CYCLE: [Scene; 20] = {
    use Scene::{
        BackedUp, Initialised, Initialising, Rebuilding, Registering, Restarting, Rolling, Serving, Starting,
        Stopping,
    };
    [
        Initialising,
        Initialised,
        Serving,
        Rolling,
        Registering,
        Starting,
        Serving,
        Stopping,
        Registering,
        Rolling,
        Restarting,
        Serving,
        Rebuilding,
        Registering,
        BackedUp,
        Starting,
        Serving,
        Stopping,
        Registering,
        Rolling,
    ]
};

/// How the file systems are mounted, in turn.
const OPTIONS: [&str; 4] = [
    "data=ordered",
    "data=writeback",
    "data=ordered,nodelalloc",
    "data=ordered,commit=1",
];

/// What clients sent and read.
#[derive(Default)]
struct Told {
    /// Exchanges that were answered with what must be recorded.
    exchanges: Vec<String>,
    /// Sender's protocol and protocol.
    protocols: Vec<(String, String)>,
    /// Enti whose registration was confirmed.
    enti: Vec<String>,
    /// Senders' protocols that were sent, answered or not.
    sent: Vec<String>,
}

/// How much of it was there at a moment.
struct Mark {
    exchanges: usize,
    protocols: usize,
    enti: usize,
}

#[derive(Default)]
struct Shared {
    told: Mutex<Told>,
    /// Set before the power fails: whoever meets an error afterwards knows why.
    cut: AtomicBool,
    /// Whoever disturbs the disk ends.
    done: AtomicBool,
    serial: AtomicU32,
}

impl Shared {
    fn mark(&self) -> Mark {
        let told = self.told.lock().unwrap();
        Mark {
            exchanges: told.exchanges.len(),
            protocols: told.protocols.len(),
            enti: told.enti.len(),
        }
    }

    fn next(&self) -> u32 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

/// What the test counted.
#[derive(Default)]
struct Figures {
    cuts: BTreeMap<Scene, u32>,
    /// Acknowledgements read before a cut, and while the power failed.
    before: usize,
    during: usize,
    /// Segments that were begun, tails that were cut, starts that made the views again.
    segments: usize,
    torn: usize,
    rebuilt: usize,
}

#[test]
fn nothing_read_before_a_power_cut_is_lost() {
    match volume::enter("powercut::nothing_read_before_a_power_cut_is_lost") {
        Entered::Inside => {}
        Entered::Ran(passed) => return assert!(passed, "see above"),
        Entered::Refused(why) => return skipped(&why),
    }
    let site = Site::new();
    if let Err(why) = volume::probe(site.home.path()) {
        return skipped(&why);
    }
    let cuts: usize = std::env::var("VARCO_CUTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(200);
    let begun = Instant::now();
    let mut figures = Figures::default();
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for (generation, from) in (0..cuts).step_by(CYCLE.len()).enumerate() {
        let volume = Volume::new(site.home.path(), OPTIONS[generation % OPTIONS.len()]).unwrap();
        let mut round = Round {
            site: &site,
            volume,
            shared: Arc::default(),
            figures: &mut figures,
            chance: &mut chance,
            started: 0,
            seen: 0,
        };
        println!("\n{}", round.volume.options);
        for (index, scene) in CYCLE.into_iter().enumerate().take(cuts - from) {
            // For whoever finds the last one in the output of a failure.
            println!("cut {}: {scene:?}", from + index + 1);
            round.play(scene);
        }
        round.end();
    }
    report(&figures, begun.elapsed());
}

/// Not passed: it could not be tried. The full tier shows this line.
fn skipped(why: &str) {
    // On a line of its own, whatever stands there already.
    println!("\nSKIPPED: no power cuts here: {why}");
}

fn report(figures: &Figures, took: Duration) {
    let cuts: u32 = figures.cuts.values().sum();
    let Figures {
        before,
        during,
        segments,
        torn,
        rebuilt,
        ..
    } = figures;
    println!("\n{cuts} cuts in {} s: {:?}", took.as_secs(), figures.cuts);
    println!(
        "{before} acknowledgements read before a cut, all there; {during} while the power failed, which do not count"
    );
    println!("{segments} segments, {torn} torn tails cut, views made again {rebuilt} times");
    if cuts as usize >= CYCLE.len() {
        // A server that acknowledges nothing loses nothing either.
        assert!(*before >= 5 * cuts as usize, "hardly anything was acknowledged");
        assert!(
            *rebuilt >= cuts as usize / 4,
            "the views were trusted after another boot"
        );
    }
}

/// A fixed sequence: the moments differ all the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.below(most))
    }
}

/// The cuts of one file system.
struct Round<'t> {
    site: &'t Site,
    volume: Volume,
    shared: Arc<Shared>,
    figures: &'t mut Figures,
    chance: &'t mut Chance,
    /// Protocols that were known when the gateway was last started.
    started: usize,
    /// Acknowledgements that are counted.
    seen: usize,
}

impl Round<'_> {
    fn data(&self) -> PathBuf {
        self.volume.at.join("data")
    }

    fn directory(&self) -> Directory {
        Directory::open(&self.data()).unwrap()
    }

    fn play(&mut self, scene: Scene) {
        match scene {
            Scene::Initialising => self.initialising(),
            Scene::Initialised => self.initialised(),
            Scene::Serving => self.under_load(262_144, false),
            Scene::Rolling => self.under_load(4096, false),
            Scene::Registering => self.under_load(16_384, true),
            Scene::Starting => self.starting(),
            Scene::Restarting => {
                self.serve(262_144).stop();
                self.starting();
            }
            Scene::Stopping => self.stopping(),
            Scene::Rebuilding => self.rebuilding(),
            Scene::BackedUp => self.backed_up(),
        }
        *self.figures.cuts.entry(scene).or_default() += 1;
    }

    fn initialising(&mut self) {
        let data = self.data();
        let init = Running::start(Command::new(kit::binary()).arg("init").arg(&data));
        std::thread::sleep(self.chance.micros(60_000));
        self.cut(init);
        // `FORMAT` is written last: with it the directory is whole, without it there is none yet.
        if data.join("FORMAT").exists() {
            self.check_ledger();
            self.serve(262_144).stop();
        } else if data.exists() {
            let (said, well) = kit::varco(&["ledger", "verify", "--data", data.to_str().unwrap()]);
            assert!(!well && said.contains("FORMAT"), "{said}");
        }
        if data.exists() {
            std::fs::remove_dir_all(&data).unwrap();
        }
    }

    fn initialised(&mut self) {
        let data = self.data();
        let (said, well) = kit::varco(&["init", data.to_str().unwrap()]);
        assert!(well, "{said}");
        self.cut(());
        self.check_ledger();
        // Whom the clients of the other scenes are.
        let serving = self.serve(262_144);
        let pki = &self.site.pki;
        let consults = "ConsultazioneIndicatore,ConsultazioneAttestazione";
        for (codice, tipo, fingerprint, operazioni) in [
            ("comune", Tipo::Comune, &pki.comune.fingerprint, consults),
            ("caf", Tipo::Caf, &pki.caf.fingerprint, "TrasmissioneDSU"),
        ] {
            let acts = accreditamento::commands(
                (codice, codice, "01234567897"),
                tipo,
                fingerprint,
                operazioni,
                &[BENEFIT],
            );
            for act in acts {
                kit::runtime()
                    .block_on(ente::apply(&data, act, "prova", &self.site.clock))
                    .unwrap();
            }
            self.shared.told.lock().unwrap().enti.push(codice.to_owned());
        }
        serving.stop();
    }

    fn under_load(&mut self, segment_bytes: u64, registering: bool) {
        let mut serving = self.serve(segment_bytes);
        let load = self.load(&serving, registering);
        std::thread::sleep(self.chance.micros(250_000));
        self.fail(&mut serving, load);
        self.check_ledger();
    }

    fn starting(&mut self) {
        self.configure(262_144);
        let starting = Running::start(
            Command::new(kit::binary())
                .args(["serve", "--config"])
                .arg(self.site.config()),
        );
        std::thread::sleep(self.chance.micros(150_000));
        self.cut(starting);
        self.check_ledger();
        self.views_equal_a_rebuild();
    }

    fn stopping(&mut self) {
        let mut serving = self.serve(262_144);
        let load = self.load(&serving, false);
        std::thread::sleep(self.chance.micros(40_000));
        // It is told before, so that clients know why it hangs up.
        self.shared.cut.store(true, Ordering::SeqCst);
        assert!(
            Command::new("kill")
                .args(["-TERM", &serving.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        std::thread::sleep(self.chance.micros(60_000));
        self.fail(&mut serving, load);
        self.check_ledger();
        self.views_equal_a_rebuild();
    }

    fn rebuilding(&mut self) {
        self.serve(262_144).stop();
        let data = self.data();
        let rebuilding = Running::start(Command::new(kit::binary()).args(["rebuild", "--data"]).arg(&data));
        std::thread::sleep(self.chance.micros(80_000));
        self.cut(rebuilding);
        self.check_ledger();
    }

    fn backed_up(&mut self) {
        let serving = self.serve(262_144);
        let (data, target, keys) = (
            self.data(),
            self.volume.at.join("new/backup"),
            self.volume.at.join("keys"),
        );
        let [data, copy, keys] = [&data, &target, &keys].map(|path| path.to_str().unwrap().to_owned());
        let (said, well) = kit::varco(&["backup", &copy, "--data", &data, "--chiavi", &keys]);
        assert!(well, "{said}");
        self.cut(serving);
        self.check_ledger();
        std::fs::rename(&keys, target.join("keys")).unwrap();
        let (said, well) = kit::varco(&["ledger", "verify", "--data", &copy]);
        assert!(well && !said.contains("chiave mancante"), "{said}");
    }

    /// All that was ever acknowledged on this file system, and its views.
    fn end(&mut self) {
        if !self.data().exists() {
            return;
        }
        self.started = 0;
        self.serve(262_144).stop();
        self.views_equal_a_rebuild();
        self.check_ledger();
        let segments = self.directory().segments();
        let names = std::fs::read_dir(&segments)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let (torn, whole): (Vec<_>, Vec<_>) = names.partition(|name| name.contains("torn"));
        self.figures.torn += torn.len();
        self.figures.segments += whole.iter().filter(|name| name.ends_with(".seg")).count();
        let entries = segments::read_from(&segments, self.directory().ledger, 1, usize::MAX).unwrap();
        let remade = |entry: &&Entry| {
            entry
                .leaf
                .body
                .facts
                .get("dati")
                .is_some_and(|facts| facts["viste"] == "rifatte")
        };
        self.figures.rebuilt += entries.iter().filter(remade).count();
    }

    fn configure(&self, segment_bytes: u64) {
        self.site
            .configure(&format!("[ledger]\nsegment_bytes = {segment_bytes}\n"));
        let text = std::fs::read_to_string(self.site.config()).unwrap();
        std::fs::write(
            self.site.config(),
            text.replace("data = \"data\"", "data = \"disk/data\""),
        )
        .unwrap();
    }

    /// Starts the gateway: it must start, whatever happened, and answer as it did.
    fn serve(&mut self, segment_bytes: u64) -> Serving {
        self.configure(segment_bytes);
        let serving = Serving::start(&self.site.config());
        let (again, unread) = {
            let told = self.shared.told.lock().unwrap();
            let again: Vec<_> = told
                .protocols
                .iter()
                .skip(self.started)
                .rev()
                .take(20)
                .cloned()
                .collect();
            let known: HashSet<&String> = told.protocols.iter().map(|(sender, _)| sender).collect();
            let unread: Vec<_> = told
                .sent
                .iter()
                .rev()
                .take(8)
                .filter(|sender| !known.contains(*sender))
                .cloned()
                .collect();
            (again, unread)
        };
        kit::runtime().block_on(async {
            if again.is_empty() && unread.is_empty() {
                return;
            }
            let mut caf = self.site.client(serving.address, "caf").connect().await.unwrap();
            for (sender, protocol) in &again {
                let answer = caf
                    .call(DSU, &transmission(sender, &self.site.today()))
                    .await
                    .unwrap();
                assert_eq!(
                    kit::element(&answer, "ProtocolloDSU"),
                    protocol,
                    "{sender} got another protocol than before the cut"
                );
                self.told(&answer, None);
            }
            // Whose answer nobody read: recorded or not, it is answered now.
            for sender in unread {
                let answer = caf
                    .call(DSU, &transmission(&sender, &self.site.today()))
                    .await
                    .unwrap();
                self.told(&answer, Some(sender));
            }
        });
        self.started = self.shared.told.lock().unwrap().protocols.len();
        serving
    }

    fn told(&self, answer: &Answer, sender: Option<String>) {
        let mut told = self.shared.told.lock().unwrap();
        told.exchanges.push(answer.exchange.clone().unwrap());
        if let Some(sender) = sender {
            told.protocols
                .push((sender, kit::element(answer, "ProtocolloDSU").to_owned()));
        }
    }

    /// Clients, and who disturbs them; most often it waits until one has read an answer.
    fn load(&mut self, serving: &Serving, registering: bool) -> Load {
        self.shared.cut.store(false, Ordering::SeqCst);
        self.shared.done.store(false, Ordering::SeqCst);
        let before = self.shared.mark().exchanges;
        let mut threads = Vec::new();
        let (site, shared) = (self.site, &self.shared);
        let clients: Vec<_> = (0..6)
            .map(|index| {
                (
                    site.client(serving.address, ["caf", "comune"][index % 2]),
                    index % 2 == 0,
                )
            })
            .collect();
        let (today, mine) = (site.today(), shared.clone());
        threads.push(std::thread::spawn(move || {
            kit::runtime().block_on(async {
                let calls: Vec<_> = clients
                    .into_iter()
                    .map(|(client, transmits)| {
                        tokio::spawn(call(client, transmits, today.clone(), mine.clone()))
                    })
                    .collect();
                for call in calls {
                    call.await.unwrap();
                }
            });
        }));
        for _ in 0..if registering { 2 } else { 0 } {
            let (data, clock, mine) = (self.data(), site.clock.clone(), shared.clone());
            threads.push(std::thread::spawn(move || register(&data, &clock, &mine)));
        }
        // Syncs of another file commit the journal at any moment of what the gateway does.
        if self.chance.below(2) == 0 {
            let (path, mine) = (self.volume.at.join("noise"), shared.clone());
            threads.push(std::thread::spawn(move || noise(&path, &mine)));
        }
        let load = Load {
            threads,
            shared: shared.clone(),
        };
        if self.chance.below(8) > 0 {
            let patience = Instant::now();
            while self.shared.mark().exchanges == before {
                assert!(
                    patience.elapsed() < Duration::from_secs(20),
                    "nothing is answered"
                );
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        load
    }

    /// The power fails under load. What had been read before is all that counts.
    fn fail(&mut self, serving: &mut Serving, load: Load) {
        self.shared.cut.store(true, Ordering::SeqCst);
        let mark = self.shared.mark();
        self.volume.cut();
        // Sometimes the gateway lives on for a moment and sees its disk fail.
        std::thread::sleep(Duration::from_millis(15 * self.chance.below(2)));
        serving.kill();
        load.end();
        self.back();
        // What was read since does not count. Of an fdatasync that was under way when the journal was
        // aborted, ext4 may say that it went well; without power nobody would have heard it.
        let mut told = self.shared.told.lock().unwrap();
        self.figures.during += told.exchanges.len() - mark.exchanges + told.enti.len() - mark.enti;
        told.exchanges.truncate(mark.exchanges);
        told.protocols.truncate(mark.protocols);
        told.enti.truncate(mark.enti);
    }

    /// The power fails with nobody but `running` there, which dies.
    fn cut<T>(&mut self, running: T) {
        self.volume.cut();
        drop(running);
        self.back();
    }

    /// The power is back.
    fn back(&mut self) {
        self.volume.unmount().unwrap();
        volume::reboot();
        self.volume.mount().unwrap();
    }

    /// `varco ledger verify`, and everything that was acknowledged is there.
    fn check_ledger(&mut self) {
        let (said, well) = kit::varco(&["ledger", "verify", "--data", self.data().to_str().unwrap()]);
        assert!(well, "{said}");
        // What was signed before the cut is in the ledger after it.
        let mut kept = Kept::default();
        kept.take(&self.data());
        kept.are_contained(&self.data());
        let entries = segments::read_from(
            &self.directory().segments(),
            self.directory().ledger,
            1,
            usize::MAX,
        )
        .unwrap();
        let of = |kind: Kind| entries.iter().filter(move |entry| entry.leaf.body.kind == kind);
        let exchanges: HashSet<String> = of(Kind::Exchange)
            .map(|entry| entry.leaf.body.exchange.to_string())
            .collect();
        let enti: HashSet<&str> = of(Kind::Registry)
            .filter_map(|entry| entry.leaf.body.ente.as_deref())
            .collect();
        let dsu: HashSet<&[String]> = of(Kind::Dsu)
            .filter_map(|entry| Some(&entry.leaf.body.tokens.as_ref()?.protocol[..]))
            .collect();
        let keys = Keys::open(&self.directory().keys(), true).unwrap();
        let key = TokenKey::of(self.site.clock.now(), Retention::Dsu);
        let pair = |(sender, protocol): &(String, String)| {
            [protocol, sender].map(|text| keys.token(key, "protocol", text).unwrap())
        };

        let told = self.shared.told.lock().unwrap();
        let lost: Vec<_> = told
            .exchanges
            .iter()
            .filter(|exchange| !exchanges.contains(*exchange))
            .collect();
        assert!(
            lost.is_empty(),
            "{} of {} exchanges read before the cut are lost: {lost:?}",
            lost.len(),
            told.exchanges.len()
        );
        let lost: Vec<_> = told
            .protocols
            .iter()
            .filter(|both| !dsu.contains(&pair(both)[..]))
            .collect();
        assert!(
            lost.is_empty(),
            "{} of {} DSU acknowledged before the cut are lost: {lost:?}",
            lost.len(),
            told.protocols.len()
        );
        let lost: Vec<_> = told
            .enti
            .iter()
            .filter(|codice| !enti.contains(codice.as_str()))
            .collect();
        assert!(
            lost.is_empty(),
            "{} of {} enti registered before the cut are lost: {lost:?}",
            lost.len(),
            told.enti.len()
        );
        let all = told.exchanges.len() + told.enti.len();
        self.figures.before += all - std::mem::replace(&mut self.seen, all);
    }

    fn views_equal_a_rebuild(&self) {
        kit::views_equal_a_rebuild(&self.directory(), &self.site.clock);
    }
}

/// Threads that keep the gateway busy. They end when it is gone.
struct Load {
    threads: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Load {
    fn end(mut self) {
        self.shared.done.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.cut.store(true, Ordering::SeqCst);
        self.shared.done.store(true, Ordering::SeqCst);
    }
}

/// A command of the binary's, killed when dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn transmission(sender: &str, today: &str) -> String {
    requests::trasmissione(&requests::dsu(sender, today))
}

/// Transmits or consults until the server is gone.
async fn call(client: Client, transmits: bool, today: String, shared: Arc<Shared>) {
    let Ok(mut connected) = client.connect().await else {
        return assert!(shared.is_cut(), "no connection");
    };
    loop {
        let (path, body, sender) = if transmits {
            let sender = format!("CAF00001-POWER1-2026-N{:07}", shared.next());
            shared.told.lock().unwrap().sent.push(sender.clone());
            (DSU, transmission(&sender, &today), Some(sender))
        } else {
            (
                ISEE,
                requests::indicatore(requests::GIULIA, &today, BENEFIT),
                None,
            )
        };
        let Ok(answer) = connected.call(path, &body).await else {
            return assert!(shared.is_cut(), "hung up");
        };
        if answer.status.as_u16() == 503 {
            assert!(!answer.text.contains("<Esito>"), "{}", answer.text);
            if shared.is_cut() {
                return;
            }
            // A family whose DSU keep arriving: no data, not recorded, to be tried again.
            assert!(!transmits, "{}", answer.text);
            continue;
        }
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let mut told = shared.told.lock().unwrap();
        told.exchanges.push(answer.exchange.clone().unwrap());
        if let Some(sender) = sender {
            told.protocols
                .push((sender, kit::element(&answer, "ProtocolloDSU").to_owned()));
        }
    }
}

/// Registers enti, each with its own key in the keyring.
fn register(data: &Path, clock: &Clock, shared: &Shared) {
    let runtime = kit::runtime();
    while !shared.is_cut() {
        let codice = format!("ente{:06}", shared.next());
        let mut acts = accreditamento::commands((&codice, &codice, "01234567897"), Tipo::Comune, "", "", &[]);
        match runtime.block_on(ente::apply(data, acts.swap_remove(0), "prova", clock)) {
            Ok(_) => shared.told.lock().unwrap().enti.push(codice),
            Err(error) => return assert!(shared.is_cut(), "{error:#}"),
        }
    }
}

fn noise(path: &Path, shared: &Shared) {
    let Ok(mut file) = File::create(path) else { return };
    while !shared.done.load(Ordering::SeqCst)
        && file.write_all(b"noise").and_then(|()| file.sync_data()).is_ok()
    {
        std::thread::sleep(Duration::from_micros(500));
    }
}
