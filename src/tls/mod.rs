//! The channel: mutually authenticated TLS 1.2 and 1.3.
//!
//! - [`setup`]: all of it as it is now, built from the configuration and replaced whole;
//! - [`peer`]: what is known of a client's certificate; [`validity`]: whether a certificate is valid at a
//!   moment: asked at every REQUEST, since a live connection outlives expiry and revocation;
//! - [`path`]: from a client's certificate to a configured authority, in bounded work;
//! - [`profile`]: what a client's certificate must be like; [`authorities`]: where it must come from;
//!   [`lists`]: what is in a revocation list, and whether it is believed; [`revocation`]: those in force, as
//!   sets by issuer; [`ocsp`]: responders, for authorities without lists; [`client`]: how either is asked
//!   for;
//! - [`server`]: the server's configuration; [`identity`]: its own certificates; [`pem`]: how certificates
//!   and keys are read; [`subject`]: the names in them that may be told.

pub mod authorities;
pub mod client;
pub mod identity;
pub mod lists;
pub mod ocsp;
pub mod path;
pub mod peer;
pub mod pem;
pub mod profile;
pub mod revocation;
pub mod server;
pub mod setup;
mod signature;
pub mod subject;
pub mod validity;

pub use peer::Peer;
pub use revocation::Revocations;
pub use setup::Setup;
pub use validity::{Invalid, Valid};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("{0}: {1}")]
    File(String, String),
    /// The TLS library.
    #[error("{}", crate::italian::tls(.0))]
    Rustls(#[from] rustls::Error),
}
