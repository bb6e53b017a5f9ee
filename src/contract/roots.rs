//! Every global element of the schemas, with the type that is bound to it: so that what holds for all of them can be asked of all of them.

use super::bind::{Content, Shape, Undecodable};
use super::catalogue::Operation;
use super::{ISEE_NS, RICEVUTA_NS, consultazione, pdd, trasmissione};
use crate::isee::{attestazione, dsu};
use crate::xml::Document;

/// A global element and its type.
#[derive(Clone, Copy, Debug)]
pub struct Root {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    shape: fn() -> Shape,
    rewrite: fn(&Self, &Document<'_>) -> Result<String, Undecodable>,
}

impl Root {
    fn of<T: Content>(namespace: &'static str, name: &'static str) -> Self {
        let rewrite: fn(&Self, &Document<'_>) -> Result<String, Undecodable> =
            |root, document| Ok(super::message(root.name, root.namespace, &super::decode::<T>(document)?, false));
        Self { namespace, name, shape: T::shape, rewrite }
    }

    /// The shape of its type.
    pub fn shape(&self) -> Shape {
        (self.shape)()
    }

    /// Reads a document of this root and writes what was understood of it, all in the root's namespace.
    pub fn rewrite(&self, document: &Document<'_>) -> Result<String, Undecodable> {
        (self.rewrite)(self, document)
    }
}

/// The root of that name.
pub fn find(namespace: &str, name: &str) -> Option<Root> {
    all().into_iter().find(|root| root.namespace == namespace && root.name == name)
}

/// All of them.
pub fn all() -> [Root; 30] {
    use consultazione as c;
    use trasmissione as t;
    let (isee, inps, varco) = (ISEE_NS, Operation::ConsultazioneIndicatore.namespace(), Operation::TrasmissioneDsu.namespace());
    let (attestazione, dichiarazione) = (Operation::PddAttestazione.namespace(), Operation::PddDichiarazione.namespace());
    let protocollo = Operation::PddProtocollo.namespace();
    [
        Root::of::<dsu::Dichiarazione>(isee, "Dichiarazione"),
        Root::of::<attestazione::EsitoAttestazione>(isee, "EsitoAttestazione"),
        Root::of::<attestazione::EsitoDichiarazione>(isee, "EsitoDichiarazione"),
        Root::of::<attestazione::Indicatore>(isee, "Indicatore"),
        Root::of::<c::ConsultazioneIndicatore>(inps, "ConsultazioneIndicatore"),
        Root::of::<c::ConsultazioneIndicatoreResponse>(inps, "ConsultazioneIndicatoreResponse"),
        Root::of::<c::ConsultazioneAttestazione>(inps, "ConsultazioneAttestazione"),
        Root::of::<c::ConsultazioneAttestazioneResponse>(inps, "ConsultazioneAttestazioneResponse"),
        Root::of::<c::ConsultazioneAttestazioneResidenti>(inps, "ConsultazioneAttestazioneResidenti"),
        Root::of::<c::ConsultazioneAttestazioneResidentiResponse>(inps, "ConsultazioneAttestazioneResidentiResponse"),
        Root::of::<c::ConsultazioneDichiarazione>(inps, "ConsultazioneDichiarazione"),
        Root::of::<c::ConsultazioneDichiarazioneResponse>(inps, "ConsultazioneDichiarazioneResponse"),
        Root::of::<c::ConsultazioneSogliaIndicatore>(inps, "ConsultazioneSogliaIndicatore"),
        Root::of::<c::ConsultazioneSogliaIndicatoreResponse>(inps, "ConsultazioneSogliaIndicatoreResponse"),
        Root::of::<t::TrasmissioneDsu>(varco, "TrasmissioneDSU"),
        Root::of::<t::TrasmissioneDsuResponse>(varco, "TrasmissioneDSUResponse"),
        Root::of::<t::ConsultazioneEsitoDsu>(varco, "ConsultazioneEsitoDSU"),
        Root::of::<t::ConsultazioneEsitoDsuResponse>(varco, "ConsultazioneEsitoDSUResponse"),
        Root::of::<t::TrasmissioneLotto>(varco, "TrasmissioneLotto"),
        Root::of::<t::TrasmissioneLottoResponse>(varco, "TrasmissioneLottoResponse"),
        Root::of::<t::ConsultazioneEsitoLotto>(varco, "ConsultazioneEsitoLotto"),
        Root::of::<t::ConsultazioneEsitoLottoResponse>(varco, "ConsultazioneEsitoLottoResponse"),
        Root::of::<pdd::ConsultazioneAttestazione>(attestazione, "ConsultazioneAttestazione"),
        Root::of::<pdd::ConsultazioneAttestazioneRisposta>(attestazione, "ConsultazioneAttestazioneRisposta"),
        Root::of::<pdd::ConsultazioneDichiarazione>(dichiarazione, "ConsultazioneDichiarazione"),
        Root::of::<pdd::ConsultazioneDichiarazioneRisposta>(dichiarazione, "ConsultazioneDichiarazioneRisposta"),
        Root::of::<pdd::VerificaEsistenzaProtocollo>(protocollo, "VerificaEsistenzaProtocollo"),
        Root::of::<pdd::VerificaEsistenzaProtocolloRisposta>(protocollo, "VerificaEsistenzaProtocolloRisposta"),
        Root::of::<pdd::EsitoEsistenzaProtocollo>(protocollo, "EsitoEsistenzaProtocollo"),
        Root::of::<trasmissione::Ricevuta>(RICEVUTA_NS, "Ricevuta"),
    ]
}
