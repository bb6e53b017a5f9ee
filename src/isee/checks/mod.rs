//! Completezza e correttezza formale: the checks that a DSU passes before it gets a protocol.
//!
//! All defects come back at once. K01 is the schema's (`contract`); of K02, K03, K17 and K19 what needs the archive is judged there (`sii`).
//! Defects refuse; warnings (K05's place of birth, K11, late transmission) do not.

mod casa;
mod corrente;
mod indicatori;
mod nucleo;
mod patrimonio;
mod regole;
mod sottoscrizione;

pub use regole::REGOLE;
pub use sottoscrizione::sottoscrittori;

use jiff::civil::Date;

use super::calendar::Calendario;
use super::codes::TipoOperazione;
use super::dsu::Dichiarazione;
use super::rules::RuleSet;

/// One defect: its check, where it is in the DSU, what an Italian reader is told. Never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difetto {
    /// `K05.controllo`: the check, then its rule.
    pub code: &'static str,
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
    fn refuse(&mut self, code: &'static str, path: impl Into<String>, text: &'static str) {
        if self.difetti.len() < MAX_DIFETTI {
            self.difetti.push(Difetto { code, path: path.into(), text });
        } else {
            self.altri += 1;
        }
    }

    fn warn(&mut self, code: &'static str, path: impl Into<String>, text: &'static str) {
        if self.avvertenze.len() < MAX_DIFETTI {
            self.avvertenze.push(Difetto { code, path: path.into(), text });
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

    /// The day on which ages and roles are judged.
    fn presented(&self, dsu: &Dichiarazione) -> Date {
        self.presentata.or_else(|| dsu.presentata()).unwrap_or(self.today)
    }
}

/// More members than any nucleus has; what an entry of the ledger can name.
pub const MAX_MEMBERS: usize = 60;

/// Examines a DSU.
pub fn examine(dsu: &Dichiarazione, circumstance: &Circumstance<'_>) -> Esame {
    let mut esame = Esame::default();
    if dsu.fogli().count() > MAX_MEMBERS {
        esame.refuse("K04.componenti", "/Dichiarazione/NucleoFamiliare", "il nucleo ha più componenti di quanti ne sono ammessi (60)");
        return esame;
    }
    operazione(dsu, &mut esame);
    nucleo::examine(dsu, circumstance, &mut esame);
    casa::examine(dsu, &mut esame);
    patrimonio::examine(dsu, circumstance, &mut esame);
    indicatori::examine(dsu, circumstance, &mut esame);
    corrente::examine(dsu, circumstance, &mut esame);
    sottoscrizione::examine(dsu, circumstance, &mut esame);
    esame
}

/// Examines a whole DSU that another declaration made of a base: what neither of the two could show alone. What the base was accepted with is no
/// reason to refuse what completes it.
pub fn examine_effettiva(dsu: &Dichiarazione, base: &Dichiarazione, circumstance: &Circumstance<'_>) -> Esame {
    let (mut esame, mut before) = (Esame::default(), Esame::default());
    indicatori::examine(dsu, circumstance, &mut esame);
    indicatori::examine(base, circumstance, &mut before);
    esame.difetti.retain(|difetto| !before.difetti.contains(difetto));
    esame
}

/// K02 and K03, but for what only the archive knows.
fn operazione(dsu: &Dichiarazione, esame: &mut Esame) {
    const PATH: &str = "/Dichiarazione/Operazione";
    let tipo = dsu.operazione.tipo;
    match (tipo, &dsu.operazione.numero_protocollo_riferimento) {
        (TipoOperazione::N, Some(_)) => esame.refuse(
            "K02.riferimento",
            format!("{PATH}/@NumeroProtocolloRiferimento"),
            "una DSU nuova (Tipo N) non ha protocollo di riferimento",
        ),
        (TipoOperazione::N, None) | (_, Some(_)) => {}
        (_, None) => esame.refuse(
            "K02.riferimento",
            format!("{PATH}/@NumeroProtocolloRiferimento"),
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
            esame.refuse("K03.sezione", format!("/Dichiarazione/{section}"), "sezione non prevista per questo tipo di operazione");
        }
        if !present && tipo == of {
            esame.refuse("K03.mancante", format!("/Dichiarazione/{section}"), "manca la sezione di questo tipo di operazione");
        }
    }
    if !matches!(tipo, TipoOperazione::N | TipoOperazione::R) {
        for (present, section) in [(dsu.nucleo_familiare.is_some(), "NucleoFamiliare"), (!dsu.modello_base.is_empty(), "ModelloBase")] {
            if present {
                esame.refuse("K03.sezione", format!("/Dichiarazione/{section}"), "sezione non prevista per questo tipo di operazione");
            }
        }
    }
}

/// `base/Name`, with a position where `of` says that the name repeats.
fn step(base: &str, name: &str, index: usize, of: usize) -> String {
    if of > 1 { format!("{base}/{name}[{}]", index + 1) } else { format!("{base}/{name}") }
}

/// The path of a member's sheet.
fn sheet_path(dsu: &Dichiarazione, index: usize) -> String {
    format!("{}/FoglioComponenteNucleo", member_path(dsu, index))
}

fn member_path(dsu: &Dichiarazione, index: usize) -> String {
    let members = dsu.nucleo_familiare.as_ref().map_or(0, |nucleo| nucleo.componente_nucleo.len());
    step("/Dichiarazione/NucleoFamiliare", "ComponenteNucleo", index, members)
}
