//! Declarations that refer to an earlier DSU: its versions (A, I, S, R) and its end (X). `riferimento` decides whether they may refer to it; `corrente` makes
//! its current ISEE (C).
//!
//! Two at once cannot make the same version: that there was no other since is a precondition of what is recorded.

use super::archive::{number_of, version_of};
use super::embedded::{Da, Embedded, Fonti};
use super::entries::Toglie;
use super::receipt;
use super::registrazione::{Traccia, Versione};
use super::ricezione::{Ricevuta, difetto, refused};
use super::riferimento::{Base, RIFERIMENTO};
use super::uses::{stem_term, version_term};
use super::{Answer, Outcome, SiiError};
use crate::isee::attest::{self, attest, note, variazione};
use crate::isee::attestazione::Variazione;
use crate::isee::checks::{Circumstance, Esame, examine_effettiva, sottoscrittori};
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::applica;
use crate::ledger::Precondition;

/// Versions that other enti than the owner may make of a DSU: they must not use up its numbers.
const ALTRUI: usize = 8;

/// The last version that a declaration may make: the numbers after it are for rules that change.
const ULTIMA: u32 = 89;

impl Embedded {
    /// Operations that refer to another DSU.
    pub(super) async fn riferita(
        &self,
        received: Ricevuta<'_>,
        dsu: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let base = match self.base(received, dsu)? {
            Ok(base) => base,
            Err(difetti) => return Ok(refused(difetti, 0)),
        };
        preconditions.extend(base.preconditions.iter().cloned());
        let difetti = sottoscrittori(dsu, &base.dsu);
        if !difetti.is_empty() {
            // The signatures of a parent or child who completes the DSU are judged by that declaration alone.
            let told = base.ente == received.ente;
            return Ok(if told { refused(difetti, 0) } else { base.refuse(received, difetti, 0) });
        }
        if dsu.operazione.tipo == TipoOperazione::X {
            return self.annulla(received, &base, esame, preconditions).await;
        }
        let effettiva = match applica(&base.dsu, dsu) {
            Ok(effettiva) => effettiva,
            Err(difetti) => return Ok(base.refuse(received, difetti, 0)),
        };
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let Some(rules) = self.settings.rules.on(base.presentata) else { return Err(internal("a DSU without rules")) };
        let circumstance = Circumstance {
            presentata: Some(base.presentata),
            ..Circumstance::on(received.occasion.today, rules, &self.settings.calendario)
        };
        // What neither of the two could show alone.
        let whole = examine_effettiva(&effettiva, &base.dsu, &circumstance);
        let own = effettiva.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante && base.ente == received.ente;
        if !whole.difetti.is_empty() {
            return Ok(base.refuse(received, whole.difetti, whole.altri));
        }
        if dsu.operazione.tipo == TipoOperazione::C {
            return self.corrente(received, &base, &effettiva, esame, preconditions).await;
        }
        let number = number_of(&base.protocollo) + 1;
        if number > ULTIMA || base.ente != received.ente && base.altrui >= ALTRUI {
            let text = "la DSU di riferimento ha già tutte le versioni che può avere: presentarne una nuova";
            return Ok(base.refuse(received, difetto("K02.versioni", RIFERIMENTO, text), 0));
        }
        let protocollo = version_of(&base.radice, number).ok_or_else(|| internal("more versions than a protocol can number"))?;
        let rettifica = dsu.operazione.tipo == TipoOperazione::R;
        let terms = (if rettifica { received.presented } else { base.termini_da }, received.occasion.today);
        if !self.may_attest(&effettiva, base.presentata, terms, &mut preconditions)? {
            // It is not known yet what its current ISEE will come to, but that they can rest on it.
            let after = (protocollo.as_str(), &effettiva, &Fonti::default());
            let rests = self.recompute_current(received, (&base.radice, base.presentata), after, &mut Vec::new(), &mut preconditions)?;
            if let Err(difetti) = rests {
                return Ok(base.refuse(received, difetti, 0));
            }
            let traccia = Traccia {
                protocollo: &protocollo,
                radice: &base.radice,
                effettiva: Some(&effettiva),
                attende: true,
                attendeva: base.attende,
                altrui: !own,
                ..Traccia::default()
            };
            return self.attendi(received, if own { base.presentata } else { received.presented }, traccia, esame, preconditions);
        }
        let (indicatori, fonti) = self.compute(&effettiva, base.presentata, rules, Da::Adesso, &mut preconditions)?;
        let (varied, sender) = match &base.attestata {
            Some((protocollo, sender)) => (protocollo.clone(), sender.clone()),
            None => (base.protocollo.clone(), base.dsu.sottoscrizione_del_dichiarante().map(|s| s.protocollo_mittente.clone())),
        };
        let about = attest::Occasion {
            protocollo: &protocollo,
            presentata: base.presentata,
            rilasciata: received.occasion.today,
            omissioni: omissioni(&effettiva, base.presentata, rules, &fonti.known, received.occasion.today),
            variazione: Some(Variazione {
                note_variazione: note(dsu.operazione.tipo, base.attende.is_some()).map(str::to_owned),
                ..variazione(dsu.operazione.tipo, varied, base.presentata, sender)
            }),
            ..attest::Occasion::default()
        };
        let attestazione = attest(&effettiva, &indicatori, rules, about);
        // An ente that completes another declarant's or another ente's DSU learns nothing of that family, not even that all is known of it.
        let receipt = match own {
            true => self.receipt(received, &attestazione, &indicatori, rules, esame)?,
            false => receipt::presentation(&protocollo, self.about(received, received.presented, esame)?),
        };
        let version = Versione {
            protocollo: &protocollo,
            radice: &base.radice,
            effettiva: Some(&effettiva),
            dsu: &effettiva,
            validita: (base.presentata, attestazione.data_validita),
            base: None,
            di: &base.ente,
            attestazione: &attestazione,
            rules,
            fonti: &fonti,
            altrui: !own,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: Some(base.origine),
            attendeva: base.attende,
        };
        let mut drafts = self.drafts(received, version, 0, &mut preconditions)?;
        if let Err(difetti) = self.recompute_current(
            received,
            (&base.radice, base.presentata),
            (&protocollo, &effettiva, &fonti),
            &mut drafts,
            &mut preconditions,
        )? {
            return Ok(base.refuse(received, difetti, 0));
        }
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// Operation X: nothing of the DSU, nor of what rests on it, is found any more; all of it stays in the ledger.
    async fn annulla(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        // The sender of a current ISEE on another ente's DSU may end it; only the owner is told the uses.
        let utilizzi = if base.ente == received.ente { self.utilizzi(base).await? } else { None };
        let about = self.about(received, base.presentata, esame)?;
        let receipt = receipt::cancellation(&base.protocollo, about);
        let traccia = Traccia {
            protocollo: &base.protocollo,
            radice: &base.radice,
            receipt: &receipt,
            utilizzi,
            toglie: self.toglie(base)?,
            sotto: base.sotto(),
            altrui: base.ente != received.ente,
            attendeva: base.attende,
            ..Traccia::default()
        };
        let draft = self.declaration(received, traccia, &mut preconditions)?;
        let mut outcome = received.accepted(base.protocollo.clone(), receipt, vec![draft], preconditions);
        if let Answer::Accepted(accepted) = &mut outcome.answer {
            accepted.utilizzi = utilizzi;
        }
        Ok(outcome)
    }

    /// The attestations that end with a DSU or a current ISEE: of its versions, and of the current ISEE that rest on it.
    fn toglie(&self, base: &Base) -> Result<Toglie, SiiError> {
        let mut heads = Vec::new();
        for number in 0..=number_of(&base.protocollo) {
            let Some(version) = version_of(&base.radice, number) else { break };
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

    /// How many exchanges have given the cancelled DSU away; None if they cannot be counted.
    async fn utilizzi(&self, base: &Base) -> Result<Option<u32>, SiiError> {
        let mut terms = Vec::new();
        for (year, radice) in self.archive.tokens("protocol", &base.radice)? {
            terms.extend(stem_term(&radice));
            for number in 0..=number_of(&base.protocollo) {
                let Some(version) = version_of(&base.radice, number) else { break };
                terms.extend(version_term(&self.ledger.keys.token(year, "protocol", &version)?));
            }
        }
        let uses = self.uses.clone();
        // Files are read, though few blocks of them.
        let counted = tokio::task::spawn_blocking(move || uses.count(&terms)).await;
        let counted = counted.map_err(|error| SiiError::Internal(error.to_string()))?;
        Ok(counted.inspect_err(|error| tracing::error!(%error, "the uses of a DSU cannot be counted")).ok())
    }
}
