//! An authority that publishes no list, and OpenSSL as its OCSP responder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kit::{BENEFIT, ISEE, Serving, Site, element, requests, varco};
use varco::commands::client::{Answer, Client};

/// OpenSSL's responder; killed when dropped.
struct Responder(Child);

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Responder {
    /// Over an index, signing with a certificate and key; on that port.
    fn start(port: u16, index: &Path, authority: &Path, signer: (&Path, &Path)) -> Self {
        let mut child = Command::new("openssl")
            .args(["ocsp", "-port", &port.to_string(), "-nmin", "5", "-index"])
            .arg(index)
            .arg("-CA")
            .arg(authority)
            .arg("-rsigner")
            .arg(signer.0)
            .arg("-rkey")
            .arg(signer.1)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssl: run tests/install full");
        // It serves one connection at a time, and does not get over one that says nothing: it is not asked
        // whether it is there.
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.contains("waiting for OCSP client connections"), "{line}");
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Self(child)
    }
}

fn run(arguments: &[&str]) -> String {
    let (text, done) = varco(arguments);
    assert!(done, "{arguments:?}: {text}");
    text
}

struct Place {
    site: Site,
    ca: PathBuf,
    port: u16,
}

impl Place {
    /// A site that also lets in the clients of an authority without a list.
    fn new() -> Self {
        let site = Site::new();
        let ca = site.home.path().join("altra");
        let path = |name: &str| site.home.path().join(name).display().to_string();
        run(&["pki", "ca", &path("altra"), "--nome", "CA senza liste"]);
        let certificate = path("altro.pem");
        run(&["pki", "client", &path("altra"), "altro", "--dove", &certificate]);
        run(&[
            "ente",
            "certificato",
            "comune",
            &certificate,
            "--data",
            &site.data().display().to_string(),
            "--motivo",
            "prova",
        ]);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let both = std::fs::read_to_string(path("pki/ca.pem")).unwrap()
            + &std::fs::read_to_string(ca.join("ca.pem")).unwrap();
        std::fs::write(path("pki/both.pem"), both).unwrap();
        site.configure("[ledger]\ngathered_seconds = 1\n");
        let text = std::fs::read_to_string(site.config())
            .unwrap()
            .replace("pki/ca.pem", "pki/both.pem");
        let ocsp = format!(
            "[[tls.ocsp]]\nauthority = \"altra/ca.pem\"\nurl = \"http://127.0.0.1:{port}/\"\n\n[ledger]"
        );
        std::fs::write(site.config(), text.replace("[ledger]", &ocsp)).unwrap();
        Self { site, ca, port }
    }

    fn serial(&self) -> String {
        let output = Command::new("openssl")
            .args(["x509", "-noout", "-serial", "-in"])
            .arg(self.site.home.path().join("altro.pem"))
            .output();
        String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .trim()
            .trim_start_matches("serial=")
            .to_owned()
    }

    /// OpenSSL's index of the authority: its only client, in that state.
    fn index(&self, state: &str) -> PathBuf {
        let index = self.site.home.path().join("index.txt");
        let revoked = if state == "R" { "260101000000Z" } else { "" };
        let line = format!(
            "{state}\t351231235959Z\t{revoked}\t{}\tunknown\t/CN=altro\n",
            self.serial()
        );
        std::fs::write(&index, if state.is_empty() { String::new() } else { line }).unwrap();
        index
    }

    fn own(&self) -> (PathBuf, PathBuf) {
        (self.ca.join("ca.pem"), self.ca.join("ca.key"))
    }

    fn client(&self, serving: &Serving) -> Client {
        let file = |name: &str| self.site.home.path().join(name);
        Client::new(
            serving.address,
            &file("pki/ca.pem"),
            Some((&file("altro.pem"), &file("altro.key"))),
        )
        .unwrap()
    }

    fn ask(&self, serving: &Serving) -> Answer {
        let request = requests::indicatore(requests::GIULIA, &self.site.today(), BENEFIT);
        kit::runtime()
            .block_on(self.client(serving).call(ISEE, &request))
            .unwrap()
    }

    /// What a gateway that has just started answers, with a responder over an index in that state.
    fn judged(&self, state: &str, signer: (&Path, &Path)) -> Answer {
        let _responder = Responder::start(self.port, &self.index(state), &self.ca.join("ca.pem"), signer);
        let serving = self.site.serve();
        let answer = self.ask(&serving);
        serving.stop();
        answer
    }
}

#[test]
fn a_responder_is_asked_and_believed_only_if_it_is_the_authoritys() {
    let place = Place::new();
    let (certificate, key) = place.own();
    let own = (certificate.as_path(), key.as_path());
    assert_eq!(element(&place.judged("V", own), "Esito"), "DATI_NON_TROVATI");
    assert!(
        place.judged("R", own).text.contains("Client.Authorization"),
        "revoked"
    );
    assert!(
        place.judged("", own).text.contains("Client.Authorization"),
        "the responder does not know it"
    );
    // Signed by somebody else, and by nobody at all.
    let (other, other_key) = place.site.pem("comune");
    assert!(
        place
            .judged("V", (&other, &other_key))
            .text
            .contains("Client.Authorization"),
        "a stranger's answer"
    );
    let serving = place.site.serve();
    assert!(
        place.ask(&serving).text.contains("Client.Authorization"),
        "nobody answers"
    );
    // The other authority has a list, and is not asked about.
    let request = requests::indicatore(requests::GIULIA, &place.site.today(), BENEFIT);
    let listed = kit::runtime()
        .block_on(place.site.client(serving.address, "comune").call(ISEE, &request))
        .unwrap();
    assert_eq!(element(&listed, "Esito"), "DATI_NON_TROVATI");
    // What is known good stays so while it is fresh, without the responder.
    std::thread::sleep(Duration::from_secs(6));
    let responder = Responder::start(place.port, &place.index("V"), &certificate, own);
    assert_eq!(element(&place.ask(&serving), "Esito"), "DATI_NON_TROVATI");
    drop(responder);
    assert_eq!(element(&place.ask(&serving), "Esito"), "DATI_NON_TROVATI");
    serving.stop();
}

/// Answers everybody with the same, in plain HTTP.
fn same_answer(port: u16, answer: Vec<u8>) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while head.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let _ = stream
                .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", answer.len()).as_bytes());
            let _ = stream.write_all(&answer);
            // What was not read of the question must not take the answer along.
            let _ = stream.read(&mut [0; 4096]);
        }
    });
}

#[test]
fn an_answer_that_was_made_beforehand_is_believed_and_one_to_another_question_is_not() {
    for (nonce, good) in [("-no_nonce", true), ("-nonce", false)] {
        let place = Place::new();
        let (certificate, key) = place.own();
        let answer = place.site.home.path().join("answer.der");
        let made = Command::new("openssl")
            .args(["ocsp", nonce, "-ndays", "1", "-sha1", "-index"])
            .arg(place.index("V"))
            .args([
                "-CA".as_ref(),
                certificate.as_os_str(),
                "-rsigner".as_ref(),
                certificate.as_os_str(),
                "-rkey".as_ref(),
                key.as_os_str(),
            ])
            .args([
                "-issuer".as_ref(),
                certificate.as_os_str(),
                "-cert".as_ref(),
                place.site.home.path().join("altro.pem").as_os_str(),
            ])
            .args([
                "-CAfile".as_ref(),
                certificate.as_os_str(),
                "-respout".as_ref(),
                answer.as_os_str(),
            ])
            .output()
            .unwrap();
        assert!(answer.exists(), "{made:?}");
        same_answer(place.port, std::fs::read(&answer).unwrap());
        let serving = place.site.serve();
        let answer = place.ask(&serving);
        if good {
            assert_eq!(element(&answer, "Esito"), "DATI_NON_TROVATI");
        } else {
            assert!(answer.text.contains("Client.Authorization"), "{}", answer.text);
            serving.logged(&["the answer is to another question"]);
        }
        serving.stop();
    }
}

#[test]
fn a_silent_responder_makes_nobody_wait_for_others() {
    let place = Place::new();
    // Accepts, and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    std::thread::spawn(move || silent.incoming().flatten().collect::<Vec<_>>());
    let serving = place.site.serve();
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..12).map(|_| scope.spawn(|| place.ask(&serving))).collect();
        for answer in all {
            assert!(answer.join().unwrap().text.contains("Client.Authorization"));
        }
    });
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "each waited for all before it: {:?}",
        began.elapsed()
    );
    serving.stop();
}
