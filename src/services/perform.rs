//! From a request to its service.

use super::prepared::{Asked, NotPrepared, Prepared, Services};
#[cfg(test)]
use super::prova;
use super::{consultazione, lotto, trasmissione};
use crate::contract::Request;
use crate::registry::Admission;
use crate::sii::Occasion;

/// Takes the permit for a request and performs it.
pub async fn perform(
    services: &Services,
    admission: Admission,
    asked: Asked<'_>,
    occasion: Occasion<'_>,
) -> Result<Prepared, NotPrepared> {
    let Asked {
        request,
        body,
        soglie,
        ..
    } = asked;
    let begun = services.keys.begin(occasion.today.year());
    begun.map_err(|error| NotPrepared::Unavailable(error.to_string()))?;
    match request {
        Request::Indicatore(request) => {
            consultazione::indicatore(services, admission, request.as_ref(), occasion).await
        }
        Request::Attestazione(request) => {
            consultazione::attestazione(services, admission, request.as_ref(), occasion).await
        }
        Request::Dichiarazione(request) => {
            consultazione::dichiarazione(services, admission, request.as_ref(), occasion).await
        }
        Request::Soglia(request) => {
            consultazione::soglia(services, admission, request, soglie, occasion).await
        }
        Request::Protocollo(request) => {
            consultazione::protocollo(services, admission, request, occasion).await
        }
        Request::Trasmissione(trasmessa) => {
            trasmissione::perform(services, &admission.without_purpose(), trasmessa, body, occasion).await
        }
        Request::EsitoDsu(chiave) => {
            trasmissione::esito_dsu(services, &admission.without_purpose(), chiave, occasion).await
        }
        Request::Lotto => lotto::perform(services, &admission.without_purpose(), asked, occasion).await,
        Request::EsitoLotto(chiave) => {
            lotto::esito(services, &admission.without_purpose(), chiave, occasion).await
        }
        #[cfg(test)]
        Request::Prova(request) => Ok(prova::perform(request)),
    }
}
