//! English errors of the operating system, the TOML reader and the TLS library, in Italian for operators: a
//! whole sentence, with the remedy where it is known. And the nouns after a number.

use std::fmt::Display;
use std::io::{Error, ErrorKind};

/// A number and its noun: `1 voce`, `2 voci`.
pub fn quanti<N: Display + PartialEq + From<u8>>(numero: N, uno: &str, molti: &str) -> String {
    let nome = if numero == N::from(1) { uno } else { molti };
    format!("{numero} {nome}")
}

/// An error of the operating system.
pub fn io(error: &Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "il file non c'è".to_owned(),
        ErrorKind::PermissionDenied => {
            "permesso negato: non si può leggere, o scrivere, da questo utente".to_owned()
        }
        ErrorKind::IsADirectory => "è una directory, serve un file".to_owned(),
        ErrorKind::NotADirectory => "una parte del percorso non è una directory".to_owned(),
        ErrorKind::AlreadyExists => "c'è già".to_owned(),
        ErrorKind::InvalidData => "non è testo in UTF-8".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "lo spazio su disco è finito: liberarne".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => "il file system è di sola lettura".to_owned(),
        ErrorKind::AddrInUse => {
            "l'indirizzo è già in uso: fermare chi lo usa, o sceglierne un altro".to_owned()
        }
        ErrorKind::AddrNotAvailable => "l'indirizzo non è di questa macchina".to_owned(),
        ErrorKind::ConnectionRefused => "nessuno risponde a quell'indirizzo".to_owned(),
        ErrorKind::TimedOut => "nessuna risposta nel tempo ammesso".to_owned(),
        // Our own words.
        _ if error.raw_os_error().is_none() => error.to_string(),
        _ => format!("errore del sistema operativo ({error})"),
    }
}

/// An error of the TOML reader, with its line.
pub fn toml(text: &str, error: &toml::de::Error) -> String {
    let place = error.span().map_or_else(String::new, |span| {
        let before = text.get(..span.start).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("riga {}, colonna {column}: ", before.matches('\n').count() + 1)
    });
    format!("{place}{}", message(error.message()))
}

fn message(english: &str) -> String {
    let quoted = |text: &str| text.replace('`', "");
    let first = english.lines().next().unwrap_or_default();
    if let Some(rest) = first.strip_prefix("unknown field ") {
        let (name, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let names = quoted(expected.trim_start_matches("one of "));
        return format!(
            "chiave sconosciuta: {}{}",
            quoted(name),
            if names.is_empty() {
                names
            } else {
                format!("; qui si possono usare: {names}")
            }
        );
    }
    if let Some(name) = first.strip_prefix("missing field ") {
        return format!("manca la chiave {}", quoted(name));
    }
    if let Some(name) = first.strip_prefix("duplicate key") {
        return format!("chiave ripetuta{}", quoted(name));
    }
    if let Some(rest) = first.strip_prefix("unknown variant ") {
        let (value, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
        return format!(
            "valore non ammesso: {}; atteso {}",
            quoted(value),
            quoted(expected.trim_start_matches("one of "))
        );
    }
    for (start, what) in [
        ("invalid type: ", "valore di un altro tipo"),
        ("invalid value: ", "valore non valido"),
    ] {
        if let Some(rest) = first.strip_prefix(start) {
            let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "altro"));
            return format!("{what}: trovato {}, atteso {}", kind(found), kind(expected));
        }
    }
    for (english, italian) in [
        (
            "invalid IP address syntax",
            "non è un indirizzo IP, come 10.0.0.1",
        ),
        (
            "invalid socket address syntax",
            "non è un indirizzo con la porta, come 127.0.0.1:8443",
        ),
    ] {
        if first == english {
            return italian.to_owned();
        }
    }
    format!("TOML non valido ({first})")
}

/// The reader's names of values, in Italian.
fn kind(english: &str) -> String {
    let words = [
        ("string", "testo"),
        ("integer", "numero intero"),
        ("floating point", "numero con decimali"),
        ("boolean", "true o false"),
        ("sequence", "elenco"),
        ("map", "tabella"),
        ("usize", "numero intero non negativo"),
        ("u64", "numero intero non negativo"),
        ("u32", "numero intero non negativo"),
        ("a ", ""),
        ("an ", ""),
        ("socket address", "indirizzo con la porta, come 127.0.0.1:8443"),
        ("IP address", "indirizzo IP"),
    ];
    let mut text = english.replace('`', "");
    for (english, italian) in words {
        text = text.replace(english, italian);
    }
    text.trim().to_owned()
}

/// An error of the TLS library about a certificate and its key.
pub fn tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "la chiave non è quella del certificato".to_owned(),
        rustls::Error::InvalidCertificate(_) => {
            "il certificato non si può leggere, o non si può usare".to_owned()
        }
        rustls::Error::General(_) => {
            "la chiave non è di un tipo che si può usare: RSA, P-256, P-384, P-521, Ed25519".to_owned()
        }
        other => format!("errore TLS ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn what_the_toml_reader_says_is_italian_with_its_place() {
        let told = |text: &str| super::toml(text, &::toml::from_str::<Config>(text).unwrap_err());
        let base = "listen = \"127.0.0.1:1\"\ndata = \"d\"\n[tls]\ncertificate = \"c\"\nkey = \"k\"\nclient_authorities = \"a\"\n";
        for (text, part) in [
            (
                format!("{base}[limits]\nconnection = 1\n"),
                "riga 8, colonna 1: chiave sconosciuta: connection; qui si possono usare: connections,",
            ),
            (
                format!("{base}[limits]\nconnections = \"molte\"\n"),
                "riga 8, colonna 15: valore di un altro tipo: trovato testo \"molte\", atteso numero intero",
            ),
            ("listen = \"127.0.0.1:1\"\n".to_owned(), "manca la chiave data"),
            (format!("{base}[sii]\nattesa = 1\n"), "chiave sconosciuta: attesa"),
            (
                format!("{base}[sii]\nattesta = \"mai\"\n"),
                "valore non ammesso: mai; atteso termini",
            ),
            (
                base.replace("127.0.0.1:1", "porta"),
                "riga 1, colonna 10: non è un indirizzo con la porta, come 127.0.0.1:8443",
            ),
            (
                format!("{base}[proxy]\nfrom = [\"uno\"]\n"),
                "non è un indirizzo IP, come 10.0.0.1",
            ),
            ("listen = ".to_owned(), "TOML non valido ("),
            (format!("data = \"d\"\n{base}"), "chiave ripetuta"),
        ] {
            let told = told(&text);
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
