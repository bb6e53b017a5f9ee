//! The words of the command line parser, in Italian.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use super::esempi::shown;

/// The output of a command line without a command to carry out: a help page, the version, or an error with
/// its remedy. True for an error.
pub(super) fn told(error: &Error) -> (String, bool) {
    match error.kind() {
        ErrorKind::DisplayHelp => (shown(italian(&error.render().to_string())), false),
        ErrorKind::DisplayVersion => (italian(&error.render().to_string()), false),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => (italian(&error.render().to_string()), true),
        kind => (
            format!("varco: {}\n{}", sentence(error, kind), usage(error)),
            true,
        ),
    }
}

/// The commands of the first page, by what an operator does with them.
const GRUPPI: [(&str, &[&str]); 6] = [
    (
        "Per iniziare",
        &["demo", "init", "check-config", "serve", "prova"],
    ),
    ("Enti", &["ente", "catalogo"]),
    ("DSU e ISEE", &["dsu", "feed", "rules"]),
    ("Registro", &["ledger", "backup", "rebuild", "upgrade"]),
    ("Esercizio", &["status", "reload", "crl", "pki"]),
    (
        "Aiuto",
        &[
            "spiega",
            "errori",
            "configurazione",
            "manuale",
            "completamento",
            "help",
        ],
    ),
];

/// The first page with its commands in groups; any other page as it is.
fn grouped(page: &str) -> String {
    const TITLE: &str = "\nComandi:\n";
    let Some((before, rest)) = page.split_once(TITLE) else {
        return page.to_owned();
    };
    let (list, after) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let items = items(list);
    let item = |name: &&str| {
        let is = |item: &&String| item.split_whitespace().next() == Some(*name);
        items.iter().find(is).map(String::as_str)
    };
    let groups = GRUPPI.iter().map(|(title, names)| {
        let lines: Vec<&str> = names.iter().filter_map(item).collect();
        (title, lines)
    });
    let mut text = before.to_owned();
    let mut told = 0;
    for (title, lines) in groups {
        told += lines.len();
        text += &format!("\n{title}:\n{}\n", lines.join("\n"));
    }
    // The page of another command has commands of its own.
    if told < items.len() {
        return page.to_owned();
    }
    format!("{text}\n{after}")
}

/// The items of a list: each with the lines that go on with it, where the terminal is narrow.
fn items(list: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in list.lines() {
        match items.last_mut() {
            Some(last) if line.starts_with("   ") => *last += &format!("\n{line}"),
            _ => items.push(line.to_owned()),
        }
    }
    items
}

/// A page in Italian, with its commands in groups.
fn italian(page: &str) -> String {
    grouped(&translated(page))
}

/// Puts the parser's own words on a page into Italian; the rest is ours, and Italian already.
pub(super) fn translated(page: &str) -> String {
    let words = [
        ("Usage: ", "Uso: "),
        ("\nCommands:", "\nComandi:"),
        ("\nOptions:", "\nOpzioni:"),
        ("\nArguments:", "\nArgomenti:"),
        (
            "Print this message or the help of the given subcommand(s)",
            "Mostra questa pagina, o quella di un comando",
        ),
        (
            "Print help (see more with '--help')",
            "Mostra questa pagina (con --help, di più)",
        ),
        (
            "Print help (see a summary with '-h')",
            "Mostra questa pagina (con -h, in breve)",
        ),
        ("Print help", "Mostra questa pagina"),
        ("Print version", "Mostra la versione"),
        ("[default:", "[se manca:"),
        ("[possible values:", "[valori:"),
        ("Possible values:", "Valori:"),
        ("[OPTIONS]", "[OPZIONI]"),
        ("<COMMAND>", "<COMANDO>"),
        ("[COMMAND]", "[COMANDO]"),
    ];
    words.iter().fold(page.to_owned(), |page, (english, italian)| {
        // A narrow terminal may have a new line at any blank.
        let pattern = regex::escape(english).replace(' ', r"\s+");
        match regex::Regex::new(&pattern) {
            Ok(words) => words.replace_all(&page, *italian).into_owned(),
            Err(_) => page,
        }
    })
}

fn sentence(error: &Error, kind: ErrorKind) -> String {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let argument = named(ContextKind::InvalidArg);
    let value = named(ContextKind::InvalidValue);
    let suggested = |kind| match &*named(kind) {
        "" => String::new(),
        near => format!(" (forse {near})"),
    };
    match kind {
        ErrorKind::UnknownArgument => format!(
            "l'argomento {argument} non c'è{}",
            suggested(ContextKind::SuggestedArg)
        ),
        ErrorKind::InvalidSubcommand => {
            format!(
                "il comando {} non c'è{}",
                named(ContextKind::InvalidSubcommand),
                suggested(ContextKind::SuggestedSubcommand)
            )
        }
        ErrorKind::InvalidValue if value.is_empty() => format!(
            "{argument} vuole un valore{}",
            valid(&named(ContextKind::ValidValue))
        ),
        ErrorKind::InvalidValue => format!(
            "{value} non va bene per {argument}{}",
            valid(&named(ContextKind::ValidValue))
        ),
        ErrorKind::ValueValidation => format!("{value} non va bene per {argument}"),
        ErrorKind::MissingRequiredArgument => format!("manca {argument}"),
        ErrorKind::MissingSubcommand => format!("manca il comando: {}", named(ContextKind::ValidSubcommand)),
        ErrorKind::ArgumentConflict => {
            format!("{argument} non si può usare con {}", named(ContextKind::PriorArg))
        }
        ErrorKind::TooManyValues => format!("{value}: {argument} non vuole altri valori"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} vuole un altro numero di valori")
        }
        ErrorKind::NoEquals => format!("{argument} vuole un segno di uguale prima del valore"),
        ErrorKind::InvalidUtf8 => "un argomento non è testo in UTF-8".to_owned(),
        _ => "la riga di comando non è comprensibile".to_owned(),
    }
}

fn valid(values: &str) -> String {
    if values.is_empty() {
        String::new()
    } else {
        format!("; i valori sono {values}")
    }
}

fn usage(error: &Error) -> String {
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => italian(&usage.to_string()) + "\n",
        _ => String::new(),
    };
    format!("{usage}Con --help si vedono comandi e opzioni.\n")
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_is_in_a_group() {
        let page = italian(&Cli::command().render_long_help().to_string());
        for (title, names) in GRUPPI {
            assert!(page.contains(&format!("\n{title}:\n")), "{page}");
            for name in names {
                assert!(page.contains(&format!("\n  {name} ")), "{name}: {page}");
            }
        }
        assert!(!page.contains("Comandi:"), "{page}");
        let mut commands: Vec<String> = Cli::command()
            .get_subcommands()
            .map(|each| each.get_name().to_owned())
            .collect();
        commands.push("help".to_owned());
        for name in commands {
            let times = GRUPPI
                .iter()
                .flat_map(|(_, names)| *names)
                .filter(|each| ***each == name)
                .count();
            assert_eq!(times, 1, "{name}");
        }
    }

    #[test]
    fn a_narrow_page_has_its_groups_too() {
        let page = italian(&Cli::command().term_width(60).render_long_help().to_string());
        assert!(
            page.contains("\nEnti:\n  ente  ") && page.contains("\nEsercizio:\n  status "),
            "{page}"
        );
        assert!(!page.contains("Comandi:"), "{page}");
    }

    #[test]
    fn no_word_of_the_parser_is_english() {
        let said = |line: &str| told(&Cli::try_parse_from(line.split_whitespace()).unwrap_err());
        for (line, part) in [
            (
                "varco ledger list --ent comune",
                "varco: l'argomento --ent non c'è (forse --ente)",
            ),
            ("varco ledgr", "varco: il comando ledgr non c'è (forse ledger)"),
            (
                "varco ledger list --massimo 0",
                "varco: 0 non va bene per --massimo <MASSIMO>",
            ),
            (
                "varco demo --porta molte",
                "varco: molte non va bene per --porta <PORTA>",
            ),
            ("varco ledger show", "varco: manca <SEQUENZA>"),
            ("varco ente lista --stato boh", "; i valori sono "),
            ("varco serve --config", "--config <CONFIG> vuole un valore"),
            ("varco rebuild --motivo x", "manca --accetta-perdita"),
        ] {
            let (text, wrong) = said(line);
            assert!(
                wrong && text.contains(part) && text.ends_with("Con --help si vedono comandi e opzioni.\n"),
                "{line}: {text}"
            );
        }
        // Every page of every command.
        let mut pages = vec![Cli::command()];
        while let Some(command) = pages.pop() {
            let widths = [40, 60, 80, 100, 200];
            let page: String = widths
                .iter()
                .map(|width| {
                    let mut command = command.clone().term_width(*width);
                    italian(&command.render_long_help().to_string())
                        + &italian(&command.render_help().to_string())
                })
                .collect();
            for english in [
                "Usage",
                "Options",
                "Commands",
                "Arguments",
                "Print",
                "default:",
                "possible",
                "Possible",
                "OPTIONS",
                "see more",
            ] {
                assert!(!page.contains(english), "{english}: {page}");
            }
            pages.extend(command.get_subcommands().cloned());
        }
        assert_eq!(
            said("varco --version"),
            (format!("varco {}\n", env!("CARGO_PKG_VERSION")), false)
        );
    }
}
