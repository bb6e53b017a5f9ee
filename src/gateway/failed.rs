//! An exchange ended by a mistake of ours.

use super::gathered::Stretta;
use super::record::{Channel, Passage, Record};
use super::{Gateway, door};
use crate::registry::Identified;
use crate::services::{Note, Prepared};
use crate::soap::Version;

/// The refusal of an exchange ended by a mistake of ours.
const INTERNAL: &str = Stretta::E99Interno.code();

/// Records an exchange ended by a mistake of ours, with an empty reply. An exchange recorded before the
/// mistake has its own entry already. If no entry can be made, the exchange is counted and named.
pub(super) async fn failed(gateway: &Gateway, channel: &Channel, passage: &Passage) {
    if passage.is_recorded() {
        return;
    }
    let mut record = Record::new(gateway, channel, passage, Version::V11);
    if let Ok((Identified::Caller(caller), _)) = door::identify(gateway, channel).await {
        record.ente = Some(caller.ente().codice.clone());
    }
    let note = Note {
        outcome: "FAULT",
        refusal: Some(INTERNAL.to_owned()),
        ..Note::default()
    };
    if record
        .commit(
            Prepared {
                note,
                ..Prepared::default()
            },
            "",
            None,
        )
        .await
        .is_err()
    {
        gateway
            .gathered
            .name(INTERNAL, channel.peer.fingerprint(), passage.id);
    }
}
