//! Completezza e correttezza formale: the checks that a DSU passes before it gets a protocol.
//!
//! All defects come back at once. K01 is the schema's (`contract`); of K02, K03, K17 and K19 what needs the archive is judged there (`sii`).
//! Defects refuse; warnings do not: [`Check`] says which is which.

mod casa;
mod corrente;
mod indicatori;
mod indice;
mod nucleo;
mod patrimonio;
mod regole;
mod ristretto;
mod sottoscrizione;
mod studente;

pub use regole::Check;
pub use sottoscrizione::sottoscrittori;

use std::collections::HashSet;
use std::fmt::{self, Display};

use jiff::civil::Date;

use super::calendar::Calendario;
use super::codes::TipoOperazione;
use super::dsu::Dichiarazione;
use super::rules::RuleSet;
use indice::Indice;

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
    fn refuse(&mut self, code: Check, path: impl Display, text: &'static str) {
        if self.difetti.len() < MAX_DIFETTI {
            self.difetti.push(Difetto { code, path: path.to_string(), text });
        } else {
            self.altri += 1;
        }
    }

    /// The same defect in many places: those that are only counted are not looked at.
    fn refuse_each<P: Display>(&mut self, code: Check, paths: impl ExactSizeIterator<Item = P>, text: &'static str) {
        let room = MAX_DIFETTI.saturating_sub(self.difetti.len());
        self.altri += paths.len().saturating_sub(room);
        for path in paths.take(room) {
            self.refuse(code, path, text);
        }
    }

    fn warn(&mut self, code: Check, path: impl Display, text: &'static str) {
        if self.avvertenze.len() < MAX_DIFETTI {
            self.avvertenze.push(Difetto { code, path: path.to_string(), text });
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
    /// On which day ages and roles are judged, where that is not the declaration's own: of a correction, when the DSU was presented first.
    pub presentata: Option<Date>,
}

impl<'a> Circumstance<'a> {
    /// Of a declaration that is transmitted on a day.
    pub fn on(today: Date, rules: &'a RuleSet, calendario: &'a Calendario) -> Self {
        Self { today, rules, calendario, presentata: None }
    }

    /// The day on which ages and roles are judged, of a DSU that says when it was presented.
    fn presented(&self, presentata: Option<Date>) -> Date {
        self.presentata.or(presentata).unwrap_or(self.today)
    }
}

/// More members than any nucleus has; what an entry of the ledger can name.
pub const MAX_MEMBERS: usize = 60;

/// Examines a DSU.
pub fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>) -> Esame {
    let mut esame = Esame::default();
    if dsu.fogli().count() > MAX_MEMBERS {
        esame.refuse(Check::K04Componenti, "/Dichiarazione/NucleoFamiliare", "il nucleo ha più componenti di quanti ne sono ammessi (60)");
        return esame;
    }
    let indice = Indice::of(dsu, circumstance);
    operazione(dsu, &mut esame);
    nucleo::examine(dsu, circumstance, &mut esame);
    casa::examine(dsu, &mut esame);
    patrimonio::examine(dsu, circumstance, &mut esame);
    indicatori::examine(&indice, circumstance, &mut esame);
    corrente::examine(&indice, circumstance, &mut esame);
    sottoscrizione::examine(&indice, circumstance, &mut esame);
    esame
}

/// Examines a whole DSU that another declaration made of a base: what neither of the two could show alone. What the base was accepted with is no
/// reason to refuse what completes it.
pub fn examine_effettiva(dsu: &Dichiarazione, base: &Dichiarazione, circumstance: &Circumstance<'_>) -> Esame {
    let (mut esame, mut before) = (Esame::default(), Esame::default());
    indicatori::examine(&Indice::of(dsu, circumstance), circumstance, &mut esame);
    indicatori::examine(&Indice::of(base, circumstance), circumstance, &mut before);
    let before: HashSet<Difetto> = before.difetti.into_iter().collect();
    esame.difetti.retain(|difetto| !before.contains(difetto));
    esame
}

/// K02 and K03, but for what only the archive knows.
fn operazione(dsu: &Dichiarazione, esame: &mut Esame) {
    const PATH: &str = "/Dichiarazione/Operazione";
    let tipo = dsu.operazione.tipo;
    match (tipo, &dsu.operazione.numero_protocollo_riferimento) {
        (TipoOperazione::N, Some(_)) => esame.refuse(
            Check::K02Riferimento,
            format_args!("{PATH}/@NumeroProtocolloRiferimento"),
            "una DSU nuova (Tipo N) non ha protocollo di riferimento",
        ),
        (TipoOperazione::N, None) | (_, Some(_)) => {}
        (_, None) => esame.refuse(
            Check::K02Riferimento,
            format_args!("{PATH}/@NumeroProtocolloRiferimento"),
            "manca il protocollo della DSU a cui questa si riferisce",
        ),
    }
    let sections = [
        (dsu.integrazione_componente_aggiuntiva.is_some(), TipoOperazione::A, "IntegrazioneComponenteAggiuntiva"),
        (dsu.integrazione_redditi.is_some(), TipoOperazione::I, "IntegrazioneRedditi"),
        (dsu.integrazione_residenziale.is_some(), TipoOperazione::S, "IntegrazioneResidenziale"),
        (dsu.isee_corrente.is_some(), TipoOperazione::C, "ISEECorrente"),
    ];
    for (present, of, section) in sections {
        if present && tipo != of {
            esame.refuse(Check::K03Sezione, format_args!("/Dichiarazione/{section}"), "sezione non prevista per questo tipo di operazione");
        }
        if !present && tipo == of {
            esame.refuse(Check::K03Mancante, format_args!("/Dichiarazione/{section}"), "manca la sezione di questo tipo di operazione");
        }
    }
    if !matches!(tipo, TipoOperazione::N | TipoOperazione::R) {
        for (present, section) in [(dsu.nucleo_familiare.is_some(), "NucleoFamiliare"), (!dsu.modello_base.is_empty(), "ModelloBase")] {
            if present {
                esame.refuse(
                    Check::K03Sezione,
                    format_args!("/Dichiarazione/{section}"),
                    "sezione non prevista per questo tipo di operazione",
                );
            }
        }
    }
}

/// `base/Name`, with a position where `of` says that the name repeats; written where it is needed, as every path here.
fn step<'a>(base: &'a dyn Display, name: &'static str, index: usize, of: usize) -> impl Display + use<'a> {
    fmt::from_fn(move |f| if of > 1 { write!(f, "{base}/{name}[{}]", index + 1) } else { write!(f, "{base}/{name}") })
}

/// The path of a member's sheet.
fn sheet_path(dsu: &Dichiarazione, index: usize) -> impl Display + use<> {
    let member = member_path(dsu, index);
    fmt::from_fn(move |f| write!(f, "{member}/FoglioComponenteNucleo"))
}

fn member_path(dsu: &Dichiarazione, index: usize) -> impl Display + use<> {
    let members = dsu.nucleo_familiare.as_ref().map_or(0, |nucleo| nucleo.componente_nucleo.len());
    step(&"/Dichiarazione/NucleoFamiliare", "ComponenteNucleo", index, members)
}
