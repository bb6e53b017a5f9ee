//! Refusals too many to record one by one: failed handshakes, certificates of nobody, an ente's requests over
//! its places, unreadable HTTP heads, replies nobody took. They are counted by reason (and by certificate, if
//! one was shown) and recorded together, in an entry of kind `gathered`. The number of groups is bounded;
//! beyond it refusals are counted without certificate.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use uuid::Uuid;

use super::node::Node;
use crate::gateway::facts::GRUPPI;
use crate::ledger::{Body, Kind, Retention, Role, Submission, new_exchange};
use crate::refusal::regole;

regole! {
    /// Reasons counted here. Their client gets no answer, or one without a word.
    enum Stretta {
        E98NonConsegnata: "E98.non-consegnata",
            "Una risposta registrata che il client non ha preso: la connessione è finita prima",
            "chiedere di nuovo; la voce elenca gli scambi";
        E99Interno: "E99.interno", "Errore della porta durante uno scambio: HTTP 503 senza corpo", "segnalarlo a chi gestisce la porta";
        H01SenzaCertificato: "H01.senza-certificato", "Nessun certificato presentato", "presentare il certificato dell'ente";
        H02Certificato: "H02.certificato", "Certificato scaduto, revocato, di un'altra autorità o fuori dal profilo ammesso", "rinnovarlo, o usarne uno di un'autorità che la porta accetta";
        H03Tls: "H03.tls", "Versione di TLS, cifrari o messaggi non ammessi", "usare TLS 1.2 o 1.3";
        H04Tempo: "H04.tempo", "Stretta di mano non conclusa nel tempo ammesso", "controllare la rete";
        H05Interrotto: "H05.interrotto", "Connessione interrotta durante la stretta di mano", "controllare la rete";
        H06Http: "H06.http", "Intestazione HTTP illeggibile o troppo lunga: HTTP 400, 414 o 431 senza corpo", "correggere il client";
        H07Posto: "H07.posto", "Stretta di mano lasciata a metà mentre tutti i posti erano presi", "riprovare; controllare la rete";
        H08Connessioni: "H08.connessioni",
            "Troppe connessioni con lo stesso certificato",
            "chiudere quelle che non servono, o usarle a turno";
        H09Proxy: "H09.proxy",
            "Da un bilanciatore configurato, senza l'intestazione PROXY versione 2",
            "attivare send-proxy-v2 sul bilanciatore";
        H10TentativiEnte: "H10.tentativi-ente",
            "Un ente ha esaurito i suoi tentativi: troppi protocolli indicati invano",
            "controllarli con l'ente";
        H11TentativiDichiarante: "H11.tentativi-dichiarante",
            "Un ente ha esaurito i tentativi per un dichiarante: troppi protocolli indicati invano",
            "controllarli con l'ente";
    }
}

/// Groups kept apart between two flushes.
const GROUPS: usize = 100;
/// Exchanges named between two flushes, in all groups: an entry has no room for more. The rest are counted.
const NAMED: usize = 40;
/// Refusals recorded one by one in a minute, for each certificate of a known ente.
const EARLY: u32 = 10;

/// A reason, and the certificate shown, if any.
type Group = (&'static str, Option<String>);

/// The counts since the last flush.
#[derive(Debug, Default)]
pub struct Gathered {
    counts: Mutex<BTreeMap<Group, u64>>,
    /// Exchanges, with their groups.
    named: Mutex<Vec<(Group, Uuid)>>,
    /// The present minute, and its refusals by certificate. The first `EARLY` of each are recorded one by
    /// one.
    early: Mutex<(i64, BTreeMap<String, u32>)>,
    totals: Family<Reason, Counter>,
}

/// The label of a total: the code of its reason.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Reason {
    reason: &'static str,
}

impl Gathered {
    /// Whether a refusal is one of the first few of its certificate in this minute. These are recorded one by
    /// one.
    pub fn is_early(&self, certificate: &str, now: Timestamp) -> bool {
        let minute = now.as_second() / 60;
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if early.0 != minute {
            *early = (minute, BTreeMap::new());
        }
        if early.1.len() >= GROUPS && !early.1.contains_key(certificate) {
            return false;
        }
        let count = early.1.entry(certificate.to_owned()).or_default();
        *count += 1;
        *count <= EARLY
    }

    /// Refusals since the start, by reason.
    pub fn totals(&self) -> &Family<Reason, Counter> {
        &self.totals
    }

    /// Counts one refusal, in the totals and for the next entry.
    pub fn count(&self, reason: &'static str, certificate: Option<&str>) {
        self.totals.get_or_create(&Reason { reason }).inc();
        self.add(reason, certificate, 1);
    }

    /// Counts one exchange, and names it in the next entry.
    pub fn name(&self, reason: &'static str, certificate: &str, exchange: Uuid) {
        self.count(reason, Some(certificate));
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.len() < NAMED {
            named.push(((reason, Some(certificate.to_owned())), exchange));
        }
    }

    fn add(&self, reason: &'static str, certificate: Option<&str>, count: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut group = (reason, certificate.map(str::to_owned));
        if counts.len() >= GROUPS && !counts.contains_key(&group) {
            group.1 = None;
        }
        *counts.entry(group).or_default() += count;
    }

    /// Records the counts. After a failure they are kept for the next time.
    pub async fn flush(&self, node: &Node) {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        let named = std::mem::take(&mut *self.named.lock().unwrap_or_else(PoisonError::into_inner));
        let group = |(group, count): (&Group, &u64)| {
            let (reason, certificate) = group;
            let mut told =
                serde_json::json!({ "motivo": reason, "certificato": certificate, "numero": count });
            let exchanges: Vec<_> = named
                .iter()
                .filter(|(of, _)| of == group)
                .map(|(_, exchange)| exchange)
                .collect();
            if !exchanges.is_empty() {
                told["scambi"] = serde_json::json!(exchanges);
            }
            told
        };
        let groups: Vec<_> = counts.iter().map(group).collect();
        let now = node.clock.now();
        let recorded = async {
            let exchange = new_exchange(now).ok()?;
            let mut body = Body::new(Kind::Gathered, Retention::Sistema, exchange, now).fact(GRUPPI, groups);
            body.role = Some(Role::Erogatore);
            body.outcome = Some("RIFIUTATI".to_owned());
            let draft = node.ledger.prepare_open(body).ok()?;
            node.ledger
                .committer
                .submit(Submission {
                    drafts: vec![draft],
                    preconditions: Vec::new(),
                })
                .await
                .ok()
        };
        if recorded.await.is_none() {
            // Through the bound: the kept counts must fit an entry too.
            for ((reason, certificate), count) in counts {
                self.add(reason, certificate.as_deref(), count);
            }
            let mut kept = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            let room = NAMED.saturating_sub(kept.len());
            kept.extend(named.into_iter().take(room));
        }
    }
}
