//! DSU and their versions as the views have them.

use crate::isee::codes::TipoOperazione;
use crate::ledger::{Position, TokenKey};
use jiff::civil::Date;

/// A version of a DSU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versione {
    /// Its number: 0 is the first.
    pub(super) numero: u32,
    /// The operation of its declaration. `X` makes no version: it ends all of them.
    pub(super) operazione: TipoOperazione,
    /// Code of the sending ente.
    pub(super) ente: String,
    /// Sequence of its entry.
    pub(super) sequence: u64,
    /// Position of its entry.
    pub(super) position: Position,
}

/// All versions of a DSU, in the order of recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Versioni(pub(super) Vec<Versione>);

impl Versioni {
    /// The version with the highest number, cancellations aside. `None`: no version.
    pub(super) fn ultima(&self) -> Option<&Versione> {
        self.0
            .iter()
            .filter(|versione| versione.operazione != TipoOperazione::X)
            .max_by_key(|versione| (versione.numero, versione.sequence))
    }

    /// The number of versions, after the first, that other enti than `owner` have sent.
    pub(super) fn of_others(&self, owner: &str) -> usize {
        let later = self.0.iter().filter(|versione| versione.numero > 0);
        later.filter(|versione| versione.ente != owner).count()
    }

    /// Whether the DSU was cancelled.
    pub(super) fn annullata(&self) -> bool {
        self.0
            .iter()
            .any(|versione| versione.operazione == TipoOperazione::X)
    }
}

/// A DSU of a declarant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Presentata {
    /// Day of presentation, from its attestation.
    pub(super) presentata: Date,
    /// Sequence of the entry of its first version.
    pub(super) origine: u64,
    /// The token's key.
    pub(super) key: TokenKey,
    /// Token of its first version's protocol.
    pub(super) radice: String,
    /// Code of the owning ente.
    pub(super) ente: String,
    /// Position of its latest attestation under this year's key.
    pub(super) position: Position,
}
