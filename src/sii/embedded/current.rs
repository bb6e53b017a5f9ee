//! The current ISEE (operation C): made on a DSU, and computed again with every change of it.

use jiff::civil::Date;

use super::archive::{Quali, decode};
use super::base::{Base, REFERENCE};
use super::compute::{Da, Fonti};
use super::entries::Head;
use super::incoming::{Came, Cause, Incoming, NotReceived, internal};
use super::receipt;
use super::record::NewVersion;
use super::seen::Versioni;
use super::system::Embedded;
use crate::digest::{hex, sha256};
use crate::isee::attest::{self, Sostitutivo};
use crate::isee::attestazione::Variazione;
use crate::isee::checks::{Check, Esame};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::compute::corrente::{Insufficiente, sufficiente};
use crate::isee::dsu::Dichiarazione;
use crate::isee::operazioni::applica;
use crate::ledger::{Draft, Precondition, Secret};
use crate::sii::answers::{Accepted, Found};
use crate::sii::protocol::{stem_of, version_of};
use crate::sii::{Said, SiiError};

/// Maximum of current ISEE on one DSU at the same time: so many of its owner, and so many of all other enti
/// together. Others take no place of the owner's. A family needs one: the latest counts, and an earlier one
/// only if the latest is cancelled or ends first. Each is computed again whenever the DSU changes: their
/// number bounds the cost of a change.
pub(super) const CORRENTI: usize = 8;

/// The version of a DSU its current ISEE are computed on.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    /// Protocol of its first version.
    pub(super) radice: &'a str,
    /// Day of the first presentation.
    pub(super) presentata: Date,
    /// Protocol of this version.
    pub(super) protocollo: &'a str,
    /// The whole declaration of this version.
    pub(super) dsu: &'a Dichiarazione,
    /// The sources of its computation.
    pub(super) fonti: &'a Fonti,
}

/// A valid current ISEE, opened.
struct Living {
    /// Protocol of its first version.
    radice: String,
    /// The ente of its first entry: its sender.
    ente: String,
    /// All its versions, under any year's key.
    versioni: Versioni,
    /// Its latest version, by protocol and head.
    own: String,
    head: Head,
    /// The protocol of the next version.
    next: String,
    /// The form as it came.
    canonical: String,
    /// The sealed part of its first entry, without the form.
    secret: Secret,
}

impl Living {
    /// The change that its next version makes: the same form, computed again.
    fn recomputed(&self) -> Variazione {
        Variazione {
            tipo_variazione: TipoVariazioneAttestazione::Ricalcolo,
            numero_protocollo_dsu_variata: self.own.clone(),
            data_presentazione_dsu_variata: self.head.presentata,
            numero_protocollo_mittente_dsu_variata: self.secret.protocol.get(1).cloned(),
            note_variazione: None,
            discordanze_contestazione: Vec::new(),
        }
    }
}

/// A declaration as the form of a current ISEE changes it. A form for a person who has left the nucleus must
/// be cancelled first: it would count on.
fn changed_by(dsu: &Dichiarazione, canonical: &str) -> Result<Dichiarazione, NotReceived> {
    let text = "un ISEE corrente valido riguarda chi non fa più parte del nucleo: annullare prima il suo modulo sostitutivo";
    let form: Dichiarazione = decode(canonical)?;
    applica(dsu, &form).map_err(|_| NotReceived::of(Check::K02Sostitutivo, REFERENCE, text))
}

impl Embedded {
    /// Operation C: the DSU stays as it is; its current ISEE has a protocol and a validity of its own.
    pub(super) async fn corrente(
        &self,
        incoming: Incoming<'_>,
        base: &Base,
        effettiva: &Dichiarazione,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Said<Accepted>, NotReceived> {
        let presented = incoming.presented;
        let rules = |day| {
            self.settings
                .rules
                .on(day)
                .ok_or_else(|| internal("a DSU without rules"))
        };
        let (of_base, of_today) = (rules(base.presentata)?, rules(presented)?);
        let found = self.may_have_current(incoming, base, &mut preconditions)?;
        let changes = effettiva
            .isee_corrente
            .as_ref()
            .ok_or_else(|| internal("no current ISEE"))?;
        // Uses the base's own sources: only changed data are replaced. Earlier builds kept no sources: then
        // the sources as known now.
        let kept = Fonti::of(&found)?;
        let da = kept.as_ref().map_or(Da::Adesso, Fonti::again);
        let before = self.compute(&base.dsu, base.presentata, of_base, da, &mut preconditions)?;
        let computed = self.compute(effettiva, base.presentata, of_base, da, &mut preconditions)?;
        if let Err(why) = sufficiente(
            changes,
            &before.indicatori.ordinario,
            &computed.indicatori.ordinario,
            of_today,
        ) {
            let text = match why {
                Insufficiente::Reddito => "la variazione del reddito è minore di quella che la legge chiede",
                Insufficiente::Patrimonio => {
                    "la variazione del patrimonio è minore di quella che la legge chiede"
                }
            };
            return Err(base.refuse(
                incoming,
                NotReceived::of(Check::K17Scostamento, "/Dichiarazione/ISEECorrente", text),
            ));
        }
        let protocollo = self.protocol(presented.year()).await?;
        let scadenza = changes.scadenza(presented, of_today);
        let form = Sostitutivo {
            protocollo: &protocollo,
            presentato: presented,
            scadenza,
        };
        let attestazione = computed.attest(current(incoming, &base.protocollo, base.presentata, form, None));
        let own = base.ente == incoming.ente;
        let receipt = match own {
            true => self.receipt(incoming, &attestazione, &computed, esame)?,
            false => receipt::presentation(&protocollo, self.about(incoming, presented, esame)?),
        };
        let version = NewVersion {
            effettiva: Some(effettiva),
            validita: (presented, scadenza),
            base: Some(&base.radice),
            altrui: !own,
            receipt: Some(&receipt),
            ..NewVersion::first(&protocollo, &base.ente, &attestazione, &computed)
        };
        let drafts = self.drafts(incoming, &version, 0, &mut preconditions)?;
        Ok(incoming.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// The valid attestation under a current ISEE, or the refusal.
    fn may_have_current(
        &self,
        incoming: Incoming<'_>,
        base: &Base,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Found, NotReceived> {
        let refuse = |code, text| base.refuse(incoming, NotReceived::of(code, REFERENCE, text));
        let presented = incoming.presented;
        let heads = self.archive.of_protocol(&base.protocollo, preconditions)?;
        let valid = heads
            .first()
            .filter(|head| head.presentata <= presented && presented <= head.scadenza);
        let found = valid
            .map(|head| self.archive.attestation(head))
            .transpose()?
            .flatten();
        let found = found.ok_or_else(|| {
            refuse(
                Check::K17Base,
                "la DSU di riferimento non ha un ISEE valido alla presentazione",
            )
        })?;
        // Only the owner's DSU: the answer must not tell of the declarant's DSU at another ente.
        let quali = Quali {
            on: presented,
            ente: Some(&base.ente),
            most: usize::MAX,
        };
        let order = (base.presentata, base.origine);
        if self.replaced(
            (&base.dsu.codice_fiscale_dichiarante, None),
            &base.radice,
            order,
            quali,
            preconditions,
        )? {
            return Err(refuse(
                Check::K17Base,
                "dopo la DSU di riferimento il dichiarante ne ha presentata un'altra",
            ));
        }
        let mut like_this = 0;
        for live in self
            .archive
            .live(&base.radice, incoming.occasion.today, 2 * CORRENTI)?
        {
            let sender = self
                .archive
                .versioni_of(live.key, &live.radice)?
                .0
                .into_iter()
                .next()
                .map(|first| first.ente);
            like_this += usize::from((sender.as_ref() == Some(&base.ente)) == (incoming.ente == base.ente));
        }
        if like_this >= CORRENTI {
            return Err(refuse(
                Check::K17Numero,
                "la DSU di riferimento ha già otto ISEE correnti validi: annullarne uno",
            ));
        }
        Ok(found)
    }

    /// Computes the valid current ISEE on a changed DSU again.
    pub(super) fn recompute_current(
        &self,
        incoming: Incoming<'_>,
        under: Under<'_>,
        drafts: &mut Vec<Draft>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(), NotReceived> {
        let Some(di) = self.archive.owner(under.radice.to_owned())? else {
            return Ok(());
        };
        let mut seen: Vec<String> = Vec::new();
        // Current ISEE beyond the bound are left behind by this version of their DSU: only look-ups by their
        // own protocols still find them.
        for live in self
            .archive
            .live(under.radice, incoming.occasion.today, 2 * CORRENTI)?
        {
            if let Some(living) = self.living(incoming, &live, &mut seen, preconditions)? {
                self.recompute_one_current(incoming, under, &di, &living, drafts, preconditions)?;
            }
        }
        Ok(())
    }

    /// Opens a current ISEE. `None`: no longer valid, erased, or already seen.
    fn living(
        &self,
        incoming: Incoming<'_>,
        live: &Head,
        seen: &mut Vec<String>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Option<Living>, SiiError> {
        let first = self
            .archive
            .versioni_of(live.key, &live.radice)?
            .0
            .into_iter()
            .next();
        let Some(first) = first
            .map(|first| self.archive.entry(&first.position))
            .transpose()?
        else {
            return Ok(None);
        };
        let Some(mut secret) = self.archive.open_unless_erased(&first)? else {
            return Ok(None);
        };
        let Some(radice) = secret.protocol.first().map(|protocol| stem_of(protocol)) else {
            return Ok(None);
        };
        if seen.contains(&radice) {
            return Ok(None);
        }
        seen.push(radice.clone());
        let versioni = self.archive.versioni(radice.clone(), preconditions)?;
        let Some(numero) = versioni
            .ultima()
            .filter(|_| !versioni.annullata())
            .map(|ultima| ultima.numero)
        else {
            return Ok(None);
        };
        let Some(own) = version_of(&radice, numero) else {
            return Ok(None);
        };
        let head = self.archive.of_protocol(&own, preconditions)?.into_iter().next();
        let Some(head) = head.filter(|head| incoming.occasion.today <= head.scadenza) else {
            return Ok(None);
        };
        let (Some(canonical), Some(next), Some(ente)) = (
            secret.dsu.take(),
            version_of(&radice, numero + 1),
            first.leaf.body.ente,
        ) else {
            return Ok(None);
        };
        Ok(Some(Living {
            radice,
            ente,
            versioni,
            own,
            head,
            next,
            canonical,
            secret,
        }))
    }

    fn recompute_one_current(
        &self,
        incoming: Incoming<'_>,
        under: Under<'_>,
        di: &str,
        living: &Living,
        drafts: &mut Vec<Draft>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<(), NotReceived> {
        let Living {
            radice,
            ente,
            versioni,
            head,
            next,
            canonical,
            secret,
            ..
        } = living;
        let dsu = changed_by(under.dsu, canonical)?;
        let rules = self.rules(under.presentata)?;
        let before = match self.archive.attestation(head)? {
            Some(found) => Fonti::of(&found)?,
            None => None,
        };
        let da = match incoming.cause {
            Cause::Rules => before.as_ref().map_or(Da::Adesso, Fonti::again),
            Cause::Sent(_) | Cause::Waited => Da::Prima(under.fonti),
        };
        let computed = self.compute(&dsu, under.presentata, rules, da, preconditions)?;
        let form = Sostitutivo {
            protocollo: next,
            presentato: head.presentata,
            scadenza: head.scadenza,
        };
        let changed = Some(living.recomputed());
        let about = current(incoming, under.protocollo, under.presentata, form, changed);
        let attestazione = computed.attest(about);
        let version = NewVersion {
            radice,
            effettiva: Some(&dsu),
            validita: (head.presentata, head.scadenza),
            base: Some(under.radice),
            altrui: ente != di,
            origine: versioni.0.first().map(|first| first.sequence),
            ..NewVersion::first(next, di, &attestazione, &computed)
        };
        // The form as it came then. It adds nothing under its sender's protocol.
        let impronta = hex(&sha256(canonical.as_bytes()));
        let incoming = Incoming {
            ente,
            operazione: TipoOperazione::C,
            presented: head.presentata,
            came: Some(Came {
                impronta: &impronta,
                canonical,
                persone: &secret.cf,
            }),
            sender: None,
            ..incoming
        };
        let after = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        drafts.extend(self.drafts(incoming, &version, after, preconditions)?);
        Ok(())
    }
}

/// The occasion of the attestation of a current ISEE.
fn current<'a>(
    incoming: Incoming<'a>,
    base: &'a str,
    presentata: Date,
    form: Sostitutivo<'a>,
    variazione: Option<Variazione>,
) -> attest::Rilascio<'a> {
    attest::Rilascio {
        protocollo: base,
        presentata,
        rilasciata: incoming.occasion.today,
        sostitutivo: Some(form),
        variazione,
        omissioni: Vec::new(),
        protocollo_mittente: incoming
            .sender
            .filter(|_| incoming.operazione == TipoOperazione::C),
    }
}
