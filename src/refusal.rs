//! Refusals: one structure for every "no" in the house.
//!
//! The outside learns a code, and a text in Italian: it names the rule, never a value from the request. The
//! inside (entry, log) may hold an internal text, made of our own words too: input from outside does not get
//! into logs. `gateway/fault.rs` alone decides how a refusal becomes bytes.

use std::borrow::Cow;

/// One rule for requests, for the reference of all refusals (`docs/it/errori.md`): its code in replies and in
/// the ledger, its meaning, its remedy. In Italian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regola {
    /// `K05.controllo`: the check, then its rule.
    pub codice: &'static str,
    /// The mistake, in Italian.
    pub significato: &'static str,
    /// The remedy, in Italian.
    pub rimedio: &'static str,
}

/// A table of rules, one line each: an enum. No row can be forgotten.
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

/// The row of a refusal in the table of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// No ente has registered the certificate, or its ente is not accredited now: one answer for unknown,
    /// suspended and revoked.
    NotAuthorized,
    /// The certificate is not valid now: expired, revoked, or of unknown status.
    PeerInvalid,
    /// The ente may not call this operation.
    OperationNotGranted,
    /// The Identity header names another ente.
    IdentityMismatch,
    /// The office is missing, or not one of the ente's.
    Office,
    /// Not well-formed as HTTP, or readable in two ways.
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
    /// Not a `multipart/related` package, or one with references to nowhere.
    Package,
    /// Not well-formed, or beyond the limits.
    Xml,
    /// No SOAP envelope.
    Envelope,
    /// A SOAP version not spoken here.
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

/// A "no", with its public and its internal part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {internal}")]
pub struct Refusal {
    /// Its row in the table of faults.
    pub code: Code,
    /// Text for the client, besides the row's own: the rule and the place.
    pub public: Option<String>,
    /// Text for the log and the entry.
    pub internal: Cow<'static, str>,
    /// Headers not understood: namespace and local name.
    pub headers: Vec<(String, String)>,
}

impl Refusal {
    /// A refusal with nothing to add to the row's text.
    pub fn new(code: Code, internal: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            public: None,
            internal: internal.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a public detail, in Italian.
    pub fn with(mut self, public: impl Into<String>) -> Self {
        self.public = Some(public.into());
        self
    }
}
