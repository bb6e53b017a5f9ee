//! A service at work: beside if it takes long, and again after a question to another system.

use std::pin::pin;

use super::beside::{self, Work};
use super::outcome::Stop;
use super::outgoing;
use super::record::Record;
use crate::registry::Admission;
use crate::services::{self, Asked, NotPrepared, Prepared};

/// Performs the service of a request.
pub(super) async fn perform(
    record: &Record<'_>,
    work: &mut Work,
    admission: Admission,
    asked: Asked<'_>,
) -> Result<Prepared, Stop> {
    let gateway = record.gateway;
    work.long |= asked.request.is_long();
    let performed = loop {
        work.enter(&gateway.beside, &admission.caller().ente().codice)
            .await;
        let performed = {
            let occasion = record.occasion(work.long, &work.returned);
            // Pinned in place: the future is large, and moving it costs more than most requests do.
            let performing = pin!(services::perform(
                &gateway.node.services,
                admission.clone(),
                asked,
                occasion
            ));
            beside::wait(work.held.as_ref(), performing).await
        };
        match performed {
            // The service found something long: once more, beside.
            Err(NotPrepared::Long) if !work.long => work.long = true,
            // Another system must be asked first. Waiting for it takes no place.
            Err(NotPrepared::Ask(ask)) => {
                work.held = None;
                work.returned
                    .push(outgoing::ask(record, &work.returned, ask).await?);
            }
            performed => break performed,
        }
    };
    record.alarm();
    performed.map_err(Stop::from)
}
