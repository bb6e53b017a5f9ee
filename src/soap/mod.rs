//! SOAP envelopes, 1.1 (W3C Note, 8 May 2000) and 1.2 (W3C Recommendation, second edition, 27 April 2007):
//! reading a request, wrapping a reply.
//!
//! Headers without `mustUnderstand` are ignored, as clients of INPS's services expect: vendors' own, a busta
//! e-Gov on a plain endpoint. The WS-Addressing headers of a request are understood, with `mustUnderstand`
//! too, as WCF sends them: they have no effect, and To is not compared. A reply goes back on the connection
//! of its request, and nowhere else: a ReplyTo or FaultTo with another address is refused. The Identity
//! header is read if it is there; the WSDL does not declare it. [`mime`] opens the packages of MTOM.
//! [`read()`] goes the whole way from the bytes of a request to its envelope.

pub mod mime;
mod read;

pub use read::{Bounds, Media, Message, MessageText, NotRead, Unreadable, read};

use crate::xml::{Document, Element};

/// The namespace of SOAP 1.1.
pub const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of SOAP 1.2.
pub const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
/// The namespace of the Identity header; its children have none.
pub const INPS: &str = "http://inps.it/";

/// WS-Addressing: 1.0 (W3C Recommendation, 9 May 2006), and the submission of August 2004 for older
/// frameworks.
const ADDRESSING: [&str; 2] = [
    "http://www.w3.org/2005/08/addressing",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing",
];
/// The WS-Addressing headers understood in a request.
const ADDRESSED: [&str; 6] = ["Action", "To", "MessageID", "From", "ReplyTo", "FaultTo"];

/// The version of SOAP: a request is answered in its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// SOAP 1.1, the default (`text/xml`).
    #[default]
    V11,
    /// SOAP 1.2, by the media type `application/soap+xml`.
    V12,
}

impl Version {
    /// The namespace of its envelope.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::V11 => SOAP11,
            Self::V12 => SOAP12,
        }
    }

    /// The media type of its messages.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml",
            Self::V12 => "application/soap+xml",
        }
    }

    /// By a media type, whatever its case.
    pub fn of_media_type(kind: &str) -> Option<Self> {
        let is = |name: &str| kind.trim().eq_ignore_ascii_case(name);
        match () {
            () if is("text/xml") || is("application/xml") => Some(Self::V11),
            () if is("application/soap+xml") => Some(Self::V12),
            () => None,
        }
    }

    /// The name of the attribute with a header's recipient, and its values for any recipient of the message.
    fn role(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::V11 => ("actor", &["", "http://schemas.xmlsoap.org/soap/actor/next"]),
            Self::V12 => (
                "role",
                &[
                    "",
                    "http://www.w3.org/2003/05/soap-envelope/role/next",
                    "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
                ],
            ),
        }
    }
}

/// The sender of a request, in the caller's own words. All of it is optional, and none of it is matched with
/// a person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// A batch's name, the body's code, even the citizen's codice fiscale: recorded as it comes, sealed.
    pub user: Option<String>,
    /// The office's code; `None` without CodiceUfficio.
    pub office: Option<String>,
    /// The body's code: if it is there, it must be the caller's.
    pub ente: Option<String>,
    /// Whether one field stands twice, with different values.
    pub contradicts: bool,
}

impl Identity {
    /// Adds the text of an element, if it has any.
    fn add(&mut self, name: &str, text: &str) {
        let said = match name {
            "UserId" => &mut self.user,
            "CodiceUfficio" => &mut self.office,
            "CodiceEnte" => &mut self.ente,
            _ => return,
        };
        match said {
            _ if text.is_empty() => {}
            Some(before) => self.contradicts |= before != text,
            None => *said = Some(text.to_owned()),
        }
    }
}

/// Hides all fields: one may be a codice fiscale.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// The envelope of a request, read.
#[derive(Clone, Debug)]
pub struct Call<'d, 's> {
    /// The version of the request, and of its answer.
    pub version: Version,
    /// The body's only element, for dispatch.
    pub root: Element<'d, 's>,
    /// The Identity header; empty without one.
    pub identity: Identity,
}

/// The name of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName {
    /// Its namespace; empty if longer than 256 bytes, too long to be repeated.
    pub namespace: String,
    /// The name without its prefix.
    pub local: String,
}

impl HeaderName {
    fn of(block: Element<'_, '_>) -> Self {
        // A name is bounded by the parser, a namespace only by the message.
        let namespace = Some(block.namespace())
            .filter(|namespace| namespace.len() <= 256)
            .unwrap_or_default();
        Self {
            namespace: namespace.to_owned(),
            local: block.local().to_owned(),
        }
    }
}

/// The most names of headers in a fault for headers not understood.
const NAMED: usize = 8;

/// The reason why a document is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACall {
    /// The root is no envelope.
    #[error("no envelope")]
    NoEnvelope,
    /// An envelope of another version.
    #[error("another version of SOAP")]
    Version,
    /// Header and Body are not as they should be.
    #[error("envelope with other than one header at most and one body")]
    Structure,
    /// The body does not hold exactly one element.
    #[error("body with other than one element")]
    Body,
    /// Headers with `mustUnderstand`, not understood: the first of them.
    #[error("header not understood")]
    MustUnderstand(Vec<HeaderName>),
    /// A reply wanted elsewhere.
    #[error("reply wanted at another address")]
    ReplyElsewhere,
}

/// The version of a document's envelope, if it is one of ours.
pub fn version(document: &Document<'_>) -> Option<Version> {
    let envelope = document.root();
    [Version::V11, Version::V12]
        .into_iter()
        .find(|version| envelope.is(version.namespace(), "Envelope"))
}

/// Reads an envelope: its version, its Identity header, its body's one element.
pub fn open<'d, 's>(document: &'d Document<'s>) -> Result<Call<'d, 's>, NotACall> {
    let envelope = document.root();
    if envelope.local() != "Envelope" {
        return Err(NotACall::NoEnvelope);
    }
    // SOAP 1.1, section 4.1.2; SOAP 1.2, part 1, section 5.4.7: an envelope in another namespace is a version
    // mismatch.
    let version = version(document).ok_or(NotACall::Version)?;
    let soap = version.namespace();
    let (mut header, mut body) = (None, None);
    for child in envelope.children() {
        match child {
            child if child.is(soap, "Header") && header.is_none() && body.is_none() => header = Some(child),
            child if child.is(soap, "Body") && body.is_none() => body = Some(child),
            // SOAP 1.1, section 4: elements after the body are allowed if they are qualified; a second body
            // or header is not. SOAP 1.2 allows none.
            child if version == Version::V12 || child.namespace() == soap || body.is_none() => {
                return Err(NotACall::Structure);
            }
            _ => {}
        }
    }
    let body = body.ok_or(NotACall::Structure)?;
    let identity = match header {
        Some(header) => read_header(header, version)?,
        None => Identity::default(),
    };
    let mut inside = body.children();
    match (inside.next(), inside.next()) {
        (Some(root), None) => Ok(Call {
            version,
            root,
            identity,
        }),
        _ => Err(NotACall::Body),
    }
}

fn read_header(header: Element<'_, '_>, version: Version) -> Result<Identity, NotACall> {
    let (role, ours) = version.role();
    let (mut identity, mut unknown) = (Identity::default(), Vec::new());
    for block in header.children() {
        if block.is(INPS, "Identity") {
            block
                .children()
                .for_each(|child| identity.add(child.local(), child.text().trim()));
            continue;
        }
        if ADDRESSING.contains(&block.namespace()) && ADDRESSED.contains(&block.local()) {
            if matches!(block.local(), "ReplyTo" | "FaultTo") && !is_anonymous(block) {
                return Err(NotACall::ReplyElsewhere);
            }
            continue;
        }
        let soap = version.namespace();
        let must = block
            .attribute_in(soap, "mustUnderstand")
            .is_some_and(|value| matches!(value.trim(), "1" | "true"));
        let whose = block.attribute_in(soap, role).unwrap_or_default().trim();
        if must && ours.contains(&whose) && unknown.len() < NAMED {
            unknown.push(HeaderName::of(block));
        }
    }
    if unknown.is_empty() {
        Ok(identity)
    } else {
        Err(NotACall::MustUnderstand(unknown))
    }
}

/// Whether an endpoint is the client itself, on the connection of its request.
fn is_anonymous(endpoint: Element<'_, '_>) -> bool {
    let address = endpoint
        .child(endpoint.namespace(), "Address")
        .map(|address| address.text().trim().to_owned());
    let [current, earlier] = ADDRESSING;
    address.is_some_and(|address| {
        let named = address
            .strip_prefix(current)
            .or_else(|| address.strip_prefix(earlier));
        matches!(named, Some("/anonymous" | "/role/anonymous"))
    })
}

/// Puts a body into an envelope: unprefixed children, as INPS's clients need them.
pub fn envelope(version: Version, body: &str) -> String {
    let mut text = String::with_capacity(body.len() + 160);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?><s:Envelope xmlns:s=\"");
    text.push_str(version.namespace());
    text.push_str("\"><s:Body>");
    text.push_str(body);
    text.push_str("</s:Body></s:Envelope>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{DocumentLimits, parse};

    const NEXT: &str = "http://schemas.xmlsoap.org/soap/actor/next";

    fn try_version(version: Version, header: &str, body: &str) -> Result<Identity, NotACall> {
        let text = format!(
            "<S:Envelope xmlns:S='{}'>{header}{body}</S:Envelope>",
            version.namespace()
        );
        let document = parse(&text, &DocumentLimits::default()).unwrap();
        open(&document).map(|call| {
            assert_eq!(call.version, version);
            call.identity
        })
    }

    fn try_open(header: &str, body: &str) -> Result<Identity, NotACall> {
        let (one, two) = (
            try_version(Version::V11, header, body),
            try_version(Version::V12, header, body),
        );
        assert_eq!(one, two, "{header}{body}");
        one
    }

    #[test]
    fn one_body_with_one_element() {
        assert!(try_open("", "<S:Body><a/></S:Body>").is_ok());
        assert_eq!(try_open("", "<S:Body/>"), Err(NotACall::Body));
        assert_eq!(try_open("", "<S:Body><a/><b/></S:Body>"), Err(NotACall::Body));
        assert_eq!(
            try_open("", "<S:Body><a/></S:Body><S:Body><b/></S:Body>"),
            Err(NotACall::Structure)
        );
        assert_eq!(
            try_open("<S:Header/><S:Header/>", "<S:Body><a/></S:Body>"),
            Err(NotACall::Structure)
        );
        assert_eq!(try_open("", ""), Err(NotACall::Structure));
        // After the body: qualified, in SOAP 1.1 alone.
        assert!(try_version(Version::V11, "", "<S:Body><a/></S:Body><x:y xmlns:x='u'/>").is_ok());
        assert_eq!(
            try_version(Version::V12, "", "<S:Body><a/></S:Body><x:y xmlns:x='u'/>"),
            Err(NotACall::Structure)
        );
    }

    #[test]
    fn headers_are_understood_only_where_they_must_be() {
        let body = "<S:Body><a/></S:Body>";
        let header = |attributes: &str| format!("<S:Header><x:h xmlns:x='u' {attributes}/></S:Header>");
        assert!(try_open(&header(""), body).is_ok());
        assert!(try_open(&header("S:mustUnderstand='0'"), body).is_ok());
        let unknown = |local: &str| HeaderName {
            namespace: "u".to_owned(),
            local: local.to_owned(),
        };
        assert_eq!(
            try_open(&header("S:mustUnderstand='1'"), body),
            Err(NotACall::MustUnderstand(vec![unknown("h")]))
        );
        let two = "<S:Header><x:h xmlns:x='u' S:mustUnderstand='1'/><x:i xmlns:x='u'/><x:k xmlns:x='u' S:mustUnderstand='1'/></S:Header>";
        assert_eq!(
            try_open(two, body),
            Err(NotACall::MustUnderstand(vec![unknown("h"), unknown("k")]))
        );
        let refused = |version, attributes: &str| {
            matches!(
                try_version(version, &header(attributes), body),
                Err(NotACall::MustUnderstand(_))
            )
        };
        assert!(refused(
            Version::V11,
            &format!("S:mustUnderstand='1' S:actor='{NEXT}'")
        ));
        assert!(!refused(
            Version::V11,
            "S:mustUnderstand='1' S:actor='http://www.cnipa.it/eGov_it/portadominio'"
        ));
        assert!(refused(
            Version::V12,
            "S:mustUnderstand='true' S:role='http://www.w3.org/2003/05/soap-envelope/role/next'"
        ));
        assert!(refused(
            Version::V12,
            "S:mustUnderstand='1' S:role='http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver'"
        ));
        assert!(!refused(
            Version::V12,
            "S:mustUnderstand='1' S:role='http://www.w3.org/2003/05/soap-envelope/role/none'"
        ));
        assert!(!refused(Version::V12, "S:mustUnderstand='1' S:role='urn:altro'"));
        let identity = try_open(
            "<S:Header><Identity xmlns='http://inps.it/' S:mustUnderstand='1'><UserId xmlns=''> u </UserId><CodiceUfficio xmlns=''>001</CodiceUfficio></Identity></S:Header>",
            body,
        );
        assert_eq!(
            identity.unwrap(),
            Identity {
                user: Some("u".to_owned()),
                office: Some("001".to_owned()),
                ..Identity::default()
            }
        );
    }

    #[test]
    fn addressing_is_understood_and_no_reply_goes_elsewhere() {
        let read =
            |blocks: &str| try_open(&format!("<S:Header>{blocks}</S:Header>"), "<S:Body><a/></S:Body>");
        for (namespace, anonymous) in ADDRESSING.into_iter().zip(["/anonymous", "/role/anonymous"]) {
            let header = |local: &str, inside: &str| {
                format!("<w:{local} xmlns:w='{namespace}' S:mustUnderstand='1'>{inside}</w:{local}>")
            };
            let to =
                |local: &str, address: &str| header(local, &format!("<w:Address> {address} </w:Address>"));
            let usual = [
                header("Action", "a"),
                header("To", "https://altrove"),
                header("MessageID", "urn:uuid:1"),
            ]
            .concat();
            assert!(read(&usual).is_ok());
            assert!(read(&to("ReplyTo", &format!("{namespace}{anonymous}"))).is_ok());
            for elsewhere in [
                to("ReplyTo", "https://altrove.example/"),
                to("FaultTo", &format!("{namespace}/none")),
                header("ReplyTo", ""),
            ] {
                assert_eq!(read(&elsewhere), Err(NotACall::ReplyElsewhere), "{elsewhere}");
                let unmarked = elsewhere.replace(" S:mustUnderstand='1'", "");
                assert_eq!(read(&unmarked), Err(NotACall::ReplyElsewhere), "{unmarked}");
            }
            assert!(matches!(
                read(&header("Altro", "")),
                Err(NotACall::MustUnderstand(_))
            ));
        }
    }

    #[test]
    fn what_is_said_twice_must_be_the_same() {
        let block = |children: &str| format!("<Identity xmlns='http://inps.it/'>{children}</Identity>");
        let read = |blocks: &[&str]| {
            let blocks: String = blocks.iter().map(|children| block(children)).collect();
            try_open(&format!("<S:Header>{blocks}</S:Header>"), "<S:Body><a/></S:Body>").unwrap()
        };
        let (own, other) = (
            "<CodiceEnte xmlns=''>uno</CodiceEnte>",
            "<CodiceEnte xmlns=''>due</CodiceEnte>",
        );
        let user = "<UserId xmlns=''>u</UserId>";
        assert!(
            read(&[own, other]).contradicts
                && read(&[&[own, other].concat()]).contradicts
                && read(&[other, own]).contradicts
        );
        assert!(read(&[user, "<UserId xmlns=''>v</UserId>"]).contradicts);
        let same = read(&[
            own,
            " ",
            &[user, own].concat(),
            "<CodiceEnte xmlns=''> </CodiceEnte>",
            "<CodiceEnte xmlns=''> uno </CodiceEnte>",
        ]);
        assert_eq!(
            same,
            Identity {
                user: Some("u".to_owned()),
                ente: Some("uno".to_owned()),
                ..Identity::default()
            }
        );
    }

    #[test]
    fn another_version_is_a_mismatch() {
        let text = "<e:Envelope xmlns:e='http://www.w3.org/2001/12/soap-envelope'><e:Body><a/></e:Body></e:Envelope>";
        let document = parse(text, &DocumentLimits::default()).unwrap();
        assert_eq!(open(&document).err(), Some(NotACall::Version));
    }
}
