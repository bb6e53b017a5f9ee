//! The operations and services, as data: a row has all that is known of one. Adding an operation is adding its row, its schema, its messages, and a
//! function of a service.

use std::borrow::Cow;

use super::answered::Answered;
use super::bound::Root;
use super::{consultazione as c, message, pdd, trasmissione as t};
use crate::ledger::Retention;

/// What answers at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service.
    pub service: Service,
    /// Its only operation there, if there is but one.
    pub only: Option<Operation>,
}

/// What is told where a body breaks its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnViolation {
    /// A SOAP fault, as INPS does.
    Fault,
    /// The operation's own reply, with every violation.
    Reply,
}

/// A row of the catalogue.
struct Row {
    service: Service,
    root: &'static str,
    response: &'static str,
    retention: Retention,
    transmits: bool,
    discloses: bool,
    attempts_count_for_the_ente: bool,
    on_violation: OnViolation,
}

/// What is read, and gives data away: the base of most rows.
const READS: Row = Row {
    service: Service::ConsultazioneIsee,
    root: "",
    response: "",
    retention: Retention::Consultazione,
    transmits: false,
    discloses: true,
    attempts_count_for_the_ente: true,
    on_violation: OnViolation::Fault,
};

/// What is transmitted. A receipt and the fate of a DSU are its sender's already.
const SENDS: Row = Row { service: Service::TrasmissioneDsu, retention: Retention::Dsu, transmits: true, discloses: false, ..READS };

/// What a sender reads of what it transmitted.
const FOLLOWS: Row = Row { retention: Retention::Consultazione, transmits: false, ..SENDS };

/// A service.
struct ServiceRow {
    namespace: &'static str,
    path: &'static str,
    wsdl: &'static str,
    /// Name and text of the schema of its messages.
    schema: (&'static str, &'static str),
    pdd: bool,
}

/// Makes the operations of their rows: name, types of request and reply, `answered` where the reply is a consultation's, row.
macro_rules! operations {
    (@answer $operation:ident, $answered:ident, $response:ty) => { None };
    (@answer $operation:ident, $answered:ident, $response:ty, answered) => {
        Some(message($operation.response(), $operation.namespace(), &<$response>::from($answered), false))
    };
    ($($(#[doc = $doc:literal])* $(#[cfg($when:meta)])? $name:ident($request:ty, $response:ty $(, $by:ident)?): $row:expr;)+) => {
        /// An operation of the contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation { $($(#[doc = $doc])* $(#[cfg($when)])? $name),+ }

        impl Operation {
            /// All of them.
            pub const ALL: [Self; [$($(#[cfg($when)])? stringify!($name)),+].len()] = [$($(#[cfg($when)])? Self::$name),+];

            /// All that is known of it.
            fn row(self) -> &'static Row {
                match self {
                    $($(#[cfg($when)])? Self::$name => {
                        const ROW: Row = $row;
                        &ROW
                    })+
                }
            }

            /// The roots of request and reply, with the types that are bound to them.
            pub fn roots(self) -> [Root; 2] {
                let (namespace, Row { root, response, .. }) = (self.namespace(), self.row());
                match self {
                    $($(#[cfg($when)])? Self::$name => [Root::of::<$request>(namespace, root), Root::of::<$response>(namespace, response)],)+
                }
            }

            /// The reply of a consultation. None where it is none.
            pub fn answer(self, answered: Answered) -> Option<String> {
                let operation = self;
                match self {
                    $($(#[cfg($when)])? Self::$name => operations!(@answer operation, answered, $response $(, $by)?),)+
                }
            }
        }
    };
}

/// Makes the services of their rows.
macro_rules! services {
    ($($(#[doc = $doc:literal])* $(#[cfg($when:meta)])? $name:ident: $row:expr;)+) => {
        /// A service: one WSDL, one portType.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Service { $($(#[doc = $doc])* $(#[cfg($when)])? $name),+ }

        impl Service {
            /// All of them.
            pub const ALL: [Self; [$($(#[cfg($when)])? stringify!($name)),+].len()] = [$($(#[cfg($when)])? Self::$name),+];

            /// All that is known of it.
            fn row(self) -> &'static ServiceRow {
                match self {
                    $($(#[cfg($when)])? Self::$name => {
                        const ROW: ServiceRow = $row;
                        &ROW
                    })+
                }
            }
        }
    };
}

/// A file of the contract.
macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../wsdl/", $name))
    };
}

services! {
    /// INPS's consultation service.
    ConsultazioneIsee: ServiceRow {
        namespace: "http://inps.it/ConsultazioneISEE",
        path: "/isee/ConsultazioneISEE/v1",
        wsdl: file!("ConsultazioneISEE.wsdl"),
        schema: ("ConsultazioneISEE.xsd", file!("ConsultazioneISEE.xsd")),
        pdd: false,
    };
    /// Transmission of DSU: Varco's own.
    TrasmissioneDsu: ServiceRow {
        namespace: "urn:varco:trasmissione-dsu:1",
        path: "/isee/TrasmissioneDSU/v1",
        wsdl: file!("TrasmissioneDSU.wsdl"),
        schema: ("TrasmissioneDSU.xsd", file!("TrasmissioneDSU.xsd")),
        pdd: false,
    };
    /// The dialect of the porta di dominio: each operation is a service of its own.
    PddAttestazione: ServiceRow {
        namespace: "http://soa.inps.it/wsiseepdd/consultazioneattestazionerichiesta.xsd",
        path: "/isee/PdD/ConsultazioneAttestazione",
        wsdl: file!("PdD_ConsultazioneAttestazione.wsdl"),
        schema: ("PdD_ConsultazioneAttestazione.xsd", file!("PdD_ConsultazioneAttestazione.xsd")),
        pdd: true,
    };
    /// The second of them.
    PddDichiarazione: ServiceRow {
        namespace: "http://soa.inps.it/wsiseepdd/consultazionedichiarazionerichiesta.xsd",
        path: "/isee/PdD/ConsultazioneDichiarazione",
        wsdl: file!("PdD_ConsultazioneDichiarazione.wsdl"),
        schema: ("PdD_ConsultazioneDichiarazione.xsd", file!("PdD_ConsultazioneDichiarazione.xsd")),
        pdd: true,
    };
    /// The third.
    PddProtocollo: ServiceRow {
        namespace: "http://soa.inps.it/wsiseepdd/VerificaEsistenzaProtocolloRichiesta.xsd",
        path: "/isee/PdD/VerificaEsistenzaProtocollo",
        wsdl: file!("PdD_VerificaEsistenzaProtocollo.wsdl"),
        schema: ("PdD_VerificaEsistenzaProtocollo.xsd", file!("PdD_VerificaEsistenzaProtocollo.xsd")),
        pdd: true,
    };
    /// A made-up one.
    #[cfg(test)]
    Prova: ServiceRow {
        namespace: "urn:prova",
        path: "/prova",
        wsdl: super::prova::WSDL,
        schema: ("Prova.xsd", super::prova::SCHEMA),
        pdd: false,
    };
}

operations! {
    /// One indicator of a person.
    ConsultazioneIndicatore(c::ConsultazioneIndicatore, c::ConsultazioneIndicatoreResponse, answered):
        Row { root: "ConsultazioneIndicatore", response: "ConsultazioneIndicatoreResponse", ..READS };
    /// The attestation, with how it was computed.
    ConsultazioneAttestazione(c::ConsultazioneAttestazione, c::ConsultazioneAttestazioneResponse, answered):
        Row { root: "ConsultazioneAttestazione", response: "ConsultazioneAttestazioneResponse", ..READS };
    /// The attestation of a resident: for municipalities.
    ConsultazioneAttestazioneResidenti(c::ConsultazioneAttestazioneResidenti, c::ConsultazioneAttestazioneResidentiResponse, answered):
        Row { root: "ConsultazioneAttestazioneResidenti", response: "ConsultazioneAttestazioneResidentiResponse", ..READS };
    /// The DSU itself, completed: for checks.
    ConsultazioneDichiarazione(c::ConsultazioneDichiarazione, c::ConsultazioneDichiarazioneResponse, answered):
        Row { root: "ConsultazioneDichiarazione", response: "ConsultazioneDichiarazioneResponse", ..READS };
    /// Whether an indicator is under a threshold.
    ConsultazioneSogliaIndicatore(c::ConsultazioneSogliaIndicatore, c::ConsultazioneSogliaIndicatoreResponse, answered):
        Row { root: "ConsultazioneSogliaIndicatore", response: "ConsultazioneSogliaIndicatoreResponse", ..READS };
    /// A DSU is transmitted.
    TrasmissioneDsu(t::TrasmissioneDsu, t::TrasmissioneDsuResponse):
        Row { root: "TrasmissioneDSU", response: "TrasmissioneDSUResponse", on_violation: OnViolation::Reply, ..SENDS };
    /// What became of a DSU that was transmitted.
    ConsultazioneEsitoDsu(t::ConsultazioneEsitoDsu, t::ConsultazioneEsitoDsuResponse):
        Row { root: "ConsultazioneEsitoDSU", response: "ConsultazioneEsitoDSUResponse", ..FOLLOWS };
    /// Many DSU are transmitted.
    TrasmissioneLotto(t::TrasmissioneLotto, t::TrasmissioneLottoResponse):
        Row { root: "TrasmissioneLotto", response: "TrasmissioneLottoResponse", ..SENDS };
    /// What became of a lot.
    ConsultazioneEsitoLotto(t::ConsultazioneEsitoLotto, t::ConsultazioneEsitoLottoResponse):
        Row { root: "ConsultazioneEsitoLotto", response: "ConsultazioneEsitoLottoResponse", ..FOLLOWS };
    /// The attestation, in the dialect of the porta di dominio.
    PddAttestazione(pdd::ConsultazioneAttestazione, pdd::ConsultazioneAttestazioneRisposta, answered):
        Row { service: Service::PddAttestazione, root: "ConsultazioneAttestazione", response: "ConsultazioneAttestazioneRisposta", ..READS };
    /// The DSU itself, in the dialect of the porta di dominio.
    PddDichiarazione(pdd::ConsultazioneDichiarazione, pdd::ConsultazioneDichiarazioneRisposta, answered):
        Row { service: Service::PddDichiarazione, root: "ConsultazioneDichiarazione", response: "ConsultazioneDichiarazioneRisposta", ..READS };
    /// Whether a protocol exists, in the dialect of the porta di dominio. That it does is no personal data: its caller has the protocol.
    PddProtocollo(pdd::VerificaEsistenzaProtocollo, pdd::VerificaEsistenzaProtocolloRisposta, answered): Row {
        service: Service::PddProtocollo,
        root: "VerificaEsistenzaProtocollo",
        response: "VerificaEsistenzaProtocolloRisposta",
        discloses: false,
        // An ente that checks the protocols of many applicants meets their mistakes.
        attempts_count_for_the_ente: false,
        ..READS
    };
    /// A made-up one.
    #[cfg(test)]
    Prova(super::prova::Prova, super::prova::Prova):
        Row { service: Service::Prova, root: "Prova", response: "ProvaResponse", discloses: false, ..READS };
}

impl Operation {
    /// Whether it transmits DSU.
    pub fn transmits(self) -> bool {
        self.row().transmits
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
    /// all go by this.
    pub fn discloses(self) -> bool {
        self.row().discloses
    }

    /// Whether a protocol named in vain counts for the ente too, and not for the declarant alone.
    pub fn attempts_count_for_the_ente(self) -> bool {
        self.row().attempts_count_for_the_ente
    }

    /// What is told where a body breaks its schema.
    pub fn on_violation(self) -> OnViolation {
        self.row().on_violation
    }
}

impl Service {
    /// The namespace of its messages.
    pub fn namespace(self) -> &'static str {
        self.row().namespace
    }

    /// The path that takes all operations of the service, as its WSDL has it.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Its WSDL, as it is in the repository: one port, SOAP 1.1.
    pub fn wsdl(self) -> &'static str {
        self.row().wsdl
    }

    /// Name and text of the schema of its messages.
    pub fn schema(self) -> (&'static str, &'static str) {
        self.row().schema
    }

    /// Its operations.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| operation.service() == self)
    }

    /// Whether it is one of the porta di dominio's.
    pub fn is_pdd(self) -> bool {
        self.row().pdd
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
