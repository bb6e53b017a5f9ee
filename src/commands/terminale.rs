//! Colours of the output for people: on a terminal, none elsewhere.

use std::io::IsTerminal as _;

/// Bold, and the colours of errors and warnings (ECMA-48, SGR).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stile {
    Titolo,
    Errore,
    Avvertenza,
}

/// A stream that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uscita {
    Normale,
    Errori,
}

impl Uscita {
    /// Whether it is a terminal that moves its cursor and has colours.
    pub(super) fn is_terminal(self) -> bool {
        let is_terminal = match self {
            Self::Normale => std::io::stdout().is_terminal(),
            Self::Errori => std::io::stderr().is_terminal(),
        };
        is_terminal && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
    }

    /// Whether colours are wanted there: `NO_COLOR` is not set.
    fn is_coloured(self) -> bool {
        self.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }

    /// A text in a style, if the stream has colours.
    pub(super) fn styled(self, style: Stile, text: &str) -> String {
        if self.is_coloured() {
            styled(style, text)
        } else {
            text.to_owned()
        }
    }

    /// A help page with its headings in bold.
    pub(super) fn page(self, page: &str) -> String {
        if self.is_coloured() {
            headed(page)
        } else {
            page.to_owned()
        }
    }
}

/// The word before a warning on standard output.
pub(super) fn attenzione() -> String {
    Uscita::Normale.styled(Stile::Avvertenza, "attenzione:")
}

fn styled(style: Stile, text: &str) -> String {
    let code = match style {
        Stile::Titolo => "1",
        Stile::Errore => "1;31",
        Stile::Avvertenza => "1;33",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Headings stand at the margin and end with a colon, as does the word before the usage.
fn headed(page: &str) -> String {
    let line = |line: &str| match line.split_once(": ") {
        Some(("Uso", usage)) => format!("{} {usage}", styled(Stile::Titolo, "Uso:")),
        _ if line.ends_with(':') && !line.starts_with(' ') => styled(Stile::Titolo, line),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = page.split('\n').map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_bold_and_nothing_else() {
        let page = "Uso: varco [OPZIONI]\n\nOpzioni:\n  -h  Mostra: questa\n";
        assert_eq!(
            headed(page),
            "\x1b[1mUso:\x1b[0m varco [OPZIONI]\n\n\x1b[1mOpzioni:\x1b[0m\n  -h  Mostra: questa\n"
        );
    }
}
