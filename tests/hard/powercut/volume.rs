//! A file system of its own in a file, whose power can be cut: mounted on a loop device in a mount namespace
//! that dies with the test.
//!
//! The cut is the shutdown that ext4 offers to tests (`xfs_io -x -c shutdown`). Without `-f`, that is with
//! the flag NOLOGFLUSH, the journal is aborted where it is: dirty pages and the running transaction are gone,
//! and from then on every write and sync fails. With `-f` the journal is flushed first, which no power cut
//! does. What is mounted again afterwards is what had reached the device.
//!
//! Not covered: a disk that loses what it was given before a flush, or reorders it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// Size of the file system; the file is sparse.
const SIZE: u64 = 384 << 20;
/// Set for the test that runs in the namespace; names the file that stands in for the kernel's boot id.
const INSIDE: &str = "VARCO_POWERCUT_BOOT";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What came of entering the namespace.
pub(crate) enum Entered {
    /// This process is in it: run the test.
    Inside,
    /// The test ran in another process, and passed or not.
    Ran(bool),
    /// It cannot be entered here.
    Refused(String),
}

/// Runs this test again in a mount namespace of its own, where the boot id is a file of the test's: whatever
/// is mounted there goes away with the last process in it, however that ends.
pub(crate) fn enter(test: &str) -> Entered {
    if std::env::var_os(INSIDE).is_some() {
        return Entered::Inside;
    }
    if !rustix::process::geteuid().is_root() {
        return Entered::Refused("only root may mount".to_owned());
    }
    let tried = tool("unshare")
        .args(["--mount", "--propagation", "private", "true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Entered::Refused(format!("no mount namespace: {}", complaint(&output))),
        Err(error) => panic!("unshare: {error}"),
    }
    let boot = tempfile::NamedTempFile::new().unwrap();
    let status = tool("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, boot.path())
        .status()
        .unwrap();
    // A name that no test has runs nothing, and well: whoever ran has started again at least once.
    Entered::Ran(status.success() && std::fs::metadata(boot.path()).unwrap().len() > 0)
}

/// Another boot id from now on, as after every power cut.
pub(crate) fn reboot() {
    let boot = std::env::var_os(INSIDE).unwrap();
    std::fs::write(
        &boot,
        format!(
            "{}\n",
            uuid::Uuid::from_bytes(varco::ledger::keys::random().unwrap())
        ),
    )
    .unwrap();
    let seen = || std::fs::read(BOOT_ID).unwrap();
    if seen() != std::fs::read(&boot).unwrap() {
        run(tool("mount").arg("--bind").arg(&boot).arg(BOOT_ID)).unwrap();
    }
    assert_eq!(seen(), std::fs::read(&boot).unwrap());
}

/// The file system. Unmounted when dropped.
pub(crate) struct Volume {
    image: PathBuf,
    /// Where it is mounted.
    pub(crate) at: PathBuf,
    /// How it is mounted.
    pub(crate) options: &'static str,
    mounted: bool,
    /// `xfs_io`, waiting for the word: starting it takes longer than a change of segment.
    switch: Option<Child>,
}

impl Volume {
    /// An empty one, mounted at `home/disk`.
    pub(crate) fn new(home: &Path, options: &'static str) -> Result<Self, String> {
        let (image, at) = (home.join("disk.img"), home.join("disk"));
        File::create(&image).and_then(|file| file.set_len(SIZE)).unwrap();
        std::fs::create_dir_all(&at).unwrap();
        run(tool("mkfs.ext4").args(["-q", "-F"]).arg(&image))?;
        let mut volume = Self {
            image,
            at,
            options,
            mounted: false,
            switch: None,
        };
        volume.mount()?;
        Ok(volume)
    }

    /// Mounts it, which replays the journal.
    pub(crate) fn mount(&mut self) -> Result<(), String> {
        run(tool("mount")
            .args(["-t", "ext4", "-o", &format!("loop,{}", self.options)])
            .arg(&self.image)
            .arg(&self.at))?;
        self.mounted = true;
        let switch = tool("xfs_io")
            .arg("-x")
            .arg(&self.at)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        self.switch = Some(switch.unwrap_or_else(|error| panic!("xfs_io: {error} (tests/install full)")));
        Ok(())
    }

    /// Cuts the power: what is not durable now never will be.
    pub(crate) fn cut(&mut self) {
        let mut switch = self.switch.take().unwrap();
        switch.stdin.take().unwrap().write_all(b"shutdown\n").unwrap();
        let status = switch.wait().unwrap();
        let mut said = String::new();
        switch.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(
            status.success() && said.is_empty(),
            "the power is not cut: {said}"
        );
    }

    /// Unmounts it after a cut: nobody may use it any more.
    pub(crate) fn unmount(&mut self) -> Result<(), String> {
        // Whoever died a moment ago may still be on the way out.
        let mut done = Ok(());
        for _ in 0..200 {
            done = run(tool("umount").arg(&self.at));
            if done.is_ok() {
                self.mounted = false;
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        done
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if let Some(mut switch) = self.switch.take() {
            let _ = switch.kill();
            let _ = switch.wait();
        }
        if self.mounted && self.unmount().is_err() {
            let _ = run(tool("umount").arg("--lazy").arg(&self.at));
        }
    }
}

/// Whether cuts work here: what was synced is there afterwards, and what was not is gone. Otherwise why not.
pub(crate) fn probe(home: &Path) -> Result<(), String> {
    let mut volume = Volume::new(home, "defaults")?;
    let write = |name: &str| {
        let mut file = File::create(volume.at.join(name)).unwrap();
        file.write_all(b"content").unwrap();
        file
    };
    write("synced").sync_all().unwrap();
    drop(write("unsynced"));
    volume.cut();
    volume.unmount()?;
    volume.mount()?;
    assert!(volume.at.join("synced").exists(), "the cut loses what was synced");
    if volume.at.join("unsynced").exists() {
        return Err("the shutdown of ext4 loses nothing here".to_owned());
    }
    Ok(())
}

/// A tool that `tests/install full` makes sure of.
fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env(
            "PATH",
            format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()),
        )
        .env("LC_ALL", "C");
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error} (tests/install full)"));
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{name}: {}", complaint(&output)))
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")
}
