//! The registry: the accredited enti and their permissions (circ. INPS 73/2015).
//!
//! - [`ente`]: an ente and its life, a state machine; [`abilitazione`]: its grants; [`quota`]: its limits;
//! - [`entries`]: its entries and their projector;
//! - [`administration`]: the one function behind `varco ente`, whether the gateway runs or not; `changes`:
//!   what each command makes of an ente; [`checks`]: its criteria; [`import`]: many enti at once, from a
//!   table; [`tabelle`]: decisions and grants of many, from a table; `tabella`: the reader of tables;
//!   [`upgrade`]: from earlier formats;
//! - [`consultate`]: the look-ups of operators, recorded; `wrong`: why a command is refused;
//! - [`signs`]: from a certificate to its ente, by its keys;
//! - here: from a certificate to a [`Caller`], from an operation to an [`Admission`], from a request's
//!   purpose to a [`Permit`]. Only a `Permit` opens a service.

pub mod abilitazione;
pub mod administration;
mod changes;
pub mod checks;
pub mod consultate;
pub mod ente;
pub mod entries;
pub mod facts;
pub mod import;
pub mod quota;
pub mod signs;
mod tabella;
pub mod tabelle;
pub mod upgrade;
mod wrong;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;

use crate::contract::catalogue::Operation;
use crate::ledger::{Precondition, ViewError};
use crate::refusal::{Code, Refusal};
use crate::state::Store;
use crate::tls::Peer;
use ente::Ente;
use signs::KeyMatch;

/// Enti by their codes, each with a version.
type ByCode = HashMap<String, (u64, Arc<Ente>)>;

/// Reads the registry's views.
#[derive(Clone, Debug)]
pub struct Registry {
    store: Store,
    /// Enti as read, each with the version read before it. If an ente has another version now, it is read
    /// again.
    read: Arc<RwLock<ByCode>>,
}

/// The ente behind a certificate, accredited now, as the registry had it at one moment.
#[derive(Clone, Debug)]
pub struct Caller {
    ente: Arc<Ente>,
    /// The last entry in the views before the ente was read.
    seen: u64,
}

/// The result for a client's certificate.
#[derive(Clone, Debug)]
pub enum Identified {
    /// An ente with permission to come in.
    Caller(Caller),
    /// An ente without it, now: its code, for the record alone.
    Barred(String, Refusal),
    /// A certificate of no ente, or of several.
    Unknown(Refusal),
}

/// A caller with permission for this operation, from this office, on this day.
#[derive(Clone, Debug)]
pub struct Admission {
    caller: Caller,
    operation: Operation,
    office: Option<String>,
    today: Date,
}

/// An admission with its purpose in order: the benefit asked for, if the operation has one.
#[derive(Clone, Debug)]
pub struct Permit {
    admission: Admission,
    purpose: Purpose,
}

/// The purpose of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A benefit. `true`: the request named none, and this one was implied.
    Prestazione(String, bool),
    /// The ente's own DSU, transmitted by itself: no other is found.
    Own,
    /// An operation without a benefit.
    None,
}

/// Why a purpose is not in order: told in the reply, not as a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPermitted {
    /// The benefit is not granted.
    Benefit,
    /// No benefit is named, and none is implied.
    NoBenefit,
    /// The indicator is not granted for the benefit.
    Indicator,
}

impl Registry {
    /// Over these views, with no ente read yet.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            read: Arc::default(),
        }
    }

    /// Finds the ente of a certificate by its pin, or by its issuer and organization ([`signs`]). Says
    /// whether all of it is in order today.
    pub fn identify(&self, peer: &Peer, today: Date) -> Result<Identified, ViewError> {
        let refused = |why: &'static str| Refusal::new(Code::NotAuthorized, why);
        let KeyMatch::Known(known) = signs::known(peer.keys(), |key| self.holder_of(key))? else {
            return Ok(Identified::Unknown(refused("certificate of nobody")));
        };
        let code = known.codice.clone();
        // Before the record is read: a change to the ente in between makes a conflict, never a wrong answer.
        let seen = self.store.reached();
        let version = self.version(&code)?;
        let Some(ente) = self.ente_of(&code, version)? else {
            return Ok(Identified::Unknown(refused("certificate of nobody")));
        };
        if let Some(why) = ente.barred(today) {
            return Ok(Identified::Barred(code, refused(why)));
        }
        if known.in_time(&ente, today, |key| self.holder_of(key))?.is_none() {
            return Ok(Identified::Barred(
                code,
                refused("certificate outside its window"),
            ));
        }
        Ok(Identified::Caller(Caller { ente, seen }))
    }

    /// An ente, by its code and its version, read just now.
    fn ente_of(&self, code: &str, version: u64) -> Result<Option<Arc<Ente>>, ViewError> {
        let known = self
            .read
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(code)
            .filter(|(of, _)| *of == version)
            .cloned();
        if let Some((_, ente)) = known {
            return Ok(Some(ente));
        }
        let Some(ente) = self.ente(code)?.map(Arc::new) else {
            return Ok(None);
        };
        self.read
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(code.to_owned(), (version, ente.clone()));
        Ok(Some(ente))
    }

    /// An ente, by its code.
    pub fn ente(&self, code: &str) -> Result<Option<Ente>, ViewError> {
        let Some(bytes) = self.store.get(entries::ente_name(code))? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| ViewError(error.to_string()))
    }

    /// All enti, by code.
    pub fn enti(&self) -> Result<Vec<Ente>, ViewError> {
        let all = self.store.scan(entries::ente_name(""))?;
        all.iter()
            .map(|(_, bytes)| serde_json::from_slice(bytes).map_err(|error| ViewError(error.to_string())))
            .collect()
    }

    /// The code of a certificate's ente, whatever the ente's state. `None`: no ente, or several.
    pub fn holder(&self, peer: &Peer) -> Result<Option<String>, ViewError> {
        Ok(match signs::known(peer.keys(), |key| self.holder_of(key))? {
            KeyMatch::Known(known) => Some(known.codice),
            KeyMatch::Ambiguous | KeyMatch::Nobody => None,
        })
    }

    /// The code of the ente with this key of a certificate.
    pub fn holder_of(&self, key: &str) -> Result<Option<String>, ViewError> {
        Ok(self
            .store
            .get(entries::certificate_name(key))?
            .map(|code| String::from_utf8_lossy(&code).into_owned()))
    }

    /// The version of an ente.
    fn version(&self, code: &str) -> Result<u64, ViewError> {
        self.store.version(&entries::ente_key(code))
    }
}

impl Caller {
    /// The ente, as read at its identification.
    pub fn ente(&self) -> &Ente {
        &self.ente
    }

    /// The condition for the record of the exchange: the ente has not changed since.
    pub fn precondition(&self) -> Precondition {
        Precondition {
            key: entries::ente_key(&self.ente.codice),
            seen: self.seen,
        }
    }

    /// Whether the ente may call this operation on this day.
    pub fn admit(self, operation: Operation, today: Date) -> Result<Admission, Refusal> {
        if self.ente.may_call(operation.name(), today) {
            Ok(Admission {
                caller: self,
                operation,
                office: None,
                today,
            })
        } else {
            Err(Refusal::new(Code::OperationNotGranted, "operation not granted"))
        }
    }
}

impl Admission {
    /// Narrows the admission to an office, or to no office. Where offices are obligatory, it must be one of
    /// the ente's. The operation must be granted from it.
    pub fn from_office(self, office: Option<&str>) -> Result<Self, Refusal> {
        let ente = &self.caller.ente;
        if ente.uffici_obbligatori && !office.is_some_and(|office| ente.has_office(office, self.today)) {
            return Err(Refusal::new(Code::Office, "office missing, or not registered"));
        }
        if ente
            .grants(self.operation.name(), office, self.today)
            .next()
            .is_none()
        {
            return Err(Refusal::new(
                Code::OperationNotGranted,
                "operation not granted from this office",
            ));
        }
        Ok(Self {
            office: office.map(str::to_owned),
            ..self
        })
    }

    /// The admitted ente, with its version.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The operation asked for and granted.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The permit for an operation without a benefit.
    pub fn without_purpose(self) -> Permit {
        Permit {
            admission: self,
            purpose: Purpose::None,
        }
    }

    /// The permit for a benefit. If none is named: the ente's default or its only one, recorded as such.
    /// Failing both, an ente with the right to transmit DSU gets those it transmitted itself.
    pub fn for_benefit(self, asked: Option<&str>) -> Result<Permit, NotPermitted> {
        let granted = self.benefits();
        let purpose = match asked {
            Some(benefit) if granted.contains(benefit) => Purpose::Prestazione(benefit.to_owned(), false),
            Some(_) => return Err(NotPermitted::Benefit),
            None => match self.implied(&granted) {
                Some(benefit) => Purpose::Prestazione(benefit.to_owned(), true),
                None if self.transmits() => Purpose::Own,
                None => return Err(NotPermitted::NoBenefit),
            },
        };
        Ok(Permit {
            admission: self,
            purpose,
        })
    }

    /// The benefits granted for the operation, from this office, on this day.
    fn benefits(&self) -> BTreeSet<String> {
        let grants = self
            .caller
            .ente
            .grants(self.operation.name(), self.office.as_deref(), self.today);
        grants
            .flat_map(|grant| grant.prestazioni.iter().cloned())
            .collect()
    }

    /// The benefit implied by a request without one: the default, or the only one.
    fn implied<'a>(&'a self, granted: &'a BTreeSet<String>) -> Option<&'a str> {
        match &self.caller.ente.prestazione_predefinita {
            Some(default) if granted.contains(default) => Some(default),
            _ if granted.len() == 1 => granted.first().map(String::as_str),
            _ => None,
        }
    }

    fn transmits(&self) -> bool {
        let ente = &self.caller.ente;
        Operation::ALL
            .into_iter()
            .filter(|operation| operation.transmits())
            .any(|operation| ente.may_call(operation.name(), self.today))
    }
}

impl Permit {
    /// The admission: caller, operation, office and day.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The ente with this permit.
    pub fn ente(&self) -> &Ente {
        &self.admission.caller.ente
    }

    /// Whether an indicator may be read for the permit's benefit. Without a benefit, as for the ente's own
    /// DSU: all.
    pub fn reads(&self, indicatore: &str) -> Result<(), NotPermitted> {
        let Purpose::Prestazione(benefit, _) = &self.purpose else {
            return Ok(());
        };
        let Admission {
            caller,
            operation,
            office,
            today,
        } = &self.admission;
        let mut grants = caller.ente.grants(operation.name(), office.as_deref(), *today);
        match grants.any(|grant| grant.prestazioni.contains(benefit) && grant.covers_indicator(indicatore)) {
            true => Ok(()),
            false => Err(NotPermitted::Indicator),
        }
    }

    /// The purpose in order.
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }
}
