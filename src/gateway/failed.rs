//! An exchange that a mistake of ours ended.

use super::gathered::Stretta;
use super::record::{Channel, Passage, Record};
use super::{Gateway, door};
use crate::registry::Identified;
use crate::services::{Note, Prepared};
use crate::soap::Version;

/// The refusal of an exchange that a mistake of ours ended.
const INTERNAL: &str = Stretta::E99Interno.code();

/// Records an exchange that a mistake of ours ended, unless it was recorded before that: it has an entry of
/// its own, and tells nothing.
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
