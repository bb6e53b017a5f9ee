//! The operators' manual (`docs/it`): its commands work as they are written.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends a gateway, whatever becomes of the test.
struct Porta(Child);

impl Drop for Porta {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The blocks of commands of a page, each with whether it runs on.
fn blocks(page: &str) -> Vec<(bool, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let found = text.split("```sh").skip(1).map(|rest| {
        let (block, _) = rest.split_once("\n```").unwrap();
        let (kind, lines) = block.split_once('\n').unwrap();
        (kind.trim() == "server", lines.to_owned())
    });
    found.collect()
}

#[test]
fn the_first_page_leads_to_a_gateway_that_answers() {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(kit::binary(), bin.join("varco")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let shell = |text: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", text])
            .current_dir(home.path())
            .env("PATH", &path);
        command
    };
    let has_curl = shell("curl --version")
        .output()
        .is_ok_and(|output| output.status.success());
    let mut port = "8443".to_owned();
    let mut porta = None;
    let blocks = blocks("docs/it/per-iniziare.md");
    assert_eq!(blocks.len(), 5, "{blocks:?}");
    for (server, block) in blocks {
        if server {
            // Any free port, in place of the one of the page.
            let file = home.path().join("varco.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace("0.0.0.0:8443", "127.0.0.1:0")).unwrap();
            let mut child = shell(&format!("exec {block}"))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap);
            let line = lines
                .find(|line| line.contains("in ascolto su"))
                .expect("it serves");
            port = line.rsplit(':').next().unwrap().trim().to_owned();
            porta = Some(Porta(child));
            continue;
        }
        let here = block.replace(":8443", &format!(":{port}"));
        let here = here.lines().filter(|line| has_curl || !line.starts_with("curl "));
        let output = shell(&here.collect::<Vec<_>>().join("\n")).output().unwrap();
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{block}\n{said}");
    }
    assert!(porta.is_some());
    if !has_curl {
        return;
    }
    let wsdl = std::fs::read_to_string(home.path().join("servizio.wsdl")).unwrap();
    assert!(
        wsdl.contains(&format!("https://localhost:{port}/isee/ConsultazioneISEE/v1")),
        "{wsdl}"
    );
}
