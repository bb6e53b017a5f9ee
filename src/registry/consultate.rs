//! Look-ups of operators: a sealed part, a person, an ente's history, the versions of a DSU. Each is recorded
//! before its result is shown (D.Lgs. 196/2003, art. 2-quaterdecies; Garante, 27 November 2008).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::administration::{Actor, Rejected};
use crate::ledger::{
    Blinding, Body, Kind, Ledger, Retention, Secret, Submission, TokenKey, Tokens, new_exchange,
};
use crate::registry::facts::{DELL_ENTE, VOCE};

/// A look-up by an operator, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "consultazione")]
pub enum Consultazione {
    /// The sealed part of an entry (`ledger show --apri`).
    Voce {
        /// The sequence of the entry.
        sequenza: u64,
    },
    /// The proof of an entry, with what opens its commitments (`ledger prove --apri`).
    Prova {
        /// The sequence of the entry.
        sequenza: u64,
        /// Why: sealed.
        motivo: String,
    },
    /// The entries about a person (`ledger list --codice-fiscale`).
    Persona {
        /// The person's codice fiscale.
        codice_fiscale: String,
    },
    /// Every change to an ente, with its reasons (`ente storia`).
    Ente {
        /// The code of the ente.
        codice: String,
    },
    /// The versions of a DSU (`dsu versions`).
    Dsu {
        /// The protocol of one version.
        protocollo: String,
    },
}

impl Consultazione {
    /// The command's name, the operation of the entry.
    fn operation(&self) -> &'static str {
        match self {
            Self::Voce { .. } => "ledger show",
            Self::Prova { .. } => "ledger prove",
            Self::Persona { .. } => "ledger list",
            Self::Ente { .. } => "ente storia",
            Self::Dsu { .. } => "dsu versions",
        }
    }
}

/// Records a look-up. Returns the sequence of its entry. The person is in the tokens and in the sealed part.
pub async fn record(
    ledger: &Ledger,
    cosa: &Consultazione,
    actor: &Actor,
    now: Timestamp,
) -> Result<u64, Rejected> {
    let internal = |error: &dyn std::fmt::Display| Rejected::Ledger(error.to_string());
    let exchange = new_exchange(now).map_err(|error| internal(&error))?;
    let key = TokenKey::of(now, Retention::Registro);
    let token = |label: &str, value: &str| {
        ledger
            .keys
            .token(key, label, value)
            .map_err(|error| internal(&error))
    };
    let mut body = Body::new(Kind::Admin, Retention::Registro, exchange, now);
    let (mut tokens, mut secret) = (Tokens::under(key), Secret::default());
    match cosa {
        Consultazione::Voce { sequenza } => body = body.fact(VOCE, sequenza),
        Consultazione::Prova { sequenza, motivo } => {
            body = body.fact(VOCE, sequenza);
            secret.reason = Some(motivo.clone());
        }
        Consultazione::Persona { codice_fiscale } => {
            tokens.cf = vec![token("cf", codice_fiscale)?];
            secret.cf = vec![codice_fiscale.clone()];
        }
        // About an ente, but neither a change to it nor one of its exchanges.
        Consultazione::Ente { codice } => body = body.fact(DELL_ENTE, codice),
        Consultazione::Dsu { protocollo } => {
            tokens.protocol = vec![token("protocol", protocollo)?];
            secret.protocol = vec![protocollo.clone()];
        }
    }
    body.operation = Some(cosa.operation().to_owned());
    body.outcome = Some("OK".to_owned());
    body.tokens = Some(tokens);
    let body = actor
        .sign(body, &mut secret, ledger, now)
        .map_err(|error| internal(&error))?;
    let blinding = Blinding::new().map_err(|error| internal(&error))?;
    let draft = ledger
        .prepare(body, &secret, blinding, 0, now)
        .map_err(|error| internal(&error))?;
    let receipt = ledger
        .committer
        .submit(Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        })
        .await;
    let receipt = receipt.map_err(|error| internal(&error))?;
    Ok(receipt.first())
}
