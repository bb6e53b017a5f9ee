//! The form of a DSU's protocol: `INPS-ISEE-yyyy-nnnnnnnnL-vv`. Its last two digits number the version.

use crate::isee::checks::Check;

/// Check K19: a sender's protocol stands for one DSU.
pub const ALREADY_USED: (Check, &str) = (
    Check::K19Contenuto,
    "protocollo del mittente già usato per una DSU diversa",
);
/// The path of a sender's protocol in a declaration.
pub const SENDERS_PROTOCOL: &str = "/Dichiarazione/Sottoscrizione/@ProtocolloMittente";

/// The protocol common to all versions of a DSU: the first version's.
pub fn stem_of(protocollo: &str) -> String {
    let stem = protocollo
        .len()
        .checked_sub(2)
        .and_then(|end| protocollo.get(..end));
    stem.map_or_else(|| protocollo.to_owned(), |stem| [stem, "00"].concat())
}

/// The version number of a protocol: its last two digits. Without a number: 0, the first version.
pub fn number_of(protocollo: &str) -> u32 {
    protocollo
        .rsplit('-')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The protocol of a version: `-00` to `-99`. `None`: a number above 99, or `radice` is no first protocol.
pub fn version_of(radice: &str, number: u32) -> Option<String> {
    let stem = radice.strip_suffix("00").filter(|_| number < 100)?;
    Some(format!("{stem}{number:02}"))
}
