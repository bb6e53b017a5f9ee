//! One exchange over plain HTTP/1.1, for content with its own signature: revocation lists and answers of
//! responders (RFC 5280, section 8; RFC 5019, section 5). Redirects are not followed.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper::client::conn::http1::handshake;
use hyper::http::request::Builder;
use hyper::{StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Why there is no usable reply.
#[derive(Debug, thiserror::Error)]
pub enum NoReply {
    /// Not an http address.
    #[error("not an http address")]
    Address,
    /// No connection to the host.
    #[error("cannot be reached: {0}")]
    Unreachable(io::Error),
    /// The reply is not HTTP, or ends too soon.
    #[error("no whole HTTP reply")]
    Broken,
    /// A status other than 200.
    #[error("HTTP {0}")]
    Status(StatusCode),
    /// A body over the limit.
    #[error("too large")]
    Large,
}

/// Whether an address is fit for requests: plain HTTP, a host, no credentials.
pub fn is_address(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
        && uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'))
}

/// Sends a request to the target of `uri`. Returns the body of the reply, `largest` bytes at most.
pub async fn send(uri: &Uri, request: Builder, body: Bytes, largest: usize) -> Result<Bytes, NoReply> {
    let host = uri.host().ok_or(NoReply::Address)?;
    let address = (
        host.trim_start_matches('[').trim_end_matches(']'),
        uri.port_u16().unwrap_or(80),
    );
    let stream = TcpStream::connect(address).await.map_err(NoReply::Unreachable)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|_| NoReply::Broken)?;
    tokio::spawn(connection);
    let request = request
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(
            "host",
            uri.authority().map_or(host, |authority| authority.as_str()),
        )
        .header("user-agent", concat!("varco/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body))
        .map_err(|_| NoReply::Address)?;
    let response = sender.send_request(request).await.map_err(|_| NoReply::Broken)?;
    if response.status() != StatusCode::OK {
        return Err(NoReply::Status(response.status()));
    }
    let body = response.into_body();
    // A reply with too large a declared length is not even begun.
    if usize::try_from(body.size_hint().lower()).map_or(true, |bytes| bytes > largest) {
        return Err(NoReply::Large);
    }
    match Limited::new(body, largest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(NoReply::Large),
        Err(_) => Err(NoReply::Broken),
    }
}
