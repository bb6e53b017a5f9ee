//! The form of a DSU's protocol: `INPS-ISEE-yyyy-nnnnnnnnL-vv`. Its last two digits number the version.

use crate::isee::checks::Check;

/// Check K19: a sender's protocol stands for one DSU.
pub const ALREADY_USED: (Check, &str) = (
    Check::K19Contenuto,
    "protocollo del mittente già usato per una DSU diversa",
);
/// The path of a sender's protocol in a declaration.
pub const SENDERS_PROTOCOL: &str = "/Dichiarazione/Sottoscrizione/@ProtocolloMittente";

/// The protocol that all versions of a DSU have in common: that of the first one.
pub fn stem_of(protocollo: &str) -> String {
    let stem = protocollo
        .len()
        .checked_sub(2)
        .and_then(|end| protocollo.get(..end));
    stem.map_or_else(|| protocollo.to_owned(), |stem| format!("{stem}00"))
}

/// The version that a protocol is of: its last two digits. A protocol without number is of the first.
pub fn number_of(protocollo: &str) -> u32 {
    protocollo
        .rsplit('-')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The protocol of a version: `-00` to `-99`.
pub fn version_of(radice: &str, number: u32) -> Option<String> {
    let stem = radice.strip_suffix("00").filter(|_| number < 100)?;
    Some(format!("{stem}{number:02}"))
}
