//! Entries of kinds `asked` and `interrupted`, around a question to another system, and the view of the
//! questions without an end.
//!
//! - `asked`: facts `verso` (the system asked, as named in the configuration) and `domanda` (the question's
//!   name within the exchange); tokens and sealed part: the persons named in the question; `commit.request`:
//!   the bytes sent.
//! - The exchange's own entry ends its questions: fact `chieste`, the sequences of their `asked` entries.
//! - `interrupted`: the same fact. It ends the questions of an exchange without an entry: its process died,
//!   or it was refused without being recorded.

use jiff::Timestamp;
use uuid::Uuid;

use crate::contract::catalogue::Operation;
use crate::ledger::leaf::ORDINAL;
use crate::ledger::{
    Blinding, Body, Commitments, Draft, Entry, Kind, Ledger, Position, PrepareError, Projector, Role, Secret,
    Sizes, TokenKey, Tokens, ViewError, Writes,
};
use crate::services::facts::{CHIESTE, DOMANDA, VERSO};
use crate::sii::Ask;
use crate::state::Store;

/// The prefix, in the views, of questions without an end.
const OPEN: &[u8] = b"chieste/";

/// The first ordinal of `asked` entries, above those of an exchange and of its entries. `interrupted` has
/// twice this number.
const FIRST: u32 = 1 << 24;

/// The exchange behind a question.
#[derive(Clone, Copy, Debug)]
pub struct Inquiry<'a> {
    /// Id of the exchange.
    pub exchange: Uuid,
    /// Arrival of the first byte of its request.
    pub received: Timestamp,
    /// The ente asking us.
    pub ente: &'a str,
    /// Operation of the exchange.
    pub operation: Operation,
    /// The number of questions it has asked before.
    pub before: usize,
}

/// The entry written before a question leaves.
pub fn asked(ledger: &Ledger, asking: Inquiry<'_>, ask: &Ask) -> Result<Draft, PrepareError> {
    let Inquiry {
        exchange,
        received,
        ente,
        operation,
        before,
    } = asking;
    let key = TokenKey::of(received, operation.retention());
    let blinding = Blinding::new()?;
    let mut body = Body::new(Kind::Asked, operation.retention(), exchange, received)
        .fact(VERSO, &ask.to)
        .fact(DOMANDA, ask.name);
    body.role = Some(Role::Fruitore);
    body.ente = Some(ente.to_owned());
    body.operation = Some(operation.name().to_owned());
    let cf = ask
        .persone
        .iter()
        .map(|code| ledger.keys.token(key, "cf", code))
        .collect::<Result<_, _>>()?;
    body.tokens = Some(Tokens {
        cf,
        ..Tokens::under(key)
    });
    body.commit = Some(Commitments {
        request: Some(blinding.commit("request", &ask.request)),
        ..Commitments::default()
    });
    body.sizes = Some(Sizes {
        request: ask.request.len() as u64,
        reply: 0,
    });
    let secret = Secret {
        cf: ask.persone.clone(),
        ..Secret::default()
    };
    let ordinal = FIRST + u32::try_from(before).unwrap_or(u32::MAX - FIRST);
    ledger.prepare(body, &secret, blinding, ordinal, received)
}

/// The end of the questions of an exchange without an entry. `sequences` are those of their `asked` entries.
pub fn interrupted(
    ledger: &Ledger,
    exchange: Uuid,
    of: &Body,
    sequences: &[u64],
    now: Timestamp,
) -> Result<Draft, PrepareError> {
    let mut body = Body::new(Kind::Interrupted, of.retention, exchange, now)
        .fact(CHIESTE, sequences)
        .fact(ORDINAL, 2 * FIRST);
    body.role = Some(Role::Fruitore);
    body.ente.clone_from(&of.ente);
    body.operation.clone_from(&of.operation);
    ledger.prepare_open(body)
}

/// The `asked` entries of an exchange without an end.
#[derive(Clone, Debug)]
pub struct OpenQuestions {
    /// Id of the exchange.
    pub exchange: Uuid,
    /// Sequences of its `asked` entries.
    pub sequences: Vec<u64>,
    /// The place of the first.
    pub position: Position,
}

/// All questions without an end, by their exchanges.
pub fn open(store: &Store) -> Result<Vec<OpenQuestions>, ViewError> {
    let mut all: Vec<OpenQuestions> = Vec::new();
    for (name, value) in store.scan(OPEN)? {
        let Some((exchange, sequence)) = read_name(&name) else {
            return Err(ViewError("a damaged view".to_owned()));
        };
        match all.last_mut().filter(|last| last.exchange == exchange) {
            Some(last) => last.sequences.push(sequence),
            None => {
                let position =
                    Position::decode(&value).ok_or_else(|| ViewError("a damaged view".to_owned()))?;
                all.push(OpenQuestions {
                    exchange,
                    sequences: vec![sequence],
                    position,
                });
            }
        }
    }
    Ok(all)
}

fn name(exchange: Uuid, sequence: u64) -> Vec<u8> {
    [OPEN, format!("{exchange}/{sequence:020}").as_bytes()].concat()
}

fn read_name(name: &[u8]) -> Option<(Uuid, u64)> {
    let (exchange, sequence) = std::str::from_utf8(name.strip_prefix(OPEN)?)
        .ok()?
        .split_once('/')?;
    Some((exchange.parse().ok()?, sequence.parse().ok()?))
}

/// Keeps the questions without an end.
#[derive(Clone, Copy, Debug)]
pub struct QuestionsProjector;

impl Projector for QuestionsProjector {
    fn project(&self, entry: &Entry, writes: &mut Writes) {
        let body = &entry.leaf.body;
        match body.kind {
            Kind::Asked => writes.set(name(body.exchange, entry.leaf.seq), entry.position.encode()),
            Kind::Exchange | Kind::Interrupted => {
                let ended = body.get(CHIESTE).and_then(|asked| asked.as_array());
                for sequence in ended.into_iter().flatten().filter_map(serde_json::Value::as_u64) {
                    writes.remove(name(body.exchange, sequence));
                }
            }
            _ => {}
        }
    }
}
