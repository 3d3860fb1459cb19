//! A request as it goes over the wire, and what a redirect makes of it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, PROXY_AUTHORIZATION, REFERER, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method};
use reqwest::Url;
use url::Position;

use super::answer::ResponseHead;
use super::client::{OutgoingRequest, is_same_origin};
use super::connect::ProxyForwarding;
use crate::payload::Headers;
use crate::payload::headers::is_secret;

/// A request under way.
#[derive(Debug)]
pub(crate) struct WireRequest {
    /// Where to.
    pub(crate) url: Url,
    /// The exact bytes.
    pub(crate) body: Bytes,
    /// How.
    pub(crate) method: Method,
    headers: Headers,
    /// For this origin only.
    kept: Vec<HeaderName>,
}

impl WireRequest {
    /// The delivery itself.
    pub(crate) fn first(outgoing: OutgoingRequest) -> Self {
        let OutgoingRequest { url, method, mut headers, body, kept, .. } = outgoing;
        if !headers.has(HOST.as_str()) {
            headers.push(HOST, host(&url));
        }
        // How the body is framed is decided here: its length is known, as it is to the real senders.
        headers.remove(TRANSFER_ENCODING.as_str());
        headers.change(CONTENT_LENGTH, HeaderValue::from(body.len()));
        WireRequest { url, body, method, headers, kept }
    }

    /// Whether it asks for the same as another, which it follows.
    pub(crate) fn repeats(&self, other: &WireRequest) -> bool {
        self.method == other.method && self.body == other.body
    }

    /// The request line and the headers. A proxy that forwards the request wants the whole URL, and its own credentials.
    pub(crate) fn head(&self, forwarding: Option<&ProxyForwarding>) -> Bytes {
        let start = if forwarding.is_some() { Position::BeforeScheme } else { Position::BeforePath };
        let target = &self.url[start..Position::AfterQuery];
        let size = self.headers.raw().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>();
        let mut head = Vec::with_capacity(size + target.len() + 32);
        for part in [self.method.as_str(), " ", target, " HTTP/1.1\r\n"] {
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

    /// The request that a redirect asks for, as Python's requests and Rust's reqwest make it: 307 and 308 repeat it, the
    /// others become a GET without a body. What opens doors at one origin (scheme, host and port) does not go to another:
    /// credentials, the headers that were meant for it alone, and of the `referer` all but the origin itself.
    pub(crate) fn redirected(&self, head: &ResponseHead, referer: bool) -> Option<WireRequest> {
        let repeats = matches!(head.status, 307 | 308);
        if !repeats && !matches!(head.status, 301..=303) {
            return None;
        }
        let mut url = self.url.join(head.location.as_deref()?).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        // Refused only by URLs that cannot have any; no answer may put a password into our records.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let mut headers = self.headers.clone();
        let leaves = !is_same_origin(&url, &self.url);
        if leaves {
            headers.retain(|name| !is_secret(name) && !self.kept.contains(name));
        }
        headers.change(HOST, host(&url));
        headers.remove(REFERER.as_str());
        // As reqwest: not from a page that is protected to one that is not.
        if referer
            && (self.url.scheme() == "http" || url.scheme() == "https")
            && let Ok(from) = HeaderValue::from_str(&self.referer(leaves))
        {
            headers.insert_before(&HOST, REFERER, from);
        }
        let kept = self.kept.clone();
        if repeats {
            return Some(WireRequest { url, body: self.body.clone(), method: self.method.clone(), headers, kept });
        }
        headers.remove(CONTENT_LENGTH.as_str());
        headers.remove(CONTENT_TYPE.as_str());
        Some(WireRequest { url, body: Bytes::new(), method: Method::GET, headers, kept })
    }

    /// Where it comes from, as the next may know it: another origin learns no path and no query, in which a token may
    /// stand.
    fn referer(&self, leaves: bool) -> String {
        if leaves { format!("{}/", &self.url[..Position::AfterPort]) } else { self.url[..Position::AfterQuery].into() }
    }
}

/// A URL's host as the `host` header has it.
pub(crate) fn host(url: &Url) -> HeaderValue {
    // A URL's host is ASCII without spaces, so this always is a header value.
    HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).unwrap_or(HeaderValue::from_static(""))
}
