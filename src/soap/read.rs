//! From the bytes of a request to its envelope: package, encoding, document. For the gateway, the fuzz
//! targets and the tests.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::mime::{self, MediaType, NotAPackage};
use super::{Call, NotACall, Version};
use crate::xml::encoding::{self, EncodingError};
use crate::xml::{self, Document, DocumentLimits, XmlError};

/// The depth of the DSU of a lot in their message: Envelope, Body, TrasmissioneLotto.
const LOT_DEPTH: usize = 3;

/// The media type of a request's body.
#[derive(Clone, Debug)]
pub struct Media {
    /// The SOAP version of the answer, unless the envelope has another.
    pub version: Version,
    charset: Option<String>,
    /// The content type of a package; `None`: no package.
    package: Option<MediaType>,
}

impl Media {
    /// From a Content-Type: `text/xml` (or `application/xml`), `application/soap+xml`, or a package of MTOM
    /// around either. None for any other.
    pub fn of(content_type: &str) -> Option<Self> {
        let kind = MediaType::parse(content_type)?;
        if kind.kind == "multipart/related" {
            let named = kind
                .parameter("start-info")
                .or(kind.parameter("type"))
                .unwrap_or_default();
            let version = named
                .split(';')
                .next()
                .and_then(Version::of_media_type)
                .unwrap_or_default();
            return Some(Self {
                version,
                charset: None,
                package: Some(kind),
            });
        }
        let version = Version::of_media_type(&kind.kind)?;
        Some(Self {
            version,
            charset: kind.parameter("charset").map(str::to_owned),
            package: None,
        })
    }
}

/// The limits of a message.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'l> {
    /// The limits of its document.
    pub xml: &'l DocumentLimits,
    /// The largest message, in bytes, parsed whole. A larger one is read as a lot: the elements in its root
    /// are parsed later, one by one.
    pub whole: usize,
}

/// The text of a message, while its document is in use.
pub type MessageText<'t> = OnceCell<Cow<'t, str>>;

/// A message, read; its text stays in [`MessageText`].
#[derive(Debug)]
pub struct Message<'t> {
    /// The version of its envelope, or else of its media type.
    pub version: Version,
    /// Whether only its outline was read.
    pub outlined: bool,
    document: Document<'t>,
}

impl<'t> Message<'t> {
    /// The document; only the outline of a message longer than [`Bounds::whole`].
    pub fn document(&self) -> &Document<'t> {
        &self.document
    }

    /// Its envelope: the request, and the identity of the sender.
    pub fn call(&self) -> Result<Call<'_, 't>, NotACall> {
        super::open(&self.document)
    }
}

/// An unreadable message, and the version of SOAP for the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRead {
    /// The envelope's version if known by then; else the package's, or the media type's.
    pub version: Version,
    /// The cause: the unreadable part, and its defect.
    pub why: Unreadable,
}

/// The unreadable part of a message: package, encoding or XML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The package of MTOM.
    #[error(transparent)]
    Package(NotAPackage),
    /// The bytes of the text.
    #[error(transparent)]
    Encoding(EncodingError),
    /// The XML of the document.
    #[error(transparent)]
    Xml(XmlError),
}

/// Reads a message. `text` is empty at first, and outlives the message.
pub fn read<'t>(
    bytes: &'t [u8],
    media: &Media,
    bounds: Bounds<'_>,
    text: &'t MessageText<'t>,
) -> Result<Message<'t>, NotRead> {
    let mut version = media.version;
    let package = media
        .package
        .as_ref()
        .map(|kind| mime::open(bytes, kind))
        .transpose();
    let mut package = package.map_err(|why| NotRead {
        version,
        why: Unreadable::Package(why),
    })?;
    if let Some(package) = &package {
        version = package.version;
    }
    let (root, charset) = match &package {
        Some(package) => (package.root, package.charset.as_deref()),
        None => (bytes, media.charset.as_deref()),
    };
    let decoded = encoding::decode(root, charset).map_err(|why| NotRead {
        version,
        why: Unreadable::Encoding(why),
    })?;
    let text = text.get_or_init(|| decoded);
    let outlined = bytes.len() > bounds.whole;
    let document = match outlined {
        true => xml::parse_outline(text, bounds.xml, "Body", LOT_DEPTH),
        false => xml::parse(text, bounds.xml),
    };
    let mut document = document.map_err(|why| NotRead {
        version,
        why: Unreadable::Xml(why),
    })?;
    version = super::version(&document).unwrap_or(version);
    if let Some(package) = &mut package {
        package.resolve(&mut document).map_err(|why| NotRead {
            version,
            why: Unreadable::Package(why),
        })?;
    }
    Ok(Message {
        version,
        outlined,
        document,
    })
}
