//! A SOAP client over mutually authenticated TLS: the demonstration's, the tests' and the bench's own. One
//! connection, one call after another.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::pem::{certificates, private_key};

/// A client, not yet connected.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    /// The name that the server's certificate must have.
    name: ServerName<'static>,
    connector: TlsConnector,
}

/// A client on an open HTTP/1.1 connection.
pub struct Connected {
    sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
    authority: String,
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// The id of the exchange, from `X-Request-Id`.
    pub exchange: Option<String>,
    /// The `Content-Type` header; `None` if it is absent or not text.
    pub kind: Option<String>,
    /// All headers of the response.
    pub headers: HeaderMap,
    /// The body, as UTF-8.
    pub text: String,
}

impl Client {
    /// Trusts the server's authority; presents its own certificate and key, if given.
    pub fn new(address: SocketAddr, authority: &Path, own: Option<(&Path, &Path)>) -> Result<Self> {
        Self::trusting(address, "localhost", certificates(authority)?, own)
    }

    /// The same, of a server with another name, by these authorities.
    pub(super) fn trusting(
        address: SocketAddr,
        name: &str,
        authorities: Vec<CertificateDer<'static>>,
        own: Option<(&Path, &Path)>,
    ) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in authorities {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match own {
            Some((certificate, key)) => {
                builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self {
            address,
            name: ServerName::try_from(name.to_owned())?,
            connector: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Connects, without speaking HTTP yet.
    pub async fn connect_raw(&self) -> Result<TlsStream<TcpStream>> {
        self.connect_over(TcpStream::connect(self.address).await?).await
    }

    /// The same, over a socket of the caller's own making.
    pub async fn connect_over(&self, socket: TcpStream) -> Result<TlsStream<TcpStream>> {
        socket.set_nodelay(true)?;
        Ok(self.connector.connect(self.name.clone(), socket).await?)
    }

    /// Connects, and shakes hands for HTTP/1.1.
    pub async fn connect(&self) -> Result<Connected> {
        let stream = self.connect_raw().await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        Ok(Connected {
            sender,
            connection,
            authority: format!("{}:{}", self.name.to_str(), self.address.port()),
        })
    }

    /// Connects, calls once, hangs up.
    pub async fn call(&self, path: &str, envelope: &str) -> Result<Answer> {
        self.connect().await?.call(path, envelope).await
    }
}

impl Connected {
    /// Posts an envelope as SOAP 1.1 (`text/xml`, an empty SOAPAction).
    pub async fn call(&mut self, path: &str, envelope: &str) -> Result<Answer> {
        let request = Request::post(path)
            .header("content-type", "text/xml; charset=utf-8")
            .header("soapaction", "\"\"");
        self.send(request.body(Full::new(Bytes::from(envelope.to_owned())))?)
            .await
    }

    /// Sends any request, with the host's name added.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Answer> {
        request
            .headers_mut()
            .entry("host")
            .or_insert(self.authority.parse()?);
        let Self {
            sender, connection, ..
        } = self;
        // hyper asks for both, in this order: a request sent before the connection is ready may wait for
        // ever.
        let asked = async {
            sender.ready().await?;
            sender.send_request(request).await
        };
        // A request sent while the connection ends may wait for ever, too.
        let sent = tokio::select! {
            biased;
            sent = asked => sent,
            ended = &mut *connection => {
                ended?.context("the server hung up")?;
                bail!("the server hung up");
            }
        };
        let response = match sent {
            Ok(response) => response,
            // The connection's own error says more: in TLS 1.3 the refusal of a certificate arrives after the
            // handshake.
            Err(error) => match connection.await {
                Ok(Err(ended)) => return Err(ended).context("the server hung up"),
                _ => return Err(error).context("the server hung up"),
            },
        };
        let status = response.status();
        let header = |name| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let (exchange, kind) = (header("x-request-id"), header("content-type"));
        let headers = response.headers().clone();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok(Answer {
            status,
            exchange,
            kind,
            headers,
            text: String::from_utf8(bytes.to_vec())?,
        })
    }
}
