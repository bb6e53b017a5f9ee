//! What became of a DSU or of a lot, told to the ente that transmitted it and to nobody else.

use super::archive::{Archive, number_of, stem_of, version_of};
use super::embedded::persons_of;
use super::receipt::presentation_of;
use super::{Answer, Outcome, SiiError};
use crate::contract;
use crate::contract::bind::Base64;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, Completamento, EsitoDsu, EsitoLotto};
use crate::digest::{hex, sha256};
use crate::isee::codes::{StatoDsu, TipoOperazione};
use crate::ledger::{Entry, Precondition};
use crate::registry::Registry;
use crate::xml::{Limits, parse};

/// How many current ISEE of other enti are told at most: the latest. Earlier builds set no bound to them.
const COMPLETIONS: usize = 100;

fn outcome(answer: Option<Answer>, preconditions: Vec<Precondition>) -> Result<Outcome, SiiError> {
    Ok(Outcome::read(answer.unwrap_or(Answer::NotFound), preconditions))
}

/// What became of a DSU that `ente` transmitted.
pub(super) fn of_dsu(archive: &Archive, registry: &Registry, ente: &str, chiave: &ChiaveDsu) -> Result<Outcome, SiiError> {
    let mut preconditions = Vec::new();
    let entry = match chiave {
        ChiaveDsu::ProtocolloMittente(sender) => {
            // As it was sent; or without the white space that a program put around it.
            let found = match archive.earlier(ente, sender, &mut preconditions)? {
                None if sender.trim() != sender => archive.earlier(ente, sender.trim(), &mut preconditions)?,
                found => found,
            };
            found.map(|earlier| archive.entry(&earlier.position)).transpose()?
        }
        // Another's is nobody's: that it exists is not told.
        ChiaveDsu::ProtocolloDsu(protocol) => archive.dsu_of(ente, protocol.trim())?,
    };
    let guessed = matches!(chiave, ChiaveDsu::ProtocolloDsu(_)) && entry.is_none();
    let mut found = entry.map(|entry| describe(archive, ente, &entry, &mut preconditions)).transpose()?.flatten();
    if let Some((dsu, _)) = &mut found {
        dsu.completamento = completions(archive, registry, ente, &dsu.protocollo_dsu)?;
    }
    let answer = found.map(|(dsu, persone)| Answer::EsitoDsu(Box::new(dsu), persone));
    Ok(Outcome { falliti: u32::from(guessed), ..outcome(answer, preconditions)? })
}

/// Nothing if it was erased.
fn describe(
    archive: &Archive,
    ente: &str,
    entry: &Entry,
    preconditions: &mut Vec<Precondition>,
) -> Result<Option<(EsitoDsu, Vec<String>)>, SiiError> {
    let internal = |what: &str| SiiError::Internal(what.to_owned());
    let Some(secret) = archive.open_unless_erased(entry)? else { return Ok(None) };
    let dsu = secret.dsu.ok_or_else(|| internal("an entry without DSU"))?;
    // Another declarant's, or another ente's, even if an earlier build recorded otherwise.
    let others = match secret.protocol.first() {
        Some(protocol) => archive.owner(stem_of(protocol))?.as_deref() != Some(ente),
        None => false,
    };
    let altrui = others || entry.leaf.body.facts.contains_key("altrui");
    let receipt = match secret.receipt.filter(|receipt| !receipt.is_empty()) {
        Some(kept) if others => presentation_of(&kept, entry)?,
        kept => kept.unwrap_or_default(),
    };
    // Of somebody else's DSU the receipt says nothing: read are those whom the declaration itself names.
    let persone = if altrui { persons_of(&dsu)? } else { secret.cf };
    let mut protocols = secret.protocol.into_iter();
    let Some(protocollo_dsu) = protocols.next() else { return Err(internal("a DSU without its protocol")) };
    let versioni = archive.versioni(stem_of(&protocollo_dsu), preconditions)?;
    // What was computed again came from nobody: the sender's protocol is that of the first version.
    let first = || -> Result<Option<String>, SiiError> {
        let Some(first) = versioni.0.first() else { return Ok(None) };
        let secret = archive.open_unless_erased(&archive.entry(&first.position)?)?;
        Ok(secret.and_then(|secret| secret.protocol.into_iter().nth(1)))
    };
    let protocollo_mittente = protocols.next().map_or_else(first, |own| Ok(Some(own)))?.unwrap_or_default();
    let presentata = entry.leaf.body.day("presentata");
    let mut esito = EsitoDsu {
        stato: StatoDsu::Ricevuta,
        istante_ricezione: entry.leaf.body.received.parse().map_err(|_| internal("an instant"))?,
        impronta: hex(&sha256(dsu.as_bytes())),
        data_presentazione: presentata.ok_or_else(|| internal("a day"))?,
        data_attestazione: None,
        data_validita: None,
        protocollo_sostitutivo: None,
        xml_ricevuta: Base64(receipt.into_bytes()),
        completamento: Vec::new(),
        protocollo_dsu,
        protocollo_mittente,
    };
    let facts = &entry.leaf.body.facts;
    if versioni.annullata() || (altrui && is_under_a_cancelled(archive, entry)?) {
        esito.stato = StatoDsu::Annullata;
        return Ok(Some((esito, persone)));
    }
    if altrui {
        // What became of somebody else's DSU is their affair.
        return Ok(Some((esito, persone)));
    }
    let heads = archive.of_protocol(&esito.protocollo_dsu, preconditions)?;
    let found = heads.first().map(|head| archive.attestation(head)).transpose()?.flatten();
    // A current ISEE ends with the DSU that it rests on.
    let base = found.as_ref().map(|found| stem_of(&found.attestazione.numero_protocollo_dsu));
    if let Some(base) = base.filter(|base| *base != stem_of(&esito.protocollo_dsu))
        && archive.versioni(base, preconditions)?.annullata()
    {
        esito.stato = StatoDsu::Annullata;
        return Ok(Some((esito, persone)));
    }
    if let (Some(found), Some(head)) = (&found, heads.first()) {
        esito.stato = StatoDsu::Attestata;
        esito.data_attestazione = found.rilasciata;
        esito.data_validita = Some(head.scadenza);
    }
    // A later version takes its place, whoever made it: which one it is, is told to whoever made this one.
    let numero = facts.get("versione").and_then(serde_json::Value::as_u64).unwrap_or_default();
    if let Some(ultima) = versioni.ultima().filter(|ultima| u64::from(ultima.numero) > numero) {
        let radice = stem_of(&esito.protocollo_dsu);
        let attested = archive.attestata(&radice, &versioni, preconditions)?.map(|(protocollo, _)| number_of(&protocollo));
        // One that waits takes no place yet, but that of another that waits.
        if attested.is_none_or(|attested| u64::from(attested) != numero) {
            esito.stato = StatoDsu::Sostituita;
            let by = attested.filter(|attested| u64::from(*attested) > numero).unwrap_or(ultima.numero);
            esito.protocollo_sostitutivo = version_of(&radice, by);
            return Ok(Some((esito, persone)));
        }
    }
    let (Some(found), Some(head)) = (found, heads.first()) else { return Ok(Some((esito, persone))) };
    // The latest of the same declarant counts (check K20); that another ente transmitted one is not this one's affair.
    let declarant = &found.attestazione.codice_fiscale_dichiarante;
    let radice = stem_of(found.protocollo());
    let mut later = archive.presented_by(declarant, usize::MAX, preconditions)?;
    later.retain(|other| other.ente == ente && (other.presentata, other.origine) > (head.presentata, head.origine));
    later.sort_by_key(|other| std::cmp::Reverse((other.presentata, other.origine)));
    for other in &later {
        // A cancelled one is not opened.
        if archive.versioni_of(other.year, &other.radice)?.annullata() {
            continue;
        }
        let Some(other) = archive.attestation_at(&other.position)? else { continue };
        if stem_of(other.protocollo()) == radice {
            continue;
        }
        let versioni = archive.versioni(stem_of(other.protocollo()), preconditions)?;
        if let Some((protocollo, _)) = archive.attestata(&stem_of(other.protocollo()), &versioni, preconditions)? {
            esito.stato = StatoDsu::Sostituita;
            esito.protocollo_sostitutivo = Some(protocollo);
            break;
        }
    }
    Ok(Some((esito, persone)))
}

/// Whether an entry is a current ISEE on a DSU that was cancelled.
fn is_under_a_cancelled(archive: &Archive, entry: &Entry) -> Result<bool, SiiError> {
    let body = &entry.leaf.body;
    let base = body.facts.get("base").and_then(|base| base.as_str());
    let year = body.tokens.as_ref().map(|tokens| tokens.year);
    let Some((year, base)) = year.zip(base) else { return Ok(false) };
    Ok(archive.versioni_of(year, base)?.annullata())
}

/// The versions that other enti made of a DSU of this ente, and their current ISEE on it, in their order. No personal data.
fn completions(archive: &Archive, registry: &Registry, ente: &str, protocollo: &str) -> Result<Vec<Completamento>, SiiError> {
    let radice = stem_of(protocollo);
    if archive.owner(radice.clone())?.as_deref() != Some(ente) {
        return Ok(Vec::new());
    }
    let versioni = archive.versioni(radice.clone(), &mut Vec::new())?.0.into_iter();
    let mut places: Vec<_> = versioni.filter(|versione| versione.ente != ente && versione.operazione != "X").map(|v| v.position).collect();
    for current in archive.correnti(&radice)?.into_iter().take(COMPLETIONS) {
        let first = archive.versioni_of(current.year, &current.radice)?.0.into_iter().next();
        places.extend(first.filter(|first| first.ente != ente && first.operazione == "C").map(|first| first.position));
    }
    let mut made = Vec::new();
    for place in places {
        let entry = archive.entry(&place)?;
        made.extend(completion(archive, registry, &entry)?.map(|completion| (entry.leaf.seq, completion)));
    }
    made.sort_by_key(|(sequence, _)| *sequence);
    Ok(made.into_iter().map(|(_, completion)| completion).collect())
}

/// The completion by another ente's declaration; None if it was erased.
fn completion(archive: &Archive, registry: &Registry, entry: &Entry) -> Result<Option<Completamento>, SiiError> {
    let internal = |what: &str| SiiError::Internal(what.to_owned());
    let Some(secret) = archive.open_unless_erased(entry)? else { return Ok(None) };
    let body = &entry.leaf.body;
    let operazione = body.facts.get("operazione").and_then(|code| TipoOperazione::from_code(code.as_str()?));
    let codice_ente = body.ente.clone().unwrap_or_default();
    let known = registry.ente(&codice_ente)?;
    Ok(Some(Completamento {
        protocollo_dsu: secret.protocol.into_iter().next().ok_or_else(|| internal("a DSU without its protocol"))?,
        operazione: operazione.ok_or_else(|| internal("an operation"))?,
        istante_ricezione: body.received.parse().map_err(|_| internal("an instant"))?,
        denominazione_ente: known.map_or_else(|| codice_ente.clone(), |ente| ente.anagrafica.denominazione),
        codice_ente,
    }))
}

/// What became of a lot that `ente` transmitted.
pub(super) fn of_lot(archive: &Archive, ente: &str, chiave: &ChiaveLotto) -> Result<Outcome, SiiError> {
    let mut preconditions = Vec::new();
    let entry = match chiave {
        ChiaveLotto::ImprontaLotto(impronta) => archive.lot(ente, &impronta.trim().to_ascii_lowercase(), &mut preconditions)?,
        ChiaveLotto::ProtocolloFlusso(protocol) => archive.lot_of_protocol(ente, protocol.trim())?,
    };
    let Some(entry) = entry else { return outcome(None, preconditions) };
    let Some(secret) = archive.open_unless_erased(&entry)? else { return outcome(None, preconditions) };
    let kept = secret.receipt.ok_or_else(|| SiiError::Internal("a lot without its outcome".to_owned()))?;
    let document = parse(&kept, &Limits::default()).map_err(|error| SiiError::Internal(error.to_string()))?;
    let lotto: EsitoLotto = contract::decode(&document).map_err(|error| SiiError::Internal(error.to_string()))?;
    outcome(Some(Answer::EsitoLotto(Box::new(lotto))), preconditions)
}
