//! Attempts, reserved for a request and settled after it.

use super::prepared::{NotPrepared, Services};
use super::tentativi::{Chi, Mancati, Riserva};
use crate::isee::CodiceFiscale;
use crate::ledger::{Retention, TokenKey};
use crate::registry::Permit;
use crate::sii::Occasion;

impl Services {
    /// Reserves attempts for a request: one for each of the `named` protocols, in a declarant's name. Without
    /// enough attempts fails with [`NotPrepared::Exhausted`].
    pub(super) fn reserve(
        &self,
        permit: &Permit,
        dichiarante: Option<&CodiceFiscale>,
        named: u32,
        occasion: Occasion<'_>,
    ) -> Result<Riserva, NotPrepared> {
        // One key for all operations: what is tried in one is not forgotten in another. A label of its own:
        // the token stands in entries of DSU, and must lead nobody to the person's consultations.
        let key = TokenKey::of(occasion.received, Retention::Consultazione);
        let token = dichiarante
            .map(|code| self.keys.token(key, "tentativi", &code.canonical()))
            .transpose();
        let token = token.map_err(|error| NotPrepared::Unavailable(error.to_string()))?;
        let chi = Chi::of(
            permit.admission().operation(),
            &permit.ente().codice,
            token.as_deref(),
        );
        let reserved = self.tentativi.reserve(chi, named, occasion.received);
        reserved.map_err(NotPrepared::Exhausted)
    }

    /// Settles attempts, and adds the failed ones to those of the exchange.
    pub(super) fn settle(
        &self,
        riserva: Riserva,
        failed: u32,
        mancati: &mut Mancati,
        occasion: Occasion<'_>,
    ) {
        if failed > 0 {
            *mancati
                .entry(riserva.dichiarante.clone().unwrap_or_default())
                .or_default() += failed;
        }
        self.tentativi.settle(riserva, failed, occasion.received);
    }
}
