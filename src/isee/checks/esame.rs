//! A DSU under examination: its defects, its circumstance, and the paths in it.

use super::super::calendar::Calendario;
use super::super::dsu::Dichiarazione;
use super::super::rules::RuleSet;
use super::regole::Check;
use jiff::civil::Date;
use std::fmt::{self, Display};

/// One defect: its check, its place in the DSU, a text for an Italian reader. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Difetto {
    /// The check and its rule.
    pub code: Check,
    /// Place in the DSU: `/Dichiarazione/NucleoFamiliare/ComponenteNucleo[2]/..`.
    pub path: String,
    /// Text for the reader, in Italian.
    pub text: &'static str,
}

/// The findings of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Esame {
    /// Described defects. One is enough to refuse the DSU.
    pub difetti: Vec<Difetto>,
    /// Number of further defects, not described.
    pub altri: usize,
    /// Warnings, no reason to refuse; at most [`MAX_DIFETTI`].
    pub avvertenze: Vec<Difetto>,
}

/// The most defects, and the most warnings, to be described.
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

    /// The same defect in many places. Beyond the described ones, the places are counted and not looked at.
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

/// The days and the rules of an examination.
#[derive(Clone, Copy, Debug)]
pub struct Circumstance<'a> {
    /// The day of transmission, in Italy.
    pub today: Date,
    /// The rule set of the day of presentation.
    pub rules: &'a RuleSet,
    /// Working days of the offices.
    pub calendario: &'a Calendario,
    /// Day for ages and roles, if it is not the declaration's own. For a correction it is the day of the
    /// DSU's first presentation.
    pub presentata: Option<Date>,
}

impl<'a> Circumstance<'a> {
    /// The circumstance of a declaration transmitted on a day.
    pub fn on(today: Date, rules: &'a RuleSet, calendario: &'a Calendario) -> Self {
        Self {
            today,
            rules,
            calendario,
            presentata: None,
        }
    }

    /// Day for ages and roles: this circumstance's own, else the DSU's day of presentation, else today.
    pub(super) fn presented(&self, presentata: Option<Date>) -> Date {
        self.presentata.or(presentata).unwrap_or(self.today)
    }
}

/// `base/Name`, with a position if the name repeats (`of` above one). Like every path here, it is written
/// only where needed.
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
