//! The operators' manual (`docs/it`): its commands work as they are written.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::{CommandFactory as _, Parser as _};
use varco::commands::Cli;

/// Ends a gateway, whatever becomes of the test.
struct Porta(Child);

impl Drop for Porta {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the manual.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<_> = std::fs::read_dir(root().join("docs/it"))
        .unwrap()
        .map(|page| page.unwrap().path())
        .collect();
    pages.sort();
    pages
}

/// The blocks of commands of a page, each with whether it runs on.
fn blocks(page: &str) -> Vec<(bool, String)> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
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
        let here = block.replace(":8443", &format!(":{port}")).replace("\\\n", " ");
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

#[test]
fn every_command_of_the_manual_is_understood() {
    let mut seen = 0;
    let readme = root().join("README.md");
    for page in pages().into_iter().chain([readme]) {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```sh").skip(1) {
            let (block, _) = block.split_once("\n```").unwrap();
            let joined = block.replace("\\\n", " ");
            for line in joined.lines() {
                let line = line
                    .split(" #")
                    .next()
                    .unwrap()
                    .trim()
                    .trim_start_matches("sudo ");
                if !line.starts_with("varco ") {
                    continue;
                }
                seen += 1;
                // The version, and the help, are answers of the parser that are no errors.
                if let Err(error) = Cli::try_parse_from(kit::words(line)) {
                    assert!(error.exit_code() == 0, "{}: {line}: {error}", page.display());
                }
            }
        }
        // In the text, too: each command that is named is one.
        for named in text.split("`varco ").skip(1) {
            let (line, _) = named.split_once('`').unwrap();
            let first = line.split_whitespace().next().unwrap();
            let known = Cli::command()
                .get_subcommands()
                .any(|each| each.get_name() == first);
            assert!(
                known || first.starts_with('-') || first == "COMANDO",
                "{}: varco {line}",
                page.display()
            );
        }
    }
    assert!(seen > 60, "only {seen} commands");
}

#[test]
fn the_tables_of_the_manual_are_the_ones_its_commands_take() {
    let home = tempfile::tempdir().unwrap();
    for table in std::fs::read_dir(root().join("docs/esempio")).unwrap() {
        let table = table.unwrap();
        std::fs::copy(table.path(), home.path().join(table.file_name())).unwrap();
    }
    let run = |line: &str| {
        let done = Command::new(kit::binary())
            .args(&kit::words(line)[1..])
            .current_dir(home.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        said
    };
    run("varco init varco-data");
    let (_, block) = blocks("docs/it/accreditamento.md")
        .into_iter()
        .find(|(_, block)| block.contains("ente importa"))
        .unwrap();
    let said: Vec<_> = block
        .replace("\\\n", " ")
        .lines()
        .filter(|line| line.starts_with("varco "))
        .map(run)
        .collect();
    let exported = said.last().unwrap();
    assert!(
        ["c_x001;", "uni_x;", "c_x002;"]
            .iter()
            .all(|code| exported.contains(code)),
        "{said:?}"
    );
    let one = run("varco ente mostra c_x001");
    assert!(
        one.contains("abilitazione 2") && one.contains("per i controlli al 2030-06-30"),
        "{one}"
    );
    let columns = varco::isee::feed::COLUMNS.join(",");
    let feed = std::fs::read_to_string(home.path().join("feed.csv")).unwrap();
    assert_eq!(feed.lines().next(), Some(columns.as_str()));
}

#[test]
fn generated_pages_are_what_the_commands_print() {
    for (page, arguments) in [
        ("configurazione", &["configurazione"][..]),
        ("dsu", &["dsu", "codici"]),
    ] {
        let (said, done) = kit::varco(arguments);
        assert!(done, "{said}");
        let text = std::fs::read_to_string(root().join(format!("docs/it/{page}.md"))).unwrap();
        assert!(
            text == said,
            "docs/it/{page}.md is not what `varco {}` prints",
            arguments.join(" ")
        );
    }
}

#[test]
fn every_message_of_the_manual_is_said_by_the_program() {
    let mut sources = String::new();
    let mut waiting = vec![root().join("src")];
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                // A text that goes on over several lines is one.
                let text = std::fs::read_to_string(path).unwrap();
                let lines: Vec<&str> = text.split("\\\n").collect();
                sources += &lines
                    .iter()
                    .enumerate()
                    .map(|(at, line)| if at == 0 { *line } else { line.trim_start() })
                    .collect::<String>();
            }
        }
    }
    let page = std::fs::read_to_string(root().join("docs/it/problemi.md")).unwrap();
    let mut seen = 0;
    for line in page.lines().filter(|line| line.starts_with("| «")) {
        let (said, _) = line[2..].split_once(" | ").unwrap();
        for message in said.split('«').skip(1) {
            let (message, _) = message.split_once('»').unwrap();
            seen += 1;
            for part in message.split("...").map(str::trim).filter(|part| part.len() > 3) {
                assert!(sources.contains(part), "nothing says: {part}");
            }
        }
    }
    assert!(seen > 50, "only {seen} messages");
}

/// The anchor of a heading, as GitHub and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut all = pages();
    for directory in [
        root().to_owned(),
        root().join("docs"),
        root().join("tests"),
        root().join("tests/clients"),
    ] {
        let files = std::fs::read_dir(directory)
            .unwrap()
            .map(|file| file.unwrap().path());
        all.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "md")));
    }
    let mut seen = 0;
    for page in all {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let (link, _) = link.split_once(')').unwrap();
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            seen += 1;
            let (file, place) = link
                .split_once('#')
                .map_or((link, None), |(file, place)| (file, Some(place)));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if let Some(place) = place {
                let text = std::fs::read_to_string(&target).unwrap();
                let is = |line: &str| line.starts_with('#') && anchor(line.trim_start_matches('#')) == place;
                assert!(text.lines().any(is), "{}: {link}", page.display());
            }
        }
    }
    assert!(seen > 50, "only {seen} links");
}
