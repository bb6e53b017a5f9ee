//! The commands: their arguments, their answers in Italian, their exit statuses.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::directory::{self, Against, Wrong};
use crate::note::{Checkpoint, Note};
use crate::policy::{Policy, Trusted};
use crate::proof::{Consistency, Extra, Proof, checkpoint, committed, hex};

/// The last line where nobody said whom to trust.
pub const UNVERIFIED: &str = "chi ha firmato non è stato verificato";

/// What is told, and the exit status: 0 all holds, 1 something does not, 2 the command cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The lines.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

/// Why a command ends without an answer that all holds.
enum Not {
    /// Something is not proven: status 1.
    Proven(String),
    /// The command cannot be carried out: status 2.
    Done(String),
}

type Said = Result<String, Not>;

const USE: &str = "\
varco-verify verifica, senza rete e senza chiavi, quello che un registro Varco prova.

  varco-verify prova FILE [--fiducia FILE] [--voce FILE] [--richiesta FILE] [--risposta FILE]
      che una voce è nel registro: una prova (.tlog-proof); con --richiesta e --risposta
      anche che i byte di quei file sono quelli scambiati
  varco-verify consistenza PRIMO PROVA [--fiducia FILE]
      che un checkpoint continua un altro, e niente di prima è cambiato
  varco-verify registro DIRECTORY [--checkpoint FILE].. [--fiducia FILE]
      che il registro di una directory di dati è intero, ed è quello dei checkpoint
  varco-verify --version

  --fiducia FILE   chi firma (C2SP tlog-policy): senza, le firme non si verificano

Esce con 0 se tutto torna, con 1 se qualcosa non torna, con 2 se il comando non si può eseguire.
";

/// Carries out a command.
pub fn answer(arguments: &[OsString]) -> Answer {
    let command = arguments.first().and_then(|command| command.to_str());
    let rest = arguments.get(1..).unwrap_or_default();
    let said = match command {
        Some("prova") => Arguments::read(rest, &["fiducia", "voce", "richiesta", "risposta"]).and_then(prova),
        Some("consistenza") => Arguments::read(rest, &["fiducia"]).and_then(consistenza),
        Some("registro") => Arguments::read(rest, &["fiducia", "checkpoint"]).and_then(registro),
        Some("--version" | "-V") => Ok(format!("varco-verify {}\n", env!("CARGO_PKG_VERSION"))),
        Some("--help" | "-h" | "aiuto") => Ok(USE.to_owned()),
        _ => Err(Not::Done(USE.to_owned())),
    };
    match said {
        Ok(text) => Answer { text, status: 0 },
        Err(Not::Proven(text)) => Answer { text, status: 1 },
        Err(Not::Done(text)) => Answer { text, status: 2 },
    }
}

/// The arguments of a command.
struct Arguments {
    plain: Vec<PathBuf>,
    options: Vec<(String, PathBuf)>,
}

impl Arguments {
    fn read(all: &[OsString], known: &[&str]) -> Result<Self, Not> {
        let mut read = Self {
            plain: Vec::new(),
            options: Vec::new(),
        };
        let mut all = all.iter();
        while let Some(argument) = all.next() {
            let Some(option) = argument.to_str().and_then(|text| text.strip_prefix("--")) else {
                read.plain.push(argument.into());
                continue;
            };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.into())),
                None => (option, None),
            };
            if !known.contains(&name) {
                return Err(Not::Done(format!(
                    "--{name}: qui questa opzione non c'è\n\n{USE}"
                )));
            }
            let value = value.or_else(|| all.next().cloned());
            let value = value.ok_or_else(|| Not::Done(format!("--{name} vuole un file\n")))?;
            read.options.push((name.to_owned(), value.into()));
        }
        Ok(read)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Path> {
        let found = self.options.iter().filter(move |(known, _)| known == name);
        found.map(|(_, path)| path.as_path())
    }

    fn one(&self, name: &str) -> Result<Option<&Path>, Not> {
        let mut found = self.all(name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Not::Done(format!("--{name} si dà una volta sola\n"))),
            (one, None) => Ok(one),
        }
    }

    fn paths<const N: usize>(&self) -> Result<[&Path; N], Not> {
        let all: Vec<&Path> = self.plain.iter().map(PathBuf::as_path).collect();
        all.try_into().map_err(|_| Not::Done(USE.to_owned()))
    }

    fn policy(&self) -> Result<Option<Policy>, Not> {
        let Some(path) = self.one("fiducia")? else {
            return Ok(None);
        };
        let read = Policy::read(&file(path)?);
        let read = read.map_err(|(line, why)| Not::Done(format!("{}, riga {line}: {why}\n", path.display())));
        read.map(Some)
    }
}

fn file(path: &Path) -> Result<Vec<u8>, Not> {
    std::fs::read(path).map_err(|error| Not::Done(format!("{}: {error}\n", path.display())))
}

/// What a file is not: status 1, since a file that is no proof proves nothing.
fn not(path: &Path) -> impl Fn(String) -> Not {
    let name = path.display().to_string();
    move |why| Not::Proven(format!("{name}: {why}\nNIENTE È PROVATO\n"))
}

/// The lines about who signed a checkpoint.
fn signed(policy: Option<&Policy>, note: &Note, checkpoint: &Checkpoint) -> Result<String, String> {
    let Some(policy) = policy else {
        return Ok(format!("{UNVERIFIED}\n"));
    };
    let Trusted {
        logs,
        witnesses,
        quorum,
        asks,
    } = policy.judge(note, checkpoint)?;
    if logs.is_empty() {
        return Err(format!(
            "nessuna chiave del registro {} che la fiducia elenca lo ha firmato",
            plain(&checkpoint.origin)
        ));
    }
    let mut text = String::new();
    for key in logs {
        let _ = writeln!(text, "Lo ha firmato il registro, con la chiave {}.", key.text());
    }
    for (name, at) in &witnesses {
        let _ = writeln!(
            text,
            "Lo ha visto il testimone {}, {}.",
            plain(name),
            instant(*at)
        );
    }
    if !quorum {
        return Err(format!(
            "mancano testimoni: {} non bastano a chi la fiducia chiede",
            witnesses.len()
        ));
    }
    text.push_str(match (asks, witnesses.is_empty()) {
        (true, _) => "I testimoni sono quelli che la fiducia chiede.\n",
        (false, true) => "Nessun testimone lo ha visto, e la fiducia non ne chiede.\n",
        (false, false) => "La fiducia non chiede testimoni.\n",
    });
    Ok(text)
}

/// `prova`.
fn prova(arguments: Arguments) -> Said {
    let [path] = arguments.paths()?;
    let policy = arguments.policy()?;
    let wrong = not(path);
    let proof = Proof::read(&file(path)?).map_err(&wrong)?;
    let extra = proof
        .extra
        .as_deref()
        .map(Extra::read)
        .transpose()
        .map_err(&wrong)?;
    let given = arguments.one("voce")?.map(file).transpose()?;
    let leaf = match (&given, &extra) {
        (Some(given), _) => given.as_slice(),
        (None, Some(extra)) => extra.leaf.as_bytes(),
        (None, None) => {
            let why = "la prova non ha la voce: va data con --voce";
            return Err(Not::Done(format!("{}: {why}\n", path.display())));
        }
    };
    if !proof.holds(leaf) {
        return Err(wrong(
            "la voce non è quella che sta a quel posto nel registro".to_owned(),
        ));
    }
    let checkpoint = &proof.checkpoint;
    let mut text = format!(
        "La voce {} è nel registro {}, così come era con {} voci.\n",
        proof.index + 1,
        plain(&checkpoint.origin),
        checkpoint.size
    );
    let value: Value = serde_json::from_slice(leaf).unwrap_or_default();
    if value.get("seq").and_then(Value::as_u64) != Some(proof.index + 1) {
        return Err(wrong("la voce ha un altro numero".to_owned()));
    }
    let ledger = value.get("ledger").and_then(Value::as_str).unwrap_or_default();
    if !checkpoint.origin.split('/').any(|part| part == ledger) {
        return Err(wrong("la voce è di un altro registro".to_owned()));
    }
    text.push_str(&described(&value));
    if let Some(sealed) = extra.as_ref().and_then(|extra| extra.sealed.as_ref()) {
        sealed.holds(&value).map_err(&wrong)?;
        for (kind, _, content) in &sealed.sections {
            let _ = writeln!(
                text,
                "È aperta la sezione {kind}, che è quella registrata: {} byte, SHA-256 {}.",
                content.len(),
                hex(&crate::tree::sha256(content))
            );
        }
    }
    for (option, label, what) in [
        ("richiesta", "request", "La richiesta"),
        ("risposta", "reply", "La risposta"),
    ] {
        if let Some(path) = arguments.one(option)? {
            let random = extra
                .as_ref()
                .and_then(|extra| extra.bodies.iter().find(|(known, _)| known == label));
            let Some((_, random)) = random else {
                let why = format!("la prova non ha quello che serve per confrontare --{option}");
                return Err(Not::Done(format!("{}: {why}\n", path.display())));
            };
            let said = value
                .get("commit")
                .and_then(|commit| commit.get(label))
                .and_then(Value::as_str);
            if said != Some(hex(&committed(random, &file(path)?)).as_str()) {
                return Err(wrong(format!("{} non è quella registrata", path.display())));
            }
            let _ = writeln!(text, "{what} registrata è quella di {}.", path.display());
        }
    }
    text.push_str(&signed(policy.as_ref(), &proof.note, checkpoint).map_err(&wrong)?);
    Ok(text)
}

/// A text of a file, without the characters that could make a terminal show something else.
fn plain(text: &str) -> String {
    let shows = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(shows).collect()
}

/// What a leaf says, for a reader in a hurry.
fn described(leaf: &Value) -> String {
    let member = |name: &str| leaf.get(name).and_then(Value::as_str);
    let mut text = String::new();
    for (name, label) in [
        ("recorded", "registrata"),
        ("kind", "tipo"),
        ("operation", "operazione"),
        ("ente", "ente"),
        ("outcome", "esito"),
        ("refusal", "rifiuto"),
        ("exchange", "scambio"),
    ] {
        if let Some(value) = member(name) {
            let _ = writeln!(text, "  {label}: {}", plain(value));
        }
    }
    text
}

/// `consistenza`.
fn consistenza(arguments: Arguments) -> Said {
    let [first, second] = arguments.paths()?;
    let policy = arguments.policy()?;
    let (note, earlier) = checkpoint(&file(first)?).map_err(not(first))?;
    let wrong = not(second);
    let proof = Consistency::read(&file(second)?).map_err(&wrong)?;
    proof.holds(&earlier).map_err(|why| wrong(why.to_owned()))?;
    let later = &proof.checkpoint;
    let mut text = format!(
        "Il registro {} con {} voci continua quello con {}: niente di prima è cambiato.\n",
        plain(&later.origin),
        later.size,
        earlier.size
    );
    if let Some(policy) = &policy {
        let _ = writeln!(text, "Il primo, {}:", first.display());
        text.push_str(&signed(Some(policy), &note, &earlier).map_err(not(first))?);
        let _ = writeln!(text, "Il secondo, {}:", second.display());
    }
    text.push_str(&signed(policy.as_ref(), &proof.note, later).map_err(&wrong)?);
    Ok(text)
}

/// `registro`.
fn registro(arguments: Arguments) -> Said {
    let [data] = arguments.paths()?;
    let policy = arguments.policy()?;
    let mut checkpoints = Vec::new();
    for path in arguments.all("checkpoint") {
        let (note, read) = checkpoint(&file(path)?).map_err(not(path))?;
        checkpoints.push((path, note, read));
    }
    let only: Vec<Checkpoint> = checkpoints.iter().map(|(.., read)| read.clone()).collect();
    let report = directory::read(data, &only).map_err(|wrong| match wrong {
        Wrong::Io(path, error) => Not::Done(format!("{}: {error}\n", path.display())),
        Wrong::Broken {
            index,
            file,
            offset,
            what,
        } => Not::Proven(format!(
            "{}, byte {offset}: {what}; la prima voce che manca è la {}\n",
            file.display(),
            index + 1
        )),
    })?;
    let mut text = format!(
        "Registro {}: {} voci, radice {}.\n",
        report.ledger,
        report.entries,
        STANDARD.encode(report.root)
    );
    let mut wrong = String::new();
    for (index, what) in &report.findings {
        let _ = writeln!(wrong, "Voce {}: {what}.", index + 1);
    }
    if report.uncovered > 0 {
        let _ = writeln!(
            text,
            "Parti cifrate di prima del formato 1.2, che niente fuori di loro copre: {}.",
            report.uncovered
        );
    }
    if report.tail > 0 {
        let _ = writeln!(
            text,
            "In fondo ci sono {} byte di un blocco non finito: nessuno ha avuto risposta per quelle voci.",
            report.tail
        );
    }
    for ((path, note, checkpoint), against) in checkpoints.iter().zip(&report.checkpoints) {
        let (name, size) = (path.display(), checkpoint.size);
        let own = checkpoint.origin.split('/').any(|part| part == report.ledger);
        match against {
            _ if !own => {
                let _ = writeln!(
                    wrong,
                    "{name}: è di un altro registro ({}).",
                    plain(&checkpoint.origin)
                );
            }
            None => {
                let _ = writeln!(
                    text,
                    "{name}: il registro contiene quello di {size} voci che il checkpoint firma."
                );
            }
            Some(Against::Shorter) => {
                let _ = writeln!(
                    wrong,
                    "{name}: il checkpoint ha {size} voci, il registro {}: la prima che manca è la {}.",
                    report.entries,
                    report.entries + 1
                );
            }
            Some(Against::Changed(Some(index))) => {
                let _ = writeln!(wrong, "{name}: la prima voce cambiata è la {}.", index + 1);
            }
            Some(Against::Changed(None)) => {
                let _ = writeln!(
                    wrong,
                    "{name}: una delle prime {size} voci è cambiata; quale, qui non si può dire."
                );
            }
        }
        match signed(policy.as_ref(), note, checkpoint) {
            Ok(who) if policy.is_some() => text.push_str(&who),
            Ok(_) => {}
            Err(why) => {
                let _ = writeln!(wrong, "{name}: {why}.");
            }
        }
    }
    if checkpoints.is_empty() {
        text.push_str("Senza un checkpoint questo prova solo che il registro è intero in sé, non che sia quello di prima.\n");
    }
    if !wrong.is_empty() {
        return Err(Not::Proven(format!("{text}{wrong}")));
    }
    if policy.is_none() || checkpoints.is_empty() {
        let _ = writeln!(text, "{UNVERIFIED}");
    }
    Ok(text)
}

/// Seconds since 1970, as day and time in UTC.
fn instant(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let (year, month, day) = day_of(days);
    format!("il {day:02}/{month:02}/{year} alle {hour:02}:{minute:02}:{second:02} UTC")
}

/// Year, month and day of a number of days since 1970, by counting: no calendar to trust.
fn day_of(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // 400 years have 146,097 days.
    let mut year = 1970 + 400 * (days / 146_097);
    days %= 146_097;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        (days, year) = (days - length, year + 1);
    }
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        (days, month) = (days - length, month + 1);
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_does_not_reach_the_terminal_as_it_is() {
        assert_eq!(plain("a\u{1b}[2Jb\u{9b}c\u{202e}d\u{feff}e"), "a[2Jbcde");
        assert_eq!(plain("Comune di Forlì"), "Comune di Forlì");
    }

    #[test]
    fn instants_are_days() {
        assert_eq!(instant(0), "il 01/01/1970 alle 00:00:00 UTC");
        assert_eq!(instant(951_827_696), "il 29/02/2000 alle 12:34:56 UTC");
        assert_eq!(instant(1_796_126_399), "il 01/12/2026 alle 11:59:59 UTC");
        assert_eq!(instant(4_107_542_400), "il 01/03/2100 alle 00:00:00 UTC");
    }

    #[test]
    fn a_command_that_is_none_gets_the_use() {
        for arguments in [
            &[][..],
            &["prove"],
            &["prova"],
            &["prova", "a", "b"],
            &["prova", "--tutto", "x"],
        ] {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            let Answer { text, status } = answer(&arguments);
            assert!(status == 2 && text.contains("varco-verify prova FILE"), "{text}");
        }
    }
}
