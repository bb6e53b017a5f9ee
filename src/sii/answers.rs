//! The answers of the SII, one type a question.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::value::RawValue;

use crate::contract::trasmissione::EsitoDsu;
use crate::isee::attestazione::Attestazione;
use crate::isee::checks::Difetto;
use crate::isee::dsu::Dichiarazione;

/// An attestation that was found.
pub struct Found {
    /// The attestation.
    pub attestazione: Attestazione,
    /// The ente that transmitted its DSU.
    pub ente: Option<String>,
    /// When it was issued.
    pub rilasciata: Option<Date>,
    /// The records of the feed that it was computed with; None if that was not kept.
    pub feed: Option<Box<RawValue>>,
    /// The versions of other DSU that it was computed with, by their protocols; None if that was not kept.
    pub riferite: Option<Vec<String>>,
    /// The codici fiscali of all persons in it.
    pub persone: Vec<String>,
    /// The lines of the specific ISEE, where there was one.
    pub specifico: Option<serde_json::Value>,
}

impl Found {
    /// The protocol of the attested declaration: that of the substitute form, where the ISEE is a current
    /// one.
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

/// A DSU that was found, completed as INPS does.
pub struct Declared {
    /// The declaration.
    pub dichiarazione: Dichiarazione,
    /// Its protocol.
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
    /// For its sender.
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

/// The end of a transmission.
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
    /// The first hundred.
    pub elenco: Vec<Difetto>,
    /// How many more there are.
    pub altri: usize,
}

/// A DSU that was received.
#[derive(Clone)]
pub struct Accepted {
    /// Its protocol.
    pub protocollo: String,
    /// When it was received first.
    pub received: Timestamp,
    /// The receipt.
    pub receipt: String,
    /// Whether it had been received before.
    pub again: bool,
    /// Of a cancellation: how many exchanges had used the cancelled DSU; None where that cannot be counted.
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
