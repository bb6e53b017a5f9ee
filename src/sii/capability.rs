//! The capabilities of an SII: one trait per capability, one method per question.

use jiff::civil::Date;

use super::answers::{Attestata, Declared, DsuFate, Received};
use super::occasion::Occasion;
use super::step::Asking;
use crate::contract::Trasmessa;
use crate::contract::consultazione::Chiave;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, DsuDelLotto, EsitoLotto};
use crate::isee::CodiceFiscale;
use crate::isee::sintesi::Sintesi;
use crate::registry::Permit;

/// A search for an attestation.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The search key: a person, a protocol or a sender's protocol.
    pub chiave: &'a Chiave,
    /// The day of validity asked for.
    pub on: Date,
}

/// Reads attestations, and the DSU behind them.
pub trait Consultation: Send + Sync {
    /// Finds an attestation, and gives its indicators. `None`: no match.
    fn indicatori<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Sintesi>>>;

    /// Finds an attestation, and gives it whole. `None`: no match.
    fn attestazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Attestata>>>;

    /// Finds the DSU behind an attestation, completed as INPS completes it. `None`: no match.
    fn dichiarazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Declared>>>;

    /// Whether a declarant has a DSU with this protocol.
    fn esiste<'a>(
        &'a self,
        dichiarante: &'a CodiceFiscale,
        protocollo: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, bool>;
}

/// Receives declarations, and tells their senders the outcome.
pub trait Reception: Send + Sync {
    /// Receives or refuses a declaration of any operation.
    fn dsu<'a>(
        &'a self,
        permit: &'a Permit,
        trasmessa: &'a Trasmessa,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Received>;

    /// Keeps the outcome of a lot, once its DSU have been received. `impronta` is the SHA-256 of the request
    /// body with the lot, in hexadecimal.
    fn lotto<'a>(
        &'a self,
        permit: &'a Permit,
        dsu: &'a [DsuDelLotto],
        impronta: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Box<EsitoLotto>>;

    /// The fate of a DSU, for its transmitting ente. `None`: no such DSU of this ente.
    fn esito_dsu<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveDsu,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<DsuFate>>>;

    /// The outcome of a lot, for its transmitting ente. `None`: no such lot of this ente.
    fn esito_lotto<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveLotto,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<EsitoLotto>>>;
}
