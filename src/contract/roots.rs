//! Every global element of the schemas, with its type: tests go through all of them.

pub use super::bound::Root;
use super::catalogue::{Operation, Service};
use super::{ISEE_NS, RICEVUTA_NS, pdd, trasmissione};
use crate::isee::{attestazione, dsu};

/// The root of a namespace and a name.
pub fn find(namespace: &str, name: &str) -> Option<Root> {
    all()
        .into_iter()
        .find(|root| root.namespace == namespace && root.name == name)
}

/// All of them: the roots of messages, and of the documents inside messages.
pub fn all() -> Vec<Root> {
    let mut roots = vec![
        Root::of::<dsu::Dichiarazione>(ISEE_NS, "Dichiarazione"),
        Root::of::<attestazione::EsitoAttestazione>(ISEE_NS, "EsitoAttestazione"),
        Root::of::<attestazione::EsitoDichiarazione>(ISEE_NS, "EsitoDichiarazione"),
        Root::of::<attestazione::Indicatore>(ISEE_NS, "Indicatore"),
        Root::of::<pdd::EsitoEsistenzaProtocollo>(
            Service::PddProtocollo.namespace(),
            "EsitoEsistenzaProtocollo",
        ),
        Root::of::<trasmissione::Ricevuta>(RICEVUTA_NS, "Ricevuta"),
    ];
    roots.extend(Operation::ALL.into_iter().flat_map(Operation::roots));
    roots
}
