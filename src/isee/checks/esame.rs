//! A DSU under examination: its defects, its circumstance, and the paths in it.

use super::super::calendar::Calendario;
use super::super::dsu::Dichiarazione;
use super::super::rules::RuleSet;
use super::regole::Check;
use jiff::civil::Date;
use std::fmt::{self, Display};

/// One defect: its check, where it is in the DSU, what an Italian reader is told. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Difetto {
    /// The check and its rule.
    pub code: Check,
    /// `/Dichiarazione/NucleoFamiliare/ComponenteNucleo[2]/..`.
    pub path: String,
    /// In Italian.
    pub text: &'static str,
}

/// What the checks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Esame {
    /// The DSU is refused if there is any.
    pub difetti: Vec<Difetto>,
    /// How many more defects there are than are described.
    pub altri: usize,
    /// Said, but no reason to refuse; at most as many as of the others.
    pub avvertenze: Vec<Difetto>,
}

/// How many defects, and how many warnings, are described.
pub const MAX_DIFETTI: usize = 100;

impl Esame {
    /// The path is written only if the defect is described: any number of defects may be counted.
    pub(super) fn refuse(&mut self, code: Check, path: impl Display, text: &'static str) {
        if self.difetti.len() < MAX_DIFETTI {
            self.difetti.push(Difetto {
                code,
                path: path.to_string(),
                text,
            });
        } else {
            self.altri += 1;
        }
    }

    /// The same defect in many places: those that are only counted are not looked at.
    pub(super) fn refuse_each<P: Display>(
        &mut self,
        code: Check,
        paths: impl ExactSizeIterator<Item = P>,
        text: &'static str,
    ) {
        let room = MAX_DIFETTI.saturating_sub(self.difetti.len());
        self.altri += paths.len().saturating_sub(room);
        for path in paths.take(room) {
            self.refuse(code, path, text);
        }
    }

    pub(super) fn warn(&mut self, code: Check, path: impl Display, text: &'static str) {
        if self.avvertenze.len() < MAX_DIFETTI {
            self.avvertenze.push(Difetto {
                code,
                path: path.to_string(),
                text,
            });
        }
    }
}

/// When a DSU is examined.
#[derive(Clone, Copy, Debug)]
pub struct Circumstance<'a> {
    /// The day of transmission, in Italy.
    pub today: Date,
    /// The rule set of the day of presentation.
    pub rules: &'a RuleSet,
    /// On which days offices work.
    pub calendario: &'a Calendario,
    /// On which day ages and roles are judged, where that is not the declaration's own: of a correction, when
    /// the DSU was presented first.
    pub presentata: Option<Date>,
}

impl<'a> Circumstance<'a> {
    /// Of a declaration that is transmitted on a day.
    pub fn on(today: Date, rules: &'a RuleSet, calendario: &'a Calendario) -> Self {
        Self {
            today,
            rules,
            calendario,
            presentata: None,
        }
    }

    /// The day on which ages and roles are judged, of a DSU that says when it was presented.
    pub(super) fn presented(&self, presentata: Option<Date>) -> Date {
        self.presentata.or(presentata).unwrap_or(self.today)
    }
}

/// `base/Name`, with a position where `of` says that the name repeats; written where it is needed, as every
/// path here.
pub(super) fn step<'a>(
    base: &'a dyn Display,
    name: &'static str,
    index: usize,
    of: usize,
) -> impl Display + use<'a> {
    fmt::from_fn(move |f| {
        if of > 1 {
            write!(f, "{base}/{name}[{}]", index + 1)
        } else {
            write!(f, "{base}/{name}")
        }
    })
}

/// The path of a member's sheet.
pub(super) fn sheet_path(dsu: &Dichiarazione, index: usize) -> impl Display + use<> {
    let member = member_path(dsu, index);
    fmt::from_fn(move |f| write!(f, "{member}/FoglioComponenteNucleo"))
}

pub(super) fn member_path(dsu: &Dichiarazione, index: usize) -> impl Display + use<> {
    let members = dsu
        .nucleo_familiare
        .as_ref()
        .map_or(0, |nucleo| nucleo.componente_nucleo.len());
    step(
        &"/Dichiarazione/NucleoFamiliare",
        "ComponenteNucleo",
        index,
        members,
    )
}
