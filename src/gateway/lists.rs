//! The revocation lists, as an operator should know them.

use crate::tls::Revocations;
use crate::tls::revocation::UnreadableFile;
use jiff::Timestamp;

/// Seconds: the operator is warned so long before the end of a revocation list.
pub(super) const NEAR: i64 = 86_400;

/// Warnings about the revocation lists, for the operator, in Italian.
pub(super) fn of_lists(revocations: &Revocations, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    let instant = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    if revocations.expires().is_none() && !revocations.has_responders() {
        warnings.push("nessuna lista di revoca: nessuno può entrare".to_owned());
    }
    let standing = revocations.standing(now.as_second());
    if standing.over > 0 {
        warnings.push("una lista di revoca è scaduta: chi ne dipende non entra".to_owned());
    }
    if let Some(until) = standing.grace_until.map(instant) {
        warnings.push(format!("una lista di revoca è scaduta: chi ne dipende entra fino al {until} per la tolleranza (crl_grace_hours)"));
    }
    if let Some(at) = standing
        .next_update
        .filter(|at| at - now.as_second() <= NEAR)
        .map(instant)
    {
        warnings.push(format!("una lista di revoca scade il {at}"));
    }
    for UnreadableFile { file, wrong } in revocations.unreadable() {
        let (file, why) = (file.display(), wrong.text());
        warnings.push(format!(
            "il file di liste di revoca {file} non viene letto, {why}: vale ciò che se ne sapeva prima, fino alla sua scadenza"
        ));
    }
    warnings
}
