//! `varco upgrade DIR`: from an earlier format to the present one. No recorded entry changes: facts with a
//! new form are recorded again in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use super::who::myself;
use crate::clock::Clock;
use crate::config::SEGMENT_BYTES;
use crate::gateway::node::Node;
use crate::italian::quanti;
use crate::ledger::directory::FORMAT;
use crate::ledger::disk::RealDisk;
use crate::ledger::search::{self, Filter};
use crate::ledger::{Directory, Kind};
use crate::registry::administration::{Command, perform_all};
use crate::registry::facts::ENTE;
use crate::registry::upgrade::EnteBefore;

/// Upgrades a data directory, and says what it did. One of the present format stays as it is.
pub fn run(dir: &Path, clock: &Clock) -> Result<()> {
    let (directory, (major, minor)) = Directory::open_any(dir)?;
    if (major, minor) == FORMAT {
        println!("{}: già nel formato {}.{}", dir.display(), FORMAT.0, FORMAT.1);
        return Ok(());
    }
    if major != 1 {
        bail!("formato {major}.{minor}: nessun passaggio da questo formato");
    }
    let node = Node::open(&directory, clock, Arc::new(RealDisk), SEGMENT_BYTES)?;
    let upgraded = super::uso::runtime()?.block_on(upgraded(&node, (major, minor), clock));
    node.close();
    let converted = upgraded?;
    // Last: an interrupted upgrade is done again, and finds its own entries.
    directory.write_format()?;
    println!(
        "{}: dal formato {major}.{minor} al {}.{}; {} di nuovo",
        dir.display(),
        FORMAT.0,
        FORMAT.1,
        quanti(converted, "ente registrato", "enti registrati")
    );
    Ok(())
}

/// Records what an earlier format has in another form again, and the upgrade itself. Returns the number of
/// enti recorded again. The views are made anew by the opening, token keys of each class by the first use.
pub async fn upgraded(node: &Node, from: (u32, u32), clock: &Clock) -> Result<usize> {
    node.record_opening("upgrade").await?;
    let enti = match from {
        (1, 0) => enti_of_1_0(node, clock).await?,
        _ => 0,
    };
    let facts = serde_json::json!({
        "dal": format!("{}.{}", from.0, from.1), "al": format!("{}.{}", FORMAT.0, FORMAT.1), "enti": enti,
    });
    node.record_system("upgraded", facts).await?;
    Ok(enti)
}

/// Records each ente of format 1.0 again in the present form, as of its last entry. Returns their number.
async fn enti_of_1_0(node: &Node, clock: &Clock) -> Result<usize> {
    let filter = Filter {
        kind: Some(Kind::Registry),
        ..Filter::default()
    };
    let mut last = BTreeMap::new();
    for entry in search::find(node.ledger.reader.as_ref(), &filter, usize::MAX)? {
        let value = entry.leaf.body.get(ENTE).cloned().unwrap_or_default();
        // An interrupted upgrade may have converted some already. Those entries have the new form; the old
        // form stands before them.
        if entry.leaf.body.operation.as_deref() == Some("ente converti") {
            continue;
        }
        let earlier: EnteBefore = serde_json::from_value(value)
            .with_context(|| format!("voce {}: ente non leggibile", entry.leaf.seq))?;
        last.insert(earlier.codice.clone(), earlier);
    }
    let mut commands = Vec::new();
    for earlier in last.into_values() {
        if node.registry.ente(&earlier.codice)?.is_none() {
            commands.push(Command::Converti {
                ente: Box::new(earlier.converted(clock.today())),
            });
        }
    }
    if !commands.is_empty() {
        perform_all(
            &node.ledger,
            &node.registry,
            &commands,
            &myself(),
            "varco upgrade",
            clock.now(),
        )
        .await?;
    }
    Ok(commands.len())
}
