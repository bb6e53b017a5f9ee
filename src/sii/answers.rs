//! The answers of the SII, one type per question.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::value::RawValue;

use crate::contract::trasmissione::EsitoDsu;
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::Difetto;
use crate::isee::dsu::Dichiarazione;
use crate::isee::sintesi::Sintesi;

/// An attestation found by a search, to be delivered whole.
pub struct Attestata {
    /// Its summary.
    pub sintesi: Sintesi,
    /// Its text, as [`crate::contract::attestazione_emessa`] makes it.
    pub testo: String,
}

/// It holds personal data.
impl std::fmt::Debug for Attestata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attestata(..)")
    }
}

/// An attestation with all that was kept of its computation.
pub struct Found {
    /// The attestation, as issued.
    pub attestazione: Attestazione,
    /// The owner of its DSU, even after another ente completed it. `None`: unknown.
    pub ente: Option<String>,
    /// Day of issue, if recorded.
    pub rilasciata: Option<Date>,
    /// The feed's records used to compute it. `None`: not kept.
    pub feed: Option<Box<RawValue>>,
    /// The versions of other DSU used to compute it, by protocol. `None`: not kept.
    pub riferite: Option<Vec<String>>,
    /// The codici fiscali of all persons in it.
    pub persone: Vec<String>,
    /// The lines of the specific ISEE, if it has one.
    pub specifico: Option<serde_json::Value>,
}

impl Found {
    /// The protocol of the attested declaration. For a current ISEE: the protocol of the substitute form.
    pub fn protocollo(&self) -> &str {
        let form = self
            .attestazione
            .ordinario
            .as_ref()
            .and_then(|ordinario| ordinario.protocollo_dsu_modulo_sostitutivo.as_deref());
        form.unwrap_or(&self.attestazione.numero_protocollo_dsu)
    }
}

/// It holds personal data.
impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Found(..)")
    }
}

/// A DSU found by a search, completed as INPS completes it.
pub struct Declared {
    /// The whole declaration, completed.
    pub dichiarazione: Dichiarazione,
    /// Protocol of its attested version.
    pub protocollo: String,
    /// The codici fiscali of all persons in it.
    pub persone: Vec<String>,
}

/// It holds personal data.
impl std::fmt::Debug for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Declared(..)")
    }
}

/// The fate of a transmitted DSU.
pub struct DsuFate {
    /// The answer for its sender.
    pub esito: EsitoDsu,
    /// The codici fiscali of all persons in it.
    pub persone: Vec<String>,
}

/// It holds personal data.
impl std::fmt::Debug for DsuFate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DsuFate(..)")
    }
}

/// The result of a transmission.
#[derive(Debug)]
pub enum Received {
    /// The DSU was received, now or before: the same answer each time.
    Accepted(Accepted),
    /// The DSU is refused, with all its defects.
    Refused(Difetti),
}

/// The defects of a declaration.
#[derive(Clone, Debug, Default)]
pub struct Difetti {
    /// The defects described: a hundred at most.
    pub elenco: Vec<Difetto>,
    /// Number of further defects, not described.
    pub altri: usize,
}

/// A received DSU, with its receipt.
#[derive(Clone)]
pub struct Accepted {
    /// Its protocol. For a cancellation: the cancelled DSU's.
    pub protocollo: String,
    /// Instant of its first reception.
    pub received: Timestamp,
    /// The receipt, as XML.
    pub receipt: String,
    /// Whether it had been received before.
    pub again: bool,
    /// Uses of the cancelled DSU: a number of exchanges. `None`: no cancellation, another ente's DSU, or no
    /// count possible.
    pub utilizzi: Option<u32>,
}

/// It holds personal data.
impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accepted")
            .field("again", &self.again)
            .finish_non_exhaustive()
    }
}
