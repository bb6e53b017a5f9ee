//! The computation (DPCM 159/2013 art. 2 to 9, All. 1 and 2), line by line as the attestation prints it.
//!
//! A printed line is rounded to the cent once, at its end, and is computed from printed lines. The types
//! [`Line`](super::money::Line) and [`Euro`](super::money::Euro) keep this rule. Half a cent goes away from
//! zero. Net incomes and their sum may be negative and are printed so; ISR, deductions and the two nets of
//! ISP stop at zero.
//!
//! A [`NucleoDaCalcolare`] is the input: persons with their known data, the home, the conditions. Every
//! indicator is a [`Calcolo`] of some nucleus; [`casi`] chooses the nucleus. [`componente`] is the part of
//! persons outside, [`corrente`] the change of incomes and assets.

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
pub use nucleo::{Condizioni, NotComputable, NucleoDaCalcolare, Persona, Regime, income_year};
pub use patrimonio::{Conti, Immobile, Immobiliare, Mobiliare};
pub use redditi::RedditoComponente;
pub use scala::{Maggiorazione, Scala};
pub use voce::{Fonte, Voce, sum};
