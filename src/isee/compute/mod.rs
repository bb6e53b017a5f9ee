//! The computation (DPCM 159/2013 art. 2 to 9, All. 1 and 2), line by line as the attestation prints it.
//!
//! One rounding to the cent a printed line, none inside a line; a printed line is computed from printed
//! lines. [`Line`](super::money::Line) and [`Euro`](super::money::Euro) hold that. Half a cent goes away from
//! zero. Net incomes and their sum may be negative and are printed so; ISR, deductions and the two nets of
//! ISP stop at zero.
//!
//! [`Nucleo`] is what is computed: persons with what is known of them, the home, the conditions. Every
//! indicator is a [`Calcolo`] of some nucleus: which one is the affair of [`casi`]; [`componente`] is what
//! persons outside add, [`corrente`] what changed.

mod calcolo;
pub mod casi;
pub mod componente;
pub mod corrente;
mod equivalenza;
mod nucleo;
mod patrimonio;
mod redditi;
pub mod scala;
mod voce;

pub use calcolo::{Calcolo, calcola, ordinario};
pub use nucleo::{Condizioni, NotComputable, Nucleo, Persona, Regime, income_year};
pub use patrimonio::{Conti, Immobile, Immobiliare, Mobiliare};
pub use redditi::RedditoComponente;
pub use scala::{Maggiorazione, Scala};
pub use voce::{Fonte, Voce, sum};
