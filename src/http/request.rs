//! A request as it goes over the wire, and the request that follows a redirect.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION, REFERER, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method};
use url::Position;
use url::Url;

use super::origin::{host, is_same_origin, without_credentials};
use super::proxy::ProxyForwarding;
use super::response::{HeadFields, ResponseHead};
use crate::payload::Headers;
use crate::payload::headers::is_secret;

/// A request to send.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingRequest {
    pub(crate) url: Url,
    pub(crate) method: Method,
    /// In this order and spelling; `host` and `content-length` are added at the end where they are missing.
    pub(crate) headers: Headers,
    /// The exact bytes.
    pub(crate) body: Bytes,
    /// The time from connecting to the response's head.
    pub(crate) timeout: Duration,
    /// Whether redirects are followed.
    pub(crate) follow: bool,
    /// Whether a redirected request carries a `referer`.
    pub(crate) referer: bool,
    /// Headers that a redirect to another origin drops, in addition to the secret headers ([`is_secret`]).
    pub(crate) origin_only: Vec<HeaderName>,
}

/// A request as it goes over the wire.
#[derive(Debug)]
pub(crate) struct WireRequest {
    pub(crate) url: Url,
    /// The exact bytes.
    pub(crate) body: Bytes,
    pub(crate) method: Method,
    /// The headers that the caller needs of the response.
    pub(crate) fields: HeadFields,
    headers: Headers,
    /// The path and query to send instead of the URL's, byte for byte.
    target: Option<String>,
    /// For this origin only.
    origin_only: Vec<HeaderName>,
}

impl WireRequest {
    /// The first request of a delivery, before any redirect.
    pub(crate) fn first(outgoing: OutgoingRequest) -> Self {
        let OutgoingRequest { url, method, mut headers, body, origin_only, .. } = outgoing;
        if !headers.has(HOST.as_str()) {
            headers.push(HOST, host(&url));
        }
        // The length is known, as it is to the real senders, so the body is not chunked.
        headers.remove(TRANSFER_ENCODING.as_str());
        headers.change(CONTENT_LENGTH, HeaderValue::from(body.len()));
        WireRequest { url, body, method, fields: HeadFields::Known, headers, target: None, origin_only }
    }

    /// A request to the server of a URL with exactly this target (path and query) and these headers.
    pub(crate) fn exact(url: Url, method: Method, target: String, headers: Headers, body: Bytes) -> Self {
        let (fields, target, origin_only) = (HeadFields::All, Some(target), Vec::new());
        WireRequest { url, body, method, fields, headers, target, origin_only }
    }

    /// Whether a redirect repeats the request before it.
    pub(crate) fn repeats(&self, other: &WireRequest) -> bool {
        self.method == other.method && self.body == other.body
    }

    /// The request line and the headers. A proxy that forwards the request needs the whole URL, and its own credentials.
    pub(crate) fn head(&self, forwarding: Option<&ProxyForwarding>) -> Bytes {
        let origin = if forwarding.is_some() { &self.url[..Position::AfterPort] } else { "" };
        let own_target = &self.url[Position::BeforePath..Position::AfterQuery];
        let target = self.target.as_deref().unwrap_or(own_target);
        let size = self.headers.raw().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
        let mut head = Vec::with_capacity(size + origin.len() + target.len() + 32);
        for part in [self.method.as_str(), " ", origin, target, " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        let credentials = forwarding.and_then(|forwarding| forwarding.credentials.as_ref());
        let lines = self.headers.raw().map(|(name, value)| (name.as_str(), value));
        for (name, value) in lines.chain(credentials.map(|value| (PROXY_AUTHORIZATION.as_str(), value))) {
            for part in [name.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(b"\r\n");
        Bytes::from(head)
    }

    /// The request after a redirect, as Python's requests and Rust's reqwest make it: 307 and 308 repeat the request, the
    /// other statuses lead to a GET without a body. Another origin (scheme, host and port) gets no credentials, none of the
    /// headers that are for the first origin alone, and only the origin as `referer`.
    pub(crate) fn redirected(&self, head: &ResponseHead, referer: bool) -> Option<WireRequest> {
        let repeats = matches!(head.status, 307 | 308);
        if !repeats && !matches!(head.status, 301..=303) {
            return None;
        }
        let url = self.url.join(head.location.as_deref()?).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        // No response may put a password into a record.
        let url = without_credentials(url);
        let mut headers = self.headers.clone();
        let leaves = !is_same_origin(&url, &self.url);
        if leaves {
            headers.retain(|name| !is_secret(name) && !self.origin_only.contains(name));
        }
        headers.change(HOST, host(&url));
        headers.remove(REFERER.as_str());
        // As reqwest: no `referer` from https to http.
        if referer
            && (self.url.scheme() == "http" || url.scheme() == "https")
            && let Ok(from) = HeaderValue::from_str(&self.referer(leaves))
        {
            headers.insert_before(&HOST, REFERER, from);
        }
        let (body, method) = if repeats {
            (self.body.clone(), self.method.clone())
        } else {
            headers.remove(CONTENT_LENGTH.as_str());
            headers.remove(CONTENT_TYPE.as_str());
            (Bytes::new(), Method::GET)
        };
        let (fields, target, origin_only) = (self.fields, None, self.origin_only.clone());
        Some(WireRequest { url, body, method, fields, headers, target, origin_only })
    }

    /// The `referer` for the next request. Another origin gets no path and no query, which may hold a token.
    fn referer(&self, leaves: bool) -> String {
        if leaves { format!("{}/", &self.url[..Position::AfterPort]) } else { self.url[..Position::AfterQuery].into() }
    }
}
