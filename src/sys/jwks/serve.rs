//! Serves the public half of the signing key pair as a JWK set, for a handler that fetches one.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use crate::error::Error;

/// The path of fal's own set.
const PATH: &str = "/.well-known/jwks.json";

/// The time for the head of a request.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// The pause after a failed accept: without it, running out of descriptors is a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves a set until it is dropped.
#[derive(Debug)]
pub(crate) struct JwksServer {
    /// The URL of the set.
    pub(crate) url: String,
    task: AbortHandle,
}

impl Drop for JwksServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a set on the loopback address; port 0 takes a free port.
pub(crate) async fn serve(port: u16, set: String) -> Result<JwksServer, Error> {
    let failed = |error: std::io::Error| Error::Setup { what: "--serve-jwks", reason: error.to_string() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let url = format!("http://{}{PATH}", listener.local_addr().map_err(failed)?);
    let task = tokio::spawn(accept(listener, Bytes::from(set))).abort_handle();
    Ok(JwksServer { url, task })
}

async fn accept(listener: TcpListener, set: Bytes) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME);
    // Connections end with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let set = set.clone();
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let answer = answer(request.method(), request.uri().path(), &set);
            async move { Ok::<_, Infallible>(answer) }
        });
        connections.spawn(http.serve_connection(TokioIo::new(stream), service));
    }
}

fn answer(method: &Method, path: &str, set: &Bytes) -> Response<Full<Bytes>> {
    let status = match method {
        _ if path != PATH => StatusCode::NOT_FOUND,
        &Method::GET | &Method::HEAD => StatusCode::OK,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let body = if status == StatusCode::OK { set.clone() } else { Bytes::new() };
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    answer
}
