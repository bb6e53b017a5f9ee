//! The one place where a refusal becomes bytes.
//!
//! Faults are HTTP 500 (in SOAP 1.2 the sender's are 400) with the status of RFC 7807 inside, in the form of
//! INPS's front. Errors of HTTP itself have a status of their own (400, 404, 405, 408, 413, 415, 429, 431,
//! 503). One row a code; `docs/it/errori.md` holds the whole table, generated from it.

use hyper::StatusCode;
use uuid::Uuid;

use crate::refusal::{Code, Refusal};
use crate::soap::Version;
use crate::xml::writer::{Style, Writer};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FaultRow {
    /// HTTP status of the response.
    pub http: u16,
    /// Status inside the problem.
    pub status: u16,
    /// Code of the fault, without the prefix `SOAP-ENV:`.
    pub faultcode: &'static str,
    /// Text of INPS's front for such a fault; ours where it has none.
    pub faultstring: &'static str,
    /// Last part of the problem's type.
    pub slug: &'static str,
    /// Event and remedy, in Italian.
    pub detail: &'static str,
    /// Code in the ledger.
    pub ledger: &'static str,
}

/// The detail for an unknown, suspended, revoked or expired caller: one for all of them.
const CALLER: &str = "Il certificato presentato non è valido, o non è di un ente accreditato: rivolgersi a chi gestisce la porta.";

/// The table, one line each: the code in the ledger, the kind of the fault with its status, faultcode,
/// faultstring, the type of the problem, and the text.
macro_rules! faults {
    ($($code:ident: $ledger:literal, $kind:ident $status:literal, $faultcode:literal, $faultstring:literal, $slug:literal, $detail:expr;)+) => {
        /// Every code, in the order of the table.
        pub const CODES: &[Code] = &[$(Code::$code),+];

        /// The row of a code.
        pub const fn row(code: Code) -> FaultRow {
            match code {
                $(Code::$code => FaultRow {
                    http: http!($kind $status),
                    status: $status,
                    faultcode: $faultcode,
                    faultstring: $faultstring,
                    slug: $slug,
                    detail: $detail,
                    ledger: $ledger,
                },)+
            }
        }
    };
}

/// A fault is HTTP 500. A status of HTTP stays as it is.
macro_rules! http {
    (fault $status:literal) => {
        500
    };
    (http $status:literal) => {
        $status
    };
}

faults! {
    NotAuthorized: "F01.ente", fault 403, "Client.Authorization", "Authorization failed", "authorization", CALLER;
    PeerInvalid: "F02.certificato", fault 403, "Client.Authorization", "Authorization failed", "authorization", CALLER;
    OperationNotGranted: "F03.operazione", fault 403, "Client.Authorization", "Authorization failed", "operation",
        "L'ente non è abilitato a questa operazione: chiederne l'abilitazione a chi gestisce la porta.";
    IdentityMismatch: "F04.identita", fault 403, "Client.Authorization", "Authorization failed", "identity",
        "Il CodiceEnte indicato non è dell'ente che chiama: correggerlo o toglierlo.";
    NotFound: "F05.indirizzo", http 404, "Client.NotFound", "Not found", "path",
        "Nessun servizio a questo indirizzo: usare quello del WSDL (?wsdl).";
    MethodNotAllowed: "F06.metodo", http 405, "Client.MethodNotAllowed", "Method not allowed", "method",
        "Usare POST; GET solo per ?wsdl e ?xsd=.";
    BodyTooLarge: "F07.dimensione", http 413, "Client.PayloadTooLarge", "Payload too large", "size",
        "Il messaggio supera la dimensione ammessa: dividerlo.";
    BodyTimeout: "F08.tempo", http 408, "Client.Timeout", "Request timeout", "timeout",
        "Il messaggio non è arrivato per intero nel tempo ammesso: riprovare.";
    BodyInterrupted: "F09.interrotto", http 400, "Client.Interrupted", "Request interrupted", "interrupted",
        "Il messaggio si è interrotto prima della fine: riprovare.";
    UnsupportedMedia: "F10.formato", http 415, "Client.UnsupportedMediaType", "Unsupported media type", "media-type",
        "Atteso text/xml, application/soap+xml o multipart/related, in UTF-8, UTF-16, ISO-8859-1 o windows-1252, senza compressione.";
    Xml: "F11.xml", fault 400, "Client.MalformedXML", "Malformed XML", "xml",
        "Il messaggio non è XML ben formato, o supera i limiti ammessi: correggerlo dove è indicato.";
    Envelope: "F12.busta", fault 400, "Client.InvalidEnvelope", "Invalid SOAP envelope", "envelope",
        "Atteso un Envelope SOAP con al più un Header e un Body con un solo elemento.";
    Version: "F13.versione", fault 400, "VersionMismatch", "SOAP version not supported", "version",
        "Questo indirizzo parla SOAP 1.1 e SOAP 1.2.";
    MustUnderstand: "F14.intestazione", fault 400, "MustUnderstand", "Header not understood", "must-understand",
        "Un'intestazione con mustUnderstand non è conosciuta: toglierla, o togliere mustUnderstand.";
    UnknownOperation: "F15.sconosciuta", fault 404, "Client.UnknownOperation", "Unknown operation", "unknown-operation",
        "L'elemento nel Body non è un'operazione conosciuta: controllare nome e namespace nel WSDL (?wsdl).";
    WrongPath: "F16.servizio", fault 404, "Client.UnknownOperation", "Unknown operation", "wrong-path",
        "L'operazione è di un altro indirizzo: usare quello del suo WSDL.";
    Schema: "F17.schema", fault 400, "Client.SchemaValidation", "Schema validation failed", "schema",
        "Il messaggio non rispetta lo schema: correggerlo dove è indicato.";
    TooManyRequests: "F18.troppe", http 429, "Client.TooManyRequests", "Too Many Requests", "too-many-requests",
        "Troppe richieste: riprovare più tardi.";
    Unavailable: "F19.indisponibile", http 503, "Server.APIUnavailable", "Service unavailable", "unavailable",
        "Il servizio non è disponibile: riprovare tra poco.";
    Package: "F20.allegati", fault 400, "Client.InvalidPackage", "Invalid MIME package", "package",
        "Il messaggio multipart/related non è ben formato, o un riferimento cid: non ha la sua parte.";
    Office: "F21.ufficio", fault 403, "Client.Authorization", "Authorization failed", "office",
        "L'ente deve indicare uno dei suoi uffici registrati (CodiceUfficio): indicarlo, o farlo registrare da chi gestisce la porta.";
    Quota: "F22.quota", http 429, "Client.TooManyRequests", "Too Many Requests", "quota",
        "La quota dell'ente, o dell'operatore, è esaurita: riprovare dopo i secondi di Retry-After.";
    Malformed: "F23.richiesta", http 400, "Client.MalformedRequest", "Malformed request", "request",
        "Richiesta HTTP non ben formata, o ambigua: un solo Host; una sola Content-Length, oppure Transfer-Encoding: chunked.";
    Attempts: "F24.tentativi", http 429, "Client.TooManyRequests", "Too Many Requests", "attempts",
        "Troppi protocolli indicati invano: controllarli, e riprovare dopo i secondi di Retry-After.";
    Fields: "F25.campi", http 431, "Client.TooManyHeaderFields", "Request Header Fields Too Large", "fields",
        "La richiesta ha più di 128 campi di intestazione HTTP: toglierne.";
}

/// The code behind its name in the ledger.
pub fn code_of(ledger: &str) -> Option<Code> {
    CODES.iter().copied().find(|code| row(*code).ledger == ledger)
}

/// The HTTP status of a refusal, in a version of SOAP. By SOAP 1.2, part 2, table 20, the sender's faults are
/// 400.
pub fn status(code: Code, version: Version) -> StatusCode {
    let row = row(code);
    let senders = row.http == 500 && row.faultcode.starts_with("Client");
    let http = if version == Version::V12 && senders {
        400
    } else {
        row.http
    };
    StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A fault's envelope. `exchange` is the request's id. From the request come the id, the version and the
/// names of headers not understood, and nothing else.
pub fn render(refusal: &Refusal, exchange: Uuid, version: Version) -> String {
    let row = row(refusal.code);
    let mut writer = Writer::document(Style::Compact);
    writer.open("SOAP-ENV:Envelope");
    writer.attribute("xmlns:SOAP-ENV", version.namespace());
    if (refusal.code, version) == (Code::Version, Version::V12) {
        upgrade(&mut writer);
    }
    if version == Version::V12 && !refusal.headers.is_empty() {
        not_understood(&mut writer, refusal);
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
            code(&mut writer, &row);
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

/// The envelopes understood here (SOAP 1.2, part 1, section 5.4.7).
fn upgrade(writer: &mut Writer) {
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

/// The headers not understood (SOAP 1.2, part 1, section 5.4.8).
fn not_understood(writer: &mut Writer, refusal: &Refusal) {
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

/// The code, of a closed list; the finer one is a subcode (SOAP 1.2, part 1, section 5.4.6).
fn code(writer: &mut Writer, row: &FaultRow) {
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
}

const ACTOR: &str = "urn:varco:porta-di-dominio";
/// The namespace of the subcodes.
const FAULTS: &str = "urn:varco:fault";

/// RFC 7807, appendix A: the problem as XML.
fn problem(writer: &mut Writer, row: &FaultRow, refusal: &Refusal, exchange: Uuid) {
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
