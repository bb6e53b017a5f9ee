//! The one place where a refusal becomes bytes.
//!
//! Faults are HTTP 500 (in SOAP 1.2 the sender's are 400) with the status of RFC 7807 inside, in the form of INPS's front; what concerns HTTP itself is
//! a status of its own (400, 404, 405, 408, 413, 415, 429, 431, 503). One row a code; `docs/errori.md` holds the whole table, generated from it.

use hyper::StatusCode;
use uuid::Uuid;

use crate::refusal::{Code, Refusal};
use crate::soap::Version;
use crate::xml::writer::{Style, Writer};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// HTTP status of the response.
    pub http: StatusCode,
    /// Status inside the problem.
    pub status: u16,
    /// After `SOAP-ENV:`.
    pub faultcode: &'static str,
    /// What INPS's front says where it has such a fault; ours elsewhere.
    pub faultstring: &'static str,
    /// Last part of the problem's type.
    pub slug: &'static str,
    /// What happened and what to do, in Italian.
    pub detail: &'static str,
    /// Code in the ledger.
    pub ledger: &'static str,
}

/// Every code, in the order of the table.
pub const CODES: [Code; 25] = [
    Code::NotAuthorized,
    Code::PeerInvalid,
    Code::OperationNotGranted,
    Code::IdentityMismatch,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::BodyTooLarge,
    Code::BodyTimeout,
    Code::BodyInterrupted,
    Code::UnsupportedMedia,
    Code::Xml,
    Code::Envelope,
    Code::Version,
    Code::MustUnderstand,
    Code::UnknownOperation,
    Code::WrongPath,
    Code::Schema,
    Code::TooManyRequests,
    Code::Unavailable,
    Code::Package,
    Code::Office,
    Code::Quota,
    Code::Malformed,
    Code::Attempts,
    Code::Fields,
];

/// What whoever may not come in is told: unknown, suspended, revoked, expired, it is the same for all of them.
const CALLER: &str = "Il certificato presentato non è valido, o non è di un ente accreditato: rivolgersi a chi gestisce la porta.";

/// The row of a code.
pub fn row(code: Code) -> Row {
    let fault = |status, faultcode, faultstring, slug, detail, ledger| Row {
        http: StatusCode::INTERNAL_SERVER_ERROR,
        status,
        faultcode,
        faultstring,
        slug,
        detail,
        ledger,
    };
    let http = |http: StatusCode, faultcode, faultstring, slug, detail, ledger| Row {
        http,
        status: http.as_u16(),
        faultcode,
        faultstring,
        slug,
        detail,
        ledger,
    };
    match code {
        Code::NotAuthorized => fault(403, "Client.Authorization", "Authorization failed", "authorization", CALLER, "F01.ente"),
        Code::PeerInvalid => fault(403, "Client.Authorization", "Authorization failed", "authorization", CALLER, "F02.certificato"),
        Code::OperationNotGranted => fault(
            403,
            "Client.Authorization",
            "Authorization failed",
            "operation",
            "L'ente non è abilitato a questa operazione: chiederne l'abilitazione a chi gestisce la porta.",
            "F03.operazione",
        ),
        Code::IdentityMismatch => fault(
            403,
            "Client.Authorization",
            "Authorization failed",
            "identity",
            "Il CodiceEnte indicato non è dell'ente che chiama: correggerlo o toglierlo.",
            "F04.identita",
        ),
        Code::Office => fault(
            403,
            "Client.Authorization",
            "Authorization failed",
            "office",
            "L'ente deve indicare uno dei suoi uffici registrati (CodiceUfficio): indicarlo, o farlo registrare da chi gestisce la porta.",
            "F21.ufficio",
        ),
        Code::NotFound => http(
            StatusCode::NOT_FOUND,
            "Client.NotFound",
            "Not found",
            "path",
            "Nessun servizio a questo indirizzo: usare quello del WSDL (?wsdl).",
            "F05.indirizzo",
        ),
        Code::MethodNotAllowed => http(
            StatusCode::METHOD_NOT_ALLOWED,
            "Client.MethodNotAllowed",
            "Method not allowed",
            "method",
            "Usare POST; GET solo per ?wsdl e ?xsd=.",
            "F06.metodo",
        ),
        Code::Malformed => http(
            StatusCode::BAD_REQUEST,
            "Client.MalformedRequest",
            "Malformed request",
            "request",
            "Richiesta HTTP non ben formata, o ambigua: un solo Host; una sola Content-Length, oppure Transfer-Encoding: chunked.",
            "F23.richiesta",
        ),
        Code::Fields => http(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "Client.TooManyHeaderFields",
            "Request Header Fields Too Large",
            "fields",
            "La richiesta ha più di 128 campi di intestazione HTTP: toglierne.",
            "F25.campi",
        ),
        Code::BodyTooLarge => http(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Client.PayloadTooLarge",
            "Payload too large",
            "size",
            "Il messaggio supera la dimensione ammessa: dividerlo.",
            "F07.dimensione",
        ),
        Code::BodyTimeout => http(
            StatusCode::REQUEST_TIMEOUT,
            "Client.Timeout",
            "Request timeout",
            "timeout",
            "Il messaggio non è arrivato per intero nel tempo ammesso: riprovare.",
            "F08.tempo",
        ),
        Code::BodyInterrupted => http(
            StatusCode::BAD_REQUEST,
            "Client.Interrupted",
            "Request interrupted",
            "interrupted",
            "Il messaggio si è interrotto prima della fine: riprovare.",
            "F09.interrotto",
        ),
        Code::UnsupportedMedia => http(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Client.UnsupportedMediaType",
            "Unsupported media type",
            "media-type",
            "Atteso text/xml, application/soap+xml o multipart/related, in UTF-8, UTF-16, ISO-8859-1 o windows-1252, senza compressione.",
            "F10.formato",
        ),
        Code::Xml => fault(
            400,
            "Client.MalformedXML",
            "Malformed XML",
            "xml",
            "Il messaggio non è XML ben formato, o supera i limiti ammessi: correggerlo dove è indicato.",
            "F11.xml",
        ),
        Code::Envelope => fault(
            400,
            "Client.InvalidEnvelope",
            "Invalid SOAP envelope",
            "envelope",
            "Atteso un Envelope SOAP con al più un Header e un Body con un solo elemento.",
            "F12.busta",
        ),
        Code::Version => fault(
            400,
            "VersionMismatch",
            "SOAP version not supported",
            "version",
            "Questo indirizzo parla SOAP 1.1 e SOAP 1.2.",
            "F13.versione",
        ),
        Code::MustUnderstand => fault(
            400,
            "MustUnderstand",
            "Header not understood",
            "must-understand",
            "Un'intestazione con mustUnderstand non è conosciuta: toglierla, o togliere mustUnderstand.",
            "F14.intestazione",
        ),
        Code::Package => fault(
            400,
            "Client.InvalidPackage",
            "Invalid MIME package",
            "package",
            "Il messaggio multipart/related non è ben formato, o un riferimento cid: non ha la sua parte.",
            "F20.allegati",
        ),
        Code::UnknownOperation => fault(
            404,
            "Client.UnknownOperation",
            "Unknown operation",
            "unknown-operation",
            "L'elemento nel Body non è un'operazione conosciuta: controllare nome e namespace nel WSDL (?wsdl).",
            "F15.sconosciuta",
        ),
        Code::WrongPath => fault(
            404,
            "Client.UnknownOperation",
            "Unknown operation",
            "wrong-path",
            "L'operazione è di un altro indirizzo: usare quello del suo WSDL.",
            "F16.servizio",
        ),
        Code::Schema => fault(
            400,
            "Client.SchemaValidation",
            "Schema validation failed",
            "schema",
            "Il messaggio non rispetta lo schema: correggerlo dove è indicato.",
            "F17.schema",
        ),
        Code::TooManyRequests => http(
            StatusCode::TOO_MANY_REQUESTS,
            "Client.TooManyRequests",
            "Too Many Requests",
            "too-many-requests",
            "Troppe richieste: riprovare più tardi.",
            "F18.troppe",
        ),
        Code::Quota => http(
            StatusCode::TOO_MANY_REQUESTS,
            "Client.TooManyRequests",
            "Too Many Requests",
            "quota",
            "La quota dell'ente, o dell'operatore, è esaurita: riprovare dopo i secondi di Retry-After.",
            "F22.quota",
        ),
        Code::Attempts => http(
            StatusCode::TOO_MANY_REQUESTS,
            "Client.TooManyRequests",
            "Too Many Requests",
            "attempts",
            "Troppi protocolli indicati invano: controllarli, e riprovare dopo i secondi di Retry-After.",
            "F24.tentativi",
        ),
        Code::Unavailable => http(
            StatusCode::SERVICE_UNAVAILABLE,
            "Server.APIUnavailable",
            "Service unavailable",
            "unavailable",
            "Il servizio non è disponibile: riprovare tra poco.",
            "F19.indisponibile",
        ),
    }
}

/// The HTTP status of a refusal, in a version of SOAP: of 1.2, part 2, table 20 says that the sender's faults are 400.
pub fn status(code: Code, version: Version) -> StatusCode {
    let row = row(code);
    let senders = row.http == StatusCode::INTERNAL_SERVER_ERROR && row.faultcode.starts_with("Client");
    if version == Version::V12 && senders { StatusCode::BAD_REQUEST } else { row.http }
}

/// A fault's envelope. `exchange` is the request's id; nothing in it comes from the request but that, the version, and the names of headers that were not
/// understood.
pub fn render(refusal: &Refusal, exchange: Uuid, version: Version) -> String {
    let row = row(refusal.code);
    let mut writer = Writer::document(Style::Compact);
    writer.open("SOAP-ENV:Envelope");
    writer.attribute("xmlns:SOAP-ENV", version.namespace());
    if (refusal.code, version) == (Code::Version, Version::V12) {
        // Part 1, section 5.4.7: which envelopes would be understood.
        writer.open("SOAP-ENV:Header");
        writer.open("SOAP-ENV:Upgrade");
        for known in [Version::V12, Version::V11] {
            writer.open("SOAP-ENV:SupportedEnvelope");
            writer.attribute("qname", "ns:Envelope");
            writer.attribute("xmlns:ns", known.namespace());
            writer.close();
        }
        writer.close();
        writer.close();
    }
    if version == Version::V12 && !refusal.headers.is_empty() {
        // Part 1, section 5.4.8: the headers that were not understood.
        writer.open("SOAP-ENV:Header");
        for (namespace, local) in &refusal.headers {
            writer.open("SOAP-ENV:NotUnderstood");
            if namespace.is_empty() {
                writer.attribute("qname", local);
            } else {
                writer.attribute("qname", &format!("h:{local}"));
                writer.attribute("xmlns:h", namespace);
            }
            writer.close();
        }
        writer.close();
    }
    writer.open("SOAP-ENV:Body");
    writer.open("SOAP-ENV:Fault");
    match version {
        Version::V11 => {
            writer.element("faultcode", &format!("SOAP-ENV:{}", row.faultcode));
            writer.element("faultstring", row.faultstring);
            writer.element("faultactor", ACTOR);
            writer.open("detail");
            problem(&mut writer, &row, refusal, exchange);
            writer.close();
        }
        Version::V12 => {
            // Part 1, section 5.4.6: a closed list of codes; the finer one is a subcode.
            writer.open("SOAP-ENV:Code");
            let (side, finer) = row.faultcode.split_once('.').unwrap_or((row.faultcode, ""));
            let side = match side {
                "Client" => "Sender",
                "Server" => "Receiver",
                own => own,
            };
            writer.element("SOAP-ENV:Value", &format!("SOAP-ENV:{side}"));
            if !finer.is_empty() {
                writer.open("SOAP-ENV:Subcode");
                writer.open("SOAP-ENV:Value");
                writer.attribute("xmlns:f", FAULTS);
                writer.text(&format!("f:{}", row.faultcode));
                writer.close();
                writer.close();
            }
            writer.close();
            writer.open("SOAP-ENV:Reason");
            writer.open("SOAP-ENV:Text");
            writer.attribute("xml:lang", "en");
            writer.text(row.faultstring);
            writer.close();
            writer.close();
            writer.element("SOAP-ENV:Node", ACTOR);
            writer.open("SOAP-ENV:Detail");
            problem(&mut writer, &row, refusal, exchange);
            writer.close();
        }
    }
    for _ in 0..3 {
        writer.close();
    }
    writer.finish()
}

const ACTOR: &str = "urn:varco:porta-di-dominio";
/// The namespace of the subcodes.
const FAULTS: &str = "urn:varco:fault";

/// RFC 7807, appendix A: the problem as XML.
fn problem(writer: &mut Writer, row: &Row, refusal: &Refusal, exchange: Uuid) {
    writer.open("problem");
    writer.attribute("xmlns", "urn:ietf:rfc:7807");
    writer.element("type", &format!("urn:varco:problem:{}", row.slug));
    writer.element("title", row.faultstring);
    writer.element("status", &row.status.to_string());
    let detail = match &refusal.public {
        Some(public) => format!("{} {public}", row.detail),
        None => row.detail.to_owned(),
    };
    writer.element("detail", &detail);
    writer.element("instance", &format!("urn:uuid:{exchange}"));
    writer.close();
}
