//! DSU and their versions as the views have them.

use crate::isee::codes::TipoOperazione;
use crate::ledger::Position;
use jiff::civil::Date;

/// A version of a DSU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versione {
    /// Its number: 0 is the first.
    pub(super) numero: u32,
    /// The operation that made it. `X` makes none: it is the end of all.
    pub(super) operazione: TipoOperazione,
    /// The ente that sent it.
    pub(super) ente: String,
    /// Sequence of its entry.
    pub(super) sequence: u64,
    /// Where its entry is.
    pub(super) position: Position,
}

/// All versions of a DSU, in the order in which they were recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Versioni(pub(super) Vec<Versione>);

impl Versioni {
    /// The one that counts.
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
    /// When it was presented.
    pub(super) presentata: Date,
    /// Sequence of the entry of its first version.
    pub(super) origine: u64,
    /// Of which year's key its token is.
    pub(super) year: i16,
    /// Token of its first version's protocol.
    pub(super) radice: String,
    /// The ente that owns it.
    pub(super) ente: String,
    /// Where its latest attestation is, of those of that year.
    pub(super) position: Position,
}
