//! The revocation lists in force: sets of serials by issuer. Signatures are checked at loading, freshness at
//! each question.
//!
//! Hard fail: a certificate is not valid without a list of its issuer (the name, and the key of its
//! signature), or a responder's answer. A list past its `nextUpdate` and the operator's [`Grace`] counts for
//! nothing.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::pki_types::CertificateDer;

use super::TlsError;
use super::authorities::Issuer;
use super::lists::{self, Flaw, InForce, ListsByIssuer};
use super::ocsp::Responders;
use super::peer::Peer;
use super::validity::{Invalid, Valid};
use crate::clock::Clock;

/// The lists in force. Cheap to clone; replaced whole.
#[derive(Clone, Debug)]
pub struct Revocations {
    lists: Arc<ArcSwap<Lists>>,
    files: Arc<[PathBuf]>,
    grace: Grace,
    responders: Arc<Responders>,
    authorities: Arc<[CertificateDer<'static>]>,
    /// Held while the files are read again.
    reading: Arc<Mutex<()>>,
}

/// How long a list that should have been replaced is still good enough: not at all, unless the operator says
/// so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grace(i64);

impl Grace {
    /// A grace of so many hours.
    pub fn hours(hours: u32) -> Self {
        Self(i64::from(hours) * 3600)
    }
}

#[derive(Debug)]
struct Lists {
    by_issuer: HashMap<Issuer, InForce>,
    /// The content of each file, in the order of the configuration.
    files: Vec<Source>,
}

impl From<Vec<Source>> for Lists {
    fn from(files: Vec<Source>) -> Self {
        Self {
            by_issuer: lists::in_force(files.iter().flat_map(|file| &file.lists)),
            files,
        }
    }
}

/// The lists of one file.
#[derive(Clone, Debug)]
struct Source {
    /// Its modification time, to see when it changes.
    stamp: Option<SystemTime>,
    lists: ListsByIssuer,
    /// Why it cannot be read now. The lists are then those of before.
    wrong: Option<WrongFile>,
}

/// Why a file of lists cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongFile {
    /// The file cannot be opened or read, or is too large.
    #[error("{0}")]
    File(String),
    /// A fault of its content.
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

impl WrongFile {
    /// In Italian, for operators.
    pub fn text(&self) -> String {
        match self {
            Self::File(error) => error.clone(),
            Self::Flaw(flaw) => flaw.text().to_owned(),
        }
    }
}

/// An unreadable file of lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableFile {
    /// Its path, from the configuration.
    pub file: PathBuf,
    /// Why it cannot be read.
    pub wrong: WrongFile,
}

/// The outcome of a new look at the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Files read again, and in force now.
    pub loaded: Vec<PathBuf>,
    /// Files unreadable now, if they were readable before, have changed since, or are unreadable for another
    /// reason.
    pub unreadable: Vec<UnreadableFile>,
}

/// How the lists in force stand at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListsStanding {
    /// Lists past their `nextUpdate` and the grace: they count no more.
    pub over: usize,
    /// The first end, with the grace, of the lists in force by the grace alone; second.
    pub grace_until: Option<i64>,
    /// The first `nextUpdate` of the others, second.
    pub next_update: Option<i64>,
}

impl Peer {
    /// Whether the whole chain is in its time and unrevoked, by fresh lists or answers.
    pub fn valid(&self, now: jiff::Timestamp, revocations: &Revocations) -> Result<Valid, Invalid> {
        let second = now.as_second();
        let mut valid = Valid::default();
        for link in self.chain() {
            if second < link.not_before {
                return Err(Invalid::NotYet);
            }
            if second > link.not_after {
                return Err(Invalid::Expired);
            }
            valid.within_grace |= revocations
                .check(&link.issuer, &link.serial, second)?
                .within_grace;
        }
        Ok(valid)
    }
}

impl Revocations {
    /// Loads lists (PEM or DER) issued by `authorities`. One unreadable file is an error.
    pub fn load(files: &[PathBuf], authorities: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        let read = |file: &PathBuf| {
            let stamp = stamp(file);
            let lists = read(file, &authorities)
                .map_err(|wrong| TlsError::File(file.display().to_string(), wrong.text()))?;
            Ok(Source {
                stamp,
                lists,
                wrong: None,
            })
        };
        let sources: Vec<Source> = files.iter().map(read).collect::<Result<_, TlsError>>()?;
        Ok(Self {
            lists: Arc::new(ArcSwap::from_pointee(Lists::from(sources))),
            files: files.into(),
            grace: Grace::default(),
            responders: Arc::default(),
            authorities: authorities.into(),
            reading: Arc::default(),
        })
    }

    /// The same, with responders for authorities without a list.
    pub fn with_responders(self, responders: Responders) -> Self {
        Self {
            responders: Arc::new(responders),
            ..self
        }
    }

    /// Whether there are responders at all.
    pub fn has_responders(&self) -> bool {
        !self.responders.is_empty()
    }

    /// Whether a responder is asked for the certificates of an issuer. If the issuer has a list it is not.
    pub(super) fn is_asked(&self, issuer: &Issuer) -> bool {
        self.responders.knows(issuer) && !self.lists.load().by_issuer.contains_key(issuer)
    }

    /// Asks the responders about a peer, where nothing fresh is known.
    pub(super) async fn ask(&self, peer: &Peer, clock: &Clock) {
        for link in peer.chain().iter().filter(|link| self.is_asked(&link.issuer)) {
            self.responders.ask(&link.issuer, &link.serial, clock).await;
        }
    }

    /// The same, with a grace.
    pub fn with_grace(self, grace: Grace) -> Self {
        Self { grace, ..self }
    }

    /// The end of the list that ends first, without grace, in seconds. `None`: no list.
    pub fn expires(&self) -> Option<i64> {
        self.lists
            .load()
            .by_issuer
            .values()
            .map(|list| list.next_update)
            .min()
    }

    /// The standing of the lists at a second.
    pub fn standing(&self, second: i64) -> ListsStanding {
        let mut standing = ListsStanding::default();
        let first = |known: Option<i64>, at: i64| Some(known.map_or(at, |known| known.min(at)));
        for list in self.lists.load().by_issuer.values() {
            let until = list.next_update.saturating_add(self.grace.0);
            if second > until {
                standing.over += 1;
            } else if second > list.next_update {
                standing.grace_until = first(standing.grace_until, until);
            } else {
                standing.next_update = first(standing.next_update, list.next_update);
            }
        }
        standing
    }

    /// The files unreadable as they are now.
    pub fn unreadable(&self) -> Vec<UnreadableFile> {
        let lists = self.lists.load();
        let wrong = |(file, source): (&PathBuf, &Source)| {
            source.wrong.clone().map(|wrong| UnreadableFile {
                file: file.clone(),
                wrong,
            })
        };
        self.files.iter().zip(&lists.files).filter_map(wrong).collect()
    }

    /// Loads changed files again, and those unreadable before. For a file unreadable now the earlier lists
    /// stay in force, for as long as they say themselves.
    pub fn refresh(&self) -> Refreshed {
        // One look at a time: an earlier, longer one must not undo a later one.
        let _one = match self.reading.try_lock() {
            Ok(one) => one,
            Err(TryLockError::Poisoned(one)) => one.into_inner(),
            Err(TryLockError::WouldBlock) => return Refreshed::default(),
        };
        let (mut refreshed, mut sources) = (Refreshed::default(), self.lists.load().files.clone());
        for (file, source) in self.files.iter().zip(&mut sources) {
            let stamp = stamp(file);
            if stamp == source.stamp && source.wrong.is_none() {
                continue;
            }
            match read(file, &self.authorities) {
                Ok(lists) => {
                    *source = Source {
                        stamp,
                        lists,
                        wrong: None,
                    };
                    refreshed.loaded.push(file.clone());
                }
                Err(wrong) => {
                    if stamp != source.stamp || source.wrong.as_ref() != Some(&wrong) {
                        refreshed.unreadable.push(UnreadableFile {
                            file: file.clone(),
                            wrong: wrong.clone(),
                        });
                    }
                    (source.stamp, source.wrong) = (stamp, Some(wrong));
                }
            }
        }
        if refreshed != Refreshed::default() {
            self.lists.store(Arc::new(Lists::from(sources)));
        }
        refreshed
    }

    /// The verdict of the lists at hand; good where a responder is to be asked.
    pub(super) fn at_hand(&self, issuer: &Issuer, serial: &[u8], second: i64) -> Result<(), Invalid> {
        if self.is_asked(issuer) {
            Ok(())
        } else {
            self.check(issuer, serial, second).map(|_| ())
        }
    }

    /// Judges a certificate at a second by its issuer's fresh lists, or by a responder's answer if there is
    /// no list.
    pub(super) fn check(&self, issuer: &Issuer, serial: &[u8], second: i64) -> Result<Valid, Invalid> {
        let lists = self.lists.load();
        let Some(list) = lists.by_issuer.get(issuer) else {
            return self.responders.check(issuer, serial, second);
        };
        if second < list.this_update || second > list.next_update.saturating_add(self.grace.0) {
            return Err(Invalid::StatusUnknown);
        }
        if list.disowned || list.lists(serial) {
            Err(Invalid::Revoked)
        } else {
            Ok(Valid {
                within_grace: second > list.next_update,
            })
        }
    }
}

fn stamp(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .ok()
}

fn read(file: &Path, authorities: &[CertificateDer<'static>]) -> Result<ListsByIssuer, WrongFile> {
    let wrong = |error: std::io::Error| WrongFile::File(crate::italian::io(&error));
    let mut bytes = Vec::new();
    let most = u64::try_from(lists::LARGEST).unwrap_or(u64::MAX);
    File::open(file)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(wrong)?;
    if bytes.len() > lists::LARGEST {
        return Err(WrongFile::File(format!("ha più di {} MiB", lists::LARGEST >> 20)));
    }
    Ok(lists::gather(&bytes, authorities)?)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::commands::pki::TestAuthority;

    struct Bench {
        home: tempfile::TempDir,
        now: Timestamp,
        authorities: [TestAuthority; 2],
        revocations: Revocations,
    }

    impl Bench {
        /// Two authorities, each with a file of its own that lists nobody.
        fn new() -> Self {
            let (home, now) = (tempfile::tempdir().unwrap(), Clock::system().now());
            let authorities = ["Prima", "Seconda"].map(|name| TestAuthority::new(name, now).unwrap());
            let ders = authorities.each_ref().map(|authority| der(&authority.pem()));
            let files = [0, 1].map(|which| home.path().join(format!("{which}.crl")));
            for (file, authority) in files.iter().zip(&authorities) {
                std::fs::write(file, authority.crl(&[], 1).unwrap()).unwrap();
            }
            let revocations = Revocations::load(&files, ders.to_vec()).unwrap();
            Self {
                home,
                now,
                authorities,
                revocations,
            }
        }

        fn file(&self, which: usize) -> PathBuf {
            self.home.path().join(format!("{which}.crl"))
        }

        fn write(&self, which: usize, bytes: impl AsRef<[u8]>) {
            std::fs::write(self.file(which), bytes).unwrap();
            // Two changes within one tick of the file system's clock look like one.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }

        /// Checks a certificate of an authority's with this serial, so many seconds from now.
        fn check(&self, which: usize, serial: &[u8], later: i64) -> Result<Valid, Invalid> {
            let der = der(&self.authorities[which].pem());
            let (_, authority) = x509_parser::parse_x509_certificate(&der).unwrap();
            self.revocations
                .check(&Issuer::of(&authority), serial, self.now.as_second() + later)
        }
    }

    fn der(pem: &str) -> CertificateDer<'static> {
        use rustls::pki_types::pem::PemObject as _;
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    #[test]
    fn of_a_file_that_cannot_be_read_what_was_known_stays_and_the_others_are_taken() {
        let bench = Bench::new();
        assert_eq!(
            bench.revocations.refresh(),
            Refreshed::default(),
            "nothing had changed"
        );
        let gone = bench.authorities[1].client("revocato").unwrap();
        let certificate = der(&gone.certificate);
        let serial = super::super::validity::trimmed(
            x509_parser::parse_x509_certificate(&certificate)
                .unwrap()
                .1
                .raw_serial(),
        );
        let good = std::fs::read(bench.file(0)).unwrap();
        let foreign = TestAuthority::new("Prima", bench.now)
            .unwrap()
            .crl(&[], 1)
            .unwrap();
        let flaw = |flaw: Flaw| WrongFile::Flaw(flaw);
        for (number, (bytes, wrong)) in [
            (good[..good.len() / 2].to_vec(), flaw(Flaw::Unreadable)),
            (Vec::new(), flaw(Flaw::Unreadable)),
            (bench.authorities[0].pem().into_bytes(), flaw(Flaw::Unreadable)),
            (foreign.into_bytes(), flaw(Flaw::Foreign)),
        ]
        .into_iter()
        .enumerate()
        {
            bench.write(0, bytes);
            // The second file holds somebody each other time.
            let revoked = number % 2 == 0;
            let listed: &[_] = if revoked { &[&gone] } else { &[] };
            bench.write(1, bench.authorities[1].crl(listed, 1).unwrap());
            let unreadable = vec![UnreadableFile {
                file: bench.file(0),
                wrong,
            }];
            let refreshed = bench.revocations.refresh();
            assert_eq!(
                (&refreshed.loaded, &refreshed.unreadable),
                (&vec![bench.file(1)], &unreadable)
            );
            assert_eq!(bench.revocations.unreadable(), unreadable);
            assert_eq!(bench.revocations.refresh(), Refreshed::default(), "said again");
            assert_eq!(bench.check(1, &serial, 1).is_err(), revoked);
            assert!(bench.check(0, &serial, 1).is_ok());
            assert_eq!(
                bench.check(0, &serial, 86_400 + 60),
                Err(Invalid::StatusUnknown),
                "for longer than it says"
            );
        }
        std::fs::remove_file(bench.file(0)).unwrap();
        let refreshed = bench.revocations.refresh();
        assert!(
            matches!(
                &refreshed.unreadable[..],
                [UnreadableFile {
                    wrong: WrongFile::File(_),
                    ..
                }]
            ),
            "{refreshed:?}"
        );
        assert!(bench.check(0, &serial, 1).is_ok());
        bench.write(0, good);
        assert_eq!(
            bench.revocations.refresh(),
            Refreshed {
                loaded: vec![bench.file(0)],
                unreadable: Vec::new()
            }
        );
        assert_eq!(bench.revocations.unreadable(), Vec::new());
        // At the first loading all files must be good.
        bench.write(0, b"");
        assert!(
            Revocations::load(
                &[bench.file(0), bench.file(1)],
                bench.revocations.authorities.to_vec()
            )
            .is_err()
        );
    }

    #[test]
    fn the_lists_say_how_they_stand() {
        let bench = Bench::new();
        bench.write(1, bench.authorities[1].crl(&[], 3).unwrap());
        bench.revocations.refresh();
        let revocations = bench.revocations.clone().with_grace(Grace::hours(2));
        let (first, second) = (revocations.expires().unwrap(), bench.now.as_second() + 3 * 86_400);
        let near = |at: Option<i64>, of: i64| at.is_some_and(|at| (at - of).abs() < 60);
        let standing = revocations.standing(first);
        assert_eq!(
            standing,
            ListsStanding {
                over: 0,
                grace_until: None,
                next_update: Some(first)
            }
        );
        let standing = revocations.standing(first + 1);
        assert!(
            standing.over == 0
                && standing.grace_until == Some(first + 7200)
                && near(standing.next_update, second),
            "{standing:?}"
        );
        let standing = revocations.standing(first + 7201);
        assert!(
            standing.over == 1 && standing.grace_until.is_none() && near(standing.next_update, second),
            "{standing:?}"
        );
        assert_eq!(
            bench.revocations.standing(second + 3600),
            ListsStanding {
                over: 2,
                grace_until: None,
                next_update: None
            }
        );
    }
}
