//! The entries of a declaration and of its attestation: their facts, keys and secrets.

use jiff::civil::Date;

use super::SiiError;
use super::archive::number_of;
use super::embedded::{Embedded, body_for, seal};
use super::embedded::{Fonti, persons_of};
use super::entries::{Toglie, person_key, protocol_key, sender_key};
use super::ricezione::Ricevuta;
use crate::clock::rome;
use crate::contract::{ISEE_NS, message};
use crate::isee::attestazione::Attestazione;
use crate::isee::codes::TipoOperazione;
use crate::isee::compute::casi::Specifico;
use crate::isee::dsu::Dichiarazione;
use crate::isee::righe::di_specifico;
use crate::isee::rules::{METODO, RuleSet};
use crate::ledger::{Body, Draft, Kind, Precondition, Secret, Tokens};

/// What is made of a declaration: a version with its attestation.
pub(super) struct Versione<'a> {
    pub(super) protocollo: &'a str,
    pub(super) radice: &'a str,
    /// The whole declaration after it, where that is not what came.
    pub(super) effettiva: Option<&'a Dichiarazione>,
    /// The one that was computed.
    pub(super) dsu: &'a Dichiarazione,
    /// By which days the attestation is found.
    pub(super) validita: (Date, Date),
    /// Protocol of the first version of the DSU that a current ISEE rests on.
    pub(super) base: Option<&'a str>,
    /// Whose DSU it is.
    pub(super) di: &'a str,
    pub(super) attestazione: &'a Attestazione,
    pub(super) rules: &'a RuleSet,
    /// What it was computed from.
    pub(super) fonti: &'a Fonti,
    pub(super) receipt: &'a str,
    /// The specific ISEE, where the period has it.
    pub(super) specifico: Option<&'a Specifico>,
    /// Sequence of the entry of the first version, where this is not that.
    pub(super) origine: Option<u64>,
    /// Sequence of what waited for this attestation.
    pub(super) attendeva: Option<u64>,
    /// Whether it completes somebody else's DSU.
    pub(super) altrui: bool,
}

/// What the entry of a declaration says, besides the declaration.
#[derive(Clone, Default)]
pub(super) struct Traccia<'a> {
    pub(super) protocollo: &'a str,
    pub(super) radice: &'a str,
    pub(super) effettiva: Option<&'a Dichiarazione>,
    pub(super) base: Option<&'a str>,
    pub(super) receipt: &'a str,
    /// Its place among the entries of this exchange.
    pub(super) after: u32,
    pub(super) utilizzi: Option<u32>,
    /// Whether it waits for an attestation.
    pub(super) attende: bool,
    /// Whether it completes somebody else's DSU.
    pub(super) altrui: bool,
    /// Sequence of what waited and does not any more.
    pub(super) attendeva: Option<u64>,
    /// Of a current ISEE: the ente that owns the DSU under it.
    pub(super) di: Option<&'a str>,
    /// Of a cancellation: the attestations that it ends.
    pub(super) toglie: Toglie,
    /// Of the cancellation of a current ISEE: the first version of the DSU under it.
    pub(super) sotto: Option<String>,
}

impl Embedded {
    /// The two entries of a version.
    pub(super) fn drafts(
        &self,
        received: Ricevuta<'_>,
        version: Versione<'_>,
        after: u32,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Draft>, SiiError> {
        let traccia = Traccia {
            protocollo: version.protocollo,
            radice: version.radice,
            effettiva: version.effettiva,
            base: version.base,
            receipt: version.receipt,
            altrui: version.altrui,
            di: version.base.map(|_| version.di),
            after,
            ..Traccia::default()
        };
        let declaration = self.declaration(received, traccia, preconditions)?;

        Ok(vec![declaration, self.attestation(received, &version, received.occasion.ordinal + after + 1)?])
    }

    /// The entry of an attestation.
    pub(super) fn attestation(&self, received: Ricevuta<'_>, version: &Versione<'_>, ordinal: u32) -> Result<Draft, SiiError> {
        let keys = &self.ledger.keys;
        let year = rome(received.occasion.received).year();
        let members = version.dsu.codici();
        let cf = members.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let protocols = received.protocols(version.protocollo);
        let protocol = protocols.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens { year, cf: cf.clone(), operator: None, protocol: protocol.clone(), address: None };
        let body = body_for(received.ente, received.operation, received.occasion, Kind::Attestation, &tokens);
        let mut body = self.attested(body, version, received.operazione, received.occasion.today)?;
        body.keys = cf.iter().map(|token| person_key(year, token)).collect();
        body.keys.extend(protocol.first().map(|token| protocol_key(year, token)));
        let secret = Secret {
            cf: members,
            protocol: protocols,
            attestation: Some(message("Attestazione", ISEE_NS, version.attestazione, false)),
            specifico: version.specifico.map(di_specifico),
            riferite: version.fonti.riferite.clone(),
            feed: Some(serde_json::to_value(&version.fonti.known).map_err(|error| SiiError::Internal(error.to_string()))?),
            ..Secret::default()
        };
        seal(&self.ledger, body, &secret, received.occasion, ordinal)
    }

    /// The facts of an attestation.
    fn attested(&self, body: Body, version: &Versione<'_>, operazione: TipoOperazione, rilasciata: Date) -> Result<Body, SiiError> {
        let (keys, rules) = (&self.ledger.keys, version.rules);
        let year = body.tokens.as_ref().map_or_else(|| rilasciata.year(), |tokens| tokens.year);
        let mut body = body
            .fact("presentata", version.validita.0.to_string())
            .fact("scadenza", version.validita.1.to_string())
            .fact("rilasciata", rilasciata.to_string())
            .fact("regole", &rules.id)
            .fact("regole_impronta", &rules.digest)
            .fact("metodo", METODO)
            .fact("operazione", operazione.code())
            .fact("versione", number_of(version.protocollo))
            .fact("radice", keys.token(year, "protocol", version.radice)?)
            .fact("dichiarante", keys.token(year, "cf", &version.dsu.codice_fiscale_dichiarante.canonical())?)
            .fact("di", version.di);
        for (name, sequence) in [("origine", version.origine), ("attendeva", version.attendeva)] {
            if let Some(sequence) = sequence {
                body = body.fact(name, sequence);
            }
        }
        if let Some(base) = version.base {
            body = body.fact("base", keys.token(year, "protocol", base)?);
        }
        Ok(body)
    }

    /// The entry of a declaration.
    pub(super) fn declaration(
        &self,
        received: Ricevuta<'_>,
        traccia: Traccia<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Draft, SiiError> {
        let Traccia { protocollo, effettiva, base, receipt, after, .. } = traccia;
        let keys = &self.ledger.keys;
        let ente = received.ente;
        let year = rome(received.occasion.received).year();
        let protocols = received.protocols(protocollo);
        let protocol = protocols.iter().map(|text| keys.token(year, "protocol", text)).collect::<Result<Vec<_>, _>>()?;
        let radice = keys.token(year, "protocol", traccia.radice)?;
        // The token key of the year may have been made after the protocols were looked for: then nobody had used them under that key, and
        // nobody may have since. A new protocol was never used at all.
        let mut own = vec![protocol_key(year, &radice)];
        // A cancellation has the protocol of what it cancels.
        own.extend(protocol.first().filter(|_| received.operazione != TipoOperazione::X).map(|token| protocol_key(year, token)));
        own.extend(protocol.get(1).map(|sender| sender_key(ente, year, sender)));
        for key in own {
            if !preconditions.iter().any(|known| known.key == key) {
                preconditions.push(Precondition { key, version: 0 });
            }
        }
        // An attestation is found by the members of the nucleus; the DSU names others too, whoever looks for what is held of them finds it: in what came,
        // and in the whole that is kept with it.
        let effettiva = effettiva.map(|dsu| message("Dichiarazione", ISEE_NS, dsu, false));
        let mut persone = received.persone.to_vec();
        for code in effettiva.as_deref().map(persons_of).transpose()?.unwrap_or_default() {
            if !persone.contains(&code) {
                persone.push(code);
            }
        }
        let named = persone.iter().map(|code| keys.token(year, "cf", code)).collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens { year, cf: named, operator: None, protocol: protocol.clone(), address: None };
        let mut body = body_for(received.ente, received.operation, received.occasion, Kind::Dsu, &tokens)
            .fact("impronta", keys.token(year, "impronta", received.impronta)?)
            .fact("presentata", received.presented.to_string())
            .fact("operazione", received.operazione.code())
            .fact("versione", number_of(protocollo))
            .fact("radice", &radice);
        let base = base.map(|base| keys.token(year, "protocol", base)).transpose()?;
        body = self.traced(body, received, &traccia, base.as_deref())?;
        body.keys = protocol.get(1).map(|sender| sender_key(ente, year, sender)).into_iter().collect();
        body.keys.push(protocol_key(year, &radice));
        if let Some(base) = base {
            // What changes the DSU must know of this.
            body.keys.push(protocol_key(year, &base));
        }
        let secret = Secret {
            cf: persone,
            protocol: protocols,
            dsu: Some(received.canonical.to_owned()),
            effettiva,
            receipt: Some(receipt.to_owned()).filter(|receipt| !receipt.is_empty()),
            ..Secret::default()
        };
        seal(&self.ledger, body, &secret, received.occasion, received.occasion.ordinal + after)
    }
}

impl Embedded {
    /// The facts that not every declaration has. `base` is the token of the DSU under a current ISEE.
    fn traced(&self, mut body: Body, received: Ricevuta<'_>, traccia: &Traccia<'_>, base: Option<&str>) -> Result<Body, SiiError> {
        let year = body.tokens.as_ref().map_or_else(|| received.presented.year(), |tokens| tokens.year);
        for (name, said) in [("ricalcolo", received.ricalcolo), ("attende", traccia.attende), ("altrui", traccia.altrui)] {
            if said {
                body = body.fact(name, true);
            }
        }
        if let Some(attendeva) = traccia.attendeva {
            body = body.fact("attendeva", attendeva);
        }
        for (name, text) in [("base", base), ("di", traccia.di)] {
            if let Some(text) = text {
                body = body.fact(name, text);
            }
        }
        if let Some(utilizzi) = traccia.utilizzi {
            body = body.fact("utilizzi", utilizzi);
        }
        if received.operazione != TipoOperazione::X {
            return match number_of(traccia.protocollo) {
                0 => Ok(body.fact("dichiarante", self.ledger.keys.token(year, "cf", &received.dichiarante.canonical())?)),
                _ => Ok(body),
            };
        }
        // It ends the versions recorded under the key of any year.
        body = body.fact("annulla", self.archive.stems(traccia.radice)?);
        if let Some(sotto) = &traccia.sotto {
            body = body.fact("sotto", self.archive.stems(sotto)?);
        }
        Ok(if traccia.toglie.is_empty() { body } else { body.fact("toglie", &traccia.toglie) })
    }
}

impl Ricevuta<'_> {
    /// The protocol given, and the sender's, where there is one.
    fn protocols(self, protocollo: &str) -> Vec<String> {
        let sender = Some(self.sender).filter(|sender| !sender.is_empty());
        [Some(protocollo), sender].into_iter().flatten().map(str::to_owned).collect()
    }
}
