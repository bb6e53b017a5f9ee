//! `varco dsu versions`: the versions of a received DSU. The look-up is recorded.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::super::consultate::{self, Consultazione};
use crate::clock::Clock;
use crate::ledger::search::{Filter, find};
use crate::ledger::{Directory, Entry, Keys, Kind, Reader, Retention};
use crate::sii::facts::{OPERAZIONE, PRESENTATA, RICALCOLO, VERSIONE};
use crate::sii::protocol::{stem_of, version_of};

/// Prints the versions of a DSU, after the look-up is recorded. Fails if no entry has the protocol.
pub(super) fn run(protocollo: &str, data: &Path, as_json: bool, clock: &Clock) -> Result<()> {
    let directory = Directory::open(data)?;
    let keys = Keys::open(&directory.keys(), true)?;
    let lines = versions(&directory.reader(), &keys, protocollo)?;
    consultate::record(
        &directory,
        Consultazione::Dsu {
            protocollo: protocollo.trim().to_owned(),
        },
        clock,
    )?;
    if as_json {
        println!("{:#}", Value::from(lines));
        return Ok(());
    }
    for line in lines {
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        let again = if line["ricalcolo"] == true {
            "  ricalcolo"
        } else {
            ""
        };
        println!(
            "{}  {}  presentata {}  {}  {}  voce {}{again}",
            text("protocollo"),
            text("operazione"),
            text("presentata"),
            text("registrata"),
            text("ente"),
            line["voce"]
        );
    }
    Ok(())
}

/// All versions of a received DSU, in their order.
pub fn versions(reader: &dyn Reader, keys: &Keys, protocollo: &str) -> Result<Vec<Value>> {
    let radice = stem_of(protocollo.trim());
    let mut protocol = Vec::new();
    for number in 0..100 {
        let Some(version) = version_of(&radice, number) else {
            break;
        };
        for key in keys.token_keys_of(Retention::Dsu) {
            protocol.push((key, keys.token(key, "protocol", &version)?));
        }
    }
    if protocol.is_empty() {
        bail!("{protocollo}: non è il protocollo di una DSU");
    }
    let filter = Filter {
        kind: Some(Kind::Dsu),
        protocol,
        ..Filter::default()
    };
    let found = find(reader, &filter, usize::MAX)?;
    if found.is_empty() {
        bail!("{protocollo}: nessuna DSU con questo protocollo");
    }
    let line = |entry: &Entry| {
        let body = &entry.leaf.body;
        let number = body
            .number(VERSIONE)
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or_default();
        json!({
            "protocollo": version_of(&radice, number),
            "operazione": body.text(OPERAZIONE).unwrap_or("N"),
            "ricalcolo": body.get(RICALCOLO).and_then(Value::as_bool).unwrap_or(false),
            "presentata": body.get(PRESENTATA),
            "registrata": entry.leaf.recorded,
            "ente": body.ente,
            "voce": entry.leaf.seq,
        })
    };
    Ok(found.iter().map(line).collect())
}
