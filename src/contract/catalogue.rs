//! The operations, as data: root of the body, service, reply, what is told where the schema is broken.

/// An operation of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// One indicator of a person.
    ConsultazioneIndicatore,
    /// The attestation, with how it was computed.
    ConsultazioneAttestazione,
    /// A DSU is transmitted.
    TrasmissioneDsu,
}

/// A service: one WSDL, one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// INPS's consultation service.
    ConsultazioneIsee,
    /// Transmission of DSU: Varco's own.
    TrasmissioneDsu,
}

/// What is told where a body breaks its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnViolation {
    /// A SOAP fault, as INPS does.
    Fault,
    /// The operation's own reply, with every violation.
    Reply,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ConsultazioneIndicatore, Self::ConsultazioneAttestazione, Self::TrasmissioneDsu];

    /// The name in entries, grants and commands: the root's.
    pub fn name(self) -> &'static str {
        self.root()
    }

    /// By its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// By the root of a body: the only thing that dispatch looks at.
    pub fn by_root(namespace: &str, local: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.root() == local && operation.namespace() == namespace)
    }

    /// The service it belongs to.
    pub fn service(self) -> Service {
        match self {
            Self::ConsultazioneIndicatore | Self::ConsultazioneAttestazione => Service::ConsultazioneIsee,
            Self::TrasmissioneDsu => Service::TrasmissioneDsu,
        }
    }

    /// The namespace of request and reply.
    pub fn namespace(self) -> &'static str {
        match self.service() {
            Service::ConsultazioneIsee => "http://inps.it/ConsultazioneISEE",
            Service::TrasmissioneDsu => "urn:varco:trasmissione-dsu:1",
        }
    }

    /// The root of the request.
    pub fn root(self) -> &'static str {
        match self {
            Self::ConsultazioneIndicatore => "ConsultazioneIndicatore",
            Self::ConsultazioneAttestazione => "ConsultazioneAttestazione",
            Self::TrasmissioneDsu => "TrasmissioneDSU",
        }
    }

    /// The root of the reply.
    pub fn response(self) -> &'static str {
        match self {
            Self::ConsultazioneIndicatore => "ConsultazioneIndicatoreResponse",
            Self::ConsultazioneAttestazione => "ConsultazioneAttestazioneResponse",
            Self::TrasmissioneDsu => "TrasmissioneDSUResponse",
        }
    }

    /// What is told where a body breaks its schema.
    pub fn on_violation(self) -> OnViolation {
        match self {
            Self::ConsultazioneIndicatore | Self::ConsultazioneAttestazione => OnViolation::Fault,
            Self::TrasmissioneDsu => OnViolation::Reply,
        }
    }
}

impl Service {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ConsultazioneIsee, Self::TrasmissioneDsu];

    /// The path that takes all operations of the service.
    pub fn path(self) -> &'static str {
        match self {
            Self::ConsultazioneIsee => "/isee/ConsultazioneISEE/v1",
            Self::TrasmissioneDsu => "/isee/TrasmissioneDSU/v1",
        }
    }

    /// The service at a path.
    pub fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.path() == path)
    }
}

/// The codes of benefits (`TypePrestazioneDaErogare`).
pub fn benefits() -> Vec<&'static str> {
    let text = include_str!("../../wsdl/ISEE_TipiComuni.xsd");
    let (_, after) = text.split_once("name=\"TypePrestazioneDaErogare\"").unwrap_or_default();
    let (inside, _) = after.split_once("</xs:simpleType>").unwrap_or_default();
    inside.split("enumeration value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
