//! The channel: mutually authenticated TLS 1.2 and 1.3.
//!
//! - [`setup`]: all of it as it is now, built from the configuration and replaced whole;
//! - [`peer`]: the data of a client's certificate; [`validity`]: whether a certificate is valid at a
//!   moment: asked at every REQUEST, since a live connection outlives expiry and revocation;
//! - [`path`]: from a client's certificate to a configured authority, in bounded work;
//! - [`profile`]: the requirements on a client's certificate; [`authorities`]: its possible origins;
//!   [`lists`]: the content of a revocation list, and whether it is believed; [`revocation`]: the lists in
//!   force, as sets by issuer; [`ocsp`]: responders, for authorities without lists; [`client`]: the HTTP
//!   requests for either;
//! - [`server`]: the server's configuration; [`identity`]: its own certificates; [`pem`]: the reader of
//!   certificates and keys; [`subject`]: the names in them that may be told.

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
    /// A file, configuration key or address, with its fault in Italian.
    #[error("{0}: {1}")]
    File(String, String),
    /// An error of the TLS library, rustls.
    #[error("{}", crate::italian::tls(.0))]
    Rustls(#[from] rustls::Error),
}
