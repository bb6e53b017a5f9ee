//! XML at the door: bytes become text ([`encoding`]), text becomes a bounded tree ([`tree`]), a tree is
//! judged by a compiled schema ([`schema`]), canonicalised ([`canonical`]), or written ([`writer`]).
//!
//! This is the one place for reading XML. Three rules hold for all of it:
//! - limits belong to us, not to the parser ([`DocumentLimits`]): depth, counts and lengths are checked
//!   before memory is spent;
//! - no DOCTYPE, no processing instruction, no external anything: nothing is fetched, nothing is expanded;
//! - an error names place and kind, never the value found there: requests are made of personal data.

pub mod canonical;
pub mod encoding;
mod parse;
pub mod schema;
pub mod tree;
pub mod writer;

pub use parse::{DocumentLimits, XmlError, XmlFault, parse, parse_outline, parse_part};
pub use tree::{Attribute, Cursor, Document, Element};

/// `xsi:`, the namespace of the attributes allowed by every schema.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
