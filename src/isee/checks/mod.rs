//! Completezza e correttezza formale: the checks that a DSU passes before it gets a protocol.
//!
//! All defects come back at once. K01 is the schema's (`contract`); of K02, K03, K17 and K19 what needs the
//! archive is judged there (`sii`). Defects refuse; warnings do not: [`Check`] says which is which.

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
