//! The state of a running gateway, for people: `varco status`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Gateway;
use super::lists::NEAR;
use super::node::Node;
use crate::clock::day;
use crate::evidence::signing::SignedSoFar;
use crate::ledger::ViewError;
use crate::ledger::committer::Health;
use crate::ledger::scrub::Scrub;
use crate::sii::upkeep::InAttesa;

/// The state of a gateway, as `varco status` shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub versione: String,
    /// Since when it serves.
    pub avviata: Timestamp,
    /// Address of the listener; before it listens, the configured one.
    pub indirizzo: String,
    /// Id of the ledger.
    pub registro: String,
    /// `scrivibile`, `non scrivibile`, `fermo`.
    pub stato_registro: String,
    /// Sequence of the last entry.
    pub voci: u64,
    /// Entries of the last checkpoint signed. None: none was.
    #[serde(default)]
    pub checkpoint: Option<u64>,
    /// Submissions waiting for the ledger.
    pub in_attesa: i64,
    /// Number of enti, by today's state.
    pub enti: BTreeMap<String, usize>,
    /// The server's certificates: file and last instant.
    pub certificati: Vec<(String, Timestamp)>,
    /// The end of the first list to end. None without lists.
    pub crl: Option<Timestamp>,
    /// When all closed segments of the ledger had been read again, and their number.
    pub riletti: Option<(Timestamp, u64)>,
    /// Bytes still free where the data directory is.
    #[serde(default)]
    pub spazio_libero: Option<u64>,
    /// DSU received and waiting to be attested, and why.
    #[serde(default)]
    pub dsu_in_attesa: InAttesa,
    /// Warnings for the operator, in Italian.
    pub avvertenze: Vec<String>,
    /// Whether it is ready, as `/ready` says.
    #[serde(default)]
    pub pronta: bool,
}

/// Waiting DSU explained in the status, at most.
const WAITING: usize = 10;

/// An operator is warned below this free space, bytes. On a busy day an ente's exchanges take some hundred
/// megabytes.
const LITTLE: u64 = 1 << 30;

/// The warning about so many free bytes, if they are few.
pub(super) fn of_space(free: u64) -> Option<String> {
    let mib = free >> 20;
    (free < LITTLE)
        .then(|| format!("dove sono i dati restano {mib} MiB liberi: quando finiscono la porta risponde 503, finché non ce ne sono altri"))
}

impl Status {
    /// The present state of a gateway.
    pub fn of(gateway: &Gateway) -> Result<Self, ViewError> {
        let node = &gateway.node;
        let health = match &*node.ledger.committer.health().borrow() {
            Health::Good => "scrivibile",
            Health::Unavailable => "non scrivibile",
            Health::Fatal(_) => "fermo",
        };
        let now = gateway.clock.now();
        let (mut enti, today) = (BTreeMap::new(), day(now));
        for ente in node.registry.enti()? {
            *enti.entry(ente.standing(today).to_owned()).or_default() += 1;
        }
        let settings = gateway.settings.load();
        let instant = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let all = settings.channel.identities.all();
        let certificati: Vec<_> = all
            .iter()
            .map(|identity| (identity.name.clone(), instant(identity.expires())))
            .collect();
        let crl = settings.channel.revocations.expires().map(instant);
        let mut avvertenze = Vec::new();
        avvertenze.extend(settings.faults(now));
        avvertenze.extend(settings.notices(now));
        let signed = node.signed();
        avvertenze.extend(of_ledger(node, health, signed));
        let spazio_libero = node.free();
        let dsu_in_attesa = node.upkeep.waiting(now, WAITING).unwrap_or_else(|error| {
            avvertenze.push(format!("le DSU in attesa non si possono leggere: {error}"));
            InAttesa::default()
        });
        avvertenze.extend(spazio_libero.and_then(of_space));
        avvertenze.extend(of_attempts(&node.services.tentativi.exhausted(now)));
        Ok(Self {
            versione: env!("CARGO_PKG_VERSION").to_owned(),
            avviata: gateway.started,
            indirizzo: gateway
                .address
                .get()
                .unwrap_or(&gateway.config.listen)
                .to_string(),
            registro: node.ledger.id.to_string(),
            stato_registro: health.to_owned(),
            voci: u64::try_from(node.ledger.committer.meter().head.get()).unwrap_or_default(),
            checkpoint: signed.map(|signed| signed.entries).filter(|entries| *entries > 0),
            in_attesa: node.ledger.committer.meter().waiting.get(),
            enti,
            certificati,
            crl,
            riletti: gateway
                .scrub
                .get()
                .map(Scrub::rounds)
                .and_then(|rounds| Some((rounds.ended?, rounds.segments))),
            spazio_libero,
            dsu_in_attesa,
            avvertenze,
            pronta: Readiness::of(gateway).ready,
        })
    }
}

/// Whether clients can be answered: the ledger is writable, and a certificate can get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Answer of `/ready`: 200 if true, else 503.
    pub ready: bool,
    /// The reasons, and lists about to keep a client out. In English, for machines and logs.
    pub says: Vec<String>,
}

impl Readiness {
    /// The readiness of a gateway, now.
    pub fn of(gateway: &Gateway) -> Self {
        let now = gateway.clock.now().as_second();
        let settings = gateway.settings.load();
        let revocations = &settings.channel.revocations;
        let standing = revocations.standing(now);
        let instant = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let (mut ready, mut says) = (true, Vec::new());
        if *gateway.node.ledger.committer.health().borrow() != Health::Good {
            ready = false;
            says.push("ledger not writable".to_owned());
        }
        let alive = standing.next_update.or(standing.grace_until);
        if alive.is_none() && !revocations.has_responders() {
            ready = false;
            says.push("no revocation list counts: nobody gets in".to_owned());
        } else if standing.over > 0 {
            says.push(format!(
                "{} revocation lists are over: whoever depends on them does not get in",
                standing.over
            ));
        }
        if let Some(until) = standing.grace_until.map(instant) {
            says.push(format!(
                "a revocation list counts until {until} by the grace alone"
            ));
        }
        if let Some(at) = standing.next_update.filter(|at| at - now <= NEAR).map(instant) {
            says.push(format!("a revocation list ends at {at}"));
        }
        Self { ready, says }
    }
}

/// Warnings about the ledger: not writable, not signed, damaged, with damaged keys.
fn of_ledger(node: &Node, health: &str, signed: Option<SignedSoFar>) -> Vec<String> {
    let mut warnings = Vec::new();
    if health != "scrivibile" {
        warnings.push("il registro non può essere scritto: la porta risponde 503".to_owned());
    }
    if signed.is_some_and(|signed| signed.failing) {
        warnings.push("i checkpoint del registro non si possono scrivere: il log dice perché".to_owned());
    }
    let damaged = node.damage.places().into_iter();
    warnings.extend(damaged.map(|place| format!("il registro è danneggiato: {place}")));
    let keys = &node.ledger.keys;
    warnings.extend(keys.damaged().into_iter().map(|id| {
        let what = keys.describe(id).unwrap_or_default();
        format!("la chiave {id} ({what}) è danneggiata, le sue voci sono illeggibili: varco ledger verify le nomina")
    }));
    warnings
}

/// Warnings about enti with too many protocols named in vain: somebody may be guessing.
fn of_attempts(exhausted: &BTreeMap<String, (bool, usize)>) -> Vec<String> {
    let mut warnings = Vec::new();
    for (ente, (own, declarants)) in exhausted {
        if *own {
            warnings.push(format!("l'ente {ente} ha indicato invano troppi protocolli: chi ne indica riceve 429; controllare con l'ente"));
        }
        if *declarants > 0 {
            warnings.push(format!(
                "l'ente {ente} ha indicato invano troppi protocolli per singoli dichiaranti (quanti: {declarants}): controllare con l'ente"
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_said() {
        assert_eq!(of_space(LITTLE), None);
        assert!(of_space(LITTLE - 1).unwrap().contains("1023 MiB"));
        assert!(of_space(0).unwrap().contains("restano 0 MiB"));
    }
}
