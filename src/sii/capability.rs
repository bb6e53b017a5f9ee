//! What an SII can do: one trait a capability, one method a question.

use jiff::civil::Date;

use super::answers::{Declared, DsuFate, Found, Received};
use super::occasion::Occasion;
use super::step::Asking;
use crate::contract::Trasmessa;
use crate::contract::consultazione::Chiave;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, DsuDelLotto, EsitoLotto};
use crate::isee::CodiceFiscale;
use crate::registry::Permit;

/// A search for an attestation.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// By which key.
    pub chiave: &'a Chiave,
    /// Valid on which day.
    pub on: Date,
}

/// Reads what was attested.
pub trait Consultation: Send + Sync {
    /// The attestation that a search finds.
    fn attestazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Found>>>;

    /// The DSU behind the attestation that a search finds, completed as INPS does.
    fn dichiarazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Declared>>>;

    /// Whether a declarant has a DSU of that protocol.
    fn esiste<'a>(
        &'a self,
        dichiarante: &'a CodiceFiscale,
        protocollo: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, bool>;
}

/// Receives declarations, and tells their senders what became of them.
pub trait Reception: Send + Sync {
    /// Receives a DSU.
    fn dsu<'a>(
        &'a self,
        permit: &'a Permit,
        trasmessa: &'a Trasmessa,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Received>;

    /// Keeps the outcome of a lot, once its DSU have been received. `impronta` is the SHA-256 of the body
    /// that carried it, in hexadecimal.
    fn lotto<'a>(
        &'a self,
        permit: &'a Permit,
        dsu: &'a [DsuDelLotto],
        impronta: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Box<EsitoLotto>>;

    /// The fate of a DSU that the ente transmitted.
    fn esito_dsu<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveDsu,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<DsuFate>>>;

    /// The outcome of a lot that the ente transmitted.
    fn esito_lotto<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveLotto,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<EsitoLotto>>>;
}
