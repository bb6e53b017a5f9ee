//! A declaration on its way into the ledger, and the reasons for a refusal.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::day;
use crate::isee::CodiceFiscale;
use crate::isee::checks::{Check, Difetto, MAX_DIFETTI};
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::ledger::{Draft, Entry, KeyError, Precondition, new_exchange};
use crate::registry::Permit;
use crate::sii::answers::{Accepted, Difetti, Received};
use crate::sii::protocol::version_of;
use crate::sii::{Occasion, Said, SiiError};

/// The name of the command `rules apply` in entries.
pub(super) const RULES: &str = "rules apply";

/// The cause of a new version of a DSU.
#[derive(Clone, Copy)]
pub(super) enum Cause<'a> {
    /// An ente sent a declaration.
    Sent(&'a Permit),
    /// A declaration waited for the feed, and the feed has come.
    Waited,
    /// The rules have changed.
    Rules,
}

impl<'a> Cause<'a> {
    /// The name of the port's operation, or of the command, in entries.
    pub(super) fn operation(self) -> &'a str {
        match self {
            Self::Sent(permit) => permit.admission().operation().name(),
            Self::Waited => "attestazione",
            Self::Rules => RULES,
        }
    }
}

/// A declaration on its way into the ledger.
#[derive(Clone, Copy)]
pub(super) struct Incoming<'a> {
    pub(super) cause: Cause<'a>,
    /// The ente of the entries.
    pub(super) ente: &'a str,
    pub(super) occasion: Occasion<'a>,
    /// The declaration as it came. `None`: nothing of it is recorded again.
    pub(super) came: Option<Came<'a>>,
    /// The sender's protocol, if the entries have one.
    pub(super) sender: Option<&'a str>,
    /// Its operation (N, A, I, S, C, R, X).
    pub(super) operazione: TipoOperazione,
    /// Codice fiscale of its declarant.
    pub(super) dichiarante: &'a CodiceFiscale,
    /// Day of its presentation.
    pub(super) presented: Date,
}

/// A declaration as it came.
#[derive(Clone, Copy)]
pub(super) struct Came<'a> {
    /// SHA-256 of its canonical form, in hexadecimal.
    pub(super) impronta: &'a str,
    /// Its canonical form: XML, for the sealed part.
    pub(super) canonical: &'a str,
    /// Canonical codici fiscali of the persons in it.
    pub(super) persone: &'a [String],
}

impl<'a> Incoming<'a> {
    /// A version made by the SII, with no sender now, for the entries of an ente.
    pub(super) fn ours(
        cause: Cause<'a>,
        ente: &'a str,
        dsu: &'a Dichiarazione,
        presented: Date,
        now: Timestamp,
    ) -> Result<Self, SiiError> {
        let exchange = new_exchange(now)?;
        let occasion = Occasion {
            exchange,
            received: now,
            today: day(now),
            ordinal: 0,
            beside: true,
            returned: &[],
        };
        let (operazione, dichiarante) = (dsu.operazione.tipo, &dsu.codice_fiscale_dichiarante);
        Ok(Self {
            cause,
            ente,
            occasion,
            came: None,
            sender: None,
            operazione,
            dichiarante,
            presented,
        })
    }

    /// The answer for a received declaration, with its entries.
    pub(super) fn accepted(
        self,
        protocollo: String,
        receipt: String,
        drafts: Vec<Draft>,
        preconditions: Vec<Precondition>,
    ) -> Said<Accepted> {
        let answer = Accepted {
            protocollo,
            received: self.occasion.received,
            receipt,
            again: false,
            utilizzi: None,
        };
        Said {
            drafts,
            ..Said::read(answer, preconditions)
        }
    }

    /// The given protocol, and the sender's, if any.
    pub(super) fn protocols(self, protocollo: &str) -> Vec<String> {
        [Some(protocollo), self.sender]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect()
    }
}

/// The reason for not receiving a declaration.
pub(super) enum NotReceived {
    /// Defects of the declaration, for its sender.
    Defects(Difetti),
    /// A mistake of ours, or of the ledger.
    Ours(SiiError),
}

impl NotReceived {
    /// A refusal for one defect.
    pub(super) fn of(code: Check, path: &str, text: &'static str) -> Self {
        Self::Defects(Difetti {
            elenco: vec![Difetto {
                code,
                path: path.to_owned(),
                text,
            }],
            altri: 0,
        })
    }

    /// A refusal for many defects, [`MAX_DIFETTI`] of them described, as by the checks: an archive may find
    /// one for every part of a long declaration.
    pub(super) fn all(mut elenco: Vec<Difetto>, altri: usize) -> Self {
        let altri = altri + elenco.len().saturating_sub(MAX_DIFETTI);
        elenco.truncate(MAX_DIFETTI);
        Self::Defects(Difetti { elenco, altri })
    }

    /// Defects without a sender to be told are a mistake of ours.
    pub(super) fn ours(self) -> SiiError {
        match self {
            Self::Defects(_) => internal("a current ISEE that does not fit its DSU"),
            Self::Ours(error) => error,
        }
    }

    /// The refusal as an answer. Nothing of it is recorded.
    pub(super) fn said(self) -> Result<Said<Received>, SiiError> {
        match self {
            Self::Defects(difetti) => Ok(Said::read(Received::Refused(difetti), Vec::new())),
            Self::Ours(error) => Err(error),
        }
    }
}

impl From<SiiError> for NotReceived {
    fn from(error: SiiError) -> Self {
        Self::Ours(error)
    }
}

impl From<KeyError> for NotReceived {
    fn from(error: KeyError) -> Self {
        Self::Ours(error.into())
    }
}

/// The protocol of a DSU's version.
///
/// # Errors
/// A protocol has two digits for it, and `number` needs more: a mistake of ours.
pub(super) fn next_version(radice: &str, number: u32) -> Result<String, SiiError> {
    version_of(radice, number).ok_or_else(|| internal("more versions than a protocol can number"))
}

/// The ente of a DSU's entry.
pub(super) fn ente_of(entry: &Entry) -> Result<&str, SiiError> {
    let ente = entry.leaf.body.ente.as_deref();
    ente.ok_or_else(|| internal("a DSU without its ente"))
}

/// A mistake of ours. The text holds no value.
pub(super) fn internal(what: &str) -> SiiError {
    SiiError::Internal(what.to_owned())
}
