//! Which file uses which, read from the sources, and the circles among them.
//!
//! A file is named by its module. It uses another when a `use` or a path names something of it:
//! `crate::a::b`, `super::a`, or `a::b` in the file that declares `a`. A name that a façade hands on counts
//! for the file that has it, so a façade is free. Comments, tests and visibilities do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

type Module = Vec<String>;

/// The sources as a graph.
pub(crate) struct House {
    files: BTreeMap<Module, String>,
    handed_on: BTreeMap<Module, Module>,
}

impl House {
    /// The sources below `root`, each by its path from there.
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = (&'a Path, String)>) -> Self {
        let files: BTreeMap<Module, String> = sources
            .into_iter()
            .filter_map(|(path, text)| Some((module(path)?, production(&text))))
            .collect();
        let mut house = Self {
            files,
            handed_on: BTreeMap::new(),
        };
        let mut handed_on = BTreeMap::new();
        for (module, text) in &house.files {
            for (public, name) in imports(text) {
                if let (true, Some(origin)) = (public, house.absolute(module, &name)) {
                    let alias: Module = module.iter().chain(origin.last()).cloned().collect();
                    handed_on.insert(alias, origin);
                }
            }
        }
        house.handed_on = handed_on;
        house
    }

    /// What each file uses.
    pub(crate) fn uses(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        self.files
            .iter()
            .map(|(module, text)| (module.clone(), self.used_by(module, text)))
            .collect()
    }

    fn used_by(&self, module: &Module, text: &str) -> BTreeSet<Module> {
        let paths = imports(text)
            .into_iter()
            .filter(|(public, _)| !public)
            .map(|(_, path)| path)
            .chain(inline(text));
        let names = paths.filter_map(|path| self.absolute(module, &path));
        names
            .filter_map(|name| self.file_of(name, 0))
            .filter(|file| file != module)
            .collect()
    }

    /// A path as it is from the root; `None`: of another crate, or of a name that an import has brought in.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], path.get(1..)?),
            "self" => (module.as_slice(), path.get(1..)?),
            "super" => (
                module.get(..module.len().checked_sub(supers)?)?,
                path.get(supers..)?,
            ),
            child => {
                let child: Module = module.iter().cloned().chain([child.to_owned()]).collect();
                self.files
                    .contains_key(&child)
                    .then_some((module.as_slice(), path))?
            }
        };
        Some(base.iter().chain(rest).cloned().collect())
    }

    /// The file that has a name.
    fn file_of(&self, name: Module, depth: usize) -> Option<Module> {
        (1..=name.len()).rev().find_map(|length| {
            let (head, tail) = name.split_at(length);
            if self.files.contains_key(head) {
                return Some(head.to_vec());
            }
            let origin = self
                .handed_on
                .get(head)
                .filter(|origin| depth < 8 && !origin.starts_with(head))?;
            self.file_of(origin.iter().chain(tail).cloned().collect(), depth + 1)
        })
    }
}

/// The files that reach themselves, each with what it reaches and is reached by: empty, or a circle.
pub(crate) fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        uses.keys().map(|start| (start, reach(uses, start))).collect();
    let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
    for (start, ends) in &reached {
        if ends.contains(start) {
            let both = ends
                .iter()
                .filter(|end| reached.get(*end).is_some_and(|back| back.contains(start)));
            circles.insert(both.map(|module| module.join("::")).collect());
        }
    }
    circles.into_iter().map(|circle| circle.join(" <-> ")).collect()
}

fn reach<'a>(uses: &'a BTreeMap<Module, BTreeSet<Module>>, start: &'a Module) -> BTreeSet<&'a Module> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![start]);
    while let Some(module) = next.pop() {
        next.extend(
            uses.get(module)
                .into_iter()
                .flatten()
                .filter(|used| reached.insert(*used)),
        );
    }
    reached
}

fn module(path: &Path) -> Option<Module> {
    let mut parts: Module = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(parts.last()?.as_str(), "mod" | "lib" | "main") {
        parts.pop();
    }
    Some(parts)
}

/// A source without its tests, comments and visibilities.
fn production(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            lines.next();
            continue;
        }
        kept.push_str(line.split("//").next().unwrap_or_default());
        kept.push('\n');
    }
    let mut parts = kept.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        kept + "pub" + part.split_once(')').map_or("", |(_, rest)| rest)
    })
}

/// Every name that a `use` brings in, and whether it is handed on.
fn imports(text: &str) -> Vec<(bool, Vec<String>)> {
    let mut found = Vec::new();
    for statement in statements(text) {
        let public = statement.starts_with("pub");
        let tree = statement
            .split_once("use ")
            .map(|(_, tree)| tree)
            .unwrap_or_default();
        expand(tree, &[], &mut |path| found.push((public, path)));
    }
    found
}

/// The `use` statements, each on one line and without its semicolon.
fn statements(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(';').filter_map(|piece| {
        let start = piece.lines().position(is_use)?;
        Some(
            piece
                .lines()
                .skip(start)
                .map(str::trim)
                .collect::<Vec<_>>()
                .join(" "),
        )
    })
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("use ") || (line.starts_with("pub") && line.split_whitespace().nth(1) == Some("use"))
}

fn expand(tree: &str, before: &[String], found: &mut dyn FnMut(Vec<String>)) {
    let tree = tree.trim();
    let Some((head, body)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        let parts = name
            .split("::")
            .map(str::trim)
            .filter(|part| !part.is_empty() && *part != "self" || before.is_empty());
        return found(before.iter().cloned().chain(parts.map(str::to_owned)).collect());
    };
    let before: Vec<String> = before
        .iter()
        .cloned()
        .chain(
            head.split("::")
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned),
        )
        .collect();
    let body = body.trim_end().strip_suffix('}').unwrap_or(body);
    let (mut depth, mut start) = (0, 0);
    for (at, character) in body.char_indices().chain([(body.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let branch = body.get(start..at).unwrap_or_default();
                if !branch.trim().is_empty() {
                    expand(branch, &before, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// Every path in the code that is not in a `use`.
fn inline(text: &str) -> Vec<Vec<String>> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let code = text.split(';').filter(|piece| !piece.lines().any(is_use));
    let paths = code
        .flat_map(|piece| piece.split(move |c| !word(c)))
        .filter(|path| path.contains("::"));
    paths
        .map(|path| {
            path.split("::")
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[test]
fn a_circle_is_seen_however_it_is_written() {
    let found = |sources: &[(&str, &str)]| {
        circles(
            &House::new(
                sources
                    .iter()
                    .map(|(path, text)| (Path::new(*path), (*text).to_owned())),
            )
            .uses(),
        )
    };
    let circle = ["a::b <-> a::c"];
    assert_eq!(
        found(&[
            ("a/b.rs", "use super::c::C;"),
            ("a/c.rs", "fn f(b: &crate::a::b::B) {}")
        ]),
        circle
    );
    assert_eq!(
        found(&[
            ("a/b.rs", "use crate::{x, a::{y,\n  c::{self, C as D}}};"),
            ("a/c.rs", "pub use super::b::B;\nuse super::b;")
        ]),
        circle
    );
    // Through a façade, and from a façade to its own.
    let facade = (
        "a/mod.rs",
        "mod b;\nmod c;\npub(crate) use b::B;\npub use self::c::C;",
    );
    assert_eq!(
        found(&[facade, ("a/b.rs", "use super::C;"), ("a/c.rs", "use super::B;")]),
        circle
    );
    assert_eq!(
        found(&[
            ("a/mod.rs", "mod b;\nfn f() { b::g() }"),
            ("a/b.rs", "fn g() { super::f() }")
        ]),
        ["a <-> a::b"]
    );
    // None: one way, a visibility, a comment, a test.
    assert!(
        found(&[
            facade,
            ("a/b.rs", "use super::C;"),
            ("a/c.rs", "pub(in super::b) struct C; // super::B")
        ])
        .is_empty()
    );
    assert!(
        found(&[
            ("a/b.rs", "use super::c::C;"),
            ("a/c.rs", "#[cfg(test)]\nmod tests {\n use super::super::b::B; }")
        ])
        .is_empty()
    );
}
