//! Declarations referring to an earlier DSU: its versions (A, I, S, R) and its end (X). `base` admits or
//! refuses the reference; `current` makes its current ISEE (C).
//!
//! Two declarations at once cannot make the same version: the absence of another one since is a precondition
//! of recording.

use super::base::{Base, REFERENCE};
use super::compute::{Da, Fonti};
use super::current::Under;
use super::entries::Toglie;
use super::incoming::{Incoming, NotReceived, next_version};
use super::receipt;
use super::record::{NewVersion, Trace};
use super::system::Embedded;
use super::uses::{stem_term, version_term};
use crate::isee::attest::{self, note, variazione};
use crate::isee::attestazione::Variazione;
use crate::isee::checks::{Check, Circumstance, Esame, examine_effettiva, sottoscrittori};
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::operazioni::applica;
use crate::ledger::Precondition;
use crate::sii::answers::Accepted;
use crate::sii::protocol::{number_of, version_of};
use crate::sii::{Said, SiiError};

/// The most versions of a DSU made by enti other than its owner: they must not use up its numbers.
const ALTRUI: usize = 8;

/// The last version made by a declaration: the numbers after it are for changed rules.
const ULTIMA: u32 = 89;

/// The next version of a DSU.
struct Next<'a> {
    base: &'a Base,
    /// The whole declaration after it.
    effettiva: &'a Dichiarazione,
    /// Protocol of the next version.
    protocollo: &'a str,
    /// Whether the ente and the declarant are those of the DSU.
    own: bool,
}

impl Embedded {
    /// Receives a declaration referring to another DSU: any operation but N.
    pub(super) async fn riferita(
        &self,
        incoming: Incoming<'_>,
        dsu: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let base = self.base(incoming, dsu)?;
        preconditions.extend(base.preconditions.iter().cloned());
        let unsigned = sottoscrittori(dsu, &base.dsu);
        if !unsigned.is_empty() {
            // The signatures of a completing parent or child are judged by their own declaration alone.
            let refusal = NotReceived::all(unsigned, 0);
            return Err(if base.ente == incoming.ente {
                refusal
            } else {
                base.refuse(incoming, refusal)
            });
        }
        if dsu.operazione.tipo == TipoOperazione::X {
            return self.annulla(incoming, &base, esame, preconditions).await;
        }
        let effettiva =
            applica(&base.dsu, dsu).map_err(|difetti| base.refuse(incoming, NotReceived::all(difetti, 0)))?;
        let rules = self.rules(base.presentata)?;
        let circumstance = Circumstance {
            presentata: Some(base.presentata),
            ..Circumstance::on(incoming.occasion.today, rules, &self.settings.calendario)
        };
        // Defects visible in neither of the two alone.
        let whole = examine_effettiva(&effettiva, &base.dsu, &circumstance);
        if !whole.difetti.is_empty() {
            return Err(base.refuse(incoming, NotReceived::all(whole.difetti, whole.altri)));
        }
        if dsu.operazione.tipo == TipoOperazione::C {
            return self
                .corrente(incoming, &base, &effettiva, esame, preconditions)
                .await;
        }
        let number = number_of(&base.protocollo) + 1;
        if number > ULTIMA || base.ente != incoming.ente && base.altrui >= ALTRUI {
            let text = "la DSU di riferimento ha già tutte le versioni che può avere: presentarne una nuova";
            return Err(base.refuse(incoming, NotReceived::of(Check::K02Versioni, REFERENCE, text)));
        }
        let protocollo = next_version(&base.radice, number)?;
        let own = effettiva.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante
            && base.ente == incoming.ente;
        let next = Next {
            base: &base,
            effettiva: &effettiva,
            protocollo: &protocollo,
            own,
        };
        let rettifica = incoming.operazione == TipoOperazione::R;
        let terms = (
            if rettifica {
                incoming.presented
            } else {
                base.termini_da
            },
            incoming.occasion.today,
        );
        match self.may_attest(&effettiva, base.presentata, terms, &mut preconditions)? {
            true => self.attested_version(incoming, &next, esame, preconditions),
            false => self.waiting_version(incoming, &next, esame, preconditions),
        }
    }

    /// Receives a version without attesting it: it waits for its members' incomes.
    fn waiting_version(
        &self,
        incoming: Incoming<'_>,
        next: &Next<'_>,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let Next {
            base,
            effettiva,
            protocollo,
            own,
        } = *next;
        // The values of its current ISEE are not known yet; this only checks their fit.
        let under = Under {
            radice: &base.radice,
            presentata: base.presentata,
            protocollo,
            dsu: effettiva,
            fonti: &Fonti::default(),
        };
        self.recompute_current(incoming, under, &mut Vec::new(), &mut preconditions)
            .map_err(|refusal| base.refuse(incoming, refusal))?;
        let trace = Trace {
            effettiva: Some(effettiva),
            attende: true,
            attendeva: base.attende,
            altrui: !own,
            ..Trace::of(protocollo, &base.radice)
        };
        self.attendi(
            incoming,
            if own { base.presentata } else { incoming.presented },
            trace,
            esame,
            preconditions,
        )
    }

    /// Attests a version at once, with the current ISEE on it.
    fn attested_version(
        &self,
        incoming: Incoming<'_>,
        next: &Next<'_>,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let Next {
            base,
            effettiva,
            protocollo,
            own,
        } = *next;
        let rules = self.rules(base.presentata)?;
        let computed = self.compute(effettiva, base.presentata, rules, Da::Adesso, &mut preconditions)?;
        let (varied, sender) = match &base.attestata {
            Some((protocollo, sender)) => (protocollo.clone(), sender.clone()),
            None => (
                base.protocollo.clone(),
                base.dsu
                    .sottoscrizione_del_dichiarante()
                    .map(|s| s.protocollo_mittente.clone()),
            ),
        };
        let about = attest::Rilascio {
            protocollo,
            presentata: base.presentata,
            rilasciata: incoming.occasion.today,
            variazione: Some(Variazione {
                note_variazione: note(incoming.operazione, base.attende.is_some()).map(str::to_owned),
                ..variazione(incoming.operazione, varied, base.presentata, sender)
            }),
            ..attest::Rilascio::default()
        };
        let attestazione = computed.attest(about);
        // An ente completing another declarant's or another ente's DSU learns nothing of the family, not even
        // whether all is known of it.
        let receipt = match own {
            true => self.receipt(incoming, &attestazione, &computed, esame)?,
            false => receipt::presentation(protocollo, self.about(incoming, incoming.presented, esame)?),
        };
        let version = NewVersion {
            radice: &base.radice,
            effettiva: Some(effettiva),
            altrui: !own,
            receipt: Some(&receipt),
            origine: Some(base.origine),
            attendeva: base.attende,
            ..NewVersion::first(protocollo, &base.ente, &attestazione, &computed)
        };
        let mut drafts = self.drafts(incoming, &version, 0, &mut preconditions)?;
        let under = Under {
            radice: &base.radice,
            presentata: base.presentata,
            protocollo,
            dsu: effettiva,
            fonti: &computed.fonti,
        };
        self.recompute_current(incoming, under, &mut drafts, &mut preconditions)
            .map_err(|refusal| base.refuse(incoming, refusal))?;
        Ok(incoming.accepted(protocollo.to_owned(), receipt.clone(), drafts, preconditions))
    }

    /// Operation X: the DSU and everything on it can no longer be found. All of it stays in the ledger.
    async fn annulla(
        &self,
        incoming: Incoming<'_>,
        base: &Base,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        // The sender of a current ISEE on another ente's DSU may end it; only the owner is told the uses.
        let utilizzi = if base.ente == incoming.ente {
            self.utilizzi(base).await?
        } else {
            None
        };
        let about = self.about(incoming, base.presentata, esame)?;
        let receipt = receipt::cancellation(&base.protocollo, about);
        let trace = Trace {
            receipt: Some(&receipt),
            utilizzi,
            toglie: self.toglie(base)?,
            sotto: base.sotto(),
            altrui: base.ente != incoming.ente,
            attendeva: base.attende,
            ..Trace::of(&base.protocollo, &base.radice)
        };
        let draft = self.declaration(incoming, trace, &mut preconditions)?;
        let said = incoming.accepted(
            base.protocollo.clone(),
            receipt.clone(),
            vec![draft],
            preconditions,
        );
        Ok(said.map(|accepted| Accepted { utilizzi, ..accepted }))
    }

    /// The attestations ended with a DSU or a current ISEE: of its versions, and of the current ISEE on it.
    fn toglie(&self, base: &Base) -> Result<Toglie, SiiError> {
        let mut heads = Vec::new();
        for number in 0..=number_of(&base.protocollo) {
            let Some(version) = version_of(&base.radice, number) else {
                break;
            };
            heads.extend(self.archive.of_protocol(&version, &mut Vec::new())?);
        }
        heads.extend(self.archive.correnti(&base.radice)?);
        let mut toglie = Toglie::default();
        for head in heads {
            if !toglie.add(&self.archive.entry(&head.position)?) {
                break;
            }
        }
        Ok(toglie)
    }

    /// Number of exchanges with the cancelled DSU's data. `None`: not countable.
    async fn utilizzi(&self, base: &Base) -> Result<Option<u32>, SiiError> {
        let mut terms = Vec::new();
        let stems = self.archive.tokens_of_all("protocol", &base.radice)?;
        terms.extend(stems.iter().filter_map(|token| stem_term(token)));
        for number in 0..=number_of(&base.protocollo) {
            let Some(version) = version_of(&base.radice, number) else {
                break;
            };
            let versions = self.archive.tokens_of_all("protocol", &version)?;
            terms.extend(versions.iter().filter_map(|token| version_term(token)));
        }
        let uses = self.uses.clone();
        // Counting reads files, though few blocks of them.
        let counted = tokio::task::spawn_blocking(move || uses.count(&terms)).await;
        let counted = counted.map_err(|error| SiiError::Internal(error.to_string()))?;
        Ok(counted
            .inspect_err(|error| tracing::error!(%error, "the uses of a DSU cannot be counted"))
            .ok())
    }
}
