//! The operations and services, as data: paths, roots of request and reply, retention of their exchanges, disclosure of personal data, replies to a broken
//! schema.

use std::borrow::Cow;

use crate::ledger::Retention;

/// An operation of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// One indicator of a person.
    ConsultazioneIndicatore,
    /// The attestation, with how it was computed.
    ConsultazioneAttestazione,
    /// The attestation of a resident: for municipalities.
    ConsultazioneAttestazioneResidenti,
    /// The DSU itself, completed: for checks.
    ConsultazioneDichiarazione,
    /// Whether an indicator is under a threshold.
    ConsultazioneSogliaIndicatore,
    /// A DSU is transmitted.
    TrasmissioneDsu,
    /// What became of a DSU that was transmitted.
    ConsultazioneEsitoDsu,
    /// Many DSU are transmitted.
    TrasmissioneLotto,
    /// What became of a lot.
    ConsultazioneEsitoLotto,
    /// The attestation, in the dialect of the porta di dominio.
    PddAttestazione,
    /// The DSU itself, in the dialect of the porta di dominio.
    PddDichiarazione,
    /// Whether a protocol exists, in the dialect of the porta di dominio.
    PddProtocollo,
}

/// A service: one WSDL, one portType.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// INPS's consultation service.
    ConsultazioneIsee,
    /// Transmission of DSU: Varco's own.
    TrasmissioneDsu,
    /// The dialect of the porta di dominio: each operation is a service of its own.
    PddAttestazione,
    /// The second of them.
    PddDichiarazione,
    /// The third.
    PddProtocollo,
}

/// What answers at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service.
    pub service: Service,
    /// Its only operation there, if there is but one.
    pub only: Option<Operation>,
}

/// A row of the catalogue.
struct Row {
    service: Service,
    root: &'static str,
    response: &'static str,
    retention: Retention,
    discloses: bool,
}

/// What is told where a body breaks its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnViolation {
    /// A SOAP fault, as INPS does.
    Fault,
    /// The operation's own reply, with every violation.
    Reply,
}

const CONSULTAZIONE: &str = "http://inps.it/ConsultazioneISEE";
const TRASMISSIONE: &str = "urn:varco:trasmissione-dsu:1";

impl Operation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ConsultazioneIndicatore,
        Self::ConsultazioneAttestazione,
        Self::ConsultazioneAttestazioneResidenti,
        Self::ConsultazioneDichiarazione,
        Self::ConsultazioneSogliaIndicatore,
        Self::TrasmissioneDsu,
        Self::ConsultazioneEsitoDsu,
        Self::TrasmissioneLotto,
        Self::ConsultazioneEsitoLotto,
        Self::PddAttestazione,
        Self::PddDichiarazione,
        Self::PddProtocollo,
    ];

    /// All that is known of it.
    fn row(self) -> Row {
        use Retention::{Consultazione, Dsu};
        use Service as S;
        let row = |service, root, response, retention, discloses| Row { service, root, response, retention, discloses };
        match self {
            Self::ConsultazioneIndicatore => {
                row(S::ConsultazioneIsee, "ConsultazioneIndicatore", "ConsultazioneIndicatoreResponse", Consultazione, true)
            }
            Self::ConsultazioneAttestazione => {
                row(S::ConsultazioneIsee, "ConsultazioneAttestazione", "ConsultazioneAttestazioneResponse", Consultazione, true)
            }
            Self::ConsultazioneAttestazioneResidenti => row(
                S::ConsultazioneIsee,
                "ConsultazioneAttestazioneResidenti",
                "ConsultazioneAttestazioneResidentiResponse",
                Consultazione,
                true,
            ),
            Self::ConsultazioneDichiarazione => {
                row(S::ConsultazioneIsee, "ConsultazioneDichiarazione", "ConsultazioneDichiarazioneResponse", Consultazione, true)
            }
            Self::ConsultazioneSogliaIndicatore => {
                row(S::ConsultazioneIsee, "ConsultazioneSogliaIndicatore", "ConsultazioneSogliaIndicatoreResponse", Consultazione, true)
            }
            Self::TrasmissioneDsu => row(S::TrasmissioneDsu, "TrasmissioneDSU", "TrasmissioneDSUResponse", Dsu, false),
            Self::ConsultazioneEsitoDsu => {
                row(S::TrasmissioneDsu, "ConsultazioneEsitoDSU", "ConsultazioneEsitoDSUResponse", Consultazione, false)
            }
            Self::TrasmissioneLotto => row(S::TrasmissioneDsu, "TrasmissioneLotto", "TrasmissioneLottoResponse", Dsu, false),
            Self::ConsultazioneEsitoLotto => {
                row(S::TrasmissioneDsu, "ConsultazioneEsitoLotto", "ConsultazioneEsitoLottoResponse", Consultazione, false)
            }
            Self::PddAttestazione => {
                row(S::PddAttestazione, "ConsultazioneAttestazione", "ConsultazioneAttestazioneRisposta", Consultazione, true)
            }
            Self::PddDichiarazione => {
                row(S::PddDichiarazione, "ConsultazioneDichiarazione", "ConsultazioneDichiarazioneRisposta", Consultazione, true)
            }
            Self::PddProtocollo => {
                row(S::PddProtocollo, "VerificaEsistenzaProtocollo", "VerificaEsistenzaProtocolloRisposta", Consultazione, false)
            }
        }
    }

    /// Whether it transmits DSU.
    pub fn transmits(self) -> bool {
        matches!(self, Self::TrasmissioneDsu | Self::TrasmissioneLotto)
    }

    /// The name in entries, grants and commands: the root's. The same operation in two dialects has one name, and one grant.
    pub fn name(self) -> &'static str {
        self.root()
    }

    /// By its name; of two dialects, INPS's consultation service.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// By the root of a body: the only thing that dispatch looks at.
    pub fn by_root(namespace: &str, local: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.root() == local && operation.namespace() == namespace)
    }

    /// The service it belongs to.
    pub fn service(self) -> Service {
        self.row().service
    }

    /// The namespace of request and reply.
    pub fn namespace(self) -> &'static str {
        self.service().namespace()
    }

    /// The root of the request.
    pub fn root(self) -> &'static str {
        self.row().root
    }

    /// The root of the reply.
    pub fn response(self) -> &'static str {
        self.row().response
    }

    /// The retention class of its exchanges. A transmission is kept as long as its DSU, a reading as long as readings are.
    pub fn retention(self) -> Retention {
        self.row().retention
    }

    /// Whether a reply may give the caller personal data that it did not have. Quotas of persons, the count of uses of a DSU and reviews of the ledger
    /// all go by this. A receipt and the fate of a DSU are its sender's already. That a protocol exists is no personal data: its caller has the protocol.
    pub fn discloses(self) -> bool {
        self.row().discloses
    }

    /// Whether a protocol named in vain counts for the ente too, and not for the declarant alone. An ente that checks the protocols of many applicants
    /// meets their mistakes.
    pub fn attempts_count_for_the_ente(self) -> bool {
        self != Self::PddProtocollo
    }

    /// What is told where a body breaks its schema.
    pub fn on_violation(self) -> OnViolation {
        match self {
            Self::TrasmissioneDsu => OnViolation::Reply,
            _ => OnViolation::Fault,
        }
    }
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ConsultazioneIsee, Self::TrasmissioneDsu, Self::PddAttestazione, Self::PddDichiarazione, Self::PddProtocollo];

    /// The namespace of its messages.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::ConsultazioneIsee => CONSULTAZIONE,
            Self::TrasmissioneDsu => TRASMISSIONE,
            Self::PddAttestazione => "http://soa.inps.it/wsiseepdd/consultazioneattestazionerichiesta.xsd",
            Self::PddDichiarazione => "http://soa.inps.it/wsiseepdd/consultazionedichiarazionerichiesta.xsd",
            Self::PddProtocollo => "http://soa.inps.it/wsiseepdd/VerificaEsistenzaProtocolloRichiesta.xsd",
        }
    }

    /// The path that takes all operations of the service, as its WSDL has it.
    pub fn path(self) -> &'static str {
        match self {
            Self::ConsultazioneIsee => "/isee/ConsultazioneISEE/v1",
            Self::TrasmissioneDsu => "/isee/TrasmissioneDSU/v1",
            Self::PddAttestazione => "/isee/PdD/ConsultazioneAttestazione",
            Self::PddDichiarazione => "/isee/PdD/ConsultazioneDichiarazione",
            Self::PddProtocollo => "/isee/PdD/VerificaEsistenzaProtocollo",
        }
    }

    /// Its operations.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| operation.service() == self)
    }

    /// Whether it is one of the porta di dominio's.
    pub fn is_pdd(self) -> bool {
        matches!(self, Self::PddAttestazione | Self::PddDichiarazione | Self::PddProtocollo)
    }
}

/// A path without doubled slashes and without a slash at its end: clients send both.
pub fn plain(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && (path.len() == 1 || !path.ends_with('/')) {
        return Cow::Borrowed(path);
    }
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    Cow::Owned(format!("/{}", steps.join("/")))
}

impl Endpoint {
    /// What answers at a path: a service's own path; `/isee/ConsultazioneISEE/v2/<Operation>`; and for the dialect of the porta di dominio `<Operation>` after
    /// `/isee/PdD/` or any of the configured `prefixes`, which end with a slash.
    pub fn at(path: &str, prefixes: &[String]) -> Option<Self> {
        if let Some(service) = Service::ALL.into_iter().find(|service| service.path() == path) {
            return Some(Self { service, only: None });
        }
        if let Some(name) = path.strip_prefix("/isee/ConsultazioneISEE/v2/") {
            let only = Service::ConsultazioneIsee.operations().find(|operation| operation.name() == name)?;
            return Some(Self { service: Service::ConsultazioneIsee, only: Some(only) });
        }
        let pdd = |name: &str| Operation::ALL.into_iter().find(|operation| operation.service().is_pdd() && operation.name() == name);
        let operation = prefixes.iter().find_map(|prefix| pdd(path.strip_prefix(prefix.as_str())?))?;
        Some(Self { service: operation.service(), only: None })
    }

    /// Whether an operation is answered there.
    pub fn answers(&self, operation: Operation) -> bool {
        operation.service() == self.service && self.only.is_none_or(|only| only == operation)
    }
}

/// The codes of benefits (`TypePrestazioneDaErogare`).
pub fn benefits() -> Vec<&'static str> {
    let text = include_str!("../../wsdl/ISEE_TipiComuni.xsd");
    let (_, after) = text.split_once("name=\"TypePrestazioneDaErogare\"").unwrap_or_default();
    let (inside, _) = after.split_once("</xs:simpleType>").unwrap_or_default();
    inside.split("enumeration value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_services() {
        let prefixes = ["/pdd/".to_owned(), "/pdd/inps/".to_owned()];
        let at = |path: &str| Endpoint::at(path, &prefixes);
        assert_eq!(plain("//isee///ConsultazioneISEE/v1/"), "/isee/ConsultazioneISEE/v1");
        assert_eq!((plain("/"), plain("//"), plain("/a")), ("/".into(), "/".into(), "/a".into()));
        assert_eq!(at("/isee/ConsultazioneISEE/v1").map(|e| (e.service, e.only)), Some((Service::ConsultazioneIsee, None)));
        let one = at("/isee/ConsultazioneISEE/v2/ConsultazioneAttestazione").unwrap();
        assert!(one.answers(Operation::ConsultazioneAttestazione) && !one.answers(Operation::ConsultazioneIndicatore));
        assert!(!one.answers(Operation::PddAttestazione));
        assert_eq!(at("/isee/PdD/VerificaEsistenzaProtocollo").unwrap().service, Service::PddProtocollo);
        assert_eq!(at("/pdd/inps/ConsultazioneDichiarazione").unwrap().service, Service::PddDichiarazione);
        for path in [
            "/",
            "/isee/ConsultazioneISEE/v2",
            "/isee/ConsultazioneISEE/v2/TrasmissioneDSU",
            "/pdd/inps/TrasmissioneDSU",
            "/pdd/altro/ConsultazioneDichiarazione",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
    }

    #[test]
    fn roots_and_names_are_distinct_where_they_must_be() {
        for (index, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(Operation::by_root(operation.namespace(), operation.root()), Some(operation));
            let before = &Operation::ALL[..index];
            let twice = before.iter().any(|other| other.name() == operation.name());
            assert_eq!(twice, operation.service().is_pdd() && operation != Operation::PddProtocollo, "{operation:?}");
        }
    }
}
