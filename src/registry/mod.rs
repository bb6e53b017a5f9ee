//! The registry: who is accredited for what (circ. INPS 73/2015).
//!
//! - [`ente`]: an ente and its life, a state machine;
//! - [`entries`]: its entries and their projector;
//! - [`administration`]: the one function behind `varco ente`, whether the gateway runs or not;
//! - here: from a certificate to a [`Caller`], from an operation to an [`Admission`], from a request's purpose to a [`Permit`]. Only a `Permit`
//!   opens a service.

pub mod administration;
pub mod ente;
pub mod entries;

use jiff::civil::Date;

use crate::contract::catalogue::Operation;
use crate::ledger::{Precondition, ViewError};
use crate::refusal::{Code, Refusal};
use crate::state::Store;
use ente::{Ente, Stato};

/// Reads the registry's views.
#[derive(Clone, Debug)]
pub struct Registry {
    store: Store,
}

/// The ente behind a certificate, accredited now, as the registry had it at one moment.
#[derive(Clone, Debug)]
pub struct Caller {
    ente: Ente,
    version: u64,
}

/// What became of a certificate.
#[derive(Clone, Debug)]
pub enum Identified {
    /// Somebody who may come in.
    Caller(Caller),
    /// An ente that may not, now: its code, for the record alone.
    Barred(String, Refusal),
    /// Nobody's.
    Unknown(Refusal),
}

/// A caller who may call this operation.
#[derive(Clone, Debug)]
pub struct Admission {
    caller: Caller,
    operation: Operation,
}

/// An admission whose purpose is in order: which benefit is asked for, if the operation has one.
#[derive(Clone, Debug)]
pub struct Permit {
    admission: Admission,
    prestazione: Option<String>,
    inferred: bool,
}

/// Why a purpose is not in order: told in the reply, not as a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPermitted {
    /// Code for the entry.
    pub code: &'static str,
    /// In Italian.
    pub text: &'static str,
}

impl Registry {
    /// Over these views.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Whose certificate this is, and whether all of it is in order today.
    pub fn identify(&self, fingerprint: &str, today: Date) -> Result<Identified, ViewError> {
        let refused = |why: &'static str| Refusal::new(Code::NotAuthorized, why);
        let Some(code) = self.store.get(entries::certificate_name(fingerprint))? else {
            return Ok(Identified::Unknown(refused("certificate of nobody")));
        };
        let code = String::from_utf8_lossy(&code).into_owned();
        // The version before the record: an ente that changes in between makes a conflict, never a wrong answer.
        let version = self.version(&code)?;
        let Some(ente) = self.ente(&code)? else { return Ok(Identified::Unknown(refused("certificate of nobody"))) };
        if ente.stato != Stato::Accreditato {
            return Ok(Identified::Barred(code, refused("ente is not accredited")));
        }
        if !ente.has_certificate(fingerprint, today) {
            return Ok(Identified::Barred(code, refused("certificate outside its window")));
        }
        Ok(Identified::Caller(Caller { ente, version }))
    }

    /// An ente, by its code.
    pub fn ente(&self, code: &str) -> Result<Option<Ente>, ViewError> {
        let Some(bytes) = self.store.get(entries::ente_name(code))? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| ViewError(error.to_string()))
    }

    /// All enti, by code.
    pub fn enti(&self) -> Result<Vec<Ente>, ViewError> {
        let all = self.store.scan(entries::ente_name(""))?;
        all.iter().map(|(_, bytes)| serde_json::from_slice(bytes).map_err(|error| ViewError(error.to_string()))).collect()
    }

    /// Whose certificate this is, whatever the ente's state.
    pub fn holder(&self, fingerprint: &str) -> Result<Option<String>, ViewError> {
        Ok(self.store.get(entries::certificate_name(fingerprint))?.map(|code| String::from_utf8_lossy(&code).into_owned()))
    }

    /// The version of an ente.
    pub fn version(&self, code: &str) -> Result<u64, ViewError> {
        self.store.version(&entries::ente_key(code))
    }
}

impl Caller {
    /// The ente.
    pub fn ente(&self) -> &Ente {
        &self.ente
    }

    /// What must still hold when the exchange is recorded.
    pub fn precondition(&self) -> Precondition {
        Precondition { key: entries::ente_key(&self.ente.codice), version: self.version }
    }

    /// Whether the ente may call this operation.
    pub fn admit(self, operation: Operation) -> Result<Admission, Refusal> {
        if self.ente.may_call(operation.name()) {
            Ok(Admission { caller: self, operation })
        } else {
            Err(Refusal::new(Code::OperationNotGranted, "operation not granted"))
        }
    }
}

impl Admission {
    /// Who.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Which operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Back to the caller, to be admitted again after a conflict.
    pub fn into_caller(self) -> Caller {
        self.caller
    }

    /// For operations without a benefit, and for a body's own DSU.
    pub fn without_purpose(self) -> Permit {
        Permit { admission: self, prestazione: None, inferred: false }
    }

    /// For a benefit. Where none is named: the ente's only one, or its default, recorded as such.
    pub fn for_benefit(self, asked: Option<&str>) -> Result<Permit, Box<(Self, NotPermitted)>> {
        let refused = |admission, code, text| Err(Box::new((admission, NotPermitted { code, text })));
        match asked {
            Some(benefit) if self.caller.ente.may_ask_for(benefit) => {
                Ok(Permit { prestazione: Some(benefit.to_owned()), admission: self, inferred: false })
            }
            Some(_) => refused(self, "P01.prestazione", "prestazione non abilitata per questo ente"),
            None => match self.caller.ente.implied_benefit().map(str::to_owned) {
                Some(benefit) => Ok(Permit { prestazione: Some(benefit), admission: self, inferred: true }),
                None => refused(self, "P02.prestazione", "indicare la prestazione da erogare (PrestazioneDaErogare)"),
            },
        }
    }
}

impl Permit {
    /// The admission.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Who.
    pub fn ente(&self) -> &Ente {
        &self.admission.caller.ente
    }

    /// For which benefit, and whether it was implied.
    pub fn prestazione(&self) -> Option<(&str, bool)> {
        self.prestazione.as_deref().map(|benefit| (benefit, self.inferred))
    }
}
