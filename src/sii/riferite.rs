//! What refers to a DSU that was received: its versions (A, I, S, R), its current ISEE (C), its end (X).
//!
//! Two at once cannot make the same version: that there was no other since is a precondition of what is recorded.

use jiff::civil::Date;

use super::archive::{Versioni, decode, number_of, stem_of, version_of};
use super::embedded::Embedded;
use super::embedded::{Da, Fonti};
use super::receipt::{self};
use super::registrazione::{Traccia, Versione};
use super::ricezione::{Ricevuta, difetto, refused};
use super::uses::{stem_term, version_term};
use super::{Answer, Outcome, SiiError};
use crate::digest::{hex, sha256};
use crate::isee::attest::{self, Sostitutivo, attest, note, variazione};
use crate::isee::attestazione::Variazione;
use crate::isee::checks::{Circumstance, Difetto, Esame, examine_effettiva, sottoscrittori};
use crate::isee::codes::{TipoOperazione, TipoVariazioneAttestazione};
use crate::isee::compute::corrente::{Insufficiente, sufficiente};
use crate::isee::dsu::Dichiarazione;
use crate::isee::omissioni::omissioni;
use crate::isee::operazioni::{NOBODYS, applica, riguarda};
use crate::ledger::{Draft, Precondition};

/// Where the protocol of the DSU referred to is.
const RIFERIMENTO: &str = "/Dichiarazione/Operazione/@NumeroProtocolloRiferimento";

/// The DSU that a declaration refers to, as it counts now.
pub(super) struct Base {
    /// Protocol of its first version.
    pub(super) radice: String,
    /// Protocol of the version that counts.
    pub(super) protocollo: String,
    /// The whole declaration.
    pub(super) dsu: Dichiarazione,
    /// When it was presented first.
    pub(super) presentata: Date,
    /// When its latest whole declaration was: the terms run from then.
    pub(super) termini_da: Date,
    /// Whose it is.
    pub(super) ente: String,
    /// Sequence of the entry of its first version: of two DSU of one day the later counts, whatever became of either.
    pub(super) origine: u64,
    /// Sequence of its entry, where it waits for an attestation.
    pub(super) attende: Option<u64>,
    /// The version that was attested last, with its sender's protocol.
    pub(super) attestata: Option<(String, Option<String>)>,
    /// What must still hold when this is recorded.
    pub(super) preconditions: Vec<Precondition>,
}

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
            return Ok(refused(difetti, 0));
        }
        if dsu.operazione.tipo == TipoOperazione::X {
            return self.annulla(received, &base, esame, preconditions).await;
        }
        let effettiva = match applica(&base.dsu, dsu) {
            Ok(effettiva) => effettiva,
            Err(difetti) => return Ok(refused(difetti, 0)),
        };
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let Some(rules) = self.settings.rules.on(base.presentata) else { return Err(internal("a DSU without rules")) };
        let circumstance = Circumstance {
            presentata: Some(base.presentata),
            ..Circumstance::on(received.occasion.today, rules, &self.settings.calendario)
        };
        // What neither of the two could show alone.
        let whole = examine_effettiva(&effettiva, &base.dsu, &circumstance);
        let own = effettiva.codice_fiscale_dichiarante == dsu.codice_fiscale_dichiarante;
        if !whole.difetti.is_empty() {
            // Where, and in which way, would tell of somebody else's family.
            let text = "i dati non vanno insieme con la DSU di riferimento";
            return Ok(if own { refused(whole.difetti, whole.altri) } else { refused(difetto("K02.insieme", RIFERIMENTO, text), 0) });
        }
        if dsu.operazione.tipo == TipoOperazione::C {
            return self.corrente(received, &base, &effettiva, esame, preconditions).await;
        }
        let number = number_of(&base.protocollo) + 1;
        let protocollo = version_of(&base.radice, number).ok_or_else(|| internal("more versions than a protocol can number"))?;
        let rettifica = dsu.operazione.tipo == TipoOperazione::R;
        let terms = (if rettifica { received.presented } else { base.termini_da }, received.occasion.today);
        if !self.may_attest(&effettiva, base.presentata, terms, &mut preconditions)? {
            // It is not known yet what its current ISEE will come to, but that they can rest on it.
            let after = (protocollo.as_str(), &effettiva, &Fonti::default());
            let rests = self.recompute_current(received, (&base.radice, base.presentata), after, &mut Vec::new(), &mut preconditions)?;
            if let Err(difetti) = rests {
                return Ok(refused(difetti, 0));
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
        // Who completes somebody else's DSU is told nothing of that family, not even that all is known of it.
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
            return Ok(refused(difetti, 0));
        }
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// The DSU that a declaration refers to; or why it may not be referred to.
    fn base(&self, received: Ricevuta<'_>, dsu: &Dichiarazione) -> Result<Result<Base, Vec<Difetto>>, SiiError> {
        let internal = |what: &str| SiiError::Internal(what.to_owned());
        let none = || Ok(Err(difetto(NOBODYS.0, NOBODYS.1, NOBODYS.2)));
        let tipo = dsu.operazione.tipo;
        let Some(protocol) = &dsu.operazione.numero_protocollo_riferimento else { return none() };
        let radice = stem_of(protocol);
        let mut preconditions = Vec::new();
        let versioni = self.archive.versioni(radice.clone(), &mut preconditions)?;
        let Some(ultima) = versioni.ultima() else { return none() };
        // That version must be there, and not only another one of the same DSU.
        if number_of(protocol) > ultima.numero {
            return none();
        }
        let entry = self.archive.entry(&ultima.position)?;
        let Some(secret) = self.archive.open_unless_erased(&entry)? else { return none() };
        let current: Dichiarazione = decode(&secret.effettiva.or(secret.dsu).ok_or_else(|| internal("an entry without DSU"))?)?;
        let referred = &dsu.operazione.codice_fiscale_riferimento;
        let wrong_code = referred.as_ref().is_some_and(|code| *code != current.codice_fiscale_dichiarante);
        if current.codice_fiscale_dichiarante != dsu.codice_fiscale_dichiarante {
            // Operation A completes somebody else's by the parent or child whom it concerns. Whoever else asks, and whatever else is wrong, learns nothing.
            let added = dsu.integrazione_componente_aggiuntiva.as_ref().map(|added| &added.componente_per_integrazione_aggiuntiva);
            let person = added.map(|added| &added.foglio_componente_aggiuntiva.codice_fiscale);
            let own = person.filter(|person| **person == dsu.codice_fiscale_dichiarante && riguarda(&current, person));
            if tipo != TipoOperazione::A || own.is_none() || wrong_code || versioni.annullata() || ultima.operazione == "C" {
                return none();
            }
        }
        let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?.unwrap_or(entry);
        let facts = &first.leaf.body.facts;
        let presentata = facts.get("presentata").and_then(|day| day.as_str()?.parse().ok()).ok_or_else(|| internal("a day"))?;
        let Some(ente) = first.leaf.body.ente.clone() else { return Err(internal("a DSU of nobody")) };
        let refuse = |code, text| Ok(Err(difetto(code, RIFERIMENTO, text)));
        if versioni.annullata() {
            return refuse("K02.annullata", "la DSU di riferimento è stata annullata");
        }
        if wrong_code {
            let text = "non è il codice fiscale del dichiarante della DSU di riferimento";
            return Ok(Err(difetto("K02.codice-riferimento", "/Dichiarazione/Operazione/@CodiceFiscaleRiferimento", text)));
        }
        if ultima.operazione == "C" && tipo != TipoOperazione::X {
            return refuse("K02.corrente", "il protocollo è di un modulo sostitutivo, che questa operazione non riguarda");
        }
        if matches!(tipo, TipoOperazione::R | TipoOperazione::X) && ente != received.ente {
            return refuse("K02.ente", "la DSU di riferimento è stata trasmessa da un altro ente");
        }
        if tipo == TipoOperazione::R && number_of(protocol) != ultima.numero {
            return refuse("K02.versione", "la DSU di riferimento ha una versione successiva");
        }
        let protocollo = version_of(&radice, ultima.numero).ok_or_else(|| internal("a version's number"))?;
        let attested = !self.archive.of_protocol(&protocollo, &mut preconditions)?.is_empty();
        let attende = (!attested).then_some(ultima.sequence);
        let origine = versioni.0.first().map_or(ultima.sequence, |first| first.sequence);
        let termini_da = self.termini_da(&versioni, presentata)?;
        let too_early = || !self.terms_are_over(presentata, (termini_da, received.occasion.today));
        let latest = self.archive.attestata(&radice, &versioni, &mut preconditions)?;
        if tipo == TipoOperazione::I && latest.is_none() && too_early() {
            return refuse("K02.termini", "i termini per l'attestazione non sono ancora passati");
        }
        let attestata = match &latest {
            Some((protocollo, head)) => {
                Some((protocollo.clone(), self.archive.attestation(head)?.and_then(|found| found.attestazione.protocollo_mittente)))
            }
            None => None,
        };
        let base = Base { radice, protocollo, dsu: current, presentata, termini_da, ente, origine, attende, attestata, preconditions };
        // A current ISEE rests on what was attested; it must fit what waits, too.
        let Some((counts, _)) = latest.filter(|_| tipo == TipoOperazione::C && base.attende.is_some()) else { return Ok(Ok(base)) };
        if let Err(difetti) = applica(&base.dsu, dsu) {
            return Ok(Err(difetti));
        }
        let Some(declared) = self.archive.declaration(&counts)? else { return none() };
        Ok(Ok(Base { protocollo: counts, dsu: declared, attende: None, ..base }))
    }

    /// From when the terms run: when the latest whole declaration was presented.
    pub(super) fn termini_da(&self, versioni: &Versioni, presentata: Date) -> Result<Date, SiiError> {
        let whole = versioni.0.iter().rev().find(|versione| matches!(versione.operazione.as_str(), "N" | "R"));
        let Some(whole) = whole else { return Ok(presentata) };
        let entry = self.archive.entry(&whole.position)?;
        Ok(entry.leaf.body.facts.get("presentata").and_then(|day| day.as_str()?.parse().ok()).unwrap_or(presentata))
    }

    /// Operation C: the DSU stays as it is; its current ISEE has a protocol and a validity of its own.
    async fn corrente(
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
            return Ok(refused(difetto("K17.base", RIFERIMENTO, "la DSU di riferimento non ha un ISEE valido alla presentazione"), 0));
        };
        let order = (base.presentata, base.origine);
        if self.replaced(&base.dsu.codice_fiscale_dichiarante, &base.radice, order, presented, &mut preconditions)? {
            return Ok(refused(difetto("K17.base", RIFERIMENTO, "dopo la DSU di riferimento il dichiarante ne ha presentata un'altra"), 0));
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
            return Ok(refused(difetto("K17.scostamento", "/Dichiarazione/ISEECorrente", text), 0));
        }
        let protocollo = self.protocol(presented.year()).await?;
        let scadenza = changes.scadenza(presented, of_today);
        let form = Sostitutivo { protocollo: &protocollo, presentato: presented, scadenza };
        let about = current(received, &base.protocollo, base.presentata, form, None);
        let against = omissioni(effettiva, base.presentata, of_base, &fonti.known, received.occasion.today);
        let about = attest::Occasion { omissioni: against, ..about };
        let attestazione = attest(effettiva, &indicatori, of_base, about);
        let receipt = self.receipt(received, &attestazione, &indicatori, of_base, esame)?;
        let version = Versione {
            protocollo: &protocollo,
            radice: &protocollo,
            effettiva: Some(effettiva),
            dsu: effettiva,
            validita: (presented, scadenza),
            base: Some(&base.radice),
            di: received.ente,
            attestazione: &attestazione,
            rules: of_base,
            fonti: &fonti,
            altrui: false,
            receipt: &receipt,
            specifico: indicatori.specifico.as_ref(),
            origine: None,
            attendeva: None,
        };
        let drafts = self.drafts(received, version, 0, &mut preconditions)?;
        Ok(received.accepted(protocollo.clone(), receipt.clone(), drafts, preconditions))
    }

    /// What rests on a DSU that has changed is computed again: its current ISEE that are still valid.
    pub(super) fn recompute_current(
        &self,
        received: Ricevuta<'_>,
        (base, presentata): (&str, Date),
        (protocollo, effettiva, kept): (&str, &Dichiarazione, &Fonti),
        drafts: &mut Vec<Draft>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Result<(), Vec<Difetto>>, SiiError> {
        let Some(rules) = self.settings.rules.on(presentata) else { return Ok(Ok(())) };
        let mut seen: Vec<String> = Vec::new();
        for position in self.archive.correnti(base)? {
            let Some(secret) = self.archive.open_unless_erased(&self.archive.entry(&position)?)? else { continue };
            let Some(protocol) = secret.protocol.first() else { continue };
            let radice = stem_of(protocol);
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
            // What it changes is not there any more: it must be ended before, or it would go on as if nothing had happened.
            let Ok(current_dsu) = applica(effettiva, &form) else {
                let text = "un ISEE corrente valido riguarda chi non fa più parte del nucleo: annullare prima il suo modulo sostitutivo";
                return Ok(Err(difetto("K02.sostitutivo", RIFERIMENTO, text)));
            };
            let first = versioni.0.first().map(|first| self.archive.entry(&first.position)).transpose()?;
            let Some(ente) = first.and_then(|first| first.leaf.body.ente.clone()) else { continue };
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
                di: &ente,
                attestazione: &attestazione,
                rules,
                fonti: &fonti,
                altrui: false,
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

    /// Operation X: nothing of the DSU, nor of what rests on it, is found any more; all of it stays in the ledger.
    async fn annulla(
        &self,
        received: Ricevuta<'_>,
        base: &Base,
        esame: Esame,
        mut preconditions: Vec<Precondition>,
    ) -> Result<Outcome, SiiError> {
        let utilizzi = self.utilizzi(base).await?;
        let about = self.about(received, base.presentata, esame)?;
        let receipt = receipt::cancellation(&base.protocollo, about);
        let traccia = Traccia {
            protocollo: &base.protocollo,
            radice: &base.radice,
            receipt: &receipt,
            utilizzi,
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

    /// How many exchanges have given away what is cancelled; nothing where that cannot be counted.
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

/// What the attestation of a current ISEE says.
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
