//! The HTTP client that deliveries go out by.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::redirect;
use reqwest::{Method, Request, Url};

use crate::error::Error;
use crate::payload::Headers;
use crate::payload::retry::Outcome;

/// How much of an answer's body is read: enough for its first line. The rest is left unread.
const ANSWER_BYTES: usize = 16 * 1024;

/// How many redirects are followed where a provider follows any; reqwest's and Python requests' habit is more than
/// enough to find a loop.
const REDIRECTS: usize = 10;

/// A request to make.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Where to.
    pub url: Url,
    /// In this order, before `host` and `content-length`, which HTTP adds.
    pub headers: Headers,
    /// The exact bytes.
    pub body: Bytes,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// Whether redirects are followed.
    pub follow: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// In the words of retry profiles.
    pub outcome: Outcome,
    /// From connecting to the answer's first bytes, milliseconds.
    pub ms: f64,
    /// The first line of the answer's body.
    pub line: Option<String>,
    /// Why nothing came back.
    pub error: Option<String>,
}

/// Something that delivers requests: a real client, or a test's.
pub trait Transport {
    /// Makes one attempt. Never fails: that nothing came back is an outcome too.
    fn deliver(&self, request: Outgoing) -> impl Future<Output = Reply>;
}

/// The real client.
#[derive(Clone, Debug)]
pub struct Client {
    staying: reqwest::Client,
    following: reqwest::Client,
}

impl Client {
    /// Sets the client up for requests to `url`.
    pub fn new(url: &Url) -> Result<Self, Error> {
        // Fails only when another provider was installed before, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = |policy| {
            let mut builder = reqwest::Client::builder().redirect(policy).tcp_nodelay(true);
            if is_loopback(url) {
                // A proxy of the environment cannot reach this machine's own addresses.
                builder = builder.no_proxy();
            }
            builder.build().map_err(|error| Error::Setup { what: "the HTTP client", reason: error.to_string() })
        };
        Ok(Client {
            staying: build(redirect::Policy::none())?,
            following: build(redirect::Policy::limited(REDIRECTS))?,
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some(host) => host == "localhost" || host == "[::1]" || host.starts_with("127."),
        None => false,
    }
}

impl Transport for Client {
    async fn deliver(&self, outgoing: Outgoing) -> Reply {
        let started = Instant::now();
        let client = if outgoing.follow { &self.following } else { &self.staying };
        let mut request = Request::new(Method::POST, outgoing.url);
        for (name, value) in outgoing.headers.raw() {
            request.headers_mut().append(name.clone(), value.clone());
        }
        *request.body_mut() = Some(outgoing.body.into());
        *request.timeout_mut() = Some(outgoing.timeout);
        let answered = client.execute(request).await;
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        match answered {
            Ok(response) => {
                let outcome =
                    Outcome::Answered { status: response.status().as_u16(), retry_after: retry_after(&response) };
                Reply { outcome, ms, line: first_line(response).await, error: None }
            }
            Err(error) => {
                let outcome =
                    if error.is_connect() || error.is_builder() { Outcome::Unreachable } else { Outcome::Unknown };
                Reply { outcome, ms, line: None, error: Some(reason(&error, outgoing.timeout)) }
            }
        }
    }
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

async fn first_line(mut response: reqwest::Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.contains(&b'\n') || bytes.len() >= ANSWER_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    text.lines().find(|line| !line.trim().is_empty()).map(|line| line.chars().take(200).collect())
}

/// The innermost cause, which is the one that says something.
fn reason(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        return format!("no answer within {timeout:?}");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
