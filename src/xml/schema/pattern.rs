//! XSD regular expressions, turned into those of the `regex` crate.
//!
//! The two languages agree on the usual parts of schemas. Parts with another meaning are either rewritten
//! (`^` and `$` are ordinary characters in XSD, the whole value must match) or refused, so no pattern is ever
//! misread.

use regex::Regex;

/// A pattern with its source; it matches whole values.
#[derive(Debug)]
pub(super) struct Pattern {
    source: Box<str>,
    whole: Regex,
}

impl Pattern {
    /// `None`: the pattern uses something not understood.
    pub(super) fn new(xsd: &str) -> Option<Self> {
        let mut translated = String::with_capacity(xsd.len() + 16);
        translated.push_str(r"\A(?:");
        let mut characters = xsd.chars();
        let mut in_class = false;
        while let Some(c) = characters.next() {
            match c {
                '\\' => {
                    let escaped = characters.next()?;
                    // \i, \c and their complements, and \p{..} blocks, have no equal: refused. \s, \w differ:
                    // refused too.
                    let same = matches!(
                        escaped,
                        'd' | 'n'
                            | 'r'
                            | 't'
                            | '\\'
                            | '|'
                            | '.'
                            | '?'
                            | '*'
                            | '+'
                            | '('
                            | ')'
                            | '{'
                            | '}'
                            | '-'
                            | '['
                            | ']'
                            | '^'
                    );
                    if !same {
                        return None;
                    }
                    translated.push('\\');
                    translated.push(escaped);
                }
                '^' | '$' if !in_class => {
                    translated.push('\\');
                    translated.push(c);
                }
                // `.` is any character but a line end in both; a class inside a class is subtraction or a
                // nested class.
                '[' if in_class => return None,
                '&' | '~' if in_class => {
                    translated.push('\\');
                    translated.push(c);
                }
                '[' => {
                    in_class = true;
                    translated.push('[');
                }
                ']' => {
                    in_class = false;
                    translated.push(']');
                }
                _ => translated.push(c),
            }
        }
        translated.push_str(r")\z");
        // Lazy quantifiers and group flags are not XSD.
        if translated[5..].contains("(?") || ["??", "*?", "+?", "}?"].iter().any(|lazy| xsd.contains(lazy)) {
            return None;
        }
        Some(Self {
            source: xsd.into(),
            whole: Regex::new(&translated).ok()?,
        })
    }

    /// The pattern as the schema writes it.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_must_match() {
        let pattern = Pattern::new(r"INPS-ISEE-[0-9]{4}|\d{2} {0,5}").unwrap();
        assert!(pattern.matches("INPS-ISEE-2026") && pattern.matches("12  "));
        assert!(!pattern.matches("INPS-ISEE-2026x") && !pattern.matches("x12") && !pattern.matches("12\n"));
        assert!(Pattern::new("a^$b").unwrap().matches("a^$b"));
        assert!(Pattern::new("[A-ZÀÈÉÌÒÙ' -]*").unwrap().matches("D'ALÒ LE-PÙ"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for xsd in [
            r"\i\c*",
            "[a-z-[aeiou]]",
            r"\p{L}",
            "a*?",
            "(?i)a",
            r"\s",
            "(",
            "[a",
        ] {
            assert!(Pattern::new(xsd).is_none(), "{xsd}");
        }
    }
}
