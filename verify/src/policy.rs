//! Whom a reader trusts: logs, witnesses and the quorum (C2SP tlog-policy).

use std::collections::{HashMap, HashSet};

use crate::note::{Checked, Checkpoint, Key, Kind, Note};

/// Logs, witnesses and groups of a policy, each at most.
const MOST: usize = 256;

/// A policy, as its file says.
#[derive(Clone, Debug)]
pub struct Policy {
    logs: Vec<Key>,
    witnesses: Vec<(Vec<u8>, Key)>,
    groups: HashMap<Vec<u8>, Group>,
    quorum: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Group {
    threshold: usize,
    members: Vec<Vec<u8>>,
}

/// A witness that cosigned: the name of its key, and the seconds since 1970.
pub type Cosigned = (String, u64);

/// What signatures of a checkpoint say under a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// Keys of the log that signed it.
    pub logs: Vec<Key>,
    /// Witnesses that cosigned it.
    pub witnesses: Vec<Cosigned>,
    /// Whether they are as many as the quorum asks for.
    pub quorum: bool,
    /// Whether the policy asks for witnesses at all.
    pub asks: bool,
}

impl Policy {
    /// Reads a policy. An error names its line, from 1.
    pub fn read(bytes: &[u8]) -> Result<Self, (usize, &'static str)> {
        let mut policy = Self {
            logs: Vec::new(),
            witnesses: Vec::new(),
            groups: HashMap::new(),
            quorum: None,
        };
        let (mut quorum, mut taken) = (false, HashSet::new());
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        for (number, line) in lines.iter().enumerate() {
            let wrong = |why| (number + 1, why);
            if line
                .iter()
                .any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f)
            {
                return Err(wrong("ci sono caratteri di controllo"));
            }
            let words: Vec<&[u8]> = line
                .split(|byte| matches!(byte, b' ' | b'\t'))
                .filter(|word| !word.is_empty())
                .collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with(b"#") => {}
                [b"log", key] | [b"log", key, _] => policy.log(key).map_err(wrong)?,
                [b"witness", name, key] | [b"witness", name, key, _] => {
                    policy.witness(name, key).map_err(wrong)?;
                }
                [b"group", name, threshold, members @ ..] => {
                    policy
                        .group(name, threshold, members, &mut taken)
                        .map_err(wrong)?;
                }
                [b"quorum", name] if !quorum => {
                    quorum = true;
                    policy.quorum = match *name {
                        b"none" => None,
                        name if policy.has(name) => Some(name.to_vec()),
                        _ => return Err(wrong("il quorum nomina chi non è definito prima")),
                    };
                }
                [b"quorum", ..] => return Err(wrong("il quorum è una riga sola, con un nome solo")),
                _ => {
                    return Err(wrong(
                        "non è una riga di una politica: log, witness, group o quorum",
                    ));
                }
            }
            if policy.logs.len() > MOST || policy.witnesses.len() > MOST || policy.groups.len() > MOST {
                return Err(wrong("sono più di 256"));
            }
        }
        if quorum {
            Ok(policy)
        } else {
            Err((lines.len(), "manca la riga quorum"))
        }
    }

    fn has(&self, name: &[u8]) -> bool {
        self.groups.contains_key(name) || self.witnesses.iter().any(|(known, _)| known == name)
    }

    fn log(&mut self, key: &[u8]) -> Result<(), &'static str> {
        let key = key_of(key, Kind::Log)?;
        if self.logs.iter().any(|known| known.public == key.public) {
            return Err("la stessa chiave c'è già");
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &[u8], key: &[u8]) -> Result<(), &'static str> {
        let key = key_of(key, Kind::Witness)?;
        if name == b"none" || self.has(name) {
            return Err("il nome c'è già");
        }
        if self.witnesses.iter().any(|(_, known)| known.public == key.public) {
            return Err("la stessa chiave c'è già");
        }
        self.witnesses.push((name.to_vec(), key));
        Ok(())
    }

    fn group(
        &mut self,
        name: &[u8],
        threshold: &[u8],
        members: &[&[u8]],
        taken: &mut HashSet<Vec<u8>>,
    ) -> Result<(), &'static str> {
        if name == b"none" || self.has(name) {
            return Err("il nome c'è già");
        }
        let threshold = match threshold {
            b"all" => members.len(),
            b"any" => 1,
            number => str::from_utf8(number)
                .ok()
                .and_then(crate::note::number)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or("il numero di un gruppo è all, any o un numero")?,
        };
        if threshold == 0 || threshold > members.len() {
            return Err("il gruppo chiede più membri di quanti ne ha, o nessuno");
        }
        for member in members {
            if !self.has(member) {
                return Err("il gruppo nomina chi non è definito prima");
            }
            if !taken.insert(member.to_vec()) {
                return Err("lo stesso nome è membro due volte");
            }
        }
        let members = members.iter().map(|member| member.to_vec()).collect();
        self.groups.insert(name.to_vec(), Group { threshold, members });
        Ok(())
    }

    /// Judges the signatures of a checkpoint. An error: a signature of a known key is wrong, so that nothing of
    /// the note is to be believed.
    pub fn judge(&self, note: &Note, checkpoint: &Checkpoint) -> Result<Trusted, &'static str> {
        let mut logs = Vec::new();
        for key in self.logs.iter().filter(|key| key.name == checkpoint.origin) {
            match key.check(note) {
                Checked::Good(_) => logs.push(key.clone()),
                Checked::Wrong => return Err("la firma del registro non è valida"),
                Checked::Absent => {}
            }
        }
        let (mut witnesses, mut names) = (Vec::new(), HashSet::new());
        for (name, key) in &self.witnesses {
            match key.check(note) {
                Checked::Good(at) => {
                    witnesses.push((key.name.clone(), at.unwrap_or_default()));
                    names.insert(name.as_slice());
                }
                Checked::Wrong => return Err("la firma di un testimone non è valida"),
                Checked::Absent => {}
            }
        }
        let quorum = match &self.quorum {
            None => true,
            Some(name) => self.witnessed(name, &names),
        };
        Ok(Trusted {
            logs,
            witnesses,
            quorum,
            asks: self.quorum.is_some(),
        })
    }

    fn witnessed(&self, name: &[u8], cosigned: &HashSet<&[u8]>) -> bool {
        match self.groups.get(name) {
            Some(group) => {
                let members = group.members.iter();
                members.filter(|member| self.witnessed(member, cosigned)).count() >= group.threshold
            }
            None => cosigned.contains(name),
        }
    }
}

fn key_of(text: &[u8], kind: Kind) -> Result<Key, &'static str> {
    let key = Key::read(str::from_utf8(text).map_err(|_| "la chiave non è in UTF-8")?)?;
    match (key.kind == kind, kind) {
        (true, _) => Ok(key),
        (false, Kind::Log) => Err("la chiave è di un testimone, non di un registro"),
        (false, Kind::Witness) => Err("la chiave è di un registro, non di un testimone"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::sha256;

    fn key(name: &str, kind: Kind) -> Key {
        Key {
            name: name.to_owned(),
            kind,
            public: sha256(name.as_bytes()),
        }
    }

    /// The witnesses X1 to X3 and Y1 to Y3, and lines after them.
    fn policy(rest: &str) -> Result<Policy, (usize, &'static str)> {
        let mut text = format!(
            "# prova\n\n log\t{} https://log.example\n",
            key("l", Kind::Log).text()
        );
        for name in ["X1", "X2", "X3", "Y1", "Y2", "Y3"] {
            text += &format!("witness {name} {}\n", key(name, Kind::Witness).text());
        }
        Policy::read((text + rest).as_bytes())
    }

    #[test]
    fn a_quorum_counts_groups_of_groups() {
        let groups = "group X 2 X1 X2 X3\ngroup Y any Y1 Y2 Y3\ngroup both all X Y\nquorum both\n";
        let policy = policy(groups).unwrap();
        let quorum = |names: &[&str]| {
            let names = names.iter().map(|name| name.as_bytes()).collect();
            policy.witnessed(policy.quorum.as_ref().unwrap(), &names)
        };
        assert!(quorum(&["X1", "X3", "Y2"]));
        assert!(quorum(&["X1", "X2", "X3", "Y1", "Y2", "Y3"]));
        assert!(!quorum(&["X1", "Y1", "Y2", "Y3"]));
        assert!(!quorum(&["X1", "X2", "X3"]));
        assert!(!quorum(&[]));
    }

    #[test]
    fn a_policy_is_read_strictly() {
        let line = |rest: &str| policy(rest).err().map(|(line, _)| line);
        assert_eq!(line("quorum none"), None);
        assert_eq!(line("quorum X1\n"), None);
        assert_eq!(line(""), Some(10));
        assert_eq!(line("quorum Z\n"), Some(10));
        assert_eq!(line("quorum none\nquorum none\n"), Some(11));
        assert_eq!(line("group g 0 X1\nquorum g\n"), Some(10));
        assert_eq!(line("group g 2 X1\nquorum g\n"), Some(10));
        assert_eq!(line("group g all\nquorum g\n"), Some(10));
        assert_eq!(line("group g 02 X1 X2 X3\nquorum g\n"), Some(10));
        assert_eq!(line("group g any X1 X1\nquorum g\n"), Some(10));
        assert_eq!(line("group g any X1\ngroup h any X1\nquorum h\n"), Some(11));
        assert_eq!(line("group none any X1\nquorum none\n"), Some(10));
        assert_eq!(line("testimone X1\nquorum none\n"), Some(10));
        assert_eq!(line("quorum none\r\n"), Some(10));
        let twice = format!("witness Z {}\nquorum none\n", key("X1", Kind::Witness).text());
        assert_eq!(line(&twice), Some(10));
        let other = format!("witness Z {}\nquorum none\n", key("Z", Kind::Log).text());
        assert_eq!(line(&other), Some(10));
    }
}
