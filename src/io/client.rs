//! The HTTP client that deliveries go out by.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION};
use reqwest::redirect;
use reqwest::{Method, Request, Url};

use crate::error::Error;
use crate::payload::Headers;
use crate::payload::delivery::is_secret;
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
    /// The first line of the answer's body, or how it came about when there was a redirect.
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
pub struct Client(reqwest::Client);

impl Client {
    /// Sets the client up for requests to `url`.
    pub fn new(url: &Url, timeout: Duration) -> Result<Self, Error> {
        install_crypto();
        // A little less than the whole attempt may take: a connection that does not come about must be told apart from
        // an answer that does not, because then nothing was delivered.
        let connect = timeout.mul_f64(0.9);
        let builder = reqwest::Client::builder().redirect(redirect::Policy::none()).connect_timeout(connect);
        // A proxy of the environment cannot reach this machine's own addresses.
        let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
        let built = builder.tcp_nodelay(true).build();
        built.map(Client).map_err(|error| Error::Setup { what: "the HTTP client", reason: error.to_string() })
    }

    /// Makes the request, and those that redirects ask for, all within `timeout`. The text says where it was led.
    async fn follow(
        &self,
        first: Request,
        timeout: Duration,
        follow: bool,
    ) -> (Result<reqwest::Response, reqwest::Error>, Option<String>) {
        let started = Instant::now();
        let (mut next, mut said) = (first, None);
        let mut hop = 0;
        loop {
            // Only streams cannot be cloned, and these bodies are bytes.
            let again = (follow && hop < REDIRECTS).then(|| next.try_clone()).flatten();
            *next.timeout_mut() = Some(timeout.saturating_sub(started.elapsed()));
            let response = match self.0.execute(next).await {
                Ok(response) => response,
                Err(error) => return (Err(error), said),
            };
            let Some((request, status)) = again.and_then(|again| redirected(again, &response)) else {
                return (Ok(response), said);
            };
            let lost = if request.body().is_some() { "" } else { ", which gets no body: this delivery was lost" };
            said = Some(format!("after a {status} to {}{lost}", request.url()));
            (next, hop) = (request, hop + 1);
        }
    }
}

/// Chooses the cryptography of TLS, once for the program.
pub fn install_crypto() {
    // Fails only when it was chosen before, which then serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
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
        let mut request = Request::new(Method::POST, outgoing.url);
        for (name, value) in outgoing.headers.raw() {
            request.headers_mut().append(name.clone(), value.clone());
        }
        *request.body_mut() = Some(outgoing.body.into());
        let (answered, redirected) = self.follow(request, outgoing.timeout, outgoing.follow).await;
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        match answered {
            Ok(response) => {
                let outcome =
                    Outcome::Answered { status: response.status().as_u16(), retry_after: retry_after(&response) };
                let line = redirected.or(first_line(response).await);
                Reply { outcome, ms, line, error: None }
            }
            Err(error) => {
                let outcome =
                    if error.is_connect() || error.is_builder() { Outcome::Unreachable } else { Outcome::Unknown };
                let reason = reason(&error, outgoing.timeout);
                let reason = redirected.map_or(reason.clone(), |redirected| format!("{redirected}: {reason}"));
                Reply { outcome, ms, line: None, error: Some(reason) }
            }
        }
    }
}

/// The request that a redirect asks for, as Python's requests and Rust's reqwest make it: 307 and 308 repeat it, the
/// others become a GET without a body. Credentials stay with their host.
fn redirected(mut request: Request, response: &reqwest::Response) -> Option<(Request, u16)> {
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let mut url = request.url().join(location).ok()?;
    // Refused only by URLs that cannot have any; no answer may put a password into our records.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let repeats = matches!(status, 307 | 308);
    if !repeats && !matches!(status, 301..=303) {
        return None;
    }
    if url.origin() != request.url().origin() {
        let secret: Vec<_> = request.headers().keys().filter(|name| is_secret(name)).cloned().collect();
        secret.iter().for_each(|name| drop(request.headers_mut().remove(name)));
    }
    // The client puts in the new ones.
    request.headers_mut().remove(HOST);
    if !repeats {
        request.headers_mut().remove(CONTENT_LENGTH);
        request.headers_mut().remove(CONTENT_TYPE);
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
    }
    *request.url_mut() = url;
    Some((request, status))
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
