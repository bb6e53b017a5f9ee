//! Lines of the log about refused handshakes: the reason, the address and, of a certificate, its fingerprint,
//! issuer and organization. Each reason has a few lines a minute, and the next line gives the number of lines
//! left out: a flood fills no log.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::tls::server::Refused;

/// Lines a minute for one reason. The probes of balancers have a reason of their own (H05).
const LINES: u64 = 10;

/// The lines of this minute, by reason.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<&'static str, SaidLately>>);

#[derive(Clone, Copy, Debug, Default)]
struct SaidLately {
    minute: i64,
    count: u64,
}

impl Refusals {
    /// Logs a refused handshake, if this minute has a line left.
    pub fn say(&self, reason: &'static str, address: IpAddr, refused: Option<&Refused>, now: Timestamp) {
        let Some(left_out) = self.has_room(reason, now) else {
            return;
        };
        match refused {
            Some(Refused {
                why,
                fingerprint,
                issuer,
                organization,
            }) => {
                tracing::warn!(reason, %why, fingerprint, issuer, organization, %address, left_out, "handshake refused");
            }
            None => tracing::warn!(reason, %address, left_out, "handshake refused"),
        }
    }

    /// The number of lines left out in the last minute with any. None if this minute has no room.
    fn has_room(&self, reason: &'static str, now: Timestamp) -> Option<u64> {
        let minute = now.as_second().div_euclid(60);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let said = all.entry(reason).or_default();
        let mut left_out = 0;
        if said.minute != minute {
            left_out = said.count.saturating_sub(LINES);
            *said = SaidLately { minute, count: 0 };
        }
        said.count += 1;
        (said.count <= LINES).then_some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::gathered::Stretta;
    use super::*;

    #[test]
    fn a_flood_takes_ten_lines_a_minute_and_the_next_minute_says_how_many_were_left_out() {
        let refusals = Refusals::default();
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let said = |reason, second| {
            (0..1_000)
                .filter_map(|_| refusals.has_room(reason, at(second)))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(Stretta::H02Certificato.code(), 0), [0; 10]);
        assert!(said(Stretta::H02Certificato.code(), 59).is_empty());
        // Another reason has lines of its own.
        assert_eq!(said(Stretta::H05Interrotto.code(), 59), [0; 10]);
        assert_eq!(
            refusals.has_room(Stretta::H02Certificato.code(), at(60)),
            Some(1_990)
        );
        assert_eq!(refusals.has_room(Stretta::H02Certificato.code(), at(61)), Some(0));
    }
}
