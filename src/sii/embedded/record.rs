//! The entries of a declaration and of its attestation: their facts, keys and secrets.

use jiff::civil::Date;
use serde_json::value::to_raw_value;

use super::compute::{Computed, persons_of};
use super::entries::{Toglie, lot_key, person_key, protocol_key, sender_key};
use super::incoming::{Cause, Incoming, internal};
use super::system::Embedded;
use crate::contract::catalogue::Operation;
use crate::contract::trasmissione::{DsuDelLotto, EsitoLotto};
use crate::contract::{ISEE_NS, attestazione_emessa, message, persone_di};
use crate::isee::attestazione::Attestazione;
use crate::isee::codes::TipoOperazione;
use crate::isee::dsu::Dichiarazione;
use crate::isee::righe::di_specifico;
use crate::isee::rules::METODO;
use crate::isee::sintesi::Sintesi;
use crate::ledger::{
    Blinding, Body, Draft, KeyError, Keys, Kind, Precondition, Retention, Role, Secret, TokenKey, Tokens,
};
use crate::registry::Permit;
use crate::sii::facts;
use crate::sii::protocol::number_of;
use crate::sii::{Occasion, Said, SiiError};

/// A version of a DSU, or of a current ISEE, with its attestation.
pub(super) struct NewVersion<'a> {
    pub(super) protocollo: &'a str,
    pub(super) radice: &'a str,
    /// The whole declaration after it, if it differs from the received one.
    pub(super) effettiva: Option<&'a Dichiarazione>,
    /// First and last day of validity, for finding the attestation.
    pub(super) validita: (Date, Date),
    /// For a current ISEE: the first protocol of the DSU under it.
    pub(super) base: Option<&'a str>,
    /// The owner of the DSU.
    pub(super) di: &'a str,
    pub(super) attestazione: &'a Attestazione,
    pub(super) computed: &'a Computed<'a>,
    /// The receipt, if it has one.
    pub(super) receipt: Option<&'a str>,
    /// For a later version: sequence of the first version's entry.
    pub(super) origine: Option<u64>,
    /// Sequence of the declaration waiting for this attestation.
    pub(super) attendeva: Option<u64>,
    /// Whether it completes somebody else's DSU.
    pub(super) altrui: bool,
}

impl<'a> NewVersion<'a> {
    /// The first version of a DSU, valid as its attestation says.
    pub(super) fn first(
        protocollo: &'a str,
        di: &'a str,
        attestazione: &'a Attestazione,
        computed: &'a Computed<'a>,
    ) -> Self {
        let validita = (attestazione.data_presentazione, attestazione.data_validita);
        Self {
            protocollo,
            radice: protocollo,
            effettiva: None,
            validita,
            base: None,
            di,
            attestazione,
            computed,
            receipt: None,
            origine: None,
            attendeva: None,
            altrui: false,
        }
    }
}

/// The content of the entry of a declaration, besides the declaration.
#[derive(Clone, Default)]
pub(super) struct Trace<'a> {
    pub(super) protocollo: &'a str,
    pub(super) radice: &'a str,
    pub(super) effettiva: Option<&'a Dichiarazione>,
    pub(super) base: Option<&'a str>,
    pub(super) receipt: Option<&'a str>,
    /// Its place among the entries of this exchange.
    pub(super) after: u32,
    pub(super) utilizzi: Option<u32>,
    /// Whether it waits for an attestation.
    pub(super) attende: bool,
    /// Whether it completes somebody else's DSU.
    pub(super) altrui: bool,
    /// Sequence of a waiting declaration, no longer waiting after this one.
    pub(super) attendeva: Option<u64>,
    /// For a current ISEE: the owner of the DSU under it.
    pub(super) di: Option<&'a str>,
    /// For a cancellation: the attestations ended by it.
    pub(super) toglie: Toglie,
    /// For the cancellation of a current ISEE: the first protocol of the DSU under it.
    pub(super) sotto: Option<String>,
}

impl<'a> Trace<'a> {
    /// A trace with a protocol and the first version's; the rest is empty.
    pub(super) fn of(protocollo: &'a str, radice: &'a str) -> Self {
        Self {
            protocollo,
            radice,
            ..Self::default()
        }
    }
}

/// The tokens of some values.
fn tokens(keys: &Keys, key: TokenKey, label: &str, values: &[String]) -> Result<Vec<String>, KeyError> {
    values.iter().map(|value| keys.token(key, label, value)).collect()
}

/// The persons of a declaration as it came, then the others of the whole one. An attestation is found by the
/// members of the nucleus; a search for all data of a person must find the others too.
fn everybody(persone: &[String], effettiva: Option<&str>) -> Result<Vec<String>, SiiError> {
    let mut all = persone.to_vec();
    if let Some(effettiva) = effettiva {
        let named = persons_of(effettiva)?;
        all.extend(named.into_iter().filter(|code| !persone.contains(code)));
    }
    Ok(all)
}

impl Embedded {
    /// The two entries of a version: its declaration and its attestation.
    pub(super) fn drafts(
        &self,
        incoming: Incoming<'_>,
        version: &NewVersion<'_>,
        after: u32,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Vec<Draft>, SiiError> {
        let trace = Trace {
            effettiva: version.effettiva,
            base: version.base,
            receipt: version.receipt,
            altrui: version.altrui,
            di: version.base.map(|_| version.di),
            after,
            ..Trace::of(version.protocollo, version.radice)
        };
        let declaration = self.declaration(incoming, trace, preconditions)?;
        Ok(vec![declaration, self.attestation(incoming, version, after + 1)?])
    }

    /// The entry of an attestation, after `after` other entries of this exchange.
    pub(super) fn attestation(
        &self,
        incoming: Incoming<'_>,
        version: &NewVersion<'_>,
        after: u32,
    ) -> Result<Draft, SiiError> {
        let keys = &self.ledger.keys;
        let key = TokenKey::of(incoming.occasion.received, Retention::Dsu);
        let members = version.computed.dsu.codici();
        let cf = members
            .iter()
            .map(|code| keys.token(key, "cf", code))
            .collect::<Result<Vec<_>, _>>()?;
        let protocols = incoming.protocols(version.protocollo);
        let protocol = protocols
            .iter()
            .map(|text| keys.token(key, "protocol", text))
            .collect::<Result<Vec<_>, _>>()?;
        let tokens = Tokens {
            cf: cf.clone(),
            protocol: protocol.clone(),
            ..Tokens::under(key)
        };
        let body = body_for(
            incoming.ente,
            incoming.cause.operation(),
            incoming.occasion,
            Kind::Attestation,
            &tokens,
        );
        let mut body = self.attested(body, version, incoming.operazione, incoming.occasion.today)?;
        body.keys = cf.iter().map(|token| person_key(key, token)).collect();
        body.keys
            .extend(protocol.first().map(|token| protocol_key(key, token)));
        let testo = attestazione_emessa(version.attestazione);
        let sintesi = Sintesi::of(version.attestazione, persone_di(&testo));
        let secret = Secret {
            cf: members,
            protocol: protocols,
            attestation: Some(testo),
            indicatori: Some(sintesi.encode()),
            specifico: version.computed.indicatori.specifico.as_ref().map(di_specifico),
            riferite: version.computed.fonti.riferite.clone(),
            feed: Some(
                to_raw_value(&version.computed.fonti.known)
                    .map_err(|error| SiiError::Internal(error.to_string()))?,
            ),
            ..Secret::default()
        };
        self.seal(body, &secret, incoming.occasion, after)
    }

    /// The facts of an attestation.
    fn attested(
        &self,
        body: Body,
        version: &NewVersion<'_>,
        operazione: TipoOperazione,
        rilasciata: Date,
    ) -> Result<Body, SiiError> {
        let (keys, rules) = (&self.ledger.keys, version.computed.rules);
        let key = body.tokens.as_ref().map(Tokens::key);
        let key = key.ok_or_else(|| internal("an entry without tokens"))?;
        let mut body = body
            .fact(facts::PRESENTATA, version.validita.0.to_string())
            .fact(facts::SCADENZA, version.validita.1.to_string())
            .fact(facts::RILASCIATA, rilasciata.to_string())
            .fact(facts::REGOLE, &rules.id)
            .fact(facts::REGOLE_IMPRONTA, &rules.digest)
            .fact(facts::METODO, METODO)
            .fact(facts::OPERAZIONE, operazione.code())
            .fact(facts::VERSIONE, number_of(version.protocollo))
            .fact(facts::RADICE, keys.token(key, "protocol", version.radice)?)
            .fact(
                facts::DICHIARANTE,
                keys.token(
                    key,
                    "cf",
                    &version.computed.dsu.codice_fiscale_dichiarante.canonical(),
                )?,
            )
            .fact(facts::DI, version.di);
        for (fact, sequence) in [
            (facts::ORIGINE, version.origine),
            (facts::ATTENDEVA, version.attendeva),
        ] {
            if let Some(sequence) = sequence {
                body = body.fact(fact, sequence);
            }
        }
        if let Some(base) = version.base {
            body = body.fact(facts::BASE, keys.token(key, "protocol", base)?);
        }
        Ok(body)
    }

    /// The entry of a declaration.
    pub(super) fn declaration(
        &self,
        incoming: Incoming<'_>,
        trace: Trace<'_>,
        preconditions: &mut Vec<Precondition>,
    ) -> Result<Draft, SiiError> {
        let Trace {
            protocollo,
            effettiva,
            base,
            receipt,
            after,
            ..
        } = trace;
        let keys = &self.ledger.keys;
        let ente = incoming.ente;
        let came = incoming.came;
        let came = came.ok_or_else(|| internal("a declaration that has not come"))?;
        let key = TokenKey::of(incoming.occasion.received, Retention::Dsu);
        let protocols = incoming.protocols(protocollo);
        let protocol = tokens(keys, key, "protocol", &protocols)?;
        let radice = keys.token(key, "protocol", trace.radice)?;
        Self::unused(incoming, &radice, &protocol, preconditions);
        let effettiva = effettiva.map(|dsu| message("Dichiarazione", ISEE_NS, dsu, false));
        let persone = everybody(came.persone, effettiva.as_deref())?;
        let named = tokens(keys, key, "cf", &persone)?;
        let tokens = Tokens {
            cf: named,
            protocol: protocol.clone(),
            ..Tokens::under(key)
        };
        let mut body = body_for(
            incoming.ente,
            incoming.cause.operation(),
            incoming.occasion,
            Kind::Dsu,
            &tokens,
        )
        .fact(facts::IMPRONTA, keys.token(key, "impronta", came.impronta)?)
        .fact(facts::PRESENTATA, incoming.presented.to_string())
        .fact(facts::OPERAZIONE, incoming.operazione.code())
        .fact(facts::VERSIONE, number_of(protocollo))
        .fact(facts::RADICE, &radice);
        let base = base.map(|base| keys.token(key, "protocol", base)).transpose()?;
        body = self.traced(body, incoming, &trace, base.as_deref())?;
        body.keys = protocol
            .get(1)
            .map(|sender| sender_key(ente, key, sender))
            .into_iter()
            .collect();
        body.keys.push(protocol_key(key, &radice));
        if let Some(base) = base {
            // A change of the DSU must know of this entry.
            body.keys.push(protocol_key(key, &base));
        }
        let secret = Secret {
            cf: persone,
            protocol: protocols,
            dsu: Some(came.canonical.to_owned()),
            effettiva,
            receipt: receipt.map(str::to_owned),
            ..Secret::default()
        };
        self.seal(body, &secret, incoming.occasion, after)
    }

    /// Adds preconditions against other users of a declaration's protocols. The token key of the year may be
    /// newer than the look-ups of the protocols: then nobody had used them under this key, and nobody may
    /// have since. A new protocol was never used at all.
    fn unused(
        incoming: Incoming<'_>,
        radice: &str,
        protocol: &[String],
        preconditions: &mut Vec<Precondition>,
    ) {
        let key = TokenKey::of(incoming.occasion.received, Retention::Dsu);
        let mut own = vec![protocol_key(key, radice)];
        // A cancellation has the cancelled DSU's protocol.
        own.extend(
            protocol
                .first()
                .filter(|_| incoming.operazione != TipoOperazione::X)
                .map(|token| protocol_key(key, token)),
        );
        own.extend(
            protocol
                .get(1)
                .map(|sender| sender_key(incoming.ente, key, sender)),
        );
        for key in own {
            if !preconditions.iter().any(|known| known.key == key) {
                preconditions.push(Precondition { key, seen: 0 });
            }
        }
    }

    /// The facts present only in some declarations. `base` is the token of the DSU under a current ISEE.
    fn traced(
        &self,
        mut body: Body,
        incoming: Incoming<'_>,
        trace: &Trace<'_>,
        base: Option<&str>,
    ) -> Result<Body, SiiError> {
        let key = body.tokens.as_ref().map(Tokens::key);
        let key = key.ok_or_else(|| internal("an entry without tokens"))?;
        for (fact, said) in [
            (facts::RICALCOLO, matches!(incoming.cause, Cause::Rules)),
            (facts::ATTENDE, trace.attende),
            (facts::ALTRUI, trace.altrui),
        ] {
            if said {
                body = body.fact(fact, true);
            }
        }
        if let Some(attendeva) = trace.attendeva {
            body = body.fact(facts::ATTENDEVA, attendeva);
        }
        for (fact, text) in [(facts::BASE, base), (facts::DI, trace.di)] {
            if let Some(text) = text {
                body = body.fact(fact, text);
            }
        }
        if let Some(utilizzi) = trace.utilizzi {
            body = body.fact(facts::UTILIZZI, utilizzi);
        }
        if incoming.operazione != TipoOperazione::X {
            return match number_of(trace.protocollo) {
                0 => Ok(body.fact(
                    facts::DICHIARANTE,
                    self.ledger
                        .keys
                        .token(key, "cf", &incoming.dichiarante.canonical())?,
                )),
                _ => Ok(body),
            };
        }
        // It ends the versions recorded under the key of any year.
        body = body.fact(facts::ANNULLA, self.archive.stems(trace.radice)?);
        if let Some(sotto) = &trace.sotto {
            body = body.fact(facts::SOTTO, self.archive.stems(sotto)?);
        }
        Ok(if trace.toglie.is_empty() {
            body
        } else {
            body.fact(facts::TOGLIE, &trace.toglie)
        })
    }

    /// Gives a lot its protocol, and keeps its outcome.
    pub(super) async fn keep_lot(
        &self,
        permit: &Permit,
        dsu: &[DsuDelLotto],
        impronta: &str,
        occasion: Occasion<'_>,
    ) -> Result<Said<Box<EsitoLotto>>, SiiError> {
        let ente = &permit.ente().codice;
        let protocollo = self.protocol_of_lot(occasion.today.year()).await?;
        let accepted = dsu.iter().filter(|dsu| dsu.protocollo_dsu.is_some()).count();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let lotto = EsitoLotto {
            protocollo_flusso: protocollo.clone(),
            impronta_lotto: impronta.to_owned(),
            istante_ricezione: occasion.received,
            accettate: count(accepted),
            rifiutate: count(dsu.len() - accepted),
            dsu: dsu.to_vec(),
        };
        let key = TokenKey::of(occasion.received, Retention::Dsu);
        let token = self.ledger.keys.token(key, "lotto", impronta)?;
        let tokens = Tokens {
            protocol: vec![self.ledger.keys.token(key, "protocol", &protocollo)?],
            ..Tokens::under(key)
        };
        let mut body = body_for(
            ente,
            permit.admission().operation().name(),
            occasion,
            Kind::Dsu,
            &tokens,
        )
        .fact(facts::LOTTO, &token)
        .fact(facts::ACCETTATE, lotto.accettate)
        .fact(facts::RIFIUTATE, lotto.rifiutate);
        let key = lot_key(ente, key, &token);
        body.keys = vec![key.clone()];
        let kept = message(
            "EsitoLotto",
            Operation::TrasmissioneLotto.namespace(),
            &lotto,
            false,
        );
        let secret = Secret {
            protocol: vec![protocollo],
            receipt: Some(kept),
            ..Secret::default()
        };
        let draft = self.seal(body, &secret, occasion, 0)?;
        // Whatever year's key the look-up of the lot used, nobody has kept the same since.
        let preconditions = vec![Precondition { key, seen: 0 }];
        Ok(Said {
            drafts: vec![draft],
            ..Said::read(Box::new(lotto), preconditions)
        })
    }

    /// Seals an entry, after `after` other entries of this exchange.
    fn seal(
        &self,
        body: Body,
        secret: &Secret,
        occasion: Occasion<'_>,
        after: u32,
    ) -> Result<Draft, SiiError> {
        let blinding = Blinding::new()?;
        let prepared = self.ledger.prepare(
            body,
            secret,
            blinding,
            occasion.ordinal + after,
            occasion.received,
        );
        prepared.map_err(|error| SiiError::Internal(error.to_string()))
    }
}

/// The body of an entry about an ente's DSU.
fn body_for(ente: &str, operation: &str, occasion: Occasion<'_>, kind: Kind, tokens: &Tokens) -> Body {
    let mut body = Body::new(kind, Retention::Dsu, occasion.exchange, occasion.received);
    body.role = Some(Role::Erogatore);
    body.ente = Some(ente.to_owned());
    body.operation = Some(operation.to_owned());
    body.tokens = Some(tokens.clone());
    body
}
