//! Refusals: one structure for every "no" in the house.
//!
//! The outside learns a code, and a text in Italian that names the rule and never a value from the request.
//! The inside (entry, log) may hold an internal text, which is made of our own words too: what came from
//! outside does not get into logs. How a refusal becomes bytes is decided in one place, `gateway/fault.rs`.

use std::borrow::Cow;

/// One rule that a request may break, for the reference of all refusals (`docs/errori.md`): its code in
/// replies and in the ledger, what it means, what to do about it. In Italian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regola {
    /// `K05.controllo`: the check, then its rule.
    pub codice: &'static str,
    /// What is wrong.
    pub significato: &'static str,
    /// What to do.
    pub rimedio: &'static str,
}

/// A table of rules, one line each: an enum, whose rows cannot be forgotten.
macro_rules! regole {
    ($(#[$meta:meta])* enum $name:ident { $($variant:ident: $codice:literal, $significato:literal, $rimedio:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = $significato] $variant,)+
        }

        impl $name {
            /// All of them, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its row in the reference.
            pub const fn row(self) -> $crate::refusal::Regola {
                match self {
                    $(Self::$variant => $crate::refusal::Regola { codice: $codice, significato: $significato, rimedio: $rimedio },)+
                }
            }

            /// Its code, in replies and in the ledger.
            pub const fn code(self) -> &'static str {
                self.row().codice
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(crate) use regole;

/// Which refusal: the row of the table of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The certificate is nobody's, or its ente is not accredited now: one answer for unknown, suspended and
    /// revoked.
    NotAuthorized,
    /// The certificate is not valid now: expired, revoked, or nobody can tell.
    PeerInvalid,
    /// The ente may not call this operation.
    OperationNotGranted,
    /// The Identity header names another ente.
    IdentityMismatch,
    /// The office is missing, or none of the ente's.
    Office,
    /// Not well-formed as HTTP, or so that it may be read in two ways.
    Malformed,
    /// More header fields than allowed.
    Fields,
    /// Not POST (or GET for the contract).
    MethodNotAllowed,
    /// No service at this path.
    NotFound,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The connection broke while the body was read.
    BodyInterrupted,
    /// Content type, charset or encoding of the content.
    UnsupportedMedia,
    /// A `multipart/related` package that is none, or whose references lead nowhere.
    Package,
    /// Not well-formed, or beyond the limits.
    Xml,
    /// No SOAP envelope.
    Envelope,
    /// A SOAP version that is not spoken here.
    Version,
    /// A header that must be understood and is not.
    MustUnderstand,
    /// The body's root is no operation.
    UnknownOperation,
    /// The operation belongs to another path.
    WrongPath,
    /// The body breaks its schema.
    Schema,
    /// More requests of one ente at the same time than allowed.
    TooManyRequests,
    /// A quota is used up.
    Quota,
    /// Too many protocols were named in vain.
    Attempts,
    /// The ledger cannot be written.
    Unavailable,
}

/// A "no", with what may be said and what may be known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {internal}")]
pub struct Refusal {
    /// Which one.
    pub code: Code,
    /// What the client is told, besides the row's own text: which rule, where.
    pub public: Option<String>,
    /// What the log and the entry hold.
    pub internal: Cow<'static, str>,
    /// Headers that were not understood: namespace and local name.
    pub headers: Vec<(String, String)>,
}

impl Refusal {
    /// With nothing to add to the row's text.
    pub fn new(code: Code, internal: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            public: None,
            internal: internal.into(),
            headers: Vec::new(),
        }
    }

    /// With a public detail, in Italian.
    pub fn with(mut self, public: impl Into<String>) -> Self {
        self.public = Some(public.into());
        self
    }
}
