//! The fate of a DSU or of a lot, told only to its transmitting ente.

use super::archive::Archive;
use super::compute::persons_of;
use super::entries::Head;
use super::incoming::{ente_of, internal};
use super::receipt::presentation_of;
use super::seen::Versioni;
use crate::contract;
use crate::contract::bind::Base64;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, Completamento, EsitoDsu, EsitoLotto};
use crate::digest::{hex, sha256};
use crate::isee::codes::{StatoDsu, TipoOperazione};
use crate::ledger::{Entry, Precondition, Tokens};
use crate::registry::Registry;
use crate::sii::answers::{DsuFate, Found};
use crate::sii::facts::{ALTRUI, BASE, OPERAZIONE, PRESENTATA, VERSIONE};
use crate::sii::protocol::{number_of, stem_of, version_of};
use crate::sii::{Said, SiiError};
use crate::xml::{DocumentLimits, parse};

/// Maximum of current ISEE searched for other enti's completions: the latest. Earlier builds set no bound.
const COMPLETIONS: usize = 100;

/// The fate of a DSU transmitted by `ente`. `None`: no such DSU, or erased.
pub(super) fn of_dsu(
    archive: &Archive,
    registry: &Registry,
    ente: &str,
    chiave: &ChiaveDsu,
) -> Result<Said<Option<Box<DsuFate>>>, SiiError> {
    let mut preconditions = Vec::new();
    let entry = match chiave {
        ChiaveDsu::ProtocolloMittente(sender) => {
            // As sent, or without white space around it, added by a program.
            let found = match archive.earlier(ente, sender, &mut preconditions)? {
                None if sender.trim() != sender => {
                    archive.earlier(ente, sender.trim(), &mut preconditions)?
                }
                found => found,
            };
            found
                .map(|earlier| archive.entry(&earlier.position))
                .transpose()?
        }
        // Another ente's DSU is not found: its existence is not told.
        ChiaveDsu::ProtocolloDsu(protocol) => archive.dsu_of(ente, protocol.trim())?,
    };
    let guessed = matches!(chiave, ChiaveDsu::ProtocolloDsu(_)) && entry.is_none();
    let mut told = entry
        .map(|entry| describe(archive, ente, &entry, &mut preconditions))
        .transpose()?
        .flatten();
    if let Some(told) = &mut told {
        told.esito.completamento = completions(archive, registry, ente, &told.esito.protocollo_dsu)?;
    }
    Ok(Said {
        falliti: u32::from(guessed),
        ..Said::read(told.map(Box::new), preconditions)
    })
}

/// The fate of the DSU of an entry. `None`: erased.
fn describe(
    archive: &Archive,
    ente: &str,
    entry: &Entry,
    preconditions: &mut Vec<Precondition>,
) -> Result<Option<DsuFate>, SiiError> {
    let Some(secret) = archive.open_unless_erased(entry)? else {
        return Ok(None);
    };
    let dsu = secret.dsu.ok_or_else(|| internal("an entry without DSU"))?;
    let mut protocols = secret.protocol.into_iter();
    let protocollo_dsu = protocols
        .next()
        .ok_or_else(|| internal("a DSU without its protocol"))?;
    // Another declarant's, or another ente's, even if an earlier build recorded otherwise.
    let others = archive.owner(stem_of(&protocollo_dsu))?.as_deref() != Some(ente);
    let altrui = others || entry.leaf.body.has(ALTRUI);
    let receipt = match secret.receipt.filter(|receipt| !receipt.is_empty()) {
        Some(kept) if others => presentation_of(&kept, entry)?,
        // A version made by the rules has no receipt.
        kept => kept.unwrap_or_else(String::new),
    };
    // The receipt says nothing of somebody else's DSU: only the persons named by the declaration itself are
    // read.
    let persone = if altrui { persons_of(&dsu)? } else { secret.cf };
    let versioni = archive.versioni(stem_of(&protocollo_dsu), preconditions)?;
    let protocollo_mittente = match protocols.next() {
        Some(own) => own,
        None => senders_protocol(archive, &versioni)?
            .ok_or_else(|| internal("a DSU without its sender's protocol"))?,
    };
    let presentata = entry.leaf.body.day(PRESENTATA);
    let mut esito = EsitoDsu {
        stato: StatoDsu::Ricevuta,
        istante_ricezione: entry
            .leaf
            .body
            .received
            .parse()
            .map_err(|_| internal("an instant"))?,
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
    if versioni.annullata() || (altrui && is_under_a_cancelled(archive, entry)?) {
        esito.stato = StatoDsu::Annullata;
    } else if !altrui {
        // The fate of somebody else's DSU is their affair.
        decide(archive, ente, entry, &versioni, &mut esito, preconditions)?;
    }
    Ok(Some(DsuFate { esito, persone }))
}

/// The sender's protocol of the first version: a recomputed version has no sender.
fn senders_protocol(archive: &Archive, versioni: &Versioni) -> Result<Option<String>, SiiError> {
    let Some(first) = versioni.0.first() else {
        return Ok(None);
    };
    let secret = archive.open_unless_erased(&archive.entry(&first.position)?)?;
    Ok(secret.and_then(|secret| secret.protocol.into_iter().nth(1)))
}

/// Decides the fate of a DSU not cancelled itself: attested, replaced, or ended with the DSU under it.
fn decide(
    archive: &Archive,
    ente: &str,
    entry: &Entry,
    versioni: &Versioni,
    esito: &mut EsitoDsu,
    preconditions: &mut Vec<Precondition>,
) -> Result<(), SiiError> {
    let radice = stem_of(&esito.protocollo_dsu);
    let heads = archive.of_protocol(&esito.protocollo_dsu, preconditions)?;
    let found = heads
        .first()
        .map(|head| archive.attestation(head))
        .transpose()?
        .flatten();
    // A current ISEE ends with the DSU under it.
    let base = found
        .as_ref()
        .map(|found| stem_of(&found.attestazione.numero_protocollo_dsu));
    if let Some(base) = base.filter(|base| *base != radice)
        && archive.versioni(base, preconditions)?.annullata()
    {
        esito.stato = StatoDsu::Annullata;
        return Ok(());
    }
    if let (Some(found), Some(head)) = (&found, heads.first()) {
        esito.stato = StatoDsu::Attestata;
        esito.data_attestazione = found.rilasciata;
        esito.data_validita = Some(head.scadenza);
    }
    // A later version takes its place, whoever made it. The sender of this one is told its protocol.
    let numero = number_of_entry(entry);
    if let Some(ultima) = versioni.ultima().filter(|ultima| ultima.numero > numero) {
        let attested = archive
            .attestata(&radice, versioni, preconditions)?
            .map(|(protocollo, _)| number_of(&protocollo));
        // A waiting version takes no attested one's place yet, only another waiting one's.
        if attested != Some(numero) {
            esito.stato = StatoDsu::Sostituita;
            let by = attested
                .filter(|attested| *attested > numero)
                .unwrap_or(ultima.numero);
            esito.protocollo_sostitutivo = version_of(&radice, by);
            return Ok(());
        }
    }
    let (Some(found), Some(head)) = (found, heads.first()) else {
        return Ok(());
    };
    if let Some(protocollo) = replacement(archive, ente, &found, head, preconditions)? {
        esito.stato = StatoDsu::Sostituita;
        esito.protocollo_sostitutivo = Some(protocollo);
    }
    Ok(())
}

/// The number of an entry's version: without one, the first.
fn number_of_entry(entry: &Entry) -> u32 {
    let numero = entry.leaf.body.number(VERSIONE);
    numero.and_then(|numero| u32::try_from(numero).ok()).unwrap_or(0)
}

/// The protocol of the DSU in place of an attested one: the latest of the same declarant (check K20). DSU
/// transmitted by other enti are not this ente's affair.
fn replacement(
    archive: &Archive,
    ente: &str,
    found: &Found,
    head: &Head,
    preconditions: &mut Vec<Precondition>,
) -> Result<Option<String>, SiiError> {
    let radice = stem_of(found.protocollo());
    let mut later = archive.presented_by(
        &found.attestazione.codice_fiscale_dichiarante,
        None,
        usize::MAX,
        preconditions,
    )?;
    later.retain(|other| {
        other.ente == ente && (other.presentata, other.origine) > (head.presentata, head.origine)
    });
    later.sort_by_key(|other| std::cmp::Reverse((other.presentata, other.origine)));
    for other in &later {
        // A cancelled one is not opened.
        if archive.versioni_of(other.key, &other.radice)?.annullata() {
            continue;
        }
        let Some(other) = archive.attestation_at(&other.position)? else {
            continue;
        };
        let stem = stem_of(other.protocollo());
        if stem == radice {
            continue;
        }
        let versioni = archive.versioni(stem.clone(), preconditions)?;
        if let Some((protocollo, _)) = archive.attestata(&stem, &versioni, preconditions)? {
            return Ok(Some(protocollo));
        }
    }
    Ok(None)
}

/// Whether an entry is a current ISEE on a cancelled DSU.
fn is_under_a_cancelled(archive: &Archive, entry: &Entry) -> Result<bool, SiiError> {
    let body = &entry.leaf.body;
    let base = body.text(BASE);
    let key = body.tokens.as_ref().map(Tokens::key);
    let Some((key, base)) = key.zip(base) else {
        return Ok(false);
    };
    Ok(archive.versioni_of(key, base)?.annullata())
}

/// The versions made by other enti of this ente's DSU, and their current ISEE on it, in their order. No
/// personal data.
fn completions(
    archive: &Archive,
    registry: &Registry,
    ente: &str,
    protocollo: &str,
) -> Result<Vec<Completamento>, SiiError> {
    let radice = stem_of(protocollo);
    if archive.owner(radice.clone())?.as_deref() != Some(ente) {
        return Ok(Vec::new());
    }
    let versioni = archive.versioni(radice.clone(), &mut Vec::new())?.0.into_iter();
    let mut places: Vec<_> = versioni
        .filter(|versione| versione.ente != ente && versione.operazione != TipoOperazione::X)
        .map(|v| v.position)
        .collect();
    for current in archive.correnti(&radice)?.into_iter().take(COMPLETIONS) {
        let first = archive
            .versioni_of(current.key, &current.radice)?
            .0
            .into_iter()
            .next();
        places.extend(
            first
                .filter(|first| first.ente != ente && first.operazione == TipoOperazione::C)
                .map(|first| first.position),
        );
    }
    let mut made = Vec::new();
    for place in places {
        let entry = archive.entry(&place)?;
        made.extend(completion(archive, registry, &entry)?.map(|completion| (entry.leaf.seq, completion)));
    }
    made.sort_by_key(|(sequence, _)| *sequence);
    Ok(made.into_iter().map(|(_, completion)| completion).collect())
}

/// The completion by another ente's declaration. `None`: erased.
fn completion(
    archive: &Archive,
    registry: &Registry,
    entry: &Entry,
) -> Result<Option<Completamento>, SiiError> {
    let Some(secret) = archive.open_unless_erased(entry)? else {
        return Ok(None);
    };
    let body = &entry.leaf.body;
    let operazione = body
        .get(OPERAZIONE)
        .and_then(|code| TipoOperazione::from_code(code.as_str()?));
    let codice_ente = ente_of(entry)?.to_owned();
    let known = registry.ente(&codice_ente)?;
    Ok(Some(Completamento {
        protocollo_dsu: secret
            .protocol
            .into_iter()
            .next()
            .ok_or_else(|| internal("a DSU without its protocol"))?,
        operazione: operazione.ok_or_else(|| internal("an operation"))?,
        istante_ricezione: body.received.parse().map_err(|_| internal("an instant"))?,
        denominazione_ente: known.map_or_else(|| codice_ente.clone(), |ente| ente.anagrafica.denominazione),
        codice_ente,
    }))
}

/// The outcome of a lot transmitted by `ente`. `None`: no such lot, or erased.
pub(super) fn of_lot(
    archive: &Archive,
    ente: &str,
    chiave: &ChiaveLotto,
) -> Result<Said<Option<Box<EsitoLotto>>>, SiiError> {
    let mut preconditions = Vec::new();
    let entry = match chiave {
        ChiaveLotto::ImprontaLotto(impronta) => {
            archive.lot(ente, &impronta.trim().to_ascii_lowercase(), &mut preconditions)?
        }
        ChiaveLotto::ProtocolloFlusso(protocol) => archive.lot_of_protocol(ente, protocol.trim())?,
    };
    let secret = entry
        .map(|entry| archive.open_unless_erased(&entry))
        .transpose()?
        .flatten();
    let Some(secret) = secret else {
        return Ok(Said::read(None, preconditions));
    };
    let kept = secret
        .receipt
        .ok_or_else(|| internal("a lot without its outcome"))?;
    let document =
        parse(&kept, &DocumentLimits::default()).map_err(|error| SiiError::Internal(error.to_string()))?;
    let lotto: EsitoLotto =
        contract::decode(&document).map_err(|error| SiiError::Internal(error.to_string()))?;
    Ok(Said::read(Some(Box::new(lotto)), preconditions))
}
