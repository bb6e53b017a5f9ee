//! The operations and services, as data: a row holds everything known of one. A new operation is its row, its
//! schema, its messages, and a function of a service.

use std::borrow::Cow;

use super::answered::Answered;
use super::bind::ElementContent;
use super::bound::Root;
use super::{consultazione as c, message, pdd, trasmissione as t};
use crate::ledger::Retention;

/// The endpoint of a path: a service, or one operation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service answering at the path.
    pub service: Service,
    /// Its only operation there. `None`: all its operations.
    pub only: Option<Operation>,
}

/// The answer to a body in breach of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnViolation {
    /// A SOAP fault, as INPS does.
    Fault,
    /// The operation's own reply, with every violation.
    Reply,
}

/// All properties of an operation.
struct Row {
    service: Service,
    root: &'static str,
    response: &'static str,
    /// What it answers, in Italian: for operators.
    cosa: &'static str,
    retention: Retention,
    transmits: bool,
    discloses: bool,
    attempts_count_for_the_ente: bool,
    on_violation: OnViolation,
    roots: fn(Operation) -> [Root; 2],
    answer: Option<fn(Operation, Answered) -> String>,
}

impl Row {
    /// A row with the types and the names of request and reply. The rest is as for most operations.
    const fn of<Q: ElementContent, R: ElementContent>(
        service: Service,
        root: &'static str,
        response: &'static str,
        cosa: &'static str,
    ) -> Self {
        Self {
            service,
            root,
            response,
            cosa,
            retention: Retention::Consultazione,
            transmits: false,
            discloses: false,
            attempts_count_for_the_ente: true,
            on_violation: OnViolation::Fault,
            roots: |operation| {
                let namespace = operation.namespace();
                [
                    Root::of::<Q>(namespace, operation.root()),
                    Root::of::<R>(namespace, operation.response()),
                ]
            },
            answer: None,
        }
    }

    /// A consultation: it gives data away.
    const fn consultation<Q: ElementContent, R: ElementContent + From<Answered>>(
        root: &'static str,
        response: &'static str,
        cosa: &'static str,
    ) -> Self {
        let answer: fn(Operation, Answered) -> String = |operation, answered| {
            message(
                operation.response(),
                operation.namespace(),
                &R::from(answered),
                false,
            )
        };
        Self {
            discloses: true,
            answer: Some(answer),
            ..Self::of::<Q, R>(Service::ConsultazioneIsee, root, response, cosa)
        }
    }

    /// A transmission of DSU. Its receipt is the sender's own data.
    const fn transmission<Q: ElementContent, R: ElementContent>(
        root: &'static str,
        response: &'static str,
        cosa: &'static str,
    ) -> Self {
        Self {
            retention: Retention::Dsu,
            transmits: true,
            ..Self::of::<Q, R>(Service::TrasmissioneDsu, root, response, cosa)
        }
    }

    /// A question of a sender about its own transmission.
    const fn follow_up<Q: ElementContent, R: ElementContent>(
        root: &'static str,
        response: &'static str,
        cosa: &'static str,
    ) -> Self {
        Self::of::<Q, R>(Service::TrasmissioneDsu, root, response, cosa)
    }
}

/// All properties of a service.
struct ServiceRow {
    namespace: &'static str,
    path: &'static str,
    wsdl: &'static str,
    /// Name and text of the schema of its messages.
    schema: (&'static str, &'static str),
    pdd: bool,
}

/// Makes an enumeration of its rows: the variants, the list of them, the row of each.
macro_rules! table {
    ($(#[$meta:meta])* enum $table:ident: $row:ident {
        $($(#[doc = $doc:literal])* $(#[cfg($when:meta)])? $name:ident: $value:expr;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $table { $($(#[doc = $doc])* $(#[cfg($when)])? $name),+ }

        impl $table {
            /// All rows, in the order of the table.
            pub const ALL: [Self; [$($(#[cfg($when)])? stringify!($name)),+].len()] = [$($(#[cfg($when)])? Self::$name),+];

            fn row(self) -> &'static $row {
                match self {
                    $($(#[cfg($when)])? Self::$name => {
                        const ROW: $row = $value;
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

table! {
    /// A service: one WSDL, one portType.
    enum Service: ServiceRow {
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
        /// ConsultazioneAttestazione in the dialect of the porta di dominio: there each operation is a
        /// service of its own.
        PddAttestazione: ServiceRow {
            namespace: "http://soa.inps.it/wsiseepdd/consultazioneattestazionerichiesta.xsd",
            path: "/isee/PdD/ConsultazioneAttestazione",
            wsdl: file!("PdD_ConsultazioneAttestazione.wsdl"),
            schema: ("PdD_ConsultazioneAttestazione.xsd", file!("PdD_ConsultazioneAttestazione.xsd")),
            pdd: true,
        };
        /// ConsultazioneDichiarazione in the dialect of the porta di dominio.
        PddDichiarazione: ServiceRow {
            namespace: "http://soa.inps.it/wsiseepdd/consultazionedichiarazionerichiesta.xsd",
            path: "/isee/PdD/ConsultazioneDichiarazione",
            wsdl: file!("PdD_ConsultazioneDichiarazione.wsdl"),
            schema: ("PdD_ConsultazioneDichiarazione.xsd", file!("PdD_ConsultazioneDichiarazione.xsd")),
            pdd: true,
        };
        /// VerificaEsistenzaProtocollo in the dialect of the porta di dominio.
        PddProtocollo: ServiceRow {
            namespace: "http://soa.inps.it/wsiseepdd/VerificaEsistenzaProtocolloRichiesta.xsd",
            path: "/isee/PdD/VerificaEsistenzaProtocollo",
            wsdl: file!("PdD_VerificaEsistenzaProtocollo.wsdl"),
            schema: ("PdD_VerificaEsistenzaProtocollo.xsd", file!("PdD_VerificaEsistenzaProtocollo.xsd")),
            pdd: true,
        };
        /// The made-up service of unit tests.
        #[cfg(test)]
        Prova: ServiceRow {
            namespace: "urn:prova",
            path: "/prova",
            wsdl: super::prova::WSDL,
            schema: ("Prova.xsd", super::prova::SCHEMA),
            pdd: false,
        };
    }
}

table! {
    /// An operation of the contract.
    enum Operation: Row {
        /// One indicator of a person.
        ConsultazioneIndicatore:
            Row::consultation::<c::ConsultazioneIndicatore, c::ConsultazioneIndicatoreResponse>(
                "ConsultazioneIndicatore",
                "ConsultazioneIndicatoreResponse",
                "un indicatore di una persona: ISE, ISEE, scala, ISR, ISP",
            );
        /// The attestation, with how it was computed.
        ConsultazioneAttestazione:
            Row::consultation::<c::ConsultazioneAttestazione, c::ConsultazioneAttestazioneResponse>(
                "ConsultazioneAttestazione",
                "ConsultazioneAttestazioneResponse",
                "l'attestazione di una persona, con il calcolo",
            );
        /// The attestation of a resident: for municipalities.
        ConsultazioneAttestazioneResidenti:
            Row::consultation::<c::ConsultazioneAttestazioneResidenti, c::ConsultazioneAttestazioneResidentiResponse>(
                "ConsultazioneAttestazioneResidenti",
                "ConsultazioneAttestazioneResidentiResponse",
                "l'attestazione di un residente: per i comuni",
            );
        /// The DSU itself, completed: for checks.
        ConsultazioneDichiarazione:
            Row::consultation::<c::ConsultazioneDichiarazione, c::ConsultazioneDichiarazioneResponse>(
                "ConsultazioneDichiarazione",
                "ConsultazioneDichiarazioneResponse",
                "la DSU nel dettaglio: per i controlli",
            );
        /// Whether an indicator is under a threshold.
        ConsultazioneSogliaIndicatore:
            Row::consultation::<c::ConsultazioneSogliaIndicatore, c::ConsultazioneSogliaIndicatoreResponse>(
                "ConsultazioneSogliaIndicatore",
                "ConsultazioneSogliaIndicatoreResponse",
                "se un indicatore è sotto una soglia, senza l'indicatore",
            );
        /// A DSU is transmitted.
        TrasmissioneDsu: Row {
            on_violation: OnViolation::Reply,
            ..Row::transmission::<t::TrasmissioneDsu, t::TrasmissioneDsuResponse>("TrasmissioneDSU", "TrasmissioneDSUResponse", "riceve una DSU")
        };
        /// The fate of a transmitted DSU.
        ConsultazioneEsitoDsu:
            Row::follow_up::<t::ConsultazioneEsitoDsu, t::ConsultazioneEsitoDsuResponse>("ConsultazioneEsitoDSU", "ConsultazioneEsitoDSUResponse", "che cosa è stato di una DSU trasmessa");
        /// Many DSU are transmitted.
        TrasmissioneLotto:
            Row::transmission::<t::TrasmissioneLotto, t::TrasmissioneLottoResponse>("TrasmissioneLotto", "TrasmissioneLottoResponse", "riceve fino a 500 DSU insieme");
        /// The fate of a lot.
        ConsultazioneEsitoLotto:
            Row::follow_up::<t::ConsultazioneEsitoLotto, t::ConsultazioneEsitoLottoResponse>(
                "ConsultazioneEsitoLotto",
                "ConsultazioneEsitoLottoResponse",
                "che cosa è stato di un lotto trasmesso",
            );
        /// The attestation, in the dialect of the porta di dominio.
        PddAttestazione: Row {
            service: Service::PddAttestazione,
            ..Row::consultation::<pdd::ConsultazioneAttestazione, pdd::ConsultazioneAttestazioneRisposta>(
                "ConsultazioneAttestazione",
                "ConsultazioneAttestazioneRisposta",
                "l'attestazione di una persona, con il calcolo",
            )
        };
        /// The DSU itself, in the dialect of the porta di dominio.
        PddDichiarazione: Row {
            service: Service::PddDichiarazione,
            ..Row::consultation::<pdd::ConsultazioneDichiarazione, pdd::ConsultazioneDichiarazioneRisposta>(
                "ConsultazioneDichiarazione",
                "ConsultazioneDichiarazioneRisposta",
                "la DSU nel dettaglio: per i controlli",
            )
        };
        /// Whether a protocol exists, in the dialect of the porta di dominio. Its existence is no personal
        /// data: the caller has the protocol.
        PddProtocollo: Row {
            service: Service::PddProtocollo,
            discloses: false,
            // An ente checking the protocols of many applicants meets their mistakes.
            attempts_count_for_the_ente: false,
            ..Row::consultation::<pdd::VerificaEsistenzaProtocollo, pdd::VerificaEsistenzaProtocolloRisposta>(
                "VerificaEsistenzaProtocollo",
                "VerificaEsistenzaProtocolloRisposta",
                "se una DSU con quel protocollo esiste, e non altro",
            )
        };
        /// The made-up operation of unit tests.
        #[cfg(test)]
        Prova: Row::of::<super::prova::Prova, super::prova::Prova>(Service::Prova, "Prova", "ProvaResponse", "una prova");
    }
}

impl Operation {
    /// What it answers, in Italian.
    pub fn cosa(self) -> &'static str {
        self.row().cosa
    }

    /// Whether it transmits DSU: one or a lot.
    pub fn transmits(self) -> bool {
        self.row().transmits
    }

    /// The name in entries, grants and commands: the root's. The same operation in two dialects has one name,
    /// and one grant.
    pub fn name(self) -> &'static str {
        self.root()
    }

    /// By its name; of two dialects, INPS's consultation service.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// By the root of a body, the only input of dispatch.
    pub fn by_root(namespace: &str, local: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.root() == local && operation.namespace() == namespace)
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

    /// The retention class of its exchanges. A transmission is kept as long as its DSU, a reading as long as
    /// readings are.
    pub fn retention(self) -> Retention {
        self.row().retention
    }

    /// Whether a reply may give the caller new personal data. Quotas of persons, the count of uses of a DSU
    /// and reviews of the ledger all go by this.
    pub fn discloses(self) -> bool {
        self.row().discloses
    }

    /// Whether a protocol named in vain counts for the ente too, and not for the declarant alone.
    pub fn attempts_count_for_the_ente(self) -> bool {
        self.row().attempts_count_for_the_ente
    }

    /// The roots of request and reply, with their bound types.
    pub fn roots(self) -> [Root; 2] {
        (self.row().roots)(self)
    }

    /// The reply of a consultation. `None` for other operations.
    pub fn answer(self, answered: Answered) -> Option<String> {
        self.row().answer.map(|answer| answer(self, answered))
    }

    /// The answer to a body in breach of its schema.
    pub fn on_violation(self) -> OnViolation {
        self.row().on_violation
    }
}

impl Service {
    /// The namespace of its messages.
    pub fn namespace(self) -> &'static str {
        self.row().namespace
    }

    /// The path for all operations of the service, as in its WSDL.
    pub fn path(self) -> &'static str {
        self.row().path
    }

    /// Its WSDL, as in the repository: one port, SOAP 1.1.
    pub fn wsdl(self) -> &'static str {
        self.row().wsdl
    }

    /// Name and text of the schema of its messages.
    pub fn schema(self) -> (&'static str, &'static str) {
        self.row().schema
    }

    /// Its operations, in the order of the catalogue.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        Operation::ALL
            .into_iter()
            .filter(move |operation| operation.service() == self)
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
    /// The endpoint of a path. Paths are a service's own; `/isee/ConsultazioneISEE/v2/<Operation>`; and for
    /// the dialect of the porta di dominio `<Operation>` after `/isee/PdD/` or any of the configured
    /// `prefixes`. Each prefix ends with a slash.
    pub fn at(path: &str, prefixes: &[String]) -> Option<Self> {
        if let Some(service) = Service::ALL.into_iter().find(|service| service.path() == path) {
            return Some(Self { service, only: None });
        }
        if let Some(name) = path.strip_prefix("/isee/ConsultazioneISEE/v2/") {
            let only = Service::ConsultazioneIsee
                .operations()
                .find(|operation| operation.name() == name)?;
            return Some(Self {
                service: Service::ConsultazioneIsee,
                only: Some(only),
            });
        }
        let pdd = |name: &str| {
            Operation::ALL
                .into_iter()
                .find(|operation| operation.service().is_pdd() && operation.name() == name)
        };
        let operation = prefixes
            .iter()
            .find_map(|prefix| pdd(path.strip_prefix(prefix.as_str())?))?;
        Some(Self {
            service: operation.service(),
            only: None,
        })
    }

    /// Whether an operation is answered there.
    pub fn answers(&self, operation: Operation) -> bool {
        operation.service() == self.service && self.only.is_none_or(|only| only == operation)
    }
}

/// The codes of benefits (`TypePrestazioneDaErogare`).
pub fn benefits() -> Vec<&'static str> {
    let text = include_str!("../../wsdl/ISEE_TipiComuni.xsd");
    let (_, after) = text
        .split_once("name=\"TypePrestazioneDaErogare\"")
        .unwrap_or_default();
    let (inside, _) = after.split_once("</xs:simpleType>").unwrap_or_default();
    inside
        .split("enumeration value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transmission_is_kept_as_long_as_its_dsu() {
        for operation in Operation::ALL {
            let kept = match operation.transmits() {
                true => Retention::Dsu,
                false => Retention::Consultazione,
            };
            assert_eq!(operation.retention(), kept, "{}", operation.name());
        }
        assert!(Operation::TrasmissioneDsu.transmits() && Operation::TrasmissioneLotto.transmits());
    }

    #[test]
    fn paths_lead_to_services() {
        let prefixes = ["/pdd/".to_owned(), "/pdd/inps/".to_owned()];
        let at = |path: &str| Endpoint::at(path, &prefixes);
        assert_eq!(
            plain("//isee///ConsultazioneISEE/v1/"),
            "/isee/ConsultazioneISEE/v1"
        );
        assert_eq!(
            (plain("/"), plain("//"), plain("/a")),
            ("/".into(), "/".into(), "/a".into())
        );
        assert_eq!(
            at("/isee/ConsultazioneISEE/v1").map(|e| (e.service, e.only)),
            Some((Service::ConsultazioneIsee, None))
        );
        let one = at("/isee/ConsultazioneISEE/v2/ConsultazioneAttestazione").unwrap();
        assert!(
            one.answers(Operation::ConsultazioneAttestazione)
                && !one.answers(Operation::ConsultazioneIndicatore)
        );
        assert!(!one.answers(Operation::PddAttestazione));
        assert_eq!(
            at("/isee/PdD/VerificaEsistenzaProtocollo").unwrap().service,
            Service::PddProtocollo
        );
        assert_eq!(
            at("/pdd/inps/ConsultazioneDichiarazione").unwrap().service,
            Service::PddDichiarazione
        );
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
            assert_eq!(
                Operation::by_root(operation.namespace(), operation.root()),
                Some(operation)
            );
            let before = &Operation::ALL[..index];
            let twice = before.iter().any(|other| other.name() == operation.name());
            assert_eq!(
                twice,
                operation.service().is_pdd() && operation != Operation::PddProtocollo,
                "{operation:?}"
            );
        }
    }
}
