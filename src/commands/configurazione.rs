//! `varco configurazione`: the page of the manual about `varco.toml`, made from the commented configuration
//! that `varco init` writes and from the ranges that `varco check-config` holds.

use std::fmt::Write as _;

use anyhow::Result;

use super::init::MODELLO;
use crate::config::Config;

/// Sections and keys that a running gateway takes only at a restart, as `Config::differs_beyond_reload` says.
const RIAVVIO: [&str; 9] = [
    "listen",
    "data",
    "ledger",
    "admin",
    "regole",
    "sii",
    "limits.connections",
    "limits.lots",
    "limits.bodies_bytes",
];

/// Whether a key changes only with a restart.
fn is_fixed(nome: &str) -> bool {
    RIAVVIO
        .iter()
        .any(|fixed| nome == *fixed || nome.starts_with(&format!("{fixed}.")))
}

/// Version of the first configuration, and of every key that is not in [`DA`].
const PRIMA: &str = "0.1.0";
/// Keys that came later, with their version.
const DA: [(&str, &str); 0] = [];

/// A key, as the commented configuration has it.
struct ChiaveToml {
    /// With its section: `limits.connections`.
    nome: String,
    /// The value there: the default, or an example.
    valore: String,
    genere: Genere,
    significato: String,
}

/// The kind of a value in the commented configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Genere {
    Obbligatoria,
    Predefinita,
    /// Without a default.
    Esempio,
}

/// Optional keys without a default: the value there is an example.
const SENZA: [&str; 7] = [
    "soglia.indicatore",
    "tls.crl_issuers",
    "sii.festivi",
    "admin.listen",
    "proxy.from",
    "paths.pdd",
    "regole.varianti",
];

/// The keys of the commented configuration, in its order.
fn chiavi() -> Vec<ChiaveToml> {
    let (mut found, mut section, mut repeated) = (Vec::new(), String::new(), false);
    let mut comment: Vec<&str> = Vec::new();
    for line in MODELLO.lines() {
        let rest = line.strip_prefix("# ").unwrap_or(line);
        if rest.is_empty() {
            comment.clear();
        } else if let Some(name) = rest.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
            (section, repeated) = (name.to_owned(), true);
        } else if let Some(name) = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (section, repeated) = (name.to_owned(), false);
            comment.clear();
        } else if let Some((name, value)) = rest.split_once(" = ").filter(|(name, _)| is_key(name)) {
            let nome = if section.is_empty() {
                name.to_owned()
            } else {
                format!("{section}.{name}")
            };
            let genere = match line.starts_with('#') {
                _ if SENZA.contains(&nome.as_str()) => Genere::Esempio,
                false => Genere::Obbligatoria,
                // A section that may be repeated is left out whole.
                true if repeated => Genere::Obbligatoria,
                true => Genere::Predefinita,
            };
            found.push(ChiaveToml {
                nome,
                valore: value.to_owned(),
                genere,
                significato: std::mem::take(&mut comment).join(" "),
            });
        } else {
            comment.push(rest);
        }
    }
    found
}

fn is_key(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// The page, in Markdown.
pub(super) fn page() -> Result<String> {
    let config: Config = toml::from_str(&MODELLO.replace("@DATI@", "/var/lib/varco/data"))?;
    let ranges = config.ranges();
    let mut text = INTRODUZIONE.to_owned();
    let mut section = None;
    for ChiaveToml {
        nome,
        valore,
        genere,
        significato,
    } in chiavi()
    {
        let own = nome
            .rsplit_once('.')
            .map_or("", |(section, _)| section)
            .to_owned();
        if section.as_ref() != Some(&own) {
            let (_, introduction) = SEZIONI
                .iter()
                .find(|(name, _)| *name == own)
                .copied()
                .unwrap_or_default();
            let title = if own.is_empty() {
                "In testa al file".to_owned()
            } else {
                format!("`[{own}]`")
            };
            let title = if is_repeated(&own) {
                format!("`[[{own}]]`")
            } else {
                title
            };
            let _ = write!(
                text,
                "\n## {title}\n\n{introduction}\n\n| chiave | se manca | valori | cambia con | da | significato |\n|---|---|---|---|---|---|\n"
            );
            section = Some(own);
        }
        let key = nome.rsplit('.').next().unwrap_or_default();
        let range = ranges.iter().find(|(name, ..)| *name == nome);
        let values = match range {
            Some((_, _, range)) => format!("da {} a {}", range.start(), range.end()),
            None => format!("come `{}`", valore.replace("@DATI@", "/var/lib/varco/data")),
        };
        let missing = match genere {
            Genere::Obbligatoria => "obbligatoria".to_owned(),
            Genere::Predefinita => format!("`{valore}`"),
            Genere::Esempio => "niente".to_owned(),
        };
        let with = if is_fixed(&nome) { "riavvio" } else { "reload" };
        let since = DA
            .iter()
            .find(|(name, _)| *name == nome)
            .map_or(PRIMA, |(_, since)| since);
        let _ = writeln!(
            text,
            "| `{key}` | {missing} | {values} | {with} | {since} | {significato} |"
        );
    }
    text.push_str(ESEMPIO);
    Ok(text)
}

fn is_repeated(section: &str) -> bool {
    MODELLO.contains(&format!("[[{section}]]"))
}

const INTRODUZIONE: &str = "\
# La configurazione

<!-- Generato da `varco configurazione`: si cambia nel codice. -->

Un solo file, `varco.toml`, in TOML. I percorsi sono relativi al file. `varco init DIRECTORY --config varco.toml` ne scrive uno con ogni chiave commentata;
`varco init --guidata` chiede e lo scrive già compilato.

Dopo una modifica:

1. `varco check-config` legge il file e tutto ciò che nomina, e dice che cosa non va; con `--rigoroso` fallisce anche per ciò con cui la
   porta partirebbe avvertendo;
2. `varco reload` lo fa rileggere alla porta in funzione: tutto, oppure niente e il perché. Le connessioni restano. Il registro ricorda chi l'ha fatto, con le
   impronte del file e dei certificati;
3. ciò che nella colonna «cambia con» dice riavvio vale dal prossimo avvio; finché è nel file, `varco reload`
   rifiuta anche ogni altra modifica.

Una chiave che non esiste è un errore, con riga e colonna. Un numero fuori dai valori ammessi è un avviso all'avvio, e un errore di
`check-config --rigoroso` e di `reload` (salvo `--comunque`).
";

/// The sections, each with a sentence about it.
const SEZIONI: [(&str, &str); 14] = [
    ("", "Prima di ogni sezione."),
    ("tls", "Il canale: chi è la porta, e di chi si fida."),
    (
        "tls.crl_source",
        "Da dove `varco crl fetch` scarica una lista; si può ripetere.",
    ),
    (
        "tls.ocsp",
        "Per un'autorità che non pubblica liste si chiede al suo risponditore; si può ripetere.",
    ),
    (
        "tls.server",
        "Altri certificati del server; si può ripetere. A chi chiama va quello del nome chiesto, valido, ECDSA se lo sa leggere.",
    ),
    ("limits", "Quanto, quante volte, per quanto tempo."),
    ("ledger", "Il registro."),
    ("sii", "Il Sistema Informativo ISEE che la porta ha in sé."),
    ("admin", "Salute e metriche."),
    ("proxy", "I bilanciatori davanti alla porta."),
    ("paths", "Altri indirizzi."),
    (
        "soglia",
        "Le soglie di ConsultazioneSogliaIndicatore; si può ripetere.",
    ),
    ("regole", "Le regole dell'ISEE: [quali ci sono](isee.md)."),
    (
        "regole.parametro",
        "Un altro valore di un parametro delle regole, con la sua fonte; si può ripetere.",
    ),
];

const ESEMPIO: &str = "
## Un esempio

```toml
listen = \"0.0.0.0:8443\"
data = \"/var/lib/varco/data\"

[tls]
certificate = \"server.pem\"
key = \"$CREDENTIALS_DIRECTORY/server.key\"
client_authorities = \"autorita.pem\"
crl = [\"crl/autorita.crl\"]

[[tls.crl_source]]
url = \"http://crl.autorita.example/autorita.crl\"
file = \"crl/autorita.crl\"

[admin]
listen = \"127.0.0.1:9443\"
```
";

/// Prints the page on standard output.
pub(super) fn run() -> Result<()> {
    print!("{}", page()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_meaning_and_every_section_a_word() {
        for key in chiavi() {
            assert!(!key.significato.is_empty(), "{}", key.nome);
            let section = key.nome.rsplit_once('.').map_or("", |(section, _)| section);
            assert!(SEZIONI.iter().any(|(name, _)| *name == section), "{section}");
        }
    }

    #[test]
    fn what_stands_there_as_a_default_is_the_default() {
        let minimal = "listen = \"0.0.0.0:8443\"\ndata = \"d\"\n[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_authorities = \"c\"\ncrl = [\"l\"]\n";
        let default = format!("{:?}", toml::from_str::<Config>(minimal).unwrap());
        let tables: &[&str] = &["tls", "limits", "ledger", "sii"];
        let mut seen = 0;
        for key in chiavi().iter().filter(|key| key.genere == Genere::Predefinita) {
            let (section, name) = key.nome.rsplit_once('.').unwrap();
            assert!(tables.contains(&section), "{}", key.nome);
            let line = format!("{name} = {}\n", key.valore);
            let text = if section == "tls" {
                format!("{minimal}{line}")
            } else {
                format!("{minimal}[{section}]\n{line}")
            };
            assert_eq!(
                format!("{:?}", toml::from_str::<Config>(&text).unwrap()),
                default,
                "{}",
                key.nome
            );
            seen += 1;
        }
        assert!(seen >= 17, "{seen} defaults");
    }

    #[test]
    fn what_is_said_to_need_a_restart_needs_one() {
        let text = MODELLO.replace("@DATI@", "/d");
        let one = |text: &str| toml::from_str::<Config>(text).unwrap();
        for key in chiavi() {
            // The same file with another value of this key alone.
            let name = key.nome.rsplit('.').next().unwrap();
            let other = match key.valore.parse::<u64>() {
                Ok(number) => (number + 1).to_string(),
                Err(_) if key.nome == "listen" => "\"0.0.0.0:1\"".to_owned(),
                Err(_) if key.nome == "sii.attesta" => "\"subito\"".to_owned(),
                Err(_) => continue,
            };
            let (section, line) = (
                key.nome.rsplit_once('.').map(|(section, _)| section),
                format!("{name} = {other}"),
            );
            let before = key.valore.replace("@DATI@", "/d");
            let changed = match section {
                None => text.replace(&format!("{name} = {before}"), &line),
                Some(section) => text.replace(&format!("[{section}]\n"), &format!("[{section}]\n{line}\n")),
            };
            let differs = one(&text).differs_beyond_reload(&one(&changed));
            assert_eq!(
                differs.is_some(),
                is_fixed(&key.nome),
                "{}: {differs:?}",
                key.nome
            );
        }
    }
}
