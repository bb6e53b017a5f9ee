//! The client side of the admin socket.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use crate::gateway::admin::{SocketReply, SocketRequest};

/// Posts to a running gateway; `None`: none runs.
pub(super) async fn post<T: Serialize, R: for<'de> Deserialize<'de>>(
    socket: &Path,
    path: &str,
    what: T,
    motivo: &str,
) -> Result<Option<R>> {
    let body = serde_json::to_vec(&SocketRequest {
        what,
        motivo: motivo.to_owned(),
        chi: super::who::claims(),
    })?;
    send(
        socket,
        Request::post(path)
            .header("host", "admin")
            .body(Full::new(Bytes::from(body)))?,
    )
    .await
}

/// Gets from a running gateway; `None`: none runs.
pub(super) async fn get<R: for<'de> Deserialize<'de>>(socket: &Path, path: &str) -> Result<Option<R>> {
    send(
        socket,
        Request::get(path).header("host", "admin").body(Full::default())?,
    )
    .await
}

async fn send<R: for<'de> Deserialize<'de>>(
    socket: &Path,
    request: Request<Full<Bytes>>,
) -> Result<Option<R>> {
    let Ok(stream) = UnixStream::connect(socket).await else {
        return Ok(None);
    };
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let bytes = sender
        .send_request(request)
        .await?
        .into_body()
        .collect()
        .await?
        .to_bytes();
    match serde_json::from_slice(&bytes).context("risposta non comprensibile dalla porta in funzione")? {
        SocketReply::Ok(result) => Ok(Some(result)),
        SocketReply::Errore(text) => bail!(text),
    }
}
