//! `varco manuale DIR`: the pages of man(1), one a command. `varco completamento SHELL`: the
//! completions of a shell. Both are made from the command line itself.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use super::esempi::of;
use super::parola::translated;
use super::uso::ESITI;

/// Headings of a page of man(1), and ours.
const TITOLI: [(&str, &str); 7] = [
    (".SH NAME", ".SH NOME"),
    (".SH SYNOPSIS", ".SH SINTASSI"),
    (".SH DESCRIPTION", ".SH DESCRIZIONE"),
    (".SH OPTIONS", ".SH OPZIONI"),
    (".SH SUBCOMMANDS", ".SH COMANDI"),
    (".SH EXTRA", ".SH NOTE"),
    (".SH VERSION", ".SH VERSIONE"),
];

/// Writes the pages of a command line to a directory, made if it is missing.
pub(super) fn write(mut command: Command, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    command.build();
    let mut waiting = vec![("varco".to_owned(), command)];
    let mut written = 0;
    while let Some((path, command)) = waiting.pop() {
        // `varco help ente` is a page of the parser's own.
        if path.ends_with(" help") {
            continue;
        }
        let file = dir.join(format!("{}.1", path.replace(' ', "-")));
        std::fs::write(&file, page(&path, &command)?).with_context(|| file.display().to_string())?;
        written += 1;
        let inner = command.get_subcommands().cloned();
        waiting.extend(inner.map(|each| (format!("{path} {}", each.get_name()), each)));
    }
    println!("{written} pagine di manuale in {}", dir.display());
    Ok(())
}

/// The page of a command.
fn page(path: &str, command: &Command) -> Result<String> {
    let page = Man::new(command.clone())
        .title(path.replace(' ', "-").to_uppercase())
        .manual("Manuale di Varco");
    let mut bytes = Vec::new();
    page.render(&mut bytes)?;
    let text = translated(&String::from_utf8(bytes)?);
    let mut text = TITOLI
        .iter()
        .fold(text, |text, (english, italian)| text.replace(english, italian));
    let examples = of(path);
    if !examples.is_empty() {
        text += ".SH ESEMPI\n.nf\n";
        for example in examples {
            text += &format!("{}\n", example.replace('\\', "\\e").replace('-', "\\-"));
        }
        text += ".fi\n";
    }
    text += &format!(".SH \"STATO D'USCITA\"\n{ESITI}\n");
    Ok(text)
}

/// Prints the completions of a shell.
pub(super) fn complete(mut command: Command, shell: Shell) {
    clap_complete::generate(shell, &mut command, "varco", &mut std::io::stdout());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_has_a_page_in_italian() {
        let home = tempfile::tempdir().unwrap();
        write(Cli::command(), home.path()).unwrap();
        let mut seen = 0;
        for file in std::fs::read_dir(home.path()).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            seen += 1;
            for english in [
                ".SH NAME",
                "SYNOPSIS",
                "OPTIONS",
                "SUBCOMMANDS",
                "Print help",
                "default:",
                "ossible values",
                "EXTRA",
            ] {
                assert!(!text.contains(english), "{english}: {text}");
            }
            assert!(
                text.contains(".SH NOME") && text.contains("STATO D'USCITA"),
                "{text}"
            );
        }
        assert!(seen > 50, "{seen} pages");
        let page = std::fs::read_to_string(home.path().join("varco-ente-sospendi.1")).unwrap();
        assert!(
            page.contains(".SH ESEMPI\n.nf\nvarco ente sospendi c_x000"),
            "{page}"
        );
    }
}
