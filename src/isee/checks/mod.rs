//! Completezza e correttezza formale: the checks on a DSU before it gets a protocol.
//!
//! All defects come back at once. K01 is the schema's (`contract`). Parts of K02, K03, K17 and K19 need the
//! archive and are judged there (`sii`). Defects refuse, warnings do not; [`Check`] tells them apart.

mod casa;
mod corrente;
mod esame;
mod examine;
mod indicatori;
mod indice;
mod nucleo;
mod patrimonio;
mod regole;
mod ristretto;
mod sottoscrizione;
mod studente;

pub use esame::{Circumstance, Difetto, Esame, MAX_DIFETTI};
use esame::{member_path, sheet_path, step};
pub use examine::{MAX_MEMBERS, examine, examine_effettiva};
use indice::Indice;
pub use regole::Check;
pub use sottoscrizione::sottoscrittori;
