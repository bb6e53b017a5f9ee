//! The capabilities of the embedded SII: it answers every question at once.

use jiff::Timestamp;

use super::status;
use super::system::Embedded;
use crate::contract::Trasmessa;
use crate::contract::trasmissione::{ChiaveDsu, ChiaveLotto, DsuDelLotto, EsitoLotto};
use crate::isee::CodiceFiscale;
use crate::isee::feed::FeedRecord;
use crate::isee::sintesi::Sintesi;
use crate::registry::Permit;
use crate::sii::answers::{Attestata, Declared, DsuFate, Received};
use crate::sii::upkeep::{Act, Applicate, Doing, InAttesa};
use crate::sii::{Asking, Consultation, Occasion, Reception, Search, SiiError, Step, Upkeep};

impl Consultation for Embedded {
    fn indicatori<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Sintesi>>> {
        Box::pin(async move { self.indicators(permit, search, occasion).map(Step::Done) })
    }

    fn attestazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Attestata>>> {
        Box::pin(async move { self.find(permit, search, occasion).map(Step::Done) })
    }

    fn dichiarazione<'a>(
        &'a self,
        permit: &'a Permit,
        search: Search<'a>,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Option<Box<Declared>>> {
        Box::pin(async move { self.declared(permit, search, occasion).map(Step::Done) })
    }

    fn esiste<'a>(
        &'a self,
        dichiarante: &'a CodiceFiscale,
        protocollo: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, bool> {
        Box::pin(async move { self.exists(dichiarante, protocollo, occasion).map(Step::Done) })
    }
}

impl Reception for Embedded {
    fn dsu<'a>(
        &'a self,
        permit: &'a Permit,
        trasmessa: &'a Trasmessa,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Received> {
        Box::pin(async move { self.receive(permit, trasmessa, occasion).await.map(Step::Done) })
    }

    fn lotto<'a>(
        &'a self,
        permit: &'a Permit,
        dsu: &'a [DsuDelLotto],
        impronta: &'a str,
        occasion: Occasion<'a>,
    ) -> Asking<'a, Box<EsitoLotto>> {
        Box::pin(async move {
            self.keep_lot(permit, dsu, impronta, occasion)
                .await
                .map(Step::Done)
        })
    }

    fn esito_dsu<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveDsu,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<DsuFate>>> {
        Box::pin(async move {
            status::of_dsu(&self.archive, &self.registry, &permit.ente().codice, chiave).map(Step::Done)
        })
    }

    fn esito_lotto<'a>(
        &'a self,
        permit: &'a Permit,
        chiave: &'a ChiaveLotto,
        _: Occasion<'a>,
    ) -> Asking<'a, Option<Box<EsitoLotto>>> {
        Box::pin(async move { status::of_lot(&self.archive, &permit.ente().codice, chiave).map(Step::Done) })
    }
}

impl Upkeep for Embedded {
    fn resume(&self, now: Timestamp) -> Doing<'_, usize, SiiError> {
        Box::pin(self.attest_waiting(now))
    }

    fn waiting(&self, now: Timestamp, most: usize) -> Result<InAttesa, SiiError> {
        self.what_waits(now, most)
    }

    fn apply_rules<'a>(&'a self, trial: bool, act: Act<'a>) -> Doing<'a, Applicate> {
        Box::pin(self.apply(trial, act))
    }

    fn load_feed<'a>(&'a self, records: &'a [FeedRecord], act: Act<'a>) -> Doing<'a, usize> {
        Box::pin(self.load(records, act))
    }
}
