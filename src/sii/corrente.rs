//! The current ISEE (operation C): made on a DSU, and computed again when that changes.

use jiff::civil::Date;

use super::archive::{Quali, decode, stem_of, version_of};
use super::embedded::{Da, Embedded, Fonti};
use super::registrazione::Versione;
use super::ricezione::{Ricevuta, difetto};
use super::riferimento::{Base, RIFERIMENTO};
use super::{Outcome, SiiError, receipt};
use crate::digest::{hex, sha256};
use crate::isee::attest::{self, Sostitutivo, attest};
use crate::isee::attestazione::Variazione;
use crate::isee::checks::{Difetto, Esame};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::compute::corrente::{Insufficiente, sufficiente};
use crate::isee::dsu::Dichiarazione;
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::applica;
use crate::ledger::{Draft, Precondition};

/// How many current ISEE may rest on one DSU at the same time: so many of the ente that owns it, and so many of all others, so that others take no
/// place of the owner's. A family needs one: the latest counts, and an earlier one only if the latest is cancelled or ends first. Each is computed
/// again whenever the DSU changes: their number bounds the cost of a change.
pub(super) const CORRENTI: usize = 8;

impl Embedded {
    /// Operation C: the DSU stays as it is; its current ISEE has a protocol and a validity of its own.
    pub(super) async fn corrente(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        effettiva: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let presented = received.presented;
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let (Some(of_base), Some(of_today)) = (self.settings.rules.on(base.presentata), self.settings.rules.on(presented)) else {
            return Err(internal("a DSU without rules"));
        };
        let heads = self.archive.of_protocol(&base.protocollo, &mut preconditions)?;
        let valid = heads.first().filter(|head| head.presentata <= presented && presented <= head.scadenza);
        let Some(found) = valid.map(|head| self.archive.attestation(head)).transpose()?.flatten() else {
            let text = "la DSU di riferimento non ha un ISEE valido alla presentazione";
            return Ok(base.refuse(received, difetto("K17.base", RIFERIMENTO, text), 0));
        };
        let order = (base.presentata, base.origine);
        // Of the ente that owns it: that the declarant has been to another is not said.
        let quali = Quali { on: presented, ente: Some(&base.ente), most: usize::MAX };
        if self.replaced(&base.dsu.codice_fiscale_dichiarante, &base.radice, order, quali, &mut preconditions)? {
            let text = "dopo la DSU di riferimento il dichiarante ne ha presentata un'altra";
            return Ok(base.refuse(received, difetto("K17.base", RIFERIMENTO, text), 0));
        }
        let mut like_this = 0;
        for live in self.archive.live(&base.radice, received.occasion.today, 2 * CORRENTI)? {
            let sender = self.archive.versioni_of(live.year, &live.radice)?.0.into_iter().next().map(|first| first.ente);
            like_this += usize::from((sender.as_ref() == Some(&base.ente)) == (received.ente == base.ente));
        }
        if like_this >= CORRENTI {
            let text = "la DSU di riferimento ha già otto ISEE correnti validi: annullarne uno";
            return Ok(base.refuse(received, difetto("K17.numero", RIFERIMENTO, text), 0));
        }
        let Some(changes) = &effettiva.isee_corrente else { return Err(internal("no current ISEE")) };
        // With what the base was computed from: only what changed is replaced.
        let kept = Fonti::of(&found).unwrap_or_default();
        let da = kept.again();
        let (before, _) = self.compute(&base.dsu, base.presentata, of_base, da, &mut preconditions)?;
        let (indicatori, fonti) = self.compute(effettiva, base.presentata, of_base, da, &mut preconditions)?;
        if let Err(why) = sufficiente(changes, &before.ordinario, &indicatori.ordinario, of_today) {
            let text = match why {
                Insufficiente::Reddito => "la variazione del reddito è minore di quella che la legge chiede",
                Insufficiente::Patrimonio => "la variazione del patrimonio è minore di quella che la legge chiede",
            };
            return Ok(base.refuse(received, difetto("K17.scostamento", "/Dichiarazione/ISEECorrente", text), 0));
        }
        let protocollo = self.protocol(presented.year()).await?;
        let scadenza = changes.scadenza(presented, of_today);
        let form = Sostitutivo { protocollo: &protocollo, presentato: presented, scadenza };
        let about = current(received, &base.protocollo, base.presentata, form, None);
        let against = omissioni(effettiva, base.presentata, of_base, &fonti.known, received.occasion.today);
        let about = attest::Occasion { omissioni: against, ..about };
        let attestazione = attest(effettiva, &indicatori, of_base, about);
        let own = base.ente == received.ente;
        let receipt = match own {
            true => self.receipt(received, &attestazione, &indicatori, of_base, esame)?,
            false => receipt::presentation(&protocollo, self.about(received, presented, esame)?),
        };
        let version = Versione {
            protocollo: &protocollo,
            radice: &protocollo,
            effettiva: Some(effettiva),
            dsu: effettiva,
            validita: (presented, scadenza),
            base: Some(&base.radice),
            di: &base.ente,
            attestazione: &attestazione,
            rules: of_base,
            fonti: &fonti,
            altrui: !own,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: None,
            attendeva: None,
        };
        let drafts = self.drafts(received, version, 0, &mut preconditions)?;
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// Computes the valid current ISEE of a DSU again, since it has changed.
    pub(super) fn recompute_current(
        &self,
        received: Ricevuta<'_>,
        (base, presentata): (&str, Date),
        (protocollo, effettiva, kept): (&str, &Dichiarazione, &Fonti),
        drafts: &mut Vec<Draft>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Result<(), Vec<Difetto>>, SiiError> {
        let Some(rules) = self.settings.rules.on(presentata) else { return Ok(Ok(())) };
        let Some(di) = self.archive.owner(base.to_owned())? else { return Ok(Ok(())) };
        let mut seen: Vec<String> = Vec::new();
        // Those beyond are left behind by this version of their DSU: no look-up by person finds them any more, each protocol its own.
        for live in self.archive.live(base, received.occasion.today, 2 * CORRENTI)? {
            let first = self.archive.versioni_of(live.year, &live.radice)?.0.into_iter().next();
            let Some(first) = first.map(|first| self.archive.entry(&first.position)).transpose()? else { continue };
            let Some(secret) = self.archive.open_unless_erased(&first)? else { continue };
            let Some(radice) = secret.protocol.first().map(|protocol| stem_of(protocol)) else { continue };
            if seen.contains(&radice) {
                continue;
            }
            seen.push(radice.clone());
            let versioni = self.archive.versioni(radice.clone(), preconditions)?;
            let Some(ultima) = versioni.ultima().filter(|_| !versioni.annullata()) else { continue };
            let Some(own) = version_of(&radice, ultima.numero) else { continue };
            let heads = self.archive.of_protocol(&own, preconditions)?;
            let Some(head) = heads.first().filter(|head| received.occasion.today <= head.scadenza) else { continue };
            let (Some(canonical), Some(next)) = (secret.dsu.clone(), version_of(&radice, ultima.numero + 1)) else { continue };
            let form: Dichiarazione = decode(&canonical)?;
            // The person whose data it changes has left the nucleus: it must be cancelled first, or it would count on.
            let Ok(current_dsu) = applica(effettiva, &form) else {
                let text = "un ISEE corrente valido riguarda chi non fa più parte del nucleo: annullare prima il suo modulo sostitutivo";
                return Ok(Err(difetto("K02.sostitutivo", RIFERIMENTO, text)));
            };
            let Some(ente) = first.leaf.body.ente.clone() else { continue };
            let own_fonti = self.archive.attestation(head)?.and_then(|found| Fonti::of(&found)).unwrap_or_default();
            let da = if received.ricalcolo { own_fonti.again() } else { Da::Prima(kept) };
            let (indicatori, fonti) = self.compute(&current_dsu, presentata, rules, da, preconditions)?;
            let variazione = Variazione {
                tipo_variazione: TipoVariazioneAttestazione::Ricalcolo,
                numero_protocollo_dsu_variata: own.clone(),
                data_presentazione_dsu_variata: head.presentata,
                numero_protocollo_mittente_dsu_variata: secret.protocol.get(1).cloned(),
                note_variazione: None,
                discordanze_contestazione: Vec::new(),
            };
            let form = Sostitutivo { protocollo: &next, presentato: head.presentata, scadenza: head.scadenza };
            let about = current(received, protocollo, presentata, form, Some(variazione));
            let against = omissioni(&current_dsu, presentata, rules, &fonti.known, received.occasion.today);
            let about = attest::Occasion { omissioni: against, ..about };
            let attestazione = attest(&current_dsu, &indicatori, rules, about);
            let version = Versione {
                protocollo: &next,
                radice: &radice,
                effettiva: Some(&current_dsu),
                dsu: &current_dsu,
                validita: (head.presentata, head.scadenza),
                base: Some(base),
                di: &di,
                attestazione: &attestazione,
                rules,
                fonti: &fonti,
                altrui: ente != di,
                receipt: "",
                specifico: indicatori.specifico.as_ref(),
                origine: versioni.0.first().map(|first| first.sequence),
                attendeva: None,
            };
            // What came is the form as it came then; nothing is known under this sender's protocol by it.
            let impronta = hex(&sha256(canonical.as_bytes()));
            let received = Ricevuta {
                ente: &ente,
                operazione: TipoOperazione::C,
                presented: head.presentata,
                impronta: &impronta,
                canonical: &canonical,
                persone: &secret.cf,
                sender: "",
                ..received
            };
            let after = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
            drafts.extend(self.drafts(received, version, after, preconditions)?);
        }
        Ok(Ok(()))
    }
}

/// The occasion of the attestation of a current ISEE.
fn current<'a>(
    received: Ricevuta<'a>,
    base: &'a str,
    presentata: Date,
    form: Sostitutivo<'a>,
    variazione: Option<Variazione>,
) -> attest::Occasion<'a> {
    attest::Occasion {
        protocollo: base,
        presentata,
        rilasciata: received.occasion.today,
        sostitutivo: Some(form),
        variazione,
        omissioni: Vec::new(),
        protocollo_mittente: Some(received.sender).filter(|_| received.operazione == TipoOperazione::C),
    }
}
